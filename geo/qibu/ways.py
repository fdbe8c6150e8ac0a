"""A way: a drawn street before it is cut at crossings; and the few tools to trim drawn lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

RANK = {
    "motorway": 0,
    "trunk": 1,
    "primary": 2,
    "secondary": 3,
    "tertiary": 4,
    "residential": 5,
    "living_street": 6,
}


@dataclass(frozen=True)
class Way:
    """A street as drawn: ``lanes`` per direction, ``setting`` = arterial | ramp | new_town | town | rural | lane.

    ``owner``: row of the community whose lane it is, -1 elsewhere.
    """

    road_class: str
    line: LineString
    setting: str
    lanes: int = 1
    km_h: float = 50.0
    name: str = ""
    name_en: str = ""
    oneway: bool = False
    owner: int = -1

    @property
    def rank(self) -> int:
        """0 = most important."""
        return RANK[self.road_class]

    @property
    def deck(self) -> bool:
        """Expressways pass over or under everything but the hand-set main roads."""
        return self.road_class == "motorway"


def clear_of(ways: Iterable[Way], taken: Sequence[LineString], near_m: float) -> list[Way]:
    """Cut away the parts of ``ways`` that run beside ``taken`` lines; crossings stay.

    A part inside the strip of ``near_m`` on both sides is a crossing when it is short; a long one is a street
    drawn twice.
    """
    if not taken:
        return list(ways)
    strip = shapely.union_all([t.buffer(near_m, cap_style="flat") for t in taken])
    shapely.prepare(strip)
    out = []
    for way in ways:
        if not strip.intersects(way.line):
            out.append(way)
            continue
        beside = [p for p in _lines(way.line.intersection(strip)) if p.length > near_m * 2.9]
        rest: BaseGeometry = way.line
        for part in beside:
            rest = rest.difference(part.buffer(0.5, cap_style="flat"))
        out += [replace(way, line=p) for p in _lines(rest) if p.length > 60.0]
    return out


def cut_by(ways: Iterable[Way], area: BaseGeometry, shortest_m: float = 120.0) -> list[Way]:
    """Take ``area`` (a lake) out of the ways."""
    shapely.prepare(area)
    out = []
    for way in ways:
        if not area.intersects(way.line):
            out.append(way)
            continue
        out += [replace(way, line=p) for p in _lines(way.line.difference(area)) if p.length > shortest_m]
    return out


def _lines(shape: BaseGeometry) -> list[LineString]:
    merged = shapely.line_merge(shape) if shape.geom_type == "MultiLineString" else shape
    return [p for p in shapely.get_parts(merged) if p.geom_type == "LineString" and p.length > 0]


def runs(keep: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return stretches of kept cells as (first line, last line)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], keep.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
