"""Hazards in truth: how often they begin, how they grow, whom they harm, what water does to streets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.world.city_brain.brain_town import run, simulation
from twin.domain.city_brain import RISKS, THEMES, TOPICS
from twin.events import HazardBegan, HazardContained, HazardEnded, HazardHarmed, HazardOpen, LaneClosed
from twin.scenario.city_brain import ALL_THEMES
from twin.world.city_brain.births import STEP_S, chance
from twin.world.city_brain.hazards import CONTAINED, ENDED, NEVER_S, Beginning, hazard_number
from twin.world.city_brain.kinds import KINDS
from twin.world.city_brain.nature import CATCHES, RUNS_OFF, ponded_m_s

DAY_S = 86_400


def still(**brain):
    """A run in which nothing happens by itself."""
    return simulation(city_brain={"hazards": {"rate": 0}, "sensors": None, **brain})


def hazards_of(sim):
    return sim.systems["city_brain"].hazards


def began(result):
    f = result.log.frame(HazardBegan)
    return {int(n): (int(t), k) for n, t, k in zip(f["hazard"], f["t_s"], f["kind"], strict=True)}


def test_twelve_themes_and_six_risks_each_with_a_kind():
    assert (len(TOPICS), len(RISKS)) == (12, 6)
    assert tuple(THEMES) == ALL_THEMES
    assert {k.theme for k in KINDS.values()} == set(THEMES)


@pytest.mark.parametrize("name", [n for n, k in KINDS.items() if k.rate > 0])
def test_the_hours_of_a_day_add_up_to_the_daily_rate(name):
    kind = KINDS[name]
    p = [float(chance(kind, np.ones(1), t, 0.0, STEP_S, 1.0)[0]) for t in range(0, DAY_S, STEP_S)]
    # independent tens of minutes: P(nothing all day) = exp(−rate)
    assert math.prod(1 - x for x in p) == pytest.approx(math.exp(-kind.rate), rel=1e-9)


@given(st.sampled_from(sorted(KINDS)), st.floats(0, 100), st.floats(0, 100), st.integers(0, 143))
def test_rain_moves_rates_one_way(name, a, b, step):
    kind = KINDS[name]
    low, high = (float(chance(kind, np.full(1, 50.0), step * STEP_S, mm, STEP_S, 1.0)[0]) for mm in sorted((a, b)))
    assert (high - low) * kind.rain >= 0


def test_more_of_everything_keeps_what_there_was_and_one_theme_leaves_the_others_alone():
    brain = {"sensors": None}
    usual = began(run(city_brain=brain))
    more = began(run(city_brain={**brain, "hazards": {"rate": 3}}))
    assert len(usual) > 12
    assert len(more) > 2 * len(usual)
    assert usual.items() <= more.items()
    few = began(run(city_brain={**brain, "hazards": {"themes": ["bikes", "garbage"]}}))
    assert few == {n: v for n, v in usual.items() if KINDS[v[1]].theme in ("bikes", "garbage")}


@given(st.integers(0, 9_999_999), st.integers(0, 99_999))
def test_numbers_of_hazards_tell_theme_site_and_occurrence(site, occurrence):
    for k, theme in enumerate(THEMES):
        n = hazard_number(theme, site, occurrence)
        assert (n // 10**12 - 1, n // 10**5 % 10**7, n % 10**5) == (k, site, occurrence)


def test_a_fire_spreads_as_a_circle_until_it_is_held():
    sim = still()
    h = hazards_of(sim)
    speed, first_m2, start = 0.5, 4.0, sim.start_s
    row = h.begin(start, Beginning(1, "fire", 0.0, 0.0, size=first_m2, growth_min=speed, most=1e6))
    for k in range(1, 61):
        h.live(start + 10 * k, 10)
    radius = math.sqrt(first_m2 / math.pi) + speed * 10.0
    assert h.size[row] == pytest.approx(math.pi * radius**2, rel=1e-9), "area = π (r0 + v t)²"
    skills, seconds = h.needs(row, start)
    assert skills == ("fire",)
    assert seconds == pytest.approx(60 * (KINDS["fire"].handling_min + KINDS["fire"].per_size_min * h.size[row]))
    h.contain(row, start + 600, "engine")
    h.live(start + 1200, 600)
    assert h.size[row] == pytest.approx(math.pi * radius**2)
    assert h.state[row] == CONTAINED
    h.end(row, start + 1300, "handled")
    h.end(row, start + 1400, "handled")
    log = sim.finish().log
    assert log.table(HazardEnded).num_rows == 1
    assert log.table(HazardContained).to_pylist()[0]["who"] == "engine"


@pytest.mark.parametrize("saved", [False, True])
def test_somebody_drowns_after_minutes_unless_somebody_comes(saved):
    sim = still()
    h, t = hazards_of(sim), sim.start_s
    new = Beginning(2, "drowning", 0, 0, until_s=t + 300, fate="drowned", harm_s=t + 300, harmed=1)
    row = h.begin(t, new)
    if saved:
        h.live(t + 200, 200)
        h.contain(row, t + 200, "boat")
    h.live(t + 300, 100)
    h.live(t + 310, 10)
    if saved:
        h.end(row, t + 400, "handled")
    log = sim.finish().log
    assert [r["people"] for r in log.table(HazardHarmed).to_pylist()] == ([] if saved else [1])
    assert log.table(HazardEnded).to_pylist()[0]["outcome"] == ("handled" if saved else "drowned")


def test_what_is_open_at_the_end_is_accounted_for():
    result = run(city_brain={"sensors": None})
    started, ended, left = (result.log.table(k)["hazard"].to_pylist() for k in (HazardBegan, HazardEnded, HazardOpen))
    assert sorted(ended + left) == sorted(started)


def test_columns_near_and_about():
    sim = still()
    h, t = hazards_of(sim), sim.start_s
    rows = [h.begin(t, Beginning(10 + k, "garbage", 100.0 * k, 0.0)) for k in range(4)]
    assert h.near(120.0, 0.0, 130.0).tolist() == [rows[1], rows[2], rows[0]]
    h.end(rows[1], t + 60, "handled")
    assert h.near(120.0, 0.0, 130.0).tolist() == [rows[2], rows[0]]
    assert h.about("garbage", 100.0, 0.0, 50.0, t + 90, ago_s=60) == rows[1], "it ended half a minute ago"
    assert h.about("garbage", 100.0, 0.0, 50.0, t + 200, ago_s=60) == -1
    assert h.ended_s[rows[0]] == NEVER_S
    sim.finish()


def test_a_cloudburst_ponds_streets_as_deep_as_the_balance_says():
    rain = 90.0
    sim = simulation(
        city_brain={"hazards": {"rate": 0}, "sensors": None},
        weather={"kind": "rain", "rain_mm_h": rain},
    )
    nature, h = sim.systems["city_brain"].nature, hazards_of(sim)
    sim.run_until(sim.start_s + 2400)
    excess = RUNS_OFF * rain - nature.drain_mm_h
    filling = (excess > 0) & (CATCHES * excess / 1000 * (2460 / 3600) < 1.2)
    # 40 steps of a minute are done before second 2400, at the beginning of each
    expected = CATCHES * excess[filling] / 1000 * (40 / 60)
    assert nature.depth_m[filling] == pytest.approx(expected, rel=1e-9)
    assert nature.depth_m[excess < 0] == pytest.approx(0.0)
    ponded = [r for r in h.open_rows().tolist() if h.kind[r] == "ponded_road"]
    assert len(ponded) == np.count_nonzero(nature.depth_m >= 0.15) > 10
    sim.finish()


@given(st.floats(0, 1.2), st.floats(0, 1.2))
def test_deeper_water_is_slower(a, b):
    shallow, deep = sorted((a, b))
    assert ponded_m_s(deep) <= ponded_m_s(shallow)


def test_ponded_speed_is_the_published_curve():
    assert ponded_m_s(0.15) * 3.6 == pytest.approx(0.0009 * 150**2 - 0.5529 * 150 + 86.9448)


def test_a_handled_flood_does_not_begin_again_before_the_water_is_gone():
    sim = simulation(
        city_brain={"hazards": {"rate": 0, "themes": ["ponding"]}, "sensors": None},
        interventions=[{"kind": "hazard", "at": "14:10", "what": "ponded_road", "place": "清宁社区", "size": 0.5}],
    )
    h = hazards_of(sim)
    sim.run_until(sim.start_s + 1200)
    (row,) = h.open_rows().tolist()
    assert h.size[row] > 0.4
    h.contain(row, sim.start_s + 1200, "crew")
    h.end(row, sim.start_s + 1300, "handled")
    sim.run_until(sim.end_s)
    assert h.state[row] == ENDED
    assert sim.finish().log.table(HazardBegan).num_rows == 1


def test_a_blocked_fire_lane_stands_in_traffic():
    items = [{"kind": "hazard", "at": "14:10", "what": "fire_lane", "place": "清宁社区", "count": 3}]
    result = run(city_brain={"hazards": {"rate": 0}, "sensors": None}, interventions=items, start="14:00", end="14:20")
    rows = result.log.table(HazardBegan).to_pylist()
    assert [r["t_s"] for r in rows] == [14 * 3600 + 600] * 3
    assert {r["cause"] for r in rows} == {"interventions[0]"}
    assert sorted(r["road"] for r in result.log.table(LaneClosed).to_pylist()) == sorted(r["road"] for r in rows)


@pytest.mark.parametrize("where", ["bus stop", "two lanes", "one lane"])
def test_where_buses_halt_or_there_is_one_lane_others_squeeze_past(where, monkeypatch):
    sim = still()
    roads, places = sim.city.roads, sim.city.places
    stops = set(places.loc[places["kind"] == "bus_stop", "road"])
    lanes = roads["lanes"].to_numpy()
    wanted = {
        "bus stop": lambda r: r in stops and lanes[r] > 1,
        "two lanes": lambda r: r not in stops and lanes[r] > 1,
        "one lane": lambda r: r not in stops and lanes[r] == 1,
    }[where]
    road = next(r for r in np.flatnonzero(roads["car"].to_numpy(bool)).tolist() if wanted(r))
    told: list[tuple] = []
    monkeypatch.setattr(sim.traffic, "close_lane", lambda r, _, closed: told.append(("lane", r, closed)))
    monkeypatch.setattr(sim.traffic, "set_speed", lambda r, speed: told.append(("speed", r, speed)))
    h, t = hazards_of(sim), sim.start_s
    first, second = (h.begin(t, Beginning(20 + k, "fire_lane", 0, 0, road=road)) for k in range(2))
    h.end(first, t + 60, "handled")
    closes = [("lane", road, True), ("lane", road, False)]
    squeezes = [("speed", road, 2.0), ("speed", road, None)]
    expected = closes if where == "two lanes" else squeezes
    assert told == expected[:1], "two vehicles block one lane once, and while one is left"
    h.end(second, t + 90, "handled")
    assert told == expected
    sim.finish()
