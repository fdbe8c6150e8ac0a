"""From the policy's answer to steps: what it may say, what of it can be done, and when units set out."""

from __future__ import annotations

from collections.abc import Sequence

from twin.control.mobility.delivery.orders import WAITING
from twin.control.mobility.delivery.ports import DOING, IDLE, Assignment, Policy, View
from twin.control.mobility.delivery.steps import Steps
from twin.control.mobility.delivery.units import Unit
from twin.control.mobility.delivery.view import build


class Assigning:
    """Asks the policy when there is reason to, and lets units set out. ``full``: state of charge of a full unit."""

    def __init__(self, steps: Steps, policy: Policy, full: float) -> None:
        self._steps, self._policy, self._full = steps, policy, full

    def plan(self, now_s: int) -> None:
        """Ask the policy, if there is reason to, and note what it says."""
        steps = self._steps
        if not steps.changed and not steps.book.among_open(WAITING).size:
            return
        view = build(steps, now_s)
        if view.order.size == 0 or view.unit.size == 0:
            return
        steps.changed = False
        self.apply(view, self._policy.assign(view))

    def apply(self, view: View, answer: Sequence[Assignment]) -> None:
        """Note the first trip of each unit; raise ValueError for what is not allowed."""
        steps, named, first = self._steps, set[int](), set[int]()
        for unit in steps.units.all:
            unit.planned = []
        for a in answer:
            unit, rows = self._check(view, a, named)
            if unit.number in first or not rows:
                continue  # a later trip is a forecast
            first.add(unit.number)
            if unit.doing == IDLE:
                unit.planned, unit.start_s = rows, a.start_s
            elif rows[0] in unit.carried:
                steps.redirect(unit, rows, view.now_s)

    def _check(self, view: View, a: Assignment, named: set[int]) -> tuple[Unit, list[int]]:
        b, now_s = self._steps.book, view.now_s
        unit = self._steps.units.find(a.unit)
        if unit is None or not unit.works:
            known = ", ".join(str(u) for u in view.unit[:5].tolist())
            raise ValueError(f"unit {a.unit} was assigned orders at {now_s} s, but it does not work; {known} … do")
        rows = []
        for order in a.orders:
            row = b.row(order)
            if row is None:
                raise ValueError(f"unit {a.unit} was assigned order {order} at {now_s} s, which was never placed")
            if row in named:
                raise ValueError(f"order {order} was assigned twice at {now_s} s, the second time to unit {a.unit}")
            named.add(row)
            rows.append(row)
        aboard = [r in unit.carried or r in unit.asked for r in rows]
        if any(aboard) and not all(aboard):
            raise ValueError(
                f"unit {a.unit} ({DOING[unit.doing]}) was assigned order {a.orders[aboard.index(False)]} at {now_s} s"
                " together with orders it carries; it can take it only on its next trip"
            )
        if not any(aboard):
            for r in rows:
                if b.state[r] != WAITING or b.depot[r] != unit.home:
                    where = "is at another depot" if b.state[r] == WAITING else "does not lie at a depot"
                    raise ValueError(f"unit {a.unit} was assigned order {b.number[r]} at {now_s} s, which {where}")
        return unit, rows

    def set_out(self, now_s: int) -> None:
        """Let idle units load what is planned for now, as much of it as they can bring and be back."""
        steps = self._steps
        opened = steps.sites.depots.open(now_s)
        for unit in steps.units.all:
            if not unit.planned or unit.start_s > now_s or unit.doing != IDLE or not unit.works:
                continue
            group = steps.tours.group(unit)
            if not opened[unit.home] or unit.rest_until_s > now_s or not group.may_drive(now_s):
                continue
            if group.streets.shut()[unit.road]:
                continue  # it stands where it must not drive
            rows, unit.planned = self._that_can_be(unit, self._that_fit(unit, unit.planned, now_s), now_s), []
            if rows:
                steps.load(unit, rows, now_s)

    def _that_can_be(self, unit: Unit, rows: list[int], now_s: int) -> list[int]:
        """Return the rows that a unit can bring and be back; stops out of its reach do not keep it from the others.

        A unit that is not full charges first. What is out of reach of the strongest unit when full is given up.
        """
        steps = self._steps
        while rows:
            begin_s = now_s + steps.tours.load_s(len(rows))
            fits, short, _ = steps.tours.feasible_rows(unit, rows, unit.road, unit.pos_m, begin_s)
            if fits:
                return fits
            if short and unit.charge_at(now_s) < self._full - 0.03:
                unit.short = True
                return []
            stop = steps.tours.stops(rows)[0]
            if short and steps.tours.feasible_rows(unit, stop, unit.road, unit.pos_m, begin_s)[1]:
                self._out_of_reach(unit, stop)
            rows = [r for r in rows if r not in stop]
        return []

    def _out_of_reach(self, unit: Unit, stop: list[int]) -> None:
        """Give orders up that no unit of the depot could bring."""
        others = (u for u in self._steps.units.all if u.home == unit.home)
        if all(u.usable_wh <= unit.usable_wh for u in others):
            for r in stop:
                self._steps.give_up(r, "too far for the battery")

    def _that_fit(self, unit: Unit, rows: Sequence[int], now_s: int) -> list[int]:
        """Return the first rows that are ready and fit in by litres."""
        b, room, out = self._steps.book, unit.capacity, []
        for r in rows:
            if b.state[r] != WAITING or b.ready_s[r] > now_s:
                continue
            room -= int(b.size[r])
            if room < 0:
                break
            out.append(r)
        return out
