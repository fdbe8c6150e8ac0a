"""Indicators of hazards, sensors and alerts against values worked out by hand."""

from __future__ import annotations

import pytest

from scenarios import kpis
from tests.scenarios.tiny import Tiny
from twin import events
from twin.log import Facts

RUN_S = 43_200  # half a day: what happened twice happens four times a day


def brain_run() -> Facts:
    """Three people in water, two fires, one heap of garbage in half a day.

    Water 1 is alerted after 60 s (and again later), 2 after 180 s by an alert that was raised about 1, 3 never. Fire 4
    was warned of early, 500 m away, 1,200 s before it began; fire 5 after 600 s. Nobody alerted the garbage 6.
    Alerts about nothing: one about water, two about fire (one too far from fire 4, one too early for it). Two devices
    fell silent, and one alert said that something was unusual.
    """
    t = Tiny()
    began = [1000, 2000, 3000, 10_000, 20_000, 30_000]
    themes = ["water", "water", "water", "fire", "fire", "garbage"]
    t.add(events.ChannelsPlaced, 0, kind="camera", channels=3, period_s=10, reach_m=80.0)
    t.add(events.HazardBegan, began, hazard=[1, 2, 3, 4, 5, 6], theme=themes)
    t.add(events.HazardInView, began, hazard=[1, 2, 3, 4, 5, 6], theme=themes, channels=[2, 1, 0, 1, 3, 0])
    t.add(
        events.AlertRaised,
        [1060, 1500, 5000, 8800, 8900, 8000, 20_600, 25_000, 26_000, 27_000],
        alert=list("abcdefghij"),
        alert_rule=["r"] * 7 + ["silent", "silent", "anomaly"],
        theme=["water", "water", "water", "fire", "fire", "fire", "fire", "device", "device", "water"],
        hazard=[1, 1, -1, -1, -1, -1, 5, -1, -1, -1],
        x_m=[0.0, 0.0, 0.0, 500.0, 1001.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # all hazards are at (0, 0)
    )
    t.add(events.AlertCovered, [1060, 1500, 2180, 20_600], alert=list("abbg"), theme="x", hazard=[1, 1, 2, 5])
    t.add(events.HazardHarmed, 3600, hazard=[3, 1, 5], theme=["water", "water", "fire"],
          what=["drowned", "injured", "injured"], people=[1, 1, 3])  # fmt: skip
    t.add(events.HazardEnded, 22_000, hazard=[4, 6], theme=["fire", "garbage"], amount=[12.5, 7.0])
    t.add(events.HazardOpen, RUN_S, hazard=5, theme="fire", amount=30.0)
    t.add(events.ReadingsSent, [1000, 2000], readings=[300, 100], lost=[3, 5])
    return t.end(RUN_S)


#: delays of the four alerted: 60, 180, 0 (early) and 600 s; sorted 0, 60, 180, 600
BY_HAND = {
    "hazards": 6,
    "hazard_coverage": 100 * 4 / 6,
    "alert_recall": 100 * 4 / 6,
    "alert_recall_in_view": 100 * 4 / 4,
    "alert_precision": 100 * 4 / 7,  # a, b, d, g of the seven that are neither silent nor unusual
    "false_alarms_day": 3 * 2,
    "alert_delay_min": (60 + 180) / 2 / 60,
    "alert_delay_p95_min": (180 + 0.85 * (600 - 180)) / 60,  # position 0.95 · 3 = 2.85
    "water_recall": 100 * 2 / 3,
    "water_false_day": 1 * 2,
    "water_delay_min": (60 + 180) / 2 / 60,
    "fire_recall": 100,
    "fire_false_day": 2 * 2,
    "fire_delay_min": (0 + 600) / 2 / 60,
    "drowned": 1,
    "injured": 1 + 3,
    "burnt_m2": 12.5 + 30,
    "readings_lost_share": 100 * 8 / 400,
    "silent_alerts_day": 2 * 2,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_city_brain_values_worked_out_by_hand(name: str) -> None:
    assert kpis.by_name(name)(brain_run()) == pytest.approx(BY_HAND[name])


def test_an_early_warning_is_of_the_hazard_that_comes_first_not_of_the_lowest_number() -> None:
    t = Tiny().add(events.HazardBegan, [1500, 1200], hazard=[1, 2], theme="fire")
    log = t.add(events.AlertRaised, 1000, theme="fire", hazard=-1).add(events.AlertRaised, 1560, theme="fire", hazard=1)
    # 2 was warned of early: 0 s; 1 is alerted after 60 s
    assert kpis.by_name("fire_delay_min")(log.end(5000)) == pytest.approx((0 + 60) / 2 / 60)


def test_an_alert_that_comes_to_be_about_a_hazard_later_was_a_false_alarm_but_finds_it() -> None:
    t = Tiny().add(events.HazardBegan, 9000, hazard=1, theme="water")
    t.add(events.AlertRaised, 100, alert="a", theme="water", hazard=-1)
    log = t.add(events.AlertCovered, 9030, alert="a", theme="water", hazard=1).end(RUN_S)
    got = {name: kpis.by_name(name)(log) for name in ("alert_precision", "alert_recall", "alert_delay_min")}
    assert got == {"alert_precision": 0, "alert_recall": 100, "alert_delay_min": 0.5}


def test_without_hazards_and_sensors_there_is_nothing() -> None:
    log = Tiny().end(RUN_S)
    assert [name for name in BY_HAND if kpis.by_name(name)(log) is not None] == []
