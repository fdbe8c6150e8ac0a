"""Homes, jobs, shops and schools of a city of which nobody has counted them.

Three sources, the best one at hand is used and named in ``Origin.homes_from``: buildings (floor area by kind),
else land use (area by kind), else the density of roads. The numbers are capacities: they say where people live
and work *relative to each other*; a scenario says how many people there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.ndimage import gaussian_filter

from geo.city import BLOCK_KINDS
from geo.land import Land
from geo.levels import cells, largest

Floats = npt.NDArray[np.float64]

#: gross floor area of a resident's home, m² (living area of about 45 m² a head, walls and stairs on top)
HOME_M2 = 60.0
#: a building of which nothing else is known is a shed or garage below this ground area, m²
_SHED_M2 = 50.0
#: a building on commercial land above this ground area is a works or a warehouse, not offices, m²
_WORKS_M2 = 1500.0
#: gross floor area of a job by the kind of block, m² (usual planning ranges: offices 20–30, shops 40–60, works 80–120)
JOB_M2 = {
    "mixed": 60.0,
    "commerce": 50.0,
    "office": 30.0,
    "industry": 100.0,
    "logistics": 150.0,
    "school": 120.0,
    "public": 60.0,
    "farm": 400.0,
    "construction": 400.0,
}
#: gross floor area of a school place and of a shop, m²
PUPIL_M2 = 20.0
SHOP_M2 = 250.0
#: share of the floor that is homes
_HOME_SHARE = {"village": 1.0, "housing": 1.0, "mixed": 0.5, "farm": 0.3}
#: storeys where the data does not say: of a small (< 300 m² of ground) and a large building
_STOREYS = {
    "village": (1, 1),
    "housing": (2, 4),
    "mixed": (3, 4),
    "office": (3, 4),
    "school": (2, 3),
    "industry": (1, 1),
    "logistics": (1, 1),
}
#: people and jobs per hectare of land use
_LAND = {
    "village": (30.0, 2.0),
    "housing": (60.0, 4.0),
    "mixed": (60.0, 40.0),
    "commerce": (0.0, 80.0),
    "office": (0.0, 120.0),
    "industry": (0.0, 40.0),
    "logistics": (0.0, 20.0),
    "school": (0.0, 30.0),
    "public": (0.0, 40.0),
    "farm": (1.0, 0.5),
    "construction": (0.0, 10.0),
}
#: pull of a metre of road by class: for homes, for jobs
_PULL = {
    "motorway": (0.0, 0.1),
    "trunk": (0.1, 0.4),
    "primary": (0.35, 1.0),
    "secondary": (0.5, 1.0),
    "tertiary": (0.7, 0.7),
    "residential": (1.0, 0.25),
    "living_street": (1.0, 0.2),
    "service": (0.3, 0.4),
    "track": (0.05, 0.02),
}
#: residents and jobs per km² of built-up land, where only roads are known
_RESIDENTS_KM2, _JOBS_KM2 = 4000.0, 1800.0
#: school places and shops for each resident, where the data names none
PUPILS_PER_RESIDENT, RESIDENTS_PER_SHOP = 0.16, 150.0
_COLUMNS = ("kind", "residents", "jobs", "shops", "pupils", "storeys")
#: above so many buildings, those of one kind in one cell of 60 m become one block
_MANY = 25_000


@dataclass(frozen=True)
class Inferred:
    """Blocks (kind, residents, jobs, shops, pupils, storeys, polygon), and in words what they come from."""

    blocks: gpd.GeoDataFrame
    source: str
    notes: tuple[str, ...]


def infer_blocks(land: Land, roads: gpd.GeoDataFrame, area: shapely.Polygon) -> Inferred:
    """Return blocks from the best source that ``land`` and ``roads`` (of a City) offer inside ``area``.

    Buildings count when there are at least 10 for every km of local street, land use when at least a twentieth of
    the area is land on which people live and at least some of it land on which they work.
    """
    buildings = land.buildings[land.buildings["kind"] != "-"]
    local = roads["car"] & roads["road_class"].isin(("residential", "living_street", "tertiary"))
    street_km = float(roads.loc[local, "length_m"].sum()) / 1000 / 2
    notes: list[str] = []
    if len(buildings) >= max(20, 10 * street_km):
        blocks, source = (
            _from_buildings(buildings, land.uses),
            f"{len(buildings)} buildings (ground area × storeys, by kind)",
        )
    elif _enough(land.uses, area):
        blocks, source = _from_uses(land.uses, roads, area), f"{len(land.uses)} areas of land use, by kind"
    else:
        blocks, source = _from_roads(roads, area), "road density (no buildings or land use in the data)"
        if len(buildings):
            source = f"road density ({len(buildings)} buildings are too few for {street_km:.0f} km of street)"
    blocks = _complete(blocks, land.places[land.places["kind"] == "school"], notes)
    blocks = blocks[blocks[["residents", "jobs", "shops", "pupils"]].sum(axis=1) > 0].reset_index(drop=True)
    return Inferred(blocks, source, tuple(notes))


def nobody(crs: str) -> Inferred:
    """Return no blocks, for a city in which only given vehicles drive."""
    table = pd.DataFrame({c: np.empty(0, dtype=object if c == "kind" else np.int64) for c in _COLUMNS})
    blocks = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
    why = "nobody lives or works here: no two roads lead to each other and back"
    return Inferred(blocks, why, ())


def _enough(uses: gpd.GeoDataFrame, area: shapely.Polygon) -> bool:
    if uses.empty:
        return False
    size = uses.geometry.area.groupby(uses["kind"]).sum()
    homes = float(size.reindex(["village", "housing", "mixed"]).sum())
    work = float(size.reindex(["commerce", "office", "industry", "logistics", "mixed"]).sum())
    return homes > 0.05 * area.area and work > 0


# -- buildings -----------------------------------------------------------------------------------------------


def _from_buildings(buildings: gpd.GeoDataFrame, uses: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    ground = buildings.geometry.area.to_numpy()
    lived = ground >= np.where(buildings["kind"] == "", _SHED_M2, _SHED_M2 / 2)
    buildings, ground = buildings[lived], ground[lived]
    kind = _kinds(buildings, ground, uses)
    small, large = (np.array([_STOREYS.get(k, (1, 2))[i] for k in kind]) for i in (0, 1))
    said = buildings["storeys"].to_numpy(np.int64)
    storeys = np.where(said > 0, np.minimum(said, 120), np.where(ground < 300, small, large))
    floor = ground * storeys
    homes = np.array([_HOME_SHARE.get(k, 0.0) for k in kind])
    work = np.array([(1 - _HOME_SHARE.get(k, 0.0)) / JOB_M2.get(k, np.inf) for k in kind])
    pupils = buildings["pupils"].to_numpy(np.int64)
    pupils = np.where(pupils >= 0, pupils, np.where(kind == "school", floor / PUPIL_M2, 0))
    said_shops = buildings["shops"].to_numpy(np.int64)
    shops = np.where(kind == "commerce", np.maximum(said_shops, np.ceil(floor / SHOP_M2)), said_shops)
    table = pd.DataFrame(
        {
            "kind": kind,
            "residents": np.rint(floor * homes / HOME_M2),
            "jobs": np.rint(floor * work) + 3 * np.where(kind == "commerce", 0, said_shops),
            "shops": shops,
            "pupils": np.rint(pupils),
            "storeys": storeys,
        }
    )
    blocks = gpd.GeoDataFrame(table, geometry=buildings.geometry.to_numpy(), crs=buildings.crs)
    return _merge(blocks) if len(blocks) > _MANY else blocks


def _kinds(buildings: gpd.GeoDataFrame, ground: Floats, uses: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Return kinds of buildings: own tag, else the land use they stand on, else homes (large: mixed)."""
    kind = buildings["kind"].to_numpy(dtype=object).copy()
    unknown = np.flatnonzero(kind == "")
    if len(uses) and unknown.size:
        # of overlapping land uses the smallest is the most particular one
        order = np.argsort(-uses.geometry.area.to_numpy(), kind="stable")
        tree = shapely.STRtree(uses.geometry.to_numpy()[order])
        points = shapely.point_on_surface(buildings.geometry.to_numpy()[unknown])
        who, use = tree.query(points, predicate="intersects")
        by = np.lexsort((use, who))
        kind[unknown[who[by]]] = uses["kind"].to_numpy(dtype=object)[order][use[by]]
        kind[unknown[(kind[unknown] == "office") & (ground[unknown] >= _WORKS_M2)]] = "industry"
    kind[(kind == "") & (ground >= 800)] = "mixed"
    kind[kind == ""] = "housing"
    return np.asarray(kind, dtype=np.object_)


