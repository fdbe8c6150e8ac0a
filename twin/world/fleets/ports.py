"""What a system of fleets is to the simulation, and what it is given: one Protocol, one frozen context.

A system (bus, delivery, sanitation) is the truth around its units: customers, parcels, dirt. It is made as
``System(context)``; the units themselves – legs, battery, faults – are those of
:class:`twin.world.fleets.units.Units`. Everything happens at ticks, ``TICK_S`` apart, in this order:

1. units move on, use energy, charge, break down; whoever ended a leg reports it (:meth:`FleetSystem.arrived`);
2. :meth:`FleetSystem.tick` of every system, then of the platform;
3. reports and messages go to the desks, which decide; their commands are carried out in the same second.

Messages that a method returns go to the system's own desk. ``context.tell(desk, message)`` reaches any desk:
"bus", "delivery", "sanitation" or "supervision".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from geo.city import City
from geo.network import Network
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.log import Log
from twin.scenario import Scenario
from twin.world.traffic.ports import NewVehicles, Traffic
from twin.world.weather import Weather

if TYPE_CHECKING:
    from twin.world.fleets.depots import Depots
    from twin.world.fleets.units import Units
    from twin.world.people.journeys import Journeys
    from twin.world.people.model import PeopleModel

#: seconds between two ticks of the fleets
TICK_S = 10

#: the desk that steers each fleet
DESK_OF: Mapping[str, str] = {
    "shuttle": "bus",
    "robot": "delivery",
    "courier": "delivery",
    "sweeper": "sanitation",
}


class Gate(Protocol):
    """Where units enter and leave the road: the traffic simulator and everybody who keeps book of vehicles."""

    def add(self, new: NewVehicles) -> None:
        """Let vehicles enter."""

    def way(self, vehicle: int) -> npt.NDArray[np.int32]:
        """Return the whole way of a vehicle, passed and ahead, with every detour it took; empty if it is gone."""

    def redirect(self, vehicle: int, rest: npt.NDArray[np.int32], now_s: int) -> bool:
        """Give a vehicle a new rest of its way, which begins with the road it is on; False if it cannot take it."""

    def take_off(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take a vehicle off the road at once: it did not arrive."""

    def arrive(self, vehicle: int, now_s: int) -> None:
        """Take a vehicle off the road that is where it wanted to be."""


@dataclass(frozen=True)
class FleetContext:
    """What every system of fleets is made of.

    ``people``/``journeys`` None: nobody lives here. ``tell(desk, message)`` puts a message into a desk's inbox; it
    is dropped when that desk is off. ``log``, ``dice``, ``traffic`` as everywhere; ``network``: the car network.
    """

    city: City
    units: Units
    depots: Depots
    traffic: Traffic
    network: Network
    log: Log
    dice: Dice
    people: PeopleModel | None
    journeys: Journeys | None
    weather: Weather
    scenario: Scenario
    start_s: int
    end_s: int
    tell: Callable[[str, Message], None]


class FleetSystem(Protocol):
    """The truth around the units of one fleet. Made as ``System(context)``."""

    @property
    def fleet(self) -> str:
        """The fleet its units belong to: one of :data:`twin.domain.ids.FLEETS`."""

    def begin(self, now_s: int) -> list[Message]:
        """Return what its desk is told at the start.

        RoadMap, Roster, Places of depots and chargers, TravelTimes and WeatherReport were told before.
        """

    def tick(self, now_s: int) -> list[Message]:
        """Live on for ``TICK_S`` seconds; return what its desk hears of it."""

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry a command out; False if it is none of this system's.

        A DriveTo is the units' own, but its system is shown it first.
        """

    def arrived(self, row: int, now_s: int) -> None:
        """Take note that a unit ended a leg (``units.state[row]`` is PARKED; it has been reported)."""

    def broke(self, row: int, now_s: int) -> tuple[int, ...]:
        """Take note that a unit broke down; return the orders or bookings aboard."""

    def repaired(self, row: int, now_s: int) -> tuple[int, ...]:
        """Take note that a broken unit is fit again at its home; return what the crew brought there from aboard."""

    def finish(self, end_s: int) -> None:
        """Account for everything still open at the end of the run."""


class FleetPlatform(Protocol):
    """Permits, telemetry and the supervision platform of all fleets. Made as ``Platform(context)``.

    Made whenever any fleet is there. What ``begin`` and ``tick`` return goes to the desk "supervision", if it is on.
    """

    def begin(self, now_s: int) -> list[Message]:
        """Return what the supervision desk is told at the start; tell the fleets' desks their permits."""

    def tick(self, now_s: int) -> list[Message]:
        """Gather telemetry, see who breaks a rule; return what the supervision desk hears."""

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry out a command of the supervision desk; False if it is none."""

    def end_permit(self, permit: str, now_s: int, cause: str) -> bool:
        """Withdraw a permit (an intervention); False if there is none of that name."""

    def finish(self, end_s: int) -> None:
        """Account for everything still open at the end of the run."""


@runtime_checkable
class SeesTraffic(Protocol):
    """A system that wants to know of every vehicle that sets out."""

    def vehicles(self, new: NewVehicles) -> None:
        """Take note of vehicles that set out."""
