"""From a scenario to units and depots: how many of which model are at home where."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from geo.city import City
from twin.errors import ScenarioError
from twin.scenario import Scenario
from twin.scenario.bus import Bus
from twin.scenario.delivery import Delivery
from twin.scenario.sanitation import Sanitation
from twin.world.fleets.depots import Depot
from twin.world.fleets.models import MODELS
from twin.world.fleets.states import UnitSpec

CHARGERS_PER_UNIT = 1 / 3  # where a scenario does not say (assumed)
UNITS_PER_DOCK = 4  # units that share a place to load at (assumed)


def muster(scenario: Scenario, city: City) -> tuple[tuple[UnitSpec, ...], tuple[Depot, ...]]:
    """Return the units of all fleets of a scenario, in the order of their numbers, and all depots."""
    units: list[UnitSpec] = []
    depots: list[Depot] = []
    for found in (
        _bus(scenario.bus, city) if scenario.bus is not None else None,
        _delivery(scenario.delivery, city) if scenario.delivery is not None else None,
        _sanitation(scenario.sanitation, city) if scenario.sanitation is not None else None,
    ):
        if found is not None:
            units += found[0]
            depots += found[1]
    return tuple(units), tuple(depots)


def _depot(city: City, place: str, desk: str, docks: int, chargers: int, power_w: float) -> Depot:
    """Make a depot of a place of the city; ScenarioError where no car can come."""
    row = city.place(place)
    if not bool(city.roads["car"].to_numpy()[int(row["road"])]):
        raise ScenarioError(f"{desk}: the depot {place} is on a road without cars")
    return Depot(
        place=str(row["place"]),
        name=str(row["name"]),
        desk=desk,
        road=int(row["road"]),
        pos_m=float(row["pos_m"]),
        x_m=float(row["geometry"].x),
        y_m=float(row["geometry"].y),
        docks=docks,
        chargers=chargers,
        power_w=power_w,
    )


def _bus(part: Bus, city: City) -> tuple[list[UnitSpec], list[Depot]]:
    model = replace(MODELS["minibus"], capacity=part.seats)
    depot = _depot(city, part.depot, "bus", part.units, part.chargers, model.charge_w)
    return [UnitSpec("shuttle", model, depot, part.tested_h, part.tested_km) for _ in range(part.units)], [depot]


def _delivery(part: Delivery, city: City) -> tuple[list[UnitSpec], list[Depot]]:
    robots = part.by == "robots"
    models = (
        [("robot", MODELS["robot"])] * part.units
        if robots
        else [("courier", MODELS["trike"])] * part.trikes + [("courier", MODELS["van"])] * part.vans
    )
    n = len(part.depots)
    each = ceil(len(models) / n)
    power = max((m.charge_w for _, m in models), default=0.0)
    # couriers charge at night, each at a plug of its own
    chargers = ceil(each * CHARGERS_PER_UNIT) if robots else each
    docks = max(2, ceil(each / UNITS_PER_DOCK))
    depots = [_depot(city, place, "delivery", docks, chargers, power) for place in part.depots]
    # F22, F26: whoever carries goods has passed its tests
    specs = [UnitSpec(fleet, model, depots[i % n], 240.0, 1000.0) for i, (fleet, model) in enumerate(models)]
    return specs, depots


def _sanitation(part: Sanitation, city: City) -> tuple[list[UnitSpec], list[Depot]]:
    model = MODELS["sweeper"]
    number = part.units if part.by == "robots" else 0  # a crew on foot has no units
    depot = _depot(city, part.depot, "sanitation", part.units, part.chargers, model.charge_w)
    return [UnitSpec("sweeper", model, depot, 240.0, 1000.0) for _ in range(number)], [depot]
