"""What loops and roadside units perceive on the lanes towards signals, by grade of the junction (F19).

Perceived are the vehicles within range of the stop line, also on the roads before a short last one, as long as no other
signal lies between. A roadside unit does not know where a vehicle two roads back will turn: it takes one of the
lanes that follow, the same one each time. Ranges and rates by grade are assumed (:data:`GRADE_SENSES`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from twin.domain.junctions import ApproachReadings
from twin.world.junctions.read_map import SignalNet

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: below it a vehicle stands, m/s (5 km/h: HCM 6 counts a vehicle as queued below that)
STANDS_M_S = 5 / 3.6
#: a miss or a false object lasts this long, s
SPELL_S = 5
TURN_SEEN_M = 60.0  # where it can be seen which lane a vehicle takes (lane markings, indicator), assumed
LOOP_M = 6.0  # reach of the loop at the stop line


class Draws(Protocol):
    """A named stream of random draws (:class:`twin.dice.Stream`)."""

    def uniform(self, entity: Any, occurrence: Any = 0) -> npt.NDArray[np.float64]:
        """Return uniform numbers in [0, 1), one per entity."""


@dataclass(frozen=True)
class Sense:
    """What a junction perceives: range in m (0: nothing), rates of missed and of false vehicles, objects or not."""

    range_m: float
    miss: float
    false_per_lane: float
    objects: bool


#: by grade L0 … L3; all assumed. Roadside radar and camera reach 150 to 300 m; with misses of a few percent
#: (occlusion by trucks) and few false objects; loops at the stop line and 40 m before it count without range
GRADE_SENSES = (Sense(0.0, 0.0, 0.0, False), Sense(40.0, 0.02, 0.0, False), Sense(200.0, 0.05, 0.005, True),
                Sense(300.0, 0.02, 0.002, True))  # fmt: skip


@dataclass(frozen=True)
class _Reach:
    """A piece of road in sight: SUMO lane, metres from its end to the stop line, the approach lanes it leads to."""

    lane: str
    beyond_m: float
    length_m: float
    targets: tuple[int, ...]


class LanePerception:
    """Perception lane by lane, for micro. ``sumo``: libsumo; ``draws``: a stream, or None for perfect sight."""

    def __init__(
        self,
        sumo: Any,
        net: SignalNet,
        draws: Draws | None = None,
        senses: tuple[Sense, ...] = GRADE_SENSES,
        *,
        reaches: bool = True,
    ) -> None:
        self._net, self._draws = net, draws
        self._lane, self._vehicle = sumo.lane, sumo.vehicle
        told = net.told
        self.senses = [senses[g] for g in told.grade.tolist()]
        self._range = np.array([self.senses[j].range_m for j in told.lane_junction.tolist()])
        self._miss = np.array([self.senses[j].miss for j in told.lane_junction.tolist()])
        self._false = np.array([self.senses[j].false_per_lane for j in told.lane_junction.tolist()])
        self._objects = np.array([self.senses[j].objects for j in told.lane_junction.tolist()], dtype=bool)
        self._reaches = list(_reaches(sumo, net, self._range)) if reaches else []
        self._reaches_of: dict[int, list[int]] = {}  # by junction; made when first needed
        self._numbers: dict[str, int] = {}
        n = len(net.lane_ids)
        self._gap_s = np.full(n, np.inf)
        self._last_seen_s: int | None = None
        self._group_lane = {  # the lane that a group of a traffic light steers
            (net.tls[told.group_junction[g]], int(told.group_place[g])): int(lane)
            for g, lane in zip(told.link_group.tolist(), told.link_lane.tolist(), strict=True) if lane >= 0
        }  # fmt: skip
        self._turns: dict[str, tuple[str, int]] = {}  # vehicle → (its lane, the lane it will use)
        self._in_sight: dict[str, int] = {}
        self._passed = np.zeros(n)
        self.dead = np.zeros(n, dtype=bool)  # detectors out of order

    def _number(self, vehicle: str) -> int:
        number = self._numbers.get(vehicle)
        if number is None:
            if vehicle.isdecimal() and len(vehicle) < 18:
                number = int(vehicle)
            else:
                number = int.from_bytes(hashlib.blake2b(vehicle.encode(), digest_size=7).digest(), "little")
            self._numbers[vehicle] = number
        return number

    def _turn(self, name: str, reach: _Reach) -> int:
        """Return the lane a vehicle near the line will use; seen by its place and its indicator."""
        known = self._turns.get(name)
        if known is None or known[0] != reach.lane:
            ahead = self._vehicle.getNextTLS(name)
            lane = self._group_lane.get((ahead[0][0], ahead[0][1]), -1) if ahead else -1
            known = self._turns[name] = (reach.lane, lane if lane in reach.targets else reach.targets[0])
        return known[1]

    def look(self, now_s: int, junction: Ints | None = None) -> ApproachReadings:
        """Return what is perceived at ``now_s`` (of ``junction`` rows only, None: of all)."""
        rows: list[int] = []
        vehicle: list[int] = []
        away: list[float] = []
        speed: list[float] = []
        stood: list[float] = []
        step = 0 if self._last_seen_s is None else now_s - self._last_seen_s
        v = self._vehicle
        position, speed_of, waiting = v.getLanePosition, v.getSpeed, v.getWaitingTime
        ids_on = self._lane.getLastStepVehicleIDs
        in_sight: dict[str, int] = {}
        reaches = self._reaches
        if junction is not None and junction.size < len(self._net.tls):  # the others are not looked at
            reaches, in_sight = self._only(junction)
        for reach in reaches:
            for name in ids_on(reach.lane):
                far = reach.beyond_m + reach.length_m - position(name)
                number = self._number(name)
                target = reach.targets[0]
                if len(reach.targets) > 1:
                    if far <= TURN_SEEN_M:
                        target = self._turn(name, reach)
                    else:
                        target = reach.targets[number * 2654435761 % len(reach.targets)]
                if far > self._range[target]:
                    continue
                in_sight[name] = target
                pace = speed_of(name)
                rows.append(target)
                vehicle.append(number)
                away.append(far)
                speed.append(pace)
                stood.append(waiting(name) if pace < STANDS_M_S else 0.0)
        for name in self._in_sight.keys() - in_sight.keys():
            self._passed[self._in_sight[name]] += 1
            self._gap_s[self._in_sight[name]] = -step
            self._turns.pop(name, None)
        self._in_sight = in_sight
        self._last_seen_s = now_s
        return self._reading(
            now_s, step, junction, np.array(rows, dtype=np.int64), np.array(vehicle, dtype=np.int64),
            np.array(away), np.array(speed), np.array(stood),
        )  # fmt: skip

    def _only(self, junction: Ints) -> tuple[list[_Reach], dict[str, int]]:
        """Return what is in sight of a few junctions, and the vehicles that others saw last."""
        of = self._net.told.lane_junction
        if not self._reaches_of:
            for i, reach in enumerate(self._reaches):
                for j in sorted({int(of[row]) for row in reach.targets}):
                    self._reaches_of.setdefault(j, []).append(i)
        mine = set(junction.tolist())
        rows = sorted({i for j in mine for i in self._reaches_of.get(j, ())})
        others = {name: row for name, row in self._in_sight.items() if int(of[row]) not in mine}
        return [self._reaches[i] for i in rows], others

    def _reading(
        self, now_s: int, step_s: int, junction: Ints | None, lane: Ints, vehicle: Ints, away_m: Floats, speed: Floats,
        stood_s: Floats,
    ) -> ApproachReadings:  # fmt: skip
        told = self._net.told
        n = told.lane_road.size
        self._gap_s += step_s
        at_line = (away_m <= LOOP_M) | (away_m <= speed * max(step_s, 1))
        self._gap_s[lane[at_line]] = 0.0
        if self._draws is not None and vehicle.size:
            u = self._draws.uniform(vehicle, now_s // SPELL_S)
            seen = u >= self._miss[lane]
            lane, away_m, speed, stood_s = lane[seen], away_m[seen], speed[seen], stood_s[seen]
        if self._draws is not None and self._false.any():
            u = self._draws.uniform(-1 - np.arange(n), now_s // SPELL_S)
            ghosts = np.flatnonzero(u < self._false)
            if ghosts.size:
                at = u[ghosts] / self._false[ghosts] * self._range[ghosts]
                lane = np.concatenate([lane, ghosts])
                away_m = np.concatenate([away_m, at])
                speed = np.concatenate([speed, told.lane_speed_m_s[ghosts]])
                stood_s = np.concatenate([stood_s, np.zeros(ghosts.size)])
        stands = speed < STANDS_M_S
        queue = np.bincount(lane[stands], minlength=n).astype(np.float64)
        moving = np.bincount(lane[~stands], minlength=n).astype(np.float64)
        waiting = np.zeros(n)
        np.maximum.at(waiting, lane, stood_s)
        limit = told.lane_speed_m_s[lane]
        eta = away_m / np.maximum(limit, 1.0)
        passed, self._passed = self._passed, np.zeros(n)
        queue[self.dead] = moving[self.dead] = waiting[self.dead] = passed[self.dead] = np.nan
        gap = np.where(self.dead, np.nan, self._gap_s)
        told_of = (self._range > 0) & ((queue > 0) | (moving > 0) | (passed > 0) | (gap < 60.0) | self.dead)
        objects = ~stands & self._objects[lane] & ~self.dead[lane]
        units = np.flatnonzero(np.array([s.range_m for s in self.senses]) > 0) if junction is None else junction
        if junction is not None:
            mine = np.zeros(len(told.junction), dtype=bool)
            mine[junction] = True
            told_of &= mine[told.lane_junction]
            objects &= mine[told.lane_junction[lane]]
        listed = np.flatnonzero(told_of)
        return ApproachReadings(
            now_s, f"approaches/{now_s}", now_s, units.astype(np.int64), listed.astype(np.int64), queue[listed],
            moving[listed], waiting[listed], np.minimum(gap[listed], 1e4), passed[listed],
            lane[objects], np.round(eta[objects], 1),
        )  # fmt: skip


def _reaches(sumo: Any, net: SignalNet, range_m: Floats) -> Iterator[_Reach]:
    """Yield all pieces of road in sight of the approach lanes: upstream until the range, or another signal."""
    length = sumo.lane.getLength
    steered = {
        link[0] for name in sumo.trafficlight.getIDList() for links in sumo.trafficlight.getControlledLinks(name)
        for link in links
    }  # fmt: skip
    before: dict[str, list[tuple[str, float]]] = {}
    for lane in sumo.lane.getIDList():
        if lane.startswith(":"):
            continue
        for link in sumo.lane.getLinks(lane):
            before.setdefault(link[0], []).append((lane, link[7]))
    found: dict[str, tuple[float, float, list[int]]] = {}
    for row, lane in enumerate(net.lane_ids):
        if range_m[row] <= 0:
            continue
        found[lane] = (0.0, length(lane), [row])
        open_ends = [(lane, 0.0)]
        while open_ends:
            at, beyond = open_ends.pop()
            far = beyond + length(at)
            for behind, within in before.get(at, ()):
                if far + within > range_m[row] or behind in steered:
                    continue
                if behind in found and row in found[behind][2]:
                    continue
                start = found.setdefault(behind, (far + within, length(behind), []))
                start[2].append(row)
                open_ends.append((behind, far + within))
    for lane, (beyond, long, targets) in sorted(found.items()):
        yield _Reach(lane, beyond, long, tuple(targets))
