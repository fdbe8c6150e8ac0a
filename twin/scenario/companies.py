"""Life of companies, policies paid without application, business climate (F44-F49)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.scenario.parts import Part
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario


class Companies(Part):
    """Life of companies, policies paid without application, business climate (F44-F49)."""


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    assert s.companies is not None
    return []


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:
    """Report what this part names and the city does not have: ``wrong(key path, rest of the sentence)``."""
