"""The city: district → subdistrict → community → grid, roads, places, blocks, waters; no time in it.

Every table is in local metres: the projected CRS named by :attr:`City.crs` (UTM 50N, EPSG:32650, for the
shipped district). SUMO's own coordinates differ from it by :attr:`City.net_offset`.

Tables (columns that every city has; builders may add more):

=============  ====================================================================================
subdistricts   subdistrict (id), name, name_en, residents, geometry (polygon)
communities    community (id), name, name_en, subdistrict, kind (village | town | new_town), residents,
               geometry (polygon)
grids          grid (id), community, geometry (polygon)
roads          one row per directed SUMO edge, its row number is the *road index* used everywhere:
               edge (SUMO id), from_node, to_node, name, name_en, road_class, speed_m_s, lanes, length_m,
               car, bus, bike, foot (may use it), main (car-reachable from and to the main part of the
               network), subdistrict, geometry (line)
turns          from_road, to_road (road indices): the connections of the SUMO network usable by car or bus
junctions      node (SUMO id), kind (SUMO type), signal (bool), subdistrict, geometry (point)
places         place (id), kind (one of PLACE_KINDS), name, name_en, community, road (index, -1 = none),
               pos_m (along that road), geometry (point)
blocks         block (id), kind (one of BLOCK_KINDS), community, grid, residents, jobs, shops, pupils
               (school places), storeys, road (index of the road its cars use), geometry (polygon)
waters         name, name_en, kind (river | reservoir | lake | canal | pond), geometry (polygon)
bus_lines      line, name, direction (0 | 1), stops (list of place ids of kind bus_stop), first_s, last_s,
               headway_s, peak_headway_s
=============  ====================================================================================

A *gate* is a place of kind ``gate`` where traffic enters and leaves the city: its ``road`` leads in; its
``road_out`` (an extra column of places, -1 elsewhere) leads out; ``weight`` says how much of it uses this gate.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import Transformer
from scipy.spatial import cKDTree

from geo.errors import CityError

if TYPE_CHECKING:
    from geo.network import Network

FORMAT = 1

ROAD_CLASSES = (
    "motorway",
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "residential",
    "living_street",
    "service",
    "track",
    "path",
    "rail",
)
PLACE_KINDS = (
    "gate",
    "bus_stop",
    "school",
    "kindergarten",
    "hospital",
    "clinic",
    "shop",
    "market",
    "service_hall",
    "service_point",
    "company_station",
    "fire_station",
    "police_station",
    "logistics_park",
    "industrial_park",
    "park",
    "landmark",
    "community_centre",
    "depot",
    "charging",
    "construction_site",
    "water",
)
BLOCK_KINDS = (
    "village",
    "housing",
    "mixed",
    "commerce",
    "industry",
    "logistics",
    "office",
    "school",
    "public",
    "construction",
    "farm",
)

_GEO_TABLES = ("subdistricts", "communities", "grids", "roads", "junctions", "places", "blocks", "waters")
_PLAIN_TABLES = ("turns", "bus_lines")

_REQUIRED = {
    "subdistricts": ("subdistrict", "name", "name_en", "residents"),
    "communities": ("community", "name", "name_en", "subdistrict", "kind", "residents"),
    "grids": ("grid", "community"),
    "roads": (
        "edge",
        "from_node",
        "to_node",
        "name",
        "name_en",
        "road_class",
        "speed_m_s",
        "lanes",
        "length_m",
        "car",
        "bus",
        "bike",
        "foot",
        "main",
        "subdistrict",
    ),
    "junctions": ("node", "kind", "signal", "subdistrict"),
    "places": ("place", "kind", "name", "name_en", "community", "road", "pos_m", "road_out", "weight"),
    "blocks": (
        "block",
        "kind",
        "community",
        "grid",
        "residents",
        "jobs",
        "shops",
        "pupils",
        "storeys",
        "road",
    ),
    "waters": ("name", "name_en", "kind"),
    "turns": ("from_road", "to_road"),
    "bus_lines": (
        "line",
        "name",
        "direction",
        "stops",
        "first_s",
        "last_s",
        "headway_s",
        "peak_headway_s",
    ),
}


@dataclass(frozen=True)
class Origin:
    """Where a city comes from and what about it is generated or inferred; shown wherever the city is shown."""

    name: str
    title: str
    title_en: str
    schematic: bool
    source: str
    homes_from: str
    jobs_from: str
    attribution: str = ""
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class City:
    """A city, in tables (see the module's text); ``net_file`` is its SUMO network."""

    origin: Origin
    crs: str
    net_offset: tuple[float, float]
    net_file: Path
    subdistricts: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    waters: gpd.GeoDataFrame
    turns: pd.DataFrame
    bus_lines: pd.DataFrame

    @property
    def name(self) -> str:
        """Short name, such as ``qibu``."""
        return self.origin.name

    @property
    def schematic(self) -> bool:
        """True when streets and people are generated, which every picture must say."""
        return self.origin.schematic

    # -- files ---------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the city to ``folder``: GeoParquet tables, the SUMO network, ``city.json``; return the folder."""
        out = Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        self.check()
        for name in _GEO_TABLES:
            table: gpd.GeoDataFrame = getattr(self, name)
            table.set_crs(self.crs, allow_override=True).to_parquet(out / f"{name}.parquet", compression="zstd")
        for name in _PLAIN_TABLES:
            getattr(self, name).to_parquet(out / f"{name}.parquet", compression="zstd")
        net = out / "net.net.xml.gz"
        if self.net_file.resolve() != net.resolve():
            content = self.net_file.read_bytes()
            zipped = content[:2] == b"\x1f\x8b"
            net.write_bytes(content if zipped else gzip.compress(content, mtime=0))
        meta = {
            "format": FORMAT,
            "crs": self.crs,
            "net_offset": list(self.net_offset),
            "origin": asdict(self.origin),
        }
        (out / "city.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")
        return out

    @classmethod
    def load(cls, folder: str | Path) -> City:
        """Read a city that :meth:`save` wrote. Raises :class:`CityError` when it is not one."""
        path = Path(folder)
        meta_file = path / "city.json"
        if not meta_file.is_file():
            raise CityError(f"{path}: not a city folder (no city.json); make one with 'twin city build'")
        try:
            meta = json.loads(meta_file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CityError(f"{meta_file}: not readable as JSON ({error})") from None
        if meta.get("format") != FORMAT:
            raise CityError(
                f"{meta_file}: format is {meta.get('format')!r}, this version reads {FORMAT}; build it anew"
            )
        tables: dict[str, Any] = {}
        for name in (*_GEO_TABLES, *_PLAIN_TABLES):
            file = path / f"{name}.parquet"
            try:
                tables[name] = gpd.read_parquet(file) if name in _GEO_TABLES else pd.read_parquet(file)
            except FileNotFoundError:
                raise CityError(f"{file}: missing; build the city anew") from None
            except Exception as error:
                raise CityError(f"{file}: not readable ({error}); build the city anew") from None
        origin = Origin(**{**meta["origin"], "notes": tuple(meta["origin"].get("notes", ()))})
        return cls(
            origin=origin,
            crs=meta["crs"],
            net_offset=(float(meta["net_offset"][0]), float(meta["net_offset"][1])),
            net_file=path / "net.net.xml.gz",
            **tables,
        )

    def check(self) -> None:
        """Raise :class:`CityError` if a table lacks a column or points at a row that is not there."""
        for table, columns in _REQUIRED.items():
            missing = [c for c in columns if c not in getattr(self, table).columns]
            if missing:
                raise CityError(f"{self.name}: table '{table}' lacks {', '.join(missing)}")
        n = len(self.roads)
        for table, column in (
            ("turns", "from_road"),
            ("turns", "to_road"),
            ("blocks", "road"),
            ("places", "road"),
        ):
            values = getattr(self, table)[column].to_numpy()
            if len(values) and (values.max() >= n or values.min() < -1):
                raise CityError(f"{self.name}: {table}.{column} points at a road that is not there (0..{n - 1})")
        bad_kinds = set(self.places["kind"]) - set(PLACE_KINDS)
        if bad_kinds:
            raise CityError(f"{self.name}: unknown place kind {sorted(bad_kinds)}; allowed: {', '.join(PLACE_KINDS)}")
        bad_kinds = set(self.blocks["kind"]) - set(BLOCK_KINDS)
        if bad_kinds:
            raise CityError(f"{self.name}: unknown block kind {sorted(bad_kinds)}; allowed: {', '.join(BLOCK_KINDS)}")

    def digest(self) -> str:
        """Return a hash of everything in the city that a run depends on (32 hex digits)."""
        h = hashlib.blake2b(digest_size=16)
        h.update(json.dumps([self.crs, self.net_offset, asdict(self.origin)], sort_keys=True, default=str).encode())
        for name in (*_GEO_TABLES, *_PLAIN_TABLES):
            table = getattr(self, name)
            plain = pd.DataFrame(table.drop(columns="geometry")) if "geometry" in table else table
            if "stops" in plain:  # a list before saving is an array after loading
                plain = plain.assign(stops=[" ".join(stops) for stops in plain["stops"]])
            h.update(name.encode())
            h.update(plain.to_csv(index=False).encode())
            if "geometry" in table:
                for wkb in table.geometry.to_wkb():
                    h.update(wkb)
        return h.hexdigest()

    # -- coordinates ---------------------------------------------------------------------------------

    @cached_property
    def _to_wgs84(self) -> Transformer:
        return Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)

    @cached_property
    def _to_local(self) -> Transformer:
        return Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)

    def to_wgs84(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Local metres → longitude, latitude in degrees (EPSG:4326)."""
        lon, lat = self._to_wgs84.transform(np.asarray(x_m), np.asarray(y_m))
        return np.asarray(lon), np.asarray(lat)

    def to_local(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Longitude, latitude in degrees → local metres."""
        x, y = self._to_local.transform(np.asarray(lon), np.asarray(lat))
        return np.asarray(x), np.asarray(y)

    def net_to_wgs84(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """SUMO's own x, y (as in FCD output) → longitude, latitude."""
        return self.to_wgs84(np.asarray(x_m) - self.net_offset[0], np.asarray(y_m) - self.net_offset[1])

    # -- look-ups ------------------------------------------------------------------------------------

    @cached_property
    def network(self) -> Network:
        """Network-time look-ups and many-to-many routes over the roads open to cars."""
        from geo.network import Network

        return Network.of(self)

    @cached_property
    def road_index(self) -> dict[str, int]:
        """SUMO edge id → road index."""
        return {edge: i for i, edge in enumerate(self.roads["edge"].tolist())}

    def place(self, name_or_id: str) -> pd.Series:
        """Return the row of the place with this id, name or English name."""
        p = self.places
        hit = p[(p["place"] == name_or_id) | (p["name"] == name_or_id) | (p["name_en"] == name_or_id)]
        if hit.empty:
            raise CityError(f"{self.name}: no place '{name_or_id}'{self._nearest_name(name_or_id)}")
        row: pd.Series[Any] = hit.iloc[0]
        return row

    def _nearest_name(self, name: str) -> str:
        from difflib import get_close_matches

        known: Sequence[str] = [*self.places["place"], *self.places["name"], *self.places["name_en"]]
        close = get_close_matches(name, [str(k) for k in known], n=1)
        return f"; did you mean '{close[0]}'?" if close else ""

    def roads_named(self, name: str, near: str | None = None, length_m: float = 500.0) -> npt.NDArray[np.int64]:
        """Return the road indices of an edge id, or of all pieces of a road with this name (both directions).

        With ``near`` (a place) only the pieces within ``length_m`` / 2 of the point of the road nearest to it.
        """
        if name in self.road_index:
            return np.asarray([self.road_index[name]], dtype=np.int64)
        roads = self.roads
        rows = np.flatnonzero(((roads["name"] == name) | (roads["name_en"] == name)).to_numpy())
        if rows.size == 0:
            from difflib import get_close_matches

            known = sorted({str(k) for k in (*roads["name"], *roads["name_en"]) if k})
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise CityError(f"{self.name}: no road '{name}'{hint}")
        if near is None:
            return rows.astype(np.int64)
        lines = roads.geometry.iloc[rows]
        point = self.place(near).geometry
        distance = lines.distance(point).to_numpy()
        nearest = lines.iloc[int(distance.argmin())]
        anchor = nearest.interpolate(nearest.project(point))
        close_by = lines.interpolate(0.5, normalized=True).distance(anchor).to_numpy() <= length_m / 2
        close_by |= lines.distance(anchor).to_numpy() < 1.0
        return np.asarray(rows[close_by], dtype=np.int64)

    def nearest_place(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike, kind: str) -> npt.NDArray[np.int64]:
        """Row numbers in ``places`` of the nearest place of ``kind`` to each point (straight line)."""
        rows = np.flatnonzero((self.places["kind"] == kind).to_numpy())
        if rows.size == 0:
            raise CityError(f"{self.name}: has no place of kind '{kind}'")
        g = self.places.geometry.iloc[rows]
        tree = cKDTree(np.column_stack([g.x, g.y]))
        points = np.column_stack([np.atleast_1d(x_m), np.atleast_1d(y_m)])
        found: npt.NDArray[np.int64] = rows[tree.query(points)[1]]
        return found
