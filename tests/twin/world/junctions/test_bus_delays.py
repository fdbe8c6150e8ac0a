"""Delay of buses at signals in meso: the same to the second however rarely one looks, and no passage is left out."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios import load
from twin.events import SignalPassed
from twin.simulation import run
from twin.world.junctions.passages import MEASURE_S
from twin.world.junctions.stays import MesoStays


@pytest.fixture(scope="module")
def seen() -> dict[int, dict[tuple[int, int], tuple[float, float]]]:
    """Seconds between two looks → (bus, road) → (delay, halted), in half an hour of the district with few people."""
    out = {}
    for look_s in (1, 20, 60):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(MEASURE_S, "meso", look_s)
            asks = {"priority": []}
            log = run(load("bus_priority", end="07:30", people={"share": 0.02}, junctions=asks), seed=1).log
        rows = log.frame(SignalPassed)
        rows = rows[rows["kind"] == "bus"]
        out[look_s] = {(r.vehicle, r.road): (r.delay_s, r.halted_s) for r in rows.itertuples()}
    return out


@pytest.mark.parametrize("look_s", [20, 60])
def test_a_look_every_second_finds_nothing_else_than_one_in_a_minute(seen, look_s: int) -> None:
    """No passage is lost, and no delay depends on the moments of the looks, but for roads that are seen together."""
    often, seldom = seen[1], seen[look_s]
    assert often.keys() == seldom.keys()
    assert len(often) > 150
    off = np.array([seldom[k][0] - often[k][0] for k in sorted(often)])
    # two roads that were crossed between two looks share what they cost evenly
    assert np.median(np.abs(off)) < {20: 0.1, 60: 2.0}[look_s]
    assert abs(off.mean()) < 0.3
    assert abs(np.mean([seldom[k][1] - often[k][1] for k in sorted(often)])) < 0.9, "halts belong to their roads"


class Vehicle:
    """libsumo's answers about one vehicle in the second of three segments of 300 m."""

    def __init__(self, speed: float, event: float, waiting: float = 0.0, halt: float = -1.0) -> None:
        self.speed, self.event, self.waiting, self.halt = speed, event, waiting, halt

    def getSegmentIndex(self, _name: str) -> int:  # noqa: N802
        return 1

    def getSpeed(self, _name: str) -> float:  # noqa: N802
        return self.speed

    def getLastActionTime(self, _name: str) -> float:  # noqa: N802
        return self.event

    def getWaitingTime(self, _name: str) -> float:  # noqa: N802
        return self.waiting

    def getStops(self, _name: str, _n: int) -> list[Vehicle]:  # noqa: N802
        return [self] if self.halt >= 0 else []

    @property
    def arrival(self) -> float:
        return self.halt


def nowhere(vehicles: np.ndarray) -> np.ndarray:
    return np.full(len(vehicles), -1)


def test_entry_place_and_time_left_are_those_of_the_segment() -> None:
    """Segment left at 130 s at 15 m/s and 300 m long: entered at 110 s; now 105 m into it, 10 + 20 s from the end."""
    stay = MesoStays(Vehicle(15.0, 130.0), nowhere).of(1, 900.0, 15.0, 117.0)
    assert stay.since_s == pytest.approx(110.0)
    assert (stay.from_m, stay.pos_m) == (300.0, pytest.approx(405.0))
    assert stay.left_s == pytest.approx(13.0 + 20.0)
    waits = MesoStays(Vehicle(0.0, 117.0, waiting=5.0), nowhere).of(1, 900.0, 15.0, 117.0)
    assert (waits.since_s, waits.pos_m, waits.left_s) == (117.0 - 5.0 - 20.0, 600.0, 20.0)
    halts = MesoStays(Vehicle(0.0, 125.0, halt=105.0), nowhere).of(1, 900.0, 15.0, 117.0)
    assert (halts.since_s, halts.pos_m, halts.left_s) == (105.0, 300.0, 8.0 + 20.0 + 20.0)
