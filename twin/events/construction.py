"""Facts of construction projects, sites and their supervision (F13-F18).

``project``: number of its file; ``day``: of the run, 0 is the first; ``progress``: share of the value that stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class ProjectFiled(Fact):
    """The file of a project at the beginning: kind, library, where, what, planned days."""

    project: int
    name: str
    kind: str
    library: str
    community: str
    x_m: float
    y_m: float
    investment_cny: float
    start_day: int
    finish_day: int
    contractor: str
    curve_c: float
    curve_k: float


@dataclass(frozen=True)
class ProjectMoved(Fact):
    """A file moved into another library."""

    project: int
    library: str


@dataclass(frozen=True)
class SiteProgressed(Fact):
    """Truth at the end of a day: what stands (``progress``), what should stand by plan, what was spent."""

    project: int
    day: int
    progress: float
    planned: float
    cost_cny: float


@dataclass(frozen=True)
class ProjectFinished(Fact):
    """In truth a project was finished, ``late_days`` after the planned day (negative: before)."""

    project: int
    day: int
    late_days: int


@dataclass(frozen=True)
class SiteWorkStopped(Fact):
    """Work on a site stopped, because of ``cause``."""

    project: int
    cause: str


@dataclass(frozen=True)
class SiteWorkResumed(Fact):
    """Work on a site went on."""

    project: int
    cause: str


@dataclass(frozen=True)
class ProgressReported(Fact):
    """Perception: one of the three ends told the progress of a project."""

    project: int
    day: int
    end: str
    progress: float


@dataclass(frozen=True)
class ProgressEstimated(Fact):
    """Perception: what the desk held to be true of a project after a day."""

    project: int
    day: int
    progress: float
    spi: float
    cpi: float
    spi_t: float
    forecast_day: int


@dataclass(frozen=True)
class ProjectWarned(Fact):
    """Perception: the desk warned of a project."""

    project: int
    warning: str
    spi: float
    cpi: float
    spi_t: float
    forecast_day: int
    reason: str


@dataclass(frozen=True)
class ProjectWarningCleared(Fact):
    """Perception: a warning no longer held."""

    project: int
    warning: str


@dataclass(frozen=True)
class EndsJudged(Fact):
    """Perception: by how much each end, and the desk, was off when quantities were measured (nan: did not tell)."""

    project: int
    day: int
    device_error: float
    supervisor_error: float
    builder_error: float
    desk_error: float


@dataclass(frozen=True)
class SiteHazardAppeared(Fact):
    """In truth a hazard ``what`` of a ``grade`` appeared at a ``spot`` of a site."""

    project: int
    what: str
    spot: int
    grade: str


@dataclass(frozen=True)
class SiteHazardGone(Fact):
    """In truth a hazard was gone: by order of the desk or ``cause`` "by itself" (work there was over)."""

    project: int
    what: str
    spot: int
    cause: str
    duration_s: int


@dataclass(frozen=True)
class SiteHazardSeen(Fact):
    """Perception: one of the ends saw a hazard; ``real`` says whether it was there in truth."""

    project: int
    what: str
    spot: int
    end: str
    real: bool


@dataclass(frozen=True)
class SiteAccident(Fact):
    """In truth a hazard that was there hurt somebody."""

    project: int
    what: str
    spot: int


@dataclass(frozen=True)
class SiteCheckOrdered(Fact):
    """The desk sent a supervisor to look: for the first time, or again."""

    case: str
    project: int
    due_s: int


@dataclass(frozen=True)
class RectificationOrdered(Fact):
    """The desk ordered a hazard to be rectified."""

    case: str
    project: int
    grade: str
    due_s: int


@dataclass(frozen=True)
class HazardRectified(Fact):
    """In truth a builder did something about a case; ``proper``: the hazard is gone."""

    case: str
    project: int
    proper: bool


@dataclass(frozen=True)
class HazardRechecked(Fact):
    """Perception: a supervisor looked again."""

    case: str
    project: int
    accepted: bool


@dataclass(frozen=True)
class HazardEscalated(Fact):
    """The desk told somebody higher of an overdue case."""

    case: str
    project: int
    step: int
    to: str


@dataclass(frozen=True)
class HazardClosed(Fact):
    """The desk closed a case; ``real``: in truth the hazard was no longer there (or never was)."""

    case: str
    project: int
    outcome: str
    real: bool


@dataclass(frozen=True)
class SupplyPlanned(Fact):
    """The lorries that a site needs on a day."""

    project: int
    day: int
    count: int


@dataclass(frozen=True)
class SupplyArrived(Fact):
    """A lorry brought material to a site."""

    project: int
    vehicle: int
    tonnes: float


@dataclass(frozen=True)
class SiteAirMeasured(Fact):
    """Truth at the fence of a site, every two hours: dust (PM10) and noise."""

    project: int
    dust_ug_m3: float
    noise_db: float


@dataclass(frozen=True)
class SitesAtEnd(Fact):
    """What was open at the end of the run: hazards in truth, cases of the desk, lorries under way."""

    hazards: int
    cases: int
    lorries: int
