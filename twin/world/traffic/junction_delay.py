"""What junctions cost a vehicle that drives alone: the part of a travel time that no speed on the road shows.

Measured travel times come from speeds on roads; on a road with little traffic they do not hold the wait at its end.
Whoever plans a leg – a desk, or a passenger who asks how long the direct ride would take – reckons with it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo.city import City

Floats = npt.NDArray[np.float64]

#: at a signal: Webster's uniform delay C (1 − λ)² / (2 (1 − λ x)) with C = 90 s, λ = 0.45, x = 0.3, plus the time lost
#: in stopping and starting of the 55 % who stop (about 5 s each; assumed)
SIGNAL_S = 90.0 * (1 - 0.45) ** 2 / (2 * (1 - 0.45 * 0.3)) + 0.55 * 5.0
GIVE_WAY_S = 3.0  # at a junction without signals where three or more roads meet: slowing down to turn (assumed)


def junction_delay_s(city: City) -> Floats:
    """Return the mean delay at the end of every road, in seconds."""
    node = city.roads["to_node"]
    signals = set(city.junctions.loc[city.junctions["signal"].to_numpy(bool), "node"])
    approaches = node.map(node.value_counts()).to_numpy()
    delay = np.where(approaches >= 3, GIVE_WAY_S, 0.0)
    return np.where(node.isin(signals).to_numpy(), SIGNAL_S, delay)


def with_junctions(time_s: Floats, free_s: Floats, delay_s: Floats) -> Floats:
    """Return travel times per road that hold the wait at its end: never less than free flow and that delay."""
    return np.maximum(time_s, free_s + delay_s)
