"""Drawn ways → a street graph: cut at every crossing, near points merged, doubles and stubs removed.

Crossings closer together than ``_MERGE_M`` become one junction, placed where the most important way crosses,
so the net has no edge too short for a vehicle to stand on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry import LineString, MultiPoint, Point
from shapely.ops import substring

from geo.qibu.tables import Floats
from geo.qibu.ways import Way

_MERGE_M = 36.0
_SNAP_M = 95.0
_STUB_M = 70.0


@dataclass
class Link:
    """A street between two nodes, both directions unless its way is one-way (then from a to b)."""

    a: int
    b: int
    way: Way
    xy: Floats

    @property
    def length_m(self) -> float:
        """Length along the line."""
        return float(np.hypot(*np.diff(self.xy, axis=0).T).sum())


@dataclass(frozen=True)
class Graph:
    """Nodes (n, 2) in metres and links between them; every node is used."""

    nodes: Floats
    links: list[Link]

    def degree(self) -> np.ndarray:
        """Return the number of streets at each node."""
        ends = [e for link in self.links for e in (link.a, link.b)]
        return np.bincount(ends, minlength=len(self.nodes))


def build_graph(ways: list[Way], gates: Floats) -> Graph:
    """Cut ``ways`` at their crossings; the points ``gates`` stay as dead ends."""
    ways = _snap_ends(ways, gates)
    where = _crossings(ways)
    nodes, links = _cut(ways, where)
    links = _single(links)
    links = _prune(nodes, links, gates)
    links = _join_straight(nodes, links, gates)
    links = _single(links)
    links = _largest(nodes, links)
    return _compact(nodes, links)


def _snap_ends(ways: list[Way], gates: Floats) -> list[Way]:
    """Run the loose end of a way on to the nearest street when that is close by."""
    lines = [w.line for w in ways]
    tree = shapely.STRtree(lines)
    gate_tree = cKDTree(gates)
    out = []
    for i, way in enumerate(ways):
        xy = shapely.get_coordinates(way.line).copy()
        for end in () if way.setting == "ramp" else (0, -1):
            if gate_tree.query(xy[end])[0] < 50.0:
                continue
            point = Point(xy[end])
            near = [
                (lines[j].distance(point), int(j))
                for j in tree.query(point.buffer(_SNAP_M))
                if j != i and _may_meet(way, ways[j])
            ]
            near = [n for n in near if n[0] <= (_SNAP_M if way.setting != "lane" else 25.0)]
            if not near or min(near)[0] < 0.01:
                continue
            target = lines[min(near)[1]]
            foot = target.interpolate(target.project(point))
            xy = np.vstack([[foot.x, foot.y], xy]) if end == 0 else np.vstack([xy, [foot.x, foot.y]])
        out.append(replace(way, line=LineString(xy)))
    return out


def _may_meet(a: Way, b: Way) -> bool:
    """Expressways and ramps pass over everything but what they are drawn to end on."""
    if a.deck or b.deck or "ramp" in (a.setting, b.setting):
        return _touches(a, b) or _touches(b, a)
    return True


def _touches(a: Way, b: Way) -> bool:
    """Tell whether an end of ``a`` lies on ``b``."""
    return any(b.line.distance(Point(a.line.coords[end])) < 0.1 for end in (0, -1))


def _crossings(ways: list[Way]) -> list[list[float]]:
    """Distances along each way at which it is cut (its two ends among them)."""
    where: list[list[float]] = [[0.0, w.line.length] for w in ways]
    lines = np.array([w.line for w in ways], dtype=object)
    first, second = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=0.05)
    keep = first < second
    for i, j in sorted(zip(first[keep].tolist(), second[keep].tolist(), strict=True)):
        if not _may_meet(ways[i], ways[j]):
            continue
        if ways[i].deck or ways[j].deck or "ramp" in (ways[i].setting, ways[j].setting):
            ends = [Point(w.line.coords[e]) for w in (ways[i], ways[j]) for e in (0, -1)]
            meet = MultiPoint([p for p in ends if max(p.distance(lines[i]), p.distance(lines[j])) < 0.1])
        else:
            meet = lines[i].intersection(lines[j])
        if meet.is_empty:  # an end that touches within rounding
            meet = shapely.shortest_line(lines[i], lines[j]).interpolate(0.5, normalized=True)
        for point in shapely.points(shapely.get_coordinates(meet)):
            where[i].append(lines[i].project(point))
            where[j].append(lines[j].project(point))
    return where


def _cut(ways: list[Way], where: list[list[float]]) -> tuple[Floats, list[Link]]:
    """Merge near cuts into nodes and take the pieces of the ways between them."""
    cuts = [np.unique(np.clip(np.round(w, 2), 0.0, way.line.length)) for w, way in zip(where, ways, strict=True)]
    owner = np.repeat(np.arange(len(ways)), [len(c) for c in cuts])
    flat = np.concatenate(cuts)
    points = shapely.get_coordinates(
        shapely.line_interpolate_point(np.array([ways[i].line for i in owner], dtype=object), flat)
    )
    deck = np.array([w.deck for w in ways])[owner]
    if deck.any():  # where a ramp leaves an expressway is up there too
        deck |= cKDTree(points[deck]).query(points)[0] < 0.5
    node = _clusters(points, deck)
    rank = np.array([w.rank for w in ways])[owner]
    n = node.max() + 1
    best = np.full(n, 99)
    np.minimum.at(best, node, rank)
    good = rank == best[node]
    count = np.bincount(node[good], minlength=n)
    nodes = np.column_stack([np.bincount(node[good], points[good, k], n) / count for k in (0, 1)]).round(2)
    links: list[Link] = []
    start = 0
    for way, cut in zip(ways, cuts, strict=True):
        ids = node[start : start + len(cut)]
        start += len(cut)
        for k in range(len(cut) - 1):
            a, b = int(ids[k]), int(ids[k + 1])
            if a == b:
                continue
            xy = shapely.get_coordinates(substring(way.line, cut[k], cut[k + 1]))
            links.append(Link(a, b, way, _fasten(xy, nodes[a], nodes[b])))
    return nodes, links


def _clusters(points: Floats, deck: np.ndarray) -> np.ndarray:
    """Label points that chain together within ``_MERGE_M`` (up on an expressway: with their like only)."""
    pairs = cKDTree(points).query_pairs(_MERGE_M, output_type="ndarray")
    pairs = pairs[deck[pairs[:, 0]] == deck[pairs[:, 1]]]
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    label: np.ndarray = connected_components(graph, directed=False)[1]
    return label


def _fasten(xy: Floats, a: Floats, b: Floats) -> Floats:
    """Tie the ends of a line to its nodes; drop vertices that come closer to them than the merge radius."""
    inner = xy[1:-1]
    keep = (np.hypot(*(inner - a).T) > _MERGE_M * 0.7) & (np.hypot(*(inner - b).T) > _MERGE_M * 0.7)
    line = np.vstack([a, inner[keep], b])
    out: Floats = shapely.get_coordinates(LineString(line).simplify(1.5)).round(2)
    return out


def _single(links: list[Link]) -> list[Link]:
    """Keep one street between two nodes, unless the other is a real way round."""
    best: dict[tuple[int, int], list[Link]] = {}
    for link in sorted(links, key=lambda k: (k.way.rank, k.length_m)):
        if link.a == link.b:
            continue
        pair = (min(link.a, link.b), max(link.a, link.b))
        if link.way.oneway:
            pair = (-1 - link.a, -1 - link.b)
        kept = best.setdefault(pair, [])
        if not kept:
            kept.append(link)
    return [link for kept in best.values() for link in kept]


def _prune(nodes: Floats, links: list[Link], gates: Floats) -> list[Link]:
    """Take off loose stubs, again and again, but leave the lanes of villages and the gates."""
    gate = set(cKDTree(nodes).query(gates)[1].tolist())
    while True:
        ends = np.bincount([e for k in links for e in (k.a, k.b)], minlength=len(nodes))
        loose = [(ends[k.a] == 1 and k.a not in gate) or (ends[k.b] == 1 and k.b not in gate) for k in links]
        shortest = {"lane": 45.0, "rural": 6000.0, "new_town": 320.0, "town": 320.0, "arterial": 250.0, "ramp": 0.0}
        drop = [bad and k.length_m < shortest[k.way.setting] for bad, k in zip(loose, links, strict=True)]
        if not any(drop):
            return links
        links = [k for k, bad in zip(links, drop, strict=True) if not bad]


def _join_straight(nodes: Floats, links: list[Link], gates: Floats) -> list[Link]:
    """Join two links that meet alone at a node and are the same street: fewer edges, same picture."""
    gate = set(cKDTree(nodes).query(gates)[1].tolist())
    at: dict[int, list[int]] = {}
    for i, k in enumerate(links):
        at.setdefault(k.a, []).append(i)
        at.setdefault(k.b, []).append(i)
    alive = list(links)
    gone = [False] * len(links)
    for node in sorted(at):
        here = [i for i in at[node] if not gone[i]]
        if node in gate or len(here) != 2:
            continue
        p, q = alive[here[0]], alive[here[1]]
        if p.way.oneway or q.way.oneway:
            continue
        if (p.way.road_class, p.way.setting, p.way.lanes) != (q.way.road_class, q.way.setting, q.way.lanes):
            continue
        left = p.xy if p.b == node else p.xy[::-1]
        right = q.xy if q.a == node else q.xy[::-1]
        a = p.a if p.b == node else p.b
        b = q.b if q.a == node else q.a
        if a == b or p.length_m + q.length_m > 1600.0:
            continue
        way = p.way if p.length_m >= q.length_m else q.way
        alive[here[0]] = Link(a, b, way, np.vstack([left, right[1:]]))
        gone[here[1]] = True
        at[b] = [here[0] if i == here[1] else i for i in at[b]]
    return [k for k, dead in zip(alive, gone, strict=True) if not dead]


def _largest(nodes: Floats, links: list[Link]) -> list[Link]:
    a, b = np.array([k.a for k in links]), np.array([k.b for k in links])
    graph = coo_matrix((np.ones(len(links)), (a, b)), shape=(len(nodes), len(nodes)))
    label = connected_components(graph, directed=False)[1]
    main = np.bincount(label[a]).argmax()
    return [k for k, part in zip(links, label[a], strict=True) if part == main]


def _compact(nodes: Floats, links: list[Link]) -> Graph:
    used = np.unique([e for k in links for e in (k.a, k.b)])
    new = np.full(len(nodes), -1)
    new[used] = np.arange(len(used))
    return Graph(nodes[used], [Link(int(new[k.a]), int(new[k.b]), k.way, k.xy) for k in links])
