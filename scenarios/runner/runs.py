"""Many runs of scenarios under seeds: here, in local processes, or on a cluster; what is finished is not run again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.kpis.base import Kpi
from scenarios.runner.identity import portable
from scenarios.runner.pool import Pool, usual_workers
from scenarios.runner.store import DiskError, Job, Result, clear, finished, prepare_out, values
from scenarios.runner.telling import Tell, Told, silent
from twin.errors import ScenarioError
from twin.scenario import Scenario

#: indicator → seed → value
ByName = dict[str, dict[int, float | None]]


@dataclass
class Runs:
    """What became of jobs. ``failed``: (key, seed) → one sentence. ``interrupted``: Ctrl-C or cancelled."""

    out: Path
    finished: dict[tuple[str, int], Result] = field(default_factory=dict)
    failed: dict[tuple[str, int], str] = field(default_factory=dict)
    interrupted: bool = False

    def values(
        self, jobs: Iterable[Job], kpis: Sequence[Kpi], warm_up_s: int = 0
    ) -> dict[str, dict[int, float | None]]:
        """Return indicators by name and seed of those jobs (of one scenario) that are finished."""
        out: ByName = {k.name: {} for k in kpis}
        for job in jobs:
            result = self.finished.get(job.id)
            if result is not None:
                for name, value in values(result.folder, list(kpis), warm_up_s).items():
                    out[name][job.seed] = value
        return out

    def digest(self, job: Job) -> str | None:
        """Return the digest of a job's log, None if it is not finished."""
        found = self.finished.get(job.id)
        return None if found is None else found.digest


def run_all(
    jobs: Sequence[Job],
    out: Path,
    workers: int | None = None,
    cluster: str | None = None,
    tell: Tell = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Runs:
    """Run what is not finished yet; every job ends in ``finished`` or in ``failed``, unless interrupted.

    ``workers``: local processes (None: one a core, as far as memory reaches; 0: in this process). ``cluster``: address
    of a Dask scheduler. Ctrl-C is noted in the result, not raised. Raises ScenarioError where nothing can be written.
    """
    prepare_out(out)
    runs = Runs(out)
    todo: list[Job] = []
    for job in dict.fromkeys(jobs):
        done = finished(job, out)
        if done is not None:
            runs.finished[job.id] = done
            tell(Told("known", job))
        else:
            todo.append(job)
    if todo:
        _prepare_cities({j.key: j.scenario for j in todo})
        failed: dict[tuple[str, int], str] = {}
        try:
            _carry_out(todo, out, workers, cluster, tell, cancelled, failed)
        except KeyboardInterrupt:
            runs.interrupted = True
        except DiskError as error:
            there = sum(finished(j, out) is not None for j in dict.fromkeys(jobs))
            raise DiskError(f"{error}; {there} of {len(dict.fromkeys(jobs))} runs are finished and kept") from None
        runs.interrupted |= cancelled()
        runs.failed.update(failed)
        for job in todo:
            done = finished(job, out)
            if done is not None:
                runs.finished[job.id] = done
    return runs


def _prepare_cities(scenarios: Mapping[str, Scenario]) -> None:
    """Build each city once, before several workers want it, and check names against it."""
    from twin.cities import city_folder
    from twin.scenario.check import CityNames, check_against_city, check_control

    for s in scenarios.values():
        check_control(s)
        check_against_city(s, CityNames.read(city_folder(s)))


def _carry_out(
    todo: Sequence[Job],
    out: Path,
    workers: int | None,
    cluster: str | None,
    tell: Tell,
    cancelled: Callable[[], bool],
    failed: dict[tuple[str, int], str],
) -> None:
    able = {j.key: portable(j.scenario) for j in {j.key: j for j in todo}.values()}
    if cluster is not None:
        stuck = [j.scenario.name for j in todo if not able[j.key]]
        if stuck:
            raise ScenarioError(f"{stuck[0]}: its control code has no name that a worker of the cluster could import")
        from scenarios.runner.cluster import run_on_cluster

        run_on_cluster(todo, out, cluster, tell, cancelled, failed)
        return
    count = usual_workers(len(todo)) if workers is None else workers
    if count > 0 and all(able.values()):
        pool = Pool(out, count, tell)
        try:
            pool.run(todo, cancelled)
        finally:
            failed.update(pool.failed)
        return
    _here(todo, out, tell, cancelled, failed)


def _here(
    todo: Sequence[Job],
    out: Path,
    tell: Tell,
    cancelled: Callable[[], bool],
    failed: dict[tuple[str, int], str],
) -> None:
    from scenarios.runner.one import run_one
    from scenarios.runner.worker import failure

    for job in todo:
        if cancelled():
            return
        tell(Told("began", job))
        try:
            done = run_one(job.as_data(out), scenario=job.scenario)
        except KeyboardInterrupt:
            clear(job.folder(out))
            raise
        except Exception as error:
            clear(job.folder(out))
            what = failure(error)
            if what["kind"] == "disk":
                raise DiskError(f"--out {out}: cannot be written any more ({what['said']})") from None
            failed[job.id] = what["said"]
            tell(Told("failed", job, said=what["said"], trace=what.get("trace", "")))
            continue
        if done["ended"] == "interrupted":
            clear(job.folder(out))
            raise KeyboardInterrupt
        tell(Told("finished", job, share=1.0))
