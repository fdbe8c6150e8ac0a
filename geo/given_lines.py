"""Bus lines and their timetable, read off the buses of a given demand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.build import line_table
from geo.given_types import BUS_LIKE

if TYPE_CHECKING:
    from geo.city import City
    from geo.given import GivenDemand

_DAY_S = 86400
_PEAK_S = (7 * 3600, 9 * 3600)


def lines_of(given: GivenDemand, city: City) -> pd.DataFrame:
    """Return the bus lines (as ``City.bus_lines``) that the given buses drive, their timetable from departures.

    Buses belong together when they halt at the same stops in the same order; ``line`` is the name they give
    themselves, else their id up to the last ``_`` or ``.``. Headways are medians, the peak is 07:00–09:00.
    """
    at_stop = given.stops[given.stops["place"] != ""]
    known = set(city.places["place"])
    halts = at_stop.groupby("vehicle")["place"].agg(list)
    buses = given.vehicles[given.vehicles["v_class"].isin(BUS_LIKE) & given.vehicles["vehicle"].isin(halts.index)]
    variants: dict[str, dict[tuple[str, ...], list[int]]] = {}
    columns = (buses[c].tolist() for c in ("vehicle", "id", "line", "depart_s"))
    for vehicle, key, line, depart_s in zip(*columns, strict=True):
        stops = tuple(s for s in halts[vehicle] if s in known)
        name = line or re.sub(r"[._][^._]*$", "", key)
        if len(stops) >= 2:
            variants.setdefault(name, {}).setdefault(stops, []).append(depart_s)
    rows = []
    for name, by_stops in sorted(variants.items()):
        most_first = sorted(by_stops.items(), key=lambda v: (-len(v[1]), v[0]))
        for k, (stops, times) in enumerate(most_first):
            label = name if k < 2 else f"{name}#{k // 2 + 1}"
            headway = _headway(times, _DAY_S)
            peak = _headway([t for t in times if _PEAK_S[0] <= t % _DAY_S < _PEAK_S[1]], headway)
            rows.append((label, label, k % 2, list(stops), min(times), max(times), headway, peak))
    return line_table(rows)


def _headway(times: list[int], otherwise_s: int) -> int:
    gaps = np.diff(np.unique(times))
    return int(np.median(gaps)) if len(gaps) else otherwise_s
