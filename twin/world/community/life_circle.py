"""The 15-minute life circle (F30): who reaches which kinds of place within 15 minutes on foot.

Streets are ``DETOUR`` times as long as the straight line (assumed; right angles: 4/π = 1.27), people walk 1.2 m/s (GB
50220 reckons with 1.0 to 1.2). Residents are counted where their block lies.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from geo.city import City
from twin.world.community.members import block_points

MINUTES, WALK_M_S, DETOUR = 15.0, 1.2, 1.27
REACH_M = MINUTES * 60 * WALK_M_S / DETOUR
#: what belongs to it → kinds of place (assumed after 城市一刻钟便民生活圈, Ministry of Commerce 2021)
NEEDS: dict[str, tuple[str, ...]] = {
    "shopping": ("shop", "market"),
    "school": ("school", "kindergarten"),
    "health": ("hospital", "clinic"),
    "services": ("service_hall", "service_point", "community_centre"),
    "park": ("park",),
    "bus": ("bus_stop",),
}


def life_circle(city: City, reach_m: float = REACH_M) -> dict[str, float]:
    """Return the share of residents (0..1) near a place of each need, and of "all" of them; empty without residents."""
    residents = city.blocks["residents"].to_numpy(np.float64)
    if residents.sum() <= 0:
        return {}
    x, y = block_points(city)
    points = np.column_stack([x, y])
    places = city.places
    every = np.ones(len(residents), dtype=bool)
    out: dict[str, float] = {}
    for need, kinds in NEEDS.items():
        rows = places[places["kind"].isin(kinds)]
        near = np.zeros(len(residents), dtype=bool)
        if len(rows):
            tree = cKDTree(np.column_stack([rows.geometry.x, rows.geometry.y]))
            near = tree.query(points)[0] <= reach_m
        every &= near
        out[need] = float(residents[near].sum() / residents.sum())
    out["all"] = float(residents[every].sum() / residents.sum())
    return out
