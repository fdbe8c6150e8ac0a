"""What is in the way near junctions of grade L3 and cannot always be seen: people who step out, cars that stand.

People step onto an approach from behind a van that stands at the kerb (the "ghost" 鬼探头 of C-V2X use cases): when and
where are draws by (junction, hour, number). They walk across at 1.4 m/s and are not part of SUMO, so nobody brakes for
them by himself; what is measured is who came to know of them in time. A vehicle that stands where nobody queues is a
hazard, too. Corners of buildings block sight: ``setback_m`` from the axes of two neighbouring approaches (assumed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.control.junctions.warnings import BlindSpots, HazardView, ahead, blocked, diagonals, needed_m_s2
from twin.domain.v2x import PERSON, STOPPED, Sights
from twin.events import HazardAppeared, HazardMet
from twin.log import Log
from twin.world.junctions.channel import Draws
from twin.world.junctions.exchange import entity_of
from twin.world.junctions.stations import Snapshot
from twin.world.traffic.positions import RoadShapes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WALK_M_S = 1.4
KERB_M = 4.0  # from the axis of the road to where they step out
VAN_M, VAN_GAP_M = 5.0, 1.0
LINGER_S = 2  # they stand at the kerb before they walk
NEAR_M, FAR_M = 20.0, 80.0  # before the stop line
SIGHT_M = 120.0  # how far a driver makes out a person or a standing car, assumed
CORNER_M = 40.0  # how far walls reach along the roads
STOOD_S = 10  # a vehicle that stands so long where nobody queues is in the way
QUEUE_SPACE_M, QUEUE_ROOM_M = 7.5, 30.0
TOO_LATE_M_S2 = 99.0
VAN_OF = 10**15


@dataclass(frozen=True)
class Person:
    """Somebody who crosses road ``road`` of a junction from ``x_m, y_m`` on, from second ``from_s``."""

    hazard: int
    junction: int
    road: int
    pos_m: float
    x_m: float
    y_m: float
    right_x: float
    right_y: float
    heading_deg: float
    from_s: int

    def at(self, now_s: int) -> tuple[float, float, float]:
        """Return place and speed at a second."""
        walked = WALK_M_S * max(now_s - self.from_s - LINGER_S, 0)
        return (
            self.x_m - walked * self.right_x,
            self.y_m - walked * self.right_y,
            WALK_M_S if now_s - self.from_s >= LINGER_S else 0.0,
        )

    @property
    def until_s(self) -> int:
        """When they are across."""
        return self.from_s + LINGER_S + int(2 * KERB_M / WALK_M_S) + 1


@dataclass(frozen=True)
class Objects:
    """What is in the way now, and the vans: columns for CPM and for sight."""

    hazard: Ints
    kind: Ints
    junction: Ints
    x_m: Floats
    y_m: Floats
    heading_deg: Floats
    speed_m_s: Floats
    van_x_m: Floats
    van_y_m: Floats
    van_heading_deg: Floats


class Hazards:
    """See the module's text. ``approach``: road → (row of its junction, length); ``names``: of all junctions."""

    def __init__(
        self, log: Log, shapes: RoadShapes, approach: dict[int, tuple[int, float]], names: tuple[str, ...],
        centre: tuple[Floats, Floats], draws: Draws, per_hour: float, setback_m: float,
    ) -> None:  # fmt: skip
        self._log, self._shapes, self._approach, self._draws, self._per_hour = log, shapes, approach, draws, per_hour
        self._roads: dict[int, list[int]] = {}
        for road, (junction, length) in sorted(approach.items()):
            if length > NEAR_M + 10.0:
                self._roads.setdefault(junction, []).append(road)
        self._entity = {j: entity_of(names[j]) for j in self._roads}
        self._people: list[Person] = []
        self._hour = -1
        self._coming: list[Person] = []
        self._headed: dict[int, int] = {}  # vehicle that stands with a free road ahead → since when
        self._in_way: dict[int, int] = {}  # vehicle that stands in the way → junction
        self._met: set[tuple[int, int]] = set()
        self.walls = self._corners(centre, setback_m)

    def _corners(self, centre: tuple[Floats, Floats], setback_m: float) -> Sights:
        """Return walls between neighbouring approaches."""
        ends: list[list[float]] = []
        for junction, roads in sorted(self._roads.items()):
            at = np.array([centre[0][junction], centre[1][junction]])
            rows = np.array(roads, dtype=np.int64)
            far = np.array([max(self._approach[r][1] - 40.0, 0.0) for r in roads])
            x, y = self._shapes.at(rows, far)
            out = np.stack([x - at[0], y - at[1]], axis=1)
            out /= np.maximum(np.hypot(out[:, 0], out[:, 1]), 1e-9)[:, None]
            turn = np.arctan2(out[:, 1], out[:, 0])
            order = np.argsort(turn)
            for i, k in zip(order.tolist(), np.roll(order, -1).tolist(), strict=True):
                angle = (turn[k] - turn[i]) % (2 * np.pi)
                if not np.pi / 6 < angle < np.pi * 5 / 6:
                    continue
                corner = at + setback_m * (out[i] + out[k]) / np.sin(angle)
                ends += [[*corner, *(corner + CORNER_M * way)] for way in (out[i], out[k])]
        table = np.array(ends, dtype=np.float64).reshape(-1, 4)
        return Sights(0, "rsu/sights", table[:, 0], table[:, 1], table[:, 2], table[:, 3])

    # -- people ----------------------------------------------------------------------------------------

    def _plan(self, hour: int) -> list[Person]:
        out = []
        for junction, roads in sorted(self._roads.items()):
            entity = self._entity[junction]
            draw = self._draws.uniform
            whole = int(self._per_hour)
            n = whole + int(draw(np.array([entity]), hour * 4096)[0] < self._per_hour - whole)
            for k in range(n):
                u = draw(np.full(3, entity), hour * 4096 + 4 * k + np.array([1, 2, 3]))
                road = roads[int(u[0] * len(roads))]
                length = self._approach[road][1]
                back = NEAR_M + u[1] * (min(FAR_M, length - 5.0) - NEAR_M)
                out.append(self._person(junction, road, length - back, int(hour * 3600 + u[2] * 3600), hour, k))
        return sorted(out, key=lambda p: (p.from_s, p.hazard))

    def _person(self, junction: int, road: int, pos_m: float, from_s: int, hour: int, k: int) -> Person:
        row = np.array([road, road], dtype=np.int64)
        x, y = self._shapes.at(row, np.array([max(pos_m - 1.0, 0.0), pos_m + 1.0]))
        ux, uy = x[1] - x[0], y[1] - y[0]
        size = max(float(np.hypot(ux, uy)), 1e-9)
        right = (uy / size, -ux / size)
        hazard = -(self._entity[junction] % 10**9 * 10**7 + hour * 1000 + k + 1)
        heading = float(np.rad2deg(np.arctan2(-right[0], -right[1])) % 360.0)
        middle = ((x[0] + x[1]) / 2, (y[0] + y[1]) / 2)
        return Person(
            hazard, junction, road, pos_m, middle[0] + KERB_M * right[0], middle[1] + KERB_M * right[1], *right,
            heading, from_s,
        )  # fmt: skip

    def look(self, now_s: int, seen: Snapshot) -> Objects:
        """Bring people and standing cars to this second; return what is in the way."""
        if now_s // 3600 != self._hour:
            self._hour = now_s // 3600
            self._coming = [p for p in self._plan(self._hour) if p.from_s >= now_s]
        while self._coming and self._coming[0].from_s <= now_s:
            p = self._coming.pop(0)
            self._people.append(p)
            self._log.add(HazardAppeared, t_s=now_s, hazard=p.hazard, what="person", road=p.road, pos_m=p.pos_m)
        self._people = [p for p in self._people if p.until_s > now_s]
        cars = self._standing(now_s, seen)
        places = [p.at(now_s) for p in self._people]
        rows = np.searchsorted(seen.vehicle, np.array(sorted(cars), dtype=np.int64))
        people = len(self._people)
        van = [(p.heading_deg + 90.0) % 360.0 for p in self._people]
        ahead_of = [self._van(p) for p in self._people]
        return Objects(
            hazard=np.concatenate([[p.hazard for p in self._people], seen.vehicle[rows]]).astype(np.int64),
            kind=np.array([PERSON] * people + [STOPPED] * rows.size, dtype=np.int64),
            junction=np.array(
                [p.junction for p in self._people] + [cars[v] for v in seen.vehicle[rows].tolist()], dtype=np.int64
            ),
            x_m=np.concatenate([[q[0] for q in places], seen.x_m[rows]]),
            y_m=np.concatenate([[q[1] for q in places], seen.y_m[rows]]),
            heading_deg=np.concatenate([[p.heading_deg for p in self._people], seen.heading_deg[rows]]),
            speed_m_s=np.concatenate([[q[2] for q in places], np.zeros(rows.size)]),
            van_x_m=np.array([a[0] for a in ahead_of], dtype=np.float64),
            van_y_m=np.array([a[1] for a in ahead_of], dtype=np.float64),
            van_heading_deg=np.array(van, dtype=np.float64),
        )

    @staticmethod
    def _van(p: Person) -> tuple[float, float]:
        """Return the front of the van behind which somebody steps out: just before them, along the road."""
        along = (-p.right_y, p.right_x)  # the road's direction: right turned to the left
        return p.x_m - VAN_GAP_M * along[0], p.y_m - VAN_GAP_M * along[1]

    def _standing(self, now_s: int, seen: Snapshot) -> dict[int, int]:
        """Return vehicles that stand in the way on approaches → junction: nobody queues before them up to the line."""
        stands = seen.placed & (seen.speed_m_s < 0.1)
        by_road: dict[int, list[int]] = {}
        for i in np.flatnonzero(stands).tolist():
            if int(seen.road[i]) in self._approach:
                by_road.setdefault(int(seen.road[i]), []).append(i)
        heads: dict[int, int] = {}
        for road, members in by_road.items():
            members.sort(key=lambda i: -seen.pos_m[i])
            for rank, i in enumerate(members):
                if self._approach[road][1] - seen.pos_m[i] > rank * QUEUE_SPACE_M + QUEUE_ROOM_M:
                    heads[int(seen.vehicle[i])] = self._approach[road][0]
                    break  # those behind it queue for it
        # a queue that dissolves has another head every second or two
        self._headed = {v: self._headed.get(v, now_s) for v in heads}
        out = {v: j for v, j in heads.items() if now_s - self._headed[v] >= STOOD_S}
        for vehicle in out.keys() - self._in_way.keys():
            i = int(np.searchsorted(seen.vehicle, vehicle))
            self._log.add(
                HazardAppeared, t_s=now_s, hazard=vehicle, what="stopped_vehicle", road=int(seen.road[i]),
                pos_m=float(seen.pos_m[i]),
            )  # fmt: skip
        self._in_way = out
        return out

    # -- who knows of them -------------------------------------------------------------------------------

    def warned(self, now_s: int, hazard: Ints, vehicle: Ints, needs_m_s2: Floats) -> None:
        """Note that vehicles heard a warning; those that knew already hear nothing new."""
        for h, v, needs in zip(hazard.tolist(), vehicle.tolist(), needs_m_s2.tolist(), strict=True):
            self._know(now_s, h, v, needs, warned=True)

    def met(self, now_s: int, seen: Snapshot, objects: Objects) -> None:
        """Let drivers see what is in their way and not hidden (any vehicle, connected or not)."""
        if objects.hazard.size == 0:
            return
        rows = np.flatnonzero(seen.placed)
        view = self.view(seen, rows, objects)
        along, left = ahead(view)
        sees = BlindSpots(reach_m=SIGHT_M).in_way(view, along, left)
        vehicle, thing = np.nonzero(sees)
        clear = ~blocked(view, vehicle.astype(np.int64), thing.astype(np.int64))
        vehicle, thing = vehicle[clear], thing[clear]
        needs = needed_m_s2(view.speed_m_s[vehicle], along[vehicle, thing])
        for i, k, need in zip(vehicle.tolist(), thing.tolist(), needs.tolist(), strict=True):
            self._know(now_s, int(objects.hazard[k]), int(seen.vehicle[rows[i]]), need, warned=False)

    def _know(self, now_s: int, hazard: int, vehicle: int, needs: float, *, warned: bool) -> None:
        if hazard == vehicle or (hazard, vehicle) in self._met:
            return
        self._met.add((hazard, vehicle))
        needs = min(needs, TOO_LATE_M_S2)
        self._log.add(HazardMet, t_s=now_s, hazard=hazard, vehicle=vehicle, warned=warned, needs_m_s2=round(needs, 3))

    def view(self, seen: Snapshot, rows: Ints, o: Objects) -> HazardView:
        """Return truth as warnings see it: who, what, and what stands between."""
        one, other = diagonals(seen.x_m[rows], seen.y_m[rows], seen.heading_deg[rows], seen.length_m[rows])
        van_one, van_other = diagonals(o.van_x_m, o.van_y_m, o.van_heading_deg, np.full(o.van_x_m.size, VAN_M))
        w = self.walls
        wall_one, wall_other = np.stack([w.x1_m, w.y1_m], axis=1), np.stack([w.x2_m, w.y2_m], axis=1)
        own = np.tile(np.arange(rows.size), 2)
        row_of = {int(h): i for i, h in enumerate(o.hazard.tolist())}
        own_thing = np.tile(np.array([row_of.get(int(v), -1) for v in seen.vehicle[rows].tolist()], dtype=np.int64), 2)
        fixed = np.full(van_one.shape[0] + wall_one.shape[0], -1, dtype=np.int64)
        return HazardView(
            seen.x_m[rows], seen.y_m[rows], seen.heading_deg[rows], seen.speed_m_s[rows], o.x_m, o.y_m,
            o.heading_deg, o.speed_m_s, o.kind, np.concatenate([one, van_one, wall_one]),
            np.concatenate([other, van_other, wall_other]), np.concatenate([own, fixed]),
            np.concatenate([own_thing, fixed]),
        )  # fmt: skip
