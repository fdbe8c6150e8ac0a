"""The exchange with the cloud under latency 0–5 s and loss 0–100 %: safe always, near the own plan where it is bad."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.junctions.made_junctions import PointQueues, made_map
from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.fixed import Fixed
from twin.control.junctions.layout import Layout
from twin.control.junctions.max_pressure import SteadyMaxPressure
from twin.control.junctions.platoons import Platoons
from twin.control.junctions.signal_control import SignalControl
from twin.dice import Dice
from twin.domain.junctions import SetPlans, ShowPhases
from twin.errors import ControlError
from twin.world.junctions.exchange import BINS_MS, Exchange, Latencies, Stage, binned

NONE = Latencies(*[Stage(0.0, 0.0)] * 5)


def run(control, plant: PointQueues, exchange: Exchange | None, until_s: int):
    """Let control and plant talk over the exchange (None: at once); the plant's monitor looks every second."""
    control.decide(0, [plant.layout.told])
    orders = 0
    for t in range(until_s):
        told = [plant.cabinets.tell(t), plant.readings(t)]
        messages = told if exchange is None else exchange.up(t, told)
        commands = control.decide(t, messages)
        for command in commands if exchange is None else exchange.down(t, commands):
            if isinstance(command, ShowPhases):
                plant.cabinets.order(t, command)
                orders += command.junction.size
            elif isinstance(command, SetPlans):
                plant.cabinets.plan(t, command)
        plant.second(t)
    return orders


def make(latencies=None, *, loss=0.0, extra_ms=0.0, seed=1, flow=(500, 450, 200, 250), n=2):
    plant = PointQueues(made_map(n), flow)
    dice = Dice(seed)
    exchange = Exchange(
        plant.cabinets, lambda name: dice.stream(f"junctions.exchange.{name}"), latencies, loss=loss, extra_ms=extra_ms
    )
    return plant, exchange


def test_without_latency_and_loss_the_exchange_changes_nothing() -> None:
    direct = PointQueues(made_map(2), (500, 450, 200, 250))
    run(SignalControl(Platoons()), direct, None, 900)
    plant, exchange = make(NONE)
    run(SignalControl(Platoons()), plant, exchange, 900)
    assert plant.delay_veh_s == direct.delay_veh_s
    assert exchange.gate.old == exchange.gate.outdated == exchange.gate.overtaken == 0


@settings(max_examples=20, deadline=None)
@given(
    extra_ms=st.floats(0, 2500), loss=st.floats(0, 1), seed=st.integers(0, 99), spread=st.floats(1, 20),
    policy=st.sampled_from([Platoons, SteadyMaxPressure]),
)  # fmt: skip
def test_never_unsafe_whatever_the_latency_and_loss(extra_ms, loss, seed, spread, policy) -> None:
    """Both ways together 0–5 s and more; the monitor and the cabinets raise for anything unsafe."""
    stage = Stage(30.0, 30.0 * spread)
    plant, exchange = make(Latencies(*[stage] * 5), loss=loss, extra_ms=extra_ms, seed=seed)
    run(SignalControl(policy()), plant, exchange, 400)
    assert plant.monitor.seconds == 400


def delay(loss=0.0, extra_ms=0.0) -> float:
    plant, exchange = make(Latencies(), loss=loss, extra_ms=extra_ms, flow=(620, 560, 120, 140))
    run(SignalControl(Platoons()), plant, exchange, 1200)
    return plant.delay_veh_s


def test_delay_goes_smoothly_towards_the_own_plan() -> None:
    own = PointQueues(made_map(2), (620, 560, 120, 140))
    for t in range(1200):
        own.second(t)
    fixed = own.delay_veh_s
    good = delay()
    assert good < 0.9 * fixed  # the test has power
    lost = [delay(loss=p) for p in (0.25, 0.75)]
    late = [delay(extra_ms=ms) for ms in (500.0, 2500.0)]
    assert delay(loss=1.0) == fixed  # nothing gets through: exactly the own plan
    for d in (*lost, *late):
        assert d <= 1.15 * fixed
    assert lost[0] <= 1.25 * good
    assert late[0] <= 1.25 * good


