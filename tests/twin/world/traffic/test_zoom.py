"""Zoom: the cut-out city is whole, and its demand is the district's, stay by stay."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from geo.city import City
from geo.network import Routes
from tests.cities import city_of_grid
from tests.twin.world.traffic.conftest import Start, edges, random_vehicles, run, vehicles
from twin.errors import ScenarioError
from twin.world.traffic.ports import Flow, NewVehicles, Stop
from twin.world.traffic.zoom import Zoom, circle, cut, demand


@pytest.fixture(scope="module")
def big() -> City:
    """A 7 × 7 grid of 200 m; the signals are at D4 (its middle is D3 at 600, 600) and at A0."""
    return city_of_grid(7, 200, tls="D4,A0")


@pytest.fixture(scope="module")
def zoom(big: City, tmp_path_factory: pytest.TempPathFactory) -> Zoom:
    """The nine crossings around D3, and every road that touches them."""
    return cut(big, _around(big), tmp_path_factory.mktemp("zoom"))


def _around(city: City, radius_m: float = 300.0):
    row = city.junctions[city.junctions["node"] == "D3"].geometry.iloc[0]
    return circle(row.x, row.y, radius_m)


def _programs(net: Path) -> dict[str, list[tuple[str, str]]]:
    opener = gzip.open if net.suffix == ".gz" else open
    with opener(net, "rb") as file:
        root = ElementTree.parse(file).getroot()
    return {
        t.get("id", ""): [(p.get("duration", ""), p.get("state", "")) for p in t.iter("phase")]
        for t in root.iter("tlLogic")
    }


def test_cut_keeps_roads_turns_and_signals(big: City, zoom: Zoom) -> None:
    area = _around(big)
    kept = set(big.roads["edge"][big.roads.geometry.intersects(area).to_numpy()])
    assert set(zoom.city.roads["edge"]) == kept
    assert 20 < len(kept) < len(big.roads)
    for here, there in enumerate(zoom.parent_road.tolist()):
        assert zoom.city.roads["edge"].iloc[here] == big.roads["edge"].iloc[there]
        assert zoom.road_here[there] == here
    assert (zoom.road_here >= 0).sum() == len(kept)
    inside = {
        (a, b)
        for a, b in zip(big.turns["from_road"], big.turns["to_road"], strict=True)
        if zoom.road_here[a] >= 0 and zoom.road_here[b] >= 0
    }
    turns = zoom.city.turns
    assert inside == {
        (int(zoom.parent_road[a]), int(zoom.parent_road[b]))
        for a, b in zip(turns["from_road"], turns["to_road"], strict=True)
    }
    assert _programs(zoom.city.net_file)["D4"] == _programs(big.net_file)["D4"]
    signals = zoom.city.junctions[zoom.city.junctions["signal"].to_numpy(bool)]
    assert signals["node"].tolist() == ["D4"]


def test_cut_city_is_a_city(big: City, zoom: Zoom) -> None:
    zoom.city.check()
    again = City.load(zoom.city.net_file.parent)
    assert again.digest() == zoom.city.digest()
    assert zoom.city.crs == big.crs
    assert zoom.city.net_offset == big.net_offset
    assert (zoom.city.blocks["road"] >= 0).all()
    assert "cut out of" in zoom.city.origin.notes[-1]
    # coordinates stay: every kept road lies where it was
    there = big.roads.geometry.to_numpy()[zoom.parent_road]
    here = zoom.city.roads.geometry.to_numpy()
    assert max(a.hausdorff_distance(b) for a, b in zip(here, there, strict=True)) < 15.0


def test_entries_are_the_roads_over_the_border(big: City, zoom: Zoom) -> None:
    ways_in = {
        int(b)
        for a, b in zip(big.turns["from_road"], big.turns["to_road"], strict=True)
        if zoom.road_here[a] < 0 <= zoom.road_here[b]
    }
    assert set(zoom.entries.tolist()) == ways_in
    assert len(ways_in) > 5


def district(start: Start, city: City, zoom: Zoom, mode: str, new: NewVehicles, until_s: int) -> Flow:
    traffic = start(city, mode)
    traffic.watch_entries(zoom.entries)
    traffic.add(new)
    flow = run(traffic, until_s)
    traffic.close()
    return flow


def departed(new: NewVehicles, flow: Flow) -> NewVehicles:
    """The vehicles with the seconds at which they really departed."""
    when = dict(zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True))
    return replace(new, depart_s=np.array([when.get(v, -1) for v in new.vehicle.tolist()], dtype=np.int64))


def test_demand_is_the_district_stay_by_stay(big: City, zoom: Zoom, start: Start, mode: str) -> None:
    new = random_vehicles(big, 300, 900, seed=11)
    flow = district(start, big, zoom, mode, new, 3000)
    assert flow.arrived.size == 300
    entered = (flow.entered, flow.entered_road, flow.entered_s)
    part = demand(zoom, departed(new, flow), entered, 0, 3000)
    assert part.not_reached == part.cut_short == 0
    # every stretch of a route over kept roads is one vehicle, with that very stretch
    expected: list[tuple[int, tuple[int, ...]]] = []
    for i, v in enumerate(new.vehicle.tolist()):
        stretch: list[int] = []
        for r in [*new.routes[i].tolist(), -1]:
            if r >= 0 and zoom.road_here[r] >= 0:
                stretch.append(r)
            elif stretch:
                expected.append((v, tuple(stretch)))
                stretch = []
    told = [
        (int(v), tuple(zoom.parent_road[part.vehicles.routes[i]].tolist())) for i, v in enumerate(part.parent.tolist())
    ]
    assert Counter(told) == Counter(expected)
    assert len(told) > 100
    assert len(set(part.vehicles.vehicle.tolist())) == len(told)
    assert (np.diff(part.vehicles.depart_s) >= 0).all()
    # who comes over the border enters at the second the district saw it there
    seen = Counter(zip(*(c.tolist() for c in entered), strict=True))
    first = part.vehicles.routes.roads[part.vehicles.routes.offsets[:-1]]
    begins = dict(zip(new.vehicle.tolist(), [int(new.routes[i][0]) for i in range(300)], strict=True))
    came = 0
    for v, r, t in zip(part.parent.tolist(), zoom.parent_road[first].tolist(), part.vehicles.depart_s, strict=True):
        if begins[v] != r:
            came += 1
            assert seen[v, r, int(t)] == 1
    assert came > 50


def test_the_zoom_drives_in_micro(big: City, zoom: Zoom, start: Start) -> None:
    new = random_vehicles(big, 300, 900, seed=12)
    flow = district(start, big, zoom, "meso", new, 3000)
    part = demand(zoom, departed(new, flow), (flow.entered, flow.entered_road, flow.entered_s), 300, 900)
    assert ((part.vehicles.depart_s >= 300) & (part.vehicles.depart_s < 900)).all()
    close_up = start(zoom.city, "micro", begin_s=300)
    close_up.add(part.vehicles)
    here = run(close_up, 2000, 300)
    assert here.teleported.size == 0
    assert sorted(here.arrived) == sorted(part.vehicles.vehicle)


def test_who_leaves_and_comes_back_is_two_vehicles(big: City, zoom: Zoom) -> None:
    """East out of the area along row 3, round a block outside, and back in; the second stay has its own number."""
    out_and_back = ["C3D3", "D3E3", "E3F3", "F3G3", "G3G2", "G2F2", "F2E2", "E2D2"]
    new = vehicles(big, [out_and_back, ["A0B0"]], [100, 100], first=2_000_000_005_001)
    again = int(edges(big, "F2E2")[0])
    assert again in zoom.entries
    no_time = np.empty(0, dtype=np.int64)
    part = demand(zoom, new, (new.vehicle[:1], np.array([again]), np.array([170])), 0, 1000)
    assert part.parent.tolist() == [2_000_000_005_001] * 2
    assert part.vehicles.depart_s.tolist() == [100, 170]
    assert part.vehicles.vehicle[0] == 2_000_000_005_001
    assert part.vehicles.vehicle[1] // 1000 == 2_000_000_005_001 // 1000
    assert part.vehicles.vehicle[1] != part.vehicles.vehicle[0]
    lengths = np.diff(part.vehicles.routes.offsets).tolist()
    assert lengths == [3, 2]
    # who never came back has one stay only, and that is said
    part = demand(zoom, new, (no_time, no_time, no_time), 0, 1000)
    assert part.vehicles.vehicle.tolist() == [2_000_000_005_001]
    assert part.not_reached == 1


def test_stops_inside_come_along(big: City, zoom: Zoom) -> None:
    inside, outside = edges(big, "D3E3", "A3B3").tolist()
    stops = {0: [Stop(outside, 50.0, 20), Stop(inside, 60.0, 30, place="p")]}
    new = vehicles(big, [["A3B3", "B3C3", "C3D3", "D3E3"]], [0], stops=stops)
    entry = int(edges(big, "B3C3")[0])
    part = demand(zoom, new, (np.array([1]), np.array([entry]), np.array([55])), 0, 1000)
    assert part.vehicles.stops == {0: [Stop(int(zoom.road_here[inside]), 60.0, 30, place="p")]}


def test_no_vehicles_no_demand(zoom: Zoom) -> None:
    none = np.empty(0, dtype=np.int64)
    empty = NewVehicles(none, none, none, Routes(none.astype(np.int32), np.zeros(1, np.int64), np.empty(0)))
    part = demand(zoom, empty, (none, none, none), 0, 1000)
    assert len(part.vehicles.vehicle) == part.not_reached == 0


def test_bad_areas_are_refused_in_one_sentence(big: City, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="radius_m is -5; allowed: more than 0"):
        circle(0.0, 0.0, -5.0)
    with pytest.raises(ScenarioError, match="holds no road of grid for cars"):
        cut(big, circle(1e6, 1e6, 100.0), tmp_path)
