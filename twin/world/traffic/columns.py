"""What happened, gathered as SUMO's lists of ids and handed over as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.world.traffic.ports import Flow, Ints


class Column:
    """Events of one kind as they come: vehicles and their seconds."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._seconds: list[int] = []

    def extend(self, ids: Sequence[str], second: int) -> None:
        """Note that the vehicles of these ids did it at ``second``."""
        if ids:
            self._ids.extend(ids)
            self._seconds.extend([second] * len(ids))

    def arrays(self) -> tuple[Ints, Ints]:
        """Return vehicle numbers and seconds."""
        return numbers(self._ids), np.array(self._seconds, dtype=np.int64)


@dataclass
class Happenings:
    """All columns of one advance."""

    departed: Column = field(default_factory=Column)
    arrived: Column = field(default_factory=Column)
    teleported: Column = field(default_factory=Column)
    began: Column = field(default_factory=Column)
    ended: Column = field(default_factory=Column)

    def flow(self, entries: tuple[list[str], list[int], list[int]]) -> Flow:
        """Return them as a Flow; ``entries``: vehicles, roads, seconds."""
        who, road, when = entries
        return Flow(
            *self.departed.arrays(),
            *self.arrived.arrays(),
            *self.teleported.arrays(),
            *self.began.arrays(),
            *self.ended.arrays(),
            entered=numbers(who),
            entered_road=np.array(road, dtype=np.int64),
            entered_s=np.array(when, dtype=np.int64),
        )


def numbers(ids: Sequence[str]) -> Ints:
    """Vehicle numbers of SUMO ids."""
    return np.array(list(map(int, ids)), dtype=np.int64)
