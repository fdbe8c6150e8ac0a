"""How precise an answer is, how many more runs a wanted precision needs, and when a precision run may stop.

A relative half-width γ of the true mean is reached when the measured half-width is γ / (1 + γ) of the measured mean
(Law & Kelton, §9.4.1), with at least 30 pairs. The rule looks at the width alone, never at the sign or the size of
the difference, so stopping does not pull the answer to either side; what little coverage it costs is measured in the
tests. Near zero a relative width means nothing: there an absolute one is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.stats.paired import LEVEL, half_width, spread_of
from twin.errors import ScenarioError

LEAST_N = 30
STEP = 10  # pairs between two looks at the width
MOST_N = 1000


@dataclass(frozen=True)
class Precision:
    """A wanted half-width: ``percent`` of the base's mean, or ``absolute`` in the indicator's unit; one of the two."""

    percent: float | None = None
    absolute: float | None = None

    def __str__(self) -> str:
        return f"±{self.percent:g} %" if self.percent is not None else f"±{self.absolute:g}"

    def target(self, base: float) -> float:
        """Return the half-width at which a run may stop, given the base's measured mean."""
        if self.absolute is not None:
            return self.absolute
        assert self.percent is not None
        gamma = self.percent / 100
        return gamma / (1 + gamma) * abs(base)


def parse_precision(text: str) -> Precision:
    """Read "±2%", "2%", "±0.5" or "0.5". Raises ScenarioError."""
    plain = text.strip().removeprefix("±").removeprefix("+-").replace(" ", "")
    percent = plain.endswith("%")
    try:
        value = float(plain.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not (0 < value < math.inf) or (percent and value >= 100):
        raise ScenarioError(
            f"--until: is '{text}'; allowed: ±2% (of the base's mean) or an absolute half-width such as ±0.5"
        )
    return Precision(percent=value) if percent else Precision(absolute=value)


@dataclass(frozen=True)
class Reached:
    """Whether the interval is narrow enough, its half-width, what it was to be; ``near_zero``: percent has no sense."""

    done: bool
    half_width: float
    target: float
    near_zero: bool


def reached(base: npt.NDArray[np.float64], differences: npt.NDArray[np.float64], wanted: Precision) -> Reached:
    """Return whether a precision run may stop."""
    n = differences.size
    half = half_width(spread_of(differences), n)
    mean = float(base.mean()) if n else 0.0
    near_zero = wanted.percent is not None and n >= 2 and abs(mean) <= half_width(spread_of(base), n)
    near_zero = near_zero or (wanted.percent is not None and n > 0 and mean == 0.0)
    target = wanted.target(mean)
    return Reached(n >= LEAST_N and not near_zero and half <= target, half, target, near_zero)


def looks_at_width(most: int = MOST_N) -> list[int]:
    """Return the numbers of pairs at which the width is looked at: 30, 40, … up to ``most``."""
    return [*range(LEAST_N, most, STEP), most] if most > LEAST_N else [most]


def pairs_needed(spread: float, n: int, target: float) -> int | None:
    """Return how many pairs in all an interval of half-width ``target`` needs, from the spread of n pairs.

    Smallest m ≥ 2 with t(0.975; m − 1) s / √m ≤ target; None where it cannot be told (one pair, target 0).
    """
    if spread == 0:
        return max(n, 2)
    if n < 2 or target <= 0:
        return None
    m = 2
    while half_width(spread, m, 1 - LEVEL) > target:
        m = max(m + 1, math.ceil(1.02 * m)) if m > 50 else m + 1
        if m > 10_000_000:
            return None
    while m > 2 and half_width(spread, m - 1, 1 - LEVEL) <= target:
        m -= 1
    return m
