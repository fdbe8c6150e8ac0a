"""Life of companies, policies paid without application, business climate (F44-F49)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.scenario.parts import Factory, Part, TimeOfDay, key
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario

#: what the city knows of a company, and policies may read: numbers, yes or no, words
NUMBERS = (
    "age_years", "jobs", "new_jobs", "revenue_cny", "rd_cny", "rd_share", "tax_cny", "export_cny", "investment_cny",
    "loan_cny", "recognised_days", "x_m", "y_m",
)  # fmt: skip
FLAGS = ("high_tech", "specialised", "incubated", "account")
WORDS = ("industry", "stage")
FIELDS = (*NUMBERS, *FLAGS, *WORDS)


class Companies(Part):
    """Life of companies, policies paid without application, business climate (F44-F49)."""

    policies: str | None = key(
        "a folder with the city's own policies as JDM files; null: those of the shipped city, most of them generated",
        "a folder with files .json, see docs/companies.md, or null",
        None,
        min_length=1,
    )
    first_run: bool = key(
        "only the pilot of payment without application (F45), the reward for new high-tech enterprises",
        "true or false",
        False,
    )
    agreed: float = key(
        "share of the companies whose account is known and who let their data be used (assumed)",
        "a number from 0 to 1", 0.62, ge=0, le=1,
    )  # fmt: skip
    opens: TimeOfDay = key("offices open", 'a time such as "09:00"', 9 * 3600)
    shuts: TimeOfDay = key("offices shut", 'a time such as "17:00"', 17 * 3600)
    founding_days: float = key(
        "working days that founding a company takes; the services' cases can tell it (assumed: after the reform)",
        "a number from 0.1 to 200", 1.0, ge=0.1, le=200,
    )  # fmt: skip
    foundings_a_year: float = key(
        "companies founded a year per 100 there are, at one working day (assumed)",
        "a number from 0 to 100", 9.0, ge=0, le=100,
    )  # fmt: skip
    visits_a_week: int = key(
        "expert visits a week (F46: over 30 in all)", "a whole number from 0 to 12", 1, ge=0, le=12
    )
    companies_a_visit: int = key(
        "companies seen on a visit (F46: 150 in 30)", "a whole number from 1 to 50", 5, ge=1, le=50
    )
    banks: int = key("banks that lend (F48)", "a whole number from 0 to 50", 8, ge=0, le=50)
    bank_limit_million: float = key(
        "million CNY that each bank may have lent at a time (assumed; F48: over 11 billion by 8 banks in all)",
        "a number from 0 to 1000000", 1500.0, ge=0, le=1e6,
    )  # fmt: skip
    points: int = key("monitoring points of the climate (F49)", "a whole number from 0 to 200", 10, ge=0, le=200)
    supervisors: int = key("citizen supervisors (F49)", "a whole number from 0 to 500", 20, ge=0, le=500)
    desk: Factory = key("the policy desk", "package.module:Class", "twin.control.companies.policies:PolicyDesk")
    climate_desk: Factory = key(
        "the climate desk", "package.module:Class", "twin.control.companies.climate:ClimateDesk"
    )
    plans_desk: Factory = key("the plans desk", "package.module:Class", "twin.control.companies.plans:PlansDesk")


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    part = s.companies
    assert part is not None
    out: list[Problem] = []
    if part.shuts <= part.opens:
        out.append((("companies", "shuts"), "is not after companies.opens; offices must be open for a while"))
    if part.first_run and part.policies is not None:
        out.append((("companies", "first_run"), "is true, but companies.policies names a folder; choose one of them"))
    return out


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:  # noqa: ARG001
    """Report what this part names and the city does not have: ``wrong(key path, rest of the sentence)``."""
    from twin.errors import ScenarioError
    from twin.scenario.check import load_factory
    from twin.scenario.policy_file import read_policies

    part = s.companies
    assert part is not None
    for what in ("desk", "climate_desk", "plans_desk"):
        try:
            load_factory(getattr(part, what), f"companies.{what}")
        except ScenarioError as error:
            wrong(("companies", what), f"cannot be used: {error}")
    if part.policies is not None:
        try:
            read_policies(part.policies, FIELDS)
        except ScenarioError as error:
            wrong(("companies", "policies"), f"cannot be used: {error}")
