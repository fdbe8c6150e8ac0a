"""Companies in a run: their life, the policies paid to them, experts, banks, business climate (F44-F49)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, runtime_checkable

from geo.city import City
from twin.clock import Clock
from twin.dice import Dice
from twin.domain.commands import Command
from twin.errors import ScenarioError
from twin.hosts import Factory, Host, find_factory
from twin.log import Facts, Log
from twin.scenario.companies import Companies
from twin.scenario.interventions import SystemIntervention
from twin.scenario.model import Scenario
from twin.world.companies.env import CLIMATE, PLANS, POLICIES, Env
from twin.world.companies.office_side import OfficeSide
from twin.world.people.companies import CompanyArrays, build
from twin.world.people.draws import Draws
from twin.world.ports import Action, RunContext
from twin.world.sites.pump import Pump

DAY_S = 86_400
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def desks(part: Companies) -> dict[str, Factory]:
    """Return what makes the desks, by name."""
    chosen: dict[str, Any] = {POLICIES: part.desk, CLIMATE: part.climate_desk, PLANS: part.plans_desk}
    return {name: find_factory(spec) if isinstance(spec, str) else spec for name, spec in chosen.items()}


def arrays_of(scenario: Scenario, city: City, dice: Dice) -> CompanyArrays:
    """Return the companies of a city where there is no model of people."""
    return build(city, Draws(dice), scenario.people.companies if scenario.people is not None else 6_000)


@runtime_checkable
class TellsFounding(Protocol):
    """A system that measures how long founding a company takes: the service offices, made before the companies."""

    def tell_founding_days(self, listener: Callable[[float], None]) -> None:
        """Tell ``listener`` working days, whenever they are measured anew."""


class CompaniesSystem:
    """Made as ``CompaniesSystem(context)`` where the scenario has the key ``companies``."""

    def __init__(self, context: RunContext) -> None:
        scenario = context.scenario
        part = scenario.companies
        assert part is not None
        people = context.people
        arrays = people.companies if people is not None else arrays_of(scenario, context.city, context.dice)
        self._hosts = {name: context.host(name, factory) for name, factory in desks(part).items()}
        env = Env(
            clock=context.clock,
            dice=context.dice,
            log=context.log,
            end_s=context.end_s,
            weekday=_WEEKDAYS.index(scenario.weekday),
            tell=context.tell,
        )
        self.offices = OfficeSide(env, part, context.city, arrays)
        self._measured, self._imposed = part.founding_days, dict[str, float]()
        services = context.systems.get("services")
        if isinstance(services, TellsFounding):
            services.tell_founding_days(self.set_founding_days)

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The policy desk, the climate desk, the plans desk."""
        return self._hosts

    def begin(self, now_s: int) -> None:
        """Tell the desks what they know, and put the days on the clock."""
        self.offices.begin(now_s)

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:  # noqa: ARG002
        """Carry out a command of one of the desks."""
        return self.offices.carry_out(command, now_s)

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """Return the beginning and end of another time that founding a company takes, whatever the services measure."""
        days = float(getattr(item, "days", self._measured))
        return partial(self._impose, cause, days), partial(self._impose, cause, None)

    def _impose(self, cause: str, days: float | None) -> None:
        self._imposed.pop(cause, None)
        if days is not None:
            self._imposed[cause] = days
        self.set_founding_days(self._measured)

    def set_founding_days(self, days: float) -> None:
        """Let founding a company take so many working days from now on; the services' cases tell it where they are on.

        While an intervention says otherwise that holds (of several the last to begin).
        """
        self._measured = days
        self.offices.founding_days = next(reversed(self._imposed.values()), days)

    def finish(self, end_s: int) -> None:
        """Write the accounts of all policies."""
        self.offices.finish(end_s)


def run_months(scenario: Scenario, city: City, seed: int, days: int) -> Facts:
    """Run the companies part of a scenario for ``days`` days without traffic; ScenarioError if it has none."""
    part = scenario.companies
    if part is None:
        raise ScenarioError(f"{scenario.name}: has no companies; add 'companies: {{}}'")
    clock, dice, log, end = Clock(0), Dice(seed), Log(None), days * DAY_S
    pump = Pump(clock, {name: Host(name, factory, None) for name, factory in desks(part).items()}, end)
    env = Env(clock, dice, log, end, _WEEKDAYS.index(scenario.weekday), pump.tell)
    offices = OfficeSide(env, part, city, arrays_of(scenario, city, dice))

    def carry_out(_: str, command: Command, now_s: int) -> None:
        offices.carry_out(command, now_s)

    pump.carry_out = carry_out
    offices.begin(0)
    pump.run()
    offices.finish(end)
    return log.close()
