"""Every place and road that the catalogue names is there in the shipped district."""

from __future__ import annotations

import pytest

import geo.qibu
from twin.scenario import catalogue, load_scenario
from twin.scenario.check import CityNames, check_against_city

NAMES = [n for n in catalogue() if load_scenario(n, files=False).city.template == "qibu"]


@pytest.fixture(scope="module")
def names() -> CityNames:
    return CityNames.read(geo.qibu.cached())


@pytest.mark.parametrize("name", NAMES)
def test_names_fit(name: str, names: CityNames) -> None:
    check_against_city(load_scenario(name), names)


def test_there_is_something_to_check() -> None:
    assert {"demo", "weekday", "weekend", "road_closure", "cuizhai_zoom"} <= set(NAMES)
