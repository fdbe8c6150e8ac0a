"""The incident desk: signs and responders' reports in; incidents, dispatch, escalation and verification out (F1, F2).

A fold over messages. Signs of one truth become one incident (:mod:`.book`), created at the level its theme and
severity belong to; it is handled by the nearest suitable free unit of that area, and goes up the hierarchy when a
clock runs out or nobody there can do it (:mod:`.course`). Who goes is the policy's choice (:mod:`.ports`). Nothing is
taken as done before it is reported, and nothing as fixed before somebody else has looked. Messages may come twice, late
or in any order: what a responder tells counts by its rank, and a sign that comes after its own change meets it.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.control.city_brain.incidents.areas import Hierarchy
from twin.control.city_brain.incidents.book import CLOSED, ON_SITE, Incident, Named, Themes
from twin.control.city_brain.incidents.clocks import NEVER_S, Agenda, Targets
from twin.control.city_brain.incidents.course import SEVERE, Course
from twin.control.city_brain.incidents.crews import Crews
from twin.control.city_brain.incidents.dispatching import Dispatching
from twin.control.city_brain.incidents.policies import SeverityFirst
from twin.control.city_brain.incidents.ports import DispatchPolicy
from twin.control.mobility.streets import Streets
from twin.domain.city_brain import SEVERITIES
from twin.domain.commands import Command, WakeAt
from twin.domain.ids import unit_label
from twin.domain.incidents import (
    DISTRICT,
    LEVELS,
    SUBDISTRICT,
    Areas,
    DeskRules,
    JoinSign,
    LookResult,
    OpenIncident,
    ResponderReport,
    ResponderRoster,
    RoadPlaces,
    ServiceTargets,
    Sign,
    SignChanged,
    TakeOn,
    ThemeBook,
)
from twin.domain.messages import Message

_SETUP = (Areas, ThemeBook, ServiceTargets, DeskRules, ResponderRoster)
_MACHINES = ("alert", "early sign")
_EXTREME = SEVERITIES.index("Extreme")
RETRY_S = 60  # so often tasks that wait are looked at, should nothing else happen (somebody comes on duty)


class IncidentDesk:
    """See the module's text. State is rebuilt by replaying its messages."""

    def __init__(self, policy: type[DispatchPolicy] | DispatchPolicy = SeverityFirst) -> None:
        chosen: DispatchPolicy = policy() if isinstance(policy, type) else policy
        self._streets = Streets()
        self._dispatching = Dispatching(chosen, self._streets)
        self._told: dict[type, Message] = {}
        self._seen: set[str] = set()
        self._early: list[Message] = []  # what came before the desk knew its city
        self._changes: dict[Named, list[SignChanged]] = {}  # of signs that have not come yet
        self._course: Course | None = None
        self._agenda = Agenda()
        self._count = 0
        self._wake_s = -1

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages into the incidents and answer with what is to be done."""
        fresh = [m for m in messages if m.key not in self._seen]
        for message in fresh:
            if message.key not in self._seen:  # else twice in one call
                self._seen.add(message.key)
                self._take(now_s, message)
        course = self._course
        if course is None:
            return []
        while (due := self._agenda.take(now_s)) is not None:
            self._due(course, now_s, due[1], due[2], due[3])
        waiting = self._dispatching.send(course, now_s)
        out, course.out = course.out, []
        wake_s = self._agenda.next_s()
        if waiting:
            wake_s = min(wake_s, (now_s // RETRY_S + 1) * RETRY_S)
        if wake_s < NEVER_S and wake_s != self._wake_s:
            self._wake_s = wake_s
            out.append(WakeAt(f"wake/{wake_s}", wake_s))
        return out

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """All incidents so far, for people who look into the desk."""
        return tuple(self._course.book.all.values()) if self._course is not None else ()

    # -- messages --------------------------------------------------------------------------------------------

    def _take(self, now_s: int, message: Message) -> None:
        if self._streets.take(message):
            return
        if isinstance(message, RoadPlaces):
            self._dispatching.roads(message)
        elif isinstance(message, _SETUP):
            self._told[type(message)] = message
            self._set_up(now_s)
        elif self._course is None:
            self._early.append(message)
        else:
            self._hear(self._course, now_s, message)

    def _set_up(self, now_s: int) -> None:
        """Begin, once everything the desk must know has come; a later message of the kind is not listened to."""
        if self._course is not None or any(kind not in self._told for kind in _SETUP):
            return
        areas, book, targets, rules, roster = (self._told[kind] for kind in _SETUP)
        assert isinstance(areas, Areas)
        assert isinstance(book, ThemeBook)
        assert isinstance(targets, ServiceTargets)
        assert isinstance(rules, DeskRules)
        assert isinstance(roster, ResponderRoster)
        hierarchy = Hierarchy(areas)
        crews = Crews(roster, hierarchy)
        self._course = Course(rules, Targets(targets), Themes(book), hierarchy, crews, self._agenda)
        early, self._early = self._early, []
        for message in early:
            self._hear(self._course, now_s, message)

    def _hear(self, course: Course, now_s: int, message: Message) -> None:
        if isinstance(message, Sign):
            self._sign(course, now_s, message)
        elif isinstance(message, SignChanged):
            self._changed(course, now_s, message)
        elif isinstance(message, ResponderReport):
            self._report(course, now_s, message)
        elif isinstance(message, LookResult):
            incident = course.book.all.get(message.incident)
            if incident is not None:
                course.looked(incident, now_s, message.look, message.seen, message.by)

    # -- signs -----------------------------------------------------------------------------------------------

    def _sign(self, course: Course, now_s: int, sign: Sign) -> None:
        named = (sign.source, sign.ref)
        if named in course.book.of_sign:
            return  # told again under another key
        how = course.themes.of(sign.theme)
        severity = SEVERITIES.index(sign.severity) if sign.severity in SEVERITIES else how.severity
        found = None
        if course.rules.merge:
            found = course.book.near(sign.theme, sign.x_m, sign.y_m, sign.seen_s, now_s, how, course.rules.reopen_s)
        if found is None:
            self._open(course, now_s, sign, severity)
        else:
            self._join(course, now_s, found, sign, severity)
        for change in self._changes.pop(named, []):
            self._changed(course, now_s, change)

    def _open(self, course: Course, now_s: int, sign: Sign, severity: int) -> None:
        self._count += 1
        name = f"inc-{self._count}"
        how = course.themes.of(sign.theme)
        level = _level(how.level, severity)
        chain = course.areas.chain(sign.grid, sign.x_m, sign.y_m)
        while level < DISTRICT and chain[level] < 0:
            level += 1
        incident = Incident(
            name, sign.theme, severity, level, chain, sign.x_m, sign.y_m,
            self._dispatching.roads_at(sign.x_m, sign.y_m), now_s, sign.seen_s, sign.seen_s,
        )  # fmt: skip
        course.book.add(incident, how.merge_m)
        course.book.join((sign.source, sign.ref), incident, sign.seen_s)
        course.out.append(
            OpenIncident(
                f"{name}/open", name, sign.theme, SEVERITIES[severity], LEVELS[level], course.area(incident),
                how.department, sign.x_m, sign.y_m, sign.grid, sign.source, sign.ref, sign.seen_s,
            )
        )  # fmt: skip
        course.need(incident, "handle", how.skill, now_s)
        course.clock(incident, now_s)
        if course.rules.confirm and sign.source in _MACHINES:
            incident.held = severity < SEVERE
            course.ask_look(incident, "confirm", now_s)

    def _join(self, course: Course, now_s: int, incident: Incident, sign: Sign, severity: int) -> None:
        after = not incident.open and sign.seen_s > incident.closed_s
        course.book.join((sign.source, sign.ref), incident, sign.seen_s)
        worse = severity > incident.severity
        incident.severity = max(severity, incident.severity)
        key = f"{incident.name}/join/{sign.source}/{sign.ref}"
        shown = SEVERITIES[incident.severity]
        course.out.append(JoinSign(key, incident.name, sign.source, sign.ref, sign.seen_s, shown))
        if incident.answered:
            course.out.append(TakeOn(f"takeon/{sign.source}/{sign.ref}", sign.source, sign.ref, incident.name))
        if after:
            course.reopen(incident, now_s, f"it came back ({sign.source})")
        elif incident.open:
            incident.confirmed = True  # two who see the same
            course.release(incident, now_s)
            if worse:
                course.worse(incident, now_s, _level(course.themes.of(sign.theme).level, severity))

    def _changed(self, course: Course, now_s: int, change: SignChanged) -> None:
        named = (change.source, change.ref)
        name = course.book.of_sign.get(named)
        if name is None:
            self._changes.setdefault(named, []).append(change)
            return
        incident = course.book.all[name]
        course.sign_changed(incident, now_s, change.what, change.by, incident.signs)

    # -- responders ------------------------------------------------------------------------------------------

    def _report(self, course: Course, now_s: int, report: ResponderReport) -> None:
        course.crews.heard(report)
        ticket = report.ticket
        if report.what == "free":
            if ticket:
                course.crews.release(report.unit, ticket)
            return
        name, unit, purpose = course.tickets.get(ticket, ("", -1, ""))
        if unit != report.unit:
            return  # of a ticket that this desk never gave to it
        incident, by = course.book.all[name], unit_label(unit)
        task = incident.task if incident.task is not None and incident.task.ticket == ticket else None
        over = report.what in ("refused", "failed", "cannot", "handled", "nothing found", "fixed", "not fixed")
        if task is None:
            if over:
                course.crews.release(unit, ticket)
            if report.what == "handled" and purpose == "handle" and incident.state <= ON_SITE:
                course.done(incident, unit, ticket, now_s, "handled")  # called off, but it did it
            return
        if report.what == "accepted":
            course.accepted(incident, task, now_s, by)
        elif report.what in ("departed", "arrived"):
            course.moved(incident, task, now_s, by, report.what)
        elif report.what in ("refused", "failed"):
            course.crews.silent(course.crews.row(unit), now_s)
            course.crews.release(unit, ticket)
            course.lost_responder(incident, now_s, f"{by} {report.what}: {report.detail}")
        elif report.what == "cannot" and purpose == "handle":
            course.cannot(incident, task, now_s, by, report.detail)
        elif report.what in ("handled", "nothing found") and purpose == "handle":
            outcome = "handled" if report.what == "handled" else "nothing there"
            course.done(incident, unit, ticket, now_s, outcome)
        elif report.what in ("fixed", "not fixed") and purpose == "verify":
            course.crews.release(unit, ticket)
            incident.task = None
            course.checked(incident, now_s, "gone" if report.what == "fixed" else "there", by)

    # -- time ------------------------------------------------------------------------------------------------

    def _due(self, course: Course, now_s: int, word: str, subject: str, number: int) -> None:
        if word in ("answer", "late"):
            self._no_word(course, now_s, word, subject)
            return
        incident = course.book.all[subject]
        if incident.state == CLOSED:
            return
        if word == "clock":
            course.ran_out(incident, now_s, number)
        elif word == "look" and incident.look.endswith(f"/{number}"):
            course.looked(incident, now_s, incident.look, "cannot see", "nobody")

    @staticmethod
    def _no_word(course: Course, now_s: int, word: str, ticket: str) -> None:
        """Nobody answered, or nobody came: another is sent."""
        name, unit, _ = course.tickets[ticket]
        incident = course.book.all[name]
        task = incident.task
        if task is None or task.ticket != ticket:
            return
        row = course.crews.row(unit)
        if word == "answer":
            if task.answered:
                return
            course.crews.silent(row, now_s)
            course.lost_responder(incident, now_s, f"{unit_label(unit)} does not answer")
        elif task.late_s:
            course.crews.silent(row, now_s)
            course.lost_responder(incident, now_s, f"{unit_label(unit)} does not come")


def _level(of_theme: int, severity: int) -> int:
    """Return the level an incident belongs to: at least the subdistrict if severe, the district if extreme."""
    return max(of_theme, SUBDISTRICT if severity >= SEVERE else 0, DISTRICT if severity >= _EXTREME else 0)
