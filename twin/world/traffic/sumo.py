"""SUMO inside this process, through libsumo: the only file that imports it.

One second is one SUMO step. What happened is asked for as SUMO's own lists of ids, so a second costs a few
calls whatever the number of vehicles. A vehicle's SUMO id is its number in decimal. A second is SUMO's: what
the step from t to t + 1 does happens at t, as in SUMO's own tripinfo.

Peculiarities of SUMO that are dealt with here: a second ``start`` in one process is refused, because libsumo
would silently replace the first simulation; in meso neither teleports nor stops are told by any list (see
:mod:`twin.world.traffic.capture` and :mod:`twin.world.traffic.stops`); in meso ``setRoute`` accepts a route
that begins elsewhere, so routes are checked here.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.errors import AdapterError
from twin.world.traffic.capture import Captured
from twin.world.traffic.closures import Closures
from twin.world.traffic.columns import Happenings
from twin.world.traffic.measure import Detectors, Entries, TravelTimes, look_period_s
from twin.world.traffic.meso_places import MesoPlaces
from twin.world.traffic.options import DEPART, MESO_SEGMENT_M, arguments, projection_data
from twin.world.traffic.patience import Patience
from twin.world.traffic.ports import (
    Floats,
    Flow,
    Ints,
    NewVehicles,
    Readings,
    Stop,
    TrafficSettings,
    VehicleType,
)
from twin.world.traffic.roads import Roads
from twin.world.traffic.stops import StopWatch
from twin.world.traffic.types import Drivers

_TELEPORT = re.compile(r"^Warning: Teleporting vehicle '(\d+)'.*?time=(\d+)")
_VAPORIZED = 3

_alive: SumoTraffic | None = None


def preload() -> None:
    """Import libsumo while there is something else to wait for: it takes a fifth of a second."""
    import libsumo  # noqa: F401


class SumoTraffic:
    """Traffic by SUMO, ``settings.mode`` meso or micro. Raises AdapterError when one already runs here."""

    def __init__(self, city: City, types: Sequence[VehicleType], settings: TrafficSettings) -> None:
        global _alive  # noqa: PLW0603  (libsumo is one per process, so its guard is, too)
        if _alive is not None:
            raise AdapterError("SUMO already runs in this process: close the first traffic before starting a second")
        if settings.mode not in ("meso", "micro"):
            raise ValueError(f"SUMO's mode must be 'meso' or 'micro', not {settings.mode!r}")
        self._settings = settings
        self._meso = settings.mode == "meso"
        self._how = DEPART[settings.mode]
        self._roads = Roads(city)
        self._drivers = Drivers(types, settings.seed)
        self._now = int(settings.begin_s)
        self._folder = Path(tempfile.mkdtemp(prefix="twin-sumo-"))
        self._patience = Patience()
        self._captured = Captured(self._folder / "stderr.txt")
        import libsumo

        self._sumo: Any = libsumo
        try:
            self._start(city)
        except BaseException:
            self._release()
            raise
        _alive = self
        edge = libsumo.edge
        self._detectors = Detectors(edge.getLastStepVehicleIDs, edge.getLastStepMeanSpeed, edge.getLastStepOccupancy)
        self._entries = Entries(edge.getLastStepVehicleIDs)
        self._times = TravelTimes(self._roads.length_m, self._roads.free_s)
        self._meso_places = MesoPlaces(libsumo.vehicle, self._roads)
        self._known: set[int] = set()
        self._present: set[int] = set()
        self._routes: dict[bytes, str] = {}
        self._closures = Closures(libsumo, self._roads, meso=self._meso, v_classes={t.v_class for t in types})
        self._stops = StopWatch(libsumo, self._roads, self._closures, meso=self._meso)
        self._skipped: list[tuple[int, int, int]] = []  # vehicle, road, second: stops that no open lane was left for
        self._waiting: dict[int, tuple[int, int]] = {}  # not departed: first road, second
        self._held: dict[int, _Held] = {}
        self._places: dict[int, _Place] = {}
        self._number_of = {name: i for i, name in enumerate(self._drivers.names)}
        self._out, self._told = Happenings(), True  # what happened, and whether nothing of it is yet to be told
        self.warnings: dict[str, int] = {}
        self.before_step: Callable[[int], int] | None = None
        self.looked: Callable[[Ints, Floats, Floats], None] | None = None

    @property
    def live(self) -> Any:
        """libsumo, for the adapter of the signals (see :class:`~twin.world.traffic.ports.HasSignals`)."""
        return self._sumo

    @property
    def look_s(self) -> int:
        """See :class:`~twin.world.traffic.ports.HasSignals`."""
        return self._times.period_s

    # -- start and end -------------------------------------------------------------------------------

    def _start(self, city: City) -> None:
        types = self._folder / "types.add.xml"
        types.write_text(self._drivers.xml(), encoding="utf-8")
        try:
            with projection_data(), self._captured.catching(out=True):
                self._sumo.start(arguments(city.net_file, types, self._settings))
        except Exception as error:
            raise AdapterError(f"SUMO did not start: {self._words(error)}") from None

    def _words(self, error: Exception) -> str:
        self._captured.new_lines()
        said = self._captured.errors() or str(error)
        return " ".join(said.split()) or type(error).__name__

    def close(self) -> None:
        """End; ``fcd.parquet`` is complete afterwards. Closing twice does nothing."""
        if self._sumo is None:
            return
        try:
            with self._captured.catching(out=True):
                self._sumo.close()
        except Exception as error:
            raise AdapterError(f"SUMO did not end well at {self._now} s: {self._words(error)}") from None
        finally:
            self._release()

    def _release(self) -> None:
        global _alive  # noqa: PLW0603
        self._patience.end()
        if _alive is self:
            _alive = None
        self._sumo = None
        self._captured.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- vehicles ------------------------------------------------------------------------------------

    def add(self, vehicles: NewVehicles) -> None:
        """See :class:`~twin.world.traffic.ports.Traffic`."""
        numbers = vehicles.vehicle.tolist()
        if not numbers:
            return
        self._roads.check(vehicles, self._now, self._known)
        drivers = self._drivers.draw(vehicles.vehicle, vehicles.type_index).tolist()
        offsets, roads = vehicles.routes.offsets.tolist(), vehicles.routes.roads
        seconds = vehicles.depart_s.tolist()
        first = roads[vehicles.routes.offsets[:-1]].tolist()
        self._known.update(numbers)
        self._present.update(numbers)
        self._times.expect(roads)
        held = self._held
        for i, number in enumerate(numbers if vehicles.placed else ()):
            self._places[number] = self._place(*vehicles.ends(i), first[i], int(roads[offsets[i + 1] - 1]))
        if self._closures.any_shut:
            for i, road in enumerate(first):
                if self._closures.shut(road):
                    held[numbers[i]] = _Held(drivers[i], seconds[i], roads[offsets[i] : offsets[i + 1]])
        edges = self._roads.edges[roads].tolist()
        with self._failing("adding vehicles"):
            for i, number in enumerate(numbers):
                if number in held:
                    continue
                a, b = offsets[i], offsets[i + 1]
                self._insert(number, drivers[i], seconds[i], roads[a:b], edges[a:b])
        self._waiting.update(zip(numbers, zip(first, seconds, strict=True), strict=True))
        for i, stops in vehicles.stops.items():
            for stop in stops:
                if not self.add_stop(numbers[i], stop):
                    if stop.road not in roads[offsets[i] : offsets[i + 1]] or not self._stops.shut_out(
                        numbers[i], stop
                    ):
                        raise ValueError(f"vehicle {numbers[i]}: its route does not pass its stop on road {stop.road}")
                    self._skipped.append((numbers[i], stop.road, self._now))

    def _insert(self, number: int, driver: int, depart_s: int, roads: npt.NDArray[Any], edges: list[str]) -> None:
        key = roads.tobytes()
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = f"r{len(self._routes)}"
            self._sumo.route.add(route, edges)
        how = self._how
        arrival = "max"
        place = self._places.get(number) if self._places else None
        if place is not None:
            how = (how[0], place.depart if place.first == roads[0] else how[1], "0")
            arrival = place.arrive if place.last == roads[-1] else arrival
        name = self._drivers.names[driver]
        kind = name if place is None or place.top_m_s <= 0 else self._slower(name, place.top_m_s)
        self._sumo.vehicle.add(str(number), route, kind, str(depart_s), *how, arrivalPos=arrival)

    def _slower(self, name: str, top_m_s: float) -> str:
        """Return the class of drivers ``name`` with a top speed, made once and shared.

        SUMO's own ``vehicle.setMaxSpeed`` makes a type per vehicle, which stays when the vehicle is taken off, and
        then stands in the way of its coming back.
        """
        kind = self._drivers.kind_of(np.array([self._number_of[name]]))[0]
        if top_m_s >= self._drivers.types[kind].max_speed_m_s:
            return name
        slow = f"{name}@{top_m_s:.2f}"
        if slow not in self._number_of:
            self._sumo.vehicletype.copy(name, slow)
            self._sumo.vehicletype.setMaxSpeed(slow, max(round(top_m_s, 2), 0.1))
            self._number_of[slow] = self._number_of[name]
        return slow

    def _place(self, depart_m: float, arrive_m: float, first: int, last: int) -> _Place:
        """Where a vehicle begins and ends, in SUMO's words.

        In meso SUMO takes the beginning of the segment a position lies in: here it gets the nearest such beginning.
        """
        length = float(self._roads.length_m[first])
        depart, arrive = self._how[1], "max"
        if np.isfinite(depart_m):
            depart_m = min(max(depart_m, 0.0), max(length - 0.1, 0.0))
            if self._meso:
                pieces = max(1, int(length / MESO_SEGMENT_M + 0.5))
                depart_m = min(round(depart_m / length * pieces), pieces - 1) * length / pieces + 0.01
            depart = f"{depart_m:.2f}"
        if np.isfinite(arrive_m):
            arrive = f"{min(max(arrive_m, 0.1), float(self._roads.length_m[last])):.2f}"
        return _Place(first, last, depart, arrive)

    def _hold_or_release(self, road: int) -> None:
        """Keep vehicles that would begin on a shut road out of SUMO, which would drop them without a word."""
        waiting = [v for v, (first, _) in self._waiting.items() if first == road]
        if self._closures.shut(road):
            for number in waiting:
                if number not in self._held:
                    self._hold(number)
        else:
            for number in waiting:
                if number in self._held:
                    self._release_held(number)

    def _hold(self, number: int) -> None:
        name = str(number)
        vehicle = self._sumo.vehicle
        with self._failing("holding a vehicle back"):
            try:
                if vehicle.getRouteIndex(name) >= 0:
                    return  # it has just entered
            except self._sumo.TraCIException:
                return  # and is gone already
            driver = self._number_of[vehicle.getTypeID(name)]
            edges = vehicle.getRoute(name)
            vehicle.remove(name, _VAPORIZED)
        roads = np.array([self._roads.index[e] for e in edges], dtype=np.int32)
        self._held[number] = _Held(driver, self._waiting[number][1], roads, self._stops.forget(number))

    def _release_held(self, number: int) -> None:
        own = self._held.pop(number)
        with self._failing("letting a vehicle in"):
            edges = self._roads.edges[own.roads].tolist()
            self._insert(number, own.driver, max(own.depart_s, self._now), own.roads, edges)
        for stop in own.stops:
            if not self.add_stop(number, stop):
                self._skipped.append((number, stop.road, self._now))

    def under_way(self) -> Ints:
        """See the Protocol; in ascending order."""
        return np.array(sorted(self._present), dtype=np.int64)

    def where(self, vehicles: Ints) -> tuple[Ints, Floats]:
        """See the Protocol. Inside a junction: the road just left, at its end. Meso: see :class:`MesoPlaces`."""
        if self._meso:
            present = [v if v in self._present and v not in self._held else -1 for v in vehicles.tolist()]
            with self._failing("asking where vehicles are"):
                return self._meso_places.where(present, float(self._now))
        road = np.full(len(vehicles), -1, dtype=np.int64)
        pos = np.zeros(len(vehicles))
        v = self._sumo.vehicle
        with self._failing("asking where vehicles are"):
            for i, number in enumerate(np.asarray(vehicles).tolist()):
                if number not in self._present or number in self._held:
                    continue
                edge = v.getRoadID(str(number))
                if edge.startswith(":"):
                    road[i] = self._roads.index[v.getRoute(str(number))[v.getRouteIndex(str(number))]]
                    pos[i] = self._roads.length_m[road[i]]
                elif edge:
                    road[i] = self._roads.index[edge]
                    pos[i] = v.getLanePosition(str(number))
        return road, pos

    def roads_of(self, vehicles: Ints) -> Ints:
        """See :class:`~twin.world.traffic.ports.HasSignals`."""
        road_of, index, present, held = self._sumo.vehicle.getRoadID, self._roads.index, self._present, self._held
        with self._failing("asking what roads vehicles are on"):
            return np.array(
                [index.get(road_of(str(v)), -1) if v in present and v not in held else -1 for v in vehicles.tolist()],
                dtype=np.int64,
            )

    def vehicles_on(self, road: int) -> Ints:
        """See the Protocol."""
        with self._failing("asking who is on a road"):
            found = self._sumo.edge.getLastStepVehicleIDs(self._roads.edges[int(road)])
        return np.array(sorted(int(v) for v in found if int(v) in self._present), dtype=np.int64)

    def remaining(self, vehicle: int) -> npt.NDArray[np.int32]:
        """See the Protocol."""
        if int(vehicle) not in self._present:
            return np.empty(0, dtype=np.int32)
        if int(vehicle) in self._held:
            return self._held[int(vehicle)].roads.copy()
        with self._failing("asking for a route"):
            edges = self._sumo.vehicle.getRoute(str(vehicle))
            at = max(self._sumo.vehicle.getRouteIndex(str(vehicle)), 0)
        return np.array([self._roads.index[e] for e in edges[at:]], dtype=np.int32)

    def set_route(self, vehicle: int, roads: npt.NDArray[Any]) -> bool:
        """See the Protocol."""
        if int(vehicle) not in self._present:
            return False
        rest = np.asarray(roads, dtype=np.int64)
        self._roads.check_route(int(vehicle), rest)
        if int(vehicle) in self._waiting:
            self._waiting[int(vehicle)] = (int(rest[0]), self._waiting[int(vehicle)][1])
        if int(vehicle) in self._held:
            self._held[int(vehicle)].roads = rest.astype(np.int32)
            if not self._closures.shut(int(rest[0])):
                self._release_held(int(vehicle))
            return True
        name = str(int(vehicle))
        now = self.remaining(vehicle)
        with self._failing("giving a new route"):
            on_road = self._sumo.vehicle.getRouteIndex(name) >= 0
        if on_road and now[0] != rest[0]:
            raise ValueError(f"vehicle {vehicle}: its new route begins with road {rest[0]}, but it is on {now[0]}")
        try:
            with self._captured.catching():
                self._sumo.vehicle.setRoute(name, self._roads.edges[rest].tolist())
        except self._sumo.FatalTraCIError as error:
            raise self._failed("giving a new route", error) from None
        except self._sumo.TraCIException as error:
            raise ValueError(f"vehicle {vehicle} cannot take the new route: {str(error).strip()}") from None
        self._times.expect(rest)
        self._stops.rerouted(int(vehicle), self._now)
        if not on_road and self._closures.shut(int(rest[0])):
            self._hold(int(vehicle))
        return True

    def add_stop(self, vehicle: int, stop: Stop) -> bool:
        """See the Protocol."""
        if int(vehicle) not in self._present:
            return False
        if int(vehicle) in self._held:
            self._held[int(vehicle)].stops.append(stop)
            return True
        try:
            with self._captured.catching():
                return self._stops.add(int(vehicle), stop, self._now)
        except self._sumo.FatalTraCIError as error:
            raise self._failed("adding a stop", error) from None
        except self._sumo.TraCIException:
            return False

    def set_top_speed(self, vehicle: int, speed_m_s: float) -> bool:
        """See the Protocol."""
        number = int(vehicle)
        if number not in self._present:
            return False
        top = max(float(speed_m_s), 0.1)
        self._places[number] = replace(self._places.get(number, _Place()), top_m_s=top)
        if number not in self._held:
            with self._failing("limiting a vehicle's speed"):
                name = self._drivers.names[self._number_of[self._sumo.vehicle.getTypeID(str(number))]]
                self._sumo.vehicle.setType(str(number), self._slower(name, top))
        return True

    def remove(self, vehicle: int) -> bool:
        """See the Protocol."""
        if int(vehicle) not in self._present:
            return False
        if self._held.pop(int(vehicle), None) is None:
            with self._failing("removing a vehicle"):
                self._sumo.vehicle.remove(str(int(vehicle)), _VAPORIZED)
        self._present.discard(int(vehicle))
        self._waiting.pop(int(vehicle), None)
        self._places.pop(int(vehicle), None)
        self._meso_places.forget(int(vehicle))
        self._stops.forget(int(vehicle))
        return True

    # -- time ----------------------------------------------------------------------------------------

    def advance(self, until_s: int) -> Flow:
        """See the Protocol. Raises AdapterError with the second when SUMO fails or is gone."""
        self.go_on(until_s)
        out, self._out, self._told = self._out, Happenings(), True
        self._take_in(self._captured.new_lines(), out)
        flow = self._with_skipped(out.flow(self._entries.take()))
        for vehicle in flow.departed.tolist():
            self._waiting.pop(vehicle, None)
        gone = flow.arrived.tolist()
        self._forget(gone)
        self._patience.end()
        return flow

    def go_on(self, until_s: int) -> None:
        """See the Protocol. Raises AdapterError with the second when SUMO fails or is gone."""
        if until_s < self._now:
            raise ValueError(f"traffic cannot go back to {until_s} s: it is at {self._now} s")
        if self._sumo is None or not self._sumo.isLoaded():
            raise AdapterError(f"SUMO is gone at {self._now} s: it was closed")
        if self._told:
            self._patience.raise_noted()
        out, self._told = self._out, False
        departed, arrived, teleported = out.departed.extend, out.arrived.extend, out.teleported.extend
        simulation = self._sumo.simulation
        step = self._sumo.simulationStep
        departed_ids, arrived_ids = simulation.getDepartedIDList, simulation.getArrivedIDList
        teleported_ids = None if self._meso else simulation.getStartingTeleportIDList
        looks = self._looks(out)
        period = self._times.period_s
        now = self._now
        steer: Callable[[int], int] = self.before_step or (lambda _: until_s)
        steer_at = now
        try:
            self._patience.begin()  # until it is told
            with self._captured.catching():
                while now < until_s:
                    if now >= steer_at:
                        steer_at = steer(now)
                    step()
                    departed(departed_ids(), now)
                    arrived(arrived_ids(), now)
                    if teleported_ids is not None:
                        teleported(teleported_ids(), now)
                    for look in looks:
                        look(now)
                    if now % period == 0:
                        self._look_at_speeds()
                    now += 1
        except (self._sumo.TraCIException, self._sumo.FatalTraCIError, RuntimeError) as error:
            self._now = now
            self._patience.end()
            raise self._failed("simulating", error) from None
        self._now = now

    def _with_skipped(self, flow: Flow) -> Flow:
        if not self._skipped:
            return flow
        vehicle, road, second = np.array(self._skipped, dtype=np.int64).T
        self._skipped.clear()
        return replace(flow, skipped=vehicle, skipped_road=road, skipped_s=second)

    def _forget(self, gone: list[int]) -> None:
        """Put away what was known of vehicles that arrived."""
        self._present.difference_update(gone)
        if self._places:
            for vehicle in gone:
                self._places.pop(vehicle, None)
                self._meso_places.forget(vehicle)
        if self._stops.any:
            for vehicle in gone:
                self._stops.forget(vehicle)

    def _looks(self, out: Happenings) -> list[Callable[[int], None]]:
        """Return what has to be looked at every second."""
        looks: list[Callable[[int], None]] = []
        if self._stops.any:
            looks.append(lambda now: self._stops.look(now, out.began, out.ended))
        if self._closures.busy:
            looks.append(self._look_at_closures)
        looks += [watch.look for watch in (self._detectors, self._entries) if not watch.idle]
        return looks

    def _look_at_closures(self, now: int) -> None:
        self._now = now + 1
        for road in self._closures.look(now):
            self._hold_or_release(road)

    def _look_at_speeds(self) -> None:
        roads = self._times.to_look_at()
        number, speed = self._sumo.edge.getLastStepVehicleNumber, self._sumo.edge.getLastStepMeanSpeed
        edges = self._roads.edges[roads].tolist()
        vehicles = np.array([number(e) for e in edges], dtype=np.float64)
        on = np.flatnonzero(vehicles > 0)
        speeds = np.zeros(roads.size)
        speeds[on] = [speed(edges[i]) for i in on.tolist()]
        self._times.look(roads[on], vehicles[on], speeds[on])
        if self.looked is not None:
            self.looked(roads, vehicles, speeds)

    def _take_in(self, lines: list[str], out: Happenings) -> None:
        """Count SUMO's warnings by kind; in meso they are how teleports become known."""
        for line in lines:
            kind = re.sub(r"'[^']*'|[-\d.]+", "…", line.removeprefix("Warning:").strip())
            self.warnings[kind] = self.warnings.get(kind, 0) + 1
            hit = _TELEPORT.match(line)
            if hit and self._meso:
                out.teleported.extend((hit[1],), int(hit[2]))

    # -- roads ---------------------------------------------------------------------------------------

    def _move_stops(self, road: int) -> None:
        with self._failing("moving stops to open lanes"):
            anew = self._stops.lanes_changed(road)
        for vehicle in anew:
            self._hold(vehicle)
            if vehicle in self._held and not self._closures.shut(int(self._held[vehicle].roads[0])):
                self._release_held(vehicle)

    def close_road(self, road: int, closed: bool) -> None:
        """See the Protocol; on reopening every lane has exactly its own permissions again."""
        with self._failing("closing or opening a road"):
            self._closures.close_road(int(road), closed)
        self._move_stops(int(road))
        self._hold_or_release(int(road))

    def close_lane(self, road: int, lane: int, closed: bool) -> None:
        """See the Protocol. ValueError for a lane that the road has not."""
        with self._failing("closing or opening a lane"):
            self._closures.close_lane(int(road), int(lane), closed)
        self._move_stops(int(road))
        self._hold_or_release(int(road))

    def set_speed(self, road: int, speed_m_s: float | None) -> None:
        """See the Protocol."""
        with self._failing("setting a speed limit"):
            self._closures.set_speed(int(road), speed_m_s)

    def set_speeds(self, factor: float) -> None:
        """See the Protocol."""
        with self._failing("setting speed limits"):
            self._closures.set_speeds(factor)

    def travel_times(self) -> Floats:
        """See the Protocol; a fading mean over about five minutes of looks at busy roads."""
        return self._times.now_s(self._closures.free_s())

    # -- detectors -----------------------------------------------------------------------------------

    def watch(self, roads: Ints) -> None:
        """See the Protocol."""
        rows = np.asarray(roads, dtype=np.int64)
        top = np.minimum(self._roads.speed_m_s[rows] * self._drivers.top_factor, self._drivers.top_speed_m_s)
        periods = [look_period_s(*pair) for pair in zip(self._roads.length_m[rows].tolist(), top.tolist(), strict=True)]
        with self._failing("watching roads"):
            self._detectors.watch(rows, self._roads.edges[rows].tolist(), periods)

    def read(self) -> Readings:
        """See the Protocol."""
        return self._detectors.read()

    def watch_entries(self, roads: Ints) -> None:
        """See the Protocol."""
        rows = np.asarray(roads, dtype=np.int64)
        with self._failing("watching roads"):
            self._entries.watch(rows, self._roads.edges[rows].tolist())

    # -- errors --------------------------------------------------------------------------------------

    def _failing(self, doing: str) -> _Failing:
        return _Failing(self, doing)

    def _failed(self, doing: str, error: Exception) -> AdapterError:
        return AdapterError(f"SUMO failed at {self._now} s while {doing}: {self._words(error)}")


@dataclass(frozen=True)
class _Place:
    """Where a vehicle begins on road ``first`` and ends on road ``last``, as SUMO writes it; its own top speed."""

    first: int = -1
    last: int = -1
    depart: str = ""
    arrive: str = ""
    top_m_s: float = 0.0


@dataclass
class _Held:
    """A vehicle that cannot enter yet: its first road is shut."""

    driver: int
    depart_s: int
    roads: npt.NDArray[Any]
    stops: list[Stop] = field(default_factory=list)


class _Failing:
    """Turns SUMO's exceptions into AdapterError."""

    def __init__(self, traffic: SumoTraffic, doing: str) -> None:
        self._traffic, self._doing = traffic, doing

    def __enter__(self) -> None:
        if self._traffic._sumo is None or not self._traffic._sumo.isLoaded():
            raise AdapterError(f"SUMO is gone at {self._traffic._now} s, while {self._doing}: it was closed")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        sumo = self._traffic._sumo
        if sumo is not None and isinstance(error, (sumo.TraCIException, sumo.FatalTraCIError)):
            raise self._traffic._failed(self._doing, error) from None
