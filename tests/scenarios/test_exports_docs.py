"""The snippets of docs/exports.md run, and its commands are there."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from scenarios.exports.gtfs import Way
from tests.scenarios.exports_town import RobotLog, run_folder, save_town, town
from twin import events
from twin.cli import app
from twin.domain.ids import vehicle_number
from twin.log import Log
from twin.world.traffic.bus_lines import BusLines

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"


def facts(log: Log) -> None:
    robot = RobotLog(log)
    robot.load(30_000, 1)
    robot.depart(30_020)
    robot.arrive(30_200, 40)
    robot.hand(30_300, 1)
    line = BusLines(town()).lines[0]
    run = int((line.departures_s < 30_000).sum())
    t = int(line.departures_s[run] + Way.of(town(), line).arrive_s[1])
    log.add(
        events.BusStopped, t_s=t, vehicle=int(vehicle_number("bus", 0, run)), place="stop-1", line="109", boarded=0,
        alighted=0, aboard=0,
    )  # fmt: skip


def test_the_snippets_run(tmp_path: Path, capsys) -> None:
    names: dict[str, object] = {"run_dir": run_folder(tmp_path / "run", save_town(tmp_path / "town"), facts)}
    for text in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S):
        exec(compile(text, str(PAGE), "exec"), names)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "delivery 1000 m 280 s"
    assert said[1] == "1 trip updates, vehicles and alerts at 08:30"
    assert said[2:] == ["[]", "[]"]


def test_the_commands_of_the_page_are_there() -> None:
    shown = set(re.findall(r"^twin export ([\w-]+)", PAGE.read_text(encoding="utf-8"), flags=re.M))
    assert shown == {"mds", "gtfs", "gtfs-rt", "xes", "ocel", "v2x"}
    for word in sorted(shown):
        result = CliRunner().invoke(app, ["export", word, "--help"])
        assert result.exit_code == 0, word
    options = set(re.findall(r"--[a-z]+", PAGE.read_text(encoding="utf-8")))
    assert options <= set(re.findall(r"--[a-z]+", (PAGE.parents[1] / "twin/cli/exporting.py").read_text()))
