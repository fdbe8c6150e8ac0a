"""Help at merges: whose turn it is, and the speed with which everybody comes there one headway after the other.

Vehicles of all roads that lead to a merge are put into one row by the time they could be there (first come, first
served), at least one headway apart, those behind on the same road never before those ahead. Source: Uno, Sakaguchi and
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
    """See the module's text. ``headway_s``: between two at the merge (assumed); ``least_m_s``: never more slowly."""

    headway_s: float = 2.0
    least_m_s: float = 20.0 / 3.6
    reach_m: float = 200.0
    step_m_s: float = 0.5

    def advise(self, view: MergeView) -> Floats:
        """See the Protocol."""
        advice = np.full(view.merge.size, np.inf)
        near = np.flatnonzero((view.distance_m <= self.reach_m) & (view.distance_m > 0))
        if near.size == 0:
            return advice
        metres, pace = view.distance_m[near], np.minimum(view.speed_m_s, view.limit_m_s)[near]
        eta = _in_line(view.merge[near], view.road[near], metres, metres / np.maximum(pace, self.least_m_s))
        slot = slots_s(view.merge[near], eta, self.headway_s)
        # a row of one road only keeps its own distances: nobody is in the way
        several = _several_roads(view.merge[near], view.road[near])
        speed = np.floor(view.distance_m[near] / slot / self.step_m_s) * self.step_m_s
        later = several & (slot > eta + 0.5) & (view.connected[near] > 0)
        advice[near[later]] = np.maximum(speed, self.least_m_s)[later]
        return advice


def _in_line(merge: Ints, road: Ints, distance_m: Floats, eta_s: Floats) -> Floats:
    """Return the times with nobody before those ahead of it on its own road."""
    order = np.lexsort((distance_m, road, merge))
    out = np.empty(eta_s.size)
    cuts = np.flatnonzero((np.diff(merge[order]) != 0) | (np.diff(road[order]) != 0)) + 1
    start = 0
    for end in [*cuts.tolist(), eta_s.size]:
        rows = order[start:end]
        out[rows] = np.maximum.accumulate(eta_s[rows])
        start = end
    return out


def _several_roads(merge: Ints, road: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each vehicle whether vehicles of two or more roads are on the way to its merge."""
    pairs = np.unique(np.stack([merge, road]), axis=1)
    places, roads = np.unique(pairs[0], return_counts=True)
    many: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.isin(merge, places[roads > 1])
    return many
