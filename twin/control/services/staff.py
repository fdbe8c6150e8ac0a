"""Officers and what waits for them: who is there and free, by skill and calendar; queues by group.

An officer has one task at a time and is given one only while there, within the hours of the calendar, and while the
system of the task's department is up.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

from twin.control.services.calendars import Calendar
from twin.control.services.groups import dept_of
from twin.control.services.ports import Assignment, Officer, Policy, Task, View
from twin.domain.services import StaffTold


@dataclass(slots=True)
class _Person:
    officer: int
    calendar: int
    groups: tuple[int, ...] = ()
    present: bool = True
    task: Task | None = None
    tasks: int = 0


@dataclass
class Staff:
    """All officers, their groups and queues. ``dirty``: groups whose officers or tasks changed."""

    policy: Policy
    calendars: dict[int, Calendar] = field(default_factory=dict)
    people: dict[int, _Person] = field(default_factory=dict)
    members: dict[int, list[_Person]] = field(default_factory=dict)
    queues: dict[int, list[tuple[int, int, int, Task]]] = field(default_factory=dict)
    dirty: dict[int, None] = field(default_factory=dict)
    _down: set[int] = field(default_factory=set)
    _closes: dict[int, int] = field(default_factory=dict)
    _closes_at: int = -1

    def learn(self, told: StaffTold) -> None:
        """Take in officers and their skills; those told before keep their task."""
        skills: dict[int, list[int]] = {o: [] for o in told.officer}
        for officer, group in zip(told.skill_officer, told.skill_group, strict=True):
            skills[officer].append(group)
        for officer, calendar in zip(told.officer, told.calendar, strict=True):
            person = self.people.setdefault(officer, _Person(officer, calendar))
            person.calendar, person.groups = calendar, tuple(sorted(skills[officer]))
        self.members = {}
        for officer in sorted(self.people):
            for group in self.people[officer].groups:
                self.members.setdefault(group, []).append(self.people[officer])
        self.dirty.update(dict.fromkeys(self.queues))

    def present(self, officer: int, present: bool) -> None:
        """Take in that an officer is away, or back."""
        person = self.people.get(officer)
        if person is not None:
            person.present = present
            self.dirty.update(dict.fromkeys(person.groups))

    def system(self, dept: int, up: bool) -> None:
        """Take in that a department's system (-1: everybody's) is down or up again."""
        (self._down.discard if up else self._down.add)(dept)
        self.dirty.update(dict.fromkeys(self.queues))

    # -- queues ----------------------------------------------------------------------------------------------

    def put(self, group: int, task: Task) -> None:
        """Let a task wait; queues lie in the order of waiting since."""
        insort(self.queues.setdefault(group, []), (task.since_s, task.case, task.step, task))
        self.dirty[group] = None

    def drop(self, case: int) -> None:
        """Take all waiting tasks of a case out of the queues."""
        for group, queue in self.queues.items():
            if any(row[1] == case for row in queue):
                self.queues[group] = [row for row in queue if row[1] != case]

    def urge(self, case: int, reminded: int) -> None:
        """Note on the waiting tasks of a case that it was reminded of."""
        for queue in self.queues.values():
            for i, (since, number, step, task) in enumerate(queue):
                if number == case:
                    queue[i] = (since, number, step, task._replace(reminded=reminded))

    def free(self, officer: int, case: int, step: int) -> bool:
        """Take in that an officer put a task down; return whether that officer had it."""
        person = self.people.get(officer)
        if person is None or person.task is None or (person.task.case, person.task.step) != (case, step):
            return False
        person.task = None
        self.dirty.update(dict.fromkeys(person.groups))
        return True

    def at_work(self) -> list[tuple[int, int, int]]:
        """Return (officer, case, step) of all who are at a task."""
        return [(p.officer, p.task.case, p.task.step) for p in self.people.values() if p.task is not None]

    # -- assigning -------------------------------------------------------------------------------------------

    def assign(self, now_s: int) -> tuple[list[Assignment], dict[int, list[int]]]:
        """Let the policy give out tasks of the dirty groups.

        Returns assignments, and which groups to look at again when (their officers come then).
        """
        out: list[Assignment] = []
        later: dict[int, list[int]] = {}
        groups, self.dirty = sorted(self.dirty), {}
        for group in groups:
            queue = self.queues.get(group)
            if not queue:
                continue
            if self._down and (-1 in self._down or dept_of(group) in self._down):
                continue  # dirty again when the system is up
            idle = self._idle(group, now_s)
            if idle:
                out += self._ask(group, queue, idle, now_s)
            if self.queues[group]:
                opens = self._opens(group, now_s)
                if opens is not None:
                    later.setdefault(opens, []).append(group)
        return out, later

    def _idle(self, group: int, now_s: int) -> tuple[Officer, ...]:
        if now_s != self._closes_at:
            self._closes_at, self._closes = now_s, {}
        out = []
        for p in self.members.get(group, ()):
            if p.task is not None or not p.present:
                continue
            closes = self._closes.get(p.calendar)
            if closes is None:
                closes = self._closes[p.calendar] = self.calendars[p.calendar].closes(now_s)
            if closes > now_s:
                out.append(Officer(p.officer, len(p.groups), p.tasks, closes))
        return tuple(out)

    def _opens(self, group: int, now_s: int) -> int | None:
        """Return when the next free officer of a group begins work; None: all are at work, or away."""
        times = [
            self.calendars[p.calendar].next_open(now_s)
            for p in self.members.get(group, ())
            if p.present and p.task is None
        ]
        later = [t for t in times if t > now_s]
        return min(later) if later else None

    def _ask(
        self, group: int, queue: list[tuple[int, int, int, Task]], idle: tuple[Officer, ...], now_s: int
    ) -> list[Assignment]:
        view = View(now_s, group, tuple(row[3] for row in queue), idle)
        answer = list(self.policy.assign(view))
        free = {o.officer for o in idle}
        taken: set[tuple[int, int]] = set()
        waiting = {(row[1], row[2]): row for row in queue}
        for officer, task in answer:
            row = (task.case, task.step)
            if officer not in free:
                names = ", ".join(str(o.officer) for o in idle)
                raise ValueError(
                    f"officer {officer} was given case {task.case} at {now_s} s, but is not free ({names})"
                )
            if row not in waiting or row in taken:
                what = f"step {task.step} of case {task.case}"
                raise ValueError(f"officer {officer} was given {what} at {now_s} s, which does not wait")
            free.discard(officer)
            taken.add(row)
            person = self.people[officer]
            person.task = waiting[row][3]
            person.tasks += 1
        if len(taken) == 1 and queue[0][1:3] in taken:
            queue.pop(0)
        elif taken:
            self.queues[group] = [r for r in queue if (r[1], r[2]) not in taken]
        return answer
