"""Indicators of a run, computed from its facts and from nothing else; each is defined in docs/metrics.md.

An indicator is called with the facts of a run and returns a number, or None where the run holds nothing that it
could be computed from (no trips, no detectors …): ``kpis.late_share(run.log)``. Whatever is a mean over finished
trips stands beside the share of the unfinished ones. ``ALL`` lists them; nothing registers itself.
"""

from __future__ import annotations

from typing import Any

from scenarios.kpis.base import Kpi as Kpi
from scenarios.kpis.city import *  # noqa: F403
from scenarios.kpis.city import CITY, CITY_HEADLINE
from scenarios.kpis.city_brain import *  # noqa: F403
from scenarios.kpis.city_brain import CITY_BRAIN, CITY_BRAIN_HEADLINE
from scenarios.kpis.community import *  # noqa: F403
from scenarios.kpis.community import COMMUNITY, COMMUNITY_HEADLINE
from scenarios.kpis.companies import *  # noqa: F403
from scenarios.kpis.companies import COMPANIES, COMPANIES_HEADLINE
from scenarios.kpis.construction import *  # noqa: F403
from scenarios.kpis.construction import CONSTRUCTION, CONSTRUCTION_HEADLINE
from scenarios.kpis.fleets import *  # noqa: F403
from scenarios.kpis.fleets import FLEETS, FLEETS_HEADLINE
from scenarios.kpis.incidents import *  # noqa: F403
from scenarios.kpis.incidents import INCIDENTS, INCIDENTS_HEADLINE
from scenarios.kpis.junctions import *  # noqa: F403
from scenarios.kpis.junctions import JUNCTIONS, JUNCTIONS_HEADLINE
from scenarios.kpis.services import *  # noqa: F403
from scenarios.kpis.services import SERVICES, SERVICES_HEADLINE
from scenarios.kpis.v2x import *  # noqa: F403
from scenarios.kpis.v2x import V2X, V2X_HEADLINE
from scenarios.readings import Memory
from twin.log import Facts

ALL: tuple[Kpi, ...] = (
    *CITY,
    *FLEETS,
    *JUNCTIONS,
    *CITY_BRAIN,
    *SERVICES,
    *CONSTRUCTION,
    *INCIDENTS,
    *COMPANIES,
    *V2X,
    *COMMUNITY,
)
HEADLINE: tuple[Kpi, ...] = (
    *CITY_HEADLINE,
    *FLEETS_HEADLINE,
    *JUNCTIONS_HEADLINE,
    *CITY_BRAIN_HEADLINE,
    *SERVICES_HEADLINE,
    *CONSTRUCTION_HEADLINE,
    *INCIDENTS_HEADLINE,
    *COMPANIES_HEADLINE,
    *V2X_HEADLINE,
    *COMMUNITY_HEADLINE,
)


def by_name(name: str) -> Kpi:
    """Return the indicator of this name. Raises KeyError with the names there are."""
    for k in ALL:
        if k.name == name:
            return k
    raise KeyError(f"there is no indicator '{name}'; known: {', '.join(k.name for k in ALL)}")


def summary(log: Facts) -> dict[str, list[dict[str, Any]]]:
    """Return all indicators as the content of kpis.json; a value is null where there is nothing to compute from."""
    memory = Memory(log)
    return {
        "kpis": [
            {
                "name": k.name,
                "title": k.title,
                "title_zh": k.title_zh,
                "unit": k.unit,
                "better": k.better,
                "value": k(memory),
            }
            for k in ALL
        ]
    }
