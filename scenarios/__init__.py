"""Scenarios and what is asked of them: the catalogue, indicators, comparisons.

``load("weekday")`` gives a scenario of the catalogue or of a file; ``kpis`` holds the indicators; ``compare`` runs two
scenarios under the same seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.scenario import Scenario

__all__ = ["compare", "kpis", "load"]


def load(path_or_name: str | Path, **overrides: Any) -> Scenario:
    """Return a scenario by name or path, with keys overridden, such as ``people={"residents": 1000}``.

    Mappings merge into what the file says, everything else replaces it; the same checks apply. Raises
    ScenarioError with every mistake.
    """
    from twin.scenario import load_scenario

    return load_scenario(path_or_name, overrides=overrides or None)


def __getattr__(name: str) -> Any:
    if name == "kpis":
        import importlib

        return importlib.import_module("scenarios.kpis")
    if name == "compare":
        from scenarios.experiment import compare

        return compare
    raise AttributeError(f"module 'scenarios' has no attribute '{name}'")
