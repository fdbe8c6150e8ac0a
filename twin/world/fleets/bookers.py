"""Residents who book an autonomous bus in the app: for which trips, and when they ask.

A trip can be booked when both of its ends are within walking distance of a stop, it is long enough, and the
resident would otherwise walk, take a bus or be driven – nobody leaves a bicycle or car of the same tour behind.
Who uses the app is one draw per resident, how long ahead one draw per trip: one more resident changes nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.world.people.model import PeopleModel
from twin.world.people.ports import BUS, PASSENGER, WALK

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SHORTEST_M = 900.0  # along streets; nobody books a ride for less (assumed)
LEAD_S = (600, 5400)  # how long before setting out people book: evenly between these (assumed)
PARTY = (0.84, 0.13, 0.03)  # share of bookings for one, two, three people (assumed)
MODES = (WALK, BUS, PASSENGER)
DETOUR = 1.3  # way on foot against the straight line (assumed; 4/π on a grid)


@dataclass(frozen=True)
class Wishes:
    """Trips that will be booked, by the second of asking: equal-length columns."""

    booking: Ints
    resident: Ints
    trip: Ints
    party: Ints
    origin: Ints
    destination: Ints
    ask_s: Ints
    wanted_s: Ints
    due_s: Ints

    def __len__(self) -> int:
        return len(self.booking)


def booking_number(resident: Ints, trip: Ints) -> Ints:
    """Return the number of the booking for a trip of a resident (a trip is booked at most once)."""
    return np.asarray(resident * 1024 + trip, dtype=np.int64)


class Bookers:
    """Who books today; stops are points in local metres."""

    def __init__(
        self, people: PeopleModel, dice: Dice, stop_x_m: Floats, stop_y_m: Floats, max_walk_m: float, adoption: float
    ) -> None:
        self._people = people
        self._draw = {what: dice.stream(f"bus.{what}") for what in ("app", "lead", "party")}
        travel = people.travel
        x, y = travel.x_m[: travel.n_blocks], travel.y_m[: travel.n_blocks]
        self.near = np.zeros(travel.n_blocks, dtype=bool)
        for sx, sy in zip(stop_x_m.tolist(), stop_y_m.tolist(), strict=True):
            self.near |= np.hypot(x - sx, y - sy) * DETOUR <= max_walk_m
        count = people.population.residents
        self._uses_app = self._draw["app"].uniform(np.arange(count)) < adoption

    def today(self, from_s: int) -> Wishes:
        """Return the bookings of the trips that are planned and not begun, asked for at ``from_s`` or later.

        Whose trip is too near at ``from_s`` to book it ahead does not.
        """
        p, t = self._people, self._people.trips
        rows = t.row.astype(np.int64)
        ok = (rows < p.population.residents) & (t.origin >= 0) & (t.destination >= 0)
        ok &= np.isin(t.mode, MODES) & (t.planned_s >= from_s + LEAD_S[0])
        k = np.flatnonzero(ok)
        k = k[self._uses_app[rows[k]]]
        k = k[self.near[t.origin[k]] & self.near[t.destination[k]]]
        if k.size:
            k = k[p.travel.distance_m(t.origin[k], t.destination[k]) >= SHORTEST_M]
        who, trip = rows[k], t.trip[k].astype(np.int64)
        u = self._draw["lead"].uniform(who, trip)
        planned = t.planned_s[k].astype(np.int64)
        lead = np.rint(LEAD_S[0] + u * (LEAD_S[1] - LEAD_S[0])).astype(np.int64)
        ask = np.maximum(planned - lead, from_s)
        party = 1 + np.searchsorted(np.cumsum(PARTY), self._draw["party"].uniform(who, trip), side="right")
        booking = booking_number(who, trip)
        order = np.lexsort((booking, ask))
        columns = (
            booking, who, trip, np.minimum(party, len(PARTY)), t.origin[k].astype(np.int64),
            t.destination[k].astype(np.int64), ask, planned, t.due_s[k].astype(np.int64),
        )  # fmt: skip
        return Wishes(*(np.asarray(c, dtype=np.int64)[order] for c in columns))
