"""Before and after the reform, by mechanism: what the levers do to time, materials and steps (F36, F37).

Two offices that differ in nothing but named levers (:class:`twin.control.services.levers.Levers`) meet the same people
with the same papers. Two parameters are fitted to F36 and to nothing else (:func:`scenarios.reform_fit.calibrate`):
``reuse_hit`` to the materials, ``circulate`` to the time. Everything about F37, and which lever carries what, is
predicted with them.

::

    python -m scenarios.reform --seeds 10      # F36 and F37 over seeds, levers one at a time
    python -m scenarios.reform --json FILE     # and write them, as RUN/reform.json for services.html
    python -m scenarios.reform --shapley       # and the exact Shapley value of every lever (64 offices a seed)
    python -m scenarios.reform --calibrate     # fit the two parameters anew
    python -m scenarios.reform --sensitivity   # what each assumed parameter does to the results
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from twin.control.services.catalogue.generate import generated
from twin.control.services.catalogue.items import TARGETS, Catalogue
from twin.control.services.levers import BEFORE, LEVERS, TODAY, Levers
from twin.dice import Dice
from twin.errors import ScenarioError
from twin.world.offices.matters import Matter
from twin.world.offices.months import Months, run
from twin.world.offices.settings import Behaviour

DAY_S = 86_400
#: seeds of the fit, and of everything that is reported
FIT_SEEDS = (901, 902, 903, 904)
MATTERS = 2_000
CONVERSIONS = 100


@dataclass(frozen=True)
class Target:
    """A figure of the facts: ``at_least`` says that a larger fall is as good."""

    name: str
    fact: str
    change: float
    at_least: bool
    fitted: bool


#: changes in per cent
TARGETS_OF_REFORM = (
    Target("time", "F36", -54.1, at_least=False, fitted=True),
    Target("materials", "F36", -44.3, at_least=False, fitted=True),
)
TARGETS_OF_CONVERSION = (
    Target("steps", "F37", -87.5, at_least=True, fitted=False),
    Target("materials", "F37", -67.6, at_least=False, fitted=False),
    Target("time", "F37", -90.0, at_least=True, fitted=False),
)


@dataclass(frozen=True)
class Outcome:
    """Means over the matters of a run: days from the need to the last result, materials handed in, applications."""

    time: float
    materials: float
    steps: float
    visits: float
    matters: int
    open: int


@dataclass(frozen=True)
class Row:
    """A change in per cent beside its target: mean over seeds with the 95 % interval of that mean (Student's t)."""

    target: Target
    value: float
    low: float
    high: float
    seeds: int

    @property
    def met(self) -> bool:
        """Whether the target lies in the interval, or is surpassed where that is as good."""
        return self.low <= self.target.change <= self.high or (self.target.at_least and self.high <= self.target.change)


def outcome(log: Any) -> Outcome:
    """Return what a run of offices came to."""
    ended = log.table("MatterEnded").to_pydict()
    n = max(len(ended["t_s"]), 1)
    return Outcome(
        sum(ended["duration_s"]) / n / DAY_S,
        sum(ended["handed_in"]) / n,
        sum(ended["cases"]) / n,
        sum(ended["visits"]) / n,
        len(ended["t_s"]),
        log.table("MatterOpen").num_rows,
    )


def office(levers: Levers, seed: int, behaviour: Behaviour, matters: int = MATTERS) -> Outcome:
    """Run the usual mix of matters in one office."""
    return outcome(run(Months(levers=levers, matters=matters, behaviour=behaviour), seed).log)


def conversions(levers: Levers, seed: int, behaviour: Behaviour, count: int = CONVERSIONS) -> Outcome:
    """Run conversions of partnerships into companies, one a working day, in an office that has little else to do."""
    catalogue = generated()
    return outcome(
        run(
            Months(levers=levers, behaviour=behaviour),
            seed,
            matters=lambda _wants, dice: conversion_matters(catalogue, count, dice, behaviour),
        ).log
    )


def conversion_matters(catalogue: Catalogue, count: int, dice: Dice, behaviour: Behaviour) -> list[Matter]:
    """Return ``count`` matters of the scene partnership → company, one each weekday at ten."""
    row = len(catalogue.scenes) - 1
    scene = catalogue.scenes[row]
    items = tuple(catalogue.item_row[code] for code in scene.items)
    number = np.arange(count, dtype=np.int64)
    way = dice.stream("reform.way").exponential(behaviour.travel_min * 60.0, number).tolist()
    return [
        Matter(
            k, (k // 5 * 7 + k % 5) * DAY_S + 10 * 3600, TARGETS.index("company"), row, items, scene.needs,
            way_s=int(way[k]),
        )
        for k in range(count)
    ]  # fmt: skip


def change(before: Outcome, after: Outcome, what: str) -> float:
    """Return the change of a measure in per cent."""
    return 100.0 * (float(getattr(after, what)) / float(getattr(before, what)) - 1.0)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, and the 95 % interval of the mean (Student's t); the mean alone for one value."""
    from scipy import stats

    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, mean, mean
    half = float(stats.t.ppf(0.975, len(values) - 1)) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, mean - half, mean + half


Runner = Callable[[Levers, int, Behaviour], Outcome]


def compare(
    targets: Iterable[Target], runner: Runner, seeds: Sequence[int], behaviour: Behaviour | None = None
) -> list[Row]:
    """Return target and simulated change of each measure, before against today, paired by seed."""
    b = behaviour or Behaviour()
    pairs = [(runner(BEFORE, s, b), runner(TODAY, s, b)) for s in seeds]
    rows = []
    for t in targets:
        mean, low, high = interval([change(x, y, t.name) for x, y in pairs])
        rows.append(Row(t, mean, low, high, len(pairs)))
    return rows


def one_at_a_time(
    runner: Runner, seeds: Sequence[int], behaviour: Behaviour | None = None
) -> dict[str, dict[str, Any]]:
    """Return, per lever, how much of the change today's office loses without it, and what it brings alone.

    Percentage points of the office before, as (mean, low, high), by measure: {"time": {"without": …, "alone": …}}.
    """
    b = behaviour or Behaviour()
    base = {s: (runner(BEFORE, s, b), runner(TODAY, s, b)) for s in seeds}
    out: dict[str, dict[str, Any]] = {}
    for lever in LEVERS:
        off = {s: runner(TODAY.but(**{lever: False}), s, b) for s in seeds}
        on = {s: runner(BEFORE.but(**{lever: True}), s, b) for s in seeds}
        out[lever] = {
            what: {
                "without": interval([change(x, off[s], what) - change(x, y, what) for s, (x, y) in base.items()]),
                "alone": interval([change(x, on[s], what) for s, (x, _) in base.items()]),
            }
            for what in ("time", "materials", "steps")
        }
    return out


def shapley(runner: Runner, seeds: Sequence[int], behaviour: Behaviour | None = None) -> dict[str, dict[str, Any]]:
    """Return the Shapley value of each lever: its mean effect over all orders of switching on (Shapley, 1953).

    Percentage points of the office before; per seed they add up to the whole change exactly.
    """
    b = behaviour or Behaviour()
    subsets = [frozenset(c) for k in range(len(LEVERS) + 1) for c in combinations(LEVERS, k)]
    values: dict[str, dict[str, list[float]]] = {lv: {"time": [], "materials": []} for lv in LEVERS}
    n = len(LEVERS)
    for seed in seeds:
        got = {s: runner(BEFORE.but(**dict.fromkeys(s, True)), seed, b) for s in subsets}
        before = got[frozenset()]
        for lever in LEVERS:
            for what, into in values[lever].items():
                total = 0.0
                for s in subsets:
                    if lever in s:
                        continue
                    weight = math.factorial(len(s)) * math.factorial(n - len(s) - 1) / math.factorial(n)
                    total += weight * (change(before, got[s | {lever}], what) - change(before, got[s], what))
                into.append(total)
    return {lever: {what: interval(v) for what, v in by.items()} for lever, by in values.items()}


# -- the study -------------------------------------------------------------------------------------------------

#: per lever and measure: percentage points of the office before, mean with its interval, "without" and "alone"
Effects = Mapping[str, Mapping[str, Mapping[str, tuple[float, float, float]]]]
MOST_SEEDS = 100  # the seeds of the fit begin far beyond
LEVER_SEEDS = 5  # levers take twelve offices a seed


@dataclass(frozen=True)
class Study:
    """Targets beside simulated values, and what each lever does, by the fact of the target ("F36", "F37")."""

    rows: tuple[Row, ...]
    levers: Mapping[str, Effects]


def study(seeds: int, behaviour: Behaviour | None = None) -> Study:
    """Compare before with today on seeds 1..``seeds``; levers one at a time on the first LEVER_SEEDS of them."""
    if not 1 <= seeds <= MOST_SEEDS:
        raise ScenarioError(f"seeds: is {seeds}; allowed: a whole number from 1 to {MOST_SEEDS}")
    every = range(1, seeds + 1)
    usual: Runner = cache(lambda v, s, b: office(v, s, b, MATTERS))
    scene: Runner = cache(lambda v, s, b: conversions(v, s, b, CONVERSIONS))
    rows: list[Row] = []
    levers = {}
    for targets, runner in ((TARGETS_OF_REFORM, usual), (TARGETS_OF_CONVERSION, scene)):
        rows += compare(targets, runner, every, behaviour)
        levers[targets[0].fact] = one_at_a_time(runner, every[:LEVER_SEEDS], behaviour)
    return Study(tuple(rows), levers)


def carriers(effects: Effects, measure: str, least: float = 1.0) -> list[str]:
    """Return the levers that carry a measure, the largest loss first.

    Today's office loses ``least`` points or more without each, or it alone brings as many.
    """
    found = {
        lever: by[measure]
        for lever, by in effects.items()
        if by[measure]["without"][0] >= least or by[measure]["alone"][0] <= -least
    }
    return sorted(found, key=lambda lever: (-found[lever]["without"][0], found[lever]["alone"][0], lever))


def save_reform(found: Iterable[Row], file: Path, levers: Mapping[str, Effects] | None = None) -> None:
    """Write the rows of a comparison of offices, and what each lever does, for ``services.html``."""
    data = [{**asdict(r.target), "value": r.value, "low": r.low, "high": r.high, "seeds": r.seeds} for r in found]
    file.write_text(json.dumps({"rows": data, "levers": levers or {}}, indent=1) + "\n", encoding="utf-8")


# -- telling ---------------------------------------------------------------------------------------------------


def told(rows: Iterable[Row]) -> list[str]:
    """Return the rows of a comparison as lines."""
    out = []
    for r in rows:
        sign = "≤" if r.target.at_least else "="
        kind = "fitted" if r.target.fitted else "predicted"
        out.append(
            f"{r.target.fact} {r.target.name:<10} target {sign} {r.target.change:6.1f} %   simulated {r.value:6.1f} %"
            f" [{r.low:.1f}, {r.high:.1f}] over {r.seeds} seed{'' if r.seeds == 1 else 's'} ({kind})"
            f"{'' if r.met else '  – not met'}"
        )
    return out


def told_study(done: Study) -> list[str]:
    """Return the study as lines: below each row, the levers that carry it."""
    out = []
    for row, line in zip(done.rows, told(done.rows), strict=True):
        out.append(line)
        effects = done.levers[row.target.fact]
        for lever in carriers(effects, row.target.name):
            without, alone = (effects[lever][row.target.name][k] for k in ("without", "alone"))
            out.append(
                f"    {lever:<16} without it {without[0]:+6.1f} [{without[1]:+.1f}, {without[2]:+.1f}]"
                f"   alone {alone[0]:+6.1f} [{alone[1]:+.1f}, {alone[2]:+.1f}] points"
            )
    return out


def main(args: Sequence[str] | None = None) -> int:
    """Print the study, or what is asked for in its place."""
    parser = argparse.ArgumentParser("python -m scenarios.reform", description="Before and after the reform, F36, F37.")
    parser.add_argument("--seeds", type=int, help="seeds 1 to N (default: 10; 3 for --sensitivity and --shapley)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparison, as RUN/reform.json")
    parser.add_argument("--shapley", action="store_true", help="Shapley values of the levers too (64 offices a seed)")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--sensitivity", action="store_true", help="only each assumed parameter × 0.5 and × 1.5")
    other.add_argument("--calibrate", action="store_true", help="only fit the two parameters anew")
    asked = parser.parse_args(args)
    from scenarios.reform_fit import calibrate, sensitivity

    few = range(1, (asked.seeds or 3) + 1)
    if asked.seeds is not None and not 1 <= asked.seeds <= MOST_SEEDS:
        parser.error(f"--seeds: is {asked.seeds}; allowed: a whole number from 1 to {MOST_SEEDS}")
    if asked.json is not None and (asked.calibrate or asked.sensitivity):
        parser.error("--json: goes with the comparison, not with --sensitivity or --calibrate")
    if asked.json is not None and not asked.json.parent.is_dir():
        parser.error(f"--json: there is no folder {asked.json.parent}")
    if asked.calibrate:
        b = calibrate()
        print(f"reuse_hit = {b.reuse_hit:.3f}, circulate = {b.circulate:.3f} (seeds {FIT_SEEDS})")
        return 0
    if asked.sensitivity:
        for name, found in sensitivity(few).items():
            print(f"{name:<18}" + "  ".join(f"{k} {a:6.1f} … {z:6.1f}" for k, (a, z) in found.items()))
        return 0
    done = study(asked.seeds or 10)
    print("\n".join(told_study(done)))
    if asked.json is not None:
        save_reform(done.rows, asked.json, done.levers)
    if asked.shapley:
        print("Shapley values, percentage points of the office before")
        for lever, shared in shapley(lambda v, s, b: office(v, s, b, 1000), few).items():
            parts = (f"{w}: {m:+5.1f} [{lo:.1f}, {hi:.1f}]" for w, (m, lo, hi) in shared.items())
            print(f"  {lever:<16}" + "   ".join(parts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
