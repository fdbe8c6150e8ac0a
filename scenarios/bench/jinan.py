"""The real demand of Jinan 3 × 4 through the twin and through plain SUMO."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.bench.promises import Bench


def data_folder() -> Path | None:
    """Return the folder of the Jinan files beside the project, or None where it is not there."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "jinan_3x4"
    return folder if folder.is_dir() else None


def plain_mean_s(folder: Path, scratch: Path) -> float:
    """Return the mean travel time (s) of plain ``sumo`` on the given files."""
    import sumo

    out = scratch / "jinan_statistic.xml"
    args = [str(Path(sumo.SUMO_HOME) / "bin" / "sumo"), "-n", str(folder / "jinan_real.net.xml")]
    args += ["-r", str(folder / "jinan_real.rou.xml"), "--end", "7200", "--time-to-teleport", "-1"]
    args += ["--no-step-log", "--no-warnings", "--statistic-output", str(out), "--duration-log.statistics"]
    env = {**os.environ, "SUMO_HOME": sumo.SUMO_HOME}
    subprocess.run(args, env=env, capture_output=True, check=True)
    found = re.search(r'<vehicleTripStatistics[^>]* duration="([\d.]+)"', out.read_text(encoding="utf-8"))
    assert found is not None
    return float(found[1])


def compare(bench: Bench) -> tuple[float | None, str]:
    """Return |twin − sumo| ÷ sumo in percent, and both means."""
    folder = data_folder()
    if folder is None:
        return None, f"not measured: {Path('..') / 'shared' / 'data' / 'jinan_3x4'} is not there"
    from twin.log import Facts

    run = bench.run("jinan", "jinan_3x4")
    mean = Facts.read(run["dir"]).sql("select avg(duration_s) as m from events where fact = 'VehicleArrived'")["m"][0]
    plain = plain_mean_s(folder, bench.dir)
    return 100 * abs(float(mean) - plain) / plain, f"twin {float(mean):.1f} s, plain sumo {plain:.1f} s"
