"""What a desk knows of the streets: the map, the travel times of the moment, closures it was told of, permits.

Everything comes from messages: :class:`RoadMap`, :class:`TravelTimes`, :class:`ClosureReport`,
:class:`PermitIssued` and :class:`PermitWithdrawn`. Times and ways are those of the quickest route over the roads
a permit allows; rows are kept until the travel times, closures or permits change, or ``MOST_BYTES`` are full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.network import Network
from twin.domain.messages import ClosureReport, Message, RoadMap
from twin.domain.mobility import TravelTimes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
MOST_BYTES = 256 * 2**20  # of kept rows: about 4,000 roots on a network of 8,000 roads


class Streets:
    """The streets as a desk knows them. ``allowed`` (bool per road): where its vehicles may drive; None: anywhere."""

    def __init__(self) -> None:
        self.length_m: Floats = np.empty(0)
        self.limit_m_s: Floats = np.empty(0)
        self.closed: Bools = np.empty(0, dtype=bool)
        self.allowed: Bools | None = None
        self.top_m_s = 1e9
        self.version = 0  # rises whenever times or ways may have changed
        self._network: Network | None = None
        self._time_s: Floats = np.empty(0)
        self._rows: dict[int, tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]] = {}
        self._back: dict[int, npt.NDArray[np.float32]] = {}
        self._growers: dict[bool, Callable[[Ints], tuple[Any, Any]]] = {}

    @property
    def known(self) -> bool:
        """Whether the map has come."""
        return self._network is not None

    def take(self, message: Message) -> bool:
        """Take in a message about streets; False if it is about something else."""
        if isinstance(message, RoadMap):
            n = int(message.road.max(initial=-1)) + 1
            self.length_m, self.limit_m_s = np.zeros(n), np.full(n, 0.1)
            self.length_m[message.road], self.limit_m_s[message.road] = message.length_m, message.limit_m_s
            self.closed = np.zeros(n, dtype=bool)
            free_s = self.length_m / np.maximum(self.limit_m_s, 0.1)
            self._network = Network(n, message.turn_from, message.turn_to, free_s, self.length_m)
            self._time_s = free_s
        elif isinstance(message, TravelTimes):
            self._time_s = message.time_s
        elif isinstance(message, ClosureReport):
            if not 0 <= message.road < self.closed.size or self.closed[message.road] == message.closed:
                return True
            self.closed[message.road] = message.closed
        else:
            return False
        self._changed()
        return True

    def permit(self, allowed: Bools | None, top_m_s: float) -> None:
        """Set the roads (bool per road) that may be used and the fastest speed."""
        same = self.allowed is allowed or (
            allowed is not None and self.allowed is not None and np.array_equal(allowed, self.allowed)
        )
        if not same or top_m_s != self.top_m_s:
            self.allowed, self.top_m_s = allowed, top_m_s
            self._changed()

    def _changed(self) -> None:
        self.version += 1
        self._rows.clear()
        self._back.clear()
        self._growers.clear()

    def road_s(self) -> Floats:
        """Seconds per road at present, not faster than ``top_m_s``."""
        return np.maximum(self._time_s, self.length_m / self.top_m_s)

    def shut(self) -> Bools:
        """Roads that must not be entered: closed as far as known, or outside the permit."""
        return self.closed.copy() if self.allowed is None else self.closed | ~self.allowed

    def _grower(self, backward: bool) -> Callable[[Ints], tuple[Any, Any]]:
        """Return what grows trees in the streets as they are: the graph is built once."""
        assert self._network is not None, "the road map has not come yet"
        if backward not in self._growers:
            self._growers[backward] = self._network.grower(self.road_s(), self.shut(), backward)
        return self._growers[backward]

    def _grow(self, roots: list[int]) -> None:
        """Grow the trees *from* roads that are not kept yet."""
        new = sorted({r for r in roots if r not in self._rows})
        if not new:
            return
        if (len(self._rows) + len(new)) * self.length_m.size * 8 > MOST_BYTES:
            self._rows = {r: self._rows[r] for r in roots if r in self._rows}
        time_s, pred = self._grower(backward=False)(np.asarray(new, dtype=np.int64))
        for k, root in enumerate(new):
            self._rows[root] = (time_s[k].astype(np.float32), pred[k].astype(np.int32))

    def times(self, from_road: Ints, to_road: Ints) -> Floats:
        """Matrix of travel times in s, shape (from, to): without the first road, with the whole last; inf: no way."""
        a, b = np.asarray(from_road, dtype=np.int64), np.asarray(to_road, dtype=np.int64)
        self._grow(a.tolist())
        out = np.empty((a.size, b.size))
        for i, root in enumerate(a.tolist()):
            out[i] = self._rows[root][0][b]
        return out

    def hop(self, from_road: int, to_road: int) -> float:
        """Travel time in s from one road to another, as in :meth:`times`."""
        if from_road not in self._rows:
            self._grow([from_road])
        return float(self._rows[from_road][0][to_road])

    def times_to(self, to_road: int) -> Floats:
        """Travel times in s from every road to one, counted as in :meth:`times`; inf: no way. One tree in all."""
        if to_road not in self._back:
            grow = self._grower(backward=True)
            self._back[to_road] = grow(np.asarray([to_road], dtype=np.int64))[0][0].astype(np.float32)
        return self._back[to_road].astype(np.float64)

    def way(self, from_road: int, to_road: int) -> Ints:
        """Roads of the quickest way, both ends included; empty where there is none."""
        self._grow([from_road])
        time_s, pred = self._rows[from_road]
        if from_road == to_road:
            return np.asarray([from_road], dtype=np.int64)
        if not np.isfinite(time_s[to_road]):
            return np.empty(0, dtype=np.int64)
        roads = [to_road]
        while roads[-1] != from_road:
            roads.append(int(pred[roads[-1]]))
        return np.asarray(roads[::-1], dtype=np.int64)

    def distances(self, from_road: Ints, to_road: Ints) -> Floats:
        """Matrix of metres along the quickest ways, shape (from, to); inf where there is none."""
        a, b = np.asarray(from_road, dtype=np.int64), np.asarray(to_road, dtype=np.int64)
        self._grow(a.tolist())
        out = np.full((a.size, b.size), np.inf)
        for i, root in enumerate(a.tolist()):
            time_s, pred = self._rows[root]
            ok = np.flatnonzero(np.isfinite(time_s[b]))
            if ok.size:
                out[i, ok] = self._along(pred, b[ok], root)
        return out

    def _along(self, pred: npt.NDArray[np.int32], leaf: Ints, root: int) -> Floats:
        metres = np.zeros(leaf.size)
        cur, active = leaf.copy(), np.flatnonzero(leaf != root)
        while active.size:
            metres[active] += self.length_m[cur[active]]
            cur[active] = pred[cur[active]]
            active = active[cur[active] != root]
        return metres
