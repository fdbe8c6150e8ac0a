"""What the bus desk has on its table: streets, bookings, buses, rules; and the commands of the present call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from twin.control.mobility.bus.bookings import Bookings
from twin.control.mobility.bus.ports import Booking, BusView, Line, Visit
from twin.control.mobility.bus.routes import without
from twin.control.mobility.bus.service import Service
from twin.control.mobility.bus.units import IDLE, LEG, NEAR_M, BusUnit
from twin.control.mobility.bus.ways import Atlas
from twin.control.mobility.stranded import Stranded
from twin.domain.bus import BusRules, CancelBooking, Timetable
from twin.domain.commands import Command


@dataclass
class Office:
    """The table.

    ``orphans``: bookings that lost their bus in this call, and why; ``put_out``: those who are let off before their
    stop, and why; ``fit``: the weather allows trips; ``dues``: seconds at which to look again.
    """

    rules: BusRules = field(default_factory=lambda: BusRules(0, ""))
    atlas: Atlas = field(default_factory=Atlas)
    service: Service = field(default_factory=Service)
    bookings: Bookings = field(default_factory=Bookings)
    units: dict[int, BusUnit] = field(default_factory=dict)
    timetables: dict[str, Timetable] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    stranded: Stranded = field(default_factory=Stranded)
    shut_depots: set[str] = field(default_factory=set)
    fit: bool = True
    out: list[Command] = field(default_factory=list)
    orphans: dict[int, str] = field(default_factory=dict)
    put_out: dict[int, str] = field(default_factory=dict)
    serial: int = 0
    dues: list[int] = field(default_factory=list)

    def key(self, kind: str, number: int) -> str:
        """Return the key of a new command."""
        self.serial += 1
        return f"{kind}/{number}/{self.serial}"

    def view(self, now_s: int, request: Booking | None = None, units: Iterable[BusUnit] | None = None) -> BusView:
        """Return what the policy sees; of only some ``units`` for reckoning with these."""
        buses = tuple(
            unit.seen(self.rules, now_s)
            for unit in (self.units.values() if units is None else units)
            if unit.window is not None and not (unit.out or unit.lost or unit.stopped or unit.gave_up)
        )
        known = self.bookings.open
        if request is not None:
            known = {**known, request.booking: request}
        return BusView(
            now_s, request, buses, MappingProxyType(known), self.atlas.stops, self.atlas.is_open, self.lines, self.rules
        )

    def plan(self, unit: BusUnit, visits: tuple[Visit, ...]) -> None:
        """Give a bus new visits."""
        unit.visits = visits
        unit.changed()

    def drop(self, unit: BusUnit, gone: Iterable[int]) -> None:
        """Take bookings out of a bus's plan, and out of those its open doors wait for."""
        gone = tuple(gone)
        if gone:
            if unit.doors is not None:
                left = tuple(b for b in unit.doors.board if b not in gone)
                unit.doors = replace(unit.doors, board=left)
            self.plan(unit, without(unit.visits, gone, unit.bound))

    def unplan(self, booking: int) -> None:
        """Take a booking out of the plan of whatever bus it has."""
        unit = self.units.get(self.bookings.unit.pop(booking, 0))
        if unit is not None:
            self.drop(unit, (booking,))

    def unplan_elsewhere(self, booking: int, unit: BusUnit) -> None:
        """Take a booking out of the plan of any bus but ``unit``."""
        if self.bookings.unit.get(booking, unit.unit) != unit.unit:
            self.unplan(booking)

    def orphan(self, unit: BusUnit, reason: str, boards: Iterable[int] | None = None) -> None:
        """Take those who wait for a bus (or only ``boards``) from it: they need another one."""
        waiting = tuple(b for v in unit.visits for b in v.board) if boards is None else tuple(boards)
        for b in waiting:
            self.bookings.unit.pop(b, None)
            if b in self.bookings.open:
                self.orphans.setdefault(b, reason)
        self.drop(unit, waiting)

    def cancel(self, booking: int, reason: str) -> None:
        """Take back a promise."""
        self.unplan(booking)
        self.bookings.end(booking, "cancelled")
        self.orphans.pop(booking, None)
        self.out.append(CancelBooking(self.key("cancel", booking), booking, reason))

    def learn_lines(self) -> None:
        """Put the timetables in terms of stops; stops that are unknown are left out."""
        row_of, lines = self.atlas.row_of, []
        for name in sorted(self.timetables):
            told = self.timetables[name]
            kept = [k for k, stop in enumerate(told.stop) if stop in row_of]
            offset, depart = told.offset_s.tolist(), tuple(sorted(told.depart_s.tolist()))
            lines.append(
                Line(told.line, tuple(row_of[told.stop[k]] for k in kept), tuple(offset[k] for k in kept), depart)
            )
        self.lines = tuple(line for line in lines if len(line.stops) >= 2)

    def stand(self, unit: BusUnit, road: int, pos_m: float) -> None:
        """Note where a bus stands still."""
        unit.road, unit.pos_m = road, pos_m
        unit.at = self.atlas.stop_at(road, pos_m, NEAR_M)
        unit.doing, unit.leg, unit.doors, unit.held = IDLE, None, None, False
        unit.changed()

    def reopen(self, unit: BusUnit) -> None:
        """Put the visit back before the others at which a bus did not open its doors, or did not say so."""
        doors, unit.doors = unit.doors, None
        if doors is not None:
            self.plan(unit, (replace(doors, alight=tuple(b for b in doors.alight if b in unit.aboard)), *unit.visits))

    def unbind(self, unit: BusUnit) -> None:
        """Let a bus that drives to its first visit be sent elsewhere."""
        if unit.doing == LEG and unit.leg is not None and unit.leg.bound:
            unit.leg.bound = False
            first = unit.visits[0]
            if not (first.board or first.alight or first.keep):
                unit.visits = unit.visits[1:]
            unit.changed()
