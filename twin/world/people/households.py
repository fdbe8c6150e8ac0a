"""Households: who lives together. A household is drawn whole; its members are slots of a fixed composition.

Sizes follow the 2020 census (mean 2.62 in China, 2.70 in Shandong; households of six and more are taken as six).
Roles: A adult of the middle generation, C child under 18, G grown child, E elderly. Compositions and the ages
of the generations: assumed, so that about 17 % are under 15 and about 20 % over 60 (census 2020, Jinan).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.people.draws import Draws, apportion, pick, pick_rows

Ints = npt.NDArray[Any]  # whole numbers
Floats = npt.NDArray[Any]

SIZE_SHARES = (0.235, 0.285, 0.215, 0.155, 0.065, 0.045)
#: (roles of the slots, share among households of that size)
COMPOSITIONS = (
    ("A", 0.58),
    ("E", 0.42),
    ("AA", 0.47),
    ("EE", 0.36),
    ("AC", 0.07),
    ("AE", 0.10),
    ("AAC", 0.66),
    ("AAG", 0.20),
    ("AAE", 0.08),
    ("AEE", 0.06),
    ("AACC", 0.52),
    ("AACE", 0.20),
    ("AACG", 0.12),
    ("AAEE", 0.10),
    ("AAGE", 0.06),
    ("AACCE", 0.46),
    ("AACEE", 0.38),
    ("AAGEE", 0.16),
    ("AACCEE", 0.75),
    ("AACGEE", 0.25),
)
SLOTS = 6
_ROLE = {"A": 0, "C": 1, "G": 2, "E": 3}
_ROLES = np.array([[_ROLE[c] for c in roles.ljust(SLOTS, "A")] for roles, _ in COMPOSITIONS], dtype=np.int8)
_TYPES_BY_SIZE = np.array(
    [[share if len(roles) == size else 0.0 for roles, share in COMPOSITIONS] for size in range(1, SLOTS + 1)]
)


@dataclass(frozen=True)
class Members:
    """All members of the households that are touched, in order of household and slot; equal-length columns.

    ``key``: number for draws; ``household``: dense household index; ``resident``: number of the resident, or -1
    for the members of the last household of a subdistrict who are beyond the population asked for.
    """

    key: Ints
    resident: Ints
    household: Ints
    slot: Ints
    role: npt.NDArray[np.int8]
    age: npt.NDArray[np.int16]
    female: npt.NDArray[np.bool_]
    household_key: Ints  # per household
    household_size: Ints  # per household
    household_subdistrict: Ints  # per household
    elderly_only: npt.NDArray[np.bool_]  # per household
    single: npt.NDArray[np.bool_]  # per household: one adult


def build(draws: Draws, weights: npt.ArrayLike, residents: int) -> Members:
    """Draw households until every subdistrict (``weights``: its residents) has its part of ``residents``.

    Resident ``i`` belongs to a subdistrict by a house-monotone rule, and is the next slot of that subdistrict's
    sequence of households: one more resident takes the next slot and nobody else moves.
    """
    party = apportion(weights, residents)
    parts = []
    for s in range(len(np.asarray(weights))):
        who = np.flatnonzero(party == s)
        if who.size:
            parts.append((s, who, *_sizes(draws, s, who.size)))
    household_key = np.concatenate([p[2] for p in parts])
    size = np.concatenate([p[3] for p in parts])
    subdistrict = np.concatenate([np.full(len(p[2]), p[0]) for p in parts])
    household = np.repeat(np.arange(len(size)), size)
    slot = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    resident = np.full(len(household), -1, dtype=np.int64)
    at = 0
    for _, who, _, sizes in parts:
        resident[at : at + who.size] = who
        at += int(sizes.sum())
    u_type, u_base = draws.pair("household.type", household_key)
    kind = pick_rows(u_type, size - 1, _TYPES_BY_SIZE)
    role = _ROLES[kind[household], slot]
    key = household_key[household] * 16 + slot
    age, female = _ages(draws, key, household, slot, role, u_base, _ROLES[kind], size)
    of_roles = np.where(np.arange(SLOTS)[None, :] < size[:, None], _ROLES[kind], -1)
    return Members(
        key=key,
        resident=resident,
        household=household,
        slot=slot,
        role=role,
        age=age,
        female=female,
        household_key=household_key,
        household_size=size,
        household_subdistrict=subdistrict,
        elderly_only=(of_roles == _ROLE["E"]).any(axis=1) & ~(of_roles == _ROLE["A"]).any(axis=1),
        single=size == 1,
    )


def _sizes(draws: Draws, subdistrict: int, people: int) -> tuple[Ints, Ints]:
    """Keys and sizes of a subdistrict's first households that hold ``people``."""
    keys, sizes, have, start = [], [], 0, 0
    while have < people:
        n = int((people - have) / 2.5) + 64
        key = np.int64(subdistrict + 1) * np.int64(2**32) + np.arange(start, start + n)
        size = pick(draws.uniform("household.size", key), SIZE_SHARES) + 1
        keys.append(key)
        sizes.append(size)
        have += int(size.sum())
        start += n
    key, size = np.concatenate(keys), np.concatenate(sizes)
    last = int(np.searchsorted(np.cumsum(size), people)) + 1
    return key[:last], size[:last]


