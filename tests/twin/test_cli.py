"""The command line: what it says, how it ends, and that it starts at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.cities import shared_toy_city
from twin.cli import app
from twin.cli.folders import default_folder
from twin.cli.progress import status
from twin.cli.sameness import first_difference
from twin.scenario import catalogue

ROOT = Path(__file__).parents[2]
TOY = """\
title: A toy town
title_zh: 玩具小镇
city: city
weekday: monday
start: "07:00"
end: "07:30"
people: {residents: 300, companies: 20}
traffic: {mode: free-flow, fcd_period_s: 10, background: 0}
"""


def twin(*args: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def errors(result: Result) -> list[str]:
    """Return the sentences on stderr."""
    return [line.removeprefix("Error: ") for line in result.stderr.splitlines() if line.startswith("Error: ")]


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small city and a scenario of half an hour in it."""
    folder = tmp_path_factory.mktemp("town")
    shared_toy_city().save(folder / "city")
    (folder / "toy.yaml").write_text(TOY, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def toy_run(town: Path) -> Path:
    """A finished run of the small city; not to be written to."""
    out = town / "run"
    result = twin("run", town / "toy.yaml", "--out", out, "--no-map")
    assert result.exit_code == 0, result.output
    return out


# -- quick to start ----------------------------------------------------------------------------------


def _best_s(*command: str) -> float:
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True)
        best = min(best, time.perf_counter() - began)
    return best


def test_help_costs_little_more_than_its_toolkit() -> None:
    # a ratio, because the machine's speed is not ours: 0.4 s is promised where importing typer takes 0.08 s
    assert _best_s("-m", "twin.cli", "--help") < 2.5 * _best_s("-c", "import typer, typing, dataclasses") + 0.05


