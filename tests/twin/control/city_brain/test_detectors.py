"""Detectors for channels: false alarms, delays, gaps, late and bad readings, kinds of anomaly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.control.city_brain.detectors import ALL_SIGNS, ChannelDetectors, DetectorSettings, Incidents, Sign
from twin.control.city_brain.detectors_baseline import BaselineSettings
from twin.control.city_brain.detectors_tests import cusum_limit, cusum_run_length

PERIOD_S = 300
LEVEL = BaselineSettings(seasonal=False)


def run(values, with_settings=None, keep=None):
    """Give each row of (T, n) at its time; return (t, channel, signs) of the alerts and the detectors."""
    n = values.shape[1]
    detectors, i, out = ChannelDetectors(n, PERIOD_S, with_settings), np.arange(n), []
    for j, row in enumerate(values):
        there = i if keep is None else i[keep[j]]
        a = detectors.update(j * PERIOD_S, there, np.full(len(there), j * PERIOD_S), row[there])
        out += list(zip((a.fired_s // PERIOD_S).tolist(), a.channel.tolist(), a.signs.tolist(), strict=True))
    return out, detectors


def noise(t, n, rho=0.0, seed=0):
    e = np.random.default_rng(seed).standard_normal((t, n))
    for j in range(1, t):
        e[j] = rho * e[j - 1] + np.sqrt(1 - rho * rho) * e[j]
    return e


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_false_alarms_on_normal_and_ar_noise_are_near_the_stated_rate(rho):
    n, t, rate = 300, 1800, 0.5
    alerts, _ = run(noise(t, n, rho), DetectorSettings(false_alarms_a_day=rate))
    expected = rate * n * (t - 288) * PERIOD_S / 86400
    assert 0.15 * expected < len(alerts) < 1.3 * expected


@pytest.mark.parametrize("law", ["laplace", "t4"])
def test_false_alarms_on_heavy_tails_stay_near_the_stated_rate(law):
    n, t, rate = 300, 1800, 0.5
    rng = np.random.default_rng(1)
    x = rng.laplace(size=(t, n)) if law == "laplace" else rng.standard_t(4, (t, n))
    alerts, _ = run(x, DetectorSettings(false_alarms_a_day=rate))
    expected = rate * n * (t - 288) * PERIOD_S / 86400
    assert 0.15 * expected < len(alerts) < 1.5 * expected


def test_delay_of_a_shift_of_one_sigma():
    # Siegmund with h of the stated rate, b = h + 1.166, d = 1 − 0.5: (exp(−2 d b) + 2 d b − 1) / (2 d²)
    n, t = 200, 900
    x = noise(t, n, seed=2)
    x[700:] += 1.0
    s = DetectorSettings(signs=Sign.SHIFT, baseline=LEVEL)
    alerts, _ = run(x, s)
    delay = {}
    for j, channel, _ in alerts:
        if j >= 700:
            delay.setdefault(channel, j - 699)
    theory = cusum_run_length(cusum_limit(s.false_alarms_a_day * PERIOD_S / 86400 / 4), shift=1.0)
    assert len(delay) > 0.95 * n
    assert 0.8 * theory < np.median(list(delay.values())) < 1.8 * theory


def signs_after(x, at, with_settings=None):
    alerts, _ = run(x, with_settings or DetectorSettings(baseline=LEVEL))
    found = {c: s for j, c, s in alerts if j >= at}
    return found, [a for a in alerts if a[0] < at]


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("spike", Sign.SPIKE),
        ("shift", Sign.SHIFT),
        ("drift", Sign.SHIFT),
        ("burst", Sign.SPREAD),
        ("stuck", Sign.FROZEN),
    ],
)
def test_each_kind_of_anomaly_is_found_by_its_test(kind, sign):
    n, t, at = 30, 1000, 800
    x = noise(t, n, seed=3)
    after = np.arange(t - at)[:, None]
    if kind == "spike":
        x[at] += 12
    elif kind == "shift":
        x[at:] += 2
    elif kind == "drift":
        x[at:] += 0.02 * after
    elif kind == "burst":
        x[at:] *= 3
    else:
        x[at:] = x[at - 1]
    found, early = signs_after(x, at, DetectorSettings(baseline=LEVEL, signs=sign))
    assert len(found) >= 0.9 * n
    assert len(early) <= 3


def test_a_season_is_no_anomaly_but_its_absence_is():
    n, days = 20, 10
    j = np.arange(days * 288)[:, None]
    x = 10 * np.sin(2 * np.pi * j / 288) + noise(len(j), n, seed=4)
    dead = 9 * 288 + 60
    x[dead : dead + 24] = 0.0 + noise(24, n, seed=5)
    alerts, _ = run(x, DetectorSettings())
    assert len({c for t, c, _ in alerts if dead <= t < dead + 24}) >= 0.8 * n
    assert len([1 for t, _, _ in alerts if t < dead]) <= 0.1 * n


def test_one_incident_is_one_alert_and_a_gap_is_not_a_recovery():
    x = noise(1200, 10, seed=6)
    x[800:806] += 40
    keep = np.ones(x.shape, bool)
    keep[806:900] = False  # the channels fall silent while the alert is open
    n_alerts = 0
    detectors, i = ChannelDetectors(10, PERIOD_S, DetectorSettings(baseline=LEVEL, signs=Sign.SPIKE)), np.arange(10)
    for j, row in enumerate(x):
        there = i[keep[j]]
        a = detectors.update(j * PERIOD_S, there, np.full(len(there), j * PERIOD_S), row[there])
        n_alerts += int(np.sum(a.fired_s >= 800 * PERIOD_S))
        if j == 899:
            assert detectors.open.all()
            assert detectors.silent(j * PERIOD_S).all()
        if j == 905:
            assert detectors.open.all()  # six readings in control are no hour yet
            assert not detectors.silent(j * PERIOD_S).any()
    assert n_alerts == 10
    assert not detectors.open.any()


def test_holding_time_to_the_second():
    incidents = Incidents(1, 60, hold_s=120, clear_s=60, refractory_s=60)
    i, bad = np.array([0]), np.array([True])
    fired = [bool(incidents.step(i, np.array([t]), bad)[0][0]) for t in (0, 60, 119, 120, 180)]
    assert fired == [False, False, False, True, False]


def test_a_failure_inside_the_refractory_period_is_the_same_incident():
    incidents = Incidents(1, 60, hold_s=0, clear_s=120, refractory_s=600)
    i = np.array([0])
    story = {0: True, 60: False, 120: False, 180: True, 240: False, 300: False, 2000: True}
    fired = [t for t, bad in story.items() if incidents.step(i, np.array([t]), np.array([bad]))[0][0]]
    assert fired == [0, 2000]


def test_no_numbers_repeats_and_late_readings_are_counted():
    d = ChannelDetectors(2, 60)
    one = np.array([0])
    d.update(60, np.array([0, 0, 1]), np.array([60, 60, 60]), np.array([1.0, 1.0, np.nan]))
    d.update(120, one, np.array([30]), np.array([1.0]))
    d.update(180, one, np.array([180]), np.array([np.inf]))
    assert (d.counts.not_numbers, d.counts.repeated, d.counts.late) == (2, 1, 1)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10))
def test_any_order_within_the_lateness_gives_the_same(seed, lateness):
    rng = np.random.default_rng(seed)
    t, n = 120, 3
    x = np.random.default_rng(8).standard_normal((t, n))
    x[90:] += 6
    s = DetectorSettings(warm_up=40, lateness_s=lateness * 60, baseline=LEVEL)
    sent = [(j, c) for j in range(t) for c in range(n)]
    sent += [sent[k] for k in rng.integers(0, len(sent), 30)]  # some twice

    def outcome(arrives):
        d, out = ChannelDetectors(n, 60, s), []
        for now in range(t + lateness + 2):
            batch = [k for k, a in zip(sent, arrives, strict=True) if a == now]
            j = np.array([b[0] for b in batch], np.int64)
            c = np.array([b[1] for b in batch], np.int64)
            a = d.update(now * 60, c, j * 60, x[j, c])
            columns = (a.fired_s, a.channel, a.signs, a.z, a.since_s)
            out += [tuple(v.item() for v in row) for row in zip(*columns, strict=True)]
        assert d.counts.late == 0
        return out

    in_order = outcome([j for j, _ in sent])
    late = outcome([j + int(rng.integers(0, lateness)) for j, _ in sent])
    assert late == in_order
    assert in_order


def test_batching_does_not_matter_and_nothing_looks_ahead():
    x = noise(900, 5, seed=9)
    x[600:] += 3
    one_by_one, _ = run(x)
    t, c = np.meshgrid(np.arange(900) * PERIOD_S, np.arange(5), indexing="ij")
    d = ChannelDetectors(5, PERIOD_S)
    a = d.update(900 * PERIOD_S, c.ravel(), t.ravel(), x.ravel())
    rows = zip((a.fired_s // PERIOD_S).tolist(), a.channel.tolist(), a.signs.tolist(), strict=True)
    assert list(rows) == one_by_one
    changed = x.copy()
    changed[650:] = -50.0
    assert [r for r in run(changed)[0] if r[0] < 650] == [r for r in one_by_one if r[0] < 650]


def test_a_channel_does_not_depend_on_its_neighbours():
    x = noise(700, 4, seed=10)
    x[500:] += 4
    alone, _ = run(x[:, 2:3])
    together, _ = run(x)
    assert [(t, s) for t, c, s in together if c == 2] == [(t, s) for t, _, s in alone]


def test_nothing_alarms_while_warming_up():
    x = noise(288, 5, seed=11)
    x[100:] += 50
    assert run(x)[0] == []


def test_bad_input_is_one_clear_sentence():
    with pytest.raises(ValueError, match="not 0 and 60"):
        ChannelDetectors(0, 60)
    d = ChannelDetectors(2, 60)
    with pytest.raises(ValueError, match="a reading of channel 2; known are 0 to 1"):
        d.update(0, np.array([2]), np.array([0]), np.array([1.0]))
    with pytest.raises(ValueError, match="columns of readings differ"):
        d.update(0, np.array([1]), np.array([0, 1]), np.array([1.0]))


def test_signs_are_all_by_default():
    assert DetectorSettings().signs == ALL_SIGNS
