"""The shipped district at full size: counts, shares, distances, times, and how long it takes."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest
from made_up_city import of_residents

import geo.qibu
from geo.city import City
from twin.dice import Dice
from twin.world.people.model import PeopleModel
from twin.world.people.population import WORKER
from twin.world.people.ports import BUS, CAR, EBIKE, PASSENGER, PURPOSES, WALK
from twin.world.people.settings import PeopleSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def qibu() -> City:
    return City.load(geo.qibu.cached())


@pytest.fixture(scope="module")
def model(qibu: City) -> PeopleModel:
    m = PeopleModel(qibu, Dice(1), None, PeopleSettings())
    m.plan_day(0, weekend=False)
    return m


def test_subdistricts_have_exactly_their_people(qibu: City, model: PeopleModel) -> None:
    of_community = dict(zip(qibu.communities["community"], qibu.communities["subdistrict"], strict=True))
    of_block = np.array([of_community[c] for c in qibu.blocks["community"]])
    names, counts = np.unique(of_block[model.residents.home], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == dict(
        zip(qibu.subdistricts["subdistrict"], qibu.subdistricts["residents"], strict=True)
    )
    assert sorted(counts.tolist()) == [52_000, 56_000, 63_000, 64_000]
    assert len(model.companies) == 6_000


def test_a_weekday_has_plausible_shares(model: PeopleModel) -> None:
    """The ranges are those of Chinese medium-size cities with many e-bikes (assumed, see settings.py)."""
    t, k = model.trips, of_residents(model)
    per_person = len(k) / 235_000
    assert 2.3 < per_person < 2.9
    share = np.bincount(t.mode[k], minlength=6) / len(k)
    assert 0.22 < share[WALK] < 0.34
    assert 0.27 < share[EBIKE] < 0.40
    assert 0.14 < share[CAR] < 0.24
    assert 0.03 < share[BUS] < 0.10
    assert share[PASSENGER] < 0.20
    cars = (t.mode == CAR).sum()
    assert 95_000 < cars < 135_000
    away = np.bincount(t.row[k], minlength=235_000) > 0
    assert 0.84 < away.mean() < 0.95


def test_distances_and_times_are_plausible(model: PeopleModel) -> None:
    t, k = model.trips, of_residents(model)
    km = model.travel.distance_m(t.origin[k], t.destination[k]) / 1000
    minutes = t.expected_s[k] / 60
    assert 4.0 < km.mean() < 6.0
    walk = t.mode[k] == WALK
    assert np.quantile(km[walk], 0.85) < 2.8
    assert km[walk].mean() < 1.6
    assert 10 < np.median(minutes) < 22
    assert np.quantile(minutes, 0.98) < 75
    to_work = (t.purpose[k] == PURPOSES.index("work")) & (t.origin[k] == model.residents.home[t.row[k]])
    assert 6.0 < km[to_work].mean() < 11.0
    assert km[t.purpose[k] == PURPOSES.index("shop")].mean() < 4.0
    # a day's budget of travel time: a bit over an hour for those who leave home
    budget = np.bincount(t.row[k], minutes)
    assert 35 < np.median(budget[budget > 0]) < 80


def test_jobs_and_workers_fit(qibu: City, model: PeopleModel) -> None:
    r, jobs = model.residents, qibu.blocks["jobs"].to_numpy()
    employed = r.company >= 0
    staff = np.bincount(np.concatenate([r.work[employed], model.visitors.work]), minlength=len(jobs))
    assert 0.7 < staff.sum() / jobs.sum() < 1.05
    large = jobs >= 100
    ratio = staff[large] / jobs[large]
    assert np.quantile(ratio, 0.05) > 0.4
    assert np.quantile(ratio, 0.95) < 2.0
    assert 0.5 < (r.occupation == WORKER).mean() < 0.58


def test_two_peaks_of_the_district(model: PeopleModel) -> None:
    t = model.trips
    per_half = np.bincount(t.planned_s[of_residents(model)] // 1800, minlength=52)
    assert per_half[14:17].min() > 2.5 * np.median(per_half[20:31])
    assert per_half[33:37].min() > 2.0 * np.median(per_half[20:31])
    assert per_half[:9].sum() < 0.002 * per_half.sum()


def test_cars_of_the_weekend(qibu: City, model: PeopleModel) -> None:
    weekend = PeopleModel(qibu, Dice(1), None, PeopleSettings())
    weekend.plan_day(0, weekend=True)
    a, b = ((m.trips.mode == CAR).sum() for m in (model, weekend))
    assert 0.5 < b / a < 1.0


def test_it_is_quick(qibu: City) -> None:
    """People are given 6 s of the 24 h run; the bound here allows for a busy machine."""
    qibu.network  # noqa: B018 - built once for everybody, not for people
    begin = perf_counter()
    m = PeopleModel(qibu, Dice(2), None, PeopleSettings())
    built = perf_counter() - begin
    begin = perf_counter()
    m.plan_day(0, weekend=False)
    planned = perf_counter() - begin
    assert built < 12
    assert planned < 8
