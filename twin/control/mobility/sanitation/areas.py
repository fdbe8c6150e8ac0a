"""The areas to keep clean: their roads, hours, standard, and the dirt expected on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from twin.control.mobility.sanitation.expected import ExpectedDirt
from twin.control.mobility.sanitation.hours import window
from twin.domain.sanitation import CleaningArea

Ints = npt.NDArray[np.int64]


class Areas:
    """All areas told; the highest standard and the lowest speed of several hold."""

    def __init__(self) -> None:
        self._all: dict[str, CleaningArea] = {}
        self.dirt = ExpectedDirt()

    def take(self, message: CleaningArea, now_s: int) -> None:
        """Take in an area."""
        self._all[message.area] = replace(message, road=np.unique(message.road))
        self.dirt.add(message, now_s)

    @property
    def known(self) -> bool:
        """Whether any area was told."""
        return bool(self._all)

    @property
    def standard(self) -> float:
        """Cleanliness to be kept."""
        return max(a.standard for a in self._all.values())

    @property
    def sweep_m_s(self) -> float:
        """Speed of sweeping."""
        return min(a.sweep_m_s for a in self._all.values())

    @property
    def from_s(self) -> Ints:
        """Beginnings of all windows, seconds of the day."""
        return np.concatenate([a.from_s for a in self._all.values()])

    def open(self, now_s: int) -> tuple[int, int, Ints] | None:
        """Return begin and end of the present shift and the roads (ascending) that may be swept; None: no shift."""
        found = [(w, a.road) for a in self._all.values() if (w := window(a.from_s, a.until_s, now_s)) is not None]
        if not found:
            return None
        roads = found[0][1] if len(found) == 1 else np.unique(np.concatenate([road for _, road in found]))
        return min(w[0] for w, _ in found), min(w[1] for w, _ in found), roads
