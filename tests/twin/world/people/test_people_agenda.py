"""Minute by minute: nobody is in two places, held-up people follow on, midnight and a late start lose nobody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_city import column, live, people

from geo.city import City
from twin.world.people.ports import Arrivals


@settings(max_examples=8, deadline=None)
@given(st.floats(0.3, 6.0), st.integers(0, 100), st.sampled_from([60, 300]))
def test_nobody_is_in_two_places(city: City, slower: float, seed: int, tick_s: int) -> None:
    m = people(city, seed=seed, residents=400)
    m.plan_day(0, weekend=False)
    plan, start = m.trips, m._agenda.where.copy()
    parts = live(m, 0, 30 * 3600, slower=slower, tick_s=tick_s)
    who, trip, go = column(parts, "resident"), column(parts, "trip"), column(parts, "depart_s")
    row = m.population.row(who)
    order = np.lexsort((go, row))
    row, trip, go = row[order], trip[order], go[order]
    origin, destination = column(parts, "origin")[order], column(parts, "destination")[order]
    assert (go >= column(parts, "planned_s")[order]).all()
    assert len({(int(r), int(k)) for r, k in zip(row, trip, strict=True)}) == len(row)
    again = np.flatnonzero(row[1:] == row[:-1])
    assert (destination[again] == origin[again + 1]).all()
    assert (trip[again + 1] > trip[again]).all()
    first = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    assert (origin[first] == start[row[first]]).all()
    # everything planned is done, unless the night came first
    assert len(row) == len(plan) or slower > 3


def test_in_time_means_as_planned(city: City) -> None:
    """When every trip takes as long as expected, everybody leaves at the planned second (or a short stay later)."""
    m = people(city, residents=2_000)
    m.plan_day(0, weekend=False)
    trips = len(m.trips)
    parts = live(m, 0, 28 * 3600, slower=0.9)
    late = column(parts, "depart_s") - column(parts, "planned_s")
    assert len(late) == trips
    assert (late == 0).mean() > 0.97
    assert late.max() <= 400


def test_windows_of_any_length_let_the_same_people_go(city: City) -> None:
    a, b = people(city, residents=800), people(city, residents=800)
    for m in (a, b):
        m.plan_day(0, weekend=False)
    one = live(a, 0, 9 * 3600, slower=0.5)
    two = live(b, 0, 9 * 3600, slower=0.5, tick_s=30)
    first = sorted(zip(column(one, "resident"), column(one, "trip"), column(one, "depart_s"), strict=True))
    second = sorted(zip(column(two, "resident"), column(two, "trip"), column(two, "depart_s"), strict=True))
    assert first == second


def test_a_refused_trip_leaves_people_where_they_are(city: City) -> None:
    m = people(city, residents=1_000)
    m.plan_day(0, weekend=False)
    start = m.whereabouts().copy()
    parts = live(m, 0, 27 * 3600, refuse=lambda d: np.ones(len(d.resident), dtype=bool))
    assert np.array_equal(m.whereabouts(), start)
    # nobody who never left home has to come home
    assert (column(parts, "origin") != column(parts, "destination")).all()


def test_whereabouts(city: City) -> None:
    m = people(city, residents=1_000)
    m.plan_day(0, weekend=False)
    d = live(m, 0, 7 * 3600 + 1800)[-1]
    at = m.whereabouts()
    mine = d.resident[d.resident < 1_000]
    assert mine.size > 0
    assert (at[mine] == -1).all()
    assert (at[at >= 0] < len(city.blocks)).all()
    assert m.resident(int(mine[0])).at == -1


def test_a_late_start_finds_people_where_they_would_be(city: City) -> None:
    m, late = people(city, residents=1_500), people(city, residents=1_500)
    for x in (m, late):
        x.plan_day(0, weekend=False)
    live(m, 0, 10 * 3600)
    late.skip_to(10 * 3600)
    here, there = m.whereabouts(), late.whereabouts()
    assert not (there == -1).any()
    still = here >= 0
    assert (here[still] == there[still]).mean() > 0.99
    parts = live(late, 10 * 3600, 27 * 3600)
    assert column(parts, "depart_s").min() >= 10 * 3600
    plan = late.trips
    assert len(column(parts, "trip")) == (plan.planned_s >= 10 * 3600).sum()


def test_midnight_loses_nobody(city: City) -> None:
    m = people(city, residents=1_500)
    total = 0
    done: list[tuple[int, int]] = []
    for day in range(3):
        m.plan_day(day, weekend=False)
        total += int((m.trips.trip // 16 == day).sum())
        # slow enough that some are still out, or still have a trip to make, at midnight
        parts = live(m, day * 86_400, (day + 1) * 86_400, slower=4.0)
        done += zip(column(parts, "resident").tolist(), column(parts, "trip").tolist(), strict=True)
    assert len(set(done)) == len(done)
    assert 0 <= total - len(done) < 0.02 * total
    yesterday = [k for _, k in done if k < 16]
    assert len(yesterday) > 1_000


def test_somebody_who_is_not_travelling_cannot_arrive(city: City) -> None:
    m = people(city, residents=100)
    m.plan_day(0, weekend=False)
    one = np.array([3])
    with pytest.raises(ValueError, match="not on trip"):
        m.arrived(Arrivals(one, one, one, np.array([True])))


def test_a_call_costs_the_trips_in_it(city: City) -> None:
    """No look at everybody: departures of an empty minute are much cheaper than one pass over the people."""
    from time import perf_counter

    m = people(city, residents=60_000)
    m.plan_day(0, weekend=False)
    m.departures(0, 60)
    begin = perf_counter()
    for t in range(60, 6_060, 60):
        m.departures(t, t + 60)
    quiet = (perf_counter() - begin) / 100
    everybody = np.arange(60_000 * 4)
    begin = perf_counter()
    for _ in range(100):
        np.flatnonzero(everybody % 7 == 3)
    assert quiet < (perf_counter() - begin) / 100
