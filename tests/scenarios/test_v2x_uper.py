"""UPER at the edge: golden bytes, round trips, and one clear sentence where it cannot be."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.exports import v2x_uper
from scenarios.exports.v2x_uper import (
    Cam,
    Denm,
    decode_cam,
    decode_denm,
    decode_mapem,
    decode_spatem,
    encode_cam,
    encode_denm,
    encode_mapem,
    encode_spatem,
)
from twin.domain.v2x import Mapem, Spatem
from twin.domain.wire import decode, encode
from twin.errors import ScenarioError

pytest.importorskip("pycrate_asn1dir", reason="the extra 'v2x' (pycrate) is not installed")

CAM = Cam(1234, 1000, 36.7, 117.0, 13.89, 90.0, 5.0)
DENM = Denm(7, 3, 600_000_000_000, 36.7, 117.0, 12, 5)
nan = float("nan")
ints = lambda *v: np.array(v, dtype=np.int64)  # noqa: E731
SPAT = Spatem(
    28800, "spatem/7", 7, "A1", 1, 28_830_000, ints(1, 2), "Gr", np.array([28_840_000.0, nan]),
    np.array([28_860_000.0, nan]), np.array([28_850_000.0, 28_853_000.0]), np.array([1.0, 0.36]), np.array([nan, 8.3]),
)  # fmt: skip
MAP = Mapem(
    0, "mapem/7", 7, "A1", 1, 117.0, 36.7, ints(1, 2), ints(1, 2), ints(1, 0), ints(1, 1, 2, 2),
    np.array([1.0, 51.0, -8.0, -60.0]), np.array([-2.0, -2.0, 3.5, 3.5]), ints(1), ints(2), ints(1),
)  # fmt: skip


def same(a, b) -> bool:
    one, two = encode(a), encode(b)
    return all(
        np.allclose(np.array(one[k], float), np.array(two[k], float), equal_nan=True)
        if isinstance(one[k], list)
        else one[k] == two[k]
        for k in one
    )


def test_golden_bytes() -> None:
    """Each byte is the standard's: a change here is a change on the air."""
    assert encode_cam(CAM).hex() == (
        "0202000004d203e80059709c581620d3501ffffffc23b7743e00384fc2b6fe0319ed0737feebfff600"
    )
    assert encode_denm(DENM).hex() == GOLDEN_DENM
    assert encode_spatem(SPAT).hex() == GOLDEN_SPATEM
    assert encode_mapem(MAP).hex() == GOLDEN_MAPEM


GOLDEN_DENM = "020100000007870000000380019176592e00045d964b8004b84e2c0b1069a80ffffffe11dbba1f4800143c406000"
GOLDEN_SPATEM = "0204000000070038060b10003810000001e0753001001046700c8012c00fa7801031ba328632840848410253"
GOLDEN_MAPEM = (
    "02050000000708010200c16200070225c2716058834d400092008a000000"
    "00580647f382c9c44000020080440088800000002be7040af15aec200000"
)


def test_the_header_says_what_it_is() -> None:
    """ItsPduHeader: version 2, messageID (ETSI TS 102 894-2: denm 1, cam 2, spatem 4, mapem 5), station."""
    for data, number in (
        (encode_denm(DENM), 1),
        (encode_cam(CAM), 2),
        (encode_spatem(SPAT), 4),
        (encode_mapem(MAP), 5),
    ):
        assert data[:2] == bytes((2, number))
    assert int.from_bytes(encode_cam(CAM)[2:6], "big") == CAM.station


def test_round_trips() -> None:
    assert decode_cam(encode_cam(CAM)) == CAM
    assert decode_denm(encode_denm(DENM)) == DENM
    assert same(decode_spatem(encode_spatem(SPAT), 28_800_000), SPAT)
    assert same(decode_mapem(encode_mapem(MAP)), MAP)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(0, 10**8), st.floats(-89, 89), st.floats(-179, 179), st.floats(0, 160),
    st.floats(0, 359.9), st.floats(1, 30),
)  # fmt: skip
def test_any_cam_comes_back_within_the_resolution(station, ms, lat, lon, speed, heading, length) -> None:
    got = decode_cam(encode_cam(Cam(station, ms, lat, lon, speed, heading, length)))
    assert got.station == station
    assert got.generated_ms == ms % 65536
    assert abs(got.lat - lat) <= 0.6e-7
    assert abs(got.lon - lon) <= 0.6e-7
    assert abs(got.speed_m_s - speed) <= 0.0051
    assert min(abs(got.heading_deg - heading), 360 - abs(got.heading_deg - heading)) <= 0.051
    assert abs(got.length_m - length) <= 0.051


def test_objects_go_over_the_wire_as_json_too() -> None:
    for item in (SPAT, MAP):
        assert same(decode(encode(item)), item)


def test_wrong_bytes_are_one_sentence() -> None:
    with pytest.raises(ScenarioError, match="3 bytes are not a MAPEM"):
        decode_mapem(b"\x02\x05\x00")


def test_what_does_not_fit_is_one_sentence() -> None:
    with pytest.raises(ScenarioError, match="a CAM does not hold this"):
        encode_cam(Cam(1, 0, 95.0, 0.0, 1.0, 0.0, 5.0))


def test_without_the_extra_it_is_one_sentence(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pycrate_asn1dir", None)
    v2x_uper._module.cache_clear()
    with pytest.raises(ScenarioError, match="pip install"):
        encode_cam(CAM)
    v2x_uper._module.cache_clear()
