"""From routes of rows to PyVRP's solutions, and from those to a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pyvrp import Activity, ActivityType, Route, Solution

from twin.control.mobility.routing_model import Model, empty_way
from twin.control.mobility.routing_tables import AT_DEPOT, Ints, Plan, Tasks, Vans

Routes = list[tuple[int, list[list[int]]]]
"""Per used vehicle its row and its trips, each a list of task rows."""


def as_solution(model: Model, routes: Routes) -> Solution:
    """Return the PyVRP solution with these routes, and all other tasks on the waiting list.

    Trips beyond what a vehicle may still do are left out; without a waiting list the search inserts what is missing.
    """
    kind_of = {v: k for k, rows in enumerate(model.rows) for v in rows}
    out, left = [], dict.fromkeys(range(model.data.num_clients))
    for v, trips in routes:
        k = kind_of.get(v)
        most = 0 if k is None else model.data.vehicle_type(k).max_trips
        if k is None or not any(trips[:most]):
            continue
        activities: list[Activity] = []
        for no, trip in enumerate(trips[:most]):
            if no:
                activities.append(Activity(ActivityType.DEPOT, model.reload[k]))
            activities += [Activity(ActivityType.CLIENT, i) for i in trip]
            for i in trip:
                del left[i]
        out.append(Route(model.data, activities, k))
    if model.waits:
        out += [Route(model.data, [Activity(ActivityType.CLIENT, i)], len(model.rows)) for i in left]
    return Solution(model.data, out)


def as_routes(model: Model, solution: Solution) -> Iterator[tuple[int, Route]]:
    """Yield the row of the vehicle and the PyVRP route of every vehicle used; vehicles alike in order of their row."""
    free = [iter(rows) for rows in model.rows]
    for route in solution.routes():
        if route.vehicle_type() < len(model.rows):
            yield next(free[route.vehicle_type()]), route


def as_lists(model: Model, solution: Solution) -> Routes:
    """Return the trips of each vehicle used."""
    routes: Routes = []
    for v, route in as_routes(model, solution):
        trips: list[list[int]] = [[] for _ in range(route.num_trips())]
        for stop in route.schedule():
            if stop.is_client():
                trips[stop.trip].append(stop.idx)
        routes.append((v, trips))
    return routes


def carried_first(tasks: Tasks, routes: Routes, everything: bool) -> Routes:
    """Return the routes with what is aboard a vehicle in its first trip, and nothing else in that.

    With ``everything``, what is aboard and in no route is added, in the order in which the windows end.
    """
    aboard = tasks.aboard.tolist()
    carried: dict[int, list[int]] = {}
    out: dict[int, list[list[int]]] = {}
    for v, trips in routes:
        carried[v] = [i for trip in trips for i in trip if aboard[i] == v]  # keeps the order it had
        out[v] = [free for trip in trips if (free := [i for i in trip if aboard[i] == AT_DEPOT])]
    straight_home = {v for v, trips in routes if v in aboard and not trips[0]}
    placed = {i for rows in carried.values() for i in rows}
    if everything:
        for i in np.argsort(tasks.latest_s, kind="stable").tolist():
            if aboard[i] != AT_DEPOT and i not in placed:
                carried.setdefault(aboard[i], []).append(i)
                out.setdefault(aboard[i], [])
    for v, trips in out.items():
        if carried[v] or v in straight_home:
            trips.insert(0, carried[v])
    return [(v, trips) for v, trips in out.items() if any(trips)]


def as_plan(
    tasks: Tasks,
    kept: Ints,
    vans: Vans,
    legs: tuple[Ints, Ints],
    depot: int,
    routes: Sequence[tuple[int, Route]],
) -> Plan:
    """Return the plan of these routes over the kept tasks; ``legs`` – travel times (s) and distances (m)."""
    home_s = legs[0][vans.start, depot]
    way_s, way_m = empty_way(vans, tasks.aboard[kept], *legs, depot)
    aboard = tasks.aboard[kept].tolist()
    stops: list[tuple[int, ...]] = []
    trips: list[list[int]] = []
    cost = 0.0
    for v, route in sorted(routes, key=lambda r: r[0]):
        cost += float(vans.fixed_cost[v] + vans.cost_per_m[v] * (route.distance() + way_m[v]))
        cost += float(vans.cost_per_s[v] * (route.duration() + way_s[v]))
        first = len(trips)
        for stop in route.schedule():
            if stop.is_depot():
                if stop.trip > 0:
                    trips[-1][4] = stop.start_time - stop.wait_duration
                if stop.trip < route.num_trips():
                    trips.append([v, stop.trip, stop.start_time, stop.end_time, 0])
            else:
                if v in aboard and stop.trip == 0 and aboard[stop.idx] == AT_DEPOT:  # its first arc led by the depot
                    trips[first][2] = route.start_time() + int(home_s[v])
                    trips[first][3] = trips[first][2] + int(vans.reload_s[v])
                stops.append((v, stop.trip, stop.idx, stop.start_time, stop.end_time))
    s = np.asarray(stops, np.int64).reshape(-1, 5)
    task = kept[s[:, 2]]
    t = np.asarray(trips, np.int64).reshape(-1, 5)
    left = np.setdiff1d(np.arange(len(tasks)), task)
    must = np.isinf(tasks.prize[left])
    return Plan(
        task=task, van=s[:, 0], trip=s[:, 1], start_s=s[:, 3], leave_s=s[:, 4],
        task_key=tasks.key[task], van_key=vans.key[s[:, 0]],
        trip_van=t[:, 0], trip_no=t[:, 1], load_s=t[:, 2], out_s=t[:, 3], back_s=t[:, 4],
        unserved=left, cost=cost, lost_prize=float(tasks.prize[left][~must].sum()), feasible=not must.any(),
    )  # fmt: skip
