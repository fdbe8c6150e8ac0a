"""The promises of the Traffic Protocol: one suite for SUMO's two models and the stand-in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from geo.city import City
from geo.network import Routes
from tests.twin.world.traffic.conftest import Start, edges, random_vehicles, run, vehicles
from twin.world.traffic.ports import Flow, NewVehicles, Stop, VehicleType

STRAIGHT = ["A0B0", "B0C0", "C0D0"]


def test_every_vehicle_is_accounted_for(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    new = random_vehicles(toy, 300, 600)
    traffic.add(new)
    half = run(traffic, 300)
    on_way = set(traffic.under_way().tolist())
    assert on_way == set(new.vehicle.tolist()) - set(half.arrived.tolist())
    rest = run(traffic, 2000, 300)
    departed = np.concatenate([half.departed, rest.departed])
    arrived = np.concatenate([half.arrived, rest.arrived])
    assert sorted(departed) == sorted(arrived) == new.vehicle.tolist()
    assert traffic.under_way().size == 0


def test_events_come_in_order_and_departures_on_time(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    new = random_vehicles(toy, 100, 600)
    traffic.add(new)
    flow = run(traffic, 2000)
    assert (np.diff(flow.departed_s) >= 0).all()
    assert (np.diff(flow.arrived_s) >= 0).all()
    due = dict(zip(new.vehicle.tolist(), new.depart_s.tolist(), strict=True))
    delay = np.array([t - due[v] for v, t in zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True)])
    assert delay.min() == 0
    assert np.median(delay) == 0


def test_detectors_count_exactly_who_entered(toy: City, start: Start, mode: str) -> None:
    """With everybody arrived, a road's counts over all intervals are the number of routes that contain it."""
    traffic = start(toy, mode)
    new = random_vehicles(toy, 400, 900)
    watched = np.arange(0, len(toy.roads), 2)
    traffic.watch(watched)
    traffic.add(new)
    count = np.zeros(len(watched), dtype=np.int64)
    for t in range(60, 2401, 60):
        teleported = traffic.advance(t).teleported
        assert teleported.size == 0
        readings = traffic.read()
        assert (readings.road == watched).all()
        assert ((readings.occupancy >= 0) & (readings.occupancy <= 1)).all()
        seen = readings.count > 0
        assert np.isfinite(readings.speed_m_s[seen]).all()
        count += readings.count
    assert traffic.under_way().size == 0
    expected = np.bincount(new.routes.roads, minlength=len(toy.roads))[watched]
    assert expected.max() > 20
    assert count.tolist() == expected.tolist()


