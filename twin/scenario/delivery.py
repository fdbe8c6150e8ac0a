"""Delivery robots, or couriers in their place (F23, F24)."""

from __future__ import annotations

from typing import Literal

from twin.scenario.parts import Factory, Part, TimeOfDay, key

POLICIES = {
    "nearest_first": "twin.control.mobility.delivery.policies:NearestFirst",
    "pyvrp": "twin.control.mobility.delivery.policies:RollingRoutes",
    "couriers": "twin.control.mobility.delivery.policies:CourierRounds",
}


class Delivery(Part):
    """Parcels of the last mile: who brings them, from where, how many."""

    by: Literal["robots", "couriers"] = key(
        "who delivers: robots, or the baseline of couriers on e-trikes and in vans", "robots or couriers", "robots"
    )
    units: int = key("number of robots (F23: 12)", "a whole number from 1 to 5000", 12, ge=1, le=5000)
    trikes: int = key("number of couriers on e-trikes (baseline)", "a whole number from 0 to 5000", 8, ge=0, le=5000)
    vans: int = key("number of vans (baseline)", "a whole number from 0 to 1000", 1, ge=0, le=1000)
    depots: tuple[str, ...] = key(
        "where parcels and units start", "a list of places, such as [盖世物流园]", ("盖世物流园",), min_length=1
    )
    area: tuple[str, ...] = key(
        "places around which residents and shops order; empty: the whole city",
        "a list of places",
        ("清宁社区",),
    )
    radius_m: float = key("distance from those places", "a number from 100 to 50000", 3000.0, ge=100, le=50_000)
    orders_per_day: int = key(
        "orders on a weekday (assumed: the last mile of 12 robots)", "a whole number from 0 to 500000", 480, ge=0,
        le=500_000,
    )  # fmt: skip
    promise_min: int = key(
        "minutes from order to delivery that are promised (小时达: 60)", "a whole number from 10 to 1440", 60,
        ge=10, le=1440,
    )  # fmt: skip
    start: TimeOfDay = key("units work from", 'a time such as "07:00"', 7 * 3600)
    end: TimeOfDay = key("units work until", 'a time such as "22:00"', 22 * 3600)
    locker_share: float = key("share of orders for a parcel locker", "a number from 0 to 1", 0.4, ge=0, le=1)
    robots_per_operator: int = key(
        "robots that one remote operator watches", "a whole number from 1 to 100", 6, ge=1, le=100
    )
    policy: str | Factory = key(
        "how orders are given to units", "nearest_first, pyvrp, couriers, or package.module:Class", "pyvrp"
    )
    desk: Factory = key("the control code", "package.module:Class", "twin.control.mobility.delivery.desk:DeliveryDesk")
