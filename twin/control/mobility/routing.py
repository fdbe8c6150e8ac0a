"""The solver call of the delivery desk: which vehicle serves which tasks in which trips, and when.

A deterministic call of PyVRP (Wouda, Lan, Kool, 2024, *INFORMS Journal on Computing* 36(4)), version 0.14: iterated
local search that stops after a number of iterations and never by a clock, with a fixed seed. Same columns in, same
plan out. How the problem is expressed is in ``routing_model``; large problems are solved in parts by
``routing_parts``; ``routing_check`` holds an independent check of a plan.
"""

from __future__ import annotations

import warnings
from typing import Protocol

import numpy as np
from pyvrp import (
    IteratedLocalSearch,
    PenaltyManager,
    PenaltyParams,
    RandomNumberGenerator,
    Solution,
    SolveParams,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import LocalSearch, PerturbationManager, compute_neighbours
from pyvrp.stop import MaxIterations

from twin.control.mobility.routing_check import check_input
from twin.control.mobility.routing_model import Model, encode
from twin.control.mobility.routing_plan import Routes, as_lists, as_plan, as_routes, as_solution, carried_first
from twin.control.mobility.routing_tables import AT_DEPOT, NO_LIMIT, Ints, Plan, Tasks, Vans

__all__ = ["AT_DEPOT", "NO_LIMIT", "Plan", "Tasks", "Vans", "budget", "plan_routes"]

BUDGET = 20_000  # iterations × rows; × 27 µs = 0.54 s


class Stop(Protocol):
    """Ends a search; asked before each iteration."""

    def __call__(self, best_cost: int) -> bool:
        """Return whether to end, given the cost of the best routes so far in the solver's money."""
        ...


def plan_routes(
    tasks: Tasks,
    vans: Vans,
    time_s: Ints,
    distance_m: Ints,
    *,
    depot: int = 0,
    iterations: int | None = None,
    seed: int = 0,
    warm_start: Plan | None = None,
    stop: Stop | None = None,
    strict: bool = True,
) -> Plan:
    """Return a plan; its routes hold every bound, and it says what is left out.

    ``time_s``, ``distance_m`` – (p, p) whole numbers ≥ 0 from place to place, the diagonal 0; they need not be
    symmetric. ``depot`` – the place where loads are. ``iterations`` – of the search; by default ``budget``. Within
    it a plan that starts from ``warm_start`` (the plan of the moment before, tied by the keys of tasks and
    vehicles) is never worse than that plan, if that can still be driven. ``stop`` – another end of the search
    instead of ``iterations``, for benchmarks: a clock here makes the plan depend on the machine.

    Raises ``ValueError`` for bad columns, and if ``strict`` when a task that must be served cannot be by any vehicle
    alone. When the tasks that must be served cannot be *together* (or the search does not find how), the plan leaves
    some out and is not ``feasible``.
    """
    kept = np.flatnonzero(check_input(tasks, vans, time_s, distance_m, depot, strict))
    if iterations is not None and iterations < 0:
        raise ValueError(f"iterations must be 0 or more, not {iterations}")
    some = tasks.rows(kept)
    rounds = budget(len(some), len(vans)) if iterations is None else iterations
    if len(some) == 0:
        return as_plan(tasks, kept, vans, (time_s, distance_m), depot, [])
    may_wait = bool(np.isfinite(some.prize).any())
    model = encode(some, vans, time_s, distance_m, depot, may_wait)
    best = _search(model, some, vans, stop or MaxIterations(rounds), seed, warm_start)
    if not best.is_feasible() and not may_wait:
        model = encode(some, vans, time_s, distance_m, depot, may_wait=True)
        best = _search(model, some, vans, MaxIterations(rounds), seed, warm_start)
    return as_plan(
        tasks, kept, vans, (time_s, distance_m), depot, [(v, r) for v, r in as_routes(model, best) if r.is_feasible()]
    )


def budget(tasks: int, vans: int) -> int:
    """Return the iterations with which one call takes well under 1 s: ``BUDGET`` ÷ rows, between 20 and 1,000.

    An iteration costs about 6 µs per row (task or vehicle) with many vehicles and up to 27 µs with long routes.
    Measured on one of two shared cores, orders with an hour's promise and with half a day, a third of the vehicles
    under way, all with different ranges and starts; median (worst) of five problems:

    ======  =========  ===========  ===========
    tasks   vehicles   iterations   wall, s
    ======  =========  ===========  ===========
    20      12         625          0.25 (0.29)
    60      12         277          0.42 (0.56)
    120     12         151          0.26 (0.33)
    60      40         200          0.20 (0.21)
    200     40         83           0.24 (0.26)
    100     150        80           0.20 (0.21)
    300     150        44           0.23 (0.27)
    ======  =========  ===========  ===========
    """
    return min(max(BUDGET // max(tasks + vans, 1), 20), 1000)


def _search(model: Model, tasks: Tasks, vans: Vans, stop: Stop, seed: int, last: Plan | None) -> Solution:
    """Return the best solution found: ``pyvrp.solve`` with its defaults, but other starts, penalties and nearness."""
    params = SolveParams()
    # Beside the default, no prize may be worth a bound: one unit over must cost more than any task left out.
    penalty = PenaltyParams(max_penalty=max(params.penalty.max_penalty, 4.0 * model.top_price))
    rng = RandomNumberGenerator(seed=seed)
    near = compute_neighbours(model.near, params.neighbourhood)
    local = LocalSearch(model.data, rng, near, PerturbationManager(params.perturbation))
    for operator in params.operators:
        if operator.supports(model.data):
            local.add_operator(operator(model.data))
    penalties = PenaltyManager(penalty.midpoint_penalties(model.data), penalty)
    starts = [] if last is None else [carried_first(tasks, _of_last(last, tasks, vans), everything=not model.waits)]
    if last is None and model.data is not model.near:
        # With a waiting list, from nobody on it and from many on it: small and overloaded problems differ in
        # which is better.
        random = [Solution.make_random(d, rng) for d in (model.data, model.near) if model.rows]
        starts = [carried_first(tasks, as_lists(model, r), everything=True) for r in random]
    first = [as_solution(model, r) for r in starts] or [Solution.make_random(model.data, rng)]
    strict = penalties.max_cost_evaluator()
    best = min((local(f, strict, exhaustive=True) for f in first), key=strict.penalised_cost)
    with warnings.catch_warnings():
        # It says that no feasible routes are found; the plan says so itself, and a waiting list is tried then.
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        return IteratedLocalSearch(model.data, penalties, local, best, params.ils).run(stop, False, False).best


def _of_last(last: Plan, tasks: Tasks, vans: Vans) -> Routes:
    """Return the trips of the last plan in the rows of today."""
    task_row = {k: i for i, k in enumerate(tasks.key.tolist())}
    van_row = {k: v for v, k in enumerate(vans.key.tolist())}
    trips: dict[int, dict[int, list[int]]] = {}
    for task, van, trip in zip(last.task_key.tolist(), last.van_key.tolist(), last.trip.tolist(), strict=True):
        i, v = task_row.get(task), van_row.get(van)
        if i is not None and v is not None:
            trips.setdefault(v, {}).setdefault(trip, []).append(i)
    return [(v, [[]] * (min(of) > 0) + list(of.values())) for v, of in trips.items()]
