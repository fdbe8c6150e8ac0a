"""What the twin asks of a traffic simulator: one Protocol, kept by ``sumo.py`` and by ``free_flow.py``.

Vehicles are whole numbers (see :func:`twin.domain.ids.vehicle_number`), roads are road indices of the city,
times are whole seconds since midnight of the first day, speeds m/s, lengths m. Everything moves as columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from geo.network import Routes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def _none() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class VehicleType:
    """A kind of vehicle as SUMO knows it (lengths m, speeds m/s, accelerations m/s², tau s)."""

    name: str
    v_class: str = "passenger"
    length_m: float = 5.0
    min_gap_m: float = 2.5
    max_speed_m_s: float = 38.9
    accel_m_s2: float = 2.6
    decel_m_s2: float = 4.5
    sigma: float = 0.5
    tau_s: float = 1.0
    speed_factor_mean: float = 1.0
    speed_factor_dev: float = 0.1
    gui_shape: str = "passenger"


@dataclass(frozen=True)
class Stop:
    """A planned halt: on road index ``road`` at ``pos_m`` for at least ``duration_s``, not before ``until_s``.

    ``lane``: SUMO's index of the lane; -1: the rightmost one that the vehicle may use.
    """

    road: int
    pos_m: float
    duration_s: int
    until_s: int = -1
    place: str = ""
    lane: int = -1


@dataclass(frozen=True)
class NewVehicles:
    """Vehicles that enter: equal-length columns; ``routes[i]`` belongs to ``vehicle[i]``.

    ``depart_s`` must not lie before the present. ``type_index`` points into the types given at the start.
    ``stops`` maps a position in these columns to the stops of that vehicle (for buses and the like).
    ``depart_pos_m``/``arrive_pos_m``: where on its first and last road a vehicle begins and ends (None or nan: at
    the ends of the roads); they are kept within the road. In meso SUMO begins and ends at the borders of a segment.
    """

    vehicle: Ints
    type_index: Ints
    depart_s: Ints
    routes: Routes
    stops: Mapping[int, Sequence[Stop]] = field(default_factory=dict)
    depart_pos_m: Floats | None = None
    arrive_pos_m: Floats | None = None

    @property
    def placed(self) -> bool:
        """Whether any of them may begin or end elsewhere than at the ends of roads."""
        return self.depart_pos_m is not None or self.arrive_pos_m is not None

    def ends(self, i: int) -> tuple[float, float]:
        """Return where vehicle ``i`` of these columns begins and ends (nan: at the end of the road)."""
        return (
            float("nan") if self.depart_pos_m is None else float(self.depart_pos_m[i]),
            float("nan") if self.arrive_pos_m is None else float(self.arrive_pos_m[i]),
        )


@dataclass(frozen=True)
class Flow:
    """What happened while traffic advanced: columns, each event list ordered by second, then as SUMO tells it.

    Seconds lie in ``[from, until_s)``. A teleported vehicle goes on and arrives later. ``entered`` speaks of
    the roads given to :meth:`Traffic.watch_entries`: vehicles that drove onto them or began there. ``skipped``: who
    will drive past a stop on ``skipped_road``, because no lane of it that the vehicle may use was open when it came
    onto the road.
    """

    departed: Ints = field(default_factory=_none)
    departed_s: Ints = field(default_factory=_none)
    arrived: Ints = field(default_factory=_none)
    arrived_s: Ints = field(default_factory=_none)
    teleported: Ints = field(default_factory=_none)
    teleported_s: Ints = field(default_factory=_none)
    stop_began: Ints = field(default_factory=_none)
    stop_began_s: Ints = field(default_factory=_none)
    stop_ended: Ints = field(default_factory=_none)
    stop_ended_s: Ints = field(default_factory=_none)
    entered: Ints = field(default_factory=_none)
    entered_road: Ints = field(default_factory=_none)
    entered_s: Ints = field(default_factory=_none)
    skipped: Ints = field(default_factory=_none)
    skipped_road: Ints = field(default_factory=_none)
    skipped_s: Ints = field(default_factory=_none)


@dataclass(frozen=True)
class Readings:
    """What detectors counted since they were last read; one row per watched road.

    ``count``: vehicles that entered the road; ``speed_m_s``: mean speed on it (nan when empty);
    ``occupancy``: share of its length covered by vehicles, 0..1.
    """

    road: Ints
    count: Ints
    speed_m_s: Floats
    occupancy: Floats


class Traffic(Protocol):
    """Vehicles on roads. The simulation calls ``advance`` from instant to instant of the clock."""

    def add(self, vehicles: NewVehicles) -> None:
        """Let vehicles enter at their second.

        ValueError, and nobody enters, when a vehicle has no route, one that does not hang together, a second
        in the past, or a number that is or was in use.
        """

    def advance(self, until_s: int) -> Flow:
        """Let traffic flow until second ``until_s`` and tell what happened since the last time."""

    def go_on(self, until_s: int) -> None:
        """Let traffic flow until second ``until_s``; what happens is told by the next :meth:`advance`."""

    def under_way(self) -> Ints:
        """Vehicles on the road or waiting to enter."""

    def where(self, vehicles: Ints) -> tuple[Ints, Floats]:
        """Road index (-1: not on the road now) and position in m along it, for each vehicle."""

    def vehicles_on(self, road: int) -> Ints:
        """Return the vehicles that are on a road now, in ascending order."""

    def remaining(self, vehicle: int) -> npt.NDArray[np.int32]:
        """Return the rest of a vehicle's route, the road it is on first; empty if it is gone."""

    def set_route(self, vehicle: int, roads: npt.NDArray[Any]) -> bool:
        """Give a vehicle a new rest of its route; it must begin with the road the vehicle is on.

        A vehicle that waits to enter gets a whole new route. False when the vehicle is gone; a rest that does
        not hang together or begins elsewhere is a ValueError.
        """

    def add_stop(self, vehicle: int, stop: Stop) -> bool:
        """Let a vehicle halt further along its route; False when it is gone or can no longer halt there."""

    def set_top_speed(self, vehicle: int, speed_m_s: float) -> bool:
        """Let a vehicle drive at most this fast, whatever the roads allow; False when it is gone."""

    def remove(self, vehicle: int) -> bool:
        """Take a vehicle off the road at once (it does not arrive); False when it is gone."""

    def close_road(self, road: int, closed: bool) -> None:
        """Close a whole road to new vehicles, or open it again. Those on it leave it.

        A vehicle whose route leads over it drives up to it and waits there, as does one that would enter the
        roads on it, until the road opens, the vehicle gets another route, or it is teleported.
        """

    def close_lane(self, road: int, lane: int, closed: bool) -> None:
        """Close one lane (0 = rightmost), or open it again."""

    def set_speed(self, road: int, speed_m_s: float | None) -> None:
        """Set the speed limit of a road; None restores its own."""

    def set_speeds(self, factor: float) -> None:
        """Scale the limits of all roads (weather), on top of limits set road by road."""

    def travel_times(self) -> Floats:
        """Present travel time of every road in seconds, as last measured (free flow where nobody drove)."""

    def watch(self, roads: Ints) -> None:
        """Declare the roads whose detectors :meth:`read` returns."""

    def read(self) -> Readings:
        """Read the detectors and start their next interval."""

    def watch_entries(self, roads: Ints) -> None:
        """Declare the roads whose entries :class:`Flow` tells from now on (a few dozen: looked at every second)."""

    def close(self) -> None:
        """End; outputs (``fcd.parquet``) are complete afterwards."""


