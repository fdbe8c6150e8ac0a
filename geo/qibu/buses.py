"""Bus lines: way points from the table, the way between them from the network, a stop every 400-900 m.

A stop is one side of a street, so it is a place on a directed road; lines that pass share it.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry import Point

from geo.errors import CityError
from geo.network import Network
from geo.qibu.land import Land
from geo.qibu.tables import CRS, HERE, Floats, metres

FIRST_S, LAST_S = 6 * 3600, 21 * 3600
_EVERY_M = 620.0
_SHARE_M = 160.0  # a planned stop nearer than this to a stop on the same road is that stop
_CLEAR_M = 18.0  # from a junction


@cache
def bus_table() -> list[dict[str, Any]]:
    """Return the lines of ``bus_lines.json``."""
    data = json.loads((HERE / "bus_lines.json").read_text(encoding="utf-8"))
    return list(data["lines"])


def make_buses(
    land: Land, roads: gpd.GeoDataFrame, network: Network, places: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the stops (rows of places) and the table of bus lines, each line in two directions."""
    finder = _Finder(land, roads, network, places)
    stops: dict[int, list[tuple[float, str]]] = {}
    rows: list[tuple[str, int, float]] = []
    lines = []
    for line in bus_table():
        gate = places[places["name"] == line["ends_at_gate"]].iloc[0] if "ends_at_gate" in line else None
        for direction in (0, 1):
            path = finder.path(line, direction, gate)
            ids: list[str] = []
            for road, pos in finder.halts(path):
                known = stops.setdefault(road, [])
                near = [sid for at, sid in known if abs(at - pos) < _SHARE_M]
                if not near:
                    sid = f"bus_stop-{len(rows) + 1:03d}"
                    known.append((pos, sid))
                    rows.append((sid, road, pos))
                    near = [sid]
                if not ids or ids[-1] != near[0]:
                    ids.append(near[0])
            peak, rest = line["headway_min"]
            lines.append((line["line"], line["name"], direction, ids, FIRST_S, LAST_S, rest * 60, peak * 60))
    columns = ["line", "name", "direction", "stops", "first_s", "last_s", "headway_s", "peak_headway_s"]
    return _stop_places(rows, roads, land), pd.DataFrame(lines, columns=columns)


class _Finder:
    """Ways and halts of one line after another on one network."""

    def __init__(self, land: Land, roads: gpd.GeoDataFrame, network: Network, places: gpd.GeoDataFrame) -> None:
        self._land, self._network = land, network
        self._length = roads["length_m"].to_numpy()
        self._class = roads["road_class"].to_numpy()
        self._lines = roads.geometry.to_numpy()
        slow = {"motorway": 40.0, "living_street": 6.0, "residential": 2.0}
        self._time_s = network.free_s * np.array([slow.get(c, 1.0) for c in self._class])
        ok = roads["bus"] & roads["main"] & ~roads["road_class"].isin(["motorway", "living_street"])
        self._rows = np.flatnonzero(ok.to_numpy() & (self._length > 45.0))
        self._tree = shapely.STRtree(self._lines[self._rows])
        self._places = dict(zip(places["name"], places.geometry, strict=True))

    def _point(self, via: Any) -> Point:
        if isinstance(via, str):
            if via not in self._places:
                raise CityError(f"qibu: bus_lines.json names a place that is not there: '{via}'")
            return self._places[via]
        if "km" in via:
            return Point(metres(via["km"]))
        s, t = metres(via["st"])
        return Point(self._land.spine.to_xy(np.array([s]), np.array([t]))[0])

    def _near(self, point: Point) -> npt.NDArray[np.int64]:
        """Both directions of the street nearest to a point."""
        first = self._rows[self._tree.nearest(point)]
        reach = self._lines[first].distance(point) + 14.0
        found = self._rows[self._tree.query(point, predicate="dwithin", distance=reach)]
        return np.sort(found)

    def path(self, line: dict[str, Any], direction: int, gate: Any) -> npt.NDArray[np.int64]:
        """Quickest way over all way points; which side of the street to pass each on is part of the choice."""
        sets = [self._near(self._point(via)) for via in line["via"]]
        if direction:
            sets.reverse()
        if gate is not None and direction == 0:
            sets.append(np.array([gate["road_out"]]))
        elif gate is not None:
            sets.insert(0, np.array([gate["road"]]))
        cost = np.zeros(len(sets[0]))
        back: list[Any] = []
        for a, b in pairwise(sets):
            step = self._network.times(a, b, self._time_s).astype(np.float64) + cost[:, None]
            back.append(step.argmin(axis=0))
            cost = step.min(axis=0)
        if not np.isfinite(cost).any():
            raise CityError(f"qibu: bus line {line['line']} finds no way (bus_lines.json)")
        at = [int(cost.argmin())]
        for choice in reversed(back):
            at.append(int(choice[at[-1]]))
        roads = np.array([s[k] for s, k in zip(sets, reversed(at), strict=True)])
        legs = self._network.routes(roads[:-1], roads[1:], self._time_s)
        parts = [legs[0], *[legs[k][1:] for k in range(1, len(legs))]]
        return np.concatenate(parts).astype(np.int64)

    def halts(self, path: npt.NDArray[np.int64]) -> list[tuple[int, float]]:
        """Return stops along a way: (road, m) in the order they are passed."""
        out: list[tuple[int, float]] = []
        since = _EVERY_M  # so that the first road gets a stop
        for k, road in enumerate(path.tolist()):
            length = float(self._length[road])
            last = k == len(path) - 1
            here = 0.0
            may = length > 2 * _CLEAR_M + 10 and self._class[road] != "motorway"
            while may and since + (length - here) >= _EVERY_M:
                pos = min(max(here + _EVERY_M - since, _CLEAR_M), length - _CLEAR_M)
                if pos <= here:
                    break
                out.append((road, round(pos, 1)))
                since, here = 0.0, pos
            since += length - here
            if (
                last
                and may
                and since > 150.0
                and (not out or out[-1][0] != road or length - _CLEAR_M - out[-1][1] > _SHARE_M)
            ):
                out.append((road, round(length - _CLEAR_M, 1)))
        return out


def _stop_places(rows: list[tuple[str, int, float]], roads: gpd.GeoDataFrame, land: Land) -> gpd.GeoDataFrame:
    road = np.array([r[1] for r in rows])
    pos = np.array([r[2] for r in rows])
    lines = roads.geometry.to_numpy()[road]
    points = shapely.line_interpolate_point(lines, pos / roads["length_m"].to_numpy()[road], normalized=True)
    xy: Floats = shapely.get_coordinates(points)
    community = land.community_of(xy[:, 0], xy[:, 1])
    cn = dict(zip(land.communities["community"], land.communities["name"], strict=True))
    en = dict(zip(land.communities["community"], land.communities["name_en"], strict=True))
    street, street_en = roads["name"].to_numpy()[road], roads["name_en"].to_numpy()[road]
    return gpd.GeoDataFrame(
        {
            "kind": "bus_stop",
            "name": [f"{cn[c].removesuffix('村')}·{s}站" for c, s in zip(community, street, strict=True)],
            "name_en": [f"{en[c].removesuffix(' Village')} / {s}" for c, s in zip(community, street_en, strict=True)],
            "road": road,
            "pos_m": pos,
            "road_out": -1,
            "weight": 0.0,
            "community": community,
            "place": [r[0] for r in rows],
        },
        geometry=points,
        crs=CRS,
    )
