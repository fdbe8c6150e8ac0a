"""Fleets in whole runs: a tiny desk steers robots through the simulation; interventions; what is not allowed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo.city import City
from scenarios import load
from tests.cities import shared_toy_city
from tests.twin.world.fleets.doubles import NoPolicy, ShuttlingDesk, places
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import RoadMap
from twin.domain.mobility import DriveTo, PlaceChanged, Roster, TravelTimes, UnitReport, WeatherReport
from twin.domain.supervision import WarnUnit
from twin.errors import ControlError, ScenarioError
from twin.events import (
    ChargerFailed,
    DepotOpened,
    DepotShut,
    LaneClosed,
    LinkLost,
    UnitArrived,
    UnitBroke,
    UnitDeparted,
    UnitRepaired,
)
from twin.hosts import read_journal
from twin.run_folder import prepare
from twin.scenario import Scenario
from twin.scenario.words import describe, difference
from twin.simulation import Run, Simulation
from twin.world.fleets import fleets
from twin.world.fleets.desks import desk_factory

HERE = "tests.twin.world.fleets.doubles"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy city with a depot on a road in its middle."""
    city = shared_toy_city()
    road = int(np.flatnonzero(city.network.main_part())[7])
    point = city.roads.geometry.iloc[road].interpolate(60.0)
    row = {**city.places.iloc[0].to_dict(), "place": "depot-001", "kind": "depot", "name": "车场", "name_en": "Yard"}
    row |= {"road": road, "pos_m": 60.0, "road_out": -1, "weight": 0.0, "geometry": point}
    whole = pd.concat([city.places, gpd.GeoDataFrame([row], crs=city.places.crs)], ignore_index=True)
    return replace(city, places=whole.astype(city.places.dtypes.to_dict())).save(
        tmp_path_factory.mktemp("fleet") / "city"
    )


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-ins in the place of the delivery's truth and of the platform."""
    monkeypatch.setattr(fleets, "SYSTEMS", {"delivery": f"{HERE}:TinySystem"})
    monkeypatch.setattr(fleets, "PLATFORM", f"{HERE}:NoPlatform")


def scenario(folder: Path, mode: str = "free-flow", desk: object = ShuttlingDesk, units: int = 3, **more) -> Scenario:
    delivery = {"units": units, "depots": ["Yard"], "area": [], "desk": desk, "policy": NoPolicy}
    return load(
        "weekday",
        city={"folder": str(folder)},
        people={"residents": 300, "companies": 20},
        start="07:00",
        end="08:00",
        **{"traffic": {"mode": mode}, "delivery": delivery, **more},
    )


def simulate(s: Scenario, folder: Path, out: Path | None = None, seed: int = 1) -> Run:
    simulation = Simulation(s, City.load(folder), folder, seed, out)
    try:
        simulation.run_until(simulation.end_s)
    except BaseException:
        simulation.close()
        raise
    return simulation.finish()


@pytest.mark.parametrize("mode", ["meso", "micro", "free-flow"])
def test_robots_drive_among_everybody_and_all_vehicles_are_accounted_for(folder, mode):
    run = simulate(scenario(folder, mode), folder)
    n = dict(run.log.sql("select fact, count(*) from events group by 1").itertuples(index=False))
    assert n["UnitArrived"] >= 20
    assert n["UnitDeployed"] == 3
    never = run.log.sql(
        "select count(*) as n from events where fact = 'VehicleUnderWay'"
        " and vehicle not in (select vehicle from events where fact = 'VehicleEntered')"
    )["n"][0]
    gone = n.get("VehicleArrived", 0) + n.get("VehicleRemoved", 0) + n.get("VehicleUnderWay", 0) - never
    assert n["VehicleEntered"] == gone
    assert run.digest == simulate(scenario(folder, mode), folder).digest


def test_people_do_the_same_with_and_without_robots(folder):
    """Nobody meets anybody in free flow: one more fleet changes no draw of anybody."""
    others = "select * from events where fact in ('TripStarted', 'TripEnded') order by all"
    with_them = simulate(scenario(folder), folder).log.sql(others)
    without = simulate(scenario(folder, delivery=None), folder).log.sql(others)
    assert len(with_them) > 100
    assert with_them.equals(without)


def test_one_more_robot_changes_nothing_for_the_others(folder):
    own = "select t_s, task, road, distance_m from events where fact = 'UnitArrived' and unit = 700001 order by all"
    a, b = (simulate(scenario(folder, units=n), folder).log.sql(own) for n in (2, 3))
    assert len(a) > 5
    assert a.equals(b)


