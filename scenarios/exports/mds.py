"""A run's delivery robots as Mobility Data Specification 2.0 provider data, mode ``delivery-robots``.

:func:`answers` gives what the endpoints /vehicles, /vehicles/status, /trips and /events/historical would answer for
the whole run; :func:`write` writes them as files, trips and events by the UTC hour in which they are asked for.
The mapping of the twin's facts to states and events is that of :mod:`scenarios.exports.mds_states`.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scenarios.exports.mds_shapes import LONGEST_TTL_MS, VERSION, problems
from scenarios.exports.mds_states import FACTS, Errand, Happening, Moment, Ride, UnitDay
from scenarios.exports.run import TIMEZONE, RunData, seconds_of
from scenarios.exports.tracks import tracks
from twin.domain.ids import VEHICLE_KINDS, unit_label
from twin.errors import ScenarioError
from twin.world.fleets.models import MODELS

FLEET = "robot"
DAY_S = 86_400
_EARTH_M = 6_371_000.0

_COLUMNS = (
    "t_s", "fact", "unit", "model", "capacity", "state", "battery", "road", "pos_m", "task", "distance_m", "order",
)  # fmt: skip


class _Export:
    """What is needed of a run for all endpoints."""

    def __init__(self, run: RunData) -> None:
        self.run = run
        service = run.scenario.get("delivery") or {}
        self._hours = (seconds_of(service.get("start"), 0), seconds_of(service.get("end"), DAY_S))
        self.moments = self._moments()
        if not self.moments:
            raise ScenarioError(
                f"{run.folder}: has no delivery robots to export; run a scenario with 'delivery' (by: robots)"
            )
        self.tracks = tracks(run, FLEET)
        self.days = {u: UnitDay(self._open).follow(self._with_hours(m)) for u, m in self.moments.items()}

    # -- reading ---------------------------------------------------------------------------------------------

    def _moments(self) -> dict[int, list[Moment]]:
        """Return the facts of each robot in the order of the log."""
        table = self.run.facts.table(columns=_COLUMNS)
        is_robot = pc.equal(pc.divide(table["unit"], 100_000), VEHICLE_KINDS[FLEET])
        wanted = pc.is_in(pc.cast(table["fact"], pa.string()), value_set=pa.array(FACTS))
        table = table.filter(pc.and_(is_robot, wanted))
        out: dict[int, list[Moment]] = {}
        for row in table.to_pylist():
            out.setdefault(int(row["unit"]), []).append(Moment(int(row["t_s"]), str(row["fact"]), row))
        return {unit: out[unit] for unit in sorted(out) if out[unit][0].fact == "UnitDeployed"}

    def _open(self, t_s: int) -> bool:
        return self._hours[0] <= t_s % DAY_S < self._hours[1]

    def _with_hours(self, moments: list[Moment]) -> list[Moment]:
        """Put in the moments at which service hours begin and end."""
        days = range(self.run.start_s // DAY_S, self.run.end_s // DAY_S + 1)
        hours = {day * DAY_S + at for day in days for at in self._hours}
        between = [Moment(t, "opening", {}) for t in sorted(hours) if moments[0].t_s < t <= self.run.end_s]
        return sorted([*moments, *between], key=lambda m: m.t_s)

    @cached_property
    def placed_s(self) -> dict[int, int]:
        """When each order was placed."""
        table = self.run.facts.table("OrderPlaced", ["t_s", "order"])
        return dict(zip(table["order"].to_pylist(), table["t_s"].to_pylist(), strict=True))

    # -- writing ---------------------------------------------------------------------------------------------

    def who(self, unit: int) -> dict[str, str]:
        """Return the ids of a robot, of its provider, and of the twin as the provider of the data."""
        run = self.run
        return {
            "device_id": run.uuid("device", unit),
            "provider_id": run.uuid("provider", FLEET),
            "data_provider_id": run.uuid("data provider"),
        }

    def vehicle(self, unit: int) -> dict[str, Any]:
        """Return a robot's record of /vehicles."""
        first = self.moments[unit][0].values
        out: dict[str, Any] = {
            **self.who(unit),
            "vehicle_id": unit_label(unit),
            "vehicle_type": "delivery_robot",
            "propulsion_types": ["electric"],
            "vehicle_attributes": {"model": first["model"], "storage_capacity": int(first["capacity"]) * 1000},
        }
        model = MODELS.get(first["model"])
        if model is not None:
            out["vehicle_attributes"]["top_speed"] = math.floor(model.speed_m_s)
            out["maximum_speed"] = round(model.speed_m_s * 3.6)
        return out

    def trip_id(self, unit: int, errand: Errand) -> str:
        """Return the id of a try to bring an order, or of a way back."""
        what = ("trip", unit, errand.order) if errand.order >= 0 else ("return", unit)
        return self.run.uuid(*what, errand.attempt)

    def journey_id(self, unit: int, journey: int) -> str:
        """Return the id of a tour."""
        return self.run.uuid("journey", unit, journey)

    def _battery(self, unit: int, t_s: int) -> int:
        known = [m for m in self.moments[unit] if m.fact in ("UnitDeployed", "UnitChanged") and m.t_s <= t_s]
        return min(max(round(100 * float((known or self.moments[unit])[-1].values["battery"])), 0), 100)

    def events(self, unit: int) -> list[dict[str, Any]]:
        """Return a robot's events; those of one second are a millisecond apart, so that their order is kept."""
        out: list[dict[str, Any]] = []
        for i, h in enumerate(self.days[unit].happenings):
            at = self.run.calendar.unix_ms(h.t_s)
            at = max(at, out[-1]["timestamp"] + 1) if out else at
            out.append(self._event(unit, i, h, at))
        return out

    def _event(self, unit: int, i: int, h: Happening, at_ms: int) -> dict[str, Any]:
        out: dict[str, Any] = {
            **self.who(unit),
            "event_id": self.run.uuid("event", unit, i),
            "vehicle_state": h.state,
            "event_types": list(h.types),
            "timestamp": at_ms,
            "location": self.tracks[unit].gps(h.happened_s),
            "battery_percent": self._battery(unit, h.happened_s),
        }
        if h.errands:
            out["trip_ids"] = [self.trip_id(unit, e) for e in h.errands]
        return out

    def trip(self, unit: int, ride: Ride) -> dict[str, Any]:
        """Return a trip's record of /trips."""
        run, track = self.run, self.tracks[unit]
        begin, end = track.gps(ride.from_s), track.gps(ride.to_s)
        metres = ride.metres if ride.metres >= 0 else _straight_m(begin, end)
        about: dict[str, Any] = {"driver_type": "semi_autonomous" if ride.helped else "autonomous"}
        about["has_payload"] = ride.payload
        if ride.errand.order in self.placed_s:
            about["requested_time"] = run.calendar.unix_ms(self.placed_s[ride.errand.order])
        return {
            **self.who(unit),
            "trip_id": self.trip_id(unit, ride.errand),
            "journey_id": self.journey_id(unit, ride.journey),
            "trip_type": ride.kind,
            "trip_attributes": about,
            "start_time": run.calendar.unix_ms(ride.from_s),
            "end_time": run.calendar.unix_ms(ride.to_s),
            "start_location": begin,
            "end_location": end,
            "duration": ride.to_s - ride.from_s,
            "distance": round(metres),
        }

    def status(self, unit: int, last_event: dict[str, Any]) -> dict[str, Any]:
        """Return a robot's last event and telemetry, at the end of the run."""
        track, day, run = self.tracks[unit], self.days[unit], self.run
        t_s = float(track.t_s[track.last(run.end_s)])
        errands, journey = day.running
        who = self.who(unit)
        telemetry = {
            **who,
            "telemetry_id": run.uuid("telemetry", unit, t_s),
            "timestamp": run.calendar.unix_ms(t_s),
            "trip_ids": [self.trip_id(unit, e) for e in errands] or None,
            "journey_id": self.journey_id(unit, journey) if errands else None,
            "location": track.gps(t_s),
            "location_type": "street",
            "battery_percent": self._battery(unit, run.end_s),
        }
        return {**who, "last_event": last_event, "last_telemetry": telemetry}


