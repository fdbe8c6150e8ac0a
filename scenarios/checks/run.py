"""``check``: run a scenario under several seeds and judge every property on each; the first violation, replayable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios import incident_properties, properties
from scenarios.checks.files import SHIPPED, read_properties
from scenarios.checks.model import Outcome, Property, Violation
from scenarios.checks.waivers import reasons
from scenarios.readings import Memory
from scenarios.runner.runs import run_all
from scenarios.runner.store import Job
from scenarios.runner.telling import Tell, silent
from twin.log import Facts
from twin.scenario import Scenario

_ALL = {**properties.ALL, **incident_properties.ALL}


@dataclass(frozen=True)
class Sound:
    """A property that is a function of :mod:`scenarios.properties` or a neighbour: sentences without a second."""

    name: str
    function: str

    def check(self, facts: Memory) -> Outcome:
        """Judge one run."""
        said = _ALL[self.function](facts.facts)
        return Outcome(self.name, not said, 1, violations=tuple(Violation(-1, text) for text in said))


def sound_properties() -> list[Property]:
    """Return what is said in Python: nothing and nobody is lost, permits are kept, incidents are verified."""
    return [Sound(name.replace("_", " "), name) for name in _ALL]


def shipped() -> list[Property]:
    """Return every property that the project demands of all runs."""
    out = sound_properties()
    for file in sorted(SHIPPED.glob("*.yaml")):
        out += read_properties(file)
    return out


@dataclass(frozen=True)
class Judged:
    """What one property said over the seeds. ``by_seed``: seed → outcome; ``waived``: why it need not hold, "" else."""

    demand: Property
    by_seed: dict[int, Outcome]
    waived: str = ""

    @property
    def broken(self) -> list[int]:
        """Seeds under which it is broken."""
        return [seed for seed, o in self.by_seed.items() if o.holds is False]

    @property
    def violated(self) -> bool:
        """Whether it is broken and nobody has waived it."""
        return bool(self.broken) and not self.waived

    @property
    def stale(self) -> bool:
        """Whether it is waived, but there was something to judge and it held under every seed."""
        return bool(self.waived) and not self.broken and any(o.holds for o in self.by_seed.values())

    @property
    def judged(self) -> int:
        """How many cases were judged under all seeds."""
        return sum(o.checked for o in self.by_seed.values() if o.holds is not None)

    @property
    def worst(self) -> tuple[int, Outcome] | None:
        """Seed and outcome of the least robustness, None where there is none."""
        told = [(o.robustness, seed) for seed, o in self.by_seed.items() if o.robustness is not None]
        return (min(told)[1], self.by_seed[min(told)[1]]) if told else None


@dataclass(frozen=True)
class Report:
    """All properties of a scenario over ``asked`` seeds; ``failed``: seed → why its run did not end."""

    scenario: Scenario
    judged: list[Judged]
    failed: dict[int, str]
    folders: dict[int, Path]
    asked: int
    interrupted: bool = False

    @property
    def holds(self) -> bool:
        """Whether nothing is broken that is not waived, and every run ended."""
        return not self.failed and not self.interrupted and not any(j.violated for j in self.judged)

    def robustness(self) -> float:
        """Return the least robustness of what is not waived; −1 for one that only holds or not and is broken."""
        values = [
            o.robustness if o.robustness is not None else (-1.0 if o.holds is False else float("inf"))
            for j in self.judged
            for o in j.by_seed.values()
            if o.holds is not None and not j.waived
        ]
        return min([*values, *(-float("inf") for _ in self.failed)], default=float("inf"))


def judge(facts: Facts, properties: Iterable[Property]) -> dict[str, Outcome]:
    """Return what each property says about the facts of one run."""
    memory = Memory(facts)
    return {p.name: p.check(memory) for p in properties}


def check(
    scenario: Scenario,
    seeds: Sequence[int],
    properties: Sequence[Property] | None = None,
    out: Path | None = None,
    workers: int | None = None,
    tell: Tell = silent,
) -> Report:
    """Run a scenario under seeds (what is finished in ``out`` is not run again) and judge its properties.

    ``properties``: default :func:`shipped`. ``out``: where runs are kept (default ``runs/check-NAME``).
    """
    wanted = list(properties) if properties is not None else shipped()
    waived = reasons(scenario, wanted)
    folder = out if out is not None else Path("runs") / f"check-{scenario.name}"
    first = Job.of(scenario, seeds[0])
    jobs = [Job.of(scenario, seed, key=first.key) for seed in seeds]
    runs = run_all(jobs, folder, workers, tell=tell)
    outcomes: dict[int, dict[str, Outcome]] = {}
    folders: dict[int, Path] = {}
    for job in jobs:
        result = runs.finished.get(job.id)
        if result is not None:
            folders[job.seed] = result.folder
            outcomes[job.seed] = judge(Facts.read(result.folder), wanted)
    judged = [
        Judged(p, {seed: found[p.name] for seed, found in outcomes.items()}, waived.get(p.name, "")) for p in wanted
    ]
    failed = {seed: said for (_, seed), said in runs.failed.items()}
    return Report(scenario, judged, failed, folders, len(jobs), runs.interrupted)
