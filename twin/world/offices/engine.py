"""The truth of the service office, without a clock of its own: what officers and applicants do, event by event.

Whoever owns a clock gives :class:`Engine` a way to ask for a call (``at``) and a way to tell the desk (``tell``): the
run of a city (:mod:`twin.world.offices.system`) and months of cases alone (:mod:`twin.world.offices.months`) drive the
same engine and the same desk. The parts: :mod:`.filing`, :mod:`.officers`, :mod:`.applicants`, :mod:`.elsewhere`,
:mod:`.consulting` over one :mod:`.office`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twin.control.services.catalogue.items import Catalogue
from twin.control.services.levers import Levers
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.services import (
    AcceptCase,
    AnswerQuestion,
    AskApplicant,
    AskPlace,
    AskState,
    BeginTask,
    ConcludeCase,
    DeliverResult,
    RemindOfficers,
)
from twin.events import CaseOpen, MatterOpen
from twin.world.offices.applicants import Applicants
from twin.world.offices.choice import Choice
from twin.world.offices.consulting import Consulting
from twin.world.offices.elsewhere import Elsewhere
from twin.world.offices.filing import Filing
from twin.world.offices.matters import Application, Matter
from twin.world.offices.office import (
    APPEAL,
    ASK,
    BACK,
    BEGIN,
    CAME,
    DAY,
    DONE,
    DOWN,
    FILE,
    PLACE,
    SENT,
    TAKEN,
    TOLD,
    UNHEARD,
    UP,
    WORKED,
    At,
    Happens,
    Journal,
    Office,
    Travel,
)
from twin.world.offices.officers import Officers
from twin.world.offices.people import People
from twin.world.offices.settings import Behaviour


class Engine:
    """Offices, officers, applicants; nothing that KPIs read is kept here, only facts are."""

    def __init__(
        self,
        catalogue: Catalogue,
        people: People,
        levers: Levers,
        behaviour: Behaviour,
        dice: Dice,
        log: Journal,
        at: At,
        tell: Callable[[Message], None],
        choice: Choice,
        travel: Travel = lambda *_: False,
        first_weekday: int = 0,
    ) -> None:
        self._office = o = Office(catalogue, people, levers, behaviour, log, at, tell, choice, travel)
        self._elsewhere = elsewhere = Elsewhere(o, dice, first_weekday)
        self._filing, self._officers = Filing(o, elsewhere), Officers(o, dice)
        self._applicants = Applicants(o, self._filing, elsewhere)
        filing, officers, applicants = self._filing, self._officers, self._applicants
        self._do: dict[int, Happens] = {
            BEGIN: filing.begin, FILE: filing.file, WORKED: officers.worked, DONE: officers.done,
            CAME: applicants.came, TAKEN: applicants.taken, APPEAL: applicants.appeal, DAY: officers.day,
            BACK: officers.back, DOWN: officers.go_down, UP: officers.go_up,
            PLACE: elsewhere.answered, SENT: elsewhere.sent,
        }  # fmt: skip
        self._carry: dict[type, Callable[[Any, int], None]] = {
            BeginTask: officers.begin, AcceptCase: applicants.accepted, AskApplicant: applicants.asked,
            DeliverResult: applicants.delivered, ConcludeCase: applicants.closed, RemindOfficers: officers.remind,
            AskState: self._ask_state, AskPlace: elsewhere.ask,
        }  # fmt: skip

    @property
    def matters(self) -> dict[int, Matter]:
        """Matters that are not over, by number."""
        return self._office.matters

    @property
    def cases(self) -> dict[int, Application]:
        """Applications of matters that began, by number."""
        return self._office.cases

    @property
    def on_done(self) -> list[Callable[[Application, int], None]]:
        """Who hears of cases that end with their result."""
        return self._applicants.on_done

    def consult(self, consulting: Consulting) -> None:
        """Let some ask the assistant before they file: ``consulting`` knows who, and what comes of it."""
        consulting.join(self._office, self._filing)
        self._do.update({ASK: consulting.ask, TOLD: consulting.told, UNHEARD: consulting.unheard})
        self._carry[AnswerQuestion] = consulting.answered
        self._filing.first = consulting.first

    def _ask_state(self, c: AskState, now_s: int) -> None:
        self._officers.tell_again(c, now_s)
        a = self.cases.get(c.case)
        if a is not None and c.officer < 0 <= c.step:
            self._elsewhere.tell_again(f"again/{c.key}/placed", now_s, a, c.step)

    def take(self, matters: Sequence[Matter]) -> None:
        """Take matters that :class:`Truth` has drawn; each begins at its second."""
        for m in matters:
            self.matters[m.number] = m
            self._office.at(m.begins_s, BEGIN, m.number, 0)

    def happen(self, now_s: int, code: int, a: int, b: int) -> None:
        """Let something happen that was asked for."""
        self._do[code](now_s, a, b)

    def leave(self, officer: int, now_s: int) -> None:
        """Let an officer be away from now on; a task in hand stays undone."""
        self._officers.leave(officer, now_s)

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry out a command of the desk; False if it is none of the office's."""
        carry = self._carry.get(type(command))
        if carry is None:
            return False
        carry(command, now_s)
        return True

    @property
    def unclosed(self) -> bool:
        """Whether any case was filed that the desk has not closed."""
        return self._office.open > 0

    def at_offices(self) -> dict[int, tuple[int, int]]:
        """Return, by office, how many people wait at windows and how many are being served."""
        out: dict[int, list[int]] = {}
        for office, _ in self._office.waiting.values():
            out.setdefault(office, [0, 0])[0] += 1
        for office in self._officers.serving():
            out.setdefault(office, [0, 0])[1] += 1
        return {o: (w, s) for o, (w, s) in sorted(out.items())}

    def finish(self, end_s: int) -> None:
        """Account for everything that is open."""
        log = self._office.log
        for a in self.cases.values():
            if a.filed_s >= 0 and not a.closed:
                log.add(CaseOpen, t_s=end_s, case_no=a.number, state=a.state)
        for m in self.matters.values():
            if m.begins_s <= end_s:
                log.add(MatterOpen, t_s=end_s, matter_no=m.number, cases=len(m.cases))
