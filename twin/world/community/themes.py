"""What residents see of hazards and how long they bear them, by theme: all figures assumed.

``seen_m``: as far as somebody notices it; ``an_hour``: how often an hour somebody near notices it; ``concern``: factor
on his readiness to report it. ``bear_m``: who lives so near suffers; ``patience_min``: median until one who
complains has had enough; ``complains``: share of those who suffer that would. ``urgent``: reports go on at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.city_brain import THEMES


@dataclass(frozen=True)
class Seen:
    """One theme; see the module's text."""

    seen_m: float
    an_hour: float
    concern: float
    bear_m: float
    patience_min: float
    complains: float
    merge_m: float = 120.0
    merge_s: int = 14_400
    urgent: bool = False


SEEN: dict[str, Seen] = {
    "water": Seen(200, 1.2, 1.5, 0, 0, 0, 300, 3600, True),
    "fire": Seen(400, 4, 1.5, 300, 10, 0.008, 400, 3600, True),
    "site": Seen(80, 0.1, 0.4, 250, 60, 0.004, 250, 14_400),
    "dust": Seen(150, 0.4, 0.6, 300, 60, 0.004, 300, 14_400),
    "bikes": Seen(120, 0.5, 0.5, 120, 100, 0.0048),
    "level": Seen(150, 0.4, 1.0, 200, 60, 0.004, 400, 14_400),
    "ponding": Seen(120, 0.8, 0.8, 200, 45, 0.006, 250, 7200),
    "crowd": Seen(150, 0.6, 0.3, 150, 60, 0.002, 300, 7200),
    "straw": Seen(500, 0.8, 0.8, 500, 30, 0.0032, 500, 7200),
    "garbage": Seen(100, 0.4, 0.8, 120, 180, 0.006),
    "road": Seen(60, 0.04, 0.6, 100, 4000, 0.004, 120, 86_400),
    "vendors": Seen(120, 0.4, 0.3, 120, 70, 0.0048),
    "thrown": Seen(60, 1, 1.5, 80, 15, 0.008, 100, 3600, True),
    "fire_lane": Seen(90, 0.3, 0.8, 90, 50, 0.0048, 100, 7200),
    "manhole": Seen(60, 0.3, 1.5, 80, 300, 0.008, 120, 86_400, True),
    "ebike": Seen(80, 0.3, 0.8, 80, 120, 0.0048, 100, 14_400),
    "gas": Seen(50, 1.2, 1.5, 50, 20, 0.012, 120, 3600, True),
    "lift": Seen(50, 1.6, 1.2, 50, 15, 0.012, 100, 3600, True),
}
assert SEEN.keys() == THEMES.keys()


def service_code(theme: str) -> str:
    """Return the Open311 service_code of a theme: three digits by its place in the table."""
    return f"{100 + list(SEEN).index(theme)}"
