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


def lit_table(layout: Layout) -> Bools:
    """Return (G, K): whether a group is green in the k-th phase of its junction."""
    told = layout.told
    lit = np.zeros((told.group_junction.size, layout.change_s.shape[1]), dtype=bool)
    for g, (j, place) in enumerate(zip(told.group_junction.tolist(), told.group_place.tolist(), strict=True)):
        for k in range(int(layout.phases[j])):
            lit[g, k] = told.phase_state[int(layout.first_phase[j]) + k][place] in GREENS
    return lit


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
    layout: Layout, plans: Plans, lit: Bools, phase: Ints, to: Ints, since_s: Ints, mode: Ints, now_s: int
) -> GroupTimes:
    """Return the times of all groups for junctions in these stages (J) at ``now_s``; ``lit``: :func:`lit_table`."""
    told = layout.told
    of = told.group_junction
    every = np.arange(layout.n_junctions, dtype=np.int64)
    n = of.size
    start = np.full((2, n), np.inf)
    stop = np.full((2, n), np.inf)
    found = np.zeros(n, dtype=np.int64)  # greens that are over
    shows = np.zeros(n, dtype=bool)
    changing = phase != to
    current = np.where(changing, to, phase)
    begin = np.where(changing, since_s + layout.change_time(phase, to) - now_s, 0).astype(np.float64)
    begin = np.maximum(begin, 0.0)
    left = since_s + green_for_s(layout, plans, every, phase, since_s) - now_s
    length = np.where(changing, np.maximum(plans.green_s[current], told.phase_min_s[current]), np.maximum(left, 0))
    end = begin
    for _ in range(3 * layout.change_s.shape[1]):
        green = lit[np.arange(n), (current - layout.first_phase[:-1])[of]]
        new = green & ~shows & (found < 2)
        rows = np.flatnonzero(new)
        start[found[rows], rows] = begin[of[rows]]
        over = np.flatnonzero(~green & shows)
        stop[found[over], over] = end[of[over]]
        found[over] += 1
        shows = (shows & green) | new
        end = begin + length
        following = plans.following[current]
        if (found >= 2).all():
            break
        begin = end + np.maximum(layout.change_time(current, following), 0)
        current = following
        length = np.maximum(plans.green_s[current], told.phase_min_s[current])
    confidence = np.where(mode[of] == PLAN, PLAN_CONFIDENCE, CENTRAL_CONFIDENCE)
    return GroupTimes(start[0], stop[0], start[1], stop[1], confidence)
