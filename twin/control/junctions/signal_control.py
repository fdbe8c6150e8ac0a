"""Central signal control: one live picture of all junctions from messages only, and a policy that chooses phases (F20).

Every ``interval_s`` it orders phases for the junctions it has in hand: those whose link is up, whose state (SPAT) is
fresh and a third of whose lanes is perceived. An order lasts ``hold_s``. Any other junction gets no order, so its
cabinet goes back to its own plan when the last order runs out, with the green that is running; when the junction is in
hand again, control begins with the phase it finds. A lane that no detector tells of is taken to carry what its own plan
would serve, so a junction whose detectors die one by one comes ever nearer to its plan.

A plan policy, if there is one, makes new own plans for the cabinets every ``plan_every_s``. Where vehicles may have
priority, :class:`~twin.control.junctions.priority.Priority` has the last word; without a policy it takes junctions in
hand for as long as it needs them. How often, how long and for whom is told at the start (:class:`SignalRules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from twin.control.junctions.by_grade import ByGrade
from twin.control.junctions.discharge import Discharge
from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.plans import Plans, position
from twin.control.junctions.platoons import Platoons
from twin.control.junctions.ports import SATURATION_VEH_S, Bools, JunctionsView, PlanPolicy, SignalPolicy
from twin.control.junctions.priority import Priority
from twin.control.junctions.safety import Stages, check_map
from twin.domain.commands import Command, WakeAt
from twin.domain.junctions import (
    ApproachReadings,
    LinkStatus,
    SetPlans,
    ShowPhases,
    SignalMap,
    SignalRequest,
    SignalRules,
    SignalStates,
)
from twin.domain.messages import Message
from twin.errors import ControlError

#: degree of saturation a plan is taken to be made for, where nothing is perceived (FHWA: 0.85 to 0.95)
PLANNED_SATURATION = 0.85
#: flows are a fading mean over about this time
FLOW_MEMORY_S = 900.0
#: share of a junction's lanes that must be perceived, or its own plan is the better guess; assumed
LEAST_SEEN = 1 / 3
NEVER = -(10**9)
WAKE = 4  # intervals without a message after which it looks at the clock by itself
#: moving vehicles of which only the number is known are on so many metres of their lane (range of a roadside unit)
SIGHT_M = 200.0


class SignalControl:
    """See the module's text. ``policy``: a signal policy, a plan policy, or None: only plans.

    State is rebuilt by replaying the messages; :class:`SignalRules` replace what is given here.
    """

    def __init__(
        self,
        policy: SignalPolicy | PlanPolicy | None = None,
        planner: PlanPolicy | None = None,
        *,
        interval_s: int = 1,
        hold_s: int | None = None,
        stale_s: int | None = None,
        plan_every_s: int = 3600,
    ) -> None:
        self._planner = planner
        plans = policy is not None and not hasattr(policy, "wish")
        if plans:
            self._planner = cast(PlanPolicy, policy)
        self._policy: SignalPolicy | None = None if plans else cast("SignalPolicy | None", policy)
        self._interval_s = interval_s
        self._hold_s = 3 * interval_s + 2 if hold_s is None else hold_s
        self._stale_s = max(5, 3 * interval_s) if stale_s is None else stale_s
        self._plan_every_s = plan_every_s
        self._rules: SignalRules | None = None
        self._priority: Priority | None = None
        self._picture: Picture | None = None
        self._next_s = NEVER
        self._next_plan_s = NEVER
        self._heard_s = self._wake_s = NEVER

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages into the picture and order phases when it is time."""
        self._take(now_s, messages)
        picture = self._picture
        if picture is not None and self._priority is None and self._rules is not None and self._rules.priority.size:
            self._priority = Priority(picture.layout, self._rules)
        if picture is None or now_s < self._next_s:
            return []
        # messages wake it; this is for when none come
        silence_s = WAKE * self._interval_s
        if not messages and now_s < self._heard_s + silence_s:
            return self._wake_at(now_s, self._heard_s + silence_s)
        if messages:
            self._heard_s = now_s
        self._next_s = now_s + self._interval_s
        out: list[Command] = self._wake_at(now_s, now_s + silence_s)
        picture.move_on(now_s)
        if self._planner is not None and now_s >= self._next_plan_s:
            self._next_plan_s += self._plan_every_s
            out += self._new_plans(now_s, picture, self._planner)
        if self._policy is not None or (self._priority is not None and self._priority.busy):
            out += self._orders(now_s, picture)
        return out

    def _take(self, now_s: int, messages: Sequence[Message]) -> None:
        for message in messages:
            if isinstance(message, SignalRules):
                self._follow(message)
            elif isinstance(message, SignalMap):
                if self._picture is None:
                    self._picture = Picture(message, now_s)
                    self._next_plan_s = now_s - now_s % self._plan_every_s + self._plan_every_s
                    if self._policy is not None and (message.grade == 1).any():
                        self._policy = ByGrade(self._policy)
            elif isinstance(message, SignalRequest):
                if self._priority is not None:
                    self._priority.take(message, now_s)
            elif self._picture is not None:
                self._picture.take(message)

    def _wake_at(self, now_s: int, t_s: int) -> list[Command]:
        """Return the wish to be woken, unless it is to be woken anyway."""
        if self._wake_s > now_s:
            return []
        self._wake_s = t_s
        return [WakeAt(f"signals/wake/{now_s}", t_s)]

    def _follow(self, rules: SignalRules) -> None:
        self._rules = rules
        self._interval_s, self._hold_s = rules.interval_s, rules.hold_s
        self._stale_s, self._plan_every_s = rules.stale_s, rules.plan_every_s

    def _new_plans(self, now_s: int, picture: Picture, planner: PlanPolicy) -> list[Command]:
        green, offset = planner.plan(picture.view(now_s))
        layout = picture.layout
        try:
            picture.plans = Plans.of(layout, green, offset)
        except ValueError as error:
            raise ControlError(f"signals at {now_s} s: {type(planner).__name__}: {error}") from None
        every = np.arange(layout.n_junctions, dtype=np.int64)
        phases = np.arange(layout.n_phases, dtype=np.int64)
        return [SetPlans(f"signals/plans/{now_s}", every, picture.plans.offset_s, phases, picture.plans.green_s)]

    def _orders(self, now_s: int, picture: Picture) -> list[Command]:
        held = picture.in_hand(now_s, self._stale_s)
        out: list[Command] = []
        view = picture.view(now_s, self._interval_s)
        wish = None if self._policy is None else self._wish(now_s, view, self._policy)
        if self._priority is not None:
            wish, held, answers = self._priority.settle(view, wish, held)
            out += answers
        assert wish is not None
        rows = np.flatnonzero(held)
        asked = wish[rows]
        news = asked != picture.stages.to[rows]
        picture.stages.change(now_s, rows, asked)  # refuses what is not safe
        ends = picture.held_until_s[rows] <= now_s + max(self._interval_s, self._hold_s // 2)
        tell = news | ends
        rows, asked = rows[tell], asked[tell]
        if rows.size == 0:
            return out
        until = now_s + self._hold_s
        picture.held_until_s[rows] = until
        return [*out, ShowPhases(f"signals/show/{now_s}", rows, asked.astype(np.int64), until)]

    @staticmethod
    def _wish(now_s: int, view: JunctionsView, policy: SignalPolicy) -> Ints:
        wish = np.asarray(policy.wish(view))
        if wish.shape != view.phase.shape or wish.dtype.kind not in "iu":
            raise ControlError(
                f"signals at {now_s} s: {type(policy).__name__} answered an array of shape {wish.shape} and type"
                f" {wish.dtype}; one phase row per junction ({view.phase.size}, whole numbers) is expected"
            )
        return wish


class Picture:
    """All that is known of the junctions: their stages, links and lanes."""

    def __init__(self, told: SignalMap, now_s: int) -> None:
        try:
            self.layout = Layout.of(told)
            check_map(self.layout, now_s)
            self.plans = Plans.own(self.layout)
        except ValueError as error:
            raise ControlError(f"signals at {now_s} s: {error}") from None
        layout = self.layout
        self.stages = Stages(layout, *position(layout, self.plans, now_s))
        j, n = layout.n_junctions, layout.n_lanes
        self.held_until_s = np.full(j, NEVER, dtype=np.int64)
        self._up: Bools = np.ones(j, dtype=bool)
        self._told_s = np.full(j, NEVER, dtype=np.int64)
        self._seen_s = np.full(j, NEVER, dtype=np.int64)
        self._queue, self._moving = np.full(n, np.nan), np.full(n, np.nan)
        self._waiting_s, self._gap_s = np.zeros(n), np.full(n, np.inf)
        self._object_lane = np.empty(0, dtype=np.int64)
        self._object_eta_s = np.empty(0)
        self._red_s = np.zeros(n)
        self._moved_s = now_s
        self._passed = np.zeros(n)
        self._passed_s = np.zeros(n)
        self._served = _lane_table(layout)
        self._every_lane = np.arange(n)
        self._used = np.flatnonzero(layout.lane_served)  # lanes that need a decision, their junctions, and how many
        self._used_of = layout.told.lane_junction[self._used]
        self._many_used = np.bincount(self._used_of, minlength=j)
        self._discharge = Discharge(layout)
        self._planned = _planned(layout, self.plans)

    # -- messages --------------------------------------------------------------------------------------

    def take(self, message: Message) -> None:
        """Take in one message; of two about the same thing the later one counts."""
        if isinstance(message, SignalStates):
            rows = message.junction
            s = self.stages
            s.phase[rows], s.to[rows], s.since_s[rows] = message.phase, message.to_phase, message.since_s
            self._told_s[rows] = message.t_s
        elif isinstance(message, ApproachReadings):
            self._read(message)
        elif isinstance(message, LinkStatus):
            self._up[message.junction] = message.up.astype(bool)
            self.held_until_s[message.junction] = NEVER

    def _read(self, told: ApproachReadings) -> None:
        new = told.junction[told.seen_s > self._seen_s[told.junction]]
        if new.size == 0:
            return
        lane_junction = self.layout.told.lane_junction
        fresh = np.zeros(self.layout.n_junctions, dtype=bool)
        fresh[new] = True
        mine = fresh[lane_junction]
        passed_s = np.where(fresh & (self._seen_s > NEVER), told.seen_s - self._seen_s, 0)
        since_s = passed_s[lane_junction].astype(np.float64)  # by lane; 0 where there is no news
        self._gap_s += since_s
        before = self._queue.copy()
        self._queue[mine], self._moving[mine], self._waiting_s[mine] = 0.0, 0.0, 0.0
        rows = mine[told.lane].nonzero()[0]
        lane = told.lane[rows]
        self._queue[lane], self._moving[lane] = told.queue[rows], told.moving[rows]
        if told.waiting_s.size:
            self._waiting_s[lane] = np.nan_to_num(told.waiting_s[rows])
        if told.gap_s.size:
            self._gap_s[lane] = np.where(np.isnan(told.gap_s[rows]), np.inf, told.gap_s[rows])
        else:  # nobody measures gaps: somebody is there, or was since the last reading
            self._gap_s[lane] = 0.0
        keep = np.exp(-passed_s / FLOW_MEMORY_S)[lane_junction]
        self._passed *= keep
        self._passed_s *= keep
        crossed = np.where(mine, 0.0, np.nan)
        crossed[lane] = passed = told.passed[rows]
        unknown = np.isnan(passed)
        self._passed[lane] += np.where(unknown, 0.0, passed)
        counted_s = since_s.copy()
        counted_s[lane[unknown]] = 0.0
        self._passed_s += counted_s
        if self._object_lane.size or told.object_lane.size:
            old = ~mine[self._object_lane]
            now = mine[told.object_lane]
            self._object_lane = np.concatenate([self._object_lane[old], told.object_lane[now]])
            self._object_eta_s = np.concatenate([self._object_eta_s[old], told.object_eta_s[now]])
        self._seen_s[new] = told.seen_s
        s = self.stages
        phase = np.where(s.phase == s.to, s.phase, -1)[lane_junction]
        self._discharge.learn(
            told.seen_s, since_s, phase, (told.seen_s - s.since_s[lane_junction]).astype(np.float64), before,
            self._queue, self._gap_s, crossed,
        )  # fmt: skip

    # -- the picture -----------------------------------------------------------------------------------

    def move_on(self, now_s: int) -> None:
        """Bring stages and red times to ``now_s``."""
        self.stages.finish(now_s)
        junction = self.layout.told.lane_junction
        served = self._served[self.stages.phase[junction], self._every_lane]
        served &= ~self.stages.changing()[junction]
        self._red_s += now_s - self._moved_s
        self._red_s[served] = 0.0
        self._moved_s = now_s

    def in_hand(self, now_s: int, stale_s: int) -> Bools:
        """Return the junctions that can be controlled: linked, state and perception fresh, enough lanes perceived."""
        fresh = (now_s - self._told_s <= stale_s) & (now_s - self._seen_s <= stale_s)
        blind = np.isnan(self._queue[self._used])
        seen = self._many_used
        if blind.any():
            seen = np.bincount(self._used_of, weights=~blind, minlength=self._up.size)
        return np.asarray(self._up & fresh & (seen >= LEAST_SEEN * self._many_used) & (seen > 0))

    def view(self, now_s: int, interval_s: int = 1) -> JunctionsView:
        """Return the frozen view for a policy."""
        layout, s = self.layout, self.stages
        known = ~np.isnan(self._queue)
        queue, moving = self._queue.copy(), self._moving.copy()
        if not known.all():
            queue = np.where(known, queue, self._assumed(now_s))
            moving = np.where(np.isnan(moving), 0.0, moving)
        flow = np.full(layout.n_lanes, np.nan)
        np.divide(3600.0 * self._passed, self._passed_s, out=flow, where=self._passed_s > 60.0)
        # objects have come nearer since they were seen
        object_lane = self._object_lane
        age = now_s - self._seen_s[layout.told.lane_junction[object_lane]]
        eta = np.maximum(self._object_eta_s - age, 0.0)
        if object_lane.size == 0:
            object_lane, eta = self._spread(moving)
        return JunctionsView(
            now_s, layout, self.plans, s.phase.copy(), s.to.copy(), s.since_s.copy(), s.may_change(now_s), known, queue,
            moving, self._waiting_s, self._gap_s, self._red_s.copy(), object_lane, eta, flow,
            self._discharge.flow_veh_s(now_s), interval_s,
        )  # fmt: skip

    def _spread(self, moving: Floats) -> tuple[Ints, Floats]:
        """Return the moving vehicles as objects where only their number is known: evenly over the way in sight."""
        lanes = np.flatnonzero(moving >= 0.5)
        many = np.round(moving[lanes]).astype(np.int64)
        lane = np.repeat(lanes, many)
        first = np.repeat(np.cumsum(many) - many, many)
        nth = np.arange(lane.size) - first
        told = self.layout.told
        way_s = np.minimum(told.lane_length_m, SIGHT_M) / np.maximum(told.lane_speed_m_s, 1.0)
        return lane.astype(np.int64), np.asarray((nth + 0.5) / np.repeat(many, many) * way_s[lane])

    def _assumed(self, now_s: int) -> Floats:
        """Return the queue an unseen lane would have if it carried what its plan can serve."""
        layout = self.layout
        green, red = self._planned
        full = PLANNED_SATURATION * SATURATION_VEH_S * green
        junction = layout.told.lane_junction
        since = now_s - self.stages.since_s[junction]
        waiting = full * np.minimum(self._red_s / np.maximum(red, 1.0), 3.0)
        leaving = full * np.maximum(1.0 - since / np.maximum(green, 1.0), 0.0)
        return np.asarray(np.where(self._red_s > 0, waiting, leaving))


def _lane_table(layout: Layout) -> Bools:
    """Return (P, L): whether a phase serves a lane."""
    table = np.zeros((layout.n_phases, layout.n_lanes), dtype=bool)
    table[layout.pair_phase, layout.pair_lane] = True
    return table


def _planned(layout: Layout, plans: Plans) -> tuple[Floats, Floats]:
    """Return seconds of green and of red per cycle of each lane's own plan (L)."""
    weights = plans.green_s[layout.pair_phase].astype(np.float64)
    green = np.bincount(layout.pair_lane, weights=weights, minlength=layout.n_lanes)
    cycle = plans.cycle_s[layout.told.lane_junction].astype(np.float64)
    return np.asarray(green, dtype=np.float64), np.asarray(np.maximum(cycle - green, 0.0))


def adaptive() -> SignalControl:
    """Make the control of an adaptive district: by what approaches, every second."""
    return SignalControl(Platoons())


__all__ = ["Ints", "Picture", "SignalControl", "adaptive"]
