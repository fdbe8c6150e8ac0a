"""GTFS and GTFS Realtime: times, shapes and delays against the formula, and both against the published shapes."""

from __future__ import annotations

import copy
import dataclasses
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from scenarios.exports import gtfs, gtfs_realtime
from scenarios.exports.gtfs_rows import clock
from scenarios.exports.gtfs_shapes import problems, read, seconds
from scenarios.exports.realtime_shapes import problems as realtime_problems
from scenarios.exports.run import RunData
from scenarios.exports.shuttle import ShuttleLine
from tests.cities import DATA
from tests.scenarios.exports_town import END_S, START_S, run_folder, save_town, town
from twin import events
from twin.cli import app
from twin.domain.ids import unit_number, vehicle_number
from twin.errors import ScenarioError
from twin.log import Log
from twin.world.fleets.bus import SLACK, BusSystem
from twin.world.traffic.bus_lines import DWELL_S, BusLines

BUS = {
    "line": "109", "units": 2, "start": "06:30", "end": "21:30", "headway_min": 0, "policy": "on_demand",
}  # fmt: skip
SHUTTLE = int(unit_number("shuttle", 1))
CAIRNS = DATA / "gtfs_cairns" / "cairns_gtfs.zip"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def feed(city: Path) -> dict[str, pd.DataFrame]:
    return gtfs.export(city)[0]


# -- static ------------------------------------------------------------------------------------------------------


def test_each_departure_of_the_twin_is_a_trip_with_the_times_of_the_formula(feed: dict) -> None:
    line = BusLines(town()).lines[0]
    assert (feed["trips"]["direction_id"] == "0").sum() == line.departures_s.size
    times = feed["stop_times"][feed["stop_times"]["trip_id"] == "109-0-003"]
    arrive = seconds(times["arrival_time"])
    # streets of 600 m at 13.9 m/s from stop to stop; a halt of DWELL_S at each stop between
    k = np.arange(arrive.size)
    expected = line.departures_s[3] + 600.0 / 13.9 * SLACK * k + DWELL_S * np.maximum(k - 1, 0)
    assert np.abs(arrive - expected).max() <= 0.5
    assert np.all(seconds(times["departure_time"])[1:-1] - arrive[1:-1] == DWELL_S)
    assert times["timepoint"].tolist() == ["1"] + ["0"] * (arrive.size - 1)


def test_stops_lie_on_their_shape(feed: dict) -> None:
    times = feed["stop_times"][feed["stop_times"]["trip_id"] == "109-0-000"]
    shape = feed["shapes"][feed["shapes"]["shape_id"] == "109-0"]
    stops = feed["stops"].set_index("stop_id").loc[times["stop_id"]]
    along = shape["shape_dist_traveled"].astype(float).to_numpy()
    way = times["shape_dist_traveled"].astype(float).to_numpy()
    assert np.allclose(np.diff(way), 600.0, atol=0.2)
    for field in ("lat", "lon"):
        there = np.interp(way, along, shape[f"shape_pt_{field}"].astype(float))
        assert np.abs(there - stops[f"stop_{field}"].astype(float).to_numpy()).max() < 2e-5  # 2 m


def test_a_feed_is_written_and_read_back_alike(feed: dict, tmp_path: Path) -> None:
    one, two = gtfs.write(feed, tmp_path / "a.zip"), gtfs.write(feed, tmp_path / "b.zip")
    assert one.read_bytes() == two.read_bytes()
    back = read(one)
    assert set(back) == set(feed)
    assert all(back[name].equals(feed[name]) for name in feed)
    assert problems(back) == []


@pytest.mark.parametrize(
    ("name", "field", "value", "said"),
    [
        ("stop_times", "arrival_time", "8 o'clock", "stop_times.txt, line 2: arrival_time is not of type time"),
        ("stop_times", "stop_id", "nowhere", "stop_times.txt, line 2: stop_id is not in stops.txt ('nowhere')"),
        ("stop_times", "departure_time", "05:00:00", "line 2: departure_time before arrival_time"),
        ("stop_times", "arrival_time", "", "line 2: first or last stop without a time"),
        ("stops", "stop_lat", "91.5", "stops.txt, line 2: stop_lat is beyond 90 degrees"),
        ("stops", "stop_name", "", "stops.txt, line 2: stop_name is empty"),
        ("routes", "route_type", "9", "routes.txt, line 2: route_type is not of type route_type"),
        ("trips", "service_id", "sundays", "trips.txt, line 2: service_id is in no calendar"),
        ("trips", "route_id", "110", "trips.txt, line 2: route_id is not in routes.txt"),
        ("trips", "trip_id", "109-0-001", "trips.txt, line 3: trip_id is there twice"),
        ("agency", "agency_url", "www", "agency.txt, line 2: agency_url is not of type url"),
        ("agency", "agency_timezone", "China", "agency.txt, line 2: agency_timezone is not of type zone"),
        ("calendar", "end_date", "20200101", "calendar.txt, line 2: end_date lies before start_date"),
        ("shapes", "shape_dist_traveled", "9999999", "shapes.txt, line 3: shape_dist_traveled falls"),
    ],
)
def test_a_wrong_field_is_found_by_name(feed: dict, name: str, field: str, value: str, said: str) -> None:
    broken = {**feed, name: feed[name].copy()}
    broken[name].loc[broken[name].index[0], field] = value
    found = problems(broken)
    assert any(said in sentence for sentence in found), found


