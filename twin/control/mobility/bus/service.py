"""When a bus may carry passengers, or drive tests: service hours and permits (F22, F26)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.control.mobility.permits import DAY_S, Grant, Permits
from twin.domain.bus import BusRules
from twin.domain.messages import Message
from twin.domain.mobility import PermitIssued, PermitWithdrawn

ALWAYS_S = 1 << 40
FLEET = "shuttle"


@dataclass(frozen=True)
class Window:
    """The present or next time in which a bus may drive for a purpose."""

    grant: Grant
    from_s: int
    until_s: int


def service_hours(rules: BusRules, now_s: int) -> tuple[int, int]:
    """Return the present or next service hours as seconds of the run."""
    day, tod = divmod(now_s, DAY_S)
    a, b = rules.from_s, rules.until_s
    if b - a >= DAY_S or a == b:
        return 0, ALWAYS_S
    if a < b:
        day += tod >= b
        return day * DAY_S + a, day * DAY_S + b
    day -= tod < b  # over midnight
    return day * DAY_S + a, (day + 1) * DAY_S + b


class Service:
    """The permits of the buses."""

    def __init__(self) -> None:
        self._permits = Permits()
        self._issued: dict[str, PermitIssued] = {}

    @property
    def version(self) -> int:
        """A number that rises when permits change."""
        return self._permits.version

    def take(self, message: Message) -> bool:
        """Take in a message about permits; False if it is about something else."""
        if isinstance(message, PermitIssued):
            self._issued[message.permit] = message
        elif isinstance(message, PermitWithdrawn):
            self._issued.pop(message.permit, None)
        return self._permits.take(message)

    def asks_tests(self, unit: int, now_s: int, test_h: float, test_km: float) -> bool:
        """Return whether tests are all that a unit lacks for carrying passengers."""
        return any(
            p.fleet == FLEET
            and p.purpose == "passengers"
            and (not p.unit.size or unit in p.unit)
            and now_s < p.valid_until_s
            and p.min_test_h > test_h
            and p.min_test_km > test_km
            for p in self._issued.values()
        )

    def window(
        self, unit: int, purpose: str, rules: BusRules | None, now_s: int, roads: int, test_h: float, test_km: float
    ) -> Window | None:
        """Return when a unit may drive for ``purpose``, now or next; ``rules``: within their hours; None: never."""
        begins = {now_s}
        for p in self._issued.values():
            if p.fleet == FLEET and p.purpose == purpose:
                day = now_s // DAY_S
                begins |= {
                    t for t in (p.valid_from_s, day * DAY_S + p.from_s, (day + 1) * DAY_S + p.from_s) if t > now_s
                }
        for begin in sorted(begins):
            a, b = service_hours(rules, begin) if rules is not None else (0, ALWAYS_S)
            start = max(a, begin)
            grant = self._permits.grant(FLEET, unit, purpose, start, roads, test_h, test_km)
            if grant.roads is not None and min(b, grant.until_s) > start:
                return Window(grant, start, min(b, grant.until_s))
        return None
