"""Indicators of V2X: latency, channel load, coverage, standstills, warnings; each is defined in docs/metrics.md."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events

TOO_HARD_M_S2 = 4.5  # deceleration a driver needs all the brakes for (SUMO's default of a car)


def _latency(way: str, q: float) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        c = m.columns(events.LatencyCounted)
        mine = c["way"] == way
        if not mine.any():
            return None
        upper, rows = np.unique(c["upper_ms"][mine], return_inverse=True)
        total = np.cumsum(np.bincount(rows, weights=c["count"][mine]))
        return float(upper[np.searchsorted(total, q * total[-1])])

    return compute


def _of_orders(field: str) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        c = m.columns(events.ExchangeMeasured)
        n = float(c["orders"].sum())
        return 100.0 * float(c[field].sum()) / n if n else None

    return compute


def _busy(q: float) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        busy = m.columns(events.ChannelMeasured)["busy"]
        return 100.0 * float(np.quantile(busy, q)) if busy.size else None

    return compute


def _heard(m: Memory) -> float | None:
    c = m.columns(events.ChannelMeasured)
    sent = c["sent"].sum()
    return 100.0 * float(c["heard"].sum() / sent) if sent else None


def _covered(m: Memory) -> float | None:
    c = m.columns(events.CoverageMeasured)
    stations = c["stations"].sum()
    return 100.0 * float(c["covered"].sum() / stations) if stations else None


def _trips(field: str) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        values = m.columns(events.TripDriven)[field]
        return float(values.mean()) if values.size else None

    return compute


def _fuel(m: Memory) -> float | None:
    c = m.columns(events.TripDriven)
    km = c["distance_m"].sum() / 1000.0
    return float(c["fuel_g"].sum() / km) if km else None


def _critical(m: Memory) -> float | None:
    needs = m.columns(events.HazardMet)["needs_m_s2"]
    return 100.0 * float((needs > TOO_HARD_M_S2).mean()) if needs.size else None


def _warned(m: Memory) -> float | None:
    warned = m.columns(events.HazardMet)["warned"]
    return 100.0 * float(warned.astype(bool).mean()) if warned.size else None


v2x_latency_p50_ms = Kpi(
    "v2x_latency_p50_ms", "Latency of a CAM, median", "CAM时延中位数", "ms", "lower", _latency("cam", 0.5)
)
v2x_latency_p99_ms = Kpi(
    "v2x_latency_p99_ms", "Latency of a CAM, 99 %", "CAM时延99分位", "ms", "lower", _latency("cam", 0.99)
)
v2x_exchange_p50_ms = Kpi(
    "v2x_exchange_p50_ms", "Perceive → cloud → cabinet, median", "感知—云控—信号机时延中位数", "ms", "lower",
    _latency("exchange", 0.5),
)  # fmt: skip
v2x_exchange_p99_ms = Kpi(
    "v2x_exchange_p99_ms", "Perceive → cloud → cabinet, 99 %", "感知—云控—信号机时延99分位", "ms", "lower",
    _latency("exchange", 0.99),
)  # fmt: skip
v2x_exchange_over_budget = Kpi(
    "v2x_exchange_over_budget", "Exchanges over the latency budget", "超出时延预算的云控交互占比", "%", "lower",
    _of_orders("over_budget"),
)  # fmt: skip
v2x_orders_left_aside = Kpi(
    "v2x_orders_left_aside", "Orders of the cloud that cabinets left aside", "信号机未执行的云控指令占比", "%", "lower",
    _of_orders("left_aside"),
)  # fmt: skip
v2x_channel_busy = Kpi("v2x_channel_busy", "Channel busy ratio, 95 %", "信道占用率95分位", "%", "lower", _busy(0.95))
v2x_heard_share = Kpi("v2x_heard_share", "CAMs heard by the nearest unit", "CAM接收率", "%", "higher", _heard)
v2x_coverage = Kpi("v2x_coverage", "Connected vehicles heard each second", "路侧覆盖率", "%", "higher", _covered)
standstills_per_trip = Kpi(
    "standstills_per_trip",
    "Standstills per trip (watched trips)",
    "每次出行停车次数",
    "",
    "lower",
    _trips("standstills"),
)
fuel_g_km = Kpi("fuel_g_km", "Fuel per kilometre, proxy (watched trips)", "每公里油耗（代理）", "g/km", "lower", _fuel)
hazards_critical_share = Kpi(
    "hazards_critical_share",
    "Met a hazard too late to brake normally",
    "来不及正常制动的险情占比",
    "%",
    "lower",
    _critical,
)
hazards_warned_share = Kpi(
    "hazards_warned_share", "Hazards known by warning first", "预警先于目视占比", "%", "higher", _warned
)

V2X: tuple[Kpi, ...] = (
    v2x_latency_p50_ms,
    v2x_latency_p99_ms,
    v2x_exchange_p50_ms,
    v2x_exchange_p99_ms,
    v2x_exchange_over_budget,
    v2x_orders_left_aside,
    v2x_channel_busy,
    v2x_heard_share,
    v2x_coverage,
    standstills_per_trip,
    fuel_g_km,
    hazards_critical_share,
    hazards_warned_share,
)
V2X_HEADLINE: tuple[Kpi, ...] = (v2x_exchange_p50_ms, v2x_exchange_p99_ms, v2x_coverage, standstills_per_trip)
