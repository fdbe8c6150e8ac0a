"""The service hall, its channels, the catalogue of items and the cases (F34-F42)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from twin.scenario.parts import Factory, Part, key
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario

POLICIES = {
    "earliest_due": "twin.control.services.policies:EarliestDue",
    "first_come": "twin.control.services.policies:FirstCome",
    "shortest_first": "twin.control.services.policies:ShortestFirst",
}

Lever = Literal["one_window", "scenes", "licence_reuse", "parallel_review", "remote", "precheck"]
_LEVERS: tuple[Lever, ...] = ("one_window", "scenes", "licence_reuse", "parallel_review", "remote", "precheck")
_NAMES = ", ".join(_LEVERS)


class Services(Part):
    """The service hall, its channels, the catalogue of items and the cases (F34-F42)."""

    levers: tuple[Lever, ...] = key(
        "levers of the reform that are on (F34-F39); [] is the office before it", f"a list of {_NAMES}", _LEVERS
    )
    catalogue: str | None = key(
        "a file with the city's own items; null: the generated 1,436 of 14 departments (F34)",
        "a file .yaml with the keys of docs/services.md, or null",
        None,
        min_length=1,
    )
    hall: str = key("where the hall is", "the name of a place", "政务服务大厅", min_length=1)
    points: int = key(
        "service points in use, of those on the map (F34)", "a whole number from 0 to 99", 15, ge=0, le=99
    )
    windows: int = key(
        "windows of the hall, at least one for each department (assumed)",
        "a whole number from 1 to 500",
        20,
        ge=1,
        le=500,
    )
    cloud: int = key("officers at video windows (assumed)", "a whole number from 0 to 100", 2, ge=0, le=100)
    online: int = key(
        "officers who check what comes in by phone and by proxy (assumed)",
        "a whole number from 1 to 100",
        6,
        ge=1,
        le=100,
    )
    reviewers: int = key(
        "officers of a department who review, on average (assumed)", "a whole number from 1 to 50", 3, ge=1, le=50
    )
    per_1000_residents: float = key(
        "matters that 1,000 residents have per working day (assumed: 31,300 cases of F36 in some 300 days)",
        "a number from 0 to 100", 0.27, ge=0, le=100,
    )  # fmt: skip
    per_1000_companies: float = key(
        "the same of 1,000 companies (assumed)", "a number from 0 to 1000", 6.7, ge=0, le=1000
    )
    themes: float = key(
        "share of matters that are a theme of several items (assumed)", "a number from 0 to 1", 0.15, ge=0, le=1
    )
    far: float = key(
        "matters of people in other regions, per matter here (F38: over 3,000 of 31,300)",
        "a number from 0 to 1",
        0.1,
        ge=0,
        le=1,
    )
    reuse_hit: float = key(
        "share of licences that lie in the licence base (fitted to F36)", "a number from 0 to 1", 0.354, ge=0, le=1
    )
    circulate: float = key(
        "share of the legal limit for which papers circulate (fitted to F36)", "a number from 0 to 2", 0.408, ge=0, le=2
    )
    consult: float = key(
        "share of matters about which the assistant is asked first, where the lever remote is on (assumed)",
        "a number from 0 to 1", 0.3, ge=0, le=1,
    )  # fmt: skip
    assistant: Factory = key(
        "the assistant 黄小政", "package.module:Class", "twin.control.services.assistant.desk:AssistantDesk"
    )
    policy: str | Factory = key(
        "which officer takes which task", f"{', '.join(POLICIES)}, or package.module:Class", "earliest_due"
    )
    desk: Factory = key("the control code", "package.module:Class", "twin.control.services.desk:ServiceDesk")


def policy_factory(policy: Any) -> Callable[[], Any]:
    """Return what makes the policy: of a shipped name, of "package.module:Class", or the class itself."""
    from twin.hosts import find_factory

    return find_factory(POLICIES.get(policy, policy)) if isinstance(policy, str) else policy


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    from twin.scenario.mistakes import did_you_mean, show_value

    part = s.services
    assert part is not None
    out: list[Problem] = []
    if isinstance(part.policy, str) and ":" not in part.policy and part.policy not in POLICIES:
        allowed = f"{', '.join(POLICIES)}, or package.module:Class{did_you_mean(part.policy, POLICIES)}"
        out.append((("services", "policy"), f"is {show_value(part.policy)}; allowed: {allowed}"))
    twice = sorted({lever for lever in part.levers if part.levers.count(lever) > 1})
    if twice:
        out.append((("services", "levers"), f"names {twice[0]} twice; each lever is on or off"))
    return out


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:
    """Report what this part names and the city does not have: ``wrong(key path, rest of the sentence)``."""
    from twin.errors import ScenarioError
    from twin.scenario.check import load_factory
    from twin.scenario.mistakes import did_you_mean, show_value

    part = s.services
    assert part is not None
    for what, spec in (
        ("desk", part.desk),
        ("assistant", part.assistant),
        ("policy", POLICIES.get(str(part.policy), part.policy)),
    ):
        try:
            load_factory(spec, f"services.{what}")
        except ScenarioError as error:
            wrong(("services", what), f"cannot be used: {error}")
    if names.place_named(part.hall) < 0:
        known = [str(n) for n in dict.fromkeys([*names.place_name, *names.place_en, *names.place]) if n]
        text = f"is {show_value(part.hall)}, but {names.name} has no such place{did_you_mean(part.hall, known)}"
        wrong(("services", "hall"), text)
    if part.catalogue is not None:
        from twin.scenario.catalogue_file import read_catalogue

        try:
            read_catalogue(part.catalogue)
        except ScenarioError as error:
            wrong(("services", "catalogue"), f"cannot be used: {error}")
