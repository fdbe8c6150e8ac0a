"""What a parcel of the last mile costs, from the facts of a run and a table of prices (F24).

Quantities – units on duty, hours, kilometres, energy, parcels – come from the log of a run; prices, each with its
source or "assumed" and a range, from ``scenarios/costs.yaml`` or a copy of it. :func:`saving` compares robots with
couriers serving the same orders; :func:`tornado` moves one price at a time through its range and says on which the
result hangs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.log import Facts
from twin.world.fleets.models import MODELS

DAYS_A_YEAR = 365.0
DAYS_A_MONTH = DAYS_A_YEAR / 12
DEFAULT_PRICES = Path(__file__).with_name("costs.yaml")
HOUR_S = 3600


@dataclass(frozen=True)
class Price:
    """One assumption: its value, the range it may lie in, its unit and where it comes from."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str


@dataclass(frozen=True)
class Quantities:
    """What a fleet did in a run, from its facts; ``days`` of service, a part of one is one.

    Hours are of duty, in or out of motion. ``energy_kwh``: taken from chargers, and out of batteries that were fuller
    at the beginning than at the end.
    """

    fleet: str
    days: float
    robots: int
    trikes: int
    vans: int
    operators: int
    duty_h: float
    km: float
    energy_kwh: float
    orders: int
    delivered: int
    within_hour: int
    attempts: int


@dataclass(frozen=True)
class Sheet:
    """Costs by item in CNY for the whole run, and per delivered parcel (nan when none was delivered)."""

    items: Mapping[str, float]
    delivered: int

    @property
    def total(self) -> float:
        """Sum of all items, CNY."""
        return sum(self.items.values())

    @property
    def per_parcel(self) -> float:
        """CNY per delivered parcel."""
        return self.total / self.delivered if self.delivered else float("nan")


@dataclass(frozen=True)
class Bar:
    """One bar of the tornado: the saving with a price at its low and at its high end."""

    price: Price
    at_low: float
    at_high: float

    @property
    def swing(self) -> float:
        """How far the saving moves over the range of this price."""
        return abs(self.at_high - self.at_low)


