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

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.control.junctions.layout import GREENS, LEVEL, Floats, Ints, Layout
from twin.domain.junctions import SignalMap
from twin.errors import ControlError

Bools = npt.NDArray[np.bool_]
#: states of a junction in order of time, with the second of each
Steps = tuple[tuple[int, str], ...]
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

    def begin(self, now_s: int, junction: int, to: int) -> int:
        """Begin the change of one junction, by the same rules as :meth:`change`; return the seconds it takes."""
        phase, layout = int(self.phase[junction]), self.layout
        first = int(layout.first_phase[junction])
        fine = int(self.to[junction]) == phase and 0 <= to - first < int(layout.phases[junction])
        takes = int(layout.change_s[phase, to - first]) if fine else -1
        if takes < 0 or now_s - int(self.since_s[junction]) < int(layout.told.phase_min_s[phase]):
            self.change(now_s, np.array([junction]), np.array([to]))  # says what is wrong
        self.to[junction], self.since_s[junction] = to, now_s
        if takes == 0:
            self.phase[junction] = to
        return takes

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
    rows = (wish != to[junction]).nonzero()[0]
    if rows.size == 0:
        return
    junction, wish = junction[rows], wish[rows]
    now, ahead = phase[junction], to[junction]
    bad = np.flatnonzero(now != ahead)
    if bad.size:
        j = int(junction[bad[0]])
        raise ControlError(
            f"signals at {now_s} s: junction '{layout.name(j)}' was asked for phase {int(wish[bad[0]])} while it"
            f" changes from {int(phase[j])} to {int(to[j])}; a change is always completed"
        )
    green_s = now_s - since_s[junction]
    least = layout.told.phase_min_s[now]
    bad = np.flatnonzero(green_s < least)
    if bad.size:
        i = int(bad[0])
        j = int(junction[i])
        raise ControlError(
            f"signals at {now_s} s: junction '{layout.name(j)}' was asked to end phase {int(phase[j])} after"
            f" {int(green_s[i])} s of green; its minimum is {int(least[i])} s"
        )
    bad = np.flatnonzero(layout.change_time(now, wish) < 0)
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


@dataclass(frozen=True)
class _Turn:
    """What happens when a junction goes from one state to another: groups as places in its list of groups.

    ends: (group, least green, level before); begins; yellow_begins; yellow_ends: (group, least yellow). plain: a group
    that goes from green to red without yellow (-1: none). clash: two that are green together (None: none). follows:
    (a, b, clearance, levels of a that clash), for groups b that begin while a is red; longest_s: of its clearances.
    """

    ends: tuple[tuple[int, int, int], ...]
    begins: tuple[int, ...]
    yellow_begins: tuple[int, ...]
    yellow_ends: tuple[tuple[int, int], ...]
    plain: int
    clash: tuple[int, int] | None
    follows: tuple[tuple[int, int, int, tuple[bool, bool, bool]], ...]
    longest_s: int


@dataclass(frozen=True, eq=False)
class _Course:
    """What a whole row of states means that begins with one state; times in s from its beginning.

    To be looked at whenever it begins: ends (group, least green, when) of greens, and cuts (group, least yellow, when)
    of yellows, that began before it; follows (a, b, clearance, levels of a that clash, when b begins) for greens of a
    that ended before it. What lies within it is the same each time, and safe. It leaves until (group, when, level),
    since and yellow (group, when) behind, and the ``last`` state, at ``last_s``; ended_s: when a green ended last (-1:
    none). then: how long after the beginning of this one another may begin without a look at what was before.
    """

    ends: tuple[tuple[int, int, int], ...]
    cuts: tuple[tuple[int, int, int], ...]
    follows: tuple[tuple[int, int, int, tuple[bool, bool, bool], int], ...]
    longest_s: int
    until: tuple[tuple[int, int, int], ...]
    since: tuple[tuple[int, int], ...]
    yellow: tuple[tuple[int, int], ...]
    ended_s: int
    last: str
    last_s: int
    turns: int
    then: dict[_Course, int] = field(default_factory=dict)

    def gap_s(self, after: _Course) -> int:
        """Return after how many seconds ``after`` may begin, whatever was before this one; longer than need be."""
        if after not in self.then:
            since, yellow, until = dict(self.since), dict(self.yellow), {g: t_s for g, t_s, _ in self.until}
            # what did not begin or end within this one did so before it
            gaps = [self.last_s]
            gaps += [least - t_s + since.get(g, 0) for g, least, t_s in after.ends]
            gaps += [least - t_s + yellow.get(g, 0) for g, least, t_s in after.cuts]
            gaps += [clear - t_s + until.get(a, 0) for a, _, clear, _, t_s in after.follows]
            self.then[after] = max(gaps)
        return self.then[after]


