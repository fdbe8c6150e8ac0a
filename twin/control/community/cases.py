"""What the community desk knows of reports: which repeat which, in squares of the distance at which they are one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from twin.domain.community import ServiceList, ServiceRequest

#: states of a report
REVIEW, FORWARDED, REPEATS, ENDED = "review", "forwarded", "repeats", "ended"


@dataclass(frozen=True)
class Service:
    """One line of the list of services."""

    theme: str
    urgent: bool
    merge_m: float
    merge_s: int


def services(told: ServiceList) -> dict[str, Service]:
    """Return the services by code."""
    return {
        code: Service(told.theme[i], bool(told.urgent[i]), float(told.merge_m[i]), int(told.merge_s[i]))
        for i, code in enumerate(told.service_code)
    }


@dataclass
class Case:
    """One report. ``original``: the one that it repeats; ``followers`` repeat it; ``ref`` of its sign, ``tries``."""

    request: ServiceRequest
    service: Service
    state: str = REVIEW
    original: str = ""
    followers: list[str] = field(default_factory=list)
    ref: str = ""
    tries: int = 0
    verdict: str = ""  # of a clerk, where nobody had asked yet
    answer: str = ""
    answers: int = 0  # so many it got

    @property
    def name(self) -> str:
        """Its service_request_id."""
        return self.request.service_request_id


class CaseBook:
    """All reports, and where open originals are."""

    def __init__(self) -> None:
        self.all: dict[str, Case] = {}
        self._squares: dict[tuple[str, int, int], list[str]] = {}

    def open(self, case: Case) -> None:
        """Put a report on the books as one of its own."""
        self._squares.setdefault(self._square(case), []).append(case.name)

    def close(self, case: Case) -> None:
        """Take an original off the open ones."""
        names = self._squares.get(self._square(case), [])
        if case.name in names:
            names.remove(case.name)

    def repeated(self, request: ServiceRequest, service: Service) -> Case | None:
        """Return the open report that this one repeats: same theme, near in space and time; the nearest."""
        side = max(service.merge_m, 1.0)
        column, line = math.floor(request.x_m / side), math.floor(request.y_m / side)
        best: tuple[float, str] | None = None
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                for name in self._squares.get((service.theme, column + dx, line + dy), ()):
                    other = self.all[name].request
                    metres = math.hypot(other.x_m - request.x_m, other.y_m - request.y_m)
                    near = metres <= service.merge_m and abs(other.seen_s - request.seen_s) <= service.merge_s
                    if near and (best is None or (metres, name) < best):
                        best = (metres, name)
        return self.all[best[1]] if best is not None else None

    @staticmethod
    def _square(case: Case) -> tuple[str, int, int]:
        side = max(case.service.merge_m, 1.0)
        return case.service.theme, math.floor(case.request.x_m / side), math.floor(case.request.y_m / side)
