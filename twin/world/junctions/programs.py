"""SUMO's signal programs as phases and changes between them; times that a program does not show are added by rule.

A program is a cycle of states. A *phase* is a state without yellow in which some group goes that did not go (or had
to give way) in the phase before; what lies between two phases – yellow, clearance, walkers' clearance, a straggling
green – is the *change* from one to the other, kept as it is. Changes that the program never makes (phases out of order)
are composed: groups that end show yellow, groups that conflict wait for their clearance, groups that stay go on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Steps = list[tuple[str, int]]
_LEVEL = {"g": 1, "G": 2}

YELLOW_S = 3  # where the program shows none: RiLSA 2015 for 50 km/h; GB 14886-2016 asks for 3 s at least
WALK_M_S = 1.2  # walking speed for clearance, RiLSA 2015 (1.0 to 1.5)
#: minimum green (s) where the program gives none; RiLSA 2015 says 5 s at least, FHWA's Signal Timing Manual 4 to 15 s
MIN_GREEN_S = 7
MAX_GREEN_S = 60  # at least; a longer phase may last twice its own length


@dataclass(frozen=True)
class Step:
    """One state of a program in SUMO's sense; least and most seconds as SUMO tells them."""

    state: str
    seconds: float
    min_s: float
    max_s: float


@dataclass(frozen=True)
class Program:
    """Phases in their order. Equal-length lists; ``changes`` holds the steps from each phase to every other one."""

    states: list[str]
    green_s: list[int]
    min_s: list[int]
    max_s: list[int]
    changes: dict[tuple[int, int], Steps]
    yellow_s: list[int]
    clear_s: dict[tuple[int, int], int]
    offset_s: int


def _level(letter: str) -> int:
    return _LEVEL.get(letter, 0)


def _levels(state: str) -> list[int]:
    """Return what each group of a state shows: 0 red, 1 green that gives way, 2 green."""
    return [_LEVEL.get(letter, 0) for letter in state]


def _is_phase(state: str, before: str | None) -> bool:
    if any(letter in "yYuoO" for letter in state) or not any(letter in "gG" for letter in state):
        return False
    return before is None or any(_level(a) > _level(b) for a, b in zip(state, before, strict=True))


def _whole(steps: Sequence[Step]) -> list[tuple[str, int, int, int]]:
    """Return the steps in whole seconds, with equal neighbours joined, beginning with the longest phase."""
    rows = [
        (s.state, max(round(s.seconds), 1), max(math.ceil(s.min_s), 1), math.floor(min(s.max_s, 1e6)))
        for s in steps
        if s.seconds >= 0.5
    ]
    joined: list[tuple[str, int, int, int]] = []
    for state, seconds, least, most in rows:
        if joined and joined[-1][0] == state:
            last = joined.pop()
            joined.append((state, last[1] + seconds, last[2] + least, last[3] + most))
        else:
            joined.append((state, seconds, least, most))
    return joined


def read_program(
    steps: Sequence[Step],
    offset_s: float,
    foes: set[tuple[int, int]],
    yields: set[tuple[int, int]],
    walk: dict[int, float],
) -> Program | None:
    """Return the program of a traffic light, or None where it has fewer than two phases.

    ``foes``: ordered pairs of groups that conflict (both directions); ``yields``: those whose first gives way;
    ``walk``: length in metres of the crossings, by group.
    """
    rows = _whole(steps)
    candidates = [i for i, row in enumerate(rows) if _is_phase(row[0], None)]
    if not candidates:
        return None
    first = max(candidates, key=lambda i: (rows[i][1], -i))
    offset = offset_s + sum(row[1] for row in rows[:first])
    rows = rows[first:] + rows[:first]
    states: list[str] = []
    greens: list[tuple[int, int, int]] = []
    between: list[Steps] = []
    for state, seconds, least, most in rows:
        if _is_phase(state, states[-1] if states else None):
            states.append(state)
            greens.append((seconds, least, most))
            between.append([])
        else:
            between[-1].append((state, seconds))
    n = len(states)
    if n < 2:
        return None
    changes = {(k, (k + 1) % n): between[k] for k in range(n)}
    yellow = [0 if g in walk else _yellow_s(states, changes, g) for g in range(len(states[0]))]
    clear = _clearances(states, changes, foes, yields, yellow, walk)
    for p in range(n):
        for q in range(n):
            if p != q and (p, q) not in changes:
                changes[p, q] = _compose(states[p], states[q], yellow, clear, walk, yields)
    own = [s for s, _, _ in greens]
    shortest = [_least(*g) for g in greens]
    _keep_apart(states, own, shortest, changes, {k: v for k, v in clear.items() if v > 0}, yields, n)
    return Program(
        states, own, shortest, [max(MAX_GREEN_S, 2 * s, m if m < 10**5 else 0) for s, _, m in greens],
        changes, yellow, clear, round(offset),
    )  # fmt: skip


