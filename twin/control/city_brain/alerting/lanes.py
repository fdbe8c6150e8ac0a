"""Readings in, in order of event time: watermark, repeats, late ones; one lane for all rules with one ``late_s``.

A lane holds readings back until ``late_s`` after they were made, so that whatever order they came in, the slots see
them in the same one. Later than that: the newest of its channel is still used, as of the watermark, because old news
of a drowning is better than none; every one is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.city_brain.alerting.rules import NEVER_S, Rule
from twin.control.city_brain.alerting.slots import Edge, Slots
from twin.domain.messages import Floats, Ints

_BEFORE_S = -NEVER_S
_NOBODY = np.empty(0, dtype=np.int64)


class Lane:
    """Slots behind one watermark."""

    def __init__(self, late_s: int, rules: Sequence[Rule], chosen: Sequence[Ints], period_s: Ints, now_s: int) -> None:
        self.late_s = late_s
        self.slots = Slots(rules, chosen, period_s, now_s)
        self.value = np.full(len(period_s), np.nan)
        self._heard_s = np.full(len(period_s), _BEFORE_S, dtype=np.int64)
        self._any_rate = any(r.kind in ("rise", "fall") for r in rules)
        self._wanted = np.zeros(len(period_s), dtype=np.bool_)
        for rows in chosen:
            self._wanted[rows] = True
        self._done_s = now_s - late_s - 1
        self._channel: list[Ints] = []
        self._t_s: list[Ints] = []
        self._value: list[Floats] = []
        self._first_s = NEVER_S
        self._late: list[tuple[Ints, Ints, Floats]] = []

    @property
    def next_s(self) -> int:
        """The second at which something can happen here, as the engine's clock tells it."""
        return min(self._first_s, self.slots.next_s) + self.late_s

    def put(self, now_s: int, channel: Ints, t_s: Ints, value: Floats) -> None:
        """Take usable readings that came at ``now_s``; :meth:`advance` must follow in the same second."""
        mine = self._wanted[channel]
        if not mine.all():
            channel, t_s, value = channel[mine], t_s[mine], value[mine]
        late = t_s < now_s - self.late_s
        if late.any():
            self._late.append((channel[late], t_s[late], value[late]))
            channel, t_s, value = channel[~late], t_s[~late], value[~late]
        self._keep(channel, t_s, value)

    def _keep(self, channel: Ints, t_s: Ints, value: Floats) -> None:
        if len(channel):
            self._channel.append(channel)
            self._t_s.append(t_s)
            self._value.append(value)
            self._first_s = min(self._first_s, int(t_s.min()))

    def advance(self, now_s: int) -> tuple[list[Edge], Ints]:
        """Move the watermark to ``now_s − late_s``.

        Return what happened to slots, in order of (time, slot), and the channels of readings that came too late, one
        entry for each reading.
        """
        until_s = now_s - self.late_s
        edges: list[Edge] = []
        if self._first_s <= until_s:
            edges = self._feed(until_s)
        edges += self.slots.timers(until_s)
        self._done_s = max(self._done_s, until_s)
        late = _NOBODY
        if self._late:
            channel, t_s, value = (np.concatenate(c) for c in zip(*self._late, strict=True))
            self._late = []
            late = channel[t_s != self._heard_s[channel]]  # the others are repeats
            edges += self._in_order(channel, t_s, value) + self.slots.timers(until_s)
        edges.sort(key=lambda e: (e.t_s, e.slot, e.what))
        return edges, late

    def _feed(self, until_s: int) -> list[Edge]:
        channel, t_s = np.concatenate(self._channel), np.concatenate(self._t_s)
        value = np.concatenate(self._value)
        ripe = t_s <= until_s
        self._channel, self._t_s, self._value, self._first_s = [], [], [], NEVER_S
        if not ripe.all():
            self._keep(channel[~ripe], t_s[~ripe], value[~ripe])
            channel, t_s, value = channel[ripe], t_s[ripe], value[ripe]
        return self._in_order(channel, t_s, value)

    def _in_order(self, channel: Ints, t_s: Ints, value: Floats) -> list[Edge]:
        """Feed readings, none of them later than the watermark, each channel's one after the other."""
        # one order whatever order they came in; of two that differ in value only, the lower is taken
        order = np.lexsort((value, t_s, channel))
        channel, t_s, value = channel[order], t_s[order], value[order]
        new = t_s > self._heard_s[channel]
        new[1:] &= (channel[1:] != channel[:-1]) | (t_s[1:] != t_s[:-1])
        if not new.all():
            channel, t_s, value = channel[new], t_s[new], value[new]
        if not len(channel):
            return []
        starts = np.flatnonzero(np.concatenate(([True], channel[1:] != channel[:-1])))
        if len(starts) == len(channel):
            return self._round(channel, t_s, value)
        turn = np.arange(len(channel)) - np.repeat(starts, np.diff(np.append(starts, len(channel))))
        edges: list[Edge] = []
        for k in range(int(turn.max()) + 1):
            at = np.flatnonzero(turn == k)
            edges += self._round(channel[at], t_s[at], value[at])
        return edges

    def _round(self, channel: Ints, t_s: Ints, value: Floats) -> list[Edge]:
        """One reading for each of different channels."""
        rate = value
        if self._any_rate:
            before = self._heard_s[channel]
            with np.errstate(invalid="ignore"):
                rate = 60.0 * (value - self.value[channel]) / np.maximum(t_s - before, 1)
        self._heard_s[channel] = t_s
        self.value[channel] = value
        return self.slots.observe(channel, np.maximum(t_s, self._done_s), value, rate)
