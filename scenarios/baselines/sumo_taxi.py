"""The bookings of a run served by SUMO's own taxi dispatch (``greedyShared``) in the same traffic.

The vehicles of a run are replayed through plain ``sumo`` on the routes they were let in with; the autonomous buses are
left out, and as many taxis of the same size and speed take their place. Every booking of the run – answered or
not – becomes a person who stands at the stop nearest to the origin when they could be there on foot, and asks for
a ride to the stop nearest to the destination. Nobody is refused beforehand and nothing is promised: SUMO
dispatches at the moment of asking. Whose two stops are the same, or without a way between them, is not served.
Source: SUMO user documentation, "Simulation/Taxi".
"""

from __future__ import annotations

import gzip
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.city import City
from geo.network import Network
from scenarios.bench.bare import write_routes
from twin.errors import AdapterError, ScenarioError
from twin.log import Facts
from twin.world.fleets.bookers import DETOUR
from twin.world.fleets.direct import direct_s
from twin.world.fleets.models import MODELS
from twin.world.fleets.passengers import WALK_M_S
from twin.world.traffic.junction_delay import junction_delay_s
from twin.world.traffic.options import MESO

Floats = npt.NDArray[np.float64]

TOP_M_S = MODELS["minibus"].speed_m_s


@dataclass(frozen=True)
class Rides:
    """One row per booking: ``wait_s``, ``ride_s``, ``direct_s``, ``served``.

    ``wait_s`` counts from ``ready_s``, when they could be at the stop; nan: never picked up. ``ride_s`` nan: not there.
    """

    frame: pd.DataFrame

    @property
    def served_share(self) -> float:
        """Share of the bookings that reached their stop before the end, 0..1."""
        return float(self.frame["served"].mean()) if len(self.frame) else float("nan")

    @property
    def wait_s(self) -> float:
        """Mean wait of those served."""
        return float(self.frame.loc[self.frame["served"], "wait_s"].mean())

    @property
    def detour(self) -> float:
        """Σ ride ÷ Σ direct ride of those served."""
        done = self.frame[self.frame["served"]]
        return float(done["ride_s"].sum() / done["direct_s"].sum())


