"""What reports of units mean for orders and for the next step.

Whatever a report says of parcels is taken as it is, whatever the desk thought; the next step is taken only if the
report ends the present one. So a report that comes late finds the orders it names and harms nothing else.
"""

from __future__ import annotations

from twin.control.mobility.delivery.operators import Operators
from twin.control.mobility.delivery.orders import ABOARD, DELIVERED, LOADING, WAITING
from twin.control.mobility.delivery.ports import (
    CHARGING,
    HANDING,
    IDLE,
    TO_CHARGER,
    TO_DEPOT,
    TO_STOP,
    UNLOADING,
)
from twin.control.mobility.delivery.ports import LOADING as UNIT_LOADING
from twin.control.mobility.delivery.steps import CHARGE_SLACK_S, FULL_S, SLACK_S, Steps
from twin.control.mobility.delivery.units import NEVER_S, Unit
from twin.domain.mobility import CHARGING as STATE_CHARGING
from twin.domain.mobility import Instruction, ResumeUnit, UnitReport

RETRY_S = 30  # after a refusal, times the number of refusals in a row
REST_S = 120  # a unit that could not load is left alone for so long
NO_CHARGE_S = 600
NO_LINK = "no radio link"


class Reports:
    """Folds reports into the ledger and takes the next steps."""

    def __init__(self, steps: Steps, operators: Operators, charge_to: float) -> None:
        self._steps, self._operators, self._charge_to = steps, operators, charge_to
        self._book, self._units = steps.book, steps.units
        self._take = {
            "arrived": self._arrived, "refused": self._refused, "loaded": self._loaded, "handed": self._handed,
            "returned": self._returned, "charged": self._charged, "halted": self._halted, "resumed": self._resumed,
            "help": self._help, "assisted": self._assisted, "broken": self._broken, "repaired": self._repaired,
        }  # fmt: skip

    def take(self, told: UnitReport, now_s: int) -> None:
        """Take in a report; one of an unknown unit or kind is left out."""
        unit = self._units.report(told, now_s)
        if unit is None or told.what not in self._take:
            return
        self.heard(unit, now_s)
        self._take[told.what](unit, told, now_s)

    def heard(self, unit: Unit, now_s: int) -> None:
        """Note that a unit was heard; one that was silent is back, and what it kept back comes first."""
        if unit.silent:
            unit.silent = False
            self._steps.changed = True
            if unit.doing not in (IDLE, CHARGING) and not unit.broken:
                unit.retry_s = now_s + RETRY_S

    # -- steps ----------------------------------------------------------------------------------------------

    def _arrived(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        if unit.doing not in (TO_STOP, TO_DEPOT, TO_CHARGER) or unit.broken:
            return
        unit.halted = unit.held = False
        if told.road != unit.to_road:  # the end of a leg it was on before
            unit.retry_s = now_s
            return
        unit.due_s = unit.retry_s = NEVER_S
        if unit.doing == TO_STOP:
            self._steps.hand(unit, now_s)
        elif unit.doing == TO_DEPOT:
            self._steps.at_depot(unit, now_s)
        else:
            self._steps.plug_in(unit, self._charge_to, now_s)

    def _refused(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        if unit.held and NO_LINK in told.detail:
            unit.held = False  # it was to halt and did not hear: if it still must, it is told again
        if unit.doing == IDLE or unit.broken:
            return
        unit.refusals += 1
        unit.due_s, unit.retry_s = NEVER_S, now_s + RETRY_S * min(unit.refusals, 20)
        not_aboard = "aboard" in told.detail
        if unit.doing == UNIT_LOADING:
            for r in unit.asked:
                self.release(unit, r)
                unit.expected.pop(r, None)
            unit.rest_until_s = now_s + REST_S
            if not unit.carried and "depot" in told.detail and "closed" not in told.detail:
                self._steps.home(unit, now_s)  # it does not stand there
            else:
                self._go_or_idle(unit, now_s)
        elif unit.doing == HANDING and not_aboard:
            for r in list(unit.asked):
                self._drop(unit, r, now_s)
            self._steps.go(unit, now_s)
        elif unit.doing == UNLOADING and not_aboard:
            for r in list(unit.asked):
                self._drop(unit, r, now_s)
            self._steps.idle(unit, now_s)
        elif unit.doing == CHARGING and self._units.state[unit.row] == STATE_CHARGING:
            unit.due_s, unit.retry_s = now_s + CHARGE_SLACK_S, NEVER_S  # it does already
        elif unit.doing in (CHARGING, TO_CHARGER):
            unit.no_charge_until_s = now_s + NO_CHARGE_S
            self._steps.home(unit, now_s)

    def again(self, unit: Unit, now_s: int) -> None:
        """Take the present step once more, with another command: it was refused, or nothing was heard of it."""
        unit.retry_s = NEVER_S
        if unit.doing in (TO_STOP, HANDING):
            self._steps.go(unit, now_s)
        elif unit.doing == UNIT_LOADING:
            for r in unit.asked:
                self.release(unit, r)
            unit.rest_until_s = now_s + REST_S
            if unit.carried:
                self._steps.go(unit, now_s)
            else:
                self._steps.home(unit, now_s)
        elif unit.doing != IDLE:
            self._steps.home(unit, now_s)

    # -- orders ---------------------------------------------------------------------------------------------

    def _loaded(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        b = self._book
        items, missed = b.rows(told.items), b.rows(told.missed)
        for r in items:
            if r in unit.expected:  # else it was told before, in other words
                self._aboard(unit, r)
        for r in missed:
            if r in unit.expected:
                del unit.expected[r]
                if b.state[r] == LOADING and b.unit[r] == unit.row:
                    self._steps.not_found(r, now_s)
        named = {*items, *missed}
        if unit.doing == UNIT_LOADING and (not unit.asked or named & set(unit.asked)):
            for r in unit.asked:
                if r not in named:
                    unit.expected.pop(r, None)
                    self.release(unit, r)
            unit.refusals, unit.asked = 0, []
            self._go_or_idle(unit, now_s)
        elif unit.doing in (IDLE, TO_DEPOT) and unit.sequence and unit.able:
            self._steps.go(unit, now_s)

    def _aboard(self, unit: Unit, row: int) -> None:
        """Note that an order is in a unit that was told to load it."""
        del unit.expected[row]
        unit.carried[row] = None
        if self._book.state[row] >= DELIVERED:
            return  # it only has to be brought back
        self._book.set_state(row, ABOARD, unit.row)
        self._book.misses[row] = 0
        if row not in unit.sequence:
            unit.sequence.append(row)

    def _go_or_idle(self, unit: Unit, now_s: int) -> None:
        if unit.carried:
            self._steps.go(unit, now_s)
        else:
            self._steps.idle(unit, now_s)

    def _handed(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        b, steps = self._book, self._steps
        done, missed = b.rows(told.items), b.rows(told.missed)
        for r in done:
            self._forget(r)
            unit.carried.pop(r, None)
            b.set_state(r, DELIVERED, unit.row)
        mine = unit.doing == HANDING and bool({*done, *missed} & set(unit.asked))
        again = unit.back_s >= now_s + self._steps.rules.retry_s
        for r in missed:
            if r not in unit.carried or b.state[r] != ABOARD:
                continue
            locker = int(b.to_locker[r])
            if locker >= 0:
                steps.sites.lockers.full_until_s[locker] = now_s + FULL_S
            else:
                b.attempts[r] += 1
            steps.after(unit, r, now_s, told.detail, again and locker < 0)
            steps.changed = True
        if mine:
            for r in unit.asked:
                if r not in done and r not in missed and r in unit.carried and b.state[r] == ABOARD:
                    self._drop(unit, r, now_s)
            unit.refusals, unit.asked = 0, []
            steps.go(unit, now_s)

    def _returned(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        items = self._book.rows(told.items)
        for r in items:
            if r in unit.carried:
                del unit.carried[r]
                tried = self._book.attempts[r] > 0
                self._steps.back_to_depot(r, now_s, self._steps.rules.retry_s if tried else 0)
        if unit.doing == UNLOADING:
            for r in list(unit.carried):
                if r in unit.asked:
                    self._drop(unit, r, now_s)
            self._steps.at_depot(unit, now_s)

    def release(self, unit: Unit, row: int) -> None:
        """Let an order that a unit was to load be loaded by any unit."""
        if self._book.state[row] == LOADING and self._book.unit[row] == unit.row:
            self._book.set_state(row, WAITING)
            self._steps.changed = True
        unit.sequence = [r for r in unit.sequence if r != row]

    def _drop(self, unit: Unit, row: int, now_s: int) -> None:
        """Note that an order thought aboard is not."""
        unit.carried.pop(row, None)
        unit.sequence = [r for r in unit.sequence if r != row]
        self._steps.not_found(row, now_s)

    def _forget(self, row: int) -> None:
        """Take an order that was handed over off the unit that was thought to carry it."""
        holder = int(self._book.unit[row])
        if holder >= 0:
            other = self._units.all[holder]
            other.carried.pop(row, None)
            other.sequence = [r for r in other.sequence if r != row]

    # -- energy, halts, help ----------------------------------------------------------------------------------

    def _charged(self, unit: Unit, _told: UnitReport, now_s: int) -> None:
        if unit.doing == CHARGING:
            unit.short = False
            unit.refusals = 0
            self._steps.home(unit, now_s)

    def _halted(self, unit: Unit, told: UnitReport, _now_s: int) -> None:
        unit.halted, unit.halted_s, unit.due_s = True, told.t_s, NEVER_S

    def _resumed(self, unit: Unit, _told: UnitReport, now_s: int) -> None:
        self.goes_on(unit, now_s)

    def goes_on(self, unit: Unit, now_s: int) -> None:
        """Note that a unit is halted no longer, and when its next report should be here."""
        unit.halted = unit.held = False
        if unit.doing in (TO_STOP, TO_DEPOT, TO_CHARGER):
            unit.due_s = now_s + 2 * max(unit.free_s - unit.set_out_s, 0) + SLACK_S
        elif unit.doing != IDLE and unit.due_s == NEVER_S:
            unit.due_s = now_s + SLACK_S
        self._steps.changed = True

    def _help(self, unit: Unit, _told: UnitReport, now_s: int) -> None:
        unit.helped, unit.due_s = True, NEVER_S
        self._operators.ask(unit.number, now_s)

    def _assisted(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        self._operators.done(unit.number)
        unit.helped = False
        if told.detail == "fetch":
            unit.broken = True  # until it is reported repaired
            return
        if unit.halted and not unit.stopped:
            self._steps.out.append(ResumeUnit(unit.key("resume"), unit.number))
            unit.halted = unit.held = False
        if unit.doing in (TO_STOP, TO_DEPOT, TO_CHARGER):
            unit.due_s = now_s + 2 * max(unit.free_s - unit.set_out_s, 0) + SLACK_S
        elif unit.doing != IDLE and unit.due_s == NEVER_S:
            unit.due_s = now_s + SLACK_S

    def _broken(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        b = self._book
        self._operators.done(unit.number)
        unit.broken, unit.helped, unit.planned, unit.sequence = True, False, [], []
        unit.due_s = unit.retry_s = NEVER_S
        aboard = dict.fromkeys(b.rows(told.items))
        for r in aboard:
            if b.state[r] < DELIVERED:
                b.set_state(r, ABOARD, unit.row)
        for r in [*unit.asked, *unit.expected]:
            if r not in aboard:
                self.release(unit, r)
        for r in list(unit.carried):
            if r not in aboard:
                self._drop(unit, r, now_s)
        unit.carried, unit.expected, unit.asked = aboard, {}, []
        self._steps.changed = True

    def _repaired(self, unit: Unit, told: UnitReport, now_s: int) -> None:
        unit.broken = unit.halted = unit.held = unit.helped = False
        unit.refusals = 0
        self._operators.done(unit.number)
        items = self._book.rows(told.items)
        for r in items:
            if r in unit.carried:
                del unit.carried[r]
            if self._book.state[r] in (WAITING, LOADING, ABOARD):
                self._steps.back_to_depot(r, now_s, 0)
        for r in list(unit.carried):
            self._drop(unit, r, now_s)
        self._steps.idle(unit, now_s)

    def instructed(self, told: Instruction, now_s: int) -> None:
        """Note what the supervision platform ordered a unit to do."""
        unit = self._units.find(told.unit)
        if unit is None:
            return
        if told.what == "slow":
            unit.limit_m_s = max(told.speed_m_s, 1.0)
        elif told.what == "stop":
            unit.stopped, unit.due_s = True, NEVER_S
        elif told.what == "release":
            unit.limit_m_s = float("inf")
            if unit.stopped:
                unit.stopped = False
                unit.retry_s = now_s + RETRY_S if unit.doing != IDLE else NEVER_S
                self._steps.changed = True
