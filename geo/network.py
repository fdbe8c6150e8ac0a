"""Network times and routes, many-to-many, on whole arrays.

The graph has one vertex per *road* (directed edge) and one arc per permitted turn; the weight of an arc is
the travel time of the road it enters, so turn restrictions and signals are respected. The time of a route is
the sum over all its roads except the first. Shortest-path trees come from scipy (Dijkstra in C); all paths are
then traced back from the trees at once with numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_CHUNK = 256


@dataclass(frozen=True)
class Routes:
    """Routes as one flat array: route ``i`` is ``roads[offsets[i]:offsets[i + 1]]``, empty where there is none.

    ``time_s[i]`` is the network time (inf where there is no route), without the first road.
    """

    roads: npt.NDArray[np.int32]
    offsets: Ints
    time_s: Floats

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> npt.NDArray[np.int32]:
        return self.roads[self.offsets[i] : self.offsets[i + 1]]

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """True where a route exists."""
        return np.diff(self.offsets) > 0


class RoadsAndTurns(Protocol):
    """What a graph is made of: a city, or the tables of a network that is not a city yet."""

    @property
    def roads(self) -> pd.DataFrame:
        """One row per road, as in :class:`geo.city.City`."""

    @property
    def turns(self) -> pd.DataFrame:
        """from_road, to_road and, where known, bool columns that say who may turn."""


@dataclass(frozen=True)
class Network:
    """The turn graph of a city's roads. ``free_s``: free-flow time of each road in seconds."""

    n: int
    from_road: Ints
    to_road: Ints
    free_s: Floats
    length_m: Floats

    @classmethod
    def of(cls, city: RoadsAndTurns, allowed: str = "car") -> Network:
        """Build the graph over the roads, and turns, whose column ``allowed`` (car or bus) is true."""
        roads = city.roads
        ok = roads[allowed].to_numpy(bool)
        a, b = city.turns["from_road"].to_numpy(np.int64), city.turns["to_road"].to_numpy(np.int64)
        keep = ok[a] & ok[b]
        if allowed in city.turns.columns:
            keep &= city.turns[allowed].to_numpy(bool)
        # duplicates would be summed by the sparse format: keep each pair once
        a, b = np.divmod(np.unique(a[keep] * np.int64(len(roads)) + b[keep]), np.int64(len(roads)))
        length = roads["length_m"].to_numpy(np.float64)
        speed = roads["speed_m_s"].to_numpy(np.float64)
        return cls(len(roads), a, b, length / np.maximum(speed, 0.1), length)

    def main_part(self) -> npt.NDArray[np.bool_]:
        """Return True for the roads of the largest strongly connected component."""
        graph = csr_matrix((np.ones(len(self.from_road)), (self.from_road, self.to_road)), shape=(self.n, self.n))
        _, label = connected_components(graph, directed=True, connection="strong")
        return np.asarray(label == np.bincount(label).argmax())

    def reach(self, road: int, backward: bool = False) -> npt.NDArray[np.bool_]:
        """Return True for every road that can be reached from ``road`` (backward: from which it can)."""
        a, b = (self.to_road, self.from_road) if backward else (self.from_road, self.to_road)
        graph = csr_matrix((np.ones(len(a)), (a, b)), shape=(self.n, self.n))
        out = np.zeros(self.n, dtype=bool)
        out[breadth_first_order(graph, road, return_predecessors=False)] = True
        return out

    def _graph(self, time_s: Floats, closed: npt.NDArray[np.bool_] | None, backward: bool) -> csr_matrix:
        weight = np.maximum(time_s[self.to_road], 1e-3)
        a, b = self.from_road, self.to_road
        if closed is not None and closed.any():
            keep = ~closed[b]
            a, b, weight = a[keep], b[keep], weight[keep]
        if backward:
            a, b = b, a
        return csr_matrix((weight, (a, b)), shape=(self.n, self.n))

    def times(
        self, from_roads: npt.ArrayLike, to_roads: npt.ArrayLike, time_s: Floats | None = None
    ) -> npt.NDArray[np.float32]:
        """Matrix of network times in seconds, shape (len(from_roads), len(to_roads)); inf where no way."""
        src = np.asarray(from_roads, dtype=np.int64)
        dst = np.asarray(to_roads, dtype=np.int64)
        graph = self._graph(self.free_s if time_s is None else time_s, None, backward=False)
        out = np.empty((len(src), len(dst)), dtype=np.float32)
        unique, inverse = np.unique(src, return_inverse=True)
        for k in range(0, len(unique), _CHUNK):
            part = unique[k : k + _CHUNK]
            dist = dijkstra(graph, indices=part)
            rows = np.flatnonzero((inverse >= k) & (inverse < k + _CHUNK))
            out[rows] = dist[inverse[rows] - k][:, dst]
        return out

    def routes(
        self,
        from_roads: npt.ArrayLike,
        to_roads: npt.ArrayLike,
        time_s: Floats | None = None,
        closed: npt.NDArray[np.bool_] | None = None,
    ) -> Routes:
        """Shortest routes for pairs of road indices (equal lengths) under ``time_s`` per road.

        ``closed`` (bool per road) are roads that may not be entered. Trees are grown from whichever end has
        fewer distinct roads.
        """
        src = np.asarray(from_roads, dtype=np.int64)
        dst = np.asarray(to_roads, dtype=np.int64)
        weight = self.free_s if time_s is None else np.asarray(time_s, dtype=np.float64)
        if len(src) == 0:
            return Routes(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0))
        roots_s, roots_d = np.unique(src), np.unique(dst)
        backward = len(roots_d) < len(roots_s)
        roots, root_of, leaf_of = (roots_d, dst, src) if backward else (roots_s, src, dst)
        row = np.searchsorted(roots, root_of)
        order = np.argsort(row, kind="stable")
        bounds = np.searchsorted(row[order], np.arange(0, len(roots) + _CHUNK, _CHUNK))
        grow = self.grower(weight, closed, backward)
        parts: list[tuple[Any, Any, Any]] = []
        time = np.full(len(src), np.inf)
        for c in range(len(bounds) - 1):
            who = order[bounds[c] : bounds[c + 1]]
            if who.size == 0:
                continue
            dist, pred = grow(roots[c * _CHUNK : (c + 1) * _CHUNK])
            r = row[who] - c * _CHUNK
            d = dist[r, leaf_of[who]]
            ok = np.isfinite(d)
            if closed is not None:
                ok &= ~closed[dst[who]]
            who, r, d = who[ok], r[ok], d[ok]
            time[who] = d
            parts.append(_trace(pred, r, leaf_of[who], who, backward))
        return _pack(parts, time, len(src))

    def grower(
        self, time_s: Floats, closed: npt.NDArray[np.bool_] | None, backward: bool
    ) -> Callable[[Ints], tuple[Any, Any]]:
        """Return a function that grows shortest-path trees from root roads: (times, predecessors), row by root.

        ``backward`` trees lead *to* their root. A predecessor below 0 means none (the root, or no way).
        """
        graph = self._graph(time_s, closed, backward)

        def grow(roots: Ints) -> tuple[Any, Any]:
            times, pred = dijkstra(graph, indices=roots, return_predecessors=True)
            return times, pred

        return grow


