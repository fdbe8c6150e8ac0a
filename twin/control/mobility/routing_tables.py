"""Columns of the routing problem of a fleet that reloads at one depot, and of the plan that answers it.

The problem is the multi-trip vehicle routing problem with time windows and release times (MTVRPTWR; Cattaruzza,
Absi, Feillet, 2016, *Transportation Science* 50(2)), with vehicles that are anywhere at the moment of planning, a
range per vehicle, and tasks that may be left out at the price of their prize.

Times are whole seconds, distances whole metres, loads whole units (parcels, litres, …: the caller's), costs in any
one currency. ``NO_LIMIT`` means unbounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Legs = Callable[[Ints], tuple[Ints, Ints]]
"""Rows of places (k,) → travel times (s) and distances (m) between them, (k, k) each, from row to column."""

NO_LIMIT = int(np.iinfo(np.int64).max)
AT_DEPOT = -1
MONEY = ("prize", "fixed_cost", "cost_per_s", "cost_per_m")


def _columns(n: int, defaults: dict[str, Any], given: dict[str, ArrayLike]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in {**defaults, **given}.items():
        raw = np.asarray(value)
        if name not in MONEY and raw.dtype.kind not in "iu":
            raise ValueError(f"column '{name}' must hold whole numbers, not {raw.dtype}")
        column = raw.astype(np.float64 if name in MONEY else np.int64)
        if column.ndim > 1 or (column.ndim == 1 and len(column) != n):
            raise ValueError(f"column '{name}' has shape {column.shape}, but there are {n} rows")
        column = np.array(np.broadcast_to(column, (n,)))
        column.flags.writeable = False
        out[name] = column
    return out


@dataclass(frozen=True)
class Tasks:
    """Deliveries that wait, one row each; every column has shape (n,).

    ``key`` – the caller's own number of the task, unique; it ties plans of successive moments together.
    ``place`` – row in the travel matrices. ``demand`` – load taken from the depot to the place.
    ``service_s`` – time at the place. ``earliest_s``, ``latest_s`` – window in which the service begins.
    ``release_s`` – before this time it cannot be loaded at the depot.
    ``prize`` – what leaving it out costs; infinite: it must be served.
    ``aboard`` – row of the vehicle that already carries it (nobody else can deliver it, and only before the
    vehicle is back at the depot), or ``AT_DEPOT``.
    """

    key: Ints
    place: Ints
    demand: Ints
    service_s: Ints
    earliest_s: Ints
    latest_s: Ints
    release_s: Ints
    prize: Floats
    aboard: Ints

    @classmethod
    def of(cls, place: ArrayLike, **columns: ArrayLike) -> Self:
        """Return tasks at the given places; a column may be one number for all, and those left out have defaults.

        Defaults: demand 1, no service time, no window, released at 0, must be served, at the depot, key = row.
        """
        n = np.asarray(place).size
        defaults: dict[str, Any] = {
            "key": np.arange(n), "place": np.asarray(place, np.int64) if n == 0 else place, "demand": 1,
            "service_s": 0, "earliest_s": 0, "latest_s": NO_LIMIT, "release_s": 0, "prize": np.inf, "aboard": AT_DEPOT,
        }  # fmt: skip
        return cls(**_columns(n, defaults, _known(cls, columns)))

    def __len__(self) -> int:
        return len(self.key)

    def rows(self, chosen: Ints, **columns: ArrayLike) -> Self:
        """Return the chosen rows, with some columns replaced."""
        old = {f.name: getattr(self, f.name)[chosen] for f in fields(self)}
        return type(self)(**_columns(len(chosen), old, _known(type(self), columns)))


@dataclass(frozen=True)
class Vans:
    """Vehicles, one row each; every column has shape (v,).

    ``key`` – the caller's own number, unique. ``start`` – place where the vehicle is at ``from_s``, from when on it
    can be used; when nothing is aboard and it is not at the depot, it first drives there, empty. ``end`` – place
    where it must be at ``until_s`` at the latest. ``capacity`` – load. ``max_trips`` – departures with load until
    ``until_s``, the present one included. ``max_distance_m`` – range left (battery), all trips together.
    ``fixed_cost`` – for being used at all. ``cost_per_s``, ``cost_per_m`` – from the beginning of its first movement
    or loading to its arrival at ``end``, waiting included. ``reload_s`` – loading at the depot before each trip.
    """

    key: Ints
    start: Ints
    end: Ints
    from_s: Ints
    until_s: Ints
    capacity: Ints
    max_trips: Ints
    max_distance_m: Ints
    fixed_cost: Floats
    cost_per_s: Floats
    cost_per_m: Floats
    reload_s: Ints

    @classmethod
    def of(cls, n: int, depot: int, **columns: ArrayLike) -> Self:
        """Return ``n`` vehicles; a column may be one number for all, and those left out have defaults.

        Defaults: at the depot from 0 on and back there without limit, unbounded capacity, trips and range, cost 1
        per metre and no other, no time for loading, key = row.
        """
        defaults: dict[str, Any] = {
            "key": np.arange(n), "start": depot, "end": depot, "from_s": 0, "until_s": NO_LIMIT, "capacity": NO_LIMIT,
            "max_trips": NO_LIMIT, "max_distance_m": NO_LIMIT, "fixed_cost": 0.0, "cost_per_s": 0.0,
            "cost_per_m": 1.0, "reload_s": 0,
        }  # fmt: skip
        return cls(**_columns(n, defaults, _known(cls, columns)))

    def __len__(self) -> int:
        return len(self.key)

    def rows(self, chosen: Ints, **columns: ArrayLike) -> Self:
        """Return the chosen rows, with some columns replaced."""
        old = {f.name: getattr(self, f.name)[chosen] for f in fields(self)}
        return type(self)(**_columns(len(chosen), old, _known(type(self), columns)))


@dataclass(frozen=True)
class Plan:
    """Who serves what, in which trip and when.

    Stops, (k,) each, ordered by vehicle, trip and time: ``task`` and ``van`` (rows), ``trip`` (number within the
    vehicle, from 0), ``start_s`` and ``leave_s`` (begin and end of service), ``task_key``, ``van_key``.
    Trips, (t,) each, ordered by vehicle and number: ``trip_van``, ``trip_no``, ``load_s`` (loading begins),
    ``out_s`` (departure), ``back_s`` (arrival at the depot, or at ``end`` after the last one). The first trip of a
    vehicle with tasks aboard begins where the vehicle is, without loading; another vehicle that is not at the depot
    has to set out to it in time for ``load_s``.
    ``unserved`` – rows of the tasks left out, ascending. ``cost`` – of the vehicles used; ``lost_prize`` – of the
    tasks left out, those that must be served not counted. ``feasible`` – whether all that must be served are; the
    routes themselves hold every bound in any case.
    """

    task: Ints
    van: Ints
    trip: Ints
    start_s: Ints
    leave_s: Ints
    task_key: Ints
    van_key: Ints
    trip_van: Ints
    trip_no: Ints
    load_s: Ints
    out_s: Ints
    back_s: Ints
    unserved: Ints
    cost: float
    lost_prize: float
    feasible: bool

    def trips_of(self, van: int) -> list[list[int]]:
        """Return the task rows of each trip of a vehicle, in order; an empty list for an empty trip."""
        mine = self.van == van
        return [self.task[mine & (self.trip == no)].tolist() for no in self.trip_no[self.trip_van == van].tolist()]


def same_plan(a: Plan, b: Plan) -> bool:
    """Return whether two plans are equal in every column."""
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Plan))


def _known(cls: type[Tasks] | type[Vans], columns: dict[str, ArrayLike]) -> dict[str, ArrayLike]:
    names = [f.name for f in fields(cls)]
    for name in columns:
        if name not in names:
            raise ValueError(f"unknown column '{name}' of {cls.__name__}; known: {', '.join(names)}")
    return columns
