"""Scores of warnings against counting by hand; indicators of construction and companies on runs."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios import load
from scenarios.kpis.companies import COMPANIES
from scenarios.kpis.construction import CONSTRUCTION
from scenarios.lag_scores import DAY_S, lag_score
from tests.cities import shared_toy_city
from twin.events import ProjectFiled, ProjectFinished, ProjectWarned, SitesAtEnd
from twin.log import Facts, Log
from twin.world.companies.system import run_months as company_months
from twin.world.sites.months import run_months


def facts(late_days: dict[int, int | None], warned_day: dict[int, int], end_day: int = 400) -> Facts:
    """Projects of 100 days that should be finished on day 100; None: not finished."""
    log, n = Log(None), len(late_days)
    one, who = np.ones(n), np.arange(n)
    words = {w: np.full(n, "x", dtype=object) for w in ("name", "kind", "community", "contractor")}
    log.add(
        ProjectFiled, t_s=0, project=who, library=np.full(n, "current", dtype=object), x_m=one, y_m=one,
        investment_cny=one, start_day=0 * who, finish_day=0 * who + 100, curve_c=one, curve_k=one, **words,
    )  # fmt: skip
    for p, day in warned_day.items():
        log.add(
            ProjectWarned, t_s=day * DAY_S, project=p, warning="schedule", spi=0.5, cpi=1.0, spi_t=0.5,
            forecast_day=120, reason="",
        )  # fmt: skip
    for p, late in late_days.items():
        if late is not None:
            log.add(ProjectFinished, t_s=(100 + late) * DAY_S, project=p, day=100 + late, late_days=late)
    log.add(SitesAtEnd, t_s=end_day * DAY_S, hazards=0, cases=0, lorries=0)
    return log.close()


def test_precision_recall_and_lead_are_as_counted_by_hand() -> None:
    # 0 and 1 late and warned of in time; 2 late, warned of only afterwards; 3 late by 5 %, which is not late, warned;
    # 4 in time; 5 never finished and late for long
    late = {0: 30, 1: 11, 2: 50, 3: 5, 4: -3, 5: None}
    score = lag_score(facts(late, {0: 40, 1: 80, 2: 120, 3: 60}))
    assert (score.projects, score.late, score.warned, score.right, score.open) == (6, 4, 3, 2, 0)
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(2 / 4)
    assert score.f1 == pytest.approx(4 / 7)
    assert score.lead_days == pytest.approx((60 + 20) / 2)


def test_who_may_still_be_in_time_is_open_and_not_counted() -> None:
    score = lag_score(facts({0: 20, 1: None}, {}, end_day=105))
    assert (score.projects, score.open) == (1, 1)
    assert score.precision is None


def test_indicators_of_construction_come_from_the_facts() -> None:
    part = {"current": 20, "reserve": 5, "post": 0, "hazards_per_site_day": 0.2}
    log = run_months(load("weekday", construction=part), shared_toy_city(), 1, 60)
    value = {k.name: k(log) for k in CONSTRUCTION}
    assert value["site_hazards"] > 50
    assert 30 < value["site_hazards_found"] < 100
    assert 0.5 < value["sites_spi"] < 1.2
    assert value["desk_error"] < value["device_error"]
    assert value["lag_precision"] is None or 0 <= value["lag_precision"] <= 100
    assert all(k(Log(None).close()) is None for k in CONSTRUCTION)


def test_indicators_of_companies_come_from_the_facts() -> None:
    people = {"residents": 10, "companies": 600}
    log = company_months(load("weekday", people=people, companies={}), shared_toy_city(), 1, 30)
    value = {k.name: k(log) for k in COMPANIES}
    assert value["companies"] == 600 + value["companies_founded"] - value["companies_closed"]
    assert value["policy_paid_million"] > 0
    assert 0 < value["policy_reached_share"] <= 100
    assert value["expert_visited"] == 0  # the toy city has no company service stations
    assert all(k(Log(None).close()) is None for k in COMPANIES)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ({"construction": {"policy": "earned_scedule"}}, "did you mean 'earned_schedule'"),
        ({"construction": {"first_date": "July"}}, "first_date"),
        ({"construction": {"projects": "nowhere.csv"}}, "nowhere.csv"),
        ({"companies": {"opens": "17:00", "shuts": "09:00"}}, "companies.shuts is not after companies.opens"),
        ({"companies": {"first_run": True, "policies": "x"}}, "choose one of them"),
        ({"interventions": [{"kind": "site_stop", "at": "08:00"}]}, "'construction' is not on"),
    ],
)
def test_a_mistake_in_the_scenario_is_one_sentence(part: dict, sentence: str) -> None:
    from twin.errors import ScenarioError
    from twin.scenario.check import check_against_city

    with pytest.raises(ScenarioError) as error:
        check_against_city(load("weekday", **part), shared_toy_city())
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
