"""The fault matrix: a scenario under each fault alone, in pairs, and in sampled threes; what held, and what fired.

Safety is judged all the time, liveness (every A is followed by B) only of what began when no fault held; a cell counts
only if each of its faults really struck. Faults are those of :class:`twin.scenario.interventions.Fault`, at the
strengths of ``STRENGTH``; ``docs/check.md`` says what each stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from scenarios.checks.model import Outcome, Property
from scenarios.checks.patterns import Response
from scenarios.checks.run import judge, shipped
from scenarios.checks.waivers import broken, reasons
from scenarios.runner.runs import run_all
from scenarios.runner.store import Job
from scenarios.runner.telling import Tell, silent
from twin.dice import Stream
from twin.errors import ScenarioError
from twin.log import Facts
from twin.scenario import Scenario
from twin.scenario.interventions import FAULTS
from twin.scenario.mistakes import did_you_mean
from twin.scenario.parts import DAY_S, clock_text

#: kind → how strong it is in the matrix (shares, delays: the upper ends of the design's ranges; see docs/check.md)
STRENGTH: dict[str, dict[str, Any]] = {
    "messages_lost": {"share": 0.3},
    "messages_late": {"seconds": 60},
    "messages_twice": {"share": 0.5},
    "messages_shuffled": {"share": 0.5},
    "commands_lost": {"share": 0.1},
    "controller_restarts": {},
    "controller_down": {},
    "controller_slow": {"seconds": 60},
    "controller_clock": {"seconds": 300},
}
BEGIN, END = 0.25, 0.6  # the faults hold in this part of the run; what is left is for healing
HEALING_S = 900  # until what began before the faults healed has been worked off (assumed)
TRIPLES = 6


@dataclass(frozen=True)
class Cell:
    """One combination of faults under one seed: how often each struck, what the properties said, what is waived."""

    faults: tuple[str, ...]
    seed: int
    fired: dict[str, int]
    outcomes: dict[str, Outcome]
    failed: str = ""
    waived: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether each of its faults struck at least once."""
        return not self.failed and all(self.fired.get(f, 0) > 0 for f in self.faults)

    @property
    def broken(self) -> list[str]:
        """Names of the properties that did not hold and are not waived."""
        return list(broken(self.outcomes, self.waived))


def kinds(spec: str) -> list[str]:
    """Return the kinds of fault that ``--faults`` names: all, or a list with commas; ScenarioError: unknown."""
    if spec == "all":
        return list(STRENGTH)
    found = [part.strip() for part in spec.split(",") if part.strip()]
    if "all" in found:
        raise ScenarioError(f"--faults: is '{spec}'; 'all' stands alone, there is no kind to add to it")
    if not found:
        raise ScenarioError(f"--faults: is '{spec}', which names no fault; there are: all, {', '.join(STRENGTH)}")
    for kind in found:
        if kind not in STRENGTH:
            raise ScenarioError(
                f"--faults: '{kind}' is no fault of the matrix; there are: all, {', '.join(STRENGTH)}"
                f"{did_you_mean(kind, STRENGTH)}"
            )
    return found


def cells(of: Sequence[str], triples: int = TRIPLES) -> list[tuple[str, ...]]:
    """Return every fault alone, every pair, and ``triples`` sampled threes (the same every time)."""
    single: list[tuple[str, ...]] = [(k,) for k in of]
    pairs: list[tuple[str, ...]] = list(combinations(of, 2))
    threes: list[tuple[str, ...]] = list(combinations(of, 3))
    if threes:
        order = Stream(0, "checks.matrix").uniform(np.arange(len(threes))).argsort()
        threes = [threes[i] for i in sorted(order[:triples].tolist())]
    return [*single, *pairs, *threes]


def window(s: Scenario) -> tuple[int, int]:
    """Return when the faults hold, s since midnight of the first day, on whole minutes."""
    length = s.end_s - s.start_s
    return tuple(s.start_s + int(length * part) // 60 * 60 for part in (BEGIN, END))  # type: ignore[return-value]


def with_faults(s: Scenario, faults: Iterable[str]) -> Scenario:
    """Return a scenario with faults on top of what happens in it already."""
    begin_s, end_s = window(s)
    day, at = divmod(begin_s, DAY_S)
    day_2, until = divmod(end_s, DAY_S)
    if day != day_2:
        until = DAY_S
    added = [
        {
            "kind": "fault", "what": kind, "day": day + 1, "at": clock_text(at), **STRENGTH[kind],
            **({} if kind == "controller_restarts" else {"until": clock_text(until)}),
        }
        for kind in faults
    ]  # fmt: skip
    there = [v.model_dump(mode="json", by_alias=True) for v in s.interventions]
    return s.changed(interventions=[*there, *added])


def matrix(
    scenario: Scenario,
    seeds: Sequence[int],
    of: Sequence[str],
    properties: Sequence[Property] | None = None,
    out: Path | None = None,
    workers: int | None = None,
    tell: Tell = silent,
    triples: int = TRIPLES,
    about: Callable[[int], None] = lambda _: None,
) -> list[Cell]:
    """Run every cell under every seed and judge it. ``about``: told how many runs there are."""
    begin_s, end_s = window(scenario)
    excused = ((begin_s - HEALING_S, end_s + HEALING_S),)
    demanded = [
        replace(p, excused=excused) if isinstance(p, Response) else p
        for p in (properties if properties is not None else shipped())
    ]
    waived = tuple(reasons(scenario, demanded))
    jobs: dict[tuple[tuple[str, ...], int], Job] = {}
    for faults in cells(of, triples):
        changed = with_faults(scenario, faults)
        first = Job.of(changed, seeds[0])
        jobs |= {(faults, seed): Job.of(changed, seed, key=first.key) for seed in seeds}
    about(len(jobs))
    folder = out if out is not None else Path("runs") / f"faults-{scenario.name}"
    runs = run_all(list(jobs.values()), folder, workers, tell=tell)
    done: list[Cell] = []
    for (faults, seed), job in jobs.items():
        result = runs.finished.get(job.id)
        if result is None:
            done.append(Cell(faults, seed, {}, {}, runs.failed.get(job.id, "not run")))
            continue
        facts = Facts.read(result.folder)
        told = facts.frame("FaultEnded")
        fired = {f: int(told.loc[told["fault"] == f, "fired"].sum()) for f in faults}
        done.append(Cell(faults, seed, fired, judge(facts, demanded), waived=waived))
    return done


assert set(STRENGTH) <= set(FAULTS)
