"""A stop whose lane closes: the vehicle halts on another lane, or drives past and it is said; the run goes on."""

from __future__ import annotations

import numpy as np
import pytest

from geo.city import City
from scenarios import load
from tests.twin.world.traffic.conftest import Start, edges, run, vehicles
from twin.cities import city_folder
from twin.events import BusStopped, StopSkipped
from twin.simulation import run as run_scenario
from twin.world.traffic.bus_lines import BusLines
from twin.world.traffic.ports import Stop
from twin.world.traffic.sumo import SumoTraffic

STRAIGHT = ["A0B0", "B0C0", "C0D0"]


@pytest.mark.parametrize("second", range(4))  # meso opens and shuts the road by turns: the moment must not matter
@pytest.mark.parametrize("lane", [0, 1])
def test_a_stop_is_on_a_lane_that_is_open(toy: City, start: Start, sumo_mode: str, lane: int, second: int) -> None:
    traffic = start(toy, sumo_mode)
    middle = int(edges(toy, "B0C0")[0])
    traffic.close_lane(middle, lane, True)
    traffic.advance(20 + second)
    traffic.add(vehicles(toy, [STRAIGHT], [30], stops={0: [Stop(middle, 100.0, 20)]}))
    assert isinstance(traffic, SumoTraffic)
    assert [s.lane for s in traffic.live.vehicle.getStops("1")] == [f"B0C0_{1 - lane}"]
    flow = run(traffic, 400, 20 + second)
    assert flow.stop_began.tolist() == flow.stop_ended.tolist() == flow.arrived.tolist() == [1]
    assert not flow.skipped.size


def test_what_closed_before_is_not_remembered(toy: City, start: Start, sumo_mode: str) -> None:
    traffic = start(toy, sumo_mode)
    middle = int(edges(toy, "B0C0")[0])
    assert isinstance(traffic, SumoTraffic)
    for k, shut in enumerate((False, True, False)):
        traffic.close_lane(middle, 0, shut)
        traffic.add(vehicles(toy, [STRAIGHT], [10], first=k + 1, stops={0: [Stop(middle, 100.0, 20)]}))
        assert [s.lane for s in traffic.live.vehicle.getStops(str(k + 1))] == [f"B0C0_{int(shut)}"]


@pytest.mark.parametrize("at_s", [5, 20, 30])  # waiting to enter, one road before, about to come
def test_a_stop_ahead_moves_when_its_lane_closes(toy: City, start: Start, sumo_mode: str, at_s: int) -> None:
    traffic = start(toy, sumo_mode)
    middle = int(edges(toy, "B0C0")[0])
    stops = [Stop(middle, 60.0, 20), Stop(middle, 250.0, 20)]
    traffic.add(vehicles(toy, [STRAIGHT, STRAIGHT], [8, 12], stops={0: stops, 1: stops}))
    run(traffic, at_s)
    traffic.close_lane(middle, 0, True)
    assert isinstance(traffic, SumoTraffic)
    if sumo_mode == "micro":  # in meso a vehicle halts in a bay, and lanes do not matter to it
        assert {s.lane for v in "12" for s in traffic.live.vehicle.getStops(v)} == {"B0C0_1"}
    flow = run(traffic, 500, at_s)
    assert sorted(flow.stop_began.tolist()) == sorted(flow.stop_ended.tolist()) == [1, 1, 2, 2]
    assert sorted(flow.arrived.tolist()) == [1, 2]
    assert not flow.teleported.size


@pytest.mark.parametrize("at_s", [5, 20])
def test_other_stops_stay_as_they_were(toy: City, start: Start, sumo_mode: str, at_s: int) -> None:
    traffic = start(toy, sumo_mode)
    first, middle, last = edges(toy, *STRAIGHT).tolist()
    stops = [Stop(first, 250.0, 20), Stop(middle, 60.0, 10), Stop(last, 100.0, 10, until_s=200)]
    traffic.add(vehicles(toy, [STRAIGHT], [8], stops={0: stops}))
    before = run(traffic, at_s)
    traffic.close_lane(middle, 0, True)
    traffic.close_lane(last, 0, True)
    assert isinstance(traffic, SumoTraffic)
    if sumo_mode == "micro":
        assert [s.lane for s in traffic.live.vehicle.getStops("1")] == ["A0B0_0", "B0C0_1", "C0D0_1"]
    after = run(traffic, 500, at_s)
    assert before.stop_began.size + after.stop_began.size == 3
    assert after.stop_ended.tolist() == [1, 1, 1]
    assert after.stop_ended_s[2] == pytest.approx(200, abs=9)


