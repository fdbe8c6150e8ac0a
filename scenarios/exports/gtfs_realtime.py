"""The buses of a run at one second, as a GTFS Realtime 2.0 feed message: TripUpdates, VehiclePositions, Alerts.

A message refers to the static feed of the same run (:mod:`scenarios.exports.gtfs`). Public buses tell the arrival at
each stop behind them, against the timetable; consumers carry the last delay on to the stops ahead, as the reference
says. A stop that a bus left out because of a closure is SKIPPED, a run that could not begin is CANCELED. Buses on
demand have no times at stops, so they have positions and no trip updates. A closed road on the way of a line is an
alert (DETOUR), and so is weather that slows traffic.

Messages are JSON with the proto's field names; :func:`encode` makes protobuf of them (extra ``gtfs-rt``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scenarios.exports import gtfs
from scenarios.exports.gtfs_rows import clock
from scenarios.exports.realtime_shapes import VERSION, problems
from scenarios.exports.run import TIMEZONE, RunData
from scenarios.exports.shuttle import LINE_AGENCY, ShuttleLine
from scenarios.exports.shuttle_runs import Call, calls
from scenarios.exports.tracks import Track, tracks
from twin.domain.ids import VEHICLE_KINDS, unit_label, vehicle_label
from twin.errors import ScenarioError
from twin.world.people.riders import CAPACITY
from twin.world.traffic.bus_lines import DWELL_S, bus_row

DAY_S = 86_400
SEATS = 30  # of a city bus of which CAPACITY says how many fit
_FRESH_S = 120.0  # a sampled position older than this is not told
_LINES = 1000

_CAUSES = {
    "construction": "CONSTRUCTION", "works": "CONSTRUCTION", "accident": "ACCIDENT", "crash": "ACCIDENT",
    "flood": "WEATHER", "rain": "WEATHER", "snow": "WEATHER", "event": "OTHER_CAUSE", "police": "POLICE_ACTIVITY",
    "maintenance": "MAINTENANCE", "demonstration": "DEMONSTRATION",
}  # fmt: skip


class Realtime:
    """A run from which messages are made. ScenarioError when it has no buses."""

    def __init__(self, run: RunData) -> None:
        self.run = run
        self.shuttle = ShuttleLine.of(run)
        self.static = gtfs.build(run.city, run.calendar, self.shuttle)
        self.tables = gtfs.Timetables(run.city)

    # -- public buses ------------------------------------------------------------------------------------------

    @cached_property
    def _stopped(self) -> dict[int, list[tuple[int, int, int]]]:
        """Vehicle → (second, position of the stop on its line, aboard) in order; the stop is found by its place."""
        out: dict[int, list[tuple[int, int, int]]] = {}
        table = self.run.facts.table("BusStopped", ["t_s", "vehicle", "place", "aboard"]).to_pydict()
        for t_s, vehicle, place, aboard in zip(*table.values(), strict=True):
            line = self.tables.lines.by_row.get(bus_row(vehicle))
            if line is None:
                continue
            done = out.setdefault(vehicle, [])
            k = done[-1][1] + 1 if done else 0
            while k < len(line.stops) and self.tables.place[line.stops[k]] != place:
                k += 1
            if k < len(line.stops):
                done.append((t_s, k, aboard))
        return out

    @cached_property
    def _gone_s(self) -> dict[int, int]:
        """When each public bus left the road."""
        out: dict[int, int] = {}
        for kind in ("VehicleArrived", "VehicleRemoved"):
            table = self.run.facts.table(kind, ["t_s", "vehicle", "kind"]).to_pydict()
            out |= {v: t for t, v, what in zip(*table.values(), strict=True) if what == "bus"}
        return out

    @cached_property
    def _cancelled_s(self) -> dict[int, int]:
        """When each bus that could not be let in was refused."""
        table = self.run.facts.table("VehicleRefused", ["t_s", "vehicle", "kind"]).to_pydict()
        return {v: t for t, v, what in zip(*table.values(), strict=True) if what == "bus"}

    def _trip(self, vehicle: int) -> dict[str, Any]:
        row, day = bus_row(vehicle), vehicle % 10**12 // 10**3 // _LINES
        line = self.tables.lines.by_row[row]
        run = vehicle % 10**3
        return {
            "trip_id": self.tables.trip_id(row, run),
            "route_id": line.line,
            "direction_id": self.tables.direction[row],
            "start_time": clock(int(line.departures_s[run])),
            "start_date": self.run.calendar.compact(day),
        }

    def _planned_s(self, vehicle: int, stop: int) -> int:
        """Return when a bus should be at a stop, in seconds of the run."""
        row, day = bus_row(vehicle), vehicle % 10**12 // 10**3 // _LINES
        begin = int(self.tables.lines.by_row[row].departures_s[vehicle % 10**3])
        return day * DAY_S + begin + int(self.tables.ways[row].arrive_s[stop])

    def _buses(self, at_s: int) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
        """Yield the public buses under way at a second, and the stops behind them."""
        for vehicle, stops in sorted(self._stopped.items()):
            past = [s for s in stops if s[0] <= at_s]
            if past and self._gone_s.get(vehicle, at_s + 1) > at_s:
                yield vehicle, past

    def _updates(self, at_s: int) -> Iterator[dict[str, Any]]:
        calendar = self.run.calendar
        for vehicle, past in self._buses(at_s):
            line = self.tables.lines.by_row[bus_row(vehicle)]
            served = {k: t for t, k, _ in past}
            updates = []
            for k in range(past[-1][1] + 1):
                stop: dict[str, Any] = {"stop_sequence": k, "stop_id": str(self.tables.place[line.stops[k]])}
                if k in served:
                    late = served[k] - self._planned_s(vehicle, k)
                    stop["arrival"] = {"delay": late, "time": calendar.unix_s(served[k]), "uncertainty": 0}
                else:
                    stop["schedule_relationship"] = "SKIPPED"
                updates.append(stop)
            yield {
                "trip": {**self._trip(vehicle), "schedule_relationship": "SCHEDULED"},
                "vehicle": {"id": str(vehicle), "label": vehicle_label(vehicle)},
                "stop_time_update": updates,
                "timestamp": calendar.unix_s(past[-1][0]),
            }
        for vehicle, t_s in sorted(self._cancelled_s.items()):
            if bus_row(vehicle) in self.tables.ways and t_s <= at_s <= self._planned_s(vehicle, -1):
                yield {"trip": {**self._trip(vehicle), "schedule_relationship": "CANCELED"}}

    def _positions(self, at_s: int) -> Iterator[dict[str, Any]]:
        seen = self.run.positions((VEHICLE_KINDS["bus"],), at_s - _FRESH_S, at_s)
        last = {v: i for i, v in enumerate(seen.vehicle.tolist())}
        for vehicle, past in self._buses(at_s):
            i = last.get(vehicle)
            if i is None:
                continue
            t_s, k, aboard = past[-1]
            line = self.tables.lines.by_row[bus_row(vehicle)]
            stands = at_s < t_s + DWELL_S or k + 1 == len(line.stops)
            k += not stands
            yield {
                "trip": self._trip(vehicle),
                "vehicle": {"id": str(vehicle), "label": vehicle_label(vehicle)},
                "position": _position(seen.lat[i], seen.lon[i], seen.speed_m_s[i]),
                "current_stop_sequence": k,
                "stop_id": str(self.tables.place[line.stops[k]]),
                "current_status": "STOPPED_AT" if stands else "IN_TRANSIT_TO",
                "timestamp": self.run.calendar.unix_s(seen.t_s[i]),
                "occupancy_status": _occupancy(aboard, SEATS, CAPACITY),
                "occupancy_percentage": round(100 * aboard / CAPACITY),
            }

    # -- autonomous buses --------------------------------------------------------------------------------------

    @cached_property
    def _tracks(self) -> dict[int, Track]:
        return tracks(self.run, "shuttle") if self.shuttle is not None else {}

    @cached_property
    def _calls(self) -> dict[int, list[Call]]:
        return calls(self.run, self.shuttle) if self.shuttle is not None else {}

    @cached_property
    def _seats(self) -> dict[int, int]:
        table = self.run.facts.table("UnitDeployed", ["unit", "capacity"]).to_pydict()
        return dict(zip(table["unit"], table["capacity"], strict=True))

    def _shuttle_trip(self, call: Call | None) -> dict[str, Any]:
        assert self.shuttle is not None
        out: dict[str, Any] = {"route_id": self.shuttle.route_id}
        if call is not None and call.run >= 0:
            out["trip_id"] = self.shuttle.trip_id(call.direction, call.run)
            out["direction_id"] = call.direction
            out["start_date"] = self.run.calendar.compact(call.day)
        return out

    def _shuttle_updates(self, at_s: int) -> Iterator[dict[str, Any]]:
        calendar, shuttle = self.run.calendar, self.shuttle
        for unit, every in sorted(self._calls.items()):
            past = [c for c in every if c.arrive_s <= at_s and c.run >= 0]
            if shuttle is None or not past:
                continue
            now = past[-1]
            if now.stop + 1 == len(shuttle.way[now.direction]) and now.leave_s <= at_s:
                continue  # the run is over
            mine = [c for c in past if (c.day, c.direction, c.run) == (now.day, now.direction, now.run)]
            yield {
                "trip": {**self._shuttle_trip(now), "schedule_relationship": "SCHEDULED"},
                "vehicle": {"id": str(unit), "label": unit_label(unit)},
                "stop_time_update": [
                    {
                        "stop_sequence": c.stop,
                        "stop_id": shuttle.way[c.direction][c.stop],
                        "arrival": {"delay": c.late_s, "time": calendar.unix_s(c.arrive_s), "uncertainty": 0},
                        **self._left(c, at_s),
                    }
                    for c in mine
                ],
                "timestamp": calendar.unix_s(now.arrive_s),
            }

    def _left(self, call: Call, at_s: int) -> dict[str, Any]:
        """Tell the departure of a bus from a stop, once it has left: at the first stop it may be early and wait."""
        if call.leave_s > at_s:
            return {}
        late = call.late_s + call.leave_s - call.arrive_s
        return {"departure": {"delay": late, "time": self.run.calendar.unix_s(call.leave_s), "uncertainty": 0}}

    def _shuttle_positions(self, at_s: int) -> Iterator[dict[str, Any]]:
        for unit, track in sorted(self._tracks.items()):
            i = track.last(at_s)
            past = [c for c in self._calls.get(unit, []) if c.arrive_s <= at_s]
            aboard, seats = past[-1].aboard if past else 0, max(self._seats.get(unit, 1), 1)
            yield {
                "trip": self._shuttle_trip(past[-1] if past else None),
                "vehicle": {"id": str(unit), "label": unit_label(unit)},
                "position": _position(track.lat[i], track.lon[i], track.speed_m_s[i]),
                "timestamp": self.run.calendar.unix_s(min(float(track.t_s[i]), at_s)),
                "occupancy_status": _occupancy(aboard, seats, seats),
                "occupancy_percentage": round(100 * aboard / seats),
            }

    # -- alerts ------------------------------------------------------------------------------------------------

    def _alerts(self, at_s: int) -> Iterator[tuple[str, dict[str, Any]]]:
        for cause, (since_s, roads) in sorted(self._closed(at_s).items()):
            who = self._touched(roads)
            if who:
                word = next((c for key, c in _CAUSES.items() if key in cause.lower()), "OTHER_CAUSE")
                text = f"Road closed: {cause}. Buses drive round it; stops on it are not served."
                yield f"closure/{cause}", self._alert(since_s, who, word, "DETOUR", text)
        table = self.run.facts.table("WeatherChanged", ["t_s", "weather", "speed_factor"]).to_pydict()
        past = [row for row in zip(*table.values(), strict=True) if row[0] <= at_s]
        if past and past[-1][2] < 1.0:
            t_s, weather, _ = past[-1]
            who = [{"agency_id": a} for a in self.static["agency"]["agency_id"]]
            yield "weather", self._alert(t_s, who, "WEATHER", "SIGNIFICANT_DELAYS", f"Delays because of {weather}.")

    def _closed(self, at_s: int) -> dict[str, tuple[int, list[int]]]:
        """Cause → since when, and which roads are closed at a second."""
        shut: dict[int, tuple[int, str]] = {}
        closed = self.run.facts.table("RoadClosed", ["t_s", "road", "cause"]).to_pydict()
        opened = self.run.facts.table("RoadReopened", ["t_s", "road"]).to_pydict()
        steps = [(t, 1, r, c) for t, r, c in zip(*closed.values(), strict=True)]
        steps += [(t, 0, r, "") for t, r in zip(*opened.values(), strict=True)]
        for t_s, closes, road, cause in sorted(steps):
            if t_s > at_s:
                break
            if closes:
                shut.setdefault(road, (t_s, cause))
            else:
                shut.pop(road, None)
        out: dict[str, tuple[int, list[int]]] = {}
        for road, (t_s, cause) in sorted(shut.items()):
            since_s, roads = out.get(cause, (t_s, []))
            out[cause] = (min(since_s, t_s), [*roads, road])
        return out

    def _touched(self, roads: Sequence[int]) -> list[dict[str, Any]]:
        """Return the lines whose way goes over roads, and the stops on them."""
        lines = dict.fromkeys(n.line for n in self.tables.lines.lines if np.isin(n.roads, roads).any())
        used = set(self.static["stops"]["stop_id"])
        places = self.run.city.places
        stops = [p for p in places["place"][places["road"].isin(roads)] if p in used]
        out = [{"route_id": line} for line in lines] + [{"stop_id": stop} for stop in stops]
        if self.shuttle is not None and set(stops) & set(self.shuttle.place):
            out.append({"agency_id": LINE_AGENCY, "route_id": self.shuttle.route_id})
        return out

    def _alert(self, since_s: int, who: list[dict[str, Any]], cause: str, effect: str, text: str) -> dict[str, Any]:
        return {
            "active_period": [{"start": self.run.calendar.unix_s(since_s)}],
            "informed_entity": who,
            "cause": cause,
            "effect": effect,
            "header_text": {"translation": [{"text": text, "language": "en"}]},
        }

    # -- the message -------------------------------------------------------------------------------------------

    def message(self, at_s: int) -> dict[str, Any]:
        """Return the checked feed message of a second of the run. ScenarioError when it lies outside the run."""
        if not self.run.start_s <= at_s <= self.run.end_s:
            raise ScenarioError(
                f"--at: {clock(at_s)} lies outside the run, which goes from {clock(self.run.start_s)}"
                f" to {clock(self.run.end_s)}"
            )
        updates = [*self._updates(at_s), *self._shuttle_updates(at_s)]
        places = [*self._positions(at_s), *self._shuttle_positions(at_s)]
        entity: list[dict[str, Any]] = [
            {"id": f"trip/{u['trip']['start_date']}/{u['trip']['trip_id']}", "trip_update": u} for u in updates
        ]
        entity += [{"id": f"vehicle/{p['vehicle']['id']}", "vehicle": p} for p in places]
        entity += [{"id": name, "alert": alert} for name, alert in self._alerts(at_s)]
        header = {
            "gtfs_realtime_version": VERSION,
            "incrementality": "FULL_DATASET",
            "timestamp": self.run.calendar.unix_s(at_s),
        }
        out = {"header": header, "entity": entity}
        wrong = problems(out, self.static)
        if wrong:
            raise AssertionError("the GTFS Realtime export breaks the specification: " + "; ".join(wrong[:5]))
        return out


def export(
    run_folder: str | Path, at_s: int | Sequence[int], date: str | None = None, timezone: str = TIMEZONE
) -> list[dict[str, Any]]:
    """Return the feed message of one second of a run, or of several."""
    made = Realtime(RunData.open(run_folder, date, timezone))
    return [made.message(int(t)) for t in np.atleast_1d(np.asarray(at_s, dtype=np.int64))]


def the_second(text: str) -> int:
    """Return the second of the run that such as "08:30" or "08:30:15" names (hours above 23: later days)."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(p.isdigit() and len(p) <= 3 for p in parts) or max(map(int, parts[1:])) > 59:
        raise ScenarioError(f"--at: '{text}' is no time; write it like 08:30")
    return sum(int(p) * f for p, f in zip(parts, (3600, 60, 1), strict=False))


