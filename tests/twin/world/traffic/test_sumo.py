"""What is particular to SUMO: its guard, its end, permissions, teleports, its silence, and laws of traffic flow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from geo.city import City
from geo.network import Routes
from geo.sumo_net import city_from_net
from tests.cities import DATA, line_city, sumo_tool
from tests.twin.world.traffic.conftest import Start, edges, random_vehicles, run, vehicles
from twin.errors import AdapterError
from twin.world.traffic.options import MESO
from twin.world.traffic.patience import Patience
from twin.world.traffic.ports import Flow, NewVehicles, VehicleType
from twin.world.traffic.sumo import SumoTraffic
from twin.world.traffic.types import DEFAULT_TYPES, Drivers

STRAIGHT = ["A0B0", "B0C0", "C0D0"]


def test_a_second_sumo_in_one_process_is_refused(toy: City, start: Start, sumo_mode: str) -> None:
    first = start(toy, sumo_mode)
    with pytest.raises(AdapterError, match="already runs in this process"):
        start(toy, sumo_mode)
    first.add(vehicles(toy, [STRAIGHT], [0]))
    assert run(first, 300).arrived.tolist() == [1]
    first.close()
    first.close()
    second = start(toy, sumo_mode)
    second.add(vehicles(toy, [STRAIGHT], [0]))
    assert run(second, 300).arrived.tolist() == [1]


def test_a_wrong_mode_and_a_missing_network_are_said(toy: City, start: Start, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match="'meso' or 'micro', not 'macro'"):
        start(toy, "macro")
    with pytest.raises(AdapterError, match=r"SUMO did not start: .*gone\.net\.xml"):
        start(replace(toy, net_file=tmp_path / "gone.net.xml"), "meso")
    start(toy, "meso")


def test_sumo_closed_by_somebody_else_is_an_adapter_error(toy: City, start: Start, sumo_mode: str) -> None:
    import libsumo

    traffic = start(toy, sumo_mode)
    traffic.add(vehicles(toy, [STRAIGHT], [0]))
    traffic.advance(40)
    libsumo.close()
    with pytest.raises(AdapterError, match="SUMO is gone at 40 s"):
        traffic.advance(50)
    with pytest.raises(AdapterError, match="SUMO is gone at 40 s"):
        traffic.where(np.array([1]))


def test_sumo_ending_in_the_middle_says_when_and_why(
    toy: City, start: Start, sumo_mode: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """SUMO reads this route file bit by bit and comes upon an unknown edge while it runs."""
    bad = tmp_path / "bad.rou.xml"
    good = "".join(f'<vehicle id="{9000 + t}" depart="{t}"><route edges="A0B0"/></vehicle>' for t in range(0, 300, 10))
    bad.write_text(f'<routes>{good}<vehicle id="9999" depart="305"><route edges="nowhere"/></vehicle></routes>')
    traffic = start(toy, sumo_mode, options=("-r", str(bad), "--route-steps", "50"))
    with pytest.raises(AdapterError, match=r"SUMO failed at \d+ s while simulating: .*'nowhere'") as caught:
        run(traffic, 1000)
    assert "\n" not in str(caught.value)
    told = int(str(caught.value).split(" at ")[1].split()[0])
    assert 200 < told <= 305
    traffic.close()
    out = capfd.readouterr()
    assert out.out == out.err == ""


def test_sumo_is_silent_and_what_others_say_gets_through(
    toy: City, start: Start, sumo_mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    traffic = start(toy, sumo_mode, time_to_teleport_s=20)
    traffic.add(random_vehicles(toy, 60, 60))
    traffic.close_road(int(edges(toy, "B1C1")[0]), True)
    with traffic._captured.catching():  # type: ignore[attr-defined]
        os.write(2, b" from another\rthread \n")
    flow = run(traffic, 600)
    assert flow.teleported.size
    traffic.close()
    out = capfd.readouterr()
    assert out.out == ""
    assert out.err == " from another\rthread \n"


def test_ctrl_c_is_noted_and_raised_when_asked() -> None:
    patience = Patience()
    with patience.waiting():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        patience.raise_noted()
    patience.raise_noted()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_waits_for_the_stretch_to_be_told(toy: City, start: Start, mode: str) -> None:
    traffic = start(toy, mode)
    traffic.add(random_vehicles(toy, 300, 600))
    with traffic._patience.waiting():  # type: ignore[attr-defined]
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        traffic.advance(300)
    flow = run(traffic, 1500)
    assert flow.departed.size == flow.arrived.size == 300


def test_reopening_restores_exactly_the_permissions(start: Start, sumo_mode: str, tmp_path: Path) -> None:
    """A bus lane, a lane for all but pedestrians, and limits of their own."""
    import libsumo

    nodes, roads = tmp_path / "n.nod.xml", tmp_path / "n.edg.xml"
    nodes.write_text(
        '<nodes><node id="a" x="0" y="0"/><node id="b" x="400" y="0"/><node id="c" x="800" y="0"/></nodes>'
    )
    lanes = (
        '<lane index="0" allow="bus" speed="8"/><lane index="1" disallow="pedestrian" speed="14"/>'
        '<lane index="2" speed="20"/>'
    )
    back = '<edge id="cb" from="c" to="b"/><edge id="ba" from="b" to="a"/>'
    roads.write_text(
        f'<edges><edge id="ab" from="a" to="b" numLanes="3">{lanes}</edge>'
        f'<edge id="bc" from="b" to="c" numLanes="3"/>{back}</edges>'
    )
    net = tmp_path / "n.net.xml"
    sumo_tool("netconvert", "-n", str(nodes), "-e", str(roads), "-o", str(net))
    city = city_from_net(net, name="three-lanes")
    traffic = start(city, sumo_mode)
    road = city.road_index["ab"]

    def state() -> list[tuple[object, ...]]:
        lane = libsumo.lane
        return [
            (lane.getAllowed(f"ab_{i}"), lane.getDisallowed(f"ab_{i}"), lane.getMaxSpeed(f"ab_{i}")) for i in range(3)
        ]

    before = state()
    assert before[0][0] == ("bus",)
    traffic.close_lane(road, 1, True)
    assert "passenger" not in state()[1][0]
    assert state()[2] == before[2]
    traffic.close_road(road, True)
    assert not any("passenger" in allowed or "bus" in allowed for allowed, _, _ in state())
    traffic.close_road(road, False)
    assert state()[0] == before[0]
    assert "passenger" not in state()[1][0]  # its own closure lasts
    traffic.close_lane(road, 1, False)
    traffic.set_speed(road, 5.0)
    assert {speed for _, _, speed in state()} == {5.0}
    traffic.set_speeds(0.8)
    traffic.set_speed(road, None)
    assert [speed for _, _, speed in state()] == pytest.approx([0.8 * s for _, _, s in before])
    traffic.set_speeds(1.0)
    assert state() == before


def test_teleports_are_told_and_teleported_vehicles_arrive(toy: City, start: Start, sumo_mode: str) -> None:
    traffic = start(toy, sumo_mode, time_to_teleport_s=60)
    traffic.add(vehicles(toy, [STRAIGHT] * 3, [0, 3, 6]))
    traffic.close_road(int(edges(toy, "B0C0")[0]), True)
    flow = run(traffic, 900)
    assert flow.teleported.tolist() == [1, 2, 3]
    assert 60 <= flow.teleported_s[0] <= 60 + 60
    assert sorted(flow.arrived.tolist()) == [1, 2, 3]
    # SUMO's own count says the same
    import libsumo

    assert libsumo.simulation.getParameter("", "stats.teleports.total") == "3"


def test_travel_times_see_a_queue_and_forget_it(toy: City, start: Start, sumo_mode: str) -> None:
    traffic = start(toy, sumo_mode, time_to_teleport_s=-1)
    before, shut = edges(toy, "A0B0", "B0C0").tolist()
    traffic.add(vehicles(toy, [STRAIGHT] * 40, list(range(0, 200, 5))))
    traffic.close_road(shut, True)
    run(traffic, 900)
    free = toy.network.free_s
    times = traffic.travel_times()
    assert times[before] > 5 * free[before]
    assert times[shut] == pytest.approx(free[shut])
    traffic.close_road(shut, False)
    run(traffic, 900 + 3600, 900)
    assert traffic.travel_times()[before] < 1.5 * free[before]


# -- against plain SUMO --------------------------------------------------------------------------------


def test_the_same_vehicles_drive_exactly_as_in_plain_sumo(
    toy: City, start: Start, sumo_mode: str, tmp_path: Path
) -> None:
    """Routes written to a file and run by ``sumo`` itself: every vehicle departs and arrives at the same second."""
    new = random_vehicles(toy, 400, 600, seed=5)
    drivers = Drivers(DEFAULT_TYPES, seed=4)
    names = [drivers.names[d] for d in drivers.draw(new.vehicle, new.type_index).tolist()]
    assert len(set(names)) > 10
    edge = toy.roads["edge"].tolist()
    how = 'departLane="best" departSpeed="max"' if sumo_mode == "micro" else 'departLane="first" departSpeed="0"'
    rows = "".join(
        f'<vehicle id="{v}" type="{kind}" depart="{t}" {how}>'
        f'<route edges="{" ".join(edge[r] for r in new.routes[i].tolist())}"/></vehicle>'
        for i, (v, kind, t) in enumerate(zip(new.vehicle.tolist(), names, new.depart_s.tolist(), strict=True))
    )
    types, routes, info = (tmp_path / f for f in ("types.add.xml", "all.rou.xml", "info.xml"))
    types.write_text(drivers.xml())
    routes.write_text(f"<routes>{rows}</routes>")
    sumo_tool(
        "sumo",
        *("-n", str(toy.net_file), "-a", str(types), "-r", str(routes), "--tripinfo-output", str(info)),
        *("--seed", "4", "--no-step-log", "--time-to-teleport", "300", "--max-depart-delay", "-1"),
        *(MESO if sumo_mode == "meso" else ()),
    )
    plain = {
        int(t.get("id", "")): (float(t.get("depart", "")), float(t.get("arrival", "")))
        for t in ElementTree.parse(info).getroot().iter("tripinfo")
    }
    traffic = start(toy, sumo_mode, seed=4)
    half = new.depart_s < 300
    for part in (half, ~half):
        rows_of = np.flatnonzero(part)
        traffic.add(
            NewVehicles(
                new.vehicle[rows_of],
                new.type_index[rows_of],
                new.depart_s[rows_of],
                Routes(
                    np.concatenate([new.routes[i] for i in rows_of]),
                    np.concatenate([[0], np.cumsum([len(new.routes[i]) for i in rows_of])]).astype(np.int64),
                    np.zeros(len(rows_of)),
                ),
            )
        )
    flow = run(traffic, 2400)
    departed = dict(zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True))
    twin = {v: (departed[v], t) for v, t in zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True)}
    assert len(twin) == 400
    if sumo_mode == "meso":  # plain SUMO tells fractions of a second there
        plain = {v: (int(a), int(b)) for v, (a, b) in plain.items()}
    assert twin == plain


# -- determinism ---------------------------------------------------------------------------------------

_FLOW_DIGEST = """
import hashlib, sys
from pathlib import Path
import numpy as np
from geo.city import City
from tests.twin.world.traffic.conftest import random_vehicles
from twin.world.traffic.patience import Patience
from twin.world.traffic.ports import Flow, TrafficSettings
from twin.world.traffic.types import make_traffic

