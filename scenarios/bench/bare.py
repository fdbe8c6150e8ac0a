"""The same vehicles on the same routes through plain ``sumo``, as the measure of what the twin adds."""

from __future__ import annotations

import gzip
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from geo.city import City
from twin.domain.ids import VEHICLE_KINDS
from twin.errors import AdapterError
from twin.world.traffic.options import MESO
from twin.world.traffic.ports import Stop
from twin.world.traffic.types import DEFAULT_TYPES, Drivers


def write_routes(
    run_dir: Path, city: City, seed: int, out: Path, mode: str, leave_out: tuple[str, ...] = (),
    stops: Mapping[int, Sequence[Stop]] | None = None,
) -> int:  # fmt: skip
    """Write the vehicles of a run's ``routes.parquet`` as a SUMO route file; return how many.

    Every vehicle keeps its class of drivers and its second; rows of rerouted vehicles are left out,
    and vehicles of the kinds in ``leave_out``. ``stops``: halts by vehicle, for the file does not tell them.
    """
    table = pq.read_table(run_dir / "routes.parquet")
    table = table.filter(table["type"].is_valid()).sort_by("depart_s")
    names = [t.name for t in DEFAULT_TYPES]
    drivers = Drivers(DEFAULT_TYPES, seed)
    if leave_out:
        code = table["vehicle"].to_numpy() // 10**12
        table = table.filter(~np.isin(code, [VEHICLE_KINDS[k] for k in leave_out]))
    vehicle = table["vehicle"].to_numpy()
    kind = np.asarray([names.index(t) for t in table["type"].to_pylist()], dtype=np.int64)
    driver = [drivers.names[d] for d in drivers.draw(vehicle, kind).tolist()]
    edges = city.roads["edge"].to_numpy(object)
    how = "" if mode == "meso" else ' departLane="best" departSpeed="max"'  # as the twin lets vehicles in
    with out.open("w", encoding="utf-8") as f:
        f.write("<routes>\n" + drivers.xml().replace("<additional>", "").replace("</additional>", ""))
        depart = table["depart_s"].to_pylist()
        for number, type_name, t, roads in zip(
            vehicle.tolist(), driver, depart, table["roads"].to_pylist(), strict=True
        ):
            way = " ".join(edges[roads])
            halts = "".join(_halt(edges[s.road], s) for s in (stops or {}).get(number, ()))
            f.write(f'<vehicle id="{number}" type="{type_name}" depart="{t}"{how}><route edges="{way}"/>')
            f.write(f"{halts}</vehicle>\n")
        f.write("</routes>\n")
    return len(vehicle)


def _halt(edge: str, stop: Stop) -> str:
    until = f' until="{stop.until_s}"' if stop.until_s >= 0 else ""
    return f'<stop edge="{edge}" endPos="{stop.pos_m:.2f}" duration="{stop.duration_s}"{until} friendlyPos="true"/>'


def run_bare(city: City, routes: Path, mode: str, begin_s: int, end_s: int, seed: int) -> float:
    """Run plain ``sumo`` with the options the twin uses and no output; return its wall time in s."""
    import sumo

    home = Path(sumo.SUMO_HOME)
    net = routes.with_suffix(".net.xml")
    if not net.exists():
        content = city.net_file.read_bytes()
        net.write_bytes(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    args = [str(home / "bin" / "sumo"), "-n", str(net), "-r", str(routes), *(MESO if mode == "meso" else ())]
    args += ["--no-step-log", "--no-warnings", "--xml-validation", "never", "--max-depart-delay", "-1"]
    args += ["--begin", str(begin_s), "--end", str(end_s), "--seed", str(seed)]
    env = {**os.environ, "PROJ_DATA": str(home / "data" / "proj"), "SUMO_HOME": str(home)}
    began = time.perf_counter()
    done = subprocess.run(args, env=env, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode:
        raise AdapterError(f"plain sumo ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return wall
