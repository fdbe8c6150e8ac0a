"""The delivery desk against a world of messages: what must hold whatever goes wrong; restart, duplicates, contract."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scenarios.bench import deliveries
from scenarios.bench.deliveries import DAY_S, HOUR_S, Faults, Setting, World
from twin.control.mobility.delivery import ports
from twin.control.mobility.delivery.desk import DeliveryDesk
from twin.control.mobility.delivery.policies import CourierRounds, NearestFirst, RollingRoutes
from twin.control.mobility.delivery.ports import Assignment
from twin.control.mobility.stranded import WAIT_S
from twin.domain.commands import WakeAt
from twin.domain.delivery import AnswerOrder, LoadOrders
from twin.domain.mobility import FetchUnit
from twin.domain.wire import decode, encode

share = st.sampled_from([0.0, 0.05])
faults = st.builds(
    Faults, nobody=st.sampled_from([0.0, 0.3]), refuse=share, broken=share, halted=share, help=share, silent=share,
    silent_s=st.sampled_from([300, 600, 2400]), twice=st.sampled_from([0.0, 0.1]), late=st.sampled_from([0.0, 0.1]),
)  # fmt: skip
towns = st.builds(
    Setting, units=st.integers(1, 4), side=st.integers(4, 7), depots=st.integers(1, 2),
    capacity=st.sampled_from([60, 200]), battery_wh=st.sampled_from([1_200.0, 2_500.0, 6_000.0]),
    chargers=st.integers(1, 2), lockers=st.integers(0, 3), operators=st.integers(1, 2),
    permit_roads=st.sampled_from([0.5, 1.0]), permit_until_s=st.sampled_from([12 * HOUR_S, 20 * HOUR_S]),
    telemetry_s=st.sampled_from([0, 60]),
)  # fmt: skip
many = settings(max_examples=14, deadline=None, suppress_health_check=list(HealthCheck))
few = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))


def play(policy, setting, faults, seed, until_s=DAY_S + 20 * HOUR_S, times=14, each=2):
    """A morning of orders, and the next day to bring what was left."""
    world = World(DeliveryDesk(policy), setting, faults, seed, 8 * HOUR_S)
    for k in range(times):
        world.place_orders(8 * HOUR_S + 300 + 900 * k, each)
    world.run(until_s)
    return world


def assert_all_is_well(world):
    assert world.check() == []
    taken = {o for o, a in world.answers.items() if a.accepted}
    ended = set(world.delivered) | set(world.given_up)
    assert set(world.delivered) <= taken
    assert taken - ended == set(), "after a second day nothing that was accepted is still open"
    assert all(a.reason for a in world.answers.values() if not a.accepted)
    assert all(a.promised_s > 8 * HOUR_S for a in world.answers.values() if a.accepted)


#: the word that a unit goes on came before the word of its halt
LATE_HALT = (
    Setting(
        units=1, side=4, depots=2, capacity=200, battery_wh=6_000.0, chargers=2, lockers=0, operators=2,
        permit_roads=1.0, permit_until_s=20 * HOUR_S, telemetry_s=60,
    ),
    Faults(nobody=0.0, broken=0.05, halted=0.05, silent=0.05, silent_s=2400, twice=0.1, late=0.1),
)  # fmt: skip


@many
@example(*LATE_HALT, 886, CourierRounds)
@given(towns, faults, st.integers(0, 10_000), st.sampled_from([NearestFirst, CourierRounds]))
def test_nothing_is_lost_or_brought_twice_and_every_bound_holds(setting, faults, seed, policy):
    assert_all_is_well(play(policy(), setting, faults, seed))


@few
@given(towns, faults, st.integers(0, 10_000))
def test_the_same_holds_for_rolling_routes(setting, faults, seed):
    assert_all_is_well(play(RollingRoutes(iterations=10), setting, faults, seed, times=8))


@pytest.mark.parametrize("late", [0.0, 0.1])
def test_a_unit_that_is_silent_when_its_permit_ends_still_comes_home(late):
    setting = Setting(
        units=3, side=5, depots=2, capacity=200, battery_wh=1_200.0, chargers=1, lockers=3, operators=1,
        permit_roads=1.0, permit_until_s=12 * HOUR_S, telemetry_s=60,
    )  # fmt: skip
    trouble = Faults(nobody=0.3, broken=0.0, halted=0.05, silent=0.05, silent_s=2400, twice=late, late=late)
    assert_all_is_well(play(RollingRoutes(iterations=10), setting, trouble, 3, times=8))


def test_the_recovery_crew_is_called_for_units_out_after_hours_and_only_for_them():
    """Units that are silent at noon are out when their permit ends; with one until the evening nobody is."""
    lost = Faults(silent=0.3, silent_s=2400)
    noon, evening = (Setting(units=3, permit_until_s=hour * HOUR_S) for hour in (12, 20))
    called = 0
    for seed in range(4):
        world = play(NearestFirst(), noon, lost, seed)
        assert_all_is_well(world)
        calls = [(t, c.unit) for t, _, answer in world.journal for c in answer if isinstance(c, FetchUnit)]
        called += len(calls)
        assert all(t % DAY_S >= 12 * HOUR_S + WAIT_S for t, _ in calls)
        assert play(NearestFirst(), evening, lost, seed, until_s=18 * HOUR_S).fetched == 0
    assert called > 0


def test_the_checks_of_the_world_have_power(monkeypatch):
    """Units that use a third more than the desk was told break their reserve, and the world sees it."""
    town = Setting(units=1, battery_wh=1_200.0)
    assert play(NearestFirst(), town, Faults(), 3, until_s=20 * HOUR_S).check() == []
    told = World._roster
    monkeypatch.setattr(deliveries, "USE_WH_M", 0.27)

    def lie(self):
        roster = told(self)
        roster.use_wh_m[:] = 0.2
        return roster

    monkeypatch.setattr(World, "_roster", lie)
    assert any("below its reserve" in w for w in play(NearestFirst(), town, Faults(), 3, until_s=20 * HOUR_S).wrong)


def test_faults_happen_and_parcels_come_all_the_same():
    """The property above is not empty: with these faults there are breakdowns, refusals, silence, no-shows."""
    bad = Faults(nobody=0.3, refuse=0.1, broken=0.1, halted=0.1, help=0.1, silent=0.1, twice=0.2, late=0.2)
    world = play(NearestFirst(), Setting(), bad, 5)
    assert_all_is_well(world)
    told = {m.what for _, messages, _ in world.journal for m in messages if hasattr(m, "what")}
    assert {"broken", "repaired", "refused", "halted", "help", "assisted", "handed"} <= told
    assert len(world.delivered) >= 0.8 * len(world.where)


# -- a fold ----------------------------------------------------------------------------------------------------


def commands(journal):
    return [[encode(c) for c in answer] for _, _, answer in journal]


@pytest.mark.parametrize("policy", [NearestFirst, lambda: RollingRoutes(iterations=10)])
def test_a_desk_made_anew_from_its_journal_gives_the_same_commands(policy):
    bad = Faults(nobody=0.2, refuse=0.05, broken=0.05, silent=0.05, twice=0.1, late=0.1)
    world = play(policy(), Setting(), bad, 11, until_s=12 * HOUR_S)
    again = DeliveryDesk(policy())
    answers = [
        [encode(c) for c in again.decide(now_s, [decode(encode(m)) for m in messages])]
        for now_s, messages, _ in world.journal
    ]
    assert answers == commands(world.journal)
    keys = [c["key"] for answer in answers for c in answer]
    assert len(keys) == len(set(keys))


def test_messages_told_twice_change_nothing():
    world = play(NearestFirst(), Setting(), Faults(nobody=0.2), 4, until_s=12 * HOUR_S)
    again, before = DeliveryDesk(NearestFirst()), []
    answers = []
    for now_s, messages, _ in world.journal:
        answers.append([encode(c) for c in again.decide(now_s, [*messages, *before, *messages])])
        before = messages
    assert answers == commands(world.journal)


# -- policies --------------------------------------------------------------------------------------------------


def docstring_policy():
    """The ten lines of the docstring, run as they stand there."""
    text = ports.__doc__.split("are a policy::")[1].split("In a scenario")[0]
    space: dict = {}
    exec(textwrap.dedent(text), space)
    lines = [line for line in textwrap.dedent(text).split("class OldestFirst:")[1].splitlines() if line.strip()]
    assert len(lines) + 1 <= 10
    return space["OldestFirst"]()


def test_the_ten_line_policy_of_the_documentation_delivers():
    world = play(docstring_policy(), Setting(), Faults(), 2)
    assert_all_is_well(world)
    assert len(world.delivered) == len(world.where)


class _Says:
    def __init__(self, say):
        self.say, self.done = say, False

    def assign(self, view):
        out = [] if self.done or view.waiting.size < 2 else self.say(view)
        self.done = self.done or bool(out)
        return out


def _all_to_one(view):
    return [Assignment(int(view.unit[0]), tuple(view.order[view.waiting].tolist()))]


def test_what_is_too_much_for_a_unit_is_cut_from_its_end():
    class Everything:
        def assign(self, view):
            return _all_to_one(view) if view.waiting.size else []

    world = play(Everything(), Setting(units=2, capacity=60), Faults(), 1, until_s=20 * HOUR_S)
    assert world.check() == []
    loads = [c for _, _, answer in world.journal for c in answer if isinstance(c, LoadOrders)]
    assert all(sum(world.size[o] for o in c.orders.tolist()) <= 60 for c in loads)
    assert len(world.delivered) > 10


@pytest.mark.parametrize(
    ("say", "text"),
    [
        (lambda v: [Assignment(int(v.unit[0]), (int(v.order[0]),)), Assignment(int(v.unit[1]), (int(v.order[0]),))],
         r"order \d+ was assigned twice at \d+ s, the second time to unit 700002"),
        (lambda v: [Assignment(5, (int(v.order[0]),))], "unit 5 was assigned orders at .* but it does not work"),
        (lambda v: [Assignment(int(v.unit[0]), (999,))], "order 999 at .* which was never placed"),
    ],
)  # fmt: skip
def test_an_answer_outside_the_contract_is_one_clear_sentence(say, text):
    with pytest.raises(ValueError, match=text):
        play(_Says(say), Setting(), Faults(), 1, until_s=12 * HOUR_S)


def test_a_unit_on_tour_takes_another_order_of_stops_but_no_other_orders():
    """A policy that turns every tour round while it is driven; and one that gives a driving unit a parcel more."""

    class TurnsRound(NearestFirst):
        def assign(self, view):
            out = list(super().assign(view))
            named = {a.unit for a in out}
            for row in np.unique(view.aboard[view.aboard >= 0]).tolist():
                unit = int(view.unit[row])
                if unit not in named:
                    out.append(Assignment(unit, tuple(view.order[view.aboard == row][::-1].tolist())))
            return out

    world = play(TurnsRound(), Setting(), Faults(nobody=0.1), 6)
    assert_all_is_well(world)

    class OneMore(NearestFirst):
        def assign(self, view):
            on_tour = np.flatnonzero(view.aboard >= 0)
            waiting = view.waiting
            if on_tour.size and waiting.size:
                unit = int(view.unit[view.aboard[on_tour[0]]])
                return [Assignment(unit, (int(view.order[on_tour[0]]), int(view.order[waiting[0]])))]
            return super().assign(view)

    with pytest.raises(ValueError, match="together with orders it carries; it can take it only on its next trip"):
        play(OneMore(), Setting(units=1), Faults(), 6)


def test_one_plan_per_slot_and_every_new_order_answered_in_it():
    world = play(NearestFirst(), Setting(plan_s=60), Faults(), 7, until_s=14 * HOUR_S)
    placed = {
        o: t for t, ms, _ in world.journal for m in ms if type(m).__name__ == "OrdersPlaced" for o in m.order.tolist()
    }
    answered = {c.order: t for t, _, cs in world.journal for c in cs if isinstance(c, AnswerOrder)}
    assert set(placed) == set(answered)
    assert all(0 <= answered[o] - placed[o] <= 60 for o in placed)
    loads = [t for t, _, cs in world.journal for c in cs if isinstance(c, LoadOrders)]
    assert all(t // 60 == loads[0] // 60 or t % 60 == 0 for t in loads), "units set out only when a slot begins"
    wakes = [c.t_s for _, _, cs in world.journal for c in cs if isinstance(c, WakeAt)]
    assert all(t % 60 == 0 for t in wakes)
