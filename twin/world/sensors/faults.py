"""Channels that fall silent: outages, flat batteries, and what an intervention does to them.

Several of these can hold for one channel. It fails with the first and is restored when the last is over; the facts say
no more than that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.events import SensorFailed, SensorRestored
from twin.log import Log
from twin.world.sensors.channels import Channels

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HOUR_S = 3600
REPAIR_SIGMA = 0.8
CHANGED_S = 2 * 86_400  # until somebody has changed a flat battery (assumed)
REASONS = np.asarray(["outage", "battery", "intervention"], dtype=object)


class Faults:
    """Which channels do not work now; outages are drawn for each channel and hour."""

    def __init__(self, channels: Channels, dice: Dice, log: Log, factor: float) -> None:
        n = len(channels)
        self._log, self._factor = log, factor
        self._mtbf_h = channels.of("mtbf_h")
        self._repair_h = channels.of("repair_h")
        self._draw = dice.stream("city_brain.outage")
        self._channel = np.arange(n)
        life_s = channels.of("battery_days") * 86_400.0
        # a battery is somewhere in its life when the run begins
        left = dice.stream("city_brain.battery").uniform(self._channel)
        self._flat_s = np.where(life_s > 0, life_s * left / max(factor, 1e-9), np.inf)
        self._down_s = np.full(n, -1, dtype=np.int64)  # when it falls silent next
        self._up_s = np.full(n, -1, dtype=np.int64)  # when it works again
        self._forced = np.zeros(n, dtype=np.int64)
        self._failed = np.zeros(n, dtype=bool)
        self.down = np.zeros(n, dtype=bool)

    def hour(self, hour: int) -> None:
        """Draw which channels fall silent in an hour."""
        if self._factor <= 0:
            return
        p = -np.expm1(-self._factor / self._mtbf_h)
        hit = np.flatnonzero((self._draw.uniform(self._channel, 4 * hour) < p) & ~self._failed)
        at = hour * HOUR_S + np.floor(HOUR_S * self._draw.uniform(hit, 4 * hour + 1)).astype(np.int64)
        lasts_h = self._repair_h[hit] * np.exp(REPAIR_SIGMA * self._draw.normal(hit, 4 * hour + 2))
        self._down_s[hit] = at
        self._up_s[hit] = at + np.maximum(60, lasts_h * HOUR_S).astype(np.int64)
        begin, end = hour * HOUR_S, (hour + 1) * HOUR_S
        flat = np.flatnonzero((self._flat_s >= begin) & (self._flat_s < end))
        self._down_s[flat] = self._flat_s[flat].astype(np.int64)
        self._up_s[flat] = self._down_s[flat] + CHANGED_S

    def step(self, now_s: int) -> None:
        """Let channels fall silent and come back up to the present second."""
        falls = np.flatnonzero((self._down_s >= 0) & (self._down_s <= now_s) & ~self._failed)
        if falls.size:
            self._failed[falls] = True
            flat = self._flat_s[falls] <= now_s
            reason = np.where(flat & (self._flat_s[falls] > now_s - HOUR_S), REASONS[1], REASONS[0])
            self._fell(falls, reason, now_s)
        back = np.flatnonzero(self._failed & (self._up_s <= now_s))
        if back.size:
            self._failed[back] = False
            self._down_s[back] = -1
            self._rose(back, now_s)

    def _fell(self, rows: Ints, reason: npt.NDArray[np.object_], now_s: int) -> None:
        """Write down that channels fell silent, of those that had not yet."""
        new = ~self.down[rows]
        if new.any():
            self.down[rows[new]] = True
            self._log.add(SensorFailed, t_s=np.full(int(new.sum()), now_s), channel=rows[new], reason=reason[new])

    def _rose(self, rows: Ints, now_s: int) -> None:
        """Write down that channels work again, of those that nothing else silences."""
        up = rows[self.down[rows] & ~self._failed[rows] & (self._forced[rows] == 0)]
        if up.size:
            self.down[up] = False
            self._log.add(SensorRestored, t_s=np.full(up.size, now_s), channel=up)

    def force(self, rows: Ints, on: bool, now_s: int) -> None:
        """Let an intervention silence channels, or give them back."""
        self._forced[rows] += 1 if on else -1
        if on:
            self._fell(rows, np.full(rows.size, REASONS[2], dtype=object), now_s)
        else:
            self._rose(rows, now_s)
