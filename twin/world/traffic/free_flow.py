"""A light stand-in for SUMO: nobody hinders anybody, every road takes its length over the driver's speed.

The same Protocol and the same columns, for tests and first looks; never the default. A vehicle is a *plan*:
at which second it is how far along its route. Plans are made for whole batches of vehicles at once; only what
changes a plan later (a closure, a new route, a stop) is worked out one by one. Before a closed road a vehicle
waits for ever, since nobody is teleported.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.world.traffic.patience import Patience
from twin.world.traffic.plans import Plan, plan_batch, plan_one
from twin.world.traffic.ports import (
    Floats,
    Flow,
    Ints,
    NewVehicles,
    Readings,
    Stop,
    TrafficSettings,
    VehicleType,
)
from twin.world.traffic.positions import PositionFile
from twin.world.traffic.roads import Roads
from twin.world.traffic.types import Drivers

_DEPART, _BEGIN, _END, _ENTER, _ARRIVE = range(5)


@dataclass
class _Stay:
    """A vehicle's time on a watched road."""

    row: int
    from_s: float
    to_s: float
    long_m: float


@dataclass
class _Events:
    """Event lists of one advance, by kind."""

    vehicle: dict[int, list[int]] = field(default_factory=lambda: {k: [] for k in range(5)})
    second: dict[int, list[int]] = field(default_factory=lambda: {k: [] for k in range(5)})
    road: list[int] = field(default_factory=list)

    def column(self, kind: int) -> tuple[Ints, Ints]:
        return np.array(self.vehicle[kind], dtype=np.int64), np.array(self.second[kind], dtype=np.int64)


