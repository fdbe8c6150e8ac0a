"""Shipped dispatch policies: who goes where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from twin.control.city_brain.incidents.ports import Assignment, DispatchView

#: what a second of travel to an incident of each severity weighs in :class:`OptimalAssignment` (assumed)
WEIGHTS = np.array([1.0, 2.0, 6.0, 20.0])
_FAR_S = 1e7  # stands for "does not suit"; more than any sum of real times


def _nearest(view: DispatchView, order: Iterable[int]) -> list[Assignment]:
    """Give each task in turn the free unit that is there first; of two the one with the lower number."""
    travel_s = view.travel_s.copy()
    out = []
    for row in order:
        if travel_s.shape[1] == 0:
            break
        best = int(np.argmin(travel_s[row]))
        if np.isfinite(travel_s[row, best]):
            out.append(Assignment(int(row), int(view.unit[best])))
            travel_s[:, best] = np.inf
    return out


class NearestFree:
    """First come, first served: each task, the oldest first, gets whoever is there first."""

    def assign(self, view: DispatchView) -> Sequence[Assignment]:
        """Return assignments in order of waiting time."""
        return _nearest(view, np.argsort(-view.waiting_s, kind="stable").tolist())


class SeverityFirst:
    """The most severe first, of one severity the oldest; each gets whoever is there first."""

    def assign(self, view: DispatchView) -> Sequence[Assignment]:
        """Return assignments in order of severity."""
        return _nearest(view, np.lexsort((-view.waiting_s, -view.severity)).tolist())


class OptimalAssignment:
    """All tasks at once: the least sum of travel times, weighted by severity (Hungarian method)."""

    def assign(self, view: DispatchView) -> Sequence[Assignment]:
        """Return the cheapest assignment of as many tasks as can be served."""
        if view.travel_s.size == 0:
            return []
        cost = np.where(np.isfinite(view.travel_s), view.travel_s, _FAR_S) * WEIGHTS[view.severity][:, None]
        rows, columns = linear_sum_assignment(cost)
        return [
            Assignment(int(r), int(view.unit[c]))
            for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
            if np.isfinite(view.travel_s[r, c])
        ]
