"""The gate: where vehicles enter and leave the road, and where what traffic tells becomes facts.

The traffic simulator, the drivers and the route file hear of every vehicle here, and whoever is in one (people, riders
of buses, units of fleets) hears what became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twin.domain.ids import VEHICLE_KINDS, vehicle_kind
from twin.events import StopSkipped, VehicleArrived, VehicleEntered, VehicleRemoved, VehicleTeleported, VehicleUnderWay
from twin.log import Log
from twin.run_folder import RouteFile
from twin.world.traffic.drivers import Drivers
from twin.world.traffic.ports import Flow, NewVehicles, Traffic

if TYPE_CHECKING:
    from twin.world.fleets.fleets import Fleets
    from twin.world.people.journeys import Journeys
    from twin.world.people.riders import Riders
    from twin.world.ports import SeesFlow, SeesLost, SeesVehicles

KIND_OF: npt.NDArray[Any] = np.asarray(["?", *VEHICLE_KINDS], dtype=object)
CODE = 10**12


class Gate:
    """Lets vehicles in and out; keeps who is on the road since when. ``drivers`` is set before the first vehicle."""

    drivers: Drivers

    def __init__(
        self, traffic: Traffic, log: Log, route_file: RouteFile | None, admitted: Callable[[NewVehicles], None]
    ) -> None:
        self._traffic, self._log, self._route_file, self._admitted = traffic, log, route_file, admitted
        self.journeys: Journeys | None = None
        self.riders: Riders | None = None
        self.fleets: Fleets | None = None
        self.see_vehicles: list[SeesVehicles] = []
        self.see_flow: list[SeesFlow] = []
        self.see_lost: list[SeesLost] = []
        self._entered: dict[int, int] = {}

    # -- in and out ----------------------------------------------------------------------------------------

    def add(self, new: NewVehicles) -> None:
        """Let vehicles enter."""
        if new.vehicle.size == 0:
            return
        self.put(new)
        self._admitted(new)
        if self.fleets is not None:
            self.fleets.entered(new)
        for system in self.see_vehicles:
            system.vehicles(new)

    def put(self, new: NewVehicles) -> None:
        """Put vehicles on the road that an intervention brings: they are nobody's trips, and a zoom puts its own."""
        self._traffic.add(new)
        self.drivers.entered(new)
        if self._route_file is not None:
            self._route_file.add(new)

    def way(self, vehicle: int) -> npt.NDArray[np.int32]:
        """Return the whole way of a vehicle, passed and ahead, with every detour it took; empty if it is gone."""
        return self.drivers.way(vehicle)

    def redirect(self, vehicle: int, rest: npt.NDArray[np.int32], now_s: int) -> bool:
        """Give a vehicle a new rest of its way, which begins with the road it is on; False if it cannot take it."""
        return self.drivers.redirect(vehicle, rest, now_s)

    def take_off(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take a vehicle off the road at once: it did not arrive."""
        self._traffic.remove(vehicle)
        self.drivers.left([vehicle])
        if self._entered.pop(vehicle, None) is not None:
            self._log.add(VehicleRemoved, t_s=now_s, vehicle=vehicle, kind=vehicle_kind(vehicle), reason=reason)

    def arrive(self, vehicle: int, now_s: int) -> None:
        """Take a vehicle off the road that is where it wanted to be."""
        self._traffic.remove(vehicle)
        self.drivers.left([vehicle])
        entered = self._entered.pop(vehicle, now_s)
        self._log.add(
            VehicleArrived, t_s=now_s, vehicle=vehicle, kind=vehicle_kind(vehicle), duration_s=now_s - entered
        )

    def lost(self, vehicle: int, t_s: int, reason: str) -> None:
        """Tell whoever was in a vehicle that traffic took off the road."""
        self._entered.pop(vehicle, None)
        code = vehicle // CODE
        if self.journeys is not None and code == VEHICLE_KINDS["car"]:
            self.journeys.car_lost(vehicle, t_s, reason)
        elif self.journeys is not None and code == VEHICLE_KINDS["bus"]:
            self.journeys.bus_lost(vehicle, t_s, reason)
        elif self.fleets is not None:
            self.fleets.lost(vehicle, t_s, reason)
        for system in self.see_lost:
            system.lost(vehicle, t_s, reason)

    def write_rerouted(self) -> None:
        """Put new ways of rerouted vehicles into the route file: a later row replaces the rest of the way."""
        if self._route_file is not None:
            self._route_file.add_rerouted(self.drivers.rerouted)
        self.drivers.rerouted.clear()

    # -- traffic flows -------------------------------------------------------------------------------------

    def take(self, flow: Flow) -> None:
        """Turn what traffic tells into facts, and tell whom it concerns."""
        if flow.departed.size:
            vehicles = flow.departed.tolist()
            self._entered.update(zip(vehicles, flow.departed_s.tolist(), strict=True))
            self._log.add(
                VehicleEntered,
                t_s=flow.departed_s,
                vehicle=flow.departed,
                kind=KIND_OF[flow.departed // CODE],
                road=self.drivers.first_roads(vehicles),
            )
        if flow.teleported.size:
            self._log.add(
                VehicleTeleported,
                t_s=flow.teleported_s,
                vehicle=flow.teleported,
                kind=KIND_OF[flow.teleported // CODE],
            )
        if flow.stop_began.size and self.riders is not None:
            for vehicle, t_s in zip(flow.stop_began.tolist(), flow.stop_began_s.tolist(), strict=True):
                if vehicle // CODE == VEHICLE_KINDS["bus"]:
                    self.riders.bus_stopped(vehicle, t_s)
        if flow.skipped.size:
            self._take_skipped(flow)
        if flow.arrived.size:
            if self.fleets is not None:
                self.fleets.took(flow)
            self._take_arrivals(flow)
        for system in self.see_flow:
            system.took(flow)
        self.drivers.left(flow.arrived.tolist())  # only now: their ways are asked for until then

    def _take_skipped(self, flow: Flow) -> None:
        for vehicle, road, t_s in zip(
            flow.skipped.tolist(), flow.skipped_road.tolist(), flow.skipped_s.tolist(), strict=True
        ):
            place = ""
            if self.riders is not None and vehicle // CODE == VEHICLE_KINDS["bus"]:
                place = self.riders.bus_skips(vehicle, road)
            self._log.add(StopSkipped, t_s=t_s, vehicle=vehicle, road=road, place=place, reason="no lane is open")

    def _take_arrivals(self, flow: Flow) -> None:
        vehicles = flow.arrived.tolist()
        entered = np.asarray([self._entered.pop(v) for v in vehicles], dtype=np.int64)
        code = flow.arrived // CODE
        self._log.add(
            VehicleArrived,
            t_s=flow.arrived_s,
            vehicle=flow.arrived,
            kind=KIND_OF[code],
            duration_s=flow.arrived_s - entered,
        )
        car = code == VEHICLE_KINDS["car"]
        if self.journeys is not None and car.any():
            self.journeys.cars_arrived(flow.arrived[car], flow.arrived_s[car])
        if self.riders is not None:
            for i in np.flatnonzero(code == VEHICLE_KINDS["bus"]).tolist():
                self.riders.bus_gone(vehicles[i], int(flow.arrived_s[i]))

    def finish(self, end_s: int) -> None:
        """Account for every vehicle still under way."""
        left = np.sort(self._traffic.under_way())
        self._log.add(VehicleUnderWay, t_s=np.full(left.size, end_s), vehicle=left, kind=KIND_OF[left // CODE])
