"""A small made-up city in plain tables (no SUMO): a town, villages, a school, an industrial park, a bus line, gates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import LineString, Point, box

from geo.city import City, Origin
from twin.dice import Dice
from twin.log import Log
from twin.world.people.model import PeopleModel
from twin.world.people.ports import Arrivals, Departures
from twin.world.people.settings import PeopleSettings

CRS = "EPSG:32650"
STEP_M = 600.0
SIDE = 12


def _roads() -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """A grid of two-way streets, and its turns."""
    rows, lines = [], []
    for i in range(SIDE):
        for j in range(SIDE):
            for di, dj in ((1, 0), (0, 1), (-1, 0), (0, -1)):
                k, m = i + di, j + dj
                if 0 <= k < SIDE and 0 <= m < SIDE:
                    rows.append((f"{i}.{j}", f"{k}.{m}"))
                    lines.append(LineString([(i * STEP_M, j * STEP_M), (k * STEP_M, m * STEP_M)]))
    n = len(rows)
    a, b = [r[0] for r in rows], [r[1] for r in rows]
    roads = gpd.GeoDataFrame(
        {
            "edge": [f"{x}to{y}" for x, y in rows],
            "from_node": a,
            "to_node": b,
            "name": "",
            "name_en": "",
            "road_class": "tertiary",
            "speed_m_s": 13.9,
            "lanes": 1,
            "length_m": STEP_M,
            "car": True,
            "bus": True,
            "bike": True,
            "foot": True,
            "main": True,
            "subdistrict": "north",
        },
        geometry=lines,
        crs=CRS,
    )
    leaving: dict[str, list[int]] = {}
    for i in range(n):
        leaving.setdefault(a[i], []).append(i)
    turns = [(i, j) for i in range(n) for j in leaving[b[i]] if b[j] != a[i]]
    return roads, pd.DataFrame(turns, columns=["from_road", "to_road"])


def _blocks(roads: gpd.GeoDataFrame, communities: bool) -> gpd.GeoDataFrame:
    """One block per grid cell: a town in the middle, industry in a corner, villages around."""
    road = {e: i for i, e in enumerate(roads["edge"])}
    out = []
    for i in range(SIDE - 1):
        for j in range(SIDE - 1):
            middle = max(abs(i - 5), abs(j - 5))
            kind, people, jobs, shops, pupils, storeys = "village", 180, 12, 2, 0, 2
            if i >= 9 and j >= 9:
                kind, people, jobs, shops = "industry", 0, 900, 0
            elif (i, j) in ((5, 5), (2, 8)):
                kind, people, jobs, pupils = "school", 0, 60, 2600
            elif middle <= 1:
                kind, people, jobs, shops, storeys = "mixed", 1500, 300, 20, 8
            elif middle == 2:
                kind, people, jobs, shops, storeys = "housing", 700, 40, 6, 6
            elif (i, j) == (1, 1):
                kind, people, jobs = "farm", 0, 60
            x, y = i * STEP_M, j * STEP_M
            out.append(
                {
                    "block": f"b{i}.{j}",
                    "kind": kind,
                    "community": f"c{i // 2}.{j // 2}" if communities else "all",
                    "grid": "g",
                    "residents": people,
                    "jobs": jobs,
                    "shops": shops,
                    "pupils": pupils,
                    "storeys": storeys,
                    "road": road[f"{i}.{j}to{i + 1}.{j}"],
                    "geometry": box(x + 40, y + 40, x + STEP_M - 40, y + STEP_M - 40),
                }
            )
    return gpd.GeoDataFrame(out, geometry="geometry", crs=CRS)


def make_city(*, gates: bool = True, buses: bool = True, schools: bool = True, communities: bool = True) -> City:
    """The city; without some of its parts it is the kind of city that others bring."""
    roads, turns = _roads()
    road = {e: i for i, e in enumerate(roads["edge"])}
    blocks = _blocks(roads, communities)
    if not schools:
        blocks["pupils"] = 0
    names = sorted(set(blocks["community"]))
    whole = box(0, 0, SIDE * STEP_M, SIDE * STEP_M)
    half = [n[1] >= "3" if communities else False for n in names]
    subdistricts = gpd.GeoDataFrame(
        {"subdistrict": ["north", "south"], "name": "", "name_en": "", "residents": [16_000, 9_000]},
        geometry=[whole, whole],
        crs=CRS,
    )
    table = gpd.GeoDataFrame(
        {
            "community": names,
            "name": "",
            "name_en": "",
            "subdistrict": ["south" if h else "north" for h in half],
            "kind": ["town" if n in ("c2.2", "all") else "village" for n in names],
            "residents": 100,
        },
        geometry=[whole] * len(names),
        crs=CRS,
    )
    stops = [f"s{i}" for i in range(SIDE)] if buses else []
    places = [(s, "bus_stop", 5 * STEP_M + 20, i * STEP_M, -1, -1, 0.0) for i, s in enumerate(stops)]
    if gates:
        out, back = f"{SIDE - 2}.0to{SIDE - 1}.0", f"{SIDE - 1}.0to{SIDE - 2}.0"
        places.append(("g0", "gate", (SIDE - 1) * STEP_M, 0.0, road[back], road[out], 0.7))
        out, back = f"0.{SIDE - 2}to0.{SIDE - 1}", f"0.{SIDE - 1}to0.{SIDE - 2}"
        places.append(("g1", "gate", 0.0, (SIDE - 1) * STEP_M, road[back], road[out], 0.3))
    frame = pd.DataFrame(places, columns=["place", "kind", "x", "y", "road", "road_out", "weight"])
    frame = frame.astype({"road": int, "road_out": int, "weight": float})
    lines = [(stops, 0), (stops[::-1], 1)] if buses else []
    return City(
        origin=Origin("made-up", "made-up", "made-up", True, "tests", "tests", "tests"),
        crs=CRS,
        net_offset=(0.0, 0.0),
        net_file=Path("none.net.xml.gz"),
        subdistricts=subdistricts,
        communities=table,
        grids=gpd.GeoDataFrame({"grid": ["g"], "community": names[:1]}, geometry=[whole], crs=CRS),
        roads=roads,
        junctions=gpd.GeoDataFrame(
            {"node": ["0.0"], "kind": ["priority"], "signal": [False], "subdistrict": ["north"]},
            geometry=[Point(0, 0)],
            crs=CRS,
        ),
        places=gpd.GeoDataFrame(
            frame.drop(columns=["x", "y"]).assign(name=frame["place"], name_en="", community="all", pos_m=0.0),
            geometry=[Point(x, y) for x, y in zip(frame["x"], frame["y"], strict=True)],
            crs=CRS,
        ),
        blocks=blocks,
        waters=gpd.GeoDataFrame({"name": [], "name_en": [], "kind": []}, geometry=[], crs=CRS),
        turns=turns,
        bus_lines=pd.DataFrame(
            {
                "line": ["1" for _ in lines],
                "name": ["1" for _ in lines],
                "direction": [d for _, d in lines],
                "stops": [s for s, _ in lines],
                "first_s": [21_600.0 for _ in lines],
                "last_s": [79_200.0 for _ in lines],
                "headway_s": [900.0 for _ in lines],
                "peak_headway_s": [600.0 for _ in lines],
            }
        ),
    )


def people(city: City, *, seed: int = 1, log: Log | None = None, **settings: object) -> PeopleModel:
    """A people model with 4,000 residents unless told otherwise."""
    values = {"residents": 4_000, "companies": 200, **settings}
    return PeopleModel(city, Dice(seed), log, PeopleSettings(**values))  # type: ignore[arg-type]


def of_residents(model: PeopleModel) -> np.ndarray:
    """Rows of ``model.trips`` that belong to residents, not visitors."""
    return np.flatnonzero(model.trips.row < model.population.residents)


def live(
    model: PeopleModel,
    from_s: int,
    until_s: int,
    *,
    slower: float = 1.0,
    refuse: Callable[[Departures], np.ndarray] | None = None,
    tick_s: int = 60,
) -> list[Departures]:
    """Let people travel: each trip takes ``slower`` x the expected time; return the departures of every tick.

    What is under way at ``until_s`` stays under way.
    """
    pending: list[tuple[np.ndarray, ...]] = getattr(model, "test_pending", [])
    out = []
    for t in range(from_s, until_s, tick_s):
        if pending:
            who, trip, end, ok = (np.concatenate(c) for c in zip(*pending, strict=True))
            now = end < t
            if now.any():
                model.arrived(Arrivals(who[now], trip[now], end[now], ok[now]))
            pending = [(who[~now], trip[~now], end[~now], ok[~now])]
        d = model.departures(t, t + tick_s)
        out.append(d)
        if len(d.resident):
            took = np.maximum(np.rint(model.estimate(d).expected_s * slower), 1).astype(np.int64)
            ok = np.ones(len(took), dtype=bool) if refuse is None else ~refuse(d)
            pending.append((d.resident, d.trip, d.depart_s + np.where(ok, took, 0), ok))
    model.test_pending = pending
    return out


def column(parts: list[Departures], name: str) -> np.ndarray:
    """One column of all ticks."""
    return np.concatenate([getattr(p, name) for p in parts])
