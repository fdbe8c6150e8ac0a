"""Examples that show why: which facts became more or fewer, and the trips and parcels that changed most in one pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from twin.log import Facts
from twin.scenario import clock_text
from twin.world.people.ports import MODES, PURPOSES

SHOWN = 4
DAY_S = 86_400
#: what is counted at regular times whatever happens, and bookkeeping
DULL = frozenset({"RunStarted", "RunEnded", "DetectorRead", "ControllerDecided"})


@dataclass(frozen=True)
class Changed:
    """A trip in both runs: who, which mode (index), when it set out (s), how long in each (s)."""

    resident: int
    trip: int
    mode: str
    purpose: str
    set_out_s: int
    base_s: int
    variant_s: int


def counts(folder: Path) -> dict[str, int]:
    """Return the number of facts of each kind."""
    kind = pq.read_table(folder / "events.parquet", columns=["fact"])["fact"]
    rows = kind.value_counts().to_pylist()
    return {r["values"]: int(r["counts"]) for r in rows}


def more_or_fewer(base: Path, variant: Path) -> list[tuple[str, int, int]]:
    """Return (kind of fact, count in base, in variant), the largest relative changes first, at most eight."""
    a, b = counts(base), counts(variant)
    rows = [(k, a.get(k, 0), b.get(k, 0)) for k in sorted({*a, *b}) if k not in DULL]
    changed = [r for r in rows if r[1] != r[2]]
    return sorted(changed, key=lambda r: -abs(r[2] - r[1]) / np.sqrt(1 + r[1] + r[2]))[:8]


def trips(base: Path, variant: Path) -> tuple[list[Changed], int, int]:
    """Return the trips that changed most (both ways), how many took another time, and how many there are in both."""
    a, b = _trips(Facts.read(base)), _trips(Facts.read(variant))
    both, at_a, at_b = np.intersect1d(a["key"], b["key"], assume_unique=True, return_indices=True)
    d = b["duration"][at_b] - a["duration"][at_a]
    order = np.argsort(d, kind="stable")
    worst, best = order[::-1][:SHOWN], order[: SHOWN // 2]
    out = []
    for i in [*worst.tolist(), *best.tolist()]:
        if d[i] == 0:
            continue
        j = at_a[i]
        mode, purpose = int(a["mode"][j]), int(a["purpose"][j])
        out.append(
            Changed(
                int(both[i] // 1000),
                int(both[i] % 1000),
                MODES[mode] if 0 <= mode < len(MODES) else "?",
                PURPOSES[purpose] if 0 <= purpose < len(PURPOSES) else "?",
                int(a["t"][j]),
                int(a["duration"][j]),
                int(b["duration"][at_b[i]]),
            )
        )
    return out, int((d != 0).sum()), int(both.size)


def _trips(facts: Facts) -> dict[str, npt.NDArray[np.int64]]:
    s = facts.table("TripStarted", ["t_s", "resident", "trip", "mode", "purpose"])
    e = facts.table("TripEnded", ["resident", "trip", "duration_s"])

    def key(t: object) -> npt.NDArray[np.int64]:
        return np.asarray(t["resident"].to_numpy() * 1000 + t["trip"].to_numpy(), dtype=np.int64)  # type: ignore[index]

    ks, ke = key(s), key(e)
    started, first = np.unique(ks, return_index=True)
    ended, last = np.unique(ke, return_index=True)
    both, i, j = np.intersect1d(started, ended, assume_unique=True, return_indices=True)
    rows = first[i]
    out = {c: np.asarray(s[c].to_numpy()[rows], dtype=np.int64) for c in ("mode", "purpose")}
    return {
        **out,
        "key": both,
        "t": np.asarray(s["t_s"].to_numpy()[rows], dtype=np.int64),
        "duration": np.asarray(e["duration_s"].to_numpy()[last[j]], dtype=np.int64),
    }


def when(t_s: int) -> str:
    """Return a second as a time of day, with the day where it is not the first."""
    day, of_day = divmod(t_s, DAY_S)
    return clock_text(of_day - of_day % 60) if day == 0 else f"{day + 1}d {clock_text(of_day - of_day % 60)}"