def test_the_desk_is_told_what_there_is_and_its_journal_replays(folder, tmp_path):
    out = prepare(tmp_path / "run")
    run = simulate(scenario(folder), folder, out)
    calls = list(read_journal(out / "journal" / "delivery.jsonl"))
    first = calls[0][1]
    assert [type(m) for m in first[:2]] == [RoadMap, Roster]
    assert {TravelTimes, WeatherReport} <= {type(m) for m in first}
    assert first[1].unit.tolist() == [700001, 700002, 700003]
    assert first[1].home == ("depot-001",) * 3
    depot, charger = places(first, "depot")[0], places(first, "charger")[0]
    assert (depot.place, depot.pos_m.tolist(), charger.size.tolist()) == (("depot-001",), [60.0], [1])
    city = City.load(folder)
    assert first[0].turn_from.size == int(city.turns["car"].sum())
    again = ShuttlingDesk()
    for now_s, messages, commands in calls:
        assert [(type(c), c.key) for c in again.decide(now_s, messages)] == [(type(c), c.key) for c in commands]
    assert run.digest == simulate(scenario(folder), folder).digest


HAPPENS = [
    {"at": "07:10", "kind": "breakdown", "unit": "robot-2", "minutes": 15},
    {"at": "07:15", "until": "07:25", "kind": "link_lost", "unit": "robot"},
    {"at": "07:20", "until": "07:30", "kind": "charger_fails", "place": "Yard"},
    {"at": "07:22", "until": "07:32", "kind": "depot_closed", "place": "车场"},
    {"at": "07:35", "kind": "permit_ends", "permit": "known"},
    {"at": "07:40", "until": "07:50", "kind": "obstacle", "road": "A1A2"},
]


KNOWN = {"desk": None, "permits": [{"fleet": "robot", "name": "known", "area": ["A1A2"]}]}


def test_interventions_happen_to_fleets_and_their_desk_hears_of_it(folder, tmp_path):
    out = prepare(tmp_path / "run")
    run = simulate(scenario(folder, interventions=HAPPENS, supervision=KNOWN), folder, out)
    t = 7 * 3600
    broke = [b for b in run.log.table(UnitBroke).to_pylist() if b["cause"] == "interventions[0]"]
    assert [(b["t_s"], b["unit"]) for b in broke] == [(t + 600, 700002)]
    fit = [r for r in run.log.table(UnitRepaired).to_pylist() if r["unit"] == 700002]
    assert (fit[0]["t_s"], fit[0]["waited_s"]) == (t + 1500, 900)
    lost = run.log.frame(LinkLost)
    assert set(lost[lost.cause == "interventions[1]"].unit) == {700001, 700002, 700003}
    chargers = run.log.table(ChargerFailed).to_pylist()
    assert [(c["t_s"], c["chargers"]) for c in chargers] == [(t + 1200, 0), (t + 1800, 1)]
    assert run.log.table(DepotShut)["t_s"].to_pylist() == [t + 1320]
    assert run.log.table(DepotOpened)["t_s"].to_pylist() == [t + 1920]
    assert run.log.table(LaneClosed).to_pylist()[0]["cause"] == "interventions[5]"
    told = [m for _, messages, _ in read_journal(out / "journal" / "delivery.jsonl") for m in messages]
    changed = [(m.t_s, m.kind, m.open, m.size) for m in told if isinstance(m, PlaceChanged)]
    assert changed[:3] == [
        (t + 1200, "charger", True, 0),
        (t + 1320, "depot", False, 0),
        (t + 1320, "charger", False, 0),
    ]
    # silent for ten minutes: no report of a unit without a link
    heard = [m.t_s for m in told if isinstance(m, UnitReport)]
    assert not [s for s in heard if t + 900 < s < t + 1500]
    assert [s for s in heard if s >= t + 1500]


class _Commanding:
    """Sends one command at once."""

    command: Command

    def decide(self, now_s, messages):
        return [type(self).command] if any(isinstance(m, Roster) for m in messages) else []


def commanding(command: Command) -> type:
    return type("Desk", (_Commanding,), {"command": command})


