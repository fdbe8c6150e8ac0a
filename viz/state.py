"""The state of the roads over time: volume and mean speed of every road in steps of five minutes.

Both follow from the ways of the vehicles themselves: a vehicle counts on a road when it enters it, and its time on
the road is shared out over the steps it falls in, so a jam is seen for as long as it lasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viz.pack import varint
from viz.trips import Pieces

Floats = npt.NDArray[np.float64]
STEP_S = 300


@dataclass(frozen=True)
class RoadState:
    """Arrays of shape (steps, roads): vehicles that entered, metres driven, seconds spent."""

    begin_s: float
    step_s: int
    entered: npt.NDArray[np.int64]
    driven_m: Floats
    spent_s: Floats

    @property
    def speed_m_s(self) -> Floats:
        """Mean speed by step and road, nan where nobody drove."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.spent_s > 0, self.driven_m / self.spent_s, np.nan)


def road_state(pieces: Pieces, length_m: Floats, begin_s: float, end_s: float, step_s: int = STEP_S) -> RoadState:
    """Return the state of the roads between two seconds."""
    n_steps, n_roads = max(1, int(np.ceil((end_s - begin_s) / step_s))), len(length_m)
    shape = (n_steps, n_roads)
    if len(pieces) == 0:
        return RoadState(begin_s, step_s, np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape))
    enter, leave, metres = traversals(pieces, length_m)
    road = pieces.roads.astype(np.int64)
    step = np.clip(((enter - begin_s) // step_s).astype(np.int64), 0, n_steps - 1)
    size = n_steps * n_roads
    entered = np.bincount(step * n_roads + road, minlength=size).reshape(shape)
    spent, driven = np.zeros(size), np.zeros(size)
    speed = metres / np.maximum(leave - enter, 0.1)
    at, who = enter, np.arange(len(road))
    while who.size:  # a share for the step it is in, then the rest
        until = np.minimum(leave[who], begin_s + (step[who] + 1) * step_s)
        share = np.maximum(until - at, 0.0)
        cell = step[who] * n_roads + road[who]
        spent += np.bincount(cell, share, minlength=size)
        driven += np.bincount(cell, share * speed[who], minlength=size)
        rest = (leave[who] > until) & (step[who] < n_steps - 1)
        who, at = who[rest], until[rest]
        step[who] += 1
    return RoadState(begin_s, step_s, entered, driven.reshape(shape), spent.reshape(shape))


def traversals(pieces: Pieces, length_m: Floats) -> tuple[Floats, Floats, Floats]:
    """Return for every road of every piece: second of entering, second of leaving, metres driven on it."""
    n_roads, n_points = np.diff(pieces.road_offsets), np.diff(pieces.point_offsets)
    heads, tails = pieces.point_offsets[:-1], pieces.point_offsets[1:] - 1
    # one long measure, in which pieces lie apart
    longest = np.maximum(pieces.s_m[tails], pieces.start_m[pieces.road_offsets[1:] - 1]) + 10.0
    lift = np.cumsum(longest) - longest
    s = pieces.s_m + np.repeat(lift, n_points)
    low, high = np.repeat(s[heads], n_roads), np.repeat(s[tails], n_roads)
    start = pieces.start_m + np.repeat(lift, n_roads)
    begin = np.clip(start, low, high)
    end = np.clip(start + length_m[pieces.roads], low, high)
    enter, leave = np.interp(begin, s, pieces.t_s), np.interp(end, s, pieces.t_s)
    # a halt at the very end or beginning is time on that road too
    enter[pieces.road_offsets[:-1]] = pieces.t_s[heads]
    leave[pieces.road_offsets[1:] - 1] = pieces.t_s[tails]
    return enter, np.maximum(leave, enter), end - begin


def state_streams(state: RoadState) -> dict[str, bytes]:
    """Return streams by road, then step: vehicles entered; mean speed in 0.5 m/s + 1 (0 = nobody drove)."""
    used = state.spent_s.any(axis=0) | state.entered.any(axis=0)
    speed = np.nan_to_num(np.rint(np.nan_to_num(state.speed_m_s[:, used], nan=-0.5) * 2) + 1)
    return {
        "state.road": varint(np.diff(np.flatnonzero(used), prepend=0)),
        "state.entered": varint(state.entered[:, used].T),
        "state.speed": varint(np.clip(speed, 0, 120).astype(np.int64).T),
    }