def test_help_imports_nothing_heavy() -> None:
    heavy = "numpy pandas pyarrow scipy shapely geopandas pyproj mesa simpy libsumo sumolib duckdb pydantic ruamel rich"
    code = (
        "import sys, twin.cli; from typer.testing import CliRunner as C;"
        "assert C().invoke(twin.cli.app, ['--help']).exit_code == 0;"
        f"print([m for m in {heavy.split()!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_help_names_every_command() -> None:
    said = twin("--help").output
    for command in ("demo", "run", "rerun", "map", "list", "describe", "validate", "diff", "doctor", "bench", "city"):
        assert re.search(rf"^  {command} ", said, flags=re.M), command


# -- looking -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_list_shows_every_scenario(lang: str) -> None:
    result = twin("list", "--lang", lang)
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(catalogue())
    assert ("工作日" in result.stdout) == (lang == "zh")


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_describe_says_what_for_and_every_key(name: str) -> None:
    english, chinese = twin("describe", name), twin("describe", name, "--lang", "zh")
    assert english.exit_code == chinese.exit_code == 0
    assert "Question: " in english.stdout
    assert "问题：" in chinese.stdout
    for key in ("start", "traffic.mode", "traffic.fcd_period_s", "weather.kind", "control.incident_traffic"):
        assert re.search(rf"^{re.escape(key)} ", english.stdout, flags=re.M), key


def test_diff_states_only_what_changed() -> None:
    said = twin("diff", "weekday", "weekend").stdout.splitlines()
    assert said == ["The first day is a Saturday instead of a Tuesday."]
    assert twin("diff", "weekday", "weekend", "--lang", "zh").stdout.splitlines() == ["首日由星期二改为星期六。"]
    assert twin("diff", "demo", "demo").stdout.splitlines() == ["The two scenarios are the same."]


def test_diff_tells_names_in_the_language_asked_for(town: Path) -> None:
    closure = 'interventions: [{kind: close_road, road: A0A1, at: "07:10", until: "07:20"}]'
    (town / "closed.yaml").write_text(f"extends: toy.yaml\n{closure}", encoding="utf-8")
    assert twin("diff", town / "toy.yaml", town / "closed.yaml").stdout.splitlines() == [
        "A0A1 is closed from 07:10 to 07:20."
    ]
    back = twin("diff", town / "closed.yaml", town / "toy.yaml").stdout.splitlines()
    assert back == ["No longer so: A0A1 is closed from 07:10 to 07:20."]


# -- validating --------------------------------------------------------------------------------------


def test_validate_is_content_with_a_good_file_and_quick(town: Path) -> None:
    began = time.perf_counter()
    result = twin("validate", town / "toy.yaml")
    assert (result.exit_code, result.stdout) == (0, "toy: all right.\n")
    assert time.perf_counter() - began < 2


def test_validate_lists_every_mistake_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text('start: "09:00"\nend: "08:00"\npeople: {residents: 0}\npeple: 1')
    result = twin("validate", file)
    assert result.exit_code == 1
    said = errors(result)
    assert len(said) == 3
    assert all("bad.yaml, line" in s for s in said)


def test_validate_checks_names_against_the_city(town: Path) -> None:
    file = town / "names.yaml"
    file.write_text(
        "extends: toy.yaml\n"
        "control: {incident_traffic: 'nowhere.to:Go'}\n"
        "zoom: {lon: 0, lat: 0}\n"
        "interventions:\n"
        '  - {kind: close_road, road: A0A2, at: "07:10"}\n'
        '  - {kind: close_road, road: A0A1, lanes: [0, 7], near: Market, at: "07:10"}\n'
        '  - {kind: event, place: Stadium, people: 5, at: "07:10"}\n',
        encoding="utf-8",
    )
    result = twin("validate", file)
    said = {s.split(" ", 3)[3].split(" ")[0]: s for s in errors(result)}
    assert result.exit_code == 1
    assert set(said) == {
        "control.incident_traffic",
        "zoom",
        "interventions[0].road",
        "interventions[1].lanes[1]",
        "interventions[1].near",
        "interventions[2].place",
    }
    assert "names.yaml, line 5" in said["interventions[0].road"]
    assert re.search(r"no such road; did you mean 'A\dA\d'", said["interventions[0].road"])
    assert "lanes 0 to 1" in said["interventions[1].lanes[1]"]
    assert "outside toy" in said["zoom"]
    run = twin("run", file, "--out", town / "never")
    assert run.exit_code == 2
    assert "nowhere" in errors(run)[0]


# -- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run", "nope"], "there is no scenario 'nope'"),
        (["run", "gone.yaml"], "gone.yaml: there is no such file"),
        (["run", "demo", "--set", "people.residents=0"], "--set people.residents: people.residents is 0"),
        (["run", "demo", "--set", "people.residents"], "has no '='"),
        (["run", "demo", "--traffic", "mezo"], 'traffic.mode is "mezo"'),
        (["run", "demo", "--hours", "-1"], "--hours: is -1"),
        (["run", "demo", "--lang", "de"], "--lang: is 'de'"),
        (["rerun", "nowhere"], "nowhere"),
        (["map", "nowhere"], "nowhere"),
        (["describe", "wekday"], "did you mean 'weekday'"),
        (["diff", "demo", "demmo"], "did you mean 'demo'"),
        (["city", "build", "out"], "exactly one source"),
        (["city", "build", "out", "--osm", "a.osm", "--sumo", "b.net.xml"], "exactly one source"),
        (["city", "build", "out", "--osm", "a.osm"], "--osm: a.osm: there is no such file"),
        (["city", "build", "out", "--template", "atlantis"], "allowed: qibu"),
        (["ask-service", "办照", "--industry", "new_material"], "--industry: is 'new_material'; allowed: new_energy_v"),
        (["ask-service", "办照", "--stage", "old"], "--stage: is 'old'; allowed: founded, growing, mature, leaving"),
        (["ask-service", "--age", "-5"], "0 to 199 are allowed"),
        (["ask", "drowning", "--workers", "0"], "'--workers': Input should be greater than or equal to 1"),
        (["check", "demo", "--workers", "0"], "'--workers': Input should be greater than or equal to 1"),
        (["falsify", "demo", "--vary", "people.share=0.1..0.2", "--workers", "-1"], "'--workers': Input should be"),
        (["check", "demo", "--faults", "all,messages_lost"], "'all' stands alone"),
        (["check", "demo", "--faults", ","], "names no fault; there are: all, messages_lost"),
        (["compare", "demo", "demo", "--warm-up", "180"], "--warm-up: is 180; allowed: less than the 180 minutes"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    args: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = twin(*args)
    assert result.exit_code == 2
    assert len(errors(result)) == 1
    assert words in errors(result)[0]
    assert list(tmp_path.iterdir()) == [], "a refused command leaves nothing behind"


def test_a_folder_with_a_run_is_not_overwritten_unless_forced(toy_run: Path, town: Path) -> None:
    before = (toy_run / "stamp.json").read_bytes()
    refused = twin("run", town / "toy.yaml", "--out", toy_run)
    assert refused.exit_code == 2
    assert "already holds a run" in errors(refused)[0]
    assert (toy_run / "stamp.json").read_bytes() == before
    copy = town / "again"
    args = ("run", town / "toy.yaml", "--out", copy, "--no-map", "--set", 'end="07:10"')
    assert twin(*args).exit_code == 0
    (copy / "notes.txt").write_text("mine")
    assert twin(*args, "--force").exit_code == 0
    assert (copy / "notes.txt").read_text() == "mine"


def test_a_run_whose_log_is_cut_short_is_one_sentence_for_every_reader(toy_run: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(toy_run, cut)
    (cut / "events.parquet").write_bytes((toy_run / "events.parquet").read_bytes()[:500])
    for command in (["map"], ["report"], ["export", "mds"], ["export", "gtfs-rt"], ["export", "xes"]):
        result = twin(*command, cut)
        assert result.exit_code == 2
        assert errors(result) == [f"{cut}/events.parquet: is not a complete log (its run did not end); run it again"]


def test_replay_names_its_own_option(toy_run: Path) -> None:
    said = errors(twin("replay", toy_run, "--control", "alerting"))
    assert said == ["--control 'alerting': has no '='; write it like alerting=mypkg.mymodule:MyDesk"]


def test_an_output_folder_that_cannot_be_written_is_one_sentence(town: Path) -> None:
    file = town / "a-file"
    file.write_text("")
    for out in (file, file / "below"):
        result = twin("run", town / "toy.yaml", "--out", out)
        assert result.exit_code == 2
        assert str(out) in errors(result)[0]


# -- running -----------------------------------------------------------------------------------------


def test_a_run_leaves_its_folder(toy_run: Path) -> None:
    stamp = json.loads((toy_run / "stamp.json").read_text(encoding="utf-8"))
    kpis = {k["name"]: k["value"] for k in json.loads((toy_run / "kpis.json").read_text(encoding="utf-8"))["kpis"]}
    assert (stamp["name"], stamp["seed"], stamp["ended"]) == ("toy", 1, "finished")
    assert kpis["trips"] > 0
    assert kpis["arrived_share"] + kpis["under_way_share"] + kpis["refused_share"] == pytest.approx(100)


def test_a_rerun_is_the_same(toy_run: Path) -> None:
    result = twin("rerun", toy_run)
    assert result.exit_code == 0
    assert result.stdout.startswith("Same: ")
    assert json.loads((toy_run / "stamp.json").read_text(encoding="utf-8"))["digest"] in result.stdout


def test_a_rerun_that_differs_names_the_first_fact(toy_run: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    stamp = json.loads((toy_run / "stamp.json").read_text(encoding="utf-8"))
    stamp["seed"] = 2
    stamp["versions"]["numpy"] = "0.1"
    (changed / "stamp.json").write_text(json.dumps(stamp))
    (changed / "events.parquet").write_bytes((toy_run / "events.parquet").read_bytes())
    result = twin("rerun", changed)
    assert result.exit_code == 1
    assert re.match(r"Different: fact 1, \w+ at \d\d:\d\d.*: .* was .* and is ", result.stdout)
    assert "numpy was 0.1, is " in result.stdout


def test_the_first_difference_is_found_wherever_it_is(toy_run: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = toy_run / "events.parquet"
    table = pq.read_table(file)
    row = next(i for i, kind in enumerate(table["fact"].to_pylist()) if kind == "TripEnded")
    durations = table["duration_s"].to_pylist()
    durations[row] += 1
    place = table.column_names.index("duration_s")
    pq.write_table(table.set_column(place, "duration_s", pa.array(durations, pa.int64())), tmp_path / "a.parquet")
    pq.write_table(table.slice(0, table.num_rows - 1), tmp_path / "b.parquet")
    assert first_difference(file, file) is None
    said = first_difference(file, tmp_path / "a.parquet")
    assert said is not None
    assert f"fact {row + 1:,}, TripEnded" in said
    assert f"duration_s was {durations[row] - 1} and is {durations[row]}" in said
    shorter = first_difference(file, tmp_path / "b.parquet")
    assert shorter is not None
    assert shorter.startswith(f"fact {table.num_rows:,} at ")
    assert shorter.endswith("is only in the first run.")
    assert first_difference(file, tmp_path / "b.parquet", before_s=table["t_s"][-1].as_py()) is None


def test_an_interrupted_run_can_be_read_and_rerun(town: Path) -> None:
    out = town / "cut"
    args = ["run", str(town / "toy.yaml"), "--out", str(out), "--no-map", "--set", "days=4", "--traffic", "meso"]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "twin.cli", *args], cwd=ROOT, env=env, text=True, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        shown = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130, shown + rest
    assert re.match(r" *\d+%  .*× real time  \d+:\d\d left", shown)
    assert "Traceback" not in rest
    stamp = json.loads((out / "stamp.json").read_text(encoding="utf-8"))
    assert stamp["ended"] == "interrupted"
    assert (out / "kpis.json").is_file()


def test_the_default_folder_is_the_first_that_is_free(tmp_path: Path) -> None:
    assert default_folder("demo", 7, tmp_path).name == "demo-7"
    (tmp_path / "demo-7").mkdir()
    (tmp_path / "demo-7-2").symlink_to("nowhere")
    assert default_folder("demo", 7, tmp_path).name == "demo-7-3"


def test_progress_shows_time_speed_and_what_is_left() -> None:
    assert status(27_120, 25_200, 32_400, 4.0) == "07:32  480× real time  0:11 left"
    assert status(86_400 + 3600, 0, 172_800, 60.0) == "day 2 01:00  1,500× real time  0:55 left"
    assert status(25_200, 25_200, 32_400, 0.0) == "07:00"


# -- cities and the installation ---------------------------------------------------------------------


def test_city_build_says_what_it_built_and_protects_what_is_there(town: Path, tmp_path: Path) -> None:
    net = shared_toy_city().net_file
    out = tmp_path / "made"
    result = twin("city", "build", out, "--sumo", net, "--name", "gridville")
    assert result.exit_code == 0, result.output
    assert "gridville" in result.stdout
    assert re.search(r"\d+ road edges, .* km; 2 signals", result.stdout)
    assert "already holds a city" in errors(twin("city", "build", out, "--sumo", net))[0]
    assert twin("city", "build", out, "--sumo", net, "--force").exit_code == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    assert "holds no city" in errors(twin("city", "build", tmp_path / "full", "--sumo", net, "--force"))[0]
    (tmp_path / "broken.net.xml").write_text("<net><edge")
    broken = twin("city", "build", tmp_path / "x", "--sumo", tmp_path / "broken.net.xml")
    assert broken.exit_code == 2
    assert "broken.net.xml" in errors(broken)[0]


def test_doctor_finds_this_installation_well() -> None:
    result = twin("doctor")
    assert result.exit_code == 0, result.output
    for name in ("Python", "pyarrow", "SUMO", "libsumo", "projections", "cache", "memory", "cores", "browser"):
        assert re.search(rf"^(ok|note) +{name}: ", result.stdout, flags=re.M), name


def test_doctor_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("twin.doctor.PYARROW_MAJOR", "99")
    result = twin("doctor")
    assert result.exit_code == 1
    assert re.search(r"BAD +pyarrow: .*\n +→ .*pip install", result.stdout)
    assert re.search(r"BAD +cache: .*cannot be written.*\n +→ set XDG_CACHE_HOME", result.stdout)
    assert "2 things to put right" in result.stdout
