"""A tiny world of messages for the delivery desk: parcels and units in truth, no traffic; for tests and the bench.

Units drive in the time of the street graph, load, hand over and charge; with ``Faults`` they refuse, break down, halt,
ask for help or lose their link, and messages come twice or late. The world itself checks what must never happen: a
parcel in two places or handed over twice, a load above the capacity, a charge below the reserve, a road or an hour
outside the permit. Events are whole seconds in a heap; everything is a function of the seed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from twin.control.mobility.streets import Streets
from twin.control.ports import Controller
from twin.domain.commands import Command, WakeAt
from twin.domain.delivery import (
    AnswerOrder,
    DeliveryRules,
    GiveUpOrder,
    HandOver,
    LoadOrders,
    OrdersPlaced,
    ReturnOrders,
)
from twin.domain.ids import unit_number
from twin.domain.messages import Message, RoadMap
from twin.domain.mobility import (
    AssistUnit,
    ChargeUnit,
    DriveTo,
    FetchUnit,
    HaltUnit,
    PermitIssued,
    Places,
    ResumeUnit,
    Roster,
    Telemetry,
    UnitReport,
)

USE_WH_M, IDLE_W, RESERVE, SPEED_M_S = 0.2, 60.0, 0.15, 7.0
DAY_S = 86_400
HOUR_S = 3_600
_STATE = {"parked": 0, "driving": 1, "serving": 2, "charging": 3, "halted": 4, "broken": 6}
_DOES = {
    DriveTo: "drive", HaltUnit: "halt_unit", ResumeUnit: "resume_unit", AssistUnit: "assist", ChargeUnit: "charge",
    LoadOrders: "load", HandOver: "hand_over", ReturnOrders: "unload",
}  # fmt: skip


@dataclass(frozen=True)
class Faults:
    """Shares of events that go wrong, 0..1."""

    nobody: float = 0.0  # a hand-over to a person fails
    refuse: float = 0.0  # a command is refused for no reason of the desk's
    broken: float = 0.0  # a leg ends with a breakdown
    halted: float = 0.0  # a leg is interrupted by a halt
    help: float = 0.0  # a leg is interrupted until an operator has helped
    silent: float = 0.0  # at the beginning of a leg the link is lost for ``silent_s``
    silent_s: int = 600
    twice: float = 0.0  # a message comes again
    late: float = 0.0  # a message is up to 90 s late


@dataclass(frozen=True)
class Setting:
    """Size of the world: a square grid of ``side`` × ``side`` crossings ``block_m`` apart, two-way streets."""

    units: int = 4
    side: int = 7
    block_m: float = 250.0
    depots: int = 1
    capacity: int = 200
    battery_wh: float = 6_000.0
    chargers: int = 2
    lockers: int = 2
    from_s: int = 8 * HOUR_S
    until_s: int = 20 * HOUR_S
    plan_s: int = 30
    operators: int = 1
    permit_roads: float = 1.0  # share of roads, from the depot outwards, that the permit allows
    permit_until_s: int = 20 * HOUR_S
    telemetry_s: int = 60


@dataclass
class _Truth:
    """A unit as it is."""

    number: int
    road: int
    pos_m: float
    wh: float
    depot: int
    doing: str = "parked"
    way: list[int] = field(default_factory=list)
    began_s: int = 0
    to_pos_m: float = 0.0
    aboard: list[int] = field(default_factory=list)
    token: int = 0
    linked: bool = True
    kept: list[Message] = field(default_factory=list)
    since_s: int = 0
    excused: bool = False  # something went wrong since it was charged: it may use more than its reserve allows


class World:
    """See the module's text. ``run(until_s)`` plays; then look at ``where``, ``answers``, ``journal``, ``wrong``."""

    def __init__(self, desk: Controller, setting: Setting, faults: Faults, seed: int, start_s: int) -> None:
        self.desk, self.setting, self.faults = desk, setting, faults
        self.now_s = start_s
        self.dice = random.Random(seed)
        self.journal: list[tuple[int, list[Message], list[Command]]] = []
        self.wrong: list[str] = []
        self.where: dict[int, str] = {}
        self.delivered: dict[int, int] = {}
        self.due_s: dict[int, int] = {}
        self.answers: dict[int, AnswerOrder] = {}
        self.given_up: dict[int, str] = {}
        self.fetched = 0
        self.decide: Callable[[int, list[Message]], list[Command]] = lambda t, m: list(self.desk.decide(t, m))
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._inbox: list[Message] = []
        self._keys: set[str] = set()
        self._wakes: set[int] = set()
        self._size: dict[int, int] = {}
        self._order_depot: dict[int, int] = {}
        self._order_road: dict[int, int] = {}
        self._build()

    # -- the town ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        s = self.setting
        road, turns, self.x, self.y = grid(s.side, s.block_m)
        n = len(road)
        ids = np.arange(n)
        self.map = RoadMap(
            self.now_s, "map", ids, np.full(n, s.block_m), np.full(n, 8.0), np.ones(n, int), turns[:, 0], turns[:, 1]
        )
        self._turns = set(map(tuple, turns.tolist()))
        self.streets = Streets()
        self.streets.take(self.map)
        spots = np.linspace(0, n - 1, s.depots + 2).astype(int)[1:-1]
        self.depot_road = [int(r) for r in spots]
        middle = np.hypot(self.x - self.x[spots[0]], self.y - self.y[spots[0]])
        self.allowed = middle <= np.quantile(middle, s.permit_roads)
        homes = [k % s.depots for k in range(s.units)]
        self.units = {
            int(unit_number("robot", k + 1)): _Truth(
                int(unit_number("robot", k + 1)), self.depot_road[h], 50.0, s.battery_wh * 0.9, h, since_s=self.now_s
            )
            for k, h in enumerate(homes)
        }
        far = np.flatnonzero(self.allowed)
        self.locker_road = [int(r) for r in far[np.linspace(0, far.size - 1, s.lockers + 2).astype(int)[1:-1]]]
        self.tell(self.map)
        self.tell(
            DeliveryRules(
                self.now_s, "rules", "robot", "goods", s.from_s, s.until_s, HOUR_S, s.operators, 600, 2, 900, 180,
                800.0, 60, 8, 90, 20, s.plan_s,
            )
        )  # fmt: skip
        self.tell(self._roster())
        for kind, roads, size in (
            ("depot", self.depot_road, 8), ("charger", self.depot_road, s.chargers), ("locker", self.locker_road, 20)
        ):  # fmt: skip
            self.tell(self._places(kind, roads, size))
        self.tell(
            PermitIssued(
                self.now_s, "permit/1", "P1", "robot", "goods", np.empty(0, np.int64), np.flatnonzero(self.allowed),
                s.from_s, s.permit_until_s, 7.0, 0, 10 * DAY_S, 0.0, 0.0,
            )
        )  # fmt: skip
        if s.telemetry_s:
            self.at(self.now_s + s.telemetry_s, self._send_telemetry)

    def _roster(self) -> Roster:
        s, u = self.setting, list(self.units.values())
        n = len(u)
        return Roster(
            self.now_s, "roster", "robot", np.asarray([t.number for t in u]), np.full(n, s.capacity),
            np.full(n, s.battery_wh), np.full(n, 0.9), np.full(n, USE_WH_M), np.full(n, IDLE_W), np.full(n, RESERVE),
            np.full(n, SPEED_M_S), tuple(f"depot-{t.depot}" for t in u), np.asarray([t.road for t in u]),
            np.full(n, 50.0),
            np.zeros(n), np.zeros(n),
        )  # fmt: skip

    def _places(self, kind: str, roads: list[int], size: int) -> Places:
        n = len(roads)
        names = tuple(f"{'locker' if kind == 'locker' else 'depot'}-{k}" for k in range(n))
        at = np.asarray(roads, dtype=np.int64)
        return Places(
            self.now_s, f"places/{kind}", kind, names, names, at, np.full(n, 50.0), self.x[at], self.y[at],
            np.full(n, size), np.zeros(n, np.int64), np.full(n, DAY_S, np.int64),
        )  # fmt: skip

    def place_orders(self, t_s: int, number: int, pack_s: int = 120, litres: tuple[int, int] = (5, 40)) -> None:
        """Let orders come in at ``t_s`` from anywhere in the town, each from the nearest depot."""
        rows = [self.dice.randrange(self.x.size) for _ in range(number)]
        at = np.asarray(rows, dtype=np.int64)
        first = len(self.where)
        order = np.arange(first, first + number) + 1
        d = np.asarray(self.depot_road)
        depot = np.argmin(np.hypot(self.x[at][:, None] - self.x[d], self.y[at][:, None] - self.y[d]), axis=1)
        size = np.asarray([self.dice.randint(*litres) for _ in rows])
        for o, z, k, r in zip(order.tolist(), size.tolist(), depot.tolist(), rows, strict=True):
            self.where[o], self._size[o], self._order_depot[o], self._order_road[o] = "depot", z, k, r
            self.due_s[o] = t_s + HOUR_S
        locker = np.asarray([int(self.dice.random() < 0.2) for _ in rows])
        told = OrdersPlaced(
            t_s, f"orders/{first}", order, size, depot.astype(np.int64), np.full(number, t_s + pack_s),
            np.full(number, t_s + HOUR_S), at, np.full(number, self.setting.block_m / 2), self.x[at], self.y[at],
            locker, order,
        )  # fmt: skip
        self.at(t_s, lambda: self.tell(told))

    # -- time and messages --------------------------------------------------------------------------------------

    def at(self, t_s: int, what: Callable[[], None]) -> None:
        """Do something at a second."""
        self._count += 1
        heapq.heappush(self._heap, (t_s, self._count, what))

    def tell(self, message: Message) -> None:
        """Put a message into the desk's inbox; now and then late, now and then twice."""
        late = self.dice.randrange(90) if self.faults.late and self.dice.random() < self.faults.late else 0
        copies = 2 if self.faults.twice and self.dice.random() < self.faults.twice else 1
        for k in range(copies):
            delay = late + k * self.dice.randrange(120) if k else late
            if delay:
                self.at(self.now_s + delay, lambda: self._inbox.append(replace(message, t_s=self.now_s)))
            else:
                self._inbox.append(message)

    def report(self, unit: _Truth, what: str, items: list[int] | None = None, missed: list[int] | None = None, detail: str = "") -> None:  # fmt: skip  # noqa: E501
        """Let a unit report; kept back while its link is lost."""
        self._count += 1
        if unit.doing != "driving":
            self._use(unit, 0.0)
        told = UnitReport(
            self.now_s, f"report/{unit.number}/{self._count}", unit.number, what, unit.road, unit.pos_m,
            max(unit.wh / self.setting.battery_wh, 0.0), self._litres(unit), _ints(items or []), _ints([]),
            _ints(missed or []), detail,
        )  # fmt: skip
        if unit.linked:
            self.tell(told)
        else:
            unit.kept.append(told)

    def run(self, until_s: int) -> None:
        """Play until a second."""
        while True:
            self._call()
            upcoming = [*([self._heap[0][0]] if self._heap else []), *([min(self._wakes)] if self._wakes else [])]
            if not upcoming or min(upcoming) > until_s:
                return
            self.now_s = max(min(upcoming), self.now_s)
            while self._heap and self._heap[0][0] <= self.now_s:
                heapq.heappop(self._heap)[2]()

    def _call(self) -> None:
        while self._inbox or any(t <= self.now_s for t in self._wakes):
            messages, self._inbox = self._inbox, []
            self._wakes = {t for t in self._wakes if t > self.now_s}
            commands = self.decide(self.now_s, messages)
            self.journal.append((self.now_s, messages, commands))
            for command in commands:
                if command.key in self._keys:
                    self.wrong.append(f"{self.now_s}: key {command.key} twice")
                self._keys.add(command.key)
                self._carry_out(command)

    # -- commands ---------------------------------------------------------------------------------------------

    def _carry_out(self, c: Command) -> None:
        if isinstance(c, WakeAt):
            self._wakes.add(c.t_s)
        elif isinstance(c, AnswerOrder):
            if c.order in self.answers:
                self.wrong.append(f"{self.now_s}: order {c.order} answered twice")
            self.answers[c.order] = c
        elif isinstance(c, GiveUpOrder):
            if c.order in self.delivered or c.order in self.given_up:
                self.wrong.append(f"{self.now_s}: order {c.order} given up after its end")
            self.given_up[c.order] = c.reason
        else:
            unit = self.units[c.unit]  # type: ignore[attr-defined]
            if isinstance(c, FetchUnit):
                self._do_fetch(unit, c)
                return
            if not unit.linked:
                return  # nobody hears it
            if self.dice.random() < self.faults.refuse and not isinstance(c, AssistUnit | ResumeUnit):
                unit.excused = True
                self.report(unit, "refused", detail="out of sorts")
                return
            getattr(self, "_do_" + _DOES[type(c)])(unit, c)

    def _busy(self, unit: _Truth, what: str) -> bool:
        if unit.doing != "parked":
            self.report(unit, "refused", detail=f"{what}: it is not standing by")
        return unit.doing != "parked"

    def _later(self, unit: _Truth, seconds: float, what: Callable[[], None]) -> None:
        unit.token += 1
        token = unit.token
        self.at(self.now_s + max(int(seconds), 1), lambda: what() if unit.token == token else None)

    def _do_drive(self, unit: _Truth, c: DriveTo) -> None:
        if unit.doing not in ("parked", "driving", "halted"):
            self.report(unit, "refused", detail="drive: it is busy")
            return
        if unit.doing in ("driving", "halted"):
            self._move(unit)
        roads = c.roads.tolist()
        if unit.road in roads:
            roads = roads[roads.index(unit.road) :]
        elif unit.doing != "parked":
            roads = self.streets.way(unit.road, roads[-1]).tolist()
        else:
            self.report(unit, "refused", detail="drive: it does not stand there")
            return
        if any(pair not in self._turns for pair in pairwise(roads)):
            self.wrong.append(f"{self.now_s}: unit {unit.number} cannot turn along {roads}")
        was_halted = unit.doing == "halted"
        self._use(unit, 0.0)
        unit.way, unit.to_pos_m, unit.began_s = roads, c.pos_m, self.now_s
        unit.doing = "driving"
        if was_halted:
            unit.doing = "halted"
            return
        self._leg(unit)

    def _leg(self, unit: _Truth) -> None:
        seconds = self._seconds(unit)
        dice, f = self.dice.random(), self.faults
        edges = np.cumsum([f.broken, f.halted, f.help])
        if self.dice.random() < f.silent:
            unit.linked, unit.excused = False, True
            self.at(self.now_s + f.silent_s, lambda: self._relink(unit))
        if dice < edges[0]:
            self._later(unit, seconds / 2, lambda: self._break(unit))
        elif dice < edges[1]:
            self._later(unit, seconds / 2, lambda: self._halt(unit, "fog", back_s=240))
        elif dice < edges[2]:
            self._later(unit, seconds / 2, lambda: self._ask(unit))
        else:
            self._later(unit, seconds, lambda: self._arrive(unit))

    def _seconds(self, unit: _Truth) -> float:
        if len(unit.way) == 1:
            return abs(unit.to_pos_m - unit.pos_m) / SPEED_M_S
        return (self.setting.block_m * (len(unit.way) - 1) - unit.pos_m + unit.to_pos_m) / SPEED_M_S

    def _move(self, unit: _Truth) -> None:
        """Put a driving unit where it is now."""
        metres = (self.now_s - unit.began_s) * SPEED_M_S if unit.doing == "driving" else 0.0
        at = int((unit.pos_m + metres) // self.setting.block_m)
        k = min(at, len(unit.way) - 1)
        self._use(unit, min(metres, self._seconds(unit) * SPEED_M_S), unit.way[: k + 1])
        if k:
            unit.road, unit.pos_m = unit.way[k], min(unit.pos_m + metres - k * self.setting.block_m, 240.0)
            unit.way = unit.way[k:]
        else:
            unit.pos_m = min(unit.pos_m + metres, self.setting.block_m)
        unit.began_s = self.now_s

    def _use(self, unit: _Truth, metres: float, roads: list[int] | None = None) -> None:
        unit.wh -= metres * USE_WH_M + IDLE_W * (self.now_s - unit.since_s) / 3600.0
        unit.since_s = self.now_s
        if not unit.excused and unit.wh < RESERVE * self.setting.battery_wh - 1e-6:
            self.wrong.append(f"{self.now_s}: unit {unit.number} below its reserve")
        tod = self.now_s % DAY_S
        if metres > 0 and not unit.excused and not self.setting.from_s <= tod <= self.setting.permit_until_s + 60:
            self.wrong.append(f"{self.now_s}: unit {unit.number} drives out of hours")
        for road in roads or []:
            if metres > 0 and not self.allowed[road]:
                self.wrong.append(f"{self.now_s}: unit {unit.number} on road {road}, not permitted")

    def _arrive(self, unit: _Truth) -> None:
        self._use(unit, self._seconds(unit) * SPEED_M_S, unit.way)
        unit.road, unit.pos_m, unit.doing = unit.way[-1], unit.to_pos_m, "parked"
        self.report(unit, "arrived")

    def _break(self, unit: _Truth) -> None:
        self._move(unit)
        unit.doing = "broken"
        self.report(unit, "broken", list(unit.aboard))
        self._later(unit, 1_800, lambda: self._repair(unit))

    def _do_fetch(self, unit: _Truth, c: FetchUnit) -> None:
        """Let the crew take a unit that stands out; it comes again for one that drives or serves."""
        if unit.doing in ("driving", "serving"):
            self.at(self.now_s + 60, lambda: self._do_fetch(unit, c))
        elif unit.doing in ("parked", "halted") and unit.road != self.depot_road[unit.depot]:
            self._use(unit, 0.0)
            self.fetched += 1
            wh = unit.wh
            self._break(unit)
            self._later(unit, 1_800, lambda: self._repair(unit, wh))

    def _repair(self, unit: _Truth, wh: float | None = None) -> None:
        items, unit.aboard = unit.aboard, []
        for o in items:
            self.where[o] = "depot"
        unit.road, unit.pos_m, unit.doing = self.depot_road[unit.depot], 50.0, "parked"
        unit.wh, unit.since_s = 0.8 * self.setting.battery_wh if wh is None else wh, self.now_s
        self.report(unit, "repaired", items)

    def _halt(self, unit: _Truth, cause: str, back_s: int = 0) -> None:
        self._move(unit)
        unit.doing, unit.excused = "halted", True
        self.report(unit, "halted", detail=cause)
        if back_s:
            self._later(unit, back_s, lambda: self._resume(unit))

    def _resume(self, unit: _Truth) -> None:
        if unit.doing == "halted":
            self._use(unit, 0.0)
            unit.doing, unit.began_s = "driving", self.now_s
            self.report(unit, "resumed")
            self._later(unit, self._seconds(unit), lambda: self._arrive(unit))

    def _ask(self, unit: _Truth) -> None:
        self._halt(unit, "blocked")
        self.report(unit, "help", detail="blocked")

    def _relink(self, unit: _Truth) -> None:
        unit.linked = True
        kept, unit.kept = unit.kept, []
        for told in kept:
            self.tell(replace(told, t_s=self.now_s))

    def _do_halt_unit(self, unit: _Truth, c: HaltUnit) -> None:
        if unit.doing == "driving":
            self._halt(unit, c.reason)
        unit.token += unit.doing == "halted"  # it does not resume by itself

    def _do_resume_unit(self, unit: _Truth, _c: ResumeUnit) -> None:
        self._resume(unit)

    def _do_assist(self, unit: _Truth, _c: AssistUnit) -> None:
        def done() -> None:
            self.report(unit, "assisted", detail="solved")
            self._resume(unit)

        self.at(self.now_s + 120, done)

    def _do_charge(self, unit: _Truth, c: ChargeUnit) -> None:
        if self._busy(unit, "charge"):
            return
        self._use(unit, 0.0)
        need = max(c.charge * self.setting.battery_wh - unit.wh, 0.0)
        unit.doing = "charging"

        def done() -> None:
            unit.wh += need
            unit.since_s, unit.doing, unit.excused = self.now_s, "parked", False
            self.report(unit, "charged")

        self._later(unit, need / 3_000.0 * 3600, done)

    def _do_load(self, unit: _Truth, c: LoadOrders) -> None:
        if self._busy(unit, "load"):
            return
        if unit.road != self.depot_road[unit.depot]:
            self.report(unit, "refused", detail="load: it does not stand at a depot")
            return
        here: list[int] = []
        missed: list[int] = []
        for o in c.orders.tolist():
            fine = self.where[o] == "depot" and o in self.answers and o not in self.given_up
            (here if fine and self._order_depot[o] == unit.depot else missed).append(o)
        for o in here:
            self.where[o] = "unit"
        unit.aboard += here
        if self._litres(unit) > self.setting.capacity:
            self.wrong.append(f"{self.now_s}: unit {unit.number} over its capacity")
        unit.doing = "serving"
        self._later(unit, 60 + 8 * len(here), lambda: self._served(unit, "loaded", here, missed))

    def _served(self, unit: _Truth, what: str, items: list[int], missed: list[int], detail: str = "") -> None:
        self._use(unit, 0.0)
        unit.doing = "parked"
        self.report(unit, what, items, missed, detail)

    def _do_hand_over(self, unit: _Truth, c: HandOver) -> None:
        if self._busy(unit, "hand over"):
            return
        mine = [o for o in c.orders.tolist() if o in unit.aboard and o not in self.given_up]
        if not mine:
            self.report(unit, "refused", detail="hand over: none of the orders is aboard")
            return
        place = self.locker_road[int(c.place.split("-")[1])] if c.to == "locker" else -1
        if any(unit.road != (place if place >= 0 else self._order_road[o]) for o in mine):
            self.report(unit, "refused", detail="hand over: it does not stand there")
            return
        done = [o for o in mine if c.to == "locker" or self.dice.random() >= self.faults.nobody]
        missed = [o for o in mine if o not in done]

        def handed() -> None:
            for o in done:
                if o in self.delivered:
                    self.wrong.append(f"{self.now_s}: order {o} handed over twice")
                self.delivered[o] = self.now_s
                self.where[o] = "delivered"
                unit.aboard.remove(o)
            self._served(unit, "handed", done, missed, "nobody there" if missed else "")

        unit.doing = "serving"
        self._later(unit, c.wait_s if missed else 60 + 20 * len(done), handed)

    def _do_unload(self, unit: _Truth, c: ReturnOrders) -> None:
        if self._busy(unit, "return"):
            return
        if unit.road != self.depot_road[unit.depot]:
            self.report(unit, "refused", detail="return: it does not stand at a depot")
            return
        mine = [o for o in c.orders.tolist() if o in unit.aboard]
        if not mine:
            self.report(unit, "refused", detail="return: none of the orders is aboard")
            return

        def returned() -> None:
            for o in mine:
                self.where[o] = "depot"
                unit.aboard.remove(o)
            self._served(unit, "returned", mine, [])

        unit.doing = "serving"
        self._later(unit, 60 + 8 * len(mine), returned)

    # -- what can be seen ---------------------------------------------------------------------------------------

    def _litres(self, unit: _Truth) -> int:
        return sum(self._size[o] for o in unit.aboard)

    def _send_telemetry(self) -> None:
        rows = [u for u in self.units.values() if u.linked]
        n = len(rows)
        if n:
            road = [self._road_now(u) for u in rows]
            zero = np.zeros(n)
            self.tell(
                Telemetry(
                    self.now_s, f"telemetry/{self.now_s}", _ints([u.number for u in rows]), np.full(n, self.now_s),
                    _ints(road), zero, zero, zero, zero, _ints([0] * n),
                    np.asarray([u.wh / self.setting.battery_wh for u in rows]), _ints([self._litres(u) for u in rows]),
                    _ints([_STATE.get(u.doing, 0) for u in rows]), zero,
                )
            )  # fmt: skip
        self.at(self.now_s + self.setting.telemetry_s, self._send_telemetry)

    def _road_now(self, unit: _Truth) -> int:
        if unit.doing != "driving":
            return unit.road
        k = int((unit.pos_m + (self.now_s - unit.began_s) * SPEED_M_S) // self.setting.block_m)
        return unit.way[min(k, len(unit.way) - 1)]

    def check(self) -> list[str]:
        """Return what is wrong at the end: every parcel in exactly one place, every order answered."""
        out = list(self.wrong)
        inside = [o for u in self.units.values() for o in u.aboard]
        out += [f"order {o} is in two units" for o in inside if inside.count(o) > 1]
        for o, where in self.where.items():
            places = [where == "depot", o in inside, o in self.delivered]
            if sum(places) != 1:
                out.append(f"order {o} is at {sum(places)} places ({where})")
            if o not in self.answers:
                out.append(f"order {o} was not answered")
            elif not self.answers[o].accepted and where != "depot":
                out.append(f"order {o} was refused, but is {where}")
        return out


def grid(side: int, block_m: float) -> tuple[list[tuple[int, int]], np.ndarray, np.ndarray, np.ndarray]:
    """Return roads (from, to crossing) of a square grid, turns (pairs of roads, no U-turns), and their middles."""
    roads = []
    for i in range(side):
        for j in range(side):
            for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                if 0 <= i + di < side and 0 <= j + dj < side:
                    roads.append((i * side + j, (i + di) * side + j + dj))
    out_of: dict[int, list[int]] = {}
    for k, (a, _) in enumerate(roads):
        out_of.setdefault(a, []).append(k)
    turns = [(k, m) for k, (a, b) in enumerate(roads) for m in out_of[b] if roads[m][1] != a]
    ends = np.asarray(roads)
    x = (ends[:, 0] % side + ends[:, 1] % side) / 2 * block_m
    y = (ends[:, 0] // side + ends[:, 1] // side) / 2 * block_m
    return roads, np.asarray(turns), x, y


def _ints(values: list[int]) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)
