"""Statistical detectors for numeric channels, beside the rules: one object for many channels of one kind.

Each reading is compared with a robust seasonal baseline; the standardised residual goes through four tests:

- *spike*: its size against the tail of past residuals (peaks over threshold);
- *shift*: a CUSUM of the whitened residual, which also finds a slow drift;
- *spread*: the same CUSUM of ``(sqrt|e| − 0.822) / 0.349`` (Hawkins 1981, *J. Quality Technology* 13), which is
  nearly N(0, 1) for a normal e and moves with its variance;
- *frozen*: a run of equal values that is too long for the channel.

All four have the one stated rate of false alarms, shared equally. One incident is one alert: an alert opens when a
test has failed for the holding time and stays open until readings in control have come for the clear time; a failure
inside the refractory period after the last one belongs to the same incident. A gap is not a recovery: only readings
count towards the clear time, and not the time between two of them beyond ``GAP`` periods.

Deterministic, causal (a reading is judged by what came before it) and vectorised over channels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.control.city_brain.detectors_arrivals import ArrivalCounts, Arrivals
from twin.control.city_brain.detectors_baseline import BaselineSettings, SeasonalBaseline
from twin.control.city_brain.detectors_tests import CUSUM_CLIP, Cusum, FrozenRun, Tail, Whitening, cusum_limit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAP: Final = 2.5
SQRT_MEAN: Final = 0.822
SQRT_SIGMA: Final = 0.349
SILENT: Final = 3.0


class Sign(IntFlag):
    """What speaks for an anomaly: the tests that failed."""

    SPIKE = 1
    SHIFT = 2
    SPREAD = 4
    FROZEN = 8


ALL_SIGNS: Final = Sign.SPIKE | Sign.SHIFT | Sign.SPREAD | Sign.FROZEN
N_SIGNS: Final = 4


@dataclass(frozen=True)
class DetectorSettings:
    """The same for every series of a kind; assumed where no source is named."""

    false_alarms_a_day: float = 1 / 30
    """Stated rate of false alarms per channel, over all tests."""
    warm_up: int = 288
    """Readings of a channel before it can alarm: a day at five minutes."""
    hold_s: int = 0
    clear_s: int = 3600
    refractory_s: int = 3600
    lateness_s: int = 0
    """How late a reading may come (the watermark)."""
    signs: Sign = ALL_SIGNS
    baseline: BaselineSettings = field(default_factory=BaselineSettings)


@dataclass(frozen=True)
class Anomalies:
    """Alerts that opened, as columns: channel, since when the test fails, when it fired, which tests, |z|."""

    channel: Ints
    since_s: Ints
    fired_s: Ints
    signs: Ints
    z: Floats

    def __len__(self) -> int:
        return len(self.channel)


class Incidents:
    """Holding time, clear time and refractory period of ``n`` things that are judged reading by reading."""

    NEVER: Final = -(1 << 62)

    def __init__(self, n: int, period_s: float, hold_s: int, clear_s: int, refractory_s: int) -> None:
        self._longest_s = int(GAP * period_s)
        self._hold_s, self._clear_s, self._refractory_s = hold_s, clear_s, refractory_s
        self.open = np.zeros(n, bool)
        self._since_s = np.full(n, self.NEVER)
        self._failed_s, self._seen_s = np.full(n, self.NEVER), np.full(n, self.NEVER)
        self._good_s = np.zeros(n, np.int64)

    def step(self, i: Ints, t_s: Ints, failed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Ints]:
        """Take one verdict for each of ``i``; return which open a new alert, and since when they fail."""
        is_open = self.open[i]
        since = np.where(failed & (self._since_s[i] == self.NEVER), t_s, self._since_s[i])
        same = t_s - self._failed_s[i] < self._refractory_s
        held = failed & ~is_open & (t_s - since >= self._hold_s)
        fires = held & ~same
        step_s = np.minimum(t_s - self._seen_s[i], self._longest_s)
        good = np.where(failed, 0, self._good_s[i] + step_s)
        is_open = (is_open | held) & ~(good >= self._clear_s)
        self._good_s[i], self.open[i] = good, is_open
        self._since_s[i] = np.where(failed | is_open, since, self.NEVER)
        self._failed_s[i] = np.where(failed & is_open, t_s, self._failed_s[i])
        self._seen_s[i] = t_s
        return fires, since


class ChannelDetectors:
    """Detectors for ``n`` numeric channels of one kind, read every ``period_s``."""

    def __init__(self, n: int, period_s: float, settings: DetectorSettings | None = None) -> None:
        if n < 1 or not period_s > 0:
            raise ValueError(f"detectors need at least one channel and a period above 0 s, not {n} and {period_s}")
        s = settings or DetectorSettings()
        self._period_s, self._settings = float(period_s), s
        rate = s.false_alarms_a_day * period_s / 86400 / N_SIGNS
        limit = cusum_limit(rate)
        self._arrivals = Arrivals(n, s.lateness_s)
        self._baseline = SeasonalBaseline(n, period_s, s.baseline)
        self._tail = Tail(n, rate)
        self._level_whitening, self._spread_whitening = Whitening(n), Whitening(n)
        self._shift, self._spread = Cusum(n, limit), Cusum(n, limit)
        self._frozen = FrozenRun(n, rate)
        self._incidents = Incidents(n, period_s, s.hold_s, s.clear_s, s.refractory_s)
        self._seen_s = np.full(n, Incidents.NEVER)

    @property
    def counts(self) -> ArrivalCounts:
        """Readings that were late, repeated or no numbers."""
        return self._arrivals.counts

    @property
    def open(self) -> NDArray[np.bool_]:
        """Which channels have an open alert, shape (n,)."""
        return self._incidents.open.copy()

    def silent(self, now_s: int) -> NDArray[np.bool_]:
        """Return which channels gave nothing for ``SILENT`` periods beyond the lateness: unknown, not healthy."""
        return np.asarray(now_s - self._seen_s > SILENT * self._period_s + self._settings.lateness_s)

    def update(self, now_s: int, channel: Ints, t_s: Ints, value: Floats) -> Anomalies:
        """Take readings (columns) at ``now_s``; return the alerts that opened, ordered by time and channel.

        Raises ValueError for columns of different lengths or an unknown channel.
        """
        self._arrivals.add(channel, t_s, value)
        parts = [self._judge(*part) for part in self._arrivals.release(now_s)]
        columns = [np.concatenate(c) for c in zip(*parts, strict=True)] if parts else [np.empty(0)] * 5
        order = np.lexsort((columns[0], columns[2]))
        whole = [np.asarray(c[order], np.int64) for c in columns[:4]]
        return Anomalies(whole[0], whole[1], whole[2], whole[3], np.asarray(columns[4][order], np.float64))

    def _judge(self, i: Ints, t_s: Ints, value: Floats) -> tuple[Ints, Ints, Ints, Ints, Floats]:
        signs = self._settings.signs
        taught = self._baseline.count(i)
        where, scale = self._baseline.judge_and_learn(i, t_s, value)
        z = (value - where) / scale
        failed = np.zeros(len(i), np.int64)
        warm = taught >= self._settings.warm_up
        if Sign.SPIKE in signs:
            size = np.abs(z)
            failed |= np.where(size > self._tail.limit(i), Sign.SPIKE, 0)
            ripe = taught >= self._settings.warm_up // 2
            self._tail.learn(i[ripe], size[ripe])
        if Sign.SHIFT in signs or Sign.SPREAD in signs:
            e = self._level_whitening.step(i, t_s, z, self._period_s, self._shift.calm(i))
            if Sign.SHIFT in signs:
                failed |= np.where(self._shift.step(i, e), Sign.SHIFT, 0)
            if Sign.SPREAD in signs:
                root = (np.sqrt(np.minimum(np.abs(e), CUSUM_CLIP)) - SQRT_MEAN) / SQRT_SIGMA
                w = self._spread_whitening.step(i, t_s, root, self._period_s, self._spread.calm(i))
                failed |= np.where(self._spread.step(i, w), Sign.SPREAD, 0)
        if Sign.FROZEN in signs:
            failed |= np.where(self._frozen.step(i, value), Sign.FROZEN, 0)
        if not warm.all():
            failed[~warm] = 0
            self._shift.restart(i[~warm])
            self._spread.restart(i[~warm])
        self._seen_s[i] = t_s
        fires, since_s = self._incidents.step(i, t_s, failed > 0)
        return i[fires], since_s[fires], t_s[fires], failed[fires], np.abs(z[fires])
