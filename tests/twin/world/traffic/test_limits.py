"""Speed limits of several causes: the least that holds counts, in whatever order they come and go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.city import City
from scenarios import load
from tests.twin.world.traffic.conftest import Start, edges, run, vehicles
from twin.cities import city_folder
from twin.events import SpeedLimitSet
from twin.simulation import run as run_scenario
from twin.world.traffic.limits import Limits

ROADS, CAUSES = st.integers(0, 2), st.sampled_from(["interventions[0]", "control", "pond 3"])
SPEEDS = st.one_of(st.none(), st.sampled_from([1.4, 5.0, 8.3, 25.0]))


class Told:
    """Traffic that remembers what it was told last."""

    def __init__(self) -> None:
        self.now: dict[int, float] = {}
        self.times = 0

    def set_speed(self, road: int, speed_m_s: float | None) -> None:
        self.times += 1
        if speed_m_s is None:
            del self.now[road]  # KeyError: lifted although nothing held
        else:
            assert self.now.get(road) != speed_m_s  # told only what changes
            self.now[road] = speed_m_s


@given(st.lists(st.tuples(ROADS, CAUSES, SPEEDS), max_size=40))
def test_the_least_of_all_that_were_set_and_not_lifted_holds(orders: list[tuple[int, str, float | None]]) -> None:
    traffic = Told()
    limits = Limits(traffic)
    last: dict[tuple[int, str], float | None] = {}
    for road, cause, speed in orders:
        limits.set(road, cause, speed)
        last[road, cause] = speed
        for r in range(3):
            mine = [v for (at, _), v in last.items() if at == r and v is not None]
            assert limits.holds(r) == traffic.now.get(r) == min(mine, default=None)


@given(st.permutations([("a", 5.0), ("b", 8.0), ("c", 3.0)]), st.permutations(["a", "b", "c"]))
def test_lifted_in_any_order_the_own_limit_comes_back_last(set_in: list[tuple[str, float]], lifted: list[str]) -> None:
    traffic = Told()
    limits = Limits(traffic)
    for cause, speed in set_in:
        limits.set(7, cause, speed)
    assert traffic.now == {7: 3.0}
    for left in (2, 1):
        limits.set(7, lifted[2 - left], None)
        assert traffic.now == {7: min(v for c, v in set_in if c in lifted[3 - left :])}
    limits.set(7, lifted[2], None)
    assert traffic.now == {}


def test_a_pond_that_dries_leaves_an_intervention_its_limit(toy: City, start: Start, mode: str) -> None:
    """The ride of a road of 300 m: at 14 m/s, at 5 m/s of the two, and at 5 m/s when the wetter cause is over."""
    traffic = start(toy, mode)
    limits, road = Limits(traffic), int(edges(toy, "A0B0")[0])
    free = traffic.travel_times()[road]
    limits.set(road, "interventions[0]", 5.0)
    limits.set(road, "pond 1", 2.0)
    limits.set(road, "pond 1", None)
    traffic.add(vehicles(toy, [["A0B0", "B0C0"]], [0]))
    flow = run(traffic, 300)
    length = float(toy.roads["length_m"].iloc[road])
    assert flow.arrived_s[0] >= length / (5.0 * 1.35)  # drivers differ by up to a third
    limits.set(road, "interventions[0]", None)
    assert traffic.travel_times()[road] == pytest.approx(free) or mode != "free-flow"


def test_interventions_that_overlap_say_what_holds() -> None:
    """36 km/h from 07:01 to 07:04, 54 km/h to 07:03, then 18 km/h: the least is told."""
    how = {"people": {"share": 0.001}, "start": "07:00", "end": "07:10", "traffic": {"mode": "free-flow"}}
    edge = str(City.load(city_folder(load("weekday", **how))).roads["edge"].iloc[0])
    limit = {"kind": "speed_limit", "road": edge}
    items = [
        {**limit, "at": "07:01", "until": "07:04", "speed_km_h": 36},
        {**limit, "at": "07:02", "until": "07:03", "speed_km_h": 54},
        {**limit, "at": "07:03", "until": "07:06", "speed_km_h": 18},
    ]
    told = run_scenario(load("weekday", **how, interventions=items)).log.table(SpeedLimitSet).to_pylist()
    seen = [(row["t_s"] // 60 - 420, row["speed_m_s"]) for row in told]
    assert seen[:2] == [(1, 10.0), (2, 10.0)]
    assert sorted(seen[2:4]) in ([(3, 5.0), (3, 5.0)], [(3, 5.0), (3, 10.0)])  # one goes and one comes in one instant
    assert seen[4:] == [(4, 5.0), (6, -1.0)]
