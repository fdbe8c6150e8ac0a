"""The autonomous buses in truth: their stops and timetable, doors, dwell, docking, operating conditions (F22)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.domain.bus import AnswerBooking, BusRules, CancelBooking, ChangePromise, OpenDoors, Timetable
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.mobility import PARKED, SERVING, Places
from twin.errors import ControlError, ScenarioError
from twin.events import BusAdmitted, ShuttleStopped
from twin.world.fleets.bookers import Bookers
from twin.world.fleets.direct import direct_s
from twin.world.fleets.models import MODELS
from twin.world.fleets.odd import OperatingDomain
from twin.world.fleets.passengers import Passengers
from twin.world.fleets.ports import TICK_S, FleetContext
from twin.world.traffic.junction_delay import junction_delay_s
from twin.world.weather import visibility_m

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400
STOP_M = 30.0  # a bus so far from a stop stands at it
LAYOVER_S = 180  # the timetable's time at each end (assumed)
DOORS_S = 12  # opening, closing and looking round: TCQSM 3rd ed. gives 2-5 s for doors, 2-5 s for clearance, more here
PERSON_S = 3  # per person: TCQSM 3rd ed., 2 to 4 s through one door
SLACK = 1.25  # the timetable's running time against free flow (assumed)
STOP_S = 30  # the timetable's time at a stop (assumed)
#: docking: standard deviation along the road, and mean gap to the kerb (assumed: automated docking is told to be
#: good to 0.1 m); rain and snow widen both by WET
ALONG_M, GAP_M, WET = 0.12, 0.08, 1.6
ADMITTED_H, ADMITTED_KM = 240.0, 1000.0  # F22


@dataclass(slots=True)
class _Doors:
    """A bus with open doors: who may still board, until when."""

    row: int
    stop: str
    begun_s: int
    not_before_s: int
    until_s: int
    board: list[int]
    moment_s: int  # the doors are busy until then
    boarded: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


class BusSystem:
    """The buses' stops, passengers and doors. Made as ``BusSystem(context)``."""

    fleet = "shuttle"

    def __init__(self, context: FleetContext) -> None:
        c = context
        assert c.scenario.bus is not None
        self._c, self._s = c, c.scenario.bus
        self._stops, self._directions = self._line()
        self._place = tuple(c.city.places["place"].to_numpy()[self._stops].tolist())
        road = c.city.places["road"].to_numpy(np.int64)[self._stops]
        self._road = road
        x = c.city.places.geometry.x.to_numpy()[self._stops]
        y = c.city.places.geometry.y.to_numpy()[self._stops]
        self._xy = (x, y)
        self._pos_m = c.city.places["pos_m"].to_numpy(np.float64)[self._stops]
        self._direct_s = direct_s(c.network, junction_delay_s(c.city), road, self._pos_m, MODELS["minibus"].speed_m_s)
        self._passengers: Passengers | None = None
        if c.people is not None and c.journeys is not None:
            bookers = Bookers(c.people, c.dice, x, y, self._s.max_walk_m, self._s.adoption)
            self._passengers = Passengers(
                c.people, c.journeys, bookers, c.log, self._place, x, y, c.dice, self._direct_s
            )
        s = self._s
        self._odd = OperatingDomain(
            c, self.fleet, s.rain_limit_mm_h, s.visibility_limit_m, s.miss_rate, s.outside_odd == "stop",
            lambda: visibility_m(c.weather.kind, c.weather.rain_mm_h),
        )  # fmt: skip
        self._dock = c.dice.stream("bus.docking")
        self._halts: dict[int, int] = {}
        self._doors: dict[int, _Doors] = {}
        self._admitted: set[int] = set()
        self._driven_s: dict[int, int] = {}
        self._day = -1

    def _line(self) -> tuple[Ints, list[Ints]]:
        """Return the rows of the stops of the line (each once), and its directions as indices into them."""
        city, name = self._c.city, self._s.line
        lines = city.bus_lines[city.bus_lines["line"].astype(str) == name]
        if lines.empty:
            known = ", ".join(sorted(city.bus_lines["line"].astype(str).unique())[:20])
            raise ScenarioError(f"bus.line: the city has no bus line {name!r}; it has {known or 'none'}")
        row_of = {p: i for i, p in enumerate(city.places["place"].tolist())}
        ways = [[row_of[s] for s in stops if s in row_of] for stops in lines["stops"]]
        rows = np.asarray(list(dict.fromkeys(r for way in ways for r in way)), dtype=np.int64)
        car = city.roads["car"].to_numpy(bool)
        off = [str(city.places["place"].iloc[r]) for r in rows if not car[int(city.places["road"].iloc[r])]]
        if rows.size < 2 or off:
            why = f"its stop {off[0]} is on a road without cars" if off else "it has fewer than two stops"
            raise ScenarioError(f"bus.line: no bus can serve line {name!r}: {why}")
        index = {int(r): i for i, r in enumerate(rows)}
        return rows, [np.asarray([index[r] for r in way], dtype=np.int64) for way in ways]

    # -- what the desk is told -----------------------------------------------------------------------------

    def begin(self, now_s: int) -> list[Message]:
        """Return rules, stops and the timetable of each direction; say which buses are admitted."""
        s, places = self._s, self._c.city.places
        rules = BusRules(
            t_s=now_s,
            key="bus/rules",
            from_s=s.start,
            until_s=s.end,
            rain_limit_mm_h=s.rain_limit_mm_h if s.outside_odd == "stop" else 1e9,
            visibility_limit_m=s.visibility_limit_m if s.outside_odd == "stop" else 0.0,
            seats=s.seats,
            max_walk_m=s.max_walk_m,
            max_wait_s=s.max_wait_min * 60,
            max_detour=s.max_detour,
        )
        n = len(self._stops)
        stops = Places(
            t_s=now_s,
            key="bus/stops",
            kind="stop",
            place=self._place,
            name=tuple(places["name"].to_numpy()[self._stops].tolist()),
            road=self._road,
            pos_m=self._pos_m,
            x_m=self._xy[0],
            y_m=self._xy[1],
            size=np.ones(n, dtype=np.int64),
            from_s=np.zeros(n, dtype=np.int64),
            until_s=np.full(n, DAY_S, dtype=np.int64),
        )
        self._admit(now_s)
        return [rules, stops, *self._timetables(now_s)]

    def _timetables(self, now_s: int) -> list[Message]:
        offsets = []
        for way in self._directions:
            run = self._direct_s[way[:-1], way[1:]] * SLACK
            if not np.isfinite(run).all():
                k = int(np.flatnonzero(~np.isfinite(run))[0])
                a, b = self._place[way[k]], self._place[way[k + 1]]
                raise ScenarioError(f"bus.line: line {self._s.line!r} has no way by car from stop {a} to stop {b}")
            offsets.append(np.concatenate([[0.0], np.cumsum(run + STOP_S)]))
        round_s = sum(float(o[-1]) + LAYOVER_S for o in offsets)
        headway = self._s.headway_min * 60 or max(300, round(round_s / self._s.units / 60) * 60)
        out: list[Message] = []
        lag = 0.0
        for k, (way, offset) in enumerate(zip(self._directions, offsets, strict=True)):
            depart = np.arange(self._s.start + round(lag), self._s.end - offset[-1], headway).astype(np.int64)
            lag += float(offset[-1]) + LAYOVER_S
            out.append(
                Timetable(
                    t_s=now_s,
                    key=f"bus/timetable/{k}",
                    line=f"{self._s.line}/{k}",
                    stop=tuple(self._place[i] for i in way.tolist()),
                    offset_s=np.rint(offset).astype(np.int64),
                    depart_s=depart,
                )
            )
        return out

    def _admit(self, now_s: int) -> None:
        """Say which buses have driven their test (F22)."""
        units = self._c.units
        for row in units.rows(self.fleet).tolist():
            hours = self._s.tested_h + self._driven_s.get(row, 0) / 3600
            km = self._s.tested_km + float(units.odometer_m[row]) / 1000
            if row not in self._admitted and (hours >= ADMITTED_H or km >= ADMITTED_KM):
                self._admitted.add(row)
                self._c.log.add(BusAdmitted, t_s=now_s, unit=int(units.number[row]), test_h=hours, test_km=km)

    def tick(self, now_s: int) -> list[Message]:
        """Passengers ask and lose patience; doors open and close; operating conditions change."""
        out: list[Message] = []
        p = self._passengers
        if p is not None:
            if now_s // DAY_S != self._day:
                self._day = now_s // DAY_S
                p.plan_day(now_s)
            out = p.ask(now_s)
            p.give_up(now_s)
        for row in sorted(self._doors):
            self._attend(self._doors[row], now_s)
        self._odd.tick(now_s)
        units = self._c.units
        for row in units.rows(self.fleet).tolist():
            if units.vehicle[row]:
                self._driven_s[row] = self._driven_s.get(row, 0) + TICK_S
        if now_s % 600 == 0:
            self._admit(now_s)
        return out

    # -- commands ------------------------------------------------------------------------------------------

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry a command out if it is about bookings or doors."""
        p = self._passengers
        if isinstance(command, OpenDoors):
            self._open(command, now_s)
            return True
        if not isinstance(command, AnswerBooking | ChangePromise | CancelBooking):
            return False
        if p is None:
            raise ControlError(f"{type(command).__name__} at {now_s} s: nobody books in this run")
        if isinstance(command, AnswerBooking):
            p.answered(command, now_s)
        elif isinstance(command, ChangePromise):
            p.changed(command, now_s)
        else:
            p.cancelled(command, now_s)
        return True

    def _open(self, command: OpenDoors, now_s: int) -> None:
        units = self._c.units
        row = int(units.row(command.unit))
        if row < 0 or units.fleet[row] != self.fleet:
            raise ControlError(f"OpenDoors at {now_s} s names unit {command.unit}, which is none")
        p, board, alight = self._passengers, command.board.tolist(), command.alight.tolist()
        if p is not None:
            p.check(command, [*board, *alight], now_s)
        why = ""
        if row in self._doors:
            why = "its doors are open"
        elif units.broken[row]:
            why = "it is broken"
        elif int(units.state[row]) != PARKED:
            why = "it is not standing"
        elif not self._stands_at(row, command.stop):
            why = f"it does not stand at {command.stop}"
        if why:
            units.report(row, "refused", now_s, detail=f"doors: {why}")
            return
        units.set(row, now_s, state=SERVING)
        doors = _Doors(
            row, command.stop, now_s, command.not_before_s, command.until_s, list(dict.fromkeys(board)), now_s + DOORS_S
        )
        if p is not None:
            for booking in dict.fromkeys(alight):
                if booking in p.aboard(command.unit):
                    doors.moment_s += PERSON_S * p.rides[booking].party
                    p.alight(booking, command.stop, now_s)
                    doors.left.append(booking)
        self._doors[row] = doors
        self._load(row, now_s)

    def _stands_at(self, row: int, stop: str) -> bool:
        if stop not in self._place:
            return False
        k, units = self._place.index(stop), self._c.units
        return bool(self._road[k] == units.road[row] and abs(self._pos_m[k] - units.pos_m[row]) <= STOP_M)

    def _attend(self, doors: _Doors, now_s: int) -> None:
        """Let those board who are there; close when everybody is aboard, or it is time."""
        p, units = self._passengers, self._c.units
        unit = int(units.number[doors.row])
        if p is not None:
            for booking in list(doors.board):
                if not p.known(booking):
                    doors.board.remove(booking)
                elif p.waiting(booking, doors.stop, now_s):
                    party = p.rides[booking].party
                    if self._aboard(doors.row) + party > int(units.capacity[doors.row]):
                        continue
                    p.board(booking, unit, now_s)
                    doors.board.remove(booking)
                    doors.boarded.append(booking)
                    doors.moment_s = max(doors.moment_s, now_s) + PERSON_S * party
        done = not doors.board or now_s >= doors.until_s
        if not done or now_s < max(doors.moment_s, doors.not_before_s):
            return
        missed = list(doors.board)
        if p is not None:
            for booking in missed:
                there = p.waiting(booking, doors.stop, now_s)
                p.no_show(booking, now_s, "the bus was full" if there else "came late")
        del self._doors[doors.row]
        self._load(doors.row, now_s)
        units.set(doors.row, now_s, state=PARKED)
        self._stopped(doors, now_s)
        units.report(doors.row, "doors", now_s, items=doors.boarded, left=doors.left, missed=missed)

    def _stopped(self, doors: _Doors, now_s: int) -> None:
        units = self._c.units
        unit = int(units.number[doors.row])
        k = self._halts[unit] = self._halts.get(unit, 0) + 1
        wet = WET if self._c.weather.kind in ("rain", "snow") else 1.0
        self._c.log.add(
            ShuttleStopped,
            t_s=now_s,
            unit=unit,
            place=doors.stop,
            error_m=float(self._dock.normal(unit, 2 * k)[0]) * ALONG_M * wet,
            gap_m=float(self._dock.exponential(GAP_M, unit, 2 * k + 1)[0]) * wet,
            boarded=len(doors.boarded),
            alighted=len(doors.left),
            aboard=self._aboard(doors.row),
            dwell_s=now_s - doors.begun_s,
        )

    def _aboard(self, row: int) -> int:
        p = self._passengers
        return p.load_of(int(self._c.units.number[row])) if p is not None else 0

    def _load(self, row: int, now_s: int) -> None:
        self._c.units.set(row, now_s, load=self._aboard(row))

    # -- what happens to units -----------------------------------------------------------------------------

    def arrived(self, row: int, now_s: int) -> None:
        """Nothing is done of itself at the end of a leg: the desk opens the doors."""

    def broke(self, row: int, now_s: int) -> tuple[int, ...]:
        """Let everybody aboard get out; return their bookings."""
        self._doors.pop(row, None)
        p, unit = self._passengers, int(self._c.units.number[row])
        if p is None:
            return ()
        aboard = p.aboard(unit)
        for booking in aboard:
            p.put_out(booking, now_s, "the bus broke down")
        self._load(row, now_s)
        return aboard

    def repaired(self, row: int, now_s: int) -> tuple[int, ...]:  # noqa: ARG002
        """Nobody is left in a broken bus."""
        return ()

    def finish(self, end_s: int) -> None:
        """Account for open bookings and take-overs."""
        self._odd.finish(end_s)
        if self._passengers is not None:
            self._passengers.finish(end_s)
