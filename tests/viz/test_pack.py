"""Containers give back what went in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz.pack import pack, steps, unpack, unvarint, unwide, unzigzag, varint, wide, zigzag

whole = st.lists(st.integers(0, 2**56 - 1), max_size=60)
signed = st.lists(st.integers(-(2**50), 2**50), max_size=60)


@given(whole)
def test_varint_round_trip(values):
    assert unvarint(varint(values)).tolist() == values


@given(whole)
def test_wide_round_trip(values):
    assert unwide(wide(values)).tolist() == values


@given(signed)
def test_zigzag_and_steps_round_trip(values):
    coded = zigzag(steps(np.array(values, dtype=np.int64)))
    assert (coded >= 0).all()
    assert np.cumsum(unzigzag(coded)).tolist() == values


def test_small_numbers_take_one_byte():
    assert len(varint(np.arange(128))) == 128
    assert len(varint([128])) == 2


@pytest.mark.parametrize("values", [[-1], [2**56]])
def test_varint_refuses_what_it_cannot_hold(values):
    with pytest.raises(ValueError, match=r"0\.\.2\^56-1"):
        varint(values)


def test_container_keeps_names_and_hostile_text():
    meta = {"name": "</script><script>alert(1)</script>\u2028`${x}`", "zh": "黄河大道"}
    text = pack(meta, {"a": b"\x00\xff", "b": b"", "c": bytes(range(256))})
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    assert unpack(text) == (meta, {"a": b"\x00\xff", "b": b"", "c": bytes(range(256))})


def test_container_is_the_same_every_time():
    assert pack({"x": 1}, {"a": b"123"}) == pack({"x": 1}, {"a": b"123"})
