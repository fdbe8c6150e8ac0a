"""Ids as types, the one numbering of vehicles, and that of the units of fleets."""

from __future__ import annotations

from typing import NewType

ResidentId = NewType("ResidentId", int)
CompanyId = NewType("CompanyId", int)
VehicleId = NewType("VehicleId", int)
UnitId = NewType("UnitId", int)
RoadIndex = NewType("RoadIndex", int)

#: kinds of vehicle and their place in a vehicle number; numbers are part of every log, so only append
VEHICLE_KINDS = {
    "car": 1,
    "through": 2,
    "freight": 3,
    "bus": 4,
    "given": 5,
    "shuttle": 6,
    "robot": 7,
    "sweeper": 8,
    "courier": 9,
    "responder": 10,
    "supply": 11,
    "obstacle": 12,
}
_KIND_NAMES = {number: kind for kind, number in VEHICLE_KINDS.items()}
_KIND = 10**12
_ENTITY = 10**3

#: fleets whose units are steered one by one: the kind of vehicle they are
FLEETS = ("shuttle", "robot", "sweeper", "courier")
_UNITS = 100_000


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
    """Return the name people see and search for, such as ``car-123-2``; a unit's is that of the unit, ``robot-7``."""
    kind = vehicle_kind(vehicle)
    if kind in FLEETS:
        return unit_label(unit_of(vehicle))
    return f"{kind}-{vehicle_entity(vehicle)}-{vehicle % _ENTITY}"


# -- units: vehicles that stay the same from leg to leg ---------------------------------------------------


def unit_number(fleet: str, number: int) -> UnitId:
    """Return the number of the ``number``-th unit (from 1, below 100,000) of a fleet. Works on arrays too."""
    return UnitId(VEHICLE_KINDS[fleet] * _UNITS + number)


def unit_fleet(unit: int) -> str:
    """Return the fleet of a unit."""
    return _KIND_NAMES[int(unit) // _UNITS]


def unit_label(unit: int) -> str:
    """Return the name people see and search for, such as ``robot-7``."""
    return f"{unit_fleet(unit)}-{int(unit) % _UNITS}"


def unit_vehicle(unit: int, leg: int) -> VehicleId:
    """Return the vehicle number of leg ``leg`` (from 0, below 10⁷) of a unit: every leg is a vehicle of its own."""
    return vehicle_number(unit_fleet(unit), unit % _UNITS + leg // _ENTITY * _UNITS, leg % _ENTITY)


def unit_of(vehicle: int) -> UnitId:
    """Return the unit that drives as a vehicle number. Works on arrays too."""
    return UnitId(vehicle // _KIND * _UNITS + vehicle_entity(vehicle) % _UNITS)
