"""What the permits let the units of a fleet do now and next, and the streets as seen through them (F26).

Units for which the same permits hold form a *group* with streets of its own: only allowed roads, no faster than the
permit says. A fleet that needs no permit (purpose "") is one group that may drive anywhere at any time. While no
permit holds, a group keeps the streets of the next one that will, so that orders can be judged before it opens.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.control.mobility.permits import FOREVER_S, Grant, Permits
from twin.control.mobility.streets import Streets
from twin.domain.messages import ClosureReport, Message, RoadMap
from twin.domain.mobility import Roster, TravelTimes

Ints = npt.NDArray[np.int64]
AHEAD = 8  # changes of permits that are looked through for the next one that holds


@dataclass
class Group:
    """Units (rows) under the same permits, which may drive in [from_s, until_s), now or next."""

    units: Ints
    streets: Streets = field(default_factory=Streets)
    speed_m_s: float = float("inf")
    from_s: int = FOREVER_S
    until_s: int = FOREVER_S

    def may_drive(self, now_s: int) -> bool:
        """Return whether its units may be on the road now."""
        return self.from_s <= now_s < self.until_s


class Licences:
    """Permits, groups of units, and their streets; fed with the desk's messages."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.of: Ints = np.empty(0, dtype=np.int64)
        self._permits = Permits()
        self._roster: Roster | None = None
        self._purpose = ""
        self._map: RoadMap | None = None
        self._times: TravelTimes | None = None
        self._closed: dict[int, ClosureReport] = {}
        self._stale = True
        self._next_s = 0
        self.roads_changed = False  # closures or permits changed; whoever reroutes sets it back

    def take(self, message: Message) -> bool:
        """Take in a message about streets or permits; False if it is about something else."""
        if self._permits.take(message):
            self._stale = True
            return True
        if isinstance(message, RoadMap):
            self._map, self._stale = message, True
        elif isinstance(message, TravelTimes):
            self._times = message
        elif isinstance(message, ClosureReport):
            self._closed[message.road] = message
            self.roads_changed = True
        else:
            return False
        for group in self.groups:
            if group.streets.known:
                group.streets.take(message)
        return True

    def roster(self, roster: Roster, purpose: str) -> None:
        """Say whose permits count."""
        self._roster, self._purpose, self._stale = roster, purpose, True

    @property
    def ready(self) -> bool:
        """Whether map and roster have come."""
        return self._map is not None and self._roster is not None

    def refresh(self, now_s: int) -> bool:
        """Bring groups, their roads and hours up to date; return whether anything changed."""
        if not self.ready or not (self._stale or now_s >= self._next_s):
            return False
        regroup, self._stale = self._stale, False
        if regroup:
            self._regroup(now_s)
        self._next_s = FOREVER_S
        for group in self.groups:
            self._judge(group, now_s)
        self.roads_changed = True
        return True

    def _regroup(self, now_s: int) -> None:
        """Group units by what holds for them now and at the next changes."""
        assert self._roster is not None
        assert self._map is not None
        rows: dict[tuple[object, ...], list[int]] = {}
        for row in range(self._roster.unit.size):
            signs = [] if self._purpose == "" else [g.permits for _, g in self._coming(row, now_s)]
            rows.setdefault(tuple(signs), []).append(row)
        old = {tuple(g.units.tolist()): g for g in self.groups}
        self.groups = []
        self.of = np.zeros(self._roster.unit.size, dtype=np.int64)
        for k, members in enumerate(rows.values()):
            group = old.get(tuple(members)) or Group(np.asarray(members, dtype=np.int64))
            if not group.streets.known:
                told: list[Message] = [self._map, *([self._times] if self._times else []), *self._closed.values()]
                for message in told:
                    group.streets.take(message)
            self.of[group.units] = k
            self.groups.append(group)

    def _coming(self, row: int, now_s: int) -> list[tuple[int, Grant]]:
        """Return what holds from now on for a unit: (from when, grant) for the next changes by the clock."""
        r = self._roster
        assert r is not None
        assert self._map is not None
        unit, roads = int(r.unit[row]), int(self._map.road.max(initial=-1)) + 1
        out, t_s = [], now_s
        for _ in range(AHEAD):
            tests = (float(r.test_h[row]), float(r.test_km[row]))
            out.append((t_s, self._permits.grant(r.fleet, unit, self._purpose, t_s, roads, *tests)))
            t_s = self._permits.changes_s(r.fleet, unit, t_s)
            if t_s >= FOREVER_S:
                break
        return out

    def _judge(self, group: Group, now_s: int) -> None:
        """Set the roads, speed and hours of a group by what holds now or next."""
        assert self._roster is not None
        top = float(self._roster.speed_m_s[group.units].max(initial=0.1))
        if self._purpose == "":
            group.from_s, group.until_s, group.speed_m_s = 0, FOREVER_S, top
            group.streets.permit(None, top)
            return
        coming = self._coming(int(group.units[0]), now_s)
        self._next_s = min([self._next_s, *(t for t, _ in coming[1:2])])
        holds = [(t, g) for t, g in coming if g.roads is not None]
        if not holds:
            group.from_s, group.until_s = FOREVER_S, FOREVER_S
            group.streets.permit(np.zeros(group.streets.length_m.size, dtype=bool), top)
            return
        from_s, grant = holds[0]
        group.from_s, group.until_s, group.speed_m_s = from_s, grant.until_s, min(grant.speed_m_s, top)
        group.streets.permit(grant.roads, group.speed_m_s)
