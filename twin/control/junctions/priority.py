"""Priority for buses and emergency vehicles (L3): green extension, early green, pre-emption, and giving back.

A vehicle asks (SRM) for the junction ahead, again and again as it comes nearer; it is answered when its standing
changes (SSM). For public transport, within what is safe:

* *green extension*: its phase is held beyond its time if it will pass within ``extend_s`` of that, and all others have
  green to spare;
* *early green*: the phases before its own are cut to their minimum, in their order, no sooner than needed to have the
  queue ahead of it gone when it comes, and only those that nobody uses (nobody stands or comes within sight).

An emergency vehicle pre-empts: its phase comes next, at once, and is held until it has passed.

Under plans a junction is taken in hand only for as long as something is changed; all else is left to its cabinet,
which keeps its plan to the second and afterwards comes back into step with it bit by bit
(:mod:`twin.control.junctions.plans`), so that the seconds are given back (FHWA Signal Timing Manual 2015, ch. 9:
conditional priority with compensation). Adaptive policies make up for it by their own rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.control.junctions.layout import GREENS, Ints, Layout
from twin.control.junctions.plans import green_ends_s
from twin.control.junctions.ports import SATURATION_VEH_S, START_S, Bools, JunctionsView
from twin.domain.junctions import (
    EMERGENCY,
    GRANTED,
    LOCKED,
    PROCESSING,
    REJECTED,
    SignalRequest,
    SignalRules,
    SignalStatus,
)

L3 = 3
#: vehicles queued or coming on the lanes of a phase, below which nobody uses it
NOBODY = 0.5
#: seconds ahead at which an emergency vehicle has its phase prepared, so that the street clears; assumed
AHEAD_S = 25.0
#: degree of saturation from which a phase has nothing to spare (FHWA Signal Timing Manual: 0.85)
FULL = 0.85
#: a request that is not repeated for so long is void
FORGET_S = 30
LONG_AGO = -(10**9)
NEVER = 10**9


@dataclass
class _Request:
    vehicle: int
    junction: int
    lane: int
    to_road: int
    role: int
    at_s: float  # when it would be at the stop line
    told_s: int
    status: int = -1


class Priority:
    """Overrides the wishes of a policy (or of plans) where somebody has priority. State is rebuilt by replay."""

    def __init__(self, layout: Layout, rules: SignalRules) -> None:
        self._layout, self._rules = layout, rules
        self._allowed = frozenset(rules.priority.tolist())
        self._requests: dict[int, _Request] = {}
        n = layout.n_junctions
        self._served_s = np.full(n, LONG_AGO, dtype=np.int64)
        self._served = np.full(n, -1, dtype=np.int64)
        self._held: dict[int, tuple[int, int]] = {}  # junction → phase that is held, and when its time was over
        self._lanes: dict[int, Ints] = {}
        self._green_of: dict[tuple[int, int], list[int]] = {}

    @property
    def busy(self) -> bool:
        """Whether anybody asks, or a green is held that must be ended."""
        return bool(self._requests or self._held)

    def take(self, told: SignalRequest, now_s: int) -> None:
        """Take in requests."""
        for vehicle, j, lane, to_road, role, eta, done in zip(
            told.vehicle.tolist(), told.junction.tolist(), told.lane.tolist(), told.to_road.tolist(),
            told.role.tolist(), told.eta_s.tolist(), told.done.tolist(), strict=True,
        ):  # fmt: skip
            if done:
                if vehicle in self._requests and self._requests[vehicle].junction == j:
                    del self._requests[vehicle]
                continue
            known = self._requests.get(vehicle)
            status = known.status if known is not None and known.junction == j else -1
            self._requests[vehicle] = _Request(vehicle, j, lane, to_road, role, told.t_s + eta, now_s, status)

    def settle(self, view: JunctionsView, wish: Ints | None, held: Bools) -> tuple[Ints, Bools, list[SignalStatus]]:
        """Return (wish, junctions that it is meant for, answers); ``wish`` None: the others follow their plans."""
        now = view.now_s
        for vehicle in [r.vehicle for r in self._requests.values() if now - r.told_s > FORGET_S]:
            del self._requests[vehicle]
        out = view.to.copy() if wish is None else wish.copy()
        ours = np.zeros(out.size, dtype=bool) if wish is None else held.copy()
        first: dict[int, _Request] = {}
        answers: list[tuple[int, int, int]] = []
        for request in sorted(self._requests.values(), key=lambda r: (r.role != EMERGENCY, r.at_s, r.vehicle)):
            j = request.junction
            if request.role not in self._allowed or int(self._layout.told.grade[j]) < L3 or not held[j]:
                self._answer(request, REJECTED, answers)
            elif j in first:
                self._answer(request, PROCESSING, answers)
            elif self._locked(request, now):
                self._answer(request, LOCKED, answers)
            else:
                first[j] = request
        for j in sorted({*first, *self._held}):
            if not held[j]:
                self._held.pop(j, None)
                continue
            ours[j] |= self._one(view, j, first.get(j), out, plan=wish is None, answers=answers)
        return out, ours, _statuses(now, answers)

    def _locked(self, request: _Request, now_s: int) -> bool:
        j = request.junction
        another = int(self._served[j]) != request.vehicle
        return request.role != EMERGENCY and another and now_s - int(self._served_s[j]) < self._rules.again_s

    @staticmethod
    def _answer(request: _Request, status: int, answers: list[tuple[int, int, int]]) -> None:
        if request.status != status:
            request.status = status
            answers.append((request.vehicle, request.junction, status))

    def _one(
        self, view: JunctionsView, j: int, request: _Request | None, out: Ints, *, plan: bool,
        answers: list[tuple[int, int, int]],
    ) -> bool:  # fmt: skip
        """Decide for one junction; return whether it is to be told, or else goes on by itself (plans only)."""
        now, phase, to = view.now_s, int(view.phase[j]), int(view.to[j])
        if phase != to:
            return False
        if j in self._held and (self._held[j][0] != phase or (request is None and not plan)):
            del self._held[j]
        if plan:
            ends_s = green_ends_s(self._layout, view.plans, j, phase, int(view.since_s[j]))
        else:
            ends_s = now if int(out[j]) != phase else NEVER
        onward = int(view.plans.following[phase]) if plan else int(out[j])
        wish = -1
        if request is not None:
            wish = self._for_request(view, request, phase, ends_s, view.interval_s if plan else 0)
            self._answer(request, GRANTED if wish >= 0 else PROCESSING, answers)
        if wish >= 0 and request is not None:
            self._served_s[j], self._served[j] = now, request.vehicle
            if wish == phase:
                self._held.setdefault(j, (phase, ends_s))
        elif plan and j not in self._held:
            return False
        wanted = wish if wish >= 0 else phase if now < ends_s else onward
        if wanted == phase or not view.may_change[j]:
            out[j] = phase
            return True
        self._held.pop(j, None)
        out[j] = wanted
        return True

    def _for_request(self, view: JunctionsView, request: _Request, phase: int, ends_s: int, ahead_s: int) -> int:
        """Return the phase a request asks for now, or −1 where nothing need be changed for it.

        ``ends_s``: when the present green is over by itself; ``ahead_s``: so long before is the last time to say so.
        """
        now, j = view.now_s, request.junction
        targets = self._targets(request.lane, request.to_road, j)
        eta = request.at_s - now
        emergency = request.role == EMERGENCY
        if not targets:
            return -1
        if phase in targets:
            if emergency:
                return phase
            if ends_s - now > ahead_s or (ahead_s and request.at_s <= ends_s):
                return -1
            latest = self._held.get(j, (phase, ends_s))[1] + self._rules.extend_s
            return phase if now < latest and request.at_s <= latest and not self._full(view, j, phase) else -1
        end = now >= ends_s
        given = now - int(view.since_s[j])
        queue = float(view.queue[request.lane])
        clear = START_S + queue / SATURATION_VEH_S
        if emergency:
            target = self._nearest(phase, targets)
            takes = self._change_s(phase, target)
            return target if target >= 0 and eta <= takes + clear + AHEAD_S else phase if end else -1
        return self._early(view, phase, given, targets, eta - clear) if not end else -1

    def _early(self, view: JunctionsView, phase: int, given: int, targets: Sequence[int], need_s: float) -> int:
        """Return the next phase if it is time to cut this one, so that a target is green in ``need_s``; or −1."""
        fast, at, p = 0.0, given, phase
        for _ in range(int(self._layout.phases[self._layout.told.phase_junction[phase]])):
            following = int(view.plans.following[p])
            change = self._change_s(p, following)
            if change < 0 or following == p:
                return -1
            # if every phase before its own keeps its least only
            fast += max(self._least(view, p) - at, 0) + change
            p, at = following, 0
            if p in targets:
                cut = given >= self._least(view, phase) and need_s <= fast
                return int(view.plans.following[phase]) if cut else -1
        return -1

    def _full(self, view: JunctionsView, j: int, phase: int) -> bool:
        """Return whether another phase than the present one has nearly as many in sight as its green lets through."""
        many, green = view.queue + view.moving, view.plans.green_s
        for p in range(int(self._layout.first_phase[j]), int(self._layout.first_phase[j + 1])):
            lanes = self._lanes_of(p)
            if p == phase or not lanes.size or not green[p]:
                continue
            waits = lanes[view.known[lanes] & ~np.isin(lanes, self._lanes_of(phase))]
            if waits.size and START_S + float(many[waits].max()) / SATURATION_VEH_S >= FULL * int(green[p]):
                return True
        return False

    def _least(self, view: JunctionsView, phase: int) -> int:
        """Return the seconds of green that a phase keeps in any case: its minimum where nobody uses it."""
        least, green = int(self._layout.told.phase_min_s[phase]), int(view.plans.green_s[phase])
        lanes = self._lanes_of(phase)
        idle = view.known[lanes].all() and float((view.queue + view.moving)[lanes].sum()) < NOBODY
        return least if idle else max(least, green)

    def _lanes_of(self, phase: int) -> Ints:
        """Return the lanes that a phase serves and others do not always."""
        if phase not in self._lanes:
            layout = self._layout
            lanes = layout.pair_lane[layout.pair_phase == phase]
            self._lanes[phase] = lanes[layout.lane_served[lanes]]
        return self._lanes[phase]

    def _change_s(self, phase: int, to: int) -> int:
        if to < 0:
            return -1
        layout = self._layout
        return int(layout.change_s[phase, to - int(layout.first_phase[layout.told.phase_junction[phase]])])

    def _nearest(self, phase: int, targets: Sequence[int]) -> int:
        """Return the target that can be changed to soonest, or −1."""
        found = [(self._change_s(phase, q), q) for q in targets if self._change_s(phase, q) >= 0]
        return min(found)[1] if found else -1

    def _targets(self, lane: int, to_road: int, j: int) -> list[int]:
        """Return the phases that let a vehicle through from a lane (to a road, if told), best right first."""
        key = (lane, to_road)
        if key not in self._green_of:
            told, layout = self._layout.told, self._layout
            links = told.link_lane == lane
            if to_road >= 0 and (links & (told.link_to_road == to_road)).any():
                links &= told.link_to_road == to_road
            places = told.group_place[told.link_group[links]].tolist()
            phases = range(int(layout.first_phase[j]), int(layout.first_phase[j + 1]))
            free = [p for p in phases if all(told.phase_state[p][g] == "G" for g in places)]
            some = [p for p in phases if any(told.phase_state[p][g] in GREENS for g in places)]
            self._green_of[key] = (free or some) if places else []
        return self._green_of[key]


def _statuses(now_s: int, answers: list[tuple[int, int, int]]) -> list[SignalStatus]:
    if not answers:
        return []
    vehicle, junction, status = np.array(answers, dtype=np.int64).T
    return [SignalStatus(f"signals/status/{now_s}", vehicle, junction, status)]
