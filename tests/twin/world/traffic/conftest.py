"""Traffic for tests: started by mode, closed at the end whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from geo.city import City
from geo.network import Routes
from tests.cities import shared_toy_city
from twin.world.traffic.ports import Flow, NewVehicles, Traffic, TrafficSettings, VehicleType
from twin.world.traffic.types import DEFAULT_TYPES, make_traffic

Start = Callable[..., Traffic]


@pytest.fixture(params=["meso", "micro", "free-flow"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["meso", "micro"])
def sumo_mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start() -> Iterator[Start]:
    """Call it with (city, mode, types=…, settings by name) to start traffic."""
    alive: list[Traffic] = []

    def begin(city: City, mode: str, types: tuple[VehicleType, ...] = DEFAULT_TYPES, **settings: Any) -> Traffic:
        traffic = make_traffic(city, TrafficSettings(mode=mode, **settings), types)
        alive.append(traffic)
        return traffic

    yield begin
    for traffic in alive:
        traffic.close()


@pytest.fixture
def toy() -> City:
    return shared_toy_city()


def edges(city: City, *names: str) -> np.ndarray:
    """Road indices of SUMO edge ids."""
    return np.array([city.road_index[n] for n in names], dtype=np.int64)


def vehicles(city: City, routes: list[list[str]], depart_s: list[int], first: int = 1, **more: Any) -> NewVehicles:
    """Cars number ``first``, ``first + 1``, … over routes given as edge ids."""
    rows = [edges(city, *r).astype(np.int32) for r in routes]
    n = len(rows)
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
    flat = np.concatenate(rows) if rows else np.empty(0, np.int32)
    return NewVehicles(
        vehicle=np.arange(first, first + n, dtype=np.int64),
        type_index=np.zeros(n, dtype=np.int64),
        depart_s=np.array(depart_s, dtype=np.int64),
        routes=Routes(flat, offsets, np.zeros(n)),
        **more,
    )


def random_vehicles(city: City, n: int, until_s: int, seed: int = 7, first: int = 1, from_s: int = 0) -> NewVehicles:
    """Cars between random roads, setting out evenly over [from_s, until_s)."""
    rng = np.random.default_rng(seed)
    main = np.flatnonzero(city.roads["main"].to_numpy())
    a, b = rng.choice(main, n), rng.choice(main, n)
    routes = city.network.routes(a, b)
    assert routes.found.all()
    return NewVehicles(
        vehicle=np.arange(first, first + n, dtype=np.int64),
        type_index=np.zeros(n, dtype=np.int64),
        depart_s=np.sort(rng.integers(from_s, until_s, n)),
        routes=routes,
    )


def run(traffic: Traffic, until_s: int, from_s: int = 0, step_s: int = 60) -> Flow:
    """Advance in steps and return all that happened as one Flow."""
    flows = []
    t = from_s
    while t < until_s:
        t = min(t + step_s, until_s)
        flows.append(traffic.advance(t))
    return Flow(**{name: np.concatenate([getattr(f, name) for f in flows]) for name in Flow.__dataclass_fields__})
