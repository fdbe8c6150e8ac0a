"""Is B better than A? Runs of two scenarios, paired by seed, and an honest answer.

Both scenarios run under the same seeds; because every draw is named, they meet the same people, orders and
failures, and the difference of a pair is much less noisy than either value. The answer is the mean difference with
its 95 % interval (Student's t over pairs) and a verdict; a difference whose interval holds 0 is
``indistinguishable``. One look, one indicator: several of either are what :mod:`scenarios.study` corrects for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scenarios.kpis.base import Kpi
from scenarios.stats.answers import Answer, reply
from scenarios.stats.plan import Asked, Plan
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

    @cached_property
    def answer(self) -> Answer:
        """The whole answer: also the correlation that pairing brought, and how many more runs ±2 % needs."""
        seeds = (*(s for s, _, _ in self.pairs), *self.left_out)
        plan = Plan("", "", "", (Asked(self.kpi.name, self.kpi.better),), seeds, (len(seeds),))
        base, variant = ({self.kpi.name: {p[0]: p[k] for p in self.pairs}} for k in (1, 2))
        return reply(plan, [self.kpi], base, variant, seeds).answers[0]

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
        s = self.answer.summary
        assert s is not None
        return s.low, s.high

    @property
    def correlation(self) -> float | None:
        """Correlation of the two scenarios over seeds; None where nothing varies."""
        return self.answer.summary.correlation if self.answer.summary else None

    @property
    def variance_ratio(self) -> float | None:
        """Variance of the paired difference ÷ that with independent seeds; None where nothing varies."""
        return self.answer.summary.variance_ratio if self.answer.summary else None

    @property
    def verdict(self) -> str:
        """'better', 'worse', 'indistinguishable' or 'inconclusive'; 'different' where neither direction is better."""
        return self.answer.verdict

    def __str__(self) -> str:
        low, high = self.ci95
        change = f"{self.base:.4g} → {self.variant:.4g} {self.kpi.unit}".rstrip()
        interval = f"{self.difference:+.4g} [{low:+.4g}, {high:+.4g}] over {len(self.pairs)} pairs"
        return f"{self.kpi.title}: {change}, difference {interval}: {self.verdict}"


def compare(
    base: Scenario,
    variant: Scenario,
    kpi: Kpi,
    seeds: Iterable[int],
    *,
    out: str | Path | None = None,
    workers: int = 0,
) -> Comparison:
    """Run both scenarios under every seed and compare them in one indicator.

    ``out``: folder that keeps the runs, so that asking again runs only what is missing; ``workers``: processes that
    run at once (with ``out``; 0: one run after the other, here). Raises ScenarioError when no seed gives both a value,
    and when a run fails.
    """
    wanted = tuple(dict.fromkeys(int(s) for s in seeds))
    keep = None if out is None else Path(out)
    sides = _here(base, variant, kpi, wanted) if keep is None else _kept(base, variant, kpi, wanted, keep, workers)
    pairs, left_out = [], []
    for seed in wanted:
        a, b = sides[0].get(seed), sides[1].get(seed)
        if a is None or b is None:
            left_out.append(seed)
        else:
            pairs.append((seed, a, b))
    if not pairs:
        raise ScenarioError(f"{kpi.name}: neither of the scenarios {base.name} and {variant.name} gives it a value")
    return Comparison(kpi, tuple(pairs), tuple(left_out))


Side = dict[int, float | None]


def _here(base: Scenario, variant: Scenario, kpi: Kpi, seeds: tuple[int, ...]) -> tuple[Side, Side]:
    from twin.simulation import run

    a, b = ({seed: kpi(run(s, seed).log) for seed in seeds} for s in (base, variant))
    return a, b


def _kept(
    base: Scenario, variant: Scenario, kpi: Kpi, seeds: tuple[int, ...], out: Path, workers: int
) -> tuple[Side, Side]:
    from scenarios.runner.runs import run_all
    from scenarios.runner.store import Job

    sides = [[Job.of(s, seed) for seed in seeds] for s in (base, variant)]
    runs = run_all([job for pair in zip(*sides, strict=True) for job in pair], out, workers)
    if runs.interrupted:
        raise KeyboardInterrupt
    for (_, seed), said in runs.failed.items():
        raise ScenarioError(f"seed {seed} failed: {said}")
    a, b = (runs.values(jobs, [kpi])[kpi.name] for jobs in sides)
    return a, b
