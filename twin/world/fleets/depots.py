"""Depots in truth: where units are at home, load and charge; and their chargers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

#: how far along the road from a depot's gate a unit still stands at the depot (m)
REACH_M = 60.0


@dataclass(frozen=True)
class Depot:
    """A depot as planned: ``place`` is its id in the city, ``desk`` whose it is.

    ``docks``: places to load at; ``chargers`` of ``power_w`` each; open in [from_s, until_s) of each day.
    """

    place: str
    name: str
    desk: str
    road: int
    pos_m: float
    x_m: float
    y_m: float
    docks: int
    chargers: int
    power_w: float
    from_s: int = 0
    until_s: int = 86_400


class Depots:
    """All depots; ``working[i]``: chargers that work; ``shut[i]``: closed outside its plan."""

    def __init__(self, depots: tuple[Depot, ...]) -> None:
        self.all = depots
        self.index = {(d.desk, d.place): i for i, d in enumerate(depots)}
        self.road: Ints = np.array([d.road for d in depots], dtype=np.int64)
        self.working: Ints = np.array([d.chargers for d in depots], dtype=np.int64)
        self.shut = np.zeros(len(depots), dtype=bool)

    def of(self, desk: str) -> list[Depot]:
        """Return the depots of a desk, in the order in which its scenario names them."""
        return [d for d in self.all if d.desk == desk]

    def is_open(self, index: int, now_s: int) -> bool:
        """Return whether units can load and charge there now."""
        d = self.all[index]
        return not self.shut[index] and d.from_s <= now_s % 86_400 < d.until_s

    def at(self, desk: str, road: int, pos_m: float) -> int:
        """Return the index of the desk's depot at a position; -1 if there is none."""
        for i in np.flatnonzero(self.road == road).tolist():
            if self.all[i].desk == desk and abs(self.all[i].pos_m - pos_m) <= REACH_M:
                return int(i)
        return -1
