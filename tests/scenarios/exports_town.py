"""A town and a run folder made by hand, for the tests of the exports."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely.affinity import translate
from shapely.geometry import Point

from geo.city import City
from tests.twin.world.people.made_up_city import SIDE, make_city
from twin import events
from twin.domain.ids import unit_number, unit_vehicle
from twin.log import Log

EAST, NORTH = 500_000.0, 4_070_000.0  # into zone 50N of UTM, near Jinan
START_S, END_S = 8 * 3600, 10 * 3600
ROBOT = int(unit_number("robot", 1))
DEPOT, CUSTOMER, OTHER = 0, 40, 80  # roads


def town() -> City:
    """The made-up city near Jinan, with line 109: there along streets 5.i → 5.(i+1), and back."""
    city = make_city(buses=False)
    road = {e: i for i, e in enumerate(city.roads["edge"])}
    there = [road[f"5.{i}to5.{i + 1}"] for i in range(SIDE - 1)]
    back = [road[f"5.{i + 1}to5.{i}"] for i in range(SIDE - 2, -1, -1)]
    ids = [f"stop-{i}" for i in range(len(there) + len(back))]
    at = [city.roads.geometry.iloc[r].interpolate(100.0) for r in there + back]
    stops = pd.DataFrame(
        {"place": ids, "kind": "bus_stop", "name": [f"站{i}" for i in range(len(ids))], "name_en": "Stop",
         "community": "all", "road": there + back, "pos_m": 100.0, "road_out": -1, "weight": 0.0}
    )  # fmt: skip
    places = pd.concat([pd.DataFrame(city.places.drop(columns="geometry")), stops], ignore_index=True)
    points = [*city.places.geometry, *(Point(p.x, p.y) for p in at)]
    lines = pd.DataFrame(
        {"line": "109", "name": "北—南", "direction": [0, 1], "stops": [ids[: len(there)], ids[len(there) :]],
         "first_s": 6 * 3600, "last_s": 22 * 3600, "headway_s": 900, "peak_headway_s": 600}
    )  # fmt: skip
    city = dataclasses.replace(city, places=gpd.GeoDataFrame(places, geometry=points, crs=city.crs), bus_lines=lines)
    moved = {
        f.name: table.set_geometry(table.geometry.apply(lambda g: translate(g, EAST, NORTH)))
        for f in dataclasses.fields(city)
        if isinstance(table := getattr(city, f.name), gpd.GeoDataFrame) and len(table)
    }
    return dataclasses.replace(city, **moved)


def save_town(folder: Path, city: City | None = None) -> Path:
    """Save the town; its SUMO network is empty, and nobody asks for it."""
    net = folder / "none.net.xml"
    folder.mkdir(parents=True, exist_ok=True)
    net.write_text("<net/>")
    return dataclasses.replace(city or town(), net_file=net).save(folder)


def run_folder(folder: Path, city: Path, facts: Callable[[Log], None], **scenario: Any) -> Path:
    """Write a run folder with these facts."""
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(folder / "events.parquet")
    log.add(events.RunStarted, t_s=START_S, scenario="t", seed=7, city="c", traffic="meso", residents=0)
    facts(log)
    log.add(events.RunEnded, t_s=END_S, reason="finished")
    log.close()
    stamp = {
        "format": 1, "name": "t", "seed": 7, "start_s": START_S, "end_s": END_S, "city_dir": str(city),
        "scenario": {"name": "t", "weekday": "wednesday", **scenario},
    }  # fmt: skip
    (folder / "stamp.json").write_text(json.dumps(stamp))
    return folder


class RobotLog:
    """Writes what a robot does, second by second."""

    def __init__(self, log: Log, unit: int = ROBOT) -> None:
        self.log, self.unit, self.legs, self.road = log, unit, 0, DEPOT
        log.add(
            events.UnitDeployed, t_s=START_S, unit=unit, fleet="robot", model="robot", road=DEPOT, pos_m=0.0,
            capacity=4000, battery=1.0,
        )  # fmt: skip

    def be(self, t_s: int, state: str) -> None:
        self.log.add(
            events.UnitChanged, t_s=t_s, unit=self.unit, state=state, battery=0.9, load=0, road=self.road, pos_m=50.0
        )

    def load(self, t_s: int, *orders: int) -> None:
        """Put orders in, for 100 s."""
        self.be(t_s - 100, "serving")
        self.log.add(events.OrderLoaded, t_s=t_s, order=list(orders), unit=self.unit, place="d")
        self.be(t_s, "parked")

    def depart(self, t_s: int, task: str = "deliver") -> None:
        v = int(unit_vehicle(self.unit, self.legs))
        self.log.add(
            events.UnitDeparted, t_s=t_s, unit=self.unit, vehicle=v, task=task, road=self.road, to_road=0,
            distance_m=1000.0, expected_s=100.0,
        )  # fmt: skip
        self.be(t_s, "driving")

    def arrive(self, t_s: int, road: int, metres: float = 1000.0) -> None:
        v = int(unit_vehicle(self.unit, self.legs))
        self.legs, self.road = self.legs + 1, road
        self.log.add(
            events.UnitArrived, t_s=t_s, unit=self.unit, vehicle=v, task="x", road=road, distance_m=metres, late_s=0
        )  # fmt: skip
        self.be(t_s, "parked")

    def hand(self, t_s: int, *orders: int, failed: tuple[int, ...] = ()) -> None:
        """Hand orders over, for 60 s."""
        self.be(t_s - 60, "serving")
        self.log.add(
            events.OrderDelivered, t_s=t_s, order=list(orders), unit=self.unit, to="person", duration_s=1, late_s=0
        )
        self.log.add(
            events.HandOverFailed, t_s=t_s, order=list(failed), unit=self.unit, reason="nobody there", waited_s=60
        )
        self.be(t_s, "parked")
