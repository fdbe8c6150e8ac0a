"""Remote operators: units ask for help where they do not understand what they meet; an operator helps one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin.dice import Dice
from twin.domain.mobility import DRIVING
from twin.events import AssistBegan, AssistEnded
from twin.log import Log
from twin.world.fleets.units import Units

BASE_S = 15  # until an operator has understood the scene (assumed)
MEAN_S = 60.0  # how long it then takes, exponential (assumed: most remote assistance takes one or two minutes)
SOLVED = 0.97  # share of calls an operator can solve; else the unit is fetched (assumed)
PATIENCE_S = 1800  # when nobody turns to a unit for so long, the recovery crew is sent (assumed)
CAUSE = "it does not understand the road"


@dataclass(slots=True)
class _Call:
    """A unit that asked for help at ``since_s``; an operator turned to it at ``began_s`` (-1: nobody yet)."""

    cause: str
    since_s: int
    operator: int = -1
    began_s: int = -1
    until_s: int = -1


class Operators:
    """Calls for help and who answers them; ``fetch(row, cause, now_s)`` sends the recovery crew."""

    def __init__(self, units: Units, log: Log, dice: Dice, fetch: Callable[[int, str, int], None]) -> None:
        self._units, self._log, self._fetch = units, log, fetch
        self._lasts = dice.stream("fleets.assist_duration")
        self._solved = dice.stream("fleets.assist_solved")
        self._next = dice.stream("fleets.assist_distance")
        self._calls: dict[int, _Call] = {}
        self._count = np.zeros(len(units), dtype=np.int64)
        mean_km = np.array([s.model.assist_km for s in units.specs])
        self._mean_m = np.where(np.isfinite(mean_km), mean_km * 1000.0, np.inf)
        self._at_m = self._draw_m(np.arange(len(units)))

    def _draw_m(self, rows: np.ndarray) -> np.ndarray:
        """Odometer at which each unit will next need help."""
        units = self._units
        drawn = self._next.exponential(1.0, units.number[rows], self._count[rows])
        return np.asarray(units.odometer_m[rows] + drawn * self._mean_m[rows])

    def ask(self, row: int, cause: str, now_s: int) -> None:
        """Let a unit stop and ask for help."""
        if row in self._calls or self._units.broken[row]:
            return
        self._calls[row] = _Call(cause, now_s)
        self._units.halt(row, cause, now_s, by="help")
        self._units.report(row, "help", now_s, detail=cause)

    def assist(self, row: int, operator: int, now_s: int) -> str:
        """Let an operator turn to a unit, as soon as he is free; return why not, or nothing."""
        call = self._calls.get(row)
        if call is None:
            return "it did not ask for help"
        if call.began_s < 0:
            call.operator = operator
            self._answer(now_s)
        return ""

    def _answer(self, now_s: int) -> None:
        """Let free operators turn to the calls given to them, oldest first."""
        busy = {c.operator for c in self._calls.values() if c.began_s >= 0}
        for row, call in sorted(self._calls.items(), key=lambda item: (item[1].since_s, item[0])):
            if call.operator < 0 or call.began_s >= 0 or call.operator in busy or not self._units.linked[row]:
                continue
            busy.add(call.operator)
            unit = int(self._units.number[row])
            lasts = BASE_S + float(self._lasts.exponential(MEAN_S, unit, int(self._count[row]))[0])
            call.began_s, call.until_s = now_s, now_s + round(lasts)
            self._log.add(
                AssistBegan,
                t_s=now_s,
                unit=unit,
                operator=call.operator,
                cause=call.cause,
                waited_s=now_s - call.since_s,
            )

    def tick(self, now_s: int) -> None:
        """Let operators finish, and units that come to something they do not understand call."""
        units = self._units
        for row, call in sorted(self._calls.items()):
            if 0 <= call.until_s <= now_s:
                self._end(row, call, now_s)
            elif call.began_s < 0 and now_s - call.since_s >= PATIENCE_S:
                self._fetch(row, "nobody helped it", now_s)
        for row in np.flatnonzero((units.odometer_m >= self._at_m) & (units.state == DRIVING)).tolist():
            self._count[row] += 1
            self._at_m[row] = self._draw_m(np.array([row]))[0]
            if units.vehicle[row]:
                self.ask(row, CAUSE, now_s)
        self._answer(now_s)

    def _end(self, row: int, call: _Call, now_s: int) -> None:
        unit = int(self._units.number[row])
        solved = bool(self._solved.uniform(unit, int(self._count[row]))[0] < SOLVED)
        del self._calls[row]
        lasted = now_s - call.began_s
        self._log.add(AssistEnded, t_s=now_s, unit=unit, operator=call.operator, duration_s=lasted, solved=solved)
        self._units.report(row, "assisted", now_s, detail="solved" if solved else "fetch")
        if solved:
            self._units.resume(row, "remote operator", now_s, by="help")
        else:
            self._fetch(row, "no operator could help it", now_s)

    def forget(self, row: int) -> None:
        """Drop the call of a unit that broke down."""
        self._calls.pop(row, None)
