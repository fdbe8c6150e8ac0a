"""The charts, worked out by hand from a few facts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from twin import events
from twin.log import Log
from viz import series
from viz.happenings import happenings
from viz.state import RoadState

CAR, BUS = 10**12, 4 * 10**12


def trip(log, t, resident, mode=2, due=-1, expected=600.0, origin=0, destination=1, trip=0):
    log.add(
        events.TripStarted, t, resident=resident, trip=trip, mode=mode, purpose=1, origin=origin,
        destination=destination, vehicle=0, planned_s=t, due_s=due, distance_m=1000.0, expected_s=expected,
    )  # fmt: skip


def ended(log, t, resident, duration, late, trip=0):
    log.add(events.TripEnded, t, resident=resident, trip=trip, mode=2, purpose=1, duration_s=duration, late_s=late)


def test_vehicles_on_the_road_by_kind():
    log = Log()
    for t, v, kind in ((0, CAR + 1, "car"), (30, CAR + 2, "car"), (60, BUS + 1, "bus")):
        log.add(events.VehicleEntered, t, vehicle=v, kind=kind, road=0)
    log.add(events.VehicleArrived, 90, vehicle=CAR + 1, kind="car", duration_s=90)
    log.add(events.VehicleRemoved, 150, vehicle=BUS + 1, kind="bus", reason="test")
    got = series.on_the_road(log.close(), 0, 240)
    assert got.parts == ("car", "bus")
    # at 0, 60, 120, 180, 240 s; what happens at a minute counts in it
    assert got.values.tolist() == [[1, 2, 1, 1, 1], [0, 1, 1, 0, 0]]


def test_trips_begun_by_mode():
    log = Log()
    for t, mode in ((0, 2), (299, 2), (300, 0), (900, 0)):
        trip(log, t, resident=t, mode=mode)
    got = series.trips_begun(log.close(), 0, 900)
    assert got.parts == ("walk", "car")
    assert got.values.tolist() == [[0, 1, 0], [2, 0, 0]]


def test_delay_and_late_share():
    log = Log()
    trip(log, 0, 1, due=700, expected=600)
    ended(log, 660, 1, duration=660, late=-40)
    trip(log, 0, 2, due=500, expected=600)
    ended(log, 840, 2, duration=840, late=340)
    trip(log, 0, 3, due=-1, expected=300)
    ended(log, 850, 3, duration=850, late=0)
    trip(log, 0, 4, due=590)  # still under way more than 5 min after it was due
    trip(log, 0, 5, due=400)
    ended(log, 450, 5, duration=450, late=50)  # late, but by less than 5 min
    trip(log, 0, 6, due=650)  # still under way, but its 5 min are not over
    ended(log, 860, 99, duration=10, late=9999)  # began before the run: nothing to compare with
    delay, late = series.delay_and_late(log.close(), 0, 900)
    assert np.isnan(delay.values[0, 0])
    assert delay.values[0, 1] == -150 / 60
    assert delay.values[0, 2] == np.float64((60 + 240 + 550) / 3 / 60)
    assert np.isnan(late.values[0, 0])
    assert late.values[0, 1] == pytest.approx(200 / 3)  # due in 300–600 s: 2 and 4 late, 5 not
    assert late.values[0, 2] == 0.0  # due in 600–900 s: 1 in time, 6 not known yet


def test_mean_speed_is_metres_over_seconds():
    state = RoadState(
        0, 300, np.zeros((2, 2), int), np.array([[100.0, 200.0], [0, 0]]), np.array([[10.0, 20.0], [0, 0]])
    )
    got = series.mean_speed(state)
    assert got.values[0, 0] == 36.0
    assert np.isnan(got.values[0, 1])


def test_charts_without_facts_are_left_out_and_plain_is_json():
    log = Log()
    log.add(events.RunEnded, 900, reason="finished")
    state = RoadState(0, 300, np.ones((3, 1), int), np.array([[30.0], [0], [30.0]]), np.array([[10.0], [0], [10.0]]))
    charts = series.all_series(log.close(), state, 0, 900)
    assert [c.name for c in charts] == ["mean_speed"]
    plain = json.loads(json.dumps(charts[0].plain(), allow_nan=False))
    assert plain["values"] == [[10.8, None, 10.8]]


# -- happenings ----------------------------------------------------------------------------------------


def test_happenings_by_hand():
    log = Log()
    log.add(events.RoadClosed, 600, road=[3, 4], cause="works")
    log.add(events.RoadReopened, 1200, road=[3, 4], cause="works")
    log.add(events.RoadClosed, 1500, road=3, cause="crash")
    log.add(events.SpeedLimitSet, 700, road=5, speed_m_s=8.33, cause="control")
    log.add(events.SpeedLimitSet, 800, road=5, speed_m_s=-1.0, cause="control")
    log.add(events.WeatherChanged, 0, weather="clear", rain_mm_h=0.0, speed_factor=1.0)
    log.add(events.WeatherChanged, 900, weather="rain", rain_mm_h=4.0, speed_factor=0.9)
    log.add(events.EventHeld, 1000, place="P1", people=500, cause="concert")
    got = happenings(log.close(), 3600)
    assert [(h["kind"], h["t0"], h.get("t1")) for h in got] == [
        ("closed", 600, 1200),
        ("speed_limit", 700, 800),
        ("weather", 900, None),
        ("event", 1000, None),
        ("closed", 1500, None),
    ]
    assert got[0]["roads"] == [3, 4]  # one closure of two roads
    assert got[1]["value"] == 30.0
    assert got[3]["place"] == "P1"


def test_what_a_controller_says_road_by_road_is_one_happening():
    log = Log()
    for k, t in enumerate((600, 626, 659)):
        log.add(events.AdviceFollowed, t, road=k, people=100, followed=40 + k)
        log.add(events.SpeedLimitSet, t, road=10 + k, speed_m_s=10.0, cause="control")
        log.add(events.SpeedLimitSet, 1200 + 100 * k, road=10 + k, speed_m_s=-1.0, cause="control")
    log.add(events.AdviceFollowed, 700, road=0, people=0, followed=0)  # said to nobody
    log.add(events.AdviceFollowed, 1800, road=0, people=5, followed=2)
    got = happenings(log.close(), 3600)
    assert [(h["kind"], h["t0"], h.get("t1"), h["roads"], h["value"]) for h in got] == [
        ("advice", 600, None, [0, 1, 2], 123),
        ("speed_limit", 600, 1400, [10, 11, 12], 36.0),
        ("advice", 1800, None, [0], 2),
    ]


def test_late_means_the_same_as_in_the_indicators():
    from scenarios import kpis

    assert series.LATE_S == kpis.LATE_AFTER_S


def test_no_happenings():
    assert happenings(Log().close(), 3600) == []
