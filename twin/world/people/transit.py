"""Direct bus lines between blocks, for whole arrays of trips at once.

For each block and line: the nearest stop within walking distance, kept as a small table (blocks x lines). A
trip can go by bus if one line serves both ends in the right direction; the quickest such line is taken.
Nobody changes lines (assumed: with few lines, people walk or ride instead).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geo.city import City
from twin.world.people.settings import PeopleSettings
from twin.world.people.travel import Travel

Ints = npt.NDArray[Any]  # whole numbers
Floats = npt.NDArray[Any]

ACCESS_M = 800.0
_DETOUR = 1.3


@dataclass(frozen=True)
class BusTrips:
    """The best direct line of each trip, as columns; ``line`` -1 where there is none.

    ``board``/``alight``: positions in that line's list of stops; ``access_m``/``egress_m``: walks; ``wait_s``:
    expected wait (half the headway in the peak); ``ride_s``: time aboard; ``total_s``: door to door (inf if none).
    """

    line: Ints
    board: Ints
    alight: Ints
    access_m: Floats
    egress_m: Floats
    wait_s: Floats
    ride_s: Floats
    total_s: Floats

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> BusTrips:
        """Return some of the trips."""
        return BusTrips(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Transit:
    """All lines of a city against all its locations (blocks, then gates; rows as in :class:`Travel`).

    ``near_m``: walk to the line's nearest stop, shape (locations, lines), inf beyond 800 m; ``near_stop``: that
    stop's position along the line; ``along_s``: seconds from the first stop, one array per line.
    """

    travel: Travel
    near_m: npt.NDArray[np.float32]
    near_stop: npt.NDArray[np.int16]
    along_s: tuple[Floats, ...]
    half_headway_s: Floats
    first_s: Floats
    last_s: Floats
    served: npt.NDArray[np.bool_]  # per location: some line is near

    @classmethod
    def of(cls, city: City, travel: Travel, settings: PeopleSettings) -> Transit:
        """Build from ``city.bus_lines`` and the places of kind bus_stop (a line with unknown stops skips them)."""
        places = {name: i for i, name in enumerate(city.places["place"].tolist())}
        px = city.places.geometry.x.to_numpy(np.float64)
        py = city.places.geometry.y.to_numpy(np.float64)
        n, lines = len(travel.x_m), len(city.bus_lines)
        near_m = np.full((n, lines), np.inf, dtype=np.float32)
        near_stop = np.full((n, lines), -1, dtype=np.int16)
        points = np.column_stack([travel.x_m, travel.y_m])
        along: list[Floats] = []
        for k, stops in enumerate(city.bus_lines["stops"]):
            rows = np.array([places.get(str(s), -1) for s in stops], dtype=np.int64)
            known = np.flatnonzero(rows >= 0)
            seconds = np.zeros(len(rows))
            if known.size >= 2:
                x, y = px[rows[known]], py[rows[known]]
                gaps = np.hypot(np.diff(x), np.diff(y)) * _DETOUR / settings.bus_m_s
                seconds[known] = np.concatenate([[0.0], np.cumsum(gaps)])
                metres, at = cKDTree(np.column_stack([x, y])).query(points)
                close = metres * _DETOUR <= ACCESS_M
                near_m[close, k] = (metres * _DETOUR)[close]
                near_stop[close, k] = known[at[close]]
            along.append(seconds)
        table = city.bus_lines
        return cls(
            travel=travel,
            near_m=near_m,
            near_stop=near_stop,
            along_s=tuple(along),
            half_headway_s=np.minimum(table["peak_headway_s"].to_numpy(np.float64) / 2.0, 900.0),
            first_s=table["first_s"].to_numpy(np.float64),
            last_s=table["last_s"].to_numpy(np.float64),
            served=np.asarray(np.isfinite(near_m).any(axis=1), dtype=bool),
        )

    def best(self, origin: npt.ArrayLike, destination: npt.ArrayLike) -> BusTrips:
        """Return the quickest direct line for each pair of location codes (-1 as ``line`` where none)."""
        o, d = self.travel.rows(origin), self.travel.rows(destination)
        n = len(o)
        line = np.full(n, -1, dtype=np.int64)
        board, alight = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        walk_in, walk_out = np.full(n, np.inf), np.full(n, np.inf)
        wait, ride, total = np.full(n, np.inf), np.full(n, np.inf), np.full(n, np.inf)
        maybe = np.flatnonzero(self.served[o] & self.served[d] & (o != d))
        for k in range(len(self.along_s)):
            a, b = self.near_stop[o[maybe], k], self.near_stop[d[maybe], k]
            go = (a >= 0) & (b > a)
            rows = maybe[go]
            if rows.size == 0:
                continue
            a, b = a[go], b[go]
            m1, m2 = self.near_m[o[rows], k], self.near_m[d[rows], k]
            aboard = self.along_s[k][b] - self.along_s[k][a]
            whole = (m1 + m2) / self.travel.settings.walk_m_s + self.half_headway_s[k] + aboard
            better = whole < total[rows]
            r = rows[better]
            line[r], board[r], alight[r] = k, a[better], b[better]
            walk_in[r], walk_out[r] = m1[better], m2[better]
            wait[r], ride[r], total[r] = self.half_headway_s[k], aboard[better], whole[better]
        return BusTrips(line, board, alight, walk_in, walk_out, wait, ride, total)
