"""Commands to units: legs, services, charging; and legs that have to be changed under way."""

from __future__ import annotations

import numpy as np

from twin.control.mobility.sanitation.jobs import Job
from twin.control.mobility.sanitation.ports import Ints
from twin.control.mobility.sanitation.sweepers import Sweeper
from twin.control.mobility.sanitation.ways import Ways
from twin.control.mobility.streets import Streets
from twin.domain.commands import Command
from twin.domain.mobility import ChargeUnit, DriveTo, HaltUnit, ResumeUnit
from twin.domain.sanitation import ServiceUnit

NEAR_M = 60.0  # so far before the end of a road a unit may begin to sweep at once
START_M = 20.0  # so far behind its beginning a road still counts as swept from the start
AT_STOP_M = 50.0
BACK_M = 60.0  # further than this nobody goes back along the kerb if there is a way round
SLOWER = 3.0  # a leg is overdue when it takes so many times longer than told, and
SPARE_S = 900  # so much more
NO_WAY_S = 600  # pause of a unit that finds no way


class Legs:
    """Makes the commands for jobs; ``unit.goal`` and its kin are set with them."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways

    def begin(self, u: Sweeper, job: Job, now_s: int, streets: Streets, sweep_m_s: float) -> list[Command]:
        """Return the commands that begin a job."""
        if job.what == "sweep":
            return self._sweep(u, job.roads, now_s, streets, sweep_m_s)
        if job.what == "home":
            return self._go(u, "home", u.home_road, u.home_pos_m, now_s, streets)
        if job.stop is None:
            return []
        stop = job.stop
        if u.road == stop.road and abs(u.pos_m - stop.pos_m) <= AT_STOP_M:
            return self._serve(u, job, now_s)
        out = self._go(u, job.what, stop.road, stop.pos_m, now_s, streets)
        if out:
            u.place = (stop.kind, stop.place)
        return out

    def _serve(self, u: Sweeper, job: Job, now_s: int) -> list[Command]:
        assert job.stop is not None
        u.serial += 1
        u.goal, u.place, u.left_s = job.what, (job.stop.kind, job.stop.place), now_s
        if job.what == "charge":
            u.due_s = now_s + 6 * 3600
            return [ChargeUnit(f"charge/{u.unit}/{u.serial}", u.unit, job.charge)]
        u.due_s = now_s + 1800
        return [ServiceUnit(f"{job.what}/{u.unit}/{u.serial}", u.unit, job.what)]

    def _drive(
        self, u: Sweeper, goal: str, roads: list[int], pos_m: float, speed_m_s: float, now_s: int, streets: Streets
    ) -> list[Command]:
        u.serial += 1
        way = np.asarray(roads, dtype=np.int64)
        slow_s = np.maximum(streets.road_s()[way], streets.length_m[way] / max(speed_m_s, 0.1))
        u.joined = u.driving
        u.goal, u.driving, u.leg, u.leg_pos_m, u.leg_m_s, u.left_s = goal, True, way, pos_m, speed_m_s, now_s
        u.due_s = now_s + round(SLOWER * float(slow_s.sum())) + SPARE_S
        task = "sweep" if goal == "sweep" else "transit" if goal == "approach" else goal
        return [DriveTo(f"drive/{u.unit}/{u.serial}", u.unit, way, float(pos_m), float(speed_m_s), task)]

    def _top(self, u: Sweeper) -> float:
        return min(u.speed_m_s, u.grant.speed_m_s)

    def _go(self, u: Sweeper, goal: str, road: int, pos_m: float, now_s: int, streets: Streets) -> list[Command]:
        roads = streets.way(u.road, road).tolist()
        if roads and u.road == road and pos_m < u.pos_m - BACK_M and (loop := self._ways.round_to(streets, road)[1]):
            roads = [road, *loop, road]
        if not roads:
            u.pause_until_s = now_s + NO_WAY_S
            return []
        return self._drive(u, goal, roads, pos_m, self._top(u), now_s, streets)

    def _sweep(
        self, u: Sweeper, chain: tuple[int, ...], now_s: int, streets: Streets, sweep_m_s: float
    ) -> list[Command]:
        first, last_m = chain[0], float(streets.length_m[chain[-1]])
        if u.road == first and u.pos_m <= START_M:
            before: list[int] = []
        elif u.road == first:
            loop = self._ways.round_to(streets, first)[1]
            before = [first, *loop] if loop else []
            if not loop:  # no way round: what lies ahead is all that can be swept
                last_m = max(last_m, u.pos_m)
        else:
            before = streets.way(u.road, first).tolist()[:-1]
            if not before:
                u.pause_until_s = now_s + NO_WAY_S
                return []
        near = not before or (len(before) == 1 and streets.length_m[before[0]] - u.pos_m <= NEAR_M)
        if not near:
            return self._drive(u, "approach", before, float(streets.length_m[before[-1]]), self._top(u), now_s, streets)
        u.round = u.round[len(chain) :]
        return self._drive(u, "sweep", [*before, *chain], last_m, sweep_m_s, now_s, streets)

    # -- under way ---------------------------------------------------------------------------------------------

    def keep_lawful(self, u: Sweeper, now_s: int, streets: Streets | None) -> list[Command]:
        """Change the leg of a unit that would lead into a closed road or out of its permit; stop it without one."""
        if u.broken or u.lost or not u.driving:
            return []
        if streets is None:
            return self._stop(u)
        out: list[Command] = []
        if u.halted_by_desk and not u.stopped:
            u.serial += 1
            u.halted_by_desk = u.halted = False
            out.append(ResumeUnit(f"resume/{u.unit}/{u.serial}", u.unit))
        ahead: Ints = u.ahead()
        shut = streets.shut()[ahead]
        if not shut.any():
            return out
        here = int(u.leg[u.leg.size - ahead.size - 1])
        if u.goal == "sweep":  # sweep as far as it goes
            cut = [here, *ahead[: int(np.flatnonzero(shut)[0])].tolist()]
            return [*out, *self._cut(u, "sweep", cut, now_s, streets)]
        way = streets.way(here, int(u.leg[-1])).tolist()
        if way:
            place = u.place
            out += self._drive(u, u.goal, way, u.leg_pos_m, self._top(u), now_s, streets)
            u.place = place
            return out
        return [*out, *self._cut(u, "approach", [here], now_s, streets)]

    def _stop(self, u: Sweeper) -> list[Command]:
        if u.halted_by_desk or u.stopped:
            return []
        u.serial += 1
        u.halted_by_desk = True
        return [HaltUnit(f"halt/{u.unit}/{u.serial}", u.unit, "no permit holds")]

    def _cut(self, u: Sweeper, goal: str, roads: list[int], now_s: int, streets: Streets) -> list[Command]:
        return self._drive(u, goal, roads, float(streets.length_m[roads[-1]]), u.leg_m_s, now_s, streets)
