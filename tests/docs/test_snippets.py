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
CONTROL, CITIES, FLEETS = (ROOT / "docs" / f"{page}.md" for page in ("control", "cities", "fleets"))
#: classes that stand in the pages for the reader's own, and what is put in their place
OWN = {
    "my_package.my_module:WarnOnly": "twin.errors:TwinError",
    "my_package.my_module:SmallestFirst": "twin.control.mobility.delivery.policies:NearestFirst",
}


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


def test_the_policy_of_the_page_of_fleets_runs_and_is_compared():
    names: dict[str, object] = {"__name__": "snippet"}
    for text in snippets(FLEETS, "python"):
        exec(compile(text, str(FLEETS), "exec"), names)
    result = names["ask"](  # type: ignore[operator]
        [1, 2],
        start="10:00",
        end="10:45",
        people={"share": 0.02},
        traffic={"mode": "free-flow", "background": 0.0, "fcd_period_s": 0},
        delivery={"policy": "nearest_first", "units": 3, "orders_per_day": 900},
        supervision=None,
    )
    assert [seed for seed, _, _ in result.pairs] == [1, 2]
    assert all(0 < value <= 100 for _, *both in result.pairs for value in both)
    assert any(base != mine for _, base, mine in result.pairs), "the policy of the page decides something"
    assert result.verdict in ("better", "worse", "indistinguishable")


@pytest.mark.parametrize("page", [CONTROL, CITIES, FLEETS], ids=lambda p: p.stem)
def test_yaml_snippets_are_scenarios(page, tmp_path):
    for k, text in enumerate(snippets(page, "yaml")):
        file = tmp_path / f"snippet{k}.yaml"
        given = text
        for own, shipped in OWN.items():
            given = given.replace(own, shipped)
        file.write_text(given, encoding="utf-8")
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