def _ages(
    draws: Draws,
    key: Ints,
    household: Ints,
    slot: Ints,
    role: npt.NDArray[np.int8],
    u_base: Floats,
    roles: npt.NDArray[np.int8],
    size: Ints,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
    """Ages in years and sex: generations hang together; couples are of both sexes."""
    u, v = draws.pair("person.age", key)
    used = np.arange(SLOTS)[None, :] < size[:, None]
    child = ((roles == _ROLE["C"]) & used).any(axis=1)
    grown = ((roles == _ROLE["G"]) & used).any(axis=1)
    first_child = 18.0 * u_base  # age of the eldest child under 18
    # parents are 23 to 35 years older than the eldest child; couples without children spread over 22..59
    parent = np.where(grown, 46.0 + 12.0 * u_base, np.where(child, first_child + 29.0, 22.0 + 37.0 * u_base**0.8))
    base = parent[household]
    age = np.where(role == 0, _fold(base + (u - 0.5) * np.where(child[household], 10.0, 5.0), 59.0, 20.0), 0.0)
    child_number = np.zeros(len(role), dtype=np.int64)
    is_child = role == 1
    first_slot = np.where(child, np.argmax((roles == 1) & used, axis=1), 0)
    child_number[is_child] = (slot - first_slot[household])[is_child]
    eldest = np.where(grown[household], 17.9 * u, first_child[household])
    younger = eldest - child_number * (1.5 + 4.5 * u)
    # a gap larger than the eldest's age: somewhere in between
    younger = np.where(younger < 0.0, eldest * u, younger)
    age = np.where(is_child, np.minimum(younger, 17.9), age)
    age = np.where(role == 2, 18.0 + 11.0 * u, age)
    alone = ~((roles == 0) & used).any(axis=1)[household]
    old = np.where(alone, 60.0 + 27.0 * u**1.5, np.clip(_fold(base + 21.0 + 8.0 * u, 57.0, 20.0, up=True), 57.0, 90.0))
    age = np.where(role == 3, old, age)
    # first of a couple and second are of different sex; everybody else by draw
    second = np.zeros(len(role), dtype=bool)
    second[1:] = (role[1:] == role[:-1]) & (household[1:] == household[:-1]) & np.isin(role[1:], (0, 3))
    female = v < 0.5
    rows = np.flatnonzero(second)
    female[rows] = ~female[rows - 1]
    return age.astype(np.int16), female


def _fold(age: Floats, edge: float, most: float, *, up: bool = False) -> Floats:
    """Mirror ages beyond ``edge`` back (by at most ``most`` years) so that none pile up there."""
    beyond = np.clip(edge - age if up else age - edge, 0.0, most)
    return np.where(beyond > 0.0, edge + beyond if up else edge - beyond, age)
