"""What a SUMO network says of its signals: which links each one steers, and whose ways cross.

SUMO itself tells the programs; the ways that cross are only in the network file (``<request>``: ``foes`` and
``response``, the latter says who gives way). Links are the ``<connection>`` elements with a ``tl``. What was read from
the network of a city is kept in the city's folder, where that can be written to.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

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


KEPT = "crossings.json"
FORMAT = 1


def crossings_of(net_file: Path) -> Crossings:
    """Return what the network of a city says: as it was kept beside it, or read anew and kept."""
    file = net_file.with_name(KEPT)
    try:
        stat = net_file.stat()
    except OSError:
        return read_crossings(net_file)  # says what is wrong
    of = [FORMAT, stat.st_size, stat.st_mtime_ns]
    with suppress(OSError, ValueError, KeyError, TypeError):  # not kept yet, or broken: it is read anew
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["of"] == of:
            return _unpacked(kept)
    crossings = read_crossings(net_file)
    with suppress(OSError):
        part = file.with_name(f"{KEPT}.{os.getpid()}")
        part.write_text(json.dumps({"of": of, **_packed(crossings)}), encoding="utf-8")
        part.replace(file)
    return crossings


def _packed(c: Crossings) -> dict[str, Any]:
    pairs = {"foes": c.foes, "yields": c.yields}
    packed = {name: {tls: sorted(pair) for tls, pair in of.items()} for name, of in pairs.items()}
    return {"links": [astuple(k) for k in c.links], **packed, "walk_m": c.walk_m, "place": c.place}


def _unpacked(kept: dict[str, Any]) -> Crossings:
    foes, yields = ({tls: {(a, b) for a, b in pairs} for tls, pairs in kept[k].items()} for k in ("foes", "yields"))
    walk_m = {tls: {int(group): m for group, m in of.items()} for tls, of in kept["walk_m"].items()}
    place = {node: (x, y) for node, (x, y) in kept["place"].items()}
    return Crossings([Link(*k) for k in kept["links"]], foes, yields, walk_m, place)


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
