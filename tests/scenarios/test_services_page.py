"""The snippets of docs/services.md run."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

from twin.scenario import load_scenario

PAGE = Path(__file__).parents[2] / "docs" / "services.md"


def snippets(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)


def test_the_scenario_is_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(snippets("yaml")[0], encoding="utf-8")
    assert load_scenario(file).services is not None
    assert YAML(typ="safe").load(file)["people"] == {"share": 0.1}


def test_the_python_snippets_run(capsys) -> None:
    for code in snippets("python"):
        exec(compile(code, str(PAGE), "exec"), {})
    out = capsys.readouterr().out
    assert "法定3个工作日" in out
    before, today = (line.split() for line in out.splitlines()[:2])
    assert float(today[0]) < float(before[0])
    assert float(today[1]) < float(before[1])
