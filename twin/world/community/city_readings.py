"""What the city's own measuring channels read, as early signs are told it (F5, F43): columns, every five minutes.

Of the 19,000 channels those that measure what a theme is about (water, dust, smoke, gas, people); cameras and lamps
measure nothing that early signs could use. The week before the run is taken as dry and quiet.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.domain.city_brain import Readings
from twin.domain.community import EarlyChannels, EarlyReadings
from twin.domain.messages import Message
from twin.world.community.env import DAY_S
from twin.world.community.meters import HISTORY_S, PERIOD_S
from twin.world.sensors.channel_kinds import CHANNEL_KINDS
from twin.world.sensors.sensing import Sensing

SOURCE = "city"
MEASURED = ("level", "depth", "dust", "air", "crowd", "gas")
Ints = npt.NDArray[np.int64]


class CityReadings:
    """Collects readings and tells the desk the latest of each channel; ``tell(message)`` brings it there."""

    def __init__(self, sensing: Sensing, dice: Dice, tell: Callable[[Message], None]) -> None:
        self._sensing, self._tell = sensing, tell
        kinds = np.asarray([k.measures in MEASURED for k in CHANNEL_KINDS])
        self._mine = kinds[sensing.channels.kind]
        self._bundle: list[Readings] = []
        self._told_s = 0
        self._noise = dice.stream("community.city_noise")

    def begin(self, now_s: int) -> None:
        """Tell the channels, and what they read in the week before."""
        ch, self._told_s = self._sensing.channels, now_s
        rows = np.flatnonzero(self._mine).astype(np.int64)
        theme = tuple(CHANNEL_KINDS[k].theme for k in ch.kind[rows].tolist())
        self._tell(
            EarlyChannels(
                now_s, f"early/channels/{SOURCE}", SOURCE, rows, theme, ch.x_m[rows], ch.y_m[rows],
                ch.of("period_s", int)[rows].astype(np.int64),
            )
        )  # fmt: skip
        noise = ch.of("noise")[rows]
        for t_s in range(now_s - HISTORY_S, now_s, 3600):
            hour = t_s // 3600 + HISTORY_S // 3600  # not below 0
            value = self._sensing.signals.usual(hour * 3600 + DAY_S)[rows] + noise * self._noise.normal(rows, hour)
            self._told(now_s, t_s, rows, value)

    def heard(self, readings: Readings) -> None:
        """Take readings that arrived."""
        self._bundle.append(readings)
        if readings.t_s - self._told_s < PERIOD_S:
            return
        channel, when, value = (
            np.concatenate([getattr(r, name) for r in self._bundle]) for name in ("channel", "phenomenon_s", "value")
        )
        self._bundle, self._told_s = [], readings.t_s
        mine = np.flatnonzero(self._mine[channel])
        order = mine[np.lexsort((when[mine], channel[mine]))]
        last = order[np.append(channel[order][1:] != channel[order][:-1], True)] if order.size else order
        self._told(readings.t_s, readings.t_s, channel[last], value[last])

    def _told(self, now_s: int, t_s: int, channel: Ints, value: npt.NDArray[np.float64]) -> None:
        self._tell(
            EarlyReadings(
                now_s, f"early/readings/{SOURCE}/{t_s}", SOURCE, channel, np.full(channel.size, t_s, dtype=np.int64),
                np.round(value, 3),
            )
        )  # fmt: skip
