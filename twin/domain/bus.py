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
class BusRules(Message):
    """How the operator wants the buses run, told at the start and whenever it changes; a desk without it uses these.

    Values without a source are assumed.
    """

    from_s: int = 6 * 3600  # service hours of each day: nobody is picked up before, every bus is home by until_s
    until_s: int = 22 * 3600
    rain_limit_mm_h: float = 20.0  # operating conditions (ODD, SAE J3016): no new trips above it
    visibility_limit_m: float = 150.0  # … or below it
    seats: int = 14  # passengers booked at most, standing places not counted; a bus with fewer has fewer
    max_walk_m: float = 800.0  # from the point to the stop, and from the stop to the point
    walk_m_s: float = 1.25  # Highway Capacity Manual 6: 1.2 to 1.3 m/s
    walk_detour: float = 1.3  # way along streets against the straight line; 4/π for a grid
    max_wait_s: int = 900  # from being able to be at the stop to the promised pick-up
    window_s: int = 180  # the bus comes within [promised pick-up, promised pick-up + window_s]
    max_detour: float = 1.5  # ride against the direct ride …
    min_detour_s: int = 300  # … or this much longer, whichever is more
    patience_s: int = 60  # a bus waits for a passenger until the promised pick-up + patience_s
    dwell_s: int = 20  # opening, closing, checking the surroundings: TCQSM 3rd ed. gives 10-30 s outside centres
    person_s: int = 3  # per person getting on or off: TCQSM 3rd ed., 2 to 4 s
    layover_s: int = 180  # at least between two runs of a timetable
    pull_out_s: int = 15  # from the closed doors to moving in the lane, and the telling of it
    early_s: int = 60  # a bus is at a stop this much before the promised pick-up
    charge_w: float = 40_000.0  # power of the chargers at the depot
    charge_to: float = 0.95
    silence_s: int = 600  # a bus that is not heard of so long after it should have been is lost
    halt_s: int = 600  # a bus that stands halted so long loses its bookings to others


@dataclass(frozen=True)
class AnswerBooking(Command):
    """Accept a booking with a promised pick-up and arrival at stops, or refuse it with a reason.

    The bus comes in [pickup_s, pickup_s + window_s] of BusRules and is there by ``arrive_s``.
    """

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
    """Tell a customer a new pick-up and arrival time, and at which stops; the old promise no longer holds."""

    booking: int
    stop: str
    to_stop: str
    pickup_s: int
    arrive_s: int
    unit: int
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
