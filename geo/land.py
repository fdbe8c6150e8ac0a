"""What is known of the land beside its roads: the shared shape of what OSM files and SUMO polygons tell."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

_COLUMNS = {
    "buildings": ("kind", "storeys", "shops", "pupils", "name"),
    "uses": ("kind",),
    "waters": ("name", "name_en", "kind"),
    "places": ("kind", "name", "name_en"),
    "names": ("name", "name_en", "kind"),
    "boundaries": ("name", "name_en"),
}


@dataclass(frozen=True)
class Land:
    """Tables in the city's metres; any of them may be empty.

    buildings: kind (one of BLOCK_KINDS, "" = only known to be a building, "-" = nobody lives or works in it),
    storeys (0 = unknown), shops (count), pupils (school places, -1 = by its size if it is a school), name.
    uses: kind (one of BLOCK_KINDS). waters: name, name_en, kind. places: kind (one of PLACE_KINDS), name,
    name_en (points). names: name, name_en, kind (village | town | new_town) (points). boundaries: name, name_en.
    """

    buildings: gpd.GeoDataFrame
    uses: gpd.GeoDataFrame
    waters: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    names: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame


def no_land(crs: str) -> Land:
    """Return a land of which nothing is known."""
    return Land(**{name: empty(name, crs) for name in _COLUMNS})


def empty(name: str, crs: str) -> gpd.GeoDataFrame:
    """Return an empty table of :class:`Land` with its columns."""
    return table(name, [], [], crs)


def table(name: str, rows: list[tuple[object, ...]], shapes: list[object], crs: str) -> gpd.GeoDataFrame:
    """Return the table ``name`` of :class:`Land` from rows in the order of its columns."""
    frame = pd.DataFrame(rows, columns=list(_COLUMNS[name]))
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs)
