"""What each part of the loop brings: a scenario with and without it, under the same seeds, in free-flow traffic.

``study("drowning", seeds=range(20))`` runs the scenario's city brain as it is and once for each part that is switched
off, on a short day without residents and with a part of the channels,
and returns paired differences with 95 % intervals. It is meant for the question
whether a part matters; how much it matters in real traffic is asked with ``twin compare``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from geo.city import City
from scenarios import load
from scenarios.experiment import Comparison
from scenarios.kpis.base import Kpi
from scenarios.kpis.city_brain import CITY_BRAIN
from scenarios.kpis.incidents import INCIDENTS
from scenarios.readings import Memory
from twin.cities import city_folder
from twin.simulation import Simulation

#: a part of the loop → what switches it off
PARTS: Mapping[str, dict[str, Any]] = {
    "confirmation": {"alerting": {"confirm": False}, "responders": {"confirm": False}},
    "merging": {"responders": {"merge": False}},
    "re-dispatch": {"responders": {"redispatch": False}},
    "verification": {"responders": {"verify": False}},
    "escalation": {"responders": {"escalate": False}},
}
#: what happens at which minute of the short day, where, and how often
PUT = {
    "drowning": ((5, "drowning", "凤栖湖", 1), (40, "drowning", "大桥湖", 1)),
    "fire": ((5, "fire", "清宁社区", 1), (35, "fire", "孙耿湖", 1)),
    "straw_night": (
        (5, "straw", "孙耿湖", 2), (12, "straw", "太平水库", 2), (19, "straw", "凤栖湖", 2),
        (26, "straw", "鹊山龙湖", 2), (33, "straw", "大桥湖", 2), (40, "straw", "盖世物流园", 2),
    ),
}  # fmt: skip
START = {"drowning": 14, "fire": 18, "straw_night": 20}
#: all cameras at waters, fire points and fields are among them, and a part of the others
CHANNELS = {"drowning": 1_500, "fire": 6_000, "straw_night": 19_000}
NAMES = (
    "incidents", "incident_detection_min", "incident_detection_p95_min", "incident_dispatch_min",
    "incident_dispatch_p95_min", "incident_on_site_min", "incident_on_site_p95_min", "incident_within_30min_share",
    "incident_closing_min", "incidents_closed_share", "hazards_reached_share", "water_reached_min",
    "fire_reached_min", "incident_targets_kept",
    "dispatch_false_share", "incident_not_fixed_share", "incidents_per_hazard", "drowned", "burnt_m2", "alert_recall",
    "alert_precision", "false_alarms_day", "alert_delay_min", "alert_delay_p95_min",
)  # fmt: skip
KPIS: tuple[Kpi, ...] = tuple(k for k in (*CITY_BRAIN, *INCIDENTS) if k.name in NAMES)


def short_day(name: str, failings: float = 1.0, minutes: int = 100, **brain: Any) -> Any:
    """Return a shipped scenario cut to a short day in free-flow, with parts of ``city_brain`` changed."""
    start = START[name]
    given: dict[str, Any] = {
        "sensors": {"channels": CHANNELS[name]},
        "alerting": {"detectors": False},
        "responders": {"failings": {"factor": failings}},
    }
    for part, keys in brain.items():
        given[part] = {**given.get(part, {}), **keys}
    at = [
        {"kind": "hazard", "at": f"{start + m // 60:02d}:{m % 60:02d}", "what": what, "place": place, "count": n}
        for m, what, place, n in PUT[name]
    ]
    return load(
        name,
        people=None,
        traffic={"mode": "free-flow", "background": 0.05, "fcd_period_s": 0},
        start=f"{start:02d}:00",
        end=f"{start + minutes // 60:02d}:{minutes % 60:02d}",
        interventions=at,
        city_brain=given,
    )


def values(scenario: Any, city: City, seed: int) -> dict[str, float | None]:
    """Run a scenario once and return its indicators."""
    simulation = Simulation(scenario, city, city_folder(scenario), seed)
    simulation.run_until(simulation.end_s)
    memory = Memory(simulation.finish().log)
    return {k.name: k(memory) for k in KPIS}


def study(
    name: str, seeds: Iterable[int] = range(20), failings: float = 1.0, parts: Iterable[str] = tuple(PARTS),
    told: Callable[[str], None] = lambda _: None,
) -> tuple[list[dict[str, float | None]], dict[str, list[Comparison]]]:  # fmt: skip
    """Return the base's indicators by seed, and for each part that is off the comparisons of all indicators.

    ``told`` hears the results in words as they come.
    """
    base = short_day(name, failings)
    city = City.load(city_folder(base))
    seeds = list(seeds)
    found = [values(base, city, seed) for seed in seeds]
    told(f"{name}, failings × {failings:g}")
    for k in KPIS:
        told("  " + mean_with_interval(found, k))
    out: dict[str, list[Comparison]] = {}
    for part in parts:
        without = [values(short_day(name, failings, **PARTS[part]), city, seed) for seed in seeds]
        out[part] = [_pair(k, seeds, found, without) for k in KPIS]
        told(f"without {part}:")
        for c in out[part]:
            if c.pairs and c.verdict != "indistinguishable":
                told(f"  {c}")
    return found, out


def _pair(
    kpi: Kpi, seeds: list[int], base: list[dict[str, float | None]], variant: list[dict[str, float | None]]
) -> Comparison:
    rows = [(s, a[kpi.name], b[kpi.name]) for s, a, b in zip(seeds, base, variant, strict=True)]
    pairs = tuple((s, a, b) for s, a, b in rows if a is not None and b is not None)
    return Comparison(kpi, pairs, tuple(s for s, a, b in rows if a is None or b is None))


def mean_with_interval(found: list[dict[str, float | None]], kpi: Kpi) -> str:
    """Return the mean over seeds with its 95 % interval, and of how many."""
    pairs = tuple((k, 0.0, v[kpi.name] or 0.0) for k, v in enumerate(found) if v[kpi.name] is not None)
    if not pairs:
        return f"{kpi.name}: no value"
    c = Comparison(kpi, pairs)
    low, high = c.ci95
    return f"{kpi.name}: {c.variant:.4g} [{low:.4g}, {high:.4g}] {kpi.unit} ({len(pairs)} seeds)"


if __name__ == "__main__":  # scenario, number of seeds, factor on failings, parts (default: all)
    _scenario, _seeds, _factor, *_parts = sys.argv[1:]
    study(_scenario, range(int(_seeds)), float(_factor), _parts or PARTS, told=lambda text: print(text, flush=True))
