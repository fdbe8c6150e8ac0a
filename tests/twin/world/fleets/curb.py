"""Units that stand at kerbs where a test puts them, in the made-up town: for the truth of parcels and passengers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.city import City
from geo.network import Network
from tests.scenarios.exports_town import town
from twin import events
from twin.dice import Dice
from twin.domain.messages import Message
from twin.domain.mobility import BROKEN, PARKED, UnitReport
from twin.log import Facts, Log
from twin.scenario.bus import Bus
from twin.scenario.delivery import Delivery
from twin.world.fleets.bus import BusSystem
from twin.world.fleets.delivery import DeliverySystem
from twin.world.fleets.depots import Depot, Depots
from twin.world.fleets.models import MODELS
from twin.world.fleets.ports import TICK_S, FleetContext
from twin.world.fleets.states import UnitSpec, UnitStates
from twin.world.weather import Weather

DEPOT_BLOCKS = (0, 120)  # next to which the depots lie
MARKETS = {"market-in": 60, "market-by": 61, "market-far": 11}  # lockers, next to these blocks


@cache
def curb_town() -> City:
    """The made-up town with line 109, two depots, and lockers next to three blocks. Nobody may write to it."""
    city = town()
    line, rows, points = city.roads.geometry, [], []
    for place, kind, block in (
        *((f"depot-{k}", "depot", b) for k, b in enumerate(DEPOT_BLOCKS)),
        *((name, "market", b) for name, b in MARKETS.items()),
    ):
        road = int(city.blocks["road"].iloc[block])
        points.append(line.iloc[road].interpolate(300.0))
        rows.append(
            {"place": place, "kind": kind, "name": place, "name_en": place, "community": "all", "road": road,
             "pos_m": 300.0, "road_out": -1, "weight": 0.0}
        )  # fmt: skip
    old = pd.DataFrame(city.places.drop(columns="geometry"))
    both = pd.concat([old, pd.DataFrame(rows)], ignore_index=True)
    return dataclasses.replace(
        city, places=gpd.GeoDataFrame(both, geometry=[*city.places.geometry, *points], crs=city.crs)
    )


class CurbUnits(UnitStates):
    """Units that stand where they are put, and pass what roads they are told to have passed."""

    def __init__(self, specs, log):
        super().__init__(specs, log)
        self.blocked = np.zeros(len(specs), dtype=bool)
        self._passed: dict[int, list[tuple[int, float]]] = {}

    def put(self, row, road, pos_m):
        self.road[row], self.pos_m[row] = road, pos_m

    def pass_(self, row, roads):
        self._passed[row] = [(int(r), 0.0) for r in roads]

    def passed(self, row):
        return self._passed.get(row, [])

    def halt(self, row, cause, now_s, by="system"):
        pass

    def resume(self, row, cause, now_s, by="system"):
        return True


@dataclass
class Curb:
    """A system with its units, tick by tick."""

    context: FleetContext
    units: CurbUnits
    log: Log
    system: DeliverySystem | BusSystem
    now_s: int
    told: list[Message] = field(default_factory=list)
    reports: list[UnitReport] = field(default_factory=list)

    def tick(self, n: int = 1) -> list[UnitReport]:
        """Let ``n`` ticks pass; return the reports that came in."""
        first = len(self.reports)
        for _ in range(n):
            self.now_s += TICK_S
            self.told += self.system.tick(self.now_s)
            self.reports += [r for _, r in self.units.take_reports(self.now_s)]
        return self.reports[first:]

    def until(self, t_s: int) -> list[UnitReport]:
        return self.tick(max(0, -(-(t_s - self.now_s) // TICK_S)))

    def do(self, command) -> list[UnitReport]:
        """Carry a command out; return what was reported at once."""
        assert self.system.carry_out(command, self.now_s)
        new = [r for _, r in self.units.take_reports(self.now_s)]
        self.reports += new
        return new

    def break_down(self, row: int) -> tuple[int, ...]:
        """As Faults does it."""
        self.units.broken[row] = True
        self.units.set(row, self.now_s, state=BROKEN)
        self.log.add(events.UnitBroke, t_s=self.now_s, unit=int(self.units.number[row]), cause="test", road=0)
        return self.system.broke(row, self.now_s)

    def repair(self, row: int) -> tuple[int, ...]:
        home = self.units.home[row]
        self.units.put(row, home.road, home.pos_m)
        self.units.broken[row] = False
        self.units.set(row, self.now_s, state=PARKED)
        return self.system.repaired(row, self.now_s)

    def facts(self) -> Facts:
        self.system.finish(self.now_s)
        return self.log.close()


def _depot(city: City, place: str, desk: str, docks: int = 2) -> Depot:
    row = city.place(place)
    point = row["geometry"]
    return Depot(place, place, desk, int(row["road"]), float(row["pos_m"]), point.x, point.y, docks, 1, 7000.0)


def make_curb(
    system: str, *, units: int = 3, seed: int = 1, start_s: int = 9 * 3600, days: int = 1, people=None, journeys=None,
    city: City | None = None, docks: int = 2, **part,
) -> Curb:  # fmt: skip
    """Build the truth of delivery or bus in the town; ``part``: keys of the scenario's part."""
    city = city or curb_town()
    log, dice = Log(), Dice(seed)
    if system == "delivery":
        scenario = {"delivery": Delivery(**{"area": (), "depots": ("depot-0", "depot-1"), "units": units, **part})}
        own = scenario["delivery"]
        model, fleet = (MODELS["robot"], "robot") if own.by == "robots" else (MODELS["trike"], "courier")
        depots = [_depot(city, p, "delivery", docks) for p in own.depots]
        make = DeliverySystem
    else:
        scenario = {"bus": Bus(**{"depot": "depot-0", "units": units, **part})}
        model, fleet = dataclasses.replace(MODELS["minibus"], capacity=scenario["bus"].seats), "shuttle"
        depots = [_depot(city, "depot-0", "bus")]
        make = BusSystem
    specs = [UnitSpec(fleet, model, depots[i % len(depots)]) for i in range(units)]
    own_units = CurbUnits(specs, log)
    own_units.begin(start_s)
    weather = Weather(log, "clear", 0.0)
    context = FleetContext(
        city=city, units=own_units, depots=Depots(tuple(depots)), traffic=None, network=Network.of(city), log=log,
        dice=dice, people=people, journeys=journeys, weather=weather, start_s=start_s,
        scenario=SimpleNamespace(is_weekend=lambda day: day in (5, 6), **scenario),
        end_s=days * 86_400, tell=lambda desk, message: None,
    )  # fmt: skip
    curb = Curb(context, own_units, log, make(context), start_s)
    curb.told += curb.system.begin(start_s)
    return curb


def ints(*numbers: int) -> np.ndarray:
    return np.asarray(numbers, dtype=np.int64)
