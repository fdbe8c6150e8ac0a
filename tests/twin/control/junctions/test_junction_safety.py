"""No policy, plan or order can show conflicting greens, cut a green or a yellow short, or skip a clearance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.junctions.made_junctions import (
    CROSSES,
    FOES,
    FOUR_PHASES,
    TWO_PHASES,
    PointQueues,
    drive,
    made_map,
)
from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.layout import Layout
from twin.control.junctions.plans import Plans
from twin.control.junctions.safety import Monitor
from twin.control.junctions.signal_control import SignalControl
from twin.domain.junctions import SetPlans, ShowPhases
from twin.errors import ControlError

PROGRAMS = {"two": (TWO_PHASES, FOES), "four": (FOUR_PHASES, CROSSES)}


class Whim:
    """Wishes drawn by hypothesis, within what is allowed or not."""

    def __init__(self, numbers: list[int], careful: bool) -> None:
        self.numbers, self.careful, self.calls = numbers, careful, 0

    def wish(self, view):
        layout = view.layout
        k = np.array([self.numbers[(self.calls + j) % len(self.numbers)] for j in range(layout.n_junctions)])
        self.calls += 1
        wish = layout.first_phase[:-1] + k % layout.phases
        return view.or_stay(wish) if self.careful else wish


@pytest.mark.parametrize("name", PROGRAMS)
@settings(max_examples=15, deadline=None)
@given(numbers=st.lists(st.integers(0, 11), min_size=1, max_size=30), cut=st.sets(st.integers(0, 29)))
def test_whatever_a_policy_wishes_every_second_is_safe(name, numbers, cut):
    program, foes = PROGRAMS[name]
    plant = PointQueues(made_map(3, program, foes), 300)
    drive(plant, SignalControl(Whim(numbers, careful=True)), 200, lost=lambda t: t % 30 in cut)
    assert plant.monitor.seconds == 200


@settings(max_examples=20, deadline=None)
@given(numbers=st.lists(st.integers(0, 11), min_size=4, max_size=30))
def test_a_careless_policy_is_stopped_with_junction_and_second(numbers):
    if len({n % 4 for n in numbers}) == 1:
        numbers = [*numbers, numbers[0] + 1]
    plant = PointQueues(made_map(2, FOUR_PHASES, CROSSES), 300)
    with pytest.raises(ControlError, match=r"signals at \d+ s: junction 'J\d' was asked"):
        drive(plant, SignalControl(Whim(numbers, careful=False)), 300)


def test_refusals_name_what_was_allowed():
    layout = Layout.of(made_map(2))
    cabinets = Cabinets(layout, 0)
    ask = lambda j, p: ShowPhases("k", np.array([j]), np.array([p]), 99)  # noqa: E731
    cabinets.order(0, ask(1, int(cabinets.stages.phase[1])))
    with pytest.raises(ControlError, match=r"at 3 s: junction 'J1' .* after 3 s of green; its minimum is 7 s"):
        cabinets.order(3, ask(1, int(layout.next_in_order(cabinets.stages.phase)[1])))
    with pytest.raises(ControlError, match=r"at 8 s: junction 'J1' was asked for phase 0; it has the phases 2 to 3"):
        cabinets.order(8, ask(1, 0))
    with pytest.raises(ControlError, match=r"gives phase 0 6 s of green; its minimum is 7 s"):
        cabinets.plan(8, SetPlans("p", np.array([0]), np.array([0]), np.array([0, 1]), np.array([6, 20])))


def test_a_policy_with_a_wrong_answer_is_named():
    class Wrong:
        def wish(self, view):
            return np.zeros(7)

    with pytest.raises(ControlError, match=r"Wrong answered an array of shape \(7,\)"):
        drive(PointQueues(made_map(2), 300), SignalControl(Wrong()), 5)


# -- the monitor can see: each fault shown to it is found -----------------------------------------------


@pytest.mark.parametrize(
    ("states", "what"),
    [
        (["GGrrr"] * 3 + ["GGGrr"], "are green together"),
        (["rrrrr"] + ["GGrrr"] * 5 + ["yyrrr"], "ended its green before its minimum"),
        (["GGrrr"] * 9 + ["rrrrr"], "went from green to red without yellow"),
        (["GGrrr"] * 9 + ["yyrrr"] * 2 + ["rrrrr"], "had its yellow cut short"),
        (["GGrrr"] * 9 + ["yyrrr"] * 3 + ["rrGGG"], "follow each other without clearance"),
        (["rrGGG"] * 9 + ["rryyr"] * 3 + ["rrrrr"] * 2 + ["GGrrr"], "follow each other without clearance"),
    ],
)
def test_the_monitor_finds(states, what):
    monitor = Monitor(Layout.of(made_map()))
    for t, state in enumerate(states[:-1]):
        monitor.look(t, [state])
    last = len(states) - 1
    with pytest.raises(ControlError, match=rf"at {last} s: junction 'J0': .*{what}"):
        monitor.look(last, states[-1:])
    assert monitor.seconds == len(states) - 1


STATES = sorted({state for state, _ in TWO_PHASES} | {"rrrrr", "GGrrr", "ggrrr", "rrGGG", "rrggG", "yyrrr", "rryyr"})
ANY_ROW = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(STATES)), min_size=1, max_size=4)


@st.composite
def plausible_row(draw):
    """A part of a cycle whose clearances are now and then too short."""
    red_s = st.sampled_from([1, 2, 3, 8])
    there = [(draw(st.integers(9, 12)), "GGrrr"), (3, "yyrrr"), (draw(red_s), "rrrrr")]
    back = [(draw(st.integers(9, 12)), "rrGGG"), (3, "rryyr"), (draw(red_s), "rrrrr")]
    cycle = there + back if draw(st.booleans()) else back + there
    at = draw(st.sampled_from([0, 0, 1, 2, 4]))  # one may begin where another ends
    return (cycle + cycle)[at : at + draw(st.sampled_from([1, 2, 3, 4, 6]))]


ROWS = ANY_ROW | plausible_row()


@settings(max_examples=500, deadline=None)
@given(data=st.data(), known=st.lists(ROWS, min_size=1, max_size=3))
def test_a_row_of_states_is_judged_as_its_states_are_one_by_one(data, known):
    by_row, by_state = Monitor(Layout.of(made_map())), Monitor(Layout.of(made_map()))
    t = 0
    for monitor in (by_row, by_state):
        monitor.follow(0, ((0, "rrrrr"),))
    for k in data.draw(st.lists(st.integers(0, len(known) - 1), min_size=1, max_size=12)):  # they come again and again
        t += data.draw(st.integers(1, 15))
        after, row = 0, []
        for seconds, state in known[k]:
            row.append((after, state))
            after += seconds
        said = []
        for monitor, rows in ((by_row, [tuple(row)]), (by_state, [((a, state),) for a, state in row])):
            try:
                for steps in rows:
                    monitor.follow(0, steps, t)
                said.append("")
            except ControlError as error:
                said.append(str(error))
        assert said[0] == said[1]
        if said[0]:
            return
        t += row[-1][0]  # what it ends with lasts until the next begins
    assert by_row.turns == by_state.turns


def test_a_map_whose_phase_is_unsafe_is_refused():
    told = made_map()
    states = ("GGGrr", *told.phase_state[1:])
    unsafe = type(told)(**{**vars(told), "phase_state": states})
    with pytest.raises(ControlError, match=r"at 5 s: junction 'J0': phase 0 \('GGGrr'\) lets the groups 0 and 2"):
        Cabinets(Layout.of(unsafe), 5)


# -- plans and the way back ------------------------------------------------------------------------------


def test_left_alone_the_cabinet_shows_the_program_it_was_given():
    cycle = [state for state, seconds in TWO_PHASES for _ in range(seconds)]
    plant, seen = PointQueues(made_map(), 0), []
    drive(plant, None, 3 * len(cycle), history=seen)
    start = cycle.index("rrGGG")  # the map begins with the longest phase; its offset says where
    assert [s[0] for s in seen] == [cycle[t % len(cycle)] for t in range(3 * len(cycle))]
    assert plant.layout.told.offset_s[0] % len(cycle) in (0, start)


@settings(max_examples=15, deadline=None)
@given(offset=st.integers(0, 77), phase=st.integers(0, 1), hold=st.integers(8, 200))
def test_after_central_control_the_plan_comes_back_without_a_jump_and_into_step(offset, phase, hold):
    told = made_map(1, offset_s=[offset])
    plant = PointQueues(told, 0)
    layout = plant.layout
    runs: list[tuple[str, int, int]] = []  # state, its first second, how long
    for t in range(hold + 1200):
        may = plant.cabinets.stages.may_change(t)[0] or plant.cabinets.stages.to[0] == phase
        if t < hold and may:
            plant.cabinets.order(t, ShowPhases(str(t), np.array([0]), np.array([phase]), min(t + 5, hold)))
        plant.second(t)
        state = plant.cabinets.states[0]
        if runs and runs[-1][0] == state:
            runs[-1] = (state, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((state, t, 1))
    greens = [n for s, begun, n in runs[:-1] if s in layout.told.phase_state and begun >= hold]
    assert min(greens) >= 0.8 * 30 - 1  # shortened by a fifth at most
    plans = Plans.own(layout)
    begun = (int(plant.cabinets.stages.since_s[0]) - int(plans.offset_s[0])) % int(plans.cycle_s[0])
    phase_now = int(plant.cabinets.stages.phase[0])
    if plant.cabinets.stages.to[0] == phase_now:
        assert begun == plans.begin_s[phase_now]


def test_a_plan_that_cannot_be_is_refused():
    layout = Layout.of(made_map())
    with pytest.raises(ValueError, match="'J0' has no green"):
        Plans.of(layout, np.array([0, 0]), np.array([0]))
