"""Permits as rules (F26): which unit may drive where, when, how fast, for what. Shared by desks and supervision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.domain.messages import Message
from twin.domain.mobility import PermitIssued, PermitWithdrawn

DAY_S = 86_400
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Grant:
    """What a unit may do at a moment: roads (bool per road; none: nowhere), fastest speed, until when it holds."""

    roads: Bools | None
    speed_m_s: float
    until_s: int
    permits: tuple[str, ...]


class Permits:
    """The permits in force, as told by messages."""

    def __init__(self) -> None:
        self._permits: dict[str, PermitIssued] = {}
        self.version = 0

    def take(self, message: Message) -> bool:
        """Take in a message about permits; False if it is about something else."""
        if isinstance(message, PermitIssued):
            self._permits[message.permit] = message
        elif isinstance(message, PermitWithdrawn):
            self._permits.pop(message.permit, None)
        else:
            return False
        self.version += 1
        return True

    def grant(
        self, fleet: str, unit: int, purpose: str, now_s: int, roads: int, test_h: float, test_km: float
    ) -> Grant:
        """Return what holds for a unit at ``now_s``; ``roads``: number of roads of the map.

        Several permits that hold at once add their roads up; the lowest of their speeds holds.
        """
        allowed: Bools | None = None
        speed, until, names = float("inf"), 1 << 62, []
        for name in sorted(self._permits):
            p = self._permits[name]
            if p.fleet != fleet or p.purpose != purpose or (p.unit.size and unit not in p.unit):
                continue
            if p.min_test_h > test_h and p.min_test_km > test_km:
                continue
            ends = _ends_s(p, now_s)
            if ends is None:
                continue
            if allowed is None:
                allowed = np.zeros(roads, dtype=bool)
            allowed[p.roads] = True
            speed, until = min(speed, p.speed_m_s), min(until, ends)
            names.append(name)
        return Grant(allowed, speed, until, tuple(names))


def _ends_s(p: PermitIssued, now_s: int) -> int | None:
    """Return the second at which a permit that holds now ends, None if it does not hold."""
    if not p.valid_from_s <= now_s < p.valid_until_s:
        return None
    day, tod = divmod(now_s, DAY_S)
    if p.from_s < p.until_s:
        if not p.from_s <= tod < p.until_s:
            return None
        ends = p.valid_until_s if p.until_s - p.from_s >= DAY_S else day * DAY_S + p.until_s
    else:  # over midnight
        if p.until_s <= tod < p.from_s:
            return None
        ends = (day + (tod >= p.from_s)) * DAY_S + p.until_s
    return min(ends, p.valid_until_s)
