"""Construction in a run: sites and their supervision, lorries on the roads, dust and noise (F13-F18)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from twin.clock import Phase
from twin.domain.commands import Command
from twin.errors import ScenarioError
from twin.events import SiteAirMeasured, SitesAtEnd, SupplyPlanned
from twin.hosts import Factory, Host, find_factory
from twin.scenario.construction import Construction, policy_factory
from twin.scenario.interventions import SystemIntervention
from twin.world.ports import Action, RunContext
from twin.world.sites import air
from twin.world.sites.files import Floats, sites_of
from twin.world.sites.supervision import DESK, Env, Supervision
from twin.world.sites.supply import Supply
from twin.world.traffic.ports import Flow

DAY_S = 86_400
TICK_S = 60
AIR_S = 7_200
WORK_S = (7 * 3600, 18 * 3600)
_WET_MM_H = 0.5  # from here on a day counts as wet
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def desk_factory(part: Construction) -> Factory:
    """Return what makes the desk with its policy (``desk(policy)``), or ``desk()`` for one that takes none."""
    from twin.world.fleets.desks import takes_one

    make: Any = find_factory(part.desk) if isinstance(part.desk, str) else part.desk
    choose = policy_factory(part.policy)
    return lambda: make(choose()) if takes_one(make) else make()


class SitesSystem:
    """Made as ``SitesSystem(context)`` where the scenario has the key ``construction``."""

    def __init__(self, context: RunContext) -> None:
        part = context.scenario.construction
        assert part is not None
        self._c = context
        self.sites = sites_of(context.city, part)
        self._host = context.host(DESK, desk_factory(part))
        env = Env(
            clock=context.clock,
            dice=context.dice,
            log=context.log,
            start_s=context.start_s,
            end_s=context.end_s,
            weekday=_WEEKDAYS.index(context.scenario.weekday),
            tell=context.tell,
            wet=self._wet,
            planned=self._planned,
        )
        self.supervision = Supervision(env, part, self.sites)
        self._supply = Supply(context, self.sites, part.lorries)

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The construction desk."""
        return {DESK: self._host}

    def _wet(self, _day: int) -> bool | None:
        """Take the weather of the run for its days."""
        weather = self._c.weather
        return weather.kind in ("rain", "snow") and weather.rain_mm_h >= _WET_MM_H

    def _planned(self, day: int) -> None:
        now = self._c.clock.now_s
        rows, count = self._supply.plan(day, self.supervision.works.gained, now)
        if rows.size:
            self._c.log.add(SupplyPlanned, t_s=now, project=self.sites.project[rows], day=day, count=count)

    def begin(self, now_s: int) -> None:
        """Tell the desk what it knows, and put the days, the lorries and the air on the clock."""
        self.supervision.begin(now_s)
        clock = self._c.clock
        clock.every(TICK_S, Phase.LIVE, self._live)
        first = -(-now_s // AIR_S) * AIR_S
        if first < self._c.end_s:
            clock.every(AIR_S, Phase.PERCEIVE, self._measure_air, first)

    def _live(self) -> None:
        now = self._c.clock.now_s
        self._supply.set_out(now, min(now + TICK_S, self._c.end_s))

    def _measure_air(self) -> None:
        s, now = self.sites, self._c.clock.now_s
        active = self.supervision.works.active
        if not active.any():
            return
        x, y = s.x_m[active] + np.sqrt(s.site_m2[active] / np.pi), s.y_m[active]  # at the fence
        self._c.log.add(
            SiteAirMeasured, t_s=now, project=s.project[active], dust_ug_m3=self.dust_ug_m3(x, y),
            noise_db=self.noise_db(x, y),
        )  # fmt: skip

    # -- what sensors may read -----------------------------------------------------------------------------

    def _busy(self) -> Floats:
        """Return the activity of every site now; nobody works at night."""
        second = self._c.clock.now_s % DAY_S
        works = self.supervision.works
        here = WORK_S[0] <= second < WORK_S[1]
        return works.busy if here else np.zeros(len(self.sites))

    def dust_ug_m3(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return PM10 at points (local metres) now, µg/m³."""
        s, wet = self.sites, self.supervision.sky.wet
        return air.dust_ug_m3(np.asarray(x_m), np.asarray(y_m), s.x_m, s.y_m, s.site_m2, self._busy(), wet)

    def noise_db(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return the noise level at points (local metres) now, dB(A)."""
        s = self.sites
        return air.noise_db(np.asarray(x_m), np.asarray(y_m), s.x_m, s.y_m, self._busy())

    # -- ears ----------------------------------------------------------------------------------------------

    def took(self, flow: Flow) -> None:
        """Take note of lorries that arrived."""
        if flow.arrived.size:
            self._supply.took(flow)

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:  # noqa: ARG002
        """Take note of a lorry that traffic took off the road."""
        self._supply.lost(vehicle)

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:  # noqa: ARG002
        """Carry out a command of the desk."""
        return self.supervision.carry_out(command, now_s)

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """Return the beginning and end of a stop of work. ScenarioError: there is no such project."""
        project = getattr(item, "project", None)
        rows = np.arange(len(self.sites)) if project is None else np.flatnonzero(self.sites.project == project)
        if rows.size == 0:
            have = f"{int(self.sites.project.min())} to {int(self.sites.project.max())}"
            raise ScenarioError(f"{cause}.project is {project}; the projects have numbers from {have}")
        return partial(self._stop, rows.tolist(), True), partial(self._stop, rows.tolist(), False)

    def _stop(self, rows: list[int], stopped: bool) -> None:
        for row in rows:
            self.supervision.stop(row, stopped)

    def finish(self, end_s: int) -> None:
        """Account for hazards, cases and lorries that are left."""
        left = self.supervision
        self._c.log.add(
            SitesAtEnd, t_s=end_s, hazards=len(left.hazards.there), cases=left.open_cases,
            lorries=self._supply.under_way,
        )  # fmt: skip
