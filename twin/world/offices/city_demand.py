"""Who of the city wants something today: residents by age, companies, and people in other regions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.control.services.calendars import DAY_S
from twin.dice import Dice
from twin.scenario.services import Services
from twin.world.offices.demand import HOURS_OF_NEED, Wants
from twin.world.offices.matters import Matter
from twin.world.people.model import PeopleModel

Ints = npt.NDArray[np.int64]
#: numbers of matters: applicant × 1,000 + day + 1; companies and people from elsewhere have ranges of their own
DAYS = 1_000
COMPANY, FAR = 10**9, 2 * 10**9
_WEEKEND = 0.3  # of the matters of a working day (assumed: most offices are shut, phones are not)
_FIRST = -1  # the day on which those began who are on their way already when a run starts


class CityDemand:
    """Draws the matters of a day. ``rate``: by age: nobody below 18, most between 20 and 60 (assumed)."""

    def __init__(self, people: PeopleModel, part: Services, wants: Wants, dice: Dice, errand_days: float) -> None:
        self._people, self._part, self._wants, self._errand_days = people, part, wants, errand_days
        self._resident, self._hour = dice.stream("services.resident"), dice.stream("services.hour")
        self._minute, self._ease = dice.stream("services.minute"), dice.stream("services.ease")
        self._company, self._abroad = dice.stream("services.company"), dice.stream("services.abroad")
        residents = people.residents
        age = residents.age.astype(np.int64)
        factor = np.select([age < 18, age < 60], [0.0, 1.35], 1.1)
        self._rate = part.per_1000_residents / 1000.0 * factor / max(float(factor.mean()), 1e-9)
        # at ease with a phone: nearly all of the young, few of the old (assumed)
        self._digital = np.select([age < 40, age < 60, age < 70], [0.92, 0.7, 0.35], 0.12)
        self._home = residents.home.astype(np.int64)

    def day(self, day: int, weekend: bool, from_s: int) -> list[Matter]:
        """Return the matters of a day that begin at ``from_s`` or later; day -1: who is on the way as the run begins.

        The time until somebody can come is exponential, so whoever had not come yet when the run began has the same
        time still to go: as many as ``errand_days`` days of those who come in person.
        """
        first = day == _FIRST
        share = self._errand_days if first else (_WEEKEND if weekend else 1.0)
        residents = np.flatnonzero(self._resident.uniform(np.arange(self._rate.size), day + 1) < self._rate * share)
        companies = self._few(
            self._company, len(self._people.companies), self._part.per_1000_companies / 1000.0, day, share
        )
        expected = float(self._rate.sum()) + len(self._people.companies) * self._part.per_1000_companies / 1000.0
        abroad = self._few(self._abroad, max(round(expected * 10), 1), self._part.far / 10.0, day, share)
        number = np.concatenate([residents, COMPANY + companies, FAR + abroad]) * DAYS + day + 1
        target = np.concatenate([np.zeros(residents.size), np.ones(companies.size), np.zeros(abroad.size)])
        if number.size == 0:
            return []
        begins = max(day, 0) * DAY_S + (self._hour.choice(HOURS_OF_NEED, number) + 8) * 3600
        begins = begins + self._minute.integers(0, 3600, number)
        if first:
            begins = np.full(number.size, from_s)
        far = np.concatenate([np.zeros(residents.size + companies.size), np.ones(abroad.size)]).astype(bool)
        matters = self._wants.matters(number, begins.astype(np.int64), target.astype(np.int64), far)
        self._place(matters, residents, companies, number, first)
        return [m for m in matters if m.begins_s >= from_s]

    def _few(self, stream: Any, n: int, rate: float, day: int, share: float) -> Ints:
        return np.flatnonzero(stream.uniform(np.arange(n), day + 1) < rate * share) if n else np.empty(0, np.int64)

    def _place(self, matters: list[Matter], residents: Ints, companies: Ints, number: Ints, first: bool) -> None:
        """Note where applicants set out, and who is at ease with a phone."""
        ease = self._ease.uniform(number)
        digital = np.ones(number.size)
        digital[: residents.size] = self._digital[residents]
        homes = np.full(number.size, -1, dtype=np.int64)
        homes[: residents.size] = self._home[residents]
        homes[residents.size : residents.size + companies.size] = self._people.companies.block[companies]
        who = np.full(number.size, -1, dtype=np.int64)
        who[: residents.size] = residents
        for m, u, d, home, resident in zip(
            matters, ease.tolist(), digital.tolist(), homes.tolist(), who.tolist(), strict=True
        ):
            m.digital, m.home, m.resident, m.on_foot = u < d, home, resident, first
