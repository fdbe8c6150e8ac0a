"""The kinds of responder: what they can do, how they move, when they are on duty, how long they take to set out."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_S = 3600


@dataclass(frozen=True)
class ResponderKind:
    """``speed_m_s`` 0: drives as ``vehicle`` in traffic; else on foot or by bike, by right-angled distance.

    ``base``: kind of place they are at home at, or the level of area at whose office they are; ``level``: index into
    LEVELS of the area they belong to. ``turnout_s``: mean time from the order to setting out. By night (``day``: hours
    of the day shift) only ``night`` of them are there.
    """

    skills: str
    level: int
    base: str
    speed_m_s: float
    vehicle: str
    turnout_s: int
    day: tuple[int, int]
    night: float
    emergency: bool = False
    source: str = "assumed"


#: 网格员 and 社区 go by e-bike at 15 km/h door to door (25 km/h is the limit of GB 17761; assumed); turnout of fire
#: engines: 60 s (建标152-2017, the standard of city fire stations: 1 min for the order and to set out, 4 min to drive;
#: NFPA 1710: 80 s in 90 of 100 cases); the others assumed
KINDS: dict[str, ResponderKind] = {
    "grid worker": ResponderKind("inspect+order", 0, "grid", 4.2, "", 90, (8, 20), 0.1),
    "community staff": ResponderKind("inspect+order", 1, "community", 4.2, "", 120, (8, 20), 0.5),
    "urban management": ResponderKind(
        "inspect+order+clean+tow", 2, "service_point", 0.0, "service", 120, (7, 22), 0.34
    ),
    "police": ResponderKind(
        "inspect+order+tow", 2, "police_station", 0.0, "emergency", 60, (0, 24), 1.0, emergency=True
    ),
    "repair crew": ResponderKind("inspect+repair", 2, "depot", 0.0, "service", 300, (7, 19), 0.5),
    "rescue": ResponderKind(
        "inspect+rescue+medical", 3, "fire_station", 0.0, "emergency", 60, (0, 24), 1.0, emergency=True,
        source="建标152-2017",
    ),
    "fire": ResponderKind(
        "inspect+fire+rescue", 3, "fire_station", 0.0, "emergency", 60, (0, 24), 1.0, emergency=True,
        source="建标152-2017",
    ),
}  # fmt: skip
