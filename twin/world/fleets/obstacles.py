"""Obstacles on the way of units: what it costs to pass a parked car or a closed lane, and what if one cannot.

Whether a unit can pass is up to the traffic simulator: in micro a vehicle changes lanes before one that stands, and
uses the oncoming lane where the network has opposite lanes; in meso and free flow the lane is closed (see
:mod:`twin.interventions`). Who cannot pass stands. Then somebody steers the unit past by hand:

- the safety driver of a bus, once he has taken over (:mod:`twin.world.fleets.odd`), and a courier, at once;
- a remote operator, for a robot: after ``STUCK_S`` it pulls over and asks for help (F23), and is guided when the
  operator has understood the scene.

By hand one drives through the oncoming lane, at ``HAND_M_S``, and begins when nobody comes there for as long as it
takes; only who is right behind the obstacle does, the others wait in the queue. SUMO cannot be told to do that, so
the unit stands for this time and is then put beyond the obstacle: those who come towards it are not hindered. Where a
closed lane stands for the obstacle (meso, free flow), it is the rest of that road that is passed by hand, and nobody
knows who comes along the oncoming lane. There the wait before a lane that is closed is on the road before, so
``Overtaken`` tells it only of those who cannot pass by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.domain.mobility import DRIVING, HALTED, MANUAL
from twin.events import Overtaken
from twin.log import Log
from twin.world.fleets.ports import TICK_S
from twin.world.fleets.units import Units
from twin.world.traffic.ports import Floats, Ints, Traffic
from twin.world.traffic.types import DEFAULT_TYPES, type_index

STUCK_S = 120  # a unit that has not moved for so long behind an obstacle cannot pass it (as the buses' in odd.py)
FRONT_M = 15.0  # so close behind an obstacle a unit is the first in the queue
CAR_M = 5.0  # length of the vehicle that stands
BEYOND_M = 10.0  # a unit's rear is so far beyond the obstacle when it is back on its lane (assumed)
HAND_M_S = 10 / 3.6  # by hand past an obstacle (assumed: low speed of a manoeuvre in the oncoming lane)
PATIENCE_S = 1800  # a robot that finds no room for so long is fetched, as one that nobody helps
CAUSE = "blocked lane"
REASON = "steered past an obstacle by hand"
_BY = "obstacle"


@dataclass(slots=True)
class _Block:
    """What blocks a lane: its front at ``pos_m`` (a closed lane: the middle); ``stands``: one can go round by hand."""

    lane: int
    pos_m: float
    stands: bool


@dataclass(slots=True)
class _Visit:
    """A unit on a road with a block, since ``t_s`` and ``pos_m``; ``aside_s``: stood for other reasons meanwhile."""

    road: int
    t_s: float
    pos_m: float
    s_per_m: float
    aside_s: float = 0.0
    past: bool = False


@dataclass(slots=True)
class _Way:
    """Past an obstacle by hand: to ``pos_m`` of ``road``, there at ``until_s``."""

    road: int
    pos_m: float
    until_s: int


class Obstacles:
    """Blocked lanes, who passes them, and who is steered round. ``ask``: call a remote operator; ``fetch``: the crew.

    ``micro``: obstacles stand in SUMO at their place.
    """

    def __init__(
        self,
        units: Units,
        city: City,
        traffic: Traffic,
        log: Log,
        ask: Callable[[int, str, int], None],
        fetch: Callable[[int, str, int], None],
        *,
        micro: bool,
    ) -> None:
        self._units, self._traffic, self._log = units, traffic, log
        self._ask, self._fetch, self._micro = ask, fetch, micro
        roads = city.roads
        self._length_m: Floats = roads["length_m"].to_numpy(np.float64)
        self._speed_m_s: Floats = np.maximum(roads["speed_m_s"].to_numpy(np.float64), 0.1)
        self._lanes: Ints = roads["lanes"].to_numpy(np.int64)
        self._oncoming = _oncoming(roads["from_node"].to_numpy(), roads["to_node"].to_numpy())
        self._blocks: dict[int, list[_Block]] = {}
        self._usual_s: dict[int, float] = {}  # time on a road when its first block came
        self._visits: dict[int, _Visit] = {}
        self._place: dict[int, tuple[int, float, int]] = {}  # road, position, since: of those right behind an obstacle
        self._ways: dict[int, _Way] = {}
        self._calls: dict[int, int] = {}  # robots that asked for help: since when

    # -- what is there -------------------------------------------------------------------------------------

    def put(self, road: int, lane: int, pos_m: float | None) -> None:
        """Take note of an obstacle at ``pos_m`` of a lane; None: the lane is closed and nobody may go round by hand."""
        if road not in self._blocks:
            self._usual_s[road] = float(self._traffic.travel_times()[road])
        at_m = float(self._length_m[road]) / 2 if pos_m is None or not self._micro else pos_m
        self._blocks.setdefault(road, []).append(_Block(lane, at_m, pos_m is not None))

    def take(self, road: int, lane: int, pos_m: float | None) -> None:
        """Take note that it is gone."""
        units = self._units
        own = self._blocks[road]
        gone = next(b for b in own if b.lane == lane and b.stands == (pos_m is not None))
        for row, visit in self._visits.items():
            on = visit.road == road and int(units.road[row]) == road
            visit.past |= on and visit.pos_m < gone.pos_m < float(units.pos_m[row])
        own.remove(gone)
        if not own:
            del self._blocks[road]

    def tick(self, now_s: int) -> None:
        """See who passed and who cannot; steer round who may."""
        if not (self._blocks or self._visits or self._calls):
            return
        self._look_at_visits(now_s)
        self._look_at_calls(now_s)
        ahead = {row: b for row in np.flatnonzero(self._units.vehicle > 0).tolist() if (b := self._ahead(row))}
        for row in [r for r in self._place if r not in ahead]:
            del self._place[row]
        for row in [r for r in self._ways if r not in ahead and r not in self._calls]:
            del self._ways[row]
        for row, (road, block) in ahead.items():
            self._at(row, road, block, now_s)
        self._mark()

    # -- who passes ----------------------------------------------------------------------------------------

    def _look_at_visits(self, now_s: int) -> None:
        units = self._units
        blocked = np.fromiter(self._blocks, dtype=np.int64, count=len(self._blocks))
        on = np.flatnonzero((units.vehicle > 0) & np.isin(units.road, blocked))
        came = [row for row in range(len(units)) if units.passed(row)]
        for row in sorted({*on.tolist(), *came, *self._visits}):
            for road, t_s in units.passed(row):
                self._leave(row, t_s)
                if road in self._blocks:
                    self._visits[row] = self._visit(row, road, t_s, 0.0)
            visit = self._visits.get(row)
            here = int(units.road[row])
            if visit is None:
                if here in self._blocks and units.vehicle[row]:  # it set out here, or the block came when it was here
                    self._visits[row] = self._visit(row, here, now_s, float(units.pos_m[row]))
            elif units.leg(row) is None:
                self._leave(row, now_s, float(units.pos_m[row]))
            elif int(units.state[row]) not in (DRIVING, MANUAL) and row not in self._calls:
                visit.aside_s += TICK_S

    def _visit(self, row: int, road: int, t_s: float, pos_m: float) -> _Visit:
        return _Visit(road, t_s, pos_m, max(self._usual_s[road] / self._length_m[road], 1.0 / self._top(row)))

    def _top(self, row: int) -> float:
        """Return how fast a unit can drive on its leg."""
        leg = self._units.leg(row)
        asked = leg.speed_m_s if leg is not None and leg.speed_m_s > 0 else np.inf
        return max(float(min(self._units.speed_m_s[row], self._units.limit_m_s[row], asked)), 0.1)

    def _leave(self, row: int, t_s: float, pos_m: float | None = None) -> None:
        """Let a unit leave a road with a block, at its end or at ``pos_m``."""
        visit = self._visits.pop(row, None)
        if visit is None:
            return
        end_m = float(self._length_m[visit.road]) if pos_m is None else pos_m
        if visit.past or any(visit.pos_m < b.pos_m < end_m for b in self._blocks.get(visit.road, ())):
            extra = t_s - visit.t_s - visit.aside_s - visit.s_per_m * (end_m - visit.pos_m)
            self._tell(row, visit.road, int(t_s), extra)

    def _tell(self, row: int, road: int, t_s: int, extra_s: float) -> None:
        self._log.add(
            Overtaken, t_s=t_s, unit=int(self._units.number[row]), road=road, extra_s=round(float(extra_s), 1)
        )

    # -- who cannot ----------------------------------------------------------------------------------------

    def _ahead(self, row: int) -> tuple[int, _Block] | None:
        """Return the obstacle that a unit is behind, and its road: on its own road, or on the next that is closed."""
        units = self._units
        here = int(units.road[row])
        if here in self._blocks:
            pos, end_m = float(units.pos_m[row]), units.end_m(row)
            own = [b for b in self._blocks[here] if b.stands and pos < b.pos_m and b.pos_m - CAR_M < end_m]
            if not self._micro and self._shut(here):
                own = [b for b in self._blocks[here] if b.stands]
            if own:
                return here, min(own, key=lambda b: b.pos_m)
        if not self._micro:
            way = units.ahead(row)
            if way.size > 1 and self._shut(int(way[1])):
                return int(way[1]), next(b for b in self._blocks[int(way[1])] if b.stands)
        return None

    def _shut(self, road: int) -> bool:
        """Tell whether all lanes of a road are blocked, by an obstacle at least one of them."""
        own = self._blocks.get(road, ())
        return any(b.stands for b in own) and len({b.lane for b in own}) >= self._lanes[road]

    def _at(self, row: int, road: int, block: _Block, now_s: int) -> None:
        """Deal with a unit that has an obstacle ahead."""
        units = self._units
        here, pos = int(units.road[row]), float(units.pos_m[row])
        first = block.pos_m - CAR_M - pos <= FRONT_M if self._micro else self._shut(road)
        before = self._place.get(row)
        if not first or before is None or before[0] != here or abs(before[1] - pos) > 1.0:
            self._ways.pop(row, None)
            if first:
                self._place[row] = (here, pos, now_s)
            else:
                self._place.pop(row, None)
            return
        state, fleet = int(units.state[row]), str(units.fleet[row])
        if state == MANUAL or fleet == "courier":
            if self._steer(row, road, block, now_s):
                self._place.pop(row, None)
        elif state == DRIVING and fleet != "shuttle" and now_s - before[2] >= STUCK_S:
            self._calls[row] = now_s
            self._ask(row, CAUSE, now_s)
            units.halt(row, CAUSE, now_s, by=_BY)

    def _look_at_calls(self, now_s: int) -> None:
        """Guide robots whose operator has understood the scene; those whose obstacle is gone go on."""
        units = self._units
        for row, since_s in sorted(self._calls.items()):
            causes = units.causes(row)
            if units.broken[row] or _BY not in causes:
                del self._calls[row]
                self._ways.pop(row, None)
                continue
            ahead = self._ahead(row)
            if ahead is None:
                self._go_on(row, "the lane is free", now_s)
            elif "help" in causes:
                continue
            elif self._steer(row, *ahead, now_s):
                self._go_on(row, "remote operator", now_s)
            elif now_s - since_s >= PATIENCE_S:
                del self._calls[row]
                self._fetch(row, "there is no room past an obstacle", now_s)

    def _go_on(self, row: int, thanks_to: str, now_s: int) -> None:
        del self._calls[row]
        self._ways.pop(row, None)
        self._units.resume(row, thanks_to, now_s, by=_BY)

    # -- by hand -------------------------------------------------------------------------------------------

    def _steer(self, row: int, road: int, block: _Block, now_s: int) -> bool:
        """Steer a unit past an obstacle by hand: begin as soon as there is room; True when it is past."""
        way = self._ways.get(row)
        if way is None:
            to_road, to_m, metres, takes_s = self._way_past(row, road, block)
            if not self._micro or self._room(row, road, metres, takes_s):
                self._ways[row] = _Way(to_road, to_m, now_s + math.ceil(takes_s))
            return False
        if now_s < way.until_s:
            return False
        del self._ways[row]
        since_s = self._place[row][2] if row in self._place else self._calls[row] - STUCK_S
        self._units.go_past(row, way.road, way.pos_m, now_s, REASON)
        if not self._micro and self._visits.pop(row, None) is None:  # it stood before the road, not on it
            self._tell(row, road, now_s, now_s - since_s - self._usual_s[road])
        elif int(self._units.road[row]) != road:
            self._leave(row, now_s)
        return True

    def _way_past(self, row: int, road: int, block: _Block) -> tuple[int, float, float, float]:
        """Return where a unit comes back to its lane (road, m), how far that is, and how long it takes."""
        units = self._units
        ahead = units.ahead(row)
        pos = float(units.pos_m[row]) if int(units.road[row]) == road else 0.0
        after = np.flatnonzero(ahead == road)[0] + 1
        length = float(self._length_m[road])
        own_m = DEFAULT_TYPES[type_index(units.specs[row].model.vehicle)].length_m
        beyond = block.pos_m + own_m + BEYOND_M
        hand_m = max(min(beyond, length) - max(pos, block.pos_m - CAR_M - FRONT_M), BEYOND_M)
        if self._micro and beyond < length:
            return road, beyond, hand_m, hand_m / HAND_M_S
        speed = min(self._top(row), float(self._speed_m_s[road]))
        rest_s = 0.0 if self._micro else max(length - pos - hand_m, 0.0) / speed
        if after < ahead.size:
            return int(ahead[after]), 0.0, hand_m, hand_m / HAND_M_S + rest_s
        return road, length, hand_m, hand_m / HAND_M_S + rest_s

    def _room(self, row: int, road: int, metres: float, takes_s: float) -> bool:
        """Tell whether nobody comes on the oncoming lane for as long as it takes (as far as that road can be seen)."""
        other = int(self._oncoming[road])
        if other < 0:
            return False
        there = self._traffic.vehicles_on(other)
        if there.size == 0:
            return True
        on, pos = self._traffic.where(there)
        share = float(self._length_m[other] / self._length_m[road])
        begin = float(self._length_m[other]) - share * (float(self._units.pos_m[row]) + metres)
        end = begin + share * metres
        comes = (on == other) & (pos <= end) & (pos >= begin - takes_s * float(self._speed_m_s[other]))
        return not bool(comes.any())

    def _mark(self) -> None:
        """Note which units have an obstacle ahead of them, for their operating conditions."""
        blocked = self._units.blocked
        blocked[:] = False
        if self._blocks:
            for row in np.flatnonzero(np.isin(self._units.state, (MANUAL, HALTED))).tolist():
                blocked[row] = self._units.leg(row) is not None and self._ahead(row) is not None


def _oncoming(from_node: npt.NDArray[np.object_], to_node: npt.NDArray[np.object_]) -> Ints:
    """Return for each road the one that leads back between the same junctions; -1: none."""
    ends = list(zip(from_node.tolist(), to_node.tolist(), strict=True))
    road_of = {pair: i for i, pair in reversed(list(enumerate(ends)))}
    return np.array([road_of.get((b, a), -1) for a, b in ends], dtype=np.int64)
