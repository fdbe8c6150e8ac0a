"""Service offices in a run of the city: residents and companies apply, officers work, the desk gives out the work.

The truth is :mod:`twin.world.offices.engine`, the decisions are those of the service desk. What this adds is the city:
who applies (:mod:`twin.world.offices.city_demand`), where offices are, and how people get there. Residents who go in
person make a real trip in the city's traffic where the people model can take one on (:class:`Visits`) and they are
free for it; all others take the time that the roads need at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from twin.clock import Phase
from twin.control.services.assistant.desk import pages_told
from twin.control.services.assistant.pages import pages_of
from twin.control.services.calendars import DAY_S
from twin.control.services.catalogue.generate import generated
from twin.control.services.levers import LEVERS, Levers
from twin.control.services.plans import Plans, cores
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.services import OfficeRules
from twin.events import OfficeQueue
from twin.hosts import Host, find_factory
from twin.scenario.catalogue_file import read_catalogue
from twin.scenario.interventions import SystemIntervention
from twin.scenario.model import WEEKDAYS
from twin.scenario.services import Services, policy_factory
from twin.world.offices.choice import Choice
from twin.world.offices.city_demand import CityDemand
from twin.world.offices.consulting import Consulting
from twin.world.offices.demand import Wants
from twin.world.offices.engine import Engine
from twin.world.offices.founding import FoundingTimes
from twin.world.offices.matters import Matter
from twin.world.offices.months import begin_desk
from twin.world.offices.office import DAY
from twin.world.offices.people import office_name, staff
from twin.world.offices.settings import Behaviour, Demand, Offices
from twin.world.offices.truth import Truth
from twin.world.ports import Action, RunContext

Ints = npt.NDArray[np.int64]
DESK, ASSISTANT = "services", "assistant"
LOOK_S = 60
PLAN_S = 900
QUEUES_S = 900
AHEAD_S = 5_400  # a trip is planned so long before somebody wants to be there
STAY_S = 2_400  # how long people reckon with being at an office (assumed)
LATE_S = 7_200  # who is not there so long after the time came by other means
PARK_S = 90
DETOUR, NEAR_M, WALK_M_S = 1.35, 1_200.0, 1.25


@runtime_checkable
class Visits(Protocol):
    """A people model that can take on extra trips of named residents."""

    def visit(self, resident: Ints, block: int, arrive_s: Ints, stay_s: int) -> npt.NDArray[np.bool_]:
        """Let residents who are at home and free go to a block and home again today; return who goes."""


def desk_factory(part: Services) -> Callable[[], Any]:
    """Return what makes the desk; the shipped one is made with its policy."""
    make: Any = find_factory(part.desk) if isinstance(part.desk, str) else part.desk
    policy = policy_factory(part.policy)
    shipped = part.desk == type(part).model_fields["desk"].default
    return (lambda: make(policy())) if shipped else make


class OfficesSystem:
    """The service hall, its channels and its back offices."""

    def __init__(self, context: RunContext) -> None:
        part = context.scenario.services
        assert part is not None
        self._context, self._part = context, part
        self._catalogue = read_catalogue(part.catalogue) if part.catalogue is not None else generated()
        self._levers = Levers(**{name: name in part.levers for name in LEVERS})
        self._behaviour = Behaviour(reuse_hit=part.reuse_hit, circulate=part.circulate)
        self._places()
        offices = Offices(part.windows, len(self._at) - 1, part.cloud, part.online, part.reviewers)
        self._weekday = WEEKDAYS.index(context.scenario.weekday)
        self._people = staff(self._catalogue, offices, self._levers, self._weekday)
        self._host = context.host(DESK, desk_factory(part))
        plans = Plans(cores(self._catalogue), self._levers)
        self._truth = Truth(context.dice, self._catalogue, plans, self._levers, self._behaviour)
        choice = Choice(self._levers, self._people.calendars[0], self._way_s, self._near)
        self._engine = Engine(
            self._catalogue, self._people, self._levers, self._behaviour, context.dice, context.log, self._ask,
            self._tell, choice, self._travel, self._weekday,
        )  # fmt: skip
        self._assistant = self._consult()
        self._founding = FoundingTimes(self._catalogue, self._people.calendars[0])
        self._engine.on_done.append(self._founding.done)
        self._demand: CityDemand | None = None
        if context.people is not None:
            wants = Wants(self._catalogue, context.dice, Demand(scene=part.themes))
            self._demand = CityDemand(context.people, part, wants, context.dice, self._behaviour.errand_days)
        self._going: list[tuple[int, Matter, int, int, int, int]] = []  # arrive, matter, office, and what happens then
        self._under_way: list[tuple[int, Matter, int, int, int, int]] = []

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The service desk, and the assistant where it is asked."""
        return {DESK: self._host} | ({ASSISTANT: self._assistant} if self._assistant is not None else {})

    def _consult(self) -> Host | None:
        """Let people ask the assistant, with today's channels; None: nobody asks."""
        part, context = self._part, self._context
        if part.consult <= 0 or not self._levers.remote:
            return None
        consulting = Consulting(
            self._catalogue, context.dice, self._truth.papers, partial(context.tell, ASSISTANT), part.consult
        )
        self._engine.consult(consulting)
        made: Any = find_factory(part.assistant) if isinstance(part.assistant, str) else part.assistant
        return context.host(ASSISTANT, made)

    def tell_founding_days(self, listener: Callable[[float], None]) -> None:
        """Tell ``listener`` from now on how many working days founding a company takes, whenever that is measured."""
        self._founding.listeners.append(listener)

    # -- where offices are -----------------------------------------------------------------------------------

    def _places(self) -> None:
        """Find hall and service points, and the block next to each: row 0 is the hall."""
        city, part = self._context.city, self._part
        places = city.places
        place = str(city.place(part.hall)["place"])
        row = int(np.flatnonzero((places["place"] == place).to_numpy())[0])
        points = np.flatnonzero((places["kind"] == "service_point").to_numpy())[: part.points]
        self._at = np.concatenate([[row], points[points != row]]).astype(np.int64)
        self._x = places.geometry.x.to_numpy(np.float64)[self._at]
        self._y = places.geometry.y.to_numpy(np.float64)[self._at]
        box = city.blocks.geometry.bounds.to_numpy(np.float64)
        self._block_x, self._block_y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
        away = np.hypot(self._block_x[:, None] - self._x, self._block_y[:, None] - self._y)
        road = city.blocks["road"].to_numpy(np.int64)
        self._block = np.where(road[:, None] >= 0, away, np.inf).argmin(axis=0)
        self._block_road = road

    def _metres(self, m: Matter, office: int) -> float:
        if m.home < 0:
            return 5_000.0  # who works or lives at the edge, or outside
        dx, dy = self._block_x[m.home] - self._x[office], self._block_y[m.home] - self._y[office]
        return DETOUR * float(np.hypot(dx, dy))

    def _near(self, m: Matter) -> int:
        """Return the service point nearest to where somebody sets out; 0 where there is none."""
        if m.home < 0 or len(self._at) < 2:
            return 0
        away = np.hypot(self._x[1:] - self._block_x[m.home], self._y[1:] - self._block_y[m.home])
        return 1 + int(away.argmin())

    def _way_s(self, m: Matter, office: int) -> int:
        """Return how long the way takes: on foot if it is near, else by the roads as they are now."""
        metres = self._metres(m, office)
        if metres < NEAR_M or m.home < 0:
            return int(metres / WALK_M_S)
        routes = self._context.routes.routes(
            np.array([self._block_road[m.home]]), np.array([self._block_road[self._block[office]]])
        )
        seconds = float(routes.time_s[0])
        return int(seconds) + PARK_S if np.isfinite(seconds) else int(metres / 5.0) + PARK_S

    # -- the engine's clock and post ---------------------------------------------------------------------------

    def _ask(self, t_s: int, code: int, a: int, b: int) -> None:
        clock = self._context.clock
        if t_s < self._context.end_s:
            clock.at(max(t_s, clock.now_s), Phase.WORLD, partial(self._happen, code, a, b))

    def _happen(self, code: int, a: int, b: int) -> None:
        self._engine.happen(self._context.clock.now_s, code, a, b)

    def _tell(self, message: Message) -> None:
        self._context.tell(DESK, message)

    # -- journeys ----------------------------------------------------------------------------------------------

    def _travel(self, m: Matter, office: int, arrive_s: int, code: int, a: int, b: int) -> bool:
        """Take over a way to an office as a trip in the traffic; False: it just takes its time."""
        if m.resident < 0 or not isinstance(self._context.people, Visits):
            return False
        self._going.append((arrive_s, m, office, code, a, b))
        return True

    def _plan_trips(self) -> None:
        """Put the trips of the next hours on the agenda of those who are free; the others come by other means."""
        now_s = self._context.clock.now_s
        people = self._context.people
        due = [g for g in self._going if g[0] <= now_s + AHEAD_S]
        if not due or not isinstance(people, Visits):
            return
        self._going = [g for g in self._going if g[0] > now_s + AHEAD_S]
        for office in sorted({g[2] for g in due}):
            rows = [g for g in due if g[2] == office]
            resident = np.array([g[1].resident for g in rows], dtype=np.int64)
            arrive = np.array([max(g[0], now_s + LOOK_S) for g in rows], dtype=np.int64)
            goes = people.visit(resident, int(self._block[office]), arrive, STAY_S)
            for row, yes in zip(rows, goes.tolist(), strict=True):
                if yes:
                    self._under_way.append(row)
                else:
                    self._ask(*(row[0], *row[3:]))

    def _arrivals(self) -> None:
        """See who of those under way is there."""
        people = self._context.people
        if not self._under_way or people is None:
            return
        now_s = self._context.clock.now_s
        where = people.whereabouts()
        still = []
        for row in self._under_way:
            there = where[row[1].resident] == self._block[row[2]] and now_s >= row[0] - AHEAD_S
            if there or now_s > row[0] + LATE_S:
                self._ask(*(now_s, *row[3:]))
            else:
                still.append(row)
        self._under_way = still

    # -- a run -------------------------------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Tell the desk what it knows from the start; let the first day begin."""
        clock = self._context.clock
        told = OfficeRules(now_s, "rules", self._levers.on, self._weekday, 40, 0.8, 30)
        begin_desk(self._host, told, self._people, self._catalogue, now_s)
        if self._assistant is not None:
            self._assistant.tell(pages_told(pages_of(self._catalogue), now_s, "pages"))
        self._engine.happen(now_s, DAY, now_s // DAY_S, 0)
        if self._demand is not None:
            self._take(self._demand.day(-1, weekend=False, from_s=now_s))
            self._today()
            clock.every(DAY_S, Phase.WORLD, self._today, (now_s // DAY_S + 1) * DAY_S)
            if isinstance(self._context.people, Visits):
                clock.every(PLAN_S, Phase.WORLD, self._plan_trips, now_s)
                clock.every(LOOK_S, Phase.WORLD, self._arrivals, now_s + LOOK_S)
        clock.every(QUEUES_S, Phase.OBSERVE, self._queues, (now_s // QUEUES_S + 1) * QUEUES_S)

    def _today(self) -> None:
        now_s = self._context.clock.now_s
        day = now_s // DAY_S
        assert self._demand is not None
        self._take(self._demand.day(day, self._context.scenario.is_weekend(day), now_s))

    def _take(self, matters: list[Matter]) -> None:
        self._truth.draw(matters)
        self._engine.take(matters)

    def _queues(self) -> None:
        found = self._engine.at_offices()
        if found:
            self._context.log.add(
                OfficeQueue,
                t_s=self._context.clock.now_s,
                office=np.array([office_name(o) for o in found], dtype=object),
                waiting=np.array([w for w, _ in found.values()], dtype=np.int64),
                serving=np.array([s for _, s in found.values()], dtype=np.int64),
            )

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:  # noqa: ARG002 (commands tell)
        """Carry out a command of the service desk, or an answer of the assistant."""
        return self._engine.carry_out(command, now_s)

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """Return what happens when a system goes down, or officers are away. ScenarioError: no such department."""
        from twin.world.offices.incidents import intervention

        return intervention(item, cause, self._catalogue, self._people, self._engine, self._context.clock)

    def finish(self, end_s: int) -> None:
        """Account for everything that is still open."""
        self._engine.finish(end_s)
