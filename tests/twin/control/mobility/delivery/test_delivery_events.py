"""What the desk does when a permit ends, a road closes, a depot shuts, a unit breaks, an operator is needed."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.bench.deliveries import DAY_S, HOUR_S, Faults, Setting, World
from twin.control.mobility.delivery.answers import BETWEEN_S, MOST
from twin.control.mobility.delivery.desk import DeliveryDesk
from twin.control.mobility.delivery.operators import Operators
from twin.control.mobility.delivery.policies import CourierRounds, NearestFirst
from twin.control.mobility.delivery.ports import Missed
from twin.control.mobility.delivery.rules import Charging, LockerAfterTwo
from twin.control.mobility.stranded import WAIT_S
from twin.control.mobility.streets import Streets
from twin.domain.delivery import AnswerOrder, GiveUpOrder, HandOver, LoadOrders, OrderCancelled, ReturnOrders
from twin.domain.messages import ClosureReport
from twin.domain.mobility import (
    AssistUnit,
    ChargeUnit,
    DriveTo,
    FetchUnit,
    HaltUnit,
    Instruction,
    PermitIssued,
    PermitWithdrawn,
    PlaceChanged,
    ResumeUnit,
)

START_S = 8 * HOUR_S


def world_of(setting=None, faults=None, policy=None, orders=6, seed=1):
    desk = DeliveryDesk(policy or NearestFirst())
    world = World(desk, setting or Setting(), faults or Faults(), seed, START_S)
    world.place_orders(START_S + 60, orders)
    return world


def given_to(world, kind, after_s=0):
    return [(t, c) for t, _, answer in world.journal for c in answer if isinstance(c, kind) and t >= after_s]


def under_way(world, task="deliver"):
    """Run until a unit has a leg of more than three roads for the task; return it and the second."""
    for t in range(START_S + 60, START_S + 2 * HOUR_S, 30):
        world.run(t)
        for u in world.units.values():
            if u.doing == "driving" and len(u.way) > 4 and world.now_s - u.began_s < 30:
                legs = [c for _, c in given_to(world, DriveTo) if c.unit == u.number]
                if legs[-1].task == task:
                    return u, world.now_s
    raise AssertionError("no long leg was driven")


def test_a_permit_withdrawn_on_the_way_halts_the_unit_and_a_new_one_brings_it_on():
    world = world_of(Setting(units=1, side=8))
    unit, t = under_way(world)
    permit = next(m for _, ms, _ in world.journal for m in ms if isinstance(m, PermitIssued))
    world.at(t + 5, lambda: world.tell(PermitWithdrawn(t + 5, "gone", "P1", "road works")))
    world.run(t + 400)
    halts = given_to(world, HaltUnit, t)
    assert [(c.unit, c.reason) for _, c in halts] == [(unit.number, "no permit holds now")]
    assert halts[0][0] <= t + 5 + 30, "in the next slot at the latest"
    assert given_to(world, DriveTo, halts[0][0]) == []
    again = PermitIssued(
        t + 500, "permit/2", "P2", *[getattr(permit, f) for f in list(permit.__dataclass_fields__)[3:]]
    )
    world.at(t + 500, lambda: world.tell(again))
    world.run(t + 2 * HOUR_S)
    assert len(given_to(world, ResumeUnit, t)) == 1
    assert len(world.delivered) == 6
    assert world.check() == []


def test_without_another_permit_the_crew_brings_the_unit_home_and_its_parcels_to_the_depot():
    world = world_of(Setting(units=1, side=8))
    unit, t = under_way(world)
    aboard = list(unit.aboard)
    world.at(t + 5, lambda: world.tell(PermitWithdrawn(t + 5, "gone", "P1", "road works")))
    world.run(t + 2 * HOUR_S)
    calls = given_to(world, FetchUnit, t)
    assert [(c.unit, c.reason) for _, c in calls] == [(unit.number, "no permit holds")]
    assert WAIT_S <= calls[0][0] - (t + 5) <= WAIT_S + 60
    assert given_to(world, DriveTo, t + 30) == [], "it is carried, not driven"
    assert unit.road == world.depot_road[unit.depot]
    assert {world.where[o] for o in aboard if o not in world.delivered} == {"depot"}
    assert world.check() == []


def test_a_road_that_closes_ahead_is_driven_round():
    world = world_of(Setting(units=1, side=8))
    unit, t = under_way(world)
    shut = unit.way[-2]
    world.at(t + 1, lambda: world.tell(ClosureReport(t + 1, "c", shut, True, "police")))
    world.run(t + 31)
    legs = [c for s, c in given_to(world, DriveTo, t + 1)]
    assert legs
    assert legs[0].unit == unit.number
    assert shut not in legs[0].roads.tolist()
    world.run(START_S + 6 * HOUR_S)
    assert all(shut not in c.roads.tolist() for _, c in given_to(world, DriveTo, t + 1))
    assert world.check() == []


def test_a_depot_that_shuts_loads_nothing_and_refuses_and_nothing_is_lost():
    world = world_of(Setting(units=2), orders=12)
    shut_s, open_s = START_S + 200, START_S + 3 * HOUR_S
    world.at(shut_s, lambda: world.tell(PlaceChanged(shut_s, "shut", "depot-0", "depot", False, 0)))
    world.place_orders(START_S + HOUR_S, 3)
    world.at(open_s, lambda: world.tell(PlaceChanged(open_s, "open", "depot-0", "depot", True, 8)))
    world.run(START_S + 10 * HOUR_S)
    assert [t for t, _ in given_to(world, LoadOrders) if shut_s <= t < open_s] == []
    refused = [a for a in world.answers.values() if not a.accepted]
    assert [(a.order, a.reason) for a in refused] == [(o, "the depot is closed") for o in (13, 14, 15)]
    assert sorted(world.delivered) == list(range(1, 13))
    assert world.check() == []


def test_a_charger_that_fails_is_not_used_and_the_others_are_queued_for():
    world = world_of(Setting(units=4, chargers=2), orders=12)
    world.at(START_S + 1, lambda: world.tell(PlaceChanged(START_S + 1, "one", "depot-0", "charger", True, 1)))
    world.run(START_S + 8 * HOUR_S)
    busy, most = 0, 0
    for _, messages, answer in world.journal:
        busy -= sum(getattr(m, "what", "") == "charged" for m in messages)
        busy += sum(isinstance(c, ChargeUnit) for c in answer)
        most = max(most, busy)
    assert most == 1
    assert len(given_to(world, ChargeUnit)) > 2


def test_what_a_broken_unit_was_to_load_goes_to_another_and_what_is_aboard_waits_for_the_crew():
    world = world_of(Setting(units=2, side=8), orders=4)
    unit, t = under_way(world)
    aboard = list(unit.aboard)
    unit.token += 1
    world._break(unit)
    world.run(t + 1_000)
    assert all(world.where[o] == "unit" for o in aboard)
    assert all(c.unit != unit.number for _, c in given_to(world, DriveTo, t))
    world.run(START_S + 8 * HOUR_S)
    assert len(world.delivered) == 4
    assert world.check() == []


def test_a_silent_unit_gets_no_new_orders_and_brings_what_it_holds_when_it_is_back():
    world = world_of(Setting(units=2, side=8), orders=4)
    unit, t = under_way(world)
    held = list(unit.aboard)
    unit.linked = False
    world.at(t + 1_800, lambda: world._relink(unit))
    world.place_orders(t + 700, 2)
    world.run(t + 1_790)
    assert all(c.unit != unit.number for s, c in given_to(world, LoadOrders, t + 330))
    assert all(o not in world.delivered for o in held)
    world.run(START_S + 8 * HOUR_S)
    assert all(o in world.delivered for o in held)
    assert world.check() == []


def test_a_cancelled_order_is_never_handed_over():
    world = world_of(Setting(units=1, side=8), orders=14)
    unit, t = under_way(world)
    waits = next(o for o in world.where if o not in unit.aboard and o not in world.delivered)
    inside = unit.aboard[-1]
    for o in (waits, inside):
        world.at(t + 5, lambda o=o: world.tell(OrderCancelled(t + 5, f"no/{o}", o)))
    world.run(START_S + 8 * HOUR_S)
    assert {c.order for _, c in given_to(world, GiveUpOrder)} == {waits, inside}
    assert waits not in world.delivered
    assert inside not in world.delivered
    assert world.where[inside] == "depot"
    assert len(given_to(world, ReturnOrders)) == 1
    assert world.check() == []


def test_units_that_need_help_get_the_operators_there_are_one_after_the_other():
    world = world_of(Setting(units=4, operators=1), Faults(help=0.6), NearestFirst(most=2), orders=20)
    world.run(START_S + 8 * HOUR_S)
    assert len(given_to(world, AssistUnit)) > 5
    assert all(c.operator == 1 for _, c in given_to(world, AssistUnit))
    times = [t for t, _ in given_to(world, AssistUnit)]
    assert min(np.diff(times)) >= 120, "a help takes 120 s here, and there is one operator"
    assert world.check() == []


def test_the_supervision_platform_stops_slows_and_releases():
    world = world_of(Setting(units=1, side=8), orders=3)
    unit, t = under_way(world)
    world.at(t + 1, lambda: world.tell(Instruction(t + 1, "i1", unit.number, "slow", 3.0, "speeding")))
    world.at(t + 2, lambda: world.tell(Instruction(t + 2, "i2", unit.number, "stop", 0.0, "speeding")))
    world.run(t + 1_200)
    after = [c for s, c in given_to(world, DriveTo, t + 1)]
    assert after == [], "a stopped unit is left alone"
    world.at(t + 1_300, lambda: world.tell(Instruction(t + 1_300, "i3", unit.number, "slow", 3.0, "speeding")))
    world.at(t + 1_301, lambda: world.tell(Instruction(t + 1_301, "i4", unit.number, "release", 0.0, "")))
    world.run(START_S + 8 * HOUR_S)
    assert len(world.delivered) == 3
    assert {c.speed_m_s for _, c in given_to(world, DriveTo)} == {7.0}


def test_orders_outside_the_permit_or_too_late_or_too_large_are_refused_with_the_reason():
    world = world_of(Setting(permit_roads=0.4), orders=30)
    world.place_orders(START_S + 12 * HOUR_S - 900, 2)
    world.at(START_S + 100, lambda: None)
    world.run(START_S + 14 * HOUR_S)
    for o, a in world.answers.items():
        outside = not world.allowed[world.order_road[o]]
        if o <= 30 and outside and a.accepted:
            lockers = {c.place for _, c in given_to(world, HandOver) if o in c.orders.tolist()}
            assert lockers, "only into a locker inside"
        elif o <= 30 and outside:
            assert a.reason == "outside the permitted area"
        elif o > 30:
            assert (a.accepted, a.reason) in (
                (False, "cannot be there before closing"),
                (False, "outside the permitted area"),
            )
    large = world_of(Setting(capacity=30), orders=0)
    large.place_orders(START_S + 60, 5, litres=(31, 60))
    large.run(START_S + 300)
    assert all(not a.accepted and a.reason.startswith("too large") for a in large.answers.values())


# -- small rules -------------------------------------------------------------------------------------------------


def missed(**change):
    base = {"order": 1, "now_s": 0, "due_s": 0, "reason": "nobody there", "attempts": 1, "max_attempts": 2,
            "locker": True, "again": True}  # fmt: skip
    return Missed(**{**base, **change})


def test_no_show_again_then_locker_then_depot():
    rule = LockerAfterTwo()
    assert rule.after(missed()) == "again"
    assert rule.after(missed(again=False)) == "locker"
    assert rule.after(missed(attempts=2)) == "locker"
    assert rule.after(missed(attempts=2, locker=False)) == "depot"
    assert rule.after(missed(again=False, locker=False)) == "depot"


def test_two_attempts_and_no_locker_end_in_giving_up():
    world = world_of(Setting(lockers=0), Faults(nobody=1.0), orders=4)
    world.run(START_S + 10 * HOUR_S)
    assert set(world.given_up.values()) == {"not handed over in 2 attempts"}
    assert sorted(world.given_up) == [1, 2, 3, 4]
    tries = [o for _, c in given_to(world, HandOver) for o in c.orders.tolist()]
    assert all(tries.count(o) == 2 for o in world.given_up)
    assert world.check() == []


def test_a_locker_near_enough_takes_what_nobody_takes():
    world = world_of(Setting(side=3, lockers=2), Faults(nobody=1.0), orders=6)
    world.run(START_S + 10 * HOUR_S)
    assert len(world.delivered) == 6
    assert {c.to for _, c in given_to(world, HandOver)} == {"person", "locker"}


@pytest.mark.parametrize(
    ("charge", "short", "target"),
    [(0.3, False, 0.9), (0.5, True, 0.9), (0.5, False, 0.6), (0.88, False, 0.0), (0.9, True, 0.0)],
)
def test_when_a_unit_charges(charge, short, target):
    assert Charging().target(charge, 0.2, short) == pytest.approx(target)


def test_operators_first_come_first_served_and_free_after_the_timeout():
    desk = Operators()
    desk.number, desk.timeout_s = 1, 600
    desk.ask(7, 100)
    desk.ask(3, 90)
    assert desk.turn(110) == [(3, 1)]
    assert desk.turn(600) == []
    assert desk.turn(710) == [(7, 1)], "600 s after he turned to 3 the operator is taken to be free"
    desk.done(7)
    desk.ask(3, 711)
    assert desk.turn(720) == [(3, 1)]


def test_the_promise_is_the_fluid_estimate():
    """k = min(capacity / size, MOST); C = 2 load(k) + 2 there + k stops; a queue of q waits q C / (u k)."""
    town = Setting(units=2, capacity=1_000, plan_s=30)
    world = World(DeliveryDesk(CourierRounds(hold_s=DAY_S)), town, Faults(), 1, START_S)
    world.place_orders(START_S + 60, 1, litres=(10, 10))
    world.place_orders(START_S + 120, 1, litres=(10, 10))
    world.run(START_S + 200)
    answers = [(t, c) for t, c in given_to(world, AnswerOrder)]
    streets = Streets()
    streets.take(world.map)
    streets.permit(world.allowed, 7.0)
    k, stop_s, load_s = MOST, 90 + 20 + BETWEEN_S, 60 + 8 * MOST
    for queue, (t, c) in enumerate(answers):
        there = streets.hop(world.depot_road[0], world.order_road[c.order])
        ready = START_S + 60 * (queue + 1) + 120
        begin = max(t + 30, ready)
        cycle = 2 * load_s + 2 * there + k * stop_s
        expected = begin + queue * cycle / (2 * k) + load_s + there + stop_s * (1 + (k - 1) / 2)
        assert expected <= c.promised_s < expected + 60
