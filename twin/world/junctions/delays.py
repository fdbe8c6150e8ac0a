"""How much time vehicles lose on the roads towards signals: truth, by sampling.

With n vehicles at mean speed v on a road whose free speed is f, n·(1 − v/f) vehicle-seconds are lost each second, and
n·v/length vehicles pass (Edie's generalised definitions, 1963: vehicle-metres and vehicle-seconds over a region). The
road is looked at every few seconds; the period is prime, so that looks do not always meet the same phase of a signal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.junctions.read_map import SignalNet

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LOOK_S = {"meso": 61, "micro": 7}


class ApproachDelays:
    """Sums over the roads towards signals. Rows: ``junction`` and ``road`` (−1: no road of the city)."""

    def __init__(self, sumo: Any, net: SignalNet, period_s: int) -> None:
        self.period_s = period_s
        told = net.told
        self._number, self._speed = sumo.edge.getLastStepVehicleNumber, sumo.edge.getLastStepMeanSpeed
        rows = {edge: i for i, edge in reversed(list(enumerate(net.lane_edges)))}
        self._edges = sorted(rows)
        first = np.array([rows[e] for e in self._edges], dtype=np.int64)
        self.junction: Ints = told.lane_junction[first]
        self.road: Ints = told.lane_road[first]
        self._length, self._free = told.lane_length_m[first], np.maximum(told.lane_speed_m_s[first], 1.0)
        self._lost, self._passed = np.zeros(first.size), np.zeros(first.size)

    def look(self) -> None:
        """Sample all roads; to be called every ``period_s``."""
        edges = self._edges
        n = np.fromiter(map(self._number, edges), dtype=np.float64, count=len(edges))
        on = np.flatnonzero(n)
        v = np.array(list(map(self._speed, [edges[i] for i in on.tolist()])))
        v = np.clip(v, 0.0, self._free[on])
        self._lost[on] += self.period_s * n[on] * (1.0 - v / self._free[on])
        self._passed[on] += self.period_s * n[on] * v / self._length[on]

    def take(self) -> tuple[Ints, Ints, Floats, Floats]:
        """Return (junction, road, vehicle-seconds lost, vehicles passed) of the roads with anybody; begin anew."""
        rows = np.flatnonzero((self._lost > 0) | (self._passed > 0))
        out = self.junction[rows], self.road[rows], self._lost[rows], self._passed[rows]
        self._lost, self._passed = np.zeros(self._lost.size), np.zeros(self._lost.size)
        return out
