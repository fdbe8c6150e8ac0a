"""The Mobility Data Specification 2.0, mode ``delivery-robots``, as compact tables, and the check against them.

Sources (Open Mobility Foundation, CC BY 4.0): fields and types after ``data-types.md`` of
mobility-data-specification and ``models/*.yaml``, ``reference/provider.yaml`` of mds-openapi; trip and vehicle
attributes and which event may lead to which state after ``models/modes/delivery-robots/{event,trip,vehicle}.yaml``;
which state may follow which after "Vehicle States Events" of ``modes/delivery-robots.md``. Where that page still has
the names of its draft (reserve, trip_stop, unknown …) the names of the OpenAPI description are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.exports.shapes import Check, array, boolean, nullable, number, one_of, record, text, uuid, whole

VERSION = "2.0.0"
MODE = "delivery-robots"
LONGEST_TTL_MS = 300_000

#: vehicle state → event types that may lead to it
EVENT_TYPES: Mapping[str, frozenset[str]] = {
    state: frozenset(types.split())
    for state, types in {
        "removed": "comms_restored decommissioned located maintenance_pick_up",
        "available": "comms_restored customer_cancellation driver_cancellation located provider_cancellation"
        " service_start trip_end trip_enter_jurisdiction",
        "non_operational": "comms_restored located maintenance maintenance_end recommissioned service_end"
        " trip_enter_jurisdiction",
        "reserved": "comms_restored located reservation_start trip_enter_jurisdiction",
        "on_trip": "comms_restored located trip_enter_jurisdiction trip_resume trip_start",
        "stopped": "comms_restored located order_drop_off order_pick_up reservation_stop trip_pause",
        "non_contactable": "comms_lost",
        "missing": "not_located",
        "elsewhere": "comms_restored located trip_leave_jurisdiction",
    }.items()
}
STATES = tuple(EVENT_TYPES)

#: (state before, state after) → event types of that transition; those to and from elsewhere, non_contactable and
#: missing are added below
TRANSITIONS: dict[tuple[str, str], frozenset[str]] = {
    tuple(way.split(">")): frozenset(types.split())  # type: ignore[misc]
    for way, types in {
        "available>non_operational": "service_end",
        "available>reserved": "reservation_start",
        "non_operational>available": "service_start",
        "non_operational>removed": "decommissioned maintenance_pick_up",
        "on_trip>available": "order_drop_off",
        "on_trip>stopped": "trip_pause order_pick_up order_drop_off",
        "removed>non_operational": "maintenance_end recommissioned",
        "reserved>available": "driver_cancellation customer_cancellation provider_cancellation",
        "reserved>stopped": "reservation_stop order_pick_up",
        "stopped>available": "driver_cancellation customer_cancellation provider_cancellation trip_end",
        "stopped>on_trip": "trip_resume trip_start",
    }.items()
}
_IN_TOUCH = ("removed", "available", "non_operational", "reserved", "on_trip", "stopped", "elsewhere")
for _state in _IN_TOUCH:
    TRANSITIONS[_state, "non_contactable"] = frozenset({"comms_lost"})
    TRANSITIONS["non_contactable", _state] = frozenset({"comms_restored"})
    TRANSITIONS[_state, "missing"] = frozenset({"not_located"})
    TRANSITIONS["missing", _state] = frozenset({"located"})
for _state in ("available", "non_operational", "on_trip", "reserved"):
    TRANSITIONS[_state, "elsewhere"] = frozenset({"trip_leave_jurisdiction"})
    TRANSITIONS["elsewhere", _state] = frozenset({"trip_enter_jurisdiction"})
TRANSITIONS["non_contactable", "missing"] = frozenset({"not_located"})

#: events that name the trips they are about
NEEDS_TRIP = frozenset(
    {
        "customer_cancellation", "driver_cancellation", "provider_cancellation", "reservation_start",
        "reservation_stop", "trip_end", "trip_enter_jurisdiction", "trip_leave_jurisdiction", "trip_pause",
        "trip_resume", "trip_start",
    }
)  # fmt: skip

_TIMESTAMP = whole(1_514_764_800_000)
_COUNT = whole(0)
_PERCENT = whole(0, 100)
_DATE = text(10, r"^(19[789]\d|[2-9]\d{3})-(0[1-9]|1[012])-([12]\d|0[1-9]|3[01])$")
_WHO: dict[str, Check] = {"device_id": uuid, "provider_id": uuid}
_DATA: dict[str, Check] = {"data_provider_id": uuid}

GPS = record(
    {"lat": number(-90, 90), "lng": number(-180, 180)},
    {
        "altitude": number(), "heading": number(0, 360), "speed": number(0), "horizontal_accuracy": number(0),
        "vertical_accuracy": number(0), "satellites": _COUNT,
    },
)  # fmt: skip

VEHICLE = record(
    {
        **_WHO, "vehicle_id": text(),
        "vehicle_type": one_of(
            "bicycle", "bus", "cargo_bicycle", "car", "delivery_robot", "moped", "motorcycle", "scooter_standing",
            "scooter_seated", "truck", "other",
        ),
        "propulsion_types": array(
            one_of(
                "human", "electric_assist", "electric", "combustion", "combustion_diesel", "hybrid",
                "hydrogen_fuel_cell", "plug_in_hybrid",
            ),
            1,
        ),
    },
    {
        **_DATA,
        "vehicle_attributes": record({}, {
            "year": whole(1970), "make": text(), "model": text(), "color": text(), "inspection_date": _DATE,
            "equipped_cameras": _COUNT, "equipped_lighting": _COUNT, "wheel_count": _COUNT, "width": _COUNT,
            "length": _COUNT, "height": _COUNT, "weight": _COUNT, "top_speed": _COUNT, "storage_capacity": _COUNT,
        }),
        "accessibility_attributes": array(one_of("audio_cue", "visual_cue", "remote_open")),
        "battery_capacity": _COUNT, "fuel_capacity": _COUNT, "maximum_speed": _COUNT,
    },
)  # fmt: skip

EVENT = record(
    {
        **_WHO, "event_id": uuid, "vehicle_state": one_of(*STATES),
        "event_types": array(one_of(*sorted(frozenset().union(*EVENT_TYPES.values()))), 1),
        "timestamp": _TIMESTAMP, "location": GPS,
    },
    {
        **_DATA, "publication_time": _TIMESTAMP, "event_geographies": array(uuid), "battery_percent": _PERCENT,
        "fuel_percent": _PERCENT, "trip_ids": array(uuid), "associated_ticket": text(),
    },
)  # fmt: skip

TELEMETRY = record(
    {
        **_WHO, "telemetry_id": uuid, "timestamp": _TIMESTAMP, "trip_ids": nullable(array(uuid, 1)),
        "journey_id": nullable(uuid), "location": GPS,
    },
    {
        **_DATA, "stop_id": uuid, "battery_percent": _PERCENT, "fuel_percent": _PERCENT, "tipped_over": boolean,
        "location_type": one_of("street", "sidewalk", "crosswalk", "garage", "bike_lane"),
    },
)  # fmt: skip

STATUS = record({**_WHO, "last_event": EVENT, "last_telemetry": TELEMETRY}, _DATA)

TRIP = record(
    {
        **_WHO, "trip_id": uuid, "trip_type": one_of("delivery", "return", "advertising", "mapping", "roaming"),
        "start_time": _TIMESTAMP, "end_time": _TIMESTAMP, "start_location": GPS, "end_location": GPS,
        "duration": _COUNT, "distance": _COUNT,
    },
    {
        **_DATA, "journey_id": uuid, "journey_attributes": record({}), "publication_time": _TIMESTAMP,
        "trip_attributes": record(
            {"driver_type": one_of("human", "semi_autonomous", "autonomous")},
            {"driver_id": uuid, "app_name": text(), "requested_time": _TIMESTAMP, "has_payload": boolean},
        ),
        "fare_attributes": record({}, {
            "payment_type": one_of(
                "account_number", "cash", "credit_card", "mobile_app", "no_payment", "phone", "test", "voucher"
            ),
            "price": _COUNT,
        }),
        "accessibility_attributes": array(one_of("audio_cue", "visual_cue", "remote_open")),
        "parking_verification_url": nullable(text(2000)), "standard_cost": _COUNT, "actual_cost": _COUNT,
        "parking_category": one_of("corral", "curb", "rack", "other_valid", "invalid"),
        "currency": nullable(text(3, "^[A-Z]{3}$")),
    },
)  # fmt: skip

_LINK = nullable(text(2000))
_VERSION: dict[str, Check] = {"version": text(12, r"^2\.(\d|[1-9]\d+)\.(\d|[1-9]\d+)$")}
_LATENCY: dict[str, Check] = {"last_updated": _TIMESTAMP, "ttl": whole(0, LONGEST_TTL_MS)}
_PAGING: dict[str, Check] = {"links": record({"next": _LINK}, {"first": _LINK, "last": _LINK, "prev": _LINK})}

#: endpoint → shape of its answer
ENDPOINTS: Mapping[str, Check] = {
    "vehicles": record({**_VERSION, **_LATENCY, "vehicles": array(VEHICLE)}, _PAGING),
    "vehicles/status": record({**_VERSION, **_LATENCY, "vehicles_status": array(STATUS)}, _PAGING),
    "trips": record({**_VERSION, "trips": array(TRIP)}),
    "events/historical": record({**_VERSION, "events": array(EVENT)}),
}


def problems(answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with answers by endpoint: shapes, ids, the state machine, references. One sentence each."""
    out: list[str] = []
    for endpoint, answer in answers.items():
        out += [f"{endpoint}: {said}" for said in ENDPOINTS[endpoint](answer, "")]
    if out:
        return out  # what follows relies on the shapes
    events = answers.get("events/historical", {}).get("events", [])
    trips = answers.get("trips", {}).get("trips", [])
    vehicles = answers.get("vehicles", {}).get("vehicles")
    out += [f"events/historical: {said}" for said in _machine(events)]
    out += _twice("events/historical", "event_id", events)
    out += _twice("trips", "trip_id", trips)
    if vehicles is not None:
        known = {v["device_id"] for v in vehicles}
        out += _twice("vehicles", "device_id", vehicles)
        status = answers.get("vehicles/status", {}).get("vehicles_status", [])
        for name, rows in (("trips", trips), ("events/historical", events), ("vehicles/status", status)):
            out += [
                f"{name}[{i}].device_id: '{row['device_id']}' is not one of vehicles"
                for i, row in enumerate(rows)
                if row["device_id"] not in known
            ]
    for i, trip in enumerate(trips):
        if trip["end_time"] < trip["start_time"]:
            out.append(f"trips[{i}].end_time: lies before its start_time")
    return out


