"""The snippets of docs/assistant.md run and print what the page says."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from twin.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "assistant.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs(capsys):
    names: dict[str, object] = {"__name__": "snippet"}
    for text in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S):
        exec(compile(text, "assistant.md", "exec"), names)
    said = capsys.readouterr().out
    assert "False ['开办餐馆一件事'" in said
    assert "我为您转接人工。" in said
    assert said.rstrip().endswith("居民身份证证书补发")


@pytest.mark.parametrize("line", re.findall(r"^twin (ask-service .*)$", PAGE, flags=re.M))
def test_the_commands_of_the_page_run(line):
    assert CliRunner().invoke(app, line.split()).exit_code == 0
