"""What the desk looks after every ``plan_s``: silence, overdue reports, ends of permits, shut roads, operators."""

from __future__ import annotations

import numpy as np

from twin.control.mobility.delivery.operators import Operators
from twin.control.mobility.delivery.ports import CHARGING, HANDING, IDLE, TO_CHARGER, TO_DEPOT, TO_STOP
from twin.control.mobility.delivery.ports import LOADING as UNIT_LOADING
from twin.control.mobility.delivery.reports import Reports
from twin.control.mobility.delivery.steps import Steps
from twin.control.mobility.delivery.units import NEVER_S, Unit
from twin.control.mobility.stranded import Stranded
from twin.domain.mobility import DRIVING, PARKED, SERVING, AssistUnit

SILENT_S = 300  # without telemetry for so long, a unit is not reckoned with
UNPLUGGED_S = 300  # so long after it was told to charge a unit should do so
CALL_S = 900  # a silent unit is told its step again so often


class Watch:
    """Goes over the units; cheap: a few comparisons per unit."""

    def __init__(self, steps: Steps, reports: Reports, operators: Operators) -> None:
        self._steps, self._reports, self._operators = steps, reports, operators
        self._stranded = Stranded()
        self.telemetry = False  # whether any came; without, silence is judged by overdue reports alone

    def look(self, now_s: int, roads_changed: bool) -> None:
        """Bring all units up to date."""
        heard = self._steps.units.heard_s
        for unit in self._steps.units.all:
            if unit.broken:
                continue
            if self.telemetry and not unit.silent and heard[unit.row] < now_s - SILENT_S:
                self._lost(unit, now_s)
            if unit.halted and not (unit.held or unit.helped or unit.stopped) and self._moves(unit):
                self._reports.goes_on(unit, now_s)
            if unit.helped:
                self._operators.ask(unit.number, now_s)
            elif unit.doing in (TO_STOP, TO_DEPOT, TO_CHARGER) and not unit.stopped:
                self._on_the_road(unit, now_s, roads_changed)
            elif unit.doing == CHARGING and self._unplugged(unit, now_s):
                unit.retry_s = now_s
            if unit.able and unit.retry_s <= now_s:
                self._reports.again(unit, now_s)
            elif unit.due_s <= now_s:
                self._overdue(unit, now_s)
            self._bring_home(unit, now_s)
        for number, operator in self._operators.turn(now_s):
            helped = self._steps.units.find(number)
            assert helped is not None
            self._steps.out.append(AssistUnit(helped.key("assist"), number, operator))

    def _lost(self, unit: Unit, now_s: int) -> None:
        """Note that a unit is silent; what it was only to load is free for others."""
        unit.silent, unit.planned = True, []
        self._steps.changed = True
        if unit.doing == UNIT_LOADING:
            for r in unit.asked:
                self._reports.release(unit, r)
        if unit.doing not in (IDLE, CHARGING):
            unit.due_s = now_s + CALL_S

    def _moves(self, unit: Unit) -> bool:
        """Return whether telemetry says that a unit goes on: the word of it came before that of its halt."""
        units = self._steps.units
        told = units.sent_s[unit.row] > unit.halted_s + UNPLUGGED_S
        return bool(told and units.state[unit.row] in (PARKED, DRIVING, SERVING))

    def _unplugged(self, unit: Unit, now_s: int) -> bool:
        """Return whether telemetry says that a unit that should charge stands by: the command or its end was lost."""
        units, since_s = self._steps.units, unit.set_out_s + UNPLUGGED_S
        return bool(units.state[unit.row] == PARKED and since_s < units.sent_s[unit.row] and since_s < now_s)

    def _overdue(self, unit: Unit, now_s: int) -> None:
        """Tell a step again whose report is not here in time; a unit that was not heard either is silent."""
        unit.due_s = NEVER_S
        if not unit.silent and self._steps.units.heard_s[unit.row] < now_s - SILENT_S:
            self._lost(unit, now_s)
        elif unit.silent:
            self._reports.again(unit, now_s)
            unit.due_s = now_s + CALL_S
        else:
            self._reports.again(unit, now_s)

    def _bring_home(self, unit: Unit, now_s: int) -> None:
        """Call the recovery crew for a unit that stands out, silent or not, when nothing permits it to drive."""
        group = self._steps.tours.group(unit)
        out = unit.doing in (TO_STOP, HANDING, TO_DEPOT, TO_CHARGER)
        barred = out and not group.may_drive(now_s)
        self._steps.out += self._stranded.look(unit.number, barred, group.from_s, now_s)

    def _on_the_road(self, unit: Unit, now_s: int, roads_changed: bool) -> None:
        """Halt a unit whose permit is over; bring one whose way is shut, or was, on another way."""
        group = self._steps.tours.group(unit)
        if not group.may_drive(now_s):
            self._steps.hold(unit, "no permit holds now")
            return
        if unit.held:
            unit.retry_s = min(unit.retry_s, now_s)
            return
        if not roads_changed or unit.way.size == 0 or unit.halted:
            return
        road, pos_m = self._steps.where(unit, now_s)
        at = int(np.argmax(unit.way == road))
        if not group.streets.shut()[unit.way[at + 1 :]].any():
            return
        unit.road, unit.pos_m = road, pos_m
        before = unit.serial
        self._reports.again(unit, now_s)
        if unit.serial == before:  # no way was found
            self._steps.hold(unit, "no permitted way")
            unit.retry_s = now_s
