"""What people do today: work, school, errands, shopping, leisure, bringing children; one draw per decision.

A weekday hangs on due times (work, school); a weekend on wishes, later in the day and flatter. All frequencies,
hours and durations: assumed, after the usual hours in a northern Chinese county town (school 07:40–08:10, offices
08:30, factories 08:00 with overtime and some night shifts, a market in the morning, a walk in the evening).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geo.city import City
from twin.world.people.draws import Draws, Floats, Ints, pick, pick_rows
from twin.world.people.gravity import Destinations
from twin.world.people.population import AT_HOME, PUPIL, RETIRED, STUDENT, WORKER, Population
from twin.world.people.ports import PURPOSES
from twin.world.people.settings import PeopleSettings
from twin.world.people.tours import Tours, join
from twin.world.people.travel import NOWHERE, Travel, is_outside

Bools = npt.NDArray[Any]

WORK, SCHOOL, SHOP, LEISURE, ERRAND, ESCORT = (
    PURPOSES.index(p) for p in ("work", "school", "shop", "leisure", "errand", "escort")
)
_H = 3600

# working hours: (begin, end) in hours; 20–32 is the night shift
_HOURS = np.array(
    [(8, 17), (8.5, 17.5), (9, 18), (9.5, 18.5), (7.5, 16.5), (7, 16), (8, 20), (20, 32), (6, 15), (14, 22),
     (8.5, 18.5), (10, 20.5), (6.5, 17.5), (7.67, 17.5), (6.5, 18)]
)  # fmt: skip
_NIGHT = 7
# industry → share of each pattern of hours
_PATTERNS = np.array(
    [  # 8  8.5  9   9.5  7.5  7   8-20 night 6  14  8.5-18.5 10 6.5 7.7 farm
        [.36, .20, .08, .00, .12, .06, .11, .07, 0, 0, 0, 0, 0, 0, 0],  # new-energy vehicles
        [.32, .28, .12, .00, .12, .04, .08, .04, 0, 0, 0, 0, 0, 0, 0],  # aviation
        [.36, .20, .06, .00, .12, .06, .12, .08, 0, 0, 0, 0, 0, 0, 0],  # new materials
        [.28, .20, .08, .00, .06, .06, .10, .06, .10, .06, 0, 0, 0, 0, 0],  # logistics
        [.00, .00, .00, .00, .20, .20, .00, .00, .00, .00, 0, 0, .60, 0, 0],  # construction
        [.04, .16, .20, .10, .02, .02, .00, .00, .04, .12, .14, .16, 0, 0, 0],  # commerce
        [.14, .36, .30, .06, .02, .00, .02, .01, .01, .04, .04, .00, 0, 0, 0],  # services
        [.10, .00, .00, .00, .20, .00, .00, .00, .00, .00, 0, 0, 0, .70, 0],  # education
        [.55, .12, .00, .00, .12, .00, .04, .10, .00, .07, 0, 0, 0, 0, 0],  # health
        [.10, .72, .18, .00, .00, .00, .00, .00, .00, .00, 0, 0, 0, 0, 0],  # public
        [.00, .00, .00, .00, .00, .00, .00, .00, .00, .00, 0, 0, 0, 0, 1.],  # agriculture
    ]
)  # fmt: skip
# share at work: on a weekday, on a day of the weekend
_AT_WORK = np.array(
    [(.95, .30), (.95, .18), (.95, .32), (.93, .60), (.92, .80), (.84, .78), (.93, .35), (.96, .06), (.88, .50),
     (.95, .12), (.75, .68)]
)  # fmt: skip
_NIGHT_DUTY = 0.70
#: decay per minute of driving for shopping, leisure, errands
_DECAY = {SHOP: 1.4, LEISURE: 0.85, ERRAND: 0.55}
_MASS = {SHOP: 0.75, LEISURE: 0.75, ERRAND: 0.8}
_STAY = {SHOP: (15, 55), LEISURE: (40, 120), ERRAND: (20, 60)}  # minutes


@dataclass(frozen=True)
class Day:
    """Which day it is: its number in the run, whether it is weekend, and how hard it rains."""

    number: int
    weekend: bool
    rain_mm_h: float = 0.0

    @property
    def wet(self) -> float:
        """0 dry … 1 heavy rain (10 mm/h)."""
        return min(max(self.rain_mm_h, 0.0), 10.0) / 10.0


class Activities:
    """Knows each person's fixed hours and escorts; :meth:`today` gives everybody's tours of a day."""

    def __init__(
        self, city: City, population: Population, travel: Travel, draws: Draws, settings: PeopleSettings
    ) -> None:
        self._people = p = population.people
        self._population = population
        self._draws = draws
        self._settings = settings
        self._zone = travel.zone[travel.rows(p.home)]
        self._tables = _tables(city, travel)
        self._fix_hours()
        self._near_work = travel.straight_m(p.home, np.where(p.work == NOWHERE, p.home, p.work)) < 3_000.0
        self._near_school = travel.straight_m(p.home, np.where(p.school == NOWHERE, p.home, p.school))
        self._find_escorts()

    # -- fixed for good ------------------------------------------------------------------------------

    def _fix_hours(self) -> None:
        """Working and school hours of each person."""
        p, n = self._people, len(self._people)
        u, v = self._draws.pair("hours.pattern", p.key)
        self._pattern = pick_rows(u, np.maximum(p.industry, 0), _PATTERNS)
        # not everybody of a pattern begins on the dot: companies differ by some minutes
        slack = np.rint((v - 0.5) * 4.0) * 300.0
        begin, end = _HOURS[self._pattern].T * _H
        self._begin = (begin + np.where(self._pattern == _NIGHT, 0.0, slack)).astype(np.int64)
        self._end = (end + np.where(self._pattern == _NIGHT, 0.0, slack)).astype(np.int64)
        outside = is_outside(p.work) & (p.occupation == WORKER)
        self._begin = np.where(outside, self._begin - self._settings.beyond_gate_s, self._begin)
        self._end = np.where(outside, self._end + self._settings.beyond_gate_s, self._end)
        commutes = (p.occupation == WORKER) & (p.work != NOWHERE) & (p.work != p.home)
        self._commutes = commutes
        self._night = commutes & (self._pattern == _NIGHT)
        u, v = self._draws.pair("hours.school", np.where(p.school == NOWHERE, 0, p.school).astype(np.int64))
        bell = np.select([p.age < 6, p.age < 12, p.age < 15], [8.25, 8.0, 7.75], 7.5) * _H
        self._bell = (bell + np.rint((u - 0.5) * 2.0) * 300.0).astype(np.int64)
        over = np.select([p.age < 6, p.age < 12, p.age < 15], [16.75, 17.0, 17.75], 18.0) * _H
        late = (p.age >= 15) & (p.age < 18) & (self._draws.uniform("hours.evening_study", p.key) < 0.55)
        self._over = (np.where(late, 21.3 * _H, over) + np.rint((v - 0.5) * 4.0) * 300.0).astype(np.int64)
        self._pupils = np.flatnonzero(((p.occupation == PUPIL) | (p.occupation == STUDENT)) & (p.school != NOWHERE))
        self._rows = np.arange(n)

    def _find_escorts(self) -> None:
        """Of each household: its youngest child to be brought to school, and who could do that."""
        p = self._people
        inside = p.household >= 0
        n = self._population.households

        def lowest(mask: Bools, by: npt.NDArray[np.number]) -> Ints:
            rows = np.flatnonzero(mask & inside)
            rows = rows[np.lexsort((p.slot[rows], by[rows], p.household[rows]))]
            h, at = np.unique(p.household[rows], return_index=True)
            out = np.full(n, -1, dtype=np.int64)
            out[h] = rows[at]
            return out

        child = (p.occupation == PUPIL) & (p.age < 12) & (self._near_school > 250.0)
        self._child = lowest(child, p.age)
        day = self._commutes & ~self._night & (self._begin >= 7.4 * _H) & (self._begin <= 9.6 * _H)
        self._parent = lowest(day & (p.age >= 22) & (p.age < 60), p.slot)
        home = ((p.occupation == AT_HOME) | (p.occupation == RETIRED)) & (p.age >= 20) & (p.age < 76)
        self._carer = lowest(home, p.age)

    # -- one day -------------------------------------------------------------------------------------

    def works(self, day: Day) -> Bools:
        """Who is at work today (night workers: who goes this evening)."""
        p = self._people
        share = _AT_WORK[np.maximum(p.industry, 0), int(day.weekend)]
        # a night worker's duty must be known on the next morning too, so it does not ask which day it is
        share = np.where(self._night, _NIGHT_DUTY, share)
        return np.asarray(self._commutes & (self._draws.uniform("day.works", p.key, day.number + 1) < share))

    def on_night_duty(self, number: int) -> Bools:
        """Who was at work through the night that ended on the morning of day ``number``."""
        u = self._draws.uniform("day.works", self._people.key[self._night], number)
        out = np.zeros(len(self._people), dtype=bool)
        out[self._night] = u < _NIGHT_DUTY
        return out

    def today(self, day: Day) -> tuple[Tours, Escorts]:
        """Return everybody's tours of the day (no modes yet), and which children are brought to school."""
        works = self.works(day)
        escorts = self._escorts(day, works)
        parts = [self._work(day, works, escorts), self._nights(day, works), self._school(day)]
        parts += self._brought(escorts)
        parts += self._free_time(day, works, escorts)
        return join(parts), escorts

    def _work(self, day: Day, works: Bools, escorts: Escorts) -> Tours:
        """Day work, in one piece or with lunch at home, with a stop on the way."""
        p = self._people
        rows = np.flatnonzero(works & ~self._night)
        u, v = self._draws.pair("day.work_end", p.key[rows], day.number)
        overtime = np.where(u < 0.45, -np.log1p(-np.minimum(u, 0.45) / 0.4501) * 900.0, 0.0)
        leave = self._end[rows] + np.minimum(overtime, 7200.0) + np.rint((v - 0.5) * 1800.0)
        begin = self._begin[rows]
        a, b = self._draws.pair("day.stop_after_work", p.key[rows], day.number)
        stops = a < 0.17 * self._settings.activity * (1.0 - 0.3 * day.wet)
        purpose = np.array([SHOP, LEISURE, ERRAND])[pick(b, (0.62, 0.22, 0.16))]
        post = np.full(len(rows), NOWHERE, dtype=np.int64)
        at = np.flatnonzero(stops & ~is_outside(p.home[rows]))
        post[at] = self._go("day.stop_place", rows[at], purpose[at], day.number)
        stay = (np.where(purpose == LEISURE, 45, 12) * 60 * (0.6 + 0.8 * ((b * 97.0) % 1.0))).astype(np.int64)
        picks_up = escorts.picked_by[rows]
        fetch = picks_up >= 0
        post = np.where(fetch, picks_up, post)
        purpose, stay = np.where(fetch, ESCORT, purpose), np.where(fetch, 180, stay)
        pre, pre_due = escorts.brought_to[rows], escorts.due_s[rows]
        w, x = self._draws.pair("day.lunch", p.key[rows], day.number)
        long_day = (self._end[rows] - begin > 7 * _H) & (begin < 10.5 * _H)
        home_share = np.where(self._pattern[rows] == 14, 0.85, self._settings.lunch_at_home)
        lunch = long_day & self._near_work[rows] & (w < home_share)
        noon = (11.5 * _H + x * 1.0 * _H).astype(np.int64)
        again = np.maximum(noon + 1.25 * _H, 13.5 * _H).astype(np.int64)
        common = {"purpose": WORK, "main": True}
        whole = Tours.make(
            rows, place=p.work[rows], arrive_s=begin, due_s=begin, leave_s=np.where(lunch, noon, leave),
            pre=pre, pre_due_s=pre_due, post=np.where(lunch, NOWHERE, post), post_purpose=purpose,
            post_stay_s=stay, **common,
        )  # fmt: skip
        k = np.flatnonzero(lunch)
        second = Tours.make(
            rows[k], place=p.work[rows[k]], arrive_s=again[k], due_s=again[k], leave_s=np.maximum(leave, again + _H)[k],
            post=post[k], post_purpose=purpose[k], post_stay_s=stay[k], **common,
        )  # fmt: skip
        return join([whole, second])

    def _nights(self, day: Day, works: Bools) -> Tours:
        """Home from last night's duty, and out to tonight's."""
        p = self._people
        home = np.flatnonzero(self.on_night_duty(day.number))
        out = np.flatnonzero(works & self._night)
        late = (self._draws.uniform("day.night_end", p.key[home], day.number) * 900.0).astype(np.int64)
        end = self._end[home] - 24 * _H
        back = Tours.make(home, purpose=WORK, place=p.work[home], arrive_s=0, leave_s=end + late, out=False, main=True)
        go = Tours.make(
            out, purpose=WORK, place=p.work[out], arrive_s=self._begin[out], due_s=self._begin[out],
            leave_s=self._begin[out], back=False, main=True,
        )  # fmt: skip
        return join([back, go])

    def _school(self, day: Day) -> Tours:
        """Pupils and students, some of them home for lunch."""
        rows = self._pupils
        p = self._people
        present = self._draws.uniform("day.school", p.key[rows], day.number) < 0.97
        rows = rows[present] if not day.weekend else rows[:0]
        far = is_outside(p.school[rows])
        u, v = self._draws.pair("day.school_lunch", p.key[rows], day.number)
        lunch = (p.age[rows] >= 8) & (self._near_school[rows] < 1200.0) & (u < 0.25)
        noon = (11.6 * _H + v * 600.0).astype(np.int64)
        bell = np.where(far, self._bell[rows] - self._settings.beyond_gate_s + 1800, self._bell[rows])
        over = self._over[rows]
        common = {"purpose": SCHOOL, "main": True}
        first = Tours.make(
            rows, place=p.school[rows], arrive_s=bell, due_s=bell, leave_s=np.where(lunch, noon, over), **common
        )
        k = np.flatnonzero(lunch)
        again = np.full(len(k), int(13.9 * _H))
        second = Tours.make(rows[k], place=p.school[rows[k]], arrive_s=again, due_s=again, leave_s=over[k], **common)
        return join([first, second])

    def _escorts(self, day: Day, works: Bools) -> Escorts:
        """Decide which households bring and fetch their youngest pupil, and who does it."""
        p, n = self._people, len(self._people)
        brought, due = np.full(n, NOWHERE, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        picked = np.full(n, NOWHERE, dtype=np.int64)
        h = np.flatnonzero(self._child >= 0) if not day.weekend else np.empty(0, dtype=np.int64)
        child = self._child[h]
        u, v = self._draws.pair("day.escort", p.key[child], day.number)
        age = p.age[child]
        need = u < np.select([age < 6, age < 9], [0.96, 0.80], 0.45)
        parent, carer = self._parent[h], self._carer[h]
        parent_can = (parent >= 0) & works[np.maximum(parent, 0)]
        by_carer = need & (carer >= 0) & ((v < 0.5) | ~parent_can)
        by_parent = need & ~by_carer & parent_can
        rows = parent[by_parent]
        brought[rows], due[rows] = p.school[child[by_parent]], self._bell[child[by_parent]]
        fetch_carer = need & (carer >= 0)
        fetch_parent = need & (carer < 0) & parent_can & (self._end[np.maximum(parent, 0)] <= 18.6 * _H)
        picked[parent[fetch_parent]] = p.school[child[fetch_parent]]
        return Escorts(
            child_of=self._child, brought_to=brought, due_s=due, picked_by=picked,
            out_household=h[by_parent], out_row=rows,
            carer_out=(h[by_carer], carer[by_carer], child[by_carer]),
            carer_back=(h[fetch_carer], carer[fetch_carer], child[fetch_carer]),
            back_household=h[fetch_parent], back_row=parent[fetch_parent],
        )  # fmt: skip

    def _brought(self, escorts: Escorts) -> list[Tours]:
        """Return the tours of those who stay at home otherwise: to school and back, twice."""
        p = self._people
        _, row, child = escorts.carer_out
        bell = self._bell[child]
        out = Tours.make(
            row, purpose=ESCORT, place=p.school[child], arrive_s=bell - 300, due_s=bell, leave_s=bell - 120
        )
        _, row, child = escorts.carer_back
        over = self._over[child]
        back = Tours.make(row, purpose=ESCORT, place=p.school[child], arrive_s=over - 120, leave_s=over + 120)
        return [out, back]

    def _free_time(self, day: Day, works: Bools, escorts: Escorts) -> list[Tours]:
        """Shopping, errands and leisure of everybody, by the time they have."""
        p = self._people
        lives_here = ~is_outside(p.home)
        free = lives_here & (p.age >= 18) & ~works & ~self._night
        free &= ~((p.occupation == STUDENT) & (p.school != NOWHERE)) | day.weekend
        early = lives_here & works & ~self._night & (self._end <= 18.6 * _H)
        child = lives_here & (p.age >= 6) & (p.age < 18)
        fetches = np.zeros(len(p), dtype=bool)
        fetches[escorts.carer_back[1]] = True
        old = p.age >= 58
        dry = 1.0 - 0.35 * day.wet
        g = self._settings.activity * dry
        if day.weekend:
            kids = child & (p.occupation == PUPIL)
            return [
                self._occasion(day, "morning", free, 0.52 * g, (8.6, 11.4), (0.56, 0.26, 0.18)),
                self._occasion(day, "afternoon", free, 0.50 * g, (13.6, 17.6), (0.38, 0.50, 0.12)),
                self._occasion(day, "evening", free | early, 0.26 * g, (18.3, 20.3), (0.25, 0.70, 0.05)),
                self._occasion(day, "child_morning", kids, 0.24 * g, (9.0, 11.0), (0.1, 0.75, 0.15)),
                self._occasion(day, "child_afternoon", kids, 0.34 * g, (13.8, 16.8), (0.15, 0.8, 0.05)),
            ]
        busy_afternoon = free & ~fetches
        return [
            self._occasion(day, "morning", free & old, 0.66 * g, (6.6, 10.2), (0.58, 0.26, 0.16)),
            self._occasion(day, "late_morning", free & ~old, 0.62 * g, (8.7, 11.0), (0.55, 0.20, 0.25)),
            self._occasion(day, "afternoon", busy_afternoon, 0.42 * g, (14.0, 17.0), (0.35, 0.42, 0.23)),
            self._occasion(day, "evening", free | early, 0.17 * g, (18.6, 20.4), (0.22, 0.75, 0.03)),
        ]

    def _occasion(
        self, day: Day, name: str, who: Bools, share: float, hours: tuple[float, float], mix: tuple[float, ...]
    ) -> Tours:
        """Tours of a share of ``who``, arriving within ``hours``, for shopping, leisure or errands by ``mix``."""
        p = self._people
        rows = np.flatnonzero(who)
        u, v = self._draws.pair(f"day.{name}", p.key[rows], day.number)
        rows, v, u = rows[u < share], v[u < share], u[u < share] / max(share, 1e-9)
        purpose = np.array([SHOP, LEISURE, ERRAND])[pick(v, mix)]
        place = self._go(f"day.{name}_place", rows, purpose, day.number)
        a, b = self._draws.pair(f"day.{name}_time", p.key[rows], day.number)
        # a hump in the middle of the window
        arrive = ((hours[0] + (hours[1] - hours[0]) * 0.5 * (a + u)) * _H).astype(np.int64)
        low = np.select([purpose == SHOP, purpose == LEISURE], [_STAY[SHOP][0], _STAY[LEISURE][0]], _STAY[ERRAND][0])
        high = np.select([purpose == SHOP, purpose == LEISURE], [_STAY[SHOP][1], _STAY[LEISURE][1]], _STAY[ERRAND][1])
        stay = ((low + (high - low) * b) * 60.0).astype(np.int64)
        keep = place != NOWHERE
        return Tours.make(
            rows[keep], purpose=purpose[keep], place=place[keep], arrive_s=arrive[keep], leave_s=(arrive + stay)[keep]
        )

    def _go(self, name: str, rows: Ints, purpose: Ints, number: int) -> Ints:
        """Choose destinations from home, by purpose and draw."""
        return self.choose(purpose, rows, *self._draws.pair(name, self._people.key[rows], number))

    def choose(self, purpose: Ints, rows: Ints, u: Floats, v: Floats) -> Ints:
        """Return where people ``rows`` go from home for shopping, leisure or errands, by two numbers in [0, 1)."""
        place = np.full(len(rows), NOWHERE, dtype=np.int64)
        for code, table in self._tables.items():
            at = np.flatnonzero(purpose == code)
            place[at] = table.choose(self._zone[rows[at]], u[at], v[at])
        return place


@dataclass(frozen=True)
class Escorts:
    """Who brings and fetches children today.

    ``child_of``: per household, the youngest child to be brought (row, -1) · ``brought_to``/``due_s``: per person,
    the school on the way to work (-1) and its bell · ``picked_by``: per person, the school on the way home.
    The pairs (household, adult's row[, child's row]) say whose tour carries whom.
    """

    child_of: Ints
    brought_to: Ints
    due_s: Ints
    picked_by: Ints
    out_household: Ints
    out_row: Ints
    carer_out: tuple[Ints, Ints, Ints]
    carer_back: tuple[Ints, Ints, Ints]
    back_household: Ints
    back_row: Ints


def _tables(city: City, travel: Travel) -> dict[int, Destinations]:
    """Attraction of blocks for shopping, leisure and errands; jobs, then homes, where a city says nothing."""
    b = city.blocks
    shops, jobs = b["shops"].to_numpy(np.float64), b["jobs"].to_numpy(np.float64)
    homes, kind = b["residents"].to_numpy(np.float64), b["kind"]
    parks = _at_blocks(city, travel, {"park": 60.0, "landmark": 40.0, "community_centre": 12.0, "water": 2.0})
    office = _at_blocks(
        city, travel, {"hospital": 60.0, "clinic": 10.0, "service_hall": 40.0, "service_point": 10.0, "market": 20.0}
    )
    markets = _at_blocks(city, travel, {"market": 25.0, "shop": 15.0})
    public: Floats = np.where(kind.isin(("public", "commerce", "office", "mixed")), jobs, 0.0)
    usual = jobs if jobs.sum() > 0 else homes
    wishes = {SHOP: shops * 3.0 + markets, LEISURE: shops + parks + homes * 0.02, ERRAND: public * 0.2 + office}
    out = {}
    for purpose, wish in wishes.items():
        attraction = wish if wish.sum() > 0 else usual
        attraction = attraction if attraction.sum() > 0 else np.ones(len(b))
        out[purpose] = Destinations.of(travel, attraction, _DECAY[purpose], mass=_MASS[purpose])
    return out


def _at_blocks(city: City, travel: Travel, weights: dict[str, float]) -> Floats:
    """Sum the weights of places by kind onto the nearest blocks."""
    out = np.zeros(travel.n_blocks)
    places = city.places[city.places["kind"].isin(list(weights)).to_numpy()]
    if len(places) == 0:
        return out
    tree = cKDTree(np.column_stack([travel.x_m, travel.y_m])[: travel.n_blocks])
    at = tree.query(np.column_stack([places.geometry.x, places.geometry.y]))[1]
    return out + np.bincount(at, places["kind"].map(weights).to_numpy(np.float64), travel.n_blocks)
