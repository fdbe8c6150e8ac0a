"""Common causes: as many hazards as before, but together; one thing more changes no other."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from geo.city import City
from tests.twin.world.city_brain.brain_town import simulation
from twin.cities import city_folder
from twin.clock import Clock, Phase
from twin.dice import Dice
from twin.events import CauseBegan, HazardBegan
from twin.log import Log
from twin.scenario import load_scenario
from twin.scenario.city_brain import HazardRates
from twin.world.city_brain.births import STEP_S, Births
from twin.world.city_brain.causes import CAUSES, stretches
from twin.world.city_brain.hazards import Hazards
from twin.world.city_brain.kinds import KINDS
from twin.world.city_brain.sites import Places

DAY_S = 86_400


@cache
def places() -> tuple[City, Places]:
    city = City.load(city_folder(load_scenario("weekday")))
    return city, Places(city)


@cache
def days(common: float, seed: int, themes: tuple[str, ...] = ("garbage", "bikes", "vendors"), n: int = 4):
    """Hazards of some days of the shipped district, nobody coming."""
    city, where = places()
    clock, log = Clock(0), Log(None)
    around = SimpleNamespace(
        city=city, clock=clock, dice=Dice(seed), log=log, end_s=n * DAY_S,
        weather=SimpleNamespace(rain_mm_h=0.0, kind="clear"),
    )  # fmt: skip
    hazards = Hazards(around, HazardRates(themes=themes, rate=2, common_causes=common))
    births = Births(around, hazards, where)
    clock.every(STEP_S, Phase.WORLD, lambda: births.step(clock.now_s))
    while (at_s := clock.next_s()) is not None and at_s < n * DAY_S:
        clock.run_instant()
    return log.close().frame(HazardBegan)


def test_expected_numbers_stay_and_no_site_is_left_out():
    """Chance and causes together: the daily rate of every site, exactly (share left + causes a day × hit = 1)."""
    _, where = places()
    city, _ = places()
    around = SimpleNamespace(city=city, clock=Clock(0), dice=Dice(1), log=Log(None), end_s=DAY_S)
    births = Births(around, Hazards(around, HazardRates()), where)
    for plan in births.causes._plans:
        for kind, (sites, p, group) in plan.hits.items():
            own = KINDS[kind].rate * where[KINDS[kind].sites].weight[sites]
            caused = plan.a_day[group] * p
            assert births.causes.left[kind][sites] * own + caused == pytest.approx(own, rel=1e-9)
            assert (births.causes.left[kind] >= -1e-12).all()
            assert caused.sum() > 0


def test_hazards_come_in_clusters_and_not_without_causes():
    """Index of dispersion of counts by stretch and quarter day: 1 for Poisson counts, more for a cluster process."""
    _, where = places()
    of = stretches(where, "garbage")

    def dispersion(common: float) -> float:
        counts: list[int] = []
        for seed in (1, 2):
            f = days(common, seed)
            f = f[f["kind"] == "garbage"]
            site = f["hazard"].to_numpy() // 10**5 % 10**7
            key = of[site] * 16 + f["t_s"].to_numpy() // (6 * 3600)
            counts += np.unique(key, return_counts=True)[1].tolist()
        n = 2 * 16 * len(np.unique(of))
        mean = sum(counts) / n
        return (sum(c * c for c in counts) / n - mean**2) / mean

    assert 0.8 < dispersion(0.0) < 1.2
    assert dispersion(1.0) > 1.6


def test_a_theme_more_changes_no_other():
    few, more = days(1.0, 3, ("garbage",), 2), days(1.0, 3, ("garbage", "ebike"), 2)
    mine = more[more["theme"] == "garbage"]
    assert len(few) > 20
    assert few["hazard"].tolist() == mine["hazard"].tolist()
    assert few["t_s"].tolist() == mine["t_s"].tolist()


def test_causes_are_told_and_name_their_hazards():
    sim = simulation(city_brain={"hazards": {"rate": 40, "themes": ["garbage"]}, "sensors": None, "responders": None})
    sim.run_until(sim.end_s)
    log = sim.finish().log
    causes, began = log.frame(CauseBegan), log.frame(HazardBegan)
    assert set(causes["cause"]) <= set(CAUSES)
    assert set(began["cause"]) <= {"chance", *CAUSES}
    assert (began["cause"] == "missed round").sum() > 0
    assert began["hazard"].is_unique


def test_an_order_meets_what_is_building_up_at_its_beginning():
    sim = simulation(city_brain={"hazards": {"rate": 200, "themes": ["garbage"]}, "sensors": None, "responders": None})
    sim.run_until(sim.start_s + 1800)
    causes, hazards = sim.systems["city_brain"].births.causes, sim.systems["city_brain"].hazards
    (kind, site), coming = next(iter(causes.pending.items()))
    bins = sim.systems["city_brain"].places["bins"]
    before = len(hazards)
    assert not causes.meet("bikes", float(bins.x_m[site]), float(bins.y_m[site]), 10.0)
    assert causes.meet("garbage", float(bins.x_m[site]), float(bins.y_m[site]), 1.0)
    assert len(hazards) == before + 1
    assert (kind, site) not in causes.pending
    sim.run_until(min(coming.at_s + 60, sim.end_s))
    assert int((hazards.site[before:] == site).sum()) == 1, "it does not begin a second time"
    sim.finish()
