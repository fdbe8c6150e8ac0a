"""Indicators of city brain; each is defined in docs/metrics.md."""

from __future__ import annotations

from scenarios.kpis.base import Kpi

CITY_BRAIN: tuple[Kpi, ...] = ()
CITY_BRAIN_HEADLINE: tuple[Kpi, ...] = ()
