"""Cheapest insertion of a booking into the visits of a bus, in O(n²) for n visits.

The insertion heuristic for dial-a-ride problems (Jaw, Odoni, Psaraftis, Wilson, 1986, *Transportation Research B*
20(3)), with the latest times at which each visit may be reached reckoned once (slack), so that a place in the
sequence is judged by following the delay only as far as it lasts.

cost = seconds of driving more + party · (w_wait · (pick-up − ready) + w_walk · walking + ride), in (person-)seconds
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from twin.control.mobility.bus.ports import Booking, Bus, BusView, Visit, Walk
from twin.control.mobility.bus.routes import Times, dwell_s, max_ride_s, need_s, ready_s, timed


@dataclass(frozen=True)
class Weights:
    """What a second of waiting and walking is worth in seconds of riding: about 2 in surveys (assumed 2)."""

    wait: float = 2.0
    walk: float = 2.0


@dataclass(frozen=True, order=True)
class Insertion:
    """A place in a plan: getting on at visit ``on`` (joining it, or as a new one before it), off at visit ``off``."""

    cost: float
    unit: int
    on: int
    on_joins: bool
    off: int
    off_joins: bool
    from_stop: int
    to_stop: int

    def visits(self, visits: tuple[Visit, ...], booking: int) -> tuple[Visit, ...]:
        """Return the visits with the booking in them."""
        out = list(visits)
        if self.off_joins:
            out[self.off] = replace(out[self.off], alight=(*out[self.off].alight, booking))
        else:
            out.insert(self.off, Visit(self.to_stop, alight=(booking,)))
        if self.on_joins:
            out[self.on] = replace(out[self.on], board=(*out[self.on].board, booking))
        else:
            out.insert(self.on, Visit(self.from_stop, board=(booking,)))
        return tuple(out)


@dataclass(frozen=True)
class Wish:
    """A booking between two stops: bounds in seconds. ``walk_s``: walking, to and from the stops together."""

    booking: Booking
    from_stop: int
    to_stop: int
    ready_s: int
    latest_s: int
    off_by_s: float
    walk_s: int


def wishes(view: BusView, booking: Booking, nearest: int) -> list[Wish]:
    """Return between which stops a booking may ride: as promised, or the ``nearest`` open ones at both ends."""
    if booking.promised:
        return [
            Wish(
                booking, booking.stop, booking.to_stop, booking.pickup_s, booking.latest_s, booking.arrive_s, 0
            )
        ]  # fmt: skip
    out = []
    for a in _open(view, booking.origin)[:nearest]:
        for b in _open(view, booking.destination)[:nearest]:
            if a.stop == b.stop:
                continue
            off_by = booking.due_s - b.at_s if booking.due_s >= 0 else math.inf
            walk = max(0, a.at_s - max(booking.wanted_s, booking.origin[0].at_s)) + b.at_s
            out.append(Wish(booking, a.stop, b.stop, a.at_s, a.at_s + view.rules.max_wait_s, off_by, walk))
    return out


def _open(view: BusView, walks: tuple[Walk, ...]) -> list[Walk]:
    return [w for w in walks if view.open[w.stop]]


class Slack:
    """The plan of a bus with what an insertion needs: times, latest arrivals, load and driving by visit."""

    def __init__(self, view: BusView, bus: Bus) -> None:
        self.view, self.bus = view, bus
        visits = bus.visits
        self.times: Times = timed(view, bus, visits)
        self.dwell = [dwell_s(view.rules, view.bookings, v) for v in visits]
        stands = bool(visits) and bus.from_s[visits[0].stop] == 0 and not bus.under_way
        lay = [0 if stands and k == 0 else v.layover_s for k, v in enumerate(visits)]
        self.stay = [max(d, s) for d, s in zip(self.dwell, lay, strict=True)]
        self.need = [need_s(view.bookings, v) for v in visits]
        self.stop = [v.stop for v in visits]
        n = len(visits)
        self.latest = [math.inf] * n
        after = math.inf
        for k in range(n - 1, -1, -1):
            way = bus.home_s[self.stop[k]] if k == n - 1 else bus.time_s[self.stop[k]][self.stop[k + 1]]
            leave_by = (bus.until_s if k == n - 1 else after) - way
            bound = leave_by - self.stay[k]
            for b in visits[k].board:
                bound = min(bound, view.bookings[b].latest_s)
            for b in visits[k].alight:
                bound = min(bound, view.bookings[b].arrive_s - self.dwell[k])
            # a plan that is late already may not become later
            after = self.latest[k] = max(bound, self.times.arrive_s[k])
        party = {b: view.bookings[b].party for b in bus.aboard}
        load = sum(party.values())
        self.load_before = [load]
        for v in visits:
            load += sum(view.bookings[b].party for b in v.board) - sum(view.bookings[b].party for b in v.alight)
            self.load_before.append(load)
        self.base = [0.0] * (n + 1)  # driving into visit k; the last: home
        for k in range(n):
            self.base[k] = bus.from_s[self.stop[0]] if k == 0 else bus.time_s[self.stop[k - 1]][self.stop[k]]
        self.base[n] = bus.home_s[self.stop[-1]] if n else 0.0

    def best(self, wish: Wish, weights: Weights) -> Insertion | None:
        """Return the cheapest place for a booking that keeps seats, hours and every promise; battery not looked at."""
        return min(self._places(wish, weights), default=None)

    def _places(self, wish: Wish, weights: Weights) -> Iterator[Insertion]:
        bus, view, n = self.bus, self.view, len(self.stop)
        party = wish.booking.party
        if party > bus.seats or not math.isfinite(bus.time_s[wish.from_stop][wish.to_stop]):
            return
        if wish.booking.promised:
            ride_max = math.inf
        else:
            ride_max = max_ride_s(view.rules, bus.time_s[wish.from_stop][wish.to_stop])
        more_s = view.rules.person_s * party
        new_s = view.rules.dwell_s + more_s
        begin = max(bus.free_s, view.now_s)
        for k in range(n + 1):
            if k < n and wish.ready_s > self.latest[k] and self.stop[k] != wish.from_stop:
                continue  # visit k must be reached before anybody could board for this booking
            left = self.times.leave_s[k - 1] if k else begin
            if left > wish.latest_s:
                break
            # a new visit before visit k
            way = bus.time_s[self.stop[k - 1]][wish.from_stop] if k else bus.from_s[wish.from_stop]
            arrive = left + way
            if arrive <= wish.latest_s and self.load_before[k] + party <= bus.seats:
                pick = max(arrive, wish.ready_s)
                leave = max(arrive + new_s, wish.ready_s)
                yield from self._drop(wish, weights, ride_max, more_s, pick, leave, k, way, (k, False))
            # joining visit k
            if k < n and self.stop[k] == wish.from_stop and self.load_before[k + 1] + party <= bus.seats:
                arrive = self.times.arrive_s[k]
                if arrive <= wish.latest_s:
                    stay = self._longer(k, more_s)
                    pick = max(arrive, wish.ready_s)
                    leave = max(arrive + stay, self.need[k], wish.ready_s)
                    if self._in_time(k, arrive, stay):
                        yield from self._drop(
                            wish, weights, ride_max, more_s, pick, leave, k + 1, self.base[k], (k, True)
                        )

    def _longer(self, k: int, more_s: int) -> int:
        """Return how long visit k takes with more people at it."""
        opens_s = 0 if self.dwell[k] else self.view.rules.dwell_s
        return max(self.dwell[k] + opens_s + more_s, self.stay[k])

    def _in_time(self, k: int, arrive: float, dwell: float) -> bool:
        """Return whether those who get off at visit k still do so as promised when it takes ``dwell``."""
        return all(
            arrive + dwell <= max(self.view.bookings[b].arrive_s, self.times.arrive_s[k] + self.dwell[k])
            for b in self.bus.visits[k].alight
        )

    def _drop(
        self, wish: Wish, weights: Weights, ride_max: float, more_s: int, pick: float, leave: float, first: int,
        driven: float, on: tuple[int, bool],
    ) -> Iterator[Insertion]:  # fmt: skip
        """Yield the places to get off from visit ``first`` on, the bus leaving the pick-up at ``leave``."""
        bus, n = self.bus, len(self.stop)
        to, party = wish.to_stop, wish.booking.party
        ready = min(wish.ready_s, pick)
        new_s = self.view.rules.dwell_s + more_s
        at = wish.from_stop
        base = self.base[first - 1] if on[1] else 0.0  # driving into the last original visit, already in ``driven``
        extra = driven - base
        for j in range(first, n + 1):
            # a new visit before visit j
            arrive = leave + bus.time_s[at][to]
            ride = arrive - pick
            if ride > ride_max or arrive > wish.off_by_s:
                return  # later places are later still
            way_on = bus.home_s[to] if j == n else bus.time_s[to][self.stop[j]]
            then = arrive + new_s + way_on
            if arrive + new_s <= wish.off_by_s and then <= (bus.until_s if j == n else self.latest[j]):
                cost = extra + bus.time_s[at][to] + way_on - self.base[j]
                yield self._made(wish, weights, cost, pick - ready, ride, party, on, (j, False))
            if j == n:
                return
            # driving on to visit j with the passenger aboard
            way = bus.time_s[at][self.stop[j]]
            arrive = leave + way
            if arrive > self.latest[j]:
                return
            extra += way - self.base[j]
            stay = self.stay[j]
            if self.stop[j] == to and arrive - pick <= ride_max:
                long = self._longer(j, more_s)
                left = max(arrive + long, self.need[j])
                way_on = bus.home_s[to] if j == n - 1 else bus.time_s[to][self.stop[j + 1]]
                if (
                    arrive + long <= wish.off_by_s
                    and self._in_time(j, arrive, long)
                    and left + way_on <= (bus.until_s if j == n - 1 else self.latest[j + 1])
                ):
                    yield self._made(wish, weights, extra, pick - ready, arrive - pick, party, on, (j, True))
            if self.load_before[j + 1] + party > bus.seats:
                return
            leave = max(arrive + stay, self.need[j])
            at = self.stop[j]

    def _made(
        self, wish: Wish, weights: Weights, drive: float, wait: float, ride: float, party: int, on: tuple[int, bool],
        off: tuple[int, bool],
    ) -> Insertion:  # fmt: skip
        cost = drive + party * (weights.wait * wait + weights.walk * wish.walk_s + ride)
        return Insertion(cost, self.bus.unit, on[0], on[1], off[0], off[1], wish.from_stop, wish.to_stop)


def cost_of(view: BusView, bus: Bus, visits: tuple[Visit, ...], wish: Wish, weights: Weights, drive: float) -> float:
    """Return the cost of a finished plan with the booking in it, ``drive`` seconds more than without: the plain way.

    Used to check the quick one above.
    """
    times, b = timed(view, bus, visits), wish.booking.booking
    on = next(k for k, v in enumerate(visits) if b in v.board)
    off = next(k for k, v in enumerate(visits) if b in v.alight)
    pick = max(times.arrive_s[on], ready_s(wish.booking, wish.from_stop))
    ride, wait = times.arrive_s[off] - pick, pick - wish.ready_s
    return drive + wish.booking.party * (weights.wait * wait + weights.walk * wish.walk_s + ride)
