"""Levels of a city that names none: outline, communities and grids drawn around what is there."""

from __future__ import annotations

import string
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

#: a named settlement this far beside the city still names a part of it, m
_NEAR_M = 400.0
Ints = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


def outline(shapes: Any, margin_m: float) -> shapely.Polygon:
    """Return one polygon around ``shapes``: all within ``margin_m`` of them, gaps and bays closed, no holes."""
    lines = np.asarray(shapes, dtype=np.object_)
    west, south, east, north = shapely.total_bounds(lines).tolist()
    reach = float(np.clip(0.1 * np.hypot(east - west, north - south), 2 * margin_m, 2000))
    step = reach / 5
    # circles around the cells of a lattice that hold something, joined, then shrunk back
    points = shapely.get_coordinates(shapely.segmentize(lines, step))
    held = np.unique(np.floor((points - (west, south)) / step), axis=0)
    centres = shapely.points((held + 0.5) * step + (west, south))
    whole = shapely.union_all(shapely.buffer(centres, reach + step, quad_segs=4))
    closed = largest(shapely.buffer(whole, margin_m - reach, quad_segs=4))
    return shapely.simplify(shapely.Polygon(closed.exterior), 5.0)


def largest(shape: Any) -> Any:
    """Return the polygon of greatest area in ``shape`` (an empty polygon if it holds none)."""
    parts = [p for p in shapely.get_parts(shape) if isinstance(p, shapely.Polygon)]
    return max(parts, key=lambda p: float(p.area)) if parts else shapely.Polygon()


def nearest(shapes: Any, points: Any) -> Ints:
    """Return the row of the shape in which, or nearest to which, each point lies."""
    return np.asarray(shapely.STRtree(np.asarray(shapes, dtype=np.object_)).nearest(points), dtype=np.int64)


def cells(area: shapely.Polygon, side_m: float) -> tuple[Shapes, Ints, Ints]:
    """Cut ``area`` into squares of about ``side_m``: pieces, their columns from the west, rows from the north.

    Pieces smaller than a tenth of a square are left out.
    """
    west, south, east, north = area.bounds
    nx, ny = max(1, round((east - west) / side_m)), max(1, round((north - south) / side_m))
    col, row = (g.ravel() for g in np.meshgrid(np.arange(nx), np.arange(ny)))
    dx, dy = (east - west) / nx, (north - south) / ny
    top = north - row * dy
    squares = shapely.box(west + col * dx, top - dy, west + (col + 1) * dx, top)
    pieces = [largest(p) for p in shapely.intersection(squares, area)]
    keep = np.array([p.area > 0.1 * dx * dy for p in pieces])
    if not keep.any():
        return np.array([area], dtype=np.object_), np.zeros(1, np.int64), np.zeros(1, np.int64)
    out = np.empty(len(pieces), dtype=np.object_)
    out[:] = pieces
    return out[keep], col[keep], row[keep]


def communities(
    area: shapely.Polygon, names: gpd.GeoDataFrame, boundaries: gpd.GeoDataFrame, subdistrict: str
) -> gpd.GeoDataFrame:
    """Communities inside ``area``: from boundaries, else around named points, else cells of the map.

    ``names`` (name, name_en, kind, point) and ``boundaries`` (name, name_en, polygon) may be empty; a source
    counts when it gives at least three communities.
    """
    if len(boundaries) >= 3:
        shapes = [largest(p) for p in shapely.intersection(boundaries.geometry.to_numpy(), area)]
        table = pd.DataFrame(boundaries.drop(columns="geometry")).assign(kind="town")
        keep = np.array([p.area > 1e4 for p in shapes])
        if keep.sum() >= 3 and sum(p.area for p in shapes) > 0.6 * area.area:
            return _table(table[keep], [p for p, k in zip(shapes, keep, strict=True) if k], subdistrict)
    inside = names[names.geometry.distance(area) <= _NEAR_M] if len(names) else names
    inside = inside[~inside.geometry.to_wkb().duplicated()] if len(inside) else inside
    if len(inside) >= 3:
        regions = shapely.voronoi_polygons(shapely.multipoints(inside.geometry.to_numpy()), extend_to=area)
        regions = shapely.get_parts(regions)
        own = nearest(regions, inside.geometry.to_numpy())
        shapes = [largest(p) for p in shapely.intersection(regions[own], area)]
        seen = np.array([p.area > 1e4 for p in shapes])
        if seen.sum() >= 3:
            kept = [p for p, k in zip(shapes, seen, strict=True) if k]
            return _table(pd.DataFrame(inside.drop(columns="geometry"))[seen], kept, subdistrict)
    side = float(np.clip(np.sqrt(area.area / 16), 200, 1500))
    pieces, col, row = cells(area, side)
    labels = [f"{_letters(int(c))}{r + 1}" for c, r in zip(col, row, strict=True)]
    table = pd.DataFrame({"name": [f"Quarter {k}" for k in labels], "kind": "town"})
    return _table(table.assign(name_en=table["name"]), list(pieces), subdistrict)


def _letters(n: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    text = ""
    while n >= 0:
        text = string.ascii_uppercase[n % 26] + text
        n = n // 26 - 1
    return text


def _table(rows: pd.DataFrame, shapes: list[Any], subdistrict: str) -> gpd.GeoDataFrame:
    table = rows[["name", "name_en", "kind"]].reset_index(drop=True)
    table.insert(0, "community", [f"c{k + 1:03d}" for k in range(len(table))])
    table["subdistrict"] = subdistrict
    table["residents"] = 0
    return gpd.GeoDataFrame(table, geometry=shapes)


def grids(towns: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut every community into grids, four or so each, squares of 100 to 500 m."""
    ids, owners, shapes = [], [], []
    for community, area in zip(towns["community"], towns.geometry, strict=True):
        pieces, _, _ = cells(area, float(np.clip(np.sqrt(area.area / 4), 100, 500)))
        for k, piece in enumerate(pieces):
            ids.append(f"{community}-g{k + 1:02d}")
            owners.append(community)
            shapes.append(piece)
    return gpd.GeoDataFrame({"grid": ids, "community": owners}, geometry=shapes)
