"""How responders get there: as vehicles in traffic, each leg a vehicle of its own, or on foot and by bike.

Who drives enters where the unit stands and is gone when the leg ends; between legs a unit hinders nobody. With blue
light (``vehicle`` type emergency) it drives faster than the limit; where signals give way to it is the junctions'
affair: they know it by its type. Who goes on foot or by bike covers the right-angled distance at his speed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.network import Routes
from twin.clock import Phase
from twin.domain.ids import unit_vehicle
from twin.domain.incidents import ResponderRoster
from twin.world.ports import RunContext
from twin.world.responders.bases import Streets
from twin.world.traffic.ports import Flow, NewVehicles
from twin.world.traffic.types import type_index

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KERB_M_S = 3.0  # along one road, too short a way for a vehicle of its own (assumed)
SHORT_M = 15.0  # so little ahead, or anything behind on the same road


@dataclass(frozen=True)
class Leg:
    """A way that was begun: ``vehicle`` 0: none in traffic."""

    vehicle: int
    distance_m: float
    expected_s: float


class Movement:
    """Where every responder is; rows as in the roster. ``arrived(row, t_s)`` is called at the end of a leg."""

    def __init__(
        self, context: RunContext, roster: ResponderRoster, streets: Streets, arrived: Callable[[int, int], None]
    ) -> None:
        n = roster.unit.size
        self._c, self._streets, self._arrived = context, streets, arrived
        self._unit, self._speed_m_s = roster.unit, roster.speed_m_s
        self.road, self.pos_m = roster.road.copy(), roster.pos_m.copy()
        self.x_m, self.y_m = roster.x_m.copy(), roster.y_m.copy()
        self._vehicle: Ints = np.zeros(n, dtype=np.int64)
        self._legs: Ints = np.zeros(n, dtype=np.int64)  # legs so far: vehicles' numbers, and tokens of those on foot
        self._to: list[tuple[float, float, int, float] | None] = [None] * n
        self._walk: dict[int, tuple[float, float, int, int]] = {}  # row → from x, y, since, until
        self._row_of: dict[int, int] = {}
        self._came: list[tuple[int, int, int]] = []  # row, second, leg
        self._flush_s = -1
        self._types = (type_index("service"), type_index("emergency"))

    def moving(self, row: int) -> bool:
        """Return whether a responder is on a leg."""
        return self._to[row] is not None

    def go(
        self, row: int, x_m: float, y_m: float, now_s: int, blue: bool = False, slower: float = 1.0, road: int = -1
    ) -> Leg | None:
        """Send a responder to a point, by ``road`` if that is one; None: no way. A leg it is on ends where it is."""
        self.stop(row, now_s, "sent elsewhere")
        if not 0 <= road < self._streets.ok.size or not self._streets.ok[road]:
            road = self._streets.nearest(x_m, y_m)
        pos_m = self._streets.pos_m(road, x_m, y_m)
        self._legs[row] += 1
        if self._speed_m_s[row] > 0:
            metres = abs(float(self.x_m[row]) - x_m) + abs(float(self.y_m[row]) - y_m)
            expected_s = metres / float(self._speed_m_s[row])
            self._to[row] = (x_m, y_m, road, pos_m)
            self._on_foot(row, now_s, expected_s * slower)
            return Leg(0, metres, expected_s)
        return self._drive(row, x_m, y_m, road, pos_m, now_s, blue)

    def _on_foot(self, row: int, now_s: int, seconds: float) -> None:
        until_s = now_s + max(1, round(seconds))
        self._walk[row] = (float(self.x_m[row]), float(self.y_m[row]), now_s, until_s)
        token = int(self._legs[row])

        def there() -> None:
            if self._legs[row] == token and row in self._walk:
                del self._walk[row]
                self._put_there(row)
                self._arrived(row, until_s)

        self._c.clock.at(until_s, Phase.WORLD, there)

    def _drive(self, row: int, x_m: float, y_m: float, road: int, pos_m: float, now_s: int, blue: bool) -> Leg | None:
        start, from_m = int(self.road[row]), float(self.pos_m[row])
        if start == road and pos_m - from_m <= SHORT_M:
            seconds = abs(pos_m - from_m) / KERB_M_S
            self._to[row] = (x_m, y_m, road, pos_m)
            self._on_foot(row, now_s, seconds)
            return Leg(0, abs(pos_m - from_m), seconds)
        time_s, closed = self._c.time_s(), self._c.shut()
        if start == road:
            routes = Routes(np.array([road], np.int32), np.array([0, 1], np.int64), np.zeros(1))
        else:
            routes = self._c.network.routes([start], [road], time_s, closed)
        if not routes.found[0]:
            return None
        way = routes[0]
        length_m = self._c.network.length_m
        whole = float(length_m[way].sum())
        metres = whole - from_m - (float(length_m[road]) - pos_m)
        share = metres / max(whole, 1.0)
        vehicle = int(unit_vehicle(int(self._unit[row]), int(self._legs[row])))
        self._c.gate.add(
            NewVehicles(
                vehicle=np.array([vehicle], dtype=np.int64),
                type_index=np.array([self._types[int(blue)]], dtype=np.int64),
                depart_s=np.array([now_s], dtype=np.int64),
                routes=routes,
                depart_pos_m=np.array([from_m]),
                arrive_pos_m=np.array([pos_m]),
            )
        )
        self._vehicle[row], self._row_of[vehicle] = vehicle, row
        self._to[row] = (x_m, y_m, road, pos_m)
        return Leg(vehicle, metres, float(time_s[way].sum()) * share)

    def stop(self, row: int, now_s: int, reason: str) -> None:
        """End a leg where the responder is now."""
        if self._to[row] is None:
            return
        vehicle = int(self._vehicle[row])
        if vehicle:
            road, pos_m = self._c.traffic.where(np.array([vehicle], dtype=np.int64))
            self._c.gate.take_off(vehicle, now_s, reason)
            self._off(row)
            if road[0] >= 0 and self._streets.ok[int(road[0])]:
                self.road[row], self.pos_m[row] = int(road[0]), float(pos_m[0])
            self.x_m[row], self.y_m[row] = self._streets.point(int(self.road[row]), float(self.pos_m[row]))
        elif row in self._walk:
            from_x, from_y, since_s, until_s = self._walk.pop(row)
            to_x, to_y, _, _ = self._to[row] or (from_x, from_y, 0, 0.0)
            share = min(1.0, (now_s - since_s) / max(1, until_s - since_s))
            self.x_m[row], self.y_m[row] = from_x + share * (to_x - from_x), from_y + share * (to_y - from_y)
            road_here = self._streets.nearest(float(self.x_m[row]), float(self.y_m[row]))
            self.road[row] = road_here
            self.pos_m[row] = self._streets.pos_m(road_here, float(self.x_m[row]), float(self.y_m[row]))
        self._to[row] = None

    def _off(self, row: int) -> None:
        self._row_of.pop(int(self._vehicle[row]), None)
        self._vehicle[row] = 0

    def _put_there(self, row: int) -> None:
        to = self._to[row]
        assert to is not None
        self.x_m[row], self.y_m[row], self.road[row], self.pos_m[row] = to
        self._to[row] = None

    # -- what traffic tells ----------------------------------------------------------------------------------

    def took(self, flow: Flow) -> None:
        """Take note of vehicles that arrived; who they are hears of it in the next instant, which traffic is at."""
        if not self._row_of or not flow.arrived.size:
            return
        for vehicle, t_s in zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True):
            row = self._row_of.get(vehicle, -1)
            if row >= 0:
                self._off(row)
                self._put_there(row)
                self._came.append((row, t_s, int(self._legs[row])))
        next_s = self._c.clock.next_s()
        if self._came and next_s is not None and next_s != self._flush_s:
            self._flush_s = next_s
            self._c.clock.at(next_s, Phase.PERCEIVE, self._flush)

    def _flush(self) -> None:
        self._flush_s = -1
        came, self._came = self._came, []
        for row, t_s, leg in came:
            if leg == self._legs[row]:  # else sent on in this very instant
                self._arrived(row, t_s)

    def lost(self, vehicle: int) -> int:
        """Take note that traffic took a vehicle off the road; return whose it was, -1: nobody's here."""
        row = self._row_of.get(vehicle, -1)
        if row >= 0:  # it stands where it set out: nobody can say where it was last
            self._off(row)
            self._to[row] = None
        return row
