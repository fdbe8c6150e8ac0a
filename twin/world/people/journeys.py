"""Trips under way: who sets out by which mode, and when they are there.

Cars enter the traffic simulator and are there when it says so. Bus passengers wait for real buses
(:mod:`twin.world.people.riders`). Walkers, riders of e-bikes and car passengers do not load the roads: they take
``distance / speed``, passengers the present travel time of the way. Distances on foot and by e-bike come from the
skim of the network (:class:`twin.world.people.travel.Travel`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.domain.ids import vehicle_number
from twin.events import TripEnded, TripRefused, TripStarted, TripUnderWay
from twin.log import Log
from twin.world.people.model import PeopleModel
from twin.world.people.ports import AUTONOMOUS_BUS, BUS, CAR, EBIKE, PASSENGER, WALK, Arrivals, Departures
from twin.world.people.riders import Riders
from twin.world.traffic.ports import NewVehicles
from twin.world.traffic.routing import RouteTable, distances_m, pick

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PARK_S = 90  # from door to wheel and back (assumed)


class Entrance(Protocol):
    """Where cars enter the roads; the ``add`` of traffic, with everybody told who must know."""

    def add(self, new: NewVehicles) -> None:
        """Let vehicles enter."""


class Shuttles(Protocol):
    """Autonomous buses that residents have booked for some of their trips."""

    def begin(
        self, resident: Ints, trip: Ints, origin: Ints, depart_s: Ints
    ) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
        """Return which of these trips go by booked bus, with their metres and expected seconds (0 for the others)."""


@dataclass
class _State:
    """The trip each traveller is on; one row per person (``PeopleModel.population.row``)."""

    trip: Ints
    mode: Ints
    purpose: Ints
    depart_s: Ints
    due_s: Ints


class Journeys:
    """Carries out trips and tells the people model, and the log, when they end."""

    def __init__(
        self,
        city: City,
        people: PeopleModel,
        traffic: Entrance,
        routes: RouteTable,
        riders: Riders | None,
        log: Log,
        car_type: int,
    ) -> None:
        n = len(people.population.people)
        self._row = people.population.row
        self._space = people.travel
        self._people, self._traffic, self._routes, self._riders = people, traffic, routes, riders
        self._log, self._car_type = log, car_type
        self._length_m = city.roads["length_m"].to_numpy(np.float64)
        self._now = _State(*(np.full(n, -1, dtype=np.int64) for _ in range(5)))
        self._ends: dict[int, list[tuple[Ints, Ints]]] = {}
        self._walk_m_s, self._ebike_m_s = people.walk_m_s, people.ebike_m_s
        self.weather_factor = 1.0
        self.shuttles: Shuttles | None = None

    # -- setting out -------------------------------------------------------------------------------------

    def set_out(self, from_s: int, until_s: int) -> None:
        """Begin all trips of the seconds [from_s, until_s)."""
        d = self._people.departures(from_s, until_s)
        n = d.resident.size
        if n == 0:
            return
        vehicle = np.zeros(n, dtype=np.int64)
        distance, expected = np.zeros(n), np.zeros(n)
        if self.shuttles is not None:
            booked, distance, expected = self.shuttles.begin(d.resident, d.trip, d.origin, d.depart_s)
            if booked.any():
                d = replace(d, mode=np.where(booked, AUTONOMOUS_BUS, d.mode))
        refused: list[tuple[Ints, str]] = []
        s = self._now
        row = self._row(d.resident)
        s.trip[row], s.mode[row], s.purpose[row] = d.trip, d.mode, d.purpose
        s.depart_s[row], s.due_s[row] = d.depart_s, d.due_s
        by_road = (d.mode == CAR) | (d.mode == PASSENGER)
        if by_road.any():
            refused += self._by_road(d, np.flatnonzero(by_road), vehicle, distance, expected)
        slow = (d.mode == WALK) | (d.mode == EBIKE)
        if slow.any():
            self._by_foot_or_bike(d, np.flatnonzero(slow), distance, expected)
        on_bus = np.flatnonzero(d.mode == BUS)
        if on_bus.size:
            refused += self._by_bus(d, on_bus, distance, expected)
        self._log.add(
            TripStarted,
            t_s=d.depart_s,
            resident=d.resident,
            trip=d.trip,
            mode=d.mode,
            purpose=d.purpose,
            origin=d.origin,
            destination=d.destination,
            vehicle=vehicle,
            planned_s=d.planned_s,
            due_s=d.due_s,
            distance_m=distance,
            expected_s=expected,
        )
        for rows, reason in refused:
            self._refuse(d.resident[rows], d.depart_s[rows], reason)

    def _by_road(
        self, d: Departures, rows: Ints, vehicle: Ints, distance: Floats, expected: Floats
    ) -> list[tuple[Ints, str]]:
        start = self._space.road_of(d.origin[rows], outgoing=False)
        end = self._space.road_of(d.destination[rows], outgoing=True)
        routes = self._routes.routes(start, end)
        found = routes.found
        distance[rows] = distances_m(routes, self._length_m)
        expected[rows] = np.where(found, routes.time_s, 0.0) + PARK_S
        car = found & (d.mode[rows] == CAR)
        if car.any():
            who = rows[car]
            vehicle[who] = vehicle_number("car", d.resident[who], d.trip[who])
            types = np.full(who.size, self._car_type, dtype=np.int64)
            self._traffic.add(NewVehicles(vehicle[who], types, d.depart_s[who], pick(routes, car)))
        ride = found & (d.mode[rows] == PASSENGER)
        who = rows[ride]
        self._later(d.resident[who], d.depart_s[who] + np.round(expected[who]).astype(np.int64))
        return [(rows[~found], "no route")] if not found.all() else []

    def _by_foot_or_bike(self, d: Departures, rows: Ints, distance: Floats, expected: Floats) -> None:
        distance[rows] = self._space.distance_m(d.origin[rows], d.destination[rows])
        who, bike = self._row(d.resident[rows]), d.mode[rows] == EBIKE
        speed = np.where(bike, self._ebike_m_s[who] * self.weather_factor, self._walk_m_s[who])
        expected[rows] = distance[rows] / speed + np.where(bike, PARK_S, 0)
        self._later(d.resident[rows], d.depart_s[rows] + np.round(expected[rows]).astype(np.int64))

    def _by_bus(self, d: Departures, rows: Ints, distance: Floats, expected: Floats) -> list[tuple[Ints, str]]:
        if self._riders is None:
            return [(rows, "no bus line")]
        ok, distance[rows], expected[rows] = self._riders.begin(
            d.resident[rows], d.origin[rows], d.destination[rows], d.depart_s[rows]
        )
        return [(rows[~ok], "no bus line")] if not ok.all() else []

    # -- arriving ----------------------------------------------------------------------------------------

    def _later(self, resident: Ints, end_s: Ints) -> None:
        """Note arrivals that are known beforehand, by the minute they fall into."""
        if resident.size == 0:
            return
        minute = end_s // 60
        order = np.argsort(minute, kind="stable")
        resident, end_s, minute = resident[order], end_s[order], minute[order]
        cuts = np.flatnonzero(np.diff(minute)) + 1
        for r, e in zip(np.split(resident, cuts), np.split(end_s, cuts), strict=True):
            self._ends.setdefault(int(e[0]) // 60, []).append((r, e))

    def cars_arrived(self, vehicle: Ints, t_s: Ints) -> None:
        """End the trips of residents' cars that reached the end of their routes."""
        resident = vehicle % 10**12 // 10**3
        self._later(resident, t_s + PARK_S // 2)

    def on_foot(self, resident: int, end_s: int) -> None:
        """Let a passenger of a booked bus reach the destination on foot at ``end_s``."""
        self._later(np.asarray([resident], dtype=np.int64), np.asarray([end_s], dtype=np.int64))

    def bus_lost(self, vehicle: int, t_s: int, reason: str) -> None:
        """End the trips of everybody aboard a bus that was taken off the road."""
        if self._riders is not None:
            aboard = self._riders.bus_lost(vehicle)
            if aboard.size:
                self._refuse(aboard, np.full(aboard.size, t_s), reason)

    def car_lost(self, vehicle: int, t_s: int, reason: str) -> None:
        """End the trip of a car that was taken off the road."""
        self._refuse(np.asarray([vehicle % 10**12 // 10**3]), np.asarray([t_s]), reason)

    def finish(self, now_s: int) -> None:
        """End the trips that are over before ``now_s`` (called every minute)."""
        if self._riders is not None:
            self._later(*self._riders.finished())
            lost = self._riders.impatient(now_s)
            if lost.size:
                self._refuse(lost, np.full(lost.size, now_s), "no bus came")
        parts = [p for m in sorted(m for m in self._ends if m < now_s // 60) for p in self._ends.pop(m)]
        if parts:
            resident, end_s = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
            order = np.lexsort((resident, end_s))
            self._end(resident[order], end_s[order])

    def _end(self, resident: Ints, t_s: Ints) -> None:
        s, row = self._now, self._row(resident)
        due = s.due_s[row]
        self._log.add(
            TripEnded,
            t_s=t_s,
            resident=resident,
            trip=s.trip[row],
            mode=s.mode[row],
            purpose=s.purpose[row],
            duration_s=t_s - s.depart_s[row],
            late_s=np.where(due >= 0, np.maximum(t_s - due, 0), 0),
        )
        self._tell(resident, t_s, True)

    def _refuse(self, resident: Ints, t_s: Ints, reason: str) -> None:
        s, row = self._now, self._row(resident)
        self._log.add(TripRefused, t_s=t_s, resident=resident, trip=s.trip[row], mode=s.mode[row], reason=reason)
        self._tell(resident, t_s, False)

    def _tell(self, resident: Ints, t_s: Ints, reached: bool) -> None:
        row = self._row(resident)
        trip = self._now.trip[row].copy()
        self._now.trip[row] = -1
        self._people.arrived(Arrivals(resident, trip, t_s, np.full(resident.size, reached)))

    def under_way(self, end_s: int) -> int:
        """Log everybody who is still travelling at the end; return how many."""
        who = np.flatnonzero(self._now.trip >= 0)
        ids = self._people.population.ids(who)
        self._log.add(TripUnderWay, t_s=end_s, resident=ids, trip=self._now.trip[who], mode=self._now.mode[who])
        return int(who.size)
