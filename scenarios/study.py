"""One base, several variants, many seeds: plan, run, look, answer, and write it down.

Every variant has its own plan against the base – fixed and hashed before its first run – and stops at its own look, so
adding a variant changes no number of another. Runs of the base are shared. Everything lies in one folder:
``plans.json``, ``runs/``, ``result.json``; asking again there runs only what is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scenarios.kpis.base import Kpi
from scenarios.runner.identity import canonical, scenario_key
from scenarios.runner.runs import ByName, Runs, run_all
from scenarios.runner.store import Job, folder_name, prepare_out
from scenarios.runner.telling import Tell, silent
from scenarios.stats.answers import Reply, reply
from scenarios.stats.paired import join
from scenarios.stats.plan import Asked, Guardrail, Plan, looks_up_to
from scenarios.stats.precision import LEAST_N, MOST_N, looks_at_width, parse_precision
from scenarios.stats.selection import FIRST_STAGE, Selection, kim_nelson
from twin.errors import ScenarioError
from twin.scenario import Scenario

#: indicators whose names hold one of these say what was not finished when a run ended
UNFINISHED = ("under_way", "undelivered", "unfinished")
PLANS, RESULT = "plans.json", "result.json"
#: (jobs, folder, workers, cluster, tell) → what became of them
CarryOut = Callable[[Sequence[Job], Path, int | None, str | None, Tell], Runs]


@dataclass(frozen=True)
class Question:
    """What is asked of a set of variants. ``smallest``: KPI → smallest effect that matters, in its unit.

    ``sequential``: look at 20, 40, 80 … pairs and stop when all is decided; ``until``: stop at a width instead.
    ``advice_percent``: the ±x % for which the number of further runs is told.
    """

    kpis: tuple[Kpi, ...]
    seeds: tuple[int, ...]
    guardrails: tuple[Guardrail, ...] = ()
    smallest: Mapping[str, float] = field(default_factory=dict)
    sequential: bool = False
    until: str = ""
    warm_up_s: int = 0
    advice_percent: float = 2.0

    def looks(self) -> tuple[int, ...]:
        """Return the numbers of pairs at which runs may stop."""
        if self.until:
            return tuple(looks_at_width(len(self.seeds)))
        return looks_up_to(len(self.seeds), self.sequential)

    def plan(self, base: str, variant: str, question: str) -> Plan:
        """Return the plan of one variant; base and variant are keys of scenarios."""
        return Plan(
            question=question,
            base=base,
            variant=variant,
            asked=tuple(Asked(k.name, k.better, self.smallest.get(k.name)) for k in self.kpis),
            seeds=self.seeds,
            looks=(max(self.looks()),) if self.until else self.looks(),
            guardrails=self.guardrails,
            until=self.until,
            warm_up_s=self.warm_up_s,
        )


@dataclass(frozen=True)
class Compared:
    """One variant's answer. ``planned_before``: its plan was fixed before any of its runs was there."""

    scenario: Scenario
    key: str
    reply: Reply
    planned_before: bool
    digests: Mapping[int, tuple[str | None, str | None]]
    failed: Mapping[tuple[str, int], str]
    unfinished: tuple[tuple[Kpi, float, float], ...] = ()

    @property
    def same(self) -> bool:
        """Whether every pair of logs is bit-identical."""
        return bool(self.digests) and all(a is not None and a == b for a, b in self.digests.values())


