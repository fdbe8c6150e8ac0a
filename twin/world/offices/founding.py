"""How long founding a company takes at the service hall, as measured; whoever asks is told (F32, F37).

Founding is a case with an item that registers a new legal person (设立登记 of a company, partnership, sole
proprietorship or cooperative). It takes the working days of the hall from filing to the result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twin.control.services.calendars import DAY_S, Calendar
from twin.control.services.catalogue.items import Catalogue, Item
from twin.world.offices.matters import Application

LAST, LEAST = 20, 5  # the mean of the last so many, from so many on (assumed)
SHORTEST_DAYS = 0.1  # as for companies.founding_days
_FORMS = ("公司", "企业", "合作社")

Listener = Callable[[float], None]


def founds(item: Item) -> bool:
    """Return whether an item founds a company."""
    return item.target == "company" and "设立登记" in item.name and any(form in item.name for form in _FORMS)


class FoundingTimes:
    """The last foundings, working days each; tells listeners their mean."""

    def __init__(self, catalogue: Catalogue, hall: Calendar) -> None:
        self._items = frozenset(k for k, item in enumerate(catalogue.items) if founds(item))
        self._hall = hall
        days = [hall.between(day * DAY_S, (day + 1) * DAY_S) for day in range(7)]
        self._day_s = sum(days) / max(1, sum(s > 0 for s in days))
        self._last: deque[float] = deque(maxlen=LAST)
        self.listeners: list[Listener] = []

    def done(self, a: Application, now_s: int) -> None:
        """Take note of a case that ended with its result."""
        if self._items.isdisjoint(a.plan.items):
            return
        self._last.append(max(self._hall.between(a.filed_s, now_s) / self._day_s, SHORTEST_DAYS))
        if len(self._last) >= LEAST:
            mean = sum(self._last) / len(self._last)
            for listener in self.listeners:
                listener(mean)
