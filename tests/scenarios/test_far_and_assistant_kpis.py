"""Indicators of other regions and of the assistant, by hand."""

from __future__ import annotations

import pytest

from scenarios.kpis import by_name
from twin import events
from twin.log import Log

HOUR, DAY = 3_600, 86_400


def test_by_hand() -> None:
    log = Log()

    def add(fact, t_s: int, /, **values) -> None:
        log.add(fact, t_s=t_s, **values)

    where = {"province": "山东", "city": "泰安", "county": "泰安区县1（示意）"}
    there = {"province": "广东", "city": "广州", "county": "广州区县1（示意）"}
    for matter, region in ((1, 4), (2, -1), (3, -1), (4, -1)):
        add(events.MatterBegan, 0, matter_no=matter, target="person", scene="", items=1, region=region)
    for matter, office in ((1, "proxy"), (2, "hall"), (3, "point-2"), (4, "mobile")):
        add(
            events.CaseFiled, HOUR, case_no=16 * matter, matter_no=matter, office=office, item="i", items=1,
            item_version=1, handed_in=2, reused=0,
        )  # fmt: skip
    add(events.PapersForwarded, HOUR, case_no=16, courier=True, arrives_s=DAY, wait_s=60, **where)
    add(events.PlaceAsked, DAY, case_no=16, step=1, **there)
    add(events.PlaceDecided, 3 * DAY, case_no=16, step=1, accepted=True)
    add(events.OfficeVisited, HOUR, case_no=32, office="hall", why="file", way_s=600)
    add(events.OfficeVisited, DAY, case_no=32, office="hall", why="correct", way_s=600)
    saved = {"from_there": True, "places": 0, "contacts": 2, "journeys": 0}
    add(events.FarServed, 4 * DAY, matter_no=1, saved_days=3.0, **saved, **where)
    add(events.FarServed, 4 * DAY, matter_no=3, saved_days=1.0, **saved, **where)
    for matter, rank, over in ((1, 1, False), (2, 2, False), (3, 1, True), (4, 0, False)):
        add(events.AssistantAsked, 60, matter_no=matter, question="?", style="formal")
        add(events.AssistantAnswered, 60, matter_no=matter, rank=rank, handed_over=over, effect="none")
    facts = log.close()
    expected = {
        "service_wasted_trips": 50.0,  # one of two filed in person
        "service_far_cases": 1,
        "service_far_counties": 2,
        "service_far_saved_days": 2.0,
        "service_forwarded": 1,
        "service_joint_days": 2.0,
        "assistant_asked": 4,
        "assistant_right_first": 25.0,  # right, but handed over, does not count
        "assistant_handed_over": 25.0,
    }
    assert {k: by_name(k)(facts) for k in expected} == pytest.approx(expected)


def test_a_run_without_services_has_none() -> None:
    log = Log()
    log.add(events.CompaniesCounted, t_s=0, day=0, founded=1, growing=1, mature=1, leaving=0, jobs=3.0)
    facts = log.close()
    assert by_name("service_far_saved_days")(facts) is None
    assert by_name("assistant_right_first")(facts) is None
