"""The shipped policies, a policy of one's own in ten lines, and what the desk says to a policy that breaks a rule."""

from __future__ import annotations

import numpy as np
import pytest

from tests.twin.control.mobility.bus.bus_town import STOP_ROADS, Town, line_times, request, setup
from twin.control.mobility.bus import ports
from twin.control.mobility.bus.desk import BusDesk
from twin.control.mobility.bus.policies import BookedStops, OnDemand, Timetabled
from twin.control.mobility.bus.ports import Plan, Visit
from twin.control.mobility.bus.routes import fault, timed

SIX = 6 * 3600
DEPARTS = [SIX + 1800, SIX + 3600, SIX + 5400]
STEP_S = 90


def ride(policy, *bookings, n=2, hours=2):
    town = Town(BusDesk(policy), setup(n, line=line_times(DEPARTS, STEP_S)))
    for booking in bookings:
        town.at(booking.t_s, booking)
    town.run(SIX + hours * 3600)
    return town


def test_a_timetable_is_driven_on_time_booked_or_not():
    town = ride(Timetabled())
    doors = [(t, c.stop) for t, c, *_ in town.doors_log]
    assert [stop for _, stop in doors] == [f"S{k}" for k in range(6)] * 3
    first = [t for t, stop in doors if stop == "S0"]
    assert first == DEPARTS, "the doors close, and the bus sets out, at the departure"
    for run, depart in enumerate(DEPARTS):
        for k in range(1, 5):
            assert doors[6 * run + k][0] == depart + k * STEP_S, "never before, and here never after the timetable"


def test_a_seat_is_booked_on_a_run_of_the_timetable():
    town = ride(Timetabled(), request(1, SIX + 60, 1, 4, wanted=SIX + 1200))
    answer = town.answers[1]
    assert (answer.stop, answer.to_stop) == ("S1", "S4")
    assert answer.pickup_s == DEPARTS[0] + STEP_S
    assert town.desk.ended == {1: "served"}
    assert town.boarded[1][0] == answer.pickup_s


def test_nobody_rides_against_the_direction_of_the_line():
    town = ride(Timetabled(), request(1, SIX + 60, 4, 1, wanted=SIX + 1200))
    assert not town.answers[1].accepted
    assert "no run of the timetable" in town.answers[1].reason


def test_a_full_run_is_refused():
    bookings = [request(b, SIX + 60 + b, 1, 4, 4, wanted=SIX + 1200) for b in range(1, 4)]
    town = ride(Timetabled(), *bookings)
    assert [town.answers[b].accepted for b in (1, 2, 3)] == [True, True, False]
    assert town.answers[3].reason == "no seat in time"


def test_booked_stops_leaves_out_what_nobody_booked():
    town = ride(
        BookedStops(), request(1, SIX + 60, 1, 4, wanted=SIX + 1200), request(2, SIX + 70, 1, 3, wanted=SIX + 1250)
    )
    assert [c.stop for _, c, *_ in town.doors_log] == ["S1", "S3", "S4"], "one run, its booked stops only"
    assert town.desk.ended == {1: "served", 2: "served"}
    assert town.boarded[1][0] == DEPARTS[0] + STEP_S
    assert ride(BookedStops()).legs == [], "a run without bookings does not go"


def test_on_demand_pools_those_who_go_the_same_way():
    town = Town(BusDesk(OnDemand()), setup(2))
    for b in (1, 2, 3):
        town.at(SIX + 60 + b, request(b, SIX + 60 + b, b - 1, 6))
    town.run(SIX + 3600)
    assert set(town.desk.ended.values()) == {"served"}
    assert len({unit for _, unit, _ in town.boarded.values()}) == 1


def test_looking_the_plans_through_moves_a_booking_that_got_a_better_bus():
    """The first bus goes out for two; when one of them cancels, what is left fits the other bus better."""
    changed = []

    class Watched(OnDemand):
        def plan(self, view):
            plan = super().plan(view)
            if view.request is None and plan.routes:
                before = {b: bus.unit for bus in view.buses for v in bus.visits for b in v.board}
                after = {b: unit for unit, visits in plan.routes.items() for v in visits for b in v.board}
                changed.append({b for b in after if after[b] != before[b]})
            return plan

    for seed in range(6):
        town = Town(BusDesk(Watched()), setup(2))
        rng = np.random.default_rng(seed)
        for b in range(1, 26):
            a, z = rng.choice(len(STOP_ROADS), 2, replace=False).tolist()
            t = SIX + 100 * b
            town.at(t, request(b, t, a, z, wanted=t + int(rng.integers(600, 3000))))
            if b % 3 == 0:
                town.at(t + 50, lambda town, b=b: town.give_up(b))
        town.run(SIX + 3 * 3600)
        assert town.desk.waiting == ()
        assert town.changes == [], "a move keeps every promise"
    assert any(changed), "at least one booking changed its bus"


class FreeFirst:
    """The example of ports.py."""

    def plan(self, view):
        booking, best = view.request, {}
        for bus in view.buses if booking else ():
            on = Visit(booking.origin[0].stop, board=(booking.booking,))
            off = Visit(booking.destination[0].stop, alight=(booking.booking,))
            visits = (*bus.visits, on, off)
            if not fault(view, bus, visits):
                best[bus.unit] = (timed(view, bus, visits).arrive_s[-1], visits)
        unit = min(best, key=best.get, default=None)
        return Plan({unit: best[unit][1]} if best else {})


def test_the_policy_in_ten_lines_is_the_one_in_the_documentation_and_works():
    shown = ports.__doc__.split("::\n\n", 1)[1].split("\n\n``timed``")[0]
    code = "\n".join(line[4:] for line in shown.splitlines())
    names = {"Visit": Visit, "Plan": Plan, "fault": fault, "timed": timed}
    exec(compile(code, "ports.py", "exec"), names)
    for policy in (names["FreeFirst"](), FreeFirst()):
        town = Town(BusDesk(policy), setup(2))
        for b in range(1, 9):
            town.at(SIX + 200 * b, request(b, SIX + 200 * b, b % 6, 6 + b % 5))
        town.run(SIX + 3 * 3600)
        assert town.desk.waiting == ()
        assert list(town.desk.ended.values()).count("served") >= 4
        assert town.changes == []


def broken_policies():
    def lose(view):
        bus = next((b for b in view.buses if any(v.board for v in b.visits)), None)
        return Plan({bus.unit: ()}) if bus is not None else FreeFirst().plan(view)

    def overfill(view):
        if view.request is None:
            return Plan()
        b, bus = view.request.booking, view.buses[0]
        return Plan({bus.unit: (*bus.visits, Visit(0, board=(b,)))})

    def invent(view):
        return Plan({view.buses[0].unit: (Visit(0, board=(999,)), Visit(1, alight=(999,)))})

    def foreign(view):
        return Plan({42: ()})

    return {"lost, doubled": lose, "would be left aboard": overfill, "invented": invent, "allowed: shuttle-1": foreign}


@pytest.mark.parametrize("words", broken_policies())
def test_a_policy_that_breaks_a_rule_is_named(words):
    plan = broken_policies()[words]

    class Bad:
        def plan(self, view):
            return plan(view) if view.request is not None else Plan()

    town = Town(BusDesk(Bad()), setup(1))
    two = [request(b, town.now, b - 1, 4, wanted=SIX + 900) for b in (1, 2)]
    with pytest.raises(ValueError, match=words) as error:
        town.tell(two)
    assert "policy Bad" in str(error.value)