def load_prices(path: str | Path | None = None) -> dict[str, Price]:
    """Read a table of prices. Raises ScenarioError naming file, key, value and what is allowed."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    file = Path(path) if path is not None else DEFAULT_PRICES
    try:
        data = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read ({error.strerror})") from None
    except YAMLError as error:
        raise ScenarioError(f"{file}: is not YAML ({' '.join(str(error).split())[:200]})") from None
    if not isinstance(data, dict):
        raise ScenarioError(
            f"{file}: a table of prices is expected, one 'name: {{value, low, high, unit, source}}' each"
        )
    known = set(load_prices()) if path is not None else set(data)
    wrong = sorted(set(map(str, data)) ^ known)
    if wrong:
        raise ScenarioError(f"{file}: prices missing or unknown: {', '.join(wrong)}")
    return {name: _price(file, name, entry) for name, entry in data.items()}


def _price(file: Path, name: str, entry: Any) -> Price:
    wanted = {f.name for f in fields(Price)} - {"name"}
    if not isinstance(entry, dict) or set(entry) != wanted:
        raise ScenarioError(f"{file}: {name}: needs exactly {', '.join(sorted(wanted))}")
    for key in ("value", "low", "high"):
        if isinstance(entry[key], bool) or not isinstance(entry[key], int | float) or entry[key] < 0:
            raise ScenarioError(f"{file}: {name}.{key}: {entry[key]!r} is not a number of 0 or more")
    if entry["low"] > entry["high"]:
        raise ScenarioError(f"{file}: {name}: low {entry['low']} lies above high {entry['high']}")
    return Price(
        name, float(entry["value"]), float(entry["low"]), float(entry["high"]), str(entry["unit"]), str(entry["source"])
    )


def quantities(facts: Facts) -> Quantities:
    """Return what the delivery fleet of a run did. Raises ScenarioError for a run without one."""
    days = facts.frame("ServiceDay")
    if days.empty:
        raise ScenarioError("this run has no delivery fleet: switch it on with 'delivery:' in the scenario")
    fleet = str(days["fleet"].iloc[0])
    units = facts.frame("UnitDeployed")
    units = units[units["fleet"] == fleet]
    legs = facts.frame("UnitArrived")
    legs = legs[legs["unit"].isin(units["unit"])]
    charged = facts.frame("UnitCharged")
    charged = charged[charged["unit"].isin(units["unit"])]
    done = facts.frame("OrderDelivered")
    told = facts.frame("UnitChanged").groupby("unit")["battery"].last()
    first = units.set_index("unit")
    whole_wh = first["model"].map({name: m.battery_wh for name, m in MODELS.items()}).astype(float)
    drawn_wh = ((first["battery"] - told.reindex(first.index).fillna(first["battery"])) * whole_wh).sum()
    model = units["model"].value_counts()
    duty_h = float(days["duty_h"].sum())
    return Quantities(
        fleet=fleet,
        days=float((days["duty_h"] > 0).sum()),
        robots=int(model.get("robot", 0)),
        trikes=int(model.get("trike", 0)),
        vans=int(model.get("van", 0)),
        operators=int(days["operators"].max()),
        duty_h=duty_h,
        km=float(legs["distance_m"].sum() / 1000),
        energy_kwh=float(charged["energy_wh"].sum() + drawn_wh) / 1000,
        orders=len(facts.frame("OrderPlaced")),
        delivered=len(done),
        within_hour=int((done["duration_s"] <= HOUR_S).sum()),
        attempts=len(done) + len(facts.frame("HandOverFailed")),
    )


def cost(q: Quantities, prices: Mapping[str, Price], changed: Mapping[str, float] | None = None) -> Sheet:
    """Return the cost sheet of a run. ``changed`` replaces values of prices by name."""
    p = {name: price.value for name, price in prices.items()} | dict(changed or {})
    hour = {
        who: p[f"{who}_wage"] * p["on_costs"] / p["paid_hours"] for who in ("operator", "courier", "driver", "loader")
    }
    operators = float(q.operators)
    if p["robots_per_operator"] > 0 and q.robots:
        operators = float(-(-q.robots // p["robots_per_operator"]))
    on_foot = 1.0 / (1.0 - p["courier_breaks"])
    per_day = {
        "robots: vehicles": q.robots * p["robot_price"] / p["robot_life"] / DAYS_A_YEAR,
        "robots: software": q.robots * p["robot_software"] / DAYS_A_MONTH,
        "robots: upkeep and insurance": q.robots
        * (p["robot_price"] * p["robot_upkeep"] + p["robot_insurance"])
        / DAYS_A_YEAR,
        "e-trikes: vehicles and upkeep": q.trikes
        * (p["trike_price"] / p["trike_life"] + p["trike_upkeep"])
        / DAYS_A_YEAR,
        "vans: vehicles and upkeep": q.vans * (p["van_price"] / p["van_life"] + p["van_upkeep"]) / DAYS_A_YEAR,
        "rent": (q.robots * p["robot_bay"] + (q.trikes + 3 * q.vans) * p["trike_bay"]) * p["rent"] / DAYS_A_MONTH,
    }
    items = {name: value * q.days for name, value in per_day.items()}
    items["remote operators"] = operators * q.duty_h * hour["operator"]
    items["couriers"] = q.trikes * q.duty_h * hour["courier"] * on_foot
    items["drivers"] = q.vans * q.duty_h * hour["driver"] * on_foot
    items["loading"] = q.attempts * p["load_time"] / HOUR_S * hour["loader"] if q.robots else 0.0
    items["energy"] = q.energy_kwh * p["energy"]
    return Sheet({name: value for name, value in items.items() if value > 0}, q.delivered)


def saving(robots: Quantities, couriers: Quantities, prices: Mapping[str, Price], **changed: float) -> float:
    """Return by which share a parcel by robot is cheaper than one by courier (F24 wants 0.3 or more)."""
    ours, theirs = cost(robots, prices, changed).per_parcel, cost(couriers, prices, changed).per_parcel
    return 1.0 - ours / theirs


def tornado(robots: Quantities, couriers: Quantities, prices: Mapping[str, Price]) -> list[Bar]:
    """Return the saving at both ends of every price, all others as they are; the widest swing first."""
    bars = []
    for name, price in prices.items():
        low, high = (saving(robots, couriers, prices, **{name: end}) for end in (price.low, price.high))
        bars.append(Bar(price, low, high))
    return sorted(bars, key=lambda b: -b.swing)


def all_at_worst(robots: Quantities, couriers: Quantities, prices: Mapping[str, Price]) -> float:
    """Return the saving with every price at the end of its range that is worse for robots, all at once."""
    ends = {b.price.name: b.price.low if b.at_low <= b.at_high else b.price.high
            for b in tornado(robots, couriers, prices)}  # fmt: skip
    return saving(robots, couriers, prices, **ends)


def courier_pace(
    robots: Quantities, couriers: Quantities, prices: Mapping[str, Price], target: float = 0.30
) -> tuple[float, float]:
    """Return parcels per hour of a courier or driver in the run, and those at which the saving would be ``target``.

    With as many as that the same people cost as much and bring more: couriers' cost per parcel is divided by the pace.
    """
    people_h = couriers.duty_h * (couriers.trikes + couriers.vans)
    pace = couriers.delivered / people_h if people_h else float("nan")
    ours, theirs = cost(robots, prices).per_parcel, cost(couriers, prices).per_parcel
    return pace, pace * (1.0 - target) * theirs / ours


def verdict(base: float, bars: list[Bar], target: float = 0.30) -> str:
    """Return in a sentence on which assumptions a saving of ``target`` hangs."""
    hang = [b.price.name for b in bars if (min(b.at_low, b.at_high) < target) != (max(b.at_low, b.at_high) < target)]
    holds = "is reached" if base >= target else "is not reached"
    if not hang:
        return f"A saving of {target:.0%} {holds} ({base:.1%}), whatever single assumption is moved through its range."
    return f"A saving of {target:.0%} {holds} ({base:.1%}); it hangs on {', '.join(hang)}."
