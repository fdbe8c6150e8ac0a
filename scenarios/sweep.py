"""Sweeps over a scenario's parameters: grids, samples, and which parameter matters (SALib: Morris, Sobol).

A parameter is a key of the scenario with values (``bus.units=1,2,4``) or a range (``traffic.background=0.5..1.5``).
Every point runs under the same seeds, on the same runner as comparisons: what is finished is not run again.

Morris (1991; Campolongo 2007): elementary effects; μ* says how much a parameter matters, σ how much that depends on the
others or is not linear. Sobol (Saltelli 2010): shares of the variance, S1 by itself, ST with all its interactions.
Latin hypercube: rank correlation of each parameter with the indicator. Grid: mean at each value.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from scenarios.kpis.base import Kpi
from scenarios.runner.identity import scenario_key
from scenarios.runner.runs import run_all
from scenarios.runner.store import Job, prepare_out
from scenarios.runner.telling import Tell, silent
from twin.errors import ScenarioError
from twin.scenario import Scenario

Floats = npt.NDArray[np.float64]
Method = Literal["grid", "lhs", "morris", "sobol"]
METHODS: tuple[Method, ...] = ("grid", "lhs", "morris", "sobol")
MORRIS_LEVELS = 4
SALIB_SEED = 1
RESULT, TABLE = "sweep.json", "table.csv"


@dataclass(frozen=True)
class Parameter:
    """A key that varies: ``values`` as YAML texts, or a range ``low`` … ``high`` (whole numbers only: ``whole``)."""

    key: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    steps: int = 0
    whole: bool = False

    def at(self, share: float) -> str:
        """Return the value at a share of the range in [0, 1], as YAML text."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        if self.whole:
            return str(min(int(self.low + share * (self.high - self.low + 1)), int(self.high)))
        return f"{self.low + share * (self.high - self.low):.6g}"

    def levels(self) -> list[str]:
        """Return the values of a grid."""
        if self.values:
            return list(self.values)
        return list(dict.fromkeys(self.at(k / (self.steps - 1)) for k in range(self.steps)))


def parse_parameter(text: str) -> Parameter:
    """Read "key=a,b,c", "key=lo..hi" or "key=lo..hi/5" (five steps of a grid). Raises ScenarioError."""
    key, equals, said = text.partition("=")
    key, said = key.strip(), said.strip()
    if not equals or not key or not said:
        raise ScenarioError(f"--vary '{text}': write it like bus.units=1,2,4 or traffic.background=0.5..1.5")
    if ".." not in said:
        values = tuple(v.strip() for v in said.split(","))
        if "" in values or len(set(values)) < len(values):
            raise ScenarioError(f"--vary '{text}': its values must be different, and none may be empty")
        return Parameter(key, values)
    span, _, steps = said.partition("/")
    low, _, high = span.partition("..")
    try:
        a, b, n = float(low), float(high), int(steps or 5)
    except ValueError:
        a, b, n = math.nan, math.nan, 0
    if not (a < b < math.inf) or n < 2:
        raise ScenarioError(f"--vary '{text}': a range is written lo..hi with lo below hi, or lo..hi/5 with five steps")
    whole = low.strip().lstrip("-").isdigit() and high.strip().lstrip("-").isdigit()
    return Parameter(key, (), a, b, n, whole)


def points_of(parameters: Sequence[Parameter], method: Method, n: int) -> Floats:
    """Return the design in shares of each range (points, parameters); a grid has none."""
    d = len(parameters)
    problem = {"num_vars": d, "names": [p.key for p in parameters], "bounds": [[0.0, 1.0]] * d}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SALib warns of its own past and future
        if method == "lhs":
            from SALib.sample import latin

            return np.asarray(latin.sample(problem, n, seed=SALIB_SEED), dtype=np.float64)
        if method == "morris":
            from SALib.sample import morris

            return np.asarray(morris.sample(problem, n, num_levels=MORRIS_LEVELS, seed=SALIB_SEED), dtype=np.float64)
        from SALib.sample import sobol

        return np.asarray(sobol.sample(problem, n, calc_second_order=False, seed=SALIB_SEED), dtype=np.float64)


