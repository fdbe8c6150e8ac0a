"""What is true about matters, drawn once, many at a time: errands, work, circulation, refusals, papers, other places.

Every draw is a function of (seed, purpose, matter, occurrence), where the occurrence names the item and step or the
material it is about. So two offices that differ in a lever meet the same people with the same papers, and a step that
both have takes the same work in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twin.control.services.catalogue.items import DECIDE, Catalogue
from twin.control.services.levers import Levers
from twin.control.services.plans import Plans
from twin.dice import Dice, Stream
from twin.world.offices.matters import CASES, DAY_WORK_S, Application, Matter
from twin.world.offices.papers import Papers
from twin.world.offices.regions import shares
from twin.world.offices.settings import Behaviour

Floats = npt.NDArray[np.float64]
LEAST_ERRAND_S = 1800


def _mean_one(z: Floats, sigma: float) -> Floats:
    """Return log-normal numbers of mean 1."""
    return np.asarray(np.exp(sigma * z - 0.5 * sigma**2))


class Truth:
    """Draws what is true about matters. ``papers``: draws theirs, and knows what asking beforehand changes."""

    def __init__(self, dice: Dice, catalogue: Catalogue, plans: Plans, levers: Levers, behaviour: Behaviour) -> None:
        def stream(what: str) -> Stream:
            return dice.stream(f"services.{what}")

        self._plans, self._levers, self._b = plans, levers, behaviour
        self._work, self._circulate = stream("work"), stream("circulate")
        self._refuse, self._appeal, self._upheld = stream("refuse"), stream("appeal"), stream("upheld")
        self._withdraw, self._errand, self._prepare = stream("withdraw"), stream("errand"), stream("prepare")
        self._channel = stream("channel")
        self._places_of, self._joint = [i.places for i in catalogue.items], stream("joint_place")
        self._scenes = catalogue.scenes
        self.papers = Papers(dice, catalogue, levers, behaviour)
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
        self.papers.draw(applications)

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
            places = self._others(m, of)
            plan = self._plans.of(of, inner, len(places))
            n = len(plan.steps)
            m.cases.append(
                Application(
                    m.number * CASES + k, m, plan, before, 0, 0, [0] * n, [0] * n, [[0] for _ in range(n)], places
                )
            )
        return m.cases

    def _others(self, m: Matter, items: Sequence[int]) -> tuple[int, ...]:
        """Return the other places that take part in an application: where the applicant lives first, others drawn."""
        most = max(self._places_of[i] for i in items)
        if not most:
            return ()
        drawn = self._joint.choice(shares(), np.full(most, m.number), np.arange(most)).tolist()
        known = [m.region, *drawn] if m.region >= 0 else drawn
        return tuple(dict.fromkeys(known))[:most]

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
