"""Handing parcels over in truth: is anybody there, how long does it take, is the locker full.

A recipient is there if the people model has somebody of the household at home (without people: by a draw), and
then opens with ``OPENS`` and comes down to the vehicle. Shops take parcels in their opening hours. All persons
of one stop are told at once and come in parallel; each hand-over then takes its own time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.world.people.model import PeopleModel

Ints = npt.NDArray[np.int64]

AT_HOME = 0.7  # without people in the run: share of recipients at home (assumed)
OPENS = 0.94  # of those at home notice the call and come (assumed)
SHOP_HOURS_S = (8 * 3600, 22 * 3600)  # assumed
COLLECTED_MEAN_S = 5 * 3600.0  # until a parcel is taken out of a locker (assumed)
DAY_S = 86_400


@dataclass(frozen=True)
class Service:
    """How long things take with one kind of carrier, s (all assumed; van and trike: parcel to the door)."""

    load_s: int
    load_each_s: float
    come_mean_s: float  # until the recipient is at the vehicle, or the courier at the door and back
    each_s: int
    locker_each_s: int


#: robots wait at the kerb, people come down; couriers walk up to the door themselves
SERVICES = {
    "robot": Service(load_s=90, load_each_s=8.0, come_mean_s=100.0, each_s=30, locker_each_s=25),
    "courier": Service(load_s=60, load_each_s=6.0, come_mean_s=110.0, each_s=15, locker_each_s=20),
}


@dataclass(frozen=True)
class Outcome:
    """How a hand-over went: for each order whether it succeeded, why not, and seconds in all."""

    done: npt.NDArray[np.bool_]
    reason: tuple[str, ...]
    duration_s: int


class Recipients:
    """Who is there to take a parcel."""

    def __init__(self, dice: Dice, people: PeopleModel | None) -> None:
        self._people = people
        self._there, self._opens, self._come = (
            dice.stream(f"delivery.{what}") for what in ("at_home", "opens", "comes_down")
        )
        if people is not None:
            household = people.residents.household.astype(np.int64)
            self._order = np.argsort(household, kind="stable")
            self._household = household
            self._sorted = household[self._order]

    def hand_over(
        self, order: Ints, customer: Ints, attempt: Ints, now_s: int, wait_s: int, service: Service
    ) -> Outcome:
        """Try to hand orders over to people, waiting at most ``wait_s``; columns of one length."""
        there = self._there_now(customer, order, now_s)
        opens = self._opens.uniform(order, attempt) < OPENS
        come_s = np.rint(self._come.exponential(service.come_mean_s, order, attempt)).astype(np.int64)
        done = there & opens & (come_s <= wait_s)
        reason = tuple(
            "" if ok else "nobody there" if not t else "did not open" if not o else "came too late"
            for ok, t, o in zip(done.tolist(), there.tolist(), opens.tolist(), strict=True)
        )
        waited = wait_s if not done.all() else int(come_s.max(initial=0))
        return Outcome(done, reason, waited + service.each_s * int(done.sum()))

    def _there_now(self, customer: Ints, order: Ints, now_s: int) -> npt.NDArray[np.bool_]:
        open_ = SHOP_HOURS_S[0] <= now_s % DAY_S < SHOP_HOURS_S[1]
        if self._people is None:
            return np.where(customer < 0, open_, self._there.uniform(order) < AT_HOME)
        where, home = self._people.whereabouts(), self._people.residents.home
        out = np.full(customer.size, open_)
        for i in np.flatnonzero(customer >= 0).tolist():
            household = self._household[customer[i]]
            lo, hi = np.searchsorted(self._sorted, [household, household + 1])
            members = self._order[lo:hi]
            out[i] = (where[members] == home[members]).any()
        return out


class Lockers:
    """Parcel lockers: how many slots are taken, and when parcels are collected."""

    def __init__(self, dice: Dice, place: tuple[str, ...], slots: Ints) -> None:
        self._free = dict(zip(place, slots.tolist(), strict=True))
        self._collect = dice.stream("delivery.collected")
        self._out: list[tuple[int, str]] = []

    def put(self, place: str, order: Ints, now_s: int, service: Service) -> Outcome:
        """Put orders into a locker as long as there is room."""
        self._empty(now_s)
        room = self._free.get(place, 0)
        done = np.arange(order.size) < room
        taken = int(done.sum())
        self._free[place] = room - taken
        stay_s = np.rint(self._collect.exponential(COLLECTED_MEAN_S, order)).astype(np.int64)
        self._out += [(now_s + int(s), place) for s in stay_s[done]]
        reason = tuple("" if ok else "locker full" for ok in done.tolist())
        return Outcome(done, reason, 30 + service.locker_each_s * taken)

    def _empty(self, now_s: int) -> None:
        stay = []
        for until_s, place in self._out:
            if until_s <= now_s:
                self._free[place] += 1
            else:
                stay.append((until_s, place))
        self._out = stay
