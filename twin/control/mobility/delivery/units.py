"""What the desk knows of its units: what each is at, what it carries, what it was last heard to be."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from twin.control.mobility.delivery.ports import IDLE
from twin.domain.mobility import Roster, Telemetry, UnitReport

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NEVER_S = 1 << 60


@dataclass(slots=True)
class Unit:
    """One unit. ``doing`` is an index of DOING.

    ``carried``: rows of orders aboard, as reported (a dict used as an ordered set); ``sequence``: those of them still
    to be handed over, in order; ``asked``: rows named in the command it is carrying out, ``expected``:
    rows it was told to load and has not answered for; ``to_road``/``to_pos_m``:
    where its leg (``way``) ends. ``charge`` as reported at ``charge_s``. ``due_s``: when its next report should be
    here at the latest; ``retry_s``: when a step that was refused is tried again; ``free_s``/``back_s`` as in View.
    ``planned``: orders (rows) it shall load at ``start_s``. ``short``: its charge did not suffice for what it was to
    bring. Not able to work: ``broken``, ``silent``, ``halted``, ``stopped`` (by the supervision platform), ``helped``
    (asked for an operator). ``held``: halted by this desk, as nothing permits it to be on the road.
    """

    row: int
    number: int
    home: int
    capacity: int
    battery_wh: float
    use_wh_m: float
    idle_w: float
    reserve: float
    speed_m_s: float
    charge: float
    road: int
    pos_m: float
    charge_s: int = 0
    doing: int = IDLE
    carried: dict[int, None] = field(default_factory=dict)
    sequence: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    expected: dict[int, None] = field(default_factory=dict)
    to_road: int = -1
    to_pos_m: float = 0.0
    to_charger: int = -1
    way: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    set_out_s: int = 0
    due_s: int = NEVER_S
    retry_s: int = NEVER_S
    refusals: int = 0
    free_s: int = 0
    back_s: int = 0
    planned: list[int] = field(default_factory=list)
    start_s: int = 0
    rest_until_s: int = 0
    no_charge_until_s: int = 0
    short: bool = False
    limit_m_s: float = float("inf")
    broken: bool = False
    silent: bool = False
    halted: bool = False
    halted_s: int = 0
    stopped: bool = False
    helped: bool = False
    held: bool = False
    serial: int = 0

    @property
    def able(self) -> bool:
        """Whether it can be told to do something, if it hears."""
        return not (self.broken or self.stopped or self.helped or (self.halted and not self.held))

    @property
    def works(self) -> bool:
        """Whether it can be reckoned with."""
        return self.able and not self.silent and not self.held

    @property
    def usable_wh(self) -> float:
        """Energy above the reserve of a full battery."""
        return (1.0 - self.reserve) * self.battery_wh

    def key(self, what: str) -> str:
        """Return a new key for a command to this unit."""
        self.serial += 1
        return f"{what}/{self.number}/{self.serial}"

    def charge_at(self, now_s: int) -> float:
        """Return its state of charge as estimated: as last reported, less what standing by has used since."""
        used = self.idle_w * max(now_s - self.charge_s, 0) / 3600.0 / self.battery_wh
        return max(self.charge - used, 0.0)

    def above_reserve_wh(self, now_s: int) -> float:
        """Return the energy above its reserve."""
        return (self.charge_at(now_s) - self.reserve) * self.battery_wh


def by_number(told: Roster) -> Roster:
    """Return a roster in order of unit numbers, so that its rows are those of the desk."""
    order = np.argsort(told.unit, kind="stable")
    columns = {
        f.name: getattr(told, f.name)[order] for f in fields(Roster) if f.name not in ("t_s", "key", "fleet", "home")
    }
    return replace(told, home=tuple(told.home[i] for i in order.tolist()), **columns)


class Units:
    """All units of the desk, by row; units without a known depot belong to the first.

    By row, from telemetry: ``road`` and ``state`` (index of STATES; -1: never told) at ``sent_s``; ``heard_s``: when
    anything was heard.
    """

    def __init__(self) -> None:
        self.all: list[Unit] = []
        self.fleet = ""
        self.heard_s: Ints = np.empty(0, dtype=np.int64)
        self.road: Ints = np.empty(0, dtype=np.int64)
        self.sent_s: Ints = np.empty(0, dtype=np.int64)
        self.state: Ints = np.empty(0, dtype=np.int64)
        self._number: Ints = np.empty(0, dtype=np.int64)
        self._row: dict[int, int] = {}

    def learn(self, told: Roster, homes: list[int], now_s: int) -> None:
        """Take in the roster (in order of numbers); ``homes``: row of the depot of each unit."""
        self.fleet = told.fleet
        self.all = [
            Unit(
                i, int(told.unit[i]), homes[i], int(told.capacity[i]), float(told.battery_wh[i]),
                float(told.use_wh_m[i]), float(told.idle_w[i]), float(told.reserve[i]), float(told.speed_m_s[i]),
                float(told.charge[i]), int(told.road[i]), float(told.pos_m[i]), now_s,
            )
            for i in range(told.unit.size)
        ]  # fmt: skip
        self._number = told.unit
        self._row = {u.number: u.row for u in self.all}
        self.road = told.road.copy()
        self.heard_s = np.full(len(self.all), now_s, dtype=np.int64)
        self.sent_s = np.full(len(self.all), -1, dtype=np.int64)
        self.state = np.full(len(self.all), -1, dtype=np.int64)

    def find(self, unit: int) -> Unit | None:
        """Return a unit by its number; None if it is not one of these."""
        row = self._row.get(int(unit))
        return None if row is None else self.all[row]

    def telemetry(self, told: Telemetry, now_s: int) -> Ints:
        """Note where units are and that they were heard; return the rows heard. Older or strange rows are left out."""
        if not self.all:
            return np.empty(0, dtype=np.int64)
        row = np.minimum(np.searchsorted(self._number, told.unit), self._number.size - 1)
        ok = (self._number[row] == told.unit) & (told.sent_s > self.sent_s[row]) & (told.sent_s <= now_s)
        rows = row[ok]
        self.sent_s[rows], self.road[rows] = told.sent_s[ok], told.road[ok]
        self.heard_s[rows], self.state[rows] = now_s, told.state[ok]
        return np.unique(rows)

    def report(self, told: UnitReport, now_s: int) -> Unit | None:
        """Note place, charge and that the unit was heard; return it."""
        unit = self.find(told.unit)
        if unit is None:
            return None
        unit.road, unit.pos_m = told.road, told.pos_m
        if 0.0 <= told.battery <= 1.0:
            unit.charge, unit.charge_s = told.battery, now_s
        self.road[unit.row] = told.road
        self.heard_s[unit.row] = now_s
        return unit
