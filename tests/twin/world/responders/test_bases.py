"""Bases and crews: who is at home where, in the toy city and in the shipped district."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from geo.city import City
from scenarios import load
from tests.cities import shared_toy_city
from twin.cities import city_folder
from twin.control.city_brain.incidents.areas import Hierarchy
from twin.control.city_brain.incidents.crews import DAY_S, Crews
from twin.domain.incidents import LEVELS, RESPONDER_KINDS, SKILLS
from twin.errors import ScenarioError
from twin.scenario.responders import Crews as CrewNumbers
from twin.world.responders.bases import Streets, areas, roster
from twin.world.responders.kinds import KINDS
from twin.world.responders.themes import THEMES


@pytest.fixture(scope="module")
def district():
    city = City.load(city_folder(load("weekday")))
    streets, told = Streets.of(city), areas(city, 0)
    return city, streets, told, roster(city, streets, told, CrewNumbers(), 0)


def test_the_district_has_a_hierarchy_of_four_levels(district):
    """F1: district → subdistrict → community → grid; every grid has all four above it."""
    city, _, told, _ = district
    tree = Hierarchy(told)
    assert Counter(told.level.tolist()) == {
        3: 1, 2: len(city.subdistricts), 1: len(city.communities), 0: len(city.grids)
    }  # fmt: skip
    assert (tree.above[told.level == 0] >= 0).all()
    assert len(LEVELS) == 4


def test_a_place_belongs_to_the_grid_it_names_or_the_nearest(district):
    _, _, told, _ = district
    tree = Hierarchy(told)
    row = int(np.flatnonzero(told.level == 0)[17])
    x_m, y_m = float(told.x_m[row]), float(told.y_m[row])
    assert tree.chain(told.name[row], 0.0, 0.0)[0] == tree.chain("", x_m, y_m)[0] == row
    assert tree.chain("no such grid", x_m + 1.0, y_m)[0] == row


def test_every_kind_is_there_in_its_number_at_home_where_it_belongs(district):
    city, streets, told, crew = district
    count = Counter(crew.kind)
    stations = city.places["kind"].value_counts()
    assert count["grid worker"] == len(city.grids)
    assert count["community staff"] == 2 * len(city.communities)
    assert count["fire"] == 2 * stations["fire_station"]
    assert count["police"] == 3 * stations["police_station"]
    assert count["urban management"] == 6 * len(city.subdistricts)
    assert tuple(KINDS) == RESPONDER_KINDS
    assert np.unique(crew.unit).size == crew.unit.size
    names = {(int(level), name) for level, name in zip(told.level, told.name, strict=True)}
    assert all((int(level), area) in names for level, area in zip(crew.level, crew.area, strict=True))
    assert streets.ok[crew.road].all()


def test_by_night_there_are_fewer(district):
    _, _, told, crew = district
    crews = Crews(crew, Hierarchy(told))
    by_day, by_night = crews.on_duty(14 * 3600), crews.on_duty(DAY_S + 3 * 3600)
    kind = np.array(crews.kind)
    for name, least, most in (("grid worker", 0.08, 0.12), ("community staff", 0.45, 0.55), ("fire", 1.0, 1.0)):
        share = by_night[kind == name].sum() / by_day[kind == name].sum()
        assert least <= share <= most, name


def test_a_city_without_stations_has_its_crews_in_the_subdistrict():
    city = shared_toy_city()
    streets, told = Streets.of(city), areas(city, 0)
    crew = roster(city, streets, told, CrewNumbers(), 0)
    assert Counter(crew.kind)["fire"] == 2
    assert set(crew.area) <= set(told.name)


def test_every_theme_has_somebody_who_can_come():
    """The skill each theme asks for first is a word of SKILLS, and some kind has it."""
    had = {word for kind in KINDS.values() for word in kind.skills.split("+")}
    assert had <= set(SKILLS)
    assert {ways.skill for ways in THEMES.values()} <= had


def test_more_crews_than_there_are_numbers_is_one_sentence(district):
    city, streets, told, _ = district
    with pytest.raises(ScenarioError, match=r"100 of kind grid worker for each of 1,074 areas are more than 50,000"):
        roster(city, streets, told, CrewNumbers(grid_workers=100), 0)


def test_the_nearest_road_is_the_nearest(district):
    _, streets, _, _ = district
    draw = np.random.default_rng(1)
    for x_m, y_m in zip(draw.choice(streets.x_m, 30) + 37.0, draw.choice(streets.y_m, 30) - 11.0, strict=True):
        far = np.hypot(streets.x_m - x_m, streets.y_m - y_m)
        here = int(np.flatnonzero(streets.road == streets.nearest(float(x_m), float(y_m)))[0])
        assert far[here] == pytest.approx(far.min())
