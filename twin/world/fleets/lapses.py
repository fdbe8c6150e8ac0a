"""Why vehicles break rules although nobody wants them to: faults of their software and senses, as named draws.

Vehicles mostly keep the rules. A fault comes after a distance that is a draw per unit and occurrence, so one more
unit, or another kind of fault, changes nobody else's. All figures are assumed: makers' reports of disengagements
range over three orders of magnitude, and say nothing of what went unnoticed. The scenario's ``faults`` scales them.

=============  ==========================================================================================
too fast       every 2,000 km, for 5 min on average: drives 25 to 70 % faster than it should, in traffic
phantom brake  every 300 km: brakes at 4.5 to 8 m/s² for nothing and stands for 5 s
astray         every 4,000 km: takes itself for somewhere else and drives a way that leaves the permitted
               roads, at the next place from where these are within ``ASTRAY_S`` of driving
red light      1 of 10,000 signals passed is not recognised in clear weather, more in rain, fog and snow;
               half of them are red. Shuttles: a safety driver sees 98 % of that (F22)
=============  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twin.control.mobility.standings import AUTOMATED, Standings
from twin.domain.mobility import MANUAL
from twin.world.fleets.motion import Motion
from twin.world.fleets.ports import FleetContext

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TOO_FAST_KM, BRAKE_KM, ASTRAY_KM = 2_000.0, 300.0, 4_000.0
TOO_FAST_S, TOO_FAST_LEAST_S = 300.0, 60
TOO_FAST = (1.25, 1.70)
LAG_S = 60  # speeds are means over some ticks, so a fault shows a little longer than it lasts
BRAKE_M_S2 = (4.5, 8.0)
BRAKE_STANDS_S = 5
ASTRAY_S, ASTRAY_LOOK_S = 300.0, 60
RED_MISSED, RED_SHARE, SAFETY_DRIVER = 1e-4, 0.5, 0.02
WEATHER = {"clear": 1.0, "rain": 3.0, "fog": 6.0, "snow": 8.0}

#: what a violation's ``cause`` can say
SOFTWARE, PHANTOM, LOST_ITSELF, UNSEEN = "software", "phantom braking", "localisation", "signal not recognised"


@dataclass(frozen=True)
class Moment:
    """A rule broken at a moment; ``braking_m_s2`` 0 where it is no braking."""

    row: int
    violation: str
    t_s: int
    road: int
    cause: str
    braking_m_s2: float = 0.0


class Lapses:
    """Lets faults happen, tick by tick; see the module's text."""

    def __init__(self, context: FleetContext, motion: Motion, factor: float) -> None:
        self._c, self._motion, self._factor = context, motion, factor
        u = context.units
        self.automated = np.isin(u.fleet.astype(str), AUTOMATED)
        self._distance = {k: context.dice.stream(f"fleets.lapse.{k}") for k in ("fast", "brake", "astray")}
        self._how = {k: context.dice.stream(f"fleets.lapse.{k}.how") for k in ("fast", "fast.long", "brake")}
        self._red = context.dice.stream("fleets.lapse.red")
        self._count = {k: np.zeros(len(u), dtype=np.int64) for k in self._distance}
        self._next_m: dict[str, Floats] = {}
        for kind, km in (("fast", TOO_FAST_KM), ("brake", BRAKE_KM), ("astray", ASTRAY_KM)):
            self._next_m[kind] = u.odometer_m + self._gap_m(kind, km, np.arange(len(u)))
        self._too_fast: dict[int, tuple[int, float]] = {}  # row → until, factor
        self._fast_until_s: dict[int, int] = {}
        self._driven: dict[int, tuple[int, float]] = {}  # row → vehicle and speed it was last set to
        self._pending: dict[int, int] = {}  # row → looked for a way off last
        self._astray: dict[int, str] = {}  # row → key of the leg
        signals = set(context.city.junctions.loc[context.city.junctions["signal"].to_numpy(bool), "node"])
        self._after_signal = context.city.roads["from_node"].isin(signals).to_numpy()
        self._passages = np.zeros(len(u), dtype=np.int64)

    def _gap_m(self, kind: str, km: float, rows: Ints) -> Floats:
        if self._factor <= 0:
            return np.full(rows.size, np.inf)
        draw = self._distance[kind].exponential(km * 1000, self._c.units.number[rows], self._count[kind][rows])
        return np.where(self.automated[rows], draw / self._factor, np.inf)

    def _due(self, kind: str, km: float) -> Ints:
        """Return the rows whose next fault of a kind has come, and draw the one after it."""
        u = self._c.units
        rows = np.flatnonzero((u.odometer_m >= self._next_m[kind]) & (u.vehicle > 0))
        if rows.size:
            self._count[kind][rows] += 1
            self._next_m[kind][rows] = u.odometer_m[rows] + self._gap_m(kind, km, rows)
        return rows

    def tick(self, rules: Standings, now_s: int) -> list[Moment]:
        """Let faults begin, go on and end; return the rules broken at a moment since the last tick."""
        self._drive_too_fast(now_s)
        self._lead_astray(rules, now_s)
        return self._brake(now_s) + self._miss_signals()

    def cause(self, row: int, violation: str, now_s: int) -> str:
        """Return why a unit breaks a lasting rule: a fault of its own, else whoever sends it: its desk."""
        if violation == "speeding" and now_s <= self._fast_until_s.get(row, -1) + LAG_S:
            return SOFTWARE
        if violation == "out of area" and row in self._astray:
            return LOST_ITSELF
        return "desk"

    # -- one by one -----------------------------------------------------------------------------------------

    def _drive_too_fast(self, now_s: int) -> None:
        u, able = self._c.units, self._motion.able_m_s
        for row in self._due("fast", TOO_FAST_KM).tolist():
            unit, k = int(u.number[row]), int(self._count["fast"][row])
            low, high = TOO_FAST
            factor = low + (high - low) * float(self._how["fast"].uniform(unit, k)[0])
            lasts = max(TOO_FAST_LEAST_S, round(float(self._how["fast.long"].exponential(TOO_FAST_S, unit, k)[0])))
            self._too_fast[row] = (now_s + lasts, factor)
            self._fast_until_s[row] = now_s + lasts
        for row, (until, factor) in list(self._too_fast.items()):
            if now_s >= until:
                del self._too_fast[row]
                self._driven.pop(row, None)
                self._motion.override_m_s[row] = np.nan
                limit = float(u.limit_m_s[row])
                u.limit(row, limit if np.isfinite(limit) else -1.0)
            elif u.vehicle[row] and np.isfinite(able[row]) and u.state[row] != MANUAL:
                self._motion.override_m_s[row] = factor * able[row]
                # an order of the platform or the desk to slow down holds for faulty software too
                now = (int(u.vehicle[row]), min(factor * float(able[row]), float(u.limit_m_s[row])))
                if self._driven.get(row) != now:
                    self._driven[row] = now
                    self._c.traffic.set_top_speed(*now)

    def _brake(self, now_s: int) -> list[Moment]:
        u, out = self._c.units, []
        for row in self._due("brake", BRAKE_KM).tolist():
            low, high = BRAKE_M_S2
            how = low + (high - low) * float(
                self._how["brake"].uniform(int(u.number[row]), self._count["brake"][row])[0]
            )
            u.hold(row, BRAKE_STANDS_S, PHANTOM, now_s)
            out.append(Moment(row, "harsh braking", now_s, int(u.road[row]), PHANTOM, how))
        return out

    def _miss_signals(self) -> list[Moment]:
        if self._factor <= 0:
            return []
        u, out = self._c.units, []
        weather = WEATHER.get(self._c.weather.kind, 1.0)
        for row in np.flatnonzero(self.automated & self._motion.moving).tolist():
            for road, t_s in u.passed(row):
                if not self._after_signal[road]:
                    continue
                self._passages[row] += 1
                odds = RED_MISSED * RED_SHARE * weather * self._factor
                odds *= SAFETY_DRIVER if u.fleet[row] == "shuttle" else 1.0
                if self._red.uniform(int(u.number[row]), int(self._passages[row]))[0] < odds:
                    out.append(Moment(row, "red light", int(t_s), int(road), UNSEEN))
        return out

    def _lead_astray(self, rules: Standings, now_s: int) -> None:
        u = self._c.units
        for row in self._due("astray", ASTRAY_KM).tolist():
            self._pending.setdefault(row, now_s - ASTRAY_LOOK_S)
        for row, key in list(self._astray.items()):
            leg = u.leg(row)
            if leg is None or leg.key != key:
                del self._astray[row]
        for row, looked in list(self._pending.items()):
            leg = u.leg(row)
            if leg is None or not u.vehicle[row] or now_s - looked < ASTRAY_LOOK_S:
                continue
            self._pending[row] = now_s
            way = self._way_out(rules.masks[rules.group[row]], int(u.road[row]), int(leg.roads[-1]))
            if way is None:
                continue
            key = f"{leg.key}/astray/{int(self._count['astray'][row])}"
            if u.drive(replace(leg, key=key, roads=way), now_s):
                del self._pending[row]
                self._astray[row] = key

    def _way_out(self, inside: npt.NDArray[np.bool_], road: int, end: int) -> Ints | None:
        """Return a way from ``road`` to ``end`` over a road that is not permitted; None if none is near."""
        if not inside[road]:
            return None
        network = self._c.network
        time_s, _ = network.grower(network.free_s, None, False)(np.asarray([road]))
        back_s, _ = network.grower(network.free_s, None, True)(np.asarray([end]))
        total = np.where(inside | (time_s[0] > ASTRAY_S), np.inf, time_s[0] + back_s[0])
        over = int(total.argmin())
        if not np.isfinite(total[over]):
            return None
        there = network.routes([road, over], [over, end])
        return np.concatenate([there[0], there[1][1:]]).astype(np.int64)
