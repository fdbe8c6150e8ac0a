"""The page on writing scenarios: its tables come from the models, its snippets run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic.fields import FieldInfo

from twin.scenario import Intervention, Scenario, load_scenario
from twin.scenario.parts import Part, clock_text

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
OWN_ROW = ("city", "interventions")  # have a passage of their own


def key_rows() -> list[str]:
    """Return the table of keys as the models have it."""
    rows: list[str] = []

    def walk(model: type[Part], prefix: str) -> None:
        for field, info in model.model_fields.items():
            name = info.alias or field  # as it is written in a file
            part = next((a for a in (info.annotation, *get_args(info.annotation)) if _is_part(a)), None)
            if name in OWN_ROW:
                continue
            if part is not None and get_origin(info.annotation) is tuple:
                rows.append(f"| `{prefix}{name}` | {_shown(name, info)} | {_allowed(info)} | {info.description} |")
                walk(part, f"{prefix}{name}[].")
            elif part is not None:
                if info.default is None:
                    rows.append(f"| `{prefix}{name}` | null | {_allowed(info)} | {info.description} |")
                walk(part, f"{prefix}{name}.")
            else:
                rows.append(f"| `{prefix}{name}` | {_shown(name, info)} | {_allowed(info)} | {info.description} |")

    walk(Scenario, "")
    return rows


def kind_rows() -> list[str]:
    """Return the table of interventions as the models have it."""
    rows = []
    for model in get_args(Intervention):
        own = [n for n in model.model_fields if n not in ("kind", "at", "until", "day")]
        keys = ", ".join(f"`{n}`" + (" (must)" if model.model_fields[n].is_required() else "") for n in own)
        rows.append(f"| `{model.model_fields['kind'].default}` | {keys} | {model.__doc__} |")
    return rows


def _is_part(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Part)


def _allowed(info: object) -> str:
    return str(info.json_schema_extra["allowed"])  # type: ignore[attr-defined]


def _shown(name: str, info: FieldInfo) -> str:
    value = info.default
    if info.is_required():
        return "(must)"
    if isinstance(value, tuple):
        return f"[{', '.join(_item(v) for v in value)}]"
    if value is None:
        return "null"
    if "a time" in _allowed(info) and isinstance(value, int):
        return f'"{clock_text(value)}"'
    if isinstance(value, bool):
        return str(value).lower()
    if name == "name" and value:
        return "the file's name"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _item(value: object) -> str:
    if not isinstance(value, Part):
        return str(value)
    return f"{{{', '.join(f'{k}: {v}' for k, v in value.model_dump(mode='json').items())}}}"


def _rows_under(heading: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    return [line for line in text.splitlines() if line.startswith("| `")]


def test_the_page_shows_every_key_as_it_is() -> None:
    assert _rows_under("Keys") == key_rows()


def test_the_page_shows_every_intervention_as_it_is() -> None:
    assert _rows_under("Interventions") == kind_rows()


def _snippets(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)


@pytest.mark.parametrize("text", _snippets("yaml"))
def test_every_yaml_snippet_is_a_scenario(text: str, tmp_path: Path) -> None:
    file = tmp_path / "snippet.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_scenario(file, files=False).name == "snippet"


def test_the_python_snippet_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for text in _snippets("python"):
        exec(compile(text, str(PAGE), "exec"), {})
    assert "weekday (00:00–09:00)" in capsys.readouterr().out


def write() -> None:
    """Write the tables of the page anew: ``python -m tests.scenarios.test_docs``, after a key was added or changed."""
    text = PAGE.read_text(encoding="utf-8")
    for heading, rows in (("Keys", key_rows()), ("Interventions", kind_rows())):
        old = _rows_under(heading)
        text = text.replace("\n".join(old), "\n".join(rows))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
