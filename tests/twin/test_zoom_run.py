"""A zoom of the toy city: the district first, in a process of its own, then a part in micro with its traffic."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from geo.city import City
from scenarios import load
from tests.cities import toy_city
from twin import zoom as twin_zoom
from twin import zoom_district
from twin.domain.commands import WakeAt
from twin.errors import AdapterError, ControlError
from twin.events import GateCrossed, RunEnded, RunStarted, VehicleEntered
from twin.run_folder import prepare, read_stamp
from twin.scenario import Scenario
from twin.simulation import Progress, Run
from twin.zoom import WARM_UP_S, run_close_up, run_zoom
from twin.zoom_district import Inflow, Part, read_inflow, run_district, write_inflow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scratch = tmp_path_factory.mktemp("grid")
    return toy_city(scratch).save(scratch / "city")


def scenario(folder: Path, **changes: object) -> Scenario:
    city = City.load(folder)
    x, y = (city.roads.total_bounds[:2] + city.roads.total_bounds[2:]) / 2
    lon, lat = city.to_wgs84(x, y)
    return load(
        "weekday",
        city={"folder": str(folder)},
        people={"residents": 1500, "companies": 40},
        start="07:00",
        end="08:30",
        traffic={"background": 3.0},
        zoom={"lon": float(lon), "lat": float(lat), "radius_m": 350.0, "start": "07:30", "end": "08:00"},
        interventions=[{"at": "08:10", "kind": "weather", "weather": "rain", "rain_mm_h": 5.0}],
    ).changed(**changes)


def long_before(folder: Path) -> dict[str, object]:
    """Changes after which the district still runs when the area is cut out and the zoom's SUMO stands."""
    short = scenario(folder).zoom
    assert short is not None
    return {"days": 4, "zoom": {**short.model_dump(mode="json"), "day": 3}}


def zoom(folder: Path, out: Path | None = None, progress: Progress | None = None, **changes: object) -> Run:
    return run_zoom(scenario(folder, **changes), City.load(folder), folder, 1, out, progress)


def children() -> list[int]:
    task = Path(f"/proc/{os.getpid()}/task")
    every = [int(pid) for t in task.iterdir() for pid in (t / "children").read_text().split()]
    return [pid for pid in every if b"twin.zoom_district" in _command(pid)]  # a browser of other tests is none of ours


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


class Asleep:
    """A controller that is woken once and does nothing."""

    def decide(self, now_s, messages):
        return [WakeAt("wake", now_s + 600)] if now_s == 25_200 else []


class Broken:
    """A controller that breaks its contract in the district, before there is a zoom."""

    def decide(self, now_s, messages):
        return "stop" if now_s >= 26_000 else []


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch):
    """Let districts run in this process."""
    monkeypatch.setattr(zoom_district, "_can_be_made_elsewhere", lambda _: False)


def test_a_zoom_is_micro_in_its_time_with_the_traffic_of_the_district(folder, tmp_path):
    out = prepare(tmp_path / "run")
    run = zoom(folder, out)
    began = run.log.table(RunStarted).to_pylist()[0]
    assert began["traffic"] == "micro"
    assert began["t_s"] == 7 * 3600 + 1800 - WARM_UP_S
    entered = run.log.frame(VehicleEntered)
    crossed = run.log.frame(GateCrossed)
    assert len(crossed) > 20
    assert set(crossed["vehicle"]) & set(entered["vehicle"])
    assert entered["t_s"].between(began["t_s"], 8 * 3600).all()
    stamp = read_stamp(out)
    assert stamp["scenario"]["zoom"]["radius_m"] == 350.0, "the stamp holds what was asked for, zoom and all"
    assert Scenario.from_resolved(stamp["scenario"]) == scenario(folder)
    assert (out / "district" / "events.parquet").is_file()
    part, whole = City.load(stamp["city_dir"]), City.load(folder)
    assert 0 < len(part.roads) < len(whole.roads)


def test_a_process_of_its_own_changes_no_fact_of_zoom_or_district(folder, tmp_path, request):
    seen: list[tuple[int, str]] = []
    apart = zoom(
        folder, prepare(tmp_path / "apart"), lambda now_s, start_s, end_s, note: seen.append((now_s - start_s, note))
    )
    notes = list(dict.fromkeys(note for _, note in seen))
    assert notes == ["the whole district", "the zoom"]
    assert next(s for s, note in seen if note == notes[0]) == 0, "the bar hears of the beginning"
    request.getfixturevalue("here")
    together = zoom(folder, prepare(tmp_path / "here"))
    assert apart.digest == together.digest == zoom(folder).digest
    a, b = (read_stamp(tmp_path / run / "district") for run in ("apart", "here"))
    assert a == {**b, "city_dir": a["city_dir"]}
    assert a["ended"] == "finished"


def test_the_close_up_of_a_district_that_was_kept_is_the_same_again(folder, tmp_path):
    part = Part(scenario(folder), folder, 1, tmp_path / "district", kept=True)
    (work := tmp_path / "work").mkdir()
    came = run_district(part, City.load(folder), work)
    assert isinstance(came, Inflow)
    write_inflow(came, tmp_path / "inflow.npz")
    again = run_close_up(part, read_inflow(tmp_path / "inflow.npz"), prepare(tmp_path / "again"))
    assert again.digest == zoom(folder, prepare(tmp_path / "whole")).digest
    assert read_stamp(tmp_path / "again")["ended"] == "finished"


