"""What sites, supervisors and builders tell the construction desk, and what it answers (F13-F18).

Projects are numbered as in their files. Days count from the first day of the run (0) and may be negative. Progress is
the share of a project's value that stands, 0..1. Money in CNY. A *case* is one hazard as the desk knows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: kinds of project (F14); numbers are part of every log, so only append
PROJECT_KINDS = ("building", "municipal", "garden", "water")
#: the three libraries of files (F13) 储备、在建、投后
LIBRARIES = ("reserve", "current", "post")
#: the three ends (F18) 视频设备、监管人员、施工方
ENDS = ("device", "supervisor", "builder")
#: grades of a hazard, blue to red (the four colours of 双重预防机制) 低、一般、较大、重大
GRADES = ("low", "general", "larger", "major")
#: what a project is warned of (F16): behind its schedule, behind its investment plan, dearer than planned
WARNINGS = ("schedule", "investment", "cost")
#: kinds of hazard on a site
HAZARDS = ("edge", "scaffold", "crane", "electric", "pit", "fire", "dust", "helmet")
#: how a case can be closed
CASE_ENDINGS = ("rectified", "not there")


# -- messages ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProjectFiles(Message):
    """One file per project 一项目一档 as equal-length columns; a project told again replaces its file.

    ``kind``/``library``: index into PROJECT_KINDS/LIBRARIES; ``start_day``/``finish_day``: as planned;
    ``curve_c``/``curve_k``: its planned S-curve (see :func:`twin.control.construction.earned_value.s_curve`).
    """

    project: Ints
    name: tuple[str, ...]
    kind: Ints
    library: Ints
    community: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    investment_cny: Floats
    start_day: Ints
    finish_day: Ints
    contractor: tuple[str, ...]
    curve_c: Floats
    curve_k: Floats


@dataclass(frozen=True)
class SupervisionRules(Message):
    """How the desk is to work, told once at the start.

    ``assess_at_s``: second of each day at which projects are assessed; ``hold_days``: assessments in a row that a
    warning needs; ``rectify_s``: time to rectify a hazard by grade (GRADES); ``recheck_s``: time for a supervisor to
    look; ``escalate_to``: who hears of an overdue case, step by step.
    """

    first_day: int
    assess_at_s: int
    hold_days: int
    rectify_s: Ints
    recheck_s: int
    escalate_to: tuple[str, ...]


@dataclass(frozen=True)
class ProgressTold(Message):
    """One of the three ENDS tells the progress of projects on a day; ``cost_cny`` spent so far (nan: not told)."""

    end: int
    day: int
    project: Ints
    progress: Floats
    cost_cny: Floats


@dataclass(frozen=True)
class QuantitiesMeasured(Message):
    """The monthly measurement of quantities 月度计量 by which builders are paid: who was right is known afterwards."""

    day: int
    project: Ints
    progress: Floats
    cost_cny: Floats


@dataclass(frozen=True)
class ProjectStageTold(Message):
    """A project enters a stage of its life: ``approved`` (may be built), ``finished`` or ``accepted`` (in use)."""

    project: int
    stage: str


@dataclass(frozen=True)
class HazardTold(Message):
    """One of the ENDS sees (``seen``) or, asked to look, does not see a hazard at a ``spot`` of a site.

    ``hazard``: index into HAZARDS; ``likelihood``, ``exposure``, ``consequence``: L, E, C of Graham and Kinney as the
    end judges them.
    """

    end: int
    project: int
    hazard: int
    spot: int
    seen: bool
    likelihood: float
    exposure: float
    consequence: float


@dataclass(frozen=True)
class RectificationTold(Message):
    """The builder says that the hazard of a case is rectified 已整改."""

    case: str


@dataclass(frozen=True)
class RecheckTold(Message):
    """A supervisor looked again 复查: passed or not."""

    case: str
    passed: bool


# -- commands ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EstimateProgress(Command):
    """What the desk holds to be true of all current projects on a day: equal-length columns.

    ``spi``, ``cpi``: schedule and cost performance index (ANSI/EIA-748); ``spi_t``: the same in time (earned
    schedule, Lipke 2003); ``forecast_day``: forecast finish; nan/-1 where nothing can be said yet.
    """

    day: int
    project: Ints
    progress: Floats
    spi: Floats
    cpi: Floats
    spi_t: Floats
    forecast_day: Ints


@dataclass(frozen=True)
class WarnProject(Command):
    """Warn of a project: ``warning`` is one of WARNINGS; ``reason`` is a sentence; an index of -1 is unknown."""

    project: int
    warning: str
    spi: float
    cpi: float
    spi_t: float
    forecast_day: int
    reason: str


@dataclass(frozen=True)
class ClearProjectWarning(Command):
    """A warning of a project no longer holds."""

    project: int
    warning: str


@dataclass(frozen=True)
class JudgeEnds(Command):
    """After a measurement: by how much each end, and the desk itself, was off (told - measured; nan: did not tell)."""

    day: int
    project: Ints
    device_error: Floats
    supervisor_error: Floats
    builder_error: Floats
    desk_error: Floats


@dataclass(frozen=True)
class OrderSiteCheck(Command):
    """Send a supervisor to look whether a hazard that only a device saw is there (F10: people and technology)."""

    case: str
    project: int
    hazard: int
    spot: int
    due_s: int


@dataclass(frozen=True)
class OrderRectification(Command):
    """Order the builder to rectify a hazard by ``due_s``; a major one stops the work there."""

    case: str
    project: int
    hazard: int
    spot: int
    grade: str
    stop_work: bool
    due_s: int


@dataclass(frozen=True)
class OrderRecheck(Command):
    """Send a supervisor to look whether a hazard is rectified."""

    case: str
    project: int
    due_s: int


@dataclass(frozen=True)
class EscalateHazard(Command):
    """A case is overdue: tell ``to``; ``level`` counts from 1."""

    case: str
    project: int
    level: int
    to: str


@dataclass(frozen=True)
class CloseHazard(Command):
    """Close a case 销号: ``outcome`` is one of CASE_ENDINGS."""

    case: str
    project: int
    outcome: str


@dataclass(frozen=True)
class MoveProject(Command):
    """Move a file into another of the LIBRARIES."""

    project: int
    library: str
