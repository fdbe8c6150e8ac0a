"""From samples to ways: the roads each vehicle drove, and when it was how far along them.

A vehicle is shown ON the road, so a trip is kept as its list of roads and as breakpoints (second, metres along
those roads), never as points on the ground. Between two samples the vehicle follows its planned route; where it
left the plan (a rerouting, a bus turning), the shortest way between the two roads fills in, and where no
plausible way exists (a teleport) the trip is cut in two *pieces*. Breakpoints within a tolerance of linear motion in
time are dropped. Everything works on whole columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from geo.city import City
    from viz.fcd import Samples

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Roads = npt.NDArray[np.int32]

TOLERANCE_M = 4.0
#: seconds of driving by which a moving vehicle may be off beyond ``TOLERANCE_M``; a page chooses the first that fits
SLACKS_S = (0.0, 0.4, 0.6, 0.8, 1.0, 1.2)
_FASTEST_M_S = 45.0  # faster than any vehicle type: beyond this a gap is a jump, not driving
_SLACK_M = 60.0


@dataclass(frozen=True)
class Plans:
    """Planned routes, sorted by vehicle: route ``i`` is ``roads[offsets[i]:offsets[i + 1]]``.

    ``entered_s`` and ``ended_s`` are when the vehicle entered and left the roads (−1: not known).
    """

    vehicle: Ints
    offsets: Ints
    roads: Roads
    entered_s: Ints
    ended_s: Ints

    @classmethod
    def none(cls) -> Plans:
        """No plans at all."""
        e = np.empty(0, np.int64)
        return cls(e, np.zeros(1, np.int64), np.empty(0, np.int32), e, e)


@dataclass(frozen=True)
class Pieces:
    """Unbroken stretches of driving, sorted by vehicle and time.

    Piece ``i`` drives ``roads[road_offsets[i]:road_offsets[i + 1]]``, which begin ``start_m`` from the beginning of
    its first road (roads and the junctions between them add up); its breakpoints are ``t_s`` and ``s_m`` in
    ``[point_offsets[i], point_offsets[i + 1])``, with ``s_m`` measured like ``start_m``.
    """

    vehicle: Ints
    road_offsets: Ints
    roads: Roads
    start_m: Floats
    point_offsets: Ints
    t_s: Floats
    s_m: Floats

    def __len__(self) -> int:
        return len(self.vehicle)

    def take(self, which: npt.NDArray[np.bool_]) -> Pieces:
        """Return only the pieces where ``which`` is true."""
        n_roads, n_points = np.diff(self.road_offsets), np.diff(self.point_offsets)
        roads, points = np.repeat(which, n_roads), np.repeat(which, n_points)
        return Pieces(
            self.vehicle[which],
            offsets_of(n_roads[which]),
            self.roads[roads],
            self.start_m[roads],
            offsets_of(n_points[which]),
            self.t_s[points],
            self.s_m[points],
        )


@dataclass(frozen=True)
class _Chain:
    """Roads end to end, and for each sample its piece and its place ``k`` in ``roads``."""

    roads: Roads
    first: Ints  # per piece: place of its first road
    last: Ints
    piece: Ints  # per sample
    k: Ints
    rows: Ints  # per sample: its row in the Samples


def offsets_of(counts: Ints) -> Ints:
    """Return where each of the groups of these sizes begins, and the end of all."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def ways(samples: Samples, plans: Plans, city: City) -> Pieces:
    """Return the pieces that the samples and plans tell, with every sample as a breakpoint."""
    if len(samples) == 0:
        e = np.empty(0, np.int64)
        none, no_offsets = np.empty(0), np.zeros(1, np.int64)
        return Pieces(e, no_offsets, np.empty(0, np.int32), none, no_offsets, none, none)
    length = city.roads["length_m"].to_numpy(np.float64)
    planned, odd = _follow(samples, plans, len(length))
    chains = [planned, _fill(samples, odd, city, length)]
    parts = [
        _measure(c, samples, (length, across_m(c.roads, city)), plans if c is planned else Plans.none())
        for c in chains
        if c.rows.size
    ]
    return _sort(_join(parts))


def simplified(pieces: Pieces, tolerance_m: float = TOLERANCE_M, slack_s: float = 0.0) -> Pieces:
    """Return the pieces with as few breakpoints as keep every sample within its tolerance along the road.

    The tolerance is ``tolerance_m``, or what the vehicle drives in ``slack_s`` seconds at that moment if that is
    more: queues stay in order, and a fast vehicle is never off by more than a moment.
    """
    if len(pieces) == 0:
        return pieces
    allowed = np.maximum(tolerance_m, slack_s * _slower(pieces))
    keep = simplify(pieces.t_s, pieces.s_m, pieces.point_offsets, allowed)
    counts = np.add.reduceat(keep.astype(np.int64), pieces.point_offsets[:-1])
    return Pieces(
        pieces.vehicle,
        pieces.road_offsets,
        pieces.roads,
        pieces.start_m,
        offsets_of(counts),
        pieces.t_s[keep],
        pieces.s_m[keep],
    )


