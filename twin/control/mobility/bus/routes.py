"""Times, faults, battery of a bus's visits: the arithmetic shared by the desk and its policies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from twin.control.mobility.bus.ports import Booking, Bus, BusView, Visit
from twin.domain.bus import BusRules
from twin.domain.ids import unit_label

PLAN_MARGIN, START_MARGIN = 1.15, 1.05  # on the energy for driving, when planning and when setting out (assumed)
CHARGE_S = 900  # a layover shorter than this at the depot is not worth the way to the charger (assumed)


@dataclass(frozen=True)
class Times:
    """When a bus comes to and leaves each of its visits, and when it could be home after them."""

    arrive_s: tuple[int, ...]
    leave_s: tuple[int, ...]
    home_s: float


def dwell_s(rules: BusRules, bookings: Mapping[int, Booking], visit: Visit) -> int:
    """Return how long a bus stands at a visit at least; 0 if nobody gets on or off and it need not be made."""
    if not (visit.board or visit.alight or visit.keep):
        return 0
    people = sum(bookings[b].party for b in (*visit.board, *visit.alight))
    return rules.dwell_s + rules.person_s * people


def ready_s(booking: Booking, stop: int) -> int:
    """Return when the passengers can be at a stop; once it is promised, the promised pick-up."""
    if booking.promised:
        return booking.pickup_s
    return next((w.at_s for w in booking.origin if w.stop == stop), booking.wanted_s)


def need_s(bookings: Mapping[int, Booking], visit: Visit) -> int:
    """Return the second before which a bus does not leave a visit."""
    return max(visit.depart_s, *(ready_s(bookings[b], visit.stop) for b in visit.board), 0)


def timed(view: BusView, bus: Bus, visits: tuple[Visit, ...]) -> Times:
    """Return the times of visits, in whole seconds; a stop that cannot be reached is reached at 10⁹ s.

    A layover counts from the arrival; a bus that stands at its first stop already has had it.
    """
    arrive, leave = [], []
    t, at = max(bus.free_s, view.now_s), -1
    for visit in visits:
        way = bus.from_s[visit.stop] if at < 0 else bus.time_s[at][visit.stop]
        t = t + int(way) if math.isfinite(way) else 10**9
        arrive.append(t)
        stay = dwell_s(view.rules, view.bookings, visit)
        if at >= 0 or way > 0 or bus.under_way:
            stay = max(stay, visit.layover_s)
        t = max(t + stay, need_s(view.bookings, visit))
        leave.append(t)
        at = visit.stop
    return Times(tuple(arrive), tuple(leave), t + bus.home_s[at] if at >= 0 else t)


def drive_s(bus: Bus, visits: tuple[Visit, ...]) -> float:
    """Return the seconds of driving of a plan, the way home included; 0 for none."""
    if not visits:
        return 0.0
    stops = [v.stop for v in visits]
    return bus.from_s[stops[0]] + sum(bus.time_s[a][b] for a, b in pairwise(stops)) + bus.home_s[stops[-1]]


def max_ride_s(rules: BusRules, direct_s: float) -> float:
    """Return the longest ride, from pick-up to arrival, where the direct way takes ``direct_s`` (door time added)."""
    return max(rules.max_detour * direct_s, direct_s + rules.min_detour_s) + rules.dwell_s


def spare_s(bus: Bus, rules: BusRules, at: int, stop: int, wait_s: float) -> float:
    """Return the seconds a bus could be at its depot, charging, instead of waiting ``wait_s`` for its next visit.

    ``at``: the stop it is at; -1: where it is at ``free_s``.
    """
    if at < 0:
        return wait_s - rules.early_s if bus.at_home else -1.0
    return wait_s + bus.time_s[at][stop] - bus.home_s[at] - bus.out_s[stop] - rules.early_s


def energy_left_wh(view: BusView, bus: Bus, visits: tuple[Visit, ...], margin: float = PLAN_MARGIN) -> float:
    """Return the lowest charge above the reserve, the way home kept back, at any time of a plan.

    ``margin``: driving is taken to use so many times what it should. In gaps of ``CHARGE_S`` or more the bus charges
    at its depot.
    """
    wh_m = bus.wh_m * margin
    times, rules = timed(view, bus, visits), view.rules
    energy, low, at, left = bus.energy_wh, math.inf, -1, max(bus.free_s, view.now_s)
    for visit, arrive, leave in zip(visits, times.arrive_s, times.leave_s, strict=True):
        wait = leave - arrive - dwell_s(rules, view.bookings, visit)
        spare = spare_s(bus, rules, at, visit.stop, wait)
        metres = bus.from_m[visit.stop] if at < 0 else bus.metre_m[at][visit.stop]
        seconds = float(leave - left)
        if spare >= CHARGE_S and math.isfinite(spare):
            if at >= 0:
                energy -= bus.home_m[at] * wh_m + bus.idle_w * bus.home_s[at] / 3600
                low = min(low, energy)
                metres = bus.out_m[visit.stop]
            energy = min(bus.full_wh, energy + rules.charge_w * spare / 3600)
            seconds = bus.out_s[visit.stop] + leave - arrive - wait
        energy -= metres * wh_m + bus.idle_w * seconds / 3600
        low = min(low, energy - bus.home_m[visit.stop] * wh_m - bus.idle_w * bus.home_s[visit.stop] / 3600)
        at, left = visit.stop, leave
    return low


def fault(view: BusView, bus: Bus, visits: tuple[Visit, ...]) -> str:
    """Return in a sentence the first rule that a plan breaks; empty if it can be driven."""
    name = unit_label(bus.unit)
    if bus.under_way and (not visits or visits[0].stop != bus.visits[0].stop):
        return f"{name} is under way to stop {view.stops[bus.visits[0].stop]}, which must stay its first"
    seats = _seats(view, bus, visits, name)
    return seats or _promises(view, bus, visits, name) or _battery(view, bus, visits, name)


def _seats(view: BusView, bus: Bus, visits: tuple[Visit, ...], name: str) -> str:
    aboard = list(bus.aboard)
    load = sum(view.bookings[b].party for b in aboard)
    for visit in visits:
        place = view.stops[visit.stop]
        if (visit.board or visit.alight or visit.keep) and not view.open[visit.stop]:
            return f"stop {place} is closed"
        for b in visit.alight:
            if b not in aboard:
                return f"booking {b} cannot get off {name} at {place}, as it is not aboard"
            aboard.remove(b)
            load -= view.bookings[b].party
        for b in visit.board:
            if b in aboard or b not in view.bookings:
                return f"booking {b} cannot board {name} at {place}: it is unknown or aboard"
            aboard.append(b)
            load += view.bookings[b].party
        if load > bus.seats:
            return f"{name} has {bus.seats} seats, {load} people would be aboard after {place}"
    return f"booking {aboard[0]} would be left aboard {name}" if aboard else ""


def _promises(view: BusView, bus: Bus, visits: tuple[Visit, ...], name: str) -> str:
    times, on = timed(view, bus, visits), {}
    for visit, arrive in zip(visits, times.arrive_s, strict=True):
        place = view.stops[visit.stop]
        if arrive >= 10**9:
            return f"{name} has no way to {place}"
        for b in visit.board:
            booking = view.bookings[b]
            ready = ready_s(booking, visit.stop)
            on[b] = (max(arrive, ready), visit)
            latest = booking.latest_s if booking.promised else ready + view.rules.max_wait_s
            if arrive > latest:
                return f"{name} is at {place} for booking {b} at {arrive:,} s, later than {latest:,} s"
        stay = dwell_s(view.rules, view.bookings, visit)
        for b in visit.alight:
            booking = view.bookings[b]
            latest_off = _latest_off_s(booking, visit.stop)
            if arrive + stay > latest_off:
                return f"{name} is at {place} with booking {b} at {arrive + stay:,} s, later than {latest_off:,} s"
            if not booking.promised and b in on and not on[b][1].run:
                direct = bus.time_s[on[b][1].stop][visit.stop]
                if arrive - on[b][0] > max_ride_s(view.rules, direct):
                    return f"booking {b} would ride {arrive - on[b][0]:,} s, the direct way takes {direct:,.0f} s"
    if visits and not times.home_s <= bus.until_s:
        return f"{name} would be home at {times.home_s:,.0f} s, but must be by {bus.until_s:,} s"
    return ""


def _latest_off_s(booking: Booking, stop: int) -> float:
    if booking.promised:
        return booking.arrive_s
    walk = next((w.at_s for w in booking.destination if w.stop == stop), 0)
    return booking.due_s - walk if booking.due_s >= 0 else math.inf


def _battery(view: BusView, bus: Bus, visits: tuple[Visit, ...], name: str) -> str:
    left = energy_left_wh(view, bus, visits)
    return f"{name} would go {-left:,.0f} Wh below its reserve" if left < 0 else ""


def without(visits: tuple[Visit, ...], gone: Iterable[int], under_way: bool) -> tuple[Visit, ...]:
    """Return visits without some bookings; those left empty are dropped, but for the first of a bus under way."""
    out, drop = [], set(gone)
    for k, visit in enumerate(visits):
        if drop.isdisjoint((*visit.board, *visit.alight)):
            out.append(visit)
            continue
        board = tuple(b for b in visit.board if b not in drop)
        alight = tuple(b for b in visit.alight if b not in drop)
        if board or alight or visit.keep or (k == 0 and under_way):
            out.append(replace(visit, board=board, alight=alight))
    return tuple(out)
