"""Emergency vehicles of the city brain at signals: they ask, are answered and pass, in a run of ``fire``."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from geo.city import City
from twin.cities import city_folder
from twin.domain.ids import VEHICLE_KINDS
from twin.events import (
    JunctionGraded,
    PriorityAnswered,
    PriorityAsked,
    RunEnded,
    SignalPassed,
    SignalsChecked,
    VehicleEntered,
)
from twin.log import Facts, Log
from twin.scenario import load_scenario
from twin.simulation import Simulation, carry_through
from twin.world.junctions.asking import Asking
from twin.world.traffic.types import type_index


@pytest.fixture(scope="module")
def fire() -> Facts:
    """Forty minutes around a fire in the evening peak; signals of grade L3 give way to blue light alone."""
    changed = {"people.share": "0.01", "traffic.background": "0.1", "start": '"17:40"', "end": '"18:20"'}
    given = {
        "junctions": {"grade": "L3", "priority": ["emergency"]},
        "interventions": [{"kind": "hazard", "at": "17:50", "what": "fire", "place": "清宁社区"}],
    }
    ready = load_scenario("fire", changed, overrides=given)
    place = city_folder(ready)
    return carry_through(Simulation(ready, City.load(place), place, 1)).log


def test_engines_ask_are_answered_and_pass(fire: Facts) -> None:
    asked, answered, passed = (fire.frame(k) for k in (PriorityAsked, PriorityAnswered, SignalPassed))
    assert len(asked) > 0
    assert set(asked["kind"]) == {"responder"}  # buses are under way, and are not on the list
    assert (asked["vehicle"] // 10**12 == VEHICLE_KINDS["responder"]).all()
    pairs = set(zip(asked["vehicle"], asked["junction"], strict=True))
    assert set(zip(answered["vehicle"], answered["junction"], strict=True)) <= pairs
    granted = answered[answered["answer"] == "granted"]
    assert len(granted) > 0
    engines = passed[passed["kind"] == "responder"]
    through = engines[engines["granted"]]
    assert len(through) > 0
    assert set(zip(through["vehicle"], through["junction"], strict=True)) <= set(
        zip(granted["vehicle"], granted["junction"], strict=True)
    )
    assert set(passed["kind"]) >= {"bus", "responder"}
    assert not passed[passed["kind"] == "bus"]["granted"].any()


def test_who_has_no_blue_light_does_not_ask(fire: Facts) -> None:
    entered, asked = fire.frame(VehicleEntered), fire.frame(PriorityAsked)
    sent = set(entered[entered["kind"] == "responder"]["vehicle"])
    assert set(asked["vehicle"]) < sent


def test_nothing_breaks(fire: Facts) -> None:
    assert len(fire.frame(RunEnded)) == 1
    checked = fire.frame(SignalsChecked).iloc[0]
    assert checked["junctions"] == len(fire.frame(JunctionGraded))
    assert checked["seconds"] == 2400
    assert checked["refused"] == 0


ENGINE = VEHICLE_KINDS["responder"] * 10**12 + 1


class Street:
    """Road 0 leads to junction 0 and on to road 1; one vehicle. Traffic and the gate, as far as Asking asks them."""

    def __init__(self, way: tuple[int, ...], type_name: str = "emergency") -> None:
        self.road, self.roads, self.log = 0, way, Log()
        told = SimpleNamespace(
            grade=np.array([3]), link_group=np.array([0]), link_lane=np.array([0]), link_to_road=np.array([1]),
            lane_road=np.array([0]), group_junction=np.array([0]),
        )  # fmt: skip
        self.asking = Asking(
            told, self, self.log, lambda _: np.array(self.roads, dtype=np.int32), np.array([200.0, 200.0]),
            np.array([15.0, 15.0]), frozenset({"responder"}),
        )  # fmt: skip
        new = SimpleNamespace(vehicle=np.array([ENGINE]), type_index=np.array([type_index(type_name)]), stops={})
        self.asking.vehicles(new)

    def where(self, vehicles):
        return np.full(len(vehicles), self.road), np.full(len(vehicles), 50.0)


def test_it_asks_for_the_junction_it_comes_to_and_not_where_its_way_ends_before() -> None:
    asked = Street((0, 1)).asking.look(100)
    assert asked is not None
    assert (asked.vehicle.tolist(), asked.junction.tolist(), asked.to_road.tolist()) == ([ENGINE], [0], [1])
    assert asked.eta_s.tolist() == [150 / 15]
    assert Street((0,)).asking.look(100) is None
    assert Street((0, 1), "service").asking.look(100) is None


def test_who_is_called_off_on_the_way_takes_its_request_back() -> None:
    street = Street((0, 1))
    assert street.asking.look(100) is not None
    street.road = -1  # between two places, or held: it is still on its way
    assert street.asking.look(105) is None
    assert street.asking.anybody
    street.roads = ()  # the gate knows it no more
    back = street.asking.look(110)
    assert back is not None
    assert (back.vehicle.tolist(), back.junction.tolist(), back.done.tolist()) == ([ENGINE], [0], [1])
    assert not street.asking.anybody
    assert street.asking.look(115) is None
