"""What makes roads dirty, per road: people who drop litter, land that gives dust, building sites; rates from the city.

Litter falls where people are. Grams per person and day outdoors are assumed; together they make some 30 g per
resident and day, below the 50 to 250 g of street sweepings per head (dust included) that handbooks of solid waste
give for cities (Cointreau-Levine, *Environmental Management of Urban Solid Wastes*, World Bank 1982).

Dust: accumulation by land use as measured along Chicago's kerbs in dry weather (APWA, *Water Pollution Aspects of
Urban Runoff*, 1969; table of EPA's SWMM manual): residential 0.7, multi-family 2.3, commercial 3.3, industrial 4.6,
open 1.5 lb per 100 ft and day. Those figures hold litter and what traffic brings, and streets of their time: 0.3 of
them is taken as what the land itself gives (assumed). Traffic comes on top, vehicle by vehicle (:mod:`.dirt`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geo.city import City
from twin.errors import ScenarioError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: grams of litter a day: per resident, job, pupil, shop (its customers), and per visitor of a place (assumed)
RESIDENT_G, JOB_G, PUPIL_G, SHOP_G, VISITOR_G = 10.0, 5.0, 10.0, 400.0, 5.0
#: visitors a day of a place (assumed)
VISITORS = {"landmark": 4000.0, "park": 1000.0, "market": 2500.0, "bus_stop": 80.0, "hospital": 1500.0,
            "service_hall": 800.0, "community_centre": 200.0}  # fmt: skip
#: share of the litter of a block's people that falls on the block's own road; the rest on roads within NEAR_M
OWN_ROAD = 0.5
NEAR_M = 200.0

_LB_100FT = 453.6 / 30.48  # lb per 100 ft in g/m
_LAND_SHARE = 0.3
#: grams of dust per metre and dry day by kind of block; "open" where there is none near
DUST_G_M_DAY = {
    kind: pounds * _LB_100FT * _LAND_SHARE
    for kind, pounds in {
        "village": 0.7, "housing": 2.3, "mixed": 2.3, "commerce": 3.3, "office": 2.3, "school": 1.5, "public": 1.5,
        "industry": 4.6, "logistics": 4.6, "construction": 4.6, "farm": 1.5, "open": 1.5,
    }.items()
}  # fmt: skip
#: building sites: grams per metre and dry day beside one, fading with distance (assumed)
SITE_G_M_DAY, SITE_FADE_M = 40.0, 300.0

#: share of each hour of the day in the litter of residents, work, school and shops/visitors (assumed; sums are 1)
HOURS = np.asarray(
    [
        [0.5, 0.3, 0.2, 0.2, 0.3, 1, 4, 7, 6, 5, 5, 5, 6, 4, 4, 4, 5, 7, 9, 9, 8, 5, 3, 1.5],
        [0.2, 0.2, 0.2, 0.2, 0.2, 0.5, 2, 8, 10, 5, 4, 6, 10, 6, 4, 4, 5, 9, 8, 4, 3, 2, 1, 0.5],
        [0, 0, 0, 0, 0, 0, 1, 15, 8, 3, 3, 8, 10, 5, 3, 6, 18, 14, 4, 1, 1, 0, 0, 0],
        [0.5, 0.2, 0.1, 0.1, 0.1, 0.3, 1, 2, 3, 5, 7, 8, 8, 6, 6, 6, 7, 8, 10, 10, 7, 4, 2, 1],
    ]
)
HOURS /= HOURS.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Sources:
    """Rates per road of the city, n roads.

    ``litter_g_day`` (4, n): grams a day from residents, work, school, shops and visitors. ``dust_g_m_day`` (n,) from
    the land in dry weather, ``site_g_m_day`` (n,) from building sites at mean wind. ``near_site`` (n,): 0..1, how
    near the next one is.
    """

    litter_g_day: Floats
    dust_g_m_day: Floats
    site_g_m_day: Floats
    near_site: Floats

    @classmethod
    def of(cls, city: City) -> Sources:
        """Return the rates of a city."""
        n = len(city.roads)
        lines = city.roads.geometry.to_numpy()
        tree = shapely.STRtree(lines)
        litter = np.zeros((4, n))
        b = city.blocks
        points = shapely.centroid(b.geometry.to_numpy())
        grams = np.stack(
            [b["residents"] * RESIDENT_G, b["jobs"] * JOB_G, b["pupils"] * PUPIL_G, b["shops"] * SHOP_G]
        ).astype(np.float64)
        block, road = tree.query(points, predicate="dwithin", distance=NEAR_M)
        _spread(litter, grams, b["road"].to_numpy(np.int64), block, road, city.roads["length_m"].to_numpy())
        p = city.places
        rows = np.flatnonzero((p["road"].to_numpy() >= 0) & p["kind"].isin(VISITORS).to_numpy())
        visitors = np.asarray([VISITORS[kind] for kind in p["kind"].iloc[rows]])
        np.add.at(litter[3], p["road"].to_numpy(np.int64)[rows], visitors * VISITOR_G)
        sites = shapely.union_all(
            [
                *p.geometry[p["kind"] == "construction_site"].to_numpy(),
                *points[(b["kind"] == "construction").to_numpy()],
            ]
        )
        away = np.full(n, np.inf) if sites.is_empty else shapely.distance(lines, sites)
        near = np.exp(-away / SITE_FADE_M)
        return cls(litter, _land(n, b["kind"].to_numpy(), block, road), SITE_G_M_DAY * near, near)


def _spread(litter: Floats, grams: Floats, own: Ints, block: Ints, road: Ints, length_m: Floats) -> None:
    """Add the litter of blocks to their own roads and to those near, in proportion to length."""
    has = own >= 0
    total_m = np.bincount(block, weights=length_m[road], minlength=own.size)
    on_own = np.where(total_m > 0, OWN_ROAD, 1.0)
    for kind in range(litter.shape[0]):
        np.add.at(litter[kind], own[has], (grams[kind] * on_own)[has])
        near = grams[kind][block] * (1.0 - on_own[block]) * length_m[road] / np.maximum(total_m[block], 1e-9)
        np.add.at(litter[kind], road, near)


def _land(n: int, kinds: npt.NDArray[np.object_], block: Ints, road: Ints) -> Floats:
    """Return the mean rate of the blocks near each road."""
    rate = np.asarray([DUST_G_M_DAY.get(str(kind), DUST_G_M_DAY["open"]) for kind in kinds])
    count = np.bincount(road, minlength=n)
    total = np.bincount(road, weights=rate[block], minlength=n) if block.size else np.zeros(n)
    return np.where(count > 0, total / np.maximum(count, 1), DUST_G_M_DAY["open"])


def area_roads(city: City, names: tuple[str, ...], radius_m: float) -> Ints:
    """Return the roads (indices, ascending) that names of roads, or places with a radius around them, stand for.

    Only roads for cars that can be reached, and no motorways.
    """
    r = city.roads
    usable = r["car"].to_numpy(bool) & r["main"].to_numpy(bool) & (r["road_class"] != "motorway").to_numpy()
    named = r["name"].to_numpy(), r["name_en"].to_numpy()
    chosen = np.zeros(len(r), dtype=bool)
    for name in names:
        hit = (named[0] == name) | (named[1] == name)
        if not hit.any():
            hit = r.geometry.distance(city.place(name).geometry).to_numpy() <= radius_m
        chosen |= hit
    roads = np.flatnonzero(chosen & usable).astype(np.int64)
    if roads.size == 0:
        raise ScenarioError(f"sanitation.area: no road for cars at {', '.join(names)}")
    return roads
