"""Background traffic: named draws, thinned by factor, in a day's rhythm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geo.city import City
from twin.dice import Dice
from twin.domain.ids import vehicle_kind
from twin.errors import ScenarioError
from twin.world.traffic.background import Background, BackgroundVehicles
from twin.world.traffic.types import DEFAULT_TYPES

DAY = 86400


def with_industry(city: City) -> City:
    """Every tenth block becomes a logistics block, so that freight has somewhere to go."""
    blocks = city.blocks.copy()
    rows = np.arange(0, len(blocks), 10)
    blocks.loc[rows, "kind"] = "logistics"
    blocks.loc[rows, "jobs"] = 100
    return replace(city, blocks=blocks)


def whole_day(background: Background, day: int = 0, weekend: bool = False, **factors: float) -> BackgroundVehicles:
    return background.vehicles(day * DAY, (day + 1) * DAY, day, weekend, factors)


def kinds(v: BackgroundVehicles) -> np.ndarray:
    return np.array([vehicle_kind(n) for n in v.vehicle.tolist()])


def rows(v: BackgroundVehicles) -> set[tuple[int, ...]]:
    return set(zip(*(getattr(v, f).tolist() for f in BackgroundVehicles.__dataclass_fields__), strict=True))


def test_volume_is_what_is_promised(toy: City) -> None:
    background = Background(with_industry(toy), Dice(1))
    for weekend in (False, True):
        v = whole_day(background, day=3, weekend=weekend)
        for kind in ("through", "freight"):
            expected = background.per_day(kind, weekend)
            assert expected > 400
            # a few freight trips have one road as both ends and do not exist
            assert (kinds(v) == kind).sum() == pytest.approx(expected, abs=4 * expected**0.5 + 0.02 * expected)
    assert background.per_day("freight", True) < background.per_day("freight", False)


def test_a_higher_factor_only_adds(toy: City) -> None:
    city = with_industry(toy)
    usual = rows(whole_day(Background(city, Dice(1))))
    more = rows(whole_day(Background(city, Dice(1)), through=1.5, freight=1.0))
    less = rows(whole_day(Background(city, Dice(1)), through=1.0, freight=0.5))
    assert usual < more
    assert len(more) / len(usual) > 1.2
    assert less < usual
    assert {vehicle_kind(r[0]) for r in more - usual} == {"through"}
    assert {vehicle_kind(r[0]) for r in usual - less} == {"freight"}
    assert len(whole_day(Background(city, Dice(1)), through=0, freight=0)) == 0


def test_it_does_not_matter_how_often_one_asks(toy: City) -> None:
    city = with_industry(toy)
    once = whole_day(Background(city, Dice(5)), day=1)
    ticks = Background(city, Dice(5))
    parts = [rows(ticks.vehicles(t, t + 900, 1, False)) for t in range(DAY, 2 * DAY, 900)]
    assert sum(map(len, parts)) == len(once)
    assert set().union(*parts) == rows(once)
    assert (np.diff(once.depart_s) >= 0).all()
    assert once.depart_s.min() >= DAY
    assert once.depart_s.max() < 2 * DAY


def test_days_and_seeds_differ(toy: City) -> None:
    city = with_industry(toy)
    a, b = Background(city, Dice(1)), Background(city, Dice(2))
    monday, tuesday, other = whole_day(a, day=0), whole_day(a, day=1), whole_day(b, day=0)
    assert not set(monday.vehicle.tolist()) & set(tuesday.vehicle.tolist())
    assert not (rows(monday) & rows(other))


def test_the_day_has_its_rhythm(toy: City) -> None:
    """Two peaks of cars on working days, none in the night; freight works by day."""
    v = whole_day(Background(with_industry(toy), Dice(1)), through=4.0, freight=4.0)
    per_hour = {k: np.bincount(v.depart_s[kinds(v) == k] // 3600, minlength=24) for k in ("through", "freight")}
    cars = per_hour["through"]
    assert cars[7:10].mean() > 1.2 * cars[11:14].mean()
    assert cars[16:19].mean() > 1.2 * cars[11:14].mean()
    assert cars[1:4].mean() < 0.1 * cars[8]
    freight = per_hour["freight"]
    assert freight[9:17].sum() > 0.45 * freight.sum()
    assert freight[12] < freight[10]


def test_through_traffic_goes_from_gate_to_another_gate(toy: City) -> None:
    v = whole_day(Background(toy, Dice(1)))
    gates = toy.places[toy.places["kind"] == "gate"]
    assert set(v.from_road.tolist()) <= set(gates["road"])
    assert set(v.to_road.tolist()) <= set(gates["road_out"])
    out_of = dict(zip(gates["road"], gates["road_out"], strict=True))
    assert not any(out_of[a] == b for a, b in zip(v.from_road.tolist(), v.to_road.tolist(), strict=True))
    names = [DEFAULT_TYPES[k].name for k in v.type_index.tolist()]
    assert set(names) == {"through", "truck"}
    assert names.count("truck") / len(names) == pytest.approx(0.15, abs=0.03)
    assert toy.network.routes(v.from_road, v.to_road).found.all()


def test_freight_goes_to_and_from_its_sites(toy: City) -> None:
    city = with_industry(toy)
    v = whole_day(Background(city, Dice(1)))
    freight = kinds(v) == "freight"
    sites = set(city.blocks["road"][city.blocks["kind"] == "logistics"])
    gates = city.places[city.places["kind"] == "gate"]
    into, out = v.from_road[freight], v.to_road[freight]
    from_gate, to_gate = np.isin(into, gates["road"]), np.isin(out, gates["road_out"])
    from_site, to_site = np.isin(into, list(sites)), np.isin(out, list(sites))
    assert (from_gate | from_site).all()
    assert (to_gate | to_site).all()
    assert (from_site | to_site).all()
    assert from_gate.mean() == pytest.approx(0.4, abs=0.08)
    assert (into != out).all()


def test_cities_without_gates_or_sites_have_the_less(toy: City) -> None:
    no_gates = replace(toy, places=toy.places[toy.places["kind"] != "gate"])
    assert len(whole_day(Background(no_gates, Dice(1)))) == 0
    only_sites = with_industry(no_gates)
    v = whole_day(Background(only_sites, Dice(1)))
    assert set(kinds(v)) == {"freight"}
    one_gate = replace(toy, places=toy.places[toy.places["kind"] == "gate"].iloc[:1])
    assert len(whole_day(Background(one_gate, Dice(1)))) == 0


@pytest.mark.parametrize("factor", [-0.1, 4.1, float("nan")])
def test_impossible_factors_are_refused(toy: City, factor: float) -> None:
    with pytest.raises(ScenarioError, match=r"demand factor for 'through' is .*; allowed: 0 to 4"):
        whole_day(Background(toy, Dice(1)), through=factor)
