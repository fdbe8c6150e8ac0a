"""The promises about services, companies and construction, and how each is measured; the bench of :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from scenarios.bench.base import Promise

SERVICES: tuple[Promise, ...] = ()


class OfServices:
    """Methods of the bench, one a promise."""
