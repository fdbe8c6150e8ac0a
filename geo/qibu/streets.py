"""Streets as drawn: main roads from the table, bent superblocks in the new towns, streets of the old towns,
country roads between neighbouring villages, and lanes inside them.

Each setting has its own way of growing, which is what makes a village look unlike a new town: new towns are
lines of constant (s, t) at 350-500 m with gaps; villages are small skewed lattices of short lanes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from scipy.spatial import Delaunay, cKDTree
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from geo.qibu.land import Land
from geo.qibu.tables import Floats, anchors, metres, rng, roads_table, smooth
from geo.qibu.ways import Way, clear_of, cut_by
from geo.qibu.zones import ZONES, Spine, town_zone

_AVENUES_S = (3300.0, 6800.0, 11200.0, 16400.0)  # the main roads that cross Huanghe Avenue (arterials.json)


def draw_ways(land: Land) -> list[Way]:
    """Return every street of the district as drawn, in a fixed order."""
    main = arterials(land)
    taken = [w.line for w in main]
    lakes = land.still_water.buffer(25.0)
    new_town = cut_by(clear_of(new_town_streets(land.spine), taken, 90.0), lakes)
    taken += [w.line for w in new_town]
    towns = [w for s in ("sungeng", "taiping") for w in clear_of(town_streets(s), taken, 60.0)]
    taken += [w.line for w in towns]
    lanes, doors = village_lanes(land, taken)
    country = country_roads(land, main, new_town + towns, doors)
    country = cut_by(clear_of(country, taken, 70.0), lakes)
    return [*main, *new_town, *towns, *country, *lanes]


def arterials(land: Land) -> list[Way]:
    """The hand-set main roads and the levee road."""
    out = []
    for row in roads_table()["roads"]:
        if row["points"] == "spine":
            line = land.spine.line
        else:
            line = smooth(np.vstack([_point(p, land.spine) for p in row["points"]]), 80.0)
        out.append(Way(row["class"], line, "arterial", row["lanes"], row["km_h"], row["name"], row["name_en"]))
    levee = roads_table()["levee"]
    river = smooth(metres(anchors()["river"]), 120.0)
    bank = river.simplify(25.0).offset_curve(levee["offset_m"])  # left of the flow = the northern bank
    bank = max(shapely.get_parts(bank.intersection(land.outline.buffer(-60.0))), key=lambda p: p.length)
    bank = smooth(shapely.get_coordinates(shapely.segmentize(bank.simplify(40.0), 900.0)), 80.0)
    out.append(Way(levee["class"], bank, "arterial", levee["lanes"], levee["km_h"], levee["name"], levee["name_en"]))
    return out


def _point(p: Any, spine: Spine) -> Floats:
    if isinstance(p, dict):
        s, t = metres(p["st"])
        return spine.to_xy(np.array([s]), np.array([t]))
    return metres(p)[None, :]


# -- new towns -------------------------------------------------------------------------------------------


def _ruler(stops: tuple[float, ...], spacing: tuple[float, float], purpose: str) -> Floats:
    """Positions from the first to the last of ``stops``, all of them included, unevenly spaced between."""
    draw = rng("ruler", purpose)
    out = [stops[0]]
    for a, b in zip(stops[:-1], stops[1:], strict=True):
        n = max(round((b - a) / np.mean(spacing)), 1)
        step = draw.uniform(0.82, 1.18, n)
        out += list(a + np.cumsum(step) / step.sum() * (b - a))
    return np.asarray(out)


def new_town_streets(spine: Spine) -> list[Way]:
    """Streets along and across the avenue, in each zone, with cells left out so that blocks differ."""
    s_all = _ruler((900.0, *_AVENUES_S[:3], 16400.0, 16700.0), (350.0, 400.0), "s")
    t_all = np.unique(
        np.concatenate(
            [
                _ruler((-2100.0, 0.0), (340.0, 390.0), "t-"),
                _ruler((0.0, 1250.0, 2100.0, 2700.0, 3400.0, 5000.0), (350.0, 400.0), "t+"),
            ]
        )
    )
    out: list[Way] = []
    for zone in ZONES:
        draw = rng("new_town", zone.name)
        coarse = zone.use in ("logistics", "industry", "office")
        s = s_all[(s_all >= zone.s_m[0] - 1) & (s_all <= zone.s_m[1] + 1)]
        t = t_all[(t_all >= zone.t_m[0] - 1) & (t_all <= zone.t_m[1] + 1)]
        for lines, cross, along in ((s, t, False), (t, s, True)):
            for k, at in enumerate(lines):
                if (along and abs(at) < 1.0) or (not along and any(abs(at - a) < 1.0 for a in _AVENUES_S)):
                    continue  # the avenue and the main roads are in the table
                edge = k in (0, len(lines) - 1)
                big = k % 3 == 0 or (edge and not coarse)
                keep = (
                    np.ones(len(cross) - 1, bool)
                    if big or edge
                    else draw.random(len(cross) - 1) > (0.42 if coarse else 0.17)
                )
                for a, b in _runs(keep):
                    where = np.linspace(cross[a], cross[b], max(int((cross[b] - cross[a]) / 60.0), 2))
                    xy = (
                        spine.to_xy(where, np.full(where.size, at))
                        if along
                        else spine.to_xy(np.full(where.size, at), where)
                    )
                    road_class = "secondary" if big else "tertiary"
                    out.append(
                        Way(
                            road_class,
                            LineString(np.round(xy, 2)),
                            "new_town",
                            2 if big else 1,
                            50.0 if big else 40.0,
                            *_street_name(zone.name, k, along),
                        )
                    )
    return out


def _runs(keep: Any) -> list[tuple[int, int]]:
    """Stretches of kept cells as (first line, last line)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], keep.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


