"""Indicators against values worked out by hand, and their definitions in docs/metrics.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from scenarios import kpis, load
from scenarios.readings import Memory
from twin import events
from twin.domain.ids import vehicle_number
from twin.errors import ScenarioError
from twin.log import Facts, Log
from twin.world.people.ports import BUS, CAR, MODES, WALK

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


def small_run() -> Facts:
    """Six residents on one morning that ends at 09:00.

    Residents 1–3 drive 6 km; 1 takes 10 min (as expected), 2 takes 20 min and is 6 min late, 3 is under way and
    overdue. 4 walks 1 km in 12 min, without a due time. 5 wanted a bus and was refused before the trip began.
    6 walked off and was taken out on the way.
    """
    log = Log()
    log.add(events.RunStarted, t_s=25_200, scenario="t", seed=1, city="c", traffic="meso", residents=6)
    start = np.asarray([28_000, 28_000, 28_000, 28_000, 28_000])
    log.add(
        events.TripStarted,
        t_s=start,
        resident=[1, 2, 3, 4, 6],
        trip=[1, 1, 1, 1, 1],
        mode=[CAR, CAR, CAR, WALK, WALK],
        purpose=1,
        origin=0,
        destination=1,
        vehicle=[int(vehicle_number("car", r, 1)) if r < 4 else 0 for r in (1, 2, 3, 4, 6)],
        planned_s=start,
        due_s=[28_700, 28_840, 30_000, -1, -1],
        distance_m=[6000.0, 6000.0, 6000.0, 1000.0, 1000.0],
        expected_s=[600.0, 600.0, 600.0, 720.0, 720.0],
    )
    log.add(
        events.TripEnded,
        t_s=[28_600, 29_200, 28_720],
        resident=[1, 2, 4],
        trip=1,
        mode=[CAR, CAR, WALK],
        purpose=1,
        duration_s=[600, 1200, 720],
        late_s=[-100, 360, 0],
    )
    log.add(events.TripRefused, t_s=28_100, resident=[5, 6], trip=1, mode=[BUS, WALK], reason="no bus")
    log.add(events.TripUnderWay, t_s=32_400, resident=3, trip=1, mode=CAR)
    entered = [28_000, 28_100, 28_200, 31_700, 31_900]
    log.add(events.VehicleEntered, t_s=entered, vehicle=np.arange(5), kind="car", road=0)
    log.add(events.VehicleArrived, t_s=[28_600, 29_300], vehicle=[0, 1], kind="car", duration_s=[600, 1200])
    log.add(events.VehicleTeleported, t_s=30_000, vehicle=2, kind="car")
    log.add(events.VehicleRefused, t_s=30_000, vehicle=9, kind="car", reason="no route")
    log.add(events.VehicleUnderWay, t_s=32_400, vehicle=[2, 3, 4], kind="car")
    log.add(events.VehicleRerouted, t_s=[29_000, 29_500], vehicle=2, kind="car", cause="closure", extra_s=9.0)
    log.add(events.AdviceFollowed, t_s=29_000, road=1, people=[30, 10], followed=[12, 8])
    speeds = [10.0, 20.0, float("nan")]
    log.add(events.DetectorRead, t_s=30_000, road=[1, 2, 3], count=[10, 10, 0], speed_m_s=speeds, occupancy=0.1)
    log.add(events.BusStopped, t_s=30_000, vehicle=7, place="a", line="1", boarded=[4, 5], alighted=0, aboard=4)
    log.add(events.BusMissed, t_s=30_000, resident=5, vehicle=7, place="a")
    log.add(events.HabitChanged, t_s=32_000, resident=[2, 2], mode=CAR, shift_s=300, late_s=360)
    log.add(events.RunEnded, t_s=32_400, reason="finished")
    return log.close()


BY_HAND = {
    "trips": 6,
    "arrived_share": 100 * 3 / 6,
    "under_way_share": 100 * 1 / 6,
    "refused_share": 100 * 2 / 6,
    "late_share": 100 * 2 / 3,  # of residents 1 (early), 2 (late), 3 (not there yet, overdue)
    "trip_length_km": 20 / 5,
    "person_km": 13,
    "share_walk": 40,
    "share_car": 60,
    "share_bus": 0,
    "time_walk_min": 12,
    "time_car_min": 15,
    "time_bus_min": None,
    "delay_car_min": 5,
    "car_speed_km_h": 12 / 0.5,
    "habits_changed": 1,
    "vehicles_entered": 5,
    "vehicles_refused_share": 100 / 6,
    "vehicles_under_way_share": 60,
    "vehicle_time_s": 900,
    "peak_hour_vehicles": 3,  # 07:45–08:45; the other two enter at 08:48:20 and 08:51:40
    "peak_hour_starts_h": 27_900 / 3600,
    "teleports_per_1000": 200,
    "detector_speed_km_h": 3.6 * 20 / (10 / 10 + 10 / 20),
    "vehicles_rerouted": 1,
    "advice_followed_share": 50,
    "bus_boardings": 9,
    "bus_missed_share": 10,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_values_worked_out_by_hand(name: str) -> None:
    value, expected = kpis.by_name(name)(small_run()), BY_HAND[name]
    assert value == (None if expected is None else pytest.approx(expected))


def test_every_indicator_is_worked_out_by_hand_somewhere() -> None:
    modes = {f"share_{m}" for m in MODES} | {f"time_{m}_min" for m in MODES}  # one of each kind stands for all
    here = Path(__file__).parents[1]
    tests = "".join(f.read_text(encoding="utf-8") for f in sorted(here.rglob("test_*.py")))
    missing = [k.name for k in kpis.ALL if k.name not in modes and not re.search(rf"\b{k.name}\b", tests)]
    assert not missing


def test_the_outcomes_of_trips_add_up() -> None:
    memory = Memory(small_run())
    shares = [kpis.by_name(n)(memory) or 0 for n in ("arrived_share", "under_way_share", "refused_share")]
    assert sum(shares) == pytest.approx(100)


def test_an_empty_run_has_no_values_and_no_crash() -> None:
    log = Log()
    log.add(events.RunStarted, t_s=0, scenario="t", seed=1, city="c", traffic="meso", residents=0)
    facts = log.close()
    values = {k["name"]: k["value"] for k in kpis.summary(facts)["kpis"]}
    assert values.pop("vehicles_entered") == 0
    assert set(values.values()) == {None}


def test_a_run_that_lost_its_end_can_still_be_read() -> None:
    facts = small_run()
    table = facts.table()
    cut = Facts(table=table.filter([f != "RunEnded" for f in table["fact"].to_pylist()]))
    assert kpis.late_share(cut) == kpis.late_share(facts)


def test_the_summary_is_plain_json_in_both_languages() -> None:
    summary = kpis.summary(small_run())
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    for item in summary["kpis"]:
        assert set(item) == {"name", "title", "title_zh", "unit", "better", "value"}
        assert re.search(r"[\u4e00-\u9fff]", item["title_zh"])
        assert not re.search(r"[\u4e00-\u9fff]", item["title"])


def test_every_indicator_is_defined_in_the_document_and_nothing_else_is() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|([^|]*)\|([^|]*)\|", DOCS.read_text(encoding="utf-8"), flags=re.M)
    better = {"lower": "lower", "higher": "higher", "–": "neither"}
    told: dict[str, tuple[str, str]] = {}
    for cell, units, directions in rows:  # a row may define several: one unit and direction for all, or one each
        names = re.findall(r"`(\w+)`", cell)
        each = [c.split(", ") if ", " in c else [c] * len(names) for c in (units.strip(), directions.strip())]
        for name, unit, direction in zip(names, *each, strict=True):
            assert name not in told
            told[name] = (unit, better[direction])
    assert told == {k.name: (k.unit, k.better) for k in kpis.ALL}


def test_names_are_unique_and_an_unknown_one_lists_them() -> None:
    names = [k.name for k in kpis.ALL]
    assert len(names) == len(set(names))
    with pytest.raises(KeyError, match="late_share"):
        kpis.by_name("lateness")


def test_load_takes_overrides_with_the_same_checks() -> None:
    s = load("demo", people={"residents": 1000}, weekday="sunday")
    assert s.people is not None
    assert (s.people.residents, s.people.companies, s.weekday) == (1000, 6000, "sunday")
    with pytest.raises(ScenarioError, match=r"people\.residents is 0"):
        load("demo", people={"residents": 0})
    with pytest.raises(ScenarioError, match="did you mean 'people'"):
        load("demo", peple={"residents": 5})
