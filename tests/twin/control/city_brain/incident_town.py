"""A town for tests of the incident desk: streets on a right-angle grid, its hierarchy, responders, and how they behave.

:class:`Play` is a small world without the simulator: it brings the desk its post, carries its commands out, and lets
the post be late, doubled and out of order. Truth is which incidents' hazards are still there.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twin.control.city_brain.incidents.desk import IncidentDesk
from twin.domain.commands import Command, WakeAt
from twin.domain.ids import unit_label, unit_number
from twin.domain.incidents import (
    Areas,
    AskLook,
    CloseIncident,
    DeskRules,
    DispatchResponder,
    EscalateIncident,
    JoinSign,
    LookResult,
    OpenIncident,
    RecallResponder,
    ReopenIncident,
    ResponderReport,
    ResponderRoster,
    RoadPlaces,
    ServiceTargets,
    Sign,
    StartClock,
    ThemeBook,
)
from twin.domain.messages import Message, RoadMap

SIDE_M = 500.0  # of a community; a subdistrict is two of them, the district two subdistricts
SEVERITIES = ("Minor", "Moderate", "Severe", "Extreme")


def areas() -> Areas:
    """District d: subdistricts s0, s1 (west, east), communities c0…c3, one grid g0…g3 each, all in a row."""
    level = [3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0]
    parent = [-1, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6]
    name = ("d", "s0", "s1", "c0", "c1", "c2", "c3", "g0", "g1", "g2", "g3")
    x = [2.0, 1.0, 3.0, 0.5, 1.5, 2.5, 3.5, 0.5, 1.5, 2.5, 3.5]
    return Areas(0, "areas", np.array(level), name, np.array(parent), np.array(x) * SIDE_M, np.full(11, SIDE_M / 2))


def grid_map(n: int, step_m: float, speed_m_s: float = 10.0) -> tuple[RoadMap, RoadPlaces]:
    """A right-angle grid of n × n crossings, roads of ``step_m`` both ways between neighbours; all turns but back."""
    ends: list[tuple[int, int]] = []
    for i in range(n):
        for j in range(n):
            for di, dj in ((1, 0), (0, 1), (-1, 0), (0, -1)):
                if 0 <= i + di < n and 0 <= j + dj < n:
                    ends.append((i * n + j, (i + di) * n + j + dj))
    from_node, to_node = np.array(ends).T
    out_of: dict[int, list[int]] = {}
    for road, (a, _) in enumerate(ends):
        out_of.setdefault(a, []).append(road)
    turns = [(r, s) for r, (a, b) in enumerate(ends) for s in out_of[b] if ends[s][1] != a]
    k = len(ends)
    x = (from_node // n + to_node // n) / 2 * step_m
    y = (from_node % n + to_node % n) / 2 * step_m
    road = np.arange(k)
    turn_from, turn_to = np.array(turns).T
    told = RoadMap(
        0, "map", road, np.full(k, step_m), np.full(k, speed_m_s), np.ones(k, dtype=np.int64), turn_from, turn_to
    )
    return told, RoadPlaces(0, "places", road, x.astype(float), y.astype(float))


def themes() -> ThemeBook:
    """Themes: bikes (subdistrict), fire (district), straw (grid), anything else at a community."""
    return ThemeBook(
        0, "themes", ("bikes", "fire", "straw", ""),
        ("urban management", "fire and rescue", "environment", "community"),
        np.array([2, 3, 0, 1]), ("order", "fire", "order", "inspect"), ("Minor", "Severe", "Moderate", "Minor"),
        np.array([100.0, 200.0, 100.0, 100.0]), np.full(4, 3600),
    )  # fmt: skip


def targets(assign: int = 120, arrive: int = 600, handle: int = 1800, close: int = 1200) -> ServiceTargets:
    """The same at all levels and severities."""
    n = 16
    return ServiceTargets(
        0, "targets", np.repeat(np.arange(4), 4), SEVERITIES * 4, np.full(n, assign), np.full(n, arrive),
        np.full(n, handle), np.full(n, close),
    )  # fmt: skip


def rules(**changes: Any) -> DeskRules:
    """All parts of the loop on, no confirmation."""
    base = DeskRules(
        t_s=0, key="rules", confirm=False, merge=True, redispatch=True, verify=True, escalate=True, answer_s=60,
        look_s=120, late_factor=2.0, late_s=60, reopen_s=3600,
    )  # fmt: skip
    return replace(base, **changes)


@dataclass(frozen=True)
class Unit:
    """One responder; numbers from 1."""

    number: int
    skills: str
    level: int
    area: str
    x_m: float
    y_m: float = SIDE_M / 2
    speed_m_s: float = 5.0
    road: int = -1
    turnout_s: int = 0
    from_s: int = 0
    until_s: int = 86_400

    @property
    def unit(self) -> int:
        """Its number as a unit."""
        return int(unit_number("responder", self.number))


def roster(units: Sequence[Unit]) -> ResponderRoster:
    """Tell the units."""

    def ints(f: Callable[[Unit], int]) -> Any:
        return np.array([f(u) for u in units], dtype=np.int64)

    def floats(f: Callable[[Unit], float]) -> Any:
        return np.array([f(u) for u in units], dtype=np.float64)

    return ResponderRoster(
        0, "roster", ints(lambda u: u.unit), tuple("crew" for _ in units), tuple(u.skills for u in units),
        ints(lambda u: u.level), tuple(u.area for u in units), ints(lambda u: u.road), floats(lambda _: 0.0),
        floats(lambda u: u.x_m), floats(lambda u: u.y_m), floats(lambda u: u.speed_m_s), ints(lambda _: 1),
        ints(lambda u: u.from_s), ints(lambda u: u.until_s), ints(lambda u: u.turnout_s),
    )  # fmt: skip


TOWN = (
    Unit(1, "inspect+order", 0, "g0", 250.0),
    Unit(2, "inspect+order", 0, "g1", 750.0),
    Unit(3, "inspect+order", 1, "c0", 100.0),
    Unit(4, "inspect+order", 1, "c2", 1200.0),
    Unit(5, "inspect+order+clean", 2, "s0", 400.0),
    Unit(6, "inspect+order+clean", 2, "s1", 1600.0),
    Unit(7, "inspect+fire", 3, "d", 300.0, speed_m_s=12.0),
    Unit(8, "inspect+fire", 3, "d", 1700.0, speed_m_s=12.0),
)


def set_up(units: Sequence[Unit] = TOWN, **changes: Any) -> list[Message]:
    """Everything the desk must know, but for streets; ``targets`` in ``changes`` is a ServiceTargets."""
    told = changes.pop("targets", targets())
    return [areas(), themes(), told, rules(**changes), roster(units)]


def sign(
    ref: str, theme: str = "straw", x_m: float = 250.0, t_s: int = 10, source: str = "report", severity: str = "",
    y_m: float = SIDE_M / 2, seen_s: int | None = None,
) -> Sign:  # fmt: skip
    """Return a sign."""
    seen = t_s if seen_s is None else seen_s
    return Sign(t_s, f"sign/{source}/{ref}", source, ref, theme, seen, x_m, y_m, "", "", severity, "")


def report(order: DispatchResponder, what: str, t_s: int, detail: str = "", key: str = "") -> ResponderReport:
    """Return what a responder says about a ticket."""
    return ResponderReport(
        t_s, key or f"{order.key}/{what}", order.unit, order.key, what, t_s, -1, 0.0, order.x_m, order.y_m, detail
    )


def told(desk: IncidentDesk, now_s: int, *messages: Message) -> list[Command]:
    """Call the desk."""
    return list(desk.decide(now_s, messages))


def of(commands: Sequence[Command], kind: type) -> list[Any]:
    """Return the commands of a kind."""
    return [c for c in commands if isinstance(c, kind)]


@dataclass
class Conduct:
    """How the people of a play behave; shares 0..1, drawn from one seeded generator."""

    refuse: float = 0.0
    silent: float = 0.0
    fail: float = 0.0
    botch: float = 0.0
    blind: float = 0.0  # looks that cannot see
    double: float = 0.0  # messages that come twice
    late_s: int = 0  # messages come up to so much later, in any order


@dataclass
class Play:
    """See the module's text. ``calls`` is the journal: (second, messages, commands)."""

    seed: int = 0
    conduct: Conduct = field(default_factory=Conduct)
    units: Sequence[Unit] = TOWN
    rules: dict[str, Any] = field(default_factory=dict)
    desk: IncidentDesk = field(default_factory=IncidentDesk)
    calls: list[tuple[int, list[Message], list[Command]]] = field(default_factory=list)
    true_until: dict[str, bool] = field(default_factory=dict)  # incident → its hazard is there
    on: dict[int, str] = field(default_factory=dict)  # unit → ticket it is on, in truth
    clash: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.post: list[tuple[int, int, Any]] = []
        self.serial = 0
        self.done: set[str] = set()
        self.wakes: list[int] = []
        self.recalled: set[str] = set()
        self.restart_s = -1
        for message in set_up(self.units, **self.rules):
            self.mail(0, message, sure=True)

    def at(self, t_s: int, what: Any) -> None:
        """Put a message, or something to call, on the time line."""
        self.serial += 1
        heapq.heappush(self.post, (t_s, self.serial, what))

    def mail(self, t_s: int, message: Message, sure: bool = False) -> None:
        """Send a message: perhaps late, perhaps twice."""
        c = self.conduct
        copies = 2 if not sure and self.draw.random() < c.double else 1
        for _ in range(copies):
            late = 0 if sure or not c.late_s else self.draw.randrange(c.late_s + 1)
            self.at(t_s + late, replace(message, t_s=t_s + late))

    def run(self, until_s: int) -> None:
        """Let everything happen up to a second."""
        while True:
            self.wakes = [t for t in self.wakes if t > (self.calls[-1][0] if self.calls else -1)]
            t_s = min([self.post[0][0]] if self.post else [until_s + 1], default=until_s + 1)
            t_s = min([t_s, *self.wakes])
            if t_s > until_s:
                return
            messages: list[Message] = []
            while self.post and self.post[0][0] <= t_s:
                what = heapq.heappop(self.post)[2]
                if isinstance(what, Message):
                    messages.append(what)
                else:
                    what(t_s)
            if 0 <= self.restart_s <= t_s:
                self.restart_s = -1
                self.restart()
            self.call(t_s, messages)

    def restart(self) -> None:
        """The desk crashes and is made anew from its journal."""
        self.desk = IncidentDesk()
        for now_s, messages, commands in self.calls:
            again = list(self.desk.decide(now_s, messages))
            assert [c.key for c in again] == [c.key for c in commands]

    def call(self, t_s: int, messages: list[Message]) -> None:
        """Let the desk decide, and carry out what it says, each key once."""
        commands = list(self.desk.decide(t_s, messages))
        self.calls.append((t_s, messages, commands))
        for command in commands:
            if command.key in self.done and not isinstance(command, WakeAt):
                continue
            self.done.add(command.key)
            self.carry_out(t_s, command)

    def commands(self, kind: type) -> list[tuple[int, Any]]:
        """Return (second, command) of a kind, each key once."""
        seen: set[str] = set()
        out = []
        for t_s, _, commands in self.calls:
            for c in commands:
                if isinstance(c, kind) and c.key not in seen:
                    seen.add(c.key)
                    out.append((t_s, c))
        return out

    # -- the world ---------------------------------------------------------------------------------------------

    def carry_out(self, t_s: int, command: Command) -> None:
        """Let a command take effect."""
        if isinstance(command, WakeAt):
            assert command.t_s > t_s
            self.wakes.append(command.t_s)
        elif isinstance(command, OpenIncident | ReopenIncident):
            self.true_until.setdefault(command.incident, True)
            if isinstance(command, ReopenIncident) and command.cause.startswith("it came back"):
                self.true_until[command.incident] = True
        elif isinstance(command, AskLook):
            self.at(t_s + 20, lambda now_s: self.look(now_s, command))
        elif isinstance(command, RecallResponder):
            self.recalled.add(command.ticket)
            if self.on.get(command.unit) == command.ticket:
                del self.on[command.unit]
        elif isinstance(command, DispatchResponder):
            self.dispatch(t_s, command)

    def look(self, t_s: int, ask: AskLook) -> None:
        """Somebody looks."""
        seen = "there" if self.true_until.get(ask.incident, False) else "gone"
        if self.draw.random() < self.conduct.blind:
            seen = "cannot see"
        self.mail(t_s, LookResult(t_s, f"{ask.key}/answer", ask.incident, ask.key, seen, "operator-1"))

    def dispatch(self, t_s: int, order: DispatchResponder) -> None:
        """A responder gets a ticket."""
        c, draw = self.conduct, self.draw
        if draw.random() < c.silent:
            return
        if draw.random() < c.refuse or order.unit in self.on:
            self.mail(t_s + 5, report(order, "refused", t_s + 5, "busy"))
            return

        def accept(now_s: int) -> None:
            if order.unit in self.on:
                self.clash.append(f"{unit_label(order.unit)} on {self.on[order.unit]} and {order.key} at {now_s}")
            if order.key in self.recalled:
                return
            self.on[order.unit] = order.key
            self.mail(now_s, report(order, "accepted", now_s))
            self.mail(now_s + 5, report(order, "departed", now_s + 5))
            there_s = now_s + order.expected_s + 5
            if draw.random() < c.fail:
                self.at(now_s + 10, lambda t: self.end(t, order, "failed", "broke down"))
                return
            self.at(there_s, lambda t: self.arrive(t, order))

        self.at(t_s + 5, accept)

    def arrive(self, t_s: int, order: DispatchResponder) -> None:
        """A responder is there."""
        if self.on.get(order.unit) != order.key:
            return
        self.mail(t_s, report(order, "arrived", t_s))
        there = self.true_until.get(order.incident, False)
        if order.purpose == "verify":
            self.at(t_s + 60, lambda t: self.end(t, order, "not fixed" if there else "fixed"))
        elif not there:
            self.at(t_s + 100, lambda t: self.end(t, order, "nothing found"))
        else:
            self.at(t_s + 300, lambda t: self.end(t, order, "handled"))

    def end(self, t_s: int, order: DispatchResponder, what: str, detail: str = "") -> None:
        """A responder is done."""
        if self.on.get(order.unit) != order.key:
            return
        del self.on[order.unit]
        if what == "handled" and self.draw.random() >= self.conduct.botch:
            self.true_until[order.incident] = False
        self.mail(t_s, report(order, what, t_s, detail))

    # -- what must hold -------------------------------------------------------------------------------------------

    def unsound(self, until_s: int) -> list[str]:
        """Return what is wrong with a play, in sentences."""
        out = list(self.clash)
        keys = [c.key for _, _, commands in self.calls for c in commands if not isinstance(c, WakeAt)]
        out += [f"command {k} was given twice" for k in sorted({k for k in keys if keys.count(k) > 1})]
        signs = {(m.source, m.ref) for _, messages, _ in self.calls for m in messages if isinstance(m, Sign)}
        homes: dict[tuple[str, str], int] = {}
        for _, c in [*self.commands(OpenIncident), *self.commands(JoinSign)]:
            homes[c.source, c.ref] = homes.get((c.source, c.ref), 0) + 1
        out += [f"sign {s} is in {homes.get(s, 0)} incidents" for s in sorted(signs) if homes.get(s, 0) != 1]
        out += self._unverified() + self._past_target(until_s)
        return out

    def _unverified(self) -> list[str]:
        out = []
        handlers: dict[str, set[str]] = {}
        for _, messages, commands in self.calls:
            for m in messages:
                if isinstance(m, ResponderReport) and m.what in ("handled", "nothing found"):
                    handlers.setdefault(m.ticket.split("/")[0], set()).add(unit_label(m.unit))
            for c in commands:
                if isinstance(c, ReopenIncident):
                    handlers.pop(c.incident, None)
                if isinstance(c, CloseIncident) and (not c.by or c.by in handlers.get(c.incident, set())):
                    out.append(f"{c.incident} was closed on the word of {c.by or 'nobody'}")
        return out

    def _past_target(self, until_s: int) -> list[str]:
        """Every clock is stopped by the next one or the end before it runs out, or the incident is taken up."""
        stops: dict[str, list[int]] = {}
        for kind in (StartClock, CloseIncident):
            for t_s, c in self.commands(kind):
                stops.setdefault(c.incident, []).append(t_s)
        raised = {(c.incident, t_s) for t_s, c in self.commands(EscalateIncident)}
        out = []
        for t_s, c in self.commands(StartClock):
            after = [s for s in stops[c.incident] if s > t_s or (s == t_s and stops[c.incident].count(t_s) > 1)]
            ended = min(after, default=until_s + 1)
            if ended > c.due_s and c.due_s <= until_s and (c.incident, c.due_s) not in raised:
                out.append(f"{c.incident}: {c.phase} was due at {c.due_s} s and nobody was told")
        return out
