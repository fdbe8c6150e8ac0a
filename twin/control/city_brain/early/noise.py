"""How many signals a day are about nothing: a Gamma-Poisson estimate for each theme and square, learnt from outcomes.

The prior is what the city knows from before (:class:`EarlySettings`), worth ``PRIOR_DAYS`` days of looking.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from twin.domain.community import EarlySettings

PRIOR_DAYS = 14.0
SINGLES = 0.5  # share of the budget that may go to themes of which one signal is enough (assumed)
DAY_S = 86_400
Cell = tuple[int, int]


@dataclass
class ThemeNoise:
    """One theme: ``false`` signals so far, in all and by square."""

    cell_m: float
    window_s: int
    prior_a_day: float
    cells: int
    false: int = 0
    false_at: dict[Cell, int] = field(default_factory=dict)

    def cell(self, x_m: float, y_m: float) -> Cell:
        """Return the square of a point."""
        return math.floor(x_m / self.cell_m), math.floor(y_m / self.cell_m)

    def a_day(self, days: float) -> float:
        """Return useless signals a day in the whole city, after so many days."""
        return (self.prior_a_day * PRIOR_DAYS + self.false) / (PRIOR_DAYS + days)

    def at(self, cell: Cell, days: float) -> float:
        """Return useless signals a day in one square."""
        prior = self.prior_a_day / max(self.cells, 1)
        return (prior * PRIOR_DAYS + self.false_at.get(cell, 0)) / (PRIOR_DAYS + days)


class Noise:
    """All themes."""

    def __init__(self, told: EarlySettings) -> None:
        self._from_s = told.t_s
        self.budget = told.useless_a_day
        self.of = {
            theme: ThemeNoise(
                float(told.cell_m[i]), int(told.window_s[i]), float(told.noise_a_day[i]), int(told.cells[i])
            )
            for i, theme in enumerate(told.theme)
        }

    def days(self, now_s: int) -> float:
        """Return for how long signals have been heard."""
        return max(0.0, (now_s - self._from_s) / DAY_S)

    def false(self, theme: str, x_m: float, y_m: float) -> None:
        """Learn that a signal was about nothing."""
        one = self.of.get(theme)
        if one is not None:
            cell = one.cell(x_m, y_m)
            one.false += 1
            one.false_at[cell] = one.false_at.get(cell, 0) + 1

    def shares(self, now_s: int) -> tuple[frozenset[str], float, float]:
        """Share the budget out: (themes of which each signal is enough, noise of the others, budget left for them).

        The quietest themes first, as long as all their useless signals fit into half of the budget; the other half is
        for signals that come together.
        """
        days = self.days(now_s)
        rates = sorted((one.a_day(days), theme) for theme, one in self.of.items())
        enough: list[str] = []
        left = SINGLES * self.budget
        for rate, theme in rates:
            if rate > left:
                break
            left -= rate
            enough.append(theme)
        return frozenset(enough), sum(rate for rate, theme in rates if theme not in enough), left + (1 - SINGLES) * self.budget
