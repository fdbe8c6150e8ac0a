"""The systems of the city that a scenario can switch on beside traffic, people and fleets: one key, one module each.

The module of a system declares its part of the scenario, and two functions: ``disagreements`` (what does not fit
together) and ``check`` (what the city does not have). Both are called where the part is not null.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from twin.scenario.yaml_file import KeyPath

if TYPE_CHECKING:
    from twin.scenario.model import Scenario

Problem = tuple[KeyPath, str]
Wrong = Callable[[KeyPath, str], None]

#: key of the scenario, which is also the module here -> what it is, in English and Chinese
SYSTEMS: dict[str, tuple[str, str]] = {
    "junctions": ("connected intersections", "智能路口"),
    "city_brain": ("the city brain", "城市大脑"),
    "community": ("the community platform", "社区平台"),
    "services": ("government services", "政务服务"),
    "companies": ("services for companies", "企业服务"),
    "construction": ("construction supervision", "智慧建设"),
}


def systems_on(s: Scenario) -> Iterator[tuple[str, Any]]:
    """Yield (key, module) of every system that is on, in the order of the table."""
    for name in SYSTEMS:
        if getattr(s, name) is not None:
            yield name, importlib.import_module(f"twin.scenario.{name}")