_NUMERAL = "零一二三四五六七八九十"
_ZONE_NAMES = {
    "daqiao": ("大桥", "Daqiao"),
    "balcony": ("黄河", "Huanghe"),
    "cuizhai": ("崔寨", "Cuizhai"),
    "zhongke": ("中科", "Zhongke"),
    "logistics": ("物流", "Logistics"),
    "standard": ("招商", "Investment"),
}


def _street_name(zone: str, k: int, along: bool) -> tuple[str, str]:
    cn, en = _ZONE_NAMES[zone]
    number = _NUMERAL[k] if k <= 10 else ("十" if k < 20 else "二十") + (_NUMERAL[k % 10] if k % 10 else "")
    return f"{cn}{number}{'街' if along else '路'}", f"{en} {'Street' if along else 'Road'} {k}"


# -- old towns -------------------------------------------------------------------------------------------


def town_streets(subdistrict: str) -> list[Way]:
    """Streets of an old town: an uneven, turned lattice inside the town's outline."""
    zone = town_zone(subdistrict)
    centre = metres(anchors()["centres"][subdistrict])
    draw = rng("town streets", subdistrict)
    turn = draw.uniform(-0.16, 0.16)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    cn, en = {"sungeng": ("孙耿", "Sungeng"), "taiping": ("太平", "Taiping")}[subdistrict]
    out = []
    for k, (axis, across) in enumerate(((axes[0], axes[1]), (axes[1], axes[0]))):
        offsets = np.concatenate([-np.cumsum(draw.uniform(170, 300, 4))[::-1], np.cumsum(draw.uniform(170, 300, 4))])
        for j, off in enumerate(offsets):
            at = np.linspace(-1300, 1300, 14)
            bend = draw.normal(0, 22.0, at.size)
            line = smooth(centre + at[:, None] * axis + (off + bend)[:, None] * across, 50.0)
            main = j in (2, 5)
            for part in shapely.get_parts(line.intersection(zone)):
                if part.length > 350:
                    out.append(
                        Way(
                            "tertiary" if main else "residential",
                            part,
                            "town",
                            1,
                            40.0 if main else 30.0,
                            f"{cn}{_NUMERAL[j + 1]}{'街路'[k]}",
                            f"{en} {('Street', 'Road')[k]} {j + 1}",
                        )
                    )
    return out


# -- villages and the country ----------------------------------------------------------------------------


def village_lanes(land: Land, taken: list[LineString]) -> tuple[list[Way], dict[int, Floats]]:
    """Lanes of every village, and its doors: the corners of its lattice where country roads arrive."""
    out: list[Way] = []
    doors: dict[int, Floats] = {}
    roads = shapely.STRtree(taken)
    table = land.communities
    for row in np.flatnonzero((table["kind"] == "village").to_numpy()):
        draw = rng("lanes", table["community"].iloc[row])
        size = int(table["residents"].iloc[row])
        name = (f"{table['name'].iloc[row]}巷", f"{table['name_en'].iloc[row]} Lane")
        nx, ny = (4, 3) if size > 900 else (3, 3) if size > 540 else (3, 2)
        if draw.random() < 0.3:
            nx, ny = ny, nx
        step = draw.uniform(85.0, 125.0, 2)
        turn = draw.normal(0.0, 0.16)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        at = land.sites[row].copy()
        gap = Point(at).distance(taken[roads.nearest(Point(at))])
        need = 0.5 * max(nx, ny) * step.max() + 60.0
        if gap < need:  # a village lies beside the main road, not on it
            near = shapely.get_coordinates(shapely.shortest_line(Point(at), taken[roads.nearest(Point(at))]))
            away = (near[0] - near[1]) / max(gap, 1.0) if gap > 1.0 else axes[1]
            at += away * (need - gap)
        u, v = np.meshgrid(np.arange(nx) - (nx - 1) / 2, np.arange(ny) - (ny - 1) / 2, indexing="ij")
        shear = draw.normal(0.0, 0.12)
        xy = at + (u * step[0] + v * step[1] * shear)[..., None] * axes[0] + (v * step[1])[..., None] * axes[1]
        xy += draw.normal(0.0, 13.0, xy.shape)
        drop = draw.random((nx, ny, 2)) < 0.2
        for i in range(nx):
            keep = ~drop[i, : ny - 1, 0] if 0 < i < nx - 1 else np.ones(ny - 1, bool)
            out += [_lane(xy[i, a : b + 1], "residential", 30.0, name) for a, b in _runs(keep)]
        for j in range(ny):
            keep = ~drop[: nx - 1, j, 1] if 0 < j < ny - 1 else np.ones(nx - 1, bool)
            out += [_lane(xy[a : b + 1, j], "living_street", 20.0, name) for a, b in _runs(keep)]
        doors[int(row)] = np.concatenate([xy[0], xy[-1], xy[1:-1, 0], xy[1:-1, -1]])
    wet = land.still_water.buffer(20.0)
    return cut_by(out, wet, 60.0), doors


