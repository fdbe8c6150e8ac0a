"""What people swap in the service desk: a policy that says which officer takes which waiting task.

A policy is one method over a frozen view of one group (a row of windows, or a back office). Ten lines are a policy::

    from twin.control.services.ports import Assignment

    class ShortestFirst:
        def assign(self, view):
            tasks = sorted(view.waiting, key=lambda t: (t.work_min, t.case, t.step))
            return [Assignment(officer.officer, task) for officer, task in zip(view.idle, tasks)]

In a scenario: ``services: {policy: "mypkg.mymodule:ShortestFirst"}``. A task that nobody is given waits on; a task or
an officer that is not in the view, or one named twice, is an error (ValueError: who, what, when, what is allowed).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Task(NamedTuple):
    """A step of a case that waits for an officer.

    ``kind``: index of STEP_KINDS; ``since_s``: waiting since; ``due_s``: when the case is due (far away before it is
    accepted); ``reminded``: 0 no, 1 the limit is near, 2 it has passed; ``work_min``: expected minutes.
    """

    case: int
    step: int
    kind: int
    dept: int
    item: int
    since_s: int
    due_s: int
    reminded: int
    work_min: float


class Officer(NamedTuple):
    """An officer who is there and free. ``tasks``: done so far; ``closes_s``: when the shift (or lunch) ends it."""

    officer: int
    skills: int
    tasks: int
    closes_s: int


class View(NamedTuple):
    """What a policy may know of a group: tasks by the second since which they wait, officers by number."""

    now_s: int
    group: int
    waiting: tuple[Task, ...]
    idle: tuple[Officer, ...]


class Assignment(NamedTuple):
    """An officer takes a task."""

    officer: int
    task: Task


class Policy(Protocol):
    """Decides who takes what; called when a group has both waiting tasks and free officers."""

    def assign(self, view: View) -> Sequence[Assignment]:
        """Return who takes what."""