def trace(pred: npt.NDArray[Any], row: Ints, leaf: Ints) -> Routes:
    """Trace routes in *backward* trees from ``leaf`` roads to the roots of ``row``, all at once.

    Times are not known here (nan); a pair without a way gets an empty route, which the caller must have sorted
    out from the tree: a leaf without predecessor that is not the root is traced as a route of one road.
    """
    parts = [_trace(pred, row, leaf, np.arange(len(row)), True)]
    return _pack(parts, np.full(len(row), np.nan), len(row))


def _trace(pred: Any, row: Any, leaf: Any, who: Any, backward: bool) -> tuple[Any, Any, Any]:
    """Walk all trees from leaf to root at once: (pair, its place in the route, road)."""
    pairs, roads = [], []
    length = np.zeros(len(who), dtype=np.int64)
    cur, active = leaf.astype(np.int64), np.arange(len(who))
    members = []
    while active.size:
        members.append(active)
        pairs.append(who[active])
        roads.append(cur)
        length[active] += 1
        cur = pred[row[active], cur].astype(np.int64)
        go = cur >= 0
        active, cur = active[go], cur[go]
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    place = [np.full(m.size, k) if backward else length[m] - 1 - k for k, m in enumerate(members)]
    return np.concatenate(pairs), np.concatenate(place), np.concatenate(roads)


def _pack(parts: list[tuple[Any, Any, Any]], time: Floats, n: int) -> Routes:
    counts = np.zeros(n, dtype=np.int64)
    for pair, _, _ in parts:
        counts += np.bincount(pair, minlength=n)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    roads = np.empty(offsets[-1], dtype=np.int32)
    for pair, place, road in parts:
        roads[offsets[pair] + place] = road
    return Routes(roads, offsets, time)
