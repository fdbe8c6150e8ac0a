"""Where hazards can occur and sensors can stand: lists of sites of a city, as columns.

Generated from the city's tables and from nothing random: the same city has the same sites in the same order, and the
number of a site in its list is the entity of its draws. A city without waters, towers … has empty lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from geo.city import City

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

SHORE_M = 300.0  # between two spots of a shore
COVER_M = 110.0  # between two manholes of a street (GB 50014: 40 to 120 m by pipe)
HIGH = 7  # storeys from which things are thrown, and lifts are certain to be there (GB 50096: lifts from 7)
DIPS = 400  # low spots of streets where rain collects (assumed: no heights in the schematic city)
FIRE_SPOTS = 1200  # places where rubbish, stores and woods burn (assumed)
SQUARES = 300
KERB_KINDS = ("bus_stop", "school", "kindergarten", "hospital", "shop", "market", "park", "service_hall", "landmark")
CROWD_KINDS = ("commerce", "public", "office", "school", "mixed")


@dataclass(frozen=True)
class Sites:
    """One list: equal-length columns; ``weight`` of how much can happen there; ``of``: row of what it was made from."""

    x_m: Floats
    y_m: Floats
    road: Ints
    place: Texts
    grid: Texts
    community: Texts
    weight: Floats
    of: Ints

    def __len__(self) -> int:
        """Return the number of sites."""
        return len(self.x_m)


class Places:
    """All lists of a city, by name."""

    def __init__(self, city: City) -> None:
        self._city = city
        b = city.blocks
        points = shapely.centroid(b.geometry.to_numpy())
        self._bx, self._by = shapely.get_x(points), shapely.get_y(points)
        self._residents = b["residents"].to_numpy(np.float64)
        self._jobs = b["jobs"].to_numpy(np.float64)
        self._kind = b["kind"].to_numpy(object)
        self._tree = cKDTree(np.column_stack([self._bx, self._by])) if len(b) else None
        self._grid = _texts(b["grid"].to_numpy(object))
        self._community = _texts(b["community"].to_numpy(object))
        self._lists = {
            "waters": self._waters(),
            "gauges": self._gauges(),
            "homes": self._blocks(self._residents + 0.5 * self._jobs, self._residents + self._jobs > 0),
            "towers": self._blocks(self._residents, (b["storeys"].to_numpy() >= HIGH) & (self._residents > 0)),
            "lanes": self._blocks(
                self._residents, np.isin(self._kind, ("housing", "mixed")) & (b["road"].to_numpy() >= 0)
            ),
            "bins": self._blocks(1.0 + self._residents / 300.0, self._residents + self._jobs > 0),
            "fields": self._blocks(np.ones(len(b)), np.isin(self._kind, ("village", "farm")), 200.0),
            "fire_points": self._fire_points(),
            "squares": self._squares(),
            "works": self._places(("construction_site",)),
            "kerbs": self._places(KERB_KINDS),
            "pavement": self._pavement(),
            "covers": self._covers(),
            "dips": self._dips(),
        }

    def __getitem__(self, name: str) -> Sites:
        """Return a list of sites; KeyError: there is none of this name."""
        return self._lists[name]

    def residents_near(self, x_m: Floats, y_m: Floats, radius_m: float) -> Floats:
        """Return how many residents live within a radius of each point."""
        if self._tree is None:
            return np.zeros(len(x_m))
        found = self._tree.query_ball_point(np.column_stack([x_m, y_m]), radius_m)
        return np.asarray([self._residents[f].sum() for f in found], dtype=np.float64)

    # -- making lists ----------------------------------------------------------------------------------------

    def _make(self, x: Floats, y: Floats, road: Ints, place: Texts, weight: Floats, of: Ints) -> Sites:
        """Complete columns: grid and community are those of the nearest block."""
        if self._tree is None or not len(x):
            none = np.full(len(x), "", dtype=object)
            grid, community = none, none
        else:
            near = self._tree.query(np.column_stack([x, y]))[1]
            grid, community = self._grid[near], self._community[near]
        return Sites(x, y, road.astype(np.int64), place, grid, community, weight, of.astype(np.int64))

    def _blocks(self, weight: Floats, mask: npt.NDArray[np.bool_], aside_m: float = 0.0) -> Sites:
        rows = np.flatnonzero(mask)
        b = self._city.blocks
        names = _texts(b["block"].to_numpy(object))[rows]
        return Sites(
            self._bx[rows] + aside_m, self._by[rows], b["road"].to_numpy(np.int64)[rows], names, self._grid[rows],
            self._community[rows], np.asarray(weight, dtype=np.float64)[rows], rows.astype(np.int64),
        )  # fmt: skip

    def _places(self, kinds: tuple[str, ...]) -> Sites:
        p = self._city.places
        rows = np.flatnonzero(p["kind"].isin(kinds).to_numpy())
        x, y = p.geometry.x.to_numpy()[rows], p.geometry.y.to_numpy()[rows]
        names = _texts(p["name"].to_numpy(object))[rows]
        return self._make(x, y, p["road"].to_numpy(np.int64)[rows], names, np.ones(len(rows)), rows)

    def _waters(self) -> Sites:
        """Spots along shores; people come where others live near."""
        xs: list[float] = []
        ys: list[float] = []
        names: list[str] = []
        of: list[int] = []
        for row, (shape, name) in enumerate(zip(self._city.waters.geometry, self._city.waters["name"], strict=True)):
            lines = shape.boundary if shape.geom_type.endswith("Polygon") else shape
            n = max(1, round(lines.length / SHORE_M))
            spots = shapely.line_interpolate_point(shapely.line_merge(lines), (np.arange(n) + 0.5) / n, normalized=True)
            at = np.atleast_1d(spots)
            if not all(shapely.get_type_id(p) == 0 and not p.is_empty for p in at):
                at = np.atleast_1d(shape.centroid)
            xs += [p.x for p in at]
            ys += [p.y for p in at]
            names += [str(name)] * len(at)
            of += [row] * len(at)
        x, y = np.asarray(xs), np.asarray(ys)
        if len(x):
            inside = self._inside(x, y)
            x, y = x[inside], y[inside]
            names = [n for n, i in zip(names, inside.tolist(), strict=True) if i]
            of = [o for o, i in zip(of, inside.tolist(), strict=True) if i]
        lives = self.residents_near(x, y, 1000.0)
        weight = 0.2 + lives / max(float(lives.mean()) if len(x) else 1.0, 1.0)
        return self._make(x, y, np.full(len(x), -1), _texts(names), weight, np.asarray(of, dtype=np.int64))

    def _inside(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Whether points lie in the district: a river's polygon can be longer than it is."""
        whole = shapely.union_all(self._city.subdistricts.geometry.to_numpy())
        if whole.is_empty:
            return np.ones(len(x), dtype=bool)
        near = shapely.buffer(whole, 200.0)
        shapely.prepare(near)
        return np.asarray(shapely.contains_xy(near, x, y), dtype=bool)

    def _gauges(self) -> Sites:
        """One gauge site for each water, at a point on it."""
        w = self._city.waters
        points = shapely.point_on_surface(w.geometry.to_numpy()) if len(w) else np.empty(0, dtype=object)
        x, y = shapely.get_x(points), shapely.get_y(points)
        rows = np.arange(len(w))
        return self._make(x, y, np.full(len(w), -1), _texts(w["name"].to_numpy(object)), np.ones(len(w)), rows)

    def _fire_points(self) -> Sites:
        """Where rubbish, stores and woods burn: the blocks with the most people and goods, spread over the district."""
        risk = {"village": 1.0, "industry": 2.0, "logistics": 2.0, "commerce": 1.5, "farm": 1.5, "construction": 1.5}
        weight = np.asarray([risk.get(k, 0.6) for k in self._kind.tolist()])
        rows = _spread(self._bx, self._by, weight, FIRE_SPOTS)
        mask = np.zeros(len(weight), dtype=bool)
        mask[rows] = True
        return self._blocks(weight, mask)

    def _squares(self) -> Sites:
        """Blocks that draw people: those with the most places of work, shops and pupils."""
        b = self._city.blocks
        pull = self._jobs + 20.0 * b["shops"].to_numpy(np.float64) + b["pupils"].to_numpy(np.float64)
        pull = np.where(np.isin(self._kind, CROWD_KINDS), pull, 0.0)
        best = np.argsort(-pull, kind="stable")[:SQUARES]
        mask = np.zeros(len(pull), dtype=bool)
        mask[best[pull[best] > 0]] = True
        return self._blocks(np.maximum(pull, 50.0), mask)

    def _roads(self) -> tuple[Ints, Floats]:
        roads = self._city.roads
        rows = np.flatnonzero(roads["car"].to_numpy(bool) & (roads["road_class"].to_numpy() != "motorway"))
        return rows.astype(np.int64), roads["length_m"].to_numpy(np.float64)[rows]

    def _on_roads(self, rows: Ints, share: Floats, weight: Floats) -> Sites:
        roads = self._city.roads
        lines = roads.geometry.to_numpy()[rows]
        points = shapely.line_interpolate_point(lines, share, normalized=True)
        names = _texts(roads["name"].to_numpy(object))[rows]
        return self._make(shapely.get_x(points), shapely.get_y(points), rows, names, weight, rows)

    def _pavement(self) -> Sites:
        rows, length = self._roads()
        return self._on_roads(rows, np.full(len(rows), 0.5), length / 1000.0)

    def _covers(self) -> Sites:
        rows, length = self._roads()
        setting = self._city.roads["setting"].to_numpy(object)[rows] if "setting" in self._city.roads else None
        town = np.ones(len(rows), dtype=bool) if setting is None else setting != "rural"
        rows, length = rows[town], length[town]
        n = np.maximum(np.floor(length / COVER_M).astype(np.int64), 1)
        road = np.repeat(rows, n)
        first = np.repeat(np.cumsum(n) - n, n)
        share = (np.arange(len(road)) - first + 0.5) / np.repeat(n, n)
        return self._on_roads(road, share, np.ones(len(road)))

    def _dips(self) -> Sites:
        rows, length = self._roads()
        best = np.argsort(-length, kind="stable")
        points = shapely.line_interpolate_point(self._city.roads.geometry.to_numpy()[rows[best]], 0.5, normalized=True)
        chosen = best[_spread(shapely.get_x(points), shapely.get_y(points), -np.arange(len(best)), DIPS)]
        chosen = np.sort(chosen)
        found = self._on_roads(rows[chosen], np.full(len(chosen), 0.5), np.ones(len(chosen)))
        names = _texts(f"{name}积水点{k + 1}" for k, name in enumerate(found.place.tolist()))
        return replace(found, place=names)


