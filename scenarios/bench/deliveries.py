"""A tiny world of messages for the delivery desk: parcels and units in truth, no traffic; for tests and the bench.

Units drive in the time of the street graph, load, hand over and charge; with ``Faults`` they refuse, break down, halt,
ask for help or lose their link, and messages come twice or late. The world itself checks what must never happen: a
parcel in two places or handed over twice, a load above the capacity, a charge below the reserve, a road or an hour
outside the permit. Events are whole seconds in a heap; everything is a function of the seed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from scenarios.bench.delivery_town import (
    DAY_S,
    HOUR_S,
    IDLE_W,
    RESERVE,
    SPEED_M_S,
    USE_WH_M,
    Faults,
    Setting,
    Town,
    Truth,
    ints,
)
from twin.control.ports import Controller
from twin.domain.commands import Command, WakeAt
from twin.domain.delivery import (
    AnswerOrder,
    GiveUpOrder,
    HandOver,
    LoadOrders,
    ReturnOrders,
)
from twin.domain.messages import Message
from twin.domain.mobility import (
    AssistUnit,
    ChargeUnit,
    DriveTo,
    FetchUnit,
    HaltUnit,
    ResumeUnit,
    UnitReport,
)

__all__ = ["DAY_S", "HOUR_S", "Faults", "Setting", "World"]
_DOES = {
    DriveTo: "drive", HaltUnit: "halt_unit", ResumeUnit: "resume_unit", AssistUnit: "assist", ChargeUnit: "charge",
    LoadOrders: "load", HandOver: "hand_over", ReturnOrders: "unload",
}  # fmt: skip


class World(Town):
    """See the module's text. ``run(until_s)`` plays; then look at ``where``, ``answers``, ``journal``, ``wrong``."""

    def __init__(self, desk: Controller, setting: Setting, faults: Faults, seed: int, start_s: int) -> None:
        super().__init__(setting, faults, seed, start_s)
        self.desk = desk
        self.journal: list[tuple[int, list[Message], list[Command]]] = []
        self.wrong: list[str] = []
        self.delivered: dict[int, int] = {}
        self.answers: dict[int, AnswerOrder] = {}
        self.given_up: dict[int, str] = {}
        self.fetched = 0
        self.decide: Callable[[int, list[Message]], list[Command]] = lambda t, m: list(self.desk.decide(t, m))
        self._keys: set[str] = set()
        self._wakes: set[int] = set()

    # -- time and messages --------------------------------------------------------------------------------------

    def report(self, unit: Truth, what: str, items: list[int] | None = None, missed: list[int] | None = None, detail: str = "") -> None:  # fmt: skip  # noqa: E501
        """Let a unit report; kept back while its link is lost."""
        number = self.count()
        if unit.doing != "driving":
            self._use(unit, 0.0)
        told = UnitReport(
            self.now_s, f"report/{unit.number}/{number}", unit.number, what, unit.road, unit.pos_m,
            max(unit.wh / self.setting.battery_wh, 0.0), self.litres(unit), ints(items or []), ints([]),
            ints(missed or []), detail,
        )  # fmt: skip
        if unit.linked:
            self.tell(told)
        else:
            unit.kept.append(told)

    def run(self, until_s: int) -> None:
        """Play until a second."""
        while True:
            self._call()
            upcoming = [*([self.heap[0][0]] if self.heap else []), *([min(self._wakes)] if self._wakes else [])]
            if not upcoming or min(upcoming) > until_s:
                return
            self.now_s = max(min(upcoming), self.now_s)
            while self.heap and self.heap[0][0] <= self.now_s:
                heapq.heappop(self.heap)[2]()

    def _call(self) -> None:
        while self.inbox or any(t <= self.now_s for t in self._wakes):
            messages, self.inbox = self.inbox, []
            self._wakes = {t for t in self._wakes if t > self.now_s}
            commands = self.decide(self.now_s, messages)
            self.journal.append((self.now_s, messages, commands))
            for command in commands:
                if command.key in self._keys:
                    self.wrong.append(f"{self.now_s}: key {command.key} twice")
                self._keys.add(command.key)
                self._carry_out(command)

    # -- commands ---------------------------------------------------------------------------------------------

    def _carry_out(self, c: Command) -> None:
        if isinstance(c, WakeAt):
            self._wakes.add(c.t_s)
        elif isinstance(c, AnswerOrder):
            if c.order in self.answers:
                self.wrong.append(f"{self.now_s}: order {c.order} answered twice")
            self.answers[c.order] = c
        elif isinstance(c, GiveUpOrder):
            if c.order in self.delivered or c.order in self.given_up:
                self.wrong.append(f"{self.now_s}: order {c.order} given up after its end")
            self.given_up[c.order] = c.reason
        else:
            unit = self.units[c.unit]  # type: ignore[attr-defined]
            if isinstance(c, FetchUnit):
                self._do_fetch(unit, c)
                return
            if not unit.linked:
                return  # nobody hears it
            if self.dice.random() < self.faults.refuse and not isinstance(c, AssistUnit | ResumeUnit):
                unit.excused = True
                self.report(unit, "refused", detail="out of sorts")
                return
            getattr(self, "_do_" + _DOES[type(c)])(unit, c)

    def _busy(self, unit: Truth, what: str) -> bool:
        if unit.doing != "parked":
            self.report(unit, "refused", detail=f"{what}: it is not standing by")
        return unit.doing != "parked"

    def _later(self, unit: Truth, seconds: float, what: Callable[[], None]) -> None:
        unit.token += 1
        token = unit.token
        self.at(self.now_s + max(int(seconds), 1), lambda: what() if unit.token == token else None)

    def _do_drive(self, unit: Truth, c: DriveTo) -> None:
        if unit.doing not in ("parked", "driving", "halted"):
            self.report(unit, "refused", detail="drive: it is busy")
            return
        if unit.doing in ("driving", "halted"):
            self._move(unit)
        roads = c.roads.tolist()
        if unit.road in roads:
            roads = roads[roads.index(unit.road) :]
        elif unit.doing != "parked":
            roads = self.streets.way(unit.road, roads[-1]).tolist()
        else:
            self.report(unit, "refused", detail="drive: it does not stand there")
            return
        if any(pair not in self.turns for pair in pairwise(roads)):
            self.wrong.append(f"{self.now_s}: unit {unit.number} cannot turn along {roads}")
        was_halted = unit.doing == "halted"
        self._use(unit, 0.0)
        unit.way, unit.to_pos_m, unit.began_s = roads, c.pos_m, self.now_s
        unit.doing = "driving"
        if was_halted:
            unit.doing = "halted"
            return
        self._leg(unit)

    def _leg(self, unit: Truth) -> None:
        seconds = self._seconds(unit)
        dice, f = self.dice.random(), self.faults
        edges = np.cumsum([f.broken, f.halted, f.help])
        if self.dice.random() < f.silent:
            unit.linked, unit.excused = False, True
            self.at(self.now_s + f.silent_s, lambda: self._relink(unit))
        if dice < edges[0]:
            self._later(unit, seconds / 2, lambda: self._break(unit))
        elif dice < edges[1]:
            self._later(unit, seconds / 2, lambda: self._halt(unit, "fog", back_s=240))
        elif dice < edges[2]:
            self._later(unit, seconds / 2, lambda: self._ask(unit))
        else:
            self._later(unit, seconds, lambda: self._arrive(unit))

    def _seconds(self, unit: Truth) -> float:
        if len(unit.way) == 1:
            return abs(unit.to_pos_m - unit.pos_m) / SPEED_M_S
        return (self.setting.block_m * (len(unit.way) - 1) - unit.pos_m + unit.to_pos_m) / SPEED_M_S

    def _move(self, unit: Truth) -> None:
        """Put a driving unit where it is now."""
        metres = (self.now_s - unit.began_s) * SPEED_M_S if unit.doing == "driving" else 0.0
        at = int((unit.pos_m + metres) // self.setting.block_m)
        k = min(at, len(unit.way) - 1)
        self._use(unit, min(metres, self._seconds(unit) * SPEED_M_S), unit.way[: k + 1])
        if k:
            unit.road, unit.pos_m = unit.way[k], min(unit.pos_m + metres - k * self.setting.block_m, 240.0)
            unit.way = unit.way[k:]
        else:
            unit.pos_m = min(unit.pos_m + metres, self.setting.block_m)
        unit.began_s = self.now_s

    def _use(self, unit: Truth, metres: float, roads: list[int] | None = None) -> None:
        unit.wh -= metres * USE_WH_M + IDLE_W * (self.now_s - unit.since_s) / 3600.0
        unit.since_s = self.now_s
        if not unit.excused and unit.wh < RESERVE * self.setting.battery_wh - 1e-6:
            self.wrong.append(f"{self.now_s}: unit {unit.number} below its reserve")
        tod = self.now_s % DAY_S
        if metres > 0 and not unit.excused and not self.setting.from_s <= tod <= self.setting.permit_until_s + 60:
            self.wrong.append(f"{self.now_s}: unit {unit.number} drives out of hours")
        for road in roads or []:
            if metres > 0 and not self.allowed[road]:
                self.wrong.append(f"{self.now_s}: unit {unit.number} on road {road}, not permitted")

    def _arrive(self, unit: Truth) -> None:
        self._use(unit, self._seconds(unit) * SPEED_M_S, unit.way)
        unit.road, unit.pos_m, unit.doing = unit.way[-1], unit.to_pos_m, "parked"
        self.report(unit, "arrived")

    def _break(self, unit: Truth) -> None:
        self._move(unit)
        unit.doing = "broken"
        self.report(unit, "broken", list(unit.aboard))
        self._later(unit, 1_800, lambda: self._repair(unit))

    def _do_fetch(self, unit: Truth, c: FetchUnit) -> None:
        """Let the crew take a unit that stands out; it comes again for one that drives or serves."""
        if unit.doing in ("driving", "serving"):
            self.at(self.now_s + 60, lambda: self._do_fetch(unit, c))
        elif unit.doing in ("parked", "halted") and unit.road != self.depot_road[unit.depot]:
            self._use(unit, 0.0)
            self.fetched += 1
            wh = unit.wh
            self._break(unit)
            self._later(unit, 1_800, lambda: self._repair(unit, wh))

    def _repair(self, unit: Truth, wh: float | None = None) -> None:
        items, unit.aboard = unit.aboard, []
        for o in items:
            self.where[o] = "depot"
        unit.road, unit.pos_m, unit.doing = self.depot_road[unit.depot], 50.0, "parked"
        unit.wh, unit.since_s = 0.8 * self.setting.battery_wh if wh is None else wh, self.now_s
        self.report(unit, "repaired", items)

    def _halt(self, unit: Truth, cause: str, back_s: int = 0) -> None:
        self._move(unit)
        unit.doing, unit.excused = "halted", True
        self.report(unit, "halted", detail=cause)
        if back_s:
            self._later(unit, back_s, lambda: self._resume(unit))

    def _resume(self, unit: Truth) -> None:
        if unit.doing == "halted":
            self._use(unit, 0.0)
            unit.doing, unit.began_s = "driving", self.now_s
            self.report(unit, "resumed")
            self._later(unit, self._seconds(unit), lambda: self._arrive(unit))

    def _ask(self, unit: Truth) -> None:
        self._halt(unit, "blocked")
        self.report(unit, "help", detail="blocked")

    def _relink(self, unit: Truth) -> None:
        unit.linked = True
        kept, unit.kept = unit.kept, []
        for told in kept:
            self.tell(replace(told, t_s=self.now_s))

    def _do_halt_unit(self, unit: Truth, c: HaltUnit) -> None:
        if unit.doing == "driving":
            self._halt(unit, c.reason)
        unit.token += unit.doing == "halted"  # it does not resume by itself

    def _do_resume_unit(self, unit: Truth, _c: ResumeUnit) -> None:
        self._resume(unit)

    def _do_assist(self, unit: Truth, _c: AssistUnit) -> None:
        def done() -> None:
            self.report(unit, "assisted", detail="solved")
            self._resume(unit)

        self.at(self.now_s + 120, done)

    def _do_charge(self, unit: Truth, c: ChargeUnit) -> None:
        if self._busy(unit, "charge"):
            return
        self._use(unit, 0.0)
        need = max(c.charge * self.setting.battery_wh - unit.wh, 0.0)
        unit.doing = "charging"

        def done() -> None:
            unit.wh += need
            unit.since_s, unit.doing, unit.excused = self.now_s, "parked", False
            self.report(unit, "charged")

        self._later(unit, need / 3_000.0 * 3600, done)

    def _do_load(self, unit: Truth, c: LoadOrders) -> None:
        if self._busy(unit, "load"):
            return
        if unit.road != self.depot_road[unit.depot]:
            self.report(unit, "refused", detail="load: it does not stand at a depot")
            return
        here: list[int] = []
        missed: list[int] = []
        for o in c.orders.tolist():
            fine = self.where[o] == "depot" and o in self.answers and o not in self.given_up
            (here if fine and self.order_depot[o] == unit.depot else missed).append(o)
        for o in here:
            self.where[o] = "unit"
        unit.aboard += here
        if self.litres(unit) > self.setting.capacity:
            self.wrong.append(f"{self.now_s}: unit {unit.number} over its capacity")
        unit.doing = "serving"
        self._later(unit, 60 + 8 * len(here), lambda: self._served(unit, "loaded", here, missed))

    def _served(self, unit: Truth, what: str, items: list[int], missed: list[int], detail: str = "") -> None:
        self._use(unit, 0.0)
        unit.doing = "parked"
        self.report(unit, what, items, missed, detail)

    def _do_hand_over(self, unit: Truth, c: HandOver) -> None:
        if self._busy(unit, "hand over"):
            return
        mine = [o for o in c.orders.tolist() if o in unit.aboard and o not in self.given_up]
        if not mine:
            self.report(unit, "refused", detail="hand over: none of the orders is aboard")
            return
        place = self.locker_road[int(c.place.split("-")[1])] if c.to == "locker" else -1
        if any(unit.road != (place if place >= 0 else self.order_road[o]) for o in mine):
            self.report(unit, "refused", detail="hand over: it does not stand there")
            return
        done = [o for o in mine if c.to == "locker" or self.dice.random() >= self.faults.nobody]
        missed = [o for o in mine if o not in done]

        def handed() -> None:
            for o in done:
                if o in self.delivered:
                    self.wrong.append(f"{self.now_s}: order {o} handed over twice")
                self.delivered[o] = self.now_s
                self.where[o] = "delivered"
                unit.aboard.remove(o)
            self._served(unit, "handed", done, missed, "nobody there" if missed else "")

        unit.doing = "serving"
        self._later(unit, c.wait_s if missed else 60 + 20 * len(done), handed)

    def _do_unload(self, unit: Truth, c: ReturnOrders) -> None:
        if self._busy(unit, "return"):
            return
        if unit.road != self.depot_road[unit.depot]:
            self.report(unit, "refused", detail="return: it does not stand at a depot")
            return
        mine = [o for o in c.orders.tolist() if o in unit.aboard]
        if not mine:
            self.report(unit, "refused", detail="return: none of the orders is aboard")
            return

        def returned() -> None:
            for o in mine:
                self.where[o] = "depot"
                unit.aboard.remove(o)
            self._served(unit, "returned", mine, [])

        unit.doing = "serving"
        self._later(unit, 60 + 8 * len(mine), returned)

    def check(self) -> list[str]:
        """Return what is wrong at the end: every parcel in exactly one place, every order answered."""
        out = list(self.wrong)
        inside = [o for u in self.units.values() for o in u.aboard]
        out += [f"order {o} is in two units" for o in inside if inside.count(o) > 1]
        for o, where in self.where.items():
            places = [where == "depot", o in inside, o in self.delivered]
            if sum(places) != 1:
                out.append(f"order {o} is at {sum(places)} places ({where})")
            if o not in self.answers:
                out.append(f"order {o} was not answered")
            elif not self.answers[o].accepted and where != "depot":
                out.append(f"order {o} was refused, but is {where}")
        return out
