"""Charging, break-downs and recovery, lost links, remote operators, chargers and depots that fail."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.city import City
from tests.cities import shared_toy_city
from tests.twin.world.fleets.doubles import close_all, far_road, stage
from twin.domain.mobility import BROKEN, CHARGING, DRIVING, HALTED, PARKED, PlaceChanged
from twin.events import (
    AssistBegan,
    AssistEnded,
    ChargerFailed,
    DepotShut,
    LinkLost,
    LinkRestored,
    ReserveBroken,
    UnitArrived,
    UnitBroke,
    UnitCharged,
    UnitRepaired,
)
from twin.world.fleets import operators
from twin.world.fleets.energy import TAPER
from twin.world.fleets.faults import CHARGED_TO, FETCH_S, GRACE_S
from twin.world.fleets.models import MODELS
from twin.world.traffic.types import DEFAULT_TYPES, type_index

SURE = replace(MODELS["robot"], failure_km=1e12, assist_km=math.inf)


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture
def toy() -> City:
    return shared_toy_city()


def test_models_are_vehicles_that_exist_and_are_not_faster_than_them() -> None:
    for name, model in MODELS.items():
        kind = DEFAULT_TYPES[type_index(model.vehicle)]
        assert model.name == name
        assert model.speed_m_s <= kind.max_speed_m_s + 1e-9
        assert 0 < model.reserve < 1
        if model.at_work:
            assert DEFAULT_TYPES[type_index(model.at_work)].max_speed_m_s < kind.max_speed_m_s


@settings(max_examples=12, deadline=None)
@given(start=st.floats(0.02, 0.95), target=st.floats(0.05, 1.0))
def test_charging_takes_the_time_of_the_law(start: float, target: float) -> None:
    """E·Δsoc / P up to the taper, then E·(1-TAPER)/P · ln(…) as power falls with 1 - soc, to a twentieth."""
    quick = replace(SURE, charge_w=60_000.0)
    s = stage(shared_toy_city(), "free-flow", 1, quick)
    s.units.battery[0] = start
    assert s.energy.charge(0, target, 0) == ""
    while s.units.state[0] == CHARGING:
        s.run(s.now_s + 10)
    whole_s = quick.battery_wh / quick.charge_w * 3600
    flat = max(min(target, TAPER) - start, 0.0) * whole_s
    knee = 1 - 0.05 * (1 - TAPER)  # here power is a twentieth
    a, b = max(start, TAPER), min(target, knee)
    bent = (1 - TAPER) * math.log((1 - a) / (1 - b)) * whole_s if b > a else 0.0
    flat += max(target - max(start, knee), 0.0) * whole_s / 0.05
    assert s.now_s == pytest.approx(flat + bent, abs=40, rel=0.01)
    facts = s.facts().table(UnitCharged).to_pylist()
    if target > start:
        assert s.units.battery[0] == pytest.approx(target)
        assert facts[0]["energy_wh"] == pytest.approx((target - start) * SURE.battery_wh, rel=1e-6)
    assert [f["waited_s"] for f in facts] == [0]


def test_one_charger_serves_one_after_the_other(toy: City) -> None:
    s = stage(toy, "free-flow", 3, SURE, chargers=1)
    s.units.battery[:] = 0.5
    for row in range(3):
        assert s.energy.charge(row, 0.6, 0) == ""
    assert s.units.state.tolist() == [CHARGING, PARKED, PARKED]
    assert s.energy.waiting(0) == 2
    reports = s.run(7200)
    assert [(r.unit, r.what) for r in reports] == [(700001, "charged"), (700002, "charged"), (700003, "charged")]
    each = 0.1 * SURE.battery_wh / SURE.charge_w * 3600
    waited = s.facts().table(UnitCharged)["waited_s"].to_pylist()
    assert waited == pytest.approx([0, each, 2 * each], abs=40)


def test_charging_elsewhere_or_where_nothing_works_is_refused(toy: City) -> None:
    s = stage(toy, "free-flow", 2, SURE, chargers=1)
    s.units.put(0, int(s.units.road[0]) + 1, 5.0)
    assert s.energy.charge(0, 1.0, 0) == "it does not stand at a depot"
    s.faults.set_chargers(0, 0, "test", 0)
    assert s.energy.charge(1, 1.0, 0) == "no charger works there"
    s.faults.set_chargers(0, 9, "test", 0)
    assert s.depots.working[0] == 1
    s.faults.shut(0, True, "test", 0)
    assert s.energy.charge(1, 1.0, 0) == "the depot is closed"
    s.facts()


def test_a_charger_that_fails_ends_the_last_ones_charging(toy: City) -> None:
    s = stage(toy, "free-flow", 2, SURE, chargers=2)
    s.units.battery[:] = 0.3
    s.energy.charge(0, 1.0, 0)
    s.energy.charge(1, 1.0, 0)
    s.run(600)
    told = s.faults.set_chargers(0, 1, "interventions[0]", s.now_s)
    assert [(m.place, m.kind, m.open, m.size) for m in told] == [("depot-1", "charger", True, 1)]
    reports = s.run(620)
    assert [(r.unit, r.what, r.detail) for r in reports] == [(700002, "charged", "the charger failed")]
    told = s.faults.shut(0, True, "interventions[1]", s.now_s)
    assert [(m.kind, m.open, m.size) for m in told] == [("depot", False, 0), ("charger", False, 0)]
    assert all(isinstance(m, PlaceChanged) for m in told)
    assert [r.detail for r in s.run(640)] == ["the depot is closed"]
    assert s.units.state.tolist() == [PARKED, PARKED]
    facts = s.facts()
    assert facts.table(ChargerFailed).to_pylist()[0]["chargers"] == 1
    assert facts.table(DepotShut).num_rows == 1


def test_an_empty_battery_strands_the_unit_and_the_reserve_is_told_before(toy: City) -> None:
    thirsty = replace(SURE, use_wh_m=SURE.battery_wh / 1000.0)  # a battery lasts 1 km
    s = stage(toy, "free-flow", 1, thirsty)
    s.drive(0, far_road(toy, int(s.units.road[0])))
    reports = s.run(200)
    assert [(r.what, r.detail, tuple(r.items.tolist())) for r in reports] == [("broken", "battery empty", (7, 8))]
    assert s.units.state[0] == BROKEN
    assert s.traffic.under_way().size == 0
    facts = s.facts()
    low, broke = facts.table(ReserveBroken).to_pylist(), facts.table(UnitBroke).to_pylist()
    assert len(low) == len(broke) == 1
    assert low[0]["battery"] < thirsty.reserve
    assert low[0]["t_s"] <= broke[0]["t_s"]


def test_a_broken_unit_is_fetched_repaired_and_fit_again_at_home(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    home = int(s.units.road[0])
    s.drive(0, far_road(toy, home))
    s.run(60)
    s.units.battery[0] = 0.2
    assert s.faults.break_down(0, "wear", s.now_s)
    assert not s.faults.break_down(0, "wear", s.now_s), "it is broken already"
    where = int(s.units.road[0])
    s.run(60 + FETCH_S)
    assert int(s.units.road[0]) == where != home
    while s.units.broken[0]:
        s.run(s.now_s + 600)
    assert [r.what for _, r in s.reports] == ["broken", "repaired"]
    assert s.reports[1][1].items.tolist() == [7]
    assert (int(s.units.road[0]), float(s.units.pos_m[0])) == (home, s.units.home[0].pos_m)
    assert s.units.battery[0] == pytest.approx(CHARGED_TO, abs=0.01)
    assert s.drive(0, where)
    facts = s.facts()
    waited = facts.table(UnitRepaired)["waited_s"].to_pylist()[0]
    assert waited > FETCH_S


def test_a_unit_that_must_not_drive_is_fetched_once_it_stands_with_the_charge_it_has(toy: City) -> None:
    s = stage(toy, "free-flow", 2, SURE)
    home = int(s.units.road[0])
    s.drive(0, far_road(toy, home))
    s.run(30)
    s.units.battery[0] = 0.2
    fails_m = float(s.faults._fails_m[0])
    s.faults.fetch(0, "no permit holds", s.now_s)
    s.faults.fetch(1, "no permit holds", s.now_s)  # it is at home
    s.run(60)
    assert s.units.state[0] == DRIVING, "nobody takes it off the road"
    s.units.link(0, False)
    s.units.halt(0, "order", s.now_s)  # the crew needs no radio link
    s.run(80)
    assert s.units.broken[0]
    assert not s.drive(0, home), "it is in the crew's hands"
    while s.units.broken[0]:
        s.run(s.now_s + 600)
    assert (int(s.units.road[0]), float(s.units.pos_m[0])) == (home, s.units.home[0].pos_m)
    assert s.units.battery[0] == pytest.approx(0.2, abs=0.01), "a crew charges nothing"
    assert s.faults._fails_m[0] == fails_m, "nor mends anything"
    s.units.link(0, True)
    s.run(s.now_s + 20)
    told = [(r.unit, r.what, r.detail) for _, r in s.reports if r.what in ("broken", "repaired")]
    assert told == [(700001, "broken", "fetched: no permit holds"), (700001, "repaired", "")]
    facts = s.facts()
    assert facts.table(UnitBroke)["cause"].to_pylist() == ["fetched: no permit holds"]
    assert facts.table(UnitRepaired)["waited_s"].to_pylist()[0] > FETCH_S


def test_every_road_that_a_unit_comes_to_is_told(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    s.drive(0, far_road(toy, int(s.units.road[0])))
    way = s.units.ahead(0).tolist()
    s.run(900)
    facts = s.facts()
    told = facts.frame("UnitOnRoad")
    assert told["road"].tolist() == way[1:]
    assert told["t_s"].is_monotonic_increasing
    assert told["t_s"].max() <= facts.table(UnitArrived)["t_s"].to_pylist()[0]


def test_an_intervention_says_when_it_is_fit_again(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    s.faults.break_down(0, "interventions[0]", 0, repaired_s=600)
    s.run(590)
    assert s.units.broken[0]
    s.run(600)
    assert not s.units.broken[0]
    s.facts()


def test_wear_has_the_mean_distance_of_the_model(toy: City) -> None:
    s = stage(toy, "free-flow", 400, replace(SURE, failure_km=100.0))
    mean = s.faults._fails_m.mean() / 1000
    assert mean == pytest.approx(100.0, abs=4 * 100.0 / math.sqrt(400))  # standard error of an exponential mean
    first = s.faults._fails_m[:3].copy()
    s.facts()
    again = stage(toy, "free-flow", 3, replace(SURE, failure_km=100.0))
    assert np.array_equal(again.faults._fails_m, first), "more units change nobody else's draws"
    again.facts()


def test_a_unit_watched_from_afar_stops_without_its_link_and_goes_on_with_it(toy: City) -> None:
    s = stage(toy, "free-flow", 2, SURE)
    far = far_road(toy, int(s.units.road[0]))
    s.drive(0, far)
    s.run(10)
    s.faults.lose_link(0, "interventions[0]", s.now_s, 100.0)
    s.run(10 + GRACE_S - 10)
    assert s.units.vehicle[0] > 0
    s.run(10 + GRACE_S + 10)
    assert s.units.state[0] == HALTED
    assert s.run(90) == []
    assert [r.what for r in s.run(110)] == ["halted", "resumed"]
    assert [r.what for r in s.run(600)] == ["arrived"]
    facts = s.facts()
    assert facts.table(LinkLost)["cause"].to_pylist()[0] == "interventions[0]"
    assert facts.table(LinkRestored)["t_s"].to_pylist()[0] == 100


def test_who_rides_his_vehicle_needs_no_link(toy: City) -> None:
    s = stage(toy, "free-flow", 1, replace(MODELS["trike"], failure_km=1e12), fleet="courier")
    s.drive(0, far_road(toy, int(s.units.road[0])))
    s.faults.lose_link(0, "test", 0, 5000.0)
    s.run(100)
    assert s.units.vehicle[0] > 0
    s.facts()


def test_an_operator_helps_one_unit_at_a_time(toy: City) -> None:
    s = stage(toy, "free-flow", 2, SURE)
    far = far_road(toy, int(s.units.road[0]))
    for row in range(2):
        s.drive(row, far, 30.0 + row)
    s.run(50)
    for row in range(2):
        s.operators.ask(row, "crossing pigs", s.now_s)
    assert s.units.state.tolist() == [HALTED, HALTED]
    s.run(80)
    assert [s.operators.assist(row, 1, s.now_s) for row in range(2)] == ["", ""]
    s.run(1500)
    facts = s.facts()
    began, ended = facts.table(AssistBegan).to_pylist(), facts.table(AssistEnded).to_pylist()
    assert [b["unit"] for b in began] == [700001, 700002]
    assert began[0]["waited_s"] == 30
    assert began[1]["t_s"] >= ended[0]["t_s"], "the second waits until the operator is free"
    whats = [r.what for _, r in s.reports if r.unit == 700001]
    assert whats == ["halted", "help", "assisted", "resumed", "arrived"]


def test_who_did_not_ask_is_not_helped_and_whom_nobody_helps_is_fetched(toy: City) -> None:
    s = stage(toy, "free-flow", 1, SURE)
    assert s.operators.assist(0, 1, 0) == "it did not ask for help"
    s.drive(0, far_road(toy, int(s.units.road[0])))
    s.run(20)
    s.operators.ask(0, "lost", s.now_s)
    s.run(20 + operators.PATIENCE_S)
    assert s.units.broken[0]
    assert s.facts().table(UnitBroke)["cause"].to_pylist() == ["nobody helped it"]
