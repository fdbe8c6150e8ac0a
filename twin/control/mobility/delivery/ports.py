"""What people swap in the delivery desk: a policy that says which unit brings which orders, in which order.

A policy is one method. It gets a frozen :class:`View` and answers with :class:`Assignment`; the desk does all the
rest: loading, legs, hand-over, no-shows, charging, permits, operators, breakdowns, and it holds every bound – an
assignment that is too large for the unit's capacity, battery or hours is cut from its end. Ten lines are a policy::

    import numpy as np

    class OldestFirst:
        def assign(self, view):
            out, waiting = [], view.waiting[np.argsort(view.due_s[view.waiting], kind="stable")]
            for unit in view.idle:
                batch = view.fitting(unit, waiting)
                out.append(view.assignment(unit, batch))
                waiting = waiting[~np.isin(waiting, batch)]
            return out

In a scenario: ``delivery: {policy: "mypkg.mymodule:OldestFirst"}``.

What an assignment means depends on the unit:

* *idle* at its depot – load these orders and bring them in this order, now (or at ``start_s``, if the desk is not
  told otherwise before);
* *on tour* – the orders it carries, in a new order of stops; orders it does not carry cannot join;
* *on tour, orders at the depot* – its next trip: only a forecast, told again when the unit is back.

Orders that no assignment names wait for the next plan. Naming an order twice, one that another unit carries or one
of another depot, or an unknown unit is an error (ValueError: who, what, when, what is allowed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: what a unit is at (View.doing): idle at its depot (charging counts as busy), on its way, loading, …
DOING = ("idle", "loading", "to stop", "handing over", "to depot", "unloading", "to charger", "charging")
IDLE, LOADING, TO_STOP, HANDING, TO_DEPOT, UNLOADING, TO_CHARGER, CHARGING = range(8)


@dataclass(frozen=True)
class Assignment:
    """Orders (order numbers) a unit (unit number) shall bring, in order of delivery; loading not before ``start_s``.

    The second and later assignments of one unit in one answer are its trips after the first.
    """

    unit: int
    orders: tuple[int, ...]
    start_s: int = 0


class Travel(Protocol):
    """Travel times and distances over the roads that a permit allows, at present speeds."""

    version: int
    """Rises whenever times or ways may have changed."""

    def times(self, from_road: Ints, to_road: Ints) -> Floats:
        """Matrix of seconds from road to road, shape (from, to); inf where there is no way."""

    def distances(self, from_road: Ints, to_road: Ints) -> Floats:
        """Matrix of metres along those ways, shape (from, to); inf where there is no way."""


@dataclass(frozen=True)
class View:
    """All that a policy may know. Columns per order, per stop, per unit, per depot; times in s, lengths in m.

    Orders that are open and accepted, ascending by order number: ``order``, ``size`` (litres), ``depot`` (row of
    depots), ``ready_s`` (not to be loaded before), ``due_s``, ``stop`` (row of stops; orders for one stop are handed
    over together), ``aboard`` (row of the unit that carries it; -1: at the depot), ``attempts`` (hand-overs failed).
    Stops: ``stop_road``, ``stop_pos_m``, ``stop_x_m``, ``stop_y_m``.
    Units that work (not broken, silent or stopped), ascending by unit number: ``unit``, ``home`` (row of depots),
    ``capacity`` (litres), ``load``, ``charge`` (0..1), ``range_m`` (metres it can still drive above its reserve,
    with a margin for hand-overs and detours), ``doing`` (index of DOING), ``road``/``pos_m`` where it
    is free to do something else from ``free_s`` on – at its next stop, if it is on its way there –, ``back_s``
    (expected at the depot, with what it has to do), ``until_s`` (must be back: closing time or end of the permit),
    ``group`` (row of ``travel``).
    Depots: ``depot_place``, ``depot_road``, ``depot_pos_m``, ``depot_x_m``, ``depot_y_m``, ``depot_open``.
    ``load_s``/``load_order_s``/``hand_s``/``hand_order_s``: expected service times, see DeliveryRules.
    """

    now_s: int
    order: Ints
    size: Ints
    depot: Ints
    ready_s: Ints
    due_s: Ints
    stop: Ints
    aboard: Ints
    attempts: Ints
    stop_road: Ints
    stop_pos_m: Floats
    stop_x_m: Floats
    stop_y_m: Floats
    unit: Ints
    home: Ints
    capacity: Ints
    load: Ints
    charge: Floats
    range_m: Floats
    doing: Ints
    road: Ints
    pos_m: Floats
    free_s: Ints
    back_s: Ints
    until_s: Ints
    group: Ints
    depot_place: tuple[str, ...]
    depot_road: Ints
    depot_pos_m: Floats
    depot_x_m: Floats
    depot_y_m: Floats
    depot_open: Bools
    travel: tuple[Travel, ...]
    load_s: int
    load_order_s: int
    hand_s: int
    hand_order_s: int

    @property
    def waiting(self) -> Ints:
        """Rows of the orders that lie ready at an open depot."""
        return np.flatnonzero((self.aboard < 0) & (self.ready_s <= self.now_s) & self.depot_open[self.depot])

    @property
    def idle(self) -> Ints:
        """Rows of the units that can load now."""
        return np.flatnonzero((self.doing == IDLE) & (self.free_s <= self.now_s) & self.depot_open[self.home])

    def fitting(self, unit: int, rows: Ints) -> Ints:
        """Return, of order rows in order of preference, those of the unit's depot up to its capacity in litres."""
        mine = rows[(self.depot[rows] == self.home[unit]) & (self.aboard[rows] < 0)]
        fits: Ints = mine[np.cumsum(self.size[mine]) <= self.capacity[unit]]
        return fits

    def assignment(self, unit: int, rows: Ints, start_s: int = 0) -> Assignment:
        """Return the assignment of order rows to the unit of a row."""
        return Assignment(int(self.unit[unit]), tuple(self.order[rows].tolist()), start_s)


class Policy(Protocol):
    """Decides which unit brings which orders; called at most once every ``plan_s``, and only if something changed."""

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return what units shall do; units that are not named go on, and idle ones stay idle."""


@dataclass(frozen=True)
class Missed:
    """A hand-over that failed, or a parcel still to be brought when it cannot be brought now.

    ``reason`` as reported. ``attempts``: failed hand-overs to a person so far, of ``max_attempts``. ``locker``:
    whether a locker with room is near enough and within reach. ``again``: whether this tour can come by once more,
    ``retry_s`` or more from now, and still end in time above the reserve.
    """

    order: int
    now_s: int
    due_s: int
    reason: str
    attempts: int
    max_attempts: int
    locker: bool
    again: bool


class NoShow(Protocol):
    """Decides what becomes of an order that could not be handed over."""

    def after(self, missed: Missed) -> str:
        """Return "again" (later on this tour), "locker" (the nearest) or "depot" (out again, or given up there)."""
