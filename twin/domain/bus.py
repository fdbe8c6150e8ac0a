"""What the bus desk hears and says: bookings in the app, answers, doors (F22)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Ints, Message


@dataclass(frozen=True)
class BookingRequest(Message):
    """Somebody books: from a point to a point (local metres), leaving at ``wanted_s`` or later, ``party`` people.

    ``due_s``: must be there by then (-1: any time).
    """

    booking: int
    party: int
    from_x_m: float
    from_y_m: float
    to_x_m: float
    to_y_m: float
    wanted_s: int
    due_s: int


@dataclass(frozen=True)
class BookingCancelled(Message):
    """The customer cancelled, or gave up waiting."""

    booking: int
    reason: str


@dataclass(frozen=True)
class Timetable(Message):
    """The line's fixed timetable: stop ids in order, offsets from the departure, departures (seconds of the day)."""

    line: str
    stop: tuple[str, ...]
    offset_s: Ints
    depart_s: Ints


@dataclass(frozen=True)
class AnswerBooking(Command):
    """Accept a booking with a promised pick-up and arrival at stops, or refuse it with a reason."""

    booking: int
    accepted: bool
    stop: str
    to_stop: str
    pickup_s: int
    arrive_s: int
    unit: int
    reason: str


@dataclass(frozen=True)
class ChangePromise(Command):
    """Tell a customer a new pick-up and arrival time."""

    booking: int
    pickup_s: int
    arrive_s: int
    reason: str


@dataclass(frozen=True)
class CancelBooking(Command):
    """Take back an accepted booking, with a reason (no bus left, out of operating conditions …)."""

    booking: int
    reason: str


@dataclass(frozen=True)
class OpenDoors(Command):
    """Open the doors of a bus that stands at ``stop``: ``board`` may get on, ``alight`` get off.

    The doors close when everybody in ``board`` is aboard, or at ``until_s``, but not before ``not_before_s``.
    """

    unit: int
    stop: str
    board: Ints
    alight: Ints
    not_before_s: int
    until_s: int
