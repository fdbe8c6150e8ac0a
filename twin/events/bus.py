"""Facts of the autonomous buses: bookings, passengers, stops, take-overs (F22)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class BookingMade(Fact):
    """A resident booked in the app: from ``origin`` to ``destination``, wishing to leave at ``wanted_s``.

    For ``party`` people.
    """

    booking: int
    resident: int
    origin: int
    destination: int
    wanted_s: int
    party: int


@dataclass(frozen=True)
class BookingAnswered(Fact):
    """The desk accepted, promising pick-up and arrival, or refused with a ``reason``.

    ``place``/``to_place`` are stops.
    """

    booking: int
    resident: int
    accepted: bool
    reason: str
    place: str
    to_place: str
    promised_s: int
    promised_arrival_s: int


@dataclass(frozen=True)
class BookingWithdrawn(Fact):
    """A booking was cancelled by the ``who`` that is named (resident, desk), for a ``reason``."""

    booking: int
    resident: int
    who: str
    reason: str


@dataclass(frozen=True)
class PassengerBoarded(Fact):
    """A booked resident (and party) boarded; ``wait_s`` since being at the stop, ``late_s`` against the promise."""

    booking: int
    resident: int
    unit: int
    place: str
    wait_s: int
    late_s: int


@dataclass(frozen=True)
class PassengerAlighted(Fact):
    """A passenger got off; ``ride_s`` aboard, ``direct_s`` the same way without detour and stops."""

    booking: int
    resident: int
    unit: int
    place: str
    ride_s: int
    direct_s: int
    late_s: int


@dataclass(frozen=True)
class PassengerMissed(Fact):
    """A booked resident was not served: ``reason`` (gave up waiting, came late, bus broke down.

    Still waiting at the end …).
    """

    booking: int
    resident: int
    reason: str


@dataclass(frozen=True)
class ShuttleStopped(Fact):
    """An autonomous bus halted at a stop.

    ``error_m`` is how far from the mark (signed, along the road), ``gap_m`` to the kerb.
    """

    unit: int
    place: str
    error_m: float
    gap_m: float
    boarded: int
    alighted: int
    aboard: int
    dwell_s: int


@dataclass(frozen=True)
class TakeOverBegan(Fact):
    """The safety driver took over; ``cause`` (rain, fog, blocked lane, lost link, missed signal, lost marking …)."""

    unit: int
    cause: str
    road: int
    reaction_s: float


@dataclass(frozen=True)
class TakeOverEnded(Fact):
    """The bus drove itself again."""

    unit: int
    cause: str
    duration_s: int


@dataclass(frozen=True)
class SignalMissed(Fact):
    """A bus did not recognise a signal or marking (``what``); ``noticed``: the safety driver acted in time."""

    unit: int
    what: str
    road: int
    noticed: bool


@dataclass(frozen=True)
class Overtaken(Fact):
    """A bus went round an obstacle or parked vehicle on ``road``, losing ``extra_s``."""

    unit: int
    road: int
    extra_s: float


@dataclass(frozen=True)
class BusAdmitted(Fact):
    """A bus had driven its test (``test_h`` hours, ``test_km``) and may carry passengers (F22: 240 h or 1,000 km)."""

    unit: int
    test_h: float
    test_km: float
