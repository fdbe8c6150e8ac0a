"""Who wants what of the office: matters drawn from the catalogue, for months of cases without a city."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.control.services.calendars import DAY_S, Calendar
from twin.control.services.catalogue.items import TARGETS, Catalogue
from twin.dice import Dice
from twin.world.offices.matters import Matter
from twin.world.offices.regions import shares
from twin.world.offices.settings import Demand

Ints = npt.NDArray[np.int64]
#: share of the day's needs by hour from 8 to 21 (assumed: two peaks within office hours, some in the evening)
HOURS_OF_NEED = np.array([4, 13, 14, 9, 5, 7, 12, 12, 9, 5, 4, 3, 3])


class Wants:
    """Draws what a matter is about: a scene or an item, by how often each is asked for."""

    def __init__(self, catalogue: Catalogue, dice: Dice, demand: Demand) -> None:
        self._catalogue, self._demand = catalogue, demand
        self._scene, self._which = dice.stream("services.scene"), dice.stream("services.which")
        self._far, self._region = dice.stream("services.far"), dice.stream("services.region")
        self._items = [_of(catalogue.items, t) for t in TARGETS]
        self._scenes = [_of(catalogue.scenes, t) for t in TARGETS]
        crossing = [(row, weight) for t in range(2) for row, weight in zip(*self._items[t], strict=True)
                    if catalogue.items[row].cross_region]  # fmt: skip
        self._crossing = (np.array([r for r, _ in crossing]), np.array([w for _, w in crossing]))
        self._needs = [(tuple(catalogue.item_row[c] for c in s.items), s.needs) for s in catalogue.scenes]

    def matters(
        self, number: Ints, begins_s: Ints, target: Ints, far: npt.NDArray[np.bool_] | None = None
    ) -> list[Matter]:
        """Return one matter for each number; ``far``: who is from another region (default: drawn)."""
        d, n = self._demand, number.size
        if far is None:
            far = self._far.uniform(number) < d.far
        if not self._crossing[0].size:
            far = np.zeros(n, dtype=bool)
        theme = (self._scene.uniform(number) < d.scene) & ~far
        region = self._region.choice(shares(), number)
        u = self._which.uniform(number)
        item = np.zeros(n, dtype=np.int64)
        scene = np.full(n, -1, dtype=np.int64)
        for t in range(2):
            for rows, table, out in (
                (np.flatnonzero((target == t) & theme), self._scenes[t], scene),
                (np.flatnonzero((target == t) & ~theme & ~far), self._items[t], item),
            ):
                out[rows] = _pick(table, u[rows]) if rows.size and table[0].size else out[rows]
        rows = np.flatnonzero(far)
        if rows.size:
            item[rows] = _pick(self._crossing, u[rows])
        out_matters = []
        for i in range(n):
            if scene[i] >= 0:
                items, needs = self._needs[scene[i]]
            else:
                items, needs = (int(item[i]),), ()
            t = int(target[i]) if not far[i] else TARGETS.index(self._catalogue.items[item[i]].target)
            out_matters.append(
                Matter(
                    int(number[i]), int(begins_s[i]), t, int(scene[i]), items, needs, int(region[i]) if far[i] else -1
                )
            )
        return out_matters


def _of(rows: tuple[object, ...], target: str) -> tuple[Ints, npt.NDArray[np.float64]]:
    kept = [(i, r.weight) for i, r in enumerate(rows) if r.target == target]  # type: ignore[attr-defined]
    return np.array([i for i, _ in kept], dtype=np.int64), np.array([w for _, w in kept])


def _pick(table: tuple[Ints, npt.NDArray[np.float64]], u: npt.NDArray[np.float64]) -> Ints:
    rows, weight = table
    cumulative = np.cumsum(weight)
    at = np.minimum(np.searchsorted(cumulative, u * cumulative[-1], side="right"), rows.size - 1)
    picked: Ints = rows[at]
    return picked


def months(count: int, calendar: Calendar, wants: Wants, dice: Dice, demand: Demand, travel_min: float) -> list[Matter]:
    """Return ``count`` matters that begin on working days from day 0 on, ``demand.per_day`` a day, by hour of the day.

    Matter k is the same whatever ``count`` is.
    """
    number = np.arange(count, dtype=np.int64)
    when, hour = dice.stream("services.when"), dice.stream("services.hour")
    who, ease, way = dice.stream("services.who"), dice.stream("services.ease"), dice.stream("services.way")
    # arrivals as a Poisson process over working days: the day is that of the arrival, the hour has its own profile
    days = [calendar.next_open(0) // DAY_S]
    gaps = when.exponential(1.0 / demand.per_day, number)
    at = np.cumsum(gaps)
    while len(days) <= int(at[-1]) + 1:
        days.append(calendar.next_open((days[-1] + 1) * DAY_S) // DAY_S)
    day = np.array(days)[at.astype(np.int64)]
    h = hour.choice(HOURS_OF_NEED, number) + 8
    begins = day * DAY_S + h * 3600 + ((at * 7919.0) % 1.0 * 3600).astype(np.int64)
    target = (who.uniform(number) < demand.company).astype(np.int64)
    matters = wants.matters(number, begins, target)
    digital = ease.uniform(number) < demand.digital
    # ways are Erlang of order 2: few live at the door, few very far
    ways = way.exponential(0.5, number) + way.exponential(0.5, number, 1)
    for m, easy, w in zip(matters, digital.tolist(), ways.tolist(), strict=True):
        m.digital = bool(easy) or m.target == 1
        m.way_s = int(w * travel_min * 60.0)
    return matters
