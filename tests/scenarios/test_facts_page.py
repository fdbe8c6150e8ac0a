"""The page of facts: every fact has its row, and everything a row names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scenarios.kpis import ALL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (F\d+) \| (.*) \|$", PAGE, re.MULTILINE))
FACTS = ROOT.parent / "shared" / "mission" / "facts.md"


def test_every_fact_has_its_row():
    if not FACTS.is_file():
        pytest.skip(f"{FACTS} is absent")
    published = re.findall(r"^\| (F\d+) \|", FACTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(ROWS) == sorted(published)


@pytest.mark.parametrize("fact", ROWS)
def test_what_a_row_names_exists(fact: str):
    scenarios = {f.stem for f in (ROOT / "scenarios" / "catalogue").glob("*.yaml")}
    indicators = {k.name for k in ALL}
    _, code, see = ROWS[fact].split(" | ")
    files = [name for name in re.findall(r"`([^`]+)`", code) if not (ROOT / name).is_file()]
    assert not files
    assert fact in {f"F{i}" for i in range(1, 50)}
    for name in re.findall(r"`([^`]+)`", see):
        known = (ROOT / name).is_file() if "/" in name else name in scenarios | indicators or name.startswith("twin ")
        assert known, name
