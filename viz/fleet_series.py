"""The small charts of the fleets: orders, units by state, passengers aboard, cleanliness; each only if it has facts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.log import Facts
from viz.fleet import Fleet
from viz.series import STEP_S, Series
from viz.units import rows

Floats = npt.NDArray[np.float64]
_CLEAN_S = 900  # cleanliness is measured each so often


def fleet_series(fleet: Fleet, begin_s: int, end_s: int) -> list[Series]:
    """Return the charts in the order they are shown, without those that have nothing to tell."""
    at = np.arange(begin_s, end_s + STEP_S, STEP_S)
    charts = [unit_states(fleet, begin_s, end_s)]
    if fleet.orders:
        charts += orders_over_time(fleet, at)
    if fleet.bookings or "shuttle" in fleet.present:
        charts.append(passengers(fleet, at))
    charts += cleanliness(fleet.facts, begin_s, end_s)
    return [c for c in charts if np.isfinite(c.values).any()]


def orders_over_time(fleet: Fleet, at: npt.NDArray[np.int64]) -> list[Series]:
    """Orders placed and delivered so far; and those taken that are neither in a unit nor at their end."""
    taken = [o for o in fleet.orders.values() if o.status != "refused"]
    placed = _so_far([o.placed_s for o in fleet.orders.values()], at)
    delivered = _so_far([o.end_s for o in taken if o.status == "delivered"], at)
    waiting = _so_far([o.placed_s for o in taken], at)
    for o in taken:
        for _, on, off in o.stays:
            waiting -= (at >= on).astype(float) - ((at >= off) & (off < o.end_s)).astype(float)
        if not (o.stays and o.stays[-1][2] >= o.end_s) and o.status == "given up":
            waiting -= at >= o.end_s
    both = np.vstack([placed, delivered])
    return [
        Series("parcels", "orders", STEP_S, ("placed", "delivered"), both, instant=True),
        Series("waiting", "orders", STEP_S, ("waiting",), waiting[None, :], instant=True),
    ]


def _so_far(times: list[int], at: npt.NDArray[np.int64]) -> Floats:
    return np.searchsorted(np.sort(np.array(times, dtype=np.int64)), at, side="right").astype(np.float64)


def unit_states(fleet: Fleet, begin_s: int, end_s: int, step_s: int = 60) -> Series:
    """Units in each state at the beginning of each minute."""
    at = np.arange(begin_s, end_s + step_s, step_s)
    states = fleet.states
    values = np.zeros((len(states), len(at)))
    for track in fleet.units.values():
        row = np.searchsorted(np.array(track.t_s), at, side="right") - 1
        code = np.array([states.index(s) for s in track.state])
        known = row >= 0
        np.add.at(values, (code[row[known]], np.flatnonzero(known)), 1)
    return Series("unit_states", "units", step_s, tuple(states), values, stacked=True, instant=True)


def passengers(fleet: Fleet, at: npt.NDArray[np.int64]) -> Series:
    """Passengers in all autonomous buses."""
    values = np.zeros(len(at))
    for track in fleet.units.values():
        if track.fleet == "shuttle":
            row = np.searchsorted(np.array(track.t_s), at, side="right") - 1
            values += np.where(row >= 0, np.array(track.load)[row], 0)
    return Series("passengers", "people", STEP_S, ("aboard",), values[None, :], instant=True)


def cleanliness(facts: Facts, begin_s: int, end_s: int) -> list[Series]:
    """Mean cleanliness of every area that was measured, in percent."""
    found = rows(facts, "CleanlinessMeasured")
    areas = list(dict.fromkeys(str(r["area"]) for r in found))
    if not areas:
        return []
    n = max(1, -(-(end_s - begin_s) // _CLEAN_S)) + 1
    values = np.full((len(areas), n), np.nan)
    for r in found:
        step = round((int(r["t_s"]) - begin_s) / _CLEAN_S)
        if 0 <= step < n:
            values[areas.index(str(r["area"])), step] = 100.0 * float(r["cleanliness"])
    return [Series("cleanliness", "percent", _CLEAN_S, tuple(areas), values, instant=True)]
