"""Priority by message: greens are held or come early within what is safe, and the seconds are given back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.twin.control.junctions.made_junctions import CROSSES, FOUR_PHASES, PointQueues, made_map
from twin.control.junctions.signal_control import SignalControl
from twin.domain.junctions import (
    EMERGENCY,
    GRANTED,
    LOCKED,
    PUBLIC_TRANSPORT,
    REJECTED,
    ShowPhases,
    SignalRequest,
    SignalRules,
    SignalStatus,
)

BUS, OTHER = 4_000_000_001_000, 4_000_000_002_000


def rules(priority=(PUBLIC_TRANSPORT, EMERGENCY), extend_s: int = 20, again_s: int = 30) -> SignalRules:
    return SignalRules(0, "rules", 1, 5, 5, 3600, np.array(priority, dtype=np.int64), extend_s, again_s)


def request(t: int, eta: float, vehicle: int = BUS, lane: int = 0, role: int = PUBLIC_TRANSPORT, done: int = 0):
    one = lambda x: np.array([x], dtype=np.int64)  # noqa: E731
    return SignalRequest(t, f"r/{t}/{vehicle}", one(vehicle), one(0), one(lane), one(-1), one(role),
                         np.array([eta]), one(done))  # fmt: skip


def drive(asks, until_s: int = 400, grade: int = 3, told_rules=None, arrive=0.0, program=FOUR_PHASES, foes=CROSSES):
    """``asks(t)``: the requests of second ``t``. Return green phases by second, answers (t, vehicle, status)."""
    plant = PointQueues(made_map(1, program, foes, walk=(4,), grade=grade), arrive)
    control, answers, greens = SignalControl(), [], []
    control.decide(0, [told_rules or rules(), plant.layout.told])
    for t in range(until_s):
        for command in control.decide(t, [plant.cabinets.tell(t), plant.readings(t), *asks(t)]):
            if isinstance(command, ShowPhases):
                plant.cabinets.order(t, command)
            elif isinstance(command, SignalStatus):
                answers += [(t, int(v), int(s)) for v, s in zip(command.vehicle, command.status, strict=True)]
        plant.second(t)  # the monitor looks
        stages = plant.cabinets.stages
        greens.append(int(stages.phase[0]) if stages.phase[0] == stages.to[0] else -1)
    return np.array(greens), answers, plant


def nobody(_t: int):
    return []


PLAN, _, PLANT = drive(nobody)
MINE = int(PLANT.layout.pair_phase[PLANT.layout.pair_lane == 0][0])  # the phase of lane 0


def runs_of(greens, phase: int) -> list[tuple[int, int]]:
    """(first second, seconds) of the greens of a phase."""
    at = np.flatnonzero(np.diff(np.concatenate([[0], (greens == phase).astype(int), [0]])))
    return [(int(a), int(b - a)) for a, b in zip(at[::2], at[1::2], strict=True)]


def coming(arrive_s: int, since_s: int, **more):
    """A vehicle that asks every second from ``since_s`` until it passes at ``arrive_s``."""

    def asks(t: int):
        if since_s <= t < arrive_s:
            return [request(t, arrive_s - t, **more)]
        return [request(t, 0.0, done=1, **more)] if t == arrive_s else []

    return asks


def test_a_green_is_held_for_a_bus_that_comes_just_too_late() -> None:
    begin, long = runs_of(PLAN, MINE)[2]
    end = begin + long
    held, answers, _ = drive(coming(end + 8, end - 15))
    assert (held[end : end + 7] == MINE).all()
    assert (PLAN[end : end + 7] != MINE).all()
    assert (end - 1, BUS, GRANTED) in answers  # the last moment to say so
    # no longer than allowed, for one that does not come in time
    late, answers, _ = drive(coming(end + 60, end - 15))
    assert GRANTED not in [s for t, _, s in answers if t < end + 20]
    assert late[end] != MINE


def test_what_a_plan_does_by_itself_is_left_to_the_cabinet() -> None:
    """Nothing is ordered for a bus that meets green anyway, and the plan is kept to the second."""
    begin, long = runs_of(PLAN, MINE)[2]
    greens, answers, plant = drive(coming(begin + long - 3, begin - 20))
    assert (greens == PLAN).all()
    assert GRANTED not in [s for _, _, s in answers]
    assert (plant.cabinets.until_s < 0).all()


def test_a_green_comes_early_for_a_bus_and_is_given_back() -> None:
    begin, _ = runs_of(PLAN, MINE)[2]
    early, answers, _ = drive(coming(begin - 15, begin - 45))
    first = next(b for b, n in runs_of(early, MINE) if b > begin - 60)
    assert first <= begin - 10
    assert GRANTED in [s for _, _, s in answers]
    # phases kept their minimum, and three cycles later all are in step with the plan again
    for phase in range(4):
        assert min(n for b, n in runs_of(early, phase)[1:-1]) >= int(PLANT.layout.told.phase_min_s[phase])
    assert (early[-60:] == PLAN[-60:]).all()


def test_only_phases_that_nobody_uses_are_cut() -> None:
    """With 900 vehicles per hour on each of the other roads the bus has its green no sooner than planned."""
    begin, _ = runs_of(PLAN, MINE)[2]
    first = []
    for veh_h in (0.0, 900.0):
        greens = drive(coming(begin - 15, begin - 45), arrive=(0.0, veh_h, veh_h, veh_h))[0]
        first.append(next(b for b, n in runs_of(greens, MINE) if b > begin - 60))
    assert first[0] < first[1] == begin


def test_no_green_is_held_where_the_others_are_near_their_capacity() -> None:
    begin, long = runs_of(PLAN, MINE)[2]
    asks = coming(begin + long + 8, begin + long - 15)
    light, full = (drive(asks, arrive=(0.0, veh_h, veh_h, veh_h))[1] for veh_h in (60.0, 900.0))
    assert GRANTED in [s for _, _, s in light]
    assert GRANTED not in [s for _, _, s in full]


def test_an_emergency_vehicle_has_its_phase_prepared_and_held() -> None:
    begin, long = runs_of(PLAN, MINE)[2]
    wanted = begin + long + 20  # in the middle of the others' turn
    greens, answers, _ = drive(coming(wanted, wanted - 40, role=EMERGENCY))
    assert (greens[wanted - 5 : wanted] == MINE).all()
    assert PLAN[wanted] != MINE
    assert GRANTED in [s for _, _, s in answers]


def test_who_may_not_have_priority_is_told_so() -> None:
    begin, _ = runs_of(PLAN, MINE)[2]
    asks = coming(begin - 15, begin - 45)
    for changed in ({"grade": 2}, {"told_rules": rules(priority=(EMERGENCY,))}):
        greens, answers, _ = drive(asks, **changed)
        assert {s for _, _, s in answers} == {REJECTED}
        assert (greens == PLAN).all()


def test_a_second_bus_waits_until_a_junction_may_serve_again() -> None:
    begin, long = runs_of(PLAN, MINE)[2]
    end = begin + long
    first, second = coming(end + 5, end - 10), coming(end + 40, end + 6, vehicle=OTHER)
    _, answers, _ = drive(lambda t: [*first(t), *second(t)], told_rules=rules(again_s=120))
    assert (LOCKED in [s for _, v, s in answers if v == OTHER]) is True


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_asked_is_safe(seed: int) -> None:
    draw = np.random.default_rng(seed)
    table = {
        int(t): [request(int(t), float(draw.uniform(0, 60)), vehicle=int(draw.integers(1, 5)),
                         lane=int(draw.integers(4)), role=int(draw.integers(2)), done=int(draw.integers(2)))]
        for t in draw.integers(0, 600, 200)
    }  # fmt: skip
    _, _, plant = drive(lambda t: table.get(t, []), until_s=600, arrive=(300.0, 200.0, 100.0, 400.0))
    assert plant.monitor.seconds == 600
