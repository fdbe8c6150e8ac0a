"""Where every parcel is (F23, F24): the ledger of orders in truth, and the facts about each change of it.

Every order is at exactly one place: its depot (being packed until ``ready_s``), a unit, ``delivered`` or ``refused``;
an order that was given up stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.domain.commands import Command
from twin.domain.delivery import AnswerOrder, GiveUpOrder
from twin.errors import ControlError
from twin.events import (
    HandOverFailed,
    OrderAnswered,
    OrderDelivered,
    OrderGivenUp,
    OrderLoaded,
    OrderOpen,
    OrderPlaced,
    OrderReturned,
    OrderTransferred,
)
from twin.log import Log
from twin.world.fleets.orders import Orders, Stops

Ints = npt.NDArray[np.int64]

DEPOT, UNIT, DELIVERED, REFUSED = "depot", "unit", "delivered", "refused"


@dataclass(slots=True)
class Parcel:
    """One order: who, where to, and where it is; ``depot``: index of the depot where it lies, or lay last."""

    customer: int
    size: int
    placed_s: int
    ready_s: int
    due_s: int
    depot: int
    road: int
    pos_m: float
    x_m: float
    y_m: float
    where: str = DEPOT
    attempts: int = 0
    answered: bool = False
    given_up: bool = False
    loading: bool = False  # somebody is putting it into a unit


class Parcels:
    """All orders of a run, by number; ``aboard``: the orders in each unit, by row."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.all: dict[int, Parcel] = {}
        self._aboard: dict[int, list[int]] = {}

    def place(self, new: Orders, due_s: Ints, depot: Ints, stops: Stops) -> None:
        """Take in new orders: what they are, by when, the depot they are packed in."""
        at = stops.row(new.block)
        columns = (
            new.customer, new.size, new.placed_s, new.ready_s, due_s, depot, stops.road[at], stops.pos_m[at],
            stops.x_m[at], stops.y_m[at],
        )  # fmt: skip
        for order, *values in zip(new.order.tolist(), *(c.tolist() for c in columns), strict=True):
            self.all[order] = Parcel(*values)
        self._log.add(
            OrderPlaced, t_s=new.placed_s, order=new.order, customer=new.customer, destination=new.block,
            size=new.size, ready_s=new.ready_s, due_s=due_s,
        )  # fmt: skip

    def known(self, orders: Iterable[int], command: Command, now_s: int) -> list[Parcel]:
        """Return parcels by number. Raises ControlError for one that nobody ordered."""
        out = []
        for order in orders:
            parcel = self.all.get(order)
            if parcel is None:
                raise ControlError(f"{type(command).__name__} at {now_s} s names order {order}, which does not exist")
            out.append(parcel)
        return out

    def aboard(self, row: int) -> tuple[int, ...]:
        """Return the orders in a unit, in the order of loading."""
        return tuple(self._aboard.get(row, ()))

    def load_of(self, row: int) -> int:
        """Return the litres in a unit."""
        return sum(self.all[o].size for o in self._aboard.get(row, ()))

    # -- answers -------------------------------------------------------------------------------------------

    def answer(self, command: AnswerOrder, now_s: int) -> None:
        """Take the desk's answer. Raises ControlError for a second one."""
        (parcel,) = self.known([command.order], command, now_s)
        if parcel.answered:
            raise ControlError(f"order {command.order} was answered a second time at {now_s} s")
        parcel.answered = True
        if not command.accepted:
            parcel.where = REFUSED
        self._log.add(
            OrderAnswered, t_s=now_s, order=command.order, accepted=command.accepted, reason=command.reason,
            promised_s=command.promised_s,
        )  # fmt: skip

    def give_up(self, command: GiveUpOrder, now_s: int) -> None:
        """Give an order up: what is in a unit stays there until it is unloaded; what has ended stays as it is."""
        (parcel,) = self.known([command.order], command, now_s)
        if not parcel.answered:
            raise ControlError(f"order {command.order} was given up at {now_s} s without an answer before")
        if parcel.where in (DELIVERED, REFUSED) or parcel.given_up:
            return
        parcel.given_up = True
        self._log.add(OrderGivenUp, t_s=now_s, order=command.order, reason=command.reason)

    # -- into and out of units -----------------------------------------------------------------------------

    def reserve(self, orders: Sequence[int], depot: int, room: int, now_s: int) -> tuple[list[int], list[int]]:
        """Return which of the orders lie packed at a depot and fit into ``room`` litres, and which do not.

        The first are reserved until :meth:`load` or :meth:`release`.
        """
        here: list[int] = []
        for order in orders:
            p = self.all[order]
            there = p.where == DEPOT and p.depot == depot and p.ready_s <= now_s and not p.loading
            if there and p.answered and not p.given_up and p.size <= room:
                here.append(order)
                room -= p.size
                p.loading = True
        return here, [o for o in orders if o not in here]

    def release(self, orders: Sequence[int]) -> None:
        """Put reserved orders back."""
        for order in orders:
            self.all[order].loading = False

    def load(self, row: int, unit: int, orders: Sequence[int], place: str, t_s: int) -> None:
        """Put reserved orders into a unit."""
        self.release(orders)
        for order in orders:
            self.all[order].where = UNIT
        self._aboard.setdefault(row, []).extend(orders)
        self._log.add(OrderLoaded, t_s=t_s, order=np.asarray(orders, dtype=np.int64), unit=unit, place=place)

    def unload(self, row: int, unit: int, orders: Sequence[int], depot: int, place: str, crew: bool, t_s: int) -> None:
        """Put orders out of a unit into a depot; ``crew``: it is a broken one's."""
        for order in orders:
            parcel = self.all[order]
            parcel.where, parcel.depot = DEPOT, depot
            self._aboard[row].remove(order)
        fact = OrderTransferred if crew else OrderReturned
        self._log.add(fact, t_s=t_s, order=np.asarray(orders, dtype=np.int64), unit=unit, place=place)

    def deliver(self, row: int, unit: int, order: int, to: str, t_s: int) -> None:
        """Hand an order over."""
        parcel = self.all[order]
        parcel.where = DELIVERED
        self._aboard[row].remove(order)
        self._log.add(
            OrderDelivered, t_s=t_s, order=order, unit=unit, to=to, duration_s=t_s - parcel.placed_s,
            late_s=max(t_s - parcel.due_s, 0),
        )  # fmt: skip

    def fail(self, unit: int, order: int, reason: str, waited_s: int, t_s: int) -> None:
        """Take note that an order could not be handed over."""
        self._log.add(HandOverFailed, t_s=t_s, order=order, unit=unit, reason=reason, waited_s=waited_s)

    def finish(self, end_s: int) -> None:
        """Tell every order that is neither delivered nor given up nor refused, and where it is."""
        left = [(o, p) for o, p in self.all.items() if p.where in (DEPOT, UNIT) and not p.given_up]
        where = ["shop" if p.where == DEPOT and p.ready_s > end_s else p.where for _, p in left]
        self._log.add(
            OrderOpen,
            t_s=end_s,
            order=np.asarray([o for o, _ in left], dtype=np.int64),
            where=np.asarray(where, dtype=object),
        )
