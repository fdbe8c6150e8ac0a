"""Volumes and speeds of roads, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from viz import fcd, trips
from viz import map as viz_map
from viz.pack import unvarint
from viz.state import road_state, state_streams, traversals
from viz.trips import Pieces

LENGTH = np.array([100.0, 200.0, 300.0])


def one(t, s, roads=(0, 1, 2), starts=(0.0, 110.0, 320.0)):
    """One piece over the three roads, with 10 m of junction between them."""
    return Pieces(
        np.array([1]),
        np.array([0, len(roads)]),
        np.array(roads, np.int32),
        np.array(starts, float),
        np.array([0, len(t)]),
        np.array(t, float),
        np.array(s, float),
    )


def test_traversals_by_hand():
    """10 m/s throughout: 10 s on road 0, 1 s of junction, 20 s on road 1, 1 s, 30 s on road 2."""
    enter, leave, metres = traversals(one([0, 62], [0, 620]), LENGTH)
    np.testing.assert_allclose(enter, [0, 11, 32])
    np.testing.assert_allclose(leave, [10, 31, 62])
    np.testing.assert_allclose(metres, [100, 200, 300])


def test_state_by_hand():
    state = road_state(one([0, 62], [0, 620]), LENGTH, 0, 60, step_s=30)
    assert state.entered.tolist() == [[1, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(state.spent_s, [[10, 19, 0], [0, 1, 28]], atol=1e-9)
    np.testing.assert_allclose(state.speed_m_s[0, :2], 10)
    assert np.isnan(state.speed_m_s[0, 2])


def test_a_jam_is_seen_in_every_step_it_lasts():
    """Stands on road 1 from second 12 to 1000: every step of 300 s has a slow road 1."""
    state = road_state(one([0, 12, 1000, 1050], [0, 120, 120, 620]), LENGTH, 0, 1200, step_s=300)
    assert (state.spent_s[:3, 1] > 280).all()
    assert (state.speed_m_s[:3, 1] < 0.5).all()
    assert state.entered[:, 1].tolist() == [1, 0, 0, 0]


def test_two_pieces_do_not_mix():
    a, b = one([0, 62], [0, 620]), one([100, 110], [0, 100], (0,), (0.0,))
    both = trips._join([a, b])
    enter, leave, metres = traversals(both, LENGTH)
    np.testing.assert_allclose(enter, [0, 11, 32, 100])
    np.testing.assert_allclose(leave, [10, 31, 62, 110])
    np.testing.assert_allclose(metres, [100, 200, 300, 100])


def test_nobody_drives():
    e = np.empty(0)
    none = Pieces(e.astype(int), np.zeros(1, int), e.astype(np.int32), e, np.zeros(1, int), e, e)
    state = road_state(none, LENGTH, 0, 600)
    assert not state.entered.any()
    assert np.isnan(state.speed_m_s).all()


def test_time_and_metres_are_conserved(run_dir, city):
    run = viz_map._open(run_dir)
    pieces = trips.ways(fcd.read(run_dir / "fcd.parquet", city), viz_map._plans(run), city)
    length = city.roads["length_m"].to_numpy(float)
    state = road_state(pieces, length, pieces.t_s.min(), pieces.t_s.max() + 1)
    enter, leave, metres = traversals(pieces, length)
    assert state.spent_s.sum() == pytest.approx((leave - enter).sum())
    assert state.driven_m.sum() == pytest.approx(metres.sum(), rel=0.01)
    assert state.entered.sum() == len(pieces.roads)
    whole = pieces.t_s[pieces.point_offsets[1:] - 1] - pieces.t_s[pieces.point_offsets[:-1]]
    assert 0.85 * whole.sum() < state.spent_s.sum() <= whole.sum() + 1e-6


def test_streams_hold_what_the_page_needs():
    state = road_state(one([0, 62], [0, 620]), LENGTH, 0, 60, step_s=30)
    streams = state_streams(state)
    assert np.cumsum(unvarint(streams["state.road"])).tolist() == [0, 1, 2]
    assert unvarint(streams["state.entered"]).reshape(3, 2).tolist() == [[1, 0], [1, 0], [0, 1]]
    speed = unvarint(streams["state.speed"]).reshape(3, 2)
    assert speed.tolist() == [[21, 0], [21, 21], [0, 21]]
