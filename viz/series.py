"""The small charts: series over the run, computed from the facts (and mean speed from the roads' state)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

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

    ``unit`` and ``name`` are keys of :mod:`viz.text`. ``stacked``: the parts add up. ``instant``: values are those of
    the beginning of each step, not of the whole step.
    """

    name: str
    unit: str
    step_s: int
    parts: tuple[str, ...]
    values: Floats
    stacked: bool = False
    instant: bool = False

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
    return Series("on_the_road", "vehicles", step_s, parts, values[used], stacked=True, instant=True)


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
    """Mean delay of the trips that ended in each step, and share of the trips due in it that came over 5 min late.

    Delay: minutes beyond the expected time. Late: by the moment the trip was due, so that a step in which only the late
    arrive does not look like one in which everybody was; a trip not there 5 min after its due time is late too.
    """
    start = facts.table("TripStarted", ["resident", "trip", "t_s", "due_s", "expected_s"])
    end = facts.table("TripEnded", ["t_s", "resident", "trip", "duration_s", "late_s"])
    n = _bins(begin_s, end_s, step_s)
    key, ended = _trip_key(start), _trip_key(end)
    order = np.argsort(key, kind="stable")
    mean, share = np.full(n, np.nan), np.full(n, np.nan)
    if len(key):
        row = order[np.minimum(np.searchsorted(key[order], ended), len(key) - 1)]
        known = key[row] == ended
        step = (_column(end, "t_s").astype(np.int64) - begin_s) // step_s
        delay = (_column(end, "duration_s") - _column(start, "expected_s")[row]) / 60.0
        fine = known & (step >= 0) & (step < n) & np.isfinite(delay)
        mean = _mean(step[fine], delay[fine], n)
        # a trip that never ended is late once its time is past
        due = _column(start, "due_s").astype(np.int64)
        late = np.where(due + LATE_S < end_s, 1.0, np.nan)
        late[row[known]] = _column(end, "late_s")[known] > LATE_S
        step = (due - begin_s) // step_s
        fine = (due >= 0) & (step >= 0) & (step < n) & np.isfinite(late)
        share = 100.0 * _mean(step[fine], late[fine], n)
    return [
        Series("delay", "minutes", step_s, ("all",), mean[None, :]),
        Series("late_share", "percent", step_s, ("all",), share[None, :]),
    ]


def _trip_key(table: Any) -> npt.NDArray[np.int64]:
    return np.asarray(_column(table, "resident").astype(np.int64) * 10**6 + _column(table, "trip").astype(np.int64))


def _mean(step: npt.NDArray[Any], values: Floats, n: int) -> Floats:
    """Mean of the values by step, nan where there are none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.bincount(step, values, minlength=n) / np.bincount(step, minlength=n))
