"""What a property is, and what checking one on the facts of a run gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from scenarios.readings import Memory

SHOWN = 5


@dataclass(frozen=True)
class Violation:
    """Where a property is broken: the second (since midnight of the first day), what happened, and to whom."""

    t_s: int
    what: str
    things: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a property said about one run.

    ``holds`` None: there was nothing to judge (no fact of that kind), which is no proof. ``robustness``: how far from
    being broken, in ``unit`` (negative: broken by so much); None for properties that only hold or do not. ``checked``:
    how many cases were judged; ``undecided``: how many the end of the run cut off. ``violations``: earliest first.
    """

    name: str
    holds: bool | None
    checked: int = 0
    undecided: int = 0
    robustness: float | None = None
    unit: str = ""
    violations: tuple[Violation, ...] = field(default=())

    @property
    def first(self) -> Violation | None:
        """The earliest violation."""
        return self.violations[0] if self.violations else None


class Property(Protocol):
    """Something that must hold of every run; ``check`` reads facts and nothing else."""

    @property
    def name(self) -> str:
        """What it is called: a short sentence."""

    def check(self, facts: Memory) -> Outcome:
        """Judge one run."""


def outcome(name: str, violations: Sequence[Violation], checked: int, undecided: int = 0) -> Outcome:
    """Return the outcome of a property that only holds or does not."""
    found = tuple(sorted(violations, key=lambda v: (v.t_s, v.what)))
    return Outcome(name, None if checked == 0 and not found else not found, checked, undecided, violations=found)
