"""The kinds of vehicle the twin knows, and how drivers of one kind differ.

SUMO draws a driver's speed factor from one shared generator, so one more vehicle would change everybody
behind it. Here every kind is handed to SUMO as a few classes of drivers with a fixed factor each, and a named
draw per vehicle number picks the class: adding a vehicle changes nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.dice import Stream
from twin.world.traffic.ports import Traffic, TrafficSettings, VehicleType

#: order of the default types; ``NewVehicles.type_index`` points into it
CAR, THROUGH, TRUCK, BUS, SHUTTLE, ROBOT, SWEEPER, SWEEPER_AT_WORK, TRIKE, VAN, EMERGENCY, SERVICE = range(12)


def _automated(name: str, length_m: float, top_km_h: float, shape: str) -> VehicleType:
    return VehicleType(
        name,
        length_m=length_m,
        max_speed_m_s=top_km_h / 3.6,
        accel_m_s2=1.5,
        decel_m_s2=3.0,
        sigma=0.0,
        tau_s=1.5,
        speed_factor_dev=0.0,
        gui_shape=shape,
    )


#: Lengths, gaps, accelerations: SUMO's defaults for the vehicle classes passenger, truck and bus (SUMO user
#: documentation, "Vehicle Type Parameter Defaults"). Speed limits: car as SUMO; truck 80 km/h (legal limit of
#: heavy goods vehicles on Chinese expressways is 100, on other roads 70-80: assumed); bus 70 km/h (assumed).
#: Spread of speed factors: 0.1 for cars as in SUMO, 0.05 for professional drivers (assumed).
#: Units of fleets are of class passenger, so that they may drive wherever their desks' maps say "car". Automated ones
#: keep limits exactly (no spread, sigma 0) and brake and start gently (assumed: 1.5 and 3 m/s²). Top speeds here are
#: what the vehicles could do (assumed); their models and permits limit them lower: shuttle, a minibus of 5.9 m, 40 km/h
#: (F22); robot, a delivery vehicle of the 5 m³ class, 2.8 m, 40 km/h; sweeper, 2.4 m, 20 km/h between works and 7 km/h
#: at work, as makers of small sweeping robots tell. Trike: an electric courier tricycle, 25 km/h. Van: 5 m, 90 km/h.
#: Emergency: with blue light, 18 % above limits (assumed; as fast as the fastest cars here), 100 km/h at most. Service:
#: a light truck of a repair crew or patrol.
DEFAULT_TYPES: tuple[VehicleType, ...] = (
    VehicleType("car"),
    VehicleType("through"),
    VehicleType(
        "truck",
        v_class="truck",
        length_m=7.1,
        max_speed_m_s=22.2,
        accel_m_s2=1.3,
        decel_m_s2=4.0,
        speed_factor_dev=0.05,
        gui_shape="truck",
    ),
    VehicleType(
        "bus",
        v_class="bus",
        length_m=12.0,
        max_speed_m_s=19.4,
        accel_m_s2=1.2,
        decel_m_s2=4.0,
        speed_factor_dev=0.05,
        gui_shape="bus",
    ),
    _automated("shuttle", 5.9, 70.0, "bus/flexible"),
    _automated("robot", 2.8, 50.0, "delivery"),
    _automated("sweeper", 2.4, 25.0, "delivery"),
    _automated("sweeper_at_work", 2.4, 7.0, "delivery"),
    VehicleType(
        "trike",
        length_m=2.9,
        max_speed_m_s=25 / 3.6,
        accel_m_s2=1.2,
        decel_m_s2=3.0,
        speed_factor_dev=0.05,
        gui_shape="bicycle",
    ),
    VehicleType(
        "van",
        length_m=5.0,
        max_speed_m_s=25.0,
        accel_m_s2=2.0,
        decel_m_s2=4.5,
        speed_factor_dev=0.05,
        gui_shape="delivery",
    ),
    VehicleType(
        "emergency",
        length_m=8.0,
        max_speed_m_s=27.8,
        accel_m_s2=1.8,
        decel_m_s2=4.5,
        sigma=0.2,
        speed_factor_mean=1.18,
        speed_factor_dev=0.0,
        gui_shape="firebrigade",
    ),
    VehicleType(
        "service",
        length_m=5.5,
        max_speed_m_s=25.0,
        accel_m_s2=2.0,
        decel_m_s2=4.5,
        speed_factor_dev=0.05,
        gui_shape="delivery",
    ),
)


def type_index(name: str) -> int:
    """Return the place of a default type, such as ``"truck"``, in DEFAULT_TYPES."""
    for i, kind in enumerate(DEFAULT_TYPES):
        if kind.name == name:
            return i
    raise ValueError(f"no vehicle type '{name}'; there are: {', '.join(kind.name for kind in DEFAULT_TYPES)}")


def make_traffic(city: City, settings: TrafficSettings, types: Sequence[VehicleType] = DEFAULT_TYPES) -> Traffic:
    """Return the traffic model that ``settings.mode`` names: meso or micro (SUMO), or free-flow."""
    if settings.mode == "free-flow":
        from twin.world.traffic.free_flow import FreeFlowTraffic

        return FreeFlowTraffic(city, types, settings)
    from twin.world.traffic.sumo import SumoTraffic

    return SumoTraffic(city, types, settings)


#: classes of drivers per kind with a spread
DRIVER_CLASSES = 16


def driver_factors(kind: VehicleType) -> tuple[float, ...]:
    """Speed factors of the kind's classes of drivers: the middles of equally likely parts of a normal law."""
    if kind.speed_factor_dev <= 0.0:
        return (kind.speed_factor_mean,)
    law = NormalDist(kind.speed_factor_mean, kind.speed_factor_dev)
    return tuple(round(min(max(law.inv_cdf((k + 0.5) / DRIVER_CLASSES), 0.2), 2.0), 4) for k in range(DRIVER_CLASSES))


