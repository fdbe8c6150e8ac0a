"""Progress of many projects from three ends that may disagree: one scalar Kalman filter per project.

Between messages a project is expected to follow its plan at its own pace (Kalman 1960; the variance grows with the
days). Each end has an error of its own, learned from the monthly measurements: mean (bias) and variance over all
projects, forgotten with a weight of ``_KEEP`` a measurement. So an end that always paints the picture too rosy is
corrected by what it adds, and one that is often wrong counts little.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.domain.construction import ENDS
from twin.domain.messages import Floats, Ints

#: first guess of each end's standard deviation (device, supervisor, builder); assumed
_FIRST_SD = (0.05, 0.03, 0.03)
_MEASURED_SD = 0.003
_DRIFT = 1.5  # standard deviation of a day's progress, as a share of the planned one (assumed)
_KEEP = 0.98  # weight of what was known about an end at each measured project
_PERSISTS_DAYS = 7.0  # an end's error on a project lasts: what it says daily is hardly news (assumed)
_OLD_DAYS = 10  # what was told longer ago says nothing about an end's error


class Fusion:
    """Holds the estimate of every project; rows are the desk's rows of files."""

    def __init__(self) -> None:
        self.progress: Floats = np.zeros(0)
        self.variance: Floats = np.zeros(0)
        self.bias: Floats = np.zeros(len(ENDS))
        self.error_variance: Floats = np.square(np.asarray(_FIRST_SD))
        self._weight = np.full(len(ENDS), 20.0)  # as if so many errors were known
        self.told: Floats = np.zeros((len(ENDS), 0))
        self.told_day: Ints = np.zeros((len(ENDS), 0), dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Make room for projects up to ``rows``."""
        more = rows - self.progress.size
        if more > 0:
            self.progress = np.concatenate([self.progress, np.zeros(more)])
            self.variance = np.concatenate([self.variance, np.full(more, 1.0)])  # nothing is known yet
            self.told = np.concatenate([self.told, np.full((len(ENDS), more), np.nan)], axis=1)
            self.told_day = np.concatenate([self.told_day, np.full((len(ENDS), more), -(10**6))], axis=1)

    def predict(self, rows: Ints, step: Floats, daily: Floats, days: float) -> None:
        """Let ``days`` days pass: ``step`` is the expected progress in them, ``daily`` the planned one of a day."""
        self.progress[rows] = np.minimum(self.progress[rows] + step, 1.0)
        self.variance[rows] += days * np.square(_DRIFT * daily)

    def hear(self, end: int, day: int, rows: Ints, progress: Floats) -> None:
        """Take what an end tells."""
        good = np.isfinite(progress) & (progress >= 0) & (progress <= 1.0)
        rows, progress = rows[good], progress[good]
        since = np.maximum(day - self.told_day[end, rows], 1)
        self.told[end, rows], self.told_day[end, rows] = progress, day
        self._update(rows, progress - self.bias[end], self.error_variance[end] * (1.0 + _PERSISTS_DAYS / since))

    def _update(self, rows: Ints, value: Floats, variance: Floats | float) -> None:
        gain = self.variance[rows] / (self.variance[rows] + variance)
        self.progress[rows] = np.clip(self.progress[rows] + gain * (value - self.progress[rows]), 0.0, 1.0)
        self.variance[rows] *= 1.0 - gain

    def measure(self, day: int, rows: Ints, progress: Floats, daily: Floats) -> tuple[list[Floats], Floats]:
        """Take a measurement; return each end's error (nan: told nothing lately) and that of the estimate before.

        ``daily``: progress of a day, by which something told some days ago is brought to today.
        """
        errors: list[Floats] = []
        own = np.where(self.variance[rows] < 0.25, self.progress[rows] - progress, np.nan)  # nan: knew nothing
        for end in range(len(ENDS)):
            age = day - self.told_day[end, rows]
            known = age <= _OLD_DAYS
            error = np.where(known, self.told[end, rows] + age * daily - progress, np.nan)
            errors.append(error)
            self._learn(end, error[known])
        self._update(rows, progress, _MEASURED_SD**2)
        return errors, own

    def _learn(self, end: int, error: npt.NDArray[np.float64]) -> None:
        if error.size == 0:
            return
        keep = _KEEP ** float(error.size)
        old, new = self._weight[end] * keep, float(error.size)
        bias = (old * self.bias[end] + error.sum()) / (old + new)
        spread = (old * self.error_variance[end] + np.square(error - bias).sum()) / (old + new)
        self.bias[end], self.error_variance[end] = bias, max(spread, 1e-6)
        self._weight[end] = min(old + new, 200.0)