def _slower(pieces: Pieces) -> Floats:
    """Return for every point the lower of the speeds before and after it (0 at the ends), m/s."""
    speed = np.zeros(len(pieces.t_s) + 1)
    speed[1:-1] = np.diff(pieces.s_m) / np.maximum(np.diff(pieces.t_s), 1e-3)
    speed[pieces.point_offsets] = 0.0
    return np.maximum(np.minimum(speed[:-1], speed[1:]), 0.0)


# -- along the plan ------------------------------------------------------------------------------------


def _follow(samples: Samples, plans: Plans, n_roads: int) -> tuple[_Chain, Ints]:
    """Place samples on their vehicles' plans; return the chain and the rows of vehicles that left theirs."""
    heads = np.flatnonzero(np.diff(samples.vehicle, prepend=-1))
    counts = np.diff(np.append(heads, len(samples)))
    who = samples.vehicle[heads]
    plan = np.searchsorted(plans.vehicle, who)
    known = plan < len(plans.vehicle)
    known[known] = plans.vehicle[plan[known]] == who[known]
    plan = np.where(known, plan, 0)
    wanted = np.zeros(len(plans.vehicle), dtype=bool)
    wanted[plan[known]] = True
    k = np.full(len(samples), -1, dtype=np.int64)
    if known.any():
        owner = np.repeat(np.arange(len(plans.vehicle)), np.diff(plans.offsets))
        place = np.flatnonzero(wanted[owner])
        key = owner[place] * np.int64(n_roads) + plans.roads[place]
        order = np.argsort(key, kind="stable")  # of a road driven twice, the first visit
        key, place = key[order], place[order]
        # a vehicle is often sampled several times on one road: look each stay up once
        stay = np.ones(len(samples), dtype=bool)
        stay[1:] = (samples.road[1:] != samples.road[:-1]) | (samples.vehicle[1:] != samples.vehicle[:-1])
        asked = np.repeat(np.where(known, plan, -1), counts)[stay] * np.int64(n_roads) + samples.road[stay]
        at = np.minimum(np.searchsorted(key, asked), len(key) - 1)
        hit = np.where((key[at] == asked) & (asked >= 0), place[at], -1)
        k = hit[np.cumsum(stay) - 1]
    inner = np.ones(len(samples), dtype=bool)
    inner[heads] = False
    back = np.zeros(len(samples), dtype=bool)
    back[1:] = (k[1:] < k[:-1]) | ((k[1:] == k[:-1]) & (samples.share[1:] < samples.share[:-1] - 0.05))
    wrong = (k < 0) | (back & inner)
    good = known & ~np.logical_or.reduceat(wrong, heads)
    rows = np.flatnonzero(np.repeat(good, counts))
    piece = np.repeat(np.arange(int(good.sum())), counts[good])
    if not rows.size:
        e = np.empty(0, np.int64)
        return _Chain(plans.roads, e, e, e, e, e), np.arange(len(samples))
    chain = _Chain(plans.roads, plans.offsets[:-1][plan[good]], plans.offsets[1:][plan[good]] - 1, piece, k[rows], rows)
    return chain, np.flatnonzero(np.repeat(~good, counts))


# -- off the plan --------------------------------------------------------------------------------------


