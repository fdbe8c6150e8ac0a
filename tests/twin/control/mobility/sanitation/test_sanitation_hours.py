"""Opening hours: one window at a time is the same as among many."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.control.mobility.sanitation.hours import DAY_S, holds, window

TOD = st.integers(0, DAY_S)


@given(begin=TOD, end=TOD, now_s=st.integers(0, 3 * DAY_S))
def test_a_window_holds_when_it_is_found_among_windows(begin, end, now_s):
    assert holds(begin, end, now_s) == (window(np.array([begin]), np.array([end]), now_s) is not None)
