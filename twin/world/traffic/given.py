"""Given demand in a run: the vehicles of somebody's route files, with their own types and stops."""

from __future__ import annotations

from typing import Any

import numpy as np

from geo.given import GivenDemand
from twin.domain.ids import VEHICLE_KINDS
from twin.world.traffic.ports import NewVehicles, Stop, VehicleType
from twin.world.traffic.routing import pick


def vehicle_type(name: str, given: dict[str, Any]) -> VehicleType:
    """Return SUMO's attributes of a type as a vehicle type of the twin."""
    return VehicleType(
        name=f"given.{name}",
        v_class=str(given["vClass"]),
        length_m=float(given["length"]),
        min_gap_m=float(given["minGap"]),
        max_speed_m_s=float(given["maxSpeed"]),
        accel_m_s2=float(given["accel"]),
        decel_m_s2=float(given["decel"]),
        sigma=float(given["sigma"]),
        tau_s=float(given.get("tau", 1.0)),
        speed_factor_mean=float(given.get("speedFactor", 1.0)),
        speed_factor_dev=float(given["speedDev"]),
        gui_shape=str(given.get("guiShape", "passenger")),
    )


class GivenVehicles:
    """Hands out given vehicles by their second; ``first_type`` is where their types begin in the run's list."""

    def __init__(self, given: GivenDemand, first_type: int) -> None:
        self.types = [vehicle_type(name, attributes) for name, attributes in given.types.items()]
        index = {name: first_type + i for i, name in enumerate(given.types)}
        v = given.vehicles
        order = np.argsort(v["depart_s"].to_numpy(), kind="stable")
        self._routes = given.routes
        self._order = order
        self._depart_s = v["depart_s"].to_numpy(np.int64)[order]
        self._row = v["vehicle"].to_numpy(np.int64)[order]
        self._type = np.asarray([index[t] for t in v["type"]], dtype=np.int64)[order]
        self._stops: dict[int, list[Stop]] = {}
        for s in given.stops.to_dict("records"):
            stop = Stop(int(s["road"]), float(s["pos_m"]), int(s["duration_s"]), int(s["until_s"]), str(s["place"]))
            self._stops.setdefault(int(s["vehicle"]), []).append(stop)

    def vehicles(self, from_s: int, to_s: int) -> NewVehicles:
        """Return the vehicles that enter in [from_s, to_s)."""
        lo, hi = np.searchsorted(self._depart_s, [from_s, to_s])
        keep = np.zeros(len(self._order), dtype=bool)
        rows = self._order[lo:hi]
        keep[rows] = True
        # ``pick`` keeps the file's order, the columns are in order of time: sort the columns by file row
        by_row = np.argsort(rows, kind="stable")
        number = VEHICLE_KINDS["given"] * 10**12 + self._row[lo:hi][by_row] * 10**3
        stops = {i: self._stops[r] for i, r in enumerate(self._row[lo:hi][by_row].tolist()) if r in self._stops}
        return NewVehicles(
            number, self._type[lo:hi][by_row], self._depart_s[lo:hi][by_row], pick(self._routes, keep), stops
        )
