"""Events draw people who are free and near; they come, and go home again."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_city import column, live, people

from geo.city import City
from twin.errors import ScenarioError
from twin.world.people.ports import PURPOSES

EVENT = PURPOSES.index("event")
H = 3600


def test_an_event_draws_visitors_there_and_back(city: City) -> None:
    m = people(city, residents=5_000)
    m.plan_day(0, weekend=False)
    block = 60
    before = len(m.trips)
    live(m, 0, 12 * H)
    came = m.attract(block, 800, 18 * H, 21 * H, "lantern festival")
    assert came == 800
    assert len(m.trips) < before + 1_600
    t = m.trips
    there = np.flatnonzero(t.purpose == EVENT)
    assert (t.destination[there] == block).all()
    assert (t.destination[there + 1] == m.population.people.home[t.row[there]]).all()
    parts = live(m, 12 * H, 27 * H)
    going = column(parts, "purpose") == EVENT
    assert going.sum() == 800
    arrive = t.planned_s[there] + t.expected_s[there]
    assert (arrive > 17.6 * H).all()
    assert (arrive <= 18 * H + 1).all()
    back = t.planned_s[there + 1]
    assert ((back >= 21 * H) & (back < 21.4 * H)).all()
    # nearer people come more readily
    p = m.population.people
    way = m.travel.distance_m(p.home[:5_000], np.full(5_000, block))
    assert way[t.row[there]].mean() < 0.85 * way.mean()
    # nobody is asked who had something else to do: chains stay sound
    again = np.flatnonzero(t.row[1:] == t.row[:-1])
    assert (t.destination[again] == t.origin[again + 1]).all()


def test_the_same_event_draws_the_same_people_and_leaves_others_alone(city: City) -> None:
    plans = []
    for people_drawn in (200, 200, 0):
        m = people(city, residents=3_000)
        m.plan_day(0, weekend=True)
        if people_drawn:
            assert m.attract(60, people_drawn, 15 * H, 17 * H, "fair") == people_drawn
        plans.append(m.trips)
    drawn = np.unique(plans[0].row[plans[0].purpose == EVENT])
    assert np.array_equal(drawn, np.unique(plans[1].row[plans[1].purpose == EVENT]))
    others = ~np.isin(plans[0].row, drawn)
    same = ~np.isin(plans[2].row, drawn)
    assert np.array_equal(plans[0].planned_s[others], plans[2].planned_s[same])
    assert np.array_equal(plans[0].mode[others], plans[2].mode[same])


def test_no_more_come_than_are_free(city: City) -> None:
    m = people(city, residents=200)
    m.plan_day(0, weekend=False)
    first = m.attract(60, 10_000, 14 * H, 16 * H, "a")
    assert 0 < first < 200
    assert m.attract(60, 0, 18 * H, 19 * H, "nobody") == 0
    # nobody goes to two events a day
    m.attract(61, 10_000, 19 * H, 20 * H, "b")
    t = m.trips
    assert np.bincount(t.row[t.purpose == EVENT]).max() == 1


def test_two_events_draw_different_people(city: City) -> None:
    drawn = []
    for cause in ("opera", "football"):
        m = people(city, residents=3_000)
        m.plan_day(0, weekend=True)
        m.attract(60, 150, 15 * H, 17 * H, cause)
        drawn.append(set(m.trips.row[m.trips.purpose == EVENT].tolist()))
    assert len(drawn[0] & drawn[1]) < 75


def test_an_event_needs_a_day(city: City) -> None:
    with pytest.raises(ScenarioError, match="before the day is planned"):
        people(city, residents=10).attract(3, 5, 100, 200, "x")


def test_late_news_bring_late_visitors(city: City) -> None:
    m = people(city, residents=2_000)
    m.plan_day(0, weekend=True)
    live(m, 0, 15 * H)
    assert m.attract(60, 100, 15 * H, 17 * H, "flash") == 100
    t = m.trips
    there = np.flatnonzero(t.purpose == EVENT)
    assert t.planned_s[there].min() >= 15 * H
    parts = live(m, 15 * H, 27 * H)
    assert (column(parts, "purpose") == EVENT).sum() == 100


@pytest.mark.parametrize("factor", [0.0, 0.5])
def test_less_demand_drops_whole_tours(city: City, factor: float) -> None:
    m = people(city, residents=4_000)
    m.plan_day(0, weekend=False)
    before = m.trips
    live(m, 0, 9 * H)
    left = len(m.trips.take(m._agenda.not_begun()))
    lost = -m.scale(factor, 9 * H, 24 * H, "stay at home")
    t = m.trips
    assert 0 < lost < left
    assert len(t) == left - lost
    again = np.flatnonzero(t.row[1:] == t.row[:-1])
    assert (t.destination[again] == t.origin[again + 1]).all()
    home = m.population.people.home[t.row]
    out = (t.origin == home) & (t.row < 4_000) & (t.planned_s >= 9 * H)
    had = (before.origin == m.population.people.home[before.row]) & (before.row < 4_000) & (before.planned_s >= 9 * H)
    # night workers' way out is not dropped: they come home tomorrow
    assert out.sum() / had.sum() == pytest.approx(factor, abs=0.06)
    parts = live(m, 9 * H, 27 * H)
    assert len(column(parts, "trip")) == len(t)


def test_a_change_of_demand_lasts(city: City) -> None:
    m = people(city, residents=1_000)
    m.plan_day(0, weekend=False)
    assert m.scale(0.0, 20 * H, None, "curfew") < 0
    live(m, 0, 24 * H)
    m.plan_day(1, weekend=False)
    mine = (m.trips.row < 1_000) & (m.trips.planned_s >= 24 * H)
    going = m.trips.origin[mine] == m.population.people.home[m.trips.row[mine]]
    assert going.sum() < 40  # only who does not come home that day: night shifts
    m = people(city, residents=1_000)
    m.plan_day(0, weekend=False)
    assert m.scale(0.0, 20 * H, 22 * H, "evening") < 0
    live(m, 0, 24 * H)
    m.plan_day(1, weekend=False)
    assert (m.trips.row < 1_000).sum() > 1_500


def test_more_demand_sends_free_people_out(city: City) -> None:
    m = people(city, residents=4_000)
    m.plan_day(0, weekend=True)
    before = m.trips
    window = (before.planned_s >= 14 * H) & (before.planned_s < 18 * H) & (before.row < 4_000)
    begins = window & (before.origin == m.population.people.home[before.row])
    added = m.scale(1.3, 14 * H, 18 * H, "sale")
    assert added == 2 * round(0.3 * begins.sum())
    t = m.trips
    assert len(t) == len(before) + added
    again = np.flatnonzero(t.row[1:] == t.row[:-1])
    assert (t.destination[again] == t.origin[again + 1]).all()
    assert m.scale(1.0, 14 * H, 18 * H, "nothing") == 0
    parts = live(m, 0, 27 * H)
    assert len(column(parts, "trip")) == len(t)
    with pytest.raises(ScenarioError, match="negative"):
        m.scale(-0.1, 0, 1, "x")


def test_an_extra_way_that_is_over_is_not_forgotten(city: City) -> None:
    """Trips are numbered by day and place in it: a second extra way on one day would have the number of the first."""
    m = people(city, residents=2_000)
    m.plan_day(0, weekend=True)
    parts = [live(m, 0, 9 * H)]
    everybody, block = np.arange(2_000), 60
    first = m.visit(everybody, block, np.full(2_000, 10 * H), 600)
    assert first.sum() > 20
    parts.append(live(m, 9 * H, 15 * H))
    again = m.visit(everybody, block, np.full(2_000, 17 * H), 600)
    assert again.sum() > 20
    assert not (first & again).any()
    parts.append(live(m, 15 * H, 24 * H))
    m.plan_day(1, weekend=True)
    parts.append(live(m, 24 * H, 33 * H))
    assert (m.visit(everybody, block, np.full(2_000, 34 * H), 600) & first).any(), "another day, another way"
    parts.append(live(m, 33 * H, 48 * H))
    named = [(int(r), int(t)) for p in parts for r, t in zip(column(p, "resident"), column(p, "trip"), strict=True)]
    assert len(named) == len(set(named))
