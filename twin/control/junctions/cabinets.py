"""Signal controllers at the roadside: each runs its own plan, takes orders while they last, and stays safe by itself.

All cabinets of a city are one object with one row per junction. ``step`` is called every second and does work only
for junctions where something ends. An order (``ShowPhases``) that asks for something unsafe raises ControlError; one
that merely comes too late (the cabinet has gone back to its plan and is changing) is left aside and counted in
``refused``.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Ints, Layout
from twin.control.junctions.plans import Plans, green_for_s, position
from twin.control.junctions.safety import Stages, check_map
from twin.domain.junctions import CENTRAL, PLAN, SetPlans, ShowPhases, SignalStates
from twin.errors import ControlError

_NEVER = 10**12


class Cabinets:
    """See the module's text. Starts at ``now_s`` where the own plans are then."""

    def __init__(self, layout: Layout, now_s: int) -> None:
        check_map(layout, now_s)
        self.layout = layout
        self.plans = Plans.own(layout)
        self.stages = Stages(layout, *position(layout, self.plans, now_s))
        n = layout.n_junctions
        self.until_s = np.full(n, -1, dtype=np.int64)  # an order holds until then
        self.refused = 0
        self._states = [""] * n
        self._end_s = np.full(n, now_s, dtype=np.int64)  # when the present step ends
        self._new: list[int] = []
        self.step(now_s)

    @property
    def states(self) -> list[str]:
        """What each junction shows."""
        return self._states

    def mode(self, now_s: int) -> Ints:
        """Return who runs each junction: index into MODES."""
        return np.where(self.until_s > now_s, CENTRAL, PLAN)

    def tell(self, now_s: int, junction: Ints | None = None) -> SignalStates:
        """Return the SPAT of ``junction`` (rows; None: all)."""
        rows = np.arange(self.layout.n_junctions, dtype=np.int64) if junction is None else junction
        s = self.stages
        return SignalStates(
            now_s, f"spat/{now_s}", rows, s.phase[rows], s.to[rows], s.since_s[rows], self.mode(now_s)[rows]
        )

    def order(self, now_s: int, order: ShowPhases) -> None:
        """Carry out an order of central control from ``now_s`` on."""
        junction, phase = order.junction, order.phase
        stages = self.stages
        stages.finish(now_s)
        if order.until_s <= now_s:
            self.refused += junction.size
            return
        # an order for a junction that central control did not hold, given in the belief of another state, is late
        ours = self.until_s[junction] > now_s
        wait = (stages.phase != stages.to)[junction] & (stages.to[junction] != phase)
        early = ~stages.may_change(now_s)[junction]
        early &= phase != stages.to[junction]
        late = ~ours & (wait | early)
        self.refused += int(late.sum())
        junction, phase = junction[~late], phase[~late]
        stages.change(now_s, junction, phase)
        self.until_s[junction] = order.until_s
        self._show(junction, now_s)

    def plan(self, now_s: int, order: SetPlans) -> None:
        """Take new plans; running greens go on, and come into step with the new plan bit by bit."""
        green, offset = self.plans.green_s.copy(), self.plans.offset_s.copy()
        green[order.phase], offset[order.junction] = order.green_s, order.offset_s
        try:
            self.plans = Plans.of(self.layout, green, offset)
        except ValueError as error:
            raise ControlError(f"signals at {now_s} s: {error}") from None
        local = order.junction[self.until_s[order.junction] <= now_s]
        self._end_s[local] = np.minimum(self._end_s[local], now_s)

    def step(self, now_s: int) -> list[int]:
        """Advance to ``now_s`` (every second, once); return the junctions that show something new."""
        ended = np.flatnonzero(self._end_s <= now_s)
        if ended.size == 0:
            return self._take_new()
        stages = self.stages
        stages.finish(now_s)
        local = ended[(stages.phase[ended] == stages.to[ended]) & (self.until_s[ended] <= now_s)]
        if local.size:
            over = local[now_s >= self._green_ends_s(local)]
            stages.change(now_s, over, self.plans.following[stages.phase[over]])
        self._show(ended, now_s)
        return self._take_new()

    def _green_ends_s(self, junction: Ints) -> Ints:
        """Return when the plans end the present greens of ``junction``."""
        phase, since = self.stages.phase[junction], self.stages.since_s[junction]
        ends = since + green_for_s(self.layout, self.plans, junction, phase, since)
        return np.asarray(np.where(self.plans.following[phase] == phase, _NEVER, ends))

    def _show(self, junction: Ints, now_s: int) -> None:
        """Work out what ``junction`` show now, and when that ends."""
        stages = self.stages
        green = stages.phase[junction] == stages.to[junction]
        self._end_s[junction] = np.where(
            green & (self.until_s[junction] <= now_s),
            np.maximum(self._green_ends_s(junction), now_s + 1),
            self.until_s[junction],
        )
        for j, is_green in zip(junction.tolist(), green.tolist(), strict=True):
            state, end_s = stages.state(j, now_s)
            if not is_green:
                self._end_s[j] = end_s
            if state != self._states[j]:
                self._states[j] = state
                self._new.append(j)

    def _take_new(self) -> list[int]:
        new, self._new = self._new, []
        return new
