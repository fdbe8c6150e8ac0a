"""Which 20 junctions to upgrade first: is the choice worth more than another one? Money with its interval over seeds.

``python -m scenarios.junction_study [SEEDS [COUNT]]``: on one morning (seed 0) every junction is run on its fixed plan
and again adaptive; the tool ranks them (:mod:`scenarios.junction_costs`). Other mornings (seeds 1 …) are then run with
nothing upgraded, with the ``COUNT`` chosen, with the ``COUNT`` that have most lanes (a rule of thumb), and with
``COUNT`` drawn by lot. What counts is the time lost at *all* signals: delay moved on to a neighbour is not saved.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scenarios.junction_costs import cost_year, delays, load_junction_prices, upgrades

Floats = npt.NDArray[np.float64]
START, END = "07:00", "08:30"
ARMS = ("chosen", "most lanes", "by lot")


@dataclass(frozen=True)
class Study:
    """``saved`` (seeds, ARMS): vehicle-hours a day saved at all signals; money in CNY a year for COUNT junctions."""

    saved: Floats
    cost_year: float
    worth: float  # CNY a year of a vehicle-hour a day

    def benefit_cost(self, arm: int) -> tuple[float, float]:
        """Return the mean benefit ÷ cost of an arm, and half its 95 % interval (t)."""
        from scipy.stats import t as student

        ratio = self.saved[:, arm] * self.worth / self.cost_year
        n = ratio.size
        half = float(student.ppf(0.975, n - 1) * ratio.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
        return float(ratio.mean()), half


def _log(seed: int, junctions: dict[str, Any]) -> Any:
    from scenarios import load
    from twin.simulation import run

    return run(load("junction_upgrade", start=START, end=END, junctions=junctions), seed=seed).log


def chosen(count: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return the ``count`` junctions that the tool would upgrade first, and the names of all."""
    before, after = _log(seed, {}), _log(seed, {"grade": "L2", "policy": "adaptive"})
    return [u.junction for u in upgrades(before, "L2", count, after)], list(delays(before)[0])


def study(seeds: Sequence[int], count: int = 20) -> tuple[Study, list[str]]:
    """Run it (about 15 s of processor time a run); return the figures and the junctions chosen."""
    first, names = chosen(count)
    prices = load_junction_prices()
    rows = []
    for seed in seeds:
        lot = np.random.default_rng(seed).choice(names, count, replace=False).tolist()
        items = ({"junctions": first}, {"top": count, "by": "lanes"}, {"junctions": lot})
        lost = [float(delays(_log(seed, {}))[2].sum())]
        for item in items:
            arm = {"policy": "adaptive", "grades": [{"grade": "L2", **item}]}
            lost.append(float(delays(_log(seed, arm))[2].sum()))
        rows.append([lost[0] - x for x in lost[1:]])
        print(
            f"seed {seed}: {lost[0]:.0f} vehicle-hours a day lost, saved", *(f"{s:.0f}" for s in rows[-1]), flush=True
        )
    cost = count * cost_year(prices, "L0", "L2")
    return Study(np.array(rows), cost, prices["time"].value * prices["days"].value), first


def main(seeds: str = "5", count: str = "20") -> None:
    """Print the study."""
    found, first = study(range(1, int(seeds) + 1), int(count))
    print("chosen:", *first)
    for k, name in enumerate(ARMS):
        mean, half = found.benefit_cost(k)
        print(f"{name:10} {found.saved[:, k].mean():8.1f} veh-h/day saved   benefit/cost {mean:.2f} ± {half:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
