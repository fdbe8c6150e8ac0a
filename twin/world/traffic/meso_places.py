"""Where along its road a vehicle is in meso, worked out from the segments it is seen in.

SUMO interpolates positions in meso by itself (``--meso-interpolate-pos``) but keeps them by the vehicle's address in
memory, also of vehicles that were taken off the road. A new vehicle that happens to get such an address then begins
where the old one ended: two runs of the same inputs differ. So positions are interpolated here, from what meso is
sure of – road, segment, speed – and from the look before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.world.traffic.options import MESO_SEGMENT_M
from twin.world.traffic.ports import Floats, Ints
from twin.world.traffic.roads import Roads


@dataclass(slots=True)
class _Seen:
    """A vehicle as it was last seen: at ``pos_m`` of ``road`` at ``at_s``; its segment begins and ends there."""

    name: str
    edge: str = ""
    segment: int = -1
    road: int = -1
    pos_m: float = 0.0
    at_s: float = 0.0
    end_m: float = 0.0
    speed_m_s: float = 0.0


class MesoPlaces:
    """Positions of vehicles that are asked for again and again; ``vehicle``: libsumo's."""

    def __init__(self, vehicle: Any, roads: Roads) -> None:
        self._vehicle, self._roads = vehicle, roads
        self._seen: dict[int, _Seen] = {}

    def forget(self, number: int) -> None:
        """Drop a vehicle that is gone."""
        self._seen.pop(number, None)

    def where(self, numbers: list[int], now_s: float) -> tuple[Ints, Floats]:
        """Return road (-1: not on the road) and position of each vehicle; a number of -1 is nobody's."""
        road, pos = [-1] * len(numbers), [0.0] * len(numbers)
        edge_of, segment_of, seen = self._vehicle.getRoadID, self._vehicle.getSegmentIndex, self._seen
        for i, number in enumerate(numbers):
            if number < 0:
                continue
            own = seen.get(number)
            if own is None:
                own = seen[number] = _Seen(str(number))
            edge = edge_of(own.name)
            if not edge:
                continue
            segment = segment_of(own.name)
            if edge != own.edge or segment != own.segment:
                self._enter(own, edge, segment, now_s)
            else:
                own.pos_m = min(own.pos_m + own.speed_m_s * (now_s - own.at_s), own.end_m)
            own.at_s = now_s
            road[i], pos[i] = own.road, own.pos_m
        return np.array(road, dtype=np.int64), np.array(pos, dtype=np.float64)

    def _enter(self, own: _Seen, edge: str, segment: int, now_s: float) -> None:
        """Take in that a vehicle is in another segment; its speed there is settled when it enters."""
        if own.road < 0:
            inside_s = now_s - float(self._vehicle.getDeparture(own.name))
        else:  # it drove to the end of the segment before as fast as it was seen to
            passed_s = now_s - own.at_s
            left_s = (own.end_m - own.pos_m) / own.speed_m_s if own.speed_m_s > 0 else passed_s
            inside_s = passed_s - min(left_s, passed_s)
        own.edge, own.segment, own.road = edge, segment, self._roads.index[edge]
        length = float(self._roads.length_m[own.road])
        each = length / max(1, int(length / MESO_SEGMENT_M + 0.5))  # as SUMO divides it
        own.end_m = (segment + 1) * each
        own.speed_m_s = float(self._vehicle.getSpeed(own.name))
        own.pos_m = min(segment * each + own.speed_m_s * max(inside_s, 0.0), own.end_m)
