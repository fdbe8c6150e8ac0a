"""The service desk: cases filed in; tasks for officers, questions to applicants, acceptance, results out (F34–F41).

A deterministic fold over its messages. The parts: ``cases`` (the table of states), ``plans`` (items → steps),
``calendars`` (working time), ``staff`` (queues and officers), ``ports``/``policies`` (who takes what). Nothing is
lost when an officer is away or a system is down: the task waits, a stopped one returns to its old place in the queue,
and what nobody was heard of is asked about.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from twin.control.services import cases
from twin.control.services.calendars import DAY_S, calendar_of
from twin.control.services.case_file import CaseFile, applications
from twin.control.services.catalogue.items import APPEAL, CARRY, CHECK, DECIDE, ELSEWHERE, MAKE, NOTICE, VISIT
from twin.control.services.catalogue.told import cores_of
from twin.control.services.groups import back, counter
from twin.control.services.levers import LEVERS, Levers
from twin.control.services.plans import Core, Plans
from twin.control.services.policies import EarliestDue
from twin.control.services.ports import Policy, Task
from twin.control.services.staff import Staff
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import Message
from twin.domain.services import (
    OK,
    REFUSE,
    AcceptCase,
    AppealMade,
    ApplicantCame,
    AskApplicant,
    AskPlace,
    AskState,
    BeginTask,
    CasesFiled,
    CaseWithdrawn,
    ConcludeCase,
    DeliverResult,
    HoursTold,
    ItemsTold,
    OfficerChanged,
    OfficeRules,
    PlaceAnswered,
    RemindOfficers,
    ResultTaken,
    StaffTold,
    SystemChanged,
    TasksDone,
    TaskStopped,
    TasksWorked,
)

APPEAL_DAYS = 60  # Administrative Reconsideration Law of the PRC, art. 20
APPEAL_MIN = 90.0  # assumed
_FURTHER = 1 << 20  # steps of an appeal: beyond those of any plan


class ServiceDesk:
    """Controller of the service office; the part people swap is the ``policy``."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._staff = Staff(policy or EarliestDue())
        self._rules: OfficeRules | None = None
        self._levers = Levers()
        self._table: dict[int, Core] = {}
        self._plans = Plans(self._table, self._levers)
        self._cases: dict[int, CaseFile] = {}
        self._seen: set[str] = set()
        self._filed: set[int] = set()
        self._out: list[Command] = []
        self._n = 0
        self._wakes: dict[int, list[int]] = {}
        self._timers: list[tuple[int, int, int]] = []
        self._looked_day = -1
        self.odd = 0  # events that no state knew
        self._take = {
            OfficeRules: self._learn_rules,
            HoursTold: self._learn_hours,
            ItemsTold: self._learn_items,
            StaffTold: lambda m, _: self._staff.learn(m),
            CasesFiled: self._file,
            TasksWorked: self._worked,
            TasksDone: self._done,
            TaskStopped: self._stopped,
            ApplicantCame: self._came,
            ResultTaken: self._taken,
            PlaceAnswered: self._answered,
            AppealMade: self._appeal,
            CaseWithdrawn: self._withdraw,
            OfficerChanged: lambda m, _: self._staff.present(m.officer, m.present),
            SystemChanged: lambda m, _: self._staff.system(m.dept, m.up),
        }

    @property
    def open_cases(self) -> int:
        """Number of cases that are not closed."""
        return len(self._cases)

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages, look after limits once a working day, and give out work."""
        self._out = []
        for message in messages:
            if message.key in self._seen:
                continue  # told twice
            self._seen.add(message.key)
            take = self._take.get(type(message))
            if take is not None:
                take(message, now_s)  # type: ignore[operator]
        while self._timers and self._timers[0][0] <= now_s:
            _, number, step = heapq.heappop(self._timers)
            self._finish(number, step, OK, now_s)
        for t_s in [t for t in self._wakes if t <= now_s]:
            self._staff.dirty.update(dict.fromkeys(self._wakes.pop(t_s)))
        if self._rules is not None and 0 in self._staff.calendars:
            self._daily(now_s)
        if self._staff.dirty:
            self._give_out(now_s)
        return self._out

    def _key(self, what: str) -> str:
        self._n += 1
        return f"{what}/{self._n}"

    def _wake(self, t_s: int, groups: Sequence[int] = ()) -> None:
        if t_s not in self._wakes:
            self._wakes[t_s] = []
            self._out.append(WakeAt(f"wake/{t_s}", t_s))
        self._wakes[t_s] += [g for g in groups if g not in self._wakes[t_s]]

    # -- what is told at the start ---------------------------------------------------------------------------

    def _learn_rules(self, told: OfficeRules, _: int) -> None:
        self._rules = told
        self._levers = Levers(**{name: name in told.levers for name in LEVERS})
        self._plans = Plans(self._table, self._levers)

    def _learn_hours(self, told: HoursTold, _: int) -> None:
        first = self._rules.first_weekday if self._rules is not None else 0
        self._staff.calendars[told.calendar] = calendar_of(told, first)

    def _learn_items(self, told: ItemsTold, _: int) -> None:
        self._table.update(cores_of(told))

    # -- filing ------------------------------------------------------------------------------------------------

    def _file(self, told: CasesFiled, now_s: int) -> None:
        for number, office, items, needs, places in applications(told):
            if number in self._filed:
                self.odd += 1
                continue
            self._filed.add(number)
            plan = self._plans.of(items, needs, len(places))
            case = CaseFile(number, plan, office, since_s=now_s, places=tuple(places))
            self._cases[number] = case
            if not any(s.kind == CHECK and s.item < 0 for s in case.plan.steps):
                self._accept(case, now_s)
            self._go_on(case, now_s)

    def _accept(self, case: CaseFile, now_s: int) -> None:
        self._event(case, "check_passed")
        case.accepted_s = now_s
        case.due_s = self._staff.calendars[0].add_days(now_s, case.plan.legal_days)
        self._out.append(AcceptCase(self._key("accept"), case.number, case.due_s))

    def _event(self, case: CaseFile, event: str) -> bool:
        to = cases.advance(case.state, event)
        if to < 0:
            self.odd += 1
            return False
        case.state = to
        return True

    # -- the way through the office ----------------------------------------------------------------------------

    def _go_on(self, case: CaseFile, now_s: int) -> None:
        """Begin every step whose time has come, and see in which state that leaves the case."""
        steps = case.plan.steps
        for row, step in enumerate(steps):
            bit = 1 << row
            if case.begun & bit or step.after & ~case.done:
                continue
            case.begun |= bit
            if step.kind == NOTICE:
                t_s = now_s + max(step.wait_days * DAY_S, 1)
                heapq.heappush(self._timers, (t_s, case.number, row))
                self._wake(t_s)
            elif step.kind == CARRY:
                self._ask_applicant(case, row, "carry", now_s)
            elif step.kind == ELSEWHERE:
                case.elsewhere[row] = now_s
                self._out.append(AskPlace(self._key("place"), case.number, row, case.place_of(row)))
            else:
                self._queue(case, row, now_s)
        if case.accepted_s < 0 or case.state not in (cases.REVIEWING, cases.VISITING, cases.DECIDING):
            return
        if case.done == case.plan.everything:
            self._event(case, "granted")
            self._out.append(DeliverResult(self._key("deliver"), case.number, "granted", case.plan.electronic))
            case.since_s = now_s
            return
        left = {s.kind for row, s in enumerate(steps) if not case.done >> row & 1} - {MAKE, DECIDE}
        if not left and case.state != cases.DECIDING:
            self._event(case, "ready_to_decide")
        elif left == {VISIT} and case.state == cases.REVIEWING:
            self._event(case, "reviews_done")

    def _queue(self, case: CaseFile, row: int, now_s: int) -> None:
        if row >= _FURTHER:
            dept, kind, item, minutes = case.plan.dept, APPEAL, -1, APPEAL_MIN
        else:
            step = case.plan.steps[row]
            dept, kind, item, minutes = step.dept, step.kind, step.item, step.work_min
        group = (
            counter(self._staff.members, case.office, dept, self._levers.one_window)
            if kind == CHECK
            else back(dept, kind)
        )
        task = Task(case.number, row, kind, dept, item, now_s, case.due_s, case.reminded, minutes)
        self._staff.put(group, task)

    def _ask_applicant(self, case: CaseFile, row: int, what: str, now_s: int) -> None:
        until_s = 0
        if what != "carry":
            assert self._rules is not None
            until_s = self._staff.calendars[0].add_days(now_s, self._rules.correct_days)
        case.asks[row] = (what, now_s, until_s)
        self._out.append(AskApplicant(self._key("ask"), case.number, row, what, until_s))

    def _give_out(self, now_s: int) -> None:
        given, later = self._staff.assign(now_s)
        for officer, task in given:
            case = self._cases[task.case]
            case.running[task.step] = (officer, now_s)
            self._out.append(BeginTask(self._key("begin"), task.case, task.step, officer))
        for t_s, groups in later.items():
            self._wake(t_s, groups)

    # -- what comes back ---------------------------------------------------------------------------------------

    def _worked(self, told: TasksWorked, _: int) -> None:
        for number, step, officer in zip(told.case, told.step, told.officer, strict=True):
            if not self._staff.free(officer, number, step):
                self.odd += 1

    def _done(self, told: TasksDone, now_s: int) -> None:
        for number, step, outcome in zip(told.case, told.step, told.outcome, strict=True):
            self._finish(number, step, outcome, now_s)

    def _finish(self, number: int, step: int, outcome: int, now_s: int) -> None:
        case = self._cases.get(number)
        if case is None:
            self.odd += 1
            return
        officer, _ = case.running.pop(step, (-1, 0))
        timed = step < _FURTHER and case.plan.steps[step].kind == NOTICE
        if officer < 0 and not timed:
            self.odd += 1
            return
        # the officer is free when that is told, not when the result comes: it may be that of an earlier turn
        if step >= _FURTHER:
            self._appeal_heard(case, outcome, now_s)
        elif case.state in (cases.REFUSED, cases.APPEALING) or case.state in cases.FINAL:
            self.odd += 1
        elif outcome == OK:
            self._passed(case, step, now_s)
        elif outcome == REFUSE:
            self._refuse(case, step, now_s)
        else:
            intake = case.state == cases.APPLIED
            self._event(case, "check_failed" if intake else "supplement_asked")
            self._ask_applicant(case, step, "correct" if intake else "supplement", now_s)

    def _answered(self, told: PlaceAnswered, now_s: int) -> None:
        """Take in what another place has decided on its part."""
        case = self._cases.get(told.case)
        if case is None or case.elsewhere.pop(told.step, None) is None or case.state in (cases.REFUSED, *cases.FINAL):
            self.odd += 1
        elif told.outcome == REFUSE:
            self._refuse(case, told.step, now_s)
        else:
            self._passed(case, told.step, now_s)

    def _passed(self, case: CaseFile, step: int, now_s: int) -> None:
        case.done |= 1 << step
        if case.accepted_s < 0:
            self._accept(case, now_s)
        self._go_on(case, now_s)

    def _refuse(self, case: CaseFile, step: int, now_s: int) -> None:
        self._event(case, "refused")
        case.refused_by, case.since_s = step, now_s
        case.asks.clear()
        self._staff.drop(case.number)
        self._out.append(DeliverResult(self._key("deliver"), case.number, "refused", True))

    def _stopped(self, told: TaskStopped, now_s: int) -> None:
        """Put an undone task back to its old place in the queue."""
        self._staff.free(told.officer, told.case, told.step)
        case = self._cases.get(told.case)
        if case is None or case.running.get(told.step, (-1, 0))[0] != told.officer:
            self.odd += 1
            return
        _, since_s = case.running.pop(told.step)
        if case.state not in (cases.REFUSED, *cases.FINAL):
            self._queue(case, told.step, min(since_s, now_s))

    def _came(self, told: ApplicantCame, now_s: int) -> None:
        for number, step in zip(told.case, told.step, strict=True):
            case = self._cases.get(number)
            if case is None or step not in case.asks:
                self.odd += 1
                continue
            what, since_s, _ = case.asks.pop(step)
            if what == "carry":
                case.done |= 1 << step
                self._go_on(case, now_s)
                continue
            if what == "correct":
                self._event(case, "corrected")
            else:
                calendar = self._staff.calendars[0]  # the limit stands still meanwhile
                case.due_s = calendar.add(case.due_s, calendar.between(since_s, now_s))
                if not any(w == "supplement" for w, _, _ in case.asks.values()):
                    self._event(case, "supplemented")
            self._queue(case, step, now_s)

    def _taken(self, told: ResultTaken, _: int) -> None:
        case = self._cases.get(told.case)
        if case is not None and case.state == cases.DELIVERING:
            self._event(case, "result_taken")
            self._close(case)

    def _close(self, case: CaseFile) -> None:
        if case.state != cases.DONE:
            self._staff.drop(case.number)  # who works on it puts it down when that is reported
        del self._cases[case.number]
        self._out.append(ConcludeCase(self._key("close"), case.number, cases.STATES[case.state]))

    # -- appeals and withdrawals ---------------------------------------------------------------------------------

    def _appeal(self, told: AppealMade, now_s: int) -> None:
        case = self._cases.get(told.case)
        if case is None or not self._event(case, "appealed"):
            self.odd += case is None
            return
        self._queue(case, _FURTHER, now_s)

    def _appeal_heard(self, case: CaseFile, outcome: int, now_s: int) -> None:
        if outcome != OK:
            self._event(case, "appeal_failed")
            self._close(case)
            return
        self._event(case, "appeal_upheld")
        case.done |= 1 << case.refused_by
        case.begun = case.done  # whatever was interrupted begins anew
        case.running.clear()
        case.elsewhere.clear()
        self._go_on(case, now_s)

    def _withdraw(self, told: CaseWithdrawn, _: int) -> None:
        case = self._cases.get(told.case)
        if case is not None and self._event(case, "withdrawn"):
            self._close(case)

    # -- once a working day ----------------------------------------------------------------------------------------

    def _daily(self, now_s: int) -> None:
        """Remind of limits, close what nobody corrected, ask about tasks of which nothing was heard."""
        day = now_s // DAY_S
        calendar = self._staff.calendars[0]
        if day == self._looked_day or not self._cases:
            return
        if not calendar.open(now_s):
            self._wake(calendar.next_open(now_s))
            return
        self._looked_day = day
        rules = self._rules
        assert rules is not None
        old_s = now_s - rules.ask_days * DAY_S * 7 // 5
        for case in list(self._cases.values()):
            if case.overslept(now_s):
                if self._event(case, "not_corrected"):
                    self._close(case)
            elif case.state == cases.REFUSED:
                if now_s - case.since_s > APPEAL_DAYS * DAY_S:
                    self._close(case)
            else:
                self._limit(case, now_s, rules.remind_share)
                for step, officer in case.quiet(old_s):
                    case.asked_s = now_s
                    self._out.append(AskState(self._key("state"), case.number, step, officer))
        for officer, number, step in self._staff.at_work():
            at = self._cases.get(number)
            if at is None or step not in at.running:
                self._out.append(AskState(self._key("state"), number, step, officer))
        if self._cases:
            self._wake(calendar.next_open((day + 1) * DAY_S))

    def _limit(self, case: CaseFile, now_s: int, share: float) -> None:
        level = case.urgency(now_s, share)
        if level > case.reminded:
            case.reminded = level
            self._staff.urge(case.number, level)
            self._out.append(RemindOfficers(self._key("remind"), case.number, case.due_s, level > 1))
