"""Vehicle-actuated control (L1): phases in their order, skipped without demand, extended from gap to gap."""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Floats, Ints
from twin.control.junctions.ports import JunctionsView


class Actuated:
    """A green ends when no served lane had a vehicle within ``gap_s`` (gap-out), or after its maximum (max-out).

    It ends only if another phase has demand, and goes to the next phase in order that has. Source: FHWA Signal
    Timing Manual 2015, chapter 6; passage time 3 s.
    """

    def __init__(self, gap_s: float = 3.0) -> None:
        self._gap_s = gap_s

    def wish(self, view: JunctionsView) -> Ints:
        """See the Protocol."""
        layout, told = view.layout, view.layout.told
        pair_phase, pair_lane = layout.pair_phase, layout.pair_lane
        counts = layout.lane_served[pair_lane]
        pair_phase, pair_lane = pair_phase[counts], pair_lane[counts]
        n = layout.n_phases
        busy = np.where(view.known, view.gap_s < self._gap_s, view.queue > 0.5)
        flowing = np.bincount(pair_phase, weights=busy[pair_lane], minlength=n) > 0
        here = (view.queue + view.moving)[pair_lane] > 0.5
        asked = np.bincount(pair_phase, weights=here, minlength=n) > 0
        green_s = view.now_s - view.since_s
        # a lane without any sensor flows for as long as its plan says
        end = ~flowing[view.phase] | (green_s >= told.phase_max_s[view.phase])
        wish = view.phase.copy()
        candidate = view.phase.copy()
        for _ in range(int(layout.phases.max(initial=1)) - 1):
            candidate = layout.next_in_order(candidate)
            take = end & (wish == view.phase) & asked[candidate] & (layout.change_time(view.phase, candidate) >= 0)
            wish = np.where(take, candidate, wish)
        return view.or_stay(wish)


__all__ = ["Actuated", "Floats"]
