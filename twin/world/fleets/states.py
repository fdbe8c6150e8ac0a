"""What a unit is at a moment, and what it tells: the arrays of all units, reports, changes of state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from twin.domain.ids import unit_label, unit_number
from twin.domain.mobility import CHARGING, HALTED, PARKED, STATES, Roster, UnitReport
from twin.events import UnitChanged, UnitDeployed, UnitHalted, UnitRefused, UnitResumed, UnitsUnderWay
from twin.log import Log
from twin.world.fleets.depots import REACH_M, Depot
from twin.world.fleets.models import VehicleModel
from twin.world.fleets.ports import DESK_OF

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class UnitSpec:
    """One unit to be: of a fleet, of a model, at home in a depot; ``test_h``/``test_km``: test driving done before."""

    fleet: str
    model: VehicleModel
    home: Depot
    test_h: float = 0.0
    test_km: float = 0.0


@dataclass(slots=True)
class Halt:
    """Why a unit stands: who wants it (``by``) → cause; since when."""

    causes: dict[str, str] = field(default_factory=dict)
    since_s: int = 0


class UnitStates:
    """Arrays over units, one row each; columns in the units their names say, ``load`` in the fleet's own measure."""

    def __init__(self, specs: Sequence[UnitSpec], log: Log) -> None:
        n = len(specs)
        self.specs = tuple(specs)
        self._log = log
        count: dict[str, int] = {}
        number = []
        for s in specs:
            count[s.fleet] = count.get(s.fleet, 0) + 1
            number.append(unit_number(s.fleet, count[s.fleet]))
        self.number: Ints = np.array(number, dtype=np.int64)
        self.fleet = np.array([s.fleet for s in specs], dtype=object)
        self.home: tuple[Depot, ...] = tuple(s.home for s in specs)
        self.state: Ints = np.full(n, PARKED, dtype=np.int64)
        self.road: Ints = np.array([s.home.road for s in specs], dtype=np.int64)
        self.pos_m: Floats = np.array([s.home.pos_m for s in specs], dtype=np.float64)
        self.battery: Floats = np.ones(n)  # at the start everybody is charged
        self.load: Ints = np.zeros(n, dtype=np.int64)
        self.capacity: Ints = np.array([s.model.capacity for s in specs], dtype=np.int64)
        self.battery_wh: Floats = np.array([s.model.battery_wh for s in specs], dtype=np.float64)
        self.use_wh_m: Floats = np.array([s.model.use_wh_m for s in specs], dtype=np.float64)
        self.idle_w: Floats = np.array([s.model.idle_w for s in specs], dtype=np.float64)
        self.reserve: Floats = np.array([s.model.reserve for s in specs], dtype=np.float64)
        self.speed_m_s: Floats = np.array([s.model.speed_m_s for s in specs], dtype=np.float64)
        self.vehicle: Ints = np.zeros(n, dtype=np.int64)
        self.odometer_m: Floats = np.zeros(n)
        self.linked = np.ones(n, dtype=bool)
        self.broken = np.zeros(n, dtype=bool)
        self._rows_of: dict[str, Ints] = {}
        self._row = {int(u): i for i, u in enumerate(number)}
        self._halts = [Halt() for _ in specs]
        self._reports: list[tuple[str, UnitReport]] = []
        self._kept: dict[int, list[UnitReport]] = {}
        self._told: Ints = np.zeros(n, dtype=np.int64)

    def __len__(self) -> int:
        return self.number.size

    # -- looking -------------------------------------------------------------------------------------------

    def rows(self, fleet: str) -> Ints:
        """Return the rows of a fleet's units."""
        if fleet not in self._rows_of:
            self._rows_of[fleet] = np.flatnonzero(self.fleet == fleet)
        return self._rows_of[fleet].copy()

    def row(self, unit: int) -> int:
        """Return the row of a unit by its number; -1 if there is none."""
        return self._row.get(int(unit), -1)

    def label(self, row: int) -> str:
        """Return the name of a unit."""
        return unit_label(int(self.number[row]))

    def causes(self, row: int) -> dict[str, str]:
        """Return why a unit must stand: who wants it → cause."""
        return dict(self._halts[row].causes)

    def at_home(self, row: int) -> bool:
        """Return whether a unit stands at its depot."""
        home = self.home[row]
        near = abs(float(self.pos_m[row]) - home.pos_m) <= REACH_M
        return int(self.road[row]) == home.road and near and self.vehicle[row] == 0

    def roster(self, desk: str, now_s: int) -> list[Roster]:
        """Return what a desk is told of its units, one message per fleet."""
        out = []
        for fleet in dict.fromkeys(self.fleet.tolist()):
            if DESK_OF[fleet] != desk:
                continue
            r = self.rows(fleet)
            own = [self.specs[i] for i in r.tolist()]
            out.append(
                Roster(
                    t_s=now_s,
                    key=f"roster/{fleet}",
                    fleet=fleet,
                    unit=self.number[r],
                    capacity=self.capacity[r],
                    battery_wh=self.battery_wh[r],
                    charge=self.battery[r].copy(),
                    use_wh_m=self.use_wh_m[r],
                    idle_w=self.idle_w[r],
                    reserve=self.reserve[r],
                    speed_m_s=self.speed_m_s[r],
                    home=tuple(s.home.place for s in own),
                    road=self.road[r].copy(),
                    pos_m=self.pos_m[r].copy(),
                    test_h=np.array([s.test_h for s in own], dtype=np.float64),
                    test_km=np.array([s.test_km for s in own], dtype=np.float64),
                )
            )
        return out

    # -- telling -------------------------------------------------------------------------------------------

    def report(
        self,
        row: int,
        what: str,
        now_s: int,
        items: Sequence[int] = (),
        left: Sequence[int] = (),
        missed: Sequence[int] = (),
        detail: str = "",
    ) -> None:
        """Let a unit report to its desk, at the next tick; without a link it keeps the report until it has one."""
        if what == "refused":
            self._log.add(UnitRefused, t_s=now_s, unit=int(self.number[row]), reason=detail)
        self._told[row] += 1
        unit = int(self.number[row])
        told = UnitReport(
            t_s=now_s,
            key=f"report/{unit}/{int(self._told[row])}",
            unit=unit,
            what=what,
            road=int(self.road[row]),
            pos_m=float(self.pos_m[row]),
            battery=float(self.battery[row]),
            load=int(self.load[row]),
            items=np.asarray(items, dtype=np.int64),
            left=np.asarray(left, dtype=np.int64),
            missed=np.asarray(missed, dtype=np.int64),
            detail=detail,
        )
        if self.linked[row]:
            self._reports.append((DESK_OF[self.fleet[row]], told))
        else:
            self._kept.setdefault(row, []).append(told)

    def take_reports(self, now_s: int) -> list[tuple[str, UnitReport]]:
        """Return (desk, report) of what came in since this was last asked; received now."""
        out, self._reports = self._reports, []
        return [(desk, replace(told, t_s=now_s)) for desk, told in out]

    def link(self, row: int, up: bool) -> None:
        """Set whether a unit has a radio link; what it kept back is reported when it is there again."""
        self.linked[row] = up
        if up:
            self._reports += [(DESK_OF[self.fleet[row]], told) for told in self._kept.pop(row, ())]

    def set(self, row: int, now_s: int, state: int | None = None, load: int | None = None) -> None:
        """Change a unit's state or load, and log it. Whoever must stand and is free to drive is halted instead."""
        if load is not None and not 0 <= load <= self.capacity[row]:
            raise ValueError(f"{self.label(row)} cannot carry {load}: its capacity is {self.capacity[row]}")
        halted = False
        if state == PARKED and self._halts[row].causes:
            state, halted = HALTED, self.state[row] != HALTED
        changed = (state is not None and state != self.state[row]) or (load is not None and load != self.load[row])
        if state is not None:
            self.state[row] = state
        if load is not None:
            self.load[row] = load
        if halted:
            self._tell_halt(row, next(iter(self._halts[row].causes.values())), now_s)
        if changed:
            self._log_change(np.array([row]), now_s)

    def _log_change(self, rows: Ints, t_s: int) -> None:
        self._log.add(
            UnitChanged,
            t_s=np.full(rows.size, t_s),
            unit=self.number[rows],
            state=np.array([STATES[s] for s in self.state[rows].tolist()], dtype=object),
            battery=self.battery[rows],
            load=self.load[rows],
            road=self.road[rows],
            pos_m=self.pos_m[rows],
        )

    def refuse(self, row: int, reason: str, now_s: int) -> None:
        """Let a unit refuse a command."""
        self.report(row, "refused", now_s, detail=reason)

    def _tell_halt(self, row: int, cause: str, now_s: int) -> None:
        self._halts[row].since_s = now_s
        road, pos = int(self.road[row]), float(self.pos_m[row])
        self._log.add(UnitHalted, t_s=now_s, unit=int(self.number[row]), cause=cause, road=road, pos_m=pos)
        self.report(row, "halted", now_s, detail=cause)

    def _tell_resume(self, row: int, cause: str, now_s: int) -> None:
        waited = now_s - self._halts[row].since_s
        self._log.add(UnitResumed, t_s=now_s, unit=int(self.number[row]), cause=cause, waited_s=waited)
        self.report(row, "resumed", now_s, detail=cause)

    # -- beginning and end ---------------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Log who stands ready where."""
        self._log.add(
            UnitDeployed,
            t_s=np.full(len(self), now_s),
            unit=self.number,
            fleet=self.fleet,
            model=np.array([s.model.name for s in self.specs], dtype=object),
            road=self.road,
            pos_m=self.pos_m,
            capacity=self.capacity,
            battery=self.battery,
        )

    def finish(self, end_s: int) -> None:
        """Log who is out at the end of the run."""
        out = np.array(
            [i for i in range(len(self)) if self.state[i] not in (PARKED, CHARGING) or not self.at_home(i)],
            dtype=np.int64,
        )
        self._log.add(
            UnitsUnderWay,
            t_s=np.full(out.size, end_s),
            unit=self.number[out],
            state=np.array([STATES[s] for s in self.state[out].tolist()], dtype=object),
            load=self.load[out],
        )
