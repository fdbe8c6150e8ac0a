"""Vehicles that may have priority: what their on-board units tell (SRM).

A bus, shuttle or emergency vehicle on a road towards a junction of grade L3 asks as soon as it is within ``RANGE_M`` of
the stop line and has no stop left on that road (a bus asks when its doors are closed). It asks anew every time it is
looked at, and says when it has passed. What signals cost it is measured elsewhere, whether it asks or not
(:mod:`twin.world.junctions.passages`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.domain.ids import vehicle_kind
from twin.domain.junctions import EMERGENCY, PUBLIC_TRANSPORT, STATUSES, SignalMap, SignalRequest, SignalStatus
from twin.events import PriorityAnswered, PriorityAsked
from twin.log import Log
from twin.world.junctions.passages import free_m_s, next_place, of_the_service, places
from twin.world.junctions.stays import MesoStays, Stay
from twin.world.traffic.ports import Flow, NewVehicles, Traffic

#: kinds of vehicle → role they ask in
ROLE_OF = {"bus": PUBLIC_TRANSPORT, "shuttle": PUBLIC_TRANSPORT, "responder": EMERGENCY}
#: words of a scenario → kinds of vehicle
KIND_OF = {"bus": "bus", "shuttle": "shuttle", "emergency": "responder"}
RANGE_M = 300.0  # of the radio (C-V2X direct; ETSI and 5GAA tests reach 300 to 800 m), assumed
L3 = 3
ENDS_HERE = -2  # a way ends before the stop line: there is nothing to ask for
#: vehicle, junction, lane, to_road, role, eta_s, done
_Row = tuple[int, int, int, int, int, float, int]


@dataclass
class _Way:
    """One vehicle on its way. ``road``: that it was last seen on; ``place``: of that road in its way."""

    kind: str
    road: int = -1
    place: int = -1
    halting: bool = False
    stops_left: dict[int, int] = field(default_factory=dict)
    asked: int = -1  # the junction it asked last


class Asking:
    """See the module's text. ``kinds``: kinds of vehicle that ask; nobody else is looked at.

    ``stays``: who knows where on its road a vehicle is in meso. ``granted``: (vehicle, junction) of all that were
    granted priority and have not passed yet: whoever sees them pass takes them out.
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
        self.granted: set[tuple[int, int]] = set()
        self._out: dict[int, _Way] = {}
        self._cancelled: list[tuple[int, int]] = []
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
        if not self._kinds:
            return
        for i in of_the_service(new).tolist():
            way = _Way(vehicle_kind(int(new.vehicle[i])))
            if way.kind in self._kinds:
                self._out[int(new.vehicle[i])] = way
                for stop in new.stops.get(i, ()):
                    way.stops_left[stop.road] = way.stops_left.get(stop.road, 0) + 1

    def took(self, flow: Flow) -> None:
        """Take note of halts and arrivals."""
        if not self._out:
            return
        halts = [(t, 1, v) for t, v in zip(flow.stop_began_s.tolist(), flow.stop_began.tolist(), strict=True)]
        halts += [(t, 0, v) for t, v in zip(flow.stop_ended_s.tolist(), flow.stop_ended.tolist(), strict=True)]
        for _, begins, vehicle in sorted(halts):
            way = self._out.get(vehicle)
            if way is not None:
                way.halting = bool(begins)
                if not begins and way.stops_left.get(way.road, 0) > 0:
                    way.stops_left[way.road] -= 1
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
        rows = [_done(vehicle, junction) for vehicle, junction in self._cancelled]
        self._cancelled = []
        numbers = sorted(self._out)
        if numbers:
            for vehicle, road, pos in zip(numbers, *places(numbers, self._traffic, self._stays), strict=True):
                way = self._out[vehicle]
                if road < 0:
                    if not self._way_of(vehicle).size:  # called off on its way: nobody tells of it
                        del self._out[vehicle]
                        if way.asked >= 0:
                            rows.append(_done(vehicle, way.asked))
                    continue
                if road != way.road:
                    way.road, way.place = road, next_place(self._way_of(vehicle), way.place, road)
                    if way.asked >= 0 and way.asked != self.junction_at.get(road, -1):
                        rows.append(_done(vehicle, way.asked))
                        way.asked = -1
                if road in self.junction_at:
                    self._ask(vehicle, way, self._stay(vehicle, way.kind, road, pos, now_s), now_s, rows)
        if not rows:
            return None
        table = np.array(rows, dtype=np.float64)
        whole = table.astype(np.int64)
        return SignalRequest(
            now_s, f"requests/{now_s}", whole[:, 0], whole[:, 1], whole[:, 2], whole[:, 3], whole[:, 4],
            table[:, 5].copy(), whole[:, 6],
        )  # fmt: skip

    def _stay(self, vehicle: int, kind: str, road: int, pos_m: float, now_s: int) -> Stay:
        length, free = float(self._length[road]), free_m_s(kind, float(self._speed[road]))
        if self._stays is not None:
            return self._stays.of(vehicle, length, free, now_s)
        return Stay(float(now_s), pos_m, pos_m, (length - pos_m) / free)

    def _ask(self, vehicle: int, way: _Way, stay: Stay, now_s: int, rows: list[_Row]) -> None:
        road = way.road
        away = float(self._length[road]) - stay.pos_m
        if away > RANGE_M or way.halting or way.stops_left.get(road, 0) > 0:
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
            way.asked = j
            self.granted.discard((vehicle, j))
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
                self.granted.add((vehicle, j))

    def _next(self, vehicle: int, way: _Way) -> int:
        """Return the road a vehicle takes after its present one; ENDS_HERE; or −1: its way does not tell."""
        roads = self._way_of(vehicle)
        if way.place < 0 or way.place >= roads.size or int(roads[way.place]) != way.road:
            return -1
        return int(roads[way.place + 1]) if way.place + 1 < roads.size else ENDS_HERE


def _done(vehicle: int, junction: int) -> _Row:
    """Return the row of one that has passed, or needs no answer any more."""
    return vehicle, junction, -1, -1, 0, 0.0, 1
