"""Faults in truth: break-downs by wear and their recovery, radio links that are lost, chargers and depots that fail.

A broken unit stands off the lane until a recovery crew has come (drawn), is brought home and repaired there (drawn).
A unit that stands where nothing permits it to drive is fetched in the same way when its desk asks, and needs no repair.
All times are assumed; every draw belongs to the unit and the count of its faults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.domain.mobility import BROKEN, DRIVING, HALTED, MANUAL, PARKED, PlaceChanged
from twin.events import ChargerFailed, DepotOpened, DepotShut, LinkLost, LinkRestored, UnitBroke, UnitRepaired
from twin.log import Log
from twin.world.fleets.depots import Depots
from twin.world.fleets.ports import FleetSystem
from twin.world.fleets.units import Units

Floats = npt.NDArray[np.float64]

FETCH_S = 1200  # a recovery crew needs at least so long to come and to bring the unit home,
FETCH_MEAN_S = 1800.0  # and exponentially longer
REPAIR_MEAN_S = 3 * 3600.0  # exponential
CHARGED_TO = 0.5  # a workshop hands a unit back with at least so much charge
LINK_EVERY_H = 60.0  # mean time between two losses of a unit's radio link, exponential
LINK_MEAN_S = 45.0  # mean length of a loss, exponential
GRACE_S = 20  # a unit that is watched from afar drives on without a link for so long, then stops


@dataclass(slots=True)
class _Repair:
    """A broken unit: since when, when it is at home, when it is fit."""

    since_s: int
    home_s: int
    fit_s: int
    fetched: bool = False
    workshop: bool = True  # it was broken, not only fetched


class Faults:
    """Break-downs, repairs and radio links of all units."""

    def __init__(
        self, units: Units, depots: Depots, log: Log, dice: Dice, start_s: int, system: Callable[[int], FleetSystem]
    ) -> None:
        self._units, self._depots, self._log, self._system = units, depots, log, system
        n = len(units)
        self._wear, self._fetch, self._repair, self._link_at, self._link_for = (
            dice.stream(f"fleets.{what}") for what in ("wear", "fetch", "repair", "link_lost", "link_length")
        )
        self._broke = np.zeros(n, dtype=np.int64)  # break-downs so far
        self._lost = np.zeros(n, dtype=np.int64)  # losses of the link so far
        self._mean_m = np.array([s.model.failure_km * 1000.0 for s in units.specs])
        everybody = np.arange(n)
        self._fails_m = self._wear.exponential(1.0, units.number, 0) * self._mean_m
        self._next_loss_s = start_s + self._gap_s(everybody)
        self._back_s = np.full(n, np.inf)
        self._down: list[str] = [""] * n  # intervention that keeps a link down
        self._since_s = np.full(n, np.inf)
        self._repairs: dict[int, _Repair] = {}
        self._to_fetch: dict[int, str] = {}  # the crew is on its way to them; why
        self.forget: Callable[[int], None] = lambda _: None  # who else must drop a broken unit

    def _gap_s(self, rows: npt.NDArray[np.int64]) -> Floats:
        return self._link_at.exponential(LINK_EVERY_H * 3600.0, self._units.number[rows], self._lost[rows])

    # -- break-downs ---------------------------------------------------------------------------------------

    def break_down(self, row: int, cause: str, now_s: int, repaired_s: int | None = None) -> bool:
        """Let a unit break down; fit again at ``repaired_s`` (None: after drawn times). False if it is broken."""
        u = self._units
        if u.broken[row]:
            return False
        unit, count = int(u.number[row]), int(self._broke[row])
        self._broke[row] += 1
        u.stop_working(row, now_s, f"broke down: {cause}")
        u.broken[row] = True
        self.forget(row)
        self._log.add(UnitBroke, t_s=now_s, unit=unit, cause=cause, road=int(u.road[row]))
        u.set(row, now_s, state=BROKEN)
        aboard = self._system(row).broke(row, now_s)
        u.report(row, "broken", now_s, items=aboard, detail=cause)
        home_s = now_s + FETCH_S + round(float(self._fetch.exponential(FETCH_MEAN_S, unit, count)[0]))
        fit_s = home_s + round(float(self._repair.exponential(REPAIR_MEAN_S, unit, count)[0]))
        if repaired_s is not None:
            fit_s = max(repaired_s, now_s + 1)
            home_s = min(home_s, fit_s)
        self._repairs[row] = _Repair(now_s, home_s, fit_s)
        return True

    def fetch(self, row: int, cause: str, now_s: int) -> None:
        """Send the crew for a unit that must not drive: taken as soon as it stands, unless it is home by then."""
        if not self._units.broken[row]:
            self._to_fetch[row] = cause
            self._take(now_s)

    def _take(self, now_s: int) -> None:
        """Let the crew take those who stand."""
        u = self._units
        for row, cause in sorted(self._to_fetch.items()):
            if u.broken[row] or u.at_home(row):
                del self._to_fetch[row]
            elif u.vehicle[row] == 0 and u.state[row] in (PARKED, HALTED):
                del self._to_fetch[row]
                self.break_down(row, f"fetched: {cause}", now_s)
                repair = self._repairs[row]
                repair.fit_s, repair.workshop = repair.home_s, False

    def _mend(self, now_s: int) -> None:
        u = self._units
        for row, repair in sorted(self._repairs.items()):
            if not repair.fetched and repair.home_s <= now_s:
                repair.fetched = True
                u.put(row, u.home[row].road, u.home[row].pos_m)
            if repair.fit_s <= now_s:
                del self._repairs[row]
                u.broken[row] = False
                if repair.workshop:
                    u.battery[row] = max(float(u.battery[row]), CHARGED_TO)
                    count = int(self._broke[row])
                    drawn = float(self._wear.exponential(1.0, int(u.number[row]), count)[0])
                    self._fails_m[row] = u.odometer_m[row] + drawn * self._mean_m[row]
                u.set(row, now_s, state=PARKED)
                items = self._system(row).repaired(row, now_s)
                waited = now_s - repair.since_s
                self._log.add(UnitRepaired, t_s=now_s, unit=int(u.number[row]), waited_s=waited)
                u.report(row, "repaired", now_s, items=items)

    # -- links ---------------------------------------------------------------------------------------------

    def lose_link(self, row: int, cause: str, now_s: int, back_s: float) -> None:
        """Take a unit's radio link away until ``back_s`` (or later, if it is lost until later already)."""
        u = self._units
        self._back_s[row] = back_s if u.linked[row] else max(self._back_s[row], back_s)
        if u.linked[row]:
            u.link(row, False)
            self._since_s[row] = now_s
            self._log.add(LinkLost, t_s=now_s, unit=int(u.number[row]), cause=cause)

    def _links(self, now_s: int) -> None:
        u = self._units
        for row in np.flatnonzero(self._back_s <= now_s).tolist():
            self._back_s[row] = self._since_s[row] = np.inf
            u.link(row, True)
            self._log.add(LinkRestored, t_s=now_s, unit=int(u.number[row]))
            if "link" in u.causes(row):
                u.resume(row, "the link is back", now_s, by="link")
        for row in np.flatnonzero(self._next_loss_s <= now_s).tolist():
            count = int(self._lost[row])
            self._lost[row] += 1
            lasts = max(float(self._link_for.exponential(LINK_MEAN_S, int(u.number[row]), count)[0]), 1.0)
            self._next_loss_s[row] = now_s + lasts + self._gap_s(np.array([row]))[0]
            self.lose_link(row, "radio", now_s, now_s + lasts)
        for row in np.flatnonzero(self._since_s + GRACE_S <= now_s).tolist():
            if u.specs[row].model.remote and u.state[row] in (DRIVING, MANUAL):
                u.halt(row, "lost link", now_s, by="link")

    # -- depots --------------------------------------------------------------------------------------------

    def set_chargers(self, depot: int, left: int, cause: str, now_s: int) -> list[PlaceChanged]:
        """Leave ``left`` chargers of a depot working (more than it has: all); return what its desk is told."""
        d = self._depots.all[depot]
        self._depots.working[depot] = min(left, d.chargers)
        self._log.add(ChargerFailed, t_s=now_s, place=d.place, chargers=int(self._depots.working[depot]), cause=cause)
        return [self._changed(depot, "charger", now_s)]

    def shut(self, depot: int, shut: bool, cause: str, now_s: int) -> list[PlaceChanged]:
        """Close a depot, or open it again; return what its desk is told."""
        self._depots.shut[depot] = shut
        fact = DepotShut if shut else DepotOpened
        self._log.add(fact, t_s=now_s, place=self._depots.all[depot].place, cause=cause)
        return [self._changed(depot, "depot", now_s), self._changed(depot, "charger", now_s)]

    def _changed(self, depot: int, kind: str, now_s: int) -> PlaceChanged:
        d = self._depots.all[depot]
        open_ = not bool(self._depots.shut[depot])
        size = int(self._depots.working[depot]) if kind == "charger" else d.docks
        key = f"place/{kind}/{d.place}/{now_s}/{int(open_)}/{size}"
        return PlaceChanged(now_s, key, d.place, kind, open_, size if open_ else 0)

    def tick(self, now_s: int) -> None:
        """Let units fail and be mended, links go and come back."""
        u = self._units
        self._mend(now_s)
        self._take(now_s)
        self._links(now_s)
        worn = (u.odometer_m >= self._fails_m) & ~u.broken & (u.vehicle > 0)
        for row in np.flatnonzero(worn).tolist():
            self.break_down(row, "wear", now_s)
