"""The city as streams: roads, waters, blocks, outlines and places in millionths of a degree around a centre.

Whole steps of 10⁻⁶ degree are about a decimetre; differences from vertex to vertex are small and pack well. The page
turns them into 32-bit offsets from the centre, which the graphics card handles without losing precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.city import BLOCK_KINDS, PLACE_KINDS, ROAD_CLASSES
from viz.pack import varint, wide, zigzag

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.city import City

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
UNIT_DEG = 1e-6
_LANE_M = 3.2
_ROAD_TOLERANCE_M = 0.8
_AREA_TOLERANCE_M = 2.0


@dataclass(frozen=True)
class Frame:
    """The centre of the map (degrees) and the extent of the roads (west, south, east, north in degrees)."""

    lon: float
    lat: float
    extent: tuple[float, float, float, float]

    @classmethod
    def of(cls, city: City) -> Frame:
        """Return the frame around the city's roads."""
        x0, y0, x1, y1 = city.roads.total_bounds
        lon, lat = city.to_wgs84([x0, x1, x0, x1], [y0, y0, y1, y1])
        west, east, south, north = float(lon.min()), float(lon.max()), float(lat.min()), float(lat.max())
        return cls(round((west + east) / 2, 6), round((south + north) / 2, 6), (west, south, east, north))

    def units(self, city: City, xy: npt.NDArray[Any]) -> Ints:
        """Local metres (n, 2) → whole units from the centre (n, 2)."""
        lon, lat = city.to_wgs84(xy[:, 0], xy[:, 1])
        return np.rint(np.column_stack([lon - self.lon, lat - self.lat]) / UNIT_DEG).astype(np.int64)


class Names:
    """A table of texts, each kept once; entry 0 is the empty text."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._at: dict[str, int] = {"": 0}

    def add(self, values: Sequence[Any]) -> Ints:
        """Return the numbers of the texts, adding those not met before."""
        out = np.empty(len(values), dtype=np.int64)
        for i, value in enumerate(values):
            text = value if isinstance(value, str) else ""
            at = self._at.get(text)
            if at is None:
                at = self._at[text] = len(self.texts)
                self.texts.append(text)
            out[i] = at
        return out


def opposite(city: City) -> Ints:
    """Return for every road the road that runs back along the same line, −1 where there is none."""
    roads = city.roads
    nodes: dict[str, int] = {}
    a = np.array([nodes.setdefault(n, len(nodes)) for n in roads["from_node"]], dtype=np.int64)
    b = np.array([nodes.setdefault(n, len(nodes)) for n in roads["to_node"]], dtype=np.int64)
    n = np.int64(max(len(nodes), 1))
    forth, back = a * n + b, b * n + a
    order = np.argsort(forth, kind="stable")
    at = np.minimum(np.searchsorted(forth[order], back), len(order) - 1)
    other = np.where(forth[order][at] == back, order[at], -1)
    lines = roads.geometry.to_numpy()
    near = shapely.distance(
        shapely.line_interpolate_point(lines, 0.5, normalized=True),
        shapely.line_interpolate_point(lines[other], 0.5, normalized=True),
    )
    other[(near > 2 * _LANE_M * roads["lanes"].to_numpy()) | (other == np.arange(len(other)))] = -1
    return np.asarray(other, dtype=np.int64)


def side_m(city: City, other: Ints) -> Floats:
    """Return how far right of its line each road's traffic runs: half its width where the line is shared, else 0."""
    lines = city.roads.geometry.to_numpy()
    shared = other >= 0
    apart = shapely.distance(
        shapely.line_interpolate_point(lines, 0.5, normalized=True), lines[np.where(shared, other, 0)]
    )
    shared &= apart < 0.5 * _LANE_M
    return np.where(shared, city.roads["lanes"].to_numpy(np.float64) * _LANE_M / 2, 0.0)


def _lines(city: City, frame: Frame, geometry: npt.NDArray[Any]) -> tuple[Ints, Ints]:
    """Return (vertices per line, steps of units: the first absolute, by line)."""
    xy, owner = shapely.get_coordinates(geometry, return_index=True)
    counts = np.bincount(owner, minlength=len(geometry))
    return counts, _steps(frame.units(city, xy), owner)


def _steps(units: Ints, owner: Ints) -> Ints:
    out = units.copy()
    if len(units) > 1:
        same = owner[1:] == owner[:-1]
        out[1:][same] -= units[:-1][same]
        heads = np.flatnonzero(~same) + 1  # the first vertex of a line as a step from the first of the line before
        starts = np.concatenate([[0], heads])
        out[heads] = units[heads] - units[starts[:-1]]
    return out


def _areas(city: City, frame: Frame, table: gpd.GeoDataFrame, tolerance_m: float) -> tuple[dict[str, bytes], Ints]:
    """Return streams of rings, and for every ring-group (polygon) the row of the table it belongs to."""
    shapes = shapely.simplify(table.geometry.to_numpy(), tolerance_m)
    parts, row = shapely.get_parts(shapes, return_index=True)
    fine = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    parts, row = parts[fine], row[fine]
    rings, polygon = shapely.get_rings(parts, return_index=True)
    counts, step = _lines(city, frame, rings)
    streams = {
        "rings": varint(np.bincount(polygon, minlength=len(parts))),
        "vertices": varint(counts),
        "x": wide(zigzag(step[:, 0])),
        "y": wide(zigzag(step[:, 1])),
        "row": varint(row),
    }
    return streams, row


