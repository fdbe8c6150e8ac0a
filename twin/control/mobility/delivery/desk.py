"""The delivery desk: orders and reports in; answers, legs, loading, hand-over, charging and help out (F23, F24, F26).

A deterministic fold over its messages. Reports lead to the next step of a unit at once; everything that compares
orders with units – answers, plans, charging, silence, permits – is done at most once every ``plan_s`` (a *slot*),
for all together. What the parts do is told in their files:

* ``orders``, ``units``, ``places``, ``licences`` – what is known;  ``tours`` – what can be driven;
* ``reports``, ``steps``, ``operators``, ``rules`` – a unit's day;  ``watch`` – silence, overdue reports, permits;
* ``answers`` – promises;  ``view``, ``ports`` – what policies see and say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twin.control.mobility.delivery.answers import Answers, new_rows
from twin.control.mobility.delivery.assigning import Assigning
from twin.control.mobility.delivery.licences import Licences
from twin.control.mobility.delivery.operators import Operators
from twin.control.mobility.delivery.orders import NEW, Book
from twin.control.mobility.delivery.places import AllSites
from twin.control.mobility.delivery.ports import CHARGING, IDLE, TO_CHARGER, NoShow, Policy
from twin.control.mobility.delivery.reports import Reports
from twin.control.mobility.delivery.rolling import RollingRoutes
from twin.control.mobility.delivery.rules import Charging, LockerAfterTwo
from twin.control.mobility.delivery.steps import NEAR_M, Steps
from twin.control.mobility.delivery.tours import Tours
from twin.control.mobility.delivery.units import Unit, Units, by_number
from twin.control.mobility.delivery.watch import Watch
from twin.domain.commands import Command, WakeAt
from twin.domain.delivery import DeliveryRules, OrderCancelled, OrdersPlaced
from twin.domain.messages import Message
from twin.domain.mobility import Instruction, PlaceChanged, Roster, Telemetry, UnitReport

Ints = npt.NDArray[np.int64]
QUIET_S = 1_800  # with nothing to do the desk looks after its units' charge so often
DELIVERY_FLEETS = ("robot", "courier")


class DeliveryDesk:
    """Controller of a delivery fleet; the parts people swap are the ``policy`` and, less often, the small rules."""

    def __init__(
        self, policy: Policy | None = None, noshow: NoShow | None = None, charging: Charging | None = None
    ) -> None:
        self._charging = charging or Charging()
        self._sites, self._book, self._units = AllSites(), Book(), Units()
        self._licences, self._operators = Licences(), Operators()
        self._tours = Tours(self._licences, self._sites, self._book)
        self._steps = Steps(self._book, self._units, self._sites, self._tours, noshow or LockerAfterTwo())
        self._reports = Reports(self._steps, self._operators, self._charging.full)
        self._watch = Watch(self._steps, self._reports, self._operators)
        self._answers = Answers(self._steps, self._charging.full)
        self._assigning = Assigning(self._steps, policy or RollingRoutes(), self._charging.full)
        self._seen: set[str] = set()
        self._roster: Roster | None = None
        self._early: list[Message] = []
        self._begun = False
        self._slot = -1
        self._asked: set[int] = set()

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages, take the next steps, and plan if a new slot has begun."""
        out: list[Command] = []
        self._steps.out = out
        for message in messages:
            if message.key in self._seen:
                continue  # told twice
            self._seen.add(message.key)
            self._take(message, now_s)
        if not self._begin(now_s):
            return out
        slot_s = max(self._steps.rules.plan_s, 1)
        if now_s // slot_s > self._slot:
            self._slot = now_s // slot_s
            self._plan(now_s)
        wake_s = (now_s // slot_s + 1) * slot_s
        if not self._active(now_s):
            wake_s = (now_s // QUIET_S + 1) * QUIET_S
        self._asked = {t for t in self._asked if t > now_s}
        if wake_s not in self._asked:
            self._asked.add(wake_s)
            out.append(WakeAt(f"wake/{wake_s}", wake_s))
        return out

    # -- messages --------------------------------------------------------------------------------------------

    def _take(self, message: Message, now_s: int) -> None:
        if self._licences.take(message) or self._sites.take(message):
            self._steps.changed = True
            if isinstance(message, PlaceChanged) and message.open:
                for unit in self._units.all:
                    unit.no_charge_until_s = 0
        elif isinstance(message, DeliveryRules):
            self._tours.rules = message
            self._operators.number, self._operators.timeout_s = message.operators, message.assist_s
        elif isinstance(message, Roster):
            if message.fleet in DELIVERY_FLEETS and self._roster is None:
                self._roster = by_number(message)
        elif not self._begun:
            self._early.append(message)
        else:
            self._live(message, now_s)

    def _begin(self, now_s: int) -> bool:
        """Set up when rules, map, roster and depots have come; return whether they have."""
        if self._begun:
            return True
        rules, roster, depots = self._tours.rules, self._roster, self._sites.depots
        if rules is None or roster is None or not depots.place:
            return False
        self._licences.roster(roster, rules.purpose)
        if not self._licences.ready:
            return False
        self._units.learn(roster, [max(depots.row(home), 0) for home in roster.home], now_s)
        self._licences.refresh(now_s)
        self._begun = True
        early, self._early = self._early, []
        for message in early:
            self._live(message, now_s)
        return True

    def _live(self, message: Message, now_s: int) -> None:
        """Take in a message of the running service."""
        if isinstance(message, OrdersPlaced):
            self._book.add(message)
            self._steps.changed = True
        elif isinstance(message, UnitReport):
            self._reports.take(message, now_s)
        elif isinstance(message, Telemetry):
            self._watch.telemetry = True
            for row in self._units.telemetry(message, now_s).tolist():
                self._reports.heard(self._units.all[row], now_s)
        elif isinstance(message, Instruction):
            self._reports.instructed(message, now_s)
        elif isinstance(message, OrderCancelled):
            self._cancel(message)

    def _cancel(self, told: OrderCancelled) -> None:
        row = self._book.row(told.order)
        if row is None:
            return
        if self._book.state[row] == NEW:
            self._answers.refuse(row, "cancelled by the customer")
        else:
            self._steps.give_up(row, "cancelled by the customer")

    # -- every slot --------------------------------------------------------------------------------------------

    def _plan(self, now_s: int) -> None:
        self._licences.refresh(now_s)
        roads_changed, self._licences.roads_changed = self._licences.roads_changed, False
        self._watch.look(now_s, roads_changed)
        fresh = new_rows(self._steps)
        if fresh.size:
            self._answers.give(fresh, now_s)
        self._assigning.plan(now_s)
        self._assigning.set_out(now_s)
        self._charge(now_s)

    def _charge(self, now_s: int) -> None:
        """Let idle units charge, the emptiest first, as long as chargers are free."""
        chargers = self._sites.chargers
        if not chargers.place:
            return
        free = np.where(chargers.open(now_s), chargers.size, 0)
        idle: list[Unit] = []
        for unit in self._units.all:
            if unit.doing in (TO_CHARGER, CHARGING):
                free[unit.to_charger] -= 1
            elif unit.doing == IDLE and unit.works and not unit.planned and unit.no_charge_until_s <= now_s:
                idle.append(unit)
        for unit in sorted(idle, key=lambda u: (u.charge_at(now_s), u.number)):
            target = self._charging.target(unit.charge_at(now_s), unit.reserve, unit.short)
            if not target or not (free > 0).any():
                continue
            charger = self._charger(unit, free, now_s)
            if charger >= 0:
                free[charger] -= 1
                self._steps.charge(unit, charger, target, now_s)

    def _charger(self, unit: Unit, free: Ints, now_s: int) -> int:
        """Return the nearest place with a free charger that a unit reaches above its reserve; -1 if there is none."""
        chargers, depots = self._sites.chargers, self._sites.depots
        away = np.hypot(chargers.x_m - depots.x_m[unit.home], chargers.y_m - depots.y_m[unit.home])
        shut = self._tours.group(unit).streets.shut()
        for charger in np.argsort(away, kind="stable").tolist():
            if free[charger] <= 0:
                continue
            to = (int(chargers.road[charger]), float(chargers.pos_m[charger]))
            if unit.road == to[0] and abs(unit.pos_m - to[1]) <= NEAR_M:
                return int(charger)
            if shut[unit.road]:
                continue  # it stands where it must not drive
            leg = self._tours.leg(unit, unit.road, unit.pos_m, *to)
            need_wh = self._tours.energy_wh(unit, 2 * leg.metres, 2 * leg.time_s)
            if leg.roads.size and need_wh <= unit.above_reserve_wh(now_s):
                return int(charger)
        return -1

    def _active(self, now_s: int) -> bool:
        """Whether there is anything to look after in the next slot."""
        if self._book.open().size:
            return True
        return any(
            u.doing != IDLE or u.no_charge_until_s > now_s or (u.silent and not u.broken) for u in self._units.all
        )
