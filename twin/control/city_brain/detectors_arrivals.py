"""Puts readings that arrive late, twice or in any order back into the order in which they were measured.

A reading is given on when it is older than the allowed lateness, so that the outcome inside the lateness does not
depend on the order of arrival; a reading that comes later than that is counted and never silently used. Of readings
of one channel at one time the smallest value counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class ArrivalCounts:
    """What did not reach the detectors, and why."""

    late: int = 0
    repeated: int = 0
    not_numbers: int = 0


class Arrivals:
    """Holds readings of ``n`` channels for ``lateness_s`` and releases them in order of time."""

    def __init__(self, n: int, lateness_s: int) -> None:
        self._n, self._lateness_s = n, lateness_s
        self._channel: list[Ints] = []
        self._t_s: list[Ints] = []
        self._value: list[Floats] = []
        self._released_s = -(1 << 62)
        self.counts = ArrivalCounts()

    def add(self, channel: Ints, t_s: Ints, value: Floats) -> None:
        """Take readings; raises ValueError when the columns differ in length or a channel is unknown."""
        if not len(channel) == len(t_s) == len(value):
            raise ValueError(f"columns of readings differ: {len(channel)} channels, {len(t_s)} times, {len(value)}")
        if len(channel) and not (channel.min() >= 0 and channel.max() < self._n):
            bad = channel[(channel < 0) | (channel >= self._n)][0]
            raise ValueError(f"a reading of channel {bad}; known are 0 to {self._n - 1}")
        number, early = np.isfinite(value), t_s > self._released_s
        self.counts.not_numbers += int(np.sum(~number))
        self.counts.late += int(np.sum(number & ~early))
        keep = number & early
        self._channel.append(channel[keep])
        self._t_s.append(t_s[keep])
        self._value.append(value[keep])

    def release(self, now_s: int) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Yield columns (channel, t_s, value) of what is older than the lateness; no channel twice in one of them."""
        self._released_s = max(self._released_s, now_s - self._lateness_s)
        channel, t_s = _joined(self._channel, np.int64), _joined(self._t_s, np.int64)
        value = _joined(self._value, np.float64)
        due = t_s <= self._released_s
        self._channel, self._t_s, self._value = [channel[~due]], [t_s[~due]], [value[~due]]
        channel, t_s, value = channel[due], t_s[due], value[due]
        if not len(channel):
            return
        order = np.lexsort((value, t_s, channel))
        channel, t_s, value = channel[order], t_s[order], value[order]
        new = np.ones(len(channel), bool)
        new[1:] = (channel[1:] != channel[:-1]) | (t_s[1:] != t_s[:-1])
        self.counts.repeated += int(np.sum(~new))
        channel, t_s, value = channel[new], t_s[new], value[new]
        first = np.flatnonzero(np.r_[True, channel[1:] != channel[:-1]])
        sizes = np.diff(np.r_[first, len(channel)])
        turn = np.arange(len(channel)) - np.repeat(first, sizes)
        by_turn = np.argsort(turn, kind="stable")
        for part in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]):
            yield channel[part], t_s[part], value[part]


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
