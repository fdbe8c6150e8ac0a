"""Facts of street cleaning: litter and dust, sweeping, tipping (F25)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class RoadSwept(Fact):
    """A unit swept a road: grams of litter and of dust removed."""

    unit: int
    road: int
    litter_g: float
    dust_g: float


@dataclass(frozen=True)
class CleanlinessMeasured(Fact):
    """Truth, every quarter of an hour: mean over the metres of an ``area``.

    ``cleanliness`` 0..1, ``clean_share`` of metres above the standard.
    """

    area: str
    cleanliness: float
    clean_share: float
    litter_g_m: float
    dust_g_m: float


@dataclass(frozen=True)
class HopperTipped(Fact):
    """A unit emptied its hopper at ``place``."""

    unit: int
    place: str
    load: int


@dataclass(frozen=True)
class WaterFilled(Fact):
    """A unit filled its water tank at ``place``."""

    unit: int
    place: str
    litres: int


@dataclass(frozen=True)
class LitterSeen(Fact):
    """Perception: a camera, a cleaner or a citizen told that a road was dirty (estimated grams per metre)."""

    road: int
    litter_g_m: float
