"""The promises about the city brain, and how each is measured; :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from scenarios.bench.base import Promise

CITY_BRAIN: tuple[Promise, ...] = ()


class OfCityBrain:
    """Methods of the bench, one a promise."""
