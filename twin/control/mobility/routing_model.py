"""The columns of a routing problem as a PyVRP 0.14 model, and PyVRP's solutions as routes of rows.

What PyVRP does not have is expressed with what it has:

* *A vehicle under way* with tasks aboard starts at a depot of its own. Tasks belong to a group (the free ones and the
  depot: 0; those aboard vehicle v: v + 1) and an arc into a task of another group is longer than any vehicle may
  drive. So what is aboard is delivered before the depot is reached, and what is not aboard only after. An arc from
  the own start to a free task leads by the depot, with loading (its release is awaited at the start already).
* *A vehicle elsewhere without load* can do nothing before it is at the depot: it is ready there after the way, and the
  way is added to the cost of using it and taken off its range.
* *Leaving a task out.* PyVRP's optional clients are only inserted into trips that exist, never with a new trip, so
  prizes are lost that a reload would collect (60 tasks, 6 vehicles, 300 iterations: 199,541 against 133,432, measured
  with PyVRP 0.14.0). Here everybody is a required client, and a *waiting list* – vehicles that pay the prize as the
  distance into a task and nothing else – takes those that are left out.
* *Money* is scaled by the smallest power of ten that keeps every unit cost and prize within 0.5 %, as PyVRP
  calculates with integers. A problem in whole units is not scaled.

Vehicles alike in every column become one PyVRP vehicle type (as in ``pyvrp.read``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyvrp import Client, Depot, Location, ProblemData, VehicleType
from pyvrp.constants import MAX_SIZE

from twin.control.mobility.routing_tables import AT_DEPOT, NO_LIMIT, Floats, Ints, Tasks, Vans

MONEY_DIGITS = 6
MONEY_ERROR = 0.005  # relative; travel times and energy per metre are not known better than that


@dataclass(frozen=True)
class Model:
    """A problem for the search, the arcs that tell who is near whom, and what is needed to read a solution.

    ``rows`` – rows of the vehicles of each PyVRP vehicle type; the waiting list, if any, is the type after the last.
    ``reload`` – PyVRP depot where each type reloads. ``under_way`` – types that start with tasks aboard.
    ``top_price`` – the largest price of leaving a task out, in scaled money; 0 without waiting list.
    """

    data: ProblemData
    near: ProblemData
    rows: list[list[int]]
    reload: list[int]
    under_way: list[bool]
    top_price: int

    @property
    def waits(self) -> bool:
        """Whether tasks may be left out."""
        return len(self.data.vehicle_types()) > len(self.rows)


@dataclass(frozen=True)
class _Places:
    """Locations of the model in the order depot, ends elsewhere, own starts, tasks; and its depots."""

    row: Ints
    group: Ints
    first_task: int
    depots: list[Depot]
    at_depot: dict[int, int]  # loading time -> PyVRP depot
    at_end: dict[int, int]  # place -> PyVRP depot
    at_start: dict[int, int]  # row of the vehicle -> PyVRP depot


def carriers(vans: Vans, aboard: Ints) -> NDArray[np.bool_]:
    """Return which vehicles have tasks aboard, (v,)."""
    out = np.zeros(len(vans), np.bool_)
    out[aboard[aboard != AT_DEPOT]] = True
    return out


def empty_way(vans: Vans, aboard: Ints, time_s: Ints, distance_m: Ints, depot: int) -> tuple[Ints, Ints]:
    """Return time (s) and distance (m) that come before the route of each vehicle: empty to the depot, (v,) each."""
    idle = ~carriers(vans, aboard)
    return time_s[vans.start, depot] * idle, distance_m[vans.start, depot] * idle


def money_scale(*columns: Floats) -> int:
    """Return the smallest power of ten that makes all finite values whole within ``MONEY_ERROR``."""
    values = np.unique(np.concatenate([c[np.isfinite(c)] for c in columns]))
    values = values[values > 0]
    for digits in range(MONEY_DIGITS):
        scaled = values * 10.0**digits
        if bool(np.all(np.abs(np.rint(scaled) - scaled) <= MONEY_ERROR * scaled)):
            return int(10**digits)
    return int(10**MONEY_DIGITS)


def encode(tasks: Tasks, vans: Vans, time_s: Ints, distance_m: Ints, depot: int, may_wait: bool) -> Model:
    """Return the model; without ``may_wait`` there is no waiting list and every task must be served."""
    scale = money_scale(tasks.prize, vans.fixed_cost, vans.cost_per_s, vans.cost_per_m)
    places = _places(tasks, vans, depot)
    times, metres = time_s[np.ix_(places.row, places.row)], distance_m[np.ix_(places.row, places.row)]
    np.fill_diagonal(times, 0)
    np.fill_diagonal(metres, 0)
    longest = 2 * len(places.row) * int(metres.max(initial=0)) + 1  # no sensible route is longer
    kinds = _kinds(vans, places, scale, empty_way(vans, tasks.aboard, time_s, distance_m, depot), longest)
    types = [
        VehicleType(
            len(rows), [k[0]], k[1], k[2], tw_early=k[4], tw_late=k[5], reload_depots=[k[3]] if k[6] > 1 else [],
            max_reloads=MAX_SIZE if k[6] == NO_LIMIT else k[6] - 1, max_distance=k[7], fixed_cost=k[8],
            unit_distance_cost=k[9], unit_duration_cost=k[10],
        )
        for k, rows in kinds.items()
    ]  # fmt: skip
    carried = tasks.aboard != AT_DEPOT
    clients = [
        Client(
            places.first_task + i, [int(tasks.demand[i])], [], int(tasks.service_s[i]), int(tasks.earliest_s[i]),
            int(tasks.latest_s[i]), 0 if carried[i] else int(tasks.release_s[i]),
        )
        for i in range(len(tasks))
    ]  # fmt: skip
    locations = [Location(0, 0)] * len(places.row)
    near = ProblemData(locations, clients, places.depots, types or [VehicleType()], _matrices(metres), _matrices(times))
    data, top_price = near, 0
    if carried.any():
        data = near.replace(
            distance_matrices=_matrices(_in_groups(metres, places, 0 * vans.reload_s, 2 * longest)),
            duration_matrices=_matrices(_in_groups(times, places, vans.reload_s, longest)),
        )
    if may_wait:
        prices = _prices(tasks, vans, scale, time_s, distance_m)
        top_price = int(prices.max(initial=0))
        into = np.zeros_like(metres)
        into[:, places.first_task :] = prices
        np.fill_diagonal(into, 0)
        data = near.replace(
            vehicle_types=[*types, VehicleType(len(tasks), [int(tasks.demand.sum())], unit_distance_cost=1, profile=1)],
            distance_matrices=_matrices(data.distance_matrix(0), into),
            duration_matrices=_matrices(data.duration_matrix(0), np.zeros_like(times)),
        )
    under_way = set(places.at_start.values())
    return Model(data, near, list(kinds.values()), [k[3] for k in kinds], [k[1] in under_way for k in kinds], top_price)


def _in_groups(legs: Ints, places: _Places, load: Ints, forbidden: int) -> Ints:
    """Return the legs with those into another group forbidden, and those from own starts to free tasks by the depot.

    ``load`` – what loading at the depot adds for each vehicle, (v,).
    """
    out = legs.copy()
    wrong = places.group[:, None] != places.group[None, :]
    wrong[:, : places.first_task] = False
    out[wrong] = forbidden
    free = places.first_task + np.flatnonzero(places.group[places.first_task :] == 0)
    own = np.arange(places.first_task - len(places.at_start), places.first_task)
    out[np.ix_(own, free)] = (legs[own, 0] + load[list(places.at_start)])[:, None] + legs[0, free]
    return out


def _places(tasks: Tasks, vans: Vans, depot: int) -> _Places:
    own = np.flatnonzero(carriers(vans, tasks.aboard))
    ends = list(dict.fromkeys(vans.end[vans.end != depot].tolist()))
    loads = list(dict.fromkeys(vans.reload_s.tolist())) or [0]
    row = np.concatenate(([depot], np.asarray(ends, np.int64), vans.start[own], tasks.place))
    group = np.concatenate((np.zeros(1 + len(ends), np.int64), own + 1, tasks.aboard - AT_DEPOT))
    depots = [Depot(0, service_duration=s) for s in loads]
    depots += [Depot(1 + i) for i in range(len(ends) + len(own))]
    return _Places(
        row.astype(np.int64),
        group,
        1 + len(ends) + len(own),
        depots,
        {s: i for i, s in enumerate(loads)},
        {p: len(loads) + i for i, p in enumerate(ends)},
        {v: len(loads) + len(ends) + i for i, v in enumerate(own.tolist())},
    )


def _kinds(
    vans: Vans, places: _Places, scale: int, way: tuple[Ints, Ints], longest: int
) -> dict[tuple[int, ...], list[int]]:
    """Return the rows of the vehicles of each kind; those that can do nothing any more are left out.

    A kind: capacity, PyVRP depots of start, end and reload, begin, end, trips, range, money when used, per m, per s.
    """
    way_s, way_m = way
    begin = vans.from_s + way_s
    fixed = np.rint((vans.fixed_cost + vans.cost_per_s * way_s + vans.cost_per_m * way_m) * scale).astype(np.int64)
    per_m, per_s = (np.rint(c * scale).astype(np.int64) for c in (vans.cost_per_m, vans.cost_per_s))
    left_m = np.where(vans.max_distance_m < NO_LIMIT, vans.max_distance_m - way_m, NO_LIMIT)
    able = (left_m >= 0) & (begin <= vans.until_s) & (vans.max_trips > 0)
    if places.at_start:  # an arc into another group is longer than that
        left_m = np.minimum(left_m, longest)
    out: dict[tuple[int, ...], list[int]] = {}
    for v in np.flatnonzero(able).tolist():
        home = places.at_depot[int(vans.reload_s[v])]
        start, end = places.at_start.get(v, home), places.at_end.get(int(vans.end[v]), home)
        numbers = (begin, vans.until_s, vans.max_trips, left_m, fixed, per_m, per_s)
        kind = (int(vans.capacity[v]), start, end, home, *(int(c[v]) for c in numbers))
        out.setdefault(kind, []).append(v)
    return out


def _prices(tasks: Tasks, vans: Vans, scale: int, time_s: Ints, distance_m: Ints) -> Ints:
    """Return what leaving each task out costs in scaled money; more than anything else for those with no prize."""
    known = np.where(np.isfinite(tasks.prize), tasks.prize, 0.0)
    money = (
        vans.fixed_cost,
        vans.cost_per_s * 4 * time_s.max(initial=0),
        vans.cost_per_m * 4 * distance_m.max(initial=0),
    )
    most = 2 * (known.max(initial=0) + sum(c.max(initial=0) for c in money)) + 1
    prices: Ints = np.rint(np.where(np.isfinite(tasks.prize), tasks.prize, most) * scale).astype(np.int64)
    return prices


def _matrices(*by_profile: Any) -> list[Any]:
    return [np.ascontiguousarray(m, np.int64) for m in by_profile]
