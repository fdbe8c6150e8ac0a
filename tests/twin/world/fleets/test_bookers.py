"""Who books a bus, for what and when; whose draws are whose."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.twin.world.fleets.curb import curb_town
from tests.twin.world.people.made_up_city import people
from twin.dice import Dice
from twin.world.fleets.bookers import DETOUR, LEAD_S, MODES, PARTY, SHORTEST_M, Bookers, Wishes, booking_number
from twin.world.people.ports import BUS, CAR, EBIKE, PASSENGER, WALK

MORNING = 6 * 3600


@pytest.fixture(scope="module")
def model():
    made = people(curb_town(), residents=12_000)
    made.plan_day(0, False)
    return made


def stops():
    city = curb_town()
    places = city.places[city.places["kind"] == "bus_stop"]
    return places.geometry.x.to_numpy(), places.geometry.y.to_numpy()


def bookers(model, seed=1, adoption=1.0, walk_m=600.0) -> Bookers:
    return Bookers(model, Dice(seed), *stops(), walk_m, adoption)


def rows(w: Wishes) -> dict[int, tuple]:
    columns = [getattr(w, f).tolist() for f in Wishes.__dataclass_fields__]
    return {row[0]: row for row in zip(*columns, strict=True)}


def test_trips_that_are_booked(model):
    """Near a stop at both ends, long enough, not by car or bicycle, ahead of time; asked for in order of time."""
    w, t, travel = bookers(model).today(MORNING), model.trips, model.travel
    assert len(w) > 300
    plan = {(int(r), int(k)): i for i, (r, k) in enumerate(zip(t.row, t.trip, strict=True))}
    at = np.asarray([plan[key] for key in zip(w.resident.tolist(), w.trip.tolist(), strict=True)])
    assert set(t.mode[at].tolist()) <= set(MODES) == {WALK, BUS, PASSENGER}
    assert not {CAR, EBIKE} & set(MODES)
    assert (w.origin == t.origin[at]).all()
    assert (w.destination == t.destination[at]).all()
    assert (w.wanted_s == t.planned_s[at]).all()
    assert (travel.distance_m(w.origin, w.destination) >= SHORTEST_M).all()
    x, y = stops()
    for block in (w.origin, w.destination):
        away = np.hypot(travel.x_m[block][:, None] - x, travel.y_m[block][:, None] - y).min(axis=1)
        assert (away * DETOUR <= 600.0).all()
    assert (np.diff(w.ask_s) >= 0).all()
    assert (w.ask_s >= MORNING).all()
    assert (w.wanted_s - w.ask_s).min() >= LEAD_S[0]
    assert (w.wanted_s - w.ask_s).max() <= LEAD_S[1]


def test_how_long_ahead_is_even_and_parties_follow_their_table(model):
    w = bookers(model).today(0)
    lead, n = w.wanted_s - w.ask_s, len(w)
    free = w.ask_s > 0
    a, b = LEAD_S
    assert lead[free].mean() == pytest.approx((a + b) / 2, abs=4 * (b - a) / np.sqrt(12 * free.sum()))
    assert lead[free].std() == pytest.approx((b - a) / np.sqrt(12), rel=0.05)
    for k, p in enumerate(PARTY):
        assert np.sum(w.party == k + 1) == pytest.approx(n * p, abs=4 * np.sqrt(n * p * (1 - p)))
    assert set(w.party.tolist()) == {1, 2, 3}


def test_the_share_who_use_the_app(model):
    """Binomial over residents; and whoever books with few users books the same with many."""
    uses = bookers(model, adoption=0.3)._uses_app
    assert uses.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / uses.size))
    few, many = (rows(bookers(model, adoption=p).today(MORNING)) for p in (0.2, 0.6))
    assert few.items() <= many.items()
    assert len(many) > 2 * len(few)
    assert len(bookers(model, adoption=0.0).today(MORNING)) == 0


def test_one_more_resident_changes_nobody_elses_bookings(model):
    """Without the last resident, the rest wish for what they wished for."""
    t, n = model.trips, model.population.residents
    w = rows(bookers(model).today(MORNING))
    last = max(row[1] for row in w.values())
    keep = t.row != last
    trips = SimpleNamespace(**{f: getattr(t, f)[keep] for f in ("row", "trip", "origin", "destination", "mode",
                                                                  "planned_s", "due_s")})  # fmt: skip
    fewer = SimpleNamespace(trips=trips, travel=model.travel, population=SimpleNamespace(residents=min(last, n)))
    assert rows(bookers(fewer).today(MORNING)) == {k: v for k, v in w.items() if v[1] != last}


def test_one_more_stop_takes_nobody_away(model):
    x, y = stops()
    fewer = Bookers(model, Dice(1), x[:6], y[:6], 600.0, 0.5).today(MORNING)
    all_ = bookers(model, adoption=0.5).today(MORNING)
    assert rows(fewer).items() <= rows(all_).items()
    assert len(all_) > len(fewer) > 0


def test_a_booking_number_is_of_one_trip():
    resident, trip = np.meshgrid(np.arange(300), np.arange(999))
    number = booking_number(resident.ravel(), trip.ravel())
    assert np.unique(number).size == number.size


def test_nobody_books_a_trip_that_begins_at_once(model):
    begin = 8 * 3600
    w = bookers(model).today(begin)
    assert w.wanted_s.min() >= begin + LEAD_S[0]
    assert w.ask_s.min() == begin  # some have decided before
