"""Indicators of junctions (F19, F20); each is defined in docs/metrics.md."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events

HOUR_S = 3600
BUSES = ("bus", "shuttle")
Bools = npt.NDArray[np.bool_]


def _mean_delay(m: Memory, where: Bools | None = None) -> float | None:
    rows = m.columns(events.ApproachDelayed)
    use = np.ones(rows["t_s"].size, dtype=bool) if where is None else where
    passed = float(rows["passed_veh"][use].sum())
    return float(rows["delay_veh_s"][use].sum()) / passed if passed > 0 else None


def _signal_delay(m: Memory) -> float | None:
    return _mean_delay(m)


def _signal_delay_hours(m: Memory) -> float | None:
    lost = m.columns(events.ApproachDelayed)["delay_veh_s"]
    return float(lost.sum()) / HOUR_S if lost.size else None


def _bus_passes(m: Memory) -> dict[str, npt.NDArray[np.float64]]:
    passed = m.columns(events.SignalPassed)
    bus = np.isin(passed["kind"].astype(str), BUSES)
    return {name: values[bus] for name, values in passed.items()}


def _bus_signal_delay(m: Memory) -> float | None:
    delay = _bus_passes(m)["delay_s"]
    return float(delay.mean()) if delay.size else None


def _cross_delay(m: Memory) -> float | None:
    """Delay of approaches without buses, at junctions that buses pass."""
    passed, rows = _bus_passes(m), m.columns(events.ApproachDelayed)
    at_bus = np.isin(rows["junction"], np.unique(passed["junction"]))
    return _mean_delay(m, at_bus & ~np.isin(rows["road"], np.unique(passed["road"])))


def _priority_granted(m: Memory) -> float | None:
    asked = m.columns(events.PriorityAsked)
    passed = m.columns(events.SignalPassed)
    n = asked["t_s"].size
    return 100 * float(passed["granted"].astype(bool).sum()) / n if n else None


def _fallbacks(m: Memory) -> float | None:
    if not m.columns(events.JunctionGraded)["t_s"].size:
        return None
    return float(m.columns(events.SignalsFellBack)["t_s"].size)


JUNCTIONS: tuple[Kpi, ...] = (
    Kpi("signal_delay", "delay at signals per passage", "路口平均延误", "s", "lower", _signal_delay),
    Kpi("signal_delay_hours", "time lost at signals", "路口总延误", "vehicle-hours", "lower", _signal_delay_hours),
    Kpi("bus_signal_delay", "delay of buses at signals per passage", "公交路口延误", "s", "lower", _bus_signal_delay),
    Kpi("cross_delay", "delay of the traffic that crosses buses", "横向交通延误", "s", "lower", _cross_delay),
    Kpi(
        "priority_granted",
        "requests for priority that were granted",
        "优先请求获准率",
        "%",
        "neither",
        _priority_granted,
    ),
    Kpi("signal_fallbacks", "junctions that fell back to their plan", "降级到本地方案次数", "", "lower", _fallbacks),
)
JUNCTIONS_HEADLINE: tuple[Kpi, ...] = JUNCTIONS[:1]
