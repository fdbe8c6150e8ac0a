"""What a promise is, and a measured one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from twin.errors import ScenarioError

TURN_S = 0.3


def in_a_process(module: str, *args: str) -> str:
    """Run a module of the bench in a process of its own; return the last line it printed.

    Raises ScenarioError with its last words when it fails.
    """
    process = _begun(module, *args)
    try:
        return _last_line(module, process)
    finally:
        _end(process)


def in_turns(module: str, *jobs: Sequence[str]) -> list[tuple[float, str]]:
    """Run a module once for each of ``jobs`` (its arguments), in processes that take turns of ``TURN_S``.

    So all of them meet the same machine, however it drifts. Returns for each the seconds of its own turns and the last
    line it printed; ScenarioError as above. Only where processes can be stopped and let go on (POSIX).
    """
    processes: list[subprocess.Popen[str]] = []
    seconds = [0.0] * len(jobs)
    try:
        for k, job in enumerate(jobs):
            began = time.perf_counter()
            processes.append(_begun(module, *job))
            os.killpg(processes[k].pid, signal.SIGSTOP)
            seconds[k] += time.perf_counter() - began
        while running := [k for k, p in enumerate(processes) if p.returncode is None]:
            for k in running:
                began = time.perf_counter()
                os.killpg(processes[k].pid, signal.SIGCONT)
                try:
                    processes[k].wait(TURN_S)
                except subprocess.TimeoutExpired:
                    os.killpg(processes[k].pid, signal.SIGSTOP)
                seconds[k] += time.perf_counter() - began
        return [(s, _last_line(module, p)) for s, p in zip(seconds, processes, strict=True)]
    finally:
        for p in processes:
            _end(p)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _begun(module: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


def _last_line(module: str, process: subprocess.Popen[str]) -> str:
    out, said = process.communicate()
    if process.returncode:
        raise ScenarioError(f"bench: {module} failed: {said.strip()[-500:]}")
    return out.splitlines()[-1]


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
