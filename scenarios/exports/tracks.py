"""Where the units of a fleet were: what the facts say, and the sampled positions in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scenarios.exports.run import Floats, RunData
from twin.domain.ids import VEHICLE_KINDS

_PLACED = ("UnitDeployed", "UnitChanged", "UnitHalted")  # facts that say where a unit is
_UNITS = 100_000


@dataclass(frozen=True)
class Track:
    """Where a unit was, and how fast, in order of time; degrees, metres per second (-1: not known)."""

    t_s: Floats
    lon: Floats
    lat: Floats
    speed_m_s: Floats

    def last(self, t_s: float) -> int:
        """Return the row of the last known place at a second."""
        return max(int(np.searchsorted(self.t_s, t_s, side="right")) - 1, 0)

    def gps(self, t_s: float) -> dict[str, float]:
        """Return the last known place as MDS GPS data."""
        i = self.last(t_s)
        out = {"lat": round(float(self.lat[i]), 6), "lng": round(float(self.lon[i]), 6)}
        if self.speed_m_s[i] >= 0:
            out["speed"] = round(float(self.speed_m_s[i]), 2)
        return out


def tracks(run: RunData, fleet: str) -> dict[int, Track]:
    """Return the track of each unit of a fleet, by unit number."""
    table = run.facts.table(columns=("t_s", "fact", "unit", "state", "road", "pos_m"))
    mine = pc.equal(pc.divide(table["unit"], _UNITS), VEHICLE_KINDS[fleet])
    told = pc.is_in(pc.cast(table["fact"], pa.string()), value_set=pa.array(_PLACED))
    facts = table.filter(pc.and_(mine, told)).to_pandas()
    lon, lat = run.on_road(facts["road"].to_numpy(np.int64), facts["pos_m"].to_numpy(np.float64))
    driving = facts["state"].astype(str).to_numpy() == "driving"
    sampled = run.positions((VEHICLE_KINDS[fleet],))
    of_sample = sampled.vehicle // 10**12 * _UNITS + sampled.vehicle % 10**12 // 10**3 % _UNITS
    unit = np.concatenate([of_sample, facts["unit"].to_numpy(np.int64)])
    t = np.concatenate([sampled.t_s, facts["t_s"].to_numpy(np.float64)])
    speed = np.concatenate([sampled.speed_m_s, np.where(driving, -1.0, 0.0)])
    lon, lat = np.concatenate([sampled.lon, lon]), np.concatenate([sampled.lat, lat])
    if t.size == 0:
        return {}
    order = np.lexsort((np.arange(t.size), t, unit))  # of one second, what the fact says counts
    units, first = np.unique(unit[order], return_index=True)
    parts = np.split(order, first[1:])
    return {int(u): Track(t[p], lon[p], lat[p], speed[p]) for u, p in zip(units, parts, strict=True)}
