"""What the sanitation desk hears and says: streets to keep clean, dirt seen, tipping and water (F25)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message


@dataclass(frozen=True)
class CleaningArea(Message):
    """The roads to keep clean, told once: equal-length columns over ``road``.

    ``standard``: cleanliness 0..1 to be kept; sweeping allowed in [from_s, until_s) of each day; ``sweep_m_s``:
    speed of sweeping; ``litter_l_m``: litres of litter expected per metre and day.
    """

    area: str
    road: Ints
    standard: float
    from_s: int
    until_s: int
    sweep_m_s: float
    litter_l_m: Floats


@dataclass(frozen=True)
class DirtReports(Message):
    """How dirty roads were seen to be (cameras of units, cleaners, citizens): grams per metre, with errors."""

    road: Ints
    litter_g_m: Floats
    dust_g_m: Floats
    source: str


@dataclass(frozen=True)
class Tanks(Message):
    """Level of hopper (litres of litter) and water (litres) of units, as they tell it; equal-length columns."""

    unit: Ints
    hopper_l: Floats
    water_l: Floats


@dataclass(frozen=True)
class ServiceUnit(Command):
    """Tip the hopper or fill the water tank where the unit stands: ``what`` is "tip" or "water"."""

    unit: int
    what: str
