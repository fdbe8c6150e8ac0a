"""The community platform in a run (F30-F33, F43): reports, points, scenes, complaints, early signs.

It needs the hazards of the city brain, which is made before it (``context.systems``). Where the city brain has
responders, signs reach the incident desk (told again until they are on its books) and answers come back; alerts that
wait for confirmation are heard of as weak signals by standing between alerting and whoever looks
(``Alerts.responders``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.domain.city_brain import RaiseAlert
from twin.domain.commands import Command
from twin.errors import ScenarioError
from twin.hosts import Factory, Host, find_factory
from twin.scenario.community import EARLY_POLICIES, POLICIES, Community
from twin.scenario.interventions import SystemIntervention
from twin.world.community.city_readings import CityReadings
from twin.world.community.env import Env, Ints
from twin.world.community.members import Homes, homes_of, register
from twin.world.community.months import at_usual_places
from twin.world.community.platform import DESK, EARLY, Platform
from twin.world.ports import Action, RunContext


def desks(part: Community) -> dict[str, Factory]:
    """Return what makes the desks with their policies, by name."""

    def made(desk: Any, policy: Any, known: Mapping[str, str]) -> Factory:
        make: Any = find_factory(desk) if isinstance(desk, str) else desk
        choose: Any = find_factory(known.get(policy, policy)) if isinstance(policy, str) else policy
        return lambda: make(choose())

    out = {DESK: made(part.desk, part.platform.policy, POLICIES)}
    if part.early is not None:
        out[EARLY] = made(part.early_desk, part.early.policy, EARLY_POLICIES)
    return out


class CommunitySystem:
    """Made as ``CommunitySystem(context)`` where the scenario has the key ``community``."""

    def __init__(self, context: RunContext) -> None:
        part, brain = context.scenario.community, context.systems.get("city_brain")
        assert part is not None
        if brain is None:
            raise ScenarioError("community is on, but there is no city brain; add 'city_brain: {}'")
        system: Any = brain
        people = context.people
        share = context.scenario.people.share if context.scenario.people is not None else 1.0
        homes = homes_of(context.city, people)
        members = register(context.city, context.dice, people, homes, round(part.platform.registered * share))

        def where() -> Ints:
            if people is not None:
                return people.whereabouts()[members.account]
            return at_usual_places(members, context.clock.now_s)

        env = Env(
            clock=context.clock,
            dice=context.dice,
            log=context.log,
            end_s=context.end_s,
            city=context.city,
            hazards=system.hazards,
            members=members,
            homes=Homes.of(homes, len(context.city.blocks)),
            part=part,
            where=where,
            tell=system.responders.tell if system.responders is not None else context.tell,
            places=system.places,
            causes=system.births.causes,
        )
        self.platform = Platform(env)
        self._hosts = {name: context.host(name, factory) for name, factory in desks(part).items()}
        if system.responders is not None:
            system.responders.answers.append(self.platform.answered)
        self._city: CityReadings | None = None
        if system.sensing is not None and part.early is not None and part.early.readings:
            self._city = CityReadings(system.sensing, context.dice, lambda message: context.tell(EARLY, message))
            system.readers.append(self._city.heard)
        if system.alerts is not None and part.early is not None:
            system.alerts.responders = _listening(system.alerts.responders, self.platform)

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The community desk and the desk of early signs."""
        return self._hosts

    def begin(self, now_s: int) -> None:
        """Tell the desks what they know, and put the life of the platform on the clock."""
        self.platform.begin(now_s)
        if self._city is not None:
            self._city.begin(now_s)

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """Carry out a command of one of its desks."""
        return self.platform.carry_out(who, command, now_s)

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """Refuse: there are no interventions of this system."""
        raise ScenarioError(f"{cause}.kind is {item.kind}, which the community has not")

    def finish(self, end_s: int) -> None:
        """Nothing is left to write: reports without an answer are those without a fact of one."""


class _Ear:
    """Passes alerts on, and lets the platform hear them."""

    def __init__(self, inner: Any, platform: Platform) -> None:
        self._inner, self._platform = inner, platform

    def alert(self, command: Command, now_s: int) -> None:
        """Pass on a command of the alerting desk."""
        if isinstance(command, RaiseAlert):
            self._platform.alert_raised(command.alert)
        if self._inner is not None:
            self._inner.alert(command, now_s)


class _LookingEar(_Ear):
    """The same where somebody looks at pictures."""

    def look(self, alert: str, x_m: float, y_m: float, theme: str, now_s: int) -> None:
        """Pass on that a person should look."""
        self._platform.alert_asked(alert, theme, x_m, y_m, now_s)
        self._inner.look(alert, x_m, y_m, theme, now_s)


def _listening(inner: Any, platform: Platform) -> _Ear:
    return _LookingEar(inner, platform) if inner is not None else _Ear(inner, platform)
