"""The desk of the autonomous buses: bookings in, promises and bus movements out (F22, F26).

A controller: a deterministic fold over messages. In each call it takes in what is new, gives bookings that lost their
bus to another one, answers requests, lets the policy look the plans through every ``REVIEW_S``, moves the buses, and
tells customers when a promise no longer holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.control.mobility.bus import bookings as app
from twin.control.mobility.bus.driving import act, keep_lawful, reroute
from twin.control.mobility.bus.office import Office
from twin.control.mobility.bus.policies import OnDemand
from twin.control.mobility.bus.ports import Booking, Bus, BusPolicy, BusView, Plan, Visit
from twin.control.mobility.bus.reports import instruct, report, secure, telemetry, tell, watch
from twin.control.mobility.bus.routes import dwell_s, fault, timed, without
from twin.control.mobility.bus.service import FLEET, service_hours
from twin.control.mobility.bus.units import BusUnit, enlist
from twin.domain.bus import AnswerBooking, BookingCancelled, BookingRequest, BusRules, Timetable
from twin.domain.commands import Command, WakeAt
from twin.domain.ids import unit_label
from twin.domain.messages import Message
from twin.domain.mobility import Instruction, PlaceChanged, Roster, Telemetry, UnitReport, WeatherReport

TICK_S = 60
REVIEW_S = 300
WEATHER_AHEAD_S = 1800  # weather tells nothing about trips later than this (assumed)


class BusDesk:
    """See the module's text. State is rebuilt by replaying its messages."""

    def __init__(self, policy: BusPolicy | None = None) -> None:
        self._policy: BusPolicy = policy if policy is not None else OnDemand()
        self._office = Office()
        self._seen: set[str] = set()
        self._asked: list[BookingRequest] = []
        self._tick_s = 0
        self._review_s = 0
        self._wake_s = -1
        self._permits = -1
        self._streets_changed = False

    @property
    def ended(self) -> dict[int, str]:
        """How each booking ended that did: served, refused, missed or cancelled."""
        return dict(self._office.bookings.ended)

    @property
    def waiting(self) -> tuple[int, ...]:
        """The bookings that have a promise and did not end."""
        return tuple(self._office.bookings.open)

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Take in messages and answer with commands."""
        office = self._office
        office.out, office.dues = [], []
        for message in messages:
            if message.key not in self._seen:
                self._seen.add(message.key)
                self._take(now_s, message)
        if office.atlas.known and office.units:
            self._work(now_s)
        else:
            for asked in self._asked:
                self._refuse(asked, app.NO_BUS)
        self._asked = []
        return office.out

    # -- messages --------------------------------------------------------------------------------------

    def _take(self, now_s: int, message: Message) -> None:
        office = self._office
        if isinstance(message, Telemetry):
            telemetry(office, message, now_s)
        elif isinstance(message, UnitReport):
            if message.unit in office.units:
                report(office, office.units[message.unit], message, now_s)
        elif isinstance(message, BookingRequest):
            if message.booking not in office.bookings.asked:
                office.bookings.asked[message.booking] = message
                self._asked.append(message)
        elif isinstance(message, BookingCancelled):
            self._cancelled(message)
        elif isinstance(message, WeatherReport):
            rules = office.rules
            office.fit = message.rain_mm_h <= rules.rain_limit_mm_h and message.visibility_m >= rules.visibility_limit_m
        elif isinstance(message, Instruction):
            if message.unit in office.units:
                instruct(office, office.units[message.unit], message, now_s)
        else:
            self._configure(now_s, message)

    def _configure(self, now_s: int, message: Message) -> None:
        office = self._office
        if isinstance(message, Roster):
            if message.fleet == FLEET:
                office.units = {u.unit: u for u in enlist(message, office.rules)}
                for unit in office.units.values():
                    unit.heard_s = now_s
                self._permits = -1
        elif isinstance(message, BusRules):
            office.rules = message
            office.atlas.pull_out(message.pull_out_s)
            for unit in office.units.values():
                unit.seats = min(unit.places, message.seats)
            self._permits = -1
        elif isinstance(message, Timetable):
            office.timetables[f"{message.line} from {message.stop[:1]}"] = message
            office.learn_lines()
            self._review_s = now_s
        elif office.service.take(message):
            pass
        elif office.atlas.take(now_s, message):
            self._streets_changed = True
            if isinstance(message, PlaceChanged) and message.kind in ("depot", "charger"):
                (office.shut_depots.discard if message.open and message.size else office.shut_depots.add)(message.place)
            office.learn_lines()
            for unit in office.units.values():
                if unit.at < 0 and unit.leg is None:
                    office.stand(unit, unit.road, unit.pos_m)

    def _cancelled(self, told: BookingCancelled) -> None:
        office, b = self._office, told.booking
        self._asked = [asked for asked in self._asked if asked.booking != b]
        if b in office.bookings.aboard or b in office.bookings.ended:
            return  # they get off where they wanted
        if b in office.bookings.asked:
            office.unplan(b)
            office.orphans.pop(b, None)
            office.bookings.end(b, "cancelled")

    # -- a call ----------------------------------------------------------------------------------------

    def _work(self, now_s: int) -> None:
        office = self._office
        tick = now_s >= self._tick_s
        if tick:
            self._tick_s = now_s + TICK_S
            office.atlas.refresh(now_s)
        look = tick or self._permits != office.service.version
        if look:
            self._permits = office.service.version
            for unit in office.units.values():
                self._allow(unit, now_s)
        if self._streets_changed:
            self._streets_changed = False
            self._new_streets(now_s)
        if not office.fit:
            self._bad_weather(now_s)
        for unit in office.units.values() if tick else ():
            watch(office, unit, now_s)
        self._keep_promises(now_s, tick)
        self._give_away(now_s)
        for asked in self._asked:
            self._answer(now_s, asked)
        if now_s >= self._review_s:
            self._review_s = now_s + REVIEW_S
            self._adopt(office.view(now_s), None)
        for unit in office.units.values():
            act(office, unit, now_s)
        for unit in office.units.values() if look else ():
            keep_lawful(office, unit, now_s)
        if office.orphans:
            self._give_away(now_s)
        due = min((t for t in office.dues if t > now_s), default=1 << 60)
        due = min(due, self._tick_s, self._review_s)
        if not now_s < self._wake_s <= due:
            self._wake_s = due
            office.out.append(WakeAt(office.key("wake", due), due))

    def _allow(self, unit: BusUnit, now_s: int) -> None:
        """Look up what a bus may do; those who wait for one that may not any more need another one."""
        office = self._office
        ask = (now_s, office.atlas.roads, unit.test_h, unit.test_km)
        window = office.service.window(unit.unit, "passengers", office.rules, *ask)
        unit.permit = office.service.window(unit.unit, "passengers", None, *ask)
        unit.in_tests = window is None and office.service.asks_tests(unit.unit, now_s, unit.test_h, unit.test_km)
        unit.test = office.service.window(unit.unit, "test", None, *ask)
        if window != unit.window or unit.ways is None:
            unit.window = window
            unit.changed()
        held = window if window is not None else unit.test
        if held is not None:
            unit.ways = office.atlas.ways(held.grant, unit.speed_m_s)
        begin = 1 << 60 if window is None else window.from_s
        if begin > now_s:
            unit.until_s = 0
            late = [b for v in unit.visits for b in v.board if office.bookings.open[b].pickup_s < begin]
            if late:
                office.orphan(unit, app.NO_PERMIT, late)
            keep = tuple(v for v in unit.visits if v.board or v.alight or v.depart_s >= begin)
            if keep != unit.visits and not unit.bound:
                office.plan(unit, keep)

    def _new_streets(self, now_s: int) -> None:
        office = self._office
        is_open = office.atlas.is_open
        for unit in office.units.values():
            unit.changed()
            first = unit.bound
            hit = [k for k, v in enumerate(unit.visits) if not is_open[v.stop]]
            if hit:
                if first and hit[0] == 0:
                    office.unbind(unit)
                waiting = [b for b in self._touching(unit, is_open) if b not in unit.aboard]
                office.orphan(unit, "the stop is closed", waiting)
                self._other_stop(unit)
                office.plan(unit, tuple(v for v in unit.visits if is_open[v.stop]))
                secure(office, unit)
            reroute(office, unit, now_s)

    def _touching(self, unit: BusUnit, is_open: tuple[bool, ...]) -> list[int]:
        closed = [v for v in unit.visits if not is_open[v.stop]]
        return list(dict.fromkeys(b for v in closed for b in (*v.board, *v.alight)))

    def _other_stop(self, unit: BusUnit) -> None:
        """Promise those aboard the nearest open stop instead of one that is closed."""
        office = self._office
        atlas = office.atlas
        for b in unit.aboard:
            booking = office.bookings.open[b]
            if atlas.is_open[booking.to_stop]:
                continue
            x_m, y_m = float(atlas.x_m[booking.to_stop]), float(atlas.y_m[booking.to_stop])
            near = app.walks(atlas, office.rules, x_m, y_m, 0)
            rest = [k for k, can in enumerate(atlas.is_open) if can]
            stop = near[0].stop if near else (rest[0] if rest else booking.to_stop)
            office.drop(unit, (b,))
            tell(office, unit, app.at_other_stop(booking, stop), "the stop is closed")

    def _bad_weather(self, now_s: int) -> None:
        office = self._office
        book = office.bookings
        doors = {b for unit in office.units.values() if unit.doors is not None for b in unit.doors.board}
        soon = [
            b for b, booking in book.open.items()
            if b not in book.aboard and b not in doors and booking.pickup_s <= now_s + WEATHER_AHEAD_S
        ]  # fmt: skip
        for b in soon:
            office.cancel(b, app.WEATHER)

    def _keep_promises(self, now_s: int, tick: bool) -> None:
        """Move promises that the present plans break, and tell the customers: of buses that changed, or all."""
        office = self._office
        units = [u for u in office.units.values() if u.visits and (tick or u.version != u.checked)]
        for unit in units:
            unit.checked = unit.version
        view = office.view(now_s, None, units)
        for bus in view.buses:
            unit = office.units[bus.unit]
            times = timed(view, bus, bus.visits)
            ends = int(min(times.home_s, 10**9))
            ends = ends if unit.window is not None and ends > unit.window.until_s else 0
            if ends != unit.until_s:
                unit.until_s = ends
                unit.changed()
            on_s: dict[int, int] = {}
            for visit, arrive in zip(bus.visits, times.arrive_s, strict=True):
                if arrive >= 10**9:
                    break
                on_s.update(dict.fromkeys(visit.board, arrive))
                off_s = arrive + dwell_s(office.rules, view.bookings, visit)
                for b in visit.alight:
                    booking = office.bookings.open[b]
                    new = app.postponed(booking, office.rules, on_s.get(b, 0), off_s, b not in on_s)
                    if new is not None and new[1]:
                        tell(office, unit, new[0], "the bus is late")
                    elif new is not None:
                        office.bookings.open[b] = new[0]

    # -- planning --------------------------------------------------------------------------------------

    def _refuse(self, asked: BookingRequest, reason: str) -> None:
        office = self._office
        office.bookings.end(asked.booking, "refused")
        key = f"answer/{asked.booking}"
        office.out.append(AnswerBooking(key, asked.booking, False, "", "", -1, -1, 0, reason))

    def _answer(self, now_s: int, asked: BookingRequest) -> None:
        office = self._office
        reason = self._closed_for(now_s, asked)
        if reason:
            self._refuse(asked, reason)
            return
        booking = app.as_booking(office.atlas, office.rules, asked, now_s)
        view = office.view(now_s, booking)
        reason = app.why_not(view, asked, booking) or self._adopt(view, booking)
        if reason:
            self._refuse(asked, reason)
            return
        new = office.bookings.open[asked.booking]
        stops = office.atlas.stops
        office.out.append(
            AnswerBooking(
                f"answer/{asked.booking}", asked.booking, True, stops[new.stop], stops[new.to_stop], int(new.pickup_s),
                int(new.told_s), office.bookings.unit[asked.booking], "",
            )
        )  # fmt: skip

    def _closed_for(self, now_s: int, asked: BookingRequest) -> str:
        """Return why nobody can be taken along at all, empty if somebody can."""
        office = self._office
        wanted_s = max(now_s, asked.wanted_s)
        begin, end = service_hours(office.rules, wanted_s)
        if not begin <= wanted_s < end:
            return app.OUTSIDE_HOURS
        fit = [unit for unit in office.units.values() if not (unit.out or unit.lost or unit.stopped or unit.gave_up)]
        if not fit:
            return app.NO_BUS
        able = [unit for unit in fit if unit.window is not None]
        if not able:
            tests = any(office.service.asks_tests(u.unit, now_s, u.test_h, u.test_km) for u in fit)
            return app.NOT_ADMITTED if tests else app.NO_PERMIT
        if not any(u.window is not None and u.window.from_s <= wanted_s < u.window.until_s for u in able):
            return app.OUTSIDE_HOURS
        if not office.fit and wanted_s < now_s + WEATHER_AHEAD_S:
            return app.WEATHER
        return ""

    def _give_away(self, now_s: int) -> None:
        """Give bookings that lost their bus to another one, or take them back."""
        office = self._office
        while office.orphans:
            b, reason = next(iter(office.orphans.items()))
            del office.orphans[b]
            old = office.bookings.open.get(b)
            if old is None:
                continue
            booking = app.again(office.atlas, office.rules, office.bookings.asked[b], old, now_s)
            view = office.view(now_s, booking)
            if not view.buses or not booking.origin or self._adopt(view, booking):
                office.cancel(b, reason)
                continue
            new = office.bookings.open[b] = app.kept(office.bookings.open[b], old, office.rules)
            if new is not old:
                tell(office, office.units[office.bookings.unit[b]], new, reason)

    def _adopt(self, view: BusView, request: Booking | None) -> str:
        """Let the policy plan, check the plan, take it over; return why a request is in none, empty if it is.

        Raises ValueError, naming bus and booking, if the policy breaks a rule.
        """
        plan = self._policy.plan(view)
        self._check(view, plan)
        office = self._office
        got = ""
        for number, visits in plan.routes.items():
            office.plan(office.units[number], tuple(visits))
            for visit in visits:
                for b in visit.board:
                    office.bookings.unit[b] = number
                    if request is not None and b == request.booking:
                        got = unit_label(number)
                        bus = next(bus for bus in view.buses if bus.unit == number)
                        office.bookings.open[b] = app.promised(view, bus, tuple(visits), request)
        if request is None or got:
            return ""
        return plan.reason or "no seat in time"

    def _check(self, view: BusView, plan: Plan) -> None:
        name = type(self._policy).__name__
        buses: dict[int, Bus] = {bus.unit: bus for bus in view.buses}
        for number in plan.routes:
            if number not in buses:
                known = ", ".join(unit_label(n) for n in buses) or "none"
                raise ValueError(f"policy {name} planned unit {number}, allowed: {known}")
        before = sorted(b for n in plan.routes for v in buses[n].visits for b in v.board)
        after = sorted(b for visits in plan.routes.values() for v in visits for b in v.board)
        asked = view.request.booking if view.request is not None else -1
        if after != before and after != sorted([*before, asked]):
            odd = sorted(set(before) ^ set(after) - {asked})
            raise ValueError(f"policy {name} lost, doubled or invented bookings: {odd or after} at {view.now_s:,} s")
        for number, visits in plan.routes.items():
            if tuple(visits) == buses[number].visits:
                continue
            wrong = fault(view, buses[number], tuple(visits))
            if wrong and not _only_less(buses[number], tuple(visits)):
                raise ValueError(f"policy {name}: {wrong} (at {view.now_s:,} s)")


def _only_less(bus: Bus, visits: tuple[Visit, ...]) -> bool:
    """Return whether a plan is the old one without some bookings: less work is never refused."""
    old = {b for v in bus.visits for b in v.board}
    new = {b for v in visits for b in v.board}
    return new < old and visits == without(bus.visits, old - new, bus.under_way)
