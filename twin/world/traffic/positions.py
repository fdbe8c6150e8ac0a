"""Positions of vehicles in a file of the same columns as SUMO's own Parquet FCD output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo.city import City
from twin.world.traffic.plans import Plan
from twin.world.traffic.ports import Floats, Ints

SCHEMA = pa.schema(
    [
        ("timestep_time", pa.float64()),
        ("vehicle_id", pa.string()),
        ("vehicle_x", pa.float64()),
        ("vehicle_y", pa.float64()),
        ("vehicle_speed", pa.float32()),
        ("vehicle_edge", pa.string()),
    ]
)
_GROUP = 200_000
_FAR = 1e8


class PositionFile:
    """Samples plans every ``period_s`` seconds; complete after :meth:`close`."""

    def __init__(self, file: Path, period_s: int, city: City) -> None:
        self._period = int(period_s)
        self._writer = pq.ParquetWriter(file, SCHEMA, compression="zstd")
        self._edges = pa.array(city.roads["edge"].tolist())
        self._shapes = RoadShapes(city)
        self._tables: list[pa.Table] = []
        self._rows = 0

    def next_s(self, from_s: int) -> int:
        """Return the first sampling second at or after ``from_s``."""
        return -(-from_s // self._period) * self._period

    def sample(self, now_s: int, plans: list[tuple[int, Plan]]) -> None:
        """Write where the vehicles of ``plans`` (number, plan) are at ``now_s``."""
        if not plans:
            return
        counts = np.array([len(p.t) for _, p in plans])
        t = np.concatenate([p.t for _, p in plans])
        d = np.concatenate([p.d for _, p in plans])
        base = np.concatenate([[0], np.cumsum(counts)])[:-1]
        key = np.minimum(t, _FAR - 1.0) + np.repeat(np.arange(len(plans)) * _FAR, counts)
        j = np.searchsorted(key, now_s + np.arange(len(plans)) * _FAR, side="right") - 1
        j = np.clip(j, base, base + counts - 2)
        with np.errstate(invalid="ignore"):
            span_s = t[j + 1] - t[j]
        moving = np.isfinite(span_s) & (span_s > 0)
        span_s = np.where(moving, span_s, 1.0)
        gone = np.where(moving, d[j + 1] - d[j], 0.0)
        along = d[j] + np.clip((now_s - t[j]) / span_s, 0.0, 1.0) * gone
        # breakpoint → road: entries of all plans in one rising row
        entries = np.array([len(p.entry) for _, p in plans])
        first = np.concatenate([[0], np.cumsum(entries)])[:-1]
        rising = np.concatenate([p.entry for _, p in plans]) + np.repeat(base, entries)
        k = np.maximum(np.searchsorted(rising, j, side="right") - 1, first)
        road = np.concatenate([p.roads for _, p in plans])[k].astype(np.int64)
        begin = np.concatenate([p.begin_m for _, p in plans])[k]
        x, y = self._shapes.at(road, along - begin)
        self._tables.append(
            pa.table(
                [
                    pa.array(np.full(len(plans), float(now_s))),
                    pa.array([str(v) for v, _ in plans]),
                    pa.array(x),
                    pa.array(y),
                    pa.array((gone / span_s).astype(np.float32)),
                    self._edges.take(pa.array(road)),
                ],
                schema=SCHEMA,
            )
        )
        self._rows += len(plans)
        if self._rows >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._tables:
            self._writer.write_table(pa.concat_tables(self._tables))
        self._tables, self._rows = [], 0

    def close(self) -> None:
        """Write what is left and finish the file."""
        self._flush()
        self._writer.close()


class RoadShapes:
    """Points along roads, many at once, in SUMO's own coordinates."""

    def __init__(self, city: City) -> None:
        lines = city.roads.geometry.to_numpy()
        points = shapely.get_coordinates(lines)
        n = shapely.get_num_coordinates(lines)
        first = np.concatenate([[0], np.cumsum(n)])[:-1]
        step = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T)])
        step[first] = 0.0
        self._x, self._y = points[:, 0] + city.net_offset[0], points[:, 1] + city.net_offset[1]
        self._along = np.cumsum(step)
        self._first, self._last = first, first + n - 1
        drawn = self._along[self._last] - self._along[first]
        self._scale = drawn / np.maximum(city.roads["length_m"].to_numpy(np.float64), 0.1)

    def at(self, road: Ints, pos_m: Floats) -> tuple[Floats, Floats]:
        """Return x, y of the points ``pos_m`` along roads; drawn and stated length may differ."""
        target = self._along[self._first[road]] + np.clip(pos_m * self._scale[road], 0.0, None)
        j = np.clip(np.searchsorted(self._along, target, side="right") - 1, self._first[road], self._last[road] - 1)
        span = np.maximum(self._along[j + 1] - self._along[j], 1e-9)
        part = np.clip((target - self._along[j]) / span, 0.0, 1.0)
        x = self._x[j] + part * (self._x[j + 1] - self._x[j])
        y = self._y[j] + part * (self._y[j + 1] - self._y[j])
        return np.asarray(x), np.asarray(y)
