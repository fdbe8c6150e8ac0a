"""Who breaks which rule, in truth: what units really did, against the permits that really hold (F26).

Looked at every tick (10 s) with the roads passed and the distance driven since the last one:

* *speeding*: more than ``TOLERATED`` above the permit's speed, or the limit of the roads it was on, for two ticks;
  over after ``CLEAR`` ticks without (in China less than 10 % too fast is a warning without a fine);
* *out of area*: on a road that its permits do not allow; from the second it enters until it is back or parked;
* *out of hours*, *no permit*: driving while a permit holds only at other times, or none does – or with somebody or
  something aboard while it may only test;
* *silence*: nothing can be heard of a unit that was out, for ``SILENCE_S``, until its link is back;
* *red light*, *harsh braking*: moments, see :mod:`twin.world.fleets.lapses`.

The cause is a fault of the unit's own if it has one, else the desk that sent it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.control.mobility.permits import Permits
from twin.control.mobility.standings import HOLDS, NO_PERMIT, OUT_OF_HOURS, Standings
from twin.events import ViolationBegan, ViolationEnded
from twin.world.fleets.lapses import Lapses, Moment
from twin.world.fleets.motion import OUT, Motion
from twin.world.fleets.ports import FleetContext

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LASTING = ("speeding", "out of area", "out of hours", "no permit", "silence")
SPEEDING, OUT_OF_AREA, LATE_HOURS, WITHOUT, SILENCE = range(5)
TOLERATED = 0.10
SET, CLEAR = 2, 3  # ticks
SILENCE_S = 60
BRAKING_M_S2 = 1.5  # what ordinary driving brakes at (assumed)


class Conduct:
    """Compares driving with permits, tick by tick, and logs what is broken."""

    def __init__(self, context: FleetContext, permits: Permits, faults: float) -> None:
        u = context.units
        n = len(u)
        self._c, self._permits = context, permits
        self.motion = Motion(u, context.city)
        self._lapses = Lapses(context, self.motion, faults)
        self._test_h = np.array([s.test_h for s in u.specs], dtype=np.float64)
        self._test_km = np.array([s.test_km for s in u.specs], dtype=np.float64)
        self._roads = len(context.city.roads)
        self._rules: Standings | None = None
        self._since_s: Ints = np.full((n, len(LASTING)), -1, dtype=np.int64)
        self._fast: Ints = np.zeros(n, dtype=np.int64)  # ticks in a row too fast (> 0), or not (< 0)
        self._road: Ints = u.road.copy()
        self._unlinked_s: Ints = np.full(n, -1, dtype=np.int64)
        self._was_out = OUT[u.state]
        self._rows: Ints = np.arange(n)
        self._all_heard = True  # at the last tick, and nobody is silent
        # what telemetry tells, since it was last taken
        self.red_lights: Ints = np.zeros(n, dtype=np.int64)
        self.braking_m_s2: Floats = np.zeros(n)
        self.top_speed_m_s: Floats = np.zeros(n)

    def rules(self, now_s: int) -> Standings:
        """Return what holds for every unit now."""
        u = self._c.units
        if self._rules is None or not self._rules.current(self._permits, u.number, now_s):
            km = self._test_km + u.odometer_m / 1000
            self._rules = Standings.of(self._permits, u.number, self._test_h, km, now_s, self._roads)
        return self._rules

    def tick(self, now_s: int) -> None:
        """Take in the last tick: let faults happen, find what is broken and what is over."""
        self.motion.tick()
        rules = self.rules(now_s)
        for moment in self._lapses.tick(rules, now_s):
            self._note(moment)
        moving = self.motion.moving
        self.top_speed_m_s = np.maximum(self.top_speed_m_s, self.motion.speed_m_s)
        self.braking_m_s2 = np.maximum(self.braking_m_s2, np.where(moving, BRAKING_M_S2, 0.0))
        out = OUT[self._c.units.state]
        self._area(rules, out, now_s)
        self._lasting(rules, now_s)
        self._silence(now_s)
        self._was_out = out
        self._road = self._c.units.road.copy()

    def taken(self, rows: Ints) -> None:
        """Begin anew what is told since the last sending of these rows."""
        self.red_lights[rows], self.braking_m_s2[rows], self.top_speed_m_s[rows] = 0, 0.0, 0.0

    def finish(self) -> Ints:
        """Return the rows with a violation that is still going on; they have no end in the log."""
        return np.flatnonzero((self._since_s >= 0).any(axis=1))

    # -- rules ----------------------------------------------------------------------------------------------

    def _note(self, m: Moment) -> None:
        unit = int(self._c.units.number[m.row])
        self._c.log.add(ViolationBegan, t_s=m.t_s, unit=unit, violation=m.violation, road=m.road, cause=m.cause)
        if m.violation == "red light":
            self.red_lights[m.row] += 1
        self.braking_m_s2[m.row] = max(self.braking_m_s2[m.row], m.braking_m_s2)

    def _area(self, rules: Standings, out: Bools, now_s: int) -> None:
        """Roads entered since the last tick, one by one; then where it is now."""
        u = self._c.units
        holds = rules.why == HOLDS
        away = ~rules.inside(self._rows, u.road) & holds
        for row in np.flatnonzero((u.road != self._road) & holds).tolist():
            for road, t_s in u.passed(row):
                outside = not rules.masks[rules.group[row], road]
                self._turn(row, OUT_OF_AREA, outside, min(int(t_s), now_s), road)
        for row in np.flatnonzero((away & out) != (self._since_s[:, OUT_OF_AREA] >= 0)).tolist():
            self._turn(row, OUT_OF_AREA, bool(away[row] and out[row]), now_s, int(u.road[row]))

    def _lasting(self, rules: Standings, now_s: int) -> None:
        u, m = self._c.units, self.motion
        legal = np.minimum(rules.speed_m_s, m.limit_m_s)
        fast = m.moving & np.isfinite(rules.speed_m_s) & (m.speed_m_s > legal * (1.0 + TOLERATED))
        self._fast = np.where(fast, np.maximum(self._fast, 0) + 1, np.minimum(self._fast, 0) - 1)
        open_ = self._since_s[:, SPEEDING] >= 0
        speeding = np.where(open_, self._fast > -CLEAR, self._fast >= SET)
        hours = m.moving & (rules.why == OUT_OF_HOURS)
        loaded = (rules.why == HOLDS) & ~rules.use & (u.load > 0)
        without = m.moving & ((rules.why == NO_PERMIT) | loaded)
        for kind, now in ((SPEEDING, speeding), (LATE_HOURS, hours), (WITHOUT, without)):
            for row in np.flatnonzero(now != (self._since_s[:, kind] >= 0)).tolist():
                self._turn(row, kind, bool(now[row]), now_s, int(u.road[row]))

    def _silence(self, now_s: int) -> None:
        u = self._c.units
        if self._all_heard and u.linked.all():
            return
        lost = ~u.linked & (self._unlinked_s < 0)
        self._unlinked_s[lost] = np.where(self._was_out[lost], now_s, now_s + (1 << 40))
        self._unlinked_s[u.linked] = -1
        silent = (self._unlinked_s >= 0) & (now_s - self._unlinked_s >= SILENCE_S) & self._lapses.automated
        for row in np.flatnonzero(silent != (self._since_s[:, SILENCE] >= 0)).tolist():
            self._turn(row, SILENCE, bool(silent[row]), now_s, int(u.road[row]))
        self._all_heard = bool(u.linked.all())

    def _turn(self, row: int, kind: int, broken: bool, t_s: int, road: int) -> None:
        """Let a lasting violation begin or end, if it does."""
        since = int(self._since_s[row, kind])
        unit, word = int(self._c.units.number[row]), LASTING[kind]
        if broken and since < 0:
            self._since_s[row, kind] = t_s
            cause = "link lost" if kind == SILENCE else self._lapses.cause(row, word, t_s)
            self._c.log.add(ViolationBegan, t_s=t_s, unit=unit, violation=word, road=road, cause=cause)
        elif not broken and since >= 0:
            self._since_s[row, kind] = -1
            self._c.log.add(ViolationEnded, t_s=t_s, unit=unit, violation=word, duration_s=t_s - since)
