"""Small cities for tests, made with SUMO's own tools so that they are real networks."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import sumo

from geo.city import City
from geo.sumo_net import city_from_net

#: data to try the software on, beside the project; tests that need it skip where it is not there
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def sumo_tool(name: str, *args: str) -> None:
    """Run one of SUMO's programs; its words are in the error."""
    env = {**os.environ, "SUMO_HOME": sumo.SUMO_HOME, "PROJ_DATA": str(Path(sumo.SUMO_HOME) / "data" / "proj")}
    done = subprocess.run(
        [str(Path(sumo.SUMO_HOME) / "bin" / name), *args], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip()}")


def make_net(folder: Path, *args: str) -> Path:
    """Make a network with netgenerate and return its file."""
    net = folder / "toy.net.xml"
    sumo_tool("netgenerate", *args, "--no-turnarounds", "-o", str(net))
    return net


#: a 4 × 4 grid of 300 m with two lanes, stubs of 200 m as gates, two signals
TOY = (
    "--grid", "--grid.number", "4", "--grid.length", "300", "--grid.attach-length", "200",
    "-L", "2", "--tls.set", "B1,C2",
)  # fmt: skip


def toy_city(tmp_path: Path) -> City:
    """A City with a grid of 16 crossings, 2 of them signalised, gates all round, inferred blocks."""
    return city_from_net(make_net(tmp_path, *TOY), name="toy")


@cache
def shared_toy_city() -> City:
    """The toy city, made once per test process (do not write to it)."""
    return toy_city(Path(mkdtemp(prefix="toy-city-")))


@cache
def city_of_grid(number: int, length_m: int, tls: str = "", lanes: int = 1) -> City:
    """A square grid with stubs of 100 m as gates; ``tls``: its signalised nodes. Made once per process."""
    args = ["--grid", "--grid.number", str(number), "--grid.length", str(length_m), "--grid.attach-length", "100"]
    args += ["-L", str(lanes), *(["--tls.set", tls] if tls else [])]
    return city_from_net(make_net(Path(mkdtemp(prefix="grid-city-")), *args), name="grid")


def line_city(
    tmp_path: Path, *, length_m: float = 2000.0, lanes: int = 1, speed_m_s: float = 13.89, legs: int = 1
) -> City:
    """A City of one straight street of ``legs`` roads ``e0, e1, …`` and as many back, for laws of traffic flow."""
    nodes, edges = tmp_path / "line.nod.xml", tmp_path / "line.edg.xml"
    points = "".join(f'<node id="n{i}" x="{i * length_m}" y="0" type="priority"/>' for i in range(legs + 1))
    nodes.write_text(f"<nodes>{points}</nodes>")
    how = f'numLanes="{lanes}" speed="{speed_m_s}"'
    roads = "".join(
        f'<edge id="e{i}" from="n{i}" to="n{i + 1}" {how}/><edge id="b{i}" from="n{i + 1}" to="n{i}" {how}/>'
        for i in range(legs)
    )
    edges.write_text(f"<edges>{roads}</edges>")
    net = tmp_path / "line.net.xml"
    sumo_tool("netconvert", "-n", str(nodes), "-e", str(edges), "-o", str(net))
    return city_from_net(net, name="line")
