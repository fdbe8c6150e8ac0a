"""The service hall measures how long founding takes, and companies are founded accordingly."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from scenarios import load
from tests.cities import shared_toy_city
from twin.control.services.calendars import DAY_S, Calendar, week
from twin.control.services.catalogue.generate import generated
from twin.scenario.interventions import FoundingTime
from twin.simulation import Simulation
from twin.world.offices.founding import LAST, LEAST, FoundingTimes, founds

HALL = Calendar(week([(9 * 3600, 17 * 3600)]))  # Monday to Friday, 8 h
CATALOGUE = generated()
FOUNDING = next(k for k, item in enumerate(CATALOGUE.items) if founds(item))
OTHER = next(k for k, item in enumerate(CATALOGUE.items) if not founds(item))


def case(item: int, filed_s: int):
    return SimpleNamespace(plan=SimpleNamespace(items=(item,)), filed_s=filed_s)


def test_working_days_from_filing_to_result_as_a_mean_of_the_last() -> None:
    times, told = FoundingTimes(CATALOGUE, HALL), []
    times.listeners.append(told.append)
    friday_noon, monday_noon = 4 * DAY_S + 13 * 3600, 7 * DAY_S + 13 * 3600
    for k in range(LEAST):
        times.done(case(OTHER, friday_noon), monday_noon)
        assert len(told) == 0
        times.done(case(FOUNDING, friday_noon), monday_noon if k else monday_noon + DAY_S)
    assert told == [pytest.approx((2 + (LEAST - 1) * 1) / LEAST)]  # a weekend is no working time
    for _ in range(LAST):
        times.done(case(FOUNDING, 9 * 3600), 9 * 3600 + 60)
    assert told[-1] == pytest.approx(0.1)  # never less


def test_what_founds_a_company() -> None:
    names = {item.name for item in CATALOGUE.items if founds(item)}
    assert {"公司设立登记", "有限责任公司设立登记", "合伙企业设立登记"} <= names
    assert not any("变更" in name or "养犬" in name or "个体" in name for name in names)


@pytest.fixture
def simulation(tmp_path):
    folder = shared_toy_city().save(tmp_path / "city")
    s = load(
        "weekday", city={"folder": str(folder)}, people={"residents": 100, "companies": 50},
        traffic={"mode": "free-flow", "background": 0.0}, start="08:00", end="09:00",
        services={"hall": str(shared_toy_city().places["place"].iloc[0])}, companies={},
    )  # fmt: skip
    made = Simulation(s, shared_toy_city(), folder, 1)
    yield made
    made.close()


def test_services_tell_companies_and_an_intervention_holds_meanwhile(simulation: Simulation) -> None:
    services, companies = simulation.systems["services"], simulation.systems["companies"]
    times = services._founding
    for _ in range(LEAST):
        times.done(case(FOUNDING, 9 * 3600), DAY_S + 17 * 3600)
    days = companies.offices.founding_days
    assert days == pytest.approx(2.0, rel=0.2)
    first, first_over = companies.intervene(FoundingTime(at="08:10", kind="founding_time", days=30), "one")
    second, second_over = companies.intervene(
        FoundingTime(at="08:20", kind="founding_time", days=60), "interventions[1]"
    )
    first()
    second()
    assert companies.offices.founding_days == 60
    for _ in range(LAST):
        times.done(case(FOUNDING, 9 * 3600), 9 * 3600 + 60)
    assert companies.offices.founding_days == 60
    second_over()
    assert companies.offices.founding_days == 30
    first_over()
    assert companies.offices.founding_days == pytest.approx(0.1)
