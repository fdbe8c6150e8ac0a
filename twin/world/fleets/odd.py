"""Operating design domain of the autonomous buses in truth: when they cannot drive themselves (SAE J3016, F22).

Outside it – rain, fog, snow, a lost link, a road that does not move, a signal or marking that was not
recognised – the safety driver takes over and gives the bus back when the cause is gone, or at home; halts at stops in
between do not end it. Or, if the scenario says so, the bus comes to a minimal-risk stop (a signal that was missed is
past by then: the driver acts). Recognition is a draw per unit and junction passed, weather makes it worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.domain.mobility import CHARGING, DRIVING, MANUAL, PARKED
from twin.events import SignalMissed, TakeOverBegan, TakeOverEnded
from twin.world.fleets.ports import FleetContext

Ints = npt.NDArray[np.int64]

#: factor on the miss rate per weather (assumed: camera recognition falls in rain, more in fog and snow)
MISS_FACTOR = {"clear": 1.0, "rain": 2.0, "fog": 6.0, "snow": 8.0}
RAIN_MISS = 0.15  # the factor in rain grows by this per mm/h (assumed)
NOTICED = 0.98  # share of misses that the safety driver notices in time (assumed)
REACTION_S = (0.9, 0.35)  # log-normal: median about 2.5 s, as measured in take-over studies with attentive drivers
MOMENT_S = 30  # a take-over after a missed signal, and any minimal-risk stop, lasts so long at least (assumed)
BLOCKED = "blocked lane"
STUCK_S = 120  # a bus that has not moved for so long on its way is blocked


@dataclass(slots=True)
class _TakeOver:
    cause: str
    since_s: int
    until_s: int  # -1: until the cause is gone


class OperatingDomain:
    """Watches the buses of one fleet, tick by tick. ``visibility_m()`` and the weather are those of the moment."""

    def __init__(
        self,
        context: FleetContext,
        fleet: str,
        rain_limit_mm_h: float,
        visibility_limit_m: float,
        miss_rate: float,
        stops: bool,
        visibility_m: Callable[[], float],
    ) -> None:
        self._c, self._fleet, self._stops = context, fleet, stops
        self._rain, self._sight, self._miss_rate = rain_limit_mm_h, visibility_limit_m, miss_rate
        self._visibility_m = visibility_m
        self._recognise = context.dice.stream("bus.recognition")
        self._notice = context.dice.stream("bus.noticed")
        self._react = context.dice.stream("bus.reaction")
        city = context.city
        signals = set(city.junctions.loc[city.junctions["signal"].to_numpy(bool), "node"])
        self._after_signal = city.roads["from_node"].isin(signals).to_numpy()
        self._passages: dict[int, int] = {}
        self._taken: dict[int, int] = {}  # take-overs so far
        self._now: dict[int, _TakeOver] = {}
        self._place: dict[int, tuple[int, float, int]] = {}

    def tick(self, now_s: int) -> None:
        """Begin and end take-overs and stops."""
        units, weather = self._c.units, self._c.weather
        outside = ""
        if weather.rain_mm_h > self._rain:
            outside = "snow" if weather.kind == "snow" else "rain"
        elif self._visibility_m() < self._sight:
            outside = "fog"
        for row in units.rows(self._fleet).tolist():
            missed = self._passed_junctions(row, now_s)
            on_way = int(units.state[row]) in (DRIVING, MANUAL)
            stuck = self._stuck(row, on_way, now_s)
            cause = outside
            if not cause and not units.linked[row]:
                cause = "lost link"
            if not cause and (stuck or self._still_blocked(row)):
                cause = BLOCKED
            self._change(row, cause, on_way, missed, now_s)

    def miss_rate(self) -> float:
        """Return the probability that a signal or marking is not recognised in the weather of the moment."""
        factor = MISS_FACTOR.get(self._c.weather.kind, 1.0) + RAIN_MISS * self._c.weather.rain_mm_h
        return min(self._miss_rate * factor, 1.0)

    def _passed_junctions(self, row: int, now_s: int) -> str:
        """Draw whether the signal, or else the markings, of each junction passed were recognised.

        Returns why the driver must act, or nothing. Who is driven by hand, or stands, has nothing to recognise.
        """
        act, unit, rate = "", int(self._c.units.number[row]), self.miss_rate()
        for road, _ in self._c.units.passed(row):
            k = self._passages[unit] = self._passages.get(unit, 0) + 1
            if row in self._now or float(self._recognise.uniform(unit, k)[0]) >= rate:
                continue
            noticed = bool(self._notice.uniform(unit, k)[0] < NOTICED)
            what = "signal" if self._after_signal[road] else "marking"
            self._c.log.add(SignalMissed, t_s=now_s, unit=unit, what=what, road=road, noticed=noticed)
            if noticed and not act:
                act = "missed signal" if what == "signal" else "lost marking"
        return act

    def _stuck(self, row: int, on_way: bool, now_s: int) -> bool:
        units = self._c.units
        if not on_way:
            self._place.pop(row, None)
            return False
        here = (int(units.road[row]), float(units.pos_m[row]))
        before = self._place.get(row)
        if before is None or before[:2] != here:
            self._place[row] = (*here, now_s)
            return False
        return now_s - before[2] >= STUCK_S

    def _still_blocked(self, row: int) -> bool:
        """Tell whether what a bus was blocked by is still ahead of it, though the queue may have moved a little."""
        current = self._now.get(row)
        return current is not None and current.cause == BLOCKED and bool(self._c.units.blocked[row])

    def _change(self, row: int, cause: str, on_way: bool, missed: str, now_s: int) -> None:
        units, current = self._c.units, self._now.get(row)
        if current is None:
            if on_way and (cause or missed):
                self._now[row] = _TakeOver(cause or missed, now_s, -1 if cause else now_s + MOMENT_S)
                self._begin(row, self._now[row], now_s)
        elif self._over(row, current, cause, on_way, now_s):
            del self._now[row]
            self._end(row, current, now_s)
        elif not self._halts(current) and int(units.state[row]) == DRIVING:
            units.set(row, now_s, state=MANUAL)  # on its next leg

    def _halts(self, t: _TakeOver) -> bool:
        return self._stops and t.until_s < 0

    def _over(self, row: int, t: _TakeOver, cause: str, on_way: bool, now_s: int) -> bool:
        units = self._c.units
        if units.broken[row]:
            return True
        if t.until_s >= 0:
            return now_s >= t.until_s
        if self._halts(t):
            return on_way or (not cause and now_s - t.since_s >= MOMENT_S)  # or it was sent another way
        return not cause or (int(units.state[row]) in (PARKED, CHARGING) and units.at_home(row))

    def _begin(self, row: int, t: _TakeOver, now_s: int) -> None:
        units = self._c.units
        unit = int(units.number[row])
        if self._halts(t):
            # who is only blocked may be sent another way by its desk
            units.halt(row, t.cause, now_s, by="road" if t.cause == BLOCKED else "system")
            return
        k = self._taken[unit] = self._taken.get(unit, 0) + 1
        reaction = float(np.exp(REACTION_S[0] + REACTION_S[1] * self._react.normal(unit, k)[0]))
        self._c.log.add(
            TakeOverBegan, t_s=now_s, unit=unit, cause=t.cause, road=int(units.road[row]), reaction_s=reaction
        )
        if int(units.state[row]) == DRIVING:
            units.set(row, now_s, state=MANUAL)

    def _end(self, row: int, t: _TakeOver, now_s: int) -> None:
        units = self._c.units
        if self._halts(t):
            by = "road" if t.cause == BLOCKED else "system"
            units.resume(row, "back in its operating conditions", now_s, by=by)
            return
        if int(units.state[row]) == MANUAL:
            units.set(row, now_s, state=DRIVING)
        self._c.log.add(
            TakeOverEnded, t_s=now_s, unit=int(units.number[row]), cause=t.cause, duration_s=now_s - t.since_s
        )

    def finish(self, end_s: int) -> None:
        """End the take-overs that last at the end of the run."""
        for row in sorted(self._now):
            t = self._now[row]
            if not self._halts(t):
                self._end(row, t, end_s)
        self._now.clear()
