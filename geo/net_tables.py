"""SUMO network → tables: one pass over the XML, then arrays.

sumolib's reader makes an object for every lane and connection; here the few attributes a city needs go
straight from the parser into columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.city import ROAD_CLASSES
from geo.errors import CityError
from geo.network import Network
from geo.read_xml import read_xml

#: where a network without a projection is put: longitude, latitude of the middle of Jinan
DEFAULT_ANCHOR = (117.0, 36.68)
_INNER = ("internal", "walkingarea", "crossing")
_RAIL = frozenset({"tram", "rail", "rail_urban", "rail_electric", "rail_fast", "subway", "cable_car"})
#: the SUMO vehicle class behind each column of roads
_CLASS_OF = {"car": "passenger", "bus": "bus", "bike": "bicycle", "foot": "pedestrian"}
_OSM_CLASS = {
    "unclassified": "residential",
    "road": "residential",
    "pedestrian": "path",
    "footway": "path",
    "cycleway": "path",
    "bridleway": "path",
    "steps": "path",
    "corridor": "path",
    "busway": "service",
    "bus_guideway": "service",
    "services": "service",
    "raceway": "service",
}
#: class of an untyped road for cars by its speed limit, m/s
_CLASS_BY_SPEED = (
    (27, "motorway"),
    (22, "trunk"),
    (16, "primary"),
    (11, "tertiary"),
    (6, "residential"),
    (-1, "living_street"),
)


@dataclass(frozen=True)
class NetTables:
    """What a SUMO network says, in the columns of :class:`geo.city.City`.

    ``roads`` and ``junctions`` are in metres of ``crs`` (network coordinates minus ``net_offset``). Extra
    columns: roads ``lanes_all`` (all lanes, ``lanes`` counts those for cars), ``first_lane`` (index of the
    rightmost of ``lanes``), ``sumo_type``; turns ``car`` and ``bus`` (who may turn). ``subdistrict`` is
    empty. ``located``: False when the network has no projection, so that its place on earth is assumed.
    """

    roads: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame
    turns: pd.DataFrame
    crs: str
    net_offset: tuple[float, float]
    located: bool


@dataclass
class _Edge:
    id: str
    attributes: dict[str, str]
    lanes: list[dict[str, str]] = field(default_factory=list)


@dataclass
class _Raw:
    """The elements of a network as the parser meets them."""

    location: dict[str, str] = field(default_factory=dict)
    edges: list[_Edge] = field(default_factory=list)
    junctions: list[tuple[str, str, float, float]] = field(default_factory=list)
    connections: list[tuple[str, int, str, int, str | None, str | None]] = field(default_factory=list)
    _edge: _Edge | None = None

    def start(self, tag: str, a: dict[str, str]) -> None:
        if tag == "lane":
            if self._edge is not None:
                float(a["speed"]), float(a["length"]), a["shape"]  # a fault is found while its line is known
                self._edge.lanes.append(a)
        elif tag == "connection":
            if not a["from"].startswith(":"):
                turn = (
                    a["from"],
                    int(a["fromLane"]),
                    a["to"],
                    int(a["toLane"]),
                    a.get("allow"),
                    a.get("disallow"),
                )
                self.connections.append(turn)
        elif tag == "edge":
            inner = a.get("function") in _INNER or a["id"].startswith(":")
            self._edge = None if inner else _Edge(a["id"], {"from": a["from"], "to": a["to"], **a})
            if self._edge is not None:
                self.edges.append(self._edge)
        elif tag == "junction":
            if a.get("type") != "internal":
                self.junctions.append((a["id"], a.get("type", ""), float(a["x"]), float(a["y"])))
        elif tag == "location":
            self.location = a


def read_tables(net_file: Path, crs: str | None = None, anchor: tuple[float, float] = DEFAULT_ANCHOR) -> NetTables:
    """Read a ``.net.xml`` or ``.net.xml.gz``.

    ``crs`` overrides the projection that the network names. A network without one (``projParameter="!"``)
    gets a local transverse Mercator with its middle at ``anchor`` (longitude, latitude). Raises
    :class:`CityError` for a file that is missing, broken, no SUMO network, or has no road for cars.
    """
    net_file = Path(net_file)
    raw = _Raw()
    read_xml(net_file, "net", raw.start)
    if not raw.edges:
        raise CityError(f"{net_file}: the network has no edges")
    offset = _pair(raw.location.get("netOffset", "0.00,0.00"))
    name, located = _crs(net_file, raw, offset, crs, anchor)
    edges = [edge for edge in raw.edges if edge.lanes]
    lane_ok = _lane_permissions(edges)
    try:
        roads = _roads(edges, lane_ok, offset, name)
    except ValueError as error:
        raise CityError(f"{net_file}: the shape of a lane is not readable ({error})") from None
    if not roads["car"].any():
        raise CityError(f"{net_file}: none of the {len(roads)} roads is open to cars (SUMO class 'passenger')")
    turns = _turns(raw.connections, edges, lane_ok)
    tables = NetTables(roads, _junctions(raw.junctions, offset, name), turns, name, offset, located)
    roads["main"] = Network.of(tables).main_part() & roads["car"].to_numpy(bool)
    return tables


def _pair(text: str) -> tuple[float, float]:
    x, y = text.split(",")[:2]
    return float(x), float(y)


def _crs(
    net_file: Path, raw: _Raw, offset: tuple[float, float], crs: str | None, anchor: tuple[float, float]
) -> tuple[str, bool]:
    """Name of the CRS of (network coordinates − offset), and whether the network itself is located."""
    text = crs or raw.location.get("projParameter", "!")
    if text in ("!", "-", ".", ""):
        box = [float(v) for v in raw.location.get("convBoundary", "0,0,0,0").split(",")]
        x0, y0 = (box[0] + box[2]) / 2 - offset[0], (box[1] + box[3]) / 2 - offset[1]
        return (
            f"+proj=tmerc +lat_0={anchor[1]:g} +lon_0={anchor[0]:g} +k=1 +x_0={x0:g} +y_0={y0:g} "
            "+datum=WGS84 +units=m +no_defs +type=crs",
            False,
        )
    try:
        parsed = CRS.from_user_input(text)
    except CRSError:
        raise CityError(f"{net_file}: projection '{text}' is not known; expected a PROJ text or EPSG:…") from None
    if not parsed.is_projected:
        raise CityError(f"{net_file}: projection '{text}' is in degrees; a network in metres is needed")
    code = parsed.to_epsg(min_confidence=20) if "+proj=utm" in text and "WGS84" in text else None
    return (f"EPSG:{code}" if code else text), True


def _allows(allow: str | None, disallow: str | None) -> dict[str, bool]:
    """Which of car, bus, bike, foot (and only-rail) a lane or connection lets through."""
    if allow is not None:
        classes = frozenset(allow.split())
        every = "all" in classes
        ok = {column: every or sumo in classes for column, sumo in _CLASS_OF.items()}
        ok["rail_only"] = bool(classes) and classes <= _RAIL
        return ok
    banned = frozenset((disallow or "").split())
    ok = {column: not ("all" in banned or sumo in banned) for column, sumo in _CLASS_OF.items()}
    ok["rail_only"] = False
    return ok


def _lane_permissions(edges: list[_Edge]) -> list[list[dict[str, bool]]]:
    """Permissions of every lane of every edge; equal texts share one answer."""
    known: dict[tuple[str | None, str | None], dict[str, bool]] = {}
    out = []
    for edge in edges:
        row = []
        for lane in edge.lanes:
            key = (lane.get("allow"), lane.get("disallow"))
            if key not in known:
                known[key] = _allows(*key)
            row.append(known[key])
        out.append(row)
    return out


def _roads(
    edges: list[_Edge], lane_ok: list[list[dict[str, bool]]], offset: tuple[float, float], crs: str
) -> gpd.GeoDataFrame:
    rows = []
    right, left = [], []
    for edge, ok in zip(edges, lane_ok, strict=True):
        used = _used_lanes(ok)
        lane = edge.lanes[used[0]]
        speed = max(float(edge.lanes[k]["speed"]) for k in used)
        may = {column: any(o[column] for o in ok) for column in _CLASS_OF}
        kind = edge.attributes.get("type", "")
        rail = all(o["rail_only"] for o in ok)
        name = edge.attributes.get("name", "")
        rows.append(
            (
                edge.id,
                edge.attributes["from"],
                edge.attributes["to"],
                name,
                name,
                road_class(kind, speed, len(used), may, rail),
                speed,
                len(used),
                float(lane["length"]),
                *may.values(),
                len(edge.lanes),
                used[0],
                kind,
            )
        )
        right.append(lane["shape"])
        left.append(edge.lanes[used[-1]]["shape"])
    columns = [
        "edge",
        "from_node",
        "to_node",
        "name",
        "name_en",
        "road_class",
        "speed_m_s",
        "lanes",
        "length_m",
    ]
    columns += [*_CLASS_OF, "lanes_all", "first_lane", "sumo_type"]
    table = pd.DataFrame(rows, columns=columns)
    table["main"] = False
    table["subdistrict"] = ""
    return gpd.GeoDataFrame(table, geometry=_middle(right, left, offset), crs=crs)


def _used_lanes(ok: list[dict[str, bool]]) -> list[int]:
    """Return the indices of the lanes that make up the carriageway: for cars, else buses, else all."""
    for column in ("car", "bus"):
        lanes = [k for k, o in enumerate(ok) if o[column]]
        if lanes:
            return lanes
    return list(range(len(ok)))


def road_class(sumo_type: str, speed_m_s: float, lanes: int, may: dict[str, bool], rail: bool = False) -> str:
    """Return the class of a road: from an OpenStreetMap type (``highway.primary``), else from who and speed."""
    for part in sumo_type.split("|"):
        family, _, kind = part.rpartition(".")
        kind = kind.removesuffix("_link")
        kind = _OSM_CLASS.get(kind, kind)
        if kind in ROAD_CLASSES and family in ("", "highway"):
            return kind
    if rail or sumo_type.startswith("railway"):
        return "rail"
    if not may["car"]:
        return "service" if may["bus"] else "path"
    slower = [kind for above, kind in _CLASS_BY_SPEED if speed_m_s > above]
    if slower[0] in ("secondary", "tertiary"):
        return "primary" if lanes >= 3 else "secondary" if lanes == 2 else "tertiary"
    return slower[0]


def _shapes(texts: list[str]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Points (n, 2) of all shapes one after another, and the number of points of each."""
    counts = np.array([text.count(" ") + 1 for text in texts], dtype=np.int64)
    if any(text.count(",") != n for text, n in zip(texts, counts.tolist(), strict=True)):  # some have heights
        texts = [" ".join(",".join(p.split(",")[:2]) for p in text.split()) for text in texts]
        counts = np.array([text.count(" ") + 1 for text in texts], dtype=np.int64)
    flat = np.array(" ".join(texts).replace(",", " ").split(), dtype=np.float64)
    return flat.reshape(-1, 2), counts


