"""Perception for meso, where SUMO knows roads and queues but no lanes' contents.

Asked is each road into a signal: who is on it, in which of its queues (one per lane), and how far along. A vehicle
stands when it is within the length that the vehicles before it and itself take up at the line (``VEHICLE_M`` each), for
in meso it waits as a point at the end of its segment. Roads without anybody cost one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.control.junctions.layout import VEHICLE_M
from twin.domain.junctions import ApproachReadings
from twin.world.junctions.perception import GRADE_SENSES, Draws, Ints, LanePerception, Sense
from twin.world.junctions.read_map import SignalNet

_STANDS_M = 12.0  # room for error of the interpolated position, assumed


class EdgePerception(LanePerception):
    """See the module's text; otherwise as :class:`LanePerception`."""

    def __init__(
        self, sumo: Any, net: SignalNet, draws: Draws | None = None, senses: tuple[Sense, ...] = GRADE_SENSES
    ) -> None:
        super().__init__(sumo, net, draws, senses, reaches=False)
        self._edge = sumo.edge
        rows: dict[str, dict[int, int]] = {}
        for row, (edge, number) in enumerate(zip(net.lane_edges, net.told.lane_number.tolist(), strict=True)):
            rows.setdefault(edge, {})[number] = row
        self._edges = [
            (edge, lanes, float(net.told.lane_length_m[min(lanes.values())]), min(lanes.values()))
            for edge, lanes in sorted(rows.items())
            if self._range[min(lanes.values())] > 0
        ]
        self._before: dict[str, Sequence[str]] = {}

    def look(self, now_s: int, junction: Ints | None = None) -> ApproachReadings:
        """Return what is perceived at ``now_s`` (of ``junction`` rows only, None: of all)."""
        step = 0 if self._last_seen_s is None else now_s - self._last_seen_s
        self._last_seen_s = now_s
        rows: list[int] = []
        vehicle: list[int] = []
        away: list[float] = []
        ids_on = self._edge.getLastStepVehicleIDs
        lane_of, position = self._vehicle.getLaneIndex, self._vehicle.getLanePosition
        in_sight: dict[str, int] = {}
        for edge, lanes, length, first in self._edges:
            ids = ids_on(edge)
            if not ids:
                continue
            reach = self._range[first]
            for name in ids:
                far = length - position(name)
                if far <= reach:
                    row = lanes.get(lane_of(name), first)
                    in_sight[name] = row
                    rows.append(row)
                    vehicle.append(self._number(name))
                    away.append(far)
        for name in self._in_sight.keys() - in_sight.keys():
            self._passed[self._in_sight[name]] += 1
            self._gap_s[self._in_sight[name]] = -step
        self._in_sight = in_sight
        lane, far_m = np.array(rows, dtype=np.int64), np.array(away)
        order = np.lexsort((far_m, lane))
        place = np.empty(lane.size, dtype=np.int64)
        start = np.searchsorted(lane[order], np.arange(len(self._net.lane_ids)))
        place[order] = np.arange(lane.size) - start[lane[order]]
        stands = far_m <= place * VEHICLE_M + _STANDS_M
        speed = np.where(stands, 0.0, self._net.told.lane_speed_m_s[lane])
        return self._reading(
            now_s, step, junction, lane, np.array(vehicle, dtype=np.int64), far_m, speed, np.zeros(lane.size)
        )
