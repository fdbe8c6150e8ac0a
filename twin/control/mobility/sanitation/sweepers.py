"""What the desk knows of each unit, as it was told."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.control.mobility.permits import Grant
from twin.domain.mobility import PARKED, Roster
from twin.domain.sanitation import SweeperKit

Ints = npt.NDArray[np.int64]

AT_HOME_M = 80.0
SHORT_HALT_S = 900  # a halt that lasts no longer leaves the roads with the unit (assumed)


@dataclass
class Sweeper:
    """One unit. ``goal`` says what its leg is for, or what it does where it stands; "" when it waits for the desk.

    Goals: sweep, approach (of a road to sweep), tip, water, charge, home. ``driving``: on a leg; else, with a goal, it
    is being served. ``joined``: the present leg was ordered while it drove.
    ``came_for``: it has just come to ``place`` to tip, fill or charge. ``round``: roads to sweep after the
    present leg. ``errands``: "tip"/"water" still to be done before the next road.
    """

    unit: int
    capacity_l: float
    battery_wh: float
    use_wh_m: float
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
    charge: float
    water_full_l: float = float("inf")
    water_l_m: float = 0.0
    tip_s: float = 180.0
    fill_l_s: float = 1.0
    hopper_l: float = 0.0
    water_l: float = float("inf")
    goal: str = ""
    driving: bool = False
    leg: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    leg_pos_m: float = 0.0
    leg_m_s: float = 0.0
    joined: bool = False
    came_for: str = ""
    place: tuple[str, str] = ("", "")
    left_s: int = 0
    due_s: int = 0
    serial: int = 0
    round: list[int] = field(default_factory=list)
    errands: list[str] = field(default_factory=list)
    sent_s: int = -1
    heard_s: int = 0
    state: int = PARKED
    halted: bool = False
    halted_by_desk: bool = False
    halted_s: int = 0
    halted_since_s: int = 0
    tries: int = 0
    stopped: bool = False
    broken: bool = False
    lost: bool = False
    pause_until_s: int = 0
    rest_until_s: int = 0
    refusals: int = 0
    asked_s: int = -1
    grant: Grant = field(default_factory=lambda: Grant(None, 0.0, 0, ()))
    granted: bool = False  # ``grant`` was looked up

    @property
    def fit(self) -> bool:
        """Whether it can be given roads and commands."""
        return not (self.broken or self.lost or self.halted or self.stopped)

    def works(self, now_s: int) -> bool:
        """Whether roads may stay with it: it is fit, or stands for a while only."""
        return not (self.broken or self.lost or self.stopped) and not (
            self.halted and now_s - self.halted_since_s > SHORT_HALT_S
        )

    @property
    def at_home(self) -> bool:
        """Whether it stands at its depot."""
        return not self.driving and self.road == self.home_road and abs(self.pos_m - self.home_pos_m) <= AT_HOME_M

    @property
    def ends_at(self) -> int:
        """Road on which its present leg ends, or on which it stands."""
        return int(self.leg[-1]) if self.driving else self.road

    def ahead(self) -> Ints:
        """Return the roads of its leg after the one it is on, as far as known."""
        if not self.driving:
            return np.empty(0, dtype=np.int64)
        at = np.flatnonzero(self.leg == self.road)
        return self.leg[(int(at[0]) if at.size else 0) + 1 :]

    def sweeping(self) -> Ints:
        """Return the roads that it is about to sweep on this leg."""
        return self.leg if self.driving and self.goal == "sweep" else np.empty(0, dtype=np.int64)

    def idle(self, road: int, pos_m: float) -> None:
        """Take note that it stands and waits for the desk."""
        self.goal, self.driving, self.road, self.pos_m, self.place = "", False, road, pos_m, ("", "")
        self.came_for, self.rest_until_s = "", 0


def from_roster(told: Roster, now_s: int) -> dict[int, Sweeper]:
    """Return the units of a roster, by number, ascending."""
    out: dict[int, Sweeper] = {}
    for i in np.argsort(told.unit, kind="stable").tolist():
        out[int(told.unit[i])] = Sweeper(
            unit=int(told.unit[i]),
            capacity_l=float(told.capacity[i]),
            battery_wh=float(told.battery_wh[i]),
            use_wh_m=float(told.use_wh_m[i]),
            idle_w=float(told.idle_w[i]),
            reserve=float(told.reserve[i]),
            speed_m_s=float(told.speed_m_s[i]),
            home=told.home[i],
            home_road=int(told.road[i]),
            home_pos_m=float(told.pos_m[i]),
            test_h=float(told.test_h[i]),
            test_km=float(told.test_km[i]),
            road=int(told.road[i]),
            pos_m=float(told.pos_m[i]),
            charge=float(told.charge[i]),
            heard_s=now_s,
        )
    return out


def equip(units: dict[int, Sweeper], kit: SweeperKit) -> None:
    """Enter what units carry; unknown units are left out. Tanks are full at first."""
    for i, number in enumerate(kit.unit.tolist()):
        u = units.get(number)
        if u is not None:
            u.water_full_l = u.water_l = float(kit.water_l[i])
            u.water_l_m = float(kit.water_l_m[i])
            u.tip_s, u.fill_l_s = float(kit.tip_s[i]), float(kit.fill_l_s[i])
