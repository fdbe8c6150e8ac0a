"""Permits as rules: where, when, how fast, after which tests; against what the rules say in so many words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.control.mobility.permits import DAY_S, FOREVER_S, Permits
from twin.control.mobility.standings import HOLDS, NO_PERMIT, OUT_OF_HOURS, Standings
from twin.domain.ids import unit_number
from twin.domain.mobility import PermitIssued, PermitWithdrawn

ROADS = 10
ROBOT = unit_number("robot", 1)


def issued(name="p", fleet="robot", purpose="goods", roads=range(5), unit=(), **other):
    values = {
        "from_s": 6 * 3600, "until_s": 22 * 3600, "speed_m_s": 10.0, "valid_from_s": 0, "valid_until_s": 30 * DAY_S,
        "min_test_h": 0.0, "min_test_km": 0.0,
    } | other  # fmt: skip
    return PermitIssued(
        0, f"issued/{name}", name, fleet, purpose, np.asarray(unit, np.int64), np.asarray(roads, np.int64), **values
    )


def book(*messages):
    permits = Permits()
    for m in messages:
        assert permits.take(m)
    return permits


def ask(permits, way, from_s, until_s=None, purpose="goods", h=0.0, km=0.0, unit=ROBOT):
    until_s = from_s + 60 if until_s is None else until_s
    return permits.may_drive("robot", unit, purpose, np.asarray(way, np.int64), from_s, until_s, h, km)


NOON = 12 * 3600


def test_a_leg_inside_is_allowed_at_the_lowest_speed():
    permits = book(issued(), issued("slow", speed_m_s=4.0, from_s=11 * 3600, until_s=13 * 3600))
    assert ask(permits, [0, 4], NOON) == ask(permits, [0, 4], NOON)
    assert ask(permits, [0, 4], NOON).speed_m_s == 4.0
    assert ask(permits, [0, 4], 15 * 3600).speed_m_s == 10.0
    # the slow one begins on the way: it counts
    assert ask(permits, [0, 4], 11 * 3600 - 100, 11 * 3600 + 100).speed_m_s == 4.0


@pytest.mark.parametrize(
    ("way", "from_s", "until_s", "why"),
    [
        ([0, 7, 8], NOON, NOON + 60, "out of area: road 7"),
        ([0, 1], 22 * 3600, None, "out of hours: from 22:00"),
        ([0, 1], 22 * 3600 - 60, 22 * 3600 + 60, "out of hours: from 22:00"),
        ([0, 1], 5 * 3600, None, "out of hours: from 22:00"),
        ([0, 1], 30 * DAY_S + NOON, None, "no permit: ended 24:00 of day 30"),
    ],
)
def test_why_not(way, from_s, until_s, why):
    answer = ask(book(issued()), way, from_s, until_s)
    assert (answer.allowed, answer.why) == (False, why)


def test_tests_are_hours_or_kilometres():
    permits = book(issued(min_test_h=240.0, min_test_km=1000.0))
    assert ask(permits, [0], NOON, h=239.0, km=999.0).why == "needs 240 h or 1,000 km of tests"
    assert ask(permits, [0], NOON, h=240.0, km=0.0).allowed
    assert ask(permits, [0], NOON, h=0.0, km=1000.0).allowed


def test_a_permit_for_something_or_somebody_else_does_not_count():
    permits = book(issued(purpose="test"), issued("q", unit=[unit_number("robot", 2)]))
    assert ask(permits, [0], NOON).why == "no permit for goods"
    assert ask(permits, [0], NOON, purpose="test").allowed
    assert ask(permits, [0], NOON, unit=unit_number("robot", 2)).allowed
    assert permits.grant("shuttle", unit_number("shuttle", 1), "", NOON, ROADS, 0, 0).roads is None


def test_told_twice_counts_once_and_an_old_copy_does_not_revive_a_withdrawn_permit():
    permits = book(issued())
    version = permits.version
    assert permits.take(issued())
    assert permits.version == version
    permits.take(PermitWithdrawn(5, "withdrawn/p", "p", "police"))
    permits.take(issued())
    assert permits.grant("robot", ROBOT, "goods", NOON, ROADS, 0, 0).roads is None
    assert permits.take(PermitWithdrawn(6, "withdrawn/x", "x", "unknown")), "an unknown permit is no error"


def test_roads_off_the_map_are_left_out_and_the_mask_is_shared_and_read_only():
    permits = book(issued(roads=[0, 3, 99, -1]))
    a, b = (permits.grant("robot", unit_number("robot", k), "goods", NOON, ROADS, 0, 0) for k in (1, 2))
    assert a.roads is b.roads
    assert np.flatnonzero(a.roads).tolist() == [0, 3]
    with pytest.raises(ValueError, match="read-only"):
        a.roads[1] = True


hours = st.integers(0, 24).map(lambda h: h * 3600)


@given(hours, hours, st.integers(0, 3 * DAY_S - 1), st.integers(0, 2 * DAY_S), st.integers(0, 2 * DAY_S))
def test_a_grant_holds_exactly_until_it_says(from_s, until_s, now_s, valid_from, lasts):
    """Brute force over the definition: in force iff valid, and the time of day in [from, until) round the clock."""
    permits = book(issued(from_s=from_s, until_s=until_s, valid_from_s=valid_from, valid_until_s=valid_from + lasts))

    def holds(t):
        tod = t % DAY_S
        a, b = from_s % DAY_S, until_s % DAY_S
        in_hours = a == b or (a <= tod < b if a < b else (tod >= a or tod < b))
        return valid_from <= t < valid_from + lasts and in_hours

    def granted(t):
        return permits.grant("robot", ROBOT, "goods", t, ROADS, 0, 0)

    g = granted(now_s)
    assert (g.roads is not None) == holds(now_s)
    assert (permits.why_not("robot", ROBOT, "goods", now_s, 0, 0) == "") == holds(now_s)
    turn = permits.changes_s("robot", ROBOT, now_s)
    assert turn > now_s
    for t in range(now_s, min(turn, now_s + 3 * DAY_S), 1800):
        assert holds(t) == holds(now_s), "nothing changes before it is said to"
    if g.roads is not None:
        assert not holds(g.until_s)
        assert holds(g.until_s - 1)
    if turn == FOREVER_S:
        assert not any(holds(t) for t in range(max(now_s, valid_from + lasts), 5 * DAY_S, 3600))


def test_standings_are_the_grants_as_columns():
    robots = [unit_number("robot", k) for k in (1, 2, 3)]
    van = unit_number("courier", 1)
    permits = book(
        issued("a", unit=robots[:1], min_test_h=240.0, min_test_km=1000.0),
        issued("a/test", unit=robots[:1], purpose="test"),
        issued("night", unit=robots[1:2], from_s=22 * 3600, until_s=6 * 3600),
    )
    unit = np.asarray([*robots, van])
    s = Standings.of(permits, unit, np.zeros(4), np.zeros(4), NOON, ROADS)
    assert s.why.tolist() == [HOLDS, OUT_OF_HOURS, NO_PERMIT, HOLDS]
    assert s.use.tolist() == [False, True, True, True], "until its tests are done a unit may only test"
    assert s.speed_m_s.tolist() == [10.0, np.inf, np.inf, np.inf]
    row, road = np.repeat(np.arange(4), ROADS + 2), np.tile(np.arange(-1, ROADS + 1), 4)
    inside = s.inside(row, road).reshape(4, -1)
    assert inside[0, 1:6].all()
    assert inside[:3].sum() == 5
    assert inside[3].sum() == ROADS, "people drive where they like"
    assert s.current(permits, unit, 13 * 3600 - 1)
    assert not s.current(permits, unit, 22 * 3600)
    permits.take(PermitWithdrawn(1, "w", "a", ""))
    assert not s.current(permits, unit, NOON)
