"""What a SUMO network says of its signals: which links each one steers, and whose ways cross.

SUMO itself tells the programs; the ways that cross are only in the network file (``<request>``: ``foes`` and
``response``, the latter says who gives way). Links are the ``<connection>`` elements with a ``tl``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from geo.read_xml import read_xml


@dataclass(frozen=True)
class Link:
    """One way through a junction: ``tls``/``group``: who steers it; lanes as (edge, number); ``walk``: a crossing."""

    tls: str
    group: int
    from_edge: str
    from_lane: int
    to_edge: str
    to_lane: int
    walk: bool
    node: str
    index: int  # in the node's requests; -1: not known


@dataclass
class Crossings:
    """Links by traffic light, conflicts between its groups, lengths of pedestrian crossings.

    By traffic light: ``foes``: (a, b) of groups whose ways cross; ``yields``: those where every link of ``a`` gives way
    to ``b``; ``walk_m``: length of the crossings by group.
    """

    links: list[Link] = field(default_factory=list)
    foes: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    yields: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    walk_m: dict[str, dict[int, float]] = field(default_factory=dict)
    place: dict[str, tuple[float, float]] = field(default_factory=dict)


def _index(via: str) -> tuple[str, int]:
    """Return node and request index of an internal lane such as ``:node_7_1``: those of its edge, plus its number."""
    edge, _, lane = via.removeprefix(":").rpartition("_")
    node, _, number = edge.rpartition("_")
    return node, int(number) + int(lane)


def read_crossings(net_file: Path) -> Crossings:
    """Read a network (plain or gzip)."""
    out = Crossings()
    requests: dict[str, dict[int, tuple[str, str]]] = {}
    crossing_m: dict[str, float] = {}
    crossing: str = ""
    node = ""
    lanes: dict[str, str] = {}  # inside each node, in order of its requests

    def start(tag: str, a: dict[str, str]) -> None:
        nonlocal node, crossing
        if tag == "edge":
            crossing = a["id"] if a.get("function") == "crossing" else ""
        elif tag == "lane" and crossing:
            crossing_m[crossing] = float(a["length"])
        elif tag == "junction":
            node = a["id"]
            requests[node] = {}
            lanes[node] = a.get("intLanes", "")
            out.place[node] = (float(a["x"]), float(a["y"]))
        elif tag == "request":
            requests[node][int(a["index"])] = (a["response"], a["foes"])
        elif tag == "connection" and "tl" in a:
            walk = a["to"] in crossing_m
            if walk:
                at, index = a["to"].removeprefix(":").rpartition("_c")[0], -1  # known when the nodes are read
            else:
                at, index = _index(a["via"]) if "via" in a else ("", -1)
            way = (a["from"], int(a["fromLane"]), a["to"], int(a["toLane"]))
            out.links.append(Link(a["tl"], int(a["linkIndex"]), *way, walk, at, index))
            if walk:
                lengths = out.walk_m.setdefault(a["tl"], {})
                group = int(a["linkIndex"])
                lengths[group] = max(lengths.get(group, 0.0), crossing_m[a["to"]])

    read_xml(net_file, "net", start)
    out.links[:] = [replace(k, index=_position(k.to_edge, lanes.get(k.node, ""))) if k.walk else k for k in out.links]
    _find_foes(out, requests)
    return out


def _position(edge: str, lanes: str) -> int:
    """Return the place of a crossing among the lanes inside its node; −1: it is not there."""
    edges = [lane.rpartition("_")[0] for lane in lanes.split()]
    return edges.index(edge) if edge in edges else -1


def _find_foes(out: Crossings, requests: dict[str, dict[int, tuple[str, str]]]) -> None:
    by_node: dict[str, list[tuple[Link, int]]] = {}
    for link in out.links:
        if link.node in requests:
            by_node.setdefault(link.node, []).append((link, link.index))
    gives_way: dict[tuple[str, int, int], bool] = {}
    for node, rows in by_node.items():
        table = requests[node]
        for a, i in rows:
            if i not in table:
                continue
            response, foes = table[i]
            n = len(foes)
            for b, k in rows:
                if a.tls != b.tls or a.group == b.group or k >= n or k < 0 or foes[n - 1 - k] != "1":
                    continue
                key = (a.tls, a.group, b.group)
                gives_way[key] = gives_way.get(key, True) and response[n - 1 - k] == "1"
    for (tls, a_group, b_group), way in gives_way.items():
        out.foes.setdefault(tls, set()).update(((a_group, b_group), (b_group, a_group)))
        if way:
            out.yields.setdefault(tls, set()).add((a_group, b_group))
