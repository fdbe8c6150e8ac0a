"""Precision, recall and delay of supervision: by hand, and over telemetry that gets worse and worse."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from scenarios.supervision import EARLY_S, LATE_S, MERGE_S, Score, episodes, score, scores, table
from twin.control.mobility.supervision.platform import SafetyPlatform
from twin.control.mobility.supervision.policies import WarnOnly
from twin.events import RunEnded, ViolationBegan, ViolationEnded, ViolationFound
from twin.log import Log
from twin.scenario.supervision import Supervision, Telemetry

sys.path.insert(0, str(Path(__file__).parents[1] / "twin" / "world" / "fleets"))
from toy_fleet import make_toy

U = 700_001


def log_of(true=(), found=(), end_s=10_000):
    """``true``: (unit, violation, begin, end or None); ``found``: (unit, violation, since, t)."""
    log = Log()
    for unit, violation, begin, end in true:
        log.add(ViolationBegan, t_s=begin, unit=unit, violation=violation, road=0, cause="")
        if end is not None:
            log.add(ViolationEnded, t_s=end, unit=unit, violation=violation, duration_s=end - begin)
    for unit, violation, since, t_s in found:
        log.add(ViolationFound, t_s=t_s, unit=unit, violation=violation, since_s=since, case="c")
    log.add(RunEnded, t_s=end_s, reason="finished")
    return log.close()


def test_right_wrong_and_missed_by_hand():
    facts = log_of(
        true=[(U, "speeding", 100, 200), (U, "speeding", 1000, 1100), (U + 1, "silence", 500, None)],
        found=[(U, "speeding", 100, 130), (U, "speeding", 5000, 5010), (U + 1, "silence", 440, 510)],
    )
    assert scores(facts) == (
        Score("speeding", 2, 1, 2, 1, (30,)),
        Score("silence", 1, 1, 1, 1, (10,)),
        Score("all", 3, 2, 3, 2, (30, 10)),
    )
    s = score(facts)
    assert (s.precision, s.recall, s.delay_s) == (2 / 3, 2 / 3, 20.0)
    assert s.delay_p95_s == pytest.approx(np.percentile([30, 10], 95))


def test_another_unit_another_violation_and_another_time_do_not_match():
    true = [(U, "speeding", 1000, 1100)]
    for found, right in [
        ((U + 1, "speeding", 1000, 1010), 0),
        ((U, "silence", 1000, 1010), 0),
        ((U, "speeding", 0, 1000 - EARLY_S - 1), 0),
        ((U, "speeding", 0, 1000 - EARLY_S), 1),
        ((U, "speeding", 0, 1100 + LATE_S), 1),
        ((U, "speeding", 0, 1100 + LATE_S + 1), 0),
    ]:
        assert score(log_of(true, [found])).right == right, found


def test_a_jam_in_between_makes_no_second_episode_and_a_second_finding_no_second_hit():
    near = [(U, "speeding", 100, 200), (U, "speeding", 200 + MERGE_S - 1, 400)]
    far = [(U, "speeding", 100, 200), (U, "speeding", 200 + MERGE_S, 400)]
    assert [(e.begin_s, e.end_s) for e in episodes(log_of(near), "speeding")] == [(100, 400)]
    assert len(episodes(log_of(far), "speeding")) == 2
    twice = [(U, "speeding", 100, 110), (U, "speeding", 330, 340)]
    assert score(log_of(near, twice)) == Score("all", 1, 1, 2, 2, (10,))


def test_moments_are_matched_one_to_one():
    true = [(U, "red light", t, None) for t in (100, 130)]
    found = [(U, "red light", 101, 105), (U, "red light", 131, 135), (U, "red light", 140, 145)]
    assert score(log_of(true, found)) == Score("all", 2, 2, 3, 2, (5, 5))


def test_nothing_is_no_share():
    s = score(log_of())
    assert (s.precision, s.recall, s.delay_s, s.delay_p95_s) == (None, None, None, None)
    assert "–" in table(scores(log_of()))[1]
    with pytest.raises(ValueError, match="there is no violation 'rudeness'; known: all, speeding"):
        score(log_of(), "rudeness")


# -- the platform over telemetry of four qualities --------------------------------------------------------

LEVELS = (
    Telemetry.perfect(),
    Telemetry(loss=0.1, late=0.1, wrong=0.01, beside=0.1, speed_noise_m_s=0.8, braking_noise_m_s2=0.7),
    Telemetry(loss=0.3, late=0.3, late_mean_s=60.0, wrong=0.04, beside=0.3, speed_noise_m_s=1.5,
              braking_noise_m_s2=1.4, clock_skew_s=15.0),
    Telemetry(loss=0.6, late=0.4, late_mean_s=120.0, wrong=0.1, beside=0.5, speed_noise_m_s=3.0,
              braking_noise_m_s2=2.0, clock_skew_s=40.0),
)  # fmt: skip


def run(quality, seed, factory=lambda: SafetyPlatform(WarnOnly()), n=8):
    toy = make_toy(n=n, seed=seed, supervision=Supervision(faults=120.0, telemetry=quality), factory=factory)
    for row in range(0, n, 3):
        begin = toy.now_s + 600 + 300 * row
        toy.outages[begin] = [(row, False)]
        toy.outages[begin + 200] = [(row, True)]
    return toy.run(2700).facts()


@pytest.mark.parametrize("seed", [1, 2])
def test_with_perfect_telemetry_everything_is_found_and_nothing_else(seed):
    """Every kind that lasts, and the moments: recall 1, precision 1, found within half a minute."""
    facts = run(LEVELS[0], seed)
    every = scores(facts)
    assert {s.violation for s in every} >= {"speeding", "out of area", "harsh braking", "silence"}
    assert all((s.precision, s.recall) == (1.0, 1.0) for s in every), "\n".join(table(every))
    assert every[-1].episodes > 40
    assert max(every[-1].delays_s) <= 40


def test_what_happens_does_not_depend_on_who_watches_or_how_well_it_is_heard():
    """Common random numbers: with a platform that only warns, the truth is the same at every quality."""
    a, b = (run(q, 1).frame("ViolationBegan").to_numpy() for q in (LEVELS[0], LEVELS[3]))
    assert np.array_equal(a, b)
    assert np.array_equal(a, run(LEVELS[0], 1, factory=None).frame("ViolationBegan").to_numpy())


def test_precision_and_recall_fall_as_telemetry_gets_worse():
    """Averaged over seeds, level by level: strictly, as each level is worse in every way."""
    seeds = (1, 2)
    mean = []
    for quality in LEVELS:
        every = [score(run(quality, seed)) for seed in seeds]
        mean.append((np.mean([s.precision for s in every]), np.mean([s.recall for s in every])))
    precision, recall = (list(column) for column in zip(*mean, strict=True))
    assert precision == sorted(precision, reverse=True), mean
    assert recall == sorted(recall, reverse=True), mean
    assert precision[0] == recall[0] == 1.0
    assert precision[-1] < 0.8
    assert recall[-1] < 0.8


def test_a_platform_that_steps_in_shortens_speeding():
    """The default ladder slows whoever does not listen: seconds of speeding fall against warnings alone.

    (Whoever is stopped outside its area stays there until it was checked, so time outside is no measure.)
    """

    def seconds(factory):
        return sum(e.end_s - e.begin_s for seed in (1, 2) for e in episodes(run(LEVELS[0], seed, factory), "speeding"))

    assert seconds(SafetyPlatform) < 0.75 * seconds(lambda: SafetyPlatform(WarnOnly()))
