"""Is B better than A? Runs of two scenarios, paired by seed, and an honest answer.

Both scenarios run under the same seeds; because every draw is named, they meet the same people, orders and
failures, and the difference of a pair is much less noisy than either value. The answer is the mean difference with
its 95 % interval (Student's t over pairs) and a verdict; a difference whose interval holds 0 is
``indistinguishable``. One look, one indicator: questions with several of either need a correction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scenarios.kpis.base import Kpi
from twin.errors import ScenarioError
from twin.scenario import Scenario

LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """Base against variant in one indicator.

    ``pairs``: (seed, base, variant); seeds that give one of them no value are in ``left_out``.
    """

    kpi: Kpi
    pairs: tuple[tuple[int, float, float], ...]
    left_out: tuple[int, ...] = ()

    @property
    def base(self) -> float:
        """Mean of the base."""
        return math.fsum(b for _, b, _ in self.pairs) / len(self.pairs)

    @property
    def variant(self) -> float:
        """Mean of the variant."""
        return math.fsum(v for _, _, v in self.pairs) / len(self.pairs)

    @property
    def difference(self) -> float:
        """Mean of variant − base over the pairs."""
        return math.fsum(v - b for _, b, v in self.pairs) / len(self.pairs)

    @property
    def ci95(self) -> tuple[float, float]:
        """95 % interval of the difference: d ± t(n − 1) s / √n; unbounded with one pair."""
        n, mean = len(self.pairs), self.difference
        if n < 2:
            return -math.inf, math.inf
        spread = math.sqrt(math.fsum((v - b - mean) ** 2 for _, b, v in self.pairs) / (n - 1))
        if spread == 0.0:
            return mean, mean
        from scipy.stats import t

        half = float(t.ppf((1 + LEVEL) / 2, n - 1)) * spread / math.sqrt(n)
        return mean - half, mean + half

    @property
    def verdict(self) -> str:
        """'better', 'worse' or 'indistinguishable'; 'different' where neither direction is an improvement."""
        low, high = self.ci95
        if low <= 0.0 <= high:
            return "indistinguishable"
        if self.kpi.better == "neither":
            return "different"
        return "better" if (low > 0) == (self.kpi.better == "higher") else "worse"

    def __str__(self) -> str:
        low, high = self.ci95
        change = f"{self.base:.4g} → {self.variant:.4g} {self.kpi.unit}".rstrip()
        interval = f"{self.difference:+.4g} [{low:+.4g}, {high:+.4g}] over {len(self.pairs)} pairs"
        return f"{self.kpi.title}: {change}, difference {interval}: {self.verdict}"


def compare(base: Scenario, variant: Scenario, kpi: Kpi, seeds: Iterable[int]) -> Comparison:
    """Run both scenarios under every seed, one after the other, and compare them in one indicator.

    Raises ScenarioError when no seed gives both a value.
    """
    from twin.simulation import run

    pairs, left_out = [], []
    for seed in seeds:
        values = [kpi(run(s, seed).log) for s in (base, variant)]
        if values[0] is None or values[1] is None:
            left_out.append(seed)
        else:
            pairs.append((seed, values[0], values[1]))
    if not pairs:
        raise ScenarioError(f"{kpi.name}: neither of the scenarios {base.name} and {variant.name} gives it a value")
    return Comparison(kpi, tuple(pairs), tuple(left_out))
