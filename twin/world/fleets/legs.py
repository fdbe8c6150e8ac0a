"""A leg of a unit: the way from where it stands to where it is sent, and how far along it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.domain.mobility import DriveTo

Floats = npt.NDArray[np.float64]
Way = npt.NDArray[np.int32]


@dataclass(slots=True)
class Leg:
    """A leg under way. ``way``: all its roads from where it was last entered, ``at``: index of the present one.

    ``begin_m[k]``: metres from the start of ``way[0]`` to that of ``way[k]``. ``end_m``: its end on the last road.
    ``until_s`` ≥ 0: it moves along the kerb, without a vehicle, until then.
    """

    command: DriveTo
    way: Way
    begin_m: Floats
    end_m: float
    begun_s: int
    expected_s: float
    at: int = 0
    until_s: int = -1

    def take_way(self, way: npt.NDArray[Any], length_m: Floats, at: int) -> None:
        """Take a new way, being on its road ``at``."""
        self.way = np.asarray(way, dtype=np.int32)
        self.begin_m = begin_m(self.way, length_m)
        self.at = at

    def find(self, road: int) -> int:
        """Return the index of a road on the rest of the way; -1 if it is not on it."""
        ahead = np.flatnonzero(self.way[self.at :] == road)
        return int(ahead[0]) + self.at if ahead.size else -1

    def along(self, at: int, pos_m: float) -> float:
        """Return metres from the start of the way to a position on its road ``at``."""
        return float(self.begin_m[at]) + pos_m

    def passed(self, at: int, pos_m: float, now_s: float, since_s: float, from_pos_m: float) -> list[tuple[int, float]]:
        """Return (road, second) of roads entered on the way from the present place to road ``at``, evenly driven."""
        start, end = self.along(self.at, from_pos_m), self.along(at, pos_m)
        span = max(end - start, 1e-9)
        return [
            (
                int(self.way[k]),
                since_s + (now_s - since_s) * min(max((float(self.begin_m[k]) - start) / span, 0.0), 1.0),
            )
            for k in range(self.at + 1, at + 1)
        ]


def begin_m(way: Way, length_m: Floats) -> Floats:
    """Metres from the start of a way to the start of each of its roads."""
    return np.asarray(np.concatenate([[0.0], np.cumsum(length_m[way[:-1]])]), dtype=np.float64)


def join_way(rest: Way, roads: npt.NDArray[np.int64]) -> Way | None:
    """Return how somebody with ``rest`` of the way before him (the present road first) gets onto ``roads``.

    He joins at the first of ``roads`` that lies on his way; None if none does.
    """
    where = {int(road): i for i, road in reversed(list(enumerate(rest.tolist())))}
    for j, road in enumerate(roads.tolist()):
        if road in where:
            return np.concatenate([rest[: where[road]], roads[j:].astype(np.int32)])
    return None
