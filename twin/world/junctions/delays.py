"""How much time vehicles lose on the roads towards signals: truth, by sampling.

With n vehicles at mean speed v on a road whose free speed is f, n·(1 − v/f) vehicle-seconds are lost each second, and
n·v/length vehicles pass (Edie's generalised definitions, 1963: vehicle-metres and vehicle-seconds over a region). The
road is looked at every few seconds; the period is prime, so that looks do not always meet the same phase of a signal.
In meso, what traffic sees when it looks at busy roads for travel times is looked at once for both; the other roads, on
which hardly anybody drives, are asked for at every second such look only, which then counts for two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.junctions.read_map import SignalNet

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LOOK_S = 7  # in micro
QUIET_LOOKS = 2


class ApproachDelays:
    """Sums over the roads towards signals, of looks every ``period_s``.

    Rows: ``junction`` and ``road`` (−1: no road of the city).
    """

    def __init__(self, sumo: Any, net: SignalNet, period_s: int) -> None:
        self.period_s = period_s
        told = net.told
        self._number, self._speed = sumo.edge.getLastStepVehicleNumber, sumo.edge.getLastStepMeanSpeed
        rows = {edge: i for i, edge in reversed(list(enumerate(net.lane_edges)))}
        self._edges = sorted(rows)
        first = np.array([rows[e] for e in self._edges], dtype=np.int64)
        self.junction: Ints = told.lane_junction[first]
        self.road: Ints = told.lane_road[first]
        self._row_of = np.full(int(self.road.max(initial=-1)) + 2, -1, dtype=np.int64)  # by road; the last: all others
        self._row_of[self.road] = np.arange(first.size)
        self._row_of[-1] = -1
        self._length, self._free = told.lane_length_m[first], np.maximum(told.lane_speed_m_s[first], 1.0)
        self._lost, self._passed = np.zeros(first.size), np.zeros(first.size)
        self._turn = 0

    def look(self, roads: Ints | None = None, vehicles: Floats | None = None, speed_m_s: Floats | None = None) -> None:
        """Sample all roads, every ``period_s``. ``roads``: where somebody has just looked, and what he saw there."""
        edges = self._edges
        n, v, weight = np.zeros(len(edges)), np.zeros(len(edges)), np.full(len(edges), float(self.period_s))
        ask: Ints = np.arange(len(edges))
        if roads is not None and vehicles is not None and speed_m_s is not None:
            row = self._row_of[np.minimum(roads, self._row_of.size - 1)]
            mine = row >= 0
            n[row[mine]], v[row[mine]] = vehicles[mine], speed_m_s[mine]
            weight[ask] *= QUIET_LOOKS
            weight[row[mine]] = self.period_s
            self._turn = (self._turn + 1) % QUIET_LOOKS
            ask = np.delete(ask, row[mine]) if self._turn == 0 else ask[:0]
        n[ask] = list(map(self._number, [edges[i] for i in ask.tolist()]))
        on = ask[n[ask] > 0]
        v[on] = list(map(self._speed, [edges[i] for i in on.tolist()]))
        on = np.flatnonzero(n)
        n, v, weight = n[on], np.clip(v[on], 0.0, self._free[on]), weight[on]
        self._lost[on] += weight * n * (1.0 - v / self._free[on])
        self._passed[on] += weight * n * v / self._length[on]

    def take(self) -> tuple[Ints, Ints, Floats, Floats]:
        """Return (junction, road, vehicle-seconds lost, vehicles passed) of the roads with anybody; begin anew."""
        rows = np.flatnonzero((self._lost > 0) | (self._passed > 0))
        out = self.junction[rows], self.road[rows], self._lost[rows], self._passed[rows]
        self._lost, self._passed = np.zeros(self._lost.size), np.zeros(self._lost.size)
        return out