class _Collected:
    """A course as it is put together, turn by turn."""

    def __init__(self) -> None:
        self._begun: dict[int, int] = {}
        self._yellow: dict[int, int] = {}
        self._over: dict[int, tuple[int, int]] = {}  # greens that ended within it: when, level
        self._ends: list[tuple[int, int, int]] = []
        self._cuts: list[tuple[int, int, int]] = []
        self._follows: list[tuple[int, int, int, tuple[bool, bool, bool], int]] = []
        self._turns, self._ended_s, self._last_s = 0, -1, 0

    def take(self, t_s: int, turn: _Turn) -> bool:
        """Add a turn; False: it is not safe whenever the course begins."""
        safe = turn.plain < 0 and turn.clash is None
        for g, least, level in turn.ends:
            if g in self._begun:
                safe &= t_s - self._begun[g] >= least
            else:
                self._ends.append((g, least, t_s))
            self._over[g], self._ended_s = (t_s, level), t_s
        for g, least in turn.yellow_ends:
            if g in self._yellow:
                safe &= t_s - self._yellow[g] >= least
            else:
                self._cuts.append((g, least, t_s))
        for a, b, clear, clashes in turn.follows:
            if a in self._over:
                ended_s, level = self._over[a]
                safe &= t_s - ended_s >= clear or not clashes[level]
            else:
                self._follows.append((a, b, clear, clashes, t_s))
        self._begun.update((g, t_s) for g in turn.begins)
        self._yellow.update((g, t_s) for g in turn.yellow_begins)
        self._turns, self._last_s = self._turns + 1, t_s
        return safe

    def course(self, last: str) -> _Course:
        """Return the course, which ends with the state ``last``."""
        until = tuple((g, t_s, level) for g, (t_s, level) in self._over.items())
        longest_s = max((f[2] - f[4] for f in self._follows), default=0)
        return _Course(
            tuple(self._ends), tuple(self._cuts), tuple(self._follows), longest_s, until, tuple(self._begun.items()),
            tuple(self._yellow.items()), self._ended_s, last, self._last_s, self._turns,
        )  # fmt: skip


