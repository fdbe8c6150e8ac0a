"""Kinds of vehicle and classes of drivers."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from twin.world.traffic.ports import VehicleType
from twin.world.traffic.types import BUS, CAR, DEFAULT_TYPES, THROUGH, TRUCK, Drivers, driver_factors, type_index


def test_default_types_and_their_names() -> None:
    assert [type_index(n) for n in ("car", "through", "truck", "bus")] == [CAR, THROUGH, TRUCK, BUS]
    assert DEFAULT_TYPES[BUS].length_m == 12.0
    with pytest.raises(ValueError, match="no vehicle type 'tram'; there are: car, through, truck, bus"):
        type_index("tram")


def test_classes_of_drivers_have_the_mean_and_nearly_the_spread_of_the_law() -> None:
    factors = np.array(driver_factors(VehicleType("x", speed_factor_mean=1.05, speed_factor_dev=0.1)))
    assert len(set(factors)) == 16
    assert factors.mean() == pytest.approx(1.05, abs=0.001)
    assert factors.std() == pytest.approx(0.1, rel=0.08)
    assert driver_factors(VehicleType("x", speed_factor_dev=0.0)) == (1.0,)


def test_a_drivers_class_depends_on_the_vehicle_and_the_seed_alone() -> None:
    drivers = Drivers(DEFAULT_TYPES, seed=3)
    numbers = np.arange(1000, 3000)
    kinds = np.zeros(2000, dtype=np.int64)
    drawn = drivers.draw(numbers, kinds)
    assert drivers.draw(numbers[::-1], kinds)[::-1].tolist() == drawn.tolist()
    assert drivers.draw(numbers[500:501], kinds[:1])[0] == drawn[500]
    assert (Drivers(DEFAULT_TYPES, seed=4).draw(numbers, kinds) != drawn).mean() > 0.8
    share = np.bincount(drawn, minlength=16) / 2000
    assert share == pytest.approx(np.full(16, 1 / 16), abs=0.025)
    assert drivers.kind_of(drawn).tolist() == kinds.tolist()
    buses = drivers.draw(numbers, np.full(2000, BUS))
    assert set(drivers.kind_of(buses).tolist()) == {BUS}
    assert drivers.factor(buses).std() == pytest.approx(0.05, rel=0.1)


def test_names_stay_apart_and_the_file_is_xml() -> None:
    """Given vehicles bring a type named as ours; a hostile name stays inert."""
    strange = replace(DEFAULT_TYPES[CAR], name='a"<b>&', speed_factor_dev=0.0)
    drivers = Drivers((*DEFAULT_TYPES, VehicleType("car", tau_s=2.0, speed_factor_dev=0.0), strange), seed=1)
    classes = sum(len(driver_factors(kind)) for kind in DEFAULT_TYPES) + 2
    assert len(set(drivers.names)) == len(drivers.names) == classes
    rows = list(ElementTree.fromstring(drivers.xml()))
    assert [r.get("id") for r in rows] == drivers.names
    assert rows[-1].get("id") == 'a"<b>&'
    assert rows[-2].get("tau") == "2.0"
    assert {r.get("speedDev") for r in rows} == {"0"}
