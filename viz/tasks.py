"""Who travels why: the trips of the residents as streams, so that the page can find any person or car.

Sorted by resident and trip; where a trip begins where the last one ended, the origin costs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.log import Facts
from viz.pack import steps, varint, wide, zigzag

Ints = npt.NDArray[np.int64]
UNDER_WAY, ENDED, REFUSED = 0, 1, 2


def _key(table: Any) -> Ints:
    resident = table["resident"].to_numpy(zero_copy_only=False).astype(np.int64)
    return np.asarray(resident * 10**6 + table["trip"].to_numpy(zero_copy_only=False).astype(np.int64))


def task_streams(facts: Facts, begin_s: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return (meta, streams) of all trips that began: who, how, why, from, to, planned, due, ended."""
    start = facts.table("TripStarted")
    key = _key(start)
    order = np.argsort(key, kind="stable")
    key = key[order]

    def col(name: str) -> Ints:
        values = np.nan_to_num(start[name].to_numpy(zero_copy_only=False)[order].astype(np.float64))
        whole: Ints = np.rint(np.clip(values, -1e15, 1e15)).astype(np.int64)
        return whole

    duration, status = np.zeros(len(key), np.int64), np.zeros(len(key), np.int64)
    end = facts.table("TripEnded", ["resident", "trip", "duration_s"])
    _put(key, _key(end), np.rint(end["duration_s"].to_numpy(zero_copy_only=False)), duration)
    _put(key, _key(end), ENDED, status)
    refused = facts.table("TripRefused", ["resident", "trip"])
    _put(key, _key(refused), REFUSED, status)
    resident, origin, destination = col("resident"), col("origin"), col("destination")
    follows, returns = np.zeros(len(key), dtype=bool), np.zeros(len(key), dtype=bool)
    same = resident[1:] == resident[:-1]
    follows[1:] = same & (origin[1:] == destination[:-1])
    returns[1:] = same & (destination[1:] == origin[:-1])
    t, due, expected = col("t_s"), col("due_s"), np.minimum(np.maximum(col("expected_s"), 0), 10**6)
    minute, second = np.divmod(np.maximum(due - begin_s, -begin_s), 60)
    streams = {
        "resident": varint(steps(resident)),
        "trip": varint(col("trip")),
        "how": varint(col("mode") * 16 + col("purpose")),
        "origin": wide(np.where(follows, 0, zigzag(origin) + 1)),
        "destination": wide(np.where(returns, 0, zigzag(destination) + 1)),
        "t": wide(zigzag(t - begin_s)),
        "planned": varint(zigzag(t - col("planned_s"))),
        # due times are mostly on the minute
        "due_min": wide(np.where(due < 0, 0, zigzag(minute) + 1)),
        "due_s": varint(np.where(due < 0, 0, second)),
        "expected": wide(expected),
        "status": varint(status),
        # many take just as long as expected
        "duration": wide(np.where(status == UNDER_WAY, 0, zigzag(duration - expected))),
    }
    return {"trips": len(key)}, streams


def _put(key: Ints, which: Ints, value: Any, out: Ints) -> None:
    """Write ``value`` into the rows of ``out`` whose (sorted) key is among ``which``."""
    if not len(key) or not len(which):
        return
    at = np.minimum(np.searchsorted(key, which), len(key) - 1)
    hit = key[at] == which
    out[at[hit]] = value[hit] if np.ndim(value) else value
