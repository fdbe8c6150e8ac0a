"""Models of vehicles: what a unit of each kind is like. Every figure has a source or says "assumed".

Energy in Wh, power in W, speeds in m/s. ``capacity`` in the measure of the fleet's load: passengers (shuttle),
litres of parcels (robot, courier), litres of litter (sweeper).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class VehicleModel:
    """What a unit is like.

    ``vehicle``/``at_work``: names of vehicle types (:data:`twin.world.traffic.types.DEFAULT_TYPES`), ``at_work`` on
    legs with the task "sweep". ``use_wh_m``: traction per metre; ``idle_w``: computers, sensors, lights, air
    conditioning, all the time it is in service. ``reserve``: state of charge its operator never goes below.
    ``remote``: watched from afar – it stops by itself when its link is lost, and may need a remote operator.
    ``failure_km``: mean distance between break-downs; ``assist_km``: between two times it needs a remote operator.
    """

    vehicle: str
    capacity: int
    battery_wh: float
    use_wh_m: float
    idle_w: float
    reserve: float
    speed_m_s: float
    remote: bool
    failure_km: float
    assist_km: float
    charge_w: float
    at_work: str = ""
    name: str = ""


def _km_h(speed: float) -> float:
    return speed / 3.6


_MODELS: dict[str, VehicleModel] = {
    # L4 minibus (F22): 8 seats and a safety driver. Public data of minibuses of 5.9 m (Apolong, Robobus class):
    # 14 or 8 seats, battery about 50 kWh, 100 km and more by charge, at most 40 km/h in service. 0.35 kWh/km
    # traction, 1.2 kW of computers and air conditioning, 15,000 km between failures: assumed. A safety driver is on
    # board, so no remote operator is asked.
    "minibus": VehicleModel(
        "shuttle", 8, 50_000.0, 0.35, 1_200.0, 0.15, _km_h(40), False, 15_000.0, math.inf, 60_000.0
    ),
    # Delivery robot of the 5 m³ class (F23; Neolix X3 class, as its maker tells: 1 t, about 5 m³, range of 120 to
    # 200 km at most 40 km/h). 4,000 l net of lockers' walls and gaps between parcels, 30 kWh, 0.12 kWh/km, 250 W
    # of computers and sensors: assumed. A break-down each 8,000 km, remote help each 40 km: assumed; reports of
    # disengagements of delivery vehicles range from a few to some hundreds of km.
    "robot": VehicleModel("robot", 4_000, 30_000.0, 0.12, 250.0, 0.15, _km_h(40), True, 8_000.0, 40.0, 7_000.0),
    # Small delivery robot: 1,000 l net of compartments, 10 kWh, 0.08 kWh/km (assumed)
    "robot_small": VehicleModel("robot", 1_000, 10_000.0, 0.08, 200.0, 0.15, _km_h(40), True, 8_000.0, 40.0, 3_300.0),
    # Sweeping robot of the class of 2 m length: hopper 180 l, 6 to 8 h of work from one charge of 15 kWh, as makers
    # tell; 0.18 kWh/km with brushes and suction at 7 km/h, 300 W always: assumed (9.6 h of work by this arithmetic).
    "sweeper": VehicleModel(
        "sweeper", 180, 15_000.0, 0.18, 300.0, 0.15, _km_h(20), True, 4_000.0, 30.0, 7_000.0, at_work="sweeper_at_work"
    ),
    # Courier e-trike: 60 V × 50 Ah, 25 km/h (limit of electric light vehicles for express delivery in many cities),
    # 1,200 l box, 0.03 kWh/km: assumed. Its battery is swapped for a full one in about ten
    # minutes, as couriers do in many cities (18 kW stand for that); whoever rides it needs no remote operator.
    "trike": VehicleModel("trike", 1_200, 3_000.0, 0.03, 0.0, 0.10, _km_h(25), False, 6_000.0, math.inf, 18_000.0),
    # Electric delivery van of the 5 m³ class: 41 kWh and 0.18 kWh/km, as for vans common in Chinese city logistics;
    # 4,500 l net: assumed.
    "van": VehicleModel("van", 4_500, 41_000.0, 0.18, 100.0, 0.10, _km_h(70), False, 20_000.0, math.inf, 30_000.0),
}

#: by name
MODELS: dict[str, VehicleModel] = {name: replace(model, name=name) for name, model in _MODELS.items()}
