"""The city brain in a run: hazards in truth, sensors, alerting, and those who come (F1-F12).

The order in one instant: WORLD – weather and people move hazards of nature, hazards begin, grow, harm and end; PERCEIVE
– sensors are read and what arrived goes to alerting, people who looked answer; DECIDE and ACT – alerts, incidents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twin.clock import Phase
from twin.domain.city_brain import Readings
from twin.domain.commands import Command
from twin.domain.messages import ClosureReport
from twin.errors import ScenarioError
from twin.hosts import Host
from twin.scenario.interventions import HazardHappens, MaintenanceWindow, SensorOutage, SystemIntervention
from twin.world.city_brain.alerts import Alerts
from twin.world.city_brain.births import PUT, STEP_S, Births
from twin.world.city_brain.blocked import BlockedLanes
from twin.world.city_brain.hazards import Hazards
from twin.world.city_brain.kinds import KINDS
from twin.world.city_brain.nature import Nature
from twin.world.city_brain.sites import Places
from twin.world.ports import Action, RunContext
from twin.world.sensors.sensing import TICK_S, Sensing
from twin.world.traffic.ports import Flow

MINUTE_S = 60
ACCOUNT_S = 600


class CityBrainSystem:
    """Composes what is on; see the scenario's ``city_brain``."""

    def __init__(self, context: RunContext) -> None:
        self._c = context
        part = context.scenario.city_brain
        assert part is not None
        self.places = Places(context.city)
        self.hazards = Hazards(context, part.hazards)
        self.births = Births(context, self.hazards, self.places)
        self.nature = Nature(context, self.hazards, self.places, self.births)
        self.blocked = BlockedLanes(context, self.hazards)
        self.sensing: Sensing | None = None
        self.alerts: Alerts | None = None
        if part.sensors is not None:
            self.sensing = Sensing(context, part.sensors, self.places, self.hazards, self.nature)
            self.alerts = Alerts(context, part.alerting, self.hazards, self.sensing.channels)
            self.sensing.listeners.append(self.alerts.sensed)
        #: called with the readings that arrived in a tick, after alerting was told them
        self.readers: list[Callable[[Readings], None]] = []
        self._silenced = context.dice.stream("city_brain.silenced")
        self._chosen: dict[str, Any] = {}  # channels that interventions silenced: the same come back
        self._hosts: dict[str, Host] = dict(self.alerts.hosts) if self.alerts is not None else {}
        self.responders: Any = None
        if part.responders is not None:
            from twin.world.responders.responders import Responders

            self.responders = Responders(context, self.hazards)
            self._hosts.update(self.responders.hosts)
            if self.alerts is not None and self.sensing is not None:
                self.alerts.responders = self.responders
                self.responders.centre.in_view = self.sensing.shows

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The desks: alerting, anomalies, and those of the responders."""
        return self._hosts

    # -- time ------------------------------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Tell the desks what they know from the start, and put the life of the city brain on the clock."""
        if self.sensing is not None and self.alerts is not None:
            self.alerts.begin(now_s, self.sensing.begin(now_s))
        if self.responders is not None:
            self.responders.begin(now_s)
        every = self._c.clock.every
        every(STEP_S, Phase.WORLD, self._births)
        every(MINUTE_S, Phase.WORLD, self._minute)
        every(TICK_S, Phase.WORLD, self._live, now_s + TICK_S)
        if self.sensing is not None:
            every(TICK_S, Phase.PERCEIVE, self._tick, now_s + TICK_S)
            every(ACCOUNT_S, Phase.PERCEIVE, self._account, now_s + ACCOUNT_S)

    def _births(self) -> None:
        self.births.step(self._c.clock.now_s)

    def _minute(self) -> None:
        now = self._c.clock.now_s
        self.nature.step(now, MINUTE_S)
        if self.sensing is not None:
            self.sensing.minute(now)

    def _live(self) -> None:
        self.hazards.live(self._c.clock.now_s, TICK_S)

    def _tick(self) -> None:
        assert self.sensing is not None
        assert self.alerts is not None
        readings = self.sensing.tick(self._c.clock.now_s)
        if readings is not None:
            self.alerts.read(readings)
            for reader in self.readers:
                reader(readings)

    def _account(self) -> None:
        assert self.sensing is not None
        assert self.alerts is not None
        self.sensing.account(self._c.clock.now_s)
        self.alerts.account(self._c.clock.now_s)

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """Carry out a command of one of its desks; False if it is none of theirs."""
        if self.alerts is not None and self.alerts.carry_out(who, command, now_s):
            return True
        return self.responders is not None and bool(self.responders.carry_out(who, command, now_s))

    def finish(self, end_s: int) -> None:
        """Account for everything that is still open."""
        if self.sensing is not None and self.alerts is not None:
            self.sensing.account(end_s)
            self.alerts.account(end_s)
        if self.responders is not None:
            self.responders.finish(end_s)
        self.hazards.finish(end_s)

    # -- interventions ---------------------------------------------------------------------------------------

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """Return what happens at the beginning and the end of an intervention. ScenarioError: a name is wrong."""
        clock = self._c.clock
        if isinstance(item, HazardHappens):
            return self._put(item, cause)
        sensing, alerts = self.sensing, self.alerts
        if sensing is None or alerts is None:
            raise ScenarioError(f"{cause}.kind is {item.kind}, but city_brain.sensors is null: there are no sensors")
        until_s = item.until_s if item.until_s is not None else self._c.end_s
        if isinstance(item, SensorOutage):
            query, share = item.query, item.share

            def silence(on: bool) -> None:
                assert alerts.forest is not None
                if cause not in self._chosen:
                    rows = alerts.forest.rows(query)
                    drawn = self._silenced.uniform(rows, _number(cause))
                    self._chosen[cause] = rows[drawn < share]  # those of a smaller share are among them
                sensing.faults.force(self._chosen[cause], on, clock.now_s)

            return lambda: silence(True), lambda: silence(False)
        if isinstance(item, MaintenanceWindow):
            query, rules = item.query, item.rules
            known = [r.name for r in alerts.book.rules]
            for name in rules:
                if name not in known:
                    raise ScenarioError(f"{cause}.rules has '{name}'; the city's rules are {', '.join(known)}")
            return lambda: alerts.mute(query, rules, until_s, cause, clock.now_s), None
        raise TypeError(f"no action for {item!r}")

    def _put(self, item: HazardHappens, cause: str) -> tuple[Action, Action | None]:
        """Let hazards of a kind begin at the sites nearest to a place."""
        kind = KINDS[item.what]
        sites = self.places[kind.sites]
        if not len(sites):
            raise ScenarioError(
                f"{cause}.what is {item.what}; {self._c.city.name} has no {kind.sites} where it could be"
            )
        point = self._c.city.place(item.place).geometry
        order = np.argsort(np.hypot(sites.x_m - point.x, sites.y_m - point.y), kind="stable")
        chosen = [int(order[i % len(order)]) for i in range(item.count)]
        first = PUT + 20 * _number(cause)
        rows: list[int] = []

        def begin() -> None:
            now = self._c.clock.now_s
            for i, site in enumerate(chosen):
                new = self.births.make(item.what, sites, site, first + i, cause, item.size)
                row = self.hazards.begin(now, new)
                rows.append(row)
                if kind.moves:
                    self.nature.put(item.what, site, row, float(self.hazards.size[row]))

        def end() -> None:
            for row in rows:
                self.hazards.end(row, self._c.clock.now_s, kind.fate)

        return begin, end if item.until is not None else None

    # -- ears ------------------------------------------------------------------------------------------------

    def took(self, flow: Flow) -> None:
        """Take note of vehicles that arrived."""
        if self.responders is not None:
            self.responders.took(flow)

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take note that traffic took a vehicle off the road."""
        if self.responders is not None:
            self.responders.lost(vehicle, now_s, reason)

    def closure(self, report: ClosureReport) -> None:
        """Take note of what somebody told of a closed road."""
        if self.responders is not None:
            self.responders.closure(report)


def _number(cause: str) -> int:
    """Return the number of the intervention that a cause names."""
    return int("".join(ch for ch in cause if ch.isdigit()) or 0)
