"""Ways and times of units under their permits: one :class:`Streets` for each set of permits in force."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.control.mobility.permits import Grant
from twin.control.mobility.streets import Streets
from twin.domain.messages import ClosureReport, Message, RoadMap
from twin.domain.mobility import TravelTimes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Ways:
    """The map with what is allowed to whom."""

    def __init__(self) -> None:
        self.base = Streets()  # without permits
        self._by_permits: dict[tuple[str, ...], Streets] = {}
        self._map: RoadMap | None = None
        self._times: TravelTimes | None = None
        self._closures: dict[int, ClosureReport] = {}
        self._next: dict[int, list[int]] = {}

    @property
    def known(self) -> bool:
        """Whether the map has come."""
        return self.base.known

    def take(self, message: Message) -> bool:
        """Take in a message about streets; False if it is about something else."""
        if isinstance(message, RoadMap):
            self._map = message
            self._next = {}
            for a, b in zip(message.turn_from.tolist(), message.turn_to.tolist(), strict=True):
                self._next.setdefault(a, []).append(b)
        elif isinstance(message, TravelTimes):
            self._times = message
        elif isinstance(message, ClosureReport):
            self._closures[message.road] = message
        return all(streets.take(message) for streets in (self.base, *self._by_permits.values()))

    def under(self, grant: Grant, speed_m_s: float) -> Streets:
        """Return the streets as a unit with a grant may use them, at most at ``speed_m_s``."""
        streets = self._by_permits.get(grant.permits)
        if streets is None:
            streets = self._by_permits[grant.permits] = Streets()
            for message in (self._map, self._times, *(self._closures[r] for r in sorted(self._closures))):
                if message is not None:
                    streets.take(message)
        streets.permit(grant.roads, min(grant.speed_m_s, speed_m_s))
        return streets

    def follows(self, a: int, b: int) -> bool:
        """Return whether a turn leads from road a straight into road b."""
        return b in self._next.get(a, ())

    def round_to(self, streets: Streets, road: int) -> tuple[float, list[int]]:
        """Return time (s) and way from the end of a road to its own beginning, without the road; inf and []: none."""
        shut, road_s = streets.shut(), streets.road_s()
        best, way = float("inf"), list[int]()
        for after in self._next.get(road, ()):
            if after == road or shut[after]:
                continue
            there = float(streets.times(np.asarray([after]), np.asarray([road]))[0, 0]) - float(road_s[road])
            if there + float(road_s[after]) < best:
                best, way = there + float(road_s[after]), streets.way(after, road).tolist()[:-1]
        return best, way

    def transit_s(self, streets: Streets, from_roads: npt.ArrayLike, to_roads: npt.ArrayLike) -> Floats:
        """Return seconds from the end of roads to the beginning of others, shape (from, to); inf: no way."""
        a = np.atleast_1d(np.asarray(from_roads, dtype=np.int64))
        b = np.atleast_1d(np.asarray(to_roads, dtype=np.int64))
        out = streets.times(a, b) - streets.road_s()[b][None, :]
        out = np.maximum(out, 0.0)
        out[out < 1e-3] = 0.0
        if a.size > 1 and np.array_equal(a, b):
            np.fill_diagonal(out, np.inf)  # a tour does not go from a road to itself
        else:
            for i, j in zip(*np.nonzero(a[:, None] == b[None, :]), strict=True):
                out[i, j] = self.round_to(streets, int(a[i]))[0]
        return out
