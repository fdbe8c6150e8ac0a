"""Logs in which one thing went wrong each, to show that the property that is about it notices."""

from __future__ import annotations

import numpy as np

from twin import events
from twin.domain.ids import unit_number, unit_vehicle
from twin.log import Facts, Log

R1, R2 = int(unit_number("robot", 1)), int(unit_number("robot", 2))


def _order(log: Log, order: int = 1) -> None:
    log.add(events.OrderPlaced, t_s=0, order=order, customer=1, destination=0, size=5, ready_s=60, due_s=3600)
    log.add(events.OrderAnswered, t_s=1, order=order, accepted=True, reason="", promised_s=900)


def _booking(log: Log, booking: int = 1) -> None:
    log.add(events.BookingMade, t_s=0, booking=booking, resident=1, origin=0, destination=1, wanted_s=600, party=1)


def lost_parcel() -> Facts:
    log = Log()
    _order(log)
    return log.close()


def two_units() -> Facts:
    log = Log()
    _order(log)
    log.add(events.OrderLoaded, t_s=100, order=1, unit=R1, place="d")
    log.add(events.OrderDelivered, t_s=200, order=1, unit=R2, to="person", duration_s=200, late_s=0)
    return log.close()


def too_full() -> Facts:
    log = Log()
    log.add(
        events.UnitDeployed, t_s=0, unit=R1, fleet="robot", model="robot", road=0, pos_m=0.0, capacity=10, battery=1.0
    )
    log.add(events.UnitChanged, t_s=5, unit=R1, state="parked", battery=1.0, load=11, road=0, pos_m=0.0)
    return log.close()


def flat() -> Facts:
    log = Log()
    log.add(events.UnitBroke, t_s=50, unit=R2, cause="wear", road=0)  # another unit's fault explains nothing
    log.add(events.ReserveBroken, t_s=100, unit=R1, battery=0.1)
    return log.close()


def left_aboard() -> Facts:
    log = Log()
    _booking(log)
    log.add(events.PassengerBoarded, t_s=700, booking=1, resident=1, unit=R1, place="a", wait_s=0, late_s=0)
    return log.close()


def two_places() -> Facts:
    log = Log()
    v = np.asarray([unit_vehicle(R1, 0), unit_vehicle(R1, 1)])
    log.add(
        events.UnitDeparted, t_s=[0, 50], unit=R1, vehicle=v, task="x", road=0, to_road=1, distance_m=1.0,
        expected_s=1.0,
    )  # fmt: skip
    log.add(events.UnitArrived, t_s=[100, 120], unit=R1, vehicle=v, task="x", road=1, distance_m=1.0, late_s=0)
    return log.close()


def _robot_drives(log: Log, road: int, until_s: int) -> None:
    for t_s, state, at in ((100, "driving", 0), (300, "driving", road), (until_s, "parked", road)):
        log.add(events.UnitChanged, t_s=t_s, unit=R1, state=state, battery=1.0, load=0, road=at, pos_m=0.0)


def permit(log: Log, roads: tuple[int, ...] = (0, 1), until_s: int = 86_400) -> None:
    """Let every robot drive on some roads from midnight to ``until_s`` of each day."""
    log.add(
        events.PermitGranted, t_s=0, permit="robot-goods", fleet="robot", roads=len(roads), speed_m_s=9.0,
        permit_for="goods", unit_names="", daily_from_s=0, daily_until_s=until_s, valid_until_s=1 << 40,
    )  # fmt: skip
    log.add(events.PermitRoad, t_s=0, permit="robot-goods", road=np.asarray(roads))


def drives_late() -> Facts:
    log = Log()
    permit(log, until_s=200)
    _robot_drives(log, 1, 400)
    return log.close()


def drives_astray(told: bool = False) -> Facts:
    """Let a robot drive on a road it may not, ``told``: with the violation that says so."""
    log = Log()
    permit(log)
    _robot_drives(log, 7, 400)
    log.add(events.UnitOnRoad, t_s=300, unit=R1, road=7)
    if told:
        log.add(events.ViolationBegan, t_s=300, unit=R1, violation="out of area", road=7, cause="localisation")
    return log.close()


BAD = {
    "parcels_are_conserved": lost_parcel,
    "parcels_travel_in_one_unit": two_units,
    "loads_fit": too_full,
    "reserves_are_kept": flat,
    "passengers_are_conserved": left_aboard,
    "units_are_in_one_place": two_places,
    "permits_are_kept": drives_late,
}
