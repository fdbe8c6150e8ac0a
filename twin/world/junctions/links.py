"""The data links between junctions and central control: what gets lost, and what comes late.

A message about many junctions travels junction by junction: each row is lost or not by a draw of its own. Latency is
whole seconds; what is faster than a second arrives in the second in which it was sent. Orders that were made in an
outdated belief are left aside at the cabinet (:class:`~twin.control.junctions.late_orders.OrderGate`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.clock import Clock, Phase
from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.late_orders import OrderGate
from twin.domain.commands import Command
from twin.domain.junctions import ApproachReadings, ShowPhases, SignalRequest, SignalStates
from twin.domain.messages import Message

Ints = npt.NDArray[np.int64]


class Draws(Protocol):
    """A named stream of random draws (:class:`twin.dice.Stream`)."""

    def uniform(self, entity: Ints, occurrence: Ints | int = 0) -> npt.NDArray[np.float64]:
        """Return uniform numbers in [0, 1), one per entity."""


class Links:
    """Carries messages up and orders down. ``loss``: share lost; ``latency_s``: each way."""

    def __init__(self, clock: Clock, draws: Draws, cabinets: Cabinets, loss: float, latency_s: int) -> None:
        self._clock, self._draws = clock, draws
        self._loss, self._latency_s = loss, latency_s
        # where messages are late or lost, orders may come from an outdated picture: that is no policy's fault
        self._gate = OrderGate(cabinets, latency_s + 2) if loss > 0 or latency_s > 0 else None
        self.lost = 0

    def up(self, message: Message, arrive: Callable[[Message], None]) -> None:
        """Let a message travel to the centre; ``arrive`` is called with what is left of it."""
        if self._loss > 0:
            left = self._survivors(message)
            if left is None:
                return
            message = left
        if self._latency_s == 0:
            arrive(message)
            return
        late = message
        self._clock.at(self._clock.now_s + self._latency_s, Phase.PERCEIVE, lambda: arrive(late))

    def down(self, command: Command, arrive: Callable[[Command], None]) -> None:
        """Let an order travel to the junctions."""
        if isinstance(command, ShowPhases) and self._loss > 0:
            ok = self._kept(command.junction, 1)
            if not ok.any():
                return
            command = ShowPhases(command.key, command.junction[ok], command.phase[ok], command.until_s)
        issued_s, sent = self._clock.now_s, command
        if self._latency_s == 0:
            self._admit(sent, issued_s, arrive)
        else:
            self._clock.at(issued_s + self._latency_s, Phase.ACT, lambda: self._admit(sent, issued_s, arrive))

    def _admit(self, command: Command, issued_s: int, arrive: Callable[[Command], None]) -> None:
        """Let a command that has come arrive, as far as the cabinets' gate lets it in."""
        if self._gate is not None and isinstance(command, ShowPhases):
            outdated = np.zeros(command.junction.size, dtype=bool)
            admitted = self._gate.admit(self._clock.now_s, command, issued_s, outdated)
            if admitted is None:
                return
            command = admitted
        arrive(command)

    def _kept(self, junction: Ints, what: int) -> npt.NDArray[np.bool_]:
        """Return which junctions' rows get through; ``what``: kind of message, so that each has a draw of its own."""
        if self._loss <= 0:
            return np.ones(junction.size, dtype=bool)
        kept = self._draws.uniform(junction * 4 + what, self._clock.now_s) >= self._loss
        self.lost += int((~kept).sum())
        return kept

    def _survivors(self, message: Message) -> Message | None:
        if isinstance(message, SignalStates):
            ok = self._kept(message.junction, 0)
            m = message
            return SignalStates(
                m.t_s, m.key, m.junction[ok], m.phase[ok], m.to_phase[ok], m.since_s[ok], m.mode[ok]
            )  # fmt: skip
        if isinstance(message, ApproachReadings):
            return message  # cut to the junctions that get through before it is made: see JunctionSystem
        if isinstance(message, SignalRequest):
            ok = self._kept(message.junction, 3)
            r = message
            return SignalRequest(
                r.t_s, r.key, r.vehicle[ok], r.junction[ok], r.lane[ok], r.to_road[ok], r.role[ok], r.eta_s[ok],
                r.done[ok],
            ) if ok.any() else None  # fmt: skip
        return message

    def readings_of(self, junction: Ints) -> Ints:
        """Return the junctions whose readings get through now."""
        return junction[self._kept(junction, 2)]