def _fill(samples: Samples, rows: Ints, city: City, length: Floats) -> _Chain:
    """Chain samples road by road, with the shortest way where they are not neighbours; cut where none fits."""
    e = np.empty(0, np.int64)
    if rows.size == 0:
        return _Chain(np.empty(0, np.int32), e, e, e, e, e)
    v, r, share, t = (a[rows] for a in (samples.vehicle, samples.road, samples.share, samples.t_s))
    new_vehicle = np.ones(len(rows), dtype=bool)
    new_vehicle[1:] = v[1:] != v[:-1]
    changed = np.ones(len(rows), dtype=bool)
    changed[1:] = r[1:] != r[:-1]
    back = np.zeros(len(rows), dtype=bool)
    back[1:] = ~changed[1:] & (share[1:] < share[:-1] - 0.05)
    pairs = np.flatnonzero(changed & ~new_vehicle)
    n = np.int64(len(length))
    asked, which = np.unique(r[pairs - 1] * n + r[pairs], return_inverse=True)
    a, b = np.divmod(asked, n)
    turns = np.unique(city.turns["from_road"].to_numpy(np.int64) * n + city.turns["to_road"].to_numpy(np.int64))
    neighbours = np.isin(asked, turns)
    far = np.flatnonzero(~neighbours)
    routes = city.network.routes(a[far], b[far])
    # the roads strictly between the two ends
    between_n = np.zeros(len(asked), dtype=np.int64)
    between_at = np.zeros(len(asked), dtype=np.int64)
    between_n[far] = np.maximum(np.diff(routes.offsets) - 2, 0)
    between_at[far] = np.where(between_n[far] > 0, routes.offsets[:-1] + 1, 0)
    along = np.concatenate([[0.0], np.cumsum(length[routes.roads])])
    between_m = along[between_at + between_n] - along[between_at]
    exists = neighbours.copy()
    exists[far] = routes.found
    gap_m = between_m[which] + (1 - share[pairs - 1]) * length[r[pairs - 1]] + share[pairs] * length[r[pairs]]
    plausible = exists[which] & (gap_m <= (t[pairs] - t[pairs - 1]) * _FASTEST_M_S + _SLACK_M)
    cut = new_vehicle | back
    cut[pairs[~plausible]] = True
    # roads that each sample adds to the chain: the ones between, then its own
    adds = (changed | cut).astype(np.int64)
    fill_n = np.zeros(len(rows), dtype=np.int64)
    fill_at = np.zeros(len(rows), dtype=np.int64)
    fill_n[pairs[plausible]] = between_n[which[plausible]]
    fill_at[pairs[plausible]] = between_at[which[plausible]]
    size = adds + fill_n
    end = np.cumsum(size)
    chain = np.empty(int(end[-1]), dtype=np.int32)
    own = adds > 0
    chain[end[own] - 1] = r[own]
    src = np.repeat(fill_at, fill_n) + within(fill_n)
    chain[np.repeat(end - size, fill_n) + within(fill_n)] = routes.roads[src]
    first = np.flatnonzero(cut)
    starts = (end - size)[first] + fill_n[first]
    ends = np.append(starts[1:], len(chain)) - 1
    return _Chain(chain, starts, ends, np.cumsum(cut) - 1, end - 1, rows)


