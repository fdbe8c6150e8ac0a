"""Lets desks decide in the phases of the clock as a run does, for what runs over months without traffic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from twin.clock import Clock, Phase
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.hosts import Host

CarryOut = Callable[[str, Command, int], None]


class Pump:
    """Give it the desks; then ``carry_out(desk, command, now_s)`` is called for what they command."""

    def __init__(self, clock: Clock, hosts: Mapping[str, Host], end_s: int) -> None:
        self._clock, self._hosts, self._end_s = clock, hosts, end_s
        self._due: set[int] = set()
        self.carry_out: CarryOut = lambda *_: None

    def tell(self, desk: str, message: Message) -> None:
        """Take a message; its desk decides in this instant."""
        self._hosts[desk].tell(message)
        self._at(self._clock.now_s)

    def _at(self, t_s: int) -> None:
        if t_s not in self._due and t_s < self._end_s:
            self._due.add(t_s)
            self._clock.at(t_s, Phase.DECIDE, self._decide)

    def _decide(self) -> None:
        now = self._clock.now_s
        self._due.discard(now)
        for name, host in self._hosts.items():
            if not host.due(now):
                continue
            _, commands = host.decide(now)
            wake = host.next_wake_s()
            if wake is not None:
                self._at(wake)
            for command in commands:
                self._clock.at(now, Phase.ACT, partial(self.carry_out, name, command, now))

    def run(self) -> None:
        """Let everything before the end happen."""
        while (t := self._clock.next_s()) is not None and t < self._end_s:
            self._clock.run_instant()
        for host in self._hosts.values():
            host.close()
