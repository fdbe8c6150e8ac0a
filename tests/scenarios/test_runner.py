"""Many runs: the same digests whatever runs them, and whatever goes wrong what is finished stays."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scenarios import kpis, load
from scenarios.runner.cluster import check_address
from scenarios.runner.identity import portable, scenario_key
from scenarios.runner.pool import Pool
from scenarios.runner.runs import run_all
from scenarios.runner.store import DONE, Job, finished, values
from scenarios.runner.telling import Show, Told, folded
from tests.cities import shared_toy_city
from twin.errors import ScenarioError

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return shared_toy_city().save(tmp_path_factory.mktemp("runner") / "city")


@pytest.fixture(scope="module")
def small(folder):
    """Twenty minutes of three hundred people in free flow: a run of a second."""
    return load("weekday", **keys(folder))


def keys(folder: Path, **more):
    return {
        "city": {"folder": str(folder)},
        "people": {"residents": 300, "companies": 10},
        "start": "07:00",
        "end": "07:20",
        "traffic": {"mode": "free-flow", "fcd_period_s": 0},
        **more,
    }


@pytest.fixture(scope="module")
def there(small, tmp_path_factory):
    """Three finished runs by two workers."""
    out = tmp_path_factory.mktemp("there")
    runs = run_all([Job.of(small, s) for s in SEEDS], out, workers=2)
    assert not runs.failed
    return out, runs


def digests(runs) -> dict[int, str]:
    return {seed: r.digest for (_, seed), r in runs.finished.items()}


# -- the same everywhere -----------------------------------------------------------------------------


def test_one_worker_two_workers_and_no_worker_give_the_same_digests(small, there, tmp_path):
    here = run_all([Job.of(small, s) for s in SEEDS], tmp_path / "here", workers=0)
    assert digests(here) == digests(there[1])
    assert len(set(digests(here).values())) == len(SEEDS), "seeds matter"


def test_a_run_folder_holds_what_a_run_folder_holds(small, there):
    result = there[1].finished[Job.of(small, 1).id]
    for name in ("events.parquet", "kpis.json", "stamp.json", DONE):
        assert (result.folder / name).is_file(), name
    v = values(result.folder, [kpis.trips, kpis.late_share])
    assert v["trips"] > 0


def test_finished_runs_are_not_run_again(small, there):
    out, _ = there
    told: list[Told] = []
    marks = {f: f.stat().st_mtime_ns for f in out.rglob(DONE)}
    again = run_all([Job.of(small, s) for s in SEEDS], out, workers=1, tell=told.append)
    assert [t.what for t in told] == ["known"] * 3
    assert {f: f.stat().st_mtime_ns for f in out.rglob(DONE)} == marks
    assert digests(again) == digests(there[1])


def test_the_key_is_the_content_not_the_name(small, folder):
    assert scenario_key(small) == scenario_key(small.changed(title="another", traffic={"fcd_period_s": 30}))
    assert scenario_key(small) != scenario_key(small.changed(people={"residents": 301}))


# -- half-written, killed, full ------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["no word", "cut", "half a word", "of another seed", "interrupted"])
def test_a_half_written_run_is_not_taken_as_whole(small, there, tmp_path, harm):
    import shutil

    job = Job.of(small, 1)
    shutil.copytree(there[0], tmp_path / "o")
    where = job.folder(tmp_path / "o")
    assert finished(job, tmp_path / "o") is not None
    done = where / DONE
    content = json.loads(done.read_text())
    if harm == "no word":
        done.unlink()
    elif harm == "cut":
        data = (where / "events.parquet").read_bytes()
        (where / "events.parquet").write_bytes(data[: len(data) // 2])
    elif harm == "half a word":
        done.write_text(done.read_text()[:40])
    elif harm == "of another seed":
        done.write_text(json.dumps({**content, "seed": 2}))
    else:
        done.write_text(json.dumps({**content, "ended": "interrupted"}))
    assert finished(job, tmp_path / "o") is None
    runs = run_all([job], tmp_path / "o", workers=0)
    assert digests(runs)[1] == digests(there[1])[1]


def test_a_killed_worker_loses_no_finished_run_and_its_own_run_begins_again(small, there, tmp_path):
    killed = []

    def tell(told: Told) -> None:
        if told.what == "finished" and not killed:
            killed.append(told.job.seed)
        elif told.what == "began" and killed and len(killed) == 1:
            os.kill(pool.process_ids[0], signal.SIGKILL)
            killed.append(told.job.seed)

    pool = Pool(tmp_path, 1, tell)
    (tmp_path / "runs").mkdir()
    jobs = [Job.of(small, s) for s in SEEDS]
    pool.run(jobs)
    assert len(killed) == 2
    assert pool.failed == {}
    assert {j.seed: finished(j, tmp_path).digest for j in jobs} == digests(there[1])


def test_a_run_whose_worker_dies_twice_is_named_and_the_others_go_on(small, tmp_path):
    def tell(told: Told) -> None:
        if told.what == "began" and told.job.seed == 2:
            os.kill(pool.process_ids[-1], signal.SIGKILL)

    pool = Pool(tmp_path, 1, tell)
    (tmp_path / "runs").mkdir()
    jobs = [Job.of(small, s) for s in SEEDS]
    pool.run(jobs)
    assert pool.failed == {jobs[1].id: "its process was ended by signal 9"}
    assert [finished(j, tmp_path) is not None for j in jobs] == [True, False, True]


def test_a_failed_seed_is_named_with_its_sentence(small, folder, tmp_path):
    bad = small.changed(control={"incident_traffic": "tests.scenarios.no_such:Thing"})
    with pytest.raises(ScenarioError, match=r"module .tests\.scenarios\.no_such. cannot be imported"):
        run_all([Job.of(bad, 1)], tmp_path, workers=1)  # told before anything runs
    breaking = small.changed(control={"incident_traffic": "tests.scenarios.breaking:Breaks"})
    runs = run_all([Job.of(breaking, 1), Job.of(small, 1)], tmp_path, workers=1)
    ((key, seed), said) = next(iter(runs.failed.items()))
    assert (key, seed) == (scenario_key(breaking), 1)
    assert "controller 'incident_traffic' failed at" in said
    assert "I break" in said
    assert len(runs.finished) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_a_full_disk_is_one_sentence_and_keeps_what_is_finished(small, there, tmp_path, workers):
    import shutil

    out = tmp_path / "full"
    shutil.copytree(there[0], out)
    jobs = [Job.of(small, s) for s in (*SEEDS, 4)]
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, kept[1]))  # what a full disk does: a write fails
    try:
        with pytest.raises(
            ScenarioError, match=r"cannot be written any more \(.*\); 3 of 4 runs are finished and kept"
        ):
            run_all(jobs, out, workers=workers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert [finished(j, out) is not None for j in jobs] == [True, True, True, False]


def test_an_unwritable_folder_is_one_sentence(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="is a file; give a folder"):
        run_all([Job.of(small, 1)], tmp_path / "file")
    with pytest.raises(ScenarioError, match="cannot be written"):
        run_all([Job.of(small, 1)], tmp_path / "file" / "below")


def test_ctrl_c_leaves_finished_runs_and_the_next_time_resumes(folder, tmp_path):
    script = tmp_path / "many.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom scenarios import load\nfrom scenarios.runner.runs import run_all\n"
        "from scenarios.runner.store import Job\nfrom scenarios.runner.telling import Show\n"
        f"s = load('weekday', **{keys(folder)!r})\n"
        "jobs = [Job.of(s, k) for k in range(1, 11)]\n"
        "with Show(10) as show:\n    runs = run_all(jobs, Path(sys.argv[1]), workers=1, tell=show)\n"
        "print(runs.interrupted, len(runs.finished), show.status())\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "o")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    for line in process.stderr:
        if line.startswith("3 of 10"):
            process.send_signal(signal.SIGINT)
            break
    said, _ = process.communicate(timeout=60)
    assert said.startswith("True 3 3 of 10 runs")
    assert len(list((tmp_path / "o").rglob(DONE))) == 3
    told: list[Told] = []
    s = load("weekday", **keys(folder))
    run_all([Job.of(s, k) for k in range(1, 5)], tmp_path / "o", workers=0, tell=told.append)
    assert [t.what for t in told] == ["known", "known", "known", "began", "finished"]


def test_cancelling_stops_soon_and_is_told(small, tmp_path):
    finished_ones: list[int] = []
    runs = run_all(
        [Job.of(small, s) for s in range(1, 20)],
        tmp_path,
        workers=1,
        tell=lambda t: finished_ones.append(t.job.seed) if t.what == "finished" else None,
        cancelled=lambda: bool(finished_ones),
    )
    assert runs.interrupted
    assert 1 <= len(runs.finished) < 19


# -- code without a name -------------------------------------------------------------------------------


def test_a_class_without_a_name_runs_in_this_process(small, tmp_path):
    class Quiet:
        def decide(self, now_s, messages):
            return []

    own = small.changed(control={"incident_traffic": Quiet})
    assert not portable(own)
    assert portable(small)
    runs = run_all([Job.of(own, 1)], tmp_path, workers=2)
    assert len(runs.finished) == 1


# -- progress ------------------------------------------------------------------------------------------


def test_progress_counts_and_folds_repeated_warnings(small, capsys):
    import io

    out = io.StringIO()
    with Show(3, out) as show:
        for seed in SEEDS:
            show(Told("warned", None, said=f"Warning: Vehicle '{seed}' waits at {seed}.5"))
            show(Told("finished", Job(small, "k", seed), share=1.0))
    text = out.getvalue()
    assert "1 of 3 runs" in text
    assert "3 of 3 runs" in text
    assert text.count("waits at") == 1
    assert "(×3)" in text
    assert folded("a 'b' 12") == "a … …"


# -- the cluster ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "127.0.0.1:8786", "localhost:1", "tls://far.example:8786"])
def test_addresses_that_are_allowed(address):
    assert check_address(address).endswith(address.rpartition("//")[2])


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "far.example:8786", "http://127.0.0.1:1", "here", ""])
def test_beyond_this_machine_only_tls(address):
    with pytest.raises(ScenarioError, match=r"--cluster: .*tls://"):
        check_address(address)


def test_a_scheduler_and_two_workers_give_the_same_digests(small, there, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path), "PYTHONWARNINGS": "ignore"}
    started = []
    try:
        info = tmp_path / "scheduler.json"
        address_file = ["--scheduler-file", str(info), "--no-dashboard"]
        commands = [["dask_scheduler", *address_file, "--host", "127.0.0.1", "--port", "0"]]
        commands += [
            ["dask_worker", *address_file, "--nthreads", "1", "--local-directory", str(tmp_path / f"w{k}")]
            for k in range(2)
        ]
        for program, *options in commands:
            command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
            started.append(subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL))
        until = time.monotonic() + 60
        while not info.is_file() and time.monotonic() < until:
            time.sleep(0.2)
        address = json.loads(info.read_text())["address"]
        runs = run_all([Job.of(small, s) for s in SEEDS], tmp_path / "o", cluster=address)
        assert runs.failed == {}
        assert digests(runs) == digests(there[1])
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(20)


def test_no_scheduler_is_one_sentence(small, tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(ScenarioError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"):
        run_all([Job.of(small, 1)], tmp_path, cluster="127.0.0.1:1")
