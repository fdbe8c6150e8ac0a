"""Closed lanes by cause: a lane that several things close opens when the last of them is gone.

Interventions, obstacles and parked vehicles may close one lane at a time; each closes and opens it for itself only.
"""

from __future__ import annotations

from typing import Protocol


class ClosesLanes(Protocol):
    """The part of :class:`twin.world.traffic.ports.Traffic` that is needed here."""

    def close_lane(self, road: int, lane: int, closed: bool) -> None:
        """Close one lane (0 = rightmost), or open it again."""


class ShutLanes:
    """Keeps what closes which lane of which road (lanes as traffic counts them), and tells traffic of changes."""

    def __init__(self, traffic: ClosesLanes) -> None:
        self._traffic = traffic
        self._of: dict[tuple[int, int], dict[str, None]] = {}

    def causes(self, road: int, lane: int) -> tuple[str, ...]:
        """Return what closes a lane now, the longest first."""
        return tuple(self._of.get((road, lane), ()))

    def close(self, road: int, lane: int, cause: str) -> None:
        """Let ``cause`` close a lane, if it does not already."""
        mine = self._of.setdefault((road, lane), {})
        first = not mine
        mine[cause] = None
        if first:
            self._traffic.close_lane(road, lane, True)

    def open(self, road: int, lane: int, cause: str) -> None:
        """Take ``cause`` away; the lane opens if it was the last."""
        mine = self._of.get((road, lane), {})
        if cause not in mine:
            return
        del mine[cause]
        if not mine:
            del self._of[road, lane]
            self._traffic.close_lane(road, lane, False)
