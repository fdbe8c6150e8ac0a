"""Help at merges: whose turn it is, and the speed with which everybody comes there one headway after the other.

Vehicles of all roads that lead to a merge are put into one row by their free-flow time to it (first come, first
served), a gap apart where they come from different roads. Source: Uno, Sakaguchi and
Tsugawa 1999, "A merging control algorithm based on inter-vehicle communication" (virtual vehicles on the other road);
Rios-Torres and Malikopoulos 2017, doi 10.1109/TITS.2016.2600504. Vehicles that are not connected are in the row,
too, but get no advice: the others make room for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.control.junctions.layout import Floats, Ints


@dataclass(frozen=True)
class MergeView:
    """Vehicles on their way to merges: equal-length columns (V). Do not write.

    ``merge``: number of the place; ``road``: the road they come on; ``connected``: 1 hears advice, 0 is only seen.
    """

    merge: Ints
    road: Ints
    distance_m: Floats
    speed_m_s: Floats
    limit_m_s: Floats
    connected: Ints


class MergePolicy(Protocol):
    """Chooses advisory speeds before merges."""

    def advise(self, view: MergeView) -> Floats:
        """Return a speed per vehicle (V), m/s; inf: no advice."""


def slots_s(merge: Ints, eta_s: Floats, headway_s: float) -> Floats:
    """Return the times at which vehicles pass their merge: as soon as possible, in order of ``eta_s``, a headway apart.

    With e sorted: t_i = max over k ≤ i of (e_k + (i − k) h), that is t_i − i h is the running maximum of e_i − i h.
    """
    order = np.lexsort((eta_s, merge))
    out = np.empty(merge.size)
    start = 0
    cuts = np.flatnonzero(np.diff(merge[order])) + 1
    for end in [*cuts.tolist(), merge.size]:
        rows = order[start:end]
        k = np.arange(rows.size) * headway_s
        out[rows] = np.maximum.accumulate(eta_s[rows] - k) + k
        start = end
    return out


@dataclass(frozen=True)
class OneByOne:
    """See the module's text. All figures are assumed unless a source is named.

    ``gap_s``: between two of different roads at the merge, ``follow_s``: of one road. ``least_m_s``: never more slowly.
    ``ease_m_s``: no advice asks for more than this below the present speed, so that nobody brakes hard for it (advice
    is renewed every second; 1.5 m/s² is comfortable: ITE handbook). ``accel_m_s2``: with which a vehicle gets back to
    the limit. ``free_m``: so far before the merge advice ends. ``most_s``: who would have to be later than this gets no
    advice: the merge is full, one that is passed slowly takes fewer still, and right of way does better.
    """

    gap_s: float = 3.0
    follow_s: float = 1.2
    least_m_s: float = 20.0 / 3.6
    reach_m: float = 200.0
    step_m_s: float = 0.5
    ease_m_s: float = 1.5
    accel_m_s2: float = 1.5
    free_m: float = 15.0
    most_s: float = 5.0

    def advise(self, view: MergeView) -> Floats:
        """See the Protocol."""
        advice = np.full(view.merge.size, np.inf)
        near = np.flatnonzero((view.distance_m <= self.reach_m) & (view.distance_m > 0))
        if near.size == 0:
            return advice
        merge, road, metres, limit = view.merge[near], view.road[near], view.distance_m[near], view.limit_m_s[near]
        pace = np.minimum(view.speed_m_s[near], limit)
        soonest = soonest_s(metres, pace, limit, self.accel_m_s2)
        # whose turn it is, is a matter of place and not of speed, or who makes room would lose his turn again
        slot = turns_s(merge, road, metres / limit, soonest, self.gap_s, self.follow_s)
        # a row of one road only keeps its own distances: nobody is in the way
        several = _several_roads(merge, road)
        speed = np.maximum(metres / slot, np.maximum(pace - self.ease_m_s, self.least_m_s))
        late = slot - soonest
        later = several & (late > 0.5) & (late <= self.most_s) & (metres > self.free_m) & (view.connected[near] > 0)
        advice[near[later]] = np.floor(speed[later] / self.step_m_s) * self.step_m_s
        return advice


def soonest_s(metres: Floats, pace_m_s: Floats, limit_m_s: Floats, accel_m_s2: float) -> Floats:
    """Return the least time for ``metres`` from ``pace_m_s``, with this acceleration and no more than the limit."""
    up_m = (limit_m_s**2 - pace_m_s**2) / (2.0 * accel_m_s2)
    short = (np.sqrt(pace_m_s**2 + 2.0 * accel_m_s2 * metres) - pace_m_s) / accel_m_s2
    long = (limit_m_s - pace_m_s) / accel_m_s2 + (metres - up_m) / limit_m_s
    return np.asarray(np.where(metres < up_m, short, long))


def turns_s(
    merge: Ints, road: Ints, rank: Floats, soonest: Floats, gap_s: float, follow_s: float
) -> Floats:  # fmt: skip
    """Return when each passes its merge: one after the other in order of ``rank``, as soon as possible.

    ``follow_s`` after one of the same road, ``gap_s`` after one of another. With H the running sum of these, t_i − H_i
    is the running maximum of e_i − H_i.
    """
    order = np.lexsort((rank, merge))
    m, r = merge[order], road[order]
    starts = np.concatenate([[True], m[1:] != m[:-1]])
    between = np.concatenate([[0.0], np.where(r[1:] == r[:-1], follow_s, gap_s)])
    between[starts] = 0.0
    out = np.empty(merge.size)
    cuts = np.flatnonzero(starts)
    for a, b in zip(cuts.tolist(), [*cuts[1:].tolist(), m.size], strict=True):
        total = np.cumsum(between[a:b])
        out[order[a:b]] = np.maximum.accumulate(soonest[order[a:b]] - total) + total
    return out


def _several_roads(merge: Ints, road: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each vehicle whether vehicles of two or more roads are on the way to its merge."""
    pairs = np.unique(np.stack([merge, road]), axis=1)
    places, roads = np.unique(pairs[0], return_counts=True)
    many: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.isin(merge, places[roads > 1])
    return many
