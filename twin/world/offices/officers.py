"""What officers do in truth: they begin tasks, put them down, leave them undone when ill or when a system is down."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.control.services.catalogue.items import CHECK, STEP_KINDS
from twin.dice import Dice
from twin.domain.services import (
    OUTCOMES,
    ApplicantCame,
    AskState,
    BeginTask,
    OfficerChanged,
    RemindOfficers,
    ResultTaken,
    SystemChanged,
    TasksDone,
    TaskStopped,
    TasksWorked,
)
from twin.errors import ControlError
from twin.events import OfficerLeft, OfficersReminded, OfficeSystemChanged, TaskBegan, TaskEnded
from twin.world.offices.office import BACK, DAY, DONE, DOWN, FURTHER, UP, WORKED, Office


class Officers:
    """Officers and their tasks: one at a time, within the hours of their calendars."""

    def __init__(self, office: Office, dice: Dice) -> None:
        self._o = office
        people = office.people
        self._calendar = {o: people.calendars[c] for o, c in zip(people.officer, people.calendar, strict=True)}
        self._depts = [d.code for d in office.catalogue.departments]
        self._task: dict[int, tuple[int, int, int, int, int]] = {}  # officer → case, step, begun, ends, token
        self._token = 0
        self._away: set[int] = set()
        self._down: set[int] = set()
        self._sick, self._sick_long = dice.stream("services.away"), dice.stream("services.away_long")
        self._outage, self._outage_when = dice.stream("services.outage"), dice.stream("services.outage_when")
        self._outage_long = dice.stream("services.outage_long")

    def serving(self) -> list[int]:
        """Return the office of each case that is being checked at a window now."""
        out = []
        for case, step, _, _, _ in self._task.values():
            a = self._o.cases[case]
            if step < FURTHER and a.plan.steps[step].kind == CHECK:
                out.append(a.office)
        return out

    # -- tasks ---------------------------------------------------------------------------------------------------

    def begin(self, c: BeginTask, now_s: int) -> None:
        """Let an officer begin a task. ControlError: who has another one, is not at work, or is unknown."""
        o = self._o
        a, calendar = o.cases.get(c.case), self._calendar.get(c.officer)
        if a is None or calendar is None:
            raise ControlError(
                f"the service desk gave case {c.case} to officer {c.officer} at {now_s} s; one is unknown"
            )
        busy = self._task.get(c.officer)
        if busy is not None:
            raise ControlError(
                f"the service desk gave case {c.case} to officer {c.officer} at {now_s} s, who is at case {busy[0]};"
                " an officer has one task at a time"
            )
        if not calendar.open(now_s):
            raise ControlError(
                f"the service desk gave case {c.case} to officer {c.officer} at {now_s} s, outside working hours;"
                f" the next begin at {calendar.next_open(now_s)} s"
            )
        if c.officer in self._away:  # left in this very second
            o.tell(TaskStopped(now_s, f"stop/{c.key}", c.case, c.step, c.officer, "away"))
            return
        kind, dept, work_s = "appeal", a.plan.dept, 5400
        if c.step < FURTHER:
            step = a.plan.steps[c.step]
            kind, dept, work_s = STEP_KINDS[step.kind], step.dept, a.work_s[c.step]
        since_s = a.ready_s
        at_window = o.waiting.pop((c.case, c.step), None)
        if at_window is not None:
            since_s = at_window[1]
            o.choice.waited(at_window[0], now_s - since_s)
        ends_s = calendar.add(now_s, work_s)
        self._token += 1
        self._task[c.officer] = (c.case, c.step, now_s, ends_s, self._token)
        o.log.add(
            TaskBegan, t_s=now_s, case_no=c.case, step=c.step, task=kind, dept=self._depts[dept], officer=c.officer,
            waited_s=now_s - since_s,
        )  # fmt: skip
        o.at(ends_s, WORKED, c.officer, self._token)

    def worked(self, now_s: int, officer: int, token: int) -> None:
        """Let an officer put a task down; what comes of it may circulate before it is told."""
        o = self._o
        task = self._task.get(officer)
        if task is None or task[4] != token:
            return  # stopped meanwhile
        number, row, begun_s, _, _ = self._task.pop(officer)
        a = o.cases[number]
        if row >= FURTHER:
            outcome, kind, circulate = a.outcomes[-1][0], "appeal", 0
        else:
            left = a.outcomes[row]
            outcome, kind = left.pop(0) if len(left) > 1 else left[0], STEP_KINDS[a.plan.steps[row].kind]
            circulate = 0 if outcome == 1 else a.circulate_s[row]
        o.log.add(
            TaskEnded, t_s=now_s, case_no=number, step=row, task=kind, officer=officer,
            worked_s=self._calendar[officer].between(begun_s, now_s), outcome=OUTCOMES[outcome],
        )  # fmt: skip
        o.tell(TasksWorked(now_s, f"worked/{number}/{row}/{now_s}", (number,), (row,), (officer,)))
        if circulate:
            o.at(o.hours.add(now_s, circulate), DONE, number, row * 4 + outcome)
        else:
            self.done(now_s, number, row * 4 + outcome)

    def done(self, now_s: int, number: int, what: int) -> None:
        """Tell what came of a step: ``what`` is row × 4 + outcome."""
        row, outcome = divmod(what, 4)
        a = self._o.cases[number]
        a.ready_s = now_s
        a.reported[row] = outcome
        self._o.tell(TasksDone(now_s, f"done/{number}/{row}/{now_s}", (number,), (row,), (outcome,)))

    def _stop(self, officer: int, now_s: int, reason: str) -> None:
        """Leave a task undone."""
        o = self._o
        task = self._task.pop(officer, None)
        if task is None:
            return
        number, row, begun_s, _, _ = task
        a = o.cases[number]
        kind = STEP_KINDS[a.plan.steps[row].kind] if row < FURTHER else "appeal"
        if kind == "check":
            o.waiting[number, row] = (a.office, begun_s)
        o.log.add(
            TaskEnded, t_s=now_s, case_no=number, step=row, task=kind, officer=officer,
            worked_s=self._calendar[officer].between(begun_s, now_s), outcome="stopped",
        )  # fmt: skip
        o.tell(TaskStopped(now_s, f"stop/{number}/{row}/{now_s}", number, row, officer, reason))

    def remind(self, c: RemindOfficers, now_s: int) -> None:
        """Take note of a reminder."""
        if c.case in self._o.cases:
            self._o.log.add(OfficersReminded, t_s=now_s, case_no=c.case, due_s=c.due_s, overdue=c.late)

    def tell_again(self, c: AskState, now_s: int) -> None:
        """Tell again what was told before, should that have been lost."""
        o = self._o
        a = o.cases.get(c.case)
        task = self._task.get(c.officer)
        again = f"again/{c.key}"
        if c.officer >= 0 and (task is None or task[:2] != (c.case, c.step)):
            o.tell(TasksWorked(now_s, f"{again}/worked", (c.case,), (c.step,), (c.officer,)))
            if a is not None and c.step in a.reported:
                o.tell(TasksDone(now_s, f"{again}/done", (c.case,), (c.step,), (a.reported[c.step],)))
        elif c.officer < 0 <= c.step:
            if a is not None and c.step in a.came and c.step not in a.asked:
                o.tell(ApplicantCame(now_s, f"{again}/came", (c.case,), (c.step,)))
        elif c.step < 0 and a is not None and a.over:
            o.tell(ResultTaken(now_s, f"{again}/taken", c.case))

    # -- absences and outages ------------------------------------------------------------------------------------

    def day(self, now_s: int, day: int, _: int) -> None:
        """Draw who is away and what breaks down today, and ask for the next day."""
        b, at = self._o.behaviour, self._o.at
        officers = self._o.people.officer
        if b.away_per_year > 0:
            ill = self._sick.uniform(_array(officers), day) < b.away_per_year / 250.0
            long = self._sick_long.exponential(max(b.away_days, 0.01), _array(officers), day)
            for officer, sick, days in zip(officers, ill.tolist(), long.tolist(), strict=True):
                if sick and officer not in self._away:
                    self.leave(officer, now_s)
                    at((day + max(1, round(days))) * 86_400, BACK, officer, 0)
        if b.outages_per_year > 0:
            depts = list(range(len(self._depts)))
            broken = self._outage.uniform(_array(depts), day) < b.outages_per_year / 250.0
            when = self._outage_when.uniform(_array(depts), day)
            long = self._outage_long.exponential(max(b.outage_min, 0.1) * 60.0, _array(depts), day)
            for dept, down, u, s in zip(depts, broken.tolist(), when.tolist(), long.tolist(), strict=True):
                if down:
                    t_s = day * 86_400 + 9 * 3600 + int(u * 8 * 3600)
                    at(max(t_s, now_s), DOWN, dept, 0)
                    at(max(t_s, now_s) + max(int(s), 1), UP, dept, 0)
        at((day + 1) * 86_400, DAY, day + 1, 0)

    def leave(self, officer: int, now_s: int) -> None:
        """Let an officer be away from now on; a task in hand stays undone."""
        self._away.add(officer)
        self._o.log.add(OfficerLeft, t_s=now_s, officer=officer, away=True)
        self._o.tell(OfficerChanged(now_s, f"away/{officer}/{now_s}", officer, False))
        self._stop(officer, now_s, "away")

    def back(self, now_s: int, officer: int, _: int) -> None:
        """Let an officer be back."""
        if officer in self._away:
            self._away.discard(officer)
            self._o.log.add(OfficerLeft, t_s=now_s, officer=officer, away=False)
            self._o.tell(OfficerChanged(now_s, f"back/{officer}/{now_s}", officer, True))

    def go_down(self, now_s: int, dept: int, _: int) -> None:
        """Let a department's system (-1: everybody's) go down."""
        o = self._o
        if dept in self._down:
            return
        self._down.add(dept)
        o.log.add(OfficeSystemChanged, t_s=now_s, dept=self._depts[dept] if dept >= 0 else "all", up=False)
        o.tell(SystemChanged(now_s, f"down/{dept}/{now_s}", dept, False))
        for officer, (number, row, _, _, _) in sorted(self._task.items()):
            of = o.cases[number].plan
            if dept in (-1, of.steps[row].dept if row < FURTHER else of.dept):
                self._stop(officer, now_s, "system down")

    def go_up(self, now_s: int, dept: int, _: int) -> None:
        """Let a system be up again."""
        if dept in self._down:
            self._down.discard(dept)
            name = self._depts[dept] if dept >= 0 else "all"
            self._o.log.add(OfficeSystemChanged, t_s=now_s, dept=name, up=True)
            self._o.tell(SystemChanged(now_s, f"up/{dept}/{now_s}", dept, True))


def _array(values: list[int]) -> Any:
    return np.asarray(values, dtype=np.int64)
