"""The agenda: everybody's trips of the day waiting for their time, and who is where.

Each person is at a place or travelling. Trips lie in the order of their planned time; a trip whose time comes
while its person is still busy is passed over, and comes back through the short list of people held up when they
arrive. So a call costs as much as the trips in it, never a look at everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.people.activities import ESCORT
from twin.world.people.draws import Ints
from twin.world.people.plans import Trips
from twin.world.people.travel import NOWHERE

Bools = npt.NDArray[Any]

_SHORT_STOP_S = 60


@dataclass(frozen=True)
class Landed:
    """What :meth:`Agenda.land` found: equal-length columns. ``late_s`` counts against the due time (-1: none)."""

    person: Ints
    mode: Ints
    due_s: Ints
    late_s: Ints
    reached: Bools


class Agenda:
    """State of ``people`` persons, all at ``where`` (location codes) at first. Rows are persons."""

    def __init__(self, where: Ints, short_stay_s: int) -> None:
        n = len(where)
        self.where = where.astype(np.int64)  # while travelling: where the trip began
        self.travelling = np.zeros(n, dtype=bool)
        self.trips = Trips.none()
        self.extra_day = np.full(n, -1, dtype=np.int64)  # the last day on which somebody had an extra way
        self._short_stay_s = short_stay_s
        self._now_s = 0
        self._free_s = np.full(n, -1, dtype=np.int64)  # cannot set out before this second
        self._next = np.zeros(n, dtype=np.int64)  # row of the person's next trip in ``trips``
        self._end = np.zeros(n, dtype=np.int64)
        self._by_time = np.empty(0, dtype=np.int64)
        self._times = np.empty(0, dtype=np.int64)
        self._waiting: list[tuple[Ints, Ints]] = []  # (persons, second from which they may go)
        # the trip under way, which outlives the plan it came from
        self._trip = np.full(n, -1, dtype=np.int64)
        self._to = np.full(n, NOWHERE, dtype=np.int64)
        self._due = np.full(n, -1, dtype=np.int64)
        self._mode = np.full(n, -1, dtype=np.int64)
        self._purpose = np.full(n, -1, dtype=np.int64)

    @property
    def now_s(self) -> int:
        """Departures before this second have been handed out."""
        return self._now_s

    # -- the plan ------------------------------------------------------------------------------------

    def take(self, new: Trips, from_s: int) -> None:
        """Add ``new`` trips, planned at ``from_s`` or later, to those of the plan that have not begun."""
        rest = self.undone()
        trips = new if len(rest) == 0 else Trips.join([rest, new])
        self.trips = trips
        self._now_s = max(self._now_s, from_s)
        count = np.bincount(trips.row, minlength=len(self.where))
        self._end = np.cumsum(count)
        self._next = self._end - count
        order = np.argsort(trips.planned_s, kind="stable")
        times = trips.planned_s[order].astype(np.int64)
        # trips of before now belong to people held up, who wait for an arrival and not for their time
        first = int(np.searchsorted(times, self._now_s))
        self._by_time, self._times = order[first:], times[first:]

    def undone(self) -> Trips:
        """Return the trips that have not begun."""
        if len(self.trips) == 0:
            return self.trips
        return self.trips.take(self.not_begun())

    def not_begun(self) -> Bools:
        """Which trips of the plan have not begun."""
        return np.arange(len(self.trips)) >= self._next[self.trips.row]

    def cancel(self, trips: Bools) -> None:
        """Take trips that have not begun off the plan (a mask over :attr:`trips`)."""
        keep = self.not_begun() & ~trips
        rest, self.trips = self.trips.take(keep), Trips.none()
        self._next[:] = 0
        self.take(rest, self._now_s)

    def at_between(self, place: Ints, from_s: npt.NDArray[np.number], until_s: npt.NDArray[np.number]) -> Bools:
        """Who, by plan, is at ``place`` all the time from ``from_s`` to ``until_s`` (columns: the first persons)."""
        n, t = len(place), self.trips
        begun = ~self.not_begun()
        inside = (t.row < n) & ~begun
        rows = t.row[inside].astype(np.int64)
        go, end = t.planned_s[inside], t.planned_s[inside] + t.expected_s[inside]
        free = ~self.travelling[:n]
        free[rows[(end > from_s[rows]) & (go < until_s[rows])]] = False
        # where the last trip before the window leads; without one, where the person is now
        at = self.where[:n].copy()
        before = end <= from_s[rows]
        who, last = np.unique(rows[before][::-1], return_index=True)
        at[who] = t.destination[inside][before][::-1][last]
        return np.asarray(free & (at == place))

    def skip_to(self, start_s: int) -> None:
        """Take trips planned before ``start_s`` as done: people are where those led them."""
        t = self.trips
        self._now_s = max(self._now_s, start_s)
        done = np.flatnonzero((t.planned_s < start_s) & (np.arange(len(t)) >= self._next[t.row]))
        rows, last = np.unique(t.row[done][::-1], return_index=True)
        last = done[::-1][last]
        self.where[rows] = t.destination[last]
        self._next[rows] = last + 1
        self._free_s[rows] = (t.planned_s[last] + t.expected_s[last]).astype(np.int64)
        self._hold(rows.astype(np.int64))
        first = int(np.searchsorted(self._times, start_s))
        self._by_time, self._times = self._by_time[first:], self._times[first:]

    # -- setting out ---------------------------------------------------------------------------------

    def set_out(self, from_s: int, until_s: int) -> tuple[Ints, Ints]:
        """Let go who goes in [from_s, until_s): (rows of ``trips``, seconds), unordered; they travel from now."""
        k = int(np.searchsorted(self._times, until_s))
        due = self._by_time[:k]
        self._by_time, self._times = self._by_time[k:], self._times[k:]
        self._now_s = until_s
        t = self.trips
        person, planned = t.row[due], t.planned_s[due]
        ready = (self._next[person] == due) & ~self.travelling[person] & (self._free_s[person] <= planned)
        held, held_s = self._held(from_s, until_s)
        trip = np.concatenate([due[ready], held])
        go_s = np.concatenate([np.maximum(planned[ready].astype(np.int64), from_s), held_s])
        person = t.row[trip].astype(np.int64)
        self._next[person] = trip + 1
        # who never got away before is there already: that trip falls away
        there = self.where[person] == t.destination[trip]
        if there.any():
            self._hold(person[there])
            trip, go_s, person = trip[~there], go_s[~there], person[~there]
        self.travelling[person] = True
        self._trip[person], self._to[person] = t.trip[trip], t.destination[trip]
        self._due[person], self._mode[person] = t.due_s[trip], t.mode[trip]
        self._purpose[person] = t.purpose[trip]
        return trip, go_s

    def _held(self, from_s: int, until_s: int) -> tuple[Ints, Ints]:
        """Trips of people who were held up and may go before ``until_s``."""
        if not self._waiting:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        person = np.concatenate([p for p, _ in self._waiting])
        go_s = np.concatenate([g for _, g in self._waiting])
        later = go_s >= until_s
        self._waiting = [(person[later], go_s[later])] if later.any() else []
        can = ~later & (self._next[person] < self._end[person]) & ~self.travelling[person]
        person, go_s = person[can], go_s[can]
        # somebody listed twice goes once, at the earlier moment
        order = np.lexsort((go_s, person))
        person, go_s = person[order], go_s[order]
        first = np.ones(len(person), dtype=bool)
        first[1:] = person[1:] != person[:-1]
        return self._next[person[first]], np.maximum(go_s[first], from_s)

    def _hold(self, person: Ints) -> None:
        """Put on the list those whose next trip cannot, or can no longer, wait for its planned time."""
        person = person[self._next[person] < self._end[person]]
        if person.size == 0:
            return
        planned = self.trips.planned_s[self._next[person]].astype(np.int64)
        free = self._free_s[person]
        wait = (planned < free) | (planned < self._now_s)
        if wait.any():
            self._waiting.append((person[wait], np.maximum(free, planned)[wait]))

    # -- arriving ------------------------------------------------------------------------------------

    def land(self, person: Ints, trip: Ints, arrived_s: Ints, reached: Bools) -> Landed:
        """End trips: who reached the end is there; who did not is back where the trip began.

        ValueError if somebody is not on that trip.
        """
        wrong = ~self.travelling[person] | (self._trip[person] != trip)
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"person in row {person[i]} is not on trip {trip[i]}, so it cannot end")
        self.travelling[person] = False
        self.where[person] = np.where(reached, self._to[person], self.where[person])
        at = np.minimum(self._next[person], max(len(self.trips) - 1, 0))
        pressed = np.zeros(len(person), dtype=bool)
        if len(self.trips):
            pressed = (self._next[person] < self._end[person]) & (self.trips.due_s[at] >= 0)
        brief = pressed | (self._purpose[person] == ESCORT) | ~reached
        self._free_s[person] = arrived_s + np.where(brief, _SHORT_STOP_S, self._short_stay_s)
        self._hold(person)
        due = self._due[person]
        late = np.where(due >= 0, np.maximum(arrived_s - due, 0), -1)
        return Landed(person, self._mode[person], due, late, reached)

    def whereabouts(self) -> Ints:
        """Location code of everybody; -1 when travelling."""
        return np.where(self.travelling, NOWHERE, self.where)
