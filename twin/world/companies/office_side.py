"""Companies and the services for them on the clock; no roads in it.

00:30 the day's foundings, growth, exits · 08:30 the registers are told · at opening the desks match, plan, assign · the
bank answers a payment order within the day (:mod:`.payments`) · banks decide on loans (:mod:`.loans`) · experts are at
companies from 14:00 · the business climate is looked after (:mod:`.climate_loop`). Nothing is decided, paid or visited
outside the calendar of the offices.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from geo.city import City
from twin.clock import Phase
from twin.control.companies.calendar import Calendar
from twin.domain.commands import Command
from twin.domain.companies import (
    COMPANY_STAGES,
    THEMES,
    CompaniesLeft,
    MakePlans,
    NeedsTold,
    OfferLoan,
    OfficeCalendar,
    SendExperts,
    StationsTold,
)
from twin.events import (
    CompaniesCounted,
    CompanyClosed,
    CompanyFounded,
    CompanyPlanned,
    CompanyStageChanged,
    ExpertsVisited,
)
from twin.scenario.companies import FIELDS, Companies
from twin.scenario.policy_file import PolicyFile, read_policies
from twin.world.companies.climate_loop import ClimateLoop
from twin.world.companies.env import CLIMATE, DAY_S, PLANS, POLICIES, Env
from twin.world.companies.life import Life
from twin.world.companies.loans import Loans
from twin.world.companies.payments import Payments
from twin.world.companies.policies import PILOT, shipped
from twin.world.people.companies import INDUSTRIES, CompanyArrays

LIFE_S, RECORDS_S = 1_800, 30_600
NEED_TOLD = 0.7


class OfficeSide:
    """The truth of companies and of all who serve them, and what the desks' commands do."""

    def __init__(self, env: Env, part: Companies, city: City, arrays: CompanyArrays) -> None:
        self._e, self._p = env, part
        points = city.blocks.geometry.representative_point()
        xy = (np.asarray(points.x, dtype=np.float64), np.asarray(points.y, dtype=np.float64))
        self.life = Life(arrays, xy, env.dice, part.agreed)
        self.calendar = Calendar(env.weekday, frozenset(range(5)), part.opens, part.shuts)
        self.founding_days = part.founding_days
        self._payments = Payments(env, self.life, self.calendar)
        self._loans = Loans(env, self.life, self.calendar)
        self._climate = ClimateLoop(env, part, city, self.calendar)
        self._need = env.dice.stream("companies.need")
        self._city = city

    def policies(self) -> tuple[PolicyFile, ...]:
        """Return the policies in force."""
        if self._p.policies is not None:
            return read_policies(self._p.policies, FIELDS)
        return tuple(p for p in shipped() if not self._p.first_run or p.policy == PILOT)

    # -- the start -----------------------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Tell the desks what they know from the start, and put the days on the clock."""
        e, c = self._e, self.calendar
        day = now_s // DAY_S
        hours = OfficeCalendar(
            now_s, "calendar", c.weekday, np.asarray(sorted(c.workdays)), c.open_s, c.shut_s, np.zeros(0, np.int64)
        )
        records = self.life.records(self.life.alive(), day, now_s)
        for desk in (POLICIES, PLANS):
            e.tell(desk, records)
        for p in self.policies():
            self._payments.open(p, now_s)
        e.tell(PLANS, self._stations(now_s))
        for desk in (POLICIES, PLANS, CLIMATE):
            e.tell(desk, hours)
        self._climate.begin(now_s)
        self._count(day, now_s)
        e.at(max(now_s, day * DAY_S + LIFE_S), Phase.WORLD, partial(self._day, day))

    def _stations(self, now_s: int) -> StationsTold:
        rows = self._city.places[self._city.places["kind"] == "company_station"]
        p = self._p
        return StationsTold(
            t_s=now_s,
            key="stations",
            station=tuple(str(name) for name in rows["name"]),
            x_m=np.asarray(rows.geometry.x, dtype=np.float64),
            y_m=np.asarray(rows.geometry.y, dtype=np.float64),
            visits_a_week=p.visits_a_week,
            companies_a_visit=p.companies_a_visit,
            bank=tuple(f"银行{k + 1}（示意）" for k in range(p.banks)),
            limit_cny=np.full(p.banks, 1e6 * p.bank_limit_million),
        )

    # -- a day ---------------------------------------------------------------------------------------------

    def _day(self, day: int) -> None:
        e, life, now = self._e, self.life, self._e.clock.now_s
        workday = self.calendar.works(day)
        changes = life.step(day, workday, self._p.foundings_a_year, self.founding_days)
        for company in changes.founded.tolist():
            e.log.add(
                CompanyFounded, t_s=now, company=company, industry=INDUSTRIES[int(life.industry[company])],
                jobs=float(life.size[company]), duration_s=int(self.founding_days * DAY_S),
            )  # fmt: skip
        for company in changes.stage.tolist():
            stage = COMPANY_STAGES[int(life.stage[company])]
            e.log.add(CompanyStageChanged, t_s=now, company=company, stage=stage)
        if changes.closed.size:
            age = life.age_years(changes.closed, day)
            e.log.add(CompanyClosed, t_s=now, company=changes.closed, age_years=age, jobs=life.size[changes.closed])
        self._count(day, now)
        t0 = day * DAY_S
        e.at(
            max(now, t0 + RECORDS_S), Phase.PERCEIVE, partial(self._tell_records, day, changes.updated, changes.closed)
        )
        if workday:
            self._climate.day(day)
            self._loans.day(day)
        e.at(t0 + DAY_S + LIFE_S, Phase.WORLD, partial(self._day, day + 1))

    def _count(self, day: int, now_s: int) -> None:
        alive = self.life.alive()
        n = np.bincount(self.life.stage[alive], minlength=len(COMPANY_STAGES)).tolist()
        self._e.log.add(
            CompaniesCounted, t_s=now_s, day=day, founded=n[0], growing=n[1], mature=n[2], leaving=n[3],
            jobs=float(self.life.size[alive].sum()),
        )  # fmt: skip

    def _tell_records(self, day: int, updated: np.ndarray, closed: np.ndarray) -> None:
        now = self._e.clock.now_s
        for desk in (POLICIES, PLANS):
            if updated.size:
                self._e.tell(desk, self.life.records(updated, day, now))
            if closed.size:
                self._e.tell(desk, CompaniesLeft(now, f"left/{day}", closed))

    # -- commands ------------------------------------------------------------------------------------------

    def carry_out(self, c: Command, now_s: int) -> bool:
        """Carry out a command of one of the desks; False if it is none of these."""
        if isinstance(c, MakePlans):
            self._e.log.add(
                CompanyPlanned, t_s=now_s, company=c.company,
                stage=np.asarray([COMPANY_STAGES[s] for s in c.stage], dtype=object),
                theme=np.asarray([THEMES[t] for t in c.theme], dtype=object),
            )  # fmt: skip
        elif isinstance(c, SendExperts):
            self._e.at(max(c.at_s, now_s), Phase.PERCEIVE, partial(self._visit, c))
        elif isinstance(c, OfferLoan):
            self._loans.offered(c, now_s)
        else:
            return self._payments.carry_out(c, now_s) or self._climate.carry_out(c, now_s)
        return True

    def _visit(self, c: SendExperts) -> None:
        now, day = self._e.clock.now_s, self._e.clock.now_s // DAY_S
        theme = self._need.integers(0, len(THEMES), c.company, 2 * day)
        told = self._need.uniform(c.company, 2 * day + 1) < NEED_TOLD
        names = np.asarray([THEMES[t] if n else "" for t, n in zip(theme, told, strict=True)], dtype=object)
        self._e.log.add(ExpertsVisited, t_s=now, visit=c.visit, company=c.company, theme=names)
        if told.any():
            self._e.tell(PLANS, NeedsTold(now, f"needs/{c.visit}", c.visit, c.company[told], theme[told]))

    def finish(self, end_s: int) -> None:
        """Write each policy's account: money in = received + on its way + balance."""
        self._payments.finish(end_s)
