"""Passengers of the autonomous buses in truth: they ask, get a promise, walk to the stop, board, ride, get off.

Every booking ends in exactly one way: refused, served, missed (with a reason) or withdrawn. Whoever is not served
walks. A passenger leaves home so as to be at the stop ``EARLY_S`` before the promised pick-up; promised another stop,
they go on from the one they were promised before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.domain.bus import AnswerBooking, BookingCancelled, BookingRequest, CancelBooking, ChangePromise
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.errors import ControlError
from twin.events import (
    BookingAnswered,
    BookingMade,
    BookingWithdrawn,
    PassengerAlighted,
    PassengerBoarded,
    PassengerMissed,
)
from twin.log import Log
from twin.world.fleets.bookers import DETOUR, Bookers, Wishes, booking_number
from twin.world.people.journeys import Journeys
from twin.world.people.model import PeopleModel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EARLY_S = 120  # at the stop so long before the promised pick-up (assumed)
PATIENCE_S = 900  # after the promised pick-up, until a passenger gives up (assumed)
WALK_M_S = 1.25  # Highway Capacity Manual 6: 1.2 to 1.3 m/s
NO_LONGER = 0.02  # of promised passengers do not come, without a word (assumed)

ASKED, PROMISED, COMING, ABOARD = "asked", "promised", "coming", "aboard"


@dataclass(slots=True)
class Ride:
    """One booking under way."""

    booking: int
    resident: int
    trip: int
    party: int
    origin: int
    destination: int
    wanted_s: int
    state: str = ASKED
    stop: str = ""
    to_stop: str = ""
    pickup_s: int = -1
    arrive_s: int = -1
    at_stop_s: int = -1
    boarded_s: int = -1
    unit: int = 0


class Passengers:
    """All bookings of a run. ``stops``: row of each stop id; ``direct_s``: shortest ride between stops."""

    def __init__(
        self,
        people: PeopleModel,
        journeys: Journeys,
        bookers: Bookers,
        log: Log,
        stop_id: tuple[str, ...],
        stop_x_m: Floats,
        stop_y_m: Floats,
        dice: Dice,
        direct_s: Floats,
    ) -> None:
        self._people, self._journeys, self._bookers, self._log = people, journeys, bookers, log
        self._row = {stop: i for i, stop in enumerate(stop_id)}
        self._x, self._y = stop_x_m, stop_y_m
        self._direct_s = direct_s
        self._stays = dice.stream("bus.no_show")
        self.rides: dict[int, Ride] = {}
        self._made: set[int] = set()  # all bookings there ever were
        self._today: Wishes | None = None
        self._next = 0
        self._tell: list[tuple[int, str]] = []  # bookings that customers took back, and why
        journeys.shuttles = self

    # -- asking --------------------------------------------------------------------------------------------

    def plan_day(self, now_s: int) -> None:
        """Let residents decide which of today's trips they book."""
        self._today, self._next = self._bookers.today(now_s), 0

    def ask(self, now_s: int) -> list[Message]:
        """Return what customers tell the desk since the last time."""
        out: list[Message] = [BookingCancelled(now_s, f"gone/{b}", b, why) for b, why in self._tell]
        self._tell = []
        w = self._today
        while w is not None and self._next < len(w) and int(w.ask_s[self._next]) <= now_s:
            i, self._next = self._next, self._next + 1
            booking, resident, trip, party, origin, destination, wanted_s = (
                int(c[i]) for c in (w.booking, w.resident, w.trip, w.party, w.origin, w.destination, w.wanted_s)
            )
            ride = Ride(booking, resident, trip, party, origin, destination, wanted_s)
            if booking in self._made:  # a trip left over from yesterday
                continue
            self._made.add(booking)
            self.rides[booking] = ride
            travel = self._people.travel
            a, b = travel.rows([ride.origin, ride.destination]).tolist()
            self._log.add(
                BookingMade, t_s=now_s, booking=ride.booking, resident=ride.resident, origin=ride.origin,
                destination=ride.destination, wanted_s=ride.wanted_s, party=ride.party,
            )  # fmt: skip
            out.append(
                BookingRequest(
                    now_s, f"booking/{ride.booking}", ride.booking, ride.party, float(travel.x_m[a]),
                    float(travel.y_m[a]), float(travel.x_m[b]), float(travel.y_m[b]), ride.wanted_s, int(w.due_s[i]),
                )
            )  # fmt: skip
        return out

    # -- what the desk says --------------------------------------------------------------------------------

    def check(self, command: Command, bookings: list[int], now_s: int) -> None:
        """Raise ControlError if a command names a booking that was never made."""
        for booking in bookings:
            if booking not in self._made:
                raise ControlError(f"{type(command).__name__} at {now_s} s names booking {booking}, which was not made")

    def _ride(self, command: AnswerBooking | ChangePromise | CancelBooking, now_s: int) -> Ride | None:
        """Return the ride that a command is about; None if it has ended meanwhile."""
        self.check(command, [command.booking], now_s)
        return self.rides.get(command.booking)

    def _check_stops(self, command: AnswerBooking | ChangePromise, now_s: int) -> None:
        for stop in (command.stop, command.to_stop):
            if stop not in self._row:
                who = f"{type(command).__name__} at {now_s} s"
                raise ControlError(f"{who} promises booking {command.booking} stop {stop!r}, which the line has not")

    def answered(self, command: AnswerBooking, now_s: int) -> None:
        """Take the desk's answer. Raises ControlError for a second one, and for a stop that the line has not."""
        ride = self._ride(command, now_s)
        if command.accepted:
            self._check_stops(command, now_s)
        if ride is None:
            return
        if ride.state != ASKED:
            raise ControlError(f"booking {command.booking} was answered a second time at {now_s} s")
        self._log_promise(ride, command, command.accepted, now_s)
        if command.accepted:
            ride.state = PROMISED
            self._take_promise(ride, command)
        else:
            self._forget(ride)

    def changed(self, command: ChangePromise, now_s: int) -> None:
        """Take a new promise; whoever is aboard already stays aboard. Raises ControlError for one never accepted."""
        ride = self._ride(command, now_s)
        self._check_stops(command, now_s)
        if ride is None or ride.state == ABOARD:
            return
        if ride.state == ASKED:
            raise ControlError(f"booking {command.booking} was promised another time at {now_s} s, but never accepted")
        if ride.state == COMING and command.stop != ride.stop:
            a, b = self._row[ride.stop], self._row[command.stop]
            away_m = float(np.hypot(self._x[a] - self._x[b], self._y[a] - self._y[b])) * DETOUR
            ride.at_stop_s = max(ride.at_stop_s, now_s) + round(away_m / WALK_M_S)
        self._log_promise(ride, command, True, now_s)
        self._take_promise(ride, command)

    def cancelled(self, command: CancelBooking, now_s: int) -> None:
        """Let the desk take a booking back; whoever is aboard gets off where the bus lets them."""
        ride = self._ride(command, now_s)
        if ride is not None and ride.state != ABOARD:
            self._withdraw(ride, "desk", command.reason, now_s)

    @staticmethod
    def _take_promise(ride: Ride, command: AnswerBooking | ChangePromise) -> None:
        ride.stop, ride.to_stop, ride.pickup_s, ride.arrive_s = (
            command.stop, command.to_stop, command.pickup_s, command.arrive_s,
        )  # fmt: skip

    def _log_promise(self, ride: Ride, command: AnswerBooking | ChangePromise, accepted: bool, now_s: int) -> None:
        self._log.add(
            BookingAnswered, t_s=now_s, booking=ride.booking, resident=ride.resident, accepted=accepted,
            reason=command.reason, place=command.stop, to_place=command.to_stop, promised_s=command.pickup_s,
            promised_arrival_s=command.arrive_s,
        )  # fmt: skip

    def _withdraw(self, ride: Ride, who: str, reason: str, now_s: int) -> None:
        """End a booking that somebody took back; a passenger already on the way to the stop walks."""
        self._log.add(BookingWithdrawn, t_s=now_s, booking=ride.booking, resident=ride.resident, who=who, reason=reason)
        if ride.state == COMING:
            self._walk(ride, now_s)
        self._forget(ride)

    def _forget(self, ride: Ride) -> None:
        self.rides.pop(ride.booking, None)

    # -- setting out (called by Journeys) ------------------------------------------------------------------

    def begin(self, resident: Ints, trip: Ints, origin: Ints, depart_s: Ints) -> tuple[Bools, Floats, Floats]:
        """Return which of these departures go by booked bus, with metres and expected seconds of the trip."""
        n = resident.size
        taken, distance, expected = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n)
        number = booking_number(resident, trip)
        mine = np.isin(number, np.fromiter(self.rides, dtype=np.int64, count=len(self.rides)))
        for i in np.flatnonzero(mine).tolist():
            ride, now = self.rides[int(number[i])], int(depart_s[i])
            if ride.state == ASKED:  # nobody answered in time
                self._tell.append((ride.booking, "left without an answer"))
                self._withdraw(ride, "resident", "left without an answer", now)
                continue
            if int(origin[i]) != ride.origin:
                self._tell.append((ride.booking, "is elsewhere"))
                self._miss(ride, now, "is elsewhere", walks=False)
                continue
            if self._stays_away(ride):
                self._miss(ride, now, "did not come", walks=False)
                continue
            walk = self._walk_s(ride.origin, ride.stop)
            ride.state = COMING
            ride.at_stop_s = max(now + walk, ride.pickup_s - EARLY_S)
            taken[i] = True
            distance[i] = float(self._people.travel.distance_m([ride.origin], [ride.destination])[0])
            expected[i] = max(ride.arrive_s - now, 0) + self._walk_s(ride.destination, ride.to_stop)
        return taken, distance, expected

    def _stays_away(self, ride: Ride) -> bool:
        return bool(self._stays.uniform(ride.resident, ride.trip)[0] < NO_LONGER)

    def _walk_s(self, block: int, stop: str) -> int:
        travel, k = self._people.travel, self._row[stop]
        row = int(travel.rows([block])[0])
        straight = np.hypot(travel.x_m[row] - self._x[k], travel.y_m[row] - self._y[k])
        return round(float(straight) * DETOUR / WALK_M_S)

    def _walk(self, ride: Ride, now_s: int, share: float = 1.0) -> None:
        """Let a passenger go the rest (``share`` of the way) on foot."""
        metres = float(self._people.travel.distance_m([ride.origin], [ride.destination])[0]) * share
        self._journeys.on_foot(ride.resident, now_s + round(metres / WALK_M_S))

    def _miss(self, ride: Ride, now_s: int, reason: str, walks: bool = True, share: float = 1.0) -> None:
        self._log.add(PassengerMissed, t_s=now_s, booking=ride.booking, resident=ride.resident, reason=reason)
        if walks:
            self._walk(ride, now_s, share)
        self._forget(ride)

    # -- at the stop and aboard ----------------------------------------------------------------------------

    def give_up(self, now_s: int) -> None:
        """Let those walk who have waited too long, and end bookings whose passengers never set out in time."""
        for ride in [r for r in self.rides.values() if r.state in (PROMISED, COMING)]:
            if now_s <= ride.pickup_s + PATIENCE_S:
                continue
            waiting = ride.state == COMING and ride.at_stop_s <= now_s
            reason = "gave up waiting" if waiting else "came late"
            self._tell.append((ride.booking, reason))
            self._miss(ride, now_s, reason, walks=ride.state == COMING)

    def waiting(self, booking: int, stop: str, now_s: int) -> bool:
        """Whether a passenger stands at a stop, ready to board."""
        ride = self.rides.get(booking)
        return ride is not None and ride.state == COMING and ride.stop == stop and ride.at_stop_s <= now_s

    def known(self, booking: int) -> bool:
        """Whether a booking was made and has not ended."""
        return booking in self.rides

    def aboard(self, unit: int) -> tuple[int, ...]:
        """Return the bookings that ride in a bus."""
        return tuple(r.booking for r in self.rides.values() if r.state == ABOARD and r.unit == unit)

    def load_of(self, unit: int) -> int:
        """Return how many people ride in a bus."""
        return sum(self.rides[b].party for b in self.aboard(unit))

    def board(self, booking: int, unit: int, now_s: int) -> None:
        """Let a passenger (and party) board."""
        ride = self.rides[booking]
        ride.state, ride.unit, ride.boarded_s = ABOARD, unit, now_s
        self._log.add(
            PassengerBoarded, t_s=now_s, booking=booking, resident=ride.resident, unit=unit, place=ride.stop,
            wait_s=now_s - ride.at_stop_s, late_s=now_s - ride.pickup_s,
        )  # fmt: skip

    def alight(self, booking: int, stop: str, now_s: int) -> None:
        """Let a passenger get off and walk to the destination."""
        ride = self.rides[booking]
        a, b = self._row[ride.stop], self._row[stop]
        self._log.add(
            PassengerAlighted, t_s=now_s, booking=booking, resident=ride.resident, unit=ride.unit, place=stop,
            ride_s=now_s - ride.boarded_s, direct_s=round(float(self._direct_s[a, b])), late_s=now_s - ride.arrive_s,
        )  # fmt: skip
        self._journeys.on_foot(ride.resident, now_s + self._walk_s(ride.destination, stop))
        self._forget(ride)

    def no_show(self, booking: int, now_s: int, reason: str) -> None:
        """End the booking of somebody whom the bus left behind; who has set out walks."""
        ride = self.rides.get(booking)
        if ride is not None:
            self._miss(ride, now_s, reason, walks=ride.state == COMING)

    def put_out(self, booking: int, now_s: int, reason: str) -> None:
        """End the ride of a passenger whose bus broke down: half of the way is left, on foot (assumed)."""
        self._miss(self.rides[booking], now_s, reason, share=0.5)

    def finish(self, end_s: int) -> None:
        """Account for every booking that is open at the end of the run."""
        words = {ASKED: "not answered at the end", PROMISED: "still to come at the end",
                 COMING: "still waiting at the end", ABOARD: "still aboard at the end"}  # fmt: skip
        for ride in list(self.rides.values()):
            self._miss(ride, end_s, words[ride.state], walks=False)
