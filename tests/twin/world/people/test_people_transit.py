"""Direct buses and travel times: against a plain search, stop by stop."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_city import make_city, people

from geo.city import City
from twin.errors import ScenarioError
from twin.world.people.ports import CAR, EBIKE, WALK
from twin.world.people.settings import PeopleSettings
from twin.world.people.transit import ACCESS_M
from twin.world.people.travel import Travel, gate_code, gate_of


def test_the_best_line_is_the_best_of_all_lines(city: City) -> None:
    m = people(city, residents=100)
    rng = np.random.default_rng(4)
    n = len(city.blocks)
    o, d = rng.integers(0, n, 400), rng.integers(0, n, 400)
    got = m.transit.best(o, d)
    xy = {p: (g.x, g.y) for p, g in zip(city.places["place"], city.places.geometry, strict=True)}
    x, y = m.travel.x_m, m.travel.y_m
    served = 0
    for i in range(400):
        best, line = np.inf, -1
        for k, stops in enumerate(city.bus_lines["stops"]):
            at = np.array([xy[s] for s in stops])
            a = np.hypot(at[:, 0] - x[o[i]], at[:, 1] - y[o[i]]) * 1.3
            b = np.hypot(at[:, 0] - x[d[i]], at[:, 1] - y[d[i]]) * 1.3
            board, alight = int(a.argmin()), int(b.argmin())
            if o[i] == d[i] or a[board] > ACCESS_M or b[alight] > ACCESS_M or alight <= board:
                continue
            ride = np.hypot(*np.diff(at[board : alight + 1], axis=0).T).sum() * 1.3 / m.settings.bus_m_s
            total = (a[board] + b[alight]) / m.settings.walk_m_s + 300.0 + ride
            if total < best:
                best, line = total, k
        assert got.line[i] == line
        if line >= 0:
            served += 1
            assert got.total_s[i] == pytest.approx(best, rel=1e-4)
            assert got.board[i] < got.alight[i]
    assert 15 < served < 400


def test_a_city_without_buses_has_none() -> None:
    m = people(make_city(buses=False), residents=50)
    best = m.transit.best(np.array([1, 2]), np.array([50, 60]))
    assert (best.line == -1).all()
    assert np.isinf(best.total_s).all()


def test_times_agree_with_the_network(city: City) -> None:
    """Block-corrected skim against a shortest path between the very roads: right on average, seldom far off."""
    m = people(city, residents=50, car_signals=1.0)
    rng = np.random.default_rng(1)
    n = len(city.blocks)
    o, d = rng.integers(0, n, 300), rng.integers(0, n, 300)
    far = m.travel.straight_m(o, d) > 1_500
    o, d = o[far], d[far]
    road = city.blocks["road"].to_numpy()
    true = np.array([city.network.times([road[a]], [road[b]])[0, 0] for a, b in zip(o, d, strict=True)])
    guess = m.travel.car_s(o, d)
    assert np.mean(guess) == pytest.approx(np.mean(true), rel=0.12)
    assert (np.abs(guess - true) < 90).mean() > 0.85


def test_modes_have_their_speeds(city: City) -> None:
    t = Travel.of(city, PeopleSettings())
    o, d = np.array([0, 3]), np.array([40, 90])
    way = t.distance_m(o, d)
    assert t.expected_s(o, d, np.array([WALK, WALK]), 0) == pytest.approx(way / 1.25)
    assert t.expected_s(o, d, np.array([EBIKE, EBIKE]), 0) == pytest.approx(way / 5.0)
    calm = t.expected_s(o, d, np.array([CAR, CAR]), 3 * 3600)
    rush = t.expected_s(o, d, np.array([CAR, CAR]), 8 * 3600)
    assert rush == pytest.approx(calm * PeopleSettings().car_peak)
    assert (way >= t.straight_m(o, d)).all()


def test_gates_are_places_behind_the_city(city: City) -> None:
    t = Travel.of(city, PeopleSettings())
    assert t.n_gates == 2
    assert gate_code(0) == -2
    assert gate_of([-2, -3, 5, -1]).tolist() == [0, 1, -1, -1]
    gates = city.places[city.places["kind"] == "gate"]
    assert t.road_of([-2, -3], outgoing=True).tolist() == gates["road_out"].tolist()
    assert t.road_of([-2, -3], outgoing=False).tolist() == gates["road"].tolist()
    assert t.road_of([7], outgoing=True)[0] == city.blocks["road"].iloc[7]


def test_a_city_without_blocks_is_refused() -> None:
    from dataclasses import replace

    bare = make_city()
    with pytest.raises(ScenarioError, match="no building blocks"):
        Travel.of(replace(bare, blocks=bare.blocks.iloc[:0]), PeopleSettings())