def test_a_stop_with_no_open_lane_is_skipped_and_told(toy: City, start: Start, sumo_mode: str) -> None:
    traffic = start(toy, sumo_mode)
    middle, last = edges(toy, "B0C0", "C0D0").tolist()
    for lane in (0, 1):
        traffic.close_lane(middle, lane, True)
    traffic.add(vehicles(toy, [STRAIGHT], [10], stops={0: [Stop(middle, 100.0, 20), Stop(last, 100.0, 20)]}))
    first = run(traffic, 60)
    assert (first.skipped.tolist(), first.skipped_road.tolist(), first.skipped_s.tolist()) == ([1], [middle], [0])
    for lane in (0, 1):
        traffic.close_lane(middle, lane, False)
    rest = run(traffic, 400, 60)
    assert rest.stop_began.tolist() == rest.arrived.tolist() == [1]  # at the other stop
    assert not rest.skipped.size


def test_a_stop_stands_where_all_lanes_close_later_and_open_again(toy: City, start: Start, sumo_mode: str) -> None:
    traffic = start(toy, sumo_mode)
    middle = int(edges(toy, "B0C0")[0])
    traffic.add(vehicles(toy, [STRAIGHT], [10], stops={0: [Stop(middle, 100.0, 20)]}))
    run(traffic, 20)
    for lane in (0, 1):
        traffic.close_lane(middle, lane, True)
    run(traffic, 90, 20)
    traffic.close_lane(middle, 1, False)  # only the left one opens
    flow = run(traffic, 400, 90)
    assert flow.stop_began.tolist() == flow.arrived.tolist() == [1]
    assert np.all(flow.stop_began_s > 90)


def test_an_obstacle_on_a_closed_lane_does_not_end_the_run(toy: City, start: Start, sumo_mode: str) -> None:
    traffic = start(toy, sumo_mode)
    road = int(edges(toy, "A0B0")[0])
    traffic.close_lane(road, 0, True)
    traffic.add(vehicles(toy, [STRAIGHT], [0], stops={0: [Stop(road, 100.0, 20, lane=0)]}))
    flow = run(traffic, 300)
    assert flow.skipped.tolist() == flow.arrived.tolist() == [1]


def test_buses_of_a_run_leave_out_the_stop_and_serve_the_others() -> None:
    """The shipped city: the only lane at a stop closes; riders are not told that a bus stood there."""
    how = {"people": {"share": 0.005}, "start": "07:00", "end": "07:30", "traffic": {"background": 0.0}}
    city = City.load(city_folder(load("weekday", **how)))
    lines = [line for line in BusLines(city).lines if (line.departures_s // 1800 == 14).any()]
    lanes, edge = city.roads["lanes"].to_numpy(), city.roads["edge"].to_numpy()
    at, count = np.unique([r for line in lines for r in line.stop_roads if lanes[r] == 1], return_counts=True)
    road = int(at[count.argmax()])
    closed = {"kind": "close_road", "at": "07:00", "road": str(edge[road]), "lanes": [0]}
    facts = run_scenario(load("weekday", **how, interventions=[closed])).log
    skipped = facts.table(StopSkipped).to_pylist()
    there = city.places[(city.places["kind"] == "bus_stop") & (city.places["road"] == road)]["place"].tolist()
    assert {(row["road"], row["reason"]) for row in skipped} == {(road, "no lane is open")}
    assert {row["place"] for row in skipped} <= set(there)
    stopped = facts.table(BusStopped, ["vehicle", "place"]).to_pylist()
    assert not {(r["vehicle"], r["place"]) for r in stopped} & {(r["vehicle"], r["place"]) for r in skipped}
    assert len(stopped) > 50
