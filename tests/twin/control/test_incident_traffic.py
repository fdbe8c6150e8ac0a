"""Incident traffic control alone: no world, only messages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.control.junctions.incident_traffic import ADVICE_S, HOLD, RENEW_S, IncidentTraffic
from twin.domain.commands import AvoidRoad, LiftSpeedLimit, SetSpeedLimit, WakeAt, WithdrawAdvice
from twin.domain.messages import ClosureReport, DetectorReadings, RoadMap

LIMIT = 15.0


def told_map():
    """0 → 1 → 2 and 3 → 1."""
    n = 4
    return RoadMap(
        0, "map", np.arange(n), np.full(n, 300.0), np.full(n, LIMIT), np.full(n, 2), np.asarray([0, 1, 3]),
        np.asarray([1, 2, 1]),
    )  # fmt: skip


def reading(t, speed, road=1, occupancy=0.6):
    return DetectorReadings(
        t, f"d/{t}", 60, np.asarray([road]), np.asarray([9]), np.asarray([float(speed)]), np.asarray([occupancy])
    )


def closure(t, closed=True, road=1):
    return ClosureReport(t, f"c/{t}/{road}/{closed}", road, closed, "police")


@pytest.fixture
def control():
    c = IncidentTraffic()
    assert list(c.decide(0, [told_map()])) == []
    return c


def kinds(commands):
    return [type(c).__name__ for c in commands]


def test_a_closure_is_advised_at_once_and_slows_what_leads_into_it(control):
    out = control.decide(100, [closure(100)])
    assert sorted(c.road for c in out if isinstance(c, SetSpeedLimit)) == [0, 3]
    assert all(c.speed_m_s == pytest.approx(0.6 * LIMIT) for c in out if isinstance(c, SetSpeedLimit))
    advice = [c for c in out if isinstance(c, AvoidRoad)]
    assert [(a.road, a.until_s) for a in advice] == [(1, 100 + ADVICE_S)]
    assert [c.t_s for c in out if isinstance(c, WakeAt)] == [100 + RENEW_S]


def test_it_is_all_taken_back_when_the_road_is_open_again(control):
    control.decide(100, [closure(100)])
    out = control.decide(400, [closure(400, closed=False)])
    assert [c.road for c in out if isinstance(c, WithdrawAdvice)] == [1]
    assert sorted(c.road for c in out if isinstance(c, LiftSpeedLimit)) == [0, 3]
    assert list(control.decide(401, [closure(401, closed=False)])) == []


def test_advice_is_renewed_before_it_runs_out_and_not_earlier(control):
    control.decide(100, [closure(100)])
    assert kinds(control.decide(100 + RENEW_S - 1, [])) == []
    out = control.decide(100 + RENEW_S, [])
    assert kinds(out) == ["AvoidRoad", "WakeAt"]
    assert out[0].until_s == 100 + RENEW_S + ADVICE_S


def test_a_breakdown_must_hold_and_a_recovery_too(control):
    for k in range(HOLD - 1):
        assert list(control.decide(60 * k, [reading(60 * k, 2.0)])) == []
    t = 60 * HOLD
    assert kinds(control.decide(t, [reading(t, 2.0)])) == ["AvoidRoad", "WakeAt"]
    assert list(control.decide(t + 60, [reading(t + 60, 14.0)])) == []
    assert list(control.decide(t + 120, [reading(t + 120, 2.0)])) == [], "a flap is one episode"
    control.decide(t + 180, [reading(t + 180, 14.0)])
    assert kinds(control.decide(t + 240, [reading(t + 240, 14.0)])) == ["WithdrawAdvice"]


def test_a_gap_is_neither_breakdown_nor_recovery(control):
    control.decide(0, [reading(1, 2.0)])
    assert list(control.decide(60, [reading(60, np.nan)])) == []
    assert kinds(control.decide(120, [reading(120, 2.0)])) == ["AvoidRoad", "WakeAt"]
    for t in (180, 240, 300):
        assert list(control.decide(t, [reading(t, np.nan)])) == [], "silence must not end an incident"


def test_a_queue_at_a_red_light_is_no_breakdown(control):
    for t in (60, 120, 180):
        assert list(control.decide(t, [reading(t, 2.0, occupancy=0.1)])) == []


def test_the_same_message_twice_has_one_effect(control):
    first = control.decide(100, [closure(100), closure(100)])
    assert len([c for c in first if isinstance(c, AvoidRoad)]) == 1
    assert list(control.decide(101, [closure(100)])) == []


def test_two_closures_share_an_approach_and_the_last_one_lifts_its_limit():
    control = IncidentTraffic()
    n = 3  # 0 leads into 1 and into 2
    control.decide(0, [RoadMap(0, "m", np.arange(n), np.full(n, 99.0), np.full(n, LIMIT), np.ones(n, int),
                               np.asarray([0, 0]), np.asarray([1, 2]))])  # fmt: skip
    a = control.decide(1, [closure(1, road=1), closure(1, road=2)])
    assert kinds(a).count("SetSpeedLimit") == 1
    assert "LiftSpeedLimit" not in kinds(control.decide(2, [closure(2, False, road=1)]))
    assert kinds(control.decide(3, [closure(3, False, road=2)])).count("LiftSpeedLimit") == 1


events = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["close", "open", "slow", "fast", "gap"])), max_size=30)


@given(events)
def test_same_messages_same_commands_and_keys_never_clash(events):
    def play():
        control, out = IncidentTraffic(), []
        out += control.decide(0, [told_map()])
        for k, (road, what) in enumerate(events):
            t = 60 * (k + 1)
            if what in ("close", "open"):
                m = closure(t, what == "close", road)
            else:
                m = reading(t, {"slow": 1.0, "fast": 14.0, "gap": np.nan}[what], road)
            out += control.decide(t, [m])
        return out

    a, b = play(), play()
    assert a == b
    assert len({c.key for c in a}) == len(a)


@given(events)
def test_everything_ends_when_every_road_is_open_and_fast_again(events):
    control = IncidentTraffic()
    control.decide(0, [told_map()])
    limits, advised, t = {}, {}, 0

    def carry_out(commands):
        for c in commands:
            if isinstance(c, SetSpeedLimit):
                limits[c.road] = c.speed_m_s
            elif isinstance(c, LiftSpeedLimit):
                limits.pop(c.road)
            elif isinstance(c, AvoidRoad):
                advised[c.road] = c.until_s
            elif isinstance(c, WithdrawAdvice):
                advised.pop(c.road)

    for road, what in events:
        t += 60
        message = closure(t, what == "close", road) if what in ("close", "open") else reading(t, 1.0, road)
        carry_out(control.decide(t, [message]))
    for road in range(4):
        t += 60
        carry_out(control.decide(t, [closure(t, False, road)]))
        for _ in range(HOLD):
            t += 60
            carry_out(control.decide(t, [reading(t, 14.0, road)]))
    assert limits == {}
    assert {r for r, until in advised.items() if until > t} == set()
