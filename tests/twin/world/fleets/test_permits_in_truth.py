"""Permits of a scenario in truth: their roads, who is told, how they end; and what is wrong with a bad one."""

from __future__ import annotations

import numpy as np
import pytest
from toy_fleet import make_toy, west

from geo import qibu
from geo.city import City
from tests.cities import shared_toy_city
from twin.domain.mobility import PermitIssued, PermitWithdrawn
from twin.errors import ScenarioError
from twin.scenario.supervision import Permit, Supervision, Telemetry
from twin.world.fleets.permits import area_roads, issues

T = 36_000


@pytest.fixture(scope="module")
def district():
    return City.load(qibu.cached())


def test_the_default_permit_is_all_roads_of_daqiao_and_cuizhai(district):
    """F28: all roads of the two subdistricts, and every fleet that is on has one."""
    found = issues(district, Supervision(), ["shuttle", "robot", "sweeper"], 0, 86_400)
    names = [i.told.permit for i in found]
    assert names == ["shuttle-passengers", "shuttle-passengers/test", "robot-goods", "sweeper-cleaning"]
    of = district.roads["subdistrict"].to_numpy()
    expected = np.flatnonzero(np.isin(of, ["daqiao", "cuizhai"]) & district.roads["car"].to_numpy())
    for issue in found:
        assert np.array_equal(issue.told.roads, expected)
    shuttle, test = found[0].told, found[1].told
    assert shuttle.speed_m_s == pytest.approx(40 / 3.6)
    assert (shuttle.min_test_h, shuttle.min_test_km) == (240.0, 1000.0)
    assert (test.purpose, test.min_test_h, test.min_test_km) == ("test", 0.0, 0.0)


def test_an_area_is_subdistricts_roads_and_places_together(district):
    both = area_roads(district, ["大桥街道", "cuizhai"], 0)
    assert np.array_equal(both, area_roads(district, ["Daqiao", "崔寨"], 0))
    around = area_roads(district, ["清宁社区"], 800.0)
    middle = district.roads.geometry.interpolate(0.5, normalized=True)
    far = middle.distance(district.place("清宁社区").geometry).to_numpy()
    assert around.size
    assert (far[around] <= 800.0).all()
    assert np.setdiff1d(np.flatnonzero((far <= 800.0) & district.roads["car"].to_numpy()), around).size == 0
    road = district.roads["name"].iloc[int(around[0])]
    named = area_roads(district, [road], 0)
    assert set(named) == set(district.roads_named(road).tolist())
    union = area_roads(district, ["清宁社区", road], 800.0)
    assert set(union) == set(around) | set(named)


@pytest.mark.parametrize(
    ("permits", "text"),
    [
        ([{"area": ("大桥街",)}], r"has no subdistrict, road or place '大桥街'; did you mean '大桥"),
        ([{"name": "a"}, {"name": "a", "fleet": "shuttle"}], r"two permits are called 'a'; give each its own name"),
    ],
)
def test_a_bad_permit_is_one_clear_sentence(district, permits, text):
    given = tuple(Permit.model_validate({"fleet": "robot", **p}) for p in permits)
    with pytest.raises(ScenarioError, match=text) as error:
        issues(district, Supervision(permits=given), ["robot", "shuttle"], 0, 86_400)
    assert "\n" not in str(error.value)


def test_a_city_without_those_subdistricts_is_open_as_a_whole():
    city = shared_toy_city()
    (issue,) = issues(city, Supervision(), ["robot"], 0, 86_400)
    assert issue.told.roads.size == city.roads["car"].sum()


def test_tests_alone_in_hours_or_in_kilometres():
    assert Permit(fleet="robot").tests == (0.0, 0.0)
    assert Permit(fleet="shuttle").tests == (240.0, 1000.0)
    hours, km = Permit(fleet="robot", min_test_h=100.0).tests
    assert hours == 100.0
    assert km >= 1e9, "kilometres do not help where hours are asked for"


def test_desks_and_platform_are_told_at_the_start_and_when_a_permit_is_withdrawn():
    toy = make_toy(n=2)
    for desk in ("delivery", "supervision"):
        assert [type(m) for m in toy.told[desk]] == [PermitIssued]
    toy.run(100)
    assert not toy.platform.end_permit("none", toy.now_s, "interventions[0]")
    assert toy.platform.end_permit("robot-goods", toy.now_s, "interventions[0]")
    assert not toy.platform.end_permit("robot-goods", toy.now_s, "interventions[0]"), "it can end but once"
    for desk in ("delivery", "supervision"):
        last = [m for m in toy.told[desk] if isinstance(m, PermitWithdrawn)]
        assert [(m.permit, m.reason) for m in last] == [("robot-goods", "interventions[0]")]
    toy.run(60)
    facts = toy.facts()
    assert facts.frame("PermitGranted")[["permit", "fleet", "roads"]].to_numpy().tolist() == [
        ["robot-goods", "robot", int(west(toy.units.city).sum())]
    ]
    assert facts.frame("PermitEnded")["reason"].tolist() == ["interventions[0]"]
    began = facts.frame("ViolationBegan")
    assert began["violation"].tolist() == ["no permit"] * 2, "who drives on now breaks a rule"
    assert (began["t_s"] == T + 110).all()


def test_a_permit_ends_by_its_date():
    permit = Permit(fleet="robot", area=tuple(shared_toy_city().roads["edge"]), valid_until="10:05")
    toy = make_toy(n=1, supervision=Supervision(permits=(permit,), faults=0.0, telemetry=Telemetry.perfect()))
    facts = toy.run(900).facts()
    assert facts.frame("PermitEnded")[["t_s", "reason"]].to_numpy().tolist() == [[T + 300, "its time was over"]]
    assert facts.frame("ViolationBegan")[["t_s", "violation"]].to_numpy().tolist() == [[T + 300, "no permit"]]


def test_a_permit_over_before_the_run_is_none():
    permit = Permit(fleet="robot", area=tuple(shared_toy_city().roads["edge"]), valid_until="09:00")
    toy = make_toy(n=1, supervision=Supervision(permits=(permit,)))
    assert toy.told.get("delivery") is None
    assert toy.facts().frame("PermitGranted").empty


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (
            {"permits": [{"fleet": "boat"}]},
            'supervision.permits[0].fleet is "boat"; allowed: shuttle, robot or sweeper',
        ),
        ({"permits": [{"fleet": "robot", "end": 22}]}, "supervision.permits[0].end is 22; allowed: a time such as"),
        ({"permits": [{"fleet": "robot", "speed_km_h": 200}]}, "speed_km_h is 200; allowed: a number from 3 to 80"),
        ({"telemetry": {"loss": 2.0}}, "supervision.telemetry.loss is 2.0; allowed: a number from 0 to 1"),
        ({"telemetry": {"period_s": 15}}, "supervision.telemetry.period_s is 15; allowed: 10, 20, 30 or another ten"),
        ({"fault": 2.0}, "unknown key 'fault' in supervision; did you mean 'faults'?"),
    ],
)
def test_mistakes_in_a_scenario_are_explained(part, text):
    from twin.scenario.load import scenario_from_data

    with pytest.raises(ScenarioError) as error:
        scenario_from_data({"name": "x", "supervision": part}, "x.yaml")
    assert text in str(error.value)
