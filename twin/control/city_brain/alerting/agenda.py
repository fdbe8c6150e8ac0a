"""What is to be done at which second: a queue of timers whose order depends on nothing but its history."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from twin.control.city_brain.alerting.rules import NEVER_S


@dataclass(frozen=True)
class Due:
    """A timer: ``what`` is to be done about ``about`` (an alert, a group), if it is still at ``number``."""

    what: str
    about: str
    number: int = 0


@dataclass
class Agenda:
    """Timers by second, then in the order in which they were set."""

    _heap: list[tuple[int, int, Due]] = field(default_factory=list)
    _serial: int = 0

    def set(self, t_s: int, due: Due) -> None:
        """Do ``due`` at second ``t_s``."""
        self._serial += 1
        heapq.heappush(self._heap, (t_s, self._serial, due))

    @property
    def next_s(self) -> int:
        """The second of the first timer."""
        return self._heap[0][0] if self._heap else NEVER_S

    def take(self, until_s: int) -> Due | None:
        """Remove and return the first timer due at or before ``until_s``."""
        return heapq.heappop(self._heap)[2] if self._heap and self._heap[0][0] <= until_s else None
