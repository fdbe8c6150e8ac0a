"""The safety supervision platform 安全监管平台 (F21): watches every test vehicle by its telemetry, and steps in.

It is told the map, the permits (F26), the test driving of the units (Roster, as in the register of vehicles), and
their telemetry – late, lost, repeated, wrong. It finds violations (:mod:`~twin.control.mobility.supervision.rules`),
keeps a case file per unit, and asks a policy how far to go: report → warn → slow → stop → release → close. Everything
else it may hear is none of its business. State is rebuilt by replaying its messages.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.control.mobility.permits import Permits
from twin.control.mobility.supervision.cases import Cases
from twin.control.mobility.supervision.policies import WarnSlowStop
from twin.control.mobility.supervision.ports import Ladder
from twin.control.mobility.supervision.rules import Finding, Tolerances, Watch
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import Message, RoadMap
from twin.domain.mobility import Roster, Telemetry

#: while a case is open it is looked at this often, even if nothing is heard
LOOK_S = 10


class SafetyPlatform:
    """Telemetry and permits in; reports, warnings, limits, stops out. See the module's text."""

    def __init__(self, policy: Ladder | None = None, tolerances: Tolerances | None = None) -> None:
        self._permits = Permits()
        self._watch = Watch(self._permits, tolerances or Tolerances())
        self._cases = Cases(policy or WarnSlowStop())
        self._told: set[str] = set()
        self._mapped = False
        self._wake_s = -1

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages in and answer with what is to be done."""
        out: list[Command] = []
        for message in messages:
            if message.key in self._told:
                continue  # told twice
            self._told.add(message.key)
            if isinstance(message, RoadMap):
                self._watch.learn(message)
                self._mapped = True
            elif isinstance(message, Roster):
                self._watch.register(message)
            elif isinstance(message, Telemetry) and self._mapped:
                out += self._note(self._watch.take(message, now_s), now_s)
            else:
                self._permits.take(message)
        out += self._note(self._watch.silent(now_s), now_s)
        if self._cases.any:
            units = self._cases.units()
            limit = {u: self._watch.limit_m_s(u) for u in units}
            out += self._cases.go_on(now_s, limit, {u: self._watch.is_moving(u) for u in units})
        return out + self._wake(now_s)

    def _note(self, findings: Sequence[Finding], now_s: int) -> list[Command]:
        return [command for found in findings for command in self._cases.note(found, now_s)]

    def _wake(self, now_s: int) -> list[Command]:
        """Ask to be called when a unit would become silent, or to look at open cases."""
        due = self._watch.silent_from_s()
        if self._cases.any:
            due = now_s + LOOK_S if due is None else min(due, now_s + LOOK_S)
        if due is None or now_s < self._wake_s <= due:
            return []
        self._wake_s = max(due, now_s + 1)
        return [WakeAt(f"wake/{now_s}/{self._wake_s}", self._wake_s)]
