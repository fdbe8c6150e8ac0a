"""Who is on the road with a V2X radio, and where: the truth behind the messages.

Whether a vehicle has a radio, and whether its driver takes advice, are draws by the vehicle's own number without the
trip's: a resident's car is connected on every trip, and on every day; one that is connected at 20 % penetration is so
at 50 %, too. Adding connected vehicles changes nobody else's draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.domain.ids import FLEETS, VEHICLE_KINDS
from twin.world.junctions.channel import Draws
from twin.world.traffic.ports import Traffic
from twin.world.traffic.positions import RoadShapes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_KIND, _TRIP = 10**12, 10**3
#: kinds whose drivers are people who may take advice on speed; units of fleets and buses have their own orders
DRIVERS = tuple(VEHICLE_KINDS[k] for k in ("car", "through", "freight", "given"))
#: kinds that have a radio in any case where the scenario says so
EQUIPPED = tuple(VEHICLE_KINDS[k] for k in (*FLEETS, "bus", "responder") if k != "courier")


@dataclass(frozen=True)
class Snapshot:
    """Vehicles on the road at one moment: equal-length columns, in ascending order of number.

    ``fuel_mg_s``: SUMO's figure (nan: not asked); ``lane``: from the kerb (-1: not asked).
    ``x_m``, ``y_m``, ``heading_deg`` are nan for vehicles nobody asked the place of (``placed`` False).
    """

    vehicle: Ints
    connected: Bools
    road: Ints
    pos_m: Floats
    speed_m_s: Floats
    x_m: Floats
    y_m: Floats
    heading_deg: Floats
    length_m: Floats
    fuel_mg_s: Floats
    lane: Ints

    @property
    def placed(self) -> Bools:
        """Which vehicles have a place."""
        return np.isfinite(self.x_m)


class Stations:
    """See the module's text. ``live``: the simulator's interface; ``drawn``/``willing``: streams."""

    def __init__(
        self, live: Any, traffic: Traffic, shapes: RoadShapes, roads: dict[str, int], drawn: Draws, willing: Draws, *,
        penetration: float, fleets: bool, compliance: float, micro: bool,
    ) -> None:  # fmt: skip
        self._live, self._traffic, self._shapes, self._roads = live, traffic, shapes, roads
        self._drawn, self._willing = drawn, willing
        self._penetration, self._fleets, self._compliance, self._micro = penetration, fleets, compliance, micro
        self._known: dict[str, tuple[int, bool]] = {}
        self._last: dict[int, tuple[int, float, int]] = {}  # meso: road, position, second
        self.new: list[int] = []  # connected vehicles since they were last taken

    def connected(self, vehicle: Ints) -> Bools:
        """Return which vehicles have a radio."""
        kind = vehicle // _KIND
        private = np.isin(kind, DRIVERS) & (self._drawn.uniform(vehicle // _TRIP) < self._penetration)
        return np.asarray(private | (self._fleets & np.isin(kind, EQUIPPED)))

    def willing(self, vehicle: Ints) -> Bools:
        """Return which vehicles have a driver who takes advice."""
        takes = self._willing.uniform(vehicle // _TRIP) < self._compliance
        return np.asarray(takes & np.isin(vehicle // _KIND, DRIVERS))

    def take_new(self) -> Ints:
        """Return the connected vehicles that came since the last call."""
        new, self.new = self.new, []
        return np.array(sorted(new), dtype=np.int64)

    def _note(self, names: tuple[str, ...]) -> None:
        fresh = [n for n in names if n not in self._known]
        if fresh:
            numbers = np.array([int(n) for n in fresh], dtype=np.int64)
            for name, number, has in zip(fresh, numbers.tolist(), self.connected(numbers).tolist(), strict=True):
                self._known[name] = (number, has)
                if has:
                    self.new.append(number)
        if len(self._known) > 2 * len(names) + 1000:
            there = set(names)
            self._known = {n: v for n, v in self._known.items() if n in there}

    def look(self, now_s: int, *, everybody: bool, place_on: frozenset[int] = frozenset()) -> Snapshot:
        """Return where vehicles are: the connected ones or all; those on roads ``place_on`` get a place in any case."""
        names: tuple[str, ...] = self._live.vehicle.getIDList()
        self._note(names)
        known = self._known
        if not everybody and not place_on:
            names = tuple(n for n in names if known[n][1])
        pairs = sorted(known[n] for n in names)
        vehicle = np.array([p[0] for p in pairs], dtype=np.int64)
        has = np.array([p[1] for p in pairs], dtype=bool)
        if self._micro:
            return self._exactly(vehicle, has, everybody=everybody, place_on=place_on)
        return self._roughly(now_s, vehicle, has)

    def _exactly(self, vehicle: Ints, has: Bools, *, everybody: bool, place_on: frozenset[int]) -> Snapshot:
        v, roads = self._live.vehicle, self._roads
        n = vehicle.size
        road, keep = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=bool)
        out = np.full((7, n), np.nan)  # pos, speed, x, y, heading, length, fuel
        lane = np.full(n, -1, dtype=np.int64)
        for i, (number, connected) in enumerate(zip(vehicle.tolist(), has.tolist(), strict=True)):
            name = str(number)
            edge = v.getRoadID(name)
            if not edge:
                continue  # between two places (teleport), or parking
            at = roads.get(edge, -1)
            road[i] = at
            near = at in place_on
            if not (connected or near or everybody):
                continue
            keep[i] = True
            out[0, i], out[1, i] = v.getLanePosition(name), v.getSpeed(name)
            if connected or near:
                out[2, i], out[3, i] = v.getPosition(name)
                out[4, i], out[5, i] = v.getAngle(name), v.getLength(name)
            if everybody:
                out[6, i] = v.getFuelConsumption(name)
            if near:
                lane[i] = v.getLaneIndex(name)
        out = out[:, keep]
        pos, speed, x, y, heading, length, fuel = out
        return Snapshot(vehicle[keep], has[keep], road[keep], pos, speed, x, y, heading, length, fuel, lane[keep])

    def _roughly(self, now_s: int, vehicle: Ints, has: Bools) -> Snapshot:
        """In meso: places along roads, speed from the way since the last look where that was on the same road."""
        road, pos = self._traffic.where(vehicle)
        on = road >= 0
        vehicle, has, road, pos = vehicle[on], has[on], road[on], pos[on]
        speed = np.full(vehicle.size, 10.0)  # nothing better is known: 36 km/h, assumed
        last: dict[int, tuple[int, float, int]] = {}
        for i, (number, r, p) in enumerate(zip(vehicle.tolist(), road.tolist(), pos.tolist(), strict=True)):
            before = self._last.get(number)
            if before is not None and before[0] == r and now_s > before[2]:
                speed[i] = max(p - before[1], 0.0) / (now_s - before[2])
            last[number] = (r, p, now_s)
        self._last = last
        x, y = self._shapes.at(road, pos)
        x0, y0 = self._shapes.at(road, np.maximum(pos - 2.0, 0.0))
        x1, y1 = self._shapes.at(road, np.maximum(pos, 2.0))
        heading = np.rad2deg(np.arctan2(x1 - x0, y1 - y0)) % 360.0
        n = vehicle.size
        length, fuel = np.full(n, 5.0), np.full(n, np.nan)
        return Snapshot(vehicle, has, road, pos, speed, x, y, heading, length, fuel, np.full(n, -1, dtype=np.int64))
