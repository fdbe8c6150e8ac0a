"""The people of a run: a Mesa model whose state lies in arrays, stepped from the twin's clock.

The simulation asks, minute by minute, who sets out (:meth:`PeopleModel.departures`), moves them, and tells who
arrived (:meth:`PeopleModel.arrived`). Companies and communities are Mesa agents; a resident becomes one when
asked for (:meth:`PeopleModel.resident`), because 235,000 objects would cost more than everything they do.
"""

from __future__ import annotations

from dataclasses import dataclass

import mesa
import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.city import City
from twin.dice import Dice
from twin.errors import ScenarioError
from twin.events import DayPlanned, HabitChanged
from twin.log import Log
from twin.world.people import companies, population
from twin.world.people.activities import Day
from twin.world.people.agenda import Agenda
from twin.world.people.agents import Community, Company, Resident
from twin.world.people.draws import Draws, Floats, Ints
from twin.world.people.habits import Habits
from twin.world.people.plans import Planner, Trips
from twin.world.people.population import ResidentArrays
from twin.world.people.ports import BUS, CAR, Arrivals, Departures
from twin.world.people.settings import LAST_DAY, PeopleSettings
from twin.world.people.transit import BusTrips, Transit
from twin.world.people.travel import Travel

_DAY_S = 86_400


@dataclass(frozen=True)
class Estimate:
    """What trips mean for their travellers: metres along streets, seconds reckoned with under way.

    ``expected_s`` of cars is driving time alone (no parking); of buses it is from door to door.
    """

    distance_m: Floats
    expected_s: Floats


