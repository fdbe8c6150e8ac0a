"""A world of messages for the sanitation desk: a grid of streets, sweepers that do what they are told, no simulator."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from twin.domain.commands import WakeAt
from twin.domain.messages import ClosureReport, RoadMap
from twin.domain.mobility import (
    BROKEN,
    CHARGING,
    DRIVING,
    HALTED,
    PARKED,
    SERVING,
    ChargeUnit,
    DriveTo,
    FetchUnit,
    HaltUnit,
    PermitIssued,
    PermitWithdrawn,
    Places,
    ResumeUnit,
    Roster,
    Telemetry,
    UnitReport,
)
from twin.domain.sanitation import CleaningArea, ServiceUnit, SweeperKit, Tanks

LENGTH_M = 150.0
LIMIT_M_S = 10.0
SWEEP_M_S = 2.0
CAPACITY_L = 180
WATER_L = 150.0
FIRST_UNIT = 800_001
STEP_S = 10


def grid_map(n: int) -> RoadMap:
    """Streets of an n × n grid, both directions; U-turns only where there is no other way on (there is none)."""
    ends = []
    for x in range(n):
        for y in range(n):
            a = x * n + y
            ends += [(a, b) for b in ((x + 1) * n + y,) if x + 1 < n]
            ends += [(a, b) for b in (x * n + y + 1,) if y + 1 < n]
    roads = [e for a, b in ends for e in ((a, b), (b, a))]
    turns = [
        (i, j) for i, (a, b) in enumerate(roads) for j, (c, d) in enumerate(roads) if b == c and a != d
    ]  # fmt: skip
    count = len(roads)
    a, b = np.asarray(turns).T
    return RoadMap(
        0, "map", np.arange(count), np.full(count, LENGTH_M), np.full(count, LIMIT_M_S), np.ones(count, int), a, b
    )


def place(kind, name, road, pos_m=50.0, size=2):
    one = np.asarray
    return Places(
        0, f"places/{kind}", kind, (name,), (name,), one([road]), one([pos_m]), one([0.0]), one([0.0]), one([size]),
        one([0]), one([86_400]),
    )  # fmt: skip


def permit(key, roads, t=0, name="p", valid_until_s=10**9, unit=(), speed=8.0):
    return PermitIssued(
        t, key, name, "sweeper", "cleaning", np.asarray(unit, dtype=np.int64), np.asarray(roads), 0, 86_400, speed,
        0, valid_until_s, 0.0, 0.0,
    )  # fmt: skip


@dataclass
class Unit:
    number: int
    road: int
    pos: float
    charge: float = 1.0
    hopper: float = 0.0
    water: float = WATER_L
    state: int = PARKED
    leg: DriveTo | None = None
    at: int = 0
    from_m: float = 0.0
    until_s: int = 0
    service: object = None
    silent: bool = False


@dataclass
class Streets:
    """The world: ``step`` lets 10 s pass, tells the desk, and does what it answers."""

    desk: object
    units: int = 2
    size: int = 4
    hours: tuple = ((0, 86_400),)
    fill_l_m: float = 0.1
    permits: bool = True
    battery_wh: float = 15_000.0
    area: tuple | None = None
    sweeps_clean: bool = False
    water_l_m: float = 0.05
    now: int = 0
    log: list = field(default_factory=list)  # (second, what, unit, road or figure)
    calls: list = field(default_factory=list)

    def __post_init__(self):
        self.map = grid_map(self.size)
        self.n = self.map.road.size
        self.roads = np.asarray(self.area if self.area is not None else range(self.n))
        self.fleet = [Unit(FIRST_UNIT + k, 0, 60.0) for k in range(self.units)]
        self.wakes, self.keys, self.told, self.closed = set(), set(), 0, set()
        self.dirty_l_m = np.full(self.n, self.fill_l_m)  # litres of hopper on a metre of each road
        u = np.asarray([f.number for f in self.fleet])
        k, one = u.size, np.ones(u.size)
        self.inbox = [
            self.map,
            Roster(0, "roster", "sweeper", u, np.full(k, CAPACITY_L), one * self.battery_wh, one, one * 0.18,
                   one * 300.0, one * 0.15, one * 6.0, ("depot",) * k, np.zeros(k, int), one * 60.0, one * 0, one * 0),
            SweeperKit(0, "kit", u, one * WATER_L, one * self.water_l_m, np.full(k, 180), one),
            place("tip", "tip", 0), place("water", "water", 0), place("charger", "depot", 0, 60.0),
            CleaningArea(0, "area", "area", self.roads, 0.7, np.asarray([h[0] for h in self.hours]),
                         np.asarray([h[1] for h in self.hours]), SWEEP_M_S, np.ones(self.roads.size, int),
                         np.full(self.roads.size, self.fill_l_m)),
        ]  # fmt: skip
        if self.permits:
            self.inbox.append(permit("permit/1", np.arange(self.n)))

    # -- the desk -----------------------------------------------------------------------------------------

    def tell(self, message):
        self.inbox.append(message)

    def close(self, road, closed=True):
        (self.closed.add if closed else self.closed.discard)(road)
        self.tell(ClosureReport(self.now, f"closure/{road}/{closed}/{self.now}", road, closed, "police"))

    def withdraw(self, name="p"):
        self.tell(PermitWithdrawn(self.now, f"withdrawn/{name}/{self.now}", name, "test"))

    def report(self, u, what, items=(), detail=""):
        self.told += 1
        if not u.silent:
            none = np.empty(0, dtype=np.int64)
            self.tell(
                UnitReport(
                    self.now, f"report/{self.told}", u.number, what, u.road, u.pos, u.charge, round(u.hopper),
                    np.asarray(items, dtype=np.int64), none, none, detail,
                )
            )  # fmt: skip

    def decide(self):
        if not self.inbox and not any(w <= self.now for w in self.wakes):
            return
        self.wakes = {w for w in self.wakes if w > self.now}
        messages, self.inbox = self.inbox, []
        commands = list(self.desk.decide(self.now, messages))
        self.calls.append((self.now, messages, commands))
        for c in commands:
            if isinstance(c, WakeAt):
                assert c.t_s > self.now
                self.wakes.add(c.t_s)
                continue
            assert c.key not in self.keys, f"key {c.key} was used twice"
            self.keys.add(c.key)
            u = self.fleet[c.unit - FIRST_UNIT]
            if isinstance(c, FetchUnit):
                self.fetch(u)
            elif not u.silent:
                self.carry_out(u, c)

    def carry_out(self, u, c):
        if isinstance(c, DriveTo):
            if u.state not in (PARKED, DRIVING, CHARGING):
                return self.report(u, "refused", detail="drive: it cannot")
            self.check_way(u, c)
            if u.state == DRIVING and u.road not in c.roads.tolist():  # telemetry was a minute old
                return self.report(u, "refused", detail="drive: it has passed that road")
            if u.state == DRIVING:
                c = replace(c, roads=c.roads[c.roads.tolist().index(u.road) :])
            u.leg, u.at, u.from_m, u.state = c, 0, u.pos, DRIVING
            self.log.append((self.now, c.task, u.number, c.roads.tolist()))
        elif isinstance(c, ServiceUnit):
            assert u.state == PARKED
            assert u.road == 0, "it does not stand at the tip"
            assert abs(u.pos - 50.0) <= 60.0, "it does not stand at the tip"
            u.state, u.service = SERVING, c.what
            u.until_s = self.now + (180 if c.what == "tip" else round(WATER_L - u.water))
        elif isinstance(c, ChargeUnit):
            assert u.road == 0
            u.state, u.service = CHARGING, c.charge
        elif isinstance(c, HaltUnit):
            u.state = HALTED if u.leg is not None else u.state
            self.report(u, "halted", detail="order")
        elif isinstance(c, ResumeUnit) and u.state == HALTED:
            u.state = DRIVING
            self.report(u, "resumed")
        return None

    def check_way(self, u, c):
        turns = set(zip(self.map.turn_from.tolist(), self.map.turn_to.tolist(), strict=True))
        roads = c.roads.tolist()
        assert u.state == DRIVING or roads[0] == u.road, "a leg begins where the unit is"
        assert all(p in turns for p in pairwise(roads)), "a leg keeps to turns"
        assert not self.closed & set(roads[1:]), "no leg leads into a road known to be closed"
        assert 0 <= c.pos_m <= LENGTH_M

    # -- time ---------------------------------------------------------------------------------------------

    def step(self):
        self.now += STEP_S
        for u in self.fleet:
            if u.state == DRIVING:
                self.move(u)
            elif u.state == SERVING and self.now >= u.until_s:
                u.state = PARKED
                u.hopper, u.water = (0.0, u.water) if u.service == "tip" else (u.hopper, WATER_L)
                self.log.append((self.now, "serviced", u.number, u.service))
                self.tanks(u)
                self.report(u, "serviced")
            elif u.state == CHARGING:
                u.charge += 7_000 * STEP_S / 3600 / self.battery_wh
                if u.charge >= u.service:
                    u.charge, u.state = u.service, PARKED
                    self.report(u, "charged")
        if self.now % 60 == 0:
            self.telemetry()
        self.decide()

    def move(self, u):
        sweeping = u.leg.task == "sweep"
        metres = min(u.leg.speed_m_s, LIMIT_M_S) * STEP_S
        while True:
            last = u.at == len(u.leg.roads) - 1
            end = u.leg.pos_m if last else LENGTH_M
            go = min(metres, max(end - u.pos, 0.0))
            u.pos += go
            metres -= go
            u.charge -= go * 0.18 / self.battery_wh
            if u.pos < end - 1e-9:
                break
            if sweeping:
                self.swept(u)
            if last:
                u.pos, u.state, u.leg = end, PARKED, None
                self.report(u, "arrived")
                break
            u.at += 1
            u.road, u.pos, u.from_m = int(u.leg.roads[u.at]), 0.0, 0.0
            self.log.append((self.now, "on", u.number, u.road))
        u.charge -= 300.0 * STEP_S / 3600 / self.battery_wh

    def swept(self, u):
        share = (u.pos - u.from_m) / LENGTH_M
        litres = self.dirty_l_m[u.road] * LENGTH_M * share
        u.hopper += litres
        if self.sweeps_clean:
            self.dirty_l_m[u.road] *= 1 - share
        u.water -= self.water_l_m * LENGTH_M * share
        self.log.append((self.now, "hopper", u.number, u.hopper))
        if share > 0.8:
            self.log.append((self.now, "swept", u.number, u.road))
            self.report(u, "swept", [u.road])
        self.tanks(u)

    def tanks(self, u):
        one = np.asarray
        self.told += 1
        if not u.silent:
            self.tell(Tanks(self.now, f"tanks/{self.told}", one([u.number]), one([u.hopper]), one([u.water])))

    def telemetry(self):
        f = [u for u in self.fleet if not u.silent]
        if f:
            z = np.zeros(len(f))
            col = lambda name: np.asarray([getattr(u, name) for u in f])  # noqa: E731
            self.tell(
                Telemetry(
                    self.now, f"telemetry/{self.now}", col("number"), np.full(len(f), self.now), col("road"),
                    col("pos"), z, z, z, z.astype(int), col("charge"), z.astype(int), col("state"), z,
                )
            )  # fmt: skip

    def breakdown(self, k):
        u = self.fleet[k]
        u.state, u.leg = BROKEN, None
        self.report(u, "broken")

    def fetch(self, u):
        if u.state in (PARKED, HALTED) and u.road != 0:
            self.log.append((self.now, "fetched", u.number, u.road))
            k = u.number - FIRST_UNIT
            self.breakdown(k)
            self.repair(k)

    def repair(self, k):
        u = self.fleet[k]
        u.state, u.road, u.pos, u.hopper, u.water = PARKED, 0, 60.0, 0.0, WATER_L
        self.tanks(u)
        self.report(u, "repaired")

    def run(self, until_s):
        if self.now == 0:
            self.decide()
        while self.now < until_s:
            self.step()
        return self

    def reachable(self, road=0):
        """Return the roads that can be come to from a road without a closed one."""
        found, turns = {road}, list(zip(self.map.turn_from.tolist(), self.map.turn_to.tolist(), strict=True))
        while more := {b for a, b in turns if a in found and b not in found and b not in self.closed}:
            found |= more
        return found

    # -- what happened --------------------------------------------------------------------------------------

    def what(self, kind):
        return [(t, u, x) for t, w, u, x in self.log if w == kind]

    def swept_roads(self, since=0):
        return [x for t, _, x in self.what("swept") if t >= since]
