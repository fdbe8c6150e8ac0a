"""What `pip install` brings: every package is listed, and every file that is not code goes with it."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
ROOMS = ("geo", "twin", "scenarios", "viz")


def test_every_package_is_listed() -> None:
    there = {
        str(f.parent.relative_to(ROOT)).replace("/", ".") for room in ROOMS for f in (ROOT / room).rglob("__init__.py")
    }
    assert set(SETUP["packages"]) == there


def test_every_data_file_is_packaged() -> None:
    for room in ROOMS:
        for file in (ROOT / room).rglob("*"):
            if file.is_file() and file.suffix not in (".py", ".pyc"):
                name = str(file.relative_to(ROOT / room))
                assert any(fnmatch(name, pattern) for pattern in SETUP["package-data"].get(room, [])), f"{room}/{name}"
