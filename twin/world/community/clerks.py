"""Clerks of the platform, who look at reports from 8:30 to 20:00, one after the other, and are wrong now and then."""

from __future__ import annotations

import heapq

from twin.domain.community import ReviewDone
from twin.events import ReportReviewed
from twin.world.community.env import DAY_S, Env

FROM_S, UNTIL_S = 8 * 3600 + 1800, 20 * 3600
INBOX_S = 1200.0  # mean time until somebody opens a report, in office hours (assumed)
TRUE_VALID, FALSE_VALID = 0.93, 0.15  # chance that one about something, about nothing, is taken as valid (assumed)


def office_s(t_s: int) -> int:
    """Return the second itself in office hours, else when they begin again."""
    day, second = divmod(t_s, DAY_S)
    if second < FROM_S:
        return day * DAY_S + FROM_S
    return t_s if second < UNTIL_S else (day + 1) * DAY_S + FROM_S


class Clerks:
    """A queue with so many clerks."""

    def __init__(self, env: Env) -> None:
        self._e = env
        self._free_s = [0] * env.part.platform.clerks
        self._opens, self._takes = env.dice.stream("community.inbox"), env.dice.stream("community.review")
        self._says = env.dice.stream("community.verdict")

    def look(self, report: str, entity: int, true: bool, now_s: int) -> None:
        """Let a clerk look at a report; the desk hears what he says. ``entity``: a stable number of the report."""
        ready_s = office_s(now_s + int(self._opens.exponential(INBOX_S, entity)[0]))
        begins_s = office_s(max(ready_s, heapq.heappop(self._free_s)))
        done_s = begins_s + max(1, int(self._takes.exponential(self._e.part.platform.review_s, entity)[0]))
        heapq.heappush(self._free_s, done_s)
        valid = bool(self._says.uniform(entity)[0] < (TRUE_VALID if true else FALSE_VALID))
        verdict = "valid" if valid else "unclear"

        def say() -> None:
            t_s = self._e.clock.now_s
            self._e.log.add(ReportReviewed, t_s=t_s, report=report, answer=verdict, waited_s=t_s - now_s)
            self._e.tell("community", ReviewDone(t_s, f"review/{report}", report, verdict))

        self._e.later(done_s, say)
