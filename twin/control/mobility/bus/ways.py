"""What the bus desk knows of streets and stops: times and metres between points, for each kind of permit.

A *point* is a road and a position on it. Unlike :class:`Streets`, which counts whole roads, times here are from
point to point, with the seconds for pulling out, in whole seconds rounded up; a point further back on the same
road is reached by a loop.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from twin.control.mobility.bus.ports import Row
from twin.control.mobility.permits import Bools, Grant
from twin.control.mobility.streets import Streets
from twin.domain.messages import ClosureReport, Message, RoadMap
from twin.domain.mobility import PlaceChanged, Places, TravelTimes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
REFRESH_S = 300  # travel times told more often than this are taken over at this pace; all rows are reckoned anew then
Table = tuple[Row, ...]


class Ways:
    """Times and ways for the buses of one permit and top speed. ``serial`` rises when they may have changed."""

    def __init__(self, told: list[Message], after: dict[int, Ints], allowed: Bools | None, top_m_s: float) -> None:
        self._streets = Streets()
        self._streets.permit(allowed, top_m_s)
        for message in told:
            self._streets.take(message)
        self._after = after
        self._road: Ints = np.empty(0, dtype=np.int64)
        self._pos_m: Floats = np.empty(0)
        self._pull_out_s = 0
        self._rows: dict[tuple[int, float], tuple[Row, Row]] = {}
        self._columns: dict[tuple[int, float], tuple[Row, Row]] = {}
        self._table: tuple[Table, Table] | None = None
        self.serial = 0

    def take(self, message: Message) -> None:
        """Take in travel times or a closure."""
        before = self._streets.version
        self._streets.take(message)
        if self._streets.version != before:
            self._forget()

    def stand(self, road: Ints, pos_m: Floats, pull_out_s: int) -> None:
        """Set where the stops are, and how long pulling out takes."""
        self._road, self._pos_m, self._pull_out_s = road, pos_m, pull_out_s
        self._forget()

    def _forget(self) -> None:
        self._rows.clear()
        self._columns.clear()
        self._table = None
        self.serial += 1

    def table(self) -> tuple[Table, Table]:
        """Return seconds and metres from stop to stop."""
        if self._table is None:
            time_s, metre_m = self._between(self._road, self._pos_m, self._road, self._pos_m)
            self._table = (tuple(map(_row, time_s)), tuple(map(_row, metre_m)))
        return self._table

    def row(self, road: int, pos_m: float) -> tuple[Row, Row]:
        """Return seconds and metres from a point to each stop."""
        key = (road, pos_m)
        if key not in self._rows:
            a, p = np.asarray([road], dtype=np.int64), np.asarray([pos_m])
            time_s, metre_m = self._between(a, p, self._road, self._pos_m)
            self._rows[key] = (_row(time_s[0]), _row(metre_m[0]))
        return self._rows[key]

    def column(self, road: int, pos_m: float) -> tuple[Row, Row]:
        """Return seconds and metres from each stop to a point."""
        key = (road, pos_m)
        if key not in self._columns:
            b, p = np.asarray([road], dtype=np.int64), np.asarray([pos_m])
            time_s, metre_m = self._between(self._road, self._pos_m, b, p)
            self._columns[key] = (_row(time_s[:, 0]), _row(metre_m[:, 0]))
        return self._columns[key]

    def leg(self, road: int, pos_m: float, to_road: int, to_pos_m: float) -> tuple[float, float]:
        """Return seconds and metres from point to point."""
        time_s, metre_m = self._between(
            np.asarray([road], dtype=np.int64), np.asarray([pos_m]), np.asarray([to_road], dtype=np.int64),
            np.asarray([to_pos_m]),
        )  # fmt: skip
        return float(time_s[0, 0]), float(metre_m[0, 0])

    def way(self, road: int, pos_m: float, to_road: int, to_pos_m: float) -> Ints:
        """Return the roads of the quickest way, both ends included; empty where there is none."""
        if road != to_road:
            return self._streets.way(road, to_road)
        if to_pos_m >= pos_m:
            return np.asarray([road], dtype=np.int64)
        start, _, _ = self._loop(road)
        if start < 0:
            return np.empty(0, dtype=np.int64)
        return np.concatenate([np.asarray([road], dtype=np.int64), self._streets.way(start, road)])

    def left_s(self, roads: Ints, at: int, pos_m: float, end_pos_m: float) -> float:
        """Return the seconds still to drive on a leg when at ``pos_m`` of its ``at``-th road."""
        time_s, length_m = self._streets.road_s(), self._streets.length_m
        whole = float(time_s[roads[at:]].sum())
        first, last = int(roads[at]), int(roads[-1])
        return max(
            0.0,
            whole
            - float(time_s[first]) * min(1.0, pos_m / max(float(length_m[first]), 1.0))
            - float(time_s[last]) * (1.0 - min(1.0, end_pos_m / max(float(length_m[last]), 1.0))),
        )

    def shut(self) -> Bools:
        """Roads that must not be entered."""
        return self._streets.shut()

    def _between(self, ra: Ints, pa: Floats, rb: Ints, pb: Floats) -> tuple[Floats, Floats]:
        if not ra.size or not rb.size:
            return np.zeros((ra.size, rb.size)), np.zeros((ra.size, rb.size))
        streets = self._streets
        road_s, length = streets.road_s(), np.maximum(streets.length_m, 1e-3)
        shut = streets.shut()
        time_s, metre_m = streets.times(ra, rb), streets.distances(ra, rb)
        for i, j in zip(*np.nonzero(ra[:, None] == rb[None, :]), strict=True):
            if pb[j] >= pa[i]:
                time_s[i, j], metre_m[i, j] = road_s[rb[j]], length[rb[j]]
            else:
                _, time_s[i, j], metre_m[i, j] = self._loop(int(ra[i]))
        # from the whole first road and the whole last one to the points; on one road both are the same road
        share_a, share_b = pa / length[ra], 1.0 - pb / length[rb]
        one_road = ra[:, None] == rb[None, :]
        same = one_road & (pb[None, :] >= pa[:, None])
        rest = np.where(same, 0.0, road_s[ra][:, None])
        rest_m = np.where(same, 0.0, length[ra][:, None])
        time_s = time_s + rest - (share_a * road_s[ra])[:, None] - (share_b * road_s[rb])[None, :]
        metre_m = metre_m + rest_m - pa[:, None] - (length[rb] - pb)[None, :]
        time_s = np.where(shut[rb][None, :] & ~same, np.inf, time_s)
        time_s = np.where(np.isfinite(time_s), np.ceil(np.maximum(time_s, 0.0) - 1e-6) + self._pull_out_s, np.inf)
        here = one_road & (np.abs(pa[:, None] - pb[None, :]) < 1e-9)
        return np.where(here, 0.0, time_s), np.where(here, 0.0, np.maximum(metre_m, 0.0))

    def _loop(self, road: int) -> tuple[int, float, float]:
        """Return the first road of the quickest loop back to the start of a road's end, its seconds and metres."""
        best = (-1, math.inf, math.inf)
        road_s, shut = self._streets.road_s(), self._streets.shut()
        to = np.asarray([road], dtype=np.int64)
        for start in self._after.get(road, np.empty(0, dtype=np.int64)).tolist():
            if shut[start] or start == road:
                continue
            a = np.asarray([start], dtype=np.int64)
            seconds = float(road_s[start] + self._streets.times(a, to)[0, 0])
            if seconds < best[1]:
                metres = float(self._streets.length_m[start] + self._streets.distances(a, to)[0, 0])
                best = (start, seconds, metres)
        return best


