"""What units do where they stand – load, hand over, unload – and who waits for a dock of a depot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twin.world.fleets.depots import Depots


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Job:
    """Until when; ``ends`` is called then, ``undo`` if the unit breaks down before. ``dock``: of which depot, or -1."""

    until_s: int
    ends: Callable[[int], None]
    undo: Callable[[], None]
    dock: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A unit that waits for a dock: ``starts`` once there is one, ``refused`` if the depot closes before."""

    row: int
    depot: int
    starts: Callable[[int], None]
    refused: Callable[[int], None]


class Jobs:
    """One job a unit at most; docks are given in the order in which they were asked for."""

    def __init__(self, depots: Depots) -> None:
        self._depots = depots
        self._now: dict[int, _Job] = {}
        self._queue: list[_Waiting] = []

    def busy(self, row: int) -> bool:
        """Return whether a unit has something to do, or waits to."""
        return row in self._now or any(w.row == row for w in self._queue)

    def at_docks(self, depot: int) -> int:
        """Return how many docks of a depot are taken."""
        return sum(job.dock == depot for job in self._now.values())

    def begin(
        self, row: int, until_s: int, ends: Callable[[int], None], undo: Callable[[], None] = _nothing, dock: int = -1
    ) -> None:
        """Let a unit do something until ``until_s``."""
        self._now[row] = _Job(until_s, ends, undo, dock)

    def wait(
        self, row: int, depot: int, starts: Callable[[int], None], refused: Callable[[int], None], now_s: int
    ) -> None:
        """Let a unit wait for a dock; it starts at once if one is free."""
        self._queue.append(_Waiting(row, depot, starts, refused))
        self._serve(now_s)

    def tick(self, now_s: int) -> None:
        """End what is done by now, and give free docks to those who wait for them."""
        for row in sorted(r for r, job in self._now.items() if job.until_s <= now_s):
            job = self._now.pop(row)
            job.ends(job.until_s)
        self._serve(now_s)

    def _serve(self, now_s: int) -> None:
        for w in list(self._queue):
            if not self._depots.is_open(w.depot, now_s):
                self._queue.remove(w)
                w.refused(now_s)
            elif self.at_docks(w.depot) < self._depots.all[w.depot].docks:
                self._queue.remove(w)
                w.starts(now_s)

    def drop(self, row: int) -> None:
        """Let a unit stop whatever it does (it broke down)."""
        self._queue = [w for w in self._queue if w.row != row]
        job = self._now.pop(row, None)
        if job is not None:
            job.undo()
