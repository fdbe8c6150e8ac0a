"""What the desk must not forget: an agenda of seconds, and the service targets of each level and severity."""

from __future__ import annotations

import heapq

from twin.domain.city_brain import SEVERITIES
from twin.domain.incidents import ServiceTargets

#: phases of an incident that have a clock, in order
PHASES = ("assign", "arrive", "handle", "close")
NEVER_S = 1 << 60


class Agenda:
    """What is due when: (word, subject, number); of one second in the order of setting."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str, str, int]] = []
        self._serial = 0

    def set(self, t_s: int, word: str, subject: str, number: int = 0) -> None:
        """Put something on the agenda."""
        self._serial += 1
        heapq.heappush(self._heap, (t_s, self._serial, word, subject, number))

    def next_s(self) -> int:
        """Return the second of the next entry."""
        return self._heap[0][0] if self._heap else NEVER_S

    def take(self, now_s: int) -> tuple[int, str, str, int] | None:
        """Return the next entry that is due, or None."""
        if not self._heap or self._heap[0][0] > now_s:
            return None
        t_s, _, word, subject, number = heapq.heappop(self._heap)
        return t_s, word, subject, number


class Targets:
    """Seconds allowed for a phase at a level, by severity."""

    def __init__(self, told: ServiceTargets) -> None:
        columns = (told.assign_s, told.arrive_s, told.handle_s, told.close_s)
        self._s: dict[tuple[int, int, str], int] = {
            (int(level), SEVERITIES.index(severity), phase): int(column[row])
            for row, (level, severity) in enumerate(zip(told.level.tolist(), told.severity, strict=True))
            for phase, column in zip(PHASES, columns, strict=True)
        }

    def seconds(self, level: int, severity: int, phase: str) -> int:
        """Return the seconds allowed; a day where no row says."""
        return self._s.get((level, severity, phase), 86_400)
