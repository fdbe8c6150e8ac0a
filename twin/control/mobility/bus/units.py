"""The buses as the desk knows them, from reports and telemetry, and as a policy sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.control.mobility.bus.ports import Bus, Visit
from twin.control.mobility.bus.service import Window
from twin.control.mobility.bus.ways import Ways
from twin.domain.bus import BusRules
from twin.domain.mobility import Roster

Ints = npt.NDArray[np.int64]
IDLE, LEG, DOORS, CHARGING = range(4)
NEAR_M = 30.0  # a unit so near to a place is at it
HALT_GUESS_S = 300  # how long a halt is thought to last from now on (assumed)


@dataclass
class Leg:
    """What a bus drives: its way, where it goes, since when. ``bound``: to its first visit, so not to be diverted."""

    roads: Ints
    road: int
    pos_m: float
    task: str
    bound: bool
    began_s: int
    use_wh: float
    metre_m: float
    rerouted: bool = False


@dataclass
class BusUnit:
    """One bus. ``at``: the stop it stands at (-1: none); ``doing``: IDLE, LEG, DOORS or CHARGING."""

    unit: int
    places: int
    seats: int
    battery_wh: float
    wh_m: float
    idle_w: float
    reserve: float
    speed_m_s: float
    home: str
    home_road: int
    home_pos_m: float
    test_h: float
    test_km: float
    road: int
    pos_m: float
    battery: float
    at: int = -1
    doing: int = IDLE
    leg: Leg | None = None
    eta_s: int = 0
    expect_s: int = 0  # when a report should come at the latest; silence counts from then on
    doors: Visit | None = None
    close_s: int = 0
    until_s: int = 0  # a plan that is late already ends then, after the hours
    visits: tuple[Visit, ...] = ()
    aboard: tuple[int, ...] = ()
    window: Window | None = None
    permit: Window | None = None  # window, the service hours not counted
    test: Window | None = None
    in_tests: bool = False  # tests are all that it lacks
    ways: Ways | None = None
    halted_s: int = -1
    halt_left_s: int = 0
    gave_up: bool = False
    stopped: bool = False  # by the supervision platform
    held: bool = False  # by the desk, as no permit holds
    out: bool = False  # broken, or to be fetched
    lost: bool = False
    cap_m_s: float = math.inf
    no_charge_s: int = 0  # it does not try to charge before
    charge_s: int = 0  # its charge was told or reckoned then
    heard_s: int = 0
    sent_s: int = -1
    odometer_m: float = -1.0
    asked_s: int = 0  # it was told to do something then
    parked_s: int = -1  # since then telemetry has it parked nevertheless
    retry_s: int = 0
    tries: int = 0
    last_goal: tuple[int, float] = (-1, 0.0)
    lap: int = 0
    version: int = 0
    checked: int = -1
    _view: tuple[object, Bus] | None = field(default=None, repr=False)

    @property
    def at_home(self) -> bool:
        """Whether it stands at its depot."""
        here = self.road == self.home_road and abs(self.pos_m - self.home_pos_m) <= NEAR_M
        return here and self.doing in (IDLE, CHARGING)

    @property
    def bound(self) -> bool:
        """Whether it drives to its first visit."""
        return self.doing == LEG and self.leg is not None and self.leg.bound

    def may_carry(self, now_s: int) -> bool:
        """Whether it may carry passengers now."""
        return self.window is not None and self.window.from_s <= now_s < self.window.until_s

    def changed(self) -> None:
        """Forget the picture of the bus that policies get."""
        self.version += 1

    def seen(self, rules: BusRules, now_s: int) -> Bus:
        """Return the bus as a policy sees it."""
        assert self.window is not None
        assert self.ways is not None
        moving = self.doing == LEG and not self.bound
        key = (self.version, self.ways.serial, id(self.ways), self.window.until_s, now_s if moving else 0, rules.key)
        if self._view is None or self._view[0] != key:
            self._view = (key, self._seen(rules, now_s))
        return self._view[1]

    def _seen(self, rules: BusRules, now_s: int) -> Bus:
        assert self.window is not None
        assert self.ways is not None
        time_s, metre_m = self.ways.table()
        home_s, home_m = self.ways.column(self.home_road, self.home_pos_m)
        out_s, out_m = self.ways.row(self.home_road, self.home_pos_m)
        free_s, aboard, energy = max(self.window.from_s, self.retry_s), self.aboard, self.battery - self.reserve
        if self.bound:
            stop = self.visits[0].stop
            from_s = tuple(0.0 if k == stop else math.inf for k in range(len(home_s)))
            from_m, free_s = from_s, max(free_s, self.eta_s)
            assert self.leg is not None
            energy -= self.leg.use_wh / self.battery_wh
        elif self.doing == DOORS and self.doors is not None:
            from_s, from_m, free_s = time_s[self.at], metre_m[self.at], max(free_s, self.close_s)
            off = self.doors.alight
            aboard = (*(b for b in aboard if b not in off), *self.doors.board)
        elif self.at >= 0 and self.doing != LEG:
            from_s, from_m = time_s[self.at], metre_m[self.at]
        else:
            from_s, from_m = self.ways.row(self.road, self.pos_m)
            free_s = max(free_s, now_s) if self.doing == LEG else free_s
        if self.halted_s >= 0 and not self.bound:
            free_s = max(free_s, now_s + HALT_GUESS_S)
        until_s = max(self.until_s, self.window.until_s)
        return Bus(
            self.unit, self.seats, free_s, until_s, from_s, from_m, aboard, self.visits, self.bound, self.at_home,
            time_s, metre_m, home_s, home_m, out_s, out_m, energy * self.battery_wh,
            max(0.0, rules.charge_to - self.reserve) * self.battery_wh, self.wh_m, self.idle_w,
        )  # fmt: skip


def enlist(roster: Roster, rules: BusRules) -> list[BusUnit]:
    """Return the buses of a roster, standing at their depots."""
    return [
        BusUnit(
            unit=int(roster.unit[k]), places=int(roster.capacity[k]), seats=min(rules.seats, int(roster.capacity[k])),
            battery_wh=float(roster.battery_wh[k]), wh_m=float(roster.use_wh_m[k]), idle_w=float(roster.idle_w[k]),
            reserve=float(roster.reserve[k]), speed_m_s=float(roster.speed_m_s[k]), home=roster.home[k],
            home_road=int(roster.road[k]), home_pos_m=float(roster.pos_m[k]), test_h=float(roster.test_h[k]),
            test_km=float(roster.test_km[k]), road=int(roster.road[k]), pos_m=float(roster.pos_m[k]),
            battery=float(roster.charge[k]),
        )
        for k in range(len(roster.unit))
    ]  # fmt: skip
