"""A robust seasonal baseline per channel: what a reading should be at this hour of this day of the week.

Three robust locations are kept for each channel: overall, by hour of the day and by hour of the week. The finer one
is shrunken towards the coarser one by the number of its occurrences, ``n / (n + shrink)`` (the shape of an empirical
Bayes estimate), so that a channel with a day of history is judged by its level, one with a month by its hour of the
week. Each location is Huber's M-estimate (Huber 1964) in recursive form, the scale a clipped mean of absolute
deviations, made consistent at the normal distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_S: Final = 3600
BINS: Final = (1, 24, 168)
CLIP: Final = 2.0
"""Huber's clip in scales: 95 % of normal readings pass unclipped."""
CONSISTENT: Final = 0.7809
"""E min(|Z|, 2) of a normal Z: sqrt(2/pi) (1 − exp(−2)) + 4 (1 − Φ(2))."""
FINE_FLOOR: Final = 0.25
"""The scale of an hour is at least this share of the channel's overall scale: a still hour is not a law."""
FREE: Final = 16
"""So many first readings of a bin enter unclipped, as there is no scale yet to clip by."""


@dataclass(frozen=True)
class BaselineSettings:
    """How fast the baseline learns; all assumed, the same for every series of a kind."""

    seasonal: bool = True
    memory_s: int = 7 * 86400
    """Memory of the overall level."""
    occurrences: float = 14.0
    """Memory of an hour, in its occurrences (days or weeks)."""
    shrink: float = 2.0
    """Occurrences at which an hour counts as much as what it is shrunken to."""


class SeasonalBaseline:
    """Location and scale of ``n`` channels; ``period_s`` is the nominal time between two readings of a channel."""

    def __init__(self, n: int, period_s: float, settings: BaselineSettings) -> None:
        self._bins = BINS if settings.seasonal else BINS[:1]
        self._per_hour = max(1.0, HOUR_S / period_s)
        self._shrink = settings.shrink
        hour_gain = 1.0 / max(1.0, settings.occurrences * self._per_hour)
        self._gain = (1.0 / max(1.0, settings.memory_s / period_s), hour_gain, hour_gain)
        self._location = [np.zeros(n * b) for b in self._bins]
        self._spread = [np.zeros(n * b) for b in self._bins]
        self._count = [np.zeros(n * b) for b in self._bins]

    def count(self, channel: Ints) -> Floats:
        """Return how many readings each channel has taught."""
        return self._count[0][channel]

    def _cells(self, channel: Ints, t_s: Ints) -> list[Ints]:
        hour = t_s // HOUR_S
        return [channel if b == 1 else channel * b + hour % b for b in self._bins]

    def judge_and_learn(
        self, channel: Ints, t_s: Ints, value: Floats, teaches: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Return location and scale expected *before* the readings (each of another channel), then learn them.

        ``teaches`` in [0, 1] scales how much each of them teaches.
        """
        cells = self._cells(channel, t_s)
        where, scale = np.empty(0), np.empty(0)
        for level, cell in enumerate(cells):
            location, spread, n = self._location[level][cell], self._spread[level][cell], self._count[level][cell]
            own = spread / CONSISTENT
            if level == 0:
                where = np.where(n > 0, location, value)
                floor = 1e-9 + 1e-6 * np.abs(where)
                scale = np.maximum(own, floor)
                floor = np.maximum(FINE_FLOOR * scale, floor)
            else:
                seen = n / self._per_hour
                weight = seen / (seen + self._shrink)
                where = where + weight * (location - where)
                scale = np.maximum(scale + weight * (own - scale), floor)
            # learn: first with weights that grow linearly (a bad start fades as 1/n²), then with a constant gain
            gain = np.maximum(2.0 / (n + 2.0), self._gain[level])
            if teaches is not None:
                gain = np.where(n > 0, gain * teaches, gain)
            residual = np.where(n > 0, value - location, 0.0)
            limit = np.where(n < FREE, np.inf, CLIP * np.maximum(own, floor))
            clipped = np.clip(residual, -limit, limit)
            self._location[level][cell] = np.where(n > 0, location + gain * clipped, value)
            self._spread[level][cell] = spread + gain * (np.abs(clipped) - spread)
            self._count[level][cell] = n + 1.0
        return where, scale
