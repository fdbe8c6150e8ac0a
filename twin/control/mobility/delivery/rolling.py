"""Routes on a rolling horizon: the multi-trip routing problem solved anew whenever something changed.

Every depot and permit group is a problem of its own (:mod:`twin.control.mobility.routing_parts`, PyVRP): the orders
most urgent, the units that are or soon will be at the depot, and what those on tour still carry. Orders are due by
their promised hour if that can be held, else as soon as may be; leaving one out costs ``PRICE`` seconds and more. Only
what the plan lets begin now is done; the rest is planned again with what is known then. A tour that is not full
waits as long as it can still hold its times (it may fill up: the waiting strategy of dynamic routing;
Mitrović-Minić and Laporte, 2004, *Transportation Research B* 38(7)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.control.mobility.delivery.ports import HANDING, IDLE, LOADING, TO_STOP, Assignment, Bools, Floats, Ints, View
from twin.control.mobility.routing_parts import LEAST, plan_parts
from twin.control.mobility.routing_tables import AT_DEPOT, Legs, Plan, Tasks, Vans

PRICE = 7_200.0  # seconds of a unit that an order left out costs (assumed); twice that when it is due
USE = 300.0  # seconds that using one more unit costs: fewer, fuller tours (assumed)
LOADED = 6  # orders a trip loads, for the time that takes (assumed)
NO_WAY_S = 1_000_000
EFFORT = 10_000  # iterations × rows of a decision; × 27 µs (see routing.budget) = 0.27 s


@dataclass
class _Problem:
    """What the last plan of a depot and group was for."""

    sign: bytes
    plan: Plan
    latest_s: dict[int, int]


@dataclass
class RollingRoutes:
    """PyVRP on a rolling horizon; its answer depends on what it was shown before only through warm starts.

    ``look_s``: units back, and orders ready, within this time take part. ``margin_s`` before the promised hour orders
    are planned to be there: time for a person who does not come at once, and for a second attempt (assumed).
    ``most_orders`` per problem (two per unit of a larger fleet) and ``iterations`` bound the time of a decision.
    ``full``: a tour of this share of the capacity sets out at once.
    """

    look_s: int = 900
    margin_s: int = 1_500
    full: float = 0.7
    most_orders: int = 240
    iterations: int = 150
    _last: dict[tuple[int, int], _Problem] = field(default_factory=dict, repr=False)

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return the trips of all units that take part."""
        out: list[Assignment] = []
        taken = np.zeros(view.order.size, dtype=bool)
        for depot, group in sorted({(int(h), int(g)) for h, g in zip(view.home, view.group, strict=True)}):
            if view.depot_open[depot]:
                out += self._team(view, depot, group, taken)
        return out

    def _team(self, view: View, depot: int, group: int, taken: Bools) -> list[Assignment]:
        team = int(((view.home == depot) & (view.group == group)).sum())
        most = max(self.most_orders, 2 * team)
        rows = self._orders(view, depot, group, taken, most)
        units = self._units(view, depot, group, rows.size)
        if rows.size == 0 or not np.isin(units, view.idle).any():
            return []  # nobody can set out: what those on tour do stays as it is
        units, carried = self._with_carried(view, units, most - rows.size)
        sign = self._sign(view, rows, units, carried, group)
        last = self._last.get((depot, group))
        if last is None or last.sign != sign:
            last = self._solve(view, depot, group, rows, units, carried, sign, last.plan if last else None)
            self._last[depot, group] = last
        taken[rows[np.isin(view.order[rows], last.plan.task_key)]] = True
        return self._trips(view, units, last)

    # -- who and what takes part ------------------------------------------------------------------------------

    def _orders(self, view: View, depot: int, group: int, taken: Bools, most: int) -> Ints:
        """Rows of the most urgent orders that lie at the depot, or soon will, and can be reached."""
        now_s = view.now_s
        rows = np.flatnonzero(
            (view.depot == depot) & (view.aboard < 0) & (view.ready_s <= now_s + self.look_s) & ~taken
        )
        if rows.size == 0:
            return rows
        time_s = view.travel[group].times(view.depot_road[depot : depot + 1], view.stop_road[view.stop[rows]])[0]
        rows = rows[np.isfinite(time_s)]
        urgent: Ints = np.sort(rows[np.argsort(view.due_s[rows], kind="stable")][:most])
        return urgent

    def _units(self, view: View, depot: int, group: int, orders: int) -> Ints:
        """Rows of the units that are at the depot, or back soon; the earliest first, not more than can be of use.

        Two orders each are reckoned with: who brings fewer is used only if nobody else can.
        """
        ready_s = np.where(view.doing == IDLE, view.free_s, view.back_s)
        rows = np.flatnonzero((view.home == depot) & (view.group == group) & (ready_s <= view.now_s + self.look_s))
        rows = rows[view.until_s[rows] > ready_s[rows]]
        first: Ints = rows[np.argsort(ready_s[rows], kind="stable")][: 4 + orders // 2]
        return first

    @staticmethod
    def _with_carried(view: View, units: Ints, room: int) -> tuple[Ints, Ints]:
        """Return the units, without those whose load is too much to be planned too, and the rows that they carry."""
        count = np.bincount(view.aboard[view.aboard >= 0], minlength=view.unit.size)[units]
        units = np.sort(units[np.cumsum(count) <= max(room, 0)])
        return units, np.flatnonzero(np.isin(view.aboard, units))

    @staticmethod
    def _sign(view: View, rows: Ints, units: Ints, carried: Ints, group: int) -> bytes:
        """Return what a plan depends on; the same sign, the same plan."""
        parts = (
            view.order[rows], view.stop[rows], view.due_s[rows], view.unit[units], view.doing[units],
            np.where(view.doing[units] == IDLE, 0, view.back_s[units] // 300), view.order[carried], view.stop[carried],
            view.range_m[units] // 500.0, np.asarray([view.travel[group].version, view.now_s // 1_800]),
        )  # fmt: skip
        return b"|".join(np.ascontiguousarray(p).tobytes() for p in parts)

    # -- the plan ---------------------------------------------------------------------------------------------

    def _solve(
        self, view: View, depot: int, group: int, rows: Ints, units: Ints, carried: Ints, sign: bytes, last: Plan | None
    ) -> _Problem:
        """Return the plan for the orders ``rows`` at the depot and the units with what they carry."""
        carried = carried[~self._at_next_stop(view, carried)]
        both = np.concatenate([rows, carried])
        stops, of_task = np.unique(view.stop[both], return_inverse=True)
        roads = np.concatenate([view.depot_road[depot][None], view.stop_road[stops], view.road[units]])
        there_s = view.travel[group].times(roads[:1], roads)[0][1 + of_task]
        latest, held = self._windows(view, both, rows.size, there_s, int(view.until_s[units].max(initial=view.now_s)))
        tasks = self._tasks(view, both, 1 + of_task.astype(np.int64), latest)
        aboard = np.full(both.size, AT_DEPOT, dtype=np.int64)
        aboard[rows.size :] = np.searchsorted(units, view.aboard[carried])
        on_tour = np.isin(np.arange(units.size), aboard)
        vans = self._vans(view, units, on_tour, 1 + stops.size)
        xy = np.empty((roads.size, 2))  # that of the depot for units: it matters only until they are there
        xy[:, 0], xy[:, 1] = view.depot_x_m[depot], view.depot_y_m[depot]
        xy[1 : 1 + stops.size] = np.column_stack([view.stop_x_m[stops], view.stop_y_m[stops]])
        legs = self._legs(view, depot, group, roads)
        rounds = min(self.iterations, max(EFFORT // (len(tasks) + len(vans)), LEAST))
        tasks = tasks.rows(np.arange(len(tasks)), aboard=aboard)
        plan = plan_parts(tasks, vans, legs, xy, iterations=rounds, warm_start=last)
        due = np.where(held, latest, view.now_s)  # what is late already waits for nothing
        return _Problem(sign, plan, dict(zip(tasks.key.tolist(), due.tolist(), strict=True)))

    def _windows(self, view: View, both: Ints, at_depot: int, there_s: Floats, closing: int) -> tuple[Ints, Bools]:
        """Return until when each order should be handed over, and whether that leaves the margin to the promised hour.

        What cannot be there with the margin is planned for the hour itself, and what cannot hold that for any time.
        """
        due = np.minimum(view.due_s[both], closing)
        first_s = view.now_s + view.load_s + view.load_order_s + np.nan_to_num(there_s, posinf=NO_WAY_S)
        at_rest = np.arange(both.size) < at_depot  # what is aboard is brought in any case
        held = (due - self.margin_s >= first_s + 60) & at_rest
        latest = np.where(held, due - self.margin_s, np.where((due >= first_s + 60) & at_rest, due, closing))
        return np.maximum(latest, view.now_s), held

    def _tasks(self, view: View, both: Ints, place: Ints, latest: Ints) -> Tasks:
        left = np.clip((view.due_s[both] - view.now_s) / 3600.0, 0.0, 1.0)
        _, first = np.unique(np.stack([view.stop[both], view.aboard[both]]), axis=1, return_index=True)
        service_s = np.full(both.size, view.hand_order_s)
        service_s[first] += view.hand_s  # a stop's time is counted with one of its orders
        return Tasks.of(
            place, key=view.order[both], demand=view.size[both], service_s=service_s, latest_s=latest,
            release_s=np.maximum(view.ready_s[both], view.now_s), prize=np.round(PRICE * (2.0 - left)),
        )  # fmt: skip

    def _vans(self, view: View, units: Ints, on_tour: Bools, first_start: int) -> Vans:
        ready_s = np.where(view.doing[units] == IDLE, view.free_s[units], view.back_s[units])
        from_s = np.maximum(np.where(on_tour, view.free_s[units], ready_s), view.now_s)
        inside = view.aboard >= 0
        litres = np.bincount(view.aboard[inside], weights=view.size[inside], minlength=view.unit.size)[units]
        return Vans.of(
            units.size, 0, key=view.unit[units], start=np.where(on_tour, first_start + np.arange(units.size), 0),
            from_s=from_s, until_s=np.maximum(view.until_s[units], from_s),
            capacity=np.maximum(view.capacity[units], litres.astype(np.int64)), max_trips=2 + on_tour,
            max_distance_m=view.range_m[units].astype(np.int64), cost_per_s=1.0, cost_per_m=0.0, fixed_cost=USE,
            reload_s=view.load_s + LOADED * view.load_order_s,
        )  # fmt: skip

    def _legs(self, view: View, depot: int, group: int, roads: Ints) -> Legs:
        travel, m_s = view.travel[group], self._speed(view, depot, group, roads)

        def legs(places: Ints) -> tuple[Ints, Ints]:
            """Return seconds and (by mean speed) metres between places; places on one road are next to each other."""
            time_s = np.minimum(np.nan_to_num(travel.times(roads[places], roads[places]), posinf=NO_WAY_S), NO_WAY_S)
            np.fill_diagonal(time_s, 0.0)
            return np.ceil(time_s).astype(np.int64), np.ceil(time_s * m_s).astype(np.int64)

        return legs

    @staticmethod
    def _at_next_stop(view: View, carried: Ints) -> Bools:
        """Return which carried orders are for the stop at, or before, which the unit is: they come first anyway."""
        unit, stop = view.aboard[carried], view.stop[carried]
        busy = np.isin(view.doing[unit], (TO_STOP, HANDING))
        near = np.abs(view.stop_pos_m[stop] - view.pos_m[unit]) < 20.0
        return np.asarray(busy & (view.stop_road[stop] == view.road[unit]) & near)

    @staticmethod
    def _speed(view: View, depot: int, group: int, roads: Ints) -> float:
        """Return the mean speed from the depot in m/s: it turns seconds into metres well enough for the range."""
        root, some = view.depot_road[depot][None], np.unique(roads)[:50]
        time_s, metres = view.travel[group].times(root, some)[0], view.travel[group].distances(root, some)[0]
        ok = np.isfinite(time_s) & (time_s > 1.0)
        return float(metres[ok].sum() / time_s[ok].sum()) if ok.any() else 5.0

    # -- what of it begins now ----------------------------------------------------------------------------------

    def _trips(self, view: View, units: Ints, problem: _Problem) -> list[Assignment]:
        """Return the trips in order; the first of an idle unit with the second at which it should begin."""
        plan, out = problem.plan, []
        row_of_order = {int(o): i for i, o in enumerate(view.order.tolist())}
        row_of_unit = {int(view.unit[u]): u for u in units.tolist()}
        if plan.van.size == 0:
            return []
        starts = np.flatnonzero(np.diff(plan.van * 1_000 + plan.trip, prepend=-1))
        for a, z in zip(starts.tolist(), [*starts[1:].tolist(), plan.van.size], strict=True):
            unit = row_of_unit.get(int(plan.van_key[a]))
            rows = [row_of_order[k] for k in plan.task_key[a:z].tolist() if k in row_of_order]
            if unit is None or not rows:
                continue
            carried = bool(view.aboard[rows[0]] >= 0)
            if carried:
                mine = np.flatnonzero(view.aboard == unit)
                first = mine[self._at_next_stop(view, mine)].tolist()
                rows = first + [r for r in rows if r not in first]
                if view.doing[unit] == LOADING:
                    continue
                out.append(view.assignment(unit, np.asarray(rows, dtype=np.int64)))
                continue
            stops = zip(plan.task_key[a:z].tolist(), plan.start_s[a:z].tolist(), strict=True)
            slack_s = min(problem.latest_s[key] - start_s for key, start_s in stops)
            load_s = self._load_s(plan, a)
            litres = int(view.size[rows].sum())
            begin_s = load_s if litres >= self.full * view.capacity[unit] else load_s + max(slack_s, 0)
            out.append(view.assignment(unit, np.asarray(rows, dtype=np.int64), begin_s))
        return out

    @staticmethod
    def _load_s(plan: Plan, stop: int) -> int:
        at = (plan.trip_van == plan.van[stop]) & (plan.trip_no == plan.trip[stop])
        return int(plan.load_s[at][0])
