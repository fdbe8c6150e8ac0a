"""Branches under several seeds: each seed has its past, and from it the base and its variants go on, paired.

What comes of it is a study (:mod:`scenarios.study`) like that of ``twin compare``: plan, pairs by seed, intervals,
verdicts, resuming. Only the runs are made in another way, so their keys hold the second of the branch: new code in a
desk from 08:00 on is another thing than from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.branch import Branched, Say, branch
from scenarios.runner.identity import scenario_key
from scenarios.runner.one import unrecorded
from scenarios.runner.runs import Runs
from scenarios.runner.store import DiskError, Job, finished, prepare_out
from scenarios.runner.telling import Tell, Told, silent
from scenarios.study import Question, Study, study
from twin.branching import check_branch
from twin.errors import ScenarioError
from twin.scenario import Scenario


@dataclass
class Cost:
    """Processor seconds of the branches that were run now: in all, and of running each future from the start."""

    futures: int = 0
    past_cpu_s: float = 0.0
    cpu_s: float = 0.0
    separate_cpu_s: float = 0.0
    forked: bool = True

    def add(self, b: Branched) -> None:
        """Count one seed's branch."""
        self.futures += len(b.futures)
        self.past_cpu_s += b.past_cpu_s
        self.cpu_s += b.cpu_s
        self.separate_cpu_s += b.separate_cpu_s
        self.forked &= b.forked


def branch_seeds(
    base: Scenario,
    variants: Sequence[Scenario],
    at_s: int,
    question: Question,
    out: Path,
    workers: int = 1,
    fork: bool | None = None,
    tell: Tell = silent,
    grow: Callable[[int], None] = lambda _: None,
    say: Say = lambda _: None,
) -> tuple[Study, Cost]:
    """Branch at ``at_s`` under every seed of the question and compare the futures with the base's, pair by pair.

    Runs lie in ``out/runs`` and are without positions of vehicles. Raises ScenarioError for what cannot branch.
    """
    for v in variants:
        check_branch(base, v, at_s)
    cost = Cost()

    def carry_out(jobs: Sequence[Job], folder: Path, most: int | None, _: str | None, told: Tell) -> Runs:
        return _run(base, jobs, at_s, folder, most or 1, fork, told, say, cost)

    done = study(
        base,
        variants,
        question,
        out,
        workers,
        None,
        tell,
        grow,
        carry_out=carry_out,
        key_of=lambda s: f"{scenario_key(s)}@{at_s}",
    )
    return done, cost


def _run(
    base: Scenario,
    jobs: Sequence[Job],
    at_s: int,
    out: Path,
    workers: int,
    fork: bool | None,
    tell: Tell,
    say: Say,
    cost: Cost,
) -> Runs:
    prepare_out(out)
    runs = Runs(out)
    by_seed: dict[int, list[Job]] = {}
    for job in dict.fromkeys(jobs):
        known = finished(job, out)
        if known is not None:
            runs.finished[job.id] = known
            tell(Told("known", job))
        else:
            by_seed.setdefault(job.seed, []).append(job)
    for seed, own in by_seed.items():
        places = {job.key: job.folder(out) for job in own}
        said = "its future did not end"
        try:
            futures = [unrecorded(job.scenario) for job in own]
            cost.add(branch(unrecorded(base), futures, at_s, out, seed, workers, fork, say, places))
        except KeyboardInterrupt:
            runs.interrupted = True
        except DiskError:
            raise
        except ScenarioError as error:
            said = str(error)
        for job in own:
            result = finished(job, out)
            if result is not None:
                runs.finished[job.id] = result
                tell(Told("finished", job, share=1.0))
            elif not runs.interrupted:
                runs.failed[job.id] = said
                tell(Told("failed", job, said=said))
        if runs.interrupted:
            break
    return runs
