"""Interventions of a scenario, carried out at their second by changing the world and saying so in the log.

Nothing here reroutes anybody or tells a controller: what the city knows of a closure comes as a report, late, and
drivers react through :mod:`twin.world.traffic.drivers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geo.city import City
from geo.network import Routes
from twin.clock import Clock, Phase
from twin.dice import Dice
from twin.domain.ids import vehicle_number
from twin.domain.messages import ClosureReport
from twin.errors import ScenarioError
from twin.events import (
    ClosureReported,
    DemandChanged,
    EventHeld,
    LaneClosed,
    LaneReopened,
    RoadClosed,
    RoadReopened,
    SpeedLimitSet,
)
from twin.gate import Gate
from twin.log import Log
from twin.scenario.interventions import (
    Breakdown,
    ChargerFails,
    CloseRoad,
    DemandChange,
    Event,
    Fault,
    FleetIntervention,
    Intervention,
    LostLink,
    Obstacle,
    PermitEnds,
    SpeedLimit,
    SystemIntervention,
    WeatherChange,
)
from twin.world.people.model import PeopleModel
from twin.world.traffic.limits import Limits
from twin.world.traffic.ports import NewVehicles, Stop, Traffic
from twin.world.traffic.shut_lanes import ShutLanes
from twin.world.traffic.types import CAR
from twin.world.weather import Weather

if TYPE_CHECKING:
    from twin.faults import Faults
    from twin.world.fleets.fleets import Fleets
    from twin.world.ports import System

INVITED_S = 2 * 3600  # visitors of an event decide this long before it begins (assumed)
KNOWN_S = 900  # until those who set out know of a closure although nobody advised them (assumed)
REPORT_MEAN_S = 180.0  # until somebody tells traffic control of a closure (assumed)
STANDING_M = 6.0  # an obstacle's front is at least so far from the beginning of its road: it is all on it
DAY_S = 86_400


@dataclass
class Streets:
    """The present state of the roads as far as interventions change it; closures may overlap."""

    closed: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    changed: bool = False
    demand: dict[str, float] = field(default_factory=dict)

    def shut(self) -> npt.NDArray[np.bool_]:
        """Return which roads are closed in truth."""
        return self.closed > 0

    def known_shut(self) -> npt.NDArray[np.bool_]:
        """Return which roads people setting out take for closed."""
        return self.shut() & self.known

    def tell(self, road: int) -> None:
        """Let everybody who sets out from now on know about a road."""
        if not self.known[road]:
            self.known[road] = True
            self.changed = True


@dataclass(frozen=True)
class _Spot:
    """Where an obstacle stands: its front at ``pos_m`` of ``lane`` (0: the rightmost for cars) of ``road``."""

    road: int
    lane: int
    pos_m: float


class Interventions:
    """Puts the interventions of a scenario on the clock.

    ``gate``: where obstacles come onto the road as vehicles that stand (micro); None: their lane is closed instead,
    for meso and free flow know no places within a lane.
    """

    def __init__(
        self,
        city: City,
        clock: Clock,
        traffic: Traffic,
        limits: Limits,
        shut_lanes: ShutLanes,
        people: PeopleModel | None,
        weather: Weather,
        log: Log,
        dice: Dice,
        tell: Callable[[ClosureReport], None],
        on_weather: Callable[[], None],
        fleets: Fleets | None = None,
        gate: Gate | None = None,
        systems: Mapping[str, System] | None = None,
    ) -> None:
        self._fleets, self._gate, self._systems = fleets, gate, systems or {}
        self.faults: Faults | None = None  # set where the scenario has any
        self._end_s = 0
        self._city, self._clock, self._traffic, self._people = city, clock, traffic, people
        self._limits, self._shut_lanes = limits, shut_lanes
        self._weather, self._log, self._tell, self._on_weather = weather, log, tell, on_weather
        self._delay = dice.stream("perception.closure_report")
        self.streets = Streets(np.zeros(len(city.roads), np.int64), np.zeros(len(city.roads), bool))

    def schedule(
        self, interventions: tuple[Intervention, ...], end_s: int, from_s: int = 0, before_s: int | None = None
    ) -> None:
        """Schedule all of them; those whose time is past at the start of the run begin with it.

        ``from_s``, ``before_s``: only those that begin in [from_s, before_s), for the two sides of a branch.
        """
        self._end_s = end_s
        for k, item in enumerate(interventions):
            lead_s = INVITED_S if isinstance(item, Event) else 0
            begin_s = max(item.at_s - lead_s, self._clock.now_s)
            if begin_s < from_s or (before_s is not None and begin_s >= before_s):
                continue
            if isinstance(item, Fault):
                if self.faults is not None:
                    self.faults.schedule(k, item, begin_s, end_s)
                continue
            if isinstance(item, SystemIntervention) and item.system not in self._systems:
                continue  # in a zoom, which has only junctions
            until_s = item.until_s
            if begin_s >= end_s or (until_s is not None and until_s <= self._clock.now_s):
                continue
            if isinstance(item, SystemIntervention):
                begin, finish = self._systems[item.system].intervene(item, cause=f"interventions[{k}]")
            else:
                begin, finish = self._actions(k, item)
            self._clock.at(begin_s, Phase.WORLD, begin)
            if finish is not None and until_s is not None and until_s < end_s:
                self._clock.at(until_s, Phase.WORLD, finish)

    def _actions(self, k: int, item: Intervention) -> tuple[Callable[[], None], Callable[[], None] | None]:
        cause = f"interventions[{k}]"
        if isinstance(item, Obstacle):
            return self._obstacle_actions(k, item, cause)
        if isinstance(item, CloseRoad | SpeedLimit):
            return self._road_actions(item, cause)
        if isinstance(item, FleetIntervention):
            return self._fleet_actions(item, cause)
        if isinstance(item, WeatherChange):
            return lambda: self._sky(item), self._sky_back
        if isinstance(item, DemandChange):
            return (
                lambda: self._demand(item.what, item.factor, cause, item.until_s),
                lambda: self._demand(item.what, 1.0, cause),
            )
        if isinstance(item, Event):
            return lambda: self._event(item, cause), None
        raise TypeError(f"no action for {item!r}")

    def _road_actions(self, item: CloseRoad | SpeedLimit, cause: str) -> tuple[Callable[[], None], Callable[[], None]]:
        roads = self._city.roads_named(item.road, item.near, item.length_m)
        if isinstance(item, SpeedLimit):
            limit = item.speed_km_h / 3.6
            return lambda: self._limit(roads, limit, cause), lambda: self._limit(roads, None, cause)
        if isinstance(item, CloseRoad) and item.lanes == "all":
            return lambda: self._close(roads, cause, True), lambda: self._close(roads, cause, False)
        lanes = tuple(int(lane) for lane in item.lanes)
        return (
            lambda: self._lanes(roads, lanes, cause, True),
            lambda: self._lanes(roads, lanes, cause, False),
        )

    # -- obstacles -----------------------------------------------------------------------------------------

    def _obstacle_actions(self, k: int, item: Obstacle, cause: str) -> tuple[Callable[[], None], Callable[[], None]]:
        spot = self._spot(item, cause)
        vehicle = int(vehicle_number("obstacle", k, 0))
        return (
            lambda: self._stand(vehicle, spot, item.until_s, cause),
            lambda: self._clear(vehicle, spot, cause),
        )

    def _spot(self, item: Obstacle, cause: str) -> _Spot:
        """Return where an obstacle stands: on one piece of its road. Raises ScenarioError if there is no such place."""
        roads = self._city.roads
        rows = self._city.roads_named(item.road, item.near, item.length_m)
        fits = rows[roads["lanes"].to_numpy(np.int64)[rows] > item.lane]
        if fits.size == 0:
            most = int(roads["lanes"].to_numpy(np.int64)[rows].max())
            raise ScenarioError(f"{cause}.lane is {item.lane}; {item.road} has lanes 0 to {most - 1} there")
        length_m = roads["length_m"].to_numpy(np.float64)[fits]
        if item.near is None:
            best = int(length_m.argmax())
            pos_m = float(length_m[best]) / 2
        else:
            point, lines = self._city.place(item.near).geometry, roads.geometry.iloc[fits]
            best = int(lines.distance(point).to_numpy().argmin())
            pos_m = float(lines.iloc[best].project(point, normalized=True)) * float(length_m[best])
        if item.pos_m is not None:
            pos_m = item.pos_m
        length = float(length_m[best])
        if pos_m > length:
            edge = roads["edge"].iloc[int(fits[best])]
            raise ScenarioError(f"{cause}.pos_m is {item.pos_m:g}; road {edge} is {length:.0f} m long")
        at_m = min(max(pos_m, min(STANDING_M, length)), max(length - 1.0, length / 2))
        # in whole decimetres: SUMO is told positions with two digits, and stops nobody who begins beyond his stop
        return _Spot(int(fits[best]), item.lane, math.floor(10 * at_m) / 10)

    def _stand(self, vehicle: int, spot: _Spot, until_s: int | None, cause: str) -> None:
        """Let a vehicle stand on a lane; it is no traveller's: it comes from nowhere and is taken off again."""
        now = self._clock.now_s
        if self._gate is None:
            self._shut_lane(spot.road, spot.lane, cause, True)
        else:
            gone_s = until_s if until_s is not None else self._end_s
            lane = spot.lane + self._first_lane(spot.road)
            self._gate.put(
                NewVehicles(
                    vehicle=np.array([vehicle], dtype=np.int64),
                    type_index=np.array([CAR], dtype=np.int64),
                    depart_s=np.array([now], dtype=np.int64),
                    routes=Routes(np.array([spot.road], dtype=np.int32), np.array([0, 1]), np.zeros(1)),
                    stops={0: (Stop(spot.road, spot.pos_m, 1, gone_s + DAY_S, lane=lane),)},
                    depart_pos_m=np.array([spot.pos_m]),
                )
            )
        self._log.add(LaneClosed, t_s=now, road=spot.road, lane=spot.lane, cause=cause)
        if self._lanes_of(spot.road) == 1:
            self._report(spot.road, True)
        if self._fleets is not None:
            self._fleets.lane_blocked(spot.road, spot.lane, spot.pos_m)

    def _clear(self, vehicle: int, spot: _Spot, cause: str) -> None:
        now = self._clock.now_s
        if self._gate is None:
            self._shut_lane(spot.road, spot.lane, cause, False)
        else:
            self._gate.take_off(vehicle, now, "the obstacle was taken away")
        self._log.add(LaneReopened, t_s=now, road=spot.road, lane=spot.lane, cause=cause)
        if self._lanes_of(spot.road) == 1:
            self._report(spot.road, False)
        if self._fleets is not None:
            self._fleets.lane_cleared(spot.road, spot.lane, spot.pos_m)

    def _lanes_of(self, road: int) -> int:
        return int(self._city.roads["lanes"].iloc[road])

    def _first_lane(self, road: int) -> int:
        """Return SUMO's index of the rightmost lane for cars (there may be a footway right of it)."""
        roads = self._city.roads
        return int(roads["first_lane"].iloc[road]) if "first_lane" in roads else 0

    # -- fleets --------------------------------------------------------------------------------------------

    def _fleet_actions(
        self, item: FleetIntervention, cause: str
    ) -> tuple[Callable[[], None], Callable[[], None] | None]:
        fleets = self._fleets
        if fleets is None:  # in a zoom, which has no units
            return lambda: None, None
        clock = self._clock
        if isinstance(item, Breakdown):
            unit, until_s = item.unit, item.until_s
            fleets.rows_named(unit)  # a unit that is not there is told at the start
            fit_s = item.at_s + 60 * item.minutes if item.minutes is not None else until_s
            return lambda: fleets.break_down(unit, cause, clock.now_s, fit_s), None
        if isinstance(item, LostLink):
            unit, back_s = item.unit, float("inf") if item.until_s is None else float(item.until_s)
            fleets.rows_named(unit)
            return lambda: fleets.lose_link(unit, cause, clock.now_s, back_s), None
        if isinstance(item, PermitEnds):
            permit = item.permit
            return lambda: fleets.end_permit(permit, cause, clock.now_s), None
        place = item.place
        fleets.depots_named(place)
        if isinstance(item, ChargerFails):
            left = item.left
            return (
                lambda: fleets.set_chargers(place, left, cause, clock.now_s),
                lambda: fleets.set_chargers(place, None, cause, clock.now_s),
            )
        return (
            lambda: fleets.shut_depot(place, True, cause, clock.now_s),
            lambda: fleets.shut_depot(place, False, cause, clock.now_s),
        )

    # -- roads ---------------------------------------------------------------------------------------------

    def _close(self, roads: npt.NDArray[np.int64], cause: str, closed: bool) -> None:
        now = self._clock.now_s
        closed_now = self.streets.closed
        closed_now[roads] += 1 if closed else -1
        for road in roads[closed_now[roads] == (1 if closed else 0)].tolist():
            self._traffic.close_road(road, closed)
            self._log.add(RoadClosed if closed else RoadReopened, t_s=now, road=road, cause=cause)
            self._report(road, closed)
            self.streets.known[road] = False
            if closed:
                self._clock.at(now + KNOWN_S, Phase.WORLD, partial(self.streets.tell, road))
        self.streets.changed = True

    def _report(self, road: int, closed: bool) -> None:
        """Somebody tells traffic control, after a while."""
        now = self._clock.now_s
        delay = int(self._delay.exponential(REPORT_MEAN_S, road, now)[0])

        def arrives() -> None:
            t = self._clock.now_s
            self._log.add(ClosureReported, t_s=t, road=road, closed=closed)
            self._tell(ClosureReport(t, f"closure/{road}/{now}/{int(closed)}", road, closed, "road user"))

        self._clock.at(now + delay, Phase.PERCEIVE, arrives)

    def _lanes(self, roads: npt.NDArray[np.int64], lanes: tuple[int, ...], cause: str, closed: bool) -> None:
        count = self._city.roads["lanes"].to_numpy(np.int64)
        for road in roads.tolist():
            for lane in lanes:
                if lane < count[road]:
                    self._shut_lane(road, lane, cause, closed)
                    fact = LaneClosed if closed else LaneReopened
                    self._log.add(fact, t_s=self._clock.now_s, road=road, lane=lane, cause=cause)
                    if self._fleets is not None:
                        (self._fleets.lane_blocked if closed else self._fleets.lane_cleared)(road, lane, None)

    def _shut_lane(self, road: int, lane: int, cause: str, closed: bool) -> None:
        (self._shut_lanes.close if closed else self._shut_lanes.open)(road, lane + self._first_lane(road), cause)

    def _limit(self, roads: npt.NDArray[np.int64], limit_m_s: float | None, cause: str) -> None:
        for road in roads.tolist():
            self._limits.set(road, cause, limit_m_s)
        shown = np.array([self._limits.shown(road) for road in roads.tolist()])
        self._log.add(SpeedLimitSet, t_s=self._clock.now_s, road=roads, speed_m_s=shown, cause=cause)

    # -- everything else -------------------------------------------------------------------------------------

    def _sky(self, item: WeatherChange) -> None:
        self._weather.change(self._clock.now_s, item.weather, item.rain_mm_h)
        self._on_weather()

    def _sky_back(self) -> None:
        self._weather.back(self._clock.now_s)
        self._on_weather()

    def _demand(self, what: str, factor: float, cause: str, until_s: int | None = None) -> None:
        self.streets.demand[what] = factor
        if what == "residents" and self._people is not None and factor != 1.0:
            self._people.scale(factor, self._clock.now_s, until_s, cause)
        self._log.add(DemandChanged, t_s=self._clock.now_s, kind=what, factor=float(factor), cause=cause)

    def _event(self, item: Event, cause: str) -> None:
        if self._people is None:
            return
        place = self._city.place(item.place)
        until_s = item.until_s if item.until_s is not None else item.at_s + 2 * 3600
        block = int(self._city.blocks.geometry.distance(place.geometry).to_numpy().argmin())
        came = self._people.attract(block, item.people, item.at_s, until_s, cause)
        self._log.add(EventHeld, t_s=self._clock.now_s, place=str(place["place"]), people=came, cause=cause)
