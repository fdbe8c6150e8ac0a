"""The fault matrix from end to end: cells run, faults strike, what is broken is named and can be seen again."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scenarios import load
from scenarios.checks.files import find_properties
from scenarios.checks.matrix import matrix
from tests.cities import shared_toy_city
from twin.cli.checking import check as command

SHIPPED = "twin.control.junctions.incident_traffic:IncidentTraffic"
TOWN = """extends: weekday
city: {{folder: '{city}'}}
people: {{residents: 300, companies: 20}}
start: '07:00'
end: '07:40'
traffic: {{mode: free-flow, fcd_period_s: 0}}
control: {{incident_traffic: '{spec}'}}
interventions:
  - {{kind: close_road, at: '07:05', until: '07:35', road: B1C1}}
"""
NEVER = """properties:
  - name: an event follows every closure
    every: ClosureReported
    followed_by: EventHeld
    within: 1 min
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    return shared_toy_city().save(tmp_path_factory.mktemp("matrix") / "city")


def test_cells_run_and_count_only_where_each_fault_struck(city, tmp_path):
    town = tmp_path / "town.yaml"
    town.write_text(TOWN.format(city=city, spec=SHIPPED))
    done = matrix(load(str(town)), [1], ["controller_restarts", "messages_twice"], out=tmp_path / "o", workers=0)
    by = {c.faults: c for c in done}
    assert set(by) == {("controller_restarts",), ("messages_twice",), ("controller_restarts", "messages_twice")}
    assert by["controller_restarts",].fired == {"controller_restarts": 1}
    assert all(c.fired["messages_twice"] > 0 for c in done if "messages_twice" in c.faults)
    assert all(c.counts and not c.broken and not c.failed for c in done)


def test_liveness_is_excused_around_the_fault_and_demanded_elsewhere(city, tmp_path):
    demand = tmp_path / "demand.yaml"
    demand.write_text(NEVER)
    town = tmp_path / "town.yaml"
    short = TOWN.format(city=city, spec=SHIPPED)
    for text, broken in ((short, []), (short.replace("'07:40'", "'10:00'"), ["an event follows every closure"])):
        town.write_text(text)  # the closure of 07:05 lies within 15 min of the fault in the short run only
        (cell,) = matrix(load(str(town)), [1], ["controller_down"], find_properties(str(demand)), tmp_path / "o", 0)
        assert cell.counts
        assert cell.broken == broken


def test_typed(city, tmp_path):
    town, demand = tmp_path / "town.yaml", tmp_path / "demand.yaml"
    town.write_text(TOWN.format(city=city, spec=SHIPPED).replace("'07:40'", "'10:00'"))
    demand.write_text(NEVER)
    app = typer.Typer()
    app.command("check")(command)
    app.command("other")(lambda: None)
    args = ["check", str(town), "--seeds", "1", "--out", str(tmp_path / "o"), "--workers", "1"]
    said = CliRunner().invoke(app, [*args, "--faults", "controller_restarts", "--properties", str(demand)])
    assert said.exit_code == 1, said.output
    assert "controller_restarts  seed 1  BROKEN: an event follows every closure (struck 1×)" in said.output
    assert "0 held, 1 broken, 0 do not count" in said.output
    again = next(line for line in said.output.splitlines() if "see it: twin check" in line).split()
    assert Path(again[4]).is_file()
    said = CliRunner().invoke(app, ["check", *again[4:], "--properties", str(demand), "--workers", "1"])
    assert said.exit_code == 1, "what is typed again is broken again"
    said = CliRunner().invoke(app, [*args, "--faults", "controller_restarts", "--properties", "traffic"])
    assert said.exit_code == 0, said.output
    assert "1 held, 0 broken" in said.output
