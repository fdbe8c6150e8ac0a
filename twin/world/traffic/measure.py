"""Counting and timing by looking: detectors, entries and travel times, from who is on a road at a second.

SUMO's own induction loops do not exist in its meso model, so a road is *looked at*. A vehicle cannot cross a
road faster than the road's length over the highest speed anybody drives there, so looking once in that time
sees every vehicle: counts are exact, and a long road costs few looks. What the traffic model is asked is
passed in as functions; nothing here knows SUMO.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.traffic.ports import Readings

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
IdsOn = Callable[[str], Sequence[str]]
Number = Callable[[str], float]

#: a road is looked at no more seldom than this, so that speed and occupancy are means over time, s
LONGEST_LOOK_S = 30


def look_period_s(length_m: float, top_speed_m_s: float) -> int:
    """Whole seconds between looks at a road such that nobody can cross it unseen (at least 1).

    A road shorter than one second of driving cannot be watched without loss in steps of a second.
    """
    return int(min(max(length_m / max(top_speed_m_s, 0.1) - 1.0, 1.0), LONGEST_LOOK_S))


class Detectors:
    """Vehicles that entered, mean speed and occupancy of the watched roads since they were last read.

    A vehicle counts at the first look that finds it on the road, whether it drove in or began there. Speed is
    the mean over looks and vehicles; occupancy the mean over looks.
    """

    def __init__(self, ids_on: IdsOn, mean_speed: Number, occupancy: Number) -> None:
        self._ids_on, self._mean_speed, self._occupancy = ids_on, mean_speed, occupancy
        self._road: Ints = np.empty(0, dtype=np.int64)
        self._groups: list[tuple[int, list[tuple[str, int]]]] = []
        self._reset(0)
        self._last: list[Sequence[str]] = []

    def _reset(self, n: int) -> None:
        self._count, self._looks = [0] * n, [0] * n
        self._seen, self._speed, self._covered = [0] * n, [0.0] * n, [0.0] * n

    def watch(self, roads: Ints, edges: Sequence[str], periods_s: Sequence[int]) -> None:
        """Begin anew with these roads; vehicles that are on them now do not count as entered."""
        self._road = np.asarray(roads, dtype=np.int64)
        by_period: dict[int, list[tuple[str, int]]] = {}
        for i, (edge, period) in enumerate(zip(edges, periods_s, strict=True)):
            by_period.setdefault(period, []).append((edge, i))
        self._groups = sorted(by_period.items())
        self._last = [self._ids_on(edge) for edge in edges]
        self._reset(len(self._road))

    @property
    def idle(self) -> bool:
        """True when no road is watched."""
        return not self._groups

    def look(self, now_s: int) -> None:
        """Look at the roads whose turn it is at second ``now_s``."""
        ids_on, last, looks = self._ids_on, self._last, self._looks
        for period, group in self._groups:
            if now_s % period:
                continue
            for edge, i in group:
                looks[i] += 1
                ids = ids_on(edge)
                if not ids:
                    last[i] = ids
                    continue
                before = last[i]
                if ids != before:
                    self._count[i] += len(ids) if not before else len(set(ids).difference(before))
                    last[i] = ids
                self._seen[i] += len(ids)
                self._speed[i] += len(ids) * self._mean_speed(edge)
                self._covered[i] += self._occupancy(edge)

    def read(self) -> Readings:
        """Return the interval's readings and begin the next one."""
        seen = np.asarray(self._seen, dtype=np.float64)
        speed = np.full(len(seen), np.nan)
        np.divide(np.asarray(self._speed), seen, out=speed, where=seen > 0)
        looks = np.maximum(np.asarray(self._looks, dtype=np.float64), 1.0)
        occupancy = np.clip(np.asarray(self._covered, dtype=np.float64) / looks, 0.0, 1.0)
        readings = Readings(self._road.copy(), np.asarray(self._count, dtype=np.int64), speed, occupancy)
        self._reset(len(self._road))
        return readings


