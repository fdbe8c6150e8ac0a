"""Properties of the incident desk over random days: nothing lost, nobody in two places, no closing unverified."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.city_brain.incident_town import Conduct, Play, sign
from twin.domain.incidents import CloseIncident, JoinSign, OpenIncident

SIGNS_UNTIL_S = 4000
END_S = 100_000
LATE_S = 90  # allowed lateness of the post


def signs(play: Play, seed: int, count: int) -> None:
    """Send signs of random themes and places."""
    draw = random.Random(seed)
    for k in range(count):
        t_s = draw.randrange(5, SIGNS_UNTIL_S)
        theme = draw.choice(["straw", "bikes", "fire", "other"])
        x_m, source = draw.uniform(0, 2000), draw.choice(["alert", "report", "call"])
        severity = draw.choice(["", "", "Moderate", "Extreme"])
        play.mail(t_s, sign(str(k), theme, x_m, t_s, source, severity))


conducts = st.builds(
    Conduct,
    refuse=st.sampled_from([0.0, 0.3]),
    silent=st.sampled_from([0.0, 0.3]),
    fail=st.sampled_from([0.0, 0.3]),
    botch=st.sampled_from([0.0, 0.4]),
    blind=st.sampled_from([0.0, 0.5, 1.0]),
    double=st.sampled_from([0.0, 0.5]),
    late_s=st.sampled_from([0, LATE_S]),
)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 12), conduct=conducts, confirm=st.booleans())
def test_every_sign_ends_and_nothing_is_closed_unverified_or_late_unnoticed(seed, count, conduct, confirm):
    play = Play(seed=seed, conduct=conduct, rules={"confirm": confirm})
    signs(play, seed, count)
    play.run(END_S)
    assert play.unsound(END_S) == []
    assert all(not i.open for i in play.desk.incidents), [i for i in play.desk.incidents if i.open]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6), count=st.integers(1, 10), conduct=conducts, crash_s=st.integers(1, 2 * SIGNS_UNTIL_S)
)
def test_a_restart_from_the_journal_changes_nothing(seed, count, conduct, crash_s):
    plays = []
    for restart_s in (-1, crash_s):
        play = Play(seed=seed, conduct=conduct)
        signs(play, seed, count)
        play.restart_s = restart_s
        play.run(END_S)
        assert play.unsound(END_S) == []
        plays.append([(t_s, c) for t_s, _, commands in play.calls for c in commands])
    assert plays[0] == plays[1]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 10), order=st.randoms(use_true_random=False))
def test_signs_in_any_order_and_twice_make_incidents_of_the_same_signs(seed, count, order):
    """Within the lateness that is allowed: the books hold the same signs, each once, whatever the order."""
    draw = random.Random(seed)
    post = [sign(str(k), "straw", draw.uniform(0, 2000), 100 + k, seen_s=100 + k) for k in range(count)]
    shuffled = [*post, *draw.sample(post, count // 2)]
    order.shuffle(shuffled)
    held = []
    for letters in (post, shuffled):
        play = Play()
        for k, letter in enumerate(letters):
            play.at(200 + k, letter)
        play.run(END_S)
        assert play.unsound(END_S) == []
        found = [c for kind in (OpenIncident, JoinSign) for _, c in play.commands(kind)]
        held.append(sorted((c.source, c.ref) for c in found))
    assert held[0] == held[1]
    assert len(held[0]) == count


@pytest.mark.parametrize("part", ["verify", "escalate"])
def test_the_properties_notice_when_a_part_of_the_loop_is_off(part):
    """The check itself can fail: without verification, or without clocks, it says so."""
    play = Play(seed=4, conduct=Conduct(silent=0.6), rules={part: False})
    signs(play, 4, 10)
    play.run(END_S)
    wrong = play.unsound(END_S)
    assert any(("closed on the word of nobody" if part == "verify" else "nobody was told") in w for w in wrong)
    assert play.commands(CloseIncident)