def test_detectors_see_speed_and_occupancy(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    road = edges(toy, "B0C0")
    traffic.watch(road)
    traffic.add(vehicles(toy, [STRAIGHT] * 60, list(range(0, 300, 5))))
    run(traffic, 120)
    traffic.read()
    run(traffic, 300, 120)
    readings = traffic.read()
    limit = float(toy.roads["speed_m_s"].iloc[road[0]])
    assert 0.5 * limit < readings.speed_m_s[0] < 1.25 * limit
    # 0.2 vehicles/s, 5 m long each, on 2 lanes at about the limit: occupancy = flow × length / (speed × lanes)
    assert readings.occupancy[0] == pytest.approx(0.2 * 5.0 / (readings.speed_m_s[0] * 2), rel=0.5)


def test_what_happens_while_nobody_asks_is_told_by_the_next_advance(toy: City, start: Start, mode: str) -> None:
    told = []
    for pieces in ((300, 600), (100, 250, 300, 301, 599, 600)):
        traffic = start(toy, mode)
        traffic.watch_entries(np.arange(0, len(toy.roads), 5))
        traffic.add(random_vehicles(toy, 100, 400))
        flows = [traffic.advance(t) if t in (300, 600) else traffic.go_on(t) for t in pieces]
        told.append([f for f in flows if f is not None])
        traffic.close()
    for once, in_passing in zip(*told, strict=True):
        for name in Flow.__dataclass_fields__:
            assert getattr(once, name).tolist() == getattr(in_passing, name).tolist(), name


def test_an_empty_road_has_no_speed(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    traffic.watch(edges(toy, "B0C0"))
    traffic.advance(60)
    readings = traffic.read()
    assert readings.count[0] == 0
    assert np.isnan(readings.speed_m_s[0])
    assert readings.occupancy[0] == 0


def test_entries_tell_vehicle_road_and_second(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    noted = edges(toy, "B0C0", "A0B0")
    traffic.watch_entries(noted)
    traffic.add(vehicles(toy, [STRAIGHT, ["B0C0", "C0D0"]], [10, 40]))
    flow = run(traffic, 300)
    rows = list(zip(flow.entered.tolist(), flow.entered_road.tolist(), flow.entered_s.tolist(), strict=True))
    assert {(v, r) for v, r, _ in rows} == {(1, noted[1]), (1, noted[0]), (2, noted[0])}
    when = {(v, r): s for v, r, s in rows}
    assert when[1, noted[1]] == 10
    assert when[2, noted[0]] == 40
    ride = float(toy.network.free_s[noted[1]])
    assert when[1, noted[0]] - 10 == pytest.approx(ride, abs=0.35 * ride)


def test_entries_agree_with_routes(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    new = random_vehicles(toy, 150, 400)
    noted = np.arange(0, len(toy.roads), 5)
    traffic.watch_entries(noted)
    traffic.add(new)
    flow = run(traffic, 1500)
    told = Counter(zip(flow.entered.tolist(), flow.entered_road.tolist(), strict=True))
    planned = Counter((int(v), int(r)) for i, v in enumerate(new.vehicle) for r in new.routes[i].tolist() if r % 5 == 0)
    assert told == planned


def test_a_new_route_is_driven(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [STRAIGHT], [0]))
    traffic.watch_entries(edges(toy, "B0B1", "C0D0"))
    traffic.advance(8)
    assert traffic.remaining(1).tolist() == edges(toy, *STRAIGHT).tolist()
    assert traffic.set_route(1, edges(toy, "A0B0", "B0B1", "B1C1"))
    assert traffic.remaining(1).tolist() == edges(toy, "A0B0", "B0B1", "B1C1").tolist()
    flow = run(traffic, 400, 8)
    assert flow.entered_road.tolist() == edges(toy, "B0B1").tolist()
    assert flow.arrived.tolist() == [1]


def test_a_waiting_vehicle_gets_a_whole_new_route(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [STRAIGHT], [50]))
    traffic.watch_entries(edges(toy, "B1C1", "A0B0"))
    traffic.advance(10)
    assert traffic.set_route(1, edges(toy, "B1C1", "C1D1"))
    flow = run(traffic, 300, 10)
    assert flow.departed_s.tolist() == [50]
    assert flow.entered_road.tolist() == edges(toy, "B1C1").tolist()


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (["B0C0", "C0D0"], "begins with road"),
        (["A0B0", "C0D0"], "no such turn"),
        ([], "no route"),
    ],
)
def test_a_bad_new_route_is_refused(toy: City, start: Start, mode: str, route: list[str], words: str) -> None:
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [STRAIGHT], [0]))
    traffic.advance(8)
    with pytest.raises(ValueError, match=words):
        traffic.set_route(1, edges(toy, *route))
    assert traffic.remaining(1).tolist() == edges(toy, *STRAIGHT).tolist()


def test_calls_about_a_vehicle_that_is_gone_say_so(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [["A0B0"]], [0]))
    assert run(traffic, 200).arrived.tolist() == [1]
    assert traffic.remaining(1).size == 0
    assert not traffic.set_route(1, edges(toy, "A0B0"))
    assert not traffic.add_stop(1, Stop(int(edges(toy, "A0B0")[0]), 100.0, 10))
    assert not traffic.remove(1)
    assert traffic.where(np.array([1]))[0].tolist() == [-1]


