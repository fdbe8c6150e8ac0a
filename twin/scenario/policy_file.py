"""A city's own policies: a folder of JDM files, one policy each; every mistake is one sentence.

Beside what JDM wants (``nodes``, ``edges``) a file says ``title``, ``title_zh``, ``budget_cny`` (0 or more),
``period_days`` (0: once and never again), ``direct`` (paid without an application); the name of the file is the
policy's id. ``generated: true`` marks made-up ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError


@dataclass(frozen=True)
class PolicyFile:
    """One policy as its file says it."""

    policy: str
    title: str
    title_zh: str
    budget_cny: float
    period_days: int
    direct: bool
    generated: bool
    jdm: str


def read_policies(folder: str | Path, fields: tuple[str, ...]) -> tuple[PolicyFile, ...]:
    """Return the policies of a folder, in order of name. Raises ScenarioError: file, what is wrong, what is allowed."""
    from twin.control.companies.tables import TableError, parse

    files = sorted(Path(folder).glob("*.json")) if Path(folder).is_dir() else []
    if not files:
        raise ScenarioError(f"{folder}: holds no policy (no file .json)")
    out = []
    for file in files:
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ScenarioError(f"{file}: is not a JSON file ({error})") from None
        policy = policy_of(str(file), file.stem, data)
        try:
            parse(policy.policy, policy.jdm, fields)
        except TableError as error:
            raise ScenarioError(f"{file}: {error}") from None
        out.append(policy)
    return tuple(out)


def policy_of(where: str, name: str, data: Any) -> PolicyFile:
    """Return a policy from the content of its file. Raises ScenarioError: the key that is missing or wrong."""
    if not isinstance(data, dict):
        raise ScenarioError(f"{where}: is not a policy (a JSON object is expected)")
    wanted: dict[str, tuple[type, ...]] = {
        "title": (str,), "budget_cny": (int, float), "period_days": (int,), "direct": (bool,), "nodes": (list,),
    }  # fmt: skip
    for key, kinds in wanted.items():
        if key not in data:
            raise ScenarioError(f"{where}: the field '{key}' is missing")
        if not isinstance(data[key], kinds) or (bool not in kinds and isinstance(data[key], bool)):
            allowed = " or ".join(k.__name__ for k in kinds)
            raise ScenarioError(f"{where}: {key} is {json.dumps(data[key])[:40]}; allowed: {allowed}")
    for key in ("budget_cny", "period_days"):
        if data[key] < 0:
            raise ScenarioError(f"{where}: {key} is {data[key]:g}; allowed: 0 or more")
    jdm = json.dumps({k: data[k] for k in ("contentType", "nodes", "edges") if k in data}, ensure_ascii=False)
    return PolicyFile(
        name, data["title"], str(data.get("title_zh", "")), float(data["budget_cny"]), data["period_days"],
        data["direct"], bool(data.get("generated", False)), jdm,
    )  # fmt: skip
