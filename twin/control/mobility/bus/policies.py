"""The shipped policies: a fixed timetable, booked stops of that timetable, and on-demand (F22)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from twin.control.mobility.bus.insertion import Insertion, Slack, Weights, wishes
from twin.control.mobility.bus.ports import Booking, Bus, BusView, Line, Plan, Visit
from twin.control.mobility.bus.routes import drive_s, fault, timed, without

DAY_S = 86_400
Routes = dict[int, tuple[Visit, ...]]


@dataclass(frozen=True)
class OnDemand:
    """Each booking goes where it costs least: the cheapest feasible insertion over all buses.

    ``nearest``: stops looked at on each side. When looking the plans through, the ``moves`` bookings that are to be
    picked up next are taken out one by one and put where they cost least, within their promises, if that saves
    ``gain_s`` at least (or their bus is late).
    """

    nearest: int = 1
    weights: Weights = field(default_factory=Weights)
    moves: int = 8
    gain_s: float = 60.0

    def plan(self, view: BusView) -> Plan:
        """Insert the request, or improve what is promised."""
        if view.request is None:
            return Plan(self._improved(view))
        best = self._best(view, view.buses, view.request)
        if best is None:
            return Plan()
        bus = next(b for b in view.buses if b.unit == best.unit)
        return Plan({bus.unit: best.visits(bus.visits, view.request.booking)})

    def _best(self, view: BusView, buses: tuple[Bus, ...], booking: Booking) -> Insertion | None:
        found: list[Insertion] = []
        wanted = wishes(view, booking, self.nearest)
        for bus in buses:
            slack = Slack(view, bus)
            places = [p for w in wanted if (p := slack.best(w, self.weights)) is not None]
            if places:
                found.append(min(places))
        by_unit = {bus.unit: bus for bus in buses}
        for place in sorted(found):
            bus = by_unit[place.unit]
            if not fault(view, bus, place.visits(bus.visits, booking.booking)):
                return place
        return None

    def _improved(self, view: BusView) -> Routes:
        holder = {b: bus.unit for bus in view.buses for v in bus.visits[bus.under_way :] for b in v.board}
        soon = sorted(holder, key=lambda b: (view.bookings[b].pickup_s, b))[: self.moves]
        buses, out = {bus.unit: bus for bus in view.buses}, dict[int, tuple[Visit, ...]]()
        for b in soon:
            old = buses[holder[b]]
            less = without(old.visits, (b,), old.under_way)
            trial = {**buses, old.unit: replace(old, visits=less)}
            place = self._best(view, tuple(trial.values()), view.bookings[b])
            if place is None:
                continue
            bus = trial[place.unit]
            new = place.visits(bus.visits, b)
            before = drive_s(old, old.visits) + drive_s(buses[bus.unit], buses[bus.unit].visits) * (
                bus.unit != old.unit
            )
            after = drive_s(bus, new) + drive_s(old, less) * (bus.unit != old.unit)
            late = bool(fault(view, old, old.visits))
            if before - after < self.gain_s and not (late and bus.unit != old.unit):
                continue
            if fault(view, trial[old.unit], less) and bus.unit != old.unit and not late:
                continue
            out[old.unit] = less
            out[bus.unit] = new
            buses[old.unit] = replace(old, visits=less)
            buses[bus.unit] = replace(buses[bus.unit], visits=new)
        return out


@dataclass(frozen=True)
class Timetabled:
    """Every run of the timetable is driven, booked or not; passengers may book a seat on a run.

    Runs are given to buses ``horizon_s`` ahead, or when somebody books one. A run that no bus can begin within
    ``late_s`` falls out.
    """

    horizon_s: int = 7200
    late_s: int = 300
    keeps = True

    def plan(self, view: BusView) -> Plan:
        """Book a seat on a run, or give the next runs to buses."""
        return Plan(self._fill(view)) if view.request is None else self._book(view, view.request)

    def _fill(self, view: BusView) -> Routes:
        if not self.keeps:
            return {}
        buses, out = {bus.unit: bus for bus in view.buses}, Routes()
        taken = {v.run for bus in view.buses for v in bus.visits}
        for depart, line in _runs(view, view.now_s, view.now_s + self.horizon_s):
            if _name(line, depart) in taken or depart < view.now_s + view.rules.dwell_s:
                continue
            visits = _visits(view, line, depart, range(len(line.stops)), keep=True)
            if len(visits) < 2:
                continue
            found = self._place(view, buses, visits)
            if found is not None:
                unit, plan = found
                buses[unit] = replace(buses[unit], visits=plan)
                out[unit] = plan
        return out

    def _book(self, view: BusView, booking: Booking) -> Plan:
        buses = {bus.unit: bus for bus in view.buses}
        at_run = {v.run: bus.unit for bus in view.buses for v in bus.visits if v.run}
        reason = "no run of the timetable goes there in time"
        for _, depart, line, a, b in _rides(view, booking):
            name = _name(line, depart)
            reason = "no seat in time"
            if name in at_run:
                bus = buses[at_run[name]]
                visits = self._joined(view, bus.visits, booking.booking, line, depart, a, b)
                if visits is not None and not self._fault(view, bus, visits):
                    return Plan({bus.unit: visits})
                continue
            steps = range(len(line.stops)) if self.keeps else (a, b)
            fresh = _visits(view, line, depart, steps, self.keeps)
            run = self._joined(view, fresh, booking.booking, line, depart, a, b)
            found = self._place(view, buses, run) if run is not None else None
            if found is not None:
                return Plan({found[0]: found[1]})
        return Plan(reason=reason)

    def _place(
        self, view: BusView, buses: dict[int, Bus], run: tuple[Visit, ...]
    ) -> tuple[int, tuple[Visit, ...]] | None:
        """Return the bus, and its plan, that can drive a run with the least delay and driving."""
        best: tuple[float, float, int] | None = None
        plan: tuple[Visit, ...] = ()
        for unit, bus in buses.items():
            k = _gap(bus, run[0].depart_s)
            visits = (*bus.visits[:k], *run, *bus.visits[k:])
            if self._fault(view, bus, visits):
                continue
            late = timed(view, bus, visits).leave_s[k] - run[0].depart_s
            rank = (float(max(0, late)), drive_s(bus, visits) - drive_s(bus, bus.visits), unit)
            if best is None or rank < best:
                best, plan = rank, visits
        return (best[2], plan) if best is not None else None

    def _fault(self, view: BusView, bus: Bus, visits: tuple[Visit, ...]) -> str:
        leave, before, seen = timed(view, bus, visits).leave_s, timed(view, bus, bus.visits).leave_s, ""
        was = {(v.run, v.depart_s): t for v, t in zip(bus.visits, before, strict=True)}
        for visit, t in zip(visits, leave, strict=True):
            if visit.run and visit.run != seen:
                seen = visit.run
                if t > max(visit.depart_s + self.late_s, was.get((visit.run, visit.depart_s), 0)):
                    return f"run {visit.run} would set out {t - visit.depart_s} s late"
        return fault(view, bus, visits)

    def _joined(
        self, view: BusView, visits: tuple[Visit, ...], b: int, line: Line, depart: int, on: int, off: int
    ) -> tuple[Visit, ...] | None:
        """Return visits with a booking on a run, getting on and off at positions of its line; None: it is past."""
        out, name = list(visits), _name(line, depart)
        for step in (off, on):
            due = depart + line.offset_s[step]
            k = next(
                (k for k, v in enumerate(out) if v.run == name and v.depart_s == due and v.stop == line.stops[step]), -1
            )
            if k < 0:
                if self.keeps:
                    return None
                k = next((k for k, v in enumerate(out) if v.run == name and v.depart_s > due), -1)
                if k < 0:
                    k = 1 + max(k for k, v in enumerate(out) if v.run == name)
                out[k:k] = _visits(view, line, depart, (step,), keep=False)
            if step == on:
                out[k] = replace(out[k], board=(*out[k].board, b))
            else:
                out[k] = replace(out[k], alight=(*out[k].alight, b))
        return tuple(out)


@dataclass(frozen=True)
class BookedStops(Timetabled):
    """The timetable's line, but a stop without bookings is left out, and a run without bookings does not go."""

    keeps = False


