"""The climate desk: what hinders companies is found, assigned, rectified, looked at again, closed (F49)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twin.control.companies.calendar import Calendar
from twin.domain.commands import Command, WakeAt
from twin.domain.companies import (
    CLIMATE_ISSUES,
    AssignClimate,
    CheckClimate,
    ClimateAnswerTold,
    ClimateCheckTold,
    ClimateIssueTold,
    CloseClimate,
    EscalateClimate,
    OfficeCalendar,
)
from twin.domain.messages import Message

HOUR_S = 3600
#: office in charge and hours of open time it has, by issue (assumed)
OFFICES = (
    ("政务服务中心", 16), ("审批服务部", 24), ("财政金融部", 24), ("综合执法部", 24), ("招商服务部", 40),
)  # fmt: skip
ESCALATE_TO = ("营商环境专班", "管委会办公室")
SUPERVISORS = 20  # F49
ASSIGNED, CHECKING = "assigned", "checking"


@dataclass(frozen=True)
class _Matter:
    name: str
    issue: int
    place: str
    state: str
    due_s: int
    rounds: int
    level: int


class ClimateDesk:
    """A fold over messages; the same trouble told by several is one matter. Acts in office hours only."""

    def __init__(self) -> None:
        self._calendar = Calendar()
        self._open: dict[str, _Matter] = {}
        self._at: dict[tuple[int, str], str] = {}
        self._count: dict[tuple[int, str], int] = {}
        self._heard: set[str] = set()
        self._later: list[Message] = []
        self._checks = 0

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        """Take messages in, at once in office hours, else when they begin; escalate what is overdue."""
        new: list[Message] = []
        for m in messages:
            if m.key not in self._heard:
                self._heard.add(m.key)
                new.append(m)
        for m in new:
            if isinstance(m, OfficeCalendar):
                self._calendar = Calendar.of(m)
        self._later += [m for m in new if not isinstance(m, OfficeCalendar)]
        out: list[Command] = []
        if self._calendar.open(now_s):
            told, self._later = self._later, []
            for m in told:
                out += self._hear(m, now_s)
            out += self._overdue(now_s)
        return [*out, *self._wake(now_s)]

    def _wake(self, now_s: int) -> list[Command]:
        times = [m.due_s for m in self._open.values() if m.level < len(ESCALATE_TO)]
        if self._later:
            times.append(now_s + 1)
        if not times:
            return []
        t = self._calendar.next_open_s(max(min(times), now_s + 1))
        return [WakeAt(f"wake/{t}", t)]

    def _hear(self, m: Message, now_s: int) -> list[Command]:
        if isinstance(m, ClimateIssueTold):
            return self._told(m, now_s)
        if isinstance(m, ClimateAnswerTold):
            return self._answered(m, now_s)
        return self._checked(m, now_s) if isinstance(m, ClimateCheckTold) else []

    def _told(self, m: ClimateIssueTold, now_s: int) -> list[Command]:
        where = (m.issue, m.place)
        if where in self._at or not 0 <= m.issue < len(CLIMATE_ISSUES):
            return []
        self._count[where] = n = self._count.get(where, 0) + 1
        name = f"{CLIMATE_ISSUES[m.issue]}/{m.place}#{n}"
        self._at[where] = name
        return self._assign(_Matter(name, m.issue, m.place, ASSIGNED, 0, 0, 0), now_s)

    def _answered(self, m: ClimateAnswerTold, now_s: int) -> list[Command]:
        matter = self._open.get(m.matter)
        if matter is None or matter.state != ASSIGNED:
            return []
        due = self._calendar.after(now_s, 16 * HOUR_S)
        self._open[matter.name] = replace(matter, state=CHECKING, due_s=due)
        self._checks += 1
        key = f"check/{matter.name}/{matter.rounds}"
        return [CheckClimate(key, matter.name, matter.place, matter.issue, self._checks % SUPERVISORS)]

    def _checked(self, m: ClimateCheckTold, now_s: int) -> list[Command]:
        matter = self._open.get(m.matter)
        if matter is None or matter.state != CHECKING:
            return []
        if not m.passed:
            return self._assign(matter, now_s)
        del self._open[matter.name]
        del self._at[matter.issue, matter.place]
        return [CloseClimate(f"close/{matter.name}", matter.name, "rectified")]

    def _assign(self, matter: _Matter, now_s: int) -> list[Command]:
        office, hours = OFFICES[matter.issue]
        due = self._calendar.after(now_s, hours * HOUR_S)
        rounds = matter.rounds + 1
        self._open[matter.name] = replace(matter, state=ASSIGNED, due_s=due, rounds=rounds)
        key = f"assign/{matter.name}/{rounds}"
        return [AssignClimate(key, matter.name, matter.issue, matter.place, office, due)]

    def _overdue(self, now_s: int) -> list[Command]:
        out: list[Command] = []
        for matter in list(self._open.values()):
            if matter.due_s <= now_s and matter.level < len(ESCALATE_TO):
                level = matter.level + 1
                due = self._calendar.after(now_s, 8 * HOUR_S)
                self._open[matter.name] = replace(matter, level=level, due_s=due)
                key = f"escalate/{matter.name}/{level}"
                out.append(EscalateClimate(key, matter.name, level, ESCALATE_TO[level - 1]))
        return out
