"""Early signs 未诉先办 (F43): weak signals in, work orders out, before somebody complains.

A weak signal is a report that no clerk has looked at yet, an alert that waits for its confirmation, what a community's
own device says. One alone may be nothing; several tellers at one place and time, more than noise brings there, are a
problem. The rate of useless orders is fixed (:class:`EarlySettings`): each order costs the probability that it is for
nothing, learnt from outcomes, and the budget is never overdrawn. Where it is told to (``neighbours``, ``readings``),
it looks beside what was found and where readings surge, too (:mod:`.finder`), out of the same budget.
A fold over messages: they may come twice, late or in any order within the window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from twin.control.city_brain.early.finder import Finder, Idea
from twin.control.city_brain.early.noise import DAY_S, Cell, Noise, ThemeNoise
from twin.control.city_brain.early.ports import EarlyPolicy, PoissonSurge, SurgeView, poisson_tail
from twin.domain.commands import Command
from twin.domain.community import (
    Assets,
    EarlyChannels,
    EarlyReadings,
    EarlySettings,
    OpenEarlyOrder,
    SignalSettled,
    WeakSignal,
)
from twin.domain.messages import Message

#: origins of signals that go to the incident desk by themselves: they are company for others, and no order is for them
AT_ONCE = ("complaint", "device")


@dataclass
class _Order:
    """An order that was opened: where, when, and whether it was for nothing."""

    theme: str
    x_m: float
    y_m: float
    seen_s: int
    over: bool = False
    idea: Idea | None = None


class EarlySigns:
    """See the module's text. State is rebuilt by replaying its messages."""

    def __init__(self, policy: type[EarlyPolicy] | EarlyPolicy = PoissonSurge) -> None:
        self._policy: EarlyPolicy = policy() if isinstance(policy, type) else policy
        self._noise: Noise | None = None
        self._finder = Finder(0, neighbours=False, readings=False)
        self._seen: set[str] = set()
        self._early: list[Message] = []
        self._at: dict[tuple[str, Cell], list[WeakSignal]] = {}
        self._where: dict[str, tuple[str, Cell]] = {}  # ref → square, of signals that count
        self._signals: dict[str, WeakSignal] = {}  # of which nobody has said yet whether they were about something
        self._settled: dict[str, str] = {}
        self._orders: dict[str, _Order] = {}
        self._out: list[Command] = []
        self._number = 0

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        """Fold the signals into squares and open orders where they are enough."""
        for message in messages:
            if message.key not in self._seen:
                self._seen.add(message.key)
                self._take(message, now_s)
        if self._noise is not None:
            self._follow(self._noise, now_s)
        out, self._out = self._out, []
        return out

    def _take(self, message: Message, now_s: int) -> None:
        if isinstance(message, EarlySettings):
            self._noise = Noise(message)
            self._finder = Finder(message.t_s, neighbours=message.neighbours, readings=message.readings)
            early, self._early = self._early, []
            for m in early:
                self._take(m, now_s)
        elif self._noise is None:
            self._early.append(message)
        elif isinstance(message, WeakSignal):
            self._signal(self._noise, message, now_s)
        elif isinstance(message, SignalSettled):
            self._settle(self._noise, message, now_s)
        elif isinstance(message, Assets):
            self._finder.register(message)
        elif isinstance(message, EarlyChannels):
            self._finder.channels(message)
        elif isinstance(message, EarlyReadings):
            self._finder.measured(message, now_s)

    # -- signals ---------------------------------------------------------------------------------------------

    def _signal(self, noise: Noise, m: WeakSignal, now_s: int) -> None:
        one = noise.of.get(m.theme)
        if one is None:
            return
        self._signals[m.ref] = m
        if m.ref in self._settled:  # it comes late: somebody is on it, or it was nothing
            return
        self._finder.said(m.theme, m.ref, m.x_m, m.y_m, 1.0 - noise.false_share(m.origin), m.seen_s, now_s)
        near = self._near(one, m)
        on_it = any(s.ref in self._settled for s in near)
        tellers = {s.teller for s in near if s.teller != m.teller}
        cell = one.cell(m.x_m, m.y_m)
        self._at.setdefault((m.theme, cell), []).append(m)
        self._where[m.ref] = (m.theme, cell)
        if m.origin in AT_ONCE or on_it or self._has_order(one, m):
            return
        expected = one.at(cell, noise.days(now_s)) * one.window_s / DAY_S
        useless = noise.false_share(m.origin) * poisson_tail(len(tellers), expected)
        view = SurgeView(
            theme=m.theme,
            origin=m.origin,
            before=len(tellers),
            noise_before=expected,
            useless=useless,
            credit=noise.budget.at(now_s),
            most=noise.budget.most,
        )
        if self._policy.enough(view) and noise.budget.risk(useless):
            self._open([*near, m], useless)

    def _near(self, one: ThemeNoise, m: WeakSignal) -> list[WeakSignal]:
        """Return the signals within the window and a circle with the area of one square, in the order of their refs."""
        reach_m = one.cell_m / math.sqrt(math.pi)
        column, line = one.cell(m.x_m, m.y_m)
        found = []
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                key = (m.theme, (column + dx, line + dy))
                kept = self._at.get(key)
                if not kept:
                    continue
                if m.seen_s - kept[0].seen_s > 4 * one.window_s:  # long past: forget
                    kept[:] = [s for s in kept if m.seen_s - s.seen_s <= 2 * one.window_s]
                for s in kept:
                    there = math.hypot(s.x_m - m.x_m, s.y_m - m.y_m) <= reach_m
                    if there and abs(s.seen_s - m.seen_s) <= one.window_s:
                        found.append(s)
        return sorted(found, key=lambda s: s.ref)

    def _has_order(self, one: ThemeNoise, m: WeakSignal) -> bool:
        return any(
            o.theme == m.theme
            and not o.over
            and abs(o.seen_s - m.seen_s) <= one.window_s
            and math.hypot(o.x_m - m.x_m, o.y_m - m.y_m) <= one.cell_m
            for o in self._orders.values()
        )

    # -- beside what was found, and where readings surge -------------------------------------------------------

    def _follow(self, noise: Noise, now_s: int) -> None:
        """Open orders for the likeliest ideas, as far as the budget goes."""
        for useful, idea in self._finder.ideas(now_s):
            view = SurgeView(
                theme=idea.theme,
                origin=idea.why,
                before=idea.found,
                noise_before=idea.expected,
                useless=1.0 - useful,
                credit=noise.budget.at(now_s),
                most=noise.budget.most,
            )
            if not self._policy.enough(view) or not noise.budget.risk(view.useless):
                continue
            self._number += 1
            order = f"early/{idea.why}/{self._number}"
            self._orders[order] = _Order(idea.theme, idea.x_m, idea.y_m, now_s, idea=idea)
            self._finder.followed(idea, now_s)
            refs = (idea.ref,) if idea.ref else ()
            self._out.append(
                OpenEarlyOrder(order, order, idea.theme, idea.x_m, idea.y_m, idea.since_s, view.useless, refs, idea.why)
            )

    def _open(self, signals: list[WeakSignal], chance: float) -> None:
        last = signals[-1]
        order = f"early/{last.ref}"
        x_m = sum(s.x_m for s in signals) / len(signals)
        y_m = sum(s.y_m for s in signals) / len(signals)
        seen_s = min(s.seen_s for s in signals)
        self._orders[order] = _Order(last.theme, x_m, y_m, last.seen_s)
        refs = tuple(s.ref for s in signals)
        self._out.append(OpenEarlyOrder(order, order, last.theme, x_m, y_m, seen_s, chance, refs))

    # -- what became of them ---------------------------------------------------------------------------------

    def _settle(self, noise: Noise, m: SignalSettled, now_s: int) -> None:
        order = self._orders.get(m.ref)
        if order is not None:
            if order.idea is not None and not order.over:
                self._finder.outcome(order.idea, m.ref, m.what != "false", now_s)
            order.over = True  # its signals are settled one by one
            return
        signal = self._signals.get(m.ref)
        if signal is not None and m.what in ("false", "true"):
            del self._signals[m.ref]  # learnt once
            noise.learn(signal.origin, m.what == "false")
            if m.what == "false":
                self._finder.false(signal.theme, signal.ref)
                noise.false(signal.theme, signal.x_m, signal.y_m)
        if m.ref in self._settled:
            return
        self._settled[m.ref] = m.what
        where = self._where.pop(m.ref, None)
        if where is not None and m.what == "false":
            self._at[where][:] = [s for s in self._at[where] if s.ref != m.ref]
