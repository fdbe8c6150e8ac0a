"""The extension point of the bus desk: one method over a frozen view (F22).

The desk calls its policy with every booking request, with every booking that lost its bus, and without one every few
minutes. The policy answers with new sequences of stop visits for the buses it wants to change. The desk checks them
(seats, promises, hours, battery), gives and changes promises, and drives. A policy of one's own in ten lines::

    class FreeFirst:
        '''Whoever is done first takes the booking after everything else: a plain taxi rank.'''

        def plan(self, view):
            booking, best = view.request, {}
            for bus in view.buses if booking else ():
                on = Visit(booking.origin[0].stop, board=(booking.booking,))
                off = Visit(booking.destination[0].stop, alight=(booking.booking,))
                visits = (*bus.visits, on, off)
                if not fault(view, bus, visits):
                    best[bus.unit] = (timed(view, bus, visits).arrive_s[-1], visits)
            unit = min(best, key=best.get, default=None)
            return Plan({unit: best[unit][1]} if best else {})

``timed`` and ``fault`` are in :mod:`twin.control.mobility.bus.routes`. It is named in a scenario as
``policy: "mypkg.mymodule:FreeFirst"``, or in Python ``BusDesk(policy=FreeFirst())``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twin.domain.bus import BusRules

Row = tuple[float, ...]
"""Seconds or metres per stop, in the order of ``BusView.stops``; inf where there is no way."""


@dataclass(frozen=True)
class Visit:
    """A bus at a stop (row of ``BusView.stops``): who gets on, who gets off (bookings).

    It does not leave before ``depart_s`` (nor before the promised pick-up of those who get on), and stands at least
    ``layover_s``. ``run`` names the run of a timetable it belongs to. ``keep``: it is made even if nobody gets on
    or off.
    """

    stop: int
    board: tuple[int, ...] = ()
    alight: tuple[int, ...] = ()
    depart_s: int = 0
    layover_s: int = 0
    run: str = ""
    keep: bool = False


@dataclass(frozen=True)
class Walk:
    """A stop in reach on foot. Of an origin, ``at_s``: when one can be there; of a destination: the seconds to walk."""

    stop: int
    at_s: int


@dataclass(frozen=True)
class Booking:
    """A booking: party, and the stops it can use, the nearest first.

    ``due_s``: must be at the destination by then (-1: any time). Once it is promised, ``pickup_s`` is not negative:
    the bus is planned to come in [pickup_s, latest_s] to stop ``stop`` and to be at ``to_stop`` by ``arrive_s``. The
    customer was told a little later times (``told_s`` for the arrival), so that small delays keep the promise.
    """

    booking: int
    party: int
    wanted_s: int
    due_s: int
    origin: tuple[Walk, ...]
    destination: tuple[Walk, ...]
    stop: int = -1
    to_stop: int = -1
    pickup_s: int = -1
    latest_s: int = -1
    arrive_s: int = -1
    told_s: int = -1

    @property
    def promised(self) -> bool:
        """Whether the customer holds a promise."""
        return self.pickup_s >= 0


@dataclass(frozen=True)
class Bus:
    """A bus that may carry passengers in [free_s, until_s), and what it will do.

    ``free_s``: from then on its plan can be changed; it then is ``from_s`` seconds (``from_m`` metres) from each stop,
    has ``aboard`` (bookings) in it and ``energy_wh`` above its reserve. A bus under way is free at the stop it drives
    to: only that stop is in reach, and it stays its first visit. ``time_s``/``metre_m``: from stop to stop;
    ``home_s``/``home_m``: from the stops to its depot; ``out_s``/``out_m``: back. ``full_wh``: above the reserve when
    charged; ``wh_m`` and ``idle_w`` its use of it. Travel times include pulling out.
    """

    unit: int
    seats: int
    free_s: int
    until_s: int
    from_s: Row
    from_m: Row
    aboard: tuple[int, ...]
    visits: tuple[Visit, ...]
    under_way: bool
    at_home: bool
    time_s: tuple[Row, ...]
    metre_m: tuple[Row, ...]
    home_s: Row
    home_m: Row
    out_s: Row
    out_m: Row
    energy_wh: float
    full_wh: float
    wh_m: float
    idle_w: float


@dataclass(frozen=True)
class Line:
    """A line's timetable: stops (rows), seconds from the departure, departures in seconds of the day."""

    line: str
    stops: tuple[int, ...]
    offset_s: tuple[int, ...]
    depart_s: tuple[int, ...]


@dataclass(frozen=True)
class BusView:
    """What a policy sees. ``request``: the booking to be planned now, or None: look the plans through again.

    ``bookings``: all that are not ended, and the request; ``stops``: place ids; ``open``: whether each can be served.
    """

    now_s: int
    request: Booking | None
    buses: tuple[Bus, ...]
    bookings: Mapping[int, Booking]
    stops: tuple[str, ...]
    open: tuple[bool, ...]
    lines: tuple[Line, ...]
    rules: BusRules


@dataclass(frozen=True)
class Plan:
    """New visits of the buses that change (by unit). A request that is in none is refused with ``reason``."""

    routes: Mapping[int, tuple[Visit, ...]] = field(default_factory=dict)
    reason: str = "no seat in time"


class BusPolicy(Protocol):
    """Decides which bus visits which stops in which order."""

    def plan(self, view: BusView) -> Plan:
        """Return the plans that change. Pure: same view, same plan.

        Rules, checked by the desk: who is aboard gets off; who gets on gets off later; each booking has one bus; a
        bus ``under_way`` keeps its first stop; seats, promises, hours and battery hold (``routes.fault``).
        """
