"""The close-up of a zoom, again and again on one run of its district, each time in a process of its own.

``python -m scenarios.bench.close_up FOLDER OUT`` carries out one turn of what :func:`prepare` left in FOLDER and prints
its wall time in s.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from scenarios.bench.base import in_a_process
from twin.scenario import load_scenario
from twin.world.traffic.ports import Stop
from twin.zoom_district import Inflow, Part, read_inflow, run_district, write_inflow


def prepare(name: str, seed: int, folder: Path) -> tuple[Part, dict[int, Sequence[Stop]]]:
    """Run the district of a zoom and leave what comes into its area in ``folder``; return its halts by vehicle, too."""
    from geo.city import City
    from twin.cities import city_folder

    scenario = load_scenario(name)
    city_dir = city_folder(scenario)
    part = Part(scenario, city_dir, seed, folder / "district", kept=True)
    work = folder / "work"
    work.mkdir(parents=True)
    came = run_district(part, City.load(city_dir), work)
    if not isinstance(came, Inflow):
        raise KeyboardInterrupt
    write_inflow(came, folder / "inflow.npz")
    job = {"scenario": name, "city_dir": str(city_dir), "seed": seed}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    new = came.vehicles
    return part, {int(new.vehicle[i]): stops for i, stops in new.stops.items()}


def turn(folder: Path, out: Path) -> float:
    """Carry out one turn in a process of its own; return its wall time in s."""
    return float(in_a_process("scenarios.bench.close_up", str(folder), str(out)))


def main(folder: Path, out: Path) -> None:
    """See the module's text."""
    from twin.run_folder import prepare as prepare_folder
    from twin.zoom import run_close_up

    if not (folder / "job.json").is_file():
        sys.exit(f"{folder}: there is no job.json; give a folder that scenarios.bench.close_up.prepare has filled")
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    part = Part(load_scenario(job["scenario"]), Path(job["city_dir"]), job["seed"], folder / "district", kept=True)
    print(run_close_up(part, read_inflow(folder / "inflow.npz"), prepare_folder(out)).wall_s)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