def _merge(blocks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Join buildings of one kind in one cell of 60 m; the largest building gives the shape."""
    points = blocks.geometry.centroid
    key = [np.floor(points.x / 60).astype(np.int64), np.floor(points.y / 60).astype(np.int64), blocks["kind"]]
    order = np.argsort(-blocks.geometry.area.to_numpy(), kind="stable")
    grouped = blocks.iloc[order].groupby([k.iloc[order] for k in key], sort=True)
    sums = grouped[["residents", "jobs", "shops", "pupils"]].sum().reset_index(drop=True)
    first = grouped[["kind", "storeys", "geometry"]].first().reset_index(drop=True)
    merged = pd.concat([first[["kind"]], sums, first[["storeys"]]], axis=1)[list(_COLUMNS)]
    return gpd.GeoDataFrame(merged, geometry=first["geometry"].to_numpy(), crs=blocks.crs)


# -- land use and roads -----------------------------------------------------------------------------------------


def _from_uses(uses: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, area: shapely.Polygon) -> gpd.GeoDataFrame:
    rows, shapes = [], []
    for kind, shape in zip(uses["kind"], uses.geometry, strict=True):
        inside = largest(shapely.intersection(shape, area))
        if kind not in BLOCK_KINDS or inside.area < 400:
            continue
        for piece in cells(inside, 150.0)[0]:
            homes, work = _LAND[kind]
            hectares = piece.area / 1e4
            pupils = 150 * hectares if kind == "school" else 0
            shops = 4 * hectares if kind == "commerce" else 0
            rows.append((kind, homes * hectares, work * hectares, shops, pupils, _STOREYS.get(kind, (1, 2))[1]))
            shapes.append(piece)
    blocks = gpd.GeoDataFrame(pd.DataFrame(rows, columns=list(_COLUMNS)), geometry=shapes, crs=roads.crs)
    numbers = ["residents", "jobs", "shops", "pupils"]
    blocks[numbers] = np.rint(blocks[numbers])
    return _off_the_road(blocks, roads)


def _from_roads(roads: gpd.GeoDataFrame, area: shapely.Polygon) -> gpd.GeoDataFrame:
    """Cells of the map, with homes and jobs by the length and class of the roads around (Gauss, sigma 120 m)."""
    side = float(np.clip(np.sqrt(area.area / 800), 80, 400))
    pieces, col, row = cells(area, side)
    west, _, east, north = area.bounds
    nx, ny = int(col.max()) + 1, int(row.max()) + 1
    used = roads[roads["car"] & roads["road_class"].isin(list(_PULL))]
    steps = np.maximum(1, np.ceil(used["length_m"].to_numpy() / 20).astype(np.int64))
    owner = np.repeat(np.arange(len(used)), steps)
    place = (np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) / steps[owner]
    points = shapely.line_interpolate_point(used.geometry.to_numpy()[owner], place, normalized=True)
    x = np.clip(((shapely.get_x(points) - west) / (east - west) * nx).astype(np.int64), 0, nx - 1)
    south = area.bounds[1]
    y = np.clip(((north - shapely.get_y(points)) / (north - south) * ny).astype(np.int64), 0, ny - 1)
    metres = (used["length_m"].to_numpy() / steps)[owner]
    density = []
    for which in (0, 1):
        pull = np.array([_PULL[c][which] for c in used["road_class"]])[owner]
        raster = np.zeros((ny, nx))
        np.add.at(raster, (y, x), metres * pull)
        density.append(gaussian_filter(raster, max(0.6, 120 / side))[row, col])
    homes, work = density
    built = (homes > 0.1 * np.quantile(homes, 0.9)) | (work > 0.1 * np.quantile(work, 0.9))
    km2 = shapely.area(pieces) / 1e6
    homes = np.where(built, np.clip(homes / max(homes[built].mean(), 1e-9), 0, 3), 0) * km2 * _RESIDENTS_KM2
    work = np.where(built, np.clip(work / max(work[built].mean(), 1e-9), 0, 3), 0) * km2 * _JOBS_KM2
    kind = np.where(work > 0.9 * homes, "office", np.where(work > 0.4 * homes, "mixed", "housing"))
    homes = np.where(kind == "office", 0, homes)
    table = pd.DataFrame(
        {"kind": kind, "residents": np.rint(homes), "jobs": np.rint(work), "shops": 0, "pupils": 0, "storeys": 3}
    )[built]
    return _off_the_road(gpd.GeoDataFrame(table, geometry=pieces[built], crs=roads.crs), roads)


def _off_the_road(blocks: gpd.GeoDataFrame, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut the carriageways out of the blocks; what is left of a block is its largest part."""
    wide = roads[roads["car"]]
    strips = shapely.buffer(wide.geometry.to_numpy(), wide["lanes"].to_numpy() * 1.7 + 3.0, cap_style="flat")
    shapes = blocks.geometry.to_numpy().copy()
    block, strip = shapely.STRtree(strips).query(shapes, predicate="intersects")
    order = np.argsort(block, kind="stable")
    block, strip = block[order], strip[order]
    for rows in np.split(np.arange(len(block)), np.flatnonzero(np.diff(block)) + 1):
        if rows.size:
            k = block[rows[0]]
            shapes[k] = largest(shapely.difference(shapes[k], shapely.union_all(strips[strip[rows]])))
    blocks = blocks.set_geometry(gpd.GeoSeries(shapes, index=blocks.index, crs=blocks.crs))
    return blocks[blocks.geometry.area >= 200].reset_index(drop=True)


# -- what every city needs ---------------------------------------------------------------------------------------


def _complete(blocks: gpd.GeoDataFrame, schools: gpd.GeoDataFrame, notes: list[str]) -> gpd.GeoDataFrame:
    """Give schools and shops to a city whose data names none or too few, and say so in ``notes``.

    Schools go where ``schools`` (points) are, else among the homes.
    """
    blocks = blocks.copy()
    for column in ("residents", "jobs", "shops", "pupils", "storeys"):
        blocks[column] = blocks[column].astype(np.int64)
    residents = int(blocks["residents"].sum())
    missing = residents * PUPILS_PER_RESIDENT - float(blocks["pupils"].sum())
    if missing > 0.5 * residents * PUPILS_PER_RESIDENT:
        if len(schools):
            tree = shapely.STRtree(blocks.geometry.to_numpy())
            rows = sorted(set(np.asarray(tree.nearest(schools.geometry.to_numpy())).tolist()))
            notes.append(f"school places were estimated: the data names {len(schools)} schools but not their size")
        else:
            rows = _spread(blocks, max(1, round(missing / 800)))
            notes.append(f"the data names no schools: {len(rows)} were placed among the homes")
        # a small block becomes the school; in a large one (a whole quarter) the school stands among its homes
        small = [r for r in rows if blocks["residents"].iloc[r] < 0.02 * residents]
        blocks.loc[small, ["kind", "residents", "shops"]] = ["school", 0, 0]
        blocks.loc[rows, "pupils"] = int(np.ceil(missing / len(rows)))
        blocks.loc[rows, "jobs"] = int(np.ceil(missing / len(rows) / 12))
    want = residents / RESIDENTS_PER_SHOP
    if float(blocks["shops"].sum()) < 0.3 * want:
        open_for = blocks["kind"].isin(("mixed", "commerce", "office")) & (blocks["jobs"] > 0)
        if not open_for.any():
            open_for = blocks["jobs"] + blocks["residents"] > 0
        weight = (blocks["jobs"] + 0.2 * blocks["residents"]).where(open_for, 0.0).to_numpy(np.float64)
        whole = np.floor(np.cumsum(weight) / max(weight.sum(), 1e-9) * max(1, round(want)) + 1e-9)
        blocks["shops"] = blocks["shops"].to_numpy() + np.diff(whole, prepend=0).astype(np.int64)
        notes.append("the data names too few shops: more were placed by jobs and homes")
    return blocks


def _spread(blocks: gpd.GeoDataFrame, n: int) -> list[int]:
    """Choose ``n`` blocks spread over the homes: halve the city until each part needs one, take its middle."""
    points = blocks.geometry.representative_point()
    xy = np.column_stack([points.x, points.y])
    residents = blocks["residents"].to_numpy(np.float64)
    chosen: list[int] = []
    parts = [(np.flatnonzero(residents > 0), n)]
    while parts:
        rows, k = parts.pop()
        if rows.size == 0:
            continue
        if k <= 1 or rows.size < 2:
            middle = np.average(xy[rows], axis=0, weights=residents[rows])
            chosen.append(int(rows[np.argmin(((xy[rows] - middle) ** 2).sum(axis=1))]))
            continue
        axis = int(np.argmax(np.ptp(xy[rows], axis=0)))
        order = rows[np.argsort(xy[rows, axis], kind="stable")]
        share = np.cumsum(residents[order]) / residents[order].sum()
        cut = int(np.clip(np.searchsorted(share, (k // 2) / k), 1, len(order) - 1))
        parts += [(order[:cut], k // 2), (order[cut:], k - k // 2)]
    return sorted(set(chosen))


def total(blocks: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return the sums of residents, jobs, shops and pupils."""
    return {c: int(blocks[c].sum()) for c in ("residents", "jobs", "shops", "pupils")}
