"""Looking at roads: nobody slips through, entries count once, travel times follow what is seen and fade."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.world.traffic.measure import Detectors, Entries, TravelTimes, look_period_s


@given(
    length_m=st.floats(20.0, 5000.0),
    top_m_s=st.floats(2.0, 40.0),
    share=st.floats(0.1, 1.0),
    enters_s=st.floats(0.0, 500.0),
)
def test_nobody_crosses_a_road_unseen(length_m: float, top_m_s: float, share: float, enters_s: float) -> None:
    """Whoever stays at least one look period on the road is on it at some look, if crossing takes over 2 s."""
    stay_s = length_m / (share * top_m_s)
    if stay_s <= 2.0:
        return
    period = look_period_s(length_m, top_m_s)
    assert 1 <= period <= 30
    first_look = -(-enters_s // period) * period
    assert first_look <= enters_s + stay_s


class World:
    """Who is on the one road at which second."""

    def __init__(self, stays: dict[str, tuple[int, int]]) -> None:
        self.stays, self.now = stays, 0

    def ids(self, _: str) -> tuple[str, ...]:
        return tuple(v for v, (a, b) in self.stays.items() if a <= self.now < b)


def test_detectors_count_every_visit_once() -> None:
    world = World({"1": (3, 20), "2": (5, 40), "3": (25, 33), "4": (-5, 8)})
    detectors = Detectors(world.ids, lambda _: 10.0, lambda _: 0.1 * len(world.ids("")))
    detectors.watch(np.array([7]), ["e"], [4])
    seen = []
    for now in range(61):
        world.now = now
        detectors.look(now)
        if now in (24, 60):
            seen.append(detectors.read())
    assert [int(r.count[0]) for r in seen] == [2, 1]  # 4 was there before the watch began
    assert seen[0].speed_m_s[0] == 10.0
    # looks at 0, 4 … 24: vehicles 1 2 2 2 2 1 1 → mean 11 / 7 of a tenth each
    looks = [sum(a <= t < b for a, b in world.stays.values()) for t in range(0, 25, 4)]
    assert seen[0].occupancy[0] == pytest.approx(0.1 * np.mean(looks))


def test_entries_tell_the_second() -> None:
    world = World({"1": (3, 20), "2": (5, 40), "4": (-5, 8)})
    entries = Entries(world.ids)
    entries.watch(np.array([7]), ["e"])
    for now in range(50):
        world.now = now
        entries.look(now)
    assert entries.take() == (["1", "2"], [7, 7], [3, 5])
    assert entries.take() == ([], [], [])


def test_travel_times_are_edies_and_fade() -> None:
    length, free = np.array([300.0, 300.0]), np.array([20.0, 20.0])
    times = TravelTimes(length, free, prior=1.0)
    assert times.now_s().tolist() == [20.0, 20.0]
    roads = np.array([0])
    # 30 vehicles at 3 m/s and 10 at 15 m/s: vehicle-metres over vehicle-seconds = 6 m/s
    for _ in range(400):
        times.look(roads, np.array([30.0]), np.array([3.0]))
        times.look(roads, np.array([10.0]), np.array([15.0]))
    assert times.now_s()[0] == pytest.approx(300.0 / 6.0, rel=0.1)
    assert times.now_s()[1] == 20.0
    nobody = np.empty(0, dtype=np.int64)
    for _ in range(60):
        times.look(nobody, np.empty(0), np.empty(0))
    assert times.now_s()[0] == pytest.approx(20.0, rel=0.05)


def test_one_standing_car_does_not_make_a_road_slow() -> None:
    times = TravelTimes(np.array([300.0]), np.array([20.0]))
    times.look(np.array([0]), np.array([1.0]), np.array([0.0]))
    assert times.now_s()[0] <= 40.0


def test_busy_roads_are_looked_at_and_quiet_ones_are_not() -> None:
    times = TravelTimes(np.full(3, 300.0), np.full(3, 20.0))
    times.expect(np.array([0] * 40 + [1] * 3))
    assert times.to_look_at().tolist() == [0]
    times.look(np.array([2]), np.array([9.0]), np.array([1.0]))
    assert times.to_look_at().tolist() == [0, 2]
    for _ in range(30):
        times.to_look_at()
        times.look(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    assert times.to_look_at().size == 0
