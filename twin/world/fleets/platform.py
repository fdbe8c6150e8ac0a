"""The world's side of supervision: permits, what units do and send, and the orders of the platform (F21, F26).

Made for every run with a fleet. Permits, conduct and telemetry are there whether or not anybody watches; without a
``supervision`` part in the scenario its defaults hold. Orders of the supervision platform reach a unit over its radio
link, or not at all while that is lost; its desk hears of them in any case, by wire.
"""

from __future__ import annotations

import numpy as np

from twin.control.mobility.standings import AUTOMATED
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.mobility import VIOLATIONS, Instruction
from twin.domain.supervision import CloseCase, ReleaseUnit, ReportViolation, SlowUnit, StopUnit, WarnUnit
from twin.errors import ControlError
from twin.events import CaseClosed, UnitSlowed, UnitStoppedByPlatform, UnitWarned, ViolationFound
from twin.scenario.supervision import Supervision
from twin.world.fleets.conduct import Conduct
from twin.world.fleets.permits import PermitsInTruth, issues
from twin.world.fleets.ports import DESK_OF, FleetContext
from twin.world.fleets.telemetry import PLATFORM, TelemetryLink

BY = "platform"


class Platform:
    """Permits, conduct, telemetry and the platform's orders; see :class:`twin.world.fleets.ports.FleetPlatform`."""

    def __init__(self, context: FleetContext) -> None:
        self._c = context
        self.settings = context.scenario.supervision or Supervision()
        fleets = [f for f in dict.fromkeys(context.units.fleet.tolist()) if f in AUTOMATED]
        planned = issues(context.city, self.settings, fleets, context.start_s, context.end_s)
        self.permits = PermitsInTruth(planned, context.log)
        self.conduct = Conduct(context, self.permits.in_force, self.settings.faults)
        self.telemetry = TelemetryLink(
            context.units, self.conduct, context.city, context.log, context.dice, self.settings.telemetry,
            context.start_s,
        )  # fmt: skip
        self._limits: dict[int, float] = {}

    # -- the run --------------------------------------------------------------------------------------------

    def begin(self, now_s: int) -> list[Message]:
        """Issue the permits and tell the fleets' desks; return them for the supervision desk."""
        out: list[Message] = []
        for fleet, told in self.permits.begin(now_s):
            self._c.tell(DESK_OF[fleet], told)
            out.append(told)
        return out

    def tick(self, now_s: int) -> list[Message]:
        """See who breaks a rule, gather telemetry; return what the supervision desk hears."""
        self.permits.tick(now_s)
        units = self._c.units
        for row, limit in self._limits.items():
            if units.limit_m_s[row] > limit:  # its desk lifted or raised the limit: the platform's stands above it
                units.limit(row, limit)
        self.conduct.tick(now_s)
        out: list[Message] = []
        for desk, told in self.telemetry.tick(now_s):
            if desk == PLATFORM:
                out.append(told)
            else:
                self._c.tell(desk, told)
        return out

    def end_permit(self, permit: str, now_s: int, cause: str) -> bool:
        """Withdraw a permit (an intervention) and tell everybody; False if there is none of that name."""
        ended = self.permits.end(permit, now_s, cause)
        for fleet, told in ended:
            self._c.tell(DESK_OF[fleet], told)
            self._c.tell(PLATFORM, told)
        return bool(ended)

    def finish(self, end_s: int) -> None:
        """Leave violations that go on without an end: nobody has seen one."""

    # -- orders ---------------------------------------------------------------------------------------------

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry out a command of the supervision desk; False if it is none. Raises ControlError for a bad one."""
        if not isinstance(command, ReportViolation | WarnUnit | SlowUnit | StopUnit | ReleaseUnit | CloseCase):
            return False
        row = self._row(command, now_s)
        log, unit, case = self._c.log, int(command.unit), command.case
        if isinstance(command, ReportViolation):
            since = min(command.since_s, now_s)
            log.add(ViolationFound, t_s=now_s, unit=unit, violation=command.violation, since_s=since, case=case)
        elif isinstance(command, WarnUnit):
            log.add(UnitWarned, t_s=now_s, unit=unit, violation=command.violation, case=case)
            self._tell_desk(command, row, "warn", -1.0, command.violation, now_s)
        elif isinstance(command, SlowUnit):
            log.add(UnitSlowed, t_s=now_s, unit=unit, speed_m_s=float(command.speed_m_s), case=case)
            self._slow(row, float(command.speed_m_s))
            self._tell_desk(command, row, "slow", float(command.speed_m_s), case, now_s)
        elif isinstance(command, StopUnit):
            log.add(UnitStoppedByPlatform, t_s=now_s, unit=unit, violation=command.violation, case=case)
            if self._c.units.linked[row]:
                self._c.units.halt(row, f"stopped by the platform: {command.violation}", now_s, by=BY)
            self._tell_desk(command, row, "stop", 0.0, command.violation, now_s)
        elif isinstance(command, ReleaseUnit):
            # a person is there and has checked it: no radio is needed
            self._c.units.resume(row, "released by the platform", now_s, by=BY)
            self._tell_desk(command, row, "release", -1.0, case, now_s)
        else:
            log.add(CaseClosed, t_s=now_s, unit=unit, case=case, outcome=command.outcome)
        return True

    def _slow(self, row: int, speed_m_s: float) -> None:
        units = self._c.units
        if speed_m_s < 0:
            if self._limits.pop(row, None) is not None:
                units.limit(row, -1.0)
        elif units.linked[row]:
            self._limits[row] = speed_m_s
            if units.limit_m_s[row] > speed_m_s:
                units.limit(row, speed_m_s)

    def _row(
        self, command: ReportViolation | WarnUnit | SlowUnit | StopUnit | ReleaseUnit | CloseCase, now_s: int
    ) -> int:
        what = type(command).__name__
        row = self._c.units.row(command.unit)
        if row < 0:
            known = ", ".join(str(n) for n in self._c.units.number[:3].tolist())
            raise ControlError(
                f"controller 'supervision' sent {what} at {now_s} s for unit {command.unit}, which there is not;"
                f" units are {known} …"
            )
        violation = getattr(command, "violation", None)
        if violation is not None and violation not in VIOLATIONS:
            raise ControlError(
                f"controller 'supervision' sent {what} at {now_s} s with violation '{violation}';"
                f" allowed: {', '.join(VIOLATIONS)}"
            )
        speed = getattr(command, "speed_m_s", 1.0)
        if not (speed == -1 or (np.isfinite(speed) and speed > 0)):
            raise ControlError(
                f"controller 'supervision' sent {what} at {now_s} s with {speed} m/s; above 0, or -1 to lift the limit"
            )
        return row

    def _tell_desk(self, command: Command, row: int, what: str, speed_m_s: float, reason: str, now_s: int) -> None:
        units = self._c.units
        told = Instruction(now_s, f"instruction/{command.key}", int(units.number[row]), what, speed_m_s, reason)
        self._c.tell(DESK_OF[units.fleet[row]], told)
