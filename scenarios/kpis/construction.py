"""Indicators of construction; each is defined in docs/metrics.md."""

from __future__ import annotations

from scenarios.kpis.base import Kpi

CONSTRUCTION: tuple[Kpi, ...] = ()
CONSTRUCTION_HEADLINE: tuple[Kpi, ...] = ()
