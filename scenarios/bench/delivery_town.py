"""The town of :mod:`scenarios.bench.deliveries`: streets, units as they are, orders, time, and their messages."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from twin.control.mobility.streets import Streets
from twin.domain.delivery import DeliveryRules, OrdersPlaced
from twin.domain.ids import unit_number
from twin.domain.messages import Message, RoadMap
from twin.domain.mobility import PermitIssued, Places, Roster, Telemetry

USE_WH_M, IDLE_W, RESERVE, SPEED_M_S = 0.2, 60.0, 0.15, 7.0
DAY_S = 86_400
HOUR_S = 3_600
STATE = {"parked": 0, "driving": 1, "serving": 2, "charging": 3, "halted": 4, "broken": 6}


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
class Truth:
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


class Town:
    """A square grid of streets with units and orders; what happens lies on a heap of seconds, messages in an inbox."""

    def __init__(self, setting: Setting, faults: Faults, seed: int, start_s: int) -> None:
        self.setting, self.faults = setting, faults
        self.now_s = start_s
        self.dice = random.Random(seed)
        self.where: dict[int, str] = {}
        self.due_s: dict[int, int] = {}
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.inbox: list[Message] = []
        self.size: dict[int, int] = {}
        self.order_depot: dict[int, int] = {}
        self.order_road: dict[int, int] = {}
        self._count = 0
        self._build()

    def count(self) -> int:
        """Return the next number."""
        self._count += 1
        return self._count

    def _build(self) -> None:
        s = self.setting
        road, turns, self.x, self.y = grid(s.side, s.block_m)
        n = len(road)
        ids = np.arange(n)
        self.map = RoadMap(
            self.now_s, "map", ids, np.full(n, s.block_m), np.full(n, 8.0), np.ones(n, int), turns[:, 0], turns[:, 1]
        )
        self.turns = set(map(tuple, turns.tolist()))
        self.streets = Streets()
        self.streets.take(self.map)
        spots = np.linspace(0, n - 1, s.depots + 2).astype(int)[1:-1]
        self.depot_road = [int(r) for r in spots]
        middle = np.hypot(self.x - self.x[spots[0]], self.y - self.y[spots[0]])
        self.allowed = middle <= np.quantile(middle, s.permit_roads)
        homes = [k % s.depots for k in range(s.units)]
        self.units = {
            int(unit_number("robot", k + 1)): Truth(
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
            self.where[o], self.size[o], self.order_depot[o], self.order_road[o] = "depot", z, k, r
            self.due_s[o] = t_s + HOUR_S
        locker = np.asarray([int(self.dice.random() < 0.2) for _ in rows])
        told = OrdersPlaced(
            t_s, f"orders/{first}", order, size, depot.astype(np.int64), np.full(number, t_s + pack_s),
            np.full(number, t_s + HOUR_S), at, np.full(number, self.setting.block_m / 2), self.x[at], self.y[at],
            locker, order,
        )  # fmt: skip
        self.at(t_s, lambda: self.tell(told))

    def at(self, t_s: int, what: Callable[[], None]) -> None:
        """Do something at a second."""
        heapq.heappush(self.heap, (t_s, self.count(), what))

    def tell(self, message: Message) -> None:
        """Put a message into the desk's inbox; now and then late, now and then twice."""
        late = self.dice.randrange(90) if self.faults.late and self.dice.random() < self.faults.late else 0
        copies = 2 if self.faults.twice and self.dice.random() < self.faults.twice else 1
        for k in range(copies):
            delay = late + k * self.dice.randrange(120) if k else late
            if delay:
                self.at(self.now_s + delay, lambda: self.inbox.append(replace(message, t_s=self.now_s)))
            else:
                self.inbox.append(message)

    def litres(self, unit: Truth) -> int:
        """Return what a unit carries, litres."""
        return sum(self.size[o] for o in unit.aboard)

    def _send_telemetry(self) -> None:
        rows = [u for u in self.units.values() if u.linked]
        n = len(rows)
        if n:
            road = [self.road_now(u) for u in rows]
            zero = np.zeros(n)
            self.tell(
                Telemetry(
                    self.now_s, f"telemetry/{self.now_s}", ints([u.number for u in rows]), np.full(n, self.now_s),
                    ints(road), zero, zero, zero, zero, ints([0] * n),
                    np.asarray([u.wh / self.setting.battery_wh for u in rows]), ints([self.litres(u) for u in rows]),
                    ints([STATE.get(u.doing, 0) for u in rows]), zero,
                )
            )  # fmt: skip
        self.at(self.now_s + self.setting.telemetry_s, self._send_telemetry)

    def road_now(self, unit: Truth) -> int:
        """Return the road that a unit is on now."""
        if unit.doing != "driving":
            return unit.road
        k = int((unit.pos_m + (self.now_s - unit.began_s) * SPEED_M_S) // self.setting.block_m)
        return unit.way[min(k, len(unit.way) - 1)]


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


def ints(values: list[int]) -> np.ndarray:
    """Return whole numbers as an array."""
    return np.asarray(values, dtype=np.int64)
