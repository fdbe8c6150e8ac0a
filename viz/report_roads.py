"""What differs on which road between pairs of runs: vehicles, mean speed, delay.

Vehicles follow from the ways in ``routes.parquet``, of every pair. Speed and delay follow from recorded positions where
both runs of a pair have some (``twin compare --record N``), for all roads; otherwise from the detectors' readings in
the log, for the roads that have one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import t as student

from geo.city import City
from twin.events import DetectorRead
from twin.log import Facts
from twin.world.sensors.detectors import PERIOD_S

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Pairs = Sequence[tuple[Path, Path]]
CLEAR_P = 0.0027  # a road's difference is drawn as clear below this p (3 sigma); roads are not tested as a family
LEAST = 1.0  # with fewer than three pairs: the difference from which it is drawn (a vehicle, 1 km/h, a minute)
MOST_RECORDED = 6  # pairs whose positions are read: each takes seconds


@dataclass(frozen=True)
class Change:
    """What differs by road, each of shape (roads,): mean difference, whether it is clear, whether anything is known.

    ``pairs``: pairs of runs it is the mean of. ``recorded``: from recorded positions, not from detectors.
    """

    difference: Floats
    clear: Bools
    known: Bools
    pairs: int
    recorded: bool = False

    @property
    def shown(self) -> Floats:
        """Size of what is clear, 0 elsewhere."""
        return np.abs(self.difference) * self.clear


def changes(pairs: Pairs, city: City) -> dict[str, Change]:
    """Return the changes by name: ``vehicles`` (a run), ``speed`` (km/h), ``delay`` (vehicle minutes a run).

    pairs: (base's run folder, variant's). A measure of which nothing is known in any pair is not there.
    """
    both = [p for p in pairs if all((f / "routes.parquet").is_file() for f in p)]
    n = len(city.roads)
    found = {"vehicles": mean_change(both, lambda folder: (vehicles_by_road(folder, n),))[0]} if both else {}
    recorded = [p for p in pairs if all((f / "fcd.parquet").is_file() for f in p)][:MOST_RECORDED]
    read = _recorded if recorded else _detected
    speed, delay = mean_change(recorded or list(pairs), lambda folder: read(folder, city), bool(recorded))
    if speed.known.any():
        found |= {"speed": speed, "delay": delay}
    return found


def mean_change(
    pairs: Pairs, values: Callable[[Path], tuple[Floats, ...]], recorded: bool = False
) -> tuple[Change, ...]:
    """Return the mean difference over pairs of each value by road; unknown where a run has none."""
    rows = [[v - b for b, v in zip(values(base), values(variant), strict=True)] for base, variant in pairs]
    return tuple(_change(np.vstack(of), recorded) for of in zip(*rows, strict=True))


def _change(d: Floats, recorded: bool) -> Change:
    known: Bools = np.all(np.isfinite(d), axis=0)
    d = np.where(known, d, 0.0)
    mean = d.mean(axis=0)
    if len(d) < 3:
        clear = np.abs(mean) >= LEAST
    else:
        error = d.std(axis=0, ddof=1) / np.sqrt(len(d))
        limit = float(student.ppf(1 - CLEAR_P / 2, len(d) - 1))
        clear = (np.abs(mean) > limit * error) & (np.abs(mean) > 1e-9)
    return Change(mean, clear, known, len(d), recorded)


# -- vehicles --------------------------------------------------------------------------------------------


def vehicles_by_road(folder: Path, roads: int) -> Floats:
    """Return how many vehicles' ways hold each road; a new way replaces the rest of the old one."""
    table = pq.read_table(folder / "routes.parquet", columns=["vehicle", "roads"])
    lists = table["roads"].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0) if lists.num_chunks else pa.array([], pa.list_(pa.int32()))
    vehicle = table["vehicle"].to_numpy()
    lengths = lists.value_lengths().fill_null(0).to_numpy().astype(np.int64)
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    count = np.bincount(flat[(flat >= 0) & (flat < roads)], minlength=roads).astype(np.float64)
    unique, times = np.unique(vehicle, return_counts=True)
    again = set(unique[times > 1].tolist())
    if not again:
        return count
    ends = np.cumsum(lengths)
    ways: dict[int, list[int]] = {}
    for i in np.flatnonzero(np.isin(vehicle, list(again))).tolist():
        new = flat[ends[i] - lengths[i] : ends[i]].tolist()
        old = ways.get(int(vehicle[i]))
        for road in new:
            count[road] -= 1
        if old is None:
            ways[int(vehicle[i])] = new
        elif new:
            at = old.index(new[0]) if new[0] in old else len(old)
            ways[int(vehicle[i])] = old[:at] + new
    for way in ways.values():
        for road in way:
            count[road] += 1
    return count


# -- speed and delay ---------------------------------------------------------------------------------------


def _measures(city: City) -> tuple[Floats, Floats]:
    """Return length in m and time without anybody else in s, by road."""
    length = city.roads["length_m"].to_numpy(np.float64)
    return length, length / city.roads["speed_m_s"].to_numpy(np.float64)


def _detected(folder: Path, city: City) -> tuple[Floats, Floats]:
    """Return (mean speed in km/h, delay in vehicle minutes) of the run at the roads with a detector, nan elsewhere.

    Vehicles that came in an interval took the road's length at the interval's speed, at most the interval.
    """
    length, free_s = _measures(city)
    n = length.size
    table = Facts.read(folder).table(DetectorRead, ["road", "count", "speed_m_s"])
    road, count, speed = (table[c].to_numpy() for c in table.column_names)
    ok = (count > 0) & np.isfinite(speed)
    road, count, speed = road[ok].astype(np.int64), count[ok].astype(np.float64), speed[ok]
    with np.errstate(divide="ignore"):
        time_s = np.minimum(length[road] / speed, PERIOD_S)
    late_s = np.maximum(time_s - free_s[road], 0.0)
    time = np.bincount(road, count * time_s, minlength=n)
    metres = np.bincount(road, count * length[road], minlength=n)
    late = np.bincount(road, count * late_s, minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(time > 0, 3.6 * metres / time, np.nan), np.where(time > 0, late / 60, np.nan)


def _recorded(folder: Path, city: City) -> tuple[Floats, Floats]:
    """Return (mean speed in km/h, delay in vehicle minutes) of the run at the roads that were used, nan elsewhere."""
    from viz.map import time_on_roads

    seconds, metres = time_on_roads(folder)
    length, free_s = _measures(city)
    late = np.maximum(seconds - metres / length * free_s, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seconds > 0, 3.6 * metres / seconds, np.nan), np.where(seconds > 0, late / 60, np.nan)
