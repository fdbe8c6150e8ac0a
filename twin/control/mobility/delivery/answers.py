"""Answers to orders: taken with an expected time, or refused with a reason.

The expected time is a fluid estimate (Little's law): a depot with ``u`` working units, each bringing ``k`` orders in a
cycle of ``C`` seconds, empties a queue of ``q`` orders in ``q C / (u k)``. ``k`` is what fits by litres, at most
``MOST``; ``C`` = loading and unloading + twice the way there + ``k`` stops with hand-over and ``BETWEEN_S`` of
driving. An order then waits for the queue, is loaded, and comes in the middle of a tour. It is refused if that is
after closing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.control.mobility.delivery.orders import LOADING, NEW, REFUSED, WAITING
from twin.control.mobility.delivery.steps import Steps
from twin.control.mobility.delivery.tours import MARGIN, SPARE_S, closing_s, opening_s
from twin.control.mobility.delivery.units import Unit
from twin.domain.delivery import AnswerOrder

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MOST = 15  # orders of a tour (assumed)
BETWEEN_S = 120  # of driving between two stops (assumed)


class Answers:
    """Answers all new orders of a slot together; ``full``: state of charge to which units charge."""

    def __init__(self, steps: Steps, full: float) -> None:
        self._steps, self._book, self._full = steps, steps.book, full

    def give(self, rows: Ints, now_s: int) -> None:
        """Answer the orders of these rows."""
        b = self._book
        depots = self._steps.sites.depots
        opened = depots.open(now_s)
        waiting = b.among_open(WAITING, LOADING)
        per_depot = np.bincount(b.depot[waiting], minlength=len(depots.place))
        for depot in np.unique(b.depot[rows]).tolist():
            mine = rows[b.depot[rows] == depot]
            if not 0 <= depot < len(depots.place):
                for r in mine.tolist():
                    self.refuse(r, "the depot is unknown")
            elif not opened[depot]:
                for r in mine.tolist():
                    self.refuse(r, "the depot is closed")
            else:
                self._of_depot(mine, depot, int(per_depot[depot]), now_s)

    def refuse(self, row: int, reason: str) -> None:
        """Refuse an order."""
        self._book.set_state(row, REFUSED)
        number = int(self._book.number[row])
        self._steps.out.append(AnswerOrder(f"answer/{number}", number, accepted=False, promised_s=-1, reason=reason))

    def _of_depot(self, rows: Ints, depot: int, queue: int, now_s: int) -> None:
        b, steps = self._book, self._steps
        units = [u for u in steps.units.all if u.home == depot]
        if not units:
            for r in rows.tolist():
                self.refuse(r, "no vehicle is on duty")
            return
        for r in rows[b.wants_locker[rows] > 0].tolist():
            locker = steps.locker_for(r, now_s)
            if locker >= 0:
                steps.to_locker(r, locker)
        there_s, back_s, from_s, until_s, reach_m = self._ways(rows, depot, units, now_s)
        size = float(b.size[rows].mean())
        largest = max(u.capacity for u in units)
        k = min(max(int(largest / max(size, 1.0)), 1), MOST)
        stop_s = steps.tours.hand_s(1) + BETWEEN_S
        finite = there_s[np.isfinite(there_s)]
        cycle_s = 2 * steps.tours.load_s(k) + 2 * float(finite.mean() if finite.size else 0.0) + k * stop_s
        each_s = cycle_s / (max(sum(u.works for u in units), 1) * k)
        for i, r in enumerate(rows.tolist()):
            if b.size[r] > largest:
                self.refuse(r, f"too large: {int(b.size[r])} l; {largest} l fit")
            elif not np.isfinite(there_s[i] + back_s[i]):
                self.refuse(r, "outside the permitted area")
            elif reach_m[i] < 0:
                self.refuse(r, "too far for the battery")
            else:
                begin_s = max(now_s + steps.rules.plan_s, int(b.ready_s[r]), int(from_s[i]))
                expected = begin_s + queue * each_s + steps.tours.load_s(k) + there_s[i] + stop_s * (1 + (k - 1) / 2)
                soonest = begin_s + steps.tours.load_s(1) + there_s[i] + steps.tours.hand_s(1)
                if soonest + back_s[i] + SPARE_S > until_s[i] or expected > until_s[i]:
                    self.refuse(r, "cannot be there before closing")
                    continue
                queue += 1
                b.set_state(r, WAITING)
                number, promised = int(b.number[r]), int(-(-expected // 60) * 60)
                steps.out.append(AnswerOrder(f"answer/{number}", number, accepted=True, promised_s=promised, reason=""))
        steps.changed = True

    def _ways(self, rows: Ints, depot: int, units: list[Unit], now_s: int) -> tuple[Floats, Floats, Ints, Ints, Floats]:
        """Return, per order, the best over the groups: seconds there and back, hours, and Wh left above the reserve."""
        b, steps = self._book, self._steps
        depots, rules = steps.sites.depots, steps.rules
        root = int(depots.road[depot])
        n = rows.size
        there, back = np.full(n, np.inf), np.full(n, np.inf)
        from_s, until_s, reach = np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -1.0)
        opens, closes = opening_s(rules, now_s), closing_s(rules, now_s)
        known = b.to_road[rows] < steps.tours.licences.groups[0].streets.length_m.size
        roads = np.where(known & (b.to_road[rows] >= 0), b.to_road[rows], root)
        best: dict[int, Unit] = {}
        for u in units:
            g = int(steps.tours.licences.of[u.row])
            if g not in best or u.usable_wh > best[g].usable_wh:
                best[g] = u
        for g, unit in best.items():
            group = steps.tours.licences.groups[g]
            if group.from_s >= closes:
                continue
            streets = group.streets
            t, home = streets.times(np.asarray([root]), roads)[0], streets.times_to(root)[roads]
            metres = streets.distances(np.asarray([root]), roads)[0]
            ways = np.divide(t + home, t, out=np.full(n, 2.0), where=np.isfinite(t + home) & (t > 0))
            both_m = metres * ways
            tour_s = t + home + steps.tours.hand_s(1)
            need_wh = MARGIN * (unit.use_wh_m * both_m + unit.idle_w * tour_s / 3600.0)
            left = unit.usable_wh - (1.0 - self._full) * unit.battery_wh - need_wh
            shut = streets.shut()
            better = known & ~shut[roads] & ~shut[root] & (t + home < there + back)
            there, back = np.where(better, t, there), np.where(better, home, back)
            from_s = np.where(better, max(group.from_s, opens), from_s)
            until_s = np.where(better, min(group.until_s, closes), until_s)
            reach = np.where(better, left, reach)
        return there, back, from_s, until_s, reach


def new_rows(steps: Steps) -> Ints:
    """Return the rows of orders that are not answered."""
    return steps.book.among_open(NEW)