def leg(unit: int, *roads: int) -> DriveTo:
    return DriveTo("k", unit, np.array(roads, dtype=np.int64), 5.0, -1.0, "test")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (leg(600001, 0), "'delivery' sent DriveTo at 25200 s to unit 600001; its units are robot-1, robot-2, robot-3"),
        (leg(700001), "sent robot-1 off at 25200 s without a road; a leg begins with the road the unit stands on"),
        (leg(700001, 3, 999), "sent robot-1 off at 25200 s over road 999; roads are 0..79"),
        (leg(700001, 0, 0), "sent robot-1 off at 25200 s from road 0 to road 0; there is no such turn for cars"),
        (WarnUnit("k", 700001, "speeding", "c"), "sent WarnUnit at 25200 s, which nobody carries out"),
        (WakeAt("k", 3), "asked at 25200 s to be woken at 3 s; only later seconds are allowed"),
    ],
)
def test_a_desk_that_breaks_the_contract_is_told_in_a_sentence(folder, command, words):
    with pytest.raises(ControlError) as error:
        simulate(scenario(folder, desk=commanding(command)), folder)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"kind": "breakdown", "unit": "robot-9"}, 'unit is "robot-9"; this scenario has robot or robot-1 to robot-3'),
        ({"kind": "link_lost", "unit": "tram"}, 'unit is "tram"; this scenario has robot or robot-1 to robot-3'),
        ({"kind": "depot_closed", "place": "Gate 1"}, "no fleet has a depot at 'Gate 1'; depots are: 车场"),
        ({"kind": "permit_ends", "permit": "unknown"}, 'permit is "unknown"; this scenario has robot-goods'),
    ],
)
def test_an_intervention_on_what_is_not_there(folder, what, words):
    with pytest.raises(ScenarioError) as error:
        simulate(scenario(folder, interventions=[{"at": "07:10", **what}]), folder)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"delivery": {"policy": "pyvpr"}}, 'delivery.policy is "pyvpr"; allowed: nearest_first, pyvrp'),
        ({"delivery": {"policy": "pyvpr"}}, "did you mean 'pyvrp'?"),
        ({"supervision": {}}, "supervision is on, but there is no fleet to watch"),
        ({"delivery": {"units": 0}}, "delivery.units is 0; allowed: a whole number from 1 to 5000"),
        ({"delivery": {"robots": 3}}, "unknown key 'robots' in delivery"),
        ({"interventions": [{"at": "07:00", "kind": "break_down"}]}, "did you mean 'breakdown'?"),
    ],
)
def test_mistakes_in_a_scenario_are_told_in_a_sentence(keys, words):
    with pytest.raises(ScenarioError) as error:
        load("weekday", **keys)
    assert words in str(error.value)


@pytest.mark.parametrize(("unit", "fine"), [("robot", True), ("robot-2", True), ("robot-3", False), ("tram", False)])
def test_an_intervention_names_units_that_are_there(unit, fine):
    keys = {"delivery": {"units": 2}, "interventions": [{"kind": "breakdown", "at": "10:00", "unit": unit}]}
    if fine:
        load("weekday", **keys)
    else:
        with pytest.raises(ScenarioError, match=f'"{unit}"; this scenario has robot or robot-1 to robot-2'):
            load("weekday", **keys)


def test_a_policy_may_be_a_name_a_path_or_a_class():
    class Mine:
        pass

    class Desk:
        def __init__(self, policy=None):
            self.policy = policy

        def decide(self, now_s, messages):
            return []

    assert isinstance(desk_factory("delivery", Desk, Mine)().policy, Mine)
    assert type(desk_factory("delivery", Desk, f"{HERE}:NoPolicy")().policy).__name__ == "NoPolicy"
    shipped = desk_factory("delivery", Desk, "nearest_first")().policy
    assert type(shipped).__name__ == "NearestFirst"
    assert desk_factory("delivery", commanding(WakeAt("k", 3)), Mine)().command == WakeAt("k", 3)
    with pytest.raises(ScenarioError, match='policy is "x"; allowed: nearest_first, pyvrp'):
        desk_factory("delivery", Desk, "x")


def test_fleets_are_described_in_both_languages(folder):
    s = scenario(folder, interventions=HAPPENS, supervision=KNOWN)
    lines = "\n".join(describe(s))
    for words in (
        "Parcel delivery: 3 vehicles, policy tests.twin.world.fleets.doubles:NoPolicy.",
        "Robot-2 breaks down at 07:10 and is fit again after 15 min.",
        "Robot has no radio link from 07:15 to 07:25.",
        "None of the chargers at Yard work from 07:20 to 07:30.",
        "The depot 车场 is closed from 07:22 to 07:32.",
        "The permit known is withdrawn at 07:35.",
        "Something stands on lane 0 (0 is the rightmost) of A1A2 from 07:40 to 07:50.",
    ):
        assert words in lines
    assert "无人物流车2号发生故障，15分钟后修复。" in "\n".join(describe(s, "zh"))
    assert difference(load("weekday"), load("weekday", delivery={"units": 20, "policy": "pyvrp"})) == [
        "Parcel delivery: 20 vehicles, policy pyvrp."
    ]
    more = difference(load("weekday", delivery={}), load("weekday", delivery={"units": 20}))
    assert more == ["Parcel delivery: units is 20 instead of 12."]
    assert difference(load("weekday", delivery={}), load("weekday")) == ["No parcel delivery any more."]


def test_departures_are_not_later_than_arrivals(folder):
    run = simulate(scenario(folder), folder)
    departed, arrived = run.log.frame(UnitDeparted), run.log.frame(UnitArrived)
    for unit in departed.unit.unique():
        a = arrived[arrived.unit == unit].t_s.to_numpy()
        d = departed[departed.unit == unit].t_s.to_numpy()[: a.size]
        assert (a >= d).all()