@runtime_checkable
class HasSignals(Protocol):
    """A traffic simulator with traffic lights that somebody else may steer (SUMO; free flow has none).

    ``before_step(t)`` is called before the second from ``t`` is simulated, and returns the second at which it wants to
    be called next; None: nobody steers. ``looked(roads, vehicles, speed)`` is called whenever the simulator itself has
    looked at busy roads, every ``look_s``: how many are on each, and their mean speed in m/s (0 where nobody is); None:
    nobody listens. ``live``: the simulator's own interface, for the adapter of the signals.
    """

    before_step: Callable[[int], int] | None
    looked: Callable[[Ints, Floats, Floats], None] | None

    @property
    def look_s(self) -> int:
        """Seconds between two looks at busy roads; prime, so that they do not always meet one phase of a signal."""

    @property
    def live(self) -> Any:
        """The running simulator's interface (libsumo)."""

    def roads_of(self, vehicles: Ints) -> Ints:
        """Return the road each vehicle is on (−1: none, or inside a junction); cheaper than ``where``."""


@dataclass(frozen=True)
class TrafficSettings:
    """How traffic is simulated. ``mode``: meso | micro | free-flow."""

    mode: str = "meso"
    seed: int = 0
    begin_s: int = 0
    end_s: int = 86400
    time_to_teleport_s: int = 300
    fcd_file: Path | None = None
    fcd_period_s: int = 30
    options: tuple[str, ...] = ()
