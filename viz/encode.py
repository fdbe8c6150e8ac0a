"""Pieces to compact streams and back: turns at junctions and small steps instead of coordinates.

A piece becomes: vehicle (kind, entity, occurrence), second of its beginning, first road, for every further road
which turn was taken (the commonest turn of a road is 0), and steps of seconds and metres between breakpoints.
That is some 70 bytes a trip after gzip, and the page can put the vehicle exactly on the road it is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viz.pack import steps, unvarint, unwide, unzigzag, varint, wide, zigzag
from viz.trips import Pieces, offsets_of
from viz.units import FLEET_CODES

Ints = npt.NDArray[np.int64]
_KIND = 10**12
_ENTITY = 10**3
_ALWAYS = (4, *FLEET_CODES)  # buses, and units of fleets
_WIDE = {"first_road", "t0", "ds"}


@dataclass(frozen=True)
class Thinning:
    """How much was left out to keep the page small: 1 vehicle in ``one_in``, and the precision chosen."""

    one_in: int
    slack_s: float
    vehicles: int
    shown: int


def successors(pieces: Pieces, n_roads: int) -> tuple[Ints, Ints]:
    """Return (offsets, roads): for every road the roads driven next, the commonest first (ties: lower index)."""
    before, after, _ = _pairs(pieces)
    pair, count = np.unique(before * np.int64(n_roads) + after, return_counts=True)
    a, b = np.divmod(pair, np.int64(n_roads))
    order = np.lexsort((b, -count, a))
    return offsets_of(np.bincount(a, minlength=n_roads)), b[order]


def _pairs(pieces: Pieces, length_m: npt.NDArray[np.float64] | None = None) -> tuple[Ints, Ints, Any]:
    """Return (road before, road after, metres across the junction) of every turn taken."""
    inner = np.ones(len(pieces.roads), dtype=bool)
    inner[pieces.road_offsets[:-1]] = False
    at = np.flatnonzero(inner)
    before, after = pieces.roads[at - 1].astype(np.int64), pieces.roads[at].astype(np.int64)
    if length_m is None:
        return before, after, None
    return before, after, pieces.start_m[at] - pieces.start_m[at - 1] - length_m[before]


def encode(
    pieces: Pieces, length_m: npt.ArrayLike, begin_s: float, way_unit_m: float = 1.0
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return (meta, streams). Times are rounded to 1 s, or to 0.1 s if any is not whole; ways to ``way_unit_m``."""
    unit = 1.0 if bool((pieces.t_s == np.round(pieces.t_s)).all()) else 0.1
    t = np.round((pieces.t_s - begin_s) / unit).astype(np.int64)
    s = np.round(pieces.s_m / way_unit_m).astype(np.int64)
    if t.size and t.min() < 0:
        raise ValueError(f"a trip begins before {begin_s} s")
    length = np.asarray(length_m, dtype=np.float64)
    n_roads = len(length)
    off, nxt = successors(pieces, n_roads)
    before, after, across = _pairs(pieces, length)
    turn = _rank(off, nxt, before, after, n_roads)
    gap = np.zeros(len(nxt), dtype=np.int64)
    gap[off[before] + turn] = np.round(across).astype(np.int64)
    heads = pieces.point_offsets[:-1]
    inner = np.ones(len(t), dtype=bool)
    inner[heads] = False
    v = pieces.vehicle
    streams = {
        "kind": varint(v // _KIND),
        "entity": varint(zigzag(steps((v % _KIND) // _ENTITY))),
        "occurrence": varint(v % _ENTITY),
        "n_roads": varint(np.diff(pieces.road_offsets)),
        "n_points": varint(np.diff(pieces.point_offsets)),
        "first_road": wide(pieces.roads[pieces.road_offsets[:-1]]),
        "t0": wide(t[heads]),
        "s0": varint(s[heads]),
        "dt": varint(np.diff(t, prepend=0)[inner]),
        "ds": wide(np.diff(s, prepend=0)[inner]),
        "turn": varint(turn),
        "n_next": varint(np.diff(off)),
        "next_gap_m": varint(np.maximum(gap, 0)),
        "next": varint(zigzag(nxt - np.repeat(np.arange(n_roads), np.diff(off)))),
    }
    meta = {
        "pieces": len(pieces),
        "roads": len(pieces.roads),
        "points": len(t),
        "time_unit_s": unit,
        "way_unit_m": way_unit_m,
        "begin_s": begin_s,
    }
    return meta, streams


def _rank(off: Ints, nxt: Ints, before: Ints, after: Ints, n_roads: int) -> Ints:
    """Which of the roads after ``before`` is ``after``."""
    owner = np.repeat(np.arange(n_roads), np.diff(off))
    key = owner * np.int64(n_roads) + nxt
    order = np.argsort(key)
    at = order[np.searchsorted(key[order], before * np.int64(n_roads) + after)] if len(before) else before
    return np.asarray(at - off[before], dtype=np.int64)


def decode(meta: Mapping[str, Any], streams: Mapping[str, bytes], length_m: npt.ArrayLike) -> Pieces:
    """Undo :func:`encode` (times and ways stay rounded); what the page does in JavaScript."""
    length = np.asarray(length_m, dtype=np.float64)
    get = {name: (unwide if name in _WIDE else unvarint)(data) for name, data in streams.items()}
    vehicle = get["kind"] * _KIND + np.cumsum(unzigzag(get["entity"])) * _ENTITY + get["occurrence"]
    road_offsets, point_offsets = offsets_of(get["n_roads"]), offsets_of(get["n_points"])
    off = offsets_of(get["n_next"])
    nxt = unzigzag(get["next"]) + np.repeat(np.arange(len(off) - 1), get["n_next"])
    roads, start = np.empty(int(road_offsets[-1]), dtype=np.int32), np.empty(int(road_offsets[-1]))
    left = get["n_roads"] - 1
    at, turn_at, now = road_offsets[:-1].copy(), offsets_of(left)[:-1], get["first_road"]
    active, way = np.arange(len(vehicle)), np.zeros(len(vehicle))
    while active.size:  # one road further for every piece that still drives
        roads[at[active]], start[at[active]] = now, way
        on = left[active] > 0
        active, now, way = active[on], now[on], way[on]
        pair = off[now] + get["turn"][turn_at[active]]
        now, way = nxt[pair], way + length[now] + get["next_gap_m"][pair]
        at[active] += 1
        turn_at[active] += 1
        left[active] -= 1
    unit, begin = float(meta["time_unit_s"]), float(meta["begin_s"])
    t = np.asarray(_run(get["t0"], get["dt"], get["n_points"]) * unit + begin, dtype=np.float64)
    s = np.asarray(_run(get["s0"], get["ds"], get["n_points"]) * float(meta["way_unit_m"]), dtype=np.float64)
    return Pieces(vehicle, road_offsets, roads, start, point_offsets, t, s)


def _run(first: Ints, step: Ints, counts: Ints) -> Ints:
    """Sum ``step`` up from ``first``, piece by piece."""
    if not len(first):
        return np.empty(0, np.int64)
    offsets = offsets_of(counts)
    out = np.zeros(int(offsets[-1]), dtype=np.int64)
    inner = np.ones(len(out), dtype=bool)
    inner[offsets[:-1]] = False
    out[inner] = step
    total = np.cumsum(out)
    return total - np.repeat(total[offsets[:-1]] - first, counts)


def positions(pieces: Pieces, vehicle: int, t_s: npt.ArrayLike) -> tuple[Ints, npt.NDArray[np.float64], Ints]:
    """Return (road index, metres from its beginning, next road) of a vehicle at the given seconds.

    Road −1: it is not there. More metres than the road is long: it is on the junction towards the next road.
    """
    t = np.atleast_1d(np.asarray(t_s, dtype=np.float64))
    road, pos, following = np.full(len(t), -1), np.full(len(t), np.nan), np.full(len(t), -1)
    for i in np.flatnonzero(pieces.vehicle == vehicle):
        p = slice(pieces.point_offsets[i], pieces.point_offsets[i + 1])
        r = slice(pieces.road_offsets[i], pieces.road_offsets[i + 1])
        roads, start = pieces.roads[r], pieces.start_m[r]
        here = (t >= pieces.t_s[p][0]) & (t <= pieces.t_s[p][-1])
        s = np.interp(t[here], pieces.t_s[p], pieces.s_m[p])
        k = np.clip(np.searchsorted(start, s, side="right") - 1, 0, len(roads) - 1)
        road[here], pos[here] = roads[k], s - start[k]
        following[here] = np.append(roads, -1)[k + 1]
    return road, pos, following


def packed_bytes(pieces: Pieces) -> float:
    """Return about how many characters of the page the pieces will take (measured on runs of the shipped city)."""
    return 2.2 * len(pieces.t_s) + 0.17 * len(pieces.roads) + 7.5 * len(pieces)


def thin(pieces: Pieces, one_in: int) -> Pieces:
    """Keep one vehicle in ``one_in``, chosen by a fixed mixing of its number; all buses and units of fleets."""
    if one_in <= 1:
        return pieces
    mixed = (pieces.vehicle.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)
    return pieces.take((mixed % np.uint64(one_in) == 0) | np.isin(pieces.vehicle // _KIND, _ALWAYS))
