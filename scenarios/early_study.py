"""What early signs bring at a fixed rate of orders for nothing: a curve, with intervals over seeds (F43).

``python -m scenarios.early_study --seeds 8 --days 3`` runs weeks without traffic (:mod:`twin.world.community.months`)
and prints the share of problems handled before the first complaint against the orders for nothing a day that it truly
cost, for several budgets and rules, each as the difference to the same seed without early signs. Two worlds: hazards
with common causes, and, as a control, hazards that come independently.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios import kpis
from scenarios.stats.paired import half_width
from twin.log import Facts

#: rule → what ``community.early`` is with it
RULES: dict[str, dict[str, Any] | None] = {
    "none": None,
    "k_of_n": {"policy": "k_of_n", "neighbours": False, "readings": False},
    "first_come": {"policy": "first_come", "neighbours": False, "readings": False},
    "signals": {"neighbours": False, "readings": False},
    "scan": {"readings": False},
    "scan and readings": {},
}
MEASURED = ("before_complaint_share", "early_useless_day", "early_orders_day", "early_found_share")


@dataclass(frozen=True)
class Difference:
    """Mean of a paired difference over ``n`` seeds, and half the width of its 95 % interval (Student's t)."""

    mean: float
    half: float
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves out 0."""
        return abs(self.mean) > self.half

    def __str__(self) -> str:
        """Return such as +8.1 [+6.9, +9.3]."""
        return f"{self.mean:+.1f} [{self.mean - self.half:+.1f}, {self.mean + self.half:+.1f}]"


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """Return ours − theirs, seed by seed; ValueError: fewer than two, or not as many."""
    if len(ours) != len(theirs) or len(ours) < 2:
        raise ValueError(f"a paired difference needs two seeds or more of each, not {len(ours)} and {len(theirs)}")
    d = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    return Difference(float(d.mean()), half_width(float(d.std(ddof=1)), d.size), d.size)


def scenario(rule: str, budget: float, causes: float, more: Mapping[str, Any] | None = None) -> Any:
    """Return the cut-down of ``early_signs``: no sensors of the city, no traffic, a rule at a budget."""
    from scenarios import load

    early = RULES[rule]
    if early is not None:
        early = {**early, "useless_a_day": budget}
    hazards = {"common_causes": causes, **(more or {})}
    return load("weekday", city_brain={"sensors": None, "hazards": hazards}, community={"early": early})


def measure(log: Facts) -> dict[str, float]:
    """Return the indicators of a run; 0 where there is none."""
    return {name: float(kpis.by_name(name)(log) or 0.0) for name in MEASURED}


def run(
    rule: str, budget: float, causes: float, seeds: Iterable[int], days: int, more: Mapping[str, Any] | None = None
) -> dict[str, list[float]]:
    """Return the indicators of each seed, by name."""
    from geo.city import City
    from twin.cities import city_folder
    from twin.world.community.months import run_month

    made = scenario(rule, budget, causes, more)
    city = City.load(city_folder(made))
    found = [measure(run_month(made, city, seed, days)) for seed in seeds]
    return {name: [f[name] for f in found] for name in MEASURED}


def _line(world: str, rule: str, budget: float, got: dict[str, list[float]], base: dict[str, list[float]]) -> str:
    share, useless = got["before_complaint_share"], got["early_useless_day"]
    half = half_width(float(np.std(useless, ddof=1)), len(useless))
    more = difference(share, base["before_complaint_share"])
    return (
        f"| {world} | {rule} | {budget:g} | {np.mean(useless):.1f} ± {half:.1f} |"
        f" {np.mean(got['early_orders_day']):.1f} | {np.mean(share):.1f} | {more} |"
    )


def main() -> None:
    """Print the curve as a table."""
    parser = argparse.ArgumentParser(description="problems handled before the first complaint, by rule and budget")
    parser.add_argument("--seeds", type=int, default=8, help="how many seeds, from 1 on")
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--budgets", type=float, nargs="+", default=[2.0, 6.0, 12.0])
    parser.add_argument("--rules", nargs="+", default=[r for r in RULES if r != "none"], choices=list(RULES))
    given = parser.parse_args()
    seeds = range(1, given.seeds + 1)
    print("| world | rule | budget a day | for nothing a day | orders a day | before the complaint % | against none |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for world, causes in (("common causes", 1.0), ("independent", 0.0)):
        base = run("none", 0.0, causes, seeds, given.days)
        for rule in given.rules:
            if rule == "none" or (causes == 0.0 and rule == "scan and readings"):
                continue
            for budget in given.budgets:
                got = run(rule, budget, causes, seeds, given.days)
                print(_line(world, rule, budget, got, base), flush=True)


if __name__ == "__main__":
    main()
