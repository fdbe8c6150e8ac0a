"""The signalised junctions as arrays, made once from the MAP message; all policies and the safety rules use it.

Names of sizes: J junctions, G groups, L lanes, P phases, K the most phases any junction has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from twin.domain.junctions import SignalMap

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: metres of lane a standing vehicle takes (5 m and a gap of 2.5 m; HCM 6 assumes 25 ft = 7.6 m)
VEHICLE_M = 7.5
GREENS = "Gg"
#: rank of a letter: green that gives way is less than green
LEVEL = {"g": 1, "G": 2}


def parse_steps(text: str) -> list[tuple[str, int]]:
    """Return ``"yyr:3 rrr:1"`` as [("yyr", 3), ("rrr", 1)]."""
    steps = []
    for step in text.split():
        state, _, seconds = step.rpartition(":")
        steps.append((state, int(seconds)))
    return steps


@dataclass(frozen=True)
class Layout:
    """See the module's text. ``told`` is the message itself; the other fields are derived from it.

    first_phase (J + 1), phases (J): slices of the phase table. change_s (P, K): seconds of the change from a phase
    to the k-th phase of its junction, -1 where that change is not allowed. pair_phase/pair_lane: lanes served by
    phases, with ``pair_right``: 1 where the lane's best link is protected (G), else 0. lane_served (L): whether a phase
    serves the lane at all while another does not (False: always green, or never). feeds_lane/feeds_to/feeds_share:
    as told: lane → approach lanes of the next signals, shares sum to 1 or less. lane_room (L): vehicles that fit
    on the lane.
    """

    told: SignalMap
    first_phase: Ints
    phases: Ints
    change_s: Ints
    steps: dict[tuple[int, int], list[tuple[str, int]]]
    pair_phase: Ints
    pair_lane: Ints
    pair_right: Ints
    lane_served: Bools
    feeds_lane: Ints
    feeds_to: Ints
    feeds_share: Floats
    lane_room: Floats

    @property
    def n_junctions(self) -> int:
        """Number of junctions, J."""
        return len(self.told.junction)

    @property
    def n_lanes(self) -> int:
        """Number of approach lanes, L."""
        return self.told.lane_road.size

    @property
    def n_phases(self) -> int:
        """Number of phases, P."""
        return self.told.phase_junction.size

    @classmethod
    def of(cls, told: SignalMap) -> Layout:
        """Derive the arrays from the message; ValueError where it contradicts itself."""
        phase_of = told.phase_junction
        j_count, p_count = len(told.junction), phase_of.size
        if (np.diff(phase_of) < 0).any():
            raise ValueError("the phases of a SignalMap must be in order of their junctions")
        phases = np.bincount(phase_of, minlength=j_count).astype(np.int64)
        if (phases == 0).any():
            raise ValueError(f"junction '{told.junction[int(np.argmin(phases))]}' has no phase")
        first = np.concatenate([[0], np.cumsum(phases)]).astype(np.int64)
        change_s = np.full((p_count, int(phases.max(initial=1))), -1, dtype=np.int64)
        steps: dict[tuple[int, int], list[tuple[str, int]]] = {}
        for a, b, text in zip(told.change_from.tolist(), told.change_to.tolist(), told.change_steps, strict=True):
            steps[a, b] = parse_steps(text)
            change_s[a, b - first[phase_of[a]]] = sum(s for _, s in steps[a, b])
        own = np.arange(p_count)
        change_s[own, own - first[phase_of]] = 0
        pairs = _pairs(told, first, phases)
        pair_phase, pair_lane, pair_right = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
        n_lanes = told.lane_road.size
        served = np.bincount(pair_lane, minlength=n_lanes)
        # a lane that every phase serves needs no decision, and hides what does
        lane_served = (served > 0) & (served < phases[told.lane_junction])
        return cls(
            told, first, phases, change_s, steps, pair_phase, pair_lane, pair_right, lane_served,
            told.feed_lane, told.feed_to, told.feed_share, np.maximum(told.lane_length_m / VEHICLE_M, 1.0),
        )  # fmt: skip

    @cached_property
    def column(self) -> Ints:
        """The place of each phase among those of its junction (P)."""
        return np.arange(self.n_phases) - self.first_phase[self.told.phase_junction]

    def junctions_of(self, phases: Ints) -> Ints:
        """Return the junction of each phase row."""
        return self.told.phase_junction[phases]

    def next_in_order(self, phase: Ints) -> Ints:
        """Return the phase after ``phase`` in each one's junction, cyclic."""
        junction = self.told.phase_junction[phase]
        first = self.first_phase[junction]
        return np.asarray(first + (phase - first + 1) % self.phases[junction], dtype=np.int64)

    def change_time(self, phase: Ints, to: Ints) -> Ints:
        """Seconds that the change from ``phase`` to ``to`` takes (-1: not allowed); equal-length arrays."""
        return np.asarray(self.change_s[phase, to - self.first_phase[self.told.phase_junction[phase]]])

    def name(self, junction: int) -> str:
        """Return the name of a junction for people."""
        return self.told.junction[junction]


def _pairs(told: SignalMap, first: Ints, phases: Ints) -> list[tuple[int, int, int]]:
    """Return (phase, lane, right) for every lane that has a green link in a phase."""
    place, junction = told.group_place.tolist(), told.group_junction.tolist()
    best: dict[tuple[int, int], int] = {}
    for group, lane in zip(told.link_group.tolist(), told.link_lane.tolist(), strict=True):
        if lane < 0:
            continue
        j = junction[group]
        for phase in range(int(first[j]), int(first[j] + phases[j])):
            level = LEVEL.get(told.phase_state[phase][place[group]], 0)
            if level:
                best[phase, lane] = max(best.get((phase, lane), 0), level)
    return [(phase, lane, int(level == 2)) for (phase, lane), level in sorted(best.items())]


def greens(state: str) -> set[int]:
    """Return the places of a state that are green."""
    return {i for i, letter in enumerate(state) if letter in GREENS}


def ending(a: str, b: str) -> Iterable[int]:
    """Return the places that are green in ``a`` and not in ``b``."""
    return sorted(greens(a) - greens(b))
