"""What the delivery desk hears and says: orders, loading, hand-over (F23, F24)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message


@dataclass(frozen=True)
class OrdersPlaced(Message):
    """Orders that came in: equal-length columns.

    ``size`` in litres; ``depot``: index into the place ids of the ``Places`` message of kind "depot" where the
    parcel lies; ``ready_s``: when it is packed; ``due_s``: promised hour; at ``road``/``pos_m``; ``locker``: 1 if the
    customer wants a locker; ``customer``: number that two orders of one customer share.
    """

    order: Ints
    size: Ints
    depot: Ints
    ready_s: Ints
    due_s: Ints
    road: Ints
    pos_m: Floats
    x_m: Floats
    y_m: Floats
    locker: Ints
    customer: Ints


@dataclass(frozen=True)
class OrderCancelled(Message):
    """A customer no longer wants an order."""

    order: int


@dataclass(frozen=True)
class AnswerOrder(Command):
    """Take an order, expecting it there at ``promised_s``, or refuse it with a reason."""

    order: int
    accepted: bool
    promised_s: int
    reason: str


@dataclass(frozen=True)
class LoadOrders(Command):
    """Load orders into a unit that stands at their depot."""

    unit: int
    orders: Ints


@dataclass(frozen=True)
class HandOver(Command):
    """Hand orders over where the unit stands, ``to`` "person" (waiting at most ``wait_s``) or "locker" ``place``."""

    unit: int
    orders: Ints
    to: str
    place: str
    wait_s: int


@dataclass(frozen=True)
class ReturnOrders(Command):
    """Unload orders at the depot where the unit stands."""

    unit: int
    orders: Ints


@dataclass(frozen=True)
class GiveUpOrder(Command):
    """Give an order up and tell the customer why."""

    order: int
    reason: str


@dataclass(frozen=True)
class DeliveryRules(Message):
    """How the delivery service works, told once at the start of its desk; a later one replaces it.

    ``fleet``: robot or courier, and ``purpose``: what its permits must be for; a fleet that needs none has purpose "".
    Open in [from_s, until_s) of each day: tours are over by then. ``promise_s``: an order is due so long after it was
    placed. ``operators``: remote operators on duty (units / robots per operator, rounded up); one that has not told
    for ``assist_s`` that he is done is taken to be free. ``max_attempts`` hand-overs to a person, the next one not
    before ``retry_s`` later, each waiting ``wait_s`` at most. ``locker_m``: how far (straight line) a locker may be
    from the customer. Expected times, for planning: ``load_s`` a trip and ``load_order_s`` an order for loading or
    unloading, ``hand_s`` a stop and ``hand_order_s`` an order for handing over. ``plan_s``: seconds between plans.
    """

    fleet: str
    purpose: str
    from_s: int
    until_s: int
    promise_s: int
    operators: int
    assist_s: int
    max_attempts: int
    retry_s: int
    wait_s: int
    locker_m: float
    load_s: int
    load_order_s: int
    hand_s: int
    hand_order_s: int
    plan_s: int
