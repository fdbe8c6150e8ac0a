"""What a unit is told to do, one step after the other: load, drive, hand over, drive, …, home, unload, charge.

A step is over when its report comes, never before. Before each leg the desk looks whether the unit can still do it and
be home above its reserve and in time; if not, it goes home with what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.mobility.delivery.orders import ABOARD, DELIVERED, GIVEN_UP, LOADING, WAITING, Book
from twin.control.mobility.delivery.places import AllSites
from twin.control.mobility.delivery.ports import (
    CHARGING,
    HANDING,
    IDLE,
    TO_CHARGER,
    TO_DEPOT,
    TO_STOP,
    UNLOADING,
    Missed,
    NoShow,
)
from twin.control.mobility.delivery.ports import LOADING as UNIT_LOADING
from twin.control.mobility.delivery.tours import Leg, Tours
from twin.control.mobility.delivery.units import NEVER_S, Unit, Units
from twin.domain.commands import Command
from twin.domain.delivery import DeliveryRules, GiveUpOrder, HandOver, LoadOrders, ReturnOrders
from twin.domain.mobility import ChargeUnit, DriveTo, HaltUnit, ResumeUnit

SLACK_S = 900  # a report may come this much later than twice the time that is expected
DOCK_S = 1_800  # more for loading: others may be at the docks
CHARGE_SLACK_S = 4 * 3600
AT_ONCE_S = 300  # an order to be tried again may be tried this much earlier than planned
NEAR_M = 30.0
WAY_S = 60  # a way that was not there is looked for again
MISSING_S, MISSING = 600, 3  # a parcel that is not where it should be is looked for so often, so long apart
FULL_S = 1_800  # a locker that was full is not used for so long


class Steps:
    """Gives commands to units; ``out`` collects them; ``changed``: there is something to plan anew."""

    def __init__(self, book: Book, units: Units, sites: AllSites, tours: Tours, noshow: NoShow) -> None:
        self.book, self.units, self.sites, self.tours, self._noshow = book, units, sites, tours, noshow
        self.out: list[Command] = []
        self.changed = False
        self._given_up: set[int] = set()

    @property
    def rules(self) -> DeliveryRules:
        """The rules of the service."""
        assert self.tours.rules is not None
        return self.tours.rules

    # -- from and to the depot ----------------------------------------------------------------------------

    def load(self, unit: Unit, rows: Sequence[int], now_s: int) -> None:
        """Let a unit that is idle at its depot load orders, to be brought in this order."""
        unit.planned = []
        unit.doing, unit.asked, unit.sequence = UNIT_LOADING, list(rows), list(rows)
        for r in rows:
            self.book.set_state(r, LOADING, unit.row)
            unit.expected[r] = None
        expected = self.tours.load_s(len(rows))
        unit.free_s, unit.due_s = now_s + expected, now_s + 2 * expected + SLACK_S + DOCK_S
        unit.back_s = self.tours.end_s(unit, rows, self._depot_road(unit), unit.free_s)
        self.out.append(LoadOrders(unit.key("load"), unit.number, self.book.number[list(rows)]))

    def home(self, unit: Unit, now_s: int) -> None:
        """Send a unit to its depot, or let it do there what is to be done."""
        unit.due_s = unit.retry_s = NEVER_S
        depots = self.sites.depots
        if unit.road == self._depot_road(unit) and abs(unit.pos_m - depots.pos_m[unit.home]) <= NEAR_M:
            self.at_depot(unit, now_s)
            return
        unit.doing = TO_DEPOT
        leg = self.tours.home(unit, unit.road, unit.pos_m)
        self._drive(unit, leg, int(depots.road[unit.home]), float(depots.pos_m[unit.home]), "home", now_s)
        unit.free_s = unit.back_s = now_s + (int(leg.time_s) if leg.roads.size else SLACK_S)

    def at_depot(self, unit: Unit, now_s: int) -> None:
        """Let a unit that stands at its depot unload what it has brought back; else it is idle."""
        unit.refusals, unit.sequence, unit.to_charger = 0, [], -1
        if unit.carried:
            rows = list(unit.carried)
            expected = self.tours.load_s(len(rows))
            unit.doing, unit.asked = UNLOADING, rows
            unit.free_s = unit.back_s = now_s + expected
            unit.due_s = now_s + 2 * expected + SLACK_S
            self.out.append(ReturnOrders(unit.key("return"), unit.number, self.book.number[rows]))
        else:
            self.idle(unit, now_s)

    def idle(self, unit: Unit, now_s: int) -> None:
        """Note that a unit is free at its depot."""
        unit.doing, unit.asked, unit.sequence = IDLE, [], []
        unit.free_s = unit.back_s = now_s
        unit.due_s = unit.retry_s = NEVER_S
        self.changed = True

    def _depot_road(self, unit: Unit) -> int:
        return int(self.sites.depots.road[unit.home])

    # -- on tour ------------------------------------------------------------------------------------------

    def go(self, unit: Unit, now_s: int) -> None:
        """Send a unit on to its next stop; home, if there is none that it can still serve."""
        unit.due_s = unit.retry_s = NEVER_S
        if not unit.able or not self.tours.group(unit).may_drive(now_s):
            unit.retry_s = now_s
            return
        b = self.book
        rows = self._to_serve(unit, now_s)
        fits: list[int] = []
        while rows and not fits:
            stop = self.tours.stops(rows)[0]
            fits, _, _ = self.tours.feasible_rows(unit, stop, unit.road, unit.pos_m, now_s)
            if not fits:
                rows = [r for r in rows if r not in stop]
                unit.sequence = [r for r in unit.sequence if r not in stop]
        if not fits:
            self.home(unit, now_s)
            return
        first = fits[0]
        unit.doing = TO_STOP
        to = (int(b.to_road[first]), float(b.to_pos_m[first]))
        leg = self.tours.leg(unit, unit.road, unit.pos_m, *to)
        unit.free_s = now_s + int(leg.time_s) + self.tours.hand_s(len(fits))
        rest = [r for r in unit.sequence if r not in fits]
        unit.back_s = self.tours.end_s(unit, rest, to[0], unit.free_s)
        if leg.roads.size == 1 and leg.metres <= NEAR_M:
            unit.to_road, unit.to_pos_m = to
            self.hand(unit, now_s)
        else:
            self._drive(unit, leg, *to, "locker" if b.to_locker[first] >= 0 else "deliver", now_s)

    def _to_serve(self, unit: Unit, now_s: int) -> list[int]:
        """Return the rows to be handed over next, in order; what has to wait too long gets another destination."""
        b = self.book
        unit.sequence = [r for r in unit.sequence if r in unit.carried and b.state[r] == ABOARD]
        rows = [r for r in unit.sequence if b.again_s[r] <= now_s + AT_ONCE_S]
        if not rows:
            for r in list(unit.sequence):
                self.after(unit, r, now_s, "not there before the tour ended", again=False)
            rows = list(unit.sequence)
        return rows

    def _drive(self, unit: Unit, leg: Leg, to_road: int, to_pos_m: float, task: str, now_s: int) -> None:
        if leg.roads.size == 0 or not unit.able or not self.tours.group(unit).may_drive(now_s):
            unit.retry_s = now_s + WAY_S  # it stays where it is until there is a way
            return
        unit.way, unit.set_out_s = leg.roads, now_s
        unit.to_road, unit.to_pos_m = to_road, to_pos_m
        unit.due_s = now_s + 2 * int(leg.time_s) + SLACK_S
        group = self.tours.group(unit)
        speed = float(min(unit.speed_m_s, group.speed_m_s, unit.limit_m_s))
        self.out.append(DriveTo(unit.key("drive"), unit.number, leg.roads, to_pos_m, speed, task))
        if unit.held:
            unit.held = unit.halted = False
            self.out.append(ResumeUnit(unit.key("resume"), unit.number))

    def hold(self, unit: Unit, reason: str) -> None:
        """Halt a unit on the road that may not, or cannot, go on."""
        if not unit.held:
            unit.held, unit.due_s = True, NEVER_S
            self.out.append(HaltUnit(unit.key("halt"), unit.number, reason))

    def hand(self, unit: Unit, now_s: int) -> None:
        """Let a unit that stands at its stop hand over all it has for it."""
        b = self.book
        here = [r for r in unit.sequence if b.to_road[r] == unit.to_road]
        if not here:
            self.go(unit, now_s)
            return
        stop = min((self.tours.stop_of(r) for r in here), key=lambda s: self._away(s, unit))
        rows = [r for r in here if self.tours.stop_of(r) == stop]
        expected = self.tours.hand_s(len(rows)) + self.rules.wait_s
        unit.doing, unit.asked = HANDING, rows
        unit.free_s = now_s + self.tours.hand_s(len(rows))
        unit.due_s = now_s + 2 * expected + SLACK_S
        locker = stop[2]
        place = self.sites.lockers.place[locker] if locker >= 0 else ""
        to, wait_s = ("locker", 0) if locker >= 0 else ("person", self.rules.wait_s)
        self.out.append(HandOver(unit.key("hand"), unit.number, b.number[rows], to, place, wait_s))

    def _away(self, stop: tuple[int, int, int], unit: Unit) -> tuple[float, int, int]:
        away = [
            abs(float(self.book.to_pos_m[r]) - unit.to_pos_m) for r in unit.sequence if self.tours.stop_of(r) == stop
        ]
        return min(away), stop[1], stop[2]

    def redirect(self, unit: Unit, rows: Sequence[int], now_s: int) -> None:
        """Give a unit on tour a new order of the stops of what it carries; the rest of it comes after."""
        new = [r for r in rows if r in unit.sequence]
        order = new + [r for r in unit.sequence if r not in new]
        if order == unit.sequence:
            return
        unit.sequence = order
        if unit.doing != TO_STOP or not unit.able:
            return
        rows_now = [r for r in order if self.book.again_s[r] <= now_s + AT_ONCE_S]
        if rows_now and self.book.to_road[rows_now[0]] != unit.to_road:
            unit.road, unit.pos_m = self.where(unit, now_s)
            self.go(unit, now_s)

    def where(self, unit: Unit, now_s: int) -> tuple[int, float]:
        """Return where a unit under way is: by telemetry if that is on its way, else by the time that has passed."""
        if unit.way.size == 0 or unit.doing not in (TO_STOP, TO_DEPOT, TO_CHARGER):
            return unit.road, unit.pos_m
        heard = int(self.units.road[unit.row])
        if heard in unit.way and heard != unit.way[-1]:
            return heard, 0.0
        road_s = self.tours.group(unit).streets.road_s()[unit.way]
        k = int(np.searchsorted(np.cumsum(road_s), now_s - unit.set_out_s))
        return int(unit.way[min(k, unit.way.size - 1)]), 0.0

    # -- orders that cannot be brought now ------------------------------------------------------------------

    def after(self, unit: Unit, row: int, now_s: int, reason: str, again: bool) -> None:
        """Decide what becomes of an order aboard that was not handed over; ``again``: this tour can come by again."""
        b, rules = self.book, self.rules
        locker = self.locker_for(row, now_s, unit)
        missed = Missed(
            int(b.number[row]), now_s, int(b.due_s[row]), reason, int(b.attempts[row]), rules.max_attempts,
            locker >= 0, again,
        )  # fmt: skip
        answer = self._noshow.after(missed)
        unit.sequence = [r for r in unit.sequence if r != row]
        if answer == "again" and again:
            b.again_s[row] = now_s + rules.retry_s
            unit.sequence.append(row)
        elif answer == "locker" and locker >= 0:
            self.to_locker(row, locker)
            unit.sequence.append(row)
        elif answer not in ("again", "locker", "depot"):
            raise ValueError(
                f"the no-show rule answered {answer!r} for order {b.number[row]};"
                " 'again', 'locker' or 'depot' is allowed"
            )

    def locker_for(self, row: int, now_s: int, unit: Unit | None = None) -> int:
        """Return the row of the nearest usable locker for an order; -1 if there is none."""
        b, lockers = self.book, self.sites.lockers
        if not lockers.place:
            return -1
        usable = np.ones(len(lockers.place), dtype=bool)
        groups = self.tours.licences.groups if unit is None else [self.tours.group(unit)]
        for group in groups:
            root = int(b.road[row]) if unit is None else unit.road
            usable &= np.isfinite(group.streets.times(np.asarray([root]), lockers.road)[0])
        return self.sites.nearest_locker(b.x_m[row], b.y_m[row], self.rules.locker_m, now_s, usable)

    def to_locker(self, row: int, locker: int) -> None:
        """Let an order be brought to a locker instead of a person."""
        b, lockers = self.book, self.sites.lockers
        b.to_locker[row], b.again_s[row] = locker, 0
        b.to_road[row], b.to_pos_m[row] = lockers.road[locker], lockers.pos_m[locker]
        b.to_x_m[row], b.to_y_m[row] = lockers.x_m[locker], lockers.y_m[locker]

    def back_to_depot(self, row: int, now_s: int, wait_s: int) -> None:
        """Note that an order lies at its depot again: out again after ``wait_s``, or given up after enough attempts."""
        b = self.book
        if b.state[row] >= DELIVERED:
            return
        b.set_state(row, WAITING)
        b.again_s[row] = 0
        b.ready_s[row] = max(int(b.ready_s[row]), now_s + wait_s)
        locker = self.locker_for(row, now_s) if b.wants_locker[row] else -1
        if locker >= 0:
            self.to_locker(row, locker)
        elif not b.wants_locker[row]:
            b.home_again([row])
        self.changed = True
        if b.attempts[row] >= self.rules.max_attempts:
            self.give_up(row, f"not handed over in {int(b.attempts[row])} attempts")

    def not_found(self, row: int, now_s: int) -> None:
        """Note that an order was not where it should be: looked for again later, and given up in the end."""
        b = self.book
        if b.state[row] >= DELIVERED:
            return
        self.back_to_depot(row, now_s, MISSING_S)
        if b.state[row] == WAITING and not any(row in u.expected or row in u.carried for u in self.units.all):
            b.misses[row] += 1
            if b.misses[row] >= MISSING:
                self.give_up(row, "the parcel cannot be found")

    def give_up(self, row: int, reason: str) -> None:
        """Give an order up."""
        if self.book.state[row] < DELIVERED:
            self.book.set_state(row, GIVEN_UP)
            number = int(self.book.number[row])
            self.out.append(GiveUpOrder(f"give-up/{number}", number, reason))

    # -- energy -------------------------------------------------------------------------------------------

    def charge(self, unit: Unit, charger: int, target: float, now_s: int) -> None:
        """Let an idle unit charge at a charger place, driving there first if it is elsewhere."""
        chargers = self.sites.chargers
        to = (int(chargers.road[charger]), float(chargers.pos_m[charger]))
        unit.to_charger = charger
        if unit.road == to[0] and abs(unit.pos_m - to[1]) <= NEAR_M:
            self.plug_in(unit, target, now_s)
            return
        leg = self.tours.leg(unit, unit.road, unit.pos_m, *to)
        unit.doing = TO_CHARGER
        unit.free_s = unit.back_s = now_s + int(min(leg.time_s, 1e6)) + 3600
        self._drive(unit, leg, *to, "charge", now_s)

    def plug_in(self, unit: Unit, target: float, now_s: int) -> None:
        """Let a unit charge where it stands."""
        unit.doing, unit.set_out_s = CHARGING, now_s
        unit.free_s = unit.back_s = now_s + 3600
        unit.due_s = now_s + CHARGE_SLACK_S
        self.out.append(ChargeUnit(unit.key("charge"), unit.number, target))
