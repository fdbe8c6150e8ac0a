"""Rare harms: what it means that nothing happened, and exact intervals of a share."""

from __future__ import annotations

from scipy.stats import beta


def at_most(n: int, level: float = 0.95) -> float:
    """Return the upper bound of the probability of a harm that was seen 0 times in n independent runs: 1 − α^(1/n).

    The rule of three, 3 / n, is its approximation for n ≥ 30 (Hanley & Lippman-Hand 1983). 1 with no run at all.
    """
    return 1.0 - (1.0 - level) ** (1.0 / n) if n > 0 else 1.0


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided interval of a share (Clopper & Pearson 1934)."""
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"{hits} of {n} is no share")
    a = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(a, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - a, hits + 1, n - hits))
    return low, high


def upper(hits: int, n: int, level: float = 0.95) -> float:
    """Return the exact one-sided upper bound of a share."""
    return 1.0 if hits == n else float(beta.ppf(level, hits + 1, n - hits))
