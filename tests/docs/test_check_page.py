"""Every snippet of docs/check.md does what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from scenarios.checks.files import read_properties
from scenarios.checks.matrix import STRENGTH
from scenarios.checks.run import judge
from scenarios.checks.waivers import reasons
from scenarios.readings import Memory
from twin.events import RunEnded, RunStarted, VehicleTeleported
from twin.log import Log
from twin.scenario import load_scenario
from twin.scenario.interventions import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "check.md"


def snippets(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)


def run_with(teleports: int):
    log = Log(None)
    log.add(RunStarted, t_s=0, scenario="x", seed=1, city="x", traffic="meso", residents=0)
    for i in range(teleports):
        log.add(VehicleTeleported, t_s=100 + i, vehicle=1_000_000_000_001, kind="car")
    log.add(RunEnded, t_s=7200, reason="finished")
    return log.close()


def test_the_file_of_properties_is_read_and_judges(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(snippets("yaml")[0], encoding="utf-8")
    properties = read_properties(file)
    assert len(properties) == 5
    told = judge(run_with(400), properties)
    assert told["nobody boards twice"].holds is None


def test_the_property_in_python_judges():
    names: dict[str, object] = {"__name__": "snippet"}
    exec(snippets("python")[0], names)
    mine = names["FewTeleports"]()
    assert mine.check(Memory(run_with(9))).holds is True
    found = mine.check(Memory(run_with(12)))
    assert (found.holds, found.first.t_s) == (False, 109)


def test_the_scenario_with_faults_loads(tmp_path):
    file = tmp_path / "faulty.yaml"
    file.write_text(snippets("yaml")[2], encoding="utf-8")
    assert [v.kind for v in load_scenario(str(file), {}).interventions[-2:]] == ["fault", "fault"]


def test_the_scenario_with_a_waiver_loads_and_names_a_property_there_is(tmp_path):
    file = tmp_path / "waived.yaml"
    file.write_text(snippets("yaml")[1], encoding="utf-8")
    assert list(reasons(load_scenario(str(file), {}), [])) == ["targets are watched"]


def test_the_table_of_faults_is_whole():
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (.*?) \|$", PAGE.read_text(encoding="utf-8"), flags=re.M))
    assert list(rows) == list(FAULTS)
    assert {k for k, v in rows.items() if v != "–"} == set(STRENGTH)
    for kind, strength in STRENGTH.items():
        if "share" in strength:
            assert rows[kind] == f"{strength['share']:.0%}".replace("%", " %")


def test_the_test_of_an_engineer_runs_and_explains_itself(tmp_path):
    text = snippets("python")[1]
    (tmp_path / "test_ours.py").write_text(text + "\n\n" + _failing(text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "test_ours.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 2 passed" in done.stdout or "2 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "again: twin run road_closure --seed 1 --hours 0.25 --set people.residents=200" in done.stdout


def _failing(text: str) -> str:
    mark = next(line for line in text.splitlines() if line.startswith("@pytest"))
    return (
        f"{mark.replace('seeds=2', 'seeds=1')}\ndef test_wrong(twin_run):\n    assert not twin_run.holds('traffic')\n"
    )
