"""The exchange between road and cloud in milliseconds: perceive → send → cloud → answer → cabinet (F20).

Each stage of each junction has a log-normal latency, drawn by (junction, second), and each direction may lose messages.
Sums are kept in ms; what is past a whole second takes effect in that later second, as the clock of the twin is in whole
seconds. What comes late to the cloud never replaces what is newer; what comes late to a cabinet meets its
:class:`~twin.control.junctions.late_orders.OrderGate`. Orders that took longer than the budget are counted; they are
obeyed as long as they are the newest and young enough, which the gate sees to. Medians and 99th percentiles are assumed
(docs/v2x.md).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.clock import Clock, Phase
from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.late_orders import OrderGate
from twin.domain.commands import Command
from twin.domain.junctions import ApproachReadings, SetPlans, ShowPhases, SignalRequest, SignalStates
from twin.domain.messages import Message
from twin.world.junctions.channel import Draws

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: messages that travel junction by junction, and may be lost so. Append only: the draws depend on the order
ByJunction = SignalStates | ApproachReadings | SignalRequest
_ORDER: tuple[type[Message], ...] = (SignalStates, ApproachReadings, SignalRequest)
FORGET_S = 120  # what took longer is not waited for in figures
_Z99 = 2.3263478740408408
#: upper bounds of the bins latencies are counted in: 10 % wide, 1 ms to 10 min
BINS_MS = np.round(1.1 ** np.arange(0, 141), 3)


class NormalDraws(Draws, Protocol):
    """A named stream that also draws normal numbers."""

    def normal(self, entity: Ints, occurrence: Ints | int = 0) -> Floats:
        """Return standard normal numbers, one per entity."""


@dataclass(frozen=True)
class Stage:
    """One stage of the way: median and 99th percentile of its latency, ms."""

    median_ms: float
    p99_ms: float

    def draw(self, normal: Floats) -> Floats:
        """Return latencies for standard normal numbers."""
        if self.median_ms <= 0.0:
            return np.zeros(normal.size)
        sigma = math.log(max(self.p99_ms / self.median_ms, 1.0)) / _Z99
        return np.asarray(self.median_ms * np.exp(sigma * normal))


@dataclass(frozen=True)
class Latencies:
    """The five stages, all assumed: edge perception, network up, platform, network down, cabinet."""

    perceive: Stage = Stage(80.0, 150.0)
    up: Stage = Stage(15.0, 60.0)
    cloud: Stage = Stage(20.0, 80.0)
    down: Stage = Stage(15.0, 60.0)
    cabinet: Stage = Stage(50.0, 100.0)


@dataclass(frozen=True)
class Exchanged:
    """Orders since the last count: all, over the budget, left aside by cabinets; rows of messages and orders lost."""

    orders: int
    over_budget: int
    left_aside: int
    lost: int


def entity_of(name: str) -> int:
    """Return a stable number of a junction by its name, for its draws."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "little")


