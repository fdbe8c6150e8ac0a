"""Standstills and fuel of vehicles, second by second, for whoever is watched from departure to arrival.

Fuel is SUMO's own figure by its default class, a petrol car of Euro 4 (HBEFA 4), with idling: a proxy of energy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.events import TripDriven
from twin.log import Log
from twin.world.junctions.stations import Snapshot

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STANDS_M_S = 0.1  # SUMO's own threshold of waiting
MOVES_M_S = 5 / 3.6  # one that creeps up in a queue has not driven off (HCM 6: 5 km/h)


class TripFuel:
    """Keeps count of every vehicle on the road; look once a second."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._vehicle = np.empty(0, dtype=np.int64)  # ascending
        self._connected = np.empty(0, dtype=bool)
        self._sums = np.empty((5, 0))  # speed before, standstills, stood_s, fuel_mg, distance_m
        self._standing = np.empty(0, dtype=bool)

    def look(self, now_s: int, seen: Snapshot) -> None:
        """Take in the vehicles of this second; those that are gone have arrived."""
        there = np.isin(self._vehicle, seen.vehicle, assume_unique=True)
        self._write(now_s, ~there)
        old = np.searchsorted(seen.vehicle, self._vehicle[there])
        sums, standing = np.zeros((5, seen.vehicle.size)), np.zeros(seen.vehicle.size, dtype=bool)
        known = np.zeros(seen.vehicle.size, dtype=bool)
        sums[:, old], standing[old], known[old] = self._sums[:, there], self._standing[there], True
        speed = seen.speed_m_s
        stands = np.where(standing, speed < MOVES_M_S, (speed < STANDS_M_S) & known)
        sums[0] = speed
        sums[1] += stands & ~standing
        sums[2] += stands
        sums[3] += np.nan_to_num(seen.fuel_mg_s)
        sums[4] += speed
        self._vehicle, self._connected, self._sums, self._standing = seen.vehicle, seen.connected, sums, stands

    def _write(self, now_s: int, gone: npt.NDArray[np.bool_]) -> None:
        if gone.any():
            n = int(gone.sum())
            _, stops, stood, fuel, metres = self._sums[:, gone]
            self._log.add(
                TripDriven, t_s=np.full(n, now_s), vehicle=self._vehicle[gone], standstills=stops.astype(np.int64),
                stood_s=stood.astype(np.int64), fuel_g=np.round(fuel / 1000.0, 2), distance_m=np.round(metres, 1),
                connected=self._connected[gone],
            )  # fmt: skip
