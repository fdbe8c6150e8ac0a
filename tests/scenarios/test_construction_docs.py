"""The pages on construction and companies: every snippet runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cities import shared_toy_city
from twin.scenario import load_scenario

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "construction.md", DOCS / "companies.md"]


def snippets(page: Path, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_snippet_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    for n, text in enumerate(snippets(page, "yaml")):
        file = tmp_path / f"snippet{n}.yaml"
        file.write_text(text, encoding="utf-8")
        assert load_scenario(file, files=False).name == file.stem
    names: dict = {"__name__": "snippet"}
    for text in snippets(page, "python"):
        exec(compile(text, str(page), "exec"), names)
    if "MoneyAhead" in names:
        score = names["score"](shared_toy_city(), names["MoneyAhead"], days=40)
        assert score.projects > 0
