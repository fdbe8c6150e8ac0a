"""The platform's picture and plans, and warnings by geometry: control alone, without the world."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.junctions.made_junctions import made_map
from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.cloud import AGAIN_S, FORGET_S, CloudPlatform, serial_of
from twin.control.junctions.layout import Layout
from twin.control.junctions.warnings import BlindSpots, HazardView, crosses, diagonals, needed_m_s2
from twin.domain.junctions import LinkStatus, SetPlans
from twin.domain.v2x import LIVE, LOST, PERSON, STALE, CamBatch, PlanStates, PolicePlans, ReportPicture
from twin.domain.wire import decode, encode

ints = lambda *v: np.array(v, dtype=np.int64)  # noqa: E731
none = ints()


def cam(t, *cars):
    """Cars as (station, generated_ms, x)."""
    n = len(cars)
    zero = np.zeros(n)
    station, made, x = (np.array([c[i] for c in cars]) for i in range(3))
    return CamBatch(t, f"cam/{t}", station, np.zeros(n, np.int64), made, x.astype(float), zero, zero, zero, zero,
                    np.zeros(n, np.int64), zero, np.zeros(n, np.int64))  # fmt: skip


def platform(n=2):
    desk, told = CloudPlatform(), made_map(n)
    desk.decide(0, [told])
    return desk, Cabinets(Layout.of(told), 0)


def test_what_was_not_heard_of_lately_is_not_healthy() -> None:
    desk, cabinets = platform(3)
    assert desk.picture(0).state.tolist() == [STALE] * 3  # nothing heard yet
    desk.decide(10, [cabinets.tell(10)])
    assert desk.picture(10).state.tolist() == [LIVE] * 3
    desk.decide(14, [cabinets.tell(14, ints(0, 1)), LinkStatus(14, "l", ints(1), ints(0))])
    now = desk.picture(15)
    assert now.state.tolist() == [LIVE, LOST, STALE]
    assert now.age_s.tolist() == [1.0, 1.0, 5.0]
    assert np.isnan(now.queue).all()  # nobody perceived anything


def test_the_later_message_about_a_vehicle_counts_and_old_ones_go() -> None:
    desk, _ = platform()
    desk.decide(10, [cam(10, (7, 9_900, 1.0), (8, 9_000, 5.0), (7, 9_500, 2.0))])
    desk.decide(11, [cam(11, (7, 9_700, 3.0))])  # was on the way for long
    shown = desk.picture(11)
    assert dict(zip(shown.station.tolist(), shown.x_m.tolist(), strict=True)) == {7: 1.0, 8: 5.0}
    assert np.allclose(sorted(shown.track_age_s.tolist()), [1.1, 2.0])
    assert desk.picture(11 + FORGET_S).station.size == 0


def plans(green=(40, 20)):
    return PolicePlans(0, "police", ints(0), ints(100), ints(400), ints(0), ints(0, 0), ints(0, 1), ints(*green),
                       ints(0), ints(0), ints(5))  # fmt: skip


def test_a_plan_is_given_at_its_hour_again_until_confirmed_and_not_to_lost_links() -> None:
    desk, _ = platform()
    given = []
    for t in range(420):
        messages = [plans()] if t == 1 else []
        if t == 90:
            messages.append(LinkStatus(t, "cut", ints(0), ints(0)))
        if t == 150:
            messages.append(LinkStatus(t, "mended", ints(0), ints(1)))
        if t == 200:
            messages.append(PlanStates(t, "has", ints(0), ints(serial_of(given[-1][1]))))
        given += [(t, c) for c in desk.decide(t, messages) if isinstance(c, SetPlans)]
    at = [t for t, _ in given]
    assert at[:3] == [150, 150 + AGAIN_S, 150 + 2 * AGAIN_S]  # until confirmed at 200
    assert at[3] == 400  # the hours are over: the own plan comes back
    assert not any(200 < t < 400 for t in at)
    first = given[0][1]
    assert first.green_s.tolist() == [40, 20]
    assert first.offset_s.tolist() == [5]
    assert len({c.key for _, c in given}) == len(given)


def test_the_same_messages_give_the_same_commands() -> None:
    def fold():
        desk, cabinets = platform()
        return [
            encode(c)
            for t in range(130)
            for c in desk.decide(t, [plans(), cabinets.tell(t)] if t == 1 else [cabinets.tell(t)])
        ]

    one, two = fold(), fold()
    assert one == two
    assert any(isinstance(decode(c), ReportPicture) for c in one)


# -- warnings ----------------------------------------------------------------------------------------------


def view(person, walls=(), vehicle=(0.0, 0.0), speed=10.0, walk=0.0, heading=270.0) -> HazardView:
    """A vehicle that drives north, a person at (x, y), walls as ((x, y), (x, y))."""
    one = np.array([w[0] for w in walls], float).reshape(-1, 2)
    other = np.array([w[1] for w in walls], float).reshape(-1, 2)
    f = lambda v: np.array([v], float)  # noqa: E731
    owner = np.full(len(walls), -1)
    return HazardView(f(vehicle[0]), f(vehicle[1]), f(0.0), f(speed), f(person[0]), f(person[1]), f(heading), f(walk),
                      ints(PERSON), one, other, owner, owner)  # fmt: skip


def test_only_what_is_hidden_and_in_the_way_is_warned_of() -> None:
    wall = ((1.0, 20.0), (5.0, 20.0))
    rule = BlindSpots()
    assert rule.warn(view((2.5, 40.0), [wall]))[0].size == 1
    assert rule.warn(view((2.5, 40.0)))[0].size == 0  # plain to see
    assert rule.warn(view((2.5, -40.0), [wall]))[0].size == 0  # behind
    assert rule.warn(view((30.0, 40.0), [((1.0, 1.0), (50.0, 30.0))]))[0].size == 0  # far aside, stands
    # far aside, but would be on the road when the vehicle comes: 5.6 m in 4 s at 1.4 m/s
    assert rule.warn(view((6.5, 40.0), [((2.0, 20.0), (5.0, 20.0))], walk=1.4))[0].size == 1


def test_whatever_crosses_a_vehicle_crosses_one_of_its_diagonals() -> None:
    one, other = diagonals(np.array([0.0]), np.array([5.0]), np.array([0.0]), np.array([5.0]))  # x ± 0.9, y 0 … 5
    rng = np.linspace(-0.85, 0.85, 15)
    for x in rng:
        hit = crosses(np.array([x]), np.array([-3.0]), np.array([x * 0.5]), np.array([9.0]), one, other)
        assert hit.any()
    assert not crosses(np.array([1.0]), np.array([-3.0]), np.array([1.0]), np.array([9.0]), one, other).any()


@settings(max_examples=100, deadline=None)
@given(st.floats(1, 30), st.floats(0, 200))
def test_needed_braking_stops_just_short(speed, distance) -> None:
    need = float(needed_m_s2(np.array([speed]), np.array([distance]))[0])
    if np.isfinite(need):
        assert abs(speed * 1.0 + speed**2 / (2 * need) + 1.0 - distance) < 1e-6
    else:
        assert distance - 1.0 - speed <= 0
