"""What the simulation and its people tell each other: columns, once per tick (a minute)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

#: modes of travel, in the order of their codes; numbers are part of every log, so only append
MODES = ("walk", "ebike", "car", "bus", "autonomous_bus", "passenger")
WALK, EBIKE, CAR, BUS, AUTONOMOUS_BUS, PASSENGER = range(6)

#: why somebody travels (the activity at the destination); append only
PURPOSES = ("home", "work", "school", "shop", "leisure", "errand", "escort", "event")


@dataclass(frozen=True)
class Departures:
    """Trips that begin in a tick: equal-length columns.

    ``trip``: number of the trip within the resident's run; ``mode``: index into MODES; ``purpose``: index into
    PURPOSES; ``origin``/``destination``: rows of ``city.blocks``; ``depart_s``: the second of setting out;
    ``planned_s``: when it was planned to (later than that = the person was held up); ``due_s``: when the
    activity begins (-1 = no fixed time).
    """

    resident: Ints
    trip: Ints
    mode: Ints
    purpose: Ints
    origin: Ints
    destination: Ints
    depart_s: Ints
    planned_s: Ints
    due_s: Ints


@dataclass(frozen=True)
class Arrivals:
    """Trips that ended: who, which trip, when, and whether it reached its end (False: refused or removed)."""

    resident: Ints
    trip: Ints
    arrived_s: Ints
    reached: npt.NDArray[np.bool_]