def design(parameters: Sequence[Parameter], method: Method, n: int) -> tuple[list[dict[str, str]], Floats]:
    """Return the points as keys → YAML texts, and as shares. Raises ScenarioError for what cannot be sampled."""
    if not parameters:
        raise ScenarioError("give at least one --vary KEY=…")
    keys = [p.key for p in parameters]
    if len(set(keys)) < len(keys):
        raise ScenarioError(f"--vary: the key '{max(keys, key=keys.count)}' is given twice")
    if method == "grid":
        rows = [dict(zip(keys, row, strict=True)) for row in itertools.product(*(p.levels() for p in parameters))]
        return rows, np.empty((len(rows), 0))
    if n < 2 or (method == "sobol" and n & (n - 1)):
        allowed = "a power of two" if method == "sobol" else "at least 2"
        raise ScenarioError(f"--n: is {n}; with --sample {method} it must be {allowed}")
    shares = points_of(parameters, method, n)
    return [{p.key: p.at(float(u)) for p, u in zip(parameters, row, strict=True)} for row in shares], shares


@dataclass(frozen=True)
class Point:
    """One point: what was set, its key, and indicator → mean over seeds, spread over seeds, number of values."""

    sets: Mapping[str, str]
    key: str
    values: Mapping[str, tuple[float, float, int]]
    failed: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Swept:
    """A sweep. ``effects``: indicator → parameter → measure → value (nan: cannot be told)."""

    out: Path
    method: Method
    parameters: tuple[Parameter, ...]
    points: tuple[Point, ...]
    effects: Mapping[str, Mapping[str, Mapping[str, float]]]
    seeds: tuple[int, ...]
    interrupted: bool

    @property
    def missing(self) -> int:
        """Points without a value in some indicator that others have."""
        return sum(not p.values for p in self.points)


def sweep(
    make: Callable[[Mapping[str, str]], Scenario],
    parameters: Sequence[Parameter],
    kpis: Sequence[Kpi],
    out: Path,
    method: Method = "grid",
    n: int = 8,
    seeds: Sequence[int] = (1,),
    workers: int | None = None,
    cluster: str | None = None,
    tell: Tell = silent,
    grow: Callable[[int], None] = lambda _: None,
) -> Swept:
    """Run every point under every seed and say which parameter matters; ``make``: key → YAML text → scenario.

    Writes ``table.csv`` and ``sweep.json``. Raises ScenarioError, for a value that a key does not allow too.
    """
    rows, shares = design(parameters, method, n)
    prepare_out(out)
    scenarios: dict[str, Scenario] = {}
    keys: list[str] = []
    made: dict[tuple[str, ...], str] = {}
    for row in rows:
        told = tuple(row.values())
        if told not in made:
            s = make(row)
            made[told] = scenario_key(s)
            scenarios.setdefault(made[told], s)
        keys.append(made[told])
    jobs = {key: [Job.of(s, seed, key=key) for seed in seeds] for key, s in scenarios.items()}
    everything = [job for many in zip(*jobs.values(), strict=True) for job in many]
    grow(len(everything))
    runs = run_all(everything, out, workers, cluster, tell)
    values = {key: runs.values(own, kpis) for key, own in jobs.items()}
    points = []
    for row, key in zip(rows, keys, strict=True):
        own = {name: _mean(list(by_seed.values())) for name, by_seed in values[key].items()}
        failed = tuple((job.seed, runs.failed[job.id]) for job in jobs[key] if job.id in runs.failed)
        whole = all(job.id in runs.finished for job in jobs[key])
        points.append(Point(row, key, {k: v for k, v in own.items() if v is not None} if whole else {}, failed))
    effects = {k.name: _effects(parameters, method, shares, points, k.name) for k in kpis}
    done = Swept(out, method, tuple(parameters), tuple(points), effects, tuple(seeds), runs.interrupted)
    _write(done, kpis)
    return done


