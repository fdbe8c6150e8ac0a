"""Matters: what somebody wants of the office, which applications that makes, and everything drawn about it.

Every draw is a function of (seed, purpose, matter, occurrence), where the occurrence names the item and step or the
material it is about. So two offices that differ in a lever meet the same people with the same papers, and a step that
both have takes the same work in both.

Numbers: ``matter`` as given by whoever makes them (see :mod:`twin.world.offices.demand`); case = matter × 16 + place of
its application among the matter's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.control.services.catalogue.items import APPEAL, CARRY, CHECK, DECIDE, MAKE, NOTICE, Catalogue
from twin.control.services.levers import Levers
from twin.control.services.plans import Plan, Plans
from twin.dice import Dice, Stream
from twin.world.offices.settings import Behaviour

Floats = npt.NDArray[np.float64]
CASES = 16  # most applications of a matter
DAY_WORK_S = 7 * 3600  # working seconds of a day
LEAST_ERRAND_S = 1800
ONE_WAY_MOST_S = 4 * 3600


@dataclass(slots=True)
class Matter:
    """What one applicant wants. ``items``: item numbers in order; ``needs``: pairs of places; ``region`` -1: from here.

    ``home``: where the applicant sets out (row of blocks, -1 unknown). The rest is drawn by :class:`Truth`.
    """

    number: int
    begins_s: int
    target: int
    scene: int
    items: tuple[int, ...]
    needs: tuple[tuple[int, int], ...]
    region: int = -1
    home: int = -1
    on_foot: bool = False  # is on the way to an office already when the run begins
    resident: int = -1
    way_s: int = 0
    digital: bool = True
    errand_s: int = 0
    prepare_s: int = 0
    channel_u: float = 0.5
    cases: list[Application] = field(default_factory=list)
    filed: int = 0
    over: int = 0
    handed_in: int = 0
    visits: int = 0
    refused: bool = False
    dropped: bool = False


@dataclass(slots=True)
class Application:
    """One case of a matter and all that is true of it.

    ``places``: which of the matter's items it is for; ``needs``: applications (places in ``matter.cases``) whose
    results it needs. Per step of the plan: ``work_s``, ``circulate_s``, ``outcomes`` still to come (the last one
    stays). ``office``: where it was filed, -1 not yet.
    """

    number: int
    matter: Matter
    plan: Plan
    needs: tuple[int, ...]
    handed_in: int
    reused: int
    work_s: list[int]
    circulate_s: list[int]
    outcomes: list[list[int]]
    office: int = -1
    filed_s: int = -1
    due_s: int = -1
    accepted: bool = False
    state: str = ""
    overdue: bool = False
    closed: bool = False
    asked: dict[int, str] = field(default_factory=dict)
    came: dict[int, str] = field(default_factory=dict)
    ready_s: int = 0
    over: bool = False
    granted: bool = False
    reported: dict[int, int] = field(default_factory=dict)
    appeals: bool = False
    withdraws: bool = False


def _mean_one(z: Floats, sigma: float) -> Floats:
    """Return log-normal numbers of mean 1."""
    return np.asarray(np.exp(sigma * z - 0.5 * sigma**2))


class Truth:
    """Draws what is true about matters, many at a time."""

    def __init__(self, dice: Dice, catalogue: Catalogue, plans: Plans, levers: Levers, behaviour: Behaviour) -> None:
        def stream(what: str) -> Stream:
            return dice.stream(f"services.{what}")

        self._plans, self._levers, self._b = plans, levers, behaviour
        self._work, self._circulate = stream("work"), stream("circulate")
        self._flaw, self._late, self._reuse = stream("flaw"), stream("late_flaw"), stream("reuse")
        self._refuse, self._appeal, self._upheld = stream("refuse"), stream("appeal"), stream("upheld")
        self._withdraw, self._errand, self._prepare = stream("withdraw"), stream("errand"), stream("prepare")
        self._channel = stream("channel")
        self._licence = np.array([m.licence for m in catalogue.materials])
        self._materials = [tuple(catalogue.material_row[m] for m in i.materials) for i in catalogue.items]
        self._scenes = catalogue.scenes
        self._merged = [tuple(catalogue.item_row[c] for c in s.merged) for s in catalogue.scenes]

    def draw(self, matters: Sequence[Matter]) -> None:
        """Give every matter its traits and its applications."""
        if not matters:
            return
        number = np.array([m.number for m in matters], dtype=np.int64)
        b = self._b
        errand = LEAST_ERRAND_S + self._errand.exponential(b.errand_days * DAY_WORK_S, number)
        prepare = self._prepare.exponential(b.prepare_days * DAY_WORK_S, number)
        channel = self._channel.uniform(number).tolist()
        applications: list[Application] = []
        for i, m in enumerate(matters):
            m.errand_s, m.prepare_s, m.channel_u = int(errand[i]), int(prepare[i]), channel[i]
            applications += self._apply(m)
        self._draw_steps(applications)
        self._draw_materials(applications)

    def _apply(self, m: Matter) -> list[Application]:
        """Make the applications of a matter: one for a scene where the office has scenes, else one for each item."""
        items, needs = m.items, m.needs
        groups: list[tuple[tuple[int, ...], tuple[tuple[int, int], ...], tuple[int, ...]]]
        if len(items) > 1 and self._levers.scenes:
            if m.scene >= 0 and self._merged[m.scene]:
                items, needs = self._merged[m.scene], self._scenes[m.scene].merged_needs
            groups = [(items, needs, ())]
        else:
            groups = [((item,), (), tuple(j for i, j in needs if i == k)) for k, item in enumerate(items)]
        for k, (of, inner, before) in enumerate(groups):
            plan = self._plans.of(of, inner)
            n = len(plan.steps)
            m.cases.append(
                Application(m.number * CASES + k, m, plan, before, 0, 0, [0] * n, [0] * n, [[0] for _ in range(n)])
            )
        return m.cases

    def _draw_steps(self, applications: list[Application]) -> None:
        """Work, circulation and refusal of every step; the same for a step wherever it appears."""
        rows = [(a, k, s) for a in applications for k, s in enumerate(a.plan.steps)]
        matter = np.array([a.matter.number for a, _, _ in rows], dtype=np.int64)
        # checks and making are as quick as the applicant's papers let them be; all others belong to item and step
        which = np.array([(s.item + 1) * 128 + s.slot if s.item >= 0 else 0 for _, _, s in rows], dtype=np.int64)
        b = self._b
        work = np.array([s.work_min * 60.0 for _, _, s in rows])
        if b.durations == "log-normal":
            work = work * _mean_one(self._work.normal(matter, which), b.work_sigma)
        elif b.durations == "exponential":
            # every step on its own: what queueing theory asks for
            alone = np.array([a.number % CASES * 64 + k for a, k, _ in rows], dtype=np.int64)
            work = work * self._work.exponential(1.0, matter, alone)
        circulate = np.array([s.circulate_days for _, _, s in rows]) * DAY_WORK_S * b.circulate
        circulate = circulate * _mean_one(self._circulate.normal(matter, which), b.circulate_sigma)
        refuse = (self._refuse.uniform(matter, which) < b.refuse).tolist()
        for (a, k, s), w, c, r in zip(rows, np.rint(work).tolist(), np.rint(circulate).tolist(), refuse, strict=True):
            a.work_s[k], a.circulate_s[k] = max(int(w), 1), int(c)
            if r and s.kind == DECIDE:
                a.outcomes[k] = [2]
        first = np.array([a.number for a in applications], dtype=np.int64)
        appeals = (self._appeal.uniform(first) < b.appeal).tolist()
        upheld = (self._upheld.uniform(first) < b.upheld).tolist()
        withdraws = (self._withdraw.uniform(first) < b.withdraw).tolist()
        for a, x, y, z in zip(applications, appeals, upheld, withdraws, strict=True):
            a.appeals, a.withdraws = x, z
            a.outcomes.append([0 if y else 2])  # of an appeal, should there be one

    def _draw_materials(self, applications: list[Application]) -> None:
        """Which materials are handed in, which are looked up, which are not in order."""
        rows = [
            (a, place, material)
            for a in applications
            for material, place in self._required(a).items()
        ]  # fmt: skip
        matter = np.array([a.matter.number for a, _, _ in rows], dtype=np.int64)
        material = np.array([m for _, _, m in rows], dtype=np.int64)
        b, levers = self._b, self._levers
        reused = np.zeros(len(rows), dtype=bool)
        if levers.licence_reuse:
            reused = self._licence[material] & (self._reuse.uniform(matter, material) < b.reuse_hit)
        share = b.flaw * (1.0 - b.precheck_catches) if levers.precheck else b.flaw
        flawed = (self._flaw.uniform(matter, material) < share) & ~reused
        late = self._late.uniform(matter, material) < b.late_flaw
        for (a, place, _), re, fl, la in zip(rows, reused.tolist(), flawed.tolist(), late.tolist(), strict=True):
            if re:
                a.reused += 1
                continue
            a.handed_in += 1
            if fl:
                self._mark(a, place, late=la)
        for a in applications:
            a.handed_in += a.plan.copies
            # the result of an earlier application is one more paper, unless results flow back into the base
            scene = a.matter.scene
            if a.needs and scene >= 0 and self._scenes[scene].generated:
                if levers.licence_reuse:
                    a.reused += len(a.needs)
                else:
                    a.handed_in += len(a.needs)

    def _required(self, a: Application) -> dict[int, int]:
        """Return the materials of an application, each once, with the place of the first item that asks for it."""
        out: dict[int, int] = {}
        for place, item in enumerate(a.plan.items):
            for material in self._materials[item]:
                out.setdefault(material, place)
        return out

    @staticmethod
    def _mark(a: Application, place: int, *, late: bool) -> None:
        """Let a flaw be found: at the check, or by the first reviewer of its item."""
        for k, s in enumerate(a.plan.steps):
            intake = s.kind == CHECK and s.item < 0 and s.slot == 0
            reviewer = s.place == place and s.item >= 0 and s.kind not in (CHECK, MAKE, CARRY, NOTICE, APPEAL)
            if (reviewer if late else intake) and 1 not in a.outcomes[k]:
                a.outcomes[k].insert(0, 1)
                return
            if reviewer if late else intake:
                return
