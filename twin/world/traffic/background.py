"""Traffic that is nobody's trip in the district: through traffic from gate to gate, and freight.

Every vehicle that could drive on a day is an entity with its own named draws: when, from where, to where, what
kind, and a *rank* in [0, 1). It drives when its rank is below the demand factor over ``TOP_FACTOR``. So another
factor adds vehicles or leaves some out, and changes nothing about the others. Commuters are residents or
belong to other districts, and are not here.

Volumes and shares are assumptions (none is published for the district), chosen to give about 12,000 through
vehicles and 8,000 freight trips on a weekday of the shipped district.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.dice import Dice, Stream
from twin.domain.ids import VEHICLE_KINDS, vehicle_number
from twin.errors import ScenarioError
from twin.world.traffic.types import CAR, THROUGH, TRUCK

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86400
#: demand may be raised up to this factor
TOP_FACTOR = 4.0

#: share of a day's vehicles per hour, 0:00 to 24:00 (normalised on use). Shapes: two peaks for cars on working
#: days, one broad hump at weekends; freight keeps working hours with a dent at noon (assumed)
_CARS = (
    (6, 4, 3, 3, 5, 12, 34, 72, 78, 62, 56, 55, 50, 54, 58, 62, 70, 84, 76, 52, 40, 32, 22, 12),
    (9, 6, 4, 3, 4, 8, 18, 34, 50, 62, 68, 66, 60, 62, 66, 68, 70, 70, 62, 50, 42, 34, 24, 14),
)
_FREIGHT = (
    (14, 12, 12, 14, 20, 30, 42, 48, 62, 74, 76, 66, 48, 62, 74, 74, 68, 52, 42, 34, 28, 24, 20, 16),
    (14, 12, 12, 14, 18, 26, 36, 42, 52, 58, 58, 52, 42, 50, 56, 54, 48, 40, 34, 28, 24, 22, 18, 16),
)


@dataclass(frozen=True)
class BackgroundSettings:
    """Volumes and shares; all assumed.

    ``through_per_gate_lane``: vehicles a weekday for each lane that leads in at a gate. ``freight_per_job``:
    truck trips a weekday per job, by kind of block (far below the US Quick Response Freight Manual's 0.3 per
    employee of manufacturing and wholesale: the district is young). ``weekend``: volume of a weekend day
    against a weekday. ``inward``, ``outward``: shares of freight from and to the gates; the rest stays inside.
    """

    through_per_gate_lane: float = 250.0
    through_trucks: float = 0.15
    freight_per_job: Mapping[str, float] = field(
        default_factory=lambda: {"logistics": 0.30, "industry": 0.06, "construction": 0.20, "commerce": 0.03}
    )
    freight_vans: float = 0.35
    inward: float = 0.4
    outward: float = 0.4
    weekend: Mapping[str, float] = field(default_factory=lambda: {"through": 0.9, "freight": 0.55})


@dataclass(frozen=True)
class BackgroundVehicles:
    """Vehicles in order of departure: equal-length columns; roads are road indices."""

    vehicle: Ints
    type_index: Ints
    depart_s: Ints
    from_road: Ints
    to_road: Ints

    def __len__(self) -> int:
        return len(self.vehicle)


@dataclass(frozen=True)
class _Day:
    """All vehicles that could drive on one day, in order of departure."""

    columns: BackgroundVehicles
    rank: Floats


class Background:
    """Through traffic and freight of a city. A city without gates or freight sites has the less of it."""

    def __init__(self, city: City, dice: Dice, settings: BackgroundSettings | None = None) -> None:
        self.settings = settings or BackgroundSettings()
        self._flows: dict[str, _Flow] = {}
        gates = _Gates(city)
        sites = _Sites(city, self.settings.freight_per_job)
        self._flows["through"] = _Through(gates, self.settings, dice)
        self._flows["freight"] = _Freight(gates, sites, self.settings, dice)
        self._days: dict[tuple[str, int, bool], _Day] = {}

    def per_day(self, kind: str, weekend: bool = False) -> float:
        """Return the expected number of vehicles a day of a kind (``through`` or ``freight``) at factor 1."""
        return self._flows[kind].volume * (self.settings.weekend[kind] if weekend else 1.0)

    def vehicles(
        self, from_s: int, to_s: int, day: int, weekend: bool, factors: Mapping[str, float] | None = None
    ) -> BackgroundVehicles:
        """Return the vehicles that set out in [from_s, to_s) of ``day`` (0 = the first).

        ``factors``: demand factor by kind, 0 to TOP_FACTOR (1 where not named); others are a ScenarioError.
        """
        parts = []
        for kind in self._flows:
            factor = float((factors or {}).get(kind, 1.0))
            if not 0.0 <= factor <= TOP_FACTOR:
                raise ScenarioError(
                    f"background traffic: the demand factor for '{kind}' is {factor:g}; allowed: 0 to {TOP_FACTOR:g}"
                )
            whole = self._day(kind, day, weekend)
            a, b = np.searchsorted(whole.columns.depart_s, [from_s, to_s])
            share = factor * (self.settings.weekend[kind] if weekend else 1.0) / TOP_FACTOR
            parts.append(_pick(whole.columns, a + np.flatnonzero(whole.rank[a:b] < share)))
        return _in_order(parts)

    def _day(self, kind: str, day: int, weekend: bool) -> _Day:
        key = (kind, day, weekend)
        if key not in self._days:
            # a run asks in order of time, so the day before is done with
            self._days = {k: d for k, d in self._days.items() if k[1] == day}
            self._days[key] = self._flows[kind].day(day, weekend)
        return self._days[key]


class _Flow:
    """One kind of background traffic: how many, and the draws."""

    kind = ""
    profile: tuple[Sequence[float], Sequence[float]] = (_CARS[0], _CARS[1])

    def __init__(self, volume: float, dice: Dice) -> None:
        self.volume = volume
        self.entities = np.arange(round(volume * TOP_FACTOR), dtype=np.int64)
        self._time = dice.stream(f"background.{self.kind}.time")
        self._rank = dice.stream(f"background.{self.kind}.rank")

    def day(self, day: int, weekend: bool) -> _Day:
        """Draw all vehicles that could drive on ``day``."""
        who = self.entities
        hours = np.concatenate([[0.0], np.cumsum(self.profile[int(weekend)])])
        seconds = np.interp(self._time.uniform(who, day) * hours[-1], hours, np.arange(25) * 3600.0)
        depart = day * DAY_S + np.minimum(seconds.astype(np.int64), DAY_S - 1)
        order = np.lexsort((who, depart))
        who = who[order]
        kinds, from_road, to_road = self.trips(who, day)
        number = np.asarray(vehicle_number(self.kind, who, day), dtype=np.int64)  # type: ignore[arg-type]
        columns = BackgroundVehicles(number, kinds, depart[order], from_road, to_road)
        real = from_road != to_road
        rank = np.where(real, self._rank.uniform(who, day), 2.0)
        return _Day(columns, rank)

    def trips(self, who: Ints, day: int) -> tuple[Ints, Ints, Ints]:
        """Return type index, first and last road of each vehicle."""
        raise NotImplementedError


class _Gates:
    """Where traffic enters and leaves: weights, roads, and who drives from which gate to which."""

    def __init__(self, city: City) -> None:
        gates = city.places[city.places["kind"] == "gate"]
        road = gates["road"].to_numpy(np.int64)
        out = gates["road_out"].to_numpy(np.int64)
        weight = np.maximum(np.nan_to_num(gates["weight"].to_numpy(np.float64), nan=0.0), 0.0)
        lanes = city.roads["lanes"].to_numpy(np.float64)
        self.into, self.out = road, out
        self.w_in = np.where(road >= 0, weight, 0.0)
        self.w_out = np.where(out >= 0, weight, 0.0)
        self.lanes_in = float(lanes[road[self.w_in > 0]].sum())
        self.pairs = self._pairs(city, gates)

    def _pairs(self, city: City, gates: Any) -> Floats:
        """Weight of every pair of gates, flat: near ones are no place to drive through a city."""
        w = np.outer(self.w_in, self.w_out)
        if not w.any():
            return w.ravel()
        x, y = gates.geometry.x.to_numpy(), gates.geometry.y.to_numpy()
        apart = np.hypot(x[:, None] - x, y[:, None] - y)
        w *= np.minimum(apart / max(apart.max() / 2.0, 1.0), 1.0) ** 2
        a, b = np.flatnonzero(self.w_in > 0), np.flatnonzero(self.w_out > 0)
        reach = np.zeros_like(w, dtype=bool)
        reach[np.ix_(a, b)] = np.isfinite(city.network.times(self.into[a], self.out[b]))
        return np.where(reach, w, 0.0).ravel()


class _Through(_Flow):
    kind = "through"
    profile = _CARS

    def __init__(self, gates: _Gates, settings: BackgroundSettings, dice: Dice) -> None:
        there = bool(gates.pairs.any())
        super().__init__(gates.lanes_in * settings.through_per_gate_lane if there else 0.0, dice)
        self._gates, self._trucks = gates, settings.through_trucks
        self._pair = dice.stream("background.through.gates")
        self._what = dice.stream("background.through.type")

    def trips(self, who: Ints, day: int) -> tuple[Ints, Ints, Ints]:
        if who.size == 0:
            return who, who, who
        a, b = np.divmod(self._pair.choice(self._gates.pairs, who, day), len(self._gates.into))
        truck = self._what.uniform(who, day) < self._trucks
        return np.where(truck, TRUCK, THROUGH), self._gates.into[a], self._gates.out[b]


class _Sites:
    """Where freight is loaded and unloaded: roads of blocks and their truck trips a weekday."""

    def __init__(self, city: City, per_job: Mapping[str, float]) -> None:
        blocks = city.blocks
        rate = blocks["kind"].map(dict(per_job)).astype(np.float64).fillna(0.0).to_numpy()
        road = blocks["road"].to_numpy(np.int64)
        main = city.roads["main"].to_numpy(bool)
        trips = rate * blocks["jobs"].to_numpy(np.float64)
        trips[(road < 0) | ~main[np.maximum(road, 0)]] = 0.0
        keep = trips > 0
        self.road, self.trips = road[keep], trips[keep]


class _Freight(_Flow):
    kind = "freight"
    profile = _FREIGHT

    def __init__(self, gates: _Gates, sites: _Sites, settings: BackgroundSettings, dice: Dice) -> None:
        inward = settings.inward if gates.w_in.any() else 0.0
        outward = settings.outward if gates.w_out.any() else 0.0
        inside = 1.0 - settings.inward - settings.outward if len(np.unique(sites.road)) > 1 else 0.0
        self._shares = (inward, outward, inside)
        volume = float(sites.trips.sum()) * sum(self._shares) if len(sites.road) else 0.0
        super().__init__(volume, dice)
        self._gates, self._sites, self._vans = gates, sites, settings.freight_vans
        self._way = dice.stream("background.freight.direction")
        self._site = dice.stream("background.freight.site")
        self._other = dice.stream("background.freight.other_site")
        self._gate = dice.stream("background.freight.gate")
        self._what = dice.stream("background.freight.type")

    def trips(self, who: Ints, day: int) -> tuple[Ints, Ints, Ints]:
        if who.size == 0:
            return who, who, who
        way = self._way.choice(self._shares, who, day)
        site = self._sites.road[self._site.choice(self._sites.trips, who, day)]
        other = self._sites.road[self._other.choice(self._sites.trips, who, day)]
        gate_in = _chosen(self._gate, self._gates.w_in, self._gates.into, who, day)
        gate_out = _chosen(self._gate, self._gates.w_out, self._gates.out, who, day)
        from_road = np.select([way == 0, way == 1], [gate_in, site], other)
        to_road = np.select([way == 0, way == 1], [site, gate_out], site)
        van = self._what.uniform(who, day) < self._vans
        return np.where(van, CAR, TRUCK), from_road, to_road


def _chosen(stream: Stream, weights: Floats, roads: Ints, who: Ints, day: int) -> Ints:
    if not weights.any():
        return np.zeros(len(who), dtype=np.int64)
    return np.asarray(roads[stream.choice(weights, who, day)], dtype=np.int64)


def _pick(columns: BackgroundVehicles, rows: Ints) -> BackgroundVehicles:
    return BackgroundVehicles(
        columns.vehicle[rows],
        columns.type_index[rows],
        columns.depart_s[rows],
        columns.from_road[rows],
        columns.to_road[rows],
    )


def _in_order(parts: Sequence[BackgroundVehicles]) -> BackgroundVehicles:
    names = ("vehicle", "type_index", "depart_s", "from_road", "to_road")
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    whole = BackgroundVehicles(**columns)
    return _pick(whole, np.lexsort((whole.vehicle, whole.depart_s)))


assert {"through", "freight"} <= VEHICLE_KINDS.keys()
