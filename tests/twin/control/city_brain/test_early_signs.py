"""Early signs, alone: the budget holds, clusters are found, order of messages is harmless."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.control.city_brain.early.desk import EarlySigns
from twin.control.city_brain.early.noise import Budget
from twin.control.city_brain.early.ports import KOfN, PoissonSurge, poisson_tail
from twin.domain.community import EarlySettings, OpenEarlyOrder, SignalSettled, WeakSignal

DAY_S = 86_400


def told(useless_a_day: float = 4.0, noise: float = 2.0) -> EarlySettings:
    return EarlySettings(
        0, "settings", ("garbage",), np.asarray([200.0]), np.asarray([14_400]), np.asarray([noise]),
        np.asarray([400]), useless_a_day,
    )  # fmt: skip


def signal(k: int, t_s: int, x_m: float, y_m: float = 0.0, teller: str = "", origin: str = "report") -> WeakSignal:
    return WeakSignal(t_s, f"s{k}", origin, f"s{k}", teller or f"teller-{k}", "garbage", t_s, x_m, y_m)


def desk(policy=PoissonSurge, **kw) -> EarlySigns:
    d = EarlySigns(policy)
    d.decide(0, [told(**kw)])
    return d


def orders(d: EarlySigns, messages) -> list[OpenEarlyOrder]:
    return [c for m in messages for c in d.decide(m.t_s, [m]) if isinstance(c, OpenEarlyOrder)]


@pytest.mark.parametrize(("n", "mean"), [(0, 0.5), (1, 0.5), (2, 0.5), (3, 2.0), (6, 2.0)])
def test_poisson_tail_is_one_minus_the_sum_of_its_terms(n: int, mean: float) -> None:
    below = sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(n))
    assert poisson_tail(n, mean) == pytest.approx(1 - below, abs=1e-12)


def test_company_makes_an_order_that_one_alone_does_not() -> None:
    scarce = {"useless_a_day": 0.2}
    assert orders(desk(**scarce), [signal(1, 100, 0.0)]) == []
    found = orders(desk(**scarce), [signal(1, 100, 0.0), signal(2, 200, 30.0)])
    assert len(found) == 1
    assert found[0].refs == ("s1", "s2")
    assert (found[0].x_m, found[0].seen_s) == (15.0, 100)
    # P(noise) = share of false reports × P(at least one other by noise alone)
    assert found[0].chance == pytest.approx(0.3 * (1 - math.exp(-2 / 400 * 14_400 / DAY_S)), rel=1e-3)


def test_the_same_teller_far_away_or_long_ago_is_no_company() -> None:
    for second in (
        signal(2, 200, 30.0, teller="teller-1"),
        signal(2, 200, 500.0),
        signal(2, 100 + 14_401, 30.0),
    ):
        assert orders(desk(useless_a_day=0.2), [signal(1, 100, 0.0), second]) == []


def test_what_somebody_is_on_already_needs_no_order() -> None:
    d = desk(useless_a_day=0.2)
    got = orders(d, [signal(1, 100, 0.0), SignalSettled(150, "x", "s1", "handled"), signal(2, 200, 30.0)])
    assert got == []
    assert orders(d, [signal(3, 300, 30.0, origin="complaint")]) == [], "it goes to the incident desk by itself"


def test_one_order_for_one_place_while_it_is_open() -> None:
    d = desk(KOfN)
    assert len(orders(d, [signal(k, 100 + k, 5.0 * k) for k in range(6)])) == 1


def test_useless_orders_stay_within_the_budget_when_everything_is_noise() -> None:
    """Poisson noise at three times the rate that was told, learnt as it goes: orders for nothing ≤ a day's × days."""
    for seed in range(3):
        draw = np.random.default_rng(seed)
        days, budget = 60, 1.0
        d = desk(useless_a_day=budget, noise=2.0)
        times = np.sort(draw.uniform(0, days * DAY_S, draw.poisson(6 * days))).astype(int)
        x, y = draw.uniform(0, 4000, times.size), draw.uniform(0, 4000, times.size)
        n = 0
        for k, t in enumerate(times.tolist()):
            n += len(orders(d, [signal(k, t, float(x[k]), float(y[k]))]))
            d.decide(t, [SignalSettled(t, f"settled{k}", f"s{k}", "false")])
        assert n <= 1.3 * budget * days  # the first weeks cost more, until the share of false ones is learnt
        assert n < 0.5 * times.size


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 1)), max_size=50), st.floats(0.1, 10))
@settings(max_examples=80, deadline=None)
def test_the_budget_is_never_overdrawn(steps, a_day: float) -> None:
    budget, now_s, spent = Budget(a_day, 0), 0, 0.0
    for wait_s, useless in steps:
        now_s += wait_s
        budget.at(now_s)
        spent += useless if budget.risk(useless) else 0.0
        assert spent <= a_day * (now_s / DAY_S + 0.5) + 1e-9
        assert -1e-12 <= budget.credit <= budget.most


@given(st.permutations(list(range(5))))
@settings(max_examples=30, deadline=None)
def test_a_cluster_is_found_in_any_order_and_twice_told_is_once(order) -> None:
    signals = [signal(k, 100 + 60 * k, 10.0 * k) for k in range(5)]
    d = desk(useless_a_day=0.2)
    found = []
    for k in order:
        found += [c for c in d.decide(1000, [signals[k], signals[k]]) if isinstance(c, OpenEarlyOrder)]
    assert len(found) == 1


def test_a_setting_that_comes_last_is_early_enough() -> None:
    d = EarlySigns()
    assert d.decide(1, [signal(1, 100, 0.0), signal(2, 120, 0.0)]) == []
    assert len(d.decide(2, [told()])) >= 1
