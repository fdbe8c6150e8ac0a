"""The truth of the service office, without a clock of its own: what officers and applicants do, event by event.

Whoever owns a clock gives :class:`Engine` a way to ask for a call (``at``) and a way to tell the desk (``tell``): the
run of a city (:mod:`twin.world.offices.system`) and months of cases alone (:mod:`twin.world.offices.months`) drive the
same engine and the same desk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twin.control.services.catalogue.items import CHECK, STEP_KINDS, Catalogue
from twin.control.services.levers import Levers
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.services import (
    OUTCOMES,
    AcceptCase,
    AppealMade,
    ApplicantCame,
    AskApplicant,
    AskState,
    BeginTask,
    CasesFiled,
    CaseWithdrawn,
    ConcludeCase,
    DeliverResult,
    OfficerChanged,
    RemindOfficers,
    ResultTaken,
    SystemChanged,
    TasksDone,
    TaskStopped,
    TasksWorked,
)
from twin.errors import ControlError
from twin.events import (
    ApplicantAnswered,
    ApplicantAsked,
    CaseAccepted,
    CaseConcluded,
    CaseFiled,
    CaseOpen,
    MatterBegan,
    MatterEnded,
    MatterOpen,
    OfficerLeft,
    OfficersReminded,
    OfficeSystemChanged,
    OfficeVisited,
    ResultGiven,
    TaskBegan,
    TaskEnded,
)
from twin.events.base import Fact
from twin.world.offices.choice import Choice
from twin.world.offices.matters import CASES, Application, Matter
from twin.world.offices.people import HALL, ONLINE, People, office_name
from twin.world.offices.settings import Behaviour

FURTHER = 1 << 20  # steps of an appeal, as the desk numbers them
#: what may happen at a second: codes for ``happen``
BEGIN, FILE, WORKED, DONE, CAME, TAKEN, APPEAL, DAY, BACK, DOWN, UP = range(11)
_TARGETS = ("person", "company")


class At(Protocol):
    """Asks to be called: ``happen(code, a, b)`` at second ``t_s``."""

    def __call__(self, t_s: int, code: int, a: int, b: int) -> None:
        """Ask."""


#: takes over a way of somebody to an office: (matter, office, when there, and what happens then: code, a, b);
#: False: nobody does, it just takes its time
Travel = Callable[[Matter, int, int, int, int, int], bool]


class Journal(Protocol):
    """Where facts go; the ``add`` of a log."""

    def add(self, fact: type[Fact], /, t_s: Any, **values: Any) -> None:
        """Write facts."""


class Engine:
    """Offices, officers, applicants. ``count``: what it keeps track of beside facts (nothing that KPIs read)."""

    def __init__(
        self,
        catalogue: Catalogue,
        people: People,
        levers: Levers,
        behaviour: Behaviour,
        dice: Dice,
        log: Journal,
        at: At,
        tell: Callable[[Message], None],
        choice: Choice,
        travel: Travel = lambda *_: False,
    ) -> None:
        self._catalogue, self._people, self._levers, self._b = catalogue, people, levers, behaviour
        self._log, self._at, self._tell, self._choice, self._travel = log, at, tell, choice, travel
        self._calendar = {o: people.calendars[c] for o, c in zip(people.officer, people.calendar, strict=True)}
        self._office = people.calendars[0]
        self._depts = [d.code for d in catalogue.departments]
        self.on_done: list[Callable[[Application, int], None]] = []  # who hears of cases that end with their result
        self.matters: dict[int, Matter] = {}
        self.cases: dict[int, Application] = {}
        self._task: dict[int, tuple[int, int, int, int, int]] = {}  # officer → case, step, begun, ends, token
        self._token = 0
        self._open = 0  # filed and not closed
        self._away: set[int] = set()
        self._down: set[int] = set()
        self.waiting: dict[tuple[int, int], tuple[int, int]] = {}  # (case, step) at a window → office, since
        self._sick, self._sick_long = dice.stream("services.away"), dice.stream("services.away_long")
        self._outage, self._outage_when = dice.stream("services.outage"), dice.stream("services.outage_when")
        self._outage_long = dice.stream("services.outage_long")
        self._do: dict[int, Callable[[int, int, int], None]] = {
            BEGIN: self._begin_matter, FILE: self._file, WORKED: self._worked, DONE: self._done, CAME: self._came,
            TAKEN: self._taken, APPEAL: self._appeal, DAY: self._day, BACK: self._back, DOWN: self._go_down,
            UP: self._go_up,
        }  # fmt: skip
        self._carry: dict[type, Callable[[Any, int], None]] = {
            BeginTask: self._begin_task, AcceptCase: self._accepted, AskApplicant: self._ask,
            DeliverResult: self._deliver, ConcludeCase: self._close, RemindOfficers: self._remind,
            AskState: self._state,
        }  # fmt: skip

    # -- from outside ------------------------------------------------------------------------------------------

    def take(self, matters: Sequence[Matter]) -> None:
        """Take matters that :class:`Truth` has drawn; each begins at its second."""
        for m in matters:
            self.matters[m.number] = m
            self._at(m.begins_s, BEGIN, m.number, 0)

    def happen(self, now_s: int, code: int, a: int, b: int) -> None:
        """Let something happen that was asked for."""
        self._do[code](now_s, a, b)

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry out a command of the desk; False if it is none of the office's."""
        carry = self._carry.get(type(command))
        if carry is None:
            return False
        carry(command, now_s)
        return True

    @property
    def unclosed(self) -> bool:
        """Whether any case was filed that the desk has not closed."""
        return self._open > 0

    def at_offices(self) -> dict[int, tuple[int, int]]:
        """Return, by office, how many people wait at windows and how many are being served."""
        out: dict[int, list[int]] = {}
        for office, _ in self.waiting.values():
            out.setdefault(office, [0, 0])[0] += 1
        for case, step, _, _, _ in self._task.values():
            a = self.cases[case]
            if step < FURTHER and a.plan.steps[step].kind == CHECK:
                out.setdefault(a.office, [0, 0])[1] += 1
        return {o: (w, s) for o, (w, s) in sorted(out.items())}

    def finish(self, end_s: int) -> None:
        """Account for everything that is open."""
        for a in self.cases.values():
            if a.filed_s >= 0 and not a.closed:
                self._log.add(CaseOpen, t_s=end_s, case_no=a.number, state=a.state)
        for m in self.matters.values():
            if m.begins_s <= end_s:
                self._log.add(MatterOpen, t_s=end_s, matter_no=m.number, cases=len(m.cases))

    # -- matters and filing --------------------------------------------------------------------------------------

    def _begin_matter(self, now_s: int, number: int, _: int) -> None:
        m = self.matters[number]
        scene = self._catalogue.scenes[m.scene].code if m.scene >= 0 else ""
        self._log.add(
            MatterBegan, t_s=now_s, matter_no=number, target=_TARGETS[m.target], scene=scene, items=len(m.items),
            region=m.region,
        )  # fmt: skip
        for a in m.cases:
            self.cases[a.number] = a
        self._next(m, now_s)

    def _next(self, m: Matter, now_s: int) -> None:
        """File the next application if its turn has come: after the one before was accepted, with all it needs."""
        while m.filed < len(m.cases):
            a = m.cases[m.filed]
            before = m.cases[m.filed - 1] if m.filed else None
            if before is not None and not (before.accepted or before.over):
                return
            if any(m.cases[j].over and not m.cases[j].granted for j in a.needs):
                m.filed += 1
                m.dropped = a.over = a.closed = True
                m.over += 1
                continue
            if not all(m.cases[j].over for j in a.needs):
                return
            m.filed += 1
            office, arrives_s = self._choice.office(m, now_s)
            a.office = office
            self._go(m, office, arrives_s, FILE, a.number, 0)
            return
        if m.over == len(m.cases):
            result = "refused" if m.refused else "dropped" if m.dropped else "granted"
            self._log.add(
                MatterEnded, t_s=now_s, matter_no=m.number, result=result, duration_s=now_s - m.begins_s,
                cases=sum(a.filed_s >= 0 for a in m.cases), handed_in=m.handed_in, visits=m.visits,
            )  # fmt: skip
            del self.matters[m.number]

    def _file(self, now_s: int, number: int, _: int) -> None:
        a = self.cases[number]
        m, plan = a.matter, a.plan
        a.filed_s = a.ready_s = now_s
        self._open += 1
        a.state = "applied"
        m.handed_in += a.handed_in
        self._visit(a, "file", now_s)
        self._log.add(
            CaseFiled, t_s=now_s, case_no=number, matter_no=m.number, office=office_name(a.office),
            item=self._catalogue.items[plan.items[0]].code, items=len(plan.items), item_version=plan.versions[0],
            handed_in=a.handed_in, reused=a.reused,
        )  # fmt: skip
        if plan.steps[0].kind == CHECK:
            self.waiting[number, 0] = (a.office, now_s)
        needs = self._inner_needs(a)
        self._tell(
            CasesFiled(
                now_s, f"filed/{number}", (number,), (a.office,), (number,) * len(plan.items), plan.items,
                (number,) * len(needs), tuple(i for i, _ in needs), tuple(j for _, j in needs),
            )
        )  # fmt: skip

    def _inner_needs(self, a: Application) -> tuple[tuple[int, int], ...]:
        """Return the pairs of needs inside one application."""
        m = a.matter
        if len(a.plan.items) == 1:
            return ()
        merged = m.scene >= 0 and self._catalogue.scenes[m.scene].merged
        return self._catalogue.scenes[m.scene].merged_needs if merged else m.needs

    def _go(self, m: Matter, office: int, arrives_s: int, code: int, a: int, b: int) -> None:
        """Let something happen when an applicant is at an office, or has sent what was wanted."""
        if not (self._choice.in_person(office) and self._travel(m, office, arrives_s, code, a, b)):
            self._at(arrives_s, code, a, b)

    def _visit(self, a: Application, why: str, now_s: int) -> None:
        if self._choice.in_person(a.office):
            a.matter.visits += 1
            way = self._choice.way_s(a.matter, a.office)
            self._log.add(OfficeVisited, t_s=now_s, case_no=a.number, office=office_name(a.office), why=why, way_s=way)

    # -- tasks ---------------------------------------------------------------------------------------------------

    def _begin_task(self, c: BeginTask, now_s: int) -> None:
        a, calendar = self.cases.get(c.case), self._calendar.get(c.officer)
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
            self._tell(TaskStopped(now_s, f"stop/{c.key}", c.case, c.step, c.officer, "away"))
            return
        kind, dept, work_s = "appeal", a.plan.dept, 5400
        if c.step < FURTHER:
            step = a.plan.steps[c.step]
            kind, dept, work_s = STEP_KINDS[step.kind], step.dept, a.work_s[c.step]
        since_s = a.ready_s
        at_window = self.waiting.pop((c.case, c.step), None)
        if at_window is not None:
            since_s = at_window[1]
            self._choice.waited(at_window[0], now_s - since_s)
        ends_s = calendar.add(now_s, work_s)
        self._token += 1
        self._task[c.officer] = (c.case, c.step, now_s, ends_s, self._token)
        self._log.add(
            TaskBegan, t_s=now_s, case_no=c.case, step=c.step, task=kind, dept=self._depts[dept], officer=c.officer,
            waited_s=now_s - since_s,
        )  # fmt: skip
        self._at(ends_s, WORKED, c.officer, self._token)

    def _worked(self, now_s: int, officer: int, token: int) -> None:
        task = self._task.get(officer)
        if task is None or task[4] != token:
            return  # stopped meanwhile
        number, row, begun_s, _, _ = self._task.pop(officer)
        a = self.cases[number]
        if row >= FURTHER:
            outcome, kind, circulate = a.outcomes[-1][0], "appeal", 0
        else:
            left = a.outcomes[row]
            outcome, kind = left.pop(0) if len(left) > 1 else left[0], STEP_KINDS[a.plan.steps[row].kind]
            circulate = 0 if outcome == 1 else a.circulate_s[row]
        self._log.add(
            TaskEnded, t_s=now_s, case_no=number, step=row, task=kind, officer=officer,
            worked_s=self._calendar[officer].between(begun_s, now_s), outcome=OUTCOMES[outcome],
        )  # fmt: skip
        self._tell(TasksWorked(now_s, f"worked/{number}/{row}/{now_s}", (number,), (row,), (officer,)))
        if circulate:
            self._at(self._office.add(now_s, circulate), DONE, number, row * 4 + outcome)
        else:
            self._done(now_s, number, row * 4 + outcome)

    def _done(self, now_s: int, number: int, what: int) -> None:
        row, outcome = divmod(what, 4)
        a = self.cases[number]
        a.ready_s = now_s
        a.reported[row] = outcome
        self._tell(TasksDone(now_s, f"done/{number}/{row}/{now_s}", (number,), (row,), (outcome,)))

    def _stop(self, officer: int, now_s: int, reason: str) -> None:
        """Leave a task undone."""
        task = self._task.pop(officer, None)
        if task is None:
            return
        number, row, begun_s, _, _ = task
        a = self.cases[number]
        kind = STEP_KINDS[a.plan.steps[row].kind] if row < FURTHER else "appeal"
        if kind == "check":
            self.waiting[number, row] = (a.office, begun_s)
        self._log.add(
            TaskEnded, t_s=now_s, case_no=number, step=row, task=kind, officer=officer,
            worked_s=self._calendar[officer].between(begun_s, now_s), outcome="stopped",
        )  # fmt: skip
        self._tell(TaskStopped(now_s, f"stop/{number}/{row}/{now_s}", number, row, officer, reason))

    # -- applicants ------------------------------------------------------------------------------------------------

    def _ask(self, c: AskApplicant, now_s: int) -> None:
        a = self.cases[c.case]
        m = a.matter
        a.asked[c.step] = c.what
        if c.what == "correct":
            a.state = "correcting"
        self._log.add(ApplicantAsked, t_s=now_s, case_no=c.case, step=c.step, why=c.what)
        in_person = self._choice.in_person(a.office)
        if c.what == "carry":
            t_s = self._office.add(now_s, m.errand_s + self._choice.way_s(m, HALL))
        else:
            way_s = m.errand_s + self._choice.way_s(m, a.office) if in_person else 0
            t_s = self._office.add(now_s, m.prepare_s + way_s)
        self._go(m, HALL if c.what == "carry" else a.office, t_s, CAME, c.case, c.step)

    def _came(self, now_s: int, number: int, step: int) -> None:
        a = self.cases[number]
        what = a.asked.get(step)
        if a.closed or what is None:
            return  # closed meanwhile
        del a.asked[step]
        if what == "correct" and a.withdraws:
            self._tell(CaseWithdrawn(now_s, f"withdrawn/{number}", number))
            return
        a.came[step] = what
        a.ready_s = now_s
        self._log.add(ApplicantAnswered, t_s=now_s, case_no=number, step=step, why=what)
        self._visit(a, what, now_s)
        if what == "carry":
            self.waiting[number, step + 1] = (a.office, now_s)
        elif a.plan.steps[step].kind == CHECK:
            self.waiting[number, step] = (a.office, now_s)
        if what == "correct":
            a.state = "applied"
        self._tell(ApplicantCame(now_s, f"came/{number}/{step}/{now_s}", (number,), (step,)))

    def _accepted(self, c: AcceptCase, now_s: int) -> None:
        a = self.cases[c.case]
        a.accepted, a.due_s, a.state = True, c.due_s, "reviewing"
        self._log.add(CaseAccepted, t_s=now_s, case_no=c.case, due_s=c.due_s)
        self._next(a.matter, now_s)

    def _deliver(self, c: DeliverResult, now_s: int) -> None:
        a = self.cases[c.case]
        m = a.matter
        a.granted = c.result == "granted"
        a.state = "delivering" if a.granted else "refused"
        a.overdue = a.overdue or (a.due_s >= 0 and now_s > a.due_s)
        self._log.add(ResultGiven, t_s=now_s, case_no=c.case, result=c.result)
        collect_s = self._office.add(now_s, m.errand_s + self._choice.way_s(m, HALL))
        goes = not self._levers.remote
        if self._levers.remote:
            post_s = now_s + int(self._b.post_days * 86_400)
            collect_s = now_s if c.electronic else min(post_s, collect_s)
        if goes:
            self._go(m, HALL, collect_s, TAKEN, c.case, int(a.granted))
        else:
            self._at(collect_s, TAKEN, c.case, int(a.granted))

    def _taken(self, now_s: int, number: int, granted: int) -> None:
        a = self.cases[number]
        m = a.matter
        if a.over:
            return
        if not self._levers.remote:
            self._visit(a, "collect", now_s)
        if granted:
            self._tell(ResultTaken(now_s, f"taken/{number}", number))
        elif a.appeals:
            a.appeals = False  # once
            self._at(self._office.add(now_s, m.prepare_s), APPEAL, number, 0)
            return
        else:
            m.refused = True
        self._over(a, now_s)

    def _over(self, a: Application, now_s: int) -> None:
        """Note that the applicant is through with an application."""
        if not a.over:
            a.over = True
            a.matter.over += 1
            if a.matter.number in self.matters:
                self._next(a.matter, now_s)

    def _appeal(self, now_s: int, number: int, _: int) -> None:
        self.cases[number].state = "appealing"
        self._tell(AppealMade(now_s, f"appeal/{number}", number))

    def _close(self, c: ConcludeCase, now_s: int) -> None:
        a = self.cases[c.case]
        a.closed, a.state = True, c.state
        self._open -= 1
        self._log.add(
            CaseConcluded, t_s=now_s, case_no=c.case, state=c.state, duration_s=now_s - a.filed_s, overdue=a.overdue
        )
        m = a.matter
        if c.state == "rejected":
            m.refused = True
        elif c.state != "done" and not a.over:
            m.dropped = True
        if c.state == "done":
            for hear in self.on_done:
                hear(a, now_s)
        self._over(a, now_s)

    def _remind(self, c: RemindOfficers, now_s: int) -> None:
        if c.case in self.cases:
            self._log.add(OfficersReminded, t_s=now_s, case_no=c.case, due_s=c.due_s, overdue=c.late)

    def _state(self, c: AskState, now_s: int) -> None:
        """Tell again what was told before, should that have been lost."""
        a = self.cases.get(c.case)
        task = self._task.get(c.officer)
        again = f"again/{c.key}"
        if c.officer >= 0 and (task is None or task[:2] != (c.case, c.step)):
            self._tell(TasksWorked(now_s, f"{again}/worked", (c.case,), (c.step,), (c.officer,)))
            if a is not None and c.step in a.reported:
                self._tell(TasksDone(now_s, f"{again}/done", (c.case,), (c.step,), (a.reported[c.step],)))
        elif c.officer < 0 <= c.step:
            if a is not None and c.step in a.came and c.step not in a.asked:
                self._tell(ApplicantCame(now_s, f"{again}/came", (c.case,), (c.step,)))
        elif c.step < 0 and a is not None and a.over:
            self._tell(ResultTaken(now_s, f"{again}/taken", c.case))

    # -- absences and outages ------------------------------------------------------------------------------------

    def _day(self, now_s: int, day: int, _: int) -> None:
        """Draw who is away and what breaks down today, and ask for the next day."""
        b = self._b
        officers = self._people.officer
        if b.away_per_year > 0:
            ill = self._sick.uniform(_array(officers), day) < b.away_per_year / 250.0
            long = self._sick_long.exponential(max(b.away_days, 0.01), _array(officers), day)
            for officer, sick, days in zip(officers, ill.tolist(), long.tolist(), strict=True):
                if sick and officer not in self._away:
                    self.leave(officer, now_s)
                    self._at((day + max(1, round(days))) * 86_400, BACK, officer, 0)
        if b.outages_per_year > 0:
            depts = list(range(len(self._depts)))
            broken = self._outage.uniform(_array(depts), day) < b.outages_per_year / 250.0
            when = self._outage_when.uniform(_array(depts), day)
            long = self._outage_long.exponential(max(b.outage_min, 0.1) * 60.0, _array(depts), day)
            for dept, down, u, s in zip(depts, broken.tolist(), when.tolist(), long.tolist(), strict=True):
                if down:
                    t_s = day * 86_400 + 9 * 3600 + int(u * 8 * 3600)
                    self._at(max(t_s, now_s), DOWN, dept, 0)
                    self._at(max(t_s, now_s) + max(int(s), 1), UP, dept, 0)
        self._at((day + 1) * 86_400, DAY, day + 1, 0)

    def leave(self, officer: int, now_s: int) -> None:
        """Let an officer be away from now on; a task in hand stays undone."""
        self._away.add(officer)
        self._log.add(OfficerLeft, t_s=now_s, officer=officer, away=True)
        self._tell(OfficerChanged(now_s, f"away/{officer}/{now_s}", officer, False))
        self._stop(officer, now_s, "away")

    def _back(self, now_s: int, officer: int, _: int) -> None:
        if officer in self._away:
            self._away.discard(officer)
            self._log.add(OfficerLeft, t_s=now_s, officer=officer, away=False)
            self._tell(OfficerChanged(now_s, f"back/{officer}/{now_s}", officer, True))

    def _go_down(self, now_s: int, dept: int, _: int) -> None:
        if dept in self._down:
            return
        self._down.add(dept)
        self._log.add(OfficeSystemChanged, t_s=now_s, dept=self._depts[dept] if dept >= 0 else "all", up=False)
        self._tell(SystemChanged(now_s, f"down/{dept}/{now_s}", dept, False))
        for officer, (number, row, _, _, _) in sorted(self._task.items()):
            of = self.cases[number].plan
            if dept in (-1, of.steps[row].dept if row < FURTHER else of.dept):
                self._stop(officer, now_s, "system down")

    def _go_up(self, now_s: int, dept: int, _: int) -> None:
        if dept in self._down:
            self._down.discard(dept)
            self._log.add(OfficeSystemChanged, t_s=now_s, dept=self._depts[dept] if dept >= 0 else "all", up=True)
            self._tell(SystemChanged(now_s, f"up/{dept}/{now_s}", dept, True))


def _array(values: Sequence[int]) -> Any:
    import numpy as np

    return np.asarray(values, dtype=np.int64)


__all__ = ["CASES", "ONLINE", "Engine"]
