"""Guardrails: indicators that must not get worse by more than a margin, whatever else gets better.

Non-inferiority: an indicator passes if the one-sided 95 % bound of its paired difference, towards worse, stays inside
the margin. All must pass, and each is tested at the full level, because "all" is already the strict side
(intersection–union test, Berger 1982).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from scenarios.stats.paired import half_width, spread_of
from scenarios.stats.sequential import skewness, too_skewed

ALPHA = 0.05


@dataclass(frozen=True)
class Guarded:
    """``passed`` None: cannot be told (skew, fewer than two pairs). ``worst``: the bound, in the indicator's unit."""

    passed: bool | None
    worst: float
    margin: float


def guard(
    differences: npt.NDArray[np.float64], better: Literal["lower", "higher", "neither"], margin: float
) -> Guarded:
    """Check one guardrail. ``margin`` ≥ 0 in the indicator's unit; where neither direction is better, both count."""
    n = differences.size
    if n < 2:
        return Guarded(None, float("inf"), margin)
    mean, half = float(differences.mean()), half_width(spread_of(differences), n, 2 * ALPHA)
    ends = {"lower": (mean + half,), "higher": (half - mean,), "neither": (mean + half, half - mean)}
    worst = max(ends[better])
    g = skewness(differences.reshape(1, n, 1)) if n > 2 else np.zeros((1, 1))
    if bool(too_skewed(g, n, 2 * ALPHA)[0, 0]):
        return Guarded(None, worst, margin)
    return Guarded(worst <= margin, worst, margin)
