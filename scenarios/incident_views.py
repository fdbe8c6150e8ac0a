"""Department views and the command view (F3): what stands on the screens at a moment, computed from the facts so far.

``departments(log, at_s)`` gives one view for each of the eight departments, ``command(log, at_s)`` that of the district
command centre with the incidents that are open, for the map. They count what the desk knows, not what is true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scenarios.readings import Memory
from twin import events
from twin.domain.incidents import DEPARTMENTS, LEVELS
from twin.log import Facts

TREND_S = 3600


@dataclass(frozen=True)
class OpenCase:
    """An incident that is open at the moment: for the map. ``due_s``: when the clock of its phase runs out."""

    incident: str
    theme: str
    department: str
    severity: str
    level: str
    area: str
    state: str
    x_m: float
    y_m: float
    created_s: int
    due_s: int
    overdue: bool
    unit: int


@dataclass(frozen=True)
class View:
    """One screen. ``trend``: created minus closed in the last hour (above 0: work piles up)."""

    name: str
    open: int
    overdue: int
    by_level: dict[str, int]
    by_severity: dict[str, int]
    by_theme: dict[str, int]
    created: int
    closed: int
    reopened: int
    created_last_hour: int
    closed_last_hour: int

    @property
    def trend(self) -> int:
        """Created minus closed in the last hour."""
        return self.created_last_hour - self.closed_last_hour


@dataclass(frozen=True)
class CommandView:
    """The district's screen: all departments together, and every open incident."""

    at_s: int
    total: View
    departments: tuple[View, ...]
    cases: tuple[OpenCase, ...]


def departments(log: Facts | Memory, at_s: int) -> tuple[View, ...]:
    """Return the views of all departments at a second, those without incidents too."""
    return command(log, at_s).departments


def command(log: Facts | Memory, at_s: int) -> CommandView:
    """Return what the district command centre sees at a second."""
    books = _Books(Memory(log), at_s)
    cases = books.cases()
    views = tuple(books.view(name, [c for c in cases if c.department == name]) for name in DEPARTMENTS)
    return CommandView(at_s, books.view("", cases), views, tuple(cases))


class _Books:
    """The facts of incidents up to a second."""

    def __init__(self, memory: Memory, at_s: int) -> None:
        self._at_s = at_s
        self.created = {r["incident"]: r for r in self._rows(memory, events.IncidentCreated)}
        self._kinds: dict[type[events.Fact], list[dict[str, Any]]] = {
            kind: list(self._rows(memory, kind))
            for kind in (
                events.IncidentMerged, events.IncidentEscalated, events.IncidentAdvanced, events.IncidentClosed,
                events.IncidentReopened, events.IncidentClockStarted, events.IncidentAssigned,
            )
        }  # fmt: skip

    def _rows(self, memory: Memory, kind: type[events.Fact]) -> Iterable[dict[str, Any]]:
        columns = memory.columns(kind)
        names = list(columns)
        for values in zip(*(columns[n].tolist() for n in names), strict=True):
            row = dict(zip(names, values, strict=True))
            if row["t_s"] <= self._at_s:
                yield row

    def _last(self, kind: type[events.Fact]) -> dict[str, dict[str, Any]]:
        return {row["incident"]: row for row in self._kinds[kind]}

    def cases(self) -> list[OpenCase]:
        """Return the incidents that are open, in order of creation."""
        closed, again = Counter[str](), Counter[str]()
        closed.update(r["incident"] for r in self._kinds[events.IncidentClosed])
        again.update(r["incident"] for r in self._kinds[events.IncidentReopened] if r["state"] == "closed")
        level, state = self._last(events.IncidentEscalated), self._last(events.IncidentAdvanced)
        clock, merged = self._last(events.IncidentClockStarted), self._last(events.IncidentMerged)
        unit, reopened = self._last(events.IncidentAssigned), self._last(events.IncidentReopened)
        out = []
        for name, made in self.created.items():
            if closed[name] > again[name]:
                continue
            up, said = level.get(name, made), state.get(name)
            back = reopened.get(name)
            new = said is None or (back is not None and back["t_s"] >= said["t_s"])
            due_s = int(clock[name]["due_s"]) if name in clock else -1
            out.append(
                OpenCase(
                    name, made["theme"], made["department"], merged.get(name, made)["severity"], up["level"],
                    up["area"], "new" if new or said is None else said["state"], made["x_m"], made["y_m"],
                    made["t_s"], due_s, self._overdue(name, due_s), unit[name]["unit"] if name in unit else -1,
                )
            )  # fmt: skip
        return out

    def _overdue(self, name: str, due_s: int) -> bool:
        """Whether a clock of the present phase ran out: now, or on a level below."""
        state = self._last_change_s(name)
        ran_out = any(
            r["incident"] == name and r["t_s"] >= state and r["reason"].endswith("overdue")
            for r in self._kinds[events.IncidentEscalated]
        )
        return ran_out or 0 <= due_s <= self._at_s

    def _last_change_s(self, name: str) -> int:
        changes = [r["t_s"] for r in self._kinds[events.IncidentAdvanced] if r["incident"] == name]
        return max(changes, default=int(self.created[name]["t_s"]))

    def view(self, name: str, cases: list[OpenCase]) -> View:
        """Return the view of a department ("": of all), whose open cases are given."""
        mine = {n for n, made in self.created.items() if not name or made["department"] == name}
        closed = [r["t_s"] for r in self._kinds[events.IncidentClosed] if r["incident"] in mine]
        made = [int(self.created[n]["t_s"]) for n in mine]
        since_s = self._at_s - TREND_S
        return View(
            name=name or "district",
            open=len(cases),
            overdue=sum(c.overdue for c in cases),
            by_level={level: sum(c.level == level for c in cases) for level in LEVELS},
            by_severity=dict(Counter(c.severity for c in cases)),
            by_theme=dict(Counter(c.theme for c in cases)),
            created=len(mine),
            closed=len(closed),
            reopened=sum(r["incident"] in mine for r in self._kinds[events.IncidentReopened]),
            created_last_hour=sum(t > since_s for t in made),
            closed_last_hour=sum(t > since_s for t in closed),
        )
