"""What the incident desk hears and says: signs of trouble, responders, dispatch, verification (F1, F2, F11).

A *sign* is one word of somebody that something is wrong: an alert, a citizen's report, a call, an early sign. Signs of
one truth become one *incident*, named by the desk (``inc-17``). A responder is sent on a *ticket*, which is the key of
its :class:`DispatchResponder`; what it answers names the ticket. Severities are those of CAP 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command, Entry
from twin.domain.messages import Floats, Ints, Message

#: levels of use, from below (F1): grid 网格, community 社区, subdistrict 街道, district 区; an index or the word
LEVELS = ("grid", "community", "subdistrict", "district")
GRID, COMMUNITY, SUBDISTRICT, DISTRICT = range(4)

#: states of an incident, in order. handled: the crew says it is done; verified: somebody else says so too (F2, F11)
STATES = ("new", "assigned", "on the way", "on site", "handled", "verified", "closed")

#: where a sign can come from
SOURCES = ("alert", "report", "call", "early sign", "patrol")

#: what :attr:`SignChanged.what` can be. ended: its source no longer sees it, which is not "it was handled".
SIGN_CHANGES = ("confirmed", "rejected", "ended", "unanswered")

#: departments with a view of their own (F3): 应急, 消防, 城管, 水务, 交警, 住建, 生态环境, 社会工作
DEPARTMENTS = (
    "emergency", "fire and rescue", "urban management", "water", "traffic police", "housing and construction",
    "environment", "community",
)  # fmt: skip

#: what a responder can be able to do; a field ``skills`` holds words joined by "+". inspect: look and tell; order: have
#: people do, or leave off, something
SKILLS = ("inspect", "order", "clean", "repair", "tow", "rescue", "fire", "medical")

#: kinds of responder: 网格员, 社区工作人员, 城管, 民警, 抢修队, 救援队, 消防车
RESPONDER_KINDS = ("grid worker", "community staff", "urban management", "police", "repair crew", "rescue", "fire")

#: what :attr:`ResponderReport.what` can be:
#:   accepted       it takes the ticket and gets ready
#:   refused        it does not (``detail``: why)
#:   departed       it is on its way
#:   arrived        it is there
#:   nothing found  it is there, looked, and found nothing
#:   cannot         it is there and lacks a skill (``detail``: which)
#:   handled        it says it is done
#:   fixed, not fixed   it was sent to verify: what it saw
#:   failed         it cannot go on (``detail``: why)
#:   free           it can be sent again (``ticket`` "")
RESPONSES = (
    "accepted", "refused", "departed", "arrived", "nothing found", "cannot", "handled", "fixed", "not fixed",
    "failed", "free",
)  # fmt: skip

#: what a look (by video, or by the one who told) can find
SEEN = ("there", "gone", "cannot see")


# -- messages: told once ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Areas(Message):
    """The hierarchy, told once: equal-length columns. ``level``: index into LEVELS; ``parent``: row, -1 for none."""

    level: Ints
    name: tuple[str, ...]
    parent: Ints
    x_m: Floats
    y_m: Floats


@dataclass(frozen=True)
class RoadPlaces(Message):
    """Where roads of the RoadMap that responders drive on are: their middles, local metres."""

    road: Ints
    x_m: Floats
    y_m: Floats


@dataclass(frozen=True)
class ThemeBook(Message):
    """How incidents of each theme are handled, told once: equal-length columns.

    ``level`` at which one is created (index); ``skill`` of those who are sent first; ``severity`` where a sign does
    not say; signs within ``merge_m`` metres and ``merge_s`` seconds may be of one truth. Theme "" stands for others.
    """

    theme: tuple[str, ...]
    department: tuple[str, ...]
    level: Ints
    skill: tuple[str, ...]
    severity: tuple[str, ...]
    merge_m: Floats
    merge_s: Ints


@dataclass(frozen=True)
class ServiceTargets(Message):
    """How soon (s) incidents must be assigned, reached, handled and closed: one row per level (index) and severity.

    Each is counted from the end of the phase before: created → taken on → on site → handled → closed.
    """

    level: Ints
    severity: tuple[str, ...]
    assign_s: Ints
    arrive_s: Ints
    handle_s: Ints
    close_s: Ints


@dataclass(frozen=True)
class DeskRules(Message):
    """How the desk works, told once.

    ``confirm``: signs of machines below Severe are looked at before anybody is sent, at most ``look_s`` long.
    ``merge``: signs of one truth become one incident. ``redispatch``: another is sent when one cannot come, does not
    answer within ``answer_s``, or is ``late_factor`` × the expected time + ``late_s`` under way. ``verify``: what was
    handled is checked by somebody else. ``escalate``: clocks that run out are taken to the next level.
    ``reopen_s``: how long after its end an incident is opened again by a new sign of it.
    """

    confirm: bool
    merge: bool
    redispatch: bool
    verify: bool
    escalate: bool
    answer_s: int
    look_s: int
    late_factor: float
    late_s: int
    reopen_s: int


@dataclass(frozen=True)
class ResponderRoster(Message):
    """Everybody who can be sent, told once: equal-length columns.

    ``kind`` of RESPONDER_KINDS; ``skills`` joined by "+"; at home in ``area`` of ``level``, at ``road``/``pos_m``,
    ``x_m``/``y_m``; ``speed_m_s`` of those on foot or by bike (0: drives); ``emergency``: 1 with blue light;
    on duty in [from_s, until_s) of each day (until_s above 86,400: past midnight); ``turnout_s`` expected.
    """

    unit: Ints
    kind: tuple[str, ...]
    skills: tuple[str, ...]
    level: Ints
    area: tuple[str, ...]
    road: Ints
    pos_m: Floats
    x_m: Floats
    y_m: Floats
    speed_m_s: Floats
    emergency: Ints
    from_s: Ints
    until_s: Ints
    turnout_s: Ints


# -- messages: as it goes -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Sign(Message):
    """Somebody (``source`` of SOURCES) says that something is wrong; anybody may send it to the desk "incidents".

    ``ref``: its number there, such as the key of a RaiseAlert or the number of a report; source and ref name it.
    ``seen_s``: when it was seen; ``place``/``grid``: names, "" where not known; ``severity`` "": not said.
    """

    source: str
    ref: str
    theme: str
    seen_s: int
    x_m: float
    y_m: float
    place: str
    grid: str
    severity: str
    text: str


@dataclass(frozen=True)
class SignChanged(Message):
    """Something about a sign changed: ``what`` of SIGN_CHANGES; ``by``: who says so."""

    source: str
    ref: str
    what: str
    by: str
    detail: str


@dataclass(frozen=True)
class ResponderReport(Message):
    """A responder tells ``what`` (of RESPONSES) it does, and where it is; sent at ``sent_s`` by its own clock."""

    unit: int
    ticket: str
    what: str
    sent_s: int
    road: int
    pos_m: float
    x_m: float
    y_m: float
    detail: str


@dataclass(frozen=True)
class LookResult(Message):
    """What a look found: ``seen`` of SEEN; ``look``: key of its AskLook; ``by``: who looked."""

    incident: str
    look: str
    seen: str
    by: str


# -- commands ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenIncident(Entry):
    """An incident is on the books, at ``area`` of ``level`` (word); ``source``/``ref`` of its first sign."""

    incident: str
    theme: str
    severity: str
    level: str
    area: str
    department: str
    x_m: float
    y_m: float
    grid: str
    source: str
    ref: str
    seen_s: int


@dataclass(frozen=True)
class JoinSign(Entry):
    """A further sign is of an incident that is on the books; ``severity``: of the incident now."""

    incident: str
    source: str
    ref: str
    seen_s: int
    severity: str


@dataclass(frozen=True)
class StartClock(Entry):
    """A phase (assign, arrive, handle, close) of an incident must be over by ``due_s`` at its ``level``."""

    incident: str
    phase: str
    level: str
    due_s: int


@dataclass(frozen=True)
class EscalateIncident(Entry):
    """An incident goes up from a level to the next (at the district it stays, and its head is told)."""

    incident: str
    from_level: str
    level: str
    area: str
    phase: str
    due_s: int
    reason: str


@dataclass(frozen=True)
class DispatchResponder(Command):
    """Send a responder on a ticket (the command's key): ``purpose`` handle or verify. ``emergency``: with blue light.

    ``expected_s``: how long the desk expects it to take to be there; ``level`` that sends it.
    """

    incident: str
    unit: int
    purpose: str
    theme: str
    x_m: float
    y_m: float
    road: int
    emergency: bool
    expected_s: int
    level: str


@dataclass(frozen=True)
class RecallResponder(Command):
    """Call a responder off a ticket."""

    incident: str
    unit: int
    ticket: str
    reason: str


@dataclass(frozen=True)
class AskLook(Command):
    """Let somebody look whether it is (still) there, who is not one of ``not_by``: answered by LookResult."""

    incident: str
    theme: str
    purpose: str
    x_m: float
    y_m: float
    not_by: tuple[str, ...]


@dataclass(frozen=True)
class SetIncident(Entry):
    """An incident is in a ``state`` of STATES now, thanks to ``by`` (a unit's label, a sensor, the desk)."""

    incident: str
    state: str
    by: str
    cause: str


@dataclass(frozen=True)
class ReopenIncident(Entry):
    """An incident that was handled or closed is open again: it was not fixed, or it came back."""

    incident: str
    was: str
    cause: str


@dataclass(frozen=True)
class CloseIncident(Entry):
    """The end of an incident: ``outcome`` handled, nothing there, false alarm, gone; ``by`` whom it was verified."""

    incident: str
    outcome: str
    by: str


@dataclass(frozen=True)
class TakeOn(Command):
    """Tell the source of a sign that somebody takes it on (alerts: acknowledged; reports: answered)."""

    source: str
    ref: str
    incident: str
