"""Parked cars in the lane: who passes them, who cannot, and who is steered round – in whole runs on one street."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo.city import City
from geo.network import Routes
from geo.sumo_net import city_from_net
from scenarios import load
from tests.cities import line_city, sumo_tool
from tests.twin.world.fleets.doubles import NoPolicy, TinySystem
from twin.domain.commands import Command, WakeAt
from twin.domain.ids import vehicle_number
from twin.domain.messages import Message
from twin.domain.mobility import AssistUnit, DriveTo, Roster, UnitReport
from twin.errors import ScenarioError
from twin.events import (
    AssistBegan,
    ClosureReported,
    LaneClosed,
    LaneReopened,
    Overtaken,
    TakeOverBegan,
    TakeOverEnded,
    TripStarted,
    UnitArrived,
    UnitBroke,
    UnitHalted,
    UnitResumed,
    VehicleArrived,
    VehicleEntered,
    VehicleRemoved,
    VehicleTeleported,
    VehicleUnderWay,
)
from twin.scenario import Scenario
from twin.scenario.check import check_against_city
from twin.simulation import Run, Simulation
from twin.world.fleets import fleets, obstacles
from twin.world.fleets.odd import STUCK_S, OperatingDomain
from twin.world.traffic.ports import NewVehicles
from twin.world.traffic.types import CAR

HERE = "tests.twin.world.fleets.test_obstacles"
ROAD_M, TOP = 600.0, 40 / 3.6
START = 7 * 3600
WAY = ("e0", "e1", "e2", "e3")


class OnTheWay:
    """Sends each unit along the street once, at ``AT``; one operator helps whoever asks."""

    ROADS: ClassVar[dict[str, int]] = {}
    AT = START

    def __init__(self, policy: object = None) -> None:
        self._units: list[int] = []
        self._serial = 0

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        out: list[Command] = []
        for m in messages:
            if isinstance(m, Roster):
                self._units = m.unit.tolist()
                if now_s < self.AT:
                    out.append(WakeAt("wake", self.AT))
            elif isinstance(m, UnitReport) and m.what == "help":
                self._serial += 1
                out.append(AssistUnit(f"assist/{self._serial}", m.unit, 1))
        if now_s >= self.AT:
            way = np.array([self.ROADS[e] for e in WAY], dtype=np.int64)
            out += [DriveTo(f"go/{u}", u, way, 300.0, -1.0, "test") for u in self._units]
            self._units = []
        return out


class Later(OnTheWay):
    """The same five minutes later."""

    AT = START + 300


class BusOnly(TinySystem):
    """The operating conditions of the buses and nothing else."""

    def __init__(self, context) -> None:
        super().__init__(context)
        stop = context.scenario.bus.outside_odd == "stop"
        self.odd = OperatingDomain(context, "shuttle", 99.0, 0.0, 0.0, stop, lambda: 10_000.0)

    def tick(self, now_s: int) -> list:
        self.odd.tick(now_s)
        return []

    def finish(self, end_s: int) -> None:
        self.odd.finish(end_s)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    doubles = "tests.twin.world.fleets.doubles"
    monkeypatch.setattr(fleets, "SYSTEMS", {"bus": f"{HERE}:BusOnly", "delivery": f"{doubles}:TinySystem"})
    monkeypatch.setattr(fleets, "PLATFORM", f"{doubles}:NoPlatform")


def street(folder: Path, lanes: int, opposite: bool = False) -> Path:
    """A street of four roads there and back, with a depot at 50 m of the first."""
    folder.mkdir()
    city = line_city(folder, length_m=ROAD_M, lanes=lanes, legs=4)
    if opposite:  # SUMO's own overtaking on the oncoming lane
        net = folder / "opposite.net.xml"
        sumo_tool("netconvert", "-s", str(folder / "line.net.xml"), "--opposites.guess", "true", "-o", str(net))
        city = city_from_net(net, name="line")
    road = city.road_index["e0"]
    row = {**dict.fromkeys(city.places.columns, ""), "place": "depot-001", "kind": "depot", "name": "车场"}
    point = city.roads.geometry.iloc[road].interpolate(50.0)
    row |= {"name_en": "Yard", "road": road, "pos_m": 50.0, "road_out": -1, "weight": 0.0, "geometry": point}
    known = city.places.iloc[:0]
    row = {k: row[k] for k in known.columns}
    more = gpd.GeoDataFrame([row], geometry="geometry", crs=known.crs).astype(known.dtypes.to_dict())
    return replace(city, places=pd.concat([known, more], ignore_index=True)).save(folder / "city")


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    base = tmp_path_factory.mktemp("streets")
    return {lanes: street(base / str(lanes), lanes) for lanes in (1, 2)}


def parked(road: str = "e1", lane: int = 0, **more) -> dict:
    return {"kind": "obstacle", "at": "07:00", "until": "07:40", "road": road, "lane": lane, **more}


def scenario(folder: Path, *what: dict, mode: str = "micro", fleet: str = "bus", **own) -> Scenario:
    OnTheWay.ROADS = City.load(folder).road_index
    unit = {"desk": OnTheWay, "policy": NoPolicy, "units": 1, **own}
    unit |= {"depot": "Yard"} if fleet == "bus" else {"depots": ["Yard"], "area": []}
    return load(
        "weekday",
        city={"folder": str(folder)},
        people=None,
        start="07:00",
        end="07:45",
        traffic={"mode": mode, "background": 1e-6},
        interventions=list(what),
        **{fleet: unit},
    )


def simulate(s: Scenario, folder: Path, prepare: Callable[[Simulation], None] = lambda _: None) -> Run:
    simulation = Simulation(s, City.load(folder), folder, 1)
    try:
        prepare(simulation)
        simulation.run_until(simulation.end_s)
    except BaseException:
        simulation.close()
        raise
    return simulation.finish()


def rows(run: Run, kind: type) -> list[dict]:
    return run.log.table(kind).to_pylist()


def arrival(run: Run) -> int:
    done = rows(run, UnitArrived)
    assert len(done) == 1
    return int(done[0]["t_s"])


def cars(way: Sequence[str], every_s: float, until_s: int) -> Callable[[Simulation], None]:
    """A stream of cars along the street, one each ``every_s`` from the start on."""

    def prepare(simulation: Simulation) -> None:
        index = simulation.city.road_index
        depart = START + np.arange(0.0, until_s - START, every_s).astype(np.int64)
        roads = np.tile(np.array([index[e] for e in way], dtype=np.int32), depart.size)
        routes = Routes(roads, np.arange(depart.size + 1, dtype=np.int64) * len(way), np.zeros(depart.size))
        number = np.array([vehicle_number("through", k, 1) for k in range(depart.size)], dtype=np.int64)
        simulation.gate.add(NewVehicles(number, np.full(depart.size, CAR), depart, routes))

    return prepare


# -- two lanes: traffic goes round ------------------------------------------------------------------------


def test_on_two_lanes_the_bus_changes_lanes_and_nobody_takes_over(streets):
    """Seen second by second: on the lane of the parked car before it and after it, beside it on the other one."""
    folder, seen = streets[2], []
    sim = Simulation(scenario(folder, parked()), City.load(folder), folder, 1)
    try:
        sim.run_until(START + 60)
        while not seen or sim.clock.now_s < START + 130:
            sim.run_until(sim._reached_s + 1)
            vehicle = str(int(sim.fleets.units.vehicle[0]))
            if sim.traffic._sumo.vehicle.getRoadID(vehicle) == "e1":
                own = sim.traffic._sumo.vehicle
                seen.append((own.getLanePosition(vehicle), own.getLaneIndex(vehicle)))
            if len(seen) > 50:
                break
        parked_at = sim.traffic.where(np.array([vehicle_number("obstacle", 0, 0)]))
    except BaseException:
        sim.close()
        raise
    sim.run_until(sim.end_s)
    run = sim.finish()
    assert parked_at[0].tolist() == [sim.city.road_index["e1"]]
    assert parked_at[1].tolist() == pytest.approx([ROAD_M / 2], abs=0.5)
    beside = [lane for pos, lane in seen if ROAD_M / 2 - 10 <= pos <= ROAD_M / 2 + 6]
    assert beside
    assert set(beside) == {1}
    assert {lane for pos, lane in seen if pos < 100} == {0}
    (passed,) = rows(run, Overtaken)
    assert (passed["unit"], passed["road"]) == (600001, sim.city.road_index["e1"])
    assert passed["extra_s"] == pytest.approx(0.0, abs=5.0)  # nobody hinders it on the other lane
    assert not rows(run, TakeOverBegan)


def test_among_others_passing_costs_time_but_nobody_is_stuck(streets):
    """One lane is left of two for 1,800 cars an hour: all pass."""
    folder, stream = streets[2], cars(WAY, 2.0, START + 1200)
    free = simulate(scenario(folder, desk=Later), folder, stream)
    run = simulate(scenario(folder, parked(), desk=Later), folder, stream)
    (passed,) = rows(run, Overtaken)
    assert not rows(free, Overtaken)
    assert 0.0 < passed["extra_s"] <= 120.0
    assert passed["extra_s"] == pytest.approx(arrival(run) - arrival(free), abs=15.0)
    assert not rows(run, TakeOverBegan)
    assert not rows(run, VehicleTeleported)
    through = [v for v in rows(run, VehicleArrived) if v["kind"] == "through"]
    assert len(through) == 600


def test_the_parked_car_is_accounted_for_and_is_nobodys_trip(streets):
    run = simulate(scenario(streets[2], parked(), parked("e2", 1, until=None, pos_m=316.3769)), streets[2])
    entered = [v for v in rows(run, VehicleEntered) if v["kind"] == "obstacle"]
    assert [v["vehicle"] for v in entered] == [vehicle_number("obstacle", k, 0) for k in (0, 1)]
    assert [v["t_s"] for v in entered] == [START, START]
    (gone,) = [v for v in rows(run, VehicleRemoved) if v["kind"] == "obstacle"]
    assert (gone["t_s"], gone["reason"]) == (START + 2400, "the obstacle was taken away")
    left = run.log.table(VehicleUnderWay).to_pylist()
    assert [v["vehicle"] for v in left if v["kind"] == "obstacle"] == [vehicle_number("obstacle", 1, 0)]
    assert [(r["lane"], r["cause"]) for r in rows(run, LaneClosed)] == [
        (0, "interventions[0]"),
        (1, "interventions[1]"),
    ]
    assert [r["lane"] for r in rows(run, LaneReopened)] == [0]
    assert not rows(run, TripStarted)
    assert [r["road"] for r in rows(run, Overtaken)] == [OnTheWay.ROADS["e1"], OnTheWay.ROADS["e2"]]


@pytest.mark.parametrize("mode", ["micro", "meso"])
def test_a_closed_lane_is_passed_as_well(streets, mode):
    closed = {"kind": "close_road", "at": "07:00", "until": "07:40", "road": "e1", "lanes": [0]}
    run = simulate(scenario(streets[2], closed, mode=mode), streets[2])
    (passed,) = rows(run, Overtaken)
    assert passed["road"] == OnTheWay.ROADS["e1"]
    assert -5.0 <= passed["extra_s"] <= 30.0
    assert not [v for v in rows(run, VehicleEntered) if v["kind"] == "obstacle"]


# -- one lane: nobody passes by himself ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["micro", "meso", "free-flow"])
def test_on_one_lane_the_safety_driver_takes_over_and_goes_round(streets, mode):
    folder = streets[1]
    free = simulate(scenario(folder, mode=mode), folder)
    run = simulate(scenario(folder, parked(), mode=mode), folder)
    (began,), (ended,), (passed,) = (rows(run, kind) for kind in (TakeOverBegan, TakeOverEnded, Overtaken))
    assert began["cause"] == ended["cause"] == "blocked lane"
    # it was there after 850 m (before the road in meso and free flow: 550 m) at 40 km/h, and stood for STUCK_S
    there_s = START + ((ROAD_M * 1.5 - 50) if mode == "micro" else ROAD_M - 50) / TOP
    assert STUCK_S - 5 <= began["t_s"] - there_s <= STUCK_S + 30
    # by hand at HAND_M_S: some 30 m, and in meso and free flow the rest of the road at its own pace
    by_hand_s = 30 / obstacles.HAND_M_S + (0 if mode == "micro" else (ROAD_M - 30) / TOP)
    assert by_hand_s - 10 <= ended["duration_s"] <= by_hand_s + 30
    lost = STUCK_S + ended["duration_s"]
    delay = arrival(run) - arrival(free)
    assert passed["extra_s"] == pytest.approx(delay, abs=15.0)
    assert lost - ROAD_M / TOP - 10 <= delay <= lost + 60
    assert not rows(run, VehicleTeleported)
    (removed,) = [v for v in rows(run, VehicleRemoved) if v["kind"] == "shuttle"]
    assert removed["reason"] == obstacles.REASON
    assert rows(run, UnitArrived)[0]["distance_m"] == pytest.approx(3 * ROAD_M - 50 + 300)


def test_the_driver_waits_until_nobody_comes(streets):
    """A car each 2 s on the oncoming lane leaves no gap of the 9 s and more that going round takes."""
    folder = streets[1]
    until = START + 210
    alone = simulate(scenario(folder, parked()), folder)
    run = simulate(scenario(folder, parked()), folder, cars(("b3", "b2", "b1", "b0"), 2.0, until))
    last_passes_s = until + 2.5 * ROAD_M / 13.89
    (a,), (b,) = rows(alone, TakeOverEnded), rows(run, TakeOverEnded)
    assert a["t_s"] < last_passes_s - 20
    assert last_passes_s - 10 <= b["t_s"] <= last_passes_s + 25 + 20 + 10  # slow drivers, by hand, ticks
    assert arrival(run) > arrival(alone)


def test_others_on_one_lane_queue_and_are_moved_on(streets):
    run = simulate(scenario(streets[1], parked(), desk=Later), streets[1], cars(WAY, 30.0, START + 300))
    moved = rows(run, VehicleTeleported)
    assert moved
    assert all(v["kind"] == "through" for v in moved)
    through = [v for v in rows(run, VehicleArrived) if v["kind"] == "through"]
    assert len(through) == 10
    assert {r["cause"] for r in rows(run, TakeOverBegan)} == {"blocked lane"}
    assert len(rows(run, UnitArrived)) == 1


def test_without_a_driver_the_bus_waits_at_the_kerb_until_the_lane_is_free(streets):
    run = simulate(scenario(streets[1], parked(until="07:10"), outside_odd="stop"), streets[1])
    (halted,), (resumed,) = rows(run, UnitHalted), rows(run, UnitResumed)
    assert halted["cause"] == "blocked lane"
    assert 0 <= resumed["t_s"] - (START + 600) <= 10
    assert resumed["waited_s"] == resumed["t_s"] - halted["t_s"]
    assert not rows(run, TakeOverBegan)
    assert arrival(run) > START + 600


def test_where_the_network_has_opposite_lanes_the_bus_overtakes_by_itself(tmp_path):
    folder = street(tmp_path / "street", 1, opposite=True)
    run = simulate(scenario(folder, parked()), folder)
    (passed,) = rows(run, Overtaken)
    assert passed["extra_s"] == pytest.approx(0.0, abs=10.0)
    assert not rows(run, TakeOverBegan)


def test_where_there_is_no_oncoming_lane_a_robot_is_fetched(streets, monkeypatch):
    monkeypatch.setattr(obstacles, "_oncoming", lambda a, _: np.full(len(a), -1))
    monkeypatch.setattr(obstacles, "PATIENCE_S", 600)
    run = simulate(scenario(streets[1], parked(until=None), fleet="delivery"), streets[1])
    (broke,) = [b for b in rows(run, UnitBroke) if "room" in b["cause"]]
    (halted,) = rows(run, UnitHalted)
    assert broke["cause"] == "there is no room past an obstacle"
    assert 600 <= broke["t_s"] - halted["t_s"] <= 610
    assert not rows(run, UnitArrived)
    assert not rows(run, Overtaken)


@pytest.mark.parametrize("mode", ["micro", "meso"])
def test_a_robot_calls_an_operator_who_guides_it_round(streets, mode):
    run = simulate(scenario(streets[1], parked(), mode=mode, fleet="delivery"), streets[1])
    (halted,), (helped,), (resumed,) = (rows(run, kind) for kind in (UnitHalted, AssistBegan, UnitResumed))
    assert halted["cause"] == helped["cause"] == "blocked lane"
    assert halted["t_s"] <= helped["t_s"] < resumed["t_s"]
    assert resumed["cause"] == "remote operator"
    assert arrival(run) > resumed["t_s"]
    (passed,) = rows(run, Overtaken)
    assert passed["extra_s"] >= STUCK_S
    assert not rows(run, VehicleTeleported)


def test_a_courier_goes_round_at_once(streets):
    run = simulate(scenario(streets[1], parked(), fleet="delivery", by="couriers", trikes=1, vans=0), streets[1])
    (passed,) = rows(run, Overtaken)
    assert 0 < passed["extra_s"] <= 60
    assert not rows(run, UnitHalted)


# -- over, reported, wrong, again -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["micro", "meso"])
def test_an_obstacle_that_is_gone_is_as_if_it_had_not_been(streets, mode):
    folder = streets[1]
    gone = simulate(scenario(folder, parked(until="07:04"), mode=mode, desk=Later), folder)
    never = simulate(scenario(folder, mode=mode, desk=Later), folder)
    assert arrival(gone) == arrival(never)
    assert not rows(gone, Overtaken)
    assert not rows(gone, TakeOverBegan)


def test_a_blocked_road_is_reported_and_one_with_a_lane_left_is_not(streets):
    road = City.load(streets[1]).road_index["e1"]
    told = rows(simulate(scenario(streets[1], parked(until="07:20")), streets[1]), ClosureReported)
    assert [(r["road"], r["closed"]) for r in told] == [(road, True), (road, False)]
    assert not rows(simulate(scenario(streets[2], parked(until="07:20")), streets[2]), ClosureReported)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"road": "e9"}, 'road is "e9", but line has no such road'),
        ({"lane": 2}, "lane is 2; e1 has lanes 0 to 1"),
        ({"pos_m": -1.0}, "pos_m is -1"),
    ],
)
def test_a_place_that_is_not_there_is_told_in_a_sentence(streets, what, words):
    with pytest.raises(ScenarioError) as error:
        check_against_city(scenario(streets[2], parked(**what)), City.load(streets[2]))
    said = [line for line in str(error.value).splitlines() if "bus.line" not in line]  # the toy city has no lines
    assert len(said) == 1
    assert words in said[0]


def test_a_position_beyond_the_road_is_told_in_a_sentence(streets):
    with pytest.raises(ScenarioError) as error:
        simulate(scenario(streets[2], parked(pos_m=700.0)), streets[2])
    assert str(error.value) == "interventions[0].pos_m is 700; road e1 is 600 m long"


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_rerun_is_the_same_to_the_bit(streets, lanes):
    a, b = (simulate(scenario(streets[lanes], parked()), streets[lanes], cars(WAY, 20.0, START + 600)) for _ in "ab")
    assert rows(a, Overtaken)
    assert a.digest == b.digest
