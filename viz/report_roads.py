"""Vehicles by road of a run, from the ways in ``routes.parquet``; and their mean difference over pairs of runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Floats = npt.NDArray[np.float64]
CLEAR_T = 3.0  # |t| from which a road's difference is drawn as clear; thousands of roads are not tested one by one


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


def mean_difference(pairs: Sequence[tuple[Path, Path]], roads: int) -> tuple[Floats, npt.NDArray[np.bool_], int]:
    """Return (mean difference of vehicles by road, where it is clear, pairs used) over (base, variant) run folders."""
    rows = []
    for base, variant in pairs:
        if (base / "routes.parquet").is_file() and (variant / "routes.parquet").is_file():
            rows.append(vehicles_by_road(variant, roads) - vehicles_by_road(base, roads))
    if not rows:
        return np.zeros(roads), np.zeros(roads, dtype=bool), 0
    d = np.vstack(rows)
    mean = d.mean(axis=0)
    if len(rows) < 3:
        return mean, np.abs(mean) >= 1, len(rows)
    error = d.std(axis=0, ddof=1) / np.sqrt(len(rows))
    return mean, (np.abs(mean) > CLEAR_T * error) & (mean != 0), len(rows)