def taxi_rides(run_dir: Path, city: City, stamp: Mapping[str, Any]) -> Rides:
    """Replay a run with taxis in place of its autonomous buses. Raises ScenarioError for a run without bookings."""
    facts = Facts.read(run_dir)
    made = facts.frame("BookingMade")
    bus = stamp["scenario"].get("bus")
    if bus is None or made.empty:
        raise ScenarioError(f"{run_dir}: this run has no bookings of autonomous buses")
    stops = _stops(city, str(bus["line"]))
    requests = _requests(city, made, stops)
    with tempfile.TemporaryDirectory(prefix="twin-taxi-") as work:
        folder = Path(work)
        routes = folder / "background.rou.xml"
        write_routes(run_dir, city, int(stamp["seed"]), routes, "meso", leave_out=("shuttle",))
        begin, end = int(stamp["start_s"]), int(stamp["end_s"])
        _write_taxis(folder / "taxis.rou.xml", city, bus, requests, begin)
        net = folder / "net.xml"
        content = city.net_file.read_bytes()
        net.write_bytes(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
        _run(folder, int(stamp["seed"]), begin, end)
        return Rides(_read(folder / "trips.xml", requests))


def _stops(city: City, line: str) -> pd.DataFrame:
    rows = city.bus_lines[city.bus_lines["line"].astype(str) == line]
    wanted = list(dict.fromkeys(s for stops in rows["stops"] for s in stops))
    places = city.places.set_index("place").loc[wanted]
    return pd.DataFrame(
        {
            "road": places["road"].to_numpy(np.int64),
            "pos_m": places["pos_m"].to_numpy(np.float64),
            "x": places.geometry.x.to_numpy(),
            "y": places.geometry.y.to_numpy(),
        }
    )


def _requests(city: City, made: pd.DataFrame, stops: pd.DataFrame) -> pd.DataFrame:
    middle = city.blocks.geometry.centroid
    x, y = middle.x.to_numpy(), middle.y.to_numpy()

    def nearest(block: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Floats]:
        away = np.hypot(x[block][:, None] - stops["x"].to_numpy(), y[block][:, None] - stops["y"].to_numpy())
        return away.argmin(axis=1), away.min(axis=1) * DETOUR

    on, walk_m = nearest(made["origin"].to_numpy(np.int64))
    off, _ = nearest(made["destination"].to_numpy(np.int64))
    road = stops["road"].to_numpy()
    pos_m = stops["pos_m"].to_numpy()
    direct = direct_s(Network.of(city), junction_delay_s(city), road, pos_m, TOP_M_S)[on, off]
    out = pd.DataFrame(
        {
            "booking": made["booking"].to_numpy(np.int64),
            "party": made["party"].to_numpy(np.int64),
            "on": on,
            "off": off,
            "ready_s": made["wanted_s"].to_numpy(np.int64) + np.rint(walk_m / WALK_M_S).astype(np.int64),
            "from_road": road[on],
            "to_road": road[off],
            "from_pos": pos_m[on],
            "to_pos": pos_m[off],
            "direct_s": direct,
        }
    )
    return out.sort_values(["ready_s", "booking"])


def _write_taxis(file: Path, city: City, bus: Mapping[str, Any], requests: pd.DataFrame, begin_s: int) -> None:
    edges = city.roads["edge"].to_numpy(object)
    home = edges[int(city.place(str(bus["depot"]))["road"])]
    seats = int(bus["seats"])
    rides = requests[(requests["on"] != requests["off"]) & np.isfinite(requests["direct_s"])]
    with file.open("w", encoding="utf-8") as f:
        f.write('<routes>\n<vType id="taxi" vClass="bus" length="5.9" ')
        f.write(
            f'personCapacity="{seats}" maxSpeed="{TOP_M_S:.2f}"><param key="has.taxi.device" value="true"/></vType>\n'
        )
        for k in range(int(bus["units"])):
            f.write(
                f'<vehicle id="taxi-{k}" type="taxi" depart="{begin_s}" line="taxi"><route edges={quoteattr(home)}/>'
            )
            f.write(f'<stop edge={quoteattr(home)} triggered="person"/></vehicle>\n')
        for r in rides.itertuples(index=False):
            for k in range(int(r.party)):
                f.write(f'<person id="{r.booking}-{k}" depart="{int(r.ready_s)}" departPos="{r.from_pos:.1f}">')
                f.write(f"<ride from={quoteattr(edges[int(r.from_road)])} to={quoteattr(edges[int(r.to_road)])} ")
                f.write(f'arrivalPos="{r.to_pos:.1f}" lines="taxi"/></person>\n')
        f.write("</routes>\n")


def _run(folder: Path, seed: int, begin_s: int, end_s: int) -> None:
    import sumo

    home = Path(sumo.SUMO_HOME)
    args = [str(home / "bin" / "sumo"), "-n", "net.xml", "-r", "background.rou.xml,taxis.rou.xml", *MESO]
    args += ["--device.taxi.dispatch-algorithm", "greedyShared", "--device.taxi.idle-algorithm", "stop"]
    args += ["--tripinfo-output", "trips.xml", "--tripinfo-output.write-unfinished", "true"]
    args += ["--device.tripinfo.explicit", "taxi-0", "--no-step-log", "--no-warnings", "--xml-validation", "never"]
    args += ["--max-depart-delay", "-1", "--begin", str(begin_s), "--end", str(end_s), "--seed", str(seed)]
    env = {**os.environ, "PROJ_DATA": str(home / "data" / "proj"), "SUMO_HOME": str(home)}
    done = subprocess.run(args, env=env, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AdapterError(f"plain sumo with taxis ended with {done.returncode}: {done.stderr.strip()[-300:]}")


def _read(file: Path, requests: pd.DataFrame) -> pd.DataFrame:
    wait: dict[int, float] = {}
    ride: dict[int, float] = {}
    for _, person in ET.iterparse(file):
        if person.tag != "personinfo":
            continue
        booking, k = str(person.get("id")).rsplit("-", 1)
        step = person.find("ride")
        if k == "0" and step is not None and float(step.get("depart", "-1")) >= 0:
            wait[int(booking)] = float(step.get("waitingTime", "nan"))
            if float(step.get("arrival", "-1")) >= 0:
                ride[int(booking)] = float(step.get("duration", "nan"))
        person.clear()
    out = requests.copy()
    out["wait_s"] = [wait.get(b, np.nan) for b in out["booking"].tolist()]
    out["ride_s"] = [ride.get(b, np.nan) for b in out["booking"].tolist()]
    out["served"] = out["ride_s"].notna()
    return out
