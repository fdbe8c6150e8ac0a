"""The fleets' desks: how their control code is made from a scenario, and what they are told at the start."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from geo.city import City
from twin.control.ports import Controller
from twin.domain.messages import Message, RoadMap
from twin.domain.mobility import Places, TravelTimes, WeatherReport
from twin.errors import ScenarioError
from twin.hosts import find_factory
from twin.scenario.policies import policy_factory
from twin.world.fleets.depots import Depot
from twin.world.sensors.detectors import road_map
from twin.world.traffic.ports import Floats
from twin.world.weather import Weather, visibility_m


def desk_factory(system: str, desk: Any, policy: Any) -> Callable[[], Controller]:
    """Return what makes the desk of a system: ``desk(policy())``, or ``desk()`` if it takes nothing."""
    make: Any = find_factory(desk) if isinstance(desk, str) else desk
    choose = policy_factory(system, policy)

    def made() -> Controller:
        try:
            chosen = choose()
        except TypeError as error:
            raise ScenarioError(f"{system}.policy cannot be made without arguments: {error}") from None
        return make(chosen) if takes_one(make) else make()  # type: ignore[no-any-return]

    return made


def takes_one(make: Any) -> bool:
    """Return whether a class or function can be called with one argument (a policy)."""
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return any(p.kind in kinds for p in parameters)


def car_map(city: City, t_s: int) -> RoadMap:
    """Return the map for desks: all roads, so that rows are road indices, and the turns that cars may take."""
    whole = road_map(city, t_s)
    turns = city.turns[city.turns["car"].to_numpy(bool)]
    return RoadMap(
        t_s=t_s,
        key="map/cars",
        road=whole.road,
        length_m=whole.length_m,
        limit_m_s=whole.limit_m_s,
        lanes=whole.lanes,
        turn_from=turns["from_road"].to_numpy(np.int64),
        turn_to=turns["to_road"].to_numpy(np.int64),
    )


def depot_places(depots: list[Depot], t_s: int) -> list[Message]:
    """Return the depots of a desk as places of kind "depot" (size: docks) and "charger" (size: chargers)."""
    out: list[Message] = []
    for kind in ("depot", "charger"):
        here = depots if kind == "depot" else [d for d in depots if d.chargers > 0]
        if here:
            out.append(
                Places(
                    t_s=t_s,
                    key=f"places/{kind}",
                    kind=kind,
                    place=tuple(d.place for d in here),
                    name=tuple(d.name for d in here),
                    road=np.array([d.road for d in here], dtype=np.int64),
                    pos_m=np.array([d.pos_m for d in here], dtype=np.float64),
                    x_m=np.array([d.x_m for d in here], dtype=np.float64),
                    y_m=np.array([d.y_m for d in here], dtype=np.float64),
                    size=np.array([d.docks if kind == "depot" else d.chargers for d in here], dtype=np.int64),
                    from_s=np.array([d.from_s for d in here], dtype=np.int64),
                    until_s=np.array([d.until_s for d in here], dtype=np.int64),
                )
            )
    return out


def weather_report(weather: Weather, t_s: int) -> WeatherReport:
    """Return the weather as a message."""
    rain = float(weather.rain_mm_h)
    return WeatherReport(t_s, f"weather/{t_s}", weather.kind, rain, visibility_m(weather.kind, rain))


def travel_times(time_s: Floats, t_s: int) -> TravelTimes:
    """Return travel times per road as a message."""
    return TravelTimes(t_s, f"times/{t_s}", np.asarray(time_s, dtype=np.float64).copy())