def _nodes(city: City, frame: Frame) -> dict[str, bytes]:
    """Streams of the junctions' points and of the junction at either end of each road.

    Roads end where the junction begins; the page draws them on to its middle.
    """
    at = {name: i + 1 for i, name in enumerate(city.junctions["node"].tolist())}
    xy = frame.units(city, shapely.get_coordinates(shapely.centroid(city.junctions.geometry.to_numpy())).reshape(-1, 2))
    begin, end = (np.array([at.get(n, 0) for n in city.roads[c]], dtype=np.int64) for c in ("from_node", "to_node"))
    return {
        "node.x": wide(zigzag(np.diff(xy[:, 0], prepend=0))),
        "node.y": wide(zigzag(np.diff(xy[:, 1], prepend=0))),
        "road.from": wide(zigzag(np.diff(begin, prepend=0))),
        "road.to": wide(zigzag(np.diff(end, prepend=0))),
    }


def _whole(table: Any, column: str) -> bytes:
    values = table[column].to_numpy(np.float64)
    return varint(np.rint(np.nan_to_num(np.maximum(values, 0))).astype(np.int64))


def _codes(values: Any, allowed: Sequence[str]) -> bytes:
    at = {name: i for i, name in enumerate(allowed)}
    return varint(np.array([at.get(v, len(allowed)) for v in values], dtype=np.int64))


def _rank(values: Any, ids: Any) -> bytes:
    """Row + 1 of each id, 0 where it is not there."""
    at = {name: i + 1 for i, name in enumerate(ids)}
    return varint(np.array([at.get(v, 0) for v in values], dtype=np.int64))


def city_streams(city: City, frame: Frame) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return (meta, streams) of everything the page draws of the city."""
    names = Names()
    streams: dict[str, bytes] = {}
    roads = city.roads
    other = opposite(city)
    counts, step = _lines(city, frame, shapely.simplify(roads.geometry.to_numpy(), _ROAD_TOLERANCE_M))
    streams |= {
        "road.vertices": varint(counts),
        "road.x": wide(zigzag(step[:, 0])),
        "road.y": wide(zigzag(step[:, 1])),
        "road.name": varint(names.add(roads["name"].tolist())),
        "road.name_en": varint(names.add(roads["name_en"].tolist())),
        "road.class": _codes(roads["road_class"], ROAD_CLASSES),
        "road.speed_dm_s": varint(np.rint(roads["speed_m_s"].to_numpy(np.float64) * 10).astype(np.int64)),
        "road.lanes": _whole(roads, "lanes"),
        "road.length_dm": wide(np.rint(roads["length_m"].to_numpy(np.float64) * 10).astype(np.int64)),
        "road.side_dm": varint(np.rint(side_m(city, other) * 10).astype(np.int64)),
        "road.other": wide(zigzag(np.where(other < 0, 0, other - np.arange(len(other))))),
    }
    streams |= _nodes(city, frame)
    for key, table, tolerance in (
        ("water", city.waters, _AREA_TOLERANCE_M),
        ("block", city.blocks, _AREA_TOLERANCE_M),
        ("community", city.communities, 4.0),
        ("subdistrict", city.subdistricts, 4.0),
    ):
        if len(table):
            streams |= {f"{key}.{k}": v for k, v in _areas(city, frame, table, tolerance)[0].items()}
        if "name" in table:
            streams[f"{key}.name"] = varint(names.add(table["name"].tolist()))
            streams[f"{key}.name_en"] = varint(names.add(table["name_en"].tolist()))
    blocks, places, communities = city.blocks, city.places, city.communities
    streams |= {
        "block.kind": _codes(blocks["kind"], BLOCK_KINDS),
        "block.community": _rank(blocks["community"], communities["community"]),
        **{f"block.{c}": _whole(blocks, c) for c in ("residents", "jobs", "shops", "pupils", "storeys")},
        "community.residents": _whole(communities, "residents"),
        "community.subdistrict": _rank(communities["subdistrict"], city.subdistricts["subdistrict"]),
        "community.kind": varint(names.add(communities["kind"].tolist())),
        "subdistrict.residents": _whole(city.subdistricts, "residents"),
        "place.kind": _codes(places["kind"], PLACE_KINDS),
        "place.name": varint(names.add(places["name"].tolist())),
        "place.name_en": varint(names.add(places["name_en"].tolist())),
        "place.id": varint(names.add(places["place"].tolist())),
        "place.community": _rank(places["community"], communities["community"]),
    }
    for key, table in (("place", places), ("junction", city.junctions[city.junctions["signal"].to_numpy(bool)])):
        points = shapely.centroid(table.geometry.to_numpy())
        xy = frame.units(city, shapely.get_coordinates(points).reshape(-1, 2))
        streams |= {f"{key}.x": varint(zigzag(xy[:, 0])), f"{key}.y": varint(zigzag(xy[:, 1]))}
    meta = {
        "centre": [frame.lon, frame.lat],
        "extent": list(frame.extent),
        "unit_deg": UNIT_DEG,
        "names": names.texts,
        "road_classes": list(ROAD_CLASSES),
        "block_kinds": list(BLOCK_KINDS),
        "place_kinds": list(PLACE_KINDS),
    }
    return meta, streams
