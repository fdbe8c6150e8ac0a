"""The demand of the last mile against the laws it is drawn from; whose draws are whose."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.twin.world.fleets.curb import curb_town
from tests.twin.world.people.made_up_city import people
from twin.dice import Dice
from twin.errors import ScenarioError
from twin.world.fleets import orders as o
from twin.world.fleets.orders import BY_HOUR, PACK_MEAN_S, SIZE_L, WEEKEND, Demand, Orders, Stops, blocks_around

DAYS = 30


def demand(per_day: float = 4000.0, seed: int = 1, city=None, locker: float = 0.4, who=None) -> Demand:
    city = city or curb_town()
    return Demand(city, Dice(seed), who, blocks_around(city, (), 0.0), per_day, locker)


@pytest.fixture(scope="module")
def month() -> list[Orders]:
    made = demand()
    return [made.day(d, weekend=False) for d in range(DAYS)]


def whole(month: list[Orders], column: str, shops: bool | None = None) -> np.ndarray:
    keep = [slice(None) if shops is None else (m.customer < 0) == shops for m in month]
    return np.concatenate([getattr(m, column)[k] for m, k in zip(month, keep, strict=True)])


def test_the_number_of_orders_of_a_day_is_poisson(month):
    """A sum of Poisson numbers is one: mean and variance are λ; of DAYS days their standard errors are
    √(λ/DAYS) and λ √(2/(DAYS - 1))."""
    n = np.asarray([len(m) for m in month])
    assert n.mean() == pytest.approx(4000, abs=4 * np.sqrt(4000 / DAYS))
    assert n.var(ddof=1) == pytest.approx(4000, abs=4 * 4000 * np.sqrt(2 / (DAYS - 1)))


def test_few_shops_order_much_and_nothing_is_cut_off():
    """Orders of a customer are Poisson whatever their mean: of 120 a day and shop, none is lost."""
    city = curb_town()
    blocks = city.blocks.copy()
    blocks["shops"] = np.where(np.arange(len(blocks)) < 4, 5, 0)
    made = demand(4000.0, city=dataclasses.replace(city, blocks=blocks))
    assert made.mean["shop"] == pytest.approx(0.12 * 4000 / 4)
    n = np.concatenate([np.bincount(-1 - d.customer[d.customer < 0], minlength=4) for d in
                        (made.day(k, weekend=False) for k in range(DAYS))])  # fmt: skip
    mean = made.mean["shop"]
    assert n.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / n.size))
    assert n.var(ddof=1) == pytest.approx(mean, rel=4 * np.sqrt(2 / (n.size - 1)))


def test_weekends_have_more():
    made = demand()
    n = [len(made.day(d, weekend=True)) for d in range(DAYS)]
    assert np.mean(n) == pytest.approx(WEEKEND * 4000, abs=4 * np.sqrt(WEEKEND * 4000 / DAYS))


@pytest.mark.parametrize("kind", ["resident", "shop"])
def test_hours_follow_their_table(month, kind):
    """Hour h has the share w_h / Σw of n orders, give or take 4 √(n p (1 - p)); evenly within the hour."""
    placed = whole(month, "placed_s", kind == "shop") % 86_400
    weight = np.asarray(BY_HOUR[kind], dtype=float)
    share, n = weight / weight.sum(), placed.size
    got = np.bincount(placed // 3600, minlength=24)
    assert (np.abs(got - n * share) <= 4 * np.sqrt(n * share * (1 - share))).all()
    assert not got[weight == 0].any()
    within = placed % 3600
    assert within.mean() == pytest.approx(1799.5, abs=4 * 3600 / np.sqrt(12 * n))
    assert within.min() < 10
    assert within.max() > 3589


def test_the_clock_of_a_profile_with_a_gap():
    """Two hours with a gap between: u in [0, ½) is in the first, the rest in the second, ends included."""
    weights = tuple(1 if h in (3, 7) else 0 for h in range(24))
    u = np.asarray([0.0, 0.25, 0.5 - 1e-12, 0.5, 0.75, 1.0 - 2.0**-53])
    at = o._time_of_day(u, weights)
    assert at.tolist() == [3 * 3600, 3 * 3600 + 1800, 3 * 3600 + 3599, 7 * 3600, 7 * 3600 + 1800, 7 * 3600 + 3599]


@pytest.mark.parametrize("kind", ["resident", "shop"])
def test_sizes_are_log_normal(month, kind):
    """ln(size) is normal with mean ln(median) and sd σ: standard errors σ/√n and σ/√(2n), plus rounding to litres."""
    size = whole(month, "size", kind == "shop").astype(float)
    median, spread = SIZE_L[kind]
    n = size.size
    assert np.median(size) == pytest.approx(median, abs=1.0 + 4 * 1.2533 * median * spread / np.sqrt(n))
    inside = (size > 1) & (size < 200)
    assert np.log(size[inside]).std() == pytest.approx(spread, rel=0.05)
    assert size.min() >= 1
    assert size.max() <= 200


def test_packing_and_lockers(month):
    """Packed a minute and an exponential time after; a locker is wanted by residents alone, p of them."""
    pack = whole(month, "ready_s") - whole(month, "placed_s") - 60
    assert pack.min() >= 0
    assert pack.mean() == pytest.approx(PACK_MEAN_S, abs=4 * PACK_MEAN_S / np.sqrt(pack.size))
    assert pack.std() == pytest.approx(PACK_MEAN_S, rel=0.05)  # exponential: sd = mean
    assert not whole(month, "locker", shops=True).any()
    wants = whole(month, "locker", shops=False)
    assert wants.mean() == pytest.approx(0.4, abs=4 * np.sqrt(0.4 * 0.6 / wants.size))


def test_numbers_are_unique_and_orders_lie_in_time(month):
    number = whole(month, "order")
    assert np.unique(number).size == number.size
    assert (np.diff(whole(month, "placed_s")) >= 0).all()
    assert number.max() < 2**53  # a browser counts so far


def as_rows(day: Orders) -> dict[int, tuple]:
    columns = [getattr(day, f).tolist() for f in Orders.__dataclass_fields__]
    return {row[0]: row[1:] for row in zip(*columns, strict=True)}


def test_one_more_resident_changes_nobody_elses_draws():
    """The total is the scenario's, so with one more the others order a little less: what is left is the same."""
    city = curb_town()
    blocks = city.blocks.copy()
    blocks.loc[40, "residents"] += 1
    more = dataclasses.replace(city, blocks=blocks)
    few, many = demand(), demand(city=more)
    a, b = as_rows(few.day(3, weekend=False)), as_rows(many.day(3, weekend=False))
    new = 40 * o.A_BLOCK + int(city.blocks["residents"].iloc[40])  # number of the one who is new
    assert {k: v for k, v in b.items() if v[0] != new}.items() <= a.items()
    assert len(a) - len(b) < 10
    many.mean = few.mean  # the same expected number for each: then all of it is the same
    b = as_rows(many.day(3, weekend=False))
    assert {k: v for k, v in b.items() if v[0] != new} == a


