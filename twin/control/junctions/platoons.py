"""Control by what approaches (L2, L3): serve the phase that lets most vehicles through per second, lost time included.

For every phase the number of vehicles N(t) that would leave in t seconds of green is computed from the queue and the
moving vehicles that roadside units see, at saturation flow and no more than there is room behind. A phase is worth
its best rate, max over t of N(t) / (lost + t), where ``lost`` is the change and the start-up time – none for the
phase that is green already. The best phase gets green. So a green lasts until the queue is gone and while a platoon
keeps coming, a change waits for a platoon that is about to arrive, and nobody is served in driblets. A queue that has
waited ``most_red_s`` is served first, so nobody starves.

Source: the optimisation and stabilisation rule of Lämmer and Helbing 2008, "Self-control of traffic lights and vehicle
flows in urban road networks", J. Stat. Mech. P04019.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Floats, Ints
from twin.control.junctions.ports import START_S, Bools, JunctionsView


class Platoons:
    """See the module's text. ``horizon_s`` in steps of ``step_s``."""

    def __init__(self, horizon_s: int = 50, step_s: int = 2, share: float = 0.7) -> None:
        self._step_s, self._share = step_s, share
        self._t = np.arange(1, horizon_s // step_s + 1) * float(step_s)
        self._owed_s: Floats | None = None
        self._must: Bools | None = None
        self._last_s = 0

    def wish(self, view: JunctionsView) -> Ints:
        """See the Protocol."""
        layout, t, step = view.layout, self._t, self._step_s
        use = np.flatnonzero(layout.lane_served[layout.pair_lane])
        pair_phase, pair_lane = layout.pair_phase[use], layout.pair_lane[use]
        phases = np.arange(layout.n_phases)
        phase_junction = layout.told.phase_junction
        running = view.phase[phase_junction] == phases
        column = phases - layout.first_phase[phase_junction]
        change = layout.change_s[view.phase[phase_junction], column]
        lost = np.where(running, 0.0, change + START_S)
        # a lane that is green now and in the other phase goes on through the change
        now_green = np.zeros(layout.n_lanes, dtype=bool)
        mine = running[pair_phase]
        now_green[pair_lane[mine]] = True
        delay = np.where(now_green[pair_lane], 0.0, lost[pair_phase])

        # vehicles at the stop line by the end of each step, from now
        bins = t.size
        at = np.minimum((view.object_eta_s // step).astype(np.int64), bins)
        come = np.bincount(view.object_lane * (bins + 1) + at, minlength=layout.n_lanes * (bins + 1))
        there = view.queue[:, None] + come.reshape(layout.n_lanes, bins + 1)[:, :bins].cumsum(axis=1)

        leave = view.leave_veh_s[use][:, None] * np.maximum(t[None, :] - delay[:, None], 0.0)
        served = np.minimum(np.minimum.accumulate(there[pair_lane] - leave, axis=1), 0.0) + leave
        served = np.minimum(served, self._room(view)[pair_lane][:, None])
        rate = np.zeros((layout.n_phases, bins))
        np.add.at(rate, pair_phase, served)
        rate /= t[None, :]
        # whoever turns green stays so for the minimum: the rate counts from there on
        soon = ~running[:, None] & (t[None, :] < (change + layout.told.phase_min_s)[:, None])
        rate[soon] = 0.0
        score = rate.max(axis=1)
        score = np.where(self._owe(view, use, running), 1e3 + score, score)
        best = view.best(score)
        return view.or_stay(np.where(score[best] > score[view.phase], best, view.phase))

    def _owe(self, view: JunctionsView, use: Ints, running: Bools) -> Bools:
        """Return the phases that must be served: they are owed green, as a share of what their plan gives them."""
        layout = view.layout
        if self._owed_s is None or self._must is None:
            self._owed_s = np.zeros(layout.n_phases)
            self._must = np.zeros(layout.n_phases, dtype=bool)
            self._last_s = view.now_s
        step, self._last_s = view.now_s - self._last_s, view.now_s
        cycle = view.plans.cycle_s[layout.told.phase_junction]
        can = (view.queue[layout.pair_lane[use]] > 0.5) & (view.leave_veh_s[use] > 0)
        waits = np.bincount(layout.pair_phase[use], weights=can, minlength=layout.n_phases) > 0
        green = running & (view.to == view.phase)[layout.told.phase_junction]
        share = self._share * view.plans.green_s / cycle
        self._owed_s += step * np.where(green, share - 1.0, np.where(waits, share, 0.0))
        limit = self._share * view.plans.green_s
        self._owed_s = np.clip(np.where(waits, self._owed_s, 0.0), 0.0, 2.0 * limit)
        self._must = waits & ((self._owed_s >= limit) | (self._must & (self._owed_s > 0)))
        return self._must

    @staticmethod
    def _room(view: JunctionsView) -> Floats:
        """Vehicles that still fit where each lane leads to (L); plenty where it leads out."""
        layout = view.layout
        free = np.maximum(layout.lane_room - view.queue - view.moving, 0.0)[layout.feeds_to]
        n = layout.n_lanes
        room = np.bincount(layout.feeds_lane, weights=free * (layout.feeds_share > 0.02), minlength=n)
        inside = np.bincount(layout.feeds_lane, weights=layout.feeds_share, minlength=n)
        return np.asarray(np.where(inside > 0.99, room, 1e6))
