"""Road detectors: what the roads into signalised junctions report every few minutes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.domain.messages import DetectorReadings, RoadMap
from twin.events import DetectorRead
from twin.log import Log
from twin.world.traffic.ports import Traffic

Ints = npt.NDArray[np.int64]

PERIOD_S = 300
CLASSES = ("motorway", "trunk", "primary", "secondary")
MOST = 200
SHORTEST_M = 100.0


def detector_roads(city: City) -> Ints:
    """Return the roads with a detector: roads of the upper classes that lead into a signal, at most ``MOST``.

    A city with few such roads gets detectors on every road into a signal.
    """
    roads = city.roads
    signals = set(city.junctions.loc[city.junctions["signal"].to_numpy(bool), "node"])
    into = roads["to_node"].isin(signals).to_numpy() & roads["car"].to_numpy(bool)
    into &= roads["length_m"].to_numpy() >= SHORTEST_M
    upper = into & roads["road_class"].isin(CLASSES).to_numpy()
    chosen = np.flatnonzero(upper if upper.sum() >= 8 else into)
    if chosen.size > MOST:  # the widest first, then the longest
        order = np.lexsort((-roads["length_m"].to_numpy()[chosen], -roads["lanes"].to_numpy()[chosen]))
        chosen = np.sort(chosen[order[:MOST]])
    return chosen.astype(np.int64)


def road_map(city: City, t_s: int) -> RoadMap:
    """Return the message that tells a controller the roads of the city."""
    roads, turns = city.roads, city.turns
    n = len(roads)
    return RoadMap(
        t_s=t_s,
        key="map/1",
        road=np.arange(n, dtype=np.int64),
        length_m=roads["length_m"].to_numpy(np.float64),
        limit_m_s=roads["speed_m_s"].to_numpy(np.float64),
        lanes=roads["lanes"].to_numpy(np.int64),
        turn_from=turns["from_road"].to_numpy(np.int64),
        turn_to=turns["to_road"].to_numpy(np.int64),
    )


class Detectors:
    """Reads the detectors of a city and logs what they perceived."""

    def __init__(self, city: City, traffic: Traffic, log: Log, period_s: int = PERIOD_S) -> None:
        self.roads = detector_roads(city)
        self.period_s = period_s
        self._traffic, self._log = traffic, log
        if self.roads.size:
            traffic.watch(self.roads)

    def read(self, now_s: int) -> DetectorReadings:
        """Return the readings of the interval that ends now."""
        r = self._traffic.read()
        self._log.add(
            DetectorRead,
            t_s=np.full(r.road.size, now_s),
            road=r.road,
            count=r.count,
            speed_m_s=r.speed_m_s,
            occupancy=r.occupancy,
        )
        return DetectorReadings(now_s, f"detectors/{now_s}", self.period_s, r.road, r.count, r.speed_m_s, r.occupancy)
