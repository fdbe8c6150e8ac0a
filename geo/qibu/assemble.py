"""Build the shipped district from its tables, and keep the built city in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.city import City, Origin
from geo.network import Network
from geo.qibu.blocks import make_blocks
from geo.qibu.buses import make_buses
from geo.qibu.fill import fill
from geo.qibu.graph import build_graph
from geo.qibu.land import Land, make_land
from geo.qibu.net import choose_signals, make_net
from geo.qibu.places import make_places
from geo.qibu.streets import draw_ways
from geo.qibu.tables import CRS, HERE, anchors, metres, roads_table
from geo.sumo_net import NetTables, read_tables

_PLACE_COLUMNS = ["place", "kind", "name", "name_en", "community", "road", "pos_m", "road_out", "weight", "geometry"]


def build(out: str | Path) -> City:
    """Generate the district, save it in ``out`` and return it as loaded from there.

    Deterministic: the same sources, SUMO and numerical libraries give the same bytes. Raises
    :class:`geo.errors.CityError` when a table names something that is not there or netconvert fails.
    """
    folder = Path(out)
    land = make_land()
    gates = metres([g["at"] for g in roads_table()["gates"]])
    graph = build_graph(draw_ways(land), gates)
    with tempfile.TemporaryDirectory() as scratch:
        net = make_net(graph, choose_signals(graph, land), Path(scratch))
        tables = read_tables(net.file, CRS)
        _annotate(tables, land, net.name_en, net.setting)
        roads = tables.roads
        network = Network.of(tables)
        blocks = fill(make_blocks(land, graph), land, roads)
        places = make_places(land, blocks, roads)
        stops, lines = make_buses(land, roads, network, places)
        places = gpd.GeoDataFrame(pd.concat([places, stops], ignore_index=True), geometry="geometry", crs=CRS)
        city = City(
            origin=_origin(),
            crs=CRS,
            net_offset=tables.net_offset,
            net_file=net.file,
            subdistricts=_subdistricts(land),
            communities=land.communities,
            grids=land.grids,
            roads=roads,
            junctions=tables.junctions,
            places=places[_PLACE_COLUMNS],
            blocks=blocks.drop(columns="setting"),
            waters=land.waters,
            turns=tables.turns,
            bus_lines=lines,
        )
        city.save(folder)
    return City.load(folder)


def cache_folder() -> Path:
    """Return where :func:`cached` keeps the district that these sources build; it may not be there yet."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qibu-twin" / "cities"
    return root / f"qibu-{_key()}"


def cached() -> Path:
    """Return the folder of the built district in the user's cache; build it there when it is absent."""
    folder = cache_folder()
    if (folder / "city.json").is_file():
        return folder
    root = folder.parent
    root.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".qibu-", dir=root))
    try:
        build(new)
        try:
            new.rename(folder)
        except OSError:  # somebody else was quicker
            if not (folder / "city.json").is_file():
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def _key() -> str:
    """Hash of everything that the built city depends on: this package's sources and tables, the readers, SUMO."""
    h = hashlib.blake2b(digest_size=8)
    sources = [*HERE.glob("*.py"), *HERE.glob("*.csv"), *HERE.glob("*.json")]
    sources += [HERE.parent / name for name in ("city.py", "network.py", "sumo_net.py", "read_xml.py")]
    for file in sorted(sources):
        h.update(file.name.encode() + b"\0" + file.read_bytes())
    for package in ("eclipse-sumo", "shapely", "numpy", "scipy"):
        h.update(f"{package}={version(package)}".encode())
    return h.hexdigest()


def _annotate(tables: NetTables, land: Land, name_en: dict[str, str], setting: dict[str, str]) -> None:
    """Add to roads and junctions what SUMO does not keep."""
    roads, junctions = tables.roads, tables.junctions
    roads["name_en"] = [name_en[e] for e in roads["edge"]]
    roads["setting"] = [setting[e] for e in roads["edge"]]
    middle = roads.geometry.interpolate(0.5, normalized=True)
    roads["subdistrict"] = land.subdistrict_of(middle.x.to_numpy(), middle.y.to_numpy())
    xy = junctions.geometry
    junctions["subdistrict"] = land.subdistrict_of(xy.x.to_numpy(), xy.y.to_numpy())


def _subdistricts(land: Land) -> gpd.GeoDataFrame:
    rows = pd.DataFrame(anchors()["subdistricts"]).drop(columns="inside")
    return gpd.GeoDataFrame(rows, geometry=[land.subdistrict[s] for s in rows["subdistrict"]], crs=CRS)


def _origin() -> Origin:
    return Origin(
        name="qibu",
        title="济南新旧动能转换起步区（示意）",
        title_en="Jinan Start-up Area (schematic)",
        schematic=True,
        source="generated by code from small tables of names, anchors and facts",
        homes_from="generated by code from tables (schematic)",
        jobs_from="generated by code from tables (schematic)",
        notes=(
            "Names of communities, subdistricts, rivers and bridges are real; coordinates are approximate.",
            "Streets, blocks, homes and jobs are generated; residents per subdistrict are an unverified prior.",
        ),
    )
