"""Dispatch against theory: the mean way of the nearest of N units on right-angled streets is ½ √(π A / 2N).

With units spread as a Poisson process of density ρ = N/A, nobody is within right-angled distance r with probability
exp(−2 ρ r²), so the nearest is ∫ exp(−2 ρ r²) dr = ½ √(π / 2ρ) ≈ 0.627 √(A/N) away (Larson and Odoni, Urban
Operations Research, 1981, chapter 3). The 0.627 is not typed in anywhere: it is what the desk's choices come to.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.twin.control.city_brain.incident_town import Unit, grid_map, of, set_up, sign, told
from twin.control.city_brain.incidents.desk import IncidentDesk
from twin.domain.incidents import DispatchResponder

LAW = 0.5 * math.sqrt(math.pi / 2)


def test_the_constant_of_the_law():
    assert pytest.approx(0.627, abs=5e-4) == LAW


@pytest.mark.parametrize("units", [25, 100])
def test_nearest_of_n_by_right_angled_distance(units):
    """By bike: what the desk expects is the distance over the speed; incidents lie in the middle, free of edges."""
    side_m, speed = 4000.0, 5.0
    draw = np.random.default_rng(units)
    metres = []
    for k in range(250):
        xy = draw.uniform(0, side_m, (units, 2))
        crew = [Unit(i + 1, "fire", 3, "d", float(x), float(y), speed_m_s=speed) for i, (x, y) in enumerate(xy)]
        desk = IncidentDesk()
        told(desk, 0, *set_up(crew))
        x_m, y_m = draw.uniform(0.3 * side_m, 0.7 * side_m, 2)
        (order,) = of(told(desk, 10, sign(str(k), "fire", float(x_m), y_m=float(y_m))), DispatchResponder)
        sent = xy[order.unit % 100_000 - 1]
        metres.append(abs(sent[0] - x_m) + abs(sent[1] - y_m))
    half = 2.6 * float(np.std(metres, ddof=1)) / math.sqrt(len(metres))  # 99 % of the simulation's own spread
    assert np.mean(metres) == pytest.approx(LAW * math.sqrt(side_m**2 / units), abs=half)


def test_nearest_of_n_by_network_times_on_a_right_angle_grid():
    """On wheels, by shortest ways over 50 m blocks: the same law, within the interval and a block."""
    n, step_m, speed, units = 41, 50.0, 10.0, 12
    side_m = (n - 1) * step_m
    streets, places = grid_map(n, step_m, speed)
    draw = np.random.default_rng(1)
    metres = []
    for k in range(120):
        roads = draw.integers(0, streets.road.size, units)
        crew = [
            Unit(i + 1, "fire", 3, "d", float(places.x_m[r]), float(places.y_m[r]), speed_m_s=0.0, road=int(r))
            for i, r in enumerate(roads)
        ]
        desk = IncidentDesk()
        told(desk, 0, *set_up(crew), streets, places)
        goal = int(draw.choice(np.flatnonzero(np.hypot(places.x_m - side_m / 2, places.y_m - side_m / 2) < 400)))
        spot = sign(str(k), "fire", float(places.x_m[goal]), y_m=float(places.y_m[goal]))
        (order,) = of(told(desk, 10, spot), DispatchResponder)
        metres.append(order.expected_s * speed)
    half = 2.6 * float(np.std(metres, ddof=1)) / math.sqrt(len(metres))
    assert np.mean(metres) == pytest.approx(LAW * math.sqrt(side_m**2 / units), abs=half + step_m)
