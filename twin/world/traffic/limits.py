"""Speed limits by cause: of all that hold on a road the least counts, and its own comes back when none is left.

An intervention, a controller and the weather may limit one road at a time; each sets and lifts its own limit only.
"""

from __future__ import annotations

from typing import Protocol


class SetsSpeed(Protocol):
    """The part of :class:`twin.world.traffic.ports.Traffic` that is needed here."""

    def set_speed(self, road: int, speed_m_s: float | None) -> None:
        """Set the speed limit of a road; None restores its own."""


class Limits:
    """Keeps who limits which road to what (m/s), and tells traffic when the limit that holds changes."""

    def __init__(self, traffic: SetsSpeed) -> None:
        self._traffic = traffic
        self._of: dict[int, dict[str, float]] = {}

    def holds(self, road: int) -> float | None:
        """Return the limit that holds on a road; None: its own."""
        return min(self._of.get(road, {}).values(), default=None)

    def shown(self, road: int) -> float:
        """Return the limit that holds as facts show it: -1 where it is the road's own."""
        limit = self.holds(road)
        return -1.0 if limit is None else limit

    def set(self, road: int, cause: str, speed_m_s: float | None) -> None:
        """Let ``cause`` limit a road to a speed instead of what it set before; None: lift its limit, if it has one."""
        before = self.holds(road)
        if speed_m_s is not None:
            self._of.setdefault(road, {})[cause] = float(speed_m_s)
        elif road in self._of:
            self._of[road].pop(cause, None)
            if not self._of[road]:
                del self._of[road]
        now = self.holds(road)
        if now != before:
            self._traffic.set_speed(road, now)
