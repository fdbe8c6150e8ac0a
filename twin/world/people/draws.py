"""The named draws of people: one stream per decision, entity = a person's or household's key, occurrence = day.

A key depends only on the subdistrict, the household's place in it and the slot in the household, never on how
many people there are; that is why one more resident changes nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.dice import Dice, Stream

Ints = npt.NDArray[Any]  # whole numbers
Floats = npt.NDArray[Any]

_TWO26 = float(2**26)


class Draws:
    """The streams ``people.<decision>``, each made when first used."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._streams: dict[str, Stream] = {}

    def __getitem__(self, decision: str) -> Stream:
        stream = self._streams.get(decision)
        if stream is None:
            stream = self._streams[decision] = self._dice.stream(f"people.{decision}")
        return stream

    def uniform(self, decision: str, key: npt.NDArray[np.int64], occurrence: int = 0) -> Floats:
        """Return one number in [0, 1) per key."""
        if key.size == 0:
            return np.empty(0)
        return self[decision].uniform(key, occurrence)

    def pair(self, decision: str, key: npt.NDArray[np.int64], occurrence: int = 0) -> tuple[Floats, Floats]:
        """Return two independent numbers in [0, 1) per key, 26 bits each, out of one draw."""
        scaled = self.uniform(decision, key, occurrence) * _TWO26
        high = np.floor(scaled)
        return high / _TWO26, scaled - high


def pick(u: Floats, weights: Sequence[float] | Floats) -> Ints:
    """Return indices drawn in proportion to ``weights`` by the numbers ``u`` in [0, 1)."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    found = np.searchsorted(cumulative, u * cumulative[-1], side="right")
    return np.asarray(np.minimum(found, cumulative.size - 1), dtype=np.int64)


def pick_rows(u: Floats, row: npt.NDArray[np.integer], table: Floats) -> Ints:
    """Return column indices drawn in proportion to row ``row[i]`` of ``table`` (weights, no row all zero)."""
    cumulative = np.cumsum(table, axis=1)
    cumulative /= cumulative[:, -1:]
    n = table.shape[1]
    # one search over all rows at once: row r occupies (r, r + 1]
    flat = (cumulative + np.arange(len(table))[:, None]).ravel()
    found = np.searchsorted(flat, np.asarray(row, dtype=np.float64) + u, side="right") - np.asarray(row) * n
    return np.asarray(np.clip(found, 0, n - 1), dtype=np.int64)


def apportion(weights: npt.ArrayLike, seats: int, first: float = 1.0) -> Ints:
    """Return which party gets seat 0, 1, 2 … (shape ``(seats,)``): a divisor method, so it is house-monotone.

    ``first`` is the divisor of a party's first seat: 1 = Webster/Sainte-Laguë (seat k has 2k + 1; whole quotas
    are met exactly), 0 = Adams (everybody's first seat comes before anybody's second). Ties go to the earlier
    party. Seat i does not depend on how many seats there are.
    """
    w = np.asarray(weights, dtype=np.float64)
    if seats <= 0 or not w.sum() > 0:
        return np.empty(0, dtype=np.int64)
    alive = np.flatnonzero(w > 0)
    slack = 2
    while True:
        most = np.minimum(np.ceil(w[alive] / w.sum() * seats).astype(np.int64) + slack, seats)
        party = np.repeat(alive, most)
        seat = np.arange(most.sum()) - np.repeat(np.cumsum(most) - most, most)
        priority = (2.0 * seat + first) / w[party]
        if first == 0.0:
            # among first seats of Adams' method the heaviest party goes first, all before any second seat
            priority[seat == 0] = -1.0 + 1.0 / (1.0 + w[party[seat == 0]])
        order = np.lexsort((party, priority))[:seats]
        got = np.bincount(party[order], minlength=len(w))[alive]
        if (got < most).all() or slack > seats or len(alive) == 1:
            return party[order].astype(np.int64)
        slack *= 8  # somebody used up all the seats considered for them: look at more
