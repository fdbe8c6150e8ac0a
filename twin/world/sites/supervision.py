"""Building sites and their supervision on the clock, without the roads: what happens on a day, who tells it when.

05:30 the day's conditions are known · 07:00-18:00 work, hazards appear · supervisors visit each site once a week,
Monday to Saturday from 08:00 to 18:00 · 17:30 builders look round · 18:00 the day is booked · 18:30 the builders tell,
19:00 the devices · 20:00 the desk assesses. On the 25th quantities are measured. A day that began before the run starts
with it, unless its work is over.
"""

from __future__ import annotations

from datetime import date
from functools import partial

import numpy as np

from twin.clock import Phase
from twin.domain.commands import Command
from twin.domain.construction import (
    ENDS,
    HAZARDS,
    LIBRARIES,
    PROJECT_KINDS,
    ClearProjectWarning,
    EstimateProgress,
    JudgeEnds,
    MoveProject,
    ProgressTold,
    ProjectStageTold,
    SupervisionRules,
    WarnProject,
)
from twin.domain.messages import Message
from twin.events import (
    EndsJudged,
    ProgressEstimated,
    ProgressReported,
    ProjectFiled,
    ProjectFinished,
    ProjectMoved,
    ProjectWarned,
    ProjectWarningCleared,
    SiteAccident,
    SiteProgressed,
    SiteWorkResumed,
    SiteWorkStopped,
)
from twin.scenario.construction import Construction
from twin.world.sites.env import DAY_S, DESK, Env
from twin.world.sites.files import Ints, Sites
from twin.world.sites.hazard_loop import OPEN_S, SHUT_S, HazardLoop
from twin.world.sites.sky import Sky
from twin.world.sites.telling import BUILDER, DEVICE, SUPERVISOR, Telling
from twin.world.sites.works import Works

PLAN_S, BOOK_S, BUILDER_TELLS_S, DEVICE_TELLS_S, ASSESS_S = 19_800, 64_800, 66_600, 68_400, 72_000
OWN_LOOK_S = 63_000
MEASURED_ON = 25  # day of the month
HISTORY_DAYS = 42  # what the desk knows of the time before the run
ACCEPTED_DAYS = 20  # from finished to accepted (assumed)
APPROVED_DAYS = 12  # before the planned start (assumed)
RECTIFY_S = (7 * DAY_S, 3 * DAY_S, DAY_S, 4 * 3600)  # by grade (assumed)
ESCALATE_TO = ("街道建设办", "建设主管部门", "区指挥中枢")


