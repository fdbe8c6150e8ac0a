"""A pytest plugin: runs of the twin in an engineer's own tests; comes with ``pip install qibu-twin``.

::

    @pytest.mark.scenario("demo", seeds=3, hours=1, people={"share": 0.1})
    def test_every_alert_is_closed(twin_run):
        assert twin_run.holds("incidents.yaml")

``@pytest.mark.scenario(NAME, seeds=…, hours=…, KEY=…)`` makes the test run once per seed; ``twin_run`` is the finished
run (:class:`TwinRun`). Runs are kept for the session, so several tests of one scenario share them. A test that fails
names the command that runs its scenario again. Nothing of the twin is imported before a test asks for a run.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.checks.model import Outcome
    from twin.log import Facts
    from twin.scenario import Scenario

MARK = "scenario(name, seeds=1, hours=None, **changes): run a scenario of the twin, once per seed, for twin_run"
Asked = tuple[str, int, "float | None", tuple[tuple[str, Any], ...]]


class TwinRun:
    """A finished run. ``facts``: its log; ``kpi(name)``; ``holds(properties)`` judges and explains."""

    def __init__(self, scenario: Scenario, seed: int, folder: Path, digest: str, command: str) -> None:
        self.scenario, self.seed, self.folder, self.digest, self.command = scenario, seed, folder, digest, command
        self.broken: list[str] = []

    @property
    def facts(self) -> Facts:
        """The facts of the run."""
        from twin.log import Facts

        return Facts.read(self.folder)

    def kpi(self, name: str) -> float | None:
        """Return an indicator by name."""
        from scenarios import kpis

        return kpis.by_name(name)(self.facts)

    def judge(self, properties: Any = None) -> dict[str, Outcome]:
        """Judge properties: a file, a shipped set, "module:NAME", a property, several, or None for all shipped."""
        from scenarios.checks.run import judge

        return judge(self.facts, _demanded(properties))

    def holds(self, properties: Any = None) -> bool:
        """Say whether no property is broken that is not waived; what is broken is shown where the test fails."""
        from scenarios.checks.run import judge
        from scenarios.checks.waivers import broken, reasons

        demanded = _demanded(properties)
        wrong = broken(judge(self.facts, demanded), reasons(self.scenario, demanded))
        self.broken = [f"{n}: {o.violations[0].what if o.violations else 'broken'}" for n, o in wrong.items()]
        return not wrong


def _demanded(properties: Any) -> list[Any]:
    from scenarios.checks.files import find_properties
    from scenarios.checks.run import shipped

    if properties is None:
        return list(shipped())
    if isinstance(properties, str):
        return list(find_properties(properties))
    return list(properties) if isinstance(properties, list | tuple) else [properties]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", MARK)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a marked test run once per seed."""
    mark = metafunc.definition.get_closest_marker("scenario")
    if "twin_run" not in metafunc.fixturenames:
        return
    if mark is None or len(mark.args) != 1:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: twin_run needs @pytest.mark.scenario(NAME)")
    options = dict(mark.kwargs)
    seeds, hours = options.pop("seeds", 1), options.pop("hours", None)
    numbers = list(range(1, seeds + 1)) if isinstance(seeds, int) else list(seeds)
    asked = [(mark.args[0], seed, hours, tuple(options.items())) for seed in numbers]
    metafunc.parametrize("twin_run", asked, indirect=True, ids=[f"seed{n}" for n in numbers])


@pytest.fixture(scope="session")
def _twin_runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Asked], TwinRun]:
    done: dict[str, TwinRun] = {}

    def get(asked: Asked) -> TwinRun:
        known = repr(asked)
        if known not in done:
            done[known] = _carry_out(asked, tmp_path_factory.getbasetemp() / "twin-runs")
        return done[known]

    return get


@pytest.fixture
def twin_run(request: pytest.FixtureRequest, _twin_runs: Callable[[Asked], TwinRun]) -> TwinRun:
    """Give the finished run of the scenario that the test is marked with."""
    run = _twin_runs(request.param)
    request.node._twin_run = run
    return run


def _carry_out(asked: Asked, out: Path) -> TwinRun:
    """Run one scenario in a process of its own (SUMO is one per process). ScenarioError fails the test."""
    from scenarios.runner.runs import run_all
    from scenarios.runner.store import Job
    from twin.scenario import load_scenario

    name, seed, hours, changes = asked
    ready = load_scenario(name, {})
    if changes:
        ready = ready.changed(**dict(changes))
    if hours is not None:
        ready, _ = ready.shortened(hours)
    job = Job.of(ready, seed)
    runs = run_all([job], out, workers=1)
    if job.id not in runs.finished:
        pytest.fail(f"the run of '{name}', seed {seed}, did not end: {runs.failed.get(job.id, 'interrupted')}")
    found = runs.finished[job.id]
    command = ["twin", "run", name, "--seed", str(seed)]
    command += ["--hours", f"{hours:g}"] if hours is not None else []
    for key, value in _flat(dict(changes)):
        command += ["--set", f"{key}={value}"]
    return TwinRun(ready, seed, found.folder, found.digest, shlex.join(command))


def _flat(changes: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in changes.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add to a failed test which run it looked at, and how to run that again."""
    outcome: Any = yield
    report = outcome.get_result()
    run: TwinRun | None = getattr(item, "_twin_run", None)
    if report.when == "call" and report.failed and run is not None:
        lines = [*run.broken, f"digest {run.digest}", f"again: {run.command}", f"facts: {run.folder}"]
        report.sections.append(("the twin's run", "\n".join(lines)))
