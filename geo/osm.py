"""OpenStreetMap extract → City: SUMO's netconvert makes the roads, the land is read from the same file."""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import subprocess
import tempfile
from pathlib import Path

from geo import osm_lines, osm_read
from geo.build import Said, assemble, scratch_folder
from geo.city import City
from geo.errors import CityError
from geo.net_tables import read_tables

#: an hour of netconvert is a country, not a city
_PATIENCE_S = 3600
_OPTIONS = (
    "--geometry.remove",
    "--roundabouts.guess",
    "--ramps.guess",
    "--junctions.join",
    "--tls.guess-signals",
    "--tls.discard-simple",
    "--tls.join",
    "--tls.default-type=static",
    "--no-turnarounds.except-deadend",
    "--output.street-names",
    "--remove-edges.isolated",
    "--proj.utm",
    "--no-warnings",
)


def city_from_osm(osm: Path, name: str | None = None, work: Path | None = None, paths: bool = False) -> City:
    """Return the City of an ``.osm``, ``.osm.gz`` or, where the package osmium is installed, ``.osm.pbf`` file.

    ``paths``: take the ways of cyclists and walkers into the network too. They cut the streets into short pieces
    (Bad Hersfeld: 10,144 edges in place of 2,696) and nobody walks or cycles in SUMO here, so the default is no.
    The SUMO network is written to ``work`` (default: a temporary folder that lives as long as the process; save
    the city). Levels come from boundaries or named settlements, homes and jobs from buildings, else land use,
    else road density; ``City.origin`` says which. Raises :class:`CityError` for a file that is missing, broken,
    or has no roads for cars.
    """
    osm = Path(osm)
    if work is None:
        folder = scratch_folder()
    else:
        folder = work
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="osm-") as scratch:
        source = _as_xml(osm, Path(scratch))
        extract = osm_read.read_osm(source)
        if not extract.has_car_roads():
            raise CityError(f"{osm}: has no roads for cars (no way with highway=residential, primary …)")
        net = _netconvert(source, folder / "net.net.xml.gz", Path(scratch), osm, paths)
        try:
            tables = read_tables(net)
        except CityError as error:
            reason = str(error).partition(": ")[2]
            raise CityError(f"{osm}: its roads make no network ({reason})") from None
        stops, notes = osm_lines.read_stops(Path(scratch), tables)
    land = osm_read.land_of(extract, tables.crs)
    title = name or osm.name.split(".")[0]
    said = Said(
        name=title,
        title=title,
        source=f"OpenStreetMap extract {osm.name}",
        file=osm,
        attribution="© OpenStreetMap contributors (ODbL)",
        notes=notes,
    )
    return assemble(tables, net, land, stops, said)


def _as_xml(osm: Path, scratch: Path) -> Path:
    """Return ``osm`` itself, or an XML copy of a ``.pbf``."""
    if not osm.name.endswith(".pbf"):
        return osm
    if not osm.is_file():
        raise CityError(f"{osm}: no such file")
    if importlib.util.find_spec("osmium") is None:
        raise CityError(f"{osm}: .pbf needs the package 'osmium' (pip install osmium), or convert the file to .osm.gz")
    import osmium

    out = scratch / "map.osm"
    try:
        with osmium.SimpleWriter(str(out)) as writer:
            for thing in osmium.FileProcessor(str(osm)):
                writer.add(thing)
    except RuntimeError as error:
        raise CityError(f"{osm}: not readable as .pbf ({error})") from None
    return out


def _netconvert(source: Path, net: Path, scratch: Path, shown: Path, paths: bool) -> Path:
    """Turn an OpenStreetMap file into the SUMO network ``net`` (gzip); errors name the file ``shown``.

    Bus stops and lines go to ``scratch``.
    """
    home = _sumo_home()
    raw = scratch / "raw.net.xml"
    options = {
        "osm-files": source,
        "type-files": home / "data" / "typemap" / "osmNetconvert.typ.xml",
        "keep-edges.by-vclass": "passenger,bus,bicycle,pedestrian" if paths else "passenger,bus",
        "ptstop-output": scratch / osm_lines.STOPS,
        "ptline-output": scratch / osm_lines.LINES,
        "output-file": raw,
    }
    command = [str(home / "bin" / "netconvert"), *_OPTIONS, *(f"--{key}={value}" for key, value in options.items())]
    env = {**os.environ, "SUMO_HOME": str(home), "PROJ_DATA": str(home / "data" / "proj")}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise CityError(f"{shown}: netconvert did not finish within {_PATIENCE_S} s") from None
    if done.returncode != 0 or not raw.is_file():
        lines = [line.removeprefix("Error: ") for line in done.stderr.splitlines() if line.startswith("Error:")]
        raise CityError(f"{shown}: SUMO's netconvert refused it: {(lines or ['no reason given'])[0]}")
    # netconvert's comment holds the date and this machine's paths: without it equal input gives equal output
    text = re.sub(rb"<!--.*?-->\s*", b"", raw.read_bytes(), count=1, flags=re.DOTALL)
    net.write_bytes(gzip.compress(text, mtime=0))
    return net


def _sumo_home() -> Path:
    """Return the folder of the installed SUMO, without importing it (its import changes PROJ's settings)."""
    spec = importlib.util.find_spec("sumo")
    if spec is None or not spec.submodule_search_locations:
        raise CityError("SUMO is not installed (pip install eclipse-sumo); it turns OpenStreetMap into roads")
    return Path(next(iter(spec.submodule_search_locations)))