def answers(run: RunData) -> dict[str, dict[str, Any]]:
    """Return the answer of each endpoint for the whole run, checked against the published shapes.

    Raises ScenarioError when the run has no delivery robots.
    """
    export = _Export(run)
    units = list(export.moments)
    events = {u: export.events(u) for u in units}
    trips = [export.trip(u, r) for u in units for r in export.days[u].known_rides]
    trips.sort(key=lambda t: (t["end_time"], t["trip_id"]))
    every = sorted((e for rows in events.values() for e in rows), key=lambda e: e["timestamp"])
    now = {"version": VERSION, "last_updated": run.calendar.unix_ms(run.end_s), "ttl": LONGEST_TTL_MS}
    out: dict[str, dict[str, Any]] = {
        "vehicles": {**now, "vehicles": [export.vehicle(u) for u in units], "links": {"next": None}},
        "vehicles/status": {
            **now,
            "vehicles_status": [export.status(u, events[u][-1]) for u in units],
            "links": {"next": None},
        },
        "trips": {"version": VERSION, "trips": trips},
        "events/historical": {"version": VERSION, "events": every},
    }
    wrong = problems(out)
    if wrong:
        raise AssertionError("the MDS export breaks the specification: " + "; ".join(wrong[:5]))
    return out


def export(run_folder: str | Path, date: str | None = None, timezone: str = TIMEZONE) -> dict[str, dict[str, Any]]:
    """Return the answers for a run folder; ``date`` (YYYY-MM-DD) is that of the run's first day."""
    return answers(RunData.open(run_folder, date, timezone))


def write(found: Mapping[str, Mapping[str, Any]], folder: str | Path) -> list[Path]:
    """Write answers below ``folder`` as the endpoints' paths: vehicles.json, trips/2026-01-06T02.json and so on."""
    out = Path(folder)
    files: dict[Path, Any] = {}
    for endpoint, answer in found.items():
        key, moment = _HOURLY.get(endpoint, ("", ""))
        if not key:
            files[out / f"{endpoint}.json"] = answer
            continue
        hours: dict[str, list[Any]] = {}
        for row in answer[key]:
            hours.setdefault(_utc_hour(row[moment]), []).append(row)
        for hour, rows in sorted(hours.items()):
            files[out / endpoint / f"{hour}.json"] = {**answer, key: rows}
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return list(files)


#: endpoints that are asked for by UTC hour: their list, and the field whose hour counts
_HOURLY = {"trips": ("trips", "end_time"), "events/historical": ("events", "timestamp")}


def _utc_hour(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms // 1000, dt.UTC).strftime("%Y-%m-%dT%H")


def _straight_m(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Return the distance of two points in metres (sphere, small distances)."""
    north = math.radians(b["lat"] - a["lat"])
    east = math.radians(b["lng"] - a["lng"]) * math.cos(math.radians(a["lat"]))
    return _EARTH_M * math.hypot(north, east)
