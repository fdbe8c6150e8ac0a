"""The app's side of the bus desk: which stops a booking can use, why it is refused, what is promised, how it ends."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from twin.control.mobility.bus.ports import Booking, Bus, BusView, Visit, Walk
from twin.control.mobility.bus.routes import dwell_s, max_ride_s, ready_s, timed
from twin.control.mobility.bus.ways import Atlas
from twin.domain.bus import BookingRequest, BusRules

STOPS = 5  # stops looked at on each side, the nearest by walking
RESERVE_S = 60  # plans end so much before what is told, as travel times are not known better (assumed)
TOO_FAR = "too far from any stop"
WALK = "shorter to walk"
NO_SEATS = "party larger than any bus"
OUTSIDE_HOURS = "outside hours"
NOT_ADMITTED = "not admitted yet"
NO_PERMIT = "no permit for passengers"
NO_BUS = "no bus in service"
WEATHER = "weather outside the operating conditions"
NO_WAY = "no way between the stops"
ENDS = ("served", "refused", "missed", "cancelled")


class Bookings:
    """All bookings: the open ones with their promise and bus, and how the others ended (one of ENDS)."""

    def __init__(self) -> None:
        self.open: dict[int, Booking] = {}
        self.asked: dict[int, BookingRequest] = {}
        self.unit: dict[int, int] = {}
        self.aboard: set[int] = set()
        self.ended: dict[int, str] = {}
        self.last: dict[int, Booking] = {}

    def end(self, booking: int, how: str) -> None:
        """End a booking; a later end takes the place of an earlier one."""
        if booking in self.open:
            self.last[booking] = self.open.pop(booking)
        self.unit.pop(booking, None)
        self.aboard.discard(booking)
        self.ended[booking] = how


def walks(atlas: Atlas, rules: BusRules, x_m: float, y_m: float, begin_s: int) -> tuple[Walk, ...]:
    """Return the open stops in reach of a point, the nearest first; ``begin_s`` is added to the seconds of walking."""
    metres = np.hypot(atlas.x_m - x_m, atlas.y_m - y_m) * rules.walk_detour
    order = np.argsort(metres, kind="stable")
    near = [int(row) for row in order if metres[row] <= rules.max_walk_m and atlas.is_open[int(row)]][:STOPS]
    return tuple(Walk(row, begin_s + math.ceil(float(metres[row]) / rules.walk_m_s)) for row in near)


def as_booking(atlas: Atlas, rules: BusRules, asked: BookingRequest, now_s: int) -> Booking:
    """Return a request as a booking without promise."""
    origin = walks(atlas, rules, asked.from_x_m, asked.from_y_m, max(now_s, asked.wanted_s))
    destination = walks(atlas, rules, asked.to_x_m, asked.to_y_m, 0)
    return Booking(asked.booking, asked.party, asked.wanted_s, asked.due_s, origin, destination)


def again(atlas: Atlas, rules: BusRules, asked: BookingRequest, old: Booking, now_s: int) -> Booking:
    """Return a promised booking that must be planned anew: its passengers are at, or on their way to, the old stop."""
    from_s = max(now_s, old.pickup_s)
    x_m, y_m = float(atlas.x_m[old.stop]), float(atlas.y_m[old.stop])
    origin = walks(atlas, rules, x_m, y_m, from_s)
    destination = walks(atlas, rules, asked.to_x_m, asked.to_y_m, 0)
    return Booking(asked.booking, asked.party, asked.wanted_s, -1, origin, destination)


def why_not(view: BusView, asked: BookingRequest, booking: Booking) -> str:
    """Return why a booking is refused before any planning; empty if nothing is known against it."""
    if asked.party < 1 or asked.party > max(bus.seats for bus in view.buses):
        return NO_SEATS
    if not booking.origin or not booking.destination:
        return TOO_FAR
    a, b = booking.origin[0], booking.destination[0]
    on_foot_s = math.hypot(asked.from_x_m - asked.to_x_m, asked.from_y_m - asked.to_y_m)
    on_foot_s *= view.rules.walk_detour / view.rules.walk_m_s
    if a.stop == b.stop:
        return WALK
    direct = min(bus.time_s[a.stop][b.stop] for bus in view.buses)
    if not math.isfinite(direct):
        return NO_WAY
    if on_foot_s <= a.at_s - max(asked.wanted_s, view.now_s) + view.rules.dwell_s + direct + b.at_s:
        return WALK
    return ""


def promised(view: BusView, bus: Bus, visits: tuple[Visit, ...], booking: Booking) -> Booking:
    """Return a booking with the promise that a plan allows: pick-up as planned, arrival at the latest.

    On a run of a timetable the arrival is promised as planned and ``window_s`` more; elsewhere it leaves room for the
    longest ride that is allowed, so that others can still get on.
    """
    times, b = timed(view, bus, visits), booking.booking
    on = next(k for k, v in enumerate(visits) if b in v.board)
    off = next(k for k, v in enumerate(visits) if b in v.alight)
    stop, to_stop = visits[on].stop, visits[off].stop
    pickup_s = max(times.arrive_s[on], ready_s(booking, stop), visits[on].depart_s)
    planned_s = times.arrive_s[off] + dwell_s(view.rules, view.bookings, visits[off])
    arrive_s = planned_s + view.rules.window_s
    if not visits[on].run:
        arrive_s = max(arrive_s, pickup_s + math.floor(max_ride_s(view.rules, bus.time_s[stop][to_stop])))
    if booking.due_s >= 0:
        walk_s = next((w.at_s for w in booking.destination if w.stop == to_stop), 0)
        arrive_s = max(planned_s, min(arrive_s, booking.due_s - walk_s))
    reserve_s = _reserve_s(view.rules)
    return replace(
        booking, stop=stop, to_stop=to_stop, pickup_s=pickup_s, latest_s=pickup_s + view.rules.window_s - reserve_s,
        arrive_s=max(planned_s, arrive_s - reserve_s), told_s=arrive_s,
    )  # fmt: skip


def _reserve_s(rules: BusRules) -> int:
    return min(RESERVE_S, rules.window_s // 3)


def kept(new: Booking, old: Booking, rules: BusRules) -> Booking:
    """Return the booking with its old promise where the new plan keeps that, else with the new one."""
    same = (new.stop, new.to_stop) == (old.stop, old.to_stop)
    if same and new.pickup_s <= old.pickup_s + rules.window_s and new.told_s <= old.told_s:
        return old
    return new


def postponed(
    booking: Booking, rules: BusRules, arrive_on_s: int, off_s: int, aboard: bool
) -> tuple[Booking, bool] | None:
    """Return the booking with later bounds if the plan breaks them, and whether the customer must be told.

    ``arrive_on_s``: when the bus comes; ``off_s``: when the passengers are off it. Delays of less than ``RESERVE_S``
    stay within what was told.
    """
    new, tell = booking, False
    if not aboard and arrive_on_s > booking.latest_s:
        new = replace(new, latest_s=arrive_on_s)
        if arrive_on_s > booking.pickup_s + rules.window_s:
            tell = True
            new = replace(new, pickup_s=arrive_on_s, latest_s=arrive_on_s + rules.window_s - _reserve_s(rules))
    if off_s > booking.arrive_s:
        new = replace(new, arrive_s=off_s)
        if off_s > booking.told_s:
            tell = True
            new = replace(new, arrive_s=off_s + rules.window_s - _reserve_s(rules), told_s=off_s + rules.window_s)
    return (new, tell) if new is not booking else None


def at_other_stop(booking: Booking, stop: int) -> Booking:
    """Return the booking of passengers aboard with another stop to get off at."""
    return replace(booking, to_stop=stop)
