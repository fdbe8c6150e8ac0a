"""The MAP of any SUMO network with traffic lights: programs as phases, links, lanes, conflicts.

Programs come from the running SUMO (so those of additional files count), ways that cross from the network file.
Traffic lights that are not for roads (rail signals, level crossings), are off, or have a single phase stay SUMO's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twin.domain.junctions import GRADES, SignalMap
from twin.world.junctions.crossings import Crossings, read_crossings
from twin.world.junctions.programs import Program, Step, read_program

#: SUMO's types of program that steer roads: static, actuated, delay based (TraCI: TRAFFICLIGHT_TYPE_*)
_ROAD_TYPES = (0, 3, 5, 6)
NO_LIMIT_S = 1e6
NEXT_SIGNAL_M = 300.0  # how far ahead a next signal is looked for over roads without one


@dataclass
class SignalNet:
    """The map as control is told it, and what the adapter needs: SUMO's ids beside rows.

    ``lane_ids``/``lane_edges``: SUMO's names of the approach lanes; ``notes``: what is odd in the programs.
    """

    told: SignalMap
    tls: list[str]
    lane_ids: list[str]
    lane_edges: list[str]
    left_out: list[str]
    notes: list[str] = field(default_factory=list)


class _Columns:
    """Grows columns by name."""

    def __init__(self, *names: str) -> None:
        self.rows: dict[str, list[Any]] = {name: [] for name in names}

    def add(self, **values: Any) -> None:
        for name, value in values.items():
            self.rows[name].append(value)


_INTS = (
    "group_junction", "group_place", "group_walk", "yellow_s", "lane_junction", "lane_road", "lane_number",
    "link_group", "link_lane", "link_to_road", "conflict_a", "conflict_b", "conflict_yields", "conflict_clear_s",
    "phase_junction", "phase_green_s", "phase_min_s", "phase_max_s", "change_from", "change_to", "offset_s",
)  # fmt: skip


def read_map(
    sumo: Any, net_file: Path, road_index: Mapping[str, int], t_s: int, grades: Mapping[str, str] | None = None,
    grade: str = "L2", crossings: Crossings | None = None,
) -> SignalNet:  # fmt: skip
    """Return the map of the network that ``sumo`` (libsumo, started) runs.

    ``road_index``: index of each road by SUMO edge id (edges that are no roads get −1); ``grades``: "L0" … "L3" of
    junctions by name, the others have ``grade``; ``crossings``: of the file, if it has been read already.
    """
    crossings = crossings or read_crossings(net_file)
    links: dict[str, list[Any]] = {}
    for link in crossings.links:
        links.setdefault(link.tls, []).append(link)
    tl = sumo.trafficlight
    out = _Columns(*_INTS)
    tls_of: list[str] = []
    left_out: list[str] = []
    lane_ids: list[str] = []
    lane_edges: list[str] = []
    states: list[str] = []
    steps: list[str] = []
    notes: list[str] = []
    for name in sorted(tl.getIDList()):
        program = _program(tl, name, links.get(name, []), crossings, notes)
        if program is None:
            left_out.append(name)
            continue
        j = len(tls_of)
        tls_of.append(name)
        first_group = len(out.rows["group_place"])
        walk = {k.group for k in links[name] if k.walk}
        for place, yellow in enumerate(program.yellow_s):
            out.add(group_junction=j, group_place=place, group_walk=int(place in walk), yellow_s=yellow)
        rows: dict[tuple[str, int], int] = {}
        for link in links[name]:
            group = first_group + link.group
            if link.walk:
                out.add(link_group=group, link_lane=-1, link_to_road=-1)
                continue
            key = (link.from_edge, link.from_lane)
            if key not in rows:
                rows[key] = len(lane_ids)
                lane_ids.append(f"{key[0]}_{key[1]}")
                lane_edges.append(key[0])
                out.add(lane_junction=j, lane_road=road_index.get(key[0], -1), lane_number=key[1])
            out.add(link_group=group, link_lane=rows[key], link_to_road=road_index.get(link.to_edge, -1))
        _add_conflicts(out, program, name, crossings, first_group)
        first_phase = len(states)
        states += program.states
        for k in range(len(program.states)):
            out.add(
                phase_junction=j, phase_green_s=program.green_s[k], phase_min_s=program.min_s[k],
                phase_max_s=program.max_s[k],
            )  # fmt: skip
        for (p, q), way in sorted(program.changes.items()):
            out.add(change_from=first_phase + p, change_to=first_phase + q)
            steps.append(" ".join(f"{state}:{seconds}" for state, seconds in way))
        out.add(offset_s=program.offset_s)
    feeds = _feeds(sumo, links, tls_of, lane_ids, lane_edges)
    given = grades or {}
    places = [_place(crossings, name, links.get(name, [])) for name in tls_of]
    ints = {name: np.array(rows, dtype=np.int64) for name, rows in out.rows.items()}
    told = SignalMap(
        t_s=t_s, key="signals/map", junction=tuple(tls_of),
        grade=np.array([GRADES.index(given.get(name, grade)) for name in tls_of], dtype=np.int64),
        x_m=np.array([p[0] for p in places], dtype=np.float64), y_m=np.array([p[1] for p in places], dtype=np.float64),
        lane_length_m=np.array([sumo.lane.getLength(x) for x in lane_ids], dtype=np.float64),
        lane_speed_m_s=np.array([sumo.lane.getMaxSpeed(x) for x in lane_ids], dtype=np.float64),
        feed_lane=np.array([f[0] for f in feeds], dtype=np.int64),
        feed_to=np.array([f[1] for f in feeds], dtype=np.int64),
        feed_share=np.array([f[2] for f in feeds], dtype=np.float64),
        phase_state=tuple(states), change_steps=tuple(steps), **ints,
    )  # fmt: skip
    return SignalNet(told, tls_of, lane_ids, lane_edges, left_out, notes)


def _program(tl: Any, name: str, links: list[Any], crossings: Crossings, notes: list[str]) -> Program | None:
    logics = {logic.programID: logic for logic in tl.getAllProgramLogics(name)}
    logic = logics.get(tl.getProgram(name))
    if logic is None or logic.type not in _ROAD_TYPES or not links or not logic.phases:
        return None
    width = len(logic.phases[0].state)
    if any(k.group >= width for k in links):
        return None
    found = [Step(p.state, p.duration, *_range(p)) for p in logic.phases]
    offset = float(tl.getParameter(name, "offset") or 0.0) if hasattr(tl, "getParameter") else 0.0
    foes = set(crossings.foes.get(name, ()))
    yields = crossings.yields.get(name, set())
    walk = crossings.walk_m.get(name, {})
    # what the city's own program lets go together is no conflict for us; it is told as odd
    for state in (step.state for step in found):
        for a, b in sorted(foes):
            if a < b and _clash(state, a, b, yields):
                foes -= {(a, b), (b, a)}
                notes.append(f"'{name}': the program itself lets the crossing groups {a} and {b} go together")
    return read_program(found, offset, foes, yields, walk)


def _clash(state: str, a: int, b: int, yields: set[tuple[int, int]]) -> bool:
    if state[a] not in "gG" or state[b] not in "gG":
        return False
    return not (((a, b) in yields and state[a] == "g") or ((b, a) in yields and state[b] == "g"))


def _range(phase: Any) -> tuple[float, float]:
    """Return least and most seconds of a phase; SUMO tells −1 or the duration where none are given."""
    least = phase.minDur if phase.minDur > 0 else phase.duration
    most = phase.maxDur if phase.maxDur > 0 else phase.duration
    return min(least, phase.duration), min(max(most, phase.duration), NO_LIMIT_S)


def _add_conflicts(out: _Columns, program: Program, name: str, crossings: Crossings, first_group: int) -> None:
    for (a, b), clear in sorted(program.clear_s.items()):
        out.add(
            conflict_a=first_group + a, conflict_b=first_group + b, conflict_clear_s=clear,
            conflict_yields=int((a, b) in crossings.yields.get(name, ())),
        )  # fmt: skip


def _place(crossings: Crossings, name: str, links: list[Any]) -> tuple[float, float]:
    nodes = sorted({k.node for k in links if k.node in crossings.place})
    if not nodes:
        return crossings.place.get(name, (0.0, 0.0))
    at = np.array([crossings.place[n] for n in nodes])
    return float(at[:, 0].mean()), float(at[:, 1].mean())


def _feeds(
    sumo: Any, links: Mapping[str, list[Any]], tls_of: list[str], lane_ids: list[str], lane_edges: list[str]
) -> list[tuple[int, int, float]]:
    """Return (lane, lane of a next signal, share): onward over roads without signals, evenly at every fork."""
    lanes_of: dict[str, list[int]] = {}
    for row, edge in enumerate(lane_edges):
        lanes_of.setdefault(edge, []).append(row)
    row_of = {lane: row for row, lane in enumerate(lane_ids)}
    after: dict[str, list[str]] = {}
    for lane in sumo.lane.getIDList():
        if not lane.startswith(":"):
            edge = lane.rpartition("_")[0]
            found = after.setdefault(edge, [])
            found += [e for k in sumo.lane.getLinks(lane) if (e := k[0].rpartition("_")[0]) not in found]
    leads: dict[int, list[str]] = {}
    for name in tls_of:
        for link in links[name]:
            if not link.walk:
                to = leads.setdefault(row_of[f"{link.from_edge}_{link.from_lane}"], [])
                if link.to_edge not in to:
                    to.append(link.to_edge)
    out: list[tuple[int, int, float]] = []
    for row, edges in sorted(leads.items()):
        share: dict[int, float] = {}
        ahead = [(edge, 1.0 / len(edges), 0.0) for edge in edges]
        while ahead:
            edge, part, metres = ahead.pop()
            if edge in lanes_of:
                for lane in lanes_of[edge]:
                    share[lane] = share.get(lane, 0.0) + part / len(lanes_of[edge])
                continue
            metres += sumo.lane.getLength(f"{edge}_0")
            ways = after.get(edge, [])
            if metres < NEXT_SIGNAL_M and part > 0.05:
                ahead += [(way, part / len(ways), metres) for way in ways]
        out += [(row, lane, part) for lane, part in sorted(share.items())]
    return out
