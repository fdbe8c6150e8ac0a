"""When a project will be late: by earned schedule, and the plain rules it is measured against."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from twin.control.construction.earned_value import ratio
from twin.control.construction.ports import EarnedValueView, Outlook
from twin.domain.messages import Ints

#: what past projects teach about pace, planned days a day: mean and spread between projects; spread from day to day and
#: over how many days it holds on (workers, weather, spells). Assumed; a city puts its own in.
PRIOR_MEAN, PRIOR_SD = 0.97, 0.15
DAY_SD, HOLDS_DAYS = 0.35, 35.0


class EarnedSchedule:
    """Late: probably finished more than a tolerance after the planned day, by the pace of earned schedule.

    SPI(t) so far is a noisy look at the project's own pace, what is left will be built at that pace with more of the
    same noise (normal prior and noise: Bayes' rule in closed form). A warning needs the probability ``warn_at`` and
    lasts until it is below ``clear_at``. The forecast finish is that of the posterior pace.
    """

    def __init__(self, tolerance: float = 0.10, warn_at: float = 0.60, clear_at: float = 0.30) -> None:
        self._tolerance, self._warn_at, self._clear_at = tolerance, warn_at, clear_at

    def look(self, view: EarnedValueView) -> Outlook:
        """Return the forecast finish of every project and who is late by it."""
        v = view
        elapsed, left = np.maximum(v.elapsed_days, 1.0), np.maximum(v.planned_days - v.earned_days, 0.0)
        noise = DAY_SD**2 * np.minimum(HOLDS_DAYS / elapsed, 1.0)
        trust = PRIOR_SD**2 / (PRIOR_SD**2 + noise)
        pace = PRIOR_MEAN + trust * (v.earned_days / elapsed - PRIOR_MEAN)
        ahead = DAY_SD**2 * np.minimum(HOLDS_DAYS / np.maximum(left, 1.0), 1.0)
        spread = np.sqrt(PRIOR_SD**2 * (1.0 - trust) + ahead)
        time = (1.0 + self._tolerance) * v.planned_days - v.elapsed_days
        needed = np.where(time > 0, left / np.maximum(time, 1e-9), np.inf)  # the pace that just makes it
        chance = ndtr((needed - pace) / spread)
        late = chance > np.where(v.warned, self._clear_at, self._warn_at)
        days = v.elapsed_days + left / np.maximum(pace, 0.2)
        return Outlook(np.rint(v.day + 1 - v.elapsed_days + days).astype(np.int64), late)


class BehindPlan:
    """The plain rule and baseline: what stands is more than 10 % below what should stand (EV < 0.9 PV)."""

    def __init__(self, share: float = 0.10) -> None:
        self._share = share

    def look(self, view: EarnedValueView) -> Outlook:
        """Return who is behind; this rule forecasts nothing."""
        spi = ratio(view.earned_cny, view.planned_cny)
        late = (spi < 1.0 - self._share) & (view.planned_cny > 0)
        return Outlook(_nothing(view), late)


class BehindPlanPoints:
    """The same in points: progress is more than 10 percentage points below the plan."""

    def __init__(self, points: float = 0.10) -> None:
        self._points = points

    def look(self, view: EarnedValueView) -> Outlook:
        """Return who is behind; this rule forecasts nothing."""
        late = (view.planned_cny - view.earned_cny) / view.budget_cny > self._points
        return Outlook(_nothing(view), late)


def _nothing(view: EarnedValueView) -> Ints:
    return np.full(view.project.size, -1, dtype=np.int64)
