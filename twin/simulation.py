"""The composition root: one scenario, one seed, one run.

The order of things. Between two instants of the clock traffic flows; then, in this order:

1. ``WORLD``    interventions, arrivals of walkers and passengers, closures met, travel times measured, midnight;
2. ``PERCEIVE`` detectors are read, reports arrive; the fleets live on (every 10 s) and their units report;
3. ``DECIDE``   controllers with post, or that asked to be woken, fold messages into commands;
4. ``ACT``      commands change the world;
5. ``LIVE``     people set out, background traffic and buses enter;
6. ``OBSERVE``  the log is sealed, progress is shown; changes nothing.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from geo.city import City
from geo.given import GivenDemand
from geo.network import Network
from twin.clock import Clock, Phase
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.errors import ScenarioError
from twin.events import (
    ControllerDecided,
    GateCrossed,
    RunEnded,
    RunStarted,
    VehicleRefused,
)
from twin.gate import CODE, KIND_OF, Gate
from twin.hosts import Factory, Host, find_factory
from twin.interventions import Interventions
from twin.log import Facts, Log
from twin.orders import Orders
from twin.run_folder import FORMAT, RouteFile, versions, write_stamp
from twin.scenario import DAY_S, Scenario
from twin.world.sensors.detectors import Detectors, road_map
from twin.world.traffic.background import Background
from twin.world.traffic.bus_lines import BusLines
from twin.world.traffic.drivers import Drivers
from twin.world.traffic.given import GivenVehicles
from twin.world.traffic.limits import Limits
from twin.world.traffic.ports import Flow, NewVehicles, Traffic, TrafficSettings, VehicleType
from twin.world.traffic.routing import RouteTable, pick
from twin.world.traffic.shut_lanes import ShutLanes
from twin.world.traffic.types import BUS, CAR, DEFAULT_TYPES, make_traffic
from twin.world.weather import Weather

if TYPE_CHECKING:
    from twin.faults import Faults
    from twin.world.ports import SeesClosures, SeesTimes, SeesWeather, System

TICK_S = 60
#: systems of the city: the key of the scenario -> what makes them; imported only where they are on
SYSTEMS = {
    "junctions": "twin.world.junctions.system:JunctionSystem",
    "city_brain": "twin.world.city_brain.system:CityBrainSystem",
    "community": "twin.world.community.system:CommunitySystem",
    "services": "twin.world.offices.system:OfficesSystem",
    "companies": "twin.world.companies.system:CompaniesSystem",
    "construction": "twin.world.sites.system:SitesSystem",
}
IN_A_ZOOM = ("junctions",)  # the others live in the district, of which a zoom is a piece
FLEETS_S = 10  # as in twin.world.fleets.ports, which is imported only where there are fleets
SEAL_S = 900
CLOSURE_LOOK_S = 15
ADVICE_S = 300  # until advice that is out has become part of everybody's choice of way

Progress = Callable[[int, int, int, str], None]


class VehicleSource(Protocol):
    """Vehicles that nobody in the model decides on."""

    types: list[VehicleType]

    def vehicles(self, from_s: int, to_s: int) -> NewVehicles:
        """Return the vehicles that enter in [from_s, to_s)."""


@dataclass(frozen=True)
class CutOut:
    """What makes a run a zoom: its time, its vehicles, and the district's crossings of its border."""

    start_s: int
    end_s: int
    source: VehicleSource
    crossed: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def traffic_settings(
    scenario: Scenario, mode: str, seed: int, start_s: int, end_s: int, out: Path | None
) -> TrafficSettings:
    """Return how traffic is simulated in a run; ``out``: where positions go (None: nowhere)."""
    t = scenario.traffic
    return TrafficSettings(
        mode=mode,
        seed=seed,
        begin_s=start_s,
        end_s=end_s,
        time_to_teleport_s=t.time_to_teleport_s,
        fcd_file=out / "fcd.parquet" if out and t.fcd_period_s else None,
        fcd_period_s=max(1, t.fcd_period_s),
    )


@dataclass(frozen=True)
class Run:
    """A finished (or interrupted) run: its facts, their digest, and where it was written."""

    log: Facts
    digest: str
    dir: Path | None
    ended: str
    scenario: Scenario
    seed: int
    wall_s: float


