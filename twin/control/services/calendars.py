"""Working time: weekly hours with holidays, and what is asked of them; whole seconds since midnight of day 0.

A calendar is a set of open intervals [start, end). Its questions are monotone in time – later in, not earlier out –,
which is what lets a proof say that a shorter way through the office never ends later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from twin.domain.services import HoursTold

DAY_S = 86_400
_AHEAD_DAYS = 400
_MOST_DAYS = 40_000


@dataclass(frozen=True)
class Hours:
    """Open hours of one weekday (0 Monday … 6 Sunday), seconds of the day."""

    weekday: int
    from_s: int
    until_s: int


class Calendar:
    """Open hours of a week, repeated; ``holidays``: days (0 = first of the run) that are closed all day.

    ``first_weekday``: weekday of day 0. Raises ValueError for hours that end before they begin, overlap or never open.
    """

    def __init__(self, hours: Sequence[Hours], first_weekday: int = 0, holidays: Sequence[int] = ()) -> None:
        for h in hours:
            if not (0 <= h.weekday <= 6 and 0 <= h.from_s < h.until_s <= DAY_S):
                raise ValueError(f"hours {h} are none: weekday 0 to 6, from before until, at most {DAY_S} s")
        if not hours:
            raise ValueError("a calendar needs hours on at least one day of the week")
        self._week: list[list[tuple[int, int]]] = [[] for _ in range(7)]
        for h in sorted(hours, key=lambda h: (h.weekday, h.from_s)):
            day = self._week[h.weekday]
            if day and day[-1][1] > h.from_s:
                raise ValueError(f"hours on weekday {h.weekday} overlap at {h.from_s} s")
            day.append((h.from_s, h.until_s))
        self.first_weekday = first_weekday
        self._holidays = frozenset(holidays)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sum = [0]  # working seconds before each interval
        self._workdays: list[int] = []  # days that are open at all
        self._day = 0
        self._extend(_AHEAD_DAYS)

    def _extend(self, days: int) -> None:
        """Lay out ``days`` more days."""
        if self._day > _MOST_DAYS:
            raise ValueError(f"nothing is open for {_MOST_DAYS} days")
        for day in range(self._day, self._day + days):
            if day in self._holidays:
                continue
            hours = self._week[(self.first_weekday + day) % 7]
            for a, b in hours:
                start, end = day * DAY_S + a, day * DAY_S + b
                if self._ends and self._ends[-1] == start:  # over midnight: one interval
                    self._sum[-1] += end - start
                    self._ends[-1] = end
                else:
                    self._starts.append(start)
                    self._ends.append(end)
                    self._sum.append(self._sum[-1] + end - start)
            if hours:
                self._workdays.append(day)
        self._day += days

    def _row(self, t_s: int) -> int:
        """Return the row of the last interval that began at or before ``t_s``; -1 before the first."""
        while t_s >= (self._day - 2) * DAY_S or not self._starts:
            self._extend(_AHEAD_DAYS)
        return bisect_right(self._starts, t_s) - 1

    def open(self, t_s: int) -> bool:
        """Whether it is open at this second."""
        row = self._row(t_s)
        return row >= 0 and t_s < self._ends[row]

    def next_open(self, t_s: int) -> int:
        """Return the first open second at or after ``t_s``."""
        row = self._row(t_s)
        if row >= 0 and t_s < self._ends[row]:
            return t_s
        while row + 1 >= len(self._starts):
            self._extend(_AHEAD_DAYS)
        return self._starts[row + 1]

    def closes(self, t_s: int) -> int:
        """Return the end of the interval that is open at ``t_s``, or ``t_s`` itself where it is closed."""
        row = self._row(t_s)
        return self._ends[row] if row >= 0 and t_s < self._ends[row] else t_s

    def add(self, t_s: int, work_s: int) -> int:
        """Return the second at which ``work_s`` working seconds after ``t_s`` are over (0: the next open one)."""
        if work_s <= 0:
            return self.next_open(t_s)
        target = self._worked(t_s) + work_s
        while self._sum[-1] < target:
            self._extend(_AHEAD_DAYS)
        # the interval in which the target falls; the end of an interval belongs to it
        low, high = 0, len(self._sum) - 1
        while low < high:
            middle = (low + high) // 2
            if self._sum[middle] >= target:
                high = middle
            else:
                low = middle + 1
        return self._ends[low - 1] - (self._sum[low] - target)

    def _worked(self, t_s: int) -> int:
        row = self._row(t_s)
        return 0 if row < 0 else self._sum[row] + min(t_s, self._ends[row]) - self._starts[row]

    def between(self, from_s: int, until_s: int) -> int:
        """Return the working seconds in [from_s, until_s)."""
        return max(0, self._worked(until_s) - self._worked(from_s))

    def add_days(self, t_s: int, days: float) -> int:
        """Return the closing second of the ``days``-th working day after the day of ``t_s`` (rounded down)."""
        whole = int(days)
        while (day := t_s // DAY_S) >= self._day - 1 or len(self._workdays) <= bisect_right(
            self._workdays, day
        ) + whole:
            self._extend(_AHEAD_DAYS)
        row = bisect_right(self._workdays, day) - 1 + max(whole, 0)
        last = self._workdays[max(row, 0)]
        return last * DAY_S + self._week[(self.first_weekday + last) % 7][-1][1]


def week(spans: Sequence[tuple[int, int]], days: Sequence[int] = (0, 1, 2, 3, 4)) -> tuple[Hours, ...]:
    """Return the same hours for several weekdays; ``spans``: (from_s, until_s) of the day."""
    return tuple(Hours(day, a, b) for day in days for a, b in spans)


def calendar_of(told: HoursTold, first_weekday: int) -> Calendar:
    """Return the calendar of a message."""
    rows = zip(told.weekday, told.from_s, told.until_s, strict=True)
    return Calendar([Hours(*row) for row in rows], first_weekday, told.holidays)
