"""The promises about services, companies, construction; :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from scenarios.bench.base import Promise

SERVICES: tuple[Promise, ...] = ()


class OfServices:
    """Methods of the bench, one a promise."""
