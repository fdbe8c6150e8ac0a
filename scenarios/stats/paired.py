"""Paired differences: what pairing by seed tells, and what it saves against independent seeds.

Student's t over pairs (Law & Kelton, *Simulation Modeling and Analysis*, ch. 10: paired-t with common random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Floats = npt.NDArray[np.float64]

LEVEL = 0.95


@dataclass(frozen=True)
class Joined:
    """Values of two scenarios joined by seed: three columns of one length; ``left_out``: seeds without a pair."""

    seeds: tuple[int, ...]
    base: Floats
    variant: Floats
    left_out: tuple[int, ...]

    @property
    def differences(self) -> Floats:
        """Variant − base, one a pair."""
        return self.variant - self.base


def join(
    base: Mapping[int, float | None], variant: Mapping[int, float | None], seeds: Iterable[int] | None = None
) -> Joined:
    """Join values by seed – never by the order in which they came.

    ``seeds``: those that were asked for (default: all of either side); one that lacks a value on a side is left out
    and named.
    """
    wanted = sorted({*base, *variant}) if seeds is None else list(dict.fromkeys(seeds))
    both = [s for s in wanted if base.get(s) is not None and variant.get(s) is not None]
    a, b = (np.array([side[s] for s in both], dtype=np.float64) for side in (base, variant))
    return Joined(tuple(both), a, b, tuple(s for s in wanted if s not in set(both)))


@dataclass(frozen=True)
class Summary:
    """Means, the paired difference with its interval, and what pairing saved.

    ``correlation``: of the two scenarios over seeds. ``variance_ratio``: variance of the paired difference ÷ the
    variance it would have with independent seeds, var(base) + var(variant); below 1 pairing helps, and as many times
    more independent runs as 1 ÷ ratio would be needed for the same interval. Both None where nothing varies.
    """

    n: int
    base: float
    variant: float
    difference: float
    low: float
    high: float
    spread: float
    correlation: float | None
    variance_ratio: float | None

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2 if self.n > 1 else math.inf


def half_width(spread: float, n: int, alpha: float = 1 - LEVEL) -> float:
    """Return t(1 − α/2; n − 1) · s / √n; infinite with fewer than two."""
    if n < 2:
        return math.inf
    return float(student.ppf(1 - alpha / 2, n - 1)) * spread / math.sqrt(n) if spread > 0 else 0.0


def spread_of(values: Floats) -> float:
    """Return the sample standard deviation, exactly 0 where all are equal (rounding aside); 0 with fewer than two."""
    if values.size < 2 or np.ptp(values) == 0.0:
        return 0.0
    mean = math.fsum(values.tolist()) / values.size
    return math.sqrt(math.fsum(((values - mean) ** 2).tolist()) / (values.size - 1))


def summary(joined: Joined, alpha: float = 1 - LEVEL) -> Summary:
    """Summarise joined values; ``alpha``: 1 − level of the interval. Raises ValueError without a single pair."""
    n = len(joined.seeds)
    if n == 0:
        raise ValueError("no seed gave both scenarios a value")
    d = joined.differences
    base, variant, difference = (math.fsum(v.tolist()) / n for v in (joined.base, joined.variant, d))
    spread = spread_of(d)
    half = half_width(spread, n, alpha)
    a, b = spread_of(joined.base), spread_of(joined.variant)
    apart = a * a + b * b
    correlation = None
    if n > 1 and a > 0 and b > 0:
        correlation = float(np.clip((apart - spread * spread) / (2 * a * b), -1, 1))
    ratio = spread * spread / apart if n > 1 and apart > 0 else None
    return Summary(n, base, variant, difference, difference - half, difference + half, spread, correlation, ratio)
