"""Who lives where: exact counts, nobody moved by somebody new, sensible ownership and workplaces."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_city import make_city, people

from geo.city import City
from twin.dice import Dice
from twin.errors import ScenarioError
from twin.world.people.companies import INDUSTRIES
from twin.world.people.draws import Draws, apportion, pick, pick_rows
from twin.world.people.population import PUPIL, VISITOR_BASE, WORKER
from twin.world.people.settings import PeopleSettings

QIBU = (64_000, 52_000, 56_000, 63_000)


def test_the_shares_of_the_district_are_met_exactly() -> None:
    assert np.bincount(apportion(QIBU, 235_000)).tolist() == list(QIBU)
    assert np.bincount(apportion(QIBU, 235), minlength=4).tolist() == [64, 52, 56, 63]


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=12).filter(any), st.integers(1, 300), st.sampled_from([0.0, 1.0])
)
def test_apportionment_is_house_monotone(weights: list[int], seats: int, first: float) -> None:
    more = apportion(weights, seats + 1, first)
    assert len(more) == seats + 1
    assert np.array_equal(more[:-1], apportion(weights, seats, first))
    count = np.bincount(more, minlength=len(weights))
    assert (count[np.asarray(weights) == 0] == 0).all()
    quota = np.asarray(weights) / sum(weights) * (seats + 1)
    if first == 0.0:  # Adams: nobody above the quota rounded up, nobody empty once there are enough seats
        assert (count <= np.ceil(quota) + 1e-9).all()
        positive = np.asarray(weights) > 0
        assert (count[positive] > 0).all() or seats + 1 < positive.sum()
    else:
        assert (np.abs(count - quota) < 2.0).all()


def test_residents_live_in_their_subdistrict(city: City) -> None:
    m = people(city, residents=5_000)
    named = dict(zip(city.communities["community"], city.communities["subdistrict"], strict=True))
    of_block = np.array([named[c] == "south" for c in city.blocks["community"]])
    south = of_block[m.residents.home].sum()
    assert south == 5_000 * 9 // 25
    assert (city.blocks["residents"].to_numpy()[m.residents.home] > 0).all()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 700), st.integers(1, 3), st.booleans())
def test_one_more_resident_changes_nobody_else(city: City, seed: int, n: int, more: int, weekend: bool) -> None:
    small, large = (people(city, seed=seed, residents=k, companies=40) for k in (n, n + more))
    for f in fields(small.residents):
        a, b = getattr(small.residents, f.name), getattr(large.residents, f.name)
        if f.name != "household":  # an index of this run; households are told by the key
            assert np.array_equal(a, b[:n]), f.name
    small.plan_day(0, weekend)
    large.plan_day(0, weekend)
    a, b = (m.population.ids(m.trips.row) for m in (small, large))
    mine, theirs = np.isin(a, b), np.isin(b, a)
    assert mine.all()  # visitors too
    for f in fields(small.trips):
        if f.name != "row":
            assert np.array_equal(getattr(small.trips, f.name)[mine], getattr(large.trips, f.name)[theirs]), f.name
    assert (b[~theirs] >= n).all()


def test_one_more_company_moves_no_company_and_no_workplace(city: City) -> None:
    a, b = people(city, residents=500, companies=80), people(city, residents=500, companies=81)
    assert np.array_equal(a.companies.block, b.companies.block[:-1])
    assert np.array_equal(a.companies.industry, b.companies.industry[:-1])
    assert np.array_equal(a.residents.work, b.residents.work)


def test_companies_have_the_jobs_of_their_blocks(city: City) -> None:
    m = people(city, companies=300)
    c, jobs = m.companies, city.blocks["jobs"].to_numpy()
    assert len(c) == 300
    have = np.bincount(c.block, c.jobs, len(jobs))
    several = c.has & (jobs >= 60)
    assert np.abs(have[several] / jobs[several] - 1).max() < 0.15
    assert c.has[jobs > 0].all()
    industry = (city.blocks["kind"] == "industry").to_numpy()[c.block]
    assert set(c.industry[industry]) == {0, 1, 2}
    big = np.sort(c.jobs[industry])[::-1]
    assert big[: len(big) // 10 + 1].sum() > 0.2 * big.sum()


def test_people_are_plausible(city: City) -> None:
    r = people(city, residents=20_000).residents
    assert 0.14 < (r.age < 15).mean() < 0.21
    assert 0.17 < (r.age >= 60).mean() < 0.25
    assert 0.47 < r.female.mean() < 0.53
    assert 0.48 < (r.occupation == WORKER).mean() < 0.60
    assert not (r.has_car & (r.age < 18)).any()
    assert not r.has_ebike[r.age < 16].any()
    assert (r.age[r.occupation == PUPIL] >= 3).all()
    assert (r.school[r.occupation == PUPIL] >= 0).all()
    assert (r.work[r.occupation != WORKER] == -1).all()
    # parents are not younger than their children
    first = np.flatnonzero(r.slot == 0)
    parent = dict(zip(r.household[first], r.age[first], strict=True))
    children = np.flatnonzero((r.age < 18) & (r.slot > 0))
    gap = np.array([parent[h] for h in r.household[children]]) - r.age[children]
    assert gap.min() >= 16
    sizes = np.bincount(np.bincount(r.household))[1:]
    mean = (sizes * np.arange(1, len(sizes) + 1)).sum() / sizes.sum()
    assert 2.5 < mean < 2.8


def test_siblings_go_to_one_school(city: City) -> None:
    r = people(city, residents=6_000).residents
    young = np.flatnonzero((r.occupation == PUPIL) & (r.age < 15))
    order = young[np.argsort(r.household[young], kind="stable")]
    same = r.household[order][1:] == r.household[order][:-1]
    assert same.sum() > 50
    assert (r.school[order][1:] == r.school[order][:-1])[same].all()


def test_workplaces_follow_the_jobs(city: City) -> None:
    """The city has 12,000 jobs or so; with as many workers no block is overrun and none is empty."""
    jobs = city.blocks["jobs"].to_numpy()
    m = people(city, residents=25_000, out_commuters=0.0, in_commuters=0.0)
    r = m.residents
    at = r.work[(r.work >= 0) & (r.work != r.home)]
    workers = np.bincount(at, minlength=len(jobs))
    large = jobs >= 300
    share = workers[large] / jobs[large] / (workers.sum() / jobs.sum())
    assert share.min() > 0.4
    assert share.max() < 2.5
    # nearer jobs are taken more readily: mean distance well below that of a lottery
    way = m.travel.distance_m(r.home[r.work >= 0], r.work[r.work >= 0]).mean()
    lottery = m.travel.distance_m(r.home[r.work >= 0], np.random.default_rng(0).permutation(r.work[r.work >= 0]))
    assert way < 0.9 * lottery.mean()


def test_visitors_come_through_gates_and_have_ids_of_their_own(city: City) -> None:
    m = people(city, residents=3_000, in_commuters=0.1)
    assert m.population.visitors == 300
    assert (m.visitors.home <= -2).all()
    assert (m.visitors.work >= 0).all()
    rows = np.array([0, 2_999, m.population.first_visitor, len(m.population.people) - 1])
    ids = m.population.ids(rows)
    assert ids.tolist() == [0, 2_999, VISITOR_BASE, VISITOR_BASE + 299]
    assert np.array_equal(m.population.row(ids), rows)
    gate = np.bincount(-2 - m.visitors.home, minlength=2) / 300
    assert gate == pytest.approx([0.7, 0.3], abs=0.09)
    assert (m.residents.work <= -2).sum() > 0


def test_a_bare_city_will_do() -> None:
    m = people(make_city(gates=False, buses=False, schools=False, communities=False), residents=400)
    assert m.population.visitors == 0
    assert (m.residents.school == -1).all()
    assert m.travel.n_zones > 20  # one community is cut into cells
    m.plan_day(0, weekend=False)
    assert len(m.trips) > 400


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"residents": 0}, "people.residents: 0 is not a population"),
        ({"residents": -1}, "people.residents: -1 is not a population"),
        ({"companies": -5}, "people.companies: -5"),
        ({"out_commuters": 1.2}, "people.out_commuters: 1.2 is not a share"),
        ({"walk_m_s": 0.0}, "people.walk_m_s: 0.0 must be more than 0"),
        ({"buffer_mean_s": -3.0}, "people.buffer_mean_s: -3.0 is negative"),
    ],
)
def test_settings_that_make_no_sense(values: dict[str, float], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        PeopleSettings(**values).check()  # type: ignore[arg-type]


def test_picks_follow_their_weights() -> None:
    key = np.arange(60_000)
    draws = Draws(Dice(3))
    u, v = draws.pair("x", key)
    assert abs(np.corrcoef(u, v)[0, 1]) < 0.02
    assert np.bincount(pick(u, (1, 0, 3)), minlength=3) / 60_000 == pytest.approx([0.25, 0, 0.75], abs=0.01)
    table = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
    got = pick_rows(v, np.arange(60_000) % 2, table)
    assert np.bincount(got[::2], minlength=3) / 30_000 == pytest.approx([0.5, 0.5, 0.0], abs=0.015)
    assert np.bincount(got[1::2], minlength=3) / 30_000 == pytest.approx([0.0, 0.25, 0.75], abs=0.015)


def test_agents_are_views_of_the_arrays(city: City) -> None:
    m = people(city, residents=900, companies=50)
    r = m.resident(17)
    assert r is m.resident(17)
    assert (r.age, r.home, r.household) == (m.residents.age[17], m.residents.home[17], m.residents.household[17])
    assert len(m.company_agents) == 50
    worker = int(np.flatnonzero(m.residents.company >= 0)[0])
    company = m.resident(worker).company
    assert company is not None
    assert worker in company.staff()
    assert company.industry in INDUSTRIES
    assert sum(len(c.members()) for c in m.community_agents) == 900
    some = m.resident_agents(range(100)).select(lambda a: a.occupation == "worker")
    assert len(some) == (m.residents.occupation[:100] == WORKER).sum()
    with pytest.raises(IndexError, match="resident 900 does not exist"):
        m.resident(900)
    with pytest.raises(RuntimeError, match="clock"):
        m.step()
