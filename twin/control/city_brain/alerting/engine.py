"""The alerting engine: a controller that folds readings and what people say into alerts and notifications.

It keeps its own clock: what a call brings is sorted by the second at which it counts – a reading at the second at
which its watermark passes, a message at the second it came – so the outcome does not depend on how often it is
called, only later. State is rebuilt by replaying the messages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.city_brain.alerting.cases import Where, column
from twin.control.city_brain.alerting.desk import Desk
from twin.control.city_brain.alerting.lanes import Lane
from twin.control.city_brain.alerting.rules import NEVER_S, Rule, RuleBook, from_json
from twin.control.city_brain.alerting.slots import CLEARED, EXPIRED, FIRED, KNOWN, NO_DATA, UNKNOWN, Edge
from twin.control.city_brain.tags import parse
from twin.domain.city_brain import (
    BAD,
    Acknowledged,
    AlertRules,
    ChannelMap,
    Confirmation,
    DropReadings,
    Maintenance,
    Readings,
)
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import Ints, Message

_ENDED = {CLEARED: "cleared", EXPIRED: "expired", NO_DATA: "no data"}
_HEARD = {UNKNOWN: "unknown", KNOWN: "known"}
_NOBODY = np.empty(0, dtype=np.int64)
_SAID = (Acknowledged, Confirmation, Maintenance)


class AlertEngine:
    """See the module's text. Channels are told by :class:`ChannelMap`, once, rules by :class:`AlertRules` before it.

    ``book``: rules that are known from the start, in the place of that message.
    """

    def __init__(self, book: RuleBook | None = None) -> None:
        self.book = book if book is not None else RuleBook(())
        self._told_rules = book is not None
        self.lanes: list[Lane] = []
        self.desk: Desk | None = None
        self._where: Where | None = None
        self._lane_of: dict[str, Lane] = {}
        self._asks: dict[str, Rule] = {}  # rules with a weaker condition
        self._clock_s = -NEVER_S
        self._seen: set[str] = set()
        self._dropped: dict[str, tuple[int, list[Ints]]] = {}
        self._serial = 0

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages into the alerts and answer with what changed."""
        said: list[tuple[int, Message]] = []
        for message in messages:
            if isinstance(message, AlertRules):
                if not self._told_rules:
                    self.book, self._told_rules = from_json(message.rules), True
            elif isinstance(message, ChannelMap):
                if self.desk is None:
                    self._learn(now_s, message)
            elif isinstance(message, Readings):
                self._take(now_s, message)
            elif isinstance(message, _SAID) and message.key not in self._seen:
                self._seen.add(message.key)
                said.append((message.t_s, message))
        if self.desk is None:
            return []
        out = self._play(now_s, said) + self._report_dropped(now_s)
        look_s = self.book.look_s
        lanes_s = min((lane.next_s for lane in self.lanes), default=NEVER_S)
        wake_s = min(self.desk.agenda.next_s, -(-max(lanes_s, now_s + 1) // look_s) * look_s)
        if wake_s < NEVER_S:
            wake_s = max(wake_s, now_s + 1)
            out.append(WakeAt(f"wake/{wake_s}", wake_s))
        return out

    # -- what people ask -------------------------------------------------------------------------------

    def unknown(self, rule: str) -> Ints:
        """Return the channels of a rule from which nothing was heard for too long: neither healthy nor not."""
        lane = self._lane_of[rule]
        slots = lane.slots
        mine = slots.rule == [r.name for r in slots.rules].index(rule)  # the first of the name: not the weaker one
        found: Ints = slots.channel[mine & slots.unknown]
        return found

    def idle_rules(self) -> tuple[str, ...]:
        """Return the rules whose query no channel answers."""
        return tuple(
            r.name for lane in self.lanes for k, r in enumerate(lane.slots.rules) if not np.any(lane.slots.rule == k)
        )

    # -- messages --------------------------------------------------------------------------------------

    def _learn(self, now_s: int, told: ChannelMap) -> None:
        where = self._where = Where(told)
        self.desk = Desk(self.book, where)
        self._asks = {r.name: r for r in self.book.rules if r.unsure is not None}
        for late_s in sorted({r.late_s for r in self.book.rules}):
            rules = [r for r in self.book.rules if r.late_s == late_s]
            rules += [weak for r in rules if (weak := r.weaker) is not None]
            chosen = [np.flatnonzero(where.forest.select(parse(r.query))).astype(np.int64) for r in rules]
            lane = Lane(late_s, rules, chosen, told.period_s, now_s)
            self.lanes.append(lane)
            self._lane_of.update({r.name: lane for r in rules})

    def _take(self, now_s: int, told: Readings) -> None:
        if self._where is None:
            self._drop("before the channels were told", told.channel)
            return
        channel, t_s, value = told.channel, told.phenomenon_s, told.value
        known = (channel >= 0) & (channel < len(self._where.period_s))
        ahead = known & (t_s > now_s + self.book.ahead_s)
        unusable = known & ~ahead & (~np.isfinite(value) | (told.quality >= BAD))
        good = known & ~ahead & ~unusable
        if not good.all():
            for reason, bad in (("unknown channel", ~known), ("future", ahead), ("unusable", unusable)):
                self._drop(reason, channel[bad])
            channel, t_s, value = channel[good], t_s[good], value[good]
        for lane in self.lanes:
            lane.put(now_s, channel, t_s, value)

    def _drop(self, reason: str, channel: Ints) -> None:
        if len(channel):
            count, where = self._dropped.setdefault(reason, (0, []))
            where.append(channel)
            self._dropped[reason] = (count + len(channel), where)

    def _report_dropped(self, now_s: int) -> list[Command]:
        out: list[Command] = []
        for reason, (count, channels) in self._dropped.items():
            self._serial += 1
            rows = column(set(np.concatenate(channels).tolist()))
            out.append(DropReadings(f"readings/{reason}/{now_s}/{self._serial}", reason, count, rows))
        self._dropped = {}
        return out

    # -- one second after the other --------------------------------------------------------------------

    def _play(self, now_s: int, said: list[tuple[int, Message]]) -> list[Command]:
        desk = self.desk
        assert desk is not None
        happened: dict[int, tuple[list[Message], list[tuple[Edge, Lane]]]] = {}
        for t_s, message in said:
            happened.setdefault(min(max(t_s, self._clock_s), now_s), ([], []))[0].append(message)
        late: list[Ints] = []
        for lane in self.lanes:
            edges, too_late = lane.advance(now_s)
            late.append(too_late)
            for edge in edges:
                at = min(max(edge.t_s + lane.late_s, self._clock_s), now_s)
                happened.setdefault(at, ([], []))[1].append((edge, lane))
        self._drop("late", max(late, key=len, default=_NOBODY))  # too late for the rules that wait the least
        out: list[Command] = []
        for t_s in sorted(happened):
            out += self._timers(desk, t_s - 1)
            messages, moved = happened[t_s]
            for message in messages:
                out += self._say(desk, t_s, message)
            out += self._second(desk, t_s, moved)
        out += self._timers(desk, now_s)
        self._clock_s = max(self._clock_s, now_s)
        return out

    @staticmethod
    def _timers(desk: Desk, until_s: int) -> list[Command]:
        """Do all that is on the agenda up to a second, each at its own."""
        out: list[Command] = []
        while (t_s := desk.agenda.next_s) <= until_s:
            due = desk.agenda.take(until_s)
            if due is not None:
                out += desk.due(t_s, due)
        return out

    @staticmethod
    def _say(desk: Desk, t_s: int, message: Message) -> list[Command]:
        if isinstance(message, Maintenance):
            return desk.maintenance(t_s, message)
        if isinstance(message, Confirmation):
            return desk.confirmation(t_s, message)
        return desk.acknowledged(message) if isinstance(message, Acknowledged) else []

    def _second(self, desk: Desk, t_s: int, edges: list[tuple[Edge, Lane]]) -> list[Command]:
        """Take what slots did in one second: those that fire first, the most severe before the others.

        Of a rule with a weaker condition that one is what keeps an alert open; its own says that there is no doubt.
        """
        out: list[Command] = []
        found = [(e, lane.slots.rules[lane.slots.rule[e.slot]], int(lane.slots.channel[e.slot])) for e, lane in edges]
        order = lambda f: (f[0].t_s, f[0].what != FIRED, -f[1].rank, f[1].unsure is not None)  # noqa: E731
        for edge, rule, channel in sorted(found, key=order):
            if rule.unsure is not None:
                if edge.what == FIRED:
                    out += desk.sure(t_s, rule, channel, edge.value)
                elif edge.what in _ENDED:
                    desk.doubted(rule, channel)
                continue
            whole = self._asks.get(rule.name, rule)
            if edge.what == FIRED:
                out += desk.fired(t_s, whole, channel, edge.since_s, edge.value)
            elif edge.what in _ENDED:
                out += desk.stopped(t_s, whole, channel, _ENDED[edge.what])
            else:
                out += desk.heard(whole, channel, _HEARD[edge.what])
        return out