def _name(line: Line, depart_s: int) -> str:
    return f"{line.line}/{depart_s}"


def _runs(view: BusView, from_s: int, to_s: int) -> list[tuple[int, Line]]:
    """Return the departures in [from_s, to_s) in order of time."""
    out = []
    for number, line in enumerate(view.lines):
        for day in range(from_s // DAY_S, to_s // DAY_S + 1):
            out += [(t + day * DAY_S, number) for t in line.depart_s if from_s <= t + day * DAY_S < to_s]
    return [(t, view.lines[number]) for t, number in sorted(out)]


def _visits(view: BusView, line: Line, depart_s: int, steps: range | tuple[int, ...], keep: bool) -> tuple[Visit, ...]:
    name, layover_s = _name(line, depart_s), view.rules.layover_s if keep else 0
    return tuple(
        Visit(line.stops[k], (), (), depart_s + line.offset_s[k], 0 if k else layover_s, name, keep)
        for k in steps
        if view.open[line.stops[k]]
    )


def _gap(bus: Bus, depart_s: int) -> int:
    """Return where in a bus's plan a run belongs: before the first run that sets out later."""
    first: dict[str, int] = {}
    for k, v in enumerate(bus.visits):
        if v.run:
            first.setdefault(v.run, k)
    later = [k for k in first.values() if bus.visits[k].depart_s > depart_s and (k > 0 or not bus.under_way)]
    return min(later, default=len(bus.visits))


def _rides(view: BusView, booking: Booking) -> Iterator[tuple[float, int, Line, int, int]]:
    """Yield the runs that serve a booking, the one that is there first (walking counted) first.

    As (time there, departure, line, position of getting on, of getting off).
    """
    found: dict[tuple[int, int], tuple[float, int, int]] = {}
    walk_on = {w.stop: w.at_s for w in booking.origin}
    walk_off = {w.stop: w.at_s for w in booking.destination}
    for number, line in enumerate(view.lines):
        ons = [(k, walk_on[s]) for k, s in enumerate(line.stops) if s in walk_on and view.open[s]]
        offs = [(k, walk_off[s]) for k, s in enumerate(line.stops) if s in walk_off and view.open[s]]
        for a, ready in ons:
            for b, walk in offs:
                if a >= b or line.stops[a] == line.stops[b]:
                    continue
                begin = ready - line.offset_s[a]
                late = ready + view.rules.max_wait_s - line.offset_s[a]
                for depart in _departs(line, begin, late):
                    there = float(depart + line.offset_s[b] + walk)
                    if booking.due_s >= 0 and there > booking.due_s:
                        continue
                    new = (there + ready, a, b)  # of equal runs the pair of stops that walks least
                    if new < found.get((number, depart), (math.inf, 0, 0)):
                        found[number, depart] = new
    order = sorted((cost, depart, number, a, b) for (number, depart), (cost, a, b) in found.items())
    for cost, depart, number, a, b in order:
        yield cost, depart, view.lines[number], a, b


def _departs(line: Line, from_s: int, to_s: int) -> list[int]:
    days = range(from_s // DAY_S, to_s // DAY_S + 1)
    return [t + day * DAY_S for day in days for t in line.depart_s if from_s <= t + day * DAY_S <= to_s]
