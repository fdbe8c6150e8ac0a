"""The bench of signals runs, and adaptive control is worth its while on the real demand of Jinan."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from scenarios.bench.jinan import data_folder
from scenarios.bench.signals import POLICIES, Case, drive, jinan


def test_every_policy_can_be_made():
    assert {"plan", "fixed", "actuated", "max-pressure", "platoons", "webster", "green-wave"} <= POLICIES.keys()
    for make in POLICIES.values():
        made = make()
        assert made is None or callable(made.wish)


@pytest.mark.slow
def test_a_quarter_of_an_hour_of_jinan_is_better_adaptive_than_by_plan():
    folder = data_folder()
    if folder is None:
        pytest.skip("needs ../shared/data/jinan_3x4 beside the project")
    whole = jinan(folder)
    case = Case(whole.net, whole.options, 900)
    plan, adaptive = drive(case, "plan", 1), drive(case, "platoons", 1)
    # vehicle-hours count those under way and waiting to enter too, so nobody is left out
    assert adaptive.in_system_h < 0.85 * plan.in_system_h
    assert adaptive.arrived > plan.arrived


def test_the_command_line_names_what_it_measured():
    if data_folder() is None:
        pytest.skip("needs ../shared/data/jinan_3x4 beside the project")
    command = [sys.executable, "-m", "scenarios.bench.signals", "jinan", "plan", "1", "--scale", "0.02"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(r"^jinan plan seed 1 travel [\d.]+ s, entry [\d.]+ s", said, re.MULTILINE)
