"""Blocked fire lanes on the road: a vehicle that stands in micro, lanes that several causes close (F12)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenarios import load
from tests.twin.world.responders.responder_town import START_S, city, folder
from twin.clock import Phase
from twin.domain.ids import vehicle_kind
from twin.domain.incidents import Sign
from twin.events import HazardEnded, LaneClosed, LaneReopened, ResponderHandled
from twin.simulation import Simulation
from twin.world.city_brain.hazards import Beginning, hazard_number
from twin.world.traffic.shut_lanes import ShutLanes


class Told:
    """Traffic that remembers what it is told."""

    def __init__(self) -> None:
        self.words: list[tuple[int, int, bool]] = []

    def close_lane(self, road: int, lane: int, closed: bool) -> None:
        self.words.append((road, lane, closed))


def test_a_lane_that_two_things_close_opens_when_the_last_is_gone():
    told = Told()
    lanes = ShutLanes(told)
    lanes.close(3, 0, "a parked vehicle")
    lanes.close(3, 0, "works")
    lanes.close(3, 0, "works")  # twice is once
    assert lanes.causes(3, 0) == ("a parked vehicle", "works")
    lanes.open(3, 0, "works")
    lanes.open(3, 0, "works")
    lanes.open(3, 0, "somebody else")
    assert told.words == [(3, 0, True)]
    lanes.open(3, 0, "a parked vehicle")
    assert told.words == [(3, 0, True), (3, 0, False)]
    assert lanes.causes(3, 0) == ()


def town(mode: str, minutes: int = 40, **changes: Any) -> Simulation:
    """A toy city in which nothing happens by itself, but vehicles pass."""
    s = load(
        "weekday", city={"folder": str(folder())}, people={"residents": 50, "companies": 5}, start="12:00",
        end=f"12:{minutes}", traffic={"mode": mode, "background": 1.0},
        city_brain={
            "hazards": {"rate": 0}, "sensors": None,
            "responders": {"looks": {"calls": 0}, "failings": {"factor": 0}},
        }, **changes,
    )  # fmt: skip
    return Simulation(s, city(), folder(), 1)


def middle() -> int:
    """Return an inner road of the toy city with two lanes, on which no bus halts."""
    roads, places = city().roads, city().places
    stops = set(places.loc[places["kind"] == "bus_stop", "road"])
    fits = (roads["length_m"].to_numpy() > 250) & (roads["lanes"].to_numpy() == 2)
    return next(int(r) for r in np.flatnonzero(fits) if int(r) not in stops)


def block(sim: Simulation, road: int, at_s: int, k: int = 0) -> None:
    """Let a vehicle be parked in the fire lane of a road."""
    point = city().roads.geometry.iloc[road].interpolate(0.5, normalized=True)
    new = Beginning(hazard_number("fire_lane", 30 + k, 0), "fire_lane", point.x, point.y, road=road)
    hazards: Any = sim.systems["city_brain"].hazards  # type: ignore[attr-defined]
    sim.clock.at(at_s, Phase.WORLD, lambda: hazards.begin(at_s, new))


def test_an_intervention_and_a_parked_vehicle_close_one_lane_and_each_opens_it_for_itself(monkeypatch):
    road = middle()
    edge = str(city().roads["edge"].iloc[road])
    item = {"kind": "close_road", "at": "12:10", "until": "12:20", "road": edge, "lanes": [0]}
    sim = town("free-flow", interventions=[item])
    told: list[tuple[int, int, bool]] = []
    monkeypatch.setattr(sim.traffic, "close_lane", lambda r, _, closed: told.append((sim.clock.now_s, r, closed)))
    block(sim, road, START_S + 300)
    hazards = sim.systems["city_brain"].hazards
    sim.clock.at(START_S + 1800, Phase.WORLD, lambda: hazards.end(0, START_S + 1800, "drove away"))
    sim.run_until(sim.end_s)
    log = sim.finish().log
    assert told == [(START_S + 300, road, True), (START_S + 1800, road, False)]
    assert log.frame(LaneClosed)["t_s"].tolist() == [START_S + 300, START_S + 600]
    assert log.frame(LaneReopened)["t_s"].tolist() == [START_S + 1200, START_S + 1800]


def test_in_micro_a_vehicle_stands_in_the_lane_until_it_is_towed_and_the_others_get_past():
    road = middle()
    sim = town("micro")
    traffic: Any = sim.traffic
    block(sim, road, START_S + 300)
    point = city().roads.geometry.iloc[road].interpolate(0.5, normalized=True)
    at_s = START_S + 900
    sign = Sign(at_s, "sign/1", "report", "1", "fire_lane", at_s, point.x, point.y, "", "", "Moderate", "")
    sim.clock.at(at_s, Phase.PERCEIVE, lambda: (sim._post("incidents", sign), sim._call_controllers()))
    seen: dict[int, tuple[float, int]] = {}  # second → where the parked vehicle stands, and on which lane
    passed: set[int] = set()
    beside: list[float] = []

    def look() -> None:
        here = traffic.vehicles_on(road).tolist()
        parked = [v for v in here if vehicle_kind(v) == "obstacle"]
        if not parked:
            return
        lane_of = {v: int(traffic._sumo.vehicle.getLaneIndex(str(v))) for v in here}
        at_m = dict(zip(here, traffic.where(np.asarray(here))[1].tolist(), strict=True))
        own = parked[0]
        seen[sim.clock.now_s] = (at_m[own], lane_of[own])
        others = [v for v in here if v != own]
        passed.update(others)
        # who is on its lane is behind it (5 m long) or ahead of it, never in it
        beside.extend(at_m[v] - at_m[own] for v in others if lane_of[v] == lane_of[own])

    sim.clock.every(5, Phase.PERCEIVE, look, START_S + 5)
    sim.run_until(sim.end_s)
    log = sim.finish().log
    handled = int(log.frame(ResponderHandled)["t_s"].iloc[0])
    assert log.frame(HazardEnded)["t_s"].tolist() == [handled]
    assert log.frame(LaneClosed)["t_s"].tolist() == [START_S + 300]
    assert log.frame(LaneReopened)["t_s"].tolist() == [handled]
    assert min(seen) - (START_S + 300) <= 10
    assert handled - 10 <= max(seen) <= handled + 5
    assert len(set(seen.values())) == 1, "it does not move"
    assert {lane for _, lane in seen.values()} == {0}
    assert len(passed) > 5, "others drive past"
    assert all(gap <= -4.0 or gap >= 4.0 for gap in beside)
    stuck = log.sql("select count(*) n from events where fact in ('VehicleRefused', 'VehicleTeleported')")["n"].iloc[0]
    assert stuck == 0, "nobody got stuck for good"