class PeopleModel(mesa.Model):  # type: ignore[misc]
    """Residents, visitors and companies of a city. Raises ScenarioError for settings that make no sense."""

    def __init__(self, city: City, dice: Dice, log: Log | None, settings: PeopleSettings) -> None:
        settings.check()
        # Mesa wants a seed for its generator, from which nothing here ever draws
        super().__init__(rng=dice.seed)
        self.settings = settings
        self._log = log
        self._draws = Draws(dice)
        self.travel = Travel.of(city, settings)
        self.transit = Transit.of(city, self.travel, settings)
        self.companies = companies.build(city, self._draws, settings.companies)
        self.population = population.build(city, self.travel, self.companies, self._draws, settings)
        self._planner = Planner(city, self.population, self.travel, self.transit, self._draws, settings)
        people = self.population.people
        self.habits = Habits.of(len(people))
        self.day: Day | None = None
        self._agenda = Agenda(people.home.astype(np.int64), settings.short_stay_s)
        self._lateness = _Lateness.of(len(people))
        self._events = 0
        names = city.communities["community"].to_numpy()
        self.block_community = pd.Index(names).get_indexer(city.blocks["community"].to_numpy())
        self.company_agents = Company.create_agents(self, len(self.companies), list(range(len(self.companies))))
        self.community_agents = Community.create_agents(self, len(names), list(names), list(range(len(names))))
        self._company_list: list[Company] = list(self.company_agents)
        self._residents: dict[int, Resident] = {}

    # -- who there is --------------------------------------------------------------------------------

    @property
    def residents(self) -> ResidentArrays:
        """Columns of the residents; row = resident number."""
        return self.population.people.rows(slice(0, self.population.residents))

    @property
    def visitors(self) -> ResidentArrays:
        """Columns of the people from outside who work here; visitor v has the id ``VISITOR_BASE + v``."""
        return self.population.people.rows(slice(self.population.first_visitor, None))

    @property
    def trips(self) -> Trips:
        """The present plan: trips of today, and those left over from before."""
        return self._agenda.trips

    def resident(self, number: int) -> Resident:
        """Return resident ``number`` as a Mesa agent, a thin view on the arrays (the same object each time)."""
        if not 0 <= number < self.population.residents:
            raise IndexError(f"resident {number} does not exist; there are 0..{self.population.residents - 1}")
        agent = self._residents.get(number)
        if agent is None:
            agent = self._residents[number] = Resident(self, number)
        return agent

    def company(self, number: int) -> Company:
        """Return company ``number`` as a Mesa agent."""
        return self._company_list[number]

    def whereabouts(self) -> Ints:
        """Location code of each resident (a row of ``city.blocks``, <= -2 outside); -1 when travelling."""
        return self._agenda.whereabouts()[: self.population.residents]

    def step(self) -> None:
        """Refuse: the twin's clock steps people, through :meth:`departures` and :meth:`arrived`."""
        raise RuntimeError("people are stepped by the twin's clock: call departures() and arrived(), not step()")

    # -- the day -------------------------------------------------------------------------------------

    def plan_day(self, day: int, weekend: bool, rain_mm_h: float = 0.0) -> None:
        """Let everybody decide on day ``day`` (0 = first of the run); trips not yet begun are kept. Logs DayPlanned.

        Raises ScenarioError beyond the last day whose trips fit into a vehicle number.
        """
        if not 0 <= day <= LAST_DAY:
            raise ScenarioError(f"days: day {day} cannot be planned; a run has at most {LAST_DAY + 1} days")
        first = self.day is None
        self.day = Day(day, weekend, rain_mm_h)
        if first:
            self._agenda.where[:] = self._planner.start(self.day)
        new = self._planner.plan(self.day, self.habits)
        self._agenda.take(new, day * _DAY_S)
        if self._log is not None:
            people = int(np.count_nonzero(np.bincount(new.row, minlength=1)))
            self._log.add(DayPlanned, day * _DAY_S, day=day, weekend=weekend, people=people, trips=len(new))

    def skip_to(self, start_s: int) -> None:
        """Begin at ``start_s``: trips planned before are taken as done, people are where those led them."""
        self._agenda.skip_to(start_s)

    def departures(self, from_s: int, until_s: int) -> Departures:
        """Return who sets out in [from_s, until_s), ordered by second, then id; they travel from then on.

        ``from_s`` must not lie before the ``until_s`` of the call before. ``origin`` is where the person is.
        """
        trip, go_s = self._agenda.set_out(from_s, until_s)
        t = self._agenda.trips
        ids = self.population.ids(t.row[trip])
        order = np.lexsort((ids, go_s))
        trip = trip[order]
        return Departures(
            resident=ids[order],
            trip=t.trip[trip].astype(np.int64),
            mode=t.mode[trip].astype(np.int64),
            purpose=t.purpose[trip].astype(np.int64),
            origin=self._agenda.where[t.row[trip]],
            destination=t.destination[trip].astype(np.int64),
            depart_s=go_s[order],
            planned_s=t.planned_s[trip].astype(np.int64),
            due_s=t.due_s[trip].astype(np.int64),
        )

    def arrived(self, arrivals: Arrivals) -> None:
        """Take in that trips ended. ``reached`` False: the person is back where the trip began.

        ValueError if somebody is not on that trip.
        """
        if len(arrivals.resident) == 0:
            return
        landed = self._agenda.land(
            self.population.row(arrivals.resident),
            np.asarray(arrivals.trip, dtype=np.int64),
            np.asarray(arrivals.arrived_s, dtype=np.int64),
            np.asarray(arrivals.reached, dtype=bool),
        )
        # a trip that failed although somebody was waiting counts as a bad lateness
        late = np.where(landed.reached, landed.late_s, self.settings.refused_as_late_s)
        due = landed.due_s >= 0
        self._lateness.note(landed.person[due], late[due], landed.mode[due], self.settings.late_tolerated_s)

    def estimate(self, departures: Departures) -> Estimate:
        """Return distance and expected travel time of trips that set out."""
        d = departures
        distance = self.travel.distance_m(d.origin, d.destination)
        seconds = self.travel.expected_s(d.origin, d.destination, d.mode, d.depart_s)
        rows = np.flatnonzero(d.mode == BUS)
        if rows.size:
            best = self.transit.best(d.origin[rows], d.destination[rows])
            seconds[rows] = np.where(best.line >= 0, best.total_s, seconds[rows] + 600.0)
        return Estimate(distance, seconds)

    def bus_trips(self, departures: Departures) -> BusTrips:
        """Return the direct line (``city.bus_lines`` row, stops, walks) of each trip; ``line`` -1 where none."""
        return self.transit.best(departures.origin, departures.destination)

    def end_day(self, day: int) -> None:
        """Let people react to the day: leave earlier after a lateness, or take another mode. Logs HabitChanged."""
        late, on_time = self._lateness.close()
        rows = np.flatnonzero(late.late_s > 0)
        seconds, mode = late.late_s[rows], late.mode[rows].astype(np.int64)
        earlier, enough = self.habits.learn(rows, seconds, on_time, self.settings)
        other = mode.copy()
        if enough.any():
            k = np.flatnonzero(enough)
            other[k] = self._planner.instead_of(rows[k], mode[k])
            changed = other != mode
            self.habits.mode[rows[changed]] = other[changed]
            # a new mode starts with the margin of before
            self.habits.shift_s[rows[changed]] = 0.0
            self.habits.late_days[rows[changed]] = 0
        told = earlier | (other != mode)
        if self._log is not None and told.any():
            self._log.add(
                HabitChanged,
                (day + 1) * _DAY_S - 1,
                resident=self.population.ids(rows[told]),
                mode=other[told],
                shift_s=np.rint(self.habits.shift_s[rows[told]]).astype(np.int64),
                late_s=seconds[told].astype(np.int64),
            )

    def attract(self, block: int, people: int, start_s: int, end_s: int, cause: str) -> int:
        """Draw ``people`` residents to ``block`` for an event from ``start_s`` to ``end_s``; return how many come.

        Nearer people come more readily; only those who are at home from half an hour before they would leave
        until half an hour after they would be back. Each gets a trip there and one back, today. ``cause`` names
        the event, so that two events draw different people.
        """
        if self.day is None:
            raise ScenarioError(f"event '{cause}': it cannot draw anybody before the day is planned")
        p = self.population.people
        n = self.population.residents
        home = p.home[:n].astype(np.int64)
        place = np.full(n, block, dtype=np.int64)
        key = p.key[:n]
        u, v = self._draws.pair(f"event.{cause}", key, self._events)
        self._events += 1
        way = self.travel.distance_m(home, place)
        on_foot = np.minimum(way, self.settings.taste.walk_most_m) / self.settings.walk_m_s
        slack = np.maximum(self.travel.car_s(home, place) * 2.0, on_foot) + 1800.0
        # people come within twenty minutes before and leave within twenty minutes after
        arrive = start_s - np.rint(u * 1200.0).astype(np.int64)
        leave = end_s + np.rint(v * 1200.0).astype(np.int64)
        able = self._agenda_free(arrive - slack, leave + slack) & (home != block) & (p.age[:n] >= 6)
        able &= ~self._invited_today()
        # the draw of a weighted sample without replacement: the smallest exponential clocks (Efraimidis, Spirakis)
        clock = -np.log1p(-self._draws.uniform(f"event.who.{cause}.{self._events}", key)) * np.exp(way / 4_000.0)
        able_rows = np.flatnonzero(able)
        order = able_rows[np.lexsort((able_rows, clock[able_rows]))]
        rows = np.sort(order[: max(people, 0)])
        if rows.size == 0:
            return 0
        driving = np.bincount(
            np.maximum(p.household[np.unique(self.trips.row[self.trips.mode == CAR])], 0),
            minlength=self.population.households,
        )
        new = self._planner.visit(rows, block, arrive[rows], leave[rows], self.day, driving)
        new = new.take(new.planned_s >= self._agenda.now_s)
        self._agenda.take(new, self._agenda.now_s)
        return len(np.unique(new.row))

    def _agenda_free(self, from_s: Floats, until_s: Floats) -> npt.NDArray[np.bool_]:
        """Which residents are, by their plan, at home from ``from_s`` to ``until_s`` (columns over residents)."""
        n = self.population.residents
        t = self._agenda.trips
        free = ~self._agenda.travelling[:n]
        inside = t.row < n
        rows = t.row[inside].astype(np.int64)
        go, end = t.planned_s[inside], t.planned_s[inside] + t.expected_s[inside]
        crosses = (end > from_s[rows]) & (go < until_s[rows])
        free[rows[crosses]] = False
        # where the last trip before the window led; without one, where the person was at midnight
        before = end <= from_s[rows]
        at = self._agenda.where[:n].copy()
        last_rows, last = np.unique(rows[before][::-1], return_index=True)
        at[last_rows] = t.destination[inside][before][::-1][last]
        first = np.ones(n, dtype=bool)
        first[last_rows] = False
        begins = np.flatnonzero(~before)
        some, lead = np.unique(rows[begins], return_index=True)
        start = np.full(n, -1, dtype=np.int64)
        start[some] = t.origin[inside][begins[lead]]
        at = np.where(first & (start != -1), start, at)
        return free & (at == self.population.people.home[:n])

    def _invited_today(self) -> npt.NDArray[np.bool_]:
        """Which residents an event has drawn today already."""
        t = self._agenda.trips
        out = np.zeros(len(self.population.people), dtype=bool)
        out[t.row[t.trip % 16 >= 14]] = True
        return out[: self.population.residents]


@dataclass
class _Late:
    late_s: npt.NDArray[np.int32]
    mode: npt.NDArray[np.int8]


@dataclass
class _Lateness:
    """The worst lateness of everybody today, and who was in time."""

    late_s: npt.NDArray[np.int32]
    mode: npt.NDArray[np.int8]
    in_time: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, people: int) -> _Lateness:
        return cls(np.zeros(people, np.int32), np.full(people, -1, np.int8), np.zeros(people, dtype=bool))

    def note(self, person: Ints, late_s: Ints, mode: Ints, tolerated_s: int) -> None:
        """Take in arrivals that had a due time."""
        worse = (late_s > tolerated_s) & (late_s > self.late_s[person])
        self.late_s[person[worse]] = late_s[worse]
        self.mode[person[worse]] = mode[worse]
        self.in_time[person[late_s <= tolerated_s]] = True

    def close(self) -> tuple[_Late, Ints]:
        """Return the day and begin a new one."""
        day = _Late(self.late_s, self.mode)
        on_time = np.flatnonzero(self.in_time & (self.late_s == 0))
        fresh = _Lateness.of(len(self.late_s))
        self.late_s, self.mode, self.in_time = fresh.late_s, fresh.mode, fresh.in_time
        return day, on_time
