"""Energy: what driving and being on take from a battery, and what chargers give back.

Consumption is linear in metres, plus idle power all the time (a tenth of it while parked: most is switched off;
assumed). A charger gives its power, or the unit's own limit if that is less, up to ``TAPER`` of the battery, and then
less and less (constant voltage), down to a twentieth: dE/dt = P · max((1 - soc) / (1 - TAPER), 0.05). Whoever finds no
free charger waits for one in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.domain.mobility import CHARGING, PARKED
from twin.events import ReserveBroken, UnitCharged
from twin.log import Log
from twin.world.fleets.depots import Depots
from twin.world.fleets.ports import DESK_OF
from twin.world.fleets.units import Units

Floats = npt.NDArray[np.float64]

TAPER = 0.8  # state of charge above which a charger gives less (assumed: as usual for lithium batteries)
TRICKLE = 0.05
ASLEEP = 0.1  # share of idle power while parked (assumed)


@dataclass(slots=True)
class _Charge:
    """A unit that charges, or waits for a charger (``began_s`` -1), at depot ``depot`` up to ``target``."""

    row: int
    depot: int
    target: float
    asked_s: int
    began_s: int = -1
    energy_wh: float = 0.0


class Energy:
    """Batteries and chargers of all units; ``empty(row, now_s)`` is called when a battery is used up."""

    def __init__(self, units: Units, depots: Depots, log: Log, empty: Callable[[int, int], None]) -> None:
        self._units, self._depots, self._log, self._empty = units, depots, log, empty
        self._charges: list[_Charge] = []  # in the order in which they were asked for
        self._below = np.zeros(len(units), dtype=bool)

    def charge(self, row: int, target: float, now_s: int) -> str:
        """Let a unit charge where it stands; return why it cannot, or nothing."""
        u = self._units
        depot = self._depots.at(DESK_OF[u.fleet[row]], int(u.road[row]), float(u.pos_m[row]))
        if u.state[row] != PARKED:
            return "it is not standing by"
        if depot < 0:
            return "it does not stand at a depot"
        if not self._depots.is_open(depot, now_s):
            return "the depot is closed"
        if self._depots.working[depot] <= 0:
            return "no charger works there"
        self._charges = [c for c in self._charges if c.row != row]
        self._charges.append(_Charge(row, depot, min(max(target, 0.0), 1.0), now_s))
        self._plug_in(now_s)
        return ""

    def waiting(self, depot: int) -> int:
        """Return how many wait for a charger of a depot."""
        return sum(c.depot == depot and c.began_s < 0 for c in self._charges)

    def tick(self, now_s: int, seconds: int) -> None:
        """Take off what was used, and put in what was charged, in the last ``seconds``."""
        self._use(now_s, seconds)
        self._leave(now_s)
        for c in self._charges:
            if c.began_s >= 0:
                self._fill(c, min(seconds, now_s - c.began_s))
        self._finish_full(now_s)
        self._plug_in(now_s)

    def _use(self, now_s: int, seconds: int) -> None:
        u = self._units
        power = np.where(u.state == CHARGING, 0.0, np.where(u.state == PARKED, ASLEEP, 1.0)) * u.idle_w
        power[u.broken] = 0.0
        used = (u.moved_m * u.use_wh_m + power * (seconds / 3600.0)) / u.battery_wh
        u.moved_m[:] = 0.0
        u.battery[:] = np.maximum(u.battery - used, 0.0)
        low = u.battery < u.reserve
        for row in np.flatnonzero(low & ~self._below).tolist():
            self._log.add(ReserveBroken, t_s=now_s, unit=int(u.number[row]), battery=float(u.battery[row]))
        self._below = low
        for row in np.flatnonzero((u.battery <= 0.0) & ~u.broken).tolist():
            self._empty(row, now_s)

    def _leave(self, now_s: int) -> None:
        """End the charging of those who went away, broke down, or lost their charger."""
        u = self._units
        for c in list(self._charges):
            wanted = CHARGING if c.began_s >= 0 else PARKED
            if u.state[c.row] != wanted or u.broken[c.row]:
                self._end(c, now_s, told=False)
            elif not self._depots.is_open(c.depot, now_s):
                self._end(c, now_s, told=True, why="the depot is closed")
        for depot in range(len(self._depots.all)):
            busy = [c for c in self._charges if c.depot == depot and c.began_s >= 0]
            for c in busy[int(self._depots.working[depot]) :]:
                self._end(c, now_s, told=True, why="the charger failed")

    def _end(self, c: _Charge, now_s: int, told: bool, why: str = "") -> None:
        u = self._units
        self._charges.remove(c)
        if c.began_s >= 0:
            self._log.add(
                UnitCharged,
                t_s=now_s,
                unit=int(u.number[c.row]),
                place=self._depots.all[c.depot].place,
                energy_wh=c.energy_wh,
                duration_s=now_s - c.began_s,
                waited_s=c.began_s - c.asked_s,
            )
        if told:
            if u.state[c.row] == CHARGING:
                u.set(c.row, now_s, state=PARKED)
            u.report(c.row, "charged", now_s, detail=why)

    def _fill(self, c: _Charge, seconds: int) -> None:
        u = self._units
        room = float(u.battery[c.row])
        power = min(self._depots.all[c.depot].power_w, u.specs[c.row].model.charge_w)
        power *= min(1.0, max((1.0 - room) / (1.0 - TAPER), TRICKLE))
        whole = float(u.battery_wh[c.row])
        energy = min(power * seconds / 3600.0, max(c.target - room, 0.0) * whole)
        c.energy_wh += energy
        u.battery[c.row] = min(room + energy / whole, 1.0)

    def _finish_full(self, now_s: int) -> None:
        for c in [c for c in self._charges if self._units.battery[c.row] >= c.target - 1e-9]:
            self._end(c, now_s, told=True)

    def _plug_in(self, now_s: int) -> None:
        for depot in range(len(self._depots.all)):
            here = [c for c in self._charges if c.depot == depot]
            free = int(self._depots.working[depot]) - sum(c.began_s >= 0 for c in here)
            for c in [c for c in here if c.began_s < 0][: max(free, 0)]:
                c.began_s = now_s
                self._units.set(c.row, now_s, state=CHARGING)

    def finish(self, end_s: int) -> None:
        """Log what was charged so far by those who still charge."""
        for c in [c for c in self._charges if c.began_s >= 0]:
            self._end(c, end_s, told=False)
