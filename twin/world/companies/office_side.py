"""Companies and the services for them on the clock: life, bank, experts, loans, business climate; no roads in it.

00:30 the day's foundings, growth, exits · 08:30 the registers are told · at opening the desks match, plan, assign · the
bank answers a payment order within the day · experts are at companies from 14:00. Nothing is decided, paid or visited
outside the calendar of the offices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from geo.city import City
from twin.clock import Clock, Phase
from twin.control.companies.calendar import Calendar
from twin.control.companies.ledger import fen
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.companies import (
    CLIMATE_ISSUES,
    COMPANY_STAGES,
    THEMES,
    AssignClimate,
    BankTold,
    CheckClimate,
    ClimateAnswerTold,
    ClimateCheckTold,
    ClimateIssueTold,
    CloseClimate,
    CompaniesLeft,
    EscalateClimate,
    LoanAnswered,
    LoanWished,
    MakePlans,
    NeedsTold,
    OfferLoan,
    OfficeCalendar,
    PayCompanies,
    PolicyTold,
    RefusePolicy,
    ReportMatching,
    SendExperts,
    StationsTold,
)
from twin.domain.messages import Message
from twin.events import (
    ClimateAssigned,
    ClimateChecked,
    ClimateClosed,
    ClimateEscalated,
    ClimateIssueArose,
    ClimateIssueFound,
    ClimateIssueGone,
    CompaniesCounted,
    CompanyClosed,
    CompanyFounded,
    CompanyPlanned,
    CompanyStageChanged,
    ExpertsVisited,
    LoanDecided,
    LoanOffered,
    PaymentFailed,
    PaymentOrdered,
    PaymentReceived,
    PolicyAccount,
    PolicyMatched,
    PolicyOpened,
    PolicyRefused,
)
from twin.log import Log
from twin.scenario.companies import FIELDS, Companies
from twin.scenario.policy_file import PolicyFile, read_policies
from twin.world.companies import climate
from twin.world.companies.life import GROWING, MATURE, Life
from twin.world.companies.policies import PILOT, shipped
from twin.world.people.companies import INDUSTRIES, LEAD, CompanyArrays

DAY_S = 86_400
LIFE_S, RECORDS_S = 1_800, 30_600
POLICIES, CLIMATE, PLANS = "policies", "climate", "plans"
BANK_MEAN_S, BANK_FAILS = 5_400.0, 0.02  # assumed
#: wishes a year to borrow from a bank, of an established company of 20 people (assumed). Smaller companies get less of
#: their money from banks, and age makes no difference (Kuntchev et al. 2013, World Bank WPS 6670, 116 countries): so it
#: rises with size and does not ask for the stage; the elasticity is assumed
WISHES_A_YEAR, LEAD_WISHES, LOAN_OF_REVENUE = 0.03, 0.12, 0.35
WISH_SIZE, WISH_ELASTICITY = 20.0, 0.2
GRANTS, LOAN_DAYS = 0.65, 5  # assumed
NEED_TOLD = 0.7


@dataclass(frozen=True)
class Env:
    """What this needs of a run; ``weekday`` of day 0 (Monday 0); ``tell``: give a desk a message."""

    clock: Clock
    dice: Dice
    log: Log
    end_s: int
    weekday: int
    tell: Callable[[str, Message], None]


@dataclass
class _Money:
    """The bank's view of a policy, in fen: for the account at the end."""

    budget: int = 0
    ordered: int = 0
    received: int = 0
    failed: int = 0


