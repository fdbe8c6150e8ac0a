"""The exchange between road and cloud in milliseconds: perceive → send → cloud → answer → cabinet (F20).

Each stage of each junction has a log-normal latency, drawn by (junction, second), and each direction may lose messages.
Sums are kept in ms; what is past a whole second takes effect in that later second, as the clock of the twin is in whole
seconds. What comes late to the cloud never replaces what is newer; what comes late to a cabinet meets its
:class:`~twin.control.junctions.late_orders.OrderGate`. Medians and 99th percentiles are assumed (docs/v2x.md).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.late_orders import OrderGate
from twin.domain.commands import Command
from twin.domain.junctions import ApproachReadings, SetPlans, ShowPhases, SignalStates
from twin.domain.messages import Message
from twin.world.junctions.channel import Draws

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

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


def entity_of(name: str) -> int:
    """Return a stable number of a junction by its name, for its draws."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "little")


class Exchange:
    """See the module's text. One per run; rows are junctions of the map that ``cabinets`` have."""

    def __init__(
        self, cabinets: Cabinets, stream: Callable[[str], NormalDraws], latencies: Latencies | None = None, *,
        loss: float = 0.0, extra_ms: float = 0.0, most_age_s: int = 2,
    ) -> None:  # fmt: skip
        told = cabinets.layout.told
        self._cabinets, self._told = cabinets, told
        self._latencies = latencies or Latencies()
        self.loss, self.extra_ms = loss, extra_ms
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
        self._belief = np.full((3, n), -1, dtype=np.int64)  # phase, to, since as told to the cloud last
        self.lost = 0
        self.sent = 0
        self.end_to_end_ms: list[Floats] = []  # of orders since they were last taken

    # -- road → cloud ----------------------------------------------------------------------------------

    def up(self, now_s: int, messages: Sequence[Message]) -> list[Message]:
        """Send what roadside units tell at ``now_s``; return what reaches the cloud in this second."""
        for message in messages:
            if isinstance(message, SignalStates | ApproachReadings):
                self._send_up(now_s, message)
            else:
                self._to_cloud.setdefault(now_s, []).append(message)
        out: list[Message] = []
        for second in sorted(s for s in self._to_cloud if s <= now_s):
            for message in self._to_cloud.pop(second):
                whole = self._newer(message) if isinstance(message, SignalStates | ApproachReadings) else message
                if whole is not None:
                    out.append(whole)
        return out

    def _send_up(self, now_s: int, message: SignalStates | ApproachReadings) -> None:
        rows = message.junction
        entity = self._entity[rows]
        ms = self._latency(now_s, entity, "perceive" if isinstance(message, ApproachReadings) else "", "up")
        there = self.up_ok[rows] & (self._draws["loss"].uniform(entity, 4 * now_s + 2 * _kind(message)) >= self.loss)
        late_s = np.floor(ms / 1000.0).astype(np.int64)
        if isinstance(message, ApproachReadings):
            self._ready_ms[rows[there]] = now_s * 1000.0 + ms[there]
            self._up_ms[rows[there]] = ms[there]
        for late in np.unique(late_s[there]).tolist():
            part = there & (late_s == late)
            self._to_cloud.setdefault(now_s + late, []).append(
                message if part.all() else self._only(message, rows[part])
            )

    def _only(self, message: SignalStates | ApproachReadings, rows: Ints) -> SignalStates | ApproachReadings:
        """Return the part of a message that is about junctions ``rows``."""
        mine = np.zeros(self._entity.size, dtype=bool)
        mine[rows] = True
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

    def _newer(self, message: SignalStates | ApproachReadings) -> SignalStates | ApproachReadings | None:
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
            if isinstance(command, ShowPhases | SetPlans):
                self._send_down(now_s, command)
            else:
                self._to_cabinets.setdefault(now_s, []).append((now_s, command))
        out: list[Command] = []
        for second in sorted(s for s in self._to_cabinets if s <= now_s):
            for issued_s, command in self._to_cabinets.pop(second):
                whole: Command | None = command
                if isinstance(command, ShowPhases):
                    informed = np.full(command.junction.size, issued_s == now_s) & self._informed(command.junction)
                    whole = self.gate.admit(now_s, command, issued_s, informed)
                if whole is not None:
                    out.append(whole)
        return out

    def _informed(self, junction: Ints) -> Bools:
        s = self._cabinets.stages
        now = np.stack([s.phase[junction], s.to[junction], s.since_s[junction]])
        return np.asarray((self._belief[:, junction] == now).all(axis=0))

    def _send_down(self, now_s: int, command: ShowPhases | SetPlans) -> None:
        rows = command.junction
        entity = self._entity[rows]
        shows = isinstance(command, ShowPhases)
        ms = self._latency(now_s, entity, "cloud", "down", "cabinet")
        there = self.up_ok[rows] & (self._draws["loss"].uniform(entity, 4 * now_s + (1 if shows else 3)) >= self.loss)
        self.sent += rows.size
        self.lost += int((~there).sum())
        # the platform answers when the reading has come, which may be within this second
        just_now = np.floor(self._ready_ms[rows] / 1000.0) == now_s
        base = np.where(just_now, self._ready_ms[rows], now_s * 1000.0)
        late_s = np.floor((base + ms) / 1000.0).astype(np.int64) - now_s
        if shows:
            whole = there & just_now
            self.end_to_end_ms.append(self._up_ms[rows[whole]] + ms[whole])
        for late in np.unique(late_s[there]).tolist():
            part = there & (late_s == late)
            piece: Command = command if part.all() else self._piece(command, part)
            self._to_cabinets.setdefault(now_s + late, []).append((now_s, piece))

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

    def take_latencies(self) -> Floats:
        """Return the end-to-end latencies of orders since the last call, ms."""
        found = np.concatenate(self.end_to_end_ms) if self.end_to_end_ms else np.empty(0)
        self.end_to_end_ms = []
        return found


def _kind(message: Message) -> int:
    return int(isinstance(message, ApproachReadings))


def binned(latency_ms: Floats) -> tuple[Floats, Ints]:
    """Return upper bounds (ms) and counts of the bins that hold something."""
    at = np.minimum(np.searchsorted(BINS_MS, latency_ms), BINS_MS.size - 1)
    count = np.bincount(at, minlength=BINS_MS.size)
    some = np.flatnonzero(count)
    return BINS_MS[some], count[some].astype(np.int64)
