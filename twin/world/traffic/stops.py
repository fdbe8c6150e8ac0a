"""When vehicles halt at their stops and go on, in both of SUMO's models.

Micro tells beginnings and ends as lists, and a vehicle halts in its lane. Meso tells neither, and a vehicle
that halted in a segment of a road would block all lanes: there it halts in a bay, from the second it comes
into the stop's segment. So in meso vehicles that have stops are looked at one by one, no sooner than they can
have come near; a halt is over when SUMO has taken the stop off the vehicle's list.

A lane that closes keeps nobody from halting: a stop is on the rightmost lane that is open, and moves when that closes.
"""

from __future__ import annotations

import heapq
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from twin.world.traffic.closures import Closures
from twin.world.traffic.options import MESO_SEGMENT_M
from twin.world.traffic.ports import Floats, Stop
from twin.world.traffic.roads import Roads

#: nobody drives faster than this times the free-flow speed, for the earliest second worth a look
_HURRY = 1.5
#: in meso a coming vehicle is looked at this often, s: a halt is seen to begin at most this late
LOOK_S = 5
_NO_TIME = -1073741824.0  # SUMO's word for "not given"


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

    def __init__(self, sumo: Any, roads: Roads, closures: Closures, *, meso: bool) -> None:
        self._sumo, self._roads, self._closures, self._meso = sumo, roads, closures, meso
        self._halting: dict[int, _Halting] = {}
        self._ahead_of: dict[int, list[Stop]] = {}
        self._due: list[tuple[int, int]] = []
        self.any = False

    def add(self, vehicle: int, stop: Stop, now_s: int) -> bool:
        """Give SUMO the stop; False: no lane is open there to this vehicle.

        SUMO's exceptions pass through: not on the route, or too late to brake.
        """
        name = str(vehicle)
        lane = stop.lane
        if lane < 0:
            lane = self._closures.open_lane(stop.road, self._sumo.vehicle.getVehicleClass(name))
        if lane < 0:
            return False
        with self._closures.ajar(stop.road, lane):
            self._sumo.vehicle.setStop(name, *self._order(stop, lane))
        self.any = True
        self._ahead_of.setdefault(vehicle, []).append(stop)
        if self._meso:
            own = self._halting.get(vehicle)
            if own is None:
                own = self._halting[vehicle] = _Halting(name)
                heapq.heappush(self._due, (now_s, vehicle))
            own.stops.append(stop)
        return True

    def shut_out(self, vehicle: int, stop: Stop) -> bool:
        """Return whether closures are what keeps a vehicle from a stop."""
        if stop.lane >= 0:
            return not self._closures.lane_open(stop.road, stop.lane)
        return self._closures.open_lane(stop.road, self._sumo.vehicle.getVehicleClass(str(vehicle))) < 0

    def _order(self, stop: Stop, lane: int) -> tuple[str, float, int, float, int, float, float]:
        """Return a stop in the words of SUMO's setStop."""
        length = float(self._roads.length_m[stop.road])
        pos = min(max(stop.pos_m, min(1.0, length)), length)
        until = float(stop.until_s) if stop.until_s >= 0 else _NO_TIME
        return self._roads.edges[stop.road], pos, lane, float(stop.duration_s), int(self._meso), _NO_TIME, until

    def lanes_changed(self, road: int) -> list[int]:
        """Move the stops ahead on a road from lanes that closed to an open one; where none is, they wait with all.

        Returns vehicles that have yet to enter and must be added anew, for whom SUMO would lose other stops (1.27).
        Stops of a given lane (obstacles) stay, and so does who already stands; so do all in meso, where a vehicle halts
        in a bay off its segment, whose lanes are one.
        """
        if self._meso:
            return []
        edge = self._roads.edges[road]
        v = self._sumo.vehicle
        anew = []
        for vehicle, stops in self._ahead_of.items():
            mine = [s for s in stops if s.road == road and s.lane < 0]
            if not mine:
                continue
            name = str(vehicle)
            try:
                ahead, entered = v.getStops(name), v.getRouteIndex(name) >= 0
                lane = self._closures.open_lane(road, v.getVehicleClass(name))
            except self._sumo.TraCIException:
                continue  # gone in this very stretch
            moves = [k for k, s in enumerate(ahead) if s.arrival < 0 and self._shut(s.lane, edge, road)]
            if lane < 0 or not moves:
                continue
            if not entered:
                anew.append(vehicle)
                continue
            for k in moves:
                at_m = ahead[k].endPos
                self._replace(name, k, min(mine, key=lambda s, at_m=at_m: abs(s.pos_m - at_m)), lane)  # type: ignore[misc]
        return anew

    def _shut(self, lane: str, edge: str, road: int) -> bool:
        on, _, number = lane.rpartition("_")
        return on == edge and not self._closures.lane_open(road, int(number))

    def _replace(self, name: str, k: int, stop: Stop, lane: int) -> None:
        """Let the ``k``-th stop ahead be on another lane of its road, if it is not too late for that."""
        with suppress(self._sumo.TraCIException), self._closures.ajar(stop.road, lane):
            self._sumo.vehicle.replaceStop(name, k, *self._order(stop, lane))

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
