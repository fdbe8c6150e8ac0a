"""The one place that keeps signals safe; no policy, plan or order can get around it.

:class:`Stages` carries every junction through its phases: green, then the steps of the change (yellow, clearance of
vehicles and pedestrians), then the next green. It refuses with a :class:`ControlError` that names junction and second

* a phase that is not one of the junction's, or to which no change is allowed,
* an end of green before the phase's minimum,
* a new wish while a change is under way.

:class:`Monitor` is the second look, at what is shown and nothing else: letters of groups, second by second, against the
conflicts, clearance times, yellow and minimum greens of the map. :func:`check_map` is the first look: a map whose
phases or changes are not safe is refused as a whole.

Sources: RiLSA 2015 (minimum green 5 s, yellow 3 s at 50 km/h, clearance), GB 14886-2016, FHWA Signal Timing Manual.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.control.junctions.layout import GREENS, LEVEL, Floats, Ints, Layout
from twin.domain.junctions import SignalMap
from twin.errors import ControlError

Bools = npt.NDArray[np.bool_]
LONG_AGO = -(10**9)


class Stages:
    """Where every junction is in its phases. Columns: ``phase``, ``to`` (= phase while green), ``since_s``."""

    def __init__(self, layout: Layout, phase: Ints, to: Ints, since_s: Ints) -> None:
        self.layout = layout
        self.phase: Ints = phase.astype(np.int64)
        self.to: Ints = to.astype(np.int64)
        self.since_s: Ints = since_s.astype(np.int64)

    def changing(self) -> Bools:
        """Return which junctions are between two phases."""
        return np.asarray(self.phase != self.to)

    def may_change(self, now_s: int) -> Bools:
        """Return which junctions may end their green at ``now_s``."""
        return may_change(self.layout, self.phase, self.to, self.since_s, now_s)

    def finish(self, now_s: int) -> Ints:
        """End the changes that are over at ``now_s``; return the junctions that turned green."""
        over = np.flatnonzero(self.changing())
        if over.size:
            takes = self.layout.change_time(self.phase[over], self.to[over])
            over = over[now_s >= self.since_s[over] + takes]
            self.since_s[over] += self.layout.change_time(self.phase[over], self.to[over])
            self.phase[over] = self.to[over]
        return over

    def change(self, now_s: int, junction: Ints, to: Ints) -> Ints:
        """Begin changes of ``junction`` to the phases ``to``; those that show it already stay. Return who changes.

        Raises ControlError for a wish that the module's text forbids; nothing has changed then.
        """
        junction, to = np.asarray(junction, dtype=np.int64), np.asarray(to, dtype=np.int64)
        check_wishes(self.layout, self.phase, self.to, self.since_s, now_s, junction, to)
        other = self.phase[junction] != to
        junction, to = junction[other], to[other]
        fresh = self.to[junction] == self.phase[junction]
        junction, to = junction[fresh], to[fresh]
        self.to[junction] = to
        self.since_s[junction] = now_s
        at_once = junction[self.layout.change_time(self.phase[junction], to) == 0]
        self.phase[at_once] = self.to[at_once]
        return junction

    def state(self, junction: int, now_s: int) -> tuple[str, int]:
        """Return what a junction shows at ``now_s`` and until when this step lasts (-1: open end)."""
        phase, to, t = int(self.phase[junction]), int(self.to[junction]), int(self.since_s[junction])
        if phase != to:
            for state, seconds in self.layout.steps[phase, to]:
                t += seconds
                if now_s < t:
                    return state, t
        return self.layout.told.phase_state[to], -1


def may_change(layout: Layout, phase: Ints, to: Ints, since_s: Ints, now_s: int) -> Bools:
    """Return which junctions are green and have been so for their minimum."""
    return np.asarray((phase == to) & (now_s - since_s >= layout.told.phase_min_s[phase]))


def check_wishes(layout: Layout, phase: Ints, to: Ints, since_s: Ints, now_s: int, junction: Ints, wish: Ints) -> None:
    """Raise ControlError for the first wish (phase rows beside ``junction``) that is not allowed at ``now_s``."""
    if junction.size == 0:
        return
    if junction.min() < 0 or junction.max() >= layout.n_junctions:
        raise ControlError(f"signals at {now_s} s: junction {int(junction.max())} does not exist")
    first = layout.first_phase[junction]
    theirs = (wish >= first) & (wish < first + layout.phases[junction])
    if not theirs.all():
        i = int(np.argmin(theirs))
        j = int(junction[i])
        a, n = int(layout.first_phase[j]), int(layout.phases[j])
        raise ControlError(
            f"signals at {now_s} s: junction '{layout.name(j)}' was asked for phase {int(wish[i])};"
            f" it has the phases {a} to {a + n - 1}"
        )
    now, ahead = phase[junction], to[junction]
    moves = wish != ahead
    bad = np.flatnonzero(moves & (now != ahead))
    if bad.size:
        j = int(junction[bad[0]])
        raise ControlError(
            f"signals at {now_s} s: junction '{layout.name(j)}' was asked for phase {int(wish[bad[0]])} while it"
            f" changes from {int(phase[j])} to {int(to[j])}; a change is always completed"
        )
    green_s = now_s - since_s[junction]
    least = layout.told.phase_min_s[now]
    bad = np.flatnonzero(moves & (green_s < least))
    if bad.size:
        i = int(bad[0])
        j = int(junction[i])
        raise ControlError(
            f"signals at {now_s} s: junction '{layout.name(j)}' was asked to end phase {int(phase[j])} after"
            f" {int(green_s[i])} s of green; its minimum is {int(least[i])} s"
        )
    bad = np.flatnonzero(moves & (layout.change_time(now, wish) < 0))
    if bad.size:
        j = int(junction[bad[0]])
        raise ControlError(
            f"signals at {now_s} s: junction '{layout.name(j)}' has no change from phase {int(phase[j])}"
            f" to {int(wish[bad[0]])}"
        )


class _Conflicts:
    """Ordered pairs of groups that conflict, as arrays."""

    def __init__(self, told: SignalMap) -> None:
        self.a, self.b = told.conflict_a, told.conflict_b
        self.yields, self.clear_s = told.conflict_yields.astype(bool), told.conflict_clear_s
        order = {(a, b): i for i, (a, b) in enumerate(zip(self.a.tolist(), self.b.tolist(), strict=True))}
        back = [order.get((b, a), -1) for a, b in zip(self.a.tolist(), self.b.tolist(), strict=True)]
        if -1 in back:
            raise ValueError("the conflicts of a SignalMap must be told in both directions")
        self.yields_back = self.yields[np.array(back, dtype=np.int64)] if back else self.yields

    def clash(self, pairs: Ints, level_a: Ints, level_b: Ints) -> Bools:
        """Return which of ``pairs`` may not be green together at these levels (0 red, 1 green giving way, 2 green)."""
        both = (level_a > 0) & (level_b > 0)
        gives_way = (self.yields[pairs] & (level_a == 1)) | (self.yields_back[pairs] & (level_b == 1))
        return np.asarray(both & ~gives_way)


class Monitor:
    """Looks at the letters that all groups show, every second, and raises ControlError for what is unsafe.

    Work is done for junctions that show something new only: what does not change cannot become unsafe.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        told = layout.told
        self._conflicts = _Conflicts(told)
        n, every = told.group_junction.size, range(layout.n_junctions)
        self._green_since = np.full(n, LONG_AGO)
        self._green_until = np.full(n, LONG_AGO)
        self._yellow_since = np.full(n, LONG_AGO)
        self._level = np.zeros(n, dtype=np.int64)
        self._yellow = np.zeros(n, dtype=bool)
        self._level_at_end = np.zeros(n, dtype=np.int64)
        self._least_s = least_green_s(layout)
        self._groups = [np.flatnonzero(told.group_junction == j) for j in every]
        self._pairs = [np.flatnonzero(told.group_junction[told.conflict_a] == j) for j in every]
        self._shown: list[str | None] = [None] * layout.n_junctions
        self._read: dict[tuple[int, str], tuple[Ints, Bools]] = {}
        self.seconds = 0

    def letters(self, states: list[str]) -> npt.NDArray[np.str_]:
        """Return the letters of all groups from one state per junction."""
        place, of = self._layout.told.group_place.tolist(), self._layout.told.group_junction.tolist()
        return np.array([states[j][p] for j, p in zip(of, place, strict=True)])

    def look(self, now_s: int, states: list[str]) -> None:
        """Take in what all junctions show during second ``now_s`` (one state each)."""
        new = [j for j, state in enumerate(states) if state != self._shown[j]]
        if new:
            self._look(now_s, new, states)
        self.seconds += 1

    def _look(self, now_s: int, new: list[int], states: list[str]) -> None:
        told, c = self._layout.told, self._conflicts
        rows = np.concatenate([self._groups[j] for j in new])
        pairs = np.concatenate([self._pairs[j] for j in new])
        read = [self._letters_of(j, states[j]) for j in new]
        level, yellow = np.concatenate([r[0] for r in read]), np.concatenate([r[1] for r in read])
        first = np.concatenate([np.full(self._groups[j].size, self._shown[j] is None) for j in new])
        was, was_yellow = self._level[rows], self._yellow[rows]
        begins, ends = (level > 0) & (was == 0), (level == 0) & (was > 0)
        self._refuse_group(
            ends & (now_s - self._green_since[rows] < self._least_s[rows]), rows, now_s,
            "ended its green before its minimum",
        )  # fmt: skip
        plain = ends & ~yellow & (told.yellow_s[rows] > 0)
        self._refuse_group(plain, rows, now_s, "went from green to red without yellow")
        cut = was_yellow & ~yellow & (level == 0) & (now_s - self._yellow_since[rows] < told.yellow_s[rows])
        self._refuse_group(cut, rows, now_s, "had its yellow cut short")
        self._green_until[rows[ends]] = now_s
        self._level_at_end[rows[ends]] = was[ends]
        self._green_since[rows[begins]] = np.where(first[begins], LONG_AGO, now_s)
        self._yellow_since[rows[yellow & ~was_yellow]] = np.where(first, LONG_AGO, now_s)[yellow & ~was_yellow]
        self._level[rows], self._yellow[rows] = level, yellow
        a, b = c.a[pairs], c.b[pairs]
        self._refuse(c.clash(pairs, self._level[a], self._level[b]), a, b, now_s, "are green together")
        # the way of the first must be clear when the second starts, unless the second would have to wait anyway
        starts = np.zeros(self._level.size, dtype=bool)
        starts[rows[begins]] = True
        early = starts[b] & (self._level[a] == 0) & (now_s - self._green_until[a] < c.clear_s[pairs])
        early &= c.clash(pairs, self._level_at_end[a], self._level[b])
        self._refuse(early, a, b, now_s, "follow each other without clearance")
        for j in new:
            self._shown[j] = states[j]

    def _letters_of(self, j: int, state: str) -> tuple[Ints, Bools]:
        """Return levels and yellows of the groups of a junction in a state."""
        found = self._read.get((j, state))
        if found is None:
            letters = [state[p] for p in self._layout.told.group_place[self._groups[j]].tolist()]
            level = np.array([LEVEL.get(x, 0) for x in letters], dtype=np.int64)
            found = self._read[j, state] = (level, np.array([x in "yY" for x in letters], dtype=bool))
        return found

    def _refuse(self, bad: Bools, a: Ints, b: Ints, now_s: int, what: str) -> None:
        if bad.any():
            told, i = self._layout.told, int(np.argmax(bad))
            junction = told.junction[int(told.group_junction[a[i]])]
            raise ControlError(
                f"signals at {now_s} s: junction '{junction}': groups {int(told.group_place[a[i]])} and"
                f" {int(told.group_place[b[i]])} conflict and {what}"
            )

    def _refuse_group(self, bad: Bools, rows: Ints, now_s: int, what: str) -> None:
        if bad.any():
            told, i = self._layout.told, int(rows[int(np.argmax(bad))])
            junction = told.junction[int(told.group_junction[i])]
            raise ControlError(f"signals at {now_s} s: junction '{junction}': group {int(told.group_place[i])} {what}")


