"""The community platform over weeks, without traffic: hazards, reports, answers, points, and who comes back (F32).

Members are at home, or from 8:00 to 18:00 on working days at work, and half an hour around that on the way; what the
incident desk does is one line: a sign is answered after a log-normal time (median ``FIXED_S``) with "handled", or
"nothing there" where nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from geo.city import City
from twin.clock import Clock, Phase
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.incidents import Sign
from twin.domain.messages import Message
from twin.errors import ScenarioError
from twin.hosts import Host
from twin.log import Facts, Log
from twin.scenario.model import Scenario
from twin.world.city_brain.births import STEP_S, Births
from twin.world.city_brain.hazards import ENDED, Hazards
from twin.world.city_brain.sites import Places
from twin.world.community.env import DAY_S, Env, Ints
from twin.world.community.members import Homes, Members, homes_of, register
from twin.world.responders.themes import ways_of
from twin.world.sites.pump import Pump

LIVE_S = 300
#: from being told to somebody being at it: in runs with crews the median is 5 min in free flow (docs/community.md); a
#: district in traffic takes longer (assumed)
FIXED_S, FIXED_SIGMA = 900.0, 0.7
BOTCHED = 0.05
ONE_DAY_S = 8 * 3600


def at_usual_places(members: Members, now_s: int) -> Ints:
    """Return the block of each member by the clock alone: home, work, -1 on the way between them."""
    hour = now_s % DAY_S / 3600.0
    at_work = (now_s // DAY_S) % 7 < 5 and 8.0 <= hour < 17.5
    under_way = (now_s // DAY_S) % 7 < 5 and (7.5 <= hour < 8.0 or 17.5 <= hour < 18.0)
    has_work = members.work >= 0
    if under_way:
        return np.where(has_work, -1, members.home)
    return np.where(has_work, members.work, members.home) if at_work else members.home.copy()


@dataclass(frozen=True)
class _Still:
    rain_mm_h: float = 0.0
    kind: str = "clear"


@dataclass(frozen=True)
class _Surroundings:
    """What hazards need of a run's context."""

    city: City
    clock: Clock
    dice: Dice
    log: Log
    end_s: int
    weather: _Still = _Still()


def run_month(scenario: Scenario, city: City, seed: int, days: int = 30) -> Facts:
    """Run the community part of a scenario for ``days`` days; ScenarioError if it has none, or no city brain."""
    from twin.world.community.platform import INCIDENTS, Platform
    from twin.world.community.system import desks

    part, brain = scenario.community, scenario.city_brain
    if part is None or brain is None:
        raise ScenarioError(f"{scenario.name}: has no community, or no city brain; add 'community: {{}}'")
    clock, dice, log, end_s = Clock(0), Dice(seed), Log(None), days * DAY_S
    around = cast(Any, _Surroundings(city, clock, dice, log, end_s))
    hazards = Hazards(around, brain.hazards)
    places = Places(city)
    births = Births(around, hazards, places)
    homes = homes_of(city, None)
    members = register(city, dice, None, homes, part.platform.registered)
    pump = Pump(clock, {name: Host(name, factory, None) for name, factory in desks(part).items()}, end_s)
    fixed, botched = dice.stream("community.fixed"), dice.stream("community.botched")

    def tell(desk: str, message: Message) -> None:
        if desk != INCIDENTS:
            pump.tell(desk, message)
        elif isinstance(message, Sign):
            number = platform._number(message.ref)
            after_s = int(FIXED_S * np.exp(FIXED_SIGMA * fixed.normal(number)[0]))
            env.later(clock.now_s + after_s, partial(handle, message, number))

    def handle(sign: Sign, number: int) -> None:
        about = (sign.theme, sign.x_m, sign.y_m, ways_of(sign.theme).find_m, clock.now_s)
        meant = platform.meant.get(sign.ref, -1)
        row = hazards.row(meant) if meant >= 0 else hazards.about(*about)  # first what is still there
        if row < 0 and sign.source != "early sign":
            row = hazards.about(*about, ONE_DAY_S)
        if row < 0:
            platform.answered("nothing there", sign.source, sign.ref, clock.now_s)
            return
        if hazards.state[row] != ENDED and botched.uniform(number)[0] >= BOTCHED:
            hazards.end(row, clock.now_s, "handled")
        platform.answered("handled", sign.source, sign.ref, clock.now_s)

    env = Env(
        clock=clock,
        dice=dice,
        log=log,
        end_s=end_s,
        city=city,
        hazards=hazards,
        members=members,
        homes=Homes.of(homes, len(city.blocks)),
        part=part,
        where=lambda: at_usual_places(members, clock.now_s),
        tell=tell,
        places=places,
        causes=births.causes,
    )
    platform = Platform(env)

    def carry_out(who: str, command: Command, now_s: int) -> None:
        platform.carry_out(who, command, now_s)

    pump.carry_out = carry_out
    platform.begin(0)
    clock.every(STEP_S, Phase.WORLD, lambda: births.step(clock.now_s))
    clock.every(LIVE_S, Phase.WORLD, lambda: hazards.live(clock.now_s, LIVE_S), LIVE_S)
    pump.run()
    hazards.finish(end_s)
    return log.close()
