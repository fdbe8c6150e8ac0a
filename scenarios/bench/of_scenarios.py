"""The promises about comparing, branching, checking, sweeping; :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from scenarios.bench.base import Promise
from twin.errors import ScenarioError

SCENARIOS: tuple[Promise, ...] = (
    Promise("workers", "two workers ÷ one, 8 runs of the demo, wall", "×", 0.588, None),
    Promise("branch_ratio", "4 futures branched at 08:00 of the demo ÷ 4 runs from the start, wall", "×", 0.62, None),
    Promise("journals", "processor time of writing journals ÷ the rest of the demo's", "%", 5, None),
    Promise("checks", "judging every shipped property (over 20) on a day with all fleets", "s", 10, None),
    Promise("crn_variance", "paired ÷ independent variance, the worst of the shipped comparisons", "×", 0.5, None),
)
RUNS = 8
FUTURES = 4
BRANCH_S = 8 * 3600
#: base, variant, keys set in both, keys set in the variant, indicator: what the catalogue is made to be asked
SHIPPED: tuple[tuple[str, str, dict[str, str], dict[str, str], str], ...] = (
    ("demo", "road_closure", {}, {}, "vehicle_time_s"),
    ("demo", "demo", {}, {"delivery.units": "8"}, "delivery_within_hour"),
    ("demo", "demo", {}, {"weather.kind": "rain", "weather.rain_mm_h": "20"}, "time_car_min"),
)
PAIRS = 6


class Scratch(Protocol):
    """What these promises need of the bench."""

    dir: Path

    def say(self, text: str) -> None:
        """Say what is being measured."""

    def run(self, name: str, scenario: str, *sets: str) -> dict[str, Any]:
        """Run a scenario once in a process of its own; see the bench."""


class OfScenarios:
    """Methods of the bench, one a promise."""

    def workers(self: Scratch) -> tuple[float | None, str]:
        """Return the wall time of eight runs by two workers over that by one.

        The eight by one are made in two halves, before and after those by two: a machine that gets slower or faster
        in the meantime falls on both.
        """
        from scenarios.runner.runs import run_all
        from scenarios.runner.store import Job
        from twin.scenario import load_scenario

        if (os.cpu_count() or 1) < 2:
            return None, "not measured: one core"
        demo = load_scenario("demo")
        took = {1: 0.0, 2: 0.0}
        half = RUNS // 2
        for turn, (workers, first, last) in enumerate(((1, 1, half), (2, 1, RUNS), (1, half + 1, RUNS))):
            jobs = [Job.of(demo, seed) for seed in range(first, last + 1)]
            self.say(f"running the demo {len(jobs)} times by {workers} worker{'s' if workers > 1 else ''}")
            began = time.perf_counter()
            runs = run_all(jobs, self.dir / f"workers-{turn}", workers=workers)
            if runs.failed:
                raise ScenarioError(f"bench: a run of the demo failed: {next(iter(runs.failed.values()))}")
            took[workers] += time.perf_counter() - began
        return took[2] / took[1], f"{took[1]:.0f} s by one, {took[2]:.0f} s by two"

    def branch_ratio(self: Scratch) -> tuple[float | None, str]:
        """Return the wall time of a forked branch over that of running each future from the start."""
        from scenarios.branch import branch
        from twin.branching import can_fork
        from twin.scenario import load_scenario

        if not can_fork():
            return None, "not measured: a live run cannot be forked here"
        demo = load_scenario("demo")
        futures = [demo.model_copy(update={"name": f"future{k}"}) for k in range(FUTURES)]
        self.say(f"branching the demo at 08:00 into {FUTURES} futures")
        forked = branch(demo, futures, BRANCH_S, self.dir / "forked", fork=True)
        self.say(f"running the {FUTURES} futures from the start")
        separate = branch(demo, futures, BRANCH_S, self.dir / "separate", fork=False)
        if {f.digest for f in forked.futures} != {f.digest for f in separate.futures}:
            raise ScenarioError("bench: branches differ from runs from the start")
        note = f"{forked.wall_s:.0f} s against {separate.wall_s:.0f} s; processor {forked.cpu_s:.0f} s"
        return forked.wall_s / separate.wall_s, note

    def journals(self: Scratch) -> tuple[float, str]:
        """Return the share of processor time that writing journals adds to the demo."""
        self.say("timing the journals of the demo")
        done = subprocess.run(
            [sys.executable, "-m", "scenarios.bench.journals", str(self.dir / "journals")],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ScenarioError(f"bench: the demo failed: {done.stderr.strip()[-300:]}")
        journal_s, whole_s = (float(x) for x in done.stdout.split()[-2:])
        return 100 * journal_s / (whole_s - journal_s), f"{journal_s:.2f} s of {whole_s:.1f} s"

    def crn_variance(self: Scratch) -> tuple[float, str]:
        """Return the largest ratio of the variance of paired differences to that with independent seeds."""
        from scenarios import kpis
        from scenarios.study import Question, seeds_for, study
        from twin.scenario import load_scenario

        found = []
        for base, variant, both, own, name in SHIPPED:
            a, b = load_scenario(base, both), load_scenario(variant, {**both, **own})
            label = variant if variant != base else ", ".join(f"{k}={v}" for k, v in own.items())
            self.say(f"comparing {base} with {label} over {PAIRS} seeds")
            done = study(a, [b], Question((kpis.by_name(name),), seeds_for(PAIRS, "")), self.dir / "crn")
            s = done.compared[0].reply.answers[0].summary
            if s is None or s.variance_ratio is None:
                raise ScenarioError(f"bench: {base} against {label} gives {name} no spread")
            found.append((s.variance_ratio, f"{label}: {s.variance_ratio:.2g} ({name})"))
        return max(r for r, _ in found), "; ".join(text for _, text in found)

    def checks(self: Scratch) -> tuple[float | None, str]:
        """Return the wall time of judging all shipped properties on the log of a whole day, reading it included."""
        from scenarios.checks.run import judge, shipped
        from twin.log import Facts

        folder = self.run("fleets", "fleets")["dir"]
        began = time.perf_counter()
        outcomes = judge(Facts.read(folder), shipped())
        took = time.perf_counter() - began
        judged = sum(o.holds is not None for o in outcomes.values())
        broken = [name for name, o in outcomes.items() if o.holds is False]
        return took, f"{len(outcomes)} properties, {judged} had something to judge, {len(broken)} broken"
