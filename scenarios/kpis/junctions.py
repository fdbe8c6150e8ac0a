"""Indicators of junctions; each is defined in docs/metrics.md."""

from __future__ import annotations

from scenarios.kpis.base import Kpi

JUNCTIONS: tuple[Kpi, ...] = ()
JUNCTIONS_HEADLINE: tuple[Kpi, ...] = ()
