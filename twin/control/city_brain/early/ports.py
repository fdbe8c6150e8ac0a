"""What can be swapped in the search for early signs: when signals are enough for a work order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SurgeView:
    """A signal that just came, and what is around it.

    ``before``: other tellers within a circle of one cell's area and the window; ``noise_before``: how many are expected
    there by noise alone; ``theme_noise_a_day``: useless signals of the theme a day; ``alone_enough``: the budget allows
    an order for each signal of the theme; ``noise_a_day``: of the themes for which it does not; ``left_a_day``: what is
    left of the budget of useless orders for those.
    """

    theme: str
    before: int
    noise_before: float
    theme_noise_a_day: float
    alone_enough: bool
    noise_a_day: float
    left_a_day: float


class EarlyPolicy(Protocol):
    """Decides whether to open a work order."""

    def enough(self, view: SurgeView) -> bool:
        """Return True to open an order for the signals around this one."""


def poisson_tail(n: int, mean: float) -> float:
    """Return P(N ≥ n) of a Poisson number N."""
    if n <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    term = total = math.exp(-mean)
    for k in range(1, n):
        term *= mean / k
        total += term
    return max(0.0, 1.0 - total)


class PoissonSurge:
    """Open an order when noise alone would bring so many signals together rarely enough.

    Noise comes as a Poisson stream, so a useless signal finds ``before`` others or more with probability
    P(Pois(noise_before) ≥ before) (arrivals see time averages; Wolff 1982), and with the limit left/noise on it useless
    orders come at most at the rate left_a_day. A prospective space-time scan (Kulldorff 2001) with one cylinder.
    """

    def enough(self, view: SurgeView) -> bool:
        """See :class:`EarlyPolicy`."""
        if view.alone_enough:
            return True
        if view.before < 1 or view.noise_a_day <= 0:
            return False
        return poisson_tail(view.before, view.noise_before) <= view.left_a_day / view.noise_a_day


class KOfN:
    """Open an order at the k-th signal of one place and time, whatever is usual there: the plain rule to beat."""

    K = 3

    def enough(self, view: SurgeView) -> bool:
        """See :class:`EarlyPolicy`."""
        return view.before + 1 >= self.K
