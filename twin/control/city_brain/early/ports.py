"""What can be swapped in the search for early signs: when signals are enough for a work order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SurgeView:
    """A signal that just came, and what is around it.

    ``before``: other tellers within a circle of one cell's area and the window; ``noise_before``: how many are expected
    there by noise alone; ``useless``: estimated probability that an order for it would be for nothing; ``credit``:
    useless orders that may still be risked now, at most ``most``. ``origin`` "neighbour", "reading": nobody told, but
    something was found beside it (``before``: finds of the cluster), or a reading surges.
    """

    theme: str
    origin: str
    before: int
    noise_before: float
    useless: float
    credit: float
    most: float


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
    """Open an order where it is likely enough to be for something, the choosier the less of the budget is left.

    A signal alone is useless as often as signals of its origin were. Noise comes as a Poisson stream, so a useless
    signal finds ``before`` others or more only with probability P(Pois(noise_before) ≥ before) (arrivals see time
    averages; Wolff 1982), which makes it so much less likely to be one: a prospective space-time scan (Kulldorff 2001)
    with one cylinder, weighed by what an order for nothing costs.
    """

    MOST_USELESS = 0.8

    def enough(self, view: SurgeView) -> bool:
        """See :class:`EarlyPolicy`."""
        if view.most <= 0:
            return False
        return view.useless <= self.MOST_USELESS * view.credit / view.most


class KOfN:
    """Open an order at the k-th signal of one place and time, whatever is usual there: the plain rule to beat."""

    K = 3

    def enough(self, view: SurgeView) -> bool:
        """See :class:`EarlyPolicy`."""
        return view.before + 1 >= self.K


class FirstCome:
    """Open an order for every report, first come, first served, as long as the budget lasts: the naive rule."""

    def enough(self, view: SurgeView) -> bool:
        """See :class:`EarlyPolicy`."""
        return view.credit > 0
