"""The promises about comparing, branching, checking and sweeping, and how each is measured; the bench of :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from scenarios.bench.base import Promise

SCENARIOS: tuple[Promise, ...] = ()


class OfScenarios:
    """Methods of the bench, one a promise."""
