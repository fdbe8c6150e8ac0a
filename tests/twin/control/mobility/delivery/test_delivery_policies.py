"""Delivery policies alone: a view in, assignments out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.control.mobility.delivery.policies import CourierRounds, NearestFirst, RollingRoutes, nearest_neighbour
from twin.control.mobility.delivery.ports import IDLE, TO_STOP, View

NOW_S = 36_000
SPEED_M_S = 5.0


class Plain:
    """Travel on an open plain: road k is the point k; the depot is road 0."""

    version = 1

    def __init__(self, xy):
        self.xy = np.asarray(xy, dtype=float)

    def distances(self, from_road, to_road):
        a, b = self.xy[np.asarray(from_road)], self.xy[np.asarray(to_road)]
        return np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))

    def times(self, from_road, to_road):
        return self.distances(from_road, to_road) / SPEED_M_S


def view_of(xy, due_s=3_600, ready_s=-600, size=10, units=2, capacity=100, aboard=None, **change):
    """Orders 100, 101, … at the points; the depot at the origin."""
    n = len(xy)
    aboard = np.full(n, -1) if aboard is None else np.asarray(aboard)
    ints = lambda v, k: np.broadcast_to(np.asarray(v, dtype=np.int64), k).copy()  # noqa: E731
    on_tour = np.isin(np.arange(units), aboard)
    xy = np.asarray(xy, dtype=float).reshape(n, 2)
    first = np.asarray([int(np.argmax(aboard == u)) if on_tour[u] else -1 for u in range(units)])
    base = View(
        now_s=NOW_S, order=100 + np.arange(n), size=ints(size, n), depot=ints(0, n), ready_s=NOW_S + ints(ready_s, n),
        due_s=NOW_S + ints(due_s, n), stop=np.arange(n), aboard=aboard, attempts=ints(0, n),
        stop_road=1 + np.arange(n), stop_pos_m=np.zeros(n), stop_x_m=xy[:, 0], stop_y_m=xy[:, 1],
        unit=700_001 + np.arange(units), home=ints(0, units), capacity=ints(capacity, units), load=ints(0, units),
        charge=np.full(units, 0.9), range_m=np.full(units, 50_000.0), doing=np.where(on_tour, TO_STOP, IDLE),
        road=np.where(on_tour, 1 + first, 0), pos_m=np.zeros(units), free_s=ints(NOW_S, units) + 60 * on_tour,
        back_s=ints(NOW_S, units) + 600 * on_tour, until_s=ints(NOW_S + 30_000, units), group=ints(0, units),
        depot_place=("depot",), depot_road=np.asarray([0]), depot_pos_m=np.zeros(1), depot_x_m=np.zeros(1),
        depot_y_m=np.zeros(1), depot_open=np.asarray([True]), travel=(Plain([(0, 0), *xy.tolist()]),),
        load_s=60, load_order_s=8, hand_s=90, hand_order_s=20,
    )  # fmt: skip
    return replace(base, **change)


def test_nearest_first_takes_what_is_due_first_and_what_lies_around_it():
    xy = [(1000, 0), (-1000, 0), (-1010, 10), (1010, 5), (-990, -5)]
    view = view_of(xy, due_s=[900, 300, 800, 850, 870], units=2, capacity=30)
    first, second = NearestFirst().assign(view)
    assert first.unit == 700_001
    assert sorted(first.orders) == [101, 102, 104]
    assert sorted(second.orders) == [100, 103]


def test_nearest_neighbour_is_what_it_says():
    view = view_of([(300, 0), (100, 0), (-250, 0), (200, 0)])
    assert nearest_neighbour(view, 0, np.arange(4)).tolist() == [1, 3, 0, 2]


def test_couriers_hold_a_batch_until_it_is_full_or_old_and_go_round_by_direction():
    angle = np.radians([10, 130, 250, 20, 140, 260])
    xy = [(1000 * math.cos(a), 1000 * math.sin(a)) for a in angle]
    assert CourierRounds(hold_s=1_200).assign(view_of(xy, ready_s=-1_199)) == []
    rounds = CourierRounds(hold_s=1_200).assign(view_of(xy, ready_s=-1_200, units=3, capacity=20))
    assert sorted(tuple(sorted(r.orders)) for r in rounds) == [(100, 103), (101, 104), (102, 105)]
    full = CourierRounds(hold_s=1_200).assign(view_of(xy, ready_s=0, units=1, capacity=60))
    assert [len(r.orders) for r in full] == [6]


def test_rolling_routes_set_out_full_tours_at_once_and_others_before_they_would_be_late():
    """Latest beginning = due − (load + way); a tour that is not full begins ``margin_s`` before that."""
    full = RollingRoutes().assign(view_of([(500, 0), (510, 0)], units=1, capacity=20))
    assert [(a.orders in ((100, 101), (101, 100)), a.start_s <= NOW_S) for a in full] == [(True, True)]
    (early,) = RollingRoutes(margin_s=600).assign(view_of([(1_000, 0)], units=1, due_s=3_600))
    load_s, way_s = 60 + 6 * 8, 200
    assert early.start_s == NOW_S + 3_600 - load_s - way_s - 600
    (late,) = RollingRoutes().assign(view_of([(1_000, 0)], units=1, due_s=100))
    assert late.start_s <= NOW_S, "what cannot be in time goes at once"


def test_rolling_routes_put_neighbours_into_one_tour():
    """Two clusters, two units: each tour serves one cluster; crossing over costs more than a third of the way."""
    east = [(2_000 + 20 * k, 10 * k) for k in range(4)]
    west = [(-2_000 - 20 * k, 10 * k) for k in range(4)]
    view = view_of(east + west, units=2, capacity=40, due_s=3_000)
    tours = {frozenset(a.orders) for a in RollingRoutes().assign(view)}
    assert tours == {frozenset(range(100, 104)), frozenset(range(104, 108))}


def test_rolling_routes_replan_what_is_aboard_of_a_unit_on_its_way():
    xy = [(100, 0), (900, 0), (300, 0), (600, 0), (0, -500)]
    view = view_of(xy, aboard=[0, 0, 0, 0, -1], units=2)
    answer = RollingRoutes().assign(view)
    trips = [a.orders for a in answer if a.unit == 700_001]
    assert trips[0] in ((100, 102, 103, 101), (100, 101, 103, 102)), "the stop it is driving to stays the next one"
    assert [o for a in answer for o in a.orders if a.orders != trips[0]] == [104]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(-3_000, 3_000), st.integers(-3_000, 3_000)), min_size=1, max_size=25),
    st.integers(1, 4), st.integers(0, 5_000), st.sampled_from(["nearest", "couriers", "rolling"]),
)  # fmt: skip
def test_every_policy_names_each_order_once_and_fills_no_unit_beyond_its_capacity(xy, units, due_s, name):
    rng = np.random.default_rng(len(xy))
    size = rng.integers(1, 40, len(xy))
    view = view_of(xy, due_s=due_s, size=size, units=units, ready_s=-1_500)
    policy = {"nearest": NearestFirst(), "couriers": CourierRounds(), "rolling": RollingRoutes(iterations=10)}[name]
    answer = policy.assign(view)
    named = [o for a in answer for o in a.orders]
    assert len(named) == len(set(named))
    assert set(named) <= set(view.order.tolist())
    assert all(sum(size[o - 100] for o in a.orders) <= 100 for a in answer)
    assert named, "orders wait and units are idle"
    if name == "rolling":
        again = RollingRoutes(iterations=10)
        assert again.assign(view) == answer
        assert again.assign(view) == answer, "nothing changed: the plan stays"


def test_a_closed_depot_and_an_unreachable_stop_are_left_out():
    for policy in (NearestFirst(), CourierRounds(hold_s=0), RollingRoutes()):
        assert list(policy.assign(view_of([(100, 0)], depot_open=np.asarray([False])))) == []
        view = view_of([(100, 0), (200, 0)])
        far = Plain([(0, 0), (100, 0), (np.inf, 0)])
        named = [o for a in policy.assign(replace(view, travel=(far,))) for o in a.orders]
        assert named == [100]


@pytest.mark.parametrize("policy", [NearestFirst(), CourierRounds(hold_s=0)])
def test_a_thousand_units_and_orders_are_quick_work(policy):
    """No comparison of all with all: 4 times as many take less than 8 times as long (n log n: 4.8)."""
    import time

    def took(n):
        rng = np.random.default_rng(1)
        view = view_of(rng.uniform(-5_000, 5_000, (n, 2)), units=n // 10, capacity=100)
        began = time.process_time()
        policy.assign(view)
        return time.process_time() - began

    took(100)
    assert min(took(2_000) for _ in range(3)) < 8 * min(took(500) for _ in range(3)) + 0.05
