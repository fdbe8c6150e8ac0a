"""What the safety supervision platform says (F21); it hears the telemetry and permits of ``mobility``."""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command


@dataclass(frozen=True)
class ReportViolation(Command):
    """Enter a violation into the register: one of VIOLATIONS, since when by the data; ``case`` is its file."""

    unit: int
    violation: str
    since_s: int
    case: str


@dataclass(frozen=True)
class WarnUnit(Command):
    """Warn a unit and its desk."""

    unit: int
    violation: str
    case: str


@dataclass(frozen=True)
class SlowUnit(Command):
    """Limit the speed of a unit; -1 lifts the limit."""

    unit: int
    speed_m_s: float
    case: str


@dataclass(frozen=True)
class StopUnit(Command):
    """Order a unit to a safe stop; its desk may let it go on only after :class:`ReleaseUnit`."""

    unit: int
    violation: str
    case: str


@dataclass(frozen=True)
class ReleaseUnit(Command):
    """Let a stopped unit go on."""

    unit: int
    case: str


@dataclass(frozen=True)
class CloseCase(Command):
    """Close a case."""

    unit: int
    case: str
    outcome: str
