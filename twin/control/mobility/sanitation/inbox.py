"""Messages of the sanitation desk: what each changes in what the desk believes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from twin.control.mobility.permits import Permits
from twin.control.mobility.sanitation.areas import Areas
from twin.control.mobility.sanitation.stops import Stops
from twin.control.mobility.sanitation.sweepers import Sweeper, equip, from_roster
from twin.control.mobility.sanitation.ways import Ways
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.mobility import (
    CHARGING,
    PARKED,
    SERVING,
    AssistUnit,
    Instruction,
    ResumeUnit,
    Roster,
    Telemetry,
    UnitReport,
    WeatherReport,
)
from twin.domain.sanitation import CleaningArea, DirtReports, SweeperKit, Tanks

SILENCE_S = 600  # without a word on a leg: taken as lost
STAND_S = 120  # a report may come later than telemetry: so long a unit that stands is not taken as arrived
RESUME_S = 300  # between two tries to let a halted unit go on
REFUSED_S = 60  # pause after a refusal; doubled with each in a row
OPERATOR = 1
NO_LINK = "no radio link"
TRIES, ALONE_S = 4, 3_600  # a road that so many legs in a row left unswept is left alone for so long

Ints = npt.NDArray[np.int64]


class Inbox:
    """Takes messages in; ``undone``: roads were left unswept, so the policy should be asked again."""

    def __init__(self, ways: Ways, stops: Stops, permits: Permits, areas: Areas) -> None:
        self._ways, self._stops, self._permits, self._areas = ways, stops, permits, areas
        self.units: dict[int, Sweeper] = {}
        self.undone = False
        self._kits: list[SweeperKit] = []
        self._ended: list[tuple[Sweeper, Ints, int]] = []  # sweep legs that are over: roads, begun at
        self._tries: dict[int, int] = {}  # of roads that were not swept though a leg led over them
        self._alone_until_s: dict[int, int] = {}

    def take(self, message: Message, now_s: int) -> list[Command]:
        """Take in one message; the commands answer it at once."""
        if self._ways.take(message) or self._stops.take(message) or self._permits.take(message):
            return []
        if isinstance(message, Roster):
            if message.fleet == "sweeper":
                self.units = from_roster(message, now_s)
        elif isinstance(message, SweeperKit):
            self._kits.append(message)
        elif isinstance(message, CleaningArea):
            self._areas.take(message, now_s)
        elif isinstance(message, DirtReports):
            self._areas.dirt.seen(message, now_s)
        elif isinstance(message, WeatherReport):
            self._areas.dirt.at(now_s)
            self._areas.dirt.rain_mm_h = message.rain_mm_h
        elif isinstance(message, Tanks):
            self._tanks(message)
        elif isinstance(message, Telemetry):
            self._telemetry(message, now_s)
        elif isinstance(message, Instruction) and message.unit in self.units:
            return self._instruction(self.units[message.unit], message.what)
        elif isinstance(message, UnitReport) and message.unit in self.units:
            return self._report(self.units[message.unit], message, now_s)
        for kit in self._kits if self.units else ():
            equip(self.units, kit)
        self._kits = [] if self.units else self._kits
        return []

    def _tanks(self, told: Tanks) -> None:
        for i, number in enumerate(told.unit.tolist()):
            if (u := self.units.get(number)) is not None:
                u.hopper_l, u.water_l = float(told.hopper_l[i]), float(told.water_l[i])

    def _telemetry(self, told: Telemetry, now_s: int) -> None:
        for i, number in enumerate(told.unit.tolist()):
            u = self.units.get(number)
            if u is None:
                continue
            u.heard_s, u.lost = now_s, False
            if told.sent_s[i] <= u.sent_s:
                continue  # overtaken by a later one
            u.sent_s, u.state = int(told.sent_s[i]), int(told.state[i])
            if math.isfinite(charge := float(told.battery[i])):
                u.charge = charge
            if u.driving and 0 <= told.road[i] < self._ways.base.length_m.size:
                u.road, u.pos_m = int(told.road[i]), float(told.pos_m[i])

    def _instruction(self, u: Sweeper, what: str) -> list[Command]:
        if what == "stop":
            u.stopped = True
        elif what == "release" and u.stopped:
            u.stopped = False
            return [self._resume(u)]
        return []

    def _resume(self, u: Sweeper) -> Command:
        u.serial += 1
        return ResumeUnit(f"resume/{u.unit}/{u.serial}", u.unit)

    # -- reports ---------------------------------------------------------------------------------------------

    def _report(self, u: Sweeper, told: UnitReport, now_s: int) -> list[Command]:
        u.heard_s, u.lost = now_s, False
        u.charge = told.battery if math.isfinite(told.battery) else u.charge
        what = told.what
        if what == "swept":
            self._areas.dirt.swept(told.items, now_s)
        elif what == "arrived":
            self._arrived(u, told.road, told.pos_m)
            u.refusals = 0
        elif what == "refused":
            self._refused(u, told, now_s)
        elif what in ("serviced", "charged"):
            if what == "serviced" and u.errands and u.errands[0] == u.goal:
                u.errands.pop(0)
            u.refusals = 0
            if not u.driving:
                u.idle(told.road, told.pos_m)
        elif what == "halted":
            u.halted_since_s = u.halted_since_s if u.halted else now_s
            u.halted, u.halted_s, u.tries = True, now_s, 0
            u.road, u.pos_m = told.road, told.pos_m
        elif what in ("resumed", "assisted"):
            u.halted = u.halted_by_desk = False
            if told.detail == "fetch":
                u.broken, u.round, u.errands = True, [], []
        elif what == "help":
            u.serial += 1
            return [AssistUnit(f"assist/{u.unit}/{u.serial}", u.unit, OPERATOR)]
        elif what == "broken":
            u.broken, u.round, u.errands = True, [], []
            self.undone = True
        elif what == "repaired":
            u.broken = u.halted = u.halted_by_desk = False
            u.hopper_l, u.errands = float(told.load), ["tip", "water"]
            u.idle(told.road, told.pos_m)
        return []

    def _arrived(self, u: Sweeper, road: int, pos_m: float) -> None:
        if not u.driving:
            return
        u.driving, u.road, u.pos_m = False, road, pos_m
        u.halted = u.halted_by_desk = False
        if u.goal == "sweep":
            self._ended.append((u, u.leg, u.left_s))
        goal, place = u.goal, u.place
        u.idle(road, pos_m)
        if goal in ("tip", "water", "charge"):
            u.came_for, u.place = goal, place

    def _refused(self, u: Sweeper, told: UnitReport, now_s: int) -> None:
        """Go on from where the unit stands, after a pause; what was refused three times is left for later."""
        what = told.detail.partition(":")[0]
        if what == NO_LINK and u.driving and u.halted_by_desk:
            u.halted_by_desk = False  # it was to halt and did not hear: if it still must, it is told again
            return
        if what in ("resume", "halt", "assist", "limit") or (u.driving and what not in ("drive", NO_LINK)):
            return  # nothing that its work waits for
        if u.joined:  # it goes on with the leg of before, and will tell when that ends
            u.joined = False
            return
        u.refusals += 1
        u.pause_until_s = now_s + REFUSED_S * 2 ** min(u.refusals - 1, 4)
        if u.refusals >= 3 and u.errands:
            u.errands.pop(0)
        if u.refusals >= 3 and u.round:
            u.round.append(u.round.pop(0))
        u.idle(told.road, told.pos_m)
        self.undone = True

    def _unswept(self, u: Sweeper, leg: Ints, left_s: int, now_s: int) -> None:
        """Put roads that a leg led over but left unswept (the hopper was full) first in the unit's round again."""
        dirt = self._areas.dirt
        over = np.isin(dirt.road, leg[1:])
        failed = set(dirt.road[over & (dirt.swept_s < left_s)].tolist())
        for road in dirt.road[over].tolist():
            self._tries[road] = self._tries.get(road, 0) + 1 if road in failed else 0
            if self._tries[road] >= TRIES:
                self._alone_until_s[road], self._tries[road] = now_s + ALONE_S, 0
                failed.discard(road)
        again = [road for road in leg[1:].tolist() if road in failed]
        u.round = [*dict.fromkeys(again), *(road for road in u.round if road not in failed)]

    def left_alone(self, now_s: int) -> Ints:
        """Return the roads that could not be swept several times, for a while."""
        return np.asarray([r for r, until_s in self._alone_until_s.items() if now_s < until_s], dtype=np.int64)

    def _try_again(self, u: Sweeper, now_s: int) -> list[Command]:
        """Let a unit that halted by itself go on; when that does not help, begin something new from where it is."""
        u.tries += 1
        u.halted_s = now_s
        if u.tries % 2:
            return [self._resume(u)]
        u.halted, self.undone = False, True
        u.idle(u.road, u.pos_m)
        return []

    # -- silence and standing still --------------------------------------------------------------------------

    def watch(self, now_s: int) -> list[Command]:
        """Find units that are lost, that stand though their leg should go on, or that may try to go on."""
        for u, leg, left_s in self._ended:
            self._unswept(u, leg, left_s, now_s)
        self._ended = []
        out: list[Command] = []
        for u in self.units.values():
            if u.broken:
                continue
            if u.driving and not u.lost and now_s - u.heard_s > SILENCE_S and now_s - u.left_s > SILENCE_S:
                u.lost, self.undone = True, True
            if u.lost:
                continue
            stands = u.sent_s > max(u.left_s, 0) + STAND_S and now_s > u.left_s + 2 * STAND_S
            if u.driving and stands and u.state == PARKED and now_s > u.due_s:
                self._arrived(u, u.road, u.pos_m)  # the report got lost
            elif u.goal and not u.driving and stands and u.state not in (SERVING, CHARGING) and now_s > u.due_s:
                u.idle(u.road, u.pos_m)
            if u.halted and not (u.stopped or u.halted_by_desk) and now_s - u.halted_s >= RESUME_S:
                out += self._try_again(u, now_s)
        return out
