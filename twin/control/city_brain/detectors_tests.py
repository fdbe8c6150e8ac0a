"""The tests that detectors are made of: CUSUM, the tail of past scores, and the length of a frozen run.

Each is kept for many channels at once and takes one reading of each named channel per call.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIEGMUND_OVERSHOOT: Final = 1.166
REFERENCE: Final = 0.5
"""k of the CUSUM: half of the shift, in standard deviations, that is to be found soonest (Page 1954)."""
CALM: Final = 0.5
"""A CUSUM above this share of its limit is suspicious."""
CUSUM_CLIP: Final = 3.0
"""One reading adds at most this − k to a CUSUM, so that a single spike is not taken for a shift."""


def cusum_run_length(h: float, k: float = REFERENCE, shift: float = 0.0) -> float:
    """Return the average run length of a one-sided CUSUM of N(shift, 1) (Siegmund 1985, *Sequential Analysis*)."""
    drift, b = shift - k, h + SIEGMUND_OVERSHOOT
    if abs(drift) < 1e-9:
        return b * b
    return (math.exp(-2 * drift * b) + 2 * drift * b - 1) / (2 * drift * drift)


def cusum_limit(false_alarms: float, k: float = REFERENCE) -> float:
    """Return h of a two-sided CUSUM with that rate of false alarms a reading on N(0, 1); a rate in (0, 0.1)."""
    if not 0 < false_alarms < 0.1:
        raise ValueError(f"false alarms a reading must be between 0 and 0.1, not {false_alarms:g}")
    low, high = 0.0, 200.0
    while high - low > 1e-6:
        h = (low + high) / 2
        low, high = (h, high) if cusum_run_length(h, k) < 2 / false_alarms else (low, h)
    return high


def normal_score(t: Floats, freedom: Floats) -> Floats:
    """Return the normal score of Student's t of that many degrees of freedom (Wallace 1959, *Ann. Math. Stat.* 30).

    A level and a scale that come from few independent readings make a great residual less surprising (Q charts,
    Quesenberry 1991, *J. Quality Technology* 23).
    """
    size = np.sqrt(freedom * np.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return np.asarray(np.copysign(size, t))


class Cusum:
    """Two-sided CUSUM of ``n`` standardised series (Page 1954, *Biometrika* 41) whose limit follows its own past.

    ``limit`` holds for independent normal readings, where the greatest value of a cycle (from zero to zero) has the
    tail exp(−2 k x). The mean excess of the peaks of cycles over ``ABOVE`` is learned, each cycle once and clipped, and
    the part of the limit above ``ABOVE`` is stretched by it where a series has a heavier tail; it is never shortened.
    """

    ABOVE: Final = 3.0
    PRIOR: Final = 10.0
    MEMORY: Final = 200.0
    CLIP: Final = 3.0

    def __init__(self, n: int, limit: float, k: float = REFERENCE) -> None:
        self._side = np.zeros((2, n))
        self._peak = np.zeros((2, n))
        self._k, self._limit, self._usual = k, limit, 1.0 / (2.0 * k)
        self._mean, self._cycles = np.full(n, self._usual), np.zeros(n)

    def limit(self, i: Ints) -> Floats:
        """Return the limits in force."""
        stretch = np.maximum(1.0, self._mean[i] / self._usual)
        return np.asarray(self.ABOVE + (self._limit - self.ABOVE) * stretch)

    def calm(self, i: Ints) -> NDArray[np.bool_]:
        """Return which are well below their limits: what makes the others suspicious shall teach nothing."""
        return np.asarray(np.maximum(self._side[0, i], self._side[1, i]) < CALM * self._limit)

    def step(self, i: Ints, z: Floats) -> NDArray[np.bool_]:
        """Take one standardised reading of each series ``i``; return which are above their limits.

        A sum stays at its limit at most, so that a long shift is forgotten as fast as it was found.
        """
        z = np.clip(z, -CUSUM_CLIP, CUSUM_CLIP)
        limit = self.limit(i)
        over = np.zeros(len(i), bool)
        for side, signed in enumerate((z, -z)):
            total = np.maximum(0.0, self._side[side, i] + signed - self._k)
            over |= total > limit
            peak = self._peak[side, i]
            ended = (total == 0) & (peak > self.ABOVE)
            if ended.any():
                j = i[ended]
                excess = np.minimum(peak[ended] - self.ABOVE, self.CLIP * self._mean[j])
                self._mean[j] += (excess - self._mean[j]) / np.minimum(self._cycles[j] + self.PRIOR, self.MEMORY)
                self._cycles[j] += 1
            self._peak[side, i] = np.where(total == 0, 0.0, np.maximum(peak, total))
            self._side[side, i] = np.minimum(total, limit)
        return over

    def restart(self, i: Ints) -> None:
        """Begin anew; what was learned stays."""
        self._side[:, i] = self._peak[:, i] = 0.0


class Whitening:
    """Makes the scores of a channel independent, of mean square 1 and of long-run variance 1.

    An AR(1) filter whose coefficient is learned, and the long-run variance of what is left by batch means: pre-whitened
    long-run variance after Andrews & Monahan (1992, *Econometrica* 60). A CUSUM of an autocorrelated series without
    it alarms many times more often than stated. Before that a score is judged by the number of independent readings
    behind it, n (1 − ρ) / (1 + ρ), as Student's t.
    """

    BATCH: Final = 45
    BATCH_CLIP: Final = 6.0  # a batch enters at most at this multiple of what is known (χ² of 1: 1.4 % above)
    PRIOR_BATCHES: Final = 4.0
    PRIOR_READINGS: Final = 50.0
    MEMORY: Final = 2000.0
    GREATEST: Final = 0.98

    def __init__(self, n: int) -> None:
        self._last, self._last_s = np.zeros(n), np.full(n, -(1 << 40), np.int64)
        self._product, self._square, self._n = np.zeros(n), np.ones(n), np.zeros(n)
        self._own, self._sum, self._in_batch = np.ones(n), np.zeros(n), np.zeros(n)
        self._ratio, self._batches = np.ones(n), np.zeros(n)

    def step(self, i: Ints, t_s: Ints, z: Floats, period_s: float, calm: NDArray[np.bool_]) -> Floats:
        """Take one score of each series; return it whitened, by what was known before it.

        Only a series that is ``calm`` teaches: a shift that is under way would be taken for autocorrelation.
        """
        known = np.clip(self._product[i] / self._square[i], 0.0, self.GREATEST)
        freedom = np.maximum(self._n[i] * (1 - known) / (1 + known), 2.0)
        z = np.clip(normal_score(z, freedom), -2 * CUSUM_CLIP, 2 * CUSUM_CLIP)
        last, gap = self._last[i], (t_s - self._last_s[i]) / period_s
        near = gap < 2.5  # over a longer gap the old score says nothing certain
        rho = np.where(near, known ** np.maximum(gap, 1.0).clip(max=10), 0.0)
        free = (z - rho * last) / np.sqrt((1 - rho * rho) * self._square[i])
        out = free / np.sqrt(np.maximum(1.0, self._ratio[i]))

        n = self._n[i]
        gain = calm / np.minimum(n + self.PRIOR_READINGS, self.MEMORY)
        self._product[i] += np.where(near, gain * (z * last - self._product[i]), 0.0)
        self._square[i] += gain * (z * z - self._square[i])
        self._sum[i] = np.where(calm, self._sum[i] + np.clip(free, -CUSUM_CLIP, CUSUM_CLIP), 0.0)
        self._in_batch[i] = np.where(calm, self._in_batch[i] + 1, 0.0)
        full = i[self._in_batch[i] >= self.BATCH]
        if len(full):
            batches, ratio = self._batches[full], self._ratio[full]
            new = np.minimum(self._sum[full] ** 2 / self.BATCH, self.BATCH_CLIP * ratio)
            self._ratio[full] += (new - ratio) / np.minimum(batches + self.PRIOR_BATCHES, self.MEMORY / self.BATCH)
            self._sum[full] = self._in_batch[full] = 0.0
            self._batches[full] = batches + 1
        self._last[i], self._last_s[i] = z, t_s
        self._n[i] = n + calm
        return out


class Tail:
    """The score that is passed once in ``1 / rate`` readings, from the excesses of the past.

    Peaks over a threshold, online (Siffer et al. 2017, SPOT, *KDD*), with the exponential tail of the Gumbel domain,
    to which the normal, Laplace, gamma and lognormal laws belong (Coles 2001, ch. 4). The threshold is the running
    ``1 − SHARE`` quantile; the mean excess begins as that of a normal score. Excesses enter clipped at ``CLIP``,
    so that anomalies of the past do not hide those to come; the mean is corrected for the clip. The limit is the
    quantile of the predictive law of a further excess (Lomax, from a gamma posterior), as the mean comes from few.
    """

    SHARE: Final = 0.02
    NORMAL_THRESHOLD: Final = 2.326  # |Z| of a normal Z is above it in 2 % of readings
    NORMAL_MEAN: Final = 0.37
    CLIP: Final = 6.0  # one excess in 400 of an exponential tail; on Laplace and t(4) noise 3 broke the stated rate
    PRIOR: Final = 10.0
    MEMORY: Final = 200.0

    def __init__(self, n: int, rate: float) -> None:
        self._threshold = np.full(n, self.NORMAL_THRESHOLD)
        self._mean = np.full(n, self.NORMAL_MEAN)
        self._n, self._excesses = np.zeros(n), np.zeros(n)
        self._folds = math.log(self.SHARE / rate)

    def limit(self, i: Ints) -> Floats:
        """Return the limits in force."""
        known = np.minimum(self._excesses[i] + self.PRIOR, self.MEMORY)
        return np.asarray(self._threshold[i] + self._mean[i] * known * np.expm1(self._folds / known))

    def learn(self, i: Ints, score: Floats) -> None:
        """Learn one score of each series."""
        threshold, mean = self._threshold[i], self._mean[i]
        above = score > threshold
        gain = 1.0 / np.minimum(self._n[i] + 100.0, 2000.0)
        step = gain * mean / self.SHARE * (above - self.SHARE)
        self._threshold[i] = np.maximum(threshold + np.minimum(step, mean), 0.5)
        self._n[i] += 1
        j, mean = i[above], mean[above]
        if len(j):
            excess = np.minimum(score[above] - threshold[above], self.CLIP * mean) / (1 - math.exp(-self.CLIP))
            self._mean[j] += (excess - mean) / np.minimum(self._excesses[j] + self.PRIOR, self.MEMORY)
            self._excesses[j] += 1


class FrozenRun:
    """A run of equal values that is too long for its channel.

    When a value repeats with probability p, a run of r repeats has probability p^r: the run is frozen when that is
    below the rate, and when it is twice as long as any run the channel ended before. p is learned (Beta(1, 1) prior).
    """

    def __init__(self, n: int, rate: float) -> None:
        self._value, self._run, self._longest = np.full(n, np.nan), np.zeros(n), np.zeros(n)
        self._same, self._n = np.ones(n), np.full(n, 2.0)
        self._log_rate = math.log(rate)

    def step(self, i: Ints, value: Floats) -> NDArray[np.bool_]:
        """Take one value of each channel; return which are frozen."""
        same = value == self._value[i]
        p = self._same[i] / self._n[i]
        ended = np.where(same, 0.0, self._run[i])
        self._longest[i] = np.maximum(self._longest[i], ended)
        run = np.where(same, self._run[i] + 1, 0.0)
        frozen = (run * np.log(p) < self._log_rate) & (run > 2 * self._longest[i])
        learn = ~frozen
        self._same[i] += same & learn
        self._n[i] += learn
        self._value[i], self._run[i] = value, run
        return np.asarray(frozen)
