"""Handing over: who is there, how long it takes, what a locker holds – against the laws behind it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.world.fleets.curb import curb_town, ints
from tests.twin.world.people.made_up_city import people
from twin.dice import Dice
from twin.world.fleets.handover import AT_HOME, OPENS, SERVICES, Recipients
from twin.world.fleets.lockers import COLLECTED_MEAN_S, LOCKER_SLOTS, Lockers
from twin.world.fleets.orders import Stops, blocks_around

ROBOT, COURIER = SERVICES["robot"], SERVICES["courier"]
NOON = 12 * 3600
N = 2500


def single(service, now_s: int = NOON, wait_s: int = 300, customer: int = 0, n: int = N):
    """``n`` hand-overs of one order each."""
    r = Recipients(Dice(1), None)
    return [
        r.hand_over(ints(k), ints(customer if customer < 0 else k), ints(0), now_s, wait_s, service) for k in range(n)
    ]


def test_a_robot_succeeds_if_somebody_is_there_opens_and_comes_in_time():
    """P = home × opens × (1 - e^(-wait/mean)); who fails costs the whole wait, who comes the exponential time."""
    wait, mean = 150, ROBOT.come_mean_s
    out = single(ROBOT, wait_s=wait)
    done = np.asarray([o.done[0] for o in out])
    p = AT_HOME * OPENS * (1 - np.exp(-wait / mean))
    assert done.mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / N))
    spent = np.asarray([o.duration_s for o in out])
    assert (spent[~done] == wait).all()
    # mean of an exponential cut off at w: m - w / (e^(w/m) - 1)
    come = spent[done] - ROBOT.each_s
    assert come.mean() == pytest.approx(mean - wait / np.expm1(wait / mean), abs=4 * mean / np.sqrt(done.sum()))
    assert come.max() <= wait
    why = {o.reason[0] for o in out}
    assert why == {"", "nobody there", "did not open", "came too late"}
    nobody = np.mean([o.reason[0] == "nobody there" for o in out])
    assert nobody == pytest.approx(1 - AT_HOME, abs=4 * np.sqrt(AT_HOME * (1 - AT_HOME) / N))


def test_a_courier_walks_from_door_to_door():
    """Sum of the ways, a wait at each door that stays shut; nobody comes too late, as nobody has to come."""
    out = single(COURIER, wait_s=60)
    done = np.asarray([o.done[0] for o in out])
    p = AT_HOME * OPENS
    assert done.mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / N))
    spent = np.asarray([o.duration_s for o in out]) - np.where(done, COURIER.each_s, 60)
    assert spent.mean() == pytest.approx(COURIER.come_mean_s, abs=4 * COURIER.come_mean_s / np.sqrt(N))
    r = Recipients(Dice(1), None)
    apart = [r.hand_over(ints(k), ints(k), ints(0), NOON, 60, COURIER).duration_s for k in range(5)]
    together = Recipients(Dice(1), None).hand_over(np.arange(5), np.arange(5), np.zeros(5, int), NOON, 60, COURIER)
    assert together.duration_s == sum(apart)


def test_people_come_down_to_a_robot_in_parallel():
    """All are called at once: the last who comes counts, and each hand-over takes its own time."""
    r = Recipients(Dice(3), None)
    alone = [r.hand_over(ints(k), ints(k), ints(0), NOON, 900, ROBOT) for k in range(30)]
    good = np.asarray([k for k, o in enumerate(alone) if o.done[0]])[:6]
    last = max(alone[k].duration_s for k in good.tolist()) - ROBOT.each_s
    both = r.hand_over(good, good, np.zeros(good.size, int), NOON, 900, ROBOT)
    assert both.done.all()
    assert both.duration_s == last + good.size * ROBOT.each_s


def test_who_has_ordered_twice_comes_once():
    r = Recipients(Dice(1), None)
    outcomes = [r.hand_over(ints(k, 5000 + k), ints(k, k), ints(0, 0), NOON, 300, ROBOT) for k in range(300)]
    assert {tuple(o.done.tolist()) for o in outcomes} == {(True, True), (False, False)}
    assert all(o.reason[0] == o.reason[1] for o in outcomes)
    one = [r.hand_over(ints(k), ints(k), ints(0), NOON, 300, ROBOT) for k in range(300)]
    assert [o.duration_s + ROBOT.each_s * int(o.done[0]) for o in one] == [o.duration_s for o in outcomes]


def test_others_at_the_stop_change_nobodys_luck():
    r = Recipients(Dice(1), None)
    alone = [bool(r.hand_over(ints(k), ints(k), ints(0), NOON, 300, ROBOT).done[0]) for k in range(20)]
    all_ = r.hand_over(np.arange(20), np.arange(20), np.zeros(20, int), NOON, 300, ROBOT)
    assert all_.done.tolist() == alone
    back = r.hand_over(np.arange(20)[::-1], np.arange(20)[::-1], np.zeros(20, int), NOON, 300, ROBOT)
    assert back.done.tolist() == alone[::-1]
    assert back.duration_s == all_.duration_s


def test_a_second_try_is_another_draw_and_who_is_out_stays_out_for_the_hour():
    r = Recipients(Dice(1), None)
    k = np.arange(500)
    first, later, next_hour = (
        np.asarray(r.hand_over(k, k, np.full(500, a), t, 300, ROBOT).reason)
        for a, t in ((0, NOON), (1, NOON + 900), (1, NOON + 3600))
    )
    assert ((first == "nobody there") == (later == "nobody there")).all()
    assert (first == "did not open").sum() > (later[first == "did not open"] == "did not open").sum()
    was_out = first == "nobody there"
    assert np.mean(next_hour[was_out] != "nobody there") == pytest.approx(AT_HOME, abs=0.15)


def test_shops_take_parcels_in_their_hours():
    hours = {NOON: True, 8 * 3600: True, 8 * 3600 - 1: False, 22 * 3600: False, 3 * 86_400 + NOON: True}
    for t, open_ in hours.items():
        why = {o.reason[0] for o in single(ROBOT, t, customer=-7, n=60)}
        assert ("nobody there" in why) != open_
        assert ("" in why) == open_


def test_with_people_somebody_of_the_household_must_be_at_home():
    model = people(curb_town(), residents=800)
    model.plan_day(0, False)
    where = model.whereabouts()
    home = model.residents.home
    household = model.residents.household
    somebody = np.isin(household, np.unique(household[where == home]))
    away = where.copy()
    gone = household % 2 == 0
    away[gone] = -1
    model._agenda.where[: away.size] = away  # everybody of every other household is out
    r = Recipients(Dice(1), model)
    customer = np.flatnonzero(somebody)
    out = r.hand_over(customer, customer, np.zeros(customer.size, int), NOON, 10**6, ROBOT)
    assert ((np.asarray(out.reason) == "nobody there") == gone[customer]).all()
    assert out.done[~gone[customer]].mean() == pytest.approx(OPENS, abs=0.05)


# -- lockers -----------------------------------------------------------------------------------------------


def lockers(slots: int = 5, seed: int = 1) -> Lockers:
    zero = np.zeros(2)
    return Lockers(Dice(seed), ("a", "b"), ints(slots, slots), ints(0, 1), zero, zero, zero)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 30_000)), max_size=12))
def test_a_locker_never_holds_more_than_its_slots(tries):
    """What goes in fits in; in the order named; what is refused is refused because it is full."""
    made, now, number = lockers(), NOON, 0
    for row, n, wait in tries:
        now += wait
        room = made.room(row, now)
        out = made.put(row, np.arange(number, number + n), now, ROBOT)
        number += n
        taken = int(out.done.sum())
        assert taken == min(n, room)
        assert out.done.tolist() == [True] * taken + [False] * (n - taken)
        assert out.reason == ("",) * taken + ("locker full",) * (n - taken)
        assert made.room(row, now) == room - taken
        assert out.duration_s == ROBOT.locker_s + taken * ROBOT.locker_each_s
        assert all(0 <= made.room(k, now) <= 5 for k in range(2))


def test_parcels_are_taken_out_of_lockers_after_an_exponential_time():
    """Of n parcels, n e^(-t/m) are left after t."""
    n, made = 2000, lockers(2000)
    out = made.put(0, np.arange(n), NOON, ROBOT)
    assert made.room(1, NOON) == n
    for t in (3600, 5 * 3600, 10 * 3600):
        p = np.exp(-t / COLLECTED_MEAN_S)
        left = n - made.room(0, NOON + out.duration_s + t)
        assert left == pytest.approx(n * p, abs=4 * np.sqrt(n * p * (1 - p)))


def test_a_parcel_that_was_not_left_frees_its_slot():
    made = lockers(2)
    made.put(0, ints(1, 2), NOON, ROBOT)
    made.take_back(0, 1)
    made.take_back(0, 99)
    assert made.room(0, NOON) == 1


def test_lockers_of_the_town_are_told_to_the_desk():
    city = curb_town()
    all_ = Lockers.around(city, Dice(1), Stops.of(city, blocks_around(city, (), 0.0)))
    assert all_.place == ("market-in", "market-by", "market-far")
    near = Lockers.around(city, Dice(2), Stops.of(city, ints(60, 61)))
    assert near.place == ("market-in", "market-by")
    (told,) = near.message(5)
    assert (told.kind, told.place, told.size.tolist()) == ("locker", ("market-in", "market-by"), [LOCKER_SLOTS] * 2)
    assert told.road.tolist() == [int(city.place(p)["road"]) for p in told.place]
    assert [near.row(p) for p in ("market-by", "nowhere")] == [1, -1]
    none = Lockers.around(city, Dice(3), Stops.of(city, ints(100)))
    assert none.message(5) == []
