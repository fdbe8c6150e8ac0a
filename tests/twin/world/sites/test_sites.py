"""Sites in truth: works, weather, lorries, dust, hazards; whole runs on the toy city and over months."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from geo.city import City
from scenarios import load
from tests.cities import shared_toy_city
from twin.dice import Dice
from twin.errors import ScenarioError
from twin.events import (
    HazardClosed,
    ProgressEstimated,
    ProjectFiled,
    ProjectMoved,
    RectificationOrdered,
    SiteHazardAppeared,
    SiteHazardGone,
    SitesAtEnd,
    SiteWorkStopped,
    SupplyArrived,
    SupplyPlanned,
    VehicleEntered,
)
from twin.scenario.check import check_against_city
from twin.scenario.construction import Construction
from twin.scenario.project_file import read_projects
from twin.simulation import Run, Simulation
from twin.world.sites import air
from twin.world.sites.files import sites_of
from twin.world.sites.months import run_months, unfinished
from twin.world.sites.sky import Sky, usual_share
from twin.world.sites.works import Works


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_toy_city().save(tmp_path_factory.mktemp("sites") / "city")


def scenario(folder: Path, **more):
    part = {"current": 12, "reserve": 4, "post": 2, **more.pop("construction", {})}
    return load(
        "weekday",
        city={"folder": str(folder)},
        people={"residents": 100, "companies": 10},
        traffic={"mode": "free-flow"},
        construction=part,
        **more,
    )


def simulate(s, folder: Path, seed: int = 1) -> Run:
    simulation = Simulation(s, City.load(folder), folder, seed, None)
    simulation.run_until(simulation.end_s)
    return simulation.finish()


def works(seed: int = 1, **part) -> Works:
    sites = sites_of(shared_toy_city(), Construction(**part))
    dice = Dice(seed)
    return Works(sites, dice, Sky(dice, date(2025, 7, 29)), respond=False)


# -- files -------------------------------------------------------------------------------------------


def test_the_sizes_are_those_of_the_facts_and_each_file_has_place_investment_and_dates() -> None:
    s = sites_of(shared_toy_city(), Construction())
    assert np.bincount(s.library).tolist() == [93, 211, 60]  # F14
    assert set(s.kind.tolist()) == {0, 1, 2, 3}
    assert (s.investment_cny > 0).all()
    assert (s.finish_day > s.start_day).all()
    assert (s.road >= 0).all()


HEAD = "project,name,kind,library,lon,lat,investment_cny,start,finish,contractor\n"
GOOD = "7,A,garden,current,117.0,36.8,2e7,2025-01-01,2026-01-01,B\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            GOOD.replace("2026-01-01", "2024-01-01"),
            "line 2: project 7: finish is 2024-01-01, but the project starts on",
        ),
        (
            GOOD.replace("garden", "palace"),
            'line 2: project 7: kind is "palace"; allowed: building, municipal, garden, ',
        ),
        (GOOD.replace("2e7", "-5"), "line 2: project 7: investment_cny is -5; allowed: a number above 0"),
        (GOOD.replace("2e7", "much"), 'line 2: project 7: investment_cny is "much"; allowed: a number'),
        (GOOD.replace("2025-01-01", "soon"), 'line 2: project 7: start is "soon"; allowed: a date such as'),
        (GOOD + GOOD, "line 3: project 7 is there twice"),
        (GOOD.replace("7,A", "0,A"), "line 2: project is 0; allowed: a whole number from 1 to 9999"),
        ("", "holds no project"),
    ],
)
def test_a_mistake_in_a_project_file_is_one_sentence(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "p.csv"
    file.write_text(HEAD + line, encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        read_projects(file)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_citys_own_file_is_checked_with_the_scenario_and_driven(folder: Path, tmp_path: Path) -> None:
    city = shared_toy_city()
    lon, lat = (float(v[0]) for v in city.to_wgs84(*[np.array([c]) for c in city.roads.geometry.iloc[3].coords[0]]))
    file = tmp_path / "p.csv"
    file.write_text(HEAD + GOOD.replace("117.0,36.8", f"{lon},{lat}"), encoding="utf-8")
    s = scenario(folder, construction={"projects": str(file)})
    check_against_city(s, city)
    sites = sites_of(city, s.construction)
    assert (sites.project.tolist(), sites.start_day.tolist()) == ([7], [-209])  # 2025-07-29 is day 0
    file.write_text(HEAD + GOOD, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"construction\.projects has project 7 at 117, 36\.8, which is not in"):
        check_against_city(s, city)


# -- works -------------------------------------------------------------------------------------------


def test_planners_know_the_climate_so_that_the_mean_project_slips_by_their_optimism_alone() -> None:
    from twin.world.sites.works import BUILDER_SD, OPTIMISM, PROJECT_SD

    w = works(reserve=0, current=3000, post=0)
    young = (w.sites.start_day > -100) & (w.sites.start_day < -40)
    for day in range(400):
        w.step(day, w._sky.day(day))
    elapsed = 400 - w.sites.start_day[young]
    pace = np.where(w.finished[young], np.nan, w.done_days[young] / elapsed)
    expected = (1 - OPTIMISM) * np.exp((BUILDER_SD**2 + PROJECT_SD**2) * 0)  # lognormal with mean 1
    assert np.nanmean(pace) == pytest.approx(expected, abs=0.08)  # finished ones are the fast ones: a little less
    assert (usual_share() < 1).all()


def test_one_more_project_changes_nothing_for_the_others() -> None:
    a, b = works(reserve=0, current=20, post=0), works(reserve=0, current=21, post=0)
    for day in range(30):
        a.step(day, a._sky.day(day))
        b.step(day, b._sky.day(day))
    np.testing.assert_array_equal(a.progress, b.progress[:20])


def test_what_is_stopped_stands_still_and_still_costs() -> None:
    w = works(reserve=0, current=5, post=0)
    w.ordered_stop[:] = 1
    before, cost = w.progress.copy(), w.cost_cny.copy()
    w.step(0, w._sky.day(0))
    np.testing.assert_array_equal(w.progress, before)
    assert (w.cost_cny[w.active] > cost[w.active]).all()


# -- air ---------------------------------------------------------------------------------------------


def test_dust_falls_as_the_formula_and_rain_ends_it() -> None:
    zero, ground = np.zeros(1), np.array([10_000.0])
    r = 500.0
    sigma = 0.06 * r / np.sqrt(1 + 0.0015 * r)
    grams = air.EMISSION_G_M2_S * 0.5 * 1e4 * np.sqrt(2 / np.pi) / (2 * np.pi * r * air.WIND_M_S * sigma)
    at = air.dust_ug_m3(np.array([r]), zero, zero, zero, ground, np.ones(1), wet=False)
    assert at[0] == pytest.approx(air.BACKGROUND_UG_M3 + 1e6 * grams)
    assert air.dust_ug_m3(zero, zero, zero, zero, ground, np.ones(1), wet=True)[0] == air.BACKGROUND_UG_M3


def test_twice_as_far_is_six_decibels_less_and_two_sites_are_three_more() -> None:
    air_db = air.noise_db
    x = np.array([20.0, 40.0])
    one = air_db(x, np.zeros(2), np.zeros(1), np.zeros(1), np.ones(1))
    two = air_db(x, np.zeros(2), np.zeros(2), np.zeros(2), np.ones(2))
    assert one[0] - one[1] == pytest.approx(20 * np.log10(2), abs=0.05)
    assert two[0] - one[0] == pytest.approx(10 * np.log10(2), abs=0.01)


# -- runs --------------------------------------------------------------------------------------------


def test_a_day_with_lorries_on_the_roads(folder: Path) -> None:
    run = simulate(scenario(folder), folder)
    entered = run.log.frame(VehicleEntered)
    supply = entered[entered["kind"] == "supply"]
    planned, arrived = run.log.frame(SupplyPlanned), run.log.frame(SupplyArrived)
    end = run.log.frame(SitesAtEnd).iloc[0]
    assert len(arrived) > 0
    assert len(arrived) <= planned["count"].sum()
    # each lorry drives in and back: conserved
    assert len(supply) <= 2 * planned["count"].sum()
    assert len(supply) + end["lorries"] >= 2 * len(arrived)
    assert set(supply["vehicle"] % 1000) == {0, 1}
    hours = np.unique(supply[supply["vehicle"] % 1000 == 0]["t_s"] // 3600)
    assert hours.min() >= 5
    assert run.digest == simulate(scenario(folder), folder).digest
    nobody = simulate(scenario(folder, construction={"lorries": 0}), folder)
    assert not (nobody.log.frame(VehicleEntered)["kind"] == "supply").any()
    others = entered[entered["kind"] != "supply"]["vehicle"].to_numpy()
    np.testing.assert_array_equal(np.sort(others), np.sort(nobody.log.frame(VehicleEntered)["vehicle"].to_numpy()))


def test_an_order_stops_a_site_from_the_next_day_on(folder: Path) -> None:
    stop = {"kind": "site_stop", "at": "00:01", "project": 6}
    run = simulate(scenario(folder, interventions=[stop], start="00:00", end="07:00"), folder)
    stopped = run.log.frame(SiteWorkStopped)
    assert stopped[stopped["cause"] == "order"]["project"].tolist() == [6]
    with pytest.raises(ScenarioError, match=r"project is 99; the projects have numbers from 1 to 18"):
        simulate(scenario(folder, interventions=[{**stop, "project": 99}], end="01:00"), folder)


def test_months_without_traffic_account_for_every_hazard_case_and_file(folder: Path) -> None:
    s = scenario(folder, construction={"hazards_per_site_day": 0.4, "current": 25})
    facts = run_months(s, City.load(folder), 1, 60)
    appeared, gone = facts.frame(SiteHazardAppeared), facts.frame(SiteHazardGone)
    end = facts.frame(SitesAtEnd).iloc[0]
    assert len(appeared) > 100
    assert len(appeared) == len(gone) + end["hazards"]  # conserved
    cases = set(facts.frame(RectificationOrdered)["case"]) | set(facts.frame("SiteCheckOrdered")["case"])
    closed = facts.frame(HazardClosed)["case"]
    assert closed.is_unique
    assert len(cases) == len(closed) + end["cases"]
    moved = facts.frame(ProjectMoved)
    assert not moved.duplicated(["project", "library"]).any()
    last = facts.frame(ProgressEstimated).sort_values("t_s").groupby("project").last()
    truth = facts.frame("SiteProgressed").sort_values("t_s").groupby("project").last()
    error = (last["progress"] - truth["progress"]).dropna().abs()
    assert len(error) > 20
    assert error.mean() < 0.03
    assert unfinished(facts) <= 25
    assert len(facts.frame(ProjectFiled)) == 31
