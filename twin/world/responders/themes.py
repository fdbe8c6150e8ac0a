"""How incidents of each theme are handled, and how soon: the tables that the desk is told (assumed).

Severities are those hazards are born with; departments are the eight of F3; ``find_m``: how far from where a sign
points somebody on the spot looks around (a camera tells its own place, and sees far).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.domain.city_brain import SEVERITIES
from twin.domain.incidents import COMMUNITY, DISTRICT, GRID, LEVELS, SUBDISTRICT, ServiceTargets, ThemeBook


@dataclass(frozen=True)
class ThemeWays:
    """``called``: share of hazards that a passer-by calls in, after ``call_s`` seconds on average."""

    department: str
    level: int
    skill: str
    severity: str
    merge_m: float
    merge_s: int
    find_m: float
    called: float = 0.0
    call_s: float = 300.0


THEMES: dict[str, ThemeWays] = {
    "water": ThemeWays("emergency", DISTRICT, "rescue", "Severe", 800, 1800, 800, 0.30, 180),
    "fire": ThemeWays("fire and rescue", DISTRICT, "fire", "Severe", 800, 3600, 800, 0.60, 240),
    "site": ThemeWays("housing and construction", SUBDISTRICT, "order", "Moderate", 200, 3600, 300),
    "dust": ThemeWays("environment", SUBDISTRICT, "order", "Moderate", 300, 3600, 500),
    "bikes": ThemeWays("urban management", SUBDISTRICT, "order", "Minor", 120, 3600, 200),
    "level": ThemeWays("water", DISTRICT, "rescue", "Severe", 500, 7200, 600),
    "ponding": ThemeWays("water", SUBDISTRICT, "repair", "Moderate", 250, 7200, 300, 0.10, 900),
    "crowd": ThemeWays("emergency", COMMUNITY, "order", "Moderate", 300, 3600, 400, 0.05, 900),
    "straw": ThemeWays("environment", GRID, "order", "Moderate", 400, 3600, 800, 0.05, 900),
    "garbage": ThemeWays("urban management", SUBDISTRICT, "clean", "Minor", 120, 14_400, 200),
    "road": ThemeWays("housing and construction", SUBDISTRICT, "repair", "Minor", 120, 86_400, 200),
    "vendors": ThemeWays("urban management", SUBDISTRICT, "order", "Minor", 120, 3600, 200),
    "thrown": ThemeWays("community", COMMUNITY, "inspect", "Severe", 100, 1800, 150, 0.20, 300),
    "fire_lane": ThemeWays("traffic police", SUBDISTRICT, "tow", "Moderate", 100, 3600, 150, 0.02, 1800),
    "manhole": ThemeWays("housing and construction", SUBDISTRICT, "repair", "Severe", 120, 14_400, 200, 0.10, 1800),
    "ebike": ThemeWays("fire and rescue", COMMUNITY, "order", "Moderate", 100, 1800, 150),
    "gas": ThemeWays("emergency", SUBDISTRICT, "repair", "Severe", 120, 3600, 150, 0.40, 600),
    "lift": ThemeWays("emergency", DISTRICT, "rescue", "Severe", 100, 1800, 150, 0.90, 120),
    "": ThemeWays("community", GRID, "inspect", "Minor", 120, 3600, 200),
}

#: seconds to assign, to be there, to handle once there, and to close, at the level an incident is created on; each
#: level above has as long again. Extreme: the order within 60 s, the first engine there within 5 min of driving
#: (建标152-2017); the others assumed
TARGETS: dict[str, tuple[int, int, int, int]] = {
    "Extreme": (60, 600, 3600, 1800),
    "Severe": (180, 900, 5400, 3600),
    "Moderate": (600, 1800, 7200, 7200),
    "Minor": (1800, 7200, 14_400, 14_400),
}


def ways_of(theme: str) -> ThemeWays:
    """Return how a theme is handled; one that is not in the table as "" is."""
    return THEMES.get(theme, THEMES[""])


def theme_book(t_s: int) -> ThemeBook:
    """Return the table of themes as a message."""
    ways = THEMES.values()
    return ThemeBook(
        t_s=t_s,
        key="incidents/themes",
        theme=tuple(THEMES),
        department=tuple(w.department for w in ways),
        level=np.array([w.level for w in ways], dtype=np.int64),
        skill=tuple(w.skill for w in ways),
        severity=tuple(w.severity for w in ways),
        merge_m=np.array([w.merge_m for w in ways], dtype=np.float64),
        merge_s=np.array([w.merge_s for w in ways], dtype=np.int64),
    )


def service_targets(t_s: int, factor: float) -> ServiceTargets:
    """Return the service targets as a message: the same at all levels, times ``factor``."""
    rows = [(level, severity) for level in range(len(LEVELS)) for severity in SEVERITIES]
    seconds = np.array([TARGETS[severity] for _, severity in rows], dtype=np.float64) * factor
    columns = np.maximum(np.rint(seconds), 1).astype(np.int64)
    return ServiceTargets(
        t_s=t_s,
        key="incidents/targets",
        level=np.array([level for level, _ in rows], dtype=np.int64),
        severity=tuple(severity for _, severity in rows),
        assign_s=columns[:, 0],
        arrive_s=columns[:, 1],
        handle_s=columns[:, 2],
        close_s=columns[:, 3],
    )
