"""The gate of a cabinet for orders that come over a network: late, out of order, twice, or made in an outdated belief.

An order is obeyed only while it is young and newer than the last one. One that the safety rules forbid *and* that was
given without knowledge of the present state is left aside and counted; one that they forbid although its sender knew
the state goes on to the cabinet, which raises ControlError: then it is the policy's fault, not the network's.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.layout import Ints
from twin.control.junctions.ports import Bools
from twin.domain.junctions import ShowPhases

NEVER = -(10**9)


class OrderGate:
    """One gate for all cabinets. ``most_age_s``: an order older than that is ignored.

    ``old``, ``overtaken``, ``outdated``: rows of orders left aside, by reason.
    """

    def __init__(self, cabinets: Cabinets, most_age_s: int = 2) -> None:
        self._cabinets, self._most_age_s = cabinets, most_age_s
        self._last_s = np.full(cabinets.layout.n_junctions, NEVER, dtype=np.int64)
        self.old = self.overtaken = self.outdated = 0

    def admit(self, now_s: int, order: ShowPhases, issued_s: int, informed: Bools) -> ShowPhases | None:
        """Return the part of an order that may go on to the cabinets; None for nothing.

        ``issued_s``: when it was given; ``informed``: beside its junctions, whether its sender knew the present state.
        """
        rows = order.junction
        if now_s - issued_s > self._most_age_s or order.until_s <= now_s:
            self.old += rows.size
            return None
        fresh = issued_s >= self._last_s[rows]
        self.overtaken += int((~fresh).sum())
        keep = fresh & (informed | self._possible(now_s, rows, order.phase))
        self.outdated += int((fresh & ~keep).sum())
        if not keep.any():
            return None
        self._last_s[rows[keep]] = issued_s
        if keep.all():
            return order
        return ShowPhases(order.key, rows[keep], order.phase[keep], order.until_s)

    def _possible(self, now_s: int, junction: Ints, wish: Ints) -> Bools:
        """Return for which junctions the safety rules allow the wish now."""
        stages = self._cabinets.stages
        stages.finish(now_s)
        stays = wish == stages.to[junction]
        return np.asarray(stays | stages.may_change(now_s)[junction])