def test_where_follows_the_route(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [STRAIGHT], [5]))
    seen: list[int] = []
    for t in range(1, 120):
        traffic.advance(t)
        road, pos = traffic.where(np.array([1, 99]))
        assert road[1] == -1
        if road[0] >= 0:
            assert 0 <= pos[0] <= toy.roads["length_m"].iloc[road[0]] + 0.1
            if not seen or seen[-1] != road[0]:
                seen.append(int(road[0]))
        if 1 not in traffic.under_way():
            break
    assert seen == edges(toy, *STRAIGHT).tolist()


def test_a_removed_vehicle_does_not_arrive(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [STRAIGHT, STRAIGHT, STRAIGHT], [0, 2, 100]))
    traffic.advance(20)
    assert traffic.remove(1)
    assert traffic.remove(3)
    flow = run(traffic, 400, 20)
    assert flow.arrived.tolist() == [2]
    assert traffic.under_way().size == 0


def test_a_closed_road_holds_vehicles_until_it_opens(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode, time_to_teleport_s=-1)
    road = int(edges(toy, "B0C0")[0])
    traffic.add(vehicles(toy, [STRAIGHT, ["B0C0", "C0D0"], ["B0C0", "C0D0"]], [0, 10, 0]))
    traffic.watch_entries(np.array([road]))
    traffic.advance(5)
    traffic.close_road(road, True)
    flow = run(traffic, 300, 5)
    # vehicle 3 was on the road before and leaves it; 1 stands before it, 2 cannot begin on it
    assert flow.arrived.tolist() == [3]
    assert flow.entered.tolist() == []
    assert traffic.under_way().tolist() == [1, 2]
    assert traffic.where(np.array([1]))[0].tolist() == edges(toy, "A0B0").tolist()
    traffic.close_road(road, False)
    flow = run(traffic, 600, 300)
    assert sorted(flow.arrived.tolist()) == [1, 2]
    assert min(flow.entered_s.tolist()) >= 300


def test_who_is_held_back_keeps_its_time_and_its_stops(toy: City, start: Start, mode: str) -> None:
    """A closure that comes and goes before a vehicle's second changes nothing for it."""
    traffic = start(toy, mode)
    roads = edges(toy, *STRAIGHT)
    stops = {0: [Stop(int(roads[1]), 100.0, 30)]}
    traffic.add(vehicles(toy, [STRAIGHT, STRAIGHT], [100, 40], stops=stops))
    traffic.close_road(int(roads[0]), True)
    run(traffic, 60)
    traffic.close_road(int(roads[0]), False)
    flow = run(traffic, 400, 60)
    departed = dict(zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True))
    assert departed == {1: 100, 2: 60}
    assert flow.stop_began.tolist() == flow.stop_ended.tolist() == [1]
    assert sorted(flow.arrived.tolist()) == [1, 2]


def test_a_vehicle_before_a_closed_road_can_turn_off(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode, time_to_teleport_s=-1)
    traffic.add(vehicles(toy, [STRAIGHT, ["B0C0"]], [0, 20]))
    traffic.close_road(int(edges(toy, "B0C0")[0]), True)
    run(traffic, 200)
    assert traffic.set_route(1, edges(toy, "A0B0", "B0B1"))
    assert traffic.remaining(2).tolist() == edges(toy, "B0C0").tolist()
    assert traffic.set_route(2, edges(toy, "B1C1"))
    assert sorted(run(traffic, 400, 200).arrived.tolist()) == [1, 2]


