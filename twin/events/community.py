"""Facts of residents' reports, neighbour points and communities, and of early signs (F30-F33, F43).

``account``: number of a resident with an account; ``report``: Open311 service_request_id; ``hazard``: number of the
true one, -1: there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class ResidentsRegistered(Fact):
    """So many residents have an account (F32), once at the start."""

    accounts: int


@dataclass(frozen=True)
class LifeCircleMeasured(Fact):
    """Share of residents within 15 minutes on foot of a ``kind`` of place (F30); "all": of every kind."""

    kind: str
    share_near: float


@dataclass(frozen=True)
class SceneInstalled(Fact):
    """A community has a scene of ``devices``; ``grade``: basic, growing, benchmark; ``cause``: its grade or copy."""

    community: str
    scene: str
    grade: str
    devices: int
    cause: str


@dataclass(frozen=True)
class PlatformUsed(Fact):
    """A resident did something on the platform: ``app`` is its number in the table of apps (F30)."""

    account: int
    app: int


@dataclass(frozen=True)
class HazardNoticed(Fact):
    """Truth: a registered resident noticed a hazard; ``reports``: he will tell it by the app."""

    hazard: int
    theme: str
    account: int
    reports: bool


@dataclass(frozen=True)
class ReportMade(Fact):
    """Truth: a report came in; ``source``: snap, hotline, device; ``theme``: as told; ``error_m``: off the spot."""

    report: str
    account: int
    source: str
    theme: str
    hazard: int
    x_m: float
    y_m: float
    error_m: float
    since_s: int


@dataclass(frozen=True)
class ReportReviewed(Fact):
    """Perception: a clerk looked at a report after ``waited_s``."""

    report: str
    answer: str
    waited_s: int


@dataclass(frozen=True)
class ReportAnswered(Fact):
    """Perception: a report was answered; ``original``: the one that it repeats."""

    report: str
    account: int
    state: str
    answer: str
    original: str


@dataclass(frozen=True)
class ReportForwarded(Fact):
    """Perception: a report was passed on to the incident desk as sign ``ref``."""

    report: str
    ref: str
    source: str
    theme: str
    hazard: int


@dataclass(frozen=True)
class PointsBooked(Fact):
    """An entry of the ledger of neighbour points, for ``ref`` by ``point_rule``; negative: spent.

    ``community``: where the resident lives, "": in none.
    """

    account: int
    community: str
    ref: str
    point_rule: str
    points: int
    balance: int


@dataclass(frozen=True)
class ReporterLooked(Fact):
    """Truth: the reporter looked again after it was said to be fixed."""

    report: str
    account: int
    hazard: int
    solved: bool


@dataclass(frozen=True)
class ComplaintDue(Fact):
    """Truth: somebody will complain of this hazard at ``due_s``, if it is still there then; the first to do so."""

    hazard: int
    theme: str
    due_s: int


@dataclass(frozen=True)
class ComplaintMade(Fact):
    """Truth: a resident has had enough of a hazard and calls the hotline (F43)."""

    hazard: int
    theme: str
    resident: int
    report: str


@dataclass(frozen=True)
class EarlyOrderOpened(Fact):
    """Perception: a work order before a complaint; ``hazard``: what truly was there; ``signals``: of so many.

    ``why``: of EARLY_WHYS (signals, reading, neighbour); ``redundant``: all that was there was known already.
    """

    order_ref: str
    theme: str
    x_m: float
    y_m: float
    signals: int
    chance: float
    why: str
    hazard: int
    redundant: bool


@dataclass(frozen=True)
class EarlyOrderEnded(Fact):
    """Perception: what the incident desk says became of an early order."""

    order_ref: str
    outcome: str
