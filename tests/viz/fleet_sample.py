"""A small run with fleets: two robots, a bus and a sweeper whose half an hour is written down second by second.

robot-1 loads two orders (20 s at a full dock), halts for 60 s in the rain, delivers order 102, finds nobody at home
for order 101, brings it back, takes it out again and delivers it 400 s late. robot-2 breaks down. shuttle-1 takes
booking 7 with two stops. sweeper-1 sweeps two roads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geo.city import City
from tests.viz.sample import make_run
from twin import events
from twin.domain.ids import unit_number, unit_vehicle
from twin.log import Log

START_S = 23_400
ROBOT, ROBOT_2 = int(unit_number("robot", 1)), int(unit_number("robot", 2))
BUS, SWEEPER = int(unit_number("shuttle", 1)), int(unit_number("sweeper", 1))


@dataclass(frozen=True)
class Ground:
    """Two roads of the city far apart, the ways there and back, and places."""

    home: int
    away: int
    there: list[int]
    back: list[int]
    depot: str
    stops: tuple[str, str]

    @classmethod
    def of(cls, city: City) -> Ground:
        """Choose them in a city."""
        roads = np.flatnonzero((city.roads["car"] & city.roads["main"]).to_numpy())
        times = city.network.times(roads[:1], roads)[0]
        home, away = int(roads[0]), int(roads[int(np.argmax(np.where(np.isfinite(times), times, -1)))])
        ways = city.network.routes([home, away], [away, home])
        places = city.places["place"].tolist()
        return cls(home, away, ways[0].tolist(), ways[1].tolist(), places[0], (places[1], places[2]))


def at(second: int) -> int:
    """A second of the run as one of the day."""
    return START_S + second


def add_facts(log: Log, city: City) -> None:
    """Write the facts of the fleets."""
    g = Ground.of(city)

    def add(fact: Any, second: int, **values: Any) -> None:
        log.add(fact, at(second), **values)

    def change(unit: int, second: int, state: str, load: int = 0, road: int = g.home, pos: float = 20.0) -> None:
        battery = 1.0 - second / 3600
        add(events.UnitChanged, second, unit=unit, state=state, battery=battery, load=load, road=road, pos_m=pos)

    for unit, fleet, capacity in ((ROBOT, "robot", 4000), (ROBOT_2, "robot", 4000), (BUS, "shuttle", 8),
                                  (SWEEPER, "sweeper", 180)):  # fmt: skip
        add(events.UnitDeployed, 0, unit=unit, fleet=fleet, model=fleet, road=g.home, pos_m=20.0, capacity=capacity,
            battery=1.0)  # fmt: skip

    def go(unit: int, leg: int, second: int, to: int, expected: float, task: str = "deliver") -> None:
        add(events.UnitDeparted, second, unit=unit, vehicle=int(unit_vehicle(unit, leg)), task=task,
            road=g.home if to == g.away else g.away, to_road=to, distance_m=900.0, expected_s=expected)  # fmt: skip
        enter(unit, leg, second)

    def enter(unit: int, leg: int, second: int) -> None:
        vehicle = int(unit_vehicle(unit, leg))
        add(events.VehicleEntered, second, vehicle=vehicle, kind="robot", road=g.home)

    def come(unit: int, leg: int, second: int, to: int, late: int, task: str = "deliver") -> None:
        vehicle = int(unit_vehicle(unit, leg))
        add(events.VehicleArrived, second, vehicle=vehicle, kind="robot", duration_s=1)
        add(events.UnitArrived, second, unit=unit, vehicle=vehicle, task=task, road=to, distance_m=900.0, late_s=late)

    # -- robot-1 ------------------------------------------------------------------------------------------
    for order, placed, ready, due in ((101, 60, 120, 1000), (102, 70, 90, 3600)):
        add(events.OrderPlaced, placed, order=order, customer=order % 7, destination=0, size=10, ready_s=at(ready),
            due_s=at(due))  # fmt: skip
        add(events.OrderAnswered, placed + 10, order=order, accepted=True, reason="", promised_s=at(due))
    add(events.OrderPlaced, 80, order=103, customer=-1, destination=0, size=10, ready_s=at(90), due_s=at(900))
    add(events.OrderAnswered, 90, order=103, accepted=False, reason="outside the permitted area", promised_s=-1)
    change(ROBOT, 130, "serving")  # 20 s for a dock, 90 + 2 × 8 s loading
    add(events.OrderLoaded, 256, order=[101, 102], unit=ROBOT, place=g.depot)
    change(ROBOT, 256, "parked", 20)
    go(ROBOT, 0, 260, g.away, 99.6)
    change(ROBOT, 260, "driving", 20)
    add(events.UnitHalted, 300, unit=ROBOT, cause="rain", road=g.there[1], pos_m=5.0)
    add(events.VehicleRemoved, 300, vehicle=int(unit_vehicle(ROBOT, 0)), kind="robot", reason="pulled over: rain")
    change(ROBOT, 300, "halted", 20, g.there[1], 5.0)
    add(events.UnitResumed, 360, unit=ROBOT, cause="back in its operating conditions", waited_s=60)
    enter(ROBOT, 1, 360)
    change(ROBOT, 360, "driving", 20, g.there[1], 5.0)
    come(ROBOT, 1, 440, g.away, 80)
    change(ROBOT, 440, "parked", 20, g.away, 30.0)
    change(ROBOT, 450, "serving", 20, g.away, 30.0)
    add(events.OrderDelivered, 500, order=102, unit=ROBOT, to="locker", duration_s=430, late_s=0)
    change(ROBOT, 500, "parked", 10, g.away, 30.0)
    change(ROBOT, 510, "serving", 10, g.away, 30.0)
    add(events.HandOverFailed, 810, order=101, unit=ROBOT, reason="nobody there", waited_s=300)
    change(ROBOT, 810, "parked", 10, g.away, 30.0)
    go(ROBOT, 2, 810, g.home, 100.0, "home")
    change(ROBOT, 810, "driving", 10, g.away, 30.0)
    come(ROBOT, 2, 910, g.home, 0, "home")
    change(ROBOT, 910, "parked", 10)
    change(ROBOT, 910, "serving", 10)
    add(events.OrderReturned, 1008, order=101, unit=ROBOT, place=g.depot)
    change(ROBOT, 1008, "parked", 0)
    change(ROBOT, 1100, "serving", 0)
    add(events.OrderLoaded, 1198, order=101, unit=ROBOT, place=g.depot)
    change(ROBOT, 1198, "parked", 10)
    go(ROBOT, 3, 1200, g.away, 100.0)
    change(ROBOT, 1200, "driving", 10)
    come(ROBOT, 3, 1340, g.away, 40)
    change(ROBOT, 1340, "parked", 10, g.away, 30.0)
    change(ROBOT, 1340, "serving", 10, g.away, 30.0)
    add(events.OrderDelivered, 1400, order=101, unit=ROBOT, to="person", duration_s=1340, late_s=400)
    change(ROBOT, 1400, "parked", 0, g.away, 30.0)
    # -- robot-2 ------------------------------------------------------------------------------------------
    add(events.ViolationBegan, 500, unit=ROBOT_2, violation="speeding", road=g.home, cause="software")
    add(events.ViolationFound, 540, unit=ROBOT_2, violation="speeding", since_s=at(510), case="case/700002/1")
    add(events.ViolationEnded, 600, unit=ROBOT_2, violation="speeding", duration_s=100)
    add(events.CaseClosed, 700, unit=ROBOT_2, case="case/700002/1", outcome="kept the rules again")
    add(events.LinkLost, 750, unit=ROBOT_2, cause="radio")
    add(events.LinkRestored, 780, unit=ROBOT_2)
    add(events.UnitBroke, 800, unit=ROBOT_2, cause="wear", road=g.home)
    change(ROBOT_2, 800, "broken")
    add(events.DepotShut, 900, place=g.depot, cause="closed at noon")
    add(events.DepotOpened, 1500, place=g.depot, cause="over")
    add(events.PermitEnded, 1000, permit="robot-goods", fleet="robot", reason="withdrawn")
    # -- shuttle-1 ----------------------------------------------------------------------------------------
    add(events.BookingMade, 30, booking=7, resident=3, origin=0, destination=1, wanted_s=at(180), party=2)
    add(events.BookingAnswered, 40, booking=7, resident=3, accepted=True, reason="", place=g.stops[0],
        to_place=g.stops[1], promised_s=at(200), promised_arrival_s=at(500))  # fmt: skip
    change(BUS, 220, "serving")
    add(events.PassengerBoarded, 240, booking=7, resident=3, unit=BUS, place=g.stops[0], wait_s=60, late_s=40)
    change(BUS, 250, "serving", 2)
    change(BUS, 260, "parked", 2)
    go(BUS, 0, 260, g.away, 200.0, "stop")
    change(BUS, 260, "driving", 2)
    come(BUS, 0, 540, g.away, 80, "stop")
    change(BUS, 540, "parked", 2, g.away, 30.0)
    change(BUS, 540, "serving", 2, g.away, 30.0)
    add(events.PassengerAlighted, 550, booking=7, resident=3, unit=BUS, place=g.stops[1], ride_s=310, direct_s=200,
        late_s=50)  # fmt: skip
    change(BUS, 570, "parked", 0, g.away, 30.0)
    # -- sweeper-1 ----------------------------------------------------------------------------------------
    for second, road in ((600, g.there[1]), (900, g.there[2])):
        add(events.RoadSwept, second, unit=SWEEPER, road=road, litter_g=100.0, dust_g=50.0)
    for second, share in ((900, 0.7), (1800, 0.8)):
        add(events.CleanlinessMeasured, second, area="广场", cleanliness=share, clean_share=share, litter_g_m=1.0,
            dust_g_m=1.0)  # fmt: skip


def _drives(city: City, g: Ground) -> list[tuple[int, int, int, int, float]]:
    """Return (vehicle, second, second, road, pos) – even driving along the ways, sampled every 10 s."""
    length = city.roads["length_m"].to_numpy(float)
    out = []
    half = g.there.index(g.there[1])
    for vehicle, begin, end, way, first, last in (
        (unit_vehicle(ROBOT, 0), 260, 300, g.there[: half + 1], 20.0, 5.0),
        (unit_vehicle(ROBOT, 1), 360, 440, g.there[half:], 5.0, 30.0),
        (unit_vehicle(ROBOT, 2), 810, 910, g.back, 30.0, 20.0),
        (unit_vehicle(ROBOT, 3), 1200, 1340, g.there, 20.0, 30.0),
        (unit_vehicle(BUS, 0), 260, 540, g.there, 20.0, 30.0),
    ):
        starts = np.concatenate([[0.0], np.cumsum(length[way[:-1]])])
        whole = starts[-1] + last - first
        for t in range(-(-(begin + 1) // 10) * 10, end, 10):
            s = first + whole * (t - begin) / (end - begin)
            k = int(np.searchsorted(starts, s, side="right")) - 1
            out.append((int(vehicle), at(t), at(t), way[k], min(s - starts[k], length[way[k]])))
    return out


def make_fleet_run(city_dir: Path, folder: Path) -> Path:
    """Write the run folder; returns it."""
    city = City.load(city_dir)
    run = make_run(city_dir, folder, vehicles=60, title="Fleets", more=add_facts)
    table = pq.read_table(run / "fcd.parquet").to_pandas()
    edge = city.roads["edge"].to_numpy(object)
    where = "vehicle_edge" if "vehicle_edge" in table and table["vehicle_edge"].notna().any() else "vehicle_lane"
    more = pd.DataFrame(
        [
            {"timestep_time": float(t), "vehicle_id": str(v), "vehicle_pos": pos,
             where: edge[road] if where == "vehicle_edge" else f"{edge[road]}_0"}
            for v, t, _, road, pos in _drives(city, Ground.of(city))
        ]
    )  # fmt: skip
    columns = [c for c in ("timestep_time", "vehicle_id", where, "vehicle_pos") if c in table]
    both = pd.concat([table[columns], more[columns]], ignore_index=True)
    pq.write_table(pa.Table.from_pandas(both, preserve_index=False), run / "fcd.parquet")
    return run
