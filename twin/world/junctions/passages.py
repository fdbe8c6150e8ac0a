"""What signals cost vehicles of the public service in truth, whether they ask for priority or not.

The time of a bus, shuttle or emergency vehicle on every road towards a signal is measured: from coming onto it to
coming onto the next one, less the time it stood at stops, less the same way at free speed. In meso SUMO's events tell
these moments however rarely one looks (:mod:`twin.world.junctions.stays`); in micro it is looked at every second.
Roads that were crossed between two looks are known from its way: each signal on them is a passage of its own, and the
delay of all of them together, which is exact, is divided evenly among them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.domain.ids import VEHICLE_KINDS, vehicle_kind
from twin.events import SignalPassed
from twin.log import Log
from twin.world.junctions.stays import MesoStays, Stay
from twin.world.traffic.ports import Flow, NewVehicles, Traffic
from twin.world.traffic.types import type_index

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: how often it is looked in meso and micro, s
MEASURE_S = {"meso": 60, "micro": 1}
#: kinds of vehicle that are measured, and how fast they may drive, m/s
TOP_M_S = {"bus": 19.4, "shuttle": 40 / 3.6, "responder": 30.0}
SEEN_LATE_S = 2.0
_RESPONDER = VEHICLE_KINDS["responder"]
_MEASURED = np.isin(np.arange(max(VEHICLE_KINDS.values()) + 1), [VEHICLE_KINDS[k] for k in TOP_M_S])  # by code of kind
_LIT = type_index("emergency")


def of_the_service(new: NewVehicles) -> Ints:
    """Return the rows of new vehicles that may have priority: a van of a repair crew has no blue light."""
    code = new.vehicle // 10**12
    rows = np.flatnonzero(_MEASURED[code]).astype(np.int64)
    unlit = (code[rows] == _RESPONDER) & (new.type_index[rows] != _LIT)
    return np.asarray(rows[~unlit])


def free_m_s(kind: str, speed_m_s: float) -> float:
    """Return how fast a vehicle of a kind drives on a road with this limit where nothing hinders it."""
    return max(min(speed_m_s, TOP_M_S[kind]), 1.0)


def next_place(roads: npt.NDArray[np.int32], place: int, road: int) -> int:
    """Return where on its way a vehicle is now that it is on ``road`` and was at ``place`` before (−1: not on it)."""
    if place + 1 < roads.size and roads[place + 1] == road:  # as it is mostly
        return place + 1
    ahead = (roads[place + 1 :] == road).nonzero()[0]
    return place + 1 + int(ahead[0]) if ahead.size else -1


@dataclass
class _Trip:
    """One vehicle on its way. ``road``: that it was last seen on; the rest belongs to its stay there.

    ``place``: of that road in its way; ``looked_s``: when it was last seen; ``halts``: from, until; ``departed_s``:
    −1 if that is not known; ``to_m``: where on its last road it arrives, nan: at the end.
    """

    kind: str
    road: int = -1
    place: int = -1
    since_s: float = 0.0
    from_m: float = 0.0
    looked_s: int = 0
    departed_s: int = -1
    to_m: float = float("nan")
    halts: list[tuple[float, float]] = field(default_factory=list)
    halting_s: float = -1


class Passages:
    """See the module's text. ``junction_at``: road → the junction whose signal is at its end.

    ``granted``: (vehicle, junction) that were granted priority; ``stays``: who knows when a vehicle came onto its road;
    None: looks are frequent enough (micro).
    """

    def __init__(
        self, junction_at: dict[int, int], traffic: Traffic, log: Log,
        way_of: Callable[[int], npt.NDArray[np.int32]], length_m: Floats, speed_m_s: Floats,
        granted: set[tuple[int, int]], stays: MesoStays | None = None,
    ) -> None:  # fmt: skip
        self._junction_at, self._traffic, self._log, self._way_of = junction_at, traffic, log, way_of
        self._length, self._speed, self._granted, self._stays = length_m, speed_m_s, granted, stays
        self._out: dict[int, _Trip] = {}
        # since the last look: vehicle, kind, junction, road, delay_s, halted_s, distance_m, granted
        self._passed: list[tuple[int, str, int, int, float, float, float, bool]] = []

    # -- what traffic tells ------------------------------------------------------------------------------

    def vehicles(self, new: NewVehicles) -> None:
        """Take note of vehicles that set out."""
        for i in of_the_service(new).tolist():
            from_m, to_m = new.ends(i)
            trip = _Trip(vehicle_kind(int(new.vehicle[i])), from_m=0.0 if math.isnan(from_m) else from_m, to_m=to_m)
            self._out[int(new.vehicle[i])] = trip

    def took(self, flow: Flow) -> None:
        """Take note of departures, halts and arrivals."""
        out = self._out
        if not out:
            return
        for vehicle, t_s in zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True):
            if vehicle in out:
                out[vehicle].departed_s = t_s
        began, ended = self._by_vehicle(flow.stop_began, flow.stop_began_s), {}
        if flow.stop_ended.size:
            ended = self._by_vehicle(flow.stop_ended, flow.stop_ended_s)
        for vehicle in began.keys() | ended.keys():  # in any order: one by one
            trip = out[vehicle]
            starts = [trip.halting_s] if trip.halting_s >= 0 else []
            starts += began.get(vehicle, [])
            ends = ended.get(vehicle, [])
            trip.halts += zip(starts, ends, strict=False)
            trip.halting_s = starts[-1] if len(starts) > len(ends) else -1
        for vehicle, t_s in zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True):
            if vehicle in out:
                self._arrived(vehicle, out.pop(vehicle), t_s)

    def _by_vehicle(self, vehicles: Ints, seconds: Ints) -> dict[int, list[float]]:
        out: dict[int, list[float]] = {}
        for vehicle, t_s in zip(vehicles.tolist(), seconds.tolist(), strict=True):
            if vehicle in self._out:
                out.setdefault(vehicle, []).append(t_s)
        return out

    def lost(self, vehicle: int) -> None:
        """Take note that a vehicle is off the road."""
        self._out.pop(vehicle, None)

    # -- looking -----------------------------------------------------------------------------------------

    def look(self, now_s: int) -> None:
        """See where they are, and write down what they passed since the last look."""
        numbers = sorted(self._out)
        if numbers:
            for vehicle, road, pos in zip(numbers, *places(numbers, self._traffic, self._stays), strict=True):
                trip = self._out[vehicle]
                if road < 0:
                    if not self._way_of(vehicle).size:  # called off on its way: nobody tells of it
                        del self._out[vehicle]
                    continue
                if road != trip.road:
                    self._onto(vehicle, trip, road, pos, now_s)
                trip.looked_s = now_s
        self._write(now_s)

    def _onto(self, vehicle: int, trip: _Trip, road: int, pos_m: float, now_s: int) -> None:
        """Note that a vehicle is on another road than before: it has passed what lay between."""
        roads, stays, free = self._way_of(vehicle), self._stays, self._free(trip.kind, road)
        if stays is None:
            stay = Stay(float(now_s), pos_m, pos_m, 0.0)
        else:
            stay = stays.of(vehicle, float(self._length[road]), free, now_s)
            if trip.road < 0 and trip.departed_s >= 0 and road != roads[0] and road in roads:
                self._set_out(trip, roads)  # it has never been seen on its first road
        before, first = trip.road, trip.place
        trip.place = next_place(roads, first, road)
        halts = self._halts(vehicle, trip)
        # in meso it came to the beginning of the road then; in micro it is at from_m now
        since_s = stay.since_s if stays is None else self._came_s(stay, free, halts)
        if before >= 0:
            if stays is not None:  # SUMO's events lie up to two seconds before they are seen
                since_s = max(since_s, trip.looked_s - SEEN_LATE_S)
            skipped = roads[first + 1 : trip.place].tolist() if first >= 0 and trip.place >= 0 else []
            onto_s = 0.0 if stays is not None else stay.pos_m / free
            self._pass(vehicle, trip, [before, *skipped], since_s, onto_s, halts)
            trip.halts = [h for h in trip.halts if h[1] > since_s]
        trip.road, trip.since_s, trip.from_m = road, since_s, 0.0
        if before < 0 or stays is None:
            trip.since_s, trip.from_m = stay.since_s, stay.from_m

    @staticmethod
    def _came_s(stay: Stay, free_m_s: float, halts: list[tuple[float, float]]) -> float:
        """Return when a vehicle came onto the road on which it is now in meso, unhindered up to its segment."""
        since_s = stay.since_s - stay.from_m / free_m_s
        for a, b in reversed(halts):
            if since_s < b + SEEN_LATE_S:  # it was on this road, whose segment began anew after it
                since_s -= b - a
        return since_s

    def _halts(self, vehicle: int, trip: _Trip) -> list[tuple[float, float]]:
        """Return the halts since it came onto its road: as SUMO knows them in meso, where looks at halts are late."""
        if self._stays is not None and (trip.halts or trip.halting_s >= 0):
            return self._stays.halts(vehicle, len(trip.halts) + 1)  # one more: an end that nobody has seen yet
        return trip.halts

    def _arrived(self, vehicle: int, trip: _Trip, t_s: int) -> None:
        """Write down the signals that a vehicle passed since it was last seen, on its way to where it arrived."""
        roads = self._way_of(vehicle)
        if trip.road < 0 and trip.departed_s >= 0 and roads.size:
            self._set_out(trip, roads)
        if trip.place < 0 or trip.place + 1 >= roads.size:
            return
        last = int(roads[-1])
        last_m = float(self._length[last]) if math.isnan(trip.to_m) else trip.to_m
        onto_s = last_m / self._free(trip.kind, last)
        self._pass(vehicle, trip, roads[trip.place : -1].tolist(), t_s, onto_s, trip.halts)

    @staticmethod
    def _set_out(trip: _Trip, roads: npt.NDArray[np.int32]) -> None:
        trip.road, trip.place, trip.since_s, trip.looked_s = int(roads[0]), 0, trip.departed_s, trip.departed_s

    def _pass(
        self, vehicle: int, trip: _Trip, roads: list[int], until_s: float, onto_s: float,
        halts: list[tuple[float, float]],
    ) -> None:  # fmt: skip
        """Note the signals at the ends of ``roads``, which a vehicle has left by ``until_s``.

        ``onto_s``: how long it had been on the next road by then, had nothing hindered it there.
        """
        signalled = [r for r in roads if r in self._junction_at]
        if not signalled:
            return
        metres = {r: float(self._length[r]) for r in roads}
        metres[roads[0]] -= trip.from_m
        free_s = onto_s + sum(metres[r] / self._free(trip.kind, r) for r in roads)
        halted = sum(max(min(b, until_s) - max(a, trip.since_s), 0.0) for a, b in halts)
        each = round((until_s - trip.since_s - halted - free_s) / len(signalled), 1)
        for i, r in enumerate(signalled):
            who = (vehicle, self._junction_at[r])
            self._passed.append(
                (
                    vehicle, trip.kind, who[1], r, each, round(halted if i == 0 else 0.0, 1), round(metres[r], 1),
                    who in self._granted,
                )
            )  # fmt: skip
            self._granted.discard(who)

    def _write(self, now_s: int) -> None:
        """Put what was passed into the log."""
        if self._passed:
            columns = map(list, zip(*self._passed, strict=True))
            vehicle, kind, junction, road, delay_s, halted_s, distance_m, granted = columns
            self._log.add(
                SignalPassed, t_s=np.full(len(vehicle), now_s), vehicle=np.array(vehicle, dtype=np.int64),
                kind=np.array(kind, dtype=object), junction=np.array(junction, dtype=np.int64),
                road=np.array(road, dtype=np.int64), delay_s=np.array(delay_s), halted_s=np.array(halted_s),
                distance_m=np.array(distance_m), granted=np.array(granted),
            )  # fmt: skip
            self._passed.clear()

    def _free(self, kind: str, road: int) -> float:
        return free_m_s(kind, float(self._speed[road]))


def places(numbers: list[int], traffic: Traffic, stays: MesoStays | None) -> tuple[list[int], list[float]]:
    """Return road (−1: none) and metres along it; in meso stays say where on the road, so it is not asked for."""
    vehicles = np.array(numbers, dtype=np.int64)
    if stays is not None:
        return stays.roads_of(vehicles).tolist(), [0.0] * len(numbers)
    road, pos = traffic.where(vehicles)
    return road.tolist(), pos.tolist()
