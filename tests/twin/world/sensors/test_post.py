"""The way from a sensor to the city: what is lost, repeated, held up; what a frame can see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.world.sensors.test_channels import told
from twin.dice import Dice
from twin.scenario.city_brain import Sensors
from twin.world.sensors.post import Post
from twin.world.sensors.sightings import distance_factor

N = 40_000


def sent(**changes):
    """Send N readings of many channels at second 1000; return the post and what arrives until the end of time."""
    channels, _ = told()
    post = Post(channels, Dice(5), Sensors(**changes))
    channel = np.arange(N) % 19_000
    made = 1000 + np.arange(N) // 19_000
    fates = post.fates(channel, made)
    post.send(channel, made, np.arange(N, dtype=float), fates)
    return post, fates, post.arrived(10**6)


def test_shares_of_lost_repeated_and_late_messages_are_those_asked_for():
    post, fates, got = sent(lost_share=0.1, repeated_share=0.2, late_share=0.05, late_mean_s=300)
    lost = np.mean(fates.arrive_s < 0)
    assert lost == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / N))
    assert post.counts.repeated / (N * 0.85) == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / N / 0.85))
    wait = fates.arrive_s - 1000
    # only those that are held up can be a minute late: 5 % with an exponential delay of mean 300 s
    assert np.mean(wait > 60) == pytest.approx(0.05 * np.exp(-60 / 300), abs=0.006)
    assert got.channel.size == N - post.counts.lost + post.counts.repeated


def test_nothing_is_lost_or_repeated_unless_asked_for():
    post, fates, got = sent(lost_share=0, repeated_share=0, late_share=0, skew_s=0)
    assert sorted(got.value.tolist()) == list(range(N))
    assert (post.counts.lost, post.counts.repeated) == (0, 0)
    assert (fates.arrive_s >= 1000).all()


def test_a_perfect_sensor_has_no_latency_and_the_right_time():
    _, fates, got = sent(perfect=True, lost_share=0.5)
    assert (fates.arrive_s[:19_000] == 1000).all()
    assert set(got.phenomenon_s.tolist()) == {1000, 1001, 1002}


def test_messages_arrive_in_order_of_arrival_not_of_making():
    channels, _ = told()
    post = Post(channels, Dice(5), Sensors(late_share=0.3, late_mean_s=100))
    seen, made_later = [], False
    for t in range(0, 600, 10):
        channel = np.arange(200)
        made = np.full(200, t)
        post.send(channel, made, made.astype(float), post.fates(channel, made))
        got = post.arrived(t)
        if got is not None:
            assert got.t_s == t
            made_later |= bool((np.diff(got.value) < 0).any())
            seen += got.value.tolist()
    assert made_later, "late ones come after younger ones"
    assert len(seen) > 100 * 50


def test_one_channel_more_changes_no_other_fate():
    channels, _ = told()
    post = Post(channels, Dice(5), Sensors(lost_share=0.3))
    made = np.full(50, 77)
    all_of_them = post.fates(np.arange(50), made)
    some = post.fates(np.arange(0, 50, 2), made[::2])
    assert np.array_equal(all_of_them.arrive_s[::2], some.arrive_s)


@settings(max_examples=50)
@given(st.floats(1, 5000), st.floats(0, 6000), st.floats(0, 6000))
def test_what_is_further_away_is_seen_less_and_nothing_beyond_reach(reach, a, b):
    near, far = sorted((a, b))
    close, remote = distance_factor(np.asarray([near, far]), np.full(2, reach)).tolist()
    assert 0 <= remote <= close <= 1
    assert distance_factor(np.zeros(1), np.full(1, reach))[0] == 1.0
    assert (far <= reach) or remote == 0.0
