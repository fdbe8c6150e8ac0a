"""Facts of cases, offices and channels (F34-F42).

A *matter* is what somebody wants; a *case* is one application for it. ``matter_no``, ``case_no``, ``officer``: numbers,
see ``twin.world.offices.matters``. ``office``: name of an office or channel. ``task``: kind of step (``STEP_KINDS`` of
the catalogue). ``step``: row of the step in the plan of its case. ``dept``: code of a department.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class MatterBegan(Fact):
    """Somebody (``target`` person or company) needs something of the office: one item, or those of a ``scene``."""

    matter_no: int
    target: str
    scene: str
    items: int
    region: int


@dataclass(frozen=True)
class CaseFiled(Fact):
    """An application was handed in: ``handed_in`` materials (copies for counters included), ``reused`` looked up."""

    case_no: int
    matter_no: int
    office: str
    item: str
    items: int
    item_version: int
    handed_in: int
    reused: int


@dataclass(frozen=True)
class OfficeVisited(Fact):
    """An applicant came in person to ``why``: file, correct, supplement, carry, collect; travelled ``way_s``."""

    case_no: int
    office: str
    why: str
    way_s: int


@dataclass(frozen=True)
class CaseAccepted(Fact):
    """A case was accepted, to be decided by ``due_s``."""

    case_no: int
    due_s: int


@dataclass(frozen=True)
class TaskBegan(Fact):
    """An officer began a step, after it had waited ``waited_s``."""

    case_no: int
    step: int
    task: str
    dept: str
    officer: int
    waited_s: int


@dataclass(frozen=True)
class TaskEnded(Fact):
    """An officer put a step down after ``worked_s`` of work; ``outcome``: ok, return, refuse, or stopped."""

    case_no: int
    step: int
    task: str
    officer: int
    worked_s: int
    outcome: str


@dataclass(frozen=True)
class ApplicantAsked(Fact):
    """An applicant was asked to ``why``: correct, supplement or carry."""

    case_no: int
    step: int
    why: str


@dataclass(frozen=True)
class ApplicantAnswered(Fact):
    """An applicant brought what was asked for."""

    case_no: int
    step: int
    why: str


@dataclass(frozen=True)
class ResultGiven(Fact):
    """The office gave a result out: granted or refused."""

    case_no: int
    result: str


@dataclass(frozen=True)
class CaseConcluded(Fact):
    """A case was closed in ``state``, ``duration_s`` after it was filed; ``overdue``: decided after its limit."""

    case_no: int
    state: str
    duration_s: int
    overdue: bool


@dataclass(frozen=True)
class CaseOpen(Fact):
    """At the end of the run a case is not closed: what it waits for (``state``)."""

    case_no: int
    state: str


@dataclass(frozen=True)
class MatterEnded(Fact):
    """A matter is over: ``result`` granted, refused or dropped; from the need to the last result ``duration_s``."""

    matter_no: int
    result: str
    duration_s: int
    cases: int
    handed_in: int
    visits: int


@dataclass(frozen=True)
class MatterOpen(Fact):
    """At the end of the run a matter is not over."""

    matter_no: int
    cases: int


@dataclass(frozen=True)
class OfficerLeft(Fact):
    """An officer is away outside the usual (``away`` True), or back."""

    officer: int
    away: bool


@dataclass(frozen=True)
class OfficeSystemChanged(Fact):
    """The system of a department (all: of every one) went down or is up again."""

    dept: str
    up: bool


@dataclass(frozen=True)
class OfficersReminded(Fact):
    """Officers were reminded of a limit that is near, or has passed (``overdue``)."""

    case_no: int
    due_s: int
    overdue: bool


@dataclass(frozen=True)
class OfficeQueue(Fact):
    """At an office: how many people wait, how many windows serve."""

    office: str
    waiting: int
    serving: int


@dataclass(frozen=True)
class PapersForwarded(Fact):
    """A hall elsewhere took papers in and sent them on, as data or by ``courier``; here at ``arrives_s``.

    ``wait_s``: before that, in its queue. ``province``, ``city``, ``county``: where (F38); counties are schematic.
    """

    case_no: int
    province: str
    city: str
    county: str
    courier: bool
    arrives_s: int
    wait_s: int


@dataclass(frozen=True)
class PlaceAsked(Fact):
    """The authority of another place was asked to do its part of a case (多地联办)."""

    case_no: int
    step: int
    province: str
    city: str
    county: str


@dataclass(frozen=True)
class PlaceDecided(Fact):
    """The authority of another place decided on its part."""

    case_no: int
    step: int
    accepted: bool


@dataclass(frozen=True)
class FarServed(Fact):
    """A matter of another region (``from_there``), or with other ``places``, is over.

    ``contacts``: how often somebody who travels would have had to come; ``journeys``: how often this one did;
    ``saved_days``: working days of the journeys in between, there and back.
    """

    matter_no: int
    province: str
    city: str
    county: str
    from_there: bool
    places: int
    contacts: int
    journeys: int
    saved_days: float


@dataclass(frozen=True)
class AssistantAsked(Fact):
    """Somebody with a matter asked the assistant; ``style``: formal, colloquial or misspelt."""

    matter_no: int
    question: str
    style: str


@dataclass(frozen=True)
class AssistantAnswered(Fact):
    """What the assistant said: ``rank`` of the first right page (0: none shown), whether it ``handed_over``.

    ``effect``: what the asker makes of it: informed (brings the right papers), misled (those of another item), none.
    """

    matter_no: int
    rank: int
    handed_over: bool
    effect: str