@pytest.mark.parametrize("name", ["stops", "calendar", "agency"])
def test_a_missing_file_is_named(feed: dict, name: str) -> None:
    assert any(s.startswith(f"{name}.txt: is missing") for s in problems({k: v for k, v in feed.items() if k != name}))


def test_a_real_feed_passes_and_its_faults_are_found() -> None:
    if not CAIRNS.is_file():
        pytest.skip("shared/data/gtfs_cairns is not there: the real feed of Cairns was not read")
    real = read(CAIRNS)
    assert len(real["stop_times"]) > 30_000
    assert problems(real) == []
    real["stop_times"].loc[12_345, "arrival_time"] = "25:61:00"
    assert problems(real) == ["stop_times.txt, line 12347: arrival_time is not of type time ('25:61:00')"]


# -- the autonomous line -----------------------------------------------------------------------------------------


def of_policy(city: Path, folder: Path, policy: str, facts: Any = lambda log: None) -> Path:
    return run_folder(folder, city, facts, bus={**BUS, "policy": policy})


def test_on_demand_is_told_as_flex(city: Path, tmp_path: Path) -> None:
    found, _ = gtfs.export(of_policy(city, tmp_path, "on_demand"))
    flex = found["stop_times"][found["stop_times"]["location_group_id"] != ""]
    assert flex[["pickup_type", "drop_off_type"]].to_numpy().tolist() == [["2", "1"], ["1", "2"]]
    assert set(flex["start_pickup_drop_off_window"]) == {"06:30:00"}
    assert set(found["location_group_stops"]["stop_id"]) == {f"stop-{i}" for i in range(22)}
    broken = {**found, "stop_times": found["stop_times"].copy()}
    broken["stop_times"].loc[flex.index[0], "pickup_type"] = "0"
    assert any("pickup_type must not be 0" in s for s in problems(broken))


@pytest.mark.parametrize("policy", ["timetable", "booked_stops", "twin.control.mobility.bus.policies:Timetabled"])
def test_a_timetable_is_told_as_trips_to_be_booked(city: Path, tmp_path: Path, policy: str) -> None:
    found, _ = gtfs.export(of_policy(city, tmp_path, policy))
    mine = found["stop_times"][found["stop_times"]["trip_id"].str.startswith("109-autonomous")]
    assert len(mine) > 100
    assert set(mine["pickup_type"]) == set(mine["drop_off_type"]) == {"2"}
    assert "location_groups" not in found


def test_the_timetable_is_the_one_that_the_desk_is_told(city: Path, tmp_path: Path) -> None:
    line = ShuttleLine.of(RunData.open(of_policy(city, tmp_path, "timetable")))
    assert line is not None
    system = object.__new__(BusSystem)
    system._s = types.SimpleNamespace(  # type: ignore[assignment]
        line="109", start=6 * 3600 + 1800, end=21 * 3600 + 1800, headway_min=0, units=2
    )
    system._c = types.SimpleNamespace(city=town())  # type: ignore[assignment]
    stops, system._directions = system._line()
    road = town().places["road"].to_numpy(np.int64)[stops]
    system._place = tuple(town().places["place"].to_numpy()[stops].tolist())
    system._direct_s = town().network.times(road, road).astype(np.float64)
    for k, told in enumerate(system._timetables(0)):
        assert tuple(told.stop) == line.way[k]  # type: ignore[attr-defined]
        assert np.array_equal(told.offset_s, line.offset_s[k])  # type: ignore[attr-defined]
        assert np.array_equal(told.depart_s, line.depart_s[k])  # type: ignore[attr-defined]
        assert line.depart_s[k].size > 10


# -- realtime ----------------------------------------------------------------------------------------------------

AT_S = START_S + 700


