"""Permits as rules (F26): which unit may drive where, when, how fast, for what. Shared by desks and supervision.

A permit speaks of a fleet (or some of its units), a purpose, roads, hours of the day, a speed, a time of validity
and the test driving that must have been done. Several permits that hold at once add their roads up; the lowest of
their speeds holds. An empty purpose stands for *any*: who watches a unit from outside cannot see what it drives for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.domain.messages import Message
from twin.domain.mobility import PermitIssued, PermitWithdrawn

DAY_S = 86_400
FOREVER_S = 1 << 62
TEST = "test"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Grant:
    """What a unit may do at a moment: roads (bool per road; none: nowhere), fastest speed, until when it holds.

    ``roads`` must not be written to: units with the same permits share it.
    """

    roads: Bools | None
    speed_m_s: float
    until_s: int
    permits: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Whether a leg is allowed, how fast at most, and in a few words why not."""

    allowed: bool
    speed_m_s: float
    why: str


class Permits:
    """The permits in force, as told by messages; a message told twice (same key) counts once."""

    def __init__(self) -> None:
        self._permits: dict[str, PermitIssued] = {}
        self._told: set[str] = set()
        self._masks: dict[tuple[tuple[str, ...], int], Bools] = {}
        self.version = 0

    def take(self, message: Message) -> bool:
        """Take in a message about permits; False if it is about something else."""
        if not isinstance(message, PermitIssued | PermitWithdrawn):
            return False
        if message.key in self._told:
            return True
        self._told.add(message.key)
        if isinstance(message, PermitIssued):
            self._permits[message.permit] = message
        elif self._permits.pop(message.permit, None) is None:
            return True
        self._masks.clear()
        self.version += 1
        return True

    # -- at a moment -----------------------------------------------------------------------------------------

    def grant(
        self, fleet: str, unit: int, purpose: str, now_s: int, roads: int, test_h: float, test_km: float
    ) -> Grant:
        """Return what holds for a unit at ``now_s``; ``roads``: number of roads of the map.

        Several permits that hold at once add their roads up; the lowest of their speeds holds.
        """
        speed, until, names = float("inf"), FOREVER_S, []
        for p in self._of(fleet, unit, purpose):
            ends = _ends_s(p, now_s)
            if ends is None or not tested(p, test_h, test_km):
                continue
            speed, until = min(speed, p.speed_m_s), min(until, ends)
            names.append(p.permit)
        return Grant(self._mask(tuple(names), roads), speed, until, tuple(names))

    def why_not(self, fleet: str, unit: int, purpose: str, now_s: int, test_h: float, test_km: float) -> str:
        """Return why no permit holds for a unit at ``now_s``; "" if one does.

        Begins with "no permit", "out of hours" or "needs" (tests): the nearest thing to being allowed.
        """
        mine = self._of(fleet, unit, purpose)
        if not mine:
            return f"no permit for {purpose or fleet}"
        valid = [p for p in mine if p.valid_from_s <= now_s < p.valid_until_s]
        if not valid:
            ended = [p.valid_until_s for p in mine if p.valid_until_s <= now_s]
            if ended:
                return f"no permit: ended {_clock(max(ended))}"
            return f"no permit: begins {_clock(min(p.valid_from_s for p in mine))}"
        fit = [p for p in valid if tested(p, test_h, test_km)]
        if not fit:
            least = min(valid, key=lambda p: (p.min_test_h, p.min_test_km, p.permit))
            return f"needs {least.min_test_h:,g} h or {least.min_test_km:,g} km of tests"
        if all(_ends_s(p, now_s) is None for p in fit):
            last = max(fit, key=lambda p: (p.until_s, p.permit))
            return f"out of hours: from {_clock(last.until_s)}"
        return ""

    def changes_s(self, fleet: str, unit: int, now_s: int) -> int:
        """Return the next second at which what holds for a unit may change by the clock alone."""
        return min((_turns_s(p, now_s) for p in self._of(fleet, unit, "")), default=FOREVER_S)

    # -- for a leg -------------------------------------------------------------------------------------------

    def may_drive(
        self,
        fleet: str,
        unit: int,
        purpose: str,
        way: npt.NDArray[np.int64],
        from_s: int,
        until_s: int,
        test_h: float,
        test_km: float,
    ) -> Answer:
        """Say whether a unit may drive along ``way`` (road indices) in [from_s, until_s], and how fast.

        ``why`` names the first thing that stands against it: "no permit …", "needs 240 h or 1,000 km of tests",
        "out of hours: from 22:00" or "out of area: road 123". Where permits change on the way, each part of the
        time is judged by what holds then, for the whole way: a planner must not count on being quick.
        """
        n = int(way.max(initial=-1)) + 1
        t_s, speed = from_s, float("inf")
        while True:
            why = self.why_not(fleet, unit, purpose, t_s, test_h, test_km)
            if why:
                return Answer(False, 0.0, why)
            g = self.grant(fleet, unit, purpose, t_s, n, test_h, test_km)
            assert g.roads is not None
            outside = way[~g.roads[way]]
            if outside.size:
                return Answer(False, 0.0, f"out of area: road {int(outside[0])}")
            speed = min(speed, g.speed_m_s)
            t_s = self.changes_s(fleet, unit, t_s)
            if t_s > until_s:
                return Answer(True, speed, "")

    # -- pieces ----------------------------------------------------------------------------------------------

    def _of(self, fleet: str, unit: int, purpose: str) -> list[PermitIssued]:
        """Permits that speak of a unit and purpose, by name."""
        return [
            p
            for _, p in sorted(self._permits.items())
            if p.fleet == fleet and purpose in ("", p.purpose) and (p.unit.size == 0 or unit in p.unit)
        ]

    def _mask(self, names: tuple[str, ...], roads: int) -> Bools | None:
        if not names:
            return None
        key = (names, roads)
        if key not in self._masks:
            mask = np.zeros(roads, dtype=bool)
            for name in names:
                listed = self._permits[name].roads
                mask[listed[(listed >= 0) & (listed < roads)]] = True
            mask.setflags(write=False)
            self._masks[key] = mask
        return self._masks[key]


