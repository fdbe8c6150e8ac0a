"""What responders do with a ticket: take it or not, set out, arrive, find the hazard or not, handle it, check it.

Every step is an event on the clock; draws are named by what they decide, the responder, and which ticket of his it is.
What somebody says he has handled may not be, what he does not find may be there, and what he finds may need another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.clock import Phase
from twin.dice import Stream
from twin.domain.ids import unit_label
from twin.domain.incidents import DispatchResponder, RecallResponder, ResponderReport, ResponderRoster
from twin.errors import ControlError
from twin.events import (
    ResponderAccepted,
    ResponderArrived,
    ResponderChecked,
    ResponderFailed,
    ResponderFoundNothing,
    ResponderFree,
    ResponderHandled,
    ResponderRecalled,
    ResponderRefused,
    ResponderSetOut,
    ResponderUnable,
)
from twin.scenario.responders import Failings
from twin.world.ports import RunContext
from twin.world.responders.bases import Streets
from twin.world.responders.kinds import KINDS
from twin.world.responders.movement import Movement
from twin.world.responders.themes import THEMES, ways_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ANSWER_S = 8.0  # mean time until a ticket is answered, s (assumed)
SEARCH_S = 180.0  # looking around in vain takes so long (assumed)
UNABLE_S = 60.0  # until somebody on the spot sees that he cannot (assumed)
CHECK_S = 60.0  # to see whether it is fixed (assumed)
OUT_S = 3600  # out of service after a breakdown (assumed)
SPREAD = 0.3  # sigma of the log of handling times and of turnout (assumed)
DAY_S = 86_400


class HazardBook(Protocol):
    """What responders must know of hazards (:class:`twin.world.city_brain.hazards.Hazards`)."""

    @property
    def id(self) -> Ints:
        """Numbers of hazards, by row."""

    @property
    def ended_s(self) -> Ints:
        """When each ended."""

    @property
    def pictured(self) -> dict[str, int]:
        """Number of the hazard that the pictures of an alert show, -1 nothing."""

    def about(self, theme: str, x_m: float, y_m: float, radius_m: float, now_s: int, ago_s: int = 0) -> int:
        """Return the row of the hazard meant, or -1."""

    def near(self, x_m: float, y_m: float, radius_m: float) -> Ints:
        """Return rows around a point, the nearest first."""

    def needs(self, row: int, now_s: int) -> tuple[tuple[str, ...], float]:
        """Return skills that handling needs, and for how long, s."""

    def contain(self, row: int, now_s: int, by: str) -> None:
        """Let it grow no further."""

    def end(self, row: int, now_s: int, how: str) -> None:
        """Let it end."""


def find(hazards: HazardBook, theme: str, x_m: float, y_m: float, now_s: int) -> int:
    """Return the row of the open hazard that a sign of a theme at a point means; -1: there is none."""
    if theme in THEMES and theme:
        row = hazards.about(theme, x_m, y_m, ways_of(theme).find_m, now_s)
        return row if row >= 0 and int(hazards.ended_s[row]) > now_s else -1
    rows = hazards.near(x_m, y_m, ways_of(theme).find_m)
    return int(rows[0]) if rows.size else -1


@dataclass
class Job:
    """A ticket that a responder is on; ``number``: which of his it is. Until it sets out it may be on its way home."""

    order: DispatchResponder
    number: int
    hazard: int = -1  # row
    under_way: bool = False  # it has set out


class Conduct:
    """Carries tickets out; ``tell(report)`` sends what a responder says to the desk."""

    def __init__(
        self, context: RunContext, roster: ResponderRoster, streets: Streets, hazards: HazardBook,
        failings: Failings, tell: Callable[[ResponderReport], None],
    ) -> None:  # fmt: skip
        self._c, self._hazards, self._failings, self._tell = context, hazards, failings, tell
        self._roster = roster
        self.movement = Movement(context, roster, streets, self._arrived)
        n = roster.unit.size
        self._row = {int(unit): row for row, unit in enumerate(roster.unit)}
        self.jobs: list[Job | None] = [None] * n
        self._asked: dict[str, Job] = {}  # tickets that wait for an answer
        self._tickets: Ints = np.zeros(n, dtype=np.int64)
        self._out_until_s: Ints = np.zeros(n, dtype=np.int64)
        self._home = (roster.x_m.copy(), roster.y_m.copy())
        self._sent = 0
        names = ("answer", "refuse", "silent", "turnout", "fail", "fail_at", "late", "search", "overlook", "botch",
                 "handling", "check")  # fmt: skip
        self._dice: dict[str, Stream] = {name: context.dice.stream(f"responders.{name}") for name in names}

    # -- draws -----------------------------------------------------------------------------------------------

    def _uniform(self, name: str, job: Job) -> float:
        return float(self._dice[name].uniform(job.order.unit, job.number)[0])

    def _happens(self, name: str, job: Job) -> bool:
        return self._uniform(name, job) < self._failings.share(name)

    def _seconds(self, name: str, mean_s: float, job: Job) -> int:
        """Log-normal seconds of a given mean."""
        z = float(self._dice[name].normal(job.order.unit, job.number)[0])
        return max(1, round(mean_s * float(np.exp(SPREAD * z - SPREAD**2 / 2))))

    # -- orders ----------------------------------------------------------------------------------------------

    def order(self, command: DispatchResponder, now_s: int) -> None:
        """Bring a ticket to a responder. ControlError: there is none of that number."""
        row = self._row.get(command.unit, -1)
        if row < 0:
            raise ControlError(f"DispatchResponder at {now_s} s names unit {command.unit}, which is no responder")
        job = Job(command, int(self._tickets[row]))
        self._tickets[row] += 1
        if self._happens("silent", job):
            self._refused(row, job, "silent", now_s)
            return
        self._asked[command.key] = job
        delay_s = 1 + round(float(self._dice["answer"].exponential(ANSWER_S, job.order.unit, job.number)[0]))
        self._c.clock.at(now_s + delay_s, Phase.PERCEIVE, lambda: self._answer(row, job))

    def _refused(self, row: int, job: Job, reason: str, now_s: int) -> None:
        o = job.order
        self._c.log.add(ResponderRefused, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key, reason=reason)
        if reason != "silent":
            self._say(row, job, "refused", now_s, reason)

    def _answer(self, row: int, job: Job) -> None:
        now_s = self._c.clock.now_s
        if self._asked.pop(job.order.key, None) is None:
            return  # called off in the meantime
        if self.jobs[row] is not None:
            self._refused(row, job, "busy", now_s)
        elif now_s < self._out_until_s[row]:
            self._refused(row, job, "out of service", now_s)
        elif not self._on_duty(row, now_s):
            self._refused(row, job, "off duty", now_s)
        elif self._happens("refuse", job):
            self._refused(row, job, "busy with something else", now_s)
        else:
            self.jobs[row] = job
            o = job.order
            self._c.log.add(ResponderAccepted, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key)
            self._say(row, job, "accepted", now_s)
            kind = KINDS[self._roster.kind[row]]
            turnout_s = self._seconds("turnout", kind.turnout_s, job)
            self._later(row, job, now_s + turnout_s, self._set_out)

    def _on_duty(self, row: int, now_s: int) -> bool:
        of_day = now_s % DAY_S
        from_s, until_s = int(self._roster.from_s[row]), int(self._roster.until_s[row])
        return from_s <= of_day < until_s or of_day + DAY_S < until_s

    def _later(self, row: int, job: Job, t_s: int, what: Callable[[int, Job, int], None]) -> None:
        """Go on with a job at a second, if it is still the responder's."""

        def then() -> None:
            if self.jobs[row] is job:
                what(row, job, t_s)

        self._c.clock.at(t_s, Phase.PERCEIVE, then)

    def recall(self, command: RecallResponder, now_s: int) -> None:
        """Call a responder off a ticket, if he is on it or has not answered yet."""
        row = self._row.get(command.unit, -1)
        if row < 0:
            raise ControlError(f"RecallResponder at {now_s} s names unit {command.unit}, which is no responder")
        job = self.jobs[row]
        asked = self._asked.pop(command.ticket, None)
        mine = job is not None and job.order.key == command.ticket
        if not mine and asked is None:
            return
        self._c.log.add(
            ResponderRecalled, t_s=now_s, unit=command.unit, incident=command.incident, ticket=command.ticket,
            reason=command.reason,
        )  # fmt: skip
        if mine:
            assert job is not None
            self._over(row, job, now_s, "free")
        elif asked is not None:  # he goes on with what he does
            self._say(row, asked, "free", now_s)
            self._free(row, now_s)

    # -- on the way ------------------------------------------------------------------------------------------

    def _set_out(self, row: int, job: Job, now_s: int) -> None:
        o = job.order
        slower = 2.0 if self._happens("late", job) else 1.0
        blue = o.emergency and KINDS[self._roster.kind[row]].emergency
        job.under_way = True
        leg = self.movement.go(row, o.x_m, o.y_m, now_s, blue, slower, o.road)
        if leg is None:
            self._fail(row, job, now_s, "no way there")
            return
        self._c.log.add(
            ResponderSetOut, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key, vehicle=leg.vehicle,
            distance_m=leg.distance_m, expected_s=leg.expected_s,
        )  # fmt: skip
        self._say(row, job, "departed", now_s)
        if self._happens("fail", job):
            after_s = 1 + round(self._uniform("fail_at", job) * leg.expected_s)
            self._later(row, job, now_s + after_s, self._breaks_down)

    def _breaks_down(self, row: int, job: Job, now_s: int) -> None:
        if self.movement.moving(row):
            self.movement.stop(row, now_s, "broke down")
            self._fail(row, job, now_s, "broke down")

    def _fail(self, row: int, job: Job, now_s: int, reason: str) -> None:
        o = job.order
        self._out_until_s[row] = now_s + OUT_S
        self._c.log.add(ResponderFailed, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key, reason=reason)
        self._over(row, job, now_s, "failed", reason)

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:
        """Take note that traffic took a vehicle off the road."""
        row = self.movement.lost(vehicle)
        job = self.jobs[row] if row >= 0 else None
        if job is not None:
            self._later(row, job, now_s + 1, lambda r, j, t: self._fail(r, j, t, reason))

    def _arrived(self, row: int, t_s: int) -> None:
        """Go on with the job where it is; without one the responder is at home again."""
        job, now_s = self.jobs[row], self._c.clock.now_s
        if job is None:
            self._report(row, "", "free", now_s)
        elif job.under_way:
            self._there(row, job, t_s, now_s)

    def _there(self, row: int, job: Job, t_s: int, now_s: int) -> None:
        o = job.order
        job.hazard = find(self._hazards, o.theme, o.x_m, o.y_m, now_s)
        number = int(self._hazards.id[job.hazard]) if job.hazard >= 0 else -1
        self._c.log.add(ResponderArrived, t_s=t_s, unit=o.unit, incident=o.incident, ticket=o.key, hazard=number)
        self._say(row, job, "arrived", now_s)
        if o.purpose == "verify":
            self._later(row, job, now_s + self._seconds("check", CHECK_S, job), self._check)
        elif job.hazard < 0 or self._happens("overlook", job):
            self._later(row, job, now_s + self._seconds("search", SEARCH_S, job), self._nothing)
        else:
            self._begin(row, job, now_s)

    # -- on the spot -----------------------------------------------------------------------------------------

    def _nothing(self, row: int, job: Job, now_s: int) -> None:
        o = job.order
        self._c.log.add(ResponderFoundNothing, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key)
        self._over(row, job, now_s, "nothing found")

    def _begin(self, row: int, job: Job, now_s: int) -> None:
        needed, handling_s = self._hazards.needs(job.hazard, now_s)
        missing = [s for s in needed if s not in self._roster.skills[row].split("+")]
        if missing:
            then = now_s + self._seconds("search", UNABLE_S, job)
            self._later(row, job, then, lambda r, j, t: self._cannot(r, j, t, "+".join(missing)))
            return
        self._hazards.contain(job.hazard, now_s, unit_label(job.order.unit))
        until_s = now_s + self._seconds("handling", handling_s, job)
        self._later(row, job, until_s, lambda r, j, t: self._handled(r, j, t, now_s))

    def _cannot(self, row: int, job: Job, now_s: int, missing: str) -> None:
        o = job.order
        number = int(self._hazards.id[job.hazard])
        self._c.log.add(
            ResponderUnable, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key, hazard=number, reason=missing
        )
        self._over(row, job, now_s, "cannot", missing)

    def _handled(self, row: int, job: Job, now_s: int, since_s: int) -> None:
        o = job.order
        there = int(self._hazards.ended_s[job.hazard]) > now_s
        if there and not self._happens("botch", job):
            self._hazards.end(job.hazard, now_s, "handled")
            there = False
        self._c.log.add(
            ResponderHandled, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key,
            hazard=int(self._hazards.id[job.hazard]), solved=not there, duration_s=now_s - since_s,
        )  # fmt: skip
        self._over(row, job, now_s, "handled")

    def _check(self, row: int, job: Job, now_s: int) -> None:
        """Say whether it is fixed; what is there may be overlooked."""
        o = job.order
        job.hazard = find(self._hazards, o.theme, o.x_m, o.y_m, now_s)
        there = job.hazard >= 0
        says_fixed = not there or self._happens("overlook", job)
        self._c.log.add(
            ResponderChecked, t_s=now_s, unit=o.unit, incident=o.incident, ticket=o.key,
            hazard=int(self._hazards.id[job.hazard]) if there else -1, solved=says_fixed,
        )  # fmt: skip
        self._over(row, job, now_s, "fixed" if says_fixed else "not fixed")

    def _over(self, row: int, job: Job, now_s: int, what: str, detail: str = "") -> None:
        """End a job, tell so, and go home."""
        self.jobs[row] = None
        self.movement.stop(row, now_s, what)
        self._say(row, job, what, now_s, detail)
        self._free(row, now_s)
        home_s = now_s + 1 if now_s >= self._out_until_s[row] else int(self._out_until_s[row])
        tickets = int(self._tickets[row])
        self._c.clock.at(home_s, Phase.LIVE, lambda: self._go_home(row, tickets))

    def _free(self, row: int, now_s: int) -> None:
        x_m, y_m = float(self.movement.x_m[row]), float(self.movement.y_m[row])
        self._c.log.add(ResponderFree, t_s=now_s, unit=int(self._roster.unit[row]), x_m=x_m, y_m=y_m)

    def _go_home(self, row: int, tickets: int) -> None:
        if self.jobs[row] is None and int(self._tickets[row]) == tickets:
            x_m, y_m = float(self._home[0][row]), float(self._home[1][row])
            self.movement.go(row, x_m, y_m, self._c.clock.now_s, road=int(self._roster.road[row]))

    # -- telling ---------------------------------------------------------------------------------------------

    def _say(self, row: int, job: Job, what: str, now_s: int, detail: str = "") -> None:
        self._report(row, job.order.key, what, now_s, detail)

    def _report(self, row: int, ticket: str, what: str, now_s: int, detail: str = "") -> None:
        m = self.movement
        self._sent += 1
        unit = int(self._roster.unit[row])
        self._tell(
            ResponderReport(
                t_s=now_s, key=f"responder/{unit}/{self._sent}", unit=unit, ticket=ticket, what=what, sent_s=now_s,
                road=int(m.road[row]), pos_m=float(m.pos_m[row]), x_m=float(m.x_m[row]), y_m=float(m.y_m[row]),
                detail=detail,
            )
        )  # fmt: skip
