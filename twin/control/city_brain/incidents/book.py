"""The book of incidents: what the desk knows of each, and which incident a sign belongs to (space, time, theme)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.control.city_brain.incidents.crews import mask
from twin.domain.city_brain import SEVERITIES
from twin.domain.incidents import ThemeBook

Ints = npt.NDArray[np.int64]
Named = tuple[str, str]  # source and ref of a sign

#: states as numbers, in the order of twin.domain.incidents.STATES
NEW, ASSIGNED, ON_THE_WAY, ON_SITE, HANDLED, VERIFIED, CLOSED = range(7)


@dataclass(frozen=True)
class Theme:
    """How incidents of a theme are handled; ``skill`` as bits, ``severity`` as a number."""

    department: str
    level: int
    skill: int
    severity: int
    merge_m: float
    merge_s: int


class Themes:
    """The theme book; a theme that is not in it is handled as "" is."""

    def __init__(self, told: ThemeBook) -> None:
        self._of = {
            name: Theme(
                told.department[i], int(told.level[i]), mask(told.skill[i]), SEVERITIES.index(told.severity[i]),
                float(told.merge_m[i]), int(told.merge_s[i]),
            )
            for i, name in enumerate(told.theme)
        }  # fmt: skip
        self._other = self._of.get("") or Theme("community", 0, mask("inspect"), 0, 100.0, 3600)

    def of(self, theme: str) -> Theme:
        """Return how a theme is handled."""
        return self._of.get(theme, self._other)


@dataclass
class Task:
    """Somebody is needed on the spot: to handle (``skill`` as bits) or to verify.

    ``ticket`` "": it waits, since ``since_s``. ``stuck``: its responder did not come, and nobody else is sent.
    """

    purpose: str
    skill: int
    since_s: int
    ticket: str = ""
    unit: int = -1
    answered: bool = False  # its responder took it
    late_s: int = 0  # when it is overdue on its way; 0: it is there
    stuck: bool = False


@dataclass
class Incident:
    """What the desk knows of an incident. ``chain``: areas of all levels it lies in; ``roads``: those nearest.

    ``phase`` has a clock (number ``clock``) that runs out at ``due_s``. ``held``: nobody goes before somebody looked.
    ``been``: units that handled it, could not, or did not come; ``handled_by``: labels of those whose own word does not
    verify it.
    """

    name: str
    theme: str
    severity: int
    level: int
    chain: Ints
    x_m: float
    y_m: float
    roads: tuple[int, ...]
    created_s: int
    first_s: int
    last_s: int
    signs: list[Named] = field(default_factory=list)
    state: int = NEW
    task: Task | None = None
    look: str = ""
    look_purpose: str = ""
    held: bool = False
    confirmed: bool = False
    answered: bool = False
    phase: str = ""
    due_s: int = 0
    clock: int = 0
    overdue: str = ""  # the phase whose clock ran out last
    escalations: int = 0
    serial: int = 0  # of tickets, looks and what else needs a key of its own
    been: list[int] = field(default_factory=list)  # units that handled it or could not
    handled_by: list[str] = field(default_factory=list)
    outcome: str = ""
    closed_s: int = -1

    @property
    def open(self) -> bool:
        """Whether it is not closed."""
        return self.state != CLOSED

    def next_key(self, word: str) -> str:
        """Return a key that this incident never had."""
        self.serial += 1
        return f"{self.name}/{word}/{self.serial}"


class Book:
    """All incidents, and where those of each theme are (squares of ``merge_m``)."""

    def __init__(self) -> None:
        self.all: dict[str, Incident] = {}
        self.open: dict[str, Incident] = {}
        self.of_sign: dict[Named, str] = {}
        self._squares: dict[tuple[str, int, int], list[str]] = {}

    def add(self, incident: Incident, merge_m: float) -> None:
        """Put an incident on the books."""
        self.all[incident.name] = self.open[incident.name] = incident
        column, line = _square(incident.x_m, incident.y_m, merge_m)
        self._squares.setdefault((incident.theme, column, line), []).append(incident.name)

    def join(self, sign: Named, incident: Incident, seen_s: int) -> None:
        """Note that a sign is of an incident."""
        self.of_sign[sign] = incident.name
        incident.signs.append(sign)
        incident.first_s, incident.last_s = min(incident.first_s, seen_s), max(incident.last_s, seen_s)

    def close(self, incident: Incident) -> None:
        """Take an incident out of the open ones."""
        self.open.pop(incident.name, None)

    def near(
        self, theme: str, x_m: float, y_m: float, seen_s: int, now_s: int, how: Theme, reopen_s: int
    ) -> Incident | None:
        """Return the incident that a sign is most likely of: the nearest that is open, else one closed lately.

        A sign that was seen within ``merge_s`` of what is known of an incident, or while it is open, can be of it; one
        that comes within ``merge_s`` of its end, and ``reopen_s``, says that it came back.
        """
        best: tuple[bool, float, str] | None = None
        found = None
        for other in self._around(theme, x_m, y_m, how.merge_m):
            metres = math.hypot(other.x_m - x_m, other.y_m - y_m)
            lately = not other.open and now_s - other.closed_s <= min(reopen_s, how.merge_s)
            lately &= other.outcome in ("handled", "gone")
            during = not other.open and seen_s <= other.closed_s
            in_time = seen_s >= other.first_s - how.merge_s and (other.open or lately or during)
            if metres <= how.merge_m and in_time:
                key = (not other.open, metres, other.name)
                if best is None or key < best:
                    best, found = key, other
        return found

    def _around(self, theme: str, x_m: float, y_m: float, merge_m: float) -> Iterator[Incident]:
        column, line = _square(x_m, y_m, merge_m)
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                for name in self._squares.get((theme, column + dx, line + dy), ()):
                    yield self.all[name]


def _square(x_m: float, y_m: float, merge_m: float) -> tuple[int, int]:
    side = max(merge_m, 1.0)
    return math.floor(x_m / side), math.floor(y_m / side)
