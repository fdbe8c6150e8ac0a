"""What the three ends tell of progress, and what is measured once a month (F18): each is wrong in a way of its own.

Device: judges from pictures, scattered, biased by project (it sees the outside), sometimes offline. Supervisor: little
scatter, once a week. Builder: every day, hardly any scatter, but hides part of a lag. All figures assumed.
"""

from __future__ import annotations

import numpy as np

from twin.dice import Dice
from twin.domain.construction import ENDS, ProgressTold, QuantitiesMeasured
from twin.world.sites.files import Floats, Ints, Sites
from twin.world.sites.works import Stand

DEVICE, SUPERVISOR, BUILDER = range(len(ENDS))
DEVICE_SD, DEVICE_OWN_SD, DEVICE_OFFLINE = 0.02, 0.03, 0.03
SUPERVISOR_SD = 0.012
BUILDER_SD, BUILDER_HIDES = 0.003, 0.45
MEASURED_SD, COST_SD = 0.002, 0.01
_BEFORE = 4_000


class Telling:
    """Makes messages of how things stand."""

    def __init__(self, sites: Sites, dice: Dice) -> None:
        self._sites = sites
        names = ("device", "device_own", "offline", "supervisor", "builder", "measured", "cost")
        self._draw = {n: dice.stream(f"sites.tell_{n}") for n in names}

    def told(self, end: int, stand: Stand, t_s: int, rows: Ints) -> ProgressTold:
        """Return what an end tells of rows at the end of a day."""
        day = stand.day
        who, at = self._sites.project[rows], day + _BEFORE
        progress = stand.progress[rows]
        cost = np.full(rows.size, np.nan)
        if end == DEVICE:
            here = self._draw["offline"].uniform(who, at) >= DEVICE_OFFLINE
            rows, who, progress, cost = rows[here], who[here], progress[here], cost[here]
            own = DEVICE_OWN_SD * self._draw["device_own"].normal(who) * 4 * progress * (1 - progress)
            said = progress + own + DEVICE_SD * self._draw["device"].normal(who, at)
        elif end == SUPERVISOR:
            said = progress + SUPERVISOR_SD * self._draw["supervisor"].normal(who, at)
        else:
            lag = np.maximum(stand.planned[rows] - progress, 0.0)
            said = progress + BUILDER_HIDES * lag + BUILDER_SD * self._draw["builder"].normal(who, at)
            cost = self._cost(stand, rows, at)
        key = f"progress/{ENDS[end]}/{day}" + (f"/{int(who[0])}" if end == SUPERVISOR and who.size else "")
        return ProgressTold(t_s, key, end, day, who, _share(said), cost)

    def measured(self, stand: Stand, t_s: int, rows: Ints) -> QuantitiesMeasured:
        """Return the month's measurement of rows."""
        day = stand.day
        who, at = self._sites.project[rows], day + _BEFORE
        said = stand.progress[rows] + MEASURED_SD * self._draw["measured"].normal(who, at)
        return QuantitiesMeasured(t_s, f"measured/{day}", day, who, _share(said), self._cost(stand, rows, at))

    def _cost(self, stand: Stand, rows: Ints, at: int) -> Floats:
        factor = 1 + COST_SD * self._draw["cost"].normal(self._sites.project[rows], at)
        return np.asarray(np.maximum(stand.cost_cny[rows] * factor, 0.0))


def _share(value: Floats) -> Floats:
    return np.asarray(np.round(np.clip(value, 0.0, 1.0), 4), dtype=np.float64)
