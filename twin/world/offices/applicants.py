"""What applicants do in truth: they bring what they are asked for, take results, appeal, and their cases are closed."""

from __future__ import annotations

from collections.abc import Callable

from twin.control.services.catalogue.items import CHECK
from twin.domain.services import (
    AcceptCase,
    AppealMade,
    ApplicantCame,
    AskApplicant,
    CaseWithdrawn,
    ConcludeCase,
    DeliverResult,
    ResultTaken,
)
from twin.events import ApplicantAnswered, ApplicantAsked, CaseAccepted, CaseConcluded, ResultGiven
from twin.world.offices.elsewhere import Elsewhere
from twin.world.offices.filing import Filing
from twin.world.offices.matters import Application
from twin.world.offices.office import APPEAL, CAME, TAKEN, Office
from twin.world.offices.people import HALL, PROXY

TO_NEXT_S = 1_800  # to the next counter, of somebody who came from far and stays until it is done (assumed)


class Applicants:
    """Applicants. ``on_done``: who hears of cases that end with their result."""

    def __init__(self, office: Office, filing: Filing, elsewhere: Elsewhere) -> None:
        self._o, self._filing, self._elsewhere = office, filing, elsewhere
        self.on_done: list[Callable[[Application, int], None]] = []

    def asked(self, c: AskApplicant, now_s: int) -> None:
        """Let an applicant find what is wanted, and come with it when that can be."""
        o = self._o
        a = o.cases[c.case]
        m = a.matter
        a.asked[c.step] = c.what
        if c.what == "correct":
            a.state = "correcting"
        o.log.add(ApplicantAsked, t_s=now_s, case_no=c.case, step=c.step, why=c.what)
        in_person = o.choice.in_person(a.office)
        if a.office == PROXY:
            self._elsewhere.hand_in(a, o.hours.add(now_s, m.prepare_s), c.step)
            return
        if c.what == "carry":
            t_s = o.hours.add(now_s, TO_NEXT_S if m.region >= 0 else m.errand_s + o.choice.way_s(m, HALL))
        else:
            way_s = m.errand_s + o.choice.way_s(m, a.office) if in_person else 0
            t_s = o.hours.add(now_s, m.prepare_s + way_s)
        o.go(m, HALL if c.what == "carry" else a.office, t_s, CAME, c.case, c.step)

    def came(self, now_s: int, number: int, step: int) -> None:
        """Let an applicant bring what was asked for, or give up."""
        o = self._o
        a = o.cases[number]
        what = a.asked.get(step)
        if a.closed or what is None:
            return  # closed meanwhile
        del a.asked[step]
        if what == "correct" and a.withdraws:
            o.tell(CaseWithdrawn(now_s, f"withdrawn/{number}", number))
            return
        a.came[step] = what
        m = a.matter
        m.contacts += m.region >= 0 and what != "carry"
        a.ready_s = now_s
        o.log.add(ApplicantAnswered, t_s=now_s, case_no=number, step=step, why=what)
        o.visit(a, what, now_s)
        if what == "carry":
            o.waiting[number, step + 1] = (a.office, now_s)
        elif a.plan.steps[step].kind == CHECK:
            o.waiting[number, step] = (a.office, now_s)
        if what == "correct":
            a.state = "applied"
        o.tell(ApplicantCame(now_s, f"came/{number}/{step}/{now_s}", (number,), (step,)))

    def accepted(self, c: AcceptCase, now_s: int) -> None:
        """Tell an applicant that a case is accepted; the next application may follow."""
        a = self._o.cases[c.case]
        a.accepted, a.due_s, a.state = True, c.due_s, "reviewing"
        self._o.log.add(CaseAccepted, t_s=now_s, case_no=c.case, due_s=c.due_s)
        self._filing.go_on(a.matter, now_s)

    def delivered(self, c: DeliverResult, now_s: int) -> None:
        """Let a result go out: online, by post, or to be collected."""
        o = self._o
        a = o.cases[c.case]
        m = a.matter
        a.granted = c.result == "granted"
        a.state = "delivering" if a.granted else "refused"
        a.overdue = a.overdue or (a.due_s >= 0 and now_s > a.due_s)
        o.log.add(ResultGiven, t_s=now_s, case_no=c.case, result=c.result)
        collect_s = o.hours.add(now_s, m.errand_s + o.choice.way_s(m, HALL))
        goes = not o.levers.remote
        if o.levers.remote:
            post_s = now_s + int(o.behaviour.post_days * 86_400)
            collect_s = now_s if c.electronic else min(post_s, collect_s)
        if goes:
            o.go(m, HALL, collect_s, TAKEN, c.case, int(a.granted))
        else:
            o.at(collect_s, TAKEN, c.case, int(a.granted))

    def taken(self, now_s: int, number: int, granted: int) -> None:
        """Let an applicant have the result in hand, and perhaps appeal against it."""
        o = self._o
        a = o.cases[number]
        m = a.matter
        if a.over:
            return
        m.contacts += m.region >= 0
        if not o.levers.remote:
            o.visit(a, "collect", now_s)
        if granted:
            o.tell(ResultTaken(now_s, f"taken/{number}", number))
        elif a.appeals:
            a.appeals = False  # once
            o.at(o.hours.add(now_s, m.prepare_s), APPEAL, number, 0)
            return
        else:
            m.refused = True
        self._filing.over(a, now_s)

    def appeal(self, now_s: int, number: int, _: int) -> None:
        """Let an applicant appeal."""
        self._o.cases[number].state = "appealing"
        self._o.tell(AppealMade(now_s, f"appeal/{number}", number))

    def closed(self, c: ConcludeCase, now_s: int) -> None:
        """Let a case be closed."""
        o = self._o
        a = o.cases[c.case]
        a.closed, a.state = True, c.state
        o.open -= 1
        o.log.add(
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
        self._filing.over(a, now_s)
