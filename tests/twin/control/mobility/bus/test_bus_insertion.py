"""The quick insertion against trying out every place; times, ways and battery against hand calculation."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.mobility.bus.bus_town import (
    BLOCK_M,
    LIMIT_M_S,
    RULES,
    STOP_ROADS,
    Town,
    closed,
    request,
    setup,
    told_map,
    told_stops,
)
from twin.control.mobility.bus.desk import BusDesk
from twin.control.mobility.bus.insertion import Insertion, Slack, Weights, cost_of, wishes
from twin.control.mobility.bus.policies import OnDemand
from twin.control.mobility.bus.ports import Booking, Visit, Walk
from twin.control.mobility.bus.routes import drive_s, energy_left_wh, fault, timed, without
from twin.control.mobility.bus.ways import Atlas
from twin.control.mobility.permits import Grant

SIX = 6 * 3600


class Spy:
    """Keeps the views it gets, and plans on demand."""

    def __init__(self):
        self.views = []
        self.inner = OnDemand(moves=0)

    def plan(self, view):
        if view.request is not None:
            self.views.append(view)
        return self.inner.plan(view)


def views(seed, n, buses=1):
    """The views of a desk that is asked ``n`` times within minutes, some plans already under way."""
    spy = Spy()
    town = Town(BusDesk(spy), setup(buses, battery_wh=10**6))
    rng = np.random.default_rng(seed)
    for b in range(1, n + 1):
        a, z = rng.choice(len(STOP_ROADS), 2, replace=False).tolist()
        t = SIX + 40 * b
        due = -1 if rng.random() < 0.7 else t + int(rng.integers(900, 3600))
        town.at(t, request(b, t, a, z, int(rng.integers(1, 5)), wanted=t + int(rng.integers(0, 1200)), due=due))
    town.run(SIX + 40 * n + 10)
    return spy.views


def every_place(view, bus, wish, weights):
    """The costs of all places for getting on and off that break no rule, by the plain reckoning."""
    n, b = len(bus.visits), wish.booking.booking
    base = drive_s(bus, bus.visits)
    for on in range(n + 1):
        for on_joins in (False, True):
            if on_joins and (on == n or bus.visits[on].stop != wish.from_stop):
                continue
            for off in range(on + on_joins, n + 1):
                for off_joins in (False, True):
                    if off_joins and (off == n or bus.visits[off].stop != wish.to_stop):
                        continue
                    place = Insertion(0.0, bus.unit, on, on_joins, off, off_joins, wish.from_stop, wish.to_stop)
                    visits = place.visits(bus.visits, b)
                    if not fault(view, bus, visits):
                        yield cost_of(view, bus, visits, wish, weights, drive_s(bus, visits) - base)


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_cheapest_insertion_is_that_of_trying_every_place(seed):
    weights, compared = Weights(), 0
    for view in views(seed, 9):
        for wish in wishes(view, view.request, 2):
            bus = view.buses[0]
            best = Slack(view, bus).best(wish, weights)
            brute = min(every_place(view, bus, wish, weights), default=None)
            if brute is None:
                assert best is None
            else:
                assert best is not None
                assert best.cost == pytest.approx(brute)
                visits = best.visits(bus.visits, view.request.booking)
                assert fault(view, bus, visits) == ""
                compared += 1
    assert compared > 0


def test_of_two_buses_the_cheaper_one_is_taken():
    for seed in range(5):
        for view in views(seed, 8, buses=2):
            wish = wishes(view, view.request, 1)
            if not wish:
                continue
            costs = {bus.unit: min(every_place(view, bus, wish[0], Weights()), default=None) for bus in view.buses}
            possible = {unit: cost for unit, cost in costs.items() if cost is not None}
            plan = OnDemand().plan(view)
            if not possible:
                assert plan.routes == {}
            else:
                (unit,) = plan.routes
                assert possible[unit] == min(possible.values())


# -- ways ------------------------------------------------------------------------------------------------


def atlas(*more):
    out = Atlas()
    out.pull_out(15)
    for message in (told_map(), told_stops(), *more):
        out.take(0, message)
    return out.ways(Grant(np.ones(len(told_map().road), bool), 40 / 3.6, 1 << 40, ("p",)), 99.0), out


def test_times_go_from_point_to_point():
    ways, _ = atlas()
    time_s, metre_m = ways.table()
    assert time_s[0][0] == 0
    assert time_s[0][1] == BLOCK_M / LIMIT_M_S + 15, "half of the one road, half of the next"
    assert metre_m[0][1] == BLOCK_M
    assert time_s[0][3] == 3 * BLOCK_M / LIMIT_M_S + 15
    road = STOP_ROADS[0]
    assert ways.leg(road, 100.0, road, 150.0) == (50.0 / LIMIT_M_S + 15, 50.0)
    assert ways.way(road, 100.0, road, 150.0).tolist() == [road]


def test_a_point_further_back_on_the_same_road_is_reached_by_a_loop():
    ways, _ = atlas()
    road = STOP_ROADS[0]
    roads = ways.way(road, 250.0, road, 150.0).tolist()
    assert roads[0] == roads[-1] == road
    assert len(roads) == 5, "round a block"
    seconds, metres = ways.leg(road, 250.0, road, 150.0)
    assert metres == 4 * BLOCK_M - 100.0
    assert seconds == metres / LIMIT_M_S + 15


@given(st.integers(0, 79), st.floats(0, 400), st.integers(0, 79), st.floats(0, 400))
@settings(max_examples=60, deadline=None)
def test_the_way_is_as_long_as_the_leg_says(a, pos_a, b, pos_b):
    ways, _ = atlas()
    roads = ways.way(a, pos_a, b, pos_b)
    _, metres = ways.leg(a, pos_a, b, pos_b)
    assert roads[0] == a
    assert roads[-1] == b
    if abs(pos_a - pos_b) > 1e-6 or a != b:
        assert metres == pytest.approx(BLOCK_M * roads.size - pos_a - (BLOCK_M - pos_b), abs=1e-6)


def test_a_closed_road_is_no_way_and_its_stop_is_not_open():
    ways, book = atlas(closed(0, STOP_ROADS[1]))
    time_s, _ = ways.table()
    assert time_s[0][1] == np.inf
    assert time_s[0][2] == 4 * BLOCK_M / LIMIT_M_S + 15, "round the block"
    assert book.is_open[:3] == (True, False, True)
    book.take(1, closed(1, STOP_ROADS[1], False))
    assert ways.table()[0][0][1] == BLOCK_M / LIMIT_M_S + 15


# -- a plan by hand ----------------------------------------------------------------------------------------


def view_of_one():
    return views(1, 1)[0]


def test_times_of_a_plan_by_hand():
    view = view_of_one()
    bus = replace(view.buses[0], visits=(), free_s=SIX, under_way=False, from_s=tuple(view.buses[0].time_s[0]))
    booking = Booking(1, 2, SIX, -1, (Walk(1, SIX + 400),), (Walk(3, 60),))
    view = replace(view, now_s=SIX, bookings={1: booking})
    visits = (Visit(1, board=(1,)), Visit(3, alight=(1,)))
    times = timed(view, bus, visits)
    people_s = RULES.dwell_s + 2 * RULES.person_s
    assert times.arrive_s == (SIX + 55, SIX + 400 + 95)
    assert times.leave_s == (SIX + 400, SIX + 400 + 95 + people_s)
    assert times.home_s == times.leave_s[-1] + bus.home_s[3]
    assert fault(view, bus, visits) == ""
    assert "is not aboard" in fault(view, bus, visits[::-1])
    assert "left aboard" in fault(view, bus, visits[:1])
    assert "1 seats, 2 people" in fault(view, replace(bus, seats=1), visits)
    assert "must be by" in fault(view, replace(bus, until_s=SIX + 500), visits)
    assert "below its reserve" in fault(view, replace(bus, energy_wh=100.0), visits)
    assert "is closed" in fault(replace(view, open=(True, True, True, False)), bus, visits)
    late = replace(view, bookings={1: replace(booking, origin=(Walk(1, SIX - RULES.max_wait_s),))})
    assert "later than" in fault(late, bus, visits)
    assert without(visits, (1,), under_way=True) == (Visit(1),)
    assert without(visits, (1,), under_way=False) == ()


def test_the_battery_by_hand():
    view = view_of_one()
    bus = replace(
        view.buses[0], visits=(), free_s=SIX, under_way=False, at_home=False, energy_wh=5000.0, idle_w=0.0,
        from_s=tuple(view.buses[0].time_s[0]), from_m=tuple(view.buses[0].metre_m[0]),
    )  # fmt: skip
    view = replace(view, now_s=SIX, bookings={1: Booking(1, 1, SIX, -1, (Walk(1, SIX + 100),), (Walk(3, 60),))})
    visits = (Visit(1, board=(1,)), Visit(3, alight=(1,)))
    used = (BLOCK_M + 2 * BLOCK_M + bus.home_m[3]) * bus.wh_m
    assert energy_left_wh(view, bus, visits, 1.0) == pytest.approx(5000.0 - used)
    apart = (*visits, Visit(1, depart_s=SIX + 3 * 3600))
    gap = energy_left_wh(view, bus, apart, 1.0)
    assert gap > 5000.0 - used - (bus.out_m[1] + bus.home_m[1]) * bus.wh_m, "it charges in between"


# -- size ----------------------------------------------------------------------------------------------


def test_200_buses_decide_on_a_booking_in_less_than_50_ms():
    desk, took = BusDesk(), []
    town = Town(desk, setup(200), start=SIX - 120)
    decide = desk.decide

    def timed_decide(now, messages):
        begin = time.process_time()
        out = decide(now, messages)
        if any(hasattr(m, "from_x_m") for m in messages):
            took.append(time.process_time() - begin)
        return out

    desk.decide = timed_decide
    rng = np.random.default_rng(5)
    for b in range(1, 161):  # 5,000 in 16 hours are 156 in half an hour
        a, z = rng.choice(len(STOP_ROADS), 2, replace=False).tolist()
        t = SIX + int(b * 11.5)
        town.at(t, request(b, t, a, z, int(rng.integers(1, 4)), wanted=t + int(rng.integers(0, 1800))))
    town.run(SIX + 1900)
    assert len(took) == 160
    assert np.percentile(took, 95) < 0.05
