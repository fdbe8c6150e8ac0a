"""Zoom: an area is cut out of the city, to run in micro with the traffic that the whole district brings to it.

Cutting keeps every road that touches the area, so all crossings inside it are whole, with their signals. A
vehicle of the district's run visits the area in *stays*: stretches of its route over kept roads. Each stay
becomes a vehicle of the zoom that enters where and when the district's vehicle came over the border (or set
out inside). Congestion inside does not reach back over the border: who finds the first road full waits.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.city import City
from geo.net_tables import read_tables
from geo.network import Routes
from twin.errors import AdapterError, ScenarioError
from twin.world.traffic.ports import Ints, NewVehicles, Stop
from twin.world.traffic.roads import Roads

#: a stay after the first one gets the vehicle's number plus this (three digits hold the occurrence)
_RETURN = 300
_OCCURRENCES = 1000


@dataclass(frozen=True)
class Zoom:
    """A part of a city: ``city`` is whole in itself.

    ``parent_road[i]``: road index in the district of road ``i`` here; ``road_here``: the way back (-1: not
    kept). ``entries``: the district's road indices by which one comes in from outside (give them to
    ``Traffic.watch_entries``). ``area``: in local metres.
    """

    city: City
    area: shapely.Polygon
    parent_road: Ints
    road_here: Ints
    entries: Ints


@dataclass(frozen=True)
class ZoomDemand:
    """Vehicles for the zoom. ``parent[i]``: the district's vehicle behind ``vehicles.vehicle[i]``.

    ``not_reached``: stays that the district's run had planned but did not come to; ``cut_short``: stays that
    end early because a turn does not exist in the cut-out network.
    """

    vehicles: NewVehicles
    parent: Ints
    not_reached: int
    cut_short: int


def circle(x_m: float, y_m: float, radius_m: float) -> shapely.Polygon:
    """Return a circle in local metres. ScenarioError unless the radius is positive."""
    if not radius_m > 0:
        raise ScenarioError(f"zoom: radius_m is {radius_m:g}; allowed: more than 0")
    area = shapely.Point(x_m, y_m).buffer(radius_m, quad_segs=32)
    assert isinstance(area, shapely.Polygon)
    return area


def cut(city: City, area: shapely.Polygon, folder: Path, name: str = "") -> Zoom:
    """Cut ``area`` out of ``city``; the new city is saved in ``folder``.

    Raises ScenarioError when the area holds no road for cars, AdapterError when netconvert fails.
    """
    keep = city.roads.geometry.intersects(area).to_numpy()
    if not (keep & city.roads["car"].to_numpy(bool)).any():
        x, y = area.centroid.x, area.centroid.y
        lon, lat = city.to_wgs84(x, y)
        raise ScenarioError(
            f"zoom: the area around {float(lon):.4f}, {float(lat):.4f} holds no road of {city.name} for cars;"
            " choose another place or a larger radius"
        )
    folder.mkdir(parents=True, exist_ok=True)
    net = _cut_net(city, keep, folder)
    tables = read_tables(net, crs=city.crs)
    index = city.road_index
    parent = np.array([index[e] for e in tables.roads["edge"]], dtype=np.int64)
    here = np.full(len(city.roads), -1, dtype=np.int64)
    here[parent] = np.arange(len(parent))
    roads = city.roads.iloc[parent].reset_index(drop=True)
    for column in ("from_node", "to_node", "length_m", "main", "geometry"):
        roads[column] = tables.roads[column].to_numpy()
    turns = city.turns
    a, b = turns["from_road"].to_numpy(), turns["to_road"].to_numpy()
    entries = np.unique(b[(here[a] < 0) & (here[b] >= 0)])
    outside = np.setdiff1d(np.arange(len(city.roads)), parent)
    title = name or f"{city.name}-zoom"
    cut_city = replace(
        city,
        origin=replace(
            city.origin,
            name=title,
            notes=(*city.origin.notes, f"cut out of {city.name}: {len(parent)} of {len(city.roads)} roads"),
            extra={**city.origin.extra, "zoom_of": city.name, "roads_outside": len(outside)},
        ),
        net_file=net,
        roads=roads,
        turns=tables.turns,
        junctions=_junctions(city, tables.junctions),
        places=_moved(city.places[city.places.geometry.within(area)], here, ("road", "road_out")),
        blocks=_blocks(city.blocks, area, here),
        bus_lines=city.bus_lines.iloc[:0],
        **{t: _touching(getattr(city, t), area) for t in ("subdistricts", "communities", "grids", "waters")},
    )
    cut_city.save(folder)
    return Zoom(City.load(folder), area, parent, here, entries.astype(np.int64))


def _cut_net(city: City, keep: npt.NDArray[np.bool_], folder: Path) -> Path:
    import sumo

    wanted = folder / "keep_edges.txt"
    wanted.write_text("\n".join(f"edge:{e}" for e in city.roads["edge"][keep]), encoding="utf-8")
    net = folder / "net.net.xml.gz"
    args = [str(Path(sumo.SUMO_HOME) / "bin" / "netconvert"), "-s", str(city.net_file), "-o", str(net)]
    args += ["--keep-edges.input-file", str(wanted), "--no-turnarounds", "--offset.disable-normalization"]
    args += ["--xml-validation", "never", "--no-warnings"]
    env = {**os.environ, "SUMO_HOME": sumo.SUMO_HOME, "PROJ_DATA": str(Path(sumo.SUMO_HOME) / "data" / "proj")}
    done = subprocess.run(args, env=env, capture_output=True, text=True, check=False)
    wanted.unlink()
    if done.returncode:
        raise AdapterError(f"netconvert could not cut the zoom out of {city.name}: {done.stderr.strip()}")
    return net


def _junctions(city: City, junctions: Any) -> Any:
    level = city.junctions.set_index("node")["subdistrict"]
    out = junctions.copy()
    out["subdistrict"] = out["node"].map(level).fillna("")
    return out


def _touching(table: Any, area: shapely.Polygon) -> Any:
    return table[table.geometry.intersects(area)].reset_index(drop=True)


def _moved(table: Any, here: Ints, columns: Sequence[str]) -> Any:
    out = table.reset_index(drop=True).copy()
    for column in columns:
        road = out[column].to_numpy(np.int64)
        out[column] = np.where(road >= 0, here[np.maximum(road, 0)], -1)
    return out


def _blocks(blocks: Any, area: shapely.Polygon, here: Ints) -> Any:
    out = _moved(blocks[blocks.geometry.intersects(area)], here, ("road",))
    return out[out["road"] >= 0].reset_index(drop=True)


# -- demand --------------------------------------------------------------------------------------------


def demand(
    zoom: Zoom,
    vehicles: NewVehicles,
    entered: tuple[Ints, Ints, Ints],
    from_s: int,
    to_s: int,
) -> ZoomDemand:
    """Turn vehicles of the district's run into vehicles of the zoom that enter in [from_s, to_s).

    ``vehicles``: the district's, with the routes they really took and the second they really departed (one row
    each). ``entered``: columns (vehicle, road, second) of :class:`~twin.world.traffic.ports.Flow` for
    ``zoom.entries``. Let the zoom begin some minutes before the time of interest, so that it fills.
    """
    stays = _stays(zoom, vehicles.routes)
    second = _seconds(stays, vehicles, entered)
    reached = second >= 0
    rows = np.flatnonzero(reached & (second >= from_s) & (second < to_s))
    rows = rows[np.lexsort((stays.first[rows], vehicles.vehicle[stays.row[rows]], second[rows]))]
    number = _numbers(vehicles.vehicle[stays.row], stays.row, reached)[rows]
    lengths = stays.last[rows] - stays.first[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    flat = np.repeat(stays.first[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    roads = zoom.road_here[vehicles.routes.roads[flat]].astype(np.int32)
    routes, short = _whole_turns(zoom, Routes(roads, offsets, np.zeros(len(rows))))
    row = stays.row[rows]
    new = NewVehicles(
        vehicle=number,
        type_index=vehicles.type_index[row],
        depart_s=second[rows],
        routes=routes,
        stops=_stops(zoom, vehicles.stops, row, routes),
    )
    return ZoomDemand(new, vehicles.vehicle[row], int((~reached).sum()), short)


@dataclass(frozen=True)
class _Stays:
    """Stretches of routes over kept roads: vehicle row, and [first, last) in the flat routes."""

    row: Ints
    first: Ints
    last: Ints
    begins: npt.NDArray[np.bool_]


def _stays(zoom: Zoom, routes: Routes) -> _Stays:
    inside = zoom.road_here[routes.roads] >= 0
    starts_route = np.zeros(len(inside), dtype=bool)
    starts_route[routes.offsets[:-1][routes.found]] = True
    ends_route = np.zeros(len(inside), dtype=bool)
    ends_route[routes.offsets[1:][routes.found] - 1] = True
    before = np.concatenate([[False], inside[:-1]])
    after = np.concatenate([inside[1:], [False]])
    first = np.flatnonzero(inside & (~before | starts_route))
    last = np.flatnonzero(inside & (~after | ends_route)) + 1
    row = np.searchsorted(routes.offsets, first, side="right") - 1
    return _Stays(row.astype(np.int64), first, last, starts_route[first])


def _seconds(stays: _Stays, vehicles: NewVehicles, entered: tuple[Ints, Ints, Ints]) -> Ints:
    """Second at which each stay began (-1: it never did): departure, or the matching entry in order of time."""
    second = np.where(stays.begins, vehicles.depart_s[stays.row], -1).astype(np.int64)
    seen: dict[tuple[int, int], list[int]] = {}
    who, road, when = entered
    order = np.argsort(when, kind="stable")
    for v, r, t in zip(who[order].tolist(), road[order].tolist(), when[order].tolist(), strict=True):
        seen.setdefault((v, r), []).append(t)
    number = vehicles.vehicle[stays.row].tolist()
    first_road = vehicles.routes.roads[stays.first].tolist()
    earliest = -1
    last_row = -1
    for i in range(len(number)):
        row = int(stays.row[i])
        earliest = earliest if row == last_row else -1
        last_row = row
        if not stays.begins[i]:
            times = seen.get((number[i], first_road[i]), [])
            second[i] = next((t for t in times if t > earliest), -1)
        if second[i] >= 0:
            earliest = int(second[i])
    return second


def _numbers(vehicle: Ints, row: Ints, reached: npt.NDArray[np.bool_]) -> Ints:
    """Give the first stay the vehicle's own number, a return one that keeps kind and entity."""
    out = vehicle.copy()
    taken = set(vehicle.tolist())
    seen: set[int] = set()
    for i in np.flatnonzero(reached).tolist():
        number = int(vehicle[i])
        if int(row[i]) in seen:
            base = number - number % _OCCURRENCES
            number = next(
                n for n in (base + (number + _RETURN + k) % _OCCURRENCES for k in range(_OCCURRENCES)) if n not in taken
            )
            out[i] = number
            taken.add(number)
        seen.add(int(row[i]))
    return out