def tested(p: PermitIssued, test_h: float, test_km: float) -> bool:
    """Say whether a unit has done the test driving that a permit asks for: the hours *or* the kilometres (F22)."""
    return test_h >= p.min_test_h or test_km >= p.min_test_km


def _ends_s(p: PermitIssued, now_s: int) -> int | None:
    """Return the second at which a permit that holds now ends, None if it does not hold."""
    if not p.valid_from_s <= now_s < p.valid_until_s:
        return None
    begin, end = p.from_s % DAY_S, p.until_s % DAY_S
    if begin == end:  # round the clock
        return p.valid_until_s
    day, tod = divmod(now_s, DAY_S)
    if begin < end:
        if not begin <= tod < end:
            return None
        ends = day * DAY_S + end
    else:  # over midnight, or up to it
        if end <= tod < begin:
            return None
        ends = (day + (tod >= begin)) * DAY_S + end
    return min(ends, p.valid_until_s)


def _turns_s(p: PermitIssued, now_s: int) -> int:
    """Return the next second after ``now_s`` at which a permit begins or ceases to hold."""
    ends = _ends_s(p, now_s)
    if ends is not None:
        return ends
    if now_s < p.valid_from_s:
        return p.valid_from_s
    if now_s >= p.valid_until_s:
        return FOREVER_S
    day, tod = divmod(now_s, DAY_S)
    begin = p.from_s % DAY_S
    return (day + (tod >= begin)) * DAY_S + begin


def _clock(t_s: int) -> str:
    """Return "HH:MM" of a second of the run; the end of a day is "24:00", later days are named."""
    day, tod = divmod(t_s, DAY_S)
    if tod == 0 and day:
        day, tod = day - 1, DAY_S
    return f"{tod // 3600:02d}:{tod % 3600 // 60:02d}" + (f" of day {day + 1}" if day else "")