class Entries:
    """Who entered which of a few roads at which second; looked at every second."""

    def __init__(self, ids_on: IdsOn) -> None:
        self._ids_on = ids_on
        self._roads: list[tuple[str, int]] = []
        self._last: list[Sequence[str]] = []
        self.vehicle: list[str] = []
        self.road: list[int] = []
        self.second: list[int] = []

    def watch(self, roads: Ints, edges: Sequence[str]) -> None:
        """Begin anew with these roads; vehicles that are on them now do not count."""
        self._roads = list(zip(edges, np.asarray(roads).tolist(), strict=True))
        self._last = [self._ids_on(edge) for edge in edges]

    @property
    def idle(self) -> bool:
        """True when no road is watched."""
        return not self._roads

    def look(self, now_s: int) -> None:
        """Note who is newly on a road at ``now_s``."""
        ids_on, last = self._ids_on, self._last
        for i, (edge, road) in enumerate(self._roads):
            ids = ids_on(edge)
            if ids != last[i]:
                before = last[i]
                last[i] = ids
                for vehicle in ids:
                    if vehicle not in before:
                        self.vehicle.append(vehicle)
                        self.road.append(road)
                        self.second.append(now_s)

    def take(self) -> tuple[list[str], list[int], list[int]]:
        """Return (vehicles, roads, seconds) noted since the last call."""
        out = self.vehicle, self.road, self.second
        self.vehicle, self.road, self.second = [], [], []
        return out


class TravelTimes:
    """Present travel time of every road: looks at busy roads, weighted down as they grow old.

    The speed of a road is Edie's generalised mean, vehicle-metres over vehicle-seconds: sum of (vehicles ×
    mean speed) over sum of vehicles, over looks of which each counts ``e^(-age/memory)``. A little weight of
    free flow (``prior`` vehicles) keeps one standing car from making a road slow. The period is prime, so that
    looks do not always meet the same phase of a signal. Source: Edie, "Discussion of
    traffic stream measurements and definitions", 1963.
    """

    def __init__(
        self, length_m: Floats, free_s: Floats, *, period_s: int = 47, memory_s: float = 300.0, prior: float = 1.0
    ) -> None:
        self.period_s = period_s
        self._length, self._free = length_m, free_s
        self._keep = float(np.exp(-period_s / memory_s))
        self._prior = prior
        self._vehicles = np.zeros(len(length_m))
        self._distance = np.zeros(len(length_m))
        self._use = np.zeros(len(length_m))

    def expect(self, roads: npt.NDArray[Any]) -> None:
        """Note that vehicles will use these roads (one entry per vehicle and road)."""
        self._use += np.bincount(roads, minlength=len(self._use))

    def to_look_at(self, least: float = 15.0) -> Ints:
        """Return the roads worth a look: where ``least`` vehicles went or will go of late, or some stand.

        15 vehicles in five minutes are a tenth of a lane's capacity: on quieter roads nobody is held up for long.
        """
        self._use *= self._keep
        return np.flatnonzero((self._use >= least) | (self._vehicles > 2.0)).astype(np.int64)

    def look(self, roads: Ints, vehicles: Floats, speed_m_s: Floats) -> None:
        """Take in one look: number of vehicles and mean speed on each of ``roads``."""
        self._vehicles *= self._keep
        self._distance *= self._keep
        self._vehicles[roads] += vehicles
        self._distance[roads] += vehicles * speed_m_s

    def now_s(self, free_s: Floats | None = None) -> Floats:
        """Travel time of every road in s; ``free_s``: present free-flow times if they are not the usual ones."""
        free = self._free if free_s is None else free_s
        free_speed = self._length / free
        speed = (self._distance + self._prior * free_speed) / (self._vehicles + self._prior)
        return np.asarray(np.maximum(self._length / np.maximum(speed, 0.1), free), dtype=np.float64)
