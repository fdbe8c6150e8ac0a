"""The promises about comparing, branching, checking, sweeping; :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from scenarios.bench.base import Promise

SCENARIOS: tuple[Promise, ...] = ()


class OfScenarios:
    """Methods of the bench, one a promise."""
