"""Indicators of services; each is defined in docs/metrics.md."""

from __future__ import annotations

from scenarios.kpis.base import Kpi

SERVICES: tuple[Kpi, ...] = ()
SERVICES_HEADLINE: tuple[Kpi, ...] = ()
