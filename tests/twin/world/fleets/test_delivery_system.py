"""The truth of parcels: what commands do, what they may not do, and that nothing is ever lost."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.properties import ALL
from tests.twin.world.fleets.curb import Curb, ints, make_curb
from twin.domain.delivery import (
    AnswerOrder,
    DeliveryRules,
    GiveUpOrder,
    HandOver,
    LoadOrders,
    OrdersPlaced,
    ReturnOrders,
)
from twin.domain.mobility import HALTED, PARKED, SERVING, DriveTo, Places
from twin.errors import ControlError, ScenarioError
from twin.world.fleets.handover import SERVICES, Outcome
from twin.world.fleets.lockers import LOCKER_M

ROBOT = SERVICES["robot"]
KINDS = ("parcels_are_conserved", "parcels_travel_in_one_unit", "loads_fit")


@pytest.fixture
def curb() -> Curb:
    """Some hours of orders, all answered and packed."""
    return packed()


def packed(units: int = 3, orders: int = 2000, **part) -> Curb:
    made = make_curb("delivery", units=units, orders_per_day=orders, **part)
    made.until(10 * 3600)
    for order in tuple(made.system.parcels.all):
        made.do(AnswerOrder(f"a/{order}", order, True, 0, ""))
    made.until(12 * 3600)
    return made


def lying(curb: Curb, depot: int = 0, n: int = 5) -> list[int]:
    """Answered, packed orders that lie at a depot."""
    ready = (
        o for o, p in curb.system.parcels.all.items()
        if p.depot == depot and p.where == "depot" and p.answered and p.ready_s <= curb.now_s
    )  # fmt: skip
    return [o for o, _ in zip(ready, range(n), strict=False)]


def unit(curb: Curb, row: int = 0) -> int:
    return int(curb.units.number[row])


def load(curb: Curb, orders: list[int], row: int = 0):
    return curb.do(LoadOrders(f"l/{row}/{curb.now_s}", unit(curb, row), ints(*orders)))


def loaded(curb: Curb, orders: list[int], row: int = 0):
    assert load(curb, orders, row) == []
    return curb.tick(60)[-1]


def hand(curb: Curb, orders: list[int], to: str = "person", place: str = "", wait_s: int = 300, row: int = 0):
    return curb.do(HandOver(f"h/{row}/{curb.now_s}", unit(curb, row), ints(*orders), to, place, wait_s))


def to_door(curb: Curb, order: int, row: int = 0) -> None:
    p = curb.system.parcels.all[order]
    curb.units.put(row, p.road, p.pos_m)


def sound(curb: Curb) -> None:
    facts = curb.facts()
    assert {k: wrong for k in KINDS if (wrong := ALL[k](facts))} == {}


# -- what the desk is told ---------------------------------------------------------------------------------


def test_the_desk_is_told_rules_lockers_and_orders():
    made = make_curb("delivery", orders_per_day=2000, promise_min=45)
    rules, lockers = made.told
    assert isinstance(rules, DeliveryRules)
    assert (rules.promise_s, rules.wait_s, rules.operators, rules.load_s) == (2700, 300, 1, ROBOT.load_s)
    assert isinstance(lockers, Places)
    made.tick(60)
    told = [m for m in made.told if isinstance(m, OrdersPlaced)]
    number = np.concatenate([m.order for m in told])
    assert np.unique(number).size == number.size > 15
    due = np.concatenate([m.due_s for m in told])
    facts = made.facts().frame("OrderPlaced").set_index("order")
    assert set(number.tolist()) == set(facts.index[facts["t_s"] < made.now_s])
    assert (facts.loc[number, "due_s"].to_numpy() == due).all()
    assert (due - facts.loc[number, "t_s"].to_numpy() == 2700).all()
    for m in told:  # each is told in the first tick after it was placed
        placed = facts.loc[m.order, "t_s"].to_numpy()
        assert ((placed >= m.t_s - 10) & (placed < m.t_s)).all()
    depots = [made.context.city.place(f"depot-{k}").geometry for k in range(2)]
    x, y = (np.concatenate([getattr(m, c) for m in told]) for c in ("x_m", "y_m"))
    away = np.stack([np.hypot(x - d.x, y - d.y) for d in depots])
    assert (np.concatenate([m.depot for m in told]) == away.argmin(axis=0)).all()


@pytest.mark.parametrize("start_s", [9 * 3600, 9 * 3600 + 7])
def test_every_order_of_the_time_is_told_once_and_midnight_loses_none(start_s):
    made = make_curb("delivery", orders_per_day=3000, days=2, start_s=23 * 3600 - 1800 + start_s % 3600)
    first_s = made.now_s
    made.until(86_400 + 8 * 3600)
    told = np.concatenate([m.order for m in made.told if isinstance(m, OrdersPlaced)])
    day = [made.system._demand.day(d, False) for d in range(2)]
    placed = np.concatenate([d.placed_s for d in day])
    number = np.concatenate([d.order for d in day])
    assert sorted(told.tolist()) == sorted(number[(placed >= first_s) & (placed < made.now_s)].tolist())
    days = made.facts().frame("ServiceDay")
    assert days["duty_h"].tolist() == pytest.approx([0.0, 15.0])  # 07:00 to 22:00


def test_an_area_without_blocks_is_one_sentence():
    with pytest.raises(ScenarioError, match=r"delivery.area: no building block within 100 m of g0"):
        make_curb("delivery", area=("g0",), radius_m=100)


# -- a tour ------------------------------------------------------------------------------------------------


def test_loading_takes_its_time_and_fills_the_unit(curb):
    orders = lying(curb)
    assert load(curb, orders) == []
    assert curb.units.state[0] == SERVING
    assert curb.units.load[0] == 0
    until_s = curb.now_s + ROBOT.load_s + round(5 * ROBOT.load_each_s)
    assert curb.until(until_s - 1) == [] or until_s % 10 == 0
    (report,) = curb.tick() if not curb.reports else curb.reports[-1:]
    assert (report.what, report.items.tolist(), report.missed.tolist()) == ("loaded", orders, [])
    litres = sum(curb.system.parcels.all[o].size for o in orders)
    assert (curb.units.state[0], curb.units.load[0]) == (PARKED, litres)
    fact = curb.facts().frame("OrderLoaded")
    assert fact["t_s"].unique().tolist() == [until_s]


def test_what_cannot_be_loaded_is_missed(curb):
    """At the other depot, not packed, not answered, given up, refused, twice, or more than fits."""
    all_ = curb.system.parcels.all
    there, elsewhere = lying(curb, 0, 6), lying(curb, 1, 1)
    unanswered = next(o for o, p in all_.items() if p.depot == 0 and not p.answered)
    late = there.pop()
    all_[late].ready_s = curb.now_s + 900
    gone = there.pop()
    curb.do(GiveUpOrder("g", gone, "test"))
    big = there.pop()
    all_[big].size = 10**6
    report = loaded(curb, [*there, *elsewhere, unanswered, late, gone, big, there[0]])
    assert report.items.tolist() == there
    assert set(report.missed.tolist()) == {*elsewhere, unanswered, late, gone, big}


def test_a_unit_is_filled_to_its_litres_and_not_beyond(curb):
    orders = lying(curb, 0, 60)
    size = [curb.system.parcels.all[o].size for o in orders]
    curb.units.capacity[0] = sum(size[:10]) + 1
    report = loaded(curb, orders)
    assert report.items.tolist()[:10] == orders[:10]
    assert curb.units.load[0] <= curb.units.capacity[0]
    assert {*report.items.tolist(), *report.missed.tolist()} == set(orders)


def test_two_units_cannot_take_the_same_parcel():
    curb = packed(units=3)
    orders = lying(curb, 0, 3)
    load(curb, orders, row=0)
    load(curb, orders, row=2)  # at home at the same depot
    by_unit = {r.unit: r for r in curb.tick(60)}
    assert by_unit[unit(curb, 0)].items.tolist() == orders
    assert by_unit[unit(curb, 2)].missed.tolist() == orders


def test_docks_are_given_in_the_order_of_asking():
    curb = make_curb("delivery", units=5, depots=("depot-0",), docks=2, orders_per_day=10)
    for row in (3, 1, 4, 0, 2):
        load(curb, [], row)
    order = []
    for _ in range(40):
        order += [r.unit % 1000 - 1 for r in curb.tick()]
        assert curb.system._jobs.at_docks(0) <= 2
    assert order == [1, 3, 0, 4, 2]  # two at a time; those of one tick by number
    span = 3 * (ROBOT.load_s + 10)
    assert curb.now_s - 9 * 3600 >= span


def test_a_depot_that_closes_sends_those_who_wait_away():
    curb = make_curb("delivery", units=3, depots=("depot-0",), docks=1, orders_per_day=10)
    for row in range(3):
        load(curb, [], row)
    curb.context.depots.shut[0] = True
    refused = curb.tick()
    assert [(r.unit, r.what, r.detail) for r in refused] == [
        (unit(curb, k), "refused", "load: the depot is closed") for k in (1, 2)
    ]
    assert curb.units.state.tolist() == [SERVING, PARKED, PARKED]
    assert [r.what for r in curb.tick(20)] == ["loaded"]  # who has begun goes on
    assert load(curb, [])[0].detail == "load: the depot is closed"


def test_a_tour_from_shelf_to_door_and_back():
    curb = packed()
    orders = lying(curb, 0, 40)
    loaded(curb, orders)
    done, missed = [], []
    for order in orders:
        to_door(curb, order)
        assert hand(curb, [order]) == []
        report = curb.tick(80)[-1]
        assert report.what == "handed"
        done += report.items.tolist()
        missed += report.missed.tolist()
    assert sorted([*done, *missed]) == sorted(orders)
    assert done
    assert missed
    curb.units.put(0, curb.units.home[0].road, curb.units.home[0].pos_m)
    assert curb.do(ReturnOrders("r", unit(curb), ints(*missed))) == []
    assert curb.tick(60)[-1].items.tolist() == missed
    assert curb.units.load[0] == 0
    again = loaded(curb, missed)
    assert again.items.tolist() == missed
    all_ = curb.system.parcels.all
    assert {all_[o].where for o in done} == {"delivered"}
    facts = curb.facts()
    delivered = facts.frame("OrderDelivered").set_index("order")
    assert (delivered["duration_s"] == delivered["t_s"] - [all_[o].placed_s for o in delivered.index]).all()
    assert (delivered["late_s"] == (delivered["t_s"] - [all_[o].due_s for o in delivered.index]).clip(lower=0)).all()
    assert set(facts.frame("HandOverFailed")["order"]) == set(missed)
    assert {ALL[k](facts) == [] for k in KINDS} == {True}


def test_what_comes_back_to_another_depot_lies_there(curb):
    (order,) = lying(curb, 0, 1)
    loaded(curb, [order])
    there = curb.context.depots.all[1]
    curb.units.put(0, there.road, there.pos_m)
    curb.do(ReturnOrders("r", unit(curb), ints(order)))
    assert curb.tick(60)[-1].what == "returned"
    assert curb.system.parcels.all[order].depot == 1
    assert loaded(curb, [order], row=1).items.tolist() == [order]


def by_locker(curb: Curb, n: int = 3) -> list[int]:
    """Orders whose doors are next to the locker "market-in"."""
    place = curb.context.city.place("market-in")
    orders = lying(curb, 0, n)
    for o in orders:
        p = curb.system.parcels.all[o]
        p.road, p.pos_m, p.x_m, p.y_m = int(place["road"]), 300.0, place["geometry"].x, place["geometry"].y
    return orders


def test_a_locker_takes_parcels_of_those_who_live_near(curb):
    orders = by_locker(curb)
    far = lying(curb, 0, 4)[3:]
    loaded(curb, [*orders, *far])
    place = curb.context.city.place("market-in")
    curb.units.put(0, int(place["road"]), float(place["pos_m"]))
    assert hand(curb, [*orders, *far], "locker", "market-in")[0].detail == (
        f"hand over: the locker is more than {LOCKER_M:g} m from the customer"
    )
    assert hand(curb, orders, "locker", "market-in") == []
    report = curb.tick(20)[-1]
    assert report.items.tolist() == orders
    facts = curb.facts()
    fact = facts.frame("OrderDelivered")
    assert set(fact["to"]) == {"locker"}
    assert fact["t_s"].iloc[0] <= curb.now_s


def test_a_full_locker(curb):
    curb.system._lockers.slots[:] = 2
    orders = by_locker(curb, 4)
    assert len(orders) == 4
    loaded(curb, orders)
    place = curb.context.city.place("market-in")
    curb.units.put(0, int(place["road"]), float(place["pos_m"]))
    hand(curb, orders, "locker", "market-in")
    report = curb.tick(20)[-1]
    assert (report.items.tolist(), report.missed.tolist(), report.detail) == (orders[:2], orders[2:], "locker full")


# -- refusals ----------------------------------------------------------------------------------------------


def state(curb: Curb) -> tuple:
    parcels = tuple(
        (o, p.where, p.depot, p.attempts, p.given_up, p.loading) for o, p in curb.system.parcels.all.items()
    )
    units = tuple(curb.units.state.tolist()), tuple(curb.units.load.tolist())
    lockers = tuple(tuple(sorted(inside)) for inside in curb.system._lockers._inside)
    return parcels, units, lockers


def test_refused_commands_change_nothing_and_say_why(curb):
    home = curb.units.home[0]
    away = [o for o in lying(curb, 0, 60) if curb.system.parcels.all[o].road != home.road]
    at_depot, aboard, other = away[:5], away[5:6], away[6:7]
    loaded(curb, aboard)
    number = unit(curb)

    def refuses(command, words):
        before = state(curb)
        (report,) = curb.do(command)
        assert (report.what, report.detail) == ("refused", words)
        assert state(curb) == before

    refuses(HandOver("k", number, ints(*aboard), "person", "", 300), "hand over: it does not stand there")
    refuses(HandOver("k", number, ints(*other), "person", "", 300), "hand over: none of the orders is aboard")
    refuses(HandOver("k", number, ints(*aboard), "person", "", -5), "hand over: it cannot wait -5 s")
    refuses(HandOver("k", number, ints(*aboard), "dog", "", 5), "hand over: to 'dog' is neither a person nor a locker")
    refuses(HandOver("k", number, ints(*aboard), "locker", "x", 5), "hand over: there is no locker 'x'")
    refuses(HandOver("k", number, ints(*aboard), "locker", "market-in", 5), "hand over: it does not stand there")
    refuses(ReturnOrders("k", number, ints(*other)), "return: none of the orders is aboard")
    curb.context.depots.shut[0] = True
    refuses(LoadOrders("k", number, ints(*at_depot)), "load: the depot is closed")
    curb.context.depots.shut[0] = False
    p = curb.system.parcels.all[aboard[0]]
    curb.units.put(0, p.road, p.pos_m + 61.0)  # on the road, but further along
    refuses(HandOver("k", number, ints(*aboard), "person", "", 300), "hand over: it does not stand there")
    refuses(LoadOrders("k", number, ints(*at_depot)), "load: it does not stand at a depot")
    refuses(ReturnOrders("k", number, ints(*aboard)), "return: it does not stand at a depot")
    curb.units.put(0, home.road, home.pos_m)
    curb.units.set(0, curb.now_s, state=HALTED)
    refuses(LoadOrders("k", number, ints(*at_depot)), "load: it is not standing by")
    curb.units.set(0, curb.now_s, state=PARKED)
    load(curb, at_depot)
    for command in (LoadOrders("k", number, ints()), ReturnOrders("k", number, ints(*aboard))):
        what = "load" if isinstance(command, LoadOrders) else "return"
        refuses(command, f"{what}: it is not standing by")
    curb.break_down(0)
    curb.units.take_reports(curb.now_s)
    refuses(LoadOrders("k", number, ints(*at_depot)), "load: it is broken")
    assert not curb.system.carry_out(DriveTo("k", number, ints(0), 0.0, -1.0, "x"), curb.now_s)
    sound(curb)


def test_what_breaks_the_contract_is_one_sentence(curb):
    known = lying(curb, 0, 2)
    late = next(o for o, p in curb.system.parcels.all.items() if not p.answered)

    def raises(command, words):
        before = state(curb)
        with pytest.raises(ControlError) as error:
            curb.system.carry_out(command, curb.now_s)
        assert str(error.value) == words
        assert state(curb) == before

    t = curb.now_s
    raises(AnswerOrder("k", known[0], True, 0, ""), f"order {known[0]} was answered a second time at {t} s")
    raises(AnswerOrder("k", 5, True, 0, ""), f"AnswerOrder at {t} s names order 5, which does not exist")
    raises(GiveUpOrder("k", late, "x"), f"order {late} was given up at {t} s without an answer before")
    raises(LoadOrders("k", unit(curb), ints(known[0], 5)), f"LoadOrders at {t} s names order 5, which does not exist")
    raises(LoadOrders("k", 0, ints(known[0])), f"LoadOrders at {t} s names unit 0, which is none")
    raises(HandOver("k", 600001, ints(), "person", "", 1), f"HandOver at {t} s names unit 600001, which is none")


# -- when things go wrong ----------------------------------------------------------------------------------


def test_a_unit_that_breaks_down_while_loading_leaves_the_parcels_in_the_depot(curb):
    orders = lying(curb)
    load(curb, orders)
    curb.tick(2)
    assert curb.break_down(0) == ()
    assert load(curb, orders, row=2) == []
    assert curb.tick(60)[-1].items.tolist() == orders
    assert curb.repair(0) == ()
    sound(curb)


def test_a_unit_that_breaks_down_with_parcels_has_them_brought_to_its_own_depot():
    curb = packed()
    orders = lying(curb, 1, 4)
    loaded(curb, orders, row=1)
    curb.units.put(1, 5, 10.0)
    assert curb.break_down(1) == tuple(orders)
    assert {curb.system.parcels.all[o].where for o in orders} == {"unit"}
    assert curb.repair(1) == tuple(orders)
    assert {curb.system.parcels.all[o].depot for o in orders} == {1}
    assert curb.units.load[1] == 0
    assert loaded(curb, orders, row=1).items.tolist() == orders
    facts = curb.facts()
    assert set(facts.frame("OrderTransferred")["place"]) == {"depot-1"}
    assert {ALL[k](facts) == [] for k in KINDS} == {True}


def test_a_breakdown_at_a_locker_takes_no_slot(curb):
    orders = by_locker(curb, 2)
    loaded(curb, orders)
    place = curb.context.city.place("market-in")
    curb.units.put(0, int(place["road"]), float(place["pos_m"]))
    hand(curb, orders, "locker", "market-in")
    assert curb.system._lockers.room(0, curb.now_s) == 58
    assert curb.break_down(0) == tuple(orders)
    assert curb.system._lockers.room(0, curb.now_s) == 60
    assert curb.tick(60) == []
    sound(curb)


def test_an_order_given_up_at_the_door_is_not_handed_over(curb, monkeypatch):
    order, other = lying(curb, 0, 2)
    loaded(curb, [order, other])
    to_door(curb, order)
    curb.system.parcels.all[other].road = curb.system.parcels.all[order].road
    curb.system.parcels.all[other].pos_m = curb.system.parcels.all[order].pos_m
    sure = Outcome(np.ones(2, bool), ("", ""), 60)
    monkeypatch.setattr(curb.system._recipients, "hand_over", lambda *_: sure)
    hand(curb, [order, other])
    curb.do(GiveUpOrder("g", order, "customer gone"))
    report = curb.tick(10)[-1]
    assert (report.items.tolist(), report.missed.tolist(), report.detail) == ([other], [order], "given up meanwhile")
    sound(curb)


def test_at_the_end_every_order_is_somewhere():
    curb = packed()
    orders = lying(curb, 0, 3)
    loaded(curb, orders)
    load(curb, lying(curb, 0, 6)[3:])  # being loaded at the end
    facts = curb.facts()
    open_ = facts.frame("OrderOpen").set_index("order")["where"]
    assert open_[orders].tolist() == ["unit"] * 3
    placed = facts.frame("OrderPlaced").set_index("order")
    packing = placed["ready_s"] > curb.now_s
    assert set(open_.index) == set(placed.index)
    assert (open_[placed.index[packing]] == "shop").all()
    assert Counter(open_) == {"unit": 3, "shop": packing.sum(), "depot": (~packing).sum() - 3}


# -- anything at all ---------------------------------------------------------------------------------------

ACTS = ("load", "hand", "locker", "return", "give up", "answer", "break", "repair", "move", "shut", "wait")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_parcel_is_lost_whatever_is_ordered(data):
    """Commands in any order, sensible or not: every parcel is at one place, loads fit, and what is refused is kept."""
    curb = packed(units=3, orders=1200)
    all_ = curb.system.parcels.all
    numbers = [*list(all_)[:25], 10**15]
    for step in range(data.draw(st.integers(5, 40))):
        act = data.draw(st.sampled_from(ACTS))
        row = data.draw(st.integers(0, 2))
        some = data.draw(st.lists(st.sampled_from(numbers), max_size=6))
        known = [o for o in some if o in all_]
        n, key = unit(curb, row), f"{act}/{step}"
        before = len(curb.reports)
        frozen = state(curb)
        try:
            if act == "load":
                curb.do(LoadOrders(key, n, ints(*some)))
            elif act == "hand":
                if known and data.draw(st.booleans()):
                    to_door(curb, known[0], row)
                    frozen = state(curb)
                curb.do(HandOver(key, n, ints(*some), "person", "", data.draw(st.integers(-10, 400))))
            elif act == "locker":
                place = curb.context.city.place("market-in")
                if not curb.units.broken[row]:
                    curb.units.put(row, int(place["road"]), float(place["pos_m"]))
                curb.do(HandOver(key, n, ints(*some), "locker", "market-in", 0))
            elif act == "return":
                curb.do(ReturnOrders(key, n, ints(*some)))
            elif act == "give up" and some:
                curb.do(GiveUpOrder(key, some[0], "x"))
            elif act == "answer" and some:
                curb.do(AnswerOrder(key, some[0], data.draw(st.booleans()), 0, ""))
            elif act == "break" and not curb.units.broken[row]:
                curb.break_down(row)
            elif act == "repair" and curb.units.broken[row]:
                curb.repair(row)
            elif act == "move" and curb.units.state[row] == PARKED:
                home = curb.units.home[data.draw(st.integers(0, 1))]
                curb.units.put(row, home.road, home.pos_m)
            elif act == "shut":
                curb.context.depots.shut[data.draw(st.integers(0, 1))] ^= True
            elif act == "wait":
                curb.tick(data.draw(st.integers(1, 60)))
        except ControlError:
            assert state(curb) == frozen
        if any(r.what == "refused" for r in curb.reports[before:]) and act in ("load", "hand", "locker", "return"):
            assert state(curb) == frozen
        inside = [o for r in range(3) for o in curb.system.parcels.aboard(r)]
        assert len(inside) == len(set(inside))
        assert sorted(inside) == sorted(o for o, p in all_.items() if p.where == "unit")
        for r in range(3):
            assert curb.system.parcels.load_of(r) <= curb.units.capacity[r]
        assert all(curb.system._lockers.room(k, curb.now_s) >= 0 for k in range(2))
    curb.tick(100)
    sound(curb)


def test_one_more_unit_or_order_changes_nobody_elses_luck():
    """The same tour beside another unit's: the same times, the same who-is-there."""
    stories = []
    for more in (0, 1):
        curb = packed(units=2 + more)
        mine, others = lying(curb, 0, 12)[:6], lying(curb, 0, 12)[6:]
        loaded(curb, mine)
        if more:
            loaded(curb, others, row=2)
            for o in others:
                to_door(curb, o, 2)
                hand(curb, [o], row=2)
                curb.tick(60)
        curb.until(14 * 3600)
        for o in mine:
            to_door(curb, o)
            hand(curb, [o])
            curb.tick(60)
        told = [r for r in curb.reports if r.unit == unit(curb) and r.what == "handed"]
        stories.append([(r.items.tolist(), r.missed.tolist(), r.detail, r.t_s) for r in told])
    assert stories[0] == stories[1]
    assert len(stories[0]) == 6


def test_couriers_are_the_baseline_with_their_own_times():
    curb = make_curb("delivery", by="couriers", units=2)
    rules = next(m for m in curb.told if isinstance(m, DeliveryRules))
    assert (rules.fleet, rules.purpose, rules.operators) == ("courier", "", 0)
    service = SERVICES["courier"]
    assert (rules.hand_s, rules.hand_order_s, rules.wait_s) == (0, round(service.come_mean_s) + service.each_s, 60)
