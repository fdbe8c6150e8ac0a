"""The loop of the business climate on the clock: found → assigned → rectified → looked at again → closed (F49)."""

from __future__ import annotations

from functools import partial

import numpy as np

from geo.city import City
from twin.clock import Phase
from twin.control.companies.calendar import Calendar
from twin.domain.commands import Command
from twin.domain.companies import (
    CLIMATE_ISSUES,
    AssignClimate,
    CheckClimate,
    ClimateAnswerTold,
    ClimateCheckTold,
    ClimateIssueTold,
    CloseClimate,
    EscalateClimate,
)
from twin.events import (
    ClimateAssigned,
    ClimateChecked,
    ClimateClosed,
    ClimateEscalated,
    ClimateIssueArose,
    ClimateIssueFound,
    ClimateIssueGone,
    ClimatePointSet,
)
from twin.scenario.companies import Companies
from twin.world.companies import climate
from twin.world.companies.env import CLIMATE, DAY_S, Env


class ClimateLoop:
    """Troubles in truth, who notices them, offices that deal with them, supervisors who look again."""

    def __init__(self, env: Env, part: Companies, city: City, calendar: Calendar) -> None:
        self._e, self._calendar = env, calendar
        self.climate = climate.Climate(city, env.dice, part.points, part.supervisors)
        self._draw = {n: env.dice.stream(f"companies.{n}") for n in ("answer", "proper", "sees")}
        self._matter: dict[str, tuple[int, str]] = {}
        self._told = 0

    def begin(self, now_s: int) -> None:
        """Write down where the monitoring points are."""
        for k, place in enumerate(self.climate.points):
            self._e.log.add(ClimatePointSet, t_s=now_s, who=f"point-{k + 1}", place=place)

    def day(self, day: int) -> None:
        """Let troubles of a working day arise, and be looked for before the offices shut."""
        c = self._calendar
        for trouble, gone_s in self.climate.arise(day, c.open_s, c.shut_s):
            self._e.at(trouble.since_s, Phase.WORLD, partial(self._arises, trouble, gone_s))
        self._e.at(day * DAY_S + c.shut_s - 7_200, Phase.PERCEIVE, partial(self._look, day))

    def _arises(self, t: climate.Trouble, gone_s: int) -> None:
        where = (t.issue, t.place)
        if where in self.climate.there:
            return
        self.climate.there[where] = t
        self._e.log.add(ClimateIssueArose, t_s=t.since_s, what=CLIMATE_ISSUES[t.issue], place=t.place)
        self._e.at(gone_s, Phase.WORLD, partial(self._gone, t))

    def _gone(self, t: climate.Trouble) -> None:
        where = (t.issue, t.place)
        if self.climate.there.get(where) is t:
            del self.climate.there[where]
            now = self._e.clock.now_s
            what = CLIMATE_ISSUES[t.issue]
            self._e.log.add(ClimateIssueGone, t_s=now, what=what, place=t.place, duration_s=now - t.since_s)

    def _look(self, day: int) -> None:
        now = self._e.clock.now_s
        for k, (issue, place, who) in enumerate(self.climate.noticed(day)):
            real = (issue, place) in self.climate.there
            self._e.log.add(ClimateIssueFound, t_s=now, what=CLIMATE_ISSUES[issue], place=place, who=who, real=real)
            self._e.tell(CLIMATE, ClimateIssueTold(now, f"issue/{day}/{k}", issue, place, who))

    def carry_out(self, c: Command, now_s: int) -> bool:
        """Carry out a command of the climate desk; False if it is none."""
        e = self._e
        if isinstance(c, AssignClimate):
            self._matter[c.matter] = (c.issue, c.place)
            e.log.add(ClimateAssigned, t_s=now_s, finding=c.matter, who=c.office, due_s=c.due_s)
            key = int.from_bytes(c.key.encode()[-6:], "little") % 2**31
            factor = climate.TAKES * float(np.exp(climate.TAKES_SD * self._draw["answer"].normal(key, now_s)[0]))
            proper = bool(self._draw["proper"].uniform(key, now_s)[0] < climate.PROPER)
            done_s = self._calendar.next_open_s(now_s + int(factor * (c.due_s - now_s)))
            e.at(done_s, Phase.WORLD, partial(self._dealt_with, c.matter, proper))
        elif isinstance(c, CheckClimate):
            t_s = self._calendar.after(now_s, 4 * 3600 + 600 * c.supervisor)
            e.at(t_s, Phase.PERCEIVE, partial(self._checked, c.matter))
        elif isinstance(c, EscalateClimate):
            e.log.add(ClimateEscalated, t_s=now_s, finding=c.matter, step=c.level, to=c.to)
        elif isinstance(c, CloseClimate):
            real = self._matter.pop(c.matter, (-1, "")) not in self.climate.there
            e.log.add(ClimateClosed, t_s=now_s, finding=c.matter, outcome=c.outcome, real=real)
        else:
            return False
        return True

    def _dealt_with(self, matter: str, proper: bool) -> None:
        where = self._matter.get(matter)
        if where is None:
            return
        trouble = self.climate.there.get(where)
        if proper and trouble is not None:
            self._gone(trouble)
        self._told += 1
        self._e.tell(CLIMATE, ClimateAnswerTold(self._e.clock.now_s, f"answer/{matter}/{self._told}", matter))

    def _checked(self, matter: str) -> None:
        where = self._matter.get(matter)
        if where is None:
            return
        now = self._e.clock.now_s
        seen = where in self.climate.there and self._draw["sees"].uniform(len(matter), now)[0] < climate.SEES
        self._e.log.add(ClimateChecked, t_s=now, finding=matter, accepted=not seen)
        self._told += 1
        self._e.tell(CLIMATE, ClimateCheckTold(now, f"checked/{matter}/{self._told}", matter, not seen))
