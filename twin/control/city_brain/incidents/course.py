"""The course of an incident: what the desk does at each turn of it. State in, commands out; the desk calls it.

new → assigned → on the way → on site → handled → verified → closed. What a crew says it has done is not fixed before
somebody else says so: a look from afar, a sensor that no longer sees it, or another responder on the spot. What fails
that check, or comes back, is open again.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.control.city_brain.incidents.areas import Hierarchy
from twin.control.city_brain.incidents.book import (
    ASSIGNED,
    CLOSED,
    HANDLED,
    NEW,
    ON_SITE,
    ON_THE_WAY,
    VERIFIED,
    Book,
    Incident,
    Task,
    Themes,
)
from twin.control.city_brain.incidents.clocks import Agenda, Targets
from twin.control.city_brain.incidents.crews import Crews, mask
from twin.domain.city_brain import SEVERITIES
from twin.domain.commands import Command
from twin.domain.ids import unit_label
from twin.domain.incidents import (
    DISTRICT,
    LEVELS,
    STATES,
    AskLook,
    CloseIncident,
    DeskRules,
    EscalateIncident,
    RecallResponder,
    ReopenIncident,
    SetIncident,
    StartClock,
    TakeOn,
)

INSPECT = mask("inspect")
SEVERE = SEVERITIES.index("Severe")
#: the phase whose clock runs in each state
_PHASE = {NEW: "assign", ASSIGNED: "arrive", ON_THE_WAY: "arrive", ON_SITE: "handle", HANDLED: "close"}


class Course:
    """Turns of incidents; ``out`` gathers the commands of the present call."""

    def __init__(
        self, rules: DeskRules, targets: Targets, themes: Themes, areas: Hierarchy, crews: Crews, agenda: Agenda
    ) -> None:
        self.rules, self.targets, self.themes, self.areas, self.crews = rules, targets, themes, areas, crews
        self.agenda = agenda
        self.book = Book()
        self.tickets: dict[str, tuple[str, int, str]] = {}  # ticket → incident, unit, purpose
        self.out: list[Command] = []

    # -- clocks ------------------------------------------------------------------------------------------------

    def clock(self, incident: Incident, now_s: int, anew: bool = False) -> None:
        """Start the clock of the phase an incident is in, unless it runs already."""
        phase = _PHASE.get(incident.state, "")
        if not anew and phase == incident.phase:
            return
        incident.phase = phase
        incident.clock += 1
        if not phase:
            return
        allowed = self.targets.seconds(incident.level, incident.severity, phase)
        if incident.level == DISTRICT and anew:  # at the top its head is told again, but less and less often
            allowed <<= min(incident.escalations, 6)
        incident.due_s = now_s + max(1, allowed)
        self.agenda.set(incident.due_s, "clock", incident.name, incident.clock)
        key = f"{incident.name}/clock/{incident.clock}"
        self.out.append(StartClock(key, incident.name, phase, LEVELS[incident.level], incident.due_s))

    def ran_out(self, incident: Incident, now_s: int, number: int) -> None:
        """Take an incident up whose clock ran out, if it is still that clock."""
        if number != incident.clock or not incident.phase:
            return
        phase, before = incident.phase, incident.overdue
        incident.overdue = phase
        if phase == "close" and not incident.look:
            self.ask_look(incident, "verify", now_s)
        elif phase == "handle" and before == phase and incident.task is not None:
            self.lost_responder(incident, now_s, "not heard of on the spot")  # the second time
        if self.rules.escalate:
            self.escalate(incident, now_s, f"{phase} overdue")

    def worse(self, incident: Incident, now_s: int, level: int) -> None:
        """Take note that an incident is more severe than it was: its level and its clock change."""
        while incident.level < level and self.rules.escalate:
            self.escalate(incident, now_s, "more severe")
        self.clock(incident, now_s, anew=True)

    def escalate(self, incident: Incident, now_s: int, reason: str) -> None:
        """Take an incident up to the next level; what got stuck is given out anew there."""
        if not self.rules.escalate:
            return
        before, phase, due_s = incident.level, incident.phase, incident.due_s
        incident.level = min(before + 1, DISTRICT)
        incident.escalations += before == DISTRICT
        key = incident.next_key("escalate")
        area = self.area(incident)
        self.out.append(
            EscalateIncident(key, incident.name, LEVELS[before], LEVELS[incident.level], area, phase, due_s, reason)
        )
        task = incident.task
        if task is not None and task.stuck:
            self.send_anew(incident, now_s, "given out anew by the level above")
        self.clock(incident, now_s, anew=True)

    def area(self, incident: Incident) -> str:
        """Return the name of the area that an incident is with."""
        row = int(incident.chain[incident.level])
        return self.areas.name[row] if row >= 0 else ""

    # -- states ------------------------------------------------------------------------------------------------

    def set_state(self, incident: Incident, state: int, now_s: int, by: str, cause: str = "") -> None:
        """Put an incident into a state, with its clock."""
        if state == incident.state:
            return
        incident.state = state
        key = incident.next_key("state")
        self.out.append(SetIncident(key, incident.name, STATES[state], by, cause))
        self.clock(incident, now_s)

    def need(self, incident: Incident, purpose: str, skill: int, now_s: int) -> None:
        """Ask for somebody on the spot; who was asked before for something else is called off."""
        self.recall(incident, f"needed to {purpose}")
        incident.task = Task(purpose, skill, now_s)

    def recall(self, incident: Incident, reason: str) -> None:
        """Call off whoever is on the way to an incident."""
        task = incident.task
        if task is None or not task.ticket:
            return
        key = incident.next_key("recall")
        self.out.append(RecallResponder(key, incident.name, task.unit, task.ticket, reason))
        self.crews.release(task.unit, task.ticket)
        task.ticket, task.unit = "", -1

    def send_anew(self, incident: Incident, now_s: int, reason: str) -> None:
        """Let another go in the place of one who does not come."""
        task = incident.task
        assert task is not None
        if task.unit >= 0 and task.unit not in incident.been:
            incident.been.append(task.unit)
        self.recall(incident, reason)
        task.ticket, task.unit, task.stuck, task.answered, task.since_s = "", -1, False, False, now_s
        if task.purpose == "handle":
            self.set_state(incident, NEW, now_s, "desk", reason)

    def lost_responder(self, incident: Incident, now_s: int, reason: str) -> None:
        """Take note that the one who was sent does not come, or cannot go on."""
        task = incident.task
        if task is None:
            return
        if self.rules.redispatch:
            self.send_anew(incident, now_s, reason)
            return
        if task.unit >= 0 and task.unit not in incident.been:
            incident.been.append(task.unit)
        self.crews.release(task.unit, task.ticket)
        task.stuck = True

    def take_on(self, incident: Incident) -> None:
        """Tell the sources of all signs so far that somebody comes."""
        incident.answered = True
        for source, ref in incident.signs:
            self.out.append(TakeOn(f"takeon/{source}/{ref}", source, ref, incident.name))

    # -- what responders tell -----------------------------------------------------------------------------------

    def accepted(self, incident: Incident, task: Task, now_s: int, by: str) -> None:
        """Take note that a responder took its ticket."""
        task.answered, task.stuck = True, False
        if not incident.answered:
            self.take_on(incident)
        if task.purpose == "handle" and incident.state < ASSIGNED:
            self.set_state(incident, ASSIGNED, now_s, by)

    def moved(self, incident: Incident, task: Task, now_s: int, by: str, what: str) -> None:
        """Take note that a responder departed or arrived; what comes out of order counts by its rank."""
        self.accepted(incident, task, now_s, by)
        state = ON_THE_WAY if what == "departed" else ON_SITE
        if state == ON_SITE:
            task.late_s = 0
        if task.purpose == "handle" and incident.state < state:
            self.set_state(incident, state, now_s, by)

    def cannot(self, incident: Incident, task: Task, now_s: int, by: str, skills: str) -> None:
        """Take note that whoever is there lacks a skill: somebody who has it is sent, from above if need be."""
        needed = mask(skills)
        self.crews.release(task.unit, task.ticket)
        if task.unit not in incident.been:
            incident.been.append(task.unit)
        incident.task = None
        self.need(incident, "handle", needed or task.skill, now_s)
        self.set_state(incident, NEW, now_s, by, f"needs {skills}")

    def done(self, incident: Incident, unit: int, ticket: str, now_s: int, outcome: str) -> None:
        """Take note that a responder says it is done, or that nothing is there: that is not yet fixed."""
        by = unit_label(unit)
        self.crews.release(unit, ticket)
        if unit not in incident.been:
            incident.been.append(unit)
        incident.handled_by.append(by)
        if incident.task is not None and incident.task.ticket not in ("", ticket):
            self.recall(incident, "another did it")
        incident.task, incident.outcome, incident.held = None, outcome, False
        incident.state = min(incident.state, ON_SITE)
        self.set_state(incident, HANDLED, now_s, by, outcome)
        if not self.rules.verify:
            self.close(incident, now_s, "")
            return
        self.ask_look(incident, "verify", now_s)

    # -- confirming and verifying ---------------------------------------------------------------------------------

    def ask_look(self, incident: Incident, purpose: str, now_s: int) -> None:
        """Let somebody look from afar who did not handle it; after ``look_s`` without a word it goes on without."""
        key = incident.look = incident.next_key("look")
        incident.look_purpose = purpose
        handlers = tuple(incident.handled_by)
        theme, x_m, y_m = incident.theme, incident.x_m, incident.y_m
        self.out.append(AskLook(key, incident.name, theme, purpose, x_m, y_m, handlers))
        self.agenda.set(now_s + self.rules.look_s, "look", incident.name, incident.serial)

    def looked(self, incident: Incident, now_s: int, look: str, seen: str, by: str) -> None:
        """Take the answer to a look; one to an earlier question counts no more."""
        if look != incident.look or not incident.open:
            return
        incident.look = ""
        if incident.look_purpose == "confirm":
            self._confirmed(incident, now_s, seen, by)
        elif incident.state == HANDLED:
            self.checked(incident, now_s, seen, by)
        elif seen == "gone" and self._untouched(incident):
            self.gone(incident, now_s, by, "gone")

    def _untouched(self, incident: Incident) -> bool:
        return incident.state < ON_SITE

    def _confirmed(self, incident: Incident, now_s: int, seen: str, by: str) -> None:
        if seen == "there":
            incident.confirmed = True
        if seen == "gone" and not incident.confirmed and self._untouched(incident) and len(incident.signs) == 1:
            self.gone(incident, now_s, by, "false alarm")
            return
        self.release(incident, now_s)

    def release(self, incident: Incident, now_s: int) -> None:
        """Send somebody to an incident that was held for confirmation."""
        if incident.held:
            incident.held = False
            if incident.task is not None:
                incident.task.since_s = now_s

    def gone(self, incident: Incident, now_s: int, by: str, outcome: str) -> None:
        """End an incident that nobody handled, on the word of somebody who looked."""
        self.recall(incident, outcome)
        incident.task, incident.outcome = None, outcome
        self._verified(incident, now_s, by)

    def checked(self, incident: Incident, now_s: int, seen: str, by: str) -> None:
        """Take what somebody saw who checked a handled incident."""
        if by in incident.handled_by:
            seen = "cannot see"
        if seen == "gone":
            self._verified(incident, now_s, by)
        elif seen == "there":
            self.reopen(incident, now_s, f"not fixed, says {by}")
        elif incident.task is None:
            self.need(incident, "verify", INSPECT, now_s)

    def _verified(self, incident: Incident, now_s: int, by: str) -> None:
        self.recall(incident, "verified")
        self.set_state(incident, VERIFIED, now_s, by, incident.outcome)
        self.close(incident, now_s, by)

    def close(self, incident: Incident, now_s: int, by: str) -> None:
        """End an incident."""
        if not incident.answered:
            self.take_on(incident)
        incident.state, incident.closed_s, incident.task, incident.look = CLOSED, now_s, None, ""
        incident.phase = ""
        incident.clock += 1
        self.book.close(incident)
        self.out.append(CloseIncident(incident.next_key("close"), incident.name, incident.outcome, by))

    def reopen(self, incident: Incident, now_s: int, cause: str) -> None:
        """Open an incident again that was handled or closed."""
        was = STATES[incident.state]
        self.recall(incident, cause)
        incident.state, incident.outcome, incident.look, incident.held = NEW, "", "", False
        incident.closed_s, incident.been, incident.phase = -1, [], ""
        incident.handled_by = []
        self.book.open[incident.name] = incident
        self.out.append(ReopenIncident(incident.next_key("reopen"), incident.name, was, cause))
        self.need(incident, "handle", self.themes.of(incident.theme).skill, now_s)
        self.clock(incident, now_s)

    # -- what becomes of signs --------------------------------------------------------------------------------------

    def sign_changed(self, incident: Incident, now_s: int, what: str, by: str, signs: Sequence[object]) -> None:
        """Take note that a sign was confirmed, rejected, or that its source no longer sees it."""
        if not incident.open:
            return
        if what == "confirmed":
            incident.confirmed = True
            self.release(incident, now_s)
        elif what == "unanswered" and incident.state == NEW:
            self.escalate(incident, now_s, f"nobody answered {by}")
        elif what == "rejected" and len(signs) == 1 and not incident.confirmed and self._untouched(incident):
            self.gone(incident, now_s, by, "false alarm")
        elif what == "ended" and incident.state == HANDLED:
            self.checked(incident, now_s, "gone", by)
        elif what == "ended" and incident.state < ON_SITE and self.rules.verify and not incident.look:
            self.ask_look(incident, "gone?", now_s)
