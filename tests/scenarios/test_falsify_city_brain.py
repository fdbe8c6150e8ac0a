"""Falsify where sensors, alerting and responders are on: the scenario of docs/check.md, a planted desk, an outage."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from scenarios.checks import run
from scenarios.checks.files import read_properties
from scenarios.falsify import changed, objective
from scenarios.runner import runs
from scenarios.runner.telling import silent
from tests.twin.world.city_brain.brain_town import simulation
from twin.cli import app
from twin.errors import ScenarioError
from twin.events import SensorFailed, SensorRestored
from twin.scenario import load_scenario
from twin.scenario.parts import clock_text

PAGE = Path(__file__).parents[2] / "docs" / "check.md"
FEW = {"hazards": {"rate": 0}, "sensors": {"outages": 0, "channels": 1500}}
DESK = "city_brain.responders.desk=tests.scenarios.checks.planted:HearsNoCalls"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the two files of the page."""
    for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S):
        if name := re.match(r"# (\w+\.yaml)", text):
            (tmp_path / name[1]).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run_all = runs.run_all
    for module in (runs, run):  # no process of its own for each setting, which would cost more than the run
        monkeypatch.setattr(module, "run_all", lambda jobs, out, _, **more: run_all(jobs, out, 0, **more))
    return tmp_path


def typed() -> list[str]:
    """Return the command of the page, without 'twin'."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", "")
    line = re.search(r"^twin (falsify fire_watch.*)$", text, flags=re.M)
    assert line is not None
    return line[1].split()


def test_a_desk_that_hears_no_calls_is_found_by_an_outage_and_the_printed_command_shows_it(here):
    cli = CliRunner()
    found = cli.invoke(app, [*typed(), "--set", DESK, "--runs", "24", "--workers", "1", "--out", "out"])
    assert found.exit_code == 1, found.output
    said = re.findall(r"^  (\S+): (\S+)   \(base", found.output, flags=re.M)
    assert [key for key, _ in said] == ["interventions.1.share"], "the outage, and nothing else, is needed"
    assert found.output.count("does not matter") == 3
    command = re.search(r"see it: twin (.*)$", found.output, flags=re.M)[1].split()
    again = cli.invoke(app, [*command, "--workers", "1", "--out", "again"])
    assert again.exit_code == 1, again.output
    assert "HazardBegan at 18:10" in again.output

    # the shipped desk hears calls: the same outage, and a whole one, take no answer away
    sound = objective(
        load_scenario("fire_watch.yaml", {}), [1], read_properties("answered.yaml"), here / "s", 0, silent
    )
    assert min(sound([{"interventions.1.share": float(said[0][1])}, {"interventions.1.share": 1.0}])) > 0


def test_a_share_of_the_channels_is_drawn_and_a_smaller_one_lies_in_it():
    def silent_of(share: float) -> tuple[set[int], set[int]]:
        item = {"kind": "sensor_outage", "at": "14:01", "until": "14:04", "query": "kind:camera", "share": share}
        sim = simulation(interventions=[item], end="14:05", city_brain=FEW)
        sim.run_until(sim.end_s)
        log = sim.finish().log
        return set(log.frame(SensorFailed)["channel"]), set(log.frame(SensorRestored)["channel"])

    none, third, most, all_ = (silent_of(s) for s in (0.0, 0.3, 0.7, 1.0))
    assert not none[0]
    assert third[0] < most[0] < all_[0]
    n = len(all_[0])
    assert abs(len(third[0]) - 0.3 * n) < 4 * np.sqrt(0.3 * 0.7 * n)  # binomial, four standard deviations
    assert all(fell == back for fell, back in (third, most, all_)), "the same come back"


def test_a_share_beyond_one_is_one_sentence_and_a_part_is_said_in_words():
    base = load_scenario("sensor_outage", {})
    with pytest.raises(ScenarioError, match=r"share is 1\.5; allowed: a number from 0 to 1"):
        changed(base, {"interventions.0.share": 1.5})
    some = changed(base, {"interventions.0.share": 0.25}).interventions[0]
    assert some.sentence("from 14:00", str)[0].startswith("25% of the channels")
    assert base.interventions[0].sentence("from 14:00", str)[0].startswith("channels")
    assert clock_text(some.at) == "14:00"
