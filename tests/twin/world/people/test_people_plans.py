"""A day's plans: sound chains of trips, peaks, weekends, rain, cars, children."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from made_up_city import of_residents, people

from geo.city import City
from twin.errors import ScenarioError
from twin.events import DayPlanned
from twin.log import Log
from twin.world.people.activities import ESCORT
from twin.world.people.model import PeopleModel
from twin.world.people.plans import Trips
from twin.world.people.ports import BUS, CAR, EBIKE, PASSENGER, PURPOSES, WALK
from twin.world.people.settings import LAST_DAY

SCHOOL, WORK = PURPOSES.index("school"), PURPOSES.index("work")


def planned(city: City, *, day: int = 0, weekend: bool = False, rain: float = 0.0, **settings: object) -> PeopleModel:
    m = people(city, **settings)  # type: ignore[arg-type]
    m.plan_day(day, weekend, rain)
    return m


def shares(m: PeopleModel) -> np.ndarray:
    mode = m.trips.mode[of_residents(m)]
    return np.bincount(mode, minlength=6) / len(mode)


def test_same_seed_same_plans(city: City) -> None:
    a, b, c = (planned(city, seed=s, residents=1_500).trips for s in (5, 5, 6))
    for f in fields(Trips):
        assert np.array_equal(getattr(a, f.name), getattr(b, f.name))
    assert len(a) != len(c) or not np.array_equal(a.planned_s, c.planned_s)


@pytest.mark.parametrize("weekend", [False, True])
def test_trips_form_chains_that_can_be_kept(city: City, weekend: bool) -> None:
    m = planned(city, weekend=weekend, residents=6_000)
    t = m.trips
    again = np.flatnonzero(t.row[1:] == t.row[:-1])
    assert (np.diff(t.row) >= 0).all()
    assert (t.destination[again] == t.origin[again + 1]).all()
    assert (t.planned_s[again + 1] + 1 >= t.planned_s[again] + t.expected_s[again]).all()
    assert (t.trip[again + 1] > t.trip[again]).all()
    assert (t.origin != t.destination).all()
    assert (t.planned_s >= 0).all()
    # whoever has not to be elsewhere at midnight is at home again
    last = np.flatnonzero(np.append(t.row[1:] != t.row[:-1], True))
    p = m.population.people
    home = t.destination[last] == p.home[t.row[last]]
    at_work = t.destination[last] == p.work[t.row[last]]
    assert (home | at_work).all()
    assert 0 < at_work[~home].sum() < 0.05 * len(last)  # night workers
    # due times can be met by those who leave as planned, all but a few
    due = t.due_s >= 0
    late = t.planned_s[due] + t.expected_s[due] > t.due_s[due] + 60
    assert due.sum() > 500
    assert late.mean() < 0.01


def test_a_weekday_has_two_clear_peaks_and_a_weekend_is_different(city: City) -> None:
    week, end = planned(city, residents=12_000), planned(city, residents=12_000, weekend=True)

    def per_hour(m: PeopleModel) -> np.ndarray:
        return np.bincount(m.trips.planned_s[of_residents(m)] // 1800, minlength=52)[:48]

    a, b = per_hour(week), per_hour(end)
    morning, noon, evening = a[13:18].max(), np.median(a[20:31]), a[32:38].max()
    assert morning > 2.5 * noon
    assert evening > 2.0 * noon
    assert np.argmax(a[:24]) in (14, 15, 16)
    assert np.argmax(a[24:]) + 24 in (33, 34, 35, 36)
    # weekend: later, flatter, fewer to work and none to school
    assert np.cumsum(b)[17] / b.sum() < 0.6 * np.cumsum(a)[17] / a.sum()
    assert b.max() / b[14:40].mean() < a.max() / a[14:40].mean() * 0.75
    work = [(m.trips.purpose == WORK).sum() for m in (week, end)]
    assert work[1] < 0.7 * work[0]  # shops, building sites and fields work on
    assert not (end.trips.purpose == SCHOOL).any()
    free = [np.isin(m.trips.purpose, (PURPOSES.index("shop"), PURPOSES.index("leisure"))).sum() for m in (week, end)]
    assert free[1] > 1.3 * free[0]


def test_rain_drives_people_off_foot_and_bike(city: City) -> None:
    dry, wet = planned(city, residents=8_000), planned(city, residents=8_000, rain=10.0)
    a, b = shares(dry), shares(wet)
    assert b[EBIKE] < 0.8 * a[EBIKE]
    assert b[CAR] > 1.05 * a[CAR]
    assert b[BUS] + b[PASSENGER] > 1.1 * (a[BUS] + a[PASSENGER])
    # common random numbers: with no rain at all, nothing changes
    assert np.array_equal(planned(city, residents=8_000, rain=0.0).trips.mode, dry.trips.mode)


def test_modes_need_their_means(city: City) -> None:
    m = planned(city, residents=8_000)
    t, p = m.trips, m.population.people
    assert p.has_ebike[t.row[t.mode == EBIKE]].all()
    assert p.has_car[t.row[t.mode == CAR]].all()
    on_foot = m.travel.distance_m(t.origin, t.destination)[t.mode == WALK]
    assert on_foot.max() < m.settings.taste.walk_most_m * 1.2
    assert np.median(on_foot) < 2_000
    bus = np.flatnonzero((t.mode == BUS) & (t.row < m.population.residents))
    assert bus.size > 100
    assert (m.transit.best(t.origin[bus], t.destination[bus]).line >= 0).all()


@pytest.mark.parametrize("weekend", [False, True])
def test_a_household_never_drives_more_cars_than_it_has(city: City, weekend: bool) -> None:
    m = planned(city, residents=12_000, weekend=weekend)
    t, p = m.trips, m.population.people
    k = np.flatnonzero((t.mode == CAR) & (t.row < m.population.residents))
    home = p.home[t.row[k]]
    # a car is away from its first trip from home to the trip that ends there
    change = np.where(t.origin[k] == home, 1, 0) - np.where(t.destination[k] == home, 1, 0)
    when = np.where(change > 0, t.planned_s[k], t.planned_s[k] + t.expected_s[k])
    h = p.household[t.row[k]]
    order = np.lexsort((change, when, h))
    cars = np.bincount(h, np.zeros(len(h)), int(h.max()) + 1)
    cars[p.household[: m.population.residents]] = p.cars[: m.population.residents]
    running = np.cumsum(change[order])
    start = np.searchsorted(h[order], h[order], side="left")
    away = running - np.where(start > 0, running[start - 1], 0)
    assert k.size > 500
    assert (away <= cars[h[order]]).mean() > 0.995


def test_children_are_brought_by_somebody_of_their_household(city: City) -> None:
    m = planned(city, residents=8_000)
    t, p = m.trips, m.population.people
    there = np.flatnonzero(t.purpose == ESCORT)
    child = np.flatnonzero((t.purpose == SCHOOL) & (p.age[t.row] < 12) & (t.trip == 0))
    key = {
        (int(p.household[r]), int(g), int(d))
        for r, g, d in zip(t.row[there], t.planned_s[there], t.destination[there], strict=True)
    }
    together = np.array(
        [(int(p.household[t.row[i]]), int(t.planned_s[i]), int(t.destination[i])) in key for i in child]
    )
    assert 0.4 < together.mean() < 0.95
    assert (t.mode[child[together]] != CAR).all()
    assert (t.mode[child[together]] != EBIKE).all()


def test_trip_numbers_fit_into_vehicle_numbers(city: City) -> None:
    m = planned(city, day=LAST_DAY, residents=300)
    assert LAST_DAY >= 30
    assert m.trips.trip.max() < 1000
    assert m.trips.trip.min() >= LAST_DAY * 16
    assert len({(int(r), int(k)) for r, k in zip(m.trips.row, m.trips.trip, strict=True)}) == len(m.trips)
    with pytest.raises(ScenarioError, match="at most"):
        m.plan_day(LAST_DAY + 1, weekend=False)


def test_days_differ_but_habits_show(city: City) -> None:
    m = people(city, residents=6_000)
    m.plan_day(0, weekend=False)
    first = m.trips
    m = people(city, residents=6_000)
    m.plan_day(1, weekend=False)
    second = m.trips

    def to_work(t: Trips) -> dict[int, int]:
        k = np.flatnonzero((t.purpose == WORK) & (t.trip % 16 <= 1))
        return dict(zip(t.row[k].tolist(), t.mode[k].tolist(), strict=True))

    a, b = to_work(first), to_work(second)
    both = sorted(a.keys() & b.keys())
    same = np.mean([a[k] == b[k] for k in both])
    assert len(both) > 1_000
    assert 0.75 < same < 0.999


def test_the_day_is_logged(city: City) -> None:
    log = Log()
    m = people(city, residents=500, log=log)
    m.plan_day(0, weekend=True, rain_mm_h=1.0)
    row = log.close().frame(DayPlanned).iloc[0]
    assert (row["day"], row["weekend"], row["trips"]) == (0, True, len(m.trips))
    assert row["people"] == len(np.unique(m.trips.row))
