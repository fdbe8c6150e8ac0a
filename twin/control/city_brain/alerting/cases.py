"""One alert, by its identity, through all its episodes; and where its channels are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.control.city_brain.alerting.rules import Rule
from twin.control.city_brain.tags import TagForest
from twin.domain.city_brain import ChannelMap
from twin.domain.messages import Ints

#: states of an episode: none begun; waiting to be confirmed; shed by overload; raised; not raised (until it clears)
NONE, WAITING, SHED, OPEN, OVER = range(5)


def identity(rule: str, labels: Iterable[tuple[str, str]]) -> str:
    """Return the name of an alert: rule + labels, nothing else (no time, no value, no annotation)."""
    inside = ",".join(
        f'{name}="{value.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"'
        for name, value in sorted(labels)
        if value
    )
    return f"{rule}{{{inside}}}"


@dataclass(slots=True)
class Case:
    """One alert; ``members``: channels that fire now → second since which the condition holds.

    ``unsure``: only the weaker condition of its rule holds; ``asked``: a person was asked in this episode.
    """

    alert: str
    rule: Rule
    labels: dict[str, str]
    anchor: int
    members: dict[int, int] = field(default_factory=dict)
    episode: int = 0
    state: int = NONE
    raised_s: int = 0
    raise_key: str = ""
    last_key: str = ""
    updates: int = 0
    acknowledged: bool = False
    raises_s: list[int] = field(default_factory=list)
    flapping: bool = False
    muted: bool = False
    unsure: bool = False
    asked: bool = False
    inhibited: bool = False

    @property
    def key(self) -> str:
        """Name of the present episode; commands are keyed by it."""
        return f"{self.alert}#{self.episode}"

    def begin(self) -> None:
        """Begin another episode."""
        self.episode += 1
        self.state, self.raise_key, self.last_key, self.updates = NONE, "", "", 0
        self.acknowledged = self.muted = self.inhibited = self.unsure = self.asked = False


class Where:
    """The channels as alerts need them: labels, places, tags."""

    def __init__(self, told: ChannelMap) -> None:
        self.forest = TagForest.of(told)
        self.period_s = told.period_s
        self.unit = told.unit
        self.x_m, self.y_m = told.x_m, told.y_m
        self._columns = {"channel": told.name, "kind": told.kind, "place": told.place, "grid": told.grid}

    def label(self, channel: int, name: str) -> str:
        """Return a label of a channel: channel (its name), kind, place or grid."""
        return self._columns[name][channel]

    def labels(self, rule: Rule, channel: int) -> dict[str, str]:
        """Return the labels of the alert of a rule for one channel."""
        return {**{name: column[channel] for name, column in self._columns.items()}, **dict(rule.labels)}

    def near(self, a: int, b: int, by: str, near_m: float) -> bool:
        """Return whether two channels share the label ``by``, or lie within ``near_m``."""
        if by:
            return bool(self.label(a, by)) and self.label(a, by) == self.label(b, by)
        return math.hypot(self.x_m[a] - self.x_m[b], self.y_m[a] - self.y_m[b]) <= near_m

    def centre(self, channels: Sequence[int]) -> tuple[float, float]:
        """Return the mean place of channels, metres."""
        rows = np.asarray(channels, dtype=np.int64)
        return float(self.x_m[rows].mean()), float(self.y_m[rows].mean())


class Spots:
    """Channels by the spot they are at – a label, or a square of ``near_m`` – so that neighbours are found at once."""

    def __init__(self, where: Where, by: str, near_m: float) -> None:
        self._where, self._by, self._near_m = where, by, near_m
        self._at: dict[object, dict[int, None]] = {}

    def _square(self, channel: int) -> tuple[int, int]:
        return (
            math.floor(float(self._where.x_m[channel]) / self._near_m),
            math.floor(float(self._where.y_m[channel]) / self._near_m),
        )

    def _key(self, channel: int) -> object:
        return self._where.label(channel, self._by) if self._by else self._square(channel)

    def add(self, channel: int) -> None:
        """Remember a channel."""
        self._at.setdefault(self._key(channel), {})[channel] = None

    def forget(self, channel: int) -> None:
        """Forget a channel."""
        self._at.get(self._key(channel), {}).pop(channel, None)

    def around(self, channel: int) -> list[int]:
        """Return the remembered channels near ``channel``, in order; it may be among them."""
        if self._by:
            found = list(self._at.get(self._key(channel), {})) if self._key(channel) else []
        else:
            x, y = self._square(channel)
            squares = [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
            found = [c for s in squares for c in self._at.get(s, {})]
        return sorted(c for c in found if self._where.near(channel, c, self._by, self._near_m))


def column(channels: Iterable[int]) -> Ints:
    """Return channel numbers as a column."""
    return np.asarray(sorted(channels), dtype=np.int64)
