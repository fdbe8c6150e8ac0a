"""How fast units drive, from how far they came: what a speedometer and a tachograph in them would say.

Traffic tells places, and in meso only roughly (vehicles move from queue to queue), so speed is the distance of the
last ``WINDOW`` ticks over their time, and never more than the unit can drive at present (its own limits).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.domain.mobility import DRIVING, HALTED, MANUAL, SERVING, STATES
from twin.world.fleets.ports import TICK_S
from twin.world.fleets.units import Units

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WINDOW = 3  # ticks
#: by state: whether a unit is under way; whether it is out, not parked off the road
MOVING: Bools = np.isin(np.arange(len(STATES)), (DRIVING, MANUAL))
OUT: Bools = np.isin(np.arange(len(STATES)), (DRIVING, SERVING, HALTED, MANUAL))


class Motion:
    """Columns over units, brought up to date by :meth:`tick`.

    ``moving``: under way by itself or by hand; ``speed_m_s`` now; ``limit_m_s``: the highest limit of the roads it
    has been on within the window; ``able_m_s``: the fastest it can drive with its limits and its leg's.
    """

    def __init__(self, units: Units, city: City) -> None:
        n = len(units)
        self._units = units
        self._limit_of = city.roads["speed_m_s"].to_numpy(np.float64)
        self.moving: Bools = np.zeros(n, dtype=bool)
        self.speed_m_s: Floats = np.zeros(n)
        self.limit_m_s: Floats = np.zeros(n)
        self.able_m_s: Floats = np.full(n, np.inf)
        self.override_m_s: Floats = np.full(n, np.nan)  # a fault drives this fast instead
        self._odometer: Floats = np.repeat(units.odometer_m[:, None], WINDOW + 1, axis=1)
        self._limits: Floats = np.zeros((n, WINDOW + 1))
        self._ticks: Ints = np.zeros(n, dtype=np.int64)  # since it set out
        self._rows: Ints = np.arange(n)

    def tick(self) -> None:
        """Take in the last tick."""
        u = self._units
        self.moving = MOVING[u.state]
        self._odometer[:, :-1], self._odometer[:, -1] = self._odometer[:, 1:], u.odometer_m
        self._limits[:, :-1], self._limits[:, -1] = self._limits[:, 1:], self._limit_of[u.road]
        self._ticks = np.where(self.moving, np.minimum(self._ticks + 1, WINDOW), 0)
        span = np.maximum(self._ticks, 1)
        came = self._odometer[:, -1] - self._odometer[self._rows, WINDOW - span]
        for row in np.flatnonzero(self.moving).tolist():
            leg = u.leg(row)
            asked = leg.speed_m_s if leg is not None and leg.speed_m_s > 0 else np.inf
            self.able_m_s[row] = min(float(u.speed_m_s[row]), asked)
        able = np.where(np.isnan(self.override_m_s), self.able_m_s, self.override_m_s)
        able = np.minimum(able, u.limit_m_s)
        self.speed_m_s = np.where(self.moving, np.minimum(came / (span * TICK_S), able), 0.0)
        self.limit_m_s = self._limits.max(axis=1)
