"""Where responders are at home: fire and police stations, subdistrict and community offices, grids (F1, F4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from geo.city import City
from twin.domain.ids import unit_number
from twin.domain.incidents import (
    COMMUNITY,
    DISTRICT,
    GRID,
    SUBDISTRICT,
    Areas,
    ResponderRoster,
    RoadPlaces,
)
from twin.errors import ScenarioError
from twin.scenario.responders import Crews
from twin.world.responders.kinds import HOUR_S, KINDS

#: numbers of grid workers, and of each other kind: one crew more of a kind changes no other's number
FIRST_BLOCK, BLOCK = 50_000, 8_000

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Streets:
    """The roads responders drive on: middles of those open to cars and connected, and the lines of all roads."""

    road: Ints
    x_m: Floats
    y_m: Floats
    lines: npt.NDArray[np.object_]
    ok: Bools

    @classmethod
    def of(cls, city: City) -> Streets:
        """Return the streets of a city."""
        ok = city.roads["car"].to_numpy(bool) & city.roads["main"].to_numpy(bool)
        lines = city.roads.geometry.to_numpy()
        road = np.flatnonzero(ok).astype(np.int64)
        middle = shapely.line_interpolate_point(lines[road], 0.5, normalized=True)
        return cls(road, shapely.get_x(middle), shapely.get_y(middle), lines, ok)

    def nearest(self, x_m: float, y_m: float) -> int:
        """Return the road whose middle is nearest to a point; of two sides of a street the one of lower number."""
        near_m, _ = self._tree.query((x_m, y_m))
        rows = self._tree.query_ball_point((x_m, y_m), near_m + 1e-6)
        return int(self.road[min(rows)])

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(np.column_stack([self.x_m, self.y_m]))

    def pos_m(self, road: int, x_m: float, y_m: float) -> float:
        """Return how far along a road the point nearest to another is."""
        return float(shapely.line_locate_point(self.lines[road], shapely.Point(x_m, y_m)))

    def point(self, road: int, pos_m: float) -> tuple[float, float]:
        """Return where a position on a road is."""
        at = shapely.line_interpolate_point(self.lines[road], pos_m)
        return float(at.x), float(at.y)

    def message(self, t_s: int) -> RoadPlaces:
        """Return the middles as a message."""
        return RoadPlaces(t_s=t_s, key="incidents/roads", road=self.road, x_m=self.x_m, y_m=self.y_m)


def areas(city: City, t_s: int) -> Areas:
    """Return the hierarchy of a city: district, subdistricts, communities, grids, by their ids, and their middles."""
    subs, coms, grids = city.subdistricts, city.communities, city.grids
    sub_row = {name: 1 + i for i, name in enumerate(subs["subdistrict"])}
    com_row = {name: 1 + len(subs) + i for i, name in enumerate(coms["community"])}
    level = [DISTRICT] + [SUBDISTRICT] * len(subs) + [COMMUNITY] * len(coms) + [GRID] * len(grids)
    parent = [-1] + [0] * len(subs) + [sub_row.get(s, 0) for s in coms["subdistrict"]]
    parent += [com_row.get(c, 0) for c in grids["community"]]
    middles = np.concatenate([t.geometry.centroid.to_numpy() for t in (subs, coms, grids)])
    x_m, y_m = shapely.get_x(middles), shapely.get_y(middles)
    return Areas(
        t_s=t_s,
        key="incidents/areas",
        level=np.array(level, dtype=np.int64),
        name=(city.name, *subs["subdistrict"], *coms["community"], *grids["grid"]),
        parent=np.array(parent, dtype=np.int64),
        x_m=np.concatenate([[x_m.mean()], x_m]),
        y_m=np.concatenate([[y_m.mean()], y_m]),
    )


@dataclass
class _Base:
    area: str
    x_m: float
    y_m: float
    road: int = -1
    pos_m: float = 0.0


class Bases:
    """Finds the bases of each kind of responder in a city; one that has no station gets it in its subdistricts."""

    def __init__(self, city: City, streets: Streets, told: Areas) -> None:
        self._city, self._streets = city, streets
        self._middle = {
            (int(level), name): (float(x), float(y))
            for level, name, x, y in zip(told.level, told.name, told.x_m, told.y_m, strict=True)
        }
        self._of_community = dict(zip(city.communities["community"], city.communities["subdistrict"], strict=True))

    def of(self, base: str, level: int) -> list[_Base]:
        """Return the bases of a kind of place, or of an office of each area of a level."""
        if base == "grid":
            return [self._office(GRID, g) for g in self._city.grids["grid"]]
        if base == "community":
            centres = self._places("community_centre")
            return [centres[c][0] if c in centres else self._office(COMMUNITY, c) for c in self._of_community]
        by_subdistrict: dict[str, list[_Base]] = {}
        for community, found in self._places(base).items():
            by_subdistrict.setdefault(self._of_community.get(community, ""), []).extend(found)
        out = []
        if base in ("fire_station", "police_station") and any(by_subdistrict.values()):
            out = [b for name in sorted(by_subdistrict) for b in by_subdistrict[name]]
            for b in out:
                b.area = self._city.name if level == DISTRICT else self._subdistrict(b)
            return out
        for name in self._city.subdistricts["subdistrict"]:
            here = by_subdistrict.get(name) or [self._office(SUBDISTRICT, name)]
            for b in here:
                b.area = self._city.name if level == DISTRICT else name
            out += here
        return out

    def _subdistrict(self, b: _Base) -> str:
        names = list(self._city.subdistricts["subdistrict"])
        if b.area in names:
            return b.area
        far = [
            np.hypot(self._middle[SUBDISTRICT, n][0] - b.x_m, self._middle[SUBDISTRICT, n][1] - b.y_m) for n in names
        ]
        return self._of_community.get(b.area) or str(names[int(np.argmin(far))])

    def _places(self, kind: str) -> dict[str, list[_Base]]:
        """Return the places of a kind by community."""
        p = self._city.places
        out: dict[str, list[_Base]] = {}
        for row in p[p["kind"] == kind].itertuples():
            x, y = float(row.geometry.x), float(row.geometry.y)
            road = int(row.road)
            if road >= 0 and self._streets.ok[road]:
                b = _Base(row.community, x, y, road, float(row.pos_m))
            else:
                b = self._at(row.community, x, y)
            out.setdefault(row.community, []).append(b)
        return out

    def _office(self, level: int, name: str) -> _Base:
        return self._at(name, *self._middle[level, name])

    def _at(self, area: str, x_m: float, y_m: float) -> _Base:
        road = self._streets.nearest(x_m, y_m)
        return _Base(area, x_m, y_m, road, self._streets.pos_m(road, x_m, y_m))


def roster(city: City, streets: Streets, told: Areas, crews: Crews, t_s: int) -> ResponderRoster:
    """Return everybody who can be sent; a number belongs to kind, base and place in its crew."""
    bases = Bases(city, streets, told)
    counts = (
        crews.grid_workers, crews.community_staff, crews.urban_management, crews.police, crews.repair_crews,
        crews.rescue, crews.fire_engines,
    )  # fmt: skip
    rows: list[tuple[int, str, _Base, int, int]] = []
    for index, ((name, kind), count) in enumerate(zip(KINDS.items(), counts, strict=True)):
        found = bases.of(kind.base, kind.level)
        per_area = kind.base in ("service_point", "depot")  # so many a subdistrict, spread over its points
        groups: dict[str, list[_Base]] = {}
        for k, b in enumerate(found):
            groups.setdefault(b.area if per_area else str(k), []).append(b)
        first, block = (1, FIRST_BLOCK) if index == 0 else (1 + FIRST_BLOCK + (index - 1) * BLOCK, BLOCK)
        if count * len(groups) > block:
            raise ScenarioError(
                f"city_brain.responders.crews: {count} of kind {name} for each of {len(groups):,} areas are more than"
                f" {block:,}, which is the most there can be"
            )
        every = round(1 / kind.night) if kind.night > 0 else 0
        for k in range(count):
            for g, group in enumerate(groups.values()):
                b = group[k % len(group)]
                always = every > 0 and (k % every == 0 if count >= every else k == 0 and g % every == 0)
                until_s = kind.day[0] * HOUR_S + 24 * HOUR_S if always else kind.day[1] * HOUR_S
                rows.append((first + k * len(groups) + g, name, b, kind.day[0] * HOUR_S, until_s))
    rows.sort(key=lambda r: r[0])
    kinds = [KINDS[name] for _, name, *_ in rows]
    return ResponderRoster(
        t_s=t_s,
        key="incidents/roster",
        unit=np.array([unit_number("responder", n) for n, *_ in rows], dtype=np.int64),
        kind=tuple(name for _, name, *_ in rows),
        skills=tuple(k.skills for k in kinds),
        level=np.array([k.level for k in kinds], dtype=np.int64),
        area=tuple(b.area for _, _, b, *_ in rows),
        road=np.array([b.road for _, _, b, *_ in rows], dtype=np.int64),
        pos_m=np.array([b.pos_m for _, _, b, *_ in rows], dtype=np.float64),
        x_m=np.array([b.x_m for _, _, b, *_ in rows], dtype=np.float64),
        y_m=np.array([b.y_m for _, _, b, *_ in rows], dtype=np.float64),
        speed_m_s=np.array([k.speed_m_s for k in kinds], dtype=np.float64),
        emergency=np.array([k.emergency for k in kinds], dtype=np.int64),
        from_s=np.array([f for *_, f, _ in rows], dtype=np.int64),
        until_s=np.array([u for *_, u in rows], dtype=np.int64),
        turnout_s=np.array([k.turnout_s for k in kinds], dtype=np.int64),
    )
