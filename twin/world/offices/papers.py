"""Papers in truth: which are handed in, looked up, or not in order, and what asking beforehand changes.

A licence lies in the base with a share; one of other people than the applicant must lie there *and* each of them must
agree to the look-up (holders authorise it, as in the rules of Xiangyang, 2023, 襄阳市电子证照管理应用暂行办法); one
whose original is taken back is handed in whatever the base holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.services.catalogue.items import APPEAL, CARRY, CHECK, ELSEWHERE, MAKE, NOTICE, Catalogue
from twin.control.services.levers import Levers
from twin.dice import Dice
from twin.world.offices.matters import Application, Matter
from twin.world.offices.settings import Behaviour

_NO_REVIEW = (CHECK, MAKE, CARRY, NOTICE, APPEAL, ELSEWHERE)


class Papers:
    """Draws the papers of applications; every draw belongs to (seed, purpose, matter, material)."""

    def __init__(self, dice: Dice, catalogue: Catalogue, levers: Levers, behaviour: Behaviour) -> None:
        self._flaw, self._late = dice.stream("services.flaw"), dice.stream("services.late_flaw")
        self._reuse, self._informed = dice.stream("services.reuse"), dice.stream("services.informed")
        self._levers, self._b, self._scenes = levers, behaviour, catalogue.scenes
        b = behaviour
        self._hit = np.array(
            [
                m.licence * ((b.reuse_hit * b.agrees) ** m.others if m.others else b.reuse_hit)
                for m in catalogue.materials
            ]
        )
        row = catalogue.material_row
        self._materials = [tuple(row[m] for m in i.materials) for i in catalogue.items]
        self._back_of: dict[tuple[int, ...], frozenset[int]] = {}
        self._back = [frozenset(row[m] for m in i.surrendered) for i in catalogue.items]

    def draw(self, applications: Sequence[Application]) -> None:
        """Draw which materials are handed in, which are looked up, which are not in order."""
        rows = [(a, place, material) for a in applications for material, place in self.required(a).items()]
        matter = np.array([a.matter.number for a, _, _ in rows], dtype=np.int64)
        material = np.array([m for _, _, m in rows], dtype=np.int64)
        b, levers = self._b, self._levers
        reused = np.zeros(len(rows), dtype=bool)
        if levers.licence_reuse:
            back = np.array([m in self._taken_back(a.plan.items) for a, _, m in rows], dtype=bool)
            reused = ~back & (self._reuse.uniform(matter, material) < self._hit[material])
        share = b.flaw * (1.0 - b.precheck_catches) if levers.precheck else b.flaw
        flawed = (self._flaw.uniform(matter, material) < share) & ~reused
        late = self._late.uniform(matter, material) < b.late_flaw
        for (a, place, m), re, fl, la in zip(rows, reused.tolist(), flawed.tolist(), late.tolist(), strict=True):
            if re:
                a.reused += 1
                continue
            a.handed_in += 1
            a.brought.append(m)
            if fl:
                _mark(a, place, m, late=la)
        for a in applications:
            a.handed_in += a.plan.copies
            if not levers.remote:
                a.handed_in += len(a.places)  # what each other place has to say comes as a paper
            # the result of an earlier application is one more paper, unless results flow back into the base
            scene = a.matter.scene
            if a.needs and scene >= 0 and self._scenes[scene].generated:
                if levers.licence_reuse:
                    a.reused += len(a.needs)
                else:
                    a.handed_in += len(a.needs)

    def _taken_back(self, items: tuple[int, ...]) -> frozenset[int]:
        """Return the materials that any of the items takes back; kept by items."""
        found = self._back_of.get(items)
        if found is None:
            found = self._back_of[items] = frozenset().union(*(self._back[i] for i in items))
        return found

    def required(self, a: Application) -> dict[int, int]:
        """Return the materials of an application, each once, with the place of the first item that asks for it."""
        out: dict[int, int] = {}
        for place, item in enumerate(a.plan.items):
            for material in self._materials[item]:
                out.setdefault(material, place)
        return out

    # -- what asking beforehand changes --------------------------------------------------------------------------

    def informed(self, m: Matter) -> None:
        """Let an applicant know the list and what each paper must be: a share of the flaws does not happen."""
        for a in m.cases:
            material = np.array([f for flaws in a.flaws.values() for f in flaws], dtype=np.int64)
            if not material.size:
                continue
            avoided = set(
                material[self._informed.uniform(np.full(material.size, m.number), material) < self._b.avoids].tolist()
            )
            for step, flaws in list(a.flaws.items()):
                if avoided.issuperset(flaws):
                    a.outcomes[step].remove(1)
                    del a.flaws[step]

    def misled(self, m: Matter, item: int) -> bool:
        """Let an applicant come with the papers of another item; return whether something is missing then."""
        first = m.cases[0]
        missing = set(first.brought).difference(self._materials[item])
        if missing:
            _mark(first, 0, min(missing), late=False)
        return bool(missing)


def _mark(a: Application, place: int, material: int, *, late: bool) -> None:
    """Let a flaw be found: at the check, or by the first reviewer of its item."""
    for k, s in enumerate(a.plan.steps):
        intake = s.kind == CHECK and s.item < 0 and s.slot == 0
        reviewer = s.place == place and s.item >= 0 and s.kind not in _NO_REVIEW
        if reviewer if late else intake:
            if 1 not in a.outcomes[k]:
                a.outcomes[k].insert(0, 1)
            a.flaws.setdefault(k, []).append(material)
            return
