"""Checks of a routing problem before it is solved, and of a plan, in plain Python without the solver.

``check_plan`` shares no code with the solver call: it follows each vehicle's trips leg by leg.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.control.mobility.routing_tables import AT_DEPOT, NO_LIMIT, Ints, Plan, Tasks, Vans

MAX_TIME_S = MAX_DISTANCE_M = 1 << 31  # beyond: a mistake, and sums near the solver's 2^44


def check_input(
    tasks: Tasks, vans: Vans, time_s: Ints, distance_m: Ints, depot: int, strict: bool = True
) -> NDArray[np.bool_]:
    """Return which tasks some vehicle could serve if it did nothing else, (n,).

    Raises ``ValueError`` with one sentence that names the first task or vehicle that cannot be right, and if
    ``strict`` when a task that must be served is not among them.
    """
    places = _check_matrices(time_s, distance_m)
    if not 0 <= depot < places:
        raise ValueError(f"the depot is place {depot}, but the travel matrices have places 0 to {places - 1}")
    _unique(tasks.key, "task")
    _unique(vans.key, "vehicle")
    for name, low, high in (
        ("place", 0, places - 1), ("demand", 0, NO_LIMIT), ("service_s", 0, MAX_TIME_S), ("earliest_s", 0, NO_LIMIT),
        ("latest_s", 0, NO_LIMIT), ("release_s", 0, NO_LIMIT), ("aboard", AT_DEPOT, len(vans) - 1),
    ):  # fmt: skip
        _within(getattr(tasks, name), tasks.key, "task", name, low, high)
    for name, low, high in (
        ("start", 0, places - 1), ("end", 0, places - 1), ("from_s", 0, NO_LIMIT), ("until_s", 0, NO_LIMIT),
        ("capacity", 0, NO_LIMIT), ("max_trips", 0, NO_LIMIT), ("max_distance_m", 0, NO_LIMIT),
        ("reload_s", 0, MAX_TIME_S),
    ):  # fmt: skip
        _within(getattr(vans, name), vans.key, "vehicle", name, low, high)
    for i in np.flatnonzero(~(tasks.prize >= 0)):
        raise ValueError(f"task {tasks.key[i]}: prize is {tasks.prize[i]}, allowed is 0 or more")
    for name in ("fixed_cost", "cost_per_s", "cost_per_m"):
        column = getattr(vans, name)
        for v in np.flatnonzero(~((column >= 0) & np.isfinite(column))):
            raise ValueError(f"vehicle {vans.key[v]}: {name} is {column[v]}, allowed is 0 or more and finite")
    for i in np.flatnonzero(tasks.earliest_s > tasks.latest_s):
        raise ValueError(
            f"task {tasks.key[i]}: its window ends at {tasks.latest_s[i]} s before it begins at {tasks.earliest_s[i]} s"
        )
    for v in np.flatnonzero(vans.from_s > vans.until_s):
        raise ValueError(
            f"vehicle {vans.key[v]}: must be back at {vans.until_s[v]} s, before it can start at {vans.from_s[v]} s"
        )
    _check_carried(tasks, vans)
    must = np.isinf(tasks.prize) & strict
    return _servable(tasks, vans, time_s, distance_m, depot, must)


def _check_matrices(time_s: Ints, distance_m: Ints) -> int:
    for name, matrix in (("time_s", time_s), ("distance_m", distance_m)):
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in "iu":
            raise ValueError(f"{name} must be a square matrix of whole numbers, not {matrix.dtype} {matrix.shape}")
        if matrix.size and (matrix.min() < 0 or matrix.max() > MAX_TIME_S):
            raise ValueError(f"{name} holds {matrix.min()} to {matrix.max()}, allowed is 0 to {MAX_TIME_S}")
        if np.diagonal(matrix).any():
            raise ValueError(f"{name} from place {int(np.flatnonzero(np.diagonal(matrix))[0])} to itself is not 0")
    if time_s.shape != distance_m.shape:
        raise ValueError(f"time_s has {len(time_s)} places, but distance_m has {len(distance_m)}")
    return len(time_s)


def _unique(key: Ints, noun: str) -> None:
    values, count = np.unique(key, return_counts=True)
    for value in values[count > 1]:
        raise ValueError(f"{noun} {value} is there {count[values == value][0]} times; keys must be unique")


def _within(column: Ints, key: Ints, noun: str, name: str, low: int, high: int) -> None:
    for i in np.flatnonzero((column < low) | (column > high)):
        allowed = f"{low} or more" if high == NO_LIMIT else f"{low} to {high}"
        raise ValueError(f"{noun} {key[i]}: {name} is {column[i]}, allowed is {allowed}")


def _check_carried(tasks: Tasks, vans: Vans) -> None:
    carried = tasks.aboard != AT_DEPOT
    load = np.zeros(len(vans), np.int64)
    np.add.at(load, tasks.aboard[carried], tasks.demand[carried])
    for v in np.flatnonzero(load > vans.capacity):
        raise ValueError(f"vehicle {vans.key[v]}: carries {load[v]} units, but its capacity is {vans.capacity[v]}")


def _servable(
    tasks: Tasks, vans: Vans, time_s: Ints, distance_m: Ints, depot: int, must: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    p, own, rows = tasks.place[:, None], tasks.aboard[:, None], np.arange(len(vans))
    carried = own != AT_DEPOT
    busy = np.isin(rows, tasks.aboard) & (vans.max_trips == 1)  # no trip left beside the present one
    can = np.where(carried, own == rows, ~busy) & (vans.max_trips > 0)
    can &= vans.capacity >= tasks.demand[:, None]
    _need(can, must, tasks, "is too large for every vehicle that could take it")
    way_s, way_m = time_s[vans.start, depot], distance_m[vans.start, depot]
    load_s = np.maximum(_plus(vans.from_s, way_s), tasks.release_s[:, None])
    at_s = np.where(carried, _plus(vans.from_s, time_s[vans.start, p]), _plus(load_s, vans.reload_s + time_s[depot, p]))
    can &= at_s <= tasks.latest_s[:, None]
    _need(can, must, tasks, "cannot be reached by any vehicle before its window ends")
    begin_s = np.maximum(at_s, tasks.earliest_s[:, None])
    can &= _plus(begin_s, tasks.service_s[:, None] + time_s[p, vans.end]) <= vans.until_s
    _need(can, must, tasks, "leaves no vehicle the time to be back at the end of its shift")
    out_m = np.where(carried, distance_m[vans.start, p], way_m + distance_m[depot, p])
    can &= out_m + distance_m[p, vans.end] <= vans.max_distance_m
    _need(can, must, tasks, "is beyond the range of every vehicle that could take it in time")
    return np.asarray(can.any(axis=1))


def _plus(a: Ints, b: Ints) -> Ints:
    """Add without wrapping round at ``NO_LIMIT``."""
    return np.minimum(a, NO_LIMIT - b) + b


def _need(can: NDArray[np.bool_], must: NDArray[np.bool_], tasks: Tasks, why: str) -> None:
    for i in np.flatnonzero(must & ~can.any(axis=1)):
        raise ValueError(f"task {tasks.key[i]} must be served, but {why}")


def check_plan(plan: Plan, tasks: Tasks, vans: Vans, time_s: Ints, distance_m: Ints, depot: int = 0) -> list[str]:
    """Return one sentence per broken bound or wrong figure of a plan; none when it holds."""
    wrong: list[str] = []
    served = plan.task.tolist()
    if sorted(served + plan.unserved.tolist()) != list(range(len(tasks))):
        wrong.append("tasks are served twice, or neither served nor left out")
    must = any(np.isinf(tasks.prize[i]) for i in plan.unserved.tolist())
    if plan.feasible == must:
        wrong.append(f"the plan says feasible = {plan.feasible}, but a task that must be served is left out: {must}")
    lost = sum(float(tasks.prize[i]) for i in plan.unserved.tolist() if np.isfinite(tasks.prize[i]))
    cost = 0.0
    for v in sorted(set(plan.trip_van.tolist())):
        cost += _follow(v, plan, tasks, vans, time_s, distance_m, depot, wrong)
    if set(plan.van.tolist()) - set(plan.trip_van.tolist()):
        wrong.append("a vehicle serves tasks outside any trip")
    for name, said, found in (("cost", plan.cost, cost), ("lost_prize", plan.lost_prize, lost)):
        if abs(said - found) > 1e-6 * max(1.0, abs(found)):
            wrong.append(f"{name} is given as {said}, but is {found}")
    return wrong


class _Way:
    """One vehicle on its way through a plan: where and when it is, how far it came, and what was wrong."""

    def __init__(self, v: int, tasks: Tasks, vans: Vans, time_s: Ints, distance_m: Ints) -> None:
        self.v, self.tasks, self.vans, self.time_s, self.distance_m = v, tasks, vans, time_s, distance_m
        self.here, self.now_s, self.metres = int(vans.start[v]), int(vans.from_s[v]), 0
        self.wrong: list[str] = []

    def need(self, holds: bool, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(f"vehicle {self.vans.key[self.v]}: {what}")

    def drive(self, to: int) -> None:
        """Go on to a place at once."""
        self.metres += int(self.distance_m[self.here, to])
        self.now_s += int(self.time_s[self.here, to])
        self.here = to

    def serve(self, i: int, start_s: int, leave_s: int) -> None:
        """Serve a task at the planned time."""
        task, t = f"task {self.tasks.key[i]}", self.tasks
        self.drive(int(t.place[i]))
        self.need(start_s >= self.now_s, f"{task} cannot be reached at {start_s} s, only at {self.now_s} s")
        self.need(bool(t.earliest_s[i] <= start_s <= t.latest_s[i]), f"{task} at {start_s} s is outside its window")
        self.need(bool(leave_s >= start_s + t.service_s[i]), f"{task} is left at {leave_s} s, its service not ended")
        self.now_s = leave_s


def _follow(
    v: int, plan: Plan, tasks: Tasks, vans: Vans, time_s: Ints, distance_m: Ints, depot: int, wrong: list[str]
) -> float:
    """Follow one vehicle through its trips, add what is wrong, and return its cost."""
    way = _Way(v, tasks, vans, time_s, distance_m)
    under_way = v in tasks.aboard.tolist()
    trips = np.flatnonzero(plan.trip_van == v).tolist()
    way.need(plan.trip_no[trips].tolist() == list(range(len(trips))), "its trips are not numbered in order")
    way.need(len(trips) <= vans.max_trips[v], f"{len(trips)} trips, allowed are {vans.max_trips[v]}")
    begin_s = 0
    for no, row in enumerate(trips):
        load_s, out_s, back_s = int(plan.load_s[row]), int(plan.out_s[row]), int(plan.back_s[row])
        stops = np.flatnonzero((plan.van == v) & (plan.trip == no)).tolist()
        rows = plan.task[stops]
        carrying = under_way and no == 0 and bool((tasks.aboard[rows] == v).all())
        if not carrying:
            way.drive(depot)
        if no == 0:
            begin_s = load_s - (way.now_s - int(vans.from_s[v]))
        free_s = load_s + (0 if carrying else int(vans.reload_s[v]))
        way.need(
            load_s >= way.now_s and out_s >= free_s, f"trip {no} loads at {load_s} s, leaves at {out_s} s: too early"
        )
        way.need(bool(tasks.demand[rows].sum() <= vans.capacity[v]), f"trip {no} is overloaded")
        way.need(bool((tasks.aboard[rows] == (v if carrying else AT_DEPOT)).all()), f"trip {no}: not what is aboard")
        if not carrying:
            way.need(bool((tasks.release_s[rows] <= load_s).all()), f"trip {no} loads what is not released")
        way.now_s = out_s
        for k in stops:
            way.serve(int(plan.task[k]), int(plan.start_s[k]), int(plan.leave_s[k]))
        way.drive(int(vans.end[v]) if row == trips[-1] else depot)
        way.need(back_s >= way.now_s, f"cannot be back from trip {no} at {back_s} s")
        way.now_s = back_s
    way.need(way.now_s <= vans.until_s[v], f"back at {way.now_s} s, after {vans.until_s[v]} s")
    way.need(way.metres <= vans.max_distance_m[v], f"{way.metres} m, allowed are {vans.max_distance_m[v]} m")
    wrong += way.wrong
    return float(vans.fixed_cost[v] + vans.cost_per_m[v] * way.metres + vans.cost_per_s[v] * (way.now_s - begin_s))
