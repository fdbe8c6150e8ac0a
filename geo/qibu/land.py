"""The land: outline, subdistricts, waters, the sites of the 304 communities, their areas and grids.

Sites are spread by Lloyd relaxation (villages of the plain lie about 1.5 km apart), closer in the new towns;
a community is the Voronoi cell of its site within its subdistrict, a grid is a part of a community.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import polygonize

from geo.qibu.kinship import settle
from geo.qibu.tables import CRS, Floats, anchors, metres, read_csv, rng, shares, smooth
from geo.qibu.zones import Spine, town_zone

SUBDISTRICTS = ("daqiao", "cuizhai", "sungeng", "taiping")
_GRIDS_PER = {"new_town": 6, "town": 5, "village": 3}


@dataclass(frozen=True)
class Land:
    """The ground on which streets and blocks are laid (metres, UTM 50N)."""

    outline: Polygon
    subdistrict: dict[str, Polygon]
    spine: Spine
    river: Polygon
    waters: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    sites: Floats
    grids: gpd.GeoDataFrame

    @cached_property
    def still_water(self) -> BaseGeometry:
        """River, lakes and reservoirs in one shape: nothing is built there and small roads go around."""
        w = self.waters
        return shapely.union_all(w.geometry[w["kind"].isin(["reservoir", "lake"]) | (w["name"] == "黄河")].to_numpy())

    def subdistrict_of(self, x_m: Floats, y_m: Floats) -> list[str]:
        """Id of the subdistrict of each point; the nearest one for points outside (bridges)."""
        shapes = gpd.GeoSeries([self.subdistrict[s] for s in SUBDISTRICTS])
        tree = shapely.STRtree(shapes.to_numpy())
        return [SUBDISTRICTS[i] for i in tree.nearest(shapely.points(x_m, y_m))]

    def community_of(self, x_m: Floats, y_m: Floats) -> list[str]:
        """Id of the community of each point; the nearest one for points outside."""
        tree = shapely.STRtree(self.communities.geometry.to_numpy())
        ids = self.communities["community"].tolist()
        return [ids[i] for i in tree.nearest(shapely.points(x_m, y_m))]


def make_land() -> Land:
    """Lay out the land; the same on every call."""
    spine = Spine.from_anchors()
    river_line = smooth(metres(anchors()["river"]), 120.0)
    outline = _outline(river_line)
    parts = _subdistricts(outline)
    river = _ribbon(river_line, anchors()["river_width_m"], "river", 0.18)
    sites, table = _sites(parts, spine, river)
    cells = _cells(sites, table, parts)
    communities = gpd.GeoDataFrame(table, geometry=cells, crs=CRS)
    waters = _waters(outline, river, sites)
    return Land(outline, parts, spine, river, waters, communities, sites, _grids(communities))


# -- outline and subdistricts ----------------------------------------------------------------------------


def _outline(river_line: LineString) -> Polygon:
    """Return the outline: the river's middle in the south; the rest is hand-set, made a little uneven."""
    north = metres(anchors()["outline_north"])
    a, b = river_line.project(Point(north[-1])), river_line.project(Point(north[0]))
    south = shapely.get_coordinates(shapely.ops.substring(river_line, min(a, b), max(a, b)))
    draw = rng("outline")
    line = shapely.segmentize(LineString(north), 700.0)
    xy = shapely.get_coordinates(line)
    xy[1:-1] += draw.normal(0.0, 130.0, (len(xy) - 2, 2))
    return Polygon(np.vstack([south, xy])).buffer(0)


def _subdistricts(outline: Polygon) -> dict[str, Polygon]:
    knives = [smooth(metres(points), 200.0) for points in anchors()["divide"].values()]
    lines = shapely.union_all([outline.boundary, *knives])
    pieces = [p for p in polygonize(lines) if outline.contains(p.representative_point())]
    out: dict[str, Polygon] = {}
    for row in anchors()["subdistricts"]:
        inside = Point(metres(row["inside"]))
        out[row["subdistrict"]] = next(p for p in pieces if p.contains(inside))
    rest = [p for p in pieces if not any(p.equals(q) for q in out.values())]
    for piece in rest:  # slivers where the knives do not quite meet
        nearest = max(out, key=lambda s: out[s].boundary.intersection(piece.boundary.buffer(1.0)).length)
        out[nearest] = shapely.union_all([out[nearest], piece])
    return out


# -- communities -----------------------------------------------------------------------------------------


