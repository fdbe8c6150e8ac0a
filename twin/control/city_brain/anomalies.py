"""Statistical detectors as a desk beside the rules: numeric readings in, alerts of the rule ``anomaly`` out.

One :class:`ChannelDetectors` for each kind and period of channels. What it raises is of the lowest severity: something
is unusual, which is not yet something wrong. An alert ends when the detectors say that the channel is in control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.control.city_brain.alerting.cases import identity
from twin.control.city_brain.detectors import ChannelDetectors, DetectorSettings
from twin.domain.city_brain import ChannelMap, RaiseAlert, Readings, ResolveAlert
from twin.domain.commands import Command
from twin.domain.messages import Ints, Message

#: kinds of channels that are watched; others are zero nearly always, for which a limit is the better rule
KINDS = ("level", "dust", "air", "counter", "lamp")
RULE = "anomaly"
SIGNS = ("spike", "shift", "spread", "frozen")


@dataclass
class _Group:
    """Channels of one kind: ``row`` of each channel number in the detectors, -1 for the others."""

    channels: Ints
    row: Ints
    detectors: ChannelDetectors


class AnomalyDesk:
    """A controller. ``kinds``: channels that are watched; ``settings``: of all detectors."""

    def __init__(self, kinds: Sequence[str] = KINDS, settings: DetectorSettings | None = None) -> None:
        self._kinds, self._settings = tuple(kinds), settings or DetectorSettings()
        self._groups: list[_Group] = []
        self._told: ChannelMap | None = None
        self._theme: dict[int, str] = {}
        self._episode: dict[int, int] = {}
        self._open: dict[int, str] = {}
        self._seen: set[str] = set()

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold readings into anomalies; answer with those that began or ended."""
        parts: list[Readings] = []
        for message in messages:
            if isinstance(message, ChannelMap) and self._told is None:
                self._learn(message)
            elif isinstance(message, Readings) and message.key not in self._seen:
                self._seen.add(message.key)
                parts.append(message)
        if not parts or self._told is None:
            return []
        channel = np.concatenate([p.channel for p in parts])
        t_s = np.concatenate([p.phenomenon_s for p in parts])
        value = np.concatenate([p.value for p in parts])
        out: list[Command] = []
        for group in self._groups:
            known = (channel >= 0) & (channel < len(group.row))
            mine = np.flatnonzero(known)[group.row[channel[known]] >= 0]
            found = group.detectors.update(now_s, group.row[channel[mine]], t_s[mine], value[mine])
            columns = (found.channel, found.since_s, found.signs, found.z)
            for row, since_s, signs, z in zip(*(c.tolist() for c in columns), strict=True):
                out += self._raise(now_s, int(group.channels[row]), since_s, signs, z)
            still = group.detectors.open
            for c in [c for c in self._open if group.row[c] >= 0 and not still[group.row[c]]]:
                out.append(self._resolve(now_s, c))
        return out

    def _learn(self, told: ChannelMap) -> None:
        self._told = told
        kind = np.asarray(told.kind, dtype=object)
        for tag_channel, tag in zip(told.tag_channel.tolist(), told.tag, strict=True):
            if tag.startswith("theme:"):
                self._theme.setdefault(tag_channel, tag.removeprefix("theme:"))
        for name in self._kinds:
            of_kind = np.flatnonzero(kind == name)
            for period in np.unique(told.period_s[of_kind]).tolist():
                channels = of_kind[told.period_s[of_kind] == period].astype(np.int64)
                if period <= 0:
                    continue
                row = np.full(len(kind), -1, dtype=np.int64)
                row[channels] = np.arange(len(channels))
                self._groups.append(_Group(channels, row, ChannelDetectors(len(channels), period, self._settings)))

    def _raise(self, now_s: int, channel: int, since_s: int, signs: int, z: float) -> list[Command]:
        told = self._told
        if told is None or channel in self._open:
            return []
        labels = {
            "channel": told.name[channel], "kind": told.kind[channel], "place": told.place[channel],
            "grid": told.grid[channel], "theme": self._theme.get(channel, "device"),
        }  # fmt: skip
        alert = identity(RULE, labels.items())
        episode = self._episode[channel] = self._episode.get(channel, 0) + 1
        key = self._open[channel] = f"raise/{alert}#{episode}"
        what = "+".join(name for i, name in enumerate(SIGNS) if signs >> i & 1)
        return [
            RaiseAlert(
                key, alert, episode, RULE, "Minor", tuple(f"{k}={v}" for k, v in sorted(labels.items()) if v), since_s,
                now_s, round(z, 3), "scales", np.asarray([channel], dtype=np.int64), float(told.x_m[channel]),
                float(told.y_m[channel]), what,
            )
        ]  # fmt: skip

    def _resolve(self, now_s: int, channel: int) -> Command:
        key = self._open.pop(channel)
        name = key.removeprefix("raise/")
        alert, _, episode = name.rpartition("#")
        return ResolveAlert(f"resolve/{name}", alert, int(episode), key, "cleared", now_s)
