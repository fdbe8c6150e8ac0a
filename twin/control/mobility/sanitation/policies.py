"""The shipped sanitation policies: a fixed tour, the dirtiest roads first, and coverage (rural postman)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.mobility.sanitation.ports import Floats, Ints, Round, SanitationView
from twin.control.mobility.sanitation.tours import assigned, closed_tour, open_tour, shares

HORIZON_S = 2_700  # how far ahead DirtiestFirst gives work: later it will know better


class FixedTour:
    """The baseline: every shift the same roads in the same order, each once, whatever lies on them.

    Order and beats are made when it is first asked: one tour over everything, in runs of equal length of work for
    the units there are. They stay; only where a unit is missing its roads go to the next one.
    """

    def __init__(self) -> None:
        self._place: dict[int, tuple[int, int]] = {}  # road -> (unit, place in the order)

    def rounds(self, view: SanitationView) -> Sequence[Round]:
        """Return for each unit what is left of its beat in this shift."""
        if view.unit.size == 0 or view.road.size == 0:
            return []
        self._extend(view)
        left = view.road[view.swept_s < view.shift_s].tolist()
        units = view.unit.tolist()
        way: dict[int, list[tuple[int, int]]] = {unit: [] for unit in units}
        for road in left:
            unit, place = self._place[road]
            if unit not in way:
                unit = next((u for u in units if u > unit), units[0])
            way[unit].append((place, road))
        return [Round(unit, tuple(road for _, road in sorted(roads))) for unit, roads in way.items() if roads]

    def _extend(self, view: SanitationView) -> None:
        """Give roads that have no place yet (all at first; later those that were closed) one behind the others."""
        new = np.asarray([i for i, road in enumerate(view.road.tolist()) if road not in self._place], dtype=np.int64)
        if new.size == 0:
            return
        between = view.transit_s(view.road[new], view.road[new])
        behind = len(self._place)
        for unit, run in zip(
            view.unit.tolist(), shares(closed_tour(between), view.sweep_s[new], between, view.unit.size), strict=False
        ):
            for row in new[run].tolist():
                self._place[int(view.road[row])] = (unit, behind)
                behind += 1


class DirtiestFirst:
    """Roads by dirt removed per second: metres × (1 - cleanliness) over the time to get there and sweep.

    Units choose in turn, always the one that is free first, until each has work for ``HORIZON_S``.
    """

    def rounds(self, view: SanitationView) -> Sequence[Round]:
        """Return a greedy choice among the roads that are due."""
        due = np.flatnonzero(view.due)
        if due.size == 0 or view.unit.size == 0:
            return []
        worth = (view.length_m * (1.0 - view.cleanliness))[due]
        between = view.transit_s(view.road[due], view.road[due])
        reach = view.transit_s(view.unit_road, view.road[due])
        busy_s = np.zeros(view.unit.size)
        way: list[list[int]] = [[] for _ in range(view.unit.size)]
        free = np.ones(due.size, dtype=bool)
        while free.any() and busy_s.min() < HORIZON_S:
            k = int(busy_s.argmin())
            need_s = reach[k] + view.sweep_s[due]
            score = np.where(free & np.isfinite(need_s), worth / np.maximum(need_s, 1.0), -1.0)
            best = int(score.argmax())
            if score[best] < 0:  # nothing it can reach
                busy_s[k] = np.inf
                continue
            way[k].append(int(due[best]))
            busy_s[k] += need_s[best]
            reach[k], free[best] = between[best], False
        return _rounds(view, [np.asarray(w, dtype=np.int64) for w in way])


class Coverage:
    """All roads that are due, in the shortest tour (rural postman), shared out so that all end early.

    One tour over everything is cut into as many runs as there are units; runs go to units so that all together get
    there quickest; each unit then does its own in the best order from where it is. Route first, cluster second
    (Beasley, *Omega* 11(4), 1983).
    """

    def rounds(self, view: SanitationView) -> Sequence[Round]:
        """Return one run of the tour for each unit."""
        due = np.flatnonzero(view.due)
        if due.size == 0 or view.unit.size == 0:
            return []
        between = view.transit_s(view.road[due], view.road[due])
        runs = shares(closed_tour(between), view.sweep_s[due], between, view.unit.size)
        begin = np.asarray([due[run[0]] for run in runs], dtype=np.int64)
        rows: list[Ints] = [np.empty(0, dtype=np.int64)] * view.unit.size
        for unit, k in assigned(view.transit_s(view.unit_road, view.road[begin])):
            run = runs[k]
            start: Floats = view.transit_s(view.unit_road[unit : unit + 1], view.road[due[run]])[0]
            rows[unit] = due[run[open_tour(start, between[np.ix_(run, run)])]]
        return _rounds(view, rows)


def _rounds(view: SanitationView, rows: list[Ints]) -> list[Round]:
    return [
        Round(unit, tuple(view.road[r].tolist())) for unit, r in zip(view.unit.tolist(), rows, strict=True) if r.size
    ]
