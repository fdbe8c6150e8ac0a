"""What the reports and telemetry of buses change: arrivals, doors, halts, breakdowns, silence."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from twin.control.mobility.bus.driving import FRESH_S, RETRY_S, charged
from twin.control.mobility.bus.office import Office
from twin.control.mobility.bus.ports import Booking, Visit
from twin.control.mobility.bus.units import CHARGING, DOORS, HALT_GUESS_S, IDLE, LEG, NEAR_M, BusUnit
from twin.domain.bus import CancelBooking, ChangePromise
from twin.domain.mobility import PARKED, Instruction, ResumeUnit, Telemetry, UnitReport

TRIES = 3  # refusals in a row after which the passengers are given to another bus
STUCK_S = 180  # a bus that stands parked so long when it should do something did not get the command
SLIP_S = 30  # a bus that is overdue is thought to be there so much later
NO_CHARGE_S = 600  # after a refused or cut charge, before another try
QUEUE_S = 3600  # a bus may wait so long for a free charger
FASTEST_M_S, BLUR_M = 25.0, 200.0  # an odometer that runs faster than this, or back, is wrong
BROKE = "the bus broke down"
NO_LINK = "no radio link"


def report(office: Office, unit: BusUnit, told: UnitReport, now_s: int) -> None:
    """Take in a report of a bus."""
    unit.heard_s, unit.lost = now_s, False
    if 0.0 <= told.battery <= 1.0:
        unit.battery = told.battery
    take = {
        "arrived": _arrived, "refused": _refused, "doors": _doors, "charged": _charged, "halted": _halted,
        "help": _halted, "resumed": _resumed, "assisted": _assisted, "broken": _broken, "repaired": _repaired,
    }.get(told.what)  # fmt: skip
    if take is not None:
        take(office, unit, told, now_s)
        unit.changed()


def _arrived(office: Office, unit: BusUnit, told: UnitReport, now_s: int) -> None:
    if unit.doing != LEG or unit.leg is None or unit.out:
        return
    there = told.road == unit.leg.road and abs(told.pos_m - unit.leg.pos_m) <= NEAR_M
    if not there and (told.road, round(told.pos_m)) == unit.last_goal:
        return  # the end of the leg before this one, told again
    _ended(office, unit, told.road, told.pos_m, now_s)
    if there:
        unit.tries = 0
    else:
        _again(office, unit, now_s, "the bus did not reach the stop")


def _ended(office: Office, unit: BusUnit, road: int, pos_m: float, now_s: int) -> None:
    assert unit.leg is not None
    if unit.leg.task == "test":
        unit.test_h += (now_s - unit.leg.began_s) / 3600
        if unit.odometer_m < 0:
            unit.test_km += unit.leg.metre_m / 1000
    unit.last_goal = (unit.leg.road, round(unit.leg.pos_m))
    office.stand(unit, road, pos_m)
    unit.halted_s, unit.gave_up = -1, False


def _again(office: Office, unit: BusUnit, now_s: int, reason: str) -> None:
    """Try again in a while; after some tries the passengers get another bus."""
    unit.tries += 1
    unit.retry_s = now_s + RETRY_S
    if unit.tries >= TRIES:
        unit.tries = 0
        unit.retry_s = now_s + office.rules.silence_s
        office.orphan(unit, reason)


def _refused(office: Office, unit: BusUnit, told: UnitReport, now_s: int) -> None:
    if unit.out:
        return
    if unit.held and NO_LINK in told.detail:
        unit.held = False  # it was to pull over and did not hear: if it still must, it is told again
        return
    if unit.doing == LEG and unit.leg is not None and unit.leg.rerouted:
        unit.leg.rerouted = False  # it goes on with the leg it was on; where that ends it will tell
        return
    if unit.doing == IDLE:
        return
    if unit.doing == CHARGING:
        unit.doing, unit.no_charge_s = IDLE, now_s + NO_CHARGE_S
        return
    office.reopen(unit)
    office.stand(unit, told.road, told.pos_m)
    _again(office, unit, now_s, told.detail or "the bus refused")


def _doors(office: Office, unit: BusUnit, told: UnitReport, _now_s: int) -> None:
    book = office.bookings
    on = [b for b in told.items.tolist() if b in book.open or b in book.ended]
    off = set(told.left.tolist())
    for b in on:
        if b in unit.aboard or book.ended.get(b) == "served":
            continue
        if b in book.ended:  # taken back, but the bus took the passengers along while it was silent
            book.ended.pop(b)
            book.open[b] = book.last[b]
        office.unplan_elsewhere(b, unit)
        office.orphans.pop(b, None)
        unit.aboard = (*unit.aboard, b)
        book.unit[b] = unit.unit
        book.aboard.add(b)
    for b in unit.aboard:
        if b in off:
            reason = office.put_out.pop(b, "")
            book.end(b, "cancelled" if reason else "served")
            if reason:
                office.out.append(CancelBooking(office.key("cancel", b), b, reason))
    unit.aboard = tuple(b for b in unit.aboard if b not in off)
    if unit.doors is None:
        return
    gone = [b for b in unit.doors.board if b not in on and b in book.open and book.unit.get(b) == unit.unit]
    for b in gone:
        book.end(b, "missed")
    unit.doing, unit.doors, unit.tries = IDLE, None, 0
    office.drop(unit, gone)
    secure(office, unit)


def secure(office: Office, unit: BusUnit) -> None:
    """See that everybody aboard has a visit at which to get off, and nobody else has."""
    off = [b for v in unit.visits for b in v.alight]
    coming = {b for v in unit.visits for b in v.board} | set(unit.doors.board if unit.doors else ())
    office.drop(unit, [b for b in off if b not in unit.aboard and b not in coming])
    leaving = set(unit.doors.alight) if unit.doors is not None else set()
    for b in unit.aboard:
        if b in off or b in leaving or b not in office.bookings.open:
            continue
        stop = office.bookings.open[b].to_stop
        first = 1 if unit.bound else 0
        k = next((k for k, v in enumerate(unit.visits) if v.stop == stop and k >= first), -1)
        if k >= 0:
            v = unit.visits[k]
            visits = (*unit.visits[:k], replace(v, alight=(*v.alight, b)), *unit.visits[k + 1 :])
        else:
            visits = (*unit.visits[:first], Visit(stop, alight=(b,)), *unit.visits[first:])
        office.plan(unit, visits)


def _charged(office: Office, unit: BusUnit, told: UnitReport, now_s: int) -> None:
    if unit.doing == CHARGING:
        unit.doing = IDLE
        if told.battery < office.rules.charge_to - 0.05:  # it was cut short; no second try at once
            unit.no_charge_s = now_s + NO_CHARGE_S


def _halted(_office: Office, unit: BusUnit, told: UnitReport, now_s: int) -> None:
    if unit.out or unit.halted_s >= 0:
        return
    unit.halted_s, unit.halt_left_s = now_s, max(0, unit.eta_s - now_s)
    unit.road, unit.pos_m = told.road, told.pos_m
    unit.eta_s = now_s + HALT_GUESS_S + unit.halt_left_s


def _resumed(_office: Office, unit: BusUnit, _told: UnitReport, now_s: int) -> None:
    if unit.halted_s < 0:
        return
    unit.halted_s, unit.gave_up = -1, False
    unit.eta_s = now_s + unit.halt_left_s


def _assisted(office: Office, unit: BusUnit, told: UnitReport, now_s: int) -> None:
    if told.detail == "fetch":
        _broken(office, unit, replace(told, what="broken", detail="the bus had to be fetched"), now_s)
    else:
        _resumed(office, unit, told, now_s)


def _broken(office: Office, unit: BusUnit, told: UnitReport, _now_s: int) -> None:
    book, aboard = office.bookings, set(told.items.tolist()) | set(unit.aboard)
    unit.out, unit.halted_s, unit.gave_up, unit.until_s = True, -1, False, 0
    doors = tuple(b for b in (unit.doors.board if unit.doors is not None else ()) if b not in aboard)
    unit.doors = None
    office.orphan(unit, BROKE, (*doors, *(b for v in unit.visits for b in v.board if b not in aboard)))
    unit.visits, unit.aboard = (), ()
    for b in sorted(aboard):
        if b in book.open:
            office.unplan(b)
            office.orphans.pop(b, None)
            book.end(b, "cancelled")
            office.out.append(CancelBooking(office.key("cancel", b), b, BROKE + " on the way"))
    unit.doing, unit.leg = IDLE, None


def _repaired(office: Office, unit: BusUnit, told: UnitReport, _now_s: int) -> None:
    unit.out, unit.visits, unit.aboard, unit.halted_s, unit.stopped = False, (), (), -1, False  # and not held: stand()
    unit.tries = unit.retry_s = 0
    office.stand(unit, told.road, told.pos_m)


# -- telemetry, silence, supervision ---------------------------------------------------------------------


def telemetry(office: Office, told: Telemetry, now_s: int) -> None:
    """Take in what buses sent; older than what is known changes nothing."""
    for k, number in enumerate(told.unit.tolist()):
        unit = office.units.get(int(number))
        sent_s = int(told.sent_s[k])
        if unit is None or sent_s <= unit.sent_s or sent_s > now_s + FRESH_S:
            continue
        gap_s = sent_s - unit.sent_s
        unit.sent_s = sent_s
        unit.heard_s = max(unit.heard_s, sent_s)
        if now_s - sent_s <= office.rules.silence_s:
            unit.lost = False
        battery = float(told.battery[k])
        if 0.0 <= battery <= 1.0 and not math.isnan(battery):
            unit.battery, unit.charge_s = battery, now_s
        _odometer(unit, float(told.odometer_m[k]), gap_s)
        road, pos_m = int(told.road[k]), float(told.pos_m[k])
        known = 0 <= road < office.atlas.roads
        if unit.doing == LEG and unit.leg is not None and known and sent_s > unit.leg.began_s:
            unit.road, unit.pos_m = road, pos_m
        if int(told.state[k]) != PARKED or unit.doing == IDLE or unit.out or unit.halted_s >= 0:
            unit.parked_s = -1
        elif unit.parked_s < unit.asked_s:
            unit.parked_s = sent_s
        elif sent_s - unit.parked_s >= (QUEUE_S if unit.doing == CHARGING else STUCK_S):
            _stands(office, unit, road, pos_m, now_s)
        if unit.doing != LEG:
            unit.changed()


def _odometer(unit: BusUnit, odometer_m: float, gap_s: int) -> None:
    """Count the metres of tests; a value that cannot be is passed over."""
    if math.isnan(odometer_m) or odometer_m < 0:
        return
    metres = odometer_m - unit.odometer_m
    if unit.odometer_m < 0:
        unit.odometer_m = odometer_m
    elif 0 <= metres <= FASTEST_M_S * gap_s + BLUR_M:
        unit.odometer_m = odometer_m
        if unit.in_tests:
            unit.test_km += metres / 1000


def _stands(office: Office, unit: BusUnit, road: int, pos_m: float, now_s: int) -> None:
    """Deal with a bus that stands parked although it should do something: the command or its report was lost."""
    unit.parked_s = -1
    if unit.doing == LEG and unit.leg is not None:
        leg = unit.leg
        near = road == leg.road and abs(pos_m - leg.pos_m) <= NEAR_M
        if near:
            _ended(office, unit, leg.road, leg.pos_m, now_s)
        else:
            office.stand(unit, road, pos_m)
        return
    office.reopen(unit)
    unit.doing = IDLE


def watch(office: Office, unit: BusUnit, now_s: int) -> None:
    """Look after a bus, once a minute: its arrival as telemetry has it, silence, a halt that lasts."""
    rules, leg = office.rules, unit.leg
    if unit.out:
        return
    charged(office, unit, now_s)
    if unit.halted_s >= 0:
        unit.eta_s = max(unit.eta_s, now_s + HALT_GUESS_S + unit.halt_left_s)
        unit.changed()
        if now_s - unit.halted_s >= rules.halt_s and not unit.gave_up:
            unit.gave_up = True
            _abandon(office, unit, "the bus stands halted")
        return
    if unit.doing == LEG and leg is not None and unit.ways is not None and now_s - unit.sent_s <= FRESH_S:
        at = np.flatnonzero(leg.roads == unit.road)
        if at.size and unit.sent_s > leg.began_s:
            left = unit.ways.left_s(leg.roads, int(at[-1]), unit.pos_m, leg.pos_m)
            unit.eta_s = max(now_s, unit.sent_s + math.ceil(left))
            unit.changed()
    if unit.doing not in (LEG, DOORS):
        return
    if max(unit.eta_s if unit.doing == LEG else unit.close_s, 0) <= now_s:
        unit.eta_s = unit.close_s = now_s + SLIP_S
        unit.changed()
    if now_s - max(unit.heard_s, unit.expect_s) >= rules.silence_s and not unit.lost:
        unit.lost = True
        _abandon(office, unit, "the bus is not heard of")


def _abandon(office: Office, unit: BusUnit, reason: str) -> None:
    """Give those who wait for a bus to others; those aboard stay with it."""
    doors = unit.doors.board if unit.doors is not None else ()
    office.orphan(unit, reason, (*doors, *(b for v in unit.visits for b in v.board)))
    office.plan(unit, tuple(v for k, v in enumerate(unit.visits) if v.alight or (k == 0 and unit.bound)))


def instruct(office: Office, unit: BusUnit, told: Instruction, now_s: int) -> None:
    """Do what the supervision platform orders: warn, slow, stop, release."""
    if told.what == "slow":
        unit.cap_m_s = told.speed_m_s if told.speed_m_s >= 0 else math.inf
    elif told.what == "stop":
        unit.stopped = True
        if unit.halted_s < 0:
            unit.halted_s, unit.halt_left_s = now_s, max(0, unit.eta_s - now_s)
    elif told.what == "release" and unit.stopped:
        unit.stopped = False
        if unit.doing == LEG:
            office.out.append(ResumeUnit(office.key("resume", unit.unit), unit.unit))
        else:
            unit.halted_s, unit.gave_up = -1, False
    unit.changed()


def tell(office: Office, unit: BusUnit, new: Booking, reason: str) -> None:
    """Give a customer a new promise."""
    office.bookings.open[new.booking] = new
    stops = office.atlas.stops
    office.out.append(
        ChangePromise(
            office.key("promise", new.booking), new.booking, stops[new.stop], stops[new.to_stop], int(new.pickup_s),
            int(new.told_s), unit.unit, reason,
        )
    )  # fmt: skip
