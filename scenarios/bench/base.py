"""What a promise is, and a measured one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured promise. ``holds`` is None when it could not be measured; ``note`` says why or how."""

    name: str
    value: float | None
    unit: str
    reach: str
    goal: str
    holds: bool | None
    note: str = ""


@dataclass(frozen=True)
class Promise:
    """A name, what is measured, and its bounds: ``value <= reach``."""

    name: str
    what: str
    unit: str
    reach: float
    goal: float | None

    def row(self, value: float | None, note: str = "") -> Row:
        """Return the measured row."""
        goal = "" if self.goal is None else f"≤ {self.goal:g}"
        holds = None if value is None else value <= self.reach
        return Row(
            self.name, None if value is None else round(value, 3), self.unit, f"≤ {self.reach:g}", goal, holds, note
        )