def _keep_apart(
    states: list[str],
    own: list[int],
    least: list[int],
    changes: dict[tuple[int, int], Steps],
    clear: dict[tuple[int, int], int],
    yields: set[tuple[int, int]],
    n: int,
) -> None:
    """Make sure that clearances hold over two changes in a row: a short green between them may not be enough.

    Raises the minimum green in between up to the program's own green; a composed change that would still come too early
    is taken out.
    """
    for (p, q), first in sorted(changes.items()):
        total = sum(s for _, s in first)
        ends = {g: total - t for g, t in _last_ends(states[p], first, states[q]).items()}
        for (also_q, r), second in sorted(changes.items()):
            if also_q != q or not ends:
                continue
            short = 0
            for b, t in _starts(states[q], second, states[r]).items():
                for a, since in ends.items():
                    soft = ((a, b) in yields and states[p][a] == "g") or ((b, a) in yields and states[r][b] == "g")
                    if (a, b) in clear and not soft:
                        short = max(short, clear[a, b] - since - t)
            if short > least[q]:
                least[q] = min(short, own[q])
                if short > own[q] and r != (q + 1) % n:
                    del changes[q, r]


def _last_ends(p: str, steps: Steps, q: str) -> dict[int, int]:
    """Return when the groups that are red at the end of a change ended their green, seconds after its begin."""
    out: dict[int, int] = {}
    t, before = 0, p
    for state, seconds in [*steps, (q, 0)]:
        for g, (old, new) in enumerate(zip(before, state, strict=True)):
            if _level(old) and not _level(new):
                out[g] = t
        t, before = t + seconds, state
    return {g: t for g, t in out.items() if not _level(q[g])}


def _starts(q: str, steps: Steps, r: str) -> dict[int, int]:
    """Return when groups that are red in ``q`` turn green in a change, seconds after its begin."""
    out: dict[int, int] = {}
    t, before = 0, q
    for state, seconds in [*steps, (r, 0)]:
        for g, (old, new) in enumerate(zip(before, state, strict=True)):
            if _level(new) and not _level(old) and g not in out:
                out[g] = t
        t, before = t + seconds, state
    return out


def _least(seconds: int, least: int, _most: int) -> int:
    """Return the minimum green: the program's where it has a range, else by rule, never above its own green."""
    return min(least, seconds) if least < seconds else min(MIN_GREEN_S, seconds)


def _yellow_s(states: list[str], changes: dict[tuple[int, int], Steps], group: int) -> int:
    """Return the shortest yellow the program shows to a group after its green (0: it shows none), or the usual one."""
    found = [
        sum(s for state, s in steps if state[group] in "yY")
        for (p, q), steps in changes.items()
        if _level(states[p][group]) and not _level(states[q][group])
    ]
    return min(found, default=YELLOW_S)


def _clearances(
    states: list[str],
    changes: dict[tuple[int, int], Steps],
    foes: set[tuple[int, int]],
    yields: set[tuple[int, int]],
    yellow: list[int],
    walk: dict[int, float],
) -> dict[tuple[int, int], int]:
    """Return seconds from the end of green of the first to the start of green of the second, for all conflicts.

    As the program itself does it where it does; elsewhere the longest it takes for the first one; else by rule.
    """
    seen: dict[tuple[int, int], int] = {}
    longest: dict[int, int] = {}
    in_order = sorted(foes)
    for (p, q), steps in changes.items():
        line = [(_levels(state), seconds) for state, seconds in [(states[p], 0), *steps, (states[q], 0)]]
        first = line[0][0]
        for a, b in in_order:
            if a >= len(first) or b >= len(first):
                continue
            t, end, last_level = 0, None, 0
            prev_b = first[b]
            for level, seconds in line:
                level_a, level_b = level[a], level[b]
                if level_a:
                    end, last_level = None, level_a
                elif end is None and last_level:
                    end = t
                starts = level_b and not prev_b
                together = ((a, b) in yields and last_level == 1) or ((b, a) in yields and level_b == 1)
                if starts and end is not None and not together:
                    seen[a, b] = min(seen.get((a, b), 10**6), t - end)
                    longest[a] = max(longest.get(a, 0), t - end)
                prev_b = level_b
                t += seconds
    out = {}
    for a, b in in_order:
        rule = math.ceil(walk[a] / WALK_M_S) if a in walk else (yellow[a] if a < len(yellow) else YELLOW_S)
        out[a, b] = seen.get((a, b), max(longest.get(a, 0), rule))
    return out


def _compose(
    p: str,
    q: str,
    yellow: list[int],
    clear: dict[tuple[int, int], int],
    walk: dict[int, float],
    yields: set[tuple[int, int]],
) -> Steps:
    """Return the steps from state ``p`` to state ``q`` that honour yellow and clearance of every group."""
    ends = [g for g in range(len(p)) if _level(p[g]) and not _level(q[g])]
    starts = [g for g in range(len(p)) if _level(q[g]) and not _level(p[g])]
    if not ends:
        return []

    def needs(group: int) -> int:
        most = 0 if group in walk else yellow[group]
        for b in starts:
            together = ((group, b) in yields and p[group] == "g") or ((b, group) in yields and q[b] == "g")
            if (group, b) in clear and not together:
                most = max(most, clear[group, b])
        return most

    need = {g: needs(g) for g in ends}
    total = max(need.values())
    # everybody ends as late as its own clearance allows, so that green is not lost to the slow walkers
    cuts = sorted({0, total, *(total - n for n in need.values()), *(total - need[g] + yellow[g] for g in ends)})
    steps: Steps = []
    for t, until in pairwise(cuts):
        letters = list(p)
        for g in ends:
            since = t - (total - need[g])
            if since >= 0:
                letters[g] = "y" if g not in walk and since < yellow[g] else "r"
        steps.append(("".join(letters), until - t))
    return steps
