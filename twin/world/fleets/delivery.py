"""The last mile in truth: orders come in, parcels are loaded, handed over, brought back (F23, F24).

Every order is at exactly one place: ``shop`` (being packed), ``depot``, a unit, ``delivered``
or ``refused``. The desk's commands move them; what cannot be done is refused with a reason and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from twin.domain.commands import Command
from twin.domain.delivery import (
    AnswerOrder,
    DeliveryRules,
    GiveUpOrder,
    HandOver,
    LoadOrders,
    OrdersPlaced,
    ReturnOrders,
)
from twin.domain.messages import Message
from twin.domain.mobility import PARKED, SERVING, Places
from twin.errors import ControlError, ScenarioError
from twin.events import (
    HandOverFailed,
    OrderAnswered,
    OrderDelivered,
    OrderGivenUp,
    OrderLoaded,
    OrderOpen,
    OrderPlaced,
    OrderReturned,
    OrderTransferred,
    ServiceDay,
)
from twin.world.fleets.handover import SERVICES, Lockers, Outcome, Recipients
from twin.world.fleets.orders import DAY_S, Demand, Orders, Stops, blocks_around
from twin.world.fleets.ports import FleetContext

Ints = npt.NDArray[np.int64]

LOCKER_PLACES = ("community_centre", "service_point", "market", "shop")  # where lockers stand (assumed)
LOCKER_SLOTS = 60  # of one parcel locker (assumed; common cabinets have 40 to 100)
WAIT_S = 300  # a carrier waits for a recipient at most (assumed)
ASSIST_S = 900  # a remote operator not heard of for so long is taken to be free (assumed)
LOCKER_M = 500.0  # how far a parcel may be left from its customer's door (assumed)
PLAN_S = 30  # the desk plans at most so often
_ENDED = ("delivered", "refused")


@dataclass(slots=True)
class _Parcel:
    """One order: who, where to, and where it is."""

    customer: int
    block: int
    size: int
    placed_s: int
    ready_s: int
    due_s: int
    road: int
    locker: bool
    where: str = "shop"
    attempts: int = 0
    answered: bool = False
    given_up: bool = False


@dataclass(slots=True)
class _Work:
    """What a unit does where it stands, until when; ``ends`` is called then."""

    until_s: int
    ends: Callable[[int], None]
    dock: int = -1  # the depot whose dock it takes


@dataclass(frozen=True, slots=True)
class _Load:
    """A unit that waits for a dock."""

    row: int
    depot: int
    command: LoadOrders


class DeliverySystem:
    """Parcels, depots' docks, lockers and recipients of one fleet (robots, or couriers as the baseline)."""

    def __init__(self, context: FleetContext) -> None:
        c = context
        assert c.scenario.delivery is not None
        self._c, self._scenario = c, c.scenario.delivery
        self.fleet = "robot" if self._scenario.by == "robots" else "courier"
        self._service = SERVICES[self.fleet]
        city = c.city
        blocks = blocks_around(city, self._scenario.area, self._scenario.radius_m)
        if blocks.size == 0:
            raise ScenarioError(
                f"delivery.area: no building block within {self._scenario.radius_m:g} m of"
                f" {', '.join(self._scenario.area)}"
            )
        self._stops = Stops.of(city, blocks)
        self._demand = Demand(
            city, c.dice, c.people, blocks, self._scenario.orders_per_day, self._scenario.locker_share
        )
        self._recipients = Recipients(c.dice, c.people)
        self._lockers, self._locker_places = self._build_lockers()
        self._depots = c.depots.of("delivery")
        self._parcels: dict[int, _Parcel] = {}
        self._aboard: dict[int, list[int]] = {}
        self._work: dict[int, _Work] = {}
        self._queue: list[_Load] = []
        self._today: Orders | None = None
        self._day, self._next = -1, 0

    # -- what the desk is told -----------------------------------------------------------------------------

    def begin(self, now_s: int) -> list[Message]:
        """Return the rules of the service and the lockers."""
        s = self._scenario
        return [
            DeliveryRules(
                t_s=now_s,
                key="delivery/rules",
                fleet=self.fleet,
                purpose="goods" if self.fleet == "robot" else "",
                from_s=s.start,
                until_s=s.end,
                promise_s=s.promise_min * 60,
                operators=self._operators,
                assist_s=ASSIST_S,
                max_attempts=2,
                retry_s=900,
                wait_s=WAIT_S,
                locker_m=LOCKER_M,
                load_s=self._service.load_s,
                load_order_s=round(self._service.load_each_s),
                hand_s=round(self._service.come_mean_s * 1.5),
                hand_order_s=self._service.each_s,
                plan_s=PLAN_S,
            ),
            *self._locker_places,
        ]

    def _build_lockers(self) -> tuple[Lockers, list[Message]]:
        city = self._c.city
        stops = self._stops
        places = city.places[city.places["kind"].isin(LOCKER_PLACES)]
        x, y = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
        margin = 50.0
        inside = (x >= stops.x_m.min() - margin) & (x <= stops.x_m.max() + margin)
        inside &= (y >= stops.y_m.min() - margin) & (y <= stops.y_m.max() + margin)
        places, x, y = places[inside], x[inside], y[inside]
        ids = tuple(places["place"].tolist())
        slots = np.full(len(ids), LOCKER_SLOTS, dtype=np.int64)
        self._locker_road = dict(zip(ids, places["road"].to_numpy(np.int64).tolist(), strict=True))
        if not ids:
            return Lockers(self._c.dice, (), slots), []
        message = Places(
            t_s=self._c.start_s,
            key="delivery/lockers",
            kind="locker",
            place=ids,
            name=tuple(places["name"].tolist()),
            road=places["road"].to_numpy(np.int64),
            pos_m=places["pos_m"].to_numpy(np.float64),
            x_m=x,
            y_m=y,
            size=slots,
            from_s=np.zeros(len(ids), dtype=np.int64),
            until_s=np.full(len(ids), DAY_S, dtype=np.int64),
        )
        return Lockers(self._c.dice, ids, slots), [message]

    def tick(self, now_s: int) -> list[Message]:
        """Finish what is done by now, and return the orders that came in since the last tick."""
        for row in sorted(r for r, work in self._work.items() if work.until_s <= now_s):
            work = self._work.pop(row)
            work.ends(work.until_s)
        self._serve_docks(now_s)
        return self._new_orders(now_s)

    def _new_orders(self, now_s: int) -> list[Message]:
        day = now_s // DAY_S
        out: list[Message] = []
        if day != self._day:
            if self._today is not None:
                out += self._take_in(self._today.rows(slice(self._next, None)), now_s)
            self._today = self._demand.day(day, self._c.scenario.is_weekend(day))
            late = int(np.searchsorted(self._today.placed_s, self._c.start_s)) if self._day < 0 else 0
            self._day, self._next = day, late
            self._open_day(day, now_s)
        assert self._today is not None
        until = int(np.searchsorted(self._today.placed_s, now_s))
        if until > self._next:
            out += self._take_in(self._today.rows(slice(self._next, until)), now_s)
            self._next = until
        return out

    def _open_day(self, day: int, now_s: int) -> None:
        s = self._scenario
        begin, end = day * DAY_S + s.start, day * DAY_S + s.end
        duty_s = max(0, min(end, self._c.end_s) - max(begin, self._c.start_s))
        units = int(self._c.units.rows(self.fleet).size)
        self._c.log.add(
            ServiceDay, t_s=now_s, fleet=self.fleet, units=units, operators=self._operators, duty_h=duty_s / 3600.0
        )

    @property
    def _operators(self) -> int:
        s = self._scenario
        return -(-s.units // s.robots_per_operator) if self.fleet == "robot" else 0

    def _take_in(self, new: Orders, now_s: int) -> list[Message]:
        if len(new) == 0:
            return []
        at = self._stops.row(new.block)
        s = self._stops
        due = new.placed_s + self._scenario.promise_min * 60
        for i, order in enumerate(new.order.tolist()):
            self._parcels[order] = _Parcel(
                int(new.customer[i]), int(new.block[i]), int(new.size[i]), int(new.placed_s[i]),
                int(new.ready_s[i]), int(due[i]), int(s.road[at[i]]), bool(new.locker[i]),
            )  # fmt: skip
        self._c.log.add(
            OrderPlaced,
            t_s=new.placed_s,
            order=new.order,
            customer=new.customer,
            destination=new.block,
            size=new.size,
            ready_s=new.ready_s,
            due_s=due,
        )
        depot = self._nearest_depot(s.x_m[at], s.y_m[at])
        return [
            OrdersPlaced(
                t_s=now_s,
                key=f"orders/{int(new.order[0])}/{now_s}",
                order=new.order,
                size=new.size,
                depot=depot,
                ready_s=new.ready_s,
                due_s=due,
                road=s.road[at],
                pos_m=s.pos_m[at],
                x_m=s.x_m[at],
                y_m=s.y_m[at],
                locker=new.locker.astype(np.int64),
                customer=new.customer,
            )
        ]

    def _nearest_depot(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Ints:
        dx = np.asarray([d.x_m for d in self._depots])
        dy = np.asarray([d.y_m for d in self._depots])
        return np.asarray(np.argmin(np.hypot(x[:, None] - dx, y[:, None] - dy), axis=1), dtype=np.int64)

    # -- commands ------------------------------------------------------------------------------------------

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry a command out if it is about parcels."""
        if isinstance(command, AnswerOrder):
            self._answer(command, now_s)
        elif isinstance(command, GiveUpOrder):
            self._give_up(command, now_s)
        elif isinstance(command, LoadOrders):
            self._load(command, now_s)
        elif isinstance(command, HandOver):
            self._hand_over(command, now_s)
        elif isinstance(command, ReturnOrders):
            self._return(command, now_s)
        else:
            return False
        return True

    def _parcel(self, order: int, command: Command, now_s: int) -> _Parcel:
        parcel = self._parcels.get(order)
        if parcel is None:
            raise ControlError(f"{type(command).__name__} at {now_s} s names order {order}, which does not exist")
        return parcel

    def _answer(self, command: AnswerOrder, now_s: int) -> None:
        parcel = self._parcel(command.order, command, now_s)
        if parcel.answered:
            raise ControlError(f"order {command.order} was answered a second time at {now_s} s")
        parcel.answered = True
        if not command.accepted:
            parcel.where = "refused"
        self._c.log.add(
            OrderAnswered,
            t_s=now_s,
            order=command.order,
            accepted=command.accepted,
            reason=command.reason,
            promised_s=command.promised_s,
        )

    def _give_up(self, command: GiveUpOrder, now_s: int) -> None:
        parcel = self._parcel(command.order, command, now_s)
        if parcel.where in ("delivered", "refused") or parcel.given_up:
            return
        parcel.given_up = True  # what is in a unit stays there until it is unloaded
        self._c.log.add(OrderGivenUp, t_s=now_s, order=command.order, reason=command.reason)

    def _ready(self, unit: int, doing: str, now_s: int) -> int | None:
        """Return the row of a unit that stands idle; else it refuses what was asked (``doing``)."""
        units = self._c.units
        row = int(units.row(unit))
        if units.broken[row]:
            why = "it is broken"
        elif row in self._work or int(units.state[row]) != PARKED:
            why = "it is not standing by"
        else:
            return row
        units.report(row, "refused", now_s, detail=f"{doing}: {why}")
        return None

    def _load(self, command: LoadOrders, now_s: int) -> None:
        row = self._ready(command.unit, "load", now_s)
        if row is None:
            return
        depot = self._depot_at(row)
        if depot < 0 or not self._c.depots.is_open(depot, now_s):
            why = "it does not stand at a depot" if depot < 0 else "the depot is closed"
            self._c.units.report(row, "refused", now_s, detail=f"load: {why}")
            return

        self._c.units.set(row, now_s, state=SERVING)
        self._queue.append(_Load(row, depot, command))
        self._serve_docks(now_s)

    def _serve_docks(self, now_s: int) -> None:
        """Let units that wait for a dock of their depot begin to load, in the order they came."""
        for item in list(self._queue):
            busy = sum(work.dock == item.depot for work in self._work.values())
            if busy < self._c.depots.all[item.depot].docks:
                self._queue.remove(item)
                self._start_loading(item, now_s)

    def _start_loading(self, item: _Load, now_s: int) -> None:
        row, units = item.row, self._c.units
        here, missing, room = [], [], int(units.capacity[row]) - self._litres(row)
        for order in dict.fromkeys(item.command.orders.tolist()):
            parcel = self._parcel(order, item.command, now_s)
            there = parcel.where == "depot" or (parcel.where == "shop" and parcel.ready_s <= now_s)
            if there and parcel.answered and parcel.size <= room and not parcel.given_up:
                here.append(order)
                room -= parcel.size
                parcel.where = "unit"
            else:
                missing.append(order)
        self._aboard.setdefault(row, []).extend(here)
        duration = self._service.load_s + round(self._service.load_each_s * len(here))
        place = self._c.depots.all[item.depot].place
        self._begin(row, now_s, duration, partial(self._loaded, row, here, missing, place), item.depot)

    def _begin(self, row: int, now_s: int, duration_s: int, ends: Callable[[int], None], dock: int = -1) -> None:
        self._c.units.set(row, now_s, state=SERVING)
        self._work[row] = _Work(now_s + duration_s, ends, dock)

    def _loaded(self, row: int, orders: list[int], missing: list[int], place: str, t_s: int) -> None:
        units = self._c.units
        if orders:
            self._c.log.add(
                OrderLoaded, t_s=t_s, order=np.asarray(orders, dtype=np.int64), unit=int(units.number[row]), place=place
            )
        units.set(row, t_s, state=PARKED, load=self._litres(row))
        units.report(row, "loaded", t_s, items=orders, missed=missing)

    def _litres(self, row: int) -> int:
        return sum(self._parcels[o].size for o in self._aboard.get(row, ()))

    def _depot_at(self, row: int) -> int:
        units = self._c.units
        return self._c.depots.at("delivery", int(units.road[row]), float(units.pos_m[row]))

    def _hand_over(self, command: HandOver, now_s: int) -> None:
        row = self._ready(command.unit, "hand over", now_s)
        if row is None:
            return
        units = self._c.units
        aboard = self._aboard.get(row, [])
        orders = [o for o in dict.fromkeys(command.orders.tolist()) if o in aboard and not self._parcels[o].given_up]
        if not orders:
            units.report(row, "refused", now_s, detail="hand over: none of the orders is aboard")
            return
        road = int(units.road[row])
        if command.to == "locker":
            wrong = self._locker_road.get(command.place) != road
        else:
            wrong = any(self._parcels[o].road != road for o in orders)
        if wrong:
            units.report(row, "refused", now_s, detail="hand over: it does not stand there")
            return
        number = np.asarray(orders, dtype=np.int64)
        if command.to == "locker":
            outcome = self._lockers.put(command.place, number, now_s, self._service)
        else:
            customer = np.asarray([self._parcels[o].customer for o in orders], dtype=np.int64)
            attempt = np.asarray([self._parcels[o].attempts for o in orders], dtype=np.int64)
            outcome = self._recipients.hand_over(number, customer, attempt, now_s, command.wait_s, self._service)
        for order in orders:
            self._parcels[order].attempts += 1
        to = "locker" if command.to == "locker" else "person"
        self._begin(row, now_s, outcome.duration_s, partial(self._handed, row, orders, outcome, to, now_s))

    def _handed(self, row: int, orders: list[int], outcome: Outcome, to: str, began_s: int, t_s: int) -> None:
        units = self._c.units
        unit = int(units.number[row])
        done = [o for o, ok in zip(orders, outcome.done.tolist(), strict=True) if ok]
        for order, ok, reason in zip(orders, outcome.done.tolist(), outcome.reason, strict=True):
            parcel = self._parcels[order]
            if not ok:
                self._c.log.add(HandOverFailed, t_s=t_s, order=order, unit=unit, reason=reason, waited_s=t_s - began_s)
                continue
            parcel.where = "delivered"
            self._aboard[row].remove(order)
            self._c.log.add(
                OrderDelivered,
                t_s=t_s,
                order=order,
                unit=unit,
                to=to,
                duration_s=t_s - parcel.placed_s,
                late_s=max(t_s - parcel.due_s, 0),
            )
        units.set(row, t_s, state=PARKED, load=self._litres(row))
        missed = [o for o in orders if o not in done]
        reasons = sorted({r for r in outcome.reason if r})
        units.report(row, "handed", t_s, items=done, missed=missed, detail=", ".join(reasons))

    def _return(self, command: ReturnOrders, now_s: int) -> None:
        row = self._ready(command.unit, "return", now_s)
        if row is None:
            return
        depot = self._depot_at(row)
        orders = [o for o in dict.fromkeys(command.orders.tolist()) if o in self._aboard.get(row, ())]
        if depot < 0 or not orders:
            why = "it does not stand at a depot" if depot < 0 else "none of the orders is aboard"
            self._c.units.report(row, "refused", now_s, detail=f"return: {why}")
            return
        duration = self._service.load_s + round(self._service.load_each_s * len(orders))
        place = self._c.depots.all[depot].place
        self._begin(row, now_s, duration, partial(self._returned, row, orders, place))

    def _returned(self, row: int, orders: list[int], place: str, t_s: int) -> None:
        self._unload(row, orders)
        units = self._c.units
        self._c.log.add(
            OrderReturned, t_s=t_s, order=np.asarray(orders, dtype=np.int64), unit=int(units.number[row]), place=place
        )
        units.set(row, t_s, state=PARKED, load=self._litres(row))
        units.report(row, "returned", t_s, items=orders)

    def _unload(self, row: int, orders: Sequence[int]) -> None:
        for order in orders:
            self._parcels[order].where = "depot"
            self._aboard[row].remove(order)

    # -- what happens to units -----------------------------------------------------------------------------

    def arrived(self, row: int, now_s: int) -> None:
        """Nothing is done of itself at the end of a leg: the desk says what comes next."""

    def broke(self, row: int, now_s: int) -> tuple[int, ...]:  # noqa: ARG002
        """Stop what a unit was doing; return the orders aboard."""
        self._work.pop(row, None)
        self._queue = [item for item in self._queue if item.row != row]
        return tuple(self._aboard.get(row, ()))

    def repaired(self, row: int, now_s: int) -> tuple[int, ...]:
        """Let the recovery crew bring what was aboard to the depot; return those orders."""
        orders = tuple(self._aboard.get(row, ()))
        if orders:
            self._unload(row, orders)
            self._c.log.add(
                OrderTransferred,
                t_s=now_s,
                order=np.asarray(orders, dtype=np.int64),
                unit=int(self._c.units.number[row]),
                place=self._depots[0].place,
            )
            self._c.units.set(row, now_s, load=0)
        return orders

    def finish(self, end_s: int) -> None:
        """Tell every order that is neither delivered nor given up nor refused."""
        if self._today is not None and self._day == (end_s - 1) // DAY_S:
            until = int(np.searchsorted(self._today.placed_s, end_s))
            self._take_in(self._today.rows(slice(self._next, until)), end_s)
            self._next = until
        left = [(o, p.where) for o, p in self._parcels.items() if p.where not in _ENDED and not p.given_up]
        if left:
            self._c.log.add(
                OrderOpen,
                t_s=end_s,
                order=np.asarray([o for o, _ in left], dtype=np.int64),
                where=np.asarray([w for _, w in left], dtype=object),
            )
