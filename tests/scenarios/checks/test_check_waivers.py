"""Waivers: what is broken on purpose is told with its reason and does not count; a stale or a wrong one is said."""

from __future__ import annotations

import pytest

from scenarios import load
from scenarios.checks.matrix import Cell
from scenarios.checks.model import Outcome, Violation
from scenarios.checks.run import Judged, Report, Sound, sound_properties
from scenarios.checks.waivers import broken, reasons, told
from scenarios.questions import question
from scenarios.runner.identity import scenario_key
from twin.errors import ScenarioError
from twin.scenario import load_scenario

WHY = "the part is switched off"
WRONG = Outcome("demand", False, 3, 0, -12.5, "s", (Violation(60, "late"),))
RIGHT = Outcome("demand", True, 3, 0, 7.0, "s")
NOTHING = Outcome("demand", None)


class Demand:
    """A property by name only."""

    name = "demand"

    def check(self, facts):
        """Judge nothing."""
        return NOTHING


def report(*outcomes, waived=WHY):
    judged = Judged(Demand(), dict(enumerate(outcomes, 1)), waived)
    return judged, Report(load("demo"), [judged], {}, {}, len(outcomes))


def waiving(name="targets are watched", because=WHY):
    return load("straw_night", waived=[{"property": name, "because": because}])


def test_what_is_waived_does_not_count_but_is_told_with_its_margin():
    judged, whole = report(RIGHT, WRONG, WRONG)
    assert whole.holds
    assert not judged.stale
    assert whole.robustness() == float("inf")  # nothing left to search
    assert told(judged) == f"waived: {WHY} (not held under seeds 2, 3, margin -12.5 s)"
    _, same = report(RIGHT, WRONG, WRONG, waived="")
    assert not same.holds
    assert same.robustness() == -12.5


def test_a_waiver_is_stale_only_if_there_was_something_to_judge_and_it_held_everywhere():
    judged, whole = report(RIGHT, RIGHT)
    assert judged.stale
    assert whole.holds
    assert "BUT IT HOLDS on all 2 seeds (6 judged, margin 7 s): the waiver is stale" in told(judged)
    nothing, _ = report(NOTHING, NOTHING)
    assert not nothing.stale
    assert told(nothing) == f"waived: {WHY} (nothing to judge)"


def test_the_fault_matrix_and_the_plugin_leave_it_out():
    assert broken({"demand": WRONG, "other": WRONG}, ["demand"]) == {"other": WRONG}
    assert Cell(("messages_lost",), 1, {"messages_lost": 3}, {"demand": WRONG}, waived=("demand",)).broken == []


def test_a_waiver_names_a_property_there_is_shipped_or_demanded():
    assert reasons(waiving(), []) == {"targets are watched": WHY}
    assert reasons(waiving("demand"), [Demand()]) == {"demand": WHY}
    text = "waived.* is \"targets are wached\", but neither .* did you mean 'targets are watched'"
    with pytest.raises(ScenarioError, match=text):
        reasons(waiving("targets are wached"), sound_properties())


@pytest.mark.parametrize(
    ("waived", "said"),
    [
        ('[{property: demand, because: " "}]', r'because is " "; allowed: a reason in words'),
        ("[{property: demand}]", "because is missing; write a reason in words"),
        ("[{property: a, because: b}, {property: a, because: c}]", r'is "a", as waived\[0\] says already'),
    ],
)
def test_a_waiver_without_a_reason_or_said_twice_is_one_sentence(tmp_path, waived, said):
    file = tmp_path / "mine.yaml"
    file.write_text(f"extends: straw_night\nwaived: {waived}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=said):
        load_scenario(str(file), {})


def test_a_waiver_changes_no_run():
    assert scenario_key(waiving()) == scenario_key(load("straw_night"))


def test_the_question_of_the_straw_night_waives_what_its_base_switches_off():
    base, (variant,) = question("straw_night").scenarios()
    assert list(reasons(base, sound_properties())) == ["targets are watched"]
    assert not reasons(variant, sound_properties())
    assert Sound("targets are watched", "targets_are_watched").name in {p.name for p in sound_properties()}