def _lane(xy: Floats, road_class: str, km_h: float, name: tuple[str, str]) -> Way:
    return Way(road_class, LineString(np.round(xy, 2)), "lane", 1, km_h, *name)


def _neighbours(points: Floats) -> list[tuple[int, int]]:
    """Relative-neighbourhood graph, plus those Gabriel neighbours that save a long way round."""
    tri = Delaunay(points)
    pairs = np.unique(
        np.sort(np.vstack([tri.simplices[:, [a, b]] for a, b in ((0, 1), (1, 2), (0, 2))]), axis=1), axis=0
    )
    d = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    tree = cKDTree(points)
    out = []
    for (a, b), length in zip(pairs, d, strict=True):
        others = [c for c in tree.query_ball_point((points[a] + points[b]) / 2, 0.87 * length) if c not in (a, b)]
        far = [max(np.hypot(*(points[c] - points[a])), np.hypot(*(points[c] - points[b]))) for c in others]
        if not far or min(far) >= length * 0.98:
            out.append((int(a), int(b)))
    return out


def country_roads(land: Land, main: list[Way], streets: list[Way], doors: dict[int, Floats]) -> list[Way]:
    """Roads between neighbouring villages, and from villages to the main roads and the towns near them."""
    rows = sorted(doors)
    centre = np.vstack([doors[r].mean(axis=0) for r in rows])
    names = land.communities["name"].tolist()
    names_en = land.communities["name_en"].tolist()
    out: list[Way] = []
    surface = [w.line for w in main if not w.deck]
    tree = shapely.STRtree(surface)
    barrier = shapely.union_all([w.line for w in main if not w.deck and w.rank <= 2])
    shapely.prepare(barrier)
    for a, b in _neighbours(centre):
        pa, pb = _door(doors[rows[a]], centre[b]), _door(doors[rows[b]], centre[a])
        if np.hypot(*(pa - pb)) > 3800.0:
            continue
        link = LineString([pa, pb])
        if barrier.crosses(link) and link.length > 1500.0:
            continue  # both get their own way to the main road below
        a_name, b_name = names[rows[a]].removesuffix("村"), names[rows[b]].removesuffix("村")
        out.append(
            _country(
                pa, pb, f"{a_name}{b_name}路", f"{names_en[rows[a]].split()[0]}–{names_en[rows[b]].split()[0]} Road"
            )
        )
    targets = shapely.STRtree([w.line for w in streets])
    street_lines = [w.line for w in streets]
    for k, row in enumerate(rows):
        here = Point(centre[k])
        for forest, lines, reach in ((tree, surface, 1500.0), (targets, street_lines, 1500.0)):
            line = lines[forest.nearest(here)]
            gap = line.distance(here)
            if gap > reach:
                continue
            foot = shapely.get_coordinates(line.interpolate(line.project(here)))[0]
            crowd = np.hypot(*(centre - (centre[k] * 0.4 + foot * 0.6)).T)
            if np.argmin(crowd) != k:
                continue  # another village lies between
            name = names[row].removesuffix("村")
            out.append(_country(_door(doors[row], foot), foot, f"{name}路", f"{names_en[row].split()[0]} Road"))
    return out


def _door(doors: Floats, towards: Floats) -> Floats:
    return doors[np.argmin(np.hypot(*(doors - towards).T))]


def _country(a: Floats, b: Floats, name: str, name_en: str) -> Way:
    """A country road: bent at a field's edge or two, not straight."""
    draw = rng("country", name, *np.round(a), *np.round(b))
    length = float(np.hypot(*(b - a)))
    n = max(int(length / 450.0), 1)
    at = np.linspace(0.0, 1.0, n + 2)[:, None]
    across = np.array([-(b - a)[1], (b - a)[0]]) / max(length, 1.0)
    bend = np.concatenate([[0.0], draw.normal(0.0, 0.045, n) * length, [0.0]])
    line = smooth(a + at * (b - a) + bend[:, None] * across, 50.0) if length > 200 else LineString([a, b])
    return Way("tertiary", line, "rural", 1, 50.0, name, name_en)


def bounds_of(ways: list[Way]) -> BaseGeometry:
    """Everything within reach of a drawn street (for pictures and checks)."""
    return shapely.union_all([w.line for w in ways]).buffer(300.0)
