"""Surges of readings against a robust seasonal baseline: which measuring channels are far off what is usual now.

What is usual at an hour of the day is the median of that hour's readings of the last ``DAYS`` days (one of each hour),
how far readings stray from it the scaled median of absolute deviations over all hours (1.4826 MAD, consistent at the
normal distribution; Rousseeuw & Croux 1993). A channel surges when ``IN_A_ROW`` readings lie ``LIMIT`` such scales or
more off, on the same side, and is calm again below ``CALM``; while it surges it teaches nothing. Readings that are late
or repeated, and nan, teach nothing and are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.domain.community import EarlyChannels, EarlyReadings
from twin.domain.messages import Floats, Ints

LIMIT, CALM, IN_A_ROW = 4.5, 2.5, 2
GRADES = (6.0, 8.0, 11.0)  # how far off a surge is, in grades
DAYS = 7
LEARNT = 3  # readings of an hour before a channel can surge in it
MAD = 1.4826
HOUR_S, DAY_S = 3600, 86_400


@dataclass(frozen=True)
class Surge:
    """A channel that is far off: its row, how far (``z``, signed), the grade, and whether it just began."""

    row: int
    z: float
    grade: int
    new: bool


class Usual:
    """What ``n`` channels usually read at each hour: medians, and one scale for each channel."""

    def __init__(self, n: int) -> None:
        self._kept = np.full((n, 24, DAYS), np.nan)
        self._hour: Ints = np.full(n, -(1 << 40), dtype=np.int64)  # the last hour that taught, of the run
        self._where, self._count = np.full((n, 24), np.nan), np.zeros((n, 24), dtype=np.int64)
        self._scale = np.full(n, np.nan)
        self._day = -(1 << 40)

    def judge(self, row: Ints, t_s: int, value: Floats) -> Floats:
        """Return how many scales readings are off; 0 where too little is known."""
        self._scales(t_s)
        hour = t_s % DAY_S // HOUR_S
        known = (self._count[row, hour] >= LEARNT) & (self._scale[row] > 0)
        off = value - self._where[row, hour]
        return np.where(known, off / np.where(known, self._scale[row], 1.0), 0.0)

    def learn(self, row: Ints, t_s: int, value: Floats) -> None:
        """Take the first reading of each hour."""
        now = t_s // HOUR_S
        fresh = self._hour[row] < now
        row, value = row[fresh], value[fresh]
        if not row.size:
            return
        self._hour[row] = now
        hour = now % 24
        self._kept[row, hour, now // 24 % DAYS] = value
        self._where[row, hour], self._count[row, hour] = _medians(self._kept[row, hour])

    def _scales(self, t_s: int) -> None:
        """Once a day: how far readings stray from what is usual."""
        if t_s // DAY_S == self._day or not self._count.any():
            return
        self._day = t_s // DAY_S
        off = np.abs(self._kept - self._where[:, :, None]).reshape(len(self._kept), -1)
        middle, n = _medians(off)
        self._scale = np.where(n >= LEARNT * 4, MAD * middle, np.nan)


def _medians(rows: Floats) -> tuple[Floats, Ints]:
    """Return the median of each row without its nan (nan: there is none), and how many there are."""
    n = np.isfinite(rows).sum(axis=1)
    ordered, k = np.sort(rows, axis=1), np.arange(len(rows))
    low, high = ordered[k, np.maximum(n - 1, 0) // 2], ordered[k, np.minimum(n // 2, rows.shape[1] - 1)]
    return np.where(n > 0, (low + high) / 2, np.nan), n.astype(np.int64)


class Surges:
    """The channels of one source."""

    def __init__(self, told: EarlyChannels, from_s: int) -> None:
        self.theme, self.x_m, self.y_m = told.theme, told.x_m, told.y_m
        self._from_s = from_s
        n = len(told.channel)
        self._row = {int(c): i for i, c in enumerate(told.channel.tolist())}
        self._usual = Usual(n)
        self._last = np.full(n, -(1 << 62), dtype=np.int64)
        self._run: Ints = np.zeros(n, dtype=np.int64)
        self._grade: Ints = np.full(n, -1, dtype=np.int64)
        self.dropped = 0

    def take(self, m: EarlyReadings) -> list[Surge]:
        """Judge readings; return the surges that began or became graver."""
        out: list[Surge] = []
        for t_s in np.unique(m.phenomenon_s).tolist():
            at = np.flatnonzero(m.phenomenon_s == t_s)
            row = np.asarray([self._row.get(c, -1) for c in m.channel[at].tolist()], dtype=np.int64)
            value = np.asarray(m.value[at], dtype=np.float64)
            good = (row >= 0) & np.isfinite(value) & (t_s > self._last[np.maximum(row, 0)])
            row, first = np.unique(row[good], return_index=True)
            self.dropped += at.size - row.size
            if row.size:
                out += self._judge(row, int(t_s), value[good][first])
        return out

    def _judge(self, row: Ints, t_s: int, value: Floats) -> list[Surge]:
        self._last[row] = t_s
        if t_s < self._from_s:
            self._usual.learn(row, t_s, value)
            return []
        z = self._usual.judge(row, t_s, value)
        calm = np.abs(z) < CALM
        self._usual.learn(row[calm], t_s, value[calm])
        far, run = np.abs(z) >= LIMIT, self._run[row]
        same = np.sign(z) == np.sign(run)
        self._run[row] = np.where(far, np.where(same, run, 0) + np.sign(z), 0).astype(np.int64)
        grade = np.searchsorted(np.asarray(GRADES), np.abs(z), side="right")
        grade = np.where(np.abs(self._run[row]) >= IN_A_ROW, grade, -1)
        before = self._grade[row]
        rises = np.flatnonzero(grade > before)
        self._grade[row] = np.where(calm, -1, np.maximum(before, grade))
        return [Surge(int(row[k]), float(z[k]), int(grade[k]), bool(before[k] < 0)) for k in rises.tolist()]
