"""The population: who lives where, works or learns where, and owns what; all state in arrays.

Rows: residents first (row = resident number), then the rest of each subdistrict's last household (people who
exist for their household's sake but never travel), then visitors: people from outside who work here, whose
*ids* lie in a range of their own (:data:`VISITOR_BASE`), so that they never shift a resident's number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.city import City
from twin.world.people import households
from twin.world.people.companies import FARM, CompanyArrays
from twin.world.people.draws import Draws, Floats, Ints, pick
from twin.world.people.gravity import Destinations
from twin.world.people.households import Members
from twin.world.people.settings import PeopleSettings
from twin.world.people.travel import NOWHERE, Travel, gate_code

#: id of visitor 0; residents are below
VISITOR_BASE = 500_000_000
_VISITOR_KEY = 2**60

#: what a person mainly does
OCCUPATIONS = ("small_child", "pupil", "student", "worker", "at_home", "retired")
SMALL_CHILD, PUPIL, STUDENT, WORKER, AT_HOME, RETIRED = range(6)

#: decay of gravity per minute of driving (assumed)
_WORK_DECAY, _SCHOOL_DECAY, _FARM_DECAY, _GATE_DECAY = 0.22, 1.0, 0.9, 0.10
#: how commuting out of the city falls off with the minutes to the nearest gate (assumed)
_OUT_DECAY = 0.08
#: how far workplaces and schools are shared out evenly: 1 = each place is taken, 0 = by nearness alone (assumed)
_WORK_BALANCE, _SCHOOL_BALANCE = 0.45, 0.3
#: at most this share of the employed commutes out of a city with few jobs (assumed)
_MOST_OUT = 0.7
# probability to work: (from age, men, women); assumed after the employment rates of the 2020 census
_EMPLOYED = ((0, 0.0, 0.0), (18, 0.42, 0.42), (22, 0.91, 0.80), (55, 0.85, 0.58), (60, 0.50, 0.32), (66, 0.28, 0.15))
_EMPLOYED_TO = 75


@dataclass(frozen=True)
class ResidentArrays:
    """Columns, one row per person (see the module's text for the rows).

    ``key``: for draws · ``household``: dense index, -1 for visitors · ``age`` years · ``occupation``: index into
    OCCUPATIONS · ``industry``: index into companies.INDUSTRIES, -1 · ``company``: row, -1 · ``home``,
    ``work``, ``school``: location codes (see :mod:`~twin.world.people.travel`), -1 none · ``driver_rank``: place in
    the household's order for its cars, -1 without licence or car · ``cars``: of the household.
    """

    key: Ints
    household: Ints
    slot: npt.NDArray[np.int8]
    age: npt.NDArray[np.int16]
    female: npt.NDArray[np.bool_]
    occupation: npt.NDArray[np.int8]
    industry: npt.NDArray[np.int8]
    company: npt.NDArray[np.int32]
    home: npt.NDArray[np.int32]
    work: npt.NDArray[np.int32]
    school: npt.NDArray[np.int32]
    licence: npt.NDArray[np.bool_]
    has_ebike: npt.NDArray[np.bool_]
    cars: npt.NDArray[np.int8]
    driver_rank: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.key)

    @property
    def has_car(self) -> npt.NDArray[np.bool_]:
        """True for those who may drive and whose household has a car."""
        return self.driver_rank >= 0

    def rows(self, part: slice) -> ResidentArrays:
        """Return a part of the rows (views, not copies)."""
        return ResidentArrays(*(getattr(self, name)[part] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Population:
    """All people: ``people`` has ``residents`` rows of residents, then others; see the module's text."""

    people: ResidentArrays
    residents: int
    visitors: int
    households: int

    @property
    def first_visitor(self) -> int:
        """Row of visitor 0."""
        return len(self.people) - self.visitors

    def row(self, ids: npt.ArrayLike) -> Ints:
        """Ids (as in facts and departures) → rows."""
        i = np.asarray(ids, dtype=np.int64)
        return np.where(i >= VISITOR_BASE, i - VISITOR_BASE + self.first_visitor, i)

    def ids(self, rows: npt.ArrayLike) -> Ints:
        """Rows → ids."""
        r = np.asarray(rows, dtype=np.int64)
        return np.where(r >= self.first_visitor, r - self.first_visitor + VISITOR_BASE, r)


def build(city: City, travel: Travel, companies: CompanyArrays, draws: Draws, s: PeopleSettings) -> Population:
    """Make ``s.residents`` residents and the visitors of ``city``."""
    members = households.build(draws, _weights(city), s.residents)
    home_of = _homes(city, members, draws)
    kind = _community_kind(city)[home_of]
    home = home_of[members.household]
    u_work, u_where = draws.pair("person.work", members.key)
    employed = u_work < _employment(members)
    age = members.age
    student = ~employed & (age >= 18) & (age <= 21)
    occupation = np.select(
        [age < 3, age < 18, employed, student, age >= 58],
        [SMALL_CHILD, PUPIL, WORKER, STUDENT, RETIRED],
        AT_HOME,
    )
    school = _schools(city, travel, members, home, draws)
    occupation = np.where((occupation == PUPIL) & (school == NOWHERE), AT_HOME, occupation)
    work, farm = _workplaces(city, travel, members, home, kind, u_where, employed, draws, s)
    school = _colleges(travel, members, home, student, school, draws)
    # who works the land has no employer, except on a farm
    employer = np.where(farm & (city.blocks["kind"].to_numpy()[np.maximum(work, 0)] != "farm"), NOWHERE, work)
    company = companies.choose(employer, draws.uniform("person.company", members.key))
    industry = _industries(companies, company, work, farm, employed, draws, members.key)
    licence, cars, rank = _cars(members, kind, home, work, employed, travel, draws, s)
    old = age >= 65
    ebike = draws.uniform("person.ebike", members.key) < np.where(old, s.ebike_elderly, s.ebike_adult)
    ebike &= (age >= 16) & (age < 80)
    visitors = _visitors(city, travel, companies, draws, s)
    order = np.argsort(np.where(members.resident < 0, len(home), members.resident), kind="stable")
    columns = (
        members.key, members.household, members.slot, age, members.female, occupation, industry, company, home,
        work, school, licence, ebike, cars, rank,
    )  # fmt: skip
    types = (np.int64, np.int64, np.int8, np.int16, bool, np.int8, np.int8, np.int32, np.int32, np.int32, np.int32,
             bool, bool, np.int8, np.int8)  # fmt: skip
    people = ResidentArrays(
        *(np.concatenate([np.asarray(c)[order], v]).astype(t) for c, v, t in zip(columns, visitors, types, strict=True))
    )
    return Population(people, s.residents, len(visitors[0]), len(members.household_key))


def _weights(city: City) -> Floats:
    """Residents of the subdistricts; where a city does not say, all alike."""
    w = city.subdistricts["residents"].to_numpy(np.float64)
    return w if w.sum() > 0 else np.ones(max(len(w), 1))


def _block_subdistrict(city: City) -> Ints:
    """Row of the subdistrict of each block; -1 if unknown."""
    rows = pd.Series(np.arange(len(city.subdistricts)), index=city.subdistricts["subdistrict"].to_numpy())
    of_community = pd.Series(city.communities["subdistrict"].to_numpy(), index=city.communities["community"].to_numpy())
    rows = rows[~rows.index.duplicated()]
    of_community = of_community[~of_community.index.duplicated()]
    named = city.blocks["community"].map(of_community).map(rows)
    return np.asarray(named.fillna(-1), dtype=np.int64)


def _community_kind(city: City) -> Ints:
    """0 village, 1 town, 2 new town, for each block."""
    kinds = pd.Series(city.communities["kind"].to_numpy(), index=city.communities["community"].to_numpy())
    kinds = kinds[~kinds.index.duplicated()]
    named = city.blocks["community"].map(kinds)
    return np.asarray(named.map({"village": 0, "town": 1, "new_town": 2}).fillna(1), dtype=np.int64)


def _homes(city: City, members: Members, draws: Draws) -> Ints:
    """Home block of each household: drawn within its subdistrict in proportion to the blocks' residents."""
    capacity = np.maximum(city.blocks["residents"].to_numpy(np.float64), 0.0)
    capacity = capacity if capacity.sum() > 0 else np.ones(len(capacity))
    of_block = _block_subdistrict(city)
    u = draws.uniform("household.home", members.household_key)
    home = np.zeros(len(u), dtype=np.int64)
    for s in range(len(_weights(city))):
        rows = np.flatnonzero(members.household_subdistrict == s)
        inside = np.where(of_block == s, capacity, 0.0)
        home[rows] = pick(u[rows], inside if inside.sum() > 0 else capacity)
    return home


def _employment(members: Members) -> Floats:
    """Probability to work."""
    table = np.array(_EMPLOYED)
    band = np.searchsorted(table[:, 0], members.age, side="right") - 1
    p = np.where(members.female, table[band, 2], table[band, 1])
    return np.where(members.age < _EMPLOYED_TO, p, 0.0)


def _schools(city: City, travel: Travel, members: Members, home: Ints, draws: Draws) -> Ints:
    """School block of everybody from 3 to 17; brothers and sisters up to 14 go to the same one."""
    pupils = city.blocks["pupils"].to_numpy(np.float64)
    table = Destinations.of(
        travel, pupils, _SCHOOL_DECAY, city.blocks["residents"].to_numpy(np.float64), _SCHOOL_BALANCE
    )
    school = np.full(len(home), NOWHERE, dtype=np.int64)
    who = np.flatnonzero((members.age >= 3) & (members.age < 18))
    older = members.age[who] >= 15
    key = np.where(older, members.key[who], members.household_key[members.household[who]] * 16)
    u, v = draws.pair("person.school", key)
    school[who] = table.choose(travel.zone[home[who]], u, v)
    return school


def _workplaces(
    city: City,
    travel: Travel,
    members: Members,
    home: Ints,
    household_kind: Ints,
    u_where: Floats,
    employed: npt.NDArray[np.bool_],
    draws: Draws,
    s: PeopleSettings,
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Location code of the workplace (-1: none; home: no way), and who works the land."""
    jobs = city.blocks["jobs"].to_numpy(np.float64)
    farm_block = (city.blocks["kind"] == "farm").to_numpy()
    lives = city.blocks["residents"].to_numpy(np.float64)
    usual = Destinations.of(travel, np.where(farm_block, 0.0, jobs), _WORK_DECAY, lives, _WORK_BALANCE)
    # fields lie around the villages: the block nearest to somebody's field stands for it
    village_block = (city.blocks["kind"] == "village").to_numpy()
    fields = Destinations.of(travel, np.where(farm_block, 20.0 * jobs, 0.05 * lives * village_block), _FARM_DECAY)
    u, v = draws.pair("person.workplace", members.key)
    zone = travel.zone[home]
    work = usual.choose(zone, u, v)
    village = household_kind[members.household] == 0
    p_farm = np.select([members.age < 45, members.age < 60], [0.10, 0.24], 0.60) * np.where(village, 1.0, 0.1)
    w, x = draws.pair("person.sector", members.key)
    farm = w < p_farm
    at_field = fields.choose(zone, u, v)
    work = np.where(farm, np.where(at_field == NOWHERE, home, at_field), work)
    stays = ~farm & (x < np.where(village, s.home_workers_village, s.home_workers))
    work = np.where(stays | (work == NOWHERE), home, work)
    gates = np.flatnonzero(travel.gate_weight > 0)
    # a city with fewer jobs than workers sends the others out; it is the city's ratio, not this run's
    short = 1.0 - jobs.sum() / max(0.5 * lives.sum(), 1.0)
    share = max(s.out_commuters, min(short, _MOST_OUT))
    # the elderly do not commute over the river
    if gates.size and share <= s.out_commuters:
        share = share * _nearness(travel, gates, lives)[home]
    leaves = ~farm & ~stays & (u_where < share) & (members.age < 60)
    if gates.size:
        rows = np.flatnonzero(leaves)
        work[rows] = _gate(travel, gates, home[rows], draws.uniform("person.gate", members.key[rows]))
    return np.where(employed, work, NOWHERE), farm & employed


def _nearness(travel: Travel, gates: Ints, lives: Floats) -> Floats:
    """How much more likely than on average people of each block commute out: less so far from the gates.

    A property of the city: the mean over its homes is 1.
    """
    here = np.arange(travel.n_blocks)
    minutes = np.min([travel.car_s(here, np.full(len(here), gate_code(int(g)))) / 60.0 for g in gates], axis=0)
    likely = np.exp(-_OUT_DECAY * minutes)
    mean = float((likely * lives).sum() / max(lives.sum(), 1.0))
    return np.asarray(np.minimum(likely / max(mean, 1e-9), 5.0))


def _gate(travel: Travel, gates: Ints, at: Ints, u: Floats) -> Ints:
    """Choose a gate by its weight and its nearness to a place."""
    minutes = np.stack([travel.car_s(at, np.full(len(at), gate_code(int(g)))) / 60.0 for g in gates], axis=1)
    p = np.exp(-_GATE_DECAY * 2.0 * minutes) * travel.gate_weight[gates][None, :] + 1e-300
    cumulative = np.cumsum(p, axis=1)
    index = (cumulative <= (u * cumulative[:, -1])[:, None]).sum(axis=1)
    return np.asarray(gate_code(gates[np.minimum(index, gates.size - 1)]), dtype=np.int64)


def _colleges(
    travel: Travel, members: Members, home: Ints, student: npt.NDArray[np.bool_], school: Ints, draws: Draws
) -> Ints:
    """Half of the students go to a college behind a gate by day; the others have no fixed place."""
    gates = np.flatnonzero(travel.gate_weight > 0)
    rows = np.flatnonzero(student)
    if gates.size == 0 or rows.size == 0:
        return school
    u, v = draws.pair("person.college", members.key[rows])
    rows, v = rows[u < 0.5], v[u < 0.5]
    school = school.copy()
    school[rows] = _gate(travel, gates, home[rows], v)
    return school


def _industries(
    companies: CompanyArrays,
    company: Ints,
    work: Ints,
    farm: npt.NDArray[np.bool_],
    employed: npt.NDArray[np.bool_],
    draws: Draws,
    key: Ints,
) -> Ints:
    """Industry of the company; of the block where there is none; by draw for those who work outside."""
    of_company = companies.industry[np.maximum(company, 0)] if len(companies) else np.zeros(len(work), np.int8)
    of_block = companies.block_industry[np.maximum(work, 0)]
    outside = pick(draws.uniform("person.industry", key), (0.06, 0.04, 0.05, 0.08, 0.12, 0.2, 0.28, 0.05, 0.05, 0.07))
    industry = np.where(company >= 0, of_company, np.where(work >= 0, of_block, outside))
    return np.where(employed, np.where(farm, FARM, industry), -1).astype(np.int64)


def _cars(
    members: Members,
    household_kind: Ints,
    home: Ints,
    work: Ints,
    employed: npt.NDArray[np.bool_],
    travel: Travel,
    draws: Draws,
    s: PeopleSettings,
) -> tuple[npt.NDArray[np.bool_], Ints, Ints]:
    """Licences, cars of the household, and each driver's place in the household's order for them."""
    # licences by age and sex, assumed: more men than women, few among the elderly
    age, u = members.age, draws.uniform("person.licence", members.key)
    p = np.select([age < 18, age < 22, age < 60, age < 71], [0.0, 0.30, 0.74, 0.25], 0.0)
    p = np.where(members.female, p * np.where(age < 60, 0.66, 0.2), p)
    licence = u < p
    mean = np.array([s.cars_village, s.cars_town, s.cars_new_town])[household_kind]
    # households of the elderly seldom own a car, larger ones more often: factors keep the mean near the table
    factor = np.select([members.elderly_only, members.single, members.household_size >= 4], [0.2, 0.65, 1.45], 1.2)
    many = mean * factor
    v = draws.uniform("household.cars", members.household_key)
    one, two = np.minimum(many * 0.86, 0.95), np.where(members.single, 0.0, np.minimum(many * 0.14, 0.5))
    cars = (v < one).astype(np.int64) + (v < two)
    # a household with a car has somebody who may drive it: its first adult, if nobody else
    any_licence = np.bincount(members.household, licence, len(cars)) > 0
    first = members.slot == 0
    licence |= first & (~any_licence & (cars > 0))[members.household] & (age >= 18)
    # who goes furthest to work comes first
    way = np.where(employed & (work != NOWHERE), travel.straight_m(home, np.where(work == NOWHERE, home, work)), 0.0)
    driver = licence & (cars[members.household] > 0)
    rows = np.flatnonzero(driver)
    order = rows[np.lexsort((members.slot[rows], -way[rows], members.household[rows]))]
    h = members.household[order]
    start = np.searchsorted(h, h, side="left")
    rank = np.full(len(age), -1, dtype=np.int64)
    rank[order] = np.arange(len(order)) - start
    return licence, cars[members.household], rank


def _visitors(
    city: City, travel: Travel, companies: CompanyArrays, draws: Draws, s: PeopleSettings
) -> tuple[npt.NDArray[np.int64], ...]:
    """Columns of the people from outside who work here, in the order of ResidentArrays' fields."""
    gates = np.flatnonzero(travel.gate_weight > 0)
    jobs = city.blocks["jobs"].to_numpy(np.float64)
    jobs = np.where((city.blocks["kind"] == "farm").to_numpy(), 0.0, jobs)
    count = round(s.in_commuters * s.residents) if gates.size and jobs.sum() > 0 else 0
    key = _VISITOR_KEY + np.arange(count, dtype=np.int64)
    none = np.full(count, -1, dtype=np.int64)
    if count == 0:
        return tuple(none for _ in ResidentArrays.__dataclass_fields__)
    u, v = draws.pair("visitor.gate", key)
    gate = gates[pick(u, travel.gate_weight[gates])]
    table = Destinations.of(travel, jobs, _GATE_DECAY)
    a, b = draws.pair("visitor.workplace", key)
    home = np.asarray(gate_code(gate), dtype=np.int64)
    work = table.choose(travel.zone[travel.rows(home)], a, b)
    company = companies.choose(work, draws.uniform("visitor.company", key))
    of_company = companies.industry[np.maximum(company, 0)] if len(companies) else companies.block_industry[work]
    industry = np.where(company >= 0, of_company, companies.block_industry[work]).astype(np.int64)
    w, x = draws.pair("visitor.age", key)
    age = (22 + 36 * w).astype(np.int64)
    drives = x < 0.60
    female = (v < 0.42).astype(np.int64)
    yes, zero = drives.astype(np.int64), np.zeros(count, dtype=np.int64)
    worker = np.full(count, WORKER, dtype=np.int64)
    # each visitor is a household of one, numbered below -1, so cars are never shared
    return (
        key, -2 - np.arange(count), zero, age, female, worker, industry, company, home, work, none, yes, zero, yes,
        np.where(drives, 0, -1),
    )  # fmt: skip
