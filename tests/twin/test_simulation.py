"""Whole runs on a toy city: determinism, common random numbers, accounting, closures, control, interruption."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from geo.city import City
from scenarios import load
from tests.cities import toy_city
from twin.clock import Phase
from twin.domain.commands import SetSpeedLimit
from twin.domain.messages import DetectorReadings
from twin.errors import ControlError
from twin.events import (
    RoadClosed,
    RoadReopened,
    RunEnded,
    TripStarted,
    VehicleEntered,
    VehicleRerouted,
)
from twin.run_folder import prepare, read_stamp
from twin.scenario import Scenario
from twin.simulation import Run, Simulation, carry_through

INCIDENT = "twin.control.junctions.incident_traffic:IncidentTraffic"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy city, built and saved once."""
    scratch = tmp_path_factory.mktemp("toy")
    return toy_city(scratch).save(scratch / "city")


def scenario(folder: Path, residents: int = 400, mode: str = "meso", **changes) -> Scenario:
    return load(
        "weekday",
        city={"folder": str(folder)},
        people={"residents": residents, "companies": 20},
        start="07:00",
        end="08:30",
        **{"traffic": {"mode": mode}, **changes},
    )


def simulate(s: Scenario, folder: Path, seed: int = 1, out: Path | None = None) -> Run:
    simulation = Simulation(s, City.load(folder), folder, seed, out)
    simulation.run_until(simulation.end_s)
    return simulation.finish()


def digest_in_worker(folder: Path) -> str:
    return simulate(scenario(folder), folder).digest


def accounted(run: Run) -> None:
    """Assert that every vehicle and every trip that began ended, was refused, or is still under way."""
    n = dict(run.log.sql("select fact, count(*) from events group by 1").itertuples(index=False))
    trips = n["TripStarted"] - n.get("TripEnded", 0) - n.get("TripRefused", 0) - n.get("TripUnderWay", 0)
    assert trips == 0
    never = run.log.sql(
        "select count(*) as n from events where fact = 'VehicleUnderWay'"
        " and vehicle not in (select vehicle from events where fact = 'VehicleEntered')"
    )["n"][0]
    gone = n.get("VehicleArrived", 0) + n.get("VehicleRemoved", 0) + n.get("VehicleUnderWay", 0) - never
    assert n["VehicleEntered"] == gone


@pytest.mark.parametrize("mode", ["meso", "micro", "free-flow"])
def test_a_run_accounts_for_everybody(folder, mode):
    run = simulate(scenario(folder, mode=mode), folder)
    accounted(run)
    assert run.log.table(RunEnded).to_pylist()[0]["reason"] == "finished"
    assert run.log.table(VehicleEntered).num_rows > 50


def test_same_seed_same_digest_here_and_in_a_worker(folder):
    here = simulate(scenario(folder), folder).digest
    again = simulate(scenario(folder), folder).digest
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(digest_in_worker, (folder,))
    assert here == again == there
    assert simulate(scenario(folder), folder, seed=2).digest != here


def test_writing_to_disk_or_not_changes_nothing(folder, tmp_path):
    out = prepare(tmp_path / "run")
    run = simulate(scenario(folder), folder, out=out)
    assert run.digest == simulate(scenario(folder), folder).digest
    stamp = read_stamp(out)
    assert stamp["digest"] == run.digest
    assert stamp["facts"] == run.log.table(columns=["t_s"]).num_rows
    assert (out / "routes.parquet").is_file()


def test_one_more_resident_leaves_everybody_elses_day_alone(folder):
    """Nobody meets anybody in free flow, so the whole day must be the same, not only the plan."""
    a = simulate(scenario(folder, 400, "free-flow"), folder)
    b = simulate(scenario(folder, 401, "free-flow"), folder)
    others = "select * from events where fact in ('TripStarted','TripEnded') and resident <> 400 order by all"
    rows_a, rows_b = a.log.sql(others), b.log.sql(others)
    assert len(rows_a) > 100
    assert rows_a.equals(rows_b)


@pytest.fixture(scope="module")
def busiest(folder, tmp_path_factory) -> str:
    """The road most vehicles pass in the busy variant, neither their first nor their last."""
    out = prepare(tmp_path_factory.mktemp("busy") / "run")
    simulate(busy(folder), folder, out=out)
    ways = pq.read_table(out / "routes.parquet")["roads"].to_pylist()
    roads, counts = np.unique([r for way in ways for r in way[2:-1]], return_counts=True)
    return str(City.load(folder).roads["edge"].iloc[int(roads[counts.argmax()])])


def busy(folder: Path, **changes) -> Scenario:
    return scenario(folder, 3000, **{"traffic": {"mode": "meso", "background": 4.0}, **changes})


def closure(folder: Path, road: str, control: bool) -> Scenario:
    return busy(
        folder,
        interventions=[{"at": "07:20", "until": "08:00", "kind": "close_road", "road": road}],
        control={"incident_traffic": INCIDENT if control else None},
    )


