"""The truth of buses in the made-up town, with residents who book and a test that steers."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.twin.world.fleets.curb import Curb, curb_town, ints, make_curb
from tests.twin.world.people.made_up_city import people
from twin.domain.bus import AnswerBooking, BookingRequest, ChangePromise, OpenDoors
from twin.world.fleets.passengers import Ride
from twin.world.people.model import PeopleModel

LINE = curb_town().bus_lines["stops"].tolist()  # of each direction
START_S = 7 * 3600


@cache
def residents() -> PeopleModel:
    """People whose day is planned; nobody may let them travel."""
    made = people(curb_town(), residents=12_000)
    made.plan_day(0, False)
    return made


class Walks:
    """In the place of Journeys: notes who reaches the destination on foot, and when."""

    def __init__(self) -> None:
        self.ended: list[tuple[int, int]] = []
        self.shuttles = None

    def on_foot(self, resident: int, end_s: int) -> None:
        self.ended.append((resident, end_s))


def bus_curb(units: int = 2, **part) -> Curb:
    part = {"adoption": 1.0, **part}
    return make_curb("bus", units=units, people=residents(), journeys=Walks(), start_s=START_S, **part)


def asked(curb: Curb, n: int) -> list[int]:
    """Let time pass until at least ``n`` have asked; return the first ``n`` bookings."""
    while len(numbers := [m.booking for m in curb.told if isinstance(m, BookingRequest)]) < n:
        curb.tick()
    return numbers[:n]


def ride(curb: Curb, booking: int) -> Ride:
    return curb.system._passengers.rides[booking]


def nearest(curb: Curb, block: int) -> str:
    """The stop nearest to a block."""
    p = curb.system._passengers
    travel = curb.context.people.travel
    return tuple(p._row)[int(np.hypot(p._x - travel.x_m[block], p._y - travel.y_m[block]).argmin())]


def promise(curb: Curb, booking: int, stop: str = "", to: str = "", pickup_s: int = -1):
    """Accept a booking, by default at the stops nearest to both ends."""
    if booking in curb.system._passengers.rides:
        stop = stop or nearest(curb, ride(curb, booking).origin)
        to = to or nearest(curb, ride(curb, booking).destination)
    stop, to = stop or LINE[0][0], to or LINE[0][1]
    pickup_s = curb.now_s + 1200 if pickup_s < 0 else pickup_s
    curb.do(AnswerBooking(f"a/{booking}", booking, True, stop, to, pickup_s, pickup_s + 900, 0, ""))


def postpone(curb: Curb, booking: int, pickup_s: int, stop: str = ""):
    stop, to = stop or ride(curb, booking).stop, ride(curb, booking).to_stop
    curb.do(ChangePromise(f"c/{booking}/{curb.now_s}", booking, stop, to, pickup_s, pickup_s + 900, 0, "late"))


def set_out(curb: Curb, bookings: list[int], origin: int | None = None) -> np.ndarray:
    """As Journeys does it at departure: who takes the bus."""
    p = curb.system._passengers
    rides = [p.rides[b] for b in bookings]
    where = [r.origin if origin is None else origin for r in rides]
    return p.begin(
        ints(*(r.resident for r in rides)), ints(*(r.trip for r in rides)), ints(*where),
        np.full(len(rides), curb.now_s),
    )[0]  # fmt: skip


def at_stop(curb: Curb, stop: str, row: int = 0) -> None:
    place = curb.context.city.place(stop)
    curb.units.put(row, int(place["road"]), float(place["pos_m"]))


def doors(curb: Curb, stop: str, board=(), alight=(), wait_s: int = 60, row: int = 0, not_before_s: int = 0):
    command = OpenDoors(
        f"d/{row}/{curb.now_s}", int(curb.units.number[row]), stop, ints(*board), ints(*alight), not_before_s,
        curb.now_s + wait_s,
    )  # fmt: skip
    return curb.do(command)
