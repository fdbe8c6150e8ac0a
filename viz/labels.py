"""Which names show at which zoom: placed once, by rank, so that no two overlap on the screen.

Zooming in only adds labels. At each half step of zoom the labels not yet shown are tried in order of rank; one that
would touch a shown one waits for the next step.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

if TYPE_CHECKING:
    from geo.city import City
    from viz.geometry import Frame

Floats = npt.NDArray[np.float64]
ZOOMS = np.arange(8.0, 18.5, 0.5)
_TILE_PX = 512.0

#: style → (size px, first zoom, rank: lower goes first)
STYLES: dict[str, tuple[int, float, int]] = {
    "subdistrict": (17, 8.0, 0),
    "water": (13, 9.0, 3),
    "water_small": (11, 13.0, 8),
    "road_major": (12, 10.5, 2),
    "landmark": (13, 10.5, 1),
    "community_town": (12, 11.5, 4),
    "road": (11, 13.0, 6),
    "place": (11, 13.0, 5),
    "community": (11, 12.0, 7),
    "place_small": (10, 15.0, 8),
}
_LANDMARKS = {"landmark", "hospital", "logistics_park", "industrial_park", "service_hall"}
#: px by which the name of a place stands below its badge; map_view.js does the same
BELOW_PX = 19.0
_LARGE_WATER_M2 = 400_000.0
_UNDER_BADGES = {"landmark", "place", "place_small"}
_SMALL = {"bus_stop", "shop", "service_point", "company_station", "charging", "kindergarten", "clinic", "gate", "depot"}


@dataclass(frozen=True)
class Label:
    """A name at a point (degrees), with its style, turn (degrees, anticlockwise) and first zoom."""

    name: str
    name_en: str
    style: str
    lon: float
    lat: float
    angle: float
    zoom: float


def labels(city: City, frame: Frame, lang: str) -> list[Label]:
    """Return the labels of the city's main places, waters, roads and communities."""
    found = [*_areas(city), *_roads(city), *_places(city)]
    if not found:
        return []
    found.sort(key=lambda f: (STYLES[f[2]][2], -f[5]))
    xy = np.array([(f[3].x, f[3].y) for f in found])
    lon, lat = city.to_wgs84(xy[:, 0], xy[:, 1])
    sizes = np.array([STYLES[f[2]][0] for f in found], dtype=np.float64)
    widths = np.array([_width(text(f[0], f[1], lang)) for f in found]) * sizes
    turned = np.abs(np.sin(np.radians([f[4] for f in found])))
    straight = np.abs(np.cos(np.radians([f[4] for f in found])))
    wide, high = widths * straight + sizes * turned, widths * turned + sizes * straight
    first = np.array([STYLES[f[2]][1] for f in found])
    below = np.array([BELOW_PX if f[2] in _UNDER_BADGES else 0.0 for f in found])
    box = np.column_stack([wide, high]) + 8
    zoom = _declutter((lon - frame.lon, lat - frame.lat), frame.lat, box, below, first)
    return [
        Label(f[0], f[1], f[2], float(lon[i]), float(lat[i]), float(f[4]), float(zoom[i]))
        for i, f in enumerate(found)
        if np.isfinite(zoom[i])
    ]


def text(name: str, name_en: str, lang: str) -> str:
    """Return what stands on the map: Chinese, and in English pages the English name after it."""
    if lang == "zh" or not name_en or name_en == name:
        return name or name_en
    return f"{name} {name_en}" if name else name_en


def _width(words: str) -> float:
    """Width in ems: a Chinese character is 1 wide, a Latin one about 0.55."""
    return sum(1.0 if ord(c) > 0x2E7F else 0.55 for c in words)


