"""Day plans: tours get a mode and a time table and become one flat array of trips, ordered by person.

Who has to be somewhere leaves so early that the expected way, a personal margin and what was learnt from late
days fit in. A trip never begins before the one before it is over, by the person's own reckoning.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.world.people import choices
from twin.world.people.activities import ESCORT, SCHOOL, Activities, Day, Escorts
from twin.world.people.draws import Draws, Floats, Ints
from twin.world.people.habits import Habits
from twin.world.people.population import Population
from twin.world.people.ports import BUS, CAR, EBIKE, PASSENGER, PURPOSES, WALK
from twin.world.people.settings import TRIPS_A_DAY, PeopleSettings
from twin.world.people.tours import Tours
from twin.world.people.transit import Transit
from twin.world.people.travel import NOWHERE, Travel

_DAY_S = 86_400
_SECOND_STOP_M = 3_000.0
#: trips of a plan; the rest of the day's numbers are for events
PLANNED_TRIPS = TRIPS_A_DAY - 2
HOME = PURPOSES.index("home")
# of the columns of Trips
_TYPES: tuple[Any, ...] = (
    np.int32, np.int16, np.int8, np.int8, np.int32, np.int32, np.int32, np.int32, np.float32,
)  # fmt: skip


@dataclass(frozen=True)
class Trips:
    """Trips of one day, ordered by ``row`` (person), then time; equal-length columns.

    ``trip``: number in the person's run (day x 16 + k) · ``purpose``, ``mode``: codes · ``origin``,
    ``destination``: location codes · ``planned_s``, ``due_s`` (-1: none): seconds of the run · ``expected_s``: the
    travel time reckoned with, parking or waiting included.
    """

    row: npt.NDArray[np.int32]
    trip: npt.NDArray[np.int16]
    purpose: npt.NDArray[np.int8]
    mode: npt.NDArray[np.int8]
    origin: npt.NDArray[np.int32]
    destination: npt.NDArray[np.int32]
    planned_s: npt.NDArray[np.int32]
    due_s: npt.NDArray[np.int32]
    expected_s: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Trips:
        """Return some of the trips, in the given order."""
        return Trips(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def none() -> Trips:
        """Return a plan without trips."""
        return Trips(*(np.empty(0, dtype=t) for t in _TYPES))

    @staticmethod
    def join(parts: list[Trips]) -> Trips:
        """Return all trips, ordered by person, then by planned time, then by number."""
        whole = Trips(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Trips)))
        return whole.take(np.lexsort((whole.trip, whole.planned_s, whole.row)))


class Planner:
    """Makes everybody's plan of a day: ``plan(Day, Habits) -> Trips``; keeps nothing from day to day."""

    def __init__(
        self, city: City, population: Population, travel: Travel, transit: Transit, draws: Draws, s: PeopleSettings
    ) -> None:
        self._population, self._people = population, population.people
        self._travel, self._transit, self._draws, self._settings = travel, transit, draws, s
        self.activities = Activities(city, population, travel, draws, s)
        p = self._people
        # how fast each person walks and rides, and knows it
        self.walk_m_s = np.clip(s.walk_m_s + s.walk_dev_m_s * draws["walk_speed"].normal(p.key), 0.7, 1.8)
        self.ebike_m_s = np.clip(s.ebike_m_s + s.ebike_dev_m_s * draws["ebike_speed"].normal(p.key), 3.5, 6.9)
        # what a person usually decides, and the margin they keep
        self._usual = [draws.uniform("mode.usual", p.key, k) for k in (0, 1)]
        self._margin = s.buffer_mean_s * -np.log1p(-0.98 * draws.uniform("hours.margin", p.key))

    def plan(self, day: Day, habits: Habits) -> Trips:
        """Return the trips of ``day`` of all residents and visitors."""
        tours, escorts = self.activities.today(day)
        tours = tours.take(tours.place != self._people.home[tours.row])
        tours.mode = self.modes(tours, day, habits)
        return self._cut(tours, day, habits, escorts)

    def start(self, day: Day) -> Ints:
        """Return where everybody is at midnight before ``day``, the first of a run (location codes)."""
        p = self._people
        return np.where(self.activities.on_night_duty(day.number), p.work, p.home).astype(np.int64)

    # -- modes ---------------------------------------------------------------------------------------

    def modes(self, tours: Tours, day: Day, habits: Habits) -> Ints:
        """Decide on the mode of each tour."""
        p, r, s = self._people, tours.row, self._settings
        home = p.home[r].astype(np.int64)
        # a night worker comes home with what they left with, so a half tour asks neither day nor weather
        half = ~(tours.out & tours.back)
        may_car = (p.driver_rank[r] >= 0) & (~half | (p.driver_rank[r] == 0))
        carries = (tours.pre != NOWHERE) | ((tours.post != NOWHERE) & (tours.post_purpose == ESCORT))
        u = self._mode_draw(tours, day, half)
        longest = self._longest_leg(tours, home, carries)
        options = (home, tours.place, tours.arrive_s, p.has_ebike[r], may_car, ~carries & ~half)
        utility = choices.utilities(self._travel, self._transit, s, *options, day.rain_mm_h, longest)
        if half.any() and day.rain_mm_h > 0:
            dry: list[Any] = [v[half] for v in options]
            utility[half] = choices.utilities(self._travel, self._transit, s, *dry)
        mode = choices.choose(utility, u)
        learnt = habits.mode[r]
        told = (learnt >= 0) & tours.main & ~half
        mode = np.where(told & ((learnt != CAR) | may_car), learnt, mode)
        want = np.flatnonzero(mode == CAR)
        away = self._travel.car_s(home[want], tours.place[want]) * 1.3 + 300.0
        leave = np.maximum(tours.leave_s[want], tours.arrive_s[want])
        begin = np.where(tours.out[want], tours.arrive_s[want] - away, 0.0)
        end = np.where(tours.back[want], leave + away + tours.post_stay_s[want], 2.0 * _DAY_S)
        rows = r[want]
        granted = choices.share_cars(
            p.household[rows], p.cars[rows].astype(np.int64), p.driver_rank[rows].astype(np.int64),
            tours.main[want], begin, end,
        )  # fmt: skip
        denied = want[~granted]
        utility[denied, 4] = -50.0
        mode[denied] = choices.choose(utility[denied], u[denied])
        # the way back of one person's several trips to work is as the first: same number, same utilities
        return mode

    def _longest_leg(self, tours: Tours, home: Ints, carries: npt.NDArray[np.bool_]) -> Floats:
        """Longest leg in metres of tours that carry a child; 0 for the others."""
        out = np.zeros(len(tours))
        k = np.flatnonzero(carries)
        for stop in (tours.pre[k], np.where(tours.post_purpose[k] == ESCORT, tours.post[k], NOWHERE)):
            there = np.where(stop == NOWHERE, home[k], stop)
            legs = (self._travel.distance_m(home[k], there), self._travel.distance_m(there, tours.place[k]))
            out[k] = np.maximum(out[k], np.maximum(*legs))
        return out

    def _mode_draw(self, tours: Tours, day: Day, half: npt.NDArray[np.bool_]) -> Floats:
        """One number per tour: the person's usual one on most days, else the day's."""
        kind = np.where(tours.main, 0, 1)
        usual = np.where(kind == 0, self._usual[0][tours.row], self._usual[1][tours.row])
        h, own = self._draws.pair("mode.day", self._people.key[tours.row], day.number)
        own = (own + 0.381966 * kind) % 1.0
        return np.where(half | (h < self._settings.mode_habit), usual, own)

    # -- from tours to trips -------------------------------------------------------------------------

    def leg_s(self, row: Ints, origin: Ints, destination: Ints, mode: Ints, at_s: Ints) -> Floats:
        """Return what people ``row`` reckon with from door to door, in s: parking, walk and wait included."""
        s = self._settings
        out = self._travel.expected_s(origin, destination, mode, at_s)
        out = np.where(mode == WALK, out * s.walk_m_s / self.walk_m_s[row], out)
        out = np.where(mode == EBIKE, out * s.ebike_m_s / self.ebike_m_s[row], out)
        out = np.where((mode == CAR) | (mode == EBIKE) | (mode == PASSENGER), out + s.parking_s, out)
        rows = np.flatnonzero(mode == BUS)
        if rows.size:
            best = self._transit.best(origin[rows], destination[rows])
            out[rows] = np.where(best.line >= 0, best.total_s, out[rows] + 600.0)
        return out

    def _cut(self, tours: Tours, day: Day, habits: Habits, escorts: Escorts) -> Trips:
        p = self._people
        row, mode, place = tours.row, tours.mode, tours.place
        home = p.home[row].astype(np.int64)
        # a stop on the way home must suit the mode: no line stops there, or it is too far to walk
        fits = np.where(mode == WALK, self._travel.straight_m(place, tours.post) < _SECOND_STOP_M, mode != BUS)
        post = np.where((tours.post != NOWHERE) & (fits | (tours.post_purpose == ESCORT)), tours.post, NOWHERE)
        post = np.where((post == place) | (post == home), NOWHERE, post)
        pre = np.where((tours.pre == place) | (tours.pre == home), NOWHERE, tours.pre)
        has_pre, has_post = tours.out & (pre != NOWHERE), tours.back & (post != NOWHERE)
        before = np.where(has_pre, pre, home)
        after = np.where(has_post, post, place)
        zero = np.zeros(len(tours))
        t1, t2, t3, t4 = zero.copy(), zero.copy(), zero.copy(), zero.copy()
        k = np.flatnonzero(has_pre)
        t1[k] = self.leg_s(row[k], home[k], pre[k], mode[k], tours.pre_due_s[k])
        k = np.flatnonzero(tours.out)
        t2[k] = self.leg_s(row[k], before[k], place[k], mode[k], tours.arrive_s[k])
        k = np.flatnonzero(has_post)
        t3[k] = self.leg_s(row[k], place[k], post[k], mode[k], tours.leave_s[k])
        k = np.flatnonzero(tours.back)
        t4[k] = self.leg_s(row[k], after[k], home[k], mode[k], tours.leave_s[k])
        u = self._draws.uniform("day.margin", p.key[row], day.number)
        margin = np.where(tours.due_s >= 0, self._margin[row] + (u - 0.5) * 360.0 + habits.shift_s[row], 0.0)
        go2 = tours.arrive_s - t2 - np.maximum(margin, 0.0)
        go1 = np.minimum(go2 - 180.0 - t1, tours.pre_due_s - 300.0 - t1)
        go2 = np.where(has_pre, go1 + t1 + 180.0, go2)
        go3 = tours.leave_s.astype(np.float64)
        go4 = np.where(has_post, go3 + t3 + tours.post_stay_s, go3)
        purpose, due = tours.purpose, tours.due_s
        escort, at_home = np.full(len(tours), ESCORT), np.full(len(tours), HOME)
        back_mode = mode.copy()  # differs for children alone: brought in the morning, on foot in the evening
        open_end = np.full(len(tours), -1)
        legs = (
            (has_pre, home, pre, escort, go1, tours.pre_due_s, t1, mode),
            (tours.out, before, place, purpose, go2, due, t2, mode),
            (has_post, place, post, tours.post_purpose, go3, open_end, t3, back_mode),
            (tours.back, after, home, at_home, go4, open_end, t4, back_mode),
        )
        self._bring(tours, escorts, legs)
        index = np.arange(len(tours)) * 4
        take = [np.flatnonzero(leg[0]) for leg in legs]
        order = np.argsort(np.concatenate([index[t] + n for n, t in enumerate(take)]), kind="stable")

        def column(n: int) -> npt.NDArray[np.number]:
            return np.concatenate([leg[n][t] for leg, t in zip(legs, take, strict=True)])[order]

        rows = np.concatenate([row[t] for t in take])[order]
        number = _rank(rows)
        base = day.number * _DAY_S
        purposes, planned, due_s, expected = column(3), column(4), column(5), column(6)
        # a stop to leave a child, or before being due elsewhere, is brief; others last a while
        brief = due_s >= 0
        brief[1:] |= purposes[:-1] == ESCORT
        planned = _in_turn(number, planned, expected, np.where(brief, 60.0, self._settings.short_stay_s))
        trips = Trips(
            row=rows.astype(np.int32),
            trip=(day.number * TRIPS_A_DAY + number).astype(np.int16),
            purpose=purposes.astype(np.int8),
            mode=column(7).astype(np.int8),
            origin=column(1).astype(np.int32),
            destination=column(2).astype(np.int32),
            planned_s=(np.rint(np.maximum(planned, 0.0)) + base).astype(np.int32),
            due_s=np.where(due_s >= 0, due_s + base, -1).astype(np.int32),
            expected_s=expected.astype(np.float32),
        )
        first, last = self._population.residents, self._population.first_visitor
        exists = (trips.row < first) | (trips.row >= last)
        return trips.take(exists & (number < PLANNED_TRIPS))

    def _bring(self, tours: Tours, escorts: Escorts, legs: tuple[tuple[npt.NDArray[np.number], ...], ...]) -> None:
        """Children who are brought or fetched travel when, and as, the adult does (by car: as passengers)."""
        p = self._people
        child_tour = np.full(len(p), -1, dtype=np.int64)
        last_tour = np.full(len(p), -1, dtype=np.int64)
        school = np.flatnonzero(tours.purpose == SCHOOL)
        last_tour[tours.row[school]] = school
        child_tour[tours.row[school[::-1]]] = school[::-1]
        first_main = np.full(len(p), -1, dtype=np.int64)
        end_main = np.full(len(p), -1, dtype=np.int64)
        main = np.flatnonzero(tours.main & (tours.purpose != SCHOOL))
        first_main[tours.row[main[::-1]]] = main[::-1]
        end_main[tours.row[main]] = main
        walk_escort = np.flatnonzero(tours.purpose == ESCORT)
        # of the (at most two) escort tours of one carer, the first goes to school and the last fetches
        first_escort, last_escort = np.full(len(p), -1, np.int64), np.full(len(p), -1, np.int64)
        first_escort[tours.row[walk_escort[::-1]]] = walk_escort[::-1]
        last_escort[tours.row[walk_escort]] = walk_escort
        (go1, t1), (go2, t2), (go3, t3), (go4, t4) = ((leg[4], leg[6]) for leg in legs)
        child = escorts.child_of

        def lead(kid: Ints, adult: Ints, kid_leg: int, start: Floats, seconds: Floats) -> None:
            ok = (kid >= 0) & (adult >= 0)
            kid, adult, when, took = kid[ok], adult[ok], start[ok], seconds[ok]
            legs[kid_leg][4][kid], legs[kid_leg][6][kid] = when, took
            rides = np.isin(tours.mode[adult], (CAR, EBIKE))
            legs[kid_leg][7][kid] = np.where(rides, PASSENGER, tours.mode[adult])

        adult = first_main[escorts.out_row]
        lead(child_tour[child[escorts.out_household]], adult, 1, go1[adult], t1[adult])
        h, row, _ = escorts.carer_out
        adult = first_escort[row]
        lead(child_tour[child[h]], adult, 1, go2[adult], t2[adult])
        adult = end_main[escorts.back_row]
        arrive = go3[adult] + t3[adult] + 120.0
        lead(last_tour[child[escorts.back_household]], adult, 3, arrive, t4[adult])
        h, row, _ = escorts.carer_back
        adult = last_escort[row]
        lead(last_tour[child[h]], adult, 3, go4[adult], t4[adult])

    # -- beside the plan -----------------------------------------------------------------------------

    def extra(
        self,
        rows: Ints,
        purpose: Ints | int,
        place: Ints,
        arrive_s: Ints,
        leave_s: Ints,
        day: Day,
        driving: npt.NDArray[np.number],
        now_s: int,
    ) -> Trips:
        """Return trips home → ``place`` → home for people with an extra way today (seconds of the run).

        ``driving``: per household, how many of its members drive today. Who is told too late sets out at once.
        """
        p, base = self._people, day.number * _DAY_S
        tours = Tours.make(rows, purpose=purpose, place=place, arrive_s=arrive_s - base, leave_s=leave_s - base)
        home = p.home[rows].astype(np.int64)
        may_car = (p.driver_rank[rows] >= 0) & (driving[p.household[rows]] < p.cars[rows])
        utility = choices.utilities(
            self._travel, self._transit, self._settings, home, tours.place, tours.arrive_s, p.has_ebike[rows],
            may_car, np.ones(len(rows), dtype=bool), day.rain_mm_h,
        )  # fmt: skip
        mode = choices.choose(utility, self._draws.uniform("extra.mode", p.key[rows], day.number))
        # of several from one household the first in its order drives, the others ride along
        want = np.flatnonzero(mode == CAR)
        order = want[np.lexsort((p.driver_rank[rows[want]], p.household[rows[want]]))]
        h = p.household[rows[order]]
        mode[order[np.arange(len(order)) > np.searchsorted(h, h, side="left")]] = PASSENGER
        t_out = self.leg_s(rows, home, tours.place, mode, tours.arrive_s)
        t_back = self.leg_s(rows, tours.place, home, mode, tours.leave_s)
        go_s = np.maximum(arrive_s - t_out, now_s)
        back_s = np.maximum(leave_s, go_s + t_out + self._settings.short_stay_s)
        first = day.number * TRIPS_A_DAY + PLANNED_TRIPS

        def leg(k: int, origin: Ints, destination: Ints, why: Ints | int, start_s: Floats, took_s: Floats) -> Trips:
            return Trips(
                row=rows.astype(np.int32),
                trip=np.full(len(rows), first + k, np.int16),
                purpose=np.broadcast_to(np.asarray(why, dtype=np.int8), len(rows)),
                mode=mode.astype(np.int8),
                origin=origin.astype(np.int32),
                destination=destination.astype(np.int32),
                planned_s=np.rint(start_s).astype(np.int32),
                due_s=np.full(len(rows), -1, np.int32),
                expected_s=took_s.astype(np.float32),
            )

        there = leg(0, home, tours.place, purpose, go_s, t_out)
        return Trips.join([there, leg(1, tours.place, home, HOME, back_s, t_back)])

    def instead_of(self, rows: Ints, mode: Ints) -> Ints:
        """Return, for people late too often by ``mode`` on the way to work or school, what else suits them best.

        The same mode again where nothing else can be used.
        """
        p = self._people
        place = np.where(p.work[rows] != NOWHERE, p.work[rows], p.school[rows]).astype(np.int64)
        home = p.home[rows].astype(np.int64)
        may_car = (p.driver_rank[rows] >= 0) & (p.driver_rank[rows] < p.cars[rows])
        yes = np.ones(len(rows), dtype=bool)
        place = np.where(place == NOWHERE, home, place)
        at_s = np.full(len(rows), 8 * 3600)
        utility = choices.utilities(
            self._travel, self._transit, self._settings, home, place, at_s, p.has_ebike[rows], may_car, yes
        )
        utility[np.asarray(choices.COLUMNS)[None, :] == mode[:, None]] = -50.0
        best = utility.max(axis=1)
        return np.where(best > -50.0, choices.COLUMNS[utility.argmax(axis=1)], mode)


def _rank(rows: Ints) -> Ints:
    """Position of each trip among those of its person; ``rows`` is ordered."""
    return np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")


def _in_turn(number: Ints, planned: Floats, expected: Floats, stay: Floats) -> Floats:
    """Push trips back that would begin before the one before them is over."""
    out = planned.copy()
    at = np.flatnonzero(number == 1)
    while at.size:
        out[at] = np.maximum(out[at], out[at - 1] + expected[at - 1] + stay[at])
        at = at + 1
        at = at[at < len(number)]
        at = at[number[at] > 1]
    return out
