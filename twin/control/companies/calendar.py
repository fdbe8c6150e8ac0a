"""When offices work: no decision, visit or payment order outside the calendar."""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.companies import OfficeCalendar

DAY_S = 86_400


@dataclass(frozen=True)
class Calendar:
    """Working days of the week (Monday 0), hours, days off; ``weekday`` is that of day 0."""

    weekday: int = 0
    workdays: frozenset[int] = frozenset(range(5))
    open_s: int = 9 * 3600
    shut_s: int = 17 * 3600
    days_off: frozenset[int] = frozenset()

    @classmethod
    def of(cls, m: OfficeCalendar) -> Calendar:
        """Return the calendar that a message tells."""
        return cls(m.weekday, frozenset(m.workdays.tolist()), m.open_s, m.shut_s, frozenset(m.days_off.tolist()))

    def works(self, day: int) -> bool:
        """Say whether a day is a working day."""
        return (self.weekday + day) % 7 in self.workdays and day not in self.days_off

    def open(self, t_s: int) -> bool:
        """Say whether the offices are open at a second."""
        day, second = divmod(t_s, DAY_S)
        return self.works(day) and self.open_s <= second < self.shut_s

    def next_open_s(self, t_s: int) -> int:
        """Return the first second from ``t_s`` on at which they are open (at most 400 days ahead)."""
        if self.open(t_s):
            return t_s
        day, second = divmod(t_s, DAY_S)
        if second >= self.open_s:
            day += 1
        for ahead in range(400):
            if self.works(day + ahead):
                return (day + ahead) * DAY_S + self.open_s
        return (day + 400) * DAY_S + self.open_s

    def after(self, t_s: int, seconds: int) -> int:
        """Return the second at which ``seconds`` of open time have passed since ``t_s``."""
        t, left = self.next_open_s(t_s), seconds
        while True:
            shut = t // DAY_S * DAY_S + self.shut_s
            if t + left <= shut:
                return t + left
            left -= shut - t
            t = self.next_open_s(shut)
