"""Matters begin, their applications are filed one after the other, and they end."""

from __future__ import annotations

from twin.control.services.catalogue.items import CHECK
from twin.domain.services import CasesFiled
from twin.events import CaseFiled, MatterBegan, MatterEnded
from twin.world.offices.elsewhere import Elsewhere
from twin.world.offices.matters import Application, Matter
from twin.world.offices.office import FILE, Happens, Office
from twin.world.offices.people import PROXY, office_name

_TARGETS = ("person", "company")


class Filing:
    """Files what is due: an application after the one before was accepted, with all the results it needs.

    ``first``: what somebody with a new matter does before anything else; by itself files the first application.
    """

    def __init__(self, office: Office, elsewhere: Elsewhere) -> None:
        self._o, self._elsewhere = office, elsewhere
        self.first: Happens = lambda now_s, number, _: self.go_on(office.matters[number], now_s)

    def begin(self, now_s: int, number: int, _: int) -> None:
        """Let a matter begin."""
        o = self._o
        m = o.matters[number]
        scene = o.catalogue.scenes[m.scene].code if m.scene >= 0 else ""
        o.log.add(
            MatterBegan, t_s=now_s, matter_no=number, target=_TARGETS[m.target], scene=scene, items=len(m.items),
            region=m.region,
        )  # fmt: skip
        for a in m.cases:
            o.cases[a.number] = a
        self.first(now_s, number, 0)

    def go_on(self, m: Matter, now_s: int) -> None:
        """File the next application if its turn has come: after the one before was accepted, with all it needs."""
        o = self._o
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
            if a.places and not o.levers.remote:
                now_s = self._elsewhere.fetch(a, now_s)
            a.office, arrives_s = o.choice.office(m, now_s)
            if a.office == PROXY:
                self._elsewhere.hand_in(a, arrives_s, -1)
                return
            o.go(m, a.office, arrives_s, FILE, a.number, 0)
            return
        if m.over == len(m.cases):
            result = "refused" if m.refused else "dropped" if m.dropped else "granted"
            o.log.add(
                MatterEnded, t_s=now_s, matter_no=m.number, result=result, duration_s=now_s - m.begins_s,
                cases=sum(a.filed_s >= 0 for a in m.cases), handed_in=m.handed_in, visits=m.visits,
            )  # fmt: skip
            self._elsewhere.served(m, now_s)
            del o.matters[m.number]

    def file(self, now_s: int, number: int, _: int) -> None:
        """Let an application be handed in."""
        o = self._o
        a = o.cases[number]
        m, plan = a.matter, a.plan
        a.filed_s = a.ready_s = now_s
        o.open += 1
        a.state = "applied"
        m.handed_in += a.handed_in
        m.contacts += m.region >= 0
        o.visit(a, "file", now_s)
        o.log.add(
            CaseFiled, t_s=now_s, case_no=number, matter_no=m.number, office=office_name(a.office),
            item=o.catalogue.items[plan.items[0]].code, items=len(plan.items), item_version=plan.versions[0],
            handed_in=a.handed_in, reused=a.reused,
        )  # fmt: skip
        if plan.steps[0].kind == CHECK:
            o.waiting[number, 0] = (a.office, now_s)
        needs = self._inner_needs(a)
        o.tell(
            CasesFiled(
                now_s, f"filed/{number}", (number,), (a.office,), (number,) * len(plan.items), plan.items,
                (number,) * len(needs), tuple(i for i, _ in needs), tuple(j for _, j in needs),
                (number,) * len(a.places), a.places,
            )
        )  # fmt: skip

    def _inner_needs(self, a: Application) -> tuple[tuple[int, int], ...]:
        """Return the pairs of needs inside one application."""
        m, scenes = a.matter, self._o.catalogue.scenes
        if len(a.plan.items) == 1:
            return ()
        merged = m.scene >= 0 and scenes[m.scene].merged
        return scenes[m.scene].merged_needs if merged else m.needs

    def over(self, a: Application, now_s: int) -> None:
        """Note that the applicant is through with an application."""
        if not a.over:
            a.over = True
            a.matter.over += 1
            if a.matter.number in self._o.matters:
                self.go_on(a.matter, now_s)
