"""The way from a sensor to the city: latency, loss, repeats, hold-ups, clocks that are wrong, flat numbers of digits.

What a channel makes is on its way until it arrives; what arrives in one instant is one :class:`Readings` message, in
order of arrival. Every draw is a function of the channel and the second at which the reading was made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.domain.city_brain import GOOD, Readings
from twin.scenario.city_brain import Sensors
from twin.world.sensors.channels import Channels

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

REPEAT_S = 4  # until the same message comes again (assumed)


@dataclass(frozen=True)
class Fates:
    """What becomes of readings on their way: when they arrive (-1: never), and when once more (-1: not)."""

    arrive_s: Ints
    again_s: Ints


@dataclass
class Counts:
    """Readings since the last account."""

    made: int = 0
    lost: int = 0
    repeated: int = 0


class Post:
    """What is on its way."""

    def __init__(self, channels: Channels, dice: Dice, settings: Sensors) -> None:
        self._s = settings
        self._way = dice.stream("city_brain.post")
        self._latency_s = channels.of("latency_s") * (0.0 if settings.perfect else 1.0)
        skew = 0.0 if settings.perfect else settings.skew_s
        n = np.arange(len(channels))
        self.skew_s = np.rint(skew * dice.stream("city_brain.clock_skew").normal(n)).astype(np.int64)
        self._rows: list[tuple[Ints, Ints, Ints, Floats]] = []  # arrive_s, channel, made_s, value
        self.counts = Counts()

    def fates(self, channel: Ints, made_s: Ints) -> Fates:
        """Draw what becomes of readings that are made at these seconds."""
        s = self._s
        if s.perfect:
            return Fates(made_s.copy(), np.full(made_s.size, -1, dtype=np.int64))
        # one draw serves for all: a uniform number cut into shares, what is left of it is uniform again
        u = self._way.uniform(channel, made_s)
        lost = u < s.lost_share
        late = ~lost & (u < s.lost_share + s.late_share)
        left = (u - s.lost_share - s.late_share) / max(1.0 - s.lost_share - s.late_share, 1e-9)
        twice = ~lost & ~late & (left < s.repeated_share)
        left = np.clip((left - s.repeated_share) / max(1.0 - s.repeated_share, 1e-9), 0.0, 1.0 - 1e-12)
        delay = -np.log1p(-left) * self._latency_s[channel]
        if late.any():
            held = (u[late] - s.lost_share) / max(s.late_share, 1e-12)
            delay[late] += -np.log1p(-np.clip(held, 0.0, 1.0 - 1e-12)) * s.late_mean_s
        arrive = made_s + np.ceil(delay).astype(np.int64)
        return Fates(np.where(lost, -1, arrive), np.where(twice, arrive + REPEAT_S, -1))

    def send(self, channel: Ints, made_s: Ints, value: Floats, fates: Fates) -> None:
        """Put readings on their way."""
        go, again = fates.arrive_s >= 0, fates.again_s >= 0
        self.counts.made += int(channel.size)
        self.counts.lost += int(channel.size - np.count_nonzero(go))
        self._rows.append((fates.arrive_s[go], channel[go], made_s[go], value[go]))
        if again.any():
            self.counts.repeated += int(np.count_nonzero(again))
            self._rows.append((fates.again_s[again], channel[again], made_s[again], value[again]))

    def arrived(self, now_s: int) -> Readings | None:
        """Return what has arrived by now, in order of arrival; None: nothing."""
        if not self._rows:
            return None
        if len(self._rows) == 1:
            arrive, channel, made, value = self._rows[0]
        else:
            arrive, channel, made, value = (np.concatenate(c) for c in zip(*self._rows, strict=True))
        here = arrive <= now_s
        if not here.all():
            away = ~here
            self._rows = [(arrive[away], channel[away], made[away], value[away])]
            arrive, channel, made, value = arrive[here], channel[here], made[here], value[here]
        else:
            self._rows = []
        if not arrive.size:
            return None
        order = np.lexsort((channel, arrive))
        channel, made = channel[order], made[order]
        clock = made + self.skew_s[channel]
        return Readings(
            now_s,
            f"readings/{now_s}",
            channel,
            clock,
            clock,
            value[order],
            np.full(channel.size, GOOD, dtype=np.int64),
        )
