"""Routes under the travel times of the day, from trees that are kept until times have really changed.

One backward shortest-path tree per destination road (scipy, C) is kept as a row of predecessors; tracing a route
in it costs microseconds. ``refresh`` is given the present travel times: when they have moved by more than a
tolerance – weighted with the roads people actually use – or when a road was closed or opened, all trees are
stale, and each is grown again when it is next needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from geo.network import Network, Routes, trace

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class RouteTable:
    """Routes between roads of a network; ``tolerance`` is the weighted relative change that makes trees stale."""

    def __init__(self, network: Network, tolerance: float = 0.12) -> None:
        self._network = network
        self._tolerance = tolerance
        self.time_s: Floats = network.free_s.copy()
        self.closed: npt.NDArray[np.bool_] = np.zeros(network.n, dtype=bool)
        self._used = np.ones(network.n)
        dtype = np.int16 if network.n < 2**15 else np.int32
        self._pred = np.empty((0, network.n), dtype=dtype)
        self._row = np.full(network.n, -1, dtype=np.int64)
        self._fresh = np.zeros(0, dtype=bool)
        self._grow = network.grower(self.time_s, None, backward=True)
        self.refreshes = 0

    def refresh(self, time_s: Floats, closed: npt.NDArray[np.bool_] | None = None, force: bool = False) -> float:
        """Take the present travel times (s per road) and closures; return the weighted relative change.

        ``force``: make the trees stale however little has changed.
        """
        new_closed = self.closed if closed is None else closed
        moved, whole = self._used @ np.abs(time_s - self.time_s), self._used @ self.time_s
        change = float(moved) / max(float(whole), 1e-9)
        if force or change > self._tolerance or (new_closed != self.closed).any():
            self.time_s, self.closed = time_s.astype(np.float64), new_closed.copy()
            self._grow = self._network.grower(self.time_s, self.closed, backward=True)
            self._fresh[:] = False
            self._used = np.full(self._network.n, 0.01)
            self.refreshes += 1
        return change

    def routes(self, from_roads: npt.ArrayLike, to_roads: npt.ArrayLike) -> Routes:
        """Return the best routes now, with their times (s, without the first road; inf where there is no way)."""
        src, dst = np.asarray(from_roads, dtype=np.int64), np.asarray(to_roads, dtype=np.int64)
        if src.size == 0:
            return Routes(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0))
        self._ensure(np.unique(dst))
        row = self._row[dst]
        ok = ((self._pred[row, src] >= 0) | (src == dst)) & ~self.closed[dst]
        found = trace(self._pred, row[ok], src[ok])
        length = np.zeros(src.size, dtype=np.int64)
        length[ok] = np.diff(found.offsets)
        offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        time = np.full(src.size, np.inf)
        if found.roads.size:
            self._used += np.bincount(found.roads, minlength=self._network.n)
            along = np.add.reduceat(self.time_s[found.roads], found.offsets[:-1])
            time[ok] = along - self.time_s[src[ok]]
        return Routes(found.roads, offsets, time)

    def _ensure(self, roots: Ints) -> None:
        new = roots[self._row[roots] < 0]
        if new.size:
            start = int(self._fresh.size)
            self._row[new] = np.arange(start, start + new.size)
            self._fresh = np.concatenate([self._fresh, np.zeros(new.size, dtype=bool)])
            if self._fresh.size > len(self._pred):
                grown = np.empty((max(256, 2 * self._fresh.size), self._network.n), dtype=self._pred.dtype)
                grown[:start] = self._pred[:start]
                self._pred = grown
        stale = roots[~self._fresh[self._row[roots]]]
        for k in range(0, stale.size, 128):
            part = stale[k : k + 128]
            _, pred = self._grow(part)
            np.maximum(pred, -1, out=pred)
            self._pred[self._row[part]] = pred
            self._fresh[self._row[part]] = True


def join(parts: list[Routes]) -> Routes:
    """Put several sets of routes behind each other."""
    counts: list[Any] = [np.diff(p.offsets) for p in parts]
    return Routes(
        np.concatenate([p.roads for p in parts]),
        np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64),
        np.concatenate([p.time_s for p in parts]),
    )


def pick(routes: Routes, keep: npt.NDArray[np.bool_]) -> Routes:
    """Return the routes where ``keep`` is true."""
    lengths = np.diff(routes.offsets)
    flat = np.repeat(keep, lengths)
    return Routes(
        routes.roads[flat],
        np.concatenate([[0], np.cumsum(lengths[keep])]).astype(np.int64),
        routes.time_s[keep],
    )


def distances_m(routes: Routes, length_m: Floats) -> Floats:
    """Return the length of each route in m (all its roads)."""
    total = np.concatenate([[0.0], np.cumsum(length_m[routes.roads])])
    return np.asarray(total[routes.offsets[1:]] - total[routes.offsets[:-1]])
