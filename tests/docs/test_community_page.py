"""The snippets of the page on the community platform run."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from scenarios import load
from twin.control.community.apps import APPS
from twin.world.community.scenes import SCENES

PAGE = Path(__file__).parents[2] / "docs" / "community.md"


def snippets(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)


def test_the_scenario_of_the_page_loads() -> None:
    (text,) = snippets("yaml")
    told = yaml.safe_load(text)
    part = load(told["extends"], city_brain=told["city_brain"], community=told["community"]).community
    assert part is not None
    assert part.copies[0].scene == "fire_lane"


def test_the_python_of_the_page_runs(capsys) -> None:
    (text,) = snippets("python")
    exec(compile(text, str(PAGE), "exec"), {"__name__": "snippet"})
    assert "active_users" in capsys.readouterr().out


def test_the_tables_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, kind in SCENES.items():
        assert f"| `{name}` | {kind.theme} | {kind.grade} | {kind.people} |" in text
    assert f"the {len(APPS)} apps" in text
