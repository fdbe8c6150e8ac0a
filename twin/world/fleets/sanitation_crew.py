"""The baseline: cleaners on foot with brooms and carts, each on a beat of its own; no vehicles.

The kerb of the area, in the order of one tour, is cut into beats of equal length. A cleaner sweeps the beat once with
the broom when the shift begins and then goes round picking up litter until it ends, breaks apart. Speeds are
assumed, from what handbooks let one man do in a shift: 250 to 1,000 m of street, footway included, by class of street
(manual of India's CPHEEO on municipal solid waste). A cart is emptied at the kerb, at collection points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.control.mobility.sanitation.tours import closed_tour
from twin.domain.ids import unit_number
from twin.domain.sanitation import DUST_G_L, LITTER_G_L
from twin.events import RoadSwept
from twin.log import Log
from twin.world.fleets.dirt import DAY_S, Dirt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FIRST_CLEANER = 50_000  # cleaners are numbered as sweepers from here on
BROOM_M_S, PICK_M_S = 0.12, 0.35  # sweeping and picking, walking included (assumed)
CART_L, EMPTY_S = 120.0, 600  # two bins of 60 l; to the collection point and back (assumed)
BREAKS = ((8 * 3600, 8 * 3600 + 1800), (11 * 3600, 12 * 3600 + 1800))  # breakfast and lunch (assumed)


@dataclass
class _Cleaner:
    """One cleaner: pieces (road, metres) of the beat, which one is next, metres done of it, litres in the cart."""

    unit: int
    pieces: list[tuple[int, float]]
    at: int = 0
    done_m: float = 0.0
    cart_l: float = 0.0
    owed_s: float = 0.0
    broom: bool = True


class Crew:
    """All cleaners; ``step`` lets them work for a while."""

    def __init__(self, dirt: Dirt, roads: Ints, between_s: Floats, cleaners: int, shift: tuple[int, int], log: Log):
        self._dirt, self._log, self._shift = dirt, log, shift
        order = roads[closed_tour(between_s)]
        self.cleaners = [
            _Cleaner(int(unit_number("sweeper", FIRST_CLEANER + k)), pieces)
            for k, pieces in enumerate(beats(order, dirt.length_m[order], cleaners))
        ]

    def step(self, until_s: int, seconds: int) -> None:
        """Work for ``seconds`` up to ``until_s``."""
        work_s = working_s(until_s - seconds, until_s, self._shift)
        begins = working_s(until_s - seconds - 1, until_s - seconds, self._shift) == 0.0
        first = begins and not any(begin <= (until_s - seconds) % DAY_S <= end for begin, end in BREAKS)
        unit, road, litter, dust = list[int](), list[int](), list[float](), list[float]()
        for c in self.cleaners:
            if work_s > 0 and first:
                c.at, c.done_m, c.broom = 0, 0.0, True
            for swept in self._work(c, work_s):
                unit.append(c.unit)
                road.append(swept[0])
                litter.append(swept[1])
                dust.append(swept[2])
        self._log.add(
            RoadSwept,
            t_s=until_s,
            unit=np.asarray(unit, dtype=np.int64),
            road=np.asarray(road, dtype=np.int64),
            litter_g=np.asarray(litter),
            dust_g=np.asarray(dust),
        )

    def _work(self, c: _Cleaner, left_s: float) -> list[tuple[int, float, float]]:
        """Let one cleaner work; return (road, litter, dust in grams) of each piece that was done."""
        out: list[tuple[int, float, float]] = []
        while left_s > 0 and c.pieces:
            pause = min(c.owed_s, left_s)
            c.owed_s, left_s = c.owed_s - pause, left_s - pause
            road, metres = c.pieces[c.at]
            speed = BROOM_M_S if c.broom else PICK_M_S
            go = min(metres - c.done_m, speed * left_s)
            c.done_m, left_s = c.done_m + go, left_s - go / speed
            if c.done_m < metres - 1e-6:
                break
            litter, dust = self._dirt.sweep(road, metres, "broom" if c.broom else "pick")
            out.append((road, litter, dust))
            c.cart_l += litter / LITTER_G_L + dust / DUST_G_L
            c.owed_s += EMPTY_S * (c.cart_l // CART_L)
            c.cart_l %= CART_L
            c.at, c.done_m = (c.at + 1) % len(c.pieces), 0.0
            c.broom = c.broom and c.at > 0
        return out


def working_s(from_s: int, until_s: int, shift: tuple[int, int]) -> float:
    """Return how many of the seconds [from_s, until_s), at most a day, lie in the shift and in no break."""
    total = 0
    for day in (from_s // DAY_S, until_s // DAY_S) if from_s // DAY_S != until_s // DAY_S else (from_s // DAY_S,):
        a, b = max(from_s - day * DAY_S, 0), min(until_s - day * DAY_S, DAY_S)
        total += max(min(b, shift[1]) - max(a, shift[0]), 0)
        for begin, end in BREAKS:
            inside = max(begin, shift[0]), min(end, shift[1])
            total -= max(min(b, inside[1]) - max(a, inside[0]), 0)
    return float(total)


def beats(roads: Ints, length_m: Floats, count: int) -> list[list[tuple[int, float]]]:
    """Cut roads in their order into ``count`` beats of equal length: pieces (road, metres) each."""
    ends = np.cumsum(length_m)
    cuts = ends[-1] * np.arange(1, count) / count
    marks = np.unique(np.concatenate([[0.0], ends, cuts]))
    middle = (marks[:-1] + marks[1:]) / 2
    road = roads[np.minimum(np.searchsorted(ends, middle), roads.size - 1)]
    beat = np.searchsorted(cuts, middle)
    out: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for b, r, metres in zip(beat.tolist(), road.tolist(), np.diff(marks).tolist(), strict=True):
        if metres > 1e-6:
            out[b].append((r, metres))
    return out
