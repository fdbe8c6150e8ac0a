"""Early signs, what they look for: the scan against its formula, surges against their baseline, odds, ideas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.control.city_brain.early.desk import EarlySigns
from twin.control.city_brain.early.odds import FIRST, WORTH, Odds
from twin.control.city_brain.early.scan import PRIOR_A_DAY, ThemeScan, log_likelihood_ratio
from twin.control.city_brain.early.surges import DAYS, LIMIT, Surges
from twin.domain.community import (
    Assets,
    EarlyChannels,
    EarlyReadings,
    EarlySettings,
    OpenEarlyOrder,
    SignalSettled,
    WeakSignal,
)

DAY_S, NOON = 86_400, 12 * 3600


# -- the scan ----------------------------------------------------------------------------------------------------


@given(st.integers(1, 30), st.floats(0.01, 20))
def test_the_ratio_is_that_of_two_poisson_likelihoods(count: int, expected: float) -> None:
    def log_p(mean: float) -> float:
        return count * math.log(mean) - mean - math.lgamma(count + 1)

    want = log_p(count) - log_p(expected) if count > expected else 0.0
    assert log_likelihood_ratio(count, expected) == pytest.approx(want, abs=1e-9)


def scan(n: int = 100, stretch: int = 10) -> ThemeScan:
    """Things every 200 m along a line, ten to a stretch."""
    return ThemeScan(200.0 * np.arange(n), np.zeros(n), np.arange(n) // stretch, 0)


def test_a_cluster_has_the_ratio_of_its_zone_and_window() -> None:
    s = scan()
    for k, asset in enumerate((40, 42, 44)):
        s.add(asset, f"r{k}", 1.0, NOON + 60 * k)
    now = NOON + 600
    found = s.cluster(42, now)
    # things a day × share of the things in the zone × share of the day in the window
    a_day = (PRIOR_A_DAY * 3 + 3) / (3 + now / DAY_S)
    inside = 3
    expected = a_day * found.assets.size / 100 * s.share(now, found.window_s)
    assert found.found == inside
    assert found.expected == pytest.approx(expected)
    assert found.ratio == pytest.approx(inside * math.log(inside / expected) - (inside - expected))
    assert 40 in found.assets
    alone = scan()
    alone.add(42, "r", 1.0, NOON)
    assert alone.cluster(42, now).ratio < found.ratio
    s.drop("r0")
    s.drop("r2")
    assert s.cluster(42, now).found == 1, "what was false is forgotten"


@given(st.integers(0, 10 * DAY_S), st.lists(st.integers(1, 86_400), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_shares_of_windows_are_additive_and_a_day_is_all(now_s: int, parts: list[int]) -> None:
    s = scan()
    for k in range(5):
        s.add(k, f"r{k}", 1.0, 3600 * 3 * k)
    assert s.share(now_s, DAY_S) == pytest.approx(1.0)
    a, b = parts[0], parts[-1]
    assert s.share(now_s, a) + s.share(now_s - a, b) == pytest.approx(s.share(now_s, a + b))


# -- surges ------------------------------------------------------------------------------------------------------


def surges(noise: float, days: int = DAYS, n: int = 200, seed: int = 1) -> tuple[Surges, np.random.Generator]:
    draw = np.random.default_rng(seed)
    at = np.arange(n, dtype=np.int64)
    told = EarlyChannels(0, "c", "m", at, ("garbage",) * n, np.zeros(n), np.zeros(n), np.full(n, 300))
    s = Surges(told, days * DAY_S)
    for hour in range(24 * days):
        s.take(reading(hour * 3600, level(hour * 3600, n) + noise * draw.normal(size=n)))
    return s, draw


def level(t_s: int, n: int) -> np.ndarray:
    return np.full(n, 50 + 20 * np.sin(2 * np.pi * t_s / DAY_S))


def reading(t_s: int, value: np.ndarray) -> EarlyReadings:
    n = value.size
    return EarlyReadings(t_s, f"r{t_s}", "m", np.arange(n, dtype=np.int64), np.full(n, t_s), value)


def test_a_quiet_day_has_hardly_a_surge_and_a_step_is_one_at_once() -> None:
    s, draw = surges(4.0)
    false = 0
    for t in range(DAYS * DAY_S, (DAYS + 1) * DAY_S, 300):
        false += len(s.take(reading(t, level(t, 200) + 4.0 * draw.normal(size=200))))
    # 200 channels, 288 readings each, two in a row beyond LIMIT scales of a baseline of seven days
    assert false <= 0.002 * 200 * 288
    t = (DAYS + 1) * DAY_S + NOON
    value = level(t, 200)
    value[7] += 60.0
    assert [x for x in s.take(reading(t, value)) if x.row == 7] == [], "one reading is not enough"
    second = [x for x in s.take(reading(t + 300, value)) if x.row == 7]
    assert len(second) == 1
    assert second[0].new
    assert second[0].z > LIMIT
    assert [x for x in s.take(reading(t + 600, value)) if x.row == 7] == [], "told once while it lasts"


def test_late_repeated_and_empty_readings_teach_nothing() -> None:
    s, _ = surges(4.0, n=3)
    t = DAYS * DAY_S + NOON
    good = level(t, 3)
    s.take(reading(t, good))
    before = s.dropped
    assert s.take(reading(t, good + 100)) == []
    assert s.take(reading(t - 300, good + 100)) == []
    assert s.take(reading(t + 300, np.full(3, np.nan))) == []
    assert s.dropped == before + 9


def test_a_channel_without_history_is_silent() -> None:
    s, _ = surges(4.0, days=1, n=3)
    t = DAY_S + NOON
    assert [s.take(reading(t + 300 * k, level(t, 3) + 500)) for k in range(5)] == [[]] * 5


# -- odds --------------------------------------------------------------------------------------------------------


def test_odds_start_as_assumed_and_go_to_what_was_seen() -> None:
    odds = Odds()
    first = FIRST["neighbour", 1]
    assert odds.useful("garbage", "neighbour", 1) == pytest.approx(first)
    odds.learn("garbage", "neighbour", 1, False)
    whole = first * WORTH / (WORTH + 1)
    assert odds.useful("bikes", "neighbour", 1) == pytest.approx(whole)
    assert odds.useful("garbage", "neighbour", 1) == pytest.approx(whole * WORTH / (WORTH + 1))
    for _ in range(400):
        odds.learn("garbage", "neighbour", 1, True)
    assert odds.useful("garbage", "neighbour", 1) > 0.97


# -- the desk ----------------------------------------------------------------------------------------------------


def desk(useless_a_day: float = 40.0, **how: bool) -> EarlySigns:
    d = EarlySigns()
    n = 100
    d.decide(
        0,
        [
            EarlySettings(
                0, "settings", ("garbage",), np.asarray([150.0]), np.asarray([14_400]), np.asarray([2.0]),
                np.asarray([400]), useless_a_day, how.get("neighbours", True), how.get("readings", True),
            ),
            Assets(0, "assets", ("garbage",) * n, 200.0 * np.arange(n), np.zeros(n), np.arange(n) // 10),
        ],
    )  # fmt: skip
    return d


def complaint(k: int, asset: int, t_s: int) -> WeakSignal:
    return WeakSignal(t_s, f"s{k}", "complaint", f"s{k}", f"t{k}", "garbage", t_s, 200.0 * asset + 5, 3.0)


def orders(d: EarlySigns, t_s: int, *messages) -> list[OpenEarlyOrder]:
    return [c for c in d.decide(t_s, list(messages)) if isinstance(c, OpenEarlyOrder)]


def test_two_complaints_of_one_stretch_send_somebody_to_the_things_between() -> None:
    d = desk()
    first = orders(d, NOON, complaint(1, 43, NOON))
    found = first + orders(d, NOON + 60, complaint(2, 45, NOON + 60))
    assert found
    assert {c.why for c in found} == {"neighbour"}
    asked = [round(c.x_m / 200) for c in found]
    assert 44 in asked, "the thing between them"
    assert not {43, 45} & set(asked), "of those everybody knows"
    assert all(0 < c.chance < 1 for c in found)
    assert len({c.key for c in found}) == len(found)


def test_without_neighbours_or_far_apart_nobody_is_sent() -> None:
    d = desk(neighbours=False)
    assert orders(d, NOON, complaint(1, 43, NOON), complaint(2, 45, NOON)) == []
    near, far = desk(4.0), desk(4.0)
    n = len(orders(near, NOON, complaint(1, 43, NOON), complaint(2, 45, NOON)))
    assert n > len(orders(far, NOON, complaint(1, 3, NOON), complaint(2, 95, NOON)))


def test_looks_for_nothing_end_the_search_and_cost_the_budget() -> None:
    d = desk(1000.0)
    asked, t = orders(d, NOON, complaint(1, 43, NOON), complaint(2, 45, NOON)), NOON
    n, spent = len(asked), sum(c.chance for c in asked)
    for k in range(400):
        if not asked:
            break
        t += 60
        one, *asked = asked
        more = orders(d, t, SignalSettled(t, f"x{k}", one.order, "false"))
        asked += more
        n, spent = n + len(more), spent + sum(c.chance for c in more)
    assert asked == []
    assert n < 30, "the zone is given up"
    assert spent <= 1000.0 * (t / DAY_S + 0.5)


def test_the_same_messages_give_the_same_orders_and_told_twice_is_told_once() -> None:
    told = [complaint(k, a, NOON + 60 * k) for k, a in enumerate((43, 45, 12, 47))]
    once, twice = desk(), desk()
    for m in told:
        assert orders(once, m.t_s, m) == orders(twice, m.t_s, m, m)


def test_a_surge_sends_somebody_before_anybody_spoke() -> None:
    d = desk()
    at = np.arange(3, dtype=np.int64)
    begin = DAYS * DAY_S
    late = EarlySigns()
    settings_ = EarlySettings(
        begin, "settings", ("garbage",), np.asarray([150.0]), np.asarray([14_400]), np.asarray([2.0]),
        np.asarray([400]), 40.0, True, True,
    )  # fmt: skip
    assets = Assets(begin, "a", ("garbage",) * 3, np.asarray([0.0, 900.0, 1800.0]), np.zeros(3), np.full(3, -1))
    channels = EarlyChannels(
        begin, "c", "m", at, ("garbage",) * 3, np.asarray([0.0, 900.0, 1800.0]), np.zeros(3), np.full(3, 300)
    )
    draw = np.random.default_rng(1)
    late.decide(begin, [settings_, assets, channels])
    for hour in range(24 * DAYS):
        late.decide(begin, [reading(hour * 3600, level(hour * 3600, 3) + 4 * draw.normal(size=3))])
    t = begin + NOON
    high = level(t, 3) + np.asarray([0.0, 60.0, 0.0])
    assert orders(late, t, reading(t, high)) == []
    found = orders(late, t + 300, reading(t + 300, high))
    assert [(c.why, c.x_m) for c in found] == [("reading", 900.0)]
    assert d is not late
