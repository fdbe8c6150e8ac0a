"""Construction projects, their sites and supervision (F13-F18)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import field_validator
from pydantic_core import PydanticCustomError

from twin.scenario.parts import Factory, Part, key
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario

POLICIES = {
    "earned_schedule": "twin.control.construction.policies:EarnedSchedule",
    "behind_plan": "twin.control.construction.policies:BehindPlan",
    "behind_plan_points": "twin.control.construction.policies:BehindPlanPoints",
}


class Construction(Part):
    """Construction projects, their sites and supervision (F13-F18)."""

    projects: str | None = key(
        "a file with the city's own projects; null: generated ones",
        "a file .csv with the columns of docs/construction.md, or null",
        None,
        min_length=1,
    )
    reserve: int = key("generated projects in the reserve (F14)", "a whole number from 0 to 3000", 93, ge=0, le=3000)
    current: int = key(
        "generated projects under construction (F14)", "a whole number from 0 to 3000", 211, ge=0, le=3000
    )
    post: int = key(
        "generated projects that are finished (assumed)", "a whole number from 0 to 3000", 60, ge=0, le=3000
    )
    first_date: str = key(
        "date of the first day: season, month's end, and what dates of a project file mean (assumed)",
        "a date such as 2025-07-29",
        "2025-07-29",
    )
    lorries: float = key("factor on the lorries that sites need, 0 for none", "a number from 0 to 10", 1.0, ge=0, le=10)
    cameras: float = key(
        "share of a site's ground that its cameras see (assumed)", "a number from 0 to 1", 0.6, ge=0, le=1
    )
    hazards_per_site_day: float = key(
        "hazards that appear on a busy site in a day (assumed)", "a number from 0 to 2", 0.06, ge=0, le=2
    )
    contractors_respond: bool = key(
        "builders who are warned add workers (70 % of them, assumed)", "true or false", True
    )
    policy: str | Factory = key(
        "when a project is warned of",
        "earned_schedule, behind_plan, behind_plan_points, or package.module:Class",
        "earned_schedule",
    )
    desk: Factory = key("the control code", "package.module:Class", "twin.control.construction.desk:ConstructionDesk")

    @field_validator("first_date")
    @classmethod
    def _is_date(cls, value: str) -> str:
        try:
            date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date", "not a date") from None
        return value


def policy_factory(policy: Any) -> Callable[[], Any]:
    """Return what makes the policy: of a shipped name, of "package.module:Class", or the class itself."""
    from twin.hosts import find_factory

    return find_factory(POLICIES.get(policy, policy)) if isinstance(policy, str) else policy


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    from twin.scenario.mistakes import did_you_mean, show_value

    part = s.construction
    assert part is not None
    if isinstance(part.policy, str) and ":" not in part.policy and part.policy not in POLICIES:
        allowed = f"{', '.join(POLICIES)}, or package.module:Class{did_you_mean(part.policy, POLICIES)}"
        return [(("construction", "policy"), f"is {show_value(part.policy)}; allowed: {allowed}")]
    return []


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:
    """Report what this part names and the city does not have: ``wrong(key path, rest of the sentence)``."""
    from twin.errors import ScenarioError
    from twin.scenario.check import load_factory
    from twin.scenario.project_file import read_projects

    part = s.construction
    assert part is not None
    for what, spec in (("desk", part.desk), ("policy", POLICIES.get(str(part.policy), part.policy))):
        try:
            load_factory(spec, f"construction.{what}")
        except ScenarioError as error:
            wrong(("construction", what), f"cannot be used: {error}")
    if part.projects is None:
        return
    try:
        rows = read_projects(part.projects)
    except ScenarioError as error:
        wrong(("construction", "projects"), f"cannot be used: {error}")
        return
    west, south, east, north = names.bounds
    for row in rows:
        if not (west - 0.05 <= row.lon <= east + 0.05 and south - 0.05 <= row.lat <= north + 0.05):
            text = f"project {row.project} at {row.lon:g}, {row.lat:g}, which is not in {names.name}"
            wrong(("construction", "projects"), f"has {text}")
