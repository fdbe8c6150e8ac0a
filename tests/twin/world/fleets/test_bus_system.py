"""Stops, doors, dwell and docking of the buses in truth; nobody boards twice or is left inside."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.network import Network
from scenarios.properties import ALL
from tests.twin.world.fleets.bus_curb import LINE, asked, at_stop, bus_curb, doors, promise, ride, set_out
from tests.twin.world.fleets.curb import curb_town, ints, make_curb
from tests.twin.world.fleets.test_passengers import coming
from twin.domain.bus import AnswerBooking, BusRules, CancelBooking, ChangePromise, OpenDoors, Timetable
from twin.domain.mobility import PARKED, SERVING
from twin.errors import ControlError, ScenarioError
from twin.world.fleets.bus import ADMITTED_H, ADMITTED_KM, ALONG_M, DOORS_S, GAP_M, PERSON_S, SLACK, STOP_S, WET
from twin.world.fleets.direct import direct_s
from twin.world.fleets.models import MODELS

TOP = MODELS["minibus"].speed_m_s


def gather(curb, n: int) -> tuple[str, list[int]]:
    """``n`` bookings (or so) whose passengers wait at one stop; return the stop and them."""
    p = curb.system._passengers
    stop, chosen = LINE[0][4], []
    for b in asked(curb, 8 * n):
        if b not in p.rides or len(chosen) == n:
            continue
        promise(curb, b, stop, LINE[0][6], pickup_s=curb.now_s + 3000)
        if set_out(curb, [b])[0]:
            chosen.append(b)
    for b in chosen:
        p.rides[b].at_stop_s = curb.now_s  # they have walked
    at_stop(curb, stop)
    return stop, chosen


# -- what the desk is told ---------------------------------------------------------------------------------


def test_the_timetable_of_both_directions():
    """Offsets: SLACK × the direct ride + STOP_S a stop; headway = round trip ÷ buses, to the minute."""
    curb = bus_curb(units=2)
    tables = [m for m in curb.told if isinstance(m, Timetable)]
    assert [m.stop for m in tables] == [tuple(way) for way in LINE]
    for m in tables:
        hop = (600.0 / TOP) * SLACK + STOP_S + np.diff(m.offset_s) * 0
        delay = np.diff(m.offset_s) - hop  # junctions: the mean wait at each
        assert (delay >= -1).all()
        assert (delay <= 60 * SLACK).all()
        assert m.depart_s.max() + m.offset_s[-1] <= curb.system._s.end
    assert tables[0].depart_s[0] == curb.system._s.start
    round_s = sum(int(m.offset_s[-1]) + 180 for m in tables)
    headway = np.unique(np.diff(tables[0].depart_s))
    assert headway.tolist() == [max(300, round(round_s / 2 / 60) * 60)]
    assert np.unique(np.diff(bus_curb(headway_min=20).told[2].depart_s)).tolist() == [1200]
    rules = curb.told[0]
    assert isinstance(rules, BusRules)
    assert (rules.seats, rules.rain_limit_mm_h, rules.visibility_limit_m) == (8, 1e9, 0.0)  # the driver takes over
    strict = bus_curb(outside_odd="stop").told[0]
    assert (strict.rain_limit_mm_h, strict.visibility_limit_m) == (16.0, 150.0)


def test_the_direct_ride():
    """Along a street of roads of 600 m: metres between the stops ÷ the bus's speed, and each junction's mean wait."""
    city = curb_town()
    network, zero = Network.of(city), np.zeros(len(city.roads))
    edge = {e: i for i, e in enumerate(city.roads["edge"])}
    road = np.asarray([edge["5.0to5.1"], edge["5.1to5.2"], edge["5.3to5.4"], edge["5.0to5.1"]])
    pos = np.asarray([100.0, 50.0, 500.0, 400.0])
    got = direct_s(network, zero, road, pos, TOP)
    assert got[0, 1] == pytest.approx((500 + 50) / TOP)
    assert got[0, 2] == pytest.approx((500 + 1200 + 500) / TOP)
    assert got[0, 3] == pytest.approx(300 / TOP)
    assert got[3, 0] == pytest.approx((200 + 3 * 600 + 100) / TOP, rel=0.5)  # round a block, there being no U-turn
    assert got[3, 0] > 2000 / TOP
    assert np.diag(got).tolist() == [0.0] * 4
    waits = direct_s(network, zero + 7.0, road, pos, TOP)
    assert (waits - got)[0].tolist() == pytest.approx([0.0, 7.0, 21.0, 0.0])
    slow = direct_s(network, zero, road, pos, 5.0)
    assert slow[0, 2] == pytest.approx(2200 / 5.0)
    fast = direct_s(network, zero, road, pos, 99.0)
    assert fast[0, 2] == pytest.approx(2200 / 13.9, rel=1e-3)  # the roads' own limit


def test_a_line_that_no_bus_can_serve_is_one_sentence():
    city = curb_town()
    short = dataclasses.replace(city, bus_lines=city.bus_lines.iloc[:1].assign(stops=[["stop-0"]]))
    with pytest.raises(ScenarioError, match="no bus can serve line '109': it has fewer than two stops"):
        make_curb("bus", city=short)
    with pytest.raises(ScenarioError, match="the city has no bus line 'X9'; it has 109"):
        make_curb("bus", line="X9")
    roads = city.roads.assign(car=city.roads.index != int(city.place("stop-3")["road"]))
    with pytest.raises(ScenarioError, match="its stop stop-3 is on a road without cars"):
        make_curb("bus", city=dataclasses.replace(city, roads=roads))


# -- doors -------------------------------------------------------------------------------------------------


def test_doors_take_their_time_and_all_who_are_there_board():
    """Dwell = doors + a time per person, up to the next tick."""
    curb = bus_curb()
    stop, some = gather(curb, 3)
    people = sum(ride(curb, b).party for b in some)
    assert doors(curb, stop, some) == []
    assert curb.units.state[0] == SERVING
    begun_s = curb.now_s
    reports = curb.tick(12)
    assert [(r.what, r.items.tolist(), r.missed.tolist()) for r in reports] == [("doors", some, [])]
    assert (curb.units.state[0], curb.units.load[0]) == (PARKED, people)
    facts = curb.log.close()
    assert (facts.frame("PassengerBoarded")["wait_s"] == 10).all()
    stopped = facts.frame("ShuttleStopped").iloc[0]
    least = max(10, DOORS_S) + PERSON_S * people  # the first boards at the first tick
    assert least <= stopped["dwell_s"] <= least + 10
    assert stopped["t_s"] - stopped["dwell_s"] == begun_s
    assert (stopped["boarded"], stopped["alighted"], stopped["aboard"]) == (3, 0, people)


def test_a_ride_from_door_to_door():
    curb = bus_curb()
    (b,) = coming(curb, 1, pickup_s=curb.now_s + 900)
    r = ride(curb, b)
    curb.until(r.at_stop_s)
    at_stop(curb, r.stop)
    doors(curb, r.stop, [b])
    curb.tick(6)
    on_s = r.boarded_s
    curb.until(on_s + 600)
    at_stop(curb, r.to_stop)
    assert doors(curb, r.to_stop, [], [b]) == []
    (report,) = curb.tick(6)
    assert report.left.tolist() == [b]
    assert curb.units.load[0] == 0
    assert b not in curb.system._passengers.rides
    fact = curb.facts().frame("PassengerAlighted").set_index("booking").loc[b]
    k = curb.system._place.index
    assert fact["ride_s"] == fact["t_s"] - on_s
    assert fact["direct_s"] == round(curb.system._direct_s[k(r.stop), k(r.to_stop)])
    assert fact["late_s"] == fact["t_s"] - r.arrive_s
    ended = dict(curb.context.journeys.ended)[r.resident]
    assert ended >= fact["t_s"]


def test_the_bus_waits_for_who_is_late_until_it_is_time():
    curb = bus_curb()
    stop, (here, late) = gather(curb, 2)
    ride(curb, late).at_stop_s = curb.now_s + 35
    doors(curb, stop, [here, late], wait_s=120)
    (report,) = curb.tick(15)
    assert report.items.tolist() == [here, late]
    curb = bus_curb()
    stop, (here, late) = gather(curb, 2)
    ride(curb, late).at_stop_s = curb.now_s + 135
    doors(curb, stop, [here, late], wait_s=120)
    begun_s = curb.now_s
    (report,) = curb.tick(15)
    assert (report.items.tolist(), report.missed.tolist()) == ([here], [late])
    stopped = curb.log.close()
    assert stopped.frame("ShuttleStopped")["t_s"].tolist() == [begun_s + 120]
    missed = stopped.frame("PassengerMissed").set_index("booking")["reason"]
    assert missed.reindex([here, late]).fillna("").tolist() == ["", "came late"]


def test_the_doors_stay_open_as_long_as_they_are_told_to():
    curb = bus_curb()
    at_stop(curb, LINE[0][2])
    t = curb.now_s
    doors(curb, LINE[0][2], not_before_s=t + 300)
    assert curb.tick(29) == []
    assert [r.what for r in curb.tick()] == ["doors"]


def test_a_full_bus_leaves_people_behind_and_says_it_was_full():
    curb = bus_curb(seats=3)
    stop, some = gather(curb, 6)
    doors(curb, stop, some, wait_s=60)
    curb.tick(15)
    assert curb.units.load[0] <= 3
    facts = curb.log.close()
    party = facts.frame("BookingMade").set_index("booking")["party"]
    boarded = facts.frame("PassengerBoarded")["booking"]
    assert party[boarded].sum() == curb.units.load[0]
    missed = facts.frame("PassengerMissed")
    missed = missed[missed["booking"].isin(some)]
    assert set(missed["reason"]) == {"the bus was full"}
    assert set(missed["booking"]) | set(boarded) == set(some)
    assert party[missed["booking"]].min() > 3 - curb.units.load[0]  # whoever would have fitted in is in


def test_refused_doors_change_nothing_and_say_why():
    curb = bus_curb()
    stop, some = gather(curb, 2)
    p = curb.system._passengers

    def refuses(words, at=stop, row=0):
        before = {b: str(r) for b, r in p.rides.items()}, curb.units.state.tolist()
        (report,) = doors(curb, at, some, row=row)
        assert (report.what, report.detail) == ("refused", f"doors: {words}")
        assert ({b: str(r) for b, r in p.rides.items()}, curb.units.state.tolist()) == before

    refuses("it does not stand at moon", "moon")
    refuses(f"it does not stand at {LINE[0][7]}", LINE[0][7])
    curb.units.pos_m[0] += 31.0
    refuses(f"it does not stand at {stop}")
    curb.units.pos_m[0] -= 31.0
    curb.units.set(0, curb.now_s, state=1)
    refuses("it is not standing")
    curb.units.set(0, curb.now_s, state=PARKED)
    assert doors(curb, stop) == []
    refuses("its doors are open")
    curb.tick(6)
    curb.break_down(0)
    refuses("it is broken")
    for command, words in (
        (OpenDoors("k", 0, stop, ints(), ints(), 0, 0), "names unit 0, which is none"),
        (OpenDoors("k", int(curb.units.number[0]), stop, ints(5), ints(), 0, 0), "names booking 5, which was not made"),
    ):
        with pytest.raises(ControlError, match=words):
            curb.system.carry_out(command, curb.now_s)


def test_a_breakdown_puts_everybody_out_and_half_the_way_is_walked():
    curb = bus_curb()
    stop, some = gather(curb, 2)
    doors(curb, stop, some)
    curb.tick(6)
    rides = [ride(curb, b) for b in some]
    assert curb.break_down(0) == tuple(some)
    assert curb.units.load[0] == 0
    assert curb.repair(0) == ()
    metres = curb.context.people.travel.distance_m([r.origin for r in rides], [r.destination for r in rides])
    ended = dict(curb.context.journeys.ended)
    for r, m in zip(rides, metres.tolist(), strict=True):
        assert ended[r.resident] == curb.now_s + round(0.5 * m / 1.25)
    facts = curb.facts()
    assert ALL["passengers_are_conserved"](facts) == []
    assert set(facts.frame("PassengerMissed").set_index("booking").loc[some, "reason"]) == {"the bus broke down"}


# -- docking and admission ---------------------------------------------------------------------------------


def halts(n: int, units: int = 1, kind: str = "clear", seed: int = 1):
    """The log of ``n`` halts of the first of some buses."""
    curb = make_curb("bus", units=units, start_s=7 * 3600, seed=seed)
    curb.context.weather.kind = kind
    for _ in range(n):
        for row in range(units):
            at_stop(curb, LINE[0][0], row)
            doors(curb, LINE[0][0], row=row)
        curb.tick(2)
    log = curb.facts().frame("ShuttleStopped")
    return log[log["unit"] == curb.units.number[0]]


def test_stop_precision_is_normal_along_the_road_and_the_gap_exponential():
    """|error| has its 95th percentile at 1.96 σ, the gap at m ln 20; wet roads widen both."""
    n = 700
    dry, wet = halts(n), halts(n, kind="rain")
    error, gap = dry["error_m"].to_numpy(), dry["gap_m"].to_numpy()
    assert error.mean() == pytest.approx(0.0, abs=4 * ALONG_M / np.sqrt(n))
    assert error.std() == pytest.approx(ALONG_M, rel=4 / np.sqrt(2 * n))
    # standard error of a quantile: sqrt(p (1 - p) / n) / density; of |normal| at 1.96 σ: 2 φ(1.96) / σ
    se = np.sqrt(0.95 * 0.05 / n) / (2 * 0.0584 / ALONG_M)
    assert np.quantile(np.abs(error), 0.95) == pytest.approx(1.96 * ALONG_M, abs=4 * se)
    assert gap.mean() == pytest.approx(GAP_M, abs=4 * GAP_M / np.sqrt(n))
    assert np.quantile(gap, 0.95) == pytest.approx(GAP_M * np.log(20), rel=0.3)
    assert gap.min() >= 0
    assert np.allclose(wet["error_m"], error * WET)
    assert np.allclose(wet["gap_m"], gap * WET)


def test_another_bus_changes_nothing_of_the_docking_of_the_first():
    assert halts(20)["error_m"].tolist() == halts(20, units=3)["error_m"].tolist()
    assert halts(20)["error_m"].tolist() != halts(20, seed=2)["error_m"].tolist()


@pytest.mark.parametrize(
    ("tested", "drives_s", "metres", "after_s"),
    [
        ((240.0, 0.0), 0, 0.0, 0),
        ((0.0, 1000.0), 0, 0.0, 0),
        ((239.9, 0.0), 3600, 0.0, 600),  # six minutes are missing
        ((0.0, 999.0), 0, 1000.0, 600),
        ((0.0, 0.0), 3600, 20_000.0, None),
    ],
)
def test_a_bus_is_admitted_after_240_h_or_1000_km_of_tests(tested, drives_s, metres, after_s):
    """F22; the hours and kilometres of the run count, looked at every ten minutes."""
    curb = make_curb("bus", units=2, start_s=7 * 3600, tested_h=tested[0], tested_km=tested[1])
    curb.units.vehicle[0] = 1 if drives_s else 0
    curb.tick(30)
    curb.units.odometer_m[0] = metres
    curb.until(7 * 3600 + max(drives_s, 1200))
    fact = curb.facts().frame("BusAdmitted")
    mine = fact[fact["unit"] == curb.units.number[0]]
    if after_s is None:
        assert mine.empty
        return
    assert mine["t_s"].tolist() == [7 * 3600 + after_s]
    row = mine.iloc[0]
    assert row["test_h"] >= ADMITTED_H or row["test_km"] >= ADMITTED_KM
    other = fact[fact["unit"] == curb.units.number[1]]
    assert len(other) == (after_s == 0)


# -- anything at all ---------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_no_passenger_is_lost_whatever_is_ordered(data):
    """Commands in any order, sensible or not: nobody boards twice, buses are never too full, everybody has an end."""
    curb = bus_curb(units=2, seats=4)
    p = curb.system._passengers
    pool = asked(curb, 25)
    stops = LINE[0][3:7]
    for step in range(data.draw(st.integers(5, 40))):
        act = data.draw(st.sampled_from(
            ("promise", "refuse", "set out", "doors", "change", "cancel", "break", "repair", "move", "wait")
        ))  # fmt: skip
        b, row = data.draw(st.sampled_from(pool)), data.draw(st.integers(0, 1))
        stop, to = data.draw(st.sampled_from(stops)), data.draw(st.sampled_from(stops))
        some = data.draw(st.lists(st.sampled_from(pool), max_size=8))
        known = b in p.rides
        frozen = {n: str(r) for n, r in p.rides.items()}
        try:
            if act == "promise":
                promise(curb, b, stop, to, curb.now_s + data.draw(st.integers(-100, 900)))
            elif act == "refuse":
                curb.do(AnswerBooking(f"k{step}", b, False, "", "", -1, -1, 0, "no"))
            elif act == "set out" and known:
                set_out(curb, [b])
                if b in p.rides and data.draw(st.booleans()):
                    p.rides[b].at_stop_s = curb.now_s
            elif act == "doors":
                if data.draw(st.booleans()) and not curb.units.broken[row]:
                    at_stop(curb, stop, row)
                inside = [n for n, r in p.rides.items() if r.state == "aboard"]
                off = data.draw(st.lists(st.sampled_from(inside), max_size=3)) if inside else []
                waiting = [n for n, r in p.rides.items() if r.state == "coming"]
                doors(curb, stop, [*some, *waiting], [*some[:2], *off], data.draw(st.integers(-20, 90)), row)
            elif act == "change" and known:
                t = curb.now_s + data.draw(st.integers(-100, 900))
                curb.do(ChangePromise(f"k{step}", b, stop, to, t, t + 300, 0, "x"))
            elif act == "cancel":
                curb.do(CancelBooking(f"k{step}", b, "x"))
            elif act == "break" and not curb.units.broken[row]:
                curb.break_down(row)
            elif act == "repair" and curb.units.broken[row]:
                curb.repair(row)
            elif act == "move" and curb.units.state[row] == PARKED:
                at_stop(curb, stop, row)
            elif act == "wait":
                curb.tick(data.draw(st.integers(1, 40)))
        except ControlError:
            assert {n: str(r) for n, r in p.rides.items()} == frozen
        for k in range(2):
            load = sum(r.party for r in p.rides.values() if r.state == "aboard" and r.unit == curb.units.number[k])
            assert load <= 4
            if k not in curb.system._doors:  # told when the doors have closed
                assert load == curb.units.load[k]
    facts = curb.facts()
    assert ALL["passengers_are_conserved"](facts) == []
    assert ALL["loads_fit"](facts) == []
    ended = [r for r, _ in curb.context.journeys.ended]
    walked = set(facts.frame("PassengerAlighted")["resident"])
    assert walked <= set(ended)
