"""A fleet without traffic: robots that wander over the toy city at their top speed, for tests of supervision.

Has the arrays and methods of :class:`twin.world.fleets.units.Units` that permits, conduct and telemetry use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from geo.network import Network
from tests.cities import shared_toy_city
from twin.dice import Dice
from twin.domain.ids import unit_number
from twin.domain.mobility import DRIVING, HALTED, DriveTo, Roster
from twin.events import RunEnded
from twin.hosts import Host
from twin.log import Log
from twin.scenario.supervision import Permit, Supervision
from twin.world.fleets.platform import Platform
from twin.world.fleets.ports import DESK_OF, TICK_S

TOP = 8.0


class ToyUnits:
    """Units that drive from road to road of their leg, and then get another leg inside ``home``."""

    def __init__(self, city, n, seed, home, fleet="robot", tests=(240.0, 1000.0)):
        self.city, self._home = city, home
        self._length = city.roads["length_m"].to_numpy()
        self._limit = city.roads["speed_m_s"].to_numpy()
        turns = city.turns[["from_road", "to_road"]].to_numpy()
        self._next = [np.unique(turns[turns[:, 0] == r, 1]) for r in range(len(city.roads))]
        self._pick = Dice(seed).stream("toy.way")
        self.fleet = np.array([fleet] * n, dtype=object)
        self.number = np.array([unit_number(fleet, k + 1) for k in range(n)])
        self.state = np.full(n, DRIVING)
        roads = np.flatnonzero(home)
        self.road = roads[np.arange(n) * 7 % roads.size].astype(np.int64)
        self.pos_m, self.battery = np.zeros(n), np.full(n, 0.9)
        self.load, self.odometer_m = np.zeros(n, np.int64), np.zeros(n)
        self.linked, self.broken = np.ones(n, bool), np.zeros(n, bool)
        self.vehicle = np.arange(1, n + 1)
        self.speed_m_s, self.limit_m_s = np.full(n, TOP), np.full(n, np.inf)
        self.top = np.full(n, TOP)
        self.specs = [SimpleNamespace(test_h=tests[0], test_km=tests[1])] * n
        self.home = [SimpleNamespace(place="depot")] * n
        self._legs, self._queue, self._count = [None] * n, [[] for _ in range(n)], np.zeros(n, np.int64)
        self._passed, self._hold, self.halts = {}, np.zeros(n, np.int64), [set() for _ in range(n)]
        for row in range(n):
            self._new_leg(row)

    def __len__(self):
        return self.number.size

    def row(self, unit):
        hit = np.flatnonzero(self.number == unit)
        return int(hit[0]) if hit.size else -1

    def roster(self, desk, now_s):
        f = str(self.fleet[0])
        z, n = np.zeros(len(self)), len(self)
        hours, km = (np.array([getattr(s, a) for s in self.specs]) for a in ("test_h", "test_km"))
        return [
            Roster(now_s, f"roster/{f}", f, self.number, z.astype(np.int64), z, z, z, z, z, z, ("depot",) * n,
                   self.road.copy(), z, hours, km)
        ] if DESK_OF[f] == desk else []  # fmt: skip

    def leg(self, row):
        return self._legs[row]

    def passed(self, row):
        return self._passed.get(row, [])

    def drive(self, command, now_s):
        row = self.row(command.unit)
        self._legs[row], self._queue[row] = command, command.roads[1:].tolist()
        return True

    def limit(self, row, speed_m_s):
        self.limit_m_s[row] = np.inf if speed_m_s < 0 else speed_m_s
        self.top[row] = min(self.speed_m_s[row], self.limit_m_s[row])

    def halt(self, row, cause, now_s, by="system"):
        self.halts[row].add(by)
        self.state[row], self.vehicle[row] = HALTED, 0

    def resume(self, row, cause, now_s, by="system"):
        self.halts[row].discard(by)
        if not self.halts[row]:
            self.state[row], self.vehicle[row] = DRIVING, row + 1
            self.top[row] = min(self.speed_m_s[row], self.limit_m_s[row])
        return not self.halts[row]

    def hold(self, row, seconds, cause, now_s):
        self._hold[row] = seconds
        return True

    def set_link(self, row, up, now_s):
        self.linked[row] = up
        (self.resume if up else self.halt)(row, "link", now_s, by="link")

    def _new_leg(self, row):
        roads = [int(self.road[row])]
        for _ in range(12):
            ahead = [int(r) for r in self._next[roads[-1]] if self._home[r]]
            if not ahead:
                break
            self._count[row] += 1
            roads.append(
                ahead[int(self._pick.integers(0, len(ahead), int(self.number[row]), int(self._count[row]))[0])]
            )
        unit = int(self.number[row])
        key = f"drive/{unit}/{int(self._count[row])}"
        self._legs[row] = DriveTo(key, unit, np.asarray(roads, np.int64), 0.0, TOP, "wander")
        self._queue[row] = roads[1:]

    def tick(self, now_s):
        self._passed = {}
        for row in np.flatnonzero(self.state == DRIVING).tolist():
            left = float(TICK_S - self._hold[row])
            self._hold[row] = 0
            while left > 1e-9:
                road = int(self.road[row])
                v = min(self.top[row], self._limit[road])
                rest = self._length[road] - self.pos_m[row]
                step = min(rest, v * left)
                self.pos_m[row] += step
                self.odometer_m[row] += step
                left -= step / v
                if step < rest:
                    break
                if not self._queue[row]:
                    self._new_leg(row)
                    if not self._queue[row]:
                        break
                self.road[row], self.pos_m[row] = self._queue[row].pop(0), 0.0
                self._passed.setdefault(row, []).append((int(self.road[row]), now_s - left))


class ToyTraffic:
    """Takes top speeds for :class:`ToyUnits`."""

    def __init__(self, units):
        self._units = units

    def set_top_speed(self, vehicle, speed_m_s):
        self._units.top[int(vehicle) - 1] = speed_m_s
        return True


@dataclass
class Toy:
    """A world of robots, the world's side of supervision, and a desk that watches (or none)."""

    units: ToyUnits
    platform: Platform
    log: Log
    host: Host | None
    told: dict = field(default_factory=dict)
    now_s: int = 0
    outages: dict = field(default_factory=dict)  # second → [(row, up)]

    def run(self, seconds, look=None):
        for _ in range(0, seconds, TICK_S):
            self.step()
            if look is not None:
                look(self)
        return self

    def step(self):
        self.now_s += TICK_S
        for row, up in self.outages.pop(self.now_s, ()):
            self.units.set_link(row, up, self.now_s)
        self.units.tick(self.now_s)
        self.tell("supervision", *self.platform.tick(self.now_s))
        self.decide()

    def decide(self):
        if self.host is not None and self.host.due(self.now_s):
            for command in self.host.decide(self.now_s)[1]:
                assert self.platform.carry_out(command, self.now_s)

    def tell(self, desk, *messages):
        for m in messages:
            self.told.setdefault(desk, []).append(m)
            if desk == "supervision" and self.host is not None:
                self.host.tell(m)

    def facts(self):
        self.log.add(RunEnded, t_s=self.now_s, reason="finished")
        return self.log.close()