class Atlas:
    """Stops and streets as told by messages; hands out the :class:`Ways` of a grant."""

    def __init__(self) -> None:
        self.stops: tuple[str, ...] = ()
        self.road: Ints = np.empty(0, dtype=np.int64)
        self.pos_m: Floats = np.empty(0)
        self.x_m: Floats = np.empty(0)
        self.y_m: Floats = np.empty(0)
        self.row_of: dict[str, int] = {}
        self.shut_places: set[str] = set()
        self.closed: set[int] = set()
        self.roads = 0
        self._map: RoadMap | None = None
        self._times: TravelTimes | None = None
        self._taken_s = -REFRESH_S
        self._closures: dict[int, ClosureReport] = {}
        self._after: dict[int, Ints] = {}
        self._ways: dict[tuple[bytes, float], Ways] = {}
        self._pull_out_s = 0
        self._used: TravelTimes | None = None
        self.is_open: tuple[bool, ...] = ()

    @property
    def known(self) -> bool:
        """Whether map and stops have come."""
        return self._map is not None and bool(self.stops)

    def take(self, now_s: int, message: Message) -> bool:
        """Take in a message about streets or stops; False if it is about something else."""
        if isinstance(message, RoadMap):
            self._map, self.roads = message, int(message.road.max(initial=-1)) + 1
            order = np.argsort(message.turn_from, kind="stable")
            heads, first = np.unique(message.turn_from[order], return_index=True)
            tails = np.split(message.turn_to[order], first[1:])
            self._after = {int(h): np.sort(t) for h, t in zip(heads.tolist(), tails, strict=bool(heads.size))}
            self._ways.clear()
        elif isinstance(message, TravelTimes):
            self._times = message
            self.refresh(now_s)
        elif isinstance(message, ClosureReport):
            self._closures[message.road] = message
            (self.closed.add if message.closed else self.closed.discard)(message.road)
            for ways in self._ways.values():
                ways.take(message)
        elif isinstance(message, Places) and message.kind == "stop":
            self.stops = message.place
            self.road, self.pos_m = message.road.astype(np.int64), message.pos_m.astype(np.float64)
            self.x_m, self.y_m = message.x_m, message.y_m
            self.row_of = {place: row for row, place in enumerate(message.place)}
            self._ways.clear()
        elif isinstance(message, PlaceChanged):
            (self.shut_places.discard if message.open else self.shut_places.add)(message.place)
        else:
            return False
        self.is_open = tuple(
            place not in self.shut_places and int(road) not in self.closed
            for place, road in zip(self.stops, self.road.tolist(), strict=True)
        )
        return True

    def refresh(self, now_s: int) -> None:
        """Take over travel times that were told, unless that was done just before."""
        if self._times is None or now_s - self._taken_s < REFRESH_S:
            return
        for ways in self._ways.values():
            ways.take(self._times)
        self._taken_s, self._used, self._times = now_s, self._times, None

    def stop_at(self, road: int, pos_m: float, near_m: float) -> int:
        """Return the stop at a point, -1 if there is none within ``near_m`` of it on the same road."""
        here = np.flatnonzero((self.road == road) & (np.abs(self.pos_m - pos_m) <= near_m))
        return int(here[np.argmin(np.abs(self.pos_m[here] - pos_m))]) if here.size else -1

    def pull_out(self, seconds: int) -> None:
        """Set the seconds for pulling out."""
        self._pull_out_s = seconds
        for ways in self._ways.values():
            ways.stand(self.road, self.pos_m, seconds)

    def ways(self, grant: Grant, speed_m_s: float) -> Ways:
        """Return the ways of buses with a grant that drive at most ``speed_m_s``."""
        assert self._map is not None, "the road map has not come yet"
        top = min(grant.speed_m_s, speed_m_s)
        key = (b"" if grant.roads is None else np.packbits(grant.roads).tobytes(), top)
        if key not in self._ways:
            told: list[Message] = [self._map, *(self._closures[r] for r in sorted(self._closures))]
            if self._used is not None:
                told.append(self._used)
            ways = Ways(told, self._after, grant.roads, top)
            ways.stand(self.road, self.pos_m, self._pull_out_s)
            self._ways[key] = ways
        return self._ways[key]


def _row(values: Floats) -> Row:
    return tuple(values.tolist())
