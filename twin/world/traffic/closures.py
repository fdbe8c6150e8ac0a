"""Closed roads, closed lanes and speed limits in SUMO, and the way back to what was before.

A road is closed by taking its permissions away. In micro those who are on it drive on; in meso they would be
stuck, for every segment asks for permission anew. So in meso a closed road stays open to a spare
vehicle class, and those on it belong to that class until they have left it.

One closed lane takes nothing from a road's capacity in meso, where all lanes are one queue. So there the road
is opened and shut by turns, open for the share of its lanes that are: a gate that lets through as many as they
could carry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from twin.world.traffic.ports import Floats
from twin.world.traffic.roads import Roads

#: a gate opened for a share of the time lets a larger share through, because vehicles close up before it; measured on
#: a street of two lanes: half the time 0.57 of the flow (1,632 of 3,294 vehicles an hour in micro)
GATE_EFFECT = 0.88
_SPARE_CLASSES = ("custom2", "custom1", "vip", "army", "authority")


class Closures:
    """Sets permissions and limits of SUMO's lanes; keeps their own ones to restore them exactly.

    ``v_classes``: the classes of all vehicle types in use.
    """

    def __init__(self, sumo: Any, roads: Roads, *, meso: bool, v_classes: Collection[str]) -> None:
        self._sumo, self._roads = sumo, roads
        self._spare = tuple(c for c in _SPARE_CLASSES if c not in v_classes) if meso else ()
        self._meso = meso
        self._leaving: dict[str, tuple[str, str]] = {}
        self._gates: dict[int, tuple[int, int]] = {}
        self._gate_shut: set[int] = set()
        self._roads_shut: set[int] = set()
        self._lanes_shut: set[tuple[int, int]] = set()
        self._permissions: dict[str, tuple[str, ...]] = {}
        self._speeds: dict[int, tuple[float, ...]] = {}
        self._limits: dict[int, float] = {}
        self._factor = 1.0

    def lanes(self, road: int) -> int:
        """Return the number of SUMO lanes of a road."""
        return int(self._sumo.edge.getLaneNumber(self._roads.edges[road]))

    def shut(self, road: int) -> bool:
        """Return whether no lane of the road may be entered."""
        if road in self._roads_shut or road in self._gate_shut:
            return True
        if not self._lanes_shut:
            return False
        return sum(r == road for r, _ in self._lanes_shut) >= self.lanes(road)

    @property
    def any_shut(self) -> bool:
        """True while some road or lane is closed."""
        return bool(self._roads_shut or self._lanes_shut)

    def close_road(self, road: int, closed: bool) -> None:
        """Close a road or open it; lanes closed one by one stay closed."""
        (self._roads_shut.add if closed else self._roads_shut.discard)(road)
        if closed and self._spare:
            self._let_leave(road)
        self._set_gate(road)
        self._permit_all(road)

    def close_lane(self, road: int, lane: int, closed: bool) -> None:
        """Close a lane or open it. ValueError for a lane that the road has not."""
        if not 0 <= lane < self.lanes(road):
            raise ValueError(f"road {road} has lanes 0..{self.lanes(road) - 1}, not {lane}")
        (self._lanes_shut.add if closed else self._lanes_shut.discard)((road, lane))
        self._set_gate(road)
        self._permit_all(road)

    def _set_gate(self, road: int) -> None:
        """Note of how many lanes how many are open on a road with closed lanes (meso)."""
        self._gate_shut.discard(road)
        self._gates.pop(road, None)
        lanes = self.lanes(road)
        shut = sum(r == road for r, _ in self._lanes_shut)
        if self._meso and road not in self._roads_shut and 0 < shut < lanes:
            self._gates[road] = (lanes - shut, lanes)

    def _permit_all(self, road: int) -> None:
        for lane in range(self.lanes(road)):
            self._permit(road, lane)

    def _own(self, name: str) -> tuple[str, ...]:
        """Return who may use a lane when nothing is closed."""
        own = self._permissions.get(name)
        if own is None:
            own = self._permissions[name] = tuple(self._sumo.lane.getAllowed(name))
        return own

    def open_lane(self, road: int, v_class: str) -> int:
        """Return the rightmost lane open to a class; -1: none is. A gate shut for this turn counts as open."""
        if road in self._roads_shut:
            return -1
        edge = self._roads.edges[road]
        for lane in range(self.lanes(road)):
            if (road, lane) not in self._lanes_shut and v_class in self._own(f"{edge}_{lane}"):
                return lane
        return -1

    def lane_open(self, road: int, lane: int) -> bool:
        """Return whether neither the lane nor its whole road is closed."""
        return road not in self._roads_shut and (road, lane) not in self._lanes_shut

    @contextmanager
    def ajar(self, road: int, lane: int) -> Iterator[None]:
        """Let SUMO take an open lane for open although its gate is shut for this turn (no time passes meanwhile)."""
        shut = road in self._gate_shut and self.lane_open(road, lane)
        if shut:
            name = f"{self._roads.edges[road]}_{lane}"
            self._sumo.lane.setAllowed(name, list(self._own(name)))
        try:
            yield
        finally:
            if shut:
                self._permit(road, lane)

    def _permit(self, road: int, lane: int) -> None:
        name = f"{self._roads.edges[road]}_{lane}"
        own = self._own(name)
        if road in self._gate_shut:
            self._sumo.lane.setDisallowed(name, ["all"])
        elif road in self._roads_shut or (road, lane) in self._lanes_shut or not own:
            spare = [c for c in self._spare if c in own]
            if spare:
                self._sumo.lane.setAllowed(name, spare)
            else:
                self._sumo.lane.setDisallowed(name, ["all"])
        else:
            self._sumo.lane.setAllowed(name, list(own))

    # -- those on a road that closes (meso) ----------------------------------------------------------

    @property
    def busy(self) -> bool:
        """True while :meth:`look` has to be called every second."""
        return bool(self._leaving or self._gates)

    def _let_leave(self, road: int) -> None:
        edge = self._roads.edges[road]
        for vehicle in self._sumo.edge.getLastStepVehicleIDs(edge):
            if vehicle in self._leaving:
                continue
            own = self._sumo.vehicle.getVehicleClass(vehicle)
            way = self._sumo.vehicle.getRoute(vehicle)
            at = self._sumo.vehicle.getRouteIndex(vehicle)
            spare = next((c for c in self._spare if all(self._may(c, own, e) for e in way[at : at + 2])), None)
            if spare is not None:
                self._sumo.vehicle.setVehicleClass(vehicle, spare)
                self._leaving[vehicle] = (edge, own)

    def _may(self, spare: str, own: str, edge: str) -> bool:
        """Tell whether the spare class may use every lane of an edge that the own class may use."""
        for lane in range(self._sumo.edge.getLaneNumber(edge)):
            allowed = self._permissions.get(f"{edge}_{lane}") or self._sumo.lane.getAllowed(f"{edge}_{lane}")
            if own in allowed and spare not in allowed:
                return False
        return True

    def look(self, now_s: int) -> list[int]:
        """Give vehicles that have left a closed road their own class back; open and shut gates and return them."""
        turned = []
        for road, (free, lanes) in self._gates.items():
            # in turns of two seconds, spread as evenly as they allow: longer openings let a platoon through, and
            # in shorter ones SUMO, which tries a blocked vehicle again after a second, misses too many
            turn = now_s // 2
            share = GATE_EFFECT * free / lanes
            shut = int(turn * share) == int((turn + 1) * share)
            if shut != (road in self._gate_shut):
                (self._gate_shut.add if shut else self._gate_shut.discard)(road)
                self._permit_all(road)
                turned.append(road)
        v = self._sumo.vehicle
        for vehicle, (edge, own) in list(self._leaving.items()):
            try:
                if v.getRoadID(vehicle) != edge:
                    v.setVehicleClass(vehicle, own)
                    del self._leaving[vehicle]
            except self._sumo.TraCIException:
                del self._leaving[vehicle]
        return turned

    def set_speed(self, road: int, speed_m_s: float | None) -> None:
        """Set a road's limit; None: its own."""
        if speed_m_s is None:
            self._limits.pop(road, None)
        else:
            self._limits[road] = float(speed_m_s)
        self._apply([road])

    def set_speeds(self, factor: float) -> None:
        """Scale the limits of all roads."""
        self._factor = float(factor)
        self._apply(range(len(self._roads)))

    def _own_speeds(self, road: int) -> tuple[float, ...]:
        own = self._speeds.get(road)
        if own is None:
            speed, edge = self._sumo.lane.getMaxSpeed, self._roads.edges[road]
            own = self._speeds[road] = tuple(speed(f"{edge}_{lane}") for lane in range(self.lanes(road)))
        return own

    def _apply(self, roads: Iterable[int]) -> None:
        set_edge, set_lane = self._sumo.edge.setMaxSpeed, self._sumo.lane.setMaxSpeed
        for road in roads:
            edge, own, limit = self._roads.edges[road], self._own_speeds(road), self._limits.get(road)
            set_edge(edge, (max(own) if limit is None else limit) * self._factor)
            if limit is None and len(set(own)) > 1:
                for lane, speed in enumerate(own):
                    set_lane(f"{edge}_{lane}", speed * self._factor)

    def free_s(self) -> Floats:
        """Free-flow time of every road under the present limits."""
        limit = self._roads.speed_m_s.copy()
        for road, speed in self._limits.items():
            limit[road] = speed
        return np.asarray(self._roads.length_m / np.maximum(limit * self._factor, 0.1))
