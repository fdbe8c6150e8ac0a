"""A large routing problem in parts: cost per decision that grows like n log n with the tasks and vehicles.

Tasks at the depot are split into parts of about ``PART`` by halving the area at the median, across its longer side,
again and again (k-d tree; Bentley, 1975, *Communications of the ACM* 18(9)): n log n. Vehicles are dealt out to the
parts in the order in which they can be at the depot, so that each part gets its share of the early ones; where a
vehicle is now matters only until it is at the depot. A vehicle goes to the part that holds most of what it was to do
in the last plan, as long as that part's share is not used up. What it carries comes with it. Each part is
a problem of bounded size for ``plan_routes``; what is left out in the end is offered to the vehicles left over.

Measured on one of two shared cores, median of three problems (an hour's promise, a third of the vehicles under way):

======  =========  ========  ====================  ============================
tasks   vehicles   wall, s   wall ÷ n log₂ n, µs   cost against one single call
======  =========  ========  ====================  ============================
150     45         0.29      266                   −3.4 %
500     150        0.4–0.8   85                    −4.6 %
1,500   450        0.86      54
5,000   1,500      3.6       58
======  =========  ========  ====================  ============================

Up to about 1,000 rows the iterations are shared out, so the wall time hardly grows; beyond, each part has ``LEAST``
iterations and the wall time grows like n. Within the same time parts are also better than one call.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from twin.control.mobility.routing import BUDGET, plan_routes
from twin.control.mobility.routing_tables import AT_DEPOT, Floats, Ints, Legs, Plan, Tasks, Vans

PART = 60  # tasks; assumed, see the table
LEAST = 20  # iterations of a part
SPEED_M_S = 4.0  # assumed (15 km/h); only the order in which vehicles reach the depot depends on it
TRIPS = ("trip_van", "trip_no", "load_s", "out_s", "back_s")


def legs_of(time_s: Ints, distance_m: Ints) -> Legs:
    """Return legs that are cut out of full matrices."""
    return lambda rows: (time_s[np.ix_(rows, rows)], distance_m[np.ix_(rows, rows)])


def split(xy_m: Floats, parts: int) -> Ints:
    """Return the part, 0 to ``parts`` − 1, of each point (n, 2); parts differ by one point at most per level."""
    out = np.zeros(len(xy_m), np.int64)
    open_parts = [(np.arange(len(xy_m)), 0, parts)]
    while open_parts:
        rows, first, count = open_parts.pop()
        if count == 1 or len(rows) == 0:
            out[rows] = first
            continue
        here = xy_m[rows]
        axis = int(np.argmax(np.ptp(here, axis=0)))
        order = rows[np.argsort(here[:, axis], kind="stable")]
        half = count // 2
        cut = len(rows) * half // count
        open_parts += [(order[:cut], first, half), (order[cut:], first + half, count - half)]
    return out


def deal(ready_s: Floats, wish: Ints, parts: int) -> Ints:
    """Return the part of each vehicle, (v,): its wish (−1: none) while that part's share lasts, else turn by turn.

    Vehicles are taken in the order in which they are ready; each part gets ⌊v ÷ parts⌋ or ⌈v ÷ parts⌉.
    """
    v = len(ready_s)
    share = np.full(parts, v // parts)
    share[: v % parts] += 1
    out = np.full(v, -1, np.int64)
    order = np.argsort(ready_s, kind="stable").tolist()
    for i in order:
        w = int(wish[i])
        if w >= 0 and share[w] > 0:
            out[i] = w
            share[w] -= 1
    turns = np.repeat(np.arange(parts), share)
    place = np.concatenate([np.arange(n) for n in share]) if v else turns
    turns = turns[np.lexsort((turns, place))]  # one each, then a second one each, …
    out[[i for i in order if out[i] < 0]] = turns
    return out


def plan_parts(
    tasks: Tasks,
    vans: Vans,
    legs: Legs,
    xy_m: Floats,
    *,
    depot: int = 0,
    part: int = PART,
    iterations: int | None = None,
    seed: int = 0,
    warm_start: Plan | None = None,
) -> Plan:
    """Return a plan as ``plan_routes`` does, in parts of about ``part`` tasks.

    ``legs`` – travel times and distances between any rows of places; it is asked for each part only. ``xy_m`` –
    (p, 2) where the places are. ``iterations`` – of each part; by default so many that all parts together take as
    long as one call of ``plan_routes``, but at least ``LEAST``.
    """
    carried = tasks.aboard != AT_DEPOT
    free = np.flatnonzero(~carried)
    parts = max(1, min(-(-len(free) // part), len(vans)))
    if iterations is None and parts > 1:
        iterations = max(BUDGET // (len(tasks) + len(vans)), LEAST)
    of_task = np.full(len(tasks), -1, np.int64)
    of_task[free] = split(xy_m[tasks.place[free]], parts)
    away_m = np.hypot(*(xy_m[vans.start] - xy_m[depot]).T)
    of_van = deal(vans.from_s + away_m / SPEED_M_S, _wishes(tasks, vans, of_task, warm_start, parts), parts)
    of_task[carried] = of_van[tasks.aboard[carried]]
    plans: list[Plan] = []

    def solve(task_rows: Ints, van_rows: Ints) -> Plan:
        """Solve one part; the answer is in rows of the whole."""
        plan = _solve(tasks, vans, task_rows, van_rows, legs, depot, iterations, seed, warm_start, parts == 1)
        plans.append(plan)
        return plan

    for p in range(parts):
        solve(np.flatnonzero(of_task == p), np.flatnonzero(of_van == p))
    left = np.concatenate([p.unserved for p in plans])
    left = left[~carried[left]]
    idle = np.setdiff1d(np.arange(len(vans)), np.concatenate([tasks.aboard, *(p.trip_van for p in plans)]))
    if parts > 1 and len(left) and len(idle):
        order = np.lexsort((left, tasks.latest_s[left], -tasks.prize[left]))
        taken = np.sort(left[order[: 2 * part]])
        plans = [replace(p, unserved=np.setdiff1d(p.unserved, taken)) for p in plans]
        solve(taken, idle[: 2 * part])
    return _joined(plans, tasks)


def _wishes(tasks: Tasks, vans: Vans, of_task: Ints, last: Plan | None, parts: int) -> Ints:
    """Return the part that holds most of what each vehicle was to do in the last plan, −1 for none; (v,)."""
    out = np.full(len(vans), -1, np.int64)
    if last is None or parts == 1 or len(vans) == 0 or len(tasks) == 0:
        return out
    van, van_there = _row_of(vans.key, last.van_key)
    task, task_there = _row_of(tasks.key, last.task_key)
    known = van_there & task_there & (of_task[task] >= 0)
    count = np.zeros((len(vans), parts), np.int64)
    np.add.at(count, (van[known], of_task[task[known]]), 1)
    some = count.any(axis=1)
    out[some] = count[some].argmax(axis=1)
    return out


def _row_of(keys: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    order = np.argsort(keys)
    row = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
    return row, keys[row] == wanted


def _solve(
    tasks: Tasks,
    vans: Vans,
    task_rows: Ints,
    van_rows: Ints,
    legs: Legs,
    depot: int,
    iterations: int | None,
    seed: int,
    warm_start: Plan | None,
    strict: bool,
) -> Plan:
    some, few = tasks.rows(task_rows), vans.rows(van_rows)
    places = np.unique(np.concatenate(([depot], some.place, few.start, few.end)))
    own = np.where(some.aboard == AT_DEPOT, AT_DEPOT, np.searchsorted(van_rows, some.aboard))
    time_s, distance_m = legs(places)
    plan = plan_routes(
        some.rows(np.arange(len(some)), place=np.searchsorted(places, some.place), aboard=own),
        few.rows(np.arange(len(few)), start=np.searchsorted(places, few.start), end=np.searchsorted(places, few.end)),
        time_s,
        distance_m,
        depot=int(np.searchsorted(places, depot)),
        iterations=iterations,
        seed=seed,
        warm_start=warm_start,
        strict=strict,
    )
    return replace(
        plan,
        task=task_rows[plan.task],
        van=van_rows[plan.van],
        trip_van=van_rows[plan.trip_van],
        unserved=task_rows[plan.unserved],
    )


def _joined(plans: list[Plan], tasks: Tasks) -> Plan:
    """Return one plan of plans that share no vehicle; rows are of the whole."""
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in plans]) for f in fields(Plan)[:-3]}
    by_stop, by_trip = np.argsort(columns["van"], kind="stable"), np.argsort(columns["trip_van"], kind="stable")
    for name in columns:
        if name != "unserved":
            columns[name] = columns[name][by_trip if name in TRIPS else by_stop]
    left = np.sort(columns.pop("unserved"))
    must = np.isinf(tasks.prize[left])
    lost = float(tasks.prize[left][~must].sum())
    return Plan(**columns, unserved=left, cost=sum(p.cost for p in plans), lost_prize=lost, feasible=not must.any())
