"""One past, several futures: ``twin branch``. The live run is a process of its own, which forks at the branch.

A process of its own, because a fork needs one thread, and the caller may show progress or have run anything before.
``python -m scenarios.branch`` is that process: a line of JSON in, lines out, as of a worker (see
:mod:`scenarios.runner.worker`).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.kpis.base import Kpi
from scenarios.runner.identity import portable, scenario_key
from scenarios.runner.pool import environment
from scenarios.runner.store import DiskError, clear, prepare_out, values, write_done
from scenarios.runner.worker import Line, failure
from twin.branching import afar, can_fork, check_alone, check_branch, go_on, own_outputs
from twin.errors import ScenarioError
from twin.scenario import Scenario

PAST, RESULT = ".past", "branch.json"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Future:
    """One future: its run folder, digest, and processor time since the branch, s."""

    name: str
    folder: Path
    digest: str
    cpu_s: float

    def values(self, kpis: Sequence[Kpi]) -> dict[str, float | None]:
        """Return indicators of the whole run, past included."""
        return values(self.folder, list(kpis))


@dataclass(frozen=True)
class Branched:
    """What came of a branch. ``past_cpu_s``: processor time up to the branch, paid once (or once a future)."""

    futures: tuple[Future, ...]
    forked: bool
    past_cpu_s: float
    wall_s: float

    @property
    def cpu_s(self) -> float:
        """Processor time of everything."""
        return self.past_cpu_s * (1 if self.forked else len(self.futures)) + sum(f.cpu_s for f in self.futures)

    @property
    def separate_cpu_s(self) -> float:
        """Processor time of running each future from the start, told from these parts."""
        return self.past_cpu_s * len(self.futures) + sum(f.cpu_s for f in self.futures)


def branch(
    base: Scenario,
    variants: Sequence[Scenario],
    at_s: int,
    out: Path,
    seed: int = 1,
    workers: int = 1,
    fork: bool | None = None,
    say: Say = lambda _: None,
    places: Mapping[str, Path] | None = None,
) -> Branched:
    """Run ``base`` up to ``at_s`` once and each variant from there, into ``out/NAME``.

    ``fork``: None: where it can be; False: each future from the start, with the same result. ``workers``: futures
    that run at once. ``places``: key → folder of the run, one a variant, in place of ``out/NAME``; nothing else is
    written. Raises ScenarioError for what cannot branch, and when a future fails.
    """
    from twin.cities import city_folder
    from twin.scenario.check import CityNames, check_against_city, check_control

    names = [v.name for v in variants]
    if places is None and len(set(names)) < len(names):
        raise ScenarioError("two futures have one name; give one of them another 'name:'")
    for s in (base, *variants):
        check_control(s)
    for v in variants:
        check_branch(base, v, at_s)
        if not portable(v):
            raise ScenarioError(f"{v.name}: its control code has no name that another process could import")
    prepare_out(out)
    for s in (base, *variants):
        check_against_city(s, CityNames.read(city_folder(s)))
    able = can_fork() and not any(afar(s) for s in (base, *variants))
    forked = able if fork is None else fork
    if forked and not able:
        raise ScenarioError("this live run cannot be forked: not Linux, or a controller lives at an address")
    began = time.monotonic()
    keys = list(places) if places is not None else [scenario_key(v) for v in variants]
    folders = list(places.values()) if places is not None else [out / name for name in names]
    spec = {
        "base": base.resolved(),
        "variants": [v.resolved() for v in variants],
        "keys": keys,
        "folders": [str(f.absolute()) for f in folders],
        "at_s": at_s,
        "seed": seed,
        "out": str(out.absolute()),
        "workers": max(1, workers),
    }
    groups = [list(range(len(variants)))] if forked else [[k] for k in range(len(variants))]
    past, done = 0.0, dict[int, dict[str, Any]]()
    for group in groups:
        for told in _process({**spec, "which": group, "fork": forked}, out, say):
            if "past_cpu_s" in told:
                past = max(past, told["past_cpu_s"])
            else:
                done[told["future"]] = told
    missing = [names[k] for k in range(len(variants)) if k not in done]
    if missing:
        raise ScenarioError(f"{missing[0]}: its process ended before its run did")
    futures = tuple(
        Future(names[k], folders[k], done[k]["done"]["digest"], done[k]["cpu_s"]) for k in range(len(variants))
    )
    result = Branched(futures, forked, past, time.monotonic() - began)
    if places is None:
        _write(out, base, at_s, seed, result)
    return result


def _write(out: Path, base: Scenario, at_s: int, seed: int, b: Branched) -> None:
    data = {
        "format": 1,
        "base": base.name,
        "at_s": at_s,
        "seed": seed,
        "forked": b.forked,
        "past_cpu_s": round(b.past_cpu_s, 3),
        "wall_s": round(b.wall_s, 3),
        "futures": [{"name": f.name, "digest": f.digest, "cpu_s": round(f.cpu_s, 3)} for f in b.futures],
    }
    part = out / ".branch.part"
    part.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(out / RESULT)


def _process(spec: dict[str, Any], out: Path, say: Say) -> list[dict[str, Any]]:
    """Run the process of a live run; return what it told. Raises ScenarioError with what failed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scenarios.branch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    told: list[dict[str, Any]] = []
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write((json.dumps(spec, ensure_ascii=False) + "\n").encode())
        process.stdin.close()
        for line in process.stdout:
            what = json.loads(line)
            if "said" in what:
                say(what["said"])
            elif "failed" in what:
                kind = DiskError if what["failed"]["kind"] == "disk" else ScenarioError
                raise kind(f"{what['of']}: {what['failed']['said']}")
            elif "at" not in what:
                told.append(what)
        process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(out / PAST, ignore_errors=True)
    return told


