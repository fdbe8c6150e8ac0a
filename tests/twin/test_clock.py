"""The clock: whole seconds, phases in their order, periods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.clock import Clock, Phase


def test_the_order_of_phases_is_written_down_once_and_held():
    assert [p.name for p in sorted(Phase)] == ["WORLD", "PERCEIVE", "DECIDE", "ACT", "LIVE", "OBSERVE"]


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(list(Phase))), max_size=40))
def test_instants_run_by_second_then_phase_then_order_of_asking(asked):
    clock, seen = Clock(), []
    for k, (t, phase) in enumerate(asked):
        clock.at(t, phase, lambda k=k: seen.append(k))
    while clock.next_s() is not None:
        clock.run_instant()
    assert seen == sorted(range(len(asked)), key=lambda k: (asked[k][0], asked[k][1], k))


def test_what_is_asked_for_now_in_a_later_phase_still_happens_now():
    clock, seen = Clock(100), []

    def perceive():
        clock.at(100, Phase.ACT, lambda: seen.append(("act", clock.now_s)))

    clock.at(100, Phase.LIVE, lambda: seen.append(("live", clock.now_s)))
    clock.at(100, Phase.PERCEIVE, perceive)
    assert clock.run_instant() == 100
    assert seen == [("act", 100), ("live", 100)]


def test_every_repeats_without_drift():
    clock, seen = Clock(10), []
    clock.every(7, Phase.WORLD, lambda: seen.append(clock.now_s), first_s=12)
    for _ in range(4):
        clock.run_instant()
    assert seen == [12, 19, 26, 33]


def test_what_traffic_tells_may_wait_only_where_nobody_at_that_second_wants_to_know():
    clock = Clock(0)
    clock.every(20, Phase.PERCEIVE, lambda: None, first_s=20, flow=False)
    clock.every(60, Phase.WORLD, lambda: None, first_s=60)
    clock.at(80, Phase.DECIDE, lambda: None, flow=False)
    clock.need_flow(140)
    wanted = []
    while clock.next_s() <= 180:
        if clock.needs_flow(clock.next_s()):
            wanted.append(clock.next_s())
        clock.run_instant()
    assert wanted == [60, 120, 140, 180]
    assert not clock.needs_flow(180), "it is over"


def test_the_past_and_periods_below_one_second_are_refused():
    clock = Clock(50)
    with pytest.raises(ValueError, match="already 50 s"):
        clock.at(49, Phase.WORLD, lambda: None)
    with pytest.raises(ValueError, match="at least 1 s"):
        clock.every(0, Phase.WORLD, lambda: None)
