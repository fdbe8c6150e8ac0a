"""How SUMO is started: its command line, and where it finds its projection data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.world.traffic.ports import TrafficSettings

#: columns of ``fcd.parquet`` beside the time; SUMO knows the edge in meso only, the lane in micro
FCD_ATTRIBUTES = {"meso": "id,x,y,speed,edge", "micro": "id,x,y,speed,lane"}
#: length of a road's segments in meso. Mean travel time on the real demand of Jinan 3 × 4 is 463 s with SUMO's own
#: 98 m, 447 s with 200 m, 424 s with 300 m, and 420 s in micro; and a day of the shipped district takes half the time
MESO_SEGMENT_M = 300
#: SUMO's options for meso. Junction control makes signals and priorities count; without it, the same is 254 s
MESO = (
    "--mesosim",
    "--meso-junction-control",
    "--meso-interpolate-pos",
    "--meso-edgelength",
    str(MESO_SEGMENT_M),
)
#: lane, position and speed of departure
DEPART = {"meso": ("first", "base", "0"), "micro": ("best", "base", "max")}


def arguments(net_file: Path, types_file: Path, settings: TrafficSettings) -> list[str]:
    """Return SUMO's command line."""
    s = settings
    args = ["sumo", "-n", str(net_file), "-a", str(types_file), "--begin", str(s.begin_s)]
    args += ["--seed", str(s.seed % 2**31), "--time-to-teleport", str(s.time_to_teleport_s)]
    # a route over a road that is closed for now must not end the simulation: the vehicle waits in front
    args += ["--ignore-route-errors", "--max-depart-delay", "-1", "--xml-validation", "never"]
    args += ["--no-step-log", "--duration-log.disable"]
    # in meso a warning is the only word about a teleport
    args += [*MESO] if s.mode == "meso" else ["--no-warnings"]
    if s.fcd_file is not None:
        args += ["--fcd-output", str(s.fcd_file), "--device.fcd.period", str(s.fcd_period_s)]
        args += ["--fcd-output.attributes", FCD_ATTRIBUTES[s.mode], "--fcd-output.skip-empty"]
        args += ["--output.compression", "zstd"]
    return [*args, *s.options]


@contextmanager
def projection_data() -> Iterator[None]:
    """Let SUMO find its own projection data for a while (pip's SUMO does not by itself)."""
    import sumo

    before = os.environ.get("PROJ_DATA")
    os.environ["PROJ_DATA"] = str(Path(sumo.SUMO_HOME) / "data" / "proj")
    try:
        yield
    finally:
        if before is None:
            del os.environ["PROJ_DATA"]
        else:
            os.environ["PROJ_DATA"] = before
