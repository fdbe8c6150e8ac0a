"""Commands of controllers carried out in the world, and what is allowed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from twin.domain.commands import AvoidRoad, Command, LiftSpeedLimit, SetSpeedLimit, WithdrawAdvice
from twin.errors import ControlError
from twin.events import SpeedLimitSet
from twin.interventions import Streets
from twin.log import Log
from twin.world.traffic.drivers import Drivers
from twin.world.traffic.limits import Limits

if TYPE_CHECKING:
    from twin.world.fleets.fleets import Fleets
    from twin.world.ports import System

SLOWEST_M_S, FASTEST_M_S = 1.0, 40.0


class Orders:
    """Carries out commands at the second they are given. Raises ControlError for one outside its bounds."""

    def __init__(
        self,
        limits: Limits,
        drivers: Drivers,
        streets: Streets,
        log: Log,
        closures_known: Callable[[], None],
        fleets: Fleets | None = None,
        systems: Mapping[str, System] | None = None,
    ) -> None:
        self._fleets = fleets
        self._of = {desk: system for system in (systems or {}).values() for desk in system.hosts}
        self._limits, self._drivers, self._streets, self._log = limits, drivers, streets, log
        self._closures_known = closures_known

    def carry_out(self, who: str, command: Command, now_s: int) -> None:
        """Let the command of controller ``who`` take effect."""
        if self._fleets is not None and who in self._fleets.hosts:
            self._fleets.carry_out(who, command, now_s)
            return
        if who in self._of and self._of[who].carry_out(who, command, now_s):
            return
        road = self._road(who, command, now_s)
        if isinstance(command, AvoidRoad):
            self._streets.tell(road)
            self._closures_known()
            self._drivers.advise(road, command.until_s, now_s)
        elif isinstance(command, WithdrawAdvice):
            self._drivers.withdraw(road)
        elif isinstance(command, SetSpeedLimit):
            if not SLOWEST_M_S <= command.speed_m_s <= FASTEST_M_S:
                raise ControlError(
                    f"controller '{who}' set a limit of {command.speed_m_s} m/s on road {road} at {now_s} s;"
                    f" {SLOWEST_M_S:g} to {FASTEST_M_S:g} m/s is allowed"
                )
            self._limit(who, road, command.speed_m_s, now_s)
        elif isinstance(command, LiftSpeedLimit):
            self._limit(who, road, None, now_s)
        else:
            raise ControlError(
                f"controller '{who}' sent {type(command).__name__} at {now_s} s, which nobody carries out"
            )

    def _road(self, who: str, command: Command, now_s: int) -> int:
        road, n = int(getattr(command, "road", 0)), self._streets.closed.size
        if not 0 <= road < n:
            raise ControlError(
                f"controller '{who}' sent {type(command).__name__} at {now_s} s for road {road}; roads are 0..{n - 1}"
            )
        return road

    def _limit(self, who: str, road: int, speed_m_s: float | None, now_s: int) -> None:
        self._limits.set(road, who, speed_m_s)
        self._log.add(SpeedLimitSet, t_s=now_s, road=road, speed_m_s=self._limits.shown(road), cause=who)