def inner(city):
    """Roads of the toy city that are not stubs: both ends are crossings of the grid."""
    grid = city.junctions.loc[city.junctions["kind"] != "dead_end", "node"]
    nodes = set(grid)
    return (city.roads["from_node"].isin(nodes) & city.roads["to_node"].isin(nodes)).to_numpy()


def west(city):
    """The western two thirds of the grid, as far as one can drive round in them."""
    x = city.roads.geometry.interpolate(0.5, normalized=True).x.to_numpy()
    mask = inner(city)
    mask = mask & (x < np.quantile(x[mask], 0.7))
    net = Network.of(city)
    keep = mask[net.from_road] & mask[net.to_road]
    graph = csr_matrix((np.ones(keep.sum()), (net.from_road[keep], net.to_road[keep])), shape=(net.n, net.n))
    label = connected_components(graph, connection="strong")[1]
    return mask & (label == np.bincount(label[mask]).argmax())


def make_toy(n=6, seed=1, supervision=None, factory=None, start_s=36_000, weather="clear", home=None, fleet="robot",
             tests=(240.0, 1000.0)):  # fmt: skip
    city = shared_toy_city()
    home = west(city) if home is None else home
    if supervision is None:
        supervision = Supervision()
    edges = tuple(city.roads["edge"].to_numpy()[np.flatnonzero(home)].tolist())
    if not supervision.permits and fleet != "courier":
        permit = Permit(fleet=fleet, area=edges, speed_km_h=TOP * 3.6)
        supervision = supervision.model_copy(update={"permits": (permit,)})
    units, log = ToyUnits(city, n, seed, home, fleet, tests), Log()
    host = Host("supervision", factory) if factory is not None else None
    toy = Toy(units, None, log, host, now_s=start_s)
    context = SimpleNamespace(
        city=city, units=units, depots=None, traffic=ToyTraffic(units), network=Network.of(city), log=log,
        dice=Dice(seed), people=None, journeys=None, weather=SimpleNamespace(kind=weather, rain_mm_h=0.0),
        scenario=SimpleNamespace(supervision=supervision), start_s=start_s, end_s=start_s + 86_400, tell=toy.tell,
    )  # fmt: skip
    toy.platform = Platform(context)
    if host is not None:
        from twin.world.sensors.detectors import road_map

        toy.tell("supervision", road_map(city, start_s), *units.roster(DESK_OF[fleet], start_s))
    toy.tell("supervision", *toy.platform.begin(start_s))
    toy.decide()
    return toy