def bus_day(log: Log) -> None:
    """One bus 40 s late, which leaves out stop 2; one that cannot drive; a closed road; rain."""
    line = BusLines(town()).lines[0]
    first = int(np.flatnonzero(line.departures_s >= START_S)[0])
    way = gtfs.Way.of(town(), line)
    vehicle = int(vehicle_number("bus", 0, first))
    for k in (0, 1, 3, 4):
        t = int(line.departures_s[first] + way.arrive_s[k]) + 40
        log.add(
            events.BusStopped, t_s=t, vehicle=vehicle, place=f"stop-{k}", line="109", boarded=0, alighted=0, aboard=35
        )
    log.add(
        events.VehicleRefused, t_s=START_S + 5, vehicle=int(vehicle_number("bus", 1, first)), kind="bus", reason="x"
    )
    log.add(events.WeatherChanged, t_s=START_S, weather="clear", rain_mm_h=0.0, speed_factor=1.0)
    log.add(events.WeatherChanged, t_s=START_S + 1800, weather="rain", rain_mm_h=20.0, speed_factor=0.89)
    log.add(events.RoadClosed, t_s=START_S + 100, road=int(line.roads[2]), cause="construction on 5th")
    log.add(events.RoadReopened, t_s=START_S + 2000, road=int(line.roads[2]), cause="construction on 5th")


def late_shuttle(log: Log, line: ShuttleLine) -> None:
    """A bus that drives the third run 90 s late."""
    log.add(
        events.UnitDeployed, t_s=START_S, unit=SHUTTLE, fleet="shuttle", model="minibus", road=0, pos_m=0.0, capacity=8,
        battery=1.0,
    )  # fmt: skip
    run = int(np.flatnonzero(line.depart_s[0] >= START_S)[0])
    for k in range(4):
        t = int(line.depart_s[0][run] + line.offset_s[0][k]) + 90
        log.add(
            events.ShuttleStopped, t_s=t + 20, unit=SHUTTLE, place=line.way[0][k], error_m=0.0, gap_m=0.0, boarded=0,
            alighted=0, aboard=6, dwell_s=20,
        )  # fmt: skip


@pytest.fixture(scope="module")
def realtime(city: Path, tmp_path_factory: pytest.TempPathFactory) -> gtfs_realtime.Realtime:
    folder = run_folder(tmp_path_factory.mktemp("rt"), city, bus_day)
    return gtfs_realtime.Realtime(RunData.open(folder))


def part(message: dict, kind: str) -> list[dict]:
    return [e[kind] for e in message["entity"] if kind in e]


def test_a_late_bus_is_told_stop_by_stop(realtime: gtfs_realtime.Realtime) -> None:
    message = realtime.message(AT_S)
    late, cancelled = part(message, "trip_update")
    assert [u.get("arrival", {}).get("delay") for u in late["stop_time_update"]] == [40, 40, None, 40, 40]
    assert late["stop_time_update"][2]["schedule_relationship"] == "SKIPPED"
    assert cancelled["trip"]["schedule_relationship"] == "CANCELED"
    assert late["trip"]["start_date"] == "20260107"
    # the delay and the time say the same: time − delay is the planned arrival of the static feed
    times = realtime.static["stop_times"]
    planned = seconds(times[times["trip_id"] == late["trip"]["trip_id"]]["arrival_time"])
    midnight = message["header"]["timestamp"] - AT_S
    for update in late["stop_time_update"]:
        if "arrival" in update:
            said = update["arrival"]["time"] - update["arrival"]["delay"] - midnight
            assert said == planned[update["stop_sequence"]]


def test_before_a_bus_has_stopped_nothing_is_told_of_it(realtime: gtfs_realtime.Realtime) -> None:
    assert part(realtime.message(START_S), "trip_update") == []


def test_alerts_hold_while_their_cause_does(realtime: gtfs_realtime.Realtime) -> None:
    def causes(t_s: int) -> list[str]:
        return [a["cause"] for a in part(realtime.message(t_s), "alert")]

    assert causes(START_S) == []
    assert causes(START_S + 200) == ["CONSTRUCTION"]
    assert causes(START_S + 1900) == ["CONSTRUCTION", "WEATHER"]
    assert causes(START_S + 2100) == ["WEATHER"]
    (closure,) = part(realtime.message(START_S + 200), "alert")
    assert closure["informed_entity"] == [{"route_id": "109"}, {"stop_id": "stop-2"}]
    assert closure["effect"] == "DETOUR"


def test_a_shuttle_on_its_timetable_has_updates_and_a_place(city: Path, tmp_path: Path) -> None:
    line = ShuttleLine.of(RunData.open(of_policy(city, tmp_path / "plan", "timetable")))
    assert line is not None
    folder = of_policy(city, tmp_path / "run", "timetable", lambda log: late_shuttle(log, line))
    run = int(np.flatnonzero(line.depart_s[0] >= START_S)[0])
    at = int(line.depart_s[0][run] + line.offset_s[0][3]) + 95
    (message,) = gtfs_realtime.export(folder, at)
    (update,) = part(message, "trip_update")
    assert update["trip"]["trip_id"] == line.trip_id(0, run)
    assert [u["arrival"]["delay"] for u in update["stop_time_update"]] == [90] * 4
    assert [u.get("departure", {}).get("delay") for u in update["stop_time_update"]] == [110] * 3 + [None]
    (place,) = part(message, "vehicle")
    assert place["vehicle"]["label"] == "shuttle-1"
    assert place["occupancy_status"] == "FEW_SEATS_AVAILABLE"
    assert place["occupancy_percentage"] == 75