def least_green_s(layout: Layout) -> Ints:
    """Return the shortest green each group may have: the least minimum of the phases in which it is green.

    A group that is green only between two phases has the shortest of those runs.
    """
    told = layout.told
    least = np.full(told.group_junction.size, 10**6, dtype=np.int64)
    row = {
        (j, p): g for g, (j, p) in enumerate(zip(told.group_junction.tolist(), told.group_place.tolist(), strict=True))
    }
    for phase, (j, state) in enumerate(zip(told.phase_junction.tolist(), told.phase_state, strict=True)):
        for place, letter in enumerate(state):
            if letter in GREENS:
                g = row[j, place]
                least[g] = min(least[g], int(told.phase_min_s[phase]))
    for (a, b), steps in layout.steps.items():
        j = int(told.phase_junction[a])
        before, after = told.phase_state[a], told.phase_state[b]
        for place in range(len(before)):
            run = 0
            if before[place] not in GREENS and after[place] not in GREENS:
                run = sum(s for state, s in steps if state[place] in GREENS)
            if run:
                g = row[j, place]
                least[g] = min(least[g], run)
    return np.where(least == 10**6, 0, least)


def check_map(layout: Layout, now_s: int) -> None:
    """Raise ControlError when a phase, or a change between two, is unsafe by the conflicts of the map."""
    told = layout.told
    c = _Conflicts(told)
    every = np.arange(c.a.size)
    row_of: dict[int, Ints] = {j: np.flatnonzero(told.group_junction == j) for j in range(layout.n_junctions)}
    level = np.zeros((layout.n_phases, told.group_junction.size), dtype=np.int64)
    for phase, (j, state) in enumerate(zip(told.phase_junction.tolist(), told.phase_state, strict=True)):
        rows = row_of[j]
        level[phase, rows] = [LEVEL.get(state[p], 0) for p in told.group_place[rows].tolist()]
        clash = c.clash(every, level[phase][c.a], level[phase][c.b])
        if clash.any():
            i = int(np.argmax(clash))
            raise ControlError(
                f"signals at {now_s} s: junction '{told.junction[j]}': phase {phase} ('{state}') lets the groups"
                f" {int(told.group_place[c.a[i]])} and {int(told.group_place[c.b[i]])} go together, which conflict"
            )
    wrong = told.phase_min_s < 1
    if wrong.any():
        phase = int(np.argmax(wrong))
        raise ControlError(
            f"signals at {now_s} s: junction '{told.junction[int(told.phase_junction[phase])]}': phase {phase} has a"
            f" minimum green of {int(told.phase_min_s[phase])} s; at least 1 s is needed"
        )


__all__ = ["Floats", "Monitor", "Stages", "check_map", "check_wishes", "least_green_s", "may_change"]
