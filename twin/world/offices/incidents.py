"""What happens to offices from outside: a computer system goes down, officers are away."""

from __future__ import annotations

from typing import Any

from twin.clock import Clock
from twin.control.services.catalogue.items import Catalogue
from twin.control.services.groups import dept_of
from twin.errors import ScenarioError
from twin.scenario.mistakes import did_you_mean
from twin.world.offices.engine import Engine
from twin.world.offices.office import BACK, DOWN, UP
from twin.world.offices.people import People
from twin.world.ports import Action


def intervention(
    item: Any, cause: str, catalogue: Catalogue, people: People, engine: Engine, clock: Clock
) -> tuple[Action, Action | None]:
    """Return what happens at the beginning and at the end. ScenarioError: there is no such department."""
    dept = -1
    if item.department != "all":
        names = {d.code: i for i, d in enumerate(catalogue.departments)}
        names.update({d.name: i for i, d in enumerate(catalogue.departments)})
        if item.department not in names:
            meant = did_you_mean(item.department, names)
            codes = ", ".join(d.code for d in catalogue.departments)
            raise ScenarioError(
                f'{cause}: department is "{item.department}"; the catalogue has {codes}, or write all{meant}'
            )
        dept = names[item.department]
    if item.kind == "office_system_down":
        return (
            lambda: engine.happen(clock.now_s, DOWN, dept, 0),
            lambda: engine.happen(clock.now_s, UP, dept, 0),
        )
    mine = [
        officer
        for officer, groups in zip(people.officer, people.groups, strict=True)
        if dept < 0 or any(dept_of(g) == dept for g in groups)
    ]
    gone = mine[: max(1, round(item.share * len(mine)))] if mine else []

    def leave() -> None:
        for officer in gone:
            engine.leave(officer, clock.now_s)

    def come_back() -> None:
        for officer in gone:
            engine.happen(clock.now_s, BACK, officer, 0)

    return leave, come_back
