"""Indicators of companies against values worked out by hand."""

from __future__ import annotations

import pytest

from scenarios import kpis
from tests.scenarios.tiny import Tiny
from twin import events
from twin.log import Facts

DAY_S = 86_400


def companies_run() -> Facts:
    """Ten days: two founded, one struck off; two policies that pay and one that must be applied for."""
    t = Tiny().add(events.CompaniesCounted, [0, 9 * DAY_S], founded=[10, 11], growing=[20, 19], mature=[60, 61],
                   leaving=[10, 10], jobs=1.0)  # fmt: skip
    t.add(events.CompanyFounded, DAY_S, company=[101, 102]).add(events.CompanyClosed, 2 * DAY_S, company=7)
    # p leaves 3 + 1 behind, then 1; q leaves 2; of r nobody is paid without an application
    t.add(
        events.PolicyMatched, [DAY_S, 2 * DAY_S, DAY_S, DAY_S], policy=["p", "p", "q", "r"], fit=[9, 5, 8, 50],
        paid=[5, 3, 6, 0], no_account=[3, 1, 0, 0], no_budget=[1, 0, 2, 0],
    )  # fmt: skip
    t.add(events.PaymentReceived, 3 * DAY_S, policy=["p", "p", "q", "q"], company=[1, 2, 2, 3],
          amount_cny=[2e5, 1e5, 5e5, 7e5])  # fmt: skip
    t.add(events.ExpertsVisited, 3 * DAY_S, visit=["a", "b", "c"], company=[4, 4, 5])
    t.add(events.LoanDecided, 3 * DAY_S, company=[1, 2, 3], amount_cny=[3e6, 9e6, 0.5e6], accepted=[True, False, True])
    t.add(events.ClimateIssueArose, 100, what=["queue", "queue", "noise", "dark"], place=["a", "b", "a", "c"])
    # the queue at b is told of when it is not there, the noise at another place
    t.add(events.ClimateIssueFound, 200, what=["queue", "queue", "noise"], place=["a", "b", "b"],
          real=[True, False, True])  # fmt: skip
    # f goes to a second office on day 3: its time runs from day 1
    t.add(events.ClimateAssigned, [DAY_S, 3 * DAY_S, 2 * DAY_S, DAY_S], finding=["f", "f", "g", "h"], who="x")
    t.add(events.ClimateClosed, [6 * DAY_S, 3 * DAY_S], finding=["f", "g"], real=True)
    return t.end(10 * DAY_S)


BY_HAND = {
    "companies": 11 + 19 + 61 + 10,
    "companies_founded": 2,
    "companies_closed": 1,
    "policy_paid_companies": 3,  # 1, 2 (twice), 3
    "policy_paid_million": 0.2 + 0.1 + 0.5 + 0.7,
    "policy_reached_share": 100 * (5 + 3 + 6) / ((5 + 3 + 6) + 1 + 2),
    "expert_visited": 2,
    "loans_million": 3 + 0.5,
    "climate_found_share": 100 * 1 / 4,
    "climate_days": ((6 - 1) + (3 - 2)) / 2,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_companies_values_worked_out_by_hand(name: str) -> None:
    assert kpis.by_name(name)(companies_run()) == pytest.approx(BY_HAND[name])


def test_whoever_fitted_earlier_and_no_longer_does_was_not_missed() -> None:
    """The last matching counts, also one that leaves nobody behind."""
    t = Tiny().add(events.PolicyMatched, [0, DAY_S], policy="p", paid=[3, 0], no_account=[1, 0])
    assert kpis.by_name("policy_reached_share")(t.end(DAY_S)) == 100


def test_where_nobody_is_to_be_paid_there_is_no_share() -> None:
    assert kpis.by_name("policy_reached_share")(Tiny().add(events.PolicyMatched, 0, policy="r", fit=5).end(9)) is None