def _middle(right: list[str], left: list[str], offset: tuple[float, float]) -> npt.NDArray[np.object_]:
    """Return lines halfway between rightmost and leftmost lane; where points differ, the lane with more."""
    a, n_a = _shapes(right)
    b, n_b = _shapes(left)
    same, more_a = n_a == n_b, n_a > n_b
    counts = np.maximum(np.where(same | more_a, n_a, n_b), 2)
    out = np.empty((counts.sum(), 2))
    start_a, start_b = np.cumsum(n_a) - n_a, np.cumsum(n_b) - n_b
    owner = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    # a shape of a single point is repeated, since a line needs two
    from_a = a[start_a[owner] + np.minimum(place, n_a[owner] - 1)]
    from_b = b[start_b[owner] + np.minimum(place, n_b[owner] - 1)]
    out[:] = np.where(same[owner, None], (from_a + from_b) / 2, np.where(more_a[owner, None], from_a, from_b))
    return np.asarray(shapely.linestrings(out - np.asarray(offset), indices=owner), dtype=np.object_)


def _turns(
    connections: list[tuple[str, int, str, int, str | None, str | None]],
    edges: list[_Edge],
    lane_ok: list[list[dict[str, bool]]],
) -> pd.DataFrame:
    index = {edge.id: i for i, edge in enumerate(edges)}
    rows = []
    for a, lane_a, b, lane_b, allow, disallow in connections:
        i, j = index.get(a), index.get(b)
        if i is None or j is None or lane_a >= len(lane_ok[i]) or lane_b >= len(lane_ok[j]):
            continue
        ok_a, ok_b = lane_ok[i][lane_a], lane_ok[j][lane_b]
        car, bus = ok_a["car"] and ok_b["car"], ok_a["bus"] and ok_b["bus"]
        if allow is not None or disallow is not None:
            own = _allows(allow, disallow)
            car, bus = car and own["car"], bus and own["bus"]
        if car or bus:
            rows.append((i, j, car, bus))
    table = pd.DataFrame(rows, columns=["from_road", "to_road", "car", "bus"])
    table = table.astype({"from_road": np.int32, "to_road": np.int32, "car": bool, "bus": bool})
    return table.groupby(["from_road", "to_road"], as_index=False, sort=True).any()


def _junctions(rows: list[tuple[str, str, float, float]], offset: tuple[float, float], crs: str) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=["node", "kind", "x", "y"])
    points = shapely.points(table.pop("x").to_numpy() - offset[0], table.pop("y").to_numpy() - offset[1])
    table["signal"] = table["kind"].str.startswith("traffic_light")
    table["subdistrict"] = ""
    return gpd.GeoDataFrame(table, geometry=points, crs=crs)
