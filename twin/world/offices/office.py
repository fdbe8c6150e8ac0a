"""What all parts of the truth of an office share: who works there, open matters and cases, clock, log, and the desk.

The parts: :mod:`.filing` (matters and applications), :mod:`.officers` (tasks, absences, outages), :mod:`.applicants`
(what people bring, take, appeal against), :mod:`.elsewhere` (other regions), :mod:`.consulting` (the assistant is
asked). :mod:`.engine` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from twin.control.services.calendars import Calendar
from twin.control.services.catalogue.items import Catalogue
from twin.control.services.levers import Levers
from twin.domain.messages import Message
from twin.events import OfficeVisited
from twin.events.base import Fact
from twin.world.offices.choice import Choice
from twin.world.offices.matters import Application, Matter
from twin.world.offices.people import People, office_name
from twin.world.offices.settings import Behaviour

FURTHER = 1 << 20  # steps of an appeal, as the desk numbers them
#: what may happen at a second: codes for ``happen``
BEGIN, FILE, WORKED, DONE, CAME, TAKEN, APPEAL, DAY, BACK, DOWN, UP, PLACE, ASK, TOLD, UNHEARD, SENT = range(16)


class At(Protocol):
    """Asks to be called: ``happen(code, a, b)`` at second ``t_s``."""

    def __call__(self, t_s: int, code: int, a: int, b: int) -> None:
        """Ask."""


#: takes over a way of somebody to an office: (matter, office, when there, and what happens then: code, a, b);
#: False: nobody does, it just takes its time
Travel = Callable[[Matter, int, int, int, int, int], bool]
#: what happens at a second: (second, a, b)
Happens = Callable[[int, int, int], None]


class Journal(Protocol):
    """Where facts go; the ``add`` of a log."""

    def add(self, fact: type[Fact], /, t_s: Any, **values: Any) -> None:
        """Write facts."""


@dataclass
class Office:
    """The state that the parts share. ``waiting``: (case, step) at a window → office, since; ``open``: not closed."""

    catalogue: Catalogue
    people: People
    levers: Levers
    behaviour: Behaviour
    log: Journal
    at: At
    tell: Callable[[Message], None]
    choice: Choice
    travel: Travel
    matters: dict[int, Matter] = field(default_factory=dict)
    cases: dict[int, Application] = field(default_factory=dict)
    waiting: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    open: int = 0

    @property
    def hours(self) -> Calendar:
        """The calendar of the office itself, in which limits and errands are reckoned."""
        return self.people.calendars[0]

    def go(self, m: Matter, office: int, arrives_s: int, code: int, a: int, b: int) -> None:
        """Let something happen when an applicant is at an office, or has sent what was wanted."""
        if not (self.choice.in_person(office) and self.travel(m, office, arrives_s, code, a, b)):
            self.at(arrives_s, code, a, b)

    def visit(self, a: Application, why: str, now_s: int) -> None:
        """Count a visit of somebody who comes in person."""
        if self.choice.in_person(a.office):
            a.matter.visits += 1
            a.matter.journeys += a.matter.region >= 0 and why != "carry"  # to the next counter it is no journey
            way = self.choice.way_s(a.matter, a.office)
            self.log.add(OfficeVisited, t_s=now_s, case_no=a.number, office=office_name(a.office), why=why, way_s=way)
