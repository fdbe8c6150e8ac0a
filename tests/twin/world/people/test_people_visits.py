"""Errands to a place: who is free goes, there and back in real trips; nobody else's day changes."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_city import column, live, people

from geo.city import City
from twin.errors import ScenarioError
from twin.world.people.plans import Trips
from twin.world.people.ports import CAR, PURPOSES

ERRAND = PURPOSES.index("errand")
H = 3600
BLOCK = 60


def of(trips: Trips, rows: np.ndarray, inside: bool, from_s: int = 0) -> list[tuple[int, ...]]:
    """Return all that is planned from a second on for these people, or for all others."""
    keep = (np.isin(trips.row, rows) == inside) & (trips.planned_s >= from_s)
    columns = (trips.row, trips.trip, trips.purpose, trips.mode, trips.origin, trips.destination, trips.planned_s)
    return sorted(zip(*(c[keep].tolist() for c in columns), strict=True))


def test_those_who_are_free_go_there_and_home_again(city: City) -> None:
    m = people(city, residents=3_000)
    m.plan_day(0, weekend=False)
    live(m, 0, 8 * H)
    before = m.trips
    asked = np.arange(0, 900, 3)
    arrive = 10 * H + 7 * asked
    goes = m.visit(asked, BLOCK, arrive, 2_400)
    assert goes.dtype == bool
    assert 30 < goes.sum() < asked.size
    sent = asked[goes]
    t = m.trips
    assert of(t, sent, inside=False, from_s=8 * H) == of(before, sent, inside=False, from_s=8 * H)
    new = np.flatnonzero((t.purpose == ERRAND) & (t.destination == BLOCK) & np.isin(t.row, sent))
    assert sorted(t.row[new].tolist()) == sorted(sent.tolist())
    due = dict(zip(asked.tolist(), arrive.tolist(), strict=True))
    there_s = t.planned_s[new] + t.expected_s[new]
    assert np.abs(there_s - [due[r] for r in t.row[new].tolist()]).max() <= 1
    home = m.population.people.home
    assert (t.origin[new] == home[t.row[new]]).all()
    assert (t.destination[new + 1] == home[t.row[new]]).all()
    assert (np.abs(t.planned_s[new + 1] - [due[r] + 2_400 for r in t.row[new].tolist()]) <= 1).all()
    # one of a household, and no more cars of one than it has
    households = m.population.people.household[sent]
    assert np.unique(households).size == sent.size
    # they really set out, and are there
    parts = live(m, 8 * H, 11 * H)
    out = set(column(parts, "resident")[column(parts, "purpose") == ERRAND].tolist())
    assert set(sent[arrive[goes] < 10.5 * H].tolist()) <= out
    assert (t.mode[new] == CAR).any()


def test_a_person_goes_once_and_only_when_free(city: City) -> None:
    m = people(city, residents=2_000)
    m.plan_day(0, weekend=False)
    live(m, 0, 8 * H)
    asked = np.repeat(np.arange(400), 2)
    goes = m.visit(asked, BLOCK, np.full(800, 10 * H), 1_800)
    assert not goes[1::2].any()
    again = m.visit(asked[goes], BLOCK, np.full(int(goes.sum()), 14 * H), 1_800)
    assert goes.any()
    assert not again.any()
    home = m.population.people.home[:2_000]
    assert not m.visit(np.flatnonzero(home == BLOCK), BLOCK, np.full(int((home == BLOCK).sum()), 15 * H), 60).any()
    rest = np.arange(400, 2_000)
    assert not m.visit(rest, BLOCK, np.full(1_600, 23 * H + 3_000), 3_600).any()  # not home before midnight
    assert not m.visit(rest, BLOCK, np.full(1_600, 7 * H), 600).any()  # in the past
    t = m.trips
    chain = np.flatnonzero(t.row[1:] == t.row[:-1])
    assert (t.destination[chain] == t.origin[chain + 1]).all()


def test_who_goes_does_not_depend_on_who_else_is_asked(city: City) -> None:
    plans = []
    alone = np.arange(0, 300, 4)
    for others in (np.empty(0, dtype=np.int64), np.arange(1_500, 2_000)):
        m = people(city, residents=2_000)
        m.plan_day(0, weekend=False)
        ids = np.concatenate([alone, others])
        households = m.population.people.household
        assert not np.isin(households[others], households[alone]).any()
        goes = m.visit(ids, BLOCK, np.full(ids.size, 10 * H), 1_800)
        plans.append((goes[: alone.size].tolist(), of(m.trips, alone, inside=True)))
    assert plans[0] == plans[1]


def test_what_cannot_be_asked(city: City) -> None:
    m = people(city, residents=200)
    with pytest.raises(ScenarioError, match="before the day is planned"):
        m.visit(np.array([1]), BLOCK, np.array([H]), 60)
    m.plan_day(0, weekend=False)
    with pytest.raises(IndexError, match=r"residents are 0\.\.199"):
        m.visit(np.array([200]), BLOCK, np.array([H]), 60)
    assert m.visit(np.empty(0, np.int64), BLOCK, np.empty(0, np.int64), 60).size == 0
