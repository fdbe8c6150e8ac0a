"""Bugs planted in controllers, each found by `check`, by name, with a second; the counterexample happens again."""

from __future__ import annotations

import pytest

from scenarios import load
from scenarios.checks.files import find_properties
from scenarios.checks.run import check, judge
from scenarios.checks.run import sound_properties as sound
from tests.scenarios.checks import planted
from twin.log import Facts

HERE = "tests.scenarios.checks.planted"
CRASH = {"kind": "fault", "what": "controller_restarts", "desk": "incidents", "at": "15:00"}


def drowning(desk=None, *more):
    base = load("drowning", people={"share": 0.01}, traffic={"mode": "free-flow"})
    base, _ = base.shortened(4.5)
    there = [v.model_dump(mode="json", by_alias=True) for v in base.interventions]
    changes = {"interventions": [*there, *more]}
    if desk is not None:
        changes["city_brain"] = {"responders": {"desk": f"{HERE}:{desk}"}}
    return base.changed(**changes)


def properties():
    return [*sound(), *find_properties("incidents"), *find_properties("city_brain")]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("planted")


@pytest.mark.parametrize(
    ("desk", "more", "property_"),
    [
        ("ClosesUnverified", (), "incidents are verified"),
        ("DispatchesTwice", (), "a responder is sent on one ticket at a time"),
        ("ForgetsOnRestart", (CRASH,), "no sign is lost"),
    ],
)
def test_a_planted_bug_is_found_and_happens_again(out, desk, more, property_):
    planted.ForgetsOnRestart.made = 0
    report = check(drowning(desk, *more), [1], properties(), out / desk, workers=0)
    assert not report.failed
    broken = {j.demand.name: j.by_seed[1] for j in report.judged if j.broken}
    assert property_ in broken, list(broken)
    planted.ForgetsOnRestart.made = 0
    again = check(drowning(desk, *more), [1], properties(), out / f"{desk}-again", workers=0)
    same = judge(Facts.read(again.folders[1]), properties())[property_]
    assert same.violations == broken[property_].violations


def test_the_sound_desk_holds_even_when_it_crashes(out):
    report = check(drowning(None, CRASH), [1], properties(), out / "sound", workers=0)
    assert report.holds, [(j.demand.name, j.by_seed[1].violations) for j in report.judged if j.broken]