def test_more_orders_a_day_keep_those_there_are():
    """Inversion: with a higher mean everybody orders what they ordered, and perhaps more."""
    a, b = (as_rows(demand(n).day(0, weekend=False)) for n in (2000, 3000))
    assert a.items() <= b.items()
    assert len(b) > len(a)


def test_seeds_and_days_differ():
    a, b = demand(seed=1), demand(seed=2)
    assert as_rows(a.day(0, weekend=False)) != as_rows(b.day(0, weekend=False))
    x, y = a.day(0, weekend=False), a.day(1, weekend=False)
    assert set(x.customer.tolist()) != set(y.customer.tolist())
    assert as_rows(a.day(0, weekend=False)) == as_rows(demand(seed=1).day(0, weekend=False))


def test_the_people_of_the_run_are_the_customers():
    city = curb_town()
    model = people(city, residents=2000)
    near = np.arange(20, 40)
    day = Demand(city, Dice(1), model, near, 500.0, 0.4).day(0, weekend=False)
    who = day.customer[day.customer >= 0]
    assert who.size > 100
    assert (model.residents.home[who] == day.block[day.customer >= 0]).all()
    assert np.isin(day.block, near).all()
    shops = day.customer < 0
    assert (-1 - day.customer[shops] == day.block[shops]).all()


def test_without_shops_residents_order_all_and_without_residents_shops_do():
    city = curb_town()
    for column, kind in (("shops", "resident"), ("residents", "shop")):
        made = demand(100.0, city=dataclasses.replace(city, blocks=city.blocks.assign(**{column: 0})))
        assert made.mean[kind] * len(made._customers[kind][0]) == pytest.approx(100.0)
        assert set(made.mean.values()) == {made.mean[kind], 0.0}


def test_more_orders_than_customers_can_place_are_one_sentence():
    with pytest.raises(ScenarioError, match=r"delivery.orders_per_day is 500000.*for each of 117 shops.*at most 512"):
        demand(500_000)


def test_blocks_around_places_and_their_kerbs():
    city = curb_town()
    all_ = blocks_around(city, (), 1.0)
    assert all_.tolist() == list(range(len(city.blocks)))
    near = blocks_around(city, ("market-in",), 900.0)
    middle, point = city.blocks.geometry.centroid, city.place("market-in").geometry
    assert near.tolist() == np.flatnonzero(middle.distance(point) <= 900.0).tolist()
    assert 1 < near.size < 12
    stops = Stops.of(city, near)
    line = city.roads.geometry.iloc[stops.road]
    at = line.interpolate(stops.pos_m)  # the town's roads are as long as they are drawn
    assert np.allclose(at.x, stops.x_m)
    assert np.allclose(at.y, stops.y_m)
    away = line.reset_index(drop=True).distance(middle.iloc[near].reset_index(drop=True))
    here = np.hypot(middle.iloc[near].x.to_numpy() - stops.x_m, middle.iloc[near].y.to_numpy() - stops.y_m)
    assert np.allclose(here, away)


def test_a_block_without_a_road_orders_nothing():
    city = curb_town()
    blocks = city.blocks.copy()
    blocks.loc[7, "road"] = -1
    assert 7 not in blocks_around(dataclasses.replace(city, blocks=blocks), (), 1.0)
    roads = city.roads.copy()
    roads["car"] = roads.index != int(city.blocks["road"].iloc[9])
    left = blocks_around(dataclasses.replace(city, roads=roads), (), 1.0)
    assert 9 not in left
    assert 7 in left
