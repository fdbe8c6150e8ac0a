"""How long the way from stop to stop takes without any halt: the measure of detours and of the timetable."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo.network import Network

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def direct_s(network: Network, delay_s: Floats, road: Ints, pos_m: Floats, top_m_s: float) -> Floats:
    """Return seconds from each stop to each on empty roads, at ``top_m_s`` at most; inf where there is no way.

    ``delay_s``: the mean wait at the end of every road. Stops lie ``pos_m`` along ``road``; shape (stops, stops). To a
    stop behind it on the same road one goes round.
    """
    drive = np.maximum(network.free_s, network.length_m / top_m_s)
    whole = drive + delay_s
    # what lies ahead of a stop on its road: driven at the beginning of a ride, not at its end
    ahead = drive[road] * (1.0 - pos_m / np.maximum(network.length_m[road], 0.1)) + delay_s[road]
    out = network.times(road, road, whole).astype(np.float64) + ahead[:, None] - ahead[None, :]
    behind = (road[:, None] == road[None, :]) & (pos_m[None, :] < pos_m[:, None])
    for a, b in np.argwhere(behind).tolist():
        after = network.to_road[network.from_road == road[a]]
        round_s = network.times(after, road[[b]], whole).astype(np.float64)[:, 0] + whole[after]
        out[a, b] += round_s.min(initial=np.inf)
    return out
