"""The table of states: complete, closed, and the same one by one and as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from twin.control.services import cases


def test_every_state_can_be_reached_and_every_open_one_can_end() -> None:
    names = set(cases.STATES)
    assert {s for s, _ in cases.TRANSITIONS} | set(cases.TRANSITIONS.values()) == names
    reached, new = set(), {"applied"}
    while new:
        reached |= new
        new = {to for (s, _), to in cases.TRANSITIONS.items() if s in reached} - reached
    assert reached == names
    final = {cases.STATES[i] for i in cases.FINAL}
    assert not any(s in final for s, _ in cases.TRANSITIONS)
    ends = set(final)
    for _ in cases.STATES:
        ends |= {s for (s, _), to in cases.TRANSITIONS.items() if to in ends}
    assert ends == names


def test_one_by_one_and_as_arrays_are_the_same() -> None:
    n, m = len(cases.STATES), len(cases.EVENTS)
    state, event = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    to = cases.advance_all(state, event)
    for s, e, t in zip(state.tolist(), event.tolist(), to.tolist(), strict=True):
        one = cases.advance(s, cases.EVENTS[e])
        assert t == (one if one >= 0 else s)
        assert one == -1 or cases.TRANSITIONS[cases.STATES[s], cases.EVENTS[e]] == cases.STATES[one]


@pytest.mark.parametrize("event", ["granted", "refused", "withdrawn", "check_passed"])
def test_nothing_happens_to_a_case_that_is_done(event) -> None:
    assert cases.advance(cases.DONE, event) == -1
