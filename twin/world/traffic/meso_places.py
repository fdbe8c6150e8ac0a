"""Where along its road a vehicle is in meso, worked out from the segments it is seen in.

SUMO interpolates positions in meso by itself (``--meso-interpolate-pos``) but keeps them by the vehicle's address in
memory, also of vehicles that were taken off the road. A new vehicle that happens to get such an address then begins
where the old one ended: two runs of the same inputs differ. So positions are interpolated here, from what meso is
sure of – road, segment, speed – and from the look before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.world.traffic.options import MESO_SEGMENT_M
from twin.world.traffic.roads import Roads


@dataclass(slots=True)
class _Seen:
    """A vehicle as it was last seen, ``pos_m`` along ``road`` at ``at_s``."""

    road: int
    segment: int
    pos_m: float
    at_s: float
    speed_m_s: float


class MesoPlaces:
    """Positions of vehicles that are asked for again and again."""

    def __init__(self, vehicle: Any, roads: Roads) -> None:
        self._vehicle, self._roads = vehicle, roads
        self._seen: dict[int, _Seen] = {}

    def segment_m(self, road: int) -> float:
        """Return the length of a road's segments, as SUMO divides it."""
        length = float(self._roads.length_m[road])
        return length / max(1, int(length / MESO_SEGMENT_M + 0.5))

    def forget(self, number: int) -> None:
        """Drop a vehicle that is gone."""
        self._seen.pop(number, None)

    def where(self, number: int, road: int, now_s: float) -> float:
        """Return how far along its ``road`` a vehicle is."""
        name = str(number)
        segment, speed = int(self._vehicle.getSegmentIndex(name)), float(self._vehicle.getSpeed(name))
        each = self.segment_m(road)
        start, end = segment * each, (segment + 1) * each
        before = self._seen.get(number)
        if before is None:
            inside_s = now_s - float(self._vehicle.getDeparture(name))
            pos = start + speed * inside_s
        elif (before.road, before.segment) == (road, segment):
            pos = before.pos_m + speed * (now_s - before.at_s)
        else:
            pos = start + speed * self._inside_s(before, now_s)
        pos = min(max(pos, start), end)
        self._seen[number] = _Seen(road, segment, pos, now_s, speed)
        return pos

    def _inside_s(self, before: _Seen, now_s: float) -> float:
        """Seconds in the present segment, if it drove to the end of the one before as fast as it was seen to."""
        left = (before.segment + 1) * self.segment_m(before.road) - before.pos_m
        passed_s = now_s - before.at_s
        return passed_s - min(left / before.speed_m_s, passed_s) if before.speed_m_s > 0 else 0.0
