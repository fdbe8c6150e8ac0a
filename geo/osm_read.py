"""Read the land of an OpenStreetMap extract: one pass over the XML, then shapes from arrays of coordinates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from geo import osm_tags
from geo.land import Land, table
from geo.read_xml import read_xml

#: waters smaller than this are left out, m²
_POND_M2 = 200.0
_AREA_KEYS = ("building", "landuse", "natural", "waterway", "amenity", "shop", "leisure", "tourism", "historic")
_OTHER_KEYS = (
    "building:levels water place railway highway name name:en boundary admin_level type office width tunnel "
    "capacity:pupils"
)
_KEYS = frozenset((*_AREA_KEYS, *re.split(" ", _OTHER_KEYS)))


@dataclass
class Extract:
    """The nodes, ways and relations of an extract, with those of their tags that are used here."""

    node_id: list[int] = field(default_factory=list)
    lon: list[float] = field(default_factory=list)
    lat: list[float] = field(default_factory=list)
    node_tags: dict[int, dict[str, str]] = field(default_factory=dict)
    way_nodes: dict[int, list[int]] = field(default_factory=dict)
    way_tags: dict[int, dict[str, str]] = field(default_factory=dict)
    relations: list[tuple[dict[str, str], list[tuple[int, str]]]] = field(default_factory=list)
    _tags: dict[str, str] = field(default_factory=dict)
    _refs: list[int] = field(default_factory=list)
    _members: list[tuple[int, str]] = field(default_factory=list)
    _id: int = 0

    def start(self, tag: str, a: dict[str, str]) -> None:
        """Take in an element that begins."""
        if tag == "nd":
            self._refs.append(int(a["ref"]))
        elif tag == "tag":
            if a["k"] in _KEYS:
                self._tags[a["k"]] = a["v"]
        elif tag == "node":
            self._id, self._tags = int(a["id"]), {}
            if a.get("visible") != "false" and "lat" in a:
                self.node_id.append(self._id)
                self.lon.append(float(a["lon"]))
                self.lat.append(float(a["lat"]))
        elif tag == "way":
            self._id, self._tags, self._refs = int(a["id"]), {}, []
        elif tag == "relation":
            self._id, self._tags, self._members = int(a["id"]), {}, []
        elif tag == "member" and a["type"] == "way":
            self._members.append((int(a["ref"]), a.get("role", "")))

    def end(self, tag: str) -> None:
        """Close an element."""
        if tag == "node" and self._tags:
            self.node_tags[self._id] = self._tags
        elif tag == "way":
            self.way_nodes[self._id] = self._refs
            if self._tags:
                self.way_tags[self._id] = self._tags
        elif tag == "relation" and self._tags.get("type") in ("multipolygon", "boundary"):
            self.relations.append((self._tags, self._members))

    def has_car_roads(self) -> bool:
        """Return whether any way is a road for cars."""
        return any(tags.get("highway") in osm_tags.CAR_ROADS for tags in self.way_tags.values())

    def middle(self) -> tuple[float, float]:
        """Return the middle of the extract: longitude, latitude."""
        return float(np.median(self.lon)), float(np.median(self.lat))


def read_osm(file: Path) -> Extract:
    """Read an ``.osm`` or ``.osm.gz``; broken files raise :class:`CityError` with file and line."""
    extract = Extract()
    read_xml(file, "osm", extract.start, extract.end)
    return extract


class _Shapes:
    """Lines and polygons of ways, in metres."""

    def __init__(self, extract: Extract, crs: str) -> None:
        to_local = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        ids = np.asarray(extract.node_id, dtype=np.int64)
        order = np.argsort(ids, kind="stable")
        self._ids = ids[order]
        x, y = to_local.transform(np.asarray(extract.lon)[order], np.asarray(extract.lat)[order])
        self._xy = np.column_stack([x, y])
        self._ways = extract.way_nodes

    def points(self, nodes: list[int]) -> npt.NDArray[np.float64]:
        """Coordinates of those nodes that the extract holds."""
        wanted = np.asarray(nodes, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        return np.asarray(self._xy[at[self._ids[at] == wanted]])

    def line(self, way: int) -> Any:
        """Return the line of a way, None if fewer than two of its nodes are here."""
        points = self.points(self._ways.get(way, []))
        return shapely.LineString(points) if len(points) >= 2 else None

    def area(self, way: int) -> Any:
        """Return the polygon of a closed way, None if it is open or empty."""
        nodes = self._ways[way]
        if len(nodes) < 4 or nodes[0] != nodes[-1]:
            return None
        points = self.points(nodes)
        return _valid(shapely.Polygon(points)) if len(points) >= 4 else None

    def area_of(self, members: list[tuple[int, str]]) -> Any:
        """Return the polygon(s) of a relation: rings of its outer ways less its inner ones; None if not closed."""
        parts = []
        for roles in (("outer", ""), ("inner",)):
            lines = [self.line(way) for way, role in members if role in roles]
            rings = shapely.polygonize([shapely.line_merge(shapely.union_all([x for x in lines if x is not None]))])
            parts.append(shapely.union_all(shapely.get_parts(rings)))
        return _valid(shapely.difference(parts[0], parts[1]))


def _valid(shape: Any) -> Any:
    if not shape.is_valid:
        shape = shapely.make_valid(shape)
    polygons = [p for p in shapely.get_parts(shape) if p.geom_type in ("Polygon", "MultiPolygon") and p.area > 0]
    if not polygons:
        return None
    return polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)


def land_of(extract: Extract, crs: str) -> Land:
    """Return buildings, land use, waters, places, settlements and boundaries in metres of ``crs``."""
    shapes = _Shapes(extract, crs)
    rows: dict[str, list[tuple[object, ...]]] = {}
    geometry: dict[str, list[object]] = {}

    def add(name: str, row: tuple[object, ...], shape: object) -> None:
        rows.setdefault(name, []).append(row)
        geometry.setdefault(name, []).append(shape)

    for way, tags in extract.way_tags.items():
        flow = osm_tags.stream(tags)
        shape = shapes.line(way) if flow else shapes.area(way) if _is_area(tags) else None
        if shape is not None and flow:
            add("waters", (*osm_tags.names(tags), flow[0]), shapely.buffer(shape, flow[1] / 2, cap_style="flat"))
        elif shape is not None:
            _add_area(add, tags, shape)
    for tags, members in extract.relations:
        boundary = tags.get("boundary") == "administrative" and tags.get("admin_level") in ("9", "10", "11")
        if not (boundary or _is_area(tags)):
            continue
        shape = shapes.area_of(members)
        if shape is not None and boundary and "name" in tags:
            add("boundaries", osm_tags.names(tags), shape)
        elif shape is not None:
            _add_area(add, tags, shape)
    for node, tags in extract.node_tags.items():
        kind, town = osm_tags.place(tags), osm_tags.settlement(tags)
        for name, value in (("places", kind), ("names", town)):
            if value:
                point = shapely.Point(shapes.points([node])[0])
                label = osm_tags.names(tags)
                add(name, (value, *label) if name == "places" else (*label, value), point)
    names = ("buildings", "uses", "waters", "places", "names", "boundaries")
    made = {k: table(k, rows.get(k, []), geometry.get(k, []), crs) for k in names}
    made["buildings"] = _with_shops(made["buildings"], made["places"])
    made["places"] = _once(made["places"])
    return Land(**made)


def _is_area(tags: dict[str, str]) -> bool:
    return not tags.keys().isdisjoint(_AREA_KEYS)


def _add_area(add: Any, tags: dict[str, str], shape: Any) -> None:
    name, name_en = osm_tags.names(tags)
    building = osm_tags.building(tags)
    if building is not None:
        for part in shapely.get_parts(shape):
            add("buildings", (*building, name), part)
    use, water, place = osm_tags.use(tags), osm_tags.water(tags), osm_tags.place(tags)
    if use is not None:
        add("uses", (use,), shape)
    if water is not None and shape.area >= _POND_M2:
        for part in shapely.get_parts(shape):
            add("waters", (name, name_en, water), part)
    if place is not None:
        add("places", (place, name, name_en), shapely.point_on_surface(shape))


def _with_shops(buildings: gpd.GeoDataFrame, places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Count the shops mapped as points inside buildings."""
    shops = places[places["kind"].isin(("shop", "market"))]
    if buildings.empty or shops.empty:
        return buildings
    _, inside = shapely.STRtree(buildings.geometry.to_numpy()).query(shops.geometry.to_numpy(), predicate="within")
    counted = np.bincount(inside, minlength=len(buildings))
    out = buildings.copy()
    out["shops"] = np.maximum(out["shops"].to_numpy(np.int64), counted)
    out.loc[(counted > 0) & (out["kind"] == "").to_numpy(), "kind"] = "mixed"
    return out


def _once(places: gpd.GeoDataFrame, within_m: float = 60.0) -> gpd.GeoDataFrame:
    """Drop places of one kind and name that lie within ``within_m`` of an earlier one (area and node, platforms)."""
    if len(places) < 2:
        return places
    points = places.geometry.to_numpy()
    a, b = shapely.STRtree(points).query(points, predicate="dwithin", distance=within_m)
    kind, name = places["kind"].to_numpy(object), places["name"].to_numpy(object)
    twin = (a > b) & (kind[a] == kind[b]) & (name[a] == name[b])
    keep = np.ones(len(places), dtype=bool)
    keep[a[twin]] = False
    return places[keep].reset_index(drop=True)
