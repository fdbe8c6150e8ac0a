"""Hazards, sensor channels, alerting, incidents and responders (F1-F12, F43)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.scenario.parts import Part, key
from twin.scenario.responders import Responders
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario


class CityBrain(Part):
    """Hazards, sensor channels, alerting, incidents and responders (F1-F12, F43)."""

    responders: Responders | None = key(
        "who comes, and how incidents are handled", "see docs/city_brain.md", Responders()
    )


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    assert s.city_brain is not None
    return []


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:
    """Report what this part names and the city does not have: ``wrong(key path, rest of the sentence)``."""
