"""A small run folder to show: vehicles on shortest routes through bare SUMO (meso), and facts that fit them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geo.city import City
from tests.cities import sumo_tool
from twin import events
from twin.dice import Dice
from twin.domain.ids import VEHICLE_KINDS
from twin.log import Log

TYPES = ("car", "through", "freight", "bus")
WEIGHTS = (0.8, 0.1, 0.07, 0.03)


def _routes(city: City, n: int, seed: int, start_s: int, spread_s: int) -> tuple[pd.DataFrame, np.ndarray]:
    stream = Dice(seed).stream("tests.viz.sample")
    roads = np.flatnonzero((city.roads["car"] & city.roads["main"]).to_numpy())
    who = np.arange(n)
    blocks = city.blocks["road"].to_numpy(np.int64)
    usable = np.flatnonzero(np.isin(blocks, roads))
    weight = city.blocks["residents"].to_numpy(float)[usable] + city.blocks["jobs"].to_numpy(float)[usable] + 1e-9
    origin = usable[stream.choice(weight, who, 1)]
    destination = usable[stream.choice(weight, who, 2)]
    routes = city.network.routes(blocks[origin], blocks[destination])
    # two humps, so that the charts have something to say
    when = start_s + spread_s * (0.5 + 0.5 * np.sin(np.pi * (stream.uniform(who, 3) - 0.5)))
    kind = stream.choice(WEIGHTS, who, 4)
    number = np.array([VEHICLE_KINDS[TYPES[k]] for k in kind]) * 10**12 + who * 1000 + 1
    frame = pd.DataFrame(
        {
            "vehicle": number,
            "type": [TYPES[k] for k in kind],
            "depart_s": np.floor(when).astype(np.int32),
            "roads": [routes[i] for i in range(n)],
            "origin": origin,
            "destination": destination,
            "expected_s": routes.time_s,
        }
    )
    return frame[[len(r) > 1 for r in frame["roads"]]].reset_index(drop=True), routes.time_s


def _sumo(city: City, plan: pd.DataFrame, folder: Path, start_s: int, end_s: int, period_s: int, meso: bool) -> None:
    edges = city.roads["edge"].to_numpy(object)
    file = folder / "sample.rou.xml"
    lines = [f'<vType id="{name}" length="{12 if name in ("bus", "freight") else 5}"/>' for name in TYPES]
    for row in plan.sort_values("depart_s", kind="stable").itertuples():
        way = " ".join(edges[row.roads])
        lines.append(
            f'<vehicle id="{row.vehicle}" type="{row.type}" depart="{row.depart_s}"><route edges="{way}"/></vehicle>'
        )
    file.write_text("<routes>\n" + "\n".join(lines) + "\n</routes>\n")
    sumo_tool(
        "sumo", "-n", str(city.net_file), "-r", str(file), "-b", str(start_s), "-e", str(end_s),
        "--no-step-log", "--no-warnings", "--time-to-teleport", "300", "--xml-validation", "never",
        "--fcd-output", str(folder / "fcd.parquet"), "--device.fcd.period", str(period_s),
        "--tripinfo-output", str(folder / "trips.parquet"),
        *(["--mesosim", "--meso-junction-control", "--meso-interpolate-pos"] if meso else []),
    )  # fmt: skip
    file.unlink()


def make_run(
    city_dir: Path,
    folder: Path,
    vehicles: int = 300,
    seed: int = 1,
    start_s: int = 23_400,
    hours: float = 0.5,
    period_s: int = 10,
    meso: bool = True,
    title: str = "A sample",
    more: Callable[[Log, City], None] | None = None,
) -> Path:
    """Write a run folder of ``vehicles`` trips; returns it. ``more`` may add facts."""
    city = City.load(city_dir)
    folder.mkdir(parents=True, exist_ok=True)
    end_s = start_s + int(hours * 3600)
    plan, _ = _routes(city, vehicles, seed, start_s, int(hours * 3600 * 0.8))
    _sumo(city, plan, folder, start_s, end_s, period_s, meso)
    trips = pq.read_table(folder / "trips.parquet").to_pandas()
    (folder / "trips.parquet").unlink()
    column = {c.rpartition("_")[2] if c.startswith("tripinfo") else c: c for c in trips.columns}
    trips.index = trips[column["id"]].astype(np.int64)
    plan.index = pd.Index(plan["vehicle"].to_numpy())
    entered = trips[column["depart"]].astype(float).reindex(plan.index)
    arrived = trips[column["arrival"]].astype(float).reindex(plan.index)
    _facts(folder, city, plan, entered, arrived, (seed, title, start_s, end_s), more)
    keep = plan.sort_values("vehicle")
    table = pa.table(
        {
            "vehicle": pa.array(keep["vehicle"].to_numpy()),
            "type": pa.array(keep["type"].tolist()),
            "depart_s": pa.array(keep["depart_s"].to_numpy()),
            "roads": pa.array(keep["roads"].tolist(), type=pa.list_(pa.int32())),
        }
    )
    pq.write_table(table, folder / "routes.parquet")
    stamp = {
        "format": 1, "scenario": {"name": "sample"}, "name": "sample", "title": title, "title_zh": "示例", "seed": seed,
        "versions": {"sumo": "1.28"}, "city": {"name": city.name, "schematic": city.schematic},
        "city_dir": str(city_dir), "start_s": start_s, "end_s": end_s, "digest": "0123456789abcdef" * 2,
        "ended": "finished", "facts": 0,
    }  # fmt: skip
    (folder / "stamp.json").write_text(json.dumps(stamp, ensure_ascii=False), encoding="utf-8")
    kpi = {"name": "mean_travel", "title": "Mean travel time", "title_zh": "平均行程时间", "unit": "s", "value": 512.4}
    (folder / "kpis.json").write_text(json.dumps({"kpis": [kpi]}, ensure_ascii=False), encoding="utf-8")
    return folder


def _facts(
    folder: Path,
    city: City,
    plan: pd.DataFrame,
    entered: pd.Series,
    arrived: pd.Series,
    about: tuple[int, str, int, int],
    more: Callable[[Log, City], None] | None,
) -> None:
    seed, _, start_s, end_s = about
    log = Log(folder / "events.parquet")
    log.add(
        events.RunStarted, start_s, scenario="sample", seed=seed, city=city.name, traffic="meso", residents=len(plan)
    )
    v = plan["vehicle"].to_numpy()
    kind = plan["type"].to_numpy(object)
    ok = entered.notna().to_numpy()
    log.add(
        events.VehicleEntered, entered.to_numpy()[ok].astype(int), vehicle=v[ok], kind=kind[ok],
        road=np.array([r[0] for r in plan["roads"]])[ok],
    )  # fmt: skip
    home = ok & (arrived > 0).fillna(False).to_numpy()
    took = (arrived - entered).to_numpy()
    log.add(
        events.VehicleArrived, arrived.to_numpy()[home].astype(int), vehicle=v[home], kind=kind[home],
        duration_s=took[home].astype(int),
    )  # fmt: skip
    car = kind == "car"
    resident = (v % 10**12) // 1000
    planned = plan["depart_s"].to_numpy()
    due = np.where(resident % 3 == 0, -1, (planned + plan["expected_s"].to_numpy() * 1.3 + 120).astype(int))
    start, end = car & ok, car & home
    log.add(
        events.TripStarted, planned[start], resident=resident[start], trip=1, mode=2, purpose=resident[start] % 8,
        origin=plan["origin"].to_numpy()[start], destination=plan["destination"].to_numpy()[start], vehicle=v[start],
        planned_s=planned[start], due_s=due[start], distance_m=1000.0, expected_s=plan["expected_s"].to_numpy()[start],
    )  # fmt: skip
    at = arrived.to_numpy()
    log.add(
        events.TripEnded, at[end].astype(int), resident=resident[end], trip=1, mode=2, purpose=resident[end] % 8,
        duration_s=(at - planned)[end].astype(int), late_s=np.where(due < 0, 0, at - due)[end].astype(int),
    )  # fmt: skip
    road = int(plan["roads"].iloc[0][1])
    log.add(events.WeatherChanged, start_s + 300, weather="rain", rain_mm_h=4.0, speed_factor=0.9)
    log.add(events.RoadClosed, start_s + 600, road=road, cause="works")
    log.add(events.RoadReopened, start_s + 1200, road=road, cause="works")
    if more is not None:
        more(log, city)
    log.add(events.RunEnded, end_s, reason="finished")
    log.close()
