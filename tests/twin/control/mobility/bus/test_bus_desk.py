"""The bus desk in a tiny world of messages: promises, seats, ends, faults; and replays."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.mobility.bus.bus_town import (
    HOME,
    RULES,
    STOP_ROADS,
    Town,
    closed,
    line_times,
    permit,
    request,
    setup,
    weather,
)
from twin.control.mobility.bus import bookings as app
from twin.control.mobility.bus.desk import BusDesk
from twin.control.mobility.bus.policies import BookedStops, OnDemand, Timetabled
from twin.control.mobility.stranded import WAIT_S
from twin.domain.bus import BookingCancelled, BookingRequest, CancelBooking, OpenDoors
from twin.domain.ids import unit_number
from twin.domain.mobility import DriveTo, HaltUnit, Instruction, PermitWithdrawn, ResumeUnit

SIX = 6 * 3600
BUS_1, BUS_2 = int(unit_number("shuttle", 1)), int(unit_number("shuttle", 2))
LINE = line_times(range(SIX + 1800, 20 * 3600, 1200))


def demand(town, seed, n, hours, stops=0, forward=False):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(SIX, SIX + hours * 3600, n)).tolist()
    for b, t in enumerate(times, 1):
        a, z = sorted(rng.choice(stops or len(STOP_ROADS), 2, replace=False).tolist())
        if not forward and rng.random() < 0.5:
            a, z = z, a
        town.at(t, request(b, t, a, z, int(rng.integers(1, 4)), wanted=t + int(rng.integers(0, 2400))))
    return times


def all_ended(town):
    """Every booking is answered once and ended, as the desk and as the world have it."""
    ended = town.desk.ended
    assert town.desk.waiting == ()
    assert set(town.answers) | {b for b, how in ended.items() if how == "cancelled"} >= set(town.party)
    assert set(ended) == set(town.party)
    for b, how in ended.items():
        if how == "refused":
            assert not town.answers[b].accepted
            assert town.answers[b].reason
        elif how == "served":
            assert b in town.alighted
        elif how == "missed":
            assert b not in town.boarded
        else:
            assert how == "cancelled"
            assert b in town.cancelled
            assert town.cancelled[b][1]
    aboard = [b for bus in town.buses.values() for b in bus.aboard]
    assert aboard == [], "nobody is left in a vehicle"


def test_a_booking_is_promised_picked_up_and_brought_there():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(7, SIX + 60, 0, 4, 2))
    town.run(SIX + 3600)
    answer = town.answers[7]
    assert (answer.accepted, answer.stop, answer.to_stop, answer.unit) == (True, "S0", "S4", BUS_1)
    boarded, unit, stop = town.boarded[7]
    assert (unit, stop) == (BUS_1, "S0")
    assert boarded <= answer.pickup_s + RULES.window_s
    assert town.alighted[7][0] <= answer.arrive_s
    assert town.alighted[7][1] == "S4"
    assert town.desk.ended == {7: "served"}
    assert (town.buses[BUS_1].road, town.buses[BUS_1].pos) == (HOME, 50.0), "it went home to charge"


POLICIES = {"on demand": OnDemand, "timetabled": Timetabled, "booked stops": BookedStops}


@pytest.mark.parametrize("name", POLICIES)
@given(st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_promises_hold_when_nothing_goes_wrong(name, seed):
    town = Town(BusDesk(POLICIES[name]()), setup(2, line=None if name == "on demand" else LINE))
    demand(town, seed, 25, 2, *((0, False) if name == "on demand" else (6, True)))
    town.run(SIX + 5 * 3600)
    all_ended(town)
    served = [b for b, how in town.desk.ended.items() if how == "served"]
    assert set(town.desk.ended.values()) <= {"served", "refused"}
    assert len(served) >= 5
    assert town.changes == []
    for b in served:
        answer = town.answers[b]
        assert answer.pickup_s <= town.boarded[b][0] <= answer.pickup_s + RULES.window_s
        assert town.alighted[b][0] <= answer.arrive_s
        assert town.boarded[b][2] == answer.stop
        assert town.alighted[b][1] == answer.to_stop
    assert town.lowest >= 0.2, "the reserve is not touched"


def trouble(town, seed, until):
    """Breakdowns, silences, halts, closures, weather, cancellations: whatever comes to mind of a seed."""
    rng = np.random.default_rng(seed + 17)
    units = list(town.buses)
    for _ in range(int(rng.integers(1, 6))):
        t, unit = int(rng.integers(SIX, until)), units[int(rng.integers(len(units)))]
        what, for_s = (
            rng.choice(["broken", "silent", "halt", "close", "rain", "cancel", "stop"]),
            int(rng.integers(60, 2400)),
        )
        if what == "broken":
            town.at(t, lambda town, u=unit, f=for_s: town.break_down(u, f))
        elif what == "silent":
            town.at(t, lambda town, u=unit, f=for_s: town.silence(u, f))
        elif what == "halt":
            town.at(t, lambda town, u=unit, f=for_s: town.halt(u, f))
        elif what == "close":
            road = STOP_ROADS[int(rng.integers(len(STOP_ROADS)))]
            town.at(t, closed(t, road))
            town.at(t + for_s, closed(t + for_s, road, False))
        elif what == "rain":
            town.at(t, weather(t, 50.0))
            town.at(t + for_s, weather(t + for_s))
        elif what == "cancel":
            b = int(rng.integers(1, 25))
            town.at(t, lambda town, b=b: town.give_up(b))


@pytest.mark.parametrize("name", POLICIES)
@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_whatever_happens_every_booking_ends_and_nobody_is_left_aboard(name, seed):
    rng = np.random.default_rng(seed)
    stays_away = set(rng.choice(30, 4).tolist())
    slow = float(rng.uniform(1.0, 1.6))
    town = Town(
        BusDesk(POLICIES[name]()), setup(2, line=None if name == "on demand" else LINE),
        no_show=lambda b: b in stays_away, slow=lambda _: slow,
    )  # fmt: skip
    demand(town, seed, 25, 2)
    trouble(town, seed, SIX + 2 * 3600)
    town.run(SIX + 6 * 3600)
    all_ended(town)
    for b, how in town.desk.ended.items():
        if b in stays_away:
            assert how in ("missed", "refused", "cancelled")


@given(st.integers(0, 10**6))
@settings(max_examples=3, deadline=None)
def test_a_replay_gives_the_same_commands_and_messages_told_twice_change_nothing(seed):
    town = Town(BusDesk(), setup(2), no_show=lambda b: b % 7 == 0)
    demand(town, seed, 20, 2)
    trouble(town, seed, SIX + 2 * 3600)
    town.run(SIX + 4 * 3600)
    again, twice = BusDesk(), BusDesk()
    before = ()
    for now, messages, commands in town.journal:
        want = [repr(c) for c in commands]
        assert [repr(c) for c in again.decide(now, messages)] == want
        assert [repr(c) for c in twice.decide(now, (*before, *messages, *messages))] == want
        before = messages


# -- refusals ------------------------------------------------------------------------------------------


def refusal(messages, booking, now=SIX + 60):
    town = Town(BusDesk(), messages, start=now - 60)
    town.at(now, booking)
    town.run(now + 10)
    answer = town.answers[booking.booking]
    assert not answer.accepted
    assert town.desk.ended == {booking.booking: "refused"}
    return answer.reason


def test_each_refusal_says_why():
    t = SIX + 60
    ok = request(1, t, 0, 4)
    assert refusal(setup(), request(1, t, 0, 4, party=9)) == app.NO_SEATS
    assert refusal(setup(), BookingRequest(t, "k", 1, 1, -3000.0, 0.0, 100.0, 100.0, t, -1)) == app.TOO_FAR
    near = BookingRequest(t, "k", 1, 1, ok.from_x_m, ok.from_y_m, ok.from_x_m + 200, ok.from_y_m, t, -1)
    assert refusal(setup(), near) == app.WALK
    assert refusal(setup(), request(1, t, 0, 4, wanted=23 * 3600)) == app.OUTSIDE_HOURS
    assert refusal(setup(), request(1, t, 0, 4, wanted=5 * 3600), now=4 * 3600) == app.OUTSIDE_HOURS
    assert refusal(setup(test_h=239.0, test_km=999.0), ok) == app.NOT_ADMITTED
    without = [m for m in setup() if getattr(m, "purpose", "") != "passengers"]
    assert refusal(without, ok) == app.NO_PERMIT
    assert refusal([*setup(), weather(0, rain=RULES.rain_limit_mm_h + 1)], ok) == app.WEATHER
    assert refusal([*setup(), weather(0, visibility=RULES.visibility_limit_m - 1)], ok) == app.WEATHER
    assert refusal(setup(), request(1, t, 0, 4, due=t + 100)) == "no seat in time"


def test_without_map_or_buses_the_answer_is_no_bus():
    desk = BusDesk()
    out = desk.decide(SIX, [request(1, SIX, 0, 4)])
    assert [(c.booking, c.accepted, c.reason) for c in out] == [(1, False, app.NO_BUS)]


def test_admission_needs_hours_or_kilometres():
    for test_h, test_km, admitted in ((240.0, 0.0, True), (0.0, 1000.0, True), (239.0, 900.0, False)):
        town = Town(BusDesk(), setup(1, test_h=test_h, test_km=test_km))
        town.at(SIX + 60, request(1, SIX + 60, 0, 4))
        town.run(SIX + 70)
        assert town.answers[1].accepted == admitted


# -- tests before passengers -----------------------------------------------------------------------------


def test_a_bus_drives_test_laps_until_it_is_admitted_and_then_takes_passengers():
    town = Town(BusDesk(), setup(1, line=LINE, test_h=239.0, test_km=500.0))
    town.at(SIX + 60, request(1, SIX + 60, 0, 4))
    town.at(SIX + 3 * 3600, request(2, SIX + 3 * 3600, 0, 4))
    town.run(SIX + 4 * 3600)
    laps = [(t, c) for t, c in town.legs if c.task == "test"]
    driven_h = sum(c.roads.size - 1 for _, c in laps) * 400 / 10 / 3600
    assert town.answers[1].reason == app.NOT_ADMITTED
    assert town.answers[2].accepted
    assert town.desk.ended[2] == "served"
    assert 0.8 < driven_h < 1.2, "one hour was missing"
    stops = [STOP_ROADS.index(int(c.roads[-1])) for _, c in laps]
    assert stops[:7] == [0, 1, 2, 3, 4, 5, 0], "laps of the line"
    first_doors = min(t for t, *_ in town.doors_log)
    assert first_doors > max(t for t, _ in laps)


# -- what goes wrong -------------------------------------------------------------------------------------


def test_a_no_show_is_dropped_at_the_promise_and_patience_and_the_plan_goes_on():
    town = Town(BusDesk(), setup(1), no_show=lambda b: b == 1)
    town.at(SIX + 60, request(1, SIX + 60, 0, 4))
    town.at(SIX + 61, request(2, SIX + 61, 1, 5))
    town.run(SIX + 3600)
    assert town.desk.ended == {1: "missed", 2: "served"}
    close = next(t for t, c, *_ in town.doors_log if 1 in c.board.tolist())
    opened = next(c for _, c, *_ in town.doors_log if 1 in c.board.tolist())
    assert opened.until_s == close
    assert close >= town.answers[1].pickup_s + RULES.patience_s
    assert close <= town.answers[1].pickup_s + RULES.window_s + RULES.dwell_s + RULES.patience_s
    assert not any(1 in c.alight.tolist() for _, c, *_ in town.doors_log)


def test_a_broken_bus_gives_those_who_wait_to_the_other_and_those_aboard_are_told():
    town = Town(BusDesk(), setup(2))
    town.at(SIX + 60, request(1, SIX + 60, 0, 6))
    town.at(SIX + 61, request(2, SIX + 61, 3, 6))
    town.run(SIX + 62)
    first = town.answers[1].unit
    assert town.answers[2].unit == first, "one bus takes both on its way"
    while 1 not in town.boarded:
        town.run(town.now + 5)
    town.at(town.now + 10, lambda town: town.break_down(first))
    town.run(SIX + 2 * 3600)
    assert town.desk.ended == {1: "cancelled", 2: "served"}
    assert app.NO_BUS not in town.cancelled[1][1]
    assert "broke down" in town.cancelled[1][1]
    assert town.boarded[2][1] != first
    assert [c.booking for _, c in town.changes] in ([2], [])


def test_a_silent_bus_loses_those_who_wait_and_is_used_again_when_it_is_heard():
    town = Town(BusDesk(), setup(2))
    town.at(SIX + 60, request(1, SIX + 60, 9, 3))
    town.run(SIX + 61)
    unit = town.answers[1].unit
    town.run(SIX + 62)
    while not any(c.unit == unit for _, c in town.legs):
        town.run(town.now + 5)
    town.silence(unit, 5400)
    town.run(SIX + 4 * 3600)
    assert town.desk.ended == {1: "served"}
    assert town.boarded[1][1] != unit
    town.at(town.now, lambda town: town.break_down(town.boarded[1][1], 10**6))
    town.run(town.now + 60)
    town.at(town.now + 1, request(2, town.now + 1, 0, 4))
    town.run(town.now + 3600)
    assert town.boarded[2][1] == unit


def test_a_halted_bus_is_late_says_so_and_gives_up_its_passengers_when_it_lasts():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 9, 3))
    town.at(SIX + 60, lambda town: None)
    while not town.legs:
        town.run(town.now + 20)
    town.halt(BUS_1, 420)
    town.run(SIX + 3600)
    assert town.desk.ended == {1: "served"}
    assert [c.booking for _, c in town.changes][:1] == [1]
    new = town.promise[1]
    assert new[2] > town.answers[1].pickup_s
    town.at(town.now + 60, request(2, town.now + 60, 9, 3))
    legs = len(town.legs)
    while len(town.legs) == legs or town.legs[-1][1].task != "stop":
        town.run(town.now + 20)
    town.halt(BUS_1, 3000)
    begin = town.now
    town.run(begin + 2 * 3600)
    assert town.desk.ended[2] == "cancelled"
    assert RULES.halt_s <= town.cancelled[2][0] - begin <= RULES.halt_s + 120


def test_bad_weather_brings_those_aboard_to_the_next_stop_and_cancels_those_who_wait():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 0, 6))
    town.at(SIX + 62, request(2, SIX + 62, 3, 4, wanted=SIX + 500))
    town.at(SIX + 63, request(3, SIX + 63, 3, 4, wanted=SIX + 4 * 3600))
    while 1 not in town.boarded:
        town.run(town.now + 5)
    t = town.now + 20
    town.at(t, weather(t, rain=80.0))
    town.run(t + 1800)
    assert town.desk.ended[2] == "cancelled"
    assert town.cancelled[2][1] == app.WEATHER
    assert 1 in town.alighted
    assert town.desk.ended[1] == ("served" if town.alighted[1][1] == "S6" else "cancelled")
    assert town.desk.waiting == (3,), "what is far ahead is kept"
    legs = len(town.legs)
    town.run(t + 3600)
    assert len(town.legs) == legs, "no trip begins in such weather"
    town.at(t + 3700, weather(t + 3700))
    town.run(SIX + 6 * 3600)
    assert town.desk.ended[3] == "served"


def test_a_closed_stop_moves_those_who_wait_to_another_or_tells_them():
    rules = RULES.__class__(**{**RULES.__dict__, "max_walk_m": 1200.0, "key": "far"})
    town = Town(BusDesk(), setup(1, rules=rules))
    town.at(SIX + 60, request(1, SIX + 60, 1, 6, wanted=SIX + 1800))
    town.run(SIX + 120)
    assert town.answers[1].stop == "S1"
    town.at(SIX + 130, closed(SIX + 130, STOP_ROADS[1]))
    town.run(SIX + 2 * 3600)
    assert town.desk.ended == {1: "served"}
    assert town.changes[0][1].stop == town.boarded[1][2] != "S1"
    strict = Town(BusDesk(), setup(1, rules=RULES.__class__(**{**RULES.__dict__, "max_walk_m": 300.0, "key": "near"})))
    strict.at(SIX + 60, request(1, SIX + 60, 1, 6, wanted=SIX + 1800))
    strict.at(SIX + 130, closed(SIX + 130, STOP_ROADS[1]))
    strict.run(SIX + 2 * 3600)
    assert strict.desk.ended == {1: "cancelled"}
    assert "closed" in strict.cancelled[1][1]


def test_a_closed_road_is_driven_round():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 0, 3))
    while 1 not in town.boarded:
        town.run(town.now + 5)
    while town.buses[BUS_1].busy is None or town.buses[BUS_1].busy[1] != "leg":
        town.run(town.now + 1)
    way = town.buses[BUS_1].busy[2].roads.tolist()
    shut = way[2]
    town.at(town.now + 1, closed(town.now + 1, shut))
    town.run(SIX + 3600)
    assert town.desk.ended == {1: "served"}
    after = [c for t, c in town.legs if c.task == "stop"][-1]
    assert shut not in after.roads.tolist()


def test_a_withdrawn_permit_ends_service_at_the_next_stop():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 0, 6))
    town.at(SIX + 61, request(2, SIX + 61, 9, 3, wanted=SIX + 5000))
    while 1 not in town.boarded:
        town.run(town.now + 5)
    town.at(town.now + 30, PermitWithdrawn(town.now + 30, "gone", "passengers", "complaints"))
    town.run(SIX + 3 * 3600)
    assert 1 in town.alighted
    assert town.desk.ended[2] == "cancelled"
    assert town.cancelled[2][1] == app.NO_PERMIT
    doors = [c for _, c, *_ in town.doors_log]
    assert sum(1 in c.alight.tolist() for c in doors) == 1


def gone(town, name):
    return PermitWithdrawn(town.now + 1, f"gone/{name}", name, "complaints")


def without_permits(town):
    """Let all permits end in the next second."""
    for name in ("passengers", "test"):
        town.at(town.now + 1, gone(town, name))


def driving(town):
    while town.buses[BUS_1].busy is None or town.buses[BUS_1].busy[1] != "leg":
        town.run(town.now + 1)


def test_an_empty_bus_pulls_over_when_its_permit_ends_and_is_brought_home_by_the_crew():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 9, 3))
    town.run(SIX + 61)
    driving(town)
    without_permits(town)
    ended = town.now + 1
    town.run(ended + WAIT_S - 1)
    halts = [t for t, c in town.log if isinstance(c, HaltUnit)]
    assert len(halts) == 1
    assert halts[0] <= ended + 5
    assert town.fetched == []
    assert town.desk.ended[1] == "cancelled", "who waits for it is told"
    town.run(ended + 2 * 3600)
    assert [unit for _, unit in town.fetched] == [BUS_1]
    assert (town.buses[BUS_1].road, town.buses[BUS_1].pos) == (HOME, 50.0)
    assert [t for t, _ in town.legs if t > ended] == [], "it is carried, not driven"


def test_a_permit_that_comes_back_lets_an_empty_bus_go_on():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 9, 3))
    town.run(SIX + 61)
    driving(town)
    without_permits(town)
    town.run(town.now + 200)
    town.at(town.now + 1, replace(permit(name="2"), t_s=town.now + 1, key="again"))
    town.at(town.now + 300, request(2, town.now + 300, 9, 3))
    town.run(SIX + 3 * 3600)
    assert town.fetched == []
    assert sum(isinstance(c, ResumeUnit) for _, c in town.log) == 1
    assert town.desk.ended[2] == "served"


def test_a_bus_with_people_aboard_sets_them_down_before_the_crew_comes():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 0, 6))
    while 1 not in town.boarded:
        town.run(town.now + 5)
    driving(town)
    without_permits(town)
    ended = town.now + 1
    town.run(ended + 3 * 3600)
    assert 1 in town.alighted
    assert town.missed == {}
    off_s = town.alighted[1][0]
    assert [t > off_s for t, _ in town.fetched] == [True]
    assert not [c for _, c in town.log if isinstance(c, HaltUnit)], "nobody is left at the roadside"
    assert town.buses[BUS_1].road == HOME


def test_a_silent_bus_is_fetched_when_its_permit_ends():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 0, 6))
    while 1 not in town.boarded:
        town.run(town.now + 5)
    driving(town)
    town.silence(BUS_1, 3 * 3600)
    without_permits(town)
    town.run(town.now + 4 * 3600)
    assert [unit for _, unit in town.fetched] == [BUS_1]
    assert town.buses[BUS_1].road == HOME
    all_ended(town)


def test_a_bus_is_home_when_its_hours_end():
    rules = RULES.__class__(**{**RULES.__dict__, "until_s": 9 * 3600, "key": "short"})
    town = Town(BusDesk(), setup(1, rules=rules))
    demand(town, 4, 40, 3)
    town.run(9 * 3600)
    assert (town.buses[BUS_1].road, town.buses[BUS_1].aboard) == (HOME, [])
    assert Counter(town.desk.ended.values())["served"] > 5
    town.run(12 * 3600)
    all_ended(town)


def test_the_platform_stops_a_bus_and_lets_it_go_on():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 9, 3))
    while not town.legs:
        town.run(town.now + 20)
    t = town.now
    town.halt(BUS_1, 10**5)
    town.tell([Instruction(t, "i1", BUS_1, "stop", -1.0, "speeding")])
    town.run(t + 200)
    assert not any(isinstance(c, ResumeUnit) for _, c in town.log)
    bus = town.buses[BUS_1]
    town.tell([Instruction(town.now, "i2", BUS_1, "release", -1.0, "")])
    assert sum(isinstance(c, ResumeUnit) for _, c in town.log) == 1
    bus.busy = (town.now + 300, *bus.busy[1:])
    town.run(t + 3600)
    assert town.desk.ended == {1: "served"}
    town.tell([Instruction(town.now, "i3", BUS_1, "slow", 5.0, "speeding")])
    town.at(town.now + 5, request(2, town.now + 5, 9, 3))
    town.run(town.now + 2400)
    assert {c.speed_m_s for t2, c in town.legs if t2 > t + 3600} == {5.0}


def test_a_customer_who_cancels_is_not_waited_for():
    town = Town(BusDesk(), setup(1))
    town.at(SIX + 60, request(1, SIX + 60, 0, 4, wanted=SIX + 3000))
    town.at(SIX + 90, BookingCancelled(SIX + 90, "c", 1, "changed my mind"))
    town.run(SIX + 2 * 3600)
    assert town.desk.ended == {1: "cancelled"}
    assert not any(isinstance(c, OpenDoors | CancelBooking) for _, c in town.log)
    assert not any(isinstance(c, DriveTo) and c.task == "stop" for _, c in town.log)


def test_speed_is_what_permit_and_bus_allow():
    slow = [m for m in setup(1) if getattr(m, "purpose", "") != "passengers"]
    given_permit = permit()
    slow.append(type(given_permit)(**{**given_permit.__dict__, "speed_m_s": 6.0}))
    town = Town(BusDesk(), slow)
    town.at(SIX + 60, request(1, SIX + 60, 0, 4))
    town.run(SIX + 3600)
    assert {c.speed_m_s for _, c in town.legs} == {6.0}
    assert town.desk.ended == {1: "served"}
    assert town.alighted[1][0] <= town.answers[1].arrive_s
