"""From the tables of a network and what is known of the land to a whole City."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.city import City, Origin
from geo.errors import CityError
from geo.gates import find_gates
from geo.infer import infer_blocks, nobody, total
from geo.land import Land
from geo.levels import communities, grids, nearest, outline
from geo.network import Network

if TYPE_CHECKING:
    from geo.net_tables import NetTables

_SUBDISTRICT = "s1"
_PLACE_COLUMNS = ["place", "kind", "name", "name_en", "community", "road", "pos_m", "road_out", "weight"]
_LINE_TIMES = ("first_s", "last_s", "headway_s", "peak_headway_s")
#: a car needs this much road to start from, m
_ROOM_M = 12.0
#: land further than this from the city is left out, m
_AROUND_M = 400.0


@dataclass(frozen=True)
class Stops:
    """Bus stops on known roads (place, name, road, pos_m) and the lines that serve them (as City.bus_lines)."""

    stops: pd.DataFrame
    lines: pd.DataFrame


def line_table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return ``City.bus_lines`` from rows of line, name, direction, stops, first, last, headway, peak headway."""
    table = pd.DataFrame(rows, columns=["line", "name", "direction", "stops", *_LINE_TIMES])
    texts = {"line": str, "name": str} if rows else {}
    return table.astype({**texts, "direction": np.int64, **dict.fromkeys(_LINE_TIMES, np.int64)})


def no_stops() -> Stops:
    """Return no stops and no lines."""
    return Stops(pd.DataFrame(columns=["place", "name", "road", "pos_m"]), line_table([]))


