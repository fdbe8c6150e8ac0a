"""Before and after the reform, by mechanism: what the levers do to time, materials and steps (F36, F37).

Two offices that differ in nothing but named levers (:class:`twin.control.services.levers.Levers`) meet the same people
with the same papers. Two parameters are fitted to F36 and to nothing else (:func:`calibrate`): ``reuse_hit`` to the
materials, ``circulate`` to the time. Everything about F37, and which lever carries what, is predicted with them.

::

    python -m scenarios.reform                 # F36 and F37 over seeds, levers one at a time
    python -m scenarios.reform --shapley       # and the exact Shapley value of every lever (64 offices a seed)
    python -m scenarios.reform --calibrate     # fit the two parameters anew
    python -m scenarios.reform --sensitivity   # what each assumed parameter does to the results
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from twin.control.services.catalogue.generate import generated
from twin.control.services.catalogue.items import TARGETS, Catalogue
from twin.control.services.levers import BEFORE, LEVERS, TODAY, Levers
from twin.control.services.plans import Plans, cores
from twin.dice import Dice
from twin.world.offices.demand import Wants, months
from twin.world.offices.matters import Matter, Truth
from twin.world.offices.months import Months, run
from twin.world.offices.people import empty
from twin.world.offices.settings import Behaviour, Demand

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


# -- fitting -----------------------------------------------------------------------------------------------


def _root(f: Callable[[float], float], low: float, high: float, steps: int) -> float:
    """Return where a rising or falling function crosses 0, by regula falsi (Illinois)."""
    a, b, fa, fb = low, high, f(low), f(high)
    if fa * fb > 0:
        raise ValueError(f"the target is out of reach between {low} ({fa:+.1f}) and {high} ({fb:+.1f})")
    side = 0
    x = a
    for _ in range(steps):
        x = (a * fb - b * fa) / (fb - fa)
        fx = f(x)
        if abs(fx) < 0.05:
            break
        if fx * fb > 0:
            b, fb = x, fx
            fa = fa / 2 if side == -1 else fa
            side = -1
        else:
            a, fa = x, fx
            fb = fb / 2 if side == 1 else fb
            side = 1
    return x


def drawn_materials(levers: Levers, seed: int, behaviour: Behaviour, matters: int = MATTERS) -> float:
    """Return the mean number of materials handed in for a matter; no time passes and nobody gives up."""
    catalogue, dice, demand = generated(), Dice(seed), Demand()
    truth = Truth(dice, catalogue, Plans(cores(catalogue), levers), levers, behaviour)
    wants = Wants(catalogue, dice, demand)
    drawn = months(matters, empty(0).calendars[0], wants, dice, demand, behaviour.travel_min)
    truth.draw(drawn)
    return float(np.mean([sum(a.handed_in for a in m.cases) for m in drawn]))


def calibrate(seeds: Sequence[int] = FIT_SEEDS, matters: int = 1_500, steps: int = 4) -> Behaviour:
    """Fit ``reuse_hit`` to the materials, then ``circulate`` to the time of F36; nothing else is fitted."""

    def materials(hit: float) -> float:
        b = replace(Behaviour(), reuse_hit=hit)
        pairs = [(drawn_materials(BEFORE, s, b), drawn_materials(TODAY, s, b)) for s in seeds]
        return float(np.mean([100.0 * (y / x - 1.0) for x, y in pairs])) - TARGETS_OF_REFORM[1].change

    hit = _root(materials, 0.2, 0.5, 6)

    def time(share: float) -> float:
        b = replace(Behaviour(), reuse_hit=hit, circulate=share)
        pairs = [(office(BEFORE, s, b, matters), office(TODAY, s, b, matters)) for s in seeds]
        return float(np.mean([change(x, y, "time") for x, y in pairs])) - TARGETS_OF_REFORM[0].change

    return replace(Behaviour(), reuse_hit=hit, circulate=_root(time, 0.36, 0.46, steps))


#: assumed parameters, moved by a half and by half as much again
ASSUMED = (
    "flaw", "late_flaw", "precheck_catches", "errand_days", "prepare_days", "travel_min", "circulate_sigma",
    "work_sigma", "refuse", "post_days",
)  # fmt: skip


def sensitivity(seeds: Sequence[int], behaviour: Behaviour | None = None) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the changes of F36 and F37 (time, materials) with each assumed parameter × 0.5 and × 1.5, others kept."""
    b = behaviour or Behaviour()
    out: dict[str, dict[str, tuple[float, float]]] = {}
    for name in ASSUMED:
        varied = [
            replace(b, **{name: min(getattr(b, name) * f, 0.95 if name.endswith("catches") else 1e9)})
            for f in (0.5, 1.5)
        ]
        rows = [compare(TARGETS_OF_REFORM, office, seeds, v) for v in varied]
        far = [compare(TARGETS_OF_CONVERSION, conversions, seeds, v) for v in varied]
        out[name] = {
            "F36 time": (rows[0][0].value, rows[1][0].value),
            "F36 materials": (rows[0][1].value, rows[1][1].value),
            "F37 time": (far[0][2].value, far[1][2].value),
            "F37 materials": (far[0][1].value, far[1][1].value),
        }
    return out


# -- telling ---------------------------------------------------------------------------------------------------


def told(rows: Iterable[Row]) -> list[str]:
    """Return the rows of a comparison as lines."""
    out = []
    for r in rows:
        sign = "≤" if r.target.at_least else "="
        kind = "fitted" if r.target.fitted else "predicted"
        out.append(
            f"{r.target.fact} {r.target.name:<10} target {sign} {r.target.change:6.1f} %   simulated {r.value:6.1f} %"
            f" [{r.low:.1f}, {r.high:.1f}] over {r.seeds} seeds ({kind}){'' if r.met else '  – not met'}"
        )
    return out


def main(args: Sequence[str]) -> int:
    """Print the study."""
    seeds = tuple(range(1, 11))
    if "--calibrate" in args:
        b = calibrate()
        print(f"reuse_hit = {b.reuse_hit:.3f}, circulate = {b.circulate:.3f} (seeds {FIT_SEEDS})")
        return 0
    if "--sensitivity" in args:
        for name, found in sensitivity(seeds[:3]).items():
            print(f"{name:<18}" + "  ".join(f"{k} {a:6.1f} … {z:6.1f}" for k, (a, z) in found.items()))
        return 0
    for targets, runner in ((TARGETS_OF_REFORM, office), (TARGETS_OF_CONVERSION, conversions)):
        print("\n".join(told(compare(targets, runner, seeds))))
    for title, runner in (("usual mix", office), ("conversion", conversions)):
        print(f"{title}: percentage points; without the lever today's office loses … / it alone brings …")
        for lever, effects in one_at_a_time(runner, seeds[:5]).items():
            print(
                f"  {lever:<16}"
                + "   ".join(f"{what}: {v['without'][0]:+5.1f} / {v['alone'][0]:+5.1f}" for what, v in effects.items())
            )
    if "--shapley" in args:
        print("Shapley values, percentage points of the office before")
        for lever, shared in shapley(lambda v, s, b: office(v, s, b, 1000), seeds[:3]).items():
            print(
                f"  {lever:<16}"
                + "   ".join(f"{w}: {m:+5.1f} [{lo:.1f}, {hi:.1f}]" for w, (m, lo, hi) in shared.items())
            )
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
