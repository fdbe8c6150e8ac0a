"""Signals: something of a run sampled at even steps, made of its facts, for temporal logic.

A signal is declared by what it does with facts:

``rate``   how many happened in the ``window_s`` before, per ``per_s`` seconds (a moving window)
``count``  how many happened up to now
``level``  how many began and did not end yet (``begin``, ``end``)
``last``   the value of a field as last told; with ``by`` one value per thing, of which ``take`` is shown
           (least, most, mean or sum of what is known so far)
``mean``, ``least``, ``most``, ``sum``  of a field over the facts of the ``window_s`` before (nan where there is none)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from scenarios.checks.choose import Facts
from scenarios.checks.patterns import end_of
from scenarios.readings import Memory
from twin.events import RunStarted

What = Literal["rate", "count", "level", "last", "mean", "least", "most", "sum"]
Take = Literal["least", "most", "mean", "sum"]
Floats = npt.NDArray[np.float64]

STEP_S = 60
#: what a field's name ends with → the unit its numbers have
_SUFFIX = (
    ("_mm_h", "mm/h"), ("_km_h", "km/h"), ("_m_s2", "m/s²"), ("_m_s", "m/s"), ("_wh", "Wh"), ("_ms", "ms"),
    ("_m", "m"), ("_s", "s"), ("_h", "h"), ("_l", "l"), ("_kg", "kg"),
)  # fmt: skip


@dataclass(frozen=True)
class Signal:
    """One signal; see the module for ``what``, and which of the others it needs."""

    name: str
    what: What
    facts: Facts
    end: Facts | None = None
    field: str = ""
    by: str = ""
    take: Take = "mean"
    window_s: int = 900
    per_s: int = 3600

    @property
    def unit(self) -> str:
        """The unit of its numbers: of its field's name, per hour for a rate, else none."""
        if self.what == "rate":
            return {1: "/s", 60: "/min", 3600: "/h"}.get(self.per_s, f"/({self.per_s} s)")
        if self.what in ("count", "level"):
            return ""
        return next((unit for suffix, unit in _SUFFIX if re.search(suffix + r"\Z", self.field)), "")

    def sample(self, facts: Memory, at_s: npt.NDArray[np.int64]) -> Floats:
        """Return the signal at seconds ``at_s`` (ascending); a fact of that very second counts."""
        frame = self.facts.read(facts)
        t = frame["t_s"].to_numpy(np.int64)
        until = np.searchsorted(t, at_s, side="right")
        if self.what == "count":
            return until.astype(np.float64)
        if self.what == "rate":
            since = np.searchsorted(t, at_s - self.window_s, side="right")
            seen_s = np.clip(at_s - at_s[0] + 1, 1, self.window_s)
            return np.asarray((until - since) * (self.per_s / seen_s), dtype=np.float64)
        if self.what == "level":
            assert self.end is not None
            over = self.end.read(facts)["t_s"].to_numpy(np.int64)
            return (until - np.searchsorted(over, at_s, side="right")).astype(np.float64)
        value = frame[self.field].to_numpy(np.float64)
        if self.what == "last":
            return self._held(frame, value, at_s, until)
        since = np.searchsorted(t, at_s - self.window_s, side="right")
        return _windows(value, since, until, self.what)

    def _held(self, frame: pd.DataFrame, value: Floats, at_s: npt.NDArray[np.int64], until: Any) -> Floats:
        if not self.by:
            return np.where(until > 0, value[np.maximum(until - 1, 0)] if value.size else np.nan, np.nan)
        wide = pd.DataFrame(
            {"t": np.searchsorted(at_s, frame["t_s"].to_numpy(np.int64)), "by": frame[self.by].to_numpy(), "v": value}
        )
        wide = wide[wide["t"] < at_s.size].drop_duplicates(["t", "by"], keep="last")
        table = wide.pivot(index="t", columns="by", values="v").reindex(range(at_s.size)).ffill()
        if table.empty:
            return np.full(at_s.size, np.nan)
        pick = {"least": "min", "most": "max", "mean": "mean", "sum": "sum"}[self.take]
        return np.asarray(table.agg(pick, axis=1), dtype=np.float64)


def _windows(value: Floats, since: Any, until: Any, what: str) -> Floats:
    """Return a statistic of ``value[since:until]`` for every pair; nan where it is empty."""
    some = until > since
    if what in ("mean", "sum"):
        total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(value))])
        n = np.concatenate([[0], np.cumsum(~np.isnan(value))])
        sums, count = total[until] - total[since], n[until] - n[since]
        out = sums if what == "sum" else sums / np.maximum(count, 1)
        return np.where(count > 0, out, np.nan)
    out = np.full(len(until), np.nan)
    pick = np.fmin if what == "least" else np.fmax
    if value.size:
        edges = np.stack([since[some], until[some]], axis=1)
        out[some] = [pick.reduce(value[a:b]) for a, b in edges.tolist()]
    return out


def steps(facts: Memory, step_s: int = STEP_S) -> npt.NDArray[np.int64]:
    """Return the seconds of a run at which signals are sampled: its start, and every step until its end."""
    began = facts.columns(RunStarted)["t_s"]
    first = int(began[0]) if began.size else 0
    return np.arange(first, min(end_of(facts), first + 400 * 86_400) + 1, step_s, dtype=np.int64)
