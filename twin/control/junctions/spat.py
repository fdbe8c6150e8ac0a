"""When groups turn green and red: the timing part of SPAT, for all junctions at once.

A junction that runs its own plan tells exact times (as far as the plan stays); one that central control holds can only
guess that the plan's order and lengths go on, and says so with a low ``confidence`` (adaptive signals are hard to
predict: Bodenheimer et al. 2014, "Enabling GLOSA for adaptive traffic lights", IEEE VNC).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.control.junctions.layout import GREENS, Floats, Ints, Layout
from twin.control.junctions.plans import Plans, green_for_s
from twin.control.junctions.ports import Bools
from twin.domain.junctions import PLAN

#: confidence of times of a junction under central control, and under its own plan; assumed
CENTRAL_CONFIDENCE, PLAN_CONFIDENCE = 0.3, 1.0


@dataclass(frozen=True)
class Lit:
    """When groups (G) are green, made once from the layout; K phases at most per junction.

    ``phase`` (G, K): in the k-th phase of their junction. ``stays_s`` (G, K, K): so many seconds of the change from one
    phase to another a group that was green stays so; ``early_s``: so many seconds before the end of the change it turns
    green already.
    """

    phase: Bools
    stays_s: Ints
    early_s: Ints

    @classmethod
    def of(cls, layout: Layout) -> Lit:
        """Read the states of the phases and of the steps between them."""
        told = layout.told
        k = layout.change_s.shape[1]
        place, of = told.group_place, told.group_junction
        phase = np.zeros((place.size, k), dtype=bool)
        stays = np.zeros((place.size, k, k), dtype=np.int64)
        early = np.zeros((place.size, k, k), dtype=np.int64)
        groups = [np.flatnonzero(of == j) for j in range(layout.n_junctions)]
        for p, (j, state) in enumerate(zip(told.phase_junction.tolist(), told.phase_state, strict=True)):
            phase[groups[j], p - layout.first_phase[j]] = _green(state, place[groups[j]])
        for (a, b), steps in layout.steps.items():
            j = int(told.phase_junction[a])
            rows, first = groups[j], int(layout.first_phase[j])
            stays[rows, a - first, b - first] = _run(steps, place[rows])
            early[rows, a - first, b - first] = _run(steps[::-1], place[rows])
        return cls(phase, stays, early)


def _green(state: str, place: Ints) -> Bools:
    return np.array([state[p] in GREENS for p in place.tolist()], dtype=bool)


def _run(steps: list[tuple[str, int]], place: Ints) -> Ints:
    """Return for how many seconds, from the first step on, each place is green without a break."""
    total = np.zeros(place.size, dtype=np.int64)
    going = np.ones(place.size, dtype=bool)
    for state, seconds in steps:
        going &= _green(state, place)
        total[going] += seconds
    return total


@dataclass(frozen=True)
class GroupTimes:
    """Seconds from now, per group (G): its green under way or next (``from_s`` 0: green now) and the one after that.

    inf: never in this plan. ``confidence``: 0 … 1.
    """

    from_s: Floats
    to_s: Floats
    then_from_s: Floats
    then_to_s: Floats
    confidence: Floats


def group_times(
    layout: Layout, plans: Plans, lit: Lit, phase: Ints, to: Ints, since_s: Ints, mode: Ints, now_s: int
) -> GroupTimes:
    """Return the times of all groups for junctions in these stages (J) at ``now_s``."""
    told = layout.told
    of = told.group_junction
    every = np.arange(layout.n_junctions, dtype=np.int64)
    rows = np.arange(of.size)
    times = np.full((2, 2, of.size), np.inf)  # which green; begin or end
    found = np.zeros(of.size, dtype=np.int64)
    changing = phase != to
    left = np.maximum(since_s + green_for_s(layout, plans, every, phase, since_s) - now_s, 0)
    current, following = phase, np.where(changing, to, plans.following[phase])
    ends = np.where(changing, since_s - now_s, left).astype(np.float64)
    shows = lit.phase[rows, (current - layout.first_phase[:-1])[of]]
    begin = np.zeros(of.size)  # of the green that shows
    for _ in range(3 * layout.change_s.shape[1] + 1):
        here, there = (current - layout.first_phase[:-1])[of], (following - layout.first_phase[:-1])[of]
        takes = np.maximum(layout.change_time(current, following), 0)
        stays, goes = lit.stays_s[rows, here, there], lit.phase[rows, there]
        through = shows & goes & (stays >= takes[of])
        stop = ends[of] + stays
        over = np.flatnonzero(shows & ~through & (stop > 0) & (found < 2))
        times[found[over], 0, over], times[found[over], 1, over] = begin[over], stop[over]
        found[over] += 1
        if (found >= 2).all():
            break
        starts = ends + takes
        begin = np.where(through, begin, np.maximum(starts[of] - lit.early_s[rows, here, there], 0.0))
        shows = goes
        current, following = following, plans.following[following]
        ends = starts + np.maximum(plans.green_s[current], told.phase_min_s[current])
    still = np.flatnonzero(shows & (found < 2))  # green for good, as far as the plan tells
    times[found[still], 0, still] = begin[still]
    confidence = np.where(mode[of] == PLAN, PLAN_CONFIDENCE, CENTRAL_CONFIDENCE)
    return GroupTimes(times[0, 0], times[0, 1], times[1, 0], times[1, 1], confidence)
