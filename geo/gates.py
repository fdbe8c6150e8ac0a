"""Gates: where roads end at the fringe of the network, so that traffic enters and leaves the city there."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.network import Network

#: share of the traffic across the fringe that a lane of a road of this class takes
_WEIGHT = {
    "motorway": 20.0,
    "trunk": 12.0,
    "primary": 8.0,
    "secondary": 5.0,
    "tertiary": 2.0,
    "residential": 0.5,
}
_MAJOR = ("motorway", "trunk", "primary", "secondary", "tertiary")
#: one-way gates in and out this near to each other are one gate
_PAIR_M = 300.0


def find_gates(
    roads: gpd.GeoDataFrame, turns: pd.DataFrame, network: Network, area: shapely.Polygon
) -> gpd.GeoDataFrame:
    """Return gates in the columns of ``City.places`` without community.

    A gate is a junction that cars reach from one neighbour only, where a road leads towards the main part of the
    network or comes from it. An end where cars can turn round counts only if the road is tertiary or higher
    and the end lies at the fringe of ``area``: else it is a cul-de-sac. If this leaves none, every end at the
    fringe counts.
    """
    car = roads["car"].to_numpy(bool)
    start, end = roads["from_node"].to_numpy(object), roads["to_node"].to_numpy(object)
    neighbours: dict[str, set[str]] = {}
    for a, b in zip(start[car], end[car], strict=True):
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    fringe = (
        np.array([len(neighbours.get(a, ())) == 1 for a in start]),
        np.array([len(neighbours.get(b, ())) == 1 for b in end]),
    )
    main = np.flatnonzero(roads["main"].to_numpy(bool))
    if main.size == 0:
        return _table([], roads)
    leads_in = car & fringe[0] & network.reach(int(main[0]), backward=True)
    leads_out = car & fringe[1] & network.reach(int(main[0]))
    entered = np.bincount(turns["to_road"].to_numpy(), minlength=len(roads)) > 0
    major = roads["road_class"].isin(_MAJOR).to_numpy()
    near = shapely.distance(_ends(roads, 0), area.exterior) < 0.15 * np.sqrt(area.area)
    near_out = shapely.distance(_ends(roads, -1), area.exterior) < 0.15 * np.sqrt(area.area)
    turns_round = _turns_round(turns, start, end, len(roads))
    into = np.flatnonzero(leads_in & (~entered | (major & near)))
    out = np.flatnonzero(leads_out & (~turns_round | (major & near_out)))
    if into.size == 0 and out.size == 0:
        into, out = np.flatnonzero(leads_in & near), np.flatnonzero(leads_out & near_out)
    return _table(_pair(into, out, roads), roads)


def _turns_round(turns: pd.DataFrame, start: npt.NDArray[Any], end: npt.NDArray[Any], n: int) -> npt.NDArray[np.bool_]:
    """Return True for roads from whose end cars may turn back to where they came from."""
    a, b = turns["from_road"].to_numpy(), turns["to_road"].to_numpy()
    out = np.zeros(n, dtype=bool)
    out[a[start[a] == end[b]]] = True
    return out


def _ends(roads: gpd.GeoDataFrame, which: int) -> npt.NDArray[Any]:
    return np.asarray(shapely.get_point(roads.geometry.to_numpy(), which))


def _pair(into: npt.NDArray[Any], out: npt.NDArray[Any], roads: gpd.GeoDataFrame) -> list[tuple[int, int]]:
    """Pair roads in with roads out: at one junction, else the nearest one-way ones within 300 m."""
    start, end = roads["from_node"].to_numpy(object), roads["to_node"].to_numpy(object)
    at = {end[k]: int(k) for k in out.tolist()}
    pairs = [(int(k), at.pop(start[k], -1)) for k in into.tolist()]
    single_in = [k for k, o in pairs if o < 0]
    single_out = sorted(at.values())
    pairs = [p for p in pairs if p[1] >= 0]
    if single_in and single_out:
        a, b = _ends(roads, 0)[single_in], _ends(roads, -1)[single_out]
        gap = shapely.distance(a[:, None], b[None, :])
        for k in np.argsort(gap, axis=None, kind="stable").tolist():
            i, j = divmod(k, len(single_out))
            if gap[i, j] > _PAIR_M:
                break
            if single_in[i] >= 0 and single_out[j] >= 0:
                pairs.append((single_in[i], single_out[j]))
                single_in[i] = single_out[j] = -1
    pairs += [(k, -1) for k in single_in if k >= 0]
    pairs += [(-1, k) for k in single_out if k >= 0]
    return sorted(pairs, key=lambda p: (p[0] < 0, p))


def _table(pairs: list[tuple[int, int]], roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    rows, points = [], []
    firsts, lasts = _ends(roads, 0), _ends(roads, -1)
    for k, (into, out) in enumerate(pairs):
        road = into if into >= 0 else out
        row = roads.iloc[road]
        weight = _WEIGHT.get(str(row["road_class"]), 0.3) * float(row["lanes"])
        name = f"Gate {k + 1} {row['name']}".strip()
        rows.append((f"gate-{k + 1:03d}", "gate", name, name, into, 0.0, out, weight))
        points.append(firsts[into] if into >= 0 else lasts[out])
    columns = ["place", "kind", "name", "name_en", "road", "pos_m", "road_out", "weight"]
    table = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=points, crs=roads.crs)
    table["weight"] = (table["weight"] / max(float(table["weight"].sum()), 1e-9)).astype(float).round(6)
    return table
