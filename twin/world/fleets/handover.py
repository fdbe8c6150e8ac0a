"""Handing parcels over in truth: is anybody there, and how long does it take.

A recipient is there if the people model has somebody of the household at home (without people: by a draw of the
customer and the hour), and then opens with ``OPENS``. Shops take parcels in their opening hours. Robots wait at the
kerb: all customers of one stop are told at once and come down in parallel, then each hand-over takes its own time.
Couriers walk up to one door after the other. Whoever has ordered twice comes once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.world.people.model import PeopleModel

Ints = npt.NDArray[np.int64]

AT_HOME = 0.7  # without people in the run: share of recipients at home in an hour (assumed)
OPENS = 0.94  # of those at home notice the call and come (assumed)
SHOP_HOURS_S = (8 * 3600, 22 * 3600)  # assumed
DAY_S, HOUR_S = 86_400, 3600


@dataclass(frozen=True)
class Service:
    """How long things take with one kind of carrier, s (all assumed).

    ``come_mean_s`` (exponential): until the recipient is at the vehicle, or the courier at the door and back;
    ``wait_s``: waits so long at most; ``walks``: brings each parcel to the door. ``locker_s`` a visit of a locker.
    """

    load_s: int
    load_each_s: float
    come_mean_s: float
    each_s: int
    locker_each_s: int
    wait_s: int
    walks: bool
    locker_s: int = 30

    @property
    def stop_s(self) -> int:
        """Seconds to plan for a stop, whoever comes: the mean of the last of about two who come down is 1.5 means."""
        return 0 if self.walks else round(1.5 * self.come_mean_s)

    @property
    def order_s(self) -> int:
        """Seconds to plan for each order more."""
        return self.each_s + (round(self.come_mean_s) if self.walks else 0)


#: robots wait at the kerb, people come down; couriers walk up to the door themselves, ring, call, and leave
SERVICES = {
    "robot": Service(90, 8.0, come_mean_s=100.0, each_s=30, locker_each_s=25, wait_s=300, walks=False),
    "courier": Service(60, 6.0, come_mean_s=110.0, each_s=15, locker_each_s=20, wait_s=60, walks=True),
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
            self._household = people.residents.household.astype(np.int64)
            self._order = np.argsort(self._household, kind="stable")
            self._sorted = self._household[self._order]

    def hand_over(
        self, order: Ints, customer: Ints, attempt: Ints, now_s: int, wait_s: int, service: Service
    ) -> Outcome:
        """Try to hand orders over to people, waiting at most ``wait_s``; columns of one length.

        A customer of several of the orders opens, and comes, as for the first of them.
        """
        _, first, whose = np.unique(customer, return_index=True, return_inverse=True)
        there = self._there_now(customer[first], now_s)
        opens = self._opens.uniform(order[first], attempt[first]) < OPENS
        come_s = np.rint(self._come.exponential(service.come_mean_s, order[first], attempt[first])).astype(np.int64)
        done = there & opens & (service.walks | (come_s <= wait_s))
        why = [
            "" if ok else "nobody there" if not t else "did not open" if not o else "came too late"
            for ok, t, o in zip(done.tolist(), there.tolist(), opens.tolist(), strict=True)
        ]
        if service.walks:
            waited = int(come_s.sum()) + wait_s * int((~done).sum())
        else:
            waited = int(come_s.max(initial=0)) if done.all() else wait_s
        each = done[whose]
        return Outcome(each, tuple(why[k] for k in whose.tolist()), waited + service.each_s * int(each.sum()))

    def _there_now(self, customer: Ints, now_s: int) -> npt.NDArray[np.bool_]:
        open_ = SHOP_HOURS_S[0] <= now_s % DAY_S < SHOP_HOURS_S[1]
        if self._people is None:
            return np.where(customer < 0, open_, self._there.uniform(customer, now_s // HOUR_S) < AT_HOME)
        where, home = self._people.whereabouts(), self._people.residents.home
        out = np.full(customer.size, open_)
        for i in np.flatnonzero(customer >= 0).tolist():
            household = self._household[customer[i]]
            lo, hi = np.searchsorted(self._sorted, [household, household + 1])
            members = self._order[lo:hi]
            out[i] = (where[members] == home[members]).any()
        return out
