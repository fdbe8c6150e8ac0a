"""Hazards as the desk knows them: grade the risk → rectify → re-check and close, with deadlines and escalation (F17).

Grades by L · E · C (Graham and Kinney 1976, "Practical risk analysis for safety management", as used in China's
dual prevention): over 320 major, over 160 larger, over 70 general, else low. What only a device saw is looked at by a
supervisor first, unless it looks major: then the work stops at once, and the look comes after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twin.control.construction.projects import Book
from twin.domain.commands import Command
from twin.domain.construction import (
    ENDS,
    GRADES,
    CloseHazard,
    EscalateHazard,
    HazardTold,
    OrderRecheck,
    OrderRectification,
    OrderSiteCheck,
    RecheckTold,
    RectificationTold,
)

DEVICE = ENDS.index("device")
SUPERVISOR = ENDS.index("supervisor")
BOUNDS = (70.0, 160.0, 320.0)

CHECKING, RECTIFYING, RECHECKING, CLOSED = "checking", "rectifying", "rechecking", "closed"


def grade_of(likelihood: float, exposure: float, consequence: float) -> int:
    """Return the grade (index into GRADES) of a risk."""
    return sum(likelihood * exposure * consequence > bound for bound in BOUNDS)


@dataclass(frozen=True)
class Case:
    """One hazard: where, its grade, what is being done (``state``), until when, how often it was escalated."""

    name: str
    project: int
    hazard: int
    spot: int
    grade: int
    state: str
    due_s: int
    level: int = 0
    rounds: int = 0


class Hazards:
    """All cases of the desk. Every method returns commands; the desk adds its wake-ups from :meth:`next_due_s`."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.open: dict[str, Case] = {}
        self._at: dict[tuple[int, int, int], str] = {}
        self._count: dict[tuple[int, int, int], int] = {}

    def hear(self, m: HazardTold, now_s: int) -> list[Command]:
        """Take what an end saw, or did not see when asked."""
        where = (m.project, m.hazard, m.spot)
        name = self._at.get(where)
        if name is not None:
            return self._again(self.open[name], m, now_s)
        if not m.seen or not self._book.known(m.project):
            return []
        self._count[where] = n = self._count.get(where, 0) + 1
        name = f"{m.project}/{m.hazard}/{m.spot}#{n}"
        grade = grade_of(m.likelihood, m.exposure, m.consequence)
        case = Case(name, m.project, m.hazard, m.spot, grade, CHECKING, 0)
        self._at[where] = name
        if m.end == DEVICE and grade < len(GRADES) - 1:
            return self._check(case, now_s)
        return self._rectify(case, now_s)

    def _again(self, case: Case, m: HazardTold, now_s: int) -> list[Command]:
        """Another end, or the supervisor who was sent, speaks of a hazard that has a case."""
        grade = max(case.grade, grade_of(m.likelihood, m.exposure, m.consequence)) if m.seen else case.grade
        if case.state == CHECKING and m.end != DEVICE:
            if m.seen:
                return self._rectify(replace(case, grade=grade), now_s)
            return self._close(case, "not there") if m.end == SUPERVISOR else []
        if m.seen and grade > case.grade and case.state == RECTIFYING:
            return self._rectify(replace(case, grade=grade), now_s)
        return []

    def rectified(self, m: RectificationTold, now_s: int) -> list[Command]:
        """Send somebody to look again: the builder says it is done."""
        case = self.open.get(m.case)
        if case is None or case.state != RECTIFYING:
            return []
        due = now_s + self._book.recheck_s
        self.open[case.name] = case = replace(case, state=RECHECKING, due_s=due)
        return [OrderRecheck(f"recheck/{case.name}/{case.rounds}", case.name, case.project, due)]

    def rechecked(self, m: RecheckTold, now_s: int) -> list[Command]:
        """Close what passed; what did not goes back to the builder."""
        case = self.open.get(m.case)
        if case is None or case.state != RECHECKING:
            return []
        return self._close(case, "rectified") if m.passed else self._rectify(case, now_s)

    def overdue(self, now_s: int) -> list[Command]:
        """Escalate what is past its deadline, one step, and give it half of its time again."""
        out: list[Command] = []
        chain = self._book.escalate_to
        for case in list(self.open.values()):
            if case.due_s > now_s:
                continue
            span = self._book.rectify_s[case.grade] if case.state == RECTIFYING else self._book.recheck_s
            level = case.level + 1
            self.open[case.name] = replace(case, due_s=now_s + max(span // 2, 3600), level=level)
            if level <= len(chain):
                key = f"escalate/{case.name}/{level}"
                out.append(EscalateHazard(key, case.name, case.project, level, chain[level - 1]))
        return out

    def next_due_s(self) -> int | None:
        """Return the next deadline of any open case that can still be escalated."""
        last = len(self._book.escalate_to)
        return min((c.due_s for c in self.open.values() if c.level < last), default=None)

    def _check(self, case: Case, now_s: int) -> list[Command]:
        due = now_s + self._book.recheck_s
        self.open[case.name] = replace(case, due_s=due)
        return [OrderSiteCheck(f"check/{case.name}", case.name, case.project, case.hazard, case.spot, due)]

    def _rectify(self, case: Case, now_s: int) -> list[Command]:
        due = now_s + self._book.rectify_s[case.grade]
        rounds = case.rounds + 1
        self.open[case.name] = replace(case, state=RECTIFYING, due_s=due, rounds=rounds)
        stop = case.grade == len(GRADES) - 1
        grade = GRADES[case.grade]
        key = f"rectify/{case.name}/{rounds}"
        return [OrderRectification(key, case.name, case.project, case.hazard, case.spot, grade, stop, due)]

    def _close(self, case: Case, outcome: str) -> list[Command]:
        del self.open[case.name]
        del self._at[case.project, case.hazard, case.spot]
        return [CloseHazard(f"close/{case.name}", case.name, case.project, outcome)]
