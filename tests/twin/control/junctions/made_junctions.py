"""Made-up junctions for tests: maps without SUMO, and a world of point queues that obeys the cabinets."""

from __future__ import annotations

import numpy as np

from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.layout import Layout
from twin.control.junctions.safety import Monitor
from twin.control.junctions.signal_control import SignalControl
from twin.domain.junctions import ApproachReadings, SetPlans, ShowPhases, SignalMap
from twin.world.junctions.programs import Step, read_program

#: four groups, one lane each; 0 and 1 (north, south) cross 2 and 3 (east, west); plus a walkers' group 4 across 0 and 1
TWO_PHASES = (("GGrrr", 30), ("yyrrr", 3), ("rrrrr", 2), ("rrGGG", 30), ("rrGGr", 8), ("rryyr", 3), ("rrrrr", 2))
FOES = {(a, b) for a in (0, 1) for b in (2, 3, 4)} | {(b, a) for a in (0, 1) for b in (2, 3, 4)}
FOUR_PHASES = (
    ("GrrrG", 20), ("yrrry", 3), ("rrrrr", 1), ("rGrrr", 20), ("ryrrr", 3), ("rrrrr", 1),
    ("rrGrr", 20), ("rryrr", 3), ("rrrrr", 1), ("rrrGr", 20), ("rrryr", 3), ("rrrrr", 1),
)  # fmt: skip
CROSSES = {(a, b) for a in range(4) for b in range(4) if a != b}


def made_map(
    n: int = 1, program=TWO_PHASES, foes=FOES, walk=(4,), feeds=(), grade: int = 2, offset_s=None
) -> SignalMap:
    """``n`` equal junctions with four lanes of 200 m each (groups 0 to 3)."""
    p = read_program([Step(s, d, d, d) for s, d in program], 0, set(foes), set(), dict.fromkeys(walk, 9.6))
    assert p is not None
    groups, phases, width = len(program[0][0]), len(p.states), len(program[0][0])
    ints = lambda rows: np.array(rows, dtype=np.int64)  # noqa: E731
    every = range(n)
    pairs = sorted(p.clear_s)
    return SignalMap(
        t_s=0, key="signals/map", junction=tuple(f"J{j}" for j in every), grade=ints([grade] * n),
        x_m=np.arange(n) * 400.0, y_m=np.zeros(n),
        offset_s=ints([p.offset_s] * n if offset_s is None else offset_s),
        group_junction=ints([j for j in every for _ in range(groups)]),
        group_place=ints([g for _ in every for g in range(groups)]),
        group_walk=ints([int(g in walk) for _ in every for g in range(groups)]),
        yellow_s=ints([p.yellow_s[g] for _ in every for g in range(groups)]),
        lane_junction=ints([j for j in every for _ in range(4)]), lane_road=ints(range(4 * n)),
        lane_number=ints([0] * 4 * n), lane_length_m=np.full(4 * n, 200.0), lane_speed_m_s=np.full(4 * n, 13.9),
        link_group=ints([groups * j + g for j in every for g in range(4)]), link_lane=ints(range(4 * n)),
        link_to_road=ints([-1] * 4 * n), feed_lane=ints([f[0] for f in feeds]), feed_to=ints([f[1] for f in feeds]),
        feed_share=np.array([f[2] for f in feeds], dtype=float),
        conflict_a=ints([width * j + a for j in every for a, _ in pairs]),
        conflict_b=ints([width * j + b for j in every for _, b in pairs]),
        conflict_yields=ints([0] * len(pairs) * n), conflict_clear_s=ints([p.clear_s[k] for _ in every for k in pairs]),
        phase_junction=ints([j for j in every for _ in range(phases)]), phase_state=tuple(p.states * n),
        phase_green_s=ints(p.green_s * n), phase_min_s=ints(p.min_s * n), phase_max_s=ints(p.max_s * n),
        change_from=ints([phases * j + a for j in every for a, _ in sorted(p.changes)]),
        change_to=ints([phases * j + b for j in every for _, b in sorted(p.changes)]),
        change_steps=tuple(
            " ".join(f"{s}:{d}" for s, d in p.changes[k]) for _ in every for k in sorted(p.changes)
        ),
    )  # fmt: skip


class PointQueues:
    """Vertical queues: steady arrivals per lane, ``leave`` per second of green beyond the first two."""

    def __init__(self, told: SignalMap, arrive_veh_h, leave_veh_s: float = 0.5) -> None:
        self.layout = Layout.of(told)
        self.cabinets = Cabinets(self.layout, 0)
        self.monitor = Monitor(self.layout)
        self.arrive = np.resize(np.asarray(arrive_veh_h, dtype=float), told.lane_road.size) / 3600.0
        self.leave = leave_veh_s
        self.queue = np.zeros(told.lane_road.size)
        self.green_s = np.zeros(told.lane_road.size)
        self.delay_veh_s = 0.0
        self.passed = np.zeros(told.lane_road.size)
        self.gap_s = np.full(told.lane_road.size, 100.0)

    def readings(self, t: int, dead=(), junction=None) -> ApproachReadings:
        told = self.layout.told
        n = told.lane_road.size
        rows = np.arange(len(told.junction)) if junction is None else np.asarray(junction)
        lane = np.flatnonzero(np.isin(told.lane_junction, rows))
        queue, passed = np.floor(self.queue), self.passed.copy()
        queue[list(dead)] = passed[list(dead)] = np.nan
        self.passed = np.zeros(n)
        zero = np.zeros(lane.size)
        return ApproachReadings(
            t, f"approaches/{t}", t, rows.astype(np.int64), lane, queue[lane], zero, zero, self.gap_s[lane],
            passed[lane],            np.empty(0, np.int64), np.empty(0),
        )  # fmt: skip

    def second(self, t: int) -> None:
        """Show what the cabinets say during second ``t`` and let vehicles come and go."""
        self.cabinets.step(t)
        self.monitor.look(t, self.cabinets.states)
        told = self.layout.told
        letters = self.monitor.letters(self.cabinets.states)
        green = np.isin(letters[told.link_group], ["G", "g"])
        self.green_s = np.where(green, self.green_s + 1, 0)
        self.queue += self.arrive
        go = np.where(self.green_s > 2, np.minimum(self.queue, self.leave), 0.0)
        self.queue -= go
        self.passed += go
        self.gap_s = np.where(go > 0.1, 0.0, self.gap_s + 1)
        self.delay_veh_s += float(self.queue.sum())


def drive(plant: PointQueues, control: SignalControl | None, until_s: int, lost=lambda t: False, dead=(), history=None):
    """Let control and plant run; ``lost(t)``: no message and no order gets through at ``t``."""
    if control is not None:
        control.decide(0, [plant.layout.told])
    for t in range(until_s):
        if control is not None:
            gone = lost(t)
            messages = [] if gone else [plant.cabinets.tell(t), plant.readings(t, dead)]
            for command in control.decide(t, messages):
                if isinstance(command, ShowPhases) and not gone:
                    plant.cabinets.order(t, command)
                elif isinstance(command, SetPlans) and not gone:
                    plant.cabinets.plan(t, command)
        plant.second(t)
        if history is not None:
            history.append(list(plant.cabinets.states))
    return plant
