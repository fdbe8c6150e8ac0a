"""Control by what approaches (L2, L3): serve the phase that lets most vehicles through per second, lost time included.

For every phase the number of vehicles N(t) that would leave within t seconds from now is computed from the queue and
the moving vehicles that roadside units see, at the saturation flow that was learned, with no more than there is room
behind, and after the change and the start-up time – except for lanes that are green already. A phase is worth its best
rate, max over t of N(t) / t. The best phase gets green. So a green lasts until the queue is gone and while a platoon
keeps coming, a change waits for a platoon that is about to arrive, and nobody is served in driblets.

Rates alone would let a thin stream wait for ever. So every phase with a queue earns ``share`` of the green that its
plan would give it; once it has earned as much as that share of one green of its plan, it is served, until it has spent
what it earned or its queue is gone. Over time nobody gets less than that share of the plan.

Source: the optimisation and stabilisation rules of Lämmer and Helbing 2008, "Self-control of traffic lights and vehicle
flows in urban road networks", J. Stat. Mech. P04019; the guarantee is theirs in spirit, in the form of a token bucket.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.plans import Plans
from twin.control.junctions.ports import START_S, Bools, JunctionsView


class _Static:
    """What does not change from second to second: pairs of phase and lane whose lane needs a decision."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.use = np.flatnonzero(layout.lane_served[layout.pair_lane])
        self.phase, self.lane = layout.pair_phase[self.use], layout.pair_lane[self.use]
        self.rows = np.arange(layout.n_phases)
        self.junction = layout.told.phase_junction
        inside = np.bincount(layout.feeds_lane, weights=layout.feeds_share, minlength=layout.n_lanes)
        self.leads_out = inside < 0.99
        self.owed_s = np.zeros(layout.n_phases)
        self.must = np.zeros(layout.n_phases, dtype=bool)
        self.last_s: int | None = None
        self.plans: Plans | None = None  # those that share and limit_s (P) are of
        self.share: Floats = self.owed_s
        self.limit_s: Floats = self.owed_s


class Platoons:
    """See the module's text. Looks ``horizon_s`` ahead in steps of ``step_s`` (None: half an interval, 2 to 5 s)."""

    def __init__(self, horizon_s: int = 50, step_s: int | None = None, share: float = 0.7) -> None:
        self._horizon_s, self._given_s, self._share = horizon_s, step_s, share
        self._step_s = 0
        self._static: _Static | None = None

    def wish(self, view: JunctionsView) -> Ints:
        """See the Protocol."""
        layout = view.layout
        if self._static is None or self._static.layout is not layout:
            self._static = _Static(layout)
            self._step_s = self._given_s or min(max(view.interval_s // 2, 2), 5)
            self._t = np.arange(1, self._horizon_s // self._step_s + 1) * float(self._step_s)
        k = self._static
        now = view.phase[k.junction]
        running = now == k.rows
        change = layout.change_s[now, layout.column]
        some, rate = self._rates(view, k, running, change)
        # whoever turns green stays so for the minimum: the rate counts from there on
        least_s = np.where(running, 0, change + layout.told.phase_min_s)[some]
        rate[self._t[None, :] < least_s[:, None]] = 0.0
        score: Floats = 1e3 * self._owe(view, k, running).astype(np.float64)
        score[some] += rate.max(axis=1)
        best = view.best(score)
        return view.or_stay(np.where(score[best] > score[view.phase], best, view.phase))

    def _rates(self, view: JunctionsView, k: _Static, running: Bools, change: Ints) -> tuple[Ints, Floats]:
        """Return the phases that would let somebody through, and how many per second within each time (phases, T)."""
        layout, t = view.layout, self._t
        bins = t.size
        at = np.minimum((view.object_eta_s // self._step_s).astype(np.int64), bins)
        come = np.bincount(view.object_lane * (bins + 1) + at, minlength=layout.n_lanes * (bins + 1))
        come = come.reshape(layout.n_lanes, bins + 1)[:, :bins]
        there = come.cumsum(axis=1) + view.queue[:, None]
        rows = np.flatnonzero((there[:, -1] > 0)[k.lane])  # most lanes are empty most of the time
        if rows.size == 0:
            return rows, np.zeros((0, bins))
        lane, phase = k.lane[rows], k.phase[rows]
        green = np.zeros(layout.n_lanes, dtype=bool)
        green[k.lane[running[k.phase]]] = True
        delay = np.where(green[lane] | running[phase], 0.0, change[phase] + START_S)
        leave = view.leave_veh_s[k.use[rows]][:, None] * np.maximum(t[None, :] - delay[:, None], 0.0)
        served: Floats = np.minimum(np.minimum.accumulate(there[lane] - leave, axis=1), 0.0) + leave
        served = np.minimum(served, self._room(view, k)[lane][:, None])
        first = np.flatnonzero(np.concatenate([[True], phase[1:] != phase[:-1]]))  # pairs are in order of phases
        return phase[first], np.add.reduceat(served, first, axis=0) / t

    def _owe(self, view: JunctionsView, k: _Static, running: Bools) -> Bools:
        """Return the phases that must be served, because they have earned it."""
        passed = 0 if k.last_s is None else view.now_s - k.last_s
        k.last_s = view.now_s
        plans = view.plans
        can = (view.queue[k.lane] > 0.5) & (view.leave_veh_s[k.use] > 0)
        waits = np.bincount(k.phase, weights=can, minlength=k.rows.size) > 0
        green = running & (view.to == view.phase)[k.junction]
        if k.plans is not plans:
            k.plans = plans
            k.limit_s = np.asarray(self._share * plans.green_s, dtype=np.float64)
            k.share = k.limit_s / plans.cycle_s[k.junction]
        share, limit = k.share, k.limit_s
        k.owed_s += passed * np.where(green, share - 1.0, share)
        k.owed_s = np.where(waits, np.clip(k.owed_s, 0.0, 2.0 * limit), 0.0)
        k.must = waits & (limit > 0) & ((k.owed_s >= limit) | (k.must & (k.owed_s > 0)))
        return k.must

    @staticmethod
    def _room(view: JunctionsView, k: _Static) -> Floats:
        """Vehicles that still fit where each lane leads to (L); plenty where it leads out."""
        layout = view.layout
        free = np.maximum(layout.lane_room - view.queue - view.moving, 0.0)[layout.feeds_to]
        room = np.bincount(layout.feeds_lane, weights=free, minlength=layout.n_lanes)
        return np.where(k.leads_out, 1e6, room)
