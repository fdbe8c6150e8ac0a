"""Signal controllers at the roadside: each runs its own plan, takes orders while they last, and stays safe by itself.

All cabinets of a city are one object with one row per junction. Nothing is done for a junction until something of it
ends: ``step`` may be called every second, or at :attr:`Cabinets.next_s` at the latest. An order (``ShowPhases``) that
asks for something unsafe raises ControlError; one that merely comes too late (the cabinet has gone back to its plan and
is changing) is left aside and counted in ``refused``.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from twin.control.junctions.layout import Ints, Layout
from twin.control.junctions.plans import Plans, green_ends_s, position
from twin.control.junctions.safety import Stages, check_map
from twin.domain.junctions import CENTRAL, PLAN, SetPlans, ShowPhases, SignalStates
from twin.errors import ControlError

NEVER = 10**12


class Change(NamedTuple):
    """At ``begin_s`` a junction began to change from ``phase`` to ``to``, which is green from ``green_s`` on."""

    junction: int
    phase: int
    to: int
    begin_s: int
    green_s: int


class Cabinets:
    """See the module's text. Starts at ``now_s`` where the own plans are then.

    ``begun``: changes that began and that nobody has taken yet (:meth:`take`), in order of time.
    """

    def __init__(self, layout: Layout, now_s: int) -> None:
        check_map(layout, now_s)
        self.layout = layout
        self.plans = Plans.own(layout)
        self.stages = Stages(layout, *position(layout, self.plans, now_s))
        n = layout.n_junctions
        self.until_s = np.full(n, -1, dtype=np.int64)  # an order holds until then
        self.refused = 0
        self.begun: list[Change] = []
        self._now_s = now_s
        self._end_s = [now_s] * n  # when there is next something to do; a list, for it is read one by one
        self._ends = [(now_s, j) for j in range(n)]  # a heap of it; rows that are not in _end_s are void
        # second → junctions whose orders end then, unless there are newer ones; and a heap of the seconds
        self._held: dict[int, list[Ints]] = {}
        self._held_ends: list[int] = []
        stages = self.stages
        for j in np.flatnonzero(stages.changing()).tolist():
            self._wait(j, int(stages.since_s[j] + layout.change_time(stages.phase[j : j + 1], stages.to[j : j + 1])[0]))
        self.step(now_s)

    @property
    def states(self) -> list[str]:
        """What each junction shows at the second of the last step or order."""
        return [self.stages.state(j, self._now_s)[0] for j in range(self.layout.n_junctions)]

    @property
    def next_s(self) -> int:
        """The second at which something ends: :meth:`step` must be called then."""
        first = self._ends[0][0] if self._ends else NEVER
        return min(first, self._held_ends[0]) if self._held_ends else first

    def mode(self, now_s: int) -> Ints:
        """Return who runs each junction: index into MODES."""
        return np.where(self.until_s > now_s, CENTRAL, PLAN)

    def tell(self, now_s: int, junction: Ints | None = None) -> SignalStates:
        """Return the SPAT of ``junction`` (rows; None: all)."""
        s = self.stages
        s.finish(now_s)
        if junction is None:
            every = np.arange(self.layout.n_junctions, dtype=np.int64)
            columns = s.phase.copy(), s.to.copy(), s.since_s.copy()
            return SignalStates(now_s, f"spat/{now_s}", every, *columns, self.mode(now_s))
        rows = junction
        return SignalStates(
            now_s, f"spat/{now_s}", rows, s.phase[rows], s.to[rows], s.since_s[rows], self.mode(now_s)[rows]
        )

    def take(self) -> list[Change]:
        """Return the changes that began since the last call."""
        begun, self.begun = self.begun, []
        return begun

    def order(self, now_s: int, order: ShowPhases) -> None:
        """Carry out an order of central control from ``now_s`` on."""
        junction, phase = order.junction, order.phase
        stages = self.stages
        self._now_s = now_s
        stages.finish(now_s)
        if order.until_s <= now_s:
            self.refused += junction.size
            return
        # an order for a junction that central control did not hold, given in the belief of another state, is late
        ours = self.until_s[junction] > now_s
        ahead = stages.to[junction]
        wait = (stages.phase[junction] != ahead) & (ahead != phase)
        early = ~stages.may_change(now_s)[junction] & (phase != ahead)
        late = ~ours & (wait | early)
        if late.any():
            self.refused += int(late.sum())
            junction, phase = junction[~late], phase[~late]
        before = stages.phase.copy()
        changed = stages.change(now_s, junction, phase)
        takes_s = self.layout.change_time(before[changed], stages.to[changed])
        self.until_s[junction] = order.until_s
        if order.until_s not in self._held:
            self._held[order.until_s] = []
            heapq.heappush(self._held_ends, order.until_s)
        self._held[order.until_s].append(junction)
        end_s = self._end_s
        for j in junction.tolist():
            end_s[j] = NEVER
        columns = changed, before[changed], stages.to[changed], now_s + takes_s
        for j, a, b, green_s in zip(*(c.tolist() for c in columns), strict=True):
            self.begun.append(Change(j, a, b, now_s, green_s))  # it goes on with what it turns to until the order ends

    def plan(self, now_s: int, order: SetPlans) -> None:
        """Take new plans; running greens go on, and come into step with the new plan bit by bit."""
        green, offset = self.plans.green_s.copy(), self.plans.offset_s.copy()
        green[order.phase], offset[order.junction] = order.green_s, order.offset_s
        try:
            self.plans = Plans.of(self.layout, green, offset)
        except ValueError as error:
            raise ControlError(f"signals at {now_s} s: {error}") from None
        self.stages.finish(now_s)
        changing = self.stages.changing()
        for j in order.junction[(self.until_s[order.junction] <= now_s) & ~changing[order.junction]].tolist():
            self._wait(j, min(self._end_s[j], now_s))

    def step(self, now_s: int) -> list[int]:
        """Advance to ``now_s``; return the junctions that began a change."""
        self._now_s = now_s
        ends, end_s, new = self._ends, self._end_s, len(self.begun)
        while self._held_ends and self._held_ends[0] <= now_s:
            held = np.concatenate(self._held.pop(heapq.heappop(self._held_ends)))
            for j in np.unique(held[self.until_s[held] <= now_s]).tolist():
                self._at_end(j, now_s)
        while ends and ends[0][0] <= now_s:
            t_s, j = heapq.heappop(ends)
            if end_s[j] == t_s:
                self._at_end(j, now_s)
        return [change.junction for change in self.begun[new:]]

    def _at_end(self, j: int, now_s: int) -> None:
        """Something of a junction ended: a change, a green of its plan, or an order."""
        stages = self.stages
        phase, to = int(stages.phase[j]), int(stages.to[j])
        if phase != to:
            column = to - int(self.layout.first_phase[j])
            over_s = int(stages.since_s[j]) + int(self.layout.change_s[phase, column])
            if over_s > now_s:
                self._wait(j, over_s)
                return
            stages.since_s[j], stages.phase[j] = over_s, to
            phase = to
        if self.until_s[j] > now_s:
            self._wait(j, NEVER)  # until the order ends
            return
        following = int(self.plans.following[phase])
        if following == phase:
            self._wait(j, NEVER)
            return
        ends_s = green_ends_s(self.layout, self.plans, j, phase, int(stages.since_s[j]))
        if ends_s > now_s:
            self._wait(j, ends_s)
            return
        stages.begin(now_s, j, following)
        self._begun(j, phase, following, now_s)

    def _begun(self, j: int, phase: int, to: int, now_s: int) -> None:
        takes = int(self.layout.change_s[phase, to - int(self.layout.first_phase[j])])
        self.begun.append(Change(j, phase, to, now_s, now_s + takes))
        self._wait(j, now_s + max(takes, 1))

    def _wait(self, j: int, t_s: int) -> None:
        self._end_s[j] = t_s
        if t_s < NEVER:
            heapq.heappush(self._ends, (t_s, j))