@dataclass(frozen=True)
class Study:
    """A base, its variants and their answers."""

    out: Path
    base: Scenario
    base_key: str
    question: Question
    compared: tuple[Compared, ...]
    interrupted: bool
    best: Mapping[str, Selection] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the hash of the plans and of the digests of all runs that count."""
        h = hashlib.blake2b(digest_size=8)
        for c in self.compared:
            h.update(canonical([c.reply.plan.digest, sorted((s, *d) for s, d in c.digests.items())]))
        return h.hexdigest()


def seeds_for(n: int | None, until: str) -> tuple[int, ...]:
    """Return the seeds of a plan: 1 … n; a precision run may take up to 1,000."""
    if until:
        parse_precision(until)
        most = MOST_N if n is None else n
        if most < LEAST_N:
            raise ScenarioError(f"--seeds: is {most}; a run until a precision takes at least {LEAST_N} pairs")
        return tuple(range(1, most + 1))
    most = 20 if n is None else n
    if most < 1:
        raise ScenarioError(f"--seeds: is {most}; allowed: a whole number from 1")
    return tuple(range(1, most + 1))


def study(
    base: Scenario,
    variants: Sequence[Scenario],
    question: Question,
    out: Path,
    workers: int | None = None,
    cluster: str | None = None,
    tell: Tell = silent,
    grow: Callable[[int], None] = lambda _: None,
    record: int = 0,
    carry_out: CarryOut = run_all,
    key_of: Callable[[Scenario], str] = scenario_key,
) -> Study:
    """Run base and variants until every plan has its answer, and write ``result.json``.

    ``record``: for the first so many seeds vehicles' positions are recorded. ``carry_out``, ``key_of``: what makes runs
    of jobs, and what tells scenarios apart, where they are not plain runs (:mod:`scenarios.branch_seeds`).
    Raises ScenarioError.
    """
    if not variants:
        raise ScenarioError("give at least one variant to compare with the base")
    prepare_out(out)
    keys = _keys(base, variants, key_of)
    plans = [question.plan(keys[0], k, v.question or base.question) for k, v in zip(keys[1:], variants, strict=True)]
    before = [
        _fix(out, plan, any(_any_run(out, s, plan.variant) for s in (v, base)))
        for plan, v in zip(plans, variants, strict=True)
    ]
    looks = question.looks()
    to_run = [
        v if "-" not in k else v.model_copy(update={"name": base.name}) for v, k in zip(variants, keys[1:], strict=True)
    ]
    open_, answers = list(range(len(variants))), dict[int, Reply]()
    values: dict[str, ByName] = {}
    everything = Runs(out)
    wanted = _kpis_of(question)
    beside = [k for k in _all_kpis() if any(w in k.name for w in UNFINISHED)]
    for look in looks:
        seeds = question.seeds[:look]
        scenarios = {keys[0]: base} | {keys[k + 1]: to_run[k] for k in open_}
        jobs = [Job.of(s, seed, seed in question.seeds[:record], key) for seed in seeds for key, s in scenarios.items()]
        grow(len(jobs))
        runs = carry_out(jobs, out, workers, cluster, _only_new(tell, everything))
        everything.finished.update(runs.finished)
        everything.failed.update(runs.failed)
        everything.interrupted |= runs.interrupted
        for key in scenarios:
            values[key] = runs.values([j for j in jobs if j.key == key], wanted, question.warm_up_s)
            values[key] |= runs.values([j for j in jobs if j.key == key], beside)
        for k in list(open_):
            ran = [s for s in seeds if all(_tried(runs, key, s) for key in (keys[0], keys[k + 1]))]
            answers[k] = reply(plans[k], wanted, values[keys[0]], values[keys[k + 1]], ran, question.advice_percent)
            if answers[k].done:
                open_.remove(k)
        if not open_ or everything.interrupted:
            break
    compared = tuple(
        _compared(variants[k], keys[k + 1], keys[0], answers[k], before[k], everything, question, values, beside)
        for k in range(len(variants))
    )
    done = Study(out, base, keys[0], question, compared, everything.interrupted, _best(question, keys, values))
    write_result(done)
    return done


def _keys(base: Scenario, variants: Sequence[Scenario], key_of: Callable[[Scenario], str]) -> list[str]:
    """Return the keys of base and variants; one that is the same as another gets runs of its own all the same.

    So a scenario against itself is a test of the machinery: two runs whose digests must be equal. (It runs under the
    base's name, which is in the log.)
    """
    out: list[str] = []
    for s in (base, *variants):
        key = key_of(s)
        n = sum(k.partition("-")[0] == key for k in out)
        out.append(f"{key}-{n + 1}" if n else key)
    return out


def _tried(runs: Runs, key: str, seed: int) -> bool:
    return (key, seed) in runs.finished or (key, seed) in runs.failed


def _only_new(tell: Tell, known: Runs) -> Tell:
    """Return what does not tell again of runs that an earlier look told of."""
    before = set(known.finished) | set(known.failed)

    def told(what: Any) -> None:
        if what.what != "known" or what.job is None or what.job.id not in before:
            tell(what)

    return told


def _kpis_of(question: Question) -> list[Kpi]:
    from scenarios import kpis

    asked = {k.name for k in question.kpis}
    guards = dict.fromkeys(g.kpi for g in question.guardrails if g.kpi not in asked)
    return [*question.kpis, *(kpis.by_name(name) for name in guards)]


def _all_kpis() -> Sequence[Kpi]:
    from scenarios import kpis

    return kpis.ALL


def _compared(
    variant: Scenario,
    key: str,
    base_key: str,
    answer: Reply,
    before: bool,
    runs: Runs,
    question: Question,
    values: Mapping[str, ByName],
    beside: Sequence[Kpi],
) -> Compared:
    seeds = question.seeds[: answer.pairs]

    def digest(k: str, s: int) -> str | None:
        found = runs.finished.get((k, s))
        return found.digest if found else None

    digests = {s: (digest(base_key, s), digest(key, s)) for s in seeds}
    failed = {i: said for i, said in runs.failed.items() if i[0] in (key, base_key) and i[1] in set(seeds)}
    unfinished = []
    for kpi in beside:
        both = join(values.get(base_key, {}).get(kpi.name, {}), values.get(key, {}).get(kpi.name, {}), seeds)
        if both.seeds:
            unfinished.append((kpi, float(both.base.mean()), float(both.variant.mean())))
    return Compared(variant, key, answer, before, digests, failed, tuple(unfinished))


def _best(question: Question, keys: list[str], values: Mapping[str, ByName]) -> dict[str, Selection]:
    """Select the best of three or more (base included) in each indicator with a smallest effect and a direction."""
    if len(keys) < 3:
        return {}
    out = {}
    for kpi in question.kpis:
        zone = question.smallest.get(kpi.name)
        if not zone or kpi.better == "neither":
            continue
        columns = [values.get(k, {}).get(kpi.name, {}) for k in keys]
        seeds = [s for s in question.seeds if all(c.get(s) is not None for c in columns)]
        if len(seeds) >= FIRST_STAGE:
            table = np.array([[c[s] for c in columns] for s in seeds], dtype=np.float64)
            out[kpi.name] = kim_nelson(table, zone, higher=kpi.better == "higher")
    return out


# -- plans ---------------------------------------------------------------------------------------------


def _any_run(out: Path, scenario: Scenario, key: str) -> bool:
    folder = out / "runs" / folder_name(scenario.name, key)
    return folder.is_dir() and any(folder.glob("*/done.json"))


def _fix(out: Path, plan: Plan, runs_there: bool) -> bool:
    """Write a plan down before its first run; return whether it was there before any run of its variant."""
    file = out / PLANS
    try:
        known: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
        mine = next((p for p in known if p["digest"] == plan.digest), None)
    except (ValueError, KeyError, TypeError):
        raise ScenarioError(f"{file}: is not a list of plans; choose another --out") from None
    if mine is None:
        mine = {"digest": plan.digest, "before_first_run": not runs_there, "plan": plan.content()}
        part = out / ".plans.part"
        part.write_text(json.dumps([*known, mine], ensure_ascii=False, indent=1), encoding="utf-8")
        part.replace(file)
    return bool(mine["before_first_run"])


# -- result --------------------------------------------------------------------------------------------


def write_result(done: Study) -> Path:
    """Write ``result.json`` at once and return its path."""
    part = done.out / ".result.part"
    part.write_text(json.dumps(as_data(done), ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(done.out / RESULT)
    return done.out / RESULT


def as_data(done: Study) -> dict[str, Any]:
    """Return a study as plain data; what is infinite or unknown is null."""
    return {
        "format": 1,
        "digest": done.digest,
        "interrupted": done.interrupted,
        "base": {
            "name": done.base.name,
            "folder": folder_name(done.base.name, done.base_key),
            "key": done.base_key,
            "scenario": done.base.resolved(),
        },
        "seeds": list(done.question.seeds),
        "warm_up_s": done.question.warm_up_s,
        "advice_percent": done.question.advice_percent,
        "variants": [_variant_data(c, done.base.name) for c in done.compared],
        "best": {k: {"survivors": list(s.survivors), "n": s.n} for k, s in done.best.items()},
    }


def _variant_data(c: Compared, base_name: str) -> dict[str, Any]:
    r = c.reply
    return {
        "name": c.scenario.name,
        "folder": folder_name(base_name if "-" in c.key else c.scenario.name, c.key),
        "key": c.key,
        "scenario": c.scenario.resolved(),
        "plan": {"digest": r.plan.digest, "before_first_run": c.planned_before, **r.plan.content()},
        "pairs": r.pairs,
        "complete": r.done,
        "same": c.same,
        "safe": r.safe,
        "answers": [_answer_data(a) for a in r.answers],
        "guardrails": [_answer_data(a) for a in r.guards],
        "unfinished": [
            {"kpi": k.name, "title": k.title, "title_zh": k.title_zh, "unit": k.unit, "base": a, "variant": b}
            for k, a, b in c.unfinished
        ],
        "digests": {str(s): list(d) for s, d in c.digests.items()},
        "failed": [
            {"scenario": "base" if i[0] != c.key else "variant", "seed": i[1], "said": t} for i, t in c.failed.items()
        ],
    }


def _answer_data(a: Any) -> dict[str, Any]:
    s = a.summary
    out = {
        "kpi": a.kpi.name,
        "title": a.kpi.title,
        "title_zh": a.kpi.title_zh,
        "unit": a.kpi.unit,
        "better": a.kpi.better,
        "verdict": a.verdict,
        "why": a.why,
        "at_look": a.at_look,
        "without": list(a.without),
        "more": a.more,
        "more_for": a.more_for,
        "pairs": [
            [seed, float(b), float(v)]
            for seed, b, v in zip(a.joined.seeds, a.joined.base, a.joined.variant, strict=True)
        ]
        if a.joined is not None
        else [],
    }
    if s is not None:
        out["summary"] = {
            "n": s.n,
            "base": s.base,
            "variant": s.variant,
            "difference": s.difference,
            "low": _finite(s.low),
            "high": _finite(s.high),
            "correlation": s.correlation,
            "variance_ratio": s.variance_ratio,
        }
    if a.guarded is not None:
        out["guardrail"] = {
            "passed": a.guarded.passed,
            "worst": _finite(a.guarded.worst),
            "margin": a.guarded.margin,
        }
    return out


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
