"""The only clock: SimPy in whole seconds, with the phases of an instant in a fixed order.

Seconds count from midnight of the first day (06:30 is 23,400; 06:30 of the second day is 109,800).
Whatever happens at one second happens in the order of :class:`Phase`, and within a phase in the order in
which it was asked for. Between two instants nothing happens except traffic flowing, so the traffic adapter
is advanced from instant to instant: SUMO keeps no schedule of its own. An instant at which nobody needs to
know what traffic tells (``flow=False``) lets that wait for a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, cast

import simpy
from simpy.core import Infinity
from simpy.events import Event

Action = Callable[[], None]


class Phase(IntEnum):
    """The numbered order inside one second."""

    WORLD = 1  # interventions, weather, arrivals: what is true now
    PERCEIVE = 2  # sensors and people turn truth into messages
    DECIDE = 3  # controllers fold messages into commands
    ACT = 4  # commands change the world
    LIVE = 5  # people and companies set out, background traffic enters
    OBSERVE = 6  # bookkeeping that changes nothing: checkpoints, progress


class Clock:
    """Whole seconds since midnight of the first day."""

    def __init__(self, start_s: int = 0) -> None:
        self._env = simpy.Environment(initial_time=int(start_s))
        self._flow_at: set[int] = set()  # seconds at which it must be known what traffic told

    @property
    def now_s(self) -> int:
        """The present second."""
        return int(self._env.now)

    def at(self, t_s: int, phase: Phase, action: Action, *, flow: bool = True) -> None:
        """Call ``action`` once at second ``t_s`` in ``phase``; the past is refused.

        ``flow``: whether what traffic tells until then must be taken in before.
        """
        if int(t_s) < self.now_s:
            raise ValueError(f"cannot schedule at {t_s} s: it is already {self.now_s} s")
        if flow:
            self.need_flow(int(t_s))
        event = Event(self._env)
        event._ok = True
        event._value = None
        event.callbacks.append(lambda _: action())
        self._env.schedule(event, priority=cast(Any, int(phase)), delay=int(t_s) - self.now_s)

    def every(
        self, period_s: int, phase: Phase, action: Action, first_s: int | None = None, *, flow: bool = True
    ) -> None:
        """Call ``action`` every ``period_s`` seconds, first at ``first_s`` (default: now). ``flow``: see :meth:`at`."""
        if period_s < 1:
            raise ValueError(f"a period must be at least 1 s, not {period_s}")

        def again() -> None:
            action()
            self.at(self.now_s + period_s, phase, again, flow=flow)

        self.at(self.now_s if first_s is None else first_s, phase, again, flow=flow)

    def place(self) -> float:
        """Return the present place in the order in which things are asked for; see :meth:`as_if_at`."""
        return float(next(self._env._eid))

    @contextmanager
    def as_if_at(self, place: float) -> Iterator[None]:
        """Let what is asked for now count as asked for at an earlier place of the order, one after the other.

        A branch puts its future on the clock late, and everything must happen in the order of a run that knew it.
        """
        usual = self._env._eid
        self._env._eid = cast(Any, (place + k / 2**20 for k in range(1, 2**20)))
        try:
            yield
        finally:
            self._env._eid = usual

    def next_s(self) -> int | None:
        """Return the second of the next scheduled instant, or None when nothing is scheduled."""
        t = self._env.peek()
        return None if t == Infinity else int(t)

    def need_flow(self, t_s: int) -> None:
        """Let what traffic tells until second ``t_s`` be taken in then, at the latest."""
        self._flow_at.add(t_s)

    def needs_flow(self, t_s: int) -> bool:
        """Return whether somebody wants to know at second ``t_s`` what traffic told."""
        return t_s in self._flow_at

    def run_instant(self) -> int:
        """Run everything scheduled for the next instant, in phase order, and return its second."""
        t = self.next_s()
        if t is None:
            raise ValueError("nothing is scheduled")
        while self._env.peek() == t:
            self._env.step()
        self._flow_at.discard(t)
        return t
