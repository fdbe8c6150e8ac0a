"""Building blocks: faces of the street net, pieces of villages, works along main roads.

Numbers of people and jobs are put into them by ``fill.py``.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.ops import polygonize

from geo.qibu.graph import Graph
from geo.qibu.land import Land
from geo.qibu.tables import CRS, Floats, rng
from geo.qibu.zones import ZONES, named_places, town_zone

# share of each kind of block by the use of its zone; what is missing to 1 is still open land
USES: dict[str, dict[str, float]] = {
    "centre": {
        "housing": 0.42,
        "mixed": 0.11,
        "commerce": 0.1,
        "office": 0.06,
        "public": 0.05,
        "school": 0.05,
        "industry": 0.02,
    },
    "cbd": {"office": 0.3, "commerce": 0.18, "mixed": 0.14, "housing": 0.14, "public": 0.06, "school": 0.03},
    "office": {"office": 0.42, "industry": 0.22, "housing": 0.08, "commerce": 0.06, "public": 0.03},
    "logistics": {"logistics": 0.52, "industry": 0.24, "housing": 0.03, "commerce": 0.03},
    "industry": {"industry": 0.66, "office": 0.1, "housing": 0.04, "commerce": 0.03, "logistics": 0.04},
    "town": {"housing": 0.5, "mixed": 0.2, "commerce": 0.12, "public": 0.06, "school": 0.06, "industry": 0.04},
}
# around these places of places.csv the land is built up, and for this
QUARTERS: dict[str, tuple[float, dict[str, float]]] = {
    "盖世物流园": (750.0, {"logistics": 1.0}),
    "崔寨第二物流园": (520.0, {"logistics": 0.85, "commerce": 0.15}),
    "中科新经济科创园": (800.0, {"office": 0.62, "industry": 0.28, "commerce": 0.1}),
    "国际标准招商产业园": (800.0, {"industry": 0.9, "office": 0.1}),
    "清宁社区": (480.0, {"housing": 0.9, "school": 0.06, "commerce": 0.04}),
    "鹊华社区": (480.0, {"housing": 0.9, "school": 0.06, "commerce": 0.04}),
    "政务服务大厅": (260.0, {"public": 0.8, "office": 0.2}),
    "都市阳台": (420.0, {"commerce": 0.6, "mixed": 0.25, "public": 0.15}),
}
_PIECE_M2 = {"centre": 26e3, "cbd": 24e3, "office": 40e3, "logistics": 62e3, "industry": 70e3, "town": 14e3}
_STOREYS = {
    "housing": (8, 26), "mixed": (6, 18), "commerce": (2, 7), "office": (6, 24), "public": (3, 8), "school": (4, 6),
    "industry": (1, 4), "logistics": (1, 3), "construction": (0, 1), "village": (1, 3), "farm": (1, 2),
}  # fmt: skip


def make_blocks(land: Land, graph: Graph) -> gpd.GeoDataFrame:
    """Return block, kind, storeys, setting, name, name_en, geometry; not yet anybody in them."""
    rows = [*_town_blocks(land, graph), *_village_blocks(land, graph)]
    rows += _roadside(land, graph, [r[0] for r in rows])
    wet = shapely.union_all(land.waters.geometry.to_numpy()).buffer(6.0)
    shapely.prepare(wet)
    kept = [r for r in rows if not wet.intersects(r[0])]
    storeys = []
    for k, (_, kind, setting) in enumerate(kept):
        low, high = (2, 7) if setting == "town" and kind in ("housing", "mixed") else _STOREYS[kind]
        storeys.append(int(rng("storeys", k).integers(low, high)))
    table = pd.DataFrame({"kind": [r[1] for r in kept], "setting": [r[2] for r in kept], "storeys": storeys})
    return gpd.GeoDataFrame(table, geometry=[r[0] for r in kept], crs=CRS)


def _town_blocks(land: Land, graph: Graph) -> list[tuple[Polygon, str, str]]:
    """Faces between streets, drawn back from them and cut into pieces."""
    lines = [LineString(k.xy) for k in graph.links if k.way.setting in ("new_town", "town", "arterial")]
    faces = sorted(polygonize(shapely.node(shapely.union_all(lines))), key=lambda f: f.bounds)
    zones: list[tuple[str, str, Polygon]] = [(z.use, "new_town", land.spine.area(z).buffer(60.0)) for z in ZONES]
    zones += [("town", "town", town_zone(s)) for s in ("sungeng", "taiping")]
    tree = shapely.STRtree(lines)
    hearts = land.spine.to_xy(np.array([4200.0, 9000.0, 13400.0]), np.array([100.0, -200.0, 250.0]))
    named = [p for p in named_places(land.spine) if p[1] in QUARTERS]
    quarters = [(Point(x, y), *QUARTERS[name]) for _, name, _, x, y in named]
    out = []
    for n, face in enumerate(faces):
        if not 6e3 < face.area < 1.1e6:
            continue
        middle = face.representative_point()
        use, setting = next(((u, s) for u, s, area in zones if area.contains(middle)), ("", ""))
        if not use:
            continue
        draw = rng("face", n)
        back = 16.0 if setting == "new_town" else 9.0
        inside = [lines[i] for i in sorted(tree.query(face.buffer(-3.0), predicate="intersects"))]  # blind streets
        core = face.buffer(-back, join_style="mitre").difference(shapely.union_all(inside).buffer(back))
        for part in shapely.get_parts(core):
            quarter = next((mix for at, reach, mix in quarters if at.distance(middle) < reach), None)
            mix = quarter or USES[use]
            built = 1.0 if quarter else _built_share(middle, use, hearts)
            pieces = _pieces(part, _PIECE_M2[use], 7.0 if setting == "new_town" else 4.0)
            main = _pick(mix, draw) if draw.random() < built else ""
            for piece in pieces:
                kind = main if draw.random() < 0.6 else _pick(mix, draw) if draw.random() < built else ""
                if kind and piece.area > 1500:
                    out.append((piece, kind, setting))
    return out


def _built_share(middle: Point, use: str, hearts: Floats) -> float:
    """Share of the land built up by now: full in the hearts of the new towns, thin at their edges."""
    if use in ("town", "logistics", "industry"):
        return 0.95
    away = float(np.hypot(*(hearts - [middle.x, middle.y]).T).min())
    return float(np.clip(1.4 - away / 3600.0, 0.5, 1.0))


def _pick(weights: dict[str, float], draw: np.random.Generator) -> str:
    """Draw a kind by its share, or nothing."""
    at = np.searchsorted(np.cumsum(list(weights.values())), draw.random())
    return list(weights)[at] if at < len(weights) else ""


def _pieces(shape: Any, target_m2: float, gap_m: float) -> list[Polygon]:
    """Halve a block across its long side until the pieces are about the target size, with alleys between."""
    if shape.is_empty or shape.geom_type != "Polygon":
        return [p for q in shapely.get_parts(shape) if q.geom_type == "Polygon" for p in _pieces(q, target_m2, gap_m)]
    if shape.area < target_m2 * 1.5:
        return [shape.simplify(1.0)] if shape.buffer(-12.0).area > 300 else []
    box = shapely.get_coordinates(shape.minimum_rotated_rectangle)
    if np.hypot(*(box[1] - box[0])) < np.hypot(*(box[2] - box[1])):
        box = np.roll(box[:-1], -1, axis=0)
        box = np.vstack([box, box[0]])
    a, b = (box[0] + box[1]) / 2, (box[3] + box[2]) / 2
    away = (b - a) * 0.2
    alley = LineString([a - away, b + away]).buffer(gap_m, cap_style="flat")
    return [p for q in shapely.get_parts(shape.difference(alley)) for p in _pieces(q, target_m2, gap_m)]


def _village_blocks(land: Land, graph: Graph) -> list[tuple[Polygon, str, str]]:
    """Uneven pieces of the built-up land around a village's lanes."""
    lanes: dict[int, list[LineString]] = {}
    for k in graph.links:
        if k.way.setting == "lane":
            lanes.setdefault(k.way.owner, []).append(LineString(k.xy))
    every = [LineString(k.xy) for k in graph.links]
    tree = shapely.STRtree(every)
    table = land.communities
    out = []
    for row in np.flatnonzero((table["kind"] == "village").to_numpy()):
        near = lanes.get(int(row), [])
        if not near:
            continue
        cell = table.geometry.iloc[row]
        hull = shapely.union_all([p.buffer(46.0) for p in near]).convex_hull.intersection(cell)
        streets = shapely.union_all([every[i].buffer(6.5) for i in sorted(tree.query(hull))])
        ground = hull.difference(streets)
        draw = rng("village", table["community"].iloc[row])
        n = int(np.clip(table["residents"].iloc[row] / 140.0, 3, 8))
        x0, y0, x1, y1 = hull.bounds
        seeds = np.column_stack([draw.uniform(x0, x1, n), draw.uniform(y0, y1, n)])
        parts = shapely.get_parts(shapely.voronoi_polygons(MultiPoint(seeds), extend_to=hull, ordered=True))
        for part in parts:
            pieces = shapely.get_parts(part.intersection(ground))
            solid = [p for p in pieces if p.geom_type == "Polygon" and p.buffer(-8.0).area > 900]
            out += [(p.simplify(1.5), "village", "village") for p in solid]
    return out


