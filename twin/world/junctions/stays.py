"""Since when a vehicle is on its road in meso, and when it will be at the end: from SUMO's own events, exact.

In meso a vehicle moves from event to event: at its entry into a segment SUMO settles when it will leave it
(``MEVehicle::getEventTime``, as ``vehicle.getLastActionTime``), and its speed is the segment's length over that time.
So the entry is the event less length ÷ speed, however rarely one looks. A halt is made at the beginning of a segment:
SUMO tells when it began, and after it the segment begins anew. A vehicle that already waits at the end of its segment
when it is first seen there shows no speed: it came as long ago as it waits, and drove freely before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.traffic.options import MESO_SEGMENT_M

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stay:
    """A vehicle on a road: at ``from_m`` at ``since_s``, now at ``pos_m``; unhindered at the end in ``left_s``."""

    since_s: float
    from_m: float
    pos_m: float
    left_s: float


class MesoStays:
    """See the module's text. ``vehicle``: libsumo's; only vehicles that are on the road may be asked for.

    ``roads_of``: what tells the roads of vehicles (−1: none), and not how far along they are, which stays do.
    """

    def __init__(self, vehicle: Any, roads_of: Callable[[Ints], Ints]) -> None:
        self.roads_of = roads_of
        self._segment, self._speed = vehicle.getSegmentIndex, vehicle.getSpeed
        self._event, self._waiting = vehicle.getLastActionTime, vehicle.getWaitingTime
        self._stops = vehicle.getStops

    def halts(self, number: int, many: int) -> list[tuple[float, float]]:
        """Return from when until when the last ``many`` halts of a vehicle were that are over, in order."""
        return [(float(stop.arrival), float(stop.depart)) for stop in self._stops(str(number), -many)]

    def _halt_s(self, name: str) -> float:
        stops = self._stops(name, 1)
        return max(float(stops[0].arrival), 0.0) if stops else 0.0

    def of(self, number: int, length_m: float, free_m_s: float, now_s: float) -> Stay:
        """Return the stay of a vehicle on a road of ``length_m``; ``free_m_s``: its speed where nothing hinders."""
        name = str(number)
        pieces = max(1, int(length_m / MESO_SEGMENT_M + 0.5))  # as SUMO divides it
        each = length_m / pieces
        segment = int(self._segment(name))
        speed, rest_s = float(self._speed(name)), (pieces - 1 - segment) * each / free_m_s
        if speed > 0.0:
            out_s = float(self._event(name))
            in_s = out_s - each / speed
            pos = segment * each + min(max(speed * (now_s - in_s), 0.0), each)
            return Stay(min(in_s, now_s), segment * each, pos, max(out_s - now_s, 0.0) + rest_s)
        waiting_s = float(self._waiting(name))
        if waiting_s == 0.0 and (halt_s := self._halt_s(name)) > 0.0:
            left_s = max(float(self._event(name)) - now_s, 0.0) + each / free_m_s + rest_s
            return Stay(halt_s, segment * each, segment * each, left_s)
        return Stay(now_s - waiting_s - each / free_m_s, segment * each, (segment + 1) * each, rest_s)
