"""Properties in time: temporal logic and patterns of events over the facts of a run."""
