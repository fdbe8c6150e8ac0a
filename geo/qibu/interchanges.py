"""Interchanges: where an expressway passes over a main road, four one-way ramps join the two (a diamond).

Traffic keeps to the right, so traffic along the expressway leaves before the crossing to its right and
enters after it; nobody crosses the other carriageway of the expressway.
"""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import LineString, Point

from geo.errors import CityError
from geo.qibu.tables import Floats, roads_table, smooth
from geo.qibu.ways import Way

_ALONG_M = 430.0  # from the crossing to where ramps leave the expressway
_ACROSS_M = 190.0  # from the crossing to where they meet the main road


def ramps(main: list[Way]) -> list[Way]:
    """Return the ramps of all interchanges of ``arterials.json``."""
    by_name = {w.name: w for w in main}
    out = []
    for deck_name, road_name in roads_table()["interchanges"]:
        for name in (deck_name, road_name):
            if name not in by_name:
                raise CityError(f"arterials.json: interchanges name a road that is not there: '{name}'")
        deck, road = by_name[deck_name], by_name[road_name]
        meet = deck.line.intersection(road.line)
        if meet.is_empty:
            raise CityError(f"arterials.json: '{deck_name}' and '{road_name}' do not cross")
        out += _diamond(deck, road, Point(shapely.get_coordinates(meet)[0]))
    return out


def _diamond(deck: Way, road: Way, cross: Point) -> list[Way]:
    p = _at(cross)
    d, r = deck.line.project(cross), road.line.project(cross)
    before, after = (_at(deck.line.interpolate(d + k)) for k in (-_ALONG_M, _ALONG_M))
    one, other = (_at(road.line.interpolate(r + k)) for k in (-_ACROSS_M, _ACROSS_M))
    u = after - before
    turn = u[0] * (one - p)[1] - u[1] * (one - p)[0]
    right, left = (one, other) if turn < 0 else (other, one)
    name, name_en = f"{deck.name}{road.name}匝道", f"{deck.name_en} Ramp ({road.name_en})"
    out = []
    for a, b in ((before, right), (right, after), (after, left), (left, before)):
        corner = p + 0.3 * (a - p) + 0.3 * (b - p)
        line: LineString = smooth(np.vstack([a, corner, b]), 40.0)
        out.append(Way("trunk", line, "ramp", 1, 50.0, name, name_en, oneway=True))
    return out


def _at(point: Point) -> Floats:
    out: Floats = shapely.get_coordinates(point)[0]
    return out
