"""Money paid to companies without an application: budgets, the bank's answers, and each policy's account (F45)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from twin.clock import Phase
from twin.control.companies.calendar import Calendar
from twin.control.companies.ledger import fen
from twin.domain.commands import Command
from twin.domain.companies import BankTold, PayCompanies, PolicyTold, RefusePolicy, ReportMatching
from twin.events import (
    PaymentFailed,
    PaymentOrdered,
    PaymentReceived,
    PolicyAccount,
    PolicyMatched,
    PolicyOpened,
    PolicyRefused,
)
from twin.scenario.policy_file import PolicyFile
from twin.world.companies.env import DAY_S, POLICIES, Env
from twin.world.companies.life import Life

BANK_MEAN_S, BANK_FAILS = 5_400.0, 0.02  # assumed


@dataclass
class _Money:
    """The bank's view of a policy, in fen: for the account at the end."""

    budget: int = 0
    ordered: int = 0
    received: int = 0
    failed: int = 0


class Payments:
    """The bank that pays what the policy desk orders, within the day."""

    def __init__(self, env: Env, life: Life, calendar: Calendar) -> None:
        self._e, self._life, self._calendar = env, life, calendar
        self._bank, self._fails = (env.dice.stream(f"companies.{n}") for n in ("bank", "bank_fails"))
        self._money: dict[str, _Money] = {}

    def open(self, p: PolicyFile, now_s: int) -> None:
        """Tell the desk of a policy, and open its account."""
        self._e.tell(
            POLICIES,
            PolicyTold(now_s, f"policy/{p.policy}", p.policy, p.title, p.jdm, p.budget_cny, p.period_days, p.direct),
        )
        self._money[p.policy] = _Money(budget=fen(p.budget_cny))
        self._e.log.add(PolicyOpened, t_s=now_s, policy=p.policy, what=p.title, amount_cny=p.budget_cny)

    def carry_out(self, c: Command, now_s: int) -> bool:
        """Carry out a command of the policy desk; False if it is none."""
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
        else:
            return False
        return True

    def _pay(self, c: PayCompanies, now_s: int) -> None:
        self._e.log.add(
            PaymentOrdered, t_s=now_s, policy=c.policy, company=c.company, rule=c.rule, amount_cny=c.amount_cny,
            reason=np.asarray(c.because, dtype=object),
        )  # fmt: skip
        self._money[c.policy].ordered += sum(fen(float(a)) for a in c.amount_cny)
        wait = 600 + int(self._bank.exponential(BANK_MEAN_S, len(c.policy), now_s)[0])
        self._e.at(self._calendar.next_open_s(now_s + wait), Phase.PERCEIVE, partial(self._paid, c))

    def _paid(self, c: PayCompanies) -> None:
        now, money = self._e.clock.now_s, self._money[c.policy]
        day = now // DAY_S
        good = self._fails.uniform(c.company, day) >= BANK_FAILS
        for fact, chosen in ((PaymentReceived, good), (PaymentFailed, ~good)):
            if chosen.any():
                self._e.log.add(
                    fact, t_s=now, policy=c.policy, company=c.company[chosen], amount_cny=c.amount_cny[chosen]
                )
        done = sum(fen(float(a)) for a in c.amount_cny[good])
        every = sum(fen(float(a)) for a in c.amount_cny)
        money.received += done
        money.failed += every - done
        self._life.paid_until[c.company[good]] = day + 365
        self._e.tell(POLICIES, BankTold(now, f"bank/{c.key}", c.key, c.company, good.astype(np.int64)))

    def finish(self, end_s: int) -> None:
        """Write each policy's account: money in = received + on its way + balance."""
        for name, m in self._money.items():
            pending = m.ordered - m.received - m.failed
            self._e.log.add(
                PolicyAccount, t_s=end_s, policy=name, budget_cny=m.budget / 100, received_cny=m.received / 100,
                pending_cny=pending / 100, balance_cny=(m.budget - m.received - pending) / 100,
            )  # fmt: skip
