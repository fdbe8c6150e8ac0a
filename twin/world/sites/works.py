"""What gets built, day by day, in truth.

A project moves along its planned S-curve by ``pace`` planned days a day: the efficiency of its builder and its own,
workers (a slowly varying AR(1)), the weather, spells of late material (30 % of the pace left) and stoppages (none). A
planner reckons with the climate and with the usual spells, but is optimistic by ``OPTIMISM`` (Flyvbjerg 2003: nine of
ten large projects overrun; the figure here is assumed). Idle days cost money, too: 15 % of the budget is spent by
time, not by work (assumed). All figures without a source are assumed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.control.construction.earned_value import s_curve
from twin.dice import Dice, Stream
from twin.domain.construction import LIBRARIES
from twin.world.sites.files import Floats, Ints, Sites
from twin.world.sites.sky import ALERT_LOSS, FROST_LOSS, WET_LOSS, DaySky, Sky, usual_share

Bools = npt.NDArray[np.bool_]

OPTIMISM = 0.04
BUILDER_SD, PROJECT_SD, WORKERS_SD, WORKERS_KEEP = 0.08, 0.10, 0.18, 0.98
LATE_RATE, LATE_DAYS, LATE_LEFT = 0.004, 12.0, 0.3  # spells of late material: a day, mean days, pace that is left
STOP_RATE, STOP_DAYS = 0.0012, 18.0
BY_TIME = 0.15
PRICE_MEAN, PRICE_SD = 0.02, 0.05
HEARS, EXTRA, EXTRA_DAYS = 0.7, 0.15, 90  # builders who answer a warning, workers they add, for how long
_CURRENT, _POST = LIBRARIES.index("current"), LIBRARIES.index("post")
KEPT_DAYS = 45
_BEFORE = 4_000  # days before the first are drawn under positive numbers


@dataclass(frozen=True)
class Stand:
    """How things stand at the end of a day: progress in truth and by plan, money spent; rows are projects."""

    day: int
    progress: Floats
    planned: Floats
    cost_cny: Floats


class Works:
    """State of all projects at the end of ``today``; :meth:`step` makes it the next day's."""

    def __init__(self, sites: Sites, dice: Dice, sky: Sky, respond: bool) -> None:
        self.sites, self._sky, self._respond = sites, sky, respond
        n = len(sites)
        who = sites.project
        s = {name: dice.stream(f"sites.{name}") for name in ("workers", "late", "stop", "hears")}
        self._draw: dict[str, Stream] = s
        builder = dice.stream("sites.builder").normal(sites.contractor) * BUILDER_SD
        own = dice.stream("sites.efficiency").normal(who) * PROJECT_SD
        spells = 1 - LATE_RATE * LATE_DAYS * (1 - LATE_LEFT) - STOP_RATE * STOP_DAYS
        usual = usual_share()[sites.kind] * spells
        spread = 0.5 * (BUILDER_SD**2 + PROJECT_SD**2)
        self._pace = np.exp(builder + own - spread) * (1 - OPTIMISM) / usual
        self._price = np.exp(PRICE_MEAN + PRICE_SD * dice.stream("sites.price").normal(who))
        self._workers = WORKERS_SD * s["workers"].normal(who, 0)  # as if it had gone on for ever
        self._spell_s = {name: dice.stream(f"sites.{name}_days") for name in ("late", "stop")}
        self._late_until = np.full(n, -_BEFORE, dtype=np.int64)
        self._stop_until = np.full(n, -_BEFORE, dtype=np.int64)
        self._extra_until = np.full(n, -_BEFORE, dtype=np.int64)
        self.days = (sites.finish_day - sites.start_day).astype(np.float64)
        self.done_days: Floats = np.where(sites.library == _POST, self.days, 0.0)
        self.progress: Floats = np.where(sites.library == _POST, 1.0, 0.0)
        self.gained: Floats = np.zeros(n)  # progress of today
        self.cost_cny: Floats = np.where(sites.library == _POST, sites.investment_cny * self._price, 0.0)
        self.finished: Bools = sites.library == _POST
        self.busy: Floats = np.zeros(n)  # today's pace as a share of the planned one; 0: nobody works
        self.may_start: Bools = sites.library == _CURRENT
        self.ordered_stop: Ints = np.zeros(n, dtype=np.int64)  # orders in force that stop the site
        self.today = -1 - _BEFORE
        self.past: deque[Stand] = deque(maxlen=KEPT_DAYS)
        self._past()

    def _past(self) -> None:
        """Let everything before the first day happen; nothing that is under construction was finished before."""
        begun = self.sites.start_day[self.may_start]
        self.today = min(int(begun.min(initial=0)), 0) - 1
        for day in range(self.today + 1, 0):
            self.step(day, self._sky.day(day))
            early = self.finished & self.may_start
            self.finished[early] = False
            self.done_days[early] = np.minimum(self.done_days[early], self.days[early] * 0.97)
            self.progress[early] = self._on_curve(early)

    def _on_curve(self, rows: Bools) -> Floats:
        c, k = self.sites.curve_c[rows], self.sites.curve_k[rows]
        return s_curve(self.done_days[rows] / self.days[rows], c, k)

    def step(self, day: int, sky: DaySky) -> Ints:
        """Let a day happen; return the rows that were finished in it."""
        s, who = self.sites, self.sites.project
        t = day + _BEFORE
        kept = np.sqrt(1 - WORKERS_KEEP**2) * WORKERS_SD
        self._workers = WORKERS_KEEP * self._workers + kept * self._draw["workers"].normal(who, t)
        for name, rate, mean, until in (
            ("late", LATE_RATE, LATE_DAYS, self._late_until),
            ("stop", STOP_RATE, STOP_DAYS, self._stop_until),
        ):
            new = (self._draw[name].uniform(who, t) < rate) & (until < day)
            if new.any():
                until[new] = day + np.ceil(self._spell_s[name].exponential(mean, who[new], t)).astype(np.int64) - 1
        pace = self._pace * np.exp(self._workers - WORKERS_SD**2 / 2)
        pace = pace * np.where(self._late_until >= day, LATE_LEFT, 1.0) * (self._stop_until < day)
        pace = pace * (1 - np.asarray(WET_LOSS)[s.kind] * sky.wet) * (1 - FROST_LOSS * sky.frost)
        pace = pace * (1 - np.asarray(ALERT_LOSS)[s.kind] * sky.alert)
        pace = pace * np.where(self._extra_until >= day, 1 + EXTRA, 1.0) * (self.ordered_stop == 0)
        open_ = self.may_start & ~self.finished & (s.start_day <= day)
        pace = np.where(open_, pace, 0.0)
        before = self.progress.copy()
        self.done_days = np.minimum(self.done_days + pace, self.days)
        self.progress[open_] = self._on_curve(open_)
        self.gained = self.progress - before
        budget = s.investment_cny
        self.cost_cny += self.gained * budget * (1 - BY_TIME) * self._price
        self.cost_cny += np.where(open_, BY_TIME * budget / self.days, 0.0)
        self.busy = pace
        done = open_ & (self.done_days >= self.days)
        self.finished |= done
        self.today = day
        if day < 60:
            self.past.append(self.stand(day))
        return np.flatnonzero(done)

    @property
    def active(self) -> Bools:
        """Sites that are open and not finished."""
        return self.may_start & ~self.finished & (self.sites.start_day <= self.today)

    def planned(self, day: int) -> Floats:
        """Return what should stand by plan at the end of a day."""
        return s_curve((day + 1.0 - self.sites.start_day) / self.days, self.sites.curve_c, self.sites.curve_k)

    def stand(self, day: int) -> Stand:
        """Return how things stand, as of a day."""
        return Stand(day, self.progress.copy(), self.planned(day), self.cost_cny.copy())

    def reason(self, row: int, day: int) -> str:
        """Return why a site stands still on a day; "" if it does not."""
        if self.ordered_stop[row] > 0:
            return "order"
        return "stoppage" if self._stop_until[row] >= day else ""

    def warned(self, row: int, day: int) -> None:
        """Let a builder hear of a warning: some add workers."""
        if self._respond and self._draw["hears"].uniform(int(self.sites.project[row]), day)[0] < HEARS:
            self._extra_until[row] = day + EXTRA_DAYS
