"""Policies against theory, on point queues; and what they do when detectors and links fail."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.twin.control.junctions.made_junctions import CROSSES, FOUR_PHASES, PointQueues, drive, made_map
from twin.control.junctions.actuated import Actuated
from twin.control.junctions.fixed import Fixed
from twin.control.junctions.green_wave import GreenWave
from twin.control.junctions.max_pressure import MaxPressure, SteadyMaxPressure, pressures
from twin.control.junctions.platoons import Platoons
from twin.control.junctions.signal_control import SignalControl
from twin.control.junctions.webster import WebsterByHour, delay_s, optimal_cycle_s, uniform_delay_s
from twin.domain.commands import WakeAt
from twin.domain.junctions import LinkStatus, SetPlans, ShowPhases
from twin.domain.wire import decode, encode

LEAVE = 0.5  # veh/s of green
ADAPTIVE = [Actuated, MaxPressure, SteadyMaxPressure, Platoons]
UNEVEN = (700.0, 100.0, 100.0, 100.0)  # one arm carries most: 1,000 veh/h over four phases


def mean_delay_s(plant: PointQueues, seconds: int) -> float:
    return plant.delay_veh_s / (plant.arrive.sum() * seconds)


# -- Webster ----------------------------------------------------------------------------------------------


def test_websters_cycle():
    assert optimal_cycle_s(lost_s=10.0, y=0.5) == pytest.approx((1.5 * 10 + 5) / (1 - 0.5))
    # his cycle is near the one of least delay by his own delay formula (0.75 to 1.5 of it cost 10 to 20 % at most)
    lost, y = 10.0, 0.6

    def delay(cycle: float) -> float:
        green = (cycle - lost) / 2
        return delay_s(cycle, green, y / 2 * LEAVE, LEAVE)

    best = min(delay(c) for c in np.arange(20.0, 200.0, 0.5))
    assert delay(optimal_cycle_s(lost, y)) <= 1.05 * best


def test_uniform_delay_is_what_point_queues_have():
    flow, cycle, green = 360.0, 78, 30  # veh/h, s, s shown; the plant loses the first two seconds of green
    plant = PointQueues(made_map(), [flow, 0, 0, 0], LEAVE)
    drive(plant, None, cycle)  # settle
    plant.delay_veh_s = 0.0
    for t in range(cycle, 41 * cycle):
        plant.second(t)
    effective = green - 2
    x = flow / 3600 * cycle / (effective * LEAVE)
    formula = uniform_delay_s(cycle, effective, x)  # C (1 - g/C)² / (2 (1 - x g/C))
    assert formula == pytest.approx(cycle * (1 - effective / cycle) ** 2 / (2 * (1 - x * effective / cycle)))
    # a queue counted once a second is half a second of arrivals behind or ahead
    assert mean_delay_s(plant, 40 * cycle) == pytest.approx(formula, abs=0.6)


def test_webster_by_hour_gives_the_busy_arm_its_share():
    flows = (320.0, 100.0, 100.0, 100.0)  # the plan's capacity is 337: counts are the demand
    plant = PointQueues(made_map(1, FOUR_PHASES, CROSSES), flows, LEAVE)
    control = SignalControl(None, WebsterByHour(), plan_every_s=1800)
    drive(plant, control, 1900)
    green = plant.cabinets.plans.green_s
    assert green[0] > 2 * green[1]
    assert (green >= plant.layout.told.phase_min_s).all()
    y = np.array(flows) / 3600 / LEAVE
    assert 4 * (4 + 2) == 24  # changes of 4 s, and 2 s to start
    cycle = optimal_cycle_s(24, y.sum())
    assert plant.cabinets.plans.cycle_s[0] == pytest.approx(cycle, rel=0.15)


# -- max-pressure -------------------------------------------------------------------------------------------


def test_pressure_is_the_queue_minus_the_queue_behind():
    told = made_map(2, FOUR_PHASES, CROSSES, feeds=[(0, 4, 0.5), (0, 5, 0.5)])
    plant = PointQueues(told, 0)
    load = np.array([10.0, 3, 0, 0, 6, 2, 0, 0])
    assert pressures(plant.layout, load)[:4] == pytest.approx([10 - (6 + 2) / 2, 3, 0, 0])


@pytest.mark.parametrize("policy", ADAPTIVE)
def test_queues_stay_bounded_below_capacity_where_the_fixed_plan_lets_them_grow(policy):
    hours, cycle, green = 1, 4 * 24, 20
    fixed = PointQueues(made_map(1, FOUR_PHASES, CROSSES), UNEVEN, LEAVE)
    drive(fixed, None, hours * 3600)
    # the plan gives each arm (g - 2)/C of saturation flow: below the demand of the busy one
    growth = UNEVEN[0] / 3600 - LEAVE * (green - 2) / cycle
    assert growth > 0
    assert fixed.queue[0] == pytest.approx(growth * hours * 3600, rel=0.05)
    plant = PointQueues(made_map(1, FOUR_PHASES, CROSSES), UNEVEN, LEAVE)
    drive(plant, SignalControl(policy()), hours * 2400)
    assert plant.queue.max() < 30
    assert fixed.queue[0] > 60
    assert sum(UNEVEN) / 3600 / LEAVE < 0.6  # far enough below capacity for any lost time


def test_nobody_starves_under_the_best_policy():
    plant = PointQueues(made_map(1, FOUR_PHASES, CROSSES), (1300.0, 30.0, 30.0, 30.0), LEAVE)
    control, longest, red = SignalControl(Platoons()), 0, np.zeros(4)
    control.decide(0, [plant.layout.told])
    for t in range(3600):
        for command in control.decide(t, [plant.cabinets.tell(t), plant.readings(t)]):
            if isinstance(command, ShowPhases):
                plant.cabinets.order(t, command)
        plant.second(t)
        red = np.where((plant.green_s > 0) | (plant.queue < 1), 0, red + 1)
        longest = max(longest, int(red.max()))
    # a queue earns 0.7 of its plan's share (20 s in 96 s) until it has earned 0.7 of its 20 s; others may come first
    assert longest <= 96 + 3 * (20 + 6)


# -- failures -----------------------------------------------------------------------------------------------


def test_loss_of_messages_degrades_towards_the_plan_and_never_below():
    def delay(loss: float, policy=Platoons) -> float:
        plant = PointQueues(made_map(3, FOUR_PHASES, CROSSES), (420, 60, 260, 60), LEAVE)
        # deterministic and spread: a low-discrepancy sequence decides which seconds are lost
        drive(plant, SignalControl(policy()), 900, lost=lambda t: (t * 0.618034) % 1.0 < loss)
        return mean_delay_s(plant, 900)

    alone = PointQueues(made_map(3, FOUR_PHASES, CROSSES), (420, 60, 260, 60), LEAVE)
    plan = mean_delay_s(drive(alone, None, 900), 900)
    delays = [delay(loss) for loss in (0.0, 0.5, 0.9, 1.0)]
    assert delays[-1] == pytest.approx(plan)  # nothing gets through: exactly the plan
    assert delays[0] < 0.75 * plan
    steps = pairwise(delays)
    assert all(a <= 1.15 * b for a, b in steps)  # no better for losing more, but for chance
    assert max(delays) <= 1.05 * plan


@pytest.mark.parametrize("policy", [SteadyMaxPressure, Platoons, Actuated])
def test_dead_detectors_degrade_towards_the_plan(policy):
    def delay(dead) -> float:
        plant = PointQueues(made_map(2, FOUR_PHASES, CROSSES), (420, 60, 260, 60), LEAVE)
        drive(plant, SignalControl(policy()), 900, dead=dead)
        return mean_delay_s(plant, 900)

    plan = mean_delay_s(
        drive(PointQueues(made_map(2, FOUR_PHASES, CROSSES), (420, 60, 260, 60), LEAVE), None, 900), 900
    )
    whole, half, none = delay(()), delay((1, 2, 5, 6)), delay(range(8))
    assert whole < half * 1.02
    assert half < 1.1 * plan
    assert none == pytest.approx(plan)


def test_a_lost_link_gives_its_junction_alone_back_to_the_plan():
    plant = PointQueues(made_map(2, FOUR_PHASES, CROSSES), UNEVEN, LEAVE)
    control, shown = SignalControl(Platoons()), []
    control.decide(0, [plant.layout.told])
    for t in range(400):
        messages = [plant.cabinets.tell(t), plant.readings(t)]
        if t == 100:
            messages.insert(0, LinkStatus(t, "links/1", np.array([0]), np.array([0])))
        if t == 300:
            messages.insert(0, LinkStatus(t, "links/2", np.array([0]), np.array([1])))
        for command in control.decide(t, messages):
            if isinstance(command, ShowPhases):
                shown += [(t, j) for j in command.junction.tolist()]
                plant.cabinets.order(t, command)
        plant.second(t)
    of = lambda j, a, b: [t for t, k in shown if k == j and a <= t < b]  # noqa: E731
    assert not of(0, 100, 300)
    assert of(1, 100, 300)
    assert of(0, 300, 330)
    assert plant.cabinets.refused == 0


# -- the contract ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [Fixed, *ADAPTIVE])
def test_the_same_messages_give_the_same_commands_and_survive_the_wire(policy):
    plant = PointQueues(made_map(2, FOUR_PHASES, CROSSES), UNEVEN, LEAVE)
    planner = WebsterByHour()
    first, told = SignalControl(policy(), planner, plan_every_s=120), [[plant.layout.told]]
    answers = [first.decide(0, told[0])]
    for t in range(1, 200):
        told.append([plant.cabinets.tell(t), plant.readings(t, dead=(2,))])
        answers.append(first.decide(t, told[-1]))
        for command in answers[-1]:
            if isinstance(command, ShowPhases):
                plant.cabinets.order(t, command)
        plant.second(t)
    keys = [c.key for a in answers for c in a]
    assert len(keys) == len(set(keys))
    kinds = {type(c) for a in answers for c in a}
    assert kinds == {ShowPhases, SetPlans, WakeAt}
    again = SignalControl(policy(), planner, plan_every_s=120)
    for t, (messages, answer) in enumerate(zip(told, answers, strict=True)):
        replayed = again.decide(t, [decode(encode(m)) for m in messages])
        assert [encode(c) for c in replayed] == [encode(c) for c in answer]
        assert [encode(decode(encode(c))) for c in answer] == [encode(c) for c in answer]


def test_fixed_as_a_policy_is_the_plan():
    seen: list = [[], []]
    for control, history in zip([SignalControl(Fixed()), None], seen, strict=True):
        drive(PointQueues(made_map(2, FOUR_PHASES, CROSSES), UNEVEN), control, 500, history=history)
    assert seen[0] == seen[1]


def test_a_green_wave_lets_a_platoon_arrive_at_green():
    # lane 0 of J0 feeds lane 0 of J1, which feeds lane 0 of J2: 200 m at 13.9 m/s are 14 s
    told = made_map(3, FOUR_PHASES, CROSSES, feeds=[(0, 4, 1.0), (4, 8, 1.0)])
    plant = PointQueues(told, (500, 50, 50, 50), LEAVE)
    drive(plant, SignalControl(None, GreenWave(), plan_every_s=900), 901)
    plans = plant.cabinets.plans
    assert len(set(plans.cycle_s.tolist())) == 1
    lag = np.diff(plans.offset_s) % plans.cycle_s[0]
    green = plans.green_s[[0, 4, 8]]
    assert (np.abs(lag - 14) <= np.abs(np.diff(green)) + 1).all()
