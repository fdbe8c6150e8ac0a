"""The city brain's keys and interventions: what may be written, and one clear sentence for what may not."""

from __future__ import annotations

from typing import get_args

import pytest

from scenarios import load
from tests.twin.world.city_brain.brain_town import city, folder
from twin.errors import ScenarioError
from twin.scenario.check import CityNames, check_against_city
from twin.scenario.interventions import HazardKindName
from twin.simulation import Simulation
from twin.world.city_brain.kinds import KINDS


def hazard(**changes):
    return {"kind": "hazard", "at": "08:00", "what": "fire", "place": "清宁社区", **changes}


def test_it_is_off_unless_asked_for_and_on_with_the_sizes_of_the_facts():
    assert load("weekday").city_brain is None
    brain = load("weekday", city_brain={}).city_brain
    assert brain.sensors is not None
    assert (brain.sensors.channels, brain.sensors.waters, brain.sensors.fire_points) == (19_000, 160, 320)


def test_kinds_of_hazards_that_can_be_written_are_those_there_are():
    assert set(get_args(HazardKindName)) == set(KINDS)


@pytest.mark.parametrize(
    ("brain", "sentence"),
    [
        ({"hazards": {"rate": -1}}, r"city_brain.hazards.rate is -1; allowed: a number from 0 \(none\) to 1000"),
        ({"hazards": {"themes": ["flood"]}}, r'city_brain.hazards.themes\[0\] is "flood"; allowed: .*water'),
        (
            {"sensors": {"channels": 500}},
            "sensors.channels is 500, but cameras at 160 waters and 320 fire points need 1,12",
        ),
        ({"sensors": {"lost_share": 0.8, "late_share": 0.3}}, r"lost_share and late_share together are 1.1; allowed"),
        ({"sensors": {"chanels": 5}}, "unknown key 'chanels' in city_brain.sensors; did you mean 'channels'"),
        ({"alerting": {"operator_hit": 2}}, "city_brain.alerting.operator_hit is 2; allowed: a number from 0 to 1"),
    ],
)
def test_a_wrong_key_is_one_sentence(brain, sentence):
    with pytest.raises(ScenarioError, match=sentence) as told:
        load("weekday", city_brain=brain)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (hazard(what="volcano"), r'interventions\[0\].*what is "volcano"; allowed: bather, drowning, fire'),
        (hazard(count=0), r"count is 0; allowed: a whole number from 1 to 20"),
        (
            {"kind": "sensor_outage", "at": "08:00", "query": "place:大桥 & & kind:camera"},
            r"query: query 'place:大桥 & & kind:camera', character 12: expected a tag",
        ),
        ({"kind": "maintenance", "at": "08:00", "query": "(kind:camera"}, r"character 13: expected '\)' for the '\('"),
    ],
)
def test_a_wrong_intervention_is_one_sentence(item, sentence):
    with pytest.raises(ScenarioError, match=sentence) as told:
        load("weekday", city_brain={}, interventions=[item])
    assert len(str(told.value).splitlines()) == 1


def test_something_that_happens_to_the_city_brain_needs_it():
    with pytest.raises(ScenarioError, match="is hazard, but 'city_brain' is not on in this scenario"):
        load("weekday", interventions=[hazard()])


@pytest.mark.parametrize(
    ("brain", "items", "sentence"),
    [
        (
            {"alerting": {"rules": "standrad"}},
            [],
            "city_brain.alerting.rules cannot be used: there are no rules 'standr",
        ),
        ({}, [hazard(place="清宁社")], r"interventions\[0\].place"),
    ],
)
def test_what_the_city_does_not_have_is_told_before_anything_runs(brain, items, sentence):
    scenario = load("weekday", city_brain=brain, interventions=items)
    with pytest.raises(ScenarioError, match=sentence):
        check_against_city(scenario, city())
    assert CityNames.of(city()).place


@pytest.mark.parametrize(
    ("brain", "item", "sentence"),
    [
        ({"sensors": None}, {"kind": "sensor_outage", "query": "kind:camera"}, "but city_brain.sensors is null"),
        (
            {},
            {"kind": "maintenance", "query": "kind:camera", "rules": ["fires"]},
            "rules has 'fires'; the city's rules",
        ),
    ],
)
def test_an_intervention_that_cannot_be_carried_out_is_told_at_the_start(brain, item, sentence):
    scenario = load(
        "weekday",
        people=None,
        traffic={"mode": "free-flow", "background": 0.01},
        city_brain={"responders": None, **brain},
        interventions=[{"at": "08:00", **item}],
    )
    with pytest.raises(ScenarioError, match=sentence):
        Simulation(scenario, city(), folder(), 1)


@pytest.mark.parametrize(
    ("community", "sentence"),
    [
        (
            {"benchmark": ["清宁社曲"]},
            r'community.benchmark\[0\] is "清宁社曲"; qibu has no such community; allowed: the name of one, or of a'
            r" place in it; did you mean '清宁社区'",
        ),
        (
            {"copy": [{"scene": "manhole", "from": "坡东", "to": "坡西村"}]},
            r'community.copy\[0\].from is "坡东"; qibu has no such community; allowed: .*; did you mean \'坡东村\'',
        ),
        (
            {"copy": [{"scene": "manhole", "from": "坡东村", "to": "无"}]},
            r'community.copy\[0\].to is "无"; qibu has no such community',
        ),
        (
            {"copy": [{"scene": "gas", "from": "坡东村", "to": "坡西村"}]},
            r"community.copy\[0\].scene is gas; 坡东村 \(growing\) has manhole, fire_lane",
        ),
    ],
)
def test_a_community_that_is_not_there_is_told_before_the_run(community, sentence):
    """By ``twin validate``, from the city's folder alone, with file, key and value."""
    s = load("weekday", city_brain={}, community=community)
    for names in (CityNames.read(folder()), CityNames.of(city())):
        with pytest.raises(ScenarioError, match=sentence) as told:
            check_against_city(s, names)
        assert len(str(told.value).splitlines()) == 1
    check_against_city(load("weekday", city_brain={}, community={"benchmark": ["坡东村"]}), CityNames.read(folder()))
