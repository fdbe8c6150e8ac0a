"""Messages: what control can know. Frozen, typed, JSON-serialisable; readings travel as columns.

Every message has ``t_s``, the second at which control receives it (since midnight of the first day), and a
``key`` that is the same when the same thing is told twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Message:
    """Base of all messages."""

    t_s: int
    key: str


@dataclass(frozen=True)
class RoadMap(Message):
    """The roads a controller is responsible for, told once at its start (names as in SAE J2735 MAP, as columns).

    ``road``: road indices, ``length_m``, ``limit_m_s`` and ``lanes`` beside them; ``turn_from``/``turn_to``:
    permitted turns as pairs of road indices.
    """

    road: Ints
    length_m: Floats
    limit_m_s: Floats
    lanes: Ints
    turn_from: Ints
    turn_to: Ints


@dataclass(frozen=True)
class DetectorReadings(Message):
    """Road detectors over the ``period_s`` seconds before ``t_s``, one row per detector.

    ``count``: vehicles that entered the road; ``speed_m_s``: their mean speed (nan: nobody, or no reading);
    ``occupancy``: share of the road covered, 0..1.
    """

    period_s: int
    road: Ints
    count: Ints
    speed_m_s: Floats
    occupancy: Floats


@dataclass(frozen=True)
class ClosureReport(Message):
    """Somebody (police, road works, a citizen) tells that a road is closed, or open again."""

    road: int
    closed: bool
    source: str