def _texts(values: Iterable[Any]) -> Texts:
    found = ["" if v is None or isinstance(v, float) else str(v) for v in values]
    out = np.empty(len(found), dtype=object)
    out[:] = found
    return out


def _spread(x: Floats, y: Floats, weight: Floats | Ints, n: int) -> Ints:
    """Return up to ``n`` rows, the heaviest first, no two nearer than a spacing that lets so many fit."""
    if not len(x):
        return np.empty(0, dtype=np.int64)
    area = max((x.max() - x.min()) * (y.max() - y.min()), 1.0)
    spacing = 0.5 * float(np.sqrt(area / n))
    order = np.argsort(-np.asarray(weight, dtype=np.float64), kind="stable")
    while True:
        taken: set[tuple[int, int]] = set()
        rows: list[int] = []
        cells = np.floor(np.column_stack([x, y])[order] / spacing).astype(np.int64)
        for row, cell in zip(order.tolist(), map(tuple, cells.tolist()), strict=True):
            if cell not in taken:
                taken.add(cell)
                rows.append(row)
                if len(rows) == n:
                    return np.asarray(rows, dtype=np.int64)
        if len(rows) >= min(n, len(x)) or spacing < 1.0:
            rest = [r for r in order.tolist() if r not in set(rows)][: n - len(rows)]
            return np.asarray(rows + rest, dtype=np.int64)
        spacing /= 1.5


def spread(sites: Sites, n: int) -> Ints:
    """Return rows of a list for ``n`` devices: spread over the heaviest sites; some twice where there are fewer."""
    if not len(sites) or n <= 0:
        return np.empty(0, dtype=np.int64)
    once = _spread(sites.x_m, sites.y_m, sites.weight, min(n, len(sites)))
    return np.resize(once, n) if len(once) < n else once
