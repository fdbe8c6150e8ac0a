"""Faults of the machinery, as scenario data: messages, controllers, clocks, the traffic simulator.

Between the world and each desk that is hit lies a :class:`Link`: it loses, delays, repeats and shuffles messages and
loses commands, by named draws. The host itself is stopped, restarted from its journal, slowed, or told a wrong time.
What strikes is counted, because a fault that never fired proves nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from twin.clock import Clock, Phase
from twin.dice import Dice, Stream
from twin.domain.commands import Command, Entry
from twin.domain.messages import Message
from twin.errors import AdapterError, ScenarioError
from twin.events import FaultBegan, FaultEnded
from twin.hosts import Host
from twin.log import Log
from twin.scenario.interventions import Fault
from twin.scenario.mistakes import did_you_mean

SHUFFLED_S = 30  # a message out of order comes up to so much later (assumed)


@dataclass
class _Active:
    """A fault that holds now."""

    item: Fault
    cause: str
    number: int
    fired: int = 0


@dataclass
class Link:
    """The way of one desk's messages and commands while anything is wrong with it."""

    host: Host
    number: int
    clock: Clock
    draws: Stream
    wake: Callable[[], None]
    active: list[_Active] = field(default_factory=list)
    _told: int = 0
    _ordered: int = 0

    def tell(self, message: Message) -> None:
        """Pass a message on, or not, or later, or more than once."""
        self._told += 1
        delay_s, copies = 0.0, 1
        for fault in self.active:
            what = fault.item.what
            if what == "messages_late":
                delay_s += float(
                    self.draws.exponential(float(fault.item.seconds or 0), self._entity(fault), self._told)[0]
                )
                fault.fired += 1
            elif fault.item.share is not None and what.startswith("messages") and self._strikes(fault, self._told):
                fault.fired += 1
                if what == "messages_lost":
                    copies = 0
                elif what == "messages_twice":
                    copies += fault.item.copies if copies else 0
                else:
                    delay_s += float(self.draws.uniform(self._entity(fault) + 1, self._told)[0]) * SHUFFLED_S
        for _ in range(copies):
            self._pass(message, round(delay_s))

    def _pass(self, message: Message, delay_s: int) -> None:
        if delay_s <= 0:
            self.host.receive(message)
            return

        def arrives() -> None:
            self.host.receive(message)
            self.wake()

        self.clock.at(self.clock.now_s + delay_s, Phase.PERCEIVE, arrives)

    def obeyed(self, command: Command) -> bool:
        """Say whether a command has an effect; what a desk writes into its own books is not lost."""
        self._ordered += 1
        if isinstance(command, Entry):
            return True
        lost = [f for f in self.active if f.item.what == "commands_lost" and self._strikes(f, -self._ordered)]
        for fault in lost:
            fault.fired += 1
        return not lost

    def _strikes(self, fault: _Active, occurrence: int) -> bool:
        share = fault.item.share or 0.0
        return bool(self.draws.uniform(self._entity(fault), occurrence)[0] < share)

    def _entity(self, fault: _Active) -> int:
        return (fault.number * 1000 + self.number) * 2


class Faults:
    """Puts the faults of a scenario on the clock. ``hosts``: the desks by name; ``end_traffic``: takes SUMO away."""

    def __init__(
        self,
        clock: Clock,
        log: Log,
        dice: Dice,
        hosts: Mapping[str, Host],
        wake: Callable[[], None],
        end_traffic: Callable[[], None],
    ) -> None:
        self._clock, self._log, self._hosts, self._wake, self._end_traffic = clock, log, hosts, wake, end_traffic
        draws = dice.stream("faults.messages")
        self._links = {n: Link(h, i, clock, draws, wake) for i, (n, h) in enumerate(hosts.items())}
        self._active: dict[int, list[tuple[Link, _Active]]] = {}
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def schedule(self, k: int, item: Fault, begin_s: int, end_s: int) -> None:
        """Put intervention ``k`` on the clock. Raises ScenarioError when there is no such desk."""
        if item.desk != "all" and item.desk not in self._hosts:
            known = ", ".join(self._hosts) or "none"
            raise ScenarioError(
                f'interventions[{k}].desk is "{item.desk}", but this run has no such desk; it has {known}'
                f"{did_you_mean(item.desk, self._hosts)}"
            )
        links = [link for name, link in self._links.items() if item.desk in ("all", name)]
        if item.what == "controller_restarts":
            for link in links:
                link.host.keep_journal(self._folder() / f"{link.host.name}.jsonl")
        self._clock.at(begin_s, Phase.WORLD, partial(self._begin, k, item, links))
        until_s = item.until_s
        if until_s is not None and until_s < end_s:
            self._clock.at(until_s, Phase.WORLD, partial(self._end, k))

    def _folder(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="twin-journals-")
        return Path(self._scratch.name)

    def _begin(self, k: int, item: Fault, links: list[Link]) -> None:
        cause, now = f"interventions[{k}]", self._clock.now_s
        self._log.add(FaultBegan, t_s=now, fault=item.what, desk=item.desk, cause=cause)
        if item.what == "traffic_gone":
            self._end_traffic()
            raise AdapterError(f"the traffic simulator is gone at {now} s ({cause})")
        if item.what == "controller_restarts":
            for link in links:
                link.host.restart()
            self._log.add(FaultEnded, t_s=now, fault=item.what, desk=item.desk, cause=cause, fired=len(links))
            self._wake()
            return
        held = [(link, _Active(item, cause, k)) for link in links]
        self._active[k] = held
        for link, fault in held:
            link.active.append(fault)
            link.host.link = link
            self._set(link)
            if not item.what.startswith(("messages", "commands")):
                fault.fired = 1

    def _end(self, k: int) -> None:
        held = self._active.pop(k)
        for link, fault in held:
            link.active.remove(fault)
            if not link.active:
                link.host.link = None
            self._set(link)
        self._told_over(held)
        self._wake()

    def _told_over(self, held: list[tuple[Link, _Active]]) -> None:
        item, fired = held[0][1].item, sum(f.fired for _, f in held)
        cause = held[0][1].cause
        self._log.add(FaultEnded, t_s=self._clock.now_s, fault=item.what, desk=item.desk, cause=cause, fired=fired)

    @staticmethod
    def _set(link: Link) -> None:
        """Let the host be what the faults that hold make of it."""
        kinds = [f.item for f in link.active]
        link.host.down = any(f.what == "controller_down" for f in kinds)
        link.host.slow_s = sum(f.seconds or 0 for f in kinds if f.what == "controller_slow")
        link.host.skew_s = sum(f.seconds or 0 for f in kinds if f.what == "controller_clock")

    def finish(self) -> None:
        """Say of every fault that still holds how often it struck."""
        for held in self._active.values():
            if held:
                self._told_over(held)
        self._active = {}
        if self._scratch is not None:
            self._scratch.cleanup()
