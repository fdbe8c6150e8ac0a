"""Other regions: papers handed in at a hall there, several places in one case, journeys that nobody makes (F38)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from scenarios.exports import case_log, ocel, xes
from scenarios.kpis import by_name
from tests.scenarios.test_exports_cases import MIDNIGHT
from twin.control.services.catalogue.generate import generated
from twin.control.services.catalogue.items import DECIDE, ELSEWHERE
from twin.control.services.levers import BEFORE, TODAY
from twin.control.services.plans import Plans, cores
from twin.domain.services import PlaceAnswered
from twin.world.offices.months import Months, Ran, run
from twin.world.offices.regions import CITIES, COUNTIES, PROVINCES, calendars, counties
from twin.world.offices.settings import Behaviour, Demand

FAR = Months(matters=120, demand=Demand(per_day=40, far=0.7))


@cache
def today() -> Ran:
    return run(FAR, 3)


def rows(ran: Ran, fact: str) -> list[dict]:
    return ran.log.table(fact).to_pylist()


def test_the_table_of_regions_has_the_sizes_of_the_fact() -> None:
    every = counties()
    assert len(every) == COUNTIES == 177
    assert len({c.city for c in every}) == CITIES == 57
    assert len({c.province for c in every}) == PROVINCES == 20
    assert all("示意" in c.name for c in every)
    by_city = {c.city: c for c in every}
    # great circle Jinan–Guangzhou about 1,550 km; the detour is a quarter more
    assert by_city["广州"].km == pytest.approx(1.25 * 1_550, rel=0.03)
    assert by_city["泰安"].journey_days == 1.0 < by_city["广州"].journey_days < by_city["乌鲁木齐"].journey_days


def test_a_hall_elsewhere_takes_papers_in_only_in_its_own_hours() -> None:
    sent = rows(today(), "PapersForwarded")
    assert len(sent) > 5
    hours = calendars(0)
    county = {c.name: c for c in counties()}
    for r in sent:
        assert hours[county[r["county"]].hours].open(r["t_s"] - 1)  # it was just sent
        gone = r["arrives_s"] - r["t_s"]
        assert gone >= int(county[r["county"]].courier_days * 86_400) if r["courier"] else gone == 0
    filed = {r["case_no"]: r["t_s"] for r in rows(today(), "CaseFiled") if r["office"] == "proxy"}
    first = {r["case_no"]: r["arrives_s"] for r in reversed(sent)}
    assert first == filed


def test_several_places_are_asked_together_and_nothing_is_decided_before_they_answer() -> None:
    asked, decided = rows(today(), "PlaceAsked"), rows(today(), "PlaceDecided")
    assert len(asked) == len(decided) > 20
    by_case: dict[int, set[int]] = {}
    for r in asked:
        by_case.setdefault(r["case_no"], set()).add(r["t_s"])
    both = [c for c in by_case if sum(r["case_no"] == c for r in asked) == 2]
    assert both
    assert all(len(by_case[c]) == 1 for c in both)  # one second: side by side
    answered = {}
    for r in decided:
        answered[r["case_no"]] = max(r["t_s"], answered.get(r["case_no"], 0))
    first_decision = {}
    for r in rows(today(), "TaskBegan"):
        if r["task"] == "decide":
            first_decision.setdefault(r["case_no"], r["t_s"])
    both = [c for c in first_decision if c in answered]
    assert len(both) > 10
    assert all(first_decision[c] >= answered[c] for c in both)


def test_in_the_office_of_before_the_applicant_travels_and_brings_their_papers() -> None:
    before = run(replace(FAR, levers=BEFORE), 3)
    assert not rows(before, "PlaceAsked")
    assert not rows(before, "PapersForwarded")
    saved = np.array([r["saved_days"] for r in rows(before, "FarServed")])
    assert (saved == 0).all()
    assert by_name("service_far_saved_days")(today().log) > 2.0
    # each journey that is saved takes a day at least
    for r in rows(today(), "FarServed"):
        assert r["saved_days"] >= r["contacts"] - r["journeys"] >= 0


def test_plans_with_other_places_wait_for_them_side_by_side_or_in_a_row() -> None:
    catalogue = generated()
    item = next(k for k, i in enumerate(catalogue.items) if i.places == 2)
    for levers, in_a_row in ((TODAY, False), (TODAY.but(parallel_review=False), True)):
        steps = Plans(cores(catalogue), levers).of((item,), (), 2).steps
        places = [k for k, s in enumerate(steps) if s.kind == ELSEWHERE]
        assert len(places) == 2
        assert bool(steps[places[1]].after >> places[0] & 1) == in_a_row
        both = sum(1 << k for k in places)
        assert all(s.after & both == both for s in steps if s.kind == DECIDE)
    assert not [s for s in Plans(cores(catalogue), BEFORE).of((item,), (), 2).steps if s.kind == ELSEWHERE]


def test_answers_of_places_that_are_lost_are_asked_for_again() -> None:
    lost = []

    def through(message):
        if isinstance(message, PlaceAnswered) and not message.key.startswith("again/"):
            lost.append(message)
            return None
        return message

    ran = run(replace(FAR, matters=30, ask_days=3), 3, through=through)
    assert lost
    assert ran.log.table("CaseOpen").num_rows == 0


def test_event_logs_tell_what_happened_elsewhere() -> None:
    log = case_log.read(today().log, MIDNIGHT)
    happened = {e.activity for e in log.events}
    assert {"hand in elsewhere", "ask another place", "decide elsewhere"} <= happened
    assert "（示意）" in "".join(xes.lines(log))
    assert "ask another place" in str(ocel.document(log))


def test_indicators_of_other_regions() -> None:
    log = today().log
    assert by_name("service_far_cases")(log) > 50
    assert 20 < by_name("service_far_counties")(log) <= 177
    assert by_name("service_forwarded")(log) == len(rows(today(), "PapersForwarded"))
    assert 0.5 < by_name("service_joint_days")(log) < 10.0


def test_nothing_is_lost_where_papers_are_often_wanting() -> None:
    """Several steps of one case may want something at once, and each of it goes by way of the hall there."""
    flawed = Behaviour(flaw=0.35, precheck_catches=0.0, refuse=0.1, appeal=0.5)
    ran = run(Months(matters=150, demand=Demand(per_day=60, far=0.9), behaviour=flawed, consult=0.5), 5)
    ended = rows(ran, "CaseConcluded")
    assert sorted(r["case_no"] for r in ended) == sorted(r["case_no"] for r in rows(ran, "CaseFiled"))
    turns = [r["case_no"] for r in rows(ran, "PapersForwarded")]
    assert len(turns) > len(set(turns))
