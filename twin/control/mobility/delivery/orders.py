"""The desk's ledger of orders: columns that grow, one row per order, and what is known of each.

Reports are facts: an order that was handed over is delivered, whatever the desk thought of it before; so messages
that come late or in another order than expected cannot lose a parcel or have it brought twice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.domain.delivery import OrdersPlaced

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: states: not answered; accepted and not in a unit; named in a LoadOrders that has not been answered yet; in a unit;
#: handed over; refused; given up. What ended stays ended, save that a report can still say "handed over".
NEW, WAITING, LOADING, ABOARD, DELIVERED, REFUSED, GIVEN_UP = range(7)
_INTS = (
    "number", "size", "depot", "ready_s", "due_s", "road", "customer", "wants_locker", "state", "unit", "attempts",
    "misses", "again_s", "to_road", "to_locker",
)  # fmt: skip
_FLOATS = ("pos_m", "x_m", "y_m", "to_pos_m", "to_x_m", "to_y_m")


class Book:
    """Columns by row of the order: as in OrdersPlaced, and ``state``, ``unit`` (row of the unit it is in or goes into).

    ``attempts`` to hand it to a person that failed; ``misses``: how often it was not where it should be; ``again_s``:
    not to be brought again before; ``to_*``: where it shall be brought now, ``to_locker`` a row of lockers or -1.
    """

    number: Ints
    size: Ints
    depot: Ints
    ready_s: Ints
    due_s: Ints
    road: Ints
    customer: Ints
    wants_locker: Ints
    state: Ints
    unit: Ints
    attempts: Ints
    misses: Ints
    again_s: Ints
    to_road: Ints
    to_locker: Ints
    pos_m: Floats
    x_m: Floats
    y_m: Floats
    to_pos_m: Floats
    to_x_m: Floats
    to_y_m: Floats

    def __init__(self) -> None:
        self.count = 0
        self._row: dict[int, int] = {}
        for name in _INTS:
            setattr(self, name, np.zeros(64, dtype=np.int64))
        for name in _FLOATS:
            setattr(self, name, np.zeros(64))
        self._open: Ints | None = None

    def add(self, told: OrdersPlaced) -> Ints:
        """Take in new orders; return their rows. An order that is known already is left as it is."""
        fresh = [i for i, number in enumerate(told.order.tolist()) if number not in self._row]
        at = np.arange(self.count, self.count + len(fresh), dtype=np.int64)
        while self.count + len(fresh) > self.number.size:
            for name in (*_INTS, *_FLOATS):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
        pick = np.asarray(fresh, dtype=np.int64)
        for name, column in (
            ("number", told.order), ("size", told.size), ("depot", told.depot), ("ready_s", told.ready_s),
            ("due_s", told.due_s), ("road", told.road), ("customer", told.customer), ("wants_locker", told.locker),
            ("pos_m", told.pos_m), ("x_m", told.x_m), ("y_m", told.y_m),
        ):  # fmt: skip
            getattr(self, name)[at] = column[pick]
        self.unit[at], self.to_locker[at] = -1, -1
        self._row.update(zip(told.order[pick].tolist(), at.tolist(), strict=True))
        self.count += len(fresh)
        self.home_again(at)
        self._open = None
        return at

    def row(self, order: int) -> int | None:
        """Return the row of an order number; None if it was never placed."""
        return self._row.get(int(order))

    def rows(self, orders: npt.ArrayLike) -> list[int]:
        """Return the rows of order numbers, those never placed left out."""
        found = (self._row.get(int(o)) for o in np.asarray(orders, dtype=np.int64).tolist())
        return [r for r in found if r is not None]

    def home_again(self, rows: Ints | list[int]) -> None:
        """Let orders be brought to the address of the customer."""
        self.to_locker[rows] = -1
        for name in ("road", "pos_m", "x_m", "y_m"):
            getattr(self, "to_" + name)[rows] = getattr(self, name)[rows]

    def set_state(self, row: int, state: int, unit: int = -1) -> None:
        """Note what an order is at, and the row of its unit."""
        self.state[row], self.unit[row] = state, unit
        self._open = None

    def open(self) -> Ints:
        """Rows of the orders that are not ended, ascending."""
        if self._open is None:
            state = self.state[: self.count]
            self._open = np.flatnonzero(state < DELIVERED)
        return self._open

    def among_open(self, *states: int) -> Ints:
        """Rows of the open orders in any of the states, ascending."""
        rows = self.open()
        return rows[np.isin(self.state[rows], states)]
