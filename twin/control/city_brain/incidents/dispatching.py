"""Who is sent: what waits and who is free, put before the policy; its answer checked and made into commands."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from twin.control.city_brain.incidents.book import Incident, Task
from twin.control.city_brain.incidents.course import SEVERE, Course
from twin.control.city_brain.incidents.ports import DispatchPolicy, DispatchView
from twin.control.mobility.streets import Streets
from twin.domain.incidents import DISTRICT, LEVELS, DispatchResponder, RoadPlaces

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SAME_M, MOST_ROADS = 8.0, 4  # roads so near to each other are sides of one street
MOST = 300  # tasks put before the policy at once, the most severe and oldest first (assumed: a storm)


class Dispatching:
    """Asks the policy; ``streets`` are as told."""

    def __init__(self, policy: DispatchPolicy, streets: Streets) -> None:
        self._policy, self._streets = policy, streets
        self._road: Ints = np.empty(0, dtype=np.int64)
        self._middle = np.empty((0, 2))

    def roads(self, told: RoadPlaces) -> None:
        """Learn where roads are."""
        self._road, self._middle = told.road, np.column_stack([told.x_m, told.y_m])

    def roads_at(self, x_m: float, y_m: float) -> tuple[int, ...]:
        """Return the road nearest to a point (by its middle), with the one of the other direction."""
        if not self._road.size:
            return ()
        far = np.hypot(self._middle[:, 0] - x_m, self._middle[:, 1] - y_m)
        return tuple(self._road[np.flatnonzero(far <= far.min() + SAME_M)][:MOST_ROADS].tolist())

    def send(self, course: Course, now_s: int) -> int:
        """Send whom the policy names; return how many tasks wait on."""
        waiting = [(i, i.task) for i in course.book.open.values() if i.task is not None and _waits(i, i.task)]
        if not waiting:
            return 0
        free = course.crews.free(now_s)
        waiting = [(i, t) for i, t in waiting if self._somebody_could(course, i, t, now_s)]
        waiting.sort(key=lambda w: (-w[0].severity, w[1].since_s))
        waiting = waiting[:MOST]
        able = [self._suits(course, i, t) & free for i, t in waiting]
        rows = np.flatnonzero(np.logical_or.reduce(able)) if able else np.empty(0, dtype=np.int64)
        if not rows.size:
            return len(waiting)
        view = self._view(course, now_s, waiting, [a[rows] for a in able], rows)
        return len(waiting) - self._carry_out(course, now_s, waiting, view, rows)

    def _suits(self, course: Course, incident: Incident, task: Task) -> Bools:
        """Return who could be sent as far as skill and area go, and was not there before."""
        crews = course.crews
        fits = crews.suits(task.skill, int(incident.chain[incident.level]), incident.level)
        out = fits.copy()
        out[[row for unit in incident.been if (row := crews.row(unit)) >= 0]] = False
        if task.purpose == "handle" and incident.level == DISTRICT and not out.any() and fits.any():
            incident.been.clear()  # everybody was asked once: ask them again
            return fits
        return out

    def _somebody_could(self, course: Course, incident: Incident, task: Task, now_s: int) -> bool:
        """Take an incident up as long as nobody of its area could ever do it."""
        while not self._suits(course, incident, task).any():
            before = incident.level
            if before < DISTRICT:
                course.escalate(incident, now_s, "nobody here can do it")
            if incident.level == before:
                return False
        return True

    def _view(
        self, course: Course, now_s: int, waiting: list[tuple[Incident, Task]], able: list[Bools], rows: Ints
    ) -> DispatchView:
        travel = np.full((len(waiting), rows.size), np.inf)
        for k, ((incident, _), fits) in enumerate(zip(waiting, able, strict=True)):
            mine = np.flatnonzero(fits)
            travel[k, mine] = course.crews.travel_s(
                rows[mine], incident.x_m, incident.y_m, incident.roads, self._streets
            )
        return DispatchView(
            now_s=now_s,
            incident=tuple(i.name for i, _ in waiting),
            purpose=tuple(t.purpose for _, t in waiting),
            severity=np.array([i.severity for i, _ in waiting], dtype=np.int64),
            waiting_s=np.array([now_s - t.since_s for _, t in waiting], dtype=np.int64),
            unit=course.crews.unit[rows],
            travel_s=travel,
        )

    def _carry_out(
        self, course: Course, now_s: int, waiting: list[tuple[Incident, Task]], view: DispatchView, rows: Ints
    ) -> int:
        """Check the policy's answer and send those it names; return how many."""
        who = type(self._policy).__name__
        column = {int(unit): k for k, unit in enumerate(view.unit)}
        used: set[int] = set()
        done: set[int] = set()
        for item in self._policy.assign(view):
            k = column.get(item.unit, -1)
            if k < 0 or item.unit in used or item.row in done or not 0 <= item.row < len(waiting):
                raise ValueError(
                    f"{who} sent unit {item.unit} to task {item.row} at {now_s} s; allowed: tasks 0 to"
                    f" {len(waiting) - 1} and the units of the view, each once"
                )
            if not np.isfinite(view.travel_s[item.row, k]):
                raise ValueError(
                    f"{who} sent unit {item.unit} to task {item.row} ({view.incident[item.row]}) at {now_s} s,"
                    " which it does not suit (travel_s is inf)"
                )
            used.add(item.unit)
            done.add(item.row)
            incident, task = waiting[item.row]
            self._dispatch(course, now_s, incident, task, int(rows[k]), float(view.travel_s[item.row, k]))
        return len(done)

    def _dispatch(
        self, course: Course, now_s: int, incident: Incident, task: Task, row: int, expected_s: float
    ) -> None:
        crews, rules = course.crews, course.rules
        ticket = incident.next_key("ticket")
        unit = int(crews.unit[row])
        task.ticket, task.unit = ticket, unit
        task.late_s = now_s + math.ceil(rules.late_factor * expected_s) + rules.late_s
        crews.take(row, ticket)
        course.tickets[ticket] = (incident.name, unit, task.purpose)
        course.agenda.set(now_s + rules.answer_s, "answer", ticket)
        course.agenda.set(task.late_s, "late", ticket)
        road = crews.best_road(row, incident.roads, self._streets)
        blue = bool(crews.emergency[row]) and incident.severity >= SEVERE and task.purpose == "handle"
        course.out.append(
            DispatchResponder(
                ticket, incident.name, unit, task.purpose, incident.theme, incident.x_m, incident.y_m, road,
                blue, math.ceil(expected_s), LEVELS[incident.level],
            )
        )  # fmt: skip


def _waits(incident: Incident, task: Task) -> bool:
    return not task.ticket and not task.stuck and not incident.held
