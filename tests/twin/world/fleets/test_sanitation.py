"""Street cleaning in truth: what units sweep, tip and fill, what is seen, the crew; and whole runs with a desk."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point

from geo.city import City
from tests.cities import shared_toy_city
from twin.dice import Dice
from twin.domain.ids import unit_number
from twin.domain.mobility import PARKED, SERVING, DriveTo, Places
from twin.domain.sanitation import DUST_G_L, LITTER_G_L, CleaningArea, DirtReports, ServiceUnit, SweeperKit, Tanks
from twin.errors import ScenarioError
from twin.log import Facts, Log
from twin.scenario import Scenario
from twin.scenario.sanitation import Sanitation
from twin.simulation import Simulation
from twin.world.fleets.dirt import EFFICIENCY
from twin.world.fleets.sanitation import FILL_L_S, TIP_S, WATER_L_M, SanitationSystem
from twin.world.fleets.sanitation_crew import BREAKS, BROOM_M_S, Crew, beats, working_s
from twin.world.traffic.ports import NewVehicles
from twin.world.traffic.types import CAR, TRUCK

HOUR = 3600
AREA = {"area": ("plaza",), "radius_m": 330.0, "depot": "yard", "tips": ("yard",), "water_points": ("yard",)}


def city_with_places() -> City:
    """The toy city with a plaza in the middle and a yard for sweepers."""
    toy = shared_toy_city()
    road = toy.road_index["A1B1"]
    yard = toy.roads.geometry.iloc[road].interpolate(0.5, normalized=True)
    middle = Point(*np.mean(toy.roads.geometry[toy.roads["main"]].total_bounds.reshape(2, 2), axis=0))
    new = gpd.GeoDataFrame(
        [
            {"place": "landmark-1", "kind": "landmark", "name": "plaza", "name_en": "plaza", "community": "c010",
             "road": toy.road_index["B1C1"], "pos_m": 100.0, "road_out": -1, "weight": 0.0, "geometry": middle},
            {"place": "depot-1", "kind": "depot", "name": "yard", "name_en": "yard", "community": "c001",
             "road": road, "pos_m": 140.0, "road_out": -1, "weight": 0.0, "geometry": yard},
        ],
        crs=toy.places.crs,
    )  # fmt: skip
    return replace(toy, places=gpd.GeoDataFrame(pd.concat([toy.places, new], ignore_index=True), crs=toy.places.crs))


@pytest.fixture(scope="module")
def town() -> City:
    return city_with_places()


class ScriptUnits:
    """Sweepers that a test moves by hand."""

    def __init__(self, n: int, road: int) -> None:
        self.number = np.asarray([unit_number("sweeper", k + 1) for k in range(n)])
        self.road, self.pos_m = np.full(n, road), np.full(n, 140.0)
        self.state, self.load = np.full(n, PARKED), np.zeros(n, dtype=np.int64)
        self.capacity, self.broken, self.linked = np.full(n, 180), np.zeros(n, bool), np.ones(n, bool)
        self.home = [SimpleNamespace(place="depot-1")] * n
        self.legs: list[DriveTo | None] = [None] * n
        self.entered: dict[int, list[tuple[int, float]]] = {}
        self.reports: list[tuple[int, str, list[int], str]] = []

    def rows(self, fleet: str) -> np.ndarray:
        return np.arange(self.number.size) if fleet == "sweeper" else np.empty(0, dtype=np.int64)

    def row(self, unit: int) -> int:
        hit = np.flatnonzero(self.number == unit)
        return int(hit[0]) if hit.size else -1

    def leg(self, row: int) -> DriveTo | None:
        return self.legs[row]

    def passed(self, row: int) -> list[tuple[int, float]]:
        return self.entered.get(row, [])

    def set(self, row: int, now_s: int, state: int | None = None, load: int | None = None) -> None:
        assert load is None or 0 <= load <= self.capacity[row]
        self.state[row] = self.state[row] if state is None else state
        self.load[row] = self.load[row] if load is None else load

    def report(self, row, what, now_s, items=(), left=(), missed=(), detail="") -> None:
        self.reports.append((row, what, list(items), detail))


class Stage:
    """The system with units moved by hand."""

    def __init__(self, city: City, n: int = 1, seed: int = 1, **keys) -> None:
        self.city, self.log, self.now = city, Log(None), 0
        self.units = ScriptUnits(n if keys.get("by") != "crew" else 0, city.road_index["A1B1"])
        self.weather = SimpleNamespace(kind="clear", rain_mm_h=0.0)
        self.scenario = Sanitation.model_validate({**AREA, **keys})
        self.system = SanitationSystem(
            SimpleNamespace(
                city=city, units=self.units, log=self.log, dice=Dice(seed), weather=self.weather, start_s=0,
                end_s=86_400, network=city.network, tell=lambda *_: None,
                scenario=SimpleNamespace(sanitation=self.scenario),
            )  # type: ignore[arg-type]
        )  # fmt: skip

    def tick(self, row: int = 0, entered: tuple[int, ...] = (), pos_m: float | None = None) -> list:
        """Let ten seconds pass, in which a unit entered roads and came to ``pos_m``."""
        self.now += 10
        if entered:
            self.units.entered[row] = [(r, self.now) for r in entered]
            self.units.road[row] = entered[-1]
        if pos_m is not None:
            self.units.pos_m[row] = pos_m
        out = self.system.tick(self.now)
        self.units.entered.clear()
        return out

    def begin_leg(self, task: str, roads: tuple[int, ...], row: int = 0) -> None:
        self.units.legs[row] = DriveTo(f"d/{self.now}", int(self.units.number[row]), np.asarray(roads), 0.0, 2.0, task)

    def way(self, *edges: str) -> list[int]:
        return [self.city.road_index[e] for e in edges]

    def facts(self, name: str) -> pd.DataFrame:
        self.log.seal()
        parts = [t.to_pandas() for t in self.log._sealed]
        whole = pd.concat(parts) if parts else pd.DataFrame({"fact": []})
        return whole[whole["fact"] == name]


@pytest.fixture
def stage(town: City) -> Stage:
    return Stage(town)


def test_the_desk_is_told_the_area_the_kit_and_where_to_tip(stage: Stage):
    told = {type(m): m for m in stage.system.begin(0) if not isinstance(m, Places)}
    area, kit = told[CleaningArea], told[SweeperKit]
    assert area.road.tolist() == stage.system.roads.tolist()
    assert stage.city.roads["main"].to_numpy()[area.road].all()
    assert 8 <= area.road.size < 48
    assert (area.from_s.tolist(), area.until_s.tolist()) == ([10_800, 34_200, 48_600], [25_200, 41_400, 59_400])
    assert kit.unit.tolist() == stage.units.number.tolist()
    assert [m.kind for m in stage.system.begin(0) if isinstance(m, Places)] == ["tip", "water"]


def test_roads_of_a_sweep_leg_are_swept_as_far_as_the_unit_drove(stage: Stage):
    d, u = stage.system.dirt, stage.units
    first, second, third = stage.way("A1B1", "B1C1", "C1D1")
    stage.begin_leg("sweep", (first, second, third))
    before, lengths = d.litter_g_m.copy(), d.length_m
    stage.tick(pos_m=200.0)
    assert d.litter_g_m[first] == before[first], "a road is swept when it is left behind"
    stage.tick(entered=(second,), pos_m=30.0)
    share = (lengths[first] - 140.0) / lengths[first]
    assert d.litter_g_m[first] == pytest.approx(before[first] * (1 - EFFICIENCY["wet"][0] * share))
    stage.tick(entered=(third,), pos_m=100.0)
    assert d.litter_g_m[second] == pytest.approx(before[second] * (1 - EFFICIENCY["wet"][0]))
    u.legs[0] = None
    tanks = [m for m in stage.tick(pos_m=lengths[third]) if isinstance(m, Tanks)]
    assert d.litter_g_m[third] == pytest.approx(before[third] * (1 - EFFICIENCY["wet"][0]))
    assert [r[2] for r in u.reports if r[1] == "swept"] == [[second], [third]]  # of the first less than half
    swept = stage.facts("RoadSwept")
    litres = swept["litter_g"].sum() / LITTER_G_L + swept["dust_g"].sum() / DUST_G_L
    metres = lengths[first] - 140.0 + lengths[second] + lengths[third]
    assert tanks[-1].hopper_l[0] == pytest.approx(litres)
    assert tanks[-1].water_l[0] == pytest.approx(stage.scenario.water_l - WATER_L_M * metres)
    assert u.load[0] == int(litres)


def test_a_unit_that_only_drives_by_sweeps_nothing_but_sees(stage: Stage):
    before = stage.system.dirt.litter_g_m.copy()
    first, second = stage.way("A1B1", "B1C1")
    stage.begin_leg("transit", (first, second))
    seen = stage.tick(entered=(second,), pos_m=10.0)
    assert (stage.system.dirt.litter_g_m == before).all()
    looks = [m for m in seen if isinstance(m, DirtReports)]
    for look in looks:
        assert look.road.tolist() == [second]
        assert look.source == "camera"
        assert abs(np.log(look.litter_g_m[0] / before[second])) < 5 * 0.3
    assert len(stage.facts("LitterSeen")) == len(looks)


def test_cameras_err_as_told_and_miss_one_in_ten(town: City):
    s = Stage(town)
    d, road = s.system.dirt, s.way("B1C1")[0]
    d.litter_g_m[road] = 8.0
    looks = [m for _ in range(3000) for m in s.system._sight.camera(int(s.units.number[0]), [road], 0)]
    errors = np.log([m.litter_g_m[0] / 8.0 for m in looks])
    assert len(looks) / 3000 == pytest.approx(0.9, abs=0.02)
    assert errors.std() == pytest.approx(0.3, rel=0.05)
    assert errors.mean() == pytest.approx(0.0, abs=0.02)


def test_a_full_hopper_takes_nothing_more_and_the_road_is_not_told_as_swept(stage: Stage):
    d, u = stage.system.dirt, stage.units
    first, second, third = stage.way("A1B1", "B1C1", "C1D1")
    d.litter_g_m[[second, third]] = 400.0
    stage.begin_leg("sweep", (first, second, third))
    stage.tick(entered=(second,), pos_m=0.0)
    stage.tick(entered=(third,), pos_m=0.0)
    u.legs[0] = None
    stage.tick(pos_m=d.length_m[third])
    assert u.load[0] == u.capacity[0]
    assert d.litter_g_m[third] == 400.0
    assert [r for r in u.reports if r[1] == "swept"] == []


def test_without_water_less_dust_is_taken(town: City):
    took = {}
    for water in (150.0, 10.0):
        s = Stage(town, water_l=water)
        first, second, third = s.way("A1B1", "B1C1", "C1D1")
        s.begin_leg("sweep", (first, second, third))
        s.tick(entered=(second,), pos_m=0.0)
        s.tick(entered=(third,), pos_m=0.0)
        took[water] = s.facts("RoadSwept").set_index("road")["dust_g"][second]
    assert took[10.0] / took[150.0] == pytest.approx(EFFICIENCY["dry"][1] / EFFICIENCY["wet"][1])


def test_tipping_and_filling_take_their_time_at_the_right_place_and_two_at_once(town: City):
    s = Stage(town, n=3)
    gear = s.system._gear
    for row in range(3):
        gear[row].hopper_l, gear[row].water_l = 100.0, 30.0
        s.system.carry_out(ServiceUnit(f"t/{row}", int(s.units.number[row]), "tip"), s.now)
    assert s.units.state.tolist() == [SERVING] * 3
    while s.now < TIP_S:
        s.tick()
    assert [gear[r].hopper_l for r in range(3)] == [0.0, 0.0, 100.0]
    while s.now < 2 * TIP_S + 10:
        s.tick()
    assert gear[2].hopper_l == 0.0
    assert s.facts("HopperTipped")["load"].tolist() == [100, 100, 100]
    s.system.carry_out(ServiceUnit("w", int(s.units.number[0]), "water"), s.now)
    began = s.now
    while s.units.state[0] == SERVING:
        s.tick()
    assert s.now - began == pytest.approx((150.0 - 30.0) / FILL_L_S, abs=10)
    assert s.facts("WaterFilled")["litres"].tolist() == [120]
    s.units.road[0] = s.way("B1C1")[0]
    s.system.carry_out(ServiceUnit("w2", int(s.units.number[0]), "water"), s.now)
    assert s.units.reports[-1][1:] == ("refused", [], "water: it does not stand at such a place")


def test_a_breakdown_ends_sweeping_and_tipping_and_the_crew_empties_the_hopper(stage: Stage):
    gear, unit = stage.system._gear[0], int(stage.units.number[0])
    gear.hopper_l = 50.0
    stage.system.carry_out(ServiceUnit("t", unit, "tip"), 0)
    assert stage.system.broke(0, 5) == ()
    stage.now = 500
    stage.tick()
    assert gear.hopper_l == 50.0
    assert stage.system.repaired(0, 900) == ()
    assert gear.hopper_l == 0.0
    assert stage.units.load[0] == 0


def test_cleanliness_is_measured_each_quarter_of_an_hour_over_metres(stage: Stage):
    d, roads = stage.system.dirt, stage.system.roads
    while stage.now < 1800:
        stage.tick()
    told = stage.facts("CleanlinessMeasured")
    assert told["t_s"].tolist() == [900, 1800]
    metres = d.length_m[roads]
    clean = d.cleanliness(roads)
    assert told["cleanliness"].iloc[-1] == pytest.approx((clean * metres).sum() / metres.sum())
    assert told["clean_share"].iloc[-1] == pytest.approx(metres[clean >= 0.7].sum() / metres.sum())


def test_citizens_tell_more_of_dirtier_roads_by_day_only(town: City):
    s = Stage(town)
    d, roads = s.system.dirt, s.system.roads
    d.litter_g_m[roads] = 5.0
    d.litter_g_m[roads[: roads.size // 2]] = 50.0
    day = [m for k in range(40, 80) for m in s.system._sight.citizens(roads, k * 900, 900)]
    told = np.concatenate([m.road for m in day])
    much = np.isin(told, roads[: roads.size // 2]).sum()
    assert much > 4 * (told.size - much)
    assert s.system._sight.citizens(roads, 2 * HOUR, 900) == []


def test_vehicles_leave_dust_along_their_routes_lorries_more(stage: Stage):
    from geo.network import Routes

    a, b, c = stage.way("A1B1", "B1C1", "C1D1")
    routes = Routes(np.asarray([a, b, b, c], dtype=np.int32), np.asarray([0, 2, 4]), np.zeros(2))
    stage.system.vehicles(NewVehicles(np.asarray([1, 2]), np.asarray([CAR, TRUCK]), np.asarray([0, 0]), routes))
    fell = stage.system.dirt._vehicles_g_m
    assert fell[b] == pytest.approx(fell[a] + fell[c])
    assert fell[c] > 10 * fell[a] > 0


# -- the crew ----------------------------------------------------------------------------------------------


def test_beats_hold_every_metre_once_and_are_equally_long():
    pieces = beats(np.asarray([7, 3, 9]), np.asarray([100.0, 250.0, 70.0]), 4)
    assert [sum(m for _, m in p) for p in pieces] == pytest.approx([105.0] * 4)
    metres = {road: sum(m for p in pieces for r, m in p if r == road) for road in (7, 3, 9)}
    assert metres == pytest.approx({7: 100.0, 3: 250.0, 9: 70.0})


def test_nobody_works_in_breaks_or_outside_the_shift():
    shift = (5 * HOUR, 17 * HOUR)
    pause = sum(b - a for a, b in BREAKS)
    assert working_s(0, 86_400, shift) == 12 * HOUR - pause
    assert working_s(4 * HOUR, 5 * HOUR, shift) == 0.0
    assert working_s(BREAKS[0][0], BREAKS[0][1], shift) == 0.0
    assert working_s(86_400 + 5 * HOUR, 86_400 + 5 * HOUR + 900, shift) == 900.0


def test_a_crew_sweeps_the_area_once_at_its_pace_and_more_cleaners_keep_it_cleaner(town: City):
    clean, left = {}, {}
    for cleaners in (2, 12):
        s = Stage(town, by="crew", cleaners=cleaners, shift_start="05:00", shift_end="17:00")
        assert s.system.begin(0) == []
        for s.now in range(0, 24 * HOUR, 10):
            s.system.tick(s.now)
        swept = s.facts("RoadSwept")
        metres = s.system.dirt.length_m[s.system.roads].sum() / cleaners
        first = swept[swept["unit"] == swept["unit"].min()]
        assert first["t_s"].min() > 5 * HOUR
        assert swept["t_s"].max() <= 17 * HOUR + 900
        if cleaners == 12:  # one broom pass over the beat, breaks apart
            assert metres / BROOM_M_S < 3 * HOUR
            assert set(swept["road"]) == set(s.system.roads.tolist())
        told = s.facts("CleanlinessMeasured").set_index("t_s")["cleanliness"]
        clean[cleaners], left[cleaners] = told[17 * HOUR], told[5 * HOUR]
    assert clean[12] > clean[2]
    assert left[12] == left[2], "before the shift both met the same dirt"


def test_a_crew_takes_no_more_than_its_brooms_can():
    s = SimpleNamespace()
    s.dirt = SimpleNamespace(length_m=np.asarray([500.0]), sweep=lambda road, metres, how: (metres, 0.0))
    log = Log(None)
    crew = Crew(s.dirt, np.asarray([0]), np.zeros((1, 1)), 1, (0, 24 * HOUR), log)
    for t in range(900, 4 * HOUR + 1, 900):
        crew.step(t, 900)
    log.seal()
    times = pd.concat([t.to_pandas() for t in log._sealed])["t_s"]
    assert abs(times.min() - 500.0 / BROOM_M_S) <= 900  # 70 minutes of sweeping


# -- whole runs --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory, town):
    return town.save(tmp_path_factory.mktemp("swept") / "city")


def play(folder, hours: int = 2, seed: int = 1, people=None, **keys) -> tuple[Facts, str, Simulation]:
    part = {**AREA, "units": 2, "hours": [{"start": "00:30", "end": "23:30"}], **keys}
    s = Scenario.model_validate(
        {
            "name": "swept", "city": {"folder": str(folder)}, "people": people, "start": "00:00",
            "end": f"{hours:02d}:00", "traffic": {"mode": "meso", "background": 0.05, "fcd_period_s": 0},
            "sanitation": part,
            "supervision": {"permits": [{"fleet": "sweeper", "area": ["plaza"], "radius_m": 5000.0}]},
        }
    )  # fmt: skip
    simulation = Simulation(s, City.load(folder), folder, seed)
    simulation.run_until(simulation.end_s)
    run = simulation.finish()
    return run.log, run.digest, simulation


@pytest.fixture(scope="module")
def runs(folder):
    kinds = {"coverage": {}, "again": {}, "fixed": {"policy": "fixed_tour"}, "dirtiest": {"policy": "dirtiest_first"}}
    return {name: play(folder, **keys) for name, keys in kinds.items()}


@pytest.mark.parametrize("name", ["coverage", "fixed", "dirtiest"])
def test_every_road_of_the_area_is_swept_and_load_and_charge_keep_their_bounds(runs, name):
    log, _, simulation = runs[name]
    system = simulation.fleets.systems["sanitation"]
    swept = log.frame("RoadSwept")
    assert set(system.roads.tolist()) <= set(swept["road"])
    changed = log.frame("UnitChanged")
    assert changed["load"].max() <= 180
    assert changed["battery"].min() > 0.15
    assert log.frame("ReserveBroken").empty
    clean = log.frame("CleanlinessMeasured").set_index("t_s")["cleanliness"]
    assert clean[2 * HOUR - 900] > clean[HOUR // 4] + 0.05


def test_what_was_swept_is_what_was_tipped_and_what_is_aboard(runs):
    log, _, simulation = runs["coverage"]
    swept = log.frame("RoadSwept")
    litres = swept["litter_g"].sum() / LITTER_G_L + swept["dust_g"].sum() / DUST_G_L
    aboard = sum(g.hopper_l for g in simulation.fleets.systems["sanitation"]._gear.values())
    tips = log.frame("HopperTipped")["load"]
    assert litres == pytest.approx(tips.sum() + aboard, abs=0.5 * len(tips) + 1e-6)


def test_the_same_seed_gives_the_same_log(runs):
    assert runs["coverage"][1] == runs["again"][1]
    assert runs["coverage"][1] != runs["fixed"][1]


def test_more_robots_keep_it_cleaner_and_meet_the_same_dirt(folder, runs):
    log, _, _ = play(folder, units=4, policy="dirtiest_first")
    few = runs["dirtiest"][0].frame("CleanlinessMeasured").set_index("t_s")["cleanliness"]
    many = log.frame("CleanlinessMeasured").set_index("t_s")["cleanliness"]
    assert many[900] == few[900], "common random numbers: before anybody swept, the streets are the same"
    assert many[4500] > few[4500]


def test_a_place_that_is_not_there_is_named(town: City):
    with pytest.raises(Exception, match="no place 'nowhere'"):
        Stage(town, tips=["nowhere"])
    gone = town.places.copy()
    gone.loc[gone["name"] == "yard", "road"] = -1
    with pytest.raises(ScenarioError, match=r"sanitation.tips: 'yard' has no road"):
        Stage(replace(town, places=gone))
