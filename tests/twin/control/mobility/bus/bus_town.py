"""A tiny world at the level of messages: a grid of roads, buses that take the streets' time, passengers at stops.

It holds the truth on its own: who is aboard, where a bus is, what its battery holds; and breaks the run when a
command would make somebody board twice or a bus fuller than it is.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from twin.domain.bus import (
    AnswerBooking,
    BookingCancelled,
    BookingRequest,
    BusRules,
    CancelBooking,
    ChangePromise,
    OpenDoors,
    Timetable,
)
from twin.domain.commands import WakeAt
from twin.domain.ids import unit_number
from twin.domain.messages import ClosureReport, RoadMap
from twin.domain.mobility import (
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
    WeatherReport,
)

SIDE = 5  # crossings per side
BLOCK_M = 400.0
LIMIT_M_S = 10.0
SEATS = 8


def ints(*values):
    return np.asarray(values, dtype=np.int64)


def floats(*values):
    return np.asarray(values, dtype=float)


def grid(side=SIDE):
    """Roads between neighbouring crossings, both directions; no U-turns."""
    ends = []
    for y in range(side):
        for x in range(side):
            for dx, dy in ((1, 0), (0, 1)):
                if x + dx < side and y + dy < side:
                    a, b = (x, y), (x + dx, y + dy)
                    ends += [(a, b), (b, a)]
    index = {e: k for k, e in enumerate(ends)}
    turns = [(index[e], index[f]) for e in ends for f in ends if e[1] == f[0] and f[1] != e[0]]
    return ends, index, turns


TELEMETRY_S = 30

ENDS, ROAD, TURNS = grid()
N = len(ENDS)


def told_map():
    return RoadMap(
        0, "map", np.arange(N), np.full(N, BLOCK_M), np.full(N, LIMIT_M_S), np.ones(N, int),
        ints(*(a for a, _ in TURNS)), ints(*(b for _, b in TURNS)),
    )  # fmt: skip


#: stops in the middle of roads; the first six are on one another's way as a line along two sides of the grid
STOP_ROADS = [ROAD[(x, 1), (x + 1, 1)] for x in range(4)] + [ROAD[(4, y), (4, y + 1)] for y in (1, 2, 3)]
STOP_ROADS += [ROAD[(x + 1, 4), (x, 4)] for x in range(4)] + [ROAD[(0, y + 1), (0, y)] for y in (1, 2, 3)]


def place_xy(road, pos):
    (ax, ay), (bx, by) = ENDS[road]
    f = pos / BLOCK_M
    return BLOCK_M * (ax + f * (bx - ax)), BLOCK_M * (ay + f * (by - ay))


def told_stops(roads=None, pos=200.0):
    roads = STOP_ROADS if roads is None else roads
    xy = [place_xy(r, pos) for r in roads]
    n = len(roads)
    return Places(
        0, "stops", "stop", tuple(f"S{k}" for k in range(n)), tuple(f"Stop {k}" for k in range(n)), ints(*roads),
        np.full(n, pos), floats(*(x for x, _ in xy)), floats(*(y for _, y in xy)), np.ones(n, int), np.zeros(n, int),
        np.full(n, 86400),
    )  # fmt: skip


HOME = ROAD[(0, 0), (1, 0)]


def roster(n=2, seats=SEATS, battery_wh=60_000.0, test_h=300.0, test_km=2000.0, charge=0.95):
    units = ints(*(unit_number("shuttle", k + 1) for k in range(n)))
    return Roster(
        0, "roster", "shuttle", units, np.full(n, seats), np.full(n, battery_wh), np.full(n, charge), np.full(n, 0.6),
        np.full(n, 500.0), np.full(n, 0.2), np.full(n, 11.0), ("D",) * n, np.full(n, HOME), np.full(n, 50.0),
        np.full(n, test_h), np.full(n, test_km),
    )  # fmt: skip


def permit(purpose="passengers", name="", from_s=0, until_s=86400, valid_until_s=1 << 40, min_h=240.0, min_km=1000.0):
    return PermitIssued(
        0, f"permit/{purpose}{name}", f"{purpose}{name}", "shuttle", purpose, ints(), np.arange(N), from_s, until_s,
        40 / 3.6, 0, valid_until_s, min_h, min_km,
    )  # fmt: skip


def line_times(depart, step_s=90, stops=6):
    return Timetable(
        0, "line", "1", tuple(f"S{k}" for k in range(stops)), np.arange(stops) * step_s, np.asarray(depart, int)
    )  # fmt: skip


RULES = BusRules(0, "rules", from_s=6 * 3600, until_s=22 * 3600, max_walk_m=500.0)


def setup(n=2, rules=RULES, line=None, **roster_args):
    out = [told_map(), rules, roster(n, **roster_args), told_stops(), permit(), permit("test", min_h=0, min_km=0)]
    return [*out, line] if line is not None else out


def request(b, t, a, z, party=1, wanted=None, due=-1):
    """A booking from near stop ``a`` to near stop ``z``."""
    (ax, ay), (zx, zy) = place_xy(STOP_ROADS[a], 200.0), place_xy(STOP_ROADS[z], 200.0)
    return BookingRequest(
        t, f"book/{b}", b, party, ax + 40, ay + 30, zx - 40, zy - 30, t if wanted is None else wanted, due
    )


@dataclass
class TrueBus:
    unit: int
    road: int = HOME
    pos: float = 50.0
    wh: float = 0.0
    aboard: list = field(default_factory=list)
    busy: tuple | None = None  # (until, what, command)
    broken_until: int = -1
    silent_until: int = -1
    kept: list = field(default_factory=list)
    halted_until: int = -1
    halt: tuple = (0, 0)  # (since, for how long)


class Town:
    """Runs a desk against the tiny world, second by second where something happens."""

    def __init__(self, desk, messages, start=6 * 3600 - 600, no_show=lambda b: False, slow=lambda t: 1.0):
        self.desk, self.now, self.no_show, self.slow = desk, start, no_show, slow
        told = next(m for m in messages if isinstance(m, Roster))
        self.told = told
        self.seats = {int(u): int(c) for u, c in zip(told.unit, told.capacity, strict=True)}
        self.rules = next((m for m in messages if isinstance(m, BusRules)), RULES)
        stops = next(m for m in messages if isinstance(m, Places))
        self.stop_at = {p: (int(r), float(x)) for p, r, x in zip(stops.place, stops.road, stops.pos_m, strict=True)}
        self.buses = {
            int(u): TrueBus(int(u), wh=float(w * c))
            for u, w, c in zip(told.unit, told.battery_wh, told.charge, strict=True)
        }
        self.party, self.answers, self.promise = {}, {}, {}
        self.boarded, self.alighted, self.cancelled, self.missed = {}, {}, {}, {}
        self.log, self.keys, self.journal = [], set(), []
        self.wakes = set()
        self.later = []  # (t, message or callable)
        self.doors_log, self.legs, self.changes = [], [], []
        self.serial = 0
        self.off_s, self.opened_s, self.sent_s = {}, {}, start
        self.lowest = 1.0
        self.fetched = []
        self.tell(messages)

    # -- running
    def at(self, t, what):
        self.later.append((t, what))

    def tell(self, messages):
        out = self.desk.decide(self.now, tuple(messages))
        self.journal.append((self.now, tuple(messages), tuple(out)))
        for c in out:
            assert c.key not in self.keys, f"{c.key} twice"
            self.keys.add(c.key)
            self.log.append((self.now, c))
            self.carry_out(c)

    def report(self, bus, what, items=(), left=(), missed=(), detail=""):
        self.serial += 1
        load = sum(self.party[b] for b in bus.aboard)
        m = UnitReport(
            self.now, f"r/{self.serial}", bus.unit, what, bus.road, bus.pos, bus.wh / 60_000, load, ints(*items),
            ints(*left), ints(*missed), detail,
        )  # fmt: skip
        bus.kept.append(m)

    def run(self, until):
        while self.now < until:
            nexts = [t for t, _ in self.later] + [b.busy[0] for b in self.buses.values() if b.busy]
            nexts += [b.broken_until for b in self.buses.values() if b.broken_until > 0]
            nexts += [b.halted_until for b in self.buses.values() if b.halted_until > 0]
            nexts += [b.silent_until for b in self.buses.values() if b.silent_until > self.now and b.kept]
            nexts += [*self.wakes, self.sent_s + TELEMETRY_S]
            t = min([x for x in nexts if x > self.now], default=until)
            if t > until:
                self.now = until
                return
            self.now = max(t, self.now + 1)
            self.step()

    def step(self):
        post = []
        if self.now >= self.sent_s + TELEMETRY_S:
            self.sent_s = self.now
            post.append(self.telemetry())
        due = [x for x in self.later if x[0] <= self.now]
        self.later = [x for x in self.later if x[0] > self.now]
        for _, what in due:
            if callable(what):
                what(self)
            else:
                post.append(what)
                if isinstance(what, BookingRequest):
                    self.party[what.booking] = what.party
        for bus in self.buses.values():
            if bus.broken_until > 0:
                if self.now >= bus.broken_until:
                    bus.broken_until, bus.road, bus.pos, bus.busy = -1, HOME, 50.0, None
                    bus.wh = 0.95 * 60_000
                    self.report(bus, "repaired")
            elif bus.halted_until > 0:
                if self.now >= bus.halted_until:
                    bus.halted_until = -1
                    self.report(bus, "resumed")
            elif bus.busy and self.now >= bus.busy[0]:
                self.finish(bus)
            if self.now >= bus.silent_until and bus.kept:
                post += bus.kept
                bus.kept = []
        woken = any(t <= self.now for t in self.wakes)
        self.wakes = {t for t in self.wakes if t > self.now}
        if post or woken:
            self.tell(post)

    def finish(self, bus):
        what, c = bus.busy[1:3]
        bus.busy = None
        if what == "leg":
            metres, _ = self.length(bus, c)
            bus.wh -= metres * 0.62  # 0.6 Wh/m and 500 W at 10 m/s are 0.614
            bus.road, bus.pos = int(c.roads[-1]), c.pos_m
            self.lowest = min(self.lowest, bus.wh / 60_000)
            self.report(bus, "arrived")
        elif what == "charge":
            bus.wh = max(bus.wh, c.charge * 60_000)
            self.report(bus, "charged")
        elif what == "doors":
            self.close(bus, c)

    def length(self, bus, c):
        roads = c.roads.tolist()
        assert roads[0] == bus.road, "a leg begins on the road the bus stands on"
        for a, b in pairwise(roads):
            assert (a, b) in set_turns, "a leg follows the turns"
        metres = BLOCK_M * len(roads) - bus.pos - (BLOCK_M - c.pos_m)
        assert metres >= 0
        return metres, metres / min(LIMIT_M_S, c.speed_m_s)

    # -- commands
    def carry_out(self, c):
        if isinstance(c, WakeAt):
            assert c.t_s > self.now
            self.wakes.add(c.t_s)
        elif isinstance(c, AnswerBooking):
            assert c.booking not in self.answers, "answered twice"
            self.answers[c.booking] = c
            if c.accepted:
                self.promise[c.booking] = (c.stop, c.to_stop, c.pickup_s, c.arrive_s)
        elif isinstance(c, ChangePromise):
            self.promise[c.booking] = (c.stop, c.to_stop, c.pickup_s, c.arrive_s)
            self.changes.append((self.now, c))
        elif isinstance(c, CancelBooking):
            self.cancelled[c.booking] = (self.now, c.reason)
        else:
            self.unit_command(c)

    def unit_command(self, c):
        bus = self.buses[c.unit]
        if isinstance(c, FetchUnit):
            self.fetch(bus)
            return
        if self.now < bus.silent_until:
            return  # the link is lost
        if bus.broken_until > 0:
            return
        if isinstance(c, DriveTo):
            if bus.busy and bus.busy[1] == "doors":
                self.at_once_refused(bus, "the doors are open")
                return
            if bus.busy and bus.busy[1] == "leg":
                c = self.diverted(bus, c)
            elif bus.busy:  # it was charging
                bus.wh += min(bus.busy[2].charge * 60_000 - bus.wh, (self.now - bus.busy[3]) / 3600 * 40_000)
            _, seconds = self.length(bus, c)
            self.legs.append((self.now, c))
            took = math.ceil(seconds * self.slow(self.now)) + 8
            bus.busy = (self.now + took, "leg", c, self.now)
        elif isinstance(c, ChargeUnit):
            assert (bus.road, bus.pos) == (HOME, 50.0)
            missing = max(0.0, c.charge * 60_000 - bus.wh)
            bus.busy = (self.now + 10 + int(missing / 40_000 * 3600), "charge", c, self.now)
        elif isinstance(c, OpenDoors):
            self.open(bus, c)
        else:
            assert isinstance(c, HaltUnit | ResumeUnit)
            if isinstance(c, ResumeUnit):
                if bus.halted_until > 0:
                    since, for_s = bus.halt
                    bus.busy = (bus.busy[0] - for_s + self.now + 1 - since, *bus.busy[1:])
                bus.halted_until = self.now + 1
            else:
                self.halt(c.unit, 1 << 30)

    def where(self, bus):
        """Index into the roads of the leg, and the position on that road."""
        end, _, c, began = bus.busy
        metres, _ = self.length(bus, c)
        done = bus.pos + metres * min(1.0, max(0.0, (self.now - began) / max(1, end - began)))
        k = min(int(done // BLOCK_M), c.roads.size - 1)
        return k, min(done - k * BLOCK_M, BLOCK_M)

    def diverted(self, bus, c):
        """Join the new way at its first road ahead, or find an own way to its end."""
        k, pos = self.where(bus)
        ahead = bus.busy[2].roads.tolist()[k:]
        new = c.roads.tolist()
        joins = next((j for j, r in enumerate(new) if r in ahead), -1)
        if joins >= 0 and not (ahead[0] == new[-1] and pos > c.pos_m):
            roads = ahead[: ahead.index(new[joins])] + new[joins:]
        else:
            roads = own_way(ahead[0], new[-1])
        bus.wh -= (k * BLOCK_M + pos - bus.pos) * 0.62
        bus.road, bus.pos = ahead[0], pos
        return replace(c, roads=ints(*roads))

    def telemetry(self):
        rows = [b for b in self.buses.values() if self.now >= b.silent_until and b.broken_until < 0]
        at = [self.where(b) if b.busy and b.busy[1] == "leg" else (0, b.pos) for b in rows]
        roads = [
            int(b.busy[2].roads[k]) if b.busy and b.busy[1] == "leg" else b.road
            for b, (k, _) in zip(rows, at, strict=True)
        ]
        states = [{"leg": 1, "doors": 2, "charge": 3}[b.busy[1]] if b.busy else 0 for b in rows]
        n = len(rows)
        zero = np.zeros(n)
        return Telemetry(
            self.now, f"tel/{self.now}", ints(*(b.unit for b in rows)), np.full(n, self.now), ints(*roads),
            floats(*(p for _, p in at)), zero, zero, zero, np.zeros(n, int), floats(*(self.charge(b) for b in rows)),
            np.zeros(n, int), ints(*states), zero,
        )  # fmt: skip

    def charge(self, bus):
        if bus.busy and bus.busy[1] == "leg":
            k, pos = self.where(bus)
            return (bus.wh - (k * BLOCK_M + pos - bus.pos) * 0.62) / 60_000
        if bus.busy and bus.busy[1] == "charge":
            return min(bus.busy[2].charge, (bus.wh + (self.now - bus.busy[3]) / 3600 * 40_000) / 60_000)
        return bus.wh / 60_000

    def at_once_refused(self, bus, why):
        self.report(bus, "refused", detail=why)
        self.at(self.now + 1, lambda town: None)

    def open(self, bus, c):
        assert bus.busy is None, f"doors opened on the move at {self.now}"
        assert self.stop_at[c.stop] == (bus.road, bus.pos), f"{c.stop} is not where the bus is"
        assert set(c.alight.tolist()) <= set(bus.aboard), "somebody gets off who is not aboard"
        comes = [
            b for b in c.board.tolist() if not self.no_show(b) and b not in self.boarded and b not in self.cancelled
        ]
        people = sum(self.party[b] for b in (*comes, *c.alight.tolist()))
        done = self.now + self.rules.dwell_s + self.rules.person_s * people
        self.off_s[c.key], self.opened_s[c.key] = done, self.now
        there = [self.promise[b][2] for b in comes]
        done = max([done, c.not_before_s, *there])
        if len(comes) < c.board.size:
            done = max(done, c.until_s)
        bus.busy = (done, "doors", c)

    def close(self, bus, c):
        on = [b for b in c.board.tolist() if not self.no_show(b) and b not in self.boarded and b not in self.cancelled]
        off = c.alight.tolist()
        for b in off:
            bus.aboard.remove(b)
            assert b not in self.alighted
            self.alighted[b] = (self.off_s[c.key], c.stop)
        for b in on:
            self.boarded[b] = (max(self.opened_s[c.key], self.promise[b][2]), bus.unit, c.stop)
            bus.aboard.append(b)
        assert sum(self.party[b] for b in bus.aboard) <= self.seats[bus.unit], "fuller than it is"
        gone = [b for b in c.board.tolist() if b not in on]
        self.doors_log.append((self.now, c, tuple(on), tuple(off)))
        self.report(bus, "doors", items=on, left=off, missed=gone)

    def fetch(self, bus):
        """The crew takes a bus that stands out; it comes again for one that is busy."""
        if bus.busy and bus.halted_until < 0:
            self.at(self.now + 60, lambda town: town.fetch(bus))
        elif (bus.busy or (bus.road, bus.pos) != (HOME, 50.0)) and bus.broken_until < 0:
            self.fetched.append((self.now, bus.unit))
            self.break_down(bus.unit, 1800)

    # -- what can happen
    def break_down(self, unit, for_s=3600):
        bus = self.buses[unit]
        if bus.broken_until > 0:
            return
        bus.busy, bus.halted_until = None, -1
        self.report(bus, "broken", items=list(bus.aboard), detail="wear")
        for b in bus.aboard:
            self.missed[b] = "broken"
        bus.aboard = []
        bus.broken_until = self.now + for_s

    def give_up(self, b):
        if b in self.party and b not in self.boarded and b not in self.cancelled and self.answers[b].accepted:
            self.cancelled[b] = (self.now, "customer")
            self.tell([BookingCancelled(self.now, f"gave up/{b}", b, "customer")])

    def silence(self, unit, for_s):
        self.buses[unit].silent_until = self.now + for_s

    def halt(self, unit, for_s):
        bus = self.buses[unit]
        if bus.busy and bus.busy[1] == "leg" and bus.halted_until < 0 and bus.broken_until < 0:
            bus.halted_until, bus.halt = self.now + for_s, (self.now, for_s)
            bus.busy = (bus.busy[0] + for_s, *bus.busy[1:])
            self.report(bus, "halted", detail="rain or order")


set_turns = set(TURNS)


def own_way(a, b):
    """The way of fewest roads from the end of road ``a`` to road ``b``."""
    before, queue = {}, deque([a])
    while queue:
        road = queue.popleft()
        for f, t in TURNS:
            if f == road and t not in before:
                before[t] = road
                queue.append(t)
    roads = [b]
    while len(roads) == 1 or roads[-1] != a:
        roads.append(before[roads[-1]])
    return roads[::-1]


def weather(t, rain=0.0, visibility=10_000.0):
    return WeatherReport(t, f"w/{t}", "rain" if rain else "clear", rain, visibility)


def closed(t, road, shut=True):
    return ClosureReport(t, f"c/{t}/{road}", road, shut, "police")
