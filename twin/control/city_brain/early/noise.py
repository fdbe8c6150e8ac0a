"""How many signals a day are about nothing: a Gamma-Poisson estimate for each theme and square, learnt from outcomes.

The prior is what the city knows from before (:class:`EarlySettings`), worth ``PRIOR_DAYS`` days of looking.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from twin.domain.community import EarlySettings

PRIOR_DAYS = 14.0
#: share of signals of each origin that are about nothing, before anything was learnt, worth PRIOR_SIGNALS (assumed)
FALSE_SHARE = {"report": 0.3, "complaint": 0.05, "alert": 0.5, "device": 0.15}
PRIOR_SIGNALS = 20.0
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
        self.budget = Budget(told.useless_a_day, told.t_s)
        self._origin: dict[str, tuple[int, int]] = {}
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

    def learn(self, origin: str, false: bool) -> None:
        """Learn whether a signal of an origin was about nothing."""
        n, wrong = self._origin.get(origin, (0, 0))
        self._origin[origin] = (n + 1, wrong + int(false))

    def false_share(self, origin: str) -> float:
        """Return the share of signals of an origin that are about nothing (beta-binomial)."""
        n, wrong = self._origin.get(origin, (0, 0))
        return (FALSE_SHARE.get(origin, 0.5) * PRIOR_SIGNALS + wrong) / (PRIOR_SIGNALS + n)


class Budget:
    """Useless orders that may be risked: ``a_day`` come in evenly, at most half a day's are kept; never overdrawn.

    So the sum of the risks of all orders of D days is at most a_day × (D + ½).
    """

    def __init__(self, a_day: float, now_s: int) -> None:
        self.a_day, self.most = a_day, a_day / 2
        self.credit, self._at_s = self.most, now_s

    def at(self, now_s: int) -> float:
        """Return the credit now."""
        if now_s > self._at_s:
            self.credit = min(self.most, self.credit + self.a_day * (now_s - self._at_s) / DAY_S)
            self._at_s = now_s
        return self.credit

    def risk(self, useless: float) -> bool:
        """Take a risk out of the credit; False: there is not so much."""
        if useless > self.credit:
            return False
        self.credit -= useless
        return True
