"""When vehicles halt at their stops and go on, in both of SUMO's models.

Micro tells beginnings and ends as lists, and a vehicle halts in its lane. Meso tells neither, and a vehicle
that halted in a segment of a road would block all lanes: there it halts in a bay, from the second it comes
into the stop's segment. So in meso vehicles that have stops are looked at one by one, no sooner than they can
have come near; a halt is over when SUMO has taken the stop off the vehicle's list.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from twin.world.traffic.options import MESO_SEGMENT_M
from twin.world.traffic.ports import Floats, Stop
from twin.world.traffic.roads import Roads

#: nobody drives faster than this times the free-flow speed, for the earliest second worth a look
_HURRY = 1.5
#: in meso a coming vehicle is looked at this often, s: a halt is seen to begin at most this late
LOOK_S = 5


class Events(Protocol):
    """Where beginnings and ends are noted."""

    def extend(self, ids: tuple[str, ...], second: int) -> None:
        """Note that the vehicles of these ids did it at ``second``."""


@dataclass
class _Halting:
    """A vehicle with stops ahead (meso)."""

    name: str
    stops: deque[Stop] = field(default_factory=deque)
    since_s: int = -1
    segment: int = -1
    route: tuple[str, ...] = ()
    clock_s: Floats = field(default_factory=lambda: np.zeros(1))


class StopWatch:
    """Notes halts of vehicles that have stops."""

    def __init__(self, sumo: Any, roads: Roads, *, meso: bool) -> None:
        self._sumo, self._roads, self._meso = sumo, roads, meso
        self._halting: dict[int, _Halting] = {}
        self._ahead_of: dict[int, list[Stop]] = {}
        self._due: list[tuple[int, int]] = []
        self._lane: dict[tuple[int, str], int] = {}
        self.any = False

    def add(self, vehicle: int, stop: Stop, now_s: int) -> None:
        """Give SUMO the stop. Its exceptions pass through: not on the route, or too late to brake."""
        name = str(vehicle)
        edge = self._roads.edges[stop.road]
        length = float(self._roads.length_m[stop.road])
        pos = min(max(stop.pos_m, min(1.0, length)), length)
        until = float(stop.until_s) if stop.until_s >= 0 else -1073741824.0
        lane = stop.lane if stop.lane >= 0 else self._open_lane(stop.road, name)
        self._sumo.vehicle.setStop(name, edge, pos, lane, float(stop.duration_s), int(self._meso), -1073741824.0, until)
        self.any = True
        self._ahead_of.setdefault(vehicle, []).append(stop)
        if self._meso:
            own = self._halting.get(vehicle)
            if own is None:
                own = self._halting[vehicle] = _Halting(name)
                heapq.heappush(self._due, (now_s, vehicle))
            own.stops.append(stop)

    def _open_lane(self, road: int, vehicle: str) -> int:
        kind = self._sumo.vehicle.getVehicleClass(vehicle)
        lane = self._lane.get((road, kind))
        if lane is None:
            edge = self._roads.edges[road]
            lanes = range(self._sumo.edge.getLaneNumber(edge))
            fits = [i for i in lanes if kind in self._sumo.lane.getAllowed(f"{edge}_{i}")]
            lane = self._lane[road, kind] = fits[0] if fits else 0
        return lane

    def rerouted(self, vehicle: int, now_s: int) -> None:
        """Look at the vehicle anew: its route has changed."""
        own = self._halting.get(vehicle)
        if own is not None:
            own.route = ()
            heapq.heappush(self._due, (now_s, vehicle))

    def forget(self, vehicle: int) -> list[Stop]:
        """Drop a vehicle that is gone; return the stops it had ahead."""
        self._halting.pop(vehicle, None)
        return self._ahead_of.pop(vehicle, [])

    def look(self, now_s: int, began: Events, ended: Events) -> None:
        """Note what began and ended at ``now_s``."""
        if not self._meso:
            began.extend(self._sumo.simulation.getStopStartingVehiclesIDList(), now_s)
            ended.extend(self._sumo.simulation.getStopEndingVehiclesIDList(), now_s)
            return
        due = self._due
        while due and due[0][0] <= now_s:
            _, vehicle = heapq.heappop(due)
            own = self._halting.get(vehicle)
            if own is not None:
                next_s = self._look_at(own, now_s, began, ended)
                if next_s:
                    heapq.heappush(due, (next_s, vehicle))
                else:
                    del self._halting[vehicle]

    def _look_at(self, own: _Halting, now_s: int, began: Events, ended: Events) -> int:
        """Look at one vehicle; return the second of the next look (0: no stop is left)."""
        v = self._sumo.vehicle
        try:
            at = v.getRouteIndex(own.name)
        except self._sumo.TraCIException:
            if own.since_s >= 0:
                ended.extend((own.name,), now_s)
            return 0
        if at < 0:
            # not on the road yet
            return now_s + 2 * LOOK_S
        if own.since_s >= 0:
            return self._halts(own, now_s, ended)
        return self._comes(own, at, now_s, began)

    def _halts(self, own: _Halting, now_s: int, ended: Events) -> int:
        """Look whether the halt is over."""
        if len(self._sumo.vehicle.getStops(own.name)) == len(own.stops):
            return now_s + 1
        ended.extend((own.name,), now_s)
        own.stops.popleft()
        own.since_s = own.segment = -1
        return now_s + 1 if own.stops else 0

    def _comes(self, own: _Halting, at: int, now_s: int, began: Events) -> int:
        """Look whether the vehicle, ``at`` this place of its route, has come to its stop."""
        v = self._sumo.vehicle
        if not own.route:
            own.route = v.getRoute(own.name)
            free = self._roads.free_s[[self._roads.index[e] for e in own.route]]
            own.clock_s = np.concatenate([[0.0], np.cumsum(free)])
        stop = own.stops[0]
        edge = self._roads.edges[stop.road]
        if own.route[at] != edge:
            return self._ahead(own, at, edge, now_s)
        if own.segment < 0:
            own.segment = self._segment(stop)
        if v.getRoadID(own.name) != edge or v.getSegmentIndex(own.name) < own.segment:
            return now_s + LOOK_S
        began.extend((own.name,), now_s)
        own.since_s = now_s
        return max(now_s + max(stop.duration_s, 1), stop.until_s)

    def _ahead(self, own: _Halting, at: int, edge: str, now_s: int) -> int:
        """Second at which the vehicle can reach ``edge`` at the earliest; stops it has passed are dropped."""
        own.segment = -1
        while True:
            try:
                there = own.route.index(edge, at)
                break
            except ValueError:
                own.stops.popleft()
                if not own.stops:
                    return 0
                edge = self._roads.edges[own.stops[0].road]
        wait = (own.clock_s[there] - own.clock_s[at + 1]) / _HURRY if there > at else 0.0
        return now_s + max(int(wait), LOOK_S)

    def _segment(self, stop: Stop) -> int:
        """Segment of SUMO's meso model in which a stop lies (equal parts of about MESO_SEGMENT_M, at least one)."""
        length = float(self._roads.length_m[stop.road])
        count = max(1, int(length / MESO_SEGMENT_M + 0.5))
        return min(int(stop.pos_m / (length / count)), count - 1)
