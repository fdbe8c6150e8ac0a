"""Where people go: gravity. Attraction of blocks, decay with the driving time between zones.

A :class:`Destinations` is one table of probabilities zone → zone, and within the zone blocks in proportion to
their attraction. For workplaces and schools the table is balanced (Furness), so that on average every zone is
chosen in proportion to the places it has. It depends on the city alone, never on who lives in it in this run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.people.travel import NOWHERE, Travel

Codes = npt.NDArray[Any]  # location codes, rows, zones
Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Destinations:
    """Probabilities of destinations; made by :meth:`of`. ``empty``: there is nowhere to go in this city."""

    zone_cumulative: Floats  # flat, row r occupies (r, r + 1]
    blocks: Codes  # block rows ordered by zone
    block_cumulative: Floats  # flat, zone z occupies (z, z + 1]
    n_zones: int
    empty: bool

    @classmethod
    def of(
        cls,
        travel: Travel,
        attraction: npt.NDArray[np.number],
        per_minute: float,
        producers: npt.NDArray[np.number] | None = None,
        balance: float = 1.0,
        mass: float = 1.0,
    ) -> Destinations:
        """Build from ``attraction`` per block and the decay ``exp(-per_minute * minutes)``.

        ``producers`` (per block: where the travellers live) balances the table as far as ``balance`` says
        (0 not at all … 1 fully); None leaves it free. ``mass`` < 1: twice the shops draw less than twice as many.
        """
        z = travel.n_zones
        weight = np.maximum(np.asarray(attraction, dtype=np.float64), 0.0)
        zone = travel.zone[: travel.n_blocks]
        attract = np.bincount(zone, weight, z)
        if not attract.sum() > 0:
            none = np.empty(0)
            return cls(none, none.astype(np.int64), none, z, empty=True)
        table = np.exp(-np.minimum(per_minute * travel.zone_minutes(), 60.0)) * attract[None, :] ** mass
        if producers is not None:
            table = _balance(table, np.bincount(zone, np.asarray(producers, np.float64), z), attract, balance)
        table = table + attract[None, :] * 1e-12
        cumulative = np.cumsum(table, axis=1)
        cumulative /= cumulative[:, -1:]
        order = np.argsort(zone, kind="stable")
        order = order[weight[order] > 0]
        zo = zone[order]
        running = np.cumsum(weight[order])
        before = (np.cumsum(attract) - attract)[zo]
        inside = np.minimum((running - before) / attract[zo], 1.0)
        return cls((cumulative + np.arange(z)[:, None]).ravel(), order, inside + zo, z, empty=False)

    def choose(self, from_zone: Codes, u_zone: Floats, u_block: Floats) -> Codes:
        """Return a block row for each traveller, by two numbers in [0, 1) each; NOWHERE if the table is empty."""
        if self.empty:
            return np.full(len(from_zone), NOWHERE, dtype=np.int64)
        found = np.searchsorted(self.zone_cumulative, from_zone + u_zone, side="right")
        zone = np.clip(found - from_zone * self.n_zones, 0, self.n_zones - 1)
        at = np.searchsorted(self.block_cumulative, zone + u_block, side="right")
        return np.asarray(self.blocks[np.minimum(at, len(self.blocks) - 1)], dtype=np.int64)


def _balance(table: Floats, produced: Floats, attract: Floats, degree: float, rounds: int = 40) -> Floats:
    """Scale columns until they add up to the attraction (Furness); rows add up to what they produce."""
    if not produced.sum() > 0:
        return table
    target = attract / attract.sum() * produced.sum()
    column = np.ones(len(attract))
    for _ in range(rounds):
        row = produced / np.maximum(table @ column, 1e-300)
        column = target / np.maximum(row @ table, 1e-300)
    return table * column[None, :] ** degree
