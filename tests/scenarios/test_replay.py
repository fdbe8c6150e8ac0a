"""Replay: recorded messages to the same code, to other code, and to a controller in another process."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scenarios import load
from scenarios.replay import journals, replay
from tests.cities import shared_toy_city
from tests.twin.swapped import SameAgain, Silent
from tests.twin.test_remote import SECRET, served
from twin.cli.desks import recorded_factory
from twin.cli.replaying import replay as command
from twin.control.junctions.incident_traffic import IncidentTraffic
from twin.errors import ScenarioError
from twin.hosts import find_factory
from twin.remote import TOKEN
from twin.run_folder import prepare, read_stamp
from twin.simulation import run

SHIPPED = "twin.control.junctions.incident_traffic:IncidentTraffic"
DESK = "incident_traffic"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A run of twenty minutes with every field of the city on."""
    where = tmp_path_factory.mktemp("replay")
    town = shared_toy_city()
    city = town.save(where / "city")
    everything = {k: {} for k in ("city_brain", "community", "companies", "construction", "junctions")}
    everything["services"] = {"hall": str(town.places["place"].iloc[0])}
    s = load(
        "weekday",
        city={"folder": str(city)},
        people={"residents": 300, "companies": 20},
        start="09:00",
        end="09:20",
        traffic={"mode": "meso", "fcd_period_s": 0},
        control={DESK: SHIPPED},
        interventions=[{"kind": "close_road", "at": "09:05", "until": "09:15", "road": "B1C1"}],
        **everything,
    )
    run(s, 1, prepare(where / "run"))
    return where / "run"


def test_every_desk_of_the_stamp_decides_again_as_it_did(folder):
    stamp = read_stamp(folder)
    found = journals(folder)
    assert {DESK, "alerting", "incidents", "community", "services", "construction", "signals"} <= set(found)
    calls = 0
    for desk in found:
        factory = recorded_factory(stamp, desk)
        assert factory is not None, f"{desk}: what made it is in the stamp"
        again = replay(folder, desk, factory)
        assert again.same, f"{desk}: {again.error} {again.differences[:1]}"
        calls += again.calls
    assert calls > len(found)


def test_in_process_over_http_and_replayed_the_commands_are_the_same(folder, monkeypatch):
    monkeypatch.setenv(TOKEN, SECRET)
    here = replay(folder, DESK, SameAgain)
    with served(IncidentTraffic) as address:
        there = replay(folder, DESK, find_factory(address))
    assert here.same
    assert there.same
    assert (here.calls, here.commands) == (there.calls, there.commands)
    assert here.commands > 0


def test_other_code_differs_where_it_first_decides_otherwise(folder):
    found = replay(folder, DESK, Silent)
    assert not found.same
    first = found.differences[0]
    assert first.now_s >= 9 * 3600 + 5 * 60, "the closure is the first thing to decide on"
    assert first.only_then
    assert first.only_now == ()


def test_typed(folder):
    app = typer.Typer()
    app.command("replay")(command)
    app.command("other")(lambda: None)
    same = CliRunner().invoke(app, ["replay", str(folder)])
    assert same.exit_code == 0, same.output
    assert "incident_traffic: " in same.output
    assert "is not known from the stamp" not in same.output
    other = CliRunner().invoke(app, ["replay", str(folder), "--control", f"{DESK}=tests.twin.swapped:Silent"])
    assert other.exit_code == 1
    assert "then: AvoidRoad" in other.output or "then: " in other.output
    wrong = CliRunner().invoke(app, ["replay", str(folder), "--control", "incident_trafic=tests.twin.swapped:Silent"])
    assert wrong.exit_code == 2
    assert "did you mean 'incident_traffic'" in wrong.output


def test_a_folder_without_journals_is_one_sentence(tmp_path):
    with pytest.raises(ScenarioError, match="holds no journal of a desk"):
        journals(tmp_path)
