"""Policies that are shipped: who takes which task."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from twin.control.services.ports import Assignment, Officer, Task, View


def _specialists_first(view: View) -> list[Officer]:
    """Officers in the order in which they are given work: few skills first, so that versatile ones stay free."""
    return sorted(view.idle, key=lambda o: (o.skills, o.tasks, o.officer))


class EarliestDue:
    """Cases whose limit has passed or is near, then those due first, then those that wait longest."""

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return who takes what."""
        if len(view.idle) == 1 and len(view.waiting) == 1:
            return (Assignment(view.idle[0].officer, view.waiting[0]),)
        first = heapq.nsmallest(len(view.idle), view.waiting, key=_urgency)
        return [Assignment(o.officer, t) for o, t in zip(_specialists_first(view), first, strict=False)]


def _urgency(task: Task) -> tuple[int, int, int, int, int]:
    return (-task.reminded, task.due_s, task.since_s, task.case, task.step)


class FirstCome:
    """First come, first served."""

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return who takes what."""
        return [Assignment(o.officer, t) for o, t in zip(_specialists_first(view), view.waiting, strict=False)]


class ShortestFirst:
    """Short tasks first, which shortens the mean wait and lengthens that of long ones."""

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return who takes what."""
        first = heapq.nsmallest(len(view.idle), view.waiting, key=lambda t: (t.work_min, t.since_s, t.case, t.step))
        return [Assignment(o.officer, t) for o, t in zip(_specialists_first(view), first, strict=False)]
