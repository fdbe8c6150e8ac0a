"""The snippets of docs/v2x.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twin.scenario import load_scenario

PAGE = (Path(__file__).parents[2] / "docs" / "v2x.md").read_text(encoding="utf-8")


def test_the_scenario_of_the_page_is_one(tmp_path) -> None:
    (snippet,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.S)
    file = tmp_path / "page.yaml"
    file.write_text(snippet, encoding="utf-8")
    part = load_scenario(str(file)).junctions
    assert part is not None
    assert part.v2x is not None
    assert part.v2x.platform is not None
    assert part.v2x.platform.police[0].green_wave


def test_the_code_of_the_page_runs() -> None:
    pytest.importorskip("pycrate_asn1dir", reason="the extra 'v2x' (pycrate) is not installed")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    exec(compile(code, "docs/v2x.md", "exec"), {})