def test_a_policy_that_knows_the_state_and_breaks_a_rule_is_blamed() -> None:
    class Restless:
        def wish(self, view):
            return view.layout.next_in_order(view.phase)

    plant, exchange = make(NONE)
    with pytest.raises(ControlError, match="minimum"):
        run(SignalControl(Restless()), plant, exchange, 60)


def test_an_order_in_an_outdated_belief_is_left_aside_and_counted() -> None:
    plant, exchange = make(NONE, n=1)
    cabinets = plant.cabinets
    for t in range(8):
        exchange.up(t, [cabinets.tell(t)])
        cabinets.step(t)
    cabinets.order(8, ShowPhases("a", np.array([0]), np.array([1]), 60))
    # the cloud has not heard of the change that has just begun, and asks for what it was
    wrong = ShowPhases("b", np.array([0]), np.array([0]), 60)
    assert exchange.down(8, [wrong]) == []
    assert exchange.gate.outdated == 1
    with pytest.raises(ControlError):
        cabinets.order(8, wrong)


def test_old_and_overtaken_orders_are_ignored() -> None:
    _, exchange = make(NONE, n=1)
    order = ShowPhases("a", np.array([0]), np.array([0]), 60)
    informed = np.array([True])
    gate = exchange.gate
    assert gate.admit(10, order, 7, informed) is None  # three seconds old
    assert gate.old == 1
    assert gate.admit(10, order, 10, informed) is order
    assert gate.admit(11, order, 9, informed) is None  # one given later was there before it
    assert gate.overtaken == 1


def test_latency_adds_up_over_the_stages() -> None:
    """With equal log-normal stages of no spread the sum is exact; with spread the median is near the sum of medians."""
    plant, exchange = make(Latencies(*[Stage(40.0, 40.0)] * 5))
    run(SignalControl(Platoons()), plant, exchange, 200)
    assert np.allclose(exchange.take_latencies()[0], 200.0)
    plant, exchange = make(None)
    run(SignalControl(Platoons()), plant, exchange, 600)
    got, _ = exchange.take_latencies()
    medians = sum(getattr(Latencies(), s).median_ms for s in ("perceive", "up", "cloud", "down", "cabinet"))
    assert medians < np.median(got) < 1.25 * medians  # a sum of skewed things lies above the sum of medians
    upper, count = binned(got)
    assert count.sum() == got.size
    at = np.searchsorted(np.cumsum(count), 0.5 * got.size)
    assert abs(upper[at] - np.median(got)) <= 0.1 * np.median(got)
    assert np.diff(np.log(BINS_MS[1:])).max() < 0.11


def test_a_junction_more_changes_nobody_elses_latency() -> None:
    def of(names: int):
        _, exchange = make(None, n=names)
        entity = exchange._entity
        return exchange._latency(100, entity, "up", "down")

    assert np.array_equal(of(2), of(5)[:2])


def test_cutting_a_link_leaves_the_others_alone_and_it_comes_back_without_a_jump() -> None:
    plant, exchange = make(NONE)
    control = SignalControl(Fixed())
    control.decide(0, [plant.layout.told])
    held = []
    for t in range(240):
        exchange.up_ok[0] = not 60 <= t < 180
        commands = control.decide(t, exchange.up(t, [plant.cabinets.tell(t), plant.readings(t)]))
        for command in exchange.down(t, commands):
            if isinstance(command, ShowPhases):
                plant.cabinets.order(t, command)
        plant.second(t)  # the monitor would see a jump
        held.append(plant.cabinets.mode(t).tolist())
    shown = np.array(held)
    assert (shown[20:60] == 1).all()
    assert (shown[70:180, 0] == 0).all()
    assert (shown[20:, 1] == 1).all()
    assert (shown[200:] == 1).all()


def test_cabinets_are_those_of_the_run() -> None:
    layout = Layout.of(made_map(1))
    cabinets = Cabinets(layout, 0)
    dice = Dice(0)
    assert Exchange(cabinets, dice.stream).gate._cabinets is cabinets
