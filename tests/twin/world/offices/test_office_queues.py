"""Counters and back offices against queueing theory, with the formulas in the asserts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.twin.world.offices.office_town import catalogue_of, round_the_clock, simulate
from twin.control.services.catalogue.items import DECIDE, REVIEW, Step
from twin.control.services.groups import back, window
from twin.world.offices.people import HALL

MEAN_S = 600.0
CHECK = Step("check", "check", "MR", work_min=MEAN_S / 60)


def erlang_c(c: int, load: float) -> float:
    """P(wait) in M/M/c with an offered load of ``load`` Erlang (Erlang, 1917)."""
    top = load**c / math.factorial(c) * c / (c - load)
    return top / (sum(load**k / math.factorial(k) for k in range(c)) + top)


def mean_wait_s(c: int, load: float, mean_s: float) -> float:
    """Wq in M/M/c."""
    return erlang_c(c, load) * mean_s / (c - load)


def batches(values: np.ndarray, n: int = 25) -> tuple[float, float]:
    """Mean and its standard error by batch means, which holds for values that hang together."""
    means = np.array([b.mean() for b in np.array_split(values, n)])
    return float(values.mean()), float(means.std(ddof=1) / math.sqrt(n))


@pytest.mark.parametrize(("c", "use"), [(1, 0.6), (3, 0.7), (5, 0.8), (10, 0.85)])
def test_counters_wait_as_erlang_says(c: int, use: float) -> None:
    people = round_the_clock()
    for officer in range(c):
        people.add(officer, 0, window(HALL, 0))
    count = 4_000 if c < 10 else 9_000
    load = c * use
    ran = simulate(catalogue_of(CHECK), people, load / MEAN_S, count)
    began = ran.log.table("TaskBegan").to_pydict()
    waited = np.array(began["waited_s"], dtype=float)
    assert waited.size == count
    share, share_error = batches((waited > 0).astype(float))
    wait_s, wait_error = batches(waited)
    assert share == pytest.approx(erlang_c(c, load), abs=4 * share_error + 0.005)  # whole seconds: some 0.1 %
    assert wait_s == pytest.approx(mean_wait_s(c, load, MEAN_S), abs=4 * wait_error)
    # the same test would notice one counter more or less
    assert abs(share - erlang_c(c + 1, load)) > 3 * share_error


def test_a_case_through_three_offices_takes_as_long_as_jackson_says() -> None:
    """Check (2 counters) → review (3 officers) → decision (1): each behaves as an M/M/c of its own (Jackson, 1957)."""
    steps = (
        CHECK,
        Step("review", "review", "MR", ("check",), 15.0),
        Step("decide", "decide", "MR", ("review",), 4.0),
    )
    people = round_the_clock()
    groups = [(window(HALL, 0), 2), (back(0, REVIEW), 3), (back(0, DECIDE), 1)]
    officer = 0
    for group, n in groups:
        for _ in range(n):
            officer += 1
            people.add(officer, 0, group)
    rate = 0.0024  # a second: loads 1.44, 2.16, 0.576
    ran = simulate(catalogue_of(*steps), people, rate, 3_500, seed=3)
    filed = {r["case_no"]: r["t_s"] for r in ran.log.table("CaseFiled").to_pylist()}
    sojourn = np.array([r["t_s"] - filed[r["case_no"]] for r in ran.log.table("ResultGiven").to_pylist()], dtype=float)
    expected = sum(mean_wait_s(c, rate * m, m) + m for c, m in ((2, 600.0), (3, 900.0), (1, 240.0)))
    mean, error = batches(sojourn)
    assert mean == pytest.approx(expected, abs=4 * error)
    assert error < 0.08 * expected  # and that says something


def test_utilisation_is_the_offered_load() -> None:
    people = round_the_clock()
    for officer in range(3):
        people.add(officer, 0, window(HALL, 0))
    ran = simulate(catalogue_of(CHECK), people, 2.0 / MEAN_S, 1_500)
    worked = np.array(ran.log.table("TaskEnded").to_pydict()["worked_s"], dtype=float)
    filed = ran.log.table("CaseFiled").to_pydict()["t_s"]
    busy = worked.sum() / (filed[-1] - filed[0])  # Little's law for the counters: L = λ · E(S)
    mean, error = batches(worked)
    assert busy == pytest.approx(2.0, rel=4 * error / mean + 0.05)
