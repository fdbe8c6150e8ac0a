"""Fleets on the page: one track a unit, accounts that add up to the second, and nothing at all without fleets."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.fleet_sample import BUS, ROBOT, ROBOT_2, Ground, at
from tests.viz.test_map import parts
from twin.domain.ids import unit_vehicle
from twin.domain.mobility import STATES
from viz import encode, fcd, fleet, layers, trips
from viz import map as viz_map
from viz.account import LABELS, Account, Booking, Order, booking_parts, leg_parts, order_parts, total
from viz.errands import loaded_together, loading_s, marks
from viz.fleet_happenings import fleet_happenings
from viz.fleet_series import fleet_series, orders_over_time
from viz.pack import unwide, unzigzag
from viz.text import texts
from viz.text_fleets import SAID, said
from viz.units import Leg, Track, tracks, with_ends


@pytest.fixture(scope="module")
def run(fleet_dir):
    return viz_map._open(fleet_dir)


@pytest.fixture(scope="module")
def found(run):
    return fleet.read(fleet.facts_of(run.folder / "events.parquet"), run.end_s)


def plain(account):
    return {(p.label, p.cause): p.seconds for p in account}


# -- tracks ----------------------------------------------------------------------------------------------


def test_a_unit_is_one_track_of_states(found):
    robot = found.units[ROBOT]
    assert [robot.spans(at(t), at(t) + 1)[0][2:] for t in (0, 140, 280, 330, 400, 600)] == [
        ("parked", ""), ("serving", ""), ("driving", ""), ("halted", "rain"), ("driving", ""), ("serving", ""),
    ]  # fmt: skip
    assert found.units[ROBOT_2].spans(at(900), at(901)) == [(at(900), at(901), "broken", "wear")]
    assert found.present == ["shuttle", "robot", "sweeper"]
    assert [leg.late_s for leg in robot.legs] == [80, 0, 40]


def test_a_leg_that_is_sent_elsewhere_ends_with_the_next_departure(run):
    facts = Fake({
        "UnitDeployed": [{"t_s": 0, "unit": 1, "fleet": "robot", "model": "", "capacity": 1, "battery": 1.0, "road": 0,
                          "pos_m": 0.0}],
        "UnitDeparted": [departure(10), departure(50), departure(200)],
        "UnitArrived": [{"t_s": 90, "unit": 1, "late_s": 5}],
        "UnitBroke": [{"t_s": 260, "unit": 1, "cause": "wear"}],
    })  # fmt: skip
    legs = tracks(facts)[1].legs
    assert [(leg.t_s, leg.end_s, leg.late_s) for leg in legs] == [(10, 50, None), (50, 90, 5), (200, 260, None)]


def departure(t_s):
    return {"t_s": t_s, "unit": 1, "vehicle": 7, "task": "go", "to_road": 0, "distance_m": 1.0, "expected_s": 30.0}


class Fake:
    """Facts from lists, for what no run would do."""

    def __init__(self, rows):
        self._rows = rows

    def table(self, fact, columns=None):
        del columns
        rows = self._rows.get(fact, [])

        class Table:
            def to_pylist(self):
                return rows

        return Table()


def test_legs_begin_and_end_exactly_where_the_unit_stands(run, found, fleet_dir):
    length = run.city.roads["length_m"].to_numpy(float)
    samples = with_ends(fcd.read(fleet_dir / "fcd.parquet", run.city), run.facts, found.units, length)
    pieces = trips.ways(samples, viz_map._plans(run), run.city)
    ground = Ground.of(run.city)
    for leg, begin, end, first, last in (
        (0, 260, 300, (ground.home, 20.0), (ground.there[1], 5.0)),
        (1, 360, 440, (ground.there[1], 5.0), (ground.away, 30.0)),
    ):
        vehicle = int(unit_vehicle(ROBOT, leg))
        road, pos, _ = encode.positions(pieces, vehicle, [at(begin), at(end)])
        assert road.tolist() == [first[0], last[0]]
        np.testing.assert_allclose(pos, [first[1], last[1]], atol=0.1)
    # each leg is one unbroken piece
    assert np.count_nonzero(np.isin(pieces.vehicle, [int(unit_vehicle(ROBOT, k)) for k in range(4)])) == 4


def test_units_are_never_thinned_out(run, found, fleet_dir):
    length = run.city.roads["length_m"].to_numpy(float)
    samples = with_ends(fcd.read(fleet_dir / "fcd.parquet", run.city), run.facts, found.units, length)
    pieces = trips.ways(samples, viz_map._plans(run), run.city)
    left = encode.thin(pieces, 64)
    assert len(left) < len(pieces)
    assert {int(unit_vehicle(ROBOT, k)) for k in range(4)} <= set(left.vehicle.tolist())


# -- accounts --------------------------------------------------------------------------------------------


def test_why_a_leg_was_late(found):
    first, second, third = found.units[ROBOT].legs
    assert plain(leg_parts(found.units[ROBOT], first)) == {("halted", "rain"): 60, ("slower", ""): 20}
    assert leg_parts(found.units[ROBOT], second) == []
    assert plain(leg_parts(found.units[ROBOT], third)) == {("slower", ""): 40}


def test_why_an_order_was_late(found):
    together = loaded_together(found.orders)
    late, early = (order_parts(found.orders[o], found.units, loading_s, together) for o in (101, 102))
    assert plain(late) == {
        ("packing", ""): 60, ("wait_unit", ""): 10, ("dock", ""): 20, ("loading", ""): 106 + 98, ("stand", ""): 24 + 2,
        ("drive", ""): 200, ("slower", ""): 60, ("halted", "rain"): 60, ("others", ""): 50,
        ("recipient", "nobody there"): 300, ("back", ""): 198, ("wait_again", ""): 92, ("hand_over", ""): 60,
    }  # fmt: skip
    order = found.orders[101]
    assert total(late) == 1340 == order.end_s - order.placed_s  # the duration that the fact tells
    assert total(late) - (order.due_s - order.placed_s) == order.late_s == 400
    assert total(early) == 430
    assert found.orders[103].status == "refused"


def test_why_a_passenger_was_late(found):
    booking = found.bookings[7]
    account = booking_parts(booking, found.units[BUS])
    assert plain(account) == {
        ("stand", ""): 20, ("boarding", ""): 20, ("stops", ""): 30, ("drive", ""): 200, ("slower", ""): 80,
    }  # fmt: skip
    assert total(account) - (booking.arrive_s - booking.pickup_s) == 50  # the lateness that the fact tells


states = st.lists(st.tuples(st.integers(1, 400), st.sampled_from(STATES)), min_size=1, max_size=20)


def made(changes):
    """A track of states that last so long each."""
    track = Track(700_001, "robot", "robot", 100)
    t = 0
    for seconds, state in changes:
        for name, value in (
            ("t_s", t), ("state", state), ("cause", "rain" if state == "halted" else ""), ("battery", 1.0), ("load", 0),
            ("road", 0), ("pos_m", 0.0),
        ):  # fmt: skip
            getattr(track, name).append(value)
        t += seconds
    return track, t


@given(states, st.integers(-500, 9000), st.integers(0, 9000))
def test_spans_fill_time_without_gap(changes, begin, long):
    spans = made(changes)[0].spans(begin, begin + long)
    assert sum(b - a for a, b, *_ in spans) == long
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    if long:
        assert (spans[0][0], spans[-1][1]) == (begin, begin + long)


@given(states, st.integers(0, 3000), st.integers(1, 3000), st.integers(-2000, 2000))
def test_parts_of_any_leg_add_up_to_its_lateness(changes, begin, long, late):
    track, _ = made(changes)
    leg = Leg(700_001, 1, "go", begin, begin + long, 0, 1.0, float(long - late), late)
    account = leg_parts(track, leg)
    assert total(account) == late
    assert {p.label for p in account} <= set(LABELS)


@given(states, st.lists(st.integers(0, 3000), min_size=8, max_size=8), st.booleans())
def test_parts_of_any_order_add_up_to_its_duration(changes, times, delivered):
    track, _ = made(changes)
    placed, ready, on, fail, off, again, leg, end = sorted(times)
    order = Order(1, 0, 0, 1, placed, ready, placed + 100, end_s=end, status="delivered" if delivered else "open")
    order.loads = [(on, 700_001, "depot"), (again, 700_001, "depot")]
    order.leaves, order.fails = [(off, "returned", "depot")], [(fail, 700_001, "nobody there")]
    track.legs = [Leg(700_001, 1, "go", on, fail, 0, 1.0, 10.0, fail - on - 10),
                  Leg(700_001, 2, "go", again, leg, 0, 1.0, 5.0, None)]  # fmt: skip
    assert total(order_parts(order, {700_001: track}, loading_s, {})) == end - placed
    assert total(order_parts(order, {}, loading_s, {})) == end - placed  # also of a unit nobody knows


@given(states, st.lists(st.integers(0, 3000), min_size=2, max_size=2, unique=True), st.integers(0, 3000))
def test_parts_of_any_ride_add_up(changes, times, promised):
    on, off = sorted(times)
    booking = Booking(1, 1, 0, 0, 1, 0, 0, "served", unit=1, pickup_s=promised, boarded_s=on, end_s=off)
    assert total(booking_parts(booking, made(changes)[0])) == off - promised
    assert total(booking_parts(booking, None)) == off - promised


def test_what_no_fact_explains_says_so():
    account = Account()
    account.spend(None, 100, 160, {})
    assert plain(account.parts) == {("unexplained", ""): 60}


# -- what else the page gets -----------------------------------------------------------------------------


def test_happenings_hold_until_they_are_over(run):
    items = {h["kind"]: h for h in fleet_happenings(run.facts, run.end_s, "en")}
    assert set(items) == {"broken", "link", "halt", "violation", "found", "depot", "permit"}
    assert (items["halt"]["t0"], items["halt"]["t1"], items["halt"]["unit"]) == (at(300), at(360), "robot-1")
    assert (items["violation"]["t0"], items["violation"]["t1"]) == (at(500), at(600))
    assert (items["found"]["t0"], items["found"]["since"], items["found"]["t1"]) == (at(540), at(510), at(700))
    assert items["found"]["case"] == "case/700002/1"
    assert (items["depot"]["t0"], items["depot"]["t1"]) == (at(900), at(1500))
    assert "t1" not in items["broken"]  # it was not repaired
    assert {h["what"] for h in fleet_happenings(run.facts, run.end_s, "zh") if h["kind"] == "found"} == {"超速"}


def test_charts(run, found):
    charts = {s.name: s for s in fleet_series(found, run.begin_s, run.end_s)}
    assert list(charts) == ["unit_states", "parcels", "waiting", "passengers", "cleanliness"]
    states = charts["unit_states"]
    assert (states.values.sum(axis=0) == 4).all()
    assert states.values[states.parts.index("broken"), [13, 14]].tolist() == [0, 1]  # 780 s, 840 s
    assert charts["parcels"].values[:, -1].tolist() == [3, 2]
    # both wait, both aboard, one aboard, order 101 back at the depot, out again, nothing left
    _, waiting = orders_over_time(found, np.array([at(t) for t in (100, 300, 700, 1050, 1250, 1500)]))
    assert waiting.values[0].tolist() == [2, 0, 0, 1, 0, 0]
    assert charts["passengers"].values[0, :3].tolist() == [0, 2, 0]
    np.testing.assert_allclose(charts["cleanliness"].values, [[np.nan, 70.0, 80.0]])


def test_the_container_holds_what_python_read(run, found, fleet_page_file):
    meta, streams = parts(fleet_page_file.read_text(encoding="utf-8"))["units"]

    def column(name, key):
        values = unzigzag(unwide(streams[f"{name}.{key}"]))
        return (np.cumsum(values) if meta["tables"][name][key] else values).tolist()

    assert column("orders", "order") == [101, 102, 103]
    assert column("orders", "due") == [1000, 3600, 900]
    owners = column("legs", "parts") + column("orders", "parts") + column("bookings", "parts")
    assert sum(owners) == len(column("parts", "seconds"))
    assert sum(column("parts", "seconds")) == 80 + 0 + 40 + 80 + 1340 + 430 + 350
    assert column("changes", "state")[:1] == [STATES.index("parked")]
    assert len(column("changes", "t")) == sum(len(t.t_s) for t in found.units.values())
    assert column("swept", "t") == [600, 900]
    assert set(meta["roles"]) == {"depot", "stop"}


def test_every_mark_label_state_and_role_has_words_and_a_shape(run):
    words = texts("en")
    for prefix, names in (
        ("part_", LABELS), ("mark_", fleet.MARK_NAMES), ("unit_state_", STATES), ("role_", fleet.ROLES),
        ("status_", fleet.ORDER_STATES), ("status_", fleet.BOOKING_STATES),
    ):  # fmt: skip
        assert [n for n in names if prefix + n not in words] == []
    assert set(layers.UNIT_SHAPES) == set(STATES) == set(layers.PALETTE["state"])
    assert len({shape for shape, _ in layers.UNIT_SHAPES.values()}) == len(STATES)  # told by shape alone
    assert set(layers.ROLE_ICONS) == set(fleet.ROLES)
    assert {what for items in marks(run.facts).values() for _, what, *_ in items} <= set(fleet.MARK_NAMES)


def test_what_facts_say_is_said_in_chinese():
    assert said("stopped by the platform: speeding", "zh") == "被平台叫停：超速"
    assert said("something new", "zh") == "something new"
    assert said("rain", "en") == "rain"
    assert all(re.search(r"[\u4e00-\u9fffL]", words) for words in SAID.values())


# -- nothing ---------------------------------------------------------------------------------------------


def test_a_run_without_fleets_has_nothing_of_them(run_dir, page_file):
    assert fleet.facts_of(run_dir / "events.parquet") is None
    got = parts(page_file.read_text(encoding="utf-8"))
    assert "units" not in got
    about = got["city"][0]["about"]
    assert about["switches"] == json.loads(json.dumps(layers.SWITCHES))
    assert "unit_shapes" not in about
    assert [s["name"] for s in about["series"]] == ["on_the_road", "trips_begun", "mean_speed", "delay", "late_share"]


def test_a_log_from_before_there_were_fleets(run_dir, tmp_path):
    table = pq.read_table(run_dir / "events.parquet")
    pq.write_table(table.select([c for c in table.column_names if c != "unit"]), tmp_path / "old.parquet")
    assert fleet.facts_of(tmp_path / "old.parquet") is None


def test_same_run_same_page_with_fleets(fleet_dir, fleet_page_file, tmp_path):
    again = viz_map.build(fleet_dir, tmp_path / "again.html")
    assert again.read_bytes() == fleet_page_file.read_bytes()
