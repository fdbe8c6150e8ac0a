"""Blocked fire lanes in traffic: a parked vehicle that truly stands in the way (F12).

In micro a vehicle stands on the rightmost lane, as an obstacle of an intervention does. In meso and free flow, which
know no places within a lane, that lane is closed; where there is but one, or buses halt on it, the others squeeze past
at walking pace.
"""

from __future__ import annotations

import math

import numpy as np

from geo.network import Routes
from twin.domain.ids import vehicle_number
from twin.events import LaneClosed, LaneReopened
from twin.world.city_brain.hazards import Hazards
from twin.world.ports import RunContext
from twin.world.traffic.ports import NewVehicles, Stop
from twin.world.traffic.types import CAR

DAY_S = 86_400
SQUEEZE_M_S = 2.0  # past a parked vehicle on the only lane (assumed)
ENTITIES = 1_000_000  # obstacles of interventions have smaller numbers
STANDING_M = 6.0


class BlockedLanes:
    """Listens to hazards and puts what blocks a lane onto the road."""

    def __init__(self, context: RunContext, hazards: Hazards) -> None:
        self._c, self._hazards = context, hazards
        roads = context.city.roads
        self._lanes = roads["lanes"].to_numpy(np.int64)
        self._first = roads["first_lane"].to_numpy(np.int64) if "first_lane" in roads else np.zeros(len(roads), int)
        self._length_m = roads["length_m"].to_numpy(np.float64)
        self._car = roads["car"].to_numpy(bool)
        places = context.city.places
        stops = places.loc[places["kind"].to_numpy() == "bus_stop", "road"].to_numpy(np.int64)
        # a bus that halts needs its lane: where buses halt, others squeeze past as on a road of one lane
        self._closes = (self._lanes > 1) & ~np.isin(np.arange(len(roads)), stops)
        self._standing: dict[int, int] = {}  # row → vehicle
        self._times: dict[int, int] = {}
        hazards.listeners.append(self.heard)

    def heard(self, what: str, row: int, now_s: int) -> None:
        """Block or free the lane of a hazard that began or ended."""
        hazards = self._hazards
        road = int(hazards.road[row])
        if hazards.theme[row] != "fire_lane" or road < 0 or not self._car[road] or now_s >= self._c.end_s:
            return
        if what == "began":
            self._block(row, road, now_s)
        else:
            self._free(row, road, now_s)

    def _block(self, row: int, road: int, now_s: int) -> None:
        c, site = self._c, max(int(self._hazards.site[row]), 0)
        if c.mode == "micro":
            count = self._times[site] = self._times.get(site, -1) + 1
            vehicle = int(vehicle_number("obstacle", ENTITIES + site, count % 1000))
            length = float(self._length_m[road])
            at_m = math.floor(10 * min(max(0.3 * length, min(STANDING_M, length)), max(length - 1.0, length / 2))) / 10
            c.gate.put(
                NewVehicles(
                    vehicle=np.array([vehicle], dtype=np.int64),
                    type_index=np.array([CAR], dtype=np.int64),
                    depart_s=np.array([now_s], dtype=np.int64),
                    routes=Routes(np.array([road], dtype=np.int32), np.array([0, 1]), np.zeros(1)),
                    stops={0: (Stop(road, at_m, 1, c.end_s + DAY_S, lane=int(self._first[road])),)},
                    depart_pos_m=np.array([at_m]),
                )
            )
            self._standing[row] = vehicle
        elif self._closes[road]:
            c.shut_lanes.close(road, int(self._first[road]), self._cause(row))
        else:
            c.limits.set(road, self._cause(row), SQUEEZE_M_S)
        c.log.add(LaneClosed, t_s=now_s, road=road, lane=0, cause=self._cause(row))

    def _free(self, row: int, road: int, now_s: int) -> None:
        c = self._c
        vehicle = self._standing.pop(row, None)
        if vehicle is not None:
            c.gate.take_off(vehicle, now_s, "the fire lane was cleared")
        elif self._closes[road]:
            c.shut_lanes.open(road, int(self._first[road]), self._cause(row))
        else:
            c.limits.set(road, self._cause(row), None)
        c.log.add(LaneReopened, t_s=now_s, road=road, lane=0, cause=self._cause(row))

    def _cause(self, row: int) -> str:
        return f"hazard {self._hazards.id[row]}"
