"""Every snippet of docs/compare.md and docs/sweep.md runs, and every option they show is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cities import shared_toy_city
from twin.branching import can_fork
from twin.scenario import load_scenario

DOCS = Path(__file__).parents[2] / "docs"
COMPARE, SWEEP = ((DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("compare", "sweep"))


def snippets(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page, flags=re.S)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = shared_toy_city().save(tmp_path_factory.mktemp("pages") / "city")
    return {"city": {"folder": str(folder)}}


@pytest.fixture(scope="module")
def names():
    out: dict = {"__name__": "page"}
    for text in snippets(COMPARE, "python"):
        exec(compile(text, "docs/compare.md", "exec"), out)
    return out


def test_the_comparison_of_the_page(names, toy, capsys):
    result = names["rain"]([1, 2], **toy)
    names["say"](result)
    assert result.difference > 0
    said = capsys.readouterr().out
    assert re.search(r"\+[\d.]+ s \[.*\] over 2 pairs: (worse|indistinguishable)", said)


@pytest.mark.skipif(not can_fork(), reason="forks a live run: Linux")
def test_the_branch_of_the_page(names, toy, tmp_path):
    done = names["futures"](tmp_path, **toy)
    assert [f.name for f in done.futures] == ["demo", "wet"]
    assert done.futures[0].digest != done.futures[1].digest


def test_the_variants_of_the_page_are_scenarios(tmp_path):
    yaml, future = snippets(COMPARE, "yaml")
    (tmp_path / "closed_at_eight.yaml").write_text(future, encoding="utf-8")
    assert load_scenario(tmp_path / "closed_at_eight.yaml", files=False).interventions[0].kind == "close_road"
    (tmp_path / "wet.yaml").write_text(yaml, encoding="utf-8")
    assert load_scenario(tmp_path / "wet.yaml", files=False).weather.kind == "rain"


def test_the_sweep_of_the_page(toy, tmp_path):
    out: dict = {"__name__": "page"}
    (text,) = snippets(SWEEP, "python")
    exec(compile(text, "docs/sweep.md", "exec"), out)
    done = out["rain"](tmp_path, **toy)
    effect = done.effects["vehicle_time_s"]["weather.rain_mm_h"]
    assert effect["20"] > effect["5"]


def test_every_option_of_the_commands_is_there():
    from twin.cli import app

    for page in (COMPARE, SWEEP):
        for line in re.findall(r"^twin (.*)$", page, flags=re.M):
            command, *rest = line.partition("#")[0].split()
            said = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "300"})
            assert said.exit_code == 0, command
            for option in (w for w in rest if w.startswith("--")):
                assert option in said.output, f"{command} {option}"
