"""The small charts: series over the run, computed from the facts (and mean speed from the roads' state)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from twin.domain.ids import VEHICLE_KINDS
from twin.log import Facts
from twin.world.people.ports import MODES
from viz.state import RoadState

Floats = npt.NDArray[np.float64]
STEP_S = 300
LATE_S = 300


@dataclass(frozen=True)
class Series:
    """One chart: ``values`` has a row per part (named in ``parts``) and a column per step; nan = nothing to tell.

    ``unit`` and ``name`` are keys of :mod:`viz.text`. ``stacked``: the parts add up.
    """

    name: str
    unit: str
    step_s: int
    parts: tuple[str, ...]
    values: Floats
    stacked: bool = False

    def plain(self) -> dict[str, Any]:
        """Return JSON-able data, rounded to three digits after the point; nan becomes None."""
        out = asdict(self)
        out["values"] = [
            [None if np.isnan(v) else round(float(v), 3) for v in row] for row in np.atleast_2d(self.values)
        ]
        return out


def all_series(facts: Facts, state: RoadState, begin_s: int, end_s: int) -> list[Series]:
    """Return the charts in the order they are shown; one without any fact behind it is left out."""
    charts = [
        on_the_road(facts, begin_s, end_s),
        trips_begun(facts, begin_s, end_s),
        mean_speed(state),
        *delay_and_late(facts, begin_s, end_s),
    ]
    return [c for c in charts if np.isfinite(c.values).any()]


def _column(table: Any, name: str) -> npt.NDArray[Any]:
    return np.asarray(table[name].to_numpy(zero_copy_only=False))


def _bins(begin_s: int, end_s: int, step_s: int) -> int:
    return max(1, -(-(int(end_s) - int(begin_s)) // step_s))


def on_the_road(facts: Facts, begin_s: int, end_s: int, step_s: int = 60) -> Series:
    """Vehicles on the road at the beginning of each minute, by kind: entered minus gone."""
    kinds = list(VEHICLE_KINDS)
    n = _bins(begin_s, end_s, step_s) + 1
    values = np.zeros((len(kinds), n))
    for fact, sign in (("VehicleEntered", 1), ("VehicleArrived", -1), ("VehicleRemoved", -1)):
        table = facts.table(fact, ["t_s", "vehicle"])
        code = _column(table, "vehicle").astype(np.int64) // 10**12 - 1
        # something of this minute is seen at the beginning of the next
        at = np.clip(-((begin_s - _column(table, "t_s").astype(np.int64)) // step_s), 0, n)
        ok = (code >= 0) & (code < len(kinds)) & (at < n)
        values += sign * np.bincount(code[ok] * n + at[ok], minlength=len(kinds) * n).reshape(len(kinds), n)
    values = np.cumsum(values, axis=1)
    used = np.asarray(values.any(axis=1))
    parts = tuple(k for k, u in zip(kinds, used, strict=True) if u)
    return Series("on_the_road", "vehicles", step_s, parts, values[used], stacked=True)


def trips_begun(facts: Facts, begin_s: int, end_s: int, step_s: int = STEP_S) -> Series:
    """Trips begun in each step, by mode."""
    table = facts.table("TripStarted", ["t_s", "mode"])
    n = _bins(begin_s, end_s, step_s)
    at = (_column(table, "t_s").astype(np.int64) - begin_s) // step_s
    mode = _column(table, "mode").astype(np.int64)
    ok = (at >= 0) & (at < n)
    values = np.bincount(mode[ok] * n + at[ok], minlength=len(MODES) * n).reshape(len(MODES), n).astype(np.float64)
    used = np.asarray(values.any(axis=1))
    parts = tuple(m for m, u in zip(MODES, used, strict=True) if u)
    return Series("trips_begun", "trips_5min", step_s, parts, values[used], stacked=True)


def mean_speed(state: RoadState) -> Series:
    """Mean speed of all vehicles on the road, km/h: metres driven over seconds spent."""
    spent, driven = state.spent_s.sum(axis=1), state.driven_m.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        speed = np.where(spent > 0, 3.6 * driven / spent, np.nan)
    return Series("mean_speed", "km_h", state.step_s, ("all",), speed[None, :])


def delay_and_late(facts: Facts, begin_s: int, end_s: int, step_s: int = STEP_S) -> list[Series]:
    """Mean delay of trips that ended (minutes beyond the expected time) and share of them over 5 min late.

    The late share counts trips with a due time only.
    """
    start = facts.table("TripStarted", ["resident", "trip", "due_s", "expected_s", "mode"])
    end = facts.table("TripEnded", ["t_s", "resident", "trip", "duration_s", "late_s"])
    n = _bins(begin_s, end_s, step_s)
    key = _column(start, "resident").astype(np.int64) * 10**6 + _column(start, "trip").astype(np.int64)
    order = np.argsort(key, kind="stable")
    ended = _column(end, "resident").astype(np.int64) * 10**6 + _column(end, "trip").astype(np.int64)
    at = np.minimum(np.searchsorted(key[order], ended), max(len(key) - 1, 0))
    if len(key) == 0 or len(ended) == 0:
        nothing = np.full((1, n), np.nan)
        return [
            Series("delay", "minutes", step_s, ("all",), nothing),
            Series("late_share", "percent", step_s, ("all",), nothing),
        ]
    row = order[at]
    known = key[row] == ended
    step = (_column(end, "t_s").astype(np.int64) - begin_s) // step_s
    known &= (step >= 0) & (step < n)
    delay = (_column(end, "duration_s") - _column(start, "expected_s")[row]) / 60.0
    fine = known & np.isfinite(delay)
    due = known & (_column(start, "due_s")[row] >= 0)
    late = _column(end, "late_s") > LATE_S
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(step[fine], delay[fine], minlength=n) / np.bincount(step[fine], minlength=n)
        share = 100.0 * np.bincount(step[due], late[due], minlength=n) / np.bincount(step[due], minlength=n)
    return [
        Series("delay", "minutes", step_s, ("all",), mean[None, :]),
        Series("late_share", "percent", step_s, ("all",), share[None, :]),
    ]


def counts(facts: Facts) -> dict[str, int]:
    """Return how many facts of each kind there are."""
    table = facts.table(None, ["fact"])
    return {v["values"]: v["counts"] for v in pc.value_counts(table["fact"]).to_pylist()}
