"""The cloud control platform (云控基础平台, F20): one live picture from messages only, and area control by plan.

The picture holds signals, roads and vehicles, each with the age of what is known; nothing is shown as healthy that was
not heard of lately (:class:`LivePicture`). Area control gives the cabinets the traffic police's plan of the hour
(``PolicePlans``), or a green wave of its own in hours that the police leave to it. A plan is given again until the
cabinet says it has it (``PlanStates``), at most every ``again_s``; to a junction whose link is down it is given when
the link is up again, so that nobody runs yesterday's hour for long. Cabinets come into a new plan bit by bit, and go on
with the one they have when nothing is heard: losing the link, and its coming back, never makes a jump.

Second-by-second control (:class:`~twin.control.junctions.signal_control.SignalControl`) can run inside: ``control``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.control.junctions.green_wave import GreenWave
from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.plans import Plans
from twin.control.junctions.ports import Bools, PlanPolicy
from twin.control.junctions.signal_control import Picture, SignalControl
from twin.domain.commands import Command, WakeAt
from twin.domain.junctions import ApproachReadings, LinkStatus, SetPlans, SignalMap, SignalStates
from twin.domain.messages import Message
from twin.domain.v2x import LIVE, LOST, STALE, CamBatch, CpmBatch, PlanStates, PolicePlans, ReportPicture
from twin.errors import ControlError

DAY_S = 86_400
NEVER = -(10**9)
FRESH_S = 3  # older than that is stale, assumed
FORGET_S = 30  # a vehicle not heard of for so long is no longer shown, assumed
REPORT_S = 60  # how often the state of the picture is published
AGAIN_S = 20  # until a plan that was not confirmed is given again, assumed


@dataclass(frozen=True)
class LivePicture:
    """The picture at ``now_s``: signals, roads, vehicles. Do not write.

    Junctions (J): ``state``: LIVE, STALE or LOST; ``age_s`` of the last SPAT; ``seen_age_s`` of the last perception;
    ``phase``. Lanes (L): ``queue`` (nan: not known, or too old). Vehicles (V): ``station``, place, speed, and
    ``track_age_s``.
    """

    now_s: int
    state: Ints
    age_s: Floats
    seen_age_s: Floats
    phase: Ints
    queue: Floats
    station: Ints
    x_m: Floats
    y_m: Floats
    speed_m_s: Floats
    track_age_s: Floats


class Tracks:
    """Vehicles by station with the last thing heard of each; columns grow and are cleaned now and then."""

    def __init__(self) -> None:
        self._row: dict[int, int] = {}
        self._columns = np.empty((4, 0))  # x, y, speed, generated_ms

    def take(self, cams: CamBatch) -> None:
        """Take in messages; of two about one vehicle the one made later counts."""
        order = np.argsort(cams.generated_ms, kind="stable")
        new = [s for s in dict.fromkeys(cams.station[order].tolist()) if s not in self._row]
        if new:
            n = self._columns.shape[1]
            self._row.update((s, n + i) for i, s in enumerate(new))
            fresh = np.full((4, len(new)), -np.inf)
            self._columns = np.concatenate([self._columns, fresh], axis=1)
        rows = np.array([self._row[s] for s in cams.station[order].tolist()], dtype=np.int64)
        made = cams.generated_ms[order].astype(np.float64)
        told = np.stack([cams.x_m[order], cams.y_m[order], cams.speed_m_s[order], made])
        later = made >= self._columns[3, rows]
        self._columns[:, rows[later]] = told[:, later]  # in order of time, so the last one stays

    def forget(self, before_ms: float) -> None:
        """Leave out who was not heard of since ``before_ms``."""
        keep = self._columns[3] >= before_ms
        if not keep.all():
            place = np.cumsum(keep) - 1
            self._row = {s: int(place[i]) for s, i in self._row.items() if keep[i]}
            self._columns = self._columns[:, keep]

    def columns(self) -> tuple[Ints, Floats]:
        """Return stations and (4, V): x, y, speed, generated_ms."""
        return np.array(list(self._row), dtype=np.int64), self._columns.copy()


class CloudPlatform:
    """See the module's text. State is rebuilt by replaying the messages."""

    def __init__(self, control: SignalControl | None = None, wave: PlanPolicy | None = None) -> None:
        self._control = control
        self._wave = wave or GreenWave()
        self._flows: Picture | None = None
        self._layout: Layout | None = None
        self._police: PolicePlans | None = None
        self.tracks = Tracks()
        self._wanted_serial = 0
        self._hour: int | None = None  # row of the police's plan in force
        self._cleaned_s = NEVER
        self._report_s = NEVER

    # -- the contract ----------------------------------------------------------------------------------

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold messages into the picture; give plans that are due, and what the control inside orders."""
        for message in messages:
            self._take(message, now_s)
        out: list[Command] = []
        if self._control is not None:
            out += self._control.decide(now_s, messages)
        if self._layout is None:
            return out
        assert self._flows is not None
        if now_s - self._cleaned_s >= FORGET_S:
            self.tracks.forget((now_s - FORGET_S) * 1000.0)
            self._cleaned_s = now_s
        self._choose_plan(now_s, self._layout)
        out += self._give(now_s, self._layout)
        if now_s >= self._report_s:
            self._report_s = now_s - now_s % REPORT_S + REPORT_S
            out.append(self._report(now_s))
        wake = self._next_change_s(now_s)
        if wake is not None:
            out.append(WakeAt(f"cloud/wake/{wake}", wake))
        return out

    def _take(self, message: Message, now_s: int) -> None:
        if isinstance(message, SignalMap):
            if self._layout is None:
                self._begin(message, now_s)
            return
        if isinstance(message, PolicePlans):
            self._police, self._hour = message, None
            return
        if isinstance(message, CamBatch):
            self.tracks.take(message)
            return
        if isinstance(message, CpmBatch) or self._flows is None:
            return
        self._flows.take(message)
        if isinstance(message, SignalStates):
            self._spat_s[message.junction] = np.maximum(self._spat_s[message.junction], message.t_s)
        elif isinstance(message, ApproachReadings):
            self._seen_s[message.junction] = np.maximum(self._seen_s[message.junction], message.seen_s)
            mine = np.isin(self._flows.layout.told.lane_junction, message.junction)
            self._queue[mine] = 0.0
            self._queue[message.lane] = message.queue
        elif isinstance(message, LinkStatus):
            self._up[message.junction] = message.up.astype(bool)
        elif isinstance(message, PlanStates):
            self._has[message.junction] = message.serial

    def _begin(self, told: SignalMap, now_s: int) -> None:
        self._flows = Picture(told, now_s)
        layout = self._layout = self._flows.layout
        n = layout.n_junctions
        self._spat_s = np.full(n, NEVER, dtype=np.int64)
        self._seen_s = np.full(n, NEVER, dtype=np.int64)
        self._queue = np.full(layout.n_lanes, np.nan)
        self._up = np.ones(n, dtype=bool)
        self._has = np.full(n, -1, dtype=np.int64)  # serial of the plan it says it has
        self._wants = np.full(n, -1, dtype=np.int64)  # serial of the plan it should have
        self._given_s = np.full(n, NEVER, dtype=np.int64)
        self._green, self._offset = told.phase_green_s.copy(), told.offset_s.copy()
        self._report_s = now_s - now_s % REPORT_S + REPORT_S

    # -- area control ----------------------------------------------------------------------------------

    def _choose_plan(self, now_s: int, layout: Layout) -> None:
        """Put in force the police's plan of this hour when it is another one than before."""
        police = self._police
        if police is None:
            return
        second = now_s % DAY_S
        a, b = police.from_s, police.to_s
        holds = np.where(a <= b, (a <= second) & (second < b), (second >= a) | (second < b))
        row = int(np.argmax(holds)) if holds.any() else -1
        if row == self._hour:
            return
        first = self._hour is None
        self._hour = row
        if first and row < 0:
            return  # the cabinets run their own plans anyway
        told = layout.told
        if row < 0:  # no plan of the police: the junctions' own
            green, offset, which = told.phase_green_s.copy(), told.offset_s.copy(), np.ones(layout.n_junctions, bool)
        elif police.wave[row]:
            assert self._flows is not None
            green, offset = self._wave.plan(self._flows.view(now_s))
            which = np.ones(layout.n_junctions, dtype=bool)
        else:
            green, offset, which = self._of_police(police, int(police.plan[row]), layout)
        try:
            plans = Plans.of(layout, green, offset)
        except ValueError as error:
            raise ControlError(f"cloud platform at {now_s} s: {error}") from None
        self._wanted_serial += 1
        self._green, self._offset = plans.green_s, plans.offset_s
        self._wants[which] = self._wanted_serial
        self._given_s[which] = NEVER
        if self._flows is not None:
            self._flows.plans = plans

    def _of_police(self, police: PolicePlans, plan: int, layout: Layout) -> tuple[Ints, Ints, Bools]:
        mine = police.offset_plan == plan
        junction = police.junction[mine]
        which = np.zeros(layout.n_junctions, dtype=bool)
        which[junction] = True
        green, offset = self._green.copy(), self._offset.copy()
        offset[junction] = police.offset_s[mine]
        green[which[layout.told.phase_junction]] = 0
        rows = police.row_plan == plan
        green[police.phase[rows]] = police.green_s[rows]
        return green, offset, which

    def _give(self, now_s: int, layout: Layout) -> list[Command]:
        """Give the plan to linked junctions that do not say they have it."""
        due = self._up & (self._wants >= 0) & (self._has != self._wants) & (now_s - self._given_s >= AGAIN_S)
        junction = np.flatnonzero(due).astype(np.int64)
        out: list[Command] = []
        for serial in np.unique(self._wants[junction]).tolist():
            rows = junction[self._wants[junction] == serial]
            self._given_s[rows] = now_s
            phase = np.flatnonzero(np.isin(layout.told.phase_junction, rows)).astype(np.int64)
            key = f"cloud/plan/{now_s}/{serial}"
            out.append(SetPlans(key, rows, self._offset[rows], phase, self._green[phase]))
        return out

    def _next_change_s(self, now_s: int) -> int | None:
        """Return the next second at which a plan begins or ends, or a plan must be given again."""
        times = []
        if self._police is not None:
            day = now_s - now_s % DAY_S
            edges = np.unique(np.concatenate([self._police.from_s, self._police.to_s]) % DAY_S)
            times += [day + int(e) + (DAY_S if day + int(e) <= now_s else 0) for e in edges.tolist()]
        if self._layout is not None:
            open_ = self._up & (self._wants >= 0) & (self._has != self._wants)
            if open_.any():
                times.append(max(int(self._given_s[open_].min()) + AGAIN_S, now_s + 1))
        return min(times, default=None)

    def _report(self, now_s: int) -> ReportPicture:
        p = self.picture(now_s)
        live, stale, lost = (int((p.state == s).sum()) for s in (LIVE, STALE, LOST))
        age = float(p.track_age_s.mean()) if p.track_age_s.size else 0.0
        return ReportPicture(f"cloud/picture/{now_s}", live, stale, lost, int(p.station.size), round(age, 2))

    # -- the picture -----------------------------------------------------------------------------------

    def picture(self, now_s: int) -> LivePicture:
        """Return the picture: what is known, and how old it is."""
        if self._layout is None:
            raise ValueError("there is no picture before the map was told")
        layout = self._layout
        assert self._flows is not None
        state = np.where(now_s - self._spat_s <= FRESH_S, LIVE, STALE)
        state = np.where(self._up, state, LOST)
        old = now_s - self._seen_s[layout.told.lane_junction] > FRESH_S
        station, (x, y, speed, made) = self.tracks.columns()
        age = now_s - made / 1000.0
        shown = age <= FORGET_S
        ages = [np.where(v > NEVER, now_s - v, np.inf).astype(np.float64) for v in (self._spat_s, self._seen_s)]
        return LivePicture(
            now_s, state.astype(np.int64), ages[0], ages[1], self._flows.stages.phase.copy(),
            np.where(old, np.nan, self._queue), station[shown], x[shown], y[shown], speed[shown], age[shown],
        )  # fmt: skip


def serial_of(command: SetPlans) -> int:
    """Return the serial number that a cabinet reports for a plan it took: the end of the command's key."""
    tail = command.key.rpartition("/")[2]
    return int(tail) if tail.isdecimal() else -1
