"""Villages and the roads between them.

A village is a small, skewed lattice of short lanes beside the nearest main road. Country roads are chosen from
the short ways between neighbours, shortest first, and only where the way round would be much longer.
"""

from __future__ import annotations

import heapq
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import shapely
from scipy.spatial import Delaunay
from shapely.geometry import LineString, Point

from geo.qibu.land import Land
from geo.qibu.tables import Floats, rng, smooth
from geo.qibu.ways import Way, cut_by, runs

_STRETCH = 2.1  # a road is built when the way round is longer than this many times the direct one
_REACH_M = 3800.0
_TO_MAIN_M = 1700.0


def village_lanes(land: Land, taken: list[LineString]) -> tuple[list[Way], dict[int, Floats]]:
    """Return the lanes of every village, and its doors: lattice points on its edge where roads arrive."""
    out: list[Way] = []
    doors: dict[int, Floats] = {}
    roads = shapely.STRtree(taken)
    table = land.communities
    for row in np.flatnonzero((table["kind"] == "village").to_numpy()).tolist():
        draw = rng("lanes", table["community"].iloc[row])
        name = (f"{table['name'].iloc[row]}巷", f"{table['name_en'].iloc[row]} Lane")
        xy, drop = _lattice(land.sites[row], int(table["residents"].iloc[row]), taken, roads, draw)
        nx, ny = xy.shape[:2]
        for i in range(nx):
            keep = ~drop[i, : ny - 1, 0] if 0 < i < nx - 1 else np.ones(ny - 1, bool)
            out += [_lane(xy[i, a : b + 1], "residential", 30.0, name, row) for a, b in runs(keep)]
        for j in range(ny):
            keep = ~drop[: nx - 1, j, 1] if 0 < j < ny - 1 else np.ones(nx - 1, bool)
            out += [_lane(xy[a : b + 1, j], "living_street", 20.0, name, row) for a, b in runs(keep)]
        doors[row] = np.concatenate([xy[0], xy[-1], xy[1:-1, 0], xy[1:-1, -1]])
    return cut_by(out, land.still_water.buffer(20.0), 60.0), doors


def _lattice(
    site: Floats, residents: int, taken: list[LineString], roads: shapely.STRtree, draw: np.random.Generator
) -> tuple[Floats, Any]:
    """Corners of a village's lanes, shape (nx, ny, 2), and which lanes between them are left out."""
    nx, ny = (4, 3) if residents > 900 else (3, 3) if residents > 520 else (3, 2)
    if draw.random() < 0.3:
        nx, ny = ny, nx
    step = draw.uniform(88.0, 128.0, 2)
    turn = draw.normal(0.0, 0.16)  # houses of the plain look south
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    at = site.copy()
    need = 0.5 * max(nx, ny) * step.max() + 60.0
    for _ in range(6):  # a village lies beside the main roads, not on them
        road = taken[roads.nearest(Point(at))]
        gap = Point(at).distance(road)
        if gap >= need:
            break
        near = shapely.get_coordinates(shapely.shortest_line(Point(at), road))
        at += ((near[0] - near[1]) / gap if gap > 1.0 else axes[1]) * (need - gap + 15.0)
    u, v = np.meshgrid(np.arange(nx) - (nx - 1) / 2, np.arange(ny) - (ny - 1) / 2, indexing="ij")
    shear = draw.normal(0.0, 0.12)
    xy = at + (u * step[0] + v * step[1] * shear)[..., None] * axes[0] + (v * step[1])[..., None] * axes[1]
    xy += draw.normal(0.0, 12.0, xy.shape)
    return xy, draw.random((nx, ny, 2)) < 0.2


def _lane(xy: Floats, road_class: str, km_h: float, name: tuple[str, str], owner: int) -> Way:
    return Way(road_class, LineString(np.round(xy, 2)), "lane", 1, km_h, *name, owner=owner)


class _Proposal(NamedTuple):
    """A road that could be built between two spots, with the places at its ends."""

    length_m: float
    a: int
    b: int
    from_m: Floats
    to_m: Floats
    name: str
    name_en: str


