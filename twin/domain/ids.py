"""Ids as types, and the one numbering of vehicles."""

from __future__ import annotations

from typing import NewType

ResidentId = NewType("ResidentId", int)
CompanyId = NewType("CompanyId", int)
VehicleId = NewType("VehicleId", int)
RoadIndex = NewType("RoadIndex", int)

#: kinds of vehicle and their place in a vehicle number; numbers are part of every log, so only append
VEHICLE_KINDS = {"car": 1, "through": 2, "freight": 3, "bus": 4, "given": 5}
_KIND_NAMES = {number: kind for kind, number in VEHICLE_KINDS.items()}
_KIND = 10**12
_ENTITY = 10**3


def vehicle_number(kind: str, entity: int, occurrence: int) -> VehicleId:
    """Return the number of a vehicle, a function of who drives and which time: 1 000000123 002.

    ``entity`` (resident, line, gate …) below 10⁹, ``occurrence`` below 1000. Because nothing is counted up
    during the run, one more resident changes nobody else's vehicle number. Works on arrays too.
    """
    return VehicleId(VEHICLE_KINDS[kind] * _KIND + entity * _ENTITY + occurrence)


def vehicle_kind(vehicle: int) -> str:
    """Return the kind (a key of VEHICLE_KINDS) that a vehicle number holds."""
    return _KIND_NAMES[int(vehicle) // _KIND]


def vehicle_entity(vehicle: int) -> int:
    """Return the resident, line or gate number that a vehicle number holds. Works on arrays too."""
    return (vehicle % _KIND) // _ENTITY


def vehicle_label(vehicle: int) -> str:
    """Return the name people see and search for, such as ``car-123-2``."""
    return f"{vehicle_kind(vehicle)}-{vehicle_entity(vehicle)}-{vehicle % _ENTITY}"
