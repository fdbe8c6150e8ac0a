"""From telemetry to findings: which unit breaks which rule, as far as late, lost, repeated and wrong data can tell.

Everything is judged by the time of *sending*, whatever the order in which data come in:

* a reading known already (same unit, same time of sending) is dropped;
* *moments* (red light, harsh braking) are taken from every new reading, however late, unless its odometer says that
  the unit has not moved since the reading before;
* *lasting* violations begin when ``hold`` of the last ``window`` readings show them (``hold_area`` for leaving the
  area, as one position in fifty lies on a neighbouring road), and end when ``clear`` readings
  in a row show nothing (hysteresis). Readings are kept in order of sending, so late ones take their place.
  A gap is no reading: it neither begins nor ends anything. A reading older than the ``KEPT`` newest is dropped;
* *silence*: a unit that was out by its last reading has sent nothing for ``silence_s``, until it sends again.

Columns over all units; a unit is known from its first reading, or from a Roster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.control.mobility.permits import Permits
from twin.control.mobility.standings import HOLDS, NO_PERMIT, OUT_OF_HOURS, Standings
from twin.domain.messages import RoadMap
from twin.domain.mobility import DRIVING, HALTED, MANUAL, SERVING, STATES, Roster, Telemetry

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: violations that last and show in single readings; order of the columns below
LASTING = ("speeding", "out of area", "out of hours", "no permit")
SPEEDING, OUT_OF_AREA, LATE_HOURS, WITHOUT = range(4)
#: readings of a unit that are kept: 12 make two minutes at one in 10 s
KEPT = 12
_NEVER = -(1 << 40)
#: whether a state is among some, by state + 1; states that do not exist are not
_OUT: Bools = np.isin(np.arange(-1, len(STATES) + 1), (DRIVING, SERVING, HALTED, MANUAL))  # on the road, not off it
_MOVING: Bools = np.isin(np.arange(-1, len(STATES) + 1), (DRIVING, MANUAL))
_LIMIT_S = 60  # the top speed since the last reading may have been driven on a road passed since then


@dataclass(frozen=True)
class Tolerances:
    """What counts as a violation, given that data are noisy.

    Speeding: more than ``speed_share`` above the limit (in China less than 10 % is a warning without a fine) and
    ``speed_m_s`` on top for noise. Harsh braking: 4 m/s² (0.4 g, usual in fleet telematics); what no tyre can do
    (``braking_most_m_s2``) and no such vehicle drives (``speed_most_m_s``) is a wrong value. All other: assumed.
    """

    speed_share: float = 0.10
    speed_m_s: float = 0.5
    speed_most_m_s: float = 45.0
    braking_m_s2: float = 4.0
    braking_most_m_s2: float = 10.0
    red_lights_most: int = 5
    hold: int = 2
    hold_area: int = 3
    window: int = 3
    clear: int = 3
    silence_s: int = 60

    def __post_init__(self) -> None:
        if not (1 <= self.hold <= self.window and 1 <= self.hold_area <= self.window):
            raise ValueError(
                f"hold is {self.hold}, hold_area is {self.hold_area}, window is {self.window};"
                " allowed: 1 <= hold, hold_area <= window"
            )
        if not (1 <= self.clear <= KEPT and self.window <= KEPT and self.silence_s >= 1):
            raise ValueError(
                f"window is {self.window}, clear is {self.clear}, silence_s is {self.silence_s};"
                f" allowed: 1 to {KEPT} readings, at least 1 s"
            )


@dataclass(frozen=True)
class Finding:
    """A violation begins or ends by the data: since when; moments begin and never end."""

    unit: int
    violation: str
    since_s: int
    begins: bool


class Watch:
    """Folds telemetry into findings; see the module's text."""

    def __init__(self, permits: Permits, tolerances: Tolerances) -> None:
        self._permits, self._tol = permits, tolerances
        self._hold = np.full(len(LASTING), tolerances.hold)
        self._hold[OUT_OF_AREA] = tolerances.hold_area
        self._limit_m_s: Floats = np.empty(0)
        self._now: Standings | None = None
        self._before: Standings | None = None  # what held before the last change, for readings sent then
        self._slot: dict[int, int] = {}
        self.unit: Ints = np.empty(0, dtype=np.int64)
        self._test_h: Floats = np.empty(0)
        self._test_km: Floats = np.empty(0)
        # readings kept per unit, the oldest first: time of sending, limit of the road, whether it shows (LASTING)
        self._sent: Ints = np.empty((0, KEPT), dtype=np.int64)
        self._road_limit: Floats = np.empty((0, KEPT))
        self._shows: Bools = np.empty((0, KEPT, len(LASTING)), dtype=bool)
        self._open: Bools = np.empty((0, len(LASTING)), dtype=bool)
        self._odometer_m: Floats = np.empty(0)
        self._heard_s: Ints = np.empty(0, dtype=np.int64)
        self._out: Bools = np.empty(0, dtype=bool)
        self._silent: Bools = np.empty(0, dtype=bool)
        self._moving: Bools = np.empty(0, dtype=bool)

    # -- what is known --------------------------------------------------------------------------------------

    def learn(self, told: RoadMap) -> None:
        """Take in the map. The limit of a road is that of the fastest road next to it, as positions are rough."""
        n = int(told.road.max(initial=-1)) + 1
        own = np.zeros(n)
        own[told.road] = told.limit_m_s
        self._limit_m_s = own.copy()
        np.maximum.at(self._limit_m_s, told.turn_to, own[told.turn_from])
        np.maximum.at(self._limit_m_s, told.turn_from, own[told.turn_to])

    def register(self, told: Roster) -> None:
        """Take in the units of a fleet and the test driving they have done."""
        rows = self._rows(told.unit)
        self._test_h[rows], self._test_km[rows] = told.test_h, told.test_km

    def limit_m_s(self, unit: int) -> float:
        """Return the fastest a unit may drive now: by its permits, else by the road of its last reading."""
        row = self._slot[unit]
        if self._now is not None and row < self._now.unit.size and np.isfinite(self._now.speed_m_s[row]):
            return float(self._now.speed_m_s[row])
        road = float(self._road_limit[row, -1])
        return road if np.isfinite(road) and road > 0 else float(self._limit_m_s.max(initial=1.0))

    def is_moving(self, unit: int) -> bool:
        """Say whether a unit was driving by its last reading."""
        row = self._slot.get(unit, -1)
        return row >= 0 and bool(self._moving[row])

    def _rows(self, unit: Ints) -> Ints:
        new = [u for u in dict.fromkeys(unit.tolist()) if u not in self._slot]
        if new:
            n, k = len(new), KEPT
            self._slot.update({u: self.unit.size + i for i, u in enumerate(new)})
            self.unit = np.append(self.unit, np.asarray(new, dtype=np.int64))
            self._test_h = np.append(self._test_h, np.full(n, np.inf))  # unknown: what its permit says is believed
            self._test_km = np.append(self._test_km, np.full(n, np.inf))
            self._sent = np.vstack([self._sent, np.full((n, k), _NEVER)])
            self._road_limit = np.vstack([self._road_limit, np.zeros((n, k))])
            self._shows = np.concatenate([self._shows, np.zeros((n, k, len(LASTING)), dtype=bool)])
            self._open = np.vstack([self._open, np.zeros((n, len(LASTING)), dtype=bool)])
            self._odometer_m = np.append(self._odometer_m, np.full(n, -np.inf))
            self._heard_s = np.append(self._heard_s, np.full(n, _NEVER))
            self._out, self._silent, self._moving = (
                np.append(a, np.zeros(n, dtype=bool)) for a in (self._out, self._silent, self._moving)
            )
        return np.fromiter((self._slot[u] for u in unit.tolist()), dtype=np.int64, count=unit.size)

    def refresh(self, now_s: int) -> Standings:
        """Return what holds for all units known so far, at ``now_s``."""
        now = self._now
        if now is None or not now.current(self._permits, self.unit, now_s):
            if now is not None and now.unit.size == self.unit.size:
                self._before = now
            now = Standings.of(self._permits, self.unit, self._test_h, self._test_km, now_s, self._limit_m_s.size)
            if self._before is not None and self._before.unit.size != self.unit.size:
                self._before = None
            self._now = now
        return now

    # -- readings -------------------------------------------------------------------------------------------

    def take(self, told: Telemetry, now_s: int) -> list[Finding]:
        """Fold readings in; return what began and what ended, in the order of sending."""
        rows = self._rows(told.unit)
        sent = np.minimum(told.sent_s, now_s)  # a clock that runs ahead does not see the future
        order = np.lexsort((rows, sent))
        if len(set(rows.tolist())) == rows.size:
            return self._fold(told, rows[order], sent[order], order, now_s)
        out: list[Finding] = []
        while order.size:  # one reading per unit at a time
            _, first = np.unique(rows[order], return_index=True)
            now = order[np.sort(first)]
            out += self._fold(told, rows[now], sent[now], now, now_s)
            left = np.ones(order.size, dtype=bool)
            left[first] = False
            order = order[left]
        return out

    def _fold(self, told: Telemetry, row: Ints, sent: Ints, at: Ints, now_s: int) -> list[Finding]:
        """Fold in readings ``at`` of ``told``, of different units (``row``)."""
        kept = self._sent[row]
        fresh = (sent > kept[:, 0]) & ~(kept == sent[:, None]).any(axis=1)
        if not fresh.all():
            row, sent, at, kept = row[fresh], sent[fresh], at[fresh], kept[fresh]
            if not row.size:
                return []
        latest = sent > self._heard_s[row]
        newest, its = row[latest], at[latest]
        ends = newest[self._silent[newest]]
        out = [Finding(u, "silence", now_s, False) for u in self.unit[ends].tolist()]
        self._silent[ends] = False
        self._heard_s[newest] = sent[latest]
        state = told.state[its]
        self._out[newest] = _OUT.take(state + 1, mode="clip")
        self._moving[newest] = _MOVING.take(state + 1, mode="clip")
        moved = ~latest | (told.odometer_m[at] > self._odometer_m[row])
        self._odometer_m[newest] = told.odometer_m[its]
        out += self._moments(told, row, sent, at, moved)
        limit = self._limit_of(told.road[at])
        shows = self._look(told, row, sent, at, limit, now_s)
        self._keep(row, sent, limit, shows, kept)
        return out + self._turns(row)

    def _keep(self, row: Ints, sent: Ints, limit: Floats, shows: Bools, kept: Ints) -> None:
        """Let readings take the place of the oldest ones, all in order of sending."""
        if (sent > kept[:, -1]).all():  # in order: all move up
            self._sent[row, :-1], self._sent[row, -1] = kept[:, 1:], sent
            self._road_limit[row, :-1], self._road_limit[row, -1] = self._road_limit[row, 1:], limit
            self._shows[row, :-1], self._shows[row, -1] = self._shows[row, 1:], shows
            return
        self._sent[row, 0], self._road_limit[row, 0], self._shows[row, 0] = sent, limit, shows
        order = np.argsort(self._sent[row], axis=1, kind="stable")
        line = row[:, None]
        self._sent[row], self._road_limit[row] = self._sent[line, order], self._road_limit[line, order]
        self._shows[row] = self._shows[line, order]

    def _limit_of(self, road: Ints) -> Floats:
        """Limit of roads; inf for a road that is not on the map (a wrong value)."""
        known = (road >= 0) & (road < self._limit_m_s.size)
        if not self._limit_m_s.size:
            return np.full(road.size, np.inf)
        return np.where(known, self._limit_m_s[np.where(known, road, 0)], np.inf)

    def _moments(self, told: Telemetry, row: Ints, sent: Ints, at: Ints, moved: Bools) -> list[Finding]:
        """Return the moments that readings of units that moved tell."""
        tol = self._tol
        lights, braking = told.red_lights[at], told.braking_m_s2[at]
        red = (lights > 0) & (lights <= tol.red_lights_most)
        harsh = (braking > tol.braking_m_s2) & (braking <= tol.braking_most_m_s2)
        out: list[Finding] = []
        for i in np.flatnonzero((red | harsh) & moved).tolist():
            unit, since = int(self.unit[row[i]]), int(sent[i])
            out += [Finding(unit, "red light", since, True)] * (int(lights[i]) if red[i] else 0)
            out += [Finding(unit, "harsh braking", since, True)] if harsh[i] else []
        return out

    def _look(self, told: Telemetry, row: Ints, sent: Ints, at: Ints, limit: Floats, now_s: int) -> Bools:
        """Say what each reading shows: bool, shape (readings, LASTING)."""
        rules, before = self.refresh(now_s), self._before
        shows = self._against(rules, told, row, sent, at, limit)
        if before is not None:
            old = sent < rules.from_s
            if old.any():
                shows[old] = self._against(before, told, row[old], sent[old], at[old], limit[old])
        return shows

    def _against(self, rules: Standings, told: Telemetry, row: Ints, sent: Ints, at: Ints, limit: Floats) -> Bools:
        tol = self._tol
        state, road, top = told.state[at], told.road[at], told.top_speed_m_s[at]
        ago_s = sent[:, None] - self._sent[row]
        recent = np.where((ago_s >= 0) & (ago_s <= _LIMIT_S), self._road_limit[row], 0.0).max(axis=1)
        legal = np.minimum(rules.speed_m_s[row], np.maximum(limit, recent))
        why = rules.why[row]
        moving, out = _MOVING.take(state + 1, mode="clip"), _OUT.take(state + 1, mode="clip")
        shows = np.zeros((row.size, len(LASTING)), dtype=bool)
        fast = top > legal * (1.0 + tol.speed_share) + tol.speed_m_s
        shows[:, SPEEDING] = fast & (top <= tol.speed_most_m_s)
        shows[:, OUT_OF_AREA] = out & (why == HOLDS) & ~rules.inside(row, road) & np.isfinite(limit)
        shows[:, LATE_HOURS] = moving & (why == OUT_OF_HOURS)
        loaded = (why == HOLDS) & ~rules.use[row] & (told.load[at] > 0)
        shows[:, WITHOUT] = moving & ((why == NO_PERMIT) | loaded)
        return shows

    def _turns(self, row: Ints) -> list[Finding]:
        """Return what begins and ends, after new readings of these units."""
        tol = self._tol
        window = self._shows[row, -tol.window :]
        begins = ~self._open[row] & (window.sum(axis=1) >= self._hold)
        ends = self._open[row] & ~self._shows[row, -tol.clear :].any(axis=1)
        out: list[Finding] = []
        if not (begins.any() or ends.any()):
            return out
        for i, v in zip(*(a.tolist() for a in np.nonzero(begins)), strict=True):
            first = int(self._sent[row[i], KEPT - tol.window + int(window[i, :, v].argmax())])
            out.append(Finding(int(self.unit[row[i]]), LASTING[v], first, True))
        for i, v in zip(*(a.tolist() for a in np.nonzero(ends)), strict=True):
            out.append(Finding(int(self.unit[row[i]]), LASTING[v], int(self._sent[row[i], -1]), False))
            self._shows[row[i], :, v] = False  # what is over cannot begin again by old readings
        self._open[row] = (self._open[row] | begins) & ~ends
        return out

    # -- silence --------------------------------------------------------------------------------------------

    def silent(self, now_s: int) -> list[Finding]:
        """Return the units that have become silent by ``now_s``."""
        new = self._out & ~self._silent & (now_s - self._heard_s > self._tol.silence_s)
        self._silent |= new
        rows = np.flatnonzero(new).tolist()
        return [Finding(int(self.unit[i]), "silence", int(self._heard_s[i]), True) for i in rows]

    def silent_from_s(self) -> int | None:
        """Return the next second at which a unit becomes silent if nothing comes; None: nobody is out."""
        waiting = self._out & ~self._silent
        return int(self._heard_s[waiting].min()) + self._tol.silence_s + 1 if waiting.any() else None
