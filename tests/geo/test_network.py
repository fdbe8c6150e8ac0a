"""Routes and times against networkx, and the laws that any shortest-path answer keeps."""

from __future__ import annotations

import itertools
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.network import Network


@st.composite
def networks(draw):
    """A random network of 1 to 25 roads with whole-second times, some roads at zero."""
    n = draw(st.integers(1, 25))
    arcs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=80, unique=True))
    times = draw(st.lists(st.integers(1, 50), min_size=n, max_size=n))
    a = np.array([arc[0] for arc in arcs], dtype=np.int64)
    b = np.array([arc[1] for arc in arcs], dtype=np.int64)
    free = np.array(times, dtype=np.float64)
    return Network(n, a, b, free, free * 10)


def as_graph(net: Network, closed=None) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(net.n))
    for a, b in zip(net.from_road.tolist(), net.to_road.tolist(), strict=True):
        if closed is None or not closed[b]:
            graph.add_edge(a, b, w=net.free_s[b])
    return graph


def check_routes(net, graph, src, dst, found, closed=None):
    assert len(found) == len(src)
    assert found.offsets[0] == 0
    assert found.offsets[-1] == len(found.roads)
    assert (np.diff(found.offsets) >= 0).all()
    for k, (a, b) in enumerate(zip(src, dst, strict=True)):
        allowed = closed is None or not closed[b]
        if allowed and nx.has_path(graph, a, b):
            want = nx.shortest_path_length(graph, a, b, weight="w")
            route = found[k].tolist()
            assert (route[0], route[-1]) == (a, b)
            assert all(graph.has_edge(*step) for step in itertools.pairwise(route))
            assert found.time_s[k] == pytest.approx(want)
            assert sum(net.free_s[r] for r in route[1:]) == pytest.approx(want)
        else:
            assert len(found[k]) == 0
            assert np.isinf(found.time_s[k])
            assert not found.found[k]


@settings(max_examples=60, deadline=None)
@given(networks(), st.data())
def test_routes_equal_networkx(net, data):
    pairs = data.draw(st.lists(st.tuples(st.integers(0, net.n - 1), st.integers(0, net.n - 1)), max_size=20))
    src, dst = [p[0] for p in pairs], [p[1] for p in pairs]
    graph = as_graph(net)
    check_routes(net, graph, src, dst, net.routes(src, dst))
    times = net.times(src, dst)
    for i, a in enumerate(src):
        for j, b in enumerate(dst):
            want = nx.shortest_path_length(graph, a, b, weight="w") if nx.has_path(graph, a, b) else np.inf
            assert times[i, j] == pytest.approx(want)


@settings(max_examples=60, deadline=None)
@given(networks(), st.data())
def test_trees_from_either_end_agree(net, data):
    """One source and many goals grows forward trees, many sources and one goal backward ones."""
    root = data.draw(st.integers(0, net.n - 1))
    everywhere = np.arange(net.n)
    graph = as_graph(net)
    out = net.routes(np.full(net.n, root), everywhere)
    check_routes(net, graph, [root] * net.n, everywhere.tolist(), out)
    back = net.routes(everywhere, np.full(net.n, root))
    check_routes(net, graph, everywhere.tolist(), [root] * net.n, back)
    # all pairs at once meet both kinds of tree in one matrix of times
    times = net.times(everywhere, everywhere)
    assert np.allclose(times[root], out.time_s)
    assert np.allclose(times[:, root], back.time_s)


@settings(max_examples=60, deadline=None)
@given(networks(), st.data())
def test_closed_roads_are_never_entered(net, data):
    closed = np.array(data.draw(st.lists(st.booleans(), min_size=net.n, max_size=net.n)))
    pairs = data.draw(
        st.lists(st.tuples(st.integers(0, net.n - 1), st.integers(0, net.n - 1)), min_size=1, max_size=20)
    )
    src, dst = [p[0] for p in pairs], [p[1] for p in pairs]
    found = net.routes(src, dst, closed=closed)
    check_routes(net, as_graph(net, closed), src, dst, found, closed)
    for k in range(len(found)):
        assert not closed[found[k][1:]].any()


def test_a_network_without_turns_has_only_the_way_to_itself():
    net = Network(3, np.empty(0, np.int64), np.empty(0, np.int64), np.ones(3), np.ones(3))
    found = net.routes([0, 0, 2], [0, 1, 1])
    assert found[0].tolist() == [0]
    assert found.time_s.tolist() == [0.0, np.inf, np.inf]
    assert found.found.tolist() == [True, False, False]
    assert net.main_part().sum() == 1


def test_no_pairs_give_no_routes():
    net = Network(2, np.array([0]), np.array([1]), np.ones(2), np.ones(2))
    found = net.routes([], [])
    assert len(found) == 0
    assert found.found.tolist() == []
    assert net.times([], []).shape == (0, 0)


def ring(n: int) -> Network:
    """Roads 0 → 1 → … → n-1 → 0, each k + 1 seconds long, and a road n that leads in."""
    a, b = np.append(np.arange(n), n), np.append(np.roll(np.arange(n), -1), 0)
    free = np.arange(1, n + 2, dtype=np.float64)
    return Network(n + 1, a, b, free, free)


def test_main_part_and_reach_of_a_ring_with_a_way_in():
    net = ring(5)
    assert net.main_part().tolist() == [True] * 5 + [False]
    assert net.reach(0).tolist() == [True] * 5 + [False]
    assert net.reach(0, backward=True).all()
    assert net.reach(5).all()


def test_given_times_replace_free_flow():
    net = Network(4, np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3]), np.array([1.0, 1.0, 5.0, 1.0]), np.ones(4))
    assert net.routes([0], [3])[0].tolist() == [0, 1, 3]
    assert net.routes([0], [3], time_s=np.array([1.0, 9.0, 5.0, 1.0]))[0].tolist() == [0, 2, 3]


def test_more_roots_than_one_chunk():
    """Trees are grown 256 at a time: routes across that border keep their owners."""
    net = ring(600)
    rng = np.random.default_rng(5)
    src, dst = rng.integers(0, 600, 900), rng.integers(0, 600, 900)
    found = net.routes(src, dst)
    steps = (dst - src) % 600
    assert (np.diff(found.offsets) == steps + 1).all()
    for k in (0, 255, 256, 511, 899):
        assert found[k].tolist() == [(int(src[k]) + s) % 600 for s in range(int(steps[k]) + 1)]


def test_turns_that_only_buses_may_take_are_closed_to_cars(toy_net):
    from geo.net_tables import read_tables

    tables = read_tables(toy_net)
    turns = tables.turns.copy()
    turns.loc[turns["from_road"] == turns["from_road"].iloc[0], "car"] = False
    changed = replace(tables, turns=turns)
    road = int(turns["from_road"].iloc[0])
    assert Network.of(changed).reach(road).sum() == 1
    assert Network.of(changed, "bus").reach(road).sum() > 1
