"""Whether a tour can be driven: ways, seconds, metres, energy – and cutting it to what can.

A unit needs ``use_wh_m`` × metres + ``idle_w`` × hours, times ``MARGIN`` for detours and queues, and must end its tour
at its depot above its reserve, before its permit or the day's service ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from twin.control.mobility.delivery.licences import Group, Licences
from twin.control.mobility.delivery.orders import Book
from twin.control.mobility.delivery.places import DAY_S, AllSites
from twin.control.mobility.delivery.units import Unit
from twin.domain.delivery import DeliveryRules

Ints = npt.NDArray[np.int64]
MARGIN = 1.15  # on energy (assumed)
LATE = 1.2  # on driving times against the end of permit or service (assumed)
SPARE_S = 120
SAME_STOP_M = 20.0  # orders for one road this close together are handed over together


@dataclass(frozen=True)
class Leg:
    """A way with its seconds and metres; ``roads`` empty: there is none."""

    roads: Ints
    time_s: float
    metres: float


class Tours:
    """Feasibility of tours, from what the desk knows."""

    def __init__(self, licences: Licences, sites: AllSites, book: Book) -> None:
        self.licences, self.sites, self.book = licences, sites, book
        self.rules: DeliveryRules | None = None

    def group(self, unit: Unit) -> Group:
        """Return the group of units with the same permits."""
        return self.licences.groups[int(self.licences.of[unit.row])]

    def until_s(self, unit: Unit, now_s: int) -> int:
        """Return when a unit must be back: the end of its permit or of today's service, the earlier one."""
        assert self.rules is not None
        return min(self.group(unit).until_s, closing_s(self.rules, now_s))

    def leg(self, unit: Unit, from_road: int, from_pos_m: float, to_road: int, to_pos_m: float) -> Leg:
        """Return the quickest allowed leg; parts of the first and last road are counted by length."""
        streets = self.group(unit).streets
        if not (0 <= from_road < streets.length_m.size and 0 <= to_road < streets.length_m.size):
            return Leg(np.empty(0, dtype=np.int64), np.inf, np.inf)
        road_s = streets.road_s()
        if streets.shut()[to_road]:
            return Leg(np.empty(0, dtype=np.int64), np.inf, np.inf)
        if from_road == to_road:  # along the kerb
            metres = abs(to_pos_m - from_pos_m)
            share = metres / max(float(streets.length_m[to_road]), 1.0)
            return Leg(np.asarray([to_road], dtype=np.int64), float(road_s[to_road]) * min(share, 1.0), metres)
        roads = streets.way(from_road, to_road)
        if roads.size == 0:
            return Leg(roads, np.inf, np.inf)
        first, last = streets.length_m[from_road], streets.length_m[to_road]
        rest = np.clip((first - from_pos_m) / max(first, 1.0), 0.0, 1.0)
        part = np.clip(to_pos_m / max(last, 1.0), 0.0, 1.0)
        time_s = float(rest * road_s[from_road] + road_s[roads[1:-1]].sum() + part * road_s[to_road])
        metres = float(rest * first + streets.length_m[roads[1:-1]].sum() + part * last)
        return Leg(roads, time_s, metres)

    def home(self, unit: Unit, road: int, pos_m: float) -> Leg:
        """Return the leg to the unit's depot."""
        depots = self.sites.depots
        return self.leg(unit, road, pos_m, int(depots.road[unit.home]), float(depots.pos_m[unit.home]))

    def stops(self, rows: Sequence[int]) -> list[list[int]]:
        """Group order rows, in order, into stops: each with all orders of the same place, however far apart listed."""
        found: dict[tuple[int, int, int], list[int]] = {}
        for r in rows:
            found.setdefault(self.stop_of(r), []).append(r)
        return list(found.values())

    def stop_of(self, row: int) -> tuple[int, int, int]:
        """Return what tells two stops apart: road, place along it, locker."""
        b = self.book
        return int(b.to_road[row]), round(float(b.to_pos_m[row]) / SAME_STOP_M), int(b.to_locker[row])

    def hand_s(self, orders: int) -> int:
        """Return the expected seconds for handing orders over at one stop."""
        assert self.rules is not None
        return self.rules.hand_s + orders * self.rules.hand_order_s

    def load_s(self, orders: int) -> int:
        """Return the expected seconds for loading or unloading orders."""
        assert self.rules is not None
        return self.rules.load_s + orders * self.rules.load_order_s

    def energy_wh(self, unit: Unit, metres: float, seconds: float) -> float:
        """Return the energy for driving ``metres`` in a tour of ``seconds``, with the margin."""
        return MARGIN * (unit.use_wh_m * metres + unit.idle_w * seconds / 3600.0)

    def feasible_rows(
        self, unit: Unit, rows: Sequence[int], road: int, pos_m: float, begin_s: int
    ) -> tuple[list[int], bool, float]:
        """Return the rows of the longest first part of a tour that can be driven, whether charge cut it, and its end.

        ``begin_s``: when the unit sets out from ``road``/``pos_m``. Stops that cannot be reached are left out.
        """
        b = self.book
        until, spare_wh = self.until_s(unit, begin_s), unit.above_reserve_wh(begin_s)
        t, metres, here = float(begin_s), 0.0, (road, pos_m)
        parts: list[tuple[list[int], float, float, tuple[int, float]]] = []
        for stop in self.stops(rows):
            to = (int(b.to_road[stop[0]]), float(b.to_pos_m[stop[0]]))
            leg = self.leg(unit, *here, *to)
            if leg.roads.size == 0:
                continue
            t, metres, here = t + leg.time_s + self.hand_s(len(stop)), metres + leg.metres, to
            if self.energy_wh(unit, metres, t - begin_s) > spare_wh or begin_s + LATE * (t - begin_s) > until:
                parts.append((stop, t, metres, to))
                break
            parts.append((stop, t, metres, to))
        short = False
        while parts:
            _, t, metres, here = parts[-1]
            back = self.home(unit, *here)
            end_s = t + back.time_s
            enough = self.energy_wh(unit, metres + back.metres, end_s - begin_s) <= spare_wh
            if enough and begin_s + LATE * (end_s - begin_s) + SPARE_S <= until:
                return [r for stop, *_ in parts for r in stop], short, end_s
            short = short or not enough
            parts.pop()
        return [], short, float(begin_s)

    def end_s(self, unit: Unit, rows: Sequence[int], road: int, begin_s: int) -> int:
        """Return when a unit would be back at its depot after handing over all rows; quickly, without ways."""
        b, depots = self.book, self.sites.depots
        stops = self.stops(rows)
        roads = [road, *(int(b.to_road[s[0]]) for s in stops), int(depots.road[unit.home])]
        streets = self.group(unit).streets
        t = float(begin_s)
        for k, (a, z) in enumerate(pairwise(roads)):
            hop = streets.hop(a, z)
            t += (hop if np.isfinite(hop) else 600.0) + (self.hand_s(len(stops[k])) if k < len(stops) else 0)
        return int(t)


def closing_s(rules: DeliveryRules, now_s: int) -> int:
    """Return when today's service ends; the end of the last one, if it is over."""
    day, tod = divmod(now_s, DAY_S)
    if rules.from_s < rules.until_s:
        return day * DAY_S + rules.until_s
    return (day + (tod >= rules.from_s)) * DAY_S + rules.until_s  # over midnight


def opening_s(rules: DeliveryRules, now_s: int) -> int:
    """Return when the service that is on now began, or the next one of today begins."""
    day, tod = divmod(now_s, DAY_S)
    if rules.from_s < rules.until_s:
        return day * DAY_S + rules.from_s
    return (day - (tod < rules.until_s)) * DAY_S + rules.from_s
