"""A scenario's city is built once, found again by content, and never left half made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from geo.city import City
from geo.errors import CityError
from tests.cities import shared_toy_city
from twin.cities import build_city, built_folder, cache_dir, city_folder
from twin.errors import ScenarioError
from twin.scenario import Scenario, load_scenario


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return Path(shutil.copy(shared_toy_city().net_file, tmp_path / "toy.net.xml.gz"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def scenario(folder: Path, city: str) -> Scenario:
    file = folder / "s.yaml"
    file.write_text(f"city: {city}", encoding="utf-8")
    return load_scenario(file)


def test_a_city_is_built_once_and_found_by_content(net: Path, tmp_path: Path) -> None:
    said: list[str] = []
    s = scenario(tmp_path, f"{{sumo: {net.name}, name: Gridville}}")
    assert built_folder(s.city) is None
    folder = city_folder(s, said.append)
    assert said == ["building the city from toy.net.xml.gz (once)"]
    assert City.load(folder).name == "Gridville"
    assert folder.is_relative_to(cache_dir())
    assert city_folder(s, said.append) == folder == built_folder(s.city)
    assert len(said) == 1
    moved = Path(shutil.copy(net, tmp_path / "other.net.xml.gz"))
    assert city_folder(scenario(tmp_path, f"{{sumo: {moved.name}, name: Gridville}}")).name != folder.name
    assert built_folder(scenario(tmp_path, f"{{sumo: {net.name}}}").city) is None, "another name is another city"
    shutil.copy(net, tmp_path / "b.net.xml.gz")
    with (tmp_path / "b.net.xml.gz").open("ab") as stream:
        stream.write(b"\0")
    shutil.move(tmp_path / "b.net.xml.gz", net)
    assert built_folder(s.city) is None, "other content is another city"


def test_a_city_that_cannot_be_built_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "bad.net.xml").write_text("<net>")
    with pytest.raises(CityError, match=r"bad\.net\.xml"):
        city_folder(scenario(tmp_path, "{sumo: bad.net.xml}"))
    assert list((cache_dir() / "cities").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_one_sentence(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(net))
    with pytest.raises(ScenarioError, match=r"cannot be written.*XDG_CACHE_HOME"):
        city_folder(scenario(tmp_path, f"{{sumo: {net.name}}}"))
    with pytest.raises(CityError, match=r"cannot be written.*XDG_CACHE_HOME"):
        city_folder(load_scenario("demo"))


def test_a_city_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    shared_toy_city().save(tmp_path / "made")
    assert city_folder(scenario(tmp_path, "made")) == tmp_path / "made"


def test_exactly_one_source(net: Path, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="exactly one source"):
        build_city(tmp_path / "out")
    with pytest.raises(ScenarioError, match="exactly one source"):
        build_city(tmp_path / "out", sumo=net, template="qibu")
    with pytest.raises(ScenarioError, match="--routes: goes with --sumo"):
        build_city(tmp_path / "out", template="qibu", routes=[net])