class Exchange:
    """See the module's text. One per run; rows are junctions of the map that ``cabinets`` have."""

    def __init__(
        self, cabinets: Cabinets, stream: Callable[[str], NormalDraws], latencies: Latencies | None = None, *,
        loss: float = 0.0, extra_ms: float = 0.0, most_age_s: int = 2, budget_ms: float = math.inf,
    ) -> None:  # fmt: skip
        told = cabinets.layout.told
        self._cabinets, self._told = cabinets, told
        self._latencies = latencies or Latencies()
        self.loss, self.extra_ms, self.budget_ms = loss, extra_ms, budget_ms
        self._entity = np.array([entity_of(name) for name in told.junction], dtype=np.int64)
        self._draws = {name: stream(name) for name in ("perceive", "up", "cloud", "down", "cabinet", "loss")}
        self.gate = OrderGate(cabinets, most_age_s)
        n = self._entity.size
        self.up_ok = np.ones(n, dtype=bool)  # links that are cut lose everything
        self._to_cloud: dict[int, list[Message]] = {}
        self._to_cabinets: dict[int, list[tuple[int, Command]]] = {}
        self._newest_s: dict[type, Ints] = {}
        self._ready_ms = np.full(n, -1.0)  # when the last reading came to the cloud
        self._up_ms = np.full(n, np.nan)  # how long it took
        self._flying_ms: dict[int, Floats] = {}  # second in which readings were sent → how long each takes
        self._belief = np.full((3, n), -1, dtype=np.int64)  # phase, to, since as told to the cloud last
        self.lost = 0
        self.sent = 0
        self.end_to_end_ms: list[Floats] = []  # of orders since they were last taken
        self._aside = self._lost = 0  # as last taken

    # -- road → cloud ----------------------------------------------------------------------------------

    def up(self, now_s: int, messages: Sequence[Message]) -> list[Message]:
        """Send what roadside units tell at ``now_s``; return what reaches the cloud in this second."""
        for message in messages:
            for late_s, part in self.send_up(now_s, message):
                self._to_cloud.setdefault(now_s + late_s, []).append(part)
        out: list[Message] = []
        for second in sorted(s for s in self._to_cloud if s <= now_s):
            found = (self.arrived(message) for message in self._to_cloud.pop(second))
            out += [message for message in found if message is not None]
        return out

    def send_up(self, now_s: int, message: Message) -> list[tuple[int, Message]]:
        """Return the parts of a message that get through, with the whole seconds they take; then :meth:`arrived`."""
        if not isinstance(message, ByJunction):
            return [(0, message)]
        rows = message.junction
        entity = self._entity[rows]
        seen = isinstance(message, ApproachReadings)
        ms = self._latency(now_s, entity, "perceive" if seen else "", "up")
        occasion = 8 * now_s + 2 * _ORDER.index(type(message))
        there = self.up_ok[rows] & (self._draws["loss"].uniform(entity, occasion) >= self.loss)
        self.lost += int((~there).sum())
        if seen:
            self._flying_ms.setdefault(now_s, np.full(self._entity.size, np.nan))[rows[there]] = ms[there]
        late_s = np.floor(ms / 1000.0).astype(np.int64)
        out: list[tuple[int, Message]] = []
        for late in np.unique(late_s[there]).tolist():
            part = there & (late_s == late)
            out.append((late, message if part.all() else self._only(message, rows[part])))
        return out

    def arrived(self, message: Message) -> Message | None:
        """Return what is new to the cloud in a message that has come; None: nothing."""
        if not isinstance(message, SignalStates | ApproachReadings):
            return message
        found = self._newer(message)
        if isinstance(found, ApproachReadings) and found.t_s in self._flying_ms:
            ms = self._flying_ms[found.t_s][found.junction]
            self._ready_ms[found.junction], self._up_ms[found.junction] = found.t_s * 1000.0 + ms, ms
            for second in [s for s in self._flying_ms if s < found.t_s - FORGET_S]:
                del self._flying_ms[second]
        return found

    def _only(self, message: ByJunction, rows: Ints) -> ByJunction:
        """Return the part of a message that is about junctions ``rows``."""
        mine = np.zeros(self._entity.size, dtype=bool)
        mine[rows] = True
        if isinstance(message, SignalRequest):
            at = mine[message.junction]
            return replace(message, **{f.name: getattr(message, f.name)[at] for f in fields(message)[2:]})
        if isinstance(message, SignalStates):
            at = mine[message.junction]
            return SignalStates(
                message.t_s, message.key, message.junction[at], message.phase[at], message.to_phase[at],
                message.since_s[at], message.mode[at],
            )  # fmt: skip
        lane = mine[self._told.lane_junction[message.lane]]
        thing = mine[self._told.lane_junction[message.object_lane]]
        return replace(
            message, junction=message.junction[mine[message.junction]], lane=message.lane[lane],
            queue=message.queue[lane], moving=message.moving[lane], waiting_s=message.waiting_s[lane],
            gap_s=message.gap_s[lane], passed=message.passed[lane], object_lane=message.object_lane[thing],
            object_eta_s=message.object_eta_s[thing],
        )  # fmt: skip

    def _newer(self, message: ByJunction) -> ByJunction | None:
        """Leave out what is older than what the cloud has already; None: all of it."""
        kind = type(message)
        newest = self._newest_s.setdefault(kind, np.full(self._entity.size, -1, dtype=np.int64))
        rows = message.junction
        fresh = message.t_s >= newest[rows]
        newest[rows[fresh]] = message.t_s
        if not fresh.all():
            if not fresh.any():
                return None
            message = self._only(message, rows[fresh])
        if isinstance(message, SignalStates):
            self._belief[:, message.junction] = message.phase, message.to_phase, message.since_s
        return message

    # -- cloud → road ----------------------------------------------------------------------------------

    def down(self, now_s: int, commands: Sequence[Command]) -> list[Command]:
        """Send what the cloud orders at ``now_s``; return what the cabinets are to do in this second."""
        for command in commands:
            for late_s, part in self.send_down(now_s, command):
                self._to_cabinets.setdefault(now_s + late_s, []).append((now_s, part))
        out: list[Command] = []
        for second in sorted(s for s in self._to_cabinets if s <= now_s):
            found = (self.admit(now_s, issued_s, command) for issued_s, command in self._to_cabinets.pop(second))
            out += [command for command in found if command is not None]
        return out

    def admit(self, now_s: int, issued_s: int, command: Command) -> Command | None:
        """Return what cabinets are to do of an order that has come; None: nothing."""
        if not isinstance(command, ShowPhases):
            return command
        self._cabinets.stages.finish(now_s)
        informed = np.full(command.junction.size, issued_s == now_s) & self._informed(command.junction)
        return self.gate.admit(now_s, command, issued_s, informed)

    def _informed(self, junction: Ints) -> Bools:
        s = self._cabinets.stages
        now = np.stack([s.phase[junction], s.to[junction], s.since_s[junction]])
        return np.asarray((self._belief[:, junction] == now).all(axis=0))

    def send_down(self, now_s: int, command: Command) -> list[tuple[int, Command]]:
        """Return the parts of an order that get through, with the whole seconds they take; then :meth:`admit`."""
        if not isinstance(command, ShowPhases | SetPlans):
            return [(0, command)]
        rows = command.junction
        entity = self._entity[rows]
        shows = isinstance(command, ShowPhases)
        ms = self._latency(now_s, entity, "cloud", "down", "cabinet")
        there = self.up_ok[rows] & (self._draws["loss"].uniform(entity, 8 * now_s + (1 if shows else 3)) >= self.loss)
        self.sent += rows.size
        self.lost += int((~there).sum())
        # the platform answers when the reading has come, which may be within this second
        just_now = np.floor(self._ready_ms[rows] / 1000.0) == now_s
        base = np.where(just_now, self._ready_ms[rows], now_s * 1000.0)
        late_s = np.floor((base + ms) / 1000.0).astype(np.int64) - now_s
        if shows:
            whole = there & just_now
            self.end_to_end_ms.append(self._up_ms[rows[whole]] + ms[whole])
        out: list[tuple[int, Command]] = []
        for late in np.unique(late_s[there]).tolist():
            part = there & (late_s == late)
            out.append((late, command if part.all() else self._piece(command, part)))
        return out

    def _piece(self, command: ShowPhases | SetPlans, part: Bools) -> Command:
        rows = command.junction[part]
        if isinstance(command, ShowPhases):
            return replace(command, junction=rows, phase=command.phase[part])
        mine = np.isin(self._told.phase_junction[command.phase], rows)
        return SetPlans(command.key, rows, command.offset_s[part], command.phase[mine], command.green_s[mine])

    # -- figures ---------------------------------------------------------------------------------------

    def _latency(self, now_s: int, entity: Ints, *stages: str) -> Floats:
        total = np.full(entity.size, self.extra_ms)
        for name in stages:
            if name:
                stage: Stage = getattr(self._latencies, name)
                total += stage.draw(self._draws[name].normal(entity, now_s))
        return total

    def take_latencies(self) -> tuple[Floats, Exchanged]:
        """Return the end-to-end latencies of orders since the last call, ms, and what became of orders."""
        found = np.concatenate(self.end_to_end_ms) if self.end_to_end_ms else np.empty(0)
        self.end_to_end_ms = []
        aside = self.gate.old + self.gate.overtaken + self.gate.outdated
        over = int((found > self.budget_ms).sum())
        new = Exchanged(found.size, over, aside - self._aside, self.lost - self._lost)
        self._aside, self._lost = aside, self.lost
        return found, new


