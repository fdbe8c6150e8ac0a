"""Temporal logic over signals: semantics, units, mistakes; signals against plain counting; YAML files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.checks.choose import Facts as Chosen
from scenarios.checks.files import SHIPPED, find_properties, read_properties
from scenarios.checks.formulas import always_of, evaluate, formula
from scenarios.checks.run import judge, shipped
from scenarios.checks.signals import Signal, steps
from scenarios.readings import Memory
from twin.errors import ScenarioError
from twin.events import DetectorRead, RunEnded, RunStarted, UnitChanged, VehicleEntered
from twin.log import Log

STEP = 60
ENTERED = Signal("entered", "rate", Chosen("VehicleEntered"), window_s=600, per_s=3600)
SPEED = Signal("speed", "mean", Chosen("DetectorRead"), field="speed_m_s", window_s=300)


def run_of(entries=(), speeds=(), end_s=3600, charge=()):
    log = Log(None)
    log.add(RunStarted, t_s=0, scenario="x", seed=1, city="x", traffic="meso", residents=0)
    for i, t in enumerate(entries):
        log.add(VehicleEntered, t_s=t, vehicle=1_000_000_000_000 + i, kind="car", road=0)
    for t, v in speeds:
        log.add(DetectorRead, t_s=t, road=0, count=1, speed_m_s=float(v), occupancy=0.1)
    for t, unit, battery in charge:
        log.add(UnitChanged, t_s=t, unit=unit, state="idle", battery=float(battery), load=0, road=0, pos_m=0.0)
    log.add(RunEnded, t_s=end_s, reason="finished")
    return log.close()


series = st.lists(st.floats(-50, 50), min_size=2, max_size=40)


@given(a=series)
def test_robustness_of_always_and_eventually(a):
    sampled = {"a": np.asarray(a)}
    assert evaluate("always (a <= 10)", sampled, STEP)[0] == pytest.approx(10 - max(a))
    assert evaluate("eventually (a >= 10)", sampled, STEP)[0] == pytest.approx(max(a) - 10)
    bounded = evaluate("eventually[0s:120s] (a >= 0)", sampled, STEP)
    assert bounded[0] == pytest.approx(max(a[:3]))


def test_the_outer_always_is_taken_off_to_find_the_first_moment():
    assert always_of("always (a < 3)") == "a < 3"
    assert always_of(" always ((a < 3) and (b > 2)) ") == "(a < 3) and (b > 2)"
    assert always_of("always (a < 3) and always (b > 2)") is None


def test_the_first_violation_is_named_with_its_second_and_values():
    phi = formula("calm", "always (entered <= 6 /h)", {"entered": ENTERED})
    found = phi.check(Memory(run_of(entries=[1000, 1010, 1020])))
    assert found.holds is False
    assert found.first.t_s == 1020  # three in ten minutes are 18 an hour; two at 1010 were not sampled
    assert found.robustness == pytest.approx(6 - 18)
    assert "entered 18/h" in found.first.what


@given(times=st.lists(st.integers(0, 3599), max_size=30))
def test_rate_is_counting_in_a_moving_window(times):
    facts = Memory(run_of(entries=sorted(times)))
    at_s = steps(facts, STEP)
    told = ENTERED.sample(facts, at_s)
    for t, rate in zip(at_s.tolist(), told.tolist(), strict=True):
        seen = sum(t - 600 < e <= t for e in times)
        assert rate == pytest.approx(seen * 3600 / min(600, t + 1))


def test_a_held_value_is_the_least_over_things():
    battery = Signal("battery", "last", Chosen("UnitChanged"), field="battery", by="unit", take="least")
    facts = Memory(run_of(charge=[(60, 1, 0.9), (120, 2, 0.4), (180, 2, 0.8)], end_s=300))
    told = battery.sample(facts, steps(facts, STEP))
    assert np.isnan(told[0])
    assert told[1:].tolist() == [0.9, 0.4, 0.8, 0.8, 0.8]


def test_units_are_converted_and_must_fit():
    ok = formula("quick", "always (speed >= 36 km/h)", {"speed": SPEED})
    assert ok.check(Memory(run_of(speeds=[(60, 10.5)]))).robustness == pytest.approx(0.5)  # 36 km/h are 10 m/s
    with pytest.raises(ScenarioError, match="speed is in m/s, compared with 20 min"):
        formula("wrong", "always (speed >= 20 min)", {"speed": SPEED})


def test_bounds_may_be_minutes():
    text = "always ((entered > 100) implies (eventually[0:10 min] (entered <= 100)))"
    assert "[0s:600s]" in formula("x", text, {"entered": ENTERED}).text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("always (entred <= 3)", "'entred' is no signal; did you mean 'entered'"),
        ("always (entered <= ", "is no formula"),
        ("always (entered <= 3) sometimes", "'sometimes' is no signal"),
    ],
)
def test_a_wrong_formula_is_one_sentence(text, said):
    with pytest.raises(ScenarioError, match=said) as error:
        formula("x", text, {"entered": ENTERED})
    assert "\n" not in str(error.value)


def test_what_is_not_known_is_not_judged():
    found = formula("quick", "always (speed >= 1)", {"speed": SPEED}).check(Memory(run_of()))
    assert found.holds is None


# -- files ---------------------------------------------------------------------------------------------


def test_every_shipped_file_can_be_read_and_names_are_unique():
    names = [p.name for p in shipped()]
    assert len(names) == len(set(names)) >= 20
    for file in SHIPPED.glob("*.yaml"):
        assert find_properties(file.stem)


def write(tmp_path, text):
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_of_all_forms(tmp_path):
    file = write(
        tmp_path,
        """