# -- the process ---------------------------------------------------------------------------------------


def main() -> None:
    """Be the process of a live run: its past, then its futures."""
    line = Line()
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - SUMO's words are caught elsewhere; nobody reads a full pipe
    os.dup2(sys.stderr.fileno(), 2)
    spec = json.loads(sys.stdin.readline())
    try:
        _live(spec, line)
    except BaseException as error:
        line.say(failed=failure(error), of=spec["base"]["name"])
        os._exit(1)
    os._exit(0)  # nothing of the past is to be completed: its files were copied


def _live(spec: dict[str, Any], line: Line) -> None:
    from geo.city import City
    from twin.cities import city_folder
    from twin.run_folder import prepare
    from twin.simulation import Simulation

    base = Scenario.from_resolved(spec["base"], "the branch's base")
    variants = {k: Scenario.from_resolved(spec["variants"][k], "a variant") for k in spec["which"]}
    out, at_s, seed = Path(spec["out"]), int(spec["at_s"]), int(spec["seed"])
    folder = city_folder(base)
    city = City.load(folder)
    fork = bool(spec["fork"])
    where = out / PAST if fork else Path(spec["folders"][next(iter(variants))])
    clear(where)
    simulation = Simulation(base, city, folder, seed, prepare(where), branch_s=at_s)
    line.say(said=f"{base.name}: one past up to the branch")
    simulation.run_until(at_s, line.progress)
    cpu = os.times()
    line.say(past_cpu_s=cpu.user + cpu.system)
    if not fork:
        (k,) = variants
        _finish(simulation, base, variants[k], k, spec, line)
        return
    check_alone()
    running: dict[int, int] = {}
    for k, variant in variants.items():
        while len(running) >= int(spec["workers"]):
            running.pop(os.wait()[0], None)
        pid = os.fork()
        if pid == 0:
            _child(simulation, base, variant, k, spec, line)
        running[pid] = k
    while running:
        running.pop(os.wait()[0], None)


def _child(simulation: Any, base: Scenario, variant: Scenario, k: int, spec: dict[str, Any], line: Line) -> None:
    """Be one future; never returns."""
    code = 1
    try:
        _finish(simulation, base, variant, k, spec, line)
        code = 0
    except BaseException as error:
        line.say(failed=failure(error), of=variant.name)
    finally:
        os._exit(code)


def _finish(simulation: Any, base: Scenario, variant: Scenario, k: int, spec: dict[str, Any], line: Line) -> None:
    from scenarios import kpis

    began = time.process_time()
    target = Path(spec["folders"][k])
    if spec["fork"]:
        clear(target)
        own_outputs(simulation, target)
    line.say(said=f"{variant.name}: its future")
    go_on(simulation, base, variant)
    simulation.run_until(simulation.end_s, line.progress)
    run = simulation.finish()
    text = json.dumps(kpis.summary(run.log), ensure_ascii=False, indent=1, allow_nan=False)
    (target / "kpis.json").write_text(text + "\n", encoding="utf-8")
    cpu_s = time.process_time() - began
    done = write_done(
        target, {"key": spec["keys"][k], "seed": spec["seed"]}, run, recorded=base.traffic.fcd_period_s > 0
    )
    line.say(future=k, done=done, cpu_s=cpu_s)


if __name__ == "__main__":
    main()
