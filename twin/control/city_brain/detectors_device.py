"""Detectors for devices with several sensors that are read together, such as a pump with eight of them.

What a device does normally is learned on its first readings and slowly after. The tests share the stated rate of
false alarms:

- *shift*: a CUSUM per sensor on its whitened residual, the rate shared among the sensors;
- *pattern*: Hotelling's T² of the residuals (Hotelling 1947) with an exponentially weighted covariance, shrunken to its
  diagonal, so that a combination of values that do not go together is found although each of them is usual; made
  nearly normal by the cube root of Wilson & Hilferty (1931), judged by the tail of its own past and, for when it
  stays a little too great, by a CUSUM.

Whitening makes a wandering sensor (a thermocouple) speak by its steps, a steady one (a flow meter) by its level.
The identity of an alert is device and sensor; joining those of one device in time is the work of the alert pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from twin.control.city_brain.detectors import Incidents
from twin.control.city_brain.detectors_baseline import BaselineSettings, SeasonalBaseline
from twin.control.city_brain.detectors_tests import CUSUM_CLIP, Cusum, Tail, Whitening, cusum_limit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_TESTS = 3
RIDGE = 0.05
SUSPICIOUS_TEACHES = 0.1
"""A sensor that may be shifting teaches its level so much more slowly: a fault is not normal, a new normal is."""


class DeviceSign(IntFlag):
    """What speaks for an anomaly of a device."""

    SHIFT = 16
    PATTERN = 32


@dataclass(frozen=True)
class DeviceSettings:
    """The same for every device of a kind; periods counted in readings; assumed where no source is named."""

    false_alarms_a_day: float = 1.0
    """Stated rate of false alarms per device; at 1 Hz one in 86,400 readings."""
    warm_up: int = 400
    """Readings that only teach (SKAB's protocol: the first 400)."""
    hold: int = 0
    clear: int = 60
    refractory: int = 60
    memory: int = 3600
    """Memory of levels and covariance."""
    signs: DeviceSign = field(default=DeviceSign.SHIFT | DeviceSign.PATTERN)


@dataclass(frozen=True)
class DeviceAnomalies:
    """Alerts that opened, as columns: device, sensor (−1: the pattern of all), since, fired, which test, |z|."""

    device: Ints
    sensor: Ints
    since_s: Ints
    fired_s: Ints
    signs: Ints
    z: Floats

    def __len__(self) -> int:
        return len(self.device)


class DeviceDetectors:
    """Detectors for ``n`` devices of one kind, each with ``sensors`` sensors read together every ``period_s``."""

    def __init__(self, n: int, sensors: int, period_s: float, settings: DeviceSettings | None = None) -> None:
        if n < 1 or sensors < 1 or not period_s > 0:
            raise ValueError(f"a device needs a sensor and a period above 0 s, not {n} × {sensors} at {period_s}")
        s = settings or DeviceSettings()
        self._n, self._p, self._period_s, self._settings = n, sensors, float(period_s), s
        rate = s.false_alarms_a_day * period_s / 86400 / N_TESTS
        m = n * sensors
        memory_s = int(s.memory * period_s)
        self._baseline = SeasonalBaseline(m, period_s, BaselineSettings(seasonal=False, memory_s=memory_s))
        self._whitening, self._cusum = Whitening(m), Cusum(m, cusum_limit(rate / sensors))
        self._covariance = np.broadcast_to(np.eye(sensors), (n, sensors, sensors)).copy()
        self._tail = Tail(n, rate)
        self._pattern_whitening, self._pattern_cusum = Whitening(n), Cusum(n, cusum_limit(rate))
        self._count = np.zeros(n, np.int64)
        seconds = [int(x * period_s) for x in (s.hold, s.clear, s.refractory)]
        self._incidents = Incidents(n * (sensors + 1), period_s, *seconds)

    @property
    def open(self) -> NDArray[np.bool_]:
        """Which devices have an open alert, shape (n,)."""
        return np.asarray(self._incidents.open.reshape(self._n, self._p + 1).any(axis=1))

    def update(self, device: Ints, t_s: Ints, values: Floats) -> DeviceAnomalies:
        """Take one row of readings, shape (k, sensors), of each of k different devices, in order of time per device.

        NaN is a missing reading: the device is judged by its other sensors. Raises ValueError for another shape.
        """
        if values.shape != (len(device), self._p) or len(np.unique(device)) != len(device):
            raise ValueError(f"readings of {len(device)} different devices need shape ({len(device)}, {self._p})")
        s, p, k = self._settings, self._p, len(device)
        sensor = device[:, None] * p + np.arange(p)
        there = np.isfinite(values)
        i, at = sensor[there], np.broadcast_to(t_s[:, None], values.shape)[there]
        calm = self._cusum.calm(i)
        teaches = np.where(calm, 1.0, SUSPICIOUS_TEACHES)
        where, scale = self._baseline.judge_and_learn(i, at, values[there], teaches)
        e = self._whitening.step(i, at, (values[there] - where) / scale, self._period_s, calm)
        warm = self._count[device] >= s.warm_up
        self._cusum.restart(i[~np.broadcast_to(warm[:, None], values.shape)[there]])

        z = np.zeros((k, p + 1))
        signs = np.zeros((k, p + 1), np.int64)
        z[:, :p][there] = e
        if DeviceSign.SHIFT in s.signs:
            signs[:, :p][there] = np.where(self._cusum.step(i, e), DeviceSign.SHIFT, 0)
        if DeviceSign.PATTERN in s.signs:
            calm = self._pattern_cusum.calm(device)
            z[:, p] = self._pattern(device, z[:, :p], calm)
            over = z[:, p] > self._tail.limit(device)
            self._tail.learn(device[warm & calm], z[warm & calm, p])
            white = self._pattern_whitening.step(device, t_s, z[:, p], self._period_s, calm)
            self._pattern_cusum.restart(device[~warm])
            over |= self._pattern_cusum.step(device, white)
            signs[:, p] = np.where(over, DeviceSign.PATTERN, 0)
        signs[~warm] = 0
        self._count[device] += there.any(axis=1)
        seen = np.c_[there, there.any(axis=1)]
        slot = (device[:, None] * (p + 1) + np.arange(p + 1))[seen]
        when = np.broadcast_to(t_s[:, None], seen.shape)[seen]
        fires, since = self._incidents.step(slot, when, signs[seen] > 0)
        which, at_s, kind, size = slot[fires], when[fires], signs[seen][fires], np.abs(z[seen][fires])
        return DeviceAnomalies(which // (p + 1), _sensor(which % (p + 1), p), since[fires], at_s, kind, size)

    def _pattern(self, device: Ints, e: Floats, calm: NDArray[np.bool_]) -> Floats:
        p = self._p
        covariance = self._covariance[device]
        diagonal = np.einsum("kii->ki", covariance)
        shrunk = (1 - RIDGE) * covariance
        np.einsum("kii->ki", shrunk)[...] += RIDGE * diagonal
        t2 = np.einsum("ki,ki->k", e, np.linalg.solve(shrunk, e[..., None])[..., 0])
        clipped = np.clip(e, -CUSUM_CLIP, CUSUM_CLIP)
        gain = calm / np.minimum(self._count[device] + 10.0 * p, float(self._settings.memory))
        step = clipped[:, :, None] * clipped[:, None, :] - covariance
        self._covariance[device] = covariance + gain[:, None, None] * step
        spread = 2.0 / (9.0 * p)
        return np.asarray((np.cbrt(t2 / p) - (1.0 - spread)) / np.sqrt(spread))


def _sensor(slot: Ints, p: int) -> Ints:
    return np.where(slot == p, -1, slot)
