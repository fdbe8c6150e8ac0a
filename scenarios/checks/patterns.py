"""Patterns of events: every A is followed by B within T; never A while B; at most n at once; never A.

After the specification patterns of Dwyer, Avrunin and Corbett ("Patterns in property specifications for finite-state
verification", ICSE 1999): response, absence, bounded existence, with real time and with keys that tell things apart.
All are joins over columns; nothing loops over facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scenarios.checks.choose import Facts, thing
from scenarios.checks.model import SHOWN, Outcome, Violation, outcome
from scenarios.readings import Memory
from twin.events import RunEnded
from twin.scenario.parts import clock_text

DAY_S = 86_400
FOREVER = np.iinfo(np.int64).max


def moment(t_s: int) -> str:
    """Return a second of a run as people read it: "08:12:30", "day 2, 08:12:30"."""
    day, of_day = divmod(int(t_s), DAY_S)
    text = clock_text(of_day)
    return text if day == 0 else f"day {day + 1}, {text}"


def end_of(facts: Memory) -> int:
    """Return the second at which a run ended."""
    ended = facts.columns(RunEnded)["t_s"]
    return int(ended[-1]) if ended.size else FOREVER


def _keyed(chosen: Facts, same: Sequence[str], facts: Memory) -> pd.DataFrame:
    """Return t_s and the key columns of chosen facts, in the order of time."""
    frame = chosen.read(facts)[["t_s", *same]]
    words = {n: object for n in same if not pd.api.types.is_numeric_dtype(frame[n])}
    return frame.astype({"t_s": np.int64, **words}).sort_values("t_s", kind="stable").reset_index(drop=True)


def _all(chosen: Sequence[Facts], same: Sequence[str], facts: Memory) -> pd.DataFrame:
    """Return the same of several kinds of fact together."""
    parts = pd.concat([_keyed(c, same, facts) for c in chosen])
    return parts.sort_values("t_s", kind="stable").reset_index(drop=True)


def _next(a: pd.DataFrame, b: pd.DataFrame, same: Sequence[str], *, later: bool) -> Any:
    """Return, per row of ``a``, the second of the first row of ``b`` with its key, not earlier (or later than it)."""
    if b.empty or a.empty:
        return np.full(len(a), FOREVER, dtype=np.int64)
    right = b.assign(_t=b["t_s"])
    found = pd.merge_asof(a, right, on="t_s", by=list(same) or None, direction="forward", allow_exact_matches=not later)
    return found["_t"].fillna(-1).astype(np.int64).replace(-1, FOREVER).to_numpy()


def _last(a: pd.DataFrame, b: pd.DataFrame, same: Sequence[str]) -> Any:
    """Return, per row of ``a``, the row of ``b`` with its key that was last by then; -1 where there is none."""
    if b.empty or a.empty:
        return np.full(len(a), -1, dtype=np.int64)
    right = b.assign(_row=np.arange(len(b)))
    found = pd.merge_asof(a, right, on="t_s", by=list(same) or None, direction="backward")
    return found["_row"].fillna(-1).astype(np.int64).to_numpy()


def _told(frame: pd.DataFrame, rows: Any, same: Sequence[str], what: str) -> list[Violation]:
    """Return a violation for each of the first rows."""
    out = []
    for row in np.asarray(rows)[:SHOWN].tolist():
        record = frame.iloc[row]
        things = thing(same, [record[n] for n in same])
        who = f" ({', '.join(things)})" if things else ""
        out.append(Violation(int(record["t_s"]), f"{what.format(at=moment(int(record['t_s'])), who=who)}", things))
    return out


@dataclass(frozen=True)
class Response:
    """Every ``every`` is followed by one of ``by`` with the same key within ``within_s`` seconds."""

    name: str
    every: Facts
    by: tuple[Facts, ...]
    within_s: int
    same: tuple[str, ...] = ()
    excused: tuple[tuple[int, int], ...] = ()

    def check(self, facts: Memory) -> Outcome:
        """Judge one run; what begins less than ``within_s`` before its end and is not answered yet is undecided.

        So is what begins within one of the ``excused`` times [from, until) and is late: liveness is demanded of a sound
        machinery, not while a fault holds.
        """
        a = _keyed(self.every, self.same, facts)
        b = _all(self.by, self.same, facts)
        took = _next(a, b, self.same, later=False) - a["t_s"].to_numpy(np.int64)
        began = a["t_s"].to_numpy(np.int64)
        open_ = began + self.within_s > end_of(facts)
        for from_s, until_s in self.excused:
            open_ |= (began >= from_s) & (began < until_s)
        open_ &= took > self.within_s
        wrong = np.flatnonzero((took > self.within_s) & ~open_)
        names = " or ".join(dict.fromkeys(b.kind for b in self.by))
        what = f"{self.every.kind} at {{at}}{{who}} was followed by no {names} within {span(self.within_s)}"
        found = outcome(self.name, _told(a, wrong, self.same, what), len(a) - int(open_.sum()), int(open_.sum()))
        judged = took[~open_]
        if not judged.size:
            return found
        worst = int(judged.max())
        margin = None if worst > DAY_S * 366 else float(self.within_s - worst)
        return Outcome(
            self.name, found.holds, found.checked, found.undecided,
            margin if margin is not None else -float("inf"), "s", found.violations,
        )  # fmt: skip


@dataclass(frozen=True)
class Absence:
    """Never ``never`` – at all, or while one of the same key lies between ``begin`` and ``end``."""

    name: str
    never: Facts
    begin: Facts | None = None
    end: tuple[Facts, ...] = ()
    same: tuple[str, ...] = ()

    def check(self, facts: Memory) -> Outcome:
        """Judge one run. A second at which both the state begins and the event happens counts as within."""
        a = _keyed(self.never, self.same, facts)
        if self.begin is None:
            return outcome(self.name, _told(a, np.arange(len(a)), self.same, f"{self.never.kind} at {{at}}{{who}}"), 1)
        b = _keyed(self.begin, self.same, facts)
        c = _all(self.end, self.same, facts) if self.end else b.iloc[:0]
        over_s = _next(b, c, self.same, later=True)
        row = _last(a, b, self.same)
        inside = (row >= 0) & (over_s[np.maximum(row, 0)] > a["t_s"].to_numpy(np.int64)) if len(b) else row >= 0
        what = f"{self.never.kind} at {{at}}{{who}} although {self.begin.kind} held"
        return outcome(self.name, _told(a, np.flatnonzero(inside), self.same, what), len(b))


@dataclass(frozen=True)
class Bound:
    """At most ``most`` of the same key at once lie between ``begin`` and ``end``; without ``end``: ever."""

    name: str
    most: int
    begin: Facts
    end: tuple[Facts, ...] = ()
    same: tuple[str, ...] = ()

    def check(self, facts: Memory) -> Outcome:
        """Judge one run by what is open after each second: the order within a second is not looked at."""
        b = _keyed(self.begin, self.same, facts).assign(_step=1)
        parts = [b]
        if self.end:
            parts.append(_all(self.end, self.same, facts).assign(_step=-1))
        net = pd.concat(parts, ignore_index=True).groupby(["t_s", *self.same], sort=False)["_step"].sum()
        both = net.reset_index()
        both = both.sort_values("t_s", kind="stable").reset_index(drop=True)
        groups = both.groupby(list(self.same), sort=False)["_step"] if self.same else both["_step"]
        level = groups.cumsum().to_numpy(np.int64)
        if len(both):  # an end without a beginning opens no room for two
            low = both.assign(_low=np.minimum(level, 0))
            least = low.groupby(list(self.same), sort=False)["_low"] if self.same else low["_low"]
            level = level - least.cummin().to_numpy(np.int64)
        wrong = np.flatnonzero((level > self.most) & (both["_step"].to_numpy() > 0))
        at_once = " at once" if self.end else ""
        what = f"{self.begin.kind} at {{at}}{{who}} makes more than {self.most}{at_once}"
        found = outcome(self.name, _told(both, wrong, self.same, what), len(b))
        if not len(b):
            return found
        margin = float(self.most - level.max(initial=0))
        return Outcome(self.name, found.holds, found.checked, 0, margin, "", found.violations)


def span(seconds: int) -> str:
    """Return a length of time as people say it: "90 s", "5 min", "2 h"."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
