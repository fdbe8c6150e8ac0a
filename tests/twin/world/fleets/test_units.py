"""Units in truth: legs as vehicles, metres, diversions, halts, what they report – on every model of traffic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.city import City
from tests.cities import shared_toy_city
from tests.twin.world.fleets.doubles import Stage, close_all, far_road, stage
from twin.domain.mobility import DRIVING, HALTED, MANUAL, PARKED, SERVING, DriveTo
from twin.events import (
    ReserveBroken,
    UnitArrived,
    UnitDeparted,
    UnitHalted,
    UnitRefused,
    UnitResumed,
    UnitsUnderWay,
    VehicleArrived,
    VehicleEntered,
    VehicleRemoved,
)
from twin.world.fleets.legs import join_way
from twin.world.fleets.models import MODELS

#: a robot that neither breaks down nor asks for help
SURE = replace(MODELS["robot"], failure_km=1e12, assist_km=math.inf)


@pytest.fixture(params=["free-flow", "meso", "micro"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture
def toy() -> City:
    return shared_toy_city()


def whats(reports: list) -> list[str]:
    return [r.what for r in reports]


def way_m(city: City, way: np.ndarray, start_m: float, end_m: float) -> float:
    """Metres of a way: the whole of every road but the last, less what lies before the start."""
    return float(city.roads["length_m"].to_numpy()[way[:-1]].sum()) - start_m + end_m


def test_a_leg_is_as_long_as_its_way_and_takes_as_long_as_expected(toy: City, mode: str) -> None:
    s = stage(toy, mode, 1, SURE)
    road, pos = int(s.units.road[0]), float(s.units.pos_m[0])
    far = far_road(toy, road)
    way = toy.network.routes([road], [far])[0]
    assert s.drive(0, far, 80.0)
    assert s.units.state[0] == DRIVING
    reports = s.run(600)
    assert whats(reports) == ["arrived"]
    assert (reports[0].road, reports[0].pos_m) == (far, 80.0)
    expected_m = way_m(toy, way, pos, 80.0)
    assert s.units.odometer_m[0] == pytest.approx(expected_m)
    done = s.facts().table(UnitArrived).to_pylist()[0]
    assert done["distance_m"] == pytest.approx(expected_m)
    # nobody is in the way: the time of free flow at 40 km/h, with signals and starting where there are any
    assert -2 <= done["late_s"] <= (2 if mode == "free-flow" else 60)


def test_energy_is_metres_and_idle_power(toy: City) -> None:
    s = stage(toy, "free-flow", 2, SURE)
    s.drive(0, far_road(toy, int(s.units.road[0])))
    s.run(100)
    metres = float(s.units.odometer_m[0])
    assert metres == pytest.approx(100 * 40 / 3.6, rel=0.02)
    whole = SURE.battery_wh
    assert 1 - s.units.battery[0] == pytest.approx((SURE.use_wh_m * metres + SURE.idle_w * 100 / 3600) / whole)
    assert 1 - s.units.battery[1] == pytest.approx(0.1 * SURE.idle_w * 100 / 3600 / whole)
    s.facts()


def test_every_vehicle_of_a_unit_is_accounted_for(toy: City, mode: str) -> None:
    s = stage(toy, mode, 3, SURE)
    home = int(s.units.road[0])
    far = far_road(toy, home)
    for row in range(3):
        s.drive(row, far, 20.0 + 30.0 * row)
    s.run(60)
    s.units.halt(1, "test", s.now_s)
    s.run(400)
    s.units.resume(1, "test", s.now_s)
    s.drive(0, home)
    s.run(440)
    facts = s.facts()
    entered = facts.table(VehicleEntered)["vehicle"].to_pylist()
    arrived = facts.table(VehicleArrived)["vehicle"].to_pylist()
    removed = facts.table(VehicleRemoved)["vehicle"].to_pylist()
    on_way = [v for v in s.units.vehicle.tolist() if v]
    assert len(set(entered)) == len(entered)
    assert sorted(arrived + removed + on_way) == sorted(entered)
    assert facts.table(UnitsUnderWay).num_rows == 3


def test_a_halted_unit_pulls_over_and_goes_on_with_the_same_leg(toy: City, mode: str) -> None:
    s = stage(toy, mode, 1, SURE)
    far = far_road(toy, int(s.units.road[0]))
    way = toy.network.routes([int(s.units.road[0])], [far])[0]
    length = way_m(toy, way, float(s.units.pos_m[0]), 50.0)
    s.drive(0, far)
    s.run(60)
    s.units.halt(0, "fog", s.now_s)
    here = (int(s.units.road[0]), float(s.units.pos_m[0]))
    assert s.units.state[0] == HALTED
    assert s.units.vehicle[0] == 0
    assert s.traffic.under_way().size == 0
    assert whats(s.run(160)) == ["halted"]
    assert (int(s.units.road[0]), float(s.units.pos_m[0])) == here
    assert s.units.resume(0, "clear again", s.now_s)
    assert whats(s.run(700)) == ["resumed", "arrived"]
    assert s.units.odometer_m[0] == pytest.approx(length)
    facts = s.facts()
    assert facts.table(UnitHalted).to_pylist()[0]["cause"] == "fog"
    assert facts.table(UnitResumed).to_pylist() == [
        {"t_s": 160, "unit": 700001, "cause": "clear again", "waited_s": 100}
    ]
    assert facts.table(UnitDeparted).num_rows == facts.table(UnitArrived).num_rows == 1


def test_two_who_want_it_to_stand_must_both_let_it_go(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    s.drive(0, far_road(toy, int(s.units.road[0])))
    s.run(30)
    s.units.halt(0, "speeding", s.now_s, by="platform")
    s.units.halt(0, "lost link", s.now_s, by="link")
    assert not s.units.resume(0, "link back", s.now_s, by="link")
    assert s.units.state[0] == HALTED
    assert not s.drive(0, int(s.units.road[0]))
    assert whats(s.run(40)) == ["halted", "refused"]
    assert s.units.resume(0, "released", s.now_s, by="platform")
    assert s.units.state[0] == DRIVING
    s.facts()


def test_who_serves_is_halted_when_it_has_served(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    s.units.set(0, 0, state=SERVING)
    s.units.halt(0, "stop order", 0, by="platform")
    assert s.units.state[0] == SERVING
    s.units.set(0, 0, state=PARKED)
    assert s.units.state[0] == HALTED
    s.units.resume(0, "released", 0, by="platform")
    assert s.units.state[0] == PARKED
    s.facts()


def test_a_diverted_unit_joins_the_new_way_and_ends_there(toy: City, mode: str) -> None:
    s = stage(toy, mode, 1, SURE)
    road = int(s.units.road[0])
    far = far_road(toy, road)
    way = toy.network.routes([road], [far])[0].astype(np.int64)
    s.drive(0, far)
    s.run(10)
    assert int(s.units.road[0]) == road
    middle = int(way[2])
    assert s.units.drive(DriveTo("other", 700001, way[1:3], 30.0, -1.0, "other"), s.now_s)
    reports = s.run(400)
    assert whats(reports) == ["arrived"]
    assert (reports[0].road, reports[0].pos_m) == (middle, 30.0)
    assert s.units.odometer_m[0] == pytest.approx(way_m(toy, way[:3], s.units.home[0].pos_m, 30.0))
    facts = s.facts()
    assert facts.table(UnitDeparted)["task"].to_pylist() == ["test", "other"]
    assert facts.table(UnitArrived)["task"].to_pylist() == ["other"]


def test_a_diverted_unit_finds_its_own_way_where_none_is_shared(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    home = int(s.units.road[0])
    s.drive(0, far_road(toy, home))
    s.run(60)
    behind = np.array([home], dtype=np.int64)
    assert s.units.drive(DriveTo("back", 700001, behind, 10.0, -1.0, "back"), s.now_s)
    reports = s.run(600)
    assert [(r.what, r.road, r.pos_m) for r in reports] == [("arrived", home, 10.0)]
    s.facts()


def test_a_little_along_the_kerb_needs_no_lane(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    pos = float(s.units.pos_m[0])
    here = np.array([int(s.units.road[0])], dtype=np.int64)
    assert s.units.drive(DriveTo("k", 700001, here, pos - 30.0, -1.0, "stop"), 0)
    reports = s.run(60)
    assert whats(reports) == ["arrived"]
    assert s.units.pos_m[0] == pos - 30.0
    assert s.units.odometer_m[0] == 30.0
    assert s.facts().table(VehicleEntered).num_rows == 0


def test_who_is_taken_off_the_road_stands_there_and_may_be_sent_another_way(toy: City, mode: str) -> None:
    s = stage(toy, mode, 1, SURE)
    road = int(s.units.road[0])
    far = far_road(toy, road)
    way = toy.network.routes([road], [far])[0]
    s.drive(0, far)
    s.run(10)
    closed = np.zeros(len(toy.roads), dtype=bool)
    closed[far] = True  # its end: there is no way round
    s.gate.drivers.at_closures(closed, s.now_s, ahead=None)
    assert s.units.state[0] == HALTED
    reports = s.run(40)
    assert [(r.what, r.detail) for r in reports] == [("halted", "no way round a closure")]
    assert int(s.units.road[0]) == road
    near = int(way[1])
    assert s.drive(0, near, 20.0)
    assert whats(s.run(300)) == ["resumed", "arrived"]
    assert int(s.units.road[0]) == near
    s.facts()


def test_a_way_round_is_followed_and_counted(toy: City, mode: str) -> None:
    s = stage(toy, mode, 1, SURE)
    road, pos = int(s.units.road[0]), float(s.units.pos_m[0])
    far = far_road(toy, road)
    way = toy.network.routes([road], [far])[0]
    passed: list[int] = []
    forget = s.units.forget_passed

    def note() -> None:
        passed.extend(road for road, _ in s.units.passed(0))
        forget()

    s.units.forget_passed = note  # type: ignore[method-assign]
    s.drive(0, far)
    s.run(20)
    closed = np.zeros(len(toy.roads), dtype=bool)
    closed[way[len(way) // 2]] = True
    s.gate.drivers.at_closures(closed, s.now_s, ahead=None)
    round_ = s.gate.way(int(s.units.vehicle[0]))
    assert way[len(way) // 2] not in round_
    assert whats(s.run(800)) == ["arrived"]
    assert passed == round_[1:].tolist()
    assert s.units.odometer_m[0] == pytest.approx(way_m(toy, round_, pos, 50.0))
    s.facts()


def test_a_limit_slows_it(toy: City, mode: str) -> None:
    s = stage(toy, mode, 2, SURE)
    far = far_road(toy, int(s.units.road[0]))
    s.drive(0, far, speed=5.0)
    s.drive(1, far)
    s.units.limit(1, 2.0)
    s.run(120)
    # meso moves in segments, so that what is seen between two of them is interpolated
    slack = 1.25 if mode == "meso" else 1.02
    assert s.units.odometer_m[0] <= 5.0 * 120 * slack
    assert s.units.odometer_m[1] <= 2.0 * 120 * slack
    s.units.limit(1, -1.0)
    s.run(240)
    assert s.units.odometer_m[1] > 2.0 * 240
    s.facts()


def test_holding_costs_its_seconds(toy: City) -> None:
    s, t = stage(toy, "free-flow", 1, SURE), stage(toy, "free-flow", 1, SURE)
    for own in (s, t):
        own.drive(0, far_road(toy, int(own.units.road[0])))
        own.run(20)
    assert s.units.hold(0, 45, "obstacle", s.now_s)
    s.run(600)
    t.run(600)
    late = [own.facts().table(UnitArrived).to_pylist()[0]["late_s"] for own in (s, t)]
    assert late[0] - late[1] == pytest.approx(45, abs=1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: s.units.set(0, 0, state=SERVING), "drive: it is serving"),
        (lambda s: s.faults.break_down(0, "test", 0), "drive: it is broken"),
        (lambda s: s.units.halt(0, "ice", 0), "drive: it is halted (ice)"),
        (lambda s: s.units.battery.__setitem__(0, 0.0), "drive: its battery is empty"),
        (lambda s: s.units.put(0, int(s.units.road[0]) + 1, 5.0), "drive: it stands on road 1, not on road 0"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(toy: City, spoil, words: str) -> None:
    s = stage(toy, "free-flow", 1, SURE, home=0)
    spoil(s)
    assert not s.units.drive(DriveTo("x", 700001, np.array([0, 1]), 5.0, -1.0, "test"), 0)
    assert s.facts().table(UnitRefused)["reason"].to_pylist() == [words]


def test_too_much_load_is_a_mistake_in_the_program(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    with pytest.raises(ValueError, match="robot-1 cannot carry 4001: its capacity is 4000"):
        s.units.set(0, 0, load=4001)
    s.facts()


def test_reports_are_kept_back_while_the_link_is_lost(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    s.drive(0, int(toy.network.routes([int(s.units.road[0])], [far_road(toy, int(s.units.road[0]))])[0][1]), 10.0)
    s.units.link(0, False)
    assert whats(s.run(200)) == []
    assert s.units.state[0] == PARKED
    s.units.link(0, True)
    assert whats(s.run(210)) == ["arrived"]
    s.facts()


def test_the_safety_driver_keeps_the_leg(toy: City) -> None:
    s = stage(toy, "free-flow", 1, replace(SURE, vehicle="shuttle"), fleet="shuttle")
    s.drive(0, far_road(toy, int(s.units.road[0])))
    s.run(50)
    s.units.set(0, s.now_s, state=MANUAL)
    assert whats(s.run(600)) == ["arrived"]
    assert s.units.state[0] == PARKED
    s.facts()


def test_joining_another_way() -> None:
    rest = np.array([3, 4, 5, 6], dtype=np.int32)
    assert join_way(rest, np.array([9, 5, 8])).tolist() == [3, 4, 5, 8]
    assert join_way(rest, np.array([3, 7])).tolist() == [3, 7]
    assert join_way(rest, np.array([8, 9])) is None


# -- properties ------------------------------------------------------------------------------------------

orders = st.lists(
    st.tuples(
        st.integers(0, 2),  # who
        st.sampled_from(["drive", "drive", "drive", "halt", "resume", "break", "link", "charge"]),
        st.integers(0, 10**6),  # where
        st.floats(0.0, 1.0),
        st.integers(1, 12),  # ticks until the next
    ),
    min_size=1,
    max_size=25,
)


def obey(s: Stage, who: int, what: str, where: int, part: float) -> None:
    units, city = s.units, s.city
    if what == "drive":
        reached = np.flatnonzero(city.network.reach(int(units.road[who])))
        to = int(reached[where % reached.size])
        s.drive(who, to, part * float(city.roads["length_m"].iloc[to]))
    elif what == "halt":
        units.halt(who, "test", s.now_s)
    elif what == "resume":
        units.resume(who, "test", s.now_s)
    elif what == "break":
        s.faults.break_down(who, "test", s.now_s, s.now_s + 300)
    elif what == "link":
        s.faults.lose_link(who, "test", s.now_s, s.now_s + 60.0)
    elif what == "charge":
        s.energy.charge(who, 1.0, s.now_s)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders=orders, thirst=st.floats(0.5, 60.0), seed=st.integers(1, 10**6))
def test_whatever_is_ordered_the_books_balance(orders, thirst: float, seed: int) -> None:
    """A unit is in one place; the odometer is the sum of its legs; the reserve is broken only with a fact."""
    model = replace(MODELS["robot"], use_wh_m=thirst, failure_km=30.0, assist_km=5.0)
    s = stage(shared_toy_city(), "free-flow", 3, model, seed=seed)
    length = s.city.roads["length_m"].to_numpy()
    low = np.zeros(3, dtype=bool)
    for who, what, where, part, ticks in orders:
        obey(s, who, what, where, part)
        for _ in range(ticks):
            before, on_road = s.units.odometer_m.copy(), s.units.vehicle > 0
            s.run(s.now_s + 10)
            u = s.units
            assert (u.odometer_m >= before).all()
            # never faster than it can; a way along the kerb, which is no vehicle's, is counted when it ends
            assert ((u.odometer_m - before <= 10 * 40 / 3.6 + 16) | ~on_road).all()
            assert ((u.battery >= 0) & (u.battery <= 1)).all()
            assert ((u.pos_m >= 0) & (u.pos_m <= length[u.road] + 1e-6)).all()
            assert ((u.vehicle > 0) <= np.isin(u.state, [DRIVING, MANUAL])).all()
            assert (u.vehicle[u.broken] == 0).all()
            assert sorted(v for v in u.vehicle.tolist() if v) == s.traffic.under_way().tolist()
            low |= u.battery < u.reserve
    s.run(s.now_s + 3000)
    low |= s.units.battery < s.units.reserve
    legs_open = [row for row in range(3) if s.units.leg(row) is not None]
    assert all(s.units.state[row] == HALTED for row in legs_open), "every leg ends, or its unit is halted"
    odometer = s.units.odometer_m.copy()
    facts = s.facts()
    told = set(facts.table(ReserveBroken)["unit"].to_pylist())
    assert told == set(s.units.number[low].tolist())
    arrived = facts.frame(UnitArrived).groupby("unit")["distance_m"].sum()
    for row, unit in enumerate(s.units.number.tolist()):
        assert odometer[row] >= arrived.get(unit, 0.0) - 1e-6
        if not facts.sql(f"select 1 from events where unit = {unit} and fact in ('UnitBroke','UnitHalted')").size and (
            sum(o[0] == row and o[1] == "drive" for o in orders) <= 1
        ):
            assert odometer[row] == pytest.approx(arrived.get(unit, 0.0))
