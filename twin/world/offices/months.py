"""Months of cases with offices only: the same desk and the same truth as in a run of the city, on a clock of its own.

No traffic and no residents: ways have an assumed spread, people come from nowhere. This is what the comparison of
before and after the reform, the queueing proofs and the bench run.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twin.control.ports import Controller
from twin.control.services.assistant.desk import AssistantDesk, pages_told
from twin.control.services.assistant.pages import pages_of
from twin.control.services.calendars import DAY_S
from twin.control.services.catalogue.generate import generated
from twin.control.services.catalogue.items import Catalogue
from twin.control.services.catalogue.told import items_told
from twin.control.services.desk import ServiceDesk
from twin.control.services.levers import TODAY, Levers
from twin.control.services.plans import Plans, cores
from twin.dice import Dice
from twin.domain.messages import Message
from twin.domain.services import OfficeRules
from twin.errors import ControlError
from twin.hosts import Host
from twin.log import Facts, Log
from twin.world.offices.choice import Choice
from twin.world.offices.consulting import Consulting
from twin.world.offices.demand import Wants, months
from twin.world.offices.engine import Engine
from twin.world.offices.matters import Matter
from twin.world.offices.office import DAY
from twin.world.offices.people import HALL, People, staff
from twin.world.offices.settings import Behaviour, Demand, Offices
from twin.world.offices.truth import Truth

POINT_WAY = 0.4  # the way to a service point ÷ that to the hall (assumed: 15 points in place of one hall)


@dataclass(frozen=True)
class Months:
    """A study of offices alone. ``matters``: how many begin; ``first_weekday``: of day 0 (0 Monday).

    ``days``: the run ends after so many days at the latest, whatever is open then. ``learn``: people learn from waits.
    ``consult``: share of the matters about which the assistant is asked beforehand.
    """

    levers: Levers = TODAY
    matters: int = 1000
    behaviour: Behaviour = field(default_factory=Behaviour)
    demand: Demand = field(default_factory=Demand)
    offices: Offices = field(default_factory=Offices)
    catalogue: Catalogue | None = None
    first_weekday: int = 0
    holidays: tuple[int, ...] = ()
    correct_days: int = 40
    remind_share: float = 0.8
    ask_days: int = 30
    days: int = 3_000
    learn: bool = True
    consult: float = 0.0


@dataclass(frozen=True)
class Ran:
    """What came of it: the facts, their digest, the second at which nothing was left to do, calls of the desk."""

    log: Facts
    digest: str
    end_s: int
    calls: int


def rules(m: Months) -> OfficeRules:
    """Return what the desk is told of how the office works."""
    return OfficeRules(0, "rules", m.levers.on, m.first_weekday, m.correct_days, m.remind_share, m.ask_days)


def begin_desk(host: Host, told: OfficeRules, people: People, catalogue: Catalogue, t_s: int) -> None:
    """Tell a desk all that it knows from the start."""
    host.tell(told)
    for hours in people.hours_told(t_s):
        host.tell(hours)
    host.tell(items_told(list(cores(catalogue).values()), t_s, "items"))
    host.tell(people.told(t_s))


def run(
    m: Months,
    seed: int = 1,
    desk: Callable[[], Controller] = ServiceDesk,
    people: People | None = None,
    matters: Callable[[Wants, Dice], Sequence[Matter]] | None = None,
    through: Callable[[Message], Message | None] = lambda message: message,
    assistant: Callable[[], Controller] = AssistantDesk,
) -> Ran:
    """Run months of cases. ``through``: what becomes of each message on its way to the desk (None: it is lost).

    ``people``: other officers than the usual; ``matters``: other needs than those of ``m.demand``.
    """
    catalogue = m.catalogue or generated()
    who = people or staff(catalogue, m.offices, m.levers, m.first_weekday, m.holidays)
    dice, log, host = Dice(seed), Log(), Host("services", desk)
    heap: list[tuple[int, int, int, int, int]] = []
    count = 0

    def at(t_s: int, code: int, a: int, b: int) -> None:
        nonlocal count
        count += 1
        heapq.heappush(heap, (t_s, count, code, a, b))

    def tell(message: Message) -> None:
        passed = through(message)
        if passed is not None:
            host.tell(passed)

    plans = Plans(cores(catalogue), m.levers)
    truth = Truth(dice, catalogue, plans, m.levers, m.behaviour)
    office = who.calendars[0]

    def way_s(matter: Matter, place: int) -> int:
        return matter.way_s if place == HALL else int(POINT_WAY * matter.way_s)

    points = m.offices.points

    def near(matter: Matter) -> int:
        return 1 + matter.number % points if points else 0

    choice = Choice(m.levers, office, way_s, near)
    choice.learn = m.learn
    engine = Engine(catalogue, who, m.levers, m.behaviour, dice, log, at, tell, choice, first_weekday=m.first_weekday)
    begin_desk(host, rules(m), who, catalogue, 0)
    hosts = [host]
    if m.consult > 0:
        hosts.append(Host("assistant", assistant))
        hosts[1].tell(pages_told(pages_of(catalogue), 0, "pages"))
        engine.consult(Consulting(catalogue, dice, truth.papers, hosts[1].tell, m.consult))
    wants = Wants(catalogue, dice, m.demand)
    all_matters = (
        list(matters(wants, dice))
        if matters is not None
        else months(m.matters, office, wants, dice, m.demand, m.behaviour.travel_min)
    )
    truth.draw(all_matters)
    engine.take(all_matters)
    if m.behaviour.away_per_year > 0 or m.behaviour.outages_per_year > 0:
        at(0, DAY, 0, 0)
    now_s, calls = _through(hosts, engine, heap, m.days * DAY_S)
    engine.finish(now_s)
    facts = log.close()
    return Ran(facts, log.digest, now_s, calls)


def _through(
    hosts: Sequence[Host], engine: Engine, heap: list[tuple[int, int, int, int, int]], last_s: int
) -> tuple[int, int]:
    """Let events and decisions follow each other until nothing is left; return the last second and the calls."""
    now_s = calls = 0
    while True:
        wakes = [t_s for host in hosts if (t_s := host.next_wake_s()) is not None]
        now_s = min([heap[0][0] if heap else last_s, *wakes])
        if now_s >= last_s or not (engine.matters or engine.unclosed):
            return now_s, calls
        while True:  # commands may lead to events in this very second
            while heap and heap[0][0] == now_s:
                _, _, code, a, b = heapq.heappop(heap)
                engine.happen(now_s, code, a, b)
            due = [host for host in hosts if host.due(now_s)]
            if not due:
                break
            for host in due:
                calls += 1
                for command in host.decide(now_s)[1]:
                    if not engine.carry_out(command, now_s):
                        raise ControlError(f"the {host.name} desk sent {type(command).__name__}, nobody carries it out")