def _declutter(at_deg: tuple[Floats, Floats], lat: float, box_px: Floats, below_px: Floats, first: Floats) -> Floats:
    """Return the zoom from which each label (in order of rank) shows, inf for never."""
    zoom = np.full(len(first), np.inf)
    for z in ZOOMS:
        px = _TILE_PX * 2**z / 360.0
        at = np.column_stack([at_deg[0] * px, at_deg[1] * px / np.cos(np.radians(lat)) - below_px])
        for i in np.flatnonzero(np.isinf(zoom) & (first <= z)):
            shown = np.flatnonzero(np.isfinite(zoom))
            near = np.abs(at[shown] - at[i]) < (box_px[shown] + box_px[i]) / 2
            if not near.all(axis=1).any():
                zoom[i] = z
    return zoom


_Found = tuple[str, str, str, Any, float, float]  # name, English name, style, point, angle, weight


def _name(row: Any) -> tuple[str, str]:
    name, name_en = row.name_, row.name_en
    return (name if isinstance(name, str) else ""), (name_en if isinstance(name_en, str) else "")


def _areas(city: City) -> list[_Found]:
    out: list[_Found] = []
    for table, style in ((city.subdistricts, "subdistrict"), (city.communities, "community")):
        for row in table.rename(columns={"name": "name_"}).itertuples():
            name, name_en = _name(row)
            if (not name and not name_en) or row.geometry is None or row.geometry.is_empty:
                continue
            town = style == "community" and row.kind in ("town", "new_town")
            point = row.geometry.representative_point()
            out.append((name, name_en, "community_town" if town else style, point, 0.0, float(row.geometry.area)))
    return out + _waters(city)


def _waters(city: City) -> list[_Found]:
    """One label per water; the reaches of a river are one river, named at its largest."""
    best: dict[str, _Found] = {}
    for row in city.waters.rename(columns={"name": "name_"}).itertuples():
        name, name_en = _name(row)
        name, name_en = re.sub(r"\s*\d+段$", "", name), re.sub(r"\s+reach \d+$", "", name_en)
        if (not name and not name_en) or row.geometry is None or row.geometry.is_empty:
            continue
        area = float(row.geometry.area)
        style = "water" if area > _LARGE_WATER_M2 or row.kind == "river" else "water_small"
        found = (name, name_en, style, row.geometry.representative_point(), 0.0, area)
        if name not in best or best[name][5] < area:
            best[name] = found
    return list(best.values())


def _roads(city: City) -> list[_Found]:
    """One label per named road and about 4 km of it, at the middle of its longest pieces."""
    roads = city.roads
    named = roads[(roads["name"].fillna("") != "") & roads["road_class"].isin(_MAJOR | {"tertiary"})]
    out: list[_Found] = []
    for name, part in named.groupby("name", sort=True):
        major = bool(part["road_class"].isin(_MAJOR).any())
        lines, lengths = part.geometry.to_numpy(), part["length_m"].to_numpy()
        middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
        taken: list[Any] = []
        for i in np.argsort(-lengths, kind="stable")[:60]:
            if lengths[i] < 60 or len(taken) >= 12:
                break
            if any(middle[i].distance(p) < 4000 for p in taken):
                continue
            taken.append(middle[i])
            a = shapely.line_interpolate_point(lines[i], 0.4, normalized=True)
            b = shapely.line_interpolate_point(lines[i], 0.6, normalized=True)
            angle = float(np.degrees(np.arctan2(b.y - a.y, b.x - a.x)))
            angle = (angle + 90.0) % 180.0 - 90.0  # never upside down
            name_en = part["name_en"].iloc[0]
            style = "road_major" if major else "road"
            out.append((str(name), name_en if isinstance(name_en, str) else "", style, middle[i], angle, lengths.sum()))
    return out


_MAJOR = {"motorway", "trunk", "primary", "secondary"}


def _places(city: City) -> list[_Found]:
    out: list[_Found] = []
    for row in city.places.rename(columns={"name": "name_"}).itertuples():
        name, name_en = _name(row)
        if not name and not name_en:
            continue
        style = "landmark" if row.kind in _LANDMARKS else "place_small" if row.kind in _SMALL else "place"
        out.append((name, name_en, style, row.geometry, 0.0, 0.0))
    return out
