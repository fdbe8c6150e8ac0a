"""What a bus does next: drive to its next visit, open its doors, charge at a layover, drive a test lap, stand by."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from twin.control.mobility.bus.bookings import NO_PERMIT, NO_WAY, WEATHER
from twin.control.mobility.bus.office import Office
from twin.control.mobility.bus.ports import Visit
from twin.control.mobility.bus.routes import CHARGE_S, START_MARGIN, dwell_s, energy_left_wh, need_s, spare_s
from twin.control.mobility.bus.service import Window
from twin.control.mobility.bus.units import CHARGING, DOORS, IDLE, LEG, BusUnit, Ints, Leg
from twin.control.mobility.permits import FOREVER_S
from twin.domain.bus import OpenDoors
from twin.domain.mobility import ChargeUnit, DriveTo, HaltUnit, ResumeUnit

RETRY_S = 60  # after a refusal
FRESH_S = 60  # telemetry older than this says nothing about the present
BELOW = 0.02  # a battery is charged when it is so far below the wanted charge
LAP_DWELL_S = 20  # a bus on test stands so long at each stop


def act(office: Office, unit: BusUnit, now_s: int) -> None:
    """Let a bus do what is next, if it is free to."""
    if unit.out or unit.stopped or unit.halted_s >= 0 or unit.doing == DOORS or unit.bound:
        return
    if now_s < unit.retry_s:
        office.dues.append(unit.retry_s)
        return
    if unit.doing == LEG and unit.lost:
        return
    _drop_empty(office, unit)
    if unit.may_carry(now_s) and office.fit:
        _serve(office, unit, now_s)
    elif unit.aboard:
        _set_down(office, unit, now_s, WEATHER if not office.fit else NO_PERMIT)
    elif unit.in_tests and unit.test is not None and office.fit and not unit.visits:
        _test(office, unit, now_s)
    elif unit.doing != LEG and office.fit:
        go_home(office, unit, now_s)


def _drop_empty(office: Office, unit: BusUnit) -> None:
    """Leave out visits at which nothing is to be done."""
    visits = unit.visits
    while visits and not (visits[0].board or visits[0].alight or visits[0].keep):
        visits = visits[1:]
    if visits is not unit.visits:
        office.plan(unit, visits)


def _serve(office: Office, unit: BusUnit, now_s: int) -> None:
    if not unit.visits:
        if unit.doing != LEG:
            go_home(office, unit, now_s)
        return
    assert unit.ways is not None
    visit, rules = unit.visits[0], office.rules
    bus = unit.seen(rules, now_s)
    here = unit.doing != LEG and unit.at == visit.stop
    way_s = 0.0 if here else bus.from_s[visit.stop]
    if not math.isfinite(way_s):
        if unit.doing != LEG:
            no_way(office, unit, now_s)
        return
    must = bool(visit.alight) if here else bool(visit.alight or unit.aboard)
    due = now_s if must else int(_come_s(office, visit, here) - rules.early_s - way_s)
    if unit.doing == LEG and not must:  # the further it goes home, the longer the way back
        from_home = int(_come_s(office, visit, here) - rules.early_s - bus.out_s[visit.stop])
        due = from_home if from_home >= unit.eta_s else now_s
    if now_s < due:
        office.dues.append(due)
        spare = spare_s(bus, rules, unit.at, visit.stop, due - now_s) if unit.at >= 0 else due - now_s - 2 * way_s
        if unit.doing != LEG and (unit.at_home or spare >= CHARGE_S):
            go_home(office, unit, now_s)
        return
    charged(office, unit, now_s)
    bus = unit.seen(rules, now_s)
    view = office.view(now_s, None, ())
    if not unit.aboard and energy_left_wh(view, bus, _trip(unit), START_MARGIN) < 0:
        _too_empty(office, unit, now_s)
        return
    if here:
        open_doors(office, unit, now_s)
    else:
        point = float(office.atlas.pos_m[visit.stop])
        drive(office, unit, now_s, int(office.atlas.road[visit.stop]), point, "stop", bound=True)


def _come_s(office: Office, visit: Visit, here: bool) -> int:
    """Return when a bus should be at a visit at which nobody gets off: for the first promise, in time to leave."""
    known = office.bookings.open
    stay = dwell_s(office.rules, known, visit)
    leave = need_s(known, visit) - (stay if here else max(stay, visit.layover_s))
    return min([leave, *(known[b].pickup_s for b in visit.board)])


def _trip(unit: BusUnit) -> tuple[Visit, ...]:
    """Return the visits up to where nobody is aboard and no run goes on: what must be finished once begun."""
    aboard = len(unit.aboard)
    for k, visit in enumerate(unit.visits):
        aboard += len(visit.board) - len(visit.alight)
        ends = k + 1 == len(unit.visits) or not visit.run or unit.visits[k + 1].run != visit.run
        if aboard <= 0 and ends:
            return unit.visits[: k + 1]
    return unit.visits


def _too_empty(office: Office, unit: BusUnit, now_s: int) -> None:
    """Take everything from a bus whose battery does not suffice, and let it charge."""
    office.orphan(unit, "battery of the bus too low")
    if not unit.bound:
        office.plan(unit, ())
    if unit.doing != LEG:
        go_home(office, unit, now_s)


def no_way(office: Office, unit: BusUnit, now_s: int) -> None:
    """Deal with a next stop that cannot be reached: those aboard get off, the others need another bus."""
    visit = unit.visits[0]
    if visit.board:
        office.orphan(unit, "road closed", visit.board)
    if visit.alight and unit.visits and unit.visits[0].stop == visit.stop:
        _set_down(office, unit, now_s, NO_WAY, visit.alight)
    elif unit.visits and unit.visits[0].stop == visit.stop:
        office.plan(unit, unit.visits[1:])
    office.dues.append(now_s + RETRY_S)


def open_doors(office: Office, unit: BusUnit, now_s: int) -> None:
    """Open the doors for the first visit; only for those who get off, if it is too early for the others."""
    visit, rules, known = unit.visits[0], office.rules, office.bookings.open
    rest = unit.visits[1:]
    need = need_s(known, visit)
    if visit.alight and need - now_s > rules.early_s + 2 * dwell_s(rules, known, visit):
        rest = (replace(visit, alight=()), *rest)
        visit = Visit(visit.stop, alight=visit.alight)
    stay = dwell_s(rules, known, visit)
    goes_on = bool(rest) and rest[0].run == visit.run
    not_before = visit.depart_s if visit.board or goes_on else 0  # nobody waits for the end of a run
    promise = max((known[b].pickup_s for b in visit.board), default=0)
    until = max(now_s + stay, not_before, promise + rules.patience_s)
    unit.visits, unit.doors, unit.doing, unit.asked_s = rest, visit, DOORS, now_s
    unit.close_s, unit.expect_s = max(now_s + stay, not_before, promise), until
    unit.changed()
    place = office.atlas.stops[visit.stop]
    key = office.key("doors", unit.unit)
    office.out.append(
        OpenDoors(key, unit.unit, place, _ints(visit.board), _ints(visit.alight), int(not_before), int(until))
    )


def _set_down(office: Office, unit: BusUnit, now_s: int, reason: str, only: tuple[int, ...] = ()) -> None:
    """Let passengers (or ``only`` some) off: here if the bus is at a stop, else at the nearest one."""
    off = only or unit.aboard
    if unit.doing == IDLE and unit.at >= 0:
        visits = tuple(replace(v, alight=tuple(b for b in v.alight if b not in off)) for v in unit.visits)
        visits = tuple(v for v in visits if v.board or v.alight or v.keep)
        office.plan(unit, (Visit(unit.at, alight=off), *visits))
        here = office.atlas.stops[unit.at]
        for b in off:
            if office.bookings.open[b].to_stop != unit.at:
                office.put_out[b] = f"set down at {here}: {reason}"
        open_doors(office, unit, now_s)
        return
    if unit.ways is None or unit.doing == LEG:
        return
    from_s, _ = unit.ways.row(unit.road, unit.pos_m)
    stop = min(range(len(from_s)), key=lambda k: (from_s[k], k), default=-1)
    if stop >= 0 and math.isfinite(from_s[stop]):
        drive(office, unit, now_s, int(office.atlas.road[stop]), float(office.atlas.pos_m[stop]), "set down", False)
    else:
        office.dues.append(now_s + RETRY_S)


def go_home(office: Office, unit: BusUnit, now_s: int) -> None:
    """Send a bus to its depot, and let it charge there."""
    if unit.at_home:
        full = unit.battery >= office.rules.charge_to - BELOW
        able = unit.home not in office.shut_depots and now_s >= unit.no_charge_s
        if unit.doing == IDLE and not full and able:
            unit.doing, unit.charge_s, unit.asked_s = CHARGING, now_s, now_s
            unit.changed()
            office.out.append(ChargeUnit(office.key("charge", unit.unit), unit.unit, office.rules.charge_to))
        return
    allowed = [w for w in (unit.permit, unit.test) if w is not None and w.from_s <= now_s < w.until_s]
    if not allowed or unit.doing == LEG:
        return
    drive(office, unit, now_s, unit.home_road, unit.home_pos_m, "home", bound=False)


def keep_lawful(office: Office, unit: BusUnit, now_s: int) -> None:
    """Let an empty bus that nothing permits to drive pull over, and call the crew for one that stays out.

    With somebody aboard it goes on to its next stop, where they get off: nobody is left at the roadside.
    """
    if unit.out:
        return
    windows = [w for w in (unit.permit, unit.test) if w is not None]
    allowed = any(w.from_s <= now_s < w.until_s for w in windows)
    if allowed and unit.held:
        unit.held = False
        office.out.append(ResumeUnit(office.key("resume", unit.unit), unit.unit))
    elif not allowed and unit.doing == LEG and not (unit.aboard or unit.held or unit.lost or unit.halted_s >= 0):
        unit.held = True
        office.out.append(HaltUnit(office.key("halt", unit.unit), unit.unit, "no permit holds"))
    stands = unit.doing == IDLE or unit.halted_s >= 0 or unit.held or unit.lost
    barred = stands and not (allowed or unit.at_home)
    again_s = min((w.from_s for w in windows), default=FOREVER_S)
    office.out += office.stranded.look(unit.unit, barred, again_s, now_s)


def charged(office: Office, unit: BusUnit, now_s: int) -> None:
    """Reckon what a bus has charged since the charge was last told, if it does not tell."""
    if unit.doing != CHARGING or now_s - unit.sent_s <= FRESH_S:
        return
    more = office.rules.charge_w * max(0, now_s - unit.charge_s) / 3600 / unit.battery_wh
    unit.battery = max(unit.battery, min(office.rules.charge_to, unit.battery + more))
    unit.charge_s = now_s
    unit.changed()


def drive(office: Office, unit: BusUnit, now_s: int, road: int, pos_m: float, task: str, bound: bool) -> bool:
    """Send a bus to a point; False if there is no way."""
    ways = unit.ways
    if ways is None:
        return False
    roads = ways.way(unit.road, unit.pos_m, road, pos_m)
    seconds, metres = ways.leg(unit.road, unit.pos_m, road, pos_m)
    if not roads.size or not math.isfinite(seconds):
        office.dues.append(now_s + RETRY_S)
        return False
    if seconds == 0.0:
        seconds = 1.0
    windows: list[Window] = [w for w in (unit.window, unit.test) if w is not None]
    speed = min(unit.speed_m_s, unit.cap_m_s, *(w.grant.speed_m_s for w in windows))
    unit.leg = Leg(
        roads, road, pos_m, task, bound, now_s, metres * unit.wh_m + unit.idle_w * seconds / 3600, metres,
        rerouted=unit.doing == LEG,
    )  # fmt: skip
    unit.doing, unit.at, unit.asked_s = LEG, -1, now_s
    unit.eta_s = unit.expect_s = now_s + int(seconds)
    unit.changed()
    office.out.append(DriveTo(office.key("drive", unit.unit), unit.unit, roads, float(pos_m), float(speed), task))
    return True


def reroute(office: Office, unit: BusUnit, now_s: int) -> None:
    """Find a bus under way another way, if a road before it was closed."""
    leg, ways = unit.leg, unit.ways
    if leg is None or ways is None or unit.doing != LEG:
        return
    ahead = leg.roads.tolist()
    k = ahead.index(unit.road) if unit.road in ahead else 0
    if not ways.shut()[leg.roads[k + 1 :]].any():
        return
    if drive(office, unit, now_s, leg.road, leg.pos_m, leg.task, leg.bound):
        return
    office.unbind(unit)
    if unit.visits:
        no_way(office, unit, now_s)


def _test(office: Office, unit: BusUnit, now_s: int) -> None:
    """Drive the next leg of a test lap: the stops of the first line in order, or of the list of stops."""
    assert unit.test is not None
    if unit.doing == LEG or unit.ways is None:
        return
    if not unit.test.from_s <= now_s < unit.test.until_s:
        office.dues.append(max(unit.test.from_s, now_s + RETRY_S))
        return
    ways = unit.ways
    lap = office.lines[0].stops if office.lines else tuple(range(len(office.atlas.stops)))
    energy = (unit.battery - unit.reserve) * unit.battery_wh
    home_s, home_m = ways.column(unit.home_road, unit.home_pos_m)
    if unit.doing == CHARGING and unit.battery < office.rules.charge_to - BELOW:
        return
    for k in range(len(lap)):
        stop = lap[(unit.lap + k) % len(lap)]
        road, pos_m = int(office.atlas.road[stop]), float(office.atlas.pos_m[stop])
        seconds, metres = ways.leg(unit.road, unit.pos_m, road, pos_m)
        if stop == unit.at or not office.atlas.is_open[stop] or not math.isfinite(seconds + home_s[stop]):
            continue
        use = (metres + home_m[stop]) * unit.wh_m + unit.idle_w * (seconds + home_s[stop]) / 3600
        if use > energy or now_s + seconds + home_s[stop] > unit.test.until_s:
            break
        unit.lap = (unit.lap + k + 1) % len(lap)
        drive(office, unit, now_s, road, pos_m, "test", bound=False)
        return
    go_home(office, unit, now_s)


def _ints(values: tuple[int, ...]) -> Ints:
    return np.asarray(values, dtype=np.int64)