def wishes_a_year(industry: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Return how often established companies wish to borrow from a bank, by industry and size."""
    usual = np.where(industry < LEAD, LEAD_WISHES, WISHES_A_YEAR)
    return np.asarray(usual * (np.maximum(people, 1.0) / WISH_SIZE) ** WISH_ELASTICITY)


class OfficeSide:
    """The truth of companies and of all who serve them, and what the desks' commands do."""

    def __init__(self, env: Env, part: Companies, city: City, arrays: CompanyArrays) -> None:
        self._e, self._p = env, part
        points = city.blocks.geometry.representative_point()
        xy = (np.asarray(points.x, dtype=np.float64), np.asarray(points.y, dtype=np.float64))
        self.life = Life(arrays, xy, env.dice, part.agreed)
        self.climate = climate.Climate(city, env.dice, part.points, part.supervisors)
        self.calendar = Calendar(env.weekday, frozenset(range(5)), part.opens, part.shuts)
        self.founding_days = part.founding_days
        names = ("bank", "bank_fails", "need", "wish", "wish_size", "grants", "loan_days", "answer", "proper", "sees")
        self._draw = {n: env.dice.stream(f"companies.{n}") for n in names}
        self._city = city
        self._money: dict[str, _Money] = {}
        self._matter: dict[str, tuple[int, str]] = {}
        self._loan: dict[tuple[int, str], float] = {}
        self._told = 0

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
            e.tell(
                POLICIES,
                PolicyTold(
                    now_s, f"policy/{p.policy}", p.policy, p.title, p.jdm, p.budget_cny, p.period_days, p.direct
                ),
            )
            self._money[p.policy] = _Money(budget=fen(p.budget_cny))
            e.log.add(PolicyOpened, t_s=now_s, policy=p.policy, what=p.title, amount_cny=p.budget_cny)
        e.tell(PLANS, self._stations(now_s))
        for desk in (POLICIES, PLANS, CLIMATE):
            e.tell(desk, hours)
        self._count(day, now_s)
        self._at(max(now_s, day * DAY_S + LIFE_S), Phase.WORLD, partial(self._day, day))

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

    def _at(self, t_s: int, phase: Phase, action: Callable[[], None]) -> None:
        if self._e.clock.now_s <= t_s < self._e.end_s:
            self._e.clock.at(t_s, phase, action)

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
        self._at(
            max(now, t0 + RECORDS_S), Phase.PERCEIVE, partial(self._tell_records, day, changes.updated, changes.closed)
        )
        for trouble, gone_s in self.climate.arise(day, self.calendar.open_s, self.calendar.shut_s) if workday else ():
            self._at(trouble.since_s, Phase.WORLD, partial(self._arises, trouble, gone_s))
        if workday:
            self._at(t0 + self.calendar.shut_s - 7_200, Phase.PERCEIVE, partial(self._look, day))
            self._wishes(day)
        self._at(t0 + DAY_S + LIFE_S, Phase.WORLD, partial(self._day, day + 1))

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

    def _wishes(self, day: int) -> None:
        """Let companies that are established wish to borrow."""
        life = self.life
        who = life.alive()
        who = who[(life.stage[who] == GROWING) | (life.stage[who] == MATURE)]
        rate = wishes_a_year(life.industry[who], life.size[who]) / 250
        for company in who[self._draw["wish"].uniform(who, day) < rate].tolist():
            t_s = day * DAY_S + self.calendar.open_s + 60 + company % 20_000
            if t_s < day * DAY_S + self.calendar.shut_s:
                self._at(t_s, Phase.PERCEIVE, partial(self._wish, company))

    def _wish(self, company: int) -> None:
        now = self._e.clock.now_s
        record = self.life.records(np.array([company]), now // DAY_S, now)
        revenue = float(record.numbers[record.number_field.index("revenue_cny")])
        factor = LOAN_OF_REVENUE * float(np.exp(0.5 * self._draw["wish_size"].normal(company, now // DAY_S)[0]))
        amount = max(round(revenue * factor, -4), 1e5)
        self._e.tell(PLANS, LoanWished(now, f"wish/{company}/{now}", company, amount))

    # -- business climate ----------------------------------------------------------------------------------

    def _arises(self, t: climate.Trouble, gone_s: int) -> None:
        where = (t.issue, t.place)
        if where in self.climate.there:
            return
        self.climate.there[where] = t
        self._e.log.add(ClimateIssueArose, t_s=t.since_s, what=CLIMATE_ISSUES[t.issue], place=t.place)
        self._at(gone_s, Phase.WORLD, partial(self._gone, t))

    def _gone(self, t: climate.Trouble) -> None:
        where = (t.issue, t.place)
        if self.climate.there.get(where) is t:
            del self.climate.there[where]
            now = self._e.clock.now_s
            what = CLIMATE_ISSUES[t.issue]
            self._e.log.add(ClimateIssueGone, t_s=now, what=what, place=t.place, duration_s=now - t.since_s)

    def _look(self, day: int) -> None:
        now = self._e.clock.now_s
        for k, (issue, place, who) in enumerate(self.climate.noticed(day)):
            real = (issue, place) in self.climate.there
            self._e.log.add(ClimateIssueFound, t_s=now, what=CLIMATE_ISSUES[issue], place=place, who=who, real=real)
            self._e.tell(CLIMATE, ClimateIssueTold(now, f"issue/{day}/{k}", issue, place, who))

    def _climate_command(self, c: Command, now_s: int) -> bool:
        log = self._e.log
        if isinstance(c, AssignClimate):
            self._matter[c.matter] = (c.issue, c.place)
            log.add(ClimateAssigned, t_s=now_s, finding=c.matter, who=c.office, due_s=c.due_s)
            key = int.from_bytes(c.key.encode()[-6:], "little") % 2**31
            factor = climate.TAKES * float(np.exp(climate.TAKES_SD * self._draw["answer"].normal(key, now_s)[0]))
            proper = bool(self._draw["proper"].uniform(key, now_s)[0] < climate.PROPER)
            done_s = self.calendar.next_open_s(now_s + int(factor * (c.due_s - now_s)))
            self._at(done_s, Phase.WORLD, partial(self._dealt_with, c.matter, proper))
        elif isinstance(c, CheckClimate):
            t_s = self.calendar.after(now_s, 4 * 3600 + 600 * c.supervisor)
            self._at(t_s, Phase.PERCEIVE, partial(self._checked, c.matter))
        elif isinstance(c, EscalateClimate):
            log.add(ClimateEscalated, t_s=now_s, finding=c.matter, step=c.level, to=c.to)
        elif isinstance(c, CloseClimate):
            real = self._matter.pop(c.matter, (-1, "")) not in self.climate.there
            log.add(ClimateClosed, t_s=now_s, finding=c.matter, outcome=c.outcome, real=real)
        else:
            return False
        return True

    def _dealt_with(self, matter: str, proper: bool) -> None:
        where = self._matter.get(matter)
        if where is None:
            return
        trouble = self.climate.there.get(where)
        if proper and trouble is not None:
            self._gone(trouble)
        self._told += 1
        self._e.tell(CLIMATE, ClimateAnswerTold(self._e.clock.now_s, f"answer/{matter}/{self._told}", matter))

    def _checked(self, matter: str) -> None:
        where = self._matter.get(matter)
        if where is None:
            return
        now = self._e.clock.now_s
        seen = where in self.climate.there and self._draw["sees"].uniform(len(matter), now)[0] < climate.SEES
        self._e.log.add(ClimateChecked, t_s=now, finding=matter, accepted=not seen)
        self._told += 1
        self._e.tell(CLIMATE, ClimateCheckTold(now, f"checked/{matter}/{self._told}", matter, not seen))

    # -- commands ------------------------------------------------------------------------------------------

    def carry_out(self, c: Command, now_s: int) -> bool:
        """Carry out a command of one of the desks; False if it is none of these."""
        log = self._e.log
        if isinstance(c, PayCompanies):
            self._pay(c, now_s)
        elif isinstance(c, ReportMatching):
            log.add(
                PolicyMatched, t_s=now_s, policy=c.policy, day=c.day, fit=c.fit, paid=c.paid, no_account=c.no_account,
                no_budget=c.no_budget, balance_cny=c.balance_cny,
            )  # fmt: skip
        elif isinstance(c, RefusePolicy):
            log.add(PolicyRefused, t_s=now_s, policy=c.policy, reason=c.reason)
        elif isinstance(c, MakePlans):
            log.add(
                CompanyPlanned, t_s=now_s, company=c.company,
                stage=np.asarray([COMPANY_STAGES[s] for s in c.stage], dtype=object),
                theme=np.asarray([THEMES[t] for t in c.theme], dtype=object),
            )  # fmt: skip
        elif isinstance(c, SendExperts):
            self._at(max(c.at_s, now_s), Phase.PERCEIVE, partial(self._visit, c))
        elif isinstance(c, OfferLoan):
            self._offered(c, now_s)
        else:
            return self._climate_command(c, now_s)
        return True

    def _pay(self, c: PayCompanies, now_s: int) -> None:
        self._e.log.add(
            PaymentOrdered, t_s=now_s, policy=c.policy, company=c.company, rule=c.rule, amount_cny=c.amount_cny,
            reason=np.asarray(c.because, dtype=object),
        )  # fmt: skip
        self._money[c.policy].ordered += sum(fen(float(a)) for a in c.amount_cny)
        wait = 600 + int(self._draw["bank"].exponential(BANK_MEAN_S, len(c.policy), now_s)[0])
        self._at(self.calendar.next_open_s(now_s + wait), Phase.PERCEIVE, partial(self._paid, c))

    def _paid(self, c: PayCompanies) -> None:
        now, money = self._e.clock.now_s, self._money[c.policy]
        day = now // DAY_S
        good = self._draw["bank_fails"].uniform(c.company, day) >= BANK_FAILS
        for fact, chosen in ((PaymentReceived, good), (PaymentFailed, ~good)):
            if chosen.any():
                self._e.log.add(
                    fact, t_s=now, policy=c.policy, company=c.company[chosen], amount_cny=c.amount_cny[chosen]
                )
        done = sum(fen(float(a)) for a in c.amount_cny[good])
        every = sum(fen(float(a)) for a in c.amount_cny)
        money.received += done
        money.failed += every - done
        self.life.paid_until[c.company[good]] = day + 365
        self._e.tell(POLICIES, BankTold(now, f"bank/{c.key}", c.key, c.company, good.astype(np.int64)))

    def _visit(self, c: SendExperts) -> None:
        now, day = self._e.clock.now_s, self._e.clock.now_s // DAY_S
        theme = self._draw["need"].integers(0, len(THEMES), c.company, 2 * day)
        told = self._draw["need"].uniform(c.company, 2 * day + 1) < NEED_TOLD
        names = np.asarray([THEMES[t] if n else "" for t, n in zip(theme, told, strict=True)], dtype=object)
        self._e.log.add(ExpertsVisited, t_s=now, visit=c.visit, company=c.company, theme=names)
        if told.any():
            self._e.tell(PLANS, NeedsTold(now, f"needs/{c.visit}", c.visit, c.company[told], theme[told]))

    def _offered(self, c: OfferLoan, now_s: int) -> None:
        self._e.log.add(LoanOffered, t_s=now_s, company=c.company, bank=c.bank, amount_cny=c.amount_cny)
        seconds = int(LOAN_DAYS * (self.calendar.shut_s - self.calendar.open_s))
        wait = 3_600 + int(self._draw["loan_days"].exponential(seconds, c.company, now_s // DAY_S)[0])
        self._at(self.calendar.after(now_s, wait), Phase.PERCEIVE, partial(self._bank_decides, c))

    def _bank_decides(self, c: OfferLoan) -> None:
        now = self._e.clock.now_s
        granted = bool(self._draw["grants"].uniform(c.company, now // DAY_S)[0] < GRANTS)
        self._e.log.add(LoanDecided, t_s=now, company=c.company, bank=c.bank, amount_cny=c.amount_cny, accepted=granted)
        self._e.tell(PLANS, LoanAnswered(now, f"answer/{c.key}", c.company, c.bank, granted))

    def finish(self, end_s: int) -> None:
        """Write each policy's account: money in = received + on its way + balance."""
        for name, m in self._money.items():
            pending = m.ordered - m.received - m.failed
            self._e.log.add(
                PolicyAccount, t_s=end_s, policy=name, budget_cny=m.budget / 100, received_cny=m.received / 100,
                pending_cny=pending / 100, balance_cny=(m.budget - m.received - pending) / 100,
            )  # fmt: skip
