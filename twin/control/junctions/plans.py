"""Fixed-time plans: which phase is due, and how a junction that is out of step finds back without a jump.

A plan is a green time per phase and an offset per junction; its cycle is the sum of greens and changes. A junction
that is late or early in its cycle (after central control, or a new plan) shortens or stretches its greens, by no more
than ``MOST_SHORTER`` and ``MOST_LONGER``, until it is in step: the transition method "short way" (FHWA Signal Timing
Manual 2015, 7.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin.control.junctions.layout import Ints, Layout

MOST_SHORTER, MOST_LONGER = 0.8, 1.25


@dataclass(frozen=True)
class Plans:
    """A plan for every junction. green_s (P), offset_s (J); begin_s (P): start of green in the cycle; cycle_s (J).

    following (P): the phase that comes after each one (phases with no green are left out).
    """

    green_s: Ints
    offset_s: Ints
    begin_s: Ints
    cycle_s: Ints
    following: Ints

    @classmethod
    def of(cls, layout: Layout, green_s: Ints, offset_s: Ints) -> Plans:
        """Make the plans from greens and offsets; ValueError for a junction without any green."""
        told = layout.told
        n = layout.n_phases
        following = np.arange(n, dtype=np.int64)
        begin = np.zeros(n, dtype=np.int64)
        cycle = np.zeros(layout.n_junctions, dtype=np.int64)
        for j in range(layout.n_junctions):
            rows = np.arange(layout.first_phase[j], layout.first_phase[j + 1])
            used = rows[green_s[rows] > 0]
            if used.size == 0:
                raise ValueError(f"the plan of junction '{layout.name(j)}' has no green")
            after = np.roll(used, -1)
            lost = layout.change_time(used, after)
            if (lost < 0).any():
                raise ValueError(f"the plan of junction '{layout.name(j)}' asks for a change that is not allowed")
            starts = np.cumsum(np.concatenate([[0], (green_s[used] + lost)]))
            begin[used] = starts[:-1]
            cycle[j] = starts[-1]
            following[used] = after
            for row in rows[green_s[rows] <= 0].tolist():  # where such a phase still shows: the next one used
                later = used[used > row]
                following[row] = later[0] if later.size else used[0]
        least = told.phase_min_s
        short = (green_s > 0) & (green_s < least)
        if short.any():
            p = int(np.argmax(short))
            raise ValueError(
                f"the plan of junction '{layout.name(int(told.phase_junction[p]))}' gives phase {p} {int(green_s[p])} s"
                f" of green; its minimum is {int(least[p])} s"
            )
        return cls(green_s.astype(np.int64), offset_s.astype(np.int64) % cycle, begin, cycle, following)

    @classmethod
    def own(cls, layout: Layout) -> Plans:
        """Return the plans that the map tells: the junctions' own programs."""
        return cls.of(layout, layout.told.phase_green_s, layout.told.offset_s)


def position(layout: Layout, plans: Plans, now_s: int) -> tuple[Ints, Ints, Ints]:
    """Return (phase, to, since_s) of every junction whose plan has always run at ``now_s``."""
    phase = np.zeros(layout.n_junctions, dtype=np.int64)
    to, since = phase.copy(), phase.copy()
    for j in range(layout.n_junctions):
        at = int((now_s - plans.offset_s[j]) % plans.cycle_s[j])
        rows = np.arange(layout.first_phase[j], layout.first_phase[j + 1])
        used = rows[plans.green_s[rows] > 0]
        p = int(used[np.searchsorted(plans.begin_s[used], at, side="right") - 1])
        into = at - int(plans.begin_s[p])
        if into < plans.green_s[p]:
            phase[j], to[j], since[j] = p, p, now_s - into
        else:
            phase[j], to[j], since[j] = p, plans.following[p], now_s - into + int(plans.green_s[p])
    return phase, to, since


def green_for_s(layout: Layout, plans: Plans, junction: Ints, phase: Ints, since_s: Ints) -> Ints:
    """Return how long the green of ``phase`` that began at ``since_s`` should last to come (nearer) into step.

    Equal-length arrays beside ``junction`` (rows).
    """
    cycle = plans.cycle_s[junction]
    due = plans.offset_s[junction] + plans.begin_s[phase]
    late = (since_s - due + cycle // 2) % cycle - cycle // 2
    green, least = plans.green_s[phase], layout.told.phase_min_s[phase]
    low = np.maximum(least, np.ceil(MOST_SHORTER * green).astype(np.int64))
    high = np.maximum(low, np.floor(MOST_LONGER * green).astype(np.int64))
    # in step: exactly the plan
    return np.asarray(np.where(late == 0, np.maximum(green, least), np.clip(green - late, low, high)))


def green_ends_s(layout: Layout, plans: Plans, junction: int, phase: int, since_s: int) -> int:
    """Return when the plan ends the green of ``phase`` that began at ``since_s``: :func:`green_for_s` for one."""
    cycle, green = int(plans.cycle_s[junction]), int(plans.green_s[phase])
    due = int(plans.offset_s[junction]) + int(plans.begin_s[phase])
    late = (since_s - due + cycle // 2) % cycle - cycle // 2
    least = int(layout.told.phase_min_s[phase])
    if late == 0:
        return since_s + max(green, least)
    low = max(least, math.ceil(MOST_SHORTER * green))
    return since_s + min(max(green - late, low), max(low, math.floor(MOST_LONGER * green)))


def due_phase(layout: Layout, plans: Plans, phase: Ints, since_s: Ints, now_s: int) -> Ints:
    """Return the phase each junction's plan wants at ``now_s``: the present one, or the next when its time is over.

    Arrays over all junctions.
    """
    every = np.arange(phase.size, dtype=np.int64)
    over = now_s - since_s >= green_for_s(layout, plans, every, phase, since_s)
    return np.asarray(np.where(over, plans.following[phase], phase))
