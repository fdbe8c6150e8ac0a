"""Dirt in truth: mass balance, laws of washing and levelling off, draws, cost."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.city import City
from geo.qibu import cached
from tests.cities import shared_toy_city
from twin.dice import Dice
from twin.domain.sanitation import DUST_HALF_G_M2, LANE_M, LITTER_HALF_G_M2, cleanliness, hopper_l
from twin.errors import ScenarioError
from twin.world.fleets.dirt import (
    BLOWN_DUST,
    CAR_G_KM,
    DAY_S,
    EFFICIENCY,
    LOST_AT_SITE,
    LOST_G_KM,
    STEP_S,
    TRUCK_G_KM,
    WASH_PER_MM,
    Dirt,
)
from twin.world.fleets.dirt_sources import HOURS, Sources, area_roads


@pytest.fixture(scope="module")
def district() -> City:
    return City.load(cached())


def toy_dirt(seed: int = 1, litter: float = 100.0, dust: float = 5.0, site: float = 0.0) -> Dirt:
    """The toy city with the same sources everywhere: grams a day per road, per metre."""
    n = len(shared_toy_city().roads)
    sources = Sources(np.full((4, n), litter / 4), np.full(n, dust), np.full(n, site), np.full(n, 1.0 if site else 0.0))
    return Dirt(shared_toy_city(), Dice(seed), sources)


def grams(d: Dirt) -> np.ndarray:
    return np.asarray([d.litter_g_m @ d.length_m, d.dust_g_m @ d.length_m])


actions = st.lists(
    st.tuples(st.sampled_from(["rest", "rain", "sweep", "trucks", "drop"]), st.integers(0, 79), st.floats(0, 300)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(actions)
def test_what_fell_less_what_was_washed_blown_and_swept_is_what_lies_there(actions):
    d = toy_dirt()
    lay, fell, gone, swept, t = grams(d), np.zeros(2), np.zeros(2), np.zeros(2), 0
    for what, road, amount in [*actions, ("rest", 0, 0.0)]:
        if what == "sweep":
            swept += d.sweep(road, amount, "wet", room_l=amount / 10)
        elif what == "trucks":
            d.drove(np.asarray([road, road]), amount, amount / 3)
        elif what == "drop":
            d.drop(np.asarray([road]), amount)
        else:
            t += STEP_S
            change = d.step(t, amount / 10 if what == "rain" else 0.0)
            fell += change.fell_g
            gone += np.asarray(change.washed_g) + change.blown_g
        assert (d.litter_g_m >= 0).all()
        assert (d.dust_g_m >= 0).all()
    assert grams(d) == pytest.approx(lay + fell - gone - swept, rel=1e-9)


def test_rain_washes_dust_as_sartor_and_boyd_measured_and_no_dust_falls_in_it():
    d = toy_dirt()
    lay = d.dust_g_m.copy()
    change = d.step(STEP_S, rain_mm_h=20.0)
    blown = 1 - BLOWN_DUST * STEP_S / DAY_S  # to first order
    assert d.dust_g_m == pytest.approx(lay * blown * np.exp(-WASH_PER_MM * 20.0 * STEP_S / 3600), rel=1e-4)
    assert change.fell_g[1] == 0.0
    assert change.washed_g[1] > 0.0


def test_dust_levels_off_where_as_much_is_blown_away_as_falls():
    d = toy_dirt(dust=10.0)
    for k in range(30 * 96):
        d.step((k + 1) * STEP_S, 0.0)
    # dD/dt = a - b D has its fixed point at a / b; the spread between roads scales a
    factor = d.dust_g_m / (10.0 / BLOWN_DUST)
    assert factor.mean() == pytest.approx(1.0, abs=0.12)
    assert np.log(factor).std() == pytest.approx(0.4, abs=0.08)


def test_a_day_brings_the_litter_of_a_day_whatever_its_hours():
    d = toy_dirt(litter=480.0)
    assert HOURS.sum(axis=1) == pytest.approx(1.0)
    fell = sum(d.step((k + 1) * STEP_S, 0.0).fell_g[0] for k in range(96))
    expected = (d._litter_factor * 480.0).sum()
    assert fell == pytest.approx(expected)


def test_vehicles_leave_what_they_wear_off_and_lorries_what_they_lose():
    one, site = toy_dirt(), toy_dirt(site=40.0)
    for d in (one, site):
        d.dust_g_m[:] = 0.0
        d.drove(np.asarray([3, 4]), np.asarray([1000.0, 1000.0]), np.asarray([0.0, 100.0]))
        d.step(STEP_S, rain_mm_h=1e-9)  # rain that keeps other dust down and washes nothing
    kept = 1 - BLOWN_DUST * STEP_S / DAY_S
    cars = 1000 * CAR_G_KM / 1000 * kept
    assert one.dust_g_m[3] == pytest.approx(cars, rel=1e-3)
    lorries = 100 * (TRUCK_G_KM + LOST_G_KM) / 1000 * kept
    assert one.dust_g_m[4] == pytest.approx(0.9 * cars + lorries, rel=1e-3)
    at_site = 100 * (TRUCK_G_KM + LOST_AT_SITE * LOST_G_KM) / 1000 * kept
    assert site.dust_g_m[4] == pytest.approx(0.9 * cars + at_site, rel=1e-3)


def test_wind_blows_more_dust_from_sites_and_leaves_the_mean_as_it_is():
    d = toy_dirt()
    factor = np.asarray([d._wind_square(h * 3600) for h in range(24 * 400)])
    assert factor.mean() == pytest.approx(1.0, abs=0.03)
    assert factor.max() > 5.0


def test_sweeping_takes_its_share_of_the_metres_swept_and_no_more_than_there_is_room_for():
    d = toy_dirt()
    litter, dust, length = float(d.litter_g_m[5]), float(d.dust_g_m[5]), float(d.length_m[5])
    took = d.sweep(5, length / 2, "wet")
    assert took == pytest.approx((0.5 * litter * length * EFFICIENCY["wet"][0], 0.5 * dust * length * 0.65))
    assert d.litter_g_m[5] == pytest.approx(litter * (1 - 0.5 * EFFICIENCY["wet"][0]))
    d.litter_g_m[6] = d.dust_g_m[6] = 1000.0
    full = d.sweep(6, length, "wet", room_l=10.0)
    assert hopper_l(*np.asarray(full)) == pytest.approx(10.0)
    assert d.sweep(6, length, "wet", room_l=0.0) == (0.0, 0.0)
    dry = d.dust_g_m[7] * d.length_m[7]
    assert d.sweep(7, 1e9, "dry")[1] == pytest.approx(dry * EFFICIENCY["dry"][1])


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.integers(1, 4))
def test_cleanliness_is_one_for_nothing_and_halves_with_each_documented_amount(litter, dust, lanes):
    one = lambda a, b: float(cleanliness(np.asarray([a]), np.asarray([b]), np.asarray([lanes]))[0])  # noqa: E731
    assert one(0.0, 0.0) == 1.0
    width = lanes * LANE_M
    assert one(LITTER_HALF_G_M2 * width, 0.0) == pytest.approx(0.5)
    assert one(0.0, DUST_HALF_G_M2 * width) == pytest.approx(0.5)
    assert 0.0 <= one(litter + 1, dust) <= one(litter, dust) <= 1.0


def test_the_same_seed_gives_the_same_dirt_and_another_seed_another():
    a, b, c = toy_dirt(3), toy_dirt(3), toy_dirt(4)
    for k in range(10):
        for d in (a, b, c):
            d.step((k + 1) * STEP_S, 0.0)
    assert (a.dust_g_m == b.dust_g_m).all()
    assert (a.litter_g_m == b.litter_g_m).all()
    assert (a.dust_g_m != c.dust_g_m).any()


def test_the_district_in_24_hours_costs_less_than_a_second_and_litter_is_what_a_city_drops(district):
    d = Dirt(district, Dice(1))
    roads = np.tile(np.arange(len(district.roads)), 10)
    begin = time.perf_counter()
    fell = 0.0
    for k in range(96):
        d.drove(roads, 5.0, 0.3)
        fell += d.step((k + 1) * STEP_S, 0.0).fell_g[0]
    assert time.perf_counter() - begin < 1.0
    per_head = fell / district.blocks["residents"].sum()
    # handbooks: 50 to 250 g of street sweepings per head and day, dust included; litter alone is less
    assert 15.0 < per_head < 60.0


def test_litter_of_a_block_is_all_spread_and_busy_roads_have_more(district):
    s = Sources.of(district)
    b = district.blocks
    assert s.litter_g_day[0].sum() == pytest.approx(b["residents"].sum() * 10.0, rel=1e-6)
    assert s.litter_g_day[1].sum() == pytest.approx(b["jobs"].sum() * 5.0, rel=1e-6)
    balcony = int(district.place("都市阳台")["road"])
    metres = district.roads["length_m"].to_numpy()
    per_m = s.litter_g_day.sum(axis=0) / metres
    assert per_m[balcony] > np.quantile(per_m, 0.9)
    assert s.site_g_m_day.max() > 20 * np.median(s.site_g_m_day)


def test_the_area_of_f25_is_the_avenue_and_what_lies_around_the_balcony(district):
    roads = area_roads(district, ("都市阳台", "黄河大道"), 800.0)
    assert set(district.roads_named("黄河大道")) <= set(roads.tolist())
    point = district.place("都市阳台").geometry
    far = district.roads.geometry.iloc[np.setdiff1d(roads, district.roads_named("黄河大道"))].distance(point)
    assert len(far) > 0
    assert far.max() <= 800.0
    assert (np.diff(roads) > 0).all()
    lonely = district.place("gate-001")["place"]
    with pytest.raises(ScenarioError, match="no road for cars at"):
        area_roads(district, (str(lonely),), 0.001)
