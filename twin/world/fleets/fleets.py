"""The fleets of a run behind one face: units, systems, platform, desks; what the simulation talks to.

Built from the scenario's parts ``bus``, ``delivery``, ``sanitation`` and ``supervision``; each that is None is off.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from geo.city import City
from geo.network import Network
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.delivery import HandOver, LoadOrders, ReturnOrders
from twin.domain.messages import ClosureReport, Message
from twin.domain.mobility import AssistUnit, ChargeUnit, DriveTo, FetchUnit, HaltUnit, LimitUnitSpeed, ResumeUnit
from twin.domain.sanitation import ServiceUnit
from twin.errors import ControlError, ScenarioError
from twin.hosts import Host
from twin.log import Log
from twin.scenario import Scenario
from twin.world.fleets.depots import Depots
from twin.world.fleets.desks import car_map, depot_places, desk_factory, travel_times, weather_report
from twin.world.fleets.energy import Energy
from twin.world.fleets.faults import Faults
from twin.world.fleets.muster import muster
from twin.world.fleets.obstacles import Obstacles
from twin.world.fleets.operators import Operators
from twin.world.fleets.ports import DESK_OF, TICK_S, FleetContext, FleetPlatform, FleetSystem, Gate, SeesTraffic
from twin.world.fleets.units import Units
from twin.world.traffic.ports import Floats, Flow, NewVehicles, Traffic
from twin.world.weather import Weather

#: who makes the truth of each system; imported when it is needed
SYSTEMS: Mapping[str, str] = {
    "bus": "twin.world.fleets.bus:BusSystem",
    "delivery": "twin.world.fleets.delivery:DeliverySystem",
    "sanitation": "twin.world.fleets.sanitation:SanitationSystem",
}
PLATFORM = "twin.world.fleets.platform:Platform"
WATCH = "supervision"

#: commands to any fleet's units
_ORDERS = (DriveTo, HaltUnit, ResumeUnit, LimitUnitSpeed, ChargeUnit, AssistUnit, FetchUnit)
#: commands that go to a unit over its radio link, beside those of :mod:`twin.domain.mobility`
_TO_UNITS = (LoadOrders, HandOver, ReturnOrders, ServiceUnit)


class _Named(Protocol):
    """A command to a unit."""

    unit: int


@dataclass(frozen=True)
class FleetWorld:
    """What the fleets live in; ``time_s()``: the present travel times per road; ``journal``: folder of the journals."""

    city: City
    traffic: Traffic
    gate: Gate
    network: Network
    log: Log
    dice: Dice
    people: Any
    journeys: Any
    weather: Weather
    scenario: Scenario
    start_s: int
    end_s: int
    time_s: Callable[[], Floats]
    journal: Path | None = None


class Fleets:
    """All fleets of a run. ``systems``/``platform``: factories in place of the shipped ones (for tests)."""

    def __init__(
        self,
        world: FleetWorld,
        systems: Mapping[str, Callable[[FleetContext], FleetSystem]] | None = None,
        platform: Callable[[FleetContext], FleetPlatform] | None = None,
    ) -> None:
        w = self._w = world
        scenario = w.scenario
        specs, depots = muster(scenario, w.city)
        self.depots = Depots(depots)
        self.units = Units(specs, w.city, w.network, w.traffic, w.gate, w.log, w.time_s)
        self.hosts: dict[str, Host] = {}
        for name in (*SYSTEMS, WATCH):
            part = getattr(scenario, name)
            if part is not None and part.desk is not None:
                journal = w.journal / f"{name}.jsonl" if w.journal else None
                self.hosts[name] = Host(name, desk_factory(name, part.desk, part.policy), journal)
        self.context = FleetContext(
            city=w.city,
            units=self.units,
            depots=self.depots,
            traffic=w.traffic,
            network=w.network,
            log=w.log,
            dice=w.dice,
            people=w.people,
            journeys=w.journeys,
            weather=w.weather,
            scenario=scenario,
            start_s=w.start_s,
            end_s=w.end_s,
            tell=self.tell,
        )
        own = systems if systems is not None else {name: _imported(spec) for name, spec in SYSTEMS.items()}
        self.systems: dict[str, FleetSystem] = {
            name: own[name](self.context) for name in SYSTEMS if getattr(scenario, name) is not None
        }
        self.platform = (platform or _imported(PLATFORM))(self.context)
        self._system_of = [self.systems[DESK_OF[f]] for f in self.units.fleet.tolist()]
        self.faults = Faults(self.units, self.depots, w.log, w.dice, w.start_s, self._system_of.__getitem__)
        self.operators = Operators(self.units, w.log, w.dice, self._fetch)
        self.obstacles = Obstacles(
            self.units,
            w.city,
            w.traffic,
            w.log,
            self.operators.ask,
            self._fetch,
            micro=scenario.traffic.mode == "micro",
        )
        self.energy = Energy(self.units, self.depots, w.log, self._empty)
        self.faults.forget = self.operators.forget
        self._begun = False

    def _empty(self, row: int, now_s: int) -> None:
        self.faults.break_down(row, "battery empty", now_s)

    def _fetch(self, row: int, cause: str, now_s: int) -> None:
        self.faults.break_down(row, cause, now_s)

    # -- desks ---------------------------------------------------------------------------------------------

    def tell(self, desk: str, message: Message) -> None:
        """Put a message into a desk's inbox; dropped if the desk is off."""
        host = self.hosts.get(desk)
        if host is not None:
            host.tell(message)

    def tell_all(self, message: Message) -> None:
        """Put a message into every desk's inbox."""
        for host in self.hosts.values():
            host.tell(message)

    def begin(self) -> None:
        """Tell the desks what there is."""
        now = self._w.start_s
        self._begun = True
        self.units.begin(now)
        whole = car_map(self._w.city, now)
        for name, host in self.hosts.items():
            host.tell(whole)
            for desk in self.systems if name == WATCH else (name,):
                for message in (*self.units.roster(desk, now), *depot_places(self.depots.of(desk), now)):
                    host.tell(message)
            host.tell(travel_times(self._w.time_s(), now))
            host.tell(weather_report(self._w.weather, now))
        for message in self.platform.begin(now):
            self.tell(WATCH, message)
        for name, system in self.systems.items():
            for message in system.begin(now):
                self.tell(name, message)

    def measured(self, now_s: int) -> None:
        """Tell the desks new travel times."""
        self.tell_all(travel_times(self._w.time_s(), now_s))

    def weather_changed(self, now_s: int) -> None:
        """Tell the desks the weather, once they know anything."""
        if self._begun:
            self.tell_all(weather_report(self._w.weather, now_s))

    def closure(self, report: ClosureReport) -> None:
        """Tell the desks a report about a closed road."""
        self.tell_all(report)

    # -- time ----------------------------------------------------------------------------------------------

    def entered(self, new: NewVehicles) -> None:
        """Take note of vehicles that set out, whosever they are: what drives leaves dust."""
        sanitation = self.systems.get("sanitation")
        if isinstance(sanitation, SeesTraffic):
            sanitation.vehicles(new)

    def took(self, flow: Flow) -> None:
        """Take in what traffic tells."""
        self.units.took(flow)

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take note that traffic took a unit off the road."""
        self.units.lost(vehicle, now_s, reason)

    def tick(self, now_s: int) -> None:
        """Live on for ``TICK_S`` seconds and give the desks their post."""
        units = self.units
        for row in units.tick(now_s):
            self._system_of[row].arrived(row, now_s)
        self.energy.tick(now_s, TICK_S)
        self.faults.tick(now_s)
        self.operators.tick(now_s)
        self.obstacles.tick(now_s)
        for name, system in self.systems.items():
            for message in system.tick(now_s):
                self.tell(name, message)
        for message in self.platform.tick(now_s):
            self.tell(WATCH, message)
        units.forget_passed()
        for desk, report in units.take_reports(now_s):
            self.tell(desk, report)

    def finish(self, end_s: int) -> None:
        """Account for everything that is still open."""
        self.energy.finish(end_s)
        for system in self.systems.values():
            system.finish(end_s)
        self.platform.finish(end_s)
        self.units.finish(end_s)

    def close(self) -> None:
        """Complete the journals."""
        for host in self.hosts.values():
            host.close()

    # -- commands ------------------------------------------------------------------------------------------

    def carry_out(self, who: str, command: Command, now_s: int) -> None:
        """Let a desk's command take effect. Raises ControlError for one that breaks the contract."""
        if who == WATCH:
            self._row(who, command, now_s, any_fleet=True)
            if self.platform.carry_out(command, now_s):
                return
        elif isinstance(command, _ORDERS):
            row = self._row(who, command, now_s)
            if isinstance(command, FetchUnit):  # people with a lorry: they need no radio link to the unit
                self.faults.fetch(row, command.reason, now_s)
                return
            if isinstance(command, AssistUnit):  # waits for the link by itself
                self._refused(row, "assist", self.operators.assist(row, command.operator, now_s), now_s)
            elif not self.units.linked[row]:
                self.units.refuse(row, "no radio link", now_s)
            else:
                self._order(who, row, command, now_s)
            return
        else:
            row = self._row(who, command, now_s)
            if row >= 0 and isinstance(command, _TO_UNITS) and not self.units.linked[row]:
                self.units.refuse(row, "no radio link", now_s)
                return
            if self.systems[who].carry_out(command, now_s):
                return
        raise ControlError(f"controller '{who}' sent {type(command).__name__} at {now_s} s, which nobody carries out")

    def _order(self, who: str, row: int, command: Command, now_s: int) -> None:
        units = self.units
        if isinstance(command, DriveTo):
            self._check_way(who, command, now_s)
            self.systems[who].carry_out(command, now_s)  # takes note of what the leg is for
            units.drive(command, now_s)
        elif isinstance(command, HaltUnit):
            units.halt(row, command.reason, now_s, by="desk")
        elif isinstance(command, ResumeUnit):
            units.resume(row, "its desk", now_s, by="road")
            if not units.resume(row, "its desk", now_s, by="desk"):
                units.refuse(row, f"resume: {next(iter(units.causes(row).values()))}", now_s)
        elif isinstance(command, LimitUnitSpeed):
            units.limit(row, command.speed_m_s)
        elif isinstance(command, ChargeUnit):
            self._refused(row, "charge", self.energy.charge(row, command.charge, now_s), now_s)

    def _refused(self, row: int, what: str, why: str, now_s: int) -> None:
        if why:
            self.units.refuse(row, f"{what}: {why}", now_s)

    def _row(self, who: str, command: Any, now_s: int, any_fleet: bool = False) -> int:
        """Return the row of the unit a command is for; -1 if it names none."""
        unit = getattr(command, "unit", None)
        if unit is None or (unit <= 0 and not isinstance(command, DriveTo)):  # an answer that names no unit
            return -1
        row = self.units.row(unit)
        if row < 0 or not (any_fleet or DESK_OF[self.units.fleet[row]] == who):
            known = [self.units.label(i) for i, f in enumerate(self.units.fleet) if any_fleet or DESK_OF[f] == who]
            shown = ", ".join(known[:3]) + (", …" if len(known) > 3 else "")
            raise ControlError(
                f"controller '{who}' sent {type(command).__name__} at {now_s} s to unit {unit}; its units are {shown}"
            )
        return row

    def _check_way(self, who: str, command: DriveTo, now_s: int) -> None:
        """Raise ControlError unless the roads of a leg hang together."""
        roads = command.roads
        said = f"controller '{who}' sent {self.units.label(self.units.row(command.unit))} off at {now_s} s"
        n = len(self._w.city.roads)
        if roads.size == 0:
            raise ControlError(f"{said} without a road; a leg begins with the road the unit stands on")
        if roads.min() < 0 or roads.max() >= n:
            raise ControlError(f"{said} over road {int(roads[(roads < 0) | (roads >= n)][0])}; roads are 0..{n - 1}")
        broken = self.units.first_gap(roads)
        if broken >= 0:
            a, b = int(roads[broken]), int(roads[broken + 1])
            raise ControlError(f"{said} from road {a} to road {b}; there is no such turn for cars")

    # -- interventions -------------------------------------------------------------------------------------

    def rows_named(self, name: str) -> list[int]:
        """Return the rows of a unit ("robot-3") or a whole fleet ("robot"); ScenarioError if there is none."""
        labels = [self.units.label(i) for i in range(len(self.units))]
        rows = [i for i, label in enumerate(labels) if name in (label, self.units.fleet[i])]
        if not rows:
            fleets = ", ".join(dict.fromkeys(self.units.fleet.tolist()))
            raise ScenarioError(f"there is no unit or fleet '{name}' in this run; fleets are: {fleets or 'none'}")
        return rows

    def depots_named(self, name: str) -> list[int]:
        """Return the indices of the depots at a place (id or name); ScenarioError if there is none."""
        found = [i for i, d in enumerate(self.depots.all) if name in (d.place, d.name)]
        if not found:
            english = str(self._w.city.place(name)["place"])
            found = [i for i, d in enumerate(self.depots.all) if d.place == english]
        if not found:
            known = ", ".join(dict.fromkeys(d.name for d in self.depots.all))
            raise ScenarioError(f"no fleet has a depot at '{name}'; depots are: {known or 'none'}")
        return found

    def break_down(self, name: str, cause: str, now_s: int, repaired_s: int | None) -> None:
        """Let a unit, or every unit of a fleet, break down."""
        for row in self.rows_named(name):
            self.faults.break_down(row, cause, now_s, repaired_s)

    def lose_link(self, name: str, cause: str, now_s: int, back_s: float) -> None:
        """Take the radio link of a unit or a fleet away until ``back_s``."""
        for row in self.rows_named(name):
            self.faults.lose_link(row, cause, now_s, back_s)

    def set_chargers(self, place: str, left: int | None, cause: str, now_s: int) -> None:
        """Leave some chargers of a depot working; None: all of them again."""
        for depot in self.depots_named(place):
            n = self.depots.all[depot].chargers
            for message in self.faults.set_chargers(depot, n if left is None else left, cause, now_s):
                self.tell(self.depots.all[depot].desk, message)

    def shut_depot(self, place: str, shut: bool, cause: str, now_s: int) -> None:
        """Close a depot or open it again."""
        for depot in self.depots_named(place):
            for message in self.faults.shut(depot, shut, cause, now_s):
                self.tell(self.depots.all[depot].desk, message)

    def lane_blocked(self, road: int, lane: int, pos_m: float | None) -> None:
        """Take note of an obstacle at ``pos_m`` of a lane, or (None) of a closed lane."""
        self.obstacles.put(road, lane, pos_m)

    def lane_cleared(self, road: int, lane: int, pos_m: float | None) -> None:
        """Take note that it is gone."""
        self.obstacles.take(road, lane, pos_m)

    def end_permit(self, permit: str, cause: str, now_s: int) -> None:
        """Withdraw a permit."""
        if not self.platform.end_permit(permit, now_s, cause):
            raise ScenarioError(f"there is no permit '{permit}' in this run")


def _imported(spec: str) -> Callable[[FleetContext], Any]:
    def make(context: FleetContext) -> Any:
        module, _, name = spec.partition(":")
        return getattr(importlib.import_module(module), name)(context)

    return make
