"""Those who come, and the incident desk's adapter: orders carried out, answers told, what the desk does made facts.

Made by the city brain where the scenario has ``city_brain.responders``. ``alert`` is called with every command of the
alerting desk, ``look`` where a person is asked whether an alert is true. Anybody may send a
:class:`twin.domain.incidents.Sign` to the desk "incidents".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twin.clock import Phase
from twin.control.city_brain.incidents.ports import DispatchPolicy
from twin.domain.commands import Command
from twin.domain.incidents import (
    LEVELS,
    AskLook,
    CloseIncident,
    DeskRules,
    DispatchResponder,
    EscalateIncident,
    JoinSign,
    OpenIncident,
    RecallResponder,
    ReopenIncident,
    ResponderReport,
    SetIncident,
    StartClock,
    TakeOn,
)
from twin.domain.messages import ClosureReport, Message
from twin.errors import ScenarioError
from twin.events import (
    IncidentAdvanced,
    IncidentAssigned,
    IncidentClockStarted,
    IncidentClosed,
    IncidentCreated,
    IncidentEscalated,
    IncidentLookAsked,
    IncidentMerged,
    IncidentOpen,
    IncidentReopened,
    IncidentVerified,
    ResponderDeployed,
)
from twin.hosts import Host, find_factory
from twin.scenario.responders import POLICIES, policy_problem
from twin.scenario.responders import Responders as Settings
from twin.world.city_brain.hazards import Hazards
from twin.world.fleets.desks import car_map, travel_times
from twin.world.ports import RunContext
from twin.world.responders.alert_post import AlertPost
from twin.world.responders.bases import Streets, areas, roster
from twin.world.responders.conduct import Conduct
from twin.world.responders.looks import CommandCentre
from twin.world.responders.repeating import Repeating
from twin.world.responders.themes import service_targets, theme_book
from twin.world.traffic.ports import Flow

DESK = "incidents"
LOOK_S = 180  # so long the desk waits for a look (assumed)
LATE_S = 300  # beside the factor on the expected time (assumed)
TIMES_S = 300  # the desk hears of new travel times at most so often

#: called with "taken on" or the outcome, source and ref of a sign, and the second
Answer = Callable[[str, str, str, int], None]


class Responders:
    """See the module's text. ``answers``: who wants to know what became of signs (the community platform)."""

    def __init__(self, context: RunContext, hazards: Hazards) -> None:
        part = context.scenario.city_brain
        assert part is not None
        assert part.responders is not None
        self._c, self._part, self._hazards = context, part.responders, hazards
        self._streets = Streets.of(context.city)
        self._areas = areas(context.city, context.start_s)
        self._roster = roster(context.city, self._streets, self._areas, self._part.crews, context.start_s)
        failings = self._part.failings
        self.conduct = Conduct(context, self._roster, self._streets, hazards, failings, self._tell_desk)
        hit, wrong = part.alerting.operator_hit, part.alerting.operator_false
        self._repeating = Repeating(context.clock, context.tell, context.end_s)
        self.centre = CommandCentre(context, hazards, self._part.looks, hit, wrong, self._repeating.tell)
        self._post = AlertPost(context.log, self._repeating.tell)
        self.answers: list[Answer] = []
        self._hosts = {DESK: context.host(DESK, desk_factory(self._part))}
        self._state: dict[str, str] = {}  # of open incidents
        self._signs: dict[str, list[tuple[str, str]]] = {}
        self._times: Any = None
        hazards.listeners.append(self._hazard)

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The incident desk."""
        return self._hosts

    def tell(self, desk: str, message: Message) -> None:
        """Tell a desk; a sign again until it is on the books of the incident desk."""
        self._repeating.tell(desk, message)

    def _tell_desk(self, report: ResponderReport) -> None:
        self._c.tell(DESK, report)

    # -- the beginning and the end ---------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Tell the desk what it knows from the start."""
        p, r = self._part, self._roster
        rules = DeskRules(
            t_s=now_s, key="incidents/rules", confirm=p.confirm, merge=p.merge, redispatch=p.redispatch,
            verify=p.verify, escalate=p.escalate, answer_s=p.answer_s, look_s=LOOK_S, late_factor=p.late_factor,
            late_s=LATE_S, reopen_s=p.reopen_s,
        )  # fmt: skip
        self._times = self._c.time_s().copy()
        told: list[Message] = [
            car_map(self._c.city, now_s), travel_times(self._times, now_s), self._streets.message(now_s), self._areas,
            theme_book(now_s), service_targets(now_s, p.targets), rules, r,
        ]  # fmt: skip
        for message in told:
            self._c.tell(DESK, message)
        words = np.asarray(LEVELS, dtype=object)[r.level]
        self._c.log.add(
            ResponderDeployed, t_s=now_s, unit=r.unit, kind=list(r.kind), level=words, area=list(r.area), x_m=r.x_m,
            y_m=r.y_m,
        )  # fmt: skip
        self._c.clock.every(TIMES_S, Phase.PERCEIVE, self._new_times, now_s + TIMES_S)

    def _new_times(self) -> None:
        """Tell the desk of travel times that were measured anew."""
        times = self._c.time_s()
        if not np.array_equal(times, self._times):
            self._times = times.copy()
            self._c.tell(DESK, travel_times(times, self._c.clock.now_s))

    def finish(self, end_s: int) -> None:
        """Account for incidents that are still open."""
        for incident, state in self._state.items():
            self._c.log.add(IncidentOpen, t_s=end_s, incident=incident, state=state)

    # -- what happens in the city ----------------------------------------------------------------------------

    def _hazard(self, what: str, row: int, now_s: int) -> None:
        h = self._hazards
        if what == "began":
            x_m, y_m = float(h.x_m[row]), float(h.y_m[row])
            self.centre.noticed(row, str(h.theme[row]), x_m, y_m, str(h.severity[row]), now_s)

    def alert(self, command: Command, now_s: int) -> None:
        """Take a command of the alerting desk: RaiseAlert, UpdateAlert, ResolveAlert, Notify."""
        self._post.alert(command, now_s)

    def look(self, alert: str, x_m: float, y_m: float, theme: str, now_s: int) -> None:
        """Let a person look whether an alert is true; he tells the desk "alerting" when he has."""
        self.centre.look(alert, x_m, y_m, theme, now_s)

    def took(self, flow: Flow) -> None:
        """Take note of vehicles that arrived."""
        self.conduct.movement.took(flow)

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take note that traffic took a vehicle off the road."""
        self.conduct.lost(vehicle, now_s, reason)

    def closure(self, report: ClosureReport) -> None:
        """Pass on what somebody tells of a closed road."""
        self._c.tell(DESK, report)

    # -- commands of the desk --------------------------------------------------------------------------------

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """Carry out a command of the incident desk; False if it is not of this desk, or none it can give."""
        if who != DESK:
            return False
        if isinstance(command, DispatchResponder):
            self._c.log.add(
                IncidentAssigned, t_s=now_s, incident=command.incident, unit=command.unit, ticket=command.key,
                level=command.level, task=command.purpose, expected_s=float(command.expected_s),
            )  # fmt: skip
            self.conduct.order(command, now_s)
        elif isinstance(command, RecallResponder):
            self.conduct.recall(command, now_s)
        elif isinstance(command, AskLook):
            self._c.log.add(IncidentLookAsked, t_s=now_s, incident=command.incident, task=command.purpose)
            self.centre.ask(command, now_s)
        elif isinstance(command, TakeOn):
            self._post.take_on(command, now_s)
            for answer in self.answers:
                answer("taken on", command.source, command.ref, now_s)
        else:
            return self._note(command, now_s)
        return True

    def _note(self, command: Command, now_s: int) -> bool:
        """Write down what the desk does with its books."""
        log = self._c.log
        c: Any = command
        if isinstance(command, OpenIncident):
            self._state[c.incident] = "new"
            self._signs[c.incident] = [(c.source, c.ref)]
            self._repeating.booked(c.source, c.ref)
            log.add(
                IncidentCreated, t_s=now_s, incident=c.incident, theme=c.theme, severity=c.severity, level=c.level,
                area=c.area, department=c.department, x_m=c.x_m, y_m=c.y_m, grid=c.grid, source=c.source, ref=c.ref,
                since_s=c.seen_s,
            )  # fmt: skip
        elif isinstance(command, JoinSign):
            self._signs.setdefault(c.incident, []).append((c.source, c.ref))
            self._repeating.booked(c.source, c.ref)
            log.add(
                IncidentMerged, t_s=now_s, incident=c.incident, source=c.source, ref=c.ref, since_s=c.seen_s,
                severity=c.severity,
            )  # fmt: skip
        elif isinstance(command, StartClock):
            log.add(IncidentClockStarted, t_s=now_s, incident=c.incident, phase=c.phase, level=c.level, due_s=c.due_s)
        elif isinstance(command, EscalateIncident):
            log.add(
                IncidentEscalated, t_s=now_s, incident=c.incident, from_level=c.from_level, level=c.level, area=c.area,
                phase=c.phase, due_s=c.due_s, reason=c.reason,
            )  # fmt: skip
        elif isinstance(command, SetIncident):
            self._state[c.incident] = c.state
            if c.state == "verified":
                log.add(IncidentVerified, t_s=now_s, incident=c.incident, who=c.by, cause=c.cause)
            else:
                log.add(IncidentAdvanced, t_s=now_s, incident=c.incident, state=c.state, who=c.by, cause=c.cause)
        elif isinstance(command, ReopenIncident):
            self._state[c.incident] = "new"
            log.add(IncidentReopened, t_s=now_s, incident=c.incident, state=c.was, cause=c.cause)
        elif isinstance(command, CloseIncident):
            self._state.pop(c.incident, None)
            log.add(IncidentClosed, t_s=now_s, incident=c.incident, outcome=c.outcome, who=c.by)
            for answer in self.answers:
                for source, ref in self._signs.get(c.incident, []):
                    answer(c.outcome, source, ref, now_s)
        else:
            return False
        return True


def desk_factory(part: Settings) -> Callable[[], Any]:
    """Return what makes the desk with its policy. ScenarioError: there is no such policy."""
    problem = policy_problem(part)
    if problem:
        raise ScenarioError(f"city_brain.responders.policy {problem}")
    desk, policy = part.desk, part.policy
    make: Any = find_factory(desk) if isinstance(desk, str) else desk
    choose: Any = find_factory(POLICIES.get(policy, policy)) if isinstance(policy, str) else policy

    def made() -> Any:
        chosen: DispatchPolicy = choose()
        return make(chosen)

    return made