def scratch_folder() -> Path:
    """Return a temporary folder that lives as long as the process, for a network that is not saved yet."""
    folder = Path(tempfile.mkdtemp(prefix="city-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True)
class Said:
    """What the maker of a city says of its origin."""

    name: str
    title: str
    source: str
    file: Path
    attribution: str = ""
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def assemble(tables: NetTables, net_file: Path, land: Land, stops: Stops, said: Said, homes: bool = True) -> City:
    """Return the City of a network: levels, blocks, places and gates inferred around its roads.

    Raises :class:`CityError` when no two roads lead to each other and back, so that nobody could go anywhere
    and come home. With ``homes`` false such a city is made without blocks: only vehicles that somebody gives
    drive there.
    """
    roads = tables.roads.copy()
    main = roads["main"].to_numpy(bool)
    closed = bool(main.sum() >= 2)
    if homes and not closed:
        raise CityError(
            f"{said.file}: there is no route for cars between any two places and back (of {int(roads['car'].sum())} "
            "roads for cars none leads to another and back again); at least one closed circuit is needed"
        )
    roads["subdistrict"] = _SUBDISTRICT
    junctions = tables.junctions.copy()
    junctions["subdistrict"] = _SUBDISTRICT
    area = outline(roads.geometry.to_numpy()[roads["car"].to_numpy(bool)], 120.0)
    land = _clip(land, shapely.buffer(area, _AROUND_M))
    inferred = infer_blocks(land, roads, area) if closed else nobody(tables.crs)
    blocks = inferred.blocks
    if closed and blocks.empty:
        raise CityError(f"{said.file}: no place where anybody could live or work was found beside its roads")
    seen = roads.geometry.to_numpy()[main if closed else roads["car"].to_numpy(bool)]
    area = outline(np.concatenate([seen, blocks.geometry.to_numpy()]), 30.0)
    towns = communities(area, land.names, land.boundaries, _SUBDISTRICT).set_crs(tables.crs)
    cells = grids(towns).set_crs(tables.crs)
    blocks = _finish_blocks(blocks, towns, cells, roads)
    towns["residents"] = (
        blocks.groupby("community")["residents"].sum().reindex(towns["community"]).fillna(0).to_numpy(np.int64)
    )
    network = Network.of(_Graph(roads, tables.turns))
    places = pd.concat(
        [
            _places(land.places, roads),
            _stop_places(stops.stops, roads),
            find_gates(roads, tables.turns, network, area),
        ],
        ignore_index=True,
    )
    places = gpd.GeoDataFrame(places, geometry="geometry", crs=tables.crs)
    places = places.astype({"road": np.int64, "pos_m": np.float64, "road_out": np.int64, "weight": np.float64})
    places["community"] = _labels(towns, "community", places.geometry.to_numpy())
    numbers = total(blocks)
    subdistricts = gpd.GeoDataFrame(
        {
            "subdistrict": [_SUBDISTRICT],
            "name": [said.title],
            "name_en": [said.title],
            "residents": [numbers["residents"]],
        },
        geometry=[area],
        crs=tables.crs,
    )
    subdistricts["residents"] = numbers["residents"]
    city = City(
        origin=_origin(said, inferred.source, (*inferred.notes, *_reach_note(roads)), numbers),
        crs=tables.crs,
        net_offset=tables.net_offset,
        net_file=Path(net_file),
        subdistricts=subdistricts,
        communities=towns,
        grids=cells,
        roads=roads,
        junctions=junctions,
        places=places[[*_PLACE_COLUMNS, "geometry"]],
        blocks=blocks,
        waters=land.waters.reset_index(drop=True),
        turns=tables.turns,
        bus_lines=stops.lines,
    )
    city.check()
    return city


def _clip(land: Land, around: shapely.Polygon) -> Land:
    """Keep what lies in or, of waters, reaches into the city's surroundings."""
    kept: dict[str, gpd.GeoDataFrame] = {}
    for name in ("buildings", "places"):
        table = getattr(land, name)
        inside = shapely.intersects(shapely.point_on_surface(table.geometry.to_numpy()), around)
        kept[name] = table[inside].reset_index(drop=True)
    waters = land.waters
    waters = waters.set_geometry(waters.geometry.intersection(around)).explode(ignore_index=True)
    whole = (waters.geom_type == "Polygon") & (waters.geometry.area > 1)
    return replace(land, **kept, waters=waters[whole].reset_index(drop=True))


@dataclass(frozen=True)
class _Graph:
    roads: pd.DataFrame
    turns: pd.DataFrame


def _origin(said: Said, source: str, notes: tuple[str, ...], numbers: dict[str, Any]) -> Origin:
    return Origin(
        name=said.name,
        title=said.title,
        title_en=said.title,
        schematic=False,
        source=said.source,
        homes_from=source,
        jobs_from=source,
        attribution=said.attribution,
        notes=(*said.notes, *notes),
        extra={"capacity": numbers, **said.extra},
    )


def _reach_note(roads: gpd.GeoDataFrame) -> tuple[str, ...]:
    cut = roads[roads["car"] & ~roads["main"]]
    if cut.empty:
        return ()
    km = cut["length_m"].sum() / 1000
    return (f"{len(cut)} roads for cars ({km:.1f} km) are one-way ends or cut off: nobody lives or works on them",)


def _labels(shapes: gpd.GeoDataFrame, column: str, points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if len(points) == 0:
        return np.empty(0, dtype=object)
    return np.asarray(shapes[column].to_numpy(object)[nearest(shapes.geometry.to_numpy(), points)])


def _finish_blocks(
    blocks: gpd.GeoDataFrame, towns: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, roads: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    points = shapely.point_on_surface(blocks.geometry.to_numpy())
    out = blocks.copy()
    out["grid"] = _labels(cells, "grid", points)
    out["community"] = cells.set_index("grid")["community"].reindex(out["grid"]).to_numpy()
    villages = towns.loc[towns["kind"] == "village", "community"]
    rural = out["community"].isin(villages) & (out["kind"] == "housing") & (out["storeys"] <= 2)
    out.loc[rural, "kind"] = "village"
    out["road"], _ = attach(points, roads)
    out.insert(0, "block", [f"b{k + 1:05d}" for k in range(len(out))])
    return out


def attach(
    points: npt.NDArray[Any], roads: gpd.GeoDataFrame, bus: bool = False
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return, for each point, the nearest road of the main part (for ``bus``: the nearest for buses) and pos_m.

    Motorways and trunk roads, and roads with no room to start from, serve only where there is nothing else.
    """
    if len(points) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0)
    base = (roads["bus"] & (roads["main"] | ~roads["car"]) if bus else roads["main"]).to_numpy(bool)
    if not base.any():
        base = roads["main"].to_numpy(bool)
    good = base & ~roads["road_class"].isin(("motorway", "trunk", "rail")).to_numpy(bool)
    good &= roads["length_m"].to_numpy() >= _ROOM_M
    rows = np.flatnonzero(good if good.any() else base)
    lines = roads.geometry.to_numpy()[rows]
    at = nearest(lines, points)
    share = shapely.line_locate_point(lines[at], points, normalized=True)
    road = rows[at]
    return road, np.round(np.nan_to_num(share) * roads["length_m"].to_numpy()[road], 1)


def _places(places: gpd.GeoDataFrame, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    out = places.sort_values("kind", kind="stable").reset_index(drop=True)
    points = out.geometry.to_numpy()
    out["road"], out["pos_m"] = attach(points, roads)
    stops = np.flatnonzero((out["kind"] == "bus_stop").to_numpy())
    if stops.size:
        road, pos = attach(points[stops], roads, bus=True)
        out.loc[stops, "road"] = road
        out.loc[stops, "pos_m"] = pos
    number = out.groupby("kind").cumcount() + 1
    out["place"] = [f"{kind.replace('_', '-')}-{n:03d}" for kind, n in zip(out["kind"], number, strict=True)]
    for column in ("name", "name_en"):
        plain = [f"{kind.replace('_', ' ').capitalize()} {n}" for kind, n in zip(out["kind"], number, strict=True)]
        out[column] = [name or label for name, label in zip(out[column], plain, strict=True)]
    out["road_out"], out["weight"] = -1, 1.0
    return out


def _stop_places(stops: pd.DataFrame, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    out = stops.reset_index(drop=True).copy()
    road = out["road"].to_numpy(np.int64)
    length = roads["length_m"].to_numpy()[road]
    share = out["pos_m"].to_numpy(np.float64) / np.maximum(length, 0.1)
    points = shapely.line_interpolate_point(roads.geometry.to_numpy()[road], share, normalized=True)
    out["kind"], out["name_en"], out["road_out"], out["weight"] = "bus_stop", out["name"], -1, 1.0
    return gpd.GeoDataFrame(out, geometry=points, crs=roads.crs)


def build_city(
    out: str | Path,
    *,
    net: Path | None = None,
    osm: Path | None = None,
    routes: Path | Sequence[Path] | None = None,
    additional: Path | Sequence[Path] | None = None,
    name: str | None = None,
) -> City:
    """Build a city from a SUMO network or an OpenStreetMap extract and save it, with its demand, in ``out``.

    ``routes`` and ``additional`` belong to ``net``. Returns the city as loaded from ``out``.
    """
    from geo.given import GivenDemand

    if (net is None) == (osm is None):
        raise CityError("a city is built from one source: a SUMO network or an OpenStreetMap file")
    given = None
    if net is not None:
        from geo.sumo_net import city_and_demand

        city, given = city_and_demand(net, routes, additional, name)
    elif routes or additional:
        raise CityError("routes and additional files belong to a SUMO network, not to an OpenStreetMap file")
    else:
        from geo.osm import city_from_osm

        assert osm is not None
        city = city_from_osm(osm, name)
    folder = city.save(out)
    GivenDemand.remove(folder)
    if given is not None:
        given.save(folder)
    return City.load(folder)
