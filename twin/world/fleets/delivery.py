"""The last mile in truth: orders come in, parcels are loaded, handed over, brought back (F23, F24).

The desk's commands move the parcels; what cannot be done is refused with a reason and changes nothing. Where every
parcel is, is told in ``parcels``; who does what where it stands in ``jobs``; who is there to take it in ``handover``.
A closed depot gives nothing out; what comes back can be put down at any time.
"""

from __future__ import annotations

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
from twin.domain.mobility import PARKED, SERVING
from twin.errors import ControlError, ScenarioError
from twin.events import ServiceDay
from twin.world.fleets.handover import SERVICES, Outcome, Recipients
from twin.world.fleets.jobs import Jobs
from twin.world.fleets.lockers import LOCKER_M, Lockers
from twin.world.fleets.orders import DAY_S, Demand, Orders, Stops, blocks_around
from twin.world.fleets.parcels import Parcel, Parcels
from twin.world.fleets.ports import FleetContext

Ints = npt.NDArray[np.int64]

ASSIST_S = 900  # a remote operator not heard of for so long is taken to be free (assumed)
PLAN_S = 30  # the desk plans at most so often
STOP_M = 60.0  # a unit so far along the road from a customer or locker stands there


class DeliverySystem:
    """Parcels, depots' docks, lockers and recipients of one fleet (robots, or couriers as the baseline)."""

    def __init__(self, context: FleetContext) -> None:
        c = context
        assert c.scenario.delivery is not None
        self._c, self._scenario = c, c.scenario.delivery
        s = self._scenario
        self.fleet = "robot" if s.by == "robots" else "courier"
        self._service = SERVICES[self.fleet]
        blocks = blocks_around(c.city, s.area, s.radius_m)
        if blocks.size == 0:
            raise ScenarioError(
                f"delivery.area: no building block within {s.radius_m:g} m of {', '.join(s.area) or 'anywhere'}"
            )
        self._stops = Stops.of(c.city, blocks)
        self._demand = Demand(c.city, c.dice, c.people, blocks, s.orders_per_day, s.locker_share)
        self._recipients = Recipients(c.dice, c.people)
        self._lockers = Lockers.around(c.city, c.dice, self._stops)
        self._depots = [c.depots.index["delivery", d.place] for d in c.depots.of("delivery")]
        self.parcels = Parcels(c.log)
        self._jobs = Jobs(c.depots)
        self._today: Orders | None = None
        self._day, self._next = -1, 0

    # -- what the desk is told -----------------------------------------------------------------------------

    def begin(self, now_s: int) -> list[Message]:
        """Return the rules of the service and the lockers."""
        s, service = self._scenario, self._service
        rules = DeliveryRules(
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
            wait_s=service.wait_s,
            locker_m=LOCKER_M,
            load_s=service.load_s,
            load_order_s=round(service.load_each_s),
            hand_s=service.stop_s,
            hand_order_s=service.order_s,
            plan_s=PLAN_S,
        )
        return [rules, *self._lockers.message(now_s)]

    def tick(self, now_s: int) -> list[Message]:
        """Finish what is done by now, and return the orders that came in since the last tick."""
        self._jobs.tick(now_s)
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
        s = self._stops
        at = s.row(new.block)
        due = new.placed_s + self._scenario.promise_min * 60
        nearest = self._nearest_depot(s.x_m[at], s.y_m[at])
        self.parcels.place(new, due, np.asarray(self._depots, dtype=np.int64)[nearest], s)
        return [
            OrdersPlaced(
                t_s=now_s,
                key=f"orders/{int(new.order[0])}/{now_s}",
                order=new.order,
                size=new.size,
                depot=nearest,
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
        depots = [self._c.depots.all[i] for i in self._depots]
        dx, dy = np.asarray([d.x_m for d in depots]), np.asarray([d.y_m for d in depots])
        return np.asarray(np.argmin(np.hypot(x[:, None] - dx, y[:, None] - dy), axis=1), dtype=np.int64)

    # -- commands ------------------------------------------------------------------------------------------

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry a command out if it is about parcels. Raises ControlError for orders or units that do not exist."""
        if isinstance(command, AnswerOrder):
            self.parcels.answer(command, now_s)
        elif isinstance(command, GiveUpOrder):
            self.parcels.give_up(command, now_s)
        elif isinstance(command, LoadOrders):
            self._load(command, now_s)
        elif isinstance(command, HandOver):
            self._hand_over(command, now_s)
        elif isinstance(command, ReturnOrders):
            self._return(command, now_s)
        else:
            return False
        return True

    def _ready(self, command: LoadOrders | HandOver | ReturnOrders, now_s: int) -> tuple[int, list[int], str]:
        """Return a command's unit (row) and orders, each once, and why the unit cannot begin anything, or nothing."""
        units = self._c.units
        row, orders = units.row(command.unit), list(dict.fromkeys(command.orders.tolist()))
        if row < 0 or units.fleet[row] != self.fleet:
            raise ControlError(f"{type(command).__name__} at {now_s} s names unit {command.unit}, which is none")
        self.parcels.known(orders, command, now_s)
        if units.broken[row]:
            return row, orders, "it is broken"
        standing_by = int(units.state[row]) == PARKED and not self._jobs.busy(row)
        return row, orders, "" if standing_by else "it is not standing by"

    def _refuse(self, row: int, why: str, now_s: int) -> None:
        self._c.units.report(row, "refused", now_s, detail=why)

    def _load(self, command: LoadOrders, now_s: int) -> None:
        row, orders, why = self._ready(command, now_s)
        depot = self._depot_at(row)
        if not why and depot < 0:
            why = "it does not stand at a depot"
        if not why and not self._c.depots.is_open(depot, now_s):
            why = "the depot is closed"
        if why:
            self._refuse(row, f"load: {why}", now_s)
            return
        self._c.units.set(row, now_s, state=SERVING)
        self._jobs.wait(
            row, depot, partial(self._start_loading, row, depot, orders), partial(self._turned_away, row), now_s
        )

    def _turned_away(self, row: int, now_s: int) -> None:
        self._c.units.set(row, now_s, state=PARKED)
        self._refuse(row, "load: the depot is closed", now_s)

    def _start_loading(self, row: int, depot: int, orders: list[int], now_s: int) -> None:
        room = int(self._c.units.capacity[row]) - self.parcels.load_of(row)
        here, missing = self.parcels.reserve(orders, depot, room, now_s)
        until_s = now_s + self._service.load_s + round(self._service.load_each_s * len(here))
        ends = partial(self._loaded, row, here, missing, depot)
        self._jobs.begin(row, until_s, ends, partial(self.parcels.release, here), depot)

    def _loaded(self, row: int, orders: list[int], missing: list[int], depot: int, t_s: int) -> None:
        if orders:
            self.parcels.load(row, self._number(row), orders, self._c.depots.all[depot].place, t_s)
        self._stand_by(row, t_s)
        self._c.units.report(row, "loaded", t_s, items=orders, missed=missing)

    def _stand_by(self, row: int, t_s: int) -> None:
        self._c.units.set(row, t_s, state=PARKED, load=self.parcels.load_of(row))

    def _number(self, row: int) -> int:
        return int(self._c.units.number[row])

    def _depot_at(self, row: int) -> int:
        units = self._c.units
        return self._c.depots.at("delivery", int(units.road[row]), float(units.pos_m[row]))

    def _hand_over(self, command: HandOver, now_s: int) -> None:
        row, named, why = self._ready(command, now_s)
        aboard = self.parcels.aboard(row)
        orders = [o for o in named if o in aboard and not self.parcels.all[o].given_up]
        locker = self._lockers.row(command.place) if command.to == "locker" else -1
        if not why and not orders:
            why = "none of the orders is aboard"
        why = why or self._why_not_here(row, [self.parcels.all[o] for o in orders], command, locker)
        if why:
            self._refuse(row, f"hand over: {why}", now_s)
            return
        number = np.asarray(orders, dtype=np.int64)
        if command.to == "locker":
            outcome = self._lockers.put(locker, number, now_s, self._service)
        else:
            customer = np.asarray([self.parcels.all[o].customer for o in orders], dtype=np.int64)
            attempt = np.asarray([self.parcels.all[o].attempts for o in orders], dtype=np.int64)
            outcome = self._recipients.hand_over(number, customer, attempt, now_s, command.wait_s, self._service)
            for order in orders:
                self.parcels.all[order].attempts += 1
        ends = partial(self._handed, row, orders, outcome, locker, now_s)
        self._c.units.set(row, now_s, state=SERVING)
        self._jobs.begin(row, now_s + outcome.duration_s, ends, partial(self._take_back, locker, orders))

    def _why_not_here(self, row: int, orders: list[Parcel], command: HandOver, locker: int) -> str:
        """Return why orders cannot be handed over where a unit stands, or nothing."""
        units, all_ = self._c.units, self._lockers
        here, pos_m = int(units.road[row]), float(units.pos_m[row])
        if command.to == "person":
            if command.wait_s < 0:
                return f"it cannot wait {command.wait_s} s"
            away = any(p.road != here or abs(p.pos_m - pos_m) > STOP_M for p in orders)
            return "it does not stand there" if away else ""
        if command.to != "locker":
            return f"to {command.to!r} is neither a person nor a locker"
        if locker < 0:
            return f"there is no locker {command.place!r}"
        if int(all_.road[locker]) != here or abs(float(all_.pos_m[locker]) - pos_m) > STOP_M:
            return "it does not stand there"
        x_m, y_m = float(all_.x_m[locker]), float(all_.y_m[locker])
        far = any(np.hypot(p.x_m - x_m, p.y_m - y_m) > LOCKER_M for p in orders)
        return f"the locker is more than {LOCKER_M:g} m from the customer" if far else ""

    def _take_back(self, locker: int, orders: list[int]) -> None:
        if locker >= 0:
            for order in orders:
                self._lockers.take_back(locker, order)

    def _handed(self, row: int, orders: list[int], outcome: Outcome, locker: int, began_s: int, t_s: int) -> None:
        parcels, unit = self.parcels, self._number(row)
        done, reasons = [], []
        for order, ok, why in zip(orders, outcome.done.tolist(), outcome.reason, strict=True):
            if ok and not parcels.all[order].given_up:
                parcels.deliver(row, unit, order, "locker" if locker >= 0 else "person", t_s)
                done.append(order)
                continue
            self._take_back(locker, [order])
            reasons.append(why or "given up meanwhile")
            parcels.fail(unit, order, reasons[-1], t_s - began_s, t_s)
        self._stand_by(row, t_s)
        missed = [o for o in orders if o not in done]
        self._c.units.report(row, "handed", t_s, items=done, missed=missed, detail=", ".join(sorted(set(reasons))))

    def _return(self, command: ReturnOrders, now_s: int) -> None:
        row, named, why = self._ready(command, now_s)
        depot, aboard = self._depot_at(row), self.parcels.aboard(row)
        orders = [o for o in named if o in aboard]
        if not why and depot < 0:
            why = "it does not stand at a depot"
        if not why and not orders:
            why = "none of the orders is aboard"
        if why:
            self._refuse(row, f"return: {why}", now_s)
            return
        until_s = now_s + self._service.load_s + round(self._service.load_each_s * len(orders))
        self._c.units.set(row, now_s, state=SERVING)
        self._jobs.begin(row, until_s, partial(self._returned, row, orders, depot))

    def _returned(self, row: int, orders: list[int], depot: int, t_s: int) -> None:
        self.parcels.unload(row, self._number(row), orders, depot, self._c.depots.all[depot].place, False, t_s)
        self._stand_by(row, t_s)
        self._c.units.report(row, "returned", t_s, items=orders)

    # -- what happens to units -----------------------------------------------------------------------------

    def arrived(self, row: int, now_s: int) -> None:
        """Nothing is done of itself at the end of a leg: the desk says what comes next."""

    def broke(self, row: int, now_s: int) -> tuple[int, ...]:  # noqa: ARG002
        """Stop what a unit was doing – as if it had not begun; return the orders aboard."""
        self._jobs.drop(row)
        return self.parcels.aboard(row)

    def repaired(self, row: int, now_s: int) -> tuple[int, ...]:
        """Let the recovery crew put what was aboard into the unit's depot; return those orders."""
        orders = self.parcels.aboard(row)
        if orders:
            place = self._c.units.home[row].place
            depot = self._c.depots.index["delivery", place]
            self.parcels.unload(row, self._number(row), orders, depot, place, True, now_s)
            self._c.units.set(row, now_s, load=0)
        return orders

    def finish(self, end_s: int) -> None:
        """Tell every order that is neither delivered nor given up nor refused."""
        if self._today is not None and self._day == (end_s - 1) // DAY_S:
            until = int(np.searchsorted(self._today.placed_s, end_s))
            self._take_in(self._today.rows(slice(self._next, until)), end_s)
            self._next = until
        self.parcels.finish(end_s)
