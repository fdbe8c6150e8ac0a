"""Best of several: elimination on paired differences with a guarantee (Kim & Nelson 2001, procedure KN).

With probability 1 − α the best is kept whenever it is better than the others by the indifference zone δ; differences
between pairs use common random numbers, so pairing speeds it up. Values are normal (means of many things in a run).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FIRST_STAGE = 20


@dataclass(frozen=True)
class Selection:
    """``survivors``: columns that may be the best; ``out_at``: pairs after which a column was out (0: never)."""

    survivors: tuple[int, ...]
    out_at: tuple[int, ...]
    n: int


def kim_nelson(
    values: npt.NDArray[np.float64],
    zone: float,
    alpha: float = 0.05,
    first: int = FIRST_STAGE,
    higher: bool = True,
) -> Selection:
    """Eliminate columns of ``values`` (seeds, alternatives); ``zone``: smallest difference that matters, > 0."""
    if zone <= 0:
        raise ValueError(f"the smallest difference that matters must be above 0, not {zone}")
    x = values if higher else -values
    n, k = x.shape
    out_at = [0] * k
    if k < 2 or n < first:
        return Selection(tuple(range(k)), tuple(out_at), n)
    eta: float = 0.5 * ((2 * alpha / (k - 1)) ** (-2 / (first - 1)) - 1)
    h2 = 2 * eta * (first - 1)
    start = x[:first]
    variance = np.array([[np.var(start[:, i] - start[:, j], ddof=1) for j in range(k)] for i in range(k)])
    alive = list(range(k))
    total = x[:first].sum(axis=0)
    for r in range(first, n + 1):
        if r > first:
            total = total + x[r - 1]
        wide = np.maximum(0.0, zone / (2 * r) * (h2 * variance / zone**2 - r))
        mean = total / r
        gone = [i for i in alive if any(mean[i] < mean[j] - wide[i, j] for j in alive if j != i)]
        for i in gone:
            out_at[i] = r
        alive = [i for i in alive if i not in gone]
        if len(alive) == 1:
            return Selection(tuple(alive), tuple(out_at), r)
    return Selection(tuple(alive), tuple(out_at), n)


def pairs_until_one(spread: float, zone: float, k: int, alpha: float = 0.05, first: int = FIRST_STAGE) -> int:
    """Return the most pairs KN can take: the first r at which every continuation region is closed."""
    eta: float = 0.5 * ((2 * alpha / (k - 1)) ** (-2 / (first - 1)) - 1)
    return max(first, math.ceil(2 * eta * (first - 1) * spread**2 / zone**2))