def _spread(area: BaseGeometry, n: int, purpose: str) -> Floats:
    """``n`` points spread over ``area``: k-means on a lattice, then shaken by a sixth of their distance."""
    draw = rng("sites", purpose)
    x0, y0, x1, y1 = area.bounds
    step = max(np.sqrt(area.area / n) / 12.0, 30.0)
    gx, gy = np.meshgrid(np.arange(x0, x1, step), np.arange(y0, y1, step))
    lattice = np.column_stack([gx.ravel(), gy.ravel()])
    lattice = lattice[shapely.contains_xy(area, lattice)]
    centre = lattice[draw.choice(len(lattice), n, replace=False)]
    for _ in range(14):
        owner = cKDTree(centre).query(lattice)[1]
        count = np.maximum(np.bincount(owner, minlength=n), 1)
        centre = np.column_stack([np.bincount(owner, lattice[:, k], n) / count for k in (0, 1)])
    shaken = centre + draw.normal(0.0, np.sqrt(area.area / n) / 7.0, (n, 2))
    out: Floats = np.where(shapely.contains_xy(area, shaken)[:, None], shaken, centre)
    outside = ~shapely.contains_xy(area, out)
    out[outside] = lattice[cKDTree(lattice).query(out[outside])[1]]
    return out


def _sites(parts: dict[str, Polygon], spine: Spine, river: Polygon) -> tuple[Floats, pd.DataFrame]:
    """Choose a site for every community: new towns along the spine, towns at their centre, villages beyond."""
    table = read_csv("communities.csv")
    table.insert(0, "community", "")
    xy = np.zeros((len(table), 2))
    canals = [_canal_line(c).buffer(c["width_m"] / 2 + 190.0) for c in anchors()["canals"]]
    still = shapely.union_all([river.buffer(450.0), *[w.buffer(250.0) for w in _still_waters()], *canals])
    town = spine.new_town()
    for s in SUBDISTRICTS:
        zones = {"new_town": town, "town": town_zone(s).buffer(250.0)}
        dense = zones["new_town"] if s in ("daqiao", "cuizhai") else zones["town"]
        for kind in ("new_town", "town", "village"):
            rows = np.flatnonzero(((table["subdistrict"] == s) & (table["kind"] == kind)).to_numpy())
            if rows.size == 0:
                continue
            area = parts[s].buffer(-350.0)
            area = area.difference(dense.buffer(450.0)) if kind == "village" else area.intersection(zones[kind])
            points = _spread(area.difference(still), len(rows), f"{s}/{kind}")
            points = points[_walk(points)]
            xy[rows] = points[settle(table["name"].iloc[rows].tolist(), points)]
        mine = np.flatnonzero((table["subdistrict"] == s).to_numpy())
        table.loc[mine, "community"] = [f"{s}-{k + 1:02d}" for k in range(len(mine))]
    table["residents"] = 0
    for row in anchors()["subdistricts"]:
        mine = (table["subdistrict"] == row["subdistrict"]).to_numpy()
        table.loc[mine, "residents"] = shares(table.loc[mine, "weight"].to_numpy(), row["residents"])
    table["site_x_m"], table["site_y_m"] = np.round(xy[:, 0], 1), np.round(xy[:, 1], 1)
    return xy, table.drop(columns="weight")


def _walk(points: Floats) -> Any:
    """Order of a short walk through all points (strips, to and fro), so that table neighbours are neighbours."""
    strip = np.floor((points[:, 1] - points[:, 1].min()) / 2600.0).astype(int)
    x = np.where(strip % 2 == 0, points[:, 0], -points[:, 0])
    return np.lexsort((x, strip))


def _cells(sites: Floats, table: pd.DataFrame, parts: dict[str, Polygon]) -> list[Polygon]:
    cells: list[Any] = [None] * len(sites)
    for s in SUBDISTRICTS:
        rows = np.flatnonzero((table["subdistrict"] == s).to_numpy())
        for row, cell in zip(rows, _voronoi(sites[rows], parts[s]), strict=True):
            cells[row] = cell
    return cells


def _voronoi(points: Floats, area: Polygon) -> list[Polygon]:
    """Voronoi cells of the points clipped to ``area``, in the order of the points."""
    diagram = shapely.voronoi_polygons(MultiPoint(points), extend_to=area, ordered=True)
    return [c.intersection(area) for c in shapely.get_parts(diagram)]


