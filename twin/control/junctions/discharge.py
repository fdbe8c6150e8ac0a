"""How fast queues really leave: saturation flow per lane and phase, learned from what passes, and lanes that are stuck.

The saturation flow of a lane in a phase is what crossed the stop line over the seconds of green in which a queue
stood behind it (HCM 6, chapter 31, measures it the same way), with the handbook's value as a prior of ``PRIOR_S``
seconds. A lane whose queue does not move ``STUCK_S`` into its green is stuck (there is no room behind the junction):
it is worth nothing for ``RETRY_S``, or until it moves.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.ports import PERMITTED, SATURATION_VEH_S, START_S

PRIOR_S = 30.0
MEMORY_S = 600.0  # of queued green
STUCK_S = 6.0
RETRY_S = 15.0


class Discharge:
    """See the module's text; rows are the layout's pairs of phase and lane."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        prior = SATURATION_VEH_S * np.where(layout.pair_right == 1, 1.0, PERMITTED)
        self._seconds = np.full(prior.size, PRIOR_S)
        self._vehicles = PRIOR_S * prior
        self._stuck_until_s = np.full(layout.n_lanes, -(10**9), dtype=np.float64)

    def learn(
        self, now_s: int, step_s: Floats, phase: Ints, green_s: Floats, queue_before: Floats, queue: Floats,
        gap_s: Floats, passed: Floats,
    ) -> None:  # fmt: skip
        """Take in one reading: all arrays over lanes; ``phase`` and ``green_s`` of the lane's junction (−1: no green).

        ``step_s``: seconds since the last reading of the lane (0: no new one); nan where nothing is known.
        """
        layout = self._layout
        queued = (queue_before > 0.5) & (step_s > 0) & ~np.isnan(passed)
        flowing = queued & (green_s >= START_S + step_s)
        served = phase[layout.pair_lane] == layout.pair_phase
        rows = (flowing[layout.pair_lane] & served).nonzero()[0]
        if rows.size:
            lane = layout.pair_lane[rows]
            keep = np.exp(-step_s[lane] / MEMORY_S)
            self._seconds[rows] = self._seconds[rows] * keep + step_s[lane]
            self._vehicles[rows] = self._vehicles[rows] * keep + passed[lane]
        stuck = queued & (queue > 0.5) & (green_s >= START_S + STUCK_S) & (gap_s >= STUCK_S)
        if stuck.any():
            green = np.zeros(queued.size, dtype=bool)
            green[layout.pair_lane[served]] = True
            self._stuck_until_s[stuck & green] = now_s + RETRY_S
        self._stuck_until_s[(step_s > 0) & (passed > 0)] = now_s

    def flow_veh_s(self, now_s: int) -> Floats:
        """Return what each pair can let through now, vehicles per second of green; 0 where the lane is stuck."""
        flow = np.clip(self._vehicles / self._seconds, 0.05, 0.7)
        return np.asarray(np.where(self._stuck_until_s[self._layout.pair_lane] > now_s, 0.0, flow))
