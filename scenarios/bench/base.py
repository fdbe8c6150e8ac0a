"""What a promise is, and a measured one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

from twin.errors import ScenarioError


def in_a_process(module: str, *args: str) -> str:
    """Run a module of the bench in a process of its own; return the last line it printed.

    Raises ScenarioError with its last words when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise ScenarioError(f"bench: {module} failed: {done.stderr.strip()[-500:]}")
    return done.stdout.splitlines()[-1]


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
