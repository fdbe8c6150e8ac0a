"""GTFS Realtime 2.0 as compact tables, and the check of a feed message against them and against its static feed.

Source: ``gtfs-realtime.proto`` and ``spec/en/reference.md`` of google/transit: messages, fields, enumerations. A
message is held as JSON with the proto's own field names, which is protobuf's JSON form; only what the exports write
is listed, so a field that is not there is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenarios.exports.gtfs_shapes import Feed
from scenarios.exports.shapes import Check, array, number, one_of, record, text, whole

VERSION = "2.0"

_TIME = whole(0)
_DATE = text(8, r"^\d{8}$")
_CLOCK = text(9, r"^\d{1,3}:[0-5]\d:[0-5]\d$")

TRIP = record({}, {
    "trip_id": text(), "route_id": text(), "direction_id": whole(0, 1), "start_time": _CLOCK, "start_date": _DATE,
    "schedule_relationship": one_of("SCHEDULED", "ADDED", "UNSCHEDULED", "CANCELED", "DUPLICATED", "DELETED"),
})  # fmt: skip
VEHICLE = record({}, {"id": text(), "label": text(), "license_plate": text()})
STOP_TIME_EVENT = record({}, {"delay": whole(), "time": _TIME, "uncertainty": whole(0)})
STOP_TIME_UPDATE = record({}, {
    "stop_sequence": whole(0), "stop_id": text(), "arrival": STOP_TIME_EVENT, "departure": STOP_TIME_EVENT,
    "schedule_relationship": one_of("SCHEDULED", "SKIPPED", "NO_DATA", "UNSCHEDULED"),
})  # fmt: skip
TRIP_UPDATE = record(
    {"trip": TRIP},
    {"vehicle": VEHICLE, "stop_time_update": array(STOP_TIME_UPDATE), "timestamp": _TIME, "delay": whole()},
)
POSITION = record(
    {"latitude": number(-90, 90), "longitude": number(-180, 180)},
    {"bearing": number(0, 360), "odometer": number(0), "speed": number(0)},
)
VEHICLE_POSITION = record({}, {
    "trip": TRIP, "vehicle": VEHICLE, "position": POSITION, "current_stop_sequence": whole(0), "stop_id": text(),
    "current_status": one_of("INCOMING_AT", "STOPPED_AT", "IN_TRANSIT_TO"), "timestamp": _TIME,
    "occupancy_status": one_of(
        "EMPTY", "MANY_SEATS_AVAILABLE", "FEW_SEATS_AVAILABLE", "STANDING_ROOM_ONLY", "CRUSHED_STANDING_ROOM_ONLY",
        "FULL", "NOT_ACCEPTING_PASSENGERS", "NO_DATA_AVAILABLE", "NOT_BOARDABLE",
    ),
    "occupancy_percentage": whole(0),
})  # fmt: skip
_WORDS = record({"translation": array(record({"text": text(5000)}, {"language": text(35)}), 1)})
ALERT = record({"informed_entity": array(
    record({}, {
        "agency_id": text(), "route_id": text(), "route_type": whole(0), "stop_id": text(), "trip": TRIP,
        "direction_id": whole(0, 1),
    }), 1), "header_text": _WORDS}, {
    "active_period": array(record({}, {"start": _TIME, "end": _TIME})),
    "cause": one_of(
        "UNKNOWN_CAUSE", "OTHER_CAUSE", "TECHNICAL_PROBLEM", "STRIKE", "DEMONSTRATION", "ACCIDENT", "HOLIDAY",
        "WEATHER", "MAINTENANCE", "CONSTRUCTION", "POLICE_ACTIVITY", "MEDICAL_EMERGENCY",
    ),
    "effect": one_of(
        "NO_SERVICE", "REDUCED_SERVICE", "SIGNIFICANT_DELAYS", "DETOUR", "ADDITIONAL_SERVICE", "MODIFIED_SERVICE",
        "OTHER_EFFECT", "UNKNOWN_EFFECT", "STOP_MOVED", "NO_EFFECT", "ACCESSIBILITY_ISSUE",
    ),
    "severity_level": one_of("UNKNOWN_SEVERITY", "INFO", "WARNING", "SEVERE"),
    "url": _WORDS, "description_text": _WORDS,
})  # fmt: skip
FEED: Check = record(
    {
        "header": record(
            {"gtfs_realtime_version": one_of("1.0", VERSION), "timestamp": _TIME},
            {"incrementality": one_of("FULL_DATASET", "DIFFERENTIAL")},
        ),
        "entity": array(
            record({"id": text()}, {"trip_update": TRIP_UPDATE, "vehicle": VEHICLE_POSITION, "alert": ALERT})
        ),
    }
)


def problems(message: Mapping[str, Any], static: Feed) -> list[str]:
    """Return what is wrong with a feed message: its shape, its ids, and what it names that is not in ``static``."""
    out = list(FEED(message, ""))
    if out:
        return out
    known = {name: set(static[of][name]) for name, of in _IN.items() if of in static}
    sequence = _sequences(static)
    seen: set[str] = set()
    for i, entity in enumerate(message["entity"]):
        here = f"entity[{i}]"
        if entity["id"] in seen:
            out.append(f"{here}.id: '{entity['id']}' is there twice")
        seen.add(entity["id"])
        if sum(k in entity for k in ("trip_update", "vehicle", "alert")) != 1:
            out.append(f"{here}: needs exactly one of trip_update, vehicle, alert")
        out += _references(entity, here, known)
        out += _updates(entity.get("trip_update"), f"{here}.trip_update", sequence)
    return out


_IN = {"trip_id": "trips", "route_id": "routes", "stop_id": "stops", "agency_id": "agency"}


def _references(value: Any, path: str, known: Mapping[str, set[str]]) -> list[str]:
    """Find every id that the static feed does not have."""
    if isinstance(value, list):
        return [said for i, item in enumerate(value) for said in _references(item, f"{path}[{i}]", known)]
    if not isinstance(value, dict):
        return []
    out = []
    for name, item in value.items():
        if name in known and item not in known[name]:
            out.append(f"{path}.{name}: '{item}' is not in {_IN[name]}.txt")
        out += _references(item, f"{path}.{name}", known)
    return out


def _sequences(static: Feed) -> dict[str, dict[str, str]]:
    times = static["stop_times"]
    out: dict[str, dict[str, str]] = {}
    stops = times["stop_id"] if "stop_id" in times else [""] * len(times)
    for trip, number_, stop in zip(times["trip_id"], times["stop_sequence"], stops, strict=True):
        out.setdefault(trip, {})[number_] = stop
    return out


def _updates(update: Mapping[str, Any] | None, path: str, sequence: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Check the order of a trip's stop time updates, and that each tells something."""
    if update is None:
        return []
    out, last = [], -1
    stops = sequence.get(update["trip"].get("trip_id", ""), {})
    for i, stop in enumerate(update.get("stop_time_update", [])):
        here = f"{path}.stop_time_update[{i}]"
        if "stop_sequence" not in stop and "stop_id" not in stop:
            out.append(f"{here}: needs stop_sequence or stop_id")
        number_ = stop.get("stop_sequence", last + 1)
        if number_ <= last:
            out.append(f"{here}.stop_sequence: {number_} does not come after {last}")
        last = number_
        if "stop_sequence" in stop and stops:
            if str(number_) not in stops:
                out.append(f"{here}.stop_sequence: the trip has no stop {number_}")
            elif stop.get("stop_id", stops[str(number_)]) != stops[str(number_)]:
                out.append(f"{here}.stop_id: stop {number_} of the trip is '{stops[str(number_)]}'")
        how = stop.get("schedule_relationship", "SCHEDULED")
        if how == "SCHEDULED" and not ("arrival" in stop or "departure" in stop):
            out.append(f"{here}: is SCHEDULED, and has neither arrival nor departure")
    if not update.get("stop_time_update") and update["trip"].get("schedule_relationship") != "CANCELED":
        out.append(f"{path}.stop_time_update: is missing, and the trip is not CANCELED")
    return out