class Simulation:
    """A live run. Make it, call :meth:`run_until` as often as you like, then :meth:`finish`."""

    def __init__(
        self,
        scenario: Scenario,
        city: City,
        city_dir: Path,
        seed: int,
        out: Path | None = None,
        cut_out: CutOut | None = None,
        branch_s: int | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._branch_s = branch_s  # what begins at this second or later is put on the clock by branch()
        self.scenario, self.city, self.city_dir, self.seed, self.out = scenario, city, city_dir, seed, out
        self.start_s, self.end_s = (cut_out.start_s, cut_out.end_s) if cut_out else (scenario.start_s, scenario.end_s)
        self._cut_out = cut_out
        self._mode = "micro" if cut_out else scenario.traffic.mode
        self._has_people = scenario.people is not None and cut_out is None
        self.observer: Callable[[Flow], None] = lambda _: None
        self.admitted: Callable[[NewVehicles], None] = lambda _: None
        self.stamped = scenario  # what the stamp says was run; a zoom puts the whole scenario here
        self.ended = "running"
        self._reached_s, self._untold = self.start_s, False
        self._wall = time.monotonic()
        self.clock = Clock(self.start_s)
        self.dice = Dice(seed)
        self.log = Log(out / "events.parquet" if out else None)
        self._given = self._load_given()
        self._build_traffic(traffic)
        try:
            self._build_people()
            self._build_fleets()
            self._build_systems()
            self._build_control()
            self._schedule()
        except BaseException:
            self.traffic.close()  # SUMO is one per process: the next run must find it free
            raise
        gc.freeze()  # what stands now stays to the end: the collector need not walk it again and again

    # -- composition ---------------------------------------------------------------------------------------

    def _load_given(self) -> VehicleSource | None:
        """Vehicles from outside the model: a zoom's, or those of the city's route files."""
        if self._cut_out is not None:
            return self._cut_out.source
        if not self.scenario.traffic.given:
            return None
        given = GivenDemand.load(self.city_dir)
        if given is None:
            raise ScenarioError(f"{self.scenario.name}: traffic.given is true, but the city has no route files")
        return GivenVehicles(given, first_type=len(DEFAULT_TYPES))

    def _build_traffic(self, made: Traffic | None) -> None:
        s = self.scenario
        self.types = list(DEFAULT_TYPES)
        if self._given is not None:
            self.types += self._given.types
        settings = traffic_settings(s, self._mode, self.seed, self.start_s, self.end_s, self.out)
        self.traffic = make_traffic(self.city, settings, self.types) if made is None else made
        self.limits = Limits(self.traffic)
        self.shut_lanes = ShutLanes(self.traffic)
        self.network = Network.of(self.city)
        self.routes = RouteTable(self.network)
        self.route_file = RouteFile(self.out / "routes.parquet", [t.name for t in self.types]) if self.out else None
        self.gate = Gate(self.traffic, self.log, self.route_file, self._admit)
        self.drivers = Drivers(self.traffic, self.network, self.routes, self.log, self.dice, self.gate.lost)
        self.gate.drivers = self.drivers
        self.background = Background(self.city, self.dice) if s.traffic.background > 0 and self._given is None else None
        self.bus_lines = BusLines(self.city) if len(self.city.bus_lines) and self._has_people else None
        self.weather = Weather(self.log, s.weather.kind, s.weather.rain_mm_h)

    def _admit(self, new: NewVehicles) -> None:
        self.admitted(new)

    def _build_people(self) -> None:
        self.people, self.journeys, self.riders = None, None, None
        if self.scenario.people is None or not self._has_people:
            return
        from twin.world.people.journeys import Journeys
        from twin.world.people.model import PeopleModel
        from twin.world.people.riders import Riders
        from twin.world.people.settings import PeopleSettings

        p = self.scenario.people
        self.people = PeopleModel(
            self.city, self.dice, self.log, PeopleSettings(residents=p.simulated, companies=p.companies)
        )
        if self.bus_lines is not None and self.bus_lines.lines:
            self.riders = Riders(self.city, self.bus_lines, self.people.transit, self.log)
        self.journeys = Journeys(
            self.city,
            self.people,
            self.gate,
            self.routes,
            self.riders,
            self.log,
            CAR,
        )
        self.gate.journeys, self.gate.riders = self.journeys, self.riders

    def _build_fleets(self) -> None:
        """Units drive in the district only: a zoom takes them over as vehicles like any others."""
        self.fleets = None
        if self._cut_out is not None or not self.scenario.has_fleets:
            return
        from twin.world.fleets.fleets import Fleets, FleetWorld

        self.fleets = self.gate.fleets = Fleets(
            FleetWorld(
                city=self.city,
                traffic=self.traffic,
                gate=self.gate,
                network=self.network,
                log=self.log,
                dice=self.dice,
                people=self.people,
                journeys=self.journeys,
                weather=self.weather,
                scenario=self.scenario,
                start_s=self.start_s,
                end_s=self.end_s,
                time_s=self._published_times,
                journal=self.out / "journal" if self.out else None,
            )
        )

    def _build_systems(self) -> None:
        self.systems: dict[str, System] = {}
        self._see_times: list[SeesTimes] = []
        self._see_weather: list[SeesWeather] = []
        self._see_closures: list[SeesClosures] = []
        on = [n for n in SYSTEMS if getattr(self.scenario, n) is not None and (not self._cut_out or n in IN_A_ZOOM)]
        if not on:
            return
        from twin.world import ports

        context = ports.RunContext(
            scenario=self.scenario,
            city=self.city,
            city_dir=self.city_dir,
            mode=self._mode,
            clock=self.clock,
            dice=self.dice,
            log=self.log,
            traffic=self.traffic,
            limits=self.limits,
            shut_lanes=self.shut_lanes,
            gate=self.gate,
            network=self.network,
            routes=self.routes,
            drivers=self.drivers,
            weather=self.weather,
            people=self.people,
            journeys=self.journeys,
            fleets=self.fleets,
            start_s=self.start_s,
            end_s=self.end_s,
            time_s=self._published_times,
            shut=lambda: self.interventions.streets.shut(),  # noqa: PLW0108 (they do not stand yet)
            wake=self._call_controllers,
            post=self._post,
            journal=self.out / "journal" if self.out else None,
            systems=self.systems,
        )
        for name in on:
            make: Any = find_factory(SYSTEMS[name])
            self.systems[name] = make(context)
        mine, gate = list(self.systems.values()), self.gate
        gate.see_vehicles = [s for s in mine if isinstance(s, ports.SeesVehicles)]
        gate.see_flow = [s for s in mine if isinstance(s, ports.SeesFlow)]
        gate.see_lost = [s for s in mine if isinstance(s, ports.SeesLost)]
        self._see_times = [s for s in mine if isinstance(s, ports.SeesTimes)]
        self._see_weather = [s for s in mine if isinstance(s, ports.SeesWeather)]
        self._see_closures = [s for s in mine if isinstance(s, ports.SeesClosures)]

    @cached_property
    def _published_times(self) -> Callable[[], npt.NDArray[np.float64]]:
        """What tells the present travel times of roads as they are published, s."""
        from twin.world.traffic.junction_delay import junction_delay_s, with_junctions

        delay_s, free_s = junction_delay_s(self.city), self.network.free_s
        return lambda: with_junctions(self.drivers.time_s, free_s, delay_s)

    def _post(self, desk: str, message: Message) -> None:
        """Put a message into the inbox of any desk; it is dropped where there is none of that name."""
        host = self._desk_of.get(desk)
        if host is not None:
            host.tell(message)

    def _build_control(self) -> None:
        self.detectors = Detectors(self.city, self.traffic, self.log)
        self.hosts: list[Host] = []
        for name, spec in self.scenario.control.factories().items():
            factory = find_factory(spec) if isinstance(spec, str) else spec
            journal = self.out / "journal" / f"{name}.jsonl" if self.out else None
            self.hosts.append(Host(name, factory, journal))
        self._deciding: set[int] = set()
        self._orders: list[tuple[Host, Command]] = []
        self.interventions = Interventions(
            self.city,
            self.clock,
            self.traffic,
            self.limits,
            self.shut_lanes,
            self.people,
            self.weather,
            self.log,
            self.dice,
            tell=self._tell,
            on_weather=self._weather_changed,
            fleets=self.fleets,
            gate=self.gate if self._mode == "micro" else None,
            systems=self.systems,
        )
        self.orders = Orders(
            self.limits, self.drivers, self.interventions.streets, self.log, self._closures, self.fleets, self.systems
        )
        self._desks = [*self.hosts, *(self.fleets.hosts.values() if self.fleets is not None else ())]
        self._desks += [host for system in self.systems.values() for host in system.hosts.values()]
        self._desk_of = {host.name: host for host in self._desks}
        self.faults = self._faults()
        if len(self._desk_of) < len(self._desks):
            raise ValueError(f"two desks have one name: {', '.join(sorted(host.name for host in self._desks))}")

    def _faults(self) -> Faults | None:
        if not any(v.kind == "fault" for v in self.scenario.interventions):
            return None
        from twin.faults import Faults

        found = Faults(self.clock, self.log, self.dice, self._desk_of, self._call_controllers, self.traffic.close)
        self.interventions.faults = found
        return found

    def _schedule(self) -> None:
        s = self.scenario
        self.log.add(
            RunStarted,
            t_s=self.start_s,
            scenario=s.name,
            seed=self.seed,
            city=self.city.name,
            traffic=self._mode,
            residents=s.people.simulated if s.people and self._has_people else 0,
        )
        if self._cut_out is not None:
            vehicle, road, t_s = self._cut_out.crossed
            self.log.add(GateCrossed, t_s=t_s, vehicle=vehicle, road=road)
        self.weather.change(self.start_s, s.weather.kind, s.weather.rain_mm_h)
        self._weather_changed()
        if self.people is not None:
            first = self.start_s // DAY_S
            self.people.plan_day(first, s.is_weekend(first), self.weather.rain_mm_h)
            self.people.skip_to(self.start_s)
            midnight = (first + 1) * DAY_S
            if midnight < self.end_s:
                self.clock.every(DAY_S, Phase.WORLD, self._midnight, midnight)
        for host in self.hosts:
            host.tell(road_map(self.city, self.start_s))
        if self.fleets is not None:
            self.fleets.begin()
        for system in self.systems.values():
            system.begin(self.start_s)
        self._place = self.clock.place()
        self.interventions.schedule(s.interventions, self.end_s, before_s=self._branch_s)
        every = self.clock.every
        every(TICK_S, Phase.WORLD, self._arrivals)
        every(s.traffic.route_refresh_s, Phase.WORLD, self._measure, self.start_s + s.traffic.route_refresh_s)
        if s.interventions or self._branch_s is not None:  # else no street is ever shut
            every(CLOSURE_LOOK_S, Phase.WORLD, self._closures)
        if self.detectors.roads.size:
            every(self.detectors.period_s, Phase.PERCEIVE, self._perceive, self.start_s + self.detectors.period_s)
        if self.fleets is not None:
            every(FLEETS_S, Phase.PERCEIVE, self._live_fleets, self.start_s + FLEETS_S)
        self._decide_at(self.start_s)
        every(TICK_S, Phase.LIVE, self._live)
        every(SEAL_S, Phase.OBSERVE, self._observe)

    @property
    def desks(self) -> Sequence[Host]:
        """The hosts of all controllers."""
        return tuple(self._desks)

    def branch(self, scenario: Scenario, control: Mapping[str, Factory]) -> None:
        """Go on with ``scenario`` from the branch on, and with other code in the desks named in ``control``.

        A new controller is told all that the old one was told. See :mod:`twin.branching`, which checks what may differ.
        """
        assert self._branch_s is not None, "only a simulation that was made with branch_s can branch"
        self.scenario = scenario
        for name, factory in control.items():
            wake_s = self._desk_of[name].replace(factory)
            if wake_s is not None and wake_s < self.end_s:
                self._decide_at(max(wake_s, self._reached_s))
        if self.faults is None:
            self.faults = self._faults()
        with self.clock.as_if_at(self._place):
            self.interventions.schedule(scenario.interventions, self.end_s, from_s=self._branch_s)

    # -- 1 WORLD -------------------------------------------------------------------------------------------

    def _arrivals(self) -> None:
        if self.drivers.news and self.clock.now_s % ADVICE_S == 0:
            self.drivers.news = False
            self.routes.refresh(self.drivers.times(self.clock.now_s), self._closed_mask(), force=True)
        if self.journeys is not None:
            self.journeys.finish(self.clock.now_s)

    def _midnight(self) -> None:
        assert self.people is not None
        day = self.clock.now_s // DAY_S
        self.people.end_day(day - 1)
        self.people.plan_day(day, self.scenario.is_weekend(day), self.weather.rain_mm_h)

    def _measure(self) -> None:
        """Take the travel times of the moment for the routes of those who set out from now on."""
        times = self.traffic.travel_times()
        self.drivers.measured(times)
        if self.fleets is not None:
            self.fleets.measured(self.clock.now_s)
            self._call_controllers()
        for system in self._see_times:
            system.measured(self.clock.now_s)
        self.routes.refresh(self.drivers.times(self.clock.now_s), self._closed_mask())

    def _closed_mask(self) -> npt.NDArray[np.bool_]:
        return self.interventions.streets.known_shut()

    def _closures(self) -> None:
        streets = self.interventions.streets
        if streets.changed:
            streets.changed = False
            self.routes.refresh(self.routes.time_s, self._closed_mask())
        closed = streets.shut()
        if closed.any():
            self.drivers.at_closures(closed, self.clock.now_s)
            self.gate.write_rerouted()

    def _weather_changed(self) -> None:
        self.traffic.set_speeds(self.weather.factor)
        if self.journeys is not None:
            self.journeys.weather_factor = self.weather.factor
        if self.fleets is not None:
            self.fleets.weather_changed(self.clock.now_s)
        for system in self._see_weather:
            system.weather_changed(self.clock.now_s)

    # -- 2 PERCEIVE, 3 DECIDE, 4 ACT -----------------------------------------------------------------------

    def _perceive(self) -> None:
        readings = self.detectors.read(self.clock.now_s)
        for host in self.hosts:
            host.tell(readings)
        if self.hosts:
            self._call_controllers()

    def _tell(self, report: Any) -> None:
        for host in self.hosts:
            host.tell(report)
        if self.fleets is not None:
            self.fleets.closure(report)
        for system in self._see_closures:
            system.closure(report)
        if self._desks:
            self._call_controllers()

    def _live_fleets(self) -> None:
        """Let the fleets live on, and their desks hear of it."""
        assert self.fleets is not None
        self.fleets.tick(self.clock.now_s)
        self._call_controllers()

    def _call_controllers(self) -> None:
        self._decide_at(self.clock.now_s)

    def _decide_at(self, t_s: int, *, flow: bool = True) -> None:
        """Let whoever is due decide at a second; asking twice is asking once. ``flow``: as in :meth:`Clock.at`."""
        if t_s not in self._deciding:
            self._deciding.add(t_s)
            self.clock.at(t_s, Phase.DECIDE, self._decide, flow=flow)
        elif flow:
            self.clock.need_flow(t_s)

    def _decide(self) -> None:
        now = self.clock.now_s
        self._deciding.discard(now)
        for host in self._desks:
            if not host.due(now):
                continue
            told, commands = host.decide(now)
            self.log.add(ControllerDecided, t_s=now, controller=host.name, messages=told, commands=len(commands))
            if host.slow_s and commands:
                self.clock.at(now + host.slow_s, Phase.ACT, partial(self._carry_out, [(host, c) for c in commands]))
            else:
                self._orders += [(host, c) for c in commands]
            wake_s = host.next_wake_s()
            if wake_s is not None and wake_s < self.end_s:
                self._decide_at(max(wake_s, now + 1), flow=host.needs_flow)
        if self._orders:
            self.clock.at(now, Phase.ACT, self._act)

    def _act(self) -> None:
        orders, self._orders = self._orders, []
        self._carry_out(orders)

    def _carry_out(self, orders: list[tuple[Host, Command]]) -> None:
        for host, command in orders:
            self.orders.carry_out(host.name, command, self.clock.now_s)
        self.gate.write_rerouted()

    # -- 5 LIVE --------------------------------------------------------------------------------------------

    def _live(self) -> None:
        now = self.clock.now_s
        until = min(now + TICK_S, self.end_s)
        if self.journeys is not None:
            self.journeys.set_out(now, until)
        if self.background is not None:
            self._background(now, until)
        if self.bus_lines is not None:
            shut = self.interventions.streets.shut()
            self.gate.add(self.bus_lines.vehicles(now, until, BUS, shut))
        if self._given is not None:
            self.gate.add(self._given.vehicles(now, until))

    def _background(self, now: int, until: int) -> None:
        assert self.background is not None
        day = now // DAY_S
        demand = self.interventions.streets.demand
        base = self.scenario.traffic.background
        factors = {kind: base * demand.get(kind, 1.0) for kind in ("through", "freight")}
        b = self.background.vehicles(now, until, day, self.scenario.is_weekend(day), factors)
        if b.vehicle.size == 0:
            return
        routes = self.routes.routes(b.from_road, b.to_road)
        found = routes.found
        if not found.all():
            lost = b.vehicle[~found]
            self.log.add(
                VehicleRefused, t_s=b.depart_s[~found], vehicle=lost, kind=KIND_OF[lost // CODE], reason="no route"
            )
        self.gate.add(NewVehicles(b.vehicle[found], b.type_index[found], b.depart_s[found], pick(routes, found)))

    # -- 6 OBSERVE -----------------------------------------------------------------------------------------

    def _observe(self) -> None:
        self.log.seal(self.clock.now_s)
        gc.freeze()  # what has come since stays for a while, too
        if self.route_file is not None:
            self.route_file.seal()

    # -- running -------------------------------------------------------------------------------------------

    def run_until(self, t_s: int, progress: Progress | None = None) -> None:
        """Advance to second ``t_s`` (at most the end); everything scheduled before it happens."""
        stop = min(t_s, self.end_s)
        clock = self.clock
        shown = -1
        while True:
            t = clock.next_s()
            t = stop if t is None or t >= stop else t
            if t >= stop or clock.needs_flow(t):
                self._take(t)
                self._reached_s = t
            else:  # first the note, for a Ctrl-C may come at any moment
                self._reached_s, self._untold = t, True
                self.traffic.go_on(t)
            if t >= stop:
                break
            clock.run_instant()
            if progress is not None and t // TICK_S != shown:
                shown = t // TICK_S
                progress(t, self.start_s, self.end_s, "")

    def _take(self, t_s: int) -> None:
        """Let traffic flow until ``t_s``, and everybody know what happened."""
        flow = self.traffic.advance(t_s)
        self._untold = False
        self.observer(flow)
        self.gate.take(flow)

    def finish(self, reason: str = "finished") -> Run:
        """Account for everybody still under way, complete all files, and return the run."""
        end = self._reached_s
        if self._untold:  # interrupted where nobody needed to know yet
            self._take(end)
        if self.journeys is not None:
            self.journeys.finish(end)
            self.journeys.under_way(end)
        if self.fleets is not None:
            self.fleets.finish(end)
        for system in self.systems.values():
            system.finish(end)
        if self.faults is not None:
            self.faults.finish()
        self.gate.finish(end)
        self.log.add(RunEnded, t_s=end, reason=reason)
        self.ended = reason
        facts = self.close()
        return Run(facts, self.log.digest, self.out, reason, self.scenario, self.seed, time.monotonic() - self._wall)

    def close(self) -> Facts:
        """Complete the files, whatever happened; the stamp is written last."""
        facts = self.log.close()
        self.traffic.close()
        if self.route_file is not None:
            self.route_file.close()
        for host in self._desks:
            host.close()
        gc.unfreeze()
        if self.out is not None:
            write_stamp(self.out, self._stamp())
        return facts

    def _stamp(self) -> dict[str, Any]:
        s = self.stamped
        return {
            "format": FORMAT,
            "name": s.name,
            "title": s.title,
            "title_zh": s.title_zh,
            "question": s.question,
            "seed": self.seed,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "ended": self.ended,
            "digest": self.log.digest,
            "facts": self.log.count,
            "city": {"name": self.city.name, "digest": self.city.digest(), "schematic": self.city.schematic},
            "city_dir": str(self.city_dir),
            "versions": versions(),
            "scenario": s.resolved(),
        }


def run(
    scenario: Scenario,
    seed: int = 1,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario and return its facts. ``out``: an empty folder made by :func:`twin.run_folder.prepare`.

    A scenario with a zoom runs the whole district first and then the zoom. An interruption (Ctrl-C) ends the run
    early with a complete log that says so.
    """
    from twin.cities import city_folder
    from twin.scenario.check import check_against_city, check_control

    check_control(scenario)
    folder = city_folder(scenario)
    city = City.load(folder)
    check_against_city(scenario, city)
    if scenario.zoom is not None:
        from twin.zoom import run_zoom

        return run_zoom(scenario, city, folder, seed, out, progress)
    return carry_through(Simulation(scenario, city, folder, seed, out), progress)


def carry_through(simulation: Simulation, progress: Progress | None = None) -> Run:
    """Run a simulation to its end, whatever happens on the way."""
    try:
        simulation.run_until(simulation.end_s, progress)
    except KeyboardInterrupt:
        return simulation.finish("interrupted")
    except BaseException:
        simulation.ended = "failed"
        simulation.close()
        raise
    return simulation.finish()