city = City.load(Path(sys.argv[1]))
for mode in ("meso", "micro", "free-flow"):
    traffic = make_traffic(city, TrafficSettings(mode=mode, seed=3, time_to_teleport_s=60))
    traffic.watch(np.arange(0, len(city.roads), 3))
    traffic.add(random_vehicles(city, 500, 600))
    h = hashlib.blake2b()
    for t in range(30, 1501, 30):
        if t in (300, 900):
            traffic.close_road(7, t == 300)
        flow = traffic.advance(t)
        for name in Flow.__dataclass_fields__:
            h.update(getattr(flow, name).tobytes())
        reading = traffic.read()
        h.update(reading.count.tobytes() + reading.speed_m_s.tobytes() + traffic.travel_times().tobytes())
    traffic.close()
    print(mode, h.hexdigest())
"""


def test_same_inputs_same_flow_in_other_processes(toy: City, tmp_path: Path) -> None:
    toy.save(tmp_path / "city")
    told = []
    for hash_seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        command = [sys.executable, "-c", _FLOW_DIGEST, str(tmp_path / "city")]
        told.append(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    assert told[0] == told[1]
    assert [line.split()[0] for line in told[0].splitlines()] == ["meso", "micro", "free-flow"]
    assert len({line.split()[1] for line in told[0].splitlines()}) == 3


# -- laws of traffic flow ------------------------------------------------------------------------------


@pytest.mark.parametrize("tau_s", [1.0, 1.8])
def test_lane_capacity_is_that_of_the_car_following_law(start: Start, tmp_path: Path, tau_s: float) -> None:
    """Krauss without dawdling: a lane carries 3600 / ((length + minGap) / v + tau) vehicles an hour."""
    v, length_m, gap_m = 13.89, 5.0, 2.5
    city = line_city(tmp_path, length_m=1500.0, speed_m_s=v, legs=2)
    kind = VehicleType("car", length_m=length_m, min_gap_m=gap_m, tau_s=tau_s, sigma=0.0, speed_factor_dev=0.0)
    traffic = start(city, "micro", types=(kind,), time_to_teleport_s=-1)
    # the queue is let go from the end of the first road: saturation flow over the line between the two
    n = 180
    route = ["e0", "e1"]
    traffic.add(vehicles(city, [route] * n, [0] * n))
    traffic.close_road(city.road_index["e1"], True)
    run(traffic, 900)
    traffic.watch_entries(edges(city, "e1"))
    traffic.close_road(city.road_index["e1"], False)
    flow = run(traffic, 2400, 900)
    crossing = np.sort(flow.entered_s)
    # the first ones still accelerate; those from far behind pass at full speed
    window = crossing[60:160]
    measured = 3600.0 * (len(window) - 1) / (window[-1] - window[0])
    assert measured == pytest.approx(3600.0 / ((length_m + gap_m) / v + tau_s), rel=0.05)


def test_a_closed_lane_takes_its_share_of_the_capacity(start: Start, sumo_mode: str, tmp_path: Path) -> None:
    """Two lanes fed beyond their capacity; with one of them closed half as many get through."""
    city = line_city(tmp_path, length_m=600.0, lanes=2, legs=3)

    def through(closed: bool) -> int:
        traffic = start(city, sumo_mode, time_to_teleport_s=-1)
        traffic.add(vehicles(city, [["e0", "e1", "e2"]] * 1400, [i * 3 // 4 for i in range(1400)]))
        # a few begin on the road itself: they must get in, too
        traffic.add(vehicles(city, [["e1", "e2"]] * 9, list(range(100, 280, 20)), first=5000))
        if closed:
            traffic.close_lane(city.road_index["e1"], 0, True)
        traffic.watch_entries(edges(city, "e2"))
        flow = run(traffic, 1100)
        assert set(range(5000, 5009)) <= set(flow.departed.tolist())
        traffic.close()
        return int(((flow.entered_s >= 500) & (flow.entered_s < 1100)).sum())

    assert through(closed=True) == pytest.approx(through(closed=False) / 2, rel=0.1)


def test_free_flow_and_sumo_agree_on_an_empty_network(start: Start, sumo_mode: str, tmp_path: Path) -> None:
    """One vehicle at a time, drivers who do not dawdle: route times differ by a few per cent (acceleration)."""
    city = line_city(tmp_path, length_m=700.0, speed_m_s=16.67, legs=5)
    routes = [["e0", "e1", "e2", "e3", "e4"], ["e1", "e2"], ["e0", "e1", "e2"], ["e3"]]
    new = vehicles(city, routes * 5, [300 * i for i in range(20)])

    def rides(mode: str) -> np.ndarray:
        traffic = start(city, mode, types=(VehicleType("car", sigma=0.0),))
        traffic.add(new)
        flow = run(traffic, 8000)
        traffic.close()
        assert sorted(flow.arrived) == sorted(new.vehicle)
        arrived = dict(zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True))
        return np.array([arrived[v] for v in new.vehicle.tolist()]) - new.depart_s

    free = rides("free-flow")
    assert free.std() > 50
    assert rides(sumo_mode) == pytest.approx(free, rel=0.03, abs=2)


# -- real demand ---------------------------------------------------------------------------------------


def _jinan(folder: Path) -> tuple[City, NewVehicles, VehicleType]:
    source = DATA / "jinan_3x4"
    if not source.is_dir():
        pytest.skip(f"no {source}: the shared data folder is not here")
    city = city_from_net(source / "jinan_real.net.xml", name="jinan_3x4")
    root = ElementTree.parse(source / "jinan_real.rou.xml").getroot()
    index = city.road_index
    rows = [
        (int(float(v.get("depart"))), [index[e] for e in v.find("route").get("edges").split()])  # type: ignore[union-attr, arg-type]
        for v in root.iter("vehicle")
    ]
    offsets = np.concatenate([[0], np.cumsum([len(r) for _, r in rows])]).astype(np.int64)
    routes = Routes(np.concatenate([r for _, r in rows]).astype(np.int32), offsets, np.zeros(len(rows)))
    kind = root.find("vType").attrib  # type: ignore[union-attr]
    car = VehicleType(
        "car",
        length_m=float(kind["length"]),
        min_gap_m=float(kind["minGap"]),
        accel_m_s2=float(kind["accel"]),
        decel_m_s2=float(kind["decel"]),
        max_speed_m_s=float(kind["maxSpeed"]),
        tau_s=float(kind["tau"]),
        sigma=float(kind["sigma"]),
        speed_factor_dev=0.1,  # SUMO's own for passenger cars, since the file does not say
    )
    number = np.arange(len(rows), dtype=np.int64)
    depart = np.array([d for d, _ in rows], dtype=np.int64)
    return city, NewVehicles(number, np.zeros(len(rows), np.int64), depart, routes), car


def mean_duration_s(flow: Flow) -> float:
    began = dict(zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True))
    return float(np.mean([t - began[v] for v, t in zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True)]))


@pytest.mark.slow
def test_jinan_3x4_drives_as_plain_sumo_does(start: Start, tmp_path: Path) -> None:
    """Mean travel time within 5 % of plain SUMO on the same files (about 420 s)."""
    city, new, car = _jinan(tmp_path)
    traffic = start(city, "micro", types=(car,), time_to_teleport_s=-1)
    traffic.add(new)
    flow = run(traffic, 7200)
    assert isinstance(traffic, SumoTraffic)
    traffic.close()
    source = DATA / "jinan_3x4"
    info = tmp_path / "tripinfo.xml"
    sumo_tool(
        "sumo",
        *("-n", str(source / "jinan_real.net.xml"), "-r", str(source / "jinan_real.rou.xml")),
        *("--end", "7200", "--time-to-teleport", "-1", "--tripinfo-output", str(info), "--no-step-log"),
    )
    plain = [float(t.get("duration")) for t in ElementTree.parse(info).getroot().iter("tripinfo")]  # type: ignore[arg-type]
    assert len(plain) > 6000
    assert flow.departed.size <= len(new.vehicle) == 6295
    assert flow.arrived.size == pytest.approx(len(plain), rel=0.01)
    assert mean_duration_s(flow) == pytest.approx(np.mean(plain), rel=0.05)
    assert np.mean(plain) == pytest.approx(420, rel=0.05)
    # meso is a model of the same crossings: within a tenth of micro
    meso = start(city, "meso", types=(car,), time_to_teleport_s=-1)
    meso.add(new)
    assert mean_duration_s(run(meso, 7200)) == pytest.approx(np.mean(plain), rel=0.10)
