"""Patterns of events against the plain reading of their sentence, over random logs."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.checks.choose import Facts as Chosen
from scenarios.checks.patterns import Absence, Bound, Response, moment, span
from scenarios.readings import Memory
from twin.errors import ScenarioError
from twin.events import OrderAnswered, OrderDelivered, OrderPlaced, RunEnded, RunStarted, UnitBroke, UnitRepaired
from twin.log import Log

END_S = 200
PLACED, BROKE = Chosen("OrderPlaced"), Chosen("UnitBroke")


def memory(*told):
    log = Log(None)
    log.add(RunStarted, t_s=0, scenario="x", seed=1, city="x", traffic="free-flow", residents=0)
    for kind, t_s, fields in sorted(told, key=lambda f: f[1]):
        log.add(kind, t_s=t_s, **fields)
    log.add(RunEnded, t_s=END_S, reason="finished")
    return Memory(log.close())


def broke(t_s, unit):
    return UnitBroke, t_s, {"unit": unit, "cause": "wear", "road": 0}


def repaired(t_s, unit):
    return UnitRepaired, t_s, {"unit": unit, "waited_s": 1}


moments = st.lists(st.tuples(st.integers(0, END_S - 1), st.integers(1, 3)), max_size=12)


@given(begun=moments, ended=moments, within=st.integers(0, 80))
def test_a_response_is_what_it_says(begun, ended, within):
    property_ = Response("repaired in time", BROKE, (Chosen("UnitRepaired"),), within, ("unit",))
    found = property_.check(memory(*(broke(*b) for b in begun), *(repaired(*e) for e in ended)))
    late, undecided = [], 0
    for t, unit in begun:
        answers = [e for e, u in ended if u == unit and e >= t]
        if not answers or min(answers) - t > within:
            if t + within > END_S:
                undecided += 1
            else:
                late.append(t)
    assert found.undecided == undecided
    assert found.checked == len(begun) - undecided
    assert (found.holds is False) == bool(late)
    if late:
        assert found.first.t_s == min(late)
        assert found.robustness < 0


@given(begun=moments, ended=moments, most=st.integers(0, 3))
def test_a_bound_counts_what_is_open_at_once(begun, ended, most):
    found = Bound("few at once", most, BROKE, (Chosen("UnitRepaired"),), ("unit",)).check(
        memory(*(broke(*b) for b in begun), *(repaired(*e) for e in ended))
    )
    open_, worst, first = defaultdict(int), 0, None
    for t in range(END_S):  # what is open after each second
        for unit in (1, 2, 3):
            net = begun.count((t, unit)) - ended.count((t, unit))
            open_[unit] = max(0, open_[unit] + net)
            if net > 0 and open_[unit] > most and first is None:
                first = t
            worst = max(worst, open_[unit])
    assert (found.holds is False) == (first is not None)
    if begun:
        assert found.robustness == most - worst
    if first is not None:
        assert found.first.t_s == first


@given(begun=moments, ended=moments, happened=moments)
def test_an_absence_is_judged_by_the_last_beginning(begun, ended, happened):
    told = [(OrderDelivered, t, {"order": u, "unit": 1, "place": "", "waited_s": 0}) for t, u in happened]
    fields = OrderDelivered.__dataclass_fields__
    told = [(k, t, {n: f.get(n, "" if fields[n].type == "str" else 0) for n in fields}) for k, t, f in told]
    begun_f = [(OrderPlaced, t, _filled(OrderPlaced, order=u)) for t, u in begun]
    ended_f = [(OrderAnswered, t, _filled(OrderAnswered, order=u)) for t, u in ended]
    found = Absence("x", Chosen("OrderDelivered"), PLACED, (Chosen("OrderAnswered"),), ("order",)).check(
        memory(*told, *begun_f, *ended_f)
    )
    wrong = []
    for t, u in happened:
        before = [b for b, v in begun if v == u and b <= t]
        if before and not any(v == u and max(before) < e <= t for e, v in ended):
            wrong.append(t)
    assert (found.holds is False) == bool(wrong)
    if wrong:
        assert found.first.t_s == min(wrong)


def _filled(kind, **given_fields):
    blank = {"int": 0, "float": 0.0, "str": "", "bool": False}
    return {n: given_fields.get(n, blank[f.type]) for n, f in kind.__dataclass_fields__.items()}


def test_conditions_choose_facts():
    log = memory(broke(1, 7), broke(5, 8))
    assert Chosen("UnitBroke", {"unit": 7}).read(log)["t_s"].tolist() == [1]
    assert Chosen("UnitBroke", {"unit": "> 7"}).read(log)["t_s"].tolist() == [5]
    assert Chosen("UnitBroke", {"unit": [7, 8], "cause": "wear"}).read(log)["t_s"].tolist() == [1, 5]
    assert Chosen("UnitBroke", {"t_s": "!= 1"}).read(log)["t_s"].tolist() == [5]


def test_unknown_names_are_one_sentence():
    with pytest.raises(ScenarioError, match=r"'UnitBrok' is no kind of fact; did you mean 'UnitBroke'\?"):
        Chosen("UnitBrok")
    with pytest.raises(ScenarioError, match="UnitBroke has no field 'unti'; did you mean 'unit'"):
        Chosen("UnitBroke", {"unti": 3})


def test_nothing_to_judge_is_no_proof():
    assert Response("x", BROKE, (Chosen("UnitRepaired"),), 5, ("unit",)).check(memory()).holds is None
    assert Absence("x", BROKE).check(memory()).holds is True


def test_a_violation_names_who_and_when():
    found = Bound("x", 0, BROKE, (), ("unit",)).check(memory(broke(3661, 700_002)))
    assert found.first.things == ("robot-2",)
    assert "01:01:01 (robot-2)" in found.first.what


def test_moments_and_spans():
    assert (moment(90_061), span(90), span(300), span(7200)) == ("day 2, 01:01:01", "90 s", "5 min", "2 h")
