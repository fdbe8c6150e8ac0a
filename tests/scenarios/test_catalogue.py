"""Every shipped scenario loads, explains itself in two languages, and fits its city."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twin.scenario import DAY_S, catalogue, load_scenario
from twin.scenario.check import check_control

NAMES = sorted(catalogue())
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def test_the_catalogue_is_complete() -> None:
    assert {"demo", "weekday", "weekend", "road_closure", "jinan_3x4", "bad_hersfeld", "cuizhai_zoom"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_explained_in_both_languages(name: str) -> None:
    s = load_scenario(name, files=False)
    assert s.name == name
    assert s.title
    assert s.question.endswith("?")
    assert re.search(r"[\u4e00-\u9fff]", s.title_zh)
    assert s.question_zh.endswith("？")
    first = catalogue()[name].read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# "), "a planner reads what it is about before any key"


@pytest.mark.parametrize("name", NAMES)
def test_each_names_control_that_can_be_loaded(name: str) -> None:
    check_control(load_scenario(name, files=False))


@pytest.mark.parametrize("name", ["jinan_3x4", "bad_hersfeld"])
def test_foreign_data_is_found_beside_the_project(name: str) -> None:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the shared data folder with {name} is not beside the project")
    city = load_scenario(name).city
    files = [f for f in (city.osm, city.sumo, *city.routes) if f]
    assert files
    assert all(Path(f).is_file() for f in files)


def test_what_the_scenarios_promise() -> None:
    demo, weekday, weekend = (load_scenario(n) for n in ("demo", "weekday", "weekend"))
    assert (demo.start_s, demo.end_s) == (6.5 * 3600, 9.5 * 3600)
    assert (weekday.start_s, weekday.end_s) == (0, DAY_S)
    assert not weekday.is_weekend(0)
    assert weekend.is_weekend(0)
    jinan = load_scenario("jinan_3x4", files=False)
    assert (jinan.end_s, jinan.traffic.time_to_teleport_s, jinan.traffic.mode) == (7200, -1, "micro")
    assert jinan.people is None
    assert jinan.traffic.given
    closure = load_scenario("road_closure")
    assert closure.people == demo.people
    assert closure.control.incident_traffic is not None
    assert [(v.kind, v.at_s, v.until_s) for v in closure.interventions] == [("close_road", 26_100, 30_600)]
