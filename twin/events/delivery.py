"""Facts of parcels: orders, loads, hand-overs (F23, F24)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class ServiceDay(Fact):
    """A day of the service began: units and remote operators on duty, for ``duty_h`` hours of it within the run."""

    fleet: str
    units: int
    operators: int
    duty_h: float


@dataclass(frozen=True)
class OrderPlaced(Fact):
    """A resident or shop ordered parcels of ``size`` litres for block ``destination``, promised by ``due_s``.

    ``customer``: the resident, or -1 - block for its shops; packed at ``ready_s``.
    """

    order: int
    customer: int
    destination: int
    size: int
    ready_s: int
    due_s: int


@dataclass(frozen=True)
class OrderAnswered(Fact):
    """The desk took the order, expecting it there at ``promised_s``, or refused it with a ``reason``."""

    order: int
    accepted: bool
    reason: str
    promised_s: int


@dataclass(frozen=True)
class OrderLoaded(Fact):
    """An order was put into a unit at ``place``."""

    order: int
    unit: int
    place: str


@dataclass(frozen=True)
class OrderDelivered(Fact):
    """An order reached its customer ``to`` a person or a locker.

    ``duration_s`` since it was placed, ``late_s`` against its due time.
    """

    order: int
    unit: int
    to: str
    duration_s: int
    late_s: int


@dataclass(frozen=True)
class HandOverFailed(Fact):
    """A hand-over did not succeed: ``reason`` (nobody there, locker full …); the order stays in the unit."""

    order: int
    unit: int
    reason: str
    waited_s: int


@dataclass(frozen=True)
class OrderReturned(Fact):
    """An order was brought back to ``place``; it may go out again."""

    order: int
    unit: int
    place: str


@dataclass(frozen=True)
class OrderTransferred(Fact):
    """An order was taken out of a broken unit by a recovery crew and brought to ``place``."""

    order: int
    unit: int
    place: str


@dataclass(frozen=True)
class OrderGivenUp(Fact):
    """An order was given up for a ``reason``; the customer was told."""

    order: int
    reason: str


@dataclass(frozen=True)
class OrderOpen(Fact):
    """At the end of the run an order was neither delivered nor given up; ``where`` it was (shop, depot, unit)."""

    order: int
    where: str
