"""The construction desk: files, warnings of projects that lag, and the loop of hazards (F13-F18).

Once a day it assesses all current projects: progress from the three ends (:mod:`.fusion`), earned value, the outlook
of its policy. A warning is raised when the policy finds a project late on ``hold_days`` days in a row, and cleared
when it finds it in time on as many; the first assessment, at the start, warns at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twin.control.construction.earned_value import inverse_s_curve, ratio, s_curve
from twin.control.construction.fusion import Fusion
from twin.control.construction.hazards import Hazards
from twin.control.construction.policies import EarnedSchedule
from twin.control.construction.ports import EarnedValueView, LagPolicy, Outlook
from twin.control.construction.projects import CURRENT, POST, Book
from twin.domain.commands import Command, WakeAt
from twin.domain.construction import (
    LIBRARIES,
    WARNINGS,
    ClearProjectWarning,
    EstimateProgress,
    HazardTold,
    JudgeEnds,
    MoveProject,
    ProgressTold,
    ProjectFiles,
    ProjectStageTold,
    QuantitiesMeasured,
    RecheckTold,
    RectificationTold,
    SupervisionRules,
    WarnProject,
)
from twin.domain.messages import Floats, Ints, Message

DAY_S = 86_400
_STAGES = {"approved": CURRENT, "accepted": POST}
_INVESTED = 0.85  # investment warning 投资完成预警: spent less than this share of the plan (assumed)
_UNKNOWN = 0.25  # variance of an estimate that rests on nothing
_DEARER = 1.08  # cost warning: EAC over this share of BAC (assumed)


class ConstructionDesk:
    """A fold over messages; see :mod:`twin.domain.construction`. ``policy``: who is late (a LagPolicy)."""

    def __init__(self, policy: LagPolicy | None = None) -> None:
        self._policy = policy if policy is not None else EarnedSchedule()
        self._book = Book()
        self._fusion = Fusion()
        self._hazards = Hazards(self._book)
        self._cost: Floats = np.zeros(0)
        self._first = True  # who is late at the first look is warned of at once
        self._day = 0  # the estimate is of the evening of this day
        self._next_s: int | None = None
        self._run: Ints = np.zeros((len(WARNINGS), 0), dtype=np.int64)
        self._on: npt.NDArray[np.bool_] = np.zeros((len(WARNINGS), 0), dtype=bool)
        self._warned: Ints = np.zeros((len(WARNINGS), 0), dtype=np.int64)
        self._heard: dict[str, int] = {}  # keys of messages, so that what is told twice counts once
        self._asked_s: set[int] = set()

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        """Take messages in, in their order; assess when it is time; escalate what is overdue."""
        out: list[Command] = []
        for m in messages:
            if m.key not in self._heard:
                self._heard[m.key] = now_s
                out += self._hear(m, now_s)
        if self._next_s is not None and now_s >= self._next_s:
            at_s = self._book.assess_at_s
            day = (now_s - at_s) // DAY_S  # the last day whose evening is past
            out += self._assess(day)
            self._next_s = (day + 1) * DAY_S + at_s
            self._forget(now_s)
        out += self._hazards.overdue(now_s)
        return [*out, *self._wakes(now_s)]

    def _forget(self, now_s: int) -> None:
        """Keep the keys of the last two days: nothing comes twice after that."""
        self._heard = {key: t for key, t in self._heard.items() if t > now_s - 2 * DAY_S}
        self._asked_s = {t for t in self._asked_s if t > now_s}

    def _wakes(self, now_s: int) -> list[Command]:
        times = {t for t in (self._next_s, self._hazards.next_due_s()) if t is not None and t > now_s}
        new = sorted(times - self._asked_s)
        self._asked_s |= times
        return [WakeAt(f"wake/{t}", t) for t in new]

    def _hear(self, m: Message, now_s: int) -> list[Command]:
        if isinstance(m, ProjectFiles):
            self._book.file(m)
            self._grow()
        elif isinstance(m, SupervisionRules):
            self._book.rule(m)
            self._day = m.first_day
            self._next_s = now_s
        elif isinstance(m, ProgressTold):
            self._progress(m)
        elif isinstance(m, QuantitiesMeasured):
            return self._measured(m)
        elif isinstance(m, HazardTold):
            return self._hazards.hear(m, now_s)
        elif isinstance(m, RectificationTold):
            return self._hazards.rectified(m, now_s)
        elif isinstance(m, RecheckTold):
            return self._hazards.rechecked(m, now_s)
        elif isinstance(m, ProjectStageTold):
            return self._stage(m)
        return []

    def _grow(self) -> None:
        n = len(self._book)
        self._fusion.grow(n)
        more = n - self._cost.size
        self._cost = np.concatenate([self._cost, np.full(more, np.nan)])
        pad = ((0, 0), (0, more))
        self._run, self._on, self._warned = np.pad(self._run, pad), np.pad(self._on, pad), np.pad(self._warned, pad)

    # -- life cycle ----------------------------------------------------------------------------------------

    def _stage(self, m: ProjectStageTold) -> list[Command]:
        if not self._book.known(m.project):
            return []
        row = self._book.row(m.project)
        to = _STAGES.get(m.stage)
        out: list[Command] = []
        if m.stage in ("finished", "accepted"):
            out += [self._clear(k, row) for k in range(len(WARNINGS)) if self._on[k, row]]
            self._fusion.progress[row] = 1.0
        if to is not None and self._book.ints["library"][row] < to:  # files only go forward
            self._book.ints["library"][row] = to
            out.append(MoveProject(f"move/{m.project}/{LIBRARIES[to]}", m.project, LIBRARIES[to]))
        return out

    # -- progress ------------------------------------------------------------------------------------------

    def _plan(self, rows: Ints, day: int) -> tuple[Floats, Floats, Floats]:
        """Return (planned progress by the evening of a day, days elapsed, planned days) of rows."""
        b = self._book
        start = b.ints["start_day"][rows].astype(np.float64)
        days = b.ints["finish_day"][rows] - start
        elapsed = day + 1.0 - start
        return s_curve(elapsed / days, b.floats["curve_c"][rows], b.floats["curve_k"][rows]), elapsed, days

    def _catch_up(self, day: int) -> None:
        """Let the estimates follow the plan, at each project's own pace, to the evening of ``day``."""
        if day <= self._day:
            return
        rows = np.flatnonzero(self._book.ints["library"] == CURRENT)
        if rows.size:
            b, passed = self._book, float(day - self._day)
            c, k = b.floats["curve_c"][rows], b.floats["curve_k"][rows]
            _, elapsed, days = self._plan(rows, self._day)
            earned = inverse_s_curve(self._fusion.progress[rows], c, k) * days
            pace = np.clip((earned + 30.0) / np.maximum(elapsed + 30.0, 1.0), 0.2, 1.5)
            begun = (elapsed > 0) & (self._fusion.progress[rows] < 1.0)
            step = s_curve((earned + np.where(begun, pace * passed, 0.0)) / days, c, k) - s_curve(earned / days, c, k)
            self._fusion.predict(rows, step, np.maximum(step / passed, 0.2 / days), passed)
        self._day = day

    def _progress(self, m: ProgressTold) -> None:
        self._catch_up(m.day)
        at, rows = self._book.rows(m.project)
        self._fusion.hear(m.end, m.day, rows, m.progress[at])
        told = np.isfinite(m.cost_cny[at])
        self._cost[rows[told]] = m.cost_cny[at][told]

    def _measured(self, m: QuantitiesMeasured) -> list[Command]:
        self._catch_up(m.day)
        at, rows = self._book.rows(m.project)
        before, _, _ = self._plan(rows, m.day - 1)
        today, _, _ = self._plan(rows, m.day)
        (device, supervisor, builder), own = self._fusion.measure(m.day, rows, m.progress[at], today - before)
        self._cost[rows] = m.cost_cny[at]
        known = m.project[at]
        return [JudgeEnds(f"judge/{m.day}", m.day, known, device, supervisor, builder, own)] if rows.size else []

    # -- warnings ------------------------------------------------------------------------------------------

    def view(self, day: int) -> tuple[Ints, EarnedValueView]:
        """Return the rows of all current projects that have begun by plan, and what the policy sees of them."""
        b, f = self._book, self._fusion
        known = f.variance < _UNKNOWN  # somebody has told something
        begun = (b.ints["library"] == CURRENT) & (b.ints["start_day"] <= day)
        rows = np.flatnonzero(begun & known & (f.progress < 1.0))
        planned, elapsed, days = self._plan(rows, day)
        budget = b.floats["investment_cny"][rows]
        share = inverse_s_curve(f.progress[rows], b.floats["curve_c"][rows], b.floats["curve_k"][rows])
        return rows, EarnedValueView(
            day=day,
            project=b.project[rows],
            kind=b.ints["kind"][rows],
            elapsed_days=elapsed,
            planned_days=days,
            budget_cny=budget,
            planned_cny=planned * budget,
            earned_cny=f.progress[rows] * budget,
            actual_cny=self._cost[rows],
            earned_days=share * days,
            spread=np.sqrt(f.variance[rows]),
            warned=self._on[0, rows].copy(),
        )

    def _assess(self, day: int) -> list[Command]:
        self._catch_up(day)
        rows, v = self.view(day)
        if rows.size == 0:
            return []
        outlook = self._policy.look(v)
        spi, cpi = ratio(v.earned_cny, v.planned_cny), ratio(v.earned_cny, v.actual_cny)
        spi_t = ratio(v.earned_days, v.elapsed_days)
        begun = v.elapsed_days > 0.1 * v.planned_days
        short = begun & (v.actual_cny < _INVESTED * v.planned_cny)
        dear = begun & (v.budget_cny / np.where(cpi > 0, cpi, np.nan) > _DEARER * v.budget_cny)
        hold, self._first = (1, False) if self._first else (self._book.hold_days, False)
        out: list[Command] = [
            EstimateProgress(
                f"estimate/{day}", day, v.project, v.earned_cny / v.budget_cny, spi, cpi, spi_t, outlook.forecast_day
            )
        ]
        for k, late in enumerate((outlook.late, short, dear)):
            self._run[k, rows] = np.where(late != self._on[k, rows], self._run[k, rows] + 1, 0)
            for i in np.flatnonzero(self._run[k, rows] >= hold).tolist():
                row = int(rows[i])
                self._run[k, row] = 0
                if self._on[k, row]:
                    out.append(self._clear(k, row))
                else:
                    out.append(self._warn(k, row, i, v, outlook, (spi, cpi, spi_t)))
        return out

    def _warn(
        self, k: int, row: int, i: int, v: EarnedValueView, outlook: Outlook, indices: tuple[Floats, Floats, Floats]
    ) -> Command:
        self._on[k, row] = True
        self._warned[k, row] += 1
        spi, cpi, spi_t = (float(column[i]) if np.isfinite(column[i]) else -1.0 for column in indices)
        forecast, project = int(outlook.forecast_day[i]), int(v.project[i])
        name = self._book.name[row]
        if k == 0:
            due = int(self._book.ints["finish_day"][row])
            when = f"would be finished {forecast - due} days after its day" if forecast >= 0 else "is behind its plan"
            reason = f"{name} {when}: {100 * v.earned_cny[i] / v.budget_cny[i]:.0f} % stand, SPI(t) {spi_t:.2f}"
        elif k == 1:
            reason = (
                f"{name}: {v.actual_cny[i] / 1e6:.1f} of {v.planned_cny[i] / 1e6:.1f} million CNY planned are spent"
            )
        else:
            reason = f"{name} would cost {1 / cpi:.2f} times its budget: CPI {cpi:.2f}"
        key = f"warn/{project}/{WARNINGS[k]}/{self._warned[k, row]}"
        return WarnProject(key, project, WARNINGS[k], spi, cpi, spi_t, forecast, reason)

    def _clear(self, k: int, row: int) -> Command:
        self._on[k, row] = False
        project = int(self._book.project[row])
        return ClearProjectWarning(f"clear/{project}/{WARNINGS[k]}/{self._warned[k, row]}", project, WARNINGS[k])
