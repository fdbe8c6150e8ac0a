"""Indicators of the fleets: autonomous buses, parcels, street cleaning (F22-F25)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scenarios.costs import cost, load_prices, quantities
from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events
from twin.domain.ids import VEHICLE_KINDS

HOUR_S = 3600
_UNITS = 100_000
Column = npt.NDArray[np.float64]


def _count(kind: type[events.Fact]) -> Callable[[Memory], int]:
    return lambda m: int(m.columns(kind)["t_s"].size)


def _quantile(kind: type[events.Fact], field: str, q: float, scale: float = 1.0) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        values = m.columns(kind)[field]
        return float(np.quantile(np.abs(values), q)) * scale if values.size else None

    return compute


def _mean(kind: type[events.Fact], field: str, scale: float = 1.0) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        values = m.columns(kind)[field]
        return float(values.mean()) * scale if values.size else None

    return compute


def _share_of(part: Callable[[Memory], float], whole: Callable[[Memory], float]) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        n = whole(m)
        return 100 * part(m) / n if n else None

    return compute


def _fleet_km(m: Memory, fleet: str) -> float:
    legs = m.columns(events.UnitArrived)
    mine = legs["unit"] // _UNITS == VEHICLE_KINDS[fleet]
    return float(legs["distance_m"][mine].sum() / 1000)


# -- autonomous buses ----------------------------------------------------------------------------------

_bookings = _count(events.BookingMade)


def _bus_refused(m: Memory) -> float:
    return float((~m.columns(events.BookingAnswered)["accepted"].astype(bool)).sum())


def _detour(m: Memory) -> float | None:
    a = m.columns(events.PassengerAlighted)
    direct = a["direct_s"].sum()
    return float(a["ride_s"].sum() / direct) if direct else None


def _wish(m: Memory) -> float | None:
    """Minutes from the second at which they wished to set out to boarding, over those who boarded."""
    made, boarded = m.columns(events.BookingMade), m.columns(events.PassengerBoarded)
    if not boarded["t_s"].size:
        return None
    wanted = dict(zip(made["booking"].tolist(), made["wanted_s"].tolist(), strict=True))
    took = [t - wanted[b] for b, t in zip(boarded["booking"].tolist(), boarded["t_s"].tolist(), strict=True)]
    return float(np.mean(took)) / 60


def _take_overs(m: Memory) -> float | None:
    km = _fleet_km(m, "shuttle")
    return 100 * m.columns(events.TakeOverBegan)["t_s"].size / km if km else None


def _occupancy(m: Memory) -> float | None:
    aboard = m.columns(events.ShuttleStopped)["aboard"]
    return float(aboard.mean()) if aboard.size else None


shuttle_bookings = Kpi(
    "shuttle_bookings", "Bookings of autonomous buses", "自动驾驶公交预约数", "", "neither",
    lambda m: float(_bookings(m)) or None,
)  # fmt: skip
shuttle_served_share = Kpi(
    "shuttle_served_share", "Bookings served", "预约完成占比", "%", "higher",
    _share_of(_count(events.PassengerAlighted), _bookings),
)  # fmt: skip
shuttle_refused_share = Kpi(
    "shuttle_refused_share", "Bookings refused", "预约被拒占比", "%", "lower", _share_of(_bus_refused, _bookings)
)
shuttle_missed_share = Kpi(
    "shuttle_missed_share", "Bookings accepted and then missed", "已受理但未成行占比", "%", "lower",
    _share_of(_count(events.PassengerMissed), _bookings),
)  # fmt: skip
shuttle_wait_min = Kpi(
    "shuttle_wait_min", "Mean wait at the stop for an autonomous bus", "平均候车时间", "min", "lower",
    _mean(events.PassengerBoarded, "wait_s", 1 / 60),
)  # fmt: skip
shuttle_wait_p95_min = Kpi(
    "shuttle_wait_p95_min", "Wait that 19 of 20 passengers stay below", "候车时间95分位", "min", "lower",
    _quantile(events.PassengerBoarded, "wait_s", 0.95, 1 / 60),
)  # fmt: skip
shuttle_wish_min = Kpi(
    "shuttle_wish_min",
    "Mean time from the wish to set out to boarding",
    "从期望出发到上车的平均时间",
    "min",
    "lower",
    _wish,
)
shuttle_detour = Kpi("shuttle_detour", "Ride against the direct ride", "乘车绕行系数", "", "lower", _detour)
shuttle_takeovers_100km = Kpi(
    "shuttle_takeovers_100km", "Take-overs by the safety driver", "安全员接管次数", "per 100 km", "lower", _take_overs
)
shuttle_stop_error_p95_m = Kpi(
    "shuttle_stop_error_p95_m", "Distance from the mark at a stop, 95 %", "停靠精度95分位", "m", "lower",
    _quantile(events.ShuttleStopped, "error_m", 0.95),
)  # fmt: skip
shuttle_aboard = Kpi("shuttle_aboard", "People aboard after a stop, mean", "平均载客数", "", "higher", _occupancy)

# -- parcels -------------------------------------------------------------------------------------------

_orders = _count(events.OrderPlaced)


def _within_hour(m: Memory) -> float:
    return float((m.columns(events.OrderDelivered)["duration_s"] <= HOUR_S).sum())


def _order_refused(m: Memory) -> float:
    return float((~m.columns(events.OrderAnswered)["accepted"].astype(bool)).sum())


def _undelivered(m: Memory) -> float:
    return float(_orders(m) - m.columns(events.OrderDelivered)["t_s"].size - _order_refused(m))


def _no_show(m: Memory) -> float | None:
    failed, done = m.columns(events.HandOverFailed)["t_s"].size, m.columns(events.OrderDelivered)["t_s"].size
    return 100 * failed / (failed + done) if failed + done else None


def _parcel_cost(m: Memory) -> float | None:
    if not m.columns(events.ServiceDay)["t_s"].size:
        return None
    q = quantities(m.facts)
    return cost(q, load_prices()).per_parcel if q.delivered else None


def _parcel_km(m: Memory) -> float | None:
    done = m.columns(events.OrderDelivered)["t_s"].size
    return (_fleet_km(m, "robot") + _fleet_km(m, "courier")) / done if done else None


parcels_ordered = Kpi("parcels_ordered", "Orders placed", "订单数", "", "neither", lambda m: float(_orders(m)) or None)
delivery_within_hour = Kpi(
    "delivery_within_hour", "Orders delivered within the hour", "一小时内送达占比", "%", "higher",
    _share_of(_within_hour, _orders),
)  # fmt: skip
parcels_delivered_share = Kpi(
    "parcels_delivered_share", "Orders delivered", "送达占比", "%", "higher",
    _share_of(_count(events.OrderDelivered), _orders),
)  # fmt: skip
parcels_refused_share = Kpi(
    "parcels_refused_share", "Orders refused", "拒单占比", "%", "lower", _share_of(_order_refused, _orders)
)
parcels_undelivered_share = Kpi(
    "parcels_undelivered_share", "Orders taken and not delivered", "未送达占比", "%", "lower",
    _share_of(_undelivered, _orders),
)  # fmt: skip
parcel_time_min = Kpi(
    "parcel_time_min", "Mean time from order to hand-over", "下单到交付平均时间", "min", "lower",
    _mean(events.OrderDelivered, "duration_s", 1 / 60),
)  # fmt: skip
parcel_no_show_share = Kpi("parcel_no_show_share", "Hand-overs that failed", "交接失败占比", "%", "lower", _no_show)
parcel_km = Kpi("parcel_km", "Distance driven per delivered order", "单件行驶里程", "km", "lower", _parcel_km)
parcel_cost_cny = Kpi(
    "parcel_cost_cny", "Cost per delivered order, by the table of assumed prices", "单件成本（按假定价目）", "CNY",
    "lower", _parcel_cost,
)  # fmt: skip

# -- street cleaning -----------------------------------------------------------------------------------


def _cleanliness(m: Memory) -> float | None:
    values = m.columns(events.CleanlinessMeasured)["cleanliness"]
    return 100 * float(values.mean()) if values.size else None


def _clean_share(m: Memory) -> float | None:
    values = m.columns(events.CleanlinessMeasured)["clean_share"]
    return 100 * float(values.mean()) if values.size else None


def _swept_km(m: Memory) -> float | None:
    swept = m.columns(events.RoadSwept)["t_s"].size
    return float(swept) if swept else None


cleanliness = Kpi("cleanliness", "Cleanliness, mean over time and metres", "平均洁净度", "%", "higher", _cleanliness)
clean_share = Kpi(
    "clean_share", "Metres above the standard, mean over time", "达标路段占比", "%", "higher", _clean_share
)
roads_swept = Kpi("roads_swept", "Roads swept", "清扫路段次数", "", "neither", _swept_km)

# -- supervision ---------------------------------------------------------------------------------------

violations = Kpi(
    "violations", "Violations by unmanned vehicles, in truth", "无人车违规次数（真实）", "", "lower",
    lambda m: float(m.columns(events.ViolationBegan)["t_s"].size) if m.columns(events.UnitDeployed)["t_s"].size
    else None,
)  # fmt: skip
violations_found = Kpi(
    "violations_found", "Violations that the platform reported", "平台发现违规次数", "", "neither",
    lambda m: float(m.columns(events.ViolationFound)["t_s"].size) if m.columns(events.TelemetryGathered)["t_s"].size
    else None,
)  # fmt: skip

FLEETS: tuple[Kpi, ...] = (
    shuttle_bookings,
    shuttle_served_share,
    shuttle_refused_share,
    shuttle_missed_share,
    shuttle_wait_min,
    shuttle_wait_p95_min,
    shuttle_wish_min,
    shuttle_detour,
    shuttle_takeovers_100km,
    shuttle_stop_error_p95_m,
    shuttle_aboard,
    parcels_ordered,
    delivery_within_hour,
    parcels_delivered_share,
    parcels_refused_share,
    parcels_undelivered_share,
    parcel_time_min,
    parcel_no_show_share,
    parcel_km,
    parcel_cost_cny,
    cleanliness,
    clean_share,
    roads_swept,
    violations,
    violations_found,
)

FLEETS_HEADLINE: tuple[Kpi, ...] = (
    shuttle_bookings,
    shuttle_served_share,
    shuttle_wait_min,
    shuttle_detour,
    parcels_ordered,
    delivery_within_hour,
    parcels_undelivered_share,
    parcel_cost_cny,
    clean_share,
    violations,
)
