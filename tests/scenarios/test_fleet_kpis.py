"""Indicators of the fleets against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios import kpis
from scenarios.costs import all_at_worst, cost, courier_pace, load_prices, quantities, saving, tornado, verdict
from twin import events
from twin.domain.ids import unit_number
from twin.errors import ScenarioError
from twin.log import Facts, Log

BUS_1, ROBOT_1, SWEEPER_1 = (int(unit_number(f, 1)) for f in ("shuttle", "robot", "sweeper"))


def fleet_run(fleet: str = "robot", model: str = "robot") -> Facts:
    """Five bookings (2 served, 1 refused, 1 missed, 1 withdrawn), four orders (2 delivered, 1 within the hour,
    1 refused, 1 open), one road swept, one violation found twice.
    """
    log = Log()
    log.add(events.RunStarted, t_s=0, scenario="t", seed=1, city="c", traffic="meso", residents=0)
    unit = int(unit_number(fleet, 1))
    log.add(
        events.UnitDeployed, t_s=0, unit=[BUS_1, unit, SWEEPER_1], fleet=np.asarray(["shuttle", fleet, "sweeper"]),
        model=np.asarray(["minibus", model, "sweeper"]), road=0, pos_m=0.0, capacity=8, battery=1.0,
    )  # fmt: skip
    log.add(
        events.UnitArrived, t_s=900, unit=[BUS_1, BUS_1, unit], vehicle=1, task="x", road=0,
        distance_m=[3000.0, 1000.0, 5000.0], late_s=0,
    )  # fmt: skip
    b = [1, 2, 3, 4, 5]
    log.add(events.BookingMade, t_s=10, booking=b, resident=b, origin=0, destination=1, wanted_s=600, party=1)
    log.add(
        events.BookingAnswered, t_s=20, booking=b, resident=b, accepted=[True, True, False, True, True], reason="",
        place="a", to_place="b", promised_s=600, promised_arrival_s=1200,
    )  # fmt: skip
    log.add(
        events.PassengerBoarded, t_s=600, booking=[1, 2], resident=[1, 2], unit=BUS_1, place="a", wait_s=[60, 180],
        late_s=0,
    )  # fmt: skip
    log.add(
        events.PassengerAlighted, t_s=900, booking=[1, 2], resident=[1, 2], unit=BUS_1, place="b", ride_s=[300, 600],
        direct_s=[300, 300], late_s=0,
    )  # fmt: skip
    log.add(events.PassengerMissed, t_s=950, booking=4, resident=4, reason="came late")
    log.add(events.BookingWithdrawn, t_s=950, booking=5, resident=5, who="resident", reason="x")
    log.add(
        events.ShuttleStopped, t_s=[600, 900], unit=BUS_1, place="a", error_m=[-0.2, 0.2], gap_m=0.1, boarded=0,
        alighted=0, aboard=[2, 0], dwell_s=20,
    )  # fmt: skip
    log.add(events.TakeOverBegan, t_s=700, unit=BUS_1, cause="rain", road=0, reaction_s=2.0)
    log.add(events.ServiceDay, t_s=0, fleet=fleet, units=1, operators=1 if fleet == "robot" else 0, duty_h=10.0)
    o = [1, 2, 3, 4]
    log.add(events.OrderPlaced, t_s=0, order=o, customer=o, destination=0, size=5, ready_s=60, due_s=3600)
    log.add(events.OrderAnswered, t_s=1, order=o, accepted=[True, True, False, True], reason="", promised_s=900)
    log.add(
        events.OrderDelivered, t_s=[1800, 5400], order=[1, 2], unit=unit, to="person", duration_s=[1800, 5400],
        late_s=[0, 1800],
    )  # fmt: skip
    log.add(events.HandOverFailed, t_s=3000, order=2, unit=unit, reason="nobody there", waited_s=300)
    log.add(events.OrderOpen, t_s=6000, order=4, where="depot")
    log.add(events.UnitCharged, t_s=5000, unit=unit, place="d", energy_wh=2000.0, duration_s=600, waited_s=0)
    log.add(
        events.CleanlinessMeasured, t_s=[900, 1800], area="x", cleanliness=[0.8, 0.6], clean_share=[1.0, 0.5],
        litter_g_m=1.0, dust_g_m=1.0,
    )  # fmt: skip
    log.add(events.RoadSwept, t_s=1000, unit=SWEEPER_1, road=3, litter_g=5.0, dust_g=5.0)
    log.add(events.ViolationBegan, t_s=100, unit=unit, violation="speeding", road=0, cause="fault")
    log.add(events.ViolationFound, t_s=[110, 120], unit=unit, violation="speeding", since_s=100, case="c")
    log.add(events.TelemetryGathered, t_s=100, units=3, lost=0, late=0, wrong=0)
    log.add(events.RunEnded, t_s=6000, reason="finished")
    return log.close()


BY_HAND = {
    "shuttle_bookings": 5,
    "shuttle_served_share": 40,
    "shuttle_refused_share": 20,
    "shuttle_missed_share": 20,
    "shuttle_wait_min": 2,
    "shuttle_wait_p95_min": (60 + 0.95 * 120) / 60,
    "shuttle_wish_min": 0,  # both boarded at the second they wished to leave
    "shuttle_detour": 900 / 600,
    "shuttle_takeovers_100km": 100 / 4,
    "shuttle_stop_error_p95_m": 0.2,
    "shuttle_aboard": 1,
    "parcels_ordered": 4,
    "delivery_within_hour": 25,
    "parcels_delivered_share": 50,
    "parcels_refused_share": 25,
    "parcels_undelivered_share": 25,
    "parcel_time_min": 60,
    "parcel_no_show_share": 100 / 3,
    "parcel_km": 2.5,
    "parcel_cost_cny": None,  # see test_the_cost_of_a_parcel
    "cleanliness": 70,
    "clean_share": 75,
    "roads_swept": 1,
    "violations": 1,
    "violations_found": 2,
}


@pytest.mark.parametrize("name", [n for n in BY_HAND if n != "parcel_cost_cny"])
def test_fleet_values_worked_out_by_hand(name: str) -> None:
    assert kpis.by_name(name)(fleet_run()) == pytest.approx(BY_HAND[name])


def test_the_cost_of_a_parcel() -> None:
    p = {name: price.value for name, price in load_prices().items()}
    q = quantities(fleet_run())
    assert (q.robots, q.operators, q.duty_h, q.km, q.delivered, q.within_hour, q.attempts) == (1, 1, 10, 5, 2, 1, 3)
    day = (
        p["robot_price"] / p["robot_life"] / 365
        + p["robot_software"] * 12 / 365
        + (p["robot_price"] * p["robot_upkeep"] + p["robot_insurance"]) / 365
        + p["robot_bay"] * p["rent"] * 12 / 365
    )
    hourly = p["on_costs"] / p["paid_hours"]
    expected = (
        day + 10 * p["operator_wage"] * hourly + 3 * p["load_time"] / 3600 * p["loader_wage"] * hourly + 2 * p["energy"]
    )
    assert kpis.by_name("parcel_cost_cny")(fleet_run()) == pytest.approx(expected / 2)


def test_the_tornado_says_on_what_the_saving_hangs() -> None:
    prices = load_prices()
    robots, couriers = quantities(fleet_run()), quantities(fleet_run("courier", "trike"))
    assert (couriers.robots, couriers.trikes, couriers.operators) == (0, 1, 0)
    base = saving(robots, couriers, prices)
    assert base == pytest.approx(1 - cost(robots, prices).per_parcel / cost(couriers, prices).per_parcel)
    bars = tornado(robots, couriers, prices)
    assert [b.swing for b in bars] == sorted((b.swing for b in bars), reverse=True)
    by_name = {b.price.name: b for b in bars}
    assert by_name["courier_wage"].at_high > by_name["courier_wage"].at_low  # dear couriers make robots look good
    assert by_name["operator_wage"].at_high < by_name["operator_wage"].at_low
    assert by_name["van_price"].swing == 0  # there is no van in this run
    assert "is not reached" in verdict(0.1, [])
    assert "hangs on courier_wage" in verdict(base, [by_name["courier_wage"]], target=base + 1e-9)


def test_how_bad_the_saving_can_get_and_how_fast_couriers_would_have_to_be() -> None:
    prices = load_prices()
    robots, couriers = quantities(fleet_run()), quantities(fleet_run("courier", "trike"))
    bars = tornado(robots, couriers, prices)
    worst = all_at_worst(robots, couriers, prices)
    assert worst <= min(min(b.at_low, b.at_high) for b in bars), "worse than any price alone"
    pace, needed = courier_pace(robots, couriers, prices, target=0.3)
    assert pace == pytest.approx(couriers.delivered / couriers.duty_h)  # one courier
    # F24: 1 − ours ÷ (theirs × pace ÷ needed) = 0.3
    ours, theirs = cost(robots, prices).per_parcel, cost(couriers, prices).per_parcel
    assert 1 - ours / (theirs * pace / needed) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("robot_price: {value: 1}", "prices missing or unknown: courier_breaks"),
        ("[1, 2]", "a table of prices is expected"),
        ("a: [", "is not YAML"),
    ],
)
def test_bad_prices_are_one_sentence(tmp_path, text: str, words: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=words):
        load_prices(file)


def test_a_price_below_zero_is_named(tmp_path) -> None:
    import re

    from scenarios.costs import DEFAULT_PRICES

    file = tmp_path / "prices.yaml"
    whole = DEFAULT_PRICES.read_text(encoding="utf-8")
    file.write_text(re.sub(r"energy:(\s+)\{value: 0.8", r"energy:\1{value: -1", whole), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"energy\.value: -1 is not a number of 0 or more"):
        load_prices(file)
