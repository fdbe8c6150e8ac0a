"""All units of all fleets in truth: where they are, what they do, their legs on the road; arrays, one row per unit.

A leg is a vehicle of its own in traffic (:func:`twin.domain.ids.unit_vehicle`): it enters where the unit stands and
is gone when the leg ends. Between legs a unit stands off the lane and hinders nobody.

A minimal-risk stop is a pull-over in every mode of traffic: the vehicle leaves the lane and the unit stands beside it
until it goes on as a new vehicle of the same leg. (A stop of SUMO needs its end beforehand, and in meso a vehicle that
stands blocks all lanes, or none.) A standstill of known length is a stop of the simulator: :meth:`Units.hold`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from geo.city import City
from geo.network import Network, Routes
from twin.domain.ids import VEHICLE_KINDS, unit_vehicle
from twin.domain.mobility import (
    DRIVING,
    HALTED,
    MANUAL,
    PARKED,
    SERVING,
    DriveTo,
)
from twin.events import (
    UnitArrived,
    UnitDeparted,
    UnitOnRoad,
)
from twin.log import Log
from twin.world.fleets.legs import Leg, begin_m, join_way
from twin.world.fleets.ports import DESK_OF, TICK_S, Gate
from twin.world.fleets.states import UnitSpec, UnitStates
from twin.world.traffic.ports import Flow, NewVehicles, Stop, Traffic
from twin.world.traffic.types import type_index

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KERB_M = 15.0  # so little ahead, or anything behind on the same road, is moved along the kerb, without entering a lane
KERB_M_S = 1.5  # as fast as that is done (assumed)
NEAR_M = 0.5  # so close to its end a leg is over
BRAKING_M = 25.0  # a standstill is asked for so far ahead at least
TRACE_S = 900  # the log tells the charge of every unit that is not parked each so often
#: by kind of vehicle: whether it is a unit's
_UNITS = np.isin(np.arange(max(VEHICLE_KINDS.values()) + 1), [VEHICLE_KINDS[fleet] for fleet in DESK_OF])
_CODE = 10**12


class Units(UnitStates):
    """See the module's text. ``time_s``: the present travel times per road, for what a leg should take."""

    def __init__(
        self,
        specs: Sequence[UnitSpec],
        city: City,
        network: Network,
        traffic: Traffic,
        gate: Gate,
        log: Log,
        time_s: Callable[[], Floats],
    ) -> None:
        super().__init__(specs, log)
        n = len(specs)
        self._network, self._traffic, self._gate, self._time_s = network, traffic, gate, time_s
        self._length_m = city.roads["length_m"].to_numpy(np.float64)
        turns = city.turns[city.turns["car"].to_numpy(bool)]
        pairs = turns["from_road"].to_numpy(np.int64) * len(city.roads) + turns["to_road"].to_numpy(np.int64)
        self._turns: Ints = np.unique(pairs)
        self.limit_m_s: Floats = np.full(n, np.inf)
        self.blocked = np.zeros(n, dtype=bool)  # an obstacle stands ahead of it (twin.world.fleets.obstacles)
        self.moved_m: Floats = np.zeros(n)  # since energy was last taken off
        self._of_vehicle: dict[int, int] = {}
        self._serial: Ints = np.zeros(n, dtype=np.int64)  # vehicles so far
        self._legs: list[Leg | None] = [None] * n
        self._passed: dict[int, list[tuple[int, float]]] = {}
        self._since_s = 0  # second that positions are of
        self._ended: list[int] = []
        self._driven_m: Floats = np.zeros(n)  # on the present leg
        self._stop_m: Floats = np.full(n, np.inf)  # where on the present road the leg ends

    # -- looking -------------------------------------------------------------------------------------------

    def row_of_vehicle(self, vehicle: int) -> int:
        """Return the row of the unit that drives as ``vehicle`` now; -1 if none does."""
        return self._of_vehicle.get(int(vehicle), -1)

    def leg(self, row: int) -> DriveTo | None:
        """Return the command that a unit carries out."""
        own = self._legs[row]
        return own.command if own is not None else None

    def passed(self, row: int) -> list[tuple[int, float]]:
        """Return (road, second) of the roads a unit entered since the last tick (seconds are interpolated)."""
        return self._passed.get(row, [])

    def ahead(self, row: int) -> npt.NDArray[np.int32]:
        """Return the rest of a unit's way, the road it is on first; empty if it has none."""
        own = self._legs[row]
        return own.way[own.at :] if own is not None else np.empty(0, dtype=np.int32)

    def end_m(self, row: int) -> float:
        """Return where on the present road a unit's leg ends; inf: further on."""
        return float(self._stop_m[row])

    def first_gap(self, roads: Ints) -> int:
        """Return the index of the first road that leads not to the one after it; -1 if all do."""
        pairs = roads[:-1] * self._length_m.size + roads[1:]
        at = np.minimum(np.searchsorted(self._turns, pairs), self._turns.size - 1)
        bad = np.flatnonzero(self._turns[at] != pairs)
        return int(bad[0]) if bad.size else -1

    # -- driving -------------------------------------------------------------------------------------------

    def drive(self, command: DriveTo, now_s: int) -> bool:
        """Send a unit on a leg, or another way if it is under way; False: it refused."""
        row = self.row(command.unit)
        why = self._cannot_drive(row)
        if not why and self.vehicle[row]:
            why = self._divert(row, command, now_s)
        elif not why:
            why = self._set_out(row, command, now_s)
        if why:
            self.refuse(row, f"drive: {why}", now_s)
        return not why

    def _cannot_drive(self, row: int) -> str:
        halt = self._halts[row]
        wanted = [cause for by, cause in halt.causes.items() if by not in ("road", "desk")]
        if self.broken[row]:
            return "it is broken"
        if wanted:
            return f"it is halted ({wanted[0]})"
        if self.battery[row] <= 0.0:
            return "its battery is empty"
        return "it is serving" if self.state[row] == SERVING else ""

    def _set_out(self, row: int, command: DriveTo, now_s: int) -> str:
        roads = command.roads
        if int(roads[0]) != self.road[row]:
            return f"it stands on road {self.road[row]}, not on road {int(roads[0])}"
        self._halts[row].causes.clear()
        if self.state[row] == HALTED:
            self._tell_resume(row, "another way", now_s)
        self._begin_leg(row, command, roads, now_s)
        return ""

    def _begin_leg(self, row: int, command: DriveTo, roads: Ints, now_s: int) -> None:
        way = roads.astype(np.int32)
        end = min(max(float(command.pos_m), 0.0), float(self._length_m[way[-1]]))
        begin = begin_m(way, self._length_m)
        leg = self._legs[row] = Leg(command, way, begin, end, now_s, 0.0)
        self._driven_m[row] = 0.0
        metres = leg.along(way.size - 1, end) - float(self.pos_m[row])
        along_kerb = way.size == 1 and metres <= KERB_M
        if along_kerb:
            leg.expected_s = abs(metres) / KERB_M_S
            leg.until_s = now_s + math.ceil(leg.expected_s)
        else:
            leg.expected_s = self._takes(row, leg)
            self._enter(row, leg, now_s)
        self._log_departure(row, leg, abs(metres), now_s)
        self.set(row, now_s, state=DRIVING)

    def _takes(self, row: int, leg: Leg) -> float:
        """Seconds that the rest of a leg should take at present."""
        way = leg.way[leg.at :]
        each = np.maximum(self._time_s()[way], self._length_m[way] / self._top(row, leg))
        first, last = float(self._length_m[way[0]]), float(self._length_m[way[-1]])
        cut = each[0] * min(self.pos_m[row] / max(first, 0.1), 1.0) + each[-1] * (1.0 - leg.end_m / max(last, 0.1))
        return max(float(each.sum() - cut), 0.0)

    def _top(self, row: int, leg: Leg) -> float:
        asked = leg.command.speed_m_s if leg.command.speed_m_s > 0 else np.inf
        return max(float(min(self.speed_m_s[row], self.limit_m_s[row], asked)), 0.1)

    def _enter(self, row: int, leg: Leg, now_s: int) -> None:
        """Let the leg, or what is left of it, enter the road as a vehicle."""
        vehicle = int(unit_vehicle(int(self.number[row]), int(self._serial[row])))
        self._serial[row] += 1
        model = self.specs[row].model
        kind = model.at_work if leg.command.task == "sweep" and model.at_work else model.vehicle
        way = leg.way[leg.at :]
        leg.take_way(way, self._length_m, 0)
        self._gate.add(
            NewVehicles(
                vehicle=np.array([vehicle], dtype=np.int64),
                type_index=np.array([type_index(kind)], dtype=np.int64),
                depart_s=np.array([now_s], dtype=np.int64),
                routes=Routes(way, np.array([0, way.size], dtype=np.int64), np.zeros(1)),
                depart_pos_m=self.pos_m[[row]],
                arrive_pos_m=np.array([leg.end_m]),
            )
        )
        self._traffic.set_top_speed(vehicle, self._top(row, leg))
        self._know_end(row, leg)
        self.vehicle[row] = vehicle
        self._of_vehicle[vehicle] = row

    def _log_departure(self, row: int, leg: Leg, metres: float, now_s: int) -> None:
        self._log.add(
            UnitDeparted,
            t_s=now_s,
            unit=int(self.number[row]),
            vehicle=int(self.vehicle[row]),
            task=leg.command.task,
            road=int(self.road[row]),
            to_road=int(leg.way[-1]),
            distance_m=metres,
            expected_s=leg.expected_s,
        )

    def _divert(self, row: int, command: DriveTo, now_s: int) -> str:
        """Give a unit under way another way and end."""
        leg = self._legs[row]
        assert leg is not None
        self._look(np.array([row]), now_s)
        if self.vehicle[row] == 0:  # it has just come to its end
            return self._set_out(row, command, now_s)
        rest = leg.way[leg.at :]
        way = join_way(rest, command.roads)
        if way is None:
            found = self._network.routes([int(rest[0])], [int(command.roads[-1])], self._time_s())
            way = found[0] if found.found[0] else None
        if way is None:
            return "it finds no way there"
        end = min(max(float(command.pos_m), 0.0), float(self._length_m[way[-1]]))
        if way.size == 1 and end < self.pos_m[row]:
            self._pull_over(row, now_s, "goes back along the kerb")
            self._begin_leg(row, command, way.astype(np.int64), now_s)
            return ""
        if not self._gate.redirect(int(self.vehicle[row]), way, now_s):
            return "it could not turn off any more"
        new = Leg(command, way, begin_m(way, self._length_m), end, now_s, 0.0)
        new.take_way(self._gate.way(int(self.vehicle[row])), self._length_m, leg.at)
        new.expected_s = self._takes(row, new)
        self._legs[row] = new
        self._driven_m[row] = 0.0
        self._know_end(row, new)
        self._traffic.set_top_speed(int(self.vehicle[row]), self._top(row, new))
        metres = new.along(new.way.size - 1, end) - new.along(new.at, float(self.pos_m[row]))
        self._log_departure(row, new, metres, now_s)
        return ""

    def limit(self, row: int, speed_m_s: float) -> None:
        """Limit a unit's speed; negative lifts the limit."""
        self.limit_m_s[row] = np.inf if speed_m_s < 0 else speed_m_s
        leg = self._legs[row]
        if leg is not None and self.vehicle[row]:
            self._traffic.set_top_speed(int(self.vehicle[row]), self._top(row, leg))

    # -- standing still ------------------------------------------------------------------------------------

    def halt(self, row: int, cause: str, now_s: int, by: str = "system") -> None:
        """Bring a unit to a minimal-risk stop, until :meth:`resume` by the same.

        ``by``: who wants it – "desk", "platform", "link", "help", "road" or "system" (its own system). A unit that
        charges or serves goes on with that, but does not drive.
        """
        halt = self._halts[row]
        if self.broken[row] or by in halt.causes:
            return
        halt.causes[by] = cause
        if self.vehicle[row]:
            self._look(np.array([row]), now_s)
        if self.vehicle[row]:
            self._pull_over(row, now_s, f"pulled over: {cause}")
        leg = self._legs[row]
        if leg is not None and leg.until_s >= 0:
            return  # along the kerb: it stands at its end
        if self.state[row] in (PARKED, DRIVING, MANUAL):
            self._tell_halt(row, cause, now_s)
            self.set(row, now_s, state=HALTED)

    def _pull_over(self, row: int, now_s: int, reason: str) -> None:
        vehicle = int(self.vehicle[row])
        self._gate.take_off(vehicle, now_s, reason)
        self._off(row)

    def _off(self, row: int) -> None:
        self._of_vehicle.pop(int(self.vehicle[row]), None)
        self.vehicle[row] = 0

    def resume(self, row: int, cause: str, now_s: int, by: str = "system") -> bool:
        """Lift a halt by the same; the unit goes on with its leg once nobody wants it to stand. False: it still must.

        ``cause`` says thanks to what.
        """
        halt = self._halts[row]
        if not halt.causes:
            return True
        halt.causes.pop(by, None)
        if halt.causes:
            return False
        if self.state[row] == HALTED:
            self._tell_resume(row, cause, now_s)
            leg = self._legs[row]
            if leg is None:
                self.set(row, now_s, state=PARKED)
            else:
                self._enter(row, leg, now_s)
                self.set(row, now_s, state=DRIVING)
        return True

    def go_past(self, row: int, road: int, pos_m: float, now_s: int, reason: str) -> None:
        """Put a unit at ``pos_m`` of a road of its way, further on: somebody steers it by hand past what is in its way.

        Its vehicle leaves the road and another enters there; a leg that ends before ``pos_m`` is over. A unit that
        must stand goes on from there later.
        """
        if self.vehicle[row]:
            self._look(np.array([row]), now_s)
        leg = self._legs[row]
        at = leg.find(road) if leg is not None else -1
        if leg is None or at < 0 or leg.along(at, pos_m) <= leg.along(leg.at, float(self.pos_m[row])):
            return  # it has come past by itself
        if self.vehicle[row]:
            self._pull_over(row, now_s, reason)
        last = at == leg.way.size - 1
        self._move(row, leg, at, min(pos_m, leg.end_m) if last else pos_m, now_s)
        if last and pos_m >= leg.end_m - NEAR_M:
            self._end_leg(row, now_s)
        elif self.state[row] in (DRIVING, MANUAL):
            self._enter(row, leg, now_s)

    def hold(self, row: int, seconds: int, cause: str, now_s: int) -> bool:  # noqa: ARG002
        """Let a unit stand on its lane for some seconds, as soon as it can; False if it cannot any more."""
        leg = self._legs[row]
        if leg is None or not self.vehicle[row]:
            return False
        way, pos = leg.way[leg.at :], float(self.pos_m[row]) + BRAKING_M
        for k, road in enumerate(way.tolist()):
            last = leg.end_m if k == way.size - 1 else float(self._length_m[road])
            if pos < last:
                return self._traffic.add_stop(int(self.vehicle[row]), Stop(road, pos, int(seconds)))
            pos = min(BRAKING_M, float(self._length_m[road]) / 2)
        return False

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take note that traffic took a unit's vehicle off the road: it stands where it was last seen."""
        row = self.row_of_vehicle(vehicle)
        if row < 0:
            return
        self._off(row)
        self._halts[row].causes["road"] = reason
        self._tell_halt(row, reason, now_s)
        self.set(row, now_s, state=HALTED)

    def stop_working(self, row: int, now_s: int, reason: str) -> None:
        """Take a unit off the road and out of its leg for good (it broke down)."""
        if self.vehicle[row]:
            self._look(np.array([row]), now_s)
        if self.vehicle[row]:
            self._pull_over(row, now_s, reason)
        self._legs[row] = None
        self._halts[row].causes.clear()
        if row in self._ended:
            self._ended.remove(row)

    def put(self, row: int, road: int, pos_m: float) -> None:
        """Put a unit that does not drive somewhere else (a recovery crew brought it there)."""
        self.road[row], self.pos_m[row] = road, pos_m

    # -- time ----------------------------------------------------------------------------------------------

    def took(self, flow: Flow) -> None:
        """Take in what traffic tells: whose vehicles arrived."""
        if not flow.arrived.size or not self._of_vehicle:
            return
        for i in np.flatnonzero(_UNITS[flow.arrived // _CODE]).tolist():
            row = self.row_of_vehicle(int(flow.arrived[i]))
            if row >= 0:
                self._end_leg(row, int(flow.arrived_s[i]))

    def tick(self, now_s: int) -> list[int]:
        """Move on to ``now_s``; return the rows that ended a leg since the last tick, each reported."""
        self._look(np.flatnonzero(self.vehicle > 0), now_s)
        for row, leg in enumerate(self._legs):
            if leg is not None and 0 <= leg.until_s <= now_s:
                self._end_leg(row, leg.until_s)
        self._since_s = now_s
        if now_s % TRACE_S < TICK_S:
            out = np.flatnonzero(self.state != PARKED)
            if out.size:
                self._log_change(out, now_s)
        ended, self._ended = self._ended, []
        for row in ended:
            self.report(row, "arrived", now_s)
        return ended

    def forget_passed(self) -> None:
        """Begin a new tick: :meth:`passed` tells roads entered from now on; the log keeps those so far."""
        if self._passed:
            rows = [(int(t_s), int(self.number[row]), road) for row, all_ in self._passed.items() for road, t_s in all_]
            t_s, unit, road = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
            self._log.add(UnitOnRoad, t_s=t_s, unit=unit, road=road)
            self._passed.clear()

    def _look(self, rows: Ints, now_s: int) -> None:
        """Ask traffic where vehicles are, and take the metres that units have come."""
        if rows.size == 0:
            return
        road, pos = self._traffic.where(self.vehicle[rows])
        same = road == self.road[rows]
        ahead = np.where(same, np.maximum(np.minimum(pos, self._stop_m[rows]) - self.pos_m[rows], 0.0), 0.0)
        before = self._driven_m[rows]
        self.pos_m[rows] += ahead
        for metres_of in (self.odometer_m, self.moved_m, self._driven_m):
            metres_of[rows] += ahead
        there = same & (self.pos_m[rows] >= self._stop_m[rows] - NEAR_M)
        for i in np.flatnonzero(there | (~same & (road >= 0))).tolist():
            row = int(rows[i])
            leg = self._legs[row]
            assert leg is not None
            if not same[i]:
                self._come_to(row, leg, int(road[i]), float(pos[i]), now_s)
            if self.pos_m[row] >= self._stop_m[row] - NEAR_M:
                # in meso it comes by its end on the way to the end of a segment: when was that?
                beyond = max(float(pos[i]) - float(self._stop_m[row]), 0.0)
                metres = max(float(self._driven_m[row] - before[i]), 0.1)
                t_s = now_s - int((now_s - self._since_s) * beyond / (metres + beyond))
                self._gate.arrive(int(self.vehicle[row]), t_s)
                self._end_leg(row, t_s)

    def _know_end(self, row: int, leg: Leg) -> None:
        """Note where on the present road the leg ends."""
        self._stop_m[row] = leg.end_m if leg.at == leg.way.size - 1 else np.inf

    def _come_to(self, row: int, leg: Leg, road: int, pos_m: float, now_s: int) -> None:
        """Take in that a unit has come to another road of its way."""
        self._know_way(row, leg)
        at = leg.find(road)
        if at >= 0:
            self._move(row, leg, at, min(pos_m, leg.end_m) if at == leg.way.size - 1 else pos_m, now_s)

    def _know_way(self, row: int, leg: Leg) -> None:
        """Learn of the ways round that the vehicle took by itself."""
        known = self._gate.way(int(self.vehicle[row]))
        if known.size and (known.size != leg.way.size or (known != leg.way).any()):  # it took a way round
            leg.take_way(known, self._length_m, leg.at)
            leg.end_m = min(leg.end_m, float(self._length_m[leg.way[-1]]))

    def _move(self, row: int, leg: Leg, at: int, pos_m: float, now_s: int) -> None:
        here = float(self.pos_m[row])
        passed = leg.passed(at, pos_m, now_s, self._since_s, here)
        if passed:
            self._passed.setdefault(row, []).extend(passed)
        metres = max(leg.along(at, pos_m) - leg.along(leg.at, here), 0.0)
        self._driven_m[row] += metres
        self.odometer_m[row] += metres
        self.moved_m[row] += metres
        leg.at = at
        self.road[row], self.pos_m[row] = leg.way[at], pos_m
        self._know_end(row, leg)

    def _end_leg(self, row: int, t_s: int) -> None:
        leg = self._legs[row]
        assert leg is not None
        vehicle = int(self.vehicle[row])
        if vehicle:
            self._know_way(row, leg)
            self._move(row, leg, leg.way.size - 1, leg.end_m, t_s)
        else:
            metres = abs(leg.end_m - float(self.pos_m[row]))
            self._driven_m[row] += metres
            self.odometer_m[row] += metres
            self.moved_m[row] += metres
        self.pos_m[row] = leg.end_m
        self._off(row)
        self._legs[row] = None
        self._ended.append(row)
        self._log.add(
            UnitArrived,
            t_s=t_s,
            unit=int(self.number[row]),
            vehicle=vehicle,
            task=leg.command.task,
            road=int(self.road[row]),
            distance_m=float(self._driven_m[row]),
            late_s=round(t_s - leg.begun_s - leg.expected_s),
        )
        self.set(row, t_s, state=PARKED)
