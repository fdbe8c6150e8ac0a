"""The people of a run: a Mesa model whose state lies in arrays, stepped from the twin's clock.

The simulation asks, minute by minute, who sets out (:meth:`PeopleModel.departures`), moves them, and tells who
arrived (:meth:`PeopleModel.arrived`). Companies and communities are Mesa agents; a resident becomes one when
asked for (:meth:`PeopleModel.resident`), because 235,000 objects would cost more than everything they do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import mesa
import numpy as np
import numpy.typing as npt
import pandas as pd
from mesa.agent import AgentSet

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
from twin.world.people.extras import Extras
from twin.world.people.habits import Habits
from twin.world.people.plans import Planner, Trips
from twin.world.people.population import ResidentArrays
from twin.world.people.ports import BUS, EBIKE, WALK, Arrivals, Departures
from twin.world.people.settings import LAST_DAY, PeopleSettings
from twin.world.people.transit import BusTrips, Transit
from twin.world.people.travel import Travel

_DAY_S = 86_400
_FOREVER = np.iinfo(np.int64).max


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
        self._extras = Extras(self.population, self.travel, self._planner, self._agenda, self._draws)
        names = city.communities["community"].to_numpy()
        self.block_community = pd.Index(names).get_indexer(city.blocks["community"].to_numpy())
        self.company_agents = Company.create_agents(self, len(self.companies), list(range(len(self.companies))))
        self.community_agents = Community.create_agents(self, len(names), list(names), list(range(len(names))))
        self._company_list: list[Company] = list(self.company_agents)
        self._residents: dict[int, Resident] = {}
        self._demand: list[tuple[float, int, int, str]] = []  # factor, from, until, cause

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
    def walk_m_s(self) -> Floats:
        """Walking speed of each person, m/s; rows of ``population.people``."""
        return self._planner.walk_m_s

    @property
    def ebike_m_s(self) -> Floats:
        """Riding speed of each person, m/s; rows of ``population.people``."""
        return self._planner.ebike_m_s

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

    def resident_agents(self, numbers: Iterable[int] | None = None) -> AgentSet:
        """Return residents (default: all of them) as a Mesa AgentSet, for ``select``, ``agg`` and the like."""
        wanted = range(self.population.residents) if numbers is None else numbers
        return AgentSet([self.resident(int(i)) for i in wanted], random=self.random)

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
        for change in self._demand:
            self._scale_today(*change)
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
        row = self.population.row(d.resident)
        seconds = np.where(d.mode == WALK, distance / self.walk_m_s[row], seconds)
        seconds = np.where(d.mode == EBIKE, distance / self.ebike_m_s[row], seconds)
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

        Nearer people come more readily; only those who would be at home meanwhile. Each gets a trip there and
        one back, today. ``cause`` names the event: two events draw different people. Call it some two hours
        ahead; people told later come late.
        """
        if self.day is None:
            raise ScenarioError(f"event '{cause}': it cannot draw anybody before the day is planned")
        return self._extras.attract(self.day, block, people, start_s, end_s, cause)

    def visit(self, resident: Ints, block: int, arrive_s: Ints, stay_s: int) -> npt.NDArray[np.bool_]:
        """Send residents on an errand to ``block`` today, for ``stay_s`` from ``arrive_s``, and home; return who goes.

        Only those who would be at home meanwhile and have had no other extra way today go; the trips are like all
        others. Nobody else's day changes. Call it an hour or so ahead.
        """
        if self.day is None:
            raise ScenarioError("visit: nobody can be sent before the day is planned")
        rows = np.asarray(resident, dtype=np.int64)
        if rows.size and not 0 <= rows.min() <= rows.max() < self.population.residents:
            raise IndexError(f"visit: residents are 0..{self.population.residents - 1}")
        return np.asarray(self._extras.visit(self.day, rows, block, arrive_s, stay_s), dtype=bool)

    def scale(self, factor: float, from_s: int, until_s: int | None, cause: str) -> int:
        """Let ``factor`` times as many tours of residents begin in [from_s, until_s), on later days too.

        ``until_s`` None: to the end of the run. Returns how many of today's trips were added, or lost
        (negative). Below 1 tours are dropped by a draw per person; above 1 people who are at home and free go
        out once more that day.
        """
        if self.day is None:
            raise ScenarioError(f"demand '{cause}': it cannot change before the day is planned")
        if factor < 0:
            raise ScenarioError(f"demand '{cause}': factor {factor} is negative; it must be 0 or more")
        change = (factor, from_s, _FOREVER if until_s is None else until_s, cause)
        self._demand.append(change)
        return self._scale_today(*change)

    def _scale_today(self, factor: float, from_s: int, until_s: int, cause: str) -> int:
        assert self.day is not None
        begin_s = self.day.number * _DAY_S
        from_s, until_s = max(from_s, begin_s), min(until_s, begin_s + _DAY_S)
        if from_s >= until_s:
            return 0
        return self._extras.scale(self.day, factor, from_s, until_s, cause)


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
