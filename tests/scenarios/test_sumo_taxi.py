"""The bookings of a run served by SUMO's taxi dispatch, as a baseline of the buses."""

from __future__ import annotations

import numpy as np
import pytest

from geo.city import City
from scenarios import load
from scenarios.baselines.sumo_taxi import Rides, taxi_rides
from scenarios.kpis import by_name
from tests.scenarios.exports_town import END_S, START_S, run_folder, save_town
from twin import events
from twin.errors import ScenarioError
from twin.log import Facts
from twin.run_folder import prepare, read_stamp
from twin.simulation import run


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Three quarters of an hour of the shipped line, the few people who are there all booking: (run folder, rides)."""
    folder = prepare(tmp_path_factory.mktemp("taxi") / "run")
    scenario = load(
        "l4_bus", start="07:00", end="07:45", people={"share": 0.03}, traffic={"background": 0.0, "fcd_period_s": 0},
        bus={"adoption": 1.0}, supervision=None,
    )  # fmt: skip
    run(scenario, 1, folder)
    stamp = read_stamp(folder)
    return folder, taxi_rides(folder, City.load(stamp["city_dir"]), stamp)


def test_every_booking_is_a_row(served):
    folder, rides = served
    made = Facts.read(folder).frame("BookingMade")
    assert len(made) > 20
    assert sorted(rides.frame["booking"]) == sorted(made["booking"])
    party = made.set_index("booking")["party"]
    assert (rides.frame["party"] == party[rides.frame["booking"]].to_numpy()).all()


def test_who_is_served_has_waited_and_has_ridden(served):
    """Waits count from being able to be at the stop; a ride is about the direct one or longer, and ends in the run."""
    folder, rides = served
    stamp = read_stamp(folder)
    done = rides.frame[rides.frame["served"]]
    assert 3 <= len(done) <= len(rides.frame)
    assert (done["wait_s"] >= 0).all()
    assert (done["ride_s"] >= 0.75 * done["direct_s"]).all()  # the direct one holds mean waits at signals
    assert rides.detour >= 0.9
    there = done["ready_s"] + done["wait_s"] + done["ride_s"]
    assert (there <= stamp["end_s"]).all()
    assert (done["ready_s"] >= stamp["start_s"]).all()
    rest = rides.frame[~rides.frame["served"]]
    assert rest["ride_s"].isna().all()
    assert rides.served_share == len(done) / len(rides.frame)
    assert rides.wait_s == pytest.approx(done["wait_s"].mean())
    late = rides.frame["ready_s"] > stamp["end_s"]
    assert not rides.frame.loc[late, "served"].any()


def test_who_would_get_off_where_they_got_on_is_not_served(served):
    _, rides = served
    same = rides.frame["on"] == rides.frame["off"]
    assert not rides.frame.loc[same, "served"].any()
    assert (rides.frame.loc[same, "direct_s"] == 0).all()


def test_both_ways_of_running_speak_of_the_same_direct_ride(served):
    """Where the run's desk chose the same stops, the direct ride is the same figure."""
    folder, rides = served
    facts = Facts.read(folder)
    got_off = facts.frame("PassengerAlighted").set_index("booking")["direct_s"]
    both = rides.frame.set_index("booking")["direct_s"].reindex(got_off.index)
    same = np.abs(both - got_off) <= 1
    assert same.any()
    assert by_name("shuttle_bookings")(facts) == len(rides.frame)


def test_a_run_without_bookings_is_one_sentence(tmp_path):
    city = save_town(tmp_path / "city")

    def facts(log):
        log.add(events.WeatherChanged, t_s=START_S, weather="clear", rain_mm_h=0.0, speed_factor=1.0)

    for k, part in enumerate(({}, {"bus": {"line": "109", "units": 2, "seats": 8}})):
        folder = run_folder(tmp_path / f"run{k}", city, facts, **part)
        with pytest.raises(ScenarioError) as error:
            taxi_rides(folder, City.load(city), read_stamp(folder))
        assert str(error.value) == f"{folder}: this run has no bookings of autonomous buses"
    assert END_S > START_S


def test_nobody_at_all_has_no_mean():
    import pandas as pd

    none = Rides(pd.DataFrame({"served": [], "wait_s": [], "ride_s": [], "direct_s": []}))
    assert np.isnan(none.served_share)