def test_all_lanes_closed_is_the_road_closed(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode, time_to_teleport_s=-1)
    road = int(edges(toy, "B0C0")[0])
    traffic.add(vehicles(toy, [STRAIGHT], [0]))
    traffic.close_lane(road, 0, True)
    traffic.close_lane(road, 1, True)
    run(traffic, 200)
    assert traffic.under_way().tolist() == [1]
    traffic.close_lane(road, 1, False)
    assert run(traffic, 400, 200).arrived.tolist() == [1]
    with pytest.raises(ValueError, match=r"lanes 0\.\.1, not 2"):
        traffic.close_lane(road, 2, True)


def test_speed_limits_and_weather_slow_traffic_and_are_taken_back(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode, types=(VehicleType("car", speed_factor_dev=0.0),))
    route = ["A0B0", "B0C0"]

    def ride(first: int, at_s: int) -> int:
        traffic.add(vehicles(toy, [route], [at_s], first=first))
        flow = run(traffic, at_s + 400, at_s)
        return int(flow.arrived_s[0] - flow.departed_s[0])

    usual = ride(1000, 0)
    usual_times = traffic.travel_times()
    traffic.set_speed(int(edges(toy, "A0B0")[0]), 4.0)
    slow = ride(1000 * 1000, 400)
    length = float(toy.roads["length_m"].iloc[edges(toy, "A0B0")[0]])
    assert slow - usual == pytest.approx(length / 4.0 - length / 13.89, rel=0.25)
    assert traffic.travel_times()[edges(toy, "A0B0")[0]] >= 0.95 * length / 4.0
    traffic.set_speed(int(edges(toy, "A0B0")[0]), None)
    traffic.set_speeds(0.5)
    wet = ride(1000 * 1001, 800)
    assert wet == pytest.approx(2 * usual, rel=0.2)
    assert traffic.travel_times() == pytest.approx(2 * usual_times, rel=0.3)
    traffic.set_speeds(1.0)
    assert ride(1000 * 1002, 1200) == pytest.approx(usual, rel=0.2)


def test_stops_begin_and_end(toy: City, start: Start, mode: str) -> None:
    """A halt lasts its duration, or until its second if that is later; in meso to a segment's driving time."""
    traffic = start(toy, mode)
    roads = edges(toy, *STRAIGHT)
    stops = {0: [Stop(int(roads[0]), 150.0, 30), Stop(int(roads[2]), 100.0, 10, until_s=200)]}
    traffic.add(vehicles(toy, [STRAIGHT, STRAIGHT], [10, 12], stops=stops))
    flow = run(traffic, 500)
    assert flow.stop_began.tolist() == [1, 1]
    assert flow.stop_ended.tolist() == [1, 1]
    first, second = (flow.stop_ended_s - flow.stop_began_s).tolist()
    assert first == pytest.approx(30, abs=9)
    assert flow.stop_ended_s[1] == pytest.approx(200, abs=9)
    assert second > 30
    arrived = dict(zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True))
    assert arrived[1] > 200 > arrived[2]


def test_a_stop_can_be_added_under_way_but_not_behind(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    roads = edges(toy, *STRAIGHT)
    traffic.add(vehicles(toy, [STRAIGHT], [0]))
    run(traffic, 30)
    assert traffic.add_stop(1, Stop(int(roads[2]), 150.0, 40))
    assert not traffic.add_stop(1, Stop(int(roads[0]), 20.0, 40))
    flow = run(traffic, 400, 30)
    assert flow.stop_began.tolist() == flow.stop_ended.tolist() == [1]


def test_a_stop_off_the_route_is_refused(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    stops = {0: [Stop(int(edges(toy, "A2B2")[0]), 100.0, 10)]}
    with pytest.raises(ValueError, match="does not pass its stop"):
        traffic.add(vehicles(toy, [STRAIGHT], [0], stops=stops))


def _no_route(new: NewVehicles) -> NewVehicles:
    return replace(new, routes=Routes(new.routes.roads[:0], np.zeros(2, np.int64), np.zeros(1)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_no_route, "vehicle 1 has no route"),
        (lambda new: replace(new, depart_s=np.array([3])), "it is already 10 s"),
        (lambda new: replace(new, vehicle=np.array([77])), "vehicle 77 is already known"),
        (
            lambda new: replace(new, routes=Routes(new.routes.roads[[0, 2]], np.array([0, 2]), np.zeros(1))),
            "no such turn",
        ),
        (
            lambda new: replace(new, routes=Routes(new.routes.roads + 9999, np.array([0, 3]), np.zeros(1))),
            "a road that is not there",
        ),
        (lambda new: replace(new, depart_s=np.array([20, 20])), "different lengths"),
    ],
)
def test_bad_vehicles_are_refused_by_name(toy: City, start: Start, mode: str, change, words: str) -> None:
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [STRAIGHT], [0], first=77))
    traffic.advance(10)
    with pytest.raises(ValueError, match=words):
        traffic.add(change(vehicles(toy, [STRAIGHT], [20])))
    assert run(traffic, 300, 10).arrived.tolist() == [77]