class FreeFlowTraffic:
    """Traffic without interaction; see the module's text."""

    def __init__(self, city: City, types: Sequence[VehicleType], settings: TrafficSettings) -> None:
        self._patience = Patience()
        self._roads = Roads(city)
        self._drivers = Drivers(types, settings.seed)
        self._lanes = np.maximum(city.roads["lanes"].to_numpy(np.float64), 1.0)
        lanes = "lanes_all" if "lanes_all" in city.roads else "lanes"
        self._lanes_all = np.maximum(city.roads[lanes].to_numpy(np.int64), 1)
        self._now = int(settings.begin_s)
        self._factor = 1.0
        self._limits: dict[int, float] = {}
        self._shut = np.zeros(len(self._roads), dtype=bool)
        self._roads_shut: set[int] = set()
        self._lanes_shut: set[tuple[int, int]] = set()
        self._plans: dict[int, Plan] = {}
        self._gone_in: set[int] = set()
        self._known: set[int] = set()
        self._due: list[tuple[float, int, int, int, Plan, int]] = []
        self._seq = 0
        self._watched = np.full(len(self._roads), -1, dtype=np.int64)
        self._looked_at = np.zeros(len(self._roads), dtype=bool)
        self._noted = np.zeros(len(self._roads), dtype=bool)
        self._detectors: Ints = np.empty(0, dtype=np.int64)
        self._stays: list[_Stay] = []
        self._counted: list[int] = []
        self._read_s = self._now
        self._file = None if settings.fcd_file is None else PositionFile(settings.fcd_file, settings.fcd_period_s, city)
        self._out, self._told = _Events(), True  # what happened, and whether nothing of it is yet to be told
        self._closed = False

    # -- vehicles ------------------------------------------------------------------------------------

    def add(self, vehicles: NewVehicles) -> None:
        """See :class:`~twin.world.traffic.ports.Traffic`."""
        numbers = vehicles.vehicle.tolist()
        if not numbers:
            return
        self._roads.check(vehicles, self._now, self._known)
        for i, stops in vehicles.stops.items():
            for stop in stops:
                if stop.road not in vehicles.routes[i]:
                    raise ValueError(f"vehicle {numbers[i]}: its route does not pass its stop on road {stop.road}")
        drivers = self._drivers.draw(vehicles.vehicle, vehicles.type_index)
        factor = self._drivers.factor(drivers)
        kinds = self._drivers.types
        top = np.array([kinds[k].max_speed_m_s for k in vehicles.type_index.tolist()])
        long = np.array([kinds[k].length_m for k in vehicles.type_index.tolist()])
        plans = plan_batch(vehicles, self._speeds(), self._roads.length_m, factor, top, long)
        self._known.update(numbers)
        shut_somewhere = bool(self._shut.any())
        for i, (number, plan) in enumerate(zip(numbers, plans, strict=True)):
            own = self._placed(plan, *vehicles.ends(i)) if vehicles.placed else plan
            if i in vehicles.stops or own is not plan or (shut_somewhere and self._shut[plan.roads].any()):
                own = self._planned(own, plan.roads, plan.start_s, own.from_m, list(vehicles.stops.get(i, ())))
            self._take(number, own, departs=True)

    def _placed(self, plan: Plan, depart_m: float, arrive_m: float) -> Plan:
        """Return the plan with where it begins and ends along its first and last road."""
        first, last = self._roads.length_m[plan.roads[[0, -1]]].tolist()
        if np.isfinite(depart_m):
            plan = replace(plan, from_m=min(max(depart_m, 0.0), first))
        return replace(plan, to_m=min(max(arrive_m, 0.0), last)) if np.isfinite(arrive_m) else plan

    def _speeds(self) -> Floats:
        limit = self._roads.speed_m_s.copy()
        for road, speed in self._limits.items():
            limit[road] = speed
        return np.maximum(limit * self._factor, 0.1)

    def _planned(self, old: Plan, roads: npt.NDArray[Any], start_s: float, pos_m: float, stops: list[Stop]) -> Plan:
        speed = np.minimum(self._speeds()[roads] * old.factor, old.top_m_s)
        return plan_one(old, roads, speed, self._roads.length_m[roads], self._shut[roads], start_s, pos_m, stops)

    def _take(self, number: int, plan: Plan, *, departs: bool) -> None:
        """Make ``plan`` the vehicle's plan and note its events."""
        self._plans[number] = plan
        events: list[tuple[float, int, int]] = []
        if departs:
            events.append((plan.t[0], _DEPART, -1))
        events += [(b, _BEGIN, -1) for b, _ in plan.halts if b >= self._now]
        events += [(e, _END, -1) for _, e in plan.halts]
        skip = 0 if departs else 1
        at = np.flatnonzero(self._looked_at[plan.roads[skip:]]) + skip
        events += [(float(plan.t[plan.entry[k]]), _ENTER, int(k)) for k in at]
        events.append((float(plan.t[-1]), _ARRIVE, -1))
        for t, kind, k in events:
            if t != np.inf:
                self._seq += 1
                heapq.heappush(self._due, (t, kind, number, self._seq, plan, k))

    def under_way(self) -> Ints:
        """See the Protocol; in ascending order."""
        return np.array(sorted(self._plans), dtype=np.int64)

    def _on_road(self, number: int) -> Plan | None:
        plan = self._plans.get(number)
        return plan if plan is not None and number in self._gone_in else None

    def where(self, vehicles: Ints) -> tuple[Ints, Floats]:
        """See the Protocol."""
        road = np.full(len(vehicles), -1, dtype=np.int64)
        pos = np.zeros(len(vehicles))
        for i, number in enumerate(np.asarray(vehicles).tolist()):
            plan = self._on_road(number)
            if plan is not None:
                k, pos[i] = plan.at(self._now)
                road[i] = plan.roads[k]
        return road, pos

    def vehicles_on(self, road: int) -> Ints:
        """See the Protocol."""
        at = [(v, self._plans[v]) for v in sorted(self._gone_in)]
        return np.array([v for v, plan in at if plan.roads[plan.at(self._now)[0]] == road], dtype=np.int64)

    def remaining(self, vehicle: int) -> npt.NDArray[np.int32]:
        """See the Protocol."""
        plan = self._plans.get(int(vehicle))
        if plan is None:
            return np.empty(0, dtype=np.int32)
        k = plan.at(self._now)[0] if int(vehicle) in self._gone_in else 0
        return np.asarray(plan.roads[k:], dtype=np.int32).copy()

    def set_route(self, vehicle: int, roads: npt.NDArray[Any]) -> bool:
        """See the Protocol."""
        number = int(vehicle)
        plan = self._plans.get(number)
        if plan is None:
            return False
        rest = np.asarray(roads, dtype=np.int64)
        self._roads.check_route(number, rest)
        if number in self._gone_in and (here := plan.roads[plan.at(self._now)[0]]) != rest[0]:
            raise ValueError(f"vehicle {vehicle}: its new route begins with road {rest[0]}, but it is on {here}")
        self._replan(number, rest.astype(np.int32))
        return True

    def _replan(self, number: int, roads: npt.NDArray[Any] | None = None, more: Sequence[Stop] = ()) -> None:
        """Plan the rest of a vehicle's way anew, from where it is now."""
        old = self._plans[number]
        if number not in self._gone_in:
            way = old.roads if roads is None else roads
            start = max(old.start_s, float(self._now))
            if way[0] != old.roads[0]:
                old = replace(old, from_m=0.0)
            if way[-1] != old.roads[-1]:
                old = replace(old, to_m=np.inf)
            self._take(number, self._planned(old, way, start, old.from_m, [*old.stops, *more]), departs=True)
            return
        k, pos = old.at(self._now)
        way = old.roads[k:] if roads is None else roads
        if way[-1] != old.roads[-1]:
            old = replace(old, to_m=np.inf)
        done = sum(b < self._now for b, _ in old.halts)
        halting = next((e for b, e in old.halts if b < self._now < e), None)
        start = float(self._now) if halting is None else halting
        plan = self._planned(old, way, start, pos, [*old.stops[done:], *more])
        if halting is not None:
            plan = plan.halting(float(self._now), start)
        self._take(number, plan, departs=False)

    def add_stop(self, vehicle: int, stop: Stop) -> bool:
        """See the Protocol."""
        rest = self.remaining(vehicle)
        if stop.road not in rest:
            return False
        number = int(vehicle)
        road, pos = self.where(np.array([number]))
        if road[0] == stop.road and stop.road not in rest[1:] and pos[0] > stop.pos_m:
            return False
        self._replan(number, more=(stop,))
        return True

    def set_top_speed(self, vehicle: int, speed_m_s: float) -> bool:
        """See the Protocol."""
        number = int(vehicle)
        if number not in self._plans:
            return False
        self._plans[number] = replace(self._plans[number], top_m_s=max(float(speed_m_s), 0.1))
        self._replan(number)
        return True

    def remove(self, vehicle: int) -> bool:
        """See the Protocol."""
        self._gone_in.discard(int(vehicle))
        return self._plans.pop(int(vehicle), None) is not None

    # -- time ----------------------------------------------------------------------------------------

    def advance(self, until_s: int) -> Flow:
        """See the Protocol."""
        self.go_on(until_s)
        out, self._out, self._told = self._out, _Events(), True
        departed, arrived = out.column(_DEPART), out.column(_ARRIVE)
        began, ended, entered = out.column(_BEGIN), out.column(_END), out.column(_ENTER)
        return Flow(
            *departed,
            *arrived,
            stop_began=began[0],
            stop_began_s=began[1],
            stop_ended=ended[0],
            stop_ended_s=ended[1],
            entered=entered[0],
            entered_road=np.array(out.road, dtype=np.int64),
            entered_s=entered[1],
        )

    def go_on(self, until_s: int) -> None:
        """See the Protocol."""
        if until_s < self._now:
            raise ValueError(f"traffic cannot go back to {until_s} s: it is at {self._now} s")
        if self._told:
            self._patience.raise_noted()
        self._told = False
        with self._patience.waiting():
            self._flow(until_s, self._out)

    def _flow(self, until_s: int, out: _Events) -> None:
        due = self._due
        next_sample = self._file.next_s(self._now) if self._file else until_s
        while next_sample < until_s:
            self._run(next_sample + 1, due, out)
            assert self._file is not None
            self._file.sample(next_sample, [(v, self._plans[v]) for v in sorted(self._gone_in)])
            next_sample = self._file.next_s(next_sample + 1)
        self._run(until_s, due, out)
        self._now = until_s

    def _run(self, until_s: int, due: list[tuple[float, int, int, int, Plan, int]], out: _Events) -> None:
        while due and due[0][0] < until_s:
            t, kind, number, _, plan, k = heapq.heappop(due)
            if self._plans.get(number) is not plan:
                continue
            if kind == _ENTER:
                road = int(plan.roads[k])
                if self._watched[road] >= 0:
                    self._count(plan, k, int(self._watched[road]))
                if not self._noted[road]:
                    continue
                out.road.append(road)
            elif kind == _DEPART:
                self._gone_in.add(number)
            elif kind == _ARRIVE:
                self._gone_in.discard(number)
                del self._plans[number]
            out.vehicle[kind].append(number)
            out.second[kind].append(int(t))

    # -- roads ---------------------------------------------------------------------------------------

    def close_road(self, road: int, closed: bool) -> None:
        """See the Protocol."""
        (self._roads_shut.add if closed else self._roads_shut.discard)(int(road))
        self._apply_closure(int(road))

    def close_lane(self, road: int, lane: int, closed: bool) -> None:
        """See the Protocol; only the last open lane makes a difference here."""
        if not 0 <= lane < self._lanes_all[road]:
            raise ValueError(f"road {road} has lanes 0..{self._lanes_all[road] - 1}, not {lane}")
        (self._lanes_shut.add if closed else self._lanes_shut.discard)((int(road), int(lane)))
        self._apply_closure(int(road))

    def _apply_closure(self, road: int) -> None:
        shut = road in self._roads_shut or sum(r == road for r, _ in self._lanes_shut) >= self._lanes_all[road]
        if shut != self._shut[road]:
            self._shut[road] = shut
            self._replan_all(only_over=road)

    def set_speed(self, road: int, speed_m_s: float | None) -> None:
        """See the Protocol."""
        if speed_m_s is None:
            self._limits.pop(int(road), None)
        else:
            self._limits[int(road)] = float(speed_m_s)
        self._replan_all(only_over=int(road))

    def set_speeds(self, factor: float) -> None:
        """See the Protocol."""
        if factor != self._factor:
            self._factor = float(factor)
            self._replan_all()

    def _replan_all(self, only_over: int | None = None) -> None:
        for number in sorted(self._plans):
            if only_over is None or only_over in self._plans[number].roads:
                self._replan(number)

    def travel_times(self) -> Floats:
        """See the Protocol: free flow under the present limits."""
        return np.asarray(self._roads.length_m / self._speeds())

    # -- detectors -----------------------------------------------------------------------------------

    def watch(self, roads: Ints) -> None:
        """See the Protocol."""
        self._detectors = np.asarray(roads, dtype=np.int64)
        self._watched[:] = -1
        self._watched[self._detectors] = np.arange(len(self._detectors))
        self._stays, self._counted, self._read_s = [], [], self._now
        self._look_at_more()

    def watch_entries(self, roads: Ints) -> None:
        """See the Protocol."""
        self._noted[:] = False
        self._noted[np.asarray(roads, dtype=np.int64)] = True
        self._look_at_more()

    def _look_at_more(self) -> None:
        wanted = (self._watched >= 0) | self._noted
        new = wanted & ~self._looked_at
        self._looked_at |= wanted
        for number in sorted(self._plans):
            plan = self._plans[number]
            for k in np.flatnonzero(new[plan.roads]).tolist():
                t = float(plan.t[plan.entry[k]])
                if self._now <= t < np.inf:
                    self._seq += 1
                    heapq.heappush(self._due, (t, _ENTER, number, self._seq, plan, k))

    def _count(self, plan: Plan, k: int, row: int) -> None:
        self._counted.append(row)
        self._stays.append(_Stay(row, float(plan.t[plan.entry[k]]), plan.leaves(k), plan.long_m))

    def read(self) -> Readings:
        """See the Protocol; speed and occupancy are means over the vehicle-seconds of the interval."""
        n, since, now = len(self._detectors), self._read_s, self._now
        on_s, metres, covered = np.zeros(n), np.zeros(n), np.zeros(n)
        length = self._roads.length_m[self._detectors]
        for stay in self._stays:
            part = min(stay.to_s, now) - max(stay.from_s, since)
            on_s[stay.row] += part
            if stay.to_s > stay.from_s:  # somebody whose end lies at the very beginning of the road is there no time
                metres[stay.row] += part / (stay.to_s - stay.from_s) * length[stay.row]
            covered[stay.row] += part * stay.long_m
        speed = np.full(n, np.nan)
        np.divide(metres, on_s, out=speed, where=on_s > 0)
        room = length * self._lanes[self._detectors] * max(now - since, 1)
        count = np.bincount(self._counted, minlength=n).astype(np.int64)
        self._stays = [stay for stay in self._stays if stay.to_s > now]
        self._counted, self._read_s = [], now
        return Readings(self._detectors.copy(), count, speed, np.clip(covered / room, 0.0, 1.0))

    def close(self) -> None:
        """End; ``fcd.parquet`` is complete afterwards. Closing twice does nothing."""
        if self._file is not None and not self._closed:
            self._file.close()
        self._closed = True