def test_a_closed_road_is_not_used_and_people_go_round_it(folder, busiest):
    run = simulate(closure(folder, busiest, control=True), folder)
    city = City.load(folder)
    road = city.road_index[busiest]
    assert run.log.table(RoadClosed).to_pylist() == [{"t_s": 26400, "road": road, "cause": "interventions[0]"}]
    assert [r["t_s"] for r in run.log.table(RoadReopened).to_pylist()] == [28800]
    causes = set(run.log.frame(VehicleRerouted)["cause"])
    assert causes <= {"closure", "advice"}
    assert "advice" in causes
    assert run.log.table("AdviceFollowed").num_rows > 0
    accounted(run)


def test_the_closure_is_felt_and_control_changes_something(folder, busiest):
    plain = simulate(busy(folder), folder)
    without = simulate(closure(folder, busiest, control=False), folder)
    with_it = simulate(closure(folder, busiest, control=True), folder)
    assert len({plain.digest, without.digest, with_it.digest}) == 3
    assert set(without.log.frame(VehicleRerouted)["cause"]) <= {"closure"}
    trips = [r.log.frame(TripStarted)[["resident", "trip", "planned_s", "mode"]] for r in (plain, without, with_it)]
    common = trips[0].merge(trips[1]).merge(trips[2])
    assert len(common) == len(trips[0]) == len(trips[2]), "the same people make the same plans in all variants"


def test_the_journal_holds_what_control_saw_and_said(folder, busiest, tmp_path):
    from twin.control.junctions.incident_traffic import IncidentTraffic
    from twin.hosts import read_journal

    out = prepare(tmp_path / "run")
    simulate(closure(folder, busiest, control=True), folder, out=out)
    calls = list(read_journal(out / "journal" / "incident_traffic.jsonl"))
    again = IncidentTraffic()
    for now_s, messages, commands in calls:
        assert list(again.decide(now_s, messages)) == commands, "a journal replays to the same commands"
    assert any(isinstance(m, DetectorReadings) for _, messages, _ in calls for m in messages)


class Reckless:
    """Sets a speed limit that no road may have."""

    def decide(self, now_s, messages):
        return [SetSpeedLimit("k", 3, 90.0)]


def test_a_command_outside_its_bounds_is_a_control_error(folder):
    s = scenario(folder, control={"incident_traffic": f"{__name__}:Reckless"})
    simulation = Simulation(s, City.load(folder), folder, 1)
    with pytest.raises(ControlError, match=r"'incident_traffic' set a limit of 90\.0 m/s on road 3 at 25200 s"):
        simulation.run_until(simulation.end_s)
    simulation.close()


def test_an_interrupted_run_leaves_a_readable_log(folder, tmp_path):
    out = prepare(tmp_path / "run")
    simulation = Simulation(scenario(folder), City.load(folder), folder, 1, out)
    simulation.run_until(27_000)
    run = simulation.finish("interrupted")
    accounted(run)
    assert read_stamp(out)["ended"] == "interrupted"
    assert run.log.table(RunEnded).to_pylist() == [{"t_s": 27_000, "reason": "interrupted"}]


def test_running_in_pieces_is_running_in_one(folder):
    whole = simulate(scenario(folder), folder).digest
    simulation = Simulation(scenario(folder), City.load(folder), folder, 1)
    for t in (25_300, 26_017, 27_000, 28_861, 99_999):
        simulation.run_until(t)
    assert simulation.finish().digest == whole


def test_rain_slows_and_moves_people_off_their_bikes(folder):
    dry = simulate(scenario(folder, 800), folder)
    wet = simulate(scenario(folder, 800, weather={"kind": "rain", "rain_mm_h": 10.0}), folder)
    ebike = [np.mean(r.log.frame(TripStarted)["mode"] == 1) for r in (dry, wet)]
    assert ebike[1] < ebike[0]


@pytest.mark.parametrize("mode", ["meso", "free-flow"])
def test_instants_that_need_not_know_what_traffic_tells_change_nothing(folder, mode):
    plain = simulate(scenario(folder, mode=mode), folder)
    simulation = Simulation(scenario(folder, mode=mode), City.load(folder), folder, 1)
    taken, take = [], simulation.gate.take
    simulation.gate.take = lambda flow: (taken.append(simulation.clock.next_s()), take(flow))
    simulation.clock.every(7, Phase.PERCEIVE, lambda: None, flow=False)
    simulation.run_until(simulation.end_s)
    assert simulation.finish().digest == plain.digest
    assert all(t is None or t % 10 == 0 or t % 47 == 0 for t in taken[:-1]), "nobody asked for it in between"


@pytest.mark.parametrize("mode", ["meso", "free-flow"])
def test_who_is_interrupted_where_nobody_needed_to_know_has_lost_nothing(folder, mode):
    simulation = Simulation(scenario(folder, mode=mode), City.load(folder), folder, 1)
    stop_s = 27_000 + 37

    def stop():
        raise KeyboardInterrupt

    simulation.clock.at(stop_s, Phase.PERCEIVE, stop, flow=False)
    run = carry_through(simulation)
    accounted(run)
    assert run.log.table(RunEnded).to_pylist() == [{"t_s": stop_s, "reason": "interrupted"}]
    told = simulate_until(folder, mode, stop_s)
    assert run.log.table(VehicleEntered).equals(told.log.table(VehicleEntered))


def simulate_until(folder, mode, t_s):
    simulation = Simulation(scenario(folder, mode=mode), City.load(folder), folder, 1)
    simulation.run_until(t_s)
    return simulation.finish("interrupted")
