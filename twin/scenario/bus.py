"""Autonomous buses: a line booked through an app (F22)."""

from __future__ import annotations

from typing import Literal

from twin.scenario.parts import Factory, Part, TimeOfDay, key

POLICIES = {
    "timetable": "twin.control.mobility.bus.policies:Timetabled",
    "booked_stops": "twin.control.mobility.bus.policies:BookedStops",
    "on_demand": "twin.control.mobility.bus.policies:OnDemand",
}


class Bus(Part):
    """L4 buses with a safety driver, booked by residents."""

    units: int = key("number of buses (F22: 2)", "a whole number from 1 to 2000", 2, ge=1, le=2000)
    line: str = key(
        "line of the city whose stops the buses serve; its timetable is that of the fixed policy",
        "the number of a bus line of the city, such as \"109\"",
        "109",
        min_length=1,
    )  # fmt: skip
    depot: str = key("where the buses are at home", "the name of a place", "大桥公交枢纽", min_length=1)
    seats: int = key("seats for passengers", "a whole number from 1 to 100", 8, ge=1, le=100)
    chargers: int = key("chargers at the depot", "a whole number from 0 to 1000", 2, ge=0, le=1000)
    start: TimeOfDay = key("service begins", 'a time such as "06:30"', 6 * 3600 + 1800)
    end: TimeOfDay = key("service ends", 'a time such as "21:30"', 21 * 3600 + 1800)
    headway_min: int = key(
        "minutes between two runs of the timetable; 0: as many as the buses can drive",
        "a whole number from 0 to 240", 0, ge=0, le=240,
    )  # fmt: skip
    adoption: float = key(
        "share of the residents who book where the app offers a ride for a trip of theirs (assumed)",
        "a number from 0 to 1", 0.02, ge=0, le=1,
    )  # fmt: skip
    max_walk_m: float = key(
        "how far residents walk to and from a stop", "a number from 50 to 3000", 600.0, ge=50, le=3000
    )
    max_wait_min: int = key("longest wait that the desk promises", "a whole number from 1 to 120", 15, ge=1, le=120)
    max_detour: float = key(
        "longest ride that the desk plans, as a factor on the direct ride", "a number from 1 to 10", 1.6, ge=1, le=10
    )
    rain_limit_mm_h: float = key(
        "operating conditions: rain in mm/h up to which the bus drives itself (assumed)",
        "a number from 0 to 200", 16.0, ge=0, le=200,
    )  # fmt: skip
    visibility_limit_m: float = key(
        "operating conditions: visibility down to which the bus drives itself (assumed)",
        "a number from 0 to 10000", 150.0, ge=0, le=10_000,
    )  # fmt: skip
    outside_odd: Literal["take_over", "stop"] = key(
        "what happens outside the operating conditions: the safety driver takes over, or a minimal-risk stop",
        "take_over or stop", "take_over",
    )  # fmt: skip
    miss_rate: float = key(
        "probability that a signal or marking is not recognised in clear weather, per passage (assumed)",
        "a number from 0 to 1", 0.0004, ge=0, le=1,
    )  # fmt: skip
    tested_h: float = key(
        "hours of test driving done before (F22: 240 h or 1,000 km before passengers)",
        "a number of 0 or more", 240.0, ge=0,
    )  # fmt: skip
    tested_km: float = key("kilometres of test driving done before", "a number of 0 or more", 1000.0, ge=0)
    policy: str | Factory = key(
        "how bookings are given to buses", "timetable, booked_stops, on_demand, or package.module:Class", "on_demand"
    )
    desk: Factory = key("the control code", "package.module:Class", "twin.control.mobility.bus.desk:BusDesk")
