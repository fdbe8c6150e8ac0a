"""Max-pressure control (L2): give green to the phase that relieves most.

The pressure of a lane is what queues on it minus what queues where its links lead; the pressure of a phase is the
sum over the lanes it serves, times their saturation flow. Serving the phase of highest pressure keeps all queues
bounded whenever any control can (Varaiya 2013, "Max pressure control of a network of signalized intersections",
Transportation Research C 36). The proof lets phases change for nothing; :class:`MaxPressure` with ``period_s`` does
that once per period. :class:`SteadyMaxPressure` counts what a change costs: vehicles that could have left meanwhile.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.ports import PERMITTED, SATURATION_VEH_S, START_S, JunctionsView


def behind(layout: Layout, lanes: Floats) -> Floats:
    """Return the mean of ``lanes`` (L) over the approach lanes that each lane leads to; 0 where it leads out."""
    weights = layout.feeds_share * lanes[layout.feeds_to]
    return np.asarray(np.bincount(layout.feeds_lane, weights=weights, minlength=layout.n_lanes), dtype=np.float64)


def pressures(layout: Layout, load: Floats) -> Floats:
    """Return the pressure of every phase (P) for a load in vehicles per lane (L), in vehicles."""
    lane, right = layout.pair_lane, layout.pair_right
    share = np.where(right == 1, 1.0, PERMITTED) * layout.lane_served[lane]
    weights = share * (load - behind(layout, load))[lane]
    return np.asarray(np.bincount(layout.pair_phase, weights=weights, minlength=layout.n_phases), dtype=np.float64)


class MaxPressure:
    """Varaiya's control, at multiples of ``period_s``; ties keep the present phase."""

    def __init__(self, period_s: int = 15) -> None:
        self._period_s = period_s

    def wish(self, view: JunctionsView) -> Ints:
        """See the Protocol."""
        # in step with each junction's own green, so that a period is a green and not cut by a change
        turn = (view.now_s - view.since_s) % self._period_s < view.interval_s
        pressure = pressures(view.layout, view.queue)
        best = view.best(pressure)
        return view.or_stay(np.where(turn & (pressure[best] > pressure[view.phase]), best, view.phase))


class SteadyMaxPressure:
    """Max-pressure that changes only for a gain: pressure × (horizon − time lost) against pressure × horizon.

    A phase with longer queues than the present one takes over once it repays the change within ``horizon_s``.
    """

    def __init__(self, horizon_s: float = 20.0) -> None:
        self._horizon_s = horizon_s

    def wish(self, view: JunctionsView) -> Ints:
        """See the Protocol."""
        layout, h = view.layout, self._horizon_s
        # no more than saturation flow can leave within the horizon, whatever the queue
        load = np.minimum(view.queue, SATURATION_VEH_S * h)
        pressure = pressures(layout, load)
        junction = layout.told.phase_junction
        lost = layout.change_s[view.phase[junction], layout.column] + START_S
        lost = np.where(view.phase[junction] == np.arange(layout.n_phases), 0.0, lost)
        score = pressure * np.maximum(h - lost, 0.0) / h
        best = view.best(score)
        return view.or_stay(np.where(score[best] > score[view.phase], best, view.phase))
