"""A zoom: the whole district runs first, then an area of it again in micro, with the traffic that came over its border.

The district runs as the scenario says (meso) up to the end of the zoom, without recording positions, in the
folder ``district`` and in a process of its own (:mod:`twin.zoom_district`). Every vehicle's entry into the area, and
every one that set out inside, becomes a vehicle of the zoom, which begins ``WARM_UP_S`` earlier so that its roads are
not empty at the start.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from geo.city import City
from geo.errors import CityError
from twin.scenario import CloseRoad, Scenario, SpeedLimit
from twin.scenario.interventions import Obstacle
from twin.simulation import CutOut, Progress, Run, Simulation, carry_through, traffic_settings
from twin.world.traffic.ports import NewVehicles, Traffic, VehicleType
from twin.world.traffic.routing import pick
from twin.world.traffic.types import DEFAULT_TYPES, make_traffic
from twin.zoom_district import WARM_UP_S, Inflow, Part, run_district

__all__ = ["WARM_UP_S", "run_close_up", "run_zoom"]


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
    """Run the district and then the zoom of a scenario; the facts returned are the zoom's.

    Interrupted (Ctrl-C) in its first part, it returns the district's run, whose folder is ``out/district``.
    """
    with tempfile.TemporaryDirectory(prefix="twin-zoom-", ignore_cleanup_errors=True) as scratch:
        work = Path(scratch)
        part = Part(scenario, city_dir, seed, (out or work) / "district", kept=out is not None)
        ground = _Ground(part, out)
        try:
            came = run_district(part, city, work, progress and _saying(progress, "the whole district"), ground.prepare)
            if isinstance(came, Run):
                return came
            return _close_up(part, came, out, ground, progress)
        finally:
            ground.clear()


def run_close_up(part: Part, came: Inflow, out: Path | None, progress: Progress | None = None) -> Run:
    """Run the second part of a zoom alone: ``came`` is what the district brought to the area, cut out before."""
    ground = _Ground(part, out)
    try:
        return _close_up(part, came, out, ground, progress)
    finally:
        ground.clear()


def _close_up(part: Part, came: Inflow, out: Path | None, ground: _Ground, progress: Progress | None) -> Run:
    assert len(DEFAULT_TYPES) > int(came.vehicles.type_index.max(initial=0))
    ground.prepare()
    cut_out = CutOut(*part.period, _Source(came.vehicles), came.crossed)
    close_up = Simulation(ground.scenario, ground.city, part.cut_dir, part.seed, out, cut_out, traffic=ground.traffic)
    ground.traffic = None  # it is the simulation's now, which closes it
    close_up.stamped = part.scenario
    return carry_through(close_up, progress and _saying(progress, "the zoom"))


class _Ground:
    """What a zoom stands on, made while the district still runs in its own process: the cut-out city, and its SUMO."""

    def __init__(self, part: Part, out: Path | None) -> None:
        self._part, self._out = part, out
        self.traffic: Traffic | None = None

    def prepare(self) -> None:
        """Make it; the second time nothing is done."""
        if self.traffic is not None:
            return
        part, out = self._part, self._out
        self.city = City.load(part.cut_dir)
        whole, period_s = part.whole, part.scenario.traffic.fcd_period_s
        self.scenario = whole.changed(traffic={"fcd_period_s": period_s}, **_inside(whole, self.city))
        settings = traffic_settings(self.scenario, "micro", part.seed, *part.period, out)
        self.traffic = make_traffic(self.city, settings, list(DEFAULT_TYPES))

    def clear(self) -> None:
        """Close what nobody took, and leave nothing of it behind."""
        if self.traffic is not None:
            self.traffic.close()
            if self._out is not None:
                (self._out / "fcd.parquet").unlink(missing_ok=True)


def _inside(scenario: Scenario, city: City) -> dict[str, Any]:
    """Return the changes that leave out interventions on roads that the cut-out city has not."""
    kept = []
    for item in scenario.interventions:
        if isinstance(item, CloseRoad | SpeedLimit | Obstacle):
            try:
                city.roads_named(item.road, item.near, item.length_m)
            except CityError:
                continue
        kept.append(item)
    return {"interventions": [i.model_dump(mode="json") for i in kept]}


def _saying(progress: Progress, what: str) -> Progress:
    return lambda now, start, end, note: progress(now, start, end, note or what)
