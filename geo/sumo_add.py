"""SUMO's additional files: bus stops, polygons (buildings, land use, waters) and vehicle types."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.errors import CityError
from geo.given_types import Types
from geo.land import Land, no_land, table
from geo.read_xml import open_plain_or_gzip, read_xml

if TYPE_CHECKING:
    from geo.net_tables import NetTables

#: polygon types, as SUMO's polyconvert writes them (the part after the last dot counts), to kinds of block
_USES = {
    "residential": "housing",
    "commercial": "office",
    "industrial": "industry",
    "retail": "commerce",
    "farmyard": "farm",
    "school": "school",
    "college": "school",
    "university": "school",
    "kindergarten": "school",
    "construction": "construction",
}
_WATERS = {"water": "lake", "river": "river", "riverbank": "river", "reservoir": "reservoir", "canal": "canal"}
#: width of a stream that is drawn as a line, m
_STREAM_M = 5.0
_STOP_TAGS = ("busStop",)


@dataclass
class Additional:
    """What the additional files of a network hold.

    ``stops``: id → (name, road, pos_m, lines). ``programs``: signal programs as (id of the signal, XML).
    """

    types: Types = field(default_factory=Types)
    stops: dict[str, tuple[str, int, float, str]] = field(default_factory=dict)
    polygons: list[tuple[str, str, str, bool, bool]] = field(default_factory=list)
    programs: list[tuple[str, str]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def read_additional(files: Sequence[Path], tables: NetTables) -> Additional:
    """Read additional files of the network in ``tables``.

    Raises :class:`CityError` for a file that is missing, broken, holds nothing that is known here, or has a
    stop on a lane that the network does not have.
    """
    out = Additional()
    index = {edge: i for i, edge in enumerate(tables.roads["edge"].tolist())}
    length = tables.roads["length_m"].to_numpy()
    seen: set[str] = set()

    inside: list[str] = []

    def end(tag: str) -> None:
        inside.pop()
        if tag == "tlLogic":
            out.programs[-1] = (out.programs[-1][0], f"{out.programs[-1][1]}</tlLogic>\n")
        out.types.end(tag)

    def start(tag: str, a: dict[str, str]) -> None:
        seen.add(tag)
        take(tag, a)
        inside.append(tag)

    def take(tag: str, a: dict[str, str]) -> None:
        if tag in _STOP_TAGS:
            out.stops[a["id"]] = _stop(a, index, length)
        elif tag == "poly":
            filled, geo = a.get("fill", "1") not in ("0", "false"), a.get("geo") in ("1", "true")
            out.polygons.append((a.get("type", ""), a["shape"], a.get("name", ""), filled, geo))
        elif tag == "tlLogic":
            out.programs.append((a["id"], _tag(tag, a)))
        elif tag in ("phase", "param") and inside[-1:] == ["tlLogic"]:
            out.programs[-1] = (out.programs[-1][0], f"{out.programs[-1][1]}{_tag(tag, a)}</{tag}>")
        else:
            out.types.start(tag, a)

    for file in files:
        seen.clear()
        out.files.append(Path(file))
        read_xml(Path(file), None, start, end)
        if seen & {"net", "osm", "html"} or len(seen) < 2:
            raise CityError(f"{file}: not a SUMO additional file (stops, polygons, vehicle types …)")
    return out


def _tag(tag: str, a: dict[str, str]) -> str:
    return f"<{tag} {' '.join(f'{key}={quoteattr(value)}' for key, value in a.items())}>"


def with_programs(net: Path, programs: list[tuple[str, str]], out: Path) -> tuple[Path, int]:
    """Write ``net`` with further signal programs to ``out`` (gzip); return it and how many fitted a signal there.

    SUMO runs the last program of a signal that it reads, so these take the place of the network's own.
    """
    with open_plain_or_gzip(net) as stream:
        text = stream.read()
    known = {m.decode() for m in re.findall(rb'<tlLogic id="([^"]*)"', text)}
    fitting = [xml for signal, xml in programs if quoteattr(signal)[1:-1] in known]
    at = text.rindex(b"</tlLogic>") + len(b"</tlLogic>\n") if fitting else 0
    added = text[:at] + "".join(fitting).encode() + text[at:] if fitting else text
    out.write_bytes(gzip.compress(added, mtime=0))
    return out, len(fitting)


def _stop(a: dict[str, str], index: dict[str, int], length_m: Any) -> tuple[str, int, float, str]:
    lane = a["lane"]
    road = index.get(lane.rpartition("_")[0])
    if road is None:
        raise ValueError(f"'{a['id']}' stands on the lane '{lane}', which the network does not have")
    end = float(a.get("endPos", length_m[road]))
    pos = float(np.clip(end if end >= 0 else length_m[road] + end, 0.1, length_m[road]))
    return a.get("name") or a["id"], road, round(pos, 2), a.get("lines", "")


def land_of(additional: Additional, tables: NetTables) -> Land:
    """Return buildings, land use and waters from the polygons."""
    land = no_land(tables.crs)
    rows: dict[str, list[tuple[Any, ...]]] = {"buildings": [], "uses": [], "waters": []}
    shapes: dict[str, list[Any]] = {"buildings": [], "uses": [], "waters": []}
    to_local = Transformer.from_crs("EPSG:4326", tables.crs, always_xy=True)
    for text, shape, name, filled, in_degrees in additional.polygons:
        family, _, kind = text.lower().rpartition(".")
        points = np.array([p.split(",")[:2] for p in shape.split()], dtype=np.float64)
        if len(points) < (4 if filled else 2):
            continue
        if in_degrees:
            points = np.column_stack(to_local.transform(points[:, 0], points[:, 1]))
        else:
            points = points - np.asarray(tables.net_offset)
        watery = kind in _WATERS or family == "water"
        if not (filled or watery):
            continue  # a line that is neither house nor land
        polygon = (
            shapely.make_valid(shapely.Polygon(points))
            if filled
            else shapely.buffer(shapely.LineString(points), _STREAM_M / 2, cap_style="flat")
        )
        row: tuple[Any, ...]
        if watery:
            target, row = "waters", (name, name, _WATERS.get(kind, "lake") if filled else "river")
        elif "building" in (family, kind):
            target, row = "buildings", (_USES.get(kind, ""), 0, 0, -1, name)
        elif kind in _USES:
            target, row = "uses", (_USES[kind],)
        else:
            continue
        rows[target].append(row)
        shapes[target].append(polygon)
    made: dict[str, gpd.GeoDataFrame] = {k: table(k, rows[k], shapes[k], tables.crs) for k in rows}
    return Land(**{**vars(land), **made})


def stop_table(additional: Additional) -> pd.DataFrame:
    """Return the stops as the places that :func:`geo.build.assemble` takes."""
    rows = [(f"stop-{key}", name, road, pos) for key, (name, road, pos, _) in additional.stops.items()]
    return pd.DataFrame(rows, columns=["place", "name", "road", "pos_m"])
