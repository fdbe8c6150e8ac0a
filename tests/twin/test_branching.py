"""One past, several futures: identical where nothing differs, equal to a run from the start, and in its own files."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from scenarios import kpis, load
from scenarios.branch import branch
from scenarios.branch_seeds import branch_seeds
from scenarios.study import Question
from tests.cities import shared_toy_city
from twin.branching import can_fork, check_branch
from twin.cli.branching import branch as command
from twin.cli.branching import seconds_at
from twin.clock import Clock, Phase
from twin.errors import ScenarioError
from twin.run_folder import prepare
from twin.simulation import run

AT = 7 * 3600 + 20 * 60
SHIPPED = "twin.control.junctions.incident_traffic:IncidentTraffic"
RAIN = {"kind": "weather", "at": "07:05", "until": "07:30", "weather": "rain", "rain_mm_h": 20}
CLOSED = {"kind": "close_road", "at": "07:22", "until": "07:35", "road": "B1C1"}

pytestmark = pytest.mark.skipif(not can_fork(), reason="forks a live run: Linux")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return shared_toy_city().save(tmp_path_factory.mktemp("branching") / "city")


def scenario(folder: Path, mode: str, **more):
    return load(
        "weekday",
        city={"folder": str(folder)},
        people={"residents": 300, "companies": 20},
        start="07:00",
        end="07:40",
        traffic={"mode": mode, "fcd_period_s": 10},
        control={"incident_traffic": SHIPPED},
        **{"interventions": [RAIN], **more},
    )


@pytest.fixture(scope="module", params=["free-flow", "meso"])
def branched(request, folder, tmp_path_factory):
    """Two futures that change nothing, and one with a closure after the branch."""
    base = scenario(folder, request.param)
    closed = base.changed(name="closed", interventions=[RAIN, CLOSED])
    out = tmp_path_factory.mktemp("futures")
    done = branch(base, [base.changed(name="one"), base.changed(name="two"), closed], AT, out)
    return base, closed, out, done


def test_identical_branches_are_identical_and_equal_to_the_straight_run(branched, tmp_path):
    base, closed, _, done = branched
    one, two, other = done.futures
    assert done.forked
    assert one.digest == two.digest != other.digest
    straight = run(base, 1, prepare(tmp_path / "straight"))
    assert straight.digest == one.digest
    # also a changed future is what a run from the start under the same name is: the order within a second is kept
    assert run(closed.changed(name=base.name), 1).digest == other.digest


def test_every_future_has_its_own_whole_files(branched, tmp_path):
    base, _, out, done = branched
    straight = prepare(tmp_path / "straight")
    run(base, 1, straight)
    for name in ("events.parquet", "routes.parquet", "fcd.parquet"):
        tables = [pq.read_table(f.folder / name) for f in done.futures]
        whole = pq.read_table(straight / name)
        assert tables[0].num_rows == tables[1].num_rows == whole.num_rows, name
    moved, whole = (pq.read_table(f / "fcd.parquet") for f in (done.futures[0].folder, straight))
    assert moved["timestep_time"].to_numpy().min() < AT < moved["timestep_time"].to_numpy().max()
    places = ("vehicle_x", "vehicle_y") if base.traffic.mode == "meso" else ()  # see docs/compare.md
    for column in set(whole.column_names) - set(places):
        assert moved[column].equals(whole[column]), f"{column} before and after the branch"
    for f in done.futures[:2]:
        journal = (f.folder / "journal" / "incident_traffic.jsonl").read_bytes()
        assert journal == (straight / "journal" / "incident_traffic.jsonl").read_bytes()
    assert json.loads((done.futures[2].folder / "stamp.json").read_text())["digest"] == done.futures[2].digest
    assert not (out / ".past").exists()


def test_rerunning_from_the_start_gives_the_same(branched, tmp_path):
    base, closed, _, done = branched
    again = branch(base, [closed], AT, tmp_path, fork=False)
    assert not again.forked
    assert again.futures[0].digest == done.futures[2].digest
    assert again.cpu_s == again.separate_cpu_s
    assert done.cpu_s < done.separate_cpu_s


def test_futures_that_run_at_once_are_the_same(branched, tmp_path):
    base, closed, _, done = branched
    both = branch(base, [closed, base.changed(name="one")], AT, tmp_path, workers=2)
    assert [f.digest for f in both.futures] == [done.futures[2].digest, done.futures[0].digest]


def test_code_can_be_swapped_at_the_branch_and_hears_the_past(folder, tmp_path):
    base = scenario(folder, "free-flow", interventions=[{**CLOSED, "at": "07:05"}])
    again = base.changed(name="again", control={"incident_traffic": "tests.twin.swapped:SameAgain"})
    silent = base.changed(name="silent", control={"incident_traffic": "tests.twin.swapped:Silent"})
    done = branch(base, [base, again, silent], AT, tmp_path)
    same, other, without = (f.digest for f in done.futures)
    assert other == same, "the same code, told the same past, is in the same state"
    assert without != same
    told = pq.read_table(done.futures[2].folder / "events.parquet", filters=[("fact", "==", "ControllerDecided")])
    after = told["t_s"].to_numpy() >= AT
    assert (told["commands"].to_numpy()[after] == 0).all()
    assert (told["commands"].to_numpy()[~after] > 0).any()


def test_several_seeds_are_pairs_of_a_comparison(folder, tmp_path):
    base = scenario(folder, "free-flow")
    closed = base.changed(name="closed", interventions=[RAIN, CLOSED])
    silent = base.changed(name="silent", control={"incident_traffic": "tests.twin.swapped:Silent"})
    asked = Question((kpis.by_name("vehicle_time_s"), kpis.by_name("vehicles_rerouted")), (1, 2))
    variants = [base.changed(name="same"), closed, silent]
    done, cost = branch_seeds(base, variants, AT, asked, tmp_path)
    same, shut, swapped = done.compared
    assert same.same
    assert all(a.summary is None or a.summary.difference == 0.0 for a in same.reply.answers)
    assert shut.reply.pairs == 2
    assert cost.forked
    assert cost.futures == 8
    assert cost.cpu_s < cost.separate_cpu_s
    assert shut.digests[2] == (run(base, 2).digest, run(closed.changed(name=base.name), 2).digest)
    assert swapped.key.endswith(f"@{AT}"), "not taken for a run with that code from the start"
    again, nothing = branch_seeds(base, variants, AT, asked, tmp_path)
    assert nothing.futures == 0, "what is finished is not run again"
    assert again.digest == done.digest


def test_a_seed_whose_future_fails_is_named_and_in_no_pair(folder, tmp_path):
    base = scenario(folder, "free-flow")
    breaks = base.changed(name="breaks", control={"incident_traffic": "tests.twin.swapped:BreaksLater"})
    done, _ = branch_seeds(base, [breaks], AT, Question((kpis.by_name("vehicle_time_s"),), (1,)), tmp_path)
    ((who, said),) = done.compared[0].failed.items()
    assert who[1] == 1
    assert "controller 'incident_traffic' failed at" in said
    assert done.compared[0].reply.answers[0].verdict == "inconclusive"


# -- what may differ -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"people": {"residents": 301}}, r"people\.residents differs from .*, which changes the past"),
        ({"weather": {"kind": "fog"}}, r"weather\.kind differs from"),
        (
            {"interventions": [CLOSED]},
            r"interventions\[0\] \(close_road at 07:22\) differs .* before the branch at 07:20",
        ),
        ({"interventions": [RAIN, {**CLOSED, "at": "07:19"}]}, r"interventions\[1\] \(close_road at 07:19\) differs"),
        ({"interventions": [{**RAIN, "until": "07:38"}]}, r"interventions\[0\] \(weather at 07:05\) differs"),
        ({"control": {"incident_traffic": None}}, "is switched off, and a desk is there from the start or never"),
        (
            {"interventions": [RAIN, {"kind": "event", "at": "07:30", "place": "x", "people": 9}]},
            r"interventions\[1\] \(event at 07:30\) differs",  # its visitors decide two hours before
        ),
    ],
)
def test_what_would_change_the_past_is_one_sentence(folder, changes, said):
    base = scenario(folder, "free-flow")
    with pytest.raises(ScenarioError, match=said):
        check_branch(base, base.changed(name="variant", **changes), AT)


def test_a_zoom_cannot_branch():
    base = load("cuizhai_zoom")
    with pytest.raises(ScenarioError, match=r"cuizhai_zoom: has a zoom, .* it cannot branch; branch it without"):
        check_branch(base, base, base.start_s + 3600)


def test_what_lies_after_the_branch_may_differ(folder):
    base = scenario(folder, "free-flow")
    check_branch(base, base.changed(interventions=[RAIN, {**CLOSED, "at": "07:20"}]), AT)
    check_branch(base, base.changed(control={"incident_traffic": "tests.twin.swapped:Silent"}), AT)


@pytest.mark.parametrize("at_s", [7 * 3600, 7 * 3600 + 2400, 0])
def test_a_branch_lies_within_the_run(folder, at_s):
    base = scenario(folder, "free-flow")
    with pytest.raises(ScenarioError, match="must lie between 07:00 and 07:40"):
        check_branch(base, base, at_s)


def test_a_future_that_fails_is_named(folder, tmp_path):
    base = scenario(folder, "free-flow")
    breaks = base.changed(name="breaks", control={"incident_traffic": "tests.twin.swapped:BreaksLater"})
    with pytest.raises(ScenarioError, match="breaks: controller 'incident_traffic' failed at"):
        branch(base, [breaks], AT, tmp_path)


# -- the clock's order ---------------------------------------------------------------------------------


def test_what_is_asked_for_late_can_take_an_earlier_place():
    clock, order = Clock(0), []
    clock.at(5, Phase.WORLD, lambda: order.append("first"))
    place = clock.place()
    clock.at(5, Phase.WORLD, lambda: order.append("last"))
    with clock.as_if_at(place):
        clock.at(5, Phase.WORLD, lambda: order.append("late a"))
        clock.at(5, Phase.WORLD, lambda: order.append("late b"))
    clock.at(5, Phase.WORLD, lambda: order.append("very last"))
    clock.run_instant()
    assert order == ["first", "late a", "late b", "last", "very last"]


# -- typed ---------------------------------------------------------------------------------------------


def test_typed(folder, tmp_path):
    (tmp_path / "calm.yaml").write_text(
        f"extends: weekday\ncity: {{folder: '{folder}'}}\npeople: {{residents: 200, companies: 10}}\nstart: '07:00'\n"
        "end: '07:30'\ntraffic: {mode: free-flow, fcd_period_s: 0}\n"
    )
    (tmp_path / "shut.yaml").write_text(
        "extends: calm\ninterventions:\n  - {kind: close_road, at: '07:15', road: B1C1}\n"
    )
    app = typer.Typer()
    app.command("branch")(command)
    app.command("other")(lambda: None)
    calm, shut = str(tmp_path / "calm.yaml"), str(tmp_path / "shut.yaml")
    said = CliRunner().invoke(app, ["branch", calm, "--at", "07:10", "--with", shut, "--out", str(tmp_path / "o")])
    assert said.exit_code == 0, said.output
    assert "Forked at 07:10" in said.output
    assert "× what 2 runs from the start take" in said.output
    assert "shut: digest " in said.output
    pairs = ["branch", calm, "--at", "07:10", "--with", shut, "--out", str(tmp_path / "p"), "--seeds", "3"]
    said = CliRunner().invoke(app, [*pairs, "--kpi", "vehicles_rerouted", "--kpi", "vehicles_entered"])
    assert said.exit_code == 0, said.output
    assert "calm → shut" in said.output
    assert "Forked at 07:10 under each seed" in said.output
    assert "× what 6 runs from the start take" in said.output
    assert "one past, up to 07:10 of day 1" in (tmp_path / "p" / "report.html").read_text()
    alone = CliRunner().invoke(app, ["branch", calm, "--at", "07:10", "--seeds", "3", "--out", str(tmp_path / "q")])
    assert alone.exit_code == 2
    assert "--seeds: give at least one --with VARIANT" in alone.output
    bad = CliRunner().invoke(app, ["branch", calm, "--at", "0710", "--with", shut])
    assert bad.exit_code == 2
    assert "--at: is '0710'; allowed: a time such as 08:00" in bad.output


def test_times_of_day():
    assert seconds_at("08:00", 2) == 86_400 + 8 * 3600
    for text in ("8", "24:00", "08:60", "8:0"):
        with pytest.raises(ScenarioError, match="--at: is"):
            seconds_at(text, 1)
