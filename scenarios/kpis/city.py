"""Indicators of residents' trips, of vehicles and of the public buses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events
from twin.world.people.ports import CAR, MODES

HOUR_S = 3600
STEP_S = 300
#: arriving up to five minutes after the due time counts as on time (assumed: the tolerance of most time clocks)
LATE_AFTER_S = 300


# -- trips of residents ------------------------------------------------------------------------------


def _trips(m: Memory) -> float | None:
    count = m.trips.mode.size + _never_started(m)
    people = m.columns(events.RunStarted)["residents"].sum() > 0
    return float(count) if count or people else None


def _never_started(m: Memory) -> int:
    """Count trips that were refused before they began: a refusal without a beginning."""
    return int(m.columns(events.TripRefused)["t_s"].size - m.trips.refused.sum())


def _share(part: Callable[[Memory], float]) -> Callable[[Memory], float | None]:
    def share(m: Memory) -> float | None:
        whole = _trips(m)
        return None if not whole else 100 * part(m) / whole

    return share


def _under_way(m: Memory) -> float:
    t = m.trips
    return float((~t.ended & ~t.refused).sum())


def _late(m: Memory) -> float | None:
    """Late are trips that came late, and those that are not there yet although their time is past."""
    t, end_s = m.trips, m.end_s()
    arrived_s = np.where(t.ended, t.started_s + t.duration_s, float(end_s))
    counts = (t.due_s >= 0) & (t.ended | (arrived_s > t.due_s + LATE_AFTER_S))
    if not counts.any():
        return None
    return float(100 * (arrived_s[counts] > t.due_s[counts] + LATE_AFTER_S).mean())


def _delay(m: Memory) -> float | None:
    t = m.trips
    car = t.ended & (t.mode == CAR)
    return float((t.duration_s[car] - t.expected_s[car]).mean() / 60) if car.any() else None


def _car_speed(m: Memory) -> float | None:
    t = m.trips
    car = t.ended & (t.mode == CAR)
    seconds = t.duration_s[car].sum()
    return float(3.6 * t.distance_m[car].sum() / seconds) if seconds > 0 else None


def _trip_length(m: Memory) -> float | None:
    t = m.trips
    return float(t.distance_m.mean() / 1000) if t.mode.size else None


def _person_km(m: Memory) -> float | None:
    t = m.trips
    return float(t.distance_m[t.ended].sum() / 1000) if t.mode.size else None


def _habits(m: Memory) -> float | None:
    return float(np.unique(m.columns(events.HabitChanged)["resident"]).size) if m.trips.mode.size else None


trips = Kpi("trips", "Trips of residents", "居民出行总数", "", "neither", _trips)
arrived_share = Kpi(
    "arrived_share",
    "Trips that arrived",
    "已到达的出行占比",
    "%",
    "higher",
    _share(lambda m: float(m.trips.ended.sum())),
)
under_way_share = Kpi(
    "under_way_share", "Trips still under way at the end", "结束时仍在途的出行占比", "%", "neither", _share(_under_way)
)
refused_share = Kpi(
    "refused_share",
    "Trips refused",
    "未能成行的出行占比",
    "%",
    "lower",
    _share(lambda m: float(m.trips.refused.sum() + _never_started(m))),
)
late_share = Kpi("late_share", "Late by more than five minutes", "迟到超过五分钟的占比", "%", "lower", _late)
trip_length_km = Kpi("trip_length_km", "Mean length of a trip", "平均出行距离", "km", "neither", _trip_length)
person_km = Kpi("person_km", "Distance travelled by residents", "居民出行总里程", "km", "neither", _person_km)
delay_car_min = Kpi(
    "delay_car_min", "Mean delay of a car trip against what was expected", "小汽车出行平均延误", "min", "lower", _delay
)
car_speed_km_h = Kpi("car_speed_km_h", "Mean speed of car trips", "小汽车平均行程车速", "km/h", "higher", _car_speed)
habits_changed = Kpi("habits_changed", "Residents who changed a habit", "调整出行习惯的居民数", "", "neither", _habits)


def _mode_share(mode: int, title: str, title_zh: str) -> Kpi:
    def compute(m: Memory) -> float | None:
        t = m.trips
        return float(100 * (t.mode == mode).mean()) if t.mode.size else None

    return Kpi(f"share_{MODES[mode]}", f"Trips {title}", f"{title_zh}出行占比", "%", "neither", compute)


def _mode_time(mode: int, title: str, title_zh: str) -> Kpi:
    def compute(m: Memory) -> float | None:
        t = m.trips
        done = t.ended & (t.mode == mode)
        return float(t.duration_s[done].mean() / 60) if done.any() else None

    return Kpi(
        f"time_{MODES[mode]}_min", f"Mean travel time {title}", f"{title_zh}平均行程时间", "min", "lower", compute
    )


_NAMES = (
    ("on foot", "步行"),
    ("by e-bike", "电动自行车"),
    ("by car", "小汽车"),
    ("by bus", "公交"),
    ("by autonomous bus", "自动驾驶公交"),
    ("as a passenger", "乘客"),
)
mode_shares = tuple(_mode_share(mode, *_NAMES[mode]) for mode in range(len(MODES)))
mode_times = tuple(_mode_time(mode, *_NAMES[mode]) for mode in range(len(MODES)))


# -- vehicles ----------------------------------------------------------------------------------------


def _entered(m: Memory) -> float | None:
    return float(m.columns(events.VehicleEntered)["t_s"].size)


def _per_1000(kind: type[events.Fact]) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        entered = _entered(m)
        return 1000 * m.columns(kind)["t_s"].size / entered if entered else None

    return compute


def _vehicles_refused(m: Memory) -> float | None:
    refused = m.columns(events.VehicleRefused)["t_s"].size
    whole = (_entered(m) or 0) + refused
    return 100 * refused / whole if whole else None


def _vehicles_under_way(m: Memory) -> float | None:
    entered = _entered(m)
    return 100 * m.columns(events.VehicleUnderWay)["t_s"].size / entered if entered else None


def _vehicle_time(m: Memory) -> float | None:
    duration = m.columns(events.VehicleArrived)["duration_s"]
    return float(duration.mean()) if duration.size else None


def _peak(m: Memory) -> tuple[float, int] | None:
    """Return the most vehicles that entered within an hour, and the second at which that hour begins."""
    t_s = m.columns(events.VehicleEntered)["t_s"]
    if t_s.size == 0:
        return None
    first = int(t_s.min()) // STEP_S
    counts = np.bincount(t_s // STEP_S - first)
    total = np.concatenate([[0], np.cumsum(counts)])
    steps = HOUR_S // STEP_S
    if counts.size <= steps:
        return float(total[-1]), first * STEP_S
    hour = total[steps:] - total[:-steps]
    return float(hour.max()), (first + int(hour.argmax())) * STEP_S


def _peak_vehicles(m: Memory) -> float | None:
    peak = _peak(m)
    return None if peak is None else peak[0]


def _peak_time(m: Memory) -> float | None:
    peak = _peak(m)
    return None if peak is None else peak[1] / HOUR_S


def _detector_speed(m: Memory) -> float | None:
    """Return the space-mean speed: vehicles ÷ the sum of their times per metre (the harmonic mean)."""
    d = m.columns(events.DetectorRead)
    ok = (d["count"] > 0) & np.isfinite(d["speed_m_s"]) & (d["speed_m_s"] > 0)
    if not ok.any():
        return None
    count = d["count"][ok].astype(np.float64)
    return float(3.6 * count.sum() / (count / d["speed_m_s"][ok]).sum())


def _rerouted(m: Memory) -> float | None:
    return float(np.unique(m.columns(events.VehicleRerouted)["vehicle"]).size) if _entered(m) else None


def _advice(m: Memory) -> float | None:
    a = m.columns(events.AdviceFollowed)
    people = a["people"].sum()
    return float(100 * a["followed"].sum() / people) if people else None


vehicles_entered = Kpi("vehicles_entered", "Vehicles on the roads", "上路车辆数", "", "neither", _entered)
vehicles_refused_share = Kpi(
    "vehicles_refused_share", "Vehicles that could not be let in", "未能驶入的车辆占比", "%", "lower", _vehicles_refused
)
vehicles_under_way_share = Kpi(
    "vehicles_under_way_share",
    "Vehicles still under way at the end",
    "结束时仍在途的车辆占比",
    "%",
    "neither",
    _vehicles_under_way,
)
vehicle_time_s = Kpi(
    "vehicle_time_s", "Mean travel time of a vehicle that arrived", "到达车辆平均行程时间", "s", "lower", _vehicle_time
)
peak_hour_vehicles = Kpi(
    "peak_hour_vehicles",
    "Vehicles that enter in the busiest hour",
    "高峰小时上路车辆数",
    "per h",
    "neither",
    _peak_vehicles,
)
peak_hour_starts_h = Kpi(
    "peak_hour_starts_h",
    "Begin of the busiest hour (hours since midnight)",
    "高峰小时开始时刻",
    "h",
    "neither",
    _peak_time,
)
teleports_per_1000 = Kpi(
    "teleports_per_1000",
    "Vehicles that SUMO moved because they were stuck",
    "因受阻被移出的车辆",
    "per 1,000",
    "lower",
    _per_1000(events.VehicleTeleported),
)
detector_speed_km_h = Kpi(
    "detector_speed_km_h", "Mean speed at the detectors", "检测器平均车速", "km/h", "higher", _detector_speed
)
vehicles_rerouted = Kpi("vehicles_rerouted", "Vehicles that took another way", "改道车辆数", "", "neither", _rerouted)
advice_followed_share = Kpi(
    "advice_followed_share", "Drivers who followed advice", "听从绕行提示的驾驶人占比", "%", "higher", _advice
)


# -- buses -------------------------------------------------------------------------------------------


def _boardings(m: Memory) -> float | None:
    boarded = m.columns(events.BusStopped)["boarded"]
    return float(boarded.sum()) if boarded.size else None


def _missed(m: Memory) -> float | None:
    boarded = m.columns(events.BusStopped)["boarded"].sum()
    missed = m.columns(events.BusMissed)["t_s"].size
    return float(100 * missed / (boarded + missed)) if boarded + missed else None


bus_boardings = Kpi("bus_boardings", "Boardings of buses", "公交上车人次", "", "higher", _boardings)
bus_missed_share = Kpi(
    "bus_missed_share", "Boardings missed because a bus was full", "因满载未能上车占比", "%", "lower", _missed
)

CITY: tuple[Kpi, ...] = (
    trips,
    arrived_share,
    under_way_share,
    refused_share,
    late_share,
    trip_length_km,
    person_km,
    *mode_shares,
    *mode_times,
    delay_car_min,
    car_speed_km_h,
    habits_changed,
    vehicles_entered,
    vehicles_refused_share,
    vehicles_under_way_share,
    vehicle_time_s,
    peak_hour_vehicles,
    peak_hour_starts_h,
    teleports_per_1000,
    detector_speed_km_h,
    vehicles_rerouted,
    advice_followed_share,
    bus_boardings,
    bus_missed_share,
)

#: what a first look wants; the others are in kpis.json
CITY_HEADLINE: tuple[Kpi, ...] = (
    trips,
    arrived_share,
    under_way_share,
    refused_share,
    late_share,
    mode_times[CAR],
    delay_car_min,
    vehicles_entered,
    vehicles_under_way_share,
    vehicle_time_s,
    peak_hour_vehicles,
    peak_hour_starts_h,
    teleports_per_1000,
    vehicles_rerouted,
    advice_followed_share,
)
