"""The radio channel: against the formulas of its sources, and properties over distance, load and density."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.dice import Dice
from twin.world.junctions.channel import (
    CAM_MOST_HZ,
    DCC_HZ,
    ITS_G5,
    PC5,
    Channel,
    cam_rate_hz,
    heard_quietly,
    hidden_share,
    path_loss_db,
    sense_range_m,
)


def channel(radio=PC5, seed=1, loss=0.0, units=((0.0, 0.0),)) -> Channel:
    x, y = np.array(units, dtype=float).T
    return Channel(radio, x, y, Dice(seed).stream("junctions.v2x.channel"), loss=loss)


def test_path_loss_is_that_of_winner_b1() -> None:
    # 300 m, before the break at 393 m: 22.7 log 300 + 27 + 20 log 5.9 = 98.6 dB
    assert path_loss_db(np.array([300.0]))[0] == pytest.approx(22.7 * np.log10(300) + 27 + 20 * np.log10(5.9))
    # 100 m: that of free space is higher
    assert path_loss_db(np.array([100.0]))[0] == pytest.approx(20 * 2 + 46.4 + 20 * np.log10(5.9 / 5.0))
    # 1,000 m, beyond: 40 log 1000 + 7.56 − 17.3 log 5 + 2.7 log 5.9 = 117.5 dB
    expected = 40 * 3 + 7.56 - 17.3 * np.log10(5.0) + 2.7 * np.log10(5.9)
    assert path_loss_db(np.array([1000.0]))[0] == pytest.approx(expected)


@pytest.mark.parametrize("radio", [PC5, ITS_G5])
def test_reception_falls_with_distance_and_is_half_near_the_sensing_range(radio) -> None:
    d = np.arange(10.0, 1500.0, 10.0)
    p = heard_quietly(radio, d)
    assert (np.diff(p) <= 1e-6).all()
    assert p[0] > 0.999
    assert p[-1] < 1e-3
    # where the mean power is at the threshold, shadowing puts half above it, less what noise takes
    at = heard_quietly(radio, np.array([sense_range_m(radio)]))[0]
    assert 0.3 < at <= 0.6
    assert (heard_quietly(radio, d, 15.0) <= p + 1e-9).all()


def test_hidden_share_is_the_lens_of_two_discs() -> None:
    # two discs of radius r at distance r share 2/3 − √3/(2π) = 0.391 of each
    assert hidden_share(np.array([0.0, 100.0, 200.0, 900.0]), 100.0) == pytest.approx(
        [0.0, 1.0 - (2 / 3 - np.sqrt(3) / (2 * np.pi)), 1.0, 1.0]
    )


def test_rates_of_cam_are_one_to_ten_hertz_and_yield_to_load() -> None:
    speeds = np.array([0.0, 8.0, 20.0, 60.0])
    assert cam_rate_hz(speeds, np.zeros(4)).tolist() == [1.0, 2.0, 5.0, CAM_MOST_HZ]
    for busy, limit in zip((0.1, 0.35, 0.45, 0.55, 0.9), DCC_HZ, strict=True):
        assert cam_rate_hz(np.array([60.0]), np.array([busy]))[0] == limit


def test_busy_ratio_is_packets_times_their_share_and_congestion_control_bounds_it() -> None:
    air = channel()
    n = 50
    x = np.linspace(-200, 200, n)
    air.look(x, np.zeros(n), np.full(n, 12.0))  # 3 Hz each
    assert air.busy[0] == pytest.approx((n * 3.0 + air.rsu_hz) * PC5.share_s)
    many = 3000
    for _ in range(30):
        air.look(np.linspace(-300, 300, many), np.zeros(many), np.full(many, 40.0))
    # without control 3,000 × 10 Hz would be 7.5 channels; with it each sends at its least rate
    assert air.busy[0] == pytest.approx((many * 1.0 + air.rsu_hz) * PC5.share_s)


def test_share_of_messages_heard_is_the_model() -> None:
    air = channel(loss=0.2)
    n = 4000
    x = np.full(n, 650.0)
    rate = np.full(n, 5.0)
    heard = air.send(100, np.arange(n), x, np.zeros(n), rate)
    assert heard.row.size == 5 * n
    p = air.chance(np.array([0]), np.array([650.0]), 5.0)[0]
    share = np.isfinite(heard.delay_ms).mean()
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / heard.row.size)
    got = heard.delay_ms[np.isfinite(heard.delay_ms)]
    assert got.min() >= PC5.processing_ms + PC5.access_low_ms
    assert got.max() <= PC5.processing_ms + PC5.access_high_ms
    # a rate of 2.5 Hz is 2.5 messages a second on the mean
    counts = [air.send(t, np.arange(200), x[:200], x[:200] * 0, np.full(200, 2.5)).row.size for t in range(100, 110)]
    assert np.mean(counts) == pytest.approx(500, rel=0.02)


def test_repetition_is_geometric() -> None:
    air = channel()
    n = 5000
    far = np.full(n, 700.0)
    ms = air.first_heard_ms(7, np.arange(n), np.zeros(n, dtype=np.int64), far, 10.0)
    p = air.chance(np.zeros(1, dtype=np.int64), np.array([700.0]), 10.0)[0]
    assert (ms < 112).mean() == pytest.approx(p, abs=0.03)  # the first one; the second comes 100 ms later
    wait = np.floor((ms - PC5.processing_ms - PC5.access_low_ms) / 100.0).clip(0)
    assert wait.mean() == pytest.approx((1 - p) / p, rel=0.1)
    assert np.isinf(air.first_heard_ms(7, np.arange(3), np.zeros(3, dtype=np.int64), np.full(3, 9000.0), 10.0)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 10_000))
def test_more_stations_change_nobody_elses_messages(n, more, t) -> None:
    """Same draws for the same station; only the load, which is truth, may differ: here it is not looked at."""
    x = np.linspace(-600, 600, n + more)
    rate = np.full(n + more, 4.0)
    few = channel().send(t, np.arange(n), x[:n], np.zeros(n), rate[:n])
    all_ = channel().send(t, np.arange(n + more), x, np.zeros(n + more), rate)
    mine = all_.row < n
    assert np.array_equal(few.row, all_.row[mine])
    assert np.array_equal(few.delay_ms, all_.delay_ms[mine], equal_nan=True)
    assert np.array_equal(few.sent_ms, all_.sent_ms[mine])
