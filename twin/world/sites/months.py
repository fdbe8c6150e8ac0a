"""Months of supervision without traffic: the same sites, desk and clock, no roads; for scores and long questions.

::

    from twin.world.sites.months import run_months
    facts = run_months(scenario, city, seed=1, days=720)      # the facts of a run, SitesAtEnd last
"""

from __future__ import annotations

import numpy as np

from geo.city import City
from twin.clock import Clock
from twin.dice import Dice
from twin.domain.commands import Command
from twin.errors import ScenarioError
from twin.events import SitesAtEnd
from twin.hosts import Host
from twin.log import Facts, Log
from twin.scenario.model import Scenario
from twin.world.sites.files import sites_of
from twin.world.sites.pump import Pump
from twin.world.sites.supervision import DESK, Env, Supervision
from twin.world.sites.system import _WEEKDAYS, desk_factory

DAY_S = 86_400


def run_months(scenario: Scenario, city: City, seed: int, days: int) -> Facts:
    """Run the construction part of a scenario for ``days`` days; ScenarioError if it has none."""
    part = scenario.construction
    if part is None:
        raise ScenarioError(f"{scenario.name}: has no construction; add 'construction: {{}}'")
    clock, dice, log = Clock(0), Dice(seed), Log(None)
    host = Host(DESK, desk_factory(part))
    pump = Pump(clock, {DESK: host}, days * DAY_S)
    env = Env(
        clock=clock,
        dice=dice,
        log=log,
        start_s=0,
        end_s=days * DAY_S,
        weekday=_WEEKDAYS.index(scenario.weekday),
        tell=pump.tell,
        wet=lambda _: None,
        planned=lambda _: None,
    )
    sites = sites_of(city, part)
    supervision = Supervision(env, part, sites)

    def carry_out(_: str, command: Command, now_s: int) -> None:
        supervision.carry_out(command, now_s)

    pump.carry_out = carry_out
    supervision.begin(0)
    pump.run()
    end = days * DAY_S
    log.add(SitesAtEnd, t_s=end, hazards=len(supervision.hazards.there), cases=supervision.open_cases, lorries=0)
    return log.close()


def unfinished(facts: Facts) -> int:
    """Return how many projects that were under construction at the start were not finished at the end."""
    filed, done = facts.frame("ProjectFiled"), facts.frame("ProjectFinished")
    current = filed["project"].to_numpy()[filed["library"].to_numpy() == "current"]
    return int(np.isin(current, done["project"].to_numpy(), invert=True).sum())