def test_time_does_not_go_back(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode, begin_s=1000)
    traffic.advance(1010)
    with pytest.raises(ValueError, match=r"back to 1009 s: it is at 1010 s"):
        traffic.advance(1009)


def test_one_more_vehicle_changes_no_other_driver(toy: City, start: Start, mode: str) -> None:
    """On empty roads everybody's ride is their own, whoever else drives."""
    one = start(toy, mode)
    one.add(vehicles(toy, [STRAIGHT], [100], first=5))
    alone = run(one, 400)
    one.close()
    other = start(toy, mode)
    other.add(vehicles(toy, [["D3C3", "C3B3"]], [0], first=4))
    other.add(vehicles(toy, [STRAIGHT], [100], first=5))
    both = run(other, 400)
    assert both.arrived_s[both.arrived == 5].tolist() == alone.arrived_s.tolist()


def test_positions_file(toy: City, start: Start, mode: str, tmp_path: Path) -> None:
    """Same columns from all; positions lie on the roads, and everybody under way at a sample is in it."""
    file = tmp_path / "fcd.parquet"
    traffic = start(toy, mode, fcd_file=file, fcd_period_s=20)
    new = random_vehicles(toy, 60, 300)
    traffic.add(new)
    flow = run(traffic, 900)
    traffic.close()
    table = pq.read_table(file)
    where = "vehicle_lane" if mode == "micro" else "vehicle_edge"
    assert table.column_names == [
        "timestep_time",
        "vehicle_id",
        "vehicle_x",
        "vehicle_y",
        "vehicle_speed",
        where,
    ]
    rows = table.to_pandas()
    rows["vehicle_edge"] = rows[where].str.rsplit("_", n=1).str[0] if mode == "micro" else rows[where]
    assert (rows["timestep_time"] % 20 == 0).all()
    gone_in = dict(zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True))
    gone_out = dict(zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True))
    expected = {(t, v) for v in gone_in for t in range(0, 900, 20) if gone_in[v] < t < gone_out[v]}
    told = set(zip(rows["timestep_time"].astype(int), rows["vehicle_id"].astype(int), strict=True))
    assert expected <= told
    assert len(told - expected) <= len(new.vehicle) // 4  # at the very second of departure or arrival
    on_road = rows[~rows["vehicle_edge"].str.startswith(":")]
    assert len(on_road) > 100
    import shapely

    x, y = on_road["vehicle_x"] - toy.net_offset[0], on_road["vehicle_y"] - toy.net_offset[1]
    lines = toy.roads.geometry.to_numpy()[[toy.road_index[e] for e in on_road["vehicle_edge"]]]
    assert shapely.distance(shapely.points(x, y), lines).max() < 12.0


