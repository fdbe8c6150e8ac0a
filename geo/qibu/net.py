"""The street graph as a SUMO network: plain XML in, netconvert, the same bytes out every time.

Signals are put where main roads cross: exactly 117 in Daqiao and Cuizhai (F28), a handful in the old towns. A
street gets one lane more towards a signal, so that left turns have their own.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import sumo

from geo.errors import CityError
from geo.qibu.graph import Graph, Link
from geo.qibu.land import Land
from geo.qibu.tables import Floats

SIGNALS = {("daqiao", "cuizhai"): 117, ("sungeng",): 6, ("taiping",): 5}
_PROJECTION = "+proj=utm +zone=50 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"
_CYCLE_S = 90
_APART_M = 170.0  # two signals nearer than this would block each other
_RAIL = "tram rail_urban rail rail_electric rail_fast ship"


@dataclass(frozen=True)
class Net:
    """The network file and, per SUMO edge, what SUMO does not keep."""

    file: Path
    name_en: dict[str, str]
    setting: dict[str, str]


def edge_id(k: int, forward: bool) -> str:
    """SUMO id of link ``k`` in one direction."""
    return f"{'' if forward else '-'}q{k:04d}"


def choose_signals(graph: Graph, land: Land) -> list[int]:
    """Nodes that get signals: the crossings that carry most, apart from each other, per subdistrict exactly."""
    n = len(graph.nodes)
    carries: list[list[float]] = [[] for _ in range(n)]
    best = np.full(n, 9)
    for link in graph.links:
        for node in (link.a, link.b):
            few = 0.3 if link.way.setting in ("rural", "lane") else 1.0
            carries[node].append((link.way.lanes + 0.5) * (7 - link.way.rank) * few)
            best[node] = min(best[node], link.way.rank)
    legs = np.array([len(c) for c in carries])
    # the third largest leg is the street that crosses: a main road needs no signal for a country road
    weight = np.array([sum(c) + 0.8 * sorted([*c, 0.0, 0.0, 0.0])[-3] for c in carries])
    owner = np.array(land.subdistrict_of(graph.nodes[:, 0], graph.nodes[:, 1]))
    out: list[int] = []
    for names, want in SIGNALS.items():
        may = np.flatnonzero(np.isin(owner, names) & (legs >= 3) & (best >= 1) & (best <= 4))
        chosen: list[int] = []
        for node in may[np.lexsort((may, -weight[may], best[may] > 3))]:
            apart = np.hypot(*(graph.nodes[chosen] - graph.nodes[node]).T) if chosen else np.array([np.inf])
            if apart.min() >= _APART_M:
                chosen.append(int(node))
            if len(chosen) == want:
                break
        if len(chosen) != want:
            raise CityError(f"qibu: only {len(chosen)} crossings for {want} signals in {', '.join(names)}")
        out += chosen
    return sorted(out)


def make_net(graph: Graph, signals: list[int], folder: Path) -> Net:
    """Write the network to ``folder / net.net.xml.gz``."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes, edges = folder / "qibu.nod.xml", folder / "qibu.edg.xml"
    nodes.write_text(_nodes(graph, set(signals)), encoding="utf-8")
    text, name_en, setting = _edges(graph, set(signals))
    edges.write_text(text, encoding="utf-8")
    ban = folder / "qibu.con.xml"
    ban.write_text(_banned(graph), encoding="utf-8")
    raw = folder / "raw.net.xml"
    _netconvert(nodes, edges, ban, raw)
    plain = re.sub(rb"<!--.*?-->\s*", b"", raw.read_bytes(), count=1, flags=re.DOTALL)  # it holds the date
    out = folder / "net.net.xml.gz"
    out.write_bytes(gzip.compress(plain, compresslevel=6, mtime=0))
    for scrap in (nodes, edges, ban, raw):
        scrap.unlink()
    return Net(out, name_en, setting)


