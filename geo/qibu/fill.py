"""People, jobs, shops and school places put into the blocks: sums are exact, shares follow floor space.

Residents come community by community, so that the four subdistricts have exactly their numbers.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import Point

from geo.qibu.land import Land
from geo.qibu.tables import rng, shares
from geo.qibu.zones import named_places

JOBS = {
    "industry": 41_000,
    "office": 25_000,
    "commerce": 17_000,
    "logistics": 13_000,
    "public": 9_000,
    "mixed": 7_500,
    "village": 7_000,
    "school": 5_500,
    "construction": 5_000,
    "farm": 2_000,
}
PUPILS = 34_000
SITES = 40
_SCHOOLS = {"daqiao": 17, "cuizhai": 15, "sungeng": 13, "taiping": 15}
_PER_BLOCK = 450  # residents that a block of a town holds at most, where it has blocks enough
_LIVES = {"village": 1.0, "housing": 1.0, "mixed": 0.45}
_JOB_WEIGHT = {"industry": 0.5, "logistics": 0.5}  # by ground, not by storeys


def fill(blocks: gpd.GeoDataFrame, land: Land, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the blocks with ids, community, grid, residents, jobs, shops, pupils and road."""
    out = blocks.copy()
    middle = out.geometry.representative_point()
    x, y = middle.x.to_numpy(), middle.y.to_numpy()
    out["community"] = land.community_of(x, y)
    out["subdistrict"] = [c.split("-")[0] for c in out["community"]]
    out = _everybody_somewhere(out, land)
    middle = out.geometry.representative_point()
    tree = shapely.STRtree(land.grids.geometry.to_numpy())
    out["grid"] = land.grids["grid"].to_numpy()[tree.nearest(middle.to_numpy())]
    out["community"] = land.grids["community"].to_numpy()[tree.nearest(middle.to_numpy())]
    _schools_and_sites(out)
    _residents(out, land)
    _jobs(out)
    out["road"] = nearest_road(roads, middle.to_numpy(), middle.to_numpy())
    out["block"] = [f"b{k:04d}" for k in range(len(out))]
    out["name"], out["name_en"] = _names(out, land)
    return out


_LABEL = {
    "village": ("", ""),
    "housing": ("小区", " Housing Estate"),
    "mixed": ("里", " Quarter"),
    "commerce": ("商业", " Commerce"),
    "industry": ("工业用地", " Works"),
    "logistics": ("仓储", " Warehouses"),
    "office": ("商务楼", " Offices"),
    "school": ("学校", " School"),
    "public": ("公共服务", " Public Services"),
    "construction": ("在建工地", " Building Site"),
    "farm": ("设施农业", " Greenhouses"),
}
# blocks of this kind this near to the place bear its name
_NAMED = {"清宁社区": ("housing", 650.0), "鹊华社区": ("housing", 650.0), "盖世物流园": ("logistics", 800.0),
          "崔寨第二物流园": ("logistics", 600.0), "国际标准招商产业园": ("industry", 900.0)}  # fmt: skip


def _names(blocks: gpd.GeoDataFrame, land: Land) -> tuple[list[str], list[str]]:
    """Name of each block: its village or community and what it is; numbered where there are several."""
    cn = dict(zip(land.communities["community"], land.communities["name"], strict=True))
    en = dict(zip(land.communities["community"], land.communities["name_en"], strict=True))
    kinds, owners = blocks["kind"].to_numpy(), blocks["community"].to_numpy()
    middle = blocks.geometry.representative_point()
    near: list[tuple[str, str] | None] = [None] * len(blocks)
    for _, name, name_en, x, y in named_places(land.spine):
        if name in _NAMED:
            kind, reach = _NAMED[name]
            for at in np.flatnonzero((kinds == kind) & (middle.distance(Point(x, y)) < reach).to_numpy()):
                near[int(at)] = (name, name_en)
    names, names_en = [], []
    seen: dict[str, int] = {}
    for k, (kind, owner) in enumerate(zip(kinds, owners, strict=True)):
        label, label_en = _LABEL[kind]
        base, base_en = near[k] or (
            cn[owner] if kind == "village" else cn[owner].removesuffix("村") + label,
            en[owner] if kind == "village" else en[owner].removesuffix(" Village") + label_en,
        )
        number = seen[base] = seen.get(base, 0) + 1
        names.append(f"{base}{number}号" if kind != "village" else base)
        names_en.append(f"{base_en} {number}" if kind != "village" else base_en)
    return names, names_en


