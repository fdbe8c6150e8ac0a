"""Months of supervision without traffic: the same sites, desk and clock, no roads; for scores and long questions.

::

    from twin.world.sites.months import run_months
    facts = run_months(scenario, city, seed=1, days=720)      # the facts of a run, SitesAtEnd last
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from geo.city import City
from twin.clock import Clock, Phase
from twin.dice import Dice
from twin.domain.messages import Message
from twin.errors import ScenarioError
from twin.events import SitesAtEnd
from twin.hosts import Host
from twin.log import Facts, Log
from twin.scenario.model import Scenario
from twin.world.sites.files import sites_of
from twin.world.sites.supervision import DESK, Env, Supervision
from twin.world.sites.system import _WEEKDAYS, desk_factory

DAY_S = 86_400


class _Pump:
    """Lets one desk decide in the phases of the clock, as a run does."""

    def __init__(self, clock: Clock, host: Host, end_s: int) -> None:
        self._clock, self._host, self._end_s = clock, host, end_s
        self._due: set[int] = set()
        self.carry_out: Any = None

    def tell(self, _desk: str, message: Message) -> None:
        """Take a message; the desk decides in this instant."""
        self._host.tell(message)
        self._at(self._clock.now_s)

    def _at(self, t_s: int) -> None:
        if t_s not in self._due and t_s < self._end_s:
            self._due.add(t_s)
            self._clock.at(t_s, Phase.DECIDE, self._decide)

    def _decide(self) -> None:
        now = self._clock.now_s
        self._due.discard(now)
        if not self._host.due(now):
            return
        _, commands = self._host.decide(now)
        wake = self._host.next_wake_s()
        if wake is not None:
            self._at(wake)
        for command in commands:
            self._clock.at(now, Phase.ACT, partial(self.carry_out, command, now))


def run_months(scenario: Scenario, city: City, seed: int, days: int) -> Facts:
    """Run the construction part of a scenario for ``days`` days; ScenarioError if it has none."""
    part = scenario.construction
    if part is None:
        raise ScenarioError(f"{scenario.name}: has no construction; add 'construction: {{}}'")
    clock, dice, log = Clock(0), Dice(seed), Log(None)
    host = Host(DESK, desk_factory(part))
    pump = _Pump(clock, host, days * DAY_S)
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
    pump.carry_out = supervision.carry_out
    supervision.begin(0)
    end = days * DAY_S
    while (t := clock.next_s()) is not None and t < end:
        clock.run_instant()
    log.add(SitesAtEnd, t_s=end, hazards=len(supervision.hazards.there), cases=supervision.open_cases, lorries=0)
    host.close()
    return log.close()


def unfinished(facts: Facts) -> int:
    """Return how many projects that were under construction at the start were not finished at the end."""
    filed, done = facts.frame("ProjectFiled"), facts.frame("ProjectFinished")
    current = filed["project"].to_numpy()[filed["library"].to_numpy() == "current"]
    return int(np.isin(current, done["project"].to_numpy(), invert=True).sum())
