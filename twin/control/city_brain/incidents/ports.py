"""What a dispatch policy is: one method, from a frozen view to assignments.

A policy of your own, in six lines – whoever waits longest gets the nearest::

    class LongestWait:
        def assign(self, view):
            out, free = [], set(range(view.unit.size))
            for row in np.argsort(-view.waiting_s, kind="stable"):
                near = [k for k in np.argsort(view.travel_s[row], kind="stable") if k in free]
                if near and np.isfinite(view.travel_s[row, near[0]]):
                    free.remove(near[0])
                    out.append(Assignment(int(row), int(view.unit[near[0]])))
            return out

Run it with ``city_brain: {responders: {policy: "my.module:LongestWait"}}``. Who suits at all, refusals, clocks,
recalls and verification are the desk's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DispatchView:
    """What a policy may know, at second ``now_s``.

    Tasks that wait for somebody, one row each, the most severe and oldest first: ``incident``, ``purpose`` (handle,
    verify), ``severity`` (0 Minor … 3 Extreme), ``waiting_s``. Free responders: ``unit`` (number, ascending).
    ``travel_s``: shape (task, unit), seconds until there by present network times, turnout included; inf: it does not
    suit (skill, area, was there before, no way).
    """

    now_s: int
    incident: tuple[str, ...]
    purpose: tuple[str, ...]
    severity: Ints
    waiting_s: Ints
    unit: Ints
    travel_s: Floats


@dataclass(frozen=True)
class Assignment:
    """Send ``unit`` to task ``row`` of the view."""

    row: int
    unit: int


class DispatchPolicy(Protocol):
    """Decides who goes where."""

    def assign(self, view: DispatchView) -> Sequence[Assignment]:
        """Return at most one unit per task and one task per unit, none with travel_s inf; the others wait on."""
