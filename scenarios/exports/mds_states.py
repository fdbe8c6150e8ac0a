"""One robot's day as Mobility Data Specification events and trips: the state machine of mode ``delivery-robots``.

A *delivery* trip is one order on its way to its customer: from setting out towards that stop to the end of the
hand-over. A tour over several customers is a chain of such trips under one journey id, as in the second example of
the specification's page; the orders handed over at one stop are trips side by side. A hand-over that fails ends its
trip with ``provider_cancellation``, and the next try is another trip. The way without a customer ahead is a *return*
trip; by the specification it does not count for the vehicle's state, which is then ``available``.

=================================  ==========================================================================
in the twin                        vehicle state, and the event that leads to it
=================================  ==========================================================================
within service hours, standing by  available: service_start, trip_end
charging, broken, outside hours    non_operational: service_end
an order is being put in           reserved: reservation_start
it is in                           stopped: reservation_stop, order_pick_up
on the way to the customer         on_trip: trip_start
minimal-risk stop on that way      stopped: trip_pause; then on_trip: trip_resume
at the customer's                  stopped: order_drop_off
the link is lost                   non_contactable: comms_lost
=================================  ==========================================================================

When a link is back, the state before it was lost comes first (comms_restored), then what happened in between, with
the time at which it became known, as the specification asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Trips = tuple["Errand", ...]


class Moment(NamedTuple):
    """One fact about a unit: second, kind of fact, its fields."""

    t_s: int
    fact: str
    values: dict[str, Any]


class Errand(NamedTuple):
    """One try to bring an order; ``order`` -1: a way back, counted by ``attempt``."""

    order: int
    attempt: int


@dataclass(frozen=True)
class Happening:
    """One event: when it became known, and the ``happened_s`` that it tells of."""

    t_s: int
    happened_s: int
    state: str
    types: tuple[str, ...]
    errands: Trips


@dataclass(frozen=True)
class Ride:
    """One trip: of ``kind`` delivery or return, with the metres of its legs (-1: not known)."""

    kind: str
    errand: Errand
    journey: int
    from_s: int
    to_s: int
    metres: float
    helped: bool
    payload: bool


@dataclass
class UnitDay:
    """Follows one unit through its facts; ``open_at(t_s)`` says whether a second lies within service hours."""

    open_at: Callable[[int], bool]
    happenings: list[Happening] = field(default_factory=list)
    rides: list[Ride] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._state = ""
        self._errands: Trips = ()
        self._attempts: dict[int, int] = {}
        self._aboard: dict[int, None] = {}
        self._journey = 0
        self._began_s = 0  # of the present trips, or of the way back
        self._metres = 0.0
        self._legs_open = False  # a leg was begun that is not over: its metres are not known
        self._back = False
        self._helped = self._payload = False
        self._paused = False
        self._broken = self._charging = False
        self._held: list[Happening] | None = None
        self._backs = 0

    # -- the facts, one after the other ------------------------------------------------------------------------

    def follow(self, moments: Sequence[Moment]) -> UnitDay:
        """Take the facts of one unit in order of time; ``opening`` moments say that hours begin or end."""
        for i, moment in enumerate(moments):
            ahead = moments[i:]
            if moment.fact in _STEPS:
                _STEPS[moment.fact](self, moment, ahead)
                self._settle(moment.t_s)
        return self

    @property
    def running(self) -> tuple[Trips, int]:
        """The trips that run at the end, as far as is known, and the number of their journey."""
        return (self._errands if self._held is None else self._known[1]), self._journey

    @property
    def known_rides(self) -> list[Ride]:
        """The trips whose end is known: not those that ended while the link was lost to the end of the run."""
        if self._held is None:
            return self.rides
        return [r for r in self.rides if r.to_s <= self._lost_s]

    def _deployed(self, moment: Moment, _: Sequence[Moment]) -> None:
        ready = self.open_at(moment.t_s)
        self._go(moment.t_s, "available" if ready else "non_operational", "service_start" if ready else "service_end")

    def _changed(self, moment: Moment, ahead: Sequence[Moment]) -> None:
        state, t_s = moment.values["state"], moment.t_s
        self._charging = state == "charging"
        if state == "driving" and self._paused:
            self._resume(t_s)
        if state != "serving":
            return
        if self._state == "on_trip":
            self._go(t_s, "stopped", "order_drop_off")
        elif self._state in ("available", "non_operational") and (loaded := _loads_next(ahead)):
            self._reserve(t_s, self._next_errands(ahead, loaded))

    def _loaded(self, moment: Moment, ahead: Sequence[Moment]) -> None:
        orders = _same(ahead, "OrderLoaded", moment.t_s)
        self._aboard[moment.values["order"]] = None
        if moment.values["order"] != orders[0]:
            return
        if self._state in ("available", "non_operational"):
            self._reserve(moment.t_s, self._next_errands(ahead, orders))
        if self._state == "reserved":
            self._journey += 1
            self._go(moment.t_s, "stopped", "reservation_stop", "order_pick_up")

    def _departed(self, moment: Moment, ahead: Sequence[Moment]) -> None:
        if self._state == "on_trip":
            self._legs_open = True
            return  # sent another way
        errands = self._bound_for(ahead)
        if not errands:
            self._cancel(moment.t_s)
            if not self._back:
                self._back, self._began_s, self._metres = True, moment.t_s, 0.0
                self._payload = bool(self._aboard)
            self._legs_open = True
            return
        self._close_return(moment.t_s)
        if self._state == "stopped" and self._errands != errands:
            self._cancel(moment.t_s)
        if self._state != "stopped":
            self._reserve(moment.t_s, errands)
            self._go(moment.t_s, "stopped", "reservation_stop")
        self._begin(moment.t_s)

    def _arrived(self, moment: Moment, _: Sequence[Moment]) -> None:
        self._metres += max(float(moment.values["distance_m"]), 0.0)
        self._legs_open = False
        self._close_return(moment.t_s)

    def _delivered(self, moment: Moment, ahead: Sequence[Moment]) -> None:
        self._aboard.pop(moment.values["order"], None)
        self._handed(moment, ahead)

    def _failed(self, moment: Moment, ahead: Sequence[Moment]) -> None:
        self._handed(moment, ahead)

    def _returned(self, moment: Moment, _: Sequence[Moment]) -> None:
        self._aboard.pop(moment.values["order"], None)
        self._cancel(moment.t_s)

    def _halted(self, moment: Moment, _: Sequence[Moment]) -> None:
        if self._state == "on_trip":
            self._go(moment.t_s, "stopped", "trip_pause")
            self._paused = True

    def _resumed(self, moment: Moment, _: Sequence[Moment]) -> None:
        if self._paused:
            self._resume(moment.t_s)

    def _assisted(self, _: Moment, __: Sequence[Moment]) -> None:
        self._helped = True

    def _breaks(self, moment: Moment, _: Sequence[Moment]) -> None:
        self._broken = True
        self._close_return(moment.t_s)
        if self._state == "on_trip":
            self._go(moment.t_s, "stopped", "trip_pause")
        self._cancel(moment.t_s)

    def _repaired(self, _: Moment, __: Sequence[Moment]) -> None:
        self._broken = False

    def _lost(self, moment: Moment, _: Sequence[Moment]) -> None:
        if self._held is None:
            self.happenings.append(Happening(moment.t_s, moment.t_s, "non_contactable", ("comms_lost",), ()))
            self._held, self._lost_s = [], moment.t_s
            self._known = (self._state, self._errands)

    def _restored(self, moment: Moment, _: Sequence[Moment]) -> None:
        if self._held is None:
            return
        held, self._held = self._held, None
        state, errands = self._known
        self.happenings.append(Happening(moment.t_s, moment.t_s, state, ("comms_restored",), errands))
        self.happenings += [Happening(moment.t_s, h.happened_s, h.state, h.types, h.errands) for h in held]

    def _hours(self, _: Moment, __: Sequence[Moment]) -> None:
        """Hours begin or end: what follows is settled after every moment."""

    # -- what they mean ----------------------------------------------------------------------------------------

    def _go(self, t_s: int, state: str, *types: str) -> None:
        self._state = state
        out = self.happenings if self._held is None else self._held
        errands = self._errands if state in ("reserved", "stopped", "on_trip") else ()
        out.append(Happening(t_s, t_s, state, types, errands))

    def _end(self, t_s: int, errands: Trips, *types: str) -> None:
        """End the present trips: the state is ``available``, the event names the trips that ended."""
        self._state = "available"
        out = self.happenings if self._held is None else self._held
        out.append(Happening(t_s, t_s, "available", types, errands))
        self._errands, self._paused, self._helped = (), False, False

    def _settle(self, t_s: int) -> None:
        """Go out of service when it is time, or come back."""
        fit = self.open_at(t_s) and not self._broken and not self._charging
        if self._state == "available" and not fit:
            self._go(t_s, "non_operational", "service_end")
        elif self._state == "non_operational" and fit:
            self._go(t_s, "available", "service_start")

    def _reserve(self, t_s: int, errands: Trips) -> None:
        if self._state == "non_operational":
            self._go(t_s, "available", "service_start")
        self._errands = errands
        self._go(t_s, "reserved", "reservation_start")

    def _begin(self, t_s: int) -> None:
        for errand in self._errands:
            self._attempts[errand.order] = errand.attempt
        self._began_s, self._metres, self._legs_open = t_s, 0.0, True
        self._go(t_s, "on_trip", "trip_start")

    def _resume(self, t_s: int) -> None:
        self._paused = False
        if self._state == "stopped":
            self._go(t_s, "on_trip", "trip_resume")

    def _handed(self, moment: Moment, ahead: Sequence[Moment]) -> None:
        """End the trips of a stop, at the first fact of its hand-over."""
        t_s = moment.t_s
        done = _same(ahead, "OrderDelivered", t_s)
        missed = _same(ahead, "HandOverFailed", t_s)
        if not self._set_out:  # handed over where it stands
            if (done + missed)[0] in self._ended_at(t_s):
                return
            here = self._tries(done + missed)
            if self._errands != here:
                self._cancel(t_s)
            if self._state != "stopped":
                if self._state != "reserved":
                    self._reserve(t_s, here)
                self._go(t_s, "stopped", "reservation_stop")
            self._begin(t_s)
            self._legs_open = False
        if self._state == "on_trip":
            self._go(t_s, "stopped", "order_drop_off")
        self._ride(t_s)
        types = ("trip_end",) * bool(done) + ("provider_cancellation",) * bool(missed)
        self._end(t_s, self._errands, *types)

    @property
    def _set_out(self) -> bool:
        """Whether the robot has set out on its present trips."""
        return bool(self._errands) and all(self._attempts.get(e.order) == e.attempt for e in self._errands)

    def _ended_at(self, t_s: int) -> set[int]:
        """Return the orders whose trips ended in this second."""
        return {r.errand.order for r in self.rides if r.to_s == t_s}

    def _ride(self, t_s: int) -> None:
        metres = -1.0 if self._legs_open else self._metres
        for errand in self._errands:
            self.rides.append(Ride("delivery", errand, self._journey, self._began_s, t_s, metres, self._helped, True))

    def _cancel(self, t_s: int) -> None:
        """End what is reserved or under way without a hand-over."""
        if self._state not in ("reserved", "stopped", "on_trip"):
            return
        if self._state == "on_trip":
            self._go(t_s, "stopped", "trip_pause")
        if self._set_out:
            self._ride(t_s)
        self._end(t_s, self._errands, "provider_cancellation")

    def _close_return(self, t_s: int) -> None:
        if self._back:
            self._back = False
            metres = -1.0 if self._legs_open else self._metres
            self._backs += 1
            nobody = Errand(-1, self._backs)
            self.rides.append(
                Ride("return", nobody, self._journey, self._began_s, t_s, metres, self._helped, self._payload)
            )
            self._helped = False

    # -- looking ahead -----------------------------------------------------------------------------------------

    def _tries(self, orders: Sequence[int]) -> Trips:
        return tuple(Errand(o, self._attempts.get(o, 0) + 1) for o in dict.fromkeys(orders))

    def _bound_for(self, ahead: Sequence[Moment]) -> Trips:
        """Return the trips that begin with the departure ``ahead[0]``: those of the hand-over that it leads to."""
        if ahead[0].values["task"] == "home":
            return ()
        for moment in ahead[1:]:
            if moment.fact in ("OrderDelivered", "HandOverFailed"):
                orders = _same(ahead, "OrderDelivered", moment.t_s) + _same(ahead, "HandOverFailed", moment.t_s)
                return self._tries(orders)
            if moment.fact in ("OrderReturned", "OrderLoaded", "OrderTransferred"):
                return ()
            if moment.fact == "UnitBroke":
                break
        # nothing was handed over: it broke down, or the run ended, on the way
        if not self._aboard:
            return ()
        return self._errands if self._state == "stopped" else self._tries(tuple(self._aboard))

    def _next_errands(self, ahead: Sequence[Moment], loaded: Sequence[int]) -> Trips:
        """Return the trips that a loading is for: those that the next departure begins, else one per order."""
        aboard, self._aboard = self._aboard, {**self._aboard, **dict.fromkeys(loaded)}
        try:
            for k, moment in enumerate(ahead):
                if moment.fact == "UnitDeparted":
                    return self._bound_for(ahead[k:]) or self._tries(loaded)
            return self._tries(loaded)
        finally:
            self._aboard = aboard


_STEPS: dict[str, Callable[[UnitDay, Moment, Sequence[Moment]], None]] = {
    "UnitDeployed": UnitDay._deployed,
    "UnitChanged": UnitDay._changed,
    "OrderLoaded": UnitDay._loaded,
    "UnitDeparted": UnitDay._departed,
    "UnitArrived": UnitDay._arrived,
    "OrderDelivered": UnitDay._delivered,
    "HandOverFailed": UnitDay._failed,
    "OrderReturned": UnitDay._returned,
    "UnitHalted": UnitDay._halted,
    "UnitResumed": UnitDay._resumed,
    "AssistBegan": UnitDay._assisted,
    "UnitBroke": UnitDay._breaks,
    "UnitRepaired": UnitDay._repaired,
    "LinkLost": UnitDay._lost,
    "LinkRestored": UnitDay._restored,
    "opening": UnitDay._hours,
    "OrderTransferred": UnitDay._returned,
}
#: the kinds of fact that a unit's day is made of
FACTS = tuple(name for name in _STEPS if name != "opening")


def _same(ahead: Sequence[Moment], fact: str, t_s: int) -> list[int]:
    """Return the orders of all facts of one kind at one second, from ``ahead`` on."""
    out = []
    for moment in ahead:
        if moment.t_s > t_s:
            break
        if moment.fact == fact and moment.t_s == t_s:
            out.append(int(moment.values["order"]))
    return out


def _loads_next(ahead: Sequence[Moment]) -> list[int]:
    """Return the orders that are being put in while a unit serves (``ahead[0]``); none if it does something else."""
    for moment in ahead[1:]:
        if moment.fact == "OrderLoaded":
            return _same(ahead, "OrderLoaded", moment.t_s)
        if moment.fact == "UnitChanged" and moment.values["state"] != "serving":
            return []
    return []