def country_roads(land: Land, main: list[Way], streets: list[Way], doors: dict[int, Floats]) -> list[Way]:
    """Return roads between neighbouring villages, and from villages to main roads and towns near them."""
    rows = sorted(doors)
    centre = np.vstack([doors[r].mean(axis=0) for r in rows])
    spots: list[Floats] = list(centre)
    known: dict[int, list[tuple[int, float]]] = {}

    def connect(a: int, b: int, length_m: float) -> None:
        known.setdefault(a, []).append((b, length_m))
        known.setdefault(b, []).append((a, length_m))

    names = land.communities["name"].str.removesuffix("村").tolist()
    names_en = land.communities["name_en"].str.removesuffix(" Village").tolist()
    lines = [w.line for w in [*main, *streets] if not w.deck]
    proposals: list[_Proposal] = []
    feet: dict[int, list[tuple[float, int]]] = {}
    tree = shapely.STRtree(lines)
    for k, row in enumerate(rows):
        here = Point(centre[k])
        j = int(tree.nearest(here))
        if lines[j].distance(here) > _TO_MAIN_M:
            continue
        along = lines[j].project(here)
        foot = shapely.get_coordinates(lines[j].interpolate(along))[0]
        spot = len(spots)
        spots.append(foot)
        feet.setdefault(j, []).append((along, spot))
        door = _door(doors[row], foot)
        length = float(np.hypot(*(door - foot)))
        proposals.append(_Proposal(length, k, spot, door, foot, f"{names[row]}路", f"{names_en[row]} Road"))
    for on_line in feet.values():  # one may drive along the main road
        on_line.sort()
        for (d0, a), (d1, b) in pairwise(on_line):
            connect(a, b, d1 - d0)
    _link_feet(np.vstack(spots), len(rows), connect)
    for a, b in _pairs(centre):
        pa, pb = _door(doors[rows[a]], centre[b]), _door(doors[rows[b]], centre[a])
        length = float(np.hypot(*(pa - pb)))
        if length < _REACH_M:
            label = f"{names[rows[a]]}{names[rows[b]]}路", f"{names_en[rows[a]]}–{names_en[rows[b]]} Road"
            proposals.append(_Proposal(length, a, b, pa, pb, *label))
    out = []
    for p in sorted(proposals, key=lambda q: (q.length_m, q.a, q.b)):
        if _way_round(known, p.a, p.b, _STRETCH * p.length_m + 250.0):
            continue
        connect(p.a, p.b, p.length_m + 150.0)
        out.append(_country(p.from_m, p.to_m, p.name, p.name_en))
    return out


def _link_feet(spots: Floats, first: int, connect: Any) -> None:
    """Let spots on different main roads be neighbours over about the straight distance."""
    if len(spots) - first < 4:
        return
    for a, b in _pairs(spots[first:]):
        gap = float(np.hypot(*(spots[first + a] - spots[first + b])))
        if gap < 4500.0:
            connect(first + a, first + b, 1.45 * gap + 100.0)


def _pairs(points: Floats) -> list[tuple[int, int]]:
    """Neighbours in the Delaunay triangulation, each pair once, in order."""
    triangles = Delaunay(points).simplices
    both = np.vstack([triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (0, 2))])
    return [(int(a), int(b)) for a, b in np.unique(np.sort(both, axis=1), axis=0)]


def _way_round(known: dict[int, list[tuple[int, float]]], a: int, b: int, limit_m: float) -> bool:
    """Tell whether ``b`` can already be reached from ``a`` within ``limit_m``."""
    best = {a: 0.0}
    heap = [(0.0, a)]
    while heap:
        d, at = heapq.heappop(heap)
        if at == b:
            return True
        if d > best[at]:
            continue
        for other, length in known.get(at, ()):
            far = d + length
            if far <= limit_m and far < best.get(other, np.inf):
                best[other] = far
                heapq.heappush(heap, (far, other))
    return False


def _door(doors: Floats, towards: Floats) -> Floats:
    out: Floats = doors[np.argmin(np.hypot(*(doors - towards).T))]
    return out


def _country(a: Floats, b: Floats, name: str, name_en: str) -> Way:
    """Return a country road: bent at a field's edge or two, not straight."""
    draw = rng("country", name, *np.round(a), *np.round(b))
    length = float(np.hypot(*(b - a)))
    n = max(int(length / 450.0), 1)
    at = np.linspace(0.0, 1.0, n + 2)[:, None]
    across = np.array([-(b - a)[1], (b - a)[0]]) / max(length, 1.0)
    bend = np.concatenate([[0.0], draw.normal(0.0, 0.045, n) * length, [0.0]])
    line = smooth(a + at * (b - a) + bend[:, None] * across, 50.0) if length > 200 else LineString([a, b])
    return Way("tertiary", line, "rural", 1, 50.0, name, name_en)
