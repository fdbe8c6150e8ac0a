"""The state of every (rule, channel) pair – a *slot* – as columns, moved on by readings and by timers.

States: idle → pending (the condition holds) → firing (it held for ``hold_s``) → clearing (it is clear) → idle. All
times are whole seconds of event time. A timer that is due before a reading acts before it; one due in the same second
acts after it: *fires at the first second with now − since ≥ hold_s*. Silence longer than ``stale_s`` makes a slot
unknown, which is neither holding nor clear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.control.city_brain.alerting.rules import NEVER_S, Rule
from twin.domain.messages import Floats, Ints

Bits = npt.NDArray[np.bool_]

IDLE, PENDING, FIRING, CLEARING = range(4)
#: what happened to a slot
FIRED, CLEARED, EXPIRED, NO_DATA, UNKNOWN, KNOWN = range(6)
_HOLD, _UNKNOWN, _RESET = range(3)
_GAPS = {"hold": _HOLD, "unknown": _UNKNOWN, "reset": _RESET}
_STALE_PERIODS = 3  # readings missed in a row before a channel is unknown; assumed
_NO_HISTORY = np.uint64(0)


@dataclass(frozen=True)
class Edge:
    """A slot fired, cleared …: ``t_s`` event time, ``since_s`` when its condition began to hold.

    ``value``: what the rule saw last: the reading, its change per minute, or the seconds of silence.
    """

    t_s: int
    slot: int
    what: int
    since_s: int
    value: float


class Slots:
    """Columns over slots of rules that share one watermark, ordered by (rule, channel)."""

    def __init__(self, rules: Sequence[Rule], chosen: Sequence[Ints], period_s: Ints, start_s: int) -> None:
        """``chosen``: for each rule the channels of its query; ``period_s`` by channel."""
        self.rules = tuple(rules)
        counts = [len(c) for c in chosen]
        self.rule = np.repeat(np.arange(len(rules)), counts)
        self.channel = np.concatenate([*chosen, np.empty(0, dtype=np.int64)]).astype(np.int64)
        n = len(self.channel)

        def column(values: Sequence[float], dtype: type = np.int64) -> npt.NDArray[Any]:
            return np.repeat(np.asarray(values, dtype=dtype), counts)

        mirrored = [r.kind in ("below", "fall") for r in rules]
        silent = [r.kind == "silent" for r in rules]
        self._sign = column([-1.0 if m else 1.0 for m in mirrored], np.float64)
        self._fire = column(
            [np.inf if s else -r.level if m else r.level for r, m, s in zip(rules, mirrored, silent, strict=True)],
            np.float64,
        )
        self._clear = column(
            [np.inf if s else -r.clear if m else r.clear for r, m, s in zip(rules, mirrored, silent, strict=True)],
            np.float64,
        )
        self._rate = column([r.kind in ("rise", "fall") for r in rules], np.bool_)
        self._any_rate = bool(np.any(self._rate))
        self._silent = column(silent, np.bool_)
        self._k = column([r.k for r in rules])
        self._mask = column([(1 << r.n) - 1 for r in rules], np.uint64)
        self._of_last = column([r.n > 1 for r in rules], np.bool_)
        self._any_last = bool(np.any(self._of_last))
        self._history = np.zeros(n, dtype=np.uint64)
        self._hold_s = column([r.hold_s for r in rules])
        self._clear_s = column([r.clear_s for r in rules])
        self._expire_s = column([r.expire_s or NEVER_S for r in rules])
        self._gap = column([_GAPS[r.gap] for r in rules])
        given = np.asarray(column([r.stale_s for r in rules]), dtype=np.int64)
        period = period_s[self.channel]
        self._stale_s = np.where(given > 0, given, np.where(period > 0, _STALE_PERIODS * period, NEVER_S))
        self.state = np.zeros(n, dtype=np.int8)
        self.since_s = np.zeros(n, dtype=np.int64)
        self._held_s = np.zeros(n, dtype=np.int64)  # when the condition was last seen to hold
        self._due_s = np.full(n, NEVER_S, dtype=np.int64)
        self._stale_at_s = np.minimum(start_s + self._stale_s, NEVER_S)
        self.unknown = np.ones(n, dtype=np.bool_)  # nothing was heard of it yet
        self._saw = np.zeros(n)
        self._unknown_at_s = np.full(n, start_s, dtype=np.int64)
        self._next_s = int(self._stale_at_s.min(initial=NEVER_S))
        order = np.argsort(self.channel, kind="stable")
        self._of_channel = order.astype(np.int64)
        self._first = np.searchsorted(self.channel[order], np.arange(len(period_s) + 1))

    @property
    def next_s(self) -> int:
        """No timer is due before this second (it may be that none is due at it)."""
        return self._next_s

    def observe(self, channel: Ints, t_s: Ints, value: Floats, rate_min: Floats) -> list[Edge]:
        """Take one usable reading for each of different channels; ``rate_min``: change per minute (nan: unknown)."""
        first = self._first[channel]
        count = self._first[channel + 1] - first
        total = int(count.sum())
        if total == 0:
            return []
        row = np.repeat(np.arange(len(channel)), count)
        slot = self._of_channel[np.arange(total) - np.repeat(np.cumsum(count) - count, count) + first[row]]
        t = t_s[row]
        edges = self._timers(slot, t - 1) if self._next_s < int(t.max()) else []
        seen = value[row]
        if self._any_rate:
            seen = np.where(self._rate[slot], rate_min[row], seen)
        seen = seen * self._sign[slot]
        holds = seen > self._fire[slot]
        clear = seen <= self._clear[slot]
        if self._any_last:
            holds, clear = self._vote(slot, holds, clear)
        self._stale_at_s[slot] = np.minimum(t + self._stale_s[slot], NEVER_S)
        self._next_s = min(self._next_s, int(self._stale_at_s[slot].min()))
        busy = holds | (self.state[slot] != IDLE) | self.unknown[slot]
        if busy.any():
            self._saw[slot[busy]] = (seen * self._sign[slot])[busy]
            edges += self._move(slot[busy], t[busy], holds[busy], clear[busy])
        return edges

    def timers(self, until_s: int) -> list[Edge]:
        """Let every timer act that is due at or before ``until_s``."""
        if self._next_s > until_s:
            return []
        due = np.minimum(self._due_s, self._stale_at_s)
        slot = np.flatnonzero(due <= until_s)
        edges = self._timers(slot, np.full(len(slot), until_s, dtype=np.int64)) if len(slot) else []
        self._next_s = int(np.minimum(self._due_s, self._stale_at_s).min(initial=NEVER_S))
        return edges

    # -- one step ------------------------------------------------------------------------------------

    def _vote(self, slot: Ints, holds: Bits, clear: Bits) -> tuple[Bits, Bits]:
        """K of the last n readings: shift what holds into each slot's history and count."""
        history = ((self._history[slot] << np.uint64(1)) | holds.astype(np.uint64)) & self._mask[slot]
        self._history[slot] = history
        enough = np.bitwise_count(history) >= self._k[slot]
        voted = self._of_last[slot]
        return np.where(voted, enough, holds), np.where(voted, ~enough, clear)

    def _move(self, slot: Ints, t: Ints, holds: Bits, clear: Bits) -> list[Edge]:
        edges = self._return(slot, t)
        state = self.state[slot]
        begin = holds & (state == IDLE)
        if begin.any():
            s = slot[begin]
            self.state[s] = PENDING
            self.since_s[s] = t[begin]
            self._set_due(s, t[begin] + self._hold_s[s])
        end = ~holds & (state == PENDING)
        self.state[slot[end]] = IDLE
        self._due_s[slot[end]] = NEVER_S
        fade = clear & (state == FIRING)
        if fade.any():
            s = slot[fade]
            self.state[s] = CLEARING
            self._set_due(s, t[fade] + self._clear_s[s])
        again = holds & (state >= FIRING)
        self._held_s[slot[again]] = t[again]
        back = (~clear & (state == CLEARING)) | again
        if back.any():
            self._burn(slot[back], t[back])
        return edges

    def _return(self, slot: Ints, t: Ints) -> list[Edge]:
        """End the silence of slots that are heard again; the time they were unknown did not count."""
        heard = self.unknown[slot]
        if not heard.any():
            return []
        s, at = slot[heard], t[heard]
        self.unknown[s] = False
        waiting = (self.state[s] == PENDING) & (self._gap[s] == _UNKNOWN)
        w = s[waiting]
        self.since_s[w] += np.maximum(at[waiting] - self._unknown_at_s[w], 0)
        self._set_due(w, np.maximum(self.since_s[w] + self._hold_s[w], at[waiting]))
        firing = (self.state[s] >= FIRING) & ~self._silent[s]
        return self._edges(at[firing], s[firing], KNOWN)

    def _burn(self, slot: Ints, t: Ints) -> None:
        """Set slots firing; only expiry can end that without a reading."""
        self.state[slot] = FIRING
        self._set_due(slot, np.minimum(np.maximum(self._held_s[slot] + self._expire_s[slot], t), NEVER_S))

    def _set_due(self, slot: Ints, due_s: Ints) -> None:
        self._due_s[slot] = due_s
        if len(due_s):
            self._next_s = min(self._next_s, int(due_s.min()))

    # -- timers --------------------------------------------------------------------------------------

    def _timers(self, slot: Ints, until_s: Ints) -> list[Edge]:
        """Let the timers of ``slot`` act in their order up to ``until_s`` each."""
        edges: list[Edge] = []
        while True:
            due, stale = self._due_s[slot], self._stale_at_s[slot]
            act = self._ripe(np.minimum(due, stale), until_s)
            if not act.any():
                return edges
            slot, until_s, due, stale = slot[act], until_s[act], due[act], stale[act]
            moves = due <= stale
            edges += self._elapsed(slot[moves], due[moves])
            edges += self._silence(slot[~moves], stale[~moves])

    @staticmethod
    def _ripe(due_s: Ints, until_s: Ints) -> Bits:
        """Whether a holding time is over: at the first second with now − since ≥ hold, so now ≥ due."""
        return until_s >= due_s

    def _elapsed(self, slot: Ints, t: Ints) -> list[Edge]:
        if not len(slot):
            return []
        state = self.state[slot]
        pending, clearing, firing = state == PENDING, state == CLEARING, state == FIRING
        edges = self._edges(t[pending], slot[pending], FIRED)
        edges += self._edges(t[clearing], slot[clearing], CLEARED) + self._edges(t[firing], slot[firing], EXPIRED)
        self.state[slot] = IDLE
        self._due_s[slot] = NEVER_S
        fired = slot[pending]
        self._held_s[fired] = t[pending]
        self._burn(fired, t[pending])
        return edges

    def _silence(self, slot: Ints, t: Ints) -> list[Edge]:
        """``stale_s`` without a usable reading: a rule for silence holds; any other slot becomes unknown."""
        if not len(slot):
            return []
        self._stale_at_s[slot] = NEVER_S
        self.unknown[slot] = True
        self._unknown_at_s[slot] = t
        silent = self._silent[slot]
        self._listen(slot[silent], t[silent])
        slot, t = slot[~silent], t[~silent]
        state, gap = self.state[slot], self._gap[slot]
        edges = self._edges(t[(state >= FIRING) & (gap != _RESET)], slot[(state >= FIRING) & (gap != _RESET)], UNKNOWN)
        frozen = (state == PENDING) & (gap == _UNKNOWN)
        self._due_s[slot[frozen]] = NEVER_S
        kept = (state == CLEARING) & (gap != _RESET)  # a gap is not a recovery
        self._burn(slot[kept], t[kept])
        reset = gap == _RESET
        edges += self._edges(t[reset & (state >= FIRING)], slot[reset & (state >= FIRING)], NO_DATA)
        self.state[slot[reset]] = IDLE
        self._due_s[slot[reset]] = NEVER_S
        self._history[slot[reset]] = _NO_HISTORY
        return edges

    def _listen(self, slot: Ints, t: Ints) -> None:
        """Rules for silence: it holds from now on."""
        idle, clearing = self.state[slot] == IDLE, self.state[slot] == CLEARING
        s = slot[idle]
        self.state[s] = PENDING
        self.since_s[s] = t[idle]
        self._set_due(s, t[idle] + self._hold_s[s])
        self._held_s[slot[clearing]] = t[clearing]
        self._burn(slot[clearing], t[clearing])

    def _edges(self, t: Ints, slot: Ints, what: int) -> list[Edge]:
        since = self.since_s[slot]
        value = np.where(self._silent[slot], t - since + self._stale_s[slot], self._saw[slot])
        columns = (t.tolist(), slot.tolist(), [what] * len(slot), since.tolist(), value.tolist())
        return [Edge(*e) for e in zip(*columns, strict=True)]