class Drivers:
    """Which class of drivers each vehicle belongs to, as named draws."""

    def __init__(self, types: Sequence[VehicleType], seed: int) -> None:
        self.types = tuple(types)
        self.factors = [driver_factors(kind) for kind in self.types]
        self._first = np.concatenate([[0], np.cumsum([len(f) for f in self.factors])])[:-1].astype(np.int64)
        self._count = np.array([len(f) for f in self.factors], dtype=np.int64)
        self._flat = np.concatenate([np.asarray(f) for f in self.factors])
        self._stream = Stream(seed, "traffic.speed_factor")
        #: SUMO's name of every class, kind by kind; kinds of one name (ours, and given ones) stay apart
        self.names = []
        used: set[str] = set()
        for i, (kind, f) in enumerate(zip(self.types, self.factors, strict=True)):
            name = kind.name if kind.name not in used else f"{kind.name}-{i}"
            used.add(name)
            self.names += [name] if len(f) == 1 else [f"{name}.{k}" for k in range(len(f))]

    def draw(self, vehicle: npt.NDArray[np.int64], type_index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the class of each vehicle: an index into :attr:`names` and :meth:`factor`."""
        count = self._count[type_index]
        pick = np.floor(self._stream.uniform(vehicle) * count).astype(np.int64)
        return np.asarray(self._first[type_index] + pick, dtype=np.int64)

    def factor(self, driver: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Speed factor of each class in ``driver``."""
        return np.asarray(self._flat[driver], dtype=np.float64)

    def kind_of(self, driver: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Index of the kind of vehicle that each class in ``driver`` belongs to."""
        return np.asarray(np.searchsorted(self._first, driver, side="right") - 1, dtype=np.int64)

    @property
    def top_factor(self) -> float:
        """The highest speed factor anybody has."""
        return float(self._flat.max())

    @property
    def top_speed_m_s(self) -> float:
        """The highest speed any vehicle can drive."""
        return max(kind.max_speed_m_s for kind in self.types)

    def xml(self) -> str:
        """All classes as a SUMO additional file."""
        names = iter(self.names)
        rows = [
            f"<vType id={quoteattr(next(names))} vClass={quoteattr(kind.v_class)}"
            f' length="{kind.length_m}" minGap="{kind.min_gap_m}" maxSpeed="{kind.max_speed_m_s}"'
            f' accel="{kind.accel_m_s2}" decel="{kind.decel_m_s2}" sigma="{kind.sigma}"'
            f' tau="{kind.tau_s}" speedFactor="{factor}" speedDev="0"'
            f" guiShape={quoteattr(kind.gui_shape)}/>"
            for kind, factors in zip(self.types, self.factors, strict=True)
            for factor in factors
        ]
        return "<additional>\n" + "\n".join(rows) + "\n</additional>\n"
