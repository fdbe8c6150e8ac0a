"""Small stand-ins for tests of the fleets: a platform that does nothing, a desk that shuttles, a bare gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geo.city import City
from geo.network import Network
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.messages import Message, RoadMap
from twin.domain.mobility import ChargeUnit, DriveTo, PermitIssued, Places, Roster, UnitReport
from twin.gate import Gate
from twin.log import Facts, Log
from twin.world.fleets.depots import Depot, Depots
from twin.world.fleets.energy import Energy
from twin.world.fleets.faults import Faults
from twin.world.fleets.models import MODELS, VehicleModel
from twin.world.fleets.operators import Operators
from twin.world.fleets.ports import TICK_S, FleetContext
from twin.world.fleets.states import UnitSpec
from twin.world.fleets.units import Units
from twin.world.traffic.drivers import Drivers
from twin.world.traffic.ports import Traffic, TrafficSettings
from twin.world.traffic.routing import RouteTable
from twin.world.traffic.types import make_traffic

#: traffic that tests started; closed by whoever runs them (SUMO is one per process)
ALIVE: list[Traffic] = []


def close_all() -> None:
    """Close all traffic that is still open."""
    while ALIVE:
        ALIVE.pop().close()


class NoPlatform:
    """No permits, no telemetry."""

    def __init__(self, context: FleetContext) -> None:
        self.context = context
        self.ended: list[str] = []

    def begin(self, now_s: int) -> list[Message]:
        return []

    def tick(self, now_s: int) -> list[Message]:
        return []

    def carry_out(self, command: Command, now_s: int) -> bool:
        return False

    def end_permit(self, permit: str, now_s: int, cause: str) -> bool:
        self.ended.append(permit)
        return permit == "known"

    def finish(self, end_s: int) -> None:
        pass


class NoPolicy:
    """A policy that decides nothing."""


class TinySystem:
    """A system without customers; notes what its units do."""

    def __init__(self, context: FleetContext) -> None:
        self.fleet = str(context.units.fleet[0])
        self.context = context
        self.arrivals: list[tuple[int, int]] = []
        self.breaks: list[int] = []

    def begin(self, now_s: int) -> list[Message]:
        return []

    def tick(self, now_s: int) -> list[Message]:
        return []

    def carry_out(self, command: Command, now_s: int) -> bool:
        return False

    def arrived(self, row: int, now_s: int) -> None:
        self.arrivals.append((row, now_s))

    def broke(self, row: int, now_s: int) -> tuple[int, ...]:
        self.breaks.append(row)
        return (7, 8)

    def repaired(self, row: int, now_s: int) -> tuple[int, ...]:
        return (7,)

    def finish(self, end_s: int) -> None:
        pass


class ShuttlingDesk:
    """Sends every unit to and fro between its home and a road far away, and lets it charge when it is low."""

    def __init__(self, policy: Any = None) -> None:
        self._network: Network | None = None
        self._units: dict[int, tuple[int, float]] = {}
        self._serial: dict[int, int] = {}
        self.heard: list[Message] = []

    def decide(self, now_s: int, messages: Any) -> list[Command]:
        out: list[Command] = []
        for m in messages:
            self.heard.append(m)
            if isinstance(m, RoadMap):
                n = int(m.road.max()) + 1
                free = m.length_m / np.maximum(m.limit_m_s, 0.1)
                self._network = Network(n, m.turn_from, m.turn_to, free, m.length_m)
            elif isinstance(m, Roster):
                for unit, road, pos in zip(m.unit.tolist(), m.road.tolist(), m.pos_m.tolist(), strict=True):
                    self._units[unit] = (road, pos)
                    out.append(self._go(unit, road))
            elif isinstance(m, UnitReport) and m.what in ("arrived", "repaired", "charged", "refused"):
                if m.what == "arrived" and m.battery < 0.5 and m.road == self._units[m.unit][0]:
                    out.append(ChargeUnit(self._key(m.unit), m.unit, 0.9))
                elif m.what != "refused" or "no radio link" in m.detail:
                    out.append(self._go(m.unit, m.road))
        return out

    def _key(self, unit: int) -> str:
        self._serial[unit] = self._serial.get(unit, 0) + 1
        return f"do/{unit}/{self._serial[unit]}"

    def _go(self, unit: int, road: int) -> DriveTo:
        assert self._network is not None
        home, pos = self._units[unit]
        there = np.flatnonzero(self._network.reach(home) & self._network.reach(home, backward=True))
        far = int(there[(unit * 37 + 11) % there.size])
        target = far if road == home else home
        way = self._network.routes([road], [target])[0].astype(np.int64)
        return DriveTo(self._key(unit), unit, way, pos, -1.0, "test")


@dataclass
class Stage:
    """Units on a toy city with their traffic, as the simulation would run them."""

    city: City
    traffic: Traffic
    units: Units
    log: Log
    gate: Gate
    depots: Depots
    energy: Energy
    faults: Faults
    operators: Operators
    system: TinySystem
    now_s: int = 0
    reports: list[tuple[int, UnitReport]] = field(default_factory=list)

    def run(self, until_s: int) -> list[UnitReport]:
        """Let time pass, tick by tick; return the reports that came in."""
        first = len(self.reports)
        while self.now_s < until_s:
            self.now_s += TICK_S
            self.gate.take(self.traffic.advance(self.now_s))
            for row in self.units.tick(self.now_s):
                self.system.arrived(row, self.now_s)
            self.energy.tick(self.now_s, TICK_S)
            self.faults.tick(self.now_s)
            self.operators.tick(self.now_s)
            self.units.forget_passed()
            self.reports += [(self.now_s, r) for _, r in self.units.take_reports(self.now_s)]
        return [r for _, r in self.reports[first:]]

    def drive(self, row: int, to_road: int, pos_m: float = 50.0, task: str = "test", speed: float = -1.0) -> bool:
        """Send a unit the quickest way."""
        way = self.city.network.routes([int(self.units.road[row])], [to_road])[0].astype(np.int64)
        command = DriveTo(f"d/{row}/{self.now_s}", int(self.units.number[row]), way, pos_m, speed, task)
        return self.units.drive(command, self.now_s)

    def facts(self) -> Facts:
        """End; return the log."""
        self.units.finish(self.now_s)
        self.traffic.close()
        return self.log.close()


def far_road(city: City, road: int) -> int:
    """A road that takes longest to come to from another, and from which one comes back."""
    network = city.network
    times = network.times([road], np.arange(len(city.roads)))[0]
    times[~network.reach(road, backward=True) | ~np.isfinite(times)] = -1
    return int(times.argmax())


def stage(
    city: City,
    mode: str,
    n: int = 1,
    model: VehicleModel | None = None,
    fleet: str = "robot",
    seed: int = 1,
    chargers: int = 1,
    home: int | None = None,
) -> Stage:
    """Put ``n`` units of a model at a depot on the first road that leads everywhere."""
    network = city.network
    road = int(np.flatnonzero(network.main_part())[0]) if home is None else home
    length = float(city.roads["length_m"].iloc[road])
    model = model or MODELS["robot"]
    depot = Depot("depot-1", "Depot", "delivery", road, length / 2, 0.0, 0.0, 2, chargers, model.charge_w)
    log, dice = Log(None), Dice(seed)
    traffic = make_traffic(city, TrafficSettings(mode=mode, seed=seed, begin_s=0, end_s=86_400))
    ALIVE.append(traffic)
    gate = Gate(traffic, log, None, lambda _: None)
    routes = RouteTable(network)
    gate.drivers = Drivers(traffic, network, routes, log, dice, gate.lost)
    specs = [UnitSpec(fleet, model, depot) for _ in range(n)]
    units = Units(specs, city, network, traffic, gate, log, lambda: gate.drivers.time_s)
    gate.fleets = units  # type: ignore[assignment]
    units.entered = lambda new: None  # type: ignore[attr-defined]
    depots = Depots((depot,))
    system = TinySystem.__new__(TinySystem)
    system.fleet, system.arrivals, system.breaks = fleet, [], []
    faults = Faults(units, depots, log, dice, 0, lambda _: system)
    operators = Operators(units, log, dice, lambda row, cause, now: faults.break_down(row, cause, now) and None)
    faults.forget = operators.forget
    energy = Energy(units, depots, log, lambda row, now: faults.break_down(row, "battery empty", now) and None)
    units.begin(0)
    return Stage(city, traffic, units, log, gate, depots, energy, faults, operators, system)


def places(messages: list[Message], kind: str) -> list[Places]:
    """Return the Places messages of a kind."""
    return [m for m in messages if isinstance(m, Places) and m.kind == kind]


def permits(messages: list[Message]) -> list[PermitIssued]:
    """Return the permits told."""
    return [m for m in messages if isinstance(m, PermitIssued)]
