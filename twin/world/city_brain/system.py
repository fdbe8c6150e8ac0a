"""The city brain in a run: hazards in truth, sensors, alerting, and those who come (F1-F12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.domain.commands import Command
from twin.hosts import Host
from twin.scenario.interventions import SystemIntervention
from twin.world.city_brain.hazards import Hazards
from twin.world.ports import Action, RunContext


class CityBrainSystem:
    """Composes what is on; see the scenario's ``city_brain``."""

    def __init__(self, context: RunContext) -> None:
        self._c = context
        part = context.scenario.city_brain
        assert part is not None
        self._part = part
        self.hazards = Hazards(context, part.hazards)
        self._hosts: dict[str, Host] = {}
        self.responders: Any = None
        if part.responders is not None:
            self.responders = _responders(context, self.hazards)
        if self.responders is not None:
            self._hosts.update(self.responders.hosts)

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The desks: alerting, and those of the responders."""
        return self._hosts

    def begin(self, now_s: int) -> None:
        """Begin."""
        if self.responders is not None:
            self.responders.begin(now_s)

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """Carry out a command of one of its desks."""
        return self.responders is not None and bool(self.responders.carry_out(who, command, now_s))

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """Return what happens at the beginning and the end of an intervention."""
        raise NotImplementedError(f"{cause}: {item.kind}")

    def finish(self, end_s: int) -> None:
        """Account for everything that is still open."""
        if self.responders is not None:
            self.responders.finish(end_s)
        self.hazards.finish(end_s)


def _responders(context: RunContext, hazards: Hazards) -> Any:
    """Make those who come, where that part of the project is there."""
    try:
        from twin.world.responders.responders import Responders
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("twin.world.responders"):
            raise
        return None
    return Responders(context, hazards)
