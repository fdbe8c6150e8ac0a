"""The tests inside the detectors, against theory."""

import math

import numpy as np
import pytest

from twin.control.city_brain.detectors_tests import (
    Cusum,
    FrozenRun,
    Tail,
    Whitening,
    cusum_limit,
    cusum_run_length,
    normal_score,
)


class Fixed(Cusum):
    """A CUSUM whose limit does not learn."""

    def limit(self, i):
        return np.full(len(i), self._limit)


def first_alarms(cusum, n, mean, most, seed):
    rng = np.random.default_rng(seed)
    i, first = np.arange(n), np.zeros(n)
    for t in range(1, most):
        over = cusum.step(i, rng.standard_normal(n) + mean)
        first[(first == 0) & over] = t
        if first.all():
            return first
    raise AssertionError("a CUSUM never alarmed")


@pytest.mark.parametrize("h", [3.0, 4.0, 5.0])
def test_run_length_of_a_two_sided_cusum_is_siegmunds(h):
    # ARL of one side = (exp(2 k b) − 2 k b − 1) / (2 k²), b = h + 1.166; both sides: half of it
    b = h + 1.166
    theory = (math.exp(2 * 0.5 * b) - 2 * 0.5 * b - 1) / (2 * 0.5**2) / 2
    assert cusum_run_length(h) / 2 == pytest.approx(theory)
    n = 1500
    first = first_alarms(Fixed(n, h), n, 0.0, 8000, 3)
    assert first.mean() == pytest.approx(theory, rel=0.06 + 3 / math.sqrt(n))


@pytest.mark.parametrize("shift", [1.0, 1.5])
def test_delay_after_a_shift_is_siegmunds(shift):
    # with drift d = shift − k: (exp(−2 d b) + 2 d b − 1) / (2 d²)
    d, b = shift - 0.5, 5 + 1.166
    theory = (math.exp(-2 * d * b) + 2 * d * b - 1) / (2 * d * d)
    assert cusum_run_length(5, shift=shift) == pytest.approx(theory)
    assert first_alarms(Fixed(2000, 5.0), 2000, shift, 500, 4).mean() == pytest.approx(theory, rel=0.08)


def test_run_length_at_the_reference_is_the_square():
    assert cusum_run_length(4.0, shift=0.5) == pytest.approx((4 + 1.166) ** 2)


@pytest.mark.parametrize("rate", [1e-2, 1e-4, 1e-7])
def test_the_limit_has_the_stated_rate(rate):
    assert 2 / cusum_run_length(cusum_limit(rate)) == pytest.approx(rate, rel=1e-4)


def test_a_bad_rate_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 0\.1, not 0$"):
        cusum_limit(0)


def test_one_spike_is_no_shift():
    cusum = Cusum(1, 5.0)
    assert not cusum.step(np.array([0]), np.array([1e9]))[0]


def test_the_limit_grows_with_heavy_cycles_and_never_shrinks():
    rng = np.random.default_rng(0)
    calm, heavy, i = Cusum(50, 8.0), Cusum(50, 8.0), np.arange(50)
    for _ in range(2000):
        z = rng.standard_normal(50)
        calm.step(i, 0.5 * z)
        heavy.step(i, 1.6 * z)
    assert np.all(calm.limit(i) == 8.0)
    assert heavy.limit(i).mean() > 9.0


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_whitening_leaves_independent_scores_of_long_run_variance_one(rho):
    rng = np.random.default_rng(1)
    n, i, z, out = 200, np.arange(200), np.zeros(200), []
    whitening = Whitening(n)
    for t in range(3000):
        z = rho * z + math.sqrt(1 - rho * rho) * rng.standard_normal(n)
        out.append(whitening.step(i, np.full(n, 60 * t), z, 60.0, np.ones(n, bool)))
    e = np.array(out[1500:])
    lag = (e[1:] * e[:-1]).mean() / (e * e).mean()
    assert abs(lag) < 0.05
    blocks = e.reshape(-1, 50, n).sum(axis=1)
    assert 0.6 < (blocks**2).mean() / 50 < 1.1


def test_a_gap_makes_the_last_score_worthless():
    rng = np.random.default_rng(2)
    w, z, t = Whitening(1), 0.0, 0
    for _ in range(500):
        z, t = 0.9 * z + 0.4 * rng.standard_normal(), t + 60
        w.step(np.array([0]), np.array([t]), np.array([z]), 60.0, np.array([True]))
    one = np.array([True])
    w.step(np.array([0]), np.array([t + 60]), np.array([2.0]), 60.0, one)
    after_gap = w.step(np.array([0]), np.array([t + 99999]), np.array([0.0]), 60.0, one)
    assert after_gap[0] == 0.0


def test_normal_score_agrees_with_student():
    from scipy.stats import norm, t

    for freedom in (5, 20, 200):
        for x in (-3.0, 1.0, 4.0):
            exact = norm.ppf(t.cdf(x, freedom))
            assert normal_score(np.array([x]), np.array([float(freedom)]))[0] == pytest.approx(exact, abs=0.03)


@pytest.mark.parametrize(("name", "times"), [("normal", 2.5), ("laplace", 2.5)])
def test_the_tail_is_passed_about_as_often_as_stated(name, times):
    rng = np.random.default_rng(5)
    n, rate = 400, 1e-3
    tail, i, passed, looked = Tail(n, rate), np.arange(400), 0, 0
    for t in range(4000):
        x = np.abs(rng.standard_normal(n) if name == "normal" else rng.laplace(size=n))
        if t >= 1000:
            passed += int((x > tail.limit(i)).sum())
            looked += n
        tail.learn(i, x)
    assert rate / times < passed / looked < rate * times


def test_past_spikes_do_not_hide_new_ones():
    rng = np.random.default_rng(6)
    tail, i = Tail(1, 1e-4), np.array([0])
    for t in range(3000):
        tail.learn(i, np.array([1000.0]) if t % 300 == 0 else np.abs(rng.standard_normal(1)))
    assert tail.limit(i)[0] < 10


def test_frozen_is_what_is_unlikely_for_the_channel():
    rng = np.random.default_rng(7)
    frozen, i = FrozenRun(2, 1e-4), np.array([0, 1])
    seen = [frozen.step(i, np.array([rng.standard_normal(), 0.0])) for _ in range(500)]
    assert not np.any(seen)  # a channel that never moves (no rain) is not frozen
    run = [bool(frozen.step(i, np.array([0.25, 0.0]))[0]) for _ in range(6)]
    assert run[-1]
    assert not run[0]
    assert not frozen.step(i, np.array([0.3, 0.0]))[0]
