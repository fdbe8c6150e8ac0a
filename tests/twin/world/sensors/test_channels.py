"""Where channels stand and how they are found: 19,000 of them, by tags in many trees."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cities import shared_toy_city
from tests.twin.world.city_brain.brain_town import city
from twin.control.city_brain.tags import QueryError, TagForest
from twin.scenario.city_brain import Sensors
from twin.world.city_brain.sites import Places
from twin.world.sensors.channel_kinds import CHANNEL_KINDS, counts
from twin.world.sensors.channels import channel_map, place_channels

QUERY = "place:大桥 & kind:camera & theme:water & !fault"


@cache
def told():
    places = Places(city())
    channels = place_channels(places, Sensors())
    return channels, channel_map(city(), channels, 0)


def test_exactly_19000_with_160_waters_and_320_fire_points_seen_from_high_and_low():
    channels, message = told()
    assert len(channels) == len(message.channel) == 19_000
    assert np.array_equal(message.channel, np.arange(19_000))
    assert len(set(message.name)) == 19_000
    place = np.asarray(message.place, dtype=object)
    for high, low, n in (("water_high", "water_low", 160), ("fire_high", "fire_low", 320)):
        above, below = (set(place[channels.rows_of(k)]) for k in (high, low))
        assert len(above) == n
        assert above == below, "high and low points watch together"
        assert len(channels.rows_of(high)) == n


@given(st.integers(1700, 10**6), st.integers(0, 160), st.integers(0, 320))
def test_the_number_is_exact_whatever_it_is(channels, waters, fire_points):
    many = counts(channels, waters, fire_points)
    assert sum(many.values()) == channels
    assert (many["water_high"], many["fire_low"]) == (waters, fire_points)
    assert min(many.values()) >= 0


def test_a_city_without_waters_has_as_many_elsewhere():
    places = Places(shared_toy_city())
    assert len(places["waters"]) == 0
    channels = place_channels(places, Sensors(channels=500, waters=10, fire_points=20))
    assert len(channels) == 500
    assert not len(channels.rows_of("water_high"))
    assert len(channel_map(shared_toy_city(), channels, 0).name) == 500


def test_queries_over_19000_channels_count_and_list_within_five_milliseconds():
    channels, message = told()
    forest = TagForest.of(message)
    forest.mark("fault", range(0, 19_000, 7), True)
    spent = []
    for _ in range(5):
        forest.mark("fault", [0], True)  # forgets every bitmap: each query below is a first one
        began = time.process_time()
        n, rows = forest.count(QUERY), forest.rows(QUERY)
        spent.append(time.process_time() - began)
        assert n == len(rows)
    assert min(spent) < 0.005
    kind = np.asarray(message.kind, dtype=object)[rows]
    assert set(kind) == {"camera"}
    daqiao = {c for c, t in zip(message.tag_channel.tolist(), message.tag, strict=True) if t.startswith("place:大桥/")}
    wanted = {c for c in channels.rows_of("water_high").tolist() if c in daqiao and c % 7}
    assert set(rows.tolist()) == wanted
    assert wanted


def test_a_malformed_query_points_at_the_character():
    forest = TagForest.of(told()[1])
    with pytest.raises(QueryError, match=r"character 12: expected a tag"):
        forest.rows("place:大桥 & & kind:camera")


def test_every_kind_says_what_it_can_do():
    names = [k.name for k in CHANNEL_KINDS]
    assert len(set(names)) == len(names)
    for k in CHANNEL_KINDS:
        assert bool(k.looks) != bool(k.measures), k.name
        assert not k.looks or (k.reach_m > 0 and 0 < k.sees <= 1 and k.frame_s % 10 == 0), k.name
        assert not k.measures or (k.unit and k.step > 0), k.name
