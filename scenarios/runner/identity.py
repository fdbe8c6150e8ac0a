"""What a run is a result of: the scenario's content, the code that ran it, and the city; not its name or its place.

Two runs with one key and one seed are the same run, so a finished one need not be run again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.run_folder import versions
from twin.scenario import Scenario

#: keys that say what a scenario is called, or what is thought of it, not what happens in it
WORDS = ("name", "title", "title_zh", "question", "question_zh", "waived")
_CODE = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.<>]*")


def _hash(*parts: bytes) -> str:
    h = hashlib.blake2b(digest_size=8)
    for part in parts:
        h.update(len(part).to_bytes(8, "big") + part)
    return h.hexdigest()


def canonical(data: Any) -> bytes:
    """Return data as JSON in one way of writing it."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def code_digest(packages: tuple[str, ...] = ("geo", "twin")) -> str:
    """Return the hash of the source of packages (and of the versions of what they stand on)."""
    parts = [canonical(versions())]
    for package in packages:
        spec = find_spec(package)
        for folder in list(spec.submodule_search_locations or []) if spec else []:
            for file in sorted(Path(folder).rglob("*.py")):
                if "cli" not in file.parts:
                    parts += [str(file.relative_to(folder)).encode(), file.read_bytes()]
    return _hash(*parts)


def kpi_digest() -> str:
    """Return the hash of the code of the indicators."""
    return code_digest(("scenarios.kpis",))


def scenario_key(scenario: Scenario) -> str:
    """Return the key of a scenario: its content without its words, the code, the user's own code, the city's files.

    How often positions are recorded is left out: it changes no fact.
    """
    data = scenario.resolved()
    for word in WORDS:
        data.pop(word, None)
    data["traffic"] = {k: v for k, v in data["traffic"].items() if k != "fcd_period_s"}
    own = [_source(spec) for spec in named_code(scenario)]
    return _hash(canonical(data), code_digest().encode(), _city(scenario), *own)


def named_code(scenario: Scenario) -> list[str]:
    """Return everything "package.module:Class" that a scenario names."""
    data = scenario.resolved()
    specs: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for v in value.values():
                walk(v)
        elif isinstance(value, list):
            for v in value:
                walk(v)
        elif isinstance(value, str) and _CODE.fullmatch(value):
            specs.append(value)

    for key in ("control", *(k for k in data if isinstance(data[k], dict) and k not in ("city", "control"))):
        walk(data.get(key))
    return list(dict.fromkeys(specs))


def _source(spec: str) -> bytes:
    try:
        found = find_spec(spec.partition(":")[0])
    except (ImportError, ValueError):
        return spec.encode()
    origin = found.origin if found is not None else None
    return Path(origin).read_bytes() if origin and Path(origin).is_file() else spec.encode()


def _city(scenario: Scenario) -> bytes:
    """Return what tells cities apart: the digest in the built folder's description."""
    from twin.cities import built_folder

    folder = built_folder(scenario.city)
    if folder is None:
        return b""
    return _folder_digest(str(folder), tuple((f.name, f.stat().st_mtime_ns) for f in _plain(folder))).encode()


def _plain(folder: Path) -> Iterable[Path]:
    return sorted(f for f in folder.iterdir() if f.is_file())


@cache
def _folder_digest(folder: str, _: tuple[Any, ...]) -> str:
    from geo.city import City

    return City.load(folder).digest()


def portable(scenario: Scenario) -> bool:
    """Whether a scenario can be sent to another process: all code in it has a name that can be imported there."""
    if any("<locals>" in s or s.startswith("__main__:") for s in named_code(scenario)):
        return False
    data = scenario.resolved()
    if any("<locals>" in text for text in _strings(data)):
        return False
    try:
        return Scenario.from_resolved(json.loads(json.dumps(data))).resolved() == data
    except ScenarioError:
        return False


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for v in value.values():
            yield from _strings(v)
    elif isinstance(value, list):
        for v in value:
            yield from _strings(v)
    elif isinstance(value, str):
        yield value
