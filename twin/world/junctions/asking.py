"""Vehicles that may have priority: what their on-board units tell (SRM), and what signals cost them in truth.

A bus, shuttle or emergency vehicle on a road towards a junction of grade L3 asks as soon as it is within ``RANGE_M`` of
the stop line and has no stop left on that road (a bus asks when its doors are closed). It asks anew every time it is
looked at, and says when it has passed. Whether it asks or not, its time on every road towards a signal is measured:
from coming onto it to coming onto the next one, less the time it stood at stops, less the same way at free speed. In
meso SUMO's events tell these moments however rarely one looks (:mod:`twin.world.junctions.stays`); in micro it is
looked at every second. Roads that were crossed between two looks are known from its way: each signal on them is a
passage of its own, and the delay of all of them together, which is exact, is divided evenly among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.domain.ids import VEHICLE_KINDS, vehicle_kind
from twin.domain.junctions import EMERGENCY, PUBLIC_TRANSPORT, STATUSES, SignalMap, SignalRequest, SignalStatus
from twin.events import PriorityAnswered, PriorityAsked, SignalPassed
from twin.log import Log
from twin.world.junctions.stays import MesoStays, Stay
from twin.world.traffic.ports import Flow, NewVehicles, Traffic
from twin.world.traffic.types import type_index

Ints = npt.NDArray[np.int64]

#: kinds of vehicle → role they ask in
ROLE_OF = {"bus": PUBLIC_TRANSPORT, "shuttle": PUBLIC_TRANSPORT, "responder": EMERGENCY}
#: words of a scenario → kinds of vehicle
KIND_OF = {"bus": "bus", "shuttle": "shuttle", "emergency": "responder"}
RANGE_M = 300.0  # of the radio (C-V2X direct; ETSI and 5GAA tests reach 300 to 800 m), assumed
TOP_M_S = {"bus": 19.4, "shuttle": 40 / 3.6, "responder": 30.0}  # as vehicles of these kinds may drive
L3 = 3
SEEN_LATE_S = 2.0
ENDS_HERE = -2  # a way ends before the stop line: there is nothing to ask for
#: vehicle, junction, lane, to_road, role, eta_s, done
_Row = tuple[int, int, int, int, int, float, int]


@dataclass
class _Way:
    """One vehicle on its way. ``road``: that it was last seen on; the rest belongs to its stay there.

    ``place``: of that road in its way; ``looked_s``: when it was last seen; ``halts``: from, until.
    """

    kind: str
    road: int = -1
    place: int = -1
    since_s: float = 0.0
    from_m: float = 0.0
    looked_s: int = 0
    halts: list[tuple[float, float]] = field(default_factory=list)
    halting_s: float = -1
    stops_left: dict[int, int] = field(default_factory=dict)
    asked: int = -1  # the junction it asked last
    granted: bool = False


class Asking:
    """See the module's text. ``kinds``: kinds of vehicle that ask; all of ROLE_OF are measured.

    ``stays``: who knows when a vehicle came onto its road; None: looks are frequent enough (micro).
    """

    def __init__(
        self, told: SignalMap, traffic: Traffic, log: Log, way_of: Callable[[int], npt.NDArray[np.int32]],
        length_m: npt.NDArray[np.float64], speed_m_s: npt.NDArray[np.float64], kinds: frozenset[str],
        stays: MesoStays | None = None,
    ) -> None:  # fmt: skip
        self._traffic, self._log, self._way_of, self._kinds = traffic, log, way_of, kinds
        self._stays = stays
        self._length, self._speed = length_m, speed_m_s
        self._grade = told.grade
        self._codes = np.array([VEHICLE_KINDS[k] for k in ROLE_OF], dtype=np.int64)
        self._out: dict[int, _Way] = {}
        self._cancelled: list[tuple[int, int]] = []
        # of this look: vehicle, kind, junction, road, delay_s, halted_s, distance_m, granted
        self._passages: list[tuple[int, str, int, int, float, float, float, bool]] = []
        self.lane_of: dict[tuple[int, int], tuple[int, int]] = {}  # (road, next road) → (junction, lane)
        self.junction_at: dict[int, int] = {}
        for group, lane, to in zip(
            told.link_group.tolist(), told.link_lane.tolist(), told.link_to_road.tolist(), strict=True
        ):
            if lane < 0:
                continue
            road, j = int(told.lane_road[lane]), int(told.group_junction[group])
            self.junction_at.setdefault(road, j)
            self.lane_of.setdefault((road, to), (j, lane))
            self.lane_of.setdefault((road, -1), (j, lane))

    @property
    def anybody(self) -> bool:
        """Whether any such vehicle is on its way."""
        return bool(self._out)

    # -- what traffic tells ------------------------------------------------------------------------------

    def vehicles(self, new: NewVehicles) -> None:
        """Take note of vehicles that set out."""
        code = new.vehicle // 10**12
        # a van of a repair crew has no blue light
        unlit = (code == VEHICLE_KINDS["responder"]) & (new.type_index != type_index("emergency"))
        for i in np.flatnonzero(np.isin(code, self._codes) & ~unlit).tolist():
            way = self._out[int(new.vehicle[i])] = _Way(vehicle_kind(int(new.vehicle[i])))
            for stop in new.stops.get(i, ()):
                way.stops_left[stop.road] = way.stops_left.get(stop.road, 0) + 1

    def took(self, flow: Flow) -> None:
        """Take note of halts and arrivals."""
        gone = frozenset(flow.arrived.tolist()) if self._out else frozenset()
        for vehicle, t_s in zip(flow.stop_began.tolist(), flow.stop_began_s.tolist(), strict=True):
            way = self._out.get(vehicle)
            if way is not None:
                told = self._stays is None or vehicle in gone
                way.halting_s = t_s if told or self._stays is None else self._stays.halting_since_s(vehicle, t_s)
        for vehicle, t_s in zip(flow.stop_ended.tolist(), flow.stop_ended_s.tolist(), strict=True):
            way = self._out.get(vehicle)
            if way is not None:
                if way.halting_s >= 0:
                    way.halts.append((way.halting_s, t_s))
                way.halting_s = -1
                if way.stops_left.get(way.road, 0) > 0:
                    way.stops_left[way.road] -= 1
        if flow.arrived.size and self._out:
            for vehicle in flow.arrived.tolist():
                if vehicle in self._out:
                    self.lost(vehicle)

    def lost(self, vehicle: int) -> None:
        """Take note that a vehicle is off the road."""
        way = self._out.pop(vehicle, None)
        if way is not None and way.asked >= 0:
            self._cancelled.append((vehicle, way.asked))

    # -- looking -----------------------------------------------------------------------------------------

    def look(self, now_s: int) -> SignalRequest | None:
        """See where they are; return what they ask, or None."""
        rows: list[_Row] = [(vehicle, junction, -1, -1, 0, 0.0, 1) for vehicle, junction in self._cancelled]
        self._cancelled = []
        numbers = sorted(self._out)
        if numbers:
            for vehicle, r, p in zip(numbers, *self._places(numbers), strict=True):
                way = self._out[vehicle]
                if r < 0:
                    if not self._way_of(vehicle).size:  # called off on its way: nobody tells of it
                        del self._out[vehicle]
                        if way.asked >= 0:
                            rows.append((vehicle, way.asked, -1, -1, 0, 0.0, 1))
                    continue
                asks = way.kind in self._kinds and r in self.junction_at
                stay = self._stay(vehicle, way.kind, r, p, now_s) if asks or r != way.road else None
                if r != way.road and stay is not None:
                    self._onto(vehicle, way, r, stay, now_s, rows)
                way.looked_s = now_s
                if asks and stay is not None:
                    self._ask(vehicle, way, r, stay, now_s, rows)
        self._write_passages(now_s)
        if not rows:
            return None
        table = np.array(rows, dtype=np.float64)
        whole = table.astype(np.int64)
        return SignalRequest(
            now_s, f"requests/{now_s}", whole[:, 0], whole[:, 1], whole[:, 2], whole[:, 3], whole[:, 4],
            table[:, 5].copy(), whole[:, 6],
        )  # fmt: skip

    def _places(self, numbers: list[int]) -> tuple[list[int], list[float]]:
        """Return road (−1: none) and metres along it; in meso stays say where on the road, so it is not asked for."""
        vehicles = np.array(numbers, dtype=np.int64)
        if self._stays is not None:
            return self._stays.roads_of(vehicles).tolist(), [0.0] * len(numbers)
        road, pos = self._traffic.where(vehicles)
        return road.tolist(), pos.tolist()

    def _stay(self, vehicle: int, kind: str, road: int, pos_m: float, now_s: int) -> Stay:
        length, free = float(self._length[road]), self._free(kind, road)
        if self._stays is not None:
            return self._stays.of(vehicle, length, free, now_s)
        return Stay(float(now_s), pos_m, pos_m, (length - pos_m) / free)

    def _onto(self, vehicle: int, way: _Way, road: int, stay: Stay, now_s: int, rows: list[_Row]) -> None:
        """Note that a vehicle is on another road than before: it has passed what lay between."""
        before, first = way.road, way.place
        roads = self._way_of(vehicle)
        ahead = np.flatnonzero(roads[first + 1 :] == road)
        way.place = first + 1 + int(ahead[0]) if ahead.size else -1
        # in meso it came to the beginning of the road then; in micro it is at from_m now
        since_s = stay.since_s
        if self._stays is not None:
            since_s -= stay.from_m / self._free(way.kind, road)
        if before >= 0:
            if self._stays is not None:  # SUMO's events lie up to two seconds before they are seen
                since_s = max(since_s, way.looked_s - SEEN_LATE_S)
            skipped = roads[first + 1 : way.place].tolist() if first >= 0 and way.place >= 0 else []
            self._passed(vehicle, way, [before, *skipped], road, since_s, stay, now_s)
            if way.asked >= 0 and way.asked != self.junction_at.get(road, -1):
                rows.append((vehicle, way.asked, -1, -1, 0, 0.0, 1))
                way.asked, way.granted = -1, False
            way.halts = [h for h in way.halts if h[1] > since_s]
        way.road, way.since_s, way.from_m = road, since_s, 0.0
        if before < 0 or self._stays is None:
            way.since_s, way.from_m = stay.since_s, stay.from_m

    def _passed(
        self, vehicle: int, way: _Way, roads: list[int], onto: int, until_s: float, stay: Stay, now_s: int
    ) -> None:  # fmt: skip
        """Write down the signals at the ends of ``roads``, which a vehicle has left for ``onto`` by ``until_s``."""
        signalled = [r for r in roads if r in self.junction_at]
        if not signalled:
            return
        metres = {r: float(self._length[r]) for r in roads}
        metres[roads[0]] -= way.from_m
        free = sum(metres[r] / self._free(way.kind, r) for r in roads)
        if self._stays is None:
            free += stay.pos_m / self._free(way.kind, onto)
        halts = [*way.halts, (way.halting_s, now_s)] if way.halting_s >= 0 else way.halts
        halted = sum(max(min(b, until_s) - max(a, way.since_s), 0.0) for a, b in halts)
        each = (until_s - way.since_s - halted - free) / len(signalled)
        for i, r in enumerate(signalled):
            j = self.junction_at[r]
            self._passages.append(
                (
                    vehicle, way.kind, j, r, round(each, 1), round(halted if i == 0 else 0.0, 1), round(metres[r], 1),
                    way.granted and way.asked == j,
                )
            )  # fmt: skip

    def _write_passages(self, now_s: int) -> None:
        """Put the passages of a look into the log."""
        if self._passages:
            columns = map(list, zip(*self._passages, strict=True))
            vehicle, kind, junction, road, delay_s, halted_s, distance_m, granted = columns
            self._log.add(
                SignalPassed, t_s=np.full(len(vehicle), now_s), vehicle=np.array(vehicle, dtype=np.int64),
                kind=np.array(kind, dtype=object), junction=np.array(junction, dtype=np.int64),
                road=np.array(road, dtype=np.int64), delay_s=np.array(delay_s), halted_s=np.array(halted_s),
                distance_m=np.array(distance_m), granted=np.array(granted),
            )  # fmt: skip
            self._passages.clear()

    def _ask(
        self, vehicle: int, way: _Way, road: int, stay: Stay, now_s: int, rows: list[_Row]
    ) -> None:  # fmt: skip
        away = float(self._length[road]) - stay.pos_m
        if away > RANGE_M or way.halting_s >= 0 or way.stops_left.get(road, 0) > 0:
            return
        j = self.junction_at[road]
        if int(self._grade[j]) < L3:
            return
        to = self._next(vehicle, way)
        if to == ENDS_HERE:
            return
        found = self.lane_of.get((road, to)) or self.lane_of.get((road, -1))
        if found is None:
            return
        eta = round(stay.left_s, 1)
        rows.append((vehicle, j, found[1], to, ROLE_OF[way.kind], eta, 0))
        if way.asked != j:
            way.asked, way.granted = j, False
            self._log.add(PriorityAsked, t_s=now_s, vehicle=vehicle, kind=way.kind, junction=j, eta_s=eta)

    def answered(self, told: SignalStatus, now_s: int) -> None:
        """Take in answers of the junctions (SSM)."""
        self._log.add(
            PriorityAnswered, t_s=np.full(told.vehicle.size, now_s), vehicle=told.vehicle, junction=told.junction,
            answer=np.array([STATUSES[s] for s in told.status.tolist()], dtype=object),
        )  # fmt: skip
        for vehicle, j, status in zip(told.vehicle.tolist(), told.junction.tolist(), told.status.tolist(), strict=True):
            way = self._out.get(vehicle)
            if way is not None and way.asked == j and STATUSES[status] == "granted":
                way.granted = True

    def _next(self, vehicle: int, way: _Way) -> int:
        """Return the road a vehicle takes after its present one; ENDS_HERE; or −1: its way does not tell."""
        roads = self._way_of(vehicle)
        if way.place < 0 or way.place >= roads.size or int(roads[way.place]) != way.road:
            return -1
        return int(roads[way.place + 1]) if way.place + 1 < roads.size else ENDS_HERE

    def _free(self, kind: str, road: int) -> float:
        return max(min(float(self._speed[road]), TOP_M_S[kind]), 1.0)
