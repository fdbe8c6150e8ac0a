"""The life of companies against its formulas; whole days and months: money, plans, climate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geo.city import City
from scenarios import load
from tests.cities import shared_toy_city
from twin.control.companies.calendar import Calendar
from twin.dice import Dice
from twin.errors import ScenarioError
from twin.events import (
    ClimateAssigned,
    ClimateClosed,
    CompaniesCounted,
    CompanyClosed,
    CompanyFounded,
    ExpertsVisited,
    LoanOffered,
    PaymentFailed,
    PaymentOrdered,
    PaymentReceived,
    PolicyAccount,
)
from twin.scenario.check import check_against_city
from twin.scenario.companies import FIELDS
from twin.scenario.policy_file import read_policies
from twin.simulation import Simulation
from twin.world.companies.life import ENTRY_ELASTICITY, GROWING, MATURE, Life
from twin.world.companies.loans import LEAD_WISHES, WISH_ELASTICITY, WISHES_A_YEAR, wishes_a_year
from twin.world.companies.policies import write
from twin.world.companies.system import arrays_of, run_months
from twin.world.people.companies import LEAD


def scenario(**companies):
    people = {"residents": 100, "companies": companies.pop("count", 400)}
    return load("weekday", people=people, traffic={"mode": "free-flow"}, companies=companies)


def life(count: int = 400, seed: int = 1) -> Life:
    dice = Dice(seed)
    arrays = arrays_of(scenario(count=count), shared_toy_city(), dice)
    xy = np.zeros(len(shared_toy_city().blocks))
    return Life(arrays, (xy, xy), dice, 0.6)


def founded(days: float, seed: int = 1) -> list[int]:
    model = life(seed=seed)
    return [len(model.step(day, True, 60.0, days).founded) for day in range(600)]


def test_entry_responds_to_the_time_of_founding_with_its_elasticity() -> None:
    quickly, slowly = founded(1.0), founded(75.0)
    quick, slow = sum(quickly), sum(slowly)
    assert pytest.approx(1.17, abs=0.005) == 75**ENTRY_ELASTICITY  # Branstetter et al. 2014
    assert quick == pytest.approx(400 * 0.6 / 250 * 600, rel=0.1)
    assert quick / slow == pytest.approx(75**ENTRY_ELASTICITY, rel=0.1)
    assert all(a >= b for a, b in zip(quickly, slowly, strict=True))  # the same founders, and some more


def test_leaving_falls_with_age_and_size_and_with_money() -> None:
    model = life()
    who = np.array([0, 1, 2, 3])
    model.size[:4] = [5, 5, 50, 5]
    model.born_day[:4] = [-30, -3650, -30, -30]
    model.paid_until[3] = 100
    hazard = model.hazard(who, 0)
    assert hazard[1] < hazard[0]
    assert hazard[2] == pytest.approx(hazard[0] * 10**-0.25)
    assert hazard[3] == pytest.approx(0.7 * hazard[0])


def test_growth_is_gibrats_with_a_spread_that_falls_with_size() -> None:
    model = life(count=4000)
    model.stage[:] = 2
    model.born_day[:] = -20 * 365
    model.size[:2000], model.size[2000:] = 10.0, 1000.0
    before = np.log(model.size.copy())
    model._grow(np.arange(4000), 7)
    step = np.log(model.size) - before
    assert step[:2000].std() / step[2000:].std() == pytest.approx(100**0.15, rel=0.08)
    assert step[2000:].mean() == pytest.approx(0.015 / 12, abs=0.002)


def test_one_more_company_changes_nothing_for_the_others() -> None:
    a, b = life(400), life(401)
    ra, rb = (m.records(np.arange(300), 0, 0) for m in (a, b))
    same = ra.company.size * ra.number_field.index("revenue_cny")
    assert (a.stage[:300] == b.stage[:300]).all()
    jobs_same = a.size[:300] == b.size[:300]  # a block's jobs are shared out anew where the 401st came
    revenue = slice(same, same + 300)
    np.testing.assert_array_equal(ra.numbers[revenue][jobs_same], rb.numbers[revenue][jobs_same])
    assert jobs_same.mean() > 0.8


def test_companies_are_conserved_and_money_in_is_money_out_plus_balance() -> None:
    facts = run_months(scenario(count=1500), shared_toy_city(), 1, 70)
    counted = facts.frame(CompaniesCounted).sort_values("t_s")
    there = counted[["founded", "growing", "mature", "leaving"]].sum(axis=1)
    born, gone = len(facts.frame(CompanyFounded)), len(facts.frame(CompanyClosed))
    assert there.iloc[-1] == there.iloc[0] + born - gone
    assert born > 0
    accounts = facts.frame(PolicyAccount).set_index("policy")
    got = facts.frame(PaymentReceived)
    failed, ordered = facts.frame(PaymentFailed), facts.frame(PaymentOrdered)
    np.testing.assert_allclose(
        accounts["budget_cny"], accounts["received_cny"] + accounts["pending_cny"] + accounts["balance_cny"], atol=1e-6
    )
    assert (accounts["balance_cny"] >= 0).all()
    by = got.groupby("policy")["amount_cny"].sum().reindex(accounts.index).fillna(0.0)
    np.testing.assert_allclose(by, accounts["received_cny"], atol=1e-6)
    assert not got.duplicated(["policy", "company"]).any()  # 70 days are within every period
    pending = ordered["amount_cny"].sum() - got["amount_cny"].sum() - failed["amount_cny"].sum()
    assert pending == pytest.approx(accounts["pending_cny"].sum(), abs=1e-6)
    assert len(got) > 10
    assert ordered["reason"].str.startswith("rule ").all()


def test_no_work_outside_the_calendar() -> None:
    facts = run_months(scenario(), shared_toy_city(), 2, 40)
    opens = Calendar(weekday=1)  # the weekday is a Tuesday
    for kind in (PaymentOrdered, PaymentReceived, ClimateAssigned, ClimateClosed):
        assert all(opens.open(int(t)) for t in facts.frame(kind)["t_s"]), kind.__name__
    assert len(facts.frame(ClimateClosed)) > 3
    visits = facts.frame(ExpertsVisited)
    assert {(1 + int(t) // 86_400) % 7 for t in visits["t_s"]} <= {1, 3}  # Tuesdays and Thursdays


def test_a_run_pays_in_the_first_hour_and_is_the_same_again(tmp_path: Path) -> None:
    folder = shared_toy_city().save(tmp_path / "city")
    s = load(
        "weekday", city={"folder": str(folder)}, people={"residents": 60, "companies": 800}, end="12:00",
        traffic={"mode": "free-flow", "background": 0}, companies={},
        interventions=[{"kind": "founding_time", "at": "01:00", "days": 30}],
    )  # fmt: skip

    def run():
        simulation = Simulation(s, City.load(folder), folder, 1, None)
        simulation.run_until(simulation.end_s)
        return simulation.finish()

    first = run()
    ordered = first.log.frame(PaymentOrdered)
    assert set(ordered["t_s"]) == {9 * 3600}
    assert len(first.log.frame(PaymentReceived)) > 0
    assert first.digest == run().digest


def test_a_citys_own_policies_are_a_folder_of_jdm_files(tmp_path: Path) -> None:
    write(tmp_path)
    assert len(read_policies(tmp_path, FIELDS)) == 50
    s = scenario(policies=str(tmp_path))
    check_against_city(s, shared_toy_city())
    file = tmp_path / "founders-rent.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    for key in ("budget_cny", "title"):
        file.write_text(json.dumps({k: v for k, v in data.items() if k != key}), encoding="utf-8")
        with pytest.raises(ScenarioError, match=rf"founders-rent\.json: the field '{key}' is missing"):
            check_against_city(s, shared_toy_city())
    data["nodes"][1]["content"]["inputs"][0].pop("field")
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"policy founders-rent: the column 'stage' has no field"):
        check_against_city(s, shared_toy_city())
    with pytest.raises(ScenarioError, match="holds no policy"):
        read_policies(tmp_path / "nowhere", FIELDS)


def test_wishes_to_borrow_rise_with_size_and_come_from_all_established_companies() -> None:
    people = np.array([1.0, 20.0, 640.0])
    rate = wishes_a_year(np.full(3, LEAD), people)
    assert rate[1] == WISHES_A_YEAR
    assert rate[2] / rate[1] == pytest.approx(32**WISH_ELASTICITY)
    assert rate[1] / rate[0] == pytest.approx(20**WISH_ELASTICITY)
    assert wishes_a_year(np.zeros(1), people[1:2])[0] == LEAD_WISHES
    days, count = 80, 6_000
    facts = run_months(scenario(count=count), shared_toy_city(), 1, days)
    asked = facts.frame(LoanOffered).drop_duplicates("company")
    arrays = arrays_of(scenario(count=count), shared_toy_city(), Dice(1))
    established = np.flatnonzero((arrays.stage == GROWING) | (arrays.stage == MATURE))
    a_year = wishes_a_year(arrays.industry[established], arrays.jobs[established].astype(float)).sum()
    mean = a_year * days * 5 / 7 / 250
    # a Poisson number, but for those who leave or grow meanwhile
    assert mean > 12
    assert len(asked) == pytest.approx(mean, abs=3 * mean**0.5)
    old = asked["company"][asked["company"] < len(arrays)].to_numpy(dtype=np.int64)
    assert {GROWING, MATURE} <= set(arrays.stage[old].tolist())
