"""The policy desk: matches companies to policies every working day and pays without an application 直达快享 (F45).

At the first open second of a working day all companies are matched with all policies in force: compiled tables over
the register's columns (:mod:`.tables`), first come first served by company number until the budget is used. A payment
the bank could not make is free again and is tried on the next working day. Every order says by which rule and which
inputs. Policies that are not ``direct`` are matched and reported only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.control.companies.calendar import DAY_S, Calendar
from twin.control.companies.ledger import Ledger, fen
from twin.control.companies.register import Register
from twin.control.companies.tables import Table, TableError, parse
from twin.domain.commands import Command, WakeAt
from twin.domain.companies import (
    BankTold,
    BudgetAdded,
    CompaniesLeft,
    CompanyRecords,
    OfficeCalendar,
    PayCompanies,
    PolicyTold,
    RefusePolicy,
    ReportMatching,
)
from twin.domain.messages import Message

#: a company can be paid only where the city knows its account and it agreed to data being used
ACCOUNT = "account"


@dataclass
class _Policy:
    table: Table
    ledger: Ledger
    direct: bool


class PolicyDesk:
    """A fold over messages; see :mod:`twin.domain.companies`."""

    def __init__(self) -> None:
        self._register = Register()
        self._policies: dict[str, _Policy] = {}
        self._waiting: list[PolicyTold] = []  # told before any company was
        self._calendar: Calendar | None = None
        self._next_s: int | None = None
        self._heard: set[str] = set()

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        """Take messages in; at the opening of a working day, match and pay."""
        out: list[Command] = []
        for m in messages:
            if m.key not in self._heard:
                self._heard.add(m.key)
                out += self._hear(m, now_s)
        if self._calendar is not None and self._next_s is not None and now_s >= self._next_s:
            if self._calendar.open(now_s):
                out += self._match(now_s // DAY_S)
                self._next_s = self._calendar.next_open_s((now_s // DAY_S + 1) * DAY_S)
            else:
                self._next_s = self._calendar.next_open_s(now_s)
        if self._next_s is not None and self._next_s > now_s:
            out.append(WakeAt(f"wake/{self._next_s}", self._next_s))
        return out

    def _hear(self, m: Message, now_s: int) -> list[Command]:
        out: list[Command] = []
        if isinstance(m, CompanyRecords):
            self._register.take(m)
            for policy in self._waiting:
                out += self._open(policy)
            self._waiting = []
        elif isinstance(m, CompaniesLeft):
            self._register.leave(m.company)
        elif isinstance(m, OfficeCalendar):
            self._calendar = Calendar.of(m)
            self._next_s = self._calendar.next_open_s(now_s)
        elif isinstance(m, PolicyTold):
            if self._register.columns:
                out += self._open(m)
            else:
                self._waiting.append(m)
        elif isinstance(m, BudgetAdded) and m.policy in self._policies and m.amount_cny > 0:
            self._policies[m.policy].ledger.budget += fen(m.amount_cny)
        elif isinstance(m, BankTold):
            self._bank(m)
        return out

    def _open(self, m: PolicyTold) -> list[Command]:
        if m.policy not in self._policies:
            try:
                table = parse(m.policy, m.jdm, self._register.fields)
            except TableError as error:
                return [RefusePolicy(f"refuse/{m.policy}", m.policy, str(error))]
            ledger = Ledger(m.period_days, fen(max(m.budget_cny, 0.0)))
            self._policies[m.policy] = _Policy(table, ledger, m.direct)
        return []

    def _bank(self, m: BankTold) -> None:
        name = m.batch.split("/")[1] if "/" in m.batch else ""
        policy = self._policies.get(name)
        if policy is not None:
            for company, paid in zip(m.company.tolist(), m.paid.tolist(), strict=True):
                policy.ledger.told(m.batch, company, bool(paid))

    def _match(self, day: int) -> list[Command]:
        out: list[Command] = []
        r = self._register
        account = r.columns.get(ACCOUNT, np.ones(r.company.size, dtype=bool))
        for name, policy in self._policies.items():
            rule, amount = policy.table.match(r.columns, r.company.size)
            fit = np.flatnonzero((rule >= 0) & r.there & (amount > 0))
            if not policy.direct:
                if fit.size:
                    balance = policy.ledger.balance / 100
                    out.append(ReportMatching(f"match/{name}/{day}", name, day, fit.size, 0, 0, 0, balance))
                continue
            out += self._pay(name, policy, day, fit[np.argsort(r.company[fit], kind="stable")], (rule, amount, account))
        return out

    def _pay(self, name: str, policy: _Policy, day: int, fit: np.ndarray, found: tuple) -> list[Command]:  # type: ignore[type-arg]
        rule, amount, account = found
        r, ledger, batch = self._register, policy.ledger, f"pay/{name}/{day}"
        chosen: list[int] = []
        no_account = no_budget = 0
        left = ledger.balance
        for row in fit.tolist():
            company, money = int(r.company[row]), fen(float(amount[row]))
            if not ledger.may(company, day):
                continue
            if not account[row]:
                no_account += 1
            elif money > left:
                no_budget += 1
            else:
                ledger.order(batch, company, money, day)
                left -= money
                chosen.append(row)
        out: list[Command] = []
        if chosen:
            rows = np.asarray(chosen, dtype=np.int64)
            because = tuple(policy.table.explain(int(rule[row]), r.values(row)) for row in chosen)
            out.append(PayCompanies(batch, name, r.company[rows], rule[rows], amount[rows], because))
        if chosen or no_account or no_budget:
            out.append(
                ReportMatching(
                    f"match/{name}/{day}", name, day, int(fit.size), len(chosen), no_account, no_budget, left / 100
                )
            )
        return out

    def account(self, policy: str) -> Ledger:
        """Return the account of a policy; KeyError: there is none."""
        return self._policies[policy].ledger