def binned(latency_ms: Floats) -> tuple[Floats, Ints]:
    """Return upper bounds (ms) and counts of the bins that hold something."""
    at = np.minimum(np.searchsorted(BINS_MS, latency_ms), BINS_MS.size - 1)
    count = np.bincount(at, minlength=BINS_MS.size)
    some = np.flatnonzero(count)
    return BINS_MS[some], count[some].astype(np.int64)


class ExchangeLinks:
    """The links between junctions and centre as :class:`twin.world.junctions.links.Links`, by way of an exchange."""

    def __init__(self, clock: Clock, exchange: Exchange) -> None:
        self._clock, self._exchange = clock, exchange

    @property
    def lost(self) -> int:
        """Rows of messages and orders that were lost."""
        return self._exchange.lost

    def up(self, message: Message, arrive: Callable[[Message], None]) -> None:
        """Let a message travel to the centre; ``arrive`` is called with what is left of it, when it comes."""
        for late_s, part in self._exchange.send_up(self._clock.now_s, message):

            def come(part: Message = part) -> None:
                found = self._exchange.arrived(part)
                if found is not None:
                    arrive(found)

            self._after(late_s, Phase.PERCEIVE, come)

    def down(self, command: Command, arrive: Callable[[Command], None]) -> None:
        """Let an order travel to the junctions; what comes late, out of order or outdated is left aside."""
        issued_s = self._clock.now_s
        for late_s, part in self._exchange.send_down(issued_s, command):

            def come(part: Command = part) -> None:
                found = self._exchange.admit(self._clock.now_s, issued_s, part)
                if found is not None:
                    arrive(found)

            self._after(late_s, Phase.ACT, come)

    def readings_of(self, junction: Ints) -> Ints:
        """Return the junctions whose readings may get through: all, for the exchange loses them itself."""
        return junction

    def _after(self, late_s: int, phase: Phase, action: Callable[[], None]) -> None:
        if late_s == 0:
            action()
        else:
            self._clock.at(self._clock.now_s + late_s, phase, action)
