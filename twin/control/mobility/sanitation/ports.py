"""What a sanitation policy is: one method, from a frozen view to rounds.

A policy of your own, in ten lines – each unit goes to the nearest road that is due, and on from there::

    class NearestDue:
        def rounds(self, view):
            left, out = list(view.road[view.due]), []
            for unit, start in zip(view.unit, view.unit_road):
                way = [start]
                while left and len(way) <= 10:
                    way.append(left.pop(int(np.argmin(view.transit_s(way[-1], left)[0]))))
                out.append(Round(int(unit), tuple(way[1:])))
            return out

Run it with ``sanitation: {policy: "my.module:NearestDue"}``. Tipping, water, charging, hours and the way home are
the desk's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SanitationView:
    """What a policy may know, at second ``now_s``; sweeping is allowed until ``ends_s`` and began at ``shift_s``.

    Roads that may be swept now and that no unit is sweeping, one row each: ``road`` (index, ascending),
    ``length_m``, ``sweep_s`` (time to sweep it), ``litter_g_m``, ``dust_g_m``, ``cleanliness`` (0..1; all three as
    expected by the desk), ``swept_s`` (when it was last swept, -1: never), ``due`` (not swept in this shift, or
    below ``standard``), ``fill_l`` (litres it will put into a hopper).
    Units that work or could, one row each: ``unit`` (number, ascending), ``unit_road`` (where its present leg ends),
    ``hopper_l`` (room left in the hopper).
    ``transit_s(from_roads, to_roads)``: seconds from the end of a road to the beginning of another, shape
    (from, to), at transit speed; inf: no way.
    """

    now_s: int
    shift_s: int
    ends_s: int
    standard: float
    road: Ints
    length_m: Floats
    sweep_s: Floats
    litter_g_m: Floats
    dust_g_m: Floats
    cleanliness: Floats
    swept_s: Ints
    due: Bools
    fill_l: Floats
    unit: Ints
    unit_road: Ints
    hopper_l: Floats
    transit_s: Callable[[npt.ArrayLike, npt.ArrayLike], Floats]


@dataclass(frozen=True)
class Round:
    """Roads that a unit shall sweep, in order."""

    unit: int
    roads: tuple[int, ...]


class SanitationPolicy(Protocol):
    """Decides who sweeps which roads in which order."""

    def rounds(self, view: SanitationView) -> Sequence[Round]:
        """Return at most one round per unit of the view, no road in two; a unit without one has nothing to do.

        The rounds replace those of before. It is asked when a shift begins, when a unit has done its round, when
        units come or go, and when roads close or open.
        """
