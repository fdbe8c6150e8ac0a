"""Coverage tours against brute force and their lower bound; trips against brute force."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.control.mobility.sanitation.tours import (
    bound,
    closed_tour,
    improve,
    length,
    open_tour,
    shares,
    successors,
    trips,
)

seeds = st.integers(0, 10**6)


def costs(seed: int, n: int) -> np.ndarray:
    """Times between roads as on a map: from the end of one to the beginning of another."""
    rng = np.random.default_rng(seed)
    begin, end = rng.uniform(0, 100, (n, 2)), rng.uniform(0, 100, (n, 2))
    return np.hypot(*(end[:, None] - begin[None]).transpose(2, 0, 1))


def best_of_all(c: np.ndarray) -> float:
    return min(length(np.asarray((0, *p)), c) for p in permutations(range(1, c.shape[0])))


@given(seeds, st.integers(2, 7))
def test_a_tour_visits_every_road_once_and_lies_between_bound_and_brute_force(seed, n):
    c = costs(seed, n)
    tour = closed_tour(c)
    assert sorted(tour.tolist()) == list(range(n))
    best = best_of_all(c)
    assert bound(c) <= best + 1e-6 <= length(tour, c) + 2e-6
    assert length(tour, c) <= 1.35 * best


def test_on_average_tours_are_within_three_percent_of_brute_force():
    ratios = [length(closed_tour(c), c) / best_of_all(c) for c in (costs(s, 7) for s in range(60))]
    assert np.mean(ratios) <= 1.03


@given(seeds, st.integers(4, 12))
def test_nothing_is_gained_by_moving_any_run_of_an_improved_tour(seed, n):
    c = np.random.default_rng(seed).uniform(1, 100, (n, n))
    tour = improve(np.random.default_rng(seed + 1).permutation(n), c)
    now = length(tour, c)
    for i, run in product(range(n), range(1, n - 1)):
        rolled = np.roll(tour, -i)
        for at in range(1, n - run + 1):
            other = np.concatenate([rolled[run:][:at], rolled[:run], rolled[run:][at:]])
            assert length(other, c) >= now - 1e-5


def test_a_graph_with_an_eulerian_circuit_is_driven_without_a_metre_more():
    # a 3 × 3 grid of streets, both directions: every junction has as many roads in as out (Euler), so the
    # augmentation is empty and circuits are spliced where they meet (Hierholzer)
    ends = [(a, b) for a in range(9) for b in range(9) if a != b and abs(a // 3 - b // 3) + abs(a % 3 - b % 3) == 1]
    hop = lambda a, b: abs(a // 3 - b // 3) + abs(a % 3 - b % 3)  # noqa: E731
    c = np.asarray([[float(hop(b, p)) for p, _ in ends] for _, b in ends])
    assert bound(c) == 0.0
    assert length(closed_tour(c), c) == 0.0


def test_a_one_way_street_must_be_driven_back_and_the_bound_says_how_far():
    # k one-way roads in a row from A to B: the way back costs the same whatever the order
    c = np.asarray([[9.0, 0.0, 5.0], [5.0, 9.0, 0.0], [7.0, 5.0, 9.0]])
    assert successors(c).tolist() == [1, 2, 0]
    assert bound(c) == 7.0 == length(closed_tour(c), c)


@given(seeds, st.integers(2, 7))
def test_an_open_tour_ends_anywhere(seed, n):
    c = costs(seed, n)
    start = np.random.default_rng(seed + 7).uniform(0, 100, n)
    order = open_tour(start, c)
    best = min(start[p[0]] + length(np.asarray(p), c, closed=False) for p in permutations(range(n)))
    assert sorted(order.tolist()) == list(range(n))
    assert best - 1e-6 <= start[order[0]] + length(order, c, closed=False) <= 1.6 * best + 1e-6


def test_unreachable_roads_come_where_they_hurt_least():
    c = np.asarray([[0.0, 1.0, np.inf], [1.0, 0.0, 2.0], [np.inf, 2.0, 0.0]])
    assert length(closed_tour(c), np.where(np.isinf(c), 1e7, c)) <= 1e7 + 4.0  # one such step cannot be avoided


@given(seeds, st.integers(1, 12), st.integers(1, 5))
def test_shares_hold_every_road_once_in_order_and_none_is_longer_than_it_must_be(seed, n, k):
    c, work = costs(seed, n), np.random.default_rng(seed).uniform(5, 50, n)
    order = closed_tour(c)
    runs = shares(order, work, c, k)
    assert len(runs) <= k
    assert sorted(np.concatenate(runs).tolist()) == list(range(n))
    longest = max(work[r].sum() + length(r, c, closed=False) for r in runs)
    # no cut of the same opened tour into k runs can be better than the best of all cuts
    flat = np.concatenate(runs)
    cuts = [
        max(work[r].sum() + length(r, c, closed=False) for r in np.split(flat, [i for i in range(1, n) if m >> i & 1]))
        for m in range(2**n)
        if bin(m >> 1).count("1") < k
    ] if n <= 9 else [longest]  # fmt: skip
    assert longest <= min(cuts) * (1 + 1e-9) + 1e-6


def brute_trips(use, left, full, between, visit, first_visit, first):
    n, best = len(use), np.inf
    for choice in product((False, True), repeat=n):
        room, time, ok = left.copy(), 0.0, True
        for i, stop in enumerate(choice):
            direct, with_stop = (first, first_visit) if i == 0 else (between[i - 1], visit[i - 1])
            time += with_stop if stop else direct
            room = full.copy() if stop else room
            ok &= bool((use[i] <= room + 1e-9).all()) or stop
            room = room - use[i]
        if ok:
            best = min(best, time)
    return best


@given(seeds, st.integers(1, 7))
def test_trips_are_the_cheapest_of_all_that_keep_both_capacities(seed, n):
    rng = np.random.default_rng(seed)
    use, full, left = rng.uniform(0, 5, (n, 2)), np.asarray([6.0, 7.0]), rng.uniform(0, 6, 2)
    between = rng.uniform(0, 50, n - 1)
    visit, first = between + rng.uniform(0, 100, n - 1), float(rng.uniform(0, 50))
    first_visit = first + float(rng.uniform(0, 100))
    cuts = trips(use, left, full, between, visit, first_visit, first)
    time, room = 0.0, left.copy()
    for i in range(n):
        direct, with_stop = (first, first_visit) if i == 0 else (between[i - 1], visit[i - 1])
        time += with_stop if i in cuts else direct
        room = (full if i in cuts else room) - use[i]
        assert (room >= -1e-9).all(), "no trip takes more than there is room for"
    assert time == pytest.approx(brute_trips(use, left, full, between, visit, first_visit, first))


def test_a_road_that_fills_more_than_a_hopper_is_a_trip_of_its_own():
    use = np.asarray([[3.0], [20.0], [3.0]])
    assert trips(use, np.asarray([10.0]), np.asarray([10.0]), np.zeros(2), np.ones(2), 1.0, 0.0) == [1, 2]
