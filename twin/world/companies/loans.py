"""Companies that wish to borrow, and the banks that decide (F48).

Loans are for working capital and run a year, which is how most of them are made and why the same company comes again:
at the end of the term it pays back and, as a rule, borrows anew. A company with a loan running wishes for no other.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from twin.clock import Phase
from twin.control.companies.calendar import Calendar
from twin.domain.companies import LoanAnswered, LoanRepaid, LoanWished, OfferLoan
from twin.events import LoanDecided, LoanOffered, LoanPaidBack
from twin.world.companies.env import DAY_S, PLANS, Env
from twin.world.companies.life import GROWING, MATURE, Life
from twin.world.people.companies import LEAD

#: wishes a year to borrow from a bank, of an established company of 20 people (assumed). Smaller companies get less of
#: their money from banks, and age makes no difference (Kuntchev et al. 2013, World Bank WPS 6670, 116 countries): so it
#: rises with size and does not ask for the stage; the elasticity is assumed
WISHES_A_YEAR, LEAD_WISHES, LOAN_OF_REVENUE = 0.03, 0.12, 0.35
WISH_SIZE, WISH_ELASTICITY = 20.0, 0.2
GRANTS, LOAN_DAYS = 0.65, 5  # assumed
#: a loan runs a year; then as many borrow again, and a bank that knows them grants it more often: lasting relations
#: with a bank make credit easier to get (Petersen and Rajan 1994, Journal of Finance 49); the figures are assumed
TERM_DAYS, RENEWS, GRANTS_AGAIN = 365, 0.85, 0.9


def wishes_a_year(industry: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Return how often established companies wish to borrow from a bank, by industry and size."""
    usual = np.where(industry < LEAD, LEAD_WISHES, WISHES_A_YEAR)
    return np.asarray(usual * (np.maximum(people, 1.0) / WISH_SIZE) ** WISH_ELASTICITY)


class Loans:
    """Wishes to borrow arise, the desk of plans finds a bank, the bank decides."""

    def __init__(self, env: Env, life: Life, calendar: Calendar) -> None:
        self._e, self._life, self._calendar = env, life, calendar
        names = ("wish", "wish_size", "grants", "loan_days", "renews")
        self._draw = {n: env.dice.stream(f"companies.{n}") for n in names}
        self._running: set[int] = set()
        self._known: set[int] = set()

    def day(self, day: int) -> None:
        """Let companies that are established wish to borrow on a working day."""
        life = self._life
        who = life.alive()
        who = who[(life.stage[who] == GROWING) | (life.stage[who] == MATURE)]
        rate = wishes_a_year(life.industry[who], life.size[who]) / 250
        for company in who[self._draw["wish"].uniform(who, day) < rate].tolist():
            if company in self._running:
                continue
            t_s = day * DAY_S + self._calendar.open_s + 60 + company % 20_000
            if t_s < day * DAY_S + self._calendar.shut_s:
                self._e.at(t_s, Phase.PERCEIVE, partial(self._wish, company))

    def _wish(self, company: int) -> None:
        now = self._e.clock.now_s
        record = self._life.records(np.array([company]), now // DAY_S, now)
        revenue = float(record.numbers[record.number_field.index("revenue_cny")])
        factor = LOAN_OF_REVENUE * float(np.exp(0.5 * self._draw["wish_size"].normal(company, now // DAY_S)[0]))
        amount = max(round(revenue * factor, -4), 1e5)
        self._e.tell(PLANS, LoanWished(now, f"wish/{company}/{now}", company, amount))

    def offered(self, c: OfferLoan, now_s: int) -> None:
        """Let a bank decide on what was offered."""
        self._e.log.add(LoanOffered, t_s=now_s, company=c.company, bank=c.bank, amount_cny=c.amount_cny)
        seconds = int(LOAN_DAYS * (self._calendar.shut_s - self._calendar.open_s))
        wait = 3_600 + int(self._draw["loan_days"].exponential(seconds, c.company, now_s // DAY_S)[0])
        self._e.at(self._calendar.after(now_s, wait), Phase.PERCEIVE, partial(self._bank_decides, c))

    def _bank_decides(self, c: OfferLoan) -> None:
        now = self._e.clock.now_s
        chance = GRANTS_AGAIN if c.company in self._known else GRANTS
        granted = bool(self._draw["grants"].uniform(c.company, now // DAY_S)[0] < chance)
        self._e.log.add(LoanDecided, t_s=now, company=c.company, bank=c.bank, amount_cny=c.amount_cny, accepted=granted)
        self._e.tell(PLANS, LoanAnswered(now, f"answer/{c.key}", c.company, c.bank, granted))
        if granted:
            self._running.add(c.company)
            self._known.add(c.company)
            ends_s = self._calendar.next_open_s(now + TERM_DAYS * DAY_S)
            self._e.at(ends_s, Phase.PERCEIVE, partial(self._paid_back, c))

    def _paid_back(self, c: OfferLoan) -> None:
        """Let a loan end, and perhaps the next one be wished for at once."""
        now, life = self._e.clock.now_s, self._life
        self._running.discard(c.company)
        self._e.log.add(LoanPaidBack, t_s=now, company=c.company, bank=c.bank, amount_cny=c.amount_cny)
        self._e.tell(PLANS, LoanRepaid(now, f"repaid/{c.key}", c.company, c.bank, c.amount_cny))
        there = not life.closed[c.company] and life.stage[c.company] in (GROWING, MATURE)
        if there and float(self._draw["renews"].uniform(c.company, now // DAY_S)[0]) < RENEWS:
            self._wish(c.company)
