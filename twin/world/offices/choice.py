"""Which office or channel an applicant chooses: by way, wait as people know it, skill and what is open (F34, F38–F40).

A logit choice over costs in minutes (assumed; the draw is one per matter): the way there and back, the wait that
people have come to expect there (an average in which the latest twentieth counts), and for phone and video the trouble
they are to somebody who is not at ease with them. An office the levers do not have is not chosen. Who lives elsewhere
may hand the papers in at the hall there (``PROXY``), which sends them on.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from twin.control.services.calendars import Calendar
from twin.control.services.levers import Levers
from twin.world.offices.matters import DAY_WORK_S, Matter
from twin.world.offices.people import CLOUD, HALL, ONLINE, PROXY
from twin.world.offices.regions import counties

SCALE_MIN = 15.0  # spread of tastes (assumed)
FORM_MIN = 20.0  # filling a form by phone (assumed)
CLUMSY_MIN = 60.0  # the same for somebody not at ease with it, and half of it by video (assumed)
FORGET = 0.05
FILL_S = 900  # from the need to an application by phone; never longer than a way to an office

#: way to an office of a matter, s
Way = Callable[[Matter, int], int]


class Choice:
    """Chooses offices and remembers how long people waited there. ``near``: service points a matter considers."""

    def __init__(self, levers: Levers, office: Calendar, way: Way, near: Callable[[Matter], int]) -> None:
        self._levers, self._calendar, self._way, self._near = levers, office, way, near
        self.expected_min: dict[int, float] = {}
        self.learn = True

    def waited(self, office: int, wait_s: int) -> None:
        """Learn from a wait."""
        if not self.learn:
            return
        old = self.expected_min.get(office, 10.0)
        self.expected_min[office] = (1.0 - FORGET) * old + FORGET * wait_s / 60.0

    def in_person(self, office: int) -> bool:
        """Whether people go there."""
        return office < CLOUD

    def way_s(self, m: Matter, office: int) -> int:
        """Return how long the way to an office takes, in working seconds for those from far away."""
        if m.region >= 0:
            return int(counties()[m.region].way_days * DAY_WORK_S) if self.in_person(office) else 0
        return self._way(m, office) if self.in_person(office) else 0

    def costs(self, m: Matter) -> list[tuple[int, float]]:
        """Return the offices somebody considers and what they cost in minutes."""
        wait = self.expected_min
        hall = 2.0 * self.way_s(m, HALL) / 60.0 + wait.get(HALL, 10.0)
        out = [(HALL, hall)]
        if not self._levers.remote:
            return out
        clumsy = 0.0 if m.digital else CLUMSY_MIN
        if not m.on_foot:
            out.append((ONLINE, FORM_MIN + clumsy))
            out.append((CLOUD, FORM_MIN + clumsy / 2.0 + wait.get(CLOUD, 10.0)))
        if m.region >= 0 and not m.on_foot:
            out.append((PROXY, FORM_MIN + 40.0))
        elif m.region < 0:
            point = self._near(m)
            if point > 0 and m.target == 0:
                out.append((point, 2.0 * self.way_s(m, point) / 60.0 + wait.get(point, 10.0)))
        return out

    def office(self, m: Matter, now_s: int) -> tuple[int, int]:
        """Return the office chosen, and when the application is there."""
        costs = self.costs(m)
        least = min(c for _, c in costs)
        weights = [math.exp(-(c - least) / SCALE_MIN) for _, c in costs]
        u, office = m.channel_u * sum(weights), costs[-1][0]
        for (candidate, _), w in zip(costs, weights, strict=True):
            u -= w
            if u < 0:
                office = candidate
                break
        calendar = self._calendar
        if office == ONLINE:
            return office, now_s + FILL_S
        if office == CLOUD:
            return office, calendar.add(now_s, FILL_S)
        if office == PROXY:
            return office, now_s  # when the hall there has sent it on: see twin.world.offices.elsewhere
        return office, calendar.add(now_s, m.errand_s + self.way_s(m, office))
