"""Passengers of the public buses: they walk to a stop, wait, board the bus that really comes, and get off.

Buses drive in the traffic simulator; whenever one stands at a stop, those waiting there for its line board in the
order they came, up to its capacity, and those whose stop it is get off. Nobody is promised anything: when the
road is slow the bus is late, and a passenger still waiting after ``PATIENCE_S`` gives up.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.events import BusMissed, BusStopped
from twin.log import Log
from twin.world.people.transit import BusTrips, Transit
from twin.world.traffic.bus_lines import BusLines, bus_row

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CAPACITY = 70  # a 12 m city bus: about 30 seats and 40 standing places (assumed comfort level)
PATIENCE_S = 3600  # assumed
WALK_M_S = 1.25  # Highway Capacity Manual 6: 1.2 to 1.3 m/s


@dataclass(slots=True)
class _Rider:
    resident: int
    since_s: int
    alight: int
    egress_s: int


class Riders:
    """Everybody on the way by bus."""

    def __init__(self, city: City, lines: BusLines, transit: Transit, log: Log) -> None:
        self._log = log
        self._lines = lines
        self._transit = transit
        self._place_id = city.places["place"].tolist()
        self._waiting: dict[tuple[int, int], deque[_Rider]] = {}
        self._aboard: dict[int, list[_Rider]] = {}
        self._next_stop: dict[int, int] = {}
        self._done: list[tuple[int, int]] = []
        self._gave_up: list[tuple[int, int]] = []

    def begin(
        self, resident: Ints, origin: Ints, destination: Ints, depart_s: Ints
    ) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
        """Let residents walk to their stops; columns of one length.

        Returns who found a line that runs, the distance (m) and the expected duration (s) of the whole trip.
        """
        trip = self._transit.best(origin, destination)
        ok = np.asarray([row in self._lines.by_row for row in trip.line.tolist()], dtype=bool)
        trip = BusTrips(*(np.where(ok, getattr(trip, f), 0) for f in trip.__dataclass_fields__))
        access_s = np.round(trip.access_m / WALK_M_S).astype(np.int64)
        egress_s = np.round(trip.egress_m / WALK_M_S).astype(np.int64)
        for i in np.flatnonzero(ok).tolist():
            rider = _Rider(int(resident[i]), int(depart_s[i] + access_s[i]), int(trip.alight[i]), int(egress_s[i]))
            key = (int(trip.line[i]), int(trip.board[i]))
            self._waiting.setdefault(key, deque()).append(rider)
        aboard_m = self._transit.travel.distance_m(origin, destination)
        distance = np.maximum(aboard_m, trip.access_m + trip.egress_m)
        expected = access_s + trip.wait_s + trip.ride_s + egress_s
        return ok, distance, expected.astype(np.float64)

    def bus_stopped(self, vehicle: int, t_s: int) -> None:
        """Exchange passengers of a bus that came to stand at its next stop at second ``t_s``."""
        line = self._lines.by_row[bus_row(vehicle)]
        count = self._next_stop.get(vehicle, 0)
        serves = self._lines.serves.get(vehicle)
        if count >= (len(line.stops) if serves is None else len(serves)):
            return
        self._next_stop[vehicle] = count + 1
        k = count if serves is None else serves[count]
        aboard = self._aboard.setdefault(vehicle, [])
        off = [r for r in aboard if r.alight <= k]
        if off:
            aboard[:] = [r for r in aboard if r.alight > k]
            self._done += [(r.resident, t_s + r.egress_s) for r in off]
        boarded = self._board(line.row, k, vehicle, t_s, aboard)
        self._log.add(
            BusStopped,
            t_s=t_s,
            vehicle=vehicle,
            place=self._place_id[line.stops[k]],
            line=line.line,
            boarded=boarded,
            alighted=len(off),
            aboard=len(aboard),
        )

    def bus_skips(self, vehicle: int, road: int) -> str:
        """Let a bus leave out its next stop on a road; return the stop's place ("": it serves none there)."""
        line = self._lines.by_row[bus_row(vehicle)]
        serves = self._lines.serves.get(vehicle, tuple(range(len(line.stops))))
        done = self._next_stop.get(vehicle, 0)
        for i in range(done, len(serves)):
            if line.stop_roads[serves[i]] == road:
                self._lines.serves[vehicle] = serves[:i] + serves[i + 1 :]
                return str(self._place_id[line.stops[serves[i]]])
        return ""

    def _board(self, row: int, k: int, vehicle: int, t_s: int, aboard: list[_Rider]) -> int:
        queue = self._waiting.get((row, k))
        if not queue:
            return 0
        boarded, stay = 0, []
        for rider in queue:
            if rider.since_s > t_s:
                stay.append(rider)  # still walking to the stop
            elif len(aboard) < CAPACITY:
                aboard.append(rider)
                boarded += 1
            else:
                stay.append(rider)
                self._log.add(
                    BusMissed,
                    t_s=t_s,
                    resident=rider.resident,
                    vehicle=vehicle,
                    place=self._place_id[self._lines.by_row[row].stops[k]],
                )
        queue.clear()
        queue.extend(stay)
        return boarded

    def bus_lost(self, vehicle: int) -> Ints:
        """Return (and forget) who was aboard a bus that was taken off the road."""
        self._next_stop.pop(vehicle, None)
        return np.asarray([r.resident for r in self._aboard.pop(vehicle, [])], dtype=np.int64)

    def bus_gone(self, vehicle: int, t_s: int) -> None:
        """Let everybody still aboard a bus at the end of its line walk on from there (their stop was left out)."""
        for rider in self._aboard.pop(vehicle, []):
            self._done.append((rider.resident, t_s + rider.egress_s))
        self._next_stop.pop(vehicle, None)

    def impatient(self, now_s: int) -> Ints:
        """Return (and forget) the residents who have waited longer than they will."""
        out: list[int] = []
        for queue in self._waiting.values():
            if queue and min(r.since_s for r in queue) + PATIENCE_S < now_s:
                gone = [r for r in queue if r.since_s + PATIENCE_S < now_s]
                stay = [r for r in queue if r.since_s + PATIENCE_S >= now_s]
                queue.clear()
                queue.extend(stay)
                out += [r.resident for r in gone]
        return np.asarray(sorted(out), dtype=np.int64)

    def finished(self) -> tuple[Ints, Ints]:
        """Return (and forget) who got off, and the second at which each will be at the destination."""
        done, self._done = self._done, []
        return (
            np.asarray([d[0] for d in done], dtype=np.int64),
            np.asarray([d[1] for d in done], dtype=np.int64),
        )
