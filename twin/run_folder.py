"""A run directory: where it may be, what is in it, and the stamp that makes a run repeatable.

``events.parquet``  the log · ``fcd.parquet``  vehicle positions, written by SUMO · ``routes.parquet``  planned
ways · ``journal/``  what controllers were told and answered · ``kpis.json`` · ``map.html`` · ``stamp.json``.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from geo.network import Routes
from twin.errors import ScenarioError
from twin.world.traffic.ports import NewVehicles
from twin.world.traffic.routing import join

FORMAT = 1
FILES = (
    "events.parquet", "fcd.parquet", "routes.parquet", "kpis.json", "map.html", "stamp.json",
    "report.html", "services.html", "reform.json", "done.json",
)  # fmt: skip
FOLDERS = ("journal", "district")
PACKAGES = ("qibu-twin", "eclipse-sumo", "libsumo", "simpy", "mesa", "numpy", "scipy", "pandas", "geopandas", "pyarrow")


def versions() -> dict[str, str]:
    """Return the versions a digest depends on."""
    out = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            out[package] = version(package)
        except PackageNotFoundError:
            out[package] = "not installed"
    return out


def prepare(folder: Path, force: bool = False) -> Path:
    """Make a run directory ready to be written; ScenarioError when it cannot be, or holds a run already."""
    if folder.exists() and not folder.is_dir():
        raise ScenarioError(f"--out {folder}: is a file; give a folder that is empty or not there yet")
    if folder.is_dir() and any((folder / f).exists() for f in FILES):
        if not force:
            raise ScenarioError(
                f"--out {folder}: already holds a run; choose another folder, or add --force to replace it"
            )
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        for name in FOLDERS:
            shutil.rmtree(folder / name, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ScenarioError(f"--out {folder}: cannot be written ({os.strerror(error.errno or 0)})") from None
    (folder / "journal").mkdir(exist_ok=True)
    return folder


def write_stamp(folder: Path, stamp: dict[str, Any]) -> None:
    """Write ``stamp.json`` at once: a reader sees the old one or the new one, never half."""
    part = folder / ".stamp.part"
    part.write_text(json.dumps(stamp, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(folder / "stamp.json")


def read_stamp(folder: Path) -> dict[str, Any]:
    """Read the stamp of a run; ScenarioError when the folder holds none."""
    file = folder / "stamp.json"
    if not file.is_file():
        raise ScenarioError(f"{folder}: not a run folder (no stamp.json)")
    try:
        stamp = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ScenarioError(f"{file}: not readable as JSON ({error})") from None
    if not isinstance(stamp, dict) or stamp.get("format") != FORMAT:
        raise ScenarioError(f"{file}: not a stamp of this version (format {FORMAT})")
    return stamp


class RouteFile:
    """Writes ``routes.parquet``: the planned ways of vehicles as they enter, and again when they are rerouted."""

    SCHEMA = pa.schema(
        [
            ("vehicle", pa.int64()),
            ("type", pa.dictionary(pa.int32(), pa.string())),
            ("depart_s", pa.int32()),
            ("roads", pa.list_(pa.int32())),
        ]
    )

    def __init__(self, path: Path, types: list[str]) -> None:
        self._writer = pq.ParquetWriter(path, self.SCHEMA, compression="zstd")
        self._types = pa.array(types, pa.string())
        self._parts: list[tuple[Any, Any, Any, Routes]] = []

    def add(self, new: NewVehicles) -> None:
        """Take the ways of new vehicles."""
        if new.vehicle.size:
            self._parts.append((new.vehicle, new.type_index, new.depart_s, new.routes))

    def add_rerouted(self, ways: list[tuple[int, int, npt.NDArray[np.int32]]]) -> None:
        """Take new ways of vehicles under way (vehicle, second, the road it is on and those after it).

        Such a row has no type; it replaces the rest of the vehicle's way from that second on.
        """
        if not ways:
            return
        vehicle, t_s = (np.asarray([w[k] for w in ways], dtype=np.int64) for k in (0, 1))
        offsets = np.concatenate([[0], np.cumsum([w[2].size for w in ways])]).astype(np.int64)
        routes = Routes(np.concatenate([w[2] for w in ways]), offsets, np.zeros(len(ways)))
        self._parts.append((vehicle, np.full(len(ways), -1), t_s, routes))

    def seal(self) -> None:
        """Write what was taken since the last time, as one row group."""
        if not self._parts:
            return
        vehicle, kind, depart_s = (np.concatenate([p[k] for p in self._parts]) for k in (0, 1, 2))
        routes = join([p[3] for p in self._parts])
        index = pa.array(kind.astype(np.int32), mask=kind < 0)
        columns = [
            pa.array(vehicle),
            pa.DictionaryArray.from_arrays(index, self._types),
            pa.array(depart_s.astype(np.int32)),
            pa.ListArray.from_arrays(pa.array(routes.offsets.astype(np.int32)), pa.array(routes.roads)),
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=self.SCHEMA))
        self._parts = []

    def close(self) -> None:
        """Complete the file."""
        self.seal()
        self._writer.close()
