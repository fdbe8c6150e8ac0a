"""Facts of companies, policies, payments and the business climate (F44-F49)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class CompaniesCounted(Fact):
    """Truth at midnight of a day: companies by stage, people in them."""

    day: int
    founded: int
    growing: int
    mature: int
    leaving: int
    jobs: float


@dataclass(frozen=True)
class CompanyFounded(Fact):
    """A company was founded, after ``duration_s`` at the offices."""

    company: int
    industry: str
    jobs: float
    duration_s: int


@dataclass(frozen=True)
class CompanyStageChanged(Fact):
    """In truth a company entered a stage of its life."""

    company: int
    stage: str


@dataclass(frozen=True)
class CompanyClosed(Fact):
    """A company was struck off."""

    company: int
    age_years: float
    jobs: float


@dataclass(frozen=True)
class PolicyOpened(Fact):
    """A policy came into force with a budget, or got more."""

    policy: str
    what: str
    amount_cny: float


@dataclass(frozen=True)
class PolicyRefused(Fact):
    """The desk refused a policy whose table is wrong."""

    policy: str
    reason: str


@dataclass(frozen=True)
class PolicyMatched(Fact):
    """What a matching found: companies that fit, and of them paid, without an account, without budget."""

    policy: str
    day: int
    fit: int
    paid: int
    no_account: int
    no_budget: int
    balance_cny: float


@dataclass(frozen=True)
class PaymentOrdered(Fact):
    """The desk ordered a payment: by which row of the policy's table, and why."""

    policy: str
    company: int
    rule: int
    amount_cny: float
    reason: str


@dataclass(frozen=True)
class PaymentReceived(Fact):
    """A company received money of a policy."""

    policy: str
    company: int
    amount_cny: float


@dataclass(frozen=True)
class PaymentFailed(Fact):
    """The bank could not pay; the money went back to the budget."""

    policy: str
    company: int
    amount_cny: float


@dataclass(frozen=True)
class CompanyPlanned(Fact):
    """A company's plan names a theme of service for it."""

    company: int
    stage: str
    theme: str


@dataclass(frozen=True)
class ExpertsVisited(Fact):
    """Experts were at a company; it told them of a need (``theme``; "" for none)."""

    visit: str
    company: int
    theme: str


@dataclass(frozen=True)
class LoanOffered(Fact):
    """The desk brought a company and a bank together."""

    company: int
    bank: str
    amount_cny: float


@dataclass(frozen=True)
class LoanPaidBack(Fact):
    """A company paid a loan back at the end of its term."""

    company: int
    bank: str
    amount_cny: float


@dataclass(frozen=True)
class LoanDecided(Fact):
    """A bank decided on a loan."""

    company: int
    bank: str
    amount_cny: float
    accepted: bool


@dataclass(frozen=True)
class ClimatePointSet(Fact):
    """A monitoring point of the business climate watches a place from the start (F49)."""

    who: str
    place: str


@dataclass(frozen=True)
class ClimateIssueArose(Fact):
    """In truth something at a place began to hinder companies."""

    what: str
    place: str


@dataclass(frozen=True)
class ClimateIssueGone(Fact):
    """In truth it was over."""

    what: str
    place: str
    duration_s: int


@dataclass(frozen=True)
class ClimateIssueFound(Fact):
    """Perception: a monitoring point or a citizen supervisor told of it; ``real``: it was so."""

    what: str
    place: str
    who: str
    real: bool


@dataclass(frozen=True)
class ClimateAssigned(Fact):
    """The climate desk assigned a matter to an office."""

    finding: str
    who: str
    due_s: int


@dataclass(frozen=True)
class ClimateChecked(Fact):
    """Perception: a supervisor looked again."""

    finding: str
    accepted: bool


@dataclass(frozen=True)
class ClimateEscalated(Fact):
    """The climate desk told somebody higher of an overdue matter."""

    finding: str
    step: int
    to: str


@dataclass(frozen=True)
class ClimateClosed(Fact):
    """The climate desk closed a matter; ``real``: in truth it was over (or never was)."""

    finding: str
    outcome: str
    real: bool


@dataclass(frozen=True)
class PolicyAccount(Fact):
    """The account of a policy at the end of the run: money in, received by companies, on its way, left."""

    policy: str
    budget_cny: float
    received_cny: float
    pending_cny: float
    balance_cny: float