def _mean(values: list[float | None]) -> tuple[float, float, int] | None:
    there = [v for v in values if v is not None]
    if not there or len(there) < len(values):  # a mean over other seeds than its neighbours' would not be comparable
        return None
    spread = float(np.std(there, ddof=1)) if len(there) > 1 else 0.0
    return math.fsum(there) / len(there), spread, len(there)


def _effects(
    parameters: Sequence[Parameter], method: Method, shares: Floats, points: Sequence[Point], kpi: str
) -> dict[str, dict[str, float]]:
    y = np.array([p.values[kpi][0] if kpi in p.values else np.nan for p in points])
    names = [p.key for p in parameters]
    if np.isnan(y).any() or (np.ptp(y) == 0 and method != "grid"):
        flat = not np.isnan(y).any()
        zero = {"morris": ("mu_star", "sigma"), "sobol": ("S1", "ST"), "lhs": ("rank_r",), "grid": ()}[method]
        return {n: dict.fromkeys(zero, 0.0 if flat else math.nan) for n in names}
    if method == "grid":
        return {
            p.key: {
                level: float(np.mean([v for v, q in zip(y, points, strict=True) if q.sets[p.key] == level]))
                for level in p.levels()
            }
            for p in parameters
        }
    if method == "lhs":
        from scipy.stats import rankdata

        ranks = rankdata(y)
        return {n: {"rank_r": float(np.corrcoef(rankdata(shares[:, i]), ranks)[0, 1])} for i, n in enumerate(names)}
    return _salib(names, method, shares, y)


def _salib(names: list[str], method: Method, shares: Floats, y: Floats) -> dict[str, dict[str, float]]:
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method == "morris":
            from SALib.analyze import morris

            found = morris.analyze(problem, shares, y, num_levels=MORRIS_LEVELS, seed=SALIB_SEED)
            measures = {"mu_star": "mu_star", "mu_star_conf": "mu_star_conf", "sigma": "sigma"}
        else:
            from SALib.analyze import sobol

            found = sobol.analyze(problem, y, calc_second_order=False, seed=SALIB_SEED)
            measures = {"S1": "S1", "S1_conf": "S1_conf", "ST": "ST", "ST_conf": "ST_conf"}
    return {n: {m: float(found[k][i]) for m, k in measures.items()} for i, n in enumerate(names)}


def table(done: Swept, kpis: Sequence[Kpi]) -> str:
    """Return the result table as CSV: parameters, then mean and spread of each indicator; empty where missing."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    names = [p.key for p in done.parameters]
    rows.writerow([*names, *(x for k in kpis for x in (k.name, f"{k.name}_sd")), "seeds", "failed_seeds"])
    for p in done.points:
        cells: list[object] = [p.sets[n] for n in names]
        for k in kpis:
            mean, spread, _ = p.values.get(k.name, (None, None, 0))
            cells += ["" if mean is None else repr(mean), "" if spread is None else repr(spread)]
        rows.writerow([*cells, len(done.seeds), " ".join(str(s) for s, _ in p.failed)])
    return out.getvalue()


def _write(done: Swept, kpis: Sequence[Kpi]) -> None:
    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    data: dict[str, Any] = {
        "format": 1,
        "method": done.method,
        "parameters": [p.key for p in done.parameters],
        "seeds": list(done.seeds),
        "interrupted": done.interrupted,
        "missing": done.missing,
        "kpis": [
            {"name": k.name, "title": k.title, "title_zh": k.title_zh, "unit": k.unit, "better": k.better} for k in kpis
        ],
        "points": [
            {"sets": dict(p.sets), "key": p.key, "values": {k: list(v) for k, v in p.values.items()}}
            | ({"failed": [list(f) for f in p.failed]} if p.failed else {})
            for p in done.points
        ],
        "effects": {
            k: {p: {m: number(v) for m, v in found.items()} for p, found in by.items()}
            for k, by in done.effects.items()
        },
    }
    for name, text in ((TABLE, table(done, kpis)), (RESULT, json.dumps(data, ensure_ascii=False, indent=1))):
        part = done.out / f".{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(done.out / name)
