"""Places with a name: gates, offices, schools, stations, parks, depots; bus stops come from ``buses.py``.

The service hall and its 15 points are F4, the company stations F47, Gaishi and Qingning F23, the Urban Balcony F25.
What is not in ``places.csv`` is spread so that people have it near (the 15-minute circle, F30).
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import Point

from geo.errors import CityError
from geo.qibu.fill import nearest_road
from geo.qibu.land import Land
from geo.qibu.tables import CRS, Floats, metres, rng, roads_table
from geo.qibu.zones import named_places


def make_places(land: Land, blocks: gpd.GeoDataFrame, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return all places but the bus stops, in the columns of :class:`geo.city.City`."""
    rows = [
        *named_places(land.spine),
        *_from_blocks(land, blocks),
        *_spread_out(land, blocks),
        *[("water", n, e, *_xy(g.representative_point())) for n, e, g in _big_waters(land)],
    ]
    table = pd.DataFrame(rows, columns=["kind", "name", "name_en", "x", "y"])
    points = shapely.points(table.pop("x").to_numpy(), table.pop("y").to_numpy())
    out = gpd.GeoDataFrame(table, geometry=points, crs=CRS)
    out["road"] = nearest_road(roads, points, points)
    out["pos_m"] = along(roads, out["road"].to_numpy(), points)
    out["road_out"], out["weight"] = -1, 0.0
    out = gpd.GeoDataFrame(pd.concat([_gates(roads), out], ignore_index=True), geometry="geometry", crs=CRS)
    out["community"] = land.community_of(out.geometry.x.to_numpy(), out.geometry.y.to_numpy())
    order = out.groupby("kind").cumcount()
    out["place"] = [f"{kind}-{k + 1:03d}" for kind, k in zip(out["kind"], order, strict=True)]
    return out


def along(roads: gpd.GeoDataFrame, road: Any, points: Any) -> Any:
    """Position of each point along its road in m, kept 5 m clear of both ends."""
    lines = roads.geometry.to_numpy()[road]
    length = roads["length_m"].to_numpy()[road]
    share = shapely.line_locate_point(lines, points, normalized=True)
    return np.round(np.clip(share * length, np.minimum(5.0, length / 3), np.maximum(length - 5.0, length / 2)), 1)


def _xy(p: Point) -> tuple[float, float]:
    return round(p.x, 1), round(p.y, 1)


def _gates(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Gates: the dead ends of the main roads beyond the outline."""
    starts = shapely.get_coordinates(shapely.get_point(roads.geometry.to_numpy(), 0))
    ends = shapely.get_coordinates(shapely.get_point(roads.geometry.to_numpy(), -1))
    rows = []
    for gate in roads_table()["gates"]:
        at = metres(gate["at"])
        leads_in = int(np.argmin(np.hypot(*(starts - at).T)))
        leads_out = int(np.argmin(np.hypot(*(ends - at).T)))
        if np.hypot(*(starts[leads_in] - at)) > 60.0:
            raise CityError(f"qibu: no road begins at the gate '{gate['name']}' (arterials.json)")
        rows.append(("gate", gate["name"], gate["name_en"], leads_in, 10.0, leads_out, gate["weight"], Point(at)))
    columns = ["kind", "name", "name_en", "road", "pos_m", "road_out", "weight", "geometry"]
    table = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=CRS)
    table["weight"] = (table["weight"] / table["weight"].sum()).round(4)
    return table


def _big_waters(land: Land) -> list[tuple[str, str, Any]]:
    w = land.waters[land.waters["kind"].isin(["reservoir", "lake"])]
    return list(zip(w["name"], w["name_en"], w.geometry, strict=True))


def _from_blocks(land: Land, blocks: gpd.GeoDataFrame) -> list[tuple[str, str, str, float, float]]:
    """Schools, building sites, shopping centres and works that are blocks of their own."""
    names = dict(zip(land.communities["community"], land.communities["name"], strict=True))
    names_en = dict(zip(land.communities["community"], land.communities["name_en"], strict=True))
    out: list[tuple[str, str, str, float, float]] = []
    labels = {
        "school": ("school", "{}学校", "{} School"),
        "construction": ("construction_site", "{}建设项目", "{} construction site"),
    }
    middle = blocks.geometry.representative_point()
    for kind, (place, cn, en) in labels.items():
        for row in np.flatnonzero((blocks["kind"] == kind).to_numpy()):
            cid = blocks["community"].iloc[row]
            name, name_en = names[cid].removesuffix("村"), names_en[cid].removesuffix(" Village")
            out.append((place, cn.format(name), en.format(name_en), *_xy(middle.iloc[row])))
    for s, want in (("daqiao", 9), ("cuizhai", 9), ("sungeng", 5), ("taiping", 5)):
        shops = blocks[(blocks["subdistrict"] == s) & (blocks["shops"] > 0)].sort_values(
            ["shops", "block"], ascending=[False, True]
        )
        for cid, group in list(shops.groupby("community", sort=False))[:want]:
            p = group.geometry.iloc[0].representative_point()
            name, name_en = names[cid].removesuffix("村"), names_en[cid].removesuffix(" Village")
            out.append(("shop", f"{name}购物中心", f"{name_en} Shopping Centre", *_xy(p)))
    return out


def _spread_out(land: Land, blocks: gpd.GeoDataFrame) -> list[tuple[str, str, str, float, float]]:
    """Services for residents, each where the people not yet served are most: a greedy k-median by walking."""
    table = land.communities
    out: list[tuple[str, str, str, float, float]] = []
    for kind, cn, en, number in (
        ("kindergarten", "{}幼儿园", "{} Kindergarten", 72),
        ("clinic", "{}卫生服务站", "{} Health Station", 46),
        ("market", "{}集市", "{} Market", 30),
        ("community_centre", "{}党群服务中心", "{} Community Centre", 60),
        ("park", "{}公园", "{} Park", 26),
        ("charging", "{}充电站", "{} Charging Hub", 24),
        ("service_point", "{}社会化服务网点", "{} Service Point", 15),
    ):
        people = table["residents"].to_numpy(float)
        for row in _cover(land.sites, people, number):
            near = _home_near(blocks, table["community"].iloc[row], kind)
            name, name_en = (
                table["name"].iloc[row].removesuffix("村"),
                table["name_en"].iloc[row].removesuffix(" Village"),
            )
            out.append((kind, cn.format(name), en.format(name_en), *near))
    return out


def _cover(sites: Floats, people: Floats, number: int) -> list[int]:
    """Rows chosen one after another so that the sum of people × distance falls most."""
    d = np.hypot(sites[:, None, 0] - sites[None, :, 0], sites[:, None, 1] - sites[None, :, 1])
    best = np.full(len(sites), 12_000.0)
    chosen: list[int] = []
    for _ in range(number):
        gain = (np.maximum(best[None, :] - d, 0.0) * people[None, :]).sum(axis=1)
        gain[chosen] = -1.0
        chosen.append(int(np.argmax(gain)))
        best = np.minimum(best, d[chosen[-1]])
    return sorted(chosen)


def _home_near(blocks: gpd.GeoDataFrame, community: str, kind: str) -> tuple[float, float]:
    """Return a point at the edge of one of the community's blocks with homes."""
    mine = blocks[(blocks["community"] == community) & (blocks["residents"] > 0)]
    draw = rng("service", kind, community)
    ring = mine.geometry.iloc[int(draw.integers(len(mine)))].exterior
    return _xy(ring.interpolate(draw.random(), normalized=True))
