"""Indicators of construction against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from scenarios import kpis
from tests.scenarios.tiny import Tiny
from twin import events
from twin.log import Facts

DAY_S = 86_400


def sites_run() -> Facts:
    """Four projects of 100 planned days over 200 days.

    0 was warned of on day 70 and finished 20 days late, 1 warned of on day 40 and in time, 2 not warned of and 30 days
    late, 3 warned of on day 90 and 11 days late. A warning about money is none about time.
    """
    t = Tiny().add(
        events.ProjectFiled, 0, project=[0, 1, 2, 3], library="current", investment_cny=[1e6, 2e6, 1e6, 1e6],
        start_day=0, finish_day=100,
    )  # fmt: skip
    t.add(events.SupplyArrived, [100, 200, 300, 300, 400], project=[0, 0, 1, 2, 3], tonnes=20.0)
    # of 0 and 1 alone there is an account of value; the last row of each counts
    t.add(events.SiteProgressed, DAY_S, project=[0, 1], progress=0.1, planned=0.2, cost_cny=5e4)
    t.add(events.SiteProgressed, 2 * DAY_S, project=[0, 1], progress=[0.3, 0.5], planned=[0.5, 0.5],
          cost_cny=[4e5, 8e5])  # fmt: skip
    warned = {"project": [0, 0, 1, 2, 3], "warning": ["schedule", "schedule", "schedule", "cost", "schedule"]}
    t.add(events.ProjectWarned, [70 * DAY_S, 80 * DAY_S, 40 * DAY_S, 50 * DAY_S, 90 * DAY_S], **warned)
    late = [20, -1, 30, 11]
    t.add(events.ProjectFinished, [(100 + d) * DAY_S for d in late], project=[0, 1, 2, 3], late_days=late)
    # four hazards, of which three were seen, one of them only before it was there
    t.add(events.SiteHazardAppeared, 1000, project=[0, 0, 1, 2], what=["edge", "crane", "edge", "fire"],
          spot=[1, 2, 1, 1])  # fmt: skip
    t.add(events.SiteHazardSeen, 2000, project=[0, 0, 1, 2], what=["edge", "crane", "edge", "fire"],
          spot=[1, 2, 9, 1], end="device", real=[True, True, True, False])  # fmt: skip
    # A in time, B at a second deadline, C after its only one, D open and past it, E open and not past it
    t.add(
        events.RectificationOrdered, [1000, 1000, 5000, 1000, 1000, 1000], case=["A", "B", "B", "C", "D", "E"],
        due_s=[4000, 4000, 8000, 4000, 4000, 201 * DAY_S],
    )  # fmt: skip
    t.add(events.HazardClosed, [4000, 8000, 9000], case=["A", "B", "C"], real=[True, True, False])
    t.add(events.SiteAccident, 6000, project=[0, 2], what="edge")
    nan = math.nan
    t.add(
        events.EndsJudged, 7000, project=[0, 1, 2], device_error=[0.03, -0.04, nan],
        supervisor_error=[0.01, 0.01, -0.01], builder_error=[0.1, nan, nan], desk_error=[0.0, 0.02, 0.0],
    )  # fmt: skip
    t.add(events.SitesAtEnd, 200 * DAY_S)
    return t.end(200 * DAY_S)


BY_HAND = {
    "site_lorries": 5,
    "sites_spi": (0.3 * 1 + 0.5 * 2) / (0.5 * 1 + 0.5 * 2),
    "sites_invested_share": 100 * (0.4 + 0.8) / (0.5 * 1 + 0.5 * 2),
    "projects_warned": 5,
    "lag_precision": 100 * 2 / 3,  # 0 and 3 of 0, 1, 3
    "lag_recall": 100 * 2 / 3,  # 0 and 3 of 0, 2, 3
    "lag_lead_days": (30 + 10) / 2,
    "site_hazards": 4,
    "site_hazards_found": 100 * 2 / 4,
    "site_hazards_in_time": 100 * 1 / 4,
    "site_hazards_wrongly_closed": 100 * 1 / 3,
    "site_accidents": 2,
    "device_error": 100 * math.sqrt((0.03**2 + 0.04**2) / 2),
    "supervisor_error": 1.0,
    "builder_error": 10.0,
    "desk_error": 100 * math.sqrt(0.02**2 / 3),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_sites_values_worked_out_by_hand(name: str) -> None:
    assert kpis.by_name(name)(sites_run()) == pytest.approx(BY_HAND[name])


def test_a_case_that_is_not_due_yet_does_not_count_in_a_run_that_lost_its_account_at_the_end() -> None:
    t = Tiny().add(events.RectificationOrdered, 0, case=["A", "B"], due_s=[4000, 20_000])
    log = t.add(events.HazardClosed, 3000, case="A", real=True).end(10_000)
    assert kpis.by_name("site_hazards_in_time")(log) == 100