def within(counts: Ints) -> Ints:
    """Return 0, 1, … counts[0]−1, 0, 1, … counts[1]−1 and so on."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


# -- distances and times -------------------------------------------------------------------------------


def across_m(roads: Roads, city: City) -> Floats:
    """Return for each road in a chain the whole metres from the end of the one before across the junction.

    0 for the first of all. Between the end of one trip and the beginning of the next the figure means nothing.
    """
    import shapely

    lines = city.roads.geometry.to_numpy()
    begin = shapely.get_coordinates(shapely.get_point(lines, 0))
    end = shapely.get_coordinates(shapely.get_point(lines, -1))
    gap = begin[roads[1:]] - end[roads[:-1]]
    return np.concatenate([[0.0], np.round(np.hypot(gap[:, 0], gap[:, 1]))])[: len(roads)]


def _measure(chain: _Chain, samples: Samples, metres: tuple[Floats, Floats], plans: Plans) -> Pieces:
    """Turn places on a chain into metres along it, lengthened to the known beginning and end of the trip."""
    length, across = metres
    own = length[chain.roads]
    begins = np.cumsum(own + across) - own  # where each road of the chain begins
    s = begins[chain.k] + samples.share[chain.rows] * own[chain.k]
    s = np.maximum.accumulate(s) if _ordered(chain) else _climb(s, chain.piece)
    t = samples.t_s[chain.rows]
    heads = np.flatnonzero(np.diff(chain.piece, prepend=-1))
    tails = np.append(heads[1:], len(t)) - 1
    vehicle = samples.vehicle[chain.rows[heads]]
    k_first, k_last = chain.k[heads], chain.k[tails]
    begin, end = np.full(len(heads), np.nan), np.full(len(heads), np.nan)
    whole_m = begins[chain.last] + own[chain.last]
    if len(plans.vehicle):
        plan = np.searchsorted(plans.vehicle, vehicle)
        begin = _ease(plans.entered_s[plan], t[heads], s[heads] - begins[chain.first], samples.period_s, -1)
        end = _ease(plans.ended_s[plan], t[tails], whole_m - s[tails], samples.period_s, 1)
        k_first = np.where(np.isnan(begin), k_first, chain.first)
        k_last = np.where(np.isnan(end), k_last, chain.last)
    early, late = ~np.isnan(begin), ~np.isnan(end)
    counts = tails - heads + 1 + early + late
    offsets = offsets_of(counts)
    t_out, s_out = np.empty(offsets[-1]), np.empty(offsets[-1])
    shift = np.repeat(offsets[:-1] + early - heads, tails - heads + 1)
    t_out[np.arange(len(t)) + shift], s_out[np.arange(len(t)) + shift] = t, s
    t_out[offsets[:-1][early]], s_out[offsets[:-1][early]] = begin[early], begins[chain.first][early]
    t_out[offsets[1:][late] - 1], s_out[offsets[1:][late] - 1] = end[late], whole_m[late]
    s_out -= np.repeat(begins[k_first], counts)
    n_roads = k_last - k_first + 1
    place = np.repeat(k_first, n_roads) + within(n_roads)
    start = begins[place] - np.repeat(begins[k_first], n_roads)
    return Pieces(vehicle, offsets_of(n_roads), chain.roads[place], start, offsets, t_out, s_out)


def _ordered(chain: _Chain) -> bool:
    return bool((np.diff(chain.k) >= 0).all())


def _climb(s: Floats, piece: Ints) -> Floats:
    """Return the running maximum within each piece (plans need not lie in the order of the pieces)."""
    lift = piece * (float(s.max()) + 1.0)
    return np.asarray(np.maximum.accumulate(s + lift) - lift)


def _ease(known_s: Ints, t: Floats, way_m: Floats, period_s: float, sign: int) -> Floats:
    """Return the second of beginning (sign −1) or end (+1), nan where it is unknown or not plausible."""
    gap = (known_s - t) * sign
    ok = (known_s >= 0) & (gap > 0) & (gap <= 2 * period_s + 1) & (way_m >= 0) & (way_m <= gap * _FASTEST_M_S)
    return np.where(ok, known_s, np.nan).astype(np.float64)


def _join(parts: list[Pieces]) -> Pieces:
    return Pieces(
        np.concatenate([p.vehicle for p in parts]),
        offsets_of(np.concatenate([np.diff(p.road_offsets) for p in parts])),
        np.concatenate([p.roads for p in parts]),
        np.concatenate([p.start_m for p in parts]),
        offsets_of(np.concatenate([np.diff(p.point_offsets) for p in parts])),
        np.concatenate([p.t_s for p in parts]),
        np.concatenate([p.s_m for p in parts]),
    )


def _sort(p: Pieces) -> Pieces:
    order = np.lexsort((p.t_s[p.point_offsets[:-1]], p.vehicle))
    if (order == np.arange(len(order))).all():
        return p
    n_roads, n_points = np.diff(p.road_offsets)[order], np.diff(p.point_offsets)[order]
    road = np.repeat(p.road_offsets[:-1][order], n_roads) + within(n_roads)
    point = np.repeat(p.point_offsets[:-1][order], n_points) + within(n_points)
    return Pieces(
        p.vehicle[order],
        offsets_of(n_roads),
        p.roads[road],
        p.start_m[road],
        offsets_of(n_points),
        p.t_s[point],
        p.s_m[point],
    )


def simplify(t_s: Floats, s_m: Floats, offsets: Ints, tolerance_m: Floats | float) -> npt.NDArray[np.bool_]:
    """Return which points to keep so that linear motion between them stays within ``tolerance_m`` of all others.

    Opening window with a cone of speeds, one step of all series at a time: a point is kept when the next one
    cannot be reached from the last kept point without missing some point between by more than its tolerance.
    Points of a series need rising times. First and last points are always kept.
    """
    keep = np.zeros(len(t_s), dtype=bool)
    counts = np.diff(offsets)
    keep[offsets[:-1][counts > 0]] = True
    keep[offsets[1:][counts > 0] - 1] = True
    allowed = np.broadcast_to(np.asarray(tolerance_m, dtype=np.float64), t_s.shape)
    order = np.argsort(-counts, kind="stable")
    start, ranked = offsets[:-1][order], -counts[order]
    at_t, at_s = t_s[np.minimum(start, len(t_s) - 1)], s_m[np.minimum(start, len(t_s) - 1)]
    low, high = np.full(len(start), -np.inf), np.full(len(start), np.inf)
    for i in range(1, int(-ranked[0]) if len(ranked) else 0):
        m = int(np.searchsorted(ranked, -i, side="left"))  # series with more than i points
        point = start[:m] + i
        dt, ds = t_s[point] - at_t[:m], s_m[point] - at_s[:m]
        speed = ds / dt
        out = np.flatnonzero((speed < low[:m]) | (speed > high[:m]))
        if out.size:
            kept = point[out] - 1
            keep[kept] = True
            at_t[out], at_s[out] = t_s[kept], s_m[kept]
            low[out], high[out] = -np.inf, np.inf
            dt[out], ds[out] = t_s[kept + 1] - t_s[kept], s_m[kept + 1] - s_m[kept]
        np.maximum(low[:m], (ds - allowed[point]) / dt, out=low[:m])
        np.minimum(high[:m], (ds + allowed[point]) / dt, out=high[:m])
    return keep
