"""How the desks of a recorded run were made, as far as its stamp tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.scenario import Scenario

Factory = Callable[[], Any]


def recorded_factory(stamp: dict[str, Any], desk: str) -> Factory | None:
    """Return the factory of a desk of a run, None where the stamp does not tell."""
    from twin.hosts import find_factory
    from twin.scenario import Scenario

    s = Scenario.from_resolved(stamp["scenario"])
    for known in (_fleets, _city_brain, _community, _companies, _construction, _services, _signals):
        found = known(s, desk)
        if found is not None:
            return found
    spec = s.control.factories().get(desk)
    return find_factory(spec) if isinstance(spec, str) else spec


def _fleets(s: Scenario, desk: str) -> Factory | None:
    if desk not in ("bus", "delivery", "sanitation", "supervision"):
        return None
    from twin.world.fleets.desks import desk_factory

    part = getattr(s, desk)
    return None if part is None or part.desk is None else desk_factory(desk, part.desk, part.policy)


def _city_brain(s: Scenario, desk: str) -> Factory | None:
    if s.city_brain is None:
        return None
    from twin.control.city_brain.anomalies import AnomalyDesk
    from twin.hosts import find_factory
    from twin.world.city_brain.alerts import ALERTING, ANOMALIES
    from twin.world.responders.responders import DESK, desk_factory

    if desk == DESK and s.city_brain.responders is not None:
        return desk_factory(s.city_brain.responders)
    if desk == ALERTING:
        spec = s.city_brain.alerting.desk
        return find_factory(spec) if isinstance(spec, str) else spec
    return AnomalyDesk if desk == ANOMALIES else None


def _community(s: Scenario, desk: str) -> Factory | None:
    if s.community is None:
        return None
    from twin.world.community.system import desks

    return desks(s.community).get(desk)


def _companies(s: Scenario, desk: str) -> Factory | None:
    if s.companies is None:
        return None
    from twin.world.companies.system import desks

    return desks(s.companies).get(desk)


def _construction(s: Scenario, desk: str) -> Factory | None:
    from twin.world.sites.env import DESK
    from twin.world.sites.system import desk_factory

    return desk_factory(s.construction) if desk == DESK and s.construction is not None else None


def _services(s: Scenario, desk: str) -> Factory | None:
    from twin.world.offices.system import ASSISTANT, DESK, desk_factory

    if s.services is None or desk not in (DESK, ASSISTANT):
        return None
    if desk == DESK:
        return desk_factory(s.services)
    from twin.hosts import find_factory

    spec = s.services.assistant
    return find_factory(spec) if isinstance(spec, str) else spec


def _signals(s: Scenario, desk: str) -> Factory | None:
    from twin.world.junctions.system import DESK, desk_factory

    return desk_factory(s.junctions) if desk == DESK and s.junctions is not None else None