class Monitor:
    """Looks at the letters that all groups show, every second, and raises ControlError for what is unsafe.

    Work is done for junctions that show something new only: what does not change cannot become unsafe. What a change
    from one state to another means is worked out once for each pair of states, and so are what a whole row of states
    means, and how soon it may follow another row. What each group did last is written down when it is asked for.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        told = layout.told
        every = range(layout.n_junctions)
        least = least_green_s(layout)
        rows = [np.flatnonzero(told.group_junction == j) for j in every]
        self._places = [told.group_place[r].tolist() for r in rows]
        self._least = [least[r].tolist() for r in rows]
        self._yellow_s = [told.yellow_s[r].tolist() for r in rows]
        self._pairs = _pairs_by_junction(_Conflicts(told), rows)
        self._green_since = [[LONG_AGO] * r.size for r in rows]
        self._green_until = [[LONG_AGO] * r.size for r in rows]
        self._yellow_since = [[LONG_AGO] * r.size for r in rows]
        self._level_at_end = [[0] * r.size for r in rows]
        self._ended_s = [LONG_AGO] * layout.n_junctions  # when a green ended last
        self._shown: list[str | None] = [None] * layout.n_junctions
        self._turns: list[dict[tuple[str | None, str], _Turn]] = [{} for _ in every]
        self._courses: list[dict[tuple[str | None, Steps], _Course | None]] = [{} for _ in every]
        # rows that were followed and are not written down yet, with the second each began last; the latest; its end
        self._rows: list[dict[_Course, int]] = [{} for _ in every]
        self._latest: list[tuple[_Course, int] | None] = [None] * layout.n_junctions
        self._over_s = [LONG_AGO] * layout.n_junctions
        self.seconds = 0
        self.turns = 0

    def letters(self, states: Sequence[str]) -> npt.NDArray[np.str_]:
        """Return the letters of all groups from one state per junction."""
        place, of = self._layout.told.group_place.tolist(), self._layout.told.group_junction.tolist()
        return np.array([states[j][p] for j, p in zip(of, place, strict=True)])

    def look(self, now_s: int, states: Sequence[str]) -> None:
        """Take in what all junctions show during second ``now_s`` (one state each)."""
        shown = self._shown
        for j, state in enumerate(states):
            if state != shown[j]:
                self._see(j, now_s, state)
        self.seconds += 1

    def follow(self, junction: int, steps: Steps, begin_s: int = 0) -> None:
        """Take in what one junction shows next: (seconds after ``begin_s``, state), in order of time."""
        key, courses = (self._shown[junction], steps), self._courses[junction]
        try:
            course = courses[key]
        except KeyError:
            course = courses[key] = self._course(junction, *key)
        if course is not None:
            latest = self._latest[junction]
            if latest is not None and begin_s - latest[1] >= latest[0].gap_s(course):
                self._rows[junction][course] = begin_s
                self._latest[junction] = course, begin_s
                self._over_s[junction] = begin_s + course.last_s
                self._shown[junction] = course.last
                self.turns += course.turns
                return
            if self._passes(junction, begin_s, course):
                return
        for after_s, state in steps:
            if state != self._shown[junction]:
                self._see(junction, begin_s + after_s, state)

    def _course(self, j: int, before: str | None, steps: Steps) -> _Course | None:
        """Work out what a row of states means; None where it has to be seen state by state, for it may be unsafe."""
        if before is None:
            return None
        c = _Collected()
        for t_s, state in steps:
            if state == before:
                continue
            turn = self._turns[j].get((before, state))
            if turn is None:
                turn = self._turns[j][before, state] = self._turn(j, before, state)
            if not c.take(t_s, turn):
                return None
            before = state
        return c.course(before)

    def _passes(self, j: int, begin_s: int, course: _Course) -> bool:
        """Take in a row of states if it is safe; otherwise return False, and nothing is taken in."""
        self._write_down(j)
        since, yellow, until = self._green_since[j], self._yellow_since[j], self._green_until[j]
        at_end = self._level_at_end[j]
        for g, least, t_s in course.ends:
            if begin_s + t_s - since[g] < least:
                return False
        for g, least, t_s in course.cuts:
            if begin_s + t_s - yellow[g] < least:
                return False
        if begin_s - self._ended_s[j] < course.longest_s:
            for a, _, clear, clashes, t_s in course.follows:
                if begin_s + t_s - until[a] < clear and clashes[at_end[a]]:
                    return False
        self._rows[j][course] = begin_s
        in_order = begin_s >= self._over_s[j]
        self._latest[j] = (course, begin_s) if in_order else None
        self._over_s[j] = max(self._over_s[j], begin_s + course.last_s)
        self._shown[j] = course.last
        self.turns += course.turns
        if not in_order:
            self._write_down(j)
        return True

    def _write_down(self, j: int) -> None:
        """Write down what each group did last in the rows that were followed."""
        rows = self._rows[j]
        if not rows:
            return
        since, yellow, until = self._green_since[j], self._yellow_since[j], self._green_until[j]
        at_end = self._level_at_end[j]
        for course, begin_s in sorted(rows.items(), key=lambda row: row[1]):
            for g, t_s, level in course.until:
                until[g], at_end[g] = begin_s + t_s, level
            for g, t_s in course.since:
                since[g] = begin_s + t_s
            for g, t_s in course.yellow:
                yellow[g] = begin_s + t_s
            if course.ended_s >= 0:
                self._ended_s[j] = begin_s + course.ended_s
        rows.clear()

    def _see(self, j: int, now_s: int, state: str) -> None:
        self._write_down(j)
        self._latest[j], self._over_s[j] = None, max(self._over_s[j], now_s)
        before = self._shown[j]
        turn = self._turns[j].get((before, state))
        if turn is None:
            turn = self._turns[j][before, state] = self._turn(j, before, state)
        since, until, yellow = self._green_since[j], self._green_until[j], self._yellow_since[j]
        if turn.ends or turn.yellow_ends or turn.plain >= 0:
            self._check_ends(j, now_s, turn)
            at_end = self._level_at_end[j]
            for g, _, level in turn.ends:
                until[g], at_end[g] = now_s, level
        begun = LONG_AGO if before is None else now_s
        for g in turn.begins:
            since[g] = begun
        for g in turn.yellow_begins:
            yellow[g] = begun
        if turn.clash is not None:
            raise self._unsafe(j, now_s, turn.clash, "are green together")
        if turn.ends:
            self._ended_s[j] = now_s
        if turn.follows and now_s - self._ended_s[j] < turn.longest_s:
            at_end = self._level_at_end[j]
            for a, b, clear, clashes in turn.follows:
                # the way of the first must be clear when the second starts, unless that would have to wait anyway
                if now_s - until[a] < clear and clashes[at_end[a]]:
                    raise self._unsafe(j, now_s, (a, b), "follow each other without clearance")
        self._shown[j] = state
        self.turns += 1

    def _check_ends(self, j: int, now_s: int, turn: _Turn) -> None:
        since, yellow = self._green_since[j], self._yellow_since[j]
        for g, least, _ in turn.ends:
            if now_s - since[g] < least:
                raise self._unsafe(j, now_s, g, "ended its green before its minimum")
        if turn.plain >= 0:
            raise self._unsafe(j, now_s, turn.plain, "went from green to red without yellow")
        for g, least in turn.yellow_ends:
            if now_s - yellow[g] < least:
                raise self._unsafe(j, now_s, g, "had its yellow cut short")

    def _turn(self, j: int, before: str | None, state: str) -> _Turn:
        places = self._places[j]
        new = [state[p] for p in places]
        old = ["r"] * len(places) if before is None else [before[p] for p in places]
        level, was = [LEVEL.get(x, 0) for x in new], [LEVEL.get(x, 0) for x in old]
        yellow, was_yellow = [x in "yY" for x in new], [x in "yY" for x in old]
        every = range(len(places))
        ends = [g for g in every if was[g] and not level[g]]
        begins = [g for g in every if level[g] and not was[g]]
        yellow_s = self._yellow_s[j]
        plain = next((g for g in ends if not yellow[g] and yellow_s[g] > 0), -1)
        cut = [g for g in every if was_yellow[g] and not yellow[g] and not level[g]]
        clash, follows = None, []
        starts = frozenset(begins)
        for (a, b), (gives, gives_back, clear) in self._pairs[j].items():
            if level[a]:
                if clash is None and level[b] and _clash(level[a], level[b], gives, gives_back):
                    clash = (a, b)
            elif b in starts:
                clashes = tuple(_clash(x, level[b], gives, gives_back) for x in range(3))
                follows.append((a, b, clear, (clashes[0], clashes[1], clashes[2])))
        return _Turn(
            tuple((g, self._least[j][g], was[g]) for g in ends), tuple(begins),
            tuple(g for g in every if yellow[g] and not was_yellow[g]), tuple((g, yellow_s[g]) for g in cut),
            plain, clash, tuple(follows), max((f[2] for f in follows), default=0),
        )  # fmt: skip

    def _unsafe(self, j: int, now_s: int, who: int | tuple[int, int], what: str) -> ControlError:
        place, name = self._places[j], self._layout.told.junction[j]
        if isinstance(who, int):
            return ControlError(f"signals at {now_s} s: junction '{name}': group {place[who]} {what}")
        return ControlError(
            f"signals at {now_s} s: junction '{name}': groups {place[who[0]]} and {place[who[1]]} conflict and {what}"
        )


def _clash(level_a: int, level_b: int, gives: bool, gives_back: bool) -> bool:
    """Return whether two groups that conflict may not be green together at these levels (0 red, 1 g, 2 G)."""
    soft = (gives and level_a == 1) or (gives_back and level_b == 1)
    return level_a > 0 and level_b > 0 and not soft


def _pairs_by_junction(c: _Conflicts, rows: Sequence[Ints]) -> list[dict[tuple[int, int], tuple[bool, bool, int]]]:
    """Return by junction: (a, b) as places in its list of groups → (a yields, b yields, clearance)."""
    of: dict[int, tuple[int, int]] = {}
    for j, groups in enumerate(rows):
        of.update((int(g), (j, i)) for i, g in enumerate(groups.tolist()))
    out: list[dict[tuple[int, int], tuple[bool, bool, int]]] = [{} for _ in rows]
    for a, b, gives, back, clear in zip(
        c.a.tolist(), c.b.tolist(), c.yields.tolist(), c.yields_back.tolist(), c.clear_s.tolist(), strict=True
    ):
        j, i = of[a]
        out[j][i, of[b][1]] = (gives, back, clear)
    return out


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
