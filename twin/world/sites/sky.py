"""The days as building sites feel them: wet or dry, frost, and alerts of bad air, by the season.

Months: mean number of days with rain or snow in Jinan (rounded climate normals), whether concrete needs protection from
frost (JGJ/T 104: below 5 °C on average), share of days with an orange alert of air pollution (assumed).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from twin.dice import Dice

_WET_DAYS = (3, 4, 4, 5, 6, 8, 13, 12, 7, 6, 5, 3)
_FROST = (1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
_ALERT = (0.10, 0.07, 0.03, 0, 0, 0, 0, 0, 0, 0.01, 0.05, 0.09)
FROST_LOSS = 0.25  # share of a winter's day that is lost (assumed)
ALERT_LOSS = (0.25, 0.7, 0.6, 0.7)  # by kind of project: earthworks stop (assumed)
WET_LOSS = (0.40, 0.70, 0.65, 0.75)  # by kind of project (assumed)


@dataclass(frozen=True)
class DaySky:
    """One day."""

    wet: bool
    frost: bool
    alert: bool


class Sky:
    """The weather of any day, drawn by its number; day 0 is ``first``."""

    def __init__(self, dice: Dice, first: date) -> None:
        self._first = first
        self._wet, self._alert = dice.stream("sites.wet_day"), dice.stream("sites.air_alert")

    def date(self, day: int) -> date:
        """Return the date of a day."""
        return self._first + timedelta(days=day)

    def day(self, day: int, wet: bool | None = None) -> DaySky:
        """Return a day; ``wet``: as the run's own weather says, None: as drawn."""
        month = self.date(day).month - 1
        entity = day + 1_000_000  # days before the first count too
        drawn = bool(self._wet.uniform(entity)[0] < _WET_DAYS[month] / 30.4)
        alert = bool(self._alert.uniform(entity)[0] < _ALERT[month])
        return DaySky(drawn if wet is None else wet, bool(_FROST[month]), alert)


def usual_share() -> np.ndarray:
    """Return the share of a day's work that is done on average over the year, by kind of project: planners know it."""
    wet = np.asarray(_WET_DAYS)[:, None] / 30.4 * np.asarray(WET_LOSS)
    frost = np.asarray(_FROST)[:, None] * FROST_LOSS
    alert = np.asarray(_ALERT)[:, None] * np.asarray(ALERT_LOSS)
    return np.asarray(((1 - wet) * (1 - frost) * (1 - alert)).mean(axis=0))
