"""Detectors for devices with several sensors."""

import numpy as np
import pytest

from twin.control.city_brain.detectors_device import DeviceDetectors, DeviceSettings, DeviceSign


def water_loop(t, seed, devices=1):
    """Eight sensors: two follow a common load, one wanders, the others are noise; shape (t, devices, 8)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((t, devices, 8))
    load = rng.standard_normal((t, devices))
    x[..., 0], x[..., 1] = load + 0.2 * x[..., 0], load + 0.2 * x[..., 1]
    for j in range(1, t):
        x[j, :, 2] = 0.95 * x[j - 1, :, 2] + 0.31 * x[j, :, 2]
    return x


def run(x, settings=None):
    n = x.shape[1]
    d, i, out = DeviceDetectors(n, x.shape[2], 1.0, settings), np.arange(n), []
    for t, row in enumerate(x):
        a = d.update(i, np.full(n, t), row)
        columns = (a.fired_s, a.device, a.sensor, a.signs)
        out += [tuple(v.item() for v in r) for r in zip(*columns, strict=True)]
    return out, d


def test_false_alarms_are_near_the_stated_rate():
    x = water_loop(1200, 0, devices=60)
    a_day = 86400 / 800
    alerts, _ = run(x, DeviceSettings(false_alarms_a_day=a_day))
    expected = 60 * 1.0  # one per device in the 800 s after learning
    assert 0.1 * expected < len(alerts) < 2.0 * expected


def test_a_shift_of_one_sensor_names_it():
    x = water_loop(900, 1, devices=10)
    x[600:, :, 5] -= 2
    alerts, d = run(x)
    found = {device for t, device, sensor, _ in alerts if t >= 600 and sensor == 5}
    assert len(found) >= 9
    assert not [a for a in alerts if a[0] < 600]
    assert d.open.sum() >= 9


def test_values_that_do_not_go_together_are_a_pattern():
    x = water_loop(900, 2, devices=10)
    x[600:640, :, 0], x[600:640, :, 1] = 2.0, -2.0  # each usual, together impossible
    alerts, _ = run(x, DeviceSettings(signs=DeviceSign.PATTERN))
    assert {device for t, device, sensor, _ in alerts if 600 <= t < 640 and sensor == -1} == set(range(10))
    assert not [a for a in alerts if a[0] < 600]


def test_missing_values_neither_alarm_nor_hide():
    x = water_loop(900, 3, devices=4)
    rng = np.random.default_rng(4)
    x[rng.random(x.shape) < 0.2] = np.nan
    x[600:, :, 5] -= 3
    alerts, _ = run(x)
    assert {d for t, d, s, _ in alerts if t >= 600 and s == 5} == {0, 1, 2, 3}
    assert not [a for a in alerts if a[0] < 600]


def test_learns_first_and_judges_then():
    x = water_loop(400, 5)
    x[200:] += 30
    assert run(x)[0] == []


def test_bad_input_is_one_clear_sentence():
    with pytest.raises(ValueError, match="a device needs a sensor"):
        DeviceDetectors(1, 0, 1.0)
    d = DeviceDetectors(2, 3, 1.0)
    with pytest.raises(ValueError, match="2 different devices need shape"):
        d.update(np.array([0, 0]), np.array([0, 0]), np.zeros((2, 3)))
