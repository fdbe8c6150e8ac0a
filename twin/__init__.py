"""A digital twin of a city district that runs the real control code in scenarios.

``twin.run(scenario, seed=1)`` runs a scenario and returns a :class:`Run`. Names are loaded on first use, so that
importing ``twin.control`` or ``twin.domain`` loads no simulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.scenario import Scenario
    from twin.simulation import Run, run

__all__ = ["Run", "Scenario", "run"]


def __getattr__(name: str) -> Any:
    if name in ("run", "Run"):
        from twin import simulation

        return getattr(simulation, name)
    if name == "Scenario":
        from twin.scenario import Scenario

        return Scenario
    raise AttributeError(f"module 'twin' has no attribute '{name}'")
