"""A zoom: the whole district runs first, then an area of it again in micro, with the traffic that came over its border.

The district runs as the scenario says (meso) up to the end of the zoom, without recording positions, in the
folder ``district``. Every vehicle's entry into the area, and every one that set out inside, becomes a vehicle of
the zoom, which begins ``WARM_UP_S`` earlier so that its roads are not empty at the start.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from geo.errors import CityError
from geo.network import Routes
from twin.run_folder import prepare
from twin.scenario import CloseRoad, Scenario, SpeedLimit, zoom_period
from twin.simulation import CutOut, Progress, Run, Simulation, carry_through
from twin.world.traffic.ports import Flow, NewVehicles, VehicleType
from twin.world.traffic.routing import join, pick
from twin.world.traffic.types import DEFAULT_TYPES
from twin.world.traffic.zoom import circle, cut, demand

WARM_UP_S = 600

Ints = npt.NDArray[np.int64]


class _Border:
    """Watches the district: who set out when and along which way, and who came over the border."""

    def __init__(self, district: Simulation, entries: Ints) -> None:
        self._district = district
        self._new: list[NewVehicles] = []
        self._departed: dict[int, int] = {}
        self._crossed: list[tuple[Ints, Ints, Ints]] = []
        district.traffic.watch_entries(entries)
        district.observer = self._see
        district.admitted = self._new.append

    def _see(self, flow: Flow) -> None:
        self._departed.update(zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True))
        if flow.entered.size:
            self._crossed.append((flow.entered, flow.entered_road, flow.entered_s))

    def crossed(self) -> tuple[Ints, Ints, Ints]:
        """Return vehicle, road and second of every crossing, in order of time."""
        if not self._crossed:
            none = np.empty(0, dtype=np.int64)
            return none, none, none
        vehicle, road, t_s = (np.concatenate([c[k] for c in self._crossed]) for k in range(3))
        return vehicle, road, t_s

    def vehicles(self) -> NewVehicles:
        """Return everybody who set out, with the way really taken and the second really departed."""
        vehicle = np.concatenate([n.vehicle for n in self._new])
        kind = np.concatenate([n.type_index for n in self._new])
        routes = join([n.routes for n in self._new])
        first = np.cumsum([0] + [n.vehicle.size for n in self._new])
        stops = {int(a) + i: s for a, n in zip(first, self._new, strict=False) for i, s in n.stops.items()}
        went = np.asarray([v in self._departed for v in vehicle.tolist()], dtype=bool)
        place = np.cumsum(went) - 1
        stops = {int(place[i]): s for i, s in stops.items() if went[i]}
        vehicle, kind, routes = vehicle[went], kind[went], pick(routes, went)
        routes = _with_detours(routes, vehicle, self._district.drivers.detours)
        depart = np.asarray([self._departed[v] for v in vehicle.tolist()], dtype=np.int64)
        return NewVehicles(vehicle, kind, depart, routes, stops)


def _with_detours(routes: Routes, vehicle: Ints, detours: dict[int, npt.NDArray[np.int32]]) -> Routes:
    if not detours:
        return routes
    ways = [detours.get(v) for v in vehicle.tolist()]
    parts = [routes[i] if way is None else way for i, way in enumerate(ways)]
    offsets = np.concatenate([[0], np.cumsum([p.size for p in parts])]).astype(np.int64)
    return Routes(np.concatenate(parts).astype(np.int32), offsets, routes.time_s)


class _Source:
    """The vehicles of a zoom, by their second."""

    def __init__(self, new: NewVehicles) -> None:
        self.types: list[VehicleType] = []
        self._new = new

    def vehicles(self, from_s: int, to_s: int) -> NewVehicles:
        """Return the vehicles that enter in [from_s, to_s)."""
        n = self._new
        lo, hi = np.searchsorted(n.depart_s, [from_s, to_s]).tolist()
        keep = np.zeros(len(n.vehicle), dtype=bool)
        keep[lo:hi] = True
        stops = {i - lo: s for i, s in n.stops.items() if lo <= i < hi}
        return NewVehicles(n.vehicle[lo:hi], n.type_index[lo:hi], n.depart_s[lo:hi], pick(n.routes, keep), stops)


def run_zoom(
    scenario: Scenario, city: City, city_dir: Path, seed: int, out: Path | None, progress: Progress | None = None
) -> Run:
    """Run the district and then the zoom of a scenario; the facts returned are the zoom's."""
    zoom = scenario.zoom
    assert zoom is not None
    begin_s, end_s = zoom_period(scenario)
    if zoom.place is not None:
        centre = city.place(zoom.place).geometry
        x, y = float(centre.x), float(centre.y)
    else:
        assert zoom.lon is not None
        assert zoom.lat is not None
        x, y = (float(v) for v in city.to_local(zoom.lon, zoom.lat))
    scratch = None if out is not None else Path(tempfile.mkdtemp(prefix="twin-zoom-"))
    folder = (out or scratch or Path()) / "district"
    try:
        area = cut(city, circle(x, y, zoom.radius_m), folder / "zoom_city")
        whole = scenario.changed(zoom=None, traffic={"fcd_period_s": 0}).ending(end_s)[0]
        district = Simulation(whole, city, city_dir, seed, prepare(folder) if out is not None else None)
        border = _Border(district, area.entries)
        done = carry_through(district, progress and _saying(progress, "the whole district"))
        if done.ended != "finished":
            return done
        start_s = max(begin_s - WARM_UP_S, scenario.start_s)
        crossed = border.crossed()
        new = demand(area, border.vehicles(), crossed, start_s, end_s).vehicles
        inside = (crossed[2] >= start_s) & (crossed[2] < end_s)
        cut_out = CutOut(start_s, end_s, _Source(new), (crossed[0][inside], crossed[1][inside], crossed[2][inside]))
        assert len(DEFAULT_TYPES) > int(new.type_index.max(initial=0))
        period_s = scenario.traffic.fcd_period_s
        local = whole.changed(traffic={"fcd_period_s": period_s}, **_inside(whole, area.city))
        close_up = Simulation(local, area.city, folder / "zoom_city", seed, out, cut_out)
        close_up.stamped = scenario
        return carry_through(close_up, progress and _saying(progress, "the zoom"))
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _inside(scenario: Scenario, city: City) -> dict[str, Any]:
    """Return the changes that leave out interventions on roads that the cut-out city has not."""
    kept = []
    for item in scenario.interventions:
        if isinstance(item, CloseRoad | SpeedLimit):
            try:
                city.roads_named(item.road, item.near, item.length_m)
            except CityError:
                continue
        kept.append(item)
    return {"interventions": [i.model_dump(mode="json") for i in kept]}


def _saying(progress: Progress, what: str) -> Progress:
    return lambda now, start, end, note: progress(now, start, end, note or what)
