"""Times of signals, speed advice, merging: against formulas, without a world."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.junctions.made_junctions import made_map
from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.glosa import Glosa, GlosaView
from twin.control.junctions.layout import GREENS, Layout
from twin.control.junctions.merging import MergeView, OneByOne, soonest_s, turns_s
from twin.control.junctions.spat import Lit, group_times


def times_at(layout: Layout, cabinets: Cabinets, t: int):
    s = cabinets.stages
    s.finish(t)
    return group_times(layout, cabinets.plans, Lit.of(layout), s.phase, s.to, s.since_s, cabinets.mode(t), t)


def test_times_of_a_fixed_plan_are_what_the_cabinets_then_show() -> None:
    told = made_map(2)
    layout = Layout.of(told)
    cabinets = Cabinets(layout, 0)
    shown = []
    asked = {}
    for t in range(400):
        cabinets.step(t)
        if t < 150:
            asked[t] = times_at(layout, cabinets, t)
        states = cabinets.states
        shown.append(
            [states[j][p] for j, p in zip(told.group_junction.tolist(), told.group_place.tolist(), strict=True)]
        )
    drivers = np.flatnonzero(told.group_walk == 0)  # walkers' green may begin and end within a change
    letters = np.array(shown)
    green = np.isin(letters, list(GREENS))
    for t, times in asked.items():
        for g in drivers.tolist():
            ahead = green[t:, g]
            begin = int(np.argmax(ahead))
            end = begin + int(np.argmin(ahead[begin:]))
            then = end + int(np.argmax(ahead[end:]))
            assert (times.from_s[g], times.to_s[g], times.then_from_s[g]) == (begin, end, then), (t, g)


def view(distance, green, red, *, speed=13.9, limit=13.9, queue=0.0, confidence=1.0) -> GlosaView:
    n = len(distance)
    return GlosaView(
        0, np.array(distance, float), np.full(n, speed), np.full(n, limit), np.array(green, float),
        np.array(red, float), np.full(n, confidence), np.full(n, queue), np.zeros(n),
    )  # fmt: skip


def test_advice_is_distance_over_time_to_green() -> None:
    # 200 m at 13.9 m/s is 14.4 s; green begins in 24 s: 200 / (24 + 1) = 8 m/s
    got = Glosa().advise(view([200.0], [[24.0, 84.0]], [[54.0, 114.0]]))
    assert got[0] == 8.0
    # a queue of three takes 2 + 3 × 1.9 s longer
    later = Glosa().advise(view([200.0], [[24.0, 84.0]], [[54.0, 114.0]], queue=3.0))
    assert later[0] == np.floor(200 / (24 + 2 + 3 * 1.9 + 1) / 0.5) * 0.5


def test_no_advice_where_it_would_not_help() -> None:
    policy = Glosa()
    assert np.isinf(policy.advise(view([200.0], [[0.0, 60.0]], [[30.0, 90.0]])))[0]  # arrives at green anyway
    assert np.isinf(policy.advise(view([200.0], [[60.0, 120.0]], [[90.0, 150.0]])))[0]  # would crawl
    assert np.isinf(policy.advise(view([200.0], [[24.0, 84.0]], [[54.0, 114.0]], confidence=0.3)))[0]
    assert np.isinf(policy.advise(view([10.0], [[2.0, 62.0]], [[32.0, 92.0]])))[0]  # at the line
    # the green under way ends too early: advice for the next one
    assert policy.advise(view([150.0], [[0.0, 20.0]], [[5.0, 50.0]]))[0] == np.floor(150 / 21 / 0.5) * 0.5


@settings(max_examples=200, deadline=None)
@given(
    distance=st.floats(0, 800), first=st.floats(0, 90), lasts=st.floats(5, 60), red=st.floats(5, 90),
    queue=st.integers(0, 20), limit=st.floats(6, 25),
)  # fmt: skip
def test_advice_leads_into_green_at_a_speed_that_is_allowed(distance, first, lasts, red, queue, limit) -> None:
    policy = Glosa()
    second = first + lasts + red
    v = policy.advise(
        view([distance], [[first, second]], [[first + lasts, second + lasts]], queue=float(queue), limit=limit)
    )[0]
    if np.isfinite(v):
        assert policy.least_m_s - policy.step_m_s <= v < limit
        arrives = distance / v
        # rounding down to half a metre per second makes it later, never earlier
        assert arrives >= first if arrives < second else arrives >= second
        assert soon(distance, limit) < arrives


def soon(distance: float, limit: float) -> float:
    return distance / limit


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.floats(0, 60)), max_size=30), st.floats(1, 4),
    st.floats(0.5, 1),
)  # fmt: skip
def test_turns_at_a_merge_are_a_gap_apart_and_never_early(cars, gap, follow) -> None:
    merge, road = (np.array([c[k] for c in cars], dtype=np.int64) for k in (0, 1))
    soonest = np.array([e for _, _, e in cars], dtype=float)
    turn = turns_s(merge, road, soonest, soonest, gap, follow)
    assert (turn >= soonest - 1e-9).all()
    for m in np.unique(merge):
        order = np.flatnonzero(merge == m)[np.argsort(soonest[merge == m], kind="stable")]
        free_s = -np.inf
        for before, i in zip([None, *order[:-1].tolist()], order.tolist(), strict=True):
            if before is not None:
                free_s = turn[before] + (follow if road[before] == road[i] else gap)
            assert turn[i] == pytest.approx(max(soonest[i], free_s))  # nobody waits without need


@given(st.floats(1, 400), st.floats(0, 20), st.floats(5, 30))
def test_the_soonest_time_is_that_of_full_acceleration(metres, pace, limit) -> None:
    pace = min(pace, limit)
    t, x, v, dt = 0.0, 0.0, pace, 0.01
    while x < metres:
        x, v, t = x + v * dt + 0.75 * dt * dt, min(v + 1.5 * dt, limit), t + dt
    assert soonest_s(np.array([metres]), np.array([pace]), np.array([limit]), 1.5)[0] == pytest.approx(t, abs=0.15)


def at_merge(road, metres, pace=10.0, connected=(1, 1)) -> MergeView:
    n = len(road)
    return MergeView(
        np.zeros(n, dtype=np.int64), np.array(road), np.array(metres, dtype=float), np.full(n, pace), np.full(n, 13.9),
        np.array(connected),
    )  # fmt: skip


def test_merging_makes_room_for_those_who_are_only_seen() -> None:
    # two cars 100 m away on two roads at one speed: the connected one comes second by a gap
    v = OneByOne().advise(at_merge([1, 2], [99.0, 100.0], connected=(0, 1)))
    first = soonest_s(np.array([99.0]), np.array([10.0]), np.array([13.9]), 1.5)[0]
    assert np.isinf(v[0])
    assert v[1] == np.floor(max(100 / (first + 3.0), 10.0 - 1.5) / 0.5) * 0.5
    # on one road they are in line already
    assert np.isinf(OneByOne().advise(at_merge([1, 1], [99.0, 100.0]))).all()


def test_merging_lets_a_full_merge_alone_and_brakes_nobody_hard() -> None:
    """Twenty cars within 100 m cannot all be made room for: the last ones drive by right of way."""
    many = OneByOne().advise(at_merge([1, 2] * 10, np.linspace(60, 160, 20), connected=np.ones(20)))
    assert np.isinf(many[-1])
    assert np.isfinite(many).any()
    assert (many[np.isfinite(many)] >= 10.0 - 1.5 - 0.5).all()
