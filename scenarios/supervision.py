"""How well the supervision platform sees: what it found against what was true, per violation (F21).

``scores(run.log)`` reads :class:`ViolationBegan`, :class:`ViolationEnded` and :class:`ViolationFound`, nothing else.

*Episodes.* Lasting violations of one unit and kind with less than ``MERGE_S`` between them are one episode: a jam in
between makes no second offence. An episode without an end lasts to the end of the run.

*Matching.* A finding of a lasting violation is right if it was made between ``EARLY_S`` before the episode (noise,
clocks) and ``LATE_S`` after it (late data); several may belong to one episode. Moments (red light, harsh braking) are
matched one to one, in order, when the time the platform gives lies within ``MOMENT_S`` of the true one.

*precision* = right findings / findings; *recall* = episodes found / episodes; *delay* = from the beginning of an
episode to its first right finding (0 at least). A share of nothing is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.readings import Memory
from twin import events
from twin.domain.mobility import VIOLATIONS
from twin.log import Facts

MOMENTS = ("red light", "harsh braking")
MERGE_S = 120
EARLY_S, LATE_S = 60, 180
MOMENT_S = 90

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """How well one kind of violation ("all": every kind) was seen."""

    violation: str
    episodes: int
    found: int
    findings: int
    right: int
    delays_s: tuple[int, ...]

    @property
    def precision(self) -> float | None:
        """Share of the findings that are right."""
        return self.right / self.findings if self.findings else None

    @property
    def recall(self) -> float | None:
        """Share of the episodes that were found."""
        return self.found / self.episodes if self.episodes else None

    @property
    def delay_s(self) -> float | None:
        """Mean delay of the episodes found."""
        return float(np.mean(self.delays_s)) if self.delays_s else None

    @property
    def delay_p95_s(self) -> float | None:
        """Delay that 95 % of the episodes found do not exceed."""
        return float(np.percentile(self.delays_s, 95)) if self.delays_s else None


@dataclass(frozen=True)
class Episode:
    """A violation in truth, from ``begin_s`` to ``end_s``."""

    unit: int
    begin_s: int
    end_s: int


def scores(log: Facts | Memory) -> tuple[Score, ...]:
    """Return the score of every kind of violation that happened or was found, and of all together, last."""
    memory = Memory(log)
    found = memory.columns(events.ViolationFound)
    out = []
    for violation in VIOLATIONS:
        true = episodes(memory, violation)
        mine = found["violation"] == violation
        table = list(
            zip(found["unit"][mine].tolist(), found["t_s"][mine].tolist(), found["since_s"][mine].tolist(), strict=True)
        )
        if true or table:
            out.append(_score(violation, true, table))
    return (*out, _together(out))


def score(log: Facts | Memory, violation: str = "all") -> Score:
    """Return the score of one kind of violation; all zero if it neither happened nor was found."""
    if violation not in (*VIOLATIONS, "all"):
        raise ValueError(f"there is no violation '{violation}'; known: all, {', '.join(VIOLATIONS)}")
    return next((s for s in scores(log) if s.violation == violation), Score(violation, 0, 0, 0, 0, ()))


def episodes(log: Facts | Memory, violation: str) -> list[Episode]:
    """Return the episodes of one kind of violation in truth, by unit and time."""
    memory = Memory(log)
    began, ended = memory.columns(events.ViolationBegan), memory.columns(events.ViolationEnded)
    here, there = began["violation"] == violation, ended["violation"] == violation
    begins = sorted(zip(began["unit"][here].tolist(), began["t_s"][here].tolist(), strict=True))
    if violation in MOMENTS:
        return [Episode(unit, t_s, t_s) for unit, t_s in begins]
    ends: dict[int, list[int]] = {}
    for unit, t_s in sorted(zip(ended["unit"][there].tolist(), ended["t_s"][there].tolist(), strict=True)):
        ends.setdefault(unit, []).append(t_s)
    last = memory.end_s()
    out: list[Episode] = []
    for unit, begin in begins:
        queue = ends.get(unit, [])
        end = queue.pop(0) if queue else last
        if out and out[-1].unit == unit and begin - out[-1].end_s < MERGE_S:
            out[-1] = Episode(unit, out[-1].begin_s, max(end, out[-1].end_s))
        else:
            out.append(Episode(unit, begin, end))
    return out


def _score(violation: str, true: list[Episode], table: list[tuple[int, int, int]]) -> Score:
    of: dict[int, list[int]] = {}
    for k, episode in enumerate(true):
        of.setdefault(episode.unit, []).append(k)
    first: dict[int, int] = {}
    right = 0
    for unit, t_s, since_s in sorted(table, key=lambda row: (row[1], row[2], row[0])):
        hit = _moment(true, of.get(unit, []), since_s, first) if violation in MOMENTS else None
        if violation not in MOMENTS:
            near = [k for k in of.get(unit, []) if true[k].begin_s - EARLY_S <= t_s <= true[k].end_s + LATE_S]
            hit = next((k for k in near if k not in first), near[0] if near else None)
        if hit is not None:
            right += 1
            first.setdefault(hit, t_s)
    delays = tuple(max(0, t_s - true[k].begin_s) for k, t_s in sorted(first.items()))
    return Score(violation, len(true), len(first), len(table), right, delays)


def _moment(true: list[Episode], mine: Sequence[int], since_s: int, taken: dict[int, int]) -> int | None:
    free = [k for k in mine if k not in taken and abs(true[k].begin_s - since_s) <= MOMENT_S]
    return min(free, key=lambda k: abs(true[k].begin_s - since_s), default=None)


def _together(parts: Sequence[Score]) -> Score:
    return Score(
        "all",
        sum(s.episodes for s in parts),
        sum(s.found for s in parts),
        sum(s.findings for s in parts),
        sum(s.right for s in parts),
        tuple(d for s in parts for d in s.delays_s),
    )


def table(parts: Sequence[Score]) -> list[str]:
    """Return scores as lines of text in columns."""

    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.1%}"

    def seconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.0f}"

    rows = [("violation", "episodes", "found", "findings", "right", "precision", "recall", "delay s", "p95 s")]
    rows += [
        (
            s.violation, str(s.episodes), str(s.found), str(s.findings), str(s.right), share(s.precision),
            share(s.recall), seconds(s.delay_s), seconds(s.delay_p95_s),
        )
        for s in parts
    ]  # fmt: skip
    width = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, width, strict=True)).rstrip() for row in rows]
