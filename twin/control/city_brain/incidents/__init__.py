"""The incident desk: levels, SLA clocks, dispatch, merging, verification."""