def test_a_wrong_message_is_found_by_name(realtime: gtfs_realtime.Realtime) -> None:
    good = realtime.message(AT_S)
    assert realtime_problems(good, realtime.static) == []

    def said(change: Any) -> list[str]:
        broken = copy.deepcopy(good)
        change(broken)
        return realtime_problems(broken, realtime.static)

    first = lambda m: m["entity"][0]["trip_update"]  # noqa: E731
    assert said(lambda m: first(m)["trip"].update(trip_id="x")) == [
        "entity[0].trip_update.trip.trip_id: 'x' is not in trips.txt"
    ]
    assert "is 'LATE'" in said(lambda m: first(m)["trip"].update(schedule_relationship="LATE"))[0]
    assert "does not come after" in said(lambda m: first(m)["stop_time_update"].reverse())[0]
    assert (
        "delay: is 1.5, not a whole number"
        in said(lambda m: first(m)["stop_time_update"][0]["arrival"].update(delay=1.5))[0]
    )
    assert "is there twice" in said(lambda m: m["entity"].append(m["entity"][0]))[0]
    assert said(lambda m: m["header"].pop("timestamp")) == ["header.timestamp: is missing"]


def test_protobuf_holds_the_same_or_its_absence_is_one_sentence(
    realtime: gtfs_realtime.Realtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = realtime.message(AT_S)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "google.transit", None)
        with pytest.raises(ScenarioError, match=r"pip install 'qibu-twin\[gtfs-rt\]', or take --format json"):
            gtfs_realtime.encode(message)
    pb2 = pytest.importorskip("google.transit.gtfs_realtime_pb2", reason="the extra gtfs-rt is not installed")
    back = pb2.FeedMessage.FromString(gtfs_realtime.encode(message))
    assert [e.id for e in back.entity] == [e["id"] for e in message["entity"]]
    assert back.entity[0].trip_update.stop_time_update[0].arrival.delay == 40
    assert back.entity[0].trip_update.stop_time_update[2].schedule_relationship == 1  # SKIPPED


# -- what people type --------------------------------------------------------------------------------------------


def test_the_commands_write_files(city: Path, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", city, bus_day, bus=BUS)
    call = CliRunner().invoke
    assert call(app, ["export", "gtfs", str(folder), "--date", "2026-03-04"]).exit_code == 0
    assert read(folder / "gtfs.zip")["feed_info"]["feed_start_date"].tolist() == ["20260304"]
    assert call(app, ["export", "gtfs", str(city), "--out", str(tmp_path / "c.zip")]).exit_code == 0
    said = call(app, ["export", "gtfs-rt", str(folder), "--at", "08:15", "--every", "3000"])
    assert said.exit_code == 0, said.output
    assert sorted(f.name for f in (folder / "gtfs-rt").iterdir()) == ["081500.json", "090500.json", "095500.json"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["gtfs-rt", "RUN", "--at", "12:00"], "--at: 12:00:00 lies outside the run, which goes from 08:00:00 to 10:00"),
        (["gtfs-rt", "RUN", "--at", "noon"], "--at: 'noon' is no time; write it like 08:30"),
        (["gtfs-rt", "RUN", "--format", "xml"], "--format: is 'xml'; allowed: json or pb"),
        (["gtfs", "nowhere"], "nowhere: is neither a run folder (stamp.json) nor a city folder (city.json)"),
        (["gtfs", "BARE"], "has no bus lines to export"),
        (["mds", "RUN"], "has no delivery robots to export"),
    ],
)
def test_bad_input_is_one_sentence(city: Path, tmp_path: Path, args: list[str], said: str) -> None:
    folder = run_folder(tmp_path / "run", city, lambda log: None)
    bare = dataclasses.replace(town(), bus_lines=town().bus_lines.iloc[:0])
    names = {"RUN": str(folder), "BARE": str(save_town(tmp_path / "bare", bare)) if "BARE" in args else ""}
    result = CliRunner().invoke(app, ["export", *(names.get(a, a) for a in args)])
    assert result.exit_code == 2
    assert said in result.output
    assert result.output.count("\n") == 1


def test_clock_goes_beyond_midnight() -> None:
    assert clock(25 * 3600 + 61) == "25:01:01"
    assert END_S > START_S