def encode(message: Mapping[str, Any]) -> bytes:
    """Return a message as protobuf. ScenarioError where the extra ``gtfs-rt`` is not installed."""
    try:
        from google.protobuf import json_format
        from google.transit import gtfs_realtime_pb2
    except ImportError:
        raise ScenarioError(
            "--format pb: needs the package gtfs-realtime-bindings; install the extra with"
            " pip install 'qibu-twin[gtfs-rt]', or take --format json"
        ) from None
    feed = json_format.ParseDict(dict(message), gtfs_realtime_pb2.FeedMessage())
    data: bytes = feed.SerializeToString(deterministic=True)
    return data


def write(message: Mapping[str, Any], file: str | Path) -> Path:
    """Write a message: protobuf if the name ends with .pb, else JSON; return the file."""
    out = Path(file)
    if out.suffix == ".pb":
        data = encode(message)
    else:
        data = (json.dumps(message, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(data)
    return out


def _position(lat: float, lon: float, speed_m_s: float) -> dict[str, float]:
    out = {"latitude": round(float(lat), 6), "longitude": round(float(lon), 6)}
    if speed_m_s >= 0:
        out["speed"] = round(float(speed_m_s), 2)
    return out


def _occupancy(aboard: int, seats: int, capacity: int) -> str:
    """Say how full a bus is; half the seats is where "many" ends (the reference leaves it to the producer)."""
    if aboard >= capacity:
        return "FULL"
    if aboard >= seats:
        return "STANDING_ROOM_ONLY"
    return "EMPTY" if aboard == 0 else "MANY_SEATS_AVAILABLE" if 2 * aboard <= seats else "FEW_SEATS_AVAILABLE"
