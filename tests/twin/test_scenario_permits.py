"""Permits in a scenario: names of permits, areas and units that are not there are told before a run, in a sentence."""

from __future__ import annotations

import pytest

import geo.qibu
from scenarios import load
from twin.errors import ScenarioError
from twin.scenario.check import CityNames, check_against_city
from twin.scenario.supervision import Supervision


@pytest.fixture(scope="module")
def names() -> CityNames:
    return CityNames.read(geo.qibu.cached())


def ends(permit: str, at: str = "12:00") -> dict[str, str]:
    return {"kind": "permit_ends", "at": at, "permit": permit}


SITES = [{"fleet": "robot", "name": "sites"}, {"fleet": "robot", "valid_until": "10:00"}]
WRONG = {
    "unknown": (
        {"interventions": [ends("robot-good")]},
        'interventions[0].permit is "robot-good"; this scenario has shuttle-passengers, shuttle-passengers/test, '
        "robot-goods, sweeper-cleaning; did you mean 'robot-goods'?",
    ),
    "of a fleet that is off": (
        {"delivery": None, "interventions": [ends("robot-goods")]},
        'is "robot-goods"; this scenario has shuttle-passengers, shuttle-passengers/test, sweeper-cleaning',
    ),
    "of couriers": (
        {"delivery": {"by": "couriers"}, "bus": None, "sanitation": None, "interventions": [ends("courier-goods")]},
        "this scenario has none, no fleet that needs one is on",
    ),
    "twice": (
        {"interventions": [ends("robot-goods", "13:00"), ends("robot-goods", "09:00")]},
        'interventions[0].permit is "robot-goods", which interventions[1] ends before',
    ),
    "over by its date": (
        {"supervision": {"permits": SITES}, "interventions": [ends("sites"), ends("robot-goods", "11:00")]},
        'interventions[1].permit is "robot-goods", which ends by its date before, at 10:00',
    ),
    "one name for two": (
        {"supervision": {"permits": [{"fleet": "robot", "name": "a"}, {"fleet": "shuttle", "name": "a"}]}},
        'supervision.permits[1].name is "a", as permits[0] is called; give each its own name',
    ),
    "a unit that is not there": (
        {"supervision": {"permits": [{"fleet": "robot", "units": [1, 13]}]}},
        "supervision.permits[0].units[1] is 13; this scenario has robot-1 to -12",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_permit_that_is_not_there_is_told_in_a_sentence(name):
    changes, words = WRONG[name]
    with pytest.raises(ScenarioError) as error:
        load("fleets", **changes)
    assert words in str(error.value)
    assert len(getattr(error.value, "problems", [1])) == 1


def test_what_is_there_is_fine():
    load("fleets", interventions=[ends("robot-goods"), ends("shuttle-passengers/test"), ends("sweeper-cleaning")])
    load("fleets", supervision=None, interventions=[ends("shuttle-passengers")])
    load("fleets", supervision={"permits": SITES}, interventions=[ends("sites"), ends("robot-goods", "09:59")])


@pytest.mark.parametrize("area", ["大桥", "大桥街道", "Cuizhai", "黄河大道", "盖世物流园", "Urban Balcony"])
def test_an_area_is_a_subdistrict_a_road_or_a_place(names, area):
    check_against_city(load("fleets", supervision={"permits": [{"fleet": "robot", "area": [area]}]}), names)


def test_an_area_that_the_city_does_not_have_is_told_in_a_sentence(names):
    permits = [{"fleet": "robot", "area": ["大桥", "崔塞街道"]}, {"fleet": "shuttle", "area": ["Daqaio"]}]
    with pytest.raises(ScenarioError) as error:
        check_against_city(load("fleets", supervision={"permits": permits}), names)
    first, second = error.value.problems
    assert 'supervision.permits[0].area[1] is "崔塞街道", but' in first
    assert first.endswith("has no such subdistrict, road or place; did you mean '崔寨街道'?")
    assert 'supervision.permits[1].area[0] is "Daqaio", but' in second
    assert "did you mean 'Daqiao'?" in second


def test_names_read_from_a_folder_are_those_of_the_city_in_memory(names):
    from geo.city import City

    assert CityNames.of(City.load(geo.qibu.cached())).subdistrict == names.subdistrict


def test_permits_without_names_are_numbered():
    part = Supervision.model_validate({"permits": [{"fleet": "robot"}, {"fleet": "robot"}, {"fleet": "robot"}]})
    assert [name for name, _ in part.named(["robot", "sweeper"])] == [
        "robot-goods", "robot-goods-2", "robot-goods-3", "sweeper-cleaning"
    ]  # fmt: skip
