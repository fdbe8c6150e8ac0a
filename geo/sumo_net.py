"""SUMO network (with its routes and additional files, if there are any) → City."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from geo.build import Said, Stops, assemble, no_stops, scratch_folder
from geo.city import City
from geo.given import GivenDemand
from geo.given_lines import lines_of
from geo.net_tables import DEFAULT_ANCHOR, NetTables, read_tables
from geo.sumo_add import land_of, read_additional, stop_table, with_programs

__all__ = ["DEFAULT_ANCHOR", "NetTables", "city_and_demand", "city_from_net", "read_tables"]


def city_from_net(
    net: Path,
    routes: Path | Sequence[Path] | None = None,
    additional: Path | Sequence[Path] | None = None,
    name: str | None = None,
    *,
    anchor: tuple[float, float] = DEFAULT_ANCHOR,
    homes: bool = True,
) -> City:
    """Return the whole City of a SUMO network.

    ``additional``: files with bus stops and polygons (buildings, land use, waters). ``routes``: files with
    vehicles; bus lines are read from them, and :meth:`geo.given.GivenDemand.read` keeps the vehicles
    themselves. ``homes`` false (or routes given) allows a network without any circuit, as a street in which only
    given vehicles drive. Levels, gates, homes and jobs are inferred; ``City.origin`` says from what. Raises
    :class:`CityError` for files that are missing, broken, or do not fit each other.
    """
    city, _ = city_and_demand(net, routes, additional, name, anchor=anchor, homes=homes)
    return city


def city_and_demand(
    net: Path,
    routes: Path | Sequence[Path] | None = None,
    additional: Path | Sequence[Path] | None = None,
    name: str | None = None,
    *,
    anchor: tuple[float, float] = DEFAULT_ANCHOR,
    homes: bool = True,
) -> tuple[City, GivenDemand | None]:
    """Return the City of :func:`city_from_net` and the vehicles of ``routes`` (None without)."""
    net = Path(net)
    tables = read_tables(net, anchor=anchor)
    more = read_additional(_files(additional), tables)
    notes: list[str] = []
    if not tables.located:
        notes.append(f"the network names no projection: its middle is assumed at {anchor[0]:g}, {anchor[1]:g}")
    shown = net
    if more.programs:
        net, used = with_programs(net, more.programs, scratch_folder() / "net.net.xml.gz")
        notes.append(f"{used} signal programs of the additional files take the place of the network's own")
    title = name or shown.name.split(".")[0]
    said = Said(name=title, title=title, source=f"SUMO network {shown.name}", file=shown, notes=tuple(notes))
    city = assemble(
        tables, net, land_of(more, tables), Stops(stop_table(more), no_stops().lines), said, homes and not routes
    )
    if not routes:
        return city, None
    given = GivenDemand.read(_files(routes), city, more)
    names = ", ".join(f.name for f in _files(routes))
    origin = replace(
        city.origin,
        source=f"{city.origin.source}, routes {names}",
        notes=(*city.origin.notes, *given.notes),
        extra={**city.origin.extra, "given_vehicles": len(given)},
    )
    return replace(city, origin=origin, bus_lines=lines_of(given, city)), given


def _files(files: Path | Sequence[Path] | None) -> list[Path]:
    if files is None:
        return []
    return [Path(files)] if isinstance(files, str | Path) else [Path(f) for f in files]