def _everybody_somewhere(blocks: gpd.GeoDataFrame, land: Land) -> gpd.GeoDataFrame:
    """Turn blocks into homes where a community has too few of them; build new ones where it has no blocks at all."""
    extra: list[dict[str, Any]] = []
    area = blocks.geometry.area
    towns = land.communities["kind"] != "village"
    for k, (cid, people) in enumerate(zip(land.communities["community"], land.communities["residents"], strict=True)):
        mine = blocks["community"] == cid
        homes = int((mine & blocks["kind"].isin(list(_LIVES))).sum())
        want = -(-int(people) // _PER_BLOCK) if towns.iloc[k] else 1
        for kind in ("office", "commerce", "industry", "logistics", "public"):
            spare = area[mine & (blocks["kind"] == kind) & blocks["setting"].isin(["new_town", "town"])]
            chosen = spare.sort_values(ascending=False, kind="stable").index[: max(want - homes, 0)]
            blocks.loc[chosen, ["kind", "storeys"]] = ["housing", 12]
            homes += len(chosen)
        if homes:
            continue
        cell = land.communities.geometry.iloc[k]
        extra.append(
            {
                "kind": "housing" if towns.iloc[k] else "village",
                "setting": "new_town" if towns.iloc[k] else "village",
                "storeys": 11 if towns.iloc[k] else 2,
                "community": cid,
                "subdistrict": cid.split("-")[0],
                "geometry": Point(land.sites[k]).buffer(70.0, quad_segs=2).intersection(cell),
            }
        )
    if not extra:
        return blocks
    more = gpd.GeoDataFrame(extra, geometry="geometry", crs=blocks.crs)
    return gpd.GeoDataFrame(pd.concat([blocks, more], ignore_index=True), geometry="geometry", crs=blocks.crs)


def _schools_and_sites(blocks: gpd.GeoDataFrame) -> None:
    """Set the number of schools per subdistrict and the number of building sites."""
    for s, want in _SCHOOLS.items():
        mine = blocks.index[(blocks["subdistrict"] == s) & (blocks["kind"] == "school")]
        draw = rng("schools", s)
        if len(mine) > want:
            blocks.loc[np.sort(draw.choice(mine, len(mine) - want, replace=False)), "kind"] = "mixed"
        elif len(mine) < want:
            may = blocks[(blocks["subdistrict"] == s) & (blocks["kind"] == "village")]
            more_than_two = may.groupby("community")["kind"].transform("size") > 2
            first = may[more_than_two].groupby("community").head(1).index
            chosen = np.sort(draw.choice(first, want - len(mine), replace=False))
            blocks.loc[chosen, ["kind", "storeys"]] = ["school", 3]
    may = blocks.index[
        (blocks["setting"] == "new_town") & blocks["kind"].isin(["housing", "office", "commerce", "mixed", "industry"])
    ]
    homes = blocks.loc[may, "kind"].isin(list(_LIVES))
    spare = blocks.loc[may].groupby("community")["kind"].transform(lambda k: k.isin(list(_LIVES)).sum()) > 3
    sites = np.sort(rng("sites of works").choice(may[(~homes | spare).to_numpy()], SITES, replace=False))
    blocks.loc[sites, ["kind", "storeys"]] = ["construction", 0]


def _floor(blocks: gpd.GeoDataFrame, kind_weight: dict[str, float]) -> Any:
    storeys = np.maximum(blocks["storeys"].to_numpy(float), 1.0)
    flat = blocks["kind"].isin(list(kind_weight)).to_numpy()
    return blocks.geometry.area.to_numpy() * np.where(flat, 1.0, np.sqrt(storeys))


def _residents(blocks: gpd.GeoDataFrame, land: Land) -> None:
    weight = blocks["kind"].map(_LIVES).fillna(0.0).to_numpy() * _floor(blocks, {})
    residents = np.zeros(len(blocks), np.int64)
    owner = blocks["community"].to_numpy()
    for cid, total in zip(land.communities["community"], land.communities["residents"], strict=True):
        mine = np.flatnonzero((owner == cid) & (weight > 0))
        residents[mine] = shares(weight[mine], int(total))
    blocks["residents"] = residents


def _jobs(blocks: gpd.GeoDataFrame) -> None:
    floor = _floor(blocks, _JOB_WEIGHT)
    kind = blocks["kind"].to_numpy()
    jobs, shops = np.zeros(len(blocks), np.int64), np.zeros(len(blocks), np.int64)
    pupils = np.zeros(len(blocks), np.int64)
    draw = rng("jobs")
    uneven = draw.lognormal(0.0, 0.35, len(blocks))
    for k, total in JOBS.items():
        mine = np.flatnonzero(kind == k)
        if mine.size:
            jobs[mine] = shares(floor[mine] * uneven[mine], total)
    for k, per_ha in (("commerce", 6.0), ("mixed", 4.0), ("housing", 0.5), ("village", 1.1)):
        mine = kind == k
        shops[mine] = draw.poisson(per_ha * blocks.geometry.area.to_numpy()[mine] / 1e4)
    blocks["jobs"], blocks["shops"] = jobs, shops
    people = blocks.groupby("subdistrict")["residents"].sum()
    per = dict(zip(people.index, shares(people.to_numpy(), PUPILS), strict=True))
    for s, total in per.items():
        mine = np.flatnonzero((kind == "school") & (blocks["subdistrict"] == s).to_numpy())
        town = np.where(blocks["setting"].to_numpy()[mine] == "village", 0.4, 1.0)
        pupils[mine] = shares(town * np.clip(uneven[mine], 0.6, 1.8), int(total))
    blocks["pupils"] = pupils


def nearest_road(roads: gpd.GeoDataFrame, points: Any, keys: Any) -> Any:
    """Index of a car road beside each point: local streets first, and of the two directions one by position."""
    penalty = (
        roads["road_class"]
        .map({"motorway": 1e6, "trunk": 120.0, "primary": 60.0, "secondary": 20.0, "tertiary": 5.0})
        .fillna(0.0)
        .to_numpy()
    )
    ok = (roads["car"] & roads["main"] & (roads["length_m"] > 20)).to_numpy()
    lines = roads.geometry.to_numpy()
    rows = np.flatnonzero(ok & (penalty < 1e5))
    tree = shapely.STRtree(lines[rows])
    out = np.full(len(points), -1, np.int64)
    for reach in (250.0, 1200.0, 6000.0):
        left = np.flatnonzero(out < 0)
        if left.size == 0:
            break
        who, road = tree.query(points[left], predicate="dwithin", distance=reach)
        cost = shapely.distance(points[left][who], lines[rows[road]]) + penalty[rows[road]]
        # the two directions of a street lie a few metres apart: rank by 12 m steps, then take turns
        turn = (np.abs(shapely.get_x(keys[left][who])).astype(np.int64) + rows[road] * 7919) % 97
        order = np.lexsort((rows[road], turn, np.floor(cost / 12.0), who))
        first = np.unique(who[order], return_index=True)
        out[left[first[0]]] = rows[road[order[first[1]]]]
    return out
