"""What companies, the policy desk and the business climate's supervisors say to each other (F44-F49).

Companies are numbered as in the people arrays; those founded in a run follow. Money in CNY. Days count from the first
day of the run (0).
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: stages of a company's life (F44); numbers are part of every log, so only append
COMPANY_STAGES = ("founded", "growing", "mature", "leaving")
#: the ten themes of service (F48); the fact says ten, the names are assumed
THEMES = (
    "policy", "finance", "land", "permits", "people", "market", "technology", "tax", "law", "logistics",
)  # fmt: skip
#: what the business climate is watched for (assumed), one office each
CLIMATE_ISSUES = ("window", "permits", "payment", "inspection", "promise")
CLIMATE_ENDINGS = ("rectified",)


# -- messages ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CompanyRecords(Message):
    """What the city knows of companies, as a table; a company told again replaces its row.

    ``numbers``: one row per ``number_field``, flattened (fields × companies), nan where unknown; ``flags`` likewise, 0
    or 1; ``texts`` likewise, an index into ``text``. All from registers the city keeps anyway: no application.
    """

    company: Ints
    number_field: tuple[str, ...]
    numbers: Floats
    flag_field: tuple[str, ...]
    flags: Ints
    text_field: tuple[str, ...]
    texts: Ints
    text: tuple[str, ...]


@dataclass(frozen=True)
class CompaniesLeft(Message):
    """Companies that were struck off the register."""

    company: Ints


@dataclass(frozen=True)
class OfficeCalendar(Message):
    """When the desk's people work: ``weekday`` of day 0 (Monday 0), working days of the week, hours, days off."""

    weekday: int
    workdays: Ints
    open_s: int
    shut_s: int
    days_off: Ints


@dataclass(frozen=True)
class PolicyTold(Message):
    """A policy comes into force: its decision table as JDM (GoRules), its budget.

    ``period_days``: a company is paid once in so many days; 0: once and never again. ``direct``: paid without an
    application 直达快享; others are only matched and pushed.
    """

    policy: str
    title: str
    jdm: str
    budget_cny: float
    period_days: int
    direct: bool


@dataclass(frozen=True)
class BudgetAdded(Message):
    """More money for a policy."""

    policy: str
    amount_cny: float


@dataclass(frozen=True)
class BankTold(Message):
    """The bank says of each company of a ``batch`` (key of the order) whether it was ``paid`` (1) or not (0)."""

    batch: str
    company: Ints
    paid: Ints


@dataclass(frozen=True)
class StationsTold(Message):
    """The company service stations 泉惠企 (F47), the size of the expert team, the banks and what each may lend."""

    station: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    visits_a_week: int
    companies_a_visit: int
    bank: tuple[str, ...]
    limit_cny: Floats


@dataclass(frozen=True)
class NeedsTold(Message):
    """What experts heard on a ``visit``: pairs of a company and a theme (index into THEMES)."""

    visit: str
    company: Ints
    theme: Ints


@dataclass(frozen=True)
class LoanWished(Message):
    """A company would like to borrow."""

    company: int
    amount_cny: float


@dataclass(frozen=True)
class LoanRepaid(Message):
    """A company has paid a loan back: the bank may lend as much again."""

    company: int
    bank: str
    amount_cny: float


@dataclass(frozen=True)
class LoanAnswered(Message):
    """A bank grants a loan, or does not."""

    company: int
    bank: str
    granted: bool


@dataclass(frozen=True)
class ClimateIssueTold(Message):
    """A monitoring point or a citizen supervisor tells of something that hinders companies (F49).

    ``issue``: index into CLIMATE_ISSUES; ``place``: where; ``by``: who tells.
    """

    issue: int
    place: str
    by: str


@dataclass(frozen=True)
class ClimateAnswerTold(Message):
    """The office that was asked says that a matter is dealt with."""

    matter: str


@dataclass(frozen=True)
class ClimateCheckTold(Message):
    """A supervisor looked again: it is better, or not."""

    matter: str
    passed: bool


# -- commands ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PayCompanies(Command):
    """Order the bank to pay companies; rows: company, row of the table, amount, why (the rule and its inputs)."""

    policy: str
    company: Ints
    rule: Ints
    amount_cny: Floats
    because: tuple[str, ...]


@dataclass(frozen=True)
class ReportMatching(Command):
    """What a matching of a policy found: companies that fit, and of them paid, without an account, without budget."""

    policy: str
    day: int
    fit: int
    paid: int
    no_account: int
    no_budget: int
    balance_cny: float


@dataclass(frozen=True)
class RefusePolicy(Command):
    """A policy cannot be put into force: its table is wrong; ``reason`` is the sentence."""

    policy: str
    reason: str


@dataclass(frozen=True)
class MakePlans(Command):
    """One plan per company 一企一策: rows of a company, its stage and a theme of service for it."""

    company: Ints
    stage: Ints
    theme: Ints


@dataclass(frozen=True)
class SendExperts(Command):
    """Send the expert team from a station to companies at second ``at_s``."""

    visit: str
    station: str
    company: Ints
    at_s: int


@dataclass(frozen=True)
class OfferLoan(Command):
    """Bring a company that wishes to borrow and a bank together."""

    company: int
    bank: str
    amount_cny: float


@dataclass(frozen=True)
class AssignClimate(Command):
    """Assign a matter of the business climate to the office in charge, to be rectified by ``due_s``."""

    matter: str
    issue: int
    place: str
    office: str
    due_s: int


@dataclass(frozen=True)
class CheckClimate(Command):
    """Ask a citizen supervisor (number ``supervisor``) to look whether a matter is better."""

    matter: str
    place: str
    issue: int
    supervisor: int


@dataclass(frozen=True)
class EscalateClimate(Command):
    """A matter is overdue: tell ``to``; ``level`` counts from 1."""

    matter: str
    level: int
    to: str


@dataclass(frozen=True)
class CloseClimate(Command):
    """Close a matter: ``outcome`` is one of CLIMATE_ENDINGS."""

    matter: str
    outcome: str
