"""Small networks and maps for the tests of geo, and the way to the shared data where it is present."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SUMO = Path(next(iter(find_spec("sumo").submodule_search_locations)))


def sumo_tool(name: str, *args: str) -> None:
    """Run one of SUMO's programs."""
    env = {**os.environ, "SUMO_HOME": str(SUMO), "PROJ_DATA": str(SUMO / "data" / "proj")}
    done = subprocess.run([str(SUMO / "bin" / name), *args], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of shared data; tests that need it are skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the shared data folder (../shared/data beside the project) is not here")
    return DATA.resolve()


@pytest.fixture(scope="session")
def toy_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 3 × 3 grid of 200 m with stubs of 100 m all round, two lanes, one signal at B1, no projection."""
    net = tmp_path_factory.mktemp("toy") / "toy.net.xml"
    sumo_tool(
        "netgenerate", "--grid", "--grid.number", "3", "--grid.length", "200", "--grid.attach-length", "100",
        "-L", "2", "--tls.set", "B1", "--no-turnarounds", "-o", str(net),
    )  # fmt: skip
    return net


@pytest.fixture
def make_net(tmp_path: Path):
    """A function that makes a network from the inner text of SUMO's node and edge files."""

    def make(nodes: str, edges: str, *options: str) -> Path:
        (tmp_path / "a.nod.xml").write_text(f"<nodes>{nodes}</nodes>")
        (tmp_path / "a.edg.xml").write_text(f"<edges>{edges}</edges>")
        net = tmp_path / "a.net.xml"
        sumo_tool(
            "netconvert", "-n", str(tmp_path / "a.nod.xml"), "-e", str(tmp_path / "a.edg.xml"), *options, "-o", str(net)
        )
        return net

    return make