def test_a_vehicle_begins_and_ends_where_it_is_told(toy: City, start: Start, mode: str) -> None:
    """At 10 m/s, 250 m are driven in 25 s, and 550 m take 30 s more; meso is bound to whole segments of roads."""
    slow = VehicleType("slow", max_speed_m_s=10.0, speed_factor_dev=0.0, sigma=0.0, accel_m_s2=50.0)
    traffic = start(toy, mode, types=(slow,))
    new = vehicles(toy, [STRAIGHT[:2], STRAIGHT[:2], STRAIGHT[:1]], [0, 100, 200])
    nan = float("nan")
    new = replace(new, depart_pos_m=np.array([200.0, nan, 100.0]), arrive_pos_m=np.array([150.0, nan, 1e9]))
    traffic.add(new)
    traffic.advance(3)
    road, pos = traffic.where(new.vehicle[:1])
    assert road[0] == toy.road_index["A0B0"]
    if mode != "meso":
        assert pos[0] == pytest.approx(230.0, abs=12.0)
    flow = run(traffic, 400)
    took = dict(zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True))
    length = toy.roads["length_m"].to_numpy()[edges(toy, *STRAIGHT[:2])]
    whole = length.sum() / 10.0
    slack = {"free-flow": 1, "micro": 6, "meso": whole}[mode]
    assert took[1] == pytest.approx((length[0] - 200 + 150) / 10.0, abs=slack)
    assert took[2] - 100 == pytest.approx(whole, abs=8)
    assert took[3] - 200 == pytest.approx((length[0] - 100) / 10.0, abs=slack)


def test_a_vehicles_own_top_speed(toy: City, start: Start, mode: str) -> None:
    exact = VehicleType("exact", speed_factor_dev=0.0, sigma=0.0)
    traffic = start(toy, mode, types=(exact,))
    traffic.add(vehicles(toy, [STRAIGHT, STRAIGHT], [0, 300]))
    assert traffic.set_top_speed(1, 5.0)
    assert not traffic.set_top_speed(99, 5.0)
    flow = run(traffic, 900)
    took = dict(zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True))
    metres = float(toy.roads["length_m"].to_numpy()[edges(toy, *STRAIGHT)].sum())
    assert took[1] >= metres / 5.0 * (0.9 if mode == "meso" else 0.98)
    assert took[2] - 300 < 0.6 * took[1]


def test_a_vehicle_with_a_speed_of_its_own_waits_before_a_closed_first_road(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    new = vehicles(toy, [STRAIGHT], [30])
    traffic.add(replace(new, depart_pos_m=np.array([100.0])))
    traffic.set_top_speed(1, 6.0)
    first = toy.road_index[STRAIGHT[0]]
    traffic.close_road(first, True)
    assert traffic.advance(200).departed.size == 0
    assert traffic.set_top_speed(1, 5.0)
    traffic.close_road(first, False)
    flow = traffic.advance(900)
    assert flow.departed_s.tolist() == [200]
    metres = float(toy.roads["length_m"].to_numpy()[edges(toy, *STRAIGHT)].sum()) - 100.0
    assert flow.arrived_s[0] - 200 >= metres / 5.0 * (0.85 if mode == "meso" else 0.98)


def test_where_a_vehicle_is_does_not_depend_on_who_was_taken_off_before(toy: City, start: Start, mode: str) -> None:
    """SUMO's own positions in meso stick to the memory of vehicles that are gone."""
    traffic = start(toy, mode)
    traffic.add(vehicles(toy, [STRAIGHT], [0]))
    traffic.advance(15)
    before = traffic.where(np.array([1]))[1][0]
    assert traffic.remove(1)
    traffic.advance(40)
    for k in range(2, 12):  # one of them gets the memory of the first
        traffic.add(vehicles(toy, [STRAIGHT], [40 + 5 * k], first=k))
        traffic.advance(42 + 5 * k)
        road, pos = traffic.where(np.array([k]))
        assert road[0] == toy.road_index["A0B0"]
        assert pos[0] < 60.0 < before
        traffic.remove(k)
