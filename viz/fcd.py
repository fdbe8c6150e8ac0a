"""SUMO's own floating-car data as columns: who was where, second by second of the sampling.

The file is written by SUMO (``--fcd-output x.parquet``) or by the free-flow stand-in; text columns are read as
dictionaries so that each distinct lane and vehicle is looked at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from viz.errors import MapError

if TYPE_CHECKING:
    from geo.city import City

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Samples:
    """Positions sorted by vehicle, then time; one row per vehicle and sampled second.

    ``vehicle``: vehicle numbers; ``t_s``: seconds since midnight of the first day; ``road``: road index;
    ``share``: how far along the road, 0..1; ``period_s``: the usual time between two samples.
    """

    vehicle: Ints
    t_s: Floats
    road: npt.NDArray[np.int32]
    share: Floats
    period_s: float
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.vehicle)


def read(file: Path, city: City) -> Samples:
    """Read ``fcd.parquet``. Needs time, id, lane or edge, and position or x, y.

    Samples on junctions (SUMO's internal lanes) are left out: the way between two roads is known. Raises
    :class:`MapError` when the file is missing, is not FCD, or names a road the city does not have.
    """
    try:
        found = set(pq.read_schema(file).names)
    except FileNotFoundError:
        raise MapError(f"{file}: missing; the map needs the positions that the run writes") from None
    except pa.ArrowInvalid as error:
        raise MapError(f"{file}: not readable as Parquet ({error}); was the run interrupted? Run it again") from None
    where = [c for c in ("vehicle_edge", "vehicle_lane") if c in found]
    for need in ("timestep_time", "vehicle_id"):
        if need not in found:
            raise MapError(f"{file}: has no column '{need}'; expected SUMO's FCD output")
    along = ["vehicle_pos"] if "vehicle_pos" in found else ["vehicle_x", "vehicle_y"]
    if not where or not set(along) <= found:
        raise MapError(f"{file}: needs vehicle_lane or vehicle_edge, and vehicle_pos or vehicle_x and vehicle_y")
    table = pq.read_table(
        file, columns=["timestep_time", "vehicle_id", *where, *along], read_dictionary=["vehicle_id", *where]
    )
    return _samples(table, where, city, file)


def _samples(table: pa.Table, where: list[str], city: City, file: Path) -> Samples:
    # a vehicle that has not entered yet may leave a row of nulls
    ids, id_names = _codes(table["vehicle_id"])
    t = table["timestep_time"].to_numpy().astype(np.float64)
    numbers = np.array([_number(name, file) for name in id_names], dtype=np.int64)
    road = np.full(len(t), -1, dtype=np.int32)
    for column in where:  # SUMO fills the edge in meso and the lane in micro
        codes, names = _codes(table[column])
        if names:
            known = np.array([_road(n, column == "vehicle_lane", city, file) for n in names], dtype=np.int32)
            road = np.where((road < 0) & (codes >= 0), known[codes], road)
    ok = (ids >= 0) & (road >= 0)
    number_rank = np.argsort(np.argsort(numbers, kind="stable"), kind="stable").astype(np.int32)
    rows = np.flatnonzero(ok)
    rank = number_rank[ids[rows]] if len(rows) else np.empty(0, np.int32)
    if rows.size and (np.diff(t[rows]) < 0).any():
        order = np.lexsort((t[rows], rank))
    else:
        order = np.argsort(rank, kind="stable")
    rows = rows[order]
    vehicle, t, road = numbers[ids[rows]], t[rows], road[rows]
    if "vehicle_pos" in table.column_names:
        length = city.roads["length_m"].to_numpy(np.float64)[road]
        share = table["vehicle_pos"].to_numpy()[rows].astype(np.float64) / np.maximum(length, 0.1)
    else:
        share = _project(table, rows, road, city)
    again = np.zeros(len(rows), dtype=bool)
    again[1:] = (vehicle[1:] == vehicle[:-1]) & (t[1:] <= t[:-1])
    keep = ~again
    vehicle, t, road, share = vehicle[keep], t[keep], road[keep], np.clip(share[keep], 0.0, 1.0)
    same = vehicle[1:] == vehicle[:-1]
    period = float(np.median(np.diff(t)[same])) if same.any() else 1.0
    return Samples(vehicle, t, road, share, period, int(len(ok) - len(vehicle)))


def _codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Return (code per row, −1 where null; the names)."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    whole: Any = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        if whole.num_chunks == 0:
            return np.empty(0, np.int32), []
        whole = whole.chunk(0)
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return codes, whole.dictionary.to_pylist()


def _number(name: str, file: Path) -> int:
    try:
        return int(name)
    except ValueError:
        raise MapError(f"{file}: vehicle_id '{name}' is not a vehicle number") from None


def _road(name: str, is_lane: bool, city: City, file: Path) -> int:
    if name.startswith(":") or not name:
        return -1
    edge = name.rpartition("_")[0] if is_lane else name
    road = city.road_index.get(edge)
    if road is None:
        raise MapError(f"{file}: road '{edge}' is not in the city '{city.name}'; was the city built anew?")
    return road


def _project(table: pa.Table, rows: Ints, road: npt.NDArray[np.int32], city: City) -> Floats:
    """Return the share along its road's line of the point nearest to each x, y.

    Plain arithmetic over the segments of the lines, in pieces that fit the processor's cache: making millions of
    point objects for a geometry library takes ten times as long.
    """
    import shapely

    xy, owner = shapely.get_coordinates(city.roads.geometry.to_numpy(), return_index=True)
    first = np.searchsorted(owner, np.arange(len(city.roads)))
    segments = np.bincount(owner, minlength=len(city.roads)) - 1
    length = np.hypot(*np.diff(xy, axis=0).T)
    length[np.diff(owner) != 0] = 0.0
    along = np.concatenate([[0.0], np.cumsum(length)])
    x = table["vehicle_x"].to_numpy()[rows] - city.net_offset[0]
    y = table["vehicle_y"].to_numpy()[rows] - city.net_offset[1]
    out = np.empty(len(rows))
    for i in range(0, len(rows), _CHUNK):
        part = slice(i, i + _CHUNK)
        out[part] = _nearest(x[part], y[part], road[part], (xy, first, segments, along))
    return out


def _nearest(x: Floats, y: Floats, road: npt.NDArray[np.int32], lines: tuple[Any, ...]) -> Floats:
    xy, first, segments, along = lines
    best, share = np.full(len(x), np.inf), np.zeros(len(x))
    begin, whole = along[first[road]], along[first[road] + segments[road]]
    who = np.arange(len(x))
    for k in range(int(segments[road].max(initial=0))):
        who = who[segments[road[who]] > k]
        at = first[road[who]] + k
        ax, ay = xy[at, 0], xy[at, 1]
        dx, dy = xy[at + 1, 0] - ax, xy[at + 1, 1] - ay
        px, py = x[who] - ax, y[who] - ay
        f = np.clip((px * dx + py * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
        far = (px - f * dx) ** 2 + (py - f * dy) ** 2
        nearer = far < best[who]
        hit, at, f = who[nearer], at[nearer], f[nearer]
        best[hit] = far[nearer]
        share[hit] = along[at] + f * (along[at + 1] - along[at]) - begin[hit]
    return np.asarray(share / np.maximum(whole - begin, 1e-9))
