"""Facts of permits and of the safety supervision platform (F21, F26)."""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class PermitGranted(Fact):
    """A permit began to hold for units of ``fleet`` on ``roads`` roads (:class:`PermitRoad` tells which).

    ``permit_for``: its purpose; ``unit_names``: "robot-1, robot-2", or "" for every unit of the fleet; it holds from
    ``daily_from_s`` until ``daily_until_s`` of each day (the same: round the clock; over midnight where the first is
    later), up to ``valid_until_s``.
    """

    permit: str
    fleet: str
    roads: int
    speed_m_s: float
    permit_for: str
    unit_names: str
    daily_from_s: int
    daily_until_s: int
    valid_until_s: int


@dataclass(frozen=True)
class PermitRoad(Fact):
    """A permit that began to hold allows ``road``."""

    permit: str
    road: int


@dataclass(frozen=True)
class PermitEnded(Fact):
    """A permit ended, by its date or because it was withdrawn (``reason``)."""

    permit: str
    fleet: str
    reason: str


@dataclass(frozen=True)
class ViolationBegan(Fact):
    """In truth a unit began to break a rule: ``violation`` is one of :data:`twin.domain.mobility.VIOLATIONS`."""

    unit: int
    violation: str
    road: int
    cause: str


@dataclass(frozen=True)
class ViolationEnded(Fact):
    """In truth a unit kept the rule again."""

    unit: int
    violation: str
    duration_s: int


@dataclass(frozen=True)
class TelemetryGathered(Fact):
    """Perception: the platform got the telemetry of ``units`` units.

    Of those sent, ``lost`` never came, ``late`` came late, ``wrong`` had a wrong value.
    """

    units: int
    lost: int
    late: int
    wrong: int


@dataclass(frozen=True)
class ViolationFound(Fact):
    """Perception: the supervision platform found a violation, which by its data began at ``since_s``."""

    unit: int
    violation: str
    since_s: int
    case: str


@dataclass(frozen=True)
class UnitWarned(Fact):
    """The platform warned a unit and its desk."""

    unit: int
    violation: str
    case: str


@dataclass(frozen=True)
class UnitSlowed(Fact):
    """The platform limited the speed of a unit; -1 lifts the limit."""

    unit: int
    speed_m_s: float
    case: str


@dataclass(frozen=True)
class UnitStoppedByPlatform(Fact):
    """The platform ordered a unit to a safe stop."""

    unit: int
    violation: str
    case: str


@dataclass(frozen=True)
class CaseClosed(Fact):
    """The platform closed a case; ``outcome`` says how (kept the rule again, checked by a person …)."""

    unit: int
    case: str
    outcome: str
