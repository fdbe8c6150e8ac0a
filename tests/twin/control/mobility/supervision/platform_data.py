"""Telemetry by hand for tests of the supervision platform: a map of ten roads, one fleet, readings as rows."""

from __future__ import annotations

import numpy as np

from twin.domain.ids import unit_number
from twin.domain.messages import RoadMap
from twin.domain.mobility import DRIVING, PermitIssued, Telemetry

ROADS, LIMIT, SPEED = 10, 20.0, 10.0
DAY_S = 86_400
R1, R2 = unit_number("robot", 1), unit_number("robot", 2)
ALLOWED = range(5)


def told_map():
    """Roads 0 → 1 → … → 9, each of them limited to 20 m/s."""
    n = ROADS
    return RoadMap(
        0, "map", np.arange(n), np.full(n, 200.0), np.full(n, LIMIT), np.ones(n, np.int64), np.arange(n - 1),
        np.arange(1, n),
    )  # fmt: skip


def permit(name="p", **other):
    values = {
        "fleet": "robot", "purpose": "goods", "unit": np.empty(0, np.int64), "roads": np.asarray(ALLOWED), "from_s": 0,
        "until_s": DAY_S, "speed_m_s": SPEED, "valid_from_s": 0, "valid_until_s": 9 * DAY_S, "min_test_h": 0.0,
        "min_test_km": 0.0,
    } | other  # fmt: skip
    return PermitIssued(0, f"issued/{name}", name, **values)


def reading(sent_s, unit=R1, road=0, top=8.0, braking=1.5, red=0, state=DRIVING, load=0, odometer=None):
    odometer = 8.0 * sent_s if odometer is None else odometer
    return (unit, sent_s, road, 50.0, min(top, 8.0), top, braking, red, 0.8, load, state, odometer)


def telemetry(t_s, *rows, key=None):
    c = list(zip(*rows, strict=True))
    ints, floats = (0, 1, 2, 7, 9, 10), (3, 4, 5, 6, 8, 11)
    columns = {i: np.asarray(c[i], np.int64) for i in ints} | {i: np.asarray(c[i], float) for i in floats}
    return Telemetry(t_s, key or f"telemetry/{t_s}", *(columns[i] for i in range(12)))
