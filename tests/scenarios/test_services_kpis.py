"""Indicators of government services against values worked out by hand."""

from __future__ import annotations

import pytest

from scenarios import kpis
from tests.scenarios.tiny import Tiny
from twin import events
from twin.log import Facts

DAY_S, END_S = 86_400, 10 * 86_400


def office_run() -> Facts:
    """Four matters with six cases in ten days: three matters ended, one is open.

    Filed at the hall (1, 2), at a service point (3), by phone (4), video (5), proxy (6). All but 6 are accepted. 1 and
    2 are concluded, 2 late. Open are 3 (its limit is past), 4 (its limit is not), 5 (decided in time, and only the
    paper is not collected yet).
    """
    t = Tiny().add(events.MatterBegan, 0, matter_no=[1, 2, 3, 4], target="person", items=1)
    case = [1, 2, 3, 4, 5, 6]
    t.add(
        events.CaseFiled, 3600, case_no=case, matter_no=[1, 2, 3, 4, 4, 4],
        office=["hall", "hall", "point-7", "mobile", "cloud", "proxy"], handed_in=[4, 3, 2, 0, 1, 2],
        reused=[0, 1, 2, 1, 0, 0],
    )  # fmt: skip
    t.add(
        events.TaskBegan, 7200, case_no=[1, 2, 3, 4, 1], task=["check", "check", "check", "check", "review"],
        waited_s=[600, 1200, 300, 90_000, 50_000],
    )  # fmt: skip
    t.add(events.ApplicantAsked, 8000, case_no=[1, 1, 2, 3], why=["correct", "supplement", "carry", "supplement"])
    t.add(events.CaseAccepted, 9000, case_no=[1, 2, 3, 4, 5],
          due_s=[5 * DAY_S, 2 * DAY_S, 6 * DAY_S, 12 * DAY_S, 7 * DAY_S])  # fmt: skip
    t.add(events.ResultGiven, [DAY_S, 3 * DAY_S, 4 * DAY_S], case_no=[1, 2, 5], result="granted")
    t.add(events.CaseConcluded, 4 * DAY_S, case_no=[1, 2], state="closed", overdue=[False, True])
    t.add(
        events.MatterEnded, 4 * DAY_S, matter_no=[1, 2, 3], duration_s=[DAY_S, 4 * DAY_S, 4 * DAY_S],
        cases=[1, 1, 2], handed_in=[4, 3, 5], visits=[2, 3, 0],
    )  # fmt: skip
    t.add(events.CaseOpen, END_S, case_no=[3, 4, 5], state="x").add(events.MatterOpen, END_S, matter_no=4, cases=3)
    return t.end(END_S)


BY_HAND = {
    "service_matters": 4,
    "service_cases": 6,
    "service_matter_days": (1 + 4 + 4) / 3,
    "service_open_share": 100 * 1 / 4,
    "service_materials": (4 + 3 + 5) / 3,
    "service_applications": (1 + 1 + 2) / 3,
    "service_visits": (2 + 3 + 0) / 3,
    "service_wait_min": (600 + 1200 + 300) / 3 / 60,  # the checks of 1, 2, 3: not by phone, not the review
    "service_wait_p95_min": (600 + 0.9 * 600) / 60,  # of 300, 600, 1200 s: position 0.95 · 2 = 1.9
    "service_returned_share": 100 * 2 / 6,  # 1 (asked twice) and 3; to carry papers on is no correction
    "service_remote_share": 100 * 3 / 6,
    "service_overdue_share": 100 * 2 / 5,  # 2 and 3 of those accepted
    "service_reused_share": 100 * 4 / (4 + 12),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_services_values_worked_out_by_hand(name: str) -> None:
    assert kpis.by_name(name)(office_run()) == pytest.approx(BY_HAND[name])


def test_an_open_case_that_was_decided_too_late_is_overdue() -> None:
    t = Tiny().add(events.CaseAccepted, 0, case_no=1, due_s=100).add(events.ResultGiven, 101, case_no=1)
    assert kpis.by_name("service_overdue_share")(t.add(events.CaseOpen, 500, case_no=1).end(500)) == 100
