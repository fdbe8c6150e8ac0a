"""Falsify: search a scenario's parameters for the least robustness, and shrink what fails to the smallest change.

The search is CMA-ES (Hansen, "The CMA evolution strategy: a tutorial", 2016; library ``cma``) over the unit cube of the
varied parameters. It needs no gradient and copes with few runs. A counterexample is then shrunk as in delta debugging
(Zeller and Hildebrandt 2002): values that are not needed go back to the base, those that are needed are moved towards
it as far as the failure allows. What is left is a few lines of YAML that fail again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.errors import ScenarioError
from twin.scenario import Scenario
from twin.scenario.mistakes import did_you_mean
from twin.scenario.parts import clock_text, seconds_of

_VARY = re.compile(r"\s*([\w.]+)\s*=\s*(\S+?)\s*\.\.\s*(\S+?)\s*\Z")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?\Z")
SHRINK_STEPS = 4
Value = float | int | str


@dataclass(frozen=True)
class Range:
    """One varied parameter: a key of the scenario, and its bounds; a time of day counts in seconds."""

    key: str
    low: float
    high: float
    kind: str  # float, int or time

    def value(self, share: float) -> Value:
        """Return the value at a share of the range, 0 to 1."""
        x = self.low + min(max(share, 0.0), 1.0) * (self.high - self.low)
        if self.kind == "time":
            return clock_text(round(x / 60) * 60)
        return round(x) if self.kind == "int" else float(f"{x:.4g}")

    def share(self, value: Any) -> float | None:
        """Return where a value lies in the range (may be outside 0 to 1); None where it is no such value."""
        try:
            x = float(seconds_of(value)) if self.kind == "time" else float(value)
        except (TypeError, ValueError):
            return None
        return (x - self.low) / (self.high - self.low)


def read_range(text: str) -> Range:
    """Read ``key=low..high``; times of day as 07:00..09:00. ScenarioError: one sentence."""
    match = _VARY.match(text)
    if match is None:
        raise ScenarioError(f"--vary {text}: write it like weather.rain_mm_h=0..40 or interventions.0.at=07:00..08:30")
    key, low, high = match[1], match[2].strip("\"'"), match[3].strip("\"'")
    if _CLOCK.match(low) and _CLOCK.match(high):
        bounds = (float(seconds_of(low)), float(seconds_of(high)))
        kind = "time"
    else:
        try:
            bounds = (float(low), float(high))
        except ValueError:
            raise ScenarioError(f"--vary {text}: '{low}' and '{high}' are no numbers and no times of day") from None
        kind = "int" if all(re.fullmatch(r"-?\d+", part) for part in (low, high)) else "float"
    if not bounds[0] < bounds[1]:
        raise ScenarioError(f"--vary {text}: {low} is not below {high}")
    return Range(key, *bounds, kind)


def get(data: Any, key: str) -> Any:
    """Return the value of a dotted key of resolved data. ScenarioError names the nearest known key."""
    for part in key.split("."):
        if isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        elif isinstance(data, Mapping) and part in data:
            data = data[part]
        else:
            known = list(data) if isinstance(data, Mapping) else [str(i) for i in range(len(data or ()))]
            raise ScenarioError(f"--vary {key}: there is no key '{part}'{did_you_mean(part, known)}")
    return data


def changed(base: Scenario, values: Mapping[str, Value]) -> Scenario:
    """Return the base with dotted keys set. ScenarioError where they do not fit together."""
    data = base.resolved()
    for key, value in values.items():
        above, _, last = key.rpartition(".")
        parent: Any = get(data, above) if above else data
        parent[int(last) if isinstance(parent, list) else last] = value
    return Scenario.from_resolved(data, base.name)


def check_ranges(ranges: Sequence[Range], base: Scenario) -> None:
    """Raise ScenarioError for a range of which neither end is allowed: nothing could be tried there."""
    for r in ranges:
        said = []
        for share in (0.0, 1.0):
            try:
                changed(base, {r.key: r.value(share)})
            except ScenarioError as error:
                said.append(getattr(error, "problems", None) or [str(error)])
        if len(said) > 1:
            raise ScenarioError(f"--vary {r.key}: neither end is allowed: {said[0][0]}")


@dataclass
class Counterexample:
    """What was found. ``values``: what differs from the base; ``free``: varied keys that turned out not to matter."""

    values: dict[str, Value]
    robustness: float
    free: list[str] = field(default_factory=list)
    tried: int = 0


#: robustness of several settings at once: below 0 a property is broken
Objective = Callable[[Sequence[Mapping[str, Value]]], Sequence[float]]


def search(
    ranges: Sequence[Range],
    base: Mapping[str, Any],
    judge: Objective,
    runs: int,
    seed: int = 1,
    at_once: int | None = None,
) -> Counterexample:
    """Look for settings with the least robustness, at most ``runs`` of them; the base itself is tried first.

    Returns the first that breaks a property (``robustness`` below 0), else the nearest to it. ``at_once``: how many are
    judged together (None: a generation of the search); it changes the time, not what is found.
    """
    import cma

    start = [r.share(base.get(r.key)) for r in ranges]
    x0 = np.clip([0.5 if s is None else s for s in start], 0.0, 1.0)
    plain = {r.key: base[r.key] for r in ranges if r.key in base}
    best = Counterexample({}, judge([plain])[0], tried=1)
    if best.robustness < 0 or runs <= 1:
        return best
    n = len(ranges)
    options = {
        "bounds": [0, 1], "seed": seed + 1, "verbose": -9, "verb_disp": 0, "verb_log": 0,
        "popsize": max(4, 4 + int(3 * np.log(max(n, 1)))),
    }  # fmt: skip
    padded = np.append(x0, 0.5) if n == 1 else x0  # CMA-ES wants two dimensions
    es: Any = cma.CMAEvolutionStrategy(padded.tolist(), 0.35, options)
    while best.tried < runs and not es.stop():
        asked = es.ask()
        settings = [_values(ranges, x) for x in asked]
        told: list[float] = []
        for k in range(0, len(settings), at_once or len(settings)):
            some = settings[k : k + (at_once or len(settings))][: runs - best.tried]
            for values, r in zip(some, judge(some) if some else (), strict=True):
                told.append(r)
                best.tried += 1
                if r < best.robustness:
                    best = Counterexample(values, r, tried=best.tried)
                if r < 0:
                    return best
        cost = np.nan_to_num(np.asarray([*told, *([max(told)] * (len(asked) - len(told)))]), posinf=1e9, neginf=-1e9)
        es.tell(asked, cost.tolist())
    return best


def _values(ranges: Sequence[Range], x: npt.NDArray[np.float64]) -> dict[str, Value]:
    return {r.key: r.value(float(x[i])) for i, r in enumerate(ranges)}


def shrink(found: Counterexample, ranges: Sequence[Range], base: Mapping[str, Any], judge: Objective) -> Counterexample:
    """Return the smallest change that still fails: keys that do not matter at the base, the others near it."""
    values = {k: v for k, v in found.values.items() if v != base.get(k)}
    robustness, tried = found.robustness, found.tried
    for key in list(values):  # one by one: what is not needed goes back
        fewer = {k: v for k, v in values.items() if k != key}
        r = judge([{**base, **fewer}])[0]
        tried += 1
        if r < 0:
            values, robustness = fewer, r
    by_key = {r.key: r for r in ranges}
    for key in list(values):
        of = by_key[key]
        home, far = of.share(base.get(key)), of.share(values[key])
        if home is None or far is None:
            continue
        good, bad = home, far
        for _ in range(SHRINK_STEPS):  # as near to the base as the failure allows
            middle = of.value((good + bad) / 2)
            r = judge([{**base, **values, key: middle}])[0]
            tried += 1
            if r < 0:
                bad = (good + bad) / 2
                values, robustness = {**values, key: middle}, r
            else:
                good = (good + bad) / 2
    free = [r.key for r in ranges if r.key not in values]
    return Counterexample(values, robustness, free, tried)


def write(found: Counterexample, base: Scenario, extends: str, file: Path) -> None:
    """Write a counterexample as a scenario: what it extends, what matters, and what does not as comments."""
    data = changed(base, found.values).resolved()
    lines = [f"extends: {extends}", f"title: counterexample, robustness {found.robustness:.4g}"]
    plain = {k: v for k, v in found.values.items() if not k.startswith("interventions.")}
    lines += _nested(plain)
    if any(k.startswith("interventions.") for k in found.values):
        import json

        lines.append("interventions:")
        lines += [f"  - {json.dumps(_said(v), ensure_ascii=False)}" for v in data["interventions"]]
    lines += [f"# does not matter: {key}" for key in found.free]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _said(item: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in item.items() if v is not None}


def _nested(values: Mapping[str, Value]) -> list[str]:
    """Return dotted keys as YAML, one branch under the other."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *above, last = key.split(".")
        at = tree
        for part in above:
            at = at.setdefault(part, {})
        at[last] = value

    def lines(node: Mapping[str, Any], depth: int) -> list[str]:
        out = []
        for key, value in node.items():
            if isinstance(value, dict):
                out += [f"{'  ' * depth}{key}:", *lines(value, depth + 1)]
            else:
                shown = f'"{value}"' if isinstance(value, str) else value
                out.append(f"{'  ' * depth}{key}: {shown}")
        return out

    return lines(tree, 0)


