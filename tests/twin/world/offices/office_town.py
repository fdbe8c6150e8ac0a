"""Small offices for tests: one item, a few officers, needs that come as a Poisson process."""

from __future__ import annotations

import numpy as np

from twin.control.services.calendars import DAY_S, week
from twin.control.services.catalogue.generate import generated
from twin.control.services.catalogue.items import Catalogue, Item, Step
from twin.control.services.levers import BEFORE
from twin.world.offices.matters import Matter
from twin.world.offices.months import Months, Ran, run
from twin.world.offices.people import People, empty
from twin.world.offices.settings import Behaviour

ALWAYS = {0: week([(0, DAY_S)], range(7))}
#: people without flaws, illness, refusals or circulation: what queueing theory reckons with
PLAIN = Behaviour(
    flaw=0.0, refuse=0.0, circulate=0.0, away_per_year=0.0, outages_per_year=0.0, withdraw=0.0, errand_days=0.0,
    travel_min=0.0,
)  # fmt: skip


def catalogue_of(*steps: Step) -> Catalogue:
    """A catalogue of one item with these steps."""
    c = generated()
    item = Item("one", "one", "MR", "licence", "person", steps, (), 5, 5, 0.0, False, "nobody")
    return Catalogue(c.departments, c.materials, (item,), ())


def round_the_clock() -> People:
    """An office that never closes, without officers."""
    return empty(0, hours=ALWAYS)


def poisson(rate_s: float, count: int):
    """Needs of one item that come as a Poisson process."""

    def of(_wants, dice) -> list[Matter]:
        gaps = dice.stream("test.gaps").exponential(1.0 / rate_s, np.arange(count))
        return [Matter(k, int(t), 0, -1, (0,), ()) for k, t in enumerate(np.cumsum(gaps).tolist())]

    return of


def simulate(catalogue: Catalogue, people: People, rate_s: float, count: int, seed: int = 1, **changes) -> Ran:
    """Run it with exponential service."""
    from dataclasses import replace

    behaviour = replace(PLAIN, durations="exponential", **changes)
    m = Months(levers=BEFORE, behaviour=behaviour, catalogue=catalogue, days=100_000, learn=False)
    return run(m, seed, people=people, matters=poisson(rate_s, count))
