"""Perception for meso in whole districts: how many stand and how many come, lane by lane, at few calls per look.

In meso SUMO tells of a road how many are on it and how many of them wait to leave its segment. Both are asked of every
road into a signal, in one go. Which lane the waiting ones wait for is asked vehicle by vehicle, once for each, on roads
where somebody waits; the moving ones are taken to divide among the lanes as the waiting ones did of late. There are no
single objects and no gaps: control takes the moving ones to be spread evenly over the range.

Misses and false vehicles are drawn lane by lane: with a miss rate m, a queue of n is seen as n·(1 − m) rounded by a
draw, so that the mean is right; false vehicles are moving ones.
"""

from __future__ import annotations

from itertools import compress
from typing import Any

import numpy as np

from twin.domain.junctions import ApproachReadings
from twin.world.junctions.perception import GRADE_SENSES, SPELL_S, Draws, Floats, Ints, Sense
from twin.world.junctions.read_map import SignalNet

#: shares of lanes are a fading mean over about so many waiting vehicles; the prior is one vehicle on each lane
MEMORY_VEH = 30.0
#: draws are made for so many looks at once: a call costs the same for one look as for many
DRAWN_AHEAD = 8


class CountPerception:
    """See the module's text. ``sumo``: libsumo; ``draws``: a stream, or None for perfect sight.

    ``every_s``: the usual time between two looks. ``dead`` (lanes): detectors out of order; may be written.
    """

    def __init__(
        self,
        sumo: Any,
        net: SignalNet,
        draws: Draws | None = None,
        senses: tuple[Sense, ...] = GRADE_SENSES,
        *,
        every_s: int = SPELL_S,
    ) -> None:
        told = net.told
        self._draws, self._every_s = draws, every_s
        self._drawn: dict[int, Floats] = {}  # spell → draws of all lanes
        self._number, self._halting = sumo.edge.getLastStepVehicleNumber, sumo.edge.getLastStepHaltingNumber
        self._ids, self._lane_of = sumo.edge.getLastStepVehicleIDs, sumo.vehicle.getLaneIndex
        self._waiting = sumo.vehicle.getWaitingTime
        of = [senses[g] for g in told.grade.tolist()]
        self.dead = np.zeros(told.lane_road.size, dtype=bool)
        self._units = np.flatnonzero(np.array([s.range_m for s in of]) > 0).astype(np.int64)
        range_m = np.array([of[j].range_m for j in told.lane_junction.tolist()])
        self._sees = range_m > 0
        self._seen = 1.0 - np.array([of[j].miss for j in told.lane_junction.tolist()])
        self._false = np.array([of[j].false_per_lane for j in told.lane_junction.tolist()])
        self._most = np.maximum(range_m / 7.5, 1.0)  # vehicles that fit in range
        # lanes in order of their roads
        edges = sorted({e for e, sees in zip(net.lane_edges, self._sees.tolist(), strict=True) if sees})
        place = {edge: i for i, edge in enumerate(edges)}
        rows = sorted((i for i, e in enumerate(net.lane_edges) if e in place), key=lambda i: place[net.lane_edges[i]])
        self._edges = edges
        self._lanes: Ints = np.array(rows, dtype=np.int64)
        self._edge_of: Ints = np.array([place[net.lane_edges[i]] for i in rows], dtype=np.int64)
        self._first_of = np.searchsorted(self._edge_of, np.arange(len(edges)))
        lane_at: list[dict[int, int]] = [{} for _ in edges]
        for i in rows:
            lane_at[place[net.lane_edges[i]]][int(told.lane_number[i])] = i
        self._lane_at = lane_at
        self._rows_of = [frozenset(at.values()) for at in lane_at]
        single = [next(iter(at.values())) if len(at) == 1 else -1 for at in lane_at]
        self._single: Ints = np.array(single, dtype=np.int64)  # the lane of a road that has but one; −1: it has more
        self._share: Floats = np.ones(told.lane_road.size)
        self._gain = np.zeros(told.lane_road.size)  # what one waiting vehicle adds to its lane's share
        self._gain[self._lanes] = np.bincount(self._edge_of)[self._edge_of] / MEMORY_VEH if rows else 0.0
        length = told.lane_length_m[self._lanes]
        self._near = np.minimum(range_m[self._lanes] / np.maximum(length, 1.0), 1.0)
        near_m = np.maximum(np.minimum(range_m, told.lane_length_m), 1.0)
        self._pass_s = near_m / np.maximum(told.lane_speed_m_s, 1.0)
        self._alone = np.zeros(told.lane_road.size, dtype=bool)  # lanes that have their road to themselves
        self._alone[self._single[self._single >= 0]] = True
        self._left: list[int] = []
        self._known: dict[str, int] = {}
        self._queue = np.zeros(told.lane_road.size)
        self._there = np.zeros(told.lane_road.size)
        self._busy = np.zeros(len(edges), dtype=bool)
        self._turn = False
        self._last_s: int | None = None
        self._told = told

    def look(self, now_s: int, junction: Ints | None = None) -> ApproachReadings:
        """Return what is perceived at ``now_s`` (of ``junction`` rows only, None: of all)."""
        step = 0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        edges = self._edges
        number = np.zeros(len(edges))
        # a road that was empty is looked at every second time only
        self._turn = not self._turn
        if self._turn:
            number[:] = list(map(self._number, edges))
        else:
            number[self._busy] = list(map(self._number, compress(edges, self._busy.tolist())))
        self._busy = number > 0
        halting = np.zeros(len(edges))
        halting[self._busy] = list(map(self._halting, compress(edges, self._busy.tolist())))
        queue = self._queues(halting)
        moving = self._moving(now_s, number - halting)
        return self._reading(now_s, step, junction, queue, moving)

    def _moving(self, now_s: int, number: Floats) -> Floats:
        """Return how many come on each lane (L), whole vehicles: a road's number, shared out by systematic sampling."""
        moving = np.zeros(self._queue.size)
        if number.any():
            share = self._share[self._lanes]
            total = np.bincount(self._edge_of, weights=share, minlength=number.size)
            wanted = number[self._edge_of] * share / total[self._edge_of] * self._near
            upto = np.cumsum(wanted)
            start = upto[self._first_of] - wanted[self._first_of]
            upto -= start[self._edge_of]
            # where in the list of lanes the first one falls moves on from look to look (golden ratio: evenly)
            at = (self._edge_of * 0.7548776662 + now_s * 0.0618033989) % 1.0
            after = np.floor(upto + at)
            before = np.floor(upto - wanted + at)
            moving[self._lanes] = after - before
        return moving

    def _queues(self, halting: Floats) -> Floats:
        """Return how many wait on each lane (L)."""
        queue = np.zeros(self._queue.size)
        one = (halting > 0) & (self._single >= 0)
        queue[self._single[one]] = halting[one]
        known, fresh = self._known, {}
        learned: tuple[list[int], list[int]] = [], []  # edge and lane of those who wait for the first time
        lane_of, waiting, edges, ids, rows_of = self._lane_of, self._waiting, self._edges, self._ids, self._rows_of
        rows: list[int] = []
        many = np.flatnonzero((halting > 0) & (self._single < 0))
        for i, wanted in zip(many.tolist(), halting[many].astype(np.int64).tolist(), strict=True):
            theirs, left = rows_of[i], wanted
            # those at the stop line come last in SUMO's list
            for name in reversed(ids(edges[i])):
                row = known.get(name, -1)
                if row not in theirs:
                    if waiting(name) <= 0.0:
                        continue
                    at = self._lane_at[i]
                    row = at.get(lane_of(name), next(iter(at.values())))
                    learned[0].append(i)
                    learned[1].append(row)
                fresh[name] = row
                rows.append(row)
                left -= 1
                if not left:
                    break
        if learned[0]:
            self._learn(*learned)
        self._left = [known[name] for name in known.keys() - fresh.keys()]  # the order does not matter: counted
        self._known = fresh
        if rows:
            queue += np.bincount(np.array(rows, dtype=np.int64), minlength=queue.size)
        return queue

    def _learn(self, edges: list[int], rows: list[int]) -> None:
        """Let the shares of the lanes of ``edges`` fade, and those of ``rows`` gain, one for each waiting vehicle."""
        come = np.bincount(edges, minlength=len(self._edges))
        share = self._share
        share[self._lanes] *= ((1.0 - 1.0 / MEMORY_VEH) ** come)[self._edge_of]
        share += self._gain * np.bincount(rows, minlength=share.size)

    def _draw(self, draws: Draws, now_s: int) -> Floats:
        """Return the draws (L) of the spell ``now_s`` is in, which are the same whenever they are made.

        Two lanes share a draw of 53 bits: the first has its upper 26, the second its lower 27.
        """
        spell = now_s // SPELL_S
        if spell not in self._drawn:
            spells = np.unique((now_s + self._every_s * np.arange(DRAWN_AHEAD)) // SPELL_S)
            n = (self._queue.size + 1) // 2
            both = draws.uniform(np.tile(np.arange(n), spells.size), np.repeat(spells, n)) * 2.0**26
            upper = np.floor(both)
            drawn = np.stack([upper * 2.0**-26, both - upper], axis=1).reshape(spells.size, 2 * n)
            self._drawn = dict(zip(spells.tolist(), drawn[:, : self._queue.size], strict=True))
        return self._drawn[spell]

    def _reading(
        self, now_s: int, step_s: int, junction: Ints | None, queue: Floats, moving: Floats
    ) -> ApproachReadings:
        before, self._queue = self._queue, queue
        # who waited and waits no longer has crossed the line; who comes to an empty line crosses it in its stride
        passed = np.where(self._alone, np.maximum(before - queue, 0.0), 0.0)
        if self._left:
            passed += np.bincount(np.array(self._left, dtype=np.int64), minlength=queue.size)
        free = (before < 0.5) & (queue < 0.5)
        passed[free] = self._there[free] * np.minimum(step_s / self._pass_s[free], 1.0)
        self._there = moving
        if self._draws is not None:
            u = self._draw(self._draws, now_s)
            queue = np.minimum(np.floor(queue * self._seen + u), queue)
            moving = np.floor(moving * self._seen + 1.0 - u) + (u < self._false)
        queue = np.minimum(queue, np.ceil(self._most))
        if self.dead.any():
            queue, moving, passed = queue.copy(), moving.copy(), passed.copy()
            queue[self.dead] = moving[self.dead] = passed[self.dead] = np.nan
        told_of = self._sees & ((queue > 0) | (moving > 0) | (passed > 0) | self.dead)
        units = self._units
        if junction is not None:
            mine = np.zeros(len(self._told.junction), dtype=bool)
            mine[junction] = True
            told_of &= mine[self._told.lane_junction]
            units = junction.astype(np.int64)
        rows = np.flatnonzero(told_of).astype(np.int64)
        none: Floats = np.empty(0, dtype=np.float64)
        return ApproachReadings(
            now_s, f"approaches/{now_s}", now_s, units, rows, queue[rows], moving[rows], none, none,
            passed[rows].round(1), np.empty(0, dtype=np.int64), none,
        )  # fmt: skip
