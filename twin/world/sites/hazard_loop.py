"""The hazards of sites on the clock: who sees them, and what the desk's commands about them do (F17, F18)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from twin.clock import Phase
from twin.domain.commands import Command
from twin.domain.construction import (
    ENDS,
    HAZARDS,
    CloseHazard,
    EscalateHazard,
    HazardTold,
    OrderRecheck,
    OrderRectification,
    OrderSiteCheck,
    RecheckTold,
    RectificationTold,
)
from twin.domain.messages import Message
from twin.events import (
    HazardClosed,
    HazardEscalated,
    HazardRechecked,
    HazardRectified,
    RectificationOrdered,
    SiteCheckOrdered,
    SiteHazardAppeared,
    SiteHazardGone,
    SiteHazardSeen,
)
from twin.scenario.construction import Construction
from twin.world.sites.env import DAY_S, DESK, Env
from twin.world.sites.files import Sites
from twin.world.sites.hazards import Hazard, Hazards, Sighting, grade_name, rows_of
from twin.world.sites.telling import SUPERVISOR
from twin.world.sites.works import Works

OPEN_S, SHUT_S = 8 * 3600, 18 * 3600  # supervisors
PROPER = 0.88  # rectifications that really do it (assumed)
RECHECK_SEES = 0.95  # a supervisor notices that it was not done (assumed)


class HazardLoop:
    """Hazards in truth, their sightings as messages, the desk's orders as deeds."""

    def __init__(self, env: Env, part: Construction, sites: Sites, works: Works) -> None:
        self._e, self.sites, self.works = env, sites, works
        self.hazards = Hazards(sites, env.dice, part.hazards_per_site_day, part.cameras)
        names = ("visit", "goes", "takes", "proper", "sees")
        self._draw = {n: env.dice.stream(f"sites.{n}") for n in names}
        self._row = rows_of(sites.project)
        self._case: dict[str, tuple[int, int, int]] = {}  # of the desk → which hazard it is about
        self._stopped_by: dict[str, int] = {}
        self._told = 0

    def _tell(self, message: Message) -> None:
        self._e.tell(DESK, message)

    def _at(self, t_s: int, phase: Phase, action: Callable[[], None]) -> None:
        if self._e.clock.now_s <= t_s < self._e.end_s:
            self._e.clock.at(t_s, phase, action)

    def _seen(self, s: Sighting) -> None:
        where = (s.project, s.kind, s.spot)
        real = where in self.hazards.there
        now = self._e.clock.now_s
        self._e.log.add(
            SiteHazardSeen, t_s=now, project=s.project, what=HAZARDS[s.kind], spot=s.spot, end=ENDS[s.end], real=real
        )
        self._hazard_told(s.end, where, True, s.scores)

    def _hazard_told(
        self, end: int, where: tuple[int, int, int], seen: bool, scores: tuple[float, float, float]
    ) -> None:
        now = self._e.clock.now_s
        self._told += 1
        project, kind, spot = where
        key = f"hazard/{ENDS[end]}/{project}/{kind}/{spot}/{now}/{self._told}"
        self._tell(HazardTold(now, key, end, project, kind, spot, seen, *scores))

    # -- hazards -------------------------------------------------------------------------------------------

    def _appears(self, h: Hazard) -> None:
        if h.where in self.hazards.there:
            return
        self.hazards.there[h.where] = h
        self._e.log.add(
            SiteHazardAppeared, t_s=h.since_s, project=h.project, what=HAZARDS[h.kind], spot=h.spot, grade=grade_name(h)
        )
        self._at(h.gone_s, Phase.WORLD, partial(self._goes, h, "by itself"))
        sighting = self.hazards.by_device(h)
        if sighting is not None:
            self._at(sighting.t_s, Phase.PERCEIVE, partial(self._device_sees, h, sighting))

    def _device_sees(self, h: Hazard, s: Sighting) -> None:
        if self.hazards.there.get(h.where) is h:
            self._seen(s)

    def _goes(self, h: Hazard, cause: str) -> None:
        if self.hazards.there.get(h.where) is not h:
            return
        del self.hazards.there[h.where]
        now = self._e.clock.now_s
        self._e.log.add(
            SiteHazardGone, t_s=now, project=h.project, what=HAZARDS[h.kind], spot=h.spot, cause=cause,
            duration_s=now - h.since_s,
        )  # fmt: skip

    def _office_hours(self, t_s: int) -> int:
        """Return the first second from ``t_s`` on at which supervisors work."""
        day, second = divmod(t_s, DAY_S)
        if second >= SHUT_S:
            day, second = day + 1, OPEN_S
        second = max(second, OPEN_S)
        if (self._e.weekday + day) % 7 == 6:
            day, second = day + 1, OPEN_S
        return day * DAY_S + second

    def _hazard_command(self, c: Command, now_s: int) -> bool:
        log = self._e.log
        if isinstance(c, OrderSiteCheck):
            self._case[c.case] = (c.project, c.hazard, c.spot)
            log.add(SiteCheckOrdered, t_s=now_s, case=c.case, project=c.project, due_s=c.due_s)
            self._at(self._goes_at(c.case, c.project, now_s), Phase.PERCEIVE, partial(self._check, c.case))
        elif isinstance(c, OrderRectification):
            self._case[c.case] = (c.project, c.hazard, c.spot)
            log.add(RectificationOrdered, t_s=now_s, case=c.case, project=c.project, grade=c.grade, due_s=c.due_s)
            if c.stop_work and c.case not in self._stopped_by and c.project in self._row:
                self._stopped_by[c.case] = self._row[c.project]
                self.stop(self._row[c.project], True)
            self._rectify_later(c, now_s)
        elif isinstance(c, OrderRecheck):
            log.add(SiteCheckOrdered, t_s=now_s, case=c.case, project=c.project, due_s=c.due_s)
            self._at(self._goes_at(c.case, c.project, now_s), Phase.PERCEIVE, partial(self._recheck, c.case))
        elif isinstance(c, EscalateHazard):
            log.add(HazardEscalated, t_s=now_s, case=c.case, project=c.project, step=c.level, to=c.to)
        elif isinstance(c, CloseHazard):
            where = self._case.pop(c.case, (c.project, -1, -1))
            real = where not in self.hazards.there
            log.add(HazardClosed, t_s=now_s, case=c.case, project=c.project, outcome=c.outcome, real=real)
            row = self._stopped_by.pop(c.case, None)
            if row is not None:
                self.stop(row, False)
        else:
            return False
        return True

    def stop(self, row: int, stopped: bool) -> None:
        """Stop the work on a site from the next day on, or let it go on; several orders may hold."""
        self.works.ordered_stop[row] += 1 if stopped else -1

    def _goes_at(self, case: str, project: int, now_s: int) -> int:
        """Return when the supervisor who is sent is there: 1 to 12 hours later (assumed), in office hours."""
        spot = self._case[case][2]
        return self._office_hours(now_s + int(self._draw["goes"].integers(3_600, 12 * 3600, project, now_s + spot)[0]))

    def _check(self, case: str) -> None:
        where = self._case.get(case)
        if where is None:
            return
        h = self.hazards.there.get(where)
        seen = h is not None
        now = self._e.clock.now_s
        scores = (
            self.hazards.judged(h.scores, SUPERVISOR, h.project, now + h.spot) if h is not None else (0.0, 0.0, 0.0)
        )
        if h is not None:
            self._e.log.add(
                SiteHazardSeen, t_s=now, project=h.project, what=HAZARDS[h.kind], spot=h.spot, end=ENDS[SUPERVISOR],
                real=True,
            )  # fmt: skip
        self._hazard_told(SUPERVISOR, where, seen, scores)

    def _rectify_later(self, c: OrderRectification, now_s: int) -> None:
        """Let the builder do it: half of the time given in the middle, now and then too late (assumed)."""
        at = now_s + c.spot
        factor = 0.5 * float(np.exp(0.6 * self._draw["takes"].normal(c.project, at)[0]))
        proper = bool(self._draw["proper"].uniform(c.project, at)[0] < PROPER)
        done_s = now_s + max(int(factor * (c.due_s - now_s)), 600)
        self._at(done_s, Phase.WORLD, partial(self._rectified, c.case, proper))

    def _rectified(self, case: str, proper: bool) -> None:
        where = self._case.get(case)
        if where is None:
            return
        h = self.hazards.there.get(where)
        if proper and h is not None:
            self._goes(h, case)
        now = self._e.clock.now_s
        gone = where not in self.hazards.there
        self._e.log.add(HazardRectified, t_s=now, case=case, project=where[0], proper=gone)
        self._told += 1
        self._tell(RectificationTold(now, f"rectified/{case}/{self._told}", case))

    def _recheck(self, case: str) -> None:
        where = self._case.get(case)
        if where is None:
            return
        now = self._e.clock.now_s
        there = where in self.hazards.there
        notices = self._draw["sees"].uniform(where[0], now + where[2])[0] < RECHECK_SEES
        passed = not (there and notices)
        self._e.log.add(HazardRechecked, t_s=now, case=case, project=where[0], accepted=passed)
        self._told += 1
        self._tell(RecheckTold(now, f"rechecked/{case}/{self._told}", case, passed))

    @property
    def open_cases(self) -> int:
        """Cases of the desk that are not closed."""
        return len(self._case)
