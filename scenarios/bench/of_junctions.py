"""The promises about junctions, and how each is measured; the bench of :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from scenarios.bench.base import Promise

JUNCTIONS: tuple[Promise, ...] = ()


class OfJunctions:
    """Methods of the bench, one a promise."""