def _nodes(graph: Graph, signals: set[int]) -> str:
    low, high = graph.nodes.min(axis=0) - 100, graph.nodes.max(axis=0) + 100
    box = f"{low[0]:.2f},{low[1]:.2f},{high[0]:.2f},{high[1]:.2f}"
    rows = [
        "<nodes>",
        f'<location netOffset="0.00,0.00" convBoundary="{box}" origBoundary="{box}" projParameter="{_PROJECTION}"/>',
    ]
    for k, (x, y) in enumerate(graph.nodes):
        kind = "traffic_light" if k in signals else "priority"
        rows.append(f'<node id="n{k}" x="{x:.2f}" y="{y:.2f}" type="{kind}"/>')
    return "\n".join([*rows, "</nodes>"])


def _edges(graph: Graph, signals: set[int]) -> tuple[str, dict[str, str], dict[str, str]]:
    rows = ["<edges>"]
    name_en: dict[str, str] = {}
    setting: dict[str, str] = {}
    for k, link in enumerate(graph.links):
        for forward in (True,) if link.way.oneway else (True, False):
            a, b = (link.a, link.b) if forward else (link.b, link.a)
            xy = link.xy if forward else link.xy[::-1]
            eid = edge_id(k, forward)
            name_en[eid], setting[eid] = link.way.name_en, link.way.setting
            rows.append(_edge(eid, a, b, xy, link, b in signals))
    return "\n".join([*rows, "</edges>"]), name_en, setting


def _edge(eid: str, a: int, b: int, xy: Floats, link: Link, to_signal: bool) -> str:
    way = link.way
    lanes = way.lanes + (1 if to_signal and way.rank <= 4 and link.length_m > 60.0 else 0)
    # of two streets of one class one has the right of way, so that nobody waits for each other in a ring
    priority = 2 * (8 - way.rank) + (1 if way.name.endswith(("街", "道")) else 0)
    no = _RAIL + (" pedestrian bicycle" if way.deck else "")
    name = f" name={quoteattr(way.name)}" if way.name else ""
    shape = " ".join(f"{x:.2f},{y:.2f}" for x, y in xy)
    return (
        f'<edge id="{eid}" from="n{a}" to="n{b}" type="highway.{way.road_class}" priority="{priority}"'
        f' numLanes="{lanes}" speed="{way.km_h / 3.6:.3f}"{name} disallow="{no}" shape="{shape}"/>'
    )


def _banned(graph: Graph) -> str:
    """List turns that an interchange does not have: between a ramp and the far carriageway of the expressway."""
    rows = ["<connections>"]
    deck: dict[int, list[tuple[str, bool, Floats]]] = {}
    for k, link in enumerate(graph.links):
        if link.way.deck:
            for forward in (True, False):
                xy = link.xy if forward else link.xy[::-1]
                start, end = (link.a, link.b) if forward else (link.b, link.a)
                deck.setdefault(start, []).append((edge_id(k, forward), True, xy[1] - xy[0]))
                deck.setdefault(end, []).append((edge_id(k, forward), False, xy[-1] - xy[-2]))
    for k, link in enumerate(graph.links):
        if link.way.setting != "ramp":
            continue
        for eid, leaves, along in deck.get(link.b, []):
            if leaves and float(along @ (link.xy[-1] - link.xy[-2])) < 0.0:
                rows.append(f'<delete from="{edge_id(k, True)}" to="{eid}"/>')
        for eid, leaves, along in deck.get(link.a, []):
            if not leaves and float(along @ (link.xy[1] - link.xy[0])) < 0.0:
                rows.append(f'<delete from="{eid}" to="{edge_id(k, True)}"/>')
    return "\n".join([*rows, "</connections>"])


def _netconvert(nodes: Path, edges: Path, ban: Path, out: Path) -> None:
    home = Path(sumo.SUMO_HOME)
    command = [
        str(home / "bin" / "netconvert"),
        *("--node-files", str(nodes), "--edge-files", str(edges), "--output-file", str(out)),
        *("--connection-files", str(ban)),
        *("--output.street-names", "true", "--no-turnarounds.except-deadend", "true"),
        *("--tls.default-type", "static", "--tls.cycle.time", str(_CYCLE_S)),
        *("--junctions.corner-detail", "0", "--geometry.max-grade.fix", "false", "--no-warnings", "true"),
    ]
    env = {**os.environ, "PROJ_DATA": str(home / "data" / "proj"), "SUMO_HOME": str(home)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not out.is_file():
        raise CityError(f"qibu: netconvert failed: {(done.stderr or done.stdout).strip()[-500:]}")
