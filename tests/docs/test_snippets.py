"""Every snippet of the README and the how-to pages runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scenarios import load
from tests.cities import shared_toy_city
from twin.cli import app
from twin.scenario import load_scenario
from twin.simulation import Simulation, carry_through

ROOT = Path(__file__).parents[2]
CONTROL, CITIES = ROOT / "docs" / "control.md", ROOT / "docs" / "cities.md"


def snippets(page: Path, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_toy_city().save(tmp_path_factory.mktemp("docs") / "city")


def test_the_controller_of_the_page_runs_and_its_journal_replays(folder, tmp_path):
    names: dict[str, object] = {"__name__": "snippet"}
    for text in snippets(CONTROL, "python"):
        exec(compile(text, str(CONTROL), "exec"), names)
    from geo.city import City
    from twin.run_folder import prepare

    city = City.load(folder)
    road = str(city.roads["edge"].iloc[5])
    closing = [{"at": "07:05", "kind": "close_road", "road": road}]
    people = {"residents": 300, "companies": 10}
    base = {
        "city": {"folder": str(folder)},
        "people": people,
        "start": "07:00",
        "end": "07:40",
        "interventions": closing,
    }
    own = load("weekday", **base, control={"incident_traffic": names["WarnOnly"]})
    run = carry_through(Simulation(own, city, folder, 1))
    said = run.log.frame("ControllerDecided")
    assert said["commands"].sum() >= 1, "the snippet's controller advised"
    shipped = "twin.control.junctions.incident_traffic:IncidentTraffic"
    carry_through(
        Simulation(
            load("weekday", **base, control={"incident_traffic": shipped}), city, folder, 1, prepare(tmp_path / "r")
        )
    )
    assert names["replay"](tmp_path / "r" / "journal" / "incident_traffic.jsonl")  # type: ignore[operator]


@pytest.mark.parametrize("page", [CONTROL, CITIES], ids=lambda p: p.stem)
def test_yaml_snippets_are_scenarios(page, tmp_path):
    for k, text in enumerate(snippets(page, "yaml")):
        file = tmp_path / f"snippet{k}.yaml"
        file.write_text(text.replace("my_package.my_module:WarnOnly", "twin.errors:TwinError"), encoding="utf-8")
        assert load_scenario(file, files=False).name == f"snippet{k}"


def test_every_command_of_the_readme_is_there():
    """Each ``twin WORD`` shown must be a command whose help can be asked for."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    words = set(re.findall(r"^twin (\w+)", text, flags=re.M))
    assert {"list", "run", "diff", "city", "rerun", "doctor"} <= words
    for word in sorted(words):
        assert CliRunner().invoke(app, [word, "--help"]).exit_code == 0, word


def test_the_readme_shows_a_picture_that_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((docs/[^)]+)\)", text):
        assert (ROOT / target).is_file(), target
