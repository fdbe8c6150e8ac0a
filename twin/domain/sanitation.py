"""What the sanitation desk hears and says: streets to keep clean, dirt seen, tipping and water (F25).

Dirt is measured in grams per metre of road (one direction, kerb to centre line): *litter* is what people drop,
*dust* is grit, sand and silt. :func:`cleanliness` makes one figure of the two, for truth and control alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: metres of carriageway per lane (CJJ 37-2012: 3.25 to 3.75 m)
LANE_M = 3.5
#: dust at which cleanliness is halved: 10 g/m², the order of the limits of Chinese cities that weigh what lies on
#: the carriageway (以克论净: 5 to 15 g/m² by class of road)
DUST_HALF_G_M2 = 10.0
#: litter at which cleanliness is halved (assumed: about one cigarette end on each square metre, or a cup on ten)
LITTER_HALF_G_M2 = 1.0
#: grams in a litre of the hopper: loose litter, and grit that settles (assumed; sand weighs about 1,500 g/l)
LITTER_G_L = 100.0
DUST_G_L = 1_200.0


def cleanliness(
    litter_g_m: npt.NDArray[np.float64], dust_g_m: npt.NDArray[np.float64], lanes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the cleanliness of roads, 1 (nothing lies there) towards 0; arrays of one length.

    ``2^-(litter/1 g/m² + dust/10 g/m²)``: it halves with each such amount on the carriageway (``lanes`` × 3.5 m).
    """
    width_m = LANE_M * np.maximum(np.asarray(lanes, dtype=np.float64), 1.0)
    halvings = litter_g_m / (LITTER_HALF_G_M2 * width_m) + dust_g_m / (DUST_HALF_G_M2 * width_m)
    return np.asarray(np.exp2(-halvings), dtype=np.float64)


def hopper_l(litter_g: npt.NDArray[np.float64], dust_g: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the litres that litter and dust (g) take in a hopper."""
    return np.asarray(litter_g / LITTER_G_L + dust_g / DUST_G_L, dtype=np.float64)


@dataclass(frozen=True)
class CleaningArea(Message):
    """The roads to keep clean, told once: equal-length columns over ``road``.

    ``standard``: cleanliness 0..1 to be kept; sweeping is allowed in each [from_s[i], until_s[i]) of each day (over
    midnight where from_s > until_s); ``sweep_m_s``: speed of sweeping; ``lanes``; ``litter_l_m``: litres of hopper
    that a metre is expected to fill in a day.
    """

    area: str
    road: Ints
    standard: float
    from_s: Ints
    until_s: Ints
    sweep_m_s: float
    lanes: Ints
    litter_l_m: Floats


@dataclass(frozen=True)
class SweeperKit(Message):
    """What the units of the Roster carry, told once: equal-length columns over ``unit``.

    ``water_l``: full tank; ``water_l_m``: water used per metre swept; ``tip_s``: time to tip; ``fill_l_s``: litres of
    water filled in a second.
    """

    unit: Ints
    water_l: Floats
    water_l_m: Floats
    tip_s: Ints
    fill_l_s: Floats


@dataclass(frozen=True)
class DirtReports(Message):
    """How dirty roads were seen to be, with errors, in grams per metre.

    ``source``: "camera" (of a unit that went by), "cleaner" or "citizen".
    """

    road: Ints
    litter_g_m: Floats
    dust_g_m: Floats
    source: str


@dataclass(frozen=True)
class Tanks(Message):
    """Level of hopper (litres of litter and dust) and water (litres) of units, as they tell it; columns."""

    unit: Ints
    hopper_l: Floats
    water_l: Floats


@dataclass(frozen=True)
class ServiceUnit(Command):
    """Tip the hopper or fill the water tank where the unit stands: ``what`` is "tip" or "water"."""

    unit: int
    what: str
