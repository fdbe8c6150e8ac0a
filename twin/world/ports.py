"""What a system of the city is to a run, and what it is given: one Protocol, one frozen context, small optional ears.

A system (junctions, city brain, community, services, companies, construction) is the truth around one field of the
city together with the adapters of its desks. It is made as ``System(context)`` where the scenario has its key, after
traffic, people and fleets and before the first instant. It puts what it does on ``context.clock`` in the phases of
:class:`twin.clock.Phase`, writes facts into ``context.log``, draws from ``context.dice`` under names that begin with
its own, and gives its desks their post with :meth:`RunContext.tell`. Desks are :class:`twin.hosts.Host`, made by
:meth:`RunContext.host`, so each has a journal, wake-ups and one effect per key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy.typing as npt

from geo.city import City
from geo.network import Network
from twin.clock import Clock
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.messages import ClosureReport, Message
from twin.hosts import Factory, Host
from twin.log import Log
from twin.scenario import Scenario
from twin.scenario.interventions import SystemIntervention
from twin.world.traffic.limits import Limits
from twin.world.traffic.ports import Floats, Flow, NewVehicles, Traffic
from twin.world.traffic.routing import RouteTable
from twin.world.traffic.shut_lanes import ShutLanes
from twin.world.weather import Weather

if TYPE_CHECKING:
    from twin.gate import Gate
    from twin.world.fleets.fleets import Fleets
    from twin.world.people.journeys import Journeys
    from twin.world.people.model import PeopleModel
    from twin.world.traffic.drivers import Drivers

Action = Callable[[], None]


@dataclass(frozen=True)
class RunContext:
    """What every system is made of.

    ``mode``: meso, micro or free-flow. ``people``/``journeys``/``fleets`` None: there are none. ``time_s()``: present
    travel time of every road with the wait at junctions, s, as published (see ``junction_delay``). ``shut()``: which
    roads are closed in truth. ``wake()``: desks with post decide in this very instant (call it after telling).
    ``post(desk, message)``: see :meth:`tell`. ``journal``: folder for the desks' journals; None keeps none.
    ``systems``: those made so far by key, in the order of twin.simulation.SYSTEMS (city brain before community).
    ``limits``: speed limits of roads, ``shut_lanes``: closed lanes, each under its cause.
    """

    scenario: Scenario
    city: City
    city_dir: Path
    mode: str
    clock: Clock
    dice: Dice
    log: Log
    traffic: Traffic
    limits: Limits
    shut_lanes: ShutLanes
    gate: Gate
    network: Network
    routes: RouteTable
    drivers: Drivers
    weather: Weather
    people: PeopleModel | None
    journeys: Journeys | None
    fleets: Fleets | None
    start_s: int
    end_s: int
    time_s: Callable[[], Floats]
    shut: Callable[[], npt.NDArray[Any]]
    wake: Action
    post: Callable[[str, Message], None]
    journal: Path | None
    systems: Mapping[str, System] = field(default_factory=dict)

    def tell(self, desk: str, message: Message) -> None:
        """Put a message into the inbox of a desk of any system (dropped where it is off); it decides this instant."""
        self.post(desk, message)
        self.wake()

    def host(self, name: str, factory: Factory) -> Host:
        """Make the host of a desk, with its journal."""
        return Host(name, factory, self.journal / f"{name}.jsonl" if self.journal is not None else None)


class System(Protocol):
    """One field of the city in a run. Made as ``System(context)``."""

    @property
    def hosts(self) -> Mapping[str, Host]:
        """Its desks by name; names are unique in a run."""

    def begin(self, now_s: int) -> None:
        """Tell the desks what they know from the start, and put what happens on the clock."""

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """Carry out a command of one of its desks; False if it is none of this system's.

        Raises ControlError for one outside what is allowed.
        """

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """Return what happens at the beginning and at the end of an intervention. ScenarioError: a name is wrong."""

    def finish(self, end_s: int) -> None:
        """Account for everything that is still open."""


@runtime_checkable
class SeesVehicles(Protocol):
    """A system that wants to know of vehicles that are let onto the road."""

    def vehicles(self, new: NewVehicles) -> None:
        """Take note of vehicles that set out."""


@runtime_checkable
class SeesFlow(Protocol):
    """A system with vehicles of its own, or that counts: it hears what traffic tells."""

    def took(self, flow: Flow) -> None:
        """Take note of departures, arrivals, entries."""


@runtime_checkable
class SeesLost(Protocol):
    """A system with vehicles of its own."""

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take note that traffic took a vehicle off the road; it may be anybody's."""


@runtime_checkable
class SeesTimes(Protocol):
    """A system that plans with travel times."""

    def measured(self, now_s: int) -> None:
        """Take note that travel times were measured anew (``context.time_s()``)."""


@runtime_checkable
class SeesWeather(Protocol):
    """A system that depends on the weather."""

    def weather_changed(self, now_s: int) -> None:
        """Take note that ``context.weather`` changed."""


@runtime_checkable
class SeesClosures(Protocol):
    """A system that hears reports of closed roads."""

    def closure(self, report: ClosureReport) -> None:
        """Take note of what somebody told traffic control."""
