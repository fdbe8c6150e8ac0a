"""How the desks of a recorded run were made, as far as its stamp tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FLEETS = ("bus", "delivery", "sanitation", "supervision")


def recorded_factory(stamp: dict[str, Any], desk: str) -> Callable[[], Any] | None:
    """Return the factory of a desk of a run, None where the stamp does not tell."""
    from twin.hosts import find_factory
    from twin.scenario import Scenario

    s = Scenario.from_resolved(stamp["scenario"])
    if desk in FLEETS:
        from twin.world.fleets.desks import desk_factory

        part = getattr(s, desk)
        return None if part is None or part.desk is None else desk_factory(desk, part.desk, part.policy)
    spec = s.control.factories().get(desk)
    return find_factory(spec) if isinstance(spec, str) else spec
