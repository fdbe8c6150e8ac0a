"""Policies that are shipped: nearest first, and the rounds of couriers; :class:`RollingRoutes` has a file of its own.

Both answer in n log n: orders are looked up in a k-d tree or sorted once, never compared with every unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from twin.control.mobility.delivery.ports import Assignment, Bools, Ints, View
from twin.control.mobility.delivery.rolling import RollingRoutes

__all__ = ["CourierRounds", "NearestFirst", "RollingRoutes"]


def reachable(view: View, depot: int, group: int, rows: Ints) -> Ints:
    """Return the order rows whose stop a unit of the group can reach from the depot."""
    stops = view.stop[rows]
    time_s = view.travel[group].times(view.depot_road[depot : depot + 1], view.stop_road[stops])[0]
    kept: Ints = rows[np.isfinite(time_s)]
    return kept


def nearest_neighbour(view: View, unit: int, rows: Ints) -> Ints:
    """Return order rows in the order in which somebody brings them who always goes to the nearest next."""
    stops = np.unique(view.stop[rows])
    travel = view.travel[int(view.group[unit])]
    roads = np.concatenate([view.depot_road[view.home[unit]][None], view.stop_road[stops]])
    time_s = travel.times(roads, roads)[:, 1:]
    left, here, order = np.ones(stops.size, dtype=bool), 0, []
    while left.any():
        nearest = int(np.argmin(np.where(left, time_s[here], np.inf)))
        if not left[nearest]:  # no way to any of the rest: as they come
            nearest = int(np.argmax(left))
        left[nearest] = False
        order.append(nearest)
        here = nearest + 1
    place = np.empty(stops.size, dtype=np.int64)
    place[order] = np.arange(stops.size)
    sorted_rows: Ints = rows[np.argsort(place[np.searchsorted(stops, view.stop[rows])], kind="stable")]
    return sorted_rows


def _teams(view: View) -> list[tuple[int, int, Ints, Ints]]:
    """Return, per depot and permit group with idle units: (depot, group, idle units, rows they may bring)."""
    idle, waiting = view.idle, view.waiting
    out = []
    for depot, group in sorted({(int(view.home[u]), int(view.group[u])) for u in idle}):
        units = idle[(view.home[idle] == depot) & (view.group[idle] == group)]
        mine = waiting[view.depot[waiting] == depot]
        if mine.size:
            out.append((depot, group, units, reachable(view, depot, group, mine)))
    return out


@dataclass(frozen=True)
class NearestFirst:
    """Each idle unit takes the order that is due first and those nearest to it, at most ``most``, and goes at once."""

    most: int = 10  # orders of a tour: about an hour of robot hand-overs (assumed)

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return a tour for every idle unit, as long as orders wait."""
        out: list[Assignment] = []
        taken = np.zeros(view.order.size, dtype=bool)
        for _, _, units, mine in _teams(view):
            free = mine[~taken[mine]]
            rows = free[np.argsort(view.due_s[free], kind="stable")]
            xy = np.column_stack([view.stop_x_m[view.stop[rows]], view.stop_y_m[view.stop[rows]]])
            tree = cKDTree(xy) if rows.size else None
            first = 0
            for unit in units.tolist():
                while first < rows.size and taken[rows[first]]:
                    first += 1
                if tree is None or first == rows.size:
                    break
                batch = self._around(view, unit, rows, tree, xy[first], taken)
                if batch.size:
                    taken[batch] = True
                    out.append(view.assignment(unit, nearest_neighbour(view, unit, batch)))
        return out

    def _around(self, view: View, unit: int, rows: Ints, tree: cKDTree, xy: np.ndarray, taken: Bools) -> Ints:
        """Return the orders nearest to a point that are free and fit in, asking for twice as many until enough are."""
        k = 4 * self.most
        while True:
            near = rows[np.sort(np.atleast_1d(tree.query(xy, k=min(k, rows.size), workers=1)[1]))]
            away = np.hypot(view.stop_x_m[view.stop[near]] - xy[0], view.stop_y_m[view.stop[near]] - xy[1])
            free = near[np.argsort(away, kind="stable")]
            free = free[~taken[free]]
            batch = view.fitting(unit, free)[: self.most]
            if batch.size < free.size or batch.size == self.most or k >= rows.size:
                return batch
            k *= 2


@dataclass(frozen=True)
class CourierRounds:
    """What couriers do: gather, sort by direction, go round – the baseline a planner would compare robots with.

    Parcels that wait at a depot are sorted by their direction from it, beginning behind the widest gap, and cut into
    batches that follow each other (sweep; Gillett and Miller, 1974, *Operations Research* 22(2)): what fits in, at most
    ``most``. A courier sets out when a batch fills ``full`` of the vehicle or ``most``, or when a parcel has lain for
    ``hold_s``; stops are visited nearest first.
    """

    hold_s: int = 1_200  # assumed: couriers of instant retail gather for some 20 min
    full: float = 0.8
    most: int = 30

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return a round for every idle courier for whom there is a batch."""
        out: list[Assignment] = []
        taken = np.zeros(view.order.size, dtype=bool)
        for depot, _, units, mine in _teams(view):
            rows = self._by_direction(view, depot, mine[~taken[mine]])
            for unit in units.tolist():
                batch = view.fitting(unit, rows)[: self.most]
                if batch.size == 0:
                    break
                waited = view.now_s - int(view.ready_s[rows].min())
                filled = view.size[batch].sum() >= self.full * view.capacity[unit] or batch.size == self.most
                if not filled and waited < self.hold_s:
                    break
                out.append(view.assignment(unit, nearest_neighbour(view, unit, batch)))
                taken[batch] = True
                rows = rows[batch.size :]
        return out

    @staticmethod
    def _by_direction(view: View, depot: int, rows: Ints) -> Ints:
        if rows.size == 0:
            return rows
        dx = view.stop_x_m[view.stop[rows]] - view.depot_x_m[depot]
        dy = view.stop_y_m[view.stop[rows]] - view.depot_y_m[depot]
        angle = np.arctan2(dy, dx)
        order = np.argsort(angle, kind="stable")
        gaps = np.diff(np.concatenate([angle[order], [angle[order[0]] + 2 * np.pi]]))
        sorted_rows: Ints = rows[np.roll(order, -(int(np.argmax(gaps)) + 1))]
        return sorted_rows