def _machine(events: list[dict[str, Any]]) -> Iterator[str]:
    """Follow each device through its events."""
    last: dict[str, tuple[int, str]] = {}
    for i, event in enumerate(events):
        state, types, at = event["vehicle_state"], set(event["event_types"]), event["timestamp"]
        if wrong := types - EVENT_TYPES[state]:
            allowed = ", ".join(sorted(EVENT_TYPES[state]))
            yield f"events[{i}].event_types: {', '.join(sorted(wrong))} cannot lead to {state}; allowed: {allowed}"
        if types & NEEDS_TRIP and not event.get("trip_ids"):
            yield f"events[{i}].trip_ids: is missing, and {', '.join(sorted(types & NEEDS_TRIP))} needs it"
        device = event["device_id"]
        if device in last:
            before_ms, before = last[device]
            if at < before_ms:
                yield f"events[{i}].timestamp: lies before the event before it of the same device"
            allowed_types = TRANSITIONS.get((before, state))
            if allowed_types is None:
                yield f"events[{i}].vehicle_state: {state} cannot follow {before}"
            elif not types & allowed_types:
                said = ", ".join(sorted(types))
                yield (
                    f"events[{i}].event_types: {said} does not lead from {before} to {state};"
                    f" allowed: {', '.join(sorted(allowed_types))}"
                )
        last[device] = (at, state)


def _twice(endpoint: str, field: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for i, row in enumerate(rows):
        if row[field] in seen:
            yield f"{endpoint}[{i}].{field}: '{row[field]}' is there twice"
        seen.add(row[field])