signals:
  entered: {rate: VehicleEntered, window: 10 min, per: hour}
properties:
  - {name: calm, formula: always (entered <= 6 /h)}
  - {name: answered, every: OrderPlaced, followed_by: OrderAnswered, within: 5 min, same: order}
  - {name: none, never: {fact: VehicleEntered, where: {kind: truck}}}
  - {name: one, at_most: 1, of: {from: UnitBroke, to: UnitRepaired}, same: unit}
""",
    )
    outcomes = judge(run_of(entries=[1000, 1010, 1020]), read_properties(file))
    assert {n: o.holds for n, o in outcomes.items()} == {"calm": False, "answered": None, "none": True, "one": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("properties:\n  - name: a\n    nevr: X\n", "line 3: .*nevr is no key"),
        ("properties:\n  - name: a\n", "says nothing; exactly one of formula, every, never, at_most"),
        ("properties:\n  - name: a\n    never: UnitBrok\n", "line 3: .*did you mean 'UnitBroke'"),
        ("properties:\n  - {name: a, every: UnitBroke, followed_by: UnitRepaired, within: 5}\n", 'such as "5 min"'),
        ("properties:\n  - {name: a, never: UnitBroke, same: untit}\n", "has no field 'untit'"),
        ("properties:\n  - {name: a, at_most: two, of: UnitBroke}\n", "allowed: a whole number from 0"),
        ("signals:\n  x: {level: UnitBroke}\nproperties: []\n", "is a level, which needs 'end'"),
        ("signals:\n  x: {mean: UnitBroke}\nproperties: []\n", "needs a 'field'"),
        ("properties:\n  - {name: a, never: UnitBroke}\n  - {name: a, never: UnitBroke}\n", "two properties"),
    ],
)
def test_mistakes_in_a_file_are_one_sentence(tmp_path, text, said):
    with pytest.raises(ScenarioError, match=said) as error:
        read_properties(write(tmp_path, text))
    assert "\n" not in str(error.value)
    assert "own.yaml" in str(error.value)


def test_properties_from_python():
    assert [p.name for p in find_properties("scenarios.checks.run:shipped")] == [p.name for p in shipped()]
    with pytest.raises(ScenarioError, match="is no property"):
        find_properties("fractions:Fraction")
    with pytest.raises(ScenarioError, match="gives no property"):
        find_properties("collections:OrderedDict")
    with pytest.raises(ScenarioError, match="did you mean 'traffic'"):
        find_properties("trafic")