def _grids(communities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Split every community into the grids 网格 of F1: 3 in a village, 5 in a town, 6 in a new town."""
    ids, owners, shapes = [], [], []
    for cid, kind, area in zip(communities["community"], communities["kind"], communities.geometry, strict=True):
        n = _GRIDS_PER[kind]
        for k, part in enumerate(_voronoi(_spread(area, n, f"grid/{cid}"), area)):
            ids.append(f"{cid}-{k + 1}")
            owners.append(cid)
            shapes.append(part)
    return gpd.GeoDataFrame({"grid": ids, "community": owners}, geometry=shapes, crs=CRS)


# -- waters ----------------------------------------------------------------------------------------------


def _blob(centre: Floats, size_m: Any, turn_deg: float, purpose: str, rough: float = 0.1) -> Polygon:
    """Return an uneven oval."""
    draw = rng("blob", purpose)
    a = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    r = 1.0 + sum(rough / k * np.sin(k * a + draw.uniform(0, 2 * np.pi)) for k in (2, 3, 4, 5))
    x, y = r * size_m[0] / 2 * np.cos(a), r * size_m[1] / 2 * np.sin(a)
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    return Polygon(np.round(np.column_stack([c * x - s * y, s * x + c * y]) + centre, 1))


def _ribbon(line: LineString, width_m: float, purpose: str, vary: float) -> Polygon:
    """Return a stream of varying width along a line."""
    draw = rng("ribbon", purpose)
    xy = shapely.get_coordinates(line)
    d = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    half = np.full(len(xy), width_m / 2)
    for wave_m in (3300.0, 5300.0, 1900.0):
        half *= 1.0 + vary * np.sin(2 * np.pi * d / wave_m + draw.uniform(0, 2 * np.pi)) / 1.5
    t = np.gradient(xy, axis=0)
    n = np.column_stack([-t[:, 1], t[:, 0]]) / np.hypot(t[:, 0], t[:, 1])[:, None]
    ring = np.vstack([xy + n * half[:, None], (xy - n * half[:, None])[::-1]])
    return Polygon(np.round(ring, 1)).buffer(0)


def _canal_line(canal: dict[str, Any]) -> LineString:
    return smooth(metres(canal["line"]), 90.0)


def _still_waters() -> list[Polygon]:
    return [_blob(metres(w["at"]), metres(w["size_km"]), w["turn_deg"], w["name_en"]) for w in anchors()["waters"]]


def _waters(outline: Polygon, river: Polygon, sites: Floats) -> gpd.GeoDataFrame:
    """Return the river, reservoirs, lakes, reaches of canals, and a pond beside many villages."""
    rows: list[tuple[str, str, str, Any]] = [("黄河", "Yellow River", "river", river)]
    rows += [
        (w["name"], w["name_en"], w["kind"], shape)
        for w, shape in zip(anchors()["waters"], _still_waters(), strict=True)
    ]
    big = shapely.union_all([r[3] for r in rows])
    for canal in anchors()["canals"]:
        line = _canal_line(canal).intersection(outline)
        line = max(shapely.get_parts(line), key=lambda p: p.length)
        for k in range(canal["reaches"]):
            a, b = (line.length * q / canal["reaches"] for q in (k, k + 1))
            reach = shapely.ops.substring(line, a, b)
            shape = _ribbon(reach, canal["width_m"], f"{canal['name_en']}/{k}", 0.08).difference(big)
            if not shape.is_empty and shape.area > 500:
                shape = max(shapely.get_parts(shape), key=lambda p: p.area)
                rows.append((f"{canal['name']}{k + 1}段", f"{canal['name_en']} reach {k + 1}", canal["kind"], shape))
    names = read_csv("communities.csv")
    villages = np.flatnonzero((names["kind"] == "village").to_numpy())
    draw = rng("ponds")
    chosen = np.sort(draw.choice(villages, anchors()["ponds"], replace=False))
    wet = shapely.union_all([r[3] for r in rows])
    for row in chosen:
        for _ in range(20):
            angle, away = draw.uniform(0, 2 * np.pi), draw.uniform(420.0, 620.0)
            at = sites[row] + away * np.array([np.cos(angle), np.sin(angle)])
            size = draw.uniform(60.0, 190.0), draw.uniform(45.0, 110.0)
            pond = _blob(at, size, float(draw.uniform(0, 180)), f"pond/{row}", 0.16)
            if outline.contains(pond) and not wet.intersects(pond.buffer(60.0)):
                name, name_en = names["name"].iloc[row], names["name_en"].iloc[row]
                rows.append((f"{name}坑塘", f"{name_en} pond", "pond", pond))
                break
    table = pd.DataFrame([r[:3] for r in rows], columns=["name", "name_en", "kind"])
    return gpd.GeoDataFrame(table, geometry=[r[3] for r in rows], crs=CRS)