class Supervision(HazardLoop):
    """The truth of all sites, who reports it, and what the desk's commands do."""

    def __init__(self, env: Env, part: Construction, sites: Sites) -> None:
        self._sky = Sky(env.dice, date.fromisoformat(part.first_date))
        super().__init__(env, part, sites, Works(sites, env.dice, self._sky, part.contractors_respond))
        self._telling = Telling(sites, env.dice)
        self.sky = self._sky.day(0)
        self._still: dict[int, str] = {}

    # -- the start -----------------------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Tell the desk the rules, the files and the last weeks, and put the days on the clock."""
        e, s = self._e, self.sites
        first = now_s // DAY_S
        late = now_s - first * DAY_S >= BOOK_S
        e.log.add(
            ProjectFiled, t_s=now_s, project=s.project, name=np.asarray(s.name, dtype=object),
            kind=np.asarray([PROJECT_KINDS[k] for k in s.kind], dtype=object),
            library=np.asarray([LIBRARIES[k] for k in s.library], dtype=object),
            community=np.asarray(s.community, dtype=object), x_m=s.x_m, y_m=s.y_m, investment_cny=s.investment_cny,
            start_day=s.start_day, finish_day=s.finish_day,
            contractor=np.asarray([s.contractors[i] for i in s.contractor], dtype=object),
            curve_c=s.curve_c, curve_k=s.curve_k,
        )  # fmt: skip
        last = first if late else first - 1  # the last day that is over
        for day in range(0, last + 1):
            self.works.step(day, self._sky.day(day))
        self._tell(
            SupervisionRules(
                t_s=now_s,
                key="rules",
                first_day=last - HISTORY_DAYS,
                assess_at_s=ASSESS_S,
                hold_days=7,
                rectify_s=np.asarray(RECTIFY_S, dtype=np.int64),
                recheck_s=DAY_S,
                escalate_to=ESCALATE_TO,
            )
        )
        self._tell(s.message(now_s))
        for message in self._history(last, now_s):
            self._tell(message)
        day = last + 1
        e.clock.at(max(now_s, day * DAY_S + PLAN_S), Phase.WORLD, partial(self._day, day))
        for row in np.flatnonzero(s.library == 0).tolist():
            at = (int(s.start_day[row]) - APPROVED_DAYS) * DAY_S + 9 * 3600
            if now_s <= at < e.end_s:
                self._stage_at(at, row, "approved")

    def _history(self, last: int, now_s: int) -> list[Message]:
        """Return what was told in the weeks before the run."""
        out: list[Message] = []
        first = last - HISTORY_DAYS + 1
        for stand in self.works.past:
            day = stand.day
            rows = np.flatnonzero(self.works.active & (self.sites.start_day <= day))
            if not first <= day <= last or rows.size == 0:
                continue
            if day == first or self._sky.date(day).day == MEASURED_ON:
                out.append(self._telling.measured(stand, now_s, rows))
            out.append(self._telling.told(BUILDER, stand, now_s, rows))
            out.append(self._telling.told(DEVICE, stand, now_s, rows))
            visited = rows[self._visited(day, rows)]
            if visited.size:
                out.append(self._telling.told(SUPERVISOR, stand, now_s, visited))
        return out

    # -- a day ---------------------------------------------------------------------------------------------

    def _day(self, day: int) -> None:
        """Draw the day, and put what happens in it on the clock."""
        e, now = self._e, self._e.clock.now_s
        self.sky = self._sky.day(day, e.wet(day))
        finished = self.works.step(day, self.sky)
        self._stops(day, now)
        e.planned(day)
        at = e.clock.at
        active = np.flatnonzero(self.works.active)
        t0 = day * DAY_S
        for h in self.hazards.appear(day, self.works.busy):
            if h.since_s >= now:
                at(h.since_s, Phase.WORLD, partial(self._appears, h))
        for s in self.hazards.false(day, self.works.busy):
            if s.t_s >= now:
                at(s.t_s, Phase.PERCEIVE, partial(self._seen, s))
        for row in active[self._visited(day, active)].tolist():
            who = int(self.sites.project[row])
            t_s = t0 + int(self._draw["visit"].integers(OPEN_S, SHUT_S, who, day + DAY_S)[0])
            if t_s >= now:
                at(t_s, Phase.PERCEIVE, partial(self._visit, row, day))
        if self.hazards.per_site_day > 0:
            self._at(t0 + OWN_LOOK_S, Phase.PERCEIVE, partial(self._own_look, day))
        self._at(t0 + BOOK_S, Phase.WORLD, partial(self._book, day, finished))
        self._at(t0 + BUILDER_TELLS_S, Phase.PERCEIVE, partial(self._all_tell, BUILDER, day))
        self._at(t0 + DEVICE_TELLS_S, Phase.PERCEIVE, partial(self._all_tell, DEVICE, day))
        if self._sky.date(day).day == MEASURED_ON:
            self._at(t0 + DEVICE_TELLS_S + 60, Phase.PERCEIVE, partial(self._measure, day))
        self._at(t0 + DAY_S + PLAN_S, Phase.WORLD, partial(self._day, day + 1))

    def _visited(self, day: int, rows: Ints) -> np.ndarray:
        """Say which sites a supervisor visits on a day: each once a week, none on Sundays."""
        weekday = (self._e.weekday + day) % 7
        return np.asarray((self.sites.project[rows] % 6 == weekday) & (weekday != 6))

    def _stops(self, day: int, now_s: int) -> None:
        """Say which sites came to a standstill, and which work again."""
        for row in np.flatnonzero(self.works.active).tolist():
            why, before = self.works.reason(row, day), self._still.get(row, "")
            project = int(self.sites.project[row])
            if why and not before:
                self._e.log.add(SiteWorkStopped, t_s=now_s, project=project, cause=why)
                self._still[row] = why
            elif before and not why:
                self._e.log.add(SiteWorkResumed, t_s=now_s, project=project, cause=before)
                del self._still[row]

    def _book(self, day: int, finished: Ints) -> None:
        e, w, s = self._e, self.works, self.sites
        now = e.clock.now_s
        rows = np.union1d(np.flatnonzero(w.active), finished)
        e.log.add(
            SiteProgressed, t_s=now, project=s.project[rows], day=day, progress=w.progress[rows],
            planned=w.planned(day)[rows], cost_cny=w.cost_cny[rows],
        )  # fmt: skip
        for row in finished.tolist():
            late = day + 1 - int(s.finish_day[row])
            e.log.add(ProjectFinished, t_s=now, project=int(s.project[row]), day=day, late_days=late)
            self._stage_at(now, row, "finished")
            self._stage_at((day + ACCEPTED_DAYS) * DAY_S + 10 * 3600, row, "accepted")
        for h in self.hazards.hurts(day):
            e.log.add(SiteAccident, t_s=now, project=h.project, what=HAZARDS[h.kind], spot=h.spot)

    def _stage_at(self, t_s: int, row: int, stage: str) -> None:
        def tell() -> None:
            if stage == "approved":
                self.works.may_start[row] = True
            project = int(self.sites.project[row])
            self._tell(ProjectStageTold(self._e.clock.now_s, f"stage/{project}/{stage}", project, stage))

        self._at(t_s, Phase.PERCEIVE, tell)

    # -- who tells -----------------------------------------------------------------------------------------

    def _all_tell(self, end: int, day: int) -> None:
        rows = np.flatnonzero(self.works.active)
        if rows.size:
            self._report(self._telling.told(end, self.works.stand(day), self._e.clock.now_s, rows))

    def _report(self, m: ProgressTold) -> None:
        self._e.log.add(ProgressReported, t_s=m.t_s, project=m.project, day=m.day, end=ENDS[m.end], progress=m.progress)
        self._tell(m)

    def _measure(self, day: int) -> None:
        rows = np.flatnonzero(self.works.active)
        if rows.size:
            self._tell(self._telling.measured(self.works.stand(day), self._e.clock.now_s, rows))

    def _visit(self, row: int, day: int) -> None:
        """Let a supervisor be on a site: progress as of the evening before, and hazards."""
        now = self._e.clock.now_s
        self._report(self._telling.told(SUPERVISOR, self.works.stand(day - 1), now, np.array([row])))
        for s in self.hazards.by_people(int(self.sites.project[row]), SUPERVISOR, now):
            self._seen(s)

    def _own_look(self, day: int) -> None:
        for project in sorted({h.project for h in self.hazards.there.values()}):
            for s in self.hazards.by_people(project, BUILDER, day * DAY_S + OWN_LOOK_S):
                self._seen(s)

    # -- what the desk's commands do -----------------------------------------------------------------------

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry out a command of the desk; False if it is none of these."""
        log = self._e.log
        c = command
        if isinstance(c, EstimateProgress):
            log.add(
                ProgressEstimated, t_s=now_s, project=c.project, day=c.day, progress=c.progress, spi=c.spi, cpi=c.cpi,
                spi_t=c.spi_t, forecast_day=c.forecast_day,
            )  # fmt: skip
        elif isinstance(c, WarnProject):
            log.add(
                ProjectWarned, t_s=now_s, project=c.project, warning=c.warning, spi=c.spi, cpi=c.cpi, spi_t=c.spi_t,
                forecast_day=c.forecast_day, reason=c.reason,
            )  # fmt: skip
            if c.warning == "schedule" and c.project in self._row:
                self.works.warned(self._row[c.project], now_s // DAY_S)
        elif isinstance(c, ClearProjectWarning):
            log.add(ProjectWarningCleared, t_s=now_s, project=c.project, warning=c.warning)
        elif isinstance(c, JudgeEnds):
            log.add(
                EndsJudged, t_s=now_s, project=c.project, day=c.day, device_error=c.device_error,
                supervisor_error=c.supervisor_error, builder_error=c.builder_error, desk_error=c.desk_error,
            )  # fmt: skip
        elif isinstance(c, MoveProject):
            log.add(ProjectMoved, t_s=now_s, project=c.project, library=c.library)
        else:
            return self._hazard_command(c, now_s)
        return True


__all__ = ["DESK", "Env", "Supervision"]