def objective(
    scenario: Scenario,
    seeds: Sequence[int],
    properties: Sequence[Any],
    out: Path,
    workers: int | None,
    tell: Any,
) -> Objective:
    """Return what runs settings of a scenario and says how robust each is: the least over properties and seeds.

    Properties have different units, so each robustness is divided by its size where it was met first. A setting that
    is no scenario is of no use: infinite. One whose run does not end breaks everything.
    """
    from scenarios.checks.run import judge as judge_run
    from scenarios.runner.runs import run_all
    from scenarios.runner.store import Job
    from twin.log import Facts

    scale: dict[str, float] = {}

    def one(outcomes: Mapping[str, Any]) -> float:
        worst = float("inf")
        for name, o in outcomes.items():
            if o.holds is None:
                continue
            r = o.robustness if o.robustness is not None else (1.0 if o.holds else -1.0)
            if np.isfinite(r):
                r /= scale.setdefault(name, max(abs(r), 1e-9))
            worst = min(worst, r if o.holds else min(r, -1e-9))
        return worst

    def judge(settings: Sequence[Mapping[str, Value]]) -> list[float]:
        jobs: list[list[Job]] = []
        for values in settings:
            try:
                s = changed(scenario, values)
                first = Job.of(s, seeds[0])
                jobs.append([Job.of(s, seed, key=first.key) for seed in seeds])
            except ScenarioError:
                jobs.append([])
        runs = run_all([j for group in jobs for j in group], out, workers, tell=tell)
        if runs.interrupted:
            raise KeyboardInterrupt
        told = []
        for group in jobs:
            worst = float("inf")
            for job in group:
                result = runs.finished.get(job.id)
                worst = min(worst, -1e9 if result is None else one(judge_run(Facts.read(result.folder), properties)))
            told.append(worst)
        return told

    return judge
