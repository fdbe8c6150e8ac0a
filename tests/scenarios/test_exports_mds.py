"""MDS 2 of a run: states, trips and ids against what was done, and the check against the published shapes."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.exports import mds
from scenarios.exports.mds_shapes import EVENT_TYPES, STATES, TRANSITIONS, problems
from scenarios.exports.mds_states import FACTS, Moment, UnitDay
from tests.scenarios.exports_town import CUSTOMER, DEPOT, END_S, OTHER, ROBOT, START_S, RobotLog, run_folder, save_town
from twin import events
from twin.errors import ScenarioError
from twin.log import Log

DELIVERY = {"delivery": {"start": "07:00", "end": "22:00"}}
T = START_S + 1000


def tour(log: Log) -> None:
    """Two orders out: the first handed over, for the second nobody is there; home with it."""
    log.add(events.OrderPlaced, t_s=T - 500, order=[1, 2], customer=1, destination=0, size=5, ready_s=T, due_s=T + 3600)
    robot = RobotLog(log)
    robot.load(T, 1, 2)
    robot.depart(T + 20)
    robot.arrive(T + 200, CUSTOMER, 1500.0)
    robot.hand(T + 300, 1)
    robot.depart(T + 310)
    log.add(events.UnitHalted, t_s=T + 350, unit=ROBOT, cause="rain", road=5, pos_m=1.0)
    log.add(events.AssistBegan, t_s=T + 360, unit=ROBOT, operator=1, cause="rain", waited_s=10)
    log.add(events.UnitResumed, t_s=T + 400, unit=ROBOT, cause="operator", waited_s=50)
    robot.arrive(T + 500, OTHER, 700.0)
    robot.hand(T + 600, failed=(2,))
    robot.depart(T + 610, "home")
    robot.arrive(T + 900, DEPOT, 2200.0)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def run(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_folder(tmp_path_factory.mktemp("run"), city, tour, **DELIVERY)


@pytest.fixture(scope="module")
def found(run: Path) -> dict:
    return mds.export(run)


def story(answers: dict) -> list[tuple[str, str]]:
    rows = answers["events/historical"]["events"]
    return [(e["vehicle_state"], "+".join(e["event_types"])) for e in rows]


def test_a_tour_is_told_state_by_state(found: dict) -> None:
    assert story(found) == [
        ("available", "service_start"),
        ("reserved", "reservation_start"),
        ("stopped", "reservation_stop+order_pick_up"),
        ("on_trip", "trip_start"),
        ("stopped", "order_drop_off"),
        ("available", "trip_end"),
        ("reserved", "reservation_start"),
        ("stopped", "reservation_stop"),
        ("on_trip", "trip_start"),
        ("stopped", "trip_pause"),
        ("on_trip", "trip_resume"),
        ("stopped", "order_drop_off"),
        ("available", "provider_cancellation"),
    ]


def test_trips_have_the_times_ways_and_drivers_of_the_facts(found: dict) -> None:
    first, second, home = found["trips"]["trips"]
    assert [t["trip_type"] for t in (first, second, home)] == ["delivery", "delivery", "return"]
    assert [t["distance"] for t in (first, second, home)] == [1500, 700, 2200]
    assert [t["duration"] for t in (first, second, home)] == [280, 290, 290]
    assert [t["trip_attributes"]["driver_type"] for t in (first, second, home)] == [
        "autonomous", "semi_autonomous", "autonomous",
    ]  # fmt: skip
    assert home["trip_attributes"]["has_payload"], "the order that nobody took is aboard"
    assert len({t["journey_id"] for t in (first, second, home)}) == 1
    # wednesday of the first week of 2026, 08:00 at UTC+8 and 1,020 s
    begin = dt.datetime(2026, 1, 7, 0, 0, tzinfo=dt.UTC) + dt.timedelta(seconds=1020)
    assert first["start_time"] == begin.timestamp() * 1000
    assert first["trip_attributes"]["requested_time"] == begin.timestamp() * 1000 - 520_000
    assert 36.7 < first["start_location"]["lat"] < 37.0
    assert 116.9 < first["start_location"]["lng"] < 117.2


def test_every_event_of_a_trip_names_it(found: dict) -> None:
    first = found["trips"]["trips"][0]["trip_id"]
    named = [e["event_types"][0] for e in found["events/historical"]["events"] if first in e.get("trip_ids", ())]
    assert named == ["reservation_start", "reservation_stop", "trip_start", "order_drop_off", "trip_end"]


def test_ids_follow_from_the_seed_alone(run: Path, city: Path, found: dict, tmp_path: Path) -> None:
    assert mds.export(run) == found
    again = mds.export(run, date="2026-03-04")
    assert [t["trip_id"] for t in again["trips"]["trips"]] == [t["trip_id"] for t in found["trips"]["trips"]]
    other = run_folder(tmp_path / "other", city, tour, **DELIVERY)
    stamp = json.loads((other / "stamp.json").read_text())
    (other / "stamp.json").write_text(json.dumps({**stamp, "seed": 8}))
    assert mds.export(other)["vehicles"]["vehicles"][0]["device_id"] != found["vehicles"]["vehicles"][0]["device_id"]


def test_files_lie_as_the_endpoints_are_asked_for(found: dict, tmp_path: Path) -> None:
    files = {str(f.relative_to(tmp_path)) for f in mds.write(found, tmp_path)}
    hour = "2026-01-07T00.json"  # 08:00 to 09:00 at UTC+8
    assert files == {"vehicles.json", "vehicles/status.json", f"trips/{hour}", f"events/historical/{hour}"}
    assert json.loads((tmp_path / "trips" / hour).read_text())["trips"] == found["trips"]["trips"]


def test_a_robot_that_breaks_down_ends_its_trip_and_goes_out_of_service(city: Path, tmp_path: Path) -> None:
    def facts(log: Log) -> None:
        robot = RobotLog(log)
        robot.load(T, 1)
        robot.depart(T + 20)
        log.add(events.UnitBroke, t_s=T + 100, unit=ROBOT, cause="wear", road=3)
        log.add(events.OrderTransferred, t_s=T + 900, order=1, unit=ROBOT, place="d")
        log.add(events.UnitRepaired, t_s=T + 900, unit=ROBOT, waited_s=800)

    answers = mds.export(run_folder(tmp_path, city, facts, **DELIVERY))
    assert story(answers)[3:] == [
        ("on_trip", "trip_start"),
        ("stopped", "trip_pause"),
        ("available", "provider_cancellation"),
        ("non_operational", "service_end"),
        ("available", "service_start"),
    ]
    assert [t["duration"] for t in answers["trips"]["trips"]] == [80]


def test_an_order_that_two_robots_tried_to_bring_is_two_trips(city: Path, tmp_path: Path) -> None:
    def facts(log: Log) -> None:
        broken, other = RobotLog(log), RobotLog(log, ROBOT + 1)
        broken.load(T, 1)
        broken.depart(T + 20)
        log.add(events.UnitBroke, t_s=T + 100, unit=ROBOT, cause="wear", road=3)
        log.add(events.OrderTransferred, t_s=T + 900, order=1, unit=ROBOT, place="d")
        other.load(T + 1100, 1)
        other.depart(T + 1120)
        other.arrive(T + 1300, CUSTOMER)
        other.hand(T + 1400, 1)

    answers = mds.export(run_folder(tmp_path, city, facts, **DELIVERY))
    ids = [t["trip_id"] for t in answers["trips"]["trips"]]
    assert len(ids) == len(set(ids)) == 2


def test_what_happened_without_a_link_is_told_when_it_is_back(city: Path, tmp_path: Path) -> None:
    def facts(log: Log) -> None:
        robot = RobotLog(log)
        robot.load(T, 1)
        robot.depart(T + 20)
        log.add(events.LinkLost, t_s=T + 50, unit=ROBOT, cause="x")
        robot.arrive(T + 200, CUSTOMER)
        robot.hand(T + 300, 1)
        log.add(events.LinkRestored, t_s=T + 400, unit=ROBOT)

    answers = mds.export(run_folder(tmp_path, city, facts, **DELIVERY))
    assert story(answers)[4:] == [
        ("non_contactable", "comms_lost"),
        ("on_trip", "comms_restored"),
        ("stopped", "order_drop_off"),
        ("available", "trip_end"),
    ]
    stamps = [e["timestamp"] for e in answers["events/historical"]["events"]]
    assert stamps[-3] - stamps[-4] == 350_000
    assert stamps[-3:] == sorted(set(stamps[-3:])), "one second, yet in order"


def test_outside_its_hours_a_robot_is_out_of_service(city: Path, tmp_path: Path) -> None:
    hours = {"delivery": {"start": "09:00", "end": "09:30"}}
    answers = mds.export(run_folder(tmp_path, city, lambda log: RobotLog(log) and None, **hours))
    assert story(answers) == [
        ("non_operational", "service_end"), ("available", "service_start"), ("non_operational", "service_end"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "field", "value", "said"),
    [
        ("trips", "trip_type", "walk", "trips[0].trip_type: is 'walk'"),
        ("trips", "distance", -1, "trips[0].distance: is -1"),
        ("trips", "duration", None, "trips[0].duration: is missing (null)"),
        ("trips", "colour", "red", "trips[0].colour: is not a field here"),
        ("trips", "device_id", "robot-1", "trips[0].device_id: is 'robot-1', not a UUID"),
        ("vehicles", "vehicle_type", "robot", "vehicles[0].vehicle_type: is 'robot'"),
        ("vehicles", "propulsion_types", [], "vehicles[0].propulsion_types: has 0 entries"),
        ("events/historical", "timestamp", 1_700_000_000, "events[0].timestamp: is 1700000000"),
        ("events/historical", "location", {"lat": 91.0, "lng": 0.0}, "events[0].location.lat: is 91.0"),
        ("events/historical", "event_types", ["trip_end"], "events[0].trip_ids: is missing"),
        ("events/historical", "vehicle_state", "on_trip", "service_start cannot lead to on_trip"),
    ],
)
def test_a_wrong_field_is_found_by_name(found: dict, where: str, field: str, value: object, said: str) -> None:
    assert problems(found) == []
    broken = copy.deepcopy(found)
    broken[where][where.partition("/")[0]][0][field] = value
    assert any(said in sentence for sentence in problems(broken)), problems(broken)


def test_a_forbidden_transition_is_found(found: dict) -> None:
    broken = copy.deepcopy(found)
    del broken["events/historical"]["events"][2]  # from reserved straight to on_trip
    assert any("on_trip cannot follow reserved" in said for said in problems(broken))


def test_each_transition_can_be_made_by_an_event_that_may_lead_there() -> None:
    """The two published tables agree, but for order_drop_off, which the page lets lead to available too."""
    assert {a for a, _ in TRANSITIONS} | {b for _, b in TRANSITIONS} == set(STATES)
    odd = {way for way, types in TRANSITIONS.items() if not types & EVENT_TYPES[way[1]]}
    assert odd == {("on_trip", "available")}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FACTS), st.integers(0, 3), st.integers(0, 5)), max_size=40))
def test_whatever_the_facts_are_every_transition_is_an_allowed_one(steps: list) -> None:
    states = ("parked", "driving", "serving", "charging", "halted", "broken")
    first = Moment(0, "UnitDeployed", {})
    moments = [first]
    for fact, later, pick in steps:
        values = {"state": states[pick], "order": pick, "task": "home" if pick == 0 else "deliver", "distance_m": 10.0}
        if fact != "UnitDeployed":
            moments.append(Moment(moments[-1].t_s + later, fact, values))
    day = UnitDay(lambda t_s: t_s < 60).follow(moments)
    told = day.happenings
    for before, after in itertools.pairwise(told):
        assert set(after.types) & TRANSITIONS[before.state, after.state], (before, after)
    assert all(set(h.types) <= EVENT_TYPES[h.state] for h in told)
    assert all(r.to_s >= r.from_s for r in day.rides)
    deliveries = [r.errand for r in day.rides if r.kind == "delivery"]
    assert len(deliveries) == len(set(deliveries)), "a try is a trip once"


def test_bad_input_is_one_sentence(run: Path, city: Path, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no delivery robots to export"):
        mds.export(run_folder(tmp_path / "none", city, lambda log: None))
    with pytest.raises(ScenarioError, match=r"2026-03-02 is a monday, but the run's first day is a wednesday"):
        mds.export(run, date="2026-03-02")
    with pytest.raises(ScenarioError, match="'tomorrow' is no date; write it like 2026-03-02"):
        mds.export(run, date="tomorrow")
    with pytest.raises(ScenarioError, match="'Moon' is no time zone"):
        mds.export(run, timezone="Moon")
    with pytest.raises(ScenarioError, match="not a run folder"):
        mds.export(tmp_path)


def test_the_end_of_the_run_is_the_status(found: dict) -> None:
    (status,) = found["vehicles/status"]["vehicles_status"]
    assert status["last_event"] == found["events/historical"]["events"][-1]
    assert status["last_telemetry"]["trip_ids"] is None
    assert found["vehicles"]["last_updated"] - found["events/historical"]["events"][0]["timestamp"] == 1000 * (
        END_S - START_S
    )
