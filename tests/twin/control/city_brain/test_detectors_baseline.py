"""The robust seasonal baseline."""

import numpy as np
import pytest

from twin.control.city_brain.detectors_baseline import BaselineSettings, SeasonalBaseline

PERIOD_S = 300


def taught(make, days, seasonal=True, seed=0, n=40):
    rng = np.random.default_rng(seed)
    baseline, i = SeasonalBaseline(n, PERIOD_S, BaselineSettings(seasonal=seasonal)), np.arange(n)
    for j in range(days * 288):
        baseline.judge_and_learn(i, np.full(n, j * PERIOD_S), make(rng, j, n))
    return baseline, i


def judged(baseline, i, t_s):
    return baseline.judge_and_learn(i, np.full(len(i), t_s), np.zeros(len(i)))


def test_location_and_scale_of_normal_noise():
    baseline, i = taught(lambda r, _, n: 5 + 2 * r.standard_normal(n), 6, seasonal=False)
    where, scale = judged(baseline, i, 6 * 86400)
    assert where.mean() == pytest.approx(5, abs=0.05)
    assert scale.mean() == pytest.approx(2, rel=0.03)


def test_a_tenth_of_outliers_moves_it_little():
    def make(r, _, n):
        return np.where(r.random(n) < 0.1, 500.0, r.standard_normal(n))

    baseline, i = taught(make, 8, seasonal=False)
    where, scale = judged(baseline, i, 8 * 86400)
    plain_error, plain_scale = 0.1 * 500, 500 * (0.1 * 0.9) ** 0.5
    assert abs(np.median(where)) < 0.04 * plain_error
    assert np.median(scale) < 0.04 * plain_scale


def test_the_hour_is_learned():
    def make(r, j, n):
        return 10.0 * ((j // 12) % 24 == 8) + r.standard_normal(n)

    baseline, i = taught(make, 14)
    at_8, _ = judged(baseline, i, 14 * 86400 + 8 * 3600)
    at_9, _ = judged(baseline, i, 14 * 86400 + 9 * 3600)
    assert at_8.mean() > 8
    assert abs(at_9.mean()) < 0.5


def test_a_short_history_is_shrunken_to_the_level():
    def make(r, j, n):
        return 10.0 * ((j // 12) % 24 == 8) + r.standard_normal(n)

    young, i = taught(make, 1)
    old, _ = taught(make, 14)
    t_young, t_old = 86400 + 8 * 3600, 14 * 86400 + 8 * 3600
    assert judged(young, i, t_young)[0].mean() < judged(old, i, t_old)[0].mean() - 2


def test_judged_before_learned():
    baseline = SeasonalBaseline(1, PERIOD_S, BaselineSettings())
    i = np.array([0])
    for j in range(100):
        baseline.judge_and_learn(i, np.array([j * 300]), np.array([float(j % 2)]))
    a = baseline.judge_and_learn(i, np.array([30000]), np.array([1e6]))
    assert a[0][0] < 2