def _whole_turns(zoom: Zoom, routes: Routes) -> tuple[Routes, int]:
    """Cut routes short before a turn that the cut-out network has not; return them and how many."""
    if len(routes.roads) == 0:
        return routes, 0
    ok = Roads(zoom.city).follows(routes.roads[:-1], routes.roads[1:])
    ok[routes.offsets[1:-1] - 1] = True
    bad = np.flatnonzero(~ok)
    if bad.size == 0:
        return routes, 0
    row = np.searchsorted(routes.offsets, bad, side="right") - 1
    end = routes.offsets[1:].copy()
    np.minimum.at(end, row, bad + 1)
    keep = np.arange(len(routes.roads)) < np.repeat(end, np.diff(routes.offsets))
    offsets = np.concatenate([[0], np.cumsum(end - routes.offsets[:-1])]).astype(np.int64)
    return Routes(routes.roads[keep], offsets, routes.time_s), len(np.unique(row))


def _stops(zoom: Zoom, stops: Mapping[int, Sequence[Stop]], row: Ints, routes: Routes) -> dict[int, list[Stop]]:
    out: dict[int, list[Stop]] = {}
    for i, parent in enumerate(row.tolist()):
        own = set(routes[i].tolist())
        here = [
            replace(stop, road=int(zoom.road_here[stop.road]))
            for stop in stops.get(parent, ())
            if int(zoom.road_here[stop.road]) in own
        ]
        if here:
            out[i] = here
    return out
