"""What changes plans after they were made: an event draws people, demand rises or falls for a while.

All of it by named draws: who comes to an event depends on the person and the event, so a second event, or one
more resident, changes nobody else's mind. Only people who are at home and free take an extra way; each has room
for one a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.people.activities import LEISURE, SHOP, Activities, Day
from twin.world.people.agenda import Agenda
from twin.world.people.draws import Draws, Floats, Ints
from twin.world.people.plans import Planner
from twin.world.people.population import Population
from twin.world.people.ports import CAR, PURPOSES
from twin.world.people.travel import Travel

Bools = npt.NDArray[Any]

_EVENT, _ERRAND = PURPOSES.index("event"), PURPOSES.index("errand")
_DAY_S = 86_400
#: the willingness to come to an event falls to a third every 4 km (assumed)
_REACH_M = 4_000.0
_AROUND_S = 1_200  # people come within 20 minutes before and leave within 20 minutes after an event (assumed)
_YOUNGEST = 6


@dataclass(frozen=True)
class Extras:
    """Changes the agenda of the day it is given; keeps nothing."""

    population: Population
    travel: Travel
    planner: Planner
    agenda: Agenda
    draws: Draws

    # -- events --------------------------------------------------------------------------------------

    def attract(self, day: Day, place: int, people: int, start_s: int, end_s: int, cause: str) -> int:
        """Let ``people`` residents go to location ``place`` and home again; return how many there are."""
        p, n = self.population.people, self.population.residents
        key, home = p.key[:n], p.home[:n].astype(np.int64)
        to = np.full(n, place, dtype=np.int64)
        u, v = self.draws.pair(f"event.when.{cause}", key, day.number)
        arrive = start_s - np.rint(u * _AROUND_S).astype(np.int64)
        leave = end_s + np.rint(v * _AROUND_S).astype(np.int64)
        able = self._free(day, arrive, leave, home, to) & (home != place) & (p.age[:n] >= _YOUNGEST)
        # a weighted sample without replacement: the smallest exponential clocks (Efraimidis and Spirakis 2006)
        reach = np.exp(self.travel.distance_m(home, to) / _REACH_M)
        clock = -np.log1p(-self.draws.uniform(f"event.who.{cause}", key, day.number)) * reach
        rows = np.flatnonzero(able)
        rows = np.sort(rows[np.lexsort((rows, clock[rows]))][: max(people, 0)])
        self._go(day, rows, _EVENT, to[rows], arrive[rows], leave[rows])
        return len(rows)

    # -- errands -------------------------------------------------------------------------------------

    def visit(self, day: Day, rows: Ints, place: int, arrive_s: Ints, stay_s: int) -> Bools:
        """Let residents go to location ``place`` to be there at ``arrive_s`` for ``stay_s``, and home again.

        ``rows``/``arrive_s``: columns of one length. Returns who goes: residents who are at home and free meanwhile,
        have had no extra way today and are back before midnight; the first row of each, and one of a household at a
        time, for who rides along cannot go elsewhere.
        """
        rows, arrive_s = np.asarray(rows, dtype=np.int64), np.asarray(arrive_s, dtype=np.int64)
        p, n = self.population.people, self.population.residents
        home = p.home[:n].astype(np.int64)
        to, arrive = np.full(n, place, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        who, first = np.unique(rows, return_index=True)
        arrive[who] = arrive_s[first]
        base = day.number * _DAY_S
        able = self._free(day, arrive, arrive + stay_s, home, to) & (home != place)
        able &= (arrive >= max(base, self.agenda.now_s)) & (arrive + stay_s < base + _DAY_S)
        # by the order of the rows: the first of a person, then the first of a household
        turn = np.sort(first)
        turn = turn[able[rows[turn]]]
        turn = turn[np.sort(np.unique(p.household[rows[turn]], return_index=True)[1])]
        goes = np.zeros(len(rows), dtype=bool)
        goes[turn] = True
        r = np.sort(rows[turn])
        self._go(day, r, _ERRAND, to[r], arrive[r], arrive[r] + stay_s)
        return goes

    # -- demand --------------------------------------------------------------------------------------

    def scale(self, day: Day, factor: float, from_s: int, until_s: int, cause: str) -> int:
        """Let ``factor`` times as many tours of residents begin in [from_s, until_s); return trips added (or -lost).

        Below 1 everybody's tour is dropped or kept by a draw; above 1 people who are at home go out once more,
        for shopping or leisure, at the hours at which others leave. No more go than are free.
        """
        from_s = max(from_s, self.agenda.now_s)
        begins = self._tours_from_home(from_s, until_s)
        if factor < 1.0:
            return -self._drop(day, begins, factor, cause)
        return self._add(day, begins, factor - 1.0, cause)

    def _tours_from_home(self, from_s: int, until_s: int) -> Ints:
        """Rows of the trips with which residents leave home in the window, and which have not begun."""
        t, home = self.agenda.trips, self.population.people.home
        leaves = (t.origin == home[t.row]) & (t.planned_s >= from_s) & (t.planned_s < until_s)
        leaves &= (t.row < self.population.residents) & self.agenda.not_begun()
        return np.flatnonzero(leaves)

    def _drop(self, day: Day, begins: Ints, factor: float, cause: str) -> int:
        t, p = self.agenda.trips, self.population.people
        u = self.draws.uniform(f"demand.drop.{cause}", p.key[t.row[begins]], day.number)
        begins = begins[u >= factor]
        # a tour ends with the trip that comes home; a person's trips lie side by side
        homeward = t.destination == p.home[t.row]
        last = np.append(t.row[1:] != t.row[:-1], True)
        ends = np.flatnonzero(homeward | last)
        end = ends[np.searchsorted(ends, begins)]
        # who does not come home today (a night shift) does not drop the tour
        whole = homeward[end]
        edge = np.zeros(len(t) + 1, dtype=np.int64)
        np.add.at(edge, begins[whole], 1)
        np.add.at(edge, end[whole] + 1, -1)
        gone = np.cumsum(edge[:-1]) > 0
        self.agenda.cancel(gone)
        return int(gone.sum())

    def _add(self, day: Day, begins: Ints, share: float, cause: str) -> int:
        t, p, n = self.agenda.trips, self.population.people, self.population.residents
        wanted = round(share * len(begins))
        if wanted == 0:
            return 0
        key, home = p.key[:n], p.home[:n].astype(np.int64)
        u, v = self.draws.pair(f"demand.when.{cause}", key, day.number)
        model = begins[np.minimum((u * len(begins)).astype(np.int64), len(begins) - 1)]
        arrive = (t.planned_s[model] + 600).astype(np.int64)
        leave = arrive + (1_800.0 + v * 3_600.0).astype(np.int64)
        a, b = self.draws.pair(f"demand.where.{cause}", key, day.number)
        purpose = np.where((u * 7919.0) % 1.0 < 0.5, SHOP, LEISURE)
        to = self._activities.choose(purpose, np.arange(n), a, b)
        able = self._free(day, arrive, leave, home, to) & (to >= 0) & (to != home) & (p.age[:n] >= _YOUNGEST)
        rows = np.flatnonzero(able)
        w = self.draws.uniform(f"demand.who.{cause}", key[rows], day.number)
        rows = np.sort(rows[np.lexsort((rows, w))][:wanted])
        self._go(day, rows, purpose[rows], to[rows], arrive[rows], leave[rows])
        return 2 * len(rows)

    @property
    def _activities(self) -> Activities:
        return self.planner.activities

    # -- both ----------------------------------------------------------------------------------------

    def _go(self, day: Day, rows: Ints, purpose: Ints | int, place: Ints, arrive_s: Ints, leave_s: Ints) -> None:
        """Put a way there and back on the agenda."""
        if rows.size:
            new = self.planner.extra(rows, purpose, place, arrive_s, leave_s, day, self._driving(), self.agenda.now_s)
            self.agenda.take(new, self.agenda.now_s)
            self.agenda.extra_day[rows] = day.number

    def _free(self, day: Day, arrive_s: Ints, leave_s: Ints, home: Ints, place: Ints) -> Bools:
        """Which residents are at home and free for the whole outing, and have had no extra way today."""
        n, s = self.population.residents, self.travel.settings
        way = self.travel.distance_m(home, place)
        on_foot = np.minimum(way, s.taste.walk_most_m) / s.walk_m_s
        slack = np.maximum(self.travel.car_s(home, place) * 2.0, on_foot) + 1_800.0
        fresh: Bools = self.agenda.extra_day[:n] != day.number
        return self.agenda.at_between(home, arrive_s - slack, leave_s + slack) & fresh

    def _driving(self) -> Floats:
        """Per household: how many of its members drive today."""
        t, p = self.agenda.trips, self.population.people
        drivers = np.unique(t.row[t.mode == CAR])
        drivers = drivers[p.household[drivers] >= 0]
        return np.bincount(p.household[drivers], minlength=self.population.households)
