"""Public bus lines: timetables become buses that drive in SUMO and halt at their stops.

A line (a row of ``city.bus_lines``) runs from its first to its last departure, with the peak headway between
06:30–09:00 and 16:30–19:00 and the plain headway otherwise. Its route is the free-flow way from stop to stop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.city import City
from geo.network import Network, Routes
from twin.domain.ids import vehicle_number
from twin.world.traffic.ports import NewVehicles, Stop

Ints = npt.NDArray[np.int64]

DWELL_S = 20  # doors, boarding and clearance at an average stop: TCQSM 3rd ed. gives 10-30 s outside centres
PEAKS = ((6 * 3600 + 1800, 9 * 3600), (16 * 3600 + 1800, 19 * 3600))
DAY_S = 86400
_LINES = 1000  # lines per day in a bus number


@dataclass(frozen=True)
class BusLine:
    """One direction of a line: its stops (rows of ``city.places``) and its way (road indices)."""

    row: int
    line: str
    stops: tuple[int, ...]
    stop_roads: Ints
    stop_pos_m: npt.NDArray[np.float64]
    roads: npt.NDArray[np.int32]
    departures_s: Ints


@dataclass(frozen=True)
class _Service:
    """What one run of a line does: its way, and the positions of the stops it serves."""

    roads: npt.NDArray[np.int32]
    stops: tuple[int, ...]


def bus_row(vehicle: int) -> int:
    """Return the row of ``city.bus_lines`` that a bus number belongs to."""
    return int(vehicle % 10**12 // 10**3 % _LINES)


def departures_s(first_s: int, last_s: int, headway_s: int, peak_headway_s: int) -> Ints:
    """Return the departures of a day, in seconds since its midnight."""
    out, t = [], int(first_s)
    while t <= last_s:
        out.append(t)
        t += int(peak_headway_s if any(a <= t < b for a, b in PEAKS) else headway_s)
    return np.asarray(out, dtype=np.int64)


class BusLines:
    """All lines of a city with their ways. A line whose stops cannot be reached in order is left out and named."""

    def __init__(self, city: City) -> None:
        self.lines: list[BusLine] = []
        self.left_out: list[str] = []
        network = Network.of(city, "bus")
        row_of = {p: i for i, p in enumerate(city.places["place"].tolist())}
        road = city.places["road"].to_numpy(np.int64)
        pos = city.places["pos_m"].to_numpy(np.float64)
        for row, line in enumerate(city.bus_lines.to_dict("records")):
            stops = tuple(row_of[s] for s in line["stops"] if s in row_of)
            roads = road[list(stops)]
            way = _way(network, roads, pos[list(stops)]) if len(stops) >= 2 else None
            if way is None:
                self.left_out.append(f"{line['line']}/{line['direction']}")
                continue
            times = departures_s(line["first_s"], line["last_s"], line["headway_s"], line["peak_headway_s"])
            self.lines.append(BusLine(row, str(line["line"]), stops, roads, pos[list(stops)], way, times))
        self.by_row = {line.row: line for line in self.lines}
        #: buses that leave stops out because of a closure: the positions of those they serve
        self.serves: dict[int, tuple[int, ...]] = {}
        self._network = network
        self._detours: dict[tuple[bytes, int], _Service] = {}

    def vehicles(
        self, from_s: int, to_s: int, type_index: int, closed: npt.NDArray[np.bool_] | None = None
    ) -> NewVehicles:
        """Return the buses that set out in [from_s, to_s), in order of time.

        With roads ``closed`` a line drives round them and leaves out the stops on them; a line that cannot
        drive at all then falls out.
        """
        rows: list[tuple[int, int, BusLine]] = []
        shut = closed if closed is not None and closed.any() else None
        for line in self.lines:
            for day in range(from_s // DAY_S, (to_s - 1) // DAY_S + 1):
                t = line.departures_s + day * DAY_S
                now = np.flatnonzero((t >= from_s) & (t < to_s)).tolist()
                rows += [(int(t[k]), vehicle_number("bus", line.row + _LINES * day, k), line) for k in now]
        rows.sort(key=lambda r: r[:2])
        runs = [(t, v, line, s) for t, v, line in rows if (s := self._service(line, shut)) is not None]
        roads = [s.roads for _, _, _, s in runs]
        routes = Routes(
            np.concatenate(roads) if runs else np.empty(0, np.int32),
            np.concatenate([[0], np.cumsum([r.size for r in roads])]).astype(np.int64),
            np.zeros(len(runs)),
        )
        stops: dict[int, list[Stop]] = {}
        for i, (_, vehicle, line, service) in enumerate(runs):
            if len(service.stops) < len(line.stops):
                self.serves[vehicle] = service.stops
            stops[i] = [
                Stop(int(line.stop_roads[k]), float(line.stop_pos_m[k]), DWELL_S, place=str(line.stops[k]))
                for k in service.stops
            ]
        return NewVehicles(
            vehicle=np.asarray([r[1] for r in runs], dtype=np.int64),
            type_index=np.full(len(runs), type_index, dtype=np.int64),
            depart_s=np.asarray([r[0] for r in runs], dtype=np.int64),
            routes=routes,
            stops=stops,
        )

    def _service(self, line: BusLine, shut: npt.NDArray[np.bool_] | None) -> _Service | None:
        """Return the way of a line under closures, and the stops it can serve; None where it cannot drive."""
        if shut is None or not shut[line.roads].any():
            return _Service(line.roads, tuple(range(len(line.stops))))
        key = (np.packbits(shut).tobytes(), line.row)
        if key not in self._detours:
            kept = tuple(k for k in range(len(line.stops)) if not shut[line.stop_roads[k]])
            pick = list(kept)
            way = _way(self._network, line.stop_roads[pick], line.stop_pos_m[pick], shut) if len(kept) >= 2 else None
            self._detours[key] = _Service(way if way is not None else np.empty(0, np.int32), kept)
        found = self._detours[key]
        return found if found.roads.size else None


def _way(
    network: Network, roads: Ints, pos_m: npt.NDArray[np.float64], shut: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.int32] | None:
    legs = network.routes(roads[:-1], roads[1:], closed=shut)
    out = [int(roads[0])]
    for k in range(len(legs)):
        leg = legs[k].tolist()
        if not leg or (len(leg) == 1 and pos_m[k + 1] < pos_m[k]):
            return None
        out += leg[1:]
    return np.asarray(out, dtype=np.int32)
