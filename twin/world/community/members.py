"""Who has an account on the platform, and what he is like (F32): columns, one row per account.

In a run with people the registered are residents, the readier the younger; without people (months, tests) their homes
and places of work are drawn over the blocks. All draws are named by the resident: one account more changes no other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy import stats

from geo.city import City
from twin.dice import Dice
from twin.world.people.model import PeopleModel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LIARS = 0.02  # share of accounts that sometimes report what is not there (assumed)
UNEVEN = 0.3  # shape of the gamma of how active people are: most hardly, a few much (as with buyers; Ehrenberg 1959)
CARE = 0.35  # mean share of what somebody notices that he would report (assumed; beta 1.2, 2.2)


@dataclass(frozen=True)
class Members:
    """Equal-length columns: ``account`` (resident number), ``home``/``work``: blocks (-1: none), ``care`` 0..1.

    ``activity``: mean 1, how much more than others he uses the platform; ``liar``: whether he sends false reports.
    """

    account: Ints
    home: Ints
    work: Ints
    care: Floats
    activity: Floats
    liar: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return how many are registered."""
        return self.account.size


@dataclass(frozen=True)
class Homes:
    """Where everybody lives who could complain: residents sorted by block; block b has rows first[b]:first[b + 1]."""

    resident: Ints
    first: Ints

    @classmethod
    def of(cls, home: Ints, blocks: int) -> Homes:
        """Sort residents by their home block; those who live outside are left out."""
        order = np.argsort(home, kind="stable")
        order = order[(home[order] >= 0) & (home[order] < blocks)]
        return cls(order.astype(np.int64), np.searchsorted(home[order], np.arange(blocks + 1)).astype(np.int64))

    def near(self, blocks: Ints) -> Ints:
        """Return the residents of these blocks."""
        parts = [self.resident[self.first[b] : self.first[b + 1]] for b in blocks.tolist()]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def block_points(city: City) -> tuple[Floats, Floats]:
    """Return the middles of blocks, local metres."""
    points = shapely.centroid(city.blocks.geometry.to_numpy())
    return shapely.get_x(points), shapely.get_y(points)


def homes_of(city: City, people: PeopleModel | None) -> Ints:
    """Return the home block of every resident; without a model of people as many as the blocks say."""
    if people is not None:
        return people.residents.home.astype(np.int64)
    residents = city.blocks["residents"].to_numpy(np.int64)
    return np.repeat(np.arange(len(residents)), residents).astype(np.int64)


def register(city: City, dice: Dice, people: PeopleModel | None, homes: Ints, registered: int) -> Members:
    """Return the registered; at most as many as there are residents of 14 and older."""
    n = len(homes)
    rows = np.arange(n)
    if people is not None:
        age = people.residents.age[:n]
        readiness = np.where(age < 14, 0.0, np.where(age < 60, 1.0, 0.4))
        work = people.residents.work[:n].astype(np.int64)
    else:
        readiness = np.ones(n)
        jobs = city.blocks["jobs"].to_numpy(np.float64)
        work = np.full(n, -1)
        if n and jobs.sum() > 0:
            has_work = dice.stream("community.works").uniform(rows) < 0.5
            work = np.where(has_work, dice.stream("community.work").choice(jobs, rows), -1)
    joins = dice.stream("community.joins").exponential(1.0, rows) if n else np.empty(0)
    first = np.where(readiness > 0, joins / np.maximum(readiness, 1e-9), np.inf)
    order = np.argsort(first, kind="stable")[:registered]
    account = np.sort(order[np.isfinite(first[order])]).astype(np.int64)
    care = stats.beta.ppf(dice.stream("community.care").uniform(account), 1.2, 1.2 / CARE - 1.2)
    active = stats.gamma.ppf(dice.stream("community.activity").uniform(account), UNEVEN, scale=1 / UNEVEN)
    liar = dice.stream("community.liar").uniform(account) < LIARS
    return Members(account, homes[account], work[account], care, active, liar)