def _roadside(land: Land, graph: Graph, taken: list[Polygon]) -> list[tuple[Polygon, str, str]]:
    """Works, stores and greenhouses beside the main roads outside the towns."""
    tree = shapely.STRtree(taken)
    roads = [LineString(k.xy) for k in graph.links]
    road_tree = shapely.STRtree(roads)
    built: list[Polygon] = []
    out = []
    draw = rng("roadside")
    for link in graph.links:
        if link.way.setting != "arterial" or not 1 <= link.way.rank <= 3 or link.length_m < 260:
            continue
        for side in (-1.0, 1.0):
            chance, at = draw.random(), draw.uniform(0.3, 0.7)
            deep, wide = draw.uniform(110, 230), draw.uniform(130, 260)
            kind = ("industry", "logistics", "commerce", "farm")[int(np.searchsorted((0.52, 0.64, 0.8), draw.random()))]
            if chance > 0.3:
                continue
            box = _beside(link.xy, at, side, deep, wide)
            if not land.outline.buffer(-150.0).contains(box):
                continue
            near = shapely.STRtree(built).query(box.buffer(40.0)) if built else []
            if len(near) or len(tree.query(box.buffer(25.0), predicate="intersects")):
                continue
            if any(roads[i].distance(box) < 8.0 for i in road_tree.query(box.buffer(8.0))):
                continue
            built.append(box)
            out.append((box, kind, "roadside"))
    return out


def _beside(xy: Floats, at: float, side: float, deep_m: float, wide_m: float) -> Polygon:
    """Return a rectangle beside a road, 24 m back from its middle."""
    line = LineString(xy)
    d = at * line.length
    p = shapely.get_coordinates(line.interpolate(d))[0]
    a, b = (shapely.get_coordinates(line.interpolate(d + k))[0] for k in (-8.0, 8.0))
    t = (b - a) / np.hypot(*(b - a))
    n = np.array([-t[1], t[0]]) * side
    o = p + n * 24.0
    ring = [o - t * wide_m / 2, o + t * wide_m / 2, o + t * wide_m / 2 + n * deep_m, o - t * wide_m / 2 + n * deep_m]
    return Polygon(np.round(ring, 1))