def test_a_script_without_a_guard_may_be_interrupted_by_its_pid_alone(folder, tmp_path):
    out = prepare(tmp_path / "run")
    script = tmp_path / "script.py"
    short = scenario(folder)
    long = short.changed(**long_before(folder))
    script.write_text(
        "import json, sys\nfrom pathlib import Path\nimport twin\nfrom twin.scenario import Scenario\n"
        "print('begun', flush=True)\n"
        f"scenario = Scenario.from_resolved(json.loads({json.dumps(long.resolved())!r}))\n"
        "run = twin.run(scenario, 1, Path(sys.argv[1]), progress=lambda *now: print('at', *now, flush=True))\n"
        "print('ended', run.ended, run.dir)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script), str(out)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(2)]
        assert first[0] == "begun\n"
        assert first[1], process.stderr.read()
        assert re.fullmatch(r"at 25200 25200 \d+ the whole district\n", first[1])
        process.send_signal(signal.SIGINT)
        said, wrong = process.communicate(timeout=60)
    assert (wrong, process.returncode) == ("", 0)
    assert said.splitlines()[-1] == f"ended interrupted {out / 'district'}"
    assert "begun" not in said, "the script was run once"
    assert read_stamp(out / "district")["ended"] == "interrupted"


def test_interrupted_without_a_folder_the_facts_of_the_district_are_in_memory(folder):
    run = zoom(folder, None, _interrupt, **long_before(folder))
    assert (run.ended, run.dir) == ("interrupted", None)
    assert run.log.table(RunStarted).num_rows == 1
    assert run.log.table(RunEnded)["reason"].to_pylist() == ["interrupted"]
    assert re.fullmatch("[0-9a-f]{32}", run.digest)
    assert children() == []


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_second_interrupt_ends_a_district_that_does_not_answer(folder):
    second = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))

    def stop_it_and_interrupt(*_: object) -> None:
        while not (there := children()):  # the list in /proc may miss one while others end
            time.sleep(0.01)
        for pid in there:
            os.kill(pid, signal.SIGSTOP)
        second.start()
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            zoom(folder, None, stop_it_and_interrupt, **long_before(folder))
    finally:
        second.cancel()
    assert children() == []


def test_a_zoom_that_cannot_be_made_leaves_sumo_free(folder, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(twin_zoom, "Simulation", full)
        with pytest.raises(OSError, match="no space left"):
            zoom(folder)
    assert zoom(folder).ended == "finished"


def test_nothing_of_a_zoom_is_left_where_its_district_was_interrupted(folder, tmp_path):
    stopped = zoom(folder, prepare(tmp_path / "run"), _interrupt, **long_before(folder))
    assert stopped.ended == "interrupted"
    assert not (tmp_path / "run" / "fcd.parquet").exists()  # SUMO was started for it in the meantime
    again = zoom(folder)  # and is free again
    assert again.ended == "finished"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_a_district_that_dies_is_one_sentence(folder, tmp_path, number):
    def kill(*_: object) -> None:
        for pid in children():
            os.kill(pid, number)

    with pytest.raises(AdapterError) as caught:
        zoom(folder, prepare(tmp_path / "run"), kill, **long_before(folder))
    said = str(caught.value)
    assert re.match(rf"the process that ran the whole district was ended by {number.name} at about \d+ s", said)
    assert "\n" not in said
    assert ("memory runs out" in said) == (number == signal.SIGKILL)


def test_an_error_of_the_district_is_the_same_sentence_as_here(folder, tmp_path, request):
    broken = {"control": {"incident_traffic": f"{__name__}:Broken"}}
    with pytest.raises(ControlError) as apart:
        zoom(folder, prepare(tmp_path / "apart"), **broken)
    assert read_stamp(tmp_path / "apart" / "district")["ended"] == "failed"
    request.getfixturevalue("here")
    with pytest.raises(ControlError) as together:
        zoom(folder, **broken)
    assert str(apart.value) == str(together.value)
    assert "answered str" in str(apart.value)


def test_a_local_controller_runs_here_and_one_with_a_name_does_not(folder, monkeypatch):
    calls: list[int] = []

    class Local(Asleep):
        def decide(self, now_s, messages):
            calls.append(now_s)
            return super().decide(now_s, messages)

    named = zoom(folder, control={"incident_traffic": Asleep})
    monkeypatch.setattr(zoom_district, "_run_in_a_process", lambda *_: pytest.fail("it cannot be made elsewhere"))
    local = zoom(folder, control={"incident_traffic": Local})
    assert min(calls) == 25_200, "it was called here in the district, which begins before the zoom"
    assert local.digest == named.digest


def test_a_bug_of_the_caller_stops_the_district_too(folder, tmp_path):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        zoom(folder, prepare(tmp_path / "run"), fail)
    assert children() == []
    assert read_stamp(tmp_path / "run" / "district")["ended"] == "interrupted"
