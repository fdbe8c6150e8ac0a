"""Robots against people over whole days: what is put together from runs, and intervals by their formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scenarios import kpis
from scenarios.baselines.whole_days import (
    PARCELS,
    by_hour,
    comparisons,
    interval,
    mean_day,
    parcel_days,
    parcel_lines,
    sweeping_days,
)
from scenarios.costs import Quantities, load_prices, saving
from twin import events
from twin.log import Log


def robots(delivered: int = 400, energy_kwh: float = 60.0) -> Quantities:
    return Quantities("robot", 1.0, 12, 0, 0, 2, 15.0, 1700.0, energy_kwh, 460, delivered, 350, 450)


def couriers(delivered: int = 400) -> Quantities:
    return Quantities("courier", 1.0, 0, 9, 1, 0, 15.0, 2200.0, 90.0, 460, delivered, 330, 440)


def test_an_interval_is_that_of_student():
    values = [1.0, 2.0, 4.0]
    mean, low, high = interval(values)
    assert mean == pytest.approx(7 / 3)
    assert high - mean == pytest.approx(4.302653 * np.std(values, ddof=1) / math.sqrt(3), rel=1e-6)  # t(0.975; 2)
    assert mean - low == pytest.approx(high - mean)
    assert interval([5.0]) == (5.0, -math.inf, math.inf)


def test_days_add_up_and_the_fleet_stays_as_it_is():
    both = mean_day([robots(400), robots(300)])
    assert (both.robots, both.operators, both.days, both.delivered, both.duty_h) == (12, 2, 2.0, 700, 30.0)
    alone, twice = robots(400), mean_day([robots(400), robots(400)])
    prices = load_prices()
    assert saving(alone, couriers(), prices) == pytest.approx(saving(twice, couriers(), prices)), "two equal days"


def test_the_lines_hold_the_saving_of_each_day_and_the_tornado():
    prices = load_prices()
    did = {"hour_delivery": [robots(400), robots(380)], "hour_couriers": [couriers(400), couriers(410)]}
    values = {
        (name, seed): {k.name: 10.0 + 3 * seed + (name == "hour_delivery") for k in PARCELS}
        for name in did for seed in (1, 2)
    }  # fmt: skip
    lines = parcel_lines(values, did, prices)
    each = [saving(a, b, prices) for a, b in zip(did["hour_delivery"], did["hour_couriers"], strict=True)]
    assert any(f"saving per parcel: {np.mean(each):.1%}" in line and "over 2 days" in line for line in lines)
    assert sum(line.startswith("  ") for line in lines) == len(prices)
    assert any("difference +1 [+1, +1] over 2 pairs" in line for line in lines)
    assert any("A saving of 30%" in line for line in lines)


def test_a_seed_without_a_value_is_left_out():
    values = {(w, s): {k.name: float(s) for k in PARCELS} for w in ("a", "b") for s in (1, 2, 3)}
    values["b", 2] = {k.name: math.nan for k in PARCELS}
    (first, *_) = comparisons(values, "a", "b", PARCELS)
    assert [p[0] for p in first.pairs] == [1, 3]
    assert first.left_out == (2,)


def test_cleanliness_by_hour_leaves_the_first_day_out():
    log = Log()
    for t_s, clean in ((3600, 1.0), (90_000, 0.6), (90_900, 0.8), (93_600, 0.5)):
        log.add(
            events.CleanlinessMeasured, t_s=t_s, area="a", cleanliness=clean, clean_share=1.0, litter_g_m=0.0,
            dust_g_m=0.0,
        )  # fmt: skip
    assert by_hour(log.close()) == {1: pytest.approx(0.7), 2: 0.5}


def test_only_what_is_compared_differs():
    couriers_, robots_ = parcel_days().values()
    assert (couriers_.delivery.by, robots_.delivery.by) == ("couriers", "robots")
    assert couriers_.changed(delivery={"by": "robots", "policy": "pyvrp", "trikes": 8}).delivery == robots_.delivery
    ways = sweeping_days()
    assert [(d.sanitation.by, d.sanitation.policy) for d in ways.values()] == [
        ("crew", "coverage"), ("robots", "fixed_tour"), ("robots", "coverage")
    ]  # fmt: skip
    assert all(d.days == 2 for d in ways.values()), "the first night counts"
    assert kpis.cleanliness.better == kpis.clean_share.better == "higher"
